//! Read markers. A marker keeps the counts of its place, so that unread is the difference of two counts and nothing is
//! ever counted up or down.

use std::collections::BTreeMap;
use std::sync::Arc;

use anteroom_protocol::id::UserId;
use sqlx::Row as _;

use super::dialect::{Connection, each, group, id_of};
use super::log::keys;
use crate::domain::log::{COUNTED, Log};
use crate::domain::refusal::Refusal;
use crate::store::sql::batch::Counts;
use crate::store::sql::code;
use crate::store::sql::work::{Done, Failed};
use crate::store::{CommitError, Mark, Marked, Place, Reach};

/// What the database knows of a marker and its log.
struct Found {
    log: i64,
    head: u64,
    counts: Counts,
    stands: Stand,
    readers: Arc<[UserId]>,
}

/// Where a marker stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Stand {
    delivered: u64,
    read: u64,
    marker: u64,
    counts: Counts,
}

/// How many entries of others that count lie between the counts of a marker and those of its log's head.
pub(super) fn unread(head: &Counts, marker: &Counts, reader: &UserId) -> u64 {
    let behind = head.iter().filter(|(author, _)| author.as_str() != reader.as_str());
    behind.map(|(author, count)| count.saturating_sub(marker.get(author).copied().unwrap_or(0))).sum()
}

/// The same, from what the tables hold.
pub(super) fn unread_of(head: &str, marker: Option<&str>, reader: &UserId) -> sqlx::Result<u64> {
    let marker: Counts = marker.map(code::json).transpose()?.unwrap_or_default();
    Ok(unread(&code::json(head)?, &marker, reader))
}

/// See [`crate::store::Store::mark`].
pub(super) async fn mark(
    connection: &mut Connection,
    marks: &[Mark],
) -> Result<Done<Vec<Result<Marked, CommitError>>>, Failed> {
    let mut found = find(connection, marks).await?;
    let mut moved: BTreeMap<(i64, String), Stand> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(marks.len());
    for (index, mark) in marks.iter().enumerate() {
        let Some(found) = found.remove(&index) else {
            outcomes.push(Err(Refusal::NotFound.into()));
            continue;
        };
        let key = (found.log, mark.user.to_string());
        // An earlier mark of this batch may have moved the same one.
        let before = moved.get(&key).cloned().unwrap_or_else(|| found.stands.clone());
        match go(connection, mark, &found, &before).await? {
            Err(refusal) => outcomes.push(Err(refusal.into())),
            Ok(after) => {
                outcomes.push(Ok(marked(mark, &found, &before, &after)));
                if after != before {
                    moved.insert(key, after);
                }
            }
        }
    }
    if !moved.is_empty() {
        keep(connection, &moved).await?;
    }
    Ok(Done::plain(outcomes))
}

fn marked(mark: &Mark, found: &Found, before: &Stand, after: &Stand) -> Marked {
    Marked {
        reach: Reach { user: mark.user.clone(), delivered: after.delivered, read: after.read },
        marker: after.marker,
        unread: unread(&found.counts, &after.counts, &mark.user),
        moved: before != after,
        readers: found.readers.clone(),
    }
}

/// Where the marker goes.
async fn go(
    connection: &mut Connection,
    mark: &Mark,
    found: &Found,
    before: &Stand,
) -> sqlx::Result<Result<Stand, Refusal>> {
    let mut after = before.clone();
    let (Place::Delivered(seq) | Place::Read(seq) | Place::Unread(seq)) = mark.place;
    if seq > found.head {
        return Ok(Err(Refusal::Invalid("seq: the log does not reach this far".into())));
    }
    match mark.place {
        Place::Delivered(seq) => after.delivered = before.delivered.max(seq),
        Place::Read(seq) => {
            after.delivered = before.delivered.max(seq);
            after.read = before.read.max(seq);
            after.marker = before.marker.max(seq);
        }
        Place::Unread(0) => return Ok(Err(Refusal::Invalid("seq: the first entry is number 1".into()))),
        Place::Unread(seq) => after.marker = seq - 1,
    }
    if after.marker != before.marker {
        after.counts = counts_at(connection, &mark.log, found, before, after.marker).await?;
    }
    Ok(Ok(after))
}

