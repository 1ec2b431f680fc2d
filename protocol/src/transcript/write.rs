//! Writing a transcript, line by line. It is signed only when it is what [`verify`](super::verify()) will take.

use std::io::{self, Write};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::entries::Entries;
use super::{Cause, ENTRY, FOOTER, HEADER, Header, LINE_BYTES, Trusted, VERSION};
use crate::entry::EntryFrame;
use crate::id::RoomId;
use crate::log::{Hash, canonical};
use crate::signature::{PublicKey, Purpose, Signature, SigningKey};

/// Why a transcript cannot be written. What was written so far has no footer, and verifies nowhere.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Whoever takes the bytes does not take them.
    #[error("the transcript could not be written")]
    Io(#[from] io::Error),
    /// The entry is not the next one of this room, or not for these eyes, or says what is not so.
    #[error("entry {seq} would not verify: {cause}")]
    Entry {
        /// The number of the entry.
        seq: u64,
        /// What is wrong with it.
        #[source]
        cause: Cause,
    },
    /// A part of an entry has a line end between its words, which would end the line.
    #[error("a part of entry {0} is not in one line")]
    LineEnd(u64),
    /// A line is above the bound.
    #[error("a line would be longer than {LINE_BYTES} bytes")]
    TooLong,
    /// Who knows a key by its fingerprint alone learns it from the header.
    #[error("the key {0} signs, and is not among the keys of the header")]
    Key(Hash),
}

/// A transcript that is being written. It holds one line at a time.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    digest: Sha256,
    entries: Entries,
    /// The keys of the header.
    keys: Trusted,
}

#[derive(Serialize)]
struct HeaderLine<'a> {
    r#type: &'static str,
    version: u64,
    #[serde(flatten)]
    header: &'a Header,
}

#[derive(Serialize)]
struct EntryLine<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    entry: &'a EntryFrame,
}

/// The fields of [`Footer`](super::Footer) that are signed.
#[derive(Serialize)]
struct Unsigned {
    r#type: &'static str,
    entries: u64,
    digest: Hash,
    room: RoomId,
    head: u64,
    hash: Hash,
    key: Hash,
    public_key: PublicKey,
}

#[derive(Serialize)]
struct FooterLine {
    #[serde(flatten)]
    unsigned: Unsigned,
    signature: Signature,
}

impl<W: Write> Writer<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn new(out: W, header: &Header) -> Result<Self, WriteError> {
        let entries = Entries::new(header.clone());
        let keys = header.keys.iter().copied().collect();
        let mut writer = Self { out, digest: Sha256::new(), entries, keys };
        writer.line(canonical(&HeaderLine { r#type: HEADER, version: VERSION, header }))?;
        Ok(writer)
    }

    /// What it is all written to, for whoever carries it away piece by piece.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Writes the next entry, with its proof.
    ///
    /// # Errors
    /// When it is not the next entry of this room, or not for these eyes, or cannot be written. Nothing is to be written after that.
    pub fn entry(&mut self, entry: &EntryFrame) -> Result<(), WriteError> {
        let refused = |cause| WriteError::Entry { seq: entry.seq, cause };
        self.entries.take(entry, &self.keys).map_err(refused)?;
        let line = serde_json::to_vec(&EntryLine { r#type: ENTRY, entry }).map_err(io::Error::from)?;
        if line.contains(&b'\n') {
            return Err(WriteError::LineEnd(entry.seq));
        }
        self.line(line)
    }

    /// Signs what was written, writes the footer, and gives back what it was all written to.
    ///
    /// # Errors
    /// When the header does not have the key, or the footer cannot be written.
    pub fn finish(mut self, key: &SigningKey) -> Result<W, WriteError> {
        let public_key = key.public();
        let fingerprint = public_key.fingerprint();
        if !self.keys.has(&fingerprint) {
            return Err(WriteError::Key(fingerprint));
        }
        let unsigned = Unsigned {
            r#type: FOOTER,
            entries: self.entries.head,
            digest: Hash(self.digest.clone().finalize().into()),
            room: self.entries.header.room,
            head: self.entries.head,
            hash: self.entries.hash,
            key: fingerprint,
            public_key,
        };
        let signature = key.sign(Purpose::Transcript, &unsigned);
        self.line(canonical(&FooterLine { unsigned, signature }))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&mut self, mut line: Vec<u8>) -> Result<(), WriteError> {
        line.push(b'\n');
        if line.len() > LINE_BYTES {
            return Err(WriteError::TooLong);
        }
        self.digest.update(&line);
        self.out.write_all(&line)?;
        Ok(())
    }
}
