//! Every frame of a server: entries, refusals, welcomes and the rest.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::entry::{EntryFrame, Proof};
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::ClientId;
use anteroom_protocol::limits::Limits;
use anteroom_protocol::room::{JoinMode, JoinResult, Joined, RoomChange};
use anteroom_protocol::server::{Receipt, ServerFrame, Welcome};
use anteroom_protocol::user::{Account, UserStatus};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use serde_json::value::RawValue;

use super::{hash, room, time, user, uuid, value};

pub(crate) fn server_frame() -> impl Strategy<Value = ServerFrame> {
    let id = || of(any::<String>());
    prop_oneof![
        welcome(),
        (any::<String>(), value()).prop_map(|(id, data)| ServerFrame::Ok { id, data }),
        (id(), error_body()).prop_map(|(id, error)| ServerFrame::Error { id, error }),
        entry().prop_map(ServerFrame::Entry),
        (room(), any::<u64>(), any::<u64>()).prop_map(|(room, from, to)| ServerFrame::Gap { room, from, to }),
        (of(room()), any::<String>()).prop_map(|(room, reason)| ServerFrame::Reset { room, reason }),
        account().prop_map(ServerFrame::Account),
        (room(), user(), any::<u64>(), any::<u64>(), of(any::<u64>())).prop_map(
            |(room, user, delivered, read, marker)| {
                ServerFrame::Receipt(Receipt { room, user, delivered, read, marker })
            }
        ),
        (room(), user()).prop_map(|(room, user)| ServerFrame::Typing { room, user }),
        (room(), user(), any::<bool>()).prop_map(|(room, user, online)| ServerFrame::Presence {
            room,
            user,
            online
        }),
        any::<u64>().prop_map(|reconnect_in_ms| ServerFrame::Goaway { reconnect_in_ms }),
        (room(), any::<u64>()).prop_map(|(room, head)| ServerFrame::Activity { room, head }),
        (id(), time()).prop_map(|(id, server_time)| ServerFrame::Pong { id, server_time }),
    ]
}

fn welcome() -> impl Strategy<Value = ServerFrame> {
    let names = (of(any::<String>()), any::<String>(), user());
    let times = (any::<u64>(), time(), time());
    let changes = (vec(change(), 0..3), of(any::<String>()), any::<bool>(), any::<bool>());
    (names, times, vec(join_result(), 0..4), of(account()), changes).prop_map(
        |(
            (id, connection, user),
            times,
            rooms,
            account,
            (changes, changes_cursor, changes_reset, changes_more),
        )| {
            let (heartbeat_ms, token_expires_at, server_time) = times;
            ServerFrame::Welcome(Welcome {
                id,
                connection,
                user,
                heartbeat_ms,
                token_expires_at,
                server_time,
                limits: Limits::CURRENT,
                rooms,
                account,
                changes,
                changes_cursor,
                changes_reset,
                changes_more,
            })
        },
    )
}

fn join_result() -> impl Strategy<Value = JoinResult> {
    let mode = select(vec![JoinMode::Live, JoinMode::Resumed, JoinMode::Gap, JoinMode::Reset]);
    prop_oneof![
        (room(), any::<u64>(), mode).prop_map(|(room, head, mode)| JoinResult::Joined(Joined {
            room,
            head,
            mode
        })),
        (room(), error_body()).prop_map(|(room, error)| JoinResult::Refused { room, error }),
    ]
}

fn change() -> impl Strategy<Value = RoomChange> {
    (room(), any::<u64>(), any::<u64>()).prop_map(|(room, head, unread)| RoomChange { room, head, unread })
}

fn account() -> impl Strategy<Value = Account> {
    let status = select(vec![UserStatus::Active, UserStatus::Inactive, UserStatus::Suspended]);
    (status, of(any::<String>()), of(any::<bool>()), of(any::<String>())).prop_map(
        |(status, status_reason, status_reversible, status_next_step)| Account {
            status,
            status_reason,
            status_reversible,
            status_next_step,
        },
    )
}

fn entry() -> impl Strategy<Value = EntryFrame> {
    let salt = || "[0-9a-f]{32}";
    let proof = (of(salt()), of(hash()), of(hash()), of(salt())).prop_map(
        |(public_salt, public_digest, private_digest, private_salt)| Proof {
            public_salt,
            public_digest,
            private_digest,
            private_salt,
        },
    );
    (
        (room(), any::<u64>(), any::<String>(), time()),
        (of(user()), of(uuid().prop_map(ClientId)), hash()),
        (part(), of(any::<u64>()), of(part()), of(proof)),
    )
        .prop_map(
            |((room, seq, kind, at), (by, client_id, hash), (data, amended_by, private, proof))| EntryFrame {
                room,
                seq,
                kind,
                at,
                by,
                client_id,
                hash,
                data,
                amended_by,
                private,
                proof,
            },
        )
}

/// The text of a part, which a frame carries as it is. `null` is no part.
fn part() -> impl Strategy<Value = Box<RawValue>> {
    value().prop_map(|value| RawValue::from_string(json!({ "part": value }).to_string()).expect("JSON"))
}

fn error_body() -> impl Strategy<Value = ErrorBody> {
    (
        select(ErrorCode::ALL),
        any::<String>(),
        of(any::<u64>()),
        of(select(Phase::ALL.to_vec())),
        of(uuid().prop_map(ClientId)),
        of((any::<String>(), any::<bool>(), any::<String>())),
    )
        .prop_map(|(code, message, retry_after_ms, phase, held_by, status)| {
            let (reason, reversible, next_step) = match status {
                Some((reason, reversible, next_step)) => (Some(reason), Some(reversible), Some(next_step)),
                None => (None, None, None),
            };
            ErrorBody {
                retry_after_ms,
                phase,
                held_by,
                status_reason: reason.map(Into::into),
                status_reversible: reversible,
                status_next_step: next_step.map(Into::into),
                ..ErrorBody::new(code, message)
            }
        })
}
