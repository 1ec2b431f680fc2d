//! What people are shown: the part of the port that reads what somebody may see, page by page.

use anteroom_protocol::candidacy::{CandidacyView, ClientMark, Phase};
use anteroom_protocol::contract::ContractView;
use anteroom_protocol::id::{
    CandidacyId, ContractId, InvitationId, JobId, OfferId, ProposalId, ReportId, RoomId, UserId,
};
use anteroom_protocol::invitation::{InvitationStatus, InvitationView};
use anteroom_protocol::job::JobView;
use anteroom_protocol::offer::OfferView;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::report::ReportView;
use anteroom_protocol::room::RoomView;
use anteroom_protocol::terms::TermsView;
use anteroom_protocol::time::Time;
use async_trait::async_trait;

use crate::domain::log::Log;
use crate::store::{Access, CaseKey, Due, Page, Person, StoreError};

/// The views' part of the port.
#[async_trait]
pub trait Views: Send + Sync + 'static {
    /// A person.
    async fn user(&self, user: &UserId) -> Result<Option<Person>, StoreError>;

    /// A job, if it is open, the reader's own, or one the reader has a candidacy on.
    async fn job(&self, reader: &UserId, job: &JobId) -> Result<Option<JobView>, StoreError>;

    /// Open jobs and the reader's own, newest first.
    async fn jobs(&self, reader: &UserId, limit: u32) -> Result<Vec<JobView>, StoreError>;

    /// For each log, what this reader may know of it; `None`: not theirs, or not there. One question whatever their number.
    async fn access(&self, reader: &UserId, logs: &[(Log, u64)]) -> Result<Vec<Option<Access>>, StoreError>;

    /// The people of a log as they are now.
    async fn readers(&self, log: &Log) -> Result<Vec<UserId>, StoreError>;

    /// How many bytes the entries after this number and up to that one hold.
    async fn measure(&self, log: &Log, after: u64, up_to: u64) -> Result<u64, StoreError>;

    /// A room of the reader's.
    async fn room(&self, reader: &UserId, room: RoomId) -> Result<Option<RoomView>, StoreError>;

    /// The reader's rooms, newest first.
    async fn rooms(&self, reader: &UserId, page: Page<RoomId>) -> Result<Vec<RoomView>, StoreError>;

    /// The room of this case, if it has one, whoever asks.
    async fn room_of(&self, key: &CaseKey) -> Result<Option<RoomId>, StoreError>;

    /// An invitation of the reader's.
    async fn invitation(
        &self,
        reader: &UserId,
        invitation: InvitationId,
        now: Time,
    ) -> Result<Option<InvitationView>, StoreError>;

    /// The reader's invitations on either side, newest first.
    async fn invitations(
        &self,
        reader: &UserId,
        status: Option<InvitationStatus>,
        page: Page<InvitationId>,
        now: Time,
    ) -> Result<Vec<InvitationView>, StoreError>;

    /// A proposal of the reader's.
    async fn proposal(
        &self,
        reader: &UserId,
        proposal: ProposalId,
    ) -> Result<Option<ProposalView>, StoreError>;

    /// The reader's proposals on either side, newest first.
    async fn proposals(
        &self,
        reader: &UserId,
        phase: Option<Phase>,
        page: Page<ProposalId>,
    ) -> Result<Vec<ProposalView>, StoreError>;

    /// A candidacy of the reader's.
    async fn candidacy(
        &self,
        reader: &UserId,
        candidacy: CandidacyId,
    ) -> Result<Option<CandidacyView>, StoreError>;

    /// The reader's candidacies on either side, newest first; with a mark, those of the reader's own jobs that the reader has sorted so.
    async fn candidacies(
        &self,
        reader: &UserId,
        phase: Option<Phase>,
        mark: Option<ClientMark>,
        page: Page<CandidacyId>,
    ) -> Result<Vec<CandidacyView>, StoreError>;

    /// Every version of the terms of a candidacy of the reader's, newest first.
    async fn terms(
        &self,
        reader: &UserId,
        candidacy: CandidacyId,
    ) -> Result<Option<Vec<TermsView>>, StoreError>;

    /// An offer of the reader's.
    async fn offer(&self, reader: &UserId, offer: OfferId) -> Result<Option<OfferView>, StoreError>;

    /// A contract of the reader's.
    async fn contract(
        &self,
        reader: &UserId,
        contract: &ContractId,
    ) -> Result<Option<ContractView>, StoreError>;

    /// All contracts there are, the one that was formed last first; each as its client sees it.
    async fn contracts(&self, page: Page<ContractId>) -> Result<Vec<ContractView>, StoreError>;

    /// What was reported, newest first.
    async fn reports(&self, page: Page<ReportId>) -> Result<Vec<ReportView>, StoreError>;

    /// What is to be done by itself until now, the longest due first, at most so many.
    async fn due(&self, now: Time, limit: u32) -> Result<Vec<Due>, StoreError>;
}
