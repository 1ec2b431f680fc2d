//! What an operator does around a server: starting it where it cannot start, asking how it is, checking a configuration, migrating.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anteroom_load_tests::client::Http;
use anteroom_load_tests::server::Launcher;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::net::TcpListener;

use crate::cli::{fails, failure, prints, text};
use crate::support::certificate::Certificate;
use crate::support::process::{BINARY, command, free_address, run};
use crate::support::{SECRET, TestServer, soon};

/// A user of no importance, for what root may do anyway.
const NOBODY: u32 = 65_534;

fn serve(place: &Path) -> [&str; 5] {
    ["serve", "--listen", "127.0.0.1:0", "--data-dir", text(place)]
}

#[tokio::test]
async fn a_second_server_on_the_same_directory_is_refused_in_one_clear_line() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Launcher::new(BINARY, directory.path()).start().await.expect("a server");
    let migrate = ["migrate", "--data-dir", text(directory.path())];
    let look = ["migrate", "--dry-run", "--data-dir", text(directory.path())];
    for args in [&serve(directory.path())[..], &migrate, &look] {
        let (error, help) = fails(("data_dir_in_use", 3), args, &[]).await;
        assert!(error.contains("anteroom.db is in use by another anteroom process"), "{error}");
        assert!(help.contains("stop the other process") && help.contains("`data_dir`"), "{help}");
    }
    let answer =
        Http::anonymous(server.base_url()).raw("GET", "/readyz", &[], None).await.expect("an answer");
    assert_eq!(answer.status, 200, "the first goes on");
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_key() {
    let directory = tempfile::tempdir().expect("a directory");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let place = text(directory.path());
    for key in ["listen", "metrics_listen"] {
        let flag = format!("--{}", key.replace('_', "-"));
        let args = ["serve", "--listen", "127.0.0.1:0", "--no-demo", "--data-dir", place, &flag, &address];
        let args = if key == "listen" { [&args[..1], &args[3..]].concat() } else { args.to_vec() };
        let (error, help) = fails(("address_in_use", 3), &args, &[]).await;
        assert!(error.contains(&address) && error.contains(&format!("`{key}`")), "{error}");
        assert!(help.contains(&format!("`{key}`")), "{help}");
    }
}

#[tokio::test]
async fn an_address_of_another_machine_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    // Of the block that is kept for documentation.
    let args = ["serve", "--listen", "192.0.2.1:8080", "--data-dir", text(directory.path())];
    let behind_a_proxy = [("ANTEROOM_AUTH__SECRET", SECRET), ("ANTEROOM_TRUSTED_PROXIES", "127.0.0.1")];
    let (error, help) = fails(("address_unavailable", 3), &args, &behind_a_proxy).await;
    assert!(error.contains("192.0.2.1:8080") && help.contains("`listen`"), "{error}: {help}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "no directory").expect("written");
    let below = file.join("data");
    let (error, help) = fails(("data_dir_unusable", 3), &serve(&below), &[]).await;
    assert!(error.contains(text(&below)) && help.contains("`data_dir`"), "{error}: {help}");
}

#[tokio::test]
async fn a_data_directory_of_somebody_else_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let theirs = directory.path().join("theirs");
    std::fs::create_dir(&theirs).expect("made");
    // Root may write anywhere: the server is then somebody else, who must be able to reach the binary.
    let binary = directory.path().join("anteroom");
    if std::fs::hard_link(BINARY, &binary).is_err() {
        std::fs::copy(BINARY, &binary).expect("copied");
    }
    for (path, mode) in [(directory.path(), 0o755), (&binary, 0o755), (&theirs, 0o555)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    }
    let mut other = command(&[], &[]);
    let mut started = tokio::process::Command::new(&binary);
    started.args(serve(&theirs)).stdin(std::process::Stdio::null()).kill_on_drop(true).env_clear();
    started.envs(other.as_std_mut().get_envs().filter_map(|(name, value)| Some((name, value?))));
    if std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("a process")) == 0 {
        started.uid(NOBODY).gid(NOBODY);
    }
    let output = soon("an end", started.output()).await.expect("an output");
    let (error, help) = failure(("permission_denied", 3), &output);
    assert!(error.contains(text(&theirs)) && help.contains("right to read and write"), "{error}: {help}");
}

async fn database(directory: &Path) -> PathBuf {
    prints(&["migrate", "--data-dir", text(directory)], &[]).await;
    directory.join("anteroom.db")
}

