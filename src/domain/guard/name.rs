//! Names that people have on the net, and what only looks like one: names in programs, of files and of versions.

use std::ops::Range;

use super::spoken::{self, Sure};
use super::token::{Kind, Token};

/// Whether a name is one that people only have on the net.
pub(super) fn is_identifier(name: &str) -> bool {
    let letters = name.chars().any(char::is_alphabetic);
    letters && name.chars().any(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | '-'))
}

/// A name: Latin letters, digits, dots, underscores and dashes without a gap.
pub(super) struct Handle {
    /// Its characters, without the sign before it.
    pub text: String,
    /// The tokens that make it.
    pub tokens: Range<usize>,
    /// Whether a sign stands before it that says that it is a name.
    pub at: bool,
    /// Whether its letters were pulled apart.
    pub spread: bool,
    /// Whether a sign of it is a word.
    pub spoken: bool,
}

impl Handle {
    /// How much it looks like a name that people only have on the net.
    pub(super) fn shape(&self) -> i32 {
        let letters = self.text.chars().filter(|c| c.is_alphabetic()).count();
        match () {
            () if letters == 0 && !(self.at || self.text.len() >= 5) => -100,
            () if self.at && letters > 0 => 50,
            () if self.text.starts_with("live:") || self.text.starts_with("cid.") => 80,
            () if letters == 0 => 0,
            () if self.spread || self.spoken => 50,
            () if is_identifier(&self.text) => {
                40 + if self.text.matches(|c: char| c == '.' || c == '_' || c.is_ascii_digit()).count() > 1 {
                    10
                } else {
                    0
                }
            }
            () if self.text.len() < 3 => -60,
            () => 0,
        }
    }
}

/// Reads the name that begins here.
pub(super) fn handle(tokens: &[Token<'_>], start: usize) -> Option<Handle> {
    let spoken_sign = spoken::at_sign(tokens, start).filter(|sign| sign.sure == Sure::Surely);
    let sign = tokens.get(start)?.is('@') || spoken_sign.is_some();
    let mut next = start + spoken_sign.map_or(usize::from(sign), |sign| sign.tokens);
    let first = tokens.get(next)?;
    let glued = !sign || first.is_glued() || spoken_sign.is_some();
    if !first.is_latin() && !first.is('_') || !glued {
        return None;
    }
    let mut handle = Handle {
        text: String::new(),
        tokens: start..next,
        at: sign,
        spread: false,
        spoken: spoken_sign.is_some(),
    };
    while let Some(token) = tokens.get(next) {
        let joint = matches!(token.kind, Kind::Sign('.' | '_' | '-' | ':'))
            && (token.is('_')
                || tokens.get(next + 1).is_some_and(|after| {
                    after.is_glued()
                        && (after.is_latin() || after.is('_') || (after.is('.') && handle.text == "live"))
                }));
        if handle.text.len() > 40 || (!handle.text.is_empty() && !token.is_glued()) {
            break;
        }
        if !(token.is_latin() || joint) || (token.is(':') && handle.text != "live") {
            break;
        }
        handle.text.push_str(&token.text);
        handle.spread |= token.spread;
        next += 1;
    }
    // "john underscore doe"
    while let Some(joint) = spoken::joint(tokens, next).filter(|_| handle.text.len() < 40) {
        let Some(part) = tokens.get(next + joint).filter(|token| token.is_latin()) else { break };
        handle.text.push('_');
        handle.text.push_str(&part.text);
        handle.spoken = true;
        next += joint + 1;
        while let Some(part) = tokens.get(next).filter(|token| token.is_glued() && token.is_latin()) {
            handle.text.push_str(&part.text);
            next += 1;
        }
    }
    handle.tokens.end = next;
    (!handle.text.is_empty()).then_some(handle)
}

/// Where the name begins that ends before this token.
pub(super) fn start_of_handle(tokens: &[Token<'_>], end: usize) -> Option<usize> {
    let mut start = end.checked_sub(1)?;
    if !tokens.get(start)?.is_latin() && !tokens.get(start)?.is('_') {
        return None;
    }
    while start > 0 && end - start < 12 {
        let before = &tokens[start - 1];
        let joins = tokens[start].is_glued()
            && (before.is_latin() || matches!(before.kind, Kind::Sign('.' | '_' | '-' | '@' | ':')));
        if !joins {
            break;
        }
        start -= 1;
        if before.is('@') {
            break;
        }
    }
    Some(start)
}

/// What programs and files are called by: "com.acme.billing", "3.0.0-beta.1", "user_id", "@media".
pub(super) fn is_code(handle: &Handle) -> bool {
    let name = handle.text.as_str();
    let path =
        name.matches('.').count() > 2 || name.starts_with(|c: char| c.is_ascii_digit()) && name.contains('.');
    // "800x600"
    let measure = name.split('x').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit()));
    (path && !name.starts_with("live:"))
        || measure && name.contains('x')
        || (handle.at && is_code_word(handle))
        || is_field(name)
        || is_file(name)
}

