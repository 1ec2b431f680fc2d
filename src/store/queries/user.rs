//! People.

use anteroom_protocol::id::UserId;
use anteroom_protocol::log::Hash;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Account, UserProfile};
use sqlx::FromRow;

use super::candidacy::append_to;
use super::dialect::{Connection, Pool, greatest, lock, person_changed};
use super::rows::standing_changed;
use crate::domain::log::{Event, Log, What};
use crate::store::sql::standing::StandingRow;
use crate::store::sql::work::{Done, Failed, Forget};
use crate::store::{Appended, Moment, Person, StoreError};

/// Makes or replaces a person, and the person's inbox. All that is decided on this person's standing is decided anew.
pub(super) async fn put(
    connection: &mut Connection,
    user: &UserId,
    profile: &UserProfile,
    moment: Moment,
) -> Result<Done<Vec<Appended>>, Failed> {
    let before = standing(connection, user).await?;
    let account = Account::from(profile);
    let stands_otherwise = before.as_ref() != Some(&account);
    sqlx::query(concat!(
        "INSERT INTO users (id, name, avatar_url, profile_url, status, status_reason, status_reversible, status_next_step)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, avatar_url = excluded.avatar_url,
             profile_url = excluded.profile_url, status = excluded.status, status_reason = excluded.status_reason,
             status_reversible = excluded.status_reversible, status_next_step = excluded.status_next_step",
        person_changed!()
    ))
    .bind(user.as_str())
    .bind(&profile.name)
    .bind(&profile.avatar_url)
    .bind(&profile.profile_url)
    .bind(profile.status.as_str())
    .bind(&profile.status_reason)
    .bind(profile.status_reversible)
    .bind(&profile.status_next_step)
    .execute(&mut *connection)
    .await?;
    sqlx::query("INSERT INTO logs (owner, seq, hash) VALUES ($1, 0, $2) ON CONFLICT (owner) DO NOTHING")
        .bind(user.as_str())
        .bind(Hash::GENESIS.0.as_slice())
        .execute(&mut *connection)
        .await?;
    if !stands_otherwise {
        return Ok(Done::plain(Vec::new()));
    }
    standing_changed(connection, user).await?;
    let mut appended = Vec::new();
    if before.is_some() {
        let event = Event { by: None, client_id: None, what: What::Account(account), private: None };
        append_to(connection, Log::Inbox(user.clone()), vec![event], moment, &mut appended).await?;
    }
    Ok(Done { value: appended, forget: Forget::All })
}

/// What is said of somebody's account now; of a stranger, nothing.
async fn standing(connection: &mut Connection, user: &UserId) -> sqlx::Result<Option<Account>> {
    let sql = concat!(
        "SELECT status, status_reason, status_reversible, status_next_step FROM users WHERE id = $1",
        lock!("UPDATE")
    );
    let row: Option<StandingRow> = sqlx::query_as(sql).bind(user.as_str()).fetch_optional(connection).await?;
    row.map(|row| {
        row.decode().map(|standing| Account {
            status: standing.status,
            status_reason: standing.reason,
            status_reversible: standing.reversible,
            status_next_step: standing.next_step,
        })
    })
    .transpose()
}

/// Takes back the person's tokens issued up to this moment. A clock that was set back brings none of them back.
pub(super) async fn revoke_tokens(
    connection: &mut Connection,
    user: &UserId,
    now: Time,
) -> Result<Done<Option<Person>>, Failed> {
    let sql = concat!(
        "UPDATE users SET tokens_valid_after = ",
        greatest!(),
        "(coalesce(tokens_valid_after, $2), $2)",
        person_changed!(),
        " WHERE id = $1"
    );
    sqlx::query(sql).bind(user.as_str()).bind(now.as_micros()).execute(&mut *connection).await?;
    let row: Option<PersonRow> =
        sqlx::query_as(PERSON).bind(user.as_str()).fetch_optional(&mut *connection).await?;
    Ok(Done::plain(row.map(PersonRow::decode).transpose()?))
}

const PERSON: &str = "SELECT name, avatar_url, profile_url, status, status_reason, status_reversible, status_next_step, tokens_valid_after
    FROM users WHERE id = $1";

/// A person.
pub(super) async fn load(pool: &Pool, user: &UserId) -> Result<Option<Person>, StoreError> {
    let row: Option<PersonRow> = sqlx::query_as(PERSON).bind(user.as_str()).fetch_optional(pool).await?;
    Ok(row.map(PersonRow::decode).transpose()?)
}

/// Everything that is kept of a person.
#[derive(FromRow)]
struct PersonRow {
    name: String,
    avatar_url: Option<String>,
    profile_url: Option<String>,
    #[sqlx(flatten)]
    standing: StandingRow,
    tokens_valid_after: Option<i64>,
}

impl PersonRow {
    fn decode(self) -> sqlx::Result<Person> {
        let standing = self.standing.decode()?;
        let profile = UserProfile {
            name: self.name,
            avatar_url: self.avatar_url,
            profile_url: self.profile_url,
            status: standing.status,
            status_reason: standing.reason,
            status_reversible: standing.reversible,
            status_next_step: standing.next_step,
        };
        Ok(Person { profile, tokens_valid_after: self.tokens_valid_after.map(Time::from_micros) })
    }
}
