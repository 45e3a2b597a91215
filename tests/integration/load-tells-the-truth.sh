#!/bin/bash
# The load generator against a stub that behaves badly on purpose: what it says must be what happened.
# The exact figures come from the stub's own record and the schedule, which is known in advance.
# tests/run: alone
# tests/run: timeout 240
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/lib/suite.sh"
ports_take
PORT=$BASE_PORT
OUT=$TMPDIR/out
export WARREN_HOME=$TMPDIR/none
echo secret >"$TMPDIR/token"
stub_pid=
trap '[[ -z $stub_pid ]] || kill $stub_pid' EXIT

# Starts the stub; as it listens when it says its port, nothing has to wait for more.
stub() {
    : >"$TMPDIR/stub.out" # what the last one said must not be taken for this one's word
    "$build/tests/integration/edge_stub" --port "$PORT" "$@" >"$TMPDIR/stub.out" &
    stub_pid=$!
    until_true 20 grep -q . "$TMPDIR/stub.out" || fail "the stub does not start"
}

stub_ends() {
    kill "$stub_pid"
    wait "$stub_pid" || fail "the stub failed"
    stub_pid=
}

load() {
    warren load --url "http://127.0.0.1:$PORT" --token "$TMPDIR/token" --out "$OUT" "$@"
}

summary() {
    jq -r "$1" "$OUT/summary.json"
}

is() { # WHAT WANTED GOT
    [[ $2 == "$3" ]] || fail "$1: $3 instead of $2"
}

# --- a freeze of 2 s in 8 s at 50/s -------------------------------------------------------------

