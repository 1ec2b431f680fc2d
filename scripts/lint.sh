#!/usr/bin/env bash
# Everything that reads the code without running it: lock file, format, lints, documentation, dependencies.
#
# Security advisories are not among it: their database has to be fetched, and CI reaches the package registries and
# nothing else. On a machine that reaches it, `cargo deny check advisories` is the missing line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

deny_version=0.20.2

lock_file() { cargo metadata --locked --format-version 1 >/dev/null; }

# The fuzz targets are a workspace of their own; what they check is formatted with the tests that replay it.
format() {
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check
}

documentation() {
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items
}

# The pinned cargo-deny if it is on the machine, else one of our own in the target folder. That is a debug build without
# debug information: on one core 2 min 14 s, against 5 min 35 s for a release build, for a check of 3 s.
dependencies() {
    local tools
    tools=$(realpath -m "$(target_dir)/tools")
    PATH=$tools/bin:$PATH
    if [[ $(cargo deny --version 2>/dev/null) != "cargo-deny $deny_version" ]]; then
        say "installing cargo-deny $deny_version into $(target_dir)/tools"
        CARGO_TARGET_DIR=$tools/build CARGO_PROFILE_DEV_DEBUG=0 \
            cargo install cargo-deny --version "$deny_version" --locked --debug --force --quiet --root "$tools"
        rm -rf "$tools/build"
    fi
    cargo deny check bans licenses sources
}

need_rust
demand

step "Cargo.lock fits the manifests" lock_file
step "format" format
step "lints" cargo clippy --workspace --all-targets -- -D warnings
step "documentation" documentation
step "dependencies" dependencies
