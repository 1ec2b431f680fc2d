//! Webhooks: what an address is told, and what is made of its answers. How it is reached is no business of the domain.

pub mod health;

use anteroom_protocol::event::EventAudience;
use anteroom_protocol::id::{UserId, WebhookId};
use anteroom_protocol::limits;
use anteroom_protocol::time::Time;
use anteroom_protocol::webhook::{WebhookDraft, WebhookState, WebhookView};

pub use self::health::Health;
use crate::domain::refusal::Refusal;
use crate::domain::text;

/// What the marketplace says of a webhook, checked; but for its address, which is looked at where addresses are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub url: String,
    /// For whom.
    pub audience: EventAudience,
    /// What it is told; empty: everything.
    pub types: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// In whose inbox it is said when it is disabled.
    pub notify: Option<UserId>,
    /// Nothing is sent.
    pub paused: bool,
}

/// A webhook as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where, what and for whom.
    pub target: Target,
    /// Whether it is sent anything.
    pub state: WebhookState,
    /// Since when there is one of this id.
    pub made_at: Time,
    /// How often its secret was changed.
    pub rotations: u64,
    /// Until when the secret before signs as well.
    pub former_until: Option<Time>,
    /// How it is doing.
    pub health: Health,
    /// Why it is disabled.
    pub because: Option<String>,
    /// Logs that are held up.
    pub held_logs: u64,
    /// Events that it never took.
    pub parked: u64,
}

impl Target {
    /// Checks what the marketplace says.
    pub fn check(draft: WebhookDraft) -> Result<Self, Refusal> {
        let WebhookDraft { url, audience, types, description, notify, paused, after: _ } = draft;
        if url.len() > limits::URL_BYTES {
            return Err(Refusal::TooLarge { field: "url", limit: limits::URL_BYTES });
        }
        if types.len() > limits::WEBHOOK_TYPES {
            return Err(Refusal::Invalid(format!("types: at most {}", limits::WEBHOOK_TYPES)));
        }
        if let Some(wrong) = types.iter().find(|pattern| !is_pattern(pattern)) {
            let why = format!("types: {wrong:?} is no type, and no beginning of one with a * behind it");
            return Err(Refusal::Invalid(why));
        }
        if let Some(description) = &description {
            text::line("description", description, limits::TITLE_BYTES)?;
        }
        Ok(Self { url, audience, types, description, notify, paused })
    }

    /// Whether it is told events of this type.
    pub fn wants(&self, kind: &str) -> bool {
        self.types.is_empty()
            || self.types.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(beginning) => kind.starts_with(beginning),
                None => kind == pattern,
            })
    }
}

/// A type as events have it (words of small letters between dots), or the beginning of one and a `*`.
fn is_pattern(text: &str) -> bool {
    let named = text.strip_suffix('*').unwrap_or(text);
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'_';
    (1..=limits::TITLE_BYTES).contains(&text.len()) && named.bytes().all(fits)
}

impl Webhook {
    /// As it is shown.
    pub fn view(self) -> WebhookView {
        let Target { url, audience, types, description, notify, paused: _ } = self.target;
        let fails = self.health.failing_since.is_some() && self.state == WebhookState::Active;
        WebhookView {
            id: self.id,
            url,
            audience,
            types,
            description,
            notify,
            state: self.state,
            failing_since: self.health.failing_since,
            next_attempt_at: fails.then_some(self.health.next_at),
            disabled_because: self.because,
            held_logs: self.held_logs,
            parked: self.parked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(types: &[&str]) -> Result<Target, Refusal> {
        Target::check(WebhookDraft {
            url: "https://market.example/".into(),
            audience: EventAudience::Client,
            types: types.iter().map(|kind| (*kind).to_owned()).collect(),
            description: None,
            notify: None,
            paused: false,
            after: None,
        })
    }

    #[test]
    fn a_webhook_is_told_the_types_it_names_and_without_any_all() {
        let kind = "anteroom.inbox.invitation.sent.v1";
        for (types, wants) in [
            (&[][..], true),
            (&[kind], true),
            (&["*"], true),
            (&["anteroom.inbox.*"], true),
            (&["anteroom.room.*", "anteroom.inbox.invitation.s*"], true),
            (&["anteroom.room.*"], false),
            (&["anteroom.inbox.invitation.sent"], false),
            (&["anteroom.inbox.invitation.sent.v2"], false),
        ] {
            assert_eq!(target(types).expect("patterns").wants(kind), wants, "{types:?}");
        }
    }

    #[test]
    fn what_could_be_no_type_is_refused_by_name() {
        for wrong in ["", "anteroom inbox", "*.sent.v1", "anteroom.*.sent", "Anteroom.*", "anteroom.ünder.*"]
        {
            let refused = target(&[wrong]).expect_err(wrong);
            assert!(matches!(&refused, Refusal::Invalid(why) if why.contains(wrong)), "{refused:?}");
        }
    }
}
