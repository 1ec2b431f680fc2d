//! Transcripts that somebody has made who knows how, and has no key that is trusted: or a key, and tells what is not so.

use anteroom_protocol::contract::{ContractSealed, Seal};
use anteroom_protocol::id::{ContractId, JobId, OfferId, RoomId};
use anteroom_protocol::log::{ChainError, Hash};
use anteroom_protocol::signature::SigningKey;
use anteroom_protocol::transcript::{Audience, Cause, Trusted, verify};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::by_hand::{ByHand, header};
use crate::room::{ANA, BEN, Room, agree, key, older_key, small, stranger, terms, trusted, user};

/// The line of the small room's seal, and of its footer.
const SEAL: u64 = 11;
const FOOTER: u64 = 14;

fn fault(bytes: &[u8]) -> (u64, Cause) {
    let fault = verify(bytes, trusted()).expect_err("a forged transcript");
    (fault.line, fault.cause)
}

/// What is said of this room's transcript when it is signed with the server's key.
fn of_room(room: &Room) -> (u64, Cause) {
    fault(&ByHand::new(room, Audience::Staff).signed(&key()))
}

/// The small room under a header and a footer in which something is different.
fn with(audience: Audience, change: impl FnOnce(&mut ByHand)) -> (u64, Cause) {
    let mut file = ByHand::new(&small(), audience);
    change(&mut file);
    fault(&file.signed(&key()))
}

/// A room with terms, whose offer was accepted, and then this seal.
fn sealed(key: &SigningKey, change: impl FnOnce(&mut Seal)) -> (u64, Cause) {
    let (mut room, hash) = (Room::new(1), terms(90_000).hash());
    room.propose(BEN, 1, 90_000, None);
    room.accept(1, hash);
    let mut seal = room.seal_of(1, hash, key);
    change(&mut seal);
    room.seal(seal, key);
    of_room(&room)
}

#[test]
fn other_words_are_found_by_the_chain_and_under_another_chain_by_the_seal_and_the_key() {
    let mut room = small();
    room.rows[3].public = r#"{"body":"Net!"}"#.to_owned();
    assert_eq!(of_room(&room), (5, Cause::Chain(ChainError::Mismatch(4))));
    let mut room = room.rechained();
    assert_eq!(of_room(&room), (SEAL, Cause::SealHead));
    // So the forger seals it again.
    room.rows.truncate(9);
    let seal = room.seal_of(2, terms(80_000).hash(), &stranger());
    room.seal(seal.clone(), &stranger());
    let untrusted = Cause::UntrustedKey(stranger().public().fingerprint());
    assert_eq!(of_room(&room), (SEAL, untrusted.clone()));
    room.rows.truncate(9);
    room.seal(Seal { key: key().public().fingerprint(), ..seal }, &stranger());
    assert_eq!(of_room(&room), (SEAL, Cause::SealSignature));
    // Behind the seal only the footer can tell.
    let mut room = small();
    room.rows[11].public = r#"{"body":"Not done"}"#.to_owned();
    let file = ByHand::new(&room.rechained(), Audience::Staff);
    assert_eq!(fault(&file.signed(&stranger())), (FOOTER, untrusted));
}

#[test]
fn a_footer_of_another_key_is_found_whatever_it_says_of_its_key() {
    let ours = json!({ "key": key().public().fingerprint() });
    let both = json!({ "key": key().public().fingerprint(), "public_key": key().public() });
    for (footer, cause) in [(ours, Cause::FooterKey), (both, Cause::FooterSignature)] {
        let file = ByHand { footer, ..ByHand::new(&small(), Audience::Client) };
        assert_eq!(fault(&file.signed(&stranger())), (FOOTER, cause));
    }
}

#[test]
fn keys_that_the_file_itself_brings_are_not_trusted() {
    let mut file = ByHand::new(&small(), Audience::Client);
    file.header["keys"] = json!([key().public(), older_key().public(), stranger().public()]);
    let untrusted = Cause::UntrustedKey(stranger().public().fingerprint());
    assert_eq!(fault(&file.signed(&stranger())), (FOOTER, untrusted));
    let nobody = verify(&file.signed(&key())[..], Trusted::default()).expect_err("nobody is trusted");
    let older = older_key().public().fingerprint();
    assert_eq!((nobody.line, nobody.cause), (SEAL, Cause::UntrustedKey(older)));
}

