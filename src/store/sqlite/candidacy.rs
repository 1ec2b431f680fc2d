//! Candidacies in SQLite: a case is read, decided on, and written back with its room and the inboxes of its people, in one
//! transaction.

use std::sync::Arc;

use anteroom_protocol::candidacy::{CandidacyView, Phase};
use anteroom_protocol::id::{CandidacyId, UserId};
use sqlx::{Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::case::{CaseRow, case_select, find, views};
use super::commit::{Writer, repeat};
use super::rows::{HeadMove, NewCommand, Pending, Rows, busy, count_in, write_rows};
use super::{code, log as sql_log};
use crate::domain::candidacy::{Case, Decision};
use crate::domain::log::{Event, Log, seal};
use crate::domain::refusal::Refusal;
use crate::domain::terms;
use crate::store::{
    Answer, Appended, CaseKey, CommitError, Committed, DecideCase, Intent, Moment, Page, StoreError,
};

/// A candidacy of the reader's.
pub(super) async fn load(
    pool: &SqlitePool,
    reader: &UserId,
    candidacy: CandidacyId,
) -> Result<Option<CandidacyView>, StoreError> {
    let sql = case_select!("WHERE c.id = $1 AND (c.client = $2 OR c.freelancer = $2)");
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(code::id(&candidacy.0)).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.candidacy_view(reader))?.pop())
}

/// The reader's candidacies, newest first.
pub(super) async fn list(
    pool: &SqlitePool,
    reader: &UserId,
    phase: Option<Phase>,
    page: Page<CandidacyId>,
) -> Result<Vec<CandidacyView>, StoreError> {
    let sql = case_select!(
        "WHERE c.id IN (
            SELECT id FROM (SELECT id FROM candidacies WHERE client = $1 AND id < $2
                AND ($3 IS NULL OR CASE phase WHEN 'archived' THEN 'invited' ELSE phase END = $3)
                ORDER BY id DESC LIMIT $4)
            UNION ALL
            SELECT id FROM (SELECT id FROM candidacies WHERE freelancer = $1 AND id < $2
                AND ($3 IS NULL OR phase = $3) ORDER BY id DESC LIMIT $4))
         ORDER BY c.id DESC LIMIT $4"
    );
    let rows: Vec<CaseRow> = sqlx::query_as(sql)
        .bind(reader.as_str())
        .bind(code::before(page.before.as_ref().map(|id| code::id(&id.0))))
        .bind(phase.map(Phase::as_str))
        .bind(page.limit)
        .fetch_all(pool)
        .await?;
    views(rows, |row| row.candidacy_view(reader))
}

/// See [`crate::store::Store::change`].
pub(super) async fn change(
    writer: &mut Writer,
    intent: &Intent,
    key: &CaseKey,
    moment: Moment,
    decide: DecideCase<'_>,
) -> Result<Committed, CommitError> {
    writer.heal().await.map_err(busy)?;
    let done = attempt(writer, intent, key, moment, decide).await;
    writer.judge(done)
}

async fn attempt(
    writer: &mut Writer,
    intent: &Intent,
    key: &CaseKey,
    moment: Moment,
    decide: DecideCase<'_>,
) -> Result<Committed, CommitError> {
    let mut transaction = writer.connection.begin_with("BEGIN IMMEDIATE").await.map_err(busy)?;
    if let Some(done_before) = repeat(&mut transaction, intent).await? {
        return Ok(done_before);
    }
    let case = find(&mut transaction, key).await.map_err(busy)?.ok_or(Refusal::NotFound)?;
    let (decision, side) = decide(case)?;
    let answer = decision.case.answer(side).ok_or(Refusal::NotFound)?;
    save(&mut transaction, &decision.case).await.map_err(busy)?;
    let appended = append(&mut transaction, decision, moment).await?;
    let json = serde_json::to_string(&answer).map_err(|error| CommitError::Busy(error.to_string()))?;
    let command = NewCommand { intent, at: None, answer: Some(json) };
    write_rows(&mut transaction, &Rows { commands: vec![command], ..Rows::default() }).await?;
    let committed = transaction.commit().await;
    // Also when the outcome is unknown: then nobody knows where these logs end.
    for Appended { entry, .. } in &appended {
        writer.forget(&entry.log);
    }
    committed.map_err(|error| CommitError::Unknown(error.to_string()))?;
    Ok(Committed { answer: Answer::Case(answer), duplicate: false, appended })
}

