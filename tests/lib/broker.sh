# shellcheck shell=bash
# A private RabbitMQ node for one test, on loopback, in a folder of its own. Source it after
# ports.sh (it takes a block when BASE_PORT is not set), then:
#   broker_start        starts epmd and the node below $TMPDIR/broker and returns when it is up;
#                       sets BROKER_URL (user "test", password "test", virtual host "warren")
#   broker_ctl ...      rabbitmqctl against it
#   broker_kill         kill -9 of the node
#   broker_end          polite end of the node
#   broker_start_again  the node again, on the files of the last one
#   broker_stop         the same, and end of epmd; in a trap EXIT
# BROKER_CONF: further lines of its configuration. BROKER_PLUGINS: what else it loads, parted by commas.
# Everything is ended by its pid. Ports: BASE+10 AMQP, +12 distribution, +13 epmd.

BROKER_BIN=${BROKER_BIN:-/usr/lib/rabbitmq/bin}

broker_environment() {
    local port=$((BASE_PORT + 10))
    export HOME=$BROKER_HOME/home LANG=C.UTF-8 RABBITMQ_CONF_ENV_FILE=/dev/null
    export RABBITMQ_NODENAME=warren-test-$port@localhost
    export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$port
    export RABBITMQ_DIST_PORT=$((BASE_PORT + 12))
    export RABBITMQ_CTL_DIST_PORT_MIN=$((BASE_PORT + 80)) RABBITMQ_CTL_DIST_PORT_MAX=$((BASE_PORT + 89))
    export ERL_EPMD_PORT=$((BASE_PORT + 13)) ERL_EPMD_ADDRESS=127.0.0.1
    export RABBITMQ_MNESIA_BASE=$BROKER_HOME/mnesia RABBITMQ_LOG_BASE=$BROKER_HOME/log
    export RABBITMQ_GENERATED_CONFIG_DIR=$BROKER_HOME/schema RABBITMQ_PID_FILE=$BROKER_HOME/pid
    export RABBITMQ_CONFIG_FILE=$BROKER_HOME/rabbitmq.conf
    export RABBITMQ_ADVANCED_CONFIG_FILE=$BROKER_HOME/advanced.config
    export RABBITMQ_ENABLED_PLUGINS_FILE=$BROKER_HOME/enabled_plugins
    export ERL_INETRC=$BROKER_HOME/inetrc
    export ERL_CRASH_DUMP=$BROKER_HOME/erl_crash.dump
    export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +S 2:2'
    export RABBITMQ_CTL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
}

broker_files() {
    mkdir -p "$BROKER_HOME"/{home,mnesia,log,schema}
    cat >"$BROKER_HOME/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$((BASE_PORT + 10))
load_definitions = $BROKER_HOME/definitions.json
log.console = false
disk_free_limit.absolute = 50MB
${BROKER_CONF-}
CONF
    cat >"$BROKER_HOME/definitions.json" <<JSON
{"users": [{"name": "test", "password": "test", "tags": "administrator"}],
 "vhosts": [{"name": "warren"}],
 "permissions": [{"user": "test", "vhost": "warren", "configure": ".*", "write": ".*", "read": ".*"}]}
JSON
    echo "[${BROKER_PLUGINS-}]." >"$BROKER_HOME/enabled_plugins"
    printf '{host, {127,0,0,1}, ["localhost"]}.\n{lookup, [file, native]}.\n' >"$BROKER_HOME/inetrc"
}

# Waits until the command succeeds: broker_until SECONDS COMMAND...
broker_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

broker_listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

broker_ctl() {
    (broker_environment && "$BROKER_BIN/rabbitmqctl" -q "$@")
}

broker_epmd_start() {
    local epmd
    epmd=$(command -v epmd || find /usr/lib/erlang -path "*/bin/epmd" -print -quit)
    (broker_environment && exec "$epmd" -port "$ERL_EPMD_PORT" -address 127.0.0.1) \
        >"$BROKER_HOME/epmd.log" 2>&1 &
    BROKER_EPMD_PID=$!
    broker_until 10 broker_listens $((BASE_PORT + 13))
}

# Counted in its log, which a node that is started again continues.
broker_startups() {
    cat "$BROKER_HOME"/log/*@localhost.log 2>/dev/null | grep -c 'Server startup complete' || true
}

broker_has_started() {
    [[ $(broker_startups) -gt $1 ]] && broker_listens $((BASE_PORT + 10))
}

# AMQP answers some time before the node is up: until then rabbitmqctl refuses. Its pid is in its file by then.
broker_node_start() {
    local before
    before=$(broker_startups)
    rm -f "$BROKER_HOME/pid"
    (broker_environment && exec "$BROKER_BIN/rabbitmq-server") >>"$BROKER_HOME/node.log" 2>&1 &
    BROKER_SHELL_PID=$!
    if ! broker_until 90 broker_has_started "$before"; then
        echo "the broker did not start:" >&2
        tail -n 20 "$BROKER_HOME/node.log" >&2
        return 1
    fi
    broker_until 10 test -s "$BROKER_HOME/pid"
    BROKER_PID=$(cat "$BROKER_HOME/pid")
}

broker_start() {
    [[ -n ${BASE_PORT-} ]] || ports_take || return 1
    BROKER_HOME=${TMPDIR:-/tmp}/broker
    # shellcheck disable=SC2034
    BROKER_URL=amqp://test:test@127.0.0.1:$((BASE_PORT + 10))/warren
    mkdir -p "$BROKER_HOME"
    broker_files
    broker_epmd_start && broker_node_start
}

broker_start_again() {
    broker_node_start
}

broker_kill() {
    kill -9 "$BROKER_PID" 2>/dev/null || true
    wait "$BROKER_SHELL_PID" 2>/dev/null || true
    return 0
}

broker_gone() {
    ! kill -0 "$1" 2>/dev/null
}

broker_end() {
    if [[ -n ${BROKER_PID-} ]] && kill -TERM "$BROKER_PID" 2>/dev/null; then
        broker_until 30 broker_gone "$BROKER_PID" || kill -9 "$BROKER_PID" || true
    fi
    [[ -z ${BROKER_SHELL_PID-} ]] || wait "$BROKER_SHELL_PID" 2>/dev/null || true
}

broker_stop() {
    broker_end
    [[ -z ${BROKER_EPMD_PID-} ]] || kill "$BROKER_EPMD_PID" 2>/dev/null || true
    [[ -z ${BROKER_EPMD_PID-} ]] || wait "$BROKER_EPMD_PID" 2>/dev/null || true
    return 0
}
