#!/bin/bash
# Every bad input gets a clear 4xx with a problem body, leaves no trace, and the edge lives on.
# tests/run: about 30
set -euo pipefail
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
export WARREN_BUILD=${WARREN_BUILD:-$source/build/check}
. "$source/tests/lib/ports.sh"
. "$source/tests/lib/broker.sh"
. "$source/tests/lib/edge.sh"
export TMPDIR=${TMPDIR:-$(mktemp -d)}

cases=0
failures=0
wrong() {
    echo "WRONG: $*"
    failures=$((failures + 1))
}

# expect STATUS WHAT: about the last answer.
expect() {
    cases=$((cases + 1))
    [[ $STATUS == "$1" ]] || wrong "$2: $STATUS instead of $1: $BODY"
    [[ $1 != 4* ]] && return
    [[ $TYPE == application/problem+json ]] || wrong "$2: content type $TYPE"
    [[ $BODY == '{"type":"urn:warren:problem:'*'"status":'"$1"',"detail":"'*'}' ]] ||
        wrong "$2: no problem: $BODY"
}

json=(-H 'Content-Type: application/json')
good='{"lines":[{"sku":"MUG-1","quantity":1}],"payment":{"token":"tok_visa"}}'

# bad_body WHAT TEXT: printf escapes allowed, so that any byte can be written.
bad_body() {
    printf '%b' "$2" >"$TMPDIR/input"
    bad_file "$1" "$TMPDIR/input" "${3-400}"
}
bad_file() {
    ask_as "$ALICE" POST /v1/orders "${json[@]}" --data-binary "@$2"
    expect "$3" "$1"
}

line() { # QUANTITY: an order with that as its quantity
    printf '{"lines":[{"sku":"MUG-1","quantity":%s}],"payment":{"token":"tok_visa"}}' "$1"
}

documents() {
    bad_body 'empty' ''
    bad_body 'blank' '  \n'
    bad_body 'not JSON' 'hello'
    bad_body 'a bare word' 'nul'
    bad_body 'cut off' '{"lines":[{"sku":"MUG-1"'
    bad_body 'trailing bytes' "$good x"
    bad_body 'two documents' "$good$good"
    bad_body 'a NUL behind the document' "$good\\0"
    bad_body 'a byte order mark' "\\xef\\xbb\\xbf$good"
    bad_body 'a trailing comma' '{"lines":[{"sku":"MUG-1","quantity":1,}],"payment":{"token":"tok_visa"}}'
    bad_body 'single quotes' "{'lines':[]}"
    bad_body 'a comment' "/* x */ $good"
    bad_body 'duplicate keys' '{"lines":[{"sku":"MUG-1","quantity":1,"quantity":2}],"payment":{"token":"tok_visa"}}'
    bad_body 'a duplicate key, escaped' '{"lines":[{"sku":"MUG-1","quantity":1,"q\\u0075antity":2}],"payment":{"token":"tok_visa"}}'
    bad_body 'an unknown field' '{"lines":[{"sku":"MUG-1","quantity":1}],"payment":{"token":"tok_visa"},"x":1}'
    bad_body 'an unknown field in a line' '{"lines":[{"sku":"MUG-1","quantity":1,"price":0}],"payment":{"token":"tok_visa"}}'
    bad_body 'no lines' '{"payment":{"token":"tok_visa"}}'
    bad_body 'no payment' '{"lines":[{"sku":"MUG-1","quantity":1}]}'
    bad_body 'empty lines' '{"lines":[],"payment":{"token":"tok_visa"}}'
    bad_body 'an array' '[]'
    bad_body 'a number' '1'
    bad_body 'null' 'null'
}

