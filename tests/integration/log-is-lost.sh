#!/bin/bash
# A broker that has lost its stream for good ("404 home node down", nothing can be declared): the suite
# starts without its log, says so everywhere, takes orders and settles them, and loses no other promise
# than the log's.
# tests/run: timeout 600
# tests/run: about 180
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

suite_start
warren order --customer alice --line SPADE=1 >/dev/null
warren down >/dev/null
rm "$WARREN_HOME"/broker/mnesia/*/coordination/*/names.dets

expect 0 warren up --patience 240
[[ $complained == *"WITHOUT ITS LOG"*"404"* ]] || fail "up says: $complained"
expect 1 warren status
[[ $said == *"without its log"* ]] || fail "status says: $said"
expect 1 warren status --json
[[ $(field "$said" .log.readable) == false ]] || fail "log.readable: $said"
for service in order payment notification; do
    [[ $(field "$said" ".processes[] | select(.name == \"$service-service\") | .ready") == true ]] ||
        fail "$service-service: $said"
done

token=$(warren token --customer alice)
answer=$(curl -s -m 12 -w '\n%{http_code}' "http://127.0.0.1:$WARREN_BASE_PORT/v1/orders" \
    -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
    -d '{"lines":[{"sku":"SPADE","quantity":1}],"payment":{"token":"tok_visa"}}')
[[ ${answer##*$'\n'} == 202 ]] || fail "an order: $answer"
order=$(field "${answer%$'\n'*}" .order_id)

confirmed() {
    [[ $(sqlite3 -readonly "$WARREN_HOME/store/order.db" \
        "SELECT max(version) FROM order_event WHERE order_id = '$order' AND type = 'order.confirmed'") == 2 ]]
}
rows() {
    sqlite3 -readonly "$WARREN_HOME/store/$1.db" "SELECT count(*) FROM $2"
}
told_to_the_log_alone() { # notification.sent
    [[ $(rows notification outbox) == 0 && $(rows notification unlogged) -ge 1 ]]
}
until_true 150 confirmed || fail "$order does not settle"
until_true 60 told_to_the_log_alone || fail "notification.sent: in the outbox $(rows notification outbox), apart $(rows notification unlogged)"

expect 1 warren status

expect 1 warren audit --settle 5
[[ $said == *"the log is empty and lacks "*" facts that are older"*"queue events.log.1 is missing"*"verdict: violated"* && $complained == *"the log is lost"* ]] || fail "the audit says: $said"
echo "${said##*$'\n'}"
