#!/bin/bash
# Pages of the edge's read model become something else while it is used: it is put aside, and the edge
# builds another one by itself.
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"
set -euo pipefail

model=$WARREN_HOME/store/edge-read-1.db

listed() {
    curl -sf -m 5 "http://127.0.0.1:$WARREN_BASE_PORT/v1/orders?limit=1" -H "Authorization: Bearer $TOKEN" |
        jq -e '.orders | length == 1'
}

place
[[ $STATUS == 202 ]] || fail "an order: $STATUS"
until_true 30 listed || fail "it is not listed"
# All but the first page, which says what kind of file it is.
spoil() {
    local pages=$(($(stat -c %s "$model") / 4096 - 1))
    head -c $((pages * 4096)) /dev/urandom | dd of="$model" bs=4096 seek=1 conv=notrunc status=none
}
spoil_again() {
    [[ -e $model.damaged-1 ]] && return
    spoil
    place
    return 1
}
until_true 60 spoil_again || fail "nobody has noticed"
until_true 60 listed || fail "the orders are not back"
until_true 60 warren status || fail "not ready again: $(warren status)"
grep -q '"event":"read-model-damaged"' "$WARREN_HOME/log/edge-service-1.log" || fail "the edge does not say so"
more_orders
