# shellcheck shell=bash
# Sourced by the scripts beside it and by the ones in tests: what several of them need. Nothing here runs on its own.

say() { printf '%s\n' "$*"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }

# step TITLE COMMAND...: says what comes, does it, says how long it took. The first step that fails ends the script.
step() {
    local title=$1 began=$SECONDS
    shift
    printf '\n== %s\n' "$title"
    "$@"
    printf '== %s: done in %d s\n' "$title" $((SECONDS - began))
}

# ---- What has to be on the machine

missing=()
apt_updated=

# ensure WHAT PACKAGES TEST...: where TEST fails, installs Debian's PACKAGES if this user may, and else remembers
# WHAT. All that is missing is said at once, by `demand`, before anything slow begins.
ensure() {
    local what=$1 packages=$2
    shift 2
    if "$@" >/dev/null 2>&1; then return; fi
    if [[ $(id -u) -eq 0 ]] && command -v apt-get >/dev/null; then
        apt_install "$packages"
        if "$@" >/dev/null 2>&1; then return; fi
    fi
    missing+=("$what (Debian, as root: apt-get install $packages)")
}

apt_install() {
    local packages
    read -r -a packages <<<"$1"
    export DEBIAN_FRONTEND=noninteractive
    if [[ -z $apt_updated ]]; then
        say "installing what is missing, with apt-get"
        apt-get update -qq || return 0
        apt_updated=yes
    fi
    apt-get install -y -qq --no-install-recommends "${packages[@]}" || return 0
}

demand() {
    if [[ ${#missing[@]} -eq 0 ]]; then return; fi
    {
        say "Missing here, and not for this script to install:"
        printf '  - %s\n' "${missing[@]}"
    } >&2
    exit 1
}

# Rust is never installed from here: which toolchain a machine has is its owner's decision.
need_rust() {
    command -v cargo >/dev/null || missing+=("Rust, at the version that Cargo.toml names as rust-version, or newer")
    ensure "a C compiler, for SQLite and the cryptography" "gcc libc6-dev" command -v cc
}

need_python() {
    ensure "Python 3.11 or newer, with venv" "python3 python3-venv" \
        python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))'
}

need_node() {
    ensure "npm" "nodejs npm" command -v npm
    ensure "Node 20 or newer" "nodejs" node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'
}

need_java() {
    ensure "a JDK, 17 or newer" "default-jdk-headless" javac --release 17 --version
}

need_strace() {
    ensure "strace, for the test of a loss of power" "strace" command -v strace
}

# Debian keeps the server's programs out of the search path, and starts a server of its own when it installs them. The tests use the programs alone.
need_postgres() {
    ensure "PostgreSQL, its programs initdb, postgres and psql" "postgresql" find_postgres
}

find_postgres() { command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb'; }

need_redis() {
    ensure "redis-server" "redis-server" command -v redis-server
}

need_curl() {
    ensure "curl" "curl ca-certificates" command -v curl
}

need_browser() {
    ensure "Chromium or Chrome (or name one in CHROMIUM)" "chromium" find_chromium
}

find_chromium() {
    local name
    for name in "${CHROMIUM:-}" /usr/bin/chromium chromium chromium-browser google-chrome google-chrome-stable; do
        if [[ -n $name ]] && command -v "$name"; then return; fi
    done
    return 1
}

# ---- What cargo has built

# built NAME: builds all tests and prints the path of the program of this name among what they need. `cargo build` would build
# half of it once more, because the tests switch on features of some dependencies; asking in the words of the tests builds nothing.
built() {
    cargo test --workspace --no-run --message-format=json-render-diagnostics | python3 -c '
import json, sys
name = sys.argv[1]
def is_it(built):
    target = built.get("target", {})
    return target.get("name") == name and target.get("kind") == ["bin"] and not built["profile"]["test"]
programs = [built["executable"] for built in map(json.loads, sys.stdin) if is_it(built)]
print(programs[0] if programs else sys.exit(f"no tests have built {name}: are its tests gone?"))
' "$1"
}

# with_servers COMMAND...: all its processes share one PostgreSQL and one Redis, which end with it.
with_servers() {
    local load_tests
    load_tests=$(built anteroom-load-tests)
    "$load_tests" servers -- "$@"
}

# fleet KIND COMMAND...: a command with tests in it, whose servers are two nodes (`two`), or two that do not hear each other (`deaf`). Each
# test looks whether its own nodes heard each other, or did not; that there was something to be heard at all is looked at here.
fleet() {
    local kind=$1 tally
    shift
    tally=$(mktemp)
    ANTEROOM_TEST_FLEET=$kind ANTEROOM_TEST_TALLY=$tally with_servers "$@"
    awk -v kind="$kind" '
        { heard += $1; lost += $2; repaired += $3 }
        END {
            printf "%d pairs of nodes: %d publications heard, %d lost, %d entries repaired\n", NR, heard, lost, repaired
            exit kind == "two" ? !heard : heard || !lost || !repaired
        }' "$tally" || fail "that is not what $kind nodes do"
    rm "$tally"
}

# deaf_tests: those that scripts/deaf names, on two nodes that do not hear each other.
deaf_tests() {
    local names known name
    mapfile -t names < <(grep -v '^#' scripts/deaf)
    # A name that fits no test passes in silence: look first.
    known=$(cargo test --quiet -p anteroom --test it -- --list)
    for name in "${names[@]}"; do
        grep -qxF "$name: test" <<<"$known" || fail "scripts/deaf names $name, and no test is called that"
    done
    [[ ${#names[@]} -le 40 ]] || fail "scripts/deaf names ${#names[@]} tests: 40 at most"
    if cargo nextest --version >/dev/null 2>&1; then
        local filter
        filter=$(printf 'test(=%s)+' "${names[@]}")
        fleet deaf cargo nextest run -p anteroom --test it -E "${filter%+}"
    else
        fleet deaf cargo test -p anteroom --test it -- --exact "${names[@]}"
    fi
}

# where_it_listens PID OUTPUT: where the server of this process listens, whose port is the system's choice: it says so on its standard output.
where_it_listens() {
    local tries url
    for ((tries = 0; tries < 300; tries++)); do
        url=$(sed -n 's/^listening on \(http:[^ ]*\).*/\1/p' "$2")
        if [[ -n $url ]]; then
            printf '%s\n' "$url"
            return
        fi
        kill -0 "$1" 2>/dev/null || fail "the server ended before it listened"
        sleep 0.1
    done
    fail "the server did not listen within 30 s"
}

# ---- What the clients of other authors are kept in

target_dir() { printf '%s\n' "${CARGO_TARGET_DIR:-target}"; }

# npm_ci FOLDER: installs exactly what the lock file there names, unless that was done already.
npm_ci() {
    local lock=$1/package-lock.json stamp=$1/node_modules/.installed-lock.json
    if cmp -s "$lock" "$stamp"; then return; fi
    (cd "$1" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund)
    cp "$lock" "$stamp"
}

# pip_venv FOLDER REQUIREMENTS: the same for Python, in an environment of its own.
pip_venv() {
    local stamp=$1/installed-requirements.txt
    if cmp -s "$2" "$stamp"; then return; fi
    python3 -m venv --clear "$1"
    "$1/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$2"
    cp "$2" "$stamp"
}
