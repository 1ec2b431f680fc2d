//! The meter under the framing layer: it reads along, frame by frame, and ends what the framing layer would let pass for ever: pings
//! without end, empty pieces of a message, a frame of which one byte comes now and then.
//!
//! It sees every byte that a client sends after the upgrade, and changes none. What is wrong with a frame is for the framing layer to
//! say; here is only counted and timed.

mod counts;
mod frames;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use anteroom_protocol::close::CloseCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::has_budget_remaining;
use tokio::time::{Instant, Sleep, sleep_until};

use self::counts::Counts;
use self::frames::Frames;

/// How long a frame, and a message in pieces, may take from its first byte to its last.
const UNFINISHED: Duration = Duration::from_secs(15);
/// A deadline that is looked at this much after it passed was not waited for: the server was not reading, and that is not the client's
/// doing.
const LOOKED_AWAY: Duration = Duration::from_secs(1);

/// A stream, and what its client has sent on it so far.
#[derive(Debug)]
pub struct Metered<S> {
    stream: S,
    meter: Meter,
    progress: Progress,
}

#[derive(Debug)]
struct Meter {
    frames: Frames,
    counts: Counts,
    verdict: Option<CloseCode>,
    /// Exists while the rest of a frame or message is waited for.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Metered<S> {
    /// Meters a stream of which these bytes were read already. `frames` is how many frames may come within ten seconds.
    pub fn new(stream: S, read: &[u8], frames: u32) -> Self {
        let counts = Counts::new(frames);
        let mut meter = Meter { frames: Frames::default(), counts, verdict: None, deadline: None };
        meter.take(read);
        Self { stream, meter, progress: Progress::new() }
    }

    /// Why reading failed, if it was the meter that ended it.
    pub fn verdict(&self) -> Option<CloseCode> {
        self.meter.verdict
    }

    /// When the other side last took bytes; can be asked while the stream is being written.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// The stream itself, to read past the meter.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

/// When the other side of a stream last took bytes.
#[derive(Debug, Clone)]
pub struct Progress(Arc<Stamp>);

#[derive(Debug)]
struct Stamp {
    opened: Instant,
    millis: AtomicU64,
}

impl Progress {
    fn new() -> Self {
        Self(Arc::new(Stamp { opened: Instant::now(), millis: AtomicU64::new(0) }))
    }

    /// When it last took bytes; before the first, when the stream was opened. To the millisecond.
    pub fn last(&self) -> Instant {
        self.0.opened + Duration::from_millis(self.0.millis.load(Ordering::Relaxed))
    }

    fn made(&self) {
        let millis = u64::try_from(self.0.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.millis.store(millis, Ordering::Relaxed);
    }
}

impl Meter {
    /// Looks at bytes that came.
    fn take(&mut self, bytes: &[u8]) {
        let Self { frames, counts, verdict, deadline } = self;
        counts.turn(Instant::now());
        if frames.advance(bytes, |head| counts.add(head)) {
            *deadline = None;
        }
        *verdict = verdict.or(counts.verdict());
    }

