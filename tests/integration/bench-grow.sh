#!/bin/bash
# Stores that tests/bench/grow has filled are like those that orders have filled: the audit finds
# all promises held but the one about the stream, which has no facts of them; and the shop goes on.
# tests/run: about 40
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
# shellcheck source=tests/bench/ground.sh
. "$source/tests/bench/ground.sh"

suite_start >"$TMPDIR/up.out"
services_stop edge-service order-service payment-service notification-service
expect 0 "$build/tests/bench/grow" "$WARREN_HOME" 0 40
expect 0 "$build/tests/bench/grow" "$WARREN_HOME" 40 20
services_start edge-service order-service payment-service notification-service

expect 0 warren order --customer alice --line CARROT-1KG=2
expect 1 warren audit --json --settle 20
[[ $(field "$said" '.counts | [.orders, .captures, .notifications] | join(" ")') == "61 61 61" ]] ||
    fail "not 61 orders: $(field "$said" .counts)"
[[ $(field "$said" '.promises[] | select(.verdict == "violated") | .number') == 5 ]] ||
    fail "other promises are broken: $said"
[[ -z $(field "$said" '.promises[] | select(.number == 5) | .violations[] | select(test("never reached the stream|the log begins at|edge 1 is not what the log makes") | not)') ]] ||
    fail "more is wrong than that the stream knows nothing: $said"

# An edge that counts on from there, and an order that was made up, as it reads it.
order_id=$(sqlite3 -readonly "$WARREN_HOME/store/edge-read-1.db" 'SELECT order_id FROM orders ORDER BY placed_ms LIMIT 1')
customer=$(sqlite3 -readonly "$WARREN_HOME/store/edge-read-1.db" "SELECT customer FROM orders WHERE order_id = '$order_id'")
[[ $(sqlite3 -readonly "$WARREN_HOME/store/order.db" \
    "SELECT data ->> 'customer' FROM order_event WHERE order_id = '$order_id' AND version = 1") == "$customer" ]] ||
    fail "order-service knows another customer"
