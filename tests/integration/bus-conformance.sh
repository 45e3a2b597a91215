#!/bin/bash
# The AMQP bus does what every bus must do, against a real broker that is killed, restarted and
# alarmed on the way.
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
obey "$build/tests/integration/bus_conformance" "$BROKER_URL"
