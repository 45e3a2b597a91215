#!/bin/bash
# Policies of the broker's owner: what makes a queue lose messages keeps a suite from starting, and is named within
# seconds where it runs (readyz, status, audit, deploy); what only alters it is a warning; what is nobody's
# business is not complained about. Without a management interface all of them say that nobody has looked.
# tests/run: timeout 400
# tests/run: about 150
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
# shellcheck source=tests/lib/broker.sh
. "$source/tests/lib/broker.sh"

suite_place
suite_also_end() {
    warren down >/dev/null
    broker_stop
}
# shellcheck disable=SC2034
BROKER_PLUGINS=rabbitmq_management
# shellcheck disable=SC2034
BROKER_CONF="management.tcp.ip = 127.0.0.1
management.tcp.port = $((BASE_PORT + 14))"
broker_start
export WARREN_AMQP_URL=$BROKER_URL
management=http://127.0.0.1:$((BASE_PORT + 14))
policy() { broker_ctl set_policy -p warren "$@" >/dev/null; }
clear() { broker_ctl clear_policy -p warren "$1" >/dev/null; }
readyz() { curl -s "http://127.0.0.1:$((WARREN_BASE_PORT + $1))/readyz?verbose"; }
says() { [[ $(readyz "$1") == *"$2"* ]]; }
is_right() { warren status >"$TMPDIR/right"; }
status() { # EXIT FILTER: a filter of jq that must be true
    expect "$1" warren status --json
    [[ $(field "$said" "$2") == true ]] || fail "not so: $2 in $said"
}

echo "it does not even start where orders would be lost"
policy short '^order\.' '{"message-ttl": 60000}' --apply-to queues
WARREN_MANAGEMENT_URL=$management expect 7 warren up
grep -q 'queue order.commands has message-ttl 60000 by policy short: messages expire unheard' <<<"$complained" || fail "up: $complained"
clear short

echo "and what is nobody's business is no reason not to"
policy harmless '.*' '{"queue-leader-locator": "balanced", "dead-letter-routing-key": "x"}' --apply-to queues
policy elsewhere '^somebody' '{"message-ttl": 1000, "max-length": 1}' --apply-to queues --priority 5
export WARREN_MANAGEMENT_URL=http://test:test@127.0.0.1:$((BASE_PORT + 14))
expect 0 warren up
if grep -q 'warning: queue' <<<"$complained"; then fail "it complains: $complained"; fi
grep -q 'no policy makes them lose anything' <<<"$said" || fail "up: $said"
status 0 '.bindings.verdict == "as declared" and .bindings.findings == [] and .findings == [] and (.queues | length) == 8'
clear harmless

echo "what is set later is seen by those who run"
loses() { # TEXT COMMAND...: a policy that loses messages
    local text=$1
    shift
    "$@"
    until_true 20 says 20 "$text" || fail "order-service does not say '$text': $(readyz 20)"
    until_true 20 says 0 "$text" || fail "the edge does not say '$text': $(readyz 0)"
    status 1 '.bindings.verdict == "wrong" and ([.bindings.findings[] | select(.fault == "lossy")] | length) > 0 and ([.findings[] | select(contains("'"$text"'"))] | length) == 1'
    expect 1 warren audit --settle 1
    grep -qF "broker: $text" <<<"$said" || fail "audit: $said"
    expect 1 warren deploy
    grep -qF "is: $text" <<<"$said" || fail "deploy: $said"
}
loses "queue order.payments has max-length 1 by policy few: the oldest messages are dropped" policy few '^order\.payments$' '{"max-length": 1}' --apply-to queues
expect 7 warren up
clear few
until_true 20 is_right || fail "not right again: $(warren status)"
loses "queue payment.orders has expires 600000 by operator policy owner: the queue goes when nobody uses it, with what is in it" \
    broker_ctl set_operator_policy -p warren owner '^payment\.orders$' '{"expires": 600000}' --apply-to queues
broker_ctl clear_operator_policy -p warren owner >/dev/null
until_true 20 is_right || fail "not right again: $(warren status)"

echo "what alters a queue is a warning"
policy shorter '^events\.log' '{"max-age": "1D"}' --apply-to queues
text="queue events.log.1 has max-age 1D by policy shorter: the log keeps less than its table says"
until_true 20 says 0 "warning: $text" || fail "the edge: $(readyz 0)"
status 0 '.bindings.verdict == "as declared" and .bindings.findings[0].fault == "altered"'
expect 0 warren order --customer ada --line SPADE=1
expect 0 warren audit --settle 10
grep -qF "note: broker: $text" <<<"$said" || fail "audit: $said"
expect 0 warren up
grep -qF "warning: $text" <<<"$complained" || fail "up: $complained"
clear shorter

echo "where nobody can look that is what is said"
expect 0 warren down
unset WARREN_MANAGEMENT_URL
policy short '^order\.' '{"message-ttl": 60000}' --apply-to queues
expect 0 warren up
grep -q 'policies and bindings not checked' <<<"$said" || fail "up: $said"
status 0 '.bindings.verdict == "not checked" and (.queues | length) == 8 and ([.queues[] | select(.ready >= 0 and .consumers >= 0)] | length) == 8'
expect 2 warren up --management-url ftp://nowhere
expect 0 warren down
WARREN_MANAGEMENT_URL=http://127.0.0.1:$((BASE_PORT + 15)) expect 0 warren up
grep -q 'policies and bindings not checked' <<<"$said" || fail "up: $said"
status 1 '.bindings.verdict == "not checked" and ([.findings[] | select(startswith("bindings: not checked"))] | length) == 1'
