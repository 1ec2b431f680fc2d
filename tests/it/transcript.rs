//! Transcripts: a room's whole log as a file, for the eyes of one side, that is verified without the server.

use std::time::Duration;

use anteroom::app::transcript;
use anteroom::domain::actor::{Actor, Scope};
use anteroom_load_tests::client::{Case, new_client_id};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::fee::FeeSchedule;
use anteroom_protocol::id::{ContractId, RoomRef};
use anteroom_protocol::signature::{Keys, PublicKey, SigningKey};
use anteroom_protocol::terms::{Milestone, Terms, TermsKind};
use anteroom_protocol::transcript::{Audience, Cause, Format, Report, Trusted, verify};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};

use crate::support::database::tamper;
use crate::support::{Answered, Door, Person, Scene, ask, exchange, id, post_all};

/// What a hostile person writes.
const HOSTILE: &str =
    "</td></table><script>alert(1)</script>\n<img src=x onerror=\"alert(2)\"> \u{202e}txt.exe";

/// 12.34 % of 98,765.43: amounts that stand nowhere else.
const CHARGED: &str = "98,765.43";
const FEE: [&str; 2] = [":1218765", "12,187.65"];
const TAKE_HOME: [&str; 2] = [":8657778", "86,577.78"];

/// Two that talk under a fee schedule whose figures can be recognised.
pub(crate) async fn talking(scene: &mut Scene) -> (Case, RoomRef) {
    let schedule = FeeSchedule::Flat { basis_points: 1_234 };
    let told = scene.server.marketplace.service().put::<Value>("/v1/fee-schedules/default", &schedule).await;
    told.expect("told of the schedule");
    scene.talking().await
}

fn fixed() -> Terms {
    let parts = [("Pages", 5_000_000), ("A <b>shop</b>", 4_876_543)];
    let milestone = |(title, amount): (&str, i64)| Milestone { title: title.into(), amount, due_date: None };
    Terms {
        kind: TermsKind::Fixed,
        amount: 9_876_543,
        weekly_hours: None,
        milestones: Some(parts.map(milestone).to_vec()),
        scope: Some("Two pages.\nA shop.".into()),
        ..ask::hourly(1)
    }
}

/// From the first terms to the end of the contract.
async fn whole_way(scene: &mut Scene) -> RoomRef {
    let (case, room) = talking(scene).await;
    scene.client.posted(room, HOSTILE).await;
    let candidacy = case.candidacy;
    scene.freelancer.case(ask::propose_terms(candidacy, 0, ask::hourly(7_000))).await;
    let terms = scene.freelancer.case(ask::propose_terms(candidacy, 1, fixed())).await;
    let hash = terms.terms_hash.expect("terms");
    let offer = scene.client.case(ask::offer(candidacy, 2, hash)).await.offer.expect("an offer");
    let hired = scene.freelancer.case(ask::accept_offer(offer, 2, hash)).await;
    scene.freelancer.posted(room, "I begin on Monday.").await;
    let contract: ContractId = hired.contract.expect("a contract");
    let ended = scene.server.marketplace.service();
    ended.command::<Value>(new_client_id(), &ask::end_contract(&contract)).await.expect("ended");
    room
}

/// How many entries the room has, the same for both.
async fn length(scene: &Scene, room: RoomRef) -> u64 {
    let [client, freelancer] = [scene.client.log(room).await, scene.freelancer.log(room).await];
    assert_eq!(client.len(), freelancer.len());
    client.len() as u64
}

async fn asked(scene: &Scene, person: &Person, room: RoomRef, query: &str) -> Answered {
    let path = format!("/v1/rooms/{room}/transcript{query}");
    let token = scene.server.token(&person.user);
    exchange(&scene.server, ("GET", &path), Some(&token), &[], String::new()).await
}

pub(crate) async fn file(scene: &Scene, person: &Person, room: RoomRef) -> String {
    let answer = asked(scene, person, room, "").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/jsonl; charset=utf-8"));
    let name = format!("attachment; filename=\"room-{room}.jsonl\"");
    assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.body
}

/// The keys that `/v1/keys` tells of.
async fn keys(scene: &Scene) -> Vec<PublicKey> {
    let keys: Keys = scene.client.see("/v1/keys").await;
    keys.items.into_iter().map(|key| key.public_key).collect()
}

pub(crate) async fn verified(scene: &Scene, file: &str) -> Report {
    let trusted: Trusted = keys(scene).await.into_iter().collect();
    verify(file.as_bytes(), trusted).unwrap_or_else(|fault| panic!("{fault}"))
}

