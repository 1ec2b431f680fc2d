//! What a log holds: one record for each thing a client did or was told. Plain data; names are numbers into [`Names`].

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use anteroom_protocol::id::ClientId;
use anteroom_protocol::log::Hash;
use anteroom_protocol::room::JoinMode;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Nanoseconds since the run began, by one monotonic clock.
pub type Nanos = u64;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $table:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl Names {
            #[doc = concat!("The number of this [`", stringify!($name), "`], a new one if it has none.")]
            pub fn $table(&mut self, text: &str) -> $name {
                $name(self.$table.number(text))
            }
        }
    };
}

/// Every name of a run, once.
#[derive(Debug, Clone, Default)]
pub struct Names {
    room: Table,
    user: Table,
    word: Table,
}

name! {
    /// A log of the server: a room, or a person's inbox as `inbox:` and the person.
    Room, room
}
name! {
    /// A person.
    User, user
}
name! {
    /// A kind, an error code, the name of a client.
    Word, word
}

impl Names {
    /// The name of a room.
    pub fn room_name(&self, room: Room) -> &str {
        self.room.text(room.0)
    }

    /// The name of a person.
    pub fn user_name(&self, user: User) -> &str {
        self.user.text(user.0)
    }

    /// The text of a word.
    pub fn text(&self, word: Word) -> &str {
        self.word.text(word.0)
    }
}

#[derive(Debug, Clone, Default)]
struct Table {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Table {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("?", |text| text)
    }
}

/// The first 16 bytes of a SHA-256: of a body, or of an entry with everything before it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// Not known: it is compared with nothing.
    pub const NONE: Self = Self([0; 16]);

    /// The digest of a message's body.
    pub fn of_body(body: &str) -> Self {
        Self::cut(&Sha256::digest(body.as_bytes()).into())
    }

    fn cut(whole: &[u8; 32]) -> Self {
        let mut first = [0; 16];
        first.copy_from_slice(&whole[..16]);
        Self(first)
    }

    /// Both halves in one, which is what the checker keeps.
    pub(super) fn short(self) -> u64 {
        let whole = u128::from_be_bytes(self.0);
        let low = whole & u128::from(u64::MAX);
        u64::try_from(low ^ (whole >> 64)).unwrap_or_default()
    }
}

impl From<Hash> for Digest {
    fn from(hash: Hash) -> Self {
        Self::cut(&hash.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What the author of a command made once for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cid(pub [u8; 16]);

impl From<ClientId> for Cid {
    fn from(client_id: ClientId) -> Self {
        Self(client_id.0.into_bytes())
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Uuid::from_bytes(self.0).hyphenated(), f)
    }
}

impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Who writes a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A client as people have it.
    Client,
    /// Reads rooms afresh when everything is over.
    Reader,
    /// The rows of the database, read as one more reader.
    Db,
}

/// How an entry came to its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// As a frame, when it was committed.
    Live,
    /// As a frame, after a join that named a position.
    Resume,
    /// On a page that fills what a `gap` named.
    Gapfill,
    /// On any other page.
    Fetch,
    /// In the last reading of the whole log: by a [`Role::Reader`] or [`Role::Db`].
    Fresh,
}

/// The plan of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which scenario.
    pub scenario: Option<String>,
    /// What its random numbers began with.
    pub seed: Option<u64>,
    /// Commands it was to send; absent: all that it did send.
    pub plan: Option<u64>,
    /// Whether faults were to be planted.
    pub faults: bool,
    /// Milliseconds within which an acknowledged entry reaches every connected reader while nothing is wrong; absent: 1,000.
    pub bound_ms: Option<u64>,
    /// Versions of what ran.
    pub versions: BTreeMap<String, String>,
}

/// Something that was broken on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Its name; [`Fault::RESTORE`] is the restoring of an older copy of the database.
    pub name: String,
    /// Since when.
    pub start: Nanos,
    /// Until when.
    pub stop: Nanos,
    /// Milliseconds within which an entry is to arrive meanwhile; absent: as long as it lasted, and 5 s.
    pub bound_ms: Option<u64>,
}

impl Fault {
    /// The fault after which acknowledged entries may be gone.
    pub const RESTORE: &'static str = "restore";
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When.
    pub t: Nanos,
    /// Its place in its log: 0, 1, 2 …
    pub i: u32,
    /// On which of the client's connections (1, 2, …); 0: the latest.
    pub n: u32,
    /// What.
    pub what: What,
}

/// An entry as a reader got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recv {
    /// Of which log.
    pub room: Room,
    /// Its number.
    pub seq: u64,
    /// Its hash, which covers everything before it too.
    pub hash: Digest,
    /// The command it stands for.
    pub cid: Option<Cid>,
    /// Who did it.
    pub by: Option<User>,
    /// What kind of entry.
    pub kind: Word,
    /// The digest of its body, if it has one.
    pub digest: Digest,
    /// The version of the terms it speaks of; 0: of none.
    pub version: u32,
    /// How it came.
    pub via: Via,
}

/// The answer to a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// Which log.
    pub room: Room,
    /// The position the client named.
    pub after: Option<u64>,
    /// What the server said follows.
    pub mode: JoinMode,
    /// The head it said.
    pub head: u64,
    /// When the client asked.
    pub began: Nanos,
}

/// Somebody became a member of a room or ceased to be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Which room.
    pub room: Room,
    /// Who.
    pub user: User,
    /// In, or out.
    pub on: bool,
    /// The entry that did it; 0: before the log's first.
    pub seq: u64,
    /// When it was asked for: before that it cannot have been.
    pub began: Nanos,
}

/// What can stand in a log.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are explained where their types are")]
pub enum What {
    /// The plan. Belongs to no client.
    Run(Box<Run>),
    /// A fault. Belongs to no client.
    Fault(Box<Fault>),
    /// Repairs the server counted, by the layer that made them. Belongs to no client.
    Repairs { layer: Word, count: u64 },
    /// A membership, told by whoever arranged it.
    Member(Member),
    /// What stood in a room when the run began: nobody of this run did it.
    Before { room: Room, head: u64 },
    /// A log begins.
    Start { client: Word, user: Option<User>, role: Role },
    /// A connection begins: signed in.
    Conn,
    /// It ended, with this close code.
    Disc { code: u16 },
    /// A log was joined.
    Join(Join),
    /// A log was left.
    Leave { room: Room },
    /// A command was sent, for the first time or again. A message is held to its room; what other commands write may stand elsewhere.
    Invoke { room: Room, cid: Cid, kind: Word, digest: Digest },
    /// It was acknowledged. `seq` 0: the answer names no number, as that of a case does not.
    Ok { room: Room, cid: Cid, seq: u64, hash: Digest, dup: bool },
    /// It was refused; `retry`: it may be sent again.
    Nack { cid: Cid, code: Word, retry: bool },
    /// An entry came and was taken, or dropped because it was known. One that is held back is written down when it is let go.
    Recv(Recv),
    /// The server named what it does not send.
    Gap { room: Room, from: u64, to: u64 },
    /// The server said that the client's position is not of this log.
    Reset { room: Room },
    /// What a person would see: how many entries up to which, and that one's hash.
    View { room: Room, count: u64, last: u64, hash: Digest },
    /// The client waited until it had everything up to this head.
    Final { room: Room, head: u64 },
    /// The log is whole.
    End,
}

impl Record {
    /// The `n` of a request over HTTP, which belongs to no connection and has no order among its like.
    pub const HTTP: u32 = u32::MAX;
}
