//! The first word on a socket and the last: `hello`, refusals, the close.

use std::collections::HashSet;
use std::net::IpAddr;

use anteroom_protocol::client::{self, ClientFrame, Hello};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::limits;
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::meter::Metered;
use super::transport::Transport;
use super::{CLOSE_WAIT, Door, HELLO_TIMEOUT, WRITE_STALL};
use crate::app::AppError;
use crate::app::audit::Refused;
use crate::app::identity::{Unbelieved, Verified};
use crate::domain::actor::Scope;

/// A WebSocket on the bare stream, with the meter in between.
pub(super) type Socket = WebSocketStream<Metered<Transport>>;

/// Bytes that are read after the server has closed, so that its last word is not lost.
const LAST_BYTES: usize = 256 * 1024;

/// Why a socket ends: the code the server closes with, or nothing when the client has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended(pub(super) Option<CloseCode>);

impl From<CloseCode> for Ended {
    fn from(code: CloseCode) -> Self {
        Self(Some(code))
    }
}

impl Ended {
    /// The word for it in the log and the figures.
    pub(super) fn reason(self) -> &'static str {
        self.0.map_or("gone", CloseCode::reason)
    }
}

/// A `hello` that was believed.
pub(super) struct Greeting {
    /// The frame's id.
    pub(super) id: Option<String>,
    /// What it said.
    pub(super) hello: Hello,
    /// Whose token was with it, or with the upgrade.
    pub(super) verified: Verified,
}

/// Waits for `hello` and verifies it. Its token goes before the one that was `presented` with the upgrade.
pub(super) async fn greet(
    door: &Door,
    socket: &mut Socket,
    presented: Option<Verified>,
    address: IpAddr,
) -> Result<Box<Greeting>, Ended> {
    let first = tokio::select! {
        biased;
        _ = door.drain.begun() => return Err(CloseCode::Restart.into()),
        first = timeout(HELLO_TIMEOUT, first_text(socket)) => first.map_err(|_| CloseCode::HelloTimeout)??,
    };
    let (id, frame) = match client::decode(&first) {
        Ok(decoded) => decoded,
        Err(error) => {
            return Err(refuse(
                socket,
                error.id,
                ErrorBody::new(error.code, error.detail),
                CloseCode::Malformed,
            )
            .await);
        }
    };
    let ClientFrame::Hello(hello) = frame else {
        let error = ErrorBody::new(ErrorCode::OutOfTurn, "the first frame is hello");
        return Err(refuse(socket, id, error, CloseCode::Malformed).await);
    };
    if let Err(why) = check_rooms(&hello.rooms) {
        let error = ErrorBody::new(ErrorCode::BadRequest, why);
        return Err(refuse(socket, id, error, CloseCode::Malformed).await);
    }
    let verified = match (&hello.token, presented) {
        (None, Some(presented)) => Ok(presented),
        (token, _) => authenticate(door, token.as_deref().unwrap_or_default(), address).await,
    };
    match verified {
        Ok(verified) => Ok(Box::new(Greeting { id, hello, verified })),
        Err((error, code)) => Err(refuse(socket, id, error, code).await),
    }
}

fn check_rooms(rooms: &[Cursor]) -> Result<(), String> {
    if rooms.len() > limits::HELLO_ROOMS {
        return Err(format!("rooms: at most {}", limits::HELLO_ROOMS));
    }
    let mut named = HashSet::new();
    match rooms.iter().find(|cursor| !named.insert(cursor.room)) {
        Some(twice) => Err(format!("rooms: {} is named twice", twice.room)),
        None => Ok(()),
    }
}

async fn first_text(socket: &mut Socket) -> Result<Utf8Bytes, Ended> {
    loop {
        match receive(socket).await? {
            Received::Text(text) => return Ok(text),
            Received::Sign => {}
        }
    }
}

