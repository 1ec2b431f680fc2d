//! Entries and refusals, as clients see them. An entry becomes text once per audience, never once per reader.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use anteroom_protocol::entry::{EntryFrame, Proof};
use anteroom_protocol::error::{CurrentTerms, ErrorBody, ErrorCode};
use anteroom_protocol::guard::ContactSpan;
use anteroom_protocol::log::{Hash, to_hex};
use anteroom_protocol::server::ServerFrame;
use anteroom_protocol::user::{Side, UserStatus};
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::domain::log::{Log, LogEntry, Part};
use crate::domain::refusal::Refusal;
use crate::domain::user::Standing;

/// Who reads. What a freelancer takes home stands in private parts, and never leaves the server towards a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// The client's side: public parts only.
    Client,
    /// The freelancer's side: everything. Also the reader of an inbox, where private parts are in what is told to freelancers alone.
    Freelancer,
}

impl Audience {
    /// The audience of a person who reads this log, in a room on this side.
    pub fn of(log: &Log, side: Option<Side>) -> Self {
        match (log, side) {
            (Log::Inbox(_), _) | (Log::Room(_), Some(Side::Freelancer)) => Self::Freelancer,
            // Of whom it is not known on which side they are, see no more than everybody may.
            (Log::Room(_), Some(Side::Client) | None) => Self::Client,
        }
    }

    fn sees_private(self) -> bool {
        self == Self::Freelancer
    }
}

/// An entry on its way to many readers.
#[derive(Debug)]
pub struct EncodedEntry {
    entry: Arc<LogEntry>,
    public: OnceLock<Utf8Bytes>,
    whole: OnceLock<Utf8Bytes>,
}

impl EncodedEntry {
    /// Not encoded before somebody reads it.
    pub fn new(entry: Arc<LogEntry>) -> Self {
        Self { entry, public: OnceLock::new(), whole: OnceLock::new() }
    }

    /// The entry.
    pub fn entry(&self) -> &LogEntry {
        &self.entry
    }

    /// About how many bytes its frame has.
    pub fn size(&self) -> usize {
        let private = self.entry.private.as_ref().map_or(0, |part| part.json().len());
        300 + self.entry.public.json().len() + private
    }

    /// The `entry` frame for this audience.
    pub fn text(&self, audience: Audience) -> Utf8Bytes {
        let whole = audience.sees_private() && self.entry.private.is_some();
        let slot = if whole { &self.whole } else { &self.public };
        slot.get_or_init(|| frame_text(&self.entry, audience)).clone()
    }
}

/// The `entry` frame of one entry, for this audience.
pub fn frame_text(entry: &LogEntry, audience: Audience) -> Utf8Bytes {
    ServerFrame::Entry(entry_frame(entry, audience, false)).encode().into()
}

/// One entry as this audience sees it, in a frame or (with the proof, when asked for) in a page.
pub fn entry_frame(entry: &LogEntry, audience: Audience, proof: bool) -> EntryFrame {
    // A private part that was deleted is shown to nobody, by its digest alone.
    let private = entry.private.as_ref().filter(|part| audience.sees_private() && part.salt().is_some());
    EntryFrame {
        room: entry.log.reference(),
        seq: entry.seq,
        kind: entry.kind.to_string(),
        at: entry.at,
        by: entry.by.clone(),
        client_id: entry.client_id,
        hash: entry.hash,
        data: raw(&entry.public),
        amended_by: entry.amended_by,
        private: private.map(raw),
        proof: proof.then(|| Proof {
            public_salt: entry.public.salt().map(|salt| to_hex(salt)),
            public_digest: deleted(&entry.public),
            private_digest: entry.private.as_ref().filter(|_| private.is_none()).map(Part::digest),
            private_salt: private.and_then(Part::salt).map(|salt| to_hex(salt)),
        }),
    }
}

fn deleted(part: &Part) -> Option<Hash> {
    match part {
        Part::Whole { .. } => None,
        Part::Deleted(digest) => Some(*digest),
    }
}

