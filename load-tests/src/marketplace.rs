//! The marketplace in a few lines: tells the server of people and jobs, and opens rooms by inviting and accepting.

use anteroom_protocol::command::Command;
use anteroom_protocol::id::{CandidacyId, IdError, InvitationId, JobId, RoomRef, UserId};
use anteroom_protocol::invitation::{InvitationAccept, InvitationSend};
use anteroom_protocol::job::{JobPosting, JobStatus, JobView};
use anteroom_protocol::room::Cursor;
use anteroom_protocol::server::Welcome;
use anteroom_protocol::terms::Amounts;
use anteroom_protocol::user::{UserProfile, UserView};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::client::{Case, Http, HttpError, Socket, SocketError, new_client_id, path_segment};
use crate::token::TokenMint;

/// Requests under way at a time while many rooms are opened.
const AT_ONCE: usize = 32;

/// Why a room could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum MarketplaceError {
    /// The server refused, or did not answer.
    #[error("{step}: {source}")]
    Http {
        /// What was tried.
        step: &'static str,
        /// What came of it.
        source: HttpError,
    },
    /// An answer lacks what must be in it.
    #[error("the answer of {step} has no {field}")]
    Incomplete {
        /// What was tried.
        step: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// The prefix makes ids that are none.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// A room of two, and the case it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRoom {
    /// The room.
    pub room: RoomRef,
    /// Its candidacy.
    pub candidacy: CandidacyId,
    /// The invitation it began with.
    pub invitation: InvitationId,
    /// Its job.
    pub job: JobId,
    /// Whose job it is.
    pub client: UserId,
    /// The candidate.
    pub freelancer: UserId,
}

/// The marketplace's side of the server.
#[derive(Debug, Clone)]
pub struct Marketplace {
    service: Http,
    mint: TokenMint,
}

impl Marketplace {
    /// The marketplace of this server.
    pub fn new(base: &str, mint: &TokenMint) -> Self {
        Self { service: Http::new(base, mint.service()), mint: mint.clone() }
    }

    /// The routes as the marketplace's back end sees them.
    pub fn service(&self) -> &Http {
        &self.service
    }

    /// The routes as this person sees them.
    pub fn as_user(&self, user: &UserId) -> Http {
        self.service.with_token(self.mint.user(user))
    }

    /// A token of this person.
    pub fn token(&self, user: &UserId) -> String {
        self.mint.user(user)
    }

    /// A socket of this person, joined to these logs.
    ///
    /// # Errors
    /// [`SocketError`].
    pub async fn socket(&self, user: &UserId, rooms: Vec<Cursor>) -> Result<(Socket, Welcome), SocketError> {
        Socket::connect(self.service.base(), &self.token(user), rooms).await
    }

    /// Tells of an active person with this name.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn put_user(&self, user: &UserId, name: &str) -> Result<UserView, HttpError> {
        self.put_profile(user, &UserProfile::active(name)).await
    }

    /// Tells everything of a person.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn put_profile(&self, user: &UserId, profile: &UserProfile) -> Result<UserView, HttpError> {
        self.service.put(&format!("/v1/users/{}", path_segment(user.as_str())), profile).await
    }

    /// Tells of an open job with this title.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn put_job(&self, job: &JobId, client: &UserId, title: &str) -> Result<JobView, HttpError> {
        self.put_posting(job, &posting(client, title)).await
    }

    /// Tells everything of a job.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn put_posting(&self, job: &JobId, posting: &JobPosting) -> Result<JobView, HttpError> {
        self.service.put(&format!("/v1/jobs/{}", path_segment(job.as_str())), posting).await
    }

    /// Lets the client invite the freelancer, without terms.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn invite(&self, job: &JobId, client: &UserId, freelancer: &UserId) -> Result<Case, HttpError> {
        let message = "Would you like to discuss this job?".to_owned();
        let send = InvitationSend { job: job.clone(), freelancer: freelancer.clone(), message, terms: None };
        self.as_user(client).command(new_client_id(), &Command::InvitationSend(send)).await
    }

    /// Lets the freelancer accept, as suggested.
    ///
    /// # Errors
    /// [`HttpError`].
    pub async fn accept(&self, invitation: InvitationId, freelancer: &UserId) -> Result<Case, HttpError> {
        let message = "Yes, with pleasure.".to_owned();
        let accept = InvitationAccept { invitation, message, terms: None, amounts: Amounts::Charged };
        self.as_user(freelancer).command(new_client_id(), &Command::InvitationAccept(accept)).await
    }

    /// Opens a room between two new people: `<name>-client` and `<name>-freelancer`, on the job `<name>-job`.
    ///
    /// # Errors
    /// [`MarketplaceError`].
    pub async fn open_room(&self, name: &str) -> Result<OpenRoom, MarketplaceError> {
        let client: UserId = format!("{name}-client").parse()?;
        let freelancer: UserId = format!("{name}-freelancer").parse()?;
        let job: JobId = format!("{name}-job").parse()?;
        let (one, other) =
            tokio::join!(self.put_user(&client, "A client"), self.put_user(&freelancer, "A freelancer"));
        one.and(other).map_err(at("telling of a user"))?;
        self.put_job(&job, &client, "A job").await.map_err(at("telling of a job"))?;
        self.open_room_between(job, client, freelancer).await
    }

    /// Opens a room between two people on a job, all of whom the server knows.
    ///
    /// # Errors
    /// [`MarketplaceError`].
    pub async fn open_room_between(
        &self,
        job: JobId,
        client: UserId,
        freelancer: UserId,
    ) -> Result<OpenRoom, MarketplaceError> {
        let sent = self.invite(&job, &client, &freelancer).await.map_err(at("invitation.send"))?;
        let missing = MarketplaceError::Incomplete { step: "invitation.send", field: "invitation" };
        let invitation = sent.invitation.ok_or(missing)?;
        let accepted = self.accept(invitation, &freelancer).await.map_err(at("invitation.accept"))?;
        let missing = MarketplaceError::Incomplete { step: "invitation.accept", field: "room" };
        let room = accepted.room.ok_or(missing)?;
        Ok(OpenRoom { room, candidacy: accepted.candidacy, invitation, job, client, freelancer })
    }

    /// Opens this many rooms, each as [`Self::open_room`] does, named `<prefix>-0`, `<prefix>-1`, …
    ///
    /// # Errors
    /// [`MarketplaceError`] of the first that failed.
    pub async fn open_rooms(&self, count: usize, prefix: &str) -> Result<Vec<OpenRoom>, MarketplaceError> {
        stream::iter(0..count)
            .map(|number| async move { self.open_room(&format!("{prefix}-{number}")).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }
}

/// An open job with this title, of which nothing else is known.
pub fn posting(client: &UserId, title: &str) -> JobPosting {
    JobPosting {
        client: client.clone(),
        title: title.to_owned(),
        description: String::new(),
        category: None,
        url: None,
        status: JobStatus::Open,
        fee_schedule: None,
    }
}

fn at(step: &'static str) -> impl Fn(HttpError) -> MarketplaceError {
    move |source| MarketplaceError::Http { step, source }
}
