//! Search over the routes: what is found, by whom, and what is refused.

use anteroom_load_tests::client::path_segment;
use anteroom_protocol::room::Changes;
use anteroom_protocol::search::SearchPage;

use crate::support::{Door, Person, Scene, ask, exchange, soon};

async fn find(person: &Person, query: &str) -> SearchPage {
    person.see(&format!("/v1/search?{query}")).await
}

fn bodies(page: &SearchPage) -> Vec<String> {
    page.items.iter().map(|entry| entry.data()["body"].as_str().expect("a text").to_owned()).collect()
}

fn question(words: &str) -> String {
    format!("q={}", path_segment(words))
}

/// New messages can be found within seconds: waits until this one can.
async fn can_be_found(person: &Person, words: &str) {
    let query = question(words);
    soon("found", async {
        while find(person, &query).await.items.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn messages_are_found_in_one_room_or_in_all_and_only_ones_own() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, one) = scene.talking().await;
    scene.job = scene.another_job("another").await;
    let (_, two) = scene.talking().await;
    scene.freelancer.posted(one, "Can you start in March?").await;
    scene.client.posted(two, "March is fine, the start too").await;
    scene.client.posted(two, "Marches are loud").await;
    can_be_found(&scene.client, "loud").await;

    let all = find(&scene.client, &question("march")).await;
    assert_eq!(bodies(&all), ["Marches are loud", "March is fine, the start too", "Can you start in March?"]);
    assert_eq!(all.next, None);
    let entries = scene.client.log(one).await;
    let last = entries.last().expect("an entry");
    assert_eq!((all.items[2].room, all.items[2].seq, all.items[2].hash), (one, last.seq, last.hash));
    assert_eq!(bodies(&find(&scene.client, &question("start march")).await).len(), 2);
    let here = find(&scene.freelancer, &format!("{}&room={one}", question("march"))).await;
    assert_eq!(bodies(&here), ["Can you start in March?"]);

    let mut pages = Vec::new();
    let mut next: Option<String> = None;
    loop {
        let before = next.map_or(String::new(), |next| format!("&before={next}"));
        let page = find(&scene.client, &format!("{}&limit=1{before}", question("march"))).await;
        assert!(page.items.len() <= 1);
        pages.extend(page.items);
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(pages, all.items);
    // A page was named by a number once, which told how many entries there are: no number leads anywhere any more.
    for number in ["1", "3", "18446744073709551615"] {
        let page = find(&scene.client, &format!("{}&limit=2&before={number}", question("march"))).await;
        assert_eq!(page.items, all.items[..2], "the newest, as without it");
    }
    let changes: Changes = scene.client.see("/v1/changes").await;
    let first = find(&scene.client, &format!("{}&limit=1", question("march"))).await;
    let bent = first.next.expect("there is more").replace(|c: char| c.is_ascii_digit(), "0");
    for before in [changes.cursor, bent] {
        let path = format!("/v1/search?{}&before={before}", question("march"));
        let token = scene.server.token(&scene.client.user);
        let refused = exchange(&scene.server, ("GET", &path), Some(&token), &[], String::new()).await;
        assert_eq!(refused.code(), "bad_request", "no place of a search");
    }

    scene.server.marketplace.open_room("foreign").await.expect("a room");
    let stranger = Person::come(&scene.server, "foreign-client".parse().expect("an id"), Door::Http).await;
    assert!(find(&stranger, &question("march")).await.items.is_empty());
    let answer = exchange(
        &scene.server,
        ("GET", &format!("/v1/search?q=march&room={one}")),
        Some(&scene.server.token(&stranger.user)),
        &[],
        String::new(),
    )
    .await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn words_are_words_whatever_signs_stand_around_them() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    for body in ["Grüße (\"NEAR\" dem Haus)", "cafe\u{301}s au lait", "日本語です"] {
        scene.freelancer.posted(room, body).await;
    }
    can_be_found(&scene.client, "日本").await;
    for (words, found) in [
        ("gruße", 1),
        ("\"NEAR\"*", 1),
        ("NEAR(dem, haus)", 1),
        ("-haus", 1),
        ("body:haus", 0),
        ("cafés", 1),
        ("cafe\u{301}s", 1),
        ("CAFE\u{301}S LAIT", 1),
        ("日本語です", 1),
    ] {
        assert_eq!(find(&scene.client, &question(words)).await.items.len(), found, "{words:?}");
    }
}

#[tokio::test]
async fn a_question_without_words_or_with_too_many_is_refused() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let token = scene.server.token(&scene.client.user);
    let long = question(&"a".repeat(201));
    let many = question(&"a ".repeat(17));
    for (query, code) in [
        ("q=", "bad_request"),
        ("", "bad_request"),
        ("q=%22*", "bad_request"),
        ("q=x&room=inbox", "bad_request"),
        ("q=x&room=nonsense", "not_found"),
        ("q=x&before=nonsense", "bad_request"),
        (&many, "bad_request"),
        (&long, "too_large"),
        (&format!("q=x&room={}", uuid::Uuid::now_v7()), "not_found"),
    ] {
        let path = format!("/v1/search?{query}");
        let answer = exchange(&scene.server, ("GET", &path), Some(&token), &[], String::new()).await;
        assert_eq!(answer.code(), code, "{query}");
    }
    assert_eq!(find(&scene.client, &format!("q=x&room={room}")).await.items.len(), 0);
}

#[tokio::test]
async fn what_was_edited_is_found_by_each_version_and_what_was_deleted_by_none() {
    let mut scene = Scene::new(Door::Http).await;
    let (_, room) = scene.talking().await;
    let seq = scene.freelancer.posted(room, "an apple").await.seq;
    scene.freelancer.say(ask::edit(room, seq, "a banana")).await.expect("edited");
    can_be_found(&scene.client, "banana").await;
    let found = find(&scene.client, &question("apple")).await;
    assert_eq!((found.items[0].seq, found.items[0].amended_by), (seq, Some(seq + 1)));
    scene.freelancer.say(ask::redact(room, seq)).await.expect("deleted");
    scene.freelancer.posted(room, "a cherry").await;
    can_be_found(&scene.client, "cherry").await;
    for word in ["apple", "banana", "anger"] {
        assert!(find(&scene.client, &question(word)).await.items.is_empty(), "{word}");
    }
}
