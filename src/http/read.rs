//! Pages and views for people.

use std::str::FromStr;
use std::sync::Arc;

use anteroom_protocol::candidacy::{CandidacyView, ClientMark, Phase};
use anteroom_protocol::contract::ContractView;
use anteroom_protocol::entry::EntryPage;
use anteroom_protocol::invitation::{InvitationStatus, InvitationView};
use anteroom_protocol::job::JobView;
use anteroom_protocol::offer::OfferView;
use anteroom_protocol::proposal::ProposalView;
use anteroom_protocol::room::{Changes, RoomView};
use anteroom_protocol::search::SearchPage;
use anteroom_protocol::signature::Keys;
use anteroom_protocol::terms::TermsView;
use anteroom_protocol::user::UserView;
use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::Problem;
use super::extract::{Named, Person, bad, id};
use crate::app::{
    App, candidacy, contract, invitation, job, offer, page, page_limit, proposal, room, search, terms, user,
};
use crate::store::{CaseKey, Page, Range};

type Answer<T> = Result<Json<T>, Problem>;

/// A query string; what does not fit is a problem document.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Query::try_from_uri(&parts.uri)
            .map(|Query(asked)| Self(asked))
            .map_err(|error| bad(error.body_text()))
    }
}

/// A list, page by page.
#[derive(Serialize)]
pub(super) struct List<T> {
    items: Vec<T>,
    /// What the next page is asked for with.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl<T> List<T> {
    /// All of it on one page.
    pub(super) fn whole(items: Vec<T>) -> Json<Self> {
        Json(Self { items, next: None })
    }

    pub(super) fn new<Id>(items: Vec<T>, page: &Page<Id>, name: impl Fn(&T) -> String) -> Json<Self> {
        let full = items.len() >= page.limit as usize;
        let next = items.last().filter(|_| full).map(name);
        Json(Self { items, next })
    }
}

#[derive(Deserialize)]
pub(super) struct ListQuery<Filter = ()> {
    #[serde(alias = "status", alias = "phase")]
    filter: Option<Filter>,
    before: Option<String>,
    limit: Option<u32>,
}

impl<Filter> ListQuery<Filter> {
    pub(super) fn page<Id: std::str::FromStr>(&self) -> Result<Page<Id>, Problem> {
        let before = self
            .before
            .as_deref()
            .map(|text| text.parse().map_err(|_| bad("before: not an id")))
            .transpose()?;
        Ok(page(before, self.limit))
    }
}

/// `GET /v1/me`
pub(super) async fn me(State(app): State<Arc<App>>, Person(actor): Person) -> Answer<UserView> {
    Ok(Json(user::me(&app, &actor).await?))
}

/// `GET /v1/jobs`
pub(super) async fn jobs(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(asked): Asked<ListQuery>,
) -> Answer<List<JobView>> {
    let items = job::list(&app, &actor, page_limit(asked.limit)).await?;
    Ok(Json(List { items, next: None }))
}

/// `GET /v1/jobs/{job}`
pub(super) async fn job(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(job): Named<String>,
) -> Answer<JobView> {
    Ok(Json(job::get(&app, &actor, &id(&job)?).await?))
}

#[derive(Deserialize)]
pub(super) struct RoomsQuery {
    candidacy: Option<String>,
    proposal: Option<String>,
    offer: Option<String>,
    contract: Option<String>,
}

impl RoomsQuery {
    /// The case whose room is asked for, if it is not all of them.
    fn case(&self) -> Result<Option<CaseKey>, Problem> {
        let key = match (&self.candidacy, &self.proposal, &self.offer, &self.contract) {
            (None, None, None, None) => return Ok(None),
            (Some(candidacy), None, None, None) => CaseKey::Candidacy(asked_id("candidacy", candidacy)?),
            (None, Some(proposal), None, None) => CaseKey::Proposal(asked_id("proposal", proposal)?),
            (None, None, Some(offer), None) => CaseKey::Offer(asked_id("offer", offer)?),
            (None, None, None, Some(contract)) => CaseKey::Contract(asked_id("contract", contract)?),
            _ => return Err(bad("candidacy, proposal, offer, contract: one of them")),
        };
        Ok(Some(key))
    }
}

fn asked_id<T: FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| bad(format!("{name}: not an id")))
}

/// `GET /v1/rooms`
pub(super) async fn rooms(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(of): Asked<RoomsQuery>,
    Asked(asked): Asked<ListQuery>,
) -> Answer<List<RoomView>> {
    let page = asked.page()?;
    if let Some(key) = of.case()? {
        let items = room::of_case(&app, &actor, &key).await?.into_iter().collect();
        return Ok(Json(List { items, next: None }));
    }
    let items = room::list(&app, &actor, page).await?;
    Ok(List::new(items, &page, |view| view.room.to_string()))
}

