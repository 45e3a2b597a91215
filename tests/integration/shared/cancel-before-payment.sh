#!/bin/bash
# A cancel while the provider is still at work: nothing is charged.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

url=http://127.0.0.1:$WARREN_BASE_PORT/v1/orders
token=$(warren token --customer grace)
id=$(curl -fsS "$url" -H "Authorization: Bearer $token" -H "Content-Type: application/json" \
    -d '{"lines":[{"sku":"BOOTS","quantity":1}],"payment":{"token":"tok_slow"}}' | jq -r .order_id)
placed() { curl -fsS "$url/$id" -H "Authorization: Bearer $token" | jq -e '.status == "placed"'; }
until_true 10 placed || fail "not placed"
expect 0 warren cancel --customer grace "$id"
grep -q '^cancelled' <<<"$said" || fail "$said"
events=$(curl -fsS "$url/$id/events" -H "Authorization: Bearer $token")
[[ $(field "$events" '[.events[].type] | map(select(startswith("payment."))) | join(" ")') == payment.closed ]] ||
    fail "payment said something else: $events"
expect 7 warren cancel --customer another "$id"
