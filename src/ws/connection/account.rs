//! Who is on the socket, and until when: the account as the marketplace tells it, a new token, the end of the old one.

use anteroom_protocol::client::Refresh;
use anteroom_protocol::close::CloseCode;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Account;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

use super::super::Door;
use super::super::greeting::{Ended, end_code};
use super::{Asked, Connection};
use crate::app::identity::LEEWAY_SECONDS;
use crate::app::{AppError, user};

/// A deadline this far away is as good as none, and nearer than what the clock can hold.
const FAR_AWAY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// When a socket ends whose token ends then.
pub(super) fn end_of(door: &Door, expires_at: Time) -> Instant {
    let left = expires_at.plus_seconds(LEEWAY_SECONDS).as_micros() - door.app.clock.now().as_micros();
    Instant::now() + Duration::from_micros(left.max(0).unsigned_abs()).min(FAR_AWAY)
}

impl Connection {
    /// Ends a socket whose token has ended: nothing is taken from it or given to it any more, whatever was ready first.
    pub(super) fn still_holds(&self) -> Result<(), Ended> {
        if Instant::now() >= self.ends_at { Err(CloseCode::TokenExpired.into()) } else { Ok(()) }
    }

    /// The account for the answer to hello. The seat in the hub was taken before: what changes from now on is told, and a token that
    /// was taken back since it was verified is refused here.
    pub(super) async fn greeted_account(&mut self, hello: Option<&String>) -> Result<Account, Ended> {
        match self.account().await {
            Ok(account) => {
                self.told = Some(account.clone());
                Ok(account)
            }
            Err(error) => {
                let code = end_code(&error);
                let error = error.body();
                self.tell(&ServerFrame::Error { id: hello.cloned(), error }).await?;
                self.flush().await?;
                Err(code.into())
            }
        }
    }

    /// Something about the person has changed: tells the account if it is another one, and ends the socket if its token was taken back.
    pub(super) async fn on_person(&mut self) -> Result<(), Ended> {
        let account = self.account().await.map_err(|error| end_code(&error))?;
        if self.told.as_ref() != Some(&account) {
            self.tell(&ServerFrame::Account(account.clone())).await?;
            self.told = Some(account);
        }
        Ok(())
    }

    async fn account(&mut self) -> Result<Account, AppError> {
        let account = user::account(&self.door.app, &self.actor.user, self.issued_at).await;
        account.inspect_err(|error| {
            if let AppError::Internal(why) = error {
                tracing::error!(why, "cannot read an account");
            }
        })
    }

    /// A new token for the open socket. One that is not believed, or is another person's, changes nothing.
    pub(super) async fn on_refresh(&mut self, id: Option<String>, refresh: Refresh) -> Result<(), Ended> {
        let verified = match self.door.app.authenticate(&refresh.token).await {
            Ok(verified) => verified,
            Err(error) => return self.not_refreshed(id, error.body()).await,
        };
        if verified.actor != self.actor {
            let error = ErrorBody::new(ErrorCode::Forbidden, "a new token is of the same person");
            return self.not_refreshed(id, error).await;
        }
        self.expires_at = verified.expires_at;
        self.issued_at = verified.issued_at;
        self.ends_at = end_of(&self.door, verified.expires_at);
        self.answer(id, Ok(json!({ "token_expires_at": verified.expires_at }))).await
    }

    async fn not_refreshed(&mut self, id: Option<String>, error: ErrorBody) -> Result<(), Ended> {
        self.refused(Asked { what: "refresh", which: None }, error.code);
        self.answer(id, Err(error)).await
    }
}
