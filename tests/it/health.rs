//! Probes and figures.

use anteroom::app::AppError;
use anteroom::app::writer::EntryJob;
use anteroom::domain::log::Log;
use anteroom::store::{Intent, Write};
use anteroom_load_tests::client::{Http, HttpAnswer, new_client_id};
use anteroom_protocol::error::ErrorCode;

use crate::support::{Door, Scene, ask};

async fn get(base: &str, path: &str) -> HttpAnswer {
    Http::anonymous(base).raw("GET", path, &[], None).await.expect("an answer")
}

#[tokio::test]
async fn probes_are_answered_to_anybody() {
    let scene = Scene::new(Door::Http).await;
    for path in ["/livez", "/readyz"] {
        let answer = get(&scene.server.base, path).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, "ok\n"), "{path}");
    }
}

/// A server whose writer had ended answered every command with an error, and its probes said that all was well.
#[tokio::test]
async fn regression_a_server_whose_writer_has_ended_says_so_to_probes() {
    let scene = Scene::new(Door::Http).await;
    let by = &scene.client.user;
    let intent = Intent { actor: by.to_string(), client_id: new_client_id(), mac: [0; 16] };
    let job = EntryJob {
        write: Write { log: Log::Inbox(by.clone()), intent },
        decide: Box::new(|_| panic!("a rule that cannot be")),
        lane: None,
    };
    let ended = scene.server.app().writer.append(job).outcome().await;
    assert!(matches!(ended, Err(AppError::Unknown(_))), "{ended:?}");
    for path in ["/livez", "/readyz"] {
        let answer = get(&scene.server.base, path).await;
        assert_eq!((answer.status, answer.text.as_str()), (503, "the writer has ended\n"), "{path}");
    }
}

#[tokio::test]
async fn figures_have_a_listener_of_their_own() {
    let scene = Scene::new(Door::Http).await;
    assert_eq!(get(&scene.server.base, "/metrics").await.status, 404);
    assert_eq!(get(&scene.server.figures(), "/livez").await.status, 404);
    assert_eq!(get(&scene.server.base, "/delivery").await.status, 404, "for operators");
    let delivery = get(&scene.server.figures(), "/delivery").await;
    assert_eq!((delivery.status, delivery.text.as_str()), (200, "ok\n"));
    let figures = get(&scene.server.figures(), "/metrics").await;
    assert_eq!(figures.status, 200);
    assert!(figures.content_type.starts_with("application/openmetrics-text"), "{}", figures.content_type);
    assert!(figures.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn figures_tell_of_commands_and_connections_and_name_nobody() {
    let mut scene = Scene::embedded(Door::Socket).await;
    let (case, room) = scene.talking().await;
    scene.freelancer.posted(room, "not for the operator's eyes").await;
    scene.freelancer.refused_with(ErrorCode::WrongSide, ask::decline_candidacy(case.candidacy)).await;
    scene.client.http.get::<serde_json::Value>("/v1/me").await.expect("a view");
    let figures = get(&scene.server.figures(), "/metrics").await.text;
    for line in [
        "anteroom_connections 2",
        r#"anteroom_commands_total{type="message.post",code="ok"} 1"#,
        r#"anteroom_commands_total{type="invitation.accept",code="ok"} 1"#,
        r#"anteroom_commands_total{type="candidacy.decline",code="wrong_side"} 1"#,
        r#"anteroom_joins_total{mode="live"} 2"#,
        "anteroom_entries_total 9",
    ] {
        assert!(figures.lines().any(|shown| shown == line), "{line} is not in\n{figures}");
    }
    assert!(figures.contains("anteroom_commit_seconds_bucket"), "{figures}");
    assert!(figures.contains(r#"anteroom_http_requests_total{status="200"}"#), "{figures}");
    let names = [room.to_string(), case.candidacy.to_string(), "clara".into(), "felix".into(), "job".into()];
    for name in names.iter().map(String::as_str).chain(["operator's eyes"]) {
        assert!(!figures.contains(name), "{name} is in\n{figures}");
    }
}
