#!/bin/bash
# Every service's /metrics is exactly the text format of Prometheus, and its numbers move with orders.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
reader=$source/tests/lib/prometheus.py
python=/usr/bin/python3

# The reader itself: what is wrong in each of these must be seen.
wrong() {
    printf '%b' "$1" >"$TMPDIR/wrong.txt"
    ! "$python" "$reader" "$TMPDIR/wrong.txt" 2>/dev/null || fail "the reader takes: $1"
}
head='# HELP a_total A.\n# TYPE a_total counter\n'
wrong "${head}a_total 1"
wrong "${head}a_total 1\na_total 2\n"
wrong "${head}a_total -1\n"
wrong "${head}${head}a_total 1\n"
wrong "${head}a_total{x=\"1\",x=\"2\"} 1\n"
wrong 'a_total 1\n'
wrong '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'
wrong '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n'

# look NAME: the metrics of every process of that service, each checked; the first one's in NAME.prom.
look() {
    local port instance
    while read -r instance port; do
        curl -sf "http://127.0.0.1:$port/metrics" >"$TMPDIR/$1-$instance.prom" || fail "$1 says nothing"
        "$python" "$reader" "$TMPDIR/$1-$instance.prom" || fail "$1 $instance"
    done < <(warren status --json |
        jq -r --arg name "$1" '.processes[] | select(.name == $name) | "\(.instance) \(.port)"')
    [[ -s $TMPDIR/$1-1.prom ]] || fail "there is no $1"
}
# number NAME SELECTOR: over all processes of that service.
number() {
    local file sum=0
    for file in "$TMPDIR/$1"-[0-9]*.prom; do
        sum=$(awk -v a="$sum" -v b="$("$python" "$reader" "$file" "$2")" 'BEGIN { print a + b }')
    done
    echo "$sum"
}
services=(edge-service order-service payment-service notification-service)

for name in "${services[@]}"; do look "$name"; done
declare -A before
moving=(
    'edge-service warren_http_requests_total{method="POST",route="/v1/orders"}'
    'edge-service warren_edge_commands_total{fate="confirmed"}'
    'edge-service warren_edge_facts_total{outcome="folded"}'
    'edge-service warren_edge_projection_offset'
    'edge-service warren_edge_projection_lag_seconds'
    'edge-service warren_commit_seconds'
    'order-service warren_messages_total{queue="order.commands",outcome="handled"}'
    'order-service warren_messages_total{queue="order.payments",outcome="handled"}'
    'order-service warren_batch_messages'
    'order-service warren_batch_handle_seconds'
    'order-service warren_commit_seconds'
    'order-service warren_publish_confirm_seconds'
    'order-service warren_publishes_settled_total{fate="confirmed"}'
    'payment-service warren_messages_total{queue="payment.orders",outcome="handled"}'
    'notification-service warren_messages_total{queue="notification.events",outcome="handled"}'
)
for one in "${moving[@]}"; do before[$one]=$(number "${one%% *}" "${one#* }"); done
mkdir -p "$TMPDIR/before"
cp "$TMPDIR"/*.prom "$TMPDIR/before/"
for _ in 1 2 3; do expect 0 warren order --customer heidi --line LETTUCE=1; done

for name in "${services[@]}"; do look "$name"; done
for one in "${moving[@]}"; do
    after=$(number "${one%% *}" "${one#* }")
    echo "$one: ${before[$one]} -> $after"
    least=$(awk -v a="${before[$one]}" 'BEGIN { print a + 1 }')
    [[ $one != *_total* ]] || least=$(awk -v a="${before[$one]}" 'BEGIN { print a + 3 }')
    awk -v a="$after" -v b="$least" 'BEGIN { exit !(a >= b) }' || fail "$one does not move"
done
for file in "$TMPDIR"/before/*.prom; do
    "$python" "$reader" --since "$file" "$TMPDIR/${file##*/}" || fail "a counter goes back"
done
[[ $(number order-service warren_quarantine_rows) == 0 ]] || fail "there is something in quarantine"
[[ $(number order-service warren_bus_up) == "$(warren status --json | jq '[.processes[] | select(.name == "order-service")] | length')" ]] || fail "the bus is not up"

# An unknown path and a bad request are counted too.
url=$(warren status --json | jq -r .url)
curl -s -o /dev/null "${url%/}/nowhere"
look edge-service
(($(number edge-service 'warren_http_requests_total{route="",status="404"}') >= 1)) || fail "no 404 is counted"
