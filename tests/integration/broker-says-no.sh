#!/bin/bash
# What cannot pass ends `up` at once, with the broker's words, what is missing, and the page that tells
# how to go on; what can pass is waited for. A patience that nobody could sit out shows which it was.
# tests/run: timeout 400
# tests/run: about 30
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
at=127.0.0.1:$((WARREN_BASE_PORT + 10))

no() { # URL WORDS ADVICE
    WARREN_AMQP_URL=$1 expect 5 warren up --patience 3600
    [[ $complained == *"warren up: broker: "*"$2"* ]] || fail "$1: not '$2': $complained"
    [[ $complained == *"$3"*"see docs/operations.md, \"A broker of your own\""* ]] || fail "$1: not '$3': $complained"
    [[ -z $(suite_left) ]] || fail "left: $(suite_left)"
}

echo "a URL that cannot be right starts nothing"
WARREN_AMQP_URL="amqp://test:secret@$at/a/b" expect 2 warren up --patience 3600
[[ $complained == *%2f* && $complained != *secret* ]] || fail "it says: $complained"
WARREN_AMQP_URL="amqp://test:test@$at/warren?cacertfile=x" expect 2 warren up --patience 3600
[[ $complained == *"cacertfile: not a parameter"* ]] || fail "it says: $complained"
[[ ! -e $WARREN_HOME/run/supervisord.pid ]] || fail "a supervisor was started"

echo "nobody listens: that may pass, and the system's words are told"
WARREN_AMQP_URL="amqp://test:test@$at/warren" expect 5 warren up --patience 1
[[ $complained == *"not ready after 1 s"*"Connection refused"* ]] || fail "it says: $complained"

broker_start
echo "no such virtual host, without and with a '/' at the end"
no "amqp://test:test@$at" "530 NOT_ALLOWED" "a URL without one means"
no "amqp://test:test@$at/" "530 NOT_ALLOWED" "ends in a '/'"
no "amqp://test:test@$at/l%C3%A4den" "530 NOT_ALLOWED" "add_vhost"
echo "a wrong password"
no "amqp://test:wrong@$at/warren" "403 ACCESS_REFUSED" "password is wrong"
echo "a queue of our name, otherwise declared"
broker_ctl eval 'rabbit_amqqueue:declare({resource, <<"warren">>, queue, <<"order.commands">>}, true, false, [], none, <<"test">>), ok.' >/dev/null
no "$BROKER_URL" "406 PRECONDITION_FAILED" "declared otherwise"
broker_ctl delete_queue -p warren order.commands >/dev/null
echo "no right to declare"
broker_ctl set_permissions -p warren test '^$' '.*' '.*'
no "$BROKER_URL" "403 ACCESS_REFUSED" "lacks a right"
broker_ctl set_permissions -p warren test '.*' '.*' '.*'

echo "no room for another connection: that may pass"
broker_ctl set_vhost_limits -p warren '{"max-connections": 0}'
WARREN_AMQP_URL=$BROKER_URL expect 5 warren up --patience 1
[[ $complained == *"not ready after 1 s"*"limit"* ]] || fail "it says: $complained"
broker_ctl clear_vhost_limits -p warren

echo "a virtual host with a name of more than ASCII, a heartbeat, and all is well"
broker_ctl add_vhost "lä den/1"
broker_ctl set_permissions -p "lä den/1" test '.*' '.*' '.*'
WARREN_AMQP_URL="amqp://test:test@$at/l%C3%A4%20den%2f1?heartbeat=5" expect 0 warren up
expect 0 warren order --customer ada --line SPADE=1
expect 0 warren audit --settle 10
[[ $(broker_ctl list_connections name timeout | grep -c '\b5$') -ge 4 ]] || fail "heartbeats: $(broker_ctl list_connections name timeout)"
expect 0 warren down

echo "a node of our own that dies while it starts is told of, and not waited for"
rm -rf "$WARREN_HOME/broker"
broker_stop
mkdir -p "$WARREN_HOME/broker/mnesia"
echo "no folder" >"$WARREN_HOME/broker/mnesia/warren@localhost"
expect 5 warren up --patience 3600
[[ $complained == *"the end of $WARREN_HOME/log/rabbitmq-server-1.log"*"has died while it started"*"dies while it starts"* ]] ||
    fail "it says: $complained"
[[ -z $(suite_left) ]] || fail "left: $(suite_left)"
