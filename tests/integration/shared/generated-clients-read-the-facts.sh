#!/bin/bash
# Two clients that are generated from the contracts, in TypeScript and in Python, read every fact that a
# demo has left in the log.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

expect 0 warren demo
status=$(warren status --json) || true
last=$(field "$status" .log.last_offset)
[[ $last -ge 50 ]] || fail "only $last messages in the log"
# What neighbours say is in no contract.
# shellcheck disable=SC2154
/usr/bin/python3 - "$WARREN_BASE_PORT" "$last" >"$TMPDIR/facts" 3<"$WARREN_HOME/secrets/deploy" <<'PY'
import os, sys, pika
port, last = int(sys.argv[1]) + 10, int(sys.argv[2])
user = pika.PlainCredentials("deploy", os.read(3, 100).decode())
channel = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port, "warren", user)).channel()
channel.basic_qos(prefetch_count=100)
for delivery, properties, body in channel.consume("events.log.1", arguments={"x-stream-offset": "first"}):
    if not delivery.routing_key.startswith("neighbour."):
        print(body.decode())
    channel.basic_ack(delivery.delivery_tag)
    if properties.headers["x-stream-offset"] >= last:
        break
PY
expect 0 "$source/tests/contracts/generated.sh" "$TMPDIR/facts"
echo "$said"
types=$(jq -r .type "$TMPDIR/facts" | sort -u | wc -l)
((types >= 12)) || fail "facts of only $types types"
count=$(wc -l <"$TMPDIR/facts")
[[ $(grep -c " $count events of $types types read and written again" <<<"$said") == 2 ]] || fail "not all were read"
