//! Digits that are written as words.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fold::folded;
use super::token::{Kind, Token};

/// The digits in words, from zero to nine; then tens that telephone numbers are read in.
const DIGITS: &[&str] = &[
    "zero|oh|nought|naught|nil|z3ro|cero|null|nul|zéro|zerro|zer0|ноль|нуль|ноля|sifir|sıfır|nula|noll|nolla|sifar|shunya|shoonya|kosong|nol|khong|không|wala|sero|零|〇|洞|ゼロ|れい|영|공|صفر|शून्य|জিরো|শূন্য|אפס|μηδέν|ศูนย์|sufuri|sifuri|нула|нола",
    "one|wan|1ne|uno|una|um|uma|un|une|ein|eins|eine|een|één|jeden|jedna|jedynka|один|одна|раз|единица|адзін|bir|egy|ett|en|én|yksi|ek|satu|mot|một|isa|一|壹|幺|いち|イチ|일|واحد|एक|এক|אחת|אחד|ένα|หนึ่ง|moja|един|едно|unu",
    "two|tow|tu|dos|dois|duas|deux|zwei|zwo|twee|due|dwa|dva|dve|два|две|дві|двойка|iki|kettő|ketto|två|tva|to|kaksi|do|dua|hai|dalawa|二|贰|两|兩|に|ニ|이|اثنان|اثنين|दो|দুই|שתיים|שניים|δύο|สอง|mbili|doi|doua",
    "three|thre|tres|três|trois|drei|drie|tre|trzy|tri|три|üç|uc|három|harom|kolme|teen|tin|tiga|ba|tatlo|三|叁|さん|サン|삼|ثلاثة|ثلاث|तीन|তিন|שלוש|τρία|สาม|tatu|trei",
    "four|fore|cuatro|quatro|quatre|vier|quattro|cztery|ctyri|čtyři|styri|четыре|чотири|dört|dort|négy|negy|fyra|fire|neljä|nelja|chaar|char|empat|bon|bốn|apat|四|肆|よん|し|ヨン|사|اربعة|أربعة|اربع|चार|চার|ארבע|τέσσερα|สี่|nne|четири|patru",
    "five|fife|cinco|cinq|fünf|fuenf|funf|vijf|cinque|pięć|piec|pet|pět|пять|п'ять|beş|bes|öt|ot|fem|viisi|paanch|panch|lima|nam|năm|五|伍|ご|ゴ|오|خمسة|خمس|पांच|पाँच|পাঁচ|חמש|πέντε|ห้า|tano|пет|cinci",
    "six|siks|seis|sechs|zes|sei|sześć|szesc|šest|sest|шесть|шість|altı|alti|hat|sex|seks|kuusi|che|chhah|chhe|enam|sau|sáu|anim|六|陆|ろく|ロク|육|륙|ستة|ست|छह|छः|छे|ছয়|ছয়|שש|έξι|หก|sita|шест|sase",
    "seven|siete|sete|sept|sieben|zeven|sette|siedem|sedm|sedem|семь|сім|yedi|hét|het|sju|syv|seitsemän|saat|sat|tujuh|bay|bảy|pito|七|柒|なな|しち|ナナ|칠|سبعة|سبع|सात|সাত|שבע|επτά|εφτά|เจ็ด|saba|седем|sapte",
    "eight|ate|ocho|oito|huit|acht|otto|osiem|osm|osem|восемь|вісім|sekiz|nyolc|åtta|atta|otte|åtte|kahdeksan|aath|aat|delapan|tam|tám|walo|八|捌|はち|ハチ|팔|ثمانية|ثمان|ثماني|आठ|আট|שמונה|οκτώ|οχτώ|แปด|nane|осем|opt",
    "nine|niner|nueve|nove|neuf|neun|negen|dziewięć|dziewiec|devět|devet|девять|дев'ять|dokuz|kilenc|nio|ni|yhdeksän|nau|sembilan|chin|chín|siyam|九|玖|きゅう|く|キュウ|구|تسعة|تسع|नौ|নয়|নয়|תשע|εννέα|εννιά|เก้า|tisa|девет|noua",
];
const TENS: &[(&str, &str)] = &[
    ("10", "ten|diez|dez|dix|zehn|dieci|десять|tien"),
    ("11", "eleven|once|onze|elf|undici|одиннадцать"),
    ("12", "twelve|doce|doze|douze|zwolf|zwölf|twaalf|dodici|двенадцать"),
    ("13", "thirteen|trece|treze|treize|dreizehn|tredici|тринадцать|тринадцять|trzynascie|dertien"),
    ("14", "fourteen|catorce|quatorze|vierzehn|quattordici|четырнадцать|чотирнадцять|czternascie|veertien"),
    ("15", "fifteen|quince|quinze|funfzehn|пятнадцать"),
    (
        "16",
        "sixteen|seize|sechzehn|dieciseis|dezesseis|dezasseis|sedici|шестнадцать|шістнадцять|szesnascie|zestien",
    ),
    (
        "17",
        "seventeen|siebzehn|diecisiete|dezessete|dezassete|diciassette|семнадцать|сімнадцять|siedemnascie|zeventien",
    ),
    ("18", "eighteen|achtzehn|dieciocho|dezoito|diciotto|восемнадцать|вісімнадцять|osiemnascie|achttien"),
    (
        "19",
        "nineteen|neunzehn|diecinueve|dezenove|dezanove|diciannove|девятнадцать|дев'ятнадцять|dziewietnascie|negentien",
    ),
    (
        "20",
        "twenty|veinte|vinte|vingt|vingts|zwanzig|venti|двадцать|двадцять|twintig|yirmi|dwadziescia|dvacet|douazeci|tjugo|είκοσι",
    ),
    (
        "30",
        "thirty|treinta|trinta|trente|dreissig|dreißig|trenta|тридцать|тридцять|otuz|dertig|trzydziesci|tricet|treizeci|trettio|τριάντα",
    ),
    (
        "40",
        "forty|cuarenta|quarenta|quarante|quaranta|vierzig|сорок|kirk|veertig|czterdziesci|ctyricet|patruzeci|fyrtio|σαράντα",
    ),
    (
        "50",
        "fifty|cincuenta|cinquenta|cinquante|cinquanta|funfzig|пятьдесят|п'ятдесят|elli|vijftig|piecdziesiat|padesat|cincizeci|femtio|πενήντα",
    ),
    (
        "60",
        "sixty|sesenta|sessenta|soixante|sessanta|sechzig|шестьдесят|шістдесят|altmis|zestig|szescdziesiat|sedesat|saizeci|sextio|εξήντα",
    ),
    (
        "70",
        "seventy|setenta|septante|settanta|siebzig|семьдесят|сімдесят|yetmis|zeventig|siedemdziesiat|sedmdesat|saptezeci|sjuttio|εβδομήντα",
    ),
    (
        "80",
        "eighty|ochenta|oitenta|ottanta|achtzig|huitante|восемьдесят|вісімдесят|seksen|tachtig|osiemdziesiat|osmdesat|optzeci|attio|ογδόντα",
    ),
    (
        "90",
        "ninety|noventa|nonante|novanta|neunzig|девяносто|дев'яносто|doksan|negentig|dziewiecdziesiat|devadesat|nouazeci|nittio|ενενήντα",
    ),
];
/// Hundreds, where telephone numbers are read in them.
const HUNDREDS: &[(&str, &str)] = &[
    ("100", "сто|cien|ciento"),
    ("200", "двести|двісті|doscientos"),
    ("300", "триста|trescientos"),
    ("400", "четыреста|чотириста|cuatrocientos"),
    ("500", "пятьсот|п'ятсот|quinientos"),
    ("600", "шестьсот|шістсот|seiscientos"),
    ("700", "семьсот|сімсот|setecientos"),
    ("800", "восемьсот|вісімсот|ochocientos"),
    ("900", "девятьсот|дев'ятсот|novecientos"),
];
/// Words that say that the digit behind them comes twice or thrice.
const REPEATS: &[(&str, usize)] =
    &[("double", 2), ("dbl", 2), ("doble", 2), ("doppel", 2), ("triple", 3), ("treble", 3), ("dobra", 2)];

