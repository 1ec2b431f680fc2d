//! The parts of a case that its row holds as JSON: its offer, its contract, the versions of its terms.

use anteroom_protocol::contract::ContractSealed;
use anteroom_protocol::fee::FeeView;
use anteroom_protocol::log::Hash;
use anteroom_protocol::terms::Terms;
use anteroom_protocol::user::Side;

use super::super::code;
use crate::domain::contract::Contract;
use crate::domain::offer::Offer;
use crate::domain::terms::Version;

/// An offer as a row of a case holds it.
type OfferRow = (String, String, u32, i64, i64, i64, Vec<i64>, u8);

/// An offer from its JSON.
pub(in crate::store) fn offer(json: &str) -> sqlx::Result<Offer> {
    let (id, status, version, made_at, changed_at, expires_at, requests, asked): OfferRow = code::json(json)?;
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

/// A contract as a row of a case holds it.
type ContractRow = (String, Option<String>, u32, i64, Option<i64>, Option<ContractSealed>);

/// A contract and its seal from their JSON. It has none only within the transaction that forms it.
pub(in crate::store) fn contract(json: &str) -> sqlx::Result<(Contract, Option<ContractSealed>)> {
    let (id, offer, version, formed_at, ended_at, sealed): ContractRow = code::json(json)?;
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

/// A version as a row of a case holds it.
type VersionRow = (u32, Side, Terms, Hash, i64, Option<i64>, Option<i64>, Option<FeeView>);

/// The versions of a case from their JSON, rising.
pub(in crate::store) fn terms(json: &str) -> sqlx::Result<Vec<Version>> {
    let rows: Vec<VersionRow> = code::json(json)?;
    let version =
        |(version, side, terms, hash, proposed_at, expires_at, acknowledged_at, fee): VersionRow| Version {
            version,
            side,
            terms,
            hash,
            proposed_at: code::time(proposed_at),
            expires_at: expires_at.map(code::time),
            acknowledged_at: acknowledged_at.map(code::time),
            fee,
        };
    Ok(rows.into_iter().map(version).collect())
}
