#!/bin/bash
# Messages that the broker has confirmed, and then lost: a binding is gone, a queue is purged. Whoever
# waits for one asks again, payment says again what it has said, and the money is right in the end.
# tests/run: timeout 240
# tests/run: about 60
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start
token=$(warren token --customer crowd)
ask() { # PATH BODY [CURL OPTION...]: sets $answer
    answer=$(curl -fsS -m 10 -X POST -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        "${@:3}" -d "$2" "http://127.0.0.1:$WARREN_BASE_PORT/v1/$1") || fail "$1 is not accepted: $answer"
}
place() { # KEY: sets $order_id
    ask orders '{"lines":[{"sku":"SPADE","quantity":1}],"payment":{"token":"tok_visa"}}' \
        -H "Idempotency-Key: $1"
    order_id=$(field "$answer" .order_id)
}
# That is what its queue would have brought: said, and confirmed.
has_said() { # FACT-COLUMN
    is_row 1 payment.db "SELECT count(*) FROM payment WHERE $1 IS NOT NULL" &&
        is_row 0 payment.db "SELECT count(*) FROM outbox"
}
ends_as() { # ORDER TYPE REASON
    is_row "$2 $3" order.db "SELECT type || ' ' || json_extract(data, '\$.reason') FROM order_event
        WHERE order_id = '$1' ORDER BY version DESC LIMIT 1"
}
metric_of() { # PORT PATTERN: whether there is such a sample, and more than 0
    grep -qE "^$2 [1-9]" < <(curl -fsS -m 5 "http://127.0.0.1:$((WARREN_BASE_PORT + $1))/metrics")
}
nobody_waits() {
    is_row 0 order.db "SELECT count(*) FROM order_open"
}

# Nobody hears that the card was charged, nor, when it is said again, nor that it was paid back.
binding remove order.payments payment.captured
binding remove order.payments payment.refunded
place bindings
until_true 30 has_said outcome_fact_id || fail "nothing was captured"
ask "orders/$order_id/cancel" ''
said_again() {
    metric_of 30 'warren_repeats_total.type="payment.captured".'
}
until_true 30 said_again || fail "payment-service does not say again that it captured"
until_true 30 has_said outcome_fact_id || fail "and it is not confirmed"
is_row order.closing order.db "SELECT type FROM order_event ORDER BY version DESC LIMIT 1" ||
    fail "the order does not wait"
binding add order.payments payment.captured
until_true 60 ends_as "$order_id" order.cancelled after-payment || fail "the order stays where it was"
until_true 30 has_said refund_fact_id || fail "nothing was refunded"
is_row 1 order.db "SELECT count(*) FROM order_open" || fail "it has heard of the refund"
binding add order.payments payment.refunded
until_true 60 nobody_waits || fail "order-service waits on"
echo "without bindings: cancelled, charged and refunded"

# What payment-service was to do is purged from its queues: a refund, an order, its close.
place refund
until_true 30 is_row order.confirmed order.db "SELECT type FROM order_event WHERE version = 2 AND
    order_id = '$order_id'" || fail "the second order is not confirmed"
confirmed=$order_id
control stop payment-service-1 >"$TMPDIR/control.out"
ask "orders/$confirmed/cancel" ''
place close
ask "orders/$order_id/cancel" ''
all_asked() {
    is_row 2 order.db "SELECT count(*) FROM order_open" && is_row 0 order.db "SELECT count(*) FROM outbox"
}
until_true 30 all_asked || fail "nothing was asked of payment-service"
for queue in payment.orders payment.commands; do
    broker_tool purge_queue --vhost warren "$queue" >"$TMPDIR/purge.out" || fail "$queue: $(<"$TMPDIR/purge.out")"
done
control start payment-service-1 >"$TMPDIR/control.out"
until_true 60 nobody_waits || fail "order-service waits on: $(row order.db "SELECT count(*) FROM order_open")"
ends_as "$confirmed" order.cancelled after-payment || fail "the confirmed order is not cancelled"
ends_as "$order_id" order.cancelled before-payment || fail "the other one is not cancelled"
echo "with purged queues: one cancelled and refunded, one cancelled and never charged"

expect 0 warren audit --json --settle 30
counts=$(field "$said" '.counts | "\(.orders) orders, \(.captures) captures, \(.refunds) refunds"')
[[ $counts == "3 orders, 2 captures, 2 refunds" ]] || fail "$counts"
metric_of 20 'warren_repeats_total.type="payment.close".' || fail "no close was repeated"
metric_of 20 'warren_repeats_total.type="payment.refund".' || fail "no refund was repeated"
