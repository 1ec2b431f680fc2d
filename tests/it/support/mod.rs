//! What the tests stand on: a server in this process, people who come through either door, and a scene of a client, a freelancer and
//! a job. Nothing here decides what a right answer is, but that it is one of those the published documents know.

pub(crate) mod ask;
pub(crate) mod certificate;
pub(crate) mod database;
mod documents;
mod exchange;
mod fleet;
pub(crate) mod issuer;
mod listener;
mod person;
mod pipeline;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod push_service;
pub(crate) mod raw;
pub(crate) mod receiver;
mod relay;
pub(crate) mod replay;
mod scene;
mod server;
pub(crate) mod stranger;

pub(crate) use exchange::{Answered, exchange, exchange_at, filled};
pub(crate) use person::{Door, Person, data, kinds, problem};
pub(crate) use pipeline::{post_all, post_everywhere};
pub(crate) use scene::{Scene, newest};
pub(crate) use server::{SECRET, TestServer};

use std::fmt::Debug;
use std::str::FromStr;
use std::time::Duration;

use anteroom_load_tests::scenario::target::raised;
use anteroom_load_tests::server::Launcher;
use tokio::time::timeout;

/// How long anything may take that is to come soon.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A server process for tests, which are hastier than people and all come from one address.
pub(crate) fn hasty(launcher: Launcher) -> Launcher {
    raised(&[]).into_iter().fold(launcher, |launcher, (name, value)| {
        launcher.env(format!("ANTEROOM_LIMITS__{}", name.to_uppercase()), value)
    })
}

/// An id of this text.
pub(crate) fn id<T: FromStr<Err: Debug>>(text: &str) -> T {
    text.parse().expect("an id")
}

/// What this future gives, which is to be soon.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match timeout(SOON, future).await {
        Ok(given) => given,
        Err(_) => panic!("{what}: not within {SOON:?}"),
    }
}

/// The time of everything on this thread goes on by this step, so many times, while the test says nothing. It all gets its turns meanwhile.
pub(crate) async fn time_goes_by(step: Duration, times: u32) {
    tokio::time::pause();
    for _ in 0..times {
        tokio::time::advance(step).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    tokio::time::resume();
}

/// Makes each of these scenes a test over the socket and a test over HTTP.
macro_rules! over_both_doors {
    ($($name:ident,)*) => {
        mod over_the_socket {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::support::Scene::new($crate::support::Door::Socket).await).await;
            })*
        }
        mod over_http {
            $(#[tokio::test] async fn $name() {
                super::$name($crate::support::Scene::new($crate::support::Door::Http).await).await;
            })*
        }
    };
}
pub(crate) use over_both_doors;
