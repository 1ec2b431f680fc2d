//! Records as lines of JSON: `{"i":3,"t":1200000,"e":"ok","room":"r1","cid":"…","seq":4,"hash":"…","dup":false}`.
//!
//! `e` says what it is. Digests and hashes are hexadecimal, of which the first 32 digits count; a `client_id` is a UUID. Both may be
//! shorter, so that a log for a test can be written by hand. `note` is for the human reader.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anteroom_protocol::room::JoinMode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::record::{Cid, Digest, Fault, Join, Member, Names, Record, Recv, Role, Room, Run, Via, What};

/// Numbers above this are no entry's: the checker keeps a place for each number.
const MOST_SEQ: u64 = 1 << 26;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    #[default]
    Note,
    Run,
    Fault,
    Repairs,
    Member,
    Before,
    Start,
    Conn,
    Disc,
    Join,
    Leave,
    Invoke,
    Ok,
    Nack,
    Recv,
    Gap,
    Reset,
    View,
    Final,
    End,
}

/// One line with every field that any record has. Flat, because that is what serde reads without a detour.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(default)]
    i: u32,
    #[serde(default)]
    t: u64,
    e: Event,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u32>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    client: Option<&'a str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<Role>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    room: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<JoinMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cid: Option<Hex>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digest: Option<Hex>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<Hex>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dup: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    code: Option<Code<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    via: Option<Via>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<bool>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stop: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bound_ms: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    layer: Option<&'a str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    scenario: Option<&'a str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    faults: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    versions: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

/// A close code, or the word of an error.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Code<'a> {
    Close(u16),
    Error(&'a str),
}

/// Hexadecimal, up to 32 digits that count; hyphens do not.
#[derive(Debug, Clone, Copy)]
struct Hex([u8; 16]);

impl Hex {
    fn known(digest: Digest) -> Option<Self> {
        (digest != Digest::NONE).then_some(Self(digest.0))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&str>::deserialize(deserializer)?;
        let mut digits = text.bytes().filter(|byte| *byte != b'-').take(32);
        let value = digits.try_fold(0_u128, |value, byte| {
            let digit = char::from(byte).to_digit(16)?;
            Some(value << 4 | u128::from(digit))
        });
        value
            .map(|value| Self(value.to_be_bytes()))
            .ok_or_else(|| D::Error::custom(format!("{text:?} is not hexadecimal")))
    }
}

/// Reads one line; a note is no record.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &str, names: &mut Names) -> Result<Option<Record>, String> {
    let line: Line<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for seq in [line.seq, line.head, line.to, line.after].into_iter().flatten() {
        if seq > MOST_SEQ {
            return Err(format!("{seq} is more entries than a log has"));
        }
    }
    let what = match line.e {
        Event::Note => return Ok(None),
        Event::Run => What::Run(Box::new(line.run())),
        Event::Fault => What::Fault(Box::new(line.fault()?)),
        Event::Repairs => {
            What::Repairs { layer: names.word(need(line.layer, "layer")?), count: need(line.count, "count")? }
        }
        Event::Member => What::Member(line.member(names)?),
        Event::Before => What::Before { room: line.room(names)?, head: need(line.head, "head")? },
        Event::Start => What::Start {
            client: names.word(need(line.client, "client")?),
            user: line.user.map(|user| names.user(user)),
            role: need(line.role, "role")?,
        },
        Event::Conn => What::Conn,
        Event::Disc => What::Disc { code: line.close_code()? },
        Event::Join => What::Join(line.join(names)?),
        Event::Leave => What::Leave { room: line.room(names)? },
        Event::Invoke => What::Invoke {
            room: line.room(names)?,
            cid: line.cid()?,
            kind: names.word(need(line.kind, "kind")?),
            digest: line.digest(),
        },
        Event::Ok => What::Ok {
            room: line.room(names)?,
            cid: line.cid()?,
            seq: need(line.seq, "seq")?,
            hash: line.hash(),
            dup: need(line.dup, "dup")?,
        },
        Event::Nack => line.nack(names)?,
        Event::Recv => What::Recv(line.recv(names)?),
        Event::Gap => {
            let (from, to) = (need(line.from, "from")?, need(line.to, "to")?);
            What::Gap { room: line.room(names)?, from, to }
        }
        Event::Reset => What::Reset { room: line.room(names)? },
        Event::View => What::View {
            room: line.room(names)?,
            count: need(line.count, "count")?,
            last: need(line.last, "last")?,
            hash: line.hash(),
        },
        Event::Final => What::Final { room: line.room(names)?, head: need(line.head, "head")? },
        Event::End => What::End,
    };
    Ok(Some(Record { t: line.t, i: line.i, n: line.n.unwrap_or(0), what }))
}

