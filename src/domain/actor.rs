//! Who acts, and with what reach.

use anteroom_protocol::id::UserId;

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A person, for that person alone.
    User,
    /// The marketplace's own systems.
    Service,
    /// The marketplace's staff.
    Staff,
}

/// Who acts: the `sub` and `scope` of a verified token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The person, or the name of the service.
    pub user: UserId,
    /// What the token allows.
    pub scope: Scope,
}

impl Actor {
    /// The name under which this actor's client ids are unique. A slash cannot stand in a user's id, so a service never meets a
    /// user of the same name.
    pub fn key(&self) -> String {
        match self.scope {
            Scope::User => self.user.to_string(),
            Scope::Service => format!("service/{}", self.user),
            Scope::Staff => format!("staff/{}", self.user),
        }
    }
}
