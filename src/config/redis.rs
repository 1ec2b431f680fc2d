//! Where the other nodes are met.

use std::path::PathBuf;

use config::ConfigError;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// The Redis over which nodes tell each other what was committed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Redis {
    /// `redis://` or, with TLS, `rediss://`, with the password if there is one: `rediss://:PASSWORD@HOST:6379/`. Absent: a single node.
    #[serde(skip_serializing)]
    pub url: Option<SecretString>,
    /// A PEM file with the certificates that are trusted instead of the machine's. Read at start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

impl Redis {
    /// Refuses what could be no Redis. The text does not repeat the URL, which may hold a password.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let url = self.url.as_ref().map(ExposeSecret::expose_secret);
        let with_tls = url.is_some_and(|url| url.starts_with("rediss://"));
        let why = match url {
            Some(url) if !with_tls && !url.starts_with("redis://") => {
                "redis.url begins with redis:// or, with TLS, with rediss://"
            }
            _ if self.ca.is_some() && !with_tls => "redis.ca is for a redis.url that begins with rediss://",
            _ => return Ok(()),
        };
        Err(ConfigError::Message(why.into()))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn load(url: Option<&'static str>, ca: Option<&'static str>) -> Result<Config, String> {
        let environment = |name: &str| match name {
            "ANTEROOM_REDIS__URL" => url.map(str::to_owned),
            "ANTEROOM_REDIS__CA" => ca.map(str::to_owned),
            _ => None,
        };
        Config::load(None, environment, &[]).map_err(|error| error.to_string())
    }

    #[test]
    fn the_url_of_redis_is_a_secret() {
        let config =
            load(Some("rediss://:hush-hush@redis.example/"), Some("ca.pem")).expect("a configuration");
        assert!(!config.show().contains("hush") && config.show().contains("ca.pem"), "{}", config.show());
        assert!(!format!("{config:?}").contains("hush"));
        assert!(load(None, None).expect("a single node").redis.url.is_none());
    }

    #[test]
    fn what_could_be_no_redis_is_refused_without_being_repeated() {
        for (url, ca) in [
            (Some("http://:hush-hush@redis.example/"), None),
            (Some("hush-hush"), None),
            (Some("redis://:hush-hush@redis.example/"), Some("ca.pem")),
            (None, Some("ca.pem")),
        ] {
            let error = load(url, ca).expect_err("refused");
            assert!(error.contains("redis.") && !error.contains("hush"), "{error}");
        }
    }
}
