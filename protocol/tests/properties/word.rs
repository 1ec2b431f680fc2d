//! The words that frames are made of: ids and instants are read as they were written, in one spelling.

use anteroom_protocol::id::{CandidacyId, ClientId, InvitationId, JobId, ProposalId, RoomId, UserId};
use anteroom_protocol::time::Time;
use proptest::prelude::*;
use serde_json::json;

use crate::strategy::{LAST_MICROS, cases, job, room, user, uuid};

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
}
