//! `anteroom guard`: how good the contact guard is, and why it says what it says. Needs neither a server nor a database.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anteroom::domain::guard::measure::{Labelled, Measured, Score, measure};
use anteroom::domain::guard::{ENOUGH, examine, weigh};
use anteroom::start::{StartCode, StartError};
use clap::Subcommand;

use super::say;

#[derive(Subcommand)]
pub(super) enum GuardCommand {
    /// Measure the guard on labelled texts, and list those it gets wrong.
    Eval {
        /// JSON Lines, each `{"text": …, "contact": true|false, "kind": "email|phone|link|handle|disguise|none"}`; `-`: standard input.
        file: PathBuf,
        /// Print one JSON object; the texts it gets wrong go to standard error.
        #[arg(long)]
        json: bool,
    },
    /// Measure what the guard costs: a message of 500 characters, and hostile texts that are twice as long each time.
    Speed,
    /// Say how much each place of a text looks like contact information.
    Explain {
        /// The text; absent: standard input.
        text: Option<String>,
    },
}

impl GuardCommand {
    pub(super) fn run(&self) -> Result<ExitCode, StartError> {
        match self {
            Self::Eval { file, json } => eval(file, *json),
            Self::Speed => speed(),
            Self::Explain { text } => explain(text.as_deref()),
        }
    }
}

fn eval(path: &Path, json: bool) -> Result<ExitCode, StartError> {
    let measured = measure(read(path)?);
    let misses = misses(&measured);
    if !json {
        return say(&format!("{}{misses}", table(&measured)));
    }
    // Whoever started it may have closed it.
    let _ = io::stderr().write_all(misses.as_bytes());
    let object = serde_json::to_string(&measured).map_err(StartError::other)?;
    say(&format!("{object}\n"))
}

fn read(path: &Path) -> Result<Vec<Labelled>, StartError> {
    let mut text = String::new();
    let read = match path == Path::new("-") {
        true => io::stdin().read_to_string(&mut text).map(drop),
        false => std::fs::read_to_string(path).map(|all| text = all),
    };
    read.map_err(|error| unreadable(path, &error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            serde_json::from_str(line)
                .map_err(|error| unreadable(path, &format!("line {}: {error}", index + 1)))
        })
        .collect()
}

fn unreadable(path: &Path, error: &impl std::fmt::Display) -> StartError {
    StartError::new(
        StartCode::ConfigurationInvalid,
        format!("cannot read {}: {error}", path.display()),
        "name a file in JSON Lines: {\"text\": …, \"contact\": true, \"kind\": \"email\"}",
    )
}

fn table(measured: &Measured) -> String {
    let mut text = format!("{:<10} {:>9} {:>9} {:>6}\n", "kind", "precision", "recall", "n");
    let mut row = |name: &str, score: &Score| {
        let share = |share: Option<f64>| share.map_or("–".to_owned(), |share| format!("{share:.4}"));
        let (precision, recall) = (share(score.precision), share(score.recall));
        let _ = writeln!(text, "{name:<10} {precision:>9} {recall:>9} {:>6}", score.n);
    };
    for (kind, score) in &measured.by_kind {
        row(kind, score);
    }
    row("all", &measured.all);
    text
}

fn misses(measured: &Measured) -> String {
    let mut text = String::new();
    for miss in &measured.misses {
        let found: Vec<String> = miss.found.iter().map(|(words, rule)| format!("{rule} {words:?}")).collect();
        let what = if miss.labelled.contact { "missed" } else { "innocent" };
        let found = if found.is_empty() { String::new() } else { format!(" [{}]", found.join(", ")) };
        let (number, kind) = (miss.number, &miss.labelled.kind);
        let _ = writeln!(text, "{number}: {what} ({kind}): {:?}{found}", miss.labelled.text);
    }
    text
}

/// What people write.
const MESSAGE: &str = "We need somebody to build a small web shop with a catalogue, a cart and a checkout, in about three weeks. \
    The design is ready in Figma; texts and photos follow until 12.06. We pay 65 EUR per hour, at most 20 hours a week. ";
/// What a hostile text is made of, again and again.
const HOSTILE: [&str; 14] = [
    "5 ",
    "06 12 34 56 78 / ",
    "1",
    "a@",
    "at-",
    "a dot ",
    "a b c d e f ",
    "a_",
    "double ",
    "(at)(",
    "telegram ",
    "https://a.com/",
    "五",
    "@a_b ",
];
/// Characters of a hostile text, from the shortest to the longest.
const LENGTHS: [usize; 4] = [1_000, 2_000, 4_000, 8_000];

fn speed() -> Result<ExitCode, StartError> {
    let message: String = MESSAGE.chars().cycle().take(500).collect();
    let mut lines = format!(
        "a message of 500 characters: {:.1} µs\n\nµs for so many characters of\n{:20}",
        micros(&message),
        ""
    );
    for length in LENGTHS {
        let _ = write!(lines, "{length:>10}");
    }
    for piece in HOSTILE {
        let _ = write!(lines, "\n{:20}", format!("{piece:?}"));
        for length in LENGTHS {
            let text: String = piece.chars().cycle().take(length).collect();
            let _ = write!(lines, "{:>10.0}", micros(&text));
        }
    }
    say(&format!("{lines}\n"))
}

/// How long a text takes, in microseconds: the mean of as many times as a tenth of a second has.
fn micros(text: &str) -> f64 {
    examine(text);
    let (began, mut times) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_millis(100) {
        examine(text);
        times += 1;
    }
    began.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}

fn explain(text: Option<&str>) -> Result<ExitCode, StartError> {
    let mut read = String::new();
    let text = match text {
        Some(text) => text,
        None => {
            io::stdin().read_to_string(&mut read).map_err(|error| unreadable(Path::new("-"), &error))?;
            &read
        }
    };
    let mut lines = format!("from {ENOUGH} on it is contact information\n");
    for weighed in weigh(text) {
        let (words, rule) = (&text[weighed.finding.range], weighed.finding.rule.as_str());
        let _ = writeln!(lines, "{:>5} {rule} {words:?}", weighed.score);
    }
    say(&lines)
}
