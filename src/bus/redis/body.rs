//! What a publication says, as JSON: entries with their readers, or a whisper.
//!
//! The parts of an entry stand in it as strings, not as JSON inside JSON. They are hashed byte for byte, and a string comes out as it went
//! in, whatever it is and whoever writes or reads the JSON around it.

use std::borrow::Cow;
use std::sync::Arc;

use anteroom_protocol::id::{ClientId, UserId};
use anteroom_protocol::log::{Hash, from_hex, to_hex};
use anteroom_protocol::time::Time;
use serde::{Deserialize, Serialize};

use super::publication::Header;
use crate::bus::{NodeId, Whisper, Word};
use crate::domain::log::{Log, LogEntry, Part};
use crate::store::Appended;

/// Entries of one log, one behind the other, with the same readers.
#[derive(Serialize, Deserialize)]
struct Entries<'a> {
    readers: Cow<'a, [UserId]>,
    #[serde(borrow)]
    entries: Vec<Entry<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Entry<'a> {
    seq: u64,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    at: Time,
    by: Option<UserId>,
    client_id: Option<ClientId>,
    hash: Hash,
    #[serde(borrow)]
    public: PartText<'a>,
    #[serde(borrow)]
    private: Option<PartText<'a>>,
    policy: u32,
    amended_by: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PartText<'a> {
    Whole {
        salt: Cow<'a, str>,
        #[serde(borrow)]
        json: Cow<'a, str>,
    },
    Deleted(Hash),
}

#[derive(Serialize, Deserialize)]
struct Whispered<'a> {
    about: Cow<'a, UserId>,
    people: Cow<'a, [UserId]>,
    word: Cow<'a, Word>,
}

/// Entries cut where a publication ends: each is of one log, one behind the other, with the same readers.
pub(super) fn runs(appended: &[Appended]) -> impl Iterator<Item = &[Appended]> {
    appended.chunk_by(|one, next| {
        one.entry.log == next.entry.log
            && one.entry.seq + 1 == next.entry.seq
            && (Arc::ptr_eq(&one.readers, &next.readers) || one.readers == next.readers)
    })
}

/// The body of a run of entries.
pub(super) fn write_entries(run: &[Appended]) -> Vec<u8> {
    let readers = run.first().map_or(&[][..], |first| &first.readers[..]);
    let entries = run.iter().map(|appended| Entry::of(&appended.entry)).collect();
    json(&Entries { readers: Cow::Borrowed(readers), entries })
}

/// The entries that a body holds, if they are those that the header names.
pub(super) fn read_entries(log: &Log, (from, to): (u64, u64), body: &[u8]) -> Option<Vec<Appended>> {
    let Entries { readers, entries } = serde_json::from_slice(body).ok()?;
    let numbers = entries.iter().map(|entry| entry.seq);
    if !numbers.eq(from..=to) {
        return None;
    }
    let readers: Arc<[UserId]> = readers.into();
    let entry = |entry: Entry<'_>| {
        Some(Appended { entry: Arc::new(entry.into_entry(log.clone())?), readers: readers.clone() })
    };
    entries.into_iter().map(entry).collect()
}

/// The body of a whisper.
pub(super) fn write_whisper(whisper: &Whisper) -> Vec<u8> {
    json(&Whispered {
        about: Cow::Borrowed(&whisper.about),
        people: Cow::Borrowed(&whisper.people),
        word: Cow::Borrowed(&whisper.word),
    })
}

/// The whisper that a body holds.
pub(super) fn read_whisper(log: Log, body: &[u8]) -> Option<Whisper> {
    let Whispered { about, people, word } = serde_json::from_slice(body).ok()?;
    Some(Whisper { log, about: about.into_owned(), people: people.into(), word: word.into_owned() })
}

/// The header of a run of entries.
pub(super) fn entries_header(node: NodeId, count: u64, run: &[Appended]) -> Header {
    let first = run.first().map(|appended| &appended.entry);
    let last = run.last().map(|appended| appended.entry.seq);
    Header {
        node,
        count,
        log: first.map(|entry| entry.log.to_string()),
        from: first.map(|entry| entry.seq),
        to: last,
        person: None,
    }
}

/// The log of this name.
pub(super) fn log_named(name: &str) -> Option<Log> {
    match name.strip_prefix("inbox:") {
        Some(owner) => owner.parse().ok().map(Log::Inbox),
        None => name.parse().ok().map(Log::Room),
    }
}

pub(super) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("the bus's types have string keys and finite numbers")
}

impl<'a> Entry<'a> {
    fn of(entry: &'a LogEntry) -> Self {
        Self {
            seq: entry.seq,
            kind: Cow::Borrowed(&entry.kind),
            at: entry.at,
            by: entry.by.clone(),
            client_id: entry.client_id,
            hash: entry.hash,
            public: PartText::of(&entry.public),
            private: entry.private.as_ref().map(PartText::of),
            policy: entry.policy,
            amended_by: entry.amended_by,
        }
    }

    fn into_entry(self, log: Log) -> Option<LogEntry> {
        Some(LogEntry {
            log,
            seq: self.seq,
            kind: self.kind.into(),
            at: self.at,
            by: self.by,
            client_id: self.client_id,
            hash: self.hash,
            public: self.public.into_part()?,
            private: match self.private {
                Some(part) => Some(part.into_part()?),
                None => None,
            },
            policy: self.policy,
            amended_by: self.amended_by,
        })
    }
}

