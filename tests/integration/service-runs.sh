#!/bin/bash
# A service comes up before its disk and its broker, says why it is not ready, becomes ready by itself, tolerates
# no second process of its name, and ends with 0 on SIGTERM.
# tests/run: timeout 120
# tests/run: about 20
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
    cat "$TMPDIR/log" >&2
    exit 1
}

ports_take
home=$TMPDIR/disk/home
mkdir "$TMPDIR/disk"
url=http://127.0.0.1:$((BASE_PORT + 20))
program=$build/order-service/order-service
common=(--home "$home" --base-port "$BASE_PORT")

status=0
"$program" "${common[@]}" --without inbox 2>"$TMPDIR/log" || status=$?
[[ $status == 2 ]] || fail "--without alone exits $status, not 2"
status=0
"$program" "${common[@]}" 2>"$TMPDIR/log" || status=$?
[[ $status == 6 ]] || fail "without its password it exits $status, not 6"
grep -q "secrets/order-service" "$TMPDIR/log" || fail "it does not name the file"

mkdir -p "$home/secrets"
echo test >"$home/secrets/order-service"
chmod 644 "$home/secrets/order-service"
status=0
"$program" "${common[@]}" 2>"$TMPDIR/log" || status=$?
[[ $status == 6 ]] || fail "with a password that others may read it exits $status, not 6"
chmod 600 "$home/secrets/order-service"

mv "$TMPDIR/disk" "$TMPDIR/unplugged"
"$program" "${common[@]}" >"$TMPDIR/log" 2>&1 &
service=$!
waits_for_disk() { grep -q '"home-missing"' "$TMPDIR/log"; }
broker_until 10 waits_for_disk || fail "it does not say that its home is missing"
kill -0 "$service" || fail "it does not wait for its home"
mv "$TMPDIR/unplugged" "$TMPDIR/disk"
broker_until 10 curl -sf "$url/livez" || fail "it is not alive"
grep -q "bus: down, [a-z]" < <(curl -s "$url/readyz?verbose") || fail "it does not say why it is not ready"
status=0
"$program" "${common[@]}" 2>"$TMPDIR/second" || status=$?
[[ $status == 6 ]] || fail "a second one exits $status, not 6"
grep -q "runs already" "$TMPDIR/second" || fail "the second one does not say why"

broker_start
broker_ctl add_user order-service test
broker_ctl set_permissions -p warren order-service '^$' '.*' '.*'
bus_until() {
    grep -q "$1" < <(curl -s "$url/readyz?verbose")
}
broker_until 20 bus_until "404" || fail "it does not miss its exchanges"
"$build/tests/integration/deploy_probe" "$BROKER_URL"
broker_until 20 curl -sf "$url/readyz" || fail "it does not become ready"
grep -q '^warren_bus_up 1$' < <(curl -s "$url/metrics") || fail "its metrics do not show it"

kill -TERM "$service"
status=0
wait "$service" || status=$?
service=
[[ $status == 0 ]] || fail "it ends with $status"