strings() {
    bad_body 'a NUL in a string' '{"lines":[{"sku":"MUG\\u0000-1","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'a raw NUL in a string' '{"lines":[{"sku":"MUG\0","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'a raw control character' '{"lines":[{"sku":"MUG\n","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'a lone high surrogate' '{"lines":[{"sku":"\\ud800","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'a lone low surrogate' '{"lines":[{"sku":"\\udc00x","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'bad UTF-8' '{"lines":[{"sku":"\\xff","quantity":1}],"payment":{"token":"tok_visa"}}'
    printf '{"lines":[{"sku":"\xc0\xaf","quantity":1}],"payment":{"token":"tok_visa"}}' >"$TMPDIR/input"
    bad_file 'overlong UTF-8' "$TMPDIR/input" 400
    printf '{"lines":[{"sku":"\xff","quantity":1}],"payment":{"token":"tok_visa"}}' >"$TMPDIR/input"
    bad_file 'bytes that are no UTF-8' "$TMPDIR/input" 400
    bad_body 'a SKU in lower case' '{"lines":[{"sku":"mug","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'an empty SKU' '{"lines":[{"sku":"","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'a SKU of 33' '{"lines":[{"sku":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","quantity":1}],"payment":{"token":"tok_visa"}}'
    bad_body 'a bad card' '{"lines":[{"sku":"MUG-1","quantity":1}],"payment":{"token":"4111"}}'
    bad_body 'a SKU twice' '{"lines":[{"sku":"MUG-1","quantity":1},{"sku":"MUG-1","quantity":2}],"payment":{"token":"tok_visa"}}'
}

# 1.0 and 1e0 are integers (JSON Schema says so too) and not in this list.
numbers() {
    local quantity
    for quantity in 0 -1 -0 1.5 1.0000001 15e-1 1001 9223372036854775808 18446744073709551616 1e400 \
        -9223372036854775809 01 +1 0x1 NaN '"1"' null true '[1]' '{}' ''; do
        bad_body "quantity $quantity" "$(line "$quantity")"
    done
}

times() { # NUMBER TEXT
    head -n "$1" < <(yes "$2") | tr -d '\n'
}

sizes() {
    local i
    {
        printf '{"lines":[{"sku":"A","quantity":1}'
        for ((i = 0; i < 50; i++)); do printf ',{"sku":"A%d","quantity":1}' "$i"; done
        printf '],"payment":{"token":"tok_visa"}}'
    } >"$TMPDIR/input"
    bad_file '51 lines' "$TMPDIR/input" 400
    { printf '{"lines":[' && times 100000 '{},' && printf '{}]}'; } >"$TMPDIR/input"
    bad_file '100000 lines' "$TMPDIR/input" 413
    times 100000 '[' >"$TMPDIR/input"
    bad_file '100000 levels' "$TMPDIR/input" 413
    times 60000 '[' >"$TMPDIR/input"
    bad_file '60000 levels' "$TMPDIR/input" 400
    { times 17 '[' && times 17 ']'; } >"$TMPDIR/input"
    bad_file '17 levels' "$TMPDIR/input" 400
    { printf '%s' "$good" && head -c 65537 /dev/zero | tr '\0' ' '; } >"$TMPDIR/input"
    bad_file 'over 64 KiB' "$TMPDIR/input" 413
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H 'Transfer-Encoding: chunked' --data-binary "@$TMPDIR/input"
    expect 413 'over 64 KiB in chunks'
    head -c 3000000 /dev/zero >"$TMPDIR/input"
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H 'Expect:' --data-binary "@$TMPDIR/input"
    [[ $STATUS == 000 ]] || expect 413 '3 MB'
}

headers() {
    local type
    for type in text/plain application/jsonx application/x-www-form-urlencoded application/json-patch+json; do
        ask_as "$ALICE" POST /v1/orders -H "Content-Type: $type" -d "$good"
        expect 415 "content type $type"
    done
    ask_as "$ALICE" POST /v1/orders -H 'Content-Type:' -d "$good"
    expect 415 'no content type'
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H "Idempotency-Key: $(printf 'k%.0s' {1..256})" -d "$good"
    expect 400 'a key of 256'
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H 'Idempotency-Key;' -d "$good"
    expect 400 'an empty key'
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H 'Idempotency-Key: a b' -d "$good"
    expect 400 'a blank in a key'
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H $'Idempotency-Key: k\xc3\xa9y' -d "$good"
    expect 400 'a key that is not ASCII'
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H 'Idempotency-Key: a' -H 'Idempotency-Key: b' -d "$good"
    expect 400 'two keys'
    for type in wait=-1 wait=x wait= wait=1.5 wait=3x; do
        ask_as "$ALICE" POST /v1/orders "${json[@]}" -H "Prefer: $type" -d "$good"
        expect 400 "Prefer: $type"
    done
}

who() {
    ask POST /v1/orders "${json[@]}" -d "$good"
    expect 401 'no token'
    [[ $HEADERS == *[Ww][Ww][Ww]-[Aa]uthenticate:\ Bearer* ]] || wrong 'no WWW-Authenticate'
    ask_as nonsense POST /v1/orders "${json[@]}" -d "$good"
    expect 401 'a wrong token'
    ask_as "wt_$(printf '0%.0s' {1..64})" POST /v1/orders "${json[@]}" -d "$good"
    expect 401 'a token of nobody'
    ask POST /v1/orders "${json[@]}" -H 'Authorization: Basic YTpi' -d "$good"
    expect 401 'another scheme'
    ask_as "$ALICE" PUT /v1/products/MUG-1 "${json[@]}" -d '{"name":"Mug","unit_price":1,"currency":"EUR"}'
    expect 403 'a customer on an admin route'
    ask_as "$ALICE" POST /v1/products/MUG-1/stock "${json[@]}" -d '{"delta":1}'
    expect 403 'a customer adding stock'
    ask_as "$ADMIN" POST /v1/orders "${json[@]}" -d "$good"
    expect 403 'an admin placing an order'
}

paths() {
    local id=00000000-0000-8000-8000-000000000000
    ask_as "$ALICE" GET /v1
    expect 404 'a part of a path'
    ask_as "$ALICE" GET /v1/order
    expect 404 'a path that is nearly one'
    ask_as "$ALICE" GET "/v1/orders/$id"
    expect 404 'an order of nobody'
    ask_as "$ALICE" GET "/v1/orders/$id%00x"
    expect 404 'a NUL in the path'
    ask_as "$ALICE" GET /v1/orders/x
    expect 404 'not an id'
    ask_as "$ALICE" GET "/v1/orders/$id/events"
    expect 404 'events of nobody'
    ask_as "$ALICE" POST "/v1/orders/$id/cancel"
    expect 404 'cancelling nothing'
    ask_as "$ALICE" POST "/v1/orders/$id/cancel" "${json[@]}" -d '{"x":1}'
    expect 400 'a body where none is taken'
    for id in DELETE PATCH PUT TRACE; do
        ask_as "$ALICE" $id /v1/orders
        expect 405 "$id"
        [[ $HEADERS == *'Allow: POST, GET, HEAD, OPTIONS'* ]] || wrong "$id: no Allow: $HEADERS"
    done
    ask_as "$ALICE" POST /v1/products "${json[@]}" -d '{}'
    expect 405 'POST on the catalogue'
    for id in limit=0 limit=101 limit=-1 limit=x limit= cursor= cursor=x \
        "cursor=$(printf 'f%.0s' {1..48})" "cursor=$(printf 'G%.0s' {1..48})"; do
        ask_as "$ALICE" GET "/v1/orders?$id"
        expect 400 "$id"
    done
}

catalogue() {
    local body
    for body in '{"name":"","unit_price":1,"currency":"EUR"}' '{"name":"M","unit_price":-1,"currency":"EUR"}' \
        '{"name":"M","unit_price":1000000001,"currency":"EUR"}' '{"name":"M","unit_price":1,"currency":"eur"}' \
        '{"name":"M","unit_price":1,"currency":"EUR","revision":0}' '{"sku":"X","name":"M","unit_price":1,"currency":"EUR"}' \
        '{"name":"M","unit_price":1.5,"currency":"EUR"}'; do
        ask_as "$ADMIN" PUT /v1/products/MUG-1 "${json[@]}" -d "$body"
        expect 400 "product $body"
    done
    ask_as "$ADMIN" PUT /v1/products/mug "${json[@]}" -d '{"name":"M","unit_price":1,"currency":"EUR"}'
    expect 400 'a bad SKU in the path'
    for body in '{"delta":0}' '{"delta":1000000001}' '{"delta":-1000000001}' '{}' '{"delta":"1"}'; do
        ask_as "$ADMIN" POST /v1/products/MUG-1/stock "${json[@]}" -d "$body"
        expect 400 "stock $body"
    done
}

trap edge_stop EXIT
edge_start

documents
strings
numbers
sizes
headers
who
paths
catalogue

[[ $(queue_depth order.commands) == 0 ]] || wrong 'something was published as a command'
[[ $(queue_depth events.log.1) == 0 ]] || wrong 'something was published as a fact'
[[ $(queue_depth warren.dead) == 0 ]] || wrong 'something is dead'
ask_as "$ALICE" GET /v1/orders
expect 200 'the list afterwards'
[[ $BODY == '{"orders":[],"next_cursor":null}' ]] || wrong "the list is not empty: $BODY"

# The other way round: a good one does leave its trace.
ask_as "$ALICE" POST /v1/orders "${json[@]}" -d "$good"
expect 202 'a good order'
[[ $(queue_depth order.commands) == 1 ]] || wrong 'the good order was not published'
kill -0 "$EDGE_PID" || wrong 'the edge is gone'

# Somebody in a hurry.
kill "$EDGE_PID"
wait "$EDGE_PID" || true
WARREN_RATE_PER_CALLER=1 edge_launch
for ((i = 0; i < 20; i++)); do
    ask_as "$ALICE" POST /v1/orders "${json[@]}" -H 'Idempotency-Key: hurry' -d "$good"
    [[ $STATUS != 429 ]] || break
done
expect 429 'too many orders'
[[ $HEADERS == *Retry-After:\ 1* ]] || wrong "429 without Retry-After: $HEADERS"

answers_are_as_described || wrong 'answers are not as openapi.yaml says'

echo "$cases cases, $failures wrong"
((failures == 0))