#[test]
fn a_key_that_is_known_by_its_fingerprint_alone_has_to_stand_in_the_header() {
    let mut file = ByHand::new(&small(), Audience::Client);
    file.header["keys"] = json!([key().public()]);
    let older = older_key().public().fingerprint();
    let half_known = Trusted::default().key(key().public()).fingerprint(older);
    let fault = verify(&file.signed(&key())[..], half_known).expect_err("an unknown key");
    assert_eq!((fault.line, fault.cause), (SEAL, Cause::UnknownKey(older)));
    let known = trusted().fingerprint(older);
    assert!(verify(&file.signed(&key())[..], known).is_ok(), "a key that was given stays known");
}

#[test]
fn a_seal_of_another_key_is_found() {
    let untrusted = Cause::UntrustedKey(stranger().public().fingerprint());
    assert_eq!(sealed(&stranger(), |_| ()), (4, untrusted));
    let older = older_key().public().fingerprint();
    assert_eq!(sealed(&key(), |seal| seal.key = older), (4, Cause::SealSignature));
    let signed_for_another = || {
        let (mut room, hash) = (Room::new(1), terms(90_000).hash());
        room.propose(BEN, 1, 90_000, None);
        room.accept(1, hash);
        let seal = room.seal_of(1, hash, &key());
        let other = Seal { sealed_at: crate::room::at(77), ..seal.clone() };
        let mixed =
            ContractSealed { seal: Box::new(seal), signature: ContractSealed::new(other, &key()).signature };
        room.push(None, &anteroom_protocol::entry::EntryData::ContractSealed(mixed));
        of_room(&room)
    };
    assert_eq!(signed_for_another(), (4, Cause::SealSignature));
}

#[test]
fn a_seal_in_another_place_is_found() {
    let mut room = small();
    let seal = room.rows.remove(9);
    room.rows.truncate(9);
    room.say(ANA, "One thing more");
    room.push_raw(None, &seal.kind, seal.public.clone(), None);
    assert_eq!(of_room(&room), (12, Cause::SealPosition { said: 9, before: 10 }));
    // The genuine key seals what nobody accepted.
    room.rows.truncate(10);
    let unheard = room.seal_of(2, terms(80_000).hash(), &key());
    room.seal(unheard, &key());
    let offer = Some(crate::room::offer());
    assert_eq!(of_room(&room), (12, Cause::SealAcceptance { offer, version: 2 }));
    assert_eq!(sealed(&key(), |seal| seal.position = 1), (4, Cause::SealPosition { said: 1, before: 2 }));
    assert_eq!(sealed(&key(), |seal| seal.head = Hash([7; 32])), (4, Cause::SealHead));
}

#[test]
fn a_seal_of_something_else_than_was_accepted_is_found() {
    let acceptance = |offer, version| (4, Cause::SealAcceptance { offer, version });
    let (offer, other) = (Some(crate::room::offer()), OfferId(Uuid::from_u128(7)));
    assert_eq!(sealed(&key(), |seal| seal.version = 2), acceptance(offer, 2));
    assert_eq!(sealed(&key(), |seal| seal.terms = Hash([7; 32])), acceptance(offer, 1));
    assert_eq!(sealed(&key(), |seal| seal.offer = Some(other)), acceptance(Some(other), 1));
    assert_eq!(sealed(&key(), |seal| seal.offer = None), acceptance(None, 1));
}

#[test]
fn a_seal_between_others_is_found() {
    let job: JobId = "job_8".parse().expect("an id");
    let changes: [&dyn Fn(&mut Seal); 5] = [
        &|seal| seal.room = RoomId(Uuid::from_u128(7)),
        &|seal| seal.candidacy.0 = Uuid::from_u128(7),
        &|seal| seal.job = job.clone(),
        &|seal| seal.client = user("usr_eve"),
        &|seal| seal.freelancer = user("usr_eve"),
    ];
    for change in changes {
        assert_eq!(sealed(&key(), change), (4, Cause::SealParties));
    }
}