async fn tamper(file: &Path, sql: &'static str) {
    use sqlx::Connection as _;
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
    let mut connection = options.connect().await.expect("opened");
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("done");
    connection.close().await.expect("closed");
}

#[tokio::test]
async fn a_database_of_a_newer_server_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = database(directory.path()).await;
    tamper(
        &file,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'the future', 1, x'00', 0)",
    )
    .await;
    let migrate = ["migrate", "--data-dir", text(directory.path())];
    for args in [&serve(directory.path())[..], &migrate] {
        let (error, help) = fails(("database_newer", 3), args, &[]).await;
        assert!(error.contains("9999") && help.contains("newer server"), "{error}: {help}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_damaged_and_stays_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let letter = "this is no database, it is a letter to somebody".repeat(100);
    let file = directory.path().join("anteroom.db");
    std::fs::write(&file, &letter).expect("written");
    let (error, help) = fails(("database_damaged", 3), &serve(directory.path()), &[]).await;
    assert!(error.contains("anteroom.db is damaged") && help.contains("restore a copy"), "{error}: {help}");
    assert_eq!(std::fs::read_to_string(&file).expect("read"), letter);
}

#[tokio::test]
async fn migrate_says_what_it_would_do_does_it_and_then_has_nothing_to_do() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("data");
    let (look, migrate) =
        (["migrate", "--dry-run", "--data-dir", text(&place)], ["migrate", "--data-dir", text(&place)]);
    assert!(prints(&look, &[]).await.contains("would be made, with version"));
    assert!(!place.exists(), "looking makes nothing");
    assert!(prints(&migrate, &[]).await.contains("made, with version"));
    for args in [&look[..], &migrate] {
        assert!(prints(args, &[]).await.contains("nothing to do"));
    }
    // A database that is there, and has no tables yet.
    std::fs::remove_dir_all(&place).expect("removed");
    std::fs::create_dir(&place).expect("made");
    std::fs::write(place.join("anteroom.db"), "").expect("written");
    assert!(prints(&look, &[]).await.contains("would be made"));
    assert!(prints(&migrate, &[]).await.contains("made, with version"));
    let server = Launcher::new(BINARY, &place).start().await.expect("a server on what was made");
    assert!(server.base_url().starts_with("http://"));
}

#[tokio::test]
async fn a_database_of_the_first_version_is_brought_up_to_date_and_served() {
    let directory = tempfile::tempdir().expect("a directory");
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/road-0001.db");
    std::fs::copy(fixture, directory.path().join("anteroom.db")).expect("copied");
    let (look, migrate) = (
        ["migrate", "--dry-run", "--data-dir", text(directory.path())],
        ["migrate", "--data-dir", text(directory.path())],
    );
    for args in [&look[..], &migrate] {
        let said = prints(args, &[]).await;
        assert!(said.contains("version 1"), "says from where: {said}");
    }
    assert!(prints(&look, &[]).await.contains("nothing to do"));
    let server = Launcher::new(BINARY, directory.path()).start().await.expect("a server on it");
    assert!(server.base_url().starts_with("http://"));
}

#[tokio::test]
async fn health_is_0_for_a_server_that_is_ready_and_1_for_every_other() {
    let directory = tempfile::tempdir().expect("a directory");
    let address = free_address();
    let launcher = Launcher::new(BINARY, directory.path())
        .listen(&address)
        .env("ANTEROOM_METRICS_LISTEN", "127.0.0.1:0");
    let mut server = launcher.start().await.expect("a server");
    let configured = [("ANTEROOM_LISTEN", address.as_str())];
    assert_eq!(prints(&["health"], &configured).await, "ready\n");
    assert_eq!(prints(&["health", "--url", server.base_url()], &[]).await, "ready\n");
    // Whom it asks is no server of ours.
    let figures = format!("http://{}/", free_address());
    sick(run(&["health", "--url", &figures], &[]).await, "refused");
    server.kill().await.expect("killed");
    sick(run(&["health"], &configured).await, &address);
    // Somebody who takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    sick(run(&["health", "--url", &url], &[]).await, "did not answer");
    // A configuration that cannot be read is no server either.
    sick(run(&["health"], &[("ANTEROOM_LISTEN", "everywhere")]).await, "listen");
    assert_eq!(run(&["health", "--url", "ftp://127.0.0.1"], &[]).await.status.code(), Some(2));
}

