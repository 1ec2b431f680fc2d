//! Reads what came over the bus, one message after the other, and says what it means. It waits for nobody, and knows no connection.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::Timing;
use super::body::{log_named, read_entries, read_whisper};
use super::channel::{Channel, Channels};
use super::peers::{Counted, Peers};
use super::publication::{Header, Opened, Tick, VERSION, open};
use crate::bus::NodeId;
use crate::bus::heard::{Heard, Missed, Teller, Told};
use crate::bus::shard::{Shard, Shards};
use crate::telemetry::Metrics;

/// What listens.
pub(super) struct Listener {
    node: NodeId,
    channels: Arc<Channels>,
    peers: Peers,
    teller: Teller,
    metrics: Arc<Metrics>,
    /// This node's last tick that came back, and when.
    echo: Option<(u64, Instant)>,
}

impl Listener {
    /// Has heard nothing yet.
    pub(super) fn new(
        node: NodeId,
        channels: Arc<Channels>,
        teller: Teller,
        timing: Timing,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { node, channels, peers: Peers::new(timing), teller, metrics, echo: None }
    }

    /// When this node heard itself last.
    pub(super) fn echo(&self) -> Option<Instant> {
        self.echo.map(|(_, at)| at)
    }

    /// A message came.
    pub(super) fn message(&mut self, channel: &str, bytes: &[u8], now: Instant) {
        let Some(channel) = self.channels.named(channel) else { return };
        let channels = self.channels.clone();
        let read = open(&channels, channel, bytes).and_then(|opened| match channel {
            Channel::Shard(shard) => self.publication(shard, &opened, now),
            Channel::Lane(lane) => self.whisper(lane, &opened, now),
            Channel::Tick => self.tick(&opened, now),
        });
        if read.is_none() {
            self.metrics.bus_heard("forged");
            self.peers.forged(match channel {
                Channel::Shard(shard) => shard.into(),
                // Nothing that is kept was said here.
                Channel::Lane(_) => Shards::NONE,
                Channel::Tick => Shards::ALL,
            });
        }
    }

    /// Time has passed.
    pub(super) fn look(&mut self, now: Instant, deaf: bool) {
        let told = self.peers.look(now, deaf);
        self.tell_all(told);
    }

    /// Whether this node hears has changed.
    pub(super) fn degraded(&mut self, degraded: bool) {
        self.metrics.bus_degraded(degraded);
        self.tell(Heard::Degraded(degraded), 0);
    }

    fn publication(&mut self, shard: Shard, opened: &Opened<'_>, now: Instant) -> Option<()> {
        let header: Header = json(opened.header)?;
        if self.is_own(header.node) {
            return Some(());
        }
        let counted = self.peers.publication(header.node, shard, header.count, now);
        if self.is_fresh(counted) {
            self.take(meant(shard, header, opened), opened);
        }
        Some(())
    }

    fn whisper(&mut self, lane: usize, opened: &Opened<'_>, now: Instant) -> Option<()> {
        let header: Header = json(opened.header)?;
        if self.is_own(header.node) {
            return Some(());
        }
        let counted = self.peers.whisper(header.node, lane, header.count, now);
        if self.is_fresh(counted) {
            // Of what another version whispers, nothing is missed.
            let log = header.log.as_deref().and_then(log_named).filter(|_| opened.version == VERSION);
            let whisper = log.and_then(|log| read_whisper(log, opened.body));
            self.take(whisper.map(|whisper| Heard::Whisper { from: header.node, whisper }), opened);
        }
        Some(())
    }

    fn tick(&mut self, opened: &Opened<'_>, now: Instant) -> Option<()> {
        let tick: Tick = json(opened.header)?;
        if tick.node == self.node {
            // One that was said before, by whomever it is said again, proves nothing.
            if self.echo.is_none_or(|(count, _)| tick.count > count) {
                self.echo = Some((tick.count, now));
            }
            return Some(());
        }
        let counted = self.peers.tick(&tick, now);
        if self.is_fresh(counted) {
            self.metrics.bus_heard("tick");
        }
        Some(())
    }

    /// What came for the first time, unless this version does not know it.
    fn take(&mut self, heard: Option<Heard>, opened: &Opened<'_>) {
        self.metrics.bus_heard(heard.as_ref().map_or("unknown", name));
        if let Some(heard) = heard {
            self.tell(heard, opened.header.len() + opened.body.len());
        }
    }

    fn is_own(&self, node: NodeId) -> bool {
        let own = node == self.node;
        if own {
            self.metrics.bus_heard("own");
        }
        own
    }

