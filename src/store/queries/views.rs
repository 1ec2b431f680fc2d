//! The parts of the port that only read.

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

use super::dialect::Adapter;
use super::{
    candidacy, case_room, contract, invitation, job, log, offer, proposal, report, room, terms, timer, user,
};
use crate::domain::log::Log;
use crate::store::{Access, CaseKey, Due, Page, Person, StoreError, Views};

#[async_trait]
impl Views for Adapter {
    async fn user(&self, user: &UserId) -> Result<Option<Person>, StoreError> {
        user::load(&self.readers, user).await
    }

    async fn job(&self, reader: &UserId, job: &JobId) -> Result<Option<JobView>, StoreError> {
        job::load(&self.readers, reader, job).await
    }

    async fn jobs(&self, reader: &UserId, limit: u32) -> Result<Vec<JobView>, StoreError> {
        job::list(&self.readers, reader, limit).await
    }

    async fn access(&self, reader: &UserId, logs: &[(Log, u64)]) -> Result<Vec<Option<Access>>, StoreError> {
        log::access(&self.readers, reader, logs).await
    }

    async fn readers(&self, log: &Log) -> Result<Vec<UserId>, StoreError> {
        Ok(log::readers(&self.readers, log).await?)
    }

    async fn measure(&self, log: &Log, after: u64, up_to: u64) -> Result<u64, StoreError> {
        log::measure(&self.readers, log, after, up_to).await
    }

    async fn room(&self, reader: &UserId, room: RoomId) -> Result<Option<RoomView>, StoreError> {
        room::load(&self.readers, reader, room).await
    }

    async fn rooms(&self, reader: &UserId, page: Page<RoomId>) -> Result<Vec<RoomView>, StoreError> {
        room::list(&self.readers, reader, page).await
    }

    async fn room_of(&self, key: &CaseKey) -> Result<Option<RoomId>, StoreError> {
        Ok(case_room::room(&self.readers, key).await?)
    }

    async fn invitation(
        &self,
        reader: &UserId,
        invitation: InvitationId,
        now: Time,
    ) -> Result<Option<InvitationView>, StoreError> {
        invitation::load(&self.readers, reader, invitation, now).await
    }

    async fn invitations(
        &self,
        reader: &UserId,
        status: Option<InvitationStatus>,
        page: Page<InvitationId>,
        now: Time,
    ) -> Result<Vec<InvitationView>, StoreError> {
        invitation::list(&self.readers, reader, status, page, now).await
    }

    async fn proposal(
        &self,
        reader: &UserId,
        proposal: ProposalId,
    ) -> Result<Option<ProposalView>, StoreError> {
        proposal::load(&self.readers, reader, proposal).await
    }

    async fn proposals(
        &self,
        reader: &UserId,
        phase: Option<Phase>,
        page: Page<ProposalId>,
    ) -> Result<Vec<ProposalView>, StoreError> {
        proposal::list(&self.readers, reader, phase, page).await
    }

    async fn candidacy(
        &self,
        reader: &UserId,
        candidacy: CandidacyId,
    ) -> Result<Option<CandidacyView>, StoreError> {
        candidacy::load(&self.readers, reader, candidacy).await
    }

    async fn candidacies(
        &self,
        reader: &UserId,
        phase: Option<Phase>,
        mark: Option<ClientMark>,
        page: Page<CandidacyId>,
    ) -> Result<Vec<CandidacyView>, StoreError> {
        candidacy::list(&self.readers, reader, (phase, mark), page).await
    }

    async fn terms(
        &self,
        reader: &UserId,
        candidacy: CandidacyId,
    ) -> Result<Option<Vec<TermsView>>, StoreError> {
        terms::list(&self.readers, reader, candidacy).await
    }

    async fn offer(&self, reader: &UserId, offer: OfferId) -> Result<Option<OfferView>, StoreError> {
        offer::load(&self.readers, reader, offer).await
    }

    async fn contract(
        &self,
        reader: &UserId,
        contract: &ContractId,
    ) -> Result<Option<ContractView>, StoreError> {
        contract::load(&self.readers, reader, contract).await
    }

    async fn contracts(&self, page: Page<ContractId>) -> Result<Vec<ContractView>, StoreError> {
        contract::list(&self.readers, page).await
    }

    async fn reports(&self, page: Page<ReportId>) -> Result<Vec<ReportView>, StoreError> {
        report::list(&self.readers, page).await
    }

    async fn due(&self, now: Time, limit: u32) -> Result<Vec<Due>, StoreError> {
        timer::due(&self.readers, now, limit).await
    }
}
