#!/bin/bash
# warren audit on a live suite: clean after a few orders; violated, with the promise named, once a
# store, the ledger or a client's record says something that must not be; unreadable (5) when a
# source is gone; never clean (1) when there is nothing to look at. What is under way is pending,
# unless the audit is told that nobody orders any more. A log that was lost is one finding, and once it
# is given up the audit is clean again, of what came since.
# tests/run: timeout 300
# tests/run: about 75
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
# shellcheck source=tests/lib/life.sh
. "$source/tests/lib/life.sh"

suite_start >"$TMPDIR/up.out"

expect 1 warren audit --json
[[ $(field "$said" .verdict) == "not checked" ]] || fail "an empty shop was called $(field "$said" .verdict)"

expect 0 warren order --customer anna --line DANDELION-TEA=2
expect 3 warren order --customer anna --line DANDELION-TEA=1 --card tok_declined
expect 0 warren audit --json
[[ $(field "$said" .verdict) == clean ]] || fail "$said"
[[ $(field "$said" '[.promises[] | select(.verdict == "held")] | length') == 7 ]] || fail "$said"
[[ $(field "$said" .counts.orders) == 2 ]] || fail "$said"

# damage FILE SQL PROMISE REPAIR: the audit must break exactly this promise, and be clean again after
damage() {
    sqlite3 "$WARREN_HOME/$1" "PRAGMA busy_timeout = 5000; $2" >/dev/null
    expect 1 warren audit --settle 1 --json
    [[ $(field "$said" '[.promises[] | select(.verdict == "violated") | .number] | join(" ")') == "$3" ]] ||
        fail "$2: $said"
    sqlite3 "$WARREN_HOME/$1" "PRAGMA busy_timeout = 5000; $4" >/dev/null
    expect 0 warren audit --json
}
damage provider/ledger.db \
    "INSERT INTO ledger(key, order_id, kind, amount, currency, reference, at_ms)
     SELECT 'again', order_id, kind, amount, currency, reference, at_ms FROM ledger WHERE kind = 'capture'" \
    3 "DELETE FROM ledger WHERE key = 'again'"
damage store/order.db "UPDATE product SET available = available - 1 WHERE sku = 'DANDELION-TEA'" \
    "3 5" "UPDATE product SET available = available + 1 WHERE sku = 'DANDELION-TEA'"
damage store/notification.db "UPDATE notification SET kind = 'expired' WHERE kind = 'rejected'" \
    4 "UPDATE notification SET kind = 'rejected' WHERE kind = 'expired'"
damage store/order.db "UPDATE order_event SET fact_id = fact_id || 'x' WHERE version = 2 AND type = 'order.confirmed'" \
    5 "UPDATE order_event SET fact_id = substr(fact_id, 1, 36) WHERE type = 'order.confirmed'"

# What an edge shows: the read model is written behind its back.
damage store/edge-read-1.db "UPDATE orders SET status = 'confirmed', reason = '' WHERE status = 'rejected'" \
    5 "UPDATE orders SET status = 'rejected', reason = 'payment-declined' WHERE reason = '' AND version = 2 AND
       total = (SELECT min(total) FROM orders)"
damage store/edge-read-1.db "UPDATE orders SET customer = customer || 'x' WHERE status = 'confirmed'" \
    "5 8" "UPDATE orders SET customer = substr(customer, 1, 36) WHERE status = 'confirmed'"
damage store/edge-read-1.db "CREATE TABLE kept AS SELECT * FROM products; DELETE FROM products" \
    5 "INSERT INTO products SELECT * FROM kept; DROP TABLE kept"
# Only the bytes of a fact in a timeline: no row looks wrong, the hash does.
damage store/edge-read-1.db "UPDATE order_facts SET body = CAST(body || ' ' AS BLOB) WHERE source = '/payment-service'" \
    5 "UPDATE order_facts SET body = CAST(substr(body, 1, length(body) - 1) AS BLOB) WHERE source = '/payment-service'"
