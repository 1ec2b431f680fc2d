//! What was planted for nobody but the freelancer, and the search for it in whatever somebody was told.

use std::collections::{BTreeMap, BTreeSet};

use anteroom::domain::fee::Fees;
use anteroom_protocol::fee::{FeeLine, FeeSchedule};
use anteroom_protocol::log::{from_hex, to_hex};
use anteroom_protocol::terms::Terms;

/// Words that only what is told of fees has in it, wherever they stand.
const WORDS: [&str; 5] = ["take_home", "takeHome", "basis_points", "billed", "private_salt"];
/// Names of fields that only what is told of fees has. As words they may stand in any sentence.
const FIELDS: [&str; 6] = ["fee", "schedule", "private", "tiers", "up_to", "charged"];

/// Something that was said to somebody, and where.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub(super) origin: String,
    pub(super) text: String,
    /// A published document names every field there is, to everybody.
    pub(super) is_document: bool,
}

impl Said {
    pub(super) fn new(origin: impl Into<String>, text: impl Into<String>) -> Self {
        Self { origin: origin.into(), text: text.into(), is_document: false }
    }
}

/// Figures and salts, each with what it is and the forms it could be written in.
#[derive(Debug, Clone, Default)]
pub(super) struct Planted {
    figures: BTreeMap<i64, String>,
    charged: BTreeMap<i64, String>,
    salts: BTreeMap<String, String>,
}

impl Planted {
    /// How these fees are computed.
    pub(super) fn schedule(&mut self, fees: &Fees) {
        match &fees.schedule {
            FeeSchedule::Flat { basis_points } | FeeSchedule::OnTop { basis_points } => {
                self.figure(i64::from(*basis_points), "a share");
            }
            FeeSchedule::Tiered { tiers, .. } => {
                self.figure(fees.billed, "a lifetime billing");
                for tier in tiers {
                    self.figure(i64::from(tier.basis_points), "a tier's share");
                    if let Some(end) = tier.up_to {
                        self.figure(end, "a tier's end");
                    }
                }
            }
        }
    }

    /// What these terms mean under these fees.
    pub(super) fn terms(&mut self, name: &str, fees: &Fees, terms: &Terms) {
        let view = fees.view(terms);
        for FeeLine { charged, fee, take_home } in view.milestones.into_iter().flatten().chain([view.whole]) {
            self.charged.insert(charged, name.to_owned());
            self.figure(fee, &format!("a fee of {name}"));
            self.figure(take_home, &format!("a take-home of {name}"));
        }
    }

    fn figure(&mut self, figure: i64, what: &str) {
        assert!(figure >= 1_000, "{figure} stands in too many places: {what}");
        if let Some(other) = self.figures.insert(figure, what.to_owned()) {
            assert_eq!(other, what, "{figure}");
        }
    }

    /// A salt, as a proof tells it.
    pub(super) fn salt(&mut self, hex: &str, what: String) {
        assert!(from_hex::<16>(hex).is_some(), "{hex}");
        self.salts.insert(hex.to_owned(), what);
    }

    /// Every figure stands for one thing, and for nothing that a client is told.
    pub(super) fn is_unmistakable(&self) {
        for (figure, what) in &self.figures {
            assert!(!self.charged.contains_key(figure), "{what}, {figure}, is a charge too");
        }
        assert!(
            self.figures.len() > 40 && self.salts.len() > 10,
            "{} {}",
            self.figures.len(),
            self.salts.len()
        );
    }

    /// What was planted since it was as it was then.
    pub(super) fn since(&self, then: &Self) -> Self {
        let mut news = self.clone();
        news.figures.retain(|figure, _| !then.figures.contains_key(figure));
        news.charged.retain(|charged, _| !then.charged.contains_key(charged));
        news.salts.retain(|salt, _| !then.salts.contains_key(salt));
        news
    }

    /// Whether nothing was.
    pub(super) fn is_empty(&self) -> bool {
        self.figures.is_empty() && self.salts.is_empty()
    }

