//! What the server tells about itself: log lines and figures. Never a body, a token, or the name of a room or a person as a label.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anteroom_protocol::error::ErrorCode;
use anteroom_protocol::room::JoinMode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tracing_subscriber::EnvFilter;

use crate::hub::outbox::Offered;
use crate::logging::{self, Lines};

/// Starts the log: text on a terminal, JSON elsewhere, on standard error. `filter` is in the form of `RUST_LOG`. What is returned can
/// wait for the last lines. A panic is a line, too.
///
/// # Errors
/// The filter cannot be read, or a log was started before.
pub fn start_log(filter: &str) -> anyhow::Result<Lines> {
    let filter = EnvFilter::try_new(filter)?;
    let json = !std::io::stderr().is_terminal();
    let lines = Lines::to(std::io::stderr(), json)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(lines.clone());
    let started = if json { log.json().try_init() } else { log.with_ansi(true).try_init() };
    started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(lines)
}

/// Says where, and what if that is a text of the program's own: one that was made may hold somebody's words.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let words = panic.payload().downcast_ref::<&'static str>().copied();
    tracing::error!(place, words, "a task failed: this is a mistake in the server");
}

/// Whether the log could be started with this filter.
///
/// # Errors
/// What is wrong with it.
pub fn check_filter(filter: &str) -> Result<(), String> {
    EnvFilter::try_new(filter).map(drop).map_err(|error| error.to_string())
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    r#type: &'static str,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModeLabel {
    mode: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabel {
    issuer: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabels {
    issuer: String,
    outcome: &'static str,
}

/// The server's figures. One registry per server, so that several servers in one process do not mix.
pub struct Metrics {
    registry: Registry,
    connections: Gauge,
    disconnects: Family<ReasonLabel, Counter>,
    commands: Family<CommandLabels, Counter>,
    command_seconds: Histogram,
    commits: Counter,
    commit_seconds: Histogram,
    commit_batch: Histogram,
    entries: Counter,
    offers: Family<OutcomeLabel, Counter>,
    joins: Family<ModeLabel, Counter>,
    refills: Counter,
    authentications: Family<OutcomeLabel, Counter>,
    http_requests: Family<CodeLabel, Counter>,
    key_fetches: Family<FetchLabels, Counter>,
    key_age: Family<IssuerLabel, Gauge>,
    /// When each issuer's keys were fetched last.
    keys_fetched: Mutex<HashMap<String, Instant>>,
    refused_upgrades: Family<RefusalLabel, Counter>,
    unaudited: Counter,
    bus_sent: Family<OutcomeLabel, Counter>,
    bus_heard: Family<OutcomeLabel, Counter>,
    bus_missed: Family<ReasonLabel, Counter>,
    bus_subscriptions: Counter,
    bus_degraded: Gauge,
    repairs: Family<LayerLabel, Counter>,
    look_backs: Counter,
    webhook_attempts: Family<OutcomeLabel, Counter>,
    pushes: Family<OutcomeLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LayerLabel {
    layer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabel {
    code: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All figures at zero.
    pub fn new() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.000_1, 2.0, 18));
        let mut metrics = Self {
            registry: Registry::with_prefix("anteroom"),
            connections: Gauge::default(),
            disconnects: Family::default(),
            commands: Family::default(),
            command_seconds: seconds(),
            commits: Counter::default(),
            commit_seconds: seconds(),
            commit_batch: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            entries: Counter::default(),
            offers: Family::default(),
            joins: Family::default(),
            refills: Counter::default(),
            authentications: Family::default(),
            http_requests: Family::default(),
            key_fetches: Family::default(),
            key_age: Family::default(),
            keys_fetched: Mutex::default(),
            refused_upgrades: Family::default(),
            unaudited: Counter::default(),
            bus_sent: Family::default(),
            bus_heard: Family::default(),
            bus_missed: Family::default(),
            bus_subscriptions: Counter::default(),
            bus_degraded: Gauge::default(),
            repairs: Family::default(),
            look_backs: Counter::default(),
            webhook_attempts: Family::default(),
            pushes: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which server this is", version);
        registry.register("connections", "Sockets that have said hello", self.connections.clone());
        registry.register("disconnects", "Ended sockets by reason", self.disconnects.clone());
        registry.register("commands", "Commands by type and outcome", self.commands.clone());
        let (seconds, time) = (Unit::Seconds, &self.command_seconds);
        registry.register_with_unit(
            "command",
            "From a command's arrival to its answer",
            seconds,
            time.clone(),
        );
        registry.register("commits", "Commits", self.commits.clone());
        let time = self.commit_seconds.clone();
        registry.register_with_unit("commit", "Time of one commit", Unit::Seconds, time);
        registry.register("commit_batch_size", "Writes in one commit", self.commit_batch.clone());
        registry.register("entries", "Entries committed", self.entries.clone());
        registry.register("offers", "Entries offered to sockets by outcome", self.offers.clone());
        registry.register("joins", "Joined logs by mode", self.joins.clone());
        registry.register(
            "refills",
            "Stretches read again for a socket that fell behind",
            self.refills.clone(),
        );
        registry.register("authentications", "Tokens by outcome", self.authentications.clone());
        registry.register("http_requests", "HTTP answers by status", self.http_requests.clone());
        let refused = self.refused_upgrades.clone();
        registry.register("refused_upgrades", "Sockets that were asked for and not given, by code", refused);
        let help = "Refusals that were too many for the log";
        registry.register("audit_lines_dropped", help, self.unaudited.clone());
        let dropped = logging::DROPPED.clone();
        registry.register("log_lines_dropped", "Log lines that nobody took", dropped);
        let help = "Posts of events to webhooks by outcome";
        registry.register("webhook_attempts", help, self.webhook_attempts.clone());
        registry.register("pushes", "Push notifications by outcome", self.pushes.clone());
        self.register_keys();
        self.register_bus();
    }

    fn register_bus(&mut self) {
        let registry = &mut self.registry;
        let sent = self.bus_sent.clone();
        registry.register("bus_publications", "Publications for other nodes by outcome", sent);
        let heard = self.bus_heard.clone();
        registry.register("bus_heard", "What came over the bus, by what became of it", heard);
        let help = "Times that something may have been lost on the bus, by how it is known";
        registry.register("bus_missed", help, self.bus_missed.clone());
        let help = "Times that all channels of the bus were subscribed to";
        registry.register("bus_subscriptions", help, self.bus_subscriptions.clone());
        let help = "Whether this node hears nothing of the others";
        registry.register("bus_degraded", help, self.bus_degraded.clone());
        let help = "Entries that were not heard of and were read, by what noticed it";
        registry.register("repairs", help, self.repairs.clone());
        registry.register("look_backs", "Looks back at what was written", self.look_backs.clone());
    }

    fn register_keys(&mut self) {
        let registry = &mut self.registry;
        let fetches = self.key_fetches.clone();
        registry.register("key_set_fetches", "Fetches of issuers' keys by outcome", fetches);
        let (age, help) = (self.key_age.clone(), "Time since an issuer's keys were fetched");
        registry.register_with_unit("key_set_age", help, Unit::Seconds, age);
    }

    /// All figures as OpenMetrics text.
    pub fn text(&self) -> String {
        for (issuer, fetched) in &*self.lock_keys() {
            let age = i64::try_from(fetched.elapsed().as_secs()).unwrap_or(i64::MAX);
            self.key_age.get_or_create(&IssuerLabel { issuer: issuer.clone() }).set(age);
        }
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn connected(&self) {
        self.connections.inc();
    }

    pub(crate) fn disconnected(&self) {
        self.connections.dec();
    }

    pub(crate) fn closed(&self, reason: &'static str) {
        self.disconnects.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn command(&self, name: &'static str, error: Option<ErrorCode>, time: Duration) {
        let code = error.map_or("ok", ErrorCode::as_str);
        self.commands.get_or_create(&CommandLabels { r#type: name, code }).inc();
        self.command_seconds.observe(time.as_secs_f64());
    }

    pub(crate) fn committed(&self, batch: usize, entries: usize, time: Duration) {
        self.commits.inc();
        self.commit_batch.observe(batch as f64);
        self.commit_seconds.observe(time.as_secs_f64());
        self.entries.inc_by(entries as u64);
    }

    pub(crate) fn offered(&self, offered: Offered) {
        let outcome = match offered {
            Offered::Queued => "queued",
            Offered::Behind => "behind",
            Offered::Activity => "activity",
            Offered::Shed => "shed",
        };
        self.offers.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(crate) fn joined(&self, mode: JoinMode) {
        self.joins.get_or_create(&ModeLabel { mode: mode.as_str() }).inc();
    }

    pub(crate) fn refilled(&self) {
        self.refills.inc();
    }

    pub(crate) fn authenticated(&self, error: Option<ErrorCode>) {
        let outcome = error.map_or("ok", ErrorCode::as_str);
        self.authentications.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(crate) fn turned_away(&self, code: ErrorCode) {
        self.refused_upgrades.get_or_create(&RefusalLabel { code: code.as_str() }).inc();
    }

    pub(crate) fn unaudited(&self) {
        self.unaudited.inc();
    }

    pub(crate) fn bus_sent(&self, outcome: &'static str, publications: u64) {
        self.bus_sent.get_or_create(&OutcomeLabel { outcome }).inc_by(publications);
    }

    pub(crate) fn bus_heard(&self, outcome: &'static str) {
        self.bus_heard.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(crate) fn bus_missed(&self, reason: &'static str) {
        self.bus_missed.get_or_create(&ReasonLabel { reason }).inc();
    }

    pub(crate) fn bus_subscribed(&self) {
        self.bus_subscriptions.inc();
    }

    pub(crate) fn bus_degraded(&self, degraded: bool) {
        self.bus_degraded.set(degraded.into());
    }

    pub(crate) fn repaired(&self, layer: &'static str, entries: usize) {
        self.repairs.get_or_create(&LayerLabel { layer }).inc_by(entries as u64);
    }

    pub(crate) fn looked_back(&self) {
        self.look_backs.inc();
    }

    pub(crate) fn webhook_attempt(&self, outcome: &'static str) {
        self.webhook_attempts.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(crate) fn pushed(&self, outcome: &'static str) {
        self.pushes.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    pub(crate) fn answered(&self, status: u16) {
        self.http_requests.get_or_create(&CodeLabel { status }).inc();
    }

    pub(crate) fn fetched_keys(&self, issuer: &str, outcome: &'static str) {
        self.key_fetches.get_or_create(&FetchLabels { issuer: issuer.to_owned(), outcome }).inc();
        if outcome == "ok" {
            self.lock_keys().insert(issuer.to_owned(), Instant::now());
        }
    }

    fn lock_keys(&self) -> std::sync::MutexGuard<'_, HashMap<String, Instant>> {
        self.keys_fetched.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
