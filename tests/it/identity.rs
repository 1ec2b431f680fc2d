//! Who is believed: keys that an issuer publishes and changes, tokens that others make up, the token of an upgrade, and a new one on
//! the open socket.

use std::sync::Arc;
use std::time::Duration;

use anteroom::clock::Clock as _;
use anteroom::config::Algorithm as Pinned;
use anteroom::domain::log::{Log, LogEntry};
use anteroom::store::{Appended, PageSize, Range};
use anteroom_load_tests::client::{Http, Socket, SocketError, SocketOptions, at_head};
use anteroom_load_tests::token::{Claims, Scope};
use anteroom_protocol::client::{ClientFrame, Hello, Refresh};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::time::Time;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::issuer::{Key, KeyServer, MARKET, claims, document};
use crate::support::{Answered, Door, Person, Scene, TestServer, exchange, id};

/// A server that believes an issuer with these keys, and Ana, whom it knows. It is one node: each asks the issuer for itself.
async fn believing(keys: &[&Key], algorithm: Pinned) -> (KeyServer, TestServer) {
    let issuer = KeyServer::with(keys).await;
    let server = TestServer::alone(|config| issuer.believed(config, algorithm)).await;
    server.marketplace.put_user(&id("ana"), "Ana").await.expect("told");
    issuer.was_asked(1).await;
    (issuer, server)
}

/// The answer to `GET /v1/me`.
async fn me(server: &TestServer, token: &str) -> Answered {
    exchange(server, ("GET", "/v1/me"), Some(token), &[], String::new()).await
}

