#!/bin/bash
# What the edge answers when all goes well, when the broker refuses, when it is silent, and after
# the edge itself was killed. All four services run.
# tests/run: timeout 200
# tests/run: about 20
set -euo pipefail
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
export WARREN_BUILD=${WARREN_BUILD:-$source/build/check}
. "$source/tests/lib/ports.sh"
. "$source/tests/lib/broker.sh"
. "$source/tests/lib/edge.sh"
export TMPDIR=${TMPDIR:-$(mktemp -d)}

failures=0
# is WHAT STATUS [GLOB OF THE BODY]
is() {
    # shellcheck disable=SC2053
    [[ $STATUS == "$2" && $BODY == ${3-*} ]] && return
    echo "WRONG: $1: $STATUS instead of $2: $BODY"
    failures=$((failures + 1))
}
has_header() {
    grep -qi "^$1" <<<"$HEADERS" && return
    echo "WRONG: no header $1: $HEADERS"
    failures=$((failures + 1))
}
order_of() { sed -n 's/.*"order_id":"\([^"]*\)".*/\1/p' <<<"$BODY"; }

json=(-H 'Content-Type: application/json')
order() { # SKU QUANTITY
    printf '{"lines":[{"sku":"%s","quantity":%d}],"payment":{"token":"tok_visa"}}' "$1" "$2"
}
place() { # KEY SKU QUANTITY [CURL OPTION...]
    local key=$1 body
    body=$(order "$2" "$3")
    shift 3
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H "Idempotency-Key: $key" -d "$body" "$@"
}

services=()
stop_all() {
    local pid
    for pid in "${services[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${services[@]}"; do wait "$pid" 2>/dev/null || true; done
    edge_stop
}
trap stop_all EXIT
edge_start

# Nobody works yet: what is accepted stays accepted.
place one MUG-1 1
is 'an order' 202 '{"order_id":"*","status":"accepted","command_id":"*"}'
id=$(order_of)
has_header "Location: /v1/orders/$id"
has_header 'Idempotency-Key: one'
has_header 'X-Content-Type-Options: nosniff'
has_header 'Cache-Control: no-store'
ask_as "$ALICE" GET "/v1/orders/$id"
is 'right after' 200 "{\"order_id\":\"$id\",\"status\":\"accepted\",\"version\":0,*"
ask_as "$BOB" GET "/v1/orders/$id"
is 'to another' 404
has_header 'Retry-After: '
place one MUG-1 1
is 'the same again' 202 "{\"order_id\":\"$id\",*"
place one MUG-1 2
is 'another under the key' 422 "*\"order_id\":\"$id\",\"idempotency_key\":\"one\"}"
place waiting MUG-1 1 -H 'Prefer: respond-async, wait=1'
is 'waited in vain' 202
ask_as "$ALICE" POST /v1/orders "${json[@]}" -d "$(order MUG-1 1)"
is 'without a key' 202
has_header 'Idempotency-Key: [0-9a-f-]\{36\}'

# Other methods.
ask_as "$ALICE" OPTIONS "/v1/orders/$id"
is OPTIONS 204 ''
has_header 'Allow: GET, HEAD, OPTIONS'
ask_as "$ALICE" HEAD "/v1/orders/$id"
is HEAD 200
ask GET /livez
is livez 200 'alive'
ask GET '/readyz?verbose'
is readyz 200 $'ready\nbus: up\n*'
ask GET /metrics
is metrics 200 '*warren_edge_commands_total{fate="confirmed"} 3*'
ask GET /openapi.yaml
is openapi.yaml 200

# Now they work: first the catalogue, then the orders that wait for it are unknown products.
for name in order payment notification; do
    "$WARREN_BUILD/$name-service/$name-service" --home "$EDGE_HOME" --base-port "$BASE_PORT" \
        --amqp-url "$BROKER_URL" >>"$TMPDIR/$name.log" 2>&1 &
    services+=($!)
