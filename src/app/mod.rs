//! The use cases: one function per command, the same for both doors. A function takes what the wire brought, makes it into the
//! domain's words, and hands the writer a decision; the domain decides, the store keeps, the hub and the bus tell.

pub mod audit;
pub mod candidacy;
pub mod contract;
pub mod cursor;
pub mod demo;
pub mod dispatch;
pub mod event;
pub mod fee;
pub mod follow;
pub mod identity;
pub mod invitation;
pub mod job;
pub mod lane;
pub mod ledger;
pub mod marker;
pub mod member;
pub mod message;
pub mod offer;
pub mod proposal;
pub mod push;
pub mod rate;
pub mod report;
pub mod resume;
pub mod room;
pub mod rule;
pub mod search;
pub mod telling;
pub mod terms;
pub mod timer;
pub mod transcript;
pub mod user;
pub mod webhook;
pub mod writer;

use std::sync::Arc;
use std::time::Duration;

use anteroom_protocol::command::Command;
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::{CandidacyId, ClientId, InvitationId, OfferId, ProposalId, ReportId, RoomId};
use anteroom_protocol::limits;
use anteroom_protocol::signature::{PublicKey, SigningKey};
use anteroom_protocol::time::Time;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use self::audit::Audit;
use self::cursor::Cursors;
use self::identity::{Identity, Unbelieved, Verified};
use self::rate::Rates;
use self::rule::Rule;
use self::telling::Telling;
use self::writer::{CaseJob, Writer};
use crate::clock::Clock;
use crate::domain::actor::{Actor, Scope};
use crate::domain::candidacy::{Case, Context, FreshIds};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::timer as due;
use crate::hub::Hub;
use crate::outbound::Outbound;
use crate::store::{CommitError, Committed, Intent, Page, Store, StoreError};
use crate::telemetry::Metrics;
use crate::wire::to_wire;

/// How long an answer to a command is waited for. Then its outcome is unknown, and the client is told so.
pub const COMMIT_DEADLINE: Duration = Duration::from_secs(5);

/// What every use case works with.
pub struct App {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// Who listens here.
    pub hub: Arc<Hub>,
    /// Who is told of what: they, and the other nodes.
    pub telling: Arc<Telling>,
    /// The way to the truth.
    pub writer: Writer,
    /// Who is believed.
    pub identity: Identity,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// How fast people may go.
    pub rates: Rates,
    /// Who was refused what.
    pub audit: Audit,
    /// What marketplaces change.
    pub policy: Policy,
    /// The figures.
    pub metrics: Arc<Metrics>,
    /// Who takes transcripts.
    pub transcripts: Arc<transcript::Places>,
    /// What seals and transcripts are signed with.
    pub key: SigningKey,
    /// What those are verified with that were ever signed here, the first key first.
    pub public_keys: Vec<PublicKey>,
    /// Tells a repeat from another command under the same client id.
    pub command_key: [u8; 32],
    /// Seals what clients hold of the database's order.
    pub cursors: Cursors,
    /// The way out to addresses that others have named.
    pub outbound: Arc<dyn Outbound>,
    /// In whose name is pushed to browsers, and where to.
    pub pushes: push::Sender,
    /// What deliveries to webhooks are signed with.
    pub seals: webhook::Seals,
}

/// Why something was not done or not shown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppError {
    /// The rules refuse it.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// Its client id stands for another command.
    #[error("the client id stands for another command")]
    Reused,
    /// An earlier post of the same lane failed and was not sent again.
    #[error("held by {0}")]
    Held(ClientId),
    /// The person goes too fast; there will be room after this time.
    #[error("rate limited for {0:?}")]
    RateLimited(Duration),
    /// There is more to do than can be done.
    #[error("busy: {0}")]
    Busy(String),
    /// Perhaps done, perhaps not.
    #[error("unknown: {0}")]
    Unknown(String),
    /// No valid token.
    #[error("not authenticated: {0:?}")]
    Identity(Unbelieved),
    /// A bound was reached.
    #[error("limit: {0}")]
    Limit(&'static str),
    /// An address that this server does not connect to.
    #[error("address: {0}")]
    Address(String),
    /// The database failed while reading.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<Refusal> for AppError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<CommitError> for AppError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Refused(refusal) => Self::Refused(refusal),
            CommitError::Reused => Self::Reused,
            CommitError::Busy(why) => Self::Busy(why),
            CommitError::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused(refusal) => Self::Refused(refusal),
            StoreError::Database(why) => Self::Internal(why),
        }
    }
}

