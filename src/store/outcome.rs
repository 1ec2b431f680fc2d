//! What came of a write, and why nothing did.

use std::sync::Arc;

use anteroom_protocol::candidacy::{CaseAnswer, CasesAnswer};
use anteroom_protocol::id::UserId;
use anteroom_protocol::message::MessageAnswer;
use serde::{Deserialize, Serialize};

use crate::domain::log::LogEntry;
use crate::domain::refusal::Refusal;

/// What a command did.
#[derive(Debug, Clone)]
pub struct Committed {
    /// What its author is told.
    pub answer: Answer,
    /// Whether it had been done before: then nothing was written.
    pub duplicate: bool,
    /// What was written, log by log in order.
    pub appended: Vec<Appended>,
}

/// What the author of a command is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Answer {
    /// To `message.post`.
    Message(MessageAnswer),
    /// To every command on a case.
    Case(CaseAnswer),
    /// To every command on several.
    Cases(CasesAnswer),
}

/// One entry that was written, and whose it is to read.
#[derive(Debug, Clone)]
pub struct Appended {
    /// The entry.
    pub entry: Arc<LogEntry>,
    /// The log's people.
    pub readers: Arc<[UserId]>,
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The rules refuse it.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// Its client id stands for another command.
    #[error("the client id stands for another command")]
    Reused,
    /// Certainly not done; may be done later.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// Perhaps done, perhaps not: repeating it tells.
    #[error("the outcome is unknown: {0}")]
    Unknown(String),
}

impl From<Refusal> for CommitError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why something could not be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The rules refuse it.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The database failed; the text is for the log, never for a client.
    #[error("database: {0}")]
    Database(String),
}

impl Committed {
    /// The answer as clients get it, on either door.
    pub fn data(&self) -> serde_json::Value {
        let mut data = serde_json::to_value(&self.answer).unwrap_or_default();
        if let Some(fields) = data.as_object_mut() {
            fields.insert("duplicate".into(), self.duplicate.into());
        }
        data
    }
}
