//! Properties of the checker: whatever a right server does with clients that drop, resume, repeat and overlap is valid, and every way
//! of spoiling such a history is found under the right name.

mod support;

use anteroom_load_tests::history::Logs;
use anteroom_load_tests::history::check::{Options, check};
use anteroom_load_tests::history::record::{Cid, Member, Nanos, Record, Recv, Role, Via, What};
use anteroom_load_tests::history::verdict::{Validity, Verdict};
use proptest::prelude::*;
use support::model::{self, Random};

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn what_a_right_server_does_is_valid(seed in any::<u64>()) {
        let verdict = judge(&model::history(seed));
        prop_assert_eq!(verdict.valid, Validity::Valid, "{}", verdict.text());
    }

    #[test]
    fn every_way_of_spoiling_a_history_is_found_under_its_name(seed in any::<u64>(), way in 0..SPOILERS.len()) {
        let (name, invariant, spoil) = SPOILERS[way];
        // Not every history can be spoiled in every way: the next one that can.
        let spoiled = (seed..=u64::MAX).chain(0..seed).find_map(|seed| {
            let mut logs = model::history(seed);
            spoil(&mut logs, &mut Random(seed)).is_some().then_some(logs)
        });
        let logs = spoiled.expect("possible in some history");
        let verdict = judge(&logs);
        prop_assert_eq!(verdict.valid, Validity::Invalid, "{}: {}", name, verdict.text());
        prop_assert!(verdict.broken.contains_key(invariant), "{}: {}", name, verdict.text());
    }

    #[test]
    fn a_log_without_an_end_is_never_valid(seed in any::<u64>()) {
        let mut logs = model::history(seed);
        let log = Random(seed).below(logs.logs.len() - 1) + 1;
        logs.logs[log].pop();
        let verdict = judge(&logs);
        prop_assert_eq!(verdict.valid, Validity::Unknown, "{}", verdict.text());
    }
}

#[test]
fn every_way_of_spoiling_is_possible_in_some_history() {
    let histories: Vec<Logs> = (0..40).map(model::history).collect();
    for (name, _, spoil) in SPOILERS {
        let possible = histories.iter().filter(|good| spoil(&mut (*good).clone(), &mut Random(1)).is_some());
        assert!(possible.count() > 5, "{name} is hardly ever possible: it proves nothing");
    }
}

#[test]
fn histories_of_the_model_have_what_makes_them_hard() {
    let mut all = [0; 6];
    for counts in (0..40).map(|seed| judge(&model::history(seed)).counts) {
        let these =
            [counts.dup_acks, counts.live_dups, counts.refused, counts.gaps, counts.disconnects, counts.ok];
        all = std::array::from_fn(|index| all[index] + these[index]);
    }
    assert!(all.iter().all(|count| *count > 50), "{all:?}");
}

/// A defect planted into a history; absent: this history has no place for it.
type Spoil = fn(&mut Logs, &mut Random) -> Option<()>;

