//! People in SQLite.

use anteroom_protocol::id::UserId;
use anteroom_protocol::log::Hash;
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Account, UserProfile};
use sqlx::{Connection as _, FromRow, SqliteConnection, SqlitePool};

use super::candidacy::append_to;
use super::code;
use super::commit::Writer;
use crate::domain::log::{Event, Log, What};
use crate::domain::user::Standing;
use crate::store::{Appended, Moment, Person, StoreError};

/// The columns that say whether a person may act.
#[derive(FromRow)]
pub(super) struct StandingRow {
    pub(super) status: String,
    pub(super) status_reason: Option<String>,
    pub(super) status_reversible: Option<bool>,
    pub(super) status_next_step: Option<String>,
}

impl StandingRow {
    pub(super) fn decode(self) -> sqlx::Result<Standing> {
        Ok(Standing {
            status: code::parse(&self.status)?,
            reason: self.status_reason,
            reversible: self.status_reversible,
            next_step: self.status_next_step,
        })
    }
}

/// Makes or replaces a person, and the person's inbox. Every log forgets what it knew of its people's standing.
pub(super) async fn put(
    writer: &mut Writer,
    user: &UserId,
    profile: &UserProfile,
    moment: Moment,
) -> Result<Vec<Appended>, StoreError> {
    let mut transaction = writer.connection.begin_with("BEGIN IMMEDIATE").await?;
    let before = standing(&mut transaction, user).await?;
    let account = Account::from(profile);
    let stands_otherwise = before.as_ref() != Some(&account);
    sqlx::query(
        "INSERT INTO users (id, name, avatar_url, profile_url, status, status_reason, status_reversible, status_next_step)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, avatar_url = excluded.avatar_url,
             profile_url = excluded.profile_url, status = excluded.status, status_reason = excluded.status_reason,
             status_reversible = excluded.status_reversible, status_next_step = excluded.status_next_step",
    )
    .bind(user.as_str())
    .bind(&profile.name)
    .bind(&profile.avatar_url)
    .bind(&profile.profile_url)
    .bind(profile.status.as_str())
    .bind(&profile.status_reason)
    .bind(profile.status_reversible)
    .bind(&profile.status_next_step)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("INSERT INTO logs (owner, seq, hash) VALUES ($1, 0, $2) ON CONFLICT (owner) DO NOTHING")
        .bind(user.as_str())
        .bind(Hash::GENESIS.0.as_slice())
        .execute(&mut *transaction)
        .await?;
    let mut appended = Vec::new();
    if before.is_some() && stands_otherwise {
        let event = Event { by: None, client_id: None, what: What::Account(account), private: None };
        let inbox = Log::Inbox(user.clone());
        append_to(&mut transaction, inbox, vec![event], moment, &mut appended)
            .await
            .map_err(|error| StoreError::Database(error.to_string()))?;
    }
    let committed = transaction.commit().await;
    // Also when the outcome is unknown; nobody else gets at the writer in between.
    if stands_otherwise || committed.is_err() {
        writer.forget_all();
    }
    committed?;
    Ok(appended)
}

/// What is said of somebody's account now; of a stranger, nothing.
async fn standing(connection: &mut SqliteConnection, user: &UserId) -> sqlx::Result<Option<Account>> {
    let sql = "SELECT status, status_reason, status_reversible, status_next_step FROM users WHERE id = $1";
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
    connection: &mut SqliteConnection,
    user: &UserId,
    now: Time,
) -> Result<Option<Person>, StoreError> {
    // A transaction of its own: where a statement that returns rows commits by itself, the library loses the failure of that commit.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query(
        "UPDATE users SET tokens_valid_after = max(coalesce(tokens_valid_after, $2), $2) WHERE id = $1",
    )
    .bind(user.as_str())
    .bind(now.as_micros())
    .execute(&mut *transaction)
    .await?;
    let row: Option<PersonRow> =
        sqlx::query_as(PERSON).bind(user.as_str()).fetch_optional(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(row.map(PersonRow::decode).transpose()?)
}

const PERSON: &str = "SELECT name, avatar_url, profile_url, status, status_reason, status_reversible, status_next_step, tokens_valid_after
    FROM users WHERE id = $1";

/// A person.
pub(super) async fn load(pool: &SqlitePool, user: &UserId) -> Result<Option<Person>, StoreError> {
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
