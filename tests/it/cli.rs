//! The command line: what it prints, what it refuses and with which words, how it ends.

use std::path::Path;
use std::process::Output;

use anteroom_load_tests::client::Http;
use anteroom_load_tests::server::Launcher;
use anteroom_protocol::user::UserProfile;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::support::process::{BINARY, command, run};
use crate::support::{SECRET, soon};

/// What a command that succeeds prints.
pub(crate) async fn prints(args: &[&str], variables: &[(&str, &str)]) -> String {
    let output = run(args, variables).await;
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// A command that fails says so in one line of the log's form, with this code, and ends with this number. Returns what is wrong and
/// what to do.
pub(crate) async fn fails(
    (code, exit): (&str, i32),
    args: &[&str],
    variables: &[(&str, &str)],
) -> (String, String) {
    failure((code, exit), &run(args, variables).await)
}

pub(crate) fn failure((code, exit): (&str, i32), output: &Output) -> (String, String) {
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(exit), &b""[..]), "{output:?}");
    let text = str::from_utf8(&output.stderr).expect("text");
    // A slow machine may warn before.
    let said: Vec<&str> = text.lines().filter(|line| !line.contains("\"WARN\"")).collect();
    assert_eq!(said.len(), 1, "{text}");
    let line: Value = serde_json::from_str(said[0]).expect("a line of JSON");
    assert_eq!((&line["level"], &line["fields"]["code"]), (&"ERROR".into(), &code.into()), "{line}");
    let word = |name: &str| line["fields"][name].as_str().expect("a text").to_owned();
    (word("message"), word("help"))
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[tokio::test]
async fn a_printed_token_is_believed_by_the_server_of_that_directory() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = text(directory.path());
    // Made before the server has ever run: both then use the same development secret.
    let service = prints(&["token", "--sub", "market", "--scope", "service", "--data-dir", place], &[]).await;
    let person = prints(&["token", "--sub", "ana", "--ttl-seconds", "60", "--data-dir", place], &[]).await;
    let server = Launcher::new(BINARY, directory.path()).start().await.expect("a server");
    let service = Http::new(server.base_url(), service.trim());
    service.put::<Value>("/v1/users/ana", &UserProfile::active("Ana")).await.expect("told");
    let me: Value = service.with_token(person.trim()).get("/v1/me").await.expect("believed");
    assert_eq!(me["user"], "ana");
    let secret = std::fs::metadata(directory.path().join("dev-secret")).expect("a secret");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&secret.permissions()) & 0o777, 0o600);
}

#[tokio::test]
async fn a_token_is_made_with_the_configured_secret_if_there_is_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let variables = [("ANTEROOM_AUTH__SECRET", SECRET)];
    let args = ["token", "--sub", "market", "--scope", "service", "--data-dir", text(directory.path())];
    let token = prints(&args, &variables).await;
    let launcher = Launcher::new(BINARY, directory.path()).env("ANTEROOM_AUTH__SECRET", SECRET);
    let server = launcher.start().await.expect("a server");
    let service = Http::new(server.base_url(), token.trim());
    service.put::<Value>("/v1/users/ana", &UserProfile::active("Ana")).await.expect("believed");
    assert!(!directory.path().join("dev-secret").exists(), "no other secret is made");
}

#[tokio::test]
async fn config_show_tells_what_the_flags_the_environment_and_the_file_come_to() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("anteroom.toml");
    let content = "data_dir = 'file'\nlog = 'file'\n[auth]\nissuer = 'file'\n[limits]\nresumes = 7\n";
    std::fs::write(&file, content).expect("written");
    let variables = [
        ("ANTEROOM_DATA_DIR", "environment"),
        ("ANTEROOM_LOG", "environment"),
        ("ANTEROOM_AUTH__SECRET", SECRET),
        ("ANTEROOM_CONFIG", text(&file)),
        ("ANTEROOM_NO_KEY_OF_OURS", "left alone"),
    ];
    let shown = prints(&["config", "show", "--data-dir", "flag"], &variables).await;
    assert!(!shown.contains(SECRET), "{shown}");
    let shown: toml::Table = shown.parse().expect("TOML");
    assert_eq!((shown["data_dir"].as_str(), shown["log"].as_str()), (Some("flag"), Some("environment")));
    assert_eq!(shown["auth"]["issuer"].as_str(), Some("file"));
    assert_eq!(shown["auth"]["secret"].as_str(), Some("(set)"));
    assert_eq!(shown["limits"]["resumes"].as_integer(), Some(7));
    assert_eq!(shown["limits"]["handshakes"].as_integer(), Some(256), "the default");
    let with_flag = ["config", "show", "--config", text(&file)];
    let shown: toml::Table = prints(&with_flag, &[]).await.parse().expect("TOML");
    assert_eq!(shown["data_dir"].as_str(), Some("file"));
}

