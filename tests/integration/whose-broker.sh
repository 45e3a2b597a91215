#!/bin/bash
# Stores and broker belong together, or `up` says no in words and touches nothing: new stores on an old broker,
# two suites at one broker, two at once, stores and brokers from before there were ids, a backup put back,
# a broker that was wiped or forgot, a start that died between writing the one and the other.
# tests/run: timeout 900
# tests/run: about 250
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
# shellcheck source=tests/lib/broker.sh
. "$source/tests/lib/broker.sh"

suite_place
another=$TMPDIR/another
suite_also_end() {
    warren down >/dev/null
    warren down --home "$another" >/dev/null
    broker_stop
}
broker_start
export WARREN_AMQP_URL=$BROKER_URL
id_file=$WARREN_HOME/store/suite-id
exchanges() { broker_ctl list_exchanges -p warren name | sed -n '/^warren\.suite/p' | sort | paste -sd' '; }
forget() { # the broker keeps everything but the id
    local name
    for name in $(exchanges); do
        broker_ctl eval "rabbit_exchange:delete(rabbit_misc:r(<<\"warren\">>, exchange, <<\"$name\">>), false, <<\"test\">>)." >/dev/null
    done
    [[ -z $(exchanges) ]] || fail "it still keeps $(exchanges)"
}
wipe() {
    broker_ctl delete_vhost warren >/dev/null
    broker_ctl add_vhost warren >/dev/null
    broker_ctl set_permissions -p warren test '.*' '.*' '.*' >/dev/null
}
price() { curl -s "http://127.0.0.1:$WARREN_BASE_PORT/v1/products" | jq -r '.products[] | select(.sku == "SPADE") | .unit_price'; }
refused() { # TEXT COMMAND...
    local text=$1 before
    shift
    before=$(exchanges)
    expect 7 "$@"
    grep -qF "$text" <<<"$complained" || fail "it does not say '$text': $complained"
    grep -qF -- '--home' <<<"$complained" || fail "it names no way out: $complained"
    [[ $(exchanges) == "$before" ]] || fail "it has changed the broker: $before, now $(exchanges)"
    [[ -z $(suite_left) ]] || fail "it left something running: $(suite_left)"
}
park() { # all that makes the stores old ones
    mkdir "$TMPDIR/parked"
    mv "$WARREN_HOME"/{store,provider,stores-made} "$TMPDIR/parked"
}
unpark() {
    rm -rf "$WARREN_HOME"/{store,provider,stores-made}
    mv "$TMPDIR"/parked/* "$WARREN_HOME"
    rmdir "$TMPDIR/parked"
}

echo "a suite and its broker know each other, and again after down and up"
expect 0 warren up
id=$(<"$id_file")
[[ $id =~ ^[0-9a-f]{16}$ ]] || fail "the stores have no id: $id"
[[ $(exchanges) == "warren.suite warren.suite.$id" ]] || fail "the broker keeps $(exchanges)"
expect 0 warren order --customer ada --line SPADE=1
expect 0 warren up
expect 0 warren down
broker_end
broker_start_again
expect 0 warren up
[[ $(<"$id_file") == "$id" ]] || fail "another id: $(<"$id_file")"
[[ $(price) -gt 0 ]] || fail "no price"
expect 0 warren audit --settle 10

echo "status and audit see that the broker has become another's"
broker_ctl eval "X = rabbit_misc:r(<<\"warren\">>, exchange, <<\"warren.suite.$id\">>), rabbit_exchange:delete(X, false, <<\"test\">>)." >/dev/null
expect 1 warren status
grep -q "the broker is another suite's" <<<"$said" || fail "status: $said"
expect 1 warren audit --settle 1
grep -q "the broker is another suite's" <<<"$said" || fail "audit: $said"
expect 0 warren up # who may declare can tell that only the second exchange is missing
expect 0 warren status
expect 0 warren down

echo "new stores on an old broker"
park
refused "new, suite" warren up
refused "the broker is another suite's, $id" warren up
[[ $(<"$id_file") == *pending ]] || fail "its id is not pending: $(<"$id_file")"

echo "another home, another port, the same virtual host"
ports_first=$WARREN_BASE_PORT
refused "the broker is another suite's, $id" warren up --home "$another"

echo "its own stores again, from a backup"
unpark
cp -a "$WARREN_HOME/store" "$TMPDIR/backup"
rm -rf "$WARREN_HOME/store"
cp -a "$TMPDIR/backup" "$WARREN_HOME/store"
expect 0 warren up
expect 0 warren down

echo "a broker that has forgotten whose it is, with a log full of facts"
forget
refused "does not say whose" warren up
expect 0 warren up --adopt-broker
[[ $(exchanges) == "warren.suite warren.suite.$id" ]] || fail "not adopted: $(exchanges)"
expect 0 warren down
forget
park
refused "does not say whose" warren up # and new stores
unpark

echo "stores and broker from before there were ids"
rm "$id_file"
expect 0 warren up
[[ $(<"$id_file") != "$id" ]] || fail "no new id"
id=$(<"$id_file")
[[ $(exchanges) == "warren.suite warren.suite.$id" ]] || fail "not adopted: $(exchanges)"
expect 0 warren audit --settle 10
expect 0 warren down

echo "a start that died between the two"
printf '%s pending' "$id" >"$id_file"
expect 0 warren up
[[ $(<"$id_file") == "$id" ]] || fail "still $(<"$id_file")"
expect 0 warren down
: >"$id_file" # what a loss of power may leave of it; the stores are those of another now
refused "the broker is another suite's, $id" warren up
printf '%s' "$id" >"$id_file"
printf 'rubbish' >"$id_file"
expect 5 warren up --patience 5
grep -q "holds no id" <<<"$complained" || fail "up: $complained"
printf '%s' "$id" >"$id_file"

echo "taken over on purpose"
park
expect 0 warren up --adopt-broker
[[ $(exchanges) == "warren.suite warren.suite.$(<"$id_file")" && $(<"$id_file") != "$id" ]] || fail "not taken over: $(exchanges)"
expect 0 warren down
unpark
refused "the broker is another suite's" warren up

echo "a broker that was wiped is nobody's"
wipe
expect 0 warren up --patience 120
[[ $(exchanges) == "warren.suite warren.suite.$id" ]] || fail "not claimed: $(exchanges)"
expect 0 warren down

echo "of two who begin at once one is second"
wipe
park
ports_take # those of the broker stay what they are
rival_port=$BASE_PORT
BASE_PORT=$ports_first
"$build/warren" up --home "$another" --base-port "$rival_port" >"$TMPDIR/another.out" 2>&1 &
rival=$!
mine=0 theirs=0
warren up --base-port "$ports_first" >"$TMPDIR/mine.out" 2>&1 || mine=$?
wait "$rival" || theirs=$?
[[ "$mine $theirs" == "0 7" || "$mine $theirs" == "7 0" ]] || fail "mine $mine, theirs $theirs: $(cat "$TMPDIR/mine.out" "$TMPDIR/another.out")"
"$build/warren" down --home "$another" >/dev/null
[[ $(exchanges | wc -w) == 2 ]] || fail "both are there: $(exchanges)"
