//! Errors over HTTP: each is a problem document with a code of the one table, whatever went wrong and wherever.

use anteroom_load_tests::token::{Claims, Scope};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::route::{self, Who};
use serde_json::Value;

use crate::support::{Answered, Door, Person, Scene, TestServer, exchange, filled};

/// Checks the form of an error: the code is of the table, and the status is the code's.
fn is_problem(answer: &Answered, asked: &str) -> String {
    let code = answer.code();
    let known = ErrorCode::ALL.iter().find(|known| known.as_str() == code);
    let known = known.unwrap_or_else(|| panic!("{asked}: {code} is not in the table"));
    if answer.status != 405 && answer.status != 426 {
        assert_eq!(answer.status, known.http_status(), "{asked}");
    }
    let document: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(
        (&document["type"], &document["retryable"]),
        (&"about:blank".into(), &known.retryable().into())
    );
    assert!(document["title"].is_string() && document["detail"].is_string(), "{asked}: {document}");
    code
}

/// Everything that needs a token.
fn guarded() -> impl Iterator<Item = (&'static str, String)> {
    route::all()
        .filter(|route| route.who != Who::Anyone)
        .map(|route| (route.method.as_str(), filled(route.path)))
}

#[tokio::test]
async fn nothing_is_answered_without_a_token_that_is_believed() {
    let server = TestServer::start().await;
    Person::arrive(&server, "ana", Door::Http).await;
    let claims = server.mint.claims("ana", Scope::User);
    // An hour: the server's clock stands still since it was started, which may be a second ago.
    let ended = Claims { exp: claims.iat - 3_600, ..claims.clone() };
    let other = Claims { iss: "elsewhere".into(), ..claims };
    let tokens = [
        (None, "unauthenticated"),
        (Some("nonsense".to_owned()), "unauthenticated"),
        (Some(server.mint.sign(&other)), "unauthenticated"),
        (Some(server.mint.sign(&ended)), "token_expired"),
        (Some(server.token(&crate::support::id("nobody"))), "unknown_user"),
    ];
    for (method, path) in guarded() {
        for (token, expected) in &tokens {
            let asked = (method, path.as_str());
            let answer = exchange(&server, asked, token.as_deref(), &[], String::new()).await;
            assert_eq!(
                (answer.status, answer.header("www-authenticate")),
                (401, Some("Bearer")),
                "{asked:?}"
            );
            assert_eq!(is_problem(&answer, &path), *expected);
        }
    }
    let basic = [("Authorization", "Basic YW5hOmFuYQ==")];
    let answer = exchange(&server, ("GET", "/v1/me"), None, &basic, String::new()).await;
    assert_eq!(is_problem(&answer, "/v1/me"), "unauthenticated");
}

#[tokio::test]
async fn what_is_no_route_is_a_problem_of_404() {
    let scene = Scene::new(Door::Http).await;
    let token = scene.server.token(&scene.client.user);
    for path in
        ["/v2", "/v1", "/v1/", "/v1/me/", "/v1/rooms/inbox/entries/1", "/favicon.ico", "/metrics", "/../etc"]
    {
        for token in [None, Some(token.as_str())] {
            let answer = exchange(&scene.server, ("GET", path), token, &[], String::new()).await;
            assert_eq!((answer.status, is_problem(&answer, path)), (404, "unknown_type".into()), "{path}");
        }
    }
}

#[tokio::test]
async fn regression_what_is_no_method_of_a_route_is_a_problem_of_405() {
    let scene = Scene::new(Door::Http).await;
    for template in route::all().map(|route| route.path).chain(["/", "/app.js"]) {
        let path = filled(template);
        let answer = exchange(&scene.server, ("PATCH", &path), None, &[], String::new()).await;
        assert_eq!(answer.status, 405, "{path}");
        is_problem(&answer, &path);
        assert!(answer.header("allow").is_some(), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn regression_whatever_is_wrong_with_a_request_is_a_problem_that_says_it() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let token = scene.server.token(&scene.client.user);
    let entries = format!("/v1/rooms/{room}/entries");
    for (path, code) in [
        (format!("{entries}?after=1&before=2"), "bad_request"),
        (format!("{entries}?after=-1"), "bad_request"),
        (format!("{entries}?limit=many"), "bad_request"),
        (format!("{entries}?proof=perhaps"), "bad_request"),
        ("/v1/rooms?before=yesterday".into(), "bad_request"),
        ("/v1/rooms?limit=-1".into(), "bad_request"),
        ("/v1/invitations?status=lost".into(), "bad_request"),
        ("/v1/candidacies?phase=lost".into(), "bad_request"),
        ("/v1/rooms/nonsense".into(), "not_found"),
        ("/v1/rooms/inbox".into(), "not_found"),
        ("/v1/rooms/%ff".into(), "not_found"),
        ("/v1/rooms/%ff/entries".into(), "not_found"),
        ("/v1/jobs/%c3%28".into(), "not_found"),
        (format!("/v1/jobs/{}", "x".repeat(4_000)), "not_found"),
    ] {
        let answer = exchange(&scene.server, ("GET", &path), Some(&token), &[], String::new()).await;
        assert_eq!(is_problem(&answer, &path), code, "{path}");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_body_is_a_problem_that_says_it() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let token = scene.server.token(&scene.client.user);
    let path = format!("/v1/rooms/{room}/messages");
    let key = [("Idempotency-Key", "0195b2a0-0000-7000-8000-000000000001")];
    let huge = format!(r#"{{"body":"{}"}}"#, "x".repeat(64 * 1024));
    for (path, body, code) in [
        (path.as_str(), "", "bad_request"),
        (&path, "{", "bad_request"),
        (&path, "[]", "bad_request"),
        (&path, "\"hello\"", "bad_request"),
        (&path, r#"{"body":7}"#, "bad_request"),
        (&path, r#"{"text":"hello"}"#, "bad_request"),
        (&path, "{\"body\":\"a\u{0}b\"}", "bad_request"),
        (&path, &huge, "too_large"),
        ("/v1/rooms/%ff/messages", r#"{"body":"hello"}"#, "not_found"),
        ("/v1/rooms/nonsense/messages", r#"{"body":"hello"}"#, "bad_request"),
        ("/v1/invitations", r#"{"job":"a b","freelancer":"felix","message":"x"}"#, "bad_request"),
    ] {
        let answer = exchange(&scene.server, ("POST", path), Some(&token), &key, body.to_owned()).await;
        assert_eq!(is_problem(&answer, path), code, "{path} {body:.60}");
    }
    assert_eq!(scene.room(room).await.len(), 4, "nothing was written");
    // What the path names may be left out of the body or said again, and not contradicted.
    for (named, status) in [("inbox".to_owned(), 400), (room.to_string(), 200)] {
        let body = format!(r#"{{"room":"{named}","body":"hello"}}"#);
        let answer = exchange(&scene.server, ("POST", &path), Some(&token), &key, body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}
