//! The law of the house, as a test: who may import whom, and how large a file may grow. It prints the rule that was broken and how to
//! mend it. Rules that the compiler or clippy can hold are not here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file before its unit tests. Above that, it is split by cause or by noun.
const FILE_LINES: usize = 400;

/// What a room of `src/` may import: of ours, and of the libraries that only some rooms may know.
struct Room {
    path: &'static str,
    ours: &'static [&'static str],
    libraries: &'static [&'static str],
}

/// The first row that fits a file's path is its rule.
const HOUSE: &[Room] = &[
    Room { path: "domain", ours: &["domain"], libraries: &[] },
    Room { path: "wire", ours: &["domain", "wire"], libraries: &["tokio_tungstenite"] },
    Room { path: "store/mod.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/change.rs", ours: &[], libraries: &[] },
    Room { path: "store/event.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/ledger.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/lookback.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/marker.rs", ours: &["domain"], libraries: &[] },
    Room { path: "store/moving.rs", ours: &["store"], libraries: &[] },
    Room { path: "store/outcome.rs", ours: &["domain"], libraries: &[] },
    Room { path: "store/push.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/transcript.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/marketplace.rs", ours: &["store"], libraries: &[] },
    Room { path: "store/webhook.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/views.rs", ours: &["domain", "store"], libraries: &[] },
    Room { path: "store/sql/", ours: &["domain", "store"], libraries: &["sqlx"] },
    Room { path: "store/queries/", ours: &["domain", "store"], libraries: &["sqlx", "futures_util"] },
    Room { path: "store/sqlite", ours: &["domain", "store"], libraries: &["sqlx", "tokio", "futures_util"] },
    Room { path: "store/postgres", ours: &["domain", "store"], libraries: &["sqlx", "tokio"] },
    Room {
        path: "bus/redis",
        ours: &["domain", "store", "telemetry", "failpoint", "bus"],
        libraries: &["redis", "futures_util", "tokio", "tokio_util"],
    },
    Room { path: "bus", ours: &["domain", "store", "bus"], libraries: &["tokio"] },
    Room {
        path: "hub",
        ours: &["store", "wire", "domain", "telemetry", "hub"],
        libraries: &["dashmap", "tokio"],
    },
    Room {
        path: "app",
        ours: &[
            "domain",
            "store",
            "bus",
            "hub",
            "wire",
            "outbound",
            "clock",
            "telemetry",
            "failpoint",
            "app",
        ],
        libraries: &["governor", "tokio", "tokio_util"],
    },
    Room {
        path: "ws",
        ours: &["app", "hub", "wire", "domain", "store", "http::error", "drain", "peer", "ws"],
        libraries: &[
            "axum",
            "hyper",
            "hyper_util",
            "tokio",
            "tokio_rustls",
            "tokio_tungstenite",
            "tokio_util",
            "futures_util",
        ],
    },
    Room {
        path: "http",
        ours: &["app", "domain", "store", "telemetry", "drain", "peer", "http"],
        libraries: &["axum", "futures_util", "tokio", "tower_http"],
    },
    Room {
        path: "server/accept.rs",
        ours: &["ws"],
        libraries: &["axum", "hyper", "hyper_util", "tokio", "tokio_util"],
    },
    Room { path: "server/tls/", ours: &["config", "ws"], libraries: &["tokio", "tokio_rustls"] },
    Room { path: "server/keeping.rs", ours: &["config", "start", "store"], libraries: &[] },
    Room {
        path: "server/neighbours.rs",
        ours: &["app::follow", "app::telling", "bus", "config", "hub::elsewhere", "start", "telemetry"],
        libraries: &["tokio_util"],
    },
    Room {
        path: "server/way_out.rs",
        ours: &["app::push", "app::webhook", "config", "outbound", "start", "store"],
        libraries: &[],
    },
    Room { path: "server/address.rs", ours: &["peer"], libraries: &["axum"] },
    Room { path: "outbound", ours: &["outbound"], libraries: &["reqwest", "tokio"] },
    Room { path: "web", ours: &["web"], libraries: &["axum"] },
    Room { path: "clock.rs", ours: &[], libraries: &[] },
    Room {
        path: "jwks.rs",
        ours: &["app::App", "app::identity", "telemetry"],
        libraries: &["reqwest", "tokio", "tokio_util"],
    },
    Room { path: "issuers.rs", ours: &["app::identity", "config", "jwks"], libraries: &[] },
    Room { path: "config/", ours: &["domain::policy"], libraries: &["config"] },
    Room { path: "peer.rs", ours: &[], libraries: &[] },
    Room { path: "drain.rs", ours: &[], libraries: &["tokio_util"] },
    Room { path: "failpoint.rs", ours: &[], libraries: &[] },
    Room { path: "logging.rs", ours: &[], libraries: &["prometheus_client", "tracing_subscriber"] },
    Room { path: "start.rs", ours: &["config", "issuers", "store", "telemetry"], libraries: &[] },
    Room { path: "cli/health", ours: &["cli"], libraries: &["reqwest", "tokio_rustls"] },
    Room { path: "cli/", ours: &["cli"], libraries: &["tokio"] },
    Room {
        path: "telemetry.rs",
        ours: &["hub", "logging"],
        libraries: &["prometheus_client", "tracing_subscriber"],
    },
];

