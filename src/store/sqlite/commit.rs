//! The commit path: a batch of writes, decided in memory on the heads of their logs, written set by set in one transaction.

use std::collections::HashMap;

use super::command::repeated;
use super::rows::{known, write_all};
use super::writer::Writer;
use crate::domain::log::Log;
use crate::domain::room::Room;
use crate::store::sql::batch::{Outcome, Plan, message_answer};
use crate::store::{CommitError, Committed, DecideEntry, Moment, Write};

impl Writer {
    /// See [`crate::store::Store::commit`].
    pub(super) async fn commit(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Vec<Result<Committed, CommitError>> {
        match self.attempt(batch, moment, decide).await {
            Ok(outcomes) => outcomes,
            // Certainly not written: decided again, each for itself, on what is in the database now.
            Err(CommitError::Busy(_)) => self.alone(batch, moment, decide).await,
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Each of a batch that failed by itself, so that whatever is wrong with one is not its neighbours' loss. What its own author wrote
    /// after it into the same log fails with it: written now, it would stand before its predecessor.
    async fn alone(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Vec<Result<Committed, CommitError>> {
        let mut failed: HashMap<(&Log, &str), CommitError> = HashMap::new();
        let mut outcomes = Vec::with_capacity(batch.len());
        for (index, write) in batch.iter().enumerate() {
            let lane = (&write.log, write.intent.actor.as_str());
            if let Some(error) = failed.get(&lane) {
                outcomes.push(Err(error.clone()));
                continue;
            }
            let decide_one = |_: usize, room: &Room| decide(index, room);
            let outcome = match self.attempt(std::slice::from_ref(write), moment, &decide_one).await {
                Ok(mut outcome) => outcome.remove(0),
                Err(error) => Err(error),
            };
            if let Err(error @ (CommitError::Busy(_) | CommitError::Unknown(_))) = &outcome {
                failed.insert(lane, error.clone());
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    async fn attempt(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Result<Vec<Result<Committed, CommitError>>, CommitError> {
        self.heal().await.map_err(busy)?;
        let written = self.write(batch, moment, decide).await;
        let outcomes = self.judge(written)?;
        let mut answers = Vec::with_capacity(batch.len());
        for outcome in outcomes {
            let answer = self.answer(outcome).await;
            answers.push(self.judge(answer));
        }
        Ok(answers)
    }

    /// Decides a batch, and writes what comes of it.
    async fn write(
        &mut self,
        batch: &[Write],
        moment: Moment,
        decide: DecideEntry<'_>,
    ) -> Result<Vec<Outcome>, CommitError> {
        let known =
            known(&mut self.connection, batch.iter().map(|write| &write.intent)).await.map_err(busy)?;
        let logs = self.take(batch.iter().map(|write| &write.log)).await.map_err(busy)?;
        let items: Vec<(usize, &Write)> = batch.iter().enumerate().collect();
        let mut plan = Plan::new(&items, &known, logs, moment, decide);
        let outcomes = plan.decide_all();
        let rows = plan.rows(&outcomes);
        if !rows.entries.is_empty() {
            // When this fails, the logs are not given back, and are read anew the next time.
            write_all(&mut self.connection, &rows).await?;
        }
        self.keep(plan.logs);
        Ok(outcomes)
    }

    async fn answer(&mut self, outcome: Outcome) -> Result<Committed, CommitError> {
        match outcome {
            Outcome::New(appended) => Ok(Committed {
                answer: message_answer(&appended.entry),
                duplicate: false,
                appended: vec![appended],
            }),
            Outcome::Repeat(entry) => {
                Ok(Committed { answer: message_answer(&entry), duplicate: true, appended: Vec::new() })
            }
            Outcome::Known(known) => repeated(&mut self.connection, &known).await.map_err(busy),
            Outcome::Reused(_) => Err(CommitError::Reused),
            Outcome::Failed(error) => Err(error),
        }
    }
}

/// Nothing was written: the transaction had not been committed.
#[expect(clippy::needless_pass_by_value, reason = "it stands where errors are mapped")]
fn busy(error: sqlx::Error) -> CommitError {
    CommitError::Busy(error.to_string())
}
