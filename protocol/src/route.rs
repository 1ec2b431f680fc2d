//! Every HTTP route there is, in one table: how it is asked, by whom, with what, and what it answers.
//!
//! The rows of commands and markers come from their own tables. The router, the access tests and the documents are held to this one.

use crate::command::{Command, CommandSpec};
use crate::error::ErrorCode;
use crate::limits;
use crate::marker::{MARKS, MarkSpec};
use crate::transcript::Format;

/// How a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Changes nothing.
    Get,
    /// Makes or replaces what the path names.
    Put,
    /// Does something.
    Post,
}

impl Method {
    /// The word in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
        }
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Everybody, without a token.
    Anyone,
    /// A person: a token of the scope `user`.
    User,
    /// One of the marketplace's systems: a token of the scope `service`.
    Service,
    /// A person, or one of the marketplace's systems on behalf of one.
    UserOrService,
}

/// What a parameter of a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryKind {
    /// The number of an entry.
    Number,
    /// Items of a page: [`limits::PAGE_DEFAULT`] when absent, and never more than [`limits::PAGE_ITEMS`].
    Limit,
    /// `true` or `false`.
    Flag,
    /// Text of 1 to this many bytes.
    Text(usize),
    /// What an earlier answer gave. Opaque.
    Cursor,
    /// One value of this type.
    Type(&'static str),
}

/// One parameter of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuerySpec {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: QueryKind,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What it means, in one line.
    pub meaning: &'static str,
}

