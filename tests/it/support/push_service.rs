//! A push service and the browsers behind it: it takes what is pushed, and a browser reads it with the key that it alone has.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anteroom_protocol::push::PushMessage;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint as _;
use web_push_native::{Auth, decrypt};

use super::listener::serve;
use super::soon;

/// Something that was pushed.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Taken {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What is answered, with which `Retry-After`, and after how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    pub(crate) wait: Duration,
}

impl Answer {
    /// This status, at once.
    pub(crate) fn of(status: u16) -> Self {
        Self { status, retry_after: None, wait: Duration::ZERO }
    }
}

struct Inner {
    taken: Mutex<Vec<Taken>>,
    answer: Mutex<Answer>,
}

/// It.
pub(crate) struct PushService {
    base: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for PushService {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A browser that wants to be pushed to.
pub(crate) struct Browser {
    pub(crate) endpoint: String,
    secret: SecretKey,
    auth: [u8; 16],
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PushService {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let inner = Arc::new(Inner { taken: Mutex::default(), answer: Mutex::new(Answer::of(201)) });
        let kept = inner.clone();
        let task = tokio::spawn(serve(listener, move |request| answer(kept.clone(), request)));
        Self { base, inner, task }
    }

    /// A browser of this name.
    pub(crate) fn browser(&self, name: &str) -> Browser {
        let secret = std::iter::repeat_with(rand::random::<[u8; 32]>)
            .find_map(|bytes| SecretKey::from_slice(&bytes).ok())
            .expect("a key");
        Browser { endpoint: format!("{}/send/{name}", self.base), secret, auth: rand::random() }
    }

    /// From now on it answers this.
    pub(crate) fn answers(&self, answer: Answer) {
        *locked(&self.inner.answer) = answer;
    }

    /// All that came, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        locked(&self.inner.taken).clone()
    }

    /// Waits until so much came, and gives it.
    pub(crate) async fn came(&self, count: usize) -> Vec<Taken> {
        soon(&format!("{count} pushes"), async {
            while self.taken().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        self.taken()
    }
}

impl Browser {
    /// What a page says of it.
    pub(crate) fn subscription(&self) -> Value {
        let key = self.secret.public_key().to_encoded_point(false);
        json!({
            "endpoint": self.endpoint,
            "expirationTime": null,
            "keys": { "p256dh": BASE64.encode(key.as_bytes()), "auth": BASE64.encode(self.auth) },
        })
    }

    /// What was pushed, if it was to this browser.
    pub(crate) fn read(&self, taken: &Taken) -> Option<PushMessage> {
        if !self.endpoint.ends_with(&taken.path) {
            return None;
        }
        let text =
            decrypt(taken.body.clone(), &self.secret, &Auth::from(self.auth)).expect("for this browser");
        Some(serde_json::from_slice(&text).expect("a push message"))
    }

    /// Everything that was pushed to it.
    pub(crate) fn all(&self, service: &PushService) -> Vec<PushMessage> {
        service.taken().iter().filter_map(|taken| self.read(taken)).collect()
    }
}

async fn answer(inner: Arc<Inner>, request: Request<hyper::body::Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.expect("a body").to_vec();
    let path = parts.uri.path().to_owned();
    locked(&inner.taken).push(Taken { path, headers: parts.headers, body });
    let Answer { status, retry_after, wait } = *locked(&inner.answer);
    tokio::time::sleep(wait).await;
    let mut response = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        response = response.header("retry-after", seconds);
    }
    response.body(Body::empty()).expect("an answer")
}
