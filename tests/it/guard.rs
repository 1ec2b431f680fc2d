//! The contact guard at every door: what is refused, where, and that nothing else comes of it.

use std::fmt::Write as _;

use anteroom::domain::guard::measure::{Labelled, measure};
use anteroom::domain::guard::{Action, ContactPolicy, examine};
use anteroom_load_tests::client::new_client_id;
use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::client::{ClientFrame, Envelope};
use anteroom_protocol::command::Command;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::guard::{ContactKind, ContactRule, ContactSpan};
use anteroom_protocol::id::{InvitationId, RoomRef};
use anteroom_protocol::invitation::{DeclineReason, InvitationStatus, InvitationView};
use anteroom_protocol::terms::{Milestone, Terms, TermsKind};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cli::prints;
use crate::support::{Door, Scene, TestServer, ask, kinds, over_both_doors};

over_both_doors![
    a_decline_that_carries_an_address_is_refused_with_its_place_and_stays_with_its_author,
    what_is_refused_before_the_room_passes_in_it,
    every_text_that_the_other_side_would_read_before_the_room_is_judged,
    words_with_a_decline_reach_the_client_alone_of_the_two_and_are_kept,
    until_the_contract_the_room_refuses_what_it_takes_from_then_on,
    the_message_of_an_acceptance_is_judged_in_the_phase_that_it_creates,
];

const ADDRESS: &str = "Schade! ✨ Write to jörg.brandt@werkstatt-brandt.de, or call +49 170 1234567.";

fn decline(invitation: InvitationId, message: &str) -> Command {
    ask::saying(ask::decline(invitation, DeclineReason::TooBusy, None), message)
}

fn places(error: &ErrorBody) -> &[ContactSpan] {
    error.contact.as_ref().expect("places")
}

fn quoted(text: &str, error: &ErrorBody) -> Vec<String> {
    let quote = |span: &ContactSpan| {
        let (start, end) = (span.start as usize, span.end as usize);
        text.chars().skip(start).take(end - start).collect::<String>()
    };
    places(error).iter().map(quote).collect()
}

async fn on(policy: ContactPolicy, door: Door) -> Scene {
    Scene::on(TestServer::start_with(|config| config.policy.contact = policy).await, door).await
}

async fn a_decline_that_carries_an_address_is_refused_with_its_place_and_stays_with_its_author(
    mut scene: Scene,
) {
    let (_, invitation) = scene.invited(None).await;
    let (client, freelancer) = (scene.client.inbox().await.len(), scene.freelancer.inbox().await.len());
    let client_id = new_client_id();
    let refused =
        scene.freelancer.say_as(client_id, decline(invitation, ADDRESS)).await.expect_err("refused");
    assert_eq!((refused.code, refused.retryable), (ErrorCode::ContactRefused, false));
    assert_eq!(quoted(ADDRESS, &refused), ["jörg.brandt@werkstatt-brandt.de", "+49 170 1234567"]);
    let told: Vec<_> =
        places(&refused).iter().map(|span| (span.field.as_str(), span.kind, span.rule)).collect();
    assert_eq!(
        told,
        [
            ("message", ContactKind::Email, ContactRule::EmailAddress),
            ("message", ContactKind::Phone, ContactRule::PhoneNumber)
        ]
    );
    for person in [&scene.client, &scene.freelancer] {
        let seen: InvitationView = person.see(&format!("/v1/invitations/{invitation}")).await;
        assert_eq!((seen.status, seen.decline_message), (InvitationStatus::Pending, None));
    }
    assert_eq!(
        (scene.client.inbox().await.len(), scene.freelancer.inbox().await.len()),
        (client, freelancer),
        "nobody was told"
    );
    // What was refused has left no trace: the same intention, in other words, under the same id.
    let said = scene.freelancer.say_as(client_id, decline(invitation, "Schade, zu viel zu tun.")).await;
    assert_eq!(said.expect("declined")["phase"], json!("declined"));
}

async fn what_is_refused_before_the_room_passes_in_it(mut scene: Scene) {
    let (_, room) = scene.talking().await;
    let posted = scene.freelancer.posted(room, ADDRESS).await;
    scene.freelancer.say(ask::edit(room, posted.seq, "ring me: 06 12 34 56 78")).await.expect("edited");
    let candidacy = scene.client.list("/v1/candidacies").await[0]["id"].clone();
    let candidacy = serde_json::from_value(candidacy).expect("an id");
    let terms = Terms { scope: Some(ADDRESS.into()), ..ask::hourly(7_000) };
    scene.freelancer.case(ask::propose_terms(candidacy, 0, terms)).await;
    let entries = scene.room(room).await;
    let told = kinds(&entries);
    assert_eq!(told[told.len() - 3..], ["message.posted", "message.edited", "terms.proposed"]);
}