fn need<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| format!("{name} is missing"))
}

impl Line<'_> {
    fn room(&self, names: &mut Names) -> Result<Room, String> {
        need(self.room, "room").map(|room| names.room(room))
    }

    fn cid(&self) -> Result<Cid, String> {
        need(self.cid, "cid").map(|cid| Cid(cid.0))
    }

    fn digest(&self) -> Digest {
        self.digest.map_or(Digest::NONE, |digest| Digest(digest.0))
    }

    fn hash(&self) -> Digest {
        self.hash.map_or(Digest::NONE, |hash| Digest(hash.0))
    }

    fn close_code(&self) -> Result<u16, String> {
        match need(self.code, "code")? {
            Code::Close(code) => Ok(code),
            Code::Error(word) => Err(format!("{word:?} is no close code")),
        }
    }

    fn run(&self) -> Run {
        Run {
            scenario: self.scenario.map(str::to_owned),
            seed: self.seed,
            plan: self.plan,
            faults: self.faults.unwrap_or(false),
            bound_ms: self.bound_ms,
            versions: self.versions.clone().unwrap_or_default(),
        }
    }

    fn fault(&self) -> Result<Fault, String> {
        Ok(Fault {
            name: need(self.name, "name")?.to_owned(),
            start: need(self.start, "start")?,
            stop: need(self.stop, "stop")?,
            bound_ms: self.bound_ms,
        })
    }

    fn member(&self, names: &mut Names) -> Result<Member, String> {
        Ok(Member {
            room: self.room(names)?,
            user: names.user(need(self.user, "user")?),
            on: need(self.on, "on")?,
            seq: need(self.seq, "seq")?,
            began: need(self.began, "began")?,
        })
    }

    fn join(&self, names: &mut Names) -> Result<Join, String> {
        Ok(Join {
            room: self.room(names)?,
            after: self.after,
            mode: need(self.mode, "mode")?,
            head: need(self.head, "head")?,
            began: need(self.began, "began")?,
        })
    }

    fn nack(&self, names: &mut Names) -> Result<What, String> {
        let Code::Error(word) = need(self.code, "code")? else {
            return Err("the code of an error is a word".to_owned());
        };
        Ok(What::Nack { cid: self.cid()?, code: names.word(word), retry: need(self.retry, "retry")? })
    }

    fn recv(&self, names: &mut Names) -> Result<Recv, String> {
        let seq = need(self.seq, "seq")?;
        if seq == 0 {
            return Err("entries are counted from 1".to_owned());
        }
        Ok(Recv {
            room: self.room(names)?,
            seq,
            hash: self.hash(),
            cid: self.cid.map(|cid| Cid(cid.0)),
            by: self.by.map(|by| names.user(by)),
            kind: names.word(need(self.kind, "kind")?),
            digest: self.digest(),
            version: self.version.unwrap_or(0),
            via: need(self.via, "via")?,
        })
    }
}

