#!/bin/bash
# The AMQP bus tells why it is down, and never blocks its owner: against a broker that freezes, closes,
# cancels and refuses.
# tests/run: timeout 240
set -euo pipefail
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${WARREN_BUILD:-$source/build/check}
. "$source/tests/lib/ports.sh"
. "$source/tests/lib/broker.sh"
. "$source/tests/lib/obey.sh"
export TMPDIR=${TMPDIR:-$(mktemp -d)}

trap broker_stop EXIT
broker_start
obey "$build/tests/integration/bus_trouble" "$BROKER_URL"