const SPOILERS: &[(&str, &str, Spoil)] = &[
    ("an acknowledged entry is missing from the last reading", "I1", |logs, random| {
        let acked: Vec<Cid> = acks(logs).map(|(cid, ..)| cid).collect();
        let is_it = |recv: &Recv| recv.via == Via::Fresh && recv.cid.is_some_and(|cid| acked.contains(&cid));
        let (log, at) = pick(logs, random, is_it)?;
        remove(logs, log, at);
        Some(())
    }),
    ("the body differs in the last reading", "I2", |logs, random| {
        let at = pick(logs, random, |recv| recv.via == Via::Fresh)?;
        recv(logs, at).digest.0[3] ^= 1;
        Some(())
    }),
    ("nobody sent it", "I2", |logs, random| {
        let (wanted, ..) = choose(random, acks(logs).collect())?;
        each_log(logs, |log| log.retain(|record| cid_sent(&record.what) != Some(wanted)));
        Some(())
    }),
    ("everybody is told another author", "I2", |logs, random| {
        let at = pick(logs, random, |recv| recv.via == Via::Fresh)?;
        let (room, seq) = (recv(logs, at).room, recv(logs, at).seq);
        let liar = logs.names.user("nobody");
        each_recv(logs, |recv| {
            if (recv.room, recv.seq) == (room, seq) {
                recv.by = Some(liar);
            }
        });
        Some(())
    }),
    ("acknowledged at another number", "I3", |logs, random| {
        let (wanted, ..) = choose(random, acks(logs).collect())?;
        each_ack(logs, |cid, seq, _, _| {
            if cid == wanted {
                *seq += 1;
            }
        });
        Some(())
    }),
    ("a repeat is acknowledged as new", "I3", |logs, random| {
        let repeated: Vec<_> = acks(logs).filter(|(.., dup)| *dup).map(|(cid, ..)| cid).collect();
        let news: Vec<_> = acks(logs).filter(|(.., dup)| !dup).map(|(cid, ..)| cid).collect();
        let both = repeated.into_iter().filter(|cid| news.contains(cid)).collect();
        let wanted = choose(random, both)?;
        each_ack(logs, |cid, _, _, dup| *dup &= cid != wanted);
        Some(())
    }),
    ("one reader gets another body", "I4", |logs, random| {
        let at = pick_new(logs, random)?;
        recv(logs, at).digest.0[3] ^= 1;
        Some(())
    }),
    ("one reader gets another hash", "I4", |logs, random| {
        let at = pick_new(logs, random)?;
        recv(logs, at).hash.0[3] ^= 1;
        Some(())
    }),
    ("the author is told another hash", "I4", |logs, random| {
        let (wanted, ..) = choose(random, acks(logs).collect())?;
        each_ack(logs, |cid, _, hash, _| {
            if cid == wanted {
                hash[3] ^= 1;
            }
        });
        Some(())
    }),
    ("the head is ahead of the log", "I5", |logs, random| {
        let readers: Vec<usize> = (1..logs.logs.len()).filter(|log| is_reader(&logs.logs[*log])).collect();
        let log = choose(random, readers)?;
        for record in &mut logs.logs[log] {
            if let What::Final { head, .. } = &mut record.what {
                *head += 1;
            }
        }
        Some(())
    }),
    ("a frame is skipped", "I6", |logs, random| {
        let (log, at, _) = pick_pair(logs, random)?;
        remove(logs, log, at);
        Some(())
    }),
    ("two frames change places", "I6", |logs, random| {
        let (log, one, other) = pick_pair(logs, random)?;
        let swapped = logs.logs[log][one].what.clone();
        logs.logs[log][one].what = std::mem::replace(&mut logs.logs[log][other].what, swapped);
        Some(())
    }),
    ("a frame comes twice", "I6", |logs, random| {
        let (log, at) = pick(logs, random, |recv| recv.via == Via::Live)?;
        let again = logs.logs[log][at].clone();
        logs.logs[log].insert(at + 1, again);
        renumber(&mut logs.logs[log]);
        Some(())
    }),
    ("a reader had been removed before", "I7", |logs, random| {
        let (log, at) = pick(logs, random, |recv| recv.via == Via::Live && recv.seq > 1)?;
        let recv = *recv(logs, (log, at));
        let What::Start { user: Some(user), .. } = logs.logs[log][0].what else { return None };
        let (room, seq) = (recv.room, recv.seq - 1);
        logs.logs[0].push(loose(What::Member(Member { room, user, on: false, seq, began: 0 })));
        Some(())
    }),
    ("two entries far apart in time change numbers", "I8", |logs, random| {
        let (one, other) = choose(random, apart(logs))?;
        swap_entries(logs, one, other);
        Some(())
    }),
    ("the last entry never comes", "I9", |logs, random| {
        let last = |log: &[Record]| {
            let at = log.iter().rposition(|record| matches!(record.what, What::Recv(_)))?;
            let What::Recv(recv) = &log[at].what else { return None };
            let is_later = |other: &Recv| other.room == recv.room && other.seq >= recv.seq;
            let later = |record: &Record| matches!(&record.what, What::Recv(other) if is_later(other));
            let is_first = !log[..at].iter().any(later);
            (is_first && matches!(recv.via, Via::Live | Via::Resume)).then_some(at)
        };
        let candidates =
            logs.logs.iter().enumerate().filter_map(|(log, records)| Some((log, last(records)?)));
        let (log, at) = choose(random, candidates.collect())?;
        remove(logs, log, at);
        Some(())
    }),
    ("an entry comes an hour late", "I9", |logs, random| {
        let (log, at) = pick_new(logs, random)?;
        let What::Recv(Recv { cid: Some(of), .. }) = logs.logs[log][at].what else { return None };
        // Its reader's clock goes on by an hour. What only that reader was told of, the acknowledgement included, is not late by it.
        let acknowledges = |record: &Record| matches!(record.what, What::Ok { cid, .. } if cid == of);
        let rest = logs.logs[log].iter().skip(at);
        let told_in_time = logs.logs.iter().flatten().filter(|record| acknowledges(record)).count()
            > rest.filter(|record| acknowledges(record)).count();
        if !told_in_time {
            return None;
        }
        for record in &mut logs.logs[log][at..] {
            record.t += HOUR;
        }
        Some(())
    }),
    ("the log shrank under a client that comes back", "I11", |logs, random| {
        let mut joins = Vec::new();
        for (log, records) in logs.logs.iter().enumerate() {
            for (at, record) in records.iter().enumerate() {
                if let What::Join(join) = record.what
                    && join.after.is_some_and(|after| after > 0)
                {
                    joins.push((log, at));
                }
            }
        }
        let (log, at) = choose(random, joins)?;
        if let What::Join(join) = &mut logs.logs[log][at].what {
            join.head = join.after? - 1;
        }
        Some(())
    }),
];

