//! Addresses of the domain name system inside a text: literal, with spoken dots, with letters pulled apart.

use std::ops::Range;

use super::fold::lookalike;
use super::places;
use super::spoken::{self, Sure};
use super::token::{Gap, Kind, Token};

/// A domain name, read from tokens.
#[derive(Debug, Clone)]
pub(super) struct Domain {
    /// Its labels, joined by dots.
    pub name: String,
    /// The tokens that make it.
    pub tokens: Range<usize>,
    /// Whether a dot of it is anything but a dot.
    pub spoken: bool,
    /// Whether its letters were pulled apart, or its parts stand apart.
    pub spread: bool,
    /// Whether its last label is a top-level domain.
    pub is_complete: bool,
}

/// The label that begins with this token: letters, digits and dashes without a gap.
pub(super) fn label(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    tokens.get(at).filter(|token| token.kind == Kind::Word || token.kind == Kind::Digits)?;
    let mut text = String::new();
    let mut next = at;
    while let Some(token) = tokens.get(next) {
        let part = token.kind == Kind::Word || token.kind == Kind::Digits;
        let dash =
            token.is('-') && tokens.get(next + 1).is_some_and(|after| after.is_glued() && after.is_latin());
        if next > at && !token.is_glued() || !(part || dash) || next - at > 64 {
            break;
        }
        text.push_str(&token.text);
        next += 1;
    }
    Some((text, next))
}

/// Reads a domain name. Of several labels, as many as end in a top-level domain; without one, all there are.
pub(super) fn domain(tokens: &[Token<'_>], at: usize) -> Option<Domain> {
    let (name, mut end) = label(tokens, at)?;
    let mut domain = Domain {
        name,
        tokens: at..end,
        spoken: false,
        spread: tokens.get(at..end)?.iter().any(|token| token.spread),
        is_complete: false,
    };
    let mut complete = None;
    for _ in 0..5 {
        let Some(dot) = spoken::dot(tokens, end) else { break };
        let Some((label, next)) = label(tokens, end + dot.tokens) else { break };
        let (before, after) = (gap(tokens, end), gap(tokens, end + dot.tokens));
        let apart = before != Gap::None || after != Gap::None;
        let literal = dot.sure == Sure::Literally;
        // A dot and a blank end a sentence, unless a blank stands before it too, or it is plain what is meant.
        let meant = before == after || places::is_common_tld(&label) && places::is_provider(&domain.name);
        if after == Gap::Line || before == Gap::Line || (literal && apart && !meant) {
            break;
        }
        domain.name = format!("{}.{label}", domain.name);
        domain.spoken |= !literal;
        domain.spread |= literal && apart || tokens[end..next].iter().any(|token| token.spread);
        end = next;
        domain.tokens.end = end;
        if places::is_tld(&label) || places::is_tld(&skeleton(&label)) {
            domain.name = skeleton(&domain.name);
            domain.is_complete = true;
            complete = Some(domain.clone());
        }
    }
    if complete.is_none() {
        complete = without_dot(tokens, &domain);
    }
    complete.or(Some(Domain { is_complete: false, ..domain }))
}

/// "gmail com": a provider whose dot was left out.
fn without_dot(tokens: &[Token<'_>], domain: &Domain) -> Option<Domain> {
    let end = domain.tokens.end;
    let next = tokens.get(end).filter(|token| places::is_common_tld(&token.text) && token.gap <= Gap::One)?;
    places::is_provider(&domain.name).then(|| Domain {
        name: format!("{}.{}", domain.name, next.text),
        tokens: domain.tokens.start..end + 1,
        spoken: true,
        is_complete: true,
        ..domain.clone()
    })
}

fn gap(tokens: &[Token<'_>], at: usize) -> Gap {
    tokens.get(at).map_or(Gap::Line, |token| token.gap)
}

/// A word with every look-alike letter read as the Latin one.
fn skeleton(word: &str) -> String {
    if word.is_ascii() { word.to_owned() } else { word.chars().map(|c| lookalike(c).unwrap_or(c)).collect() }
}
