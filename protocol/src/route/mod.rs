//! Every HTTP route there is, in one table: how it is asked, by whom, with what, and what it answers.
//!
//! The rows of commands and markers come from their own tables. The router, the access tests and the documents are held to this one.

mod views;

use self::views::VIEWS;
use crate::command::{Command, CommandSpec};
use crate::error::ErrorCode;
#[cfg(doc)]
use crate::limits;
use crate::marker::{MARKS, MarkSpec};

/// How a route is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Changes nothing.
    Get,
    /// Makes or replaces what the path names.
    Put,
    /// Does something.
    Post,
    /// Takes away what the path names.
    Delete,
}

impl Method {
    /// The word in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
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
