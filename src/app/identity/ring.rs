//! An issuer's keys as they are known now: how long they count without a new answer, and when a token may cause one to be fetched.
//! Whoever fetches lives elsewhere; here is what both sides share.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::Unbelieved;
use super::jwks::{KeyAlgorithm, Keys};

/// How often tokens with unknown keys may cause a fetch: anybody can make such tokens, and the issuer must not pay for it.
pub const ASK_INTERVAL: Duration = Duration::from_secs(30);
/// How long a verification waits for a fetch.
pub const ASK_PATIENCE: Duration = Duration::from_secs(2);

/// The keys of one issuer.
pub struct KeyRing {
    /// Where they are fetched.
    pub url: String,
    /// The kind of key that counts.
    pub algorithm: KeyAlgorithm,
    /// How long they count after they should have been fetched again.
    stale: Duration,
    state: watch::Sender<State>,
    asked: Notify,
}

struct State {
    /// Of the last good answer.
    keys: Keys,
    /// When they stop counting; `None`: there has been no good answer yet.
    good_until: Option<Instant>,
    /// A fetch is about to begin or under way.
    fetching: bool,
    /// The last fetch brought a good answer.
    current: bool,
    /// When a token last caused a fetch.
    asked_at: Option<Instant>,
}

impl KeyRing {
    /// Without keys yet: the first fetch is due.
    pub fn new(url: String, algorithm: KeyAlgorithm, stale: Duration) -> Self {
        let state =
            State { keys: Keys::default(), good_until: None, fetching: true, current: false, asked_at: None };
        Self { url, algorithm, stale, state: watch::Sender::new(state), asked: Notify::new() }
    }

    /// The key of this name. An unknown name is waited for while a fetch is under way, and may cause one.
    ///
    /// # Errors
    /// [`Unbelieved::Invalid`]: there is no such key. [`Unbelieved::KeysUnavailable`]: that cannot be known, because the keys could not
    /// be fetched, or not in time.
    pub(super) async fn key(&self, kid: Option<&str>) -> Result<Arc<DecodingKey>, Unbelieved> {
        let mut changes = self.state.subscribe();
        if let Some(key) = self.known(kid) {
            return Ok(key);
        }
        // A token that names no key, where there are several, learns nothing from another answer.
        if (kid.is_some() || !self.believed()) && self.ask() {
            // An answer that takes longer is for the tokens after this one.
            let _ = timeout(ASK_PATIENCE, changes.wait_for(|state| !state.fetching)).await;
        }
        let state = self.state.borrow();
        let answered = state.current && state.counts() && !state.fetching;
        drop(state);
        self.known(kid).ok_or(if answered { Unbelieved::Invalid } else { Unbelieved::KeysUnavailable })
    }

    fn known(&self, kid: Option<&str>) -> Option<Arc<DecodingKey>> {
        let state = self.state.borrow();
        if state.counts() { state.keys.pick(kid) } else { None }
    }

    /// Whether the keys count: there was a good answer, and not too long ago.
    pub fn believed(&self) -> bool {
        self.state.borrow().counts()
    }

    /// Asks for a fetch. False: there is none to wait for, because tokens caused one a moment ago.
    fn ask(&self) -> bool {
        let (mut caused, mut wait) = (false, false);
        self.state.send_if_modified(|state| {
            let now = Instant::now();
            let too_soon = state.asked_at.is_some_and(|at| now.duration_since(at) < ASK_INTERVAL);
            caused = !state.fetching && !too_soon;
            wait = state.fetching || caused;
            if caused {
                state.fetching = true;
                state.asked_at = Some(now);
            }
            // Nobody waits for a fetch to begin.
            false
        });
        if caused {
            self.asked.notify_one();
        }
        wait
    }

    /// Returns when a token has asked for a fetch. The one who fetches calls it.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }

    /// A fetch begins.
    pub fn begin(&self) {
        self.state.send_modify(|state| state.fetching = true);
    }

    /// A fetch brought these keys, which are to be fetched again after that time. A key that is not among them is refused from now on.
    pub fn answered(&self, keys: Keys, fresh_for: Duration) {
        let good_until = Instant::now() + fresh_for + self.stale;
        self.state.send_modify(|state| {
            state.keys = keys;
            state.good_until = Some(good_until);
            state.fetching = false;
            state.current = true;
        });
    }

