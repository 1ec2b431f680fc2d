//! What was written verifies, for every reader, and the report says what it is.

use std::io::{self, BufReader, Read, Write};

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::contract::{ContractFormed, Seal};
use anteroom_protocol::entry::EntryData;
use anteroom_protocol::log::{ChainError, Hash};
use anteroom_protocol::transcript::{
    Audience, Cause, LINE_BYTES, Report, Sealed, Trusted, WriteError, Writer, verify,
};

use crate::by_hand::ByHand;
use crate::room::{AUDIENCES, Room, at, key, large, older_key, small, stranger, terms, trusted};

#[test]
fn a_transcript_of_a_thousand_entries_verifies_for_every_reader() {
    let room = large();
    for audience in AUDIENCES {
        let bytes = room.transcript(audience);
        let redacted = room.rows.iter().filter(|row| row.deleted).count() as u64;
        assert!(redacted > 20);
        let seal = Sealed { contract: "con_77".parse().expect("an id"), position: 503, version: 2 };
        let expected = Report {
            room: room.id,
            audience,
            entries: 1000,
            redacted,
            head: 1000,
            hash: room.hash(),
            seals: vec![seal],
            exported_at: at(9_000),
            key: key().public().fingerprint(),
        };
        assert_eq!(verify(&bytes[..], trusted()), Ok(expected));
    }
}

