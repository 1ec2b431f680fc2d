//! How good the guard is, on texts of which somebody has said what they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::examine;

/// A text, and what somebody says of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labelled {
    /// The text.
    pub text: String,
    /// Whether it gives away contact information.
    pub contact: bool,
    /// Which: `email`, `phone`, `link`, `handle`, `disguise`, or `none`; any other word is counted as a kind of its own.
    pub kind: String,
}

/// How many of those found are right, and how many of those that are right are found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Of what was found, the share that is what was said. `None`: nothing was found.
    pub precision: Option<f64>,
    /// Of what was said, the share that was found. `None`: nothing was said.
    pub recall: Option<f64>,
    /// How many texts are of this kind.
    pub n: usize,
}

/// The score on all texts and by kind. A text counts as found when the guard finds anything in it. Of a kind, recall is that of the texts
/// that are said to be of it; precision is that of the texts in which the guard found something of it. For `none` it is the other way round:
/// a text of it is found when the guard finds nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    /// On all texts.
    #[serde(flatten)]
    pub all: Score,
    /// By kind.
    pub by_kind: BTreeMap<String, Score>,
    /// The texts on which guard and label differ.
    #[serde(skip)]
    pub misses: Vec<Miss>,
}

/// A text on which guard and label differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Its number among the texts, from 1 on.
    pub number: usize,
    /// The text and its label.
    pub labelled: Labelled,
    /// What the guard found: the words and the rule.
    pub found: Vec<(String, &'static str)>,
}

#[derive(Default)]
struct Counts {
    said: usize,
    said_and_found: usize,
    found: usize,
    found_rightly: usize,
}

impl Counts {
    fn score(&self) -> Score {
        Score {
            precision: share(self.found_rightly, self.found),
            recall: share(self.said_and_found, self.said),
            n: self.said,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody labels so many texts")]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The kind of innocent texts.
const NONE: &str = "none";

/// Measures the guard on these texts.
pub fn measure(texts: impl IntoIterator<Item = Labelled>) -> Measured {
    let mut all = Counts::default();
    let mut kinds: BTreeMap<String, Counts> = BTreeMap::new();
    let mut misses = Vec::new();
    for (index, labelled) in texts.into_iter().enumerate() {
        let findings = examine(&labelled.text);
        let is_found = !findings.is_empty();
        let is_right = is_found == labelled.contact;
        all.said += usize::from(labelled.contact);
        all.found += usize::from(is_found);
        all.found_rightly += usize::from(is_found && labelled.contact);
        all.said_and_found += usize::from(is_found && labelled.contact);
        let of_kind = kinds.entry(labelled.kind.clone()).or_default();
        of_kind.said += 1;
        of_kind.said_and_found += usize::from(is_right);
        let mut found: Vec<&str> = findings.iter().map(|finding| finding.rule.kind().as_str()).collect();
        found.sort_unstable();
        found.dedup();
        if !is_found {
            found.push(NONE);
        }
        for kind in found {
            let counts = kinds.entry(kind.to_owned()).or_default();
            counts.found += 1;
            counts.found_rightly += usize::from(is_right);
        }
        if !is_right {
            let words = |finding: &super::Finding| {
                (labelled.text[finding.range.clone()].to_owned(), finding.rule.as_str())
            };
            misses.push(Miss { number: index + 1, found: findings.iter().map(words).collect(), labelled });
        }
    }
    let n = kinds.values().map(|counts| counts.said).sum();
    Measured {
        all: Score { n, ..all.score() },
        by_kind: kinds.into_iter().map(|(kind, counts)| (kind, counts.score())).collect(),
        misses,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(text: &str, kind: &str) -> Labelled {
        Labelled { text: text.into(), contact: kind != NONE, kind: kind.into() }
    }

    #[test]
    fn a_score_says_what_was_found_rightly_and_what_was_missed() {
        let measured = measure([
            labelled("write to ana@lopez.dev", "email"),
            labelled("the usual place, you know", "handle"),
            labelled("three weeks, 40 hours each", NONE),
            labelled("call +49 170 1234567", NONE),
        ]);
        assert_eq!(measured.all, Score { precision: Some(0.5), recall: Some(0.5), n: 4 });
        let of = |kind: &str| measured.by_kind[kind].clone();
        assert_eq!(of("email"), Score { precision: Some(1.0), recall: Some(1.0), n: 1 });
        assert_eq!(of("handle"), Score { precision: None, recall: Some(0.0), n: 1 });
        assert_eq!(of("phone"), Score { precision: Some(0.0), recall: None, n: 0 });
        assert_eq!(of(NONE), Score { precision: Some(0.5), recall: Some(0.5), n: 2 });
        let misses: Vec<_> = measured.misses.iter().map(|miss| miss.number).collect();
        assert_eq!(misses, [2, 4]);
        assert_eq!(measured.misses[1].found, [("+49 170 1234567".to_owned(), "phone_number")]);
    }
}
