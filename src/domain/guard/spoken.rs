//! Signs that are written as words: "at", "dot", "slash".

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::folded;
use super::token::{Gap, Kind, Token, tokens};

/// How surely something stands for a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sure {
    /// It may as well be a word: "at".
    Weakly,
    /// In brackets, or a word for nothing but the sign: "arroba".
    Surely,
    /// The sign itself.
    Literally,
}

/// Something that stands for a sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stands {
    /// How many tokens it takes.
    pub tokens: usize,
    /// How surely.
    pub sure: Sure,
}

/// Words for `@` and nothing else.
const AT: &str = "arroba|aroba|arobase|arobas|arobaze|chiocciola|chiocciolina|klammeraffe|affenschwanz|klammeraff|apestaartje|apestaart|apenstaartje|apenstaart|arond|a rond|snabel-a|snabela|snabel|\
    krollalfa|alfakrol|malpa|małpa|malpka|zavinac|zavinač|kukac|majmun|maimunsko|collon|coada de maimuta|собака|собачка|собачкой|песик|равлик|равлик|кучерява|маймунско а|маймунско|\
    @mark|papaki|παπακι|shtrudel|שטרודל|כרוכית|kuyruklu a|at isareti|et isareti|ätt|miukumauku|miuku|arrova|acong|a cong|a còng|keong|艾特|圈a|小老鼠|老鼠|圈圈a|アットマーク|アット|あっと|골뱅이|앳|آت|ات|ایت|ایٹ|एट|ऐट|एट द रेट|अत|অ্যাট|এট|แอท|แอด|at the rate|at rate|at the rate of|atsign|at sign|at-sign|ətt|эт|эттен|собака знак|kukkoa";
/// Words that may stand for `@`.
const MAYBE_AT: &str = "at|aet|ett|et|ad|atte|att|aatt|a t|arr|эт|ет|ат|aat";
/// Words that may stand for a dot: between two parts of an address they do.
const DOT: &str = "dot|d0t|doot|dott|punto|ponto|point|punkt|punt|pkt|kropka|tecka|bodka|tocka|pont|nokta|titik|noktah|cham|chấm|tuldok|piste|prick|punktum|punct|taskas|punkts|pika|nuqta|dotcom|dat|\
    точка|точки|тчк|дот|крапка|кропка|τελεια|τελεία|ντοτ|نقطة|نقطه|دوت|دات|نکتہ|ڈاٹ|נקודה|דוט|डॉट|डाट|बिंदु|ডট|டாட்|డాట్|点|點|點兒|ドット|てん|点儿|句号|닷|점|쩜|จุด|ดอท|nukta|ነጥብ";
/// Words for other signs that addresses are made of.
const SLASH: &str = "slash|forward slash|barra|barre|schragstrich|schrägstrich|slas|слеш|слэш|дробь|косая|斜杠|斜線|スラッシュ|슬래시|kesme|eğik çizgi|ukosnik|lomeno|lomítko|garis miring|scro";
const UNDERSCORE: &str = "underscore|under score|guion bajo|guión bajo|underline|tiret bas|unterstrich|trattino basso|podkreslnik|podlome|подчеркивание|подчерк|нижнее подчеркивание|нижнє підкреслення|alt cizgi|alt tire|下划线|底線|下劃線|アンダーバー|アンダースコア|언더바|garis bawah|gach duoi|अंडरस्कोर|underskor";
const DASH: &str = "dash|hyphen|guion|guión|hifen|hífen|traco|traço|tiret|trait d'union|bindestrich|trattino|myslnik|дефис|тире|减号|ハイフン|하이픈";
const PLUS: &str = "plus|más|mas|mais|плюс|プラス|加|artı|arti|زائد|प्लस";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    At,
    MaybeAt,
    Dot,
    Slash,
    Underscore,
    Dash,
    Plus,
}

/// The words behind the first of those for a sign, and the sign.
type Spelling = (Vec<String>, Sign);

/// The words for signs, by their first word; those of several words with the rest.
static SIGNS: LazyLock<HashMap<String, Vec<Spelling>>> = LazyLock::new(|| {
    let mut signs: HashMap<String, Vec<Spelling>> = HashMap::new();
    for (list, sign) in [
        (AT, Sign::At),
        (MAYBE_AT, Sign::MaybeAt),
        (DOT, Sign::Dot),
        (SLASH, Sign::Slash),
        (UNDERSCORE, Sign::Underscore),
        (DASH, Sign::Dash),
        (PLUS, Sign::Plus),
    ] {
        for word in list.split('|') {
            let folded = folded(word.trim());
            let mut words = tokens(&folded).into_iter().map(|token| token.text.into_owned());
            let Some(first) = words.next() else { continue };
            signs.entry(first).or_default().push((words.collect(), sign));
        }
    }
    for words in signs.values_mut() {
        words.sort_by_key(|(rest, _)| std::cmp::Reverse(rest.len()));
    }
    signs
});

