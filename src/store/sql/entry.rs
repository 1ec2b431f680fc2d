//! An entry of a log as it stands in its table.

use anteroom_protocol::id::ClientId;
use sqlx::FromRow;
use uuid::Uuid;

use super::code;
use crate::domain::log::{Log, LogEntry, Part};

/// An entry as it stands in its table.
#[derive(FromRow)]
pub(in crate::store) struct EntryRow {
    seq: i64,
    kind: String,
    at: i64,
    by: Option<String>,
    client_id: Option<Uuid>,
    hash: Vec<u8>,
    public_salt: Option<Vec<u8>>,
    public: Option<String>,
    public_digest: Option<Vec<u8>>,
    private_salt: Option<Vec<u8>>,
    private: Option<String>,
    private_digest: Option<Vec<u8>>,
    policy: i64,
    amended_by: Option<i64>,
}

impl EntryRow {
    pub(in crate::store) fn decode(self, log: &Log) -> sqlx::Result<LogEntry> {
        let private = part(self.private_salt, self.private, self.private_digest)?;
        let public = part(self.public_salt, self.public, self.public_digest)?;
        Ok(LogEntry {
            log: log.clone(),
            seq: code::count(self.seq)?,
            kind: self.kind.into(),
            at: code::time(self.at),
            by: self.by.as_deref().map(code::user).transpose()?,
            client_id: self.client_id.map(ClientId),
            hash: code::hash(&self.hash)?,
            public: public.ok_or_else(|| code::damaged("an entry without a public part"))?,
            private,
            policy: code::small(self.policy)?,
            amended_by: self.amended_by.map(code::count).transpose()?,
        })
    }

    /// Its hash.
    pub(in crate::store) fn hash(&self) -> &[u8] {
        &self.hash
    }

    /// About how many bytes it holds.
    pub(in crate::store) fn size(&self) -> usize {
        self.public.as_ref().map_or(0, String::len) + self.private.as_ref().map_or(0, String::len)
    }
}

fn part(salt: Option<Vec<u8>>, json: Option<String>, digest: Option<Vec<u8>>) -> sqlx::Result<Option<Part>> {
    Ok(match (salt, json, digest) {
        (Some(salt), Some(json), _) => Some(Part::Whole { salt: code::salt(&salt)?, json: json.into() }),
        (_, _, Some(digest)) => Some(Part::Deleted(code::hash(&digest)?)),
        (_, _, None) => None,
    })
}