/// So many cases, unless `PROPTEST_CASES` asks for more, as a proof does.
fn cases(cases: u32) -> ProptestConfig {
    let told = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { told.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..told }
}

const HOUR: Nanos = 3_600_000_000_000;

fn judge(logs: &Logs) -> Verdict {
    check(logs, Options::default())
}

fn choose<T>(random: &mut Random, mut from: Vec<T>) -> Option<T> {
    if from.is_empty() { None } else { Some(from.swap_remove(random.below(from.len()))) }
}

fn loose(what: What) -> Record {
    Record { t: 0, i: 0, n: 0, what }
}

fn remove(logs: &mut Logs, log: usize, at: usize) {
    logs.logs[log].remove(at);
    renumber(&mut logs.logs[log]);
}

fn renumber(log: &mut [Record]) {
    for (i, record) in (0..).zip(log) {
        record.i = i;
    }
}

fn each_log(logs: &mut Logs, mut change: impl FnMut(&mut Vec<Record>)) {
    for log in &mut logs.logs {
        change(log);
        renumber(log);
    }
}

fn each_recv(logs: &mut Logs, mut change: impl FnMut(&mut Recv)) {
    for record in logs.logs.iter_mut().flatten() {
        if let What::Recv(recv) = &mut record.what {
            change(recv);
        }
    }
}

fn each_ack(logs: &mut Logs, mut change: impl FnMut(Cid, &mut u64, &mut [u8; 16], &mut bool)) {
    for record in logs.logs.iter_mut().flatten() {
        if let What::Ok { cid, seq, hash, dup, .. } = &mut record.what {
            change(*cid, seq, &mut hash.0, dup);
        }
    }
}

fn acks(logs: &Logs) -> impl Iterator<Item = (Cid, Nanos, u64, bool)> {
    logs.logs.iter().flatten().filter_map(|record| {
        let What::Ok { cid, seq, dup, .. } = record.what else { return None };
        Some((cid, record.t, seq, dup))
    })
}

fn cid_sent(what: &What) -> Option<Cid> {
    if let What::Invoke { cid, .. } = what { Some(*cid) } else { None }
}