# Order n is due n * 20 ms after the first; the stub has written down when it answered. So the true
# latency of each is known, and so are its exact quantiles; the schedule's zero is in the report, by
# the clock that the stub has, too.
exact() { # MILLIONTHS: nearest rank
    awk -v begun="$begun_ns" -v part="$1" '
        { split($1, key, "-"); printf "%.0f\n", ($3 - begun - key[2] * 20000000) / 1000 }' "$TMPDIR/stub.log" |
        sort -n | awk -v part="$1" '{ v[NR] = $1 } END {
            at = NR * part / 1000000; rank = at == int(at) ? at : int(at) + 1; printf "%d\n", v[rank] }'
}
# Within the histogram's 1 %, and 50 ms for the way from the stub's clock to the generator's, on a
# machine that has other things to do. (Not p75: there the freeze begins, and one order more or less
# makes all the difference.)
close_to() { # WHAT TRUE SAID, in us
    awk -v a="$2" -v b="$3" 'BEGIN { d = a > b ? a - b : b - a; exit !(d <= a * 0.01 + 50000) }' ||
        fail "$1: $3 us instead of $2 us"
}
# With few connections what is due in the freeze cannot even be sent: its latency is the same.
for connections in 1024 4; do
    stub --freeze-at 3000 --freeze-for 2000 --log "$TMPDIR/stub.log"
    expect 0 load --rate 50 --duration 8 --settle 2 --connections "$connections"
    stub_ends
    is "orders sent" 400 "$(summary .totals.sent)"
    is "accepted" 400 "$(summary .totals.accepted)"
    is "mode" open-even "$(summary .plan.mode)"
    is "lines in the history" 400 "$(grep -c '"result":"ok"' "$OUT/history.jsonl")"
    begun_ns=$(summary .begun_ns)
    for pair in p50=500000 p90=900000 p95=950000 p99=990000 p999=999000; do
        close_to "${pair%=*}" "$(exact "${pair#*=}")" "$(summary ".latency.accept[\"${pair%=*}_us\"]")"
    done
    close_to max "$(exact 1000000)" "$(summary .latency.accept.max_us)"
    # Of a freeze that takes a quarter of the run, a tenth of all waits longer than 1.2 s.
    awk -v p="$(summary '.latency.accept["p90_us"]')" 'BEGIN { exit !(p > 1100000 && p < 1400000) }' ||
        fail "p90 is $(summary '.latency.accept["p90_us"]') us, and not about 1.2 s"
done

# --- what is lost, doubled, late, never settled ---------------------------------------------------

stub --lose 1000
expect 1 load --rate 1000 --duration 3 --settle 1
stub_ends
is "lost" 3 "$(summary .fate.lost)"
grep -qE '^  lost +00000000-0000-8000-8000-0000000003e7  key .*-[0-9]+$' <<<"$said" || fail "the first lost order is not named"
is "named" 3 "$(grep -c '^  lost ' <<<"$said")"

stub --double 1000
expect 1 load --rate 1000 --duration 2 --settle 1
stub_ends
is "doubled" 2 "$(summary .fate.doubled)"
grep -q 'doubled .*-0000000003e8 ' <<<"$said" || fail "the twin is not named"

stub --late 1000 --late-ms 4000
expect 1 load --rate 1000 --duration 2 --settle 1 --timeout 2000
is "without an answer" 2 "$(summary .fate.unanswered)"
is "timeouts" 2 "$(summary '.totals.errors[] | select(.kind == "timeout") | .count')"
is "of them there" 2 "$(summary .fate.unknown_existing)"
is "named" 2 "$(grep -cE '^  unanswered .*key .*-[0-9]+$' <<<"$said")"
expect 0 load --rate 1000 --duration 1 --settle 1 --timeout 2000 --allow-unknown
stub_ends

stub --stuck 500
expect 1 load --rate 500 --duration 2 --settle 1
stub_ends
is "unsettled" 2 "$(summary .fate.unsettled)"

# What was refused is no loss, and repeated with its key it is accepted.
stub --refuse 10
expect 0 load --rate 500 --duration 2 --settle 1
is "refused" 100 "$(summary .totals.refused)"
expect 0 load --rate 500 --duration 2 --settle 1 --until-accepted --again 20
is "accepted in the end" 1000 "$(summary .totals.accepted)"
is "history" 1000 "$(grep -c '"result":"ok"' "$OUT/history.jsonl")"
# A server that goes away: what was not sent is refused, what was is unknown; nothing hangs.
stub_ends
expect 5 load --rate 100 --duration 1 --settle 1

# --- 5,000 a second from one core ------------------------------------------------------------------

stub
expect 0 load --rate 5000 --duration 4 --settle 5
is "sent at 5,000/s" 20000 "$(summary .totals.sent)"
is "accepted" 20000 "$(summary .totals.accepted)"
# Processor time, and so no matter of who else is on the machine: a core has 200 us for each.
awk -v milli="$(summary .generator.cpu_milli)" 'BEGIN { exit !(milli > 0 && milli < 1000) }' ||
    fail "5,000/s cost $(summary .generator.cpu_milli) thousandths of a core"
# As fast as it can: that it is not fast enough is what it has to say.
expect 0 load --rate 400000 --duration 2 --settle 20 --timeout 1000
is "its own verdict" true "$(summary .generator.saturated)"
grep -q 'THE GENERATOR WAS THE BOTTLENECK' <<<"$said" || fail "the generator does not say so"
# A closed loop says that it is one.
expect 0 load --users 8 --think 5 --duration 2 --settle 2
is "mode" closed "$(summary .plan.mode)"
stub_ends

# --- told to end ------------------------------------------------------------------------------------

stub
rm -f "$OUT/history.jsonl"
"$build/warren" load --url "http://127.0.0.1:$PORT" --token "$TMPDIR/token" --out "$OUT" \
    --rate 1000 --duration 60 --settle 2 >"$TMPDIR/said" &
loader=$!
has_begun() {
    [[ -s $OUT/history.jsonl ]]
}
until_true 20 has_begun || fail "nothing is sent"
kill -INT "$loader"
wait "$loader" || fail "an interrupted run that lost nothing exits $?"
is "interrupted" true "$(summary .interrupted)"
grep -q '^fate of' "$TMPDIR/said" || fail "an interrupted run asks for no fates"
stub_ends