[[ $(field "$said" '.notes | tostring') == *"edge 1 is what the log makes up to offset"* ]] || fail "$said"

# A message that waits for an hour from now is under way and breaks nothing; at rest it is lost, but
# only once the orders in flight have had their time.
defer() {
    sqlite3 "$WARREN_HOME/store/order.db" "PRAGMA busy_timeout = 5000;
        INSERT INTO deferred(message_id, queue, body, reason, attempts, due_ms)
        VALUES ('later', 'order.commands', '', 'a test', 1, (unixepoch() + 3600) * 1000)" >/dev/null
}
defer_no_more() {
    sqlite3 "$WARREN_HOME/store/order.db" "PRAGMA busy_timeout = 5000;
        DELETE FROM deferred WHERE message_id = 'later'" >/dev/null
}
defer
expect 0 warren audit --settle 1 --json
[[ $(field "$said" '"\(.verdict) \(.pending)"') == "clean 1" ]] || fail "$said"
expect 1 warren audit --settle 1 --at-rest --json
[[ $(field "$said" '[.promises[] | select(.verdict == "violated") | .number] | join(" ")') == 6 ]] || fail "$said"
[[ $(field "$said" '.promises[5].violations | tostring') == *"later is still deferred"* ]] || fail "$said"
warren audit --at-rest >"$TMPDIR/said" 2>"$TMPDIR/complained" &
audit=$!
until_true 30 grep -q "under way, looking again" "$TMPDIR/complained" ||
    fail "judged before its time: $(<"$TMPDIR/said")"
defer_no_more
wait "$audit" || fail "what came to its end in time was called lost: $(<"$TMPDIR/said")"

# A client was told ok about an order that nobody has.
printf '{"op":"place","key":"k","order_id":"%s","invoked_ns":1,"completed_ns":2,"result":"ok","http":202}\n' \
    11111111-0000-7000-8000-000000000000 >"$TMPDIR/history"
expect 1 warren audit --settle 1 --history "$TMPDIR/history" --json
[[ $(field "$said" '.promises[0].verdict') == violated ]] || fail "$said"

# Nothing that is whole can be given up.
expect 0 warren audit --give-up-log --json
[[ ! -e $WARREN_HOME/log-given-up && $complained == *"nothing was given up"* ]] || fail "$complained"

mv "$WARREN_HOME/provider" "$WARREN_HOME/elsewhere"
expect 5 warren audit --json
mv "$WARREN_HOME/elsewhere" "$WARREN_HOME/provider"
[[ $(field "$said" .verdict) == unreadable ]] || fail "$said"
expect 5 warren audit --history "$TMPDIR/no-such-file"

# The broker loses its log, and `up` makes another.
broker_ctl delete_queue --vhost warren events.log.1 >/dev/null
expect 0 warren up
expect 0 warren order --customer anna --line DANDELION-TEA=1
expect 1 warren audit --settle 1 --json
[[ $(field "$said" '.promises[4].violations | tostring') == *"lacks 8 facts that are older"*"--give-up-log"* ]] ||
    fail "$said"
expect 0 warren audit --settle 20 --give-up-log --json
expect 0 warren audit --json
[[ $(field "$said" '.notes | tostring') == *"was given up: 8 facts as old as that are not on it"* ]] || fail "$said"
expect 0 warren order --customer anna --line DANDELION-TEA=1
expect 0 warren audit --json
# What is younger is looked for as before.
sqlite3 "$WARREN_HOME/store/notification.db" "PRAGMA busy_timeout = 5000;
    UPDATE notification SET fact_id = fact_id || 'x' WHERE at_ms = (SELECT max(at_ms) FROM notification)" >/dev/null
expect 1 warren audit --settle 1 --json
sqlite3 "$WARREN_HOME/store/notification.db" "PRAGMA busy_timeout = 5000;
    UPDATE notification SET fact_id = substr(fact_id, 1, 36)" >/dev/null
expect 0 warren audit --json

warren down >/dev/null
expect 5 warren audit --json
[[ $(field "$said" .verdict) == unreadable ]] || fail "$said"
