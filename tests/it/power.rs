//! A loss of power. Killing a process loses nothing that it has written; a machine that goes dark loses what was written and not yet
//! synced. So a real server's system calls are recorded, and every disk that could have been left behind is made from the record:
//! what was synced, with none or with a part of what was written since. Each must hold all that had been acknowledged by then.
//!
//! It needs `strace` and the right to trace, and says so where it has neither. That a file which was made is in its directory after the
//! loss is taken for granted: SQLite syncs the directory, and the record does not follow that.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use anteroom::domain::log::{Log, LogEntry};
use anteroom::store::sqlite::SqliteStore;
use anteroom::store::{Archive as _, PageSize, Range};
use anteroom_load_tests::client::{Posted, Socket, new_client_id};
use anteroom_load_tests::marketplace::Marketplace;
use anteroom_load_tests::server::Launcher;
use anteroom_protocol::id::RoomRef;
use anteroom_protocol::log::Hash;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::support::process::BINARY;
use crate::support::{hasty, soon};

/// Posts whose acknowledgement is a moment to lose power at.
const POSTS: usize = 24;

/// One thing that happened, in order.
#[derive(Debug)]
enum Event {
    Made(PathBuf),
    Written(PathBuf, usize, Vec<u8>),
    Cut(PathBuf, usize),
    Removed(PathBuf),
    Synced(PathBuf),
    /// Bytes for somebody else: perhaps an acknowledgement.
    Sent(Vec<u8>),
}

/// What a file is on the disk, and what of it is only in memory.
#[derive(Default)]
struct Disk {
    durable: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

impl Disk {
    fn with(&self, mut keep: impl FnMut() -> bool) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for (at, written) in &self.pending {
            if keep() {
                write(&mut bytes, *at, written);
            }
        }
        bytes
    }
}

fn write(bytes: &mut Vec<u8>, at: usize, written: &[u8]) {
    let end = at + written.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[at..end].copy_from_slice(written);
}

