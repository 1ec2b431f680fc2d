//! The composition root: puts the parts together, serves, and takes everything down in order.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use crate::app::identity::Identity;
use crate::app::writer::{Writer, WriterTask};
use crate::app::{App, demo};
use crate::bus::local::LocalBus;
use crate::clock::{Clock, SystemClock};
use crate::config::{Auth, Config};
use crate::domain::policy::Policy;
use crate::drain::{Drain, Plan};
use crate::hub::Hub;
use crate::start::{self, SECRET_BYTES, StartCode, StartError};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::telemetry::Metrics;
use crate::ws::{self, Door, Place};
use crate::{http, web};

/// How long a client has to send a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may take nothing of what was written to it.
const TAKES_NOTHING: Duration = Duration::from_secs(30);
/// How long going down waits, after the sockets' time, for requests to be answered and for commits to end: longer than a command's
/// outcome is waited for.
const LAST_WORDS: Duration = Duration::from_secs(6);
/// The file of the development secret, in the data directory.
const DEV_SECRET: &str = "dev-secret";

/// A server that runs.
pub struct Server {
    /// Where it is served.
    pub address: SocketAddr,
    /// Where its figures are.
    pub metrics_address: SocketAddr,
    /// What it works with.
    pub app: Arc<App>,
    drain: Arc<Drain>,
    longest_drain: Duration,
    sockets: TaskTracker,
    shutdown: CancellationToken,
    tasks: TaskTracker,
    writer: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts a server: opens the database, binds, and serves.
    ///
    /// # Errors
    /// Whatever keeps it from serving, and what to do about it.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        Self::start_with(config, Arc::new(SystemClock)).await
    }

    /// Starts a server on a clock of one's own.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        if let Some(wrong) = start::check_values(config).into_iter().next() {
            return Err(wrong);
        }
        let identity = identity(config)?;
        let database = database(config);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&database).await?);
        let metrics = Arc::new(Metrics::new());
        let limits = &config.limits;
        let hub = Hub::new(limits.sockets_per_user, limits.outbox_bytes, metrics.clone());
        let policy = Policy::default();
        let task = WriterTask {
            store: store.clone(),
            hub: hub.clone(),
            bus: Arc::new(LocalBus),
            clock: clock.clone(),
            metrics: metrics.clone(),
            policy: policy.version,
            batch: limits.commit_batch,
        };
        let (writer, work) = Writer::new(task, limits.writer_queue);
        let writer_task = tokio::spawn(work);
        let command_key = store
            .key("commands", rand::random())
            .await
            .map_err(|error| StartError::other(format!("cannot use the database's keys: {error}")))?;
        let app = Arc::new(App { store, hub, writer, identity, clock, policy, metrics, command_key });
        if demo_is_on(config) {
            demo::seed(&app)
                .await
                .map_err(|error| StartError::other(format!("cannot seed the demo: {error:#}")))?;
        }
        Self::serve(config, app, writer_task).await
    }

    async fn serve(
        config: &Config,
        app: Arc<App>,
        writer: tokio::task::JoinHandle<()>,
    ) -> Result<Self, StartError> {
        let (listener, address) = bind(config.listen, "listen").await?;
        let (metrics_listener, metrics_address) = bind(config.metrics_address(), "metrics_listen").await?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (drain, sockets) = (Arc::new(Drain::default()), TaskTracker::new());
        let door = Arc::new(Door {
            app: app.clone(),
            handshakes: Arc::new(Semaphore::new(config.limits.handshakes)),
            resumes: Semaphore::new(config.limits.resumes),
            drain: drain.clone(),
            tasks: sockets.clone(),
        });
        let socket = Router::new().route("/v1/ws", get(ws::upgrade::upgrade)).with_state(door);
        let routes = http::router(app.clone(), drain.clone())
            .merge(socket)
            .merge(web::router())
            .fallback(http::no_such_route)
            .method_not_allowed_fallback(http::no_such_method);
        let figures = http::metrics_router(app.metrics.clone());
        let places = Arc::new(Semaphore::new(config.limits.connections));
        let accepting = accept(listener, routes, places, shutdown.clone(), tasks.clone());
        let going_down = drain.clone();
        tasks.spawn(async move {
            // Fair: the one that is over ends both.
            tokio::select! {
                // With the future goes the listener: nobody new comes in while the sockets take their leave.
                _ = going_down.begun() => {}
                () = accepting => {}
            }
        });
        tasks.spawn(accept(
            metrics_listener,
            figures,
            Arc::new(Semaphore::new(16)),
            shutdown.clone(),
            tasks.clone(),
        ));
        let longest_drain = Duration::from_secs(config.drain_seconds.into());
        Ok(Self { address, metrics_address, app, drain, longest_drain, sockets, shutdown, tasks, writer })
    }

    /// Takes the server down: not ready any more, no new connections, every socket told when to come back and closed with 1012 after
    /// that, every request answered and every commit that is under way finished.
    pub async fn stop(self) {
        let plan = Plan::new(self.sockets.len(), self.longest_drain);
        tracing::info!(sockets = self.sockets.len(), seconds = plan.end().as_secs(), "going down");
        self.drain.begin(plan);
        self.sockets.close();
        // Each socket goes by its own clock.
        if tokio::time::timeout(plan.end() + LAST_WORDS, self.sockets.wait()).await.is_err() {
            tracing::warn!("some sockets did not end in time");
        }
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(LAST_WORDS, self.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        drop(self.app);
        // The writer ends with the last handle to it; a connection that hangs on may still hold one.
        if tokio::time::timeout(LAST_WORDS, self.writer).await.is_err() {
            tracing::warn!("the writer did not end in time");
        }
        tracing::info!("down");
    }
}

