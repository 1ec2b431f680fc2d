//! Logs: one numbered, hash-chained sequence of entries. Here an event becomes an entry.

use std::fmt;

use anteroom_protocol::entry::{EntryData, Notice, NoticeKind};
use anteroom_protocol::fee::FeeView;
use anteroom_protocol::id::{ClientId, RoomId, RoomRef, UserId};
use anteroom_protocol::ledger::ResponsivenessChanged;
use anteroom_protocol::log::{ChainFields, Hash, Salt, canonical, part_digest};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Account;
use anteroom_protocol::webhook::WebhookDisabled;

use crate::domain::contract::SealDraft;

/// Which log: the room of a candidacy, or a person's inbox.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Log {
    /// The message room of a candidacy.
    Room(RoomId),
    /// A person's own log of invitations and candidacies.
    Inbox(UserId),
}

impl Log {
    /// The log that this reader means by this name.
    pub fn named(room: RoomRef, reader: &UserId) -> Self {
        match room {
            RoomRef::Room(id) => Self::Room(id),
            RoomRef::Inbox => Self::Inbox(reader.clone()),
        }
    }

    /// The log's name on the wire.
    pub fn reference(&self) -> RoomRef {
        match self {
            Self::Room(id) => RoomRef::Room(*id),
            Self::Inbox(_) => RoomRef::Inbox,
        }
    }
}

/// The log's name inside its hashes.
impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(id) => id.fmt(f),
            Self::Inbox(owner) => write!(f, "inbox:{owner}"),
        }
    }
}

/// The last entry of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number; 0: the log is empty.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first entry.
    pub const EMPTY: Self = Self { seq: 0, hash: Hash::GENESIS };
}

/// What happened, not yet numbered.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Who did it; `None`: the server.
    pub by: Option<UserId>,
    /// The command it stands for. At most one event carries it.
    pub client_id: Option<ClientId>,
    /// What happened.
    pub what: What,
    /// What it means for the freelancer, whose side alone reads this.
    pub private: Option<FeeView>,
}

impl Event {
    /// Something that everybody in a room reads.
    pub fn room(by: Option<UserId>, client_id: Option<ClientId>, data: EntryData) -> Self {
        Self { by, client_id, what: What::Room(data), private: None }
    }
}

/// The two kinds of logs tell different things.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// In a room.
    Room(EntryData),
    /// In a room: the seal of everything before it.
    Seal(Box<SealDraft>),
    /// In an inbox.
    Notice(NoticeKind, Box<Notice>),
    /// In an inbox: what the marketplace says of its owner has changed.
    Account(Account),
    /// In an inbox: what others see of its owner's response speed has changed.
    Responsiveness(ResponsivenessChanged),
    /// In an inbox: a webhook was disabled of which its owner is to hear.
    Webhook(WebhookDisabled),
}

/// The kinds of a room's entries that count as unread for everybody but their author. In an inbox every kind does but one.
pub const COUNTED: [&str; 5] =
    ["message.posted", "terms.proposed", "offer.made", "offer.changed", "offer.change_requested"];

/// The kind of an inbox's entries that never counts as unread: it tells a figure, and asks for nothing.
const RESPONSIVENESS_CHANGED: &str = "responsiveness.changed";

/// One part of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it was written.
    Whole {
        /// Random.
        salt: Salt,
        /// Canonical JSON.
        json: Box<str>,
    },
    /// Deleted; its digest keeps the chain whole.
    Deleted(Hash),
}

impl Part {
    /// The digest that the chain covers.
    pub fn digest(&self) -> Hash {
        match self {
            Self::Whole { salt, json } => part_digest(salt, json.as_bytes()),
            Self::Deleted(digest) => *digest,
        }
    }

    /// Its JSON; `null` when it was deleted.
    pub fn json(&self) -> &str {
        match self {
            Self::Whole { json, .. } => json,
            Self::Deleted(_) => "null",
        }
    }

    /// The salt of its digest, unless it was deleted.
    pub fn salt(&self) -> Option<&Salt> {
        match self {
            Self::Whole { salt, .. } => Some(salt),
            Self::Deleted(_) => None,
        }
    }
}

