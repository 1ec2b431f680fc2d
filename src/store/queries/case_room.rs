//! The room of a case: which it is, who is in it beside the two, and what in it a command names.

use anteroom_protocol::id::RoomId;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::case::party;
use super::dialect::{Connection, Pool};
use crate::domain::candidacy::Pointed;
use crate::domain::room::Member;
use crate::domain::user::Party;
use crate::store::CaseKey;
use crate::store::sql::case::CaseRow;
use crate::store::sql::code;
use crate::store::sql::standing::StandingRow;

/// The people of a case's room beside the two.
pub(super) async fn members(connection: &mut Connection, row: &CaseRow) -> sqlx::Result<Vec<Member>> {
    #[derive(FromRow)]
    struct Row {
        user: String,
        side: String,
        #[sqlx(flatten)]
        standing: StandingRow,
    }
    let Some(room) = &row.room else { return Ok(Vec::new()) };
    let sql = r#"SELECT m."user", m.side, u.status, u.status_reason, u.status_reversible, u.status_next_step
                 FROM logs l JOIN members m ON m.log = l.id JOIN users u ON u.id = m."user"
                 WHERE l.room = $1 AND m."user" NOT IN ($2, $3) ORDER BY m."user""#;
    let rows: Vec<Row> = sqlx::query_as(sql)
        .bind(room)
        .bind(&row.client_id)
        .bind(&row.freelancer_id)
        .fetch_all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let party = Party { user: code::user(&row.user)?, standing: row.standing.decode()? };
            Ok(Member { party, side: code::parse(&row.side)? })
        })
        .collect()
}

/// The person whom this key names, if there is such a person.
pub(super) async fn named(connection: &mut Connection, key: &CaseKey) -> sqlx::Result<Option<Party>> {
    let CaseKey::RoomAndUser(_, user) = key else { return Ok(None) };
    let known = sqlx::query("SELECT 1 FROM users WHERE id = $1")
        .bind(user.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    match known {
        Some(_) => party(connection, user.clone()).await.map(Some),
        None => Ok(None),
    }
}

/// The entry that this key names, if there is one.
pub(super) async fn pointed(connection: &mut Connection, key: &CaseKey) -> sqlx::Result<Option<Pointed>> {
    let CaseKey::RoomAndEntry(room, seq) = key else { return Ok(None) };
    let sql =
        "SELECT e.kind, e.by FROM logs l JOIN entries e ON e.log = l.id WHERE l.room = $1 AND e.seq = $2";
    let row = sqlx::query(sql).bind(room.0).bind(code::number(*seq)).fetch_optional(connection).await?;
    row.map(|row| {
        let by = row.try_get::<Option<&str>, _>(1)?.map(code::user).transpose()?;
        Ok(Pointed { seq: *seq, kind: row.try_get(0)?, by })
    })
    .transpose()
}

/// The room of the case of this key, whoever asks.
pub(super) async fn room(pool: &Pool, key: &CaseKey) -> sqlx::Result<Option<RoomId>> {
    let query = match key {
        CaseKey::Candidacy(id) => {
            sqlx::query_scalar("SELECT room FROM candidacies WHERE id = $1").bind(id.0)
        }
        CaseKey::Invitation(id) => sqlx::query_scalar(
            "SELECT c.room FROM invitations i JOIN candidacies c ON c.id = i.candidacy WHERE i.id = $1",
        )
        .bind(id.0),
        CaseKey::Proposal(id) => sqlx::query_scalar(
            "SELECT c.room FROM proposals p JOIN candidacies c ON c.id = p.candidacy WHERE p.id = $1",
        )
        .bind(id.0),
        CaseKey::Offer(id) => sqlx::query_scalar(
            "SELECT c.room FROM offers o JOIN candidacies c ON c.id = o.candidacy WHERE o.id = $1",
        )
        .bind(id.0),
        CaseKey::Contract(id) => sqlx::query_scalar(
            "SELECT c.room FROM contracts k JOIN candidacies c ON c.id = k.candidacy WHERE k.id = $1",
        )
        .bind(id.as_str()),
        CaseKey::Room(id) | CaseKey::RoomAndUser(id, _) | CaseKey::RoomAndEntry(id, _) => {
            return Ok(Some(*id));
        }
        CaseKey::JobAndFreelancer(job, freelancer) => sqlx::query_scalar(
            "SELECT room FROM candidacies WHERE job = $1 AND freelancer = $2
             ORDER BY phase IN ('invited', 'archived', 'submitted', 'active', 'offered', 'hired') DESC, id DESC
             LIMIT 1",
        )
        .bind(job.as_str())
        .bind(freelancer.as_str()),
    };
    let room: Option<Option<Uuid>> = query.fetch_optional(pool).await?;
    Ok(room.flatten().map(RoomId))
}