    /// Whether the rest of a frame or message has been waited for too long.
    fn wait(&mut self, cx: &mut Context<'_>) {
        if self.frames.at_rest() {
            return;
        }
        let deadline =
            self.deadline.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + UNFINISHED)));
        while deadline.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now.duration_since(deadline.deadline()) < LOOKED_AWAY {
                self.verdict = Some(CloseCode::Malformed);
                return;
            }
            deadline.as_mut().reset(now + UNFINISHED);
        }
    }

    fn pass(&self) -> io::Result<()> {
        self.verdict.map_or(Ok(()), |code| Err(io::Error::other(code.reason())))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, meter, .. } = self.get_mut();
        meter.pass()?;
        let before = buf.filled().len();
        match Pin::new(stream).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                meter.take(buf.filled().get(before..).unwrap_or_default());
                Poll::Ready(meter.pass())
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                // A task that has had its turn is told to wait whatever there is to read.
                if has_budget_remaining() {
                    meter.counts.nothing_left = Instant::now();
                }
                meter.wait(cx);
                meter.pass()?;
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, progress, .. } = self.get_mut();
        let written = Pin::new(stream).poll_write(cx, buf);
        if matches!(written, Poll::Ready(Ok(1..))) {
            progress.made();
        }
        written
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::counts::WINDOW;
    use super::frames::{Head, bytes};
    use super::*;

    const TEXT: Head = Head { first: 0x81, length: 9 };
    const PIECE: Head = Head { first: 0x01, length: 9 };
    const LAST: Head = Head { first: 0x80, length: 9 };
    const NOTHING: Head = Head { first: 0x00, length: 0 };
    const PING: Head = Head { first: 0x89, length: 0 };

    fn verdict(frames: impl IntoIterator<Item = Head>) -> Option<CloseCode> {
        let read: Vec<u8> = frames.into_iter().flat_map(bytes).collect();
        Metered::new((), &read, 200).verdict()
    }

    #[tokio::test]
    async fn each_bound_has_its_own_word() {
        let many = std::iter::repeat_n;
        assert_eq!(verdict(many(PING, 50)), None);
        assert_eq!(verdict(many(PING, 51)), Some(CloseCode::RateLimited));
        assert_eq!(verdict(many(NOTHING, 100)), None);
        assert_eq!(verdict(many(NOTHING, 101)), Some(CloseCode::Malformed));
        assert_eq!(verdict(many(TEXT, 200)), None);
        assert_eq!(verdict(many(TEXT, 201)), Some(CloseCode::RateLimited));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_slowly_enough_may_come_for_ever() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = Metered::new(server, &[], 200);
        for _ in 0..20 {
            for head in std::iter::repeat_n(PING, 50) {
                let bytes = bytes(head);
                client.write_all(&bytes).await.expect("sent");
                server.read_exact(&mut vec![0; bytes.len()]).await.expect("passed");
            }
            tokio::time::advance(WINDOW).await;
        }
    }

    /// Reads for ever; how long it took until the meter said no.
    async fn ended(server: &mut Metered<tokio::io::DuplexStream>) -> Duration {
        let began = Instant::now();
        while server.read(&mut [0; 64]).await.is_ok() {}
        began.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_comes_byte_by_byte_is_waited_for_fifteen_seconds() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = Metered::new(server, &[], 200);
        let trickle = async {
            for byte in bytes(Head { first: 0x81, length: 100 }) {
                client.write_all(&[byte]).await.expect("sent");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        let waited =
            tokio::select! { waited = ended(&mut server) => waited, () = trickle => panic!("passed") };
        assert_eq!((waited.as_secs(), server.verdict()), (15, Some(CloseCode::Malformed)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_in_pieces_is_waited_for_as_a_whole() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = Metered::new(server, &bytes(PIECE), 200);
        let trickle = async {
            for piece in [Head { first: 0x00, ..PIECE }, PING].into_iter().cycle() {
                tokio::time::sleep(Duration::from_secs(2)).await;
                client.write_all(&bytes(piece)).await.expect("sent");
            }
        };
        let waited =
            tokio::select! { waited = ended(&mut server) => waited, () = trickle => panic!("passed") };
        assert_eq!((waited.as_secs(), server.verdict()), (15, Some(CloseCode::Malformed)));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_finishes_may_be_silent_for_as_long_as_the_heartbeat_allows() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = Metered::new(server, &bytes(PIECE), 200);
        let slow = async {
            for part in [bytes(LAST), bytes(TEXT), bytes(PIECE), bytes(LAST)] {
                let (one, two) = part.split_at(part.len() / 2);
                client.write_all(one).await.expect("sent");
                tokio::time::sleep(Duration::from_secs(7)).await;
                client.write_all(two).await.expect("sent");
            }
            tokio::time::sleep(Duration::from_secs(50)).await;
        };
        tokio::select! { _ = ended(&mut server) => panic!("ended"), () = slow => {} }
    }

    /// The server stops reading a client that has many commands on their way. What was half-sent then is late through no fault of the
    /// client's.
    #[tokio::test(start_paused = true)]
    async fn time_in_which_the_server_did_not_read_is_not_held_against_the_client() {
        let (mut client, server) = tokio::io::duplex(1024);
        let mut server = Metered::new(server, &[], 200);
        let text = bytes(TEXT);
        let (one, two) = text.split_at(5);
        client.write_all(one).await.expect("sent");
        let reading = tokio::time::timeout(Duration::from_secs(1), ended(&mut server)).await;
        assert!(reading.is_err(), "it waits for the rest");
        tokio::time::advance(Duration::from_secs(60)).await;
        let late = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.write_all(two).await.expect("sent");
            tokio::time::sleep(Duration::from_secs(60)).await;
        };
        tokio::select! { _ = ended(&mut server) => panic!("ended"), () = late => {} }
    }

    /// A reader of a kilobyte a second gave a sign of life each second. The server wrote to it for a minute and a half without reading, then
    /// read all of them at once, and closed it for its haste.
    #[tokio::test(start_paused = true)]
    async fn regression_what_came_while_the_server_did_not_read_is_not_haste() {
        let (mut client, server) = tokio::io::duplex(4_096);
        let mut server = Metered::new(server, &[], 200);
        let reading = tokio::time::timeout(Duration::from_secs(1), ended(&mut server)).await;
        assert!(reading.is_err(), "nothing is wrong with it");
        tokio::time::advance(Duration::from_secs(90)).await;
        client.write_all(&bytes(PING).repeat(90)).await.expect("sent");
        let reading = tokio::time::timeout(Duration::from_secs(11), ended(&mut server)).await;
        assert!(reading.is_err(), "it was no faster than it may be");
        client.write_all(&bytes(PING).repeat(90)).await.expect("sent");
        ended(&mut server).await;
        assert_eq!(server.verdict(), Some(CloseCode::RateLimited), "and is counted as ever when it is read");
    }

    /// The counts were begun anew every ten seconds, each time with credit for all the time since there was last nothing left to read: whoever
    /// saw to it that there always was something sent more in each ten seconds than in the ten before.
    #[tokio::test(start_paused = true)]
    async fn regression_whoever_always_has_more_to_read_is_no_faster_for_it() {
        let (mut client, server) = tokio::io::duplex(1024 * 1024);
        let mut server = Metered::new(server, &[], 200);
        let ping = bytes(PING);
        client.write_all(&ping.repeat(10_000)).await.expect("sent");
        let mut read = 0;
        // Five a second may come.
        'reading: for a_second in std::iter::repeat_n(5, 10).chain(std::iter::repeat_n(10, 100)) {
            for _ in 0..a_second {
                if server.read_exact(&mut vec![0; ping.len()]).await.is_err() {
                    break 'reading;
                }
                read += 1;
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!((read, server.verdict()), (100, Some(CloseCode::RateLimited)));
    }

    #[tokio::test(start_paused = true)]
    async fn progress_is_when_bytes_were_taken_and_not_when_they_were_offered() {
        let (mut client, server) = tokio::io::duplex(8);
        let mut server = Metered::new(server, &[], 200);
        let (began, progress) = (Instant::now(), server.progress());
        tokio::time::advance(Duration::from_secs(3)).await;
        server.write_all(&[0; 8]).await.expect("room for it");
        let stalled = tokio::time::timeout(Duration::from_secs(5), server.write_all(&[0; 8])).await;
        assert!(stalled.is_err());
        assert_eq!(progress.last().duration_since(began).as_secs(), 3);
        client.read_exact(&mut [0; 8]).await.expect("taken");
        server.write_all(&[0; 1]).await.expect("room again");
        assert_eq!(progress.last().duration_since(began).as_secs(), 8);
    }
}
