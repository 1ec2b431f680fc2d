//! Edits and redactions: whose they are and for how long, and that what was deleted is deleted.

use anteroom::domain::actor::{Actor, Scope};
use anteroom::domain::log::{Log, LogEntry};
use anteroom::domain::message::{self, Reason};
use anteroom::domain::policy::Policy;
use anteroom::domain::refusal::Refusal;
use anteroom::store::{CommitError, Committed};
use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::command::Command;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::user::UserStatus;
use serde_json::{Value, json};

use super::deed::{self, body, person};
use super::world::{Post, World, message_answer, refusal, told};
use crate::support::ask;

const MINUTE: i64 = 60;

/// The marketplace's own systems.
pub(super) fn service() -> Actor {
    Actor { user: "marketplace".parse().expect("an id"), scope: Scope::Service }
}

async fn amended(world: &World, name: &str, command: &Command) -> Committed {
    let done = world.act(&person(name), world.client_id(), command).await.expect("done");
    assert!(!done.duplicate);
    done
}

async fn refused(world: &World, name: &str, command: &Command) -> Refusal {
    refusal(world.refused(name, command).await)
}

fn data(entry: &LogEntry) -> Value {
    serde_json::from_str(entry.public.json()).expect("JSON")
}

async fn entry(world: &World, room: RoomId, seq: u64) -> LogEntry {
    let entries = world.sound(&Log::Room(room)).await;
    entries.into_iter().find(|entry| entry.seq == seq).expect("an entry")
}

/// A room of Clara and Felix with one message of Felix's: the room, its name on the wire, and the message's number.
async fn said(world: &World, words: &str) -> (RoomId, RoomRef, u64) {
    let room = world.room("garden", "felix").await;
    let seq = world.posted("felix", room, words).await.seq;
    (room, RoomRef::Room(room), seq)
}

pub(super) async fn an_edit_is_an_entry_and_every_version_stays(world: World) {
    let (room, name, seq) = said(&world, "first").await;
    let before = entry(&world, room, seq).await;
    for (number, words) in ["second", "third"].into_iter().enumerate() {
        let done = amended(&world, "felix", &ask::edit(name, seq, words)).await;
        let [appended] = done.appended.as_slice() else { panic!("one entry") };
        assert_eq!(appended.entry.seq, seq + 1 + number as u64);
        assert_eq!(
            (message_answer(&done).seq, message_answer(&done).hash),
            (appended.entry.seq, appended.entry.hash)
        );
        assert_eq!(*appended.readers, ["clara", "felix"].map(super::world::user));
        assert_eq!(entry(&world, room, appended.entry.seq).await, *appended.entry);
        assert_eq!(data(&appended.entry), json!({"seq": seq, "body": words}));
        assert_eq!(&*appended.entry.kind, "message.edited");
        let now = entry(&world, room, seq).await;
        assert_eq!(now, LogEntry { amended_by: Some(appended.entry.seq), ..before.clone() });
    }
    assert_eq!(data(&entry(&world, room, seq).await), json!({"body": "first"}));
    assert_eq!(world.posted("clara", room, "I see").await.seq, seq + 3, "the numbers go on");
}

pub(super) async fn an_edit_is_done_within_its_window_and_not_after_it(world: World) {
    let (room, name, seq) = said(&world, "first").await;
    // Each question makes it a second later.
    world.wait(15 * MINUTE - 2);
    amended(&world, "felix", &ask::edit(name, seq, "just in time")).await;
    world.wait(1);
    assert_eq!(refused(&world, "felix", &ask::edit(name, seq, "too late")).await, Refusal::EditWindowOver);
    assert_eq!(world.sound(&Log::Room(room)).await.len() as u64, seq + 1, "refused uses up no number");
    // Deleting has no window.
    amended(&world, "felix", &ask::redact(name, seq)).await;
}

