//! Somebody who can write to Redis and knows no key.

use anteroom_load_tests::private::PrivateRedis;
use futures_util::StreamExt as _;

use super::soon;

/// A client that is no node, with what it overhears.
pub(crate) struct Stranger {
    connection: redis::aio::MultiplexedConnection,
    overheard: redis::aio::PubSub,
}

impl Stranger {
    pub(crate) async fn come(redis: &PrivateRedis) -> Self {
        let client = redis::Client::open(redis.url()).expect("a client");
        let connection = client.get_multiplexed_async_connection().await.expect("a connection");
        let mut overheard = client.get_async_pubsub().await.expect("a connection");
        overheard.psubscribe("anteroom:*:ev:*").await.expect("subscribed");
        Self { connection, overheard }
    }

    /// The next publication of entries.
    pub(crate) async fn overhear(&mut self) -> (String, Vec<u8>) {
        let message = soon("a message", self.overheard.on_message().next()).await;
        let message = message.expect("a message");
        (message.get_channel_name().to_owned(), message.get_payload_bytes().to_vec())
    }

    pub(crate) async fn publish(&mut self, channel: &str, bytes: &[u8]) {
        let mut command = redis::cmd("PUBLISH");
        let heard: u64 =
            command.arg(channel).arg(bytes).query_async(&mut self.connection).await.expect("published");
        assert!(heard > 0, "nobody listens on {channel}");
    }

    pub(crate) async fn ask<T: redis::FromRedisValue>(&mut self, words: &[&str]) -> T {
        let mut command = redis::cmd(words[0]);
        words[1..].iter().for_each(|word| {
            command.arg(*word);
        });
        command.query_async(&mut self.connection).await.expect("an answer")
    }
}
