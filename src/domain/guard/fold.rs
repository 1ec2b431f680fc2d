//! A text as the guard reads it: what looks the same is the same, and every place leads back to the text as it was written.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

/// A folded text.
pub(super) struct Folded {
    /// Lower case, compatibility forms resolved, accents and unseen characters gone, digits of every script as `0` to `9`.
    pub text: String,
    /// For each byte of `text`, where the character behind it begins in the original.
    origin: Vec<u32>,
    /// The length of the original.
    length: usize,
}

impl Folded {
    /// Folds a text.
    pub(super) fn of(original: &str) -> Self {
        let mut chars: Vec<(char, u32)> = Vec::with_capacity(original.len());
        for (at, c) in original.char_indices() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            if c.is_ascii() {
                chars.push((c.to_ascii_lowercase(), at));
            } else {
                fold_char(c, at, &mut chars);
            }
        }
        resolve_lookalikes(&mut chars);
        let mut text = String::with_capacity(chars.len());
        let mut origin = Vec::with_capacity(chars.len());
        for (c, at) in chars {
            text.push(c);
            origin.resize(text.len(), at);
        }
        Self { text, origin, length: original.len() }
    }

    /// Where these bytes of the folded text stand in the original.
    pub(super) fn original(&self, range: Range<usize>) -> Range<usize> {
        let start = self.origin.get(range.start).map_or(self.length, |at| *at as usize);
        let last = self.origin.get(range.end.saturating_sub(1)).copied().unwrap_or_default();
        let after = self.origin.get(range.end..).unwrap_or_default();
        let end = after.iter().find(|at| **at > last).map_or(self.length, |at| *at as usize);
        start..end.max(start)
    }
}

/// Folds a word of the vocabulary in the same way.
pub(super) fn folded(word: &str) -> String {
    Folded::of(word).text
}

fn fold_char(c: char, at: u32, chars: &mut Vec<(char, u32)>) {
    if is_unseen(c) {
        return;
    }
    if matches!(c, '\u{2800}' | '\u{3164}' | '\u{115f}' | '\u{1160}' | '\u{ffa0}') {
        // They look like blanks.
        chars.push((' ', at));
        return;
    }
    if matches!(c, 'ⓐ' | 'Ⓐ' | '🅐') {
        // Circled, it is meant for the sign that is an "a" in a circle.
        chars.push(('@', at));
        return;
    }
    for composed in std::iter::once(c).nfkc() {
        for lower in composed.to_lowercase() {
            if is_european(lower) {
                chars.extend(std::iter::once(lower).nfd().filter(|c| !is_accent(*c)).map(|c| (plain(c), at)));
            } else if !is_unseen(lower) {
                chars.push((plain(lower), at));
            }
        }
    }
}

/// What has no width, turns the text around it, or only changes how a character before it looks.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' | '\u{64b}'..='\u{652}' | '\u{640}' | '\u{93c}')
        || is_accent(c)
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// Scripts in which an accent only changes a letter.
fn is_european(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{52f}' | '\u{1e00}'..='\u{1fff}')
}

/// Digits of every script, and characters that are used for others.
fn plain(c: char) -> char {
    if let Some(digit) = decimal(c) {
        return digit;
    }
    match c {
        'ı' => 'i',
        'ł' => 'l',
        'ø' => 'o',
        'đ' => 'd',
        'ё' => 'е',
        'ґ' => 'г',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2bc}' | '\u{b4}' | '`' => '\'',
        '\u{201c}'..='\u{201f}' | '«' | '»' => '"',
        '【' | '〔' | '「' | '『' | '〈' | '《' => '[',
        '】' | '〕' | '」' | '』' | '〉' | '》' => ']',
        '•' | '∙' | '⋅' | '●' | '・' | '·' => '·',
        '⁄' | '∕' => '/',
        '➕' => '+',
        '➖' => '-',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// The blocks of decimal digits in everyday use, each by its zero.
const ZEROS: [u32; 19] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
    0x1040, 0x17e0, 0x1810, 0x1f101,
];

fn decimal(c: char) -> Option<char> {
    if (c as u32) < 0x660 {
        return None;
    }
    if let Some(order) = "➀➁➂➃➄➅➆➇➈"
        .chars()
        .position(|known| known == c)
        .or_else(|| "➊➋➌➍➎➏➐➑➒".chars().position(|known| known == c))
    {
        return char::from_digit(u32::try_from(order).ok()? + 1, 10);
    }
    let zero = ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&(c as u32)))?;
    char::from_digit(c as u32 - zero, 10)
}

/// A word with letters of two alphabets is read in the one that it is meant to look like.
fn resolve_lookalikes(chars: &mut [(char, u32)]) {
    let mut start = 0;
    while start < chars.len() {
        let mut end = start;
        let (mut latin, mut other) = (false, false);
        while let Some((c, _)) = chars.get(end).filter(|(c, _)| c.is_alphanumeric()) {
            latin |= c.is_ascii_alphabetic();
            other |= lookalike(*c).is_some();
            end += 1;
        }
        if latin && other {
            for (c, _) in &mut chars[start..end] {
                *c = lookalike(*c).unwrap_or(*c);
            }
        }
        start = end.max(start + 1);
    }
}

/// The Latin letter that a Cyrillic or Greek one looks like.
pub(super) fn lookalike(c: char) -> Option<char> {
    Some(match c {
        'а' | 'α' => 'a',
        'в' | 'β' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' => 'e',
        'ғ' => 'f',
        'һ' | 'н' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'ӏ' => 'l',
        'м' => 'm',
        'п' | 'η' => 'n',
        'о' | 'ο' | 'σ' => 'o',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' => 'u',
        'ν' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        for (written, read) in [
            ("Número", "numero"),
            ("ｊｏｈｎ＠ｍａｉｌ", "john@mail"),
            ("٠١٢٣٤٥", "012345"),
            ("5️⃣5️⃣", "55"),
            ("gm\u{200b}ail", "gmail"),
            ("gmаil", "gmail"),
            ("почта", "почта"),
            ("й", "и"),
            ("①②", "12"),
            ("𝐣𝐨𝐡𝐧", "john"),
            ("안녕", "안녕"),
            ("STRASSE", "strasse"),
        ] {
            assert_eq!(folded(written), read, "{written}");
        }
    }

    #[test]
    fn every_place_leads_back_to_the_text_as_it_was_written() {
        let written = "a gm\u{200b}аil ５5️⃣!";
        let folded = Folded::of(written);
        assert_eq!(folded.text, "a gmail 55!");
        let at = |read: &str| {
            let start = folded.text.find(read).expect("there");
            &written[folded.original(start..start + read.len())]
        };
        assert_eq!(at("gmail"), "gm\u{200b}аil");
        assert_eq!(at("55"), "５5️⃣");
        assert_eq!(at("!"), "!");
    }
}
