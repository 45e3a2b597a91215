#!/bin/bash
# One of two instances of every service is killed under load (SIGKILL) and comes back by itself; the
# audit then finds every order that was answered 202, each charged at most once.
# Arguments are handed to `warren up`: with --without NAME --unsafe it should go red.
# tests/run: timeout 240
# tests/run: about 60
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start --instances 2 "$@"
crowd_begin --users 3 --think 100
answered() { # AT-LEAST: so many orders have been accepted
    [[ $(grep -c '"result":"ok"' "$TMPDIR/history" 2>/dev/null) -ge $1 ]]
}
more_orders() {
    local now
    now=$(grep -c '"result":"ok"' "$TMPDIR/history" 2>/dev/null || true)
    until_true 30 answered $((${now:-0} + 100)) || fail "no more orders are accepted"
}
came_back() { # SERVICE OLD-PID
    local pid
    pid=$(pid_of "$1")
    [[ $pid != 0 && $pid != "$2" ]] && warren status >/dev/null
}

for service in order-service payment-service notification-service edge-service; do
    more_orders
    pid=$(pid_of "$service")
    [[ $pid -gt 0 ]] || fail "$service has no pid"
    kill -9 "$pid"
    until_true 30 came_back "$service" "$pid" || fail "$service did not come back: $(warren status || true)"
    echo "$service was killed and is back"
done
more_orders
crowd_end
expect 0 warren status --json
[[ $(field "$said" '[.processes[].restarts] | add') == 4 ]] || fail "not four restarts: $said"
expect 0 warren audit --settle 60 --history "$TMPDIR/history"
echo "$said"

echo "a 202 that nobody honoured would be found"
order=01999999-0000-7000-8000-000000000000
printf '{"op":"place","key":"forged","order_id":"%s","invoked_ns":1,"completed_ns":2,"result":"ok","http":202}\n' \
    "$order" >>"$TMPDIR/history"
expect 1 warren audit --settle 1 --history "$TMPDIR/history"
grep -q "$order" <<<"$said" || fail "it does not name the order: $said"
