//! Messages by their words.

use std::time::Duration;

use anteroom_protocol::id::RoomRef;
use anteroom_protocol::limits;
use anteroom_protocol::search::SearchPage;
use tokio::time::sleep;

use super::cursor::Purpose;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::refusal::Refusal;
use crate::store::{Found, Page, Position, Store};
use crate::wire::to_wire::{Audience, entry_frame};

/// Entries that are made ready to be found in one transaction: short enough for nobody who writes to notice.
const AT_A_TIME: u32 = 256;
/// How often it is looked whether there are new ones.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Words of one search.
const WORDS: usize = 16;
/// Accents that stand behind their letter. Some keyboards and file names write them so, and the index takes both for one letter.
const ACCENTS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// The reader's messages with all of these words.
///
/// # Errors
/// No words, too many, a room that is not the reader's, or a page that no answer to a search named.
pub async fn search(
    app: &App,
    actor: &Actor,
    words: &str,
    room: Option<RoomRef>,
    page: Page<String>,
) -> Result<SearchPage, AppError> {
    let words = parse(words)?;
    let page = Page { before: before(app, page.before.as_deref())?, limit: page.limit };
    let room = match room {
        None => None,
        Some(RoomRef::Inbox) => return Err(Refusal::Invalid("room: an inbox has no messages".into()).into()),
        Some(RoomRef::Room(id)) => {
            app.store.room(&actor.user, id).await?.ok_or(Refusal::NotFound)?;
            Some(id)
        }
    };
    let Found { entries, next } = app.store.search(&actor.user, room, &words, page).await?;
    let items = entries
        .iter()
        .map(|(side, entry)| entry_frame(entry, Audience::of(&entry.log, *side), false))
        .collect();
    let next = next.map(|place| app.cursors.seal(Purpose::Search, place));
    Ok(SearchPage { items, next })
}

/// Where a page begins.
fn before(app: &App, cursor: Option<&str>) -> Result<Option<Position>, Refusal> {
    let Some(cursor) = cursor else { return Ok(None) };
    match app.cursors.open(Purpose::Search, cursor) {
        // Earlier servers named a page by a number, which shows how many entries there are. The newest page is what is left of it.
        None if cursor.parse::<u64>().is_ok() => Ok(None),
        None => Err(Refusal::Invalid("before: it is not the next of a search".into())),
        Some(place) => Ok(Some(place)),
    }
}

/// The words of a question. What is no letter, no digit and no accent of its own parts them, as it does in the index.
fn parse(text: &str) -> Result<Vec<String>, Refusal> {
    if text.len() > limits::SEARCH_BYTES {
        return Err(Refusal::TooLarge { field: "q", limit: limits::SEARCH_BYTES });
    }
    let words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric() && !ACCENTS.contains(&c))
        .filter(|word| word.contains(char::is_alphanumeric))
        .map(str::to_owned)
        .collect();
    match words.len() {
        0 => Err(Refusal::Invalid("q: there is no word in it".into())),
        1..=WORDS => Ok(words),
        _ => Err(Refusal::Invalid(format!("q: at most {WORDS} words"))),
    }
}

/// Makes what is committed ready to be found, for ever. After a failure it looks again.
pub async fn keep_up(store: std::sync::Arc<dyn Store>) {
    loop {
        match store.index(AT_A_TIME).await {
            Ok(true) => tokio::task::yield_now().await,
            Ok(false) => sleep(LOOK_EVERY).await,
            Err(error) => {
                tracing::error!(%error, "new messages cannot be made ready to be found");
                sleep(LOOK_EVERY * 20).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_its_words_and_nothing_else() {
        assert_eq!(
            parse("  Grüß-Gott, \"x y\"* NEAR(日本) "),
            Ok(["Grüß", "Gott", "x", "y", "NEAR", "日本"].map(str::to_owned).to_vec())
        );
        assert_eq!(parse("cafe\u{301}s"), Ok(vec!["cafe\u{301}s".to_owned()]), "an accent parts no word");
        for nothing in ["", "  ", "\"*()", "\u{301}"] {
            assert!(matches!(parse(nothing), Err(Refusal::Invalid(_))), "{nothing:?}");
        }
        assert!(parse(&"a ".repeat(17)).is_err());
        assert!(matches!(parse(&"a".repeat(201)), Err(Refusal::TooLarge { .. })));
    }
}
