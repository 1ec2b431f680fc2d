#!/usr/bin/env bash
# Everything that reads the code without running it: lock files, format, lints, documentation, dependencies.
#
# Security advisories are not among it: their database has to be fetched, and CI reaches the package registries and
# nothing else. On a machine that reaches it, `cargo deny check advisories` is the missing line.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

deny_version=0.20.2

lock_files() {
    cargo metadata --locked --format-version 1 >/dev/null
    cargo metadata --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null ||
        fail "fuzz/Cargo.lock is behind: cargo update --workspace --manifest-path fuzz/Cargo.toml brings it up"
    same_versions
}

# What is fuzzed is what is built: where both lock files have a package, the one of the fuzz targets pins no other version.
same_versions() {
    local others
    others=$(awk -F '"' '
        /^name = / { name = $2 }
        !/^version = "/ { next }
        NR == FNR { known[name]; pinned[name, $2]; next }
        name in known && !((name, $2) in pinned) { print "  " name " " $2 }
    ' Cargo.lock fuzz/Cargo.lock)
    [[ -z $others ]] || fail "fuzz/Cargo.lock has other versions than Cargo.lock of:
$others
cargo update --manifest-path fuzz/Cargo.toml NAME --precise VERSION brings it back."
}

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

step "the lock files fit the manifests, and each other" lock_files
step "format" format
step "lints" cargo clippy --workspace --all-targets -- -D warnings
step "documentation" documentation
step "dependencies" dependencies
