//! Transcripts: a room's whole log as a file, page by page, so that no log is ever in memory at once.

mod places;

use std::mem;
use std::sync::Arc;

use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::signature::{PublicKey, SigningKey};
use anteroom_protocol::time::Time;
use anteroom_protocol::transcript::{Audience, Format, Header, WriteError, Writer};

use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::log::{Head, Log};
use crate::domain::refusal::Refusal;
use crate::store::{Archive, PageSize, Range, StoreError, Subject};
use crate::wire::to_wire::{self, entry_frame};
pub use crate::wire::transcript::POLICY;
use crate::wire::transcript::Page;

pub use self::places::{Place, Places};

/// How much of a log is read at a time, and waits in memory until it is taken.
const PAGE: PageSize = PageSize { entries: 200, bytes: 256 * 1024 };

/// Why a transcript cannot be written to its end. What was written before has no footer, and verifies nowhere.
#[derive(Debug, thiserror::Error)]
pub enum TranscriptError {
    /// The log could not be read.
    #[error("the log cannot be read: {0}")]
    Store(#[from] StoreError),
    /// The log would not verify.
    #[error("{0}")]
    Write(#[from] WriteError),
    /// Entries are missing, or the last one is not the one that the log names as its last.
    #[error("the log ends with entry {}, and is to end with entry {}", found.seq, said.seq)]
    End {
        /// The last entry there is.
        found: Head,
        /// The last entry as the log has it.
        said: Head,
    },
}

/// Who signs, and when.
pub struct Signer {
    /// What it is signed with.
    pub key: SigningKey,
    /// Every public key that ever signed here.
    pub public_keys: Vec<PublicKey>,
    /// The time of the transcript.
    pub now: Time,
}

/// A transcript that is being written.
pub struct Transcript {
    archive: Arc<dyn Archive>,
    room: RoomId,
    audience: Audience,
    key: SigningKey,
    /// The last entry that was written.
    at: Head,
    /// The last entry that will be: what is committed later is not in it.
    head: Head,
    /// Also writes behind the page for people, unread: so that it shows nothing that would not verify. `None`: it is at its end.
    writer: Option<Writer<Vec<u8>>>,
    page: Option<Page>,
}

/// A place among those who take transcripts: to be held for as long as it is taken.
pub fn place(app: &App, actor: &Actor) -> Result<Place, AppError> {
    let place = app.transcripts.take(&actor.user);
    place.ok_or_else(|| AppError::Busy("as many transcripts as can be are being taken".into()))
}

/// Begins the transcript of one of the reader's rooms, for the reader's side.
pub async fn begin(app: &App, actor: &Actor, room: RoomRef, format: Format) -> Result<Transcript, AppError> {
    let not_found = || AppError::Refused(Refusal::NotFound);
    let RoomRef::Room(room) = room else { return Err(not_found()) };
    let access = app.store.access(&actor.user, &[(Log::Room(room), 0)]).await?;
    let access = access.into_iter().next().flatten().ok_or_else(not_found)?;
    let side = access.side.ok_or_else(not_found)?;
    let subject = app.store.subject(room).await?.ok_or_else(not_found)?;
    let subject = Subject { head: access.head, ..subject };
    let signer = Signer { key: app.key.clone(), public_keys: app.public_keys.clone(), now: app.clock.now() };
    let archive: Arc<dyn Archive> = app.store.clone();
    let begun = Transcript::new(archive, signer, (room, subject), side.into(), format);
    begun.map_err(|error| AppError::Internal(error.to_string()))
}

impl Transcript {
    /// The transcript of this room for this audience, up to the last entry that its subject names.
    ///
    /// # Errors
    /// When its beginning cannot be written.
    pub fn new(
        archive: Arc<dyn Archive>,
        signer: Signer,
        (room, subject): (RoomId, Subject),
        audience: Audience,
        format: Format,
    ) -> Result<Self, TranscriptError> {
        let Subject { candidacy, job, client, freelancer, head } = subject;
        let Signer { key, public_keys: keys, now: exported_at } = signer;
        let header = Header { audience, room, candidacy, job, client, freelancer, keys, exported_at };
        let page = match format {
            Format::Jsonl => None,
            Format::Html => Some(Page::new(&header)),
        };
        let writer = Some(Writer::new(Vec::new(), &header)?);
        Ok(Self { archive, room, audience, key, at: Head::EMPTY, head, writer, page })
    }

    /// The room.
    pub fn room(&self) -> RoomId {
        self.room
    }

    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("room-{}.jsonl", self.room)
    }

    /// The next piece of the file; `None`: that was all.
    ///
    /// # Errors
    /// When it cannot be read, or would not verify. There is no next piece after that.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, TranscriptError> {
        let Some(writer) = self.writer.as_mut() else { return Ok(None) };
        if self.at.seq < self.head.seq {
            let log = Log::Room(self.room);
            let entries = self.archive.entries(&log, Range::After(self.at.seq), PAGE).await?;
            let audience = eyes(self.audience);
            let before = self.at;
            for entry in entries.iter().take_while(|entry| entry.seq <= self.head.seq) {
                let frame = entry_frame(entry, audience, true);
                writer.entry(&frame)?;
                if let Some(page) = &mut self.page {
                    page.entry(&frame);
                }
                self.at = entry.head();
            }
            if self.at == before {
                return Err(TranscriptError::End { found: self.at, said: self.head });
            }
        }
        if self.at.seq < self.head.seq {
            let lines = mem::take(writer.get_mut());
            return Ok(Some(self.page.as_mut().map_or(lines, |page| page.take().into_bytes())));
        }
        self.end().map(Some)
    }

    fn end(&mut self) -> Result<Vec<u8>, TranscriptError> {
        if self.at != self.head {
            return Err(TranscriptError::End { found: self.at, said: self.head });
        }
        let Some(writer) = self.writer.take() else { return Ok(Vec::new()) };
        let lines = writer.finish(&self.key)?;
        let head = (self.at.seq, self.at.hash);
        Ok(self.page.take().map_or(lines, |page| page.end(head, &self.key.public()).into_bytes()))
    }
}

/// As an entry's frame knows its readers.
fn eyes(audience: Audience) -> to_wire::Audience {
    match audience {
        Audience::Client => to_wire::Audience::Client,
        Audience::Freelancer | Audience::Staff => to_wire::Audience::Freelancer,
    }
}
