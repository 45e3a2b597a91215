#!/bin/bash
# `warren up` on a port that somebody else has: it says which and whose, exits 6, starts nothing.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_place
python3 - "$((WARREN_BASE_PORT + 10))" <<'PYTHON' &
import socket, sys, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
time.sleep(60)
PYTHON
squatter=$!
suite_also_end() {
    kill "$squatter"
}
until_true 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$((WARREN_BASE_PORT + 10))" || fail "no squatter"

expect 6 warren up
grep -q "port $((WARREN_BASE_PORT + 10)) (AMQP) is taken by python3.*, pid $squatter" <<<"$complained" ||
    fail "it does not say whose port it is: $complained"
[[ -z $(suite_left) ]] || fail "something was started"

echo "a home that is not ours to use"
expect 6 warren up --home /proc/nowhere
expect 2 warren up --home "$TMPDIR/a"$'\n'home
expect 2 warren up --base-port 80
expect 2 warren up --without confirms
expect 2 warren up --without nonsense --unsafe