impl<'a> PartText<'a> {
    fn of(part: &'a Part) -> Self {
        match part {
            Part::Whole { salt, json } => {
                Self::Whole { salt: Cow::Owned(to_hex(salt)), json: Cow::Borrowed(json) }
            }
            Part::Deleted(digest) => Self::Deleted(*digest),
        }
    }

    fn into_part(self) -> Option<Part> {
        Some(match self {
            Self::Whole { salt, json } => Part::Whole { salt: from_hex(&salt)?, json: json.into() },
            Self::Deleted(digest) => Part::Deleted(digest),
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use anteroom_protocol::id::RoomId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    pub(in crate::bus::redis) fn appended(log: u128, seq: u64, json: &str) -> Appended {
        let entry = LogEntry {
            log: Log::Room(RoomId(Uuid::from_u128(log))),
            seq,
            kind: "message.posted".into(),
            at: Time::from_micros(1_750_000_000_000_001),
            by: Some("clara".parse().expect("a user id")),
            client_id: Some(ClientId(Uuid::from_u128(7))),
            hash: Hash([9; 32]),
            public: Part::Whole { salt: [1; 16], json: json.into() },
            private: Some(Part::Deleted(Hash([3; 32]))),
            policy: 4,
            amended_by: Some(seq + 1),
        };
        let readers = ["clara", "felix"].map(|name| name.parse().expect("a user id"));
        Appended { entry: Arc::new(entry), readers: Arc::new(readers) }
    }

    fn read_back(run: &[Appended]) -> Option<Vec<Appended>> {
        let (first, last) = (&run.first()?.entry, &run.last()?.entry);
        read_entries(&first.log, (first.seq, last.seq), &write_entries(run))
    }

    fn same(one: &[Appended], other: &[Appended]) -> bool {
        one.len() == other.len()
            && one
                .iter()
                .zip(other)
                .all(|(one, other)| one.entry == other.entry && one.readers == other.readers)
    }

    proptest! {
        #[test]
        fn an_entry_arrives_byte_for_byte_whatever_its_parts_are(
            public in ".*", private in proptest::option::of(".*"), salt in any::<[u8; 16]>(), kind in ".*",
            deleted in any::<bool>(), by in proptest::option::of("[a-z]{1,9}"), amended_by in any::<Option<u64>>(),
        ) {
            let Appended { entry, readers } = appended(1, 5, &public);
            let mut entry = (*entry).clone();
            entry.kind = kind.into();
            entry.by = by.map(|by| by.parse().expect("a user id"));
            entry.amended_by = amended_by;
            entry.private = private.map(|json| Part::Whole { salt, json: json.into() });
            if deleted {
                entry.public = Part::Deleted(entry.public.digest());
                entry.client_id = None;
            }
            let run = [Appended { entry: Arc::new(entry), readers }];
            prop_assert!(same(&read_back(&run).expect("entries"), &run));
        }

        #[test]
        fn whatever_a_body_is_reading_it_does_not_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let log = appended(1, 1, "").entry.log.clone();
            let _ = read_entries(&log, (1, 1), &body);
            let _ = read_whisper(log, &body);
        }
    }

    #[test]
    fn entries_other_than_those_the_header_names_are_not_taken() {
        let run = [appended(1, 5, "{}"), appended(1, 6, "{}")];
        let body = write_entries(&run);
        let log = &run[0].entry.log;
        assert!(read_entries(log, (5, 6), &body).is_some());
        assert!(read_entries(log, (5, 7), &body).is_none());
        assert!(read_entries(log, (6, 6), &body).is_none());
        assert!(read_entries(log, (0, u64::MAX), &body).is_none());
    }

    #[test]
    fn a_publication_is_of_one_log_without_a_hole_and_for_the_same_readers() {
        let other_readers = Appended { readers: Arc::new([]), ..appended(1, 3, "") };
        let all =
            [appended(1, 1, ""), appended(1, 2, ""), other_readers, appended(2, 4, ""), appended(2, 6, "")];
        let lengths: Vec<usize> = runs(&all).map(<[_]>::len).collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
    }

    #[test]
    fn a_whisper_arrives_as_it_was_said() {
        let log = Log::Inbox("clara".parse().expect("a user id"));
        let words = [
            Word::Typing,
            Word::Presence { online: true },
            Word::Receipt { delivered: 3, read: 2, marker: None },
            Word::Receipt { delivered: 3, read: 2, marker: Some(0) },
        ];
        for word in words {
            let people: [UserId; 2] = ["clara", "felix"].map(|name| name.parse().expect("a user id"));
            let about = people[0].clone();
            let whisper = Whisper { log: log.clone(), about, people: Arc::new(people), word };
            assert_eq!(read_whisper(log.clone(), &write_whisper(&whisper)), Some(whisper));
        }
    }

    #[test]
    fn a_log_is_found_by_its_name() {
        for log in [Log::Room(RoomId(Uuid::from_u128(1))), Log::Inbox("a:b".parse().expect("a user id"))] {
            assert_eq!(log_named(&log.to_string()), Some(log));
        }
        assert_eq!(log_named("inbox:"), None);
        assert_eq!(log_named("room"), None);
    }
}
