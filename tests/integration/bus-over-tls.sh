#!/bin/bash
# Over amqps the broker has to prove who it is: the right authority and name, or no connection.
# tests/run: timeout 120
set -euo pipefail
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${WARREN_BUILD:-$source/build/check}
. "$source/tests/lib/ports.sh"
. "$source/tests/lib/broker.sh"
export TMPDIR=${TMPDIR:-$(mktemp -d)}
service=
trap '[[ -z $service ]] || kill "$service" 2>/dev/null || true; broker_stop' EXIT
fail() {
    echo "$*" >&2
    cat "$TMPDIR"/log* >&2
    exit 1
}

authority() { # NAME
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -keyout "$TMPDIR/$1.key" -out "$TMPDIR/$1.pem" 2>/dev/null
}
certificate() { # NAME, for the address 127.0.0.1 only, and as an address only
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=127.0.0.1" \
        -keyout "$TMPDIR/$1.key" -out "$TMPDIR/$1.csr" 2>/dev/null
    openssl x509 -req -in "$TMPDIR/$1.csr" -CA "$TMPDIR/ours.pem" -CAkey "$TMPDIR/ours.key" \
        -CAcreateserial -days 2 -extfile <(echo "subjectAltName=IP:127.0.0.1") \
        -out "$TMPDIR/$1.pem" 2>/dev/null
}
authority ours
authority strangers
certificate broker

ports_take
BROKER_CONF="listeners.ssl.1 = 127.0.0.1:$((BASE_PORT + 11))
ssl_options.cacertfile = $TMPDIR/ours.pem
ssl_options.certfile = $TMPDIR/broker.pem
ssl_options.keyfile = $TMPDIR/broker.key"
broker_start
"$build/tests/integration/deploy_probe" "$BROKER_URL"

url=http://127.0.0.1:$((BASE_PORT + 20))
says() {
    curl -s "$url/readyz?verbose" >"$TMPDIR/log.ready" && grep -qE "$1" "$TMPDIR/log.ready"
}
attempt() { # HOST CA EXPECTED
    WARREN_AMQP_URL=amqps://test:test@$1:$((BASE_PORT + 11))/warren \
        "$build/order-service/order-service" --home "$TMPDIR/home" --base-port "$BASE_PORT" \
        --amqp-ca "$TMPDIR/$2.pem" >"$TMPDIR/log" 2>&1 &
    service=$!
    broker_until 20 says "$3" || fail "$1 with $2: not '$3'"
    kill -TERM "$service"
    wait "$service" || fail "it ends with $?"
    service=
}
attempt 127.0.0.1 ours "bus: up"
attempt 127.0.0.1 strangers "certificate|SSL"
attempt localhost ours "host|SSL"

# And a whole suite, on that broker: the services, `up` itself and the audit believe this authority
# and no other.
export WARREN_HOME=$TMPDIR/suite WARREN_BASE_PORT=$BASE_PORT
warren() { "$build/warren" "$@"; }
trap 'warren down >/dev/null; broker_stop' EXIT
secure=amqps://test:test@127.0.0.1:$((BASE_PORT + 11))/warren
if warren up --amqp-url "$secure" --amqp-ca "$TMPDIR/strangers.pem" --patience 2 >"$TMPDIR/log" 2>&1; then
    fail 'up believes strangers'
fi
grep -qiE 'certificate|SSL' "$TMPDIR/log" || fail 'it does not say why'
warren up --amqp-url "$secure" --amqp-ca "$TMPDIR/ours.pem" >"$TMPDIR/log" 2>&1 || fail 'up'
warren order --customer judy --line SPADE=1 >"$TMPDIR/log" 2>&1 || fail 'an order'
warren audit --settle 10 >"$TMPDIR/log" 2>&1 || fail 'the audit'
