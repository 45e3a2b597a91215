#!/bin/bash
# A broker that lets nobody declare: with the topology made beforehand by a user with the rights of
# docs/rights.md, a suite works as another user with those of docs/rights.md, and says what it could not
# compare; what is missing is named. `status` shows the queues without a management interface.
# tests/run: timeout 300
# tests/run: about 60
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
broker_start
user() { # NAME: with what the page says for it, word by word
    local rights
    mapfile -t rights < <(sed -n "/set_permissions -p VHOST $1 /,+3p" "$source/docs/rights.md" | sed -n "s/^ *'\(.*\)'.*/\1/p")
    ((${#rights[@]} == 3)) || fail "the page has ${#rights[@]} rights for $1"
    broker_ctl add_user "$1" secret
    broker_ctl set_permissions -p warren "$1" "${rights[@]}"
}
user DEPLOY
user WORK
as() { printf 'amqp://%s:secret@127.0.0.1:%s/warren' "$1" $((BASE_PORT + 10)); }

echo "what is not there is missed, in words"
WARREN_AMQP_URL=$(as WORK) expect 5 warren up --patience 3
grep -q 'warren.commands is not there, and this user may not declare it' <<<"$complained" || fail "up: $complained"

echo "who has the rights of the page declares"
WARREN_AMQP_URL=$(as DEPLOY) expect 5 warren up --patience 10 # it may declare, and not work
[[ $(broker_ctl list_queues -p warren name) == *events.log.1* ]] || fail "not declared: $complained"
[[ $(broker_ctl list_exchanges -p warren name) == *warren.suite* ]] || fail "it keeps no id"

echo "and who has those of the page works"
WARREN_AMQP_URL=$(as WORK) expect 0 warren up
grep -q 'this user may not declare: 11 exchanges and queues are there already' <<<"$complained" || fail "up: $complained"
if grep -q "does not keep this suite's id" <<<"$complained"; then fail "the id is there: $complained"; fi
expect 0 warren status --json
[[ $(field "$said" '(.queues | length) == 8 and ([.queues[] | select(.ready >= 0)] | length) == 8 and .findings == []') == true ]] || fail "status: $said"
expect 0 warren order --customer ada --line SPADE=1
expect 0 warren deploy
grep -q 'this user may not declare' <<<"$complained" || fail "deploy: $complained"
expect 0 warren audit --settle 10
expect 0 warren down

echo "without an id it works as well, and says so"
for name in $(broker_ctl list_exchanges -p warren name | grep '^warren\.suite'); do
    broker_ctl eval "rabbit_exchange:delete(rabbit_misc:r(<<\"warren\">>, exchange, <<\"$name\">>), false, <<\"test\">>)." >/dev/null
done
rm "$WARREN_HOME/store/suite-id"
WARREN_AMQP_URL=$(as WORK) expect 0 warren up
grep -q "does not keep this suite's id" <<<"$complained" || fail "up: $complained"
expect 0 warren status