static NUMBERS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let digits = DIGITS.iter().enumerate().map(|(digit, list)| (digit.to_string(), *list));
    let tens = TENS.iter().chain(HUNDREDS).map(|(digits, list)| ((*digits).to_owned(), *list));
    digits
        .chain(tens)
        .flat_map(|(value, list)| list.split('|').map(move |word| (folded(word), value.clone())))
        .collect()
});

// Number words that are common words of other languages: they count only between others.
word_set!(
    AMBIGUOUS,
    "|to|en|do|a|ate|sex|hat|ot|ni|oh|o|nil|char|che|saat|tin|nam|ba|tam|fore|for|hai|bay|sau|pet|sei|um|un|una|uma|une|uno|one|ein|eine|een|isa|ek|tu|tow|wan|dos|nem|set|sau|nula|null|nol|bir|mot|sita|saba|tre|tri|nio|once|elf|seize|venti|nau|bon|teen|on|das|sat|tiga|ten|ni|no|nove|om|opt|ust|uc|iki|los|dua|wala|"
);

/// Whether a number word may be an ordinary one.
pub(super) fn is_ambiguous(token: &Token<'_>) -> bool {
    AMBIGUOUS.contains(token.text.as_ref())
}

/// Letters that are written for the digits they look like.
pub(super) fn looks_like_digits(token: &Token<'_>) -> Option<String> {
    let digit = |c| {
        Some(match c {
            'l' | 'i' => '1',
            'o' => '0',
            's' => '5',
            'b' => '8',
            'z' => '2',
            _ => return None,
        })
    };
    (token.kind == Kind::Word && token.text.len() <= 2)
        .then(|| token.text.chars().map(digit).collect())
        .flatten()
}

