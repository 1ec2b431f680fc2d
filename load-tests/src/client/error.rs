//! What can go wrong between a client and the server, by kind, so that a caller can match on it.

use std::io;
use std::time::Duration;

use anteroom_protocol::error::{ErrorBody, ErrorCode};
use tokio_tungstenite::tungstenite;
use tungstenite::error::ProtocolError;

/// The close code a client reports when a connection ended without a close frame (RFC 6455, 7.4.1).
pub(crate) const NO_CLOSE_FRAME: u16 = 1006;

/// Why a socket did not give what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The server closed it; 1006: the connection ended without a close frame.
    #[error("the socket was closed: {code} {reason}")]
    Closed {
        /// The close code.
        code: u16,
        /// The close frame's text.
        reason: String,
    },
    /// The server answered with an error.
    #[error("refused, {}: {}", .0.code.as_str(), .0.message)]
    Refused(Box<ErrorBody>),
    /// The server answered the handshake with something else than 101.
    #[error("the upgrade was answered with {status}: {body}")]
    NotUpgraded {
        /// The HTTP status.
        status: u16,
        /// The body, as far as it came with the head.
        body: String,
    },
    /// It did not come in time.
    #[error("no {awaited} within {after:?}")]
    Timeout {
        /// What was waited for.
        awaited: &'static str,
        /// How long.
        after: Duration,
    },
    /// The server sent something that is no frame of this protocol, or an answer of another form than expected.
    #[error("not of this protocol ({problem}): {text}")]
    Unreadable {
        /// What it sent.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// More frames came, unasked for, than a client keeps.
    #[error("{0} frames came that nobody asked for, and more are not kept")]
    Overflow(usize),
    /// The operating system failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The bytes were not WebSocket.
    #[error(transparent)]
    WebSocket(Box<tungstenite::Error>),
}

impl SocketError {
    /// The server's error, if this is one.
    pub fn refusal(&self) -> Option<&ErrorBody> {
        if let Self::Refused(body) = self { Some(body) } else { None }
    }

    /// The code of the server's error, if this is one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.refusal().map(|body| body.code)
    }

    /// The close code, if the socket is closed.
    pub fn close_code(&self) -> Option<u16> {
        if let Self::Closed { code, .. } = self { Some(*code) } else { None }
    }

    pub(super) fn ended(reason: impl Into<String>) -> Self {
        Self::Closed { code: NO_CLOSE_FRAME, reason: reason.into() }
    }
}

impl From<tungstenite::Error> for SocketError {
    fn from(error: tungstenite::Error) -> Self {
        use tungstenite::Error;
        if let Error::Http(response) = &error {
            let body = response.body().as_deref().unwrap_or_default();
            return Self::NotUpgraded {
                status: response.status().as_u16(),
                body: String::from_utf8_lossy(body).into_owned(),
            };
        }
        if ends(&error) { Self::ended(error.to_string()) } else { Self::WebSocket(Box::new(error)) }
    }
}

/// Whether the connection is gone, which needs no close frame to be true.
fn ends(error: &tungstenite::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    use tungstenite::Error;
    if let Error::Io(error) = error {
        return matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof);
    }
    let reset = ProtocolError::ResetWithoutClosingHandshake;
    matches!(error, Error::ConnectionClosed | Error::AlreadyClosed)
        || matches!(error, Error::Protocol(problem) if *problem == reset)
}

/// An error answer of a route: a problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The `content-type`.
    pub content_type: String,
    /// What it says, in the form the socket has: `message` is the document's `detail`.
    pub error: ErrorBody,
    /// The document, byte for byte.
    pub text: String,
}

/// Why a route did not give what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The server refused.
    #[error("{}, {}: {}", .0.status, .0.error.code.as_str(), .0.error.message)]
    Problem(Box<Problem>),
    /// The answer is neither what was asked for nor a problem document.
    #[error("unreadable answer, {status} ({problem}): {text}")]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// The body.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The caller asked for a command that is not in the table, or left out the field its path needs.
    #[error("not a command that can be sent: {0}")]
    NoSuchCommand(String),
    /// No answer.
    #[error(transparent)]
    Io(#[from] reqwest::Error),
}

impl HttpError {
    /// The problem document, if this is one.
    pub fn problem(&self) -> Option<&Problem> {
        if let Self::Problem(problem) = self { Some(problem) } else { None }
    }

    /// The code of the problem document, if this is one.
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem().map(|problem| problem.error.code)
    }

    /// The HTTP status, if an answer came.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Unreadable { status, .. } => Some(*status),
            Self::NoSuchCommand(_) => None,
            Self::Io(error) => error.status().map(|status| status.as_u16()),
        }
    }
}
