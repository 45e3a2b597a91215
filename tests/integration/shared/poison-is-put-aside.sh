#!/bin/bash
# Messages that nobody can handle, in two services' queues: their neighbours are handled, each is in
# quarantine with its bytes and its reason, and can be looked at, run again and thrown away. What
# is none passes when it is run again. The broker dead-letters nothing of it. Once a suite: a message
# without an id is known again by its content.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

inject() { # QUEUE TYPE FILE [ID]
    # shellcheck disable=SC2154
    "$build/tests/integration/inject" "$WARREN_HOME" "$WARREN_BASE_PORT" "$@" || fail "inject $*"
}
listed() { # COUNT: so many are in quarantine
    [[ $(warren quarantine list --json | jq '.messages | length') == "$1" ]]
}
event() { # TYPE DATA
    printf '{"specversion":"1.0","id":"%s","source":"/cli","type":"%s","subject":"%s","time":"2026-01-01T00:00:00.000Z","datacontenttype":"application/json","sequence":"1","traceparent":"00-6bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","data":%s}' \
        "$(cat /proc/sys/kernel/random/uuid)" "$1" POISON "$2"
}
expect 0 warren quarantine list
[[ $said == '0 in quarantine' ]] || fail "not empty before: $said"

printf '{\033[31m"half' >"$TMPDIR/half"
: >"$TMPDIR/empty"
event order.place '{"order_id":7,"lines":"none"}' >"$TMPDIR/payload"
event order.gift-wrap '{}' >"$TMPDIR/unknown"
head -c 1000000 /dev/zero | tr '\0' 'x' >"$TMPDIR/huge"
head -c 8000000 /dev/zero | tr '\0' 'y' >"$TMPDIR/giant"
head -c 200000 /dev/zero | tr '\0' '[' >"$TMPDIR/deep"
for queue in order.commands payment.orders; do
    for kind in half empty payload unknown huge giant deep; do
        inject "$queue" order.place "$TMPDIR/$kind"
    done
done
expect 0 warren order --customer ivan --line SPADE=1
until_true 20 listed 14 || fail "in quarantine: $(warren quarantine list)"
for name in order payment; do
    [[ $(grep -h '"event":"message-quarantined"' "$WARREN_HOME/log/$name-service-1.log" |
        grep -c '"trace_id":"6bf92f3577b34da6a3ce929d0e0e4736"') == 2 ]] ||
        fail "$name-service does not log the trace of what could be read"
done
expect 0 warren order --customer ivan --line SPADE=1

expect 0 warren quarantine list --json
[[ $(field "$said" '[.messages[] | "\(.queue) \(.size)"] | sort | join(",")') == "$(
    for queue in order.commands payment.orders; do
        for kind in half empty payload unknown huge deep; do
            echo "$queue $(stat -c %s "$TMPDIR/$kind")"
        done
        echo "$queue 1048576" # giant: a consumer keeps no more of a message
    done | LC_ALL=C sort | paste -sd,
)" ]] || fail "not what was injected: $said"
[[ $(field "$said" '[.messages[] | select(.reason == "" or .attempts != 0 or (.at | startswith("20") | not))] | length') == 0 ]] || fail "$said"
expect 0 warren quarantine list --service payment-service
[[ $said == *'7 in quarantine' && $said != *order-service* ]] || fail "of one service: $said"

half=$(warren quarantine list --json | jq -r '.messages[] | select(.size == 11 and .service == "order-service") | .id')
[[ -n $half ]] || fail 'it is not listed by its size'
expect 0 warren quarantine show "$half"
[[ $said == *'{\x1b[31m"half'* ]] || fail "its bytes: $said"
huge=$(warren quarantine list --json | jq -r 'first(.messages[] | select(.size == 1000000) | .id)')
expect 0 warren quarantine show --bytes 100 "$huge"
((${#said} < 1000)) || fail "shown in ${#said} bytes"
[[ $said == *'999900 bytes more'* ]] || fail "$said"

# Redriven poison comes back under another number, once.
expect 0 warren quarantine redrive --json "$half"
[[ $(field "$said" .redriven) == 1 ]] || fail "$said"
expect 1 warren quarantine show "$half"
until_true 10 listed 14 || fail 'redriven poison has not come back'
again=$(warren quarantine list --json | jq -r '.messages[] | select(.size == 11 and .service == "order-service") | .id')
[[ $again != "$half" ]] || fail "it never left: $again"
expect 0 warren quarantine drop "$again" "$huge"
listed 12 || fail 'dropped, and still there'

# What was unlucky and is none: put aside by hand, as if its handler had been wrong then.
id=$(cat /proc/sys/kernel/random/uuid)
event stock.adjust '{"sku":"SPADE","delta":3}' | sed "s/POISON/SPADE/" >"$TMPDIR/good"
stock() { sqlite3 -readonly "$WARREN_HOME/store/order.db" "SELECT adjusted FROM product WHERE sku = 'SPADE'"; }
before=$(stock)
sqlite3 -cmd '.timeout 5000' "$WARREN_HOME/store/order.db" "INSERT INTO inbox VALUES ('$id', 1);
    INSERT INTO quarantine(message_id, queue, body, reason, attempts, at_ms)
    VALUES ('$id', 'order.commands', readfile('$TMPDIR/good'), 'a defect, mended since', 6, 1)"
expect 0 warren quarantine redrive "order-service/$(sqlite3 -readonly "$WARREN_HOME/store/order.db" 'SELECT max(number) FROM quarantine')"
passed() { (($(stock) == before + 3)); }
until_true 4 passed || fail "redriven, and not handled within 4 s: $(stock), $before before"
listed 12 || fail 'it came back'

expect 0 warren quarantine drop --all --json
[[ $(field "$said" .dropped) == 12 ]] || fail "$said"
listed 0 || fail 'all dropped, and some still there'
expect 0 warren audit --settle 20
expect 0 warren status --json
[[ $(field "$said" .broker.dead_letters) == 0 ]] || fail "dead-lettered: $said"

# And if the net were not empty, it would be told.
inject warren.dead x "$TMPDIR/half"
expect 1 warren status
[[ $said == *'dead-lettered 1 message'* ]] || fail "status: $said"
expect 1 warren audit --settle 20
[[ $said == *'dead-lettered 1 message'* ]] || fail "audit: $said"
"$build/tests/integration/inject" "$WARREN_HOME" "$WARREN_BASE_PORT" --purge warren.dead
expect 0 warren status
