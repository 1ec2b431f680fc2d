//! One WebSocket of the server, with both halves in one hand.

use std::net::SocketAddr;
use std::time::Duration;

use anteroom_protocol::SUBPROTOCOL;
use anteroom_protocol::client::{ClientFrame, Hello, Leave, Ping};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::EntryFrame;
use anteroom_protocol::id::{ClientId, RoomRef};
use anteroom_protocol::message::MessagePost;
use anteroom_protocol::room::{Cursor, Joined};
use anteroom_protocol::server::{ServerFrame, Welcome};
use anteroom_protocol::time::Time;
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Request};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WireError, Utf8Bytes};

use super::halves::unexpected;
use super::observer::{Line, Witness};
use super::{Posted, SocketError, SocketReceiver, SocketSender};

/// How a connection is made.
#[derive(Debug, Clone)]
pub struct SocketOptions {
    /// The subprotocols to offer.
    pub protocols: Vec<String>,
    /// Headers of the handshake beside the usual ones, such as `origin`.
    pub headers: Vec<(String, String)>,
    /// The kernel's receive buffer, for a reader that is to be slow.
    pub receive_buffer: Option<u32>,
    /// How long the handshake and every wait last at most.
    pub timeout: Duration,
    /// Who is told of everything on it.
    pub witness: Option<Witness>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            protocols: vec![SUBPROTOCOL.to_owned()],
            headers: Vec::new(),
            receive_buffer: None,
            timeout: Duration::from_secs(10),
            witness: None,
        }
    }
}

/// A connected socket. While one thing is awaited, every other frame is kept, in order.
#[derive(Debug)]
pub struct Socket {
    sender: SocketSender,
    receiver: SocketReceiver,
}

impl Socket {
    /// Connects, says `hello` and returns the `welcome`. `base` is `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    /// No connection, no upgrade, or [`SocketError::Closed`] / [`SocketError::Refused`] instead of a `welcome`.
    pub async fn connect(
        base: &str,
        token: &str,
        rooms: Vec<Cursor>,
    ) -> Result<(Self, Welcome), SocketError> {
        let mut socket = Self::connect_raw(base).await?;
        let welcome = socket.hello(token, rooms).await?;
        Ok((socket, welcome))
    }

    /// Connects and says nothing yet.
    ///
    /// # Errors
    /// No connection or no upgrade.
    pub async fn connect_raw(base: &str) -> Result<Self, SocketError> {
        Self::connect_with(base, &SocketOptions::default()).await
    }

    /// Connects with these options and says nothing yet.
    ///
    /// # Errors
    /// No connection or no upgrade.
    pub async fn connect_with(base: &str, options: &SocketOptions) -> Result<Self, SocketError> {
        let after = options.timeout;
        timeout(after, upgrade(base, options))
            .await
            .unwrap_or(Err(SocketError::Timeout { awaited: "upgrade", after }))
    }

    /// Says `hello` and returns the `welcome`.
    ///
    /// # Errors
    /// [`SocketError::Closed`] or [`SocketError::Refused`].
    pub async fn hello(&mut self, token: &str, rooms: Vec<Cursor>) -> Result<Welcome, SocketError> {
        let client = Some("anteroom-load-tests".to_owned());
        let hello =
            ClientFrame::Hello(Hello { token: Some(token.to_owned()), rooms, changes_after: None, client });
        self.sender.send_frame(&hello, None).await?;
        let is_answer = |frame: &ServerFrame| {
            matches!(frame, ServerFrame::Welcome(_) | ServerFrame::Error { id: None, .. })
        };
        let frame = self.receiver.wait_for("welcome", is_answer).await?;
        if let ServerFrame::Error { error, .. } = frame {
            return Err(SocketError::Refused(Box::new(error)));
        }
        let ServerFrame::Welcome(welcome) = frame else {
            return Err(unexpected(&frame));
        };
        Ok(welcome)
    }

    /// How long every wait on this socket lasts at most; 10 s unless set.
    pub fn set_timeout(&mut self, patience: Duration) {
        self.receiver.set_timeout(patience);
    }

    /// The two halves, for those who send without waiting.
    pub fn split(self) -> (SocketSender, SocketReceiver) {
        (self.sender, self.receiver)
    }

    /// The two halves, borrowed.
    pub fn halves(&mut self) -> (&mut SocketSender, &mut SocketReceiver) {
        (&mut self.sender, &mut self.receiver)
    }

    /// Sends a command and waits for its answer.
    ///
    /// # Errors
    /// [`SocketError::Refused`] when the answer is an error; else the connection's.
    pub async fn command(&mut self, client_id: ClientId, command: Command) -> Result<Value, SocketError> {
        self.ask(&ClientFrame::Command(client_id.into(), command)).await
    }

    /// Sends a command and reads its answer as this type.
    ///
    /// # Errors
    /// As [`Self::command`], or the answer has another form.
    pub async fn command_as<T: DeserializeOwned>(
        &mut self,
        client_id: ClientId,
        command: Command,
    ) -> Result<T, SocketError> {
        read(self.command(client_id, command).await?)
    }

