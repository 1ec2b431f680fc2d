//! What one round has to do, in which order, and what is made of how it went. Nothing is sent and nothing is kept here.
//!
//! Entries of one log are told one after the other, logs beside each other. What was told by the end is the longest beginning of the page that
//! is done; a log of which something was not taken is held up, and its further entries are passed over until it is told them from there on.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{DeliveryNumber, DeliveryOutcome};

use crate::domain::webhook::health::{
    FAILING_MOST, HELD_MOST, PARKED_MOST, blames_the_event, event_again, is_gone,
};
use crate::domain::webhook::{Health, Webhook};
use crate::store::{Attempt, HeldLog, Lane, LogKey, LogPlace, Round, Settled, Told};

/// Logs that an address is tried with that nothing got through to, by one post each.
const PROBES: usize = 4;

/// What an errand is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// A log that was held up.
    Held(LogKey),
    /// A log of the page.
    Page(LogKey),
    /// One entry that is sent once more.
    Again(DeliveryNumber),
}

/// Entries that are told one after the other.
pub(super) struct Errand {
    pub(super) source: Source,
    /// How often the first of them was tried.
    pub(super) attempts: u32,
    pub(super) entries: Vec<Told>,
    /// How many posts it may take.
    pub(super) posts: usize,
}

/// What came of it.
pub(super) struct Ended {
    source: Source,
    pub(super) attempts: Vec<Attempt>,
    /// The last entry that was taken, or is none of the webhook's.
    pub(super) last: Option<LogPlace>,
    /// The one that was not.
    pub(super) failed: Option<Failed>,
}

/// An entry that was not taken.
pub(super) struct Failed {
    pub(super) at: LogPlace,
    /// Which attempt at it this was.
    pub(super) attempt: u32,
    pub(super) status: Option<u16>,
    pub(super) error: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl Ended {
    pub(super) fn new(source: Source) -> Self {
        Self { source, attempts: Vec::new(), last: None, failed: None }
    }

    fn got_through(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.view.outcome == DeliveryOutcome::Delivered)
    }
}

impl Failed {
    fn words(&self) -> String {
        match (self.status, &self.error) {
            (Some(status), _) => format!("it answered {status}"),
            (None, Some(error)) => error.clone(),
            (None, None) => "no answer".to_owned(),
        }
    }
}

/// A log that was held up, as the round found it.
struct Was {
    log: LogKey,
    /// The entry behind those that were read.
    next: Option<u64>,
    has_more: bool,
}

/// A round.
pub(super) struct Plan {
    /// As it stood when the round began.
    pub(super) webhook: Webhook,
    due: Vec<Was>,
    held: HashSet<LogKey>,
    page: Vec<LogPlace>,
    /// So much is held up that nothing further is begun.
    is_full: bool,
}

impl Plan {
    /// What there is to do; `None`: nothing.
    pub(super) fn of(round: Round) -> Option<(Self, Vec<Errand>)> {
        let Round { webhook, due, held, mut page, has_more: _, again } = round;
        if due.is_empty() && page.is_empty() && again.is_empty() {
            return None;
        }
        let is_full = held.len() >= HELD_MOST;
        if is_full {
            page.clear();
        }
        let was = due.iter().map(|HeldLog { log, entries, has_more, .. }| Was {
            log: *log,
            next: entries.last().map(|told| told.at.seq + 1),
            has_more: *has_more,
        });
        let plan = Self {
            webhook,
            due: was.collect(),
            page: page.iter().map(|told| told.at).collect(),
            is_full,
            held,
        };
        let fails = plan.webhook.health.attempts;
        let posts = if fails > 0 { 1 } else { usize::MAX };
        let errand = |source, attempts, entries| Errand { source, attempts, entries, posts };
        let mut errands: Vec<Errand> =
            again.into_iter().map(|(number, told)| errand(Source::Again(number), 0, vec![told])).collect();
        errands.extend(
            due.into_iter()
                .map(|HeldLog { log, attempts, entries, .. }| errand(Source::Held(log), attempts, entries)),
        );
        errands.extend(
            by_log(page.into_iter().filter(|told| !plan.held.contains(&told.at.log)))
                .into_iter()
                .map(|(log, entries)| errand(Source::Page(log), fails, entries)),
        );
        if fails > 0 {
            errands.truncate(PROBES);
        }
        Some((plan, errands))
    }

