//! The two halves of a socket: what sends and what receives. [`super::Socket`] is both together.

use std::collections::VecDeque;
use std::time::Duration;

use anteroom_protocol::client::ClientFrame;
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::ClientId;
use anteroom_protocol::server::{self, ServerFrame};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::SocketError;
use super::error::NO_CLOSE_FRAME;
use super::observer::Line;

pub(super) type Wire = WebSocketStream<TcpStream>;

/// Frames kept for later while something else is waited for. One more is [`SocketError::Overflow`].
const STASH_FRAMES: usize = 65_536;

/// How long a closed socket waits for the server to end the connection too, so that the close handshake is whole.
const FAREWELL: Duration = Duration::from_millis(250);

/// The half that sends. It never waits for an answer.
#[derive(Debug)]
pub struct SocketSender {
    sink: SplitSink<Wire, Message>,
    line: Line,
    last_id: u64,
}

impl SocketSender {
    pub(super) fn new(sink: SplitSink<Wire, Message>, line: Line) -> Self {
        Self { sink, line, last_id: 0 }
    }

    /// Sends any text as one text frame.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn send_text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), SocketError> {
        let text = self.told(text.into());
        Ok(self.sink.send(Message::Text(text)).await?)
    }

    /// Puts any text into the send buffer; [`Self::flush`] sends what is there.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn feed_text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), SocketError> {
        let text = self.told(text.into());
        Ok(self.sink.feed(Message::Text(text)).await?)
    }

    fn told(&self, text: Utf8Bytes) -> Utf8Bytes {
        self.line.sent(&text);
        text
    }

    /// Sends what [`Self::feed_text`] put into the buffer.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn flush(&mut self) -> Result<(), SocketError> {
        Ok(self.sink.flush().await?)
    }

    /// Sends bytes as one binary frame, which the protocol does not know.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn send_binary(&mut self, bytes: Vec<u8>) -> Result<(), SocketError> {
        Ok(self.sink.send(Message::Binary(bytes.into())).await?)
    }

    /// Sends one frame, under this `id` if there is one.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn send_frame(&mut self, frame: &ClientFrame, id: Option<&str>) -> Result<(), SocketError> {
        self.send_text(frame.encode(id)).await
    }

    /// Sends a command under a fresh `id` and returns that `id`: the answer is [`SocketReceiver::answer`]'s.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn send_command(
        &mut self,
        client_id: ClientId,
        command: Command,
    ) -> Result<String, SocketError> {
        let id = self.fresh_id();
        self.send_frame(&ClientFrame::Command(client_id.into(), command), Some(&id)).await?;
        Ok(id)
    }

    /// An `id` that this socket has not used: `c1`, `c2`, …
    pub fn fresh_id(&mut self) -> String {
        self.last_id += 1;
        format!("c{}", self.last_id)
    }

    /// Closes the socket with 1000.
    ///
    /// # Errors
    /// The connection failed.
    pub async fn close(&mut self) -> Result<(), SocketError> {
        Ok(self.sink.close().await?)
    }
}

/// The half that receives. Every frame comes once: from the wire, or from the stash if it came while another was awaited.
#[derive(Debug)]
pub struct SocketReceiver {
    stream: SplitStream<Wire>,
    line: Line,
    stash: VecDeque<ServerFrame>,
    patience: Duration,
    closed: Option<(u16, String)>,
}

impl SocketReceiver {
    pub(super) fn new(stream: SplitStream<Wire>, line: Line, patience: Duration) -> Self {
        Self { stream, line, stash: VecDeque::new(), patience, closed: None }
    }

    /// How long every wait on this socket lasts at most; 10 s unless set.
    pub fn set_timeout(&mut self, patience: Duration) {
        self.patience = patience;
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// The next text frame of the wire as it came, past the stash and without a time limit. Can be given up at any point
    /// without losing a frame. Pings are answered on the way.
    ///
    /// # Errors
    /// [`SocketError::Closed`], or the connection failed.
    pub async fn next_text(&mut self) -> Result<Utf8Bytes, SocketError> {
        if let Some((code, reason)) = &self.closed {
            return Err(SocketError::Closed { code: *code, reason: reason.clone() });
        }
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => {
                    self.line.received(&text);
                    return Ok(text);
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame.map_or((1005, String::new()), |frame| {
                        (u16::from(frame.code), frame.reason.as_str().to_owned())
                    });
                    self.closed = Some((code, reason.clone()));
                    self.line.ended(code);
                    self.part().await;
                    return Err(SocketError::Closed { code, reason });
                }
                Some(Ok(Message::Binary(bytes))) => {
                    return Err(SocketError::Unreadable {
                        text: format!("{} bytes", bytes.len()),
                        problem: "a binary frame".into(),
                    });
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => {
                    self.line.ended(NO_CLOSE_FRAME);
                    return Err(error.into());
                }
                None => {
                    self.line.ended(NO_CLOSE_FRAME);
                    return Err(SocketError::ended("no close frame"));
                }
            }
        }
    }

