#!/bin/bash
# A guest of the bus may hear and say what it was given and nothing else, by no detour; taking rights away
# takes effect at once, and no password is to be seen.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
# shellcheck disable=SC2154
try() { /usr/bin/python3 "$source/tests/integration/guest_rights.py" "$@"; }

echo "what is no guest is refused"
for bad in '' A a.b ../x a/b 'a b' -- "$(printf '%033d' 0 | tr 0 a)"; do
    expect 2 warren guest "$bad" --hear '#'
done
for bad in '' Order.x 'order.#.x' 'order..x' 'a b' order. 'x*' '##' "$(printf '%064d' 0)"; do
    expect 2 warren guest rights --hear "$bad"
done
for bad in order.placed '#' '*.x' neighbour neighbours.x; do
    expect 2 warren guest rights --say "$bad"
done
expect 2 warren guest rights
expect 2 warren guest rights --remove --hear '#'
expect 2 warren guest --hear '#'
expect 2 warren guest rights another --hear '#'
[[ ! -e $WARREN_HOME/guests/rights ]] || fail 'a guest was made'

echo "one that hears and says"
expect 0 warren guest rights --hear 'order.*' --hear payment.captured --say 'neighbour.*'
files=$said
mapfile -t urls <<<"$files"
[[ ${#urls[@]} == 2 && ${urls[0]} == */hear.url && ${urls[1]} == */say.url ]] || fail "files: $files"
[[ -z $(find "$WARREN_HOME/guests" -perm /077) ]] || fail 'others may read a guest'
expect 0 warren guest
grep -qE '^rights +hears order\.\*, payment\.captured; says neighbour\.\*$' <<<"$said" || fail "list: $said"
expect 0 warren guest rights
[[ $said == "$files" ]] || fail "other files: $said"
expect 0 try hears "${urls[0]}"
echo "$said"
expect 0 try says "${urls[1]}"
echo "$said"
heard=$(<"${urls[0]}") say=$(<"${urls[1]}")
expect 0 try outside "${heard%warren}%2F" "${heard/guest.rights/guest.rights.say}" "${heard/rights:/rights:x}"

management=http://127.0.0.1:$((WARREN_BASE_PORT + 14))/api
for url in "$heard" "$say"; do
    login=${url#amqp://}
    status=$(printf 'user = "%s"\n' "${login%@*}" |
        curl -s -o /dev/null -w '%{http_code}' -K - "$management/overview")
    [[ $status == 401 ]] || fail "a guest gets $status from the management interface"
done

echo "the same again changes nothing"
expect 0 warren guest rights --hear 'order.*' --hear payment.captured --say 'neighbour.*'
[[ $(<"${urls[0]}") == "$heard" && $(<"${urls[1]}") == "$say" ]] || fail 'other passwords'

echo "less is less at once"
cat >"$TMPDIR/hold.py" <<'PY'
import sys, pika
c = pika.BlockingConnection(pika.URLParameters(open(sys.argv[1]).read().strip()))
channel = c.channel()
for name, key in ("wide", "order.*"), ("narrow", "payment.captured"):
    channel.queue_declare("guest.rights." + name, durable=True)
    channel.queue_bind("guest.rights." + name, "warren.events", key)
print("held", flush=True)
try:
    channel.start_consuming() or c.process_data_events(time_limit=60)
except pika.exceptions.AMQPError:
    print("ended", flush=True)
PY
/usr/bin/python3 "$TMPDIR/hold.py" "${urls[0]}" >"$TMPDIR/hold.out" &
holder=$!
until_true 30 grep -q held "$TMPDIR/hold.out" || fail 'the guest cannot make its queues'
expect 0 warren guest rights --hear payment.captured
[[ $said == "${urls[0]}" && $(<"${urls[0]}") == "$heard" ]] || fail "files: $said"
until_true 30 grep -q ended "$TMPDIR/hold.out" || fail 'a connection with the rights of before lives on'
wait "$holder"
[[ ! -e ${urls[1]} ]] || fail 'the other file is still there'
expect 0 try outside "$say"
status=$(warren status --json) || true
names=$(field "$status" '[.queues[].name | select(startswith("guest."))] | join(" ")')
[[ $names == guest.rights.narrow ]] || fail "queues: $names"
expect 1 try hears "${urls[0]}"
grep -q "hear order.placed: 403" <<<"$said" || fail "it may still hear orders: $said"

echo "no password is to be seen"
printf '%s\n' "$heard" "$say" | sed 's/.*:\([0-9a-f]*\)@.*/\1/' >"$TMPDIR/passwords"
[[ $(grep -cE '^[0-9a-f]{64}$' "$TMPDIR/passwords") == 2 ]] || fail 'no passwords to look for'
found=$(grep -lraF -f "$TMPDIR/passwords" "$WARREN_HOME/log" "$WARREN_HOME/run" \
    "$WARREN_HOME/broker/definitions.json" /proc/[0-9]*/cmdline 2>/dev/null | grep -v "/$$/" || true)
[[ -z $found ]] || fail "a password is to be seen in $found"

echo "gone is gone, twice"
expect 0 warren guest rights --remove
expect 0 warren guest rights --remove
expect 0 try outside "$heard"
status=$(warren status --json) || true
[[ $(field "$status" '[.queues[].name | select(startswith("guest."))] | length') == 0 ]] || fail 'a queue is left'
[[ ! -e $WARREN_HOME/guests/rights ]] || fail 'its files are left'
if grep -q 'guest.rights' "$WARREN_HOME/broker/definitions.json"; then fail 'the next start brings it back'; fi
expect 0 warren guest
[[ -z $said ]] || fail "list: $said"
