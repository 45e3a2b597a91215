# shellcheck shell=bash
# What the bench stands on: one private suite, whose broker also serves the limit, in a virtual
# host of its own. Source it after tests/lib/suite.sh.
#   ground_up            starts both, after suite_place; sets TOKEN, LIMIT_URL
#   services_stop NAME...   and services_start NAME...: "payment-service"
#   orders_are_patient   order-service again, with a deadline of an hour
#   ctl ...              rabbitmqctl of that broker
#   pids                 prints "NAME PID" of the broker and the services that run
#   metric PORT NAME     a metric of the process with that port, counted from the base
#   rest [SECONDS [QUEUE]]  waits until the suite has nothing more to do; QUEUE may keep what it has
#   ground_renew         the suite again, with empty stores
#   record JQ-ARGS...    adds a record, made by `jq -n`, to $RAW
#   say TEXT             tells whoever waits what goes on

ctl() {
    (
        # The node's own environment; the supervisor's file is where it is written down.
        export HOME=$WARREN_HOME/broker/home LANG=C.UTF-8 RABBITMQ_CONF_ENV_FILE=/dev/null
        export RABBITMQ_NODENAME=warren@localhost ERL_EPMD_ADDRESS=127.0.0.1
        export ERL_EPMD_PORT=$((WARREN_BASE_PORT + 13)) RABBITMQ_DIST_PORT=$((WARREN_BASE_PORT + 12))
        export RABBITMQ_CTL_DIST_PORT_MIN=$((WARREN_BASE_PORT + 80))
        export RABBITMQ_CTL_DIST_PORT_MAX=$((WARREN_BASE_PORT + 89))
        export RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
        export RABBITMQ_MNESIA_BASE=$WARREN_HOME/broker/mnesia
        export RABBITMQ_ENABLED_PLUGINS_FILE=$WARREN_HOME/broker/enabled_plugins
        exec "${BROKER_BIN:-/usr/lib/rabbitmq/bin}/rabbitmqctl" -q "$@"
    )
}

say() {
    printf 'bench: %4d s  %s\n' "$SECONDS" "$*" >&2
}

record() {
    jq -nc "$@" >>"$RAW"
}

ground_up() {
    warren up --rate-per-caller 0 --rate-per-address 0 >"$TMPDIR/up.out" || fail "$(cat "$TMPDIR/up.out")"
    TOKEN=$(warren token --customer bench --scope load)
    ctl add_vhost limit >/dev/null
    ctl set_permissions -p limit deploy '.*' '.*' '.*' >/dev/null
    LIMIT_URL=amqp://deploy:$(<"$WARREN_HOME/secrets/deploy")@127.0.0.1:$((WARREN_BASE_PORT + 10))/limit
    export TOKEN LIMIT_URL
}

ground_renew() {
    warren down >"$TMPDIR/down.out"
    rm -rf "$WARREN_HOME"
    ground_up
}

supervisor() {
    control "$@" >"$TMPDIR/supervisor.out" 2>&1 || fail "supervisorctl $*: $(cat "$TMPDIR/supervisor.out")"
}

services_stop() {
    supervisor stop "${@/%/-1}"
}

services_start() {
    supervisor start "${@/%/-1}"
    until_true 60 warren status || fail "the suite is not ready again"
}

# Orders wait an hour for their payment instead of 30 s: those of a backlog would expire.
orders_are_patient() {
    sed -i '/^command=.*order-service/ s/$/ --payment-deadline 3600/' "$WARREN_HOME/run/supervisord.conf"
    supervisor update order-service-1
    services_start order-service
}

pids() {
    warren status --json | jq -r '"broker \(.broker.pid)", (.processes[] | select(.pid > 0) | "\(.name) \(.pid)")'
}

metric() {
    curl -sf --max-time 10 "http://127.0.0.1:$((WARREN_BASE_PORT + $1))/metrics" |
        awk -v name="$2" '$1 == name { print $2; found = 1 } END { exit !found }'
}

notified() {
    metric 40 'warren_messages_total{queue="notification.events",outcome="handled"}'
}

# What has passed through every part of the suite so far.
progress() {
    metric 20 'warren_messages_total{queue="order.commands",outcome="handled"}'
    metric 30 'warren_messages_total{queue="payment.orders",outcome="handled"}'
    notified
    metric 0 'warren_edge_facts_total{outcome="folded"}'
}

# Whether no queue has anything left; $1 may. A quorum queue tells its length every five seconds.
queues_are_empty() {
    ctl list_queues -p warren name messages |
        awk -v full="$1" '$1 !~ /^events\.log/ && $1 != full && $2 + 0 > 0 { left = 1 } END { exit left }'
}

rest() {
    local end=$((SECONDS + ${1:-120})) before='' now quiet=0
    while ((quiet < 4)); do
        ((SECONDS < end)) || fail "the suite does not come to rest"
        now=$(progress || true)
        if [[ $now == "$before" ]]; then quiet=$((quiet + 1)); else quiet=0; fi
        before=$now
        sleep 0.25
    done
    until_true 20 queues_are_empty "${2-}" || fail "a queue is not empty: $(ctl list_queues -p warren name messages)"
}

# Microseconds of CPU that each has used so far: "NAME US".
cpu_now() {
    local name pid
    while read -r name pid; do
        awk -v name="$name" -v tick="$(getconf CLK_TCK)" \
            '{ sub(/.*\) /, ""); printf "%s %d\n", name, ($12 + $13) * 1000000 / tick }' "/proc/$pid/stat"
    done <<<"$1"
}

# {"NAME": microseconds per order}, from two of these and a count.
cpu_per_order() {
    jq -nc --arg before "$1" --arg after "$2" --argjson orders "$3" '
        def table: split("\n") | map(select(length > 0) | split(" ") | {(.[0]): (.[1] | tonumber)}) | add;
        ($before | table) as $b | ($after | table)
        | with_entries(.value = ((.value - $b[.key]) / ([$orders, 1] | max) * 10 | round / 10))'
}

# {"NAME": MiB}: resident now and at most so far, of the services.
memory() {
    local name pid
    while read -r name pid; do
        awk -v name="$name" '/^VmHWM/ { peak = $2 } /^VmRSS/ { now = $2 }
            END { printf "%s %.1f %.1f\n", name, now / 1024, peak / 1024 }' "/proc/$pid/status"
    done < <(pids) | jq -Rnc '[inputs | split(" ") | {(.[0]): {now: (.[1] | tonumber), peak: (.[2] | tonumber)}}] | add'
}
