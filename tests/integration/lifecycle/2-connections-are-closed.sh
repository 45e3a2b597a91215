#!/bin/bash
# The operator closes every connection: all of them are made again.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
broker_ctl close_all_connections --vhost warren 'a test'
told() { grep -q 'bus-down.*320' "$WARREN_HOME/log/order-service-1.log"; }
until_true 10 told || fail "the reason is not told"
until_true 30 warren status || fail "$(warren status)"
more_orders