/// The database's file.
pub fn database(config: &Config) -> PathBuf {
    config.data_dir.join("anteroom.db")
}

/// Makes the data directory if it is missing: what people write to each other is nobody else's to read on this machine.
///
/// # Errors
/// It cannot be made.
pub fn make_data_dir(config: &Config) -> Result<(), StartError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .map_err(|error| StartError::file(&config.data_dir, &error))
}

/// Whether the demo is seeded and its links printed: never beside a real marketplace.
pub fn demo_is_on(config: &Config) -> bool {
    config.demo && config.auth.secret.is_none()
}

/// Who is believed: the configured secret, or the development secret in the data directory, made when it is missing.
///
/// # Errors
/// A data directory that cannot be used.
pub fn identity(config: &Config) -> Result<Identity, StartError> {
    make_data_dir(config)?;
    let Auth { issuer, audience, .. } = &config.auth;
    if let Some(secret) = config.auth.secret() {
        return Ok(Identity::new(secret, issuer, audience));
    }
    let secret = development_secret(&config.data_dir.join(DEV_SECRET))?;
    Ok(Identity::new(secret.trim().as_bytes(), issuer, audience))
}

fn development_secret(path: &Path) -> Result<String, StartError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: std::io::Error| StartError::file(path, &error);
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let secret = anteroom_protocol::log::to_hex(&rand::random::<[u8; 32]>());
            writeln!(file, "{secret}").map_err(failed)?;
            Ok(secret)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let secret = std::fs::read_to_string(path).map_err(failed)?;
            if secret.trim().len() < SECRET_BYTES {
                return Err(StartError::new(
                    StartCode::SecretDamaged,
                    format!("{} is damaged: it holds less than {SECRET_BYTES} bytes", path.display()),
                    "remove it: the next start makes a new one, and tokens made with the old one end",
                ));
            }
            Ok(secret)
        }
        Err(error) => Err(failed(error)),
    }
}

async fn bind(address: SocketAddr, key: &str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::address(address, key, &error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

async fn accept(
    listener: TcpListener,
    routes: Router,
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tasks.spawn(connection(stream, routes.clone(), Place::new(place), shutdown.clone()));
            }
            Err(error) => {
                // Out of descriptors, most likely: one that is freed lets the next one in.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Sends at once, and gives a connection up whose other end takes nothing: neither hyper nor the kernel would, for a quarter of an hour.
fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(TAKES_NOTHING))?;
    Ok(())
}

/// Serves one HTTP connection. After an upgrade, the socket's own task goes on, and keeps the place.
async fn connection(stream: TcpStream, routes: Router, place: Place, shutdown: CancellationToken) {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%error, "cannot tune a connection");
    }
    let service = TowerToHyperService::new(routes.map_request(
        move |mut request: hyper::Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(place.clone());
            let request: Request = request.map(axum::body::Body::new);
            request
        },
    ));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let ended: Result<(), hyper::Error> = tokio::select! {
        biased;
        ended = serving.as_mut() => ended,
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection broke");
    }
}
