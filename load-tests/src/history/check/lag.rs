//! I9: how long what was acknowledged took to each reader, while nothing was wrong and during each fault.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::Case;
use super::entry::Sight;
use super::facts::{Facts, NEVER};
use crate::history::record::{Fault, Nanos, Recv};
use crate::history::verdict::{Delays, Invariant};

const MILLISECOND: Nanos = 1_000_000;

/// While nothing is wrong, unless the run says otherwise.
const BOUND_MS: u64 = 1_000;

/// Beyond the length of a fault that names no bound of its own.
const AFTER_FAULT: Nanos = 5_000 * MILLISECOND;

/// The window in which no fault shows.
const HEALTHY: &str = "healthy";

#[derive(Debug)]
pub(super) struct Lags {
    bound: Nanos,
    /// In microseconds, by the name of the fault.
    windows: BTreeMap<String, Histogram<u64>>,
}

impl Lags {
    pub(super) fn new(facts: &Facts) -> Self {
        let bound = facts.run.bound_ms.unwrap_or(BOUND_MS).saturating_mul(MILLISECOND);
        Self { bound, windows: BTreeMap::new() }
    }

    fn add(&mut self, window: &str, delay: Nanos) {
        if !self.windows.contains_key(window) {
            let empty = Histogram::new(3).expect("three digits are allowed");
            self.windows.insert(window.to_owned(), empty);
        }
        if let Some(times) = self.windows.get_mut(window) {
            // It grows as needed: nothing is out of range.
            let _ = times.record(delay / 1_000);
        }
    }

    pub(super) fn delays(&self) -> BTreeMap<String, Delays> {
        #[expect(clippy::cast_precision_loss, reason = "for reading, to some digits")]
        let ms = |micros: u64| micros as f64 / 1_000.0;
        let delays = |times: &Histogram<u64>| Delays {
            count: times.len(),
            p50: ms(times.value_at_quantile(0.5)),
            p99: ms(times.value_at_quantile(0.99)),
            p999: ms(times.value_at_quantile(0.999)),
            max: ms(times.max()),
        };
        self.windows.iter().map(|(window, times)| (window.clone(), delays(times))).collect()
    }
}

fn bound_of(fault: &Fault) -> Nanos {
    match fault.bound_ms {
        Some(ms) => ms.saturating_mul(MILLISECOND),
        None => fault.stop.saturating_sub(fault.start).saturating_add(AFTER_FAULT),
    }
}

impl Case {
    /// An entry was taken by a client that could take it since `ready`, and before that had joined from and until `before`.
    pub(super) fn check_lag(
        &mut self,
        recv: &Recv,
        sight: Sight,
        ready: Nanos,
        before: Option<(Nanos, Nanos)>,
    ) {
        let op = recv.cid.and_then(|cid| self.facts.ops.find(cid));
        let acked = op.map_or(NEVER, |op| self.facts.ops.list[op as usize].acked);
        if acked == NEVER {
            return;
        }
        // A client that was connected long enough and was not given it waits since then; else since it joined.
        let missed = before
            .is_some_and(|(since, until)| since <= acked && until > acked.saturating_add(self.lags.bound));
        let from = if missed { acked } else { acked.max(ready) };
        let delay = sight.t.saturating_sub(from);
        let until = from.saturating_add(self.lags.bound);
        let fault = self.facts.faults_in(from, until).max_by_key(|fault| bound_of(fault));
        let (bound, window) = match fault {
            Some(fault) => (bound_of(fault).max(self.lags.bound), fault.name.as_str()),
            None => (self.lags.bound, HEALTHY),
        };
        self.lags.add(window, delay);
        if delay > bound {
            let mut spot = sight.spot(recv);
            spot.since = from;
            self.report(Invariant::Live, "slow", spot, |_| {
                format!("{} came {} ms after its acknowledgement", recv.seq, delay / MILLISECOND)
            });
        }
    }
}
