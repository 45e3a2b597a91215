#!/bin/bash
# A suite comes up ready, on loopback only and with nothing secret in sight; a second `up` changes
# nothing; `down` leaves no process behind, and what was stored is there again after the next `up`.
# tests/run: timeout 240
# tests/run: about 100
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

is_up_again() { # PID of the broker that was killed
    local status
    status=$(warren status --json) && [[ $(field "$status" .broker.pid) != "$1" ]]
}

suite_place
expect 5 warren status
expect 5 warren order --customer ada --line SPADE=1
expect 0 warren up

echo "status says that all is ready"
expect 0 warren status --json
before=$said
[[ $(field "$before" '.ready and .broker.ready') == true ]] || fail "not ready: $before"
[[ $(field "$before" '.processes | length') == 4 ]] || fail "not four processes: $before"
[[ $(field "$before" '[.processes[] | select(.ready and .pid > 0 and .rss_bytes > 0 and .restarts == 0)] | length') == 4 ]] ||
    fail "a process is not well: $before"
[[ $(field "$before" '.queues | map(.name) | sort | join(" ")') == "events.log.1 notification.commands notification.events order.commands order.payments payment.commands payment.orders warren.dead" ]] ||
    fail "other queues than expected: $before"

echo "everything listens on loopback"
open=$(ss -Hltn "sport >= $WARREN_BASE_PORT and sport <= $((WARREN_BASE_PORT + 99))" | awk '{ print $4 }')
[[ $(wc -l <<<"$open") -ge 9 ]] || fail "fewer listeners than expected: $open"
if grep -vE '^(127\.0\.0\.1|\[::1\]):' <<<"$open"; then fail "this listens to others"; fi

echo "nothing secret on a command line, in an environment or open to others"
while read -r pid _; do
    for secret in "$WARREN_HOME"/secrets/*; do
        if grep -qsaF "$(<"$secret")" "/proc/$pid/cmdline" "/proc/$pid/environ"; then
            fail "process $pid shows the secret of ${secret##*/}"
        fi
    done
done < <(suite_left)
[[ $(stat -c %a "$WARREN_HOME") == 700 ]] || fail "the home is open"
[[ -z $(find "$WARREN_HOME/secrets" -type f -perm /077) ]] || fail "a secret is open"
if curl -fsS -u guest:guest "http://127.0.0.1:$((WARREN_BASE_PORT + 14))/api/overview" >/dev/null 2>&1; then
    fail "guest may look at the broker"
fi

echo "a second up is quick and changes nothing"
begun=$EPOCHREALTIME
expect 0 warren up
took=$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { print int((b - a) * 1000) }')
((took < 5000)) || fail "it took $took ms"
expect 0 warren status --json
for what in '[.processes[].pid]' '.broker.pid' '.log.last_offset'; do
    [[ $(field "$before" "$what") == "$(field "$said" "$what")" ]] || fail "$what has changed"
done
expect 2 warren up --instances 2

echo "down leaves nothing, twice"
expect 0 warren order --customer ada --line SPADE=2 --key once --json
order=$(field "$said" .order_id)
expect 0 warren down
[[ -z $(suite_left) ]] || fail "left: $(suite_left)"
expect 5 warren status --json
[[ $(field "$said" .ready) == false ]] || fail "status of nothing: $said"
expect 0 warren down

echo "the data is there again"
expect 0 warren up
expect 0 warren order --customer ada --line SPADE=2 --key once --json
[[ $(field "$said" .order_id) == "$order" ]] || fail "another order: $said"
[[ $(field "$said" '[.events[] | select(.type == "payment.captured")] | length') == 1 ]] ||
    fail "not charged once: $said"

echo "with a broker that has lost everything, the edge reads the new log from its beginning"
expect 0 warren down
rm -rf "$WARREN_HOME/broker"
expect 0 warren up
expect 0 warren order --customer ada --line SPADE=1 --key anew --json
[[ $(field "$said" '.events | map(.type) | contains(["order.confirmed"])') == true ]] ||
    fail "it cannot be followed: $said"
grep -q log-is-another "$WARREN_HOME/log/edge-service-1.log" || fail "the edge does not tell"

echo "a broker so new, killed the moment it is ready, finds its log again"
expect 0 warren down
rm -rf "$WARREN_HOME/broker"
sanitized=$build
build=$WARREN_PLAIN # with sanitizers a start takes longer than what it must wait for
expect 0 warren up
broker=$(<"$WARREN_HOME/run/broker.pid")
kill -9 "$broker"
until_true 90 is_up_again "$broker" || fail "it is not up again: $(warren status)"
expect 0 warren down
build=$sanitized
expect 0 warren up

echo "without its supervisor, down still ends everything"
kill -9 "$(<"$WARREN_HOME/run/supervisord.pid")"
expect 5 warren status
grep -q 'supervisor .* is gone' <<<"$said" || fail "status does not tell: $said"
expect 6 warren up
grep -q 'warren down ends it' <<<"$complained" || fail "it does not say what to do: $complained"
expect 0 warren down
[[ -z $(suite_left) ]] || fail "left: $(suite_left)"