/// Believed at both doors.
async fn believed(server: &TestServer, token: &str) -> Socket {
    let answer = me(server, token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    Socket::connect(&server.base, token, Vec::new()).await.expect("a welcome").0
}

/// Refused at both doors, with this code and this close.
async fn refused(server: &TestServer, token: &str, code: ErrorCode, close: CloseCode) {
    let answer = me(server, token).await;
    assert_eq!((answer.status, answer.code().as_str()), (code.http_status(), code.as_str()), "{token}");
    let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
    let refused = socket.hello(token, Vec::new()).await.expect_err("refused");
    assert_eq!(refused.code(), Some(code), "{token}");
    assert_eq!(socket.closed().await.expect("closed").0, close.code(), "{token}");
}

#[tokio::test]
async fn a_token_is_believed_by_a_published_key_of_each_kind() {
    for (key, algorithm) in
        [(Key::ed_a(), Pinned::EdDsa), (Key::ec(), Pinned::Es256), (Key::rsa(), Pinned::Rs256)]
    {
        let (_issuer, server) = believing(&[&Key::ed_b(), &key], algorithm).await;
        believed(&server, &key.token("ana")).await.ping().await.expect("open");
        refused(&server, &key.token("nobody"), ErrorCode::UnknownUser, CloseCode::BadToken).await;
        let forged = forged_signature(&key.token("ana"));
        refused(&server, &forged, ErrorCode::Unauthenticated, CloseCode::BadToken).await;
        server.stop().await;
    }
}

/// The token with another first character of its signature.
fn forged_signature(token: &str) -> String {
    let (said, signature) = token.rsplit_once('.').expect("a signature");
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{said}.{first}{}", &signature[1..])
}

#[tokio::test]
async fn a_new_key_is_believed_at_its_first_use_and_one_that_was_taken_away_no_more() {
    let (old, new) = (Key::ed_a(), Key::ed_b());
    let (issuer, server) = believing(&[&old], Pinned::EdDsa).await;
    let mut socket = believed(&server, &old.token("ana")).await;
    issuer.publish(&[&new]);
    believed(&server, &new.token("ana")).await;
    assert_eq!(issuer.asked(), 2);
    refused(&server, &old.token("ana"), ErrorCode::Unauthenticated, CloseCode::BadToken).await;
    socket.ping().await.expect("a socket lives to its token's end");
    assert_eq!(issuer.asked(), 2, "what is not known a moment after asking is not asked for again");
}

#[tokio::test]
async fn many_tokens_with_unknown_keys_cost_the_issuer_one_fetch() {
    let (issuer, server) = believing(&[&Key::ed_a()], Pinned::EdDsa).await;
    let http = Http::anonymous(&server.base);
    let asks = (0..300).map(|number| {
        let header = Header { kid: Some(format!("key-{number}")), ..Key::ed_b().header() };
        let token = Key::ed_b().sign_under(&header, &claims("ana"));
        let http = http.with_token(token);
        tokio::spawn(async move { http.raw("GET", "/v1/me", &[], None).await.expect("an answer").status })
    });
    for status in asks.collect::<Vec<_>>() {
        assert_eq!(status.await.expect("asked"), 401);
    }
    assert_eq!(issuer.asked(), 2);
}

#[tokio::test]
async fn while_no_keys_can_be_had_a_token_is_put_off_and_not_called_bad() {
    let (issuer, key) = (KeyServer::with(&[]).await, Key::ed_a());
    issuer.fail();
    // One node: each asks the issuer for itself.
    let server = TestServer::alone(|config| issuer.believed(config, Pinned::EdDsa)).await;
    server.marketplace.put_user(&id("ana"), "the other issuer is believed").await.expect("told");
    issuer.was_asked(1).await;
    refused(&server, &key.token("ana"), ErrorCode::Busy, CloseCode::TryAgainLater).await;
    issuer.publish(&[&key]);
    issuer.was_asked(issuer.asked() + 1).await;
    believed(&server, &key.token("ana")).await;
}

#[tokio::test]
async fn an_issuer_that_fails_later_is_believed_by_its_last_keys_and_the_figures_tell() {
    let (issuer, server) = believing(&[&Key::ed_a()], Pinned::EdDsa).await;
    issuer.fail();
    refused(&server, &Key::ed_b().token("ana"), ErrorCode::Busy, CloseCode::TryAgainLater).await;
    believed(&server, &Key::ed_a().token("ana")).await;
    let figures = Http::anonymous(&server.figures()).raw("GET", "/metrics", &[], None).await;
    let figures = figures.expect("figures").text;
    for line in [
        r#"anteroom_key_set_fetches_total{issuer="market",outcome="ok"} 1"#,
        r#"anteroom_key_set_fetches_total{issuer="market",outcome="status"}"#,
        r#"anteroom_key_set_age_seconds{issuer="market"}"#,
    ] {
        assert!(figures.contains(line), "{line}: {figures}");
    }
}

#[tokio::test]
async fn an_answer_that_leads_elsewhere_is_too_long_or_no_key_set_counts_as_none() {
    let (known, other) = (Key::ed_a(), Key::ed_b());
    let trap = KeyServer::with(&[&other]).await;
    let keys = document(&[&other]);
    for (said, body) in [
        (format!("302 Found\r\nLocation: {}", trap.url), keys.clone()),
        ("203 Non-Authoritative Information".into(), keys.clone()),
        ("200 OK".into(), format!("{keys}{}", " ".repeat(64 * 1024))),
        ("200 OK".into(), "<html>Down for maintenance</html>".into()),
    ] {
        let (issuer, server) = believing(&[&known], Pinned::EdDsa).await;
        issuer.say(&said, &body);
        refused(&server, &other.token("ana"), ErrorCode::Busy, CloseCode::TryAgainLater).await;
        believed(&server, &known.token("ana")).await;
        server.stop().await;
    }
    assert_eq!(trap.asked(), 0);
}

/// Tokens with wrong claims, signed with a good key.
fn wrong_claims(key: &Key) -> Vec<(String, String)> {
    let wrong = [
        ("iss", json!("anteroom")),
        ("iss", json!("elsewhere")),
        ("iss", json!([MARKET])),
        ("iss", json!(null)),
        ("aud", json!("anteroom")),
        ("aud", json!(["anteroom", "elsewhere"])),
        ("aud", json!(7)),
        ("aud", json!(null)),
        ("exp", json!(null)),
        ("exp", json!("4102444800")),
        ("exp", json!(true)),
        ("exp", json!([4_102_444_800_u64])),
        ("nbf", json!("now")),
        ("nbf", json!(4_102_444_800_u64)),
        ("iat", json!("now")),
        ("sub", json!(7)),
        ("sub", json!(null)),
        ("sub", json!("")),
        ("sub", json!("ana\u{0}")),
        ("scope", json!(null)),
        ("scope", json!("god")),
        ("scope", json!(["user"])),
        ("scope", json!("user staff")),
    ];
    let tokens = wrong.into_iter().map(|(field, value)| {
        let mut claims = claims("ana");
        claims[field] = value.clone();
        (format!("{field}: {value}"), key.sign(&claims))
    });
    let missing = ["iss", "aud", "exp", "sub", "scope"].into_iter().map(|field| {
        let mut claims = claims("ana");
        claims.as_object_mut().expect("an object").remove(field);
        (format!("no {field}"), key.sign(&claims))
    });
    let no_object = ["no object", "[]", "null"].map(|body| (body.to_owned(), key.sign(&json!(body))));
    tokens.chain(missing).chain(no_object).collect()
}

/// Good claims under wrong heads: signed with a key of the forger's, or by an algorithm of the forger's choice. Whatever is behind the
/// address must never be asked.
fn wrong_heads(key: &Key, address: &str) -> Vec<(String, String)> {
    let forger = if key.kid == "ed-b" { Key::ed_a() } else { Key::ed_b() };
    let mine: jsonwebtoken::jwk::Jwk = serde_json::from_value(forger.jwk()).expect("a key");
    let under = |change: &dyn Fn(&mut Header)| {
        let mut header = Header { kid: Some(key.kid.into()), ..Header::new(forger.algorithm) };
        change(&mut header);
        forger.sign_under(&header, &claims("ana"))
    };
    let good = |change: &dyn Fn(&mut Header)| {
        let mut header = key.header();
        change(&mut header);
        key.sign_under(&header, &claims("ana"))
    };
    let mut tokens = vec![
        ("the forger's key".to_owned(), under(&|_| {})),
        ("no kid".to_owned(), under(&|header| header.kid = None)),
        ("jku".to_owned(), under(&|header| header.jku = Some(address.to_owned()))),
        ("x5u".to_owned(), under(&|header| header.x5u = Some(address.to_owned()))),
        ("jwk".to_owned(), under(&|header| header.jwk = Some(mine.clone()))),
        ("x5c".to_owned(), under(&|header| header.x5c = Some(vec!["AAAA".into()]))),
        ("typ".to_owned(), good(&|header| header.typ = Some("logout+jwt".into()))),
        ("crit".to_owned(), good(&|header| header.crit = Some(vec!["exp".into()]))),
    ];
    // The oldest trick: the public key, which everybody has, as the secret.
    let public = key.jwk();
    for field in ["x", "n"] {
        if let Some(text) = public[field].as_str() {
            let header = Header { kid: Some(key.kid.into()), ..Header::new(Algorithm::HS256) };
            for secret in [text.as_bytes(), public.to_string().as_bytes()] {
                let token = jsonwebtoken::encode(&header, &claims("ana"), &EncodingKey::from_secret(secret));
                tokens.push((format!("HS256 with {field}"), token.expect("signed")));
            }
        }
    }
    for kid in ["../../../../etc/passwd", "/dev/null", "' OR '1'='1", "\u{0}", "", "http://127.0.0.1/"] {
        tokens.push((format!("kid {kid:?}"), under(&|header| header.kid = Some(kid.into()))));
    }
    tokens
}

/// A good token, taken apart and put together wrongly.
fn wrong_forms(key: &Key) -> Vec<(String, String)> {
    let token = key.token("ana");
    let [_, body, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    // {"alg":"none","typ":"JWT"}, and the same with "None".
    let unsigned = ["eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", "eyJhbGciOiJOb25lIiwidHlwIjoiSldUIn0"];
    let mut forms: Vec<String> = unsigned
        .iter()
        .flat_map(|head| [format!("{head}.{body}."), format!("{head}.{body}.{signature}")])
        .collect();
    forms.extend([
        forged_signature(&token),
        token.strip_suffix(signature).expect("its end").to_owned(),
        format!("{token}.{signature}"),
        format!("{token}="),
        format!(".{body}.{signature}"),
        format!("{token}{}", "A".repeat(4_096)),
        "..".into(),
        "null".into(),
    ]);
    forms.into_iter().map(|form| (form.chars().take(80).collect(), form)).collect()
}

#[tokio::test]
async fn no_token_that_somebody_made_up_opens_a_door_and_nobody_is_asked_about_it() {
    let trap = KeyServer::with(&[&Key::ed_b()]).await;
    for (key, algorithm) in [(Key::ed_a(), Pinned::EdDsa), (Key::rsa(), Pinned::Rs256)] {
        let (issuer, server) = believing(&[&key, &Key::ec()], algorithm).await;
        let tokens =
            wrong_claims(&key).into_iter().chain(wrong_forms(&key)).chain(wrong_heads(&key, &trap.url));
        for (what, token) in tokens {
            let answer = me(&server, &token).await;
            assert_eq!((answer.status, answer.code().as_str()), (401, "unauthenticated"), "{what}");
            let mut socket = Socket::connect_raw(&server.base).await.expect("a socket");
            let error = socket.hello(&token, Vec::new()).await.expect_err(&what);
            assert_eq!(error.code(), Some(ErrorCode::Unauthenticated), "{what}");
            assert_eq!(socket.closed().await.expect("closed").0, CloseCode::BadToken.code(), "{what}");
        }
        assert!(issuer.asked() <= 2, "unknown names of keys cause one fetch from the issuer itself");
        believed(&server, &key.token("ana")).await;
        server.stop().await;
    }
    assert_eq!(trap.asked(), 0, "an address in a token is never asked");
}

#[tokio::test]
async fn a_token_of_a_megabyte_is_not_even_read() {
    let server = TestServer::start().await;
    let long = "a".repeat(1_000_000);
    let socket = Socket::connect_raw(&server.base).await;
    let error = socket.expect("a socket").hello(&long, Vec::new()).await.expect_err("refused");
    // The server may be gone before all of it was sent.
    let too_big = [Some(CloseCode::TooBig.code()), Some(1006)];
    assert!(too_big.contains(&error.close_code()), "{error}");
    let answer = Http::new(&server.base, long).raw("GET", "/v1/me", &[], None).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 431));
}

