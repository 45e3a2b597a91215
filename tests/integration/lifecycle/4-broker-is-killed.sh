#!/bin/bash
# SIGKILL of the broker: orders are refused at once, and accepted again when it is back.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
pid=$(program_pid rabbitmq-server-1)
kill -9 "$pid"
until_true 5 refuses_at_once || fail "an order is answered $STATUS after $SECONDS_TAKEN s"
all_alive
back() { [[ $(program_pid rabbitmq-server-1) != "$pid" ]] && warren status; }
until_true 90 back || fail "$(warren status)"
more_orders
