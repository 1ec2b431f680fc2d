//! The ledger of response speed: when somebody was asked, when and how the clock stopped, and what that makes of it. The figure is
//! computed from the rows alone, each time anew: nothing is ever counted along.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::invitation::InvitationStatus;
use anteroom_protocol::ledger::{LedgerReason, LedgerVerdict, ResponseTime, Responsiveness};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::Side;
use serde::{Deserialize, Serialize};

use crate::domain::candidacy::{Case, Context, Decision};
use crate::domain::policy::{Policy, SECONDS_PER_DAY};
use crate::domain::refusal::Refusal;

/// How many rows a figure is made of at most: the newest of its window. Whoever is asked more often than a hundred times a day is
/// measured by those.
pub const FIGURE_ROWS: u32 = 10_000;

/// The limits of the buckets, which are words of the wire.
const A_DAY: i64 = SECONDS_PER_DAY * 1_000_000;
const THREE_DAYS: i64 = 3 * A_DAY;

/// Somebody was asked for an answer: a freelancer by an invitation, a client by a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Counts the times that one candidacy has asked.
    pub round: u32,
    /// The side that is asked.
    pub side: Side,
    /// When the clock started.
    pub started_at: Time,
    /// From when on it is unanswered. Fixed at the start, so that another policy changes no verdict that is there.
    pub until: Time,
    /// What stopped the clock, if anything has.
    pub stopped: Option<Stop>,
    /// When the client took it out of the ledger.
    pub retracted_at: Option<Time>,
}

/// What stopped a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    /// When.
    pub at: Time,
    /// How.
    pub how: How,
}

/// How a clock is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The freelancer accepted the invitation, also by a proposal.
    Accepted,
    /// The one who was asked declined.
    Declined,
    /// The freelancer reported the invitation.
    Reported,
    /// The client answered the proposal.
    Answered,
    /// The side that had asked took it back.
    Withdrawn,
    /// The invitation's time was over.
    Expired,
    /// The job took nobody any more.
    JobClosed,
    /// The marketplace removed it.
    Removed,
}

impl How {
    /// Whether the one who was asked has answered.
    fn is_answer(self) -> bool {
        match self {
            Self::Accepted | Self::Declined | Self::Reported | Self::Answered => true,
            Self::Withdrawn | Self::Expired | Self::JobClosed | Self::Removed => false,
        }
    }

    fn reason(self) -> LedgerReason {
        match self {
            Self::Accepted => LedgerReason::Accepted,
            Self::Declined => LedgerReason::Declined,
            Self::Reported => LedgerReason::Reported,
            Self::Answered => LedgerReason::Answered,
            Self::Withdrawn => LedgerReason::Withdrawn,
            Self::Expired => LedgerReason::Expired,
            Self::JobClosed => LedgerReason::JobClosed,
            Self::Removed => LedgerReason::Removed,
        }
    }
}

/// What a row is worth, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it counts, and how.
    pub verdict: LedgerVerdict,
    /// Why.
    pub reason: LedgerReason,
}

impl Verdict {
    /// Whether it is part of the figure while it is young enough.
    pub fn counts(self) -> bool {
        matches!(self.verdict, LedgerVerdict::Answered | LedgerVerdict::Unanswered)
    }
}

impl Row {
    /// This side is asked, and has until then to answer.
    pub fn started(side: Side, now: Time, until: Time) -> Self {
        Self { round: 1, side, started_at: now, until, stopped: None, retracted_at: None }
    }

    /// The clock stops, unless it stands already: the first thing that stopped it is what counts.
    #[must_use]
    pub fn stop(self, how: How, at: Time) -> Self {
        Self { stopped: self.stopped.or(Some(Stop { at, how })), ..self }
    }