/// A socket whose upgrade carried this `Authorization`.
async fn upgraded(server: &TestServer, authorization: &str) -> Result<Socket, SocketError> {
    let headers = vec![("Authorization".to_owned(), authorization.to_owned())];
    Socket::connect_with(&server.base, &SocketOptions { headers, ..SocketOptions::default() }).await
}

/// Says a hello without a token.
async fn hello(socket: &mut Socket) -> ServerFrame {
    let hello = Hello { token: None, rooms: Vec::new(), changes_after: None, client: None };
    socket.send_frame(&ClientFrame::Hello(hello), Some("h")).await.expect("sent");
    socket.next().await.expect("an answer")
}

#[tokio::test]
async fn a_client_that_can_set_headers_sends_its_token_with_the_upgrade() {
    let server = TestServer::start().await;
    let (ana, bob) = (id("ana"), id("bob"));
    for user in [&ana, &bob] {
        server.marketplace.put_user(user, "Somebody").await.expect("told");
    }
    let token = server.token(&ana);
    for scheme in ["Bearer", "bearer"] {
        let mut socket = upgraded(&server, &format!("{scheme} {token}")).await.expect("a socket");
        let ServerFrame::Welcome(welcome) = hello(&mut socket).await else { panic!("no welcome") };
        assert_eq!((welcome.id.as_deref(), &welcome.user), (Some("h"), &ana));
    }
    let mut both = upgraded(&server, &format!("Bearer {token}")).await.expect("a socket");
    let welcome = both.hello(&server.token(&bob), Vec::new()).await.expect("a welcome");
    assert_eq!(welcome.user, bob, "the token in the frame goes first");
}