/// Writes one record as a line.
///
/// # Errors
/// The writer's.
pub fn write(out: &mut impl Write, record: &Record, names: &Names) -> io::Result<()> {
    let n = (record.n != 0).then_some(record.n);
    let line = Line { i: record.i, t: record.t, n, ..fields(&record.what, names) };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn of<'a>(e: Event) -> Line<'a> {
    Line { e, ..Line::default() }
}

fn in_room(e: Event, room: Room, names: &Names) -> Line<'_> {
    Line { room: Some(names.room_name(room)), ..of(e) }
}

fn fields<'a>(what: &'a What, names: &'a Names) -> Line<'a> {
    let at = |e, room| in_room(e, room, names);
    match what {
        What::Run(run) => run_fields(run),
        What::Fault(fault) => fault_fields(fault),
        What::Repairs { layer, count } => {
            Line { layer: Some(names.text(*layer)), count: Some(*count), ..of(Event::Repairs) }
        }
        What::Member(member) => member_fields(member, names),
        What::Before { room, head } => Line { head: Some(*head), ..at(Event::Before, *room) },
        What::Start { client, user, role } => {
            let (client, user) = (Some(names.text(*client)), user.map(|user| names.user_name(user)));
            Line { client, user, role: Some(*role), ..of(Event::Start) }
        }
        What::Conn => of(Event::Conn),
        What::Disc { code } => Line { code: Some(Code::Close(*code)), ..of(Event::Disc) },
        What::Join(join) => join_fields(join, names),
        What::Leave { room } => at(Event::Leave, *room),
        What::Invoke { room, cid, kind, digest } => {
            let (kind, digest) = (Some(names.text(*kind)), Hex::known(*digest));
            Line { cid: Some(Hex(cid.0)), kind, digest, ..at(Event::Invoke, *room) }
        }
        What::Ok { room, cid, seq, hash, dup } => {
            let (seq, hash, dup) = (Some(*seq), Hex::known(*hash), Some(*dup));
            Line { cid: Some(Hex(cid.0)), seq, hash, dup, ..at(Event::Ok, *room) }
        }
        What::Nack { cid, code, retry } => {
            let code = Some(Code::Error(names.text(*code)));
            Line { cid: Some(Hex(cid.0)), code, retry: Some(*retry), ..of(Event::Nack) }
        }
        What::Recv(recv) => recv_fields(recv, names),
        What::Gap { room, from, to } => Line { from: Some(*from), to: Some(*to), ..at(Event::Gap, *room) },
        What::Reset { room } => at(Event::Reset, *room),
        What::View { room, count, last, hash } => {
            let (count, last, hash) = (Some(*count), Some(*last), Hex::known(*hash));
            Line { count, last, hash, ..at(Event::View, *room) }
        }
        What::Final { room, head } => Line { head: Some(*head), ..at(Event::Final, *room) },
        What::End => of(Event::End),
    }
}

fn fault_fields(fault: &Fault) -> Line<'_> {
    let (name, start, stop) = (Some(fault.name.as_str()), Some(fault.start), Some(fault.stop));
    Line { name, start, stop, bound_ms: fault.bound_ms, ..of(Event::Fault) }
}

fn member_fields<'a>(member: &Member, names: &'a Names) -> Line<'a> {
    Line {
        user: Some(names.user_name(member.user)),
        on: Some(member.on),
        seq: Some(member.seq),
        began: Some(member.began),
        ..in_room(Event::Member, member.room, names)
    }
}

fn join_fields<'a>(join: &Join, names: &'a Names) -> Line<'a> {
    Line {
        after: join.after,
        mode: Some(join.mode),
        head: Some(join.head),
        began: Some(join.began),
        ..in_room(Event::Join, join.room, names)
    }
}

fn run_fields(run: &Run) -> Line<'_> {
    Line {
        e: Event::Run,
        scenario: run.scenario.as_deref(),
        seed: run.seed,
        plan: run.plan,
        faults: Some(run.faults),
        bound_ms: run.bound_ms,
        versions: (!run.versions.is_empty()).then(|| run.versions.clone()),
        ..Line::default()
    }
}

