//! What holds for every room there can be.

use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::transcript::{Audience, verify};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::room::{ANA, AUDIENCES, BEN, Room, agree, trusted};

/// One thing that happens in a room.
#[derive(Debug, Clone)]
enum Step {
    Say(String),
    Edit(Index, String),
    Redact(Index),
    Propose(i64),
    Later(String, String, Option<String>),
}

fn step() -> impl Strategy<Value = Step> {
    let part = || any::<String>().prop_map(|text| serde_json::json!({ "text": text }).to_string());
    prop_oneof![
        4 => any::<String>().prop_map(Step::Say),
        1 => (any::<Index>(), any::<String>()).prop_map(|(at, body)| Step::Edit(at, body)),
        1 => any::<Index>().prop_map(Step::Redact),
        1 => (1..1_000_000_i64).prop_map(Step::Propose),
        1 => ("x\\.[a-z_.]{1,20}", part(), proptest::option::of(part()))
            .prop_map(|(kind, public, private)| Step::Later(kind, public, private)),
    ]
}

/// The room in which all this happened, and a contract in its middle if there is to be one.
fn room(steps: Vec<Step>, contract: Option<Index>) -> Room {
    let mut room = Room::new(9);
    let contract = contract.map(|at| at.index(steps.len() + 1));
    for (at, step) in steps.into_iter().enumerate() {
        if contract == Some(at) {
            agree(&mut room);
        }
        take(&mut room, step);
    }
    room
}

fn take(room: &mut Room, step: Step) {
    let messages: Vec<u64> = room
        .rows
        .iter()
        .filter(|row| row.kind == "message.posted" && !row.deleted)
        .map(|row| row.seq)
        .collect();
    let version = 10 + u32::try_from(room.head()).expect("few entries");
    match step {
        Step::Say(body) => room.say(BEN, &body),
        Step::Edit(at, body) if !messages.is_empty() => room.edit(*at.get(&messages), &body),
        Step::Redact(at) if !messages.is_empty() => room.redact(*at.get(&messages)),
        Step::Edit(..) | Step::Redact(_) => {}
        Step::Propose(amount) => room.propose(BEN, version, amount, None),
        Step::Later(kind, public, private) => room.push_raw(Some(ANA), &kind, public, private),
    }
}

/// So many cases, unless `PROPTEST_CASES` asks for more, as a proof does.
fn cases(cases: u32) -> ProptestConfig {
    let told = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { told.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..told }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn whatever_happened_in_a_room_is_written_and_verifies(
        steps in prop::collection::vec(step(), 0..30),
        contract: Option<Index>,
        audience in prop::sample::select(&AUDIENCES[..]),
    ) {
        let room = room(steps, contract);
        let bytes = room.transcript(audience);
        let report = verify(&bytes[..], trusted()).expect("a transcript");
        prop_assert_eq!((report.entries, report.hash), (room.head(), room.hash()));
        prop_assert_eq!(report.redacted, room.rows.iter().filter(|row| row.deleted).count() as u64);
        let sealed = room.rows.iter().filter(|row| row.kind == "contract.sealed").map(|row| row.seq - 1);
        prop_assert!(report.seals.iter().map(|seal| seal.position).eq(sealed));
        let text = String::from_utf8(bytes).expect("UTF-8");
        for (row, line) in text.lines().skip(1).take(room.rows.len()).enumerate() {
            let entry: EntryFrame = serde_json::from_str(line).expect("an entry");
            prop_assert_eq!(entry, room.frame(row, audience));
        }
    }

    #[test]
    fn whatever_the_bytes_are_a_verifier_names_a_fault_and_does_not_panic(
        lines in prop::collection::vec(prop_oneof![
            any::<Vec<u8>>(),
            Just(crate::by_hand::header(&Room::new(9).header(Audience::Staff)).to_string().into_bytes()),
            any::<String>().prop_map(|text| serde_json::json!({ "type": "entry", "data": text }).to_string().into_bytes()),
        ], 0..5),
    ) {
        prop_assert!(verify(&lines.join(&b'\n')[..], trusted()).is_err());
    }
}