#[tokio::test]
async fn what_the_command_line_does_not_know_ends_with_2() {
    for args in [&["--lissten", "x"][..], &["dance"], &["token"], &["token", "--sub", "a", "--scope", "god"]]
    {
        let output = run(args, &[]).await;
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_refused_by_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = text(directory.path());
    let file = directory.path().join("anteroom.toml");
    std::fs::write(&file, "lissten = '127.0.0.1:1'\n").expect("written");
    let invalid = ("configuration_invalid", 2);
    let (error, help) = fails(invalid, &["serve", "--config", text(&file)], &[]).await;
    assert!(error.contains("lissten") && help.contains("correct that key"), "{error}: {help}");
    let (error, _) = fails(invalid, &["serve", "--config", "/nonexistent/anteroom.toml"], &[]).await;
    assert!(error.contains("/nonexistent/anteroom.toml"), "{error}");
    let (error, _) = fails(invalid, &["serve", "--listen", "everywhere", "--data-dir", place], &[]).await;
    assert!(error.contains("listen"), "{error}");
    let filter = [("ANTEROOM_LOG", "loud=very")];
    let (error, help) =
        fails(invalid, &["serve", "--listen", "127.0.0.1:0", "--data-dir", place], &filter).await;
    assert!(error.contains("log: ") && help.contains("RUST_LOG"), "{error}: {help}");
    let (error, _) = fails(invalid, &["serve"], &[("ANTEROOM_DRAIN_SECONDS", "1000000")]).await;
    assert!(error.contains("drain_seconds"), "{error}");
}

#[tokio::test]
async fn the_development_secret_serves_nobody_from_elsewhere() {
    let directory = tempfile::tempdir().expect("a directory");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let args = ["serve", "--listen", address, "--data-dir", text(directory.path())];
        let (error, help) = fails(("secret_missing", 2), &args, &[]).await;
        assert!(error.contains(address), "{error}");
        assert!(help.contains("auth.secret") && help.contains("loopback"), "says what to do: {help}");
    }
}

#[tokio::test]
async fn a_short_secret_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let variables = [("ANTEROOM_AUTH__SECRET", "only thirty-one bytes, too short")];
    let short = [("ANTEROOM_AUTH__SECRET", &variables[0].1[1..])];
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", text(directory.path())];
    let token = ["token", "--sub", "ana", "--data-dir", text(directory.path())];
    for args in [&serve[..], &token] {
        let (error, help) = fails(("secret_too_short", 2), args, &short).await;
        assert!(error.contains("auth.secret") && error.contains("32"), "{error}");
        assert!(!error.contains(short[0].1) && !help.contains(short[0].1), "a secret is never printed");
    }
    prints(&token, &variables).await;
}

#[tokio::test]
async fn who_publishes_keys_makes_the_tokens_and_an_address_that_anybody_could_answer_for_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = text(directory.path());
    let variables = |url| [("ANTEROOM_AUTH__JWKS_URL", url), ("ANTEROOM_AUTH__ALGORITHM", "EdDSA")];
    let https = variables("https://market.example/jwks.json");
    let (error, _) = fails(("other", 1), &["token", "--sub", "ana", "--data-dir", place], &https).await;
    assert!(error.contains("tokens come from the marketplace"), "{error}");
    let shown: toml::Table = prints(&["config", "show"], &https).await.parse().expect("TOML");
    assert_eq!(shown["auth"]["algorithm"].as_str(), Some("EdDSA"));
    let http = variables("http://market.example/jwks.json");
    let (error, _) = fails(
        ("configuration_invalid", 2),
        &["serve", "--listen", "127.0.0.1:0", "--data-dir", place],
        &http,
    )
    .await;
    assert!(error.contains("jwks_url") && error.contains("https"), "{error}");
    let unknown = [https[0], ("ANTEROOM_AUTH__ALGORITHM", "none")];
    let (error, _) = fails(
        ("configuration_invalid", 2),
        &["serve", "--listen", "127.0.0.1:0", "--data-dir", place],
        &unknown,
    )
    .await;
    assert!(error.contains("none") && error.contains("auth.algorithm"), "{error}");
}

/// Starts the server with its demo, reads what it prints up to the last line of the demo, and ends it.
async fn demo(directory: &Path) -> (Vec<String>, Vec<Value>) {
    let args = ["--data-dir", text(directory), "serve", "--listen", "127.0.0.1:0"];
    let mut child = command(&args, &[("ANTEROOM_LOG", "error")]).spawn().expect("a server");
    let mut lines = BufReader::new(child.stdout.take().expect("output")).lines();
    let mut links = Vec::new();
    while links.len() < 2 {
        let line = soon("a line", lines.next_line()).await.expect("read").expect("a line");
        links.extend(line.contains("/#token=").then_some(line));
    }
    let mut seen = Vec::new();
    for link in &links {
        let url = link.split_whitespace().last().expect("a link");
        let (base, token) = url.split_once("/#token=").expect("a token");
        let http = Http::new(base, token);
        let me: Value = http.get("/v1/me").await.expect("believed");
        let invitations: Value = http.get("/v1/invitations").await.expect("a list");
        let page = http.raw("GET", "/", &[], None).await.expect("a page");
        assert!(page.status == 200 && page.content_type.starts_with("text/html"), "the link leads to a page");
        seen.push(serde_json::json!({"user": me["user"], "items": invitations["items"]}));
    }
    child.kill().await.expect("killed");
    (links, seen)
}

#[tokio::test]
async fn the_demo_is_seeded_once_and_its_links_open_the_door_at_every_start() {
    let directory = tempfile::tempdir().expect("a directory");
    let (links, first) = demo(directory.path()).await;
    assert!(links[0].starts_with("client ") && links[1].starts_with("freelancer "), "{links:?}");
    assert_eq!((&first[0]["user"], &first[1]["user"]), (&"clara".into(), &"felix".into()));
    for seen in &first {
        assert_eq!(seen["items"].as_array().expect("items").len(), 1);
        assert_eq!(seen["items"][0]["status"], "pending");
    }
    let (_, second) = demo(directory.path()).await;
    assert_eq!(second, first, "nothing is added at the next start");
}
