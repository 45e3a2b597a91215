#!/bin/bash
# Two suites run side by side on one machine and never meet.
# tests/run: timeout 180
# tests/run: about 30
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_place
first_home=$WARREN_HOME first_port=$WARREN_BASE_PORT
WARREN_TEST_PORTS_FROM=$((WARREN_BASE_PORT + 100 > 32500 ? 20000 : WARREN_BASE_PORT + 100)) ports_take
second_home=$TMPDIR/other second_port=$BASE_PORT
second() {
    warren "$1" --home "$second_home" --base-port "$second_port" "${@:2}"
}
suite_also_end() {
    second down
}
warren up >"$TMPDIR/first.out" &
second up
wait $! || fail "the first did not come up: $(<"$TMPDIR/first.out")"

expect 0 warren order --customer ada --line SPADE=1 --key same --json
one=$(field "$said" .order_id)
expect 0 second order --customer ada --line SPADE=1 --key same --json
other=$(field "$said" .order_id)
[[ $one != "$other" ]] || fail "one customer in two suites"
expect 7 second cancel --customer ada "$one"

expect 0 second down
expect 5 second status
WARREN_HOME=$second_home
[[ -z $(suite_left) ]] || fail "left of the second: $(suite_left)"
WARREN_HOME=$first_home
expect 0 warren status
expect 0 warren order --customer ada --line SPADE=1
[[ $WARREN_BASE_PORT == "$first_port" ]]
