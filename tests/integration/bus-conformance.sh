#!/bin/bash
# The AMQP bus does what every bus must do, against a real broker that is killed, restarted and
# alarmed on the way.
# tests/run: timeout 240
set -euo pipefail
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${WARREN_BUILD:-$source/build/check}
. "$source/tests/lib/ports.sh"
. "$source/tests/lib/broker.sh"
export TMPDIR=${TMPDIR:-$(mktemp -d)}

trap broker_stop EXIT
broker_start

mkfifo "$TMPDIR/ask" "$TMPDIR/answer"
exec {ask}<>"$TMPDIR/ask" {answer}<>"$TMPDIR/answer"
"$build/tests/integration/bus_conformance" "$BROKER_URL" 3>"$TMPDIR/ask" 4<"$TMPDIR/answer" &
program=$!
(
    wait_for_end() { while kill -0 "$program" 2>/dev/null; do sleep 0.2; done; }
    wait_for_end
    echo end >"$TMPDIR/ask"
) &
while read -r word <&"$ask"; do
    case $word in
    kill) broker_kill ;;
    revive) broker_start_again ;;
    block) broker_ctl set_vm_memory_high_watermark 0 ;;
    unblock) broker_ctl set_vm_memory_high_watermark 0.4 ;;
    end) break ;;
    esac
    echo "done" >&"$answer"
done
wait "$program"
