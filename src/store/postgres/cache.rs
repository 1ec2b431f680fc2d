//! Logs as this process last knew them: read together, remembered, and brought up to date by what other nodes tell. Any of them may have
//! changed since; a write into one is compared with what it is by then, so whatever is wrong here costs a second attempt and nothing else.

use std::collections::{HashMap, HashSet};

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::PostgresStore;
use super::log::{LogRow, MemberRow, cached, keys, named};
use crate::domain::log::Log;
use crate::domain::room::Member;
use crate::store::Appended;
use crate::store::sql::batch::{CachedLog, count_in};

impl PostgresStore {
    /// Takes these logs, those that exist, out of memory or from the database. Whoever takes them gives back those that are still true.
    pub(super) async fn take(
        &self,
        connection: &mut PgConnection,
        wanted: &HashSet<&Log>,
    ) -> sqlx::Result<HashMap<Log, CachedLog>> {
        let (mut taken, mut missing) = (HashMap::new(), HashSet::new());
        {
            let mut cached = self.logs();
            for log in wanted {
                match cached.pop(*log) {
                    Some(found) => drop(taken.insert((*log).clone(), found)),
                    None => drop(missing.insert(*log)),
                }
            }
        }
        taken.extend(load(connection, &missing).await?);
        Ok(taken)
    }

    /// Other nodes have written these. What else they changed beside the head shows when it is compared.
    pub(super) fn hear(&self, entries: &[Appended]) {
        let mut known = self.logs();
        for Appended { entry, .. } in entries {
            let Some(log) = known.peek_mut(&entry.log) else { continue };
            if entry.seq == log.room.head.seq + 1 {
                log.room.head = entry.head();
                count_in(&mut log.counts, entry);
            } else if entry.seq > log.room.head.seq {
                known.pop(&entry.log);
            }
        }
    }

    /// Remembers logs as they are thought to be from now on.
    pub(super) fn keep(&self, logs: HashMap<Log, CachedLog>) {
        let mut cached = self.logs();
        for (log, found) in logs {
            cached.put(log, found);
        }
    }
}

#[derive(FromRow)]
struct Row {
    room: Option<Uuid>,
    owner: Option<String>,
    #[sqlx(flatten)]
    log: LogRow,
}

#[derive(FromRow)]
struct PersonRow {
    log: i64,
    #[sqlx(flatten)]
    member: MemberRow,
}

/// The rooms and the owners that these logs are found by.
pub(super) fn names<'a>(wanted: &HashSet<&'a Log>) -> (Vec<Uuid>, Vec<&'a str>) {
    let (rooms, owners): (Vec<_>, Vec<_>) = wanted.iter().map(|log| keys(log)).unzip();
    (rooms.into_iter().flatten().collect(), owners.into_iter().flatten().collect())
}

/// These logs, those that exist, as they are in the database: two statements, however many they are.
pub(super) async fn load(
    connection: &mut PgConnection,
    wanted: &HashSet<&Log>,
) -> sqlx::Result<HashMap<Log, CachedLog>> {
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let (rooms, owners) = names(wanted);
    let sql = "SELECT room, owner, id, candidacy, phase, seq, hash, counts, version FROM logs
               WHERE room = ANY($1) OR owner = ANY($2)";
    let rows: Vec<Row> = sqlx::query_as(sql).bind(rooms).bind(owners).fetch_all(&mut *connection).await?;
    let sql = r#"SELECT m.log, m."user", m.side, u.status, u.status_reason, u.status_reversible, u.status_next_step
                 FROM members m JOIN users u ON u.id = m."user" WHERE m.log = ANY($1) ORDER BY m.side"#;
    let ids: Vec<i64> = rows.iter().map(|row| row.log.id).collect();
    let people: Vec<PersonRow> = sqlx::query_as(sql).bind(ids).fetch_all(connection).await?;
    let mut members: HashMap<i64, Vec<Member>> = HashMap::new();
    for person in people {
        members.entry(person.log).or_default().push(person.member.member()?);
    }
    let found = |row: Row| {
        let log = named(row.room, row.owner.as_deref())?;
        let members = members.remove(&row.log.id).unwrap_or_default();
        let found = cached(&log, row.log, members)?;
        Ok((log, found))
    };
    rows.into_iter().map(found).collect()
}
