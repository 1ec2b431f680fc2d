//! Telephone numbers: in digits, in words, one digit at a time.

use std::ops::Range;

use anteroom_protocol::guard::ContactRule;

use super::digits::{Candidate, LONGEST, SHORTEST, candidate};
use super::finders::{Dialable, Finders};
use super::numbers;
use super::token::{Kind, Token};
use super::vocabulary::Class;
use super::{Reading, Suspicion};

/// How many candidates of a text are held against the numbering plans. More are taken for numbers: nobody writes so many that are not.
const LOOKED_UP: usize = 24;

/// Adds what looks like a telephone number.
pub(super) fn suspect(reading: &Reading<'_>, finders: &dyn Finders, found: &mut Vec<Suspicion>) {
    let mut at = 0;
    let mut looked_up = 0;
    while at < reading.tokens.len() {
        let Some(candidate) = candidate(&reading.tokens, at) else {
            at += 1;
            continue;
        };
        at = candidate.tokens.end;
        found.extend(judge(reading, &candidate, finders, &mut looked_up));
    }
}

fn judge(
    reading: &Reading<'_>,
    candidate: &Candidate,
    finders: &dyn Finders,
    looked_up: &mut usize,
) -> Option<Suspicion> {
    let digits = candidate.digits();
    if !(SHORTEST..=LONGEST).contains(&digits.len()) || is_part_of_a_word(reading, candidate) {
        return None;
    }
    let place = reading.place(candidate.tokens.clone());
    let single = candidate.groups.iter().filter(|group| group.spoken || group.digits.len() == 1).count();
    let spoken = candidate.groups.iter().filter(|group| group.spoken).count();
    let one_by_one = single >= 5 && single * 2 > candidate.groups.len();
    if spoken == 0 && one_by_one && are_scores(candidate) {
        return None;
    }
    if !one_by_one && !candidate.plus && is_something_else(reading, candidate, &digits) {
        return None;
    }
    let rule = if spoken > 0 || one_by_one { ContactRule::DisguisedPhone } else { ContactRule::PhoneNumber };
    let mut score = if spoken > 0 || one_by_one {
        told(candidate, &digits, spoken, single)
    } else {
        written(candidate, &digits, &reading.folded.text[place.clone()], finders, looked_up)
    };
    score += context(reading, &place, candidate);
    Some(Suspicion::new(place, rule, score))
}

/// Letters right before or behind it make it a name of something.
fn is_part_of_a_word(reading: &Reading<'_>, candidate: &Candidate) -> bool {
    let tokens = &reading.tokens;
    let first = tokens.get(candidate.tokens.start);
    let before = candidate
        .tokens
        .start
        .checked_sub(1)
        .and_then(|before| tokens.get(before))
        .filter(|_| first.is_some_and(Token::is_glued));
    if candidate.plus {
        // "c++11", "5+1234567": nothing else keeps a number with its country from being one.
        return before.is_some_and(|before| before.is('+') || before.kind == Kind::Digits);
    }
    let behind = tokens.get(candidate.tokens.end).filter(|token| token.is_glued());
    let place = reading.place(candidate.tokens.clone());
    let meant = reading.marks.near(Class::Phone, &place, (28, 0)) || reading.marks.reaches(&place, (28, 0));
    let is_phone = |token: &Token<'_>| {
        reading.marks.within(token.range.clone()).iter().any(|mark| {
            mark.is(Class::Phone)
                || mark.is(Class::Number)
                || mark.is(Class::Messenger)
                || mark.is(Class::Vague)
        })
    };
    let label = |token: &Token<'_>| token.text.len() > 2 && is_phone(token);
    let joined = |token: &Token<'_>| token.is_latin() && !label(token) && numbers::number(token).is_none();
    let sign = |token: &Token<'_>| {
        !meant
            && matches!(
                token.kind,
                Kind::Sign('#' | '$' | '€' | '£' | '¥' | '₹' | '₽' | '%' | '=' | '&' | '@' | '_')
            )
    };
    let path = before.is_some_and(|before| {
        before.is('/')
            || before.is('.')
            || before.is(':') && super::places::has_scheme_before(&reading.folded.text, before.range.start)
    });
    // "SN-0042-7781"
    let serial = before.is_some_and(|before| before.is('-') && before.is_glued())
        && candidate
            .tokens
            .start
            .checked_sub(2)
            .and_then(|at| tokens.get(at))
            .is_some_and(|token| token.kind == Kind::Word && joined(token));
    serial
        || before.is_some_and(|token| joined(token) || sign(token))
        || behind.is_some_and(|token| {
            (joined(token) && !token.is_word("x"))
                || matches!(token.kind, Kind::Sign('%' | '€' | '$' | '£' | '@'))
        })
        || (path
            && super::places::has_scheme_before(
                &reading.folded.text,
                reading.place(candidate.tokens.clone()).start,
            ))
}

