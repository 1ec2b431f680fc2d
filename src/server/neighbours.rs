//! The other nodes, as the configuration says: whom this one tells, whom it hears, and how often it looks back.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::follow::Pace;
use crate::app::telling::OverTheBus;
use crate::bus::Bus;
use crate::bus::heard::Hearing;
use crate::bus::local::LocalBus;
use crate::bus::redis::{self, Timing};
use crate::config::Config;
use crate::hub::elsewhere::{Nobody, Others};
use crate::start::StartError;
use crate::telemetry::Metrics;

/// The other nodes.
pub(super) struct Neighbours {
    pub(super) bus: Arc<dyn Bus>,
    pub(super) others: Arc<dyn Others>,
    pub(super) hearing: Hearing,
    pub(super) pace: Pace,
    pub(super) parting: Parting,
}

/// What is left to do when this node goes.
pub(super) struct Parting {
    tasks: TaskTracker,
    token: CancellationToken,
}

impl Parting {
    /// Takes leave of the others, after the last commit was told.
    pub(super) async fn take_leave(self) {
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Neighbours {
    /// Those of a configuration. `key` is the database's: nodes of one database hear each other, and nobody else.
    ///
    /// # Errors
    /// What is said of Redis cannot be used. Whether there is one is not asked: a node starts without.
    pub(super) fn of(config: &Config, key: &[u8; 32], metrics: &Arc<Metrics>) -> Result<Self, StartError> {
        let (tasks, token) = (TaskTracker::new(), CancellationToken::new());
        let Some(url) = &config.redis.url else {
            let pace = Pace { healthy: alone(config), ..Pace::default() };
            let parting = Parting { tasks, token };
            let (bus, others) = (Arc::new(LocalBus), Arc::new(Nobody));
            return Ok(Self { bus, others, hearing: Hearing::nothing(), pace, parting });
        };
        let ca = config.redis.ca.as_ref().map(|path| {
            std::fs::read(path).map_err(|error| StartError::configuration(format!("redis.ca: {error}")))
        });
        let ca = ca.transpose()?;
        let mut settings =
            redis::Settings::new(url.expose_secret(), ca.as_deref()).map_err(StartError::configuration)?;
        let tick = Duration::from_millis(config.redis.tick_ms.into());
        settings.timing = Timing {
            tick,
            echo: 2 * tick,
            silent: 3 * tick,
            gone: 30 * tick,
            searched: 600 * tick,
            ..settings.timing
        };
        let (bus, hearing) = redis::start(settings, key, metrics, &tasks, &token);
        let others = Arc::new(OverTheBus(bus.clone()));
        let pace = Pace { healthy: 30 * tick, degraded: tick };
        Ok(Self { bus, others, hearing, pace, parting: Parting { tasks, token } })
    }
}

/// How often a node looks back that has no bus. On a database that others may share, it is all that tells it of them.
fn alone(config: &Config) -> Duration {
    if config.database.url.is_some() { Duration::from_secs(1) } else { Pace::default().healthy }
}
