#!/bin/bash
# A log that retention has cut: an edge that begins anew at it is not ready and says why, answers no
# question with "there is none", takes orders all the same; up does not fail for it, status does.
# tests/run: timeout 300
# tests/run: about 60
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start --patience 180 --log-max-bytes 200000 >"$TMPDIR/up.out"
url=http://127.0.0.1:$WARREN_BASE_PORT
expect 0 warren order --customer ada --line SPADE=1 --json
old=$(field "$said" .order_id)
is_cut() { { warren status --json || true; } | jq -e '.log.first_offset > 100'; }
"$build/warren" load --rate 40 --duration 600 --history "$TMPDIR/history" >"$TMPDIR/load.out" 2>&1 &
load=$!
suite_also_end() { kill "$load" 2>/dev/null || true; }
until_true 120 is_cut || fail "the log is not cut: $(warren status)"
kill "$load"
wait "$load" || true

echo "who has read it knows what was in it"
expect 0 warren status
bearer=$(warren token --customer ada)
answer() { curl -s -o "$TMPDIR/answer" -w '%{http_code}' -H "Authorization: Bearer $bearer" "$url$1"; }
[[ $(answer "/v1/orders/$old") == 200 ]] || fail "the old order: $(<"$TMPDIR/answer")"

begin_anew() {
    rm -f "$WARREN_HOME"/store/edge-read-1.db*
    expect 0 warren up --patience 180
    # An edge that has not yet heard the first message of the log may have said that it is ready.
    grep -q 'edge-service-1 .*ready' <<<"$said" || fail "up: $said"
    grep -q 'catalogue .*not looked at: it may be in the part of the log that is cut' <<<"$said" || fail "up: $said"
    [[ ${said##*$'\n'} == *'but for old orders'* ]] || fail "up: $said"
    expect 1 warren status --json
    [[ $(field "$said" '[.processes[] | select(.name == "edge-service") | .ready == false and (.reason | startswith("log: cut"))] == [true]') == true ]] || fail "status: $said"
    [[ $(field "$said" '[.processes[] | select(.ready)] | length') == 3 ]] || fail "status: $said"
}

echo "who has not, says so"
control stop edge-service-1 >/dev/null
begin_anew
[[ $(curl -s -o /dev/null -w '%{http_code}' "$url/readyz") == 503 ]] || fail "it is ready"
for path in "/v1/orders/$old" "/v1/orders/$old/events" /v1/orders /v1/products; do
    [[ $(answer "$path") == 503 ]] || fail "$path: $(<"$TMPDIR/answer")"
    grep -q 'log was cut' "$TMPDIR/answer" || fail "$path does not say why: $(<"$TMPDIR/answer")"
done
grep -q '"log-cut"' "$WARREN_HOME/log/edge-service-1.log" || fail "its log does not tell"

echo "new orders go through"
expect 0 warren order --customer ada --line SPADE=1 --json
new=$(field "$said" .order_id)
[[ $(answer "/v1/orders/$new") == 200 ]] || fail "the new order: $(<"$TMPDIR/answer")"

echo "another start does not fail for it either"
expect 0 warren up
expect 2 warren up --log-max-bytes 300000
expect 0 warren down
begin_anew
