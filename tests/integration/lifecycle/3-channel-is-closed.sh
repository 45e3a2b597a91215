#!/bin/bash
# The broker closes a channel, for an exchange that is gone: said, and mended by 'warren up'.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
management DELETE exchanges/warren/warren.commands
missing() { grep -q 'bus-down.*warren.commands' < <(tail -n 3 "$WARREN_HOME/log/edge-service-1.log"); }
until_true 20 missing || fail "the edge does not say what is missing"
until_true 10 refuses_at_once || fail "an order is answered $STATUS after $SECONDS_TAKEN s"
all_alive
warren up >"$TMPDIR/up-again" || fail "$(<"$TMPDIR/up-again")"
more_orders