fn raw(part: &Part) -> Box<RawValue> {
    // What is in the log was written as canonical JSON; anything else would be a damaged database, shown as null.
    RawValue::from_string(part.json().to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// What a client is told of a refusal.
pub fn refusal(refusal: &Refusal) -> ErrorBody {
    use ErrorCode as E;
    fn new(code: ErrorCode, words: impl Into<String>) -> ErrorBody {
        ErrorBody::new(code, words)
    }
    match refusal {
        Refusal::NotFound => not_found(),
        Refusal::Forbidden => new(E::Forbidden, "this token does not reach that"),
        Refusal::Account(standing) => account(standing),
        Refusal::Invalid(why) => new(E::BadRequest, why.clone()),
        Refusal::TooLarge { field, limit } => new(E::TooLarge, format!("{field}: at most {limit} bytes")),
        Refusal::ClientFirst => new(E::ClientFirst, "the client writes first; wait for the client's answer"),
        Refusal::WrongPhase(phase) => ErrorBody {
            phase: Some(*phase),
            ..new(E::WrongPhase, format!("not possible while {}", phase.as_str()))
        },
        Refusal::WrongSide => new(E::WrongSide, "that is the other side's to do"),
        Refusal::CandidacyExists => new(E::CandidacyExists, "there is an open candidacy on this job already"),
        Refusal::JobNotOpen => new(E::JobNotOpen, "the job takes no candidates any more"),
        Refusal::InvitationExpired => new(E::InvitationExpired, "the time to answer this invitation is over"),
        Refusal::LedgerFinal => new(E::LedgerFinal, "the verdict is final: the time to take it out is over"),
        Refusal::TermsStale { version, hash } => ErrorBody {
            current: Some(Box::new(CurrentTerms { current_version: *version, current_hash: *hash })),
            ..new(E::TermsStale, "the terms have moved on; look at them again")
        },
        Refusal::TermsNotPending => new(E::TermsNotPending, "that version waits for no such answer"),
        Refusal::TermsLimit => new(E::TermsLimit, "no more versions can be proposed; answer the newest one"),
        Refusal::CoverLetterFixed => new(E::CoverLetterFixed, "a cover letter is never changed"),
        Refusal::OfferNotStanding => {
            new(E::OfferNotStanding, "the offer was answered, replaced or taken back")
        }
        Refusal::OfferExpired => new(E::OfferExpired, "the time to answer this offer is over"),
        Refusal::ChangeRequestLimit { wait_ms } => ErrorBody {
            retry_after_ms: Some(*wait_ms),
            ..new(E::ChangeRequestLimit, "changes of this offer were asked for too often")
        },
        Refusal::ChangeRequestsOver => {
            new(E::ChangeRequestsOver, "the time to ask for changes of this offer is over")
        }
        Refusal::ContractExists => new(E::ContractExists, "another candidacy has a contract of this id"),
        Refusal::ContractOver => new(E::ContractOver, "this contract has ended"),
        Refusal::MemberExists => new(E::MemberExists, "this person is in the room already"),
        Refusal::NotAMember => new(E::NotAMember, "this person cannot be removed from the room"),
        Refusal::NotAMessage => new(E::NotAMessage, "the entry of this number is no message"),
        Refusal::NotTheAuthor => new(E::NotTheAuthor, "only its author changes a message"),
        Refusal::EditWindowOver => new(E::EditWindowOver, "the time to edit this message is over"),
        Refusal::Contact { spans, is_final } => contact(spans, *is_final),
        Refusal::AlreadyRedacted => new(E::AlreadyRedacted, "the text of this message was deleted"),
    }
}

fn contact(spans: &[ContactSpan], is_final: bool) -> ErrorBody {
    let kinds: BTreeSet<&str> = spans.iter().map(|span| span.kind.as_str()).collect();
    let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
    let (code, words) = match is_final {
        true => (ErrorCode::ContactRefused, "contact information is not allowed here yet"),
        false => {
            (ErrorCode::ContactUnconfirmed, "this gives away contact information; confirm that it is meant")
        }
    };
    ErrorBody { contact: Some(Box::new(spans.to_vec())), ..ErrorBody::new(code, format!("{words}: {kinds}")) }
}

fn account(standing: &Standing) -> ErrorBody {
    let (code, words) = match standing.status {
        UserStatus::Inactive => {
            (ErrorCode::AccountInactive, "your account is inactive: you can read, not write")
        }
        UserStatus::Suspended | UserStatus::Active => {
            (ErrorCode::AccountSuspended, "your account is suspended: you can read, not write")
        }
    };
    ErrorBody {
        status_reason: standing.reason.as_deref().map(Into::into),
        status_reversible: standing.reversible,
        status_next_step: standing.next_step.as_deref().map(Into::into),
        ..ErrorBody::new(code, words)
    }
}

/// The one answer for what does not exist and for what one may not see.
pub fn not_found() -> ErrorBody {
    ErrorBody::new(ErrorCode::NotFound, "there is nothing here, or nothing that you can see")
}

#[cfg(test)]
mod tests {
    use anteroom_protocol::id::RoomId;
    use anteroom_protocol::time::Time;
    use uuid::Uuid;

    use super::*;
    use crate::domain::log::Log;

    fn entry_with_take_home() -> LogEntry {
        let part = |json: &str| Part::Whole { salt: [7; 16], json: json.into() };
        LogEntry {
            log: Log::Room(RoomId(Uuid::from_u128(1))),
            seq: 4,
            kind: "terms.proposed".into(),
            at: Time::from_micros(0),
            by: None,
            client_id: None,
            hash: Hash::GENESIS,
            public: part(r#"{"amount":26664}"#),
            private: Some(part(r#"{"take_home":23998}"#)),
            policy: 1,
            amended_by: None,
        }
    }

    #[test]
    fn what_a_freelancer_takes_home_never_reaches_a_client() {
        let encoded = EncodedEntry::new(Arc::new(entry_with_take_home()));
        assert!(encoded.text(Audience::Freelancer).contains("23998"));
        assert!(!encoded.text(Audience::Client).contains("23998"));
        let page = entry_frame(encoded.entry(), Audience::Client, true);
        let text = serde_json::to_string(&page).expect("JSON");
        assert!(!text.contains("23998") && !text.contains("private_salt"), "{text}");
        assert!(text.contains("private_digest"), "the chain can still be computed: {text}");
    }

    #[test]
    fn an_entry_is_encoded_once_for_all_readers_of_an_audience() {
        let encoded = EncodedEntry::new(Arc::new(entry_with_take_home()));
        let first = encoded.text(Audience::Client);
        let second = encoded.text(Audience::Client);
        assert!(std::ptr::eq(first.as_str().as_ptr(), second.as_str().as_ptr()));
    }
}
