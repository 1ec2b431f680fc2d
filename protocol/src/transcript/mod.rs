//! Transcripts: the whole log of a room in a file that proves itself. How one is written and how it is verified.
//!
//! A transcript is JSON Lines: a header, every entry with its proof, and a footer that is signed. The prose is in `README.md`, under
//! "Transcripts". What never lives here: where the entries come from, who may have them, and the page for people.

mod entries;
mod fault;
mod report;
mod trusted;
mod verify;
mod write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::fault::{Cause, Fault};
pub use self::report::{Report, Sealed};
pub use self::trusted::Trusted;
pub use self::verify::{Verifier, verify};
pub use self::write::{WriteError, Writer};
use crate::id::{CandidacyId, RoomId};
use crate::job::JobSummary;
use crate::log::Hash;
use crate::signature::{PublicKey, Signature};
use crate::time::Time;
use crate::user::{Side, UserSummary};

/// The version of this form. What an older reader could not verify gets another number.
pub const VERSION: u64 = 1;

/// Bytes of one line at most, its line end among them.
pub const LINE_BYTES: usize = 1024 * 1024;

/// The `type` of the first line.
const HEADER: &str = "transcript";
/// The `type` of the lines between the first and the last.
const ENTRY: &str = "entry";
/// The `type` of the last line.
const FOOTER: &str = "footer";

/// Whose eyes a transcript is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// The client's side: no private part is in it, only its digest.
    Client,
    /// The freelancer's side: with the private parts.
    Freelancer,
    /// The marketplace: with the private parts.
    Staff,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Self; 3] = [Self::Client, Self::Freelancer, Self::Staff];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Freelancer => "freelancer",
            Self::Staff => "staff",
        }
    }

    /// Whether private parts may be in it.
    pub fn reads_private(self) -> bool {
        match self {
            Self::Client => false,
            Self::Freelancer | Self::Staff => true,
        }
    }
}

impl From<Side> for Audience {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Freelancer => Self::Freelancer,
        }
    }
}

/// In which form a transcript is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "TranscriptFormat")]
pub enum Format {
    /// JSON Lines: what this module is about.
    #[default]
    Jsonl,
    /// A page for people, which can be printed. It proves nothing.
    Html,
}

impl Format {
    /// Every form, the usual one first.
    pub const ALL: [Self; 2] = [Self::Jsonl, Self::Html];

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Html => "html",
        }
    }

    /// The media type of the answer.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/jsonl",
            Self::Html => "text/html",
        }
    }
}

/// The first line: what the log is about, for a reader who has nothing but the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TranscriptHeader")]
pub struct Header {
    /// Whose eyes it is for.
    pub audience: Audience,
    /// The room.
    pub room: RoomId,
    /// The candidacy it belongs to.
    pub candidacy: CandidacyId,
    /// The job.
    pub job: JobSummary,
    /// Who gives the work.
    pub client: UserSummary,
    /// Who does it.
    pub freelancer: UserSummary,
    /// The public key of every signature below. That they stand here makes none of them a trusted one.
    pub keys: Vec<PublicKey>,
    /// When it was made.
    pub exported_at: Time,
}

/// The last line: what stands above it, signed. `signature` is over `anteroom.transcript.v1`, a line end, and the line without its
/// `signature` in canonical JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TranscriptFooter")]
pub struct Footer {
    /// How many entries there are.
    pub entries: u64,
    /// The SHA-256 of all bytes before this line.
    pub digest: Hash,
    /// The room.
    pub room: RoomId,
    /// The number of the last entry.
    pub head: u64,
    /// The hash of the last entry.
    pub hash: Hash,
    /// The fingerprint of the key that signs this.
    pub key: Hash,
    /// That key.
    pub public_key: PublicKey,
    /// The signature.
    pub signature: Signature,
}