/// The counts of a log at this entry: from the nearest place where they are known, its beginning, its head or where the marker stood, by the
/// entries between.
async fn counts_at(
    connection: &mut Connection,
    log: &Log,
    found: &Found,
    before: &Stand,
    seq: u64,
) -> sqlx::Result<Counts> {
    let nothing = Counts::new();
    let known = [(0, &nothing), (before.marker, &before.counts), (found.head, &found.counts)];
    let nearest = known.into_iter().min_by_key(|(place, _)| place.abs_diff(seq));
    let (place, counts) = nearest.unwrap_or((0, &nothing));
    let mut counts = counts.clone();
    if place == seq {
        return Ok(counts);
    }
    let every_kind = matches!(log, Log::Inbox(_));
    let sql = concat!(
        "SELECT COALESCE(by, ''), COUNT(*) FROM entries
         WHERE log = $1 AND seq > $2 AND seq <= $3 AND ($4 OR kind IN (SELECT value ->> 0 FROM ",
        each!("$5"),
        ")) GROUP BY 1"
    );
    let between: Vec<(String, i64)> = sqlx::query_as(sql)
        .bind(found.log)
        .bind(code::number(place.min(seq)))
        .bind(code::number(place.max(seq)))
        .bind(every_kind)
        .bind(code::to_json(&COUNTED.map(|kind| [kind]))?)
        .fetch_all(connection)
        .await?;
    for (author, number) in between {
        let (number, count) = (code::count(number)?, counts.entry(author).or_default());
        *count = if place < seq { *count + number } else { count.saturating_sub(number) };
    }
    counts.retain(|_, count| *count > 0);
    Ok(counts)
}

/// The logs and markers that these marks name, by their place in the list; those that are nothing to the marker's owner are left out.
async fn find(connection: &mut Connection, marks: &[Mark]) -> sqlx::Result<BTreeMap<usize, Found>> {
    let sql = concat!(
        "SELECT CAST(value ->> 0 AS BIGINT), l.id, l.seq, l.counts, k.delivered, k.read, k.marker, k.counts, (SELECT coalesce(CAST(",
        group!(),
        r#"("user") AS TEXT), '[]') FROM members WHERE log = l.id)
        FROM "#,
        each!("$1"),
        " JOIN logs l ON l.room = ",
        id_of!("value ->> 1"),
        r#" OR l.owner = value ->> 2
        LEFT JOIN members m ON m.log = l.id AND m."user" = value ->> 3
        LEFT JOIN markers k ON k.log = l.id AND k."user" = value ->> 3
        WHERE m."user" IS NOT NULL OR l.owner = value ->> 3"#
    );
    let asked: Vec<(usize, Option<String>, Option<&str>, &UserId)> = marks
        .iter()
        .enumerate()
        .map(|(place, mark)| {
            let (room, owner) = keys(&mark.log);
            (place, room.map(|room| room.simple().to_string()), owner, &mark.user)
        })
        .collect();
    let mut found = BTreeMap::new();
    for row in sqlx::query(sql).bind(code::to_json(&asked)?).fetch_all(connection).await? {
        let index = usize::try_from(row.try_get::<i64, _>(0)?).map_err(|_| code::damaged("an index"))?;
        let number = |column: usize| row.try_get::<Option<i64>, _>(column)?.map_or(Ok(0), code::count);
        let counts = row.try_get::<Option<&str>, _>(7)?.map(code::json).transpose()?.unwrap_or_default();
        let stands = Stand { delivered: number(4)?, read: number(5)?, marker: number(6)?, counts };
        let people: Vec<String> = code::json(row.try_get(8)?)?;
        let mut readers: Vec<UserId> =
            people.iter().map(|user| code::user(user)).collect::<sqlx::Result<_>>()?;
        if let Some(Log::Inbox(owner)) = marks.get(index).map(|mark| &mark.log) {
            readers.push(owner.clone());
        }
        let found_here = Found {
            log: row.try_get(1)?,
            head: code::count(row.try_get(2)?)?,
            counts: code::json(row.try_get(3)?)?,
            stands,
            readers: readers.into(),
        };
        found.insert(index, found_here);
    }
    Ok(found)
}

/// Keeps where markers stand now. What others see of a marker only rises: where another node's write has gone further meanwhile, all of it is
/// decided anew.
async fn keep(connection: &mut Connection, moved: &BTreeMap<(i64, String), Stand>) -> Result<(), Failed> {
    let rows: Vec<_> = moved
        .iter()
        .map(|((log, user), stand)| {
            let counts = code::to_json(&stand.counts)?;
            Ok((log, user, stand.delivered, stand.read, stand.marker, counts))
        })
        .collect::<sqlx::Result<_>>()?;
    let sql = concat!(
        r#"INSERT INTO markers (log, "user", delivered, read, marker, counts)
           SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT),
                  CAST(value ->> 4 AS BIGINT), value ->> 5 FROM "#,
        each!("$1"),
        r#" WHERE true
           ON CONFLICT (log, "user") DO UPDATE SET delivered = excluded.delivered, read = excluded.read,
               marker = excluded.marker, counts = excluded.counts
           WHERE excluded.delivered >= markers.delivered AND excluded.read >= markers.read"#
    );
    let written = sqlx::query(sql).bind(code::to_json(&rows)?).execute(connection).await?;
    let all = written.rows_affected() == moved.len() as u64;
    if all { Ok(()) } else { Err(Failed::Stale("a marker moved under a write")) }
}
