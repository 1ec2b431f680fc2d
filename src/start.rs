//! Why a server does not start: a code that stays, what is wrong, and what to do about it. Nothing here is printed, and nothing here is
//! about a server that runs.

use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::json;

use crate::config::SECRET_BYTES;
use crate::config::{Config, ConfigError};
use crate::store::postgres;
use crate::store::sqlite::OpenError;
use crate::telemetry;

/// What kept it from starting. Scripts go by the word and by the exit code; neither changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StartCode {
    /// A key that does not exist, or a value that cannot be used.
    ConfigurationInvalid,
    /// The address can be reached from elsewhere, and there is only the development secret.
    SecretMissing,
    /// The address can be reached from elsewhere, and what is said there could be read along.
    TlsMissing,
    /// The certificate or its key cannot be used.
    TlsUnusable,
    /// `auth.secret` is too short.
    SecretTooShort,
    /// The file of the development secret cannot be believed.
    SecretDamaged,
    /// Another process has the data directory.
    DataDirInUse,
    /// The data directory cannot be used, for a reason without a code of its own.
    DataDirUnusable,
    /// The operating system does not allow it.
    PermissionDenied,
    /// There is no room on the disk.
    DiskFull,
    /// Somebody else listens there.
    AddressInUse,
    /// This machine does not have that address.
    AddressUnavailable,
    /// A newer server wrote the database.
    DatabaseNewer,
    /// The database is broken, or is none.
    DatabaseDamaged,
    /// The database server does not answer, or does not let this server in.
    DatabaseUnreachable,
    /// The database cannot be used, for a reason without a code of its own.
    DatabaseUnusable,
    /// None of these.
    Other,
}

impl StartCode {
    /// Every code.
    pub const ALL: [Self; 17] = [
        Self::ConfigurationInvalid,
        Self::SecretMissing,
        Self::TlsMissing,
        Self::TlsUnusable,
        Self::SecretTooShort,
        Self::SecretDamaged,
        Self::DataDirInUse,
        Self::DataDirUnusable,
        Self::PermissionDenied,
        Self::DiskFull,
        Self::AddressInUse,
        Self::AddressUnavailable,
        Self::DatabaseNewer,
        Self::DatabaseDamaged,
        Self::DatabaseUnreachable,
        Self::DatabaseUnusable,
        Self::Other,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigurationInvalid => "configuration_invalid",
            Self::SecretMissing => "secret_missing",
            Self::TlsMissing => "tls_missing",
            Self::TlsUnusable => "tls_unusable",
            Self::SecretTooShort => "secret_too_short",
            Self::SecretDamaged => "secret_damaged",
            Self::DataDirInUse => "data_dir_in_use",
            Self::DataDirUnusable => "data_dir_unusable",
            Self::PermissionDenied => "permission_denied",
            Self::DiskFull => "disk_full",
            Self::AddressInUse => "address_in_use",
            Self::AddressUnavailable => "address_unavailable",
            Self::DatabaseNewer => "database_newer",
            Self::DatabaseDamaged => "database_damaged",
            Self::DatabaseUnreachable => "database_unreachable",
            Self::DatabaseUnusable => "database_unusable",
            Self::Other => "other",
        }
    }

    /// What the process ends with: 2, the configuration is to be changed; 3, something around the process is; 1, anything else.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::ConfigurationInvalid
            | Self::SecretMissing
            | Self::TlsMissing
            | Self::TlsUnusable
            | Self::SecretTooShort => 2,
            Self::SecretDamaged
            | Self::DataDirInUse
            | Self::DataDirUnusable
            | Self::PermissionDenied
            | Self::DiskFull
            | Self::AddressInUse
            | Self::AddressUnavailable
            | Self::DatabaseNewer
            | Self::DatabaseDamaged
            | Self::DatabaseUnreachable
            | Self::DatabaseUnusable => 3,
            Self::Other => 1,
        }
    }
}

/// Why it does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct StartError {
    /// Which cause.
    pub code: StartCode,
    /// What is wrong, in one line.
    pub what: String,
    /// What to do about it, in one line.
    pub help: String,
}

