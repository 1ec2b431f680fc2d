//! Leaving when the server goes down: the socket is told when to come back, goes on as before until then, and is closed a little later
//! if it is still there. What was given by then is answered first.

use anteroom_protocol::close::CloseCode;
use anteroom_protocol::server::ServerFrame;
use futures_util::StreamExt as _;
use tokio::time::Instant;

use super::super::greeting::Ended;
use super::Connection;
use crate::drain::{GRACE, Plan};

impl Connection {
    /// Takes this socket's moment from the plan and tells it.
    pub(super) async fn on_drain(&mut self, plan: Plan) -> Result<(), Ended> {
        if !plan.gives_time() {
            return self.leave().await;
        }
        let moment = plan.moment(rand::random());
        self.leaves_at = Some(Instant::now() + moment + GRACE);
        let reconnect_in_ms = u64::try_from(moment.as_millis()).unwrap_or(u64::MAX);
        self.tell(&ServerFrame::Goaway { reconnect_in_ms }).await
    }

    /// Answers what is under way, sends what waits, and closes. Nothing more is read.
    pub(super) async fn leave(&mut self) -> Result<(), Ended> {
        while let Some(answered) = self.underway.next().await {
            self.on_answer(answered).await?;
        }
        self.drain().await?;
        Err(CloseCode::Restart.into())
    }
}
