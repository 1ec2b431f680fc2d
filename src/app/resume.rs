//! Joining logs: catching a reader up from a number. The socket is in the hub before anything is read here, so what is committed in
//! between arrives live, and the reader's cursor sorts out what came twice.

use anteroom_protocol::limits;
use anteroom_protocol::log::Hash;
use anteroom_protocol::room::{Cursor, JoinMode};

use super::{App, AppError};
use crate::domain::actor::Actor;
use crate::domain::log::Log;
use crate::domain::refusal::Refusal;
use crate::store::{Access, Reach};
use crate::wire::to_wire::Audience;

/// A log that was joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Which.
    pub log: Log,
    /// What its reader may see.
    pub audience: Audience,
    /// Its last entry's number.
    pub head: u64,
    /// What follows.
    pub follow: Follow,
    /// Its people, and how far each is.
    pub people: Vec<Reach>,
}

/// What the database knows of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub log: Log,
    /// Its last entry's number.
    pub head: u64,
    /// That of the last entry that has arrived at a device of the reader's; in an inbox nobody keeps it.
    pub delivered: u64,
}

/// What follows a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Follow {
    /// Nothing was missed.
    Nothing,
    /// The entries after this number, up to the head.
    After(u64),
    /// Too many entries: the reader pages them.
    Gap {
        /// The first missing number.
        from: u64,
    },
    /// The reader's cursor is not of this log.
    Reset(&'static str),
}

impl Follow {
    /// The word for it on the wire.
    pub fn mode(&self) -> JoinMode {
        match self {
            Self::Nothing => JoinMode::Live,
            Self::After(_) => JoinMode::Resumed,
            Self::Gap { .. } => JoinMode::Gap,
            Self::Reset(_) => JoinMode::Reset,
        }
    }
}

/// What the database knows of these logs by now. Those that are not the reader's are left out.
///
/// # Errors
/// The database cannot be read.
pub async fn known(app: &App, actor: &Actor, logs: Vec<Log>) -> Result<Vec<Known>, AppError> {
    let asked: Vec<(Log, u64)> = logs.into_iter().map(|log| (log, 0)).collect();
    let access = app.store.access(&actor.user, &asked).await?;
    let known = asked.into_iter().zip(access).filter_map(|((log, _), access)| {
        let Access { head, people, .. } = access?;
        let own = people.into_iter().find(|reach| reach.user == actor.user);
        Some(Known { log, head: head.seq, delivered: own.map_or(0, |reach| reach.delivered) })
    });
    Ok(known.collect())
}

/// Joins logs at these cursors, with one question for all of them.
///
/// # Errors
/// The database cannot be read. A log that is not the reader's is refused in its own place.
pub async fn join(
    app: &App,
    actor: &Actor,
    cursors: &[Cursor],
) -> Result<Vec<Result<Joined, AppError>>, AppError> {
    let asked: Vec<(Log, u64)> = cursors
        .iter()
        .map(|cursor| (Log::named(cursor.room, &actor.user), cursor.after.unwrap_or(0)))
        .collect();
    let access = app.store.access(&actor.user, &asked).await?;
    let mut joined = Vec::with_capacity(cursors.len());
    for ((cursor, (log, _)), access) in cursors.iter().zip(asked).zip(access) {
        joined.push(match access {
            None => Err(Refusal::NotFound.into()),
            Some(access) => Ok(one(app, cursor, log, access).await?),
        });
    }
    Ok(joined)
}

async fn one(app: &App, cursor: &Cursor, log: Log, access: Access) -> Result<Joined, AppError> {
    let head = access.head.seq;
    let mut follow = follow(cursor, head, access.hash_at);
    if let Follow::After(after) = follow
        && (head - after > limits::RESUME_ENTRIES
            || app.store.measure(&log, after, head).await? > limits::RESUME_BYTES)
    {
        follow = Follow::Gap { from: after + 1 };
    }
    app.metrics.joined(follow.mode());
    Ok(Joined { audience: Audience::of(&log, access.side), log, head, follow, people: access.people })
}

fn follow(cursor: &Cursor, head: u64, hash_at: Option<Hash>) -> Follow {
    match (cursor.after, cursor.hash) {
        (None, _) => Follow::Nothing,
        (Some(after), _) if after > head => Follow::Reset("the log does not reach this far"),
        (Some(1..), Some(hash)) if hash_at != Some(hash) => {
            Follow::Reset("the entry of this number is another one")
        }
        (Some(after), _) if after == head => Follow::Nothing,
        (Some(after), _) => Follow::After(after),
    }
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::id::RoomRef;

    use super::*;

    #[test]
    fn the_cursor_decides_what_follows() {
        let cursor = |after, hash| Cursor { room: RoomRef::Inbox, after, hash };
        let (mine, other) = (Hash([1; 32]), Hash([2; 32]));
        let cases = [
            (cursor(None, None), None, JoinMode::Live),
            (cursor(Some(0), None), None, JoinMode::Resumed),
            (cursor(Some(0), Some(other)), None, JoinMode::Resumed),
            (cursor(Some(4), Some(mine)), Some(mine), JoinMode::Resumed),
            (cursor(Some(4), None), Some(mine), JoinMode::Resumed),
            (cursor(Some(5), Some(mine)), Some(mine), JoinMode::Live),
            (cursor(Some(4), Some(other)), Some(mine), JoinMode::Reset),
            (cursor(Some(5), Some(other)), Some(mine), JoinMode::Reset),
            (cursor(Some(6), Some(mine)), None, JoinMode::Reset),
            (cursor(Some(u64::MAX), None), None, JoinMode::Reset),
        ];
        for (cursor, hash_at, mode) in cases {
            assert_eq!(follow(&cursor, 5, hash_at).mode(), mode, "{cursor:?}");
        }
    }
}
