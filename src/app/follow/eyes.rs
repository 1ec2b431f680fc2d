//! What is missing is read, and offered to the sockets here.

use std::sync::Arc;

use anteroom_protocol::id::UserId;
use anteroom_protocol::member::MemberNamed;
use tokio::sync::Semaphore;

use super::Layer;
use crate::app::telling::Telling;
use crate::domain::log::{Log, LogEntry};
use crate::hub::Hub;
use crate::store::{Appended, Grown, PageSize, Position, Range, Store, StoreError};
use crate::telemetry::Metrics;

/// Entries that are read for a log that has grown unheard. Of more, the last one is told: whoever reads the log reads the rest, page by page.
pub(super) const AT_ONCE: u64 = 64;
/// Bytes of them.
const BYTES: usize = 256 * 1024;
/// Logs that are read at a time.
const READS: usize = 4;

/// What looks and tells.
pub(super) struct Eyes {
    pub(super) store: Arc<dyn Store>,
    pub(super) telling: Arc<Telling>,
    pub(super) metrics: Arc<Metrics>,
    reads: Semaphore,
}

impl Eyes {
    pub(super) fn new(store: Arc<dyn Store>, telling: Arc<Telling>, metrics: Arc<Metrics>) -> Self {
        Self { store, telling, metrics, reads: Semaphore::new(READS) }
    }

    /// The sockets here.
    pub(super) fn hub(&self) -> &Hub {
        self.telling.hub()
    }

    /// Offers entries to the sockets here.
    pub(super) fn deliver(&self, entries: &[Appended]) {
        self.store.heard(entries);
        self.hub().deliver(entries);
        for owner in entries.iter().filter_map(|one| told_of_account(&one.entry)) {
            self.hub().person_changed(owner);
        }
    }

    /// Finds what was written since and not offered here, and offers it.
    pub(super) async fn look_back(
        &self,
        since: Option<Position>,
        layer: Layer,
    ) -> Result<Position, StoreError> {
        if layer == Layer::Doubt {
            // Its readers may all be elsewhere.
            self.telling.doubt();
        }
        let back = self.store.look_back(since, &self.hub().everybody()).await?;
        if !self.is_the_same().await? {
            tracing::warn!("the database is another one than before: all sockets come back and compare");
            self.hub().begin_anew();
        }
        for grown in &back.logs {
            if self.hub().missing(&grown.log, grown.from) <= grown.to {
                self.catch_up(grown, Some(layer)).await?;
                self.hub().offered_from(&grown.log, grown.from);
            }
        }
        for user in &back.people {
            self.hub().person_changed(user);
        }
        Ok(back.position)
    }

    /// Whether the database still has what was offered here last. Whatever it lost, that is lost, too: a restored database has all that was
    /// committed until some moment, and a standby that took over as well.
    async fn is_the_same(&self) -> Result<bool, StoreError> {
        let Some((log, seq, hash)) = self.hub().newest() else { return Ok(true) };
        let one = PageSize { entries: 1, bytes: BYTES };
        let there = self.store.entries(&log, Range::After(seq.saturating_sub(1)), one).await?;
        Ok(there.first().is_some_and(|entry| entry.seq == seq && entry.hash == hash))
    }

    /// Reads a log that has grown, and offers what was not offered yet. Of very much that is missing, the last one, and whatever removes
    /// somebody: they are not told of anything behind it.
    pub(super) async fn catch_up(&self, grown: &Grown, layer: Option<Layer>) -> Result<(), StoreError> {
        let _turn = self.reads.acquire().await;
        let from = self.hub().missing(&grown.log, grown.from);
        if from > grown.to {
            return Ok(());
        }
        let told_from = if grown.to - from >= AT_ONCE { grown.to } else { from };
        let people: Arc<[UserId]> = self.store.readers(&grown.log).await?.into();
        let mut after = from.saturating_sub(1);
        while after < grown.to {
            let size = PageSize { entries: AT_ONCE as u32, bytes: BYTES };
            let page = self.store.entries(&grown.log, Range::After(after), size).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            let is_told = |entry: &LogEntry| entry.seq >= told_from || removed(entry).is_some();
            let told = page.into_iter().filter(is_told);
            let appended: Vec<Appended> = told.map(|entry| appended(entry, &people)).collect();
            if let Some(layer) = layer {
                self.metrics.repaired(layer.as_str(), appended.len());
            }
            self.deliver(&appended);
        }
        Ok(())
    }
}

/// An entry that was read, for the log's people as they are now, and whoever it removes from them.
fn appended(entry: LogEntry, people: &Arc<[UserId]>) -> Appended {
    let removed = removed(&entry);
    let readers = match removed {
        Some(user) if !people.contains(&user) => people.iter().cloned().chain([user]).collect(),
        Some(_) | None => people.clone(),
    };
    Appended { entry: Arc::new(entry), readers }
}

/// Whom this entry removes from the log's people.
fn removed(entry: &LogEntry) -> Option<UserId> {
    let is_removal = &*entry.kind == "member.removed";
    let named: Option<MemberNamed> =
        is_removal.then(|| serde_json::from_str(entry.public.json()).ok()).flatten();
    named.map(|named| named.user)
}

/// Whose account this entry is about.
fn told_of_account(entry: &LogEntry) -> Option<&UserId> {
    match &entry.log {
        Log::Inbox(owner) if &*entry.kind == "account.changed" => Some(owner),
        Log::Inbox(_) | Log::Room(_) => None,
    }
}
