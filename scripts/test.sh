#!/usr/bin/env bash
# Every test there is, from a fresh checkout: Rust, then the published documents against their specifications, then a talk
# between two clients of other authors, then a client that is killed and resumes, then the page in a real browser. Installs what is missing where it may, and says what to install where it may not.
#
# CARGO_TARGET_DIR   where cargo builds, as for cargo itself
# CHROMIUM           the browser to use, if not the first of the usual names
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

rust_tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --workspace
    else
        cargo test --workspace --tests
    fi
}

doc_tests() { cargo test --workspace --doc; }

# Prints the path of the server that the tests above have built. `cargo build` would build half of it once more, because
# the tests switch on features of some dependencies; asking in the words of the tests builds nothing.
built_server() {
    cargo test --workspace --no-run --message-format=json-render-diagnostics | python3 -c '
import json, sys
def is_the_server(built):
    target = built.get("target", {})
    return target.get("name") == "anteroom" and target.get("kind") == ["bin"] and not built["profile"]["test"]
servers = [built["executable"] for built in map(json.loads, sys.stdin) if is_the_server(built)]
print(servers[0] if servers else sys.exit("no tests have built the server: is tests/it gone?"))
'
}

browser_tests() {
    npm_ci tests/browser
    (cd tests/browser && npx --no-install playwright test)
}

documents() {
    npm_ci tests/documents
    (cd tests/documents && npm test --silent)
}

need_rust
need_python
need_node
need_curl
need_java
need_strace
need_browser
demand

step "Rust tests" rust_tests
step "documentation tests" doc_tests

ANTEROOM_BIN=$(built_server)
CHROMIUM=$(find_chromium)
export ANTEROOM_BIN CHROMIUM

step "the published documents against their specifications" documents
step "a talk between two clients of other authors" tests/talk.sh
step "a client in Java, written from the documents alone" tests/resume.sh
step "the page in $CHROMIUM" browser_tests
