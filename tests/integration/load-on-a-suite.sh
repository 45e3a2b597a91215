#!/bin/bash
# warren load on a real suite: a clean run is clean by the audit's word too; orders that cannot settle
# are named; an edge that is killed in the middle loses nothing that was answered.
# tests/run: timeout 240
# tests/run: about 70
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"
OUT=$TMPDIR/out

summary() {
    jq -r "$1" "$OUT/summary.json"
}

is() { # WHAT WANTED GOT
    [[ $2 == "$3" ]] || fail "$1: $3 instead of $2"
}

suite_place
expect 5 warren load --rate 10 --duration 1
suite_start

expect 0 warren load --rate 30 --duration 5 --customers 2 --lines 2 --declined 200 --cancel 200 \
    --queries 6 --out "$OUT" --audit
is "sent" 150 "$(summary .totals.sent)"
is "accepted" 150 "$(summary .totals.accepted)"
is "settled, by the log" 150 "$(summary .totals.settled)"
is "settled, by their outcomes" 150 "$(summary '[.totals.outcomes[].count] | add')"
is "checked" 150 "$(summary .fate.checked)"
is "queries" "30 0" "$(summary '"\(.totals.queries) \(.totals.queries_failed)"')"
is "cancels that failed" 0 "$(summary .totals.cancels_failed)"
[[ $(summary '.totals.outcomes[] | select(.kind == "rejected: payment-declined") | .count') -gt 0 ]] ||
    fail "no card was declined"
[[ $(summary .totals.notified) -ge 150 ]] || fail "only $(summary .totals.notified) were notified"
# What came later cannot have come sooner.
jq -e '.latency | .accept.p50_us <= .settle.p50_us and .settle.p50_us <= .notify.p50_us' \
    "$OUT/summary.json" >/dev/null || fail "settled before it was accepted: $(summary -c .latency)"
for column in order.commands order-service-1 rabbitmq warren-load; do
    grep -q "$column" < <(head -n 1 "$OUT/series.csv") || fail "no $column in series.csv"
done
grep -q '^verdict: clean' <<<"$said" || fail "the audit does not say that it is clean"

# The same as an auditor from outside would do it.
expect 0 warren audit --settle 20 --history "$OUT/history.jsonl"

# Somebody looks while orders come in: they have their answer before the orders end.
warren load --rate 100 --duration 20 >"$TMPDIR/load.out" &
loader=$!
busy() { [[ $(warren status --json | jq .log.last_offset) -gt $1 ]]; }
until_true 20 busy 1500 || fail "$(warren status)"
kill -0 "$loader" || fail "warren status has waited for the orders to end"
wait "$loader" || fail "$(<"$TMPDIR/load.out")"

# An order of the run's own customer that no key of the run explains is doubled, and named.
rm -f "$OUT/history.jsonl"
warren load --rate 10 --duration 6 --out "$OUT" >"$TMPDIR/load.out" &
loader=$!
until_true 30 test -s "$OUT/history.jsonl" || fail "nothing is sent"
customer=load-$(head -n 1 "$OUT/history.jsonl" | jq -r '.key | split("-")[0]')-1
expect 0 warren order --customer "$customer" --line SPADE=1 --json
extra=$(field "$said" .order_id)
status=0
wait "$loader" || status=$?
is "exit" 1 "$status"
is "doubled" 1 "$(summary .fate.doubled)"
grep -q "doubled .*$extra" "$TMPDIR/load.out" || fail "$extra is not named: $(<"$TMPDIR/load.out")"

# Without order-service nothing settles: every order is named, none is called lost.
control stop order-service-1 >/dev/null
expect 1 warren load --rate 5 --duration 2 --settle 3 --out "$OUT"
is "accepted" 10 "$(summary .totals.accepted)"
is "settled" 0 "$(summary .totals.settled)"
is "never drained" null "$(summary .after.drain_us)"
is "lost or unsettled" 10 "$(summary '.fate.lost + .fate.unsettled')"
control start order-service-1 >/dev/null

# The edge is killed while orders come: what it had not answered is repeated with its key.
rm -f "$OUT/history.jsonl"
edge=$(pid_of edge-service)
warren load --rate 50 --duration 6 --until-accepted --allow-unknown --out "$OUT" >"$TMPDIR/load.out" &
loader=$!
has_accepted_some() {
    [[ -e $OUT/history.jsonl && $(grep -c '"result":"ok"' "$OUT/history.jsonl") -ge $1 ]]
}
until_true 30 has_accepted_some 20 || fail "no orders are accepted"
kill -KILL "$edge"
wait "$loader" || fail "a kill of the edge is not survived: $(<"$TMPDIR/load.out")"
is "accepted in the end" 300 "$(summary .totals.accepted)"
[[ $(summary '[.totals.errors[].count] | add // 0') -gt 0 ]] || fail "the kill was not noticed"
expect 0 warren audit --settle 30 --history "$OUT/history.jsonl"
