//! What came of it, as tables.

use std::fmt::Write as _;

use serde::Serialize;

use super::profile::Part;
use super::subject::{Subject, Turn};
use crate::machine::Machine;
use crate::scenario::rooms::Plan;

/// All turns of all subjects.
#[derive(Debug, Serialize)]
pub struct Comparison {
    machine: Machine,
    rooms: usize,
    in_flight: usize,
    body_bytes: usize,
    seconds: u64,
    repeats: u64,
    turns: Vec<(Subject, Vec<Turn>)>,
    /// Where the difference goes; none where there is no sampler.
    pub(super) profile: Option<Vec<Part>>,
}

impl Comparison {
    pub(super) fn new(machine: Machine, plan: Plan, repeats: u64) -> Self {
        let Plan { rooms, duration, in_flight, body_bytes, .. } = plan;
        let (seconds, turns, profile) = (duration.as_secs(), Vec::new(), None);
        Self { machine, rooms, in_flight, body_bytes, seconds, repeats, turns, profile }
    }

    pub(super) fn add(&mut self, subject: Subject, turn: Turn) {
        match self.turns.iter_mut().find(|(known, _)| *known == subject) {
            Some((_, turns)) => turns.push(turn),
            None => self.turns.push((subject, vec![turn])),
        }
    }

    /// The turn of this subject that cost neither the most nor the least.
    fn middle(&self, subject: Subject) -> Option<Turn> {
        let mut turns = self.turns.iter().find(|(known, _)| *known == subject)?.1.clone();
        turns.sort_by(|one, other| one.all().total_cmp(&other.all()));
        turns.get(turns.len() / 2).copied()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let Machine { cores, kernel, .. } = &self.machine;
        let Self { rooms, in_flight, body_bytes, seconds, repeats, .. } = self;
        let line = format!(
            "{cores} cores, Linux {kernel}; {rooms} rooms of two, {in_flight} messages of {body_bytes} bytes on their way, {seconds} s, \
             the middle one of {repeats} turns\n\n"
        );
        text.push_str(&line);
        text.push_str("processor time for one delivery, in microseconds; idle: milliseconds a second\n");
        text.push_str("subject, nodes    server  PostgreSQL   Redis     all   of the floor     from - to   MiB a node  idle node  idle Redis\n");
        for (subject, turns) in &self.turns {
            self.row(&mut text, *subject, turns);
        }
        match &self.profile {
            None => text.push_str(
                "\nno profile of the difference: it was not asked for, or there is no perf on this machine\n",
            ),
            Some(parts) => profile(&mut text, parts),
        }
        text
    }

    fn row(&self, text: &mut String, subject: Subject, turns: &[Turn]) {
        let Some(turn) = self.middle(subject) else { return };
        let (Subject::Floor { nodes } | Subject::Server { nodes }) = subject;
        let floor = self.middle(Subject::Floor { nodes });
        let ratio = floor.map_or(f64::NAN, |floor| turn.all() / floor.all());
        let all = || turns.iter().map(Turn::all);
        let (least, most) = (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max));
        let each = crate::scenario::rooms::count(nodes as u64);
        let memory = crate::scenario::rooms::count(turn.memory) / each / 1_048_576.0;
        let Turn { server, postgres, redis, idle_server, idle_redis, .. } = turn;
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "{:<16}{server:>8.1}{postgres:>12.1}{redis:>8.1}{:>8.1}{ratio:>15.2}{least:>10.1} - {most:<7.1}{memory:>7.1}{:>11.2}{idle_redis:>12.2}",
            subject.to_string(),
            turn.all(),
            idle_server / each,
        );
    }

    /// The comparison as JSON.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

fn profile(text: &mut String, parts: &[Part]) {
    text.push_str("\nthe difference of one node, by what was running when it was sampled: microseconds for one delivery, without PostgreSQL and Redis\n");
    text.push_str("part                      floor   server   difference\n");
    let mut sum = [0.0; 2];
    for Part { name, floor, server } in parts {
        let _ = writeln!(text, "{name:<22}{floor:>9.1}{server:>9.1}{:>13.1}", server - floor);
        sum = [sum[0] + floor, sum[1] + server];
    }
    let _ = writeln!(text, "{:<22}{:>9.1}{:>9.1}{:>13.1}", "all", sum[0], sum[1], sum[1] - sum[0]);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_middle_turn_counts_and_the_floor_of_the_same_run_is_what_it_is_compared_with() {
        let machine = Machine { cores: 2, kernel: "6".into(), open_files: 1 };
        let plan = Plan { rooms: 1, duration: Duration::from_secs(1), in_flight: 1, body_bytes: 16, seed: 1 };
        let mut comparison = Comparison::new(machine, plan, 3);
        let turn = |server| Turn {
            deliveries: 1,
            server,
            postgres: 5.0,
            redis: 5.0,
            memory: 1_048_576,
            idle_server: 1.0,
            idle_redis: 0.5,
        };
        for server in [90.0, 10.0, 20.0] {
            comparison.add(Subject::Floor { nodes: 1 }, turn(server));
            comparison.add(Subject::Server { nodes: 1 }, turn(server * 3.0));
        }
        let text = comparison.text();
        let row = text.lines().find(|line| line.starts_with("server, 1")).expect("a row");
        let figures: Vec<&str> = row.split_whitespace().collect();
        assert_eq!(figures[2..7], ["60.0", "5.0", "5.0", "70.0", "2.33"], "{text}");
        assert!(text.contains("no perf"), "{text}");
    }
}
