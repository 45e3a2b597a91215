#!/bin/bash
# Orders and cancels keep coming while SIGKILL hits one after the other of two instances of every
# service. What the clients were told, and every promise, is then held against the stores, the
# ledger and the log.
# tests/run: timeout 240
set -euo pipefail
# shellcheck source=tests/lib/ports.sh
. "$WARREN_SOURCE/tests/lib/ports.sh"
ports_take
export WARREN_HOME=$TMPDIR/home WARREN_BASE_PORT=$BASE_PORT
warren=$WARREN_BUILD/warren
clients=4
end() {
    touch "$TMPDIR/stop"
    "$warren" down >/dev/null 2>&1 || true
}
fail() {
    echo "$*" >&2
    exit 1
}

call() { # call KEY URL BODY: prints the status, 000 without an answer; the answer is in $answer
    curl -s -m 10 -o "$answer" -w '%{http_code}' -X POST "$2" -H "Authorization: Bearer $bearer" \
        -H "Idempotency-Key: $1" -H 'Content-Type: application/json' -d "$3" || true
}

result_of() { # refused is not unknown
    case $1 in
    200 | 202) echo ok ;;
    000 | 500 | 504) echo unknown ;;
    *) echo refused ;;
    esac
}

client() { # client N: places orders and records what it was told; cancels every third
    local answer=$TMPDIR/answer.$1 bearer i key begun http id
    local url=http://127.0.0.1:$((BASE_PORT + $1 % 2))/v1/orders # both edges
    local tokens=(tok_visa tok_visa tok_visa tok_declined tok_flaky)
    local skus=(LETTUCE SPADE CARROT-1KG BOOTS)
    bearer=$("$warren" token --customer "client-$1")
    for ((i = 0; ; i++)); do
        [[ -e $TMPDIR/stop ]] && break
        key=key-$1-$i
        begun=$(date +%s%N)
        : >"$answer"
        http=$(call "$key" "$url" "{\"lines\":[{\"sku\":\"${skus[i % 4]}\",\"quantity\":$((1 + i % 3))}],\
\"payment\":{\"token\":\"${tokens[i % 5]}\"}}")
        id=$(sed -n 's/.*"order_id":"\([^"]*\)".*/\1/p' "$answer")
        printf '{"op":"place","customer":"client-%s","key":"%s","order_id":"%s","invoked_ns":%s,"completed_ns":%s,"result":"%s","http":%d}\n' \
            "$1" "$key" "$id" "$begun" "$(date +%s%N)" "$(result_of "$http")" "$((10#$http))" \
            >>"$TMPDIR/history.$1"
        if ((i % 3 == 0)) && [[ $id ]]; then
            call "cancel-$key" "$url/$id/cancel" '{}' >/dev/null
        fi
        [[ $http == 000 || $http == 503 ]] && sleep 0.1 # not a measurement of refusals
    done
    return 0
}

pid_of() { cat "$WARREN_HOME/run/$1.lock"; }

kill_one() { # and see it back
    local old end=$((SECONDS + 20))
    old=$(pid_of "$1")
    [[ $old ]] || fail "no pid of $1"
    kill -9 "$old"
    until [[ $(pid_of "$1") != "$old" ]]; do
        ((SECONDS < end)) || fail "$1 did not come back"
        sleep 0.1
    done
}

trap end EXIT
"$warren" up --instances 2 >/dev/null
pids=()
for ((n = 0; n < clients; n++)); do
    client "$n" &
    pids+=($!)
done
sleep 1
for instance in 1 2; do
    for service in order-service payment-service notification-service edge-service; do
        kill_one "$service-$instance"
        sleep 0.$((3 * instance))
    done
done
sleep 1
touch "$TMPDIR/stop"
wait "${pids[@]}"
cat "$TMPDIR"/history.* >"$TMPDIR/history"
ok=$(grep -c '"result":"ok"' "$TMPDIR/history")
((ok >= 50)) || fail "only $ok orders were accepted: that is no load"
"$warren" audit --settle 60 --history "$TMPDIR/history"
