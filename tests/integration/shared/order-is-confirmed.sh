#!/bin/bash
# An order with a good card is confirmed, charged once, and the customer is told.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

expect 0 warren order --customer grace --line CARROT-1KG=2 --line SPADE=1 --json
[[ $(field "$said" '[.events[].type] | sort | join(" ")') == "notification.sent order.confirmed order.placed payment.captured" ]] ||
    fail "other facts: $said"
[[ $(field "$said" .total) == 2988 ]] || fail "another price: $said"
[[ $(field "$said" '[.events[] | select(.source == "/order-service") | .sequence] | join(" ")') == "1 2" ]] ||
    fail "gaps: $said"

echo "for people"
expect 0 warren order --customer grace --line LETTUCE=1
for word in accepted order.placed payment.captured order.confirmed notification.sent; do
    grep -q " ms  $word " <<<"$said" || fail "no line about $word: $said"
done
[[ $(tail -n 1 <<<"$said") == confirmed ]] || fail "the last line: $said"