impl StartError {
    /// Both texts are made one line each: what a system says about a failure may have several.
    pub fn new(code: StartCode, what: impl AsRef<str>, help: impl AsRef<str>) -> Self {
        Self { code, what: one_line(what.as_ref()), help: one_line(help.as_ref()) }
    }

    /// Something without a code of its own.
    pub fn other(what: impl std::fmt::Display) -> Self {
        Self::new(
            StartCode::Other,
            what.to_string(),
            "this is not known to be your doing: report it with this line",
        )
    }

    /// Values that contradict each other.
    pub fn configuration(error: impl std::fmt::Display) -> Self {
        Self::new(
            StartCode::ConfigurationInvalid,
            format!("the configuration cannot be used: {error:#}"),
            CORRECT_THE_KEY,
        )
    }

    /// A certificate nobody could be served with.
    pub fn tls(error: impl std::fmt::Display) -> Self {
        Self::new(
            StartCode::TlsUnusable,
            format!("{error:#}"),
            "name PEM files that belong together with `tls.certificate` and `tls.key`",
        )
    }

    /// Something below the data directory cannot be made, read or written.
    pub fn file(path: &Path, error: &io::Error) -> Self {
        let what = format!("cannot use {}: {error}", path.display());
        let kind = error.kind();
        if matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) {
            let help = "give the user the server runs as the right to read and write there, or name another directory with `data_dir`";
            return Self::new(StartCode::PermissionDenied, what, help);
        }
        if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Self::new(StartCode::DiskFull, what, MAKE_ROOM);
        }
        let help = "name a directory that can be made and written with `data_dir`";
        Self::new(StartCode::DataDirUnusable, what, help)
    }

    /// An address nobody can be served on. `key` is the configuration's.
    pub fn address(address: SocketAddr, key: &str, error: &io::Error) -> Self {
        let what = format!("cannot listen on {address} (`{key}`): {error}");
        let kind = error.kind();
        let (code, help) = if matches!(kind, io::ErrorKind::AddrInUse) {
            let help = format!("stop what listens there, or name another address with `{key}`");
            (StartCode::AddressInUse, help)
        } else if matches!(kind, io::ErrorKind::PermissionDenied) {
            let help =
                format!("name a port above 1023 with `{key}`, or give the process the right to lower ones");
            (StartCode::PermissionDenied, help)
        } else {
            (StartCode::AddressUnavailable, format!("name an address that this machine has with `{key}`"))
        };
        Self::new(code, what, help)
    }

    /// Two lines, for somebody at a terminal.
    pub fn text(&self) -> String {
        format!("anteroom: {} ({})\nhelp: {}\n", self.what, self.code.as_str(), self.help)
    }

    /// One line of the same form as the log's, for whatever reads the log. `now` as RFC 3339 has it.
    pub fn json(&self, now: &str) -> String {
        let fields = json!({ "message": self.what, "code": self.code.as_str(), "help": self.help });
        let mut line =
            json!({ "timestamp": now, "level": "ERROR", "fields": fields, "target": "anteroom::start" })
                .to_string();
        line.push('\n');
        line
    }
}

const CORRECT_THE_KEY: &str =
    "correct that key in the file, the environment or the flags; the README lists every key";
const MAKE_ROOM: &str = "make room on that disk, or name a directory on another one with `data_dir`";

impl From<ConfigError> for StartError {
    fn from(error: ConfigError) -> Self {
        Self::configuration(error)
    }
}

impl From<OpenError> for StartError {
    fn from(error: OpenError) -> Self {
        let what = error.to_string();
        match error {
            OpenError::InUse(_) => Self::new(
                StartCode::DataDirInUse,
                what,
                "stop the other process, or name another directory with `data_dir`",
            ),
            OpenError::File { path, error } => Self::file(&path, &error),
            OpenError::Newer { .. } => Self::new(
                StartCode::DatabaseNewer,
                what,
                "run the newer server again, or restore a copy of the database from before it",
            ),
            OpenError::Older { .. } => Self::new(
                StartCode::DatabaseUnusable,
                what,
                "bring it up to date with `anteroom migrate`, or with a start of this version",
            ),
            OpenError::Missing(_) => Self::new(
                StartCode::DatabaseUnusable,
                what,
                "name the directory that the server keeps it in with `data_dir`",
            ),
            OpenError::Damaged { .. } => Self::new(
                StartCode::DatabaseDamaged,
                what,
                "keep the file, and restore a copy of the data directory; without one, `sqlite3 anteroom.db .recover` may save a part",
            ),
            OpenError::Full(_) => Self::new(StartCode::DiskFull, what, MAKE_ROOM),
            OpenError::Database { .. } => Self::new(
                StartCode::DatabaseUnusable,
                what,
                "look at the disk and at who may use the data directory; if both are well, restore a copy",
            ),
        }
    }
}

