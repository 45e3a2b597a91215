#!/bin/bash
# Orders come in by the clock, 200 a second, while every 5 s any process of the suite is killed
# (SIGKILL): the edge, a service, a process of the broker, epmd. Nobody helps. A minute later every
# order that was answered 202 has settled, and none is lost or doubled: the audit says so, with the
# customers' own record. Without sanitizers: at this rate the suite is to work, not to be slow.
#   KILL_SECONDS=60 KILL_SEED=7 tests/run kill-every     the whole minute; otherwise a short form
# tests/run: alone
# tests/run: timeout 400
set -euo pipefail
export WARREN_BUILD=${WARREN_PLAIN:-build}
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
seconds=${KILL_SECONDS:-15}
rate=${KILL_RATE:-200}
RANDOM=${KILL_SEED:-1}

suite_start
url=http://127.0.0.1:$WARREN_BASE_PORT
admin=$(warren token --admin)
for sku in CARROT-1KG LETTUCE SPADE BOOTS UMBRELLA; do # enough for everybody
    curl -fsS -m 10 -H "Authorization: Bearer $admin" -H 'Content-Type: application/json' \
        -d '{"delta":1000000}' "$url/v1/products/$sku/stock" >"$TMPDIR/answer"
done
crowd_begin --rate "$rate"

# What can be killed, by its part in the suite. The supervisor is not among them: whoever brings the
# others back must live (docs/operations.md says what to do when it does not).
parts=(edge-service order-service payment-service notification-service broker broker-helper epmd)
victims_of() { # PART: its processes
    local what=/$1 file pid command
    [[ $1 != broker ]] || what='beam\.smp'
    [[ $1 != broker-helper ]] || what='(^|/)(erl_child_setup|inet_gethost|rabbitmq-server)'
    [[ $1 != epmd ]] || what='^epmd '
    exec 2>/dev/null # who ends meanwhile has no command any more
    for file in $(grep -lsazxF "WARREN_SUITE=$WARREN_HOME" /proc/[0-9]*/environ); do
        pid=${file//[^0-9]/}
        command=$(tr '\0' ' ' <"/proc/$pid/cmdline") || continue
        [[ $command =~ $what && $command != *supervisord* ]] && echo "$pid"
    done
    return 0
}
is_gone() {
    ! kill -0 "$1" 2>/dev/null
}
kill_one() {
    local part victims=() pid command
    while [[ ${#victims[@]} == 0 ]]; do # that part may be on its way back
        part=${parts[RANDOM % ${#parts[@]}]}
        mapfile -t victims < <(victims_of "$part")
    done
    pid=${victims[RANDOM % ${#victims[@]}]}
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-60) || true
    kill -KILL "$pid" || return 0
    until_true 10 is_gone "$pid" || fail "$part survives"
    echo "$(($(date +%s) - began)) s: $part, pid $pid ($command)"
    killed=$((killed + 1))
}

killed=0
began=$(date +%s)
for ((at = 5; at <= seconds; at += 5)); do
    sleep "$((began + at - $(date +%s) > 0 ? began + at - $(date +%s) : 0))"
    kill_one
done
((killed == seconds / 5)) || fail "only $killed were killed"
ended=$(date +%s)
crowd_end || fail "not everybody got what they wanted"
answered=$(date +%s)
until_true 60 warren status || fail "it does not come back: $(warren status || true)"
expect 0 warren audit --settle 60 --history "$TMPDIR/history"
echo "$said"
echo "$killed killed in $seconds s at $rate orders/s; all answered $((answered - ended)) s, clean $(($(date +%s) - ended)) s after the last"
