//! The one table of errors a client can see: code, whether a retry makes sense, HTTP status.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::guard::ContactSpan;
use crate::id::ClientId;
#[cfg(doc)]
use crate::limits;

macro_rules! errors {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $status:literal, $retryable:literal;)*) => {
        /// What went wrong, in a word that never changes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum ErrorCode {
            $($(#[doc = $doc])* #[serde(rename = $code)] $variant,)*
        }

        impl ErrorCode {
            /// The table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What it means, in one line.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc,)*).trim_ascii(),)* }
            }

            /// The status of an HTTP answer with this code.
            pub fn http_status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// Whether the same request may succeed later, unchanged.
            pub fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)* }
            }
        }
    };
}

errors! {
    /// The text is not a frame: not JSON, no object, no `type`.
    BadFrame = "bad_frame", 400, false;
    /// No frame or route has this name.
    UnknownType = "unknown_type", 404, false;
    /// A field is missing or wrong; `message` says which.
    BadRequest = "bad_request", 400, false;
    /// A text or a body is above its limit.
    TooLarge = "too_large", 413, false;
    /// A command over HTTP without `Idempotency-Key`, or with one that is not a UUID.
    IdempotencyKeyRequired = "idempotency_key_required", 400, false;
    /// No token, or one that is not valid.
    Unauthenticated = "unauthenticated", 401, false;
    /// The token has ended.
    TokenExpired = "token_expired", 401, false;
    /// The token was taken back, with all that were issued before that moment.
    TokenRevoked = "token_revoked", 401, false;
    /// The token's `sub` is nobody the marketplace has told of.
    UnknownUser = "unknown_user", 401, false;
    /// The token's scope does not reach this.
    Forbidden = "forbidden", 403, false;
    /// The account is suspended: it may read, not write.
    AccountSuspended = "account_suspended", 403, false;
    /// The account is inactive: it may read, not write.
    AccountInactive = "account_inactive", 403, false;
    /// A page of an origin that the operator has not listed asks for a socket.
    OriginRefused = "origin_refused", 403, false;
    /// A socket is asked for over a connection that others can read along; come over TLS.
    TlsRequired = "tls_required", 403, false;
    /// It does not exist, or you may not know that it does.
    NotFound = "not_found", 404, false;
    /// The `client_id` already stands for another command.
    ClientIdReused = "client_id_reused", 409, false;
    /// A freelancer does not write first on a proposal.
    ClientFirst = "client_first", 409, false;
    /// The candidacy's phase does not allow it; `phase` says which it is.
    WrongPhase = "wrong_phase", 409, false;
    /// It is the other side's to do.
    WrongSide = "wrong_side", 403, false;
    /// There is an open candidacy of this freelancer on this job already.
    CandidacyExists = "candidacy_exists", 409, false;
    /// The job takes no candidates any more.
    JobNotOpen = "job_not_open", 409, false;
    /// The invitation's time is over.
    InvitationExpired = "invitation_expired", 409, false;
    /// The time to take it out of the ledger is over: its verdict is final.
    LedgerFinal = "ledger_final", 409, false;
    /// The terms have moved on since; `current_version` and `current_hash` say to what.
    TermsStale = "terms_stale", 409, false;
    /// That version of the terms waits for no such answer: it was answered, replaced, taken back, or its time is over.
    TermsNotPending = "terms_not_pending", 409, false;
    /// A cover letter is never changed.
    CoverLetterFixed = "cover_letter_fixed", 409, false;
    /// This side has proposed as many versions of the terms as it may.
    TermsLimit = "terms_limit", 409, false;
    /// The offer can be accepted no more, nor changed: it was answered or taken back.
    OfferNotStanding = "offer_not_standing", 409, false;
    /// The offer's time is over.
    OfferExpired = "offer_expired", 409, false;
    /// Changes of the offer were asked for too often: ask again after `retry_after_ms`.
    ChangeRequestLimit = "change_request_limit", 429, true;
    /// The time in which changes of the offer can be asked for is over.
    ChangeRequestsOver = "change_requests_over", 409, false;
    /// There is a contract of this id already.
    ContractExists = "contract_exists", 409, false;
    /// The contract has ended.
    ContractOver = "contract_over", 409, false;
    /// This person is in the room already.
    MemberExists = "member_exists", 409, false;
    /// This person is not in the room, or is one of the two whose candidacy it is.
    NotAMember = "not_a_member", 409, false;
    /// The number names an entry that is no message.
    NotAMessage = "not_a_message", 409, false;
    /// Only its author changes a message.
    NotTheAuthor = "not_the_author", 403, false;
    /// The time in which a message can be edited is over.
    EditWindowOver = "edit_window_over", 409, false;
    /// The text of this message was deleted before.
    AlreadyRedacted = "already_redacted", 409, false;
    /// A text gives away contact information, which is not allowed here; `contact` says where.
    ContactRefused = "contact_refused", 422, false;
    /// A text gives away contact information; `contact` says where. Who means it all the same sends it again with `confirmed`.
    ContactUnconfirmed = "contact_unconfirmed", 409, false;
    /// The address is none that this server connects to: not HTTPS, or not one that everybody can reach.
    AddressRefused = "address_refused", 422, false;
    /// `hello` has not been said, or has been said twice.
    OutOfTurn = "out_of_turn", 400, false;
    /// A bound was reached; `message` names it.
    LimitReached = "limit_reached", 429, false;
    /// Too many sockets come from this address, or too many that have not said hello: come back after `retry_after_ms`.
    TooManyConnections = "too_many_connections", 429, true;
    /// More requests or commands of this person than the operator allows: come back after `retry_after_ms`.
    RateLimited = "rate_limited", 429, true;
    /// An earlier post of this socket to this room failed and was not sent again; `held_by` names it.
    Held = "held", 409, true;
    /// The server has more to do than it can: come back after `retry_after_ms`.
    Busy = "busy", 503, true;
    /// Whether it was done is not known: send it again under the same `client_id` to learn it.
    Unknown = "unknown", 503, true;
    /// The server failed at something that is not the client's doing.
    Internal = "internal", 500, true;
}

