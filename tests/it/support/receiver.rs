//! A system of the marketplace's that is told what happens: it listens on a port of its own, writes down what comes, and answers as it is told.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anteroom_protocol::event::Event;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::listener::serve;
use super::soon;

/// Something that came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) event: Event,
    /// What was answered.
    pub(crate) status: u16,
}

impl Heard {
    /// The number of its entry.
    pub(crate) fn seq(&self) -> u64 {
        self.event.data.entry.as_ref().map_or(0, |entry| entry.seq)
    }
}

/// What is answered to an event, and after how long.
type Answer = Arc<dyn Fn(&Event) -> (u16, Duration) + Send + Sync>;

struct Inner {
    heard: Mutex<Vec<Heard>>,
    /// The ids of what it took.
    taken: Mutex<HashSet<String>>,
    answer: Mutex<Answer>,
}

/// It.
pub(crate) struct Receiver {
    /// `http://127.0.0.1:PORT/events`.
    pub(crate) url: String,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/events", listener.local_addr().expect("an address"));
        let inner = Arc::new(Inner {
            heard: Mutex::default(),
            taken: Mutex::default(),
            answer: Mutex::new(Arc::new(|_| (204, Duration::ZERO))),
        });
        let kept = inner.clone();
        let task = tokio::spawn(serve(listener, move |request| answer(kept.clone(), request)));
        Self { url, inner, task }
    }

    /// From now on it answers like this, at once.
    pub(crate) fn answers(&self, status: impl Fn(&Event) -> u16 + Send + Sync + 'static) {
        self.answers_after(move |event| (status(event), Duration::ZERO));
    }

    /// The same, after a while.
    pub(crate) fn answers_after(&self, answer: impl Fn(&Event) -> (u16, Duration) + Send + Sync + 'static) {
        *locked(&self.inner.answer) = Arc::new(answer);
    }

    /// All that came, in the order in which it was answered.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        locked(&self.inner.heard).clone()
    }

    /// All that it took.
    pub(crate) fn taken(&self) -> Vec<Heard> {
        self.heard().into_iter().filter(|heard| (200..300).contains(&heard.status)).collect()
    }

    /// How many different events it took.
    pub(crate) fn different(&self) -> usize {
        locked(&self.inner.taken).len()
    }

    /// What it took of each log, in order.
    pub(crate) fn taken_by_log(&self) -> HashMap<String, Vec<u64>> {
        let mut logs: HashMap<String, Vec<u64>> = HashMap::new();
        for heard in self.taken() {
            logs.entry(heard.event.subject.clone()).or_default().push(heard.seq());
        }
        logs
    }

    /// Waits until it took so many, and gives them.
    pub(crate) async fn took(&self, count: usize) -> Vec<Heard> {
        soon(&format!("{count} events"), async {
            while self.taken().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        self.taken()
    }

    /// Waits until so many came, whatever was answered.
    pub(crate) async fn came(&self, count: usize) {
        soon(&format!("{count} attempts"), async {
            while self.heard().len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }
}

async fn answer(inner: Arc<Inner>, request: Request<hyper::body::Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("text");
    let event: Event = serde_json::from_str(&body).expect("an event");
    let how = locked(&inner.answer).clone();
    let (status, wait) = how(&event);
    tokio::time::sleep(wait).await;
    if (200..300).contains(&status) {
        locked(&inner.taken).insert(event.id.clone());
    }
    locked(&inner.heard).push(Heard { headers: parts.headers, body, event, status });
    Response::builder().status(status).body(Body::from(format!("status {status}"))).expect("an answer")
}
