# shellcheck shell=bash
# The measurements. Each adds records to $RAW and prints nothing but what goes on. Source it after
# ground.sh, with $here and $build set. SPAN is how many seconds one measurement lasts, PEAK how many orders are on their way
# at once at saturation.
# shellcheck disable=SC2154

# http CONNECTIONS SECONDS [WAIT]: wrk, closed loop; prints what order.lua says.
http() {
    BENCH_TOKEN=$TOKEN BENCH_WAIT=${3-} wrk -t 1 -c "$1" -d "$2" --timeout 60 -s "$here/order.lua" \
        "http://127.0.0.1:$WARREN_BASE_PORT/" | tail -n 1
}

limit() {
    "$build/tests/bench/limit" --url "$LIMIT_URL" "$@"
}

# --- from HTTP to notification.sent -------------------------------------------------------

# limit_chain PHASE STORED: with twice as many on their way, which is where it is fastest.
limit_chain() {
    local found broker before
    broker=$(pids | grep '^broker ')
    before=$(cpu_now "$broker")
    found=$(limit --seconds "$SPAN" --outstanding $((2 * PEAK)) --stock "$(stock_permille)" chain)
    record --arg phase "$1" --argjson stored "$2" --argjson found "$found" \
        --argjson broker "$(cpu_per_order "$before" "$(cpu_now "$broker")" "$(jq .chain.orders <<<"$found")")" \
        '$found.chain + {phase: $phase, of: "limit", stored: $stored} | .cpu_us_per_order += $broker'
}

# stock.changed for 1,000 orders, as the suite had it at saturation last time.
stock_permille() {
    jq -sr 'map(select(.of == "suite" and .facts_per_order)) | last
        | if . == null then 220 else [((.facts_per_order - 4) * 1000 | round), 0] | max end' "$RAW"
}

# Facts that the edge has read so far. Once the suite is at rest, all there are.
facts() {
    metric 0 'warren_edge_facts_total{outcome="folded"}'
}

# suite_chain PHASE STORED [OF]: PEAK customers who each wait until their order has settled before they
# place the next; counted is what was notified within SPAN, after a warm-up.
suite_chain() {
    local who from_ns until_ns from until cpu_from cpu_until facts_from notified_from answer
    who=$(pids)
    facts_from=$(facts)
    notified_from=$(notified)
    http "$PEAK" $((SPAN + 3)) 30 >"$TMPDIR/http.json" &
    sleep 2
    cpu_from=$(cpu_now "$who")
    from=$(notified)
    from_ns=$(date +%s%N)
    sleep "$SPAN"
    until=$(notified)
    until_ns=$(date +%s%N)
    cpu_until=$(cpu_now "$who")
    wait $!
    answer=$(<"$TMPDIR/http.json")
    rest
    record --arg phase "$1" --argjson stored "$2" --arg of "${3:-suite}" --argjson answer "$answer" \
        --argjson orders $((until - from)) --argjson ns $((until_ns - from_ns)) \
        --argjson facts $(($(facts) - facts_from)) --argjson all $(($(notified) - notified_from)) \
        --argjson outstanding "$PEAK" --argjson memory "$(memory)" \
        --argjson cpu "$(cpu_per_order "$cpu_from" "$cpu_until" $((until - from)))" '
        {phase: $phase, of: $of, stored: $stored, outstanding: $outstanding, orders: $orders,
         seconds: ($ns / 1e9), per_s: ($orders / ($ns / 1e9)), p50_ms: $answer.p50_ms, p99_ms: $answer.p99_ms,
         failed: $answer.failed, facts_per_order: ($facts / ([$all, 1] | max)), cpu_us_per_order: $cpu, memory_mib: $memory}'
}

measure_end_to_end() {
    local i
    for ((i = 1; i <= REPEAT; i++)); do
        say "end to end, $i of $REPEAT: the suite"
        suite_chain end-to-end 0
        say "end to end, $i of $REPEAT: the limit"
        limit_chain end-to-end 0
    done
}

# --- intake ----------------------------------------------------------------------------------

