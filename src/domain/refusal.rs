//! Why a command is refused by the rules. The words a client sees are made in `wire::to_wire`.

use anteroom_protocol::candidacy::Phase;

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
    /// What is to be amended is no message.
    NotAMessage,
    /// Only its author changes a message.
    NotTheAuthor,
    /// The time to edit it is over.
    EditWindowOver,
    /// Its text was deleted before.
    AlreadyRedacted,
}
