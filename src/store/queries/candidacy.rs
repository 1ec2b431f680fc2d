//! Candidacies: a case is read, decided on, and written back with its room and the inboxes of its people, in one
//! transaction.

use std::sync::Arc;

use anteroom_protocol::candidacy::{CandidacyView, CaseAnswer, CasesAnswer, CasesItem, ClientMark, Phase};
use anteroom_protocol::entry::{EntryData, NoticeKind};
use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::id::{CandidacyId, UserId};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;

use super::case::{find, select, views};
use super::command::repeat;
use super::dialect::{Connection, Pool};
use super::log as sql_log;
use super::rows::write_rows;
use crate::domain::candidacy::{Candidacy, Case, Decision};
use crate::domain::log::{Event, Log, What, seal};
use crate::domain::refusal::Refusal;
use crate::domain::timer;
use crate::store::sql::batch::{HeadMove, NewCommand, Pending, Rows, count_in, sealing};
use crate::store::sql::case::CaseRow;
use crate::store::sql::code;
use crate::store::sql::kept::Kept;
use crate::store::sql::work::{Done, Failed};
use crate::store::{
    Answer, Appended, CaseKey, Committed, DecideCase, DecideEach, Intent, Moment, Page, StoreError,
};

/// A candidacy of the reader's.
pub(super) async fn load(
    pool: &Pool,
    reader: &UserId,
    candidacy: CandidacyId,
) -> Result<Option<CandidacyView>, StoreError> {
    let sql = select("WHERE c.id = $1 AND (c.client = $2 OR c.freelancer = $2)");
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(candidacy.0).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.candidacy_view(reader))?.pop())
}

/// The reader's candidacies, newest first.
pub(super) async fn list(
    pool: &Pool,
    reader: &UserId,
    (phase, mark): (Option<Phase>, Option<ClientMark>),
    page: Page<CandidacyId>,
) -> Result<Vec<CandidacyView>, StoreError> {
    let sql = select(
        "WHERE c.id IN (
            SELECT id FROM (SELECT id FROM candidacies WHERE client = $1 AND id < $2
                AND ($3 IS NULL OR CASE phase WHEN 'archived' THEN 'invited' ELSE phase END = $3)
                AND ($5 IS NULL OR mark = $5)
                ORDER BY id DESC LIMIT $4) as_client
            UNION ALL
            SELECT id FROM (SELECT id FROM candidacies WHERE freelancer = $1 AND id < $2
                AND ($3 IS NULL OR phase = $3) AND $5 IS NULL ORDER BY id DESC LIMIT $4) as_freelancer)
         ORDER BY c.id DESC LIMIT $4",
    );
    let rows: Vec<CaseRow> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(code::before(page.before.map(|id| id.0)))
        .bind(phase.map(Phase::as_str))
        .bind(i64::from(page.limit))
        .bind(mark.map(code::word))
        .fetch_all(pool)
        .await?;
    views(rows, |row| row.candidacy_view(reader))
}

/// What is done in one transaction.
pub(super) enum Task<'a> {
    /// One case is changed.
    One(&'a CaseKey, DecideCase<'a>),
    /// Each of several is.
    Each(&'a [CandidacyId], DecideEach<'a>),
}

/// See [`crate::store::Store::change`] and [`crate::store::Store::change_each`].
pub(super) async fn change(
    connection: &mut Connection,
    intent: Option<&Intent>,
    moment: Moment,
    task: &Task<'_>,
) -> Result<Done<Committed>, Failed> {
    if let Some(intent) = intent
        && let Some(done_before) = repeat(connection, intent).await?
    {
        return Ok(Done::plain(done_before));
    }
    let mut appended = Vec::new();
    let answer = match task {
        Task::One(key, decide) => Answer::Case(one(connection, key, moment, *decide, &mut appended).await?),
        Task::Each(candidacies, decide) => {
            Answer::Cases(each(connection, candidacies, moment, *decide, &mut appended).await?)
        }
    };
    super::contract::keep_seals(connection, &appended).await?;
    if let Some(intent) = intent {
        let command = NewCommand { intent, at: None, answer: Some(code::to_json(&answer)?) };
        write_rows(connection, &Rows { commands: vec![command], ..Rows::default() }).await?;
    }
    let forget = appended.clone();
    Ok(Done::appended(Committed { answer, duplicate: false, appended }, &forget))
}

