//! Why a command is refused by the rules. The words a client sees are made in `wire::to_wire`.

use anteroom_protocol::candidacy::Phase;
use anteroom_protocol::guard::ContactSpan;
use anteroom_protocol::log::Hash;

use crate::domain::user::Standing;

/// Why not. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It does not exist, or this actor may not know that it does.
    NotFound,
    /// The token's scope does not reach this.
    Forbidden,
    /// The account may read and not write.
    Account(Standing),
    /// A field is wrong.
    Invalid(String),
    /// A text is longer than its limit in bytes.
    TooLarge {
        /// Which field.
        field: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A freelancer does not write first on a proposal.
    ClientFirst,
    /// The candidacy is in this phase, as this actor sees it, and that does not allow the command.
    WrongPhase(Phase),
    /// It is the other side's to do.
    WrongSide,
    /// There is an open candidacy of this freelancer on this job.
    CandidacyExists,
    /// The job takes no candidates any more.
    JobNotOpen,
    /// The invitation's time is over.
    InvitationExpired,
    /// The time to take it out of the ledger is over.
    LedgerFinal,
    /// The terms have moved on since; this version is the newest now. 0: there is none.
    TermsStale {
        /// The newest version.
        version: u32,
        /// Its content hash.
        hash: Option<Hash>,
    },
    /// That version of the terms waits for no such answer.
    TermsNotPending,
    /// This side has proposed as many versions of the terms as it may.
    TermsLimit,
    /// A cover letter is never changed.
    CoverLetterFixed,
    /// The offer can be accepted no more: it was answered or taken back.
    OfferNotStanding,
    /// The offer's time is over.
    OfferExpired,
    /// Changes of the offer were asked for too often.
    ChangeRequestLimit {
        /// Milliseconds until one more can be asked for.
        wait_ms: u64,
    },
    /// The time in which changes of the offer can be asked for is over.
    ChangeRequestsOver,
    /// There is a contract of this id already.
    ContractExists,
    /// The contract has ended.
    ContractOver,
    /// This person is in the room already.
    MemberExists,
    /// This person is not in the room, or cannot be removed from it.
    NotAMember,
    /// What is to be amended is no message.
    NotAMessage,
    /// Only its author changes a message.
    NotTheAuthor,
    /// The time to edit it is over.
    EditWindowOver,
    /// Its text was deleted before.
    AlreadyRedacted,
    /// A text gives away contact information where that is not allowed.
    Contact {
        /// Where.
        spans: Vec<ContactSpan>,
        /// Whether it stays refused when its author means it.
        is_final: bool,
    },
}