#[test]
fn a_contract_that_was_formed_elsewhere_is_not_that_of_another_seal() {
    let hash = terms(90_000).hash();
    let (other, ours): (ContractId, ContractId) =
        ("con_78".parse().expect("an id"), "con_77".parse().expect("an id"));
    for (contract, offer) in [(other, None), (ours, Some(crate::room::offer()))] {
        let mut room = Room::new(1);
        room.propose(BEN, 1, 90_000, None);
        let formed = json!({ "contract": contract, "version": 1, "hash": hash });
        room.push_raw(None, "contract.formed", formed.to_string(), None);
        let seal = Seal { offer, ..room.seal_of(1, hash, &key()) };
        room.seal(seal, &key());
        assert_eq!(of_room(&room), (4, Cause::SealAcceptance { offer, version: 1 }));
    }
}

#[test]
fn terms_under_a_hash_that_is_not_theirs_are_found() {
    let mut room = Room::new(1);
    room.propose(BEN, 1, 90_000, None);
    let cheaper = room.rows[0].public.replace("90000", "80000");
    room.push_raw(Some(BEN), "terms.proposed", cheaper.replace("\"version\":1", "\"version\":2"), None);
    assert_eq!(of_room(&room), (3, Cause::TermsHash(2)));
}

#[test]
fn a_version_that_was_proposed_twice_with_other_terms_is_found() {
    let mut room = Room::new(1);
    room.propose(BEN, 1, 90_000, None);
    room.propose(BEN, 1, 90_000, None);
    room.propose(BEN, 1, 80_000, None);
    assert_eq!(of_room(&room), (4, Cause::TermsTwice(1)));
}

#[test]
fn sealed_terms_that_nobody_proposed_are_found() {
    for (proposed, version) in [(80_000, 1), (90_000, 2)] {
        let (mut room, hash) = (Room::new(1), terms(90_000).hash());
        room.propose(BEN, 1, proposed, None);
        room.accept(version, hash);
        let seal = room.seal_of(version, hash, &key());
        room.seal(seal, &key());
        assert_eq!(of_room(&room), (4, Cause::SealTerms(version)));
    }
}

#[test]
fn an_entry_that_matters_and_cannot_be_read_is_found() {
    for kind in ["terms.proposed", "offer.accepted", "contract.formed", "contract.sealed"] {
        for data in ["{}", "null"] {
            let mut room = Room::new(1);
            room.push_raw(None, kind, data.to_owned(), None);
            let (line, cause) = of_room(&room);
            assert!(
                matches!(cause, Cause::Data { seq: 1, kind: ref of, .. } if of == kind),
                "{line}: {cause}"
            );
        }
    }
    let mut room = Room::new(1);
    agree(&mut room);
    room.rows[3].deleted = true;
    let (line, cause) = of_room(&room);
    assert!(line == 5 && matches!(cause, Cause::Data { .. }), "a seal is never deleted: {cause}");
}

