//! Frames that read or move something in the database and are no commands: they count as a person's requests do over HTTP.

use std::time::Duration;

use anteroom_protocol::client::ClientFrame;
use anteroom_protocol::close::CloseCode;
use tokio::time::Instant;

use super::super::greeting::Ended;
use super::Connection;
use crate::app::AppError;

/// Whether a frame asks the database for something. Commands have an allowance of their own.
fn asks(frame: &ClientFrame) -> bool {
    match frame {
        ClientFrame::Join(_)
        | ClientFrame::Read(_)
        | ClientFrame::MarkUnread(_)
        | ClientFrame::Refresh(_) => true,
        ClientFrame::Ping(ping) => !ping.heads.is_empty(),
        ClientFrame::Hello(_) | ClientFrame::Leave(_) | ClientFrame::Typing(_) | ClientFrame::Command(..) => {
            false
        }
    }
}

impl Connection {
    /// Takes this frame from its person's allowance. The time to wait, when there was none left.
    pub(super) fn haste(&self, frame: &ClientFrame) -> Option<Duration> {
        let allowance = if asks(frame) { self.door.app.rates.requests.take(&self.actor) } else { None };
        allowance.and_then(|left| left.refused_for)
    }

    pub(super) async fn on_haste(&mut self, id: Option<String>, wait: Duration) -> Result<(), Ended> {
        self.answer(id, Err(AppError::RateLimited(wait).body())).await?;
        if self.session.hurried(Instant::now()) {
            self.flush().await?;
            return Err(CloseCode::RateLimited.into());
        }
        Ok(())
    }
}
