#!/bin/bash
# One order end to end: confirmed, charged once, told; the audit finds nothing wrong, and nobody leaves
# the broker without a word.
# tests/run: quick
# tests/run: about 15
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start >"$TMPDIR/up.out"
warren order --customer alice --line CARROT-1KG=2 >"$TMPDIR/order.out" ||
    fail "the order: exit $?: $(cat "$TMPDIR/order.out")"
grep -q 'order.confirmed' "$TMPDIR/order.out" || fail "not confirmed: $(cat "$TMPDIR/order.out")"
warren audit >"$TMPDIR/audit.out" || fail "the audit: $(cat "$TMPDIR/audit.out")"
grep -qx 'verdict: clean' "$TMPDIR/audit.out" || fail "no verdict: $(cat "$TMPDIR/audit.out")"

# Whoever was connected has said goodbye.
expect 0 warren status
expect 0 warren down
! grep 'unexpectedly closed' "$WARREN_HOME/log/rabbitmq-server-1.log" || fail "somebody just left"
