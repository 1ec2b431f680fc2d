//! What stands between the nodes of a deaf fleet and their Redis: everything that a node tells the others is lost on its way, but for its
//! ticks, which say how much it has told.
//!
//! Redis can refuse to publish, but a refusal is an answer, and the sender would know. Here the sender is told that all is well: its
//! publication reaches Redis on a channel that nobody listens to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::{ConnectionAddr, IntoConnectionInfo as _};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter,
};
use tokio::net::{TcpListener, TcpStream};

/// Where publications go that are to be heard by nobody.
const NOWHERE: &[u8] = b"nowhere";

/// A relay that goes with the test's runtime.
pub(super) struct Relay {
    url: String,
    lost: Arc<AtomicU64>,
}

impl Relay {
    /// One in front of the Redis of this URL.
    pub(super) fn start(redis: &str) -> Self {
        let info = redis.into_connection_info().expect("the URL of a Redis");
        let ConnectionAddr::Tcp(host, port) = info.addr().clone() else { panic!("a Redis without TLS") };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address: SocketAddr = listener.local_addr().expect("an address");
        let listener = TcpListener::from_std(listener).expect("a listener");
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(serve(listener, (host.clone(), port), lost.clone()));
        Self { url: redis.replace(&format!("{host}:{port}"), &address.to_string()), lost }
    }

    /// The URL that a node is given in the place of the other.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Publications of what was committed that were lost.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

async fn serve(listener: TcpListener, redis: (String, u16), lost: Arc<AtomicU64>) {
    while let Ok((client, _)) = listener.accept().await {
        let (redis, lost) = (redis.clone(), lost.clone());
        tokio::spawn(async move {
            let server = TcpStream::connect(redis).await?;
            // Neither waits for a second piece before it sends the first.
            client.set_nodelay(true)?;
            server.set_nodelay(true)?;
            let (from_client, mut to_client) = client.into_split();
            let (mut from_server, to_server) = server.into_split();
            let there = pass(BufReader::new(from_client), BufWriter::new(to_server), &lost);
            let back = async { tokio::io::copy(&mut from_server, &mut to_client).await.map(drop) };
            // Fair: whichever end goes first takes the connection with it.
            tokio::select! {
                ended = there => ended,
                ended = back => ended,
            }
        });
    }
}

/// Passes on one command after the other, until the client goes.
async fn pass(
    mut from: impl AsyncBufRead + Unpin,
    mut to: BufWriter<impl tokio::io::AsyncWrite + Unpin>,
    lost: &AtomicU64,
) -> io::Result<()> {
    while let Some(mut command) = command(&mut from).await? {
        if let [verb, channel, _] = &mut command[..]
            && verb == b"PUBLISH"
            && !channel.ends_with(b":tick")
        {
            let is_kept = channel.windows(4).any(|part| part == b":ev:");
            lost.fetch_add(is_kept.into(), Ordering::Relaxed);
            *channel = NOWHERE.to_owned();
        }
        to.write_all(format!("*{}\r\n", command.len()).as_bytes()).await?;
        for argument in command {
            to.write_all(format!("${}\r\n", argument.len()).as_bytes()).await?;
            to.write_all(&argument).await?;
            to.write_all(b"\r\n").await?;
        }
        to.flush().await?;
    }
    Ok(())
}

/// The next command of a client: an array of strings, each with its length before it.
async fn command(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<Vec<u8>>>> {
    let Some(arguments) = length(from, '*').await? else { return Ok(None) };
    let mut command = Vec::with_capacity(arguments);
    for _ in 0..arguments {
        let length = length(from, '$').await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut argument = vec![0; length + 2];
        from.read_exact(&mut argument).await?;
        argument.truncate(length);
        command.push(argument);
    }
    Ok(Some(command))
}

/// The number on the next line, behind this sign; `None`: there is no next line.
async fn length(from: &mut (impl AsyncBufRead + Unpin), sign: char) -> io::Result<Option<usize>> {
    let mut line = String::new();
    if from.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let number = line.strip_prefix(sign).and_then(|number| number.trim_end().parse().ok());
    number.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into())
}