#[tokio::test]
async fn each_side_gets_a_transcript_that_verifies_with_the_servers_key_and_with_no_other() {
    let mut scene = Scene::new(Door::Http).await;
    let room = whole_way(&mut scene).await;
    let log = length(&scene, room).await;
    for (person, audience) in [(&scene.client, Audience::Client), (&scene.freelancer, Audience::Freelancer)] {
        let file = file(&scene, person, room).await;
        let report = verified(&scene, &file).await;
        assert_eq!((report.audience, report.entries, report.redacted), (audience, log, 0));
        let [sealed] = &report.seals[..] else { panic!("one seal: {report:?}") };
        assert_eq!(sealed.version, 2);
        let key = keys(&scene).await[0];
        let by_fingerprint = Trusted::default().fingerprint(key.fingerprint());
        assert_eq!(verify(file.as_bytes(), by_fingerprint), Ok(report));
        let other = SigningKey::from_seed(&[7; 32]).public();
        for trusted in [Trusted::default(), Trusted::default().key(other)] {
            let fault = verify(file.as_bytes(), trusted).expect_err("not trusted");
            assert_eq!(fault.cause, Cause::UntrustedKey(key.fingerprint()));
        }
    }
}

#[tokio::test]
async fn what_a_freelancer_takes_home_is_in_the_freelancers_transcript_and_in_nothing_of_the_clients() {
    let mut scene = Scene::new(Door::Http).await;
    let room = whole_way(&mut scene).await;
    let words =
        ["take_home", "Take-home", "take-home", "basis_points", "private_salt", "\"private\"", "12.34 %"];
    for query in ["", "?format=jsonl", "?format=html"] {
        let clients = asked(&scene, &scene.client, room, query).await.body;
        for secret in FEE.iter().chain(&TAKE_HOME).chain(&words) {
            assert!(!clients.contains(secret), "{query}: {secret}");
        }
        let freelancers = asked(&scene, &scene.freelancer, room, query).await.body;
        let at = usize::from(query.ends_with("html"));
        for figure in [FEE[at], TAKE_HOME[at]] {
            assert!(freelancers.contains(figure), "{query}: {figure}");
        }
    }
    let clients = file(&scene, &scene.client, room).await;
    assert!(clients.contains("private_digest"), "the chain covers what the client does not see");
    let page = asked(&scene, &scene.client, room, "?format=html").await.body;
    assert!(page.contains(CHARGED), "what the client is charged");
}

#[tokio::test]
async fn a_transcript_of_redacted_messages_verifies_and_their_texts_are_gone() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = talking(&mut scene).await;
    let posted = scene.client.posted(room, "my telephone number is 0123456789").await;
    scene.client.say(ask::edit(room, posted.seq, "my number is 0123456789, really")).await.expect("edited");
    assert!(file(&scene, &scene.freelancer, room).await.contains("0123456789"));
    scene.client.say(ask::redact(room, posted.seq)).await.expect("redacted");
    scene.freelancer.posted(room, "what did it say?").await;
    for person in [&scene.client, &scene.freelancer] {
        let file = file(&scene, person, room).await;
        assert!(!file.contains("0123456789"));
        let report = verified(&scene, &file).await;
        assert_eq!(report.redacted, 2, "the message and its edit");
        let page = asked(&scene, person, room, "?format=html").await.body;
        assert!(!page.contains("0123456789") && page.contains("said in anger"), "{page}");
        assert_eq!(page.matches("The content was deleted").count(), 2, "{page}");
    }
}

#[tokio::test]
async fn a_room_of_a_thousand_entries_is_written_page_by_page_and_verifies() {
    let mut scene = Scene::new(Door::Socket).await;
    let (_, room) = scene.talking().await;
    let bodies: Vec<String> = (0..1_000).map(|number| format!("{number} {}", "ä".repeat(500))).collect();
    post_all(&mut scene.client.socket, room, bodies).await;
    let report = verified(&scene, &file(&scene, &scene.freelancer, room).await).await;
    assert_eq!(report.entries, length(&scene, room).await);
    assert!(report.entries > 1_000);
    let page = asked(&scene, &scene.freelancer, room, "?format=html").await.body;
    assert_eq!(page.matches("<tr id=\"e").count() as u64, report.entries);
    assert!(page.ends_with("</html>\n"));
}

