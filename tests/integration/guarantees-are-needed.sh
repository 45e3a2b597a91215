#!/bin/bash
# A test of the tests: with a guarantee switched off, and the one thing done to the suite that it
# guards against, the audit finds the broken promise. An audit that stayed clean here would be of no
# use elsewhere.
#   GUARANTEES=all tests/run guarantees     every one; otherwise a few, for the time it takes
# tests/run: timeout 600
# tests/run: about 120
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

# GUARANTEE  PROMISE THAT BREAKS  HOW
cases='
outbox              5 kill order-service publish-before
ack-after-commit    1 kill order-service commit-before
stable-provider-key 3 kill payment-service ledger-after
rescan              6 kill order-service publish-before
sent-when-confirmed 5 lose
confirms            5 lose
mandatory           1 unroutable
inbox               3 adjust
version-check       5 cancel
repeat-close        1 purge close order.closing
repeat-refund       3 purge refund order.cancelled
say-again           1 unheard
reconcile           4 forget
'
chosen=${GUARANTEES:-outbox ack-after-commit stable-provider-key inbox version-check say-again}
[[ $chosen == all ]] && chosen=$(awk '{print $1}' <<<"$cases")

token=
order_id=
ask() { # PATH BODY [CURL OPTION...]: sets $answer
    [[ -z $2 ]] || set -- "$@" -H 'Content-Type: application/json'
    answer=$(curl -sS -m 10 -X POST -w '\n%{http_code}' -H "Authorization: Bearer $token" \
        "${@:3}" -d "$2" "http://127.0.0.1:$WARREN_BASE_PORT/v1/$1")
    [[ ${answer##*$'\n'} == 202 ]] || fail "$1 is not accepted: $answer"
    answer=${answer%$'\n'*}
}
place() { # KEY CARD: sets $order_id
    ask orders "{\"lines\":[{\"sku\":\"SPADE\",\"quantity\":1}],\"payment\":{\"token\":\"$2\"}}" \
        -H "Idempotency-Key: $1"
    order_id=$(field "$answer" .order_id)
    jq -nc --arg key "$1" --arg id "$order_id" --argjson now "$(date +%s%N)" \
        '{op: "place", key: $key, order_id: $id, invoked_ns: ($now - 1000000), completed_ns: $now, result: "ok", http: 202}' \
        >>"$TMPDIR/history"
}
was_hit() {
    grep -qs "^$1 " "$WARREN_HOME/run/failpoints.log"
}
is_up() {
    warren status
}

set_kill() { # PROGRAM POINT
    mkdir -m 0700 "$WARREN_HOME/run/failpoints"
    echo "kill 1 $1" >"$WARREN_HOME/run/failpoints/$2"
}
do_kill() { # PROGRAM POINT
    set_kill "$@"
    place "$1-$2" tok_visa
    until_true 20 was_hit "$2" || fail "$1 never came by $2"
}
# What payment-service sends while the broker stands still gets lost with it.
do_lose() {
    local broker
    broker=$(field "$(warren status --json)" .broker.pid)
    place lost tok_slow
    until_true 20 is_row 1 payment.db "SELECT count(*) FROM payment" || fail "no payment"
    kill -STOP "$broker"
    until_true 20 is_row captured payment.db "SELECT state FROM payment" || fail "not captured"
    sleep 0.5 # the fact goes out into nothing
    kill -KILL "$broker"
}
do_unroutable() {
    broker_tool delete_queue --vhost warren order.commands
    place unroutable tok_visa
}
# Committed and not acknowledged, a delta comes again.
do_adjust() {
    set_kill order-service ack-before
    token=$(warren token --admin)
    ask products/SPADE/stock '{"delta":5}'
    until_true 20 was_hit ack-before || fail "nothing was acknowledged"
}
# One of two instances remembers an order as placed that the other has confirmed: it closes it over
# the other's head. Cards of two speeds, and cancels in any order, so that the two do not just take
# turns.
do_cancel() {
    local ids=() i cards=(tok_visa tok_slow)
    for i in {1..40}; do
        place "cancel-$i" "${cards[RANDOM % 2]}"
        ids+=("$order_id")
    done
    until_true 30 is_row 40 order.db "SELECT count(*) FROM order_event WHERE type = 'order.confirmed'" ||
        fail "not all are confirmed"
    while read -r i; do ask "orders/$i/cancel" ''; done < <(printf '%s\n' "${ids[@]}" | shuf)
}

# What order-service has sent, and the broker has confirmed, is purged before payment-service takes it.
do_purge() { # close|refund FACT
    local queue
    is_asked() {
        is_row "$1" order.db "SELECT type FROM order_event ORDER BY version DESC LIMIT 1" &&
            is_row 0 order.db "SELECT count(*) FROM outbox"
    }
    if [[ $1 == refund ]]; then
        place refund tok_visa
        until_true 30 is_asked order.confirmed || fail "not confirmed"
    fi
    control stop payment-service-1 >"$TMPDIR/control.out"
    [[ $1 == refund ]] || place close tok_visa
    ask "orders/$order_id/cancel" ''
    until_true 30 is_asked "$2" || fail "nothing was asked of payment-service"
    for queue in payment.orders payment.commands; do
        broker_tool purge_queue --vhost warren "$queue"
    done
    control start payment-service-1 >"$TMPDIR/control.out"
}
# What payment-service says finds no binding; later it is asked what it said.
do_unheard() {
    binding remove order.payments payment.captured
    place unheard tok_visa
    until_true 30 is_row captured payment.db "SELECT state FROM payment" || fail "not captured"
    until_true 30 is_row 0 payment.db "SELECT count(*) FROM outbox" || fail "not said"
    binding add order.payments payment.captured
    ask "orders/$order_id/cancel" ''
}
# How an order ended is known to the log, and lost by the queue of the one who tells the customer.
do_forget() {
    control stop notification-service-1 >"$TMPDIR/control.out"
    place forget tok_visa
    until_true 30 is_row 1 order.db "SELECT count(*) FROM order_event WHERE type = 'order.confirmed'" ||
        fail "not confirmed"
    until_true 30 is_row 0 order.db "SELECT count(*) FROM outbox" || fail "not said"
    broker_tool purge_queue --vhost warren notification.events
    control start notification-service-1 >"$TMPDIR/control.out"
}

missed=()
tried=0
ports_take
export WARREN_BASE_PORT=$BASE_PORT WARREN_HOME=$TMPDIR/home
trap suite_end EXIT
while read -r -u 9 guarantee promise how arguments; do # rabbitmqctl reads what is on 0
    [[ -n $guarantee && " ${chosen//$'\n'/ } " == *" $guarantee "* ]] || continue
    export WARREN_HOME=$TMPDIR/$guarantee
    rm -f "$TMPDIR/history"
    tried=$((tried + 1))
    instances=1
    [[ $guarantee != version-check ]] || instances=2
    deadline=30
    [[ $how != lose ]] || deadline=3600 # when it passes, payment-service says again what was lost
    WARREN_PAYMENT_DEADLINE=$deadline warren up --instances "$instances" --without "$guarantee" --unsafe >"$TMPDIR/up.out" || fail "up: $(<"$TMPDIR/up.out")"
    token=$(warren token --customer crowd)
    # shellcheck disable=SC2086
    "do_$how" $arguments
    until_true 40 is_up || true
    warren audit --json --settle 10 --history "$TMPDIR/history" >"$TMPDIR/audit" || true
    said=$(<"$TMPDIR/audit")
    [[ $(field "$said" ".promises[] | select(.number == $promise) | .verdict") == violated ]] ||
        missed+=("without $guarantee promise $promise holds: $said")
    echo "without $guarantee: broken are $(field "$said" '[.promises[] | select(.verdict == "violated") | .number] | join(", ")')"
    expect 0 warren down
done 9<<<"$cases"
[[ $tried == $(wc -w <<<"$chosen") ]] || fail "tried $tried of: $chosen"
[[ ${#missed[@]} == 0 ]] || fail "$(printf '%s\n' "${missed[@]}")"
