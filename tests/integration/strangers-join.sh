#!/bin/bash
# A stranger in Python and one in Node join the bus by docs/join.md alone: its commands and programs are run
# as they stand. What they say, and worse, disturbs nobody: the edge goes on, status and audit are clean.
# tests/run: timeout 240
# tests/run: about 90
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
# shellcheck disable=SC2154
page=$source/docs/join.md

# The blocks behind "run by THIS SCRIPT: NAME" to files, the one without a name as shell.
take_blocks() {
    awk -v dir="$TMPDIR" -v mark="<!-- run by tests/integration/strangers-join.sh" '
        index($0, mark) == 1 { name = "commands"; if (match($0, /: [a-z.]+/)) name = substr($0, RSTART + 2, RLENGTH - 2); next }
        name && /^```[a-z]/ { inside = 1; next }
        inside && /^```/ { inside = 0; name = ""; next }
        inside { print > (dir "/" name) }' "$page"
}

hears_order() { # FILE ORDER
    grep -q "^order.placed $2 " "$1" && grep -q "^order.confirmed $2 " "$1"
}

listen() { # NAME COMMAND...
    "${@:2}" "$TMPDIR/hear.url" >"$TMPDIR/$1.out" 2>"$TMPDIR/$1.err" &
    listeners+=("$!")
    until_true 30 grep -q '^listening' "$TMPDIR/$1.out" || fail "$1: $(<"$TMPDIR/$1.err")"
}

suite_also_end() {
    local pid
    for pid in ${listeners[@]+"${listeners[@]}"}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" || true
    done
}

listeners=()
"$source/tests/contracts/install" # amqplib
take_blocks
for name in commands hear.py say.py hear.mjs say.mjs; do
    [[ -s $TMPDIR/$name ]] || fail "the page has no $name"
done
ln -s "${WARREN_BUILD:-$build}/contract-tools/node_modules" "$TMPDIR/node_modules"

suite_start >"$TMPDIR/up.out"
expect 0 bash -ec "$(sed "s|build/warren|$build/warren|" "$TMPDIR/commands")"
mapfile -t files <<<"$said"
[[ ${#files[@]} == 2 ]] || fail "not two files: $said"
ln -s "${files[0]}" "$TMPDIR/hear.url"

echo "both hear of an order"
listen python /usr/bin/python3 "$TMPDIR/hear.py"
listen node node "$TMPDIR/hear.mjs"
expect 0 warren order --customer ada --line SPADE=1 --json
order=$(field "$said" .order_id)
for name in python node; do
    until_true 30 hears_order "$TMPDIR/$name.out" "$order" || fail "$name heard: $(cat "$TMPDIR/$name".*)"
done

echo "both say something"
expect 0 /usr/bin/python3 "$TMPDIR/say.py" "${files[1]}"
expect 0 node "$TMPDIR/say.mjs" "${files[1]}"

echo "and worse"
/usr/bin/python3 - "${files[1]}" "$order" <<'PY'
import json, sys, uuid, pika
channel = pika.BlockingConnection(pika.URLParameters(open(sys.argv[1]).read().strip())).channel()
channel.confirm_delivery()
order = sys.argv[2]
event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/order-service", "subject": order,
         "type": "order.cancelled", "time": "2026-01-01T00:00:00Z", "sequence": "3",
         "data": {"order_id": order, "customer": order, "version": 3, "reason": "cancelled",
                  "currency": "EUR", "total": 1}}
bodies = [b"hello", b"", b"\xff\x00", b"[1,2]", json.dumps(event), json.dumps({**event, "type": "neighbour.x"}),
          json.dumps({**event, "source": "/x", "type": "neighbour.x", "sequence": "7"})]
for body in bodies:
    channel.basic_publish("warren.events", "neighbour.x", body, mandatory=True)
PY
expect 0 warren order --customer ada --line SPADE=1 --json
[[ $(field "$said" .status) == confirmed ]] || fail "the next order: $said"
expect 0 warren order --customer ada --line SPADE=1 --key again
expect 0 warren audit --settle 10 --json
[[ $(field "$said" .verdict) == clean ]] || fail "the audit: $said"
grep -q '9 messages on the log are of strangers' <<<"$said" || fail "the audit counts otherwise: $said"
expect 0 warren status

echo "they are there again after down and up, and with a new broker"
expect 0 warren down
expect 0 warren up
expect 0 /usr/bin/python3 "$TMPDIR/say.py" "${files[1]}"
expect 0 warren down
rm -rf "$WARREN_HOME/broker"
expect 0 warren up
listen again /usr/bin/python3 "$TMPDIR/hear.py"
expect 0 /usr/bin/python3 "$TMPDIR/say.py" "${files[1]}"
expect 0 warren order --customer ada --line SPADE=1 --json
order=$(field "$said" .order_id)
until_true 30 hears_order "$TMPDIR/again.out" "$order" || fail "nothing heard: $(cat "$TMPDIR"/again.*)"

echo "where no suite runs there is no guest to be made"
expect 0 warren down
expect 5 warren guest late --hear '#'
grep -q 'warren up' <<<"$complained" || fail "it does not say what to do: $complained"
[[ ! -e $WARREN_HOME/guests/late ]] || fail 'it was made all the same'
