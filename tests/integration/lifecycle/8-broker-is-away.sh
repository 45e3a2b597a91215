#!/bin/bash
# The broker is stopped in order and stays away: everybody starts without it, in any order, says so at
# once and every 30 s, stops within 10 s all the same, and is ready by itself when it is back.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
trap 'control start rabbitmq-server-1 >/dev/null || true' EXIT
control stop rabbitmq-server-1 >/dev/null
until_true 10 refuses_at_once || fail "an order is answered $STATUS after $SECONDS_TAKEN s"
for service in edge-service notification-service payment-service order-service; do
    control stop "$service-1" >/dev/null &
done
wait
for service in order-service payment-service notification-service; do
    drained_in_time "$service" || fail "$service took too long to end"
done
if tail -n 60 "$WARREN_HOME/log/supervisord.log" | grep 'stopped: .*SIGKILL'; then fail "somebody did not end"; fi
for service in edge-service notification-service payment-service order-service; do
    control start "$service-1" >/dev/null &
done
wait
until_true 5 all_alive || fail "not all are alive"
until_true 10 refuses_at_once || fail "an order is answered $STATUS after $SECONDS_TAKEN s"
said_again() {
    [[ $(sed -n '/"started"/h;/"started"/!H;${x;p}' "$WARREN_HOME/log/$1-1.log" | grep -c bus-down) -ge 2 ]]
}
for service in order-service edge-service; do
    until_true 45 said_again "$service" || fail "$service does not say again what it waits for"
    [[ $(tail -n 100 "$WARREN_HOME/log/$service-1.log" |
        sed -n '/"started"/h;/"started"/!H;${x;p}' | grep -c bus-down) -le 4 ]] ||
        fail "$service says it too often"
done
control start rabbitmq-server-1 >/dev/null
trap - EXIT
until_true 90 warren status || fail "$(warren status)"
more_orders
