//! Commands that were done before: the same again gets the same answer.

use super::dialect::Connection;
use super::log;
use super::rows::known;
use crate::store::sql::batch::{Known, message_answer};
use crate::store::sql::code;
use crate::store::sql::work::Failed;
use crate::store::{Answer, Committed, Intent};

/// The answer of a command that was done before; refuses when the id stands for another command.
pub(super) async fn repeat(
    connection: &mut Connection,
    intent: &Intent,
) -> Result<Option<Committed>, Failed> {
    let mut known = known(connection, std::iter::once(intent)).await?;
    match known.remove(&(intent.actor.clone(), intent.client_id)) {
        None => Ok(None),
        Some(known) if !known.is(intent) => Err(Failed::Reused),
        Some(known) => Ok(Some(repeated(connection, &known).await?)),
    }
}

/// What the author of such a command was told.
pub(super) async fn repeated(connection: &mut Connection, known: &Known) -> sqlx::Result<Committed> {
    let answer = match (&known.answer, known.place) {
        (Some(answer), _) => code::json::<Answer>(answer)?,
        (None, Some((row, seq))) => message_answer(&log::entry(connection, row, seq).await?),
        (None, None) => return Err(code::damaged("a command without an answer")),
    };
    Ok(Committed { answer, duplicate: true, appended: Vec::new() })
}
