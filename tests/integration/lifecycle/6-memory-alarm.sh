#!/bin/bash
# A memory alarm: orders are refused, memory stays flat, consumers stay, and all goes on afterwards.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

more_orders
rss() { metric edge-service process_resident_memory_bytes; }
reconnects() { metric order-service warren_bus_reconnects_total; }
lost=$(reconnects)

before=$(rss)
trap 'broker_ctl set_vm_memory_high_watermark 0.4' EXIT
broker_ctl set_vm_memory_high_watermark 0
until_true 15 refuses_at_once || fail "an order is answered $STATUS after $SECONDS_TAKEN s"
all_alive
taken() { [[ $(management GET queues/warren/order.commands | jq .messages_ready) == 0 ]]; }
until_true 20 taken || fail "order.commands is not worked on"
sleep 3
grown=$(($(rss) - before))
((grown < 48 * 1024 * 1024)) || fail "the edge has grown by $grown bytes"
[[ $(reconnects) == "$lost" ]] || fail "an alarm cost a connection"
trap - EXIT
broker_ctl set_vm_memory_high_watermark 0.4
more_orders
