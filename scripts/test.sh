#!/usr/bin/env bash
# Every test there is, from a fresh checkout: Rust, then the published documents against their specifications, then a talk
# between two clients of other authors, then what leaves the server by itself, then a client that is killed and resumes, then the page in a real browser. Installs what is missing where it may, and says what to install where it may not.
#
# CARGO_TARGET_DIR   where cargo builds, as for cargo itself
# CHROMIUM           the browser to use, if not the first of the usual names
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

rust_tests() {
    if cargo nextest --version >/dev/null 2>&1; then
        with_servers cargo nextest run --workspace
    else
        with_servers cargo test --workspace --tests
    fi
}

# The talk and the bargaining once more, each of the two on a node of its own: what one of them does reaches the other over PostgreSQL and Redis.
two_nodes() {
    local rooms='candidacy|contract|terms|offer|member|message|receipt|presence|standing|revocation|resume|changes|webhook|push'
    if cargo nextest --version >/dev/null 2>&1; then
        fleet two cargo nextest run -p anteroom --test it -E "test(/^($rooms)::/)"
    else
        fleet two cargo test -p anteroom --test it -- contract:: terms:: offer:: member:: receipt::
    fi
}

doc_tests() { cargo test --workspace --doc; }

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
need_postgres
need_redis
need_browser
demand

step "Rust tests" rust_tests
step "the talk on two nodes" two_nodes
step "the talk on two nodes that do not hear each other" deaf_tests
step "documentation tests" doc_tests

ANTEROOM_BIN=$(built anteroom)
CHROMIUM=$(find_chromium)
export ANTEROOM_BIN CHROMIUM

step "the published documents against their specifications" documents
step "a talk between two clients of other authors" tests/talk.sh
step "webhooks and push notifications, read by libraries of other authors" tests/reach.sh
step "a client in Java, written from the documents alone" tests/resume.sh
step "the page in $CHROMIUM" browser_tests
