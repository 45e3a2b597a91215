#!/bin/bash
# SIGSTOP of the broker: nobody hangs, every order is answered, and all goes on after SIGCONT.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
pid=$(program_pid rabbitmq-server-1)
kill -STOP "$pid"
trap 'kill -CONT "$pid"' EXIT
end=$((SECONDS + 8))
while ((SECONDS < end)); do
    all_alive || fail "a service hangs"
    sleep 0.5
done
place
[[ $STATUS == 50[34] ]] || fail "an order is answered $STATUS"
awk -v t="$SECONDS_TAKEN" 'BEGIN { exit !(t < 8) }' || fail "after $SECONDS_TAKEN s"
kill -CONT "$pid"
trap - EXIT
more_orders