    async fn part(&mut self) {
        let rest = async { while let Some(Ok(_)) = self.stream.next().await {} };
        // Whether the server ends the connection in time is its own business.
        let _ = timeout(FAREWELL, rest).await;
    }

    /// The next frame: the oldest of the stash, or else of the wire.
    ///
    /// # Errors
    /// [`SocketError::Closed`], [`SocketError::Timeout`], or what came is no frame.
    pub async fn next(&mut self) -> Result<ServerFrame, SocketError> {
        self.wait_for("frame", |_| true).await
    }

    /// The next entry; frames of other types are stashed.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn next_entry(&mut self) -> Result<EntryFrame, SocketError> {
        let frame = self.wait_for("entry", |frame| matches!(frame, ServerFrame::Entry(_))).await?;
        let ServerFrame::Entry(entry) = frame else {
            return Err(unexpected(&frame));
        };
        Ok(entry)
    }

    /// The answer to the frame of this `id`; every other frame is stashed, in order.
    ///
    /// # Errors
    /// [`SocketError::Refused`] when the answer is an error, else as [`Self::next`].
    pub async fn answer(&mut self, id: &str) -> Result<Value, SocketError> {
        let frame = self.wait_for("answer", |frame| answers(frame, id)).await?;
        if let ServerFrame::Error { error, .. } = frame {
            return Err(SocketError::Refused(Box::new(error)));
        }
        let ServerFrame::Ok { data, .. } = frame else {
            return Err(unexpected(&frame));
        };
        Ok(data)
    }

    /// The first frame that is wanted, of the stash or of the wire; all others are stashed, in order. `awaited` names it
    /// in the time-out's message.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn wait_for(
        &mut self,
        awaited: &'static str,
        mut wanted: impl FnMut(&ServerFrame) -> bool,
    ) -> Result<ServerFrame, SocketError> {
        let stashed = self.stash.iter().position(&mut wanted).and_then(|at| self.stash.remove(at));
        if let Some(frame) = stashed {
            return Ok(frame);
        }
        let after = self.patience;
        let search = async {
            loop {
                let frame = decode(&self.next_text().await?)?;
                if wanted(&frame) {
                    return Ok(frame);
                }
                if self.stash.len() == STASH_FRAMES {
                    return Err(SocketError::Overflow(STASH_FRAMES));
                }
                self.stash.push_back(frame);
            }
        };
        timeout(after, search).await.unwrap_or(Err(SocketError::Timeout { awaited, after }))
    }

    /// Waits until the server closes, and returns the code and the reason. What comes before that is dropped.
    ///
    /// # Errors
    /// [`SocketError::Timeout`], or the connection failed.
    pub async fn closed(&mut self) -> Result<(u16, String), SocketError> {
        let after = self.patience;
        let end = async {
            loop {
                if let Err(error) = self.next_text().await {
                    return error;
                }
            }
        };
        match timeout(after, end).await {
            Ok(SocketError::Closed { code, reason }) => Ok((code, reason)),
            Ok(error) => Err(error),
            Err(_) => Err(SocketError::Timeout { awaited: "close frame", after }),
        }
    }

    /// Listens for this long; returns the first frame that came, or `None` if it was quiet.
    ///
    /// # Errors
    /// [`SocketError::Closed`], or what came is no frame.
    pub async fn listen(&mut self, span: Duration) -> Result<Option<ServerFrame>, SocketError> {
        if let Some(frame) = self.stash.pop_front() {
            return Ok(Some(frame));
        }
        match timeout(span, self.next_text()).await {
            Ok(text) => decode(&text?).map(Some),
            Err(_) => Ok(None),
        }
    }
}

fn decode(text: &str) -> Result<ServerFrame, SocketError> {
    server::decode(text)
        .map_err(|error| SocketError::Unreadable { text: text.to_owned(), problem: error.to_string() })
}

fn answers(frame: &ServerFrame, to: &str) -> bool {
    match frame {
        ServerFrame::Ok { id, .. } => id == to,
        ServerFrame::Error { id, .. } | ServerFrame::Pong { id, .. } => id.as_deref() == Some(to),
        ServerFrame::Welcome(welcome) => welcome.id.as_deref() == Some(to),
        ServerFrame::Entry(_)
        | ServerFrame::Gap { .. }
        | ServerFrame::Reset { .. }
        | ServerFrame::Activity { .. }
        | ServerFrame::Account(_)
        | ServerFrame::Receipt(_)
        | ServerFrame::Typing { .. }
        | ServerFrame::Presence { .. }
        | ServerFrame::Goaway { .. } => false,
    }
}

pub(super) fn unexpected(frame: &ServerFrame) -> SocketError {
    SocketError::Unreadable { text: frame.encode(), problem: "another answer was expected".into() }
}
