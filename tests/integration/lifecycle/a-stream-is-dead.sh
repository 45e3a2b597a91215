#!/bin/bash
# The stream's coordinator has died in a node that is up, as on a disk that was full: the stream answers
# 541 and cannot be read. The edge is not ready and `status` exits 1; commands are taken all the same.
# Half a minute later the warden ends the node, once, and all is well again.
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"
set -euo pipefail

edge_says() {
    said=$(curl -s -m 5 "http://127.0.0.1:$WARREN_BASE_PORT/readyz?verbose") || true
    [[ $said == "not ready"*"log: "* ]]
}

restarted() {
    [[ $(warren status --json | jq .broker.useless_restarts) == 1 ]]
}

before=$(program_pid rabbitmq-server-1)
broker_ctl eval 'ra:stop_server(coordination, {rabbit_stream_coordinator, node()}).'
until_true 40 edge_says || fail "the edge says: $said"
place
[[ $STATUS == 202 ]] || fail "an order: $STATUS"
expect 1 warren status
[[ $said == *"without its log"* ]] || fail "status: $said"
until_true 120 restarted || fail "the node is left as it is"
until_true 120 warren status || fail "not ready again: $(warren status)"
[[ $(program_pid rabbitmq-server-1) != "$before" ]] || fail "the same process"
expect 0 warren status
[[ $said == *"restarted 1 times because it was up and useless"* ]] || fail "status: $said"
grep -q '"event":"broker-restarted"' "$WARREN_HOME/log/warden-1.log" || fail "the warden does not say so"
more_orders
