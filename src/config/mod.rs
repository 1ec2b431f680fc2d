//! Configuration: flag over environment over TOML file over default. This is the only reader of the environment.
//!
//! The variable of a key is `ANTEROOM_` and its path in capitals with `__` for the dot: `auth.secret` is `ANTEROOM_AUTH__SECRET`.
//! Variables that name no key are left alone, so that scripts may have their own.

mod auth;
mod database;
mod limits;
mod outbound;
mod policy;
mod push;
mod redis;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use self::auth::{Algorithm, Auth, Issuer};
pub use self::database::Database;
pub use self::limits::Limits;
pub use self::outbound::Outbound;
pub use self::push::Push;
pub use self::redis::Redis;
pub use config::ConfigError;
use config::builder::DefaultState;
use config::{ConfigBuilder, File, FileFormat};
use ipnet::IpNet;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::policy::Policy;

/// Everything an operator can set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where HTTP and WebSocket are served.
    pub listen: SocketAddr,
    /// Where `/metrics` is served; it shows figures to whoever can reach it. Absent: loopback, on the port after that of `listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// TLS on `listen`. Without it, sockets are served to this machine and behind the `trusted_proxies` only.
    pub tls: Tls,
    /// Pages from elsewhere that may open sockets and use `/v1`, as browsers write their origins: `https://market.example`. The pages
    /// of this server itself need no entry.
    #[serde(deserialize_with = "origins")]
    pub origins: Vec<String>,
    /// Proxies, as addresses or networks, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed. Nobody else's are.
    #[serde(deserialize_with = "proxies")]
    pub trusted_proxies: Vec<IpNet>,
    /// Where the embedded database and the development secret are kept.
    pub data_dir: PathBuf,
    /// The database that many nodes share.
    pub database: Database,
    /// Whether to seed and print the demo. Only with the development secret.
    pub demo: bool,
    /// What is logged, in the form of `RUST_LOG`.
    pub log: String,
    /// The longest time over which sockets are told to come back when the server goes down, in seconds, up to an hour. 0: every
    /// socket is closed at once.
    pub drain_seconds: u32,
    /// Identity.
    pub auth: Auth,
    /// Signatures.
    pub signing: Signing,
    /// The other nodes.
    pub redis: Redis,
    /// Whom is posted to.
    pub outbound: Outbound,
    /// Push notifications.
    pub push: Push,
    /// What marketplaces decide differently.
    pub policy: Policy,
    /// The bounds an operator sets. Those that are part of the wire are in the protocol.
    pub limits: Limits,
}

/// What the listener proves itself with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// A PEM file with the certificate, and those between it and the one that clients trust. Read at start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// A PEM file with its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

/// Bytes of a secret, at least.
pub const SECRET_BYTES: usize = 32;

/// What seals and transcripts are signed with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Signing {
    /// At least 32 bytes. Goes into the signing key together with random bytes that the database keeps. Another secret makes another key; what was signed
    /// before is still verified with the old one, which `/v1/keys` goes on to tell. The same on every node.
    #[serde(skip_serializing)]
    pub secret: Option<SecretString>,
}