fn recv_fields<'a>(recv: &Recv, names: &'a Names) -> Line<'a> {
    Line {
        e: Event::Recv,
        room: Some(names.room_name(recv.room)),
        seq: Some(recv.seq),
        hash: Hex::known(recv.hash),
        cid: recv.cid.map(|cid| Hex(cid.0)),
        by: recv.by.map(|by| names.user_name(by)),
        kind: Some(names.text(recv.kind)),
        digest: Hex::known(recv.digest),
        version: (recv.version != 0).then_some(recv.version),
        via: Some(recv.via),
        ..Line::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_written_reads_as_the_same_record() {
        let lines = [
            r#"{"e":"run","scenario":"steady-rooms","seed":7,"plan":9,"faults":true,"versions":{"server":"0.1.0"}}"#,
            r#"{"t":5,"e":"fault","name":"kill","start":5,"stop":9,"bound_ms":4000}"#,
            r#"{"e":"repairs","layer":"audit","count":3}"#,
            r#"{"e":"member","room":"r","user":"ann","on":false,"seq":4,"began":2}"#,
            r#"{"e":"before","room":"r","head":4}"#,
            r#"{"e":"start","client":"a","user":"ann","role":"client"}"#,
            r#"{"i":1,"t":2,"n":2,"e":"conn"}"#,
            r#"{"i":1,"t":2,"e":"disc","code":1006}"#,
            r#"{"i":1,"t":2,"e":"join","room":"r","after":3,"mode":"resumed","head":9,"began":1}"#,
            r#"{"i":1,"t":2,"e":"leave","room":"r"}"#,
            r#"{"i":1,"t":2,"e":"invoke","room":"r","cid":"c1","kind":"message.post","digest":"d1"}"#,
            r#"{"i":1,"t":2,"e":"ok","room":"r","cid":"c1","seq":4,"hash":"a4","dup":true}"#,
            r#"{"i":1,"t":2,"e":"nack","cid":"c1","code":"held","retry":true}"#,
            r#"{"i":1,"t":2,"e":"recv","room":"r","seq":4,"hash":"a4","cid":"c1","by":"ann","kind":"terms.proposed","version":2,"via":"live"}"#,
            r#"{"i":1,"t":2,"e":"gap","room":"r","from":4,"to":600}"#,
            r#"{"i":1,"t":2,"e":"reset","room":"r"}"#,
            r#"{"i":1,"t":2,"e":"view","room":"r","count":2,"last":4,"hash":"a4"}"#,
            r#"{"i":1,"t":2,"e":"final","room":"r","head":4}"#,
            r#"{"i":1,"t":2,"e":"end"}"#,
        ];
        for text in lines {
            let mut names = Names::default();
            let record = read(text, &mut names).expect("a line").expect("a record");
            let mut written = Vec::new();
            write(&mut written, &record, &names).expect("a vector takes all");
            let written = String::from_utf8(written).expect("JSON");
            assert_eq!(read(&written, &mut names), Ok(Some(record)), "{written}");
        }
    }

    #[test]
    fn a_line_that_lacks_a_field_or_has_a_strange_one_is_refused() {
        for (text, problem) in [
            (r#"{"e":"ok","room":"r","cid":"c1","dup":true}"#, "seq is missing"),
            (r#"{"e":"end","colour":"red"}"#, "unknown field"),
            (r#"{"e":"disc","code":"held"}"#, "no close code"),
            (r#"{"e":"before","room":"r","head":99999999999}"#, "more entries"),
            (r#"{"e":"nack","cid":"xyz","code":"held","retry":true}"#, "hexadecimal"),
            (r#"{"e":"en"#, "EOF"),
        ] {
            let error = read(text, &mut Names::default()).expect_err(text);
            assert!(error.contains(problem), "{error}");
        }
        assert_eq!(read(r#"{"e":"note","text":"for you"}"#, &mut Names::default()), Ok(None));
    }
}
