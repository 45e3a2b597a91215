#!/bin/bash
# Text is taken as people write it: a home with blanks, quotes, signs and more than ASCII in its name,
# a token's file with a newline at its end, a URL with a slash at its end, a setting with quotes in it.
# tests/run: timeout 400
# tests/run: about 30
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_place
WARREN_HOME="$TMPDIR/"$'ein "H\u00fcgel" 100% & it\'s ;x #y $HOME \\z'
export OTEL_RESOURCE_ATTRIBUTES='team="of Judy" ;100%, #x'
expect 0 warren up
grep -qzxF "OTEL_RESOURCE_ATTRIBUTES=$OTEL_RESOURCE_ATTRIBUTES" "/proc/$(pid_of payment-service)/environ" ||
    fail "what is in the environment reaches no service"
[[ -s $WARREN_HOME/store/order.db && -d $WARREN_HOME/broker/mnesia ]] || fail "its files are elsewhere"
homes=("$TMPDIR"/ein*)
[[ ${#homes[@]} == 1 ]] || fail "another home was made: ${homes[*]}"
expect 0 warren order --customer ada --line SPADE=1
expect 0 warren status

broker_tool eval 'rabbit_disk_monitor:get_disk_free().' >"$TMPDIR/room"
[[ $(<"$TMPDIR/room") -gt 1000000 ]] || fail "the broker does not see its disk: $(<"$TMPDIR/room")"

echo "a load over HTTP with the token's file and the URL as people have them"
warren token --customer judy >"$TMPDIR/token"
expect 0 warren load --url "http://127.0.0.1:$WARREN_BASE_PORT/" --token "$TMPDIR/token" --rate 20 --duration 2
printf '%s\r\n' "$(<"$TMPDIR/token")" >"$TMPDIR/token"
expect 0 warren load --url "http://127.0.0.1:$WARREN_BASE_PORT//" --token "$TMPDIR/token" --rate 20 --duration 1

echo "killed, and up again"
kill -9 "$(field "$(warren status --json)" .broker.pid)"
until_true 60 warren status || fail "it does not come back"
expect 0 warren audit --settle 10
expect 0 warren down
[[ -z $(suite_left) ]] || fail "left: $(suite_left)"
links=$(find /dev/shm -maxdepth 2 -lname "$TMPDIR/*")
[[ -z $links ]] || fail "left: $links"
expect 0 warren up
expect 0 warren audit --settle 10