async fn save(connection: &mut SqliteConnection, case: &Case) -> sqlx::Result<()> {
    let Some(candidacy) = &case.candidacy else {
        return Ok(());
    };
    sqlx::query(
        "INSERT INTO candidacies (id, job, client, freelancer, phase, room, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (id) DO UPDATE SET phase = excluded.phase, room = excluded.room, updated_at = excluded.updated_at",
    )
    .bind(code::id(&candidacy.id.0))
    .bind(case.job.id.as_str())
    .bind(case.client.user.as_str())
    .bind(case.freelancer.user.as_str())
    .bind(candidacy.phase.as_str())
    .bind(candidacy.room.as_ref().map(|room| code::id(&room.0)))
    .bind(candidacy.updated_at.as_micros())
    .execute(&mut *connection)
    .await?;
    if let Some(invitation) = &case.invitation {
        super::invitation::save(connection, case, candidacy.id, invitation).await?;
    }
    if let Some(proposal) = &case.proposal {
        super::proposal::save(connection, case, candidacy.id, proposal).await?;
    }
    for version in &case.terms {
        save_terms(connection, candidacy.id, version).await?;
    }
    if let Some(room) = candidacy.room {
        super::room::save(connection, case, candidacy, room).await?;
    }
    Ok(())
}

async fn save_terms(
    connection: &mut SqliteConnection,
    candidacy: CandidacyId,
    version: &terms::Version,
) -> sqlx::Result<()> {
    let json = serde_json::to_string(&version.terms).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "INSERT INTO terms (candidacy, version, side, terms, hash, proposed_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(code::id(&candidacy.0))
    .bind(version.version)
    .bind(version.side.as_str())
    .bind(json)
    .bind(version.hash.0.as_slice())
    .bind(version.proposed_at.as_micros())
    .execute(connection)
    .await
    .map(drop)
}

/// Appends what a decision tells to its room and to the inboxes.
async fn append(
    transaction: &mut Transaction<'_, Sqlite>,
    decision: Decision,
    moment: Moment,
) -> Result<Vec<Appended>, CommitError> {
    let room = decision.case.candidacy.as_ref().and_then(|candidacy| candidacy.room);
    let mut appended = Vec::new();
    if let Some(room) = room {
        append_to(transaction, Log::Room(room), decision.room, moment, &mut appended).await?;
    }
    for (owner, event) in decision.inboxes {
        append_to(transaction, Log::Inbox(owner), vec![event], moment, &mut appended).await?;
    }
    Ok(appended)
}

pub(super) async fn append_to(
    connection: &mut SqliteConnection,
    log: Log,
    events: Vec<Event>,
    moment: Moment,
    appended: &mut Vec<Appended>,
) -> Result<(), CommitError> {
    let loaded = sql_log::load(connection, &log).await.map_err(busy)?;
    let loaded = loaded.ok_or_else(|| CommitError::Busy(format!("the log {log} is missing")))?;
    let before = loaded.room.head;
    let (mut head, mut counts) = (before, loaded.counts);
    let mut rows = Rows::default();
    for event in events {
        let entry = Arc::new(seal(&log, head, event, (moment.now, rand::random(), moment.policy)));
        head = entry.head();
        count_in(&mut counts, &entry);
        rows.entries.push(Pending { log: loaded.row, entry: entry.clone() });
        appended.push(Appended { entry, readers: loaded.readers.clone() });
    }
    rows.heads.push(HeadMove { log: loaded.row, from: before.seq, to: head, counts });
    write_rows(connection, &rows).await
}
