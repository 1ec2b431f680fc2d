//! Digits that belong together: in figures, in words, one by one.

use std::ops::Range;

use super::token::{Gap, Kind, Token};
use super::{numbers, spoken};

/// Digits of a number that a person can dial, at least and at most (ITU-T E.164).
pub(super) const SHORTEST: usize = 7;
/// At most.
pub(super) const LONGEST: usize = 15;

/// One stretch of digits.
#[derive(Debug)]
pub(super) struct Group {
    /// The digits.
    pub digits: String,
    /// Whether they are words.
    pub spoken: bool,
    /// What stands before it, of signs.
    pub separator: Option<char>,
    /// The tokens that make it.
    pub tokens: Range<usize>,
}

/// Digits that belong together.
#[derive(Debug)]
pub(super) struct Candidate {
    /// Stretch by stretch.
    pub groups: Vec<Group>,
    /// Whether a plus stands before it.
    pub plus: bool,
    /// The tokens that make it.
    pub tokens: Range<usize>,
    /// Whether a part of it is in brackets.
    pub bracket: bool,
}

impl Candidate {
    /// All its digits.
    pub(super) fn digits(&self) -> String {
        self.groups.iter().map(|group| group.digits.as_str()).collect()
    }

    /// How many digits each stretch has.
    pub(super) fn lengths(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.digits.len()).collect()
    }

    /// What stands between them.
    pub(super) fn separators(&self) -> impl Iterator<Item = char> {
        self.groups.iter().skip(1).map(|group| group.separator.unwrap_or(' '))
    }

    /// Whether that is always the same sign.
    pub(super) fn all_separated_by(&self, sign: char) -> bool {
        self.groups.len() > 1 && self.separators().all(|separator| separator == sign)
    }
}

/// The digits that a token stands for, and whether it does so by words.
fn digits(tokens: &[Token<'_>], at: usize) -> Option<(String, bool, usize)> {
    let token = tokens.get(at)?;
    if token.kind == Kind::Digits {
        return Some((token.text.to_string(), false, 1));
    }
    if let Some(times) = numbers::repeats(token) {
        let next = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|token| token.is('-')));
        // Of "double double …" nothing is read, else each word of it would be read again from every one before.
        tokens.get(next).filter(|next| numbers::repeats(next).is_none())?;
        let (digit, _, length) = digits(tokens, next).filter(|(digit, ..)| digit.len() == 1)?;
        return Some((digit.repeat(times), true, next - at + length));
    }
    if let Some((number, length)) = numbers::compound(tokens, at) {
        return Some((number, true, length));
    }
    if token.is_word("o") {
        return Some(("0".to_owned(), true, 1));
    }
    let glued = token.is_glued()
        || tokens.get(at + 1).is_some_and(|next| next.is_glued() && next.kind == Kind::Digits);
    if glued && let Some(digits) = numbers::looks_like_digits(token) {
        return Some((digits, true, 1));
    }
    numbers::numerals(token).map(|digits| (digits, true, 1))
}

