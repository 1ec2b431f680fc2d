//! Who is let in, how often, and from where: origins, addresses, places, rates.

use std::time::Duration;

use anteroom_load_tests::client::{Http, Socket, at_head, new_client_id};
use anteroom_protocol::client::{ClientFrame, Leave, Ping, Refresh, Typing};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::marker::Mark;
use anteroom_protocol::server::ServerFrame;

use crate::support::raw::{Head, Raw, UPGRADE};
use crate::support::{Door, Person, Scene, TestServer, ask, id, soon};

/// Asks for a socket with these headers besides those of a good handshake.
async fn ask_for_socket(server: &TestServer, headers: &[(&str, &str)]) -> (Raw, Head) {
    Raw::ask(&server.base, &[&UPGRADE, headers].concat()).await
}

/// The answer says no with this code, before any upgrade.
async fn refused(server: &TestServer, headers: &[(&str, &str)], code: ErrorCode) -> Head {
    let (mut raw, head) = ask_for_socket(server, headers).await;
    assert_eq!(
        (head.status, head.header("content-type")),
        (code.http_status(), Some("application/problem+json"))
    );
    let problem = raw.body(&head).await;
    assert_eq!((&problem["code"], &problem["retryable"]), (&code.as_str().into(), &code.retryable().into()));
    head
}

