//! `anteroom copy`: the embedded database, moved into one that many nodes share, and verified there before it counts.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anteroom::config::Config;
use anteroom::server::Keeping;
use anteroom::start::{StartCode, StartError};
use anteroom::store::moving::{Chains, MoveError, TABLES};
use anteroom::store::postgres::{Settings, Target};
use anteroom::store::sqlite::Source;
use clap::Args;

use super::{block_on, say};

/// How often a line at a terminal changes.
const OFTEN: Duration = Duration::from_millis(200);

#[derive(Args)]
pub(super) struct Copy {
    /// The embedded database, `sqlite://PATH`; absent: the one in `data_dir`.
    #[arg(long, value_name = "URL", value_parser = file)]
    from: Option<PathBuf>,
    /// The PostgreSQL database, `postgres://…`, which must be empty; absent: `database.url`, where nobody can read the password along.
    #[arg(long, value_name = "URL", value_parser = address)]
    to: Option<String>,
}

fn file(url: &str) -> Result<PathBuf, &'static str> {
    url.strip_prefix("sqlite://")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .ok_or("must be sqlite://PATH")
}

fn address(url: &str) -> Result<String, &'static str> {
    let known = ["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme));
    if known { Ok(url.to_owned()) } else { Err("must be postgres://USER:PASSWORD@HOST/DATABASE") }
}

/// What was copied.
struct Copied {
    chains: Chains,
    rows: u64,
    bytes: u64,
}

impl Copy {
    pub(super) fn run(&self, config: &Config) -> Result<ExitCode, StartError> {
        let began = Instant::now();
        let path = self.from.clone().unwrap_or_else(|| config.data_dir.join("anteroom.db"));
        let settings = self.settings(config)?;
        let Copied { chains, rows, bytes } = block_on(async {
            let mut source = Source::open(&path).await?;
            let from = path.display().to_string();
            let mut progress = Progress::new();
            progress.say("reading every chain");
            let chains = source.chains().await.map_err(|error| failed(&from, &error))?;
            let mut target = Target::open(&settings).await?;
            let copied = fill(&mut source, &mut target, chains, &mut progress);
            let copied = copied.await.map_err(|error| match error {
                Side::From(error) => failed(&from, &error),
                Side::To(error) => failed("the database that is copied to", &error),
            })?;
            target.keep().await.map_err(|error| failed("the database that is copied to", &error))?;
            Ok(copied)
        })?;
        say(&format!(
            "copied and verified: {} logs, {} entries, {rows} rows, {bytes} bytes in {:.1} s; every chain was computed anew from the copy and ends at the head it had, heads {}\n",
            chains.logs,
            chains.entries,
            began.elapsed().as_secs_f64(),
            chains.heads,
        ))
    }

    fn settings(&self, config: &Config) -> Result<Settings, StartError> {
        match (&self.to, Keeping::of(config)) {
            (Some(url), _) => Ok(Settings { url: url.clone().into(), writers: 1, readers: 1 }),
            (None, Keeping::Shared(settings)) => Ok(settings),
            (None, Keeping::Embedded(_)) => Err(StartError::new(
                StartCode::ConfigurationInvalid,
                "there is no PostgreSQL database to copy to",
                "name it with `--to postgres://…`, or with `database.url`",
            )),
        }
    }
}

/// Which of the two databases failed.
enum Side {
    From(MoveError),
    To(MoveError),
}

/// Fills the target, and holds it against what was read. Nothing of it counts yet.
async fn fill(
    source: &mut Source,
    target: &mut Target,
    chains: Chains,
    progress: &mut Progress,
) -> Result<Copied, Side> {
    target.begin().await.map_err(Side::To)?;
    let mut copied = Copied { chains, rows: 0, bytes: 0 };
    for table in TABLES {
        let mut count = 0;
        let mut reading = source.read(table);
        while let Some(rows) = reading.next().await.map_err(|error| Side::From(error.into()))? {
            (count, copied.bytes) = (count + rows.count, copied.bytes + rows.bytes);
            target.write(table, rows).await.map_err(Side::To)?;
            progress.often(|| format!("{}: {count} rows", table.name));
        }
        target.must_have(table, count).await.map_err(Side::To)?;
        copied.rows += count;
    }
    progress.say("verifying every chain");
    if target.chains().await.map_err(Side::To)? != chains {
        return Err(Side::To(MoveError::Heads));
    }
    Ok(copied)
}

/// What is wrong with a database that is moved, kept or restored. Nothing of what was begun counts.
pub(super) fn failed(place: &str, error: &MoveError) -> StartError {
    let what = format!("{place}: {error}");
    let (code, help) = match error {
        MoveError::NotEmpty(_) => (
            StartCode::DatabaseUnusable,
            "name an empty database, on which no server was ever started; what is in this one was left alone",
        ),
        MoveError::Broken { .. } | MoveError::Homeless(_) => (
            StartCode::DatabaseDamaged,
            "nothing was written; keep the database as it is, and go on from a backup that was made before",
        ),
        MoveError::Differs { .. } | MoveError::Heads => (
            StartCode::DatabaseDamaged,
            "nothing was kept; look for what changes rows in that database (a trigger, a rule), and copy again",
        ),
        MoveError::Unanswered(_) => (
            StartCode::DatabaseUnreachable,
            "that database holds everything or nothing; give the command again: it is refused if everything is there",
        ),
        MoveError::Store(_) => {
            (StartCode::DatabaseUnusable, "nothing was kept; see to what it says, and do it again")
        }
    };
    StartError::new(code, what, help)
}

/// One line at a terminal that changes; elsewhere nothing.
struct Progress {
    shown: Option<Instant>,
    is_shown: bool,
}

impl Progress {
    fn new() -> Self {
        Self { shown: None, is_shown: io::stderr().is_terminal() }
    }

    fn say(&mut self, text: &str) {
        if self.is_shown {
            self.shown = Some(Instant::now());
            // Whoever closed standard error wants no progress.
            let _ = write!(io::stderr(), "\r\x1b[K{text}");
        }
    }

    fn often(&mut self, text: impl FnOnce() -> String) {
        if self.is_shown && self.shown.is_none_or(|shown| shown.elapsed() >= OFTEN) {
            self.say(&text());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}