/// What a request brings in its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// The fields of the frame of this type. What the path names may be left out.
    Frame(&'static str),
    /// A value of this type, in JSON.
    Type(&'static str),
}

/// What a route answers when all went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// What the socket has in `ok.data` for the frame of this type.
    Frame(&'static str),
    /// A value of this type.
    Type(&'static str),
    /// A page of values of this type: `items`, and `next` when there are more.
    Page(&'static str),
    /// A file for its reader to keep: of one of these media types, as the query asks for.
    File(&'static [&'static str]),
    /// A word for an operator.
    Text,
    /// A document about this server, in JSON.
    Document,
    /// 101, and then the frames of the socket.
    Upgrade,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteSpec {
    /// How it is asked.
    pub method: Method,
    /// Its path. A part in braces stands for a value.
    pub path: &'static str,
    /// Its name, unique in the table. A command's route is named as the command is.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Who may call it.
    pub who: Who,
    /// What may stand in its query.
    pub query: &'static [QuerySpec],
    /// What its body is.
    pub body: Body,
    /// What it answers.
    pub answer: Answer,
    /// Whether it needs an `Idempotency-Key`.
    pub idempotency_key: bool,
    /// The refusals that belong to it alone; see [`RouteSpec::errors`].
    pub refusals: &'static [ErrorCode],
}

impl RouteSpec {
    /// The names of the parts of the path that stand for values.
    pub fn path_fields(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The codes it can answer, as far as they can be said beforehand, in the order of the table of errors. Any route can besides give
    /// those that say nothing of the request, such as `internal`.
    pub fn errors(&self) -> Vec<ErrorCode> {
        use ErrorCode as E;
        let mut codes = self.refusals.to_vec();
        let mut when = |applies: bool, more: &[ErrorCode]| codes.extend(more.iter().filter(|_| applies));
        let (guarded, changes) = (self.who != Who::Anyone, self.method != Method::Get);
        let socket = self.answer == Answer::Upgrade;
        when(guarded, &[E::Unauthenticated, E::TokenExpired, E::TokenRevoked, E::UnknownUser, E::Internal]);
        when(guarded && self.who != Who::UserOrService, &[E::Forbidden]);
        when(self.idempotency_key || self.path_fields().next().is_some(), &[E::NotFound]);
        when(self.body != Body::Empty || !self.query.is_empty() || socket, &[E::BadRequest]);
        when(self.body != Body::Empty, &[E::TooLarge]);
        when(self.idempotency_key, &[E::IdempotencyKeyRequired, E::ClientIdReused, E::LimitReached]);
        when(self.idempotency_key, &[E::AccountSuspended, E::AccountInactive]);
        when(matches!(self.who, Who::User | Who::UserOrService), &[E::RateLimited]);
        when(socket, &[E::OriginRefused, E::TlsRequired, E::TooManyConnections]);
        when(changes || socket || matches!(self.answer, Answer::File(_)), &[E::Busy]);
        when(changes, &[E::Unknown]);
        ErrorCode::ALL.iter().copied().filter(|code| codes.contains(code)).collect()
    }
}

/// Every route of the server but the files of the built-in page.
pub fn all() -> impl Iterator<Item = RouteSpec> {
    Command::ALL.iter().map(command).chain(MARKS.iter().map(mark)).chain(VIEWS.iter().copied())
}

fn command(spec: &'static CommandSpec) -> RouteSpec {
    RouteSpec {
        method: Method::Post,
        path: spec.path,
        name: spec.name,
        summary: spec.summary,
        who: match spec.name {
            "contract.form" | "contract.end" | "invitation.remove" => Who::Service,
            "invitation.send" | "member.add" | "member.remove" | "candidacy.reopen" => Who::UserOrService,
            _ => Who::User,
        },
        query: &[],
        body: Body::Frame(spec.name),
        answer: Answer::Frame(spec.name),
        idempotency_key: true,
        refusals: spec.refusals,
    }
}

fn mark(spec: &'static MarkSpec) -> RouteSpec {
    RouteSpec {
        method: Method::Post,
        path: spec.path,
        name: spec.name,
        summary: spec.summary,
        who: Who::User,
        query: &[],
        body: Body::Frame(spec.name),
        answer: Answer::Frame(spec.name),
        idempotency_key: false,
        refusals: &[],
    }
}

const fn get(path: &'static str, name: &'static str, summary: &'static str, answer: Answer) -> RouteSpec {
    RouteSpec {
        method: Method::Get,
        path,
        name,
        summary,
        who: Who::User,
        query: &[],
        body: Body::Empty,
        answer,
        idempotency_key: false,
        refusals: &[],
    }
}

const fn of_the_service(route: RouteSpec) -> RouteSpec {
    RouteSpec { who: Who::Service, ..route }
}

const fn put(
    path: &'static str,
    name: &'static str,
    summary: &'static str,
    (body, answer): (&'static str, &'static str),
) -> RouteSpec {
    let told = RouteSpec {
        method: Method::Put,
        body: Body::Type(body),
        ..get(path, name, summary, Answer::Type(answer))
    };
    of_the_service(told)
}

const fn open(path: &'static str, name: &'static str, summary: &'static str, answer: Answer) -> RouteSpec {
    RouteSpec { who: Who::Anyone, ..get(path, name, summary, answer) }
}

const fn asked(query: &'static [QuerySpec], route: RouteSpec) -> RouteSpec {
    RouteSpec { query, ..route }
}

const fn parameter(name: &'static str, kind: QueryKind, meaning: &'static str) -> QuerySpec {
    QuerySpec { name, kind, required: false, meaning }
}

const LIMIT: QuerySpec = parameter("limit", QueryKind::Limit, "How many items the page has at most.");
const BEFORE: QuerySpec = parameter("before", QueryKind::Cursor, "The `next` of the page before.");
const STATUS: QuerySpec =
    parameter("status", QueryKind::Type("InvitationStatus"), "Only those that stand like this.");
const MARK: QuerySpec =
    parameter("mark", QueryKind::Type("ClientMark"), "Only those of one's jobs that one has sorted so.");
const SIDE: QuerySpec = parameter("side", QueryKind::Type("Side"), "One's side; absent: freelancer.");
const PHASE: QuerySpec = parameter("phase", QueryKind::Type("Phase"), "Only those in this phase.");

/// The routes that are neither a command's nor a marker's.
const VIEWS: &[RouteSpec] = &[
    get("/v1/me", "me", "Who one is, as the marketplace tells.", Answer::Type("UserView")),
    asked(
        &[SIDE, BEFORE, LIMIT],
        get("/v1/me/ledger", "ledger", "One's own ledger, newest first.", Answer::Type("LedgerPage")),
    ),
    asked(
        &[LIMIT],
        get("/v1/jobs", "jobs", "Open jobs, newest first, and one's own.", Answer::Page("JobView")),
    ),
    get("/v1/jobs/{job}", "job", "One job.", Answer::Type("JobView")),
    asked(
        &[
            BEFORE,
            LIMIT,
            parameter("candidacy", QueryKind::Type("CandidacyId"), "Only the room of this candidacy."),
            parameter("proposal", QueryKind::Type("ProposalId"), "Only the room of this proposal."),
            parameter("offer", QueryKind::Type("OfferId"), "Only the room of this offer."),
            parameter("contract", QueryKind::Text(64), "Only the room of this contract."),
        ],
        get("/v1/rooms", "rooms", "The rooms one is a member of, newest first.", Answer::Page("RoomView")),
    ),
    get("/v1/rooms/{room}", "room", "One room.", Answer::Type("RoomView")),
    asked(
        &[
            parameter("after", QueryKind::Number, "Entries behind it, the lowest first. Not with `before`."),
            parameter("before", QueryKind::Number, "The last entries below this number. Not with `after`."),
            LIMIT,
            parameter("proof", QueryKind::Flag, "Whether each entry brings what the chain takes."),
        ],
        get(
            "/v1/rooms/{room}/entries",
            "entries",
            "A stretch of a log by rising number; without `after` and `before` the newest.",
            Answer::Type("EntryPage"),
        ),
    ),
    asked(
        &[parameter(
            "format",
            QueryKind::Type("TranscriptFormat"),
            "`jsonl`, which can be verified, or `html`, which can be read and printed; absent: `jsonl`.",
        )],
        get(
            "/v1/rooms/{room}/transcript",
            "transcript",
            "A room's whole log as a signed file, for the eyes of one's own side.",
            Answer::File(&[Format::Jsonl.media_type(), Format::Html.media_type()]),
        ),
    ),
    asked(
        &[parameter("after", QueryKind::Cursor, "The cursor of the last answer; absent: every log."), LIMIT],
        get("/v1/changes", "changes", "Which logs have grown since a cursor.", Answer::Type("Changes")),
    ),
    asked(
        &[
            QuerySpec {
                required: true,
                ..parameter(
                    "q",
                    QueryKind::Text(limits::SEARCH_BYTES),
                    "The words a message has to have; the last one may be the beginning of a word.",
                )
            },
            parameter("room", QueryKind::Type("RoomRef"), "Only in this room; absent: in all of one's own."),
            BEFORE,
            LIMIT,
        ],
        get("/v1/search", "search", "Messages with these words, newest first.", Answer::Type("SearchPage")),
    ),
    asked(
        &[STATUS, BEFORE, LIMIT],
        get(
            "/v1/invitations",
            "invitations",
            "One's invitations, newest first.",
            Answer::Page("InvitationView"),
        ),
    ),
    get("/v1/invitations/{invitation}", "invitation", "One invitation.", Answer::Type("InvitationView")),
    asked(
        &[PHASE, BEFORE, LIMIT],
        get("/v1/proposals", "proposals", "One's proposals, newest first.", Answer::Page("ProposalView")),
    ),
    get("/v1/proposals/{proposal}", "proposal", "One proposal.", Answer::Type("ProposalView")),
    asked(
        &[PHASE, MARK, BEFORE, LIMIT],
        get(
            "/v1/candidacies",
            "candidacies",
            "One's candidacies, newest first.",
            Answer::Page("CandidacyView"),
        ),
    ),
    get("/v1/candidacies/{candidacy}", "candidacy", "One candidacy.", Answer::Type("CandidacyView")),
    get(
        "/v1/candidacies/{candidacy}/terms",
        "terms",
        "Every version of a candidacy's terms, newest first.",
        Answer::Page("TermsView"),
    ),
    of_the_service(asked(
        &[BEFORE, LIMIT],
        get("/v1/reports", "reports", "What people have reported, newest first.", Answer::Page("ReportView")),
    )),
    get("/v1/offers/{offer}", "offer", "One offer.", Answer::Type("OfferView")),
    of_the_service(asked(
        &[BEFORE, LIMIT],
        get("/v1/contracts", "contracts", "All contracts, newest first.", Answer::Page("ContractView")),
    )),
    get("/v1/contracts/{contract}", "contract", "One contract and its seal.", Answer::Type("ContractView")),
    open("/v1/keys", "keys", "The keys that seals and transcripts are verified with.", Answer::Type("Keys")),
    RouteSpec {
        who: Who::UserOrService,
        refusals: &[ErrorCode::Forbidden],
        ..get("/v1/users/{user}/profile", "profile", "What all see of a person.", Answer::Type("ProfileView"))
    },
    put("/v1/users/{user}", "put_user", "Tell of a person.", ("UserProfile", "UserView")),
    of_the_service(RouteSpec {
        method: Method::Post,
        ..get(
            "/v1/users/{user}/revoke",
            "revoke",
            "Take back every token of a person that was issued before now.",
            Answer::Type("UserView"),
        )
    }),
    put("/v1/jobs/{job}", "put_job", "Tell of a job.", ("JobPosting", "JobView")),
    put(
        "/v1/fee-schedules/{schedule}",
        "put_fee_schedule",
        "Tell how fees are computed.",
        ("FeeSchedule", "FeeScheduleView"),
    ),
    put(
        "/v1/billings/{client}/{freelancer}",
        "put_billing",
        "Tell how much a client was charged for a freelancer so far.",
        ("Billing", "BillingView"),
    ),
    open("/v1/ws", "socket", "Open the socket: see `/asyncapi.json`.", Answer::Upgrade),
    open("/livez", "livez", "Whether the process turns.", Answer::Text),
    open("/readyz", "readyz", "Whether the database can be written.", Answer::Text),
    open("/openapi.json", "openapi", "The routes, as OpenAPI 3.1.", Answer::Document),
    open("/asyncapi.json", "asyncapi", "The frames of the socket, as AsyncAPI 3.0.", Answer::Document),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_a_name_and_a_place_of_its_own() {
        let routes: Vec<_> = all().collect();
        for (at, route) in routes.iter().enumerate() {
            for other in &routes[at + 1..] {
                assert_ne!(route.name, other.name);
                assert_ne!((route.method, route.path), (other.method, other.path));
            }
        }
    }

    #[test]
    fn every_route_says_what_it_does_and_what_it_refuses() {
        for route in all() {
            assert!(route.summary.ends_with('.') && route.summary.len() < 100, "{}", route.name);
            let errors = route.errors();
            assert!(route.refusals.iter().all(|code| errors.contains(code)), "{}", route.name);
        }
    }
}