/// Asks until a socket is given: what made room for it may take a moment to be seen.
async fn ask_until_let_in(server: &TestServer, headers: &[(&str, &str)]) -> Raw {
    let let_in = async {
        loop {
            let (raw, head) = ask_for_socket(server, headers).await;
            if head.status == 101 {
                return raw;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    soon("a place", let_in).await
}

#[tokio::test]
async fn a_page_from_elsewhere_gets_no_socket_before_the_upgrade() {
    let server = TestServer::start().await;
    for origin in ["https://evil.example", "null", "http://server.evil.example", "http://server:81", ""] {
        refused(&server, &[("Origin", origin)], ErrorCode::OriginRefused).await;
    }
    refused(&server, &[("Origin", "http://server"), ("Origin", "null")], ErrorCode::OriginRefused).await;
    refused(&server, &[("Origin", "null"), ("Cookie", "session=1")], ErrorCode::OriginRefused).await;
    let figures =
        Http::anonymous(&server.figures()).raw("GET", "/metrics", &[], None).await.expect("figures");
    let counted = "anteroom_refused_upgrades_total{code=\"origin_refused\"} 7";
    assert!(figures.text.contains(counted), "an operator sees it: {}", figures.text);
}

#[tokio::test]
async fn the_own_page_a_listed_one_and_programs_get_their_socket() {
    let server =
        TestServer::start_with(|config| config.origins = vec!["https://market.example".into()]).await;
    // The handshake of these tests names the host `server`.
    for headers in [&[][..], &[("Origin", "http://server")], &[("Origin", "https://market.example")]] {
        assert_eq!(ask_for_socket(&server, headers).await.1.status, 101, "{headers:?}");
    }
    refused(&server, &[("Origin", "http://market.example")], ErrorCode::OriginRefused).await;
}

#[tokio::test]
async fn the_same_list_says_which_pages_may_use_the_routes() {
    let server =
        TestServer::start_with(|config| config.origins = vec!["https://market.example".into()]).await;
    let preflight = |origin: &'static str| {
        [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-type,idempotency-key,traceparent"),
        ]
    };
    let (_, head) =
        Raw::request(&server.base, "OPTIONS", "/v1/invitations", &preflight("https://market.example")).await;
    assert_eq!(
        (head.status, head.header("access-control-allow-origin")),
        (200, Some("https://market.example"))
    );
    let allowed = head.header("access-control-allow-headers").expect("headers");
    for header in ["authorization", "content-type", "idempotency-key", "traceparent"] {
        assert!(allowed.contains(header), "{allowed}");
    }
    assert!(head.header("access-control-max-age").is_some());
    let (_, head) =
        Raw::request(&server.base, "OPTIONS", "/v1/invitations", &preflight("https://evil.example")).await;
    assert_eq!(head.header("access-control-allow-origin"), None);
    let page = [("Origin", "https://market.example")];
    let (_, head) = Raw::request(&server.base, "GET", "/v1/me", &page).await;
    assert_eq!(
        (head.status, head.header("access-control-allow-origin")),
        (401, Some("https://market.example"))
    );
    let exposed = head.header("access-control-expose-headers").expect("headers");
    for header in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(exposed.split(',').any(|name| name == header), "{exposed}");
    }
}

#[tokio::test]
async fn sockets_of_one_address_that_have_not_said_hello_have_a_bound() {
    let server = TestServer::start_with(|config| config.limits.greeting_per_address = 2).await;
    let ana = id("ana");
    server.marketplace.put_user(&ana, "Ana").await.expect("told");
    let mut first = Socket::connect_raw(&server.base).await.expect("a socket");
    let (second, _) = ask_for_socket(&server, &[]).await;
    let head = refused(&server, &[], ErrorCode::TooManyConnections).await;
    assert_eq!(head.header("retry-after"), Some("5"));
    first.hello(&server.token(&ana), Vec::new()).await.expect("a welcome");
    let third = ask_until_let_in(&server, &[]).await;
    refused(&server, &[], ErrorCode::TooManyConnections).await;
    drop((second, third));
    ask_until_let_in(&server, &[]).await;
}

#[tokio::test]
async fn sockets_of_one_address_have_a_bound_and_each_way_to_end_makes_room() {
    let server = TestServer::start_with(|config| config.limits.sockets_per_address = 1).await;
    let ana = Person::arrive(&server, "ana", Door::Socket).await;
    refused(&server, &[], ErrorCode::TooManyConnections).await;
    ana.socket.close().await.expect("closed");
    let mut broken = ask_until_let_in(&server, &[]).await;
    refused(&server, &[], ErrorCode::TooManyConnections).await;
    broken.send(b"no frame").await;
    assert_eq!(broken.closed().await, CloseCode::ProtocolError.code());
    drop(broken);
    drop(ask_until_let_in(&server, &[]).await);
    let mut unbelieved = ask_until_let_in(&server, &[]).await;
    unbelieved.frame(0x1, br#"{"type":"hello","token":"x"}"#).await;
    assert_eq!(unbelieved.closed().await, CloseCode::BadToken.code());
    drop(unbelieved);
    ask_until_let_in(&server, &[]).await;
}

#[tokio::test]
async fn what_a_client_says_of_its_own_address_is_not_believed() {
    let server = TestServer::start_with(|config| config.limits.sockets_per_address = 1).await;
    let (_first, head) = ask_for_socket(&server, &[("X-Forwarded-For", "203.0.113.1")]).await;
    assert_eq!(head.status, 101);
    refused(&server, &[("X-Forwarded-For", "203.0.113.2")], ErrorCode::TooManyConnections).await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_own_places() {
    let server = TestServer::start_with(|config| {
        config.limits.sockets_per_address = 1;
        config.trusted_proxies = vec![id("127.0.0.1/32"), id("10.0.0.0/8")];
    })
    .await;
    let from = |addresses: &'static str| [("X-Forwarded-For", addresses), ("X-Forwarded-Proto", "https")];
    let (_one, head) = ask_for_socket(&server, &from("203.0.113.1")).await;
    assert_eq!(head.status, 101);
    let (_other, head) = ask_for_socket(&server, &from("203.0.113.2, 10.0.0.7")).await;
    assert_eq!(head.status, 101);
    refused(&server, &from("203.0.113.3, 203.0.113.2"), ErrorCode::TooManyConnections).await;
    refused(&server, &from("203.0.113.1, 10.0.0.8"), ErrorCode::TooManyConnections).await;
}

/// A server that lets people do three things at once, and then one a second.
async fn unhurried() -> Scene {
    let server = TestServer::start_with(|config| {
        config.limits.commands_burst = 3;
        config.limits.commands_per_second = 1;
    })
    .await;
    Scene::on(server, Door::Socket).await
}

#[tokio::test]
async fn a_command_too_many_is_told_exactly_when_to_come_again_and_keeps_its_place() {
    let mut scene = unhurried().await;
    let (_, room) = scene.talking().await;
    let bodies: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    let keys: Vec<_> = bodies.iter().map(|_| new_client_id()).collect();
    let (sender, receiver) = scene.client.socket.halves();
    let mut ids = Vec::new();
    for (key, body) in keys.iter().zip(&bodies) {
        ids.push(sender.send_command(*key, ask::post(room, body)).await.expect("sent"));
    }
    let mut answers = Vec::new();
    for id in &ids {
        answers.push(receiver.answer(id).await.map_err(|error| error.refusal().cloned().expect("an answer")));
    }
    let first = answers.iter().position(Result::is_err).expect("one too many");
    let error = answers[first].clone().expect_err("refused");
    assert_eq!((error.code, error.retryable), (ErrorCode::RateLimited, true));
    let wait = error.retry_after_ms.expect("a time");
    assert!((1..=1_000).contains(&wait), "{wait}");
    for behind in &answers[first + 1..] {
        let error = behind.as_ref().expect_err("held");
        assert_eq!((error.code, error.held_by), (ErrorCode::Held, Some(keys[first])));
    }
    let (keys, bodies) = (&keys[..first + 2], &bodies[..first + 2]);
    for (key, body) in keys.iter().zip(bodies).skip(first) {
        let again = async {
            loop {
                match scene.client.say_as(*key, ask::post(room, body)).await {
                    Ok(_) => return,
                    Err(error) => {
                        tokio::time::sleep(Duration::from_millis(error.retry_after_ms.expect("a time"))).await
                    }
                }
            }
        };
        soon("room for it", again).await;
    }
    let log = scene.room(room).await;
    let said: Vec<_> =
        log.iter().filter_map(|entry| entry.data()["body"].as_str().map(str::to_owned)).collect();
    assert_eq!(said[said.len() - bodies.len()..], *bodies);
}

/// A post of the client's over HTTP.
async fn post_over_http(scene: &Scene, room: RoomRef) -> (Raw, Head) {
    let mut raw = Raw::connect(&scene.server.base_of(&scene.client.user)).await;
    let (token, key) = (scene.server.token(&scene.client.user), new_client_id());
    let lines = format!(
        "Host: server\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\nContent-Length: 12"
    );
    let request = format!("POST /v1/rooms/{room}/messages HTTP/1.1\r\n{lines}\r\n\r\n{{\"body\":\"x\"}}");
    raw.send(request.as_bytes()).await;
    let head = raw.head().await;
    (raw, head)
}

#[tokio::test]
async fn a_person_has_one_allowance_for_both_doors_and_systems_and_others_have_their_own() {
    let mut scene = unhurried().await;
    let (_, room) = scene.talking().await;
    let refused = async {
        // On a machine that takes a second between two of these, there is room again.
        loop {
            for _ in 0..4 {
                drop(scene.client.say(ask::post(room, "quickly")).await);
            }
            let (raw, head) = post_over_http(&scene, room).await;
            if head.status != 200 {
                return (raw, head);
            }
        }
    };
    let (mut raw, head) = soon("a refusal", refused).await;
    assert_eq!((head.status, head.header("retry-after")), (429, Some("1")));
    assert_eq!(head.header("ratelimit-policy"), Some(r#""commands";q=3;w=3"#));
    assert_eq!(head.header("ratelimit"), Some(r#""commands";r=0;t=3"#));
    assert_eq!(raw.body(&head).await["code"], "rate_limited");
    scene.freelancer.posted(room, "somebody else").await;
    for number in 0..10 {
        scene.another_job(&format!("job{number}")).await;
    }
}

#[tokio::test]
async fn whoever_reads_too_fast_over_http_is_told_in_the_head_of_the_answer() {
    let server = TestServer::start_with(|config| {
        config.limits.requests_burst = 2;
        config.limits.requests_per_second = 1;
    })
    .await;
    let ana = Person::arrive(&server, "ana", Door::Http).await;
    let token = format!("Bearer {}", server.token(&ana.user));
    let mut heads = Vec::new();
    while heads.len() < 100 && heads.last().is_none_or(|head: &Head| head.status != 429) {
        heads.push(
            Raw::request(&server.base_of(&ana.user), "GET", "/v1/me", &[("Authorization", &token)]).await.1,
        );
    }
    let told = |head: &Head| head.header("ratelimit").map(str::to_owned);
    assert_eq!((heads[0].status, told(&heads[0]).as_deref()), (200, Some(r#""requests";r=1;t=1"#)));
    assert!(heads.iter().all(|head| head.header("ratelimit-policy") == Some(r#""requests";q=2;w=2"#)));
    let refused = heads.iter().find(|head| head.status == 429).expect("too fast");
    assert_eq!(
        (told(refused).as_deref(), refused.header("retry-after")),
        (Some(r#""requests";r=0;t=2"#), Some("1"))
    );
    for path in ["/livez", "/", "/v1/nowhere"] {
        let (_, head) =
            Raw::request(&server.base_of(&ana.user), "GET", path, &[("Authorization", &token)]).await;
        assert_eq!((head.status == 429, head.header("ratelimit")), (false, None), "{path}");
    }
}

#[tokio::test]
async fn whoever_does_not_slow_down_is_closed_and_told_to_come_back_slower() {
    let mut scene = unhurried().await;
    let (_, room) = scene.talking().await;
    let (sender, _) = scene.client.socket.halves();
    for _ in 0..250 {
        // It may be closed while we still send.
        if sender.send_command(new_client_id(), ask::edit(room, 1, "hurry")).await.is_err() {
            break;
        }
    }
    let (code, _) = scene.client.socket.closed().await.expect("closed");
    assert_eq!(code, CloseCode::RateLimited.code());
    scene.freelancer.socket.ping().await.expect("nobody else is concerned");
}

/// A client that had sent many posts before it heard of the first refusal was closed for those that were held behind it, though it
/// kept to every rule.
#[tokio::test]
async fn regression_posts_that_are_held_behind_a_hasty_one_are_no_haste() {
    let mut scene = unhurried().await;
    let (_, room) = scene.talking().await;
    let (sender, receiver) = scene.client.socket.halves();
    let mut ids = Vec::new();
    for _ in 0..300 {
        ids.push(sender.send_command(new_client_id(), ask::post(room, "all at once")).await.expect("sent"));
    }
    let mut held = 0;
    for id in ids {
        let refused = receiver.answer(&id).await.err().and_then(|error| error.code());
        held += usize::from(refused == Some(ErrorCode::Held));
    }
    assert!(held > 200, "{held}");
    scene.client.socket.ping().await.expect("still open");
}

/// A server that lets people ask three things at once, and then one a second.
async fn uncurious() -> Scene {
    let server = TestServer::start_with(|config| {
        config.limits.requests_burst = 3;
        config.limits.requests_per_second = 1;
    })
    .await;
    Scene::on(server, Door::Socket).await
}

/// How this frame is answered, `pong` among the rest.
async fn answered(socket: &mut Socket, frame: &ClientFrame) -> Result<(), ErrorBody> {
    let (sender, receiver) = socket.halves();
    let asked = sender.fresh_id();
    sender.send_frame(frame, Some(&asked)).await.expect("sent");
    let is_answer = |frame: &ServerFrame| {
        matches!(frame, ServerFrame::Ok { id, .. } if *id == asked)
            || matches!(frame, ServerFrame::Pong { id, .. } | ServerFrame::Error { id, .. } if id.as_ref() == Some(&asked))
    };
    let answer = receiver.wait_for("answer", is_answer).await.expect("an answer");
    if let ServerFrame::Error { error, .. } = answer { Err(error) } else { Ok(()) }
}

/// They read and move something in the database, and had no bound but that on frames: 500 a second of each socket.
#[tokio::test]
async fn regression_what_a_socket_asks_of_the_database_counts_as_its_persons_requests() {
    let mut scene = uncurious().await;
    let (_, room) = scene.talking().await;
    let refresh = Refresh { token: scene.server.token(&scene.client.user) };
    let socket = &mut scene.client.socket;
    let mark = Mark { room, seq: 1 };
    for frame in [
        ClientFrame::Join(at_head(room)),
        ClientFrame::Read(mark.clone()),
        ClientFrame::MarkUnread(mark),
        ClientFrame::Refresh(refresh),
        ClientFrame::Ping(Ping { heads: [(room, 1)].into() }),
    ] {
        let refused = async {
            loop {
                if let Err(error) = answered(socket, &frame).await {
                    return error;
                }
            }
        };
        let error = soon("a refusal", refused).await;
        assert_eq!((error.code, error.retryable), (ErrorCode::RateLimited, true), "{frame:?}");
        assert!(error.retry_after_ms.is_some_and(|wait| (1..=1_000).contains(&wait)), "{error:?}");
    }
    // What asks nothing of the database is free, and a socket that has nothing left can still show that it lives.
    for _ in 0..50 {
        for frame in [
            ClientFrame::Ping(Ping { heads: [].into() }),
            ClientFrame::Typing(Typing { room: RoomRef::Inbox }),
            ClientFrame::Leave(Leave { room }),
        ] {
            answered(socket, &frame).await.unwrap_or_else(|error| panic!("{frame:?}: {error:?}"));
        }
    }
    scene.freelancer.socket.join(at_head(room)).await.expect("somebody else's allowance is another one");
    let path = format!("/v1/rooms/{room}");
    let refused = async { while scene.client.http.get::<serde_json::Value>(&path).await.is_ok() {} };
    soon("a refusal over HTTP, from the same allowance", refused).await;
}

#[tokio::test]
async fn whoever_goes_on_asking_too_fast_is_closed_and_told_to_come_back_slower() {
    let mut scene = uncurious().await;
    let (sender, _) = scene.client.socket.halves();
    for _ in 0..250 {
        // It may be closed while we still send.
        if sender.send_frame(&ClientFrame::Join(at_head(RoomRef::Inbox)), None).await.is_err() {
            break;
        }
    }
    let (code, _) = scene.client.socket.closed().await.expect("closed");
    assert_eq!(code, CloseCode::RateLimited.code());
    scene.freelancer.socket.ping().await.expect("nobody else is concerned");
}
