//! From a record to a line.

use std::io::{self, Write};

use super::super::record::{Fault, Join, Member, Names, Record, Recv, Room, Run, What};
use super::{Code, Event, Hex, Line};

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
            let (seq, hash, dup) = ((*seq != 0).then_some(*seq), Hex::known(*hash), Some(*dup));
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
