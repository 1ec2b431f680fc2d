//! Names in messengers and social networks.

use std::ops::Range;

use anteroom_protocol::guard::ContactRule;

use super::name::{Handle, handle, is_code, is_code_word, is_identifier, start_of_handle};
use super::token::{Gap, Kind};
use super::vocabulary::{Class, Mark, is_unspaced};
use super::{Reading, Suspicion};

/// Adds what looks like a name in a messenger.
pub(super) fn suspect(reading: &Reading<'_>, found: &mut Vec<Suspicion>) {
    for (class, weight) in [(Class::Messenger, 50), (Class::Vague, 25), (Class::Provider, 50)] {
        for mark in reading.marks.all(class) {
            found.extend(behind(reading, mark, class, weight));
            found.extend(before(reading, mark, class, weight));
        }
    }
    let mut read = 0;
    for at in 0..reading.tokens.len() {
        if at >= read
            && let Some(handle) = unmistakable(reading, at)
        {
            read = handle.tokens.end;
            found.extend(somewhere(reading, &handle));
        }
        found.extend(mention(reading, at));
        found.extend(numbered(reading, at));
    }
}

/// What may stand between a messenger and a name, and how much it says that one follows.
fn connector(reading: &Reading<'_>, mut at: usize) -> (usize, i32) {
    let tokens = &reading.tokens;
    let mut weight = 0;
    let mut says = false;
    for _ in 0..6 {
        let Some(token) = tokens.get(at) else { break };
        let links = match token.kind {
            _ if token.gap == Gap::Line => break,
            Kind::Sign(':' | '=' | '>') => 30,
            Kind::Sign(',') => 0,
            Kind::Sign('-' | '(' | '[' | '"' | '\'' | '/' | '|' | '~' | '→' | '➡') => 10,
            Kind::Sign(_) | Kind::Digits => break,
            Kind::Word if IS.contains(token.text.as_ref()) => 25,
            Kind::Word
                if tokens.get(at + 1).is_some_and(|next| next.is_glued() && next.kind == Kind::Digits) =>
            {
                break;
            }
            Kind::Word
                if reading
                    .marks
                    .within(token.range.clone())
                    .iter()
                    .any(|mark| mark.start == token.range.start && mark.is(Class::Name)) =>
            {
                30
            }
            // In a script without spaces, a word of several signs that ends in "号" or "id" says the same.
            Kind::Word
                if !token.text.is_ascii()
                    && reading
                        .marks
                        .within(token.range.clone())
                        .iter()
                        .any(|mark| mark.is(Class::Name) || mark.is(Class::Mine)) =>
            {
                30
            }
            Kind::Word if token.text.starts_with(is_unspaced) && token.text.chars().count() <= 3 => 15,
            Kind::Word => break,
        };
        says |= links != 30 || token.kind != Kind::Word;
        weight += links;
        at += 1;
    }
    // "gmail account settings": that it has a name does not say that one follows.
    (at, if says { weight.min(60) } else { weight.min(15) })
}

// Words for "is" and "me" between a messenger and a name.
word_set!(
    IS,
    "|is|it's|its|called|there|daar|da|dort|heet|heisse|lla|are|am|es|e|est|ist|ist:|lautet|er|je|jest|to|on|at|under|as|ben|i|by|with|via|adalah|ay|ang|la|hai|heisst|op|under|unter|sous|bajo|como|com|come|come|als|pod|jako|ako|olarak|adim|\
    это|є|на|под|під|mi|my|me|mich|moi|mig|meg|mnie|mir|mij|seja|sou|soy|suis|bin|są|este|e:|है|হল|হলো|은|는|이에요|は|が|是|为|為|هو|هي|:|הוא|זה|είναι|คือ|laki|van|on|aadressil|ni|je:|con|nick|with|name|dang|"
);

