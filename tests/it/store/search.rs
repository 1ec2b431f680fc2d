//! Search: messages by their words, of the reader's rooms alone, and never what was deleted.

use anteroom::domain::log::LogEntry;
use anteroom::store::{Found, Page};
use anteroom_protocol::entry::MessagePosted;
use anteroom_protocol::id::{RoomId, RoomRef};
use anteroom_protocol::user::Side;

use super::amend::service;
use super::deed::person;
use super::world::{ALL, Post, World, first, user};
use crate::support::ask;

/// Makes everything ready to be found, in steps of this size.
async fn index_by(world: &World, limit: u32) {
    world.settled().await;
    while world.store().index(limit).await.expect("indexed") {}
}

async fn index(world: &World) {
    index_by(world, ALL).await;
}

async fn found(world: &World, name: &str, room: Option<RoomId>, words: &[&str]) -> Found {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    world.store().search(&user(name), room, &words, first(ALL)).await.expect("searched")
}

fn text(entry: &LogEntry) -> String {
    let posted: MessagePosted = serde_json::from_str(entry.public.json()).expect("a text");
    posted.body
}

/// The texts that were found, newest first.
async fn texts(world: &World, name: &str, room: Option<RoomId>, words: &[&str]) -> Vec<String> {
    let found = found(world, name, room, words).await;
    assert_eq!(found.next, None, "one page");
    found.entries.iter().map(|(_, entry)| text(entry)).collect()
}

async fn say(world: &World, room: RoomId, lines: &[&str]) {
    let posts: Vec<Post> = lines.iter().map(|line| world.post("felix", room, line)).collect();
    assert!(world.commit(&posts).await.iter().all(Result::is_ok));
}

pub(super) async fn a_message_is_found_by_all_of_its_words_and_the_beginning_of_the_last(world: World) {
    let room = world.room("garden", "felix").await;
    say(&world, room, &["The quick brown fox", "A slow brown dog", "foxes everywhere", "nothing"]).await;
    assert!(texts(&world, "clara", None, &["brown"]).await.is_empty(), "not before it is made ready");
    index(&world).await;
    let cases: [(&[&str], &[&str]); 11] = [
        (&["brown"], &["A slow brown dog", "The quick brown fox"]),
        (&["BROWN"], &["A slow brown dog", "The quick brown fox"]),
        (&["brown", "quick"], &["The quick brown fox"]),
        (&["quick", "brown", "fo"], &[]),
        (&["quick", "dog", "bro"], &[]),
        (&["fox"], &["foxes everywhere", "The quick brown fox"]),
        (&["bro"], &["A slow brown dog", "The quick brown fox"]),
        (&["br", "dog"], &[]),
        (&["rown"], &[]),
        (&["brown", "cat"], &[]),
        (&["message"], &[]),
    ];
    for (words, expected) in cases {
        for name in ["clara", "felix"] {
            assert_eq!(texts(&world, name, None, words).await, expected, "{words:?}");
            assert_eq!(texts(&world, name, Some(room), words).await, expected, "{words:?}");
        }
    }
    let sides: Vec<Option<Side>> =
        found(&world, "clara", None, &["dog"]).await.entries.iter().map(|(side, _)| *side).collect();
    assert_eq!(sides, [Some(Side::Client)]);
    assert!(found(&world, "clara", None, &[]).await.entries.is_empty());
}

pub(super) async fn accents_and_case_make_no_difference_in_any_script(world: World) {
    let room = world.room("garden", "felix").await;
    let lines = [
        "Grüße aus Ångström",
        "cafe\u{301} cre\u{300}me",
        "Привет МИР",
        "日本語 です",
        "שלום עולם",
        "Ναί ΌΧΙ",
        "मुझे हिन्दी आती है",
    ];
    say(&world, room, &lines).await;
    index(&world).await;
    for (words, line) in [
        (["gruße"].as_slice(), 0),
        (&["GRUßE", "angstrom"], 0),
        (&["Grüße", "aus"], 0),
        (&["cafe"], 1),
        (&["café", "creme"], 1),
        (&["cafe\u{301}"], 1),
        (&["привет", "мир"], 2),
        (&["日本語"], 3),
        (&["日本"], 3),
        (&["שלום"], 4),
        (&["όχι"], 5),
        (&["हिन्दी"], 6),
    ] {
        assert_eq!(texts(&world, "clara", None, words).await, [lines[line]], "{words:?}");
    }
}

pub(super) async fn signs_of_the_question_language_are_words_like_any_other(world: World) {
    let room = world.room("garden", "felix").await;
    say(&world, room, &["near the house and not far", "body or scope", "log1 log2", "say \"hi\" to him"])
        .await;
    index(&world).await;
    for (words, expected) in [
        (["NEAR"].as_slice(), ["near the house and not far"].as_slice()),
        (&["NOT", "AND"], &["near the house and not far"]),
        (&["OR"], &["body or scope"]),
        (&["scope"], &["body or scope"]),
        (&["\"hi\""], &["say \"hi\" to him"]),
        (&["say \"hi"], &["say \"hi\" to him"]),
    ] {
        assert_eq!(texts(&world, "clara", None, words).await, expected, "{words:?}");
    }
    for odd in [
        "\"",
        "\"\"",
        "*",
        "(",
        ")",
        "NEAR(",
        "body:",
        "body : x",
        "^",
        "-",
        "+",
        "{a b}:",
        "'",
        "\\",
        "\u{0}",
        ";",
        "%",
        "Ⓐ",
        "\u{301}",
        "👩\u{200d}👩",
        "scope : log1",
        "\") OR scope : (log1",
    ] {
        for words in [vec![odd], vec!["near", odd], vec![odd, "near"]] {
            let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
            let found = world.store().search(&user("mallory"), None, &words, first(ALL)).await;
            assert!(found.expect("no error").entries.is_empty(), "{words:?}");
            world.store().search(&user("clara"), None, &words, first(ALL)).await.expect("no error");
        }
    }
}

