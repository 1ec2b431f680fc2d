//! The contact guard: which ways to reach somebody a text gives away, and whether the phase allows that. Pure, and as fast as the text is
//! long.
//!
//! A text is folded (`fold`), so that what looks the same is the same; cut into tokens (`token`); and read for words that tell what it
//! is about (`vocabulary`). Then `email`, `phone`, `link` and `handle` suspect places, each with a score that the shape of the
//! place and the words around it add up to. Nothing weak is enough by itself: [`ENOUGH`] takes a sure form, or several signs together.

/// A set of words that are written between bars, folded as texts are.
macro_rules! word_set {
    ($name:ident, $list:expr) => {
        static $name: std::sync::LazyLock<std::collections::HashSet<String>> =
            std::sync::LazyLock::new(|| {
                $list
                    .split('|')
                    .map(|word| super::fold::folded(word.trim()))
                    .filter(|word| !word.is_empty())
                    .collect()
            });
    };
}

mod address;
mod digits;
mod email;
mod finders;
mod fold;
mod handle;
mod link;
pub mod measure;
mod name;
mod numbers;
mod phone;
mod places;
mod spoken;
mod token;
mod verdict;
mod vocabulary;
mod words;

use std::ops::Range;

use anteroom_protocol::guard::ContactRule;

pub use self::verdict::{Action, ContactPolicy, Said, Verdict, judge};

use self::finders::Libraries;
use self::fold::Folded;
use self::token::Token;
use self::vocabulary::Marks;

/// From this score on a suspicion is a finding.
pub const ENOUGH: i32 = 100;

/// Contact information in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its bytes in the text.
    pub range: Range<usize>,
    /// By which rule.
    pub rule: ContactRule,
}

/// A place that looks like contact information, and how much.
#[derive(Debug)]
struct Suspicion {
    place: Range<usize>,
    rule: ContactRule,
    score: i32,
}

impl Suspicion {
    fn new(place: Range<usize>, rule: ContactRule, score: i32) -> Self {
        Self { place, rule, score }
    }
}

/// A text as it is read.
struct Reading<'a> {
    folded: &'a Folded,
    tokens: Vec<Token<'a>>,
    marks: Marks,
}

impl<'a> Reading<'a> {
    fn of(folded: &'a Folded) -> Self {
        let tokens = token::tokens(&folded.text);
        let spread = tokens
            .iter()
            .filter(|token| token.spread)
            .map(|token| (token.text.as_ref(), token.range.clone()));
        let marks = Marks::of(&folded.text, spread);
        Self { folded, tokens, marks }
    }

    /// Where these tokens stand in the folded text.
    fn place(&self, tokens: Range<usize>) -> Range<usize> {
        let start = self.tokens.get(tokens.start).map_or(0, |token| token.range.start);
        let end = tokens
            .end
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.range.end);
        start..end.max(start)
    }

    /// Whether a sign of a currency stands right before or behind this place.
    fn is_money(&self, place: &Range<usize>) -> bool {
        let sign = |c: Option<char>| c.is_some_and(|c| "$€£¥₹₽₺₩₫₴฿₱₦₪₸元円원₲₡".contains(c));
        let text = &self.folded.text;
        sign(text[..place.start].trim_end().chars().next_back())
            || sign(text[place.end..].trim_start().chars().next())
    }
}

/// A place of a text that looks like contact information, and how much: from [`ENOUGH`] on it is taken for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// What it would be.
    pub finding: Finding,
    /// How much it looks like it.
    pub score: i32,
}

/// Everything in a text that looks at all like contact information.
pub fn weigh(text: &str) -> Vec<Weighed> {
    let folded = Folded::of(text);
    let weighed = |suspicion: Suspicion| Weighed {
        finding: Finding { range: folded.original(suspicion.place), rule: suspicion.rule },
        score: suspicion.score,
    };
    suspicions(&folded).into_iter().map(weighed).collect()
}

