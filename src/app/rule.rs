//! From a command that changes a case to the rule that decides it: which case it is about, and what the domain makes of it. Pure: no
//! server, no database, so that tests decide by the very same rules.

use anteroom_protocol::command::Command;
use anteroom_protocol::id::CandidacyId;
use anteroom_protocol::limits;
use anteroom_protocol::terms::Terms;

use super::{candidacy, contract, invitation, ledger, member, offer, proposal, report, terms};
use crate::domain::actor::Actor;
use crate::domain::candidacy::{Case, Context, Decision, is_open};
use crate::domain::guard::Said;
use crate::domain::refusal::Refusal;
use crate::store::CaseKey;

/// Decides a command on its case as it is.
pub type Decide = Box<dyn Fn(Case, &Context) -> Result<Decision, Refusal> + Send + Sync>;

/// Which cases a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// One, and what is refused is the command.
    One(CaseKey),
    /// Several, each for itself.
    Each(Vec<CandidacyId>),
}

/// The rule of one command.
pub struct Rule {
    /// Which cases it is about.
    pub about: About,
    /// What is decided.
    pub decide: Decide,
}

impl Rule {
    /// A rule about this case.
    ///
    /// # Errors
    /// None: it stands behind what can be refused before the case is known.
    pub fn of(
        key: CaseKey,
        decide: impl Fn(Case, &Context) -> Result<Decision, Refusal> + Send + Sync + 'static,
    ) -> Result<Self, Refusal> {
        Ok(Self { about: About::One(key), decide: Box::new(decide) })
    }

    /// The same rule, and what is said under it is judged: in the phase that it brings about, or, when it ends the candidacy, in the
    /// phase that it ends.
    fn guarded(self, said: Said) -> Self {
        let Self { about, decide } = self;
        let judged = move |case: Case, context: &Context| {
            let before = case.candidacy.as_ref().map(|candidacy| candidacy.phase);
            let decision = decide(case, context)?;
            let after = decision.case.candidacy.as_ref().map(|candidacy| candidacy.phase);
            if let Some(phase) = after.filter(|phase| is_open(*phase)).or(before) {
                said.must_be_allowed(phase, &context.policy.contact)?;
            }
            Ok(decision)
        };
        Self { about, decide: Box::new(judged) }
    }

    /// A rule about each of these.
    ///
    /// # Errors
    /// None are named, or too many.
    pub fn of_each(
        candidacies: Vec<CandidacyId>,
        decide: impl Fn(Case, &Context) -> Result<Decision, Refusal> + Send + Sync + 'static,
    ) -> Result<Self, Refusal> {
        if candidacies.is_empty() || candidacies.len() > limits::CANDIDACIES {
            return Err(Refusal::Invalid(format!("candidacies: must be 1 to {}", limits::CANDIDACIES)));
        }
        Ok(Self { about: About::Each(candidacies), decide: Box::new(decide) })
    }
}

/// The rule of a command that changes a case; its author may have confirmed that contact information in it is meant.
///
/// # Errors
/// What can be refused without a look at the case; and a command that writes into one log alone, which has no such rule.
pub fn rule(actor: &Actor, command: Command, confirmed: bool) -> Result<Rule, Refusal> {
    let said = Said::of(&command, confirmed);
    Ok(unguarded(actor, command)?.guarded(said))
}

fn unguarded(actor: &Actor, command: Command) -> Result<Rule, Refusal> {
    match command {
        Command::InvitationSend(command) => invitation::send(command),
        Command::InvitationAccept(command) => invitation::accept(command),
        Command::InvitationDecline(command) => invitation::decline(command),
        Command::InvitationArchive(command) => invitation::archive(&command),
        Command::InvitationWithdraw(command) => invitation::withdraw(&command),
        Command::InvitationRetract(command) => ledger::retract(&command),
        Command::ProposalSubmit(command) => proposal::submit(actor, command),
        Command::ProposalAnswer(command) => proposal::answer(command),
        Command::ProposalDecline(command) => proposal::decline(&command),
        Command::ProposalWithdraw(command) => proposal::withdraw(&command),
        Command::CandidacyDecline(command) => candidacy::decline(&command),
        Command::CandidacyWithdraw(command) => candidacy::withdraw(&command),
        Command::CandidacyReopen(command) => candidacy::reopen(&command),
        Command::CandidaciesDecline(command) => candidacy::decline_each(command),
        Command::CandidaciesMark(command) => candidacy::mark_each(command),
        Command::ProposalArchive(command) => proposal::archive(&command),
        Command::InvitationReport(command) => report::invitation(command),
        Command::InvitationRemove(command) => invitation::remove(&command),
        Command::MessageReport(command) => report::message(command),
        Command::MemberAdd(command) => member::add(command),
        Command::MemberRemove(command) => member::remove(command),
        Command::TermsPropose(command) => terms::propose(command),
        Command::TermsAccept(command) => terms::accept(&command),
        Command::TermsDecline(command) => terms::decline(&command),
        Command::TermsWithdraw(command) => terms::withdraw(&command),
        Command::TermsAcknowledge(command) => terms::acknowledge(&command),
        Command::OfferMake(command) => offer::make(&command),
        Command::OfferChange(command) => offer::change(&command),
        Command::OfferRequestChange(command) => offer::request_change(command),
        Command::OfferWithdraw(command) => offer::withdraw(command),
        Command::OfferDecline(command) => offer::decline(command),
        Command::OfferAccept(command) => offer::accept(&command),
        Command::ContractForm(command) => contract::form(command),
        Command::ContractEnd(command) => contract::end(command),
        Command::MessagePost(_) | Command::MessageEdit(_) | Command::MessageRedact(_) => {
            Err(Refusal::Invalid("type: a message changes no case".into()))
        }
    }
}

/// Terms with the newest version their author has seen: they go together.
///
/// # Errors
/// One without the other.
pub fn seen(terms: Option<Terms>, expected_version: Option<u32>) -> Result<Option<(Terms, u32)>, Refusal> {
    match (terms, expected_version) {
        (Some(terms), Some(version)) => Ok(Some((terms, version))),
        (None, None) => Ok(None),
        _ => Err(Refusal::Invalid("expected_version: goes with terms, and terms with it".into())),
    }
}