/// A name behind the messenger's: "Telegram: @john_doe".
fn behind(reading: &Reading<'_>, mark: &Mark, class: Class, weight: i32) -> Option<Suspicion> {
    let tokens = &reading.tokens;
    let next = tokens.partition_point(|token| token.range.start < mark.end);
    let (at, connected) = connector(reading, next);
    let handle = handle(tokens, at)?;
    let glued_path = tokens.get(at).is_some_and(|token| token.gap == Gap::Line);
    let digits = handle.text.chars().all(|c| c.is_ascii_digit());
    // Numbers behind a messenger are telephone numbers, but for the networks that count their people.
    if glued_path
        || is_word_of_a_sentence(reading, &handle)
        || (digits && (handle.text.len() < 5 || !is_numbered(reading, mark)))
        || (is_domain(reading, &handle) && connected < 30)
    {
        return None;
    }
    let place = reading.place(handle.tokens.clone());
    let mut score = weight + connected + handle.shape();
    if connected == 0 && !handle.at && !is_identifier(&handle.text) && !handle.spread {
        score -= 40;
    }
    score += around(reading, mark, &place);
    if reading.marks.near(Class::Public, &place, (24, 16)) && !handle.at {
        score -= 40;
    }
    if digits {
        score = 100 + around(reading, mark, &place);
    }
    Some(Suspicion::new(place, rule(&handle, class), score))
}

/// A name before the messenger's: "@john_doe on Telegram".
fn before(reading: &Reading<'_>, mark: &Mark, class: Class, weight: i32) -> Option<Suspicion> {
    let tokens = &reading.tokens;
    let of_mark = tokens.partition_point(|token| token.range.end <= mark.start);
    let mut end = of_mark;
    let mut on = 0;
    while end > 0 && of_mark - end < 4 {
        let token = &tokens[end - 1];
        let small = token.kind == Kind::Word && ON.contains(token.text.as_ref());
        let sign = matches!(token.kind, Kind::Sign('(' | '-' | ',' | '"' | '[' | ':' | '/' | '\''));
        if !(small || sign) || tokens.get(end).is_some_and(|next| next.gap == Gap::Line) {
            break;
        }
        on += if small { 25 } else { 5 };
        end -= 1;
    }
    let start = start_of_handle(tokens, end)?;
    let handle = handle(tokens, start).filter(|handle| handle.tokens.end == end)?;
    let digits = handle.text.chars().all(|c| c.is_ascii_digit());
    if digits || is_word_of_a_sentence(reading, &handle) || is_domain(reading, &handle) {
        return None;
    }
    let place = reading.place(handle.tokens.clone());
    let mut score = weight + on.min(30) + handle.shape();
    if !handle.at && !is_identifier(&handle.text) && !handle.spread {
        score -= 40;
    }
    score += around(reading, mark, &place);
    Some(Suspicion::new(place, rule(&handle, class), score))
}

// Words between a name and the messenger it is for.
word_set!(
    ON,
    "|on|in|at|via|over|through|en|no|na|em|auf|bei|uber|op|sur|dans|su|pe|på|pa|på|i|w|в|на|у|по|через|de|di|the|my|for|by|is|mein|mon|mi|meu|ve|ile|ใน|trên|tren|o|ב|على|في|par|per|por|"
);

/// What is said around a messenger and a name.
fn around(reading: &Reading<'_>, mark: &Mark, place: &Range<usize>) -> i32 {
    let both = mark.start.min(place.start)..mark.end.max(place.end);
    let marks = &reading.marks;
    let mine = marks.near(Class::Mine, &both, (16, 0))
        || marks.within(both.clone()).iter().any(|inner| inner.is(Class::Mine) && inner.start != mark.start);
    let reach =
        marks.reaches(&both, (40, 20)) || marks.within(both).iter().any(|inner| inner.is(Class::Reach));
    (if mine { 25 } else { 0 }) + (if reach { 35 } else { 0 })
}

fn rule(handle: &Handle, class: Class) -> ContactRule {
    match () {
        () if class == Class::Provider => ContactRule::DisguisedEmail,
        () if handle.spread || handle.spoken => ContactRule::DisguisedHandle,
        () => ContactRule::HandleName,
    }
}

/// Networks whose people have numbers.
fn is_numbered(reading: &Reading<'_>, mark: &Mark) -> bool {
    const NUMBERED: [&str; 15] = [
        "qq",
        "q q",
        "扣扣",
        "企鹅",
        "q号",
        "icq",
        "wechat",
        "微信",
        "vx",
        "加q",
        "q:",
        "加扣",
        "gg",
        "gadu-gadu",
        "gadu gadu",
    ];
    reading.folded.text.get(mark.start..mark.end).is_some_and(|name| NUMBERED.contains(&name))
}

