//! Keeps the issuers' keys: fetches each key set at the start, again when it is due, and when a token asks. What the keys are good for
//! is decided in [`crate::app::identity`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use reqwest::header::CACHE_CONTROL;
use reqwest::{Client, StatusCode, Url, redirect};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::App;
use crate::app::identity::jwks::{Keys, Unreadable};
use crate::app::identity::ring::KeyRing;
use crate::telemetry::Metrics;

/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a key set.
const DOCUMENT_BYTES: usize = 64 * 1024;
/// How long an answer that does not say is fresh …
const FRESH_DEFAULT: Duration = Duration::from_secs(5 * 60);
/// … and the bounds for one that does: an issuer must not be asked all the time, nor keep a key that it took back for days.
const FRESH_LEAST: Duration = Duration::from_secs(60);
const FRESH_MOST: Duration = Duration::from_secs(60 * 60);
/// How long the first wait after a failed fetch is; each further one is twice as long …
const RETRY_LEAST: Duration = Duration::from_secs(1);
/// … up to this.
const RETRY_MOST: Duration = Duration::from_secs(60);

/// Where a key set comes from.
#[async_trait]
trait Source: Send + Sync + 'static {
    /// Fetches it once.
    async fn fetch(&self) -> Result<Answer, FetchError>;
}

/// A key set as it came.
struct Answer {
    document: Vec<u8>,
    fresh_for: Duration,
}

/// Why there is no key set. The text is for the log.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{0}")]
    Io(#[from] reqwest::Error),
    #[error("answered {0}")]
    Status(StatusCode),
    #[error("more than {DOCUMENT_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl FetchError {
    /// The word in the figures.
    fn outcome(&self) -> &'static str {
        match self {
            Self::Io(_) => "unreachable",
            Self::Status(_) => "status",
            Self::TooLarge | Self::Unreadable(_) => "unreadable",
        }
    }
}

/// Starts one task for each issuer that publishes keys. They end with `shutdown`.
///
/// # Errors
/// The machine's root certificates cannot be read.
pub fn keep_all(app: &App, tasks: &TaskTracker, shutdown: &CancellationToken) -> anyhow::Result<()> {
    for (issuer, ring) in app.identity.rings() {
        let source = Remote::new(&ring.url)?;
        let keeper = Keeper { issuer: issuer.to_owned(), ring: ring.clone(), metrics: app.metrics.clone() };
        let shutdown = shutdown.clone();
        tasks.spawn(async move { shutdown.run_until_cancelled(keeper.keep(source)).await });
    }
    Ok(())
}

/// The address of a key set: `https`, or `http` on this machine. Who can change the answer on its way can let anybody in.
///
/// # Errors
/// It is neither.
pub fn check_url(url: &str) -> anyhow::Result<()> {
    let url = Url::parse(url)?;
    let here = url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    });
    let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
    ensure!(safe, "must be https://…, or http://127.0.0.1… on this machine");
    Ok(())
}

/// A key set behind an address.
struct Remote {
    client: Client,
    url: String,
}

impl Remote {
    fn new(url: &str) -> anyhow::Result<Self> {
        let client = Client::builder().redirect(redirect::Policy::none()).timeout(FETCH_TIMEOUT);
        // Without TLS there is nothing to trust, and no need for the machine to have root certificates.
        let client =
            if url.starts_with("http://") { client.tls_certs_only([]) } else { client.https_only(true) };
        let client = client.build().context("cannot prepare to fetch keys (are there root certificates?)")?;
        Ok(Self { client, url: url.to_owned() })
    }
}

#[async_trait]
impl Source for Remote {
    async fn fetch(&self) -> Result<Answer, FetchError> {
        let mut response = self.client.get(&self.url).send().await?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let said = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let fresh_for = fresh_for(said);
        let mut document = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if document.len() + chunk.len() > DOCUMENT_BYTES {
                return Err(FetchError::TooLarge);
            }
            document.extend_from_slice(&chunk);
        }
        Ok(Answer { document, fresh_for })
    }
}

/// How long an answer with this `Cache-Control` is fresh.
fn fresh_for(cache_control: Option<&str>) -> Duration {
    let mut directives = cache_control.unwrap_or_default().split(',').map(str::trim);
    let age = directives.find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        name.eq_ignore_ascii_case("max-age").then(|| value.trim_matches('"').parse().ok()).flatten()
    });
    age.map_or(FRESH_DEFAULT, Duration::from_secs).clamp(FRESH_LEAST, FRESH_MOST)
}

/// Keeps one issuer's keys.
struct Keeper {
    issuer: String,
    ring: Arc<KeyRing>,
    metrics: Arc<Metrics>,
}