/// `GET /v1/rooms/{room}`
pub(super) async fn room(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(room): Named<String>,
) -> Answer<RoomView> {
    Ok(Json(room::get(&app, &actor, id(&room)?).await?))
}

#[derive(Deserialize)]
pub(super) struct EntriesQuery {
    after: Option<u64>,
    before: Option<u64>,
    limit: Option<u32>,
    #[serde(default)]
    proof: bool,
}

/// `GET /v1/rooms/{room}/entries`
pub(super) async fn entries(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(room): Named<String>,
    Asked(asked): Asked<EntriesQuery>,
) -> Answer<EntryPage> {
    let range = match (asked.after, asked.before) {
        (Some(_), Some(_)) => return Err(bad("after, before: one of them")),
        (Some(after), None) => Range::After(after),
        (None, before) => Range::Before(before.unwrap_or(u64::MAX)),
    };
    let stretch = (range, page_limit(asked.limit));
    Ok(Json(room::entries(&app, &actor, id(&room)?, stretch, asked.proof).await?))
}

#[derive(Deserialize)]
pub(super) struct ChangesQuery {
    after: Option<String>,
    limit: Option<u32>,
}

/// `GET /v1/changes`
pub(super) async fn changes(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(asked): Asked<ChangesQuery>,
) -> Answer<Changes> {
    Ok(Json(room::changes(&app, &actor, asked.after.as_deref(), asked.limit).await?))
}

#[derive(Deserialize)]
pub(super) struct SearchQuery {
    q: String,
    room: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

/// `GET /v1/search`
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(asked): Asked<SearchQuery>,
) -> Answer<SearchPage> {
    let room = asked.room.as_deref().map(id).transpose()?;
    let page = page(asked.before, asked.limit);
    Ok(Json(search::search(&app, &actor, &asked.q, room, page).await?))
}

/// `GET /v1/invitations`
pub(super) async fn invitations(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(asked): Asked<ListQuery<InvitationStatus>>,
) -> Answer<List<InvitationView>> {
    let page = asked.page()?;
    let items = invitation::list(&app, &actor, asked.filter, page).await?;
    Ok(List::new(items, &page, |view| view.id.to_string()))
}

/// `GET /v1/invitations/{invitation}`
pub(super) async fn invitation(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(invitation): Named<String>,
) -> Answer<InvitationView> {
    Ok(Json(invitation::get(&app, &actor, id(&invitation)?).await?))
}

/// `GET /v1/proposals`
pub(super) async fn proposals(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(asked): Asked<ListQuery<Phase>>,
) -> Answer<List<ProposalView>> {
    let page = asked.page()?;
    let items = proposal::list(&app, &actor, asked.filter, page).await?;
    Ok(List::new(items, &page, |view| view.id.to_string()))
}

/// `GET /v1/proposals/{proposal}`
pub(super) async fn proposal(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(proposal): Named<String>,
) -> Answer<ProposalView> {
    Ok(Json(proposal::get(&app, &actor, id(&proposal)?).await?))
}

#[derive(Deserialize)]
pub(super) struct MarkQuery {
    mark: Option<ClientMark>,
}

/// `GET /v1/candidacies`
pub(super) async fn candidacies(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Asked(marked): Asked<MarkQuery>,
    Asked(asked): Asked<ListQuery<Phase>>,
) -> Answer<List<CandidacyView>> {
    let page = asked.page()?;
    let items = candidacy::list(&app, &actor, (asked.filter, marked.mark), page).await?;
    Ok(List::new(items, &page, |view| view.id.to_string()))
}

/// `GET /v1/candidacies/{candidacy}`
pub(super) async fn candidacy(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(candidacy): Named<String>,
) -> Answer<CandidacyView> {
    Ok(Json(candidacy::get(&app, &actor, id(&candidacy)?).await?))
}

/// `GET /v1/candidacies/{candidacy}/terms`
pub(super) async fn terms(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(candidacy): Named<String>,
) -> Answer<List<TermsView>> {
    let items = terms::list(&app, &actor, id(&candidacy)?).await?;
    Ok(Json(List { items, next: None }))
}

/// `GET /v1/offers/{offer}`
pub(super) async fn offer(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(offer): Named<String>,
) -> Answer<OfferView> {
    Ok(Json(offer::get(&app, &actor, id(&offer)?).await?))
}

/// `GET /v1/contracts/{contract}`
pub(super) async fn contract(
    State(app): State<Arc<App>>,
    Person(actor): Person,
    Named(contract): Named<String>,
) -> Answer<ContractView> {
    Ok(Json(contract::get(&app, &actor, &id(&contract)?).await?))
}

/// `GET /v1/keys`
pub(super) async fn keys(State(app): State<Arc<App>>) -> Json<Keys> {
    Json(contract::keys(&app))
}