/// One entry as it stands in its log, with everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Which log.
    pub log: Log,
    /// Its number.
    pub seq: u64,
    /// What happened, in a word.
    pub kind: Box<str>,
    /// When it was committed.
    pub at: Time,
    /// Who did it.
    pub by: Option<UserId>,
    /// The command it stands for.
    pub client_id: Option<ClientId>,
    /// Its hash.
    pub hash: Hash,
    /// What every reader sees.
    pub public: Part,
    /// What only the freelancer's side and staff see.
    pub private: Option<Part>,
    /// The version of the policy it was decided under.
    pub policy: u32,
    /// The number of the last entry that edited or redacted it.
    pub amended_by: Option<u64>,
}

impl LogEntry {
    /// Whether it counts as unread for everybody but its author.
    pub fn counts(&self) -> bool {
        match self.log {
            Log::Room(_) => COUNTED.contains(&&*self.kind),
            Log::Inbox(_) => &*self.kind != RESPONSIVENESS_CHANGED,
        }
    }

    /// Whether this is what was written behind that entry: its number follows, and its hash is what its content gives.
    pub fn follows(&self, after: Head) -> bool {
        let fields = ChainFields {
            at: self.at,
            by: self.by.as_ref(),
            client_id: self.client_id,
            kind: &self.kind,
            private: self.private.as_ref().map(Part::digest),
            public: Some(self.public.digest()),
            room: &self.log.to_string(),
            seq: self.seq,
        };
        self.seq == after.seq + 1 && fields.hash(&after.hash) == self.hash
    }

    /// This entry as the head of its log.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, hash: self.hash }
    }
}

/// What the decision about an entry does not know: its time, random salts for its two parts, and the policy's version.
#[derive(Debug, Clone, Copy)]
pub struct Sealing {
    /// When.
    pub at: Time,
    /// The salt of the public part.
    pub public_salt: Salt,
    /// The salt of the private part, if there is one.
    pub private_salt: Salt,
    /// The policy's version.
    pub policy: u32,
}

/// Numbers an event, gives it its time and its place in the chain.
pub fn seal(log: &Log, after: Head, event: Event, sealing: Sealing) -> LogEntry {
    let Sealing { at, public_salt, private_salt, policy } = sealing;
    let (kind, json) = event.what.parts(after, at);
    let public = Part::Whole { salt: public_salt, json };
    let private = event.private.map(|view| Part::Whole { salt: private_salt, json: text(canonical(&view)) });
    let seq = after.seq + 1;
    let fields = ChainFields {
        at,
        by: event.by.as_ref(),
        client_id: event.client_id,
        kind: &kind,
        private: private.as_ref().map(Part::digest),
        public: Some(public.digest()),
        room: &log.to_string(),
        seq,
    };
    let hash = fields.hash(&after.hash);
    LogEntry {
        log: log.clone(),
        seq,
        kind,
        at,
        by: event.by,
        client_id: event.client_id,
        hash,
        public,
        private,
        policy,
        amended_by: None,
    }
}

impl What {
    /// The kind and the canonical public part, behind this head at this time.
    fn parts(&self, after: Head, at: Time) -> (Box<str>, Box<str>) {
        let (kind, json) = match self {
            Self::Room(data) => data.canonical(),
            Self::Seal(draft) => EntryData::ContractSealed(draft.at(after, at)).canonical(),
            Self::Notice(kind, notice) => (kind.as_str(), canonical(notice)),
            Self::Account(account) => ("account.changed", canonical(account)),
            Self::Responsiveness(changed) => (RESPONSIVENESS_CHANGED, canonical(changed)),
            Self::Webhook(disabled) => ("webhook.disabled", canonical(disabled)),
        };
        (kind.into(), text(json))
    }
}

fn text(canonical_json: Vec<u8>) -> Box<str> {
    String::from_utf8(canonical_json).expect("canonical JSON is UTF-8").into_boxed_str()
}
