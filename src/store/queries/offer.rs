//! Offers.

use anteroom_protocol::id::{CandidacyId, OfferId, UserId};
use anteroom_protocol::offer::OfferView;

use super::case::{select, views};
use super::dialect::{Connection, Pool, array, id_text, json};
use crate::domain::offer::Offer;
use crate::store::StoreError;
use crate::store::sql::case::{CaseRow, parts};
use crate::store::sql::code;

/// Makes or updates the offer of a candidacy.
pub(super) async fn save(
    connection: &mut Connection,
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
    .bind(offer.id.0)
    .bind(candidacy.0)
    .bind(code::word(offer.status))
    .bind(i64::from(offer.version))
    .bind(offer.made_at.as_micros())
    .bind(offer.changed_at.as_micros())
    .bind(offer.expires_at.as_micros())
    .bind(code::to_json(&requests)?)
    .bind(offer.asked)
    .execute(connection)
    .await
    .map(drop)
}

/// An offer of the reader's, also one before the latest of its candidacy.
pub(super) async fn load(
    pool: &Pool,
    reader: &UserId,
    offer: OfferId,
) -> Result<Option<OfferView>, StoreError> {
    let sql = concat!(
        "SELECT CAST(",
        array!(),
        "(",
        id_text!("id"),
        ", status, version, made_at, changed_at, expires_at, ",
        json!("requests"),
        ", CASE WHEN asked THEN 1 ELSE 0 END) AS TEXT) FROM offers WHERE id = $1"
    );
    let found: Option<String> = sqlx::query_scalar(sql).bind(offer.0).fetch_optional(pool).await?;
    let Some(found) = found.as_deref().map(parts::offer).transpose()? else {
        return Ok(None);
    };
    let sql = select(
        "WHERE c.id = (SELECT candidacy FROM offers WHERE id = $1) AND (c.client = $2 OR c.freelancer = $2)",
    );
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(offer.0).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.offer_view(reader, &found))?.pop())
}
