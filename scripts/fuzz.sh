#!/usr/bin/env bash
# Every fuzz target, one after the other: bytes from outside at random, guided by what they reach, until one breaks what
# the target promises. Not among `make test`, which replays fuzz/corpus/ through the same promises.
#
#   scripts/fuzz.sh [SECONDS]   each target for so long (600)
#
# FUZZ_TARGETS       the targets to run (all of fuzz/fuzz_targets)
# CARGO_TARGET_DIR   where cargo builds, as for cargo itself (fuzz/target)
#
# What a run finds is kept in the target folder, and the next one begins with it; what breaks a promise is written to
# fuzz/artifacts, and belongs into fuzz/corpus/TARGET with its repair. What else is worth keeping there, libFuzzer says:
#   cargo +nightly fuzz run --features server TARGET fuzz/corpus/TARGET FOUND -- -merge=1
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source scripts/common.sh

seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || fail "usage: scripts/fuzz.sh [SECONDS]"
if [[ -z ${FUZZ_TARGETS:-} ]]; then
    FUZZ_TARGETS=$(cd fuzz/fuzz_targets && printf '%s\n' *.rs | sed 's/\.rs$//')
fi
read -r -a targets <<<"${FUZZ_TARGETS//$'\n'/ }"
found=$(realpath -m "${CARGO_TARGET_DIR:-fuzz/target}/found")

# Each server that a target starts leaves its database behind when libFuzzer ends the process.
TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

build() { cargo +nightly fuzz build --features server; }

run() {
    mkdir -p "$found/$1"
    cargo +nightly fuzz run --features server "$1" "$found/$1" "fuzz/corpus/$1" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1
}

need_rust
cargo +nightly --version >/dev/null 2>&1 || missing+=("nightly Rust: rustup toolchain install nightly")
cargo fuzz --version >/dev/null 2>&1 || missing+=("cargo-fuzz: cargo install cargo-fuzz --locked")
demand

step "the fuzz targets, with the sanitizer" build
for target in "${targets[@]}"; do
    step "fuzzing $target for $seconds s" run "$target"
done
