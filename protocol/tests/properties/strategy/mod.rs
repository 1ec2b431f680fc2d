//! Whatever a client or a server can say, as proptest's strategies. Here: ids, instants, any JSON, and how many cases are tried.

mod client;
mod negotiation;
mod server;

use anteroom_protocol::id::{JobId, RoomId, RoomRef, UserId};
use anteroom_protocol::limits;
use anteroom_protocol::log::Hash;
use anteroom_protocol::time::Time;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

pub(crate) use client::{client_frame, command};
pub(crate) use server::server_frame;

/// The last instant the calendar knows: 9999-12-30T22:00:00.999999Z.
pub(crate) const LAST_MICROS: i64 = 253_402_207_200_999_999;

/// So many cases, unless `PROPTEST_CASES` asks for more, as a proof does.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let told = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { told.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..told }
}

pub(crate) fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn name() -> impl Strategy<Value = String> {
    "[!#-.0-\\[\\]-~]{1,64}"
}

pub(crate) fn user() -> impl Strategy<Value = UserId> {
    name().prop_map(|id| id.parse().expect("an id"))
}

pub(crate) fn job() -> impl Strategy<Value = JobId> {
    name().prop_map(|id| id.parse().expect("an id"))
}

pub(crate) fn room() -> impl Strategy<Value = RoomRef> {
    prop_oneof![Just(RoomRef::Inbox), uuid().prop_map(|id| RoomRef::Room(RoomId(id)))]
}

fn time() -> impl Strategy<Value = Time> {
    (0..=LAST_MICROS).prop_map(Time::from_micros)
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

pub(crate) fn frame_id() -> impl Strategy<Value = Option<String>> {
    let fits = |id: &String| (1..=limits::FRAME_ID_BYTES).contains(&id.len());
    of(prop_oneof!["[a-z0-9-]{1,64}", any::<String>().prop_filter("1 to 64 bytes", fits)])
}

pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((any::<String>(), inner), 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}
