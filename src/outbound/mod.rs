//! The way out: the only door by which this server posts to addresses that others have named.
//!
//! Whoever may name an address must not be able to have this server ask its own network with it. So an address is looked at when it is named
//! and each time something is sent; what a name stands for is asked once, and it is that which is connected to; and no redirect is followed.

pub mod address;
pub mod guarded;

use std::time::Duration;

use async_trait::async_trait;

/// Something to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Where.
    pub url: String,
    /// Headers by name.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// How long it is to be waited before the next post, if that is said in seconds.
    pub retry_after: Option<Duration>,
    /// The beginning of the body, as far as it is text.
    pub text: String,
}

/// Why an address is not one that this server connects to. The text is for whoever named it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Why there is no answer. The text is for whoever named the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection was opened.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Nobody could be connected to, or the connection broke.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The answer took too long.
    #[error("no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
}

/// The port.
#[async_trait]
pub trait Outbound: Send + Sync + 'static {
    /// The host of an address, as whoever connects reads it: what looks like a host to somebody else may be none. Refused when its form is such that
    /// nothing would be sent there; nobody is asked what it stands for.
    fn host(&self, url: &str) -> Result<String, Refused>;

    /// Refuses an address that nothing would be sent to, as far as that shows now.
    async fn check(&self, url: &str) -> Result<(), Refused>;

    /// Posts, and waits for the answer.
    async fn post(&self, post: Post) -> Result<Reply, Failure>;
}