/// Bytes of an error's `message`. Some quote what the client wrote, and an answer is never much longer for it.
pub const MESSAGE_BYTES: usize = 512;

/// Why something was not done: `error` in a frame, and the heart of a problem document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// The word of the table.
    pub code: ErrorCode,
    /// The same for a person.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// When to try again, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// With `wrong_phase`: the phase the candidacy is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<crate::candidacy::Phase>,
    /// With `terms_stale`: what the terms are by now.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub current: Option<Box<CurrentTerms>>,
    /// With `contact_refused` and `contact_unconfirmed`: what gives away how to reach somebody, at most [`limits::CONTACT_SPANS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Box<Vec<ContactSpan>>>,
    /// With `held`: the command that has to be sent again first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_by: Option<ClientId>,
    /// With `account_suspended` and `account_inactive`: why, in the marketplace's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<Box<str>>,
    /// With the same: whether that can be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_reversible: Option<bool>,
    /// With the same: what the person can do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status_next_step: Option<Box<str>>,
}

/// The newest version of the terms, for somebody who has not seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CurrentTerms {
    /// Its number; 0: there is none.
    pub current_version: u32,
    /// Its content hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_hash: Option<crate::log::Hash>,
}

impl ErrorBody {
    /// The error of this code with this explanation, cut off at [`MESSAGE_BYTES`].
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        const CUT: &str = "…";
        let mut message = message.into();
        if message.len() > MESSAGE_BYTES {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES - CUT.len()));
            message.push_str(CUT);
        }
        Self {
            code,
            message,
            retryable: code.retryable(),
            retry_after_ms: None,
            phase: None,
            current: None,
            contact: None,
            held_by: None,
            status_reason: None,
            status_reversible: None,
            status_next_step: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_same_word_in_the_table_and_in_json() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("a word"), code.as_str());
        }
    }

    /// A field of the wrong type is quoted by the JSON library, with escapes, whatever its length: a frame of 16 KiB was once answered
    /// with seven times as much.
    #[test]
    fn regression_the_answer_to_a_long_mistake_is_short() {
        let words = "\u{7f}".repeat(16_000);
        let frame = format!(r#"{{"type":"ping","heads":"{words}"}}"#);
        let error = crate::client::decode(&frame).expect_err("heads are an object");
        let body = ErrorBody::new(error.code, error.detail);
        let answer = serde_json::to_string(&body).expect("JSON");
        assert!(answer.len() < 1_000, "{} bytes", answer.len());
        assert!(body.message.starts_with("ping: ") && body.message.ends_with('…'), "{}", body.message);
        for whole in ["", "x".repeat(MESSAGE_BYTES).as_str(), "ä".repeat(MESSAGE_BYTES / 2).as_str()] {
            assert_eq!(ErrorBody::new(ErrorCode::BadRequest, whole).message, whole);
        }
        let cut = ErrorBody::new(ErrorCode::BadRequest, "日".repeat(200)).message;
        assert!(cut.len() <= MESSAGE_BYTES && cut.ends_with("日…"), "{cut}");
    }
}