    /// The side that had asked takes it back. Within the first hours that voids also what was answered: by a report, which does not end it.
    #[must_use]
    pub fn withdrawn(self, now: Time, policy: &Policy) -> Self {
        let void = self.is_answered() && now < self.final_at(policy);
        Self { retracted_at: self.retracted_at.or(void.then_some(now)), ..self.stop(How::Withdrawn, now) }
    }

    /// The marketplace removes what was asked with. Where nobody had answered, nobody is measured by it, whatever has come of it since.
    #[must_use]
    pub fn removed(self, now: Time) -> Self {
        if self.is_answered() {
            self
        } else {
            Self { stopped: Some(Stop { at: now, how: How::Removed }), ..self }
        }
    }

    /// The same, asked anew; what was answered stays answered, and no clock starts. Who took it back and asks again asks once: else a row
    /// against the other side could be made of every day.
    #[must_use]
    pub fn asked_again(self, now: Time, until: Time) -> Self {
        let anew = Self::started(self.side, now, until);
        match self.stopped {
            Some(stop) if stop.how.is_answer() => self,
            // What was too late by then stays so.
            Some(stop) if stop.how == How::Withdrawn && stop.at < self.until => {
                Self { round: self.round, ..anew }
            }
            _ => Self { round: self.round + 1, ..anew },
        }
    }

    /// Whether the one who was asked has answered, in time or not.
    pub fn is_answered(&self) -> bool {
        self.stopped.is_some_and(|stop| stop.how.is_answer())
    }

    /// From when on the other side can no longer take it out.
    pub fn final_at(&self, policy: &Policy) -> Time {
        self.started_at.plus_seconds(i64::from(policy.response_final_hours) * 60 * 60)
    }

    /// What it is worth at this moment.
    pub fn verdict(&self, now: Time, policy: &Policy) -> Verdict {
        use LedgerVerdict::{Answered, Unanswered, Void, Waiting};
        let new = |verdict, reason| Verdict { verdict, reason };
        if self.retracted_at.is_some() {
            return new(Void, LedgerReason::Retracted);
        }
        let Some(Stop { at, how }) =
            self.stopped.filter(|stop| stop.how == How::Removed || stop.at < self.until)
        else {
            let late = self.stopped.is_some() || now >= self.until;
            return if late { new(Unanswered, self.too_late()) } else { new(Waiting, LedgerReason::Waiting) };
        };
        match (how, self.side) {
            (How::Accepted | How::Declined | How::Reported | How::Answered, _) => new(Answered, how.reason()),
            (How::Withdrawn, _) if at < self.final_at(policy) => new(Void, LedgerReason::WithdrawnEarly),
            (How::JobClosed, Side::Freelancer) | (How::Removed, _) => new(Void, how.reason()),
            (How::Withdrawn | How::Expired | How::JobClosed, _) => new(Unanswered, how.reason()),
        }
    }

    fn too_late(&self) -> LedgerReason {
        match self.side {
            Side::Freelancer => LedgerReason::Expired,
            Side::Client => LedgerReason::Overdue,
        }
    }

    /// When the clock stopped, whoever came to it when: what was not answered in time stopped it when that was over.
    pub fn stopped_at(&self, now: Time) -> Option<Time> {
        match self.stopped {
            Some(Stop { at, how: How::Removed }) => Some(at),
            Some(Stop { at, .. }) => Some(at.min(self.until)),
            None => (now >= self.until).then_some(self.until),
        }
    }

    /// How long the answer took, in microseconds. `None`: it counts as never answered, or does not count.
    fn response(&self, verdict: Verdict) -> Option<i64> {
        let stop = self.stopped.filter(|_| verdict.verdict == LedgerVerdict::Answered)?;
        Some((stop.at.as_micros() - self.started_at.as_micros()).max(0))
    }

    /// The same in whole seconds.
    pub fn response_seconds(&self, now: Time, policy: &Policy) -> Option<u64> {
        self.response(self.verdict(now, policy)).map(seconds)
    }
}

