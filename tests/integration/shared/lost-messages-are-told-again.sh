#!/bin/bash
# What a queue has lost is said again. How an order ended: notification-service asks for it by itself.
# An order of which payment-service has not heard: `warren retell --all-unsettled` tells it, and where
# that comes too late, the order's deadline has ended it. To say again what everybody has heard changes
# nothing.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

purge() { # QUEUE: of all that order-service has said, and the broker has confirmed
    until_true 30 is_row 0 order.db "SELECT count(*) FROM outbox" || fail "not said"
    broker_tool purge_queue --vhost warren "$1"
}
orders() {
    row order.db "SELECT count(DISTINCT order_id) FROM order_event"
}
place() { # CARD: in the background; the order is $id, its process $!
    local before
    before=$(orders)
    warren order --customer judy --line SPADE=1 --card "$1" >"$TMPDIR/order" 2>&1 &
    until_true 30 is_row "$((before + 1))" order.db "SELECT count(DISTINCT order_id) FROM order_event" ||
        fail "nothing is placed: $(<"$TMPDIR/order")"
    id=$(row order.db "SELECT order_id FROM order_event ORDER BY rowid DESC LIMIT 1")
}
told="SELECT count(*) FROM notification WHERE state = 'sent' AND order_id ="

control stop notification-service-1 >/dev/null
place tok_visa
wait $! || fail "not confirmed: $(<"$TMPDIR/order")"
purge notification.events
control start notification-service-1 >/dev/null
until_true 90 is_row 1 notification.db "$told '$id'" || fail "order $id: nobody was told"
grep -q '"event":"said-again".*order.confirmed' "$WARREN_HOME/log/order-service-1.log" ||
    fail 'order-service does not say that it has said it again'
lost=$id

control stop payment-service-1 >/dev/null
place tok_visa
customer=$!
purge payment.orders
control start payment-service-1 >/dev/null
expect 0 warren retell --all-unsettled
[[ $said =~ ^[0-9]+\ orders?\ told\ again$ ]] || fail "retell: $said"
wait "$customer" || [[ $? == 3 ]] || fail "it did not settle: $(<"$TMPDIR/order")" # 3: it was too late
until_true 30 is_row 1 notification.db "$told '$id'" || fail "order $id: nobody was told"

repeats() { # of both services that have facts of a confirmed order to repeat
    grep -ch '"event":"said-again"' "$WARREN_HOME"/log/{order,payment,notification}-service-1.log | awk "{ n += \$1 } END { print n }"
}
before=$(repeats)
expect 0 warren retell --order "$lost"
[[ $said == '1 order told again' ]] || fail "retell: $said"
has_repeats() { [[ $(repeats) -ge $1 ]]; }
until_true 30 has_repeats "$((before + 4))" || fail "placed, confirmed, captured, sent: not all said again"
is_row 1 notification.db "$told '$lost'" || fail "told twice"
is_row 2 order.db "SELECT count(*) FROM order_event WHERE order_id = '$lost'" || fail "it happened twice"

until_true 30 warren status || fail "$(warren status)"
expect 0 warren audit --settle 30
nothing_is_left() { [[ $(warren retell --all-unsettled) == '0 orders told again' ]]; }
until_true 30 nothing_is_left || fail "retell: $(warren retell --all-unsettled)"
expect 1 warren retell --order 00000000-0000-8000-8000-000000000000
