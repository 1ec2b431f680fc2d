//! The composition root: puts the parts together, serves, and takes everything down in order.

mod accept;
mod address;
mod keeping;
mod neighbours;
mod tls;
mod way_out;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::signature::{PublicKey, SigningKey};
use anteroom_protocol::time::Time;
use axum::Router;
use axum::routing::get;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::ExposeSecret as _;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::accept::{Entrance, accept};
use self::address::Proxies;
pub use self::keeping::Keeping;
use self::neighbours::{Neighbours, Parting};
use self::tls::Tls;
use self::way_out::WayOut;
use crate::app::audit::Audit;
use crate::app::cursor::Cursors;
use crate::app::follow::Follower;
use crate::app::follow::pulse::Pulse;
use crate::app::identity::Identity;
use crate::app::identity::issuer::Issuer;
use crate::app::rate::{Rate, Rates};
use crate::app::telling::Telling;
use crate::app::transcript::Places;
use crate::app::webhook;
use crate::app::writer::{Writer, WriterTask};
use crate::app::{App, demo, push, search, timer};
use crate::clock::{Clock, SystemClock};
use crate::config::{self, Auth, Config, Limits};
use crate::drain::{Drain, Plan};
use crate::hub::Hub;
use crate::start::{self, StartCode, StartError};
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::ws::crowd::Crowd;
use crate::ws::origin::Origins;
use crate::ws::{self, Door};
use crate::{http, issuers, jwks, web};

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
    parting: Parting,
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
        let store = Keeping::of(config).open().await?;
        let metrics = Arc::new(Metrics::new());
        let limits = &config.limits;
        let Neighbours { bus, others, hearing, pace, parting } =
            Neighbours::of(config, &key(&*store, "bus").await?, &metrics)?;
        let hub = Hub::new(limits.sockets_per_user, limits.outbox_bytes, metrics.clone(), others);
        let telling = Arc::new(Telling::new(hub.clone(), bus));
        let follower = Follower::begin(store.clone(), telling.clone(), metrics.clone(), pace).await;
        let follower =
            follower.map_err(|error| StartError::other(format!("cannot read the database: {error}")))?;
        let policy = config.policy.clone();
        let task = WriterTask {
            store: store.clone(),
            telling: telling.clone(),
            clock: clock.clone(),
            metrics: metrics.clone(),
            policy: policy.version,
            batch: limits.commit_batch,
        };
        let (writer, work) = Writer::new(task, limits.writer_queue);
        let writer_task = tokio::spawn(work);
        let command_key = key(&*store, "commands").await?;
        let signing = signing_key(config, &key(&*store, "signing").await?);
        let public_keys = public_keys(&*store, signing.public(), clock.now()).await?;
        let WayOut { outbound, pushes, seals } = WayOut::of(config, &*store).await?;
        let cursors = Cursors::new(&key(&*store, "cursors").await?);
        let app = Arc::new(App {
            store,
            hub,
            telling,
            writer,
            identity,
            clock,
            rates: rates(limits),
            audit: Audit::new(metrics.clone()),
            policy,
            metrics,
            transcripts: Places::new(limits.transcripts),
            key: signing,
            public_keys,
            command_key,
            cursors,
            outbound,
            pushes,
            seals,
        });
        if demo_is_on(config) {
            demo::seed(&app)
                .await
                .map_err(|error| StartError::other(format!("cannot seed the demo: {error:#}")))?;
        }
        let pulse = follower.pulse();
        let following = follower.follow(hearing);
        Self::serve(config, app, writer_task, (following, pulse, parting)).await
    }

    async fn serve(
        config: &Config,
        app: Arc<App>,
        writer: tokio::task::JoinHandle<()>,
        (following, pulse, parting): (impl Future<Output = ()> + Send + 'static, Arc<Pulse>, Parting),
    ) -> Result<Self, StartError> {
        let (listener, address) = bind(config.listen, "listen").await?;
        let (metrics_listener, metrics_address) = bind(config.metrics_address(), "metrics_listen").await?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        jwks::keep_all(&app, &tasks, &shutdown).map_err(StartError::configuration)?;
        let crowd = Crowd::new(config.limits.sockets_per_address, config.limits.greeting_per_address);
        let (tls, renewal) = Tls::new(&config.tls, crowd.clone()).map_err(StartError::tls)?.unzip();
        let (drain, sockets) = (Arc::new(Drain::default()), TaskTracker::new());
        let door = Arc::new(door(config, &app, (crowd, drain.clone(), sockets.clone())));
        let socket = Router::new().route("/v1/ws", get(ws::upgrade::upgrade)).with_state(door);
        let routes = http::router(app.clone(), &config.origins, drain.clone())
            .merge(socket)
            .merge(web::router())
            .fallback(http::no_such_route)
            .method_not_allowed_fallback(http::no_such_method);
        keep_up(&app, following, &tasks, &shutdown);
        if let Some(renewal) = renewal {
            tasks.spawn(until(shutdown.clone(), renewal));
        }
        let entrance = Entrance {
            routes,
            places: Arc::new(Semaphore::new(config.limits.connections)),
            proxies: Proxies::new(&config.trusted_proxies),
            tls,
        };
        let accepting = accept(listener, entrance, shutdown.clone(), tasks.clone());
        let going_down = drain.clone();
        tasks.spawn(async move {
            // Fair: the one that is over ends both.
            tokio::select! {
                // With the future goes the listener: nobody new comes in while the sockets take their leave.
                _ = going_down.begun() => {}
                () = accepting => {}
            }
        });
        let figures = Entrance {
            routes: http::metrics_router(app.metrics.clone(), pulse),
            places: Arc::new(Semaphore::new(16)),
            proxies: Proxies::default(),
            tls: None,
        };
        tasks.spawn(accept(metrics_listener, figures, shutdown.clone(), tasks.clone()));
        let longest_drain = Duration::from_secs(config.drain_seconds.into());
        Ok(Self {
            address,
            metrics_address,
            app,
            drain,
            longest_drain,
            sockets,
            shutdown,
            tasks,
            writer,
            parting,
        })
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
        if tokio::time::timeout(LAST_WORDS, self.parting.take_leave()).await.is_err() {
            tracing::warn!("the other nodes were not told in time");
        }
        tracing::info!("down");
    }
}

