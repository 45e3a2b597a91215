#!/bin/bash
# Ready means moving: while another process holds the write lock of a store, its service says what it
# waits for (not ready, a metric, a log line), takes nothing wrongly for done, and goes on by itself.
# tests/run: timeout 300
# tests/run: about 40
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

holder=
let_go() {
    [[ -z $holder ]] || kill "$holder" 2>/dev/null || true
    [[ -z $holder ]] || wait "$holder" 2>/dev/null || true
    holder=
}
suite_also_end() { let_go; }

hold() { # DATABASE: until let_go
    python3 -c 'import signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
db.execute("BEGIN IMMEDIATE")
open(sys.argv[2], "w").close()
signal.pause()' "$WARREN_HOME/store/$1.db" "$TMPDIR/held-$1" &
    holder=$!
    until_true 30 test -e "$TMPDIR/held-$1" || fail "nobody holds $1.db"
}

port_of() {
    warren status --json | jq -r --arg name "$1" '.processes[] | select(.name == $name and .instance == 1) | .port'
}
answer_of() { # PORT PATH
    curl -s -m 5 "http://127.0.0.1:$1$2"
}
stalled() {
    [[ $'\n'$(answer_of "$port" '/readyz?verbose') == *$'\n'"stalled: transaction has stood still for "*locked* ]]
}
stands() {
    answer_of "$port" /metrics |
        awk '$1 == "warren_standing_still_seconds{what=\"transaction\"}" && $2 >= 5 { found = 1 } END { exit !found }'
}
ready() {
    [[ $(answer_of "$port" /readyz) == ready ]]
}
said_in_log() {
    grep -q "\"event\":\"$1\"" "$WARREN_HOME"/log/"$service"-service-1.log
}

place() {
    local status
    status=$(curl -s -m 12 -o "$TMPDIR/order" -w '%{http_code}' "http://127.0.0.1:$WARREN_BASE_PORT/v1/orders" \
        -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -d '{"lines":[{"sku":"SPADE","quantity":1}],"payment":{"token":"tok_visa"}}')
    [[ $status == 202 ]] || fail "an order: $status $(<"$TMPDIR/order")"
}

suite_start
token=$(warren token --customer alice)
for service in order payment notification; do
    port=$(port_of "$service-service")
    hold "$service"
    place
    until_true 60 stalled || fail "$service-service: $(answer_of "$port" '/readyz?verbose')"
    until_true 30 stands || fail "$service-service: $(answer_of "$port" /metrics | grep standing)"
    said_in_log standing-still || fail "$service-service has logged nothing"
    let_go
    until_true 60 ready || fail "$service-service: $(answer_of "$port" '/readyz?verbose')"
    until_true 30 said_in_log moving-again || fail "$service-service does not say that it moves"
done
expect 0 warren audit --settle 60
echo "${said##*$'\n'}"
