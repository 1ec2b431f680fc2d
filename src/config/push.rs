//! Push notifications to browsers.

use config::ConfigError;
use serde::{Deserialize, Serialize};

/// Which push services are pushed to, and who answers to them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Push {
    /// `mailto:` or `https://`: whom a push service asks when something is wrong with what it is sent. Some take nothing without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The hosts of push services: each by its name, or all below one (`*.push.example`). People name the address that is posted to, and nobody else's is.
    pub services: Vec<String>,
}

impl Default for Push {
    fn default() -> Self {
        let services =
            ["fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com"];
        Self { contact: None, services: services.map(str::to_owned).to_vec() }
    }
}

impl Push {
    /// Refuses a contact that no push service understands.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match &self.contact {
            Some(contact) if !contact.starts_with("mailto:") && !contact.starts_with("https://") => {
                Err(ConfigError::Message("push.contact begins with mailto: or https://".into()))
            }
            _ => Ok(()),
        }
    }
}