impl From<postgres::OpenError> for StartError {
    fn from(error: postgres::OpenError) -> Self {
        let what = error.to_string();
        match error {
            postgres::OpenError::Address(_) => Self::new(
                StartCode::ConfigurationInvalid,
                what,
                "write `database.url` as postgres://USER:PASSWORD@HOST/DATABASE",
            ),
            postgres::OpenError::Unreachable(_) => Self::new(
                StartCode::DatabaseUnreachable,
                what,
                "look whether the server in `database.url` runs, whether this machine reaches it, and whether the user and the password are right",
            ),
            postgres::OpenError::ReadOnly(_) => Self::new(
                StartCode::DatabaseUnusable,
                what,
                "name the primary in `database.url`, or let the database take writes",
            ),
            postgres::OpenError::Older { .. } => Self::new(
                StartCode::DatabaseUnusable,
                what,
                "bring it up to date with `anteroom migrate`, or with a start of this version",
            ),
            postgres::OpenError::Migration(_) => Self::new(
                StartCode::DatabaseUnusable,
                what,
                "give the user in `database.url` the right to make tables in its schema, or run `anteroom migrate` as one who has it",
            ),
        }
    }
}

/// What is wrong with the values, without a look at the machine.
pub fn check_values(config: &Config) -> Vec<StartError> {
    let invalid = |what: String, help: &str| StartError::new(StartCode::ConfigurationInvalid, what, help);
    let mut wrong = Vec::new();
    if let Err(error) = telemetry::check_filter(&config.log) {
        let what = format!("log: {:?} is not a filter: {error}", config.log);
        wrong.push(invalid(what, "write it as for RUST_LOG: `info`, or `info,anteroom::ws=debug`"));
    }
    let issuers = config.auth.configured();
    if issuers.iter().filter_map(|issuer| issuer.secret()).any(|secret| secret.len() < SECRET_BYTES) {
        wrong.push(StartError::new(
            StartCode::SecretTooShort,
            format!("auth.secret is shorter than {SECRET_BYTES} bytes"),
            "make a longer one, for instance with `openssl rand -hex 32`, and tell the marketplace",
        ));
    }
    let can_be_reached = !config.listen.ip().is_loopback();
    if config.auth.is_development() && can_be_reached {
        wrong.push(StartError::new(
            StartCode::SecretMissing,
            format!(
                "{} can be reached from elsewhere, and there is only the development secret",
                config.listen
            ),
            "set auth.secret or auth.jwks_url, or listen on loopback",
        ));
    }
    if can_be_reached && config.trusted_proxies.is_empty() && !config.tls.is_on() {
        wrong.push(StartError::new(
            StartCode::TlsMissing,
            format!(
                "{} can be reached from elsewhere, and what is said there could be read along",
                config.listen
            ),
            "set tls.certificate and tls.key, or name the proxy that does TLS in trusted_proxies, or listen on loopback",
        ));
    }
    if config.metrics_address() == config.listen && config.listen.port() != 0 {
        let what = format!("listen and metrics_listen are both {}", config.listen);
        wrong.push(invalid(what, "name another port with `metrics_listen`"));
    }
    wrong
}

/// What is wrong on this machine, as far as it shows without starting. Leaves nothing behind.
pub fn check_machine(config: &Config) -> Vec<StartError> {
    let mut wrong = Vec::new();
    wrong.extend(check_data_dir(&config.data_dir).err());
    for (key, address) in [("listen", config.listen), ("metrics_listen", config.metrics_address())] {
        // On a port of the system's choice: the server itself may be running on the one that is meant.
        let probe = SocketAddr::new(address.ip(), 0);
        wrong.extend(
            std::net::TcpListener::bind(probe).err().map(|error| StartError::address(address, key, &error)),
        );
    }
    wrong
}