pub(super) async fn only_its_author_amends_a_message_and_strangers_learn_nothing(world: World) {
    let (room, name, seq) = said(&world, "mine").await;
    let before = world.sound(&Log::Room(room)).await;
    for command in [ask::edit(name, seq, "yours"), ask::redact(name, seq)] {
        assert_eq!(refused(&world, "clara", &command).await, Refusal::NotTheAuthor);
        assert_eq!(refused(&world, "mallory", &command).await, Refusal::NotFound);
    }
    for (target, expected) in [(1, Refusal::NotAMessage), (3, Refusal::NotAMessage)] {
        assert_ne!(&*before[target - 1].kind, "message.posted");
        for command in [ask::edit(name, target as u64, "no"), ask::redact(name, target as u64)] {
            assert_eq!(refused(&world, "felix", &command).await, expected);
        }
    }
    for target in [0, seq + 1, u64::MAX] {
        for command in [ask::edit(name, target, "no"), ask::redact(name, target)] {
            assert!(matches!(refused(&world, "felix", &command).await, Refusal::Invalid(_)), "{target}");
        }
    }
    let missing = RoomRef::Room(RoomId(world.fresh()));
    for command in [ask::edit(missing, seq, "no"), ask::redact(missing, seq)] {
        assert_eq!(refused(&world, "felix", &command).await, Refusal::NotFound);
    }
    assert_eq!(world.sound(&Log::Room(room)).await, before);
}

pub(super) async fn an_edit_or_a_redaction_is_no_message_that_could_be_amended(world: World) {
    let (_, name, seq) = said(&world, "first").await;
    amended(&world, "felix", &ask::edit(name, seq, "second")).await;
    assert_eq!(refused(&world, "felix", &ask::edit(name, seq + 1, "third")).await, Refusal::NotAMessage);
    assert_eq!(refused(&world, "felix", &ask::redact(name, seq + 1)).await, Refusal::NotAMessage);
    amended(&world, "felix", &ask::redact(name, seq)).await;
    assert_eq!(refused(&world, "felix", &ask::redact(name, seq + 2)).await, Refusal::NotAMessage);
    for command in [ask::edit(name, seq, "third"), ask::redact(name, seq)] {
        assert_eq!(refused(&world, "felix", &command).await, Refusal::AlreadyRedacted);
    }
}

pub(super) async fn nobody_amends_in_a_room_that_is_closed_or_while_suspended_but_the_marketplace_deletes(
    world: World,
) {
    let (candidacy, room) = world.case("garden", "felix").await;
    let name = RoomRef::Room(room);
    let seq = world.posted("felix", room, "first").await.seq;
    let other = world.posted("felix", room, "other").await.seq;
    world.tell_of("felix", UserStatus::Suspended).await;
    for command in [ask::edit(name, seq, "no"), ask::redact(name, seq)] {
        assert!(matches!(refused(&world, "felix", &command).await, Refusal::Account(_)));
    }
    world.act(&service(), world.client_id(), &ask::redact(name, seq)).await.expect("deleted");
    world.tell_of("felix", UserStatus::Active).await;
    world.done("clara", &ask::decline_candidacy(candidacy)).await;
    for command in [ask::edit(name, other, "no"), ask::redact(name, other)] {
        assert_eq!(refused(&world, "felix", &command).await, Refusal::WrongPhase(Phase::Declined));
    }
    world.act(&service(), world.client_id(), &ask::redact(name, other)).await.expect("deleted");
    for seq in [seq, other] {
        assert_eq!(data(&entry(&world, room, seq).await), Value::Null);
    }
}

pub(super) async fn the_marketplace_deletes_in_its_own_name_and_edits_nothing(world: World) {
    let (room, name, seq) = said(&world, "first").await;
    let edit = world.act(&service(), world.client_id(), &ask::edit(name, seq, "no")).await;
    assert!(matches!(edit, Err(CommitError::Refused(_))), "{edit:?}");
    let staff = Actor { scope: Scope::Staff, ..service() };
    let by_staff = world.act(&staff, world.client_id(), &ask::redact(name, seq)).await;
    assert_eq!(refusal(by_staff.expect_err("refused")), Refusal::Forbidden);
    let key = world.client_id();
    let done = world.act(&service(), key, &ask::redact(name, seq)).await.expect("deleted");
    let redaction = &done.appended[0].entry;
    assert_eq!(redaction.by, None, "it is nobody's of the room");
    let expected = json!({"seq": seq, "reason": "said in anger", "on_behalf": "marketplace"});
    assert_eq!(data(redaction), expected);
    assert_eq!(entry(&world, room, seq).await.amended_by, Some(redaction.seq));
    let again = world.act(&service(), key, &ask::redact(name, seq)).await.expect("repeated");
    assert!(again.duplicate && told(&again) == told(&done));
}