async fn every_text_that_the_other_side_would_read_before_the_room_is_judged(mut scene: Scene) {
    let milestones = vec![Milestone { title: "mail ana@lopez.dev".into(), amount: 10_000, due_date: None }];
    let fixed = Terms { kind: TermsKind::Fixed, amount: 10_000, weekly_hours: None, ..ask::hourly(1) };
    let scoped = Terms { scope: Some("Details: t.me/felix_codes".into()), ..ask::hourly(7_000) };
    let titled = Terms { milestones: Some(milestones), ..fixed };
    let invite = |message: &str, terms: Option<Terms>| {
        ask::saying(ask::invite(&scene.job, &scene.freelancer.user, terms), message)
    };
    let of_the_client = [
        (invite("Skype: clara.weber_mueller, let us talk there", None), "message"),
        (invite("Shall we talk?", Some(scoped.clone())), "terms.scope"),
        (invite("Shall we talk?", Some(titled.clone())), "terms.milestones.0.title"),
    ];
    for (command, field) in of_the_client {
        let refused = scene.client.refused_with(ErrorCode::ContactRefused, command.clone()).await;
        assert_eq!(places(&refused)[0].field, field, "{command:?}");
    }
    assert_eq!(scene.freelancer.inbox().await.len(), 0, "nobody was invited");

    let letter = ask::propose(&scene.job, ask::hourly(7_000));
    let letter = ask::saying(letter, "Reach me: felix (at) okafor (dot) dev");
    for (command, field) in
        [(letter, "cover_letter"), (ask::propose(&scene.job, scoped.clone()), "terms.scope")]
    {
        let refused = scene.freelancer.refused_with(ErrorCode::ContactRefused, command).await;
        assert_eq!(places(&refused)[0].field, field);
    }
    assert_eq!(scene.client.inbox().await.len(), 0, "nobody has proposed");
    // Terms go on changing while a proposal waits for its answer.
    let (case, _) = scene.proposed().await;
    let other = ask::propose_terms(case.candidacy, 1, scoped);
    scene.freelancer.refused_with(ErrorCode::ContactRefused, other).await;
    let seen: CandidacyView = scene.client.see(&format!("/v1/candidacies/{}", case.candidacy)).await;
    assert_eq!((seen.phase, seen.terms_version), (Phase::Submitted, 1));

    scene.job = scene.another_job("job-2").await;
    let (_, invitation) = scene.invited(None).await;
    let reason = ask::decline(invitation, DeclineReason::Other, Some("mail me: felix@okafor.dev"));
    let refused = scene.freelancer.refused_with(ErrorCode::ContactRefused, reason).await;
    assert_eq!(places(&refused)[0].field, "reason_text");
    scene.freelancer.case(ask::archive(invitation)).await;
    scene.freelancer.refused_with(ErrorCode::ContactRefused, decline(invitation, ADDRESS)).await;
}

async fn words_with_a_decline_reach_the_client_alone_of_the_two_and_are_kept(mut scene: Scene) {
    let (_, invitation) = scene.invited(None).await;
    const WORDS: &str = "Thank you! Until June I am booked; please do not contact me outside before.";
    scene.freelancer.case(decline(invitation, WORDS)).await;
    for person in [&scene.client, &scene.freelancer] {
        let seen: InvitationView = person.see(&format!("/v1/invitations/{invitation}")).await;
        assert_eq!(seen.decline_message.as_deref(), Some(WORDS));
        let told = person.inbox().await;
        assert_eq!(told.last().expect("told").data()["decline_message"], json!(WORDS));
    }
    // Taken back, it waits for its answer as if nothing had been said.
    let case = scene.freelancer.list("/v1/candidacies").await[0]["id"].clone();
    scene.freelancer.case(ask::reopen(serde_json::from_value(case).expect("an id"))).await;
    let seen: InvitationView = scene.client.see(&format!("/v1/invitations/{invitation}")).await;
    assert_eq!((seen.status, seen.decline_message), (InvitationStatus::Pending, None));
}

