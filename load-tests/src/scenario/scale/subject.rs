//! What is measured: floors or nodes, so many of them.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde::Serialize;
use tokio::time::sleep;

use super::profile::Watch;
use crate::floor::drive::Talk;
use crate::floor::process::FloorProcess;
use crate::machine;
use crate::private::{PostgresOptions, PrivatePostgres, PrivateRedis, RedisOptions};
use crate::scenario::rooms::{self, Plan};
use crate::scenario::target::{Beside, Spent, Target, raised};

/// How long nodes are left alone, to see what that costs.
const ALONE: Duration = Duration::from_secs(5);

/// Who takes a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "subject", rename_all = "snake_case")]
pub(super) enum Subject {
    /// Bare floors.
    Floor {
        /// How many.
        nodes: usize,
    },
    /// Nodes of the server.
    Server {
        /// How many.
        nodes: usize,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Floor { nodes } => write!(f, "floor, {nodes}"),
            Self::Server { nodes } => write!(f, "server, {nodes}"),
        }
    }
}

/// What a turn cost.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Turn {
    /// Messages that reached the other seat.
    pub deliveries: u64,
    /// Processor time of all nodes for one delivery, in microseconds.
    pub server: f64,
    /// Of PostgreSQL.
    pub postgres: f64,
    /// Of Redis.
    pub redis: f64,
    /// Resident memory of all nodes at the end, in bytes.
    pub memory: u64,
    /// Processor time of all nodes for each second in which nobody is there, in milliseconds.
    pub idle_server: f64,
    /// Of Redis.
    pub idle_redis: f64,
}

impl Turn {
    /// Of all together.
    pub(super) fn all(&self) -> f64 {
        self.server + self.postgres + self.redis
    }
}

impl Subject {
    /// Takes a turn; `watch` looks at its processes meanwhile.
    pub(super) async fn take(
        self,
        own: &Path,
        server: &Path,
        plan: &Plan,
        watch: Option<&mut Watch>,
    ) -> anyhow::Result<Turn> {
        let (postgres, redis) = (PostgresOptions::default().fsync(true), RedisOptions::default());
        let (postgres, redis) =
            tokio::try_join!(PrivatePostgres::start(&postgres), PrivateRedis::start(&redis))?;
        let pids = (postgres.pid().context("PostgreSQL has ended")?, redis.pid().context("Redis has ended")?);
        let beside = Beside { postgres: pids.0, redis: pids.1 };
        let ground = (postgres.url("postgres"), redis.url(), beside);
        match self {
            Self::Floor { nodes } => floors(own, nodes, plan, ground, watch).await,
            Self::Server { nodes } => nodes_of(server, nodes, plan, ground, watch).await,
        }
    }
}

/// A database, a Redis, and their processes.
type Ground = (String, String, Beside);

async fn floors(
    own: &Path,
    nodes: usize,
    plan: &Plan,
    (postgres, redis, beside): Ground,
    watch: Option<&mut Watch>,
) -> anyhow::Result<Turn> {
    let mut floors: Vec<FloorProcess> = Vec::new();
    for _ in 0..nodes {
        floors.push(FloorProcess::start(own, &postgres, &redis).await?);
    }
    let spent = || beside.spent(floors.iter().map(|floor| machine::cpu_seconds(floor.pid()).ok()).sum());
    let idle = alone(&spent).await;
    let urls: Vec<String> = floors.iter().map(|floor| floor.url().to_owned()).collect();
    let talk = Talk::connect(&urls, *plan).await?;
    if let Some(watch) = watch {
        watch.look(floors.iter().map(FloorProcess::pid))?;
    }
    let before = spent();
    let deliveries = talk.run().await?;
    let spent = spent().since(&before);
    let memory = floors.iter().map(|floor| machine::rss_bytes(floor.pid())).sum::<std::io::Result<u64>>()?;
    turn(deliveries, spent, memory, idle)
}

async fn nodes_of(
    server: &Path,
    nodes: usize,
    plan: &Plan,
    (postgres, redis, beside): Ground,
    watch: Option<&mut Watch>,
) -> anyhow::Result<Turn> {
    let variables = [("ANTEROOM_DATABASE__URL", postgres), ("ANTEROOM_REDIS__URL", redis)];
    let target = Target::start(server, &raised(&[]), &variables, nodes, Some(beside)).await?;
    let idle = alone(&|| target.spent()).await;
    let begun = || watch.map_or(Ok(()), |watch| watch.look(target.pids()));
    let result = rooms::run_from(&target, plan, None, begun).await?;
    ensure!(result.failures().is_empty(), "what it did is not valid: {:?}", result.failures());
    ensure!(result.refusals.is_empty(), "it refused: {:?}", result.refusals);
    let (memory, acknowledged) = (target.rss_bytes().context("a node has ended")?, result.history.counts.ok);
    target.end().await?;
    let seconds =
        |per_1000: Option<f64>| per_1000.map(|seconds| seconds * rooms::count(acknowledged) / 1_000.0);
    let spent = Spent {
        server: seconds(result.server_cpu_per_1000),
        postgres: seconds(result.postgres_cpu_per_1000),
        redis: seconds(result.redis_cpu_per_1000),
    };
    turn(result.deliveries, spent, memory, idle)
}

/// What they spend when nobody is there.
async fn alone(spent: &impl Fn() -> Spent) -> Spent {
    // What a start leaves to do is not what it is about.
    sleep(Duration::from_secs(2)).await;
    let before = spent();
    sleep(ALONE).await;
    spent().since(&before)
}

fn turn(deliveries: u64, spent: Spent, memory: u64, idle: Spent) -> anyhow::Result<Turn> {
    let micros = |seconds: Option<f64>| {
        let seconds = seconds.context("a process has ended");
        seconds.map(|seconds| seconds * 1e6 / rooms::count(deliveries.max(1)))
    };
    let millis = |seconds: Option<f64>| seconds.unwrap_or_default() * 1_000.0 / ALONE.as_secs_f64();
    Ok(Turn {
        deliveries,
        server: micros(spent.server)?,
        postgres: micros(spent.postgres)?,
        redis: micros(spent.redis)?,
        memory,
        idle_server: millis(idle.server),
        idle_redis: millis(idle.redis),
    })
}