fn sign_at(tokens: &[Token<'_>], at: usize, wanted: &[Sign]) -> Option<(usize, Sign)> {
    let first = tokens.get(at).filter(|token| token.kind == Kind::Word)?;
    let candidates = SIGNS.get(first.text.as_ref())?;
    candidates.iter().filter(|(_, sign)| wanted.contains(sign)).find_map(|(rest, sign)| {
        let fits = rest.iter().enumerate().all(|(index, word)| {
            tokens
                .get(at + 1 + index)
                .is_some_and(|token| token.text == word.as_str() && token.gap <= Gap::Wide)
        });
        fits.then_some((rest.len() + 1, *sign))
    })
}

const OPENING: [char; 4] = ['(', '[', '{', '<'];
const CLOSING: [char; 4] = [')', ']', '}', '>'];
/// Signs that a word for a sign is set between: "john_at_mail".
const AROUND: [char; 6] = ['_', '-', '*', '/', '|', '~'];

/// Whether what stands here, in brackets, is one of these.
fn bracketed(tokens: &[Token<'_>], at: usize, literal: char, wanted: &[Sign]) -> Option<Stands> {
    let opening = tokens.get(at)?;
    let Kind::Sign(open) = opening.kind else { return None };
    let inner = if tokens.get(at + 1)?.is(literal) { 1 } else { sign_at(tokens, at + 1, wanted)?.0 };
    let Kind::Sign(close) = tokens.get(at + 1 + inner)?.kind else { return None };
    let brackets = OPENING.contains(&open) && CLOSING.contains(&close);
    let around = AROUND.contains(&open) && close == open;
    (brackets || around).then_some(Stands { tokens: inner + 2, sure: Sure::Surely })
}

/// Whether what begins here stands for `@`.
pub(super) fn at_sign(tokens: &[Token<'_>], at: usize) -> Option<Stands> {
    let token = tokens.get(at)?;
    if token.is('@') {
        return Some(Stands { tokens: 1, sure: Sure::Literally });
    }
    if let Some(stands) = bracketed(tokens, at, '@', &[Sign::At, Sign::MaybeAt]) {
        return Some(stands);
    }
    // "(a)" is what some write for it.
    if token.is('(') && tokens.get(at + 1)?.is_word("a") && tokens.get(at + 2)?.is(')') {
        return Some(Stands { tokens: 3, sure: Sure::Weakly });
    }
    let (tokens, sign) = sign_at(tokens, at, &[Sign::At, Sign::MaybeAt])?;
    Some(Stands { tokens, sure: if sign == Sign::At { Sure::Surely } else { Sure::Weakly } })
}

/// Whether what begins here stands for a dot.
pub(super) fn dot(tokens: &[Token<'_>], at: usize) -> Option<Stands> {
    let token = tokens.get(at)?;
    if token.is('.') {
        return Some(Stands { tokens: 1, sure: Sure::Literally });
    }
    if token.is('·') || token.is('。') {
        return Some(Stands { tokens: 1, sure: Sure::Weakly });
    }
    if let Some(stands) = bracketed(tokens, at, '.', &[Sign::Dot]) {
        return Some(stands);
    }
    let (tokens, _) = sign_at(tokens, at, &[Sign::Dot])?;
    Some(Stands { tokens, sure: Sure::Weakly })
}

/// How many tokens stand here for a slash, if they do; and whether by a word.
pub(super) fn slash(tokens: &[Token<'_>], at: usize) -> Option<(usize, bool)> {
    if tokens.get(at)?.is('/') || tokens.get(at)?.is('\\') {
        return Some((1, false));
    }
    if let Some(stands) = bracketed(tokens, at, '/', &[Sign::Slash]) {
        return Some((stands.tokens, true));
    }
    sign_at(tokens, at, &[Sign::Slash]).map(|(tokens, _)| (tokens, true))
}

/// The sign inside a name that a word stands for: `_` or `-`.
pub(super) fn joint(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    sign_at(tokens, at, &[Sign::Underscore, Sign::Dash]).map(|(tokens, _)| tokens)
}

/// Whether a plus stands here, and how many tokens it takes.
pub(super) fn plus(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    if tokens.get(at)?.is('+') {
        return Some(1);
    }
    sign_at(tokens, at, &[Sign::Plus]).map(|(tokens, _)| tokens)
}
