//! The upgrade from HTTP to WebSocket, on the bare TCP stream.
//!
//! The HTTP library's own WebSocket support pins an older protocol library and hides the stream, so the handshake of RFC 6455 §4.2 is
//! done here; the protocol library does the framing. Every size is set: its defaults allocate 128 KiB a connection, allow messages of
//! 64 MiB and buffer writes without end.

use std::sync::Arc;

use anteroom_protocol::limits::FRAME_BYTES;
use anteroom_protocol::{SUBPROTOCOL, error::ErrorBody, error::ErrorCode};
use axum::extract::{Extension, Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::crowd::Visit;
use super::meter::Metered;
use super::transport::Transport;
use super::{Door, Lease, Place, Unproven, connection};
use crate::app::AppError;
use crate::app::audit::Refused;
use crate::app::identity::{Verified, bearer};
use crate::domain::actor::{Actor, Scope};
use crate::domain::refusal::Refusal;
use crate::http::error::Problem;
use crate::peer::Peer;

/// Bytes read from a socket at a time.
const READ_BUFFER: usize = 2 * 1024;
/// Bytes gathered before they are written.
const WRITE_BUFFER: usize = 8 * 1024;
/// Bytes that may wait in the framing layer; the outbox is what really bounds a socket.
const MAX_WRITE_BUFFER: usize = 512 * 1024;

/// When to come back if too many came, in milliseconds: until then whoever says nothing has been sent away.
const TOO_MANY_RETRY: u64 = 5_000;

/// `GET /v1/ws`.
pub async fn upgrade(
    State(door): State<Arc<Door>>,
    Extension(peer): Extension<Peer>,
    Extension(place): Extension<Place>,
    mut request: Request,
) -> Response {
    let accept = match check(request.headers()) {
        Ok(accept) => accept,
        Err(response) => return *response,
    };
    let (visit, unproven) = match admit(&door, peer, request.headers()) {
        Ok(admitted) => admitted,
        Err(body) => {
            door.app.metrics.turned_away(body.code);
            refused(&door, peer, None, body.code);
            return Problem(body).into_response();
        }
    };
    let presented = match presented(&door, peer, request.headers()).await {
        Ok(presented) => presented,
        Err(problem) => return problem.into_response(),
    };
    let on_upgrade = hyper::upgrade::on(&mut request);
    let lease = Lease { address: peer.address, _place: place, _visit: visit };
    door.tasks.spawn(begin(door.clone(), on_upgrade, unproven, lease, presented));
    accept.into_response()
}

/// For the log: who was not let in.
fn refused(door: &Door, peer: Peer, who: Option<&Actor>, code: ErrorCode) {
    let (address, what) = (peer.address, "GET /v1/ws");
    door.app.audit.refused(&Refused { address, who, what, which: None, code });
}

/// Takes a socket's places, if it may come in at all.
fn admit(door: &Door, peer: Peer, headers: &HeaderMap) -> Result<(Visit, Unproven), ErrorBody> {
    if !peer.secure {
        return Err(ErrorBody::new(
            ErrorCode::TlsRequired,
            "this connection can be read along on its way; come over TLS (wss:)",
        ));
    }
    if !door.origins.admit(headers) {
        return Err(ErrorBody::new(
            ErrorCode::OriginRefused,
            "pages of this origin may not open sockets here; the operator lists those that may",
        ));
    }
    let Some((visit, newcomer)) = door.crowd.visit(peer.address) else {
        let why = "too many sockets of this address, or too many that have not said hello";
        return Err(ErrorBody {
            retry_after_ms: Some(TOO_MANY_RETRY),
            ..ErrorBody::new(ErrorCode::TooManyConnections, why)
        });
    };
    let Ok(permit) = door.handshakes.clone().try_acquire_owned() else {
        return Err(ErrorBody {
            retry_after_ms: Some(1_000),
            ..ErrorBody::new(ErrorCode::Busy, "too many handshakes at a time; try again")
        });
    };
    Ok((visit, Unproven { _permit: permit, _newcomer: newcomer }))
}

/// Whose token the upgrade carries, for clients that can set headers. Another scheme than `Bearer` is not for us: a proxy may ask for
/// a password of its own.
async fn presented(door: &Door, peer: Peer, headers: &HeaderMap) -> Result<Option<Verified>, Problem> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some(token) = header.and_then(bearer) else { return Ok(None) };
    let verified = door
        .app
        .authenticate(token)
        .await
        .inspect_err(|error| refused(door, peer, None, error.body().code))?;
    if verified.actor.scope != Scope::User {
        let forbidden = AppError::Refused(Refusal::Forbidden);
        refused(door, peer, Some(&verified.actor), forbidden.body().code);
        return Err(forbidden.into());
    }
    Ok(Some(verified))
}

/// The 101 that accepts the handshake, or the refusal.
fn check(headers: &HeaderMap) -> Result<(StatusCode, HeaderMap), Box<Response>> {
    let refuse = |status: StatusCode, why: &str| {
        Box::new(Problem(ErrorBody::new(ErrorCode::BadRequest, why)).under(status))
    };
    if !lists(headers, &CONNECTION, "upgrade") || !lists(headers, &UPGRADE, "websocket") {
        return Err(refuse(
            StatusCode::UPGRADE_REQUIRED,
            "this is a WebSocket: connect with a WebSocket client",
        ));
    }
    if !lists(headers, &SEC_WEBSOCKET_VERSION, "13") {
        let mut response = refuse(StatusCode::UPGRADE_REQUIRED, "only WebSocket version 13 is spoken");
        response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return Err(response);
    }
    let offers = headers.contains_key(SEC_WEBSOCKET_PROTOCOL);
    let ours = lists(headers, &SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    if offers && !ours {
        return Err(refuse(StatusCode::BAD_REQUEST, "only the subprotocol anteroom.v1.json is spoken"));
    }
    let Some(key) = headers.get(SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "the header Sec-WebSocket-Key is missing or wrong"));
    };
    let mut answer = HeaderMap::new();
    answer.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        answer.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if ours {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok((StatusCode::SWITCHING_PROTOCOLS, answer))
}

/// Whether a header that is a list has this word in it.
fn lists(headers: &HeaderMap, name: &axum::http::HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// Waits for the upgrade, then leaves the socket to a task of its own: what waiting took is not carried along for a socket's life.
async fn begin(
    door: Arc<Door>,
    on_upgrade: OnUpgrade,
    unproven: Unproven,
    lease: Lease,
    presented: Option<Verified>,
) {
    let upgraded = match on_upgrade.await {
        Ok(upgraded) => upgraded,
        Err(error) => return tracing::debug!(%error, "the client left during the upgrade"),
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<Transport>>() else {
        return tracing::error!("the upgraded stream is not the one it came on");
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(FRAME_BYTES))
        .max_frame_size(Some(FRAME_BYTES));
    let transport = parts.io.into_inner();
    if let Err(error) = transport.outlive_requests() {
        tracing::debug!(%error, "cannot tune a socket");
    }
    let stream = Metered::new(transport, &parts.read_buf, door.socket_frames);
    // What the meter refuses already is not handed on.
    let read = if stream.verdict().is_none() { parts.read_buf.to_vec() } else { Vec::new() };
    let socket = WebSocketStream::from_partially_read(stream, read, Role::Server, Some(config)).await;
    let tasks = door.tasks.clone();
    tasks.spawn(connection::run(door, Box::new(socket), unproven, lease, presented));
}
