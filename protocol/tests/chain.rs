//! The hash chain: its form is frozen byte for byte, and nothing in a log can be changed without being found.

use anteroom_protocol::entry::{EntryFrame, EntryPage};
use anteroom_protocol::id::{ClientId, RoomId, RoomRef, UserId};
use anteroom_protocol::log::{ChainError, Hash, chain_name, verify_chain};
use anteroom_protocol::time::Time;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

const NAME: &str = "019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44";
const START: (u64, Hash) = (0, Hash::GENESIS);

const LOG: &str = include_str!("../golden/log/room.json");

fn page() -> EntryPage {
    serde_json::from_str(LOG).expect("a page")
}

fn raw(text: impl Into<String>) -> Box<RawValue> {
    RawValue::from_string(text.into()).expect("JSON")
}

/// One entry as the prose says it: written by hand, so that no code of this crate has a part in it.
struct ByHand {
    /// The canonical form, `PUBLIC` and `PRIVATE` standing for the digests.
    form: &'static str,
    public: (u8, &'static str),
    private: Option<(u8, &'static str)>,
    hash: &'static str,
}

/// The salts of the example are sixteen bytes that count up from the first.
const BY_HAND: [ByHand; 5] = [
    ByHand {
        form: r#"{"at":"2026-11-02T09:01:12.000005Z","by":"usr_ana_4821","client_id":null,"kind":"invitation.sent","private":PRIVATE,"public":PUBLIC,"room":"019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44","seq":1}"#,
        public: (
            0x10,
            r#"{"invitation":"019a3f2a-0c44-7e10-8a11-7d3f0b9c2e01","message":"Your portfolio fits what we plan. Do you have time for a call?","sent_at":"2026-11-02T09:01:12.000005Z"}"#,
        ),
        private: None,
        hash: "225ba3cb6452847875c3d642a9844333f87633003ef91607e4a8eb53a01ebf02",
    },
    ByHand {
        form: r#"{"at":"2026-11-02T09:13:59.999999Z","by":"usr_ben_1307","client_id":"5b0f3d1e-000b-4c6a-9e21-3f7a8d5c0b0b","kind":"invitation.accepted","private":PRIVATE,"public":PUBLIC,"room":"019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44","seq":2}"#,
        public: (0x20, r#"{"invitation":"019a3f2a-0c44-7e10-8a11-7d3f0b9c2e01","terms":"new"}"#),
        private: None,
        hash: "c8fb799ce21ca5465c95ac29bd57c667923b8cf06c8f819401e7db20058b1a55",
    },
    ByHand {
        form: r#"{"at":"2026-11-02T09:13:59.999999Z","by":"usr_ben_1307","client_id":null,"kind":"terms.proposed","private":PRIVATE,"public":PUBLIC,"room":"019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44","seq":3}"#,
        public: (
            0x30,
            r#"{"hash":"74195549177bd02345b18dbb5cb65f2f2668707daf946935569ed405b6d6a682","terms":{"amount":90000,"currency":"EUR","kind":"fixed","milestones":[{"amount":30000,"due_date":"2026-12-15","title":"Wireframes"},{"amount":60000,"title":"Finished pages"}]},"version":1}"#,
        ),
        private: Some((0xa0, r#"{"fee_percent":10,"net":81000}"#)),
        hash: "5b16de1d782ee1ed6f5664f309d0643eb6b06ca6bc068c46b8794ac14de1372c",
    },
    ByHand {
        form: r#"{"at":"2026-11-02T09:14:00.000000Z","by":null,"client_id":null,"kind":"phase.changed","private":PRIVATE,"public":PUBLIC,"room":"019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44","seq":4}"#,
        public: (0x40, r#"{"phase":"active"}"#),
        private: None,
        hash: "fcefe1ed0eb5163b7be92b8b08a43834d328be4c46d9d5843d9816a86760560b",
    },
    ByHand {
        form: r#"{"at":"2026-11-02T09:14:07.250131Z","by":"usr_ben_1307","client_id":"5b0f3d1e-000c-4c6a-9e21-3f7a8d5c0b0c","kind":"message.posted","private":PRIVATE,"public":PUBLIC,"room":"019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44","seq":5}"#,
        public: (
            0x50,
            "{\"body\":\"Net or gross?\\t\\\"Both\\\" \\\\ either / neither\\u0001\\r\\nÄpfel, €\u{2028} and 🙂\"}",
        ),
        private: Some((0xe0, r#"{"draft":"Ask for a deposit","net":81000}"#)),
        hash: "4c969ae75f1cdea83a0d0ab86a3f07b5ec68f7d0e205401335bfe864f6081cbf",
    },
];

fn digest((first_of_salt, canonical): (u8, &str)) -> String {
    let salt: Vec<u8> = (first_of_salt..).take(16).collect();
    let digest = Sha256::digest([&salt, canonical.as_bytes()].concat());
    format!("\"{}\"", digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[test]
fn the_form_of_the_chain_is_what_the_prose_says_byte_for_byte() {
    let mut prev = vec![0; 32];
    for (by_hand, entry) in BY_HAND.iter().zip(page().items) {
        let private = by_hand.private.map_or("null".to_owned(), digest);
        let form = by_hand.form.replace("PUBLIC", &digest(by_hand.public)).replace("PRIVATE", &private);
        prev = Sha256::digest([&prev, form.as_bytes()].concat()).to_vec();
        let hash: String = prev.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, by_hand.hash, "{form}");
        assert_eq!(entry.hash.to_string(), by_hand.hash, "entry {}", entry.seq);
        assert_eq!(serde_json::from_str::<Value>(by_hand.public.1).expect("JSON"), entry.data());
    }
    assert_eq!(page().items.len(), BY_HAND.len());
}

#[test]
fn the_frozen_log_verifies_as_a_whole_and_from_every_entry_on() {
    let items = page().items;
    let last = (5, items[4].hash);
    assert_eq!(verify_chain(NAME, START, &items), Ok(last));
    for at in 1..items.len() {
        let before = (items[at - 1].seq, items[at - 1].hash);
        assert_eq!(verify_chain(NAME, START, &items[..at]), Ok(before));
        assert_eq!(verify_chain(NAME, before, &items[at..]), Ok(last));
    }
    assert_eq!(verify_chain(NAME, last, &[]), Ok(last));
}

#[test]
fn the_frozen_log_shows_every_form_an_entry_can_have() {
    let items = page().items;
    assert!(items.iter().any(|entry| entry.by.is_none() && entry.client_id.is_none()));
    assert!(items.iter().any(|entry| entry.by.is_some() && entry.client_id.is_some()));
    let proof = |entry: &EntryFrame| entry.proof.clone().expect("a proof");
    assert!(items.iter().any(|entry| entry.private.is_some() && proof(entry).private_salt.is_some()));
    assert!(items.iter().any(|entry| entry.private.is_none() && proof(entry).private_digest.is_some()));
}

/// The frozen log holds a character that no server takes any more: whoever writes a client is shown this page instead.
#[test]
fn the_page_that_is_published_as_an_example_verifies_too() {
    let published: EntryPage =
        serde_json::from_str(include_str!("../golden/http/EntryPage.json")).expect("a page");
    let last = published.items.last().expect("an entry");
    assert_eq!(verify_chain(NAME, START, &published.items), Ok((published.head, last.hash)));
    assert_eq!(published.items[..4], page().items[..4], "the same room, but for its message");
}

#[test]
fn the_text_of_a_part_may_be_spaced_and_ordered_otherwise() {
    let mut items = page().items;
    let spaced = r#" { "version" : 1, "terms":{"currency":"EUR","milestones":[{"title":"Wireframes","amount":3e4,
        "due_date":"2026-12-15"},{"amount":60000.0,"title":"Finished p\u0061ges"}],"kind":"fixed","amount":90000},
        "hash":"74195549177bd02345b18dbb5cb65f2f2668707daf946935569ed405b6d6a682"} "#;
    items[2].data = raw(spaced.trim());
    assert!(verify_chain(NAME, START, &items).is_ok());
}

#[test]
fn a_hole_a_repeat_and_a_wrong_start_are_named_by_their_numbers() {
    let number = |expected, found| Err(ChainError::Number { expected, found });
    let items = page().items;
    for at in 0..4 {
        let mut holed = items.clone();
        holed.remove(at);
        let (expected, found) = (at as u64 + 1, at as u64 + 2);
        assert_eq!(verify_chain(NAME, START, &holed), number(expected, found));
        let mut repeated = items.clone();
        repeated.insert(at, items[at].clone());
        assert_eq!(verify_chain(NAME, START, &repeated), number(expected + 1, expected));
        assert_eq!(verify_chain(NAME, START, &items[at + 1..]), number(1, found));
    }
    assert_eq!(verify_chain(NAME, (3, items[2].hash), &items), number(4, 1));
    assert_eq!(verify_chain(NAME, (u64::MAX, Hash::GENESIS), &items), number(0, 1));
    let error = ChainError::Number { expected: 2, found: 3 };
    assert_eq!(error.to_string(), "entry 3 stands where entry 2 belongs");
}

#[test]
fn a_tail_that_was_cut_off_shows_in_the_position_that_is_returned() {
    let page = page();
    let (seq, hash) = verify_chain(NAME, START, &page.items[..4]).expect("a chain");
    assert_eq!((seq, hash), (4, page.items[3].hash));
    assert_ne!(seq, page.head);
}

#[test]
fn an_entry_without_a_proof_or_with_one_that_cannot_be_read_is_named() {
    let broken = |change: &dyn Fn(&mut EntryFrame)| {
        let mut items = page().items;
        change(&mut items[2]);
        verify_chain(NAME, START, &items)
    };
    let unusable = Err(ChainError::Proof(3));
    assert_eq!(broken(&|entry| entry.proof = None), unusable);
    for salt in ["", "00", "3031323334353637 8393a3b3c3d3e3f", "303132333435363738393A3B3C3D3E3F"] {
        assert_eq!(
            broken(&|entry| entry.proof.as_mut().expect("a proof").public_salt = Some(salt.into())),
            unusable
        );
        assert_eq!(
            broken(&|entry| entry.proof.as_mut().expect("a proof").private_salt = Some(salt.into())),
            unusable
        );
    }
    assert_eq!(broken(&|entry| entry.data = raw(r#"{"body":"\ud800"}"#)), unusable);
    assert_eq!(broken(&|entry| entry.private = None), unusable);
}

/// A digest that is true proves nothing about a part that is shown with it and is not the one it was made of.
#[test]
fn a_private_part_that_is_shown_is_computed_whatever_digest_stands_beside_it() {
    let true_digest: Hash =
        digest(BY_HAND[2].private.expect("a part")).trim_matches('"').parse().expect("a hash");
    let forged = |with_salt: bool, digest: Option<Hash>, part: Option<&str>| {
        let mut items = page().items;
        items[2].private = part.map(raw);
        let proof = items[2].proof.as_mut().expect("a proof");
        proof.private_digest = digest;
        if !with_salt {
            proof.private_salt = None;
        }
        verify_chain(NAME, START, &items).map(|(seq, _)| seq)
    };
    let (genuine, other) = (r#"{"fee_percent":10,"net":81000}"#, r#"{"fee_percent":0,"net":90000}"#);
    assert_eq!(forged(true, None, Some(genuine)), Ok(5));
    assert_eq!(forged(true, Some(true_digest), Some(genuine)), Ok(5));
    assert_eq!(
        forged(false, Some(true_digest), None),
        Ok(5),
        "a part may be withheld when its digest is shown"
    );
    assert_eq!(forged(true, Some(true_digest), Some(other)), Err(ChainError::Mismatch(3)));
    assert_eq!(forged(true, Some(Hash([7; 32])), Some(genuine)), Err(ChainError::Mismatch(3)));
    assert_eq!(forged(false, Some(true_digest), Some(other)), Err(ChainError::Proof(3)));
    assert_eq!(forged(false, None, None), Err(ChainError::Mismatch(3)));
}

/// What redaction leaves of an entry: no text, no salt, the digest.
#[test]
fn a_log_still_verifies_after_a_part_was_deleted_and_a_digest_proves_nothing_beside_a_text() {
    let digest_of_first: Hash = digest(BY_HAND[0].public).trim_matches('"').parse().expect("a hash");
    let with = |data: Option<&str>, salt: bool, digest: Option<Hash>| {
        let mut items = page().items;
        if let Some(data) = data {
            items[0].data = raw(data);
        }
        let proof = items[0].proof.as_mut().expect("a proof");
        if !salt {
            proof.public_salt = None;
        }
        proof.public_digest = digest;
        verify_chain(NAME, START, &items).map(|(seq, _)| seq)
    };
    assert_eq!(with(Some("null"), false, Some(digest_of_first)), Ok(5));
    assert_eq!(with(Some("null"), false, Some(Hash([7; 32]))), Err(ChainError::Mismatch(1)));
    assert_eq!(with(Some(r#"{"body":"forged"}"#), false, Some(digest_of_first)), Err(ChainError::Proof(1)));
    assert_eq!(with(None, true, Some(digest_of_first)), Err(ChainError::Proof(1)), "one of the two");
    assert_eq!(with(Some("null"), false, None), Err(ChainError::Proof(1)));
}

#[test]
fn a_change_of_any_single_bit_of_the_text_of_a_log_is_found_or_changes_nothing() {
    let items = page().items;
    let original = serde_json::to_vec(&page()).expect("a page");
    let mut found = 0;
    for at in 0..original.len() * 8 {
        let mut bytes = original.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        let Ok(changed) = serde_json::from_slice::<EntryPage>(&bytes) else {
            continue;
        };
        if verify_chain(NAME, START, &changed.items).is_err() {
            found += 1;
        } else {
            assert!(changed.items == items, "bit {at}: {}", String::from_utf8_lossy(&bytes));
        }
    }
    assert!(found > original.len(), "only {found} changes were decoded at all");
}

/// Ways to change one entry so that it says something else.
fn tamper(entry: &mut EntryFrame, way: usize, bit: Index) {
    let flip = |hex: &mut String| {
        let at = bit.index(hex.len());
        let other = if hex.as_bytes()[at] == b'0' { "1" } else { "0" };
        hex.replace_range(at..=at, other);
    };
    let proof = entry.proof.as_mut().expect("a proof");
    match way {
        0 => entry.seq ^= 1 << bit.index(64),
        1 => entry.at = Time::from_micros(entry.at.as_micros() ^ (1 << bit.index(50))),
        2 => entry.kind.insert(bit.index(entry.kind.len()), 'x'),
        3 => entry.by = if entry.by.is_some() { None } else { Some("usr_ana_4821".parse().expect("an id")) },
        4 => entry.by = Some(format!("usr_{}", bit.index(1000)).parse().expect("an id")),
        5 => {
            entry.client_id = match entry.client_id {
                Some(ClientId(id)) if bit.index(129) < 128 => {
                    Some(ClientId(uuid::Uuid::from_u128(id.as_u128() ^ (1 << bit.index(128)))))
                }
                Some(_) => None,
                None => Some(ClientId(uuid::Uuid::from_u128(bit.index(1000) as u128))),
            }
        }
        6 => entry.hash.0[bit.index(32)] ^= 1 << bit.index(8),
        7 => entry.room = RoomRef::Inbox,
        8 => entry.room = RoomRef::Room(RoomId(uuid::Uuid::from_u128(bit.index(1000) as u128))),
        9 => entry.data = raw(changed_part(entry.data.get(), bit)),
        10 => {
            let part = entry.private.as_ref().map_or(r#"{"net":1}"#, |part| part.get());
            entry.private = Some(raw(changed_part(part, bit)));
        }
        11 => flip(proof.public_salt.as_mut().expect("a salt")),
        12 => match &mut proof.private_salt {
            Some(salt) => flip(salt),
            None => proof.private_salt = Some("00".repeat(16)),
        },
        13 => match &mut proof.private_digest {
            Some(digest) => digest.0[bit.index(32)] ^= 1 << bit.index(8),
            None => proof.private_digest = Some(Hash([7; 32])),
        },
        _ => {
            // A private part taken away, or one that never was.
            let there = entry.private.is_some() || proof.private_digest.is_some();
            entry.private = (!there).then(|| raw("{}"));
            proof.private_salt = (!there).then(|| "00".repeat(16));
            proof.private_digest = None;
        }
    }
}

/// The part with one of its strings or numbers changed.
fn changed_part(part: &str, at: Index) -> String {
    fn leaves(value: &mut Value) -> Vec<&mut Value> {
        match value {
            Value::Object(map) => map.values_mut().flat_map(leaves).collect(),
            Value::Array(items) => items.iter_mut().flat_map(leaves).collect(),
            leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => vec![leaf],
        }
    }
    let mut value: Value = serde_json::from_str(part).expect("JSON");
    let mut leaves = leaves(&mut value);
    let leaf = at.get_mut(&mut leaves);
    **leaf = match leaf.as_str() {
        Some(text) => {
            let (keep, _) = text.char_indices().nth(at.index(text.chars().count())).expect("a place");
            Value::from(format!("{}x{}", &text[..keep], &text[keep..]))
        }
        None => Value::from(leaf.as_i64().unwrap_or_default() + 1),
    };
    value.to_string()
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn a_change_of_any_field_of_any_entry_is_found(at in 0..5_usize, way in 0..15_usize, bit: Index) {
        let mut items = page().items;
        tamper(&mut items[at], way, bit);
        prop_assert!(verify_chain(NAME, START, &items).is_err(), "entry {} changed in way {}", at + 1, way);
    }

    #[test]
    fn a_change_with_a_hash_made_to_fit_is_found_at_the_next_entry(at in 0..4_usize, to: [u8; 32]) {
        let mut items = page().items;
        items[at].hash = Hash(to);
        let found = verify_chain(NAME, START, &items);
        prop_assert_eq!(found, Err(ChainError::Mismatch(at as u64 + 1)));
        let found = verify_chain(NAME, (at as u64 + 1, Hash(to)), &items[at + 1..]);
        prop_assert_eq!(found, Err(ChainError::Mismatch(at as u64 + 2)));
    }

    #[test]
    fn no_other_order_and_no_removal_but_of_the_tail_goes_unseen(order in Just(vec![0, 1, 2, 3, 4]).prop_shuffle(), keep in 0..=5_usize) {
        let items = page().items;
        let some: Vec<EntryFrame> = order[..keep].iter().map(|&at| items[at].clone()).collect();
        let in_order = order[..keep].iter().copied().eq(0..keep);
        prop_assert_eq!(verify_chain(NAME, START, &some).is_ok(), in_order);
    }

    #[test]
    fn entries_with_swapped_contents_and_their_own_numbers_are_found(one in 0..5_usize, further in 1..5_usize) {
        let other = (one + further) % 5;
        let mut items = page().items;
        let (first, second) = (items[one].clone(), items[other].clone());
        items[one] = EntryFrame { seq: first.seq, ..second.clone() };
        items[other] = EntryFrame { seq: second.seq, ..first };
        let found = verify_chain(NAME, START, &items);
        prop_assert_eq!(found, Err(ChainError::Mismatch(one.min(other) as u64 + 1)));
    }

    #[test]
    fn a_log_verifies_under_no_other_name_and_from_no_other_start(bit in 0..256_usize, user in "[a-z]{1,9}") {
        let items = page().items;
        let mut start = Hash::GENESIS;
        start.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(verify_chain(NAME, (0, start), &items), Err(ChainError::Mismatch(1)));
        let user: UserId = user.parse().expect("an id");
        let inbox = chain_name(RoomRef::Inbox, &user);
        prop_assert_eq!(verify_chain(&inbox, START, &items), Err(ChainError::Mismatch(1)));
    }
}

/// So many cases, unless `PROPTEST_CASES` asks for more, as a proof does.
fn cases(cases: u32) -> ProptestConfig {
    let told = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { told.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..told }
}