/// Dates, addresses of machines, amounts, versions.
fn is_something_else(reading: &Reading<'_>, candidate: &Candidate, digits: &str) -> bool {
    let lengths = candidate.lengths();
    let values: Vec<u64> = candidate.groups.iter().filter_map(|group| group.digits.parse().ok()).collect();
    let is_year = |value: u64| (1900..2100).contains(&value);
    let dotted = candidate.all_separated_by('.');
    let date = match (lengths.as_slice(), values.as_slice()) {
        ([4, 1..=2, 1..=2, ..], [year, month, day, ..]) => is_year(*year) && *month <= 31 && *day <= 31,
        ([1..=2, 1..=2, 4, ..], [day, month, year, ..]) => is_year(*year) && *month <= 31 && *day <= 31,
        ([4, 4], [from, to]) => is_year(*from) && is_year(*to),
        ([8], [value]) => is_year(value / 10_000) && (value / 100) % 100 <= 12 && value % 100 <= 31,
        ([4, 4, 4, 4, ..], _) => true,
        _ => false,
    };
    let machine = dotted && lengths.len() == 4 && values.iter().all(|value| *value <= 255);
    let decimal = lengths.len() == 2 && candidate.separators().all(|sign| sign == '.' || sign == ',');
    let thousands = lengths.len() > 1
        && lengths[0] <= 3
        && lengths[1..].iter().all(|length| *length == 3)
        && (candidate.separators().all(|sign| sign == '.')
            || candidate.separators().all(|sign| sign == ',')
            || candidate.separators().all(|sign| sign == '\''));
    let place = reading.place(candidate.tokens.clone());
    let paid = reading.marks.near(Class::Unit, &place, (0, 3)) || reading.is_money(&place);
    let repeated = digits.chars().all(|c| digits.starts_with(c));
    // "12.000.000": nobody's number ends like that, and many amounts do.
    let amount = digits.ends_with("000")
        && lengths.len() > 1
        && lengths[0] <= 3
        && lengths[1..].iter().all(|length| *length == 3);
    // Numbers of firms, taxes and receipts: "2024/0815-47", "12/345/67890", "12.345.678/0001-95".
    let slashes = candidate.separators().filter(|sign| *sign == '/').count();
    let numbered = slashes >= 2
        || (slashes == 1 && digits.len() > 11 && candidate.separators().any(|sign| sign == '.'))
        || (slashes + candidate.separators().filter(|sign| *sign == '-').count() > 0
            && lengths[0] == 4
            && values.first().is_some_and(|value| is_year(*value)));
    date || machine || amount || numbered || decimal || (thousands && lengths.len() < 3) || paid || repeated
}

/// "0-6 3-6 7-5": pairs, not a number that is read out.
fn are_scores(candidate: &Candidate) -> bool {
    let separators: Vec<char> = candidate.separators().collect();
    separators.len() > 2 && separators.iter().enumerate().all(|(at, sign)| (*sign == ' ') == (at % 2 == 1))
}

/// A number that is told digit by digit.
fn told(candidate: &Candidate, digits: &str, spoken: usize, single: usize) -> i32 {
    let values: Vec<i64> = candidate.groups.iter().filter_map(|group| group.digits.parse().ok()).collect();
    // "one, two, three", "a hundred, two hundred, three hundred"
    let step = values.first().zip(values.get(1)).map(|(first, second)| second - first);
    let counting = values.windows(2).all(|pair| Some(pair[1] - pair[0]) == step);
    match (spoken, single) {
        _ if counting && candidate.groups.len() > 2 => 20,
        _ if candidate.plus => 110,
        (5.., _) | (_, 7..) => 110,
        _ if spoken == candidate.groups.len() && digits.len() >= 9 => 110,
        (3.., _) | (_, 5..) => 80,
        _ => 50,
    }
}

