//! `hostile`: people talk while others misbehave, one way after the other. What the rest of the people notice, what the server's memory
//! does, and how each of the others ends.
//!
//! Open loop: a message is due at its time, whatever became of those before it, and its delay counts from when it was due.

mod attack;
mod raw;
mod slow;
mod talk;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, ValueEnum as _, value_parser};
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use self::attack::{Attack, Ground};
use self::talk::{Delays, Talk};
use super::judged;
use super::target::{Choice, Target};
use crate::history::verdict::Verdict;
use crate::machine::Machine;
use crate::server;

/// People come and go from one address here, talk faster than they are allowed to, and read everything afresh in the end. What the attacks
/// are stopped by stays as it is.
const RAISED: [(&str, &str); 7] = [
    ("sockets_per_address", "10000"),
    ("greeting_per_address", "10000"),
    ("sockets_per_user", "1000"),
    ("commands_per_second", "1000"),
    ("commands_burst", "2000"),
    ("requests_per_second", "10000"),
    ("requests_burst", "10000"),
];

/// Seconds that are enough to see how it is when nobody misbehaves.
const CALM: u64 = 60;

/// After an attack, before the next one: what it left is gone by then, or it shows in the next one's figures.
const REST: Duration = Duration::from_secs(2);

/// Honest people talk while others never read, read a kilobyte a second, never stop sending; and what becomes of everybody.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Rooms of honest people; a message is due in each every 100 ms
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u64).range(1..=500))]
    rooms: u64,
    /// How long each attack lasts
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u64).range(2..=600))]
    seconds: u64,
    /// Attackers at a time
    #[arg(long, default_value_t = 20, value_parser = value_parser!(u64).range(1..=500))]
    attackers: u64,
    /// Ways to misbehave, one or several, with commas between them [default: all of them]
    #[arg(long, value_enum, value_delimiter = ',')]
    attacks: Vec<Attack>,
    /// Where the histories go, as *.jsonl for `check`
    #[arg(long)]
    keep_logs: Option<PathBuf>,
    /// The server to start on a new data directory [default: `anteroom` beside this program]
    #[arg(long)]
    server_bin: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// Limits of the server that were raised.
    pub limits_raised: Vec<(String, String)>,
    /// Attackers at a time.
    pub attackers: u64,
    /// Nobody misbehaves, then one attack after the other.
    pub phases: Vec<Phase>,
    /// What the history of the honest people says, over all of it.
    pub history: Verdict,
}

/// One attack.
#[derive(Debug, Serialize)]
pub struct Phase {
    /// What the others do.
    pub attack: &'static str,
    /// Honest messages that arrived.
    pub delivered: u64,
    /// Honest messages that did not arrive within ten seconds after the phase.
    pub missing: u64,
    /// Half of them arrived within this time, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// All of them.
    pub max_ms: f64,
    /// The most memory the server had, in MiB.
    pub rss_mib: f64,
    /// How the attackers ended, and how many of them.
    pub ends: BTreeMap<String, u64>,
}

/// Runs it.
///
/// # Errors
/// It could not be run to its end.
pub async fn run(options: &Options) -> anyhow::Result<Report> {
    let binary = server::binary(options.server_bin.as_deref())?;
    let raise = RAISED.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let target = Target::open(&Choice::Start { binary, raise: raise.clone() }).await?;
    let mut talk =
        Talk::begin(&target, usize::try_from(options.rooms)?).await.context("the honest people")?;
    let ground = Ground::new(&target, talk.busy()).await.context("the attackers")?;
    // Everybody has arrived and every page was touched once before anything is measured.
    talk.phase(Duration::from_secs(3)).await?;
    let calm = Options { seconds: options.seconds.min(CALM), ..options.clone() };
    let mut phases = vec![phase("nobody", &target, &mut talk, &ground, None, &calm).await?];
    let attacks =
        if options.attacks.is_empty() { Attack::value_variants().to_vec() } else { options.attacks.clone() };
    for attack in attacks {
        sleep(REST).await;
        phases.push(phase(attack.name(), &target, &mut talk, &ground, Some(attack), options).await?);
    }
    let history = judged(&talk.end(&target).await?, options.keep_logs.as_deref())?;
    target.end().await?;
    let (machine, attackers) = (Machine::look()?, options.attackers);
    Ok(Report { machine, limits_raised: raise, attackers, phases, history })
}

async fn phase(
    name: &'static str,
    target: &Target,
    talk: &mut Talk,
    ground: &Ground,
    attack: Option<Attack>,
    options: &Options,
) -> anyhow::Result<Phase> {
    let span = Duration::from_secs(options.seconds);
    let mut attackers = JoinSet::new();
    if let Some(attack) = attack {
        for _ in 0..options.attackers {
            attackers.spawn(attack.run(ground.clone(), span));
        }
    }
    let (delays, rss) = tokio::join!(talk.phase(span), highest(target, span));
    let Delays { histogram, missing } = delays?;
    let mut ends = BTreeMap::new();
    // Those whom the server leaves in peace end by themselves when their time is over.
    while let Ok(Some(end)) = timeout(Duration::from_secs(30), attackers.join_next()).await {
        *ends.entry(end?).or_default() += 1;
    }
    let millis = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1_000.0;
    #[expect(clippy::cast_precision_loss, reason = "a process does not have 2^52 bytes")]
    let rss_mib = rss as f64 / (1024.0 * 1024.0);
    Ok(Phase {
        attack: name,
        delivered: histogram.len(),
        missing,
        p50_ms: millis(histogram.value_at_quantile(0.5)),
        p99_ms: millis(histogram.value_at_quantile(0.99)),
        max_ms: millis(histogram.max()),
        rss_mib,
        ends,
    })
}

/// The most memory the server has within this time.
async fn highest(target: &Target, span: Duration) -> u64 {
    let (end, mut highest) = (Instant::now() + span, 0);
    while Instant::now() < end {
        highest = highest.max(target.rss_bytes().unwrap_or(0));
        sleep(Duration::from_millis(100)).await;
    }
    highest
}

impl Report {
    /// What makes this run a failure: an honest message that did not arrive in time, a slow reader that missed an entry, or a history that
    /// is not valid.
    pub fn failures(&self) -> Vec<String> {
        let missed = self.phases.iter().filter(|phase| phase.missing > 0);
        let ends = self.phases.iter().flat_map(|phase| phase.ends.keys());
        let holes = ends.filter(|end| end.starts_with(slow::HOLE)).cloned();
        missed
            .map(|phase| format!("{}: {} honest messages did not arrive", phase.attack, phase.missing))
            .chain(holes)
            .chain(self.history.failure())
            .collect()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} cores, Linux {}; {} attackers at a time\n{:<34} {:>9} {:>7} {:>9} {:>9} {:>9} {:>9}  ended\n",
            self.machine.cores,
            self.machine.kernel,
            self.attackers,
            "the others",
            "delivered",
            "missing",
            "p50 ms",
            "p99 ms",
            "max ms",
            "rss MiB",
        );
        for phase in &self.phases {
            let ends: Vec<String> =
                phase.ends.iter().map(|(end, count)| format!("{count} x {end}")).collect();
            text += &format!(
                "{:<34} {:>9} {:>7} {:>9.2} {:>9.2} {:>9.2} {:>9.1}  {}\n",
                phase.attack,
                phase.delivered,
                phase.missing,
                phase.p50_ms,
                phase.p99_ms,
                phase.max_ms,
                phase.rss_mib,
                ends.join(", "),
            );
        }
        text += &self.history.text();
        text
    }

    /// For programs.
    ///
    /// # Errors
    /// It cannot be written, which does not happen.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}
