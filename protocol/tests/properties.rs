//! What holds for every frame, id, instant and command there can be.

mod common;

use std::collections::BTreeSet;
use std::fmt;

use anteroom_protocol::candidacy::{CandidacyDecline, CandidacyWithdraw, Phase};
use anteroom_protocol::client::{self, ClientFrame, Hello, Leave, Ping, Refresh, Typing};
use anteroom_protocol::command::Command;
use anteroom_protocol::entry::{EntryFrame, Proof};
use anteroom_protocol::error::{ErrorBody, ErrorCode};
use anteroom_protocol::id::{
    CandidacyId, ClientId, InvitationId, JobId, ProposalId, RoomId, RoomRef, UserId,
};
use anteroom_protocol::invitation::{
    DeclineReason, InvitationAccept, InvitationArchive, InvitationDecline, InvitationSend, InvitationWithdraw,
};
use anteroom_protocol::limits::{self, Limits};
use anteroom_protocol::log::Hash;
use anteroom_protocol::marker::Mark;
use anteroom_protocol::message::{MessageEdit, MessagePost, MessageRedact};
use anteroom_protocol::proposal::{ProposalAnswer, ProposalDecline, ProposalSubmit, ProposalWithdraw};
use anteroom_protocol::room::{Cursor, JoinMode, JoinResult, Joined, RoomChange};
use anteroom_protocol::server::{self, Receipt, ServerFrame, Welcome};
use anteroom_protocol::terms::{Milestone, Terms, TermsKind};
use anteroom_protocol::time::Time;
use anteroom_protocol::user::{Account, UserStatus};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use common::golden;

/// The last instant the calendar knows: 9999-12-30T22:00:00.999999Z.
const LAST_MICROS: i64 = 253_402_207_200_999_999;

fn uuid() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

fn name() -> impl Strategy<Value = String> {
    "[!#-.0-\\[\\]-~]{1,64}"
}

fn user() -> impl Strategy<Value = UserId> {
    name().prop_map(|id| id.parse().expect("an id"))
}

fn job() -> impl Strategy<Value = JobId> {
    name().prop_map(|id| id.parse().expect("an id"))
}

fn room() -> impl Strategy<Value = RoomRef> {
    prop_oneof![Just(RoomRef::Inbox), uuid().prop_map(|id| RoomRef::Room(RoomId(id)))]
}