/// Libraries that are kept in some rooms. Anything else may be used anywhere.
const KEPT: &[&str] = &[
    "axum",
    "config",
    "dashmap",
    "futures_util",
    "governor",
    "hyper",
    "hyper_util",
    "prometheus_client",
    "redis",
    "reqwest",
    "sqlx",
    "tokio",
    "tokio_rustls",
    "tokio_tungstenite",
    "tokio_util",
    "tower_http",
    "tracing_subscriber",
];

#[test]
fn nothing_imports_what_its_room_must_not_know() {
    let mut broken = Vec::new();
    for file in sources(&root().join("src")) {
        let name = file.strip_prefix(root().join("src")).expect("below src").to_string_lossy().into_owned();
        let Some(room) = HOUSE.iter().find(|room| name.starts_with(room.path)) else { continue };
        let text = production(&file);
        for import in imports(&text) {
            let ours = import.strip_prefix("crate::");
            let allowed = match ours {
                Some(path) => {
                    room.ours.iter().any(|ours| path == *ours || path.starts_with(&format!("{ours}::")))
                }
                None => {
                    let library = import.split("::").next().unwrap_or_default();
                    !KEPT.contains(&library) || room.libraries.contains(&library)
                }
            };
            if !allowed {
                broken.push(format!(
                    "src/{name} imports {import}: {} may know {:?} and {:?}",
                    room.path, room.ours, room.libraries
                ));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "move the code to the room that may know it, or argue for another law:\n{}",
        broken.join("\n")
    );
}

#[test]
fn every_source_file_has_a_room() {
    let roomless: Vec<String> = sources(&root().join("src"))
        .iter()
        .map(|file| file.strip_prefix(root().join("src")).expect("below src").to_string_lossy().into_owned())
        .filter(|name| !HOUSE.iter().any(|room| name.starts_with(room.path)))
        .collect();
    assert_eq!(roomless, ["lib.rs", "main.rs", "server/mod.rs"], "give a new folder its row in HOUSE");
}

#[test]
fn every_file_says_what_lives_in_it_and_fits_in_the_head() {
    let mut broken = Vec::new();
    for folder in ["src", "protocol/src", "load-tests/src", "protocol/tests", "tests"] {
        for file in sources(&root().join(folder)) {
            let name = file.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).expect("a readable file");
            if !text.starts_with("//!") {
                broken.push(format!("{name}: begin it with `//!` and what lives here"));
            }
            let lines = production(&file).lines().count();
            if folder.ends_with("src") && lines > FILE_LINES {
                broken.push(format!(
                    "{name}: {lines} lines, of at most {FILE_LINES}; split it by cause or by noun"
                ));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn one_noun_has_one_name_in_every_layer() {
    let nouns = [
        "candidacy",
        "contract",
        "fee",
        "invitation",
        "job",
        "ledger",
        "member",
        "message",
        "offer",
        "proposal",
        "report",
        "room",
        "terms",
        "user",
    ];
    let mut missing = BTreeSet::new();
    for noun in nouns {
        for layer in ["protocol/src", "src/domain", "src/app"] {
            let file = root().join(layer).join(format!("{noun}.rs"));
            if !file.exists() && !file.with_extension("").join("mod.rs").exists() {
                missing.insert(format!("{layer}/{noun}.rs"));
            }
        }
    }
    assert!(missing.is_empty(), "a noun keeps its file name: {missing:?}");
}

/// A document that names a test is true as long as the test is there.
#[test]
fn every_fault_has_the_test_that_its_row_names() {
    let document = fs::read_to_string(root().join("docs/faults.md")).expect("the document");
    let rows = document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| fault"));
    let named: Vec<&str> = rows
        .filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next())
        .flat_map(|cell| cell.split(", "))
        .map(|name| name.trim_matches('`'))
        .collect();
    assert!(named.len() > 40, "{named:?}");
    let all: Vec<(String, String)> = ["src", "tests/it"]
        .iter()
        .flat_map(|folder| sources(&root().join(folder)))
        .map(|file| (file.to_string_lossy().into_owned(), fs::read_to_string(&file).expect("a file")))
        .collect();
    let missing: Vec<&&str> = named
        .iter()
        .filter(|name| {
            let (module, test) = name.rsplit_once("::").unwrap_or(("", name));
            let module = module.replace("::", "/");
            let anywhere = module.is_empty();
            let files = [format!("{module}.rs"), format!("{module}/mod.rs")];
            let stands = format!("fn {test}(");
            let fits = |text: &str| test == "*" || text.contains(&stands);
            !all.iter()
                .any(|(path, text)| (anywhere || files.iter().any(|file| path.ends_with(file))) && fits(text))
        })
        .collect();
    assert!(missing.is_empty(), "docs/faults.md names tests that are not there: {missing:#?}");
}

/// The law is only as good as the eyes that look for its breach.
#[test]
fn every_way_to_import_is_seen() {
    let text = "use crate::{http, web};\nuse sqlx::Row;\n// use redis::Client;\nfn f() { crate::ws::g(tokio::spawn(h())) }\n";
    let seen = imports(text);
    for path in ["crate::http", "crate::web", "sqlx::Row", "crate::ws::g", "tokio"] {
        assert!(seen.iter().any(|import| import == path), "{path} in {seen:?}");
    }
    assert!(!seen.iter().any(|import| import.starts_with("redis")), "a comment imports nothing: {seen:?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, in order. Build output and packages of other languages are no sources.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && !["target", "node_modules"].contains(&name.as_str()) {
                folders.push(path);
            } else if name.ends_with(".rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text before the unit tests.
fn production(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a readable file");
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()
}

/// The paths that `use` lines name, with one level of braces opened, and the qualified paths of ours in the code.
fn imports(text: &str) -> Vec<String> {
    let mut imports = Vec::new();
    let code: String =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for statement in code.split("use ").skip(1).filter_map(|rest| rest.split_once(';')).map(|(path, _)| path)
    {
        match statement.split_once('{') {
            Some((base, items)) => {
                imports.extend(
                    items.trim_end_matches('}').split(',').map(|item| format!("{base}{}", item.trim())),
                );
            }
            None => imports.push(statement.trim().to_owned()),
        }
    }
    let mut rest = code.as_str();
    while let Some(at) = rest.find("crate::") {
        rest = &rest[at..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        imports.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    for library in KEPT {
        if code.contains(&format!("{library}::")) && !code.contains(&format!("::{library}::")) {
            imports.push((*library).to_owned());
        }
    }
    imports
}
