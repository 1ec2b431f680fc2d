//! What was posted into a room against what its readers received and what its log holds. Pure: records in, findings out.
//!
//! An acknowledgement is a promise: the message stands at that number, for every reader, once, for ever. Each way of breaking it
//! has a name in [`Findings`].

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use anteroom_protocol::id::ClientId;
use serde::Serialize;

/// Findings that are told in words; all are counted.
const EXAMPLES: usize = 10;

/// What became of a post, as its author was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Stored, under this number.
    Acknowledged {
        /// The number.
        seq: u64,
    },
    /// Refused: it must not be in the log.
    Refused,
    /// No answer, or one that does not say: it may be in the log, once.
    Unknown,
}

/// One post. The posts of one author are kept in the order in which they were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post {
    /// Its idempotency key.
    pub client_id: ClientId,
    /// Which seat sent it.
    pub author: usize,
    /// The [`fingerprint`] of its body.
    pub body: u64,
    /// What became of it.
    pub fate: Fate,
}

/// One entry, as a reader received it or as a page of the log shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub seq: u64,
    /// The command it stands for.
    pub client_id: Option<ClientId>,
    /// The [`fingerprint`] of its body; entries without a body have 0.
    pub body: u64,
}

/// Everything known of one room after a run.
#[derive(Debug, Clone, Default)]
pub struct RoomRecord {
    /// The head at which the readers joined: every later entry must be one of `posts`.
    pub start: u64,
    /// What was posted.
    pub posts: Vec<Post>,
    /// What each reader received, in the order of arrival.
    pub readers: Vec<Vec<Seen>>,
    /// What the log holds, from number 1 on.
    pub log: Vec<Seen>,
}

/// How often which promise was broken. All zero is the only good result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// An acknowledged message that a reader did not receive, or that the log does not hold.
    pub lost: u64,
    /// An entry that came again.
    pub doubled: u64,
    /// An entry that came after a later one, or a later post of one author with a lower number.
    pub reordered: u64,
    /// An entry that nobody posted, that was refused, or that stands elsewhere than its author was told.
    pub phantom: u64,
    /// A number between two others that never came.
    pub holes: u64,
    /// An entry whose body is not the one that was posted.
    pub altered: u64,
    /// The first few in words.
    pub examples: Vec<String>,
}

impl Findings {
    /// Whether every promise was kept.
    pub fn is_clean(&self) -> bool {
        self.lost + self.doubled + self.reordered + self.phantom + self.holes + self.altered == 0
    }

    /// Adds the findings of another room.
    pub fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.phantom += other.phantom;
        self.holes += other.holes;
        self.altered += other.altered;
        let room = EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(room));
    }

    fn tell(&mut self, example: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }
}

