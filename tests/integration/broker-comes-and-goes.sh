#!/bin/bash
# The scenarios in lifecycle/, one after another on one suite, under a crowd of customers: whatever
# happens to the broker, the suite comes back by itself, and in the end the audit finds every order
# that was answered 202.
#   tests/integration/broker-comes-and-goes.sh [NAME...]
# tests/run: timeout 900
# tests/run: about 200
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
# The allocator that finds errors keeps what is freed; here memory is measured.
export ASAN_OPTIONS=${ASAN_OPTIONS-}:quarantine_size_mb=4

suite_start >"$TMPDIR/up.out"
warren token --customer crowd --scope load >"$TMPDIR/token"
HISTORY=$TMPDIR/history
TOKEN=$(<"$TMPDIR/token")
status=$(warren status --json)
PORTS=$(field "$status" '.processes[].port')
NAMED_PORTS=$(field "$status" '.processes[] | "\(.name)=\(.port)"')
export HISTORY TOKEN PORTS NAMED_PORTS
crowd_begin --users 8 --think 100
export CROWD=$crowd
calm() {
    [[ -n $crowd ]] || return 0
    crowd_end || return 1
    crowd=
}
suite_also_end() { calm; }

failed=()
for scenario in "$(dirname "$0")"/lifecycle/*.sh; do
    name=$(basename "$scenario" .sh)
    [[ $# -eq 0 || " $* " == *" $name "* ]] || continue
    begun=$EPOCHREALTIME
    if bash "$scenario" >"$TMPDIR/$name.out" 2>&1; then verdict=ok; else verdict=FAIL; fi
    printf '%-4s  %-44s %6.1f s\n' "$verdict" "$name" \
        "$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')"
    [[ $verdict == ok ]] && continue
    failed+=("$name")
    sed 's/^/      | /' "$TMPDIR/$name.out"
done
[[ ${#failed[@]} == 0 ]] || fail "${failed[*]}"
calm
expect 0 warren audit --settle 90 --history "$HISTORY"
echo "$said"
