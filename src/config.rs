//! Configuration: flag over environment over TOML file over default. This is the only reader of the environment.
//!
//! The variable of a key is `ANTEROOM_` and its path in capitals with `__` for the dot: `auth.secret` is `ANTEROOM_AUTH__SECRET`.
//! Variables that name no key are left alone, so that scripts may have their own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use config::ConfigError;
use config::builder::DefaultState;
use config::{ConfigBuilder, File, FileFormat};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Where the database and the development secret are kept.
    pub data_dir: PathBuf,
    /// Whether to seed and print the demo. Only with the development secret.
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

/// Who is believed. Without a secret, an address of keys and further issuers, the server makes a development secret and serves loopback
/// only.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Auth {
    /// The secret shared with the marketplace, at least 32 bytes: tokens are signed with it (HS256).
    #[serde(serialize_with = "hidden")]
    pub secret: Option<SecretString>,
    /// The `iss` of every token.
    pub issuer: String,
    /// The `aud` of every token.
    pub audience: String,
    /// The one algorithm tokens are signed with: HS256 with a secret, one of the others with `jwks_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// Where the marketplace publishes its keys (a JSON Web Key Set), instead of a secret: https, or http on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
    /// How long keys go on counting after they should have been fetched again and could not be, in seconds. Then nobody is believed.
    pub jwks_stale_seconds: u64,
    /// Further issuers; in the file only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<Issuer>,
}

/// One of several issuers whose tokens are believed: as the keys of the same names in [`Auth`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The `aud` of its tokens.
    pub audience: String,
    /// The one algorithm its tokens are signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// The secret it shares with the server.
    #[serde(default, serialize_with = "hidden")]
    pub secret: Option<SecretString>,
    /// Where it publishes its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_url: Option<String>,
}

/// What a token can be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// A secret that both sides have.
    #[serde(rename = "HS256")]
    Hs256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA.
    #[serde(rename = "RS256")]
    Rs256,
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

/// Bounds. What happens at each is said with it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// TCP connections at a time; at the bound, new ones wait to be accepted.
    pub connections: usize,
    /// Sockets that have not said `hello` yet; at the bound, an upgrade is answered 503.
    pub handshakes: usize,
    /// Sockets of one address (of one network of 2^64, in IPv6); at the bound, an upgrade is answered 429.
    pub sockets_per_address: usize,
    /// Of those, sockets that have not said `hello` yet; at the bound, an upgrade is answered 429.
    pub greeting_per_address: usize,
    /// Hellos and joins that read the database at a time; at the bound, they wait.
    pub resumes: usize,
    /// Sockets of one person; one more closes the one that has been silent for longest.
    pub sockets_per_user: usize,
    /// Frames that one socket may send within 10 s; one more closes it with 4029.
    pub socket_frames: usize,
    /// Commands of one person in a second, over both doors together; above, a command is answered `rate_limited`. Systems and staff are
    /// not limited.
    pub commands_per_second: u32,
    /// Commands of one person at once, after a pause.
    pub commands_burst: u32,
    /// Reads of one person over HTTP in a second; above, they are answered 429.
    pub requests_per_second: u32,
    /// Reads of one person at once, after a pause.
    pub requests_burst: u32,
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
            tls: Tls::default(),
            origins: Vec::new(),
            trusted_proxies: Vec::new(),
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
        Self {
            secret: None,
            issuer: "anteroom".into(),
            audience: "anteroom".into(),
            algorithm: None,
            jwks_url: None,
            jwks_stale_seconds: 24 * 60 * 60,
            issuers: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshakes: 256,
            sockets_per_address: 64,
            greeting_per_address: 16,
            resumes: 200,
            sockets_per_user: 8,
            socket_frames: 5_000,
            commands_per_second: 20,
            commands_burst: 40,
            requests_per_second: 50,
            requests_burst: 200,
            outbox_bytes: 256 * 1024,
            writer_queue: 4_096,
            commit_batch: 256,
        }
    }
}

/// The longest drain that can be set, in seconds.
const DRAIN_SECONDS: u32 = 3_600;

/// Every key, for the environment and for `config show`.
pub const KEYS: [&str; 30] = [
    "listen",
    "metrics_listen",
    "tls.certificate",
    "tls.key",
    "origins",
    "trusted_proxies",
    "data_dir",
    "demo",
    "log",
    "drain_seconds",
    "auth.secret",
    "auth.issuer",
    "auth.audience",
    "auth.algorithm",
    "auth.jwks_url",
    "auth.jwks_stale_seconds",
    "limits.connections",
    "limits.handshakes",
    "limits.sockets_per_address",
    "limits.greeting_per_address",
    "limits.resumes",
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
const LISTS: [&str; 2] = ["origins", "trusted_proxies"];

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

impl Limits {
    /// Refuses bounds nothing could work within. A batch must fit into what the store remembers of its logs.
    fn check(&self) -> Result<(), ConfigError> {
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        let bounds = [
            ("connections", self.connections, 1, 1_000_000),
            ("handshakes", self.handshakes, 1, 1_000_000),
            ("sockets_per_address", self.sockets_per_address, 1, 1_000_000),
            ("greeting_per_address", self.greeting_per_address, 1, 1_000_000),
            ("resumes", self.resumes, 1, 1_000_000),
            ("sockets_per_user", self.sockets_per_user, 1, 1_000_000),
            ("socket_frames", self.socket_frames, 100, 1_000_000),
            ("commands_per_second", size(self.commands_per_second), 1, 1_000_000),
            ("commands_burst", size(self.commands_burst), 1, 1_000_000),
            ("requests_per_second", size(self.requests_per_second), 1, 1_000_000),
            ("requests_burst", size(self.requests_burst), 1, 1_000_000),
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
    /// Whether nobody is configured, so that the server makes a secret of its own, for this machine only.
    pub fn is_development(&self) -> bool {
        self.secret.is_none() && self.jwks_url.is_none() && self.issuers.is_empty()
    }

    /// Everybody who is configured: the one of the flat keys first.
    pub fn configured(&self) -> Vec<Issuer> {
        let flat = Issuer {
            issuer: self.issuer.clone(),
            audience: self.audience.clone(),
            algorithm: self.algorithm,
            secret: self.secret.clone(),
            jwks_url: self.jwks_url.clone(),
        };
        let flat = (flat.secret.is_some() || flat.jwks_url.is_some()).then_some(flat);
        flat.into_iter().chain(self.issuers.iter().cloned()).collect()
    }
}

impl Issuer {
    /// The secret's bytes, if one is configured.
    pub fn secret(&self) -> Option<&[u8]> {
        self.secret.as_ref().map(|secret| secret.expose_secret().as_bytes())
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

/// Networks, or single addresses.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let network = |text: &String| {
        let address = text.parse::<IpAddr>().map(IpNet::from);
        address.or_else(|_| text.parse()).map_err(|_| {
            D::Error::custom(format!(
                "trusted_proxies: {text:?} is no address or network; write 10.0.0.0/8 or 10.0.0.1"
            ))
        })
    };
    Vec::<String>::deserialize(deserializer)?.iter().map(network).collect()
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
            "metrics_listen",
            "tls.certificate",
            "tls.key",
        ];
        let mut paths = unset.map(str::to_owned).to_vec();
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
