#!/bin/bash
# A disk alarm: orders are refused with a reason that operators can read, and accepted afterwards.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
trap 'broker_ctl set_disk_free_limit 200MB' EXIT
broker_ctl set_disk_free_limit 1000000GB
until_true 20 refuses_at_once || fail "an order is answered $STATUS after $SECONDS_TAKEN s"
grep -q 'bus.*blocked.*disk' < <(curl -s "http://127.0.0.1:$WARREN_BASE_PORT/readyz?verbose") ||
    fail "the edge does not say why: $(curl -s "http://127.0.0.1:$WARREN_BASE_PORT/readyz?verbose")"
all_alive
trap - EXIT
broker_ctl set_disk_free_limit 200MB
more_orders