/// `invitation.retract`: the client takes an invitation that was accepted or declined out of the ledger. It changes nothing else, and is
/// told to nobody.
pub fn retract(mut case: Case, context: &Context) -> Result<Decision, Refusal> {
    case.must_be(Side::Client, &context.actor)?;
    let invitation = case.invitation.as_ref().ok_or(Refusal::NotFound)?;
    // By what its client sees: whether it was reported is between the freelancer and the marketplace.
    let answered = invitation.status == InvitationStatus::Accepted || invitation.reason.is_some();
    let row = case.ledger.as_mut().filter(|row| row.side == Side::Freelancer && answered);
    let Some(row) = row else {
        return Err(Refusal::WrongPhase(case.phase_for(Side::Client).unwrap_or(Phase::Invited)));
    };
    if row.retracted_at.is_none() {
        if context.now >= row.final_at(&context.policy) {
            return Err(Refusal::LedgerFinal);
        }
        row.retracted_at = Some(context.now);
    }
    Ok(Decision::new(Vec::new(), Vec::new(), case))
}

/// What the rows of the trailing window make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// How many count.
    pub counted: u32,
    /// How many of them were answered within 24 hours.
    pub within_a_day: u32,
    /// The median response in microseconds; `None`: nothing counts, or it is that of an unanswered one.
    median: Option<i64>,
    /// What the profile shows.
    pub shown: Option<Responsiveness>,
    /// When this can next change by itself.
    pub changes_at: Option<Time>,
}

impl Figure {
    /// The median response in whole seconds.
    pub fn median_seconds(&self) -> Option<u64> {
        self.median.map(seconds)
    }
}

/// The beginning of the trailing window: rows whose clock started after it are in it.
pub fn window(now: Time, policy: &Policy) -> Time {
    now.plus_seconds(-i64::from(policy.response_days) * SECONDS_PER_DAY)
}

/// The figure of one side of one person, of these rows. Those that are not in the window make no difference.
pub fn figure(rows: &[Row], now: Time, policy: &Policy) -> Figure {
    let since = window(now, policy);
    let (mut responses, mut unanswered, mut changes_at) = (Vec::new(), 0_usize, None::<Time>);
    for row in rows.iter().filter(|row| row.started_at > since) {
        let verdict = row.verdict(now, policy);
        let change = match verdict.verdict {
            LedgerVerdict::Void => continue,
            LedgerVerdict::Waiting => row.until,
            LedgerVerdict::Answered | LedgerVerdict::Unanswered => {
                row.started_at.plus_seconds(i64::from(policy.response_days) * SECONDS_PER_DAY)
            }
        };
        changes_at = Some(changes_at.map_or(change, |earliest| earliest.min(change)));
        if verdict.counts() {
            match row.response(verdict) {
                Some(response) => responses.push(response),
                None => unanswered += 1,
            }
        }
    }
    responses.sort_unstable();
    let counted = responses.len() + unanswered;
    let within_a_day = responses.iter().filter(|response| **response < A_DAY).count();
    let median = median(&responses, counted);
    let enough = counted >= policy.response_minimum as usize && counted > 0;
    let shown = enough.then(|| Responsiveness {
        response_time: bucket(median),
        answered_within_24h: percent(within_a_day, counted),
    });
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Figure { counted: number(counted), within_a_day: number(within_a_day), median, shown, changes_at }
}

/// The median of so many, of which these, rising, are not infinite. Between two it is their mean.
fn median(responses: &[i64], counted: usize) -> Option<i64> {
    let upper = *responses.get(counted / 2)?;
    if counted.is_multiple_of(2) {
        let lower = *responses.get((counted / 2).checked_sub(1)?)?;
        Some(lower.midpoint(upper))
    } else {
        Some(upper)
    }
}

fn bucket(median: Option<i64>) -> ResponseTime {
    match median {
        Some(median) if median < A_DAY => ResponseTime::WithinADay,
        Some(median) if median < THREE_DAYS => ResponseTime::WithinThreeDays,
        Some(_) | None => ResponseTime::Longer,
    }
}

