#!/bin/bash
# SIGTERM under load: every service ends within 10 s, with 0, and leaves nothing to be delivered again.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
for service in order-service payment-service notification-service edge-service; do
    control stop "$service-1" >/dev/null
    [[ $service == edge-service ]] || drained_in_time "$service" || fail "$service took too long to end"
    grep "stopped: $service-1 " "$WARREN_HOME/log/supervisord.log" | tail -n 1 |
        grep -q 'exit status 0)' || fail "$(tail -n 3 "$WARREN_HOME/log/supervisord.log")"
    control start "$service-1" >/dev/null
    more_orders
    echo "$service was stopped and started"
done
sleep 6 # the broker's own numbers are that old
again=$(management GET queues/warren | jq '[.[].message_stats.redeliver // 0] | add')
# A broker that is too busy to answer the goodbye loses the acknowledgements that came just before it; who does
# not drain leaves all that was in hand, hundreds.
((again <= 64)) || fail "$again messages were delivered again"
