//! What is moved from one database to another, between the half that reads and the half that writes: tables, and some rows of one at a
//! time, column by column. And what is known of a whole database once every chain in it has been computed anew.

use anteroom_protocol::log::Hash;
use anteroom_protocol::time::Time;
use uuid::Uuid;

use crate::store::StoreError;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A number: a count, a time, a row of another table.
    Number,
    /// Bytes: hashes, salts, keys.
    Bytes,
    /// An id that a server or a client made.
    Id,
    /// Yes or no.
    Flag,
}

/// A table, and those of its columns that are moved.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, the same in every database.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Kind)],
}

/// Values of one column, one for each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Text.
    Text(Vec<Option<String>>),
    /// Numbers.
    Number(Vec<Option<i64>>),
    /// Bytes.
    Bytes(Vec<Option<Vec<u8>>>),
    /// Ids.
    Id(Vec<Option<Uuid>>),
    /// Yes or no.
    Flag(Vec<Option<bool>>),
}

impl Column {
    /// One without rows.
    pub fn empty(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text(Vec::new()),
            Kind::Number => Self::Number(Vec::new()),
            Kind::Bytes => Self::Bytes(Vec::new()),
            Kind::Id => Self::Id(Vec::new()),
            Kind::Flag => Self::Flag(Vec::new()),
        }
    }
}

/// Some rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// As the table has its columns.
    pub columns: Vec<Column>,
    /// How many rows.
    pub count: u64,
    /// How many bytes they hold, about.
    pub bytes: u64,
}

impl Rows {
    /// None, of this table.
    pub fn none(table: &Table) -> Self {
        let columns = table.columns.iter().map(|(_, kind)| Column::empty(*kind)).collect();
        Self { columns, count: 0, bytes: 0 }
    }
}

/// What stands in the logs of a database whose every chain was computed anew and holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chains {
    /// Logs.
    pub logs: u64,
    /// Entries of all logs.
    pub entries: u64,
    /// When the newest entry was written.
    pub newest: Option<Time>,
    /// Stands for the name, the number and the hash of every log's head.
    pub heads: Hash,
}

/// Why a database is not moved, kept or restored.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// There is something in the database already.
    #[error("its table `{0}` has rows")]
    NotEmpty(&'static str),
    /// A chain does not hold.
    #[error("the chain of log {log} breaks at entry {seq}")]
    Broken {
        /// The log, as it is called in its hashes.
        log: String,
        /// The first entry that is not what was written, or is not there.
        seq: u64,
    },
    /// There are entries of no log.
    #[error("{0} entries belong to no log")]
    Homeless(u64),
    /// What was written is not what was read.
    #[error("its table `{table}` has {found} rows, and {expected} were written")]
    Differs {
        /// The table.
        table: &'static str,
        /// Rows in it.
        found: u64,
        /// Rows that belong there.
        expected: u64,
    },
    /// The heads of the logs are not those of the database it is a copy of.
    #[error("the heads of its logs are not those of the logs they were copied from")]
    Heads,
    /// Nobody knows whether it was kept.
    #[error("the last answer did not come: {0}")]
    Unanswered(StoreError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

macro_rules! tables {
    ($($name:literal: $($column:ident $kind:ident),+;)+) => {
        /// All that is moved, in an order in which whatever refers to something comes behind it. The index of words is not: it is made again from
        /// the log.
        pub const TABLES: &[Table] = &[$(Table {
            name: $name,
            columns: &[$((stringify!($column), Kind::$kind)),+],
        }),+];
    };
}
tables! {
    "users": id Text, name Text, avatar_url Text, profile_url Text, status Text, status_reason Text, status_reversible Flag,
        status_next_step Text, tokens_valid_after Number;
    "fee_schedules": id Text, schedule Text;
    "jobs": id Text, client Text, title Text, description Text, category Text, url Text, status Text, created_at Number,
        fee_schedule Text, ending_at Number;
    "candidacies": id Id, job Text, client Text, freelancer Text, phase Text, room Id, updated_at Number, standing Number,
        pending Number, fee_schedule Text, due_at Number, turn Text, turn_until Number, ended_by Text, ended_from Text, mark Text;
    "invitations": id Id, candidacy Id, client Text, freelancer Text, status Text, message Text, sent_at Number, expires_at Number,
        answered_at Number, reason Text, reason_text Text, decline_message Text;
    "proposals": id Id, candidacy Id, client Text, freelancer Text, cover_letter Text, submitted_at Number;
    "terms": candidacy Id, version Number, side Text, terms Text, hash Bytes, proposed_at Number, expires_at Number,
        acknowledged_at Number, fee Text;
    "offers": id Id, candidacy Id, status Text, version Number, made_at Number, changed_at Number, expires_at Number, requests Text,
        asked Flag;
    "contracts": id Text, candidacy Id, offer Id, version Number, formed_at Number, ended_at Number, sealed Text;
    "billings": client Text, freelancer Text, currency Text, amount Number;
    "logs": id Number, room Id, owner Text, candidacy Id, phase Text, seq Number, hash Bytes, counts Text;
    "members": log Number, user Text, side Text;
    "entries": log Number, seq Number, kind Text, at Number, by Text, client_id Id, hash Bytes, public_salt Bytes, public Text,
        public_digest Bytes, private_salt Bytes, private Text, private_digest Bytes, policy Number, amended_by Number;
    "commands": actor Text, client_id Id, mac Bytes, log Number, seq Number, answer Text;
    "markers": log Number, user Text, delivered Number, read Number, marker Number, counts Text;
    "reports": id Id, by Text, about Text, candidacy Id, invitation Id, room Id, seq Number, reason Text, text Text, at Number;
    "ledger": candidacy Id, round Number, user Text, side Text, started_at Number, until Number, stopped_at Number, how Text,
        retracted_at Number;
    "responsiveness": user Text, side Text, bucket Text, share Number, due_at Number;
    "webhooks": id Text, url Text, audience Text, types Text, description Text, notify Text, state Text, made_at Number, log Number,
        seq Number, secret Number, former_until Number, attempts Number, next_at Number, failing_since Number, because Text,
        counted Number;
    "webhook_lanes": webhook Text, log Number, seq Number, attempts Number, next_at Number;
    "webhook_deliveries": webhook Text, number Number, log Number, seq Number, event Text, kind Text, subject Text, at Number,
        took_ms Number, attempt Number, outcome Text, status Number, error Text, response Text, again_at Number;
    "held_channels": channel Text;
    "push_subscriptions": id Id, user Text, endpoint Text, p256dh Bytes, auth Bytes, made_at Number;
    "push_mutes": user Text, what Text;
    "push_marks": log Number, user Text, seq Number;
    "pushes": subscription Id, log Number, seq Number, made_at Number, due_at Number, attempts Number;
    "keys": name Text, value Bytes;
    "public_keys": key Bytes, first_used Number;
}

impl Table {
    /// The names of its columns, as both databases take them in a statement.
    pub fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| format!(r#""{name}""#)).collect();
        names.join(", ")
    }
}
