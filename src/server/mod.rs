//! The composition root: puts the parts together, serves, and takes everything down in order.

mod accept;
mod address;
mod tls;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::accept::{Entrance, accept};
use self::address::Proxies;
use self::tls::Tls;
use crate::app::identity::Identity;
use crate::app::identity::issuer::Issuer;
use crate::app::rate::{Rate, Rates};
use crate::app::writer::{Writer, WriterTask};
use crate::app::{App, demo, search};
use crate::bus::local::LocalBus;
use crate::clock::{Clock, SystemClock};
use crate::config::{Auth, Config, Limits};
use crate::domain::policy::Policy;
use crate::hub::Hub;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;
use crate::telemetry::Metrics;
use crate::ws::crowd::Crowd;
use crate::ws::origin::Origins;
use crate::ws::{self, Door};
use crate::{http, issuers, jwks, web};

/// How long going down waits for connections to end.
const DRAIN: Duration = Duration::from_secs(5);
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
    shutdown: CancellationToken,
    tasks: TaskTracker,
    writer: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Starts a server: opens the database, binds, and serves.
    ///
    /// # Errors
    /// Whatever keeps it from serving; the text says what to do.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        Self::start_with(config, Arc::new(SystemClock)).await
    }

    /// Starts a server on a clock of one's own.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_with(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        refuse_open_development(config)?;
        refuse_open_plain(config)?;
        let identity = identity(config)?;
        let database = config.data_dir.join("anteroom.db");
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
        let command_key = store.key("commands", rand::random()).await?;
        let rates = rates(limits);
        let app = Arc::new(App { store, hub, writer, identity, clock, rates, policy, metrics, command_key });
        if demo_is_on(config) {
            demo::seed(&app).await.context("cannot seed the demo")?;
        }
        Self::serve(config, app, writer_task).await
    }

    async fn serve(
        config: &Config,
        app: Arc<App>,
        writer: tokio::task::JoinHandle<()>,
    ) -> anyhow::Result<Self> {
        let (listener, address) = bind(config.listen, "listen").await?;
        let (metrics_listener, metrics_address) = bind(config.metrics_address(), "metrics_listen").await?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        jwks::keep_all(&app, &tasks, &shutdown)?;
        let crowd = Crowd::new(config.limits.sockets_per_address, config.limits.greeting_per_address);
        let tls = Tls::new(&config.tls, crowd.clone())?;
        let door = Arc::new(Door {
            app: app.clone(),
            handshakes: Arc::new(Semaphore::new(config.limits.handshakes)),
            resumes: Semaphore::new(config.limits.resumes),
            crowd,
            origins: Origins::new(&config.origins),
            socket_frames: u32::try_from(config.limits.socket_frames).unwrap_or(u32::MAX),
            shutdown: shutdown.clone(),
            tasks: tasks.clone(),
        });
        let socket = Router::new().route("/v1/ws", get(ws::upgrade::upgrade)).with_state(door);
        let routes = http::router(app.clone(), &config.origins)
            .merge(socket)
            .merge(web::router())
            .fallback(http::no_such_route)
            .method_not_allowed_fallback(http::no_such_method);
        tasks.spawn(until(shutdown.clone(), search::keep_up(app.store.clone())));
        tasks.spawn(until(shutdown.clone(), app.hub.clone().watch_departures()));
        let entrance = Entrance {
            routes,
            places: Arc::new(Semaphore::new(config.limits.connections)),
            proxies: Proxies::new(&config.trusted_proxies),
            tls,
        };
        tasks.spawn(accept(listener, entrance, shutdown.clone(), tasks.clone()));
        let figures = Entrance {
            routes: http::metrics_router(app.metrics.clone()),
            places: Arc::new(Semaphore::new(16)),
            proxies: Proxies::default(),
            tls: None,
        };
        tasks.spawn(accept(metrics_listener, figures, shutdown.clone(), tasks.clone()));
        Ok(Self { address, metrics_address, app, shutdown, tasks, writer })
    }

    /// Takes the server down: no new connections, every socket closed with 1012, every commit that is under way finished.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!("some connections did not end in time");
        }
        drop(self.app);
        // The writer ends with the last handle to it; a connection that hangs on may still hold one.
        if tokio::time::timeout(DRAIN, self.writer).await.is_err() {
            tracing::warn!("the writer did not end in time");
        }
    }
}

fn rates(limits: &Limits) -> Rates {
    Rates {
        commands: Rate::new("commands", limits.commands_per_second, limits.commands_burst),
        requests: Rate::new("requests", limits.requests_per_second, limits.requests_burst),
    }
}

/// Whether the demo is seeded and its links printed: never beside a real marketplace.
pub fn demo_is_on(config: &Config) -> bool {
    config.demo && config.auth.is_development()
}

/// Who is believed: the configured issuers, or whoever has the development secret in the data directory, made when it is missing.
///
/// # Errors
/// A configuration that nobody could be believed by, or a data directory that cannot be used.
pub fn identity(config: &Config) -> anyhow::Result<Identity> {
    use std::os::unix::fs::DirBuilderExt as _;
    // What people write to each other is nobody else's to read on this machine.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.data_dir)
        .with_context(|| format!("cannot make the data directory {}", config.data_dir.display()))?;
    if !config.auth.is_development() {
        return issuers::believed(&config.auth);
    }
    let secret = development_secret(&config.data_dir.join(DEV_SECRET))?;
    let Auth { issuer, audience, .. } = &config.auth;
    Ok(Identity::new(vec![Issuer::with_secret(issuer, audience, secret.trim().as_bytes())]))
}

fn refuse_open_development(config: &Config) -> anyhow::Result<()> {
    if config.auth.is_development() && !config.listen.ip().is_loopback() {
        bail!(
            "{} can be reached from elsewhere, and there is only the development secret: set auth.secret or auth.jwks_url, or listen on loopback",
            config.listen
        );
    }
    Ok(())
}

fn refuse_open_plain(config: &Config) -> anyhow::Result<()> {
    let open = !config.listen.ip().is_loopback() && config.trusted_proxies.is_empty();
    if open && !config.tls.is_on() {
        bail!(
            "{} can be reached from elsewhere, and what is said there could be read along: set tls.certificate and tls.key, or name the \
             proxy that does TLS in trusted_proxies, or listen on loopback",
            config.listen
        );
    }
    Ok(())
}

fn development_secret(path: &Path) -> anyhow::Result<String> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let secret = anteroom_protocol::log::to_hex(&rand::random::<[u8; 32]>());
            writeln!(file, "{secret}").with_context(|| format!("cannot write {}", path.display()))?;
            Ok(secret)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let secret =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            ensure!(secret.trim().len() >= issuers::SECRET_BYTES, "{} is damaged; remove it", path.display());
            Ok(secret)
        }
        Err(error) => Err(error).with_context(|| format!("cannot make {}", path.display())),
    }
}

/// Does something until the server goes down.
async fn until(shutdown: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = work => {}
    }
}

async fn bind(address: SocketAddr, key: &str) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}; name another address with `{key}`"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