#[tokio::test]
async fn a_token_that_is_not_believed_is_refused_before_the_upgrade() {
    let server = TestServer::start().await;
    server.marketplace.put_user(&id("ana"), "Ana").await.expect("told");
    let claims = server.mint.claims("ana", Scope::User);
    let ended = server.mint.sign(&Claims { exp: claims.iat - 120, ..claims });
    for (token, status, code) in [
        ("nonsense".to_owned(), 401, "unauthenticated"),
        (ended, 401, "token_expired"),
        (server.token(&id("nobody")), 401, "unknown_user"),
        (server.mint.service(), 403, "forbidden"),
    ] {
        match upgraded(&server, &format!("Bearer {token}")).await {
            Err(SocketError::NotUpgraded { status: answered, body }) => {
                assert_eq!(answered, status, "{body}");
                let document: Value = serde_json::from_str(&body).unwrap_or(Value::Null);
                assert!(document.is_null() || document["code"] == code, "{body}");
            }
            other => panic!("{code}: {other:?}"),
        }
    }
    let mut socket = upgraded(&server, "Basic YTpi").await.expect("a proxy's password is not ours to judge");
    let ServerFrame::Error { error, .. } = hello(&mut socket).await else { panic!("no error") };
    assert_eq!(error.code, ErrorCode::Unauthenticated);
    assert_eq!(socket.closed().await.expect("closed").0, CloseCode::BadToken.code());
}