/// How many of a hundred, rounded half up.
fn percent(part: usize, whole: usize) -> u8 {
    u8::try_from((200 * part + whole) / (2 * whole)).unwrap_or(100)
}

fn seconds(micros: i64) -> u64 {
    u64::try_from(micros / 1_000_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000_000;
    const DAY: i64 = 24 * HOUR;

    fn at(micros: i64) -> Time {
        Time::from_micros(micros)
    }

    /// Somebody is asked at the beginning of time; a freelancer has 14 days, a client 30.
    fn asked(side: Side) -> Row {
        Row::started(side, at(0), at(if side == Side::Client { 30 * DAY } else { 14 * DAY }))
    }

    fn verdict(row: Row, now: i64) -> (LedgerVerdict, LedgerReason) {
        let Verdict { verdict, reason } = row.verdict(at(now), &Policy::default());
        (verdict, reason)
    }

    #[test]
    fn accepting_declining_reporting_and_answering_are_answers_until_the_time_is_over() {
        for (how, reason) in [
            (How::Accepted, LedgerReason::Accepted),
            (How::Declined, LedgerReason::Declined),
            (How::Reported, LedgerReason::Reported),
            (How::Answered, LedgerReason::Answered),
        ] {
            let row = asked(Side::Client).stop(how, at(30 * DAY - 1));
            assert_eq!(verdict(row, 99 * DAY), (LedgerVerdict::Answered, reason));
            let late = asked(Side::Client).stop(how, at(30 * DAY));
            assert_eq!(verdict(late, 99 * DAY), (LedgerVerdict::Unanswered, LedgerReason::Overdue));
            assert_eq!(late.stopped_at(at(99 * DAY)), Some(at(30 * DAY)));
        }
    }

    #[test]
    fn what_stops_a_clock_first_is_what_counts() {
        let row = asked(Side::Freelancer).stop(How::Reported, at(HOUR)).stop(How::Accepted, at(50 * HOUR));
        assert_eq!(row.response_seconds(at(DAY), &Policy::default()), Some(3_600));
        assert_eq!(verdict(row, DAY).1, LedgerReason::Reported);
        assert_eq!(verdict(row.stop(How::JobClosed, at(99)), DAY).1, LedgerReason::Reported);
    }

    #[test]
    fn what_nobody_answers_waits_until_its_time_is_over_and_then_counts_against_them() {
        for (side, until, reason) in [
            (Side::Freelancer, 14 * DAY, LedgerReason::Expired),
            (Side::Client, 30 * DAY, LedgerReason::Overdue),
        ] {
            assert_eq!(verdict(asked(side), until - 1), (LedgerVerdict::Waiting, LedgerReason::Waiting));
            assert_eq!(verdict(asked(side), until), (LedgerVerdict::Unanswered, reason));
            assert_eq!(
                (asked(side).stopped_at(at(until - 1)), asked(side).stopped_at(at(until))),
                (None, Some(at(until)))
            );
        }
        let expired = asked(Side::Freelancer).stop(How::Expired, at(14 * DAY));
        assert_eq!(verdict(expired, 14 * DAY), (LedgerVerdict::Unanswered, LedgerReason::Expired));
    }

    #[test]
    fn what_is_taken_back_within_a_day_does_not_count_whether_it_was_answered_or_not() {
        let policy = Policy::default();
        for side in [Side::Freelancer, Side::Client] {
            let early = asked(side).withdrawn(at(DAY - 1), &policy);
            assert_eq!(verdict(early, DAY), (LedgerVerdict::Void, LedgerReason::WithdrawnEarly));
            let late = asked(side).withdrawn(at(DAY), &policy);
            assert_eq!(verdict(late, DAY), (LedgerVerdict::Unanswered, LedgerReason::Withdrawn));
        }
        let reported = asked(Side::Freelancer).stop(How::Reported, at(HOUR));
        assert_eq!(
            verdict(reported.withdrawn(at(DAY - 1), &policy), DAY),
            (LedgerVerdict::Void, LedgerReason::Retracted)
        );
        assert_eq!(
            verdict(reported.withdrawn(at(DAY), &policy), DAY),
            (LedgerVerdict::Answered, LedgerReason::Reported)
        );
    }

    #[test]
    fn the_end_of_a_job_counts_against_the_client_who_has_not_answered_and_not_against_the_freelancer() {
        let closed = |side| verdict(asked(side).stop(How::JobClosed, at(2 * DAY)), 3 * DAY);
        assert_eq!(closed(Side::Freelancer), (LedgerVerdict::Void, LedgerReason::JobClosed));
        assert_eq!(closed(Side::Client), (LedgerVerdict::Unanswered, LedgerReason::JobClosed));
    }

    #[test]
    fn what_the_marketplace_removes_counts_only_where_it_was_answered() {
        let policy = Policy::default();
        let (row, removed) = (asked(Side::Freelancer), (LedgerVerdict::Void, LedgerReason::Removed));
        let over = [row, row.stop(How::Expired, at(14 * DAY)), row.withdrawn(at(3 * DAY), &policy)];
        for row in over {
            assert_eq!(verdict(row.removed(at(15 * DAY)), 16 * DAY), removed);
        }
        let declined = row.stop(How::Declined, at(HOUR));
        assert_eq!(declined.removed(at(2 * HOUR)), declined);
    }

    #[test]
    fn what_is_reopened_is_asked_anew_unless_it_was_answered() {
        let expired = asked(Side::Freelancer).stop(How::Expired, at(14 * DAY));
        let again = expired.asked_again(at(20 * DAY), at(34 * DAY));
        assert_eq!(
            (again.round, again.started_at, again.until, again.stopped),
            (2, at(20 * DAY), at(34 * DAY), None)
        );
        let declined = asked(Side::Freelancer).stop(How::Declined, at(HOUR));
        assert_eq!(declined.asked_again(at(DAY), at(15 * DAY)), declined);
    }

    /// Answered after so many microseconds each, a minute apart; `None`: never. The last one began just before `now`.
    fn rows(responses: &[Option<i64>], now: i64) -> Vec<Row> {
        let row = |(number, response): (usize, &Option<i64>)| {
            let start = now - 60 * DAY + i64::try_from(number).expect("few") * 60_000_000;
            let row = Row::started(Side::Client, at(start), at(start + 30 * DAY));
            response.map_or(row, |response| row.stop(How::Answered, at(start + response)))
        };
        responses.iter().enumerate().map(row).collect()
    }

    fn figure_of(responses: &[Option<i64>]) -> Figure {
        figure(&rows(responses, 100 * DAY), at(100 * DAY), &Policy::default())
    }

    #[test]
    fn nothing_is_shown_of_fewer_than_five_and_a_bucket_with_its_share_from_there_on() {
        let fast = Some(HOUR);
        assert_eq!(figure_of(&[]).shown, None);
        assert_eq!(figure_of(&[fast; 4]).shown, None);
        let shown = |responses: &[Option<i64>]| {
            let shown = figure_of(responses).shown.expect("enough");
            (shown.response_time, shown.answered_within_24h)
        };
        let slow = Some(2 * DAY);
        assert_eq!(shown(&[fast; 5]), (ResponseTime::WithinADay, 100));
        assert_eq!(shown(&[fast, fast, slow, slow, slow]), (ResponseTime::WithinThreeDays, 40));
        assert_eq!(shown(&[fast, fast, None, None, None]), (ResponseTime::Longer, 40));
        // Of an even number, the mean of the two in the middle; infinite, if one of them is.
        assert_eq!(shown(&[fast, fast, fast, slow, slow, slow]), (ResponseTime::WithinThreeDays, 50));
        assert_eq!(shown(&[fast, fast, fast, None, None, None]), (ResponseTime::Longer, 50));
        assert_eq!(shown(&[fast, fast, fast, fast, None, None]), (ResponseTime::WithinADay, 67));
        assert_eq!(figure_of(&[fast, fast, fast, None, None, None]).median_seconds(), None);
        assert_eq!(figure_of(&[fast, slow]).median_seconds(), Some(25 * 3_600 - 1_800));
    }

    #[test]
    fn the_limits_of_the_buckets_belong_to_the_slower_one() {
        for (median, bucket) in [
            (DAY - 1, ResponseTime::WithinADay),
            (DAY, ResponseTime::WithinThreeDays),
            (3 * DAY - 1, ResponseTime::WithinThreeDays),
            (3 * DAY, ResponseTime::Longer),
        ] {
            let figure = figure_of(&[Some(median); 5]);
            assert_eq!(figure.shown.map(|shown| shown.response_time), Some(bucket), "{median}");
            assert_eq!(figure.within_a_day, if median < DAY { 5 } else { 0 });
        }
    }

    #[test]
    fn a_row_leaves_the_figure_ninety_days_after_it_began_and_that_is_when_it_changes() {
        let policy = Policy::default();
        let rows: Vec<Row> = (0..5)
            .map(|day| {
                let start = day * DAY;
                Row::started(Side::Freelancer, at(start), at(start + 14 * DAY))
                    .stop(How::Declined, at(start + HOUR))
            })
            .collect();
        let before = figure(&rows, at(90 * DAY - 1), &policy);
        assert_eq!((before.counted, before.changes_at), (5, Some(at(90 * DAY))));
        let after = figure(&rows, at(90 * DAY), &policy);
        assert_eq!((after.counted, after.shown, after.changes_at), (4, None, Some(at(91 * DAY))));
        assert_eq!(figure(&rows, at(94 * DAY), &policy).changes_at, None);
        let waiting = [asked(Side::Client)];
        assert_eq!(figure(&waiting, at(DAY), &policy).changes_at, Some(at(30 * DAY)));
        let void = [asked(Side::Client).withdrawn(at(HOUR), &policy)];
        assert_eq!(figure(&void, at(DAY), &policy).changes_at, None);
    }

    /// The same, by the words of the rule: every response in a list, the infinite ones last.
    fn naive(responses: &[Option<i64>]) -> Option<(ResponseTime, u8)> {
        let mut sorted: Vec<f64> = responses
            .iter()
            .map(|response| response.map_or(f64::INFINITY, |response| response as f64))
            .collect();
        sorted.sort_by(f64::total_cmp);
        let count = sorted.len();
        if count < 5 {
            return None;
        }
        let median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
        let bucket = if median < DAY as f64 {
            ResponseTime::WithinADay
        } else if median < (3 * DAY) as f64 {
            ResponseTime::WithinThreeDays
        } else {
            ResponseTime::Longer
        };
        let within = responses.iter().flatten().filter(|response| **response < DAY).count();
        Some((bucket, (within as f64 * 100.0 / count as f64 + 0.5).floor() as u8))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_figure_is_what_the_rule_says_of_any_responses(
            mut responses in vec(of(prop_oneof![
                0..30 * DAY,
                Just(DAY - 1), Just(DAY), Just(3 * DAY - 1), Just(3 * DAY), 0..2 * DAY,
            ]), 0..40),
            turn in 0..40_usize,
        ) {
            let figure = figure_of(&responses);
            let shown = figure.shown.map(|shown| (shown.response_time, shown.answered_within_24h));
            prop_assert_eq!(shown, naive(&responses));
            prop_assert_eq!(figure.counted as usize, responses.len());
            let turn = turn.min(responses.len());
            responses.rotate_left(turn);
            prop_assert_eq!(figure_of(&responses).shown, figure.shown, "whatever their order");
        }
    }
}
