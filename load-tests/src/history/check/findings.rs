//! Broken promises while they are gathered: all counted, the first of each told.

use std::collections::BTreeMap;

use super::Case;
use crate::history::record::{Cid, Nanos, Room};
use crate::history::verdict::{Invariant, TOLD, Violation};

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) broken: BTreeMap<&'static str, u64>,
    pub(super) told: Vec<Violation>,
}

/// Where and when something is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spot {
    pub(super) room: Option<Room>,
    pub(super) seq: Option<u64>,
    pub(super) cid: Option<Cid>,
    /// Whose log shows it, and on which line.
    pub(super) who: Option<u32>,
    pub(super) line: Option<u32>,
    /// Who else's does.
    pub(super) other: Option<u32>,
    pub(super) t: Nanos,
    /// The time in which a fault may have to do with it; 0: `t` alone.
    pub(super) since: Nanos,
    /// The end of that time; 0: `t`.
    pub(super) until: Nanos,
}

impl Case {
    /// Counts a broken promise, and tells it if it is one of the first.
    pub(super) fn report(
        &mut self,
        invariant: Invariant,
        kind: &'static str,
        spot: Spot,
        text: impl FnOnce(&Self) -> String,
    ) {
        let count = self.findings.broken.entry(invariant.id()).or_default();
        *count += 1;
        if *count > TOLD as u64 {
            return;
        }
        let since = if spot.since == 0 { spot.t } else { spot.since };
        let until = spot.until.max(spot.t);
        let violation = Violation {
            inv: invariant.id(),
            kind,
            room: spot.room.map(|room| self.names.room_name(room).to_owned()),
            seq: spot.seq,
            cid: spot.cid.map(|cid| cid.to_string()),
            clients: [spot.who, spot.other].into_iter().flatten().map(|who| self.client_name(who)).collect(),
            line: spot.line,
            t: spot.t,
            faults: self.facts.faults_in(since, until).map(|fault| fault.name.clone()).collect(),
            text: format!("{}{}", self.place(&spot), text(self)),
        };
        self.findings.told.push(violation);
    }

    pub(super) fn client_name(&self, who: u32) -> String {
        let client = self.facts.clients.get(who as usize);
        client.map_or_else(|| "?".to_owned(), |client| self.names.text(client.name).to_owned())
    }

    fn place(&self, spot: &Spot) -> String {
        let room = spot.room.map(|room| format!("{}, ", self.names.room_name(room))).unwrap_or_default();
        let who = spot.who.map(|who| format!("{}: ", self.client_name(who))).unwrap_or_default();
        format!("{room}{who}")
    }
}