done
ask_as "$ADMIN" PUT /v1/products/MUG-1 "${json[@]}" -d '{"name":"A \"mug\"","unit_price":700,"currency":"EUR"}'
is 'a product' 202 '{"sku":"MUG-1","status":"accepted","command_id":"*"}'
ask_as "$ADMIN" PUT /v1/products/MUG-1 "${json[@]}" -H 'Prefer: wait=20' -d '{"name":"A \"mug\"","unit_price":700,"currency":"EUR"}'
is 'a product, waited for' 200 '{"command_id":"*","type":"catalogue.set-product","about":"MUG-1","status":"done","reason":null}'
ask_as "$ADMIN" PUT /v1/products/MUG-1 "${json[@]}" -H 'Prefer: wait=20' -d '{"name":"Old","unit_price":1,"currency":"EUR","revision":1}'
is 'a stale revision' 409 '*urn:warren:problem:stale-revision*'
ask_as "$ADMIN" PUT /v1/products/MUG-1 "${json[@]}" -d '{"name":"New","unit_price":1,"currency":"EUR","revision":9007199254740991}'
is 'a revision far ahead' 422 '*urn:warren:problem:revision-too-far-ahead*'
ask_as "$ADMIN" POST /v1/products/MUG-1/stock "${json[@]}" -H 'Idempotency-Key: s' -d '{"delta":10}'
is stock 202
ask_as "$ADMIN" POST /v1/products/MUG-1/stock "${json[@]}" -H 'Idempotency-Key: s' -d '{"delta":10}'
is 'stock again' 202
ask_as "$ADMIN" POST /v1/products/MUG-1/stock "${json[@]}" -H 'Idempotency-Key: s' -d '{"delta":11}'
is 'another delta under the key' 422 '*urn:warren:problem:key-reused*'
ask_as "$ADMIN" POST /v1/products/GHOST/stock "${json[@]}" -H 'Prefer: wait=20' -d '{"delta":1}'
is 'stock of nothing' 404 '*urn:warren:problem:unknown-product*'
ask_as "$ADMIN" POST /v1/products/MUG-1/stock "${json[@]}" -H 'Prefer: wait=20' -d '{"delta":-11}'
is 'more than there is' 409 '*urn:warren:problem:stock-below-zero*'
refused=$(sed -E 's/.*"command_id":"([^"]*)".*/\1/' <<<"$BODY")
ask_as "$ADMIN" GET "/v1/commands/$refused"
is 'its fate' 200 "{\"command_id\":\"$refused\",*\"status\":\"refused\",\"reason\":\"stock-below-zero\"}"
ask_as "$ALICE" GET "/v1/commands/$refused"
is 'its fate, for another' 404 '*urn:warren:problem:no-such-command*'
in_stock() { ask GET /v1/products && [[ $BODY == *'"available":10}'* ]]; }
broker_until 30 in_stock || true
is catalogue 200 '{"products":\[{"sku":"MUG-1","name":"A \\"mug\\"","unit_price":700,"currency":"EUR","available":10}\]}'
place two MUG-1 2 -H 'Prefer: wait=20'
is 'waited for' 200 '*"status":"confirmed","version":2,"currency":"EUR","lines":\[{"sku":"MUG-1","name":"A \\"mug\\"","quantity":2,"unit_price":700,"amount":1400}\],"total":1400,"reason":null,*'
has_header 'Preference-Applied: wait=20'
two=$(order_of)
place two MUG-1 3
is 'another under a key read back' 422
ask_as "$ALICE" GET "/v1/orders/$two/events"
is timeline 200 '{"events":\[*"order.placed"*"payment.captured"*"order.confirmed"*\]}'
ask_as "$BOB" GET "/v1/orders/$two/events"
is "another's timeline" 404
ask_as "$ALICE" POST "/v1/orders/$two/cancel"
is cancel 202 "{\"order_id\":\"$two\",\"status\":\"accepted\",\"command_id\":*}"
cancelled() { ask_as "$ALICE" GET "/v1/orders/$two" && [[ $BODY == *'"status":"cancelled"'* ]]; }
broker_until 20 cancelled || is cancelled 200 '*"cancelled"*'
ask_as "$ALICE" POST "/v1/orders/$two/cancel"
is 'cancel of a cancelled' 409 "*\"order_id\":\"$two\"}"
ask_as "$ALICE" GET '/v1/orders?limit=3'
is 'a page' 200 '{"orders":\[{"order_id":"'"$two"'"*"next_cursor":"*"}'
cursor=$(sed -n 's/.*"next_cursor":"\([^"]*\)".*/\1/p' <<<"$BODY")
ask_as "$ALICE" GET "/v1/orders?limit=3&cursor=$cursor"
is 'the last page' 200 '*"next_cursor":null}'
ask_as "$BOB" GET "/v1/orders?cursor=$cursor"
is "another's cursor" 200 '{"orders":\[\],"next_cursor":null}'

# Poison in the stream, and a killed edge, change nothing.
"$EDGE_PROBE" poison "$BROKER_URL"
kill -9 "$EDGE_PID"
wait "$EDGE_PID" 2>/dev/null || true
edge_launch
ask_as "$ALICE" GET "/v1/orders/$two"
is 'after a kill' 200 '*"status":"cancelled"*'
place three MUG-1 1 -H 'Prefer: wait=20'
is 'an order after poison' 200 '*"confirmed"*'

# A broken read model is built again from the stream.
kill "$EDGE_PID"
wait "$EDGE_PID" || true
head -c 8192 /dev/urandom >"$EDGE_HOME/store/edge-read-1.db"
edge_launch
broker_until 20 cancelled || is 'after a rebuild' 200 '*"cancelled"*'
grep -q '"event":"read-model-rebuilt"' "$TMPDIR/edge.log" || is 'the log of a rebuild' 0

# A broker that is silent: unknown, with what is needed to repeat it. One that refuses: refused.
kill -STOP "$BROKER_PID"
place four MUG-1 1
is 'a silent broker' 504 '*"order_id":"*","idempotency_key":"four","command_id":"*"}'
has_header 'Retry-After: '
kill -CONT "$BROKER_PID"
ready() { ask GET /readyz && [[ $STATUS == 200 ]]; }
broker_until 60 ready
place four MUG-1 1 -H 'Prefer: wait=20'
is 'repeated' 200 '*"confirmed"*'
for pid in "${services[@]}"; do kill "$pid"; wait "$pid" || true; done
services=()
broker_ctl delete_queue -p warren order.commands
place five MUG-1 1
is 'no queue' 503
has_header 'Retry-After: '
ask_as "$ALICE" GET "/v1/orders/$(order_of)"
is 'and no order' 404
broker_kill
broker_gone_for_edge() { ask GET /readyz && [[ $STATUS == 503 ]]; }
broker_until 20 broker_gone_for_edge
place six MUG-1 1
is 'no broker' 503
ask_as "$ALICE" GET "/v1/orders/$two"
is 'queries without a broker' 200 '*"cancelled"*'

kill "$EDGE_PID"
wait "$EDGE_PID" && code=0 || code=$?
EDGE_PID=
[[ $code == 0 ]] || { echo "WRONG: the edge ended with $code"; failures=$((failures + 1)); }
answers_are_as_described || failures=$((failures + 1))
echo "$failures wrong"
((failures == 0))
