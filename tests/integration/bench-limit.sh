#!/bin/bash
# The bench's limit: a small run of each kind loses nothing and leaves nothing behind; it will not
# touch a virtual host where somebody lives.
# tests/run: about 20
set -euo pipefail
# shellcheck source=tests/lib/ports.sh
. "$(dirname "$0")/../lib/ports.sh"
# shellcheck source=tests/lib/broker.sh
. "$(dirname "$0")/../lib/broker.sh"
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${WARREN_BUILD:-$source/build/check}
trap broker_stop EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect FILTER: must be true of what the limit said.
expect() {
    jq -e "$1" <<<"$said" >/dev/null || fail "not so: $1 of $said"
}

broker_start
said=$("$build/tests/bench/limit" --url "$BROKER_URL" --orders 300 --outstanding 32 --stock 500 --seconds 1 \
    --intake 1 --intake 64 chain intake alone)
expect '.chain | .orders == 300 and .lost == 0 and .doubled == 0 and .facts_per_order == 4.5'
expect '.alone | .orders == 300 and .lost == 0 and .doubled == 0 and .facts_per_order == 6'
expect '.intake | map(.outstanding) == [1, 64] and all(.confirmed > 0)'
expect '.body_bytes | length == 6 and all(. > 300)'
[[ -z $(broker_ctl list_queues -p warren --no-table-headers name) ]] || fail "it leaves queues behind"
[[ -z $(broker_ctl list_exchanges -p warren --no-table-headers name | grep '^warren') ]] || fail "it leaves exchanges behind"

"$build/tests/integration/deploy_probe" "$BROKER_URL" >"$TMPDIR/deploy.out"
status=0
"$build/tests/bench/limit" --url "$BROKER_URL" --orders 1 chain >/dev/null 2>&1 || status=$?
((status == 7)) || fail "exit $status where somebody lives"
grep -q '^order.commands' < <(broker_ctl list_queues -p warren name) || fail "it has removed somebody's queues"