impl Signing {
    /// Refuses a secret that could be guessed.
    fn check(&self) -> Result<(), ConfigError> {
        match &self.secret {
            Some(secret) if secret.expose_secret().len() < SECRET_BYTES => {
                Err(ConfigError::Message(format!("signing.secret needs {SECRET_BYTES} bytes at least")))
            }
            _ => Ok(()),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            listen: SocketAddr::new(loopback, 8080),
            metrics_listen: None,
            tls: Tls::default(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
            data_dir: PathBuf::from("anteroom-data"),
            database: Database::default(),
            demo: true,
            log: "info".into(),
            drain_seconds: 60,
            auth: Auth::default(),
            signing: Signing::default(),
            redis: Redis::default(),
            outbound: Outbound::default(),
            push: Push::default(),
            policy: Policy::default(),
            limits: Limits::default(),
        }
    }
}

/// The longest drain that can be set, in seconds.
const DRAIN_SECONDS: u32 = 3_600;

/// Every key, for the environment and for `config show`.
pub const KEYS: [&str; 62] = [
    "listen",
    "metrics_listen",
    "tls.certificate",
    "tls.key",
    "origins",
    "trusted_proxies",
    "data_dir",
    "database.url",
    "database.writers",
    "database.readers",
    "demo",
    "log",
    "drain_seconds",
    "auth.secret",
    "auth.issuer",
    "auth.audience",
    "auth.algorithm",
    "auth.jwks_url",
    "auth.jwks_stale_seconds",
    "signing.secret",
    "redis.url",
    "redis.ca",
    "redis.tick_ms",
    "outbound.allow",
    "outbound.ca",
    "push.contact",
    "push.services",
    "policy.version",
    "policy.invitation_days",
    "policy.edit_minutes",
    "policy.proposal_answer_days",
    "policy.response_days",
    "policy.response_final_hours",
    "policy.response_minimum",
    "policy.counter_days",
    "policy.terms_versions",
    "policy.offer_days",
    "policy.change_request_days",
    "policy.change_requests_per_hour",
    "policy.push_delay_seconds",
    "policy.counter_ends_offer",
    "policy.contact",
    "policy.contact.invited",
    "policy.contact.submitted",
    "policy.contact.active",
    "policy.contact.offered",
    "policy.contact.hired",
    "limits.connections",
    "limits.handshakes",
    "limits.sockets_per_address",
    "limits.greeting_per_address",
    "limits.resumes",
    "limits.transcripts",
    "limits.sockets_per_user",
    "limits.socket_frames",
    "limits.commands_per_second",
    "limits.commands_burst",
    "limits.requests_per_second",
    "limits.requests_burst",
    "limits.outbox_bytes",
    "limits.writer_queue",
    "limits.commit_batch",
];

/// Keys whose value is a list: in a variable, its items stand between commas.
const LISTS: [&str; 4] = ["origins", "trusted_proxies", "outbound.allow", "push.services"];

/// The environment variable of a key.
pub fn variable(key: &str) -> String {
    format!("ANTEROOM_{}", key.replace('.', "__").to_uppercase())
}

impl Config {
    /// Reads the configuration: defaults, then the file, then the environment, then the flags (key and value).
    ///
    /// # Errors
    /// A key that does not exist, or a value that does not fit; the text names it.
    pub fn load(
        file: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let mut builder: ConfigBuilder<DefaultState> = config::Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml).required(true));
        }
        for key in KEYS {
            if let Some(value) = environment(&variable(key)) {
                builder = if LISTS.contains(&key) {
                    builder.set_override(key, items(&value))?
                } else {
                    builder.set_override(key, value)?
                };
            }
        }
        for (key, value) in flags {
            builder = builder.set_override(*key, value.clone())?;
        }
        let config: Self = builder.build()?.try_deserialize()?;
        config.tls.check()?;
        config.database.check()?;
        config.limits.check()?;
        policy::check(&config.policy)?;
        config.signing.check()?;
        config.redis.check()?;
        config.push.check()?;
        if config.drain_seconds > DRAIN_SECONDS {
            return Err(ConfigError::Message(format!(
                "drain_seconds is {}: must be 0 to {DRAIN_SECONDS}",
                config.drain_seconds
            )));
        }
        Ok(config)
    }

    /// Where `/metrics` is served.
    pub fn metrics_address(&self) -> SocketAddr {
        let port = if self.listen.port() == 0 { 0 } else { self.listen.port().wrapping_add(1) };
        self.metrics_listen.unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// The configuration as TOML, without secrets.
    pub fn show(&self) -> String {
        toml::to_string_pretty(self).unwrap_or_else(|error| format!("# cannot be shown: {error}\n"))
    }
}

impl Tls {
    /// Whether TLS is served.
    pub fn is_on(&self) -> bool {
        self.certificate.is_some()
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.certificate.is_some() == self.key.is_some() {
            return Ok(());
        }
        Err(ConfigError::Message("tls.certificate and tls.key belong together: set both, or neither".into()))
    }
}