async fn until_the_contract_the_room_refuses_what_it_takes_from_then_on(scene: Scene) {
    let door = scene.client.door();
    let mut scene = on(ContactPolicy::UNTIL_CONTRACT, door).await;
    let (case, room) = scene.offered(ask::hourly(9_000)).await;
    let own = scene.freelancer.posted(room, "Good morning.").await.seq;
    let before = scene.room(room).await.len();
    let reason = ask::saying(ask::redact(room, own), "see felix@okafor.dev");
    let offer = case.offer.expect("an offer");
    let commands = [
        ask::post(room, ADDRESS),
        ask::edit(room, own, ADDRESS),
        reason,
        ask::decline_offer(offer, Some(ADDRESS)),
    ];
    for command in commands {
        let refused = scene.freelancer.refused_with(ErrorCode::ContactRefused, command.clone()).await;
        assert!(!places(&refused).is_empty(), "{command:?}");
    }
    assert_eq!(scene.room(room).await.len(), before, "nothing was said");
    scene.freelancer.posted(room, "Let us stay here until it is signed.").await;
    let (version, hash) = (case.terms_version.expect("terms"), case.terms_hash.expect("terms"));
    scene.freelancer.case(ask::accept_offer(offer, version, hash)).await;
    scene.freelancer.posted(room, ADDRESS).await;
    scene.client.posted(room, "And mine is clara@weber-raeder.de").await;
}

async fn the_message_of_an_acceptance_is_judged_in_the_phase_that_it_creates(mut scene: Scene) {
    let accept = |invitation| ask::saying(ask::accept(invitation, None), ADDRESS);
    let (_, invitation) = scene.invited(None).await;
    assert_eq!(scene.freelancer.case(accept(invitation)).await.phase, Phase::Active);

    let mut scene = on(ContactPolicy::UNTIL_CONTRACT, scene.client.door()).await;
    let (_, invitation) = scene.invited(None).await;
    scene.freelancer.refused_with(ErrorCode::ContactRefused, accept(invitation)).await;
    let seen: InvitationView = scene.client.see(&format!("/v1/invitations/{invitation}")).await;
    assert_eq!((seen.status, seen.room), (InvitationStatus::Pending, None));
    scene.freelancer.case(ask::accept(invitation, None)).await;
}

#[tokio::test]
async fn what_is_warned_of_is_said_once_its_author_confirms_it() {
    let policy = ContactPolicy { active: Action::Warn, ..ContactPolicy::default() };
    let mut scene = on(policy, Door::Socket).await;
    let (_, room) = scene.talking().await;
    let client_id = new_client_id();
    let post = ask::post(room, ADDRESS);
    let refused = scene.client.say_as(client_id, post.clone()).await.expect_err("warned");
    assert_eq!(refused.code, ErrorCode::ContactUnconfirmed);
    assert_eq!(quoted(ADDRESS, &refused).len(), 2);
    let confirmed = ClientFrame::Command(Envelope { client_id, confirmed: true }, post);
    let said = scene.client.socket.ask(&confirmed).await.expect("said");
    assert_eq!(said["duplicate"], json!(false));
    // Over the other door it is a field of the body; and the same command is the same, confirmed or not.
    let http = &scene.freelancer.http;
    let key = new_client_id();
    let post = |confirmed: bool| {
        let fields = json!({"room": room, "body": ADDRESS, "confirmed": confirmed});
        http.command_by_name::<Value>("message.post", key, fields)
    };
    assert!(post(false).await.is_err());
    let first = post(true).await.expect("said");
    assert_eq!(post(false).await.expect("a repeat")["seq"], first["seq"]);
    let entries = scene.room(room).await;
    let posted = entries.iter().filter(|entry| entry.kind == "message.posted").count();
    assert_eq!(posted, 3, "the acceptance, and each once");
}

#[tokio::test]
async fn the_marketplace_that_invites_for_a_client_is_held_to_the_same() {
    let scene = Scene::new(Door::Http).await;
    let command = ask::saying(ask::invite(&scene.job, &scene.freelancer.user, None), ADDRESS);
    let service = scene.server.marketplace.service();
    let refused = service.command::<Value>(new_client_id(), &command).await;
    let problem = refused.expect_err("refused").to_string();
    assert!(problem.contains("contact_refused"), "{problem}");
    assert_eq!(scene.freelancer.list("/v1/invitations").await.len(), 0);
    assert_eq!(scene.client.log(RoomRef::Inbox).await.len(), 0);
}