/// A health check found a server that it cannot call ready, and said why in one line.
fn sick(output: std::process::Output, why: &str) {
    let line = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.code() == Some(1) && output.stderr.is_empty(), "{line}");
    assert!(line.starts_with("not ready: ") && line.contains(why) && line.lines().count() == 1, "{line}");
}

#[tokio::test]
async fn health_over_tls_believes_the_configured_certificate_and_no_other() {
    let (ours, other) = (Certificate::new(), Certificate::new());
    let server = TestServer::start_with(|config| ours.of(config)).await;
    let address = server.base.trim_start_matches("http://").to_owned();
    let ask = async |certificate: &Certificate, address: &str| {
        let [certificate, key] = ["cert.pem", "key.pem"].map(|name| certificate.file(name).expect("a path"));
        let variables = [
            ("ANTEROOM_LISTEN", address),
            ("ANTEROOM_TLS__CERTIFICATE", text(&certificate)),
            ("ANTEROOM_TLS__KEY", text(&key)),
        ];
        run(&["health"], &variables).await
    };
    let well = ask(&ours, &address).await;
    assert_eq!((well.status.code(), &well.stdout[..]), (Some(0), &b"ready\n"[..]), "by its address");
    sick(ask(&other, &address).await, "another certificate than tls.certificate");
    std::fs::write(other.file("cert.pem").expect("a path"), "no certificate").expect("written");
    sick(ask(&other, &address).await, "tls.certificate: cannot use");
    sick(run(&["health"], &[("ANTEROOM_LISTEN", address.as_str())]).await, &address);
    let plain = TestServer::start().await;
    sick(ask(&ours, plain.base.trim_start_matches("http://")).await, "does not speak TLS");
    server.stop().await;
    sick(ask(&ours, &address).await, "refused");
}

#[tokio::test]
async fn health_by_a_url_believes_over_tls_whom_the_machine_believes() {
    let (ours, other) = (Certificate::new(), Certificate::new());
    let server = TestServer::start_with(|config| ours.of(config)).await;
    let port = server.base.rsplit(':').next().expect("a port");
    let ask = async |host: &str, roots: &Certificate| {
        let roots = roots.file("cert.pem").expect("a path");
        let url = format!("https://{host}:{port}");
        run(&["health", "--url", &url], &[("SSL_CERT_FILE", text(&roots)), ("SSL_CERT_DIR", "")]).await
    };
    let well = ask("localhost", &ours).await;
    assert_eq!((well.status.code(), &well.stdout[..]), (Some(0), &b"ready\n"[..]));
    sick(ask("localhost", &other).await, "not trusted here");
    sick(ask("127.0.0.1", &ours).await, "not trusted here");
}

#[tokio::test]
async fn config_check_says_all_that_is_wrong_and_what_to_do_and_touches_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = directory.path().join("data");
    let good = ["config", "check", "--data-dir", text(&place)];
    assert_eq!(prints(&good, &[]).await, "the configuration can be used\n");
    assert_eq!(std::fs::read_dir(directory.path()).expect("read").count(), 0, "nothing is left behind");

    let file = directory.path().join("file");
    std::fs::write(&file, "no directory").expect("written");
    let variables = [
        ("ANTEROOM_LISTEN", "192.0.2.1:8080"),
        ("ANTEROOM_AUTH__SECRET", "hunter2"),
        ("ANTEROOM_LOG", "loud=very"),
    ];
    let output = run(&["config", "check", "--data-dir", text(&file.join("data"))], &variables).await;
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]), "{output:?}");
    let said = String::from_utf8(output.stderr).expect("text");
    let codes: Vec<String> = said
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .inspect(|line| assert!(!line["fields"]["help"].as_str().expect("help").is_empty()))
        .map(|line| line["fields"]["code"].as_str().expect("a code").to_owned())
        .collect();
    let wrong = [
        "configuration_invalid",
        "secret_too_short",
        "tls_missing",
        "data_dir_unusable",
        "address_unavailable",
    ];
    assert_eq!(codes, wrong, "{said}");
    assert!(!said.contains("hunter2"), "a secret is never printed");
}

#[tokio::test]
async fn a_configuration_is_checked_beside_the_server_that_runs_on_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let address = free_address();
    let launcher = Launcher::new(BINARY, directory.path())
        .listen(&address)
        .env("ANTEROOM_METRICS_LISTEN", "127.0.0.1:0");
    let _server = launcher.start().await.expect("a server");
    let variables = [("ANTEROOM_LISTEN", address.as_str())];
    prints(&["config", "check", "--data-dir", text(directory.path())], &variables).await;
}