#[tokio::test]
async fn the_page_has_no_script_and_shows_hostile_texts_as_text() {
    let mut scene = Scene::new(Door::Http).await;
    let room = whole_way(&mut scene).await;
    let answer = asked(&scene, &scene.freelancer, room, "?format=html").await;
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = answer.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'"), "{policy}");
    let page = answer.body;
    let meta =
        "http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"";
    assert!(page.contains(meta), "{page}");
    for never in ["<script", "<img", "<b>", "javascript:", "<link"] {
        assert!(!page.contains(never), "{never}: {page}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;\n&lt;img src=x onerror=&quot;"), "{page}");
    assert!(page.contains("A &lt;b&gt;shop&lt;/b&gt;"), "{page}");
    for tag in ["table", "tr", "td", "th", "div", "main"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let key = keys(&scene).await[0].fingerprint();
    for shown in [
        "Transcript: <bdi>A landing page</bdi>",
        "for the freelancer’s side",
        "Sealed: entries 1 to ",
        "Contract ended",
        &format!("anteroom verify room-{room}.jsonl \\\n  --fingerprint {key}"),
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

#[tokio::test]
async fn a_transcript_of_somebody_elses_room_of_none_and_of_an_inbox_is_not_found() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let stranger = Person::arrive(&scene.server, "mallory", Door::Http).await;
    let missing = id("0195b2a0-0000-7000-8000-000000000001");
    let expected = asked(&scene, &stranger, missing, "").await;
    assert_eq!((expected.status, expected.code()), (404, "not_found".to_owned()));
    assert_eq!(asked(&scene, &stranger, room, "").await, expected);
    assert_eq!(asked(&scene, &scene.client, RoomRef::Inbox, "").await, expected);
    assert_eq!(asked(&scene, &scene.client, room, "?format=pdf").await.code(), "bad_request");
}

#[tokio::test]
async fn what_is_committed_while_a_transcript_is_written_is_not_in_it() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let head = length(&scene, room).await;
    let actor = Actor { user: scene.client.user.clone(), scope: Scope::User };
    let begun = transcript::begin(scene.server.app(), &actor, room, Format::Jsonl).await;
    let mut begun = begun.expect("a transcript");
    scene.client.posted(room, "too late").await;
    let mut file = Vec::new();
    while let Some(piece) = begun.next().await.expect("a piece") {
        file.extend(piece);
    }
    let file = String::from_utf8(file).expect("text");
    assert_eq!(verified(&scene, &file).await.head, head);
    assert!(!file.contains("too late"));
}

/// What is not whole must not look whole: the connection ends before the answer does.
#[tokio::test]
async fn a_log_that_turns_out_damaged_is_cut_off_and_never_signed() {
    let mut scene = Scene::embedded(Door::Http).await;
    let (_, room) = scene.talking().await;
    let bodies: Vec<String> = (0..300).map(|number| format!("number {number}")).collect();
    let mut socket = scene.client.socket_at(&scene.server, Vec::new()).await;
    post_all(&mut socket, room, bodies).await;
    let forge =
        r#"UPDATE entries SET public = '{"body":"number 1000"}' WHERE public = '{"body":"number 250"}'"#;
    tamper(&scene.server.database(), forge).await;
    for query in ["", "?format=html"] {
        let url = format!("{}/v1/rooms/{room}/transcript{query}", scene.server.base);
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().expect("a client");
        let request = client.get(url).bearer_auth(scene.server.token(&scene.client.user));
        let mut response = request.send().await.expect("a head");
        let mut body = Vec::new();
        let ended = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        assert!(ended.is_err(), "{query}: it ended as if it was whole");
        let text = String::from_utf8(body).expect("text");
        assert!(!text.contains("number 1000") && !text.contains("footer") && !text.contains("</html>"));
    }
}

/// A reader that takes nothing kept its place, and a page of the log in memory, for as long as it liked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transcript_that_nobody_takes_is_cut_off_and_its_place_is_free_again() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let mut socket = scene.client.socket_at(&scene.server, Vec::new()).await;
    // More than the kernel keeps for a reader.
    post_all(&mut socket, room, (0..1_500).map(|number| format!("{number:0>8000}"))).await;
    let path = format!("/v1/rooms/{room}/transcript");
    let base = scene.server.base_of(&scene.client.user);
    let address = base.strip_prefix("http://").expect("an address").parse().expect("an address");
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
        scene.server.token(&scene.client.user)
    );
    let mut stalled = Vec::new();
    for _ in 0..2 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4_096).expect("set");
        let mut stream = socket.connect(address).await.expect("connected");
        stream.write_all(head.as_bytes()).await.expect("asked");
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).await.expect("an answer");
        assert_eq!(&begun, b"HTTP/1.1 200");
        stalled.push(stream);
    }
    let refused = scene.client.http.get::<Value>(&path).await.expect_err("both places are taken");
    assert_eq!(refused.code(), Some(ErrorCode::Busy));
    scene.freelancer.http.raw("GET", &path, &[], None).await.expect("others take theirs");
    let free = async {
        while scene.client.http.raw("GET", &path, &[], None).await.expect("an answer").status != 200 {
            sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(Duration::from_secs(90), free).await.expect("a place is free again");
    for mut stream in stalled {
        let mut rest = Vec::new();
        // It ends in the middle: neither with a footer nor with the chunk of HTTP that says so.
        let _ = stream.read_to_end(&mut rest).await;
        let rest = String::from_utf8_lossy(&rest);
        assert!(!rest.contains("footer") && !rest.ends_with("0\r\n\r\n"));
    }
}
