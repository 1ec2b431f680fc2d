//! A folded text as tokens. Letters that were pulled apart ("j o h n") are one word again, and say so.

use std::borrow::Cow;
use std::ops::Range;

use super::vocabulary::is_unspaced;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters of one script.
    Word,
    /// Digits.
    Digits,
    /// Anything else: one character.
    Sign(char),
}

/// What stands between a token and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// Nothing.
    None,
    /// One blank.
    One,
    /// Several blanks.
    Wide,
    /// The end of a line.
    Line,
}

/// A token.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its characters.
    pub text: Cow<'a, str>,
    /// Where it stands in the folded text.
    pub range: Range<usize>,
    /// What is between it and the one before.
    pub gap: Gap,
    /// Whether its characters were pulled apart.
    pub spread: bool,
}

impl Token<'_> {
    /// Whether it is this sign.
    pub(super) fn is(&self, sign: char) -> bool {
        self.kind == Kind::Sign(sign)
    }

    /// Whether it is this word.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    /// Whether it follows the one before it directly.
    pub(super) fn is_glued(&self) -> bool {
        self.gap == Gap::None
    }

    /// Whether a name or an address can be made of it: Latin letters or digits.
    pub(super) fn is_latin(&self) -> bool {
        match self.kind {
            Kind::Word => self.text.is_ascii(),
            Kind::Digits => true,
            Kind::Sign(_) => false,
        }
    }
}

/// Cuts a folded text into tokens.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(text.len() / 4);
    let mut gap = Gap::None;
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        if c == '\n' || c == '\r' {
            gap = Gap::Line;
            continue;
        }
        if c.is_whitespace() {
            gap = match gap {
                Gap::None => Gap::One,
                Gap::One | Gap::Wide => Gap::Wide,
                Gap::Line => Gap::Line,
            };
            continue;
        }
        let mut end = start + c.len_utf8();
        let kind = match script(c) {
            Some(script_of_word) => {
                while let Some((at, next)) = rest.next_if(|(_, next)| continues(*next, script_of_word)) {
                    end = at + next.len_utf8();
                }
                Kind::Word
            }
            None if c.is_ascii_digit() => {
                while let Some((at, _)) = rest.next_if(|(_, next)| next.is_ascii_digit()) {
                    end = at + 1;
                }
                Kind::Digits
            }
            None => Kind::Sign(c),
        };
        tokens.push(Token {
            kind,
            text: Cow::Borrowed(&text[start..end]),
            range: start..end,
            gap,
            spread: false,
        });
        gap = Gap::None;
    }
    gather(tokens)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Han,
    Numeral,
    Hiragana,
    Katakana,
    Unspaced,
    Other,
}

fn script(c: char) -> Option<Script> {
    match c {
        _ if c.is_ascii_alphabetic() => Some(Script::Latin),
        _ if !c.is_alphabetic() && c != '〇' => None,
        '\u{80}'..='\u{24f}' => Some(Script::Latin),
        '〇' | '零' | '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '两' | '兩' | '壹'
        | '贰' | '叁' | '肆' | '伍' | '陆' | '柒' | '捌' | '玖' | '幺' => Some(Script::Numeral),
        '\u{3040}'..='\u{309f}' => Some(Script::Hiragana),
        '\u{30a0}'..='\u{30ff}' => Some(Script::Katakana),
        '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => Some(Script::Han),
        _ if is_unspaced(c) => Some(Script::Unspaced),
        _ => Some(Script::Other),
    }
}

fn continues(c: char, word: Script) -> bool {
    // Signs on letters, which in many scripts are vowels, belong to the word.
    script(c) == Some(word) || (word != Script::Latin && is_sign_on_letter(c))
}

fn is_sign_on_letter(c: char) -> bool {
    matches!(c, '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{6ed}' | '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}'
        | '\u{eb1}'..='\u{ecd}' | '\u{102b}'..='\u{103e}' | '\u{17b4}'..='\u{17d3}')
        && !c.is_alphabetic()
}