/// What a text gives away, in the order of its places. Places do not overlap: of two, the surer one is told.
pub fn examine(text: &str) -> Vec<Finding> {
    let folded = Folded::of(text);
    let mut findings: Vec<Suspicion> = Vec::new();
    for suspicion in suspicions(&folded).into_iter().filter(|suspicion| suspicion.score >= ENOUGH) {
        match findings.last_mut() {
            Some(last) if suspicion.place.start < last.place.end => {
                let end = last.place.end.max(suspicion.place.end);
                if suspicion.score > last.score {
                    last.rule = suspicion.rule;
                    last.score = suspicion.score;
                }
                last.place.end = end;
            }
            _ => findings.push(suspicion),
        }
    }
    findings
        .into_iter()
        .map(|finding| Finding { range: folded.original(finding.place), rule: finding.rule })
        .collect()
}

fn suspicions(folded: &Folded) -> Vec<Suspicion> {
    let reading = Reading::of(folded);
    let mut suspicions = Vec::new();
    email::suspect(&reading, &mut suspicions);
    link::suspect(&reading, &Libraries, &mut suspicions);
    handle::suspect(&reading, &mut suspicions);
    phone::suspect(&reading, &Libraries, &mut suspicions);
    suspicions.sort_by_key(|suspicion| (suspicion.place.start, std::cmp::Reverse(suspicion.score)));
    suspicions
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Somebody who read the guard's code found these to pass: a second number beside the first, a letter glued to it, a scheme nobody
    /// knows, blanks that are none. Each is a sure form, and no neighbour makes it anything else.
    #[test]
    fn regression_a_sure_form_is_found_whatever_stands_beside_it() {
        let texts = [
            "Tel. 0170 1234567 / 030 12345678",
            "call me (555) 123-4567 / (555) 987-6543",
            "415-555-0123 / 415-555-0199",
            "WhatsApp 0170 1234567 0170 1234567",
            "Call +49 170 12345678 10-18 Uhr",
            "#+49 170 1234567",
            "_+49 170 1234567_",
            "x+49 170 1234567",
            "+49 170 1234567pls",
            "my number: +49 170 1234567:1",
            "Write to ana@lopez.dev:thanks",
            "My address: ana@lopez.dev:ana",
            "https://docs.rs/ana@lopez.dev",
            "mailto://ana@lopez.dev",
            "ftp://ana@lopez.dev",
            "noreply.ana@gmail.com",
            "my email: hello@mail.com",
            "write to ana@lopez.hamburg",
            "write to ana@lopez.international",
            "ana@a1b2c3d4e5f6g7h8i9.com",
            "call me +49⠀170⠀1234567",
            "ftp://t.me/ana",
            "custom://wa.me/491701234567",
            "//t.me/ana",
            "http:/t.me/ana",
            "x/t.me/ana",
            "(/t.me/ana)",
            "t.me\\ana",
            "my portfolio: https://ana-lopez.wordpress.com",
            "contact form: https://ana-lopez.wordpress.com/contact",
            "my portfolio: https://sites.google.com/view/ana-lopez",
            "my page https://ana.substack.com/about",
            "my blog https://ana.medium.com",
            "my portfolio: https://ana-lopez.com/docs",
            "Telegram: ana.me",
            "Telegram: maria.at",
            "Instagram: ana.ai",
            "telegram ana_lopez1",
        ];
        for text in texts {
            assert!(!examine(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn every_place_is_told_once_and_by_the_surest_rule() {
        let text = "mail ana@lopez.dev or wa.me/491701234567, not 12.06.2026";
        let told: Vec<_> =
            examine(text).into_iter().map(|finding| (&text[finding.range], finding.rule)).collect();
        let expected = [
            ("ana@lopez.dev", ContactRule::EmailAddress),
            ("wa.me/491701234567", ContactRule::MessengerLink),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_scale_of_scores_says_why() {
        let weighed = weigh("our telegram bot, 9:30 to 18:00, order 4500127839");
        assert!(weighed.iter().all(|weighed| weighed.score < ENOUGH), "{weighed:?}");
    }
}