/// A name that ends in a top-level domain is an address, which others judge.
fn is_domain(reading: &Reading<'_>, handle: &Handle) -> bool {
    if handle.at || !handle.text.contains('.') {
        return false;
    }
    let label = handle.text.rsplit('.').next().unwrap_or_default();
    let slash = reading
        .tokens
        .get(handle.tokens.end)
        .is_some_and(|token| (token.is('/') || token.is('@')) && token.is_glued());
    super::places::is_common_tld(label) || slash
}

/// Words that follow a messenger's name when it is talked about, and are nobody's name.
fn is_word_of_a_sentence(reading: &Reading<'_>, handle: &Handle) -> bool {
    if is_code(handle) {
        return true;
    }
    if handle.at || is_identifier(&handle.text) || handle.spread {
        return false;
    }
    let place = reading.place(handle.tokens.clone());
    let known = reading
        .marks
        .within(place.clone())
        .iter()
        .any(|mark| mark.start == place.start && mark.end == place.end);
    known || COMMON.contains(handle.text.as_str())
}

word_set!(
    COMMON,
    "|bot|bots|api|apis|app|apps|ads|ad|group|groups|channel|channels|business|web|webhook|integration|integrations|marketing|campaign|campaigns|page|pages|post|posts|story|stories|reels|content|clone|login|messages|message|chat|chats|video|videos|call|calls|sdk|plugin|widget|button|template|templates|sticker|stickers|notifications|notification|\
    for|and|or|the|a|an|to|of|in|on|at|is|are|be|was|with|via|we|you|they|it|he|she|this|that|these|those|there|here|please|only|also|not|no|yes|but|if|so|too|then|than|from|by|as|if|when|where|which|who|how|what|why|all|any|some|each|every|both|more|most|less|least|just|now|later|soon|today|tomorrow|tonight|anytime|before|after|instead|because|since|until|while|during|per|about|into|onto|over|under|like|unlike|using|use|uses|used|work|works|working|manager|managers|expert|specialist|developer|designer|growth|audience|followers|account|accounts|profile|profiles|feed|format|server|servers|community|communities|support|team|teams|mini|premium|pay|payment|payments|cloud|desktop|mobile|android|ios|export|import|data|analytics|insights|shop|store|catalog|carousel|banner|automation|scheduler|scraper|parser|links|link|share|sharing|preview|previews|embed|oauth|auth|sso|verification|otp|pixel|conversion|leads|lead|fields|field|creator|influencer|strategy|caption|captions|hashtag|hashtags|style|likes|comments|dm|dms|inbox|threads|thread|workspace|workflow|alerts|alert|updates|update|commands|command|height|spacing|break|breaks|number|numbers|chart|charts|processing|strength|mapping|meeting|meetings|zoom|file|files|\
    y|e|o|u|de|da|do|das|dos|la|le|les|el|los|las|un|una|une|des|du|et|und|oder|der|die|das|ein|eine|mit|fur|von|zu|im|am|auf|per|para|por|com|sem|con|sin|que|como|mais|mas|pero|ou|si|se|su|sur|avec|pour|dans|est|sont|ist|sind|nicht|kein|ne|pas|no|non|che|per|il|lo|gli|di|ed|och|och|att|som|med|av|och|for|til|af|og|med|het|de|een|en|van|voor|met|niet|dla|nie|na|do|z|w|i|oraz|pro|a|ve|ile|icin|bir|bu|dan|untuk|yang|di|ke|dengan|ang|ng|sa|mga|na|cho|va|cua|voi|trong|ki|ka|ke|ko|se|par|hai|liye|"
);

/// The name that begins here, if people only have such names on the net: with a sign or a digit in it.
fn unmistakable(reading: &Reading<'_>, at: usize) -> Option<Handle> {
    let tokens = &reading.tokens;
    let token = tokens.get(at)?;
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let inside = token.is_glued()
        && before.is_some_and(|before| {
            before.is_latin() || matches!(before.kind, Kind::Sign('.' | '_' | '-' | '@' | ':'))
        });
    if inside {
        return None;
    }
    let handle = handle(tokens, at)?;
    let shaped =
        handle.at || handle.spoken || handle.text.starts_with("live:") || is_identifier(&handle.text);
    let long = handle.text.chars().filter(|c| c.is_alphabetic()).count() >= 4;
    let dashed = handle.text.contains('-')
        && !handle.text.contains(['_', '.'])
        && !handle.text.contains(|c: char| c.is_ascii_digit());
    (shaped && long && !dashed && !is_code(&handle) && !is_domain(reading, &handle)).then_some(handle)
}

