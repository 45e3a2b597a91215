#!/bin/bash
# What a suite says of itself is true when something is wrong: bindings that vanish are seen within
# seconds by the service that misses them and by status, and are put back by up and by deploy; a
# message in quarantine, a service, the log and the broker are missed, and the rest is still told.
# tests/run: timeout 400
# tests/run: about 120
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start --patience 180 >"$TMPDIR/up.out"
inject() { "$build/tests/integration/inject" "$WARREN_HOME" "$WARREN_BASE_PORT" "$@"; }
readyz() { # OFFSET: the whole answer, and the status as the last line
    curl -s -w '%{http_code}' "http://127.0.0.1:$((WARREN_BASE_PORT + $1))/readyz?verbose"
}
says() { [[ $(readyz "$1") == *"$2"* ]]; }
is_ready() { [[ $(readyz "$1" | tail -n 1) == 200 ]]; }
is_right() { warren status >"$TMPDIR/right"; }
status() { # EXIT FILTER: a filter of jq that must be true
    expect "$1" warren status --json
    [[ $(field "$said" "$2") == true ]] || fail "not so: $2 in $said"
}

echo "a suite as declared"
status 0 '.bindings.verdict == "as declared" and .findings == [] and .log.readable and .ready and .quarantine["order-service"] == 0'
until_true 20 says 20 "bindings: as declared" || fail "order-service does not tell: $(readyz 20)"
until_true 20 says 0 "bindings: as declared" || fail "the edge does not tell: $(readyz 0)"

echo "a binding that vanishes is missed by who needs it, and comes back"
missing() { # OFFSET QUEUE EXCHANGE KEY COMMAND
    local words="binding $4 -> $2 is missing"
    inject --unbind "$2" "$3" "$4"
    until_true 15 says "$1" "$words" || fail "not missed: $(readyz "$1")"
    [[ $(readyz "$1" | tail -n 1) == 503 ]] || fail "ready without it: $(readyz "$1")"
    status 1 '.bindings.verdict == "wrong" and (.ready | not) and ([.findings[] | select(startswith("'"$words"'"))] | length) == 1'
    if [[ $5 == up ]]; then
        expect 1 warren audit --settle 1
        grep -qF "broker: $words" <<<"$said" || fail "audit: $said"
    fi
    # shellcheck disable=SC2086
    expect 0 warren $5
    until_true 15 is_ready "$1" || fail "not ready again: $(readyz "$1")"
}
missing 20 order.payments warren.events payment.captured up
is_ready 30 || fail "payment-service, which misses nothing: $(readyz 30)"
missing 40 notification.events warren.events order.confirmed deploy
grep -qF 'was: binding order.confirmed -> notification.events is missing' <<<"$said" || fail "deploy: $said"
missing 30 payment.commands warren.commands payment.close "deploy --json"
[[ $(field "$said" '.before.verdict, .after.verdict' | paste -sd,) == "wrong,as declared" ]] || fail "deploy: $said"
missing 0 events.log.1 warren.events '#' deploy
expect 0 warren deploy
[[ $said == "exchanges, queues and bindings are declared" ]] || fail "nothing was missing, and: $said"

echo "what is too much is a warning"
inject --bind order.payments warren.events nothing.of.ours
status 0 '.bindings.verdict == "as declared" and .bindings.findings[0].fault == "surplus"'
expect 0 warren status
grep -q 'warning: binding nothing.of.ours of warren.events -> order.payments' <<<"$said" || fail "status: $said"
inject --unbind order.payments warren.events nothing.of.ours

echo "an exchange of another type concerns everybody, and deploy does not force it"
inject --exchange warren.dead direct
until_true 15 says 0 "exchange warren.dead is of type direct, not fanout" || fail "$(readyz 0)"
expect 7 warren deploy
inject --exchange warren.dead ""
expect 0 warren deploy
until_true 15 is_right || fail "not right again: $(warren status)"

echo "what is in quarantine is shown"
echo '{' >"$TMPDIR/rubbish"
inject payment.orders order.placed "$TMPDIR/rubbish"
quarantined() { { warren status --json || true; } | jq -e '.quarantine["payment-service"] == 1'; }
until_true 15 quarantined || fail "not shown: $(warren status)"
status 1 '.ready and ([.findings[] | select(startswith("payment-service: 1 in quarantine"))] | length) == 1'
expect 0 warren quarantine drop --all
expect 0 warren status

echo "a service that does not run, and the warden"
control stop payment-service-1 warden-1 >/dev/null
status 1 '(.ready | not) and .broker.ready and .log.readable and ([.processes[] | select(.ready)] | length) == 3 and ([.findings[] | select(startswith("the warden does not run"))] | length) == 1'
expect 0 warren up
until_true 15 is_right || fail "not right again: $(warren status)"

echo "without the log"
inject --delete events.log.1
status 1 '(.log.readable | not) and (.log.reason | length) > 0 and .broker.ready and (.queues | length) == 7 and .log.queue == "events.log.1"'
expect 1 warren status
grep -q '^  log events.log.1, not readable: ' <<<"$said" || fail "status: $said"
expect 0 warren deploy
grep -qF 'was: queue events.log.1 is missing' <<<"$said" || fail "deploy: $said"
until_true 60 is_right || fail "not right again: $(warren status)"

echo "without the broker"
control stop rabbitmq-server-1 >/dev/null
status 1 '(.broker.ready | not) and (.log.readable | not) and (.processes | length) == 4 and .bindings.verdict == "not checked" and (.findings | length) > 2'
expect 5 warren deploy
