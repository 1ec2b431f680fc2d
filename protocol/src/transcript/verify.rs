//! Verifying a transcript, line by line: a file of any length takes the memory of its longest line.

use std::borrow::Cow;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::entries::Entries;
use super::{Cause, ENTRY, FOOTER, Fault, Footer, HEADER, Header, LINE_BYTES, Report, Trusted, VERSION};
use crate::entry::EntryFrame;
use crate::log::{Hash, canonical};
use crate::signature::Purpose;

/// Whether this is a transcript, whole and as it was signed with a trusted key; and what it is.
///
/// # Errors
/// The first fault there is.
pub fn verify(reader: impl BufRead, trusted: Trusted) -> Result<Report, Fault> {
    Verifier::new(trusted).rest(reader)
}

/// A transcript that is verified up to some line. [`verify`] does it in one call; this is for whoever wants to stop in between.
#[derive(Debug, Clone)]
pub struct Verifier {
    trusted: Trusted,
    /// How many lines were taken.
    lines: u64,
    /// Of all lines so far.
    digest: Sha256,
    at: At,
}

/// Where in the file.
#[derive(Debug, Clone)]
enum At {
    Beginning,
    Entries(Box<Entries>),
    End(Box<Report>),
}

/// What every line has, and the texts that the chain covers as they stand.
#[derive(Deserialize)]
struct Spelled<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    room: Option<Cow<'a, str>>,
    #[serde(borrow)]
    at: Option<Cow<'a, str>>,
    #[serde(borrow)]
    client_id: Option<Cow<'a, str>>,
    version: Option<u64>,
}

impl Verifier {
    /// Before the first line.
    pub fn new(trusted: Trusted) -> Self {
        Self { trusted, lines: 0, digest: Sha256::new(), at: At::Beginning }
    }

    /// Takes one line. False: the file has ended.
    ///
    /// # Errors
    /// What is wrong with the line. Nothing is to be taken after that.
    pub fn line(&mut self, reader: impl BufRead) -> Result<bool, Fault> {
        let mut line = Vec::new();
        let taken = match reader.take(LINE_BYTES as u64 + 1).read_until(b'\n', &mut line) {
            Err(error) => Err(Cause::Read(error.kind())),
            Ok(0) => return Ok(false),
            Ok(_) => self.take(&line),
        };
        taken.map_err(|cause| Fault { line: self.lines + 1, cause })?;
        self.lines += 1;
        Ok(true)
    }

    /// Takes all lines that are left.
    ///
    /// # Errors
    /// The first fault there is.
    pub fn rest(mut self, mut reader: impl BufRead) -> Result<Report, Fault> {
        while self.line(&mut reader)? {}
        let cause = match self.at {
            At::Beginning => Cause::NoHeader,
            At::Entries(_) => Cause::NoFooter,
            At::End(report) => return Ok(*report),
        };
        Err(Fault { line: self.lines + 1, cause })
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Cause> {
        if matches!(self.at, At::End(_)) {
            return Err(Cause::BehindFooter);
        }
        if line.len() > LINE_BYTES {
            return Err(Cause::TooLong);
        }
        let text = line.strip_suffix(b"\n").ok_or(Cause::Unended)?;
        let text = std::str::from_utf8(text).map_err(|_| Cause::Utf8)?;
        if !(text.starts_with('{') && text.ends_with('}')) {
            return Err(Cause::Form("it is no JSON object".to_owned()));
        }
        let spelled: Spelled<'_> = decode(text)?;
        match (&mut self.at, spelled.kind.as_ref()) {
            (At::Beginning, HEADER) => {
                let header = header(text, &spelled)?;
                self.trusted.learn(&header.keys);
                self.at = At::Entries(Box::new(Entries::new(header)));
            }
            (At::Beginning, _) => return Err(Cause::NoHeader),
            (At::Entries(entries), ENTRY) => entries.take(&entry(text, &spelled)?, &self.trusted)?,
            (At::Entries(entries), FOOTER) => {
                let digest = Hash(self.digest.clone().finalize().into());
                self.at = At::End(Box::new(footer(text, entries, digest, &self.trusted)?));
            }
            (At::Entries(_), HEADER) => return Err(Cause::SecondHeader),
            (At::Entries(_) | At::End(_), _) => {
                return Err(Cause::Form("there is no such type of line".to_owned()));
            }
        }
        self.digest.update(line);
        Ok(())
    }
}

fn decode<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Cause> {
    serde_json::from_str(text).map_err(|error| Cause::Form(error.to_string()))
}

/// The line as a value, if it is the one text that this value has.
fn canonical_value(text: &str) -> Result<Value, Cause> {
    let value: Value = decode(text)?;
    if canonical(&value) == text.as_bytes() { Ok(value) } else { Err(Cause::NotCanonical) }
}

fn header(text: &str, spelled: &Spelled<'_>) -> Result<Header, Cause> {
    match spelled.version {
        Some(VERSION) => {}
        Some(other) => return Err(Cause::Version(other)),
        None => return Err(Cause::Form("it has no version".to_owned())),
    }
    canonical_value(text)?;
    decode(text)
}

/// The entry, if its texts are the ones that the chain covers. Other texts of the same id or instant are read as well, and would
/// pass the chain here and nowhere else.
fn entry(text: &str, spelled: &Spelled<'_>) -> Result<EntryFrame, Cause> {
    let entry: EntryFrame = decode(text)?;
    let is = |spelled: &Option<Cow<'_, str>>, text: Option<String>| spelled.as_deref() == text.as_deref();
    if is(&spelled.room, Some(entry.room.to_string()))
        && is(&spelled.at, Some(entry.at.to_string()))
        && is(&spelled.client_id, entry.client_id.map(|id| id.to_string()))
    {
        Ok(entry)
    } else {
        Err(Cause::Spelling(entry.seq))
    }
}

/// What costs least comes first: the signature is verified when everything else fits.
fn footer(text: &str, entries: &Entries, digest: Hash, trusted: &Trusted) -> Result<Report, Cause> {
    let mut value = canonical_value(text)?;
    let footer: Footer = decode(text)?;
    if footer.public_key.fingerprint() != footer.key {
        return Err(Cause::FooterKey);
    }
    if !trusted.has(&footer.key) {
        return Err(Cause::UntrustedKey(footer.key));
    }
    let Entries { header, head, hash, .. } = entries;
    if footer.room != header.room {
        return Err(Cause::FooterRoom);
    }
    if footer.entries != *head {
        return Err(Cause::FooterEntries { said: footer.entries, found: *head });
    }
    if footer.head != *head {
        return Err(Cause::FooterHead { said: footer.head, found: *head });
    }
    if footer.hash != *hash {
        return Err(Cause::FooterHash);
    }
    if footer.digest != digest {
        return Err(Cause::FooterDigest);
    }
    // What is signed is the whole line, so that a field of a later time is signed too.
    value.as_object_mut().map(|fields| fields.remove("signature"));
    if !footer.public_key.verifies(Purpose::Transcript, &value, &footer.signature) {
        return Err(Cause::FooterSignature);
    }
    Ok(Report {
        room: header.room,
        audience: header.audience,
        entries: *head,
        redacted: entries.redacted,
        head: *head,
        hash: *hash,
        seals: entries.seals.clone(),
        exported_at: header.exported_at,
        key: footer.key,
    })
}