impl Keeper {
    async fn keep(&self, source: impl Source) {
        let mut failures = 0;
        loop {
            let wait = match self.fetch(&source).await {
                Ok(fresh_for) => {
                    failures = 0;
                    fresh_for
                }
                Err(error) => {
                    failures += 1;
                    let wait = backoff(failures);
                    self.complain(&error, wait);
                    wait
                }
            };
            tokio::select! {
                // Either begins the same fetch.
                () = self.ring.asked() => {}
                () = sleep(wait) => self.ring.begin(),
            }
        }
    }

    /// Fetches once; tells for how long that is enough.
    async fn fetch(&self, source: &impl Source) -> Result<Duration, FetchError> {
        let fetched = source.fetch().await;
        let parsed = fetched.and_then(|Answer { document, fresh_for }| {
            Ok((Keys::parse(&document, self.ring.algorithm)?, fresh_for))
        });
        let outcome = parsed.as_ref().map_or_else(FetchError::outcome, |_| "ok");
        self.metrics.fetched_keys(&self.issuer, outcome);
        match parsed {
            Ok((keys, fresh_for)) => {
                tracing::debug!(issuer = self.issuer, keys = keys.len(), "keys fetched");
                if keys.is_empty() {
                    let algorithm = self.ring.algorithm.as_str();
                    tracing::error!(issuer = self.issuer, algorithm, "no key counts: nobody is believed");
                }
                self.ring.answered(keys, fresh_for);
                Ok(fresh_for)
            }
            Err(error) => {
                self.ring.failed();
                Err(error)
            }
        }
    }

    fn complain(&self, error: &FetchError, wait: Duration) {
        let (issuer, seconds) = (&self.issuer, wait.as_secs());
        if self.ring.believed() {
            tracing::warn!(issuer, %error, seconds, "cannot fetch keys: the last ones go on counting");
        } else {
            tracing::error!(issuer, %error, seconds, "cannot fetch keys: nobody is believed");
        }
    }
}

/// How long to wait after this many failures in a row. Servers that failed together do not come back together.
fn backoff(failures: u32) -> Duration {
    let most = RETRY_LEAST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(RETRY_MOST);
    most.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;
    use crate::app::identity::jwks::KeyAlgorithm;

    #[test]
    fn freshness_is_what_the_issuer_says_within_bounds() {
        let seconds = |said| fresh_for(said).as_secs();
        assert_eq!(seconds(None), 300);
        assert_eq!(seconds(Some("no-store")), 300);
        assert_eq!(seconds(Some("public, Max-Age=600, must-revalidate")), 600);
        assert_eq!(seconds(Some("max-age=\"900\"")), 900);
        assert_eq!(seconds(Some("max-age=0")), 60);
        assert_eq!(seconds(Some("s-maxage=1, max-age=31536000")), 3_600);
        assert_eq!(seconds(Some("max-age=soon")), 300);
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        let here = ["http://127.0.0.1:8000/", "http://[::1]/jwks", "http://localhost:8000/"];
        for good in here.into_iter().chain(["https://market.example/jwks.json"]) {
            check_url(good).expect(good);
        }
        for bad in [
            "http://market.example/",
            "http://localhost.market.example/",
            "http://127.0.0.1.market.example/",
            "file:///etc/passwd",
            "market.example",
            "",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    /// Answers as it is told, and remembers when it was asked.
    struct Told {
        answers: Mutex<Vec<Option<u64>>>,
        asked: Arc<Mutex<Vec<Instant>>>,
    }

    #[async_trait]
    impl Source for Told {
        async fn fetch(&self) -> Result<Answer, FetchError> {
            self.asked.lock().expect("unbroken").push(Instant::now());
            let answer = self.answers.lock().expect("unbroken").pop();
            let fresh_for = answer.flatten().map(Duration::from_secs).ok_or(FetchError::TooLarge)?;
            Ok(Answer { document: br#"{"keys":[]}"#.to_vec(), fresh_for })
        }
    }

    /// Keeps with these answers, then none; gives the seconds between the fetches of two minutes.
    async fn kept(mut answers: Vec<Option<u64>>) -> Vec<u64> {
        answers.reverse();
        let ring = Arc::new(KeyRing::new(String::new(), KeyAlgorithm::EdDsa, Duration::from_secs(600)));
        let keeper = Keeper { issuer: "market".into(), ring, metrics: Arc::new(Metrics::new()) };
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = Told { answers: Mutex::new(answers), asked: asked.clone() };
        let _ = tokio::time::timeout(Duration::from_secs(120), keeper.keep(told)).await;
        let asked = asked.lock().expect("unbroken");
        asked.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_fetched_again_when_they_are_due() {
        assert_eq!(kept(vec![Some(60), Some(30), Some(600)]).await, [60, 30]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_fetch_is_tried_again_after_waits_that_grow_and_stay_below_a_minute() {
        let waits = kept(Vec::new()).await;
        assert!((6..=14).contains(&waits.len()), "{waits:?}");
        assert!(waits[0] <= 1 && waits.iter().all(|wait| *wait <= 60), "{waits:?}");
        assert!(waits.last() > waits.first(), "{waits:?}");
    }
}
