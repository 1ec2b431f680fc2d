//! The connection that publishes. What queued while the last round trip ran is the next one, so nothing waits for more than the one that is
//! under way, and no timer is involved.
//!
//! What a broken connection took with it is not sent again: perhaps it was published. The others see a hole or they do not.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Pipeline, RedisResult};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Timing;
use super::backoff::Backoff;
use super::channel::{Channel, Channels};
use super::outgoing::{Outgoing, Publication};
use super::publication::seal;
use crate::telemetry::Metrics;

/// How old a whisper may be when it is sent: older, it would tell of what is over.
const WHISPER_AGE: Duration = Duration::from_secs(2);

/// The task that publishes.
pub(super) struct Publisher {
    pub(super) client: Client,
    pub(super) channels: Arc<Channels>,
    pub(super) outgoing: Arc<Outgoing>,
    pub(super) timing: Timing,
    pub(super) metrics: Arc<Metrics>,
}

impl Publisher {
    /// Publishes until the last tick is out, or cannot be.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let Timing { retry_least, retry_most, .. } = self.timing;
        let mut backoff = Backoff::new(retry_least);
        loop {
            let Some(connected) = shutdown.run_until_cancelled(self.connect()).await else { return };
            let ended = match connected {
                Ok(connection) => self.publish(connection, &mut backoff).await,
                Err(error) => Err(error),
            };
            let Err(error) = ended else { return };
            self.outgoing.set_speaks(false);
            tracing::debug!(%error, "cannot publish to redis");
            let wait = backoff.next(retry_least * 2, retry_most, rand::random());
            if shutdown.run_until_cancelled(sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timing.answer))
            .set_response_timeout(Some(self.timing.answer));
        self.client.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Publishes what waits, and what comes. `Ok`: it was the last.
    async fn publish(&self, mut connection: MultiplexedConnection, backoff: &mut Backoff) -> RedisResult<()> {
        while let Some(publications) = self.outgoing.next().await {
            self.send(&mut connection, publications).await?;
            self.outgoing.set_speaks(true);
            backoff.reset();
        }
        Ok(())
    }

    async fn send(
        &self,
        connection: &mut MultiplexedConnection,
        mut publications: Vec<Publication>,
    ) -> RedisResult<()> {
        let waiting = publications.len();
        let is_stale =
            |it: &Publication| matches!(it.channel, Channel::Lane(_)) && it.since.elapsed() > WHISPER_AGE;
        publications.retain(|publication| !is_stale(publication));
        self.metrics.bus_sent("shed", (waiting - publications.len()) as u64);
        if publications.is_empty() {
            return Ok(());
        }
        let mut pipeline = Pipeline::with_capacity(publications.len());
        pipeline.ignore_errors();
        for Publication { channel, header, body, .. } in &publications {
            let bytes = seal(&self.channels, *channel, header, body);
            pipeline.cmd("PUBLISH").arg(self.channels.name(*channel)).arg(bytes);
        }
        let answers: RedisResult<Vec<RedisResult<u64>>> = pipeline.query_async(connection).await;
        let refusals = match &answers {
            Ok(answers) => answers.iter().filter(|answer| answer.is_err()).count(),
            Err(_) => publications.len(),
        };
        self.metrics.bus_sent("failed", refusals as u64);
        self.metrics.bus_sent("sent", (publications.len() - refusals) as u64);
        // A Redis that refuses everything (a replica, one that is full) may not be the one to talk to any more.
        match answers?.into_iter().find_map(Result::err) {
            Some(error) if refusals == publications.len() => Err(error),
            _ => Ok(()),
        }
    }
}