    fn is_fresh(&mut self, counted: Counted) -> bool {
        self.tell_all(counted.told);
        if !counted.fresh {
            self.metrics.bus_heard("repeated");
        }
        counted.fresh
    }

    fn tell_all(&mut self, told: Vec<Heard>) {
        told.into_iter().for_each(|heard| self.tell(heard, 0));
    }

    fn tell(&mut self, heard: Heard, size: usize) {
        if let Heard::Missed(Missed { why, .. }) = &heard {
            self.metrics.bus_missed(why.as_str());
        }
        match self.teller.tell(heard, size) {
            Told::Queued => {}
            Told::Shed => self.metrics.bus_heard("shed"),
            Told::Overflow => self.metrics.bus_heard("overflow"),
        }
    }
}

/// What a publication on a shard means; `None`: something that this version does not know.
fn meant(shard: Shard, header: Header, opened: &Opened<'_>) -> Option<Heard> {
    if let Some(person) = header.person {
        return Some(Heard::Person(person));
    }
    let log = log_named(&header.log?).filter(|log| Shard::of(log) == shard)?;
    let (from, to) = (header.from?, header.to?);
    let body = opened.version == VERSION && !opened.body.is_empty();
    let entries = body.then(|| read_entries(&log, (from, to), opened.body)).flatten();
    Some(match entries {
        Some(entries) if !entries.is_empty() => Heard::Entries(entries),
        _ => Heard::Grown { log, from, to },
    })
}

fn name(heard: &Heard) -> &'static str {
    match heard {
        Heard::Entries(_) => "entries",
        Heard::Grown { .. } => "grown",
        Heard::Person(_) => "person",
        Heard::Whisper { .. } => "whisper",
        Heard::Missed(_) | Heard::Degraded(_) | Heard::Came(_) | Heard::Gone(_) => "state",
    }
}

