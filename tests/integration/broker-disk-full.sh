#!/bin/bash
# Another program's file takes the broker's disk to the last block under orders, and goes away. The node
# is ended, waits for room, and comes back by itself: the suite is ready again, and every order that was
# answered 202 is settled, charged once and told of. What the log lacks then is named by the audit and
# known (docs/operations.md, "The broker is up and useless"); nothing else may be.
# tests/run: timeout 600
# tests/run: about 120
set -euo pipefail
if [[ ${1-} != --inside ]]; then
    source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
    export TMPDIR=${TMPDIR:-$(mktemp -d)}
    exec "$source/scripts/small-store" "$TMPDIR/home" "$0" --inside
fi
build=${WARREN_PLAIN:-$(cd "$(dirname "$0")/../.." && pwd)/build}
export WARREN_BUILD=$build
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start
crowd_begin --rate 20
until_true 60 grep -q '"http":202' "$TMPDIR/history" || fail "nobody orders"

echo "full"
node=$(field "$(warren status --json)" .broker.pid)
filler=$WARREN_HOME/broker/of-another-program
fill() {
    cat /dev/zero >>"$filler" 2>/dev/null || true
}
fill
is_gone() {
    fill
    [[ ! -d /proc/$1 ]]
}
until_true 60 is_gone "$node" || fail "the node writes on a full disk"
until_true 30 grep -qs broker-disk-full "$WARREN_HOME/log/warden-1.log" || fail "the warden says nothing"
until_true 30 grep -qs broker-waits-for-room "$WARREN_HOME/log/rabbitmq-server-1.log" || fail "it does not wait for room"
if warren status >"$TMPDIR/status"; then fail "status is content: $(<"$TMPDIR/status")"; fi

echo "free"
rm "$filler"
until_true 240 warren status || fail "it does not come back: $(warren status)"
crowd_end

echo "judged"
warren audit --settle 60 --at-rest >"$TMPDIR/audit" || true
cat "$TMPDIR/audit"
for promise in 1 2 3 4 6 8; do
    grep -qE "^$promise  held " "$TMPDIR/audit" || fail "promise $promise"
done
grep -qE '^5  ' "$TMPDIR/audit" || fail "the log is not judged"
expect 0 warren order --customer ada --line SPADE=1