# suite_intake CONNECTIONS: 202s while nobody takes the commands out. The queue is bounded: a run
# ends before it is full, or what is measured is the refusal. So does the edge's memory of orders
# that it has accepted and not read back, which thrown away orders never leave: a new edge each time.
# The customers are those of warren load: they cost half of what wrk's cost, on the same two cores.
suite_intake() {
    local answer
    supervisor restart edge-service-1
    until_true 60 edge_is_ready || fail "the edge is not ready again"
    answer=$(warren load --quiet --crowd --users "$1" --connections "$1" --duration "$INTAKE_SPAN" | sed -n 1p |
        jq -Rc --argjson seconds "$INTAKE_SPAN" 'capture("^(?<requests>[0-9]+) orders, .* attempts, (?<failed>[0-9]+) failed")
            | map_values(tonumber) | . + {seconds: $seconds, per_s: ((.requests - .failed) / $seconds)}')
    ctl purge_queue -p warren order.commands >/dev/null
    record --argjson outstanding "$1" --argjson answer "$answer" \
        '$answer + {phase: "intake", of: "suite", outstanding: $outstanding}'
}

edge_is_ready() {
    curl -sf --max-time 5 "http://127.0.0.1:$WARREN_BASE_PORT/readyz"
}

limit_intake() {
    local found
    found=$(limit --seconds "$INTAKE_SPAN" --intake "$1" intake)
    record --argjson found "$found" '$found.intake[0] + {phase: "intake", of: "limit"}'
}

measure_intake() {
    local i connections
    services_stop order-service payment-service notification-service
    for ((i = 1; i <= REPEAT; i++)); do
        for connections in 1 32 128 512; do
            say "intake, $i of $REPEAT: $connections at once"
            suite_intake "$connections"
            limit_intake "$connections"
        done
    done
    services_stop edge-service
    services_start edge-service order-service payment-service notification-service
}

# --- at half of what it can do, and one order alone ----------------------------------------------

# warren_load PHASE OPTIONS...: an open loop; a lost order ends the bench.
warren_load() {
    local phase=$1 out=$TMPDIR/load
    shift
    rm -rf "$out"
    warren load --quiet --out "$out" "$@" >"$TMPDIR/load.out" 2>&1 || fail "warren load: $(tail -n 20 "$TMPDIR/load.out")"
    record --arg phase "$phase" --slurpfile found "$out/summary.json" '$found[0] | {phase: $phase, of: "suite",
        offered: .totals.offered, rate: .rates.offered, per_s: .rates.settled, not_sent: .totals.not_sent,
        failed: (.totals.refused + .totals.unknown), checked: .fate.checked, lost: .fate.lost, doubled: .fate.doubled,
        accept_p50_ms: (.latency.accept.p50_us / 1000), accept_p99_ms: (.latency.accept.p99_us / 1000),
        p50_ms: (.latency.settle.p50_us / 1000), p99_ms: (.latency.settle.p99_us / 1000),
        notify_p50_ms: (.latency.notify.p50_us / 1000), notify_p99_ms: (.latency.notify.p99_us / 1000),
        saturated: .generator.saturated}'
    rest
}

measure_half() {
    local rate
    rate=$(jq -sr 'map(select(.phase == "end-to-end" and .of == "suite").per_s) | sort
        | if length == 0 then 0 else .[length / 2 | floor] / 2 | floor end' "$RAW")
    ((rate > 0)) || fail "half of what? Measure end-to-end, too"
    say "half of saturation: $rate orders/s"
    warren_load half --rate "$rate" --duration $((2 * SPAN))
}

# 20 a second are far enough apart for each to find nobody before it.
measure_alone() {
    say "one order alone"
    record --argjson found "$(limit --orders 300 alone)" '$found.alone + {phase: "alone", of: "limit"}'
    warren_load alone --rate 20 --duration 15
}

# Two generators that have nothing in common but HTTP: do they find the same ceiling of 202s? Each
# has 64 customers who place their next order once the last is accepted; all services run.
measure_agreement() {
    local i
    for ((i = 1; i <= REPEAT; i++)); do
        say "wrk and warren load, $i of $REPEAT"
        record --argjson answer "$(http 64 "$SPAN")" '$answer + {phase: "agreement", of: "wrk"}'
        rest
        # The same requests and no more: whether both find the same ceiling.
        warren load --quiet --crowd --users 64 --duration "$SPAN" >"$TMPDIR/load.out" 2>&1 ||
            fail "warren load --crowd: $(tail -n 20 "$TMPDIR/load.out")"
        record --argjson orders "$(sed -nE 's/^([0-9]+) orders, .*/\1/p' "$TMPDIR/load.out")" --argjson seconds "$SPAN" \
            '{phase: "agreement", of: "crowd", per_s: ($orders / $seconds)}'
        rest
        # And with every order followed to its end, on the same cores.
        rm -rf "$TMPDIR/load"
        warren load --quiet --out "$TMPDIR/load" --users 64 --duration "$SPAN" --settle 120 >"$TMPDIR/load.out" 2>&1 ||
            fail "warren load: $(tail -n 20 "$TMPDIR/load.out")"
        record --slurpfile found "$TMPDIR/load/summary.json" '$found[0] | {phase: "agreement", of: "load",
            per_s: .rates.accepted, failed: (.totals.refused + .totals.unknown), lost: .fate.lost, doubled: .fate.doubled}'
        rest
    done
}