/// Such a name, with a messenger somewhere near it.
fn somewhere(reading: &Reading<'_>, handle: &Handle) -> Option<Suspicion> {
    let place = reading.place(handle.tokens.clone());
    let marks = &reading.marks;
    let named = marks.near(Class::Name, &place, (14, 0));
    let reach = if named { (112, 64) } else { (56, 32) };
    let (class, network) = [(Class::Messenger, 50), (Class::Provider, 45), (Class::Vague, 25)]
        .into_iter()
        .find(|(class, _)| marks.near(*class, &place, reach))?;
    let mut score = network + handle.shape();
    score += if marks.reaches(&place, (56, 32)) { 35 } else { 0 };
    score += if marks.near(Class::Mine, &place, (40, 16)) { 20 } else { 0 };
    score += match (named, marks.near(Class::Name, &place, (28, 0))) {
        (true, _) => 35,
        (false, true) => 20,
        (false, false) => 0,
    };
    score -= if marks.near(Class::Public, &place, (32, 24)) { 40 } else { 0 };
    Some(Suspicion::new(place, rule(handle, class), score))
}

/// "@name", where somebody asks to be reached.
fn mention(reading: &Reading<'_>, at: usize) -> Option<Suspicion> {
    let tokens = &reading.tokens;
    let sign = tokens.get(at).filter(|token| token.is('@'))?;
    let before = at.checked_sub(1).and_then(|before| tokens.get(before));
    let inside = sign.is_glued()
        && before.is_some_and(|before| {
            before.is_latin() || matches!(before.kind, Kind::Sign('.' | '_' | '-' | '/'))
        });
    let handle = handle(tokens, at)?;
    let behind = tokens.get(handle.tokens.end);
    // "@name:server.org", as people are called in federated networks; "@name@server.org" is read as an address.
    if let Some(server) = behind
        .filter(|colon| colon.is(':') && colon.is_glued() && !inside)
        .and_then(|_| super::address::domain(tokens, handle.tokens.end + 1))
        && server.is_complete
    {
        return Some(Suspicion::new(reading.place(at..server.tokens.end), ContactRule::HandleName, 100));
    }
    // "@scope/package", "@decorator(…)", "@media {": what programs are called by.
    let code = behind.is_some_and(|token| {
        token.is_glued() && matches!(token.kind, Kind::Sign('/' | '(' | '{' | '[' | '=' | '@'))
    }) || is_code_word(&handle);
    if inside || code || handle.text.len() < 3 {
        return None;
    }
    let place = reading.place(handle.tokens.clone());
    let reach = reading.marks.reaches(&place, (40, 24));
    let mine = reading.marks.near(Class::Mine, &place, (24, 0));
    let network = reading.marks.near(Class::Messenger, &place, (40, 24));
    let score = 50
        + if reach { 55 } else { 0 }
        + if mine { 25 } else { 0 }
        + if network { 35 } else { 0 }
        + if is_identifier(&handle.text) { 25 } else { 0 };
    Some(Suspicion::new(place, ContactRule::HandleName, score))
}

/// "john#1234", as a network writes its people.
fn numbered(reading: &Reading<'_>, at: usize) -> Option<Suspicion> {
    let tokens = &reading.tokens;
    let hash = tokens.get(at).filter(|token| token.is('#') && token.is_glued())?;
    let digits = tokens
        .get(at + 1)
        .filter(|token| token.kind == Kind::Digits && token.is_glued() && token.text.len() == 4)?;
    let start = start_of_handle(tokens, at)?;
    let name = tokens.get(start..at)?.iter().map(|token| token.text.as_ref()).collect::<String>();
    let place = reading.place(start..at + 2);
    let counted =
        reading.marks.within(place.start..hash.range.start).iter().any(|mark| mark.is(Class::Counted));
    if counted || name.len() < 2 || digits.text.is_empty() {
        return None;
    }
    let context =
        reading.marks.reaches(&place, (40, 24)) || reading.marks.near(Class::Messenger, &place, (40, 24));
    Some(Suspicion::new(
        place,
        ContactRule::HandleName,
        60 + if context { 60 } else { 0 } + if is_identifier(&name) { 10 } else { 0 },
    ))
}
