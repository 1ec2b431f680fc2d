//! Patience with a slow reader: while it takes anything at all it is waited for, and what it cannot take stays in the log. It is closed
//! when it takes nothing for a while, when its token ends, or when the server wants it closed.

use std::time::Duration;

use anteroom_protocol::close::CloseCode;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite;

use super::super::WRITE_STALL;
use super::super::greeting::Ended;
use super::super::meter::Progress;
use crate::hub::outbox::Outbox;

/// How often somebody who waits for a reader looks whether the socket is to be closed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What ends the waiting for a write.
pub(super) struct Patience<'a> {
    pub(super) progress: &'a Progress,
    pub(super) outbox: &'a Outbox,
    /// When the socket's token ends.
    pub(super) ends_at: Instant,
}

impl Patience<'_> {
    /// Waits for a write.
    pub(super) async fn with(
        &self,
        write: impl Future<Output = tungstenite::Result<()>>,
    ) -> Result<(), Ended> {
        let mut write = std::pin::pin!(write);
        let began = Instant::now();
        loop {
            let look = Instant::now() + LOOK_EVERY;
            tokio::select! {
                biased;
                written = &mut write => return outcome(&written),
                () = sleep_until(look) => self.look(began)?,
            }
        }
    }

    fn look(&self, began: Instant) -> Result<(), Ended> {
        let now = Instant::now();
        if let Some(code) = self.outbox.closing() {
            Err(code.into())
        } else if now >= self.ends_at {
            Err(CloseCode::TokenExpired.into())
        } else if now.duration_since(self.progress.last().max(began)) >= WRITE_STALL {
            Err(CloseCode::Slow.into())
        } else {
            Ok(())
        }
    }
}

fn outcome(written: &tungstenite::Result<()>) -> Result<(), Ended> {
    match written {
        Ok(()) => Ok(()),
        Err(tungstenite::Error::WriteBufferFull(_)) => Err(CloseCode::Slow.into()),
        Err(_) => Err(Ended(None)),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    use super::super::super::meter::Metered;
    use super::*;

    async fn write(stream: &mut Metered<DuplexStream>, bytes: usize) -> tungstenite::Result<()> {
        stream.write_all(&vec![7; bytes]).await.map_err(tungstenite::Error::Io)
    }

    /// Writes a kilobyte towards somebody who takes a byte at a time, this often.
    async fn to_one_who_takes_a_byte_every(seconds: u64, ends_in: u64) -> Result<(), Ended> {
        let (near, mut far) = duplex(16);
        let mut near = Metered::new(near, &[], 100);
        let outbox = Outbox::unbounded();
        let progress = near.progress();
        let ends_at = Instant::now() + Duration::from_secs(ends_in);
        let patience = Patience { progress: &progress, outbox: &outbox, ends_at };
        let reader = async {
            loop {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                drop(far.read_u8().await);
            }
        };
        tokio::select! {
            written = patience.with(write(&mut near, 1_024)) => written,
            () = reader => Ok(()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_who_takes_a_little_now_and_then_is_waited_for_and_one_who_takes_nothing_is_not() {
        assert_eq!(to_one_who_takes_a_byte_every(8, 1_000_000).await, Ok(()));
        assert_eq!(to_one_who_takes_a_byte_every(60, 1_000_000).await, Err(CloseCode::Slow.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_waited_for_beyond_the_end_of_the_token_or_when_the_socket_is_to_be_closed() {
        assert_eq!(to_one_who_takes_a_byte_every(8, 100).await, Err(CloseCode::TokenExpired.into()));

        let (near, _far) = duplex(16);
        let mut near = Metered::new(near, &[], 100);
        let (outbox, progress) = (Outbox::unbounded(), near.progress());
        let ends_at = Instant::now() + Duration::from_secs(1_000);
        let patience = Patience { progress: &progress, outbox: &outbox, ends_at };
        outbox.close(CloseCode::Replaced);
        assert_eq!(patience.with(write(&mut near, 1_024)).await, Err(CloseCode::Replaced.into()));
    }
}