# --- a backlog -------------------------------------------------------------------------------------

accepted() {
    metric 0 'warren_edge_commands_total{fate="confirmed"}'
}

# Whether notification-service has told of that many orders.
has_notified() {
    (($(notified) >= $1))
}

# Orders that did not end as all of the bench's should: confirmed.
ended_otherwise() {
    sqlite3 -readonly "$WARREN_HOME/store/edge-read-1.db" "SELECT count(*) FROM orders WHERE status <> 'confirmed'"
}

measure_backlog() {
    local accepted_from notified_from orders from_ns started_ns first_ns first last_ns
    orders_are_patient
    services_stop payment-service
    accepted_from=$(accepted)
    notified_from=$(notified)
    say "a backlog of $BACKLOG orders piles up"
    from_ns=$(date +%s%N)
    while orders=$(($(accepted) - accepted_from)) && ((orders < BACKLOG)); do
        http 64 1 >/dev/null
    done
    rest 300 payment.orders
    record --argjson orders "$orders" --argjson ns $(($(date +%s%N) - from_ns)) --argjson memory "$(memory)" \
        '{phase: "backlog", of: "filling", orders: $orders, seconds: ($ns / 1e9), memory_mib: $memory}'
    say "it drains: $orders orders"
    started_ns=$(date +%s%N)
    supervisor start payment-service-1
    until_true 60 has_notified $((notified_from + 1)) || fail "nothing drains"
    first=$(notified)
    first_ns=$(date +%s%N)
    # A small one may be over before anybody looks: then the start of the service counts too.
    if ((first >= notified_from + orders / 2)); then
        first=$notified_from first_ns=$started_ns
    fi
    until_true 600 has_notified $((notified_from + orders)) || fail "it does not drain"
    last_ns=$(date +%s%N)
    rest
    record --argjson orders "$orders" --argjson counted $((notified_from + orders - first)) \
        --argjson ns $((last_ns - first_ns)) --argjson memory "$(memory)" --argjson otherwise "$(ended_otherwise)" \
        '{phase: "backlog", of: "suite", orders: $orders, seconds: ($ns / 1e9), per_s: ($counted / ($ns / 1e9)),
          otherwise: $otherwise, failed: $otherwise, memory_mib: $memory}'
}

# --- growth -------------------------------------------------------------------------------------------

stored() {
    sqlite3 -readonly "$WARREN_HOME/store/edge-read-1.db" 'SELECT count(*) FROM orders'
}

# grow_to COUNT: fills the stores up to so many orders.
grow_to() {
    local missing
    missing=$(($1 - $(stored)))
    ((missing > 0)) || return 0
    services_stop edge-service order-service payment-service notification-service
    "$build/tests/bench/grow" "$WARREN_HOME" "$GROWN" "$missing" || fail "the stores do not grow"
    GROWN=$((GROWN + missing))
    services_start edge-service order-service payment-service notification-service
}

# Two suites take turns, one that grows and one beside it that does not: minutes apart it would be the
# machine that is compared. With the fewest orders both are the same, and the ratio says how far to trust it.
measure_growth() {
    local size i turns=$((REPEAT < 3 ? REPEAT : 3))
    ground_renew
    GROWN=0
    small_up "${GROWTH%% *}"
    for size in $GROWTH; do
        say "growth: $size orders stored"
        grow_to "$size"
        for ((i = 1; i <= turns; i++)); do
            say "growth: $size orders stored and ${GROWTH%% *}, $i of $turns"
            suite_chain growth "$size"
            in_small suite_chain growth "$size" small
        done
    done
}

small_up() {
    ports_take
    SMALL_HOME=$TMPDIR/small SMALL_PORT=$BASE_PORT SMALL_TOKEN=
    in_small ground_up
    SMALL_TOKEN=$(in_small warren token --customer bench --scope load)
    in_small grow_to "$1"
}

in_small() {
    (
        export WARREN_HOME=$SMALL_HOME WARREN_BASE_PORT=$SMALL_PORT TOKEN=$SMALL_TOKEN
        "$@"
    )
}
