//! Who is let in, how often, and from where: origins, addresses, places, rates.

use std::time::Duration;

use anteroom_load_tests::client::Socket;
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::ErrorCode;

use crate::support::raw::{Head, Raw, UPGRADE};
use crate::support::{Door, Person, TestServer, id, soon};

/// Asks for a socket with these headers besides those of a good handshake.
async fn ask(server: &TestServer, headers: &[(&str, &str)]) -> (Raw, Head) {
    Raw::ask(&server.base, &[&UPGRADE, headers].concat()).await
}

/// The answer says no with this code, before any upgrade.
async fn refused(server: &TestServer, headers: &[(&str, &str)], code: ErrorCode) -> Head {
    let (mut raw, head) = ask(server, headers).await;
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
            let (raw, head) = ask(server, headers).await;
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
}

#[tokio::test]
async fn the_own_page_a_listed_one_and_programs_get_their_socket() {
    let server =
        TestServer::start_with(|config| config.origins = vec!["https://market.example".into()]).await;
    // The handshake of these tests names the host `server`.
    for headers in [&[][..], &[("Origin", "http://server")], &[("Origin", "https://market.example")]] {
        assert_eq!(ask(&server, headers).await.1.status, 101, "{headers:?}");
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
    let (second, _) = ask(&server, &[]).await;
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
    let (_first, head) = ask(&server, &[("X-Forwarded-For", "203.0.113.1")]).await;
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
    let (_one, head) = ask(&server, &from("203.0.113.1")).await;
    assert_eq!(head.status, 101);
    let (_other, head) = ask(&server, &from("203.0.113.2, 10.0.0.7")).await;
    assert_eq!(head.status, 101);
    refused(&server, &from("203.0.113.3, 203.0.113.2"), ErrorCode::TooManyConnections).await;
    refused(&server, &from("203.0.113.1, 10.0.0.8"), ErrorCode::TooManyConnections).await;
}