/// Whose token this is. Who is not let in stands in the log.
async fn authenticate(door: &Door, token: &str, address: IpAddr) -> Result<Verified, (ErrorBody, CloseCode)> {
    let refused = |who, code| {
        door.app.audit.refused(&Refused { address, who, what: "hello", which: None, code });
    };
    let verified = door.app.authenticate(token).await.map_err(|error| {
        let (body, end) = (error.body(), end_code(&error));
        refused(None, body.code);
        (body, end)
    })?;
    if verified.actor.scope != Scope::User {
        let error = ErrorBody::new(ErrorCode::Forbidden, "sockets are for people; use HTTP");
        refused(Some(&verified.actor), error.code);
        return Err((error, CloseCode::Forbidden));
    }
    Ok(verified)
}

/// The code that ends a socket whose token is not believed, or cannot be checked.
pub(super) fn end_code(error: &AppError) -> CloseCode {
    let AppError::Identity(why) = error else { return CloseCode::Internal };
    match why {
        Unbelieved::Expired => CloseCode::TokenExpired,
        Unbelieved::Revoked => CloseCode::Revoked,
        Unbelieved::Invalid | Unbelieved::UnknownUser => CloseCode::BadToken,
        Unbelieved::KeysUnavailable => CloseCode::TryAgainLater,
    }
}

/// Says why before the socket is closed.
async fn refuse(socket: &mut Socket, id: Option<String>, error: ErrorBody, code: CloseCode) -> Ended {
    let text = ServerFrame::Error { id, error }.encode();
    match timeout(WRITE_STALL, socket.send(Message::text(text))).await {
        Ok(Ok(())) => code.into(),
        _ => Ended(None),
    }
}

/// Closes, when it is the server who ends it, and gives the other side a moment to read what was written and to close too. A close
/// that came from the client is answered by the same reading.
pub(super) async fn say_goodbye(socket: &mut Socket, Ended(code): Ended) {
    let goodbye = async {
        if let Some(code) = code {
            let frame = CloseFrame { code: code.code().into(), reason: code.reason().into() };
            if socket.close(Some(frame)).await.is_err() {
                return;
            }
        }
        while let Some(Ok(_)) = socket.next().await {}
        let stream = socket.get_mut().stream_mut();
        if stream.shutdown().await.is_ok() && code.is_some() {
            linger(stream).await;
        }
    };
    // Whoever does not close in time is cut off.
    let _ = timeout(CLOSE_WAIT, goodbye).await;
}

/// Takes what a client has sent in vain: to close a connection over unread bytes makes TCP take back what was written last, and that
/// is the word that says why.
async fn linger(stream: &mut Transport) {
    let (mut bytes, mut left) = (vec![0; 4 * 1024], LAST_BYTES);
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        left = left.saturating_sub(read);
        if left == 0 {
            return;
        }
    }
}

/// What came from a client.
pub(super) enum Received {
    Text(Utf8Bytes),
    /// A ping or pong: a sign of life.
    Sign,
}

pub(super) async fn receive(socket: &mut Socket) -> Result<Received, Ended> {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => Ok(Received::Text(text)),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(Received::Sign),
        Some(Ok(Message::Binary(_))) => Err(CloseCode::Unsupported.into()),
        Some(Ok(Message::Close(_))) | None => Err(Ended(None)),
        Some(Err(error)) => Err(socket.get_ref().verdict().map_or_else(|| ended_by(&error), Ended::from)),
    }
}

/// The protocol library reports what it will not read as an error; the close code is ours to choose.
fn ended_by(error: &Error) -> Ended {
    if matches!(error, Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) {
        Ended(None)
    } else if matches!(error, Error::Protocol(_)) {
        CloseCode::ProtocolError.into()
    } else if matches!(error, Error::Capacity(_)) {
        CloseCode::TooBig.into()
    } else if matches!(error, Error::Utf8(_)) {
        CloseCode::InvalidData.into()
    } else {
        Ended(None)
    }
}