#[test]
fn a_private_part_that_is_smuggled_to_the_client_is_found() {
    let room = small();
    let shown = |file: &mut ByHand| file.entries = ByHand::new(&room, Audience::Staff).entries;
    assert_eq!(with(Audience::Client, shown), (3, Cause::Private(2)));
    let salted = |file: &mut ByHand| {
        file.entries[4] = file.entries[4].replace(r#""proof":{"#, r#""proof":{"private_salt":"","#);
    };
    assert_eq!(with(Audience::Client, salted), (6, Cause::Private(5)));
}

#[test]
fn the_footer_of_another_transcript_is_found() {
    let whole = small().transcript(Audience::Client);
    let under = |room: &Room, audience| {
        let (other, at) = (room.transcript(audience), |bytes: &[u8]| {
            bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("lines") + 1
        });
        fault(&[&whole[..at(&whole)], &other[at(&other)..]].concat())
    };
    let mut elsewhere = small();
    elsewhere.id = RoomId(Uuid::from_u128(7));
    elsewhere.rows.truncate(8);
    assert_eq!(under(&elsewhere.rechained(), Audience::Client), (FOOTER, Cause::FooterRoom));
    let mut earlier = small();
    earlier.rows.truncate(11);
    let fewer = Cause::FooterEntries { said: 11, found: 12 };
    assert_eq!(under(&earlier, Audience::Client), (FOOTER, fewer));
    let mut otherwise = small();
    otherwise.rows[11].public = r#"{"body":"Not done"}"#.to_owned();
    assert_eq!(under(&otherwise.rechained(), Audience::Client), (FOOTER, Cause::FooterHash));
    assert_eq!(under(&small(), Audience::Staff), (FOOTER, Cause::FooterDigest));
}

#[test]
fn a_footer_that_tells_what_is_not_so_is_found_though_its_key_is_trusted() {
    let claims = [
        (json!({ "room": Uuid::from_u128(7) }), Cause::FooterRoom),
        (json!({ "entries": 11 }), Cause::FooterEntries { said: 11, found: 12 }),
        (json!({ "head": 13 }), Cause::FooterHead { said: 13, found: 12 }),
        (json!({ "hash": Hash([7; 32]) }), Cause::FooterHash),
        (json!({ "digest": Hash([7; 32]) }), Cause::FooterDigest),
    ];
    for (claim, cause) in claims {
        assert_eq!(with(Audience::Staff, |file| file.footer = claim), (FOOTER, cause));
    }
}

#[test]
fn an_entry_of_another_room_is_found() {
    let mut elsewhere = small();
    elsewhere.id = RoomId(Uuid::from_u128(7));
    let moved = ByHand::new(&elsewhere.rechained(), Audience::Staff);
    let exchange = |file: &mut ByHand| file.entries[2] = moved.entries[2].clone();
    assert_eq!(with(Audience::Staff, exchange), (4, Cause::OtherRoom(3)));
    let header = |file: &mut ByHand| file.header = header(&elsewhere.header(Audience::Staff));
    assert_eq!(with(Audience::Staff, header), (2, Cause::OtherRoom(1)));
}

#[test]
fn another_text_of_the_same_id_or_instant_is_found() {
    for (text, same) in [
        ("019a3f6c-5d10-7c31-9b52-2f0c00000001", "019A3F6C-5D10-7C31-9B52-2F0C00000001"),
        ("2026-11-02T09:01:01.000007Z", "2026-11-02T10:01:01.000007+01:00"),
        ("abcdef00", "ABCDEF00"),
    ] {
        let respell = |file: &mut ByHand| file.entries[0] = file.entries[0].replacen(text, same, 1);
        assert_eq!(with(Audience::Staff, respell), (2, Cause::Spelling(1)), "{same}");
    }
}

#[test]
fn an_entry_without_its_proof_is_found() {
    let strip = |file: &mut ByHand| {
        let mut entry: Value = serde_json::from_str(&file.entries[0]).expect("JSON");
        entry.as_object_mut().expect("an object").remove("proof");
        file.entries[0] = entry.to_string();
    };
    assert_eq!(with(Audience::Staff, strip), (2, Cause::Chain(ChainError::Proof(1))));
}

#[test]
fn a_form_of_a_later_time_is_named() {
    assert_eq!(with(Audience::Staff, |file| file.header["version"] = json!(2)), (1, Cause::Version(2)));
    let (line, cause) = with(Audience::Staff, |file| file.header["version"] = Value::Null);
    assert!(line == 1 && matches!(cause, Cause::Form(_)), "{cause}");
}

#[test]
fn a_header_or_footer_in_another_text_of_the_same_value_is_found() {
    let whole = String::from_utf8(small().transcript(Audience::Client)).expect("UTF-8");
    for (text, same, line) in [
        (r#"{"audience""#, r#"{ "audience""#, 1),
        (r#""audience":"client","#, r#""audience":"staff","audience":"client","#, 1),
        ("Seven pages", r"Seven p\u0061ges", 1),
        (r#","head":12"#, r#","head":12.0"#, FOOTER),
        (r#"{"digest""#, r#"{"entries":12,"digest""#, FOOTER),
    ] {
        assert_eq!(fault(whole.replacen(text, same, 1).as_bytes()), (line, Cause::NotCanonical), "{same}");
    }
}