fn json<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use anteroom_protocol::log::{from_hex, to_hex};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::body::tests::appended;
    use super::super::channel::MAC_BYTES;
    use super::super::outgoing::{Outgoing, Publication};
    use super::super::publication::{seal, tests::sealed_in_version};
    use super::*;
    use crate::bus::heard::{Hearing, queue};
    use crate::bus::{Whisper, Word};
    use crate::domain::log::Log;

    const KEY: [u8; 32] = [7; 32];

    /// A node that listens to another one.
    struct Pair {
        channels: Channels,
        outgoing: Outgoing,
        listener: Listener,
        hearing: Hearing,
        metrics: Arc<Metrics>,
    }

    impl Pair {
        fn new() -> Self {
            let metrics = Arc::new(Metrics::default());
            let (teller, hearing) = queue(1_000_000);
            let (node, channels) = (NodeId(Uuid::from_u128(2)), Arc::new(Channels::new(&KEY)));
            let listener = Listener::new(node, channels, teller, Timing::default(), metrics.clone());
            let other = NodeId(Uuid::from_u128(1));
            let outgoing = Outgoing::new(other, 1_000_000, 1_000, Arc::new(Metrics::default()));
            Self { channels: Channels::new(&KEY), outgoing, listener, hearing, metrics }
        }

        /// What the other node has to say, as bytes on channels.
        async fn said(&self) -> Vec<(String, Vec<u8>)> {
            let bytes = |Publication { channel, header, body, .. }| {
                (self.channels.name(channel).to_owned(), seal(&self.channels, channel, &header, &body))
            };
            self.outgoing.next().await.unwrap_or_default().into_iter().map(bytes).collect()
        }

        fn comes(&mut self, channel: &str, bytes: &[u8]) {
            self.listener.message(channel, bytes, Instant::now());
        }

        /// What is heard, in words, after a look.
        async fn heard(mut self) -> Vec<String> {
            self.listener.look(Instant::now(), false);
            drop(self.listener);
            let mut heard = Vec::new();
            while let Some(one) = self.hearing.hear().await {
                heard.push(match one {
                    Heard::Entries(entries) => {
                        let entries: Vec<String> =
                            entries.iter().map(|it| it.entry.seq.to_string()).collect();
                        format!("entries {}", entries.join(" "))
                    }
                    Heard::Grown { from, to, .. } => format!("grown {from} {to}"),
                    Heard::Person(person) => format!("person {person}"),
                    Heard::Whisper { whisper, .. } => format!("whisper {:?}", whisper.word),
                    Heard::Missed(missed) => format!("{} {:?}", missed.why.as_str(), missed.shards),
                    Heard::Came(_) => "came".to_owned(),
                    Heard::Gone(_) => "gone".to_owned(),
                    Heard::Degraded(degraded) => format!("degraded {degraded}"),
                });
            }
            heard
        }
    }

    fn person() -> anteroom_protocol::id::UserId {
        "clara".parse().expect("a user id")
    }

    fn speak(outgoing: &Outgoing, what: &str) {
        match what {
            "entries" => outgoing.entries(&[appended(1, 5, r#"{"body":"Grüße\n"}"#), appended(1, 6, "null")]),
            "grown" => outgoing.entries(&[appended(1, 5, &"x".repeat(2_000))]),
            "person" => outgoing.person(&person()),
            "whisper" => outgoing.whisper(&Whisper {
                log: Log::Inbox(person()),
                about: person(),
                people: Arc::new([person()]),
                word: Word::Receipt { delivered: 3, read: 2, marker: Some(1) },
            }),
            _ => outgoing.tick(true),
        }
    }

    fn golden(name: &str) -> String {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bus").join(name);
        std::fs::read_to_string(&path).unwrap_or_default()
    }

    /// A publication as one reads it.
    fn text(channel: &str, bytes: &[u8]) -> String {
        let (length, rest) = bytes[1 + MAC_BYTES..].split_first_chunk::<4>().expect("a length");
        let (header, body) = rest.split_at(u32::from_be_bytes(*length) as usize);
        let [header, body] = [header, body].map(|part| std::str::from_utf8(part).expect("text"));
        let code = to_hex(&bytes[1..=MAC_BYTES]);
        format!("channel {channel}\nversion {}\ncode {code}\nheader {header}\nbody {body}\n", bytes[0])
    }

    /// The publication that was written down so.
    fn bytes(text: &str) -> (String, Vec<u8>) {
        let line = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).unwrap_or_default()
        };
        let (header, code) = (line("header"), from_hex::<MAC_BYTES>(line("code")).expect("a code"));
        let mut bytes = vec![line("version").parse().expect("a version")];
        bytes.extend(code);
        bytes.extend(u32::try_from(header.len()).expect("a length").to_be_bytes());
        bytes.extend(header.bytes().chain(line("body").bytes()));
        (line("channel").to_owned(), bytes)
    }

    #[tokio::test]
    async fn what_is_said_today_is_what_is_written_down() {
        for what in ["entries", "grown", "person", "whisper", "tick"] {
            let pair = Pair::new();
            speak(&pair.outgoing, what);
            let said = pair.said().await;
            let [(channel, bytes)] = &said[..] else { panic!("{what}: {said:?}") };
            assert_eq!(text(channel, bytes), golden(&format!("{what}-1.txt")), "{what}");
        }
    }

    #[tokio::test]
    async fn what_was_ever_said_is_understood() {
        let cases: [(&str, &[&str]); 7] = [
            ("entries-1.txt", &["came", "entries 5 6"]),
            ("grown-1.txt", &["came", "grown 5 5"]),
            ("person-1.txt", &["came", "person clara"]),
            ("whisper-1.txt", &["came", "whisper Receipt { delivered: 3, read: 2, marker: Some(1) }"]),
            ("tick-1.txt", &["came"]),
            // By nodes that are newer than this one.
            ("entries-2.txt", &["came", "grown 5 6"]),
            ("unknown-2.txt", &["came"]),
        ];
        for (name, heard) in cases {
            let mut pair = Pair::new();
            let (channel, bytes) = bytes(&golden(name));
            pair.comes(&channel, &bytes);
            assert_eq!(pair.heard().await, heard, "{name}");
        }
    }

    #[tokio::test]
    async fn entries_arrive_as_they_were_written() {
        let mut pair = Pair::new();
        let sent = [appended(1, 1, r#"{"a":1.0, "b":"\u00e9"}"#), appended(1, 2, "not JSON at all")];
        pair.outgoing.entries(&sent);
        for (channel, bytes) in pair.said().await {
            pair.comes(&channel, &bytes);
        }
        assert!(matches!(pair.hearing.hear().await, Some(Heard::Came(_))));
        let Some(Heard::Entries(heard)) = pair.hearing.hear().await else { panic!("entries") };
        for (sent, heard) in sent.iter().zip(&heard) {
            assert_eq!(sent.entry, heard.entry);
            assert_eq!(sent.readers, heard.readers);
        }
    }

    #[tokio::test]
    async fn forged_and_repeated_words_are_never_heard() {
        let mut pair = Pair::new();
        ["entries", "person", "whisper", "tick"].iter().for_each(|what| speak(&pair.outgoing, what));
        let said = pair.said().await;
        for (channel, bytes) in said.iter().chain(&said) {
            let mut forged = bytes.clone();
            forged[MAC_BYTES] ^= 1;
            pair.comes(channel, &forged);
            pair.comes(channel, bytes);
        }
        pair.comes(&said[0].0, b"");
        pair.comes("anteroom:elsewhere", b"hello");
        // Said by a node of ours, but about another log than the channel is for.
        pair.comes(&said[1].0, &said[0].1);
        let figures = pair.metrics.text();
        let heard = pair.heard().await;
        let whisper = "whisper Receipt { delivered: 3, read: 2, marker: Some(1) }";
        assert_eq!(heard, ["came", "entries 5 6", "person clara", whisper, "forged all"]);
        for figure in [r#"{outcome="forged"} 10"#, r#"{outcome="repeated"} 4"#] {
            assert!(figures.contains(figure), "{figure} in {figures}");
        }
    }

    #[tokio::test]
    async fn an_entry_on_the_channel_of_another_shard_is_not_taken() {
        let mut pair = Pair::new();
        speak(&pair.outgoing, "entries");
        let publication = pair.outgoing.next().await.expect("one").remove(0);
        let elsewhere = Channel::Shard(Shard::all().next().expect("a shard"));
        let bytes = seal(&pair.channels, elsewhere, &publication.header, &publication.body);
        let name = pair.channels.name(elsewhere).to_owned();
        pair.comes(&name, &bytes);
        assert_eq!(pair.heard().await, ["came"]);
    }

    #[tokio::test]
    async fn a_body_that_does_not_hold_what_the_header_says_is_read_from_the_log() {
        for body in [&b""[..], b"{}", b"[]", b"\xff", br#"{"readers":[],"entries":[]}"#] {
            let mut pair = Pair::new();
            speak(&pair.outgoing, "entries");
            let publication = pair.outgoing.next().await.expect("one").remove(0);
            let bytes = seal(&pair.channels, publication.channel, &publication.header, body);
            let name = pair.channels.name(publication.channel).to_owned();
            pair.comes(&name, &bytes);
            assert_eq!(pair.heard().await, ["came", "grown 5 6"], "{body:?}");
        }
    }

    #[tokio::test]
    async fn a_node_hears_its_own_ticks_once_each_and_nothing_else_of_its_own() {
        let mut pair = Pair::new();
        let tick = |count| Tick {
            node: pair.listener.node,
            count,
            counts: vec![9; 256],
            degraded: false,
            bye: false,
        };
        let [first, second] = [1, 2]
            .map(|count| seal(&pair.channels, Channel::Tick, &super::super::body::json(&tick(count)), b""));
        let name = pair.channels.name(Channel::Tick).to_owned();
        let start = Instant::now();
        let at = |seconds| start + std::time::Duration::from_secs(seconds);
        pair.listener.message(&name, &second, at(1));
        pair.listener.message(&name, &second, at(2));
        pair.listener.message(&name, &first, at(3));
        assert_eq!(pair.listener.echo(), Some(at(1)));
        assert!(pair.heard().await.is_empty());
    }

    #[tokio::test]
    async fn a_newer_version_of_a_whisper_is_missed_by_nobody() {
        let mut pair = Pair::new();
        speak(&pair.outgoing, "whisper");
        let publication = pair.outgoing.next().await.expect("one").remove(0);
        let content = (&publication.header[..], &publication.body[..]);
        let bytes = sealed_in_version(&pair.channels, publication.channel, 2, content);
        let name = pair.channels.name(publication.channel).to_owned();
        pair.comes(&name, &bytes);
        assert_eq!(pair.heard().await, ["came"]);
    }

    proptest! {
        /// Also of those who know the key, some may be of another version.
        #[test]
        fn whatever_is_said_hearing_it_does_not_panic(
            channel in 0..273_usize, version in 0..3_u8, cut in any::<proptest::sample::Index>(),
            header in prop_oneof![
                "(?s).{0,80}",
                r#"\{"node":"00000000-0000-0000-0000-00000000000[12]","count":[0-9]{1,20}(,"(log|from|to|person|counts)":([0-9]{1,20}|"inbox:x"|\[\])){0,4}\}"#,
            ],
            body in "(?s).{0,80}",
        ) {
            let mut pair = Pair::new();
            let name = pair.channels.names()[channel].clone();
            let channel = pair.channels.named(&name).expect("a channel");
            let bytes = sealed_in_version(&pair.channels, channel, version, (header.as_bytes(), body.as_bytes()));
            pair.comes(&name, &bytes);
            pair.comes(&name, &bytes[..cut.index(bytes.len())]);
            pair.listener.look(Instant::now(), false);
        }
    }
}
