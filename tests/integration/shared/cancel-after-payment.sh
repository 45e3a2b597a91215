#!/bin/bash
# A cancel after the order was confirmed: the money goes back, once; another cancel is refused.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

expect 0 warren order --customer grace --line UMBRELLA=2 --json
id=$(field "$said" .order_id)
expect 0 warren cancel --customer grace "$id"
grep -q 'the money went back' <<<"$said" || fail "no refund: $said"
expect 7 warren cancel --customer grace "$id"
token=$(warren token --customer grace)
events=$(curl -fsS "http://127.0.0.1:$WARREN_BASE_PORT/v1/orders/$id/events" -H "Authorization: Bearer $token")
[[ $(field "$events" '[.events[] | select(.type == "payment.refunded")] | length') == 1 ]] || fail "refunds: $events"
[[ $(field "$events" '[.events[] | select(.type == "payment.refunded") | .data.amount] | add') == 3580 ]] || fail "amount: $events"