pub(super) async fn nobody_finds_what_stands_in_a_room_of_others(world: World) {
    let own = world.room("own", "felix").await;
    let other = world.room("other", "fiona").await;
    for (name, room) in [("felix", own), ("fiona", other)] {
        world.posted(name, room, &format!("the word of {name}")).await;
    }
    // One's own words can name the scope of another room, and find nothing of it.
    say(&world, own, &["log1", "log2 log3 log4 log5 log6 log7 log8 log9 log10 log11 log12"]).await;
    index(&world).await;
    assert_eq!(texts(&world, "clara", None, &["word"]).await, ["the word of fiona", "the word of felix"]);
    assert_eq!(texts(&world, "clara", Some(own), &["word"]).await, ["the word of felix"]);
    assert_eq!(texts(&world, "felix", None, &["word"]).await, ["the word of felix"]);
    assert_eq!(texts(&world, "fiona", None, &["word"]).await, ["the word of fiona"]);
    assert!(texts(&world, "fiona", Some(own), &["word"]).await.is_empty());
    assert!(texts(&world, "clara", Some(RoomId(world.fresh())), &["word"]).await.is_empty());
    for name in ["mallory", "nobody"] {
        assert!(texts(&world, name, None, &["word"]).await.is_empty());
        assert!(texts(&world, name, Some(own), &["word"]).await.is_empty());
    }
    for number in 0..20 {
        let scope = format!("log{number}");
        assert!(texts(&world, "fiona", None, &[&scope]).await.is_empty(), "{scope}");
    }
}

pub(super) async fn every_version_of_a_message_is_found_until_it_is_deleted(world: World) {
    let room = world.room("garden", "felix").await;
    let name = RoomRef::Room(room);
    let seq = world.posted("felix", room, "an apple").await.seq;
    let kept = world.posted("felix", room, "an apricot").await.seq;
    index(&world).await;
    let edit = ask::edit(name, seq, "a banana");
    world.act(&person("felix"), world.client_id(), &edit).await.expect("edited");
    assert!(texts(&world, "clara", None, &["banana"]).await.is_empty());
    index(&world).await;
    let seqs = async |word: &str| {
        let found = found(&world, "clara", None, &[word]).await;
        found.entries.iter().map(|(_, entry)| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!((seqs("apple").await, seqs("banana").await), (vec![seq], vec![kept + 1]));
    let edit = ask::edit(name, seq, "a cherry");
    world.act(&person("felix"), world.client_id(), &edit).await.expect("edited and not made ready");
    world.act(&service(), world.client_id(), &ask::redact(name, seq)).await.expect("deleted");
    for _ in 0..2 {
        for word in ["apple", "banana", "cherry", "anger"] {
            assert!(seqs(word).await.is_empty(), "{word}");
        }
        assert_eq!(seqs("apr").await, [kept], "its neighbour is still found");
        index(&world).await;
    }
}

pub(super) async fn what_was_deleted_before_it_was_made_ready_is_never_found(world: World) {
    let room = world.room("garden", "felix").await;
    let seq = world.posted("felix", room, "an apple").await.seq;
    world.posted("felix", room, "another apple").await;
    world
        .act(&person("felix"), world.client_id(), &ask::redact(RoomRef::Room(room), seq))
        .await
        .expect("deleted");
    index(&world).await;
    assert_eq!(texts(&world, "clara", None, &["apple"]).await, ["another apple"]);
    assert!(!world.store().index(ALL).await.expect("indexed"), "there is nothing more");
}

pub(super) async fn pages_of_what_was_found_give_everything_once_newest_first(mut world: World) {
    let rooms = world.rooms(3).await;
    let mut lines = Vec::new();
    for number in 0..60_usize {
        let line = format!("number {number}");
        world.posted(if number % 2 == 0 { "clara" } else { "felix" }, rooms[number % 3], &line).await;
        lines.insert(0, line);
        if number == 25 {
            index_by(&world, 7).await;
            world.open_again().await;
        }
    }
    index_by(&world, 1).await;
    for (room, of) in [(None, 1), (Some(rooms[2]), 3)] {
        let expected: Vec<&String> = lines.iter().step_by(of).collect();
        for limit in [1, 7, 20, 59, 60, 61] {
            let (mut before, mut all) = (None, Vec::new());
            loop {
                let page = Page { before, limit };
                let found = world.store().search(&user("felix"), room, &["number".into()], page).await;
                let found = found.expect("searched");
                assert!(found.entries.len() <= limit as usize);
                all.extend(found.entries.iter().map(|(_, entry)| text(entry)));
                before = found.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(all.iter().collect::<Vec<_>>(), expected, "{limit} at a time");
        }
    }
}

pub(super) async fn whoever_has_many_rooms_finds_in_all_of_them(world: World) {
    let rooms = world.rooms(300).await;
    world.posted("felix", rooms[0], "needle one").await;
    world.posted("felix", rooms[299], "needle two").await;
    index(&world).await;
    assert_eq!(texts(&world, "clara", None, &["needle"]).await, ["needle two", "needle one"]);
    assert_eq!(texts(&world, "clara", None, &["gladly"]).await.len(), 300);
}