/// How many characters must be pulled apart before it is not chance.
const PULLED_APART: usize = 5;

/// Puts characters that were pulled apart together again.
fn gather(tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    if tokens.len() < PULLED_APART {
        return tokens;
    }
    let mut gathered = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let run = run_of_single(&tokens, at);
        let letters = tokens[at..at + run].iter().filter(|token| token.kind == Kind::Word).count();
        if run >= PULLED_APART && letters >= 3 {
            put_together(&tokens[at..at + run], &mut gathered);
            at += run;
        } else {
            let run = run.max(1);
            gathered.extend_from_slice(&tokens[at..at + run]);
            at += run;
        }
    }
    gathered
}

/// How many tokens from here are one Latin character each, with a blank, a dash, a dot or the like between them.
fn run_of_single(tokens: &[Token<'_>], from: usize) -> usize {
    let single = |token: &Token<'_>| {
        token.text.len() == 1
            && (token.is_latin()
                || matches!(token.kind, Kind::Sign('@' | '.' | '_' | '-' | '*' | '+' | '/' | ':')))
    };
    let rest = &tokens[from..];
    let mut run = 0;
    for (at, token) in rest.iter().enumerate() {
        let apart = at == 0
            || matches!(token.gap, Gap::One | Gap::Wide)
            || !token.is_latin()
            || rest.get(at - 1).is_some_and(|before| !before.is_latin());
        if !single(token) || !apart {
            break;
        }
        run += 1;
    }
    // What is glued to a longer word behind it belongs to that.
    while run > 0 && rest.get(run).is_some_and(|next| next.is_glued() && next.is_latin()) {
        run -= 1;
        if rest.get(run).is_some_and(|token| !token.is_glued()) {
            break;
        }
    }
    run
}

fn put_together<'a>(run: &[Token<'a>], gathered: &mut Vec<Token<'a>>) {
    // "j-o-h-n": the signs between are only there to pull apart; "j o h n . d o e" has one that is meant.
    let blanks = run.iter().skip(1).filter(|token| !token.is_glued()).count();
    let by_signs = blanks * 2 < run.len();
    let mut last: Option<Token<'a>> = None;
    for token in run {
        if by_signs && matches!(token.kind, Kind::Sign('-' | '*' | '.' | '_')) && token.is_glued() {
            continue;
        }
        let joins = last
            .as_ref()
            .is_some_and(|last| last.kind == token.kind && token.is_latin() && token.gap != Gap::Wide);
        if let Some(word) = last.as_mut().filter(|_| joins) {
            word.text.to_mut().push_str(&token.text);
            word.range.end = token.range.end;
            continue;
        }
        let gap = match (&last, token.gap) {
            (None, gap) => gap,
            (Some(_), Gap::Wide) => Gap::One,
            (Some(_), _) => Gap::None,
        };
        gathered.extend(last.take());
        last = Some(Token { gap, spread: true, ..token.clone() });
    }
    gathered.extend(last);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokens(text).iter().map(|token| token.text.to_string()).collect()
    }

    #[test]
    fn letters_that_were_pulled_apart_are_one_word() {
        assert_eq!(words("j o h n @ g m a i l . c o m"), ["john", "@", "gmail", ".", "com"]);
        assert_eq!(words("me: j-o-h-n-n-y ok"), ["me", ":", "johnny", "ok"]);
        assert_eq!(words("a b or c"), ["a", "b", "or", "c"]);
        assert_eq!(words("i have a c compiler"), ["i", "have", "a", "c", "compiler"]);
    }

    #[test]
    fn a_word_is_of_one_script() {
        assert_eq!(words("加我微信abc123"), ["加我微信", "abc", "123"]);
        assert_eq!(words("नमस्ते, दो"), ["नमस्ते", ",", "दो"]);
    }
}