/// Writes and removes a file where the database is to be, or, where there is no directory yet, where that would be made.
fn check_data_dir(data_dir: &Path) -> Result<(), StartError> {
    let place = std::path::absolute(data_dir).map_err(|error| StartError::file(data_dir, &error))?;
    let there = place.ancestors().find(|place| place.exists()).unwrap_or(&place);
    let probe = there.join(format!(".anteroom-check-{}", std::process::id()));
    std::fs::write(&probe, "a probe, to be removed\n")
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| StartError::file(there, &error))
}

fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in text.split(char::is_control).filter(|word| !word.is_empty()) {
        let gap = if line.is_empty() { "" } else { " " };
        // Writing into a string cannot fail.
        let _ = write!(line, "{gap}{}", word.trim());
    }
    line
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_code_has_a_word_of_its_own_and_ends_the_process_with_1_2_or_3() {
        let words: HashSet<&str> = StartCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), StartCode::ALL.len());
        assert!(StartCode::ALL.iter().all(|code| (1..=3).contains(&code.exit_code())));
    }

    #[test]
    fn an_error_is_two_lines_at_a_terminal_and_one_in_a_log_whatever_the_system_says() {
        let error = StartError::other("a disk\nwith \x1b[31m\"words\" of\r\nits own");
        let text = error.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("help: ")), "{text}");
        assert!(!text.contains('\x1b'), "{text:?}");
        let line = error.json("2026-01-02T03:04:05Z");
        assert_eq!(line.lines().count(), 1, "{line}");
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line["fields"]["code"], "other");
        assert_eq!(line["timestamp"], "2026-01-02T03:04:05Z");
    }

    #[test]
    fn what_the_system_says_has_its_code_and_its_help() {
        let file = |kind: io::ErrorKind| StartError::file(Path::new("data"), &kind.into());
        assert_eq!(file(io::ErrorKind::PermissionDenied).code, StartCode::PermissionDenied);
        assert_eq!(file(io::ErrorKind::ReadOnlyFilesystem).code, StartCode::PermissionDenied);
        let full = file(io::ErrorKind::StorageFull);
        assert_eq!(full.code, StartCode::DiskFull);
        let database = StartError::from(OpenError::Full("data/anteroom.db".into()));
        assert_eq!((database.code, &database.help), (StartCode::DiskFull, &full.help));
        let port: SocketAddr = "127.0.0.1:80".parse().expect("an address");
        let refused = StartError::address(port, "listen", &io::ErrorKind::PermissionDenied.into());
        assert_eq!(refused.code, StartCode::PermissionDenied);
        assert!(refused.help.contains("above 1023"), "{}", refused.help);
    }

    #[test]
    fn all_that_is_wrong_with_the_values_is_said_at_once() {
        let config = Config {
            listen: "0.0.0.0:80".parse().expect("an address"),
            metrics_listen: Some("0.0.0.0:80".parse().expect("an address")),
            log: "loud=very".into(),
            ..Config::default()
        };
        let codes: Vec<&str> = check_values(&config).iter().map(|error| error.code.as_str()).collect();
        assert_eq!(
            codes,
            ["configuration_invalid", "secret_missing", "tls_missing", "configuration_invalid"]
        );
        assert_eq!(check_values(&Config::default()), []);
    }

    #[test]
    fn a_data_directory_is_probed_without_a_trace() {
        let directory = tempfile::tempdir().expect("a directory");
        check_data_dir(&directory.path().join("to").join("be").join("made")).expect("it could be made");
        assert_eq!(std::fs::read_dir(directory.path()).expect("read").count(), 0);
        let file = directory.path().join("file");
        std::fs::write(&file, "no directory").expect("written");
        let error = check_data_dir(&file.join("below")).expect_err("a file has nothing below it");
        assert_eq!(error.code, StartCode::DataDirUnusable);
    }
}
