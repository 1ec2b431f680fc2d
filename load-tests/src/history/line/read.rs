//! From a line to a record: every field that the record needs is there, and no number is out of reach.

use super::super::record::{Cid, Digest, Fault, Join, Member, Names, Record, Recv, Room, Run, What};
use super::{Code, Event, Line};

/// Numbers above this are no entry's: the checker keeps a place for each number.
const MOST_SEQ: u64 = 1 << 26;

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
            seq: line.seq.unwrap_or(0),
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