fn items(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// Origins as browsers write them: a scheme, a host and perhaps a port, and nothing behind it.
fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let listed = Vec::<String>::deserialize(deserializer)?;
    for origin in &listed {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let is_host = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| {
                    b"-.:[]".contains(&byte) || byte.is_ascii_lowercase() || byte.is_ascii_digit()
                })
        };
        if !host.is_some_and(is_host) {
            let why = format!(
                "origins: {origin:?} is no origin; write https://HOST or https://HOST:PORT in small letters"
            );
            return Err(D::Error::custom(why));
        }
    }
    Ok(listed)
}

fn proxies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    networks(deserializer, "trusted_proxies")
}

/// Networks, or single addresses, under this key.
fn networks<'de, D: Deserializer<'de>>(deserializer: D, key: &str) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address.or_else(|_| text.parse()).map_err(|_| {
            D::Error::custom(format!(
                "{key}: {text:?} is no address or network; write 10.0.0.0/8 or 10.0.0.1"
            ))
        })
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::guard::{Action, ContactPolicy};

    #[test]
    fn a_flag_wins_over_the_environment_which_wins_over_the_file_which_wins_over_the_default() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("anteroom.toml");
        std::fs::write(&file, "data_dir = 'file'\nlog = 'file'\n[limits]\nresumes = 7\n").expect("written");
        let environment = |name: &str| match name {
            "ANTEROOM_DATA_DIR" => Some("environment".into()),
            "ANTEROOM_LOG" => Some("environment".into()),
            _ => None,
        };
        let config =
            Config::load(Some(&file), environment, &[("data_dir", "flag".into())]).expect("a configuration");
        assert_eq!(config.data_dir, PathBuf::from("flag"));
        assert_eq!(config.log, "environment");
        assert_eq!(config.limits.resumes, 7);
        assert_eq!(config.limits.handshakes, 256);
    }

    #[test]
    fn a_secret_is_never_printed() {
        let environment = |name: &str| {
            (name == "ANTEROOM_AUTH__SECRET").then(|| "very-secret-indeed-very-secret!!".to_owned())
        };
        let config = Config::load(None, environment, &[]).expect("a configuration");
        let [issuer] = &config.auth.configured()[..] else { panic!("one issuer") };
        assert_eq!(issuer.secret(), Some(b"very-secret-indeed-very-secret!!".as_slice()));
        assert!(!config.show().contains("very-secret"), "{}", config.show());
        assert!(!format!("{config:?}").contains("very-secret"));
    }

    #[test]
    fn further_issuers_come_from_the_file_and_keep_their_secrets_too() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("anteroom.toml");
        let text = "[auth]\njwks_url = 'https://market.example/jwks'\nalgorithm = 'EdDSA'\n\
            [[auth.issuers]]\nissuer = 'billing'\naudience = 'anteroom'\nsecret = 'very-secret-indeed-very-secret!!'\n";
        std::fs::write(&file, text).expect("written");
        let config = Config::load(Some(&file), |_| None, &[]).expect("a configuration");
        let names: Vec<_> = config.auth.configured().into_iter().map(|issuer| issuer.issuer).collect();
        assert_eq!(names, ["anteroom", "billing"]);
        assert!(!config.auth.is_development());
        assert!(!config.show().contains("very-secret"), "{}", config.show());
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        let environment = |name: &str| (name == "ANTEROOM_TLS__CERTIFICATE").then(|| "cert.pem".to_owned());
        let error = Config::load(None, environment, &[]).expect_err("refused");
        assert!(error.to_string().contains("tls.key"), "{error}");
    }

    #[test]
    fn a_misspelt_key_in_the_file_is_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("anteroom.toml");
        std::fs::write(&file, "lissten = '127.0.0.1:1'\n").expect("written");
        let error = Config::load(Some(&file), |_| None, &[]).expect_err("refused");
        assert!(error.to_string().contains("lissten"), "{error}");
    }

    #[test]
    fn what_is_done_about_contact_information_is_set_by_name_or_phase_by_phase() {
        let load = |variable: &str, value: &str| {
            let environment = |name: &str| (name == variable).then(|| value.to_owned());
            Config::load(None, environment, &[]).map(|config| config.policy.contact)
        };
        let named = load("ANTEROOM_POLICY__CONTACT", "until_contract").expect("a policy");
        assert_eq!(named, ContactPolicy::UNTIL_CONTRACT);
        let warned = load("ANTEROOM_POLICY__CONTACT__ACTIVE", "warn").expect("a policy");
        assert_eq!(warned, ContactPolicy { active: Action::Warn, ..ContactPolicy::default() });
        let error = load("ANTEROOM_POLICY__CONTACT", "never").expect_err("refused").to_string();
        assert!(error.contains("until_contract"), "{error}");
    }

    #[test]
    fn a_bound_nothing_could_work_within_is_refused_by_name() {
        let environment = |name: &str| (name == "ANTEROOM_LIMITS__COMMIT_BATCH").then(|| "0".to_owned());
        let error = Config::load(None, environment, &[]).expect_err("refused");
        assert!(error.to_string().contains("limits.commit_batch"), "{error}");
    }

    #[test]
    fn lists_are_written_with_commas_in_the_environment_and_as_lists_in_the_file() {
        let environment = |name: &str| match name {
            "ANTEROOM_ORIGINS" => Some("https://a.example, http://b.example:81,".to_owned()),
            "ANTEROOM_TRUSTED_PROXIES" => Some("10.0.0.0/8,::1".to_owned()),
            _ => None,
        };
        let from_environment = Config::load(None, environment, &[]).expect("a configuration");
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("anteroom.toml");
        let text =
            "origins = ['https://a.example', 'http://b.example:81']\ntrusted_proxies = ['10.0.0.0/8', '::1']";
        std::fs::write(&file, text).expect("written");
        let from_file = Config::load(Some(&file), |_| None, &[]).expect("a configuration");
        assert_eq!(from_environment.origins, ["https://a.example", "http://b.example:81"]);
        assert_eq!(from_environment.origins, from_file.origins);
        assert_eq!(from_environment.trusted_proxies, from_file.trusted_proxies);
    }

    #[test]
    fn what_is_no_origin_and_no_network_is_refused_by_name() {
        for (name, values) in [
            ("ANTEROOM_ORIGINS", &["market.example", "https://market.example/", "https://", "*", "null"][..]),
            ("ANTEROOM_TRUSTED_PROXIES", &["everybody", "10.0.0.0/33", "*"]),
        ] {
            for value in values {
                let environment = |asked: &str| (asked == name).then(|| (*value).to_owned());
                let error = Config::load(None, environment, &[]).expect_err(value);
                assert!(error.to_string().contains(value), "{error}");
            }
        }
    }

    #[test]
    fn every_key_can_be_set_by_its_variable() {
        let shown: toml::Table = Config::default().show().parse().expect("TOML");
        let unset = [
            "auth.secret",
            "auth.algorithm",
            "auth.jwks_url",
            "signing.secret",
            "database.url",
            "redis.url",
            "redis.ca",
            "outbound.ca",
            "push.contact",
            "metrics_listen",
            "tls.certificate",
            "tls.key",
        ];
        let mut paths = unset.map(str::to_owned).to_vec();
        // A policy for contact information is set by its name as well.
        paths.push("policy.contact".to_owned());
        let mut sections = vec![(String::new(), &shown)];
        while let Some((path, section)) = sections.pop() {
            for (key, value) in section {
                match value.as_table() {
                    Some(inner) => sections.push((format!("{path}{key}."), inner)),
                    None => paths.push(format!("{path}{key}")),
                }
            }
        }
        paths.sort();
        let mut keys = KEYS.map(str::to_owned).to_vec();
        keys.sort();
        assert_eq!(paths, keys);
    }
}
