//! Contracts in SQLite.

use anteroom_protocol::contract::{ContractSealed, ContractView};
use anteroom_protocol::id::{CandidacyId, ContractId, UserId};
use anteroom_protocol::signature::PublicKey;
use anteroom_protocol::time::Time;
use sqlx::{Connection as _, SqliteConnection, SqlitePool};

use super::case::{CaseRow, case_select, views};
use super::code;
use super::rows::busy;
use crate::domain::contract::Contract;
use crate::domain::refusal::Refusal;
use crate::store::{Appended, CommitError, Page, StoreError};

/// Makes or updates the contract of a candidacy; refuses an id that another one has.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    candidacy: CandidacyId,
    contract: &Contract,
) -> Result<(), CommitError> {
    let written = sqlx::query(
        "INSERT INTO contracts (id, candidacy, offer, version, formed_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (id) DO UPDATE SET ended_at = excluded.ended_at WHERE candidacy = excluded.candidacy",
    )
    .bind(contract.id.as_str())
    .bind(code::id(&candidacy.0))
    .bind(contract.offer.as_ref().map(|offer| code::id(&offer.0)))
    .bind(contract.version)
    .bind(contract.formed_at.as_micros())
    .bind(contract.ended_at.map(Time::as_micros))
    .execute(connection)
    .await
    .map_err(busy)?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(Refusal::ContractExists.into()) }
}

/// Keeps the seals among these entries beside their contracts: where a seal stands is known only once it stands there.
pub(super) async fn keep_seals(connection: &mut SqliteConnection, appended: &[Appended]) -> sqlx::Result<()> {
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

/// A contract as [`case_select`] reads it.
type Row = (String, Option<String>, u32, i64, Option<i64>, Option<ContractSealed>);

/// A contract and its seal from their JSON. It has none only within the transaction that forms it.
pub(super) fn decode(json: &str) -> sqlx::Result<(Contract, Option<ContractSealed>)> {
    let (id, offer, version, formed_at, ended_at, sealed): Row = code::json(json)?;
    let offer = offer.map(|offer| offer.parse().map_err(|_| code::damaged("an offer's id"))).transpose()?;
    let contract = Contract {
        id: id.parse().map_err(|_| code::damaged("a contract's id"))?,
        offer,
        version,
        formed_at: code::time(formed_at),
        ended_at: ended_at.map(code::time),
    };
    Ok((contract, sealed))
}

/// A contract of the reader's.
pub(super) async fn load(
    pool: &SqlitePool,
    reader: &UserId,
    contract: &ContractId,
) -> Result<Option<ContractView>, StoreError> {
    let sql = case_select!(
        "WHERE c.id = (SELECT candidacy FROM contracts WHERE id = $1) AND (c.client = $2 OR c.freelancer = $2)"
    );
    let row: Option<CaseRow> =
        sqlx::query_as(sql).bind(contract.as_str()).bind(reader.as_str()).fetch_optional(pool).await?;
    Ok(views(row, |row| row.contract_view(reader))?.pop())
}

/// See [`crate::store::Store::contracts`].
pub(super) async fn list(pool: &SqlitePool, page: Page<ContractId>) -> Result<Vec<ContractView>, StoreError> {
    let sql = case_select!(
        "JOIN contracts formed ON formed.candidacy = c.id
         WHERE $1 IS NULL OR (formed.formed_at, formed.id) < (SELECT formed_at, id FROM contracts WHERE id = $1)
         ORDER BY formed.formed_at DESC, formed.id DESC LIMIT $2"
    );
    let rows: Vec<CaseRow> = sqlx::query_as(sql)
        .bind(page.before.as_ref().map(ContractId::as_str))
        .bind(page.limit)
        .fetch_all(pool)
        .await?;
    views(rows, |row| row.contract_view(&row.job()?.client))
}

/// Keeps a public key, and tells all that were ever kept.
pub(super) async fn public_keys(
    connection: &mut SqliteConnection,
    current: PublicKey,
    now: Time,
) -> Result<Vec<PublicKey>, StoreError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("INSERT INTO public_keys (key, first_used) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(current.0.as_slice())
        .bind(now.as_micros())
        .execute(&mut *transaction)
        .await?;
    let kept = kept_keys(&mut transaction).await?;
    transaction.commit().await?;
    Ok(kept)
}

/// All public keys that were ever kept, the first one first.
pub(super) async fn kept_keys(connection: &mut SqliteConnection) -> sqlx::Result<Vec<PublicKey>> {
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT key FROM public_keys ORDER BY first_used, key")
        .fetch_all(connection)
        .await?;
    let key = |bytes: Vec<u8>| bytes.try_into().map(PublicKey).map_err(|_| code::damaged("a public key"));
    kept.into_iter().map(key).collect()
}