/// A key that the database keeps.
async fn key(store: &dyn Store, name: &str) -> Result<[u8; 32], StartError> {
    let kept = store.key(name, rand::random()).await;
    kept.map_err(|error| StartError::other(format!("cannot use the database's keys: {error}")))
}

/// What seals and transcripts are signed with: of the database's random bytes, and of the configured secret, so that neither alone is
/// enough to sign in this server's name.
pub fn signing_key(config: &Config, kept: &[u8; 32]) -> SigningKey {
    if config.signing.secret.is_none() && !config.auth.is_development() {
        tracing::warn!(
            "signing.secret is not set: whoever reads the database can sign in this server's name"
        );
    }
    SigningKey::from_seed(&mixed(config, kept))
}

/// A key of the database's random bytes and of the configured secret.
fn mixed(config: &Config, kept: &[u8; 32]) -> [u8; 32] {
    let secret = config.signing.secret.as_ref().map(|secret| secret.expose_secret().as_bytes());
    let mut mixed =
        Hmac::<Sha256>::new_from_slice(secret.unwrap_or_default()).expect("HMAC takes a key of any length");
    mixed.update(kept);
    mixed.finalize().into_bytes().into()
}

async fn public_keys(store: &dyn Store, current: PublicKey, now: Time) -> Result<Vec<PublicKey>, StartError> {
    let kept = store.public_keys(current, now).await;
    kept.map_err(|error| StartError::other(format!("cannot use the database's keys: {error}")))
}

fn rates(limits: &Limits) -> Rates {
    Rates {
        commands: Rate::new("commands", limits.commands_per_second, limits.commands_burst),
        requests: Rate::new("requests", limits.requests_per_second, limits.requests_burst),
    }
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
    config.demo && config.auth.is_development()
}

/// Who is believed: the configured issuers, or whoever has the development secret in the data directory, made when it is missing.
///
/// # Errors
/// A configuration that nobody could be believed by, or a data directory that cannot be used.
pub fn identity(config: &Config) -> Result<Identity, StartError> {
    make_data_dir(config)?;
    if !config.auth.is_development() {
        return issuers::believed(&config.auth).map_err(StartError::configuration);
    }
    let secret = development_secret(&config.data_dir.join(DEV_SECRET))?;
    let Auth { issuer, audience, .. } = &config.auth;
    Ok(Identity::new(vec![Issuer::with_secret(issuer, audience, secret.trim().as_bytes())]))
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
            if secret.trim().len() < config::SECRET_BYTES {
                return Err(StartError::new(
                    StartCode::SecretDamaged,
                    format!(
                        "{} is damaged: it holds less than {} bytes",
                        path.display(),
                        config::SECRET_BYTES
                    ),
                    "remove it: the next start makes a new one, and tokens made with the old one end",
                ));
            }
            Ok(secret)
        }
        Err(error) => Err(failed(error)),
    }
}

/// What every socket comes in by.
fn door(
    config: &Config,
    app: &Arc<App>,
    (crowd, drain, tasks): (Arc<Crowd>, Arc<Drain>, TaskTracker),
) -> Door {
    Door {
        app: app.clone(),
        handshakes: Arc::new(Semaphore::new(config.limits.handshakes)),
        resumes: Semaphore::new(config.limits.resumes),
        crowd,
        origins: Origins::new(&config.origins),
        socket_frames: u32::try_from(config.limits.socket_frames).unwrap_or(u32::MAX),
        drain,
        tasks,
    }
}

/// What goes on beside the sockets, until the server goes down.
fn keep_up(
    app: &Arc<App>,
    following: impl Future<Output = ()> + Send + 'static,
    tasks: &TaskTracker,
    shutdown: &CancellationToken,
) {
    tasks.spawn(until(shutdown.clone(), following));
    tasks.spawn(until(shutdown.clone(), search::keep_up(app.store.clone())));
    tasks.spawn(until(shutdown.clone(), timer::keep_time(app.clone())));
    tasks.spawn(until(shutdown.clone(), app.hub.clone().watch_departures()));
    tasks.spawn(webhook::deliver(app.clone(), shutdown.clone()));
    tasks.spawn(push::push(app.clone(), shutdown.clone()));
}

/// Does something until the server goes down.
async fn until(shutdown: CancellationToken, work: impl Future<Output = ()>) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = work => {}
    }
}

async fn bind(address: SocketAddr, key: &str) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::address(address, key, &error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