impl AppError {
    /// What a client is told. What is for the log alone is not in it.
    pub fn body(&self) -> ErrorBody {
        let new = ErrorBody::new;
        match self {
            Self::Refused(refusal) => to_wire::refusal(refusal),
            Self::Reused => new(ErrorCode::ClientIdReused, "this client_id stands for another command"),
            Self::Held(by) => ErrorBody {
                held_by: Some(*by),
                ..new(ErrorCode::Held, "an earlier message to this room failed; send that one again first")
            },
            Self::RateLimited(wait) => ErrorBody {
                retry_after_ms: Some(millis(*wait)),
                ..new(
                    ErrorCode::RateLimited,
                    "too much within too short a time; try again after retry_after_ms",
                )
            },
            Self::Busy(_) => ErrorBody {
                retry_after_ms: Some(1_000),
                ..new(ErrorCode::Busy, "the server has more to do than it can; try again")
            },
            Self::Unknown(_) => ErrorBody {
                retry_after_ms: Some(1_000),
                ..new(ErrorCode::Unknown, "the outcome is not known; send it again under the same client_id")
            },
            Self::Identity(why) => {
                let words = match why {
                    Unbelieved::Expired => "the token has ended",
                    Unbelieved::Invalid => "no valid token",
                    Unbelieved::Revoked => "the token was taken back; sign in again",
                    Unbelieved::UnknownUser => "the marketplace has not told of this user yet",
                    Unbelieved::KeysUnavailable => {
                        "the keys to check the token with cannot be had now; try again"
                    }
                };
                let retry_after_ms = why.code().retryable().then_some(5_000);
                ErrorBody { retry_after_ms, ..new(why.code(), words) }
            }
            Self::Limit(what) => ErrorBody::new(ErrorCode::LimitReached, *what),
            Self::Address(why) => new(ErrorCode::AddressRefused, why),
            Self::Internal(_) => new(ErrorCode::Internal, "the server failed; it is not your doing"),
        }
    }
}

/// A wait in whole milliseconds, never shorter than it is.
fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// A command that is on its way.
pub enum Pending {
    /// Refused before it got under way.
    Refused(AppError),
    /// With the writer, in the order in which the commands were given.
    Underway(tokio::sync::oneshot::Receiver<Result<Committed, AppError>>),
}

impl Pending {
    /// Waits for its outcome, at most [`COMMIT_DEADLINE`]. Dropping this does not take the command back.
    pub async fn outcome(self) -> Result<Committed, AppError> {
        match self {
            Self::Refused(error) => Err(error),
            Self::Underway(receiver) => match tokio::time::timeout(COMMIT_DEADLINE, receiver).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(AppError::Unknown("the writer has ended".into())),
                Err(_) => Err(AppError::Unknown("the commit takes too long".into())),
            },
        }
    }
}

impl App {
    /// Whose token this is. A person must be one the marketplace has told of, and the token not taken back.
    pub async fn authenticate(&self, token: &str) -> Result<Verified, AppError> {
        let outcome = self.authenticated(token).await;
        self.metrics.authenticated(outcome.as_ref().err().map(|error| error.body().code));
        outcome
    }

    async fn authenticated(&self, token: &str) -> Result<Verified, AppError> {
        let verified = self.identity.verify(token, self.clock.now()).await.map_err(AppError::Identity)?;
        if verified.actor.scope == Scope::User {
            user::account(self, &verified.actor.user, verified.issued_at).await?;
        }
        Ok(verified)
    }

    /// What stands for a command of this actor under this id.
    fn intent(&self, actor: &Actor, client_id: ClientId, command: &Command) -> Intent {
        let mut hmac =
            Hmac::<Sha256>::new_from_slice(&self.command_key).expect("HMAC takes a key of any length");
        hmac.update(&command.fingerprint());
        let mut mac = [0; 16];
        mac.copy_from_slice(&hmac.finalize().into_bytes()[..16]);
        Intent { actor: actor.key(), client_id, mac }
    }

    /// Hands the writer a rare command: it is decided on the case as it is by then, with all that has happened to it by itself.
    fn change(&self, actor: &Actor, intent: Intent, rule: Result<Rule, Refusal>) -> Pending {
        let Rule { about, decide } = match rule {
            Ok(rule) => rule,
            Err(refusal) => return Pending::Refused(refusal.into()),
        };
        let (actor, client_id, policy) = (actor.clone(), intent.client_id, self.policy.clone());
        let (ids, key_of_seals) = (fresh_ids(), self.key.clone());
        let decide = move |case: Case, now: Time| {
            let context = Context {
                actor: actor.clone(),
                client_id,
                now,
                policy: policy.clone(),
                ids: ids.clone(),
                key: key_of_seals.clone(),
            };
            let side = case.seat_of(&context.actor)?;
            let decisions = due::up_to_date(case, now, |case| decide(case, &context))?;
            Ok((decisions, side))
        };
        self.writer.change(CaseJob { intent: Some(intent), about, decide: Box::new(decide) })
    }
}

fn fresh_ids() -> FreshIds {
    let contract = Uuid::now_v7().to_string().parse().expect("a UUID is short and visible");
    FreshIds {
        candidacy: CandidacyId(Uuid::now_v7()),
        invitation: InvitationId(Uuid::now_v7()),
        proposal: ProposalId(Uuid::now_v7()),
        room: RoomId(Uuid::now_v7()),
        offer: OfferId(Uuid::now_v7()),
        contract,
        report: ReportId(Uuid::now_v7()),
    }
}

/// A page of a list as it was asked for, within the bounds.
pub fn page<Id>(before: Option<Id>, limit: Option<u32>) -> Page<Id> {
    Page { before, limit: page_limit(limit) }
}

/// How many items a page has.
pub fn page_limit(limit: Option<u32>) -> u32 {
    limit.unwrap_or(limits::PAGE_DEFAULT).clamp(1, limits::PAGE_ITEMS)
}