/// A token of somebody that ends this many seconds from now, with the leeway.
fn ending_in(server: &TestServer, user: &str, seconds: u64) -> String {
    let claims = server.mint.claims(user, Scope::User);
    server.mint.sign(&Claims { exp: claims.iat + seconds - 60, ..claims })
}

async fn refresh(socket: &mut Socket, token: impl Into<String>) -> Result<Time, ErrorCode> {
    let answer = socket.ask(&ClientFrame::Refresh(Refresh { token: token.into() })).await;
    let answer = answer.map_err(|error| error.code().unwrap_or_else(|| panic!("{error}")))?;
    Ok(serde_json::from_value(answer["token_expires_at"].clone()).expect("a time"))
}

#[tokio::test]
async fn a_new_token_on_the_open_socket_moves_its_end() {
    let server = TestServer::start().await;
    Person::arrive(&server, "ana", Door::Socket).await;
    let short = ending_in(&server, "ana", 2);
    let (mut left, _) = Socket::connect(&server.base, &short, Vec::new()).await.expect("a socket");
    let (mut refreshed, welcome) = Socket::connect(&server.base, &short, Vec::new()).await.expect("a socket");
    let end = refresh(&mut refreshed, server.token(&id("ana"))).await.expect("believed");
    assert!(end > welcome.token_expires_at);
    assert_eq!(left.closed().await.expect("closed").0, CloseCode::TokenExpired.code());
    refreshed.ping().await.expect("lives on");
}

/// The test and the server share one thread. It stands still until the tokens have ended, and then an entry is offered: each socket finds
/// both at once.
#[tokio::test]
async fn nothing_is_delivered_after_the_end_of_a_token_also_when_both_are_due_at_once() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    scene.freelancer.socket.join(at_head(room)).await.expect("joined");
    let token = ending_in(&scene.server, "felix", 2);
    let (mut sockets, mut left) = (Vec::new(), 0);
    for _ in 0..7 {
        let connected = Socket::connect(&scene.server.base, &token, vec![at_head(room)]).await;
        let (socket, welcome) = connected.expect("a welcome");
        left = welcome.token_expires_at.plus_seconds(60).as_micros() - scene.server.clock.now().as_micros();
        sockets.push(socket);
    }
    let RoomRef::Room(room_id) = room else { panic!("a room") };
    let app = scene.server.app();
    let log = app
        .store
        .entries(&Log::Room(room_id), Range::Before(u64::MAX), PageSize { entries: 1, bytes: 1 })
        .await
        .expect("read");
    let next = LogEntry { seq: log[0].seq + 1, ..log[0].clone() };
    let appended = Appended { entry: Arc::new(next), readers: Arc::new([id("felix")]) };
    std::thread::sleep(Duration::from_micros(left.max(0).unsigned_abs()));
    app.hub.deliver(&[appended]);
    assert_eq!(scene.freelancer.hears(room).await.seq, log[0].seq + 1, "whose token holds is told");
    for mut socket in sockets {
        let error = socket.next().await.expect_err("nothing but the end");
        assert_eq!(error.close_code(), Some(CloseCode::TokenExpired.code()), "{error}");
    }
}

#[tokio::test]
async fn a_new_token_that_is_not_believed_or_is_anothers_changes_nothing() {
    let server = TestServer::start().await;
    for name in ["ana", "bob"] {
        server.marketplace.put_user(&id(name), name).await.expect("told");
    }
    let token = server.token(&id("ana"));
    let (mut socket, _) = Socket::connect(&server.base, &token, Vec::new()).await.expect("a socket");
    let claims = server.mint.claims("ana", Scope::Service);
    let ended = server.mint.sign(&Claims { exp: claims.iat - 120, scope: Scope::User, ..claims.clone() });
    for (token, code) in [
        (server.token(&id("bob")), ErrorCode::Forbidden),
        (server.mint.sign(&claims), ErrorCode::Forbidden),
        (ended, ErrorCode::TokenExpired),
        (server.token(&id("nobody")), ErrorCode::UnknownUser),
        ("nonsense".into(), ErrorCode::Unauthenticated),
    ] {
        assert_eq!(refresh(&mut socket, token).await, Err(code));
    }
    let me = refresh(&mut socket, token).await.expect("still Ana's");
    assert!(me > Time::from_micros(0));
}