/// The texts of `tests/fixtures/guard/corpus.jsonl`: written for this, half of them innocent, in some eighty languages.
fn corpus() -> Vec<Labelled> {
    let text = include_str!("../fixtures/guard/corpus.jsonl");
    text.lines().map(|line| serde_json::from_str(line).expect("a labelled text")).collect()
}

#[test]
fn the_guard_keeps_its_score_on_the_corpus() {
    let texts = corpus();
    let innocent = texts.iter().filter(|labelled| !labelled.contact).count();
    assert!(texts.len() >= 400 && innocent * 10 > texts.len() * 4, "{innocent} of {}", texts.len());
    let measured = measure(texts);
    let mut misses = String::new();
    for miss in &measured.misses {
        writeln!(misses, "{} {:?} {:?}", miss.labelled.kind, miss.labelled.text, miss.found)
            .expect("written");
    }
    let (precision, recall) = (measured.all.precision.expect("found"), measured.all.recall.expect("said"));
    assert!(precision >= 0.98 && recall >= 0.95, "precision {precision}, recall {recall}:\n{misses}");
}

proptest! {
    /// Whatever is written: places are in the text, in order, and cut no character in two; and who says nothing twice says nothing.
    #[test]
    fn every_place_is_a_place_of_the_text(text in hostile()) {
        let findings = examine(&text);
        let mut last = 0;
        for finding in &findings {
            prop_assert!(finding.range.start >= last && finding.range.end > finding.range.start);
            prop_assert!(text.get(finding.range.clone()).is_some(), "{:?} of {:?}", finding.range, text);
            last = finding.range.end;
        }
        prop_assert_eq!(findings, examine(&text), "it is a function of the text");
    }

    /// An address is found wherever it stands.
    #[test]
    fn an_address_is_found_in_whatever_stands_around_it(before in "[a-z ]{0,40}", after in "[ ,.!][a-zA-Z ]{0,40}") {
        let text = format!("{before} ana.lopez@gmail.com{after}");
        let findings = examine(&text);
        prop_assert!(findings.iter().any(|finding| text[finding.range.clone()].contains("ana.lopez@gmail.com")), "{:?}", text);
    }
}

/// Texts of the pieces that addresses, numbers, links and disguises are made of, in any order, and of any other characters.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "@", ".", " dot ", " at ", "(at)", "gmail", "com", "+", "49", "170", "1234567", " ", "-", "/", "://",
        "https", "t.me", "two", "double", "é", "e\u{301}", "ё", "五", "ゼロ", "の", "공", "😀", "5️⃣",
        "\u{200b}", "а", "telegram", "微信", "_", "#1234", "live:", "١٢٣", "\n", "wa", "my", "call me", "(",
        ")", "ﷺ", "İ", "ǆ", "ﬃ",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat()), any::<String>(),]
}

#[tokio::test]
async fn the_command_measures_any_labelled_texts_and_explains_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("texts.jsonl");
    let texts = [
        json!({"text": "write to ana@lopez.dev", "contact": true, "kind": "email"}),
        json!({"text": "you know where to find me", "contact": true, "kind": "handle"}),
        json!({"text": "version 2.14.0 by 12.06.2026", "contact": false, "kind": "none"}),
    ];
    let lines: Vec<String> = texts.iter().map(Value::to_string).collect();
    std::fs::write(&file, lines.join("\n")).expect("written");
    let file = file.to_str().expect("a path");
    let printed = prints(&["guard", "eval", file, "--json"], &[]).await;
    let measured: Value = serde_json::from_str(&printed).expect("one object and nothing else");
    assert_eq!(
        (&measured["precision"], &measured["recall"], &measured["n"]),
        (&json!(1.0), &json!(0.5), &json!(3))
    );
    assert_eq!(measured["by_kind"]["email"], json!({"precision": 1.0, "recall": 1.0, "n": 1}));
    assert_eq!(measured["by_kind"]["none"], json!({"precision": 0.5, "recall": 1.0, "n": 1}));
    let table = prints(&["guard", "eval", file], &[]).await;
    assert!(table.contains("2: missed (handle): \"you know where to find me\""), "{table}");
    let explained = prints(&["guard", "explain", "call me: +49 170 1234567"], &[]).await;
    assert!(explained.contains("phone_number \"+49 170 1234567\""), "{explained}");
}
