# shellcheck shell=bash
# Functions for the other scripts: `. scripts/lib.sh` from the repository's root.

say() { printf '\n== %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

port_is_free() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A free port of 127.0.0.1, below the range of clients' own ports.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 10000))
        if port_is_free "$port"; then
            echo "$port"
            return
        fi
    done
    fail "found no free port between 20000 and 30000"
}

# wait_until SECONDS NAME COMMAND...: runs the command until it succeeds.
wait_until() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "waited in vain for $what"
        sleep 0.2
    done
}
