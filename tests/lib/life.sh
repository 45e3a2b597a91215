# shellcheck shell=bash
# Trouble for the broker of a running suite. Source it after suite.sh:
#   program_pid NAME         as the supervisor knows it
#   broker_ctl ...           rabbitmqctl in the broker's own environment
#   management METHOD PATH   its HTTP interface, below /api/
#   more_orders              waits until the crowd, whose history is $HISTORY, has got 50 more accepted
#   place                    one order; sets STATUS, SECONDS_TAKEN, HEADERS
#   refuses_at_once          condition: an order is answered 503, with Retry-After, within half a second
#   all_alive                every service and the edge answer /livez within 2 s
#   drained_in_time SERVICE  from SIGTERM to its end it took 10 s at most
#   metric SERVICE NAME      a number of its /metrics
# shellcheck disable=SC2154

program_pid() {
    control pid "$1"
}

broker_ctl() {
    local variables pid
    pid=$(program_pid rabbitmq-server-1)
    mapfile -d '' variables <"/proc/$pid/environ"
    env -i -C "$WARREN_HOME" "${variables[@]}" /usr/lib/rabbitmq/bin/rabbitmqctl -q "$@"
}

management() {
    local method=$1 path=$2
    shift 2
    curl -sf -m 10 -X "$method" -u "deploy:$(<"$WARREN_HOME/secrets/deploy")" "$@" \
        "http://127.0.0.1:$((WARREN_BASE_PORT + 14))/api/$path"
}

accepted() {
    grep -c '"result":"ok"' "$HISTORY" 2>/dev/null || true
}

has_accepted() {
    [[ $(accepted) -ge $1 ]]
}

more_orders() {
    until_true 60 has_accepted $(($(accepted) + 50)) || fail "no more orders are accepted"
}

place() {
    local said
    said=$(curl -s -m 12 -o /dev/null -D "$TMPDIR/headers" -w '%{http_code} %{time_total}' \
        "http://127.0.0.1:$WARREN_BASE_PORT/v1/orders" -H "Authorization: Bearer $TOKEN" \
        -H 'Content-Type: application/json' \
        -d '{"lines":[{"sku":"SPADE","quantity":1}],"payment":{"token":"tok_visa"}}') || true
    read -r STATUS SECONDS_TAKEN <<<"$said"
    # shellcheck disable=SC2034
    HEADERS=$(tr -d '\r' <"$TMPDIR/headers")
}

refuses_at_once() {
    place
    [[ $STATUS == 503 ]] && grep -qi '^retry-after: ' <<<"$HEADERS" &&
        awk -v t="$SECONDS_TAKEN" 'BEGIN { exit !(t < 0.5) }'
}

all_alive() {
    local port
    for port in $PORTS; do
        curl -sf -m 2 "http://127.0.0.1:$port/livez" >/dev/null || {
            echo "nobody answers on port $port" >&2
            return 1
        }
    done
}

metric() {
    local port
    port=$(cut -d= -f2 < <(grep "^$1=" <<<"$NAMED_PORTS"))
    curl -sf -m 5 "http://127.0.0.1:$port/metrics" | awk -v name="$2" '$1 == name { print $2 }'
}

drained_in_time() {
    jq -Rne '[inputs | fromjson? | select(.event == "draining" or .event == "stopped") |
             .time | sub("\\.[0-9]+Z$"; "Z") | fromdate][-2:] | .[1] - .[0] <= 10' \
        "$WARREN_HOME/log/$1-1.log" >/dev/null
}
