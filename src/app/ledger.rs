//! Response speed: the rows for their owner, what all see of them, and telling the owner when that changes.

use anteroom_protocol::id::UserId;
use anteroom_protocol::ledger::{
    InvitationRetract, LedgerFigure, LedgerPage, LedgerRow, ProfileView, Responsiveness,
};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use super::rule::Rule;
use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::ledger::{self, Figure, Row};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::store::{CaseKey, LedgerItem, LedgerPlace, Moment, Page};

/// `invitation.retract`.
pub fn retract(command: &InvitationRetract) -> Result<Rule, Refusal> {
    Rule::of(CaseKey::Invitation(command.invitation), ledger::retract)
}

/// A page of the reader's own rows on one side, with the figure they make.
pub async fn list(
    app: &App,
    actor: &Actor,
    side: Side,
    page: Page<LedgerPlace>,
) -> Result<LedgerPage, AppError> {
    let (now, full) = (app.clock.now(), page.limit as usize);
    let items = app.store.ledger(&actor.user, side, page).await?;
    let figure = figure(app, &actor.user, side, now).await?;
    let next = items.last().filter(|_| items.len() >= full).map(|item| item.place().to_string());
    Ok(LedgerPage {
        side,
        figure: LedgerFigure {
            since: ledger::window(now, &app.policy),
            counted: figure.counted,
            answered_within_24h: figure.within_a_day,
            median_seconds: figure.median_seconds(),
            shown: figure.shown,
        },
        items: items.into_iter().map(|item| view(item, now, &app.policy)).collect(),
        next,
    })
}

fn view(item: LedgerItem, now: Time, policy: &Policy) -> LedgerRow {
    let LedgerItem { row, candidacy, invitation, proposal, job } = item;
    let verdict = row.verdict(now, policy);
    LedgerRow {
        side: row.side,
        candidacy,
        round: row.round,
        invitation,
        proposal,
        job,
        started_at: row.started_at,
        until: row.until,
        stopped_at: row.stopped_at(now),
        response_seconds: row.response_seconds(now, policy),
        verdict: verdict.verdict,
        reason: verdict.reason,
        counts: verdict.counts(),
        in_window: row.started_at > ledger::window(now, policy),
        final_at: row.final_at(policy),
    }
}

/// What all see of a person.
pub async fn profile(app: &App, user: UserId) -> Result<ProfileView, AppError> {
    let profile = app.store.user(&user).await?.ok_or(AppError::Refused(Refusal::NotFound))?.profile;
    let now = app.clock.now();
    let as_freelancer = figure(app, &user, Side::Freelancer, now).await?.shown;
    let as_client = figure(app, &user, Side::Client, now).await?.shown;
    Ok(ProfileView {
        user,
        name: profile.name,
        avatar_url: profile.avatar_url,
        profile_url: profile.profile_url,
        as_freelancer,
        as_client,
    })
}

async fn figure(app: &App, user: &UserId, side: Side, now: Time) -> Result<Figure, AppError> {
    let rows = app.store.ledger_window(user, side, ledger::window(now, &app.policy)).await?;
    Ok(ledger::figure(&rows, now, &app.policy))
}

/// Looks at somebody's figure that may have changed, and tells its owner if what others see of it has.
pub async fn tell(app: &App, user: &UserId, side: Side) -> Result<(), AppError> {
    let moment = Moment { now: app.clock.now(), policy: app.policy.version };
    let decide = |rows: &[Row]| -> (Option<Responsiveness>, Option<Time>) {
        let figure = ledger::figure(rows, moment.now, &app.policy);
        (figure.shown, figure.changes_at)
    };
    let since = ledger::window(moment.now, &app.policy);
    let told = app.store.tell_responsiveness((user, side), since, moment, &decide).await?;
    app.telling.committed(&told);
    Ok(())
}