// Words for a hundred.
word_set!(
    HUNDRED,
    "hundred|yuz|yüz|hundert|honderd|cent|cents|cento|sto|hundra|hundre|hundrede|ratus|tram|trăm|daan"
);
// Words between the parts of a number: "cincuenta y cinco".
word_set!(BETWEEN, "|y|et|e|и|und|and|i|a|の|");

/// The number that begins here, of one word or of several, and how many tokens it takes.
pub(super) fn compound(tokens: &[Token<'_>], at: usize) -> Option<(String, usize)> {
    let first: u32 = number(tokens.get(at)?)?.parse().ok()?;
    let digits = number(tokens.get(at)?)?.to_owned();
    let next = |from: usize| {
        let small =
            tokens.get(from).is_some_and(|token| token.is('-') || BETWEEN.contains(token.text.as_ref()));
        let at = from + usize::from(small);
        Some((number(tokens.get(at)?)?.parse::<u32>().ok()?, at + 1))
    };
    // "quatre-vingt"
    let (base, mut end) = match next(at + 1).filter(|(value, _)| first == 4 && *value == 20) {
        Some((_, end)) => (80, end),
        None => (first, at + 1),
    };
    let mut value = base;
    if (1..10).contains(&base) && tokens.get(end).is_some_and(|token| HUNDRED.contains(token.text.as_ref())) {
        // "five hundred and forty two", "beş yüz kırk iki"
        (value, end) = (base * 100, end + 1);
        if let Some((tens, after)) = next(end).filter(|(tens, _)| (1..100).contains(tens)) {
            (value, end) = (value + tens, after);
            if let Some((unit, after)) =
                next(end).filter(|(unit, _)| tens >= 20 && tens.is_multiple_of(10) && (1..10).contains(unit))
            {
                (value, end) = (value + unit, after);
            }
        }
    } else if base == 10 && tokens.get(end).is_some_and(|token| token.is('-')) {
        // "dix-huit"
        if let Some((unit, after)) = next(end).filter(|(unit, _)| (7..10).contains(unit)) {
            (value, end) = (10 + unit, after);
        }
    } else if base >= 100 {
        if let Some((rest, after)) = next(end).filter(|(rest, _)| (1..100).contains(rest)) {
            (value, end) = (base + rest, after);
            if let Some((unit, after)) =
                next(end).filter(|(unit, _)| rest >= 20 && rest.is_multiple_of(10) && (1..10).contains(unit))
            {
                (value, end) = (value + unit, after);
            }
        }
    } else if base >= 20 && base.is_multiple_of(10) {
        let limit = if base == 60 || base == 80 { 20 } else { 10 };
        if let Some((unit, after)) = next(end).filter(|(unit, _)| (1..limit).contains(unit)) {
            (value, end) = (base + unit, after);
            if let Some((more, after)) = next(end).filter(|(more, _)| unit == 10 && (7..10).contains(more)) {
                (value, end) = (value + more, after);
            }
        }
    }
    Some((if value == first { digits } else { value.to_string() }, end - at))
}

/// The digits that a word stands for.
pub(super) fn number(token: &Token<'_>) -> Option<&'static str> {
    (token.kind == Kind::Word).then(|| NUMBERS.get(token.text.as_ref()).map(String::as_str)).flatten()
}

/// The digits that a run of Chinese, Japanese or Korean numerals stands for, one for each.
pub(super) fn numerals(token: &Token<'_>) -> Option<String> {
    if token.kind != Kind::Word || token.text.is_ascii() {
        return None;
    }
    // Korean: particles follow without a blank.
    let whole = run_together(&token.text);
    if whole.len() >= 3 {
        return Some(whole);
    }
    let hangul: String = token.text.chars().map_while(hangul_digit).collect();
    if hangul.len() >= 4 {
        return Some(hangul);
    }
    token
        .text
        .chars()
        .map(|c| NUMBERS.get(c.encode_utf8(&mut [0; 4]) as &str).filter(|value| value.len() == 1))
        .try_fold(String::new(), |digits, value| value.map(|value| digits + value))
}

/// Number words that are written without blanks between them, as in Thai: their digits, if there is nothing else.
fn run_together(text: &str) -> String {
    const LONGEST: usize = 8;
    let mut digits = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST).collect::<Vec<_>>();
        let word = ends.into_iter().rev().find_map(|end| Some((end, NUMBERS.get(&rest[..end])?)));
        let Some((end, value)) = word.filter(|(_, value)| value.len() == 1) else { return String::new() };
        digits.push_str(value);
        rest = &rest[end..];
    }
    digits
}

fn hangul_digit(c: char) -> Option<char> {
    let digit = "공일이삼사오육칠팔구"
        .chars()
        .position(|known| known == c)
        .or((c == '영').then_some(0))
        .or((c == '륙').then_some(6))?;
    char::from_digit(u32::try_from(digit).ok()?, 10)
}

/// How often the digit behind this word comes.
pub(super) fn repeats(token: &Token<'_>) -> Option<usize> {
    REPEATS.iter().find(|(word, _)| token.is_word(word)).map(|(_, times)| *times)
}
