//! What a run found, as text for people and as JSON for programs. It prints nothing itself.

use std::fmt::Write as _;

use serde::Serialize;

use crate::machine::Machine;
use crate::scenario::idle::IdleResult;
use crate::scenario::rooms::{Latency, RoomsResult};

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: Machine,
    /// The running server that was used; absent: one was started for each part.
    pub url: Option<String>,
    /// What an acknowledgement stands for.
    pub durability: &'static str,
    /// Limits of the server that were raised.
    pub limits_raised: Vec<(String, String)>,
    /// Made the bodies and keys.
    pub seed: u64,
    /// The rooms that talked.
    pub rooms: Option<RoomsResult>,
    /// The sockets that were silent.
    pub idle: Option<IdleResult>,
}

impl Report {
    /// The report of a run that has yet to be made.
    pub fn new(
        machine: Machine,
        limits_raised: Vec<(String, String)>,
        url: Option<String>,
        seed: u64,
    ) -> Self {
        let durability = if url.is_some() {
            "as the running server is configured (a client cannot see it)"
        } else {
            "SQLite, synchronous=FULL, as the server's defaults have it (a client cannot see it)"
        };
        Self { machine, url, durability, limits_raised, seed, rooms: None, idle: None }
    }

    /// Everything that makes this run a failure, in words.
    pub fn failures(&self) -> Vec<String> {
        let rooms = self.rooms.iter().flat_map(RoomsResult::failures);
        rooms.chain(self.idle.iter().flat_map(IdleResult::failures)).collect()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = Text(String::new());
        text.line("machine", format_args!("{} cores, Linux {}", self.machine.cores, self.machine.kernel));
        let server = self.url.as_deref().unwrap_or("started for each part, on a new data directory");
        text.line("server", format_args!("{server}"));
        text.line("durability", format_args!("{}", self.durability));
        let raised: Vec<_> =
            self.limits_raised.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let raised = if raised.is_empty() { "none".to_owned() } else { raised.join(", ") };
        text.line("limits raised", format_args!("{raised}"));
        text.line("seed", format_args!("{}", self.seed));
        if let Some(rooms) = &self.rooms {
            text.rooms(rooms);
        }
        if let Some(idle) = &self.idle {
            text.idle(idle);
        }
        let failures = self.failures();
        let verdict =
            if failures.is_empty() { "PASSED".into() } else { format!("FAILED: {}", failures.join("; ")) };
        text.0.push('\n');
        text.line("verdict", format_args!("{verdict}"));
        text.0
    }

    /// For programs.
    pub fn json(&self) -> serde_json::Result<String> {
        #[derive(Serialize)]
        struct Whole<'a> {
            #[serde(flatten)]
            report: &'a Report,
            failures: Vec<String>,
        }
        serde_json::to_string_pretty(&Whole { report: self, failures: self.failures() })
    }
}

struct Text(String);

impl Text {
    fn title(&mut self, title: std::fmt::Arguments<'_>) {
        // Writing into a string does not fail, here and below.
        let _ = writeln!(self.0, "\n{title}");
    }

    fn line(&mut self, name: &str, value: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.0, "{name:<22}{value}");
    }

    fn rooms(&mut self, rooms: &RoomsResult) {
        self.title(format_args!(
            "{} rooms of two, {} posts in flight, {} bytes each, {:.1} s (setup {:.1} s)",
            rooms.rooms, rooms.in_flight, rooms.body_bytes, rooms.seconds, rooms.setup_seconds
        ));
        for line in rooms.history.text().lines() {
            let _ = writeln!(self.0, "{line}");
        }
        for problem in rooms.broken.iter().take(5) {
            self.line("", format_args!("{problem}"));
        }
        self.line("posts", format_args!("{} sent; {} turns overdue", rooms.sent, rooms.overdue));
        if !rooms.refusals.is_empty() {
            self.line("error answers", format_args!("{:?}", rooms.refusals));
        }
        if rooms.ended_early {
            self.line("ended early", format_args!("at the most posts that are kept for the check"));
        }
        self.line("durable sends", format_args!("{:.0} a second", rooms.sends_per_second));
        self.line(
            "deliveries",
            format_args!("{:.0} a second (to the other seat)", rooms.deliveries_per_second),
        );
        self.latency("ack", rooms.ack);
        self.latency("delivery", rooms.delivery);
        self.line("server CPU", format_args!("{}", cpu(rooms.server_cpu_per_1000)));
        if rooms.postgres_cpu_per_1000.is_some() {
            self.line("PostgreSQL CPU", format_args!("{}", cpu(rooms.postgres_cpu_per_1000)));
            self.line("Redis CPU", format_args!("{}", cpu(rooms.redis_cpu_per_1000)));
        }
        self.line("client CPU", format_args!("{}", cpu(rooms.client_cpu_per_1000)));
    }

    fn latency(&mut self, name: &str, latency: Latency) {
        let Latency { p50, p99, max } = latency;
        self.line(name, format_args!("p50 {p50:.2} ms, p99 {p99:.2} ms, max {max:.2} ms"));
    }

    fn idle(&mut self, idle: &IdleResult) {
        self.title(format_args!(
            "{} idle sockets, one of each person, two in each room (setup {:.1} s)",
            idle.sockets, idle.setup_seconds
        ));
        let process = if idle.fresh_process { "a fresh process" } else { "a process with a past" };
        self.line("measured on", format_args!("{process}, at rest, after a few sockets had come and gone"));
        let server_cpu =
            idle.connect_server_cpu.map_or_else(String::new, |cpu| format!(", server CPU {cpu:.2} s"));
        self.line(
            "connected in",
            format_args!("{:.2} s (upgraded, authenticated, joined{server_cpu})", idle.connect_seconds),
        );
        let mib =
            |bytes: Option<u64>| bytes.map_or("unknown".into(), |bytes| format!("{:.1} MiB", to_mib(bytes)));
        self.line("RSS", format_args!("{} before, {} after", mib(idle.rss_before), mib(idle.rss_after)));
        let each = idle.bytes_per_socket.map_or("unknown".into(), |bytes| format!("{bytes} bytes"));
        self.line("per idle socket", format_args!("{each} (without what the kernel keeps)"));
        let pings = idle.ping_server_cpu.map_or_else(String::new, |cpu| format!(" (server CPU {cpu:.2} s)"));
        self.line("alive at the end", format_args!("{} of {}, by a ping{pings}", idle.alive, idle.sockets));
    }
}

fn cpu(per_1000: Option<f64>) -> String {
    per_1000.map_or("unknown".into(), |seconds| format!("{seconds:.4} s for 1,000 sends"))
}

#[expect(clippy::cast_precision_loss, reason = "for reading, to one decimal")]
fn to_mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
