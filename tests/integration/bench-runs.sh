#!/bin/bash
# A short run of the bench from end to end: it measures, loses nothing, says so in its last line and
# leaves nothing running. Its figures mean nothing here.
# tests/run: timeout 600
# tests/run: about 100
set -euo pipefail
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
export WARREN_SOURCE=$source WARREN_BUILD=${WARREN_BUILD:-$source/build/check}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# holds FILTER: must be true of the figures.
holds() {
    jq -e "$1" "$TMPDIR/bench.json" >/dev/null || fail "not so: $1 of $(cat "$TMPDIR/bench.json")"
}

BENCH_ONLY="end-to-end intake half backlog growth" BENCH_SECONDS=1 BENCH_REPEAT=1 BENCH_PEAK=8 BENCH_BACKLOG=50 \
    BENCH_GROWTH="20 60" \
    BENCH_OUT=$TMPDIR/bench.json "$source/tests/bench/run" >"$TMPDIR/table"
[[ $(tail -n 1 "$TMPDIR/table") =~ ^bench:\ intake\ [0-9]+\.[0-9]{2}\ end-to-end\ [0-9]+\.[0-9]{2}$ ]] ||
    fail "the last line is: $(tail -n 1 "$TMPDIR/table")"
holds '.failed == 0 and .lost == 0'
holds '.end_to_end | .suite_per_s > 0 and .limit_per_s > 0'
holds '.intake | map(.outstanding) == [1, 32, 128, 512] and all(.suite_per_s > 0 and .limit_per_s > 0)'
holds '.half | .checked == .offered and .lost == 0 and .p99_ms > 0'
holds '.backlog.draining | .orders >= 50 and .per_s > 0 and .otherwise == 0'
holds '.growth | map(.stored) == [20, 60] and all(.suite_per_s > 0 and .small_per_s > 0)'

status=0
BENCH_ONLY=nonsense BENCH_OUT=$TMPDIR/none.json "$source/tests/bench/run" >/dev/null 2>&1 || status=$?
((status > 0)) || fail "it takes a nonsense for a measurement"