fn time() -> impl Strategy<Value = Time> {
    (0..=LAST_MICROS).prop_map(Time::from_micros)
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn date() -> impl Strategy<Value = jiff::civil::Date> {
    (1..=9999_i16, 1..=12_i8, 1..=28_i8).prop_map(|(year, month, day)| jiff::civil::date(year, month, day))
}

fn milestone() -> impl Strategy<Value = Milestone> {
    (any::<String>(), 0..=limits::AMOUNT, of(date())).prop_map(|(title, amount, due_date)| Milestone {
        title,
        amount,
        due_date,
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    (
        select(vec![TermsKind::Hourly, TermsKind::Fixed]),
        0..=limits::AMOUNT,
        "[A-Z]{3}",
        of(any::<u16>()),
        of(vec(milestone(), 0..4)),
        of(any::<u16>()),
        of(date()),
        of(any::<String>()),
    )
        .prop_map(
            |(kind, amount, currency, weekly_hours, milestones, duration_weeks, start_date, scope)| Terms {
                kind,
                amount,
                currency,
                weekly_hours,
                milestones,
                duration_weeks,
                start_date,
                scope,
            },
        )
}

fn reason() -> impl Strategy<Value = DeclineReason> {
    select(vec![
        DeclineReason::NotInterested,
        DeclineReason::OutsideMySkills,
        DeclineReason::TooBusy,
        DeclineReason::BudgetTooLow,
        DeclineReason::TimelineUnworkable,
        DeclineReason::DescriptionUnclear,
        DeclineReason::ClientConcern,
        DeclineReason::LooksLikeSpam,
        DeclineReason::Other,
    ])
}

fn command() -> impl Strategy<Value = Command> {
    let invitation = || uuid().prop_map(InvitationId);
    let proposal = || uuid().prop_map(ProposalId);
    let candidacy = || uuid().prop_map(CandidacyId);
    prop_oneof![
        (room(), any::<String>()).prop_map(|(room, body)| Command::MessagePost(MessagePost { room, body })),
        (room(), any::<u64>(), any::<String>())
            .prop_map(|(room, seq, body)| Command::MessageEdit(MessageEdit { room, seq, body })),
        (room(), any::<u64>(), any::<String>())
            .prop_map(|(room, seq, reason)| Command::MessageRedact(MessageRedact { room, seq, reason })),
        (job(), user(), any::<String>(), of(terms())).prop_map(|(job, freelancer, message, terms)| {
            Command::InvitationSend(InvitationSend { job, freelancer, message, terms })
        }),
        (invitation(), any::<String>(), of(terms())).prop_map(|(invitation, message, terms)| {
            Command::InvitationAccept(InvitationAccept { invitation, message, terms })
        }),
        (invitation(), reason(), of(any::<String>())).prop_map(|(invitation, reason, reason_text)| {
            Command::InvitationDecline(InvitationDecline { invitation, reason, reason_text })
        }),
        invitation().prop_map(|invitation| Command::InvitationArchive(InvitationArchive { invitation })),
        invitation().prop_map(|invitation| Command::InvitationWithdraw(InvitationWithdraw { invitation })),
        (job(), any::<String>(), terms()).prop_map(|(job, cover_letter, terms)| {
            Command::ProposalSubmit(ProposalSubmit { job, cover_letter, terms })
        }),
        (proposal(), any::<String>())
            .prop_map(|(proposal, message)| Command::ProposalAnswer(ProposalAnswer { proposal, message })),
        proposal().prop_map(|proposal| Command::ProposalDecline(ProposalDecline { proposal })),
        proposal().prop_map(|proposal| Command::ProposalWithdraw(ProposalWithdraw { proposal })),
        candidacy().prop_map(|candidacy| Command::CandidacyDecline(CandidacyDecline { candidacy })),
        candidacy().prop_map(|candidacy| Command::CandidacyWithdraw(CandidacyWithdraw { candidacy })),
    ]
}

fn cursor() -> impl Strategy<Value = Cursor> {
    (room(), of(any::<u64>()), of(hash())).prop_map(|(room, after, hash)| Cursor { room, after, hash })
}

fn client_frame() -> impl Strategy<Value = ClientFrame> {
    prop_oneof![
        (of(any::<String>()), vec(cursor(), 0..4), of(any::<String>()), of(any::<String>())).prop_map(
            |(token, rooms, changes_after, client)| {
                ClientFrame::Hello(Hello { token, rooms, changes_after, client })
            }
        ),
        cursor().prop_map(ClientFrame::Join),
        room().prop_map(|room| ClientFrame::Leave(Leave { room })),
        btree_map(room(), any::<u64>(), 0..4).prop_map(|heads| ClientFrame::Ping(Ping { heads })),
        any::<String>().prop_map(|token| ClientFrame::Refresh(Refresh { token })),
        (room(), any::<u64>()).prop_map(|(room, seq)| ClientFrame::Read(Mark { room, seq })),
        (room(), any::<u64>()).prop_map(|(room, seq)| ClientFrame::MarkUnread(Mark { room, seq })),
        room().prop_map(|room| ClientFrame::Typing(Typing { room })),
        (uuid(), command()).prop_map(|(id, command)| ClientFrame::Command(ClientId(id), command)),
        (uuid(), command()).prop_map(|(id, command)| ClientFrame::Command(ClientId(id), command)),
    ]
}

fn frame_id() -> impl Strategy<Value = Option<String>> {
    let fits = |id: &String| (1..=limits::FRAME_ID_BYTES).contains(&id.len());
    of(prop_oneof!["[a-z0-9-]{1,64}", any::<String>().prop_filter("1 to 64 bytes", fits)])
}

fn value() -> impl Strategy<Value = Value> {
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
                status_reason: reason,
                status_reversible: reversible,
                status_next_step: next_step,
                ..ErrorBody::new(code, message)
            }
        })
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

fn change() -> impl Strategy<Value = RoomChange> {
    (room(), any::<u64>(), any::<u64>()).prop_map(|(room, head, unread)| RoomChange { room, head, unread })
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

fn server_frame() -> impl Strategy<Value = ServerFrame> {
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

/// The names of the outermost fields of a text, repeats included.
fn field_names(text: &str) -> Vec<String> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Vec<String>, M::Error> {
            let mut names = Vec::new();
            while let Some((name, IgnoredAny)) = map.next_entry()? {
                names.push(name);
            }
            Ok(names)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Names).expect("an object")
}

/// The same JSON as text, with the fields of every object from the last to the first and one more that nobody knows.
fn reordered(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let known = map.iter().rev().map(|(name, value)| format!("{}:{}", json!(name), reordered(value)));
            let fields: Vec<String> =
                [r#""zz_unknown":[{"a":1}]"#.to_owned()].into_iter().chain(known).collect();
            format!("{{ {} }}", fields.join(" , "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(reordered).collect::<Vec<_>>().join(", ")),
        leaf @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => leaf.to_string(),
    }
}

fn decoded_command(value: &Value) -> Option<Command> {
    match client::decode(&value.to_string()) {
        Ok((_, ClientFrame::Command(_, command))) => Some(command),
        _ => None,
    }
}

/// The path of every string and number in a value, as JSON pointers.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(map) => {
            map.iter().flat_map(|(name, inner)| leaves(inner, &format!("{path}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, inner)| leaves(inner, &format!("{path}/{at}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => vec![path.to_owned()],
    }
}

/// JSON that fits no field, and some that fits many.
fn wrong_values() -> Vec<Value> {
    let mut deep = json!([]);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    vec![json!(null), json!(true), json!(-1), json!(1e300), json!(""), json!("x"), json!([]), json!({}), deep]
}

#[test]
fn a_changed_field_makes_another_command() {
    let other = [
        json!("019a4000-0000-7000-8000-000000000000"),
        json!("usr_somebody_else"),
        json!("too_busy"),
        json!("not_interested"),
        json!("fixed"),
        json!("hourly"),
        json!("2031-01-02"),
        json!(7),
    ];
    for file in golden("client") {
        let Some(command) = decoded_command(&file.value) else {
            continue;
        };
        for path in leaves(&file.value, "") {
            if ["/type", "/id", "/client_id"].contains(&path.as_str()) {
                continue;
            }
            let mut changes = 0;
            for other in &other {
                let mut changed = file.value.clone();
                *changed.pointer_mut(&path).expect("a leaf") = other.clone();
                let Some(changed) = decoded_command(&changed).filter(|changed| *changed != command) else {
                    continue;
                };
                assert_ne!(changed.fingerprint(), command.fingerprint(), "{} {path}", file.stem);
                changes += 1;
            }
            assert!(changes > 0, "{} {path}: nothing else fits this field", file.stem);
        }
    }
}

#[test]
fn commands_of_the_same_fields_and_another_type_differ() {
    let fingerprints: BTreeSet<Vec<u8>> = ["invitation.archive", "invitation.withdraw"]
        .map(|name| {
            let fields: Map<String, Value> =
                [("invitation".to_owned(), json!(Uuid::from_u128(7)))].into_iter().collect();
            Command::from_fields(name, fields).expect("a command").fingerprint()
        })
        .into();
    assert_eq!(fingerprints.len(), 2);
}

#[test]
fn the_client_id_and_the_frames_id_are_no_part_of_what_is_repeated() {
    for file in golden("client") {
        let Some(command) = decoded_command(&file.value) else {
            continue;
        };
        let mut again = file.value.clone();
        again["id"] = json!("another");
        again["client_id"] = json!(Uuid::from_u128(7));
        assert_eq!(decoded_command(&again).expect("a command").fingerprint(), command.fingerprint());
    }
}

#[test]
fn a_refusal_carries_the_id_whatever_else_is_wrong() {
    for file in golden("client") {
        for name in file.value.as_object().expect("an object").keys().filter(|name| *name != "id") {
            for wrong in wrong_values().into_iter().map(Some).chain([None]) {
                let mut frame = file.value.clone();
                frame["id"] = json!("the id");
                let fields = frame.as_object_mut().expect("an object");
                match wrong {
                    Some(wrong) => fields.insert(name.clone(), wrong),
                    None => fields.remove(name),
                };
                let id = match client::decode(&frame.to_string()) {
                    Ok((id, _)) => id,
                    Err(error) => error.id,
                };
                assert_eq!(id.as_deref(), Some("the id"), "{frame}");
            }
        }
    }
}

#[test]
fn what_tortures_a_parser_is_answered_and_crashes_nothing() {
    let deep = 10_000;
    let nested = ["[".repeat(deep), r#"{"a":"#.repeat(deep)];
    let closed = format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    let digits = "9".repeat(10_000);
    let mut values = vec![
        closed.clone(),
        digits.clone(),
        format!("-{digits}"),
        format!("1e{digits}"),
        format!("0.{digits}"),
        "1e999999".into(),
        "NaN".into(),
        r#""\ud800""#.into(),
        r#""\udc00\ud800""#.into(),
        r#""\u0000""#.into(),
        "\"\0\"".into(),
        "\u{feff}1".into(),
    ];
    values.extend(nested);
    for value in values {
        for text in [
            value.clone(),
            format!(r#"{{"type":{value}}}"#),
            format!(r#"{{"id":{value},"type":"ping"}}"#),
            format!(r#"{{"type":"ping","unknown":{value}}}"#),
            format!(r#"{{"type":"join","room":"inbox","after":{value}}}"#),
            format!(r#"{{"type":"message.post","room":"inbox","body":{value},"client_id":{value}}}"#),
            format!(r#"{{"type":"hello","token":"x","rooms":{value}}}"#),
            format!(r#"{{"type":"invitation.accept","terms":{value}}}"#),
        ] {
            let _ = client::decode(&text);
            let _ = server::decode(&text);
        }
    }
    let unknown = format!(r#"{{"type":"ping","id":"7","unknown":{closed}}}"#);
    assert_eq!(client::decode(&unknown), Ok((Some("7".into()), ClientFrame::Ping(Ping::default()))));
    let data = format!(r#"{{"type":"ok","id":"7","data":{closed}}}"#);
    assert!(server::decode(&data).is_err(), "a value this deep would end the stack of whoever reads it");
}

#[test]
fn a_field_that_stands_twice_is_refused() {
    for (text, code) in [
        (r#"{"type":"ping","type":"ping"}"#, ErrorCode::BadFrame),
        (r#"{"type":"ping","id":"1","id":"2"}"#, ErrorCode::BadFrame),
        (r#"{"type":"leave","room":"inbox","room":"inbox"}"#, ErrorCode::BadRequest),
    ] {
        assert_eq!(client::decode(text).expect_err("a repeat").code, code, "{text}");
    }
}

#[test]
fn the_same_uuid_in_another_spelling_is_the_same_id() {
    let id: ClientId = "019a3f6c-5d10-7c31-9b52-2f0c5a7e1d44".parse().expect("a UUID");
    for other in ["019A3F6C-5D10-7C31-9B52-2F0C5A7E1D44", "019a3f6c5d107c319b522f0c5a7e1d44"] {
        assert_eq!(other.parse(), Ok(id));
    }
    assert!("".parse::<ClientId>().is_err());
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn every_client_frame_is_read_as_it_was_written(frame in client_frame(), id in frame_id()) {
        let text = frame.encode(id.as_deref());
        prop_assert_eq!(client::decode(&text), Ok((id, frame)));
    }

    #[test]
    fn a_written_client_frame_has_each_field_once(frame in client_frame(), id in frame_id()) {
        let names = field_names(&frame.encode(id.as_deref()));
        let once: BTreeSet<&String> = names.iter().collect();
        prop_assert_eq!(once.len(), names.len(), "{:?}", names);
        prop_assert!(names.iter().any(|name| name == "type"));
        prop_assert_eq!(names.iter().any(|name| name == "id"), id.is_some());
        let is_command = matches!(frame, ClientFrame::Command(..));
        prop_assert_eq!(names.iter().any(|name| name == "client_id"), is_command);
    }

    #[test]
    fn every_server_frame_is_read_as_it_was_written(frame in server_frame()) {
        let text = frame.encode();
        prop_assert_eq!(&server::decode(&text).expect("a frame"), &frame);
        prop_assert_eq!(&serde_json::from_str::<ServerFrame>(&text).expect("a frame"), &frame);
        let names = field_names(&text);
        prop_assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        prop_assert_eq!(names.first().map(String::as_str), Some("type"));
    }

    #[test]
    fn no_text_makes_the_decoders_panic(text in any::<String>()) {
        let _ = client::decode(&text);
        let _ = server::decode(&text);
    }

    #[test]
    fn no_json_makes_the_decoders_panic(
        kind in select(client::CONTROL_TYPES.into_iter().chain(Command::ALL.iter().map(|spec| spec.name)).collect::<Vec<_>>()),
        fields in vec((select(vec!["room", "rooms", "body", "terms", "after", "hash", "client_id", "invitation"]), value()), 0..6),
    ) {
        let mut frame: Value = fields.into_iter().collect();
        frame["type"] = json!(kind);
        frame["id"] = json!("7");
        if let Err(error) = client::decode(&frame.to_string()) {
            prop_assert_eq!(error.id.as_deref(), Some("7"));
            prop_assert_eq!(error.code, ErrorCode::BadRequest);
        }
    }

    #[test]
    fn no_damage_to_a_frame_makes_the_decoders_panic(
        file: Index,
        damage in vec((any::<Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let files = [golden("client"), golden("server")].concat();
        let mut bytes = file.get(&files).text.clone().into_bytes();
        for (at, how, byte) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.splice(at.., [])),
                _ => bytes.extend_from_within(at..),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        let _ = client::decode(&text);
        let _ = server::decode(&text);
    }

    #[test]
    fn an_unknown_type_is_told_with_the_id(kind in "[a-z_.]{0,20}", id in frame_id()) {
        let text = json!({ "type": format!("x-{kind}"), "id": id }).to_string();
        let error = client::decode(&text).expect_err("no such type");
        prop_assert_eq!((error.code, error.id), (ErrorCode::UnknownType, id));
    }

    #[test]
    fn every_id_is_read_as_it_was_written(id in uuid(), user in user(), job in job(), room in room()) {
        prop_assert_eq!(ClientId(id).to_string().parse(), Ok(ClientId(id)));
        prop_assert_eq!(InvitationId(id).to_string().parse(), Ok(InvitationId(id)));
        prop_assert_eq!(ProposalId(id).to_string().parse(), Ok(ProposalId(id)));
        prop_assert_eq!(CandidacyId(id).to_string().parse(), Ok(CandidacyId(id)));
        prop_assert_eq!(RoomId(id).to_string().parse(), Ok(RoomId(id)));
        prop_assert_eq!(room.to_string().parse(), Ok(room));
        prop_assert_eq!(user.to_string().parse(), Ok(user.clone()));
        prop_assert_eq!(job.to_string().parse(), Ok(job.clone()));
        prop_assert_eq!(json!(room), json!(room.to_string()));
        prop_assert_eq!(json!(ClientId(id)), json!(ClientId(id).to_string()));
        prop_assert_eq!(json!(user), json!(user.as_str()));
        prop_assert_eq!(serde_json::from_value::<UserId>(json!(user)).expect("an id"), user);
        prop_assert_eq!(serde_json::from_value::<JobId>(json!(job)).expect("an id"), job);
    }

    #[test]
    fn a_string_is_a_marketplace_id_exactly_when_it_says_so_itself(text in any::<String>()) {
        match text.parse::<UserId>() {
            Ok(id) => prop_assert_eq!(id.as_str(), text),
            Err(_) => prop_assert!(serde_json::from_value::<UserId>(json!(text)).is_err()),
        }
    }

    #[test]
    fn every_instant_is_read_as_it_was_written(micros in 0..=LAST_MICROS) {
        let time = Time::from_micros(micros);
        prop_assert_eq!(time.as_micros(), micros);
        prop_assert_eq!(time.to_string().parse::<Time>().expect("a time"), time);
        prop_assert_eq!(serde_json::from_value::<Time>(json!(time)).expect("a time"), time);
        prop_assert_eq!(time.to_string().len(), "1970-01-01T00:00:00.000000Z".len());
    }

    #[test]
    fn the_text_of_an_instant_sorts_like_the_instant(one in 0..=LAST_MICROS, step in -3_i64..=3, far in 0..=LAST_MICROS) {
        let near = (one + step).clamp(0, LAST_MICROS);
        for other in [near, far] {
            let (a, b) = (Time::from_micros(one), Time::from_micros(other));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(a.cmp(&b), one.cmp(&other));
        }
    }

    #[test]
    fn a_repeat_is_told_by_neither_order_nor_unknown_fields(command in command(), id in uuid()) {
        let frame = ClientFrame::Command(ClientId(id), command.clone()).encode(None);
        let value: Value = serde_json::from_str(&frame).expect("JSON");
        let (_, again) = client::decode(&reordered(&value)).expect("a frame");
        let ClientFrame::Command(_, again) = again else { panic!("no command: {again:?}") };
        prop_assert_eq!(again.fingerprint(), command.fingerprint());
        prop_assert_eq!(again, command);
    }

    #[test]
    fn commands_have_the_same_fingerprint_exactly_when_they_are_equal(one in command(), other in command()) {
        prop_assert_eq!(one == other, one.fingerprint() == other.fingerprint());
        prop_assert_eq!(one.fingerprint(), one.clone().fingerprint());
    }
}

/// So many cases, unless `PROPTEST_CASES` asks for more, as a proof does.
fn cases(cases: u32) -> ProptestConfig {
    let told = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { told.cases } else { cases };
    ProptestConfig { cases, failure_persistence: None, ..told }
}
