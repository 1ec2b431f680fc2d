//! What the checker found: the verdict, and every broken promise by the name of its invariant.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Serialize, Serializer};

/// Broken promises that are told one by one, of each invariant; all are counted.
pub const TOLD: usize = 100;

macro_rules! invariants {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $name:literal;)*) => {
        /// What the wire promises, as the checker holds the server to it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Invariant {
            $($(#[$doc])* $variant,)*
        }

        impl Invariant {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its number.
            pub fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// Its name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

invariants! {
    /// What was acknowledged is in the log, for ever.
    Durable = "I1", "no acknowledged loss";
    /// What is in the log was sent, by whom and as it says, and was not refused.
    Honest = "I2", "nothing invented";
    /// A command stands in the log once, and every answer to it says the same.
    Once = "I3", "once";
    /// Everybody sees the same entry at the same number.
    Agreed = "I4", "agreement";
    /// A log is numbered 1, 2, 3 … without a hole.
    Dense = "I5", "dense";
    /// What a client is given of a log is a contiguous run, in order, once.
    Prefix = "I6", "prefix";
    /// Nobody sees or writes what lies beyond their membership.
    Authorised = "I7", "authorisation";
    /// Order of one connection, and order in time between all.
    Ordered = "I8", "order";
    /// What is acknowledged arrives, in time.
    Live = "I9", "liveness";
    /// Versions of terms count 1, 2, 3 …, and what refers to one refers to the right one.
    Terms = "I10", "terms";
    /// A log restarts or shrinks only where a `reset` was told.
    Announced = "I11", "announced restarts";
}

/// The verdict's one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Every promise was kept, and enough happened to say so.
    Valid,
    /// A promise was broken.
    Invalid,
    /// None was seen broken, but too little was seen.
    Unknown,
}

impl Validity {
    /// The exit code that says it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Unknown => 2,
        }
    }
}

impl Serialize for Validity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Valid => serializer.serialize_bool(true),
            Self::Invalid => serializer.serialize_bool(false),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

/// One broken promise.
#[derive(Debug, Clone, Serialize)]
pub struct Violation {
    /// The invariant's number.
    pub inv: &'static str,
    /// In which way it was broken.
    pub kind: &'static str,
    /// In which log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// At which number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// By which command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// Whose logs show it.
    pub clients: Vec<String>,
    /// The line of the first of these logs (its `i`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// When, in nanoseconds of the run.
    pub t: u64,
    /// Faults that were active then.
    pub faults: Vec<String>,
    /// In words.
    pub text: String,
}

/// How much was judged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the README's table explains them")]
pub struct Counts {
    pub clients: u64,
    pub rooms: u64,
    pub rooms_without_members: u64,
    pub records: u64,
    pub invoked: u64,
    pub ok: u64,
    pub refused: u64,
    pub unknown: u64,
    pub recovered: u64,
    pub dup_acks: u64,
    pub live_dups: u64,
    pub received: u64,
    pub read_afresh: u64,
    pub resets: u64,
    pub gaps: u64,
    pub disconnects: u64,
}

/// Times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names are what they are called everywhere")]
pub struct Delays {
    pub count: u64,
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Acknowledged entries that a restored database does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LostByRestore {
    /// How many.
    pub total: u64,
    /// The first of them: room, number, command.
    pub first: Vec<(String, u64, String)>,
}

/// What a history says.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The one word.
    pub valid: Validity,
    /// Why no more can be said, if it is unknown; or what else was in the way.
    pub reasons: Vec<String>,
    /// How much was judged.
    pub counts: Counts,
    /// How often each invariant was broken; those that were not are left out.
    pub broken: BTreeMap<&'static str, u64>,
    /// The first of each.
    pub violations: Vec<Violation>,
    /// What a told restore took.
    pub lost_by_restore: LostByRestore,
    /// From an acknowledgement to its arrival at each reader, by what was wrong meanwhile.
    pub latency: BTreeMap<String, Delays>,
    /// Repairs the server counted, by layer.
    pub repairs: BTreeMap<String, u64>,
    /// Which scenario.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// What its random numbers began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Versions of what ran.
    pub versions: BTreeMap<String, String>,
}

impl Verdict {
    /// Why a run with this history has failed, in words; `None`: it has not.
    pub fn failure(&self) -> Option<String> {
        match self.valid {
            Validity::Valid => None,
            Validity::Invalid => Some("promises were broken".to_owned()),
            Validity::Unknown => {
                Some(format!("the history is not known to be valid: {}", self.reasons.join("; ")))
            }
        }
    }

    /// For programs.
    ///
    /// # Errors
    /// None that can happen: every key is a string.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// Every invariant and how often it was broken, on one line.
    pub fn summary(&self) -> String {
        let mut line = String::new();
        for invariant in Invariant::ALL {
            let broken = self.broken.get(invariant.id()).unwrap_or(&0);
            let gap = if line.is_empty() { "" } else { ", " };
            // Writing into a string does not fail, here and below.
            let _ = write!(line, "{gap}{} {broken}", invariant.id());
        }
        line
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: std::fmt::Arguments<'_>| {
            let _ = writeln!(text, "{name:<22}{value}");
        };
        line("broken promises", format_args!("{}", self.summary()));
        for violation in self.violations.iter().take(20) {
            line("", format_args!("{} {}: {}", violation.inv, violation.kind, violation.text));
        }
        let counts = &self.counts;
        line(
            "commands",
            format_args!(
                "{} sent: {} ok, {} refused, {} unknown ({} of them in the log); {} answers to repeats",
                counts.invoked, counts.ok, counts.refused, counts.unknown, counts.recovered, counts.dup_acks
            ),
        );
        line(
            "checked",
            format_args!(
                "{} entries received by {} clients, {} read afresh, {} rooms",
                counts.received, counts.clients, counts.read_afresh, counts.rooms
            ),
        );
        for (window, delays) in &self.latency {
            let Delays { count, p50, p99, p999, max } = delays;
            line(
                &format!("arrival, {window}"),
                format_args!(
                    "{count}: p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms, max {max:.2} ms"
                ),
            );
        }
        if self.lost_by_restore.total > 0 {
            line("lost by a restore", format_args!("{}", self.lost_by_restore.total));
        }
        for reason in &self.reasons {
            line("not known", format_args!("{reason}"));
        }
        let word = match self.valid {
            Validity::Valid => "VALID",
            Validity::Invalid => "INVALID",
            Validity::Unknown => "UNKNOWN",
        };
        line("history", format_args!("{word}"));
        text
    }
}
