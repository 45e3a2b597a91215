# shellcheck shell=bash
# An edge on a private broker. Source it after ports.sh and broker.sh:
#   edge_start          broker, topology, one edge; sets EDGE_URL, ALICE, BOB, ADMIN (tokens)
#   edge_stop           TERM to the edge, then the broker; in a trap EXIT
#   ask METHOD PATH [CURL OPTION...]   sets STATUS, TYPE, BODY, HEADERS
#   ask_as TOKEN METHOD PATH ...       the same with a bearer token
#   queue_depth NAME    messages in it
#   answers_are_as_described    holds all answers so far ($TMPDIR/answers.jsonl) to openapi.yaml

edge_launch() {
    "$WARREN_BUILD/edge-service/edge-service" --home "$EDGE_HOME" --base-port "$BASE_PORT" \
        --amqp-url "$BROKER_URL" >>"$TMPDIR/edge.log" 2>&1 &
    EDGE_PID=$!
    broker_until 20 curl -sf "$EDGE_URL/readyz"
}

edge_start() {
    broker_start || return 1
    EDGE_HOME=$TMPDIR/home
    EDGE_URL=http://127.0.0.1:$BASE_PORT
    mkdir -p "$EDGE_HOME/store" && chmod 700 "$EDGE_HOME"
    EDGE_PROBE=$WARREN_BUILD/tests/integration/edge_probe
    "$EDGE_PROBE" deploy "$BROKER_URL" || return 1
    # shellcheck disable=SC2034
    {
        ALICE=$("$EDGE_PROBE" token "$EDGE_HOME/store/accounts.db" alice)
        BOB=$("$EDGE_PROBE" token "$EDGE_HOME/store/accounts.db" bob)
        ADMIN=$("$EDGE_PROBE" token "$EDGE_HOME/store/accounts.db" admin)
    }
    edge_launch && return
    echo "the edge did not get ready:" >&2
    cat "$TMPDIR/edge.log" >&2
    return 1
}

edge_stop() {
    if [[ -n ${EDGE_PID-} ]]; then
        kill "$EDGE_PID" 2>/dev/null || true
        wait "$EDGE_PID" 2>/dev/null || true
    fi
    broker_stop
}

ask() {
    local method=$1 path=$2
    shift 2
    rm -f "$TMPDIR/body" "$TMPDIR/headers"
    [[ $method != HEAD ]] || set -- --head "$@"
    STATUS=$(curl -s -m 40 -X "$method" -D "$TMPDIR/headers" -o "$TMPDIR/body" -w '%{http_code}' \
        "$@" "$EDGE_URL$path") || true
    touch "$TMPDIR/body" "$TMPDIR/headers"
    [[ $method != HEAD ]] || : >"$TMPDIR/body" # curl shows the headers there
    HEADERS=$(tr -d '\r' <"$TMPDIR/headers")
    # shellcheck disable=SC2034
    {
        TYPE=$(sed -n '/^content-type: */I{s///p;q}' <<<"$HEADERS")
        BODY=$(tr -d '\0' <"$TMPDIR/body")
    }
    [[ $STATUS == 000 ]] || record "$method" "$path" >>"$TMPDIR/answers.jsonl"
}

# The last answer as a line for tests/contracts/validate-openapi.
record() { # METHOD PATH
    jq -cn --arg method "$1" --arg path "$2" --argjson status "$STATUS" \
        --rawfile headers "$TMPDIR/headers" --rawfile body "$TMPDIR/body" '
        {$method, $path, $status, $body,
         headers: ([$headers | split("\r\n")[] | capture("^(?<name>[^: ]+): *(?<text>.*)$")]
                   | group_by(.name | ascii_downcase) | map({key: .[0].name, value: map(.text)})
                   | from_entries)}'
}

# All that was asked is as contracts/openapi.yaml says.
answers_are_as_described() {
    "$(dirname "${BASH_SOURCE[0]}")/../contracts/validate-openapi" "$@" "$TMPDIR/answers.jsonl"
}

ask_as() {
    local token=$1
    shift
    ask "$@" -H "Authorization: Bearer $token"
}

# By consuming: the broker's own numbers are seconds old.
queue_depth() {
    "$EDGE_PROBE" count "$BROKER_URL" "$1"
}
