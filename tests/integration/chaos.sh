#!/bin/bash
# A little seeded chaos on a private suite: every kind of fault is planned, reached and survived.
# Longer: CHAOS_SECONDS=600 CHAOS_SEED=1 tests/run integration/chaos
# tests/run: alone
# tests/run: timeout 900
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

expect 5 warren chaos --home "$TMPDIR/nothing" --duration 1
expect 2 warren chaos --home "$TMPDIR/nothing" --faults kill,boredom
expect 0 warren chaos --home "$TMPDIR/nothing" --plan --seed 7 --duration 600
first=$said
expect 0 warren chaos --home "$TMPDIR/nothing" --plan --seed 7 --duration 600
[[ $first == "$said" ]] || fail "the same seed, another plan"
expect 0 warren chaos --home "$TMPDIR/nothing" --plan --seed 8 --duration 600
[[ $first != "$said" ]] || fail "another seed, the same plan"

suite_start
warren chaos --seed "${CHAOS_SEED:-1}" --duration "${CHAOS_SECONDS:-35}" \
    --history "$TMPDIR/history" | tee "$TMPDIR/chaos.out"
for kind in kill stop broker-kill broker-stop alarm reset; do
    grep -qE "^$kind +[1-9]" "$TMPDIR/chaos.out" || fail "no $kind was planned"
done
