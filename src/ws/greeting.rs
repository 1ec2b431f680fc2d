//! The first word on a socket and the last: `hello`, refusals, the close.

use std::collections::HashSet;

use anteroom_protocol::client::{self, ClientFrame, Hello};
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::limits;
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::time::Time;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::{CLOSE_WAIT, Door, HELLO_TIMEOUT, WRITE_STALL};
use crate::app::AppError;
use crate::app::identity::Unbelieved;
use crate::domain::actor::{Actor, Scope};

/// A WebSocket on the bare stream.
pub(super) type Socket = WebSocketStream<TcpStream>;

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
    /// Who said it.
    pub(super) actor: Actor,
    /// When its token ends.
    pub(super) expires_at: Time,
}

/// Waits for `hello` and verifies it.
pub(super) async fn greet(door: &Door, socket: &mut Socket) -> Result<Greeting, Ended> {
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
    match authenticate(door, hello.token.as_deref().unwrap_or_default()).await {
        Ok((actor, expires_at)) => Ok(Greeting { id, hello, actor, expires_at }),
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

async fn authenticate(door: &Door, token: &str) -> Result<(Actor, Time), (ErrorBody, CloseCode)> {
    let verified = door.app.authenticate(token).await.map_err(|error| {
        let code = if let AppError::Identity(why) = error { close_code(why) } else { CloseCode::Internal };
        (error.body(), code)
    })?;
    if verified.actor.scope != Scope::User {
        let error = ErrorBody::new(ErrorCode::Forbidden, "sockets are for people; use HTTP");
        return Err((error, CloseCode::Forbidden));
    }
    Ok((verified.actor, verified.expires_at))
}

fn close_code(why: Unbelieved) -> CloseCode {
    match why {
        Unbelieved::Expired => CloseCode::TokenExpired,
        Unbelieved::Invalid | Unbelieved::UnknownUser => CloseCode::BadToken,
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
    };
    // Whoever does not close in time is cut off.
    let _ = timeout(CLOSE_WAIT, goodbye).await;
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
        Some(Err(error)) => Err(ended_by(&error)),
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