    /// What is kept of how it went. `chance` spreads what failed together.
    pub(super) fn settle(&self, mut ended: Vec<Ended>, now: Time, chance: impl Fn() -> f64) -> Settled {
        let got_through = ended.iter().any(Ended::got_through);
        let failed: Vec<&Failed> = ended.iter().filter_map(|ended| ended.failed.as_ref()).collect();
        let of_the_address = failed.iter().find(|failed| !blames_the_event(failed.status));
        if let (false, Some(why)) = (got_through, of_the_address) {
            let asked = failed.iter().filter_map(|failed| failed.retry_after).max();
            let health = self.webhook.health.failed(now, asked, chance());
            let disabled = if failed.iter().any(|failed| is_gone(failed.status)) {
                Some("it answered 410: nobody is there any more".to_owned())
            } else {
                let days = FAILING_MOST / (24 * 60 * 60);
                let words = || format!("nothing has got through for {days} days; at last {}", why.words());
                health.is_given_up(now).then(words)
            };
            return Settled { health, disabled, attempts: attempts(&mut ended), ..Settled::default() };
        }
        let mut settled = Settled { health: self.health(now, &ended, chance()), ..Settled::default() };
        for done in &mut ended {
            match done.source {
                Source::Again(number) => {
                    let is_over = done.failed.is_some() || done.last.is_some();
                    settled.again.extend(is_over.then_some((number, done.failed.is_none())));
                }
                Source::Held(log) => {
                    let lane = self.goes_on(log, done, now, &chance);
                    settled.lanes.extend(lane.map(|lane| (log, lane)));
                }
                Source::Page(log) => {
                    let held = done.failed.as_ref().map(|failed| hold(failed, now, &chance));
                    settled.lanes.extend(held.map(|lane| (log, lane)));
                }
            }
        }
        settled.place = self.place(&ended, &HashSet::new());
        let ahead = self.ahead(&ended, settled.place);
        if !ahead.is_empty() {
            settled.place = self.place(&ended, &ahead.iter().map(|(log, _)| *log).collect());
            let goes_on = |(log, seq)| (log, Lane::Held { seq, attempts: 0, until: now });
            settled.lanes.extend(ahead.into_iter().map(goes_on));
        }
        settled.attempts = attempts(&mut ended);
        if self.webhook.parked + settled.parked() > PARKED_MOST {
            settled.disabled = Some(format!("it has not taken {PARKED_MOST} events"));
        }
        settled
    }

    fn health(&self, now: Time, ended: &[Ended], chance: f64) -> Health {
        if ended.iter().any(|ended| !ended.attempts.is_empty()) {
            return Health::default();
        }
        let health = self.webhook.health;
        if self.is_full { health.failed(now, None, chance) } else { health }
    }

    /// What becomes of a log that was held up; `None`: nothing has changed.
    fn goes_on(&self, log: LogKey, done: &mut Ended, now: Time, chance: &impl Fn() -> f64) -> Option<Lane> {
        if let Some(failed) = &done.failed {
            let Failed { at, attempt, retry_after, .. } = failed;
            return Some(match event_again(now, *attempt, *retry_after, chance()) {
                Some(until) => Lane::Held { seq: at.seq, attempts: *attempt, until },
                None => {
                    if let Some(last) = done.attempts.last_mut() {
                        last.view.outcome = DeliveryOutcome::Parked;
                    }
                    Lane::Held { seq: at.seq + 1, attempts: 0, until: now }
                }
            });
        }
        let was = self.due.iter().find(|was| was.log == log)?;
        let next = done.last.map(|last| last.seq + 1);
        let is_in_the_page = self.page.iter().any(|at| at.log == log);
        if next == was.next && !was.has_more && !is_in_the_page {
            return Some(Lane::Free);
        }
        next.map(|seq| Lane::Held { seq, attempts: 0, until: now })
    }

    /// Logs that were told more than that place will say, and what they are told next: so that nothing is told twice, they go on by themselves
    /// until the place has come after them.
    fn ahead(&self, ended: &[Ended], place: Option<LogPlace>) -> Vec<(LogKey, u64)> {
        let behind = place.map_or(0, |place| self.page.iter().take_while(|at| **at != place).count() + 1);
        let rest = &self.page[behind..];
        let told_of = |ended: &Ended| match (ended.source, &ended.failed, ended.last) {
            (Source::Page(log), None, Some(last))
                if ended.got_through() && rest.iter().any(|at| at.log == log) =>
            {
                Some((log, last.seq + 1))
            }
            _ => None,
        };
        ended.iter().filter_map(told_of).collect()
    }

    /// The end of the longest beginning of the page that is done: told, passed over, or held up from now on, as these logs are.
    fn place(&self, ended: &[Ended], ahead: &HashSet<LogKey>) -> Option<LogPlace> {
        let of_the_page: HashMap<LogKey, &Ended> = ended
            .iter()
            .filter_map(|ended| match ended.source {
                Source::Page(log) => Some((log, ended)),
                Source::Held(_) | Source::Again(_) => None,
            })
            .collect();
        let is_done = |at: &LogPlace| {
            self.held.contains(&at.log)
                || ahead.contains(&at.log)
                || of_the_page.get(&at.log).is_some_and(|ended| {
                    ended.failed.is_some() || ended.last.is_some_and(|last| at.seq <= last.seq)
                })
        };
        self.page.iter().take_while(|at| is_done(at)).last().copied()
    }
}

/// The log is held up at this entry.
fn hold(failed: &Failed, now: Time, chance: &impl Fn() -> f64) -> Lane {
    let until = event_again(now, 1, failed.retry_after, chance()).unwrap_or(now);
    Lane::Held { seq: failed.at.seq, attempts: 1, until }
}

/// All attempts in the order in which they were made.
fn attempts(ended: &mut [Ended]) -> Vec<Attempt> {
    let mut all: Vec<Attempt> =
        ended.iter_mut().flat_map(|ended| std::mem::take(&mut ended.attempts)).collect();
    all.sort_by_key(|attempt| attempt.view.at);
    all
}

/// Entries by their logs, the logs in the order of their first entries.
fn by_log(entries: impl Iterator<Item = Told>) -> Vec<(LogKey, Vec<Told>)> {
    let mut logs: Vec<(LogKey, Vec<Told>)> = Vec::new();
    let mut places: HashMap<LogKey, usize> = HashMap::new();
    for told in entries {
        let place = *places.entry(told.at.log).or_insert_with(|| {
            logs.push((told.at.log, Vec::new()));
            logs.len() - 1
        });
        logs[place].1.push(told);
    }
    logs
}
