//! E-mail addresses, and what stands for them.

use std::ops::Range;

use anteroom_protocol::guard::ContactRule;

use super::address::{Domain, domain};
use super::name::{is_file, is_identifier};
use super::places;
use super::spoken::{self, Stands, Sure};
use super::token::{Gap, Kind, Token};
use super::vocabulary::Class;
use super::{Reading, Suspicion};

/// Adds what looks like an e-mail address.
pub(super) fn suspect(reading: &Reading<'_>, found: &mut Vec<Suspicion>) {
    let tokens = &reading.tokens;
    for at in 0..tokens.len() {
        if let Some(sign) = spoken::at_sign(tokens, at)
            && let Some(domain) = domain(tokens, at + sign.tokens)
        {
            found.extend(judge(reading, at, sign, &domain));
        }
    }
    backwards(reading, found);
}

/// The part before the sign: where it begins, and what is remarkable about it.
struct Local {
    start: usize,
    text: String,
    spoken: bool,
    spread: bool,
}

/// Reads backwards from the token before the sign.
fn local(tokens: &[Token<'_>], at: usize) -> Option<Local> {
    let mut start = at;
    let mut local = Local { start: at, text: String::new(), spoken: false, spread: false };
    while start > 0 {
        let token = &tokens[start - 1];
        let next_gap = if start == at { Gap::None } else { tokens[start].gap };
        let part = token.kind == Kind::Word || token.kind == Kind::Digits;
        let joint = matches!(token.kind, Kind::Sign('.' | '_' | '-' | '+' | '%' | '\''));
        if next_gap == Gap::None && (part || (joint && start < at)) {
            local.text.insert_str(0, &token.text);
            local.spread |= token.spread;
            start -= 1;
        } else if let Some(joint) = spoken_joint(tokens, start).filter(|_| start < at) {
            local.text.insert(0, '.');
            local.spoken = true;
            start -= joint;
        } else {
            break;
        }
        if at - start > 16 {
            break;
        }
    }
    local.start = start;
    (start < at && !local.text.is_empty()).then_some(local)
}

/// How many tokens right before this one are a word for a dot, an underscore or a dash inside a name, with a name before them.
fn spoken_joint(tokens: &[Token<'_>], before: usize) -> Option<usize> {
    (1..=3).find(|length| {
        before > *length
            && (spoken::joint(tokens, before - length) == Some(*length)
                || spoken::dot(tokens, before - length)
                    .is_some_and(|dot| dot.tokens == *length && dot.sure != Sure::Literally))
            && tokens.get(before - length - 1).is_some_and(Token::is_latin)
    })
}

fn judge(reading: &Reading<'_>, at: usize, sign: Stands, domain: &Domain) -> Option<Suspicion> {
    let tokens = &reading.tokens;
    let local = local(tokens, at);
    let start = local.as_ref().map_or(at, |local| local.start);
    let place = reading.place(start..domain.tokens.end);
    let name = local.as_ref().map_or("", |local| local.text.as_str());
    if is_innocent(reading, name, domain, start) {
        return None;
    }
    let gaps = (tokens[at].gap, tokens.get(at + sign.tokens).map_or(Gap::Line, |token| token.gap));
    let literal = sign.sure == Sure::Literally;
    let apart = gaps.0 != Gap::None || gaps.1 != Gap::None;
    let spread = domain.spread || local.as_ref().is_some_and(|local| local.spread);
    let plain =
        literal && !apart && !domain.spoken && !spread && local.as_ref().is_some_and(|local| !local.spoken);
    // Of an address in its own form, whatever ends it may be a top-level domain: there are fifteen hundred.
    let ends = domain.name.rsplit_once('.').is_some_and(|(_, last)| {
        last.len() >= 2 && last.chars().all(char::is_alphabetic) && !is_file(&domain.name)
    });
    if plain && (domain.is_complete || ends) {
        return Some(Suspicion::new(place, ContactRule::EmailAddress, 100));
    }
    if gaps.0 == Gap::Line || gaps.1 == Gap::Line {
        return None;
    }
    let provider = places::is_provider(&domain.name);
    let mut score = match sign.sure {
        Sure::Literally | Sure::Surely => 70,
        Sure::Weakly => 20,
    };
    score += match (domain.is_complete, domain.spoken || spread) {
        (true, true) => 50,
        (true, false) => 30,
        (false, _) => 0,
    };
    if provider {
        score += 40;
    }
    if local.as_ref().is_some_and(|local| !is_common_word(&local.text)) {
        score += if sign.sure == Sure::Weakly { 30 } else { 10 };
    } else if sign.sure == Sure::Weakly && !(provider || domain.is_complete && domain.spoken) {
        return None;
    }
    if is_identifier(name) {
        score += 20;
    }
    if reading.marks.near(Class::Mail, &place, (48, 24)) || reading.marks.reaches(&place, (48, 24)) {
        score += 30;
    }
    (domain.is_complete || provider).then(|| Suspicion::new(place, ContactRule::DisguisedEmail, score))
}

/// Addresses that are nobody's: placeholders, remotes of version control, what programs are called by.
fn is_innocent(reading: &Reading<'_>, local: &str, domain: &Domain, start: usize) -> bool {
    let tokens = &reading.tokens;
    let before = start.checked_sub(1).and_then(|before| tokens.get(before));
    let behind = (tokens.get(domain.tokens.end), tokens.get(domain.tokens.end + 1));
    let remote = matches!(behind, (Some(colon), Some(path)) if colon.is(':') && colon.is_glued() && path.is_glued())
        && tokens
            .iter()
            .skip(domain.tokens.end + 1)
            .take(12)
            .take_while(|token| token.is_glued())
            .any(|token| token.is('/'));
    // "postgres://user:password@host"
    let credentials =
        before.is_some_and(|before| before.is(':')) && tokens.get(start).is_some_and(Token::is_glued);
    places::is_reserved(&domain.name)
        || local == "git"
        || (remote && !domain.spoken)
        || (credentials
            && places::is_authority_before(&reading.folded.text, reading.place(start..start + 1).start))
        || (matches!(local, "noreply" | "no-reply" | "donotreply" | "do-not-reply")
            && !places::is_provider(&domain.name))
        || (places::is_placeholder_name(local) && places::is_placeholder_domain(&domain.name))
}

// Words before an "at" that are no names.
word_set!(
    COMMON,
    "|me|us|it|is|are|be|was|were|look|looking|work|works|working|worked|hosted|arrive|available|sold|one|him|her|them|you|team|\
    live|based|good|great|here|there|up|out|not|and|or|data|site|page|found|meet|call|email|mail|reach|mailto|contact|to|developer|engineer|designer|\
    manager|account|accounts|service|job|role|position|years|experience|study|see|visit|stay|start|starts|the|a|an|any|all|only|just|right|aim|least|most|last|first|"
);

fn is_common_word(word: &str) -> bool {
    COMMON.contains(word)
}

/// Addresses that are written backwards: "moc.liamg@nhoj".
fn backwards(reading: &Reading<'_>, found: &mut Vec<Suspicion>) {
    const REVERSED: [&str; 7] = ["liamg", "liamtoh", "kooltuo", "oohay", "xednay", "duolci", "notorp"];
    for (at, token) in reading.tokens.iter().enumerate() {
        if token.kind == Kind::Word && REVERSED.contains(&token.text.as_ref()) {
            let place: Range<usize> = reading.place(at..at + 1);
            found.push(Suspicion::new(place, ContactRule::DisguisedEmail, 100));
        }
    }
}
