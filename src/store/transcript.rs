//! What a transcript is made of: the part of the port that only reads, so that it can also be had beside a server that writes.

use anteroom_protocol::id::{CandidacyId, RoomId};
use anteroom_protocol::job::JobSummary;
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::user::UserSummary;
use async_trait::async_trait;

use crate::domain::log::{Head, Log, LogEntry};
use crate::store::{PageSize, Range, StoreError};

/// What a room is about, and where its log ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The candidacy it belongs to.
    pub candidacy: CandidacyId,
    /// The job.
    pub job: JobSummary,
    /// Who gives the work.
    pub client: UserSummary,
    /// Who does it.
    pub freelancer: UserSummary,
    /// The last entry.
    pub head: Head,
}

/// Logs, whoever reads them. Who may is asked before.
#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// What this room is about; `None`: there is no such room.
    async fn subject(&self, room: RoomId) -> Result<Option<Subject>, StoreError>;

    /// Entries of a log, rising, at most `size` of them.
    async fn entries(&self, log: &Log, range: Range, size: PageSize) -> Result<Vec<LogEntry>, StoreError>;

    /// The key of this name, if a server has kept one.
    async fn kept_key(&self, name: &str) -> Result<Option<[u8; 32]>, StoreError>;

    /// All public keys that servers have kept, the first one first.
    async fn kept_public_keys(&self) -> Result<Vec<PublicKey>, StoreError>;
}