    /// Posts a message.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub async fn post(
        &mut self,
        room: RoomRef,
        client_id: ClientId,
        body: impl Into<String>,
    ) -> Result<Posted, SocketError> {
        self.command_as(client_id, Command::MessagePost(MessagePost { room, body: body.into() })).await
    }

    /// Joins a log. Entries, `gap` and `reset` come as frames of their own.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub async fn join(&mut self, cursor: Cursor) -> Result<Joined, SocketError> {
        read(self.ask(&ClientFrame::Join(cursor)).await?)
    }

    /// Leaves a log.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub async fn leave(&mut self, room: RoomRef) -> Result<(), SocketError> {
        self.ask(&ClientFrame::Leave(Leave { room })).await.map(drop)
    }

    /// Pings by frame and returns the server's wall clock.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub async fn ping(&mut self) -> Result<Time, SocketError> {
        let id = self.sender.fresh_id();
        self.sender.send_frame(&ClientFrame::Ping(Ping::default()), Some(&id)).await?;
        let is_pong =
            |frame: &ServerFrame| matches!(frame, ServerFrame::Pong { id: Some(of), .. } if *of == id);
        let frame = self.receiver.wait_for("pong", is_pong).await?;
        let ServerFrame::Pong { server_time, .. } = frame else {
            return Err(unexpected(&frame));
        };
        Ok(server_time)
    }

    /// Sends any frame under a fresh `id` and waits for its `ok`.
    ///
    /// # Errors
    /// As [`Self::command`].
    pub async fn ask(&mut self, frame: &ClientFrame) -> Result<Value, SocketError> {
        let (id, after) = (self.sender.fresh_id(), self.receiver.patience());
        timeout(after, self.sender.send_frame(frame, Some(&id)))
            .await
            .unwrap_or(Err(SocketError::Timeout { awaited: "room to send", after }))?;
        self.receiver.answer(&id).await
    }

    /// See [`SocketSender::send_text`].
    ///
    /// # Errors
    /// The connection failed.
    pub async fn send_text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), SocketError> {
        self.sender.send_text(text).await
    }

    /// See [`SocketSender::send_frame`].
    ///
    /// # Errors
    /// The connection failed.
    pub async fn send_frame(&mut self, frame: &ClientFrame, id: Option<&str>) -> Result<(), SocketError> {
        self.sender.send_frame(frame, id).await
    }

    /// See [`SocketReceiver::next`].
    ///
    /// # Errors
    /// [`SocketError::Closed`], [`SocketError::Timeout`], or what came is no frame.
    pub async fn next(&mut self) -> Result<ServerFrame, SocketError> {
        self.receiver.next().await
    }

    /// See [`SocketReceiver::next_entry`].
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn next_entry(&mut self) -> Result<EntryFrame, SocketError> {
        self.receiver.next_entry().await
    }

    /// See [`SocketReceiver::wait_for`].
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn wait_for(
        &mut self,
        awaited: &'static str,
        wanted: impl FnMut(&ServerFrame) -> bool,
    ) -> Result<ServerFrame, SocketError> {
        self.receiver.wait_for(awaited, wanted).await
    }

    /// See [`SocketReceiver::closed`].
    ///
    /// # Errors
    /// [`SocketError::Timeout`], or the connection failed.
    pub async fn closed(&mut self) -> Result<(u16, String), SocketError> {
        self.receiver.closed().await
    }

    /// See [`SocketReceiver::listen`].
    ///
    /// # Errors
    /// [`SocketError::Closed`], or what came is no frame.
    pub async fn listen(&mut self, span: Duration) -> Result<Option<ServerFrame>, SocketError> {
        self.receiver.listen(span).await
    }

    /// Closes with 1000 and waits for the server's close.
    ///
    /// # Errors
    /// The connection failed, or the server did not answer the close.
    pub async fn close(mut self) -> Result<(), SocketError> {
        self.sender.close().await?;
        self.receiver.closed().await.map(drop)
    }
}

async fn upgrade(base: &str, options: &SocketOptions) -> Result<Socket, SocketError> {
    let authority = base.strip_prefix("http://").unwrap_or(base).trim_end_matches('/');
    let stream = open(authority, options.receive_buffer).await?;
    // 4 KiB and 8 KiB: thousands of these live in one process.
    let config = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(8 * 1024);
    let (wire, _) = client_async_with_config(request(authority, options)?, stream, Some(config)).await?;
    let (sink, stream) = wire.split();
    let line = Line::new(options.witness.clone());
    let receiver = SocketReceiver::new(stream, line.clone(), options.timeout);
    Ok(Socket { sender: SocketSender::new(sink, line), receiver })
}

async fn open(authority: &str, receive_buffer: Option<u32>) -> Result<TcpStream, SocketError> {
    let address = lookup_host(authority).await?.next().ok_or(std::io::ErrorKind::NotFound);
    let address = address.map_err(std::io::Error::from)?;
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    socket.set_nodelay(true)?;
    Ok(socket.connect(address).await?)
}

fn request(authority: &str, options: &SocketOptions) -> Result<Request<()>, SocketError> {
    let mut request = format!("ws://{authority}/v1/ws").into_client_request()?;
    let protocols = (!options.protocols.is_empty())
        .then(|| ("sec-websocket-protocol".to_owned(), options.protocols.join(", ")));
    for (name, value) in protocols.iter().chain(&options.headers) {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|error| WireError::HttpFormat(error.into()))?;
        let value = HeaderValue::from_str(value).map_err(|error| WireError::HttpFormat(error.into()))?;
        request.headers_mut().append(name, value);
    }
    Ok(request)
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, SocketError> {
    let text = value.to_string();
    serde_json::from_value(value)
        .map_err(|error| SocketError::Unreadable { text, problem: error.to_string() })
}