fn can_trace() -> bool {
    let traced =
        Process::new("strace").args(["-qq", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    traced.is_ok_and(|status| status.success())
}

/// The server with a recorder beside it: `-D` leaves the server the process that was started.
fn recorded_server(directory: &Path, record: &Path) -> PathBuf {
    let script = directory.join("recorded-anteroom");
    let calls = "openat,pwrite64,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat2,write,writev,sendto,sendmsg";
    let text = format!(
        "#!/bin/sh\nexec strace -D -f -qq -y -xx -s 4194304 -e trace={calls} -e signal=none -o {} {BINARY} \"$@\"\n",
        record.display()
    );
    std::fs::write(&script, text).expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("it can be run");
    script
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_loss_of_power_at_any_moment() {
    if !can_trace() {
        eprintln!("NOT TESTED: strace is not here, or may not trace");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let (record, data) = (directory.path().join("record"), directory.path().join("data"));
    let launcher = hasty(Launcher::new(recorded_server(directory.path(), &record), &data));
    let mut server = launcher.env("ANTEROOM_LOG", "error").start().await.expect("a server");
    let marketplace = Marketplace::new(server.base_url(), &server.mint().expect("a mint"));
    let open = marketplace.open_room("dark").await.expect("a room");
    let token = marketplace.token(&open.client);
    let (mut socket, _) = Socket::connect(server.base_url(), &token, Vec::new()).await.expect("a socket");
    for number in 0..POSTS {
        let posted = socket.post(open.room, new_client_id(), format!("number {number}")).await;
        posted.expect("acknowledged");
    }
    server.terminate().await.expect("an end");

    let events = soon("the end of the record", whole(&record)).await;
    let dice = &mut StdRng::seed_from_u64(22);
    let RoomRef::Room(room) = open.room else { panic!("a room") };
    let log = Log::Room(room);
    let mut disks: HashMap<PathBuf, Disk> = HashMap::new();
    let mut acknowledged: Vec<(u64, Hash)> = Vec::new();
    let mut losses = 0;
    for event in events {
        match event {
            Event::Made(path) => drop(disks.entry(path).or_default()),
            Event::Removed(path) => drop(disks.remove(&path)),
            Event::Written(path, at, bytes) => disks.entry(path).or_default().pending.push((at, bytes)),
            Event::Cut(path, length) => {
                let disk = disks.entry(path).or_default();
                disk.durable = disk.with(|| true);
                disk.durable.truncate(length);
                disk.pending.clear();
            }
            Event::Synced(path) => {
                let disk = disks.entry(path).or_default();
                disk.durable = disk.with(|| true);
                disk.pending.clear();
            }
            Event::Sent(bytes) => {
                let new = acknowledgements(&bytes);
                if new.is_empty() {
                    continue;
                }
                acknowledged.extend(new);
                for part in [0.0, 0.5] {
                    let left = tempfile::tempdir().expect("a directory");
                    leave_behind(&disks, left.path(), || dice.random_bool(part));
                    holds(left.path(), &log, &acknowledged).await;
                    losses += 1;
                }
            }
        }
    }
    assert_eq!((acknowledged.len(), losses), (POSTS, 2 * POSTS), "every acknowledgement was a moment");
}

/// The record's events, as soon as it has every acknowledgement: the recorder may be a little behind.
async fn whole(record: &Path) -> Vec<Event> {
    loop {
        let text = String::from_utf8(std::fs::read(record).expect("a record")).expect("text");
        let written = text.rfind('\n').map_or("", |end| &text[..end]);
        let events = read(written);
        let sent =
            |event: &Event| if let Event::Sent(bytes) = event { acknowledgements(bytes).len() } else { 0 };
        if events.iter().map(sent).sum::<usize>() >= POSTS {
            return events;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// The files as the loss of power leaves them.
fn leave_behind(disks: &HashMap<PathBuf, Disk>, place: &Path, mut keep: impl FnMut() -> bool) {
    let mut disks: Vec<_> = disks.iter().collect();
    disks.sort_by_key(|(path, _)| *path);
    for (path, disk) in disks {
        std::fs::write(place.join(path.file_name().expect("a name")), disk.with(&mut keep)).expect("written");
    }
}

/// What is left is a database, and it has all of these entries.
async fn holds(place: &Path, log: &Log, acknowledged: &[(u64, Hash)]) {
    let store = SqliteStore::open(&place.join("anteroom.db")).await.expect("a database");
    let entries: Vec<LogEntry> = store
        .entries(log, Range::After(0), PageSize { entries: 200, bytes: usize::MAX })
        .await
        .expect("a log");
    assert!(entries.iter().map(|entry| entry.seq).eq(1..=entries.len() as u64), "numbers without holes");
    for (seq, hash) in acknowledged {
        let there = entries.iter().any(|entry| (entry.seq, entry.hash) == (*seq, *hash));
        assert!(there, "{seq} was acknowledged, and {} are there", entries.len());
    }
}

/// The posts that these bytes acknowledge.
fn acknowledgements(bytes: &[u8]) -> Vec<(u64, Hash)> {
    const OK: &[u8] = br#"{"type":"ok""#;
    let starts = (0..bytes.len().saturating_sub(OK.len())).filter(|at| bytes[*at..].starts_with(OK));
    starts
        .filter_map(|at| {
            let mut values =
                serde_json::Deserializer::from_slice(&bytes[at..]).into_iter::<serde_json::Value>();
            let frame = values.next()?.ok()?;
            let posted: Posted = serde_json::from_value(frame["data"].clone()).ok()?;
            Some((posted.seq, posted.hash))
        })
        .collect()
}

/// The record's events, each at the moment that is worst for us: what is written counts from its end, what is sent from its beginning.
fn read(record: &str) -> Vec<Event> {
    let mut events = Vec::new();
    let mut unfinished: HashMap<&str, String> = HashMap::new();
    for line in record.lines() {
        let (process, call) = line.trim_start().split_once(' ').expect("a process and a call");
        let call = call.trim_start();
        if let Some(begun) = call.strip_suffix("<unfinished ...>") {
            if is_sending(begun) {
                events.extend(event(begun));
            } else {
                unfinished.insert(process, begun.to_owned());
            }
        } else if call.starts_with("<... ") {
            let (_, rest) = call.split_once("resumed>").expect("a call that goes on");
            let begun = unfinished.remove(process);
            events.extend(begun.and_then(|begun| event(&(begun + rest))));
        } else {
            events.extend(event(call));
        }
    }
    events
}

fn is_sending(call: &str) -> bool {
    ["write(", "writev(", "sendto(", "sendmsg("].iter().any(|name| call.starts_with(name))
}

fn event(call: &str) -> Option<Event> {
    let (name, rest) = call.split_once('(')?;
    // A call that failed did nothing.
    if !is_sending(call) && rest.rsplit_once(" = ").is_some_and(|(_, result)| result.starts_with('-')) {
        return None;
    }
    let path = || database_file(&text(rest, '<', '>')?);
    let number = |from_the_end: usize| -> Option<usize> {
        let (arguments, _) = rest.rsplit_once(')')?;
        arguments.rsplit(", ").nth(from_the_end)?.trim().parse().ok()
    };
    match name {
        "openat" if rest.contains("O_CREAT") => Some(Event::Made(database_file(&text(rest, '"', '"')?)?)),
        "pwrite64" => Some(Event::Written(path()?, number(0)?, text(rest, '"', '"')?)),
        "ftruncate" => Some(Event::Cut(path()?, number(0)?)),
        "unlink" | "unlinkat" => Some(Event::Removed(database_file(&text(rest, '"', '"')?)?)),
        "fsync" | "fdatasync" => Some(Event::Synced(path()?)),
        "rename" | "renameat2" => panic!("a file is renamed, and this test does not know what that means"),
        _ if is_sending(call) => {
            assert!(path().is_none(), "a database file is written without a place: {name}");
            let strings = rest.split('"').skip(1).step_by(2);
            Some(Event::Sent(strings.flat_map(unhex).collect()))
        }
        _ => None,
    }
}

/// The string in these quotes, from its hexadecimal form.
fn text(rest: &str, open: char, close: char) -> Option<Vec<u8>> {
    let (_, rest) = rest.split_once(open)?;
    Some(unhex(rest.split_once(close)?.0))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.map(|two| u8::from_str_radix(two, 16).expect("hexadecimal digits")).collect()
}

/// The path, if it is one that a loss of power matters to: the index beside the write-ahead log is made anew after one.
fn database_file(path: &[u8]) -> Option<PathBuf> {
    let path = PathBuf::from(String::from_utf8(path.to_vec()).ok()?);
    let name = path.file_name()?.to_str()?;
    ["anteroom.db", "anteroom.db-wal", "anteroom.db-journal"].contains(&name).then_some(path)
}