pub(super) async fn an_amendment_repeated_gets_the_same_answer_and_another_under_its_id_is_refused(
    mut world: World,
) {
    let (room, name, seq) = said(&world, "first").await;
    let felix = person("felix");
    let (edit_id, redact_id) = (world.client_id(), world.client_id());
    let edit = ask::edit(name, seq, "second");
    let edited = world.act(&felix, edit_id, &edit).await.expect("done");
    let again = world.act(&felix, edit_id, &edit).await.expect("repeated");
    assert!(again.duplicate && again.appended.is_empty() && told(&again) == told(&edited));
    for other in [ask::edit(name, seq, "third"), ask::edit(name, seq + 1, "second"), ask::redact(name, seq)] {
        assert_eq!(world.act(&felix, edit_id, &other).await.expect_err("refused"), CommitError::Reused);
    }
    let post = Post { actor: felix.clone(), client_id: edit_id, room: name, body: "second".into() };
    assert_eq!(world.commit(&[post]).await.remove(0).expect_err("refused"), CommitError::Reused);
    world.wait(60 * MINUTE);
    assert!(world.act(&felix, edit_id, &edit).await.expect("repeated when it is too late").duplicate);

    let redact = ask::redact(name, seq);
    let redacted = world.act(&felix, redact_id, &redact).await.expect("done");
    for _ in 0..2 {
        let again = world.act(&felix, redact_id, &redact).await.expect("repeated");
        assert!(again.duplicate && told(&again) == told(&redacted));
        let other = world.act(&felix, redact_id, &ask::edit(name, seq, "no")).await;
        assert_eq!(other.expect_err("refused"), CommitError::Reused);
        assert!(world.act(&felix, edit_id, &edit).await.expect("known").duplicate, "also what was deleted");
        world.open_again().await;
    }
    assert_eq!(world.sound(&Log::Room(room)).await.len() as u64, seq + 2);
}

pub(super) async fn what_was_deleted_is_shown_to_nobody_and_the_chain_holds(mut world: World) {
    let (room, name, seq) = said(&world, "the secret").await;
    amended(&world, "felix", &ask::edit(name, seq, "another secret")).await;
    world.posted("felix", room, "a neighbour").await;
    let other = world.posted("felix", room, "of another message").await.seq;
    amended(&world, "felix", &ask::edit(name, other, "which stays")).await;
    let before = world.sound(&Log::Room(room)).await;
    let redaction = message_answer(&amended(&world, "felix", &ask::redact(name, seq)).await).seq;
    for _ in 0..2 {
        // The chain is computed here from what a reader gets: digests stand in for the salts that are gone.
        let after = world.sound(&Log::Room(room)).await;
        for (old, new) in before.iter().zip(&after) {
            let gone = old.seq == seq || old.seq == seq + 1;
            assert_eq!(
                (new.seq, new.hash, &new.kind, new.public.digest()),
                (old.seq, old.hash, &old.kind, old.public.digest())
            );
            assert_eq!(new.public.salt().is_none(), gone, "{}", old.seq);
            assert_eq!(new.public.json() == "null", gone, "{}", old.seq);
        }
        assert_eq!(after[usize::try_from(seq - 1).expect("small")].amended_by, Some(redaction));
        assert!(!format!("{:?}", world.everything().await).contains("secret"));
        world.open_again().await;
    }
}

