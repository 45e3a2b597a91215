#!/bin/bash
# Spans of an order reach a collector, each with its parent; one that stalls costs nothing but
# dropped spans.
# tests/run: about 20
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
python=/usr/bin/python3
collector=
suite_also_end() { [[ -z $collector ]] || kill "$collector"; }

collect() { # [stall PORT]
    rm -rf "$TMPDIR/otlp"
    mkdir -p "$TMPDIR/otlp"
    "$python" "$source/tests/lib/otlp_collector.py" "$TMPDIR/otlp" "$@" &
    collector=$!
    until_true 10 test -e "$TMPDIR/otlp/port" || fail "the collector does not start"
    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:$(<"$TMPDIR/otlp/port")/
    export OTEL_EXPORTER_OTLP_ENDPOINT
}
metric() { # PORT-OFFSET SELECTOR
    curl -sf "http://127.0.0.1:$((WARREN_BASE_PORT + $1))/metrics" >"$TMPDIR/metrics"
    "$python" "$source/tests/lib/prometheus.py" "$TMPDIR/metrics" "$2"
}

collect
# shellcheck disable=SC2119
suite_start >"$TMPDIR/up.out"
url=http://127.0.0.1:$WARREN_BASE_PORT
token=$(warren token --customer judy)
order() { # TRACEPARENT
    curl -sf "$url/v1/orders" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -H 'Prefer: wait=10' -H "traceparent: $1" \
        -d '{"lines":[{"sku":"LETTUCE","quantity":1}],"payment":{"token":"tok_visa"}}'
}
trace=4bf92f3577b34da6a3ce929d0e0e4736
unsampled=5bf92f3577b34da6a3ce929d0e0e4736
said=$(order "00-$trace-00f067aa0ba902b7-01")
[[ $(field "$said" .status) == confirmed ]] || fail "not confirmed: $said"
order "00-$unsampled-00f067aa0ba902b7-00" >/dev/null

# NAME PARENT: every hop of an order, as "span <- its parent's name".
wanted='POST /v1/orders <- caller
process warren.commands:order.place:order.commands <- send warren.commands:order.place
process warren.events:order.confirmed:notification.events <- send warren.events:order.confirmed
process warren.events:order.placed:payment.orders <- send warren.events:order.placed
process warren.events:payment.captured:order.payments <- send warren.events:payment.captured
send warren.commands:order.place <- POST /v1/orders
send warren.events:notification.sent <- process warren.events:order.confirmed:notification.events
send warren.events:order.confirmed <- process warren.events:payment.captured:order.payments
send warren.events:order.placed <- process warren.commands:order.place:order.commands
send warren.events:payment.captured <- process warren.events:order.placed:payment.orders'
hops() {
    jq -rs --arg trace "$trace" '[.[] | select(.traceId == $trace)] |
        (map({(.spanId): .name}) | add + {"00f067aa0ba902b7": "caller"}) as $names |
        .[] | "\(.name) <- \($names[.parentSpanId // ""] // "nobody")"' "$TMPDIR/otlp/spans" | LC_ALL=C sort
}
all_there() { [[ $(hops) == "$wanted" ]]; }
until_true 10 all_there || { diff <(hops) <(echo "$wanted"); fail "other spans"; }
! grep -q "$unsampled" "$TMPDIR/otlp/spans" || fail "a trace that nobody samples is exported"
jq -es 'all(.[]; (.startTimeUnixNano | tonumber) <= (.endTimeUnixNano | tonumber) and (.spanId | length) == 16)' \
    "$TMPDIR/otlp/spans" >/dev/null || fail "times or ids are wrong"
jq -es '.[] | select(.name == "process warren.commands:order.place:order.commands") |
    .attributes["messaging.system"] == "rabbitmq" and .attributes["messaging.operation.type"] == "process" and .service == "order-service"' \
    "$TMPDIR/otlp/spans" >/dev/null || fail "other attributes"
(($(metric 20 warren_spans_exported_total) > 0)) || fail "nothing is counted"

# One that stalls, in its place.
port=$(<"$TMPDIR/otlp/port")
kill "$collector"
wait "$collector" || true
collect stall "$port"
stalled() { [[ -e $TMPDIR/otlp/stalled ]]; }
slowest=0
for i in 1 2 3 4 5 6 7 8 9 10; do
    begun=$EPOCHREALTIME
    said=$(order "00-$trace-00f067aa0ba902b7-01")
    [[ $(field "$said" .status) == confirmed ]] || fail "order $i is not confirmed: $said"
    slowest=$(awk -v a="$begun" -v b="$EPOCHREALTIME" -v c="$slowest" 'BEGIN { d = b - a; print (d > c ? d : c) }')
    ((i != 5)) || until_true 10 stalled || fail "nobody has tried the collector"
done
echo "the slowest order took $slowest s"
awk -v s="$slowest" 'BEGIN { exit !(s < 2) }' || fail "a stalling collector slows orders: $slowest s"
dropped() { (($(metric 20 warren_spans_dropped_total) > 0)); }
until_true 15 dropped || fail "nothing is counted as dropped"
