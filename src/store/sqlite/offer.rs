//! Offers in SQLite.

use anteroom_protocol::id::{CandidacyId, OfferId, UserId};
use anteroom_protocol::offer::OfferView;
use sqlx::{SqliteConnection, SqlitePool};

use super::case::{CaseRow, case_select, views};
use super::code;
use crate::domain::offer::Offer;
use crate::store::StoreError;

/// Makes or updates the offer of a candidacy.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    candidacy: CandidacyId,
    offer: &Offer,
) -> sqlx::Result<()> {
    let requests: Vec<i64> = offer.requests.iter().map(|at| at.as_micros()).collect();
    sqlx::query(
        "INSERT INTO offers (id, candidacy, status, version, made_at, changed_at, expires_at, requests, asked)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status, version = excluded.version,
             changed_at = excluded.changed_at, expires_at = excluded.expires_at, requests = excluded.requests,
             asked = excluded.asked",
    )
    .bind(code::id(&offer.id.0))
    .bind(code::id(&candidacy.0))
    .bind(code::word(offer.status))
    .bind(offer.version)
    .bind(offer.made_at.as_micros())
    .bind(offer.changed_at.as_micros())
    .bind(offer.expires_at.as_micros())
    .bind(code::to_json(&requests)?)
    .bind(offer.asked)
    .execute(connection)
    .await
    .map(drop)
}

/// An offer as [`case_select`] reads it.
type Row = (String, String, u32, i64, i64, i64, Vec<i64>, u8);

/// An offer from its JSON.
pub(super) fn decode(json: &str) -> sqlx::Result<Offer> {
    let (id, status, version, made_at, changed_at, expires_at, requests, asked): Row = code::json(json)?;
    Ok(Offer {
        id: id.parse().map_err(|_| code::damaged("an offer's id"))?,
        status: code::parse(&status)?,
        version,
        made_at: code::time(made_at),
        changed_at: code::time(changed_at),
        expires_at: code::time(expires_at),
        requests: requests.into_iter().map(code::time).collect(),
        asked: asked != 0,
    })
}

/// An offer of the reader's, also one before the latest of its candidacy.
pub(super) async fn load(
    pool: &SqlitePool,
    reader: &UserId,
    offer: OfferId,
) -> Result<Option<OfferView>, StoreError> {
    let sql =
        "SELECT json_array(lower(hex(id)), status, version, made_at, changed_at, expires_at, json(requests), asked)
        FROM offers WHERE id = $1";
    let found: Option<String> = sqlx::query_scalar(sql).bind(code::id(&offer.0)).fetch_optional(pool).await?;
    let Some(found) = found.as_deref().map(decode).transpose()? else {
        return Ok(None);
    };
    let sql = case_select!(
        "WHERE c.id = (SELECT candidacy FROM offers WHERE id = $1) AND (c.client = $2 OR c.freelancer = $2)"
    );
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(code::id(&offer.0)).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.offer_view(reader, &found))?.pop())
}
