#!/bin/bash
# load/run starts a suite when none is there, leaves a report of the load and no process; one that is
# there it uses and leaves running, and what the profile stopped is started again.
# 'warren load compare' reads the reports.
# tests/run: about 40
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib/suite.sh"
export WARREN_BUILD=$build
suite_place
run=$source/load/run

expect 0 "$run" steady --home "$WARREN_HOME" --out "$TMPDIR/a" --rate 20 --duration 2
[[ -z $(suite_left) ]] || fail "left running: $(suite_left)"
for name in report.html summary.json series.csv latency.csv history.jsonl; do
    [[ -s $TMPDIR/a/$name ]] || fail "no $name"
done
summary=$(<"$TMPDIR/a/summary.json")
[[ $(field "$summary" .verdict) == clean ]] || fail "not clean"
[[ $(field "$summary" '.totals.offered == .totals.accepted and .totals.accepted == .totals.settled') == true ]] ||
    fail "not every order was accepted and settled: $(field "$summary" .totals)"
[[ $(field "$summary" .latency.settle.count) == "$(field "$summary" .totals.settled)" ]] ||
    fail "the histogram holds another number of orders"
# One row a second, a head, and the seconds that it took to drain.
(($(wc -l <"$TMPDIR/a/series.csv") >= 3)) || fail "series.csv is too short"
awk -F, 'NR == 1 { cells = NF } NF != cells { exit 1 }' "$TMPDIR/a/series.csv" || fail "ragged series.csv"

# A suite that is there; payment-service is stopped for longer than the load lasts.
printf -- '--rate 20\n--duration 3\n--settle 60\n@at 1 stop payment-service-1\n@at 4 start payment-service-1\n' >"$TMPDIR/pause"
warren up
expect 0 "$run" "$TMPDIR/pause" --home "$WARREN_HOME" --out "$TMPDIR/b"
until_true 30 warren status || fail "the suite is not as it was"
summary=$(<"$TMPDIR/b/summary.json")
[[ $(field "$summary" '.fate.checked == .totals.sent and .fate.lost == 0') == true ]] ||
    fail "the fate of the orders: $(field "$summary" .fate)"
[[ $(field "$summary" '.latency.settle.max_us > 1000000') == true ]] ||
    fail "nobody noticed that payment-service stood still"

expect 0 warren load compare "$TMPDIR/a" "$TMPDIR/b/summary.json"
grep -q 'p99 to settled' <<<"$said" || fail "compared: $said"
expect 2 warren load compare "$TMPDIR/a"
expect 5 warren load compare "$TMPDIR/a" "$TMPDIR/nowhere"
echo '{}' >"$TMPDIR/none.json"
expect 5 warren load compare "$TMPDIR/none.json" "$TMPDIR/a"
