#!/bin/bash
# The queue of a consumer is deleted while it is empty: the service says so, waits for it, and takes
# it up again when 'warren up' has declared it.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
kill -STOP "$CROWD"
trap 'kill -CONT "$CROWD"' EXIT
expect 0 warren audit --settle 60
management DELETE queues/warren/order.payments
says() { grep -q "bus-down.*$1" < <(tail -n 5 "$WARREN_HOME/log/order-service-1.log"); }
until_true 10 says 'ended the consumer of order.payments' || says 404 || fail "it does not say what has happened"
until_true 20 says '404.*order.payments' || fail "it does not say what it waits for"
all_alive
warren up >"$TMPDIR/up-again" || fail "$(<"$TMPDIR/up-again")"
kill -CONT "$CROWD"
trap - EXIT
more_orders
expect 0 warren order --customer grace --line SPADE=1