async fn one(
    connection: &mut Connection,
    key: &CaseKey,
    moment: Moment,
    decide: DecideCase<'_>,
    appended: &mut Vec<Appended>,
) -> Result<CaseAnswer, Failed> {
    let case = find(connection, key).await?.ok_or(Refusal::NotFound)?;
    let kept = Kept::of(&case);
    let (decisions, side) = decide(case)?;
    let answer = decisions.last().and_then(|decision| decision.case.answer(side)).ok_or(Refusal::NotFound)?;
    keep(connection, decisions, &kept, moment, appended).await?;
    Ok(answer)
}

async fn each(
    connection: &mut Connection,
    candidacies: &[CandidacyId],
    moment: Moment,
    decide: DecideEach<'_>,
    appended: &mut Vec<Appended>,
) -> Result<CasesAnswer, Failed> {
    let mut items = Vec::with_capacity(candidacies.len());
    for candidacy in candidacies {
        let case = find(connection, &CaseKey::Candidacy(*candidacy)).await?;
        let kept = case.as_ref().map(Kept::of).unwrap_or_default();
        let item = match case.ok_or(ErrorCode::NotFound).and_then(decide) {
            Ok((decisions, side)) => {
                let phase = decisions.last().and_then(|decision| decision.case.phase_for(side));
                keep(connection, decisions, &kept, moment, appended).await?;
                CasesItem { candidacy: *candidacy, phase, error: None }
            }
            Err(code) => CasesItem { candidacy: *candidacy, phase: None, error: Some(code) },
        };
        items.push(item);
    }
    Ok(CasesAnswer { items })
}

async fn keep(
    connection: &mut Connection,
    decisions: Vec<Decision>,
    kept: &Kept,
    moment: Moment,
    appended: &mut Vec<Appended>,
) -> Result<(), Failed> {
    for decision in decisions {
        save(connection, &decision.case, kept, moment.now).await?;
        if let Some(candidacy) = &decision.case.candidacy {
            for report in &decision.reports {
                super::report::save(connection, candidacy.id, report, moment.now).await?;
            }
        }
        append(connection, decision, moment, appended).await?;
    }
    Ok(())
}

async fn save(connection: &mut Connection, case: &Case, kept: &Kept, now: Time) -> Result<(), Failed> {
    let Some(candidacy) = &case.candidacy else {
        return Ok(());
    };
    save_candidacy(connection, case, candidacy).await?;
    save_parts(connection, case, candidacy, kept).await?;
    if let Some(row) = case.ledger.as_ref().filter(|row| !kept.holds_row(candidacy.id, row)) {
        super::ledger::save(connection, case, candidacy.id, row, now).await?;
    }
    match &case.contract {
        Some(contract) => super::contract::save(connection, candidacy.id, contract).await,
        None => Ok(()),
    }
}

async fn save_candidacy(connection: &mut Connection, case: &Case, candidacy: &Candidacy) -> sqlx::Result<()> {
    let turn = timer::turn(case);
    let fees = case.fees.as_ref().map(|fees| code::to_json(&fees.schedule)).transpose()?;
    sqlx::query(
        "INSERT INTO candidacies (id, job, client, freelancer, phase, room, updated_at, standing, pending, due_at, turn,
                                  turn_until, fee_schedule, ended_by, ended_from, mark)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, room = excluded.room, updated_at = excluded.updated_at,
             standing = excluded.standing, pending = excluded.pending, due_at = excluded.due_at, turn = excluded.turn,
             turn_until = excluded.turn_until, ended_by = excluded.ended_by, ended_from = excluded.ended_from,
             mark = excluded.mark",
    )
    .bind(candidacy.id.0)
    .bind(case.job.id.as_str())
    .bind(case.client.user.as_str())
    .bind(case.freelancer.user.as_str())
    .bind(candidacy.phase.as_str())
    .bind(candidacy.room.as_ref().map(|room| room.0))
    .bind(candidacy.updated_at.as_micros())
    .bind(case.standing.map(i64::from))
    .bind(case.pending.map(i64::from))
    .bind(timer::due_at(case).map(Time::as_micros))
    .bind(turn.map(|turn| turn.side.as_str()))
    .bind(turn.and_then(|turn| turn.until).map(Time::as_micros))
    .bind(fees)
    .bind(candidacy.ended.and_then(|ended| ended.by).map(Side::as_str))
    .bind(candidacy.ended.map(|ended| ended.from.as_str()))
    .bind(candidacy.mark.map(code::word))
    .execute(connection)
    .await
    .map(drop)
}