/// A body in eight bytes.
pub fn fingerprint(body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

/// Checks one room; `name` is for the examples.
pub fn check(name: &str, record: &RoomRecord) -> Findings {
    let mut findings = Findings::default();
    let posts: HashMap<ClientId, &Post> = record.posts.iter().map(|post| (post.client_id, post)).collect();
    check_acknowledgements(name, &record.posts, &mut findings);
    for (seat, seen) in record.readers.iter().enumerate() {
        let view =
            View { who: format!("{name}, reader {seat}"), first: record.start + 1, posted: record.start };
        view.check(seen, &posts, &mut findings);
    }
    let view = View { who: format!("{name}, log"), first: 1, posted: record.start };
    view.check(&record.log, &posts, &mut findings);
    findings
}

/// The posts of one author get rising numbers.
fn check_acknowledgements(name: &str, posts: &[Post], findings: &mut Findings) {
    let mut last: HashMap<usize, u64> = HashMap::new();
    for post in posts {
        let Fate::Acknowledged { seq } = post.fate else {
            continue;
        };
        let before = last.insert(post.author, seq).unwrap_or(0);
        if seq <= before {
            findings.reordered += 1;
            findings.tell(|| format!("{name}: reordered: author {} got {seq} after {before}", post.author));
        }
    }
}

/// One way of seeing a log: a reader's, or the log itself.
struct View {
    who: String,
    /// The first number that must be seen.
    first: u64,
    /// Numbers above this one belong to posts.
    posted: u64,
}

impl View {
    fn check(&self, seen: &[Seen], posts: &HashMap<ClientId, &Post>, findings: &mut Findings) {
        let mut numbers = HashSet::with_capacity(seen.len());
        let mut keys = HashSet::with_capacity(seen.len());
        let mut highest = self.first - 1;
        for entry in seen {
            let new_number = numbers.insert(entry.seq);
            let new_key = entry.client_id.is_none_or(|key| keys.insert(key));
            if !new_number || !new_key {
                findings.doubled += 1;
                findings.tell(|| format!("{}: doubled: {}", self.who, entry.seq));
                continue;
            }
            if entry.seq < highest {
                findings.reordered += 1;
                findings.tell(|| format!("{}: reordered: {} after {highest}", self.who, entry.seq));
            }
            highest = highest.max(entry.seq);
            self.check_origin(entry, posts, findings);
        }
        for missing in (self.first..highest).filter(|number| !numbers.contains(number)) {
            findings.holes += 1;
            findings.tell(|| format!("{}: hole: {missing} never came", self.who));
        }
        for post in posts.values() {
            if let Fate::Acknowledged { seq } = post.fate
                && !keys.contains(&post.client_id)
            {
                findings.lost += 1;
                findings.tell(|| format!("{}: lost: acknowledged as {seq}", self.who));
            }
        }
    }

    /// Whether the entry is what its author posted, where its author was told.
    fn check_origin(&self, entry: &Seen, posts: &HashMap<ClientId, &Post>, findings: &mut Findings) {
        if (self.first..=self.posted).contains(&entry.seq) {
            return;
        }
        let post = entry.client_id.and_then(|key| posts.get(&key));
        let belongs = post.is_some_and(|post| match post.fate {
            Fate::Acknowledged { seq } => seq == entry.seq,
            Fate::Refused => false,
            Fate::Unknown => true,
        });
        if !belongs {
            findings.phantom += 1;
            findings
                .tell(|| format!("{}: phantom: {} ({:?})", self.who, entry.seq, post.map(|post| post.fate)));
        } else if post.is_some_and(|post| post.body != entry.body) {
            findings.altered += 1;
            findings.tell(|| format!("{}: altered: {}", self.who, entry.seq));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_room_in_which_every_promise_was_kept_has_no_findings() {
        assert_eq!(check("room", &good(5)), Findings::default());
        assert_eq!(check("room", &RoomRecord::default()), Findings::default());
    }

    #[test]
    fn a_message_that_a_reader_never_received_is_lost_and_leaves_a_hole() {
        found(|record| record.readers[1].remove(2), &Findings { lost: 1, holes: 1, ..clean() });
    }

    #[test]
    fn the_last_message_is_lost_too_when_it_is_missing_and_leaves_no_hole() {
        found(|record| record.readers[0].pop(), &Findings { lost: 1, ..clean() });
    }

    #[test]
    fn a_message_that_only_the_log_lacks_is_lost() {
        found(|record| record.log.pop(), &Findings { lost: 1, ..clean() });
    }

    #[test]
    fn an_entry_that_comes_again_is_doubled() {
        let again = |record: &mut RoomRecord| {
            let entry = record.readers[0][1];
            record.readers[0].push(entry);
        };
        found(again, &Findings { doubled: 1, ..clean() });
    }

    #[test]
    fn a_message_stored_twice_under_two_numbers_is_doubled() {
        let twice = |record: &mut RoomRecord| {
            let entry = record.log[3];
            record.log.push(Seen { seq: 8, ..entry });
        };
        found(twice, &Findings { doubled: 1, ..clean() });
    }

    #[test]
    fn an_entry_that_comes_after_a_later_one_is_reordered_and_no_hole() {
        found(|record| record.readers[0].swap(1, 2), &Findings { reordered: 1, ..clean() });
    }

    #[test]
    fn an_author_whose_later_post_got_a_lower_number_was_reordered() {
        found(|record| record.posts.swap(0, 2), &Findings { reordered: 1, ..clean() });
    }

    #[test]
    fn an_entry_that_nobody_posted_is_a_phantom() {
        let stranger = Seen { seq: 8, client_id: Some(key(99)), body: 0 };
        found(|record| record.readers[1].push(stranger), &Findings { phantom: 1, ..clean() });
        let nameless = Seen { client_id: None, ..stranger };
        found(|record| record.log.push(nameless), &Findings { phantom: 1, ..clean() });
    }

    #[test]
    fn a_refused_post_in_the_log_is_a_phantom_and_an_unknown_one_is_not() {
        let with_fate = |fate| {
            move |record: &mut RoomRecord| {
                record.posts.push(Post { client_id: key(50), author: 0, body: 50, fate });
                record.log.push(Seen { seq: 8, client_id: Some(key(50)), body: 50 });
            }
        };
        found(with_fate(Fate::Refused), &Findings { phantom: 1, ..clean() });
        found(with_fate(Fate::Unknown), &clean());
    }

    #[test]
    fn a_message_that_stands_elsewhere_than_its_author_was_told_is_a_phantom() {
        let moved = |record: &mut RoomRecord| record.posts[4].fate = Fate::Acknowledged { seq: 9 };
        // Both readers and the log see it at 7.
        found(moved, &Findings { phantom: 3, ..clean() });
    }

    #[test]
    fn a_number_that_never_came_is_a_hole_even_if_no_message_is_missing() {
        let skip = |record: &mut RoomRecord| {
            record.posts.push(Post { client_id: key(60), author: 1, body: 60, fate: Fate::Unknown });
            record.readers[0].push(Seen { seq: 9, client_id: Some(key(60)), body: 60 });
        };
        found(skip, &Findings { holes: 1, ..clean() });
    }

    #[test]
    fn an_entry_with_another_body_is_altered() {
        found(|record| record.log[4].body = 77, &Findings { altered: 1, ..clean() });
    }

    #[test]
    fn entries_from_before_the_run_need_no_post_but_a_number() {
        found(|record| record.log.remove(0), &Findings { holes: 1, ..clean() });
    }

    #[test]
    fn findings_add_up_and_only_the_first_are_told() {
        let mut all = Findings::default();
        for _ in 0..20 {
            all.add(Findings { lost: 2, examples: vec!["one".into()], ..clean() });
        }
        assert_eq!((all.lost, all.examples.len(), all.is_clean()), (40, EXAMPLES, false));
    }

    fn clean() -> Findings {
        Findings::default()
    }

    fn key(number: u64) -> ClientId {
        ClientId(Uuid::from_u64_pair(1, number))
    }

    /// Two entries from before the run, then `count` posts by alternating authors, read by both seats.
    fn good(count: u64) -> RoomRecord {
        let before = (1..=2).map(|seq| Seen { seq, client_id: None, body: 0 });
        let entries: Vec<Seen> =
            (1..=count).map(|n| Seen { seq: 2 + n, client_id: Some(key(n)), body: n }).collect();
        let post = |entry: &Seen| Post {
            client_id: entry.client_id.expect("a key"),
            author: usize::from(entry.seq.is_multiple_of(2)),
            body: entry.body,
            fate: Fate::Acknowledged { seq: entry.seq },
        };
        RoomRecord {
            start: 2,
            posts: entries.iter().map(post).collect(),
            readers: vec![entries.clone(), entries.clone()],
            log: before.chain(entries.iter().copied()).collect(),
        }
    }

    /// Plants one defect into a good room and compares the counts.
    #[track_caller]
    fn found<T>(plant: impl FnOnce(&mut RoomRecord) -> T, expected: &Findings) {
        let mut record = good(5);
        plant(&mut record);
        let mut findings = check("room", &record);
        assert_eq!(findings.is_clean(), findings.examples.is_empty());
        findings.examples.clear();
        assert_eq!(&findings, expected);
    }
}