fn is_reader(log: &[Record]) -> bool {
    matches!(log.first().map(|record| &record.what), Some(What::Start { role: Role::Reader, .. }))
}

fn recv(logs: &mut Logs, (log, at): (usize, usize)) -> &mut Recv {
    let What::Recv(recv) = &mut logs.logs[log][at].what else { panic!("no entry") };
    recv
}

fn pick(logs: &Logs, random: &mut Random, wanted: impl Fn(&Recv) -> bool) -> Option<(usize, usize)> {
    let mut found = Vec::new();
    for (log, records) in logs.logs.iter().enumerate() {
        for (at, record) in records.iter().enumerate() {
            if matches!(&record.what, What::Recv(recv) if wanted(recv)) {
                found.push((log, at));
            }
        }
    }
    choose(random, found)
}

/// An entry as its reader got it for the first time.
fn pick_new(logs: &Logs, random: &mut Random) -> Option<(usize, usize)> {
    let (log, at) = pick(logs, random, |recv| recv.via == Via::Live)?;
    let What::Recv(recv) = logs.logs[log][at].what else { return None };
    let same = |other: &Record| matches!(&other.what, What::Recv(other) if (other.room, other.seq) == (recv.room, recv.seq));
    (!logs.logs[log][..at].iter().any(same)).then_some((log, at))
}

/// Two frames that one connection got of one room, one after the other, the first of them new.
fn pick_pair(logs: &Logs, random: &mut Random) -> Option<(usize, usize, usize)> {
    let (log, one) = pick_new(logs, random)?;
    let records = &logs.logs[log];
    let What::Recv(first) = records[one].what else { return None };
    let follows = |recv: &Recv| recv.via == Via::Live && recv.room == first.room && recv.seq == first.seq + 1;
    let next = |record: &Record| matches!(&record.what, What::Recv(recv) if follows(recv));
    let other = one + 1 + records[one + 1..].iter().position(next)?;
    let same_connection = records[one].n == records[other].n
        && !records[one..other].iter().any(|record| matches!(record.what, What::Join(_) | What::View { .. }));
    same_connection.then_some((log, one, other))
}

/// Commands of one room, the first acknowledged before the second was sent.
fn apart(logs: &Logs) -> Vec<(Cid, Cid)> {
    let mut sent = Vec::new();
    for record in logs.logs.iter().flatten() {
        if let What::Invoke { room, cid, .. } = record.what {
            sent.push((cid, room, record.t));
        }
    }
    let first = |wanted: Cid| sent.iter().filter(|(cid, ..)| *cid == wanted).map(|(.., t)| *t).min();
    let room = |wanted: Cid| sent.iter().find(|(cid, ..)| *cid == wanted).map(|(_, room, _)| *room);
    let acks: Vec<_> = acks(logs).collect();
    let mut pairs = Vec::new();
    for (one, acked, ..) in &acks {
        for (other, ..) in &acks {
            let is_apart = first(*other).is_some_and(|sent| *acked < sent) && room(*one) == room(*other);
            if is_apart {
                pairs.push((*one, *other));
            }
        }
    }
    pairs
}

/// Each stands where the other stood, for everybody.
fn swap_entries(logs: &mut Logs, one: Cid, other: Cid) {
    let swapped = |cid: Cid| {
        if cid == one {
            other
        } else if cid == other {
            one
        } else {
            cid
        }
    };
    let mut parts = std::collections::HashMap::new();
    let mut places = std::collections::HashMap::new();
    each_recv(logs, |recv| {
        if let Some(cid) = recv.cid {
            parts.insert(cid, (recv.by, recv.digest));
            places.insert(cid, (recv.seq, recv.hash));
        }
    });
    each_recv(logs, |recv| {
        if let Some(cid) = recv.cid.map(swapped) {
            (recv.by, recv.digest) = parts[&cid];
            recv.cid = Some(cid);
        }
    });
    each_ack(logs, |cid, seq, hash, _| {
        let (at, of) = places[&swapped(cid)];
        (*seq, *hash) = (at, of.0);
    });
}
