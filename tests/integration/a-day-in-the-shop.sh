#!/bin/bash
# The scenarios in shared/, each one behaviour, in one suite that none of them disturbs.
#   tests/integration/a-day-in-the-shop.sh [NAME...]
# tests/run: timeout 1200
# tests/run: about 230
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start >"$TMPDIR/up.out"
here=$(dirname "$0")/shared
failed=()
for scenario in "$here"/*.sh; do
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
