# shellcheck shell=bash
# A private suite for one test, in a home of its own below $TMPDIR, ended on exit.
# Source it, then:
#   suite_place         chooses home and ports (WARREN_HOME, WARREN_BASE_PORT), starts nothing
#   suite_start ...     the same, then `warren up ...`
#   warren ...          the command line under test
#   expect N COMMAND... runs it; the test fails unless it exits with N. What it
#                       said is in $said (stdout) and $complained (stderr)
#   field JSON PATH     a member of a JSON text, by jq
#   pid_of SERVICE      of its first instance, as status says
#   until_true SECONDS COMMAND...  waits for a condition
#   control ...         supervisorctl of the suite
#   broker_tool ...     rabbitmqctl on the suite's broker; reads nothing from standard input
#   binding add|remove QUEUE KEY  of a queue to warren.events, as nobody of the suite would
#   row DATABASE QUERY, is_row VALUE DATABASE QUERY  the first column of its first row
#   suite_left          prints the processes that carry the suite's mark
#   crowd_begin OPTION...  customers (of warren load) who place orders until they are
#                       accepted; their record is $TMPDIR/history, their process $crowd
#   crowd_end           they come to an end, and every one of them must have got what they wanted
#   fail TEXT           ends the test
# A function suite_also_end of the test's own is called at the end, before `warren down`.
# Everything is ended by pid. On failure the ends of the suite's logs are shown.
source=${WARREN_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
build=${WARREN_BUILD:-$source/build/check}
# shellcheck source=tests/lib/ports.sh
. "$source/tests/lib/ports.sh"
export TMPDIR=${TMPDIR:-$(mktemp -d)}

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

warren() {
    "$build/warren" "$@"
}

expect() {
    local wanted=$1 status=0
    shift
    "$@" >"$TMPDIR/said" 2>"$TMPDIR/complained" || status=$?
    said=$(<"$TMPDIR/said")
    complained=$(<"$TMPDIR/complained")
    [[ $status == "$wanted" ]] && return
    printf 'exit %s instead of %s: %s\n%s\n%s\n' "$status" "$wanted" "$*" "$said" "$complained" >&2
    exit 1
}

field() {
    jq -r "$2" <<<"$1"
}

until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

pid_of() {
    warren status --json | jq -r --arg name "$1" '.processes[] | select(.name == $name and .instance == 1) | .pid'
}

crowd_begin() {
    warren_crowd=$TMPDIR/crowd.out
    "$build/warren" load --crowd --until-accepted --patience 180 --again 100 "$@" \
        --duration 604800 --skus CARROT-1KG,LETTUCE,SPADE,BOOTS,UMBRELLA \
        --declined 140 --flaky 140 --cancel 100 --history "$TMPDIR/history" >"$warren_crowd" 2>&1 &
    crowd=$!
}

crowd_end() {
    kill "$crowd" 2>/dev/null || true
    wait "$crowd" || {
        echo "the crowd: $(<"$warren_crowd")" >&2
        return 1
    }
    cat "$warren_crowd"
}

control() {
    local socket
    socket=$(sed -n 's/^file=//p' "$WARREN_HOME/run/supervisord.conf")
    [[ $socket == /* ]] || socket=$WARREN_HOME/$socket
    supervisorctl -s "unix://$socket" "$@"
}

# Its environment is that of the broker's own process.
broker_tool() {
    (
        while IFS='=' read -r name value; do
            [[ $name == RABBITMQ_* || $name == ERL_* || $name == HOME ]] && export "$name=$value"
        done < <(tr '\0' '\n' <"/proc/$(field "$(warren status --json)" .broker.pid)/environ")
        cd "$WARREN_HOME" && /usr/lib/rabbitmq/bin/rabbitmqctl -q "$@" </dev/null
    )
}

binding() {
    local resource='fun(Kind, Name) -> {resource, <<"warren">>, Kind, Name} end'
    broker_tool eval "R = $resource, ok = rabbit_binding:$1({binding, R(exchange, <<\"warren.events\">>),
        <<\"$3\">>, R(queue, <<\"$2\">>), []}, <<\"test\">>)." >"$TMPDIR/binding.out" 2>&1 ||
        fail "$1 binding of $2 to $3: $(<"$TMPDIR/binding.out")"
}

row() {
    python3 -c 'import sqlite3, sys
db = sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True, timeout=5)
print(db.execute(sys.argv[2]).fetchone()[0])' "$WARREN_HOME/store/$1" "$2"
}

is_row() {
    [[ $(row "$2" "$3") == "$1" ]]
}

suite_left() {
    local environ dir
    for environ in $(grep -lsazxF "WARREN_SUITE=$WARREN_HOME" /proc/[0-9]*/environ 2>/dev/null); do
        dir=${environ%/environ}
        [[ ! -d $dir ]] || printf '%s %s\n' "${dir#/proc/}" "$(tr '\0' ' ' <"$dir/cmdline" | cut -c1-120)"
    done
}

suite_place() {
    ports_take
    export WARREN_BASE_PORT=$BASE_PORT WARREN_HOME=$TMPDIR/home
    trap suite_end EXIT
}

suite_start() {
    suite_place
    warren up "$@"
}

suite_end() {
    local status=$? log left
    trap - EXIT
    if ((status != 0)); then
        for log in "$WARREN_HOME"/log/*-service-*.log; do
            [[ -e $log ]] && echo "--- ${log##*/}" && tail -n 8 "$log" | cut -c1-400
        done
    fi
    if declare -F suite_also_end >/dev/null; then suite_also_end || status=1; fi
    warren down >"$TMPDIR/down.out" 2>&1 || cat "$TMPDIR/down.out"
    left=$(suite_left)
    if [[ -n $left ]]; then
        printf 'left running:\n%s\n' "$left"
        status=1
    fi
    exit "$status"
}
