#!/bin/bash
# A suite on a broker that was there before: `up --amqp-url` starts none of its own, the URL's
# password shows on no command line, and `down` leaves that broker running.
# tests/run: timeout 180
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
# shellcheck source=tests/lib/broker.sh
. "$source/tests/lib/broker.sh"

suite_place
suite_also_end() {
    warren down >/dev/null
    broker_stop
}
expect 5 warren up --amqp-url "amqp://test:wrong@127.0.0.1:$((WARREN_BASE_PORT + 10))/warren" --patience 2
grep -q 'warren up: broker: ' <<<"$complained" || fail "it does not say what is wrong: $complained"

broker_start
expect 0 warren up --amqp-url "$BROKER_URL"
grep -q 'set WARREN_AMQP_URL instead' <<<"$complained" || fail "it does not warn of the password"
WARREN_AMQP_URL=$BROKER_URL expect 0 warren up
if grep -q WARREN_AMQP_URL <<<"$complained"; then fail "it warns of nothing: $complained"; fi
expect 0 warren status --json
[[ $(field "$said" '.broker.external and .broker.ready and .ready') == true ]] || fail "status: $said"
if suite_left | grep -E 'beam|epmd'; then fail "a broker of its own was started"; fi
if grep -lsaF -f <(echo "test:test@127.0.0.1:$((BASE_PORT + 10))") /proc/[0-9]*/cmdline; then fail "the URL's password is on a command line"; fi
expect 0 warren order --customer ada --line SPADE=1
expect 7 warren guest parcel --hear '#'
grep -q docs/join.md <<<"$complained" || fail "it does not say how a guest joins there: $complained"
expect 0 warren audit --settle 10
expect 0 warren down
broker_listens $((BASE_PORT + 10)) || fail "the broker is gone too"
