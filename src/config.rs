//! Configuration: flag over environment over TOML file over default. This is the only reader of the environment.
//!
//! The variable of a key is `ANTEROOM_` and its path in capitals with `__` for the dot: `auth.secret` is `ANTEROOM_AUTH__SECRET`.
//! Variables that name no key are left alone, so that scripts may have their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use config::ConfigError;
use config::builder::DefaultState;
use config::{ConfigBuilder, File, FileFormat};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// Everything an operator can set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where HTTP and WebSocket are served.
    pub listen: SocketAddr,
    /// Where `/metrics` is served; it shows figures to whoever can reach it. Absent: loopback, on the port after that of `listen`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// Where the database and the development secret are kept.
    pub data_dir: PathBuf,
    /// Whether to seed and print the demo. Only without `auth.secret`.
    pub demo: bool,
    /// What is logged, in the form of `RUST_LOG`.
    pub log: String,
    /// The longest time over which sockets are told to come back when the server goes down, in seconds, up to an hour. 0: every
    /// socket is closed at once.
    pub drain_seconds: u32,
    /// Identity.
    pub auth: Auth,
    /// The bounds an operator sets. Those that are part of the wire are in the protocol.
    pub limits: Limits,
}

/// Who is believed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// The secret shared with the marketplace, at least 32 bytes: tokens are signed with it (HS256). Without it the server makes a
    /// development secret and serves loopback only.
    #[serde(serialize_with = "hidden")]
    pub secret: Option<SecretString>,
    /// The `iss` of every token.
    pub issuer: String,
    /// The `aud` of every token.
    pub audience: String,
}

/// Bounds. What happens at each is said with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// TCP connections at a time; at the bound, new ones wait to be accepted.
    pub connections: usize,
    /// Sockets that have not said `hello` yet; at the bound, an upgrade is answered 503.
    pub handshakes: usize,
    /// Hellos and joins that read the database at a time; at the bound, they wait.
    pub resumes: usize,
    /// Sockets of one person; one more closes the one that has been silent for longest.
    pub sockets_per_user: usize,
    /// Bytes that wait for one socket; at the bound, the socket reads the rest from the log.
    pub outbox_bytes: usize,
    /// Commands that wait for the writer; at the bound, a command is answered `busy`.
    pub writer_queue: usize,
    /// Commands in one commit.
    pub commit_batch: usize,
}

impl Default for Config {
    fn default() -> Self {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self {
            listen: SocketAddr::new(loopback, 8080),
            metrics_listen: None,
            data_dir: PathBuf::from("anteroom-data"),
            demo: true,
            log: "info".into(),
            drain_seconds: 60,
            auth: Auth::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self { secret: None, issuer: "anteroom".into(), audience: "anteroom".into() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshakes: 256,
            resumes: 200,
            sockets_per_user: 8,
            outbox_bytes: 256 * 1024,
            writer_queue: 4_096,
            commit_batch: 256,
        }
    }
}

/// The longest drain that can be set, in seconds.
const DRAIN_SECONDS: u32 = 3_600;

/// Every key, for the environment and for `config show`.
pub const KEYS: [&str; 16] = [
    "listen",
    "metrics_listen",
    "data_dir",
    "demo",
    "log",
    "drain_seconds",
    "auth.secret",
    "auth.issuer",
    "auth.audience",
    "limits.connections",
    "limits.handshakes",
    "limits.resumes",
    "limits.sockets_per_user",
    "limits.outbox_bytes",
    "limits.writer_queue",
    "limits.commit_batch",
];

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
                builder = builder.set_override(key, value)?;
            }
        }
        for (key, value) in flags {
            builder = builder.set_override(*key, value.clone())?;
        }
        let config: Self = builder.build()?.try_deserialize()?;
        config.limits.check()?;
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

impl Limits {
    /// Refuses bounds nothing could work within. A batch must fit into what the store remembers of its logs.
    fn check(&self) -> Result<(), ConfigError> {
        let bounds = [
            ("connections", self.connections, 1, 1_000_000),
            ("handshakes", self.handshakes, 1, 1_000_000),
            ("resumes", self.resumes, 1, 1_000_000),
            ("sockets_per_user", self.sockets_per_user, 1, 1_000_000),
            ("outbox_bytes", self.outbox_bytes, 32 * 1024, 64 * 1024 * 1024),
            ("writer_queue", self.writer_queue, 1, 1_000_000),
            ("commit_batch", self.commit_batch, 1, 4_096),
        ];
        for (name, value, least, most) in bounds {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::Message(format!(
                    "limits.{name} is {value}: must be {least} to {most}"
                )));
            }
        }
        Ok(())
    }
}

impl Auth {
    /// The secret's bytes, if one is configured.
    pub fn secret(&self) -> Option<&[u8]> {
        self.secret.as_ref().map(|secret| secret.expose_secret().as_bytes())
    }
}

fn hidden<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    match secret {
        Some(_) => serializer.serialize_some("(set)"),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(config.auth.secret(), Some(b"very-secret-indeed-very-secret!!".as_slice()));
        assert!(!config.show().contains("very-secret"), "{}", config.show());
        assert!(!format!("{config:?}").contains("very-secret"));
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
    fn a_bound_nothing_could_work_within_is_refused_by_name() {
        let environment = |name: &str| (name == "ANTEROOM_LIMITS__COMMIT_BATCH").then(|| "0".to_owned());
        let error = Config::load(None, environment, &[]).expect_err("refused");
        assert!(error.to_string().contains("limits.commit_batch"), "{error}");
    }

    #[test]
    fn every_key_can_be_set_by_its_variable() {
        let shown: toml::Table = Config::default().show().parse().expect("TOML");
        let mut paths = vec!["auth.secret".to_owned(), "metrics_listen".to_owned()];
        for (key, value) in &shown {
            match value.as_table() {
                Some(section) => paths.extend(section.keys().map(|name| format!("{key}.{name}"))),
                None => paths.push(key.clone()),
            }
        }
        paths.sort();
        let mut keys = KEYS.map(str::to_owned).to_vec();
        keys.sort();
        assert_eq!(paths, keys);
    }
}