#[test]
fn a_client_reads_no_private_part_and_no_salt_of_one() {
    for audience in AUDIENCES {
        let text = String::from_utf8(large().transcript(audience)).expect("UTF-8");
        let private = ["take_home", r#""private":"#, "private_salt"];
        assert!(private.iter().all(|word| text.contains(word) == audience.reads_private()));
        assert_eq!(text.contains("private_digest"), !audience.reads_private());
    }
}

#[test]
fn a_transcript_still_verifies_after_words_were_deleted() {
    let before = small();
    let mut after = before.clone();
    after.redact(4);
    after.redact(12);
    for audience in AUDIENCES {
        let text = String::from_utf8(after.transcript(audience)).expect("UTF-8");
        assert!(!text.contains("Net or gross") && !text.contains("030 1234"));
        let report = verify(text.as_bytes(), trusted()).expect("a transcript");
        assert_eq!((report.entries, report.redacted, report.seals.len()), (14, 3, 1));
    }
    assert_eq!(after.rows[11].hash, before.rows[11].hash, "no hash has changed");
}

#[test]
fn the_prose_and_the_writer_make_the_same_file() {
    for room in [small(), large(), Room::new(3)] {
        for audience in AUDIENCES {
            assert!(ByHand::new(&room, audience).signed(&key()) == room.transcript(audience));
        }
    }
}

#[test]
fn a_room_without_entries_verifies_and_has_no_head() {
    let report = verify(&Room::new(3).transcript(Audience::Staff)[..], trusted()).expect("a transcript");
    assert_eq!((report.entries, report.head, report.hash), (0, 0, Hash::GENESIS));
    assert!(report.to_string().ends_with(&format!("sealed: nothing\nsigned with key {}", report.key)));
}

#[test]
fn a_contract_that_was_formed_elsewhere_is_sealed_in_the_same_way() {
    let mut room = Room::new(4);
    room.propose("usr_ben_1307", 1, 90_000, None);
    let (contract, hash) = ("con_77".parse().expect("an id"), terms(90_000).hash());
    room.push(None, &EntryData::ContractFormed(ContractFormed { contract, version: 1, hash }));
    let seal = Seal { offer: None, ..room.seal_of(1, hash, &key()) };
    room.seal(seal, &key());
    let report = verify(&room.transcript(Audience::Client)[..], trusted()).expect("a transcript");
    assert_eq!(report.seals[0].position, 2);
}

#[test]
fn a_field_and_a_kind_of_a_later_version_change_nothing() {
    let mut later = ByHand::new(&small(), Audience::Client);
    later.header["people"] = serde_json::json!([{ "id": "usr_eve" }]);
    later.footer = serde_json::json!({ "witness": 1 });
    later.entries[3] = later.entries[3].replacen("{", r#"{"pinned":true,"#, 1);
    let before = verify(&small().transcript(Audience::Client)[..], trusted());
    assert_eq!(verify(&later.signed(&key())[..], trusted()), before);
}

#[test]
fn whoever_wrote_down_the_fingerprints_needs_no_key() {
    let fingerprints = Trusted::default()
        .fingerprint(key().public().fingerprint())
        .fingerprint(older_key().public().fingerprint());
    let bytes = small().transcript(Audience::Client);
    assert!(verify(&bytes[..], fingerprints).is_ok());
}

#[test]
fn a_transcript_may_be_read_byte_by_byte() {
    let bytes = small().transcript(Audience::Staff);
    assert_eq!(verify(BufReader::with_capacity(1, &bytes[..]), trusted()), verify(&bytes[..], trusted()));
}

#[test]
fn a_report_is_a_few_plain_lines() {
    let report = verify(&large().transcript(Audience::Client)[..], trusted()).expect("a transcript");
    let lines = [
        "verified: 1,000 entries of room 019a3f6c-5d10-7c31-9b52-2f0c00000002".to_owned(),
        "made at 2026-11-08T17:30:00.063000Z for: client".to_owned(),
        format!("last entry: 1000, hash {}", report.hash),
        format!("deleted since: the content of {}", report.redacted),
        "sealed: contract con_77, entries 1 to 503, version 2 of the terms".to_owned(),
        format!("signed with key {}", report.key),
    ];
    assert_eq!(report.to_string(), lines.join("\n"));
}

#[test]
fn a_line_may_be_as_long_as_the_bound_and_no_longer() {
    let with = |bytes: usize| {
        let mut room = Room::new(5);
        room.push_raw(None, "file.shared", format!(r#""{}""#, "x".repeat(bytes)), None);
        room
    };
    let others = ByHand::new(&with(0), Audience::Staff).entries[0].len() + 1;
    let most = with(LINE_BYTES - others);
    assert!(verify(&most.transcript(Audience::Staff)[..], trusted()).is_ok());
    let above = with(LINE_BYTES - others + 1);
    let fault = verify(&ByHand::new(&above, Audience::Staff).signed(&key())[..], trusted());
    assert_eq!(fault.map_err(|fault| (fault.line, fault.cause)), Err((2, Cause::TooLong)));
    let mut writer = writer(&above, Audience::Staff);
    assert!(matches!(writer.entry(&above.frame(0, Audience::Staff)), Err(WriteError::TooLong)));
}

#[test]
fn nothing_is_signed_that_would_not_verify() {
    let room = small();
    let refused = |row: usize, audience: Audience, shown_to: Audience| {
        let mut writer = writer(&room, audience);
        let mut written = (0..row).map(|row| writer.entry(&room.frame(row, audience)));
        assert!(written.all(|entry| entry.is_ok()));
        match writer.entry(&room.frame(row + usize::from(audience == shown_to), shown_to)) {
            Err(WriteError::Entry { cause, .. }) => cause,
            other => panic!("{other:?}"),
        }
    };
    let hole = Cause::Chain(ChainError::Number { expected: 4, found: 5 });
    assert_eq!(refused(3, Audience::Staff, Audience::Staff), hole);
    assert_eq!(refused(1, Audience::Client, Audience::Freelancer), Cause::Private(2));
}

#[test]
fn a_part_in_several_lines_and_a_key_that_the_header_lacks_are_refused() {
    let mut room = Room::new(6);
    room.phase(Phase::Active);
    let mut frame = room.frame(0, Audience::Staff);
    frame.data = serde_json::value::RawValue::from_string("{\n\"phase\":\"active\"}".into()).expect("JSON");
    assert!(matches!(writer(&room, Audience::Staff).entry(&frame), Err(WriteError::LineEnd(1))));
    let other = writer(&room, Audience::Staff).finish(&stranger());
    assert!(matches!(other, Err(WriteError::Key(key)) if key == stranger().public().fingerprint()));
}

#[test]
fn what_cannot_be_read_is_told() {
    struct Torn;
    impl Read for Torn {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let bytes = small().transcript(Audience::Staff);
    let fault = verify(BufReader::new(bytes[..2_000].chain(Torn)), trusted()).expect_err("torn");
    assert_eq!((fault.line, fault.cause), (5, Cause::Read(io::ErrorKind::ConnectionReset)));
    let text = "line 5: the line does not end in a line feed: the file was cut off in the middle of it";
    assert_eq!(verify(&bytes[..2_000], trusted()).expect_err("cut off").to_string(), text);
}

#[test]
fn what_cannot_be_written_is_told() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let refused = Writer::new(Full, &small().header(Audience::Staff));
    assert!(matches!(refused, Err(WriteError::Io(error)) if error.kind() == io::ErrorKind::StorageFull));
}

fn writer(room: &Room, audience: Audience) -> Writer<Vec<u8>> {
    Writer::new(Vec::new(), &room.header(audience)).expect("a header")
}
