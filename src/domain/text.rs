//! What may stand in a text: one place for length, control characters and links.

use unicode_normalization::UnicodeNormalization as _;

use crate::domain::refusal::Refusal;

/// A text of several lines: not blank, at most `limit` bytes, no control characters but tab and line ends. It is kept byte for byte.
pub fn prose(field: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    bounded(field, text, limit)?;
    let forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    if text.chars().any(forbidden) {
        return Err(Refusal::Invalid(format!("{field}: no control characters but tab and line ends")));
    }
    Ok(())
}

/// A text of one line: not blank, at most `limit` bytes, no control characters.
pub fn line(field: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    bounded(field, text, limit)?;
    if text.chars().any(char::is_control) {
        return Err(Refusal::Invalid(format!("{field}: no control characters")));
    }
    Ok(())
}

/// A name or a title, as it is kept: one line in normal form C, so that what looks the same is the same. Refused are characters that cannot
/// be seen, and those that turn the text around them: a name stands in sentences that others read.
pub fn name(field: &'static str, text: &str, limit: usize) -> Result<String, Refusal> {
    line(field, text, limit)?;
    if text.chars().any(is_unseen) {
        return Err(Refusal::Invalid(format!(
            "{field}: no characters that cannot be seen or that change the direction of text"
        )));
    }
    Ok(text.nfc().collect())
}

/// Bidirectional controls, and what has no width. Joiners are not among them: some scripts cannot be written without.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'
            ..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// A link: `http` or `https`, so that nobody's page ever offers a script to click on.
pub fn optional_link(field: &'static str, link: Option<&str>) -> Result<(), Refusal> {
    let Some(link) = link else { return Ok(()) };
    line(field, link, 2_000)?;
    if link.starts_with("https://") || link.starts_with("http://") {
        Ok(())
    } else {
        Err(Refusal::Invalid(format!("{field}: a link begins with https:// or http://")))
    }
}

fn bounded(field: &'static str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() > limit {
        return Err(Refusal::TooLarge { field, limit });
    }
    if text.trim().is_empty() {
        return Err(Refusal::Invalid(format!("{field}: must not be empty")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_keeps_every_script_and_refuses_control_characters() {
        for good in ["héllo\n\tworld", "日本語", "\u{202e}abc", "a\r\nb"] {
            assert_eq!(prose("body", good, 100), Ok(()), "{good:?}");
        }
        for bad in ["", " \n", "a\0b", "\u{1b}[31m", "\u{85}"] {
            assert!(matches!(prose("body", bad, 100), Err(Refusal::Invalid(_))), "{bad:?}");
        }
        assert_eq!(prose("body", "ää", 3), Err(Refusal::TooLarge { field: "body", limit: 3 }));
    }

    #[test]
    fn a_name_is_kept_in_normal_form_and_cannot_hide_or_turn_anything() {
        assert_eq!(name("name", "Ame\u{301}lie", 100), Ok("Am\u{e9}lie".to_owned()));
        for good in ["Amélie", "علی‌رضا", "José Ñandú", "李小龍", "👩\u{200d}🔧 Ana"] {
            assert_eq!(name("name", good, 100), Ok(good.to_owned()), "{good:?}");
        }
        for bad in
            ["Ana\u{202e}nimda", "Ana\u{200b}", "\u{2066}Ana", "\u{feff}Ana", "Ana\nBen", "A\u{ad}na", " "]
        {
            assert!(matches!(name("name", bad, 100), Err(Refusal::Invalid(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_link_is_never_a_script() {
        assert_eq!(optional_link("url", Some("https://a.example/x")), Ok(()));
        assert!(optional_link("url", Some("javascript:alert(1)")).is_err());
    }
}
