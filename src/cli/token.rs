//! `anteroom token`: a token for trying things out, made as the marketplace would make it.

use std::process::ExitCode;

use anteroom::app::identity::parse_scope;
use anteroom::clock::{Clock, SystemClock};
use anteroom::config::Config;
use anteroom::domain::actor::{Actor, Scope};
use anteroom::server::identity;
use anteroom::start::{self, StartCode, StartError};
use anteroom_protocol::id::UserId;
use clap::Args;

use super::say;

#[derive(Args)]
pub(super) struct Token {
    /// Whose token: a user's id, or the name of a service.
    #[arg(long)]
    sub: UserId,
    /// What it allows: user, service or staff.
    #[arg(long, default_value = "user", value_parser = |word: &str| parse_scope(word).ok_or("user, service or staff"))]
    scope: Scope,
    /// How long it holds.
    #[arg(long, default_value_t = 3600)]
    ttl_seconds: u32,
}

impl Token {
    pub(super) fn run(self, config: &Config) -> Result<ExitCode, StartError> {
        // Where a server would listen is nothing to a token.
        let mut wrong = start::check_values(config).into_iter();
        if let Some(wrong) = wrong.find(|wrong| wrong.code == StartCode::SecretTooShort) {
            return Err(wrong);
        }
        let actor = Actor { user: self.sub, scope: self.scope };
        let token = identity(config)?.issue(&actor, SystemClock.now(), self.ttl_seconds);
        say(&format!("{}\n", token.map_err(StartError::other)?))
    }
}