/// A number that is written in digits.
fn written(
    candidate: &Candidate,
    digits: &str,
    text: &str,
    finders: &dyn Finders,
    looked_up: &mut usize,
) -> i32 {
    if candidate.plus {
        return if digits.len() >= 8 { 110 } else { 50 };
    }
    let lengths = candidate.lengths();
    *looked_up += 1;
    let dialable = if *looked_up > LOOKED_UP { Dialable::AsWritten } else { finders.dialable(text) };
    let mut score = match dialable {
        Dialable::AsWritten => 70,
        Dialable::Valid => 50,
        Dialable::No => 25,
    };
    let leading = digits.chars().next();
    // 555 is the exchange that nobody has, which is why it is written when a number is made up.
    let made_up = digits.len() == 10 && digits.get(3..6) == Some("555");
    if made_up && dialable == Dialable::No {
        score = 50;
    }
    let american = matches!(lengths.as_slice(), [3, 3, 4] | [1, 3, 3, 4]);
    if lengths == [3, 4] {
        score = score.max(45);
    }
    if american && !candidate.all_separated_by(' ') {
        score = score.max(80) + 30;
    } else if american {
        score = score.max(70);
    }
    if candidate.bracket && lengths.iter().any(|length| (2..=5).contains(length)) && digits.len() > 8 {
        score += 30;
    }
    if leading == Some('0') && (9..=12).contains(&digits.len()) && !digits.starts_with("000") {
        score += if dialable == Dialable::AsWritten && digits.len() > 9 { 30 } else { 20 };
        score += if lengths.len() >= 3 { 15 } else { 0 };
    }
    if digits.starts_with("00") && digits.len() >= 11 && dialable == Dialable::No {
        score += 60;
    }
    if lengths.len() >= 3 && lengths.iter().all(|length| *length <= 5) {
        score += 15;
    } else if lengths.len() == 2 && lengths.iter().all(|length| *length >= 3) {
        score += 5;
    }
    let mobile = |prefix: &[&str], length: usize| {
        digits.len() == length && prefix.iter().any(|prefix| digits.starts_with(prefix))
    };
    if mobile(&["13", "14", "15", "16", "17", "18", "19"], 11) && dialable != Dialable::No
        || mobile(&["79", "89", "77"], 11)
        || mobile(&["380"], 12)
        || mobile(&["91"], 12) && dialable != Dialable::No
    {
        score += 35;
    }
    if lengths.len() == 1 && digits.len() < 9 {
        score -= 30;
    }
    if digits.len() > 12 && !digits.starts_with("00") {
        score -= 30;
    }
    score
}

/// What the words around it say.
fn context(reading: &Reading<'_>, place: &Range<usize>, candidate: &Candidate) -> i32 {
    let mut score = 0;
    let marks = &reading.marks;
    if marks.near(Class::Phone, place, (40, 14))
        || marks.near(Class::Number, place, (40, 14))
        || marks.near(Class::Messenger, place, (28, 14))
    {
        score += 60;
    }
    if marks.reaches(place, (16, 0)) {
        score += 60;
    } else if marks.reaches(place, (40, 24)) {
        score += 40;
    }
    // What the words right before it are about decides: "order 4711, my number is 0612345678".
    let counted = marks.distance_before(Class::Counted, place, 48);
    let meant = [Class::Phone, Class::Reach]
        .into_iter()
        .filter_map(|class| marks.distance_before(class, place, 48))
        .min();
    if let Some(counted) = counted.filter(|_| !candidate.plus)
        && meant.is_none_or(|meant| counted <= meant)
    {
        score -= 100;
    }
    let spoken = candidate.groups.iter().any(|group| group.spoken);
    if marks.near(Class::Form, place, (56, 40)) && !spoken && !marks.reaches(place, (24, 0)) {
        score -= 90;
    }
    if marks.near(Class::Unit, place, (0, 3)) {
        score -= 60;
    }
    score
}
