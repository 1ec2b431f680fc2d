//! The words the guard knows, in many languages, and where they stand in a text.
//!
//! A word is found whole; `*` at its end means that endings may follow (`telefon*` finds "telefonnummer"). In scripts that are written
//! without spaces a word is found anywhere. All are folded as texts are.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::fold::folded;
use super::words::WORDS;

/// What a word tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Class {
    /// Somebody asks to be reached, or says how: "call me", "find me".
    Reach = 1,
    /// Something of one's own: "my".
    Mine = 1 << 1,
    /// Telephones, and what one does with them.
    Phone = 1 << 2,
    /// E-mail.
    Mail = 1 << 3,
    /// A messenger or a network by its name, which is nothing else.
    Messenger = 1 << 4,
    /// A messenger by a name that also means something else: "line", "signal".
    Vague = 1 << 5,
    /// A mail provider.
    Provider = 1 << 6,
    /// What a name in a messenger is called: "username", "id".
    Name = 1 << 7,
    /// One's own page: "portfolio", "website".
    Site = 1 << 8,
    /// "Not", "please do not", "never".
    Not = 1 << 9,
    /// What is public and nobody's own: "documentation", "competitor".
    Public = 1 << 10,
    /// What has long numbers and is no telephone: "invoice", "order".
    Counted = 1 << 11,
    /// Talk about the form of something: "format", "regex", "placeholder".
    Form = 1 << 12,
    /// What is counted or paid: "usd", "users".
    Unit = 1 << 13,
    /// "Number", of telephones and of everything else.
    Number = 1 << 14,
}

/// A word that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// Its first byte in the folded text.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
    /// What it tells.
    class: u32,
}

impl Mark {
    /// Whether it tells this.
    pub(super) fn is(&self, class: Class) -> bool {
        self.class & class as u32 != 0
    }
}

struct Entry {
    class: u32,
    /// Whether letters may stand right before and behind it.
    open: (bool, bool),
}

struct Vocabulary {
    automaton: AhoCorasick,
    entries: Vec<Entry>,
}

static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(|| {
    let mut words = Vec::new();
    let mut entries = Vec::new();
    for (class, list) in WORDS {
        for word in list.split('|').map(str::trim).filter(|word| !word.is_empty()) {
            let stem = word.ends_with('*');
            let word = folded(word.trim_end_matches('*'));
            let open = (
                word.starts_with(|c| is_unspaced(c) || takes_prefixes(c)),
                stem || word.ends_with(|c| is_unspaced(c) || is_hangul(c)),
            );
            entries.push(Entry { class: *class as u32, open });
            words.push(word);
        }
    }
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(&words)
        .expect("a list of words makes an automaton");
    Vocabulary { automaton, entries }
});

/// Scripts that are written without spaces between words.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// Korean, whose particles follow a word without a space.
fn is_hangul(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7af}')
}

/// Hebrew and Arabic, whose articles and prepositions stand before a word without a space.
fn takes_prefixes(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{6ff}')
}

/// The words of a folded text, by their place.
pub(super) struct Marks(Vec<Mark>);

impl Marks {
    /// Finds them, also where a word was pulled apart: each such word comes with its place.
    pub(super) fn of<'a>(text: &str, spread: impl Iterator<Item = (&'a str, Range<usize>)>) -> Self {
        let mut marks = Vec::new();
        for (word, place) in spread {
            let whole =
                VOCABULARY.automaton.find_overlapping_iter(word).filter(|found| found.len() == word.len());
            let entries = whole.filter_map(|found| VOCABULARY.entries.get(found.pattern().as_usize()));
            marks.extend(entries.map(|entry| Mark {
                start: place.start,
                end: place.end,
                class: entry.class,
            }));
        }
        for found in VOCABULARY.automaton.find_overlapping_iter(text) {
            let Some(entry) = VOCABULARY.entries.get(found.pattern().as_usize()) else { continue };
            let before = text[..found.start()].chars().next_back();
            let after = text[found.end()..].chars().next();
            let joined = |c: Option<char>, open: bool| {
                !open && c.is_some_and(|c| c.is_alphabetic() && !is_unspaced(c))
            };
            if !joined(before, entry.open.0) && !joined(after, entry.open.1) {
                marks.push(Mark { start: found.start(), end: found.end(), class: entry.class });
            }
        }
        marks.sort_by_key(|mark| mark.start);
        Self(marks)
    }

    /// All of one class.
    pub(super) fn all(&self, class: Class) -> impl Iterator<Item = &Mark> {
        self.0.iter().filter(move |mark| mark.is(class))
    }

    /// Those that begin in this stretch.
    pub(super) fn within(&self, range: Range<usize>) -> &[Mark] {
        let from = self.0.partition_point(|mark| mark.start < range.start);
        let to = self.0.partition_point(|mark| mark.start < range.end);
        self.0.get(from..to).unwrap_or_default()
    }

    /// Whether one of this class stands at most so many bytes before or behind this place.
    pub(super) fn near(&self, class: Class, place: &Range<usize>, (before, after): (usize, usize)) -> bool {
        let range = place.start.saturating_sub(before)..place.end + after;
        self.within(range)
            .iter()
            .any(|mark| mark.is(class) && (mark.end <= place.start || mark.start >= place.end))
    }

    /// How many bytes before this place the last one of this class ends, if it begins at most so many before it.
    pub(super) fn distance_before(&self, class: Class, place: &Range<usize>, within: usize) -> Option<usize> {
        let before = self.within(place.start.saturating_sub(within)..place.start);
        before
            .iter()
            .filter(|mark| mark.is(class) && mark.end <= place.start)
            .map(|mark| place.start - mark.end)
            .min()
    }

    /// Whether somebody asks to be reached, near this place, and does not say that one must not.
    pub(super) fn reaches(&self, place: &Range<usize>, reach: (usize, usize)) -> bool {
        let range = place.start.saturating_sub(reach.0)..place.end + reach.1;
        self.within(range).iter().any(|mark| {
            mark.is(Class::Reach)
                && (mark.end <= place.start || mark.start >= place.end)
                && !self
                    .within(mark.start.saturating_sub(16)..mark.start)
                    .iter()
                    .any(|mark| mark.is(Class::Not))
        })
    }
}