/// Whether it follows an "@" in programs and style sheets.
pub(super) fn is_code_word(handle: &Handle) -> bool {
    CODE.contains(handle.text.as_str())
}

/// Names of columns and variables, made of the words that such names are made of.
fn is_field(name: &str) -> bool {
    word_set!(
        PARTS,
        "first|last|full|middle|name|names|user|users|id|ids|uid|uuid|email|mail|phone|number|created|updated|deleted|at|on|by|date|time|start|end|url|uri|link|type|status|state|code|is|has|get|set|put|post|delete|list|count|total|sum|price|amount|currency|order|orders|product|products|customer|client|address|street|city|country|zip|title|description|text|body|image|images|file|files|path|dir|key|keys|value|values|token|api|secret|client|access|refresh|session|login|password|hash|index|data|info|meta|json|xml|csv|html|table|column|row|field|fields|page|size|limit|offset|max|min|avg|new|old|default|main|test|tests|config|settings|env|db|sql|http|https|request|response|error|message|messages|event|events|handler|callback|update|create|read|write|send|receive|load|save|parse|format|to|from|of|in|for|with|and|or|not|v|linkedin|facebook|instagram|twitter|telegram|whatsapp|discord|slack|google|bot|webhook|chat|channel|group|media|photo|video|audio|template|campaign|ads|ad|lead|leads|pixel|conversion|utm|source|medium|profile|account|company|role|level|score|rate|tax|vat|invoice|shipping|billing|payment|card|sku|category|tag|tags|slug|lang|locale|timezone|lat|lng|width|height|color|x|y|final|draft|version|report|export|import|backup|log|logs|home|screen|view|model|controller|service|component|button|icon|logo|banner|header|footer|menu|nav|sidebar|hero|background|mobile|desktop|dark|light|small|medium|large|left|right|top|bottom"
    );
    name.contains(['_', '-'])
        && name
            .split(['_', '-', '.'])
            .all(|part| PARTS.contains(part) || part.chars().all(|c| c.is_ascii_digit()))
}

/// Names of files and versions.
pub(super) fn is_file(name: &str) -> bool {
    word_set!(
        ENDINGS,
        "|js|ts|jsx|tsx|py|rs|go|java|kt|rb|php|html|htm|css|scss|json|xml|yml|yaml|toml|md|txt|pdf|doc|docx|xls|xlsx|csv|ppt|pptx|png|jpg|jpeg|gif|svg|webp|mp3|mp4|mov|avi|zip|rar|gz|sql|sh|exe|apk|psd|fig|tgz|sketch|log|env|lock|vue|cs|cpp|h|ini|cfg|conf|ipynb|wav|ttf|woff|net|"
    );
    // What pictures are drawn in is also where people have pages: a file's name has more than a name.
    let drawn = |stem: &str, ending: &str| ending == "ai" && stem.contains(['_', '-', ' ']);
    name.rsplit_once('.').is_some_and(|(stem, ending)| ENDINGS.contains(ending) || drawn(stem, ending))
}

// What follows an "@" in programs and style sheets.
word_set!(
    CODE,
    "|media|import|keyframes|supports|font-face|charset|layer|container|property|apply|tailwind|include|mixin|extend|param|params|return|returns|override|deprecated|test|before|after|beforeeach|aftereach|app|app.route|staticmethod|classmethod|property|dataclass|pytest.fixture|pytest.mark|lru_cache|component|injectable|input|output|autowired|bean|entity|table|column|id|getmapping|postmapping|requestmapping|restcontroller|service|repository|controller|nullable|nonnull|inject|module|ngmodule|decorator|decorators|types|babel|angular|vue|nestjs|here|channel|everyone|all|todo|author|version|since|see|throws|example|observable|published|state|binding|main|escaping|objc|available|latest|next|beta|alpha|page|counter-style|namespace|viewport|use|forward|function|if|else|for|each|while|csrf|yield|section|foreach|endif|extends|stack|slot|http|client|server|cacheable|transactional|async|scheduled|query|modifying|pathvariable|requestbody|valid|notnull|size|email|jsonproperty|suppresswarnings|functionalinterface|safevarargs|target|retention|local|rowcount|identity|error|declare|variable|userid|user_id|order_id|orderid|startdate|enddate|botfather|dependabot|mention|mentions|username|yourhandle|your_handle|handle|brand|yourbrand|user|me|name|"
);
