//! What can be wrong with a transcript, in sentences for whoever has to decide what it is worth.

use std::io;

use crate::id::OfferId;
use crate::log::{ChainError, Hash};

/// Why a transcript does not verify: the first thing that is wrong with it, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct Fault {
    /// The number of the line, from 1 on. Of a file that ends too early it is the line that is missing.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub cause: Cause,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Read(io::ErrorKind),
    /// The line is above [`LINE_BYTES`](super::LINE_BYTES).
    #[error("the line is longer than 1 MiB, and no line of a transcript is")]
    TooLong,
    /// The line has no end.
    #[error("the line does not end in a line feed: the file was cut off in the middle of it")]
    Unended,
    /// The bytes are no text.
    #[error("the line is not UTF-8")]
    Utf8,
    /// The text is no line of a transcript.
    #[error("the line does not have the form of a line of a transcript: {0}")]
    Form(String),
    /// The first line is something else, or there is none.
    #[error("a transcript begins with its header, a line of the type `transcript`, and here is none")]
    NoHeader,
    /// A form of a later time.
    #[error("the transcript is of version {0} of the form, and only version 1 is known here")]
    Version(u64),
    /// A header in the middle.
    #[error("a second header: a transcript has one, in its first line")]
    SecondHeader,
    /// A header or footer in other words than those that were written.
    #[error("a header or footer is in canonical JSON (RFC 8785), and this line is not")]
    NotCanonical,
    /// The file ends too early.
    #[error("the file ends without its signed footer: at least one line was cut off")]
    NoFooter,
    /// The file goes on behind its end.
    #[error("something stands behind the footer, which is the last line of a transcript")]
    BehindFooter,
    /// An entry of another log.
    #[error("entry {0} is of another room than the header names")]
    OtherRoom(u64),
    /// The chain covers the text of these fields. Another text of the same id or instant is not what was written.
    #[error("entry {0} writes its room, its time or its `client_id` otherwise than the server does")]
    Spelling(u64),
    /// Something that the client must never see.
    #[error("entry {0} shows a private part or its salt, and the transcript is for the client's side")]
    Private(u64),
    /// The chain does not hold.
    #[error("the log is not what was written: {0}")]
    Chain(#[from] ChainError),
    /// An entry of a kind that matters says something else than its kind does.
    #[error("the content of entry {seq} does not have the form of `{kind}`: {why}")]
    Data {
        /// The number of the entry.
        seq: u64,
        /// Its kind.
        kind: String,
        /// What is wrong with it.
        why: String,
    },
    /// Terms under the hash of other terms.
    #[error("the hash of version {0} of the terms is not the hash of the terms that stand beside it")]
    TermsHash(u32),
    /// One version twice, with other terms.
    #[error("version {0} of the terms was proposed before, with other terms")]
    TermsTwice(u32),
    /// A seal that does not stand right behind what it covers.
    #[error("the seal says that it covers the entries up to {said}, and stands behind entry {before}")]
    SealPosition {
        /// What the seal says.
        said: u64,
        /// The number of the entry before it.
        before: u64,
    },
    /// A seal of another log.
    #[error("the seal does not name the hash of the entry before it")]
    SealHead,
    /// A seal of another case.
    #[error("the seal names another room, candidacy, job, client or freelancer than the header")]
    SealParties,
    /// A seal of something nobody agreed on.
    #[error(
        "the entry before the seal is not the acceptance that the seal names: offer {}, version {version} of the terms",
        offer.map_or_else(|| "none".to_owned(), |offer| offer.to_string())
    )]
    SealAcceptance {
        /// The offer that the seal names.
        offer: Option<OfferId>,
        /// The version of the terms that the seal names.
        version: u32,
    },
    /// A seal of terms that the log does not have.
    #[error("version {0} of the terms, which is sealed, was not proposed in this room with these terms")]
    SealTerms(u32),
    /// A seal that was not signed by the key it names.
    #[error("the signature of the seal is not that of its key over its content")]
    SealSignature,
    /// Signed with a key that the reader does not trust.
    #[error("it is signed with the key {0}, which is not among the trusted ones")]
    UntrustedKey(Hash),
    /// Signed with a key of which the reader has the fingerprint alone.
    #[error("it is signed with the key {0}, of which only the fingerprint is known: give the key itself")]
    UnknownKey(Hash),
    /// A footer that names one key and shows another.
    #[error("the fingerprint in the footer is not that of the public key beside it")]
    FooterKey,
    /// A footer that was not signed by its key.
    #[error("the signature of the footer is not that of its key over its content")]
    FooterSignature,
    /// A footer of another room's transcript.
    #[error("the footer is that of another room")]
    FooterRoom,
    /// Entries that are too many or too few.
    #[error("the footer counts {said} entries, and there are {found}")]
    FooterEntries {
        /// What the footer says.
        said: u64,
        /// How many there are.
        found: u64,
    },
    /// The footer ends at another number.
    #[error("the footer names {said} as the last entry, and the last entry here is {found}")]
    FooterHead {
        /// What the footer says.
        said: u64,
        /// The number of the last entry.
        found: u64,
    },
    /// The footer of another log.
    #[error("the footer does not name the hash of the last entry")]
    FooterHash,
    /// Something was changed that the chain does not cover.
    #[error("the lines above the footer do not have the digest that it names: something in them was changed")]
    FooterDigest,
}