pub(super) async fn what_was_deleted_is_not_restored_by_sending_it_again(mut world: World) {
    let room = world.room("garden", "felix").await;
    let name = RoomRef::Room(room);
    let post = world.post("felix", room, "the secret");
    let first = world.commit(std::slice::from_ref(&post)).await.remove(0).expect("written");
    let seq = message_answer(&first).seq;
    let (edit_id, edit) = (world.client_id(), ask::edit(name, seq, "another secret"));
    world.act(&person("felix"), edit_id, &edit).await.expect("done");
    amended(&world, "felix", &ask::redact(name, seq)).await;
    let after = world.sound(&Log::Room(room)).await;
    for _ in 0..2 {
        // What it said is not known any more, so whatever comes under its id is it.
        for body in ["the secret", "something else"] {
            let again = Post { body: body.into(), ..post.clone() };
            for done in world.commit(&[again.clone(), again]).await {
                let done = done.expect("known");
                assert!(done.duplicate && done.appended.is_empty());
                assert_eq!(told(&done), told(&first));
            }
        }
        assert!(world.act(&person("felix"), edit_id, &edit).await.expect("known").duplicate);
        assert_eq!(world.sound(&Log::Room(room)).await, after, "nothing was written, nothing came back");
        world.open_again().await;
    }
}

pub(super) async fn the_first_message_of_a_room_is_deleted_like_any_other(world: World) {
    let job = world.job("garden", "clara", Default::default()).await;
    let sent = world.done("clara", &ask::invite(&job, &super::world::user("felix"), None)).await;
    let (id, accept) = (world.client_id(), ask::accept(sent.invitation.expect("its id"), None));
    let accepted = world.act(&person("felix"), id, &accept).await.expect("done");
    let room = super::world::room_of(&super::world::case_answer(&accepted));
    let entries = world.sound(&Log::Room(room)).await;
    let first = entries.iter().find(|entry| &*entry.kind == "message.posted").expect("his first words");
    amended(&world, "felix", &ask::redact(RoomRef::Room(room), first.seq)).await;
    assert_eq!(data(&entry(&world, room, first.seq).await), Value::Null);
    assert!(!format!("{:?}", world.everything().await).contains("Gladly."));
    let again = world.act(&person("felix"), id, &accept).await.expect("repeated");
    assert!(again.duplicate && told(&again) == told(&accepted), "the acceptance stands");
}

/// Nobody can be hired yet: the rule is asked what it would say.
pub(super) async fn after_a_hire_only_the_marketplace_deletes(world: World) {
    let (room, _, seq) = said(&world, "what they agreed on").await;
    let target = entry(&world, room, seq).await;
    let seen = std::sync::Mutex::new(None);
    let look = |_: usize, room: &anteroom::domain::room::Room| {
        *seen.lock().expect("no panic") = Some(room.clone());
        Err(Refusal::Forbidden)
    };
    let write = world.post("felix", room, "only to look").write();
    world.store().commit(&[write], world.moment(), &look).await.remove(0).expect_err("refused");
    let mut room = seen.into_inner().expect("no panic").expect("looked at");
    let reason = Reason::parse("said in anger".into()).expect("a reason");
    for (phase, by_author) in [(Phase::Active, true), (Phase::Offered, true), (Phase::Hired, false)] {
        room.candidacy = room.candidacy.map(|(candidacy, _)| (candidacy, phase));
        for (actor, may) in [(person("felix"), by_author), (service(), true)] {
            let by = deed::amending(&actor, world.client_id(), world.now(), Policy::default());
            let outcome = message::redact(&room, Some(&target), &by, &reason);
            assert_eq!(outcome.is_ok(), may, "{phase:?} {by:?}: {outcome:?}");
            if !may {
                assert_eq!(outcome, Err(Refusal::WrongPhase(Phase::Hired)));
            }
        }
        let actor = person("felix");
        let by = deed::amending(&actor, world.client_id(), world.now(), Policy::default());
        let words = body("other words").expect("a body");
        assert!(
            message::edit(&room, Some(&target), &by, &words).is_ok(),
            "edits keep what was said: {phase:?}"
        );
    }
}
