//! `GET /v1/events`: for a system that has lost everything, or asks by itself.

use anteroom_protocol::event::EventPage;
use serde_json::{Value, json};

use super::{Hooks, in_order_without_holes, scene};
use crate::support::receiver::Receiver;
use crate::support::{TestServer, problem, soon};

/// All pages from this cursor on, until there is nothing more; and the cursor behind.
async fn pages(
    server: &TestServer,
    query: &str,
    mut cursor: Option<String>,
) -> (Vec<anteroom_protocol::event::Event>, String) {
    let mut events = Vec::new();
    loop {
        let after = cursor.as_ref().map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        let page: EventPage =
            server.marketplace.service().get(&format!("/v1/events?{query}{after}")).await.expect("a page");
        assert!(!page.reset);
        events.extend(page.items);
        if !page.has_more {
            return (events, page.cursor);
        }
        cursor = Some(page.cursor);
    }
}

/// The same, as soon as there are so many: what is just being committed is told a moment later.
async fn all(
    server: &TestServer,
    query: &str,
    count: usize,
) -> (Vec<anteroom_protocol::event::Event>, String) {
    soon(&format!("{count} events"), async {
        loop {
            let (events, cursor) = pages(server, query, None).await;
            if events.len() >= count {
                return (events, cursor);
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_system_that_lost_everything_reads_what_its_webhook_was_told_and_goes_on_from_there() {
    let mut scene = scene().await;
    let receiver = Receiver::start().await;
    let hooks = Hooks::of(&scene.server);
    hooks.put("crm", &receiver, json!({})).await;
    let (_, room) = scene.talking().await;
    for number in 0..10 {
        scene.client.posted(room, &number.to_string()).await;
    }
    let logs = [scene.client.inbox().await, scene.freelancer.inbox().await, scene.client.log(room).await];
    let count = logs.iter().map(Vec::len).sum();
    let mut told: Vec<String> = receiver.took(count).await.into_iter().map(|heard| heard.event.id).collect();
    for limit in [1, 3, 200] {
        let (events, _) = all(&scene.server, &format!("limit={limit}"), count).await;
        let mut ids: Vec<String> = events.into_iter().map(|event| event.id).collect();
        ids.sort_unstable();
        told.sort_unstable();
        assert_eq!(ids, told, "in pages of {limit}");
    }
    let (_, cursor) = all(&scene.server, "limit=7", count).await;
    assert!(pages(&scene.server, "limit=7", Some(cursor.clone())).await.0.is_empty());
    // Another system begins there, and hears what comes behind.
    let late = Receiver::start().await;
    hooks.put("late", &late, json!({ "after": cursor })).await;
    scene.client.posted(room, "behind the cursor").await;
    let heard = late.took(1).await;
    assert!(heard[0].body.contains("behind the cursor"), "{}", heard[0].body);
    // And one from the very beginning.
    let (_, beginning) = {
        let page: EventPage = hooks.service.get("/v1/events?limit=1").await.expect("a page");
        (page.items, page.cursor)
    };
    let from_the_first = Receiver::start().await;
    hooks.put("history", &from_the_first, json!({ "after": beginning })).await;
    from_the_first.took(count).await;
    in_order_without_holes(&from_the_first);
}

#[tokio::test]
async fn each_audience_pages_through_what_it_may_know() {
    let mut scene = scene().await;
    let (_, room) = scene.talking().await;
    let (theirs, his, room) = (
        scene.client.inbox().await.len(),
        scene.freelancer.inbox().await.len(),
        scene.client.log(room).await.len(),
    );
    for (audience, count) in
        [("client", theirs + room), ("freelancer", his + room), ("marketplace", theirs + his + room)]
    {
        let (events, _) = all(&scene.server, &format!("audience={audience}"), count).await;
        assert_eq!(events.len(), count, "{audience}");
    }
}

#[tokio::test]
async fn a_cursor_that_is_none_of_this_database_is_answered_with_a_reset_and_everything() {
    let mut scene = scene().await;
    scene.talking().await;
    let page: EventPage =
        scene.server.marketplace.service().get("/v1/events?after=00ff").await.expect("a page");
    assert!(
        page.reset
            && page.items.iter().any(|event| event.data.entry.as_ref().is_some_and(|entry| entry.seq == 1))
    );
    // Nor is the cursor of something else.
    let changes: Value = scene.client.see("/v1/changes").await;
    let cursor = changes["cursor"].as_str().expect("a cursor");
    let service = scene.server.marketplace.service();
    let page: EventPage = service.get(&format!("/v1/events?after={cursor}")).await.expect("a page");
    assert!(page.reset);
    let refused = service.get::<Value>("/v1/events?audience=everybody").await.expect_err("no audience");
    assert_eq!(problem(&refused).code.as_str(), "bad_request");
}