async fn save_parts(
    connection: &mut Connection,
    case: &Case,
    candidacy: &Candidacy,
    kept: &Kept,
) -> sqlx::Result<()> {
    if let Some(invitation) = &case.invitation {
        super::invitation::save(connection, case, candidacy.id, invitation).await?;
    }
    if let Some(proposal) = &case.proposal {
        super::proposal::save(connection, case, candidacy.id, proposal).await?;
    }
    for version in case.terms.iter().filter(|version| !kept.holds(candidacy.id, version)) {
        super::terms::save(connection, candidacy.id, version).await?;
    }
    if let Some(offer) = &case.offer {
        super::offer::save(connection, candidacy.id, offer).await?;
    }
    if let Some(room) = candidacy.room {
        super::room::save(connection, case, candidacy, room).await?;
    }
    Ok(())
}

/// Appends what a decision tells to its room and to the inboxes.
async fn append(
    connection: &mut Connection,
    decision: Decision,
    moment: Moment,
    appended: &mut Vec<Appended>,
) -> Result<(), Failed> {
    let room = decision.case.candidacy.as_ref().and_then(|candidacy| candidacy.room);
    if let Some(room) = room {
        append_to(connection, Log::Room(room), decision.room, moment, appended).await?;
    }
    for (owner, event) in decision.inboxes {
        let is_invitation = matches!(&event.what, What::Notice(NoticeKind::InvitationSent, notice) if notice.freelancer == owner);
        append_to(connection, Log::Inbox(owner.clone()), vec![event], moment, appended).await?;
        if let (true, Some(told)) = (is_invitation, appended.last()) {
            super::push::invited(connection, &owner, told.entry.seq, moment.now).await?;
        }
    }
    Ok(())
}

pub(super) async fn append_to(
    connection: &mut Connection,
    log: Log,
    events: Vec<Event>,
    moment: Moment,
    appended: &mut Vec<Appended>,
) -> Result<(), Failed> {
    let loaded = sql_log::load_locked(connection, &log).await?;
    let loaded = loaded.ok_or(Failed::Stale("a log is missing"))?;
    let before = loaded.room.head;
    let (mut head, mut counts) = (before, loaded.counts);
    let mut rows = Rows::default();
    for event in events {
        let readers = with_the_removed(&loaded.readers, &event);
        let entry = Arc::new(seal(&log, head, event, sealing(moment)));
        head = entry.head();
        count_in(&mut counts, &entry);
        rows.entries.push(Pending { log: loaded.row, entry: entry.clone() });
        appended.push(Appended { entry, readers });
    }
    rows.heads.push(HeadMove { log: loaded.row, from: before, version: loaded.version, to: head, counts });
    write_rows(connection, &rows).await
}

/// Who is removed gets the entry that says so, and none after it.
fn with_the_removed(readers: &Arc<[UserId]>, event: &Event) -> Arc<[UserId]> {
    match &event.what {
        What::Room(EntryData::MemberRemoved(removed)) => {
            readers.iter().chain([&removed.user]).cloned().collect()
        }
        What::Room(_)
        | What::Seal(_)
        | What::Notice(..)
        | What::Account(_)
        | What::Responsiveness(_)
        | What::Webhook(_) => readers.clone(),
    }
}