/// The candidate that begins with this token.
pub(super) fn candidate(tokens: &[Token<'_>], at: usize) -> Option<Candidate> {
    let plus = spoken::plus(tokens, at)
        .filter(|length| digits(tokens, at + length).is_some() || opens(tokens, at + length));
    let start = at + plus.unwrap_or(0);
    let mut bracket = opens(tokens, start);
    let first = start + usize::from(bracket);
    let (value, spoken, length) = digits(tokens, first)?;
    if first > at && spoken && plus.is_some_and(|_| !tokens[at].is('+')) && tokens[at].is_word("mas") {
        return None;
    }
    let mut next = first + length;
    let mut groups = vec![Group { digits: value, spoken, separator: None, tokens: first..next }];
    let mut total = groups[0].digits.len();
    while let Some((signs, separator, opened)) = separator(tokens, next) {
        let Some((value, spoken, length)) = digits(tokens, next + signs) else { break };
        let words_apart = spoken != groups.last().is_some_and(|group| group.spoken) && signs > 1;
        // "0170 1234567 / 030 12345678", "(555) 123-4567 (555) 987-6543": another one begins.
        let apart = tokens.get(next).is_some_and(|token| !token.is_glued());
        let begins = total >= SHORTEST
            && (opens(tokens, next + signs.saturating_sub(1))
                || (apart && matches!(separator, Some('/' | '|'))));
        let too_long = total + value.len() > if plus.is_some() { LONGEST } else { 24 };
        if words_apart || begins || too_long {
            break;
        }
        bracket |= opened;
        total += value.len();
        groups.push(Group { digits: value, spoken, separator, tokens: next + signs..next + signs + length });
        next += signs + length;
    }
    let mut candidate = Candidate { groups, plus: plus.is_some(), tokens: at..next, bracket };
    trim_times(tokens, &mut candidate);
    trim_words(tokens, &mut candidate);
    trim_length(&mut candidate);
    Some(candidate)
}

/// Words at its ends that may be ordinary ones are none of it.
fn trim_words(tokens: &[Token<'_>], candidate: &mut Candidate) {
    let ordinary =
        |group: &Group| group.spoken && tokens.get(group.tokens.start).is_some_and(numbers::is_ambiguous);
    let sure = candidate.groups.iter().filter(|group| group.spoken && !ordinary(group)).count();
    if sure >= 3 || candidate.groups.iter().filter(|group| group.spoken).count() >= 7 {
        return;
    }
    while candidate.groups.len() > 1 && candidate.groups.last().is_some_and(ordinary) {
        candidate.groups.pop();
        candidate.tokens.end =
            candidate.groups.last().map_or(candidate.tokens.start, |group| group.tokens.end);
    }
    while candidate.groups.len() > 1 && !candidate.plus && candidate.groups.first().is_some_and(ordinary) {
        candidate.groups.remove(0);
        candidate.tokens.start =
            candidate.groups.first().map_or(candidate.tokens.end, |group| group.tokens.start);
    }
}

fn opens(tokens: &[Token<'_>], at: usize) -> bool {
    tokens.get(at).is_some_and(|token| token.is('('))
        && tokens.get(at + 1).is_some_and(|token| token.kind == Kind::Digits)
}

/// How many signs stand between two groups here, which one tells, and whether it is a bracket. None at all is nothing between.
fn separator(tokens: &[Token<'_>], at: usize) -> Option<(usize, Option<char>, bool)> {
    let mut signs = 0;
    let mut telling = None;
    let mut bracket = false;
    while let Some(token) = tokens.get(at + signs) {
        if token.gap == Gap::Line {
            return None;
        }
        match token.kind {
            Kind::Word if signs == 0 && token.text == "の" => signs += 1,
            Kind::Sign(
                sign @ ('-' | '.' | '(' | ')' | '/' | '·' | '*' | '_' | '~' | ',' | '|' | '\'' | '،' | '、'),
            ) if signs < 3 => {
                // A comma or a full stop with a blank behind it parts things; between words it is only read out so.
                let parts = matches!(sign, ',' | '.')
                    && tokens.get(at + signs + 1).is_some_and(|next| {
                        !next.is_glued() && next.kind == Kind::Digits && next.text.len() > 1
                    });
                if parts {
                    return None;
                }
                bracket |= sign == '(' || sign == ')';
                telling = telling.or(Some(sign)).filter(|_| !matches!(sign, '(' | ')')).or(telling);
                signs += 1;
            }
            Kind::Sign(_) => return None,
            Kind::Word | Kind::Digits => break,
        }
    }
    Some((signs, telling, bracket))
}

/// Of two numbers with nothing between them, the first: one that begins with the zero of a country's own numbers is no longer than this.
fn trim_length(candidate: &mut Candidate) {
    const NATIONAL: usize = 12;
    let whole = candidate.digits();
    if whole.len() <= LONGEST || !whole.starts_with('0') {
        return;
    }
    while candidate.groups.len() > 1 && candidate.digits().len() > NATIONAL {
        candidate.groups.pop();
        candidate.tokens.end =
            candidate.groups.last().map_or(candidate.tokens.start, |group| group.tokens.end);
    }
}

/// A time of day behind a date or a number is none of it.
fn trim_times(tokens: &[Token<'_>], candidate: &mut Candidate) {
    let colon = |at: usize| {
        tokens.get(at).is_some_and(|token| token.is(':'))
            && tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Digits && next.is_glued())
    };
    let hour = candidate.groups.last().is_some_and(|group| group.digits.len() <= 2);
    if hour && colon(candidate.tokens.end) && candidate.groups.len() > 1 {
        candidate.groups.pop();
        candidate.tokens.end =
            candidate.groups.last().map_or(candidate.tokens.start, |group| group.tokens.end);
    }
}