    /// Each place where something of this was told, and what it was.
    pub(super) fn leaks<'a>(&self, said: impl IntoIterator<Item = &'a Said>) -> Vec<String> {
        let (wanted, mut leaks) = (self.wanted(), Vec::new());
        // Much is said again and again, which is found where it is said first.
        let mut known = BTreeSet::new();
        for said in said.into_iter().filter(|said| known.insert((&said.text, said.is_document))) {
            let text = plain(&said.text);
            let found = wanted.iter().filter(|wanted| wanted.is_in(&text));
            let mut leaked: Vec<String> = found.map(|wanted| wanted.what.clone()).collect();
            if !said.is_document {
                leaked.extend(
                    WORDS.iter().filter(|word| text.contains(**word)).map(|word| format!("the word {word}")),
                );
                let field = |name: &&&str| text.contains(&format!("\"{name}\":"));
                leaked.extend(FIELDS.iter().filter(field).map(|name| format!("the field {name}")));
            }
            if !leaked.is_empty() {
                leaks.push(format!("{} tells {}: {}", said.origin, leaked.join("; "), said.text));
            }
        }
        leaks
    }

    /// What of this was told nowhere.
    pub(super) fn untold<'a>(&self, said: impl IntoIterator<Item = &'a Said>) -> Vec<String> {
        let mut rest = self.wanted();
        for said in said {
            let text = plain(&said.text);
            rest.retain(|wanted| !wanted.is_in(&text));
        }
        rest.into_iter().map(|wanted| wanted.what).collect()
    }

    /// How one of the salts could be written.
    pub(super) fn every_form_of_a_salt(&self) -> [String; 4] {
        salt_forms(self.salts.keys().next().expect("a salt"))
    }

    /// What is searched for, with the forms of each, which are written once.
    fn wanted(&self) -> Vec<Wanted> {
        let figures = self.figures.iter().map(|(figure, what)| Wanted {
            what: format!("{what}, {figure}"),
            forms: figure_forms(*figure).to_vec(),
            alone: true,
        });
        let salts = self.salts.iter().map(|(salt, what)| Wanted {
            what: format!("the salt of {what}"),
            forms: salt_forms(salt).to_vec(),
            alone: false,
        });
        figures.chain(salts).collect()
    }
}

/// Something that is searched for.
struct Wanted {
    what: String,
    forms: Vec<String>,
    /// A part of something longer is something else.
    alone: bool,
}

impl Wanted {
    fn is_in(&self, text: &str) -> bool {
        self.forms.iter().any(|form| if self.alone { stands_alone(text, form) } else { text.contains(form) })
    }
}

/// What the server tells of a word that it does not know: the two that everybody may say.
const VOCABULARY: &str = "expected `charged` or `take_home`";

/// JSON inside of JSON is JSON.
fn plain(text: &str) -> String {
    text.replace('\\', "").replace(VOCABULARY, "")
}

/// A figure in minor units, with signs between its thousands, and in major units.
fn figure_forms(figure: i64) -> [String; 5] {
    let digits = figure.to_string();
    let grouped = |digits: &str, sign: char| {
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push(sign);
            }
            grouped.push(digit);
        }
        grouped
    };
    let (major, minor) = digits.split_at(digits.len() - 2);
    [
        grouped(&digits, ','),
        grouped(&digits, '_'),
        format!("{major}.{minor}"),
        format!("{}.{minor}", grouped(major, ',')),
        digits.clone(),
    ]
}

/// Whether this figure stands there by itself, in any of its forms.
fn is_told(text: &str, figure: i64) -> bool {
    figure_forms(figure).iter().any(|form| stands_alone(text, form))
}

/// Whether this stands there, and not as a part of a longer number, of an id, a hash or a time.
fn stands_alone(text: &str, form: &str) -> bool {
    text.match_indices(form).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut behind = text[at + form.len()..].chars();
        let (next, over) = (behind.next(), behind.next());
        let goes_on =
            |sign: Option<char>| sign.is_some_and(|sign| sign.is_alphanumeric() || "-_".contains(sign));
        let is_number = next == Some('.') && over.is_some_and(|sign| sign.is_ascii_digit());
        !goes_on(before) && before != Some('.') && !goes_on(next) && !is_number
    })
}

/// The ways bytes are written.
fn salt_forms(hex: &str) -> [String; 4] {
    let bytes = from_hex::<16>(hex).expect("16 bytes");
    let base64 = base64(&bytes);
    [to_hex(&bytes), to_hex(&bytes).to_uppercase(), base64.replace('+', "-").replace('/', "_"), base64]
}

/// Without the signs that fill it up.
fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let sign = |chunk: &[u8], at: usize| {
        let three = chunk.iter().chain([&0; 2]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        char::from(SIGNS[three >> (18 - 6 * at) & 63])
    };
    bytes.chunks(3).flat_map(|chunk| (0..=chunk.len()).map(move |at| sign(chunk, at))).collect()
}

#[test]
fn a_figure_is_found_in_every_form_and_not_in_parts_of_others() {
    for text in [
        "7654321",
        r#"{"up_to":7654321}"#,
        r#"["7654321"]"#,
        "keeps 7,654,321.",
        "$76543.21",
        "76,543.21",
        r#"{\"a\":7654321}"#,
    ] {
        assert!(is_told(&plain(text), 7_654_321), "{text}");
    }
    for text in
        ["17654321", "76543210", "09:00:00.7654321Z", "a7654321", "7654321-0000", "0.7654321", "7654321.5"]
    {
        assert!(!is_told(text, 7_654_321), "{text}");
    }
}

#[test]
fn base64_is_that_of_the_rfc() {
    for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
}