    /// A fetch brought nothing: the keys of the last answer go on counting for their time.
    pub fn failed(&self) {
        self.state.send_modify(|state| {
            state.fetching = false;
            state.current = false;
        });
    }
}

impl State {
    fn counts(&self) -> bool {
        self.good_until.is_some_and(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Duration = Duration::from_secs(300);
    const STALE: Duration = Duration::from_secs(3_600);

    fn ring() -> Arc<KeyRing> {
        Arc::new(KeyRing::new("http://127.0.0.1:1/".into(), KeyAlgorithm::EdDsa, STALE))
    }

    fn keys(kid: &str) -> Keys {
        let x = "A".repeat(43);
        let text = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}]}}"#);
        Keys::parse(text.as_bytes(), KeyAlgorithm::EdDsa).expect("a key set")
    }

    async fn refusal(ring: &KeyRing, kid: &str) -> Option<Unbelieved> {
        ring.key(Some(kid)).await.err()
    }

    /// Counts the fetches that tokens cause, and answers each with the same keys.
    fn fetcher(ring: &Arc<KeyRing>) -> Arc<std::sync::atomic::AtomicUsize> {
        let (ring, fetches) = (ring.clone(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
        let counted = fetches.clone();
        tokio::spawn(async move {
            loop {
                ring.asked().await;
                counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(300)).await;
                ring.answered(keys("a"), FRESH);
            }
        });
        fetches
    }

    #[tokio::test(start_paused = true)]
    async fn keys_count_while_they_are_fresh_and_stale_for_their_time_and_then_nobody_is_believed() {
        let ring = ring();
        ring.answered(keys("a"), FRESH);
        ring.failed();
        tokio::time::advance(FRESH + STALE - Duration::from_secs(1)).await;
        assert_eq!(refusal(&ring, "a").await, None);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(refusal(&ring, "a").await, Some(Unbelieved::KeysUnavailable));
        ring.answered(keys("a"), FRESH);
        assert_eq!(refusal(&ring, "a").await, None, "and a new answer makes it good");
    }

    #[tokio::test(start_paused = true)]
    async fn ten_thousand_tokens_with_unknown_keys_cause_one_fetch_in_thirty_seconds() {
        let ring = ring();
        ring.answered(keys("a"), FRESH);
        let fetches = fetcher(&ring);
        for round in 1..=3 {
            let tokens = (0..10_000).map(|number| {
                let ring = ring.clone();
                tokio::spawn(async move { refusal(&ring, &format!("../{number}")).await })
            });
            for token in tokens.collect::<Vec<_>>() {
                assert_eq!(token.await.expect("answered"), Some(Unbelieved::Invalid));
            }
            assert_eq!(fetches.load(std::sync::atomic::Ordering::Relaxed), round);
            tokio::time::advance(ASK_INTERVAL).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_gone_from_an_answer_is_refused_and_one_that_came_is_waited_for() {
        let ring = ring();
        ring.answered(keys("old"), FRESH);
        fetcher(&ring);
        assert_eq!(refusal(&ring, "a").await, None, "fetched at its first use");
        assert_eq!(refusal(&ring, "old").await, Some(Unbelieved::Invalid));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_two_seconds_for_an_issuer_that_does_not_answer() {
        let ring = ring();
        let began = Instant::now();
        assert_eq!(refusal(&ring, "a").await, Some(Unbelieved::KeysUnavailable));
        assert_eq!(began.elapsed(), ASK_PATIENCE);
        ring.failed();
        let began = Instant::now();
        refusal(&ring, "a").await;
        assert_eq!(began.elapsed(), ASK_PATIENCE, "this one asked");
        ring.failed();
        let began = Instant::now();
        assert_eq!(refusal(&ring, "a").await, Some(Unbelieved::KeysUnavailable));
        assert_eq!(began.elapsed(), Duration::ZERO, "nothing is under way");
        tokio::time::advance(ASK_INTERVAL).await;
        ring.answered(keys("a"), FRESH);
        assert_eq!(refusal(&ring, "new").await, Some(Unbelieved::KeysUnavailable), "perhaps it is a new one");
        assert_eq!(refusal(&ring, "a").await, None);
    }
}
