//! The accept loop, and one HTTP connection: nothing here times out by itself, so every wait for a client has its end here.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::address::Proxies;
use super::tls::Tls;
use crate::ws::Place;
use crate::ws::transport::Transport;

/// How long a client has to send a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait before connections are taken again after that failed.
const PAUSE: Duration = Duration::from_millis(100);
/// How often the log says that it fails.
const TELL_AGAIN: Duration = Duration::from_secs(60);
/// How long a connection may take nothing of what was written to it.
const TAKES_NOTHING: Duration = Duration::from_secs(30);
/// Bytes that wait in the kernel to be sent, and a segment more. Without this bound it takes megabytes, and says that there is room again
/// only when a third of them have gone: a slow reader looks for minutes like one who takes nothing. With it, there is room again when less
/// than half of it waits, which a kilobyte a second has to reach while a socket is waited for.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 4 * 1024;

/// What the connections of a listener are given.
pub(super) struct Entrance {
    /// What is served.
    pub(super) routes: Router,
    /// Permits for connections.
    pub(super) places: Arc<Semaphore>,
    /// Who may speak for others.
    pub(super) proxies: Proxies,
    /// TLS, if it is served.
    pub(super) tls: Option<Tls>,
}

impl Entrance {
    /// What a connection is served on.
    async fn transport(&self, stream: TcpStream, peer: IpAddr) -> Option<Transport> {
        match &self.tls {
            None => Some(Transport::Plain(stream)),
            Some(tls) => tls.secure(stream, peer, !self.proxies.trust(peer)).await,
        }
    }
}

/// Takes connections until the server goes down.
pub(super) async fn accept(
    listener: TcpListener,
    entrance: Entrance,
    shutdown: CancellationToken,
    tasks: TaskTracker,
) {
    let entrance = Arc::new(entrance);
    let mut told: Option<Instant> = None;
    loop {
        let Ok(place) = entrance.places.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let place = Place::new(place);
                tasks.spawn(connection(stream, peer.ip(), entrance.clone(), place, shutdown.clone()));
            }
            Err(error) if concerns_one(&error) => {
                tracing::debug!(%error, "a connection broke before it was taken")
            }
            Err(error) => {
                // Out of descriptors, most likely. It fails again at once, so it is tried now and then: one that is freed lets the next
                // one in.
                if told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
                    told = Some(Instant::now());
                    tracing::warn!(%error, "cannot take connections; they wait");
                }
                tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return,
                    () = sleep(PAUSE) => {}
                }
            }
        }
    }
}

/// Whether the next connection may be taken all the same.
fn concerns_one(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    [ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted].contains(&error.kind())
}

/// Sends at once, keeps little in the kernel, and gives a connection up whose other end takes nothing: neither hyper nor the kernel would, for a quarter of an hour.
fn tune(stream: &TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        let socket = socket2::SockRef::from(stream);
        socket.set_tcp_user_timeout(Some(TAKES_NOTHING))?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
    }
    Ok(())
}

/// Serves one HTTP connection. After an upgrade, the socket's own task goes on, and keeps the place.
async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    entrance: Arc<Entrance>,
    place: Place,
    shutdown: CancellationToken,
) {
    if let Err(error) = tune(&stream) {
        tracing::debug!(%error, "cannot tune a connection");
    }
    let transport = tokio::select! {
        biased;
        () = shutdown.cancelled() => return,
        transport = entrance.transport(stream, peer) => transport,
    };
    let Some(transport) = transport else { return };
    let (routes, tls) = (entrance.routes.clone(), entrance.tls.is_some());
    let service = TowerToHyperService::new(routes.map_request(
        move |mut request: hyper::Request<hyper::body::Incoming>| {
            let whose = entrance.proxies.peer(peer, tls, request.headers());
            request.extensions_mut().insert(whose);
            request.extensions_mut().insert(place.clone());
            let request: Request = request.map(axum::body::Body::new);
            request
        },
    ));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(32 * 1024)
        .serve_connection(TokioIo::new(transport), service)
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
