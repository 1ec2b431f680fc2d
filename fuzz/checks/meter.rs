//! The meter under the framing layer, on any bytes cut anywhere, against a reading of the whole (RFC 6455, 5.2).
//!
//! An input is the number of frames that may come, how many sizes follow, the sizes of the pieces (used in turn), and the bytes.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use anteroom::ws::meter::Metered;
use anteroom_protocol::close::CloseCode;
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, timeout};

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O can be made");
}

/// The meter sees the frames that are there, says no at the piece in which a bound is passed, and waits 15 s for what has begun.
pub(crate) fn check(data: &[u8]) {
    let [limit, sizes, data @ ..] = data else { return };
    let Some((sizes, bytes)) = data.split_at_checked(usize::from(sizes % 16)) else { return };
    let pieces = cut(bytes, sizes);
    let expected = expected(bytes, &pieces, u32::from(*limit));
    RUNTIME.with(|runtime| runtime.block_on(metered(pieces, u32::from(*limit), expected)));
}

fn cut<'a>(mut bytes: &'a [u8], sizes: &[u8]) -> VecDeque<&'a [u8]> {
    let mut pieces = VecDeque::new();
    for size in sizes.iter().chain(&[u8::MAX]).cycle() {
        if bytes.is_empty() {
            break;
        }
        let (piece, rest) = bytes.split_at(usize::from(*size).clamp(1, bytes.len()));
        pieces.push_back(piece);
        bytes = rest;
    }
    pieces
}

/// What is to be said of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// No, at once.
    No(CloseCode),
    /// No, when the rest has not come for 15 s.
    Unfinished,
    /// Nothing.
    Yes,
}

fn expected(bytes: &[u8], pieces: &VecDeque<&[u8]>, limit: u32) -> Expected {
    let (heads, finished) = heads(bytes);
    let mut end = 0;
    for piece in pieces {
        end += piece.len();
        let seen = || heads.iter().filter(|head| head.end <= end);
        if seen().filter(|head| head.empty_piece).count() > 100 {
            return Expected::No(CloseCode::Malformed);
        }
        if seen().filter(|head| head.control).count() > 50 || seen().count() > limit as usize {
            return Expected::No(CloseCode::RateLimited);
        }
    }
    if finished { Expected::Yes } else { Expected::Unfinished }
}

struct Head {
    /// Behind the last byte of its length.
    end: usize,
    control: bool,
    empty_piece: bool,
}

/// The heads of all frames, and whether the last of them, and the message it is of, is whole.
fn heads(bytes: &[u8]) -> (Vec<Head>, bool) {
    let (mut heads, mut at, mut in_pieces) = (Vec::new(), 0_usize, false);
    while at < bytes.len() {
        let Some(&[first, second]) = bytes.get(at..at + 2) else { return (heads, false) };
        let (end, length) = match second & 0x7f {
            126 => (at + 4, bytes.get(at + 2..at + 4).map(number)),
            127 => (at + 10, bytes.get(at + 2..at + 10).map(number)),
            short => (at + 2, Some(u64::from(short))),
        };
        let Some(length) = length else { return (heads, false) };
        let (last, opcode) = (first >= 0x80, first & 0x0f);
        let control = opcode >= 8;
        heads.push(Head { end, control, empty_piece: !control && length == 0 && !(last && opcode != 0) });
        if !control {
            in_pieces = !last;
        }
        let mask = if second >= 0x80 { 4 } else { 0 };
        let next = u128::from(length) + mask + end as u128;
        match usize::try_from(next) {
            Ok(next) if next <= bytes.len() => at = next,
            Ok(_) | Err(_) => return (heads, false),
        }
    }
    (heads, !in_pieces)
}

fn number(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |number, digit| number * 256 + u64::from(*digit))
}

/// Gives the pieces one by one, and then nothing for ever.
struct Pieces<'a>(VecDeque<&'a [u8]>);

impl AsyncRead for Pieces<'_> {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut().0.pop_front() {
            Some(piece) => {
                buf.put_slice(piece);
                Poll::Ready(Ok(()))
            }
            None => Poll::Pending,
        }
    }
}

async fn metered(mut pieces: VecDeque<&[u8]>, limit: u32, expected: Expected) {
    let read = pieces.pop_front().unwrap_or_default();
    let mut metered = Metered::new(Pieces(pieces), read, limit);
    let began = Instant::now();
    let patience = Duration::from_secs(60);
    let reading = async { while metered.read(&mut [0; 256]).await.is_ok() {} };
    let ended = timeout(patience, reading).await.is_ok();
    let (seconds, verdict) = (began.elapsed().as_secs(), metered.verdict());
    let found = match (ended, seconds, verdict) {
        (true, 0, Some(code)) => Expected::No(code),
        (true, 15, Some(CloseCode::Malformed)) => Expected::Unfinished,
        (false, _, None) => Expected::Yes,
        (_, _, _) => panic!("{verdict:?} after {seconds} s, instead of {expected:?}"),
    };
    assert_eq!(found, expected, "at most {limit} frames");
}
