# shellcheck shell=bash
# What the edge of a whole suite answers is what openapi.yaml says, call by call.
set -euo pipefail
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck disable=SC2154
. "$source/tests/lib/edge.sh"

EDGE_URL=http://127.0.0.1:$WARREN_BASE_PORT
rm -f "$TMPDIR/answers.jsonl"
heidi=$(warren token --customer heidi)
admin=$(warren token --admin)
json=(-H 'Content-Type: application/json')

expect_status() { # STATUS WHAT
    [[ $STATUS == "$1" ]] || fail "$2: $STATUS instead of $1: $BODY"
}
place() { # SKU TOKEN [CURL OPTION...]
    local sku=$1 card=$2
    shift 2
    ask_as "$heidi" POST /v1/orders "${json[@]}" "$@" \
        -d "{\"lines\":[{\"sku\":\"$sku\",\"quantity\":1}],\"payment\":{\"token\":\"$card\"}}"
}
known() { # PATH: the edge has read it
    ask_as "$heidi" GET "$1"
    [[ $STATUS == 200 && $(field "$BODY" .status) == "$2" ]]
}

key=key-$RANDOM-$RANDOM
place SPADE tok_visa -H "Idempotency-Key: $key"
expect_status 202 'an order'
order=/v1/orders/$(field "$BODY" .order_id)
ask_as "$heidi" GET "$order"
expect_status 200 'the order right after'
until_true 20 known "$order" confirmed || fail "$order is not confirmed: $BODY"
place BOOTS tok_visa -H "Idempotency-Key: $key"
expect_status 422 'the key again with another basket'
place SPADE tok_visa -H 'Prefer: wait=20'
expect_status 200 'an order waited for'
[[ $(field "$BODY" .status) == confirmed ]] || fail "not confirmed: $BODY"
place NO-SUCH-THING tok_visa -H 'Prefer: wait=20'
expect_status 200 'an order of something unknown'
[[ $(field "$BODY" .status) == rejected ]] || fail "not rejected: $BODY"
rejected=/v1/orders/$(field "$BODY" .order_id)
ask_as "$heidi" GET "$order/events"
expect_status 200 'its events'
ask_as "$heidi" GET '/v1/orders?limit=2'
expect_status 200 'a page'
ask_as "$heidi" GET "/v1/orders?cursor=$(field "$BODY" .next_cursor)"
expect_status 200 'the next page'
ask_as "$heidi" POST "$order/cancel"
expect_status 202 'a cancel'
until_true 20 known "$order" cancelled || fail "$order is not cancelled: $BODY"
ask_as "$heidi" POST "$rejected/cancel" "${json[@]}" -d '{}'
expect_status 409 'a cancel of what was rejected'
ask_as "$heidi" GET /v1/orders/00000000-0000-8000-8000-000000000000
expect_status 404 'an order of nobody'
ask GET "$order"
expect_status 401 'nobody asks'
ask_as "$admin" GET "$order"
expect_status 403 'an administrator asks'
ask_as "$admin" PUT /v1/products/AS-DESCRIBED "${json[@]}" -d '{"name":"Thing","unit_price":100,"currency":"EUR"}'
expect_status 202 'a product'
ask_as "$admin" POST /v1/products/AS-DESCRIBED/stock "${json[@]}" -d '{"delta":5}'
expect_status 202 'its stock'
for path in /v1/products / /livez /readyz '/readyz?verbose' /metrics /openapi.yaml; do
    ask GET "$path"
    expect_status 200 "$path"
done
diff <(printf '%s\n' "$BODY") "$source/contracts/openapi.yaml" >/dev/null || fail "/openapi.yaml is not contracts/openapi.yaml"
ask DELETE /v1/products
expect_status 405 'another method'

"$source/tests/contracts/validate-openapi" --cover "$TMPDIR/answers.jsonl"
