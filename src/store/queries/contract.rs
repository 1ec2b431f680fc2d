//! Contracts, and the keys that they and everything else are signed and told apart with.

use anteroom_protocol::contract::{ContractSealed, ContractView};
use anteroom_protocol::id::{CandidacyId, ContractId, UserId};
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::time::Time;

use super::case::{select, views};
use super::dialect::{Connection, Pool};
use crate::domain::contract::Contract;
use crate::domain::refusal::Refusal;
use crate::store::sql::case::CaseRow;
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{Appended, Page, StoreError};

/// Makes or updates the contract of a candidacy; refuses an id that another one has.
pub(super) async fn save(
    connection: &mut Connection,
    candidacy: CandidacyId,
    contract: &Contract,
) -> Result<(), Failed> {
    let written = sqlx::query(
        "INSERT INTO contracts (id, candidacy, offer, version, formed_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at WHERE contracts.candidacy = excluded.candidacy",
    )
    .bind(contract.id.as_str())
    .bind(candidacy.0)
    .bind(contract.offer.as_ref().map(|offer| offer.0))
    .bind(i64::from(contract.version))
    .bind(contract.formed_at.as_micros())
    .bind(contract.ended_at.map(Time::as_micros))
    .execute(connection)
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(Refusal::ContractExists.into()) }
}

/// Keeps the seals among these entries beside their contracts: where a seal stands is known only once it stands there.
pub(super) async fn keep_seals(connection: &mut Connection, appended: &[Appended]) -> sqlx::Result<()> {
    for Appended { entry, .. } in appended {
        if &*entry.kind == "contract.sealed" {
            let sealed: ContractSealed = code::json(entry.public.json())?;
            sqlx::query("UPDATE contracts SET sealed = $2 WHERE id = $1")
                .bind(sealed.seal.contract.as_str())
                .bind(entry.public.json())
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

/// A contract of the reader's.
pub(super) async fn load(
    pool: &Pool,
    reader: &UserId,
    contract: &ContractId,
) -> Result<Option<ContractView>, StoreError> {
    let sql = select(
        "WHERE c.id = (SELECT candidacy FROM contracts WHERE id = $1) AND (c.client = $2 OR c.freelancer = $2)",
    );
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(contract.as_str()).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.contract_view(reader))?.pop())
}

/// See [`crate::store::Views::contracts`].
pub(super) async fn list(pool: &Pool, page: Page<ContractId>) -> Result<Vec<ContractView>, StoreError> {
    let sql = select("JOIN contracts formed ON formed.candidacy = c.id
         WHERE $1 IS NULL OR (formed.formed_at, formed.id) < (SELECT formed_at, id FROM contracts WHERE id = $1)
         ORDER BY formed.formed_at DESC, formed.id DESC LIMIT $2");
    let rows: Vec<CaseRow> = sqlx::query_as(sql)
        .bind(page.before.as_ref().map(ContractId::as_str))
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await?;
    views(rows, |row| row.contract_view(&row.job()?.client))
}

/// Keeps a public key, and tells all that were ever kept.
pub(super) async fn public_keys(
    connection: &mut Connection,
    current: PublicKey,
    now: Time,
) -> Result<Done<Vec<PublicKey>>, Failed> {
    sqlx::query("INSERT INTO public_keys (key, first_used) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(current.0.as_slice())
        .bind(now.as_micros())
        .execute(&mut *connection)
        .await?;
    Ok(Done::plain(kept_keys(connection).await?))
}

/// All public keys that were ever kept, the first one first.
pub(super) async fn kept_keys(connection: &mut Connection) -> sqlx::Result<Vec<PublicKey>> {
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT key FROM public_keys ORDER BY first_used, key")
        .fetch_all(connection)
        .await?;
    let key = |bytes: Vec<u8>| bytes.try_into().map(PublicKey).map_err(|_| code::damaged("a public key"));
    kept.into_iter().map(key).collect()
}

/// Inserts a key or reads the one that is there.
pub(super) async fn key(
    connection: &mut Connection,
    name: &str,
    fresh: [u8; 32],
) -> Result<Done<[u8; 32]>, Failed> {
    sqlx::query("INSERT INTO keys (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(fresh.as_slice())
        .execute(&mut *connection)
        .await?;
    Ok(Done::plain(kept_key(connection, name).await?.ok_or_else(|| code::damaged("no key"))?))
}

/// The key of this name, if one was ever kept.
pub(super) async fn kept_key(connection: &mut Connection, name: &str) -> sqlx::Result<Option<[u8; 32]>> {
    let kept: Option<Vec<u8>> = sqlx::query_scalar("SELECT value FROM keys WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?;
    kept.map(|kept| kept.as_slice().try_into().map_err(|_| code::damaged("a key"))).transpose()
}
