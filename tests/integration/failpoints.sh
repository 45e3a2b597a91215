#!/bin/bash
# Every failpoint (common/base/failpoint.h) is hit three times: the process is killed there, paused,
# and told that the step has failed. Orders flow all the while; each victim comes back or goes on by
# itself, every order settles, and the audit finds every promise kept. A point that nobody passes
# fails the test, and so does one in the sources that is missing here.
# tests/run: timeout 420
# tests/run: about 40
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

# PROGRAM POINT   what an error means there
plan='
order-service        begin-before             the transaction cannot begin
order-service        begin-after              its first statement fails
order-service        commit-before            the commit fails
order-service        commit-after             the commit goes through, its answer is lost
order-service        ack-before               the connection is lost before the acknowledgement is sent
order-service        publish-after            the connection is lost with a publish on the wire
order-service        confirm-after            what was confirmed is taken for nacked
notification-service delivered                a delivery is lost with its connection
notification-service ack-after                the connection is lost behind the acknowledgement
notification-service publish-before           no room on the wire
notification-service mark-before              the row that was sent cannot be deleted
payment-service      call-before              the provider takes no call
payment-service      call-after               the provider has the call, its answer is lost
payment-service      ledger-before            the ledger cannot commit
payment-service      ledger-after             the ledger has it, the answer to its commit is lost
payment-service      answer-before            the answer is garbled
payment-service      settle-before            the answer cannot be written down
edge-service         publish-before           no room on the wire
edge-service         publish-after            the connection is lost with a command on the wire
edge-service         edge-confirm-after       what was confirmed is told as unknown
edge-service         projection-commit-before the read model cannot commit
edge-service         projection-commit-after  it commits, and the answer is lost
'
in_sources=$(cd "$source" && grep -rhoE 'FAILPOINT\("[a-z-]+"\)' --include='*.c' common ./*-service |
    cut -d'"' -f2 | sort -u)
in_plan=$(awk 'NF {print $2}' <<<"$plan" | sort -u)
[[ $in_sources == "$in_plan" ]] || fail "not the same: $(diff <(echo "$in_sources") <(echo "$in_plan"))"

suite_start
mkdir -m 0700 "$WARREN_HOME/run/failpoints"
crowd_begin --users 4 --think 100

hits() {
    cat "$WARREN_HOME/run/failpoints.log" 2>/dev/null || true
}
was_hit() { # PROGRAM POINT ACTION
    grep -q "^$2 $3 $1 " < <(hits)
}
is_gone() {
    ! kill -0 "$1" 2>/dev/null
}
is_stopped() {
    [[ $(sed 's/.*) //' "/proc/$1/stat") == T* ]]
}
is_ready() { # PROGRAM
    local -A port=([edge]=0 [order]=20 [payment]=30 [notification]=40)
    curl -fsS -m 2 "http://127.0.0.1:$((WARREN_BASE_PORT + port[${1%-service}]))/readyz"
}
set_point() { # PROGRAM POINT: not while another program is to meet one of that name
    ln "$WARREN_HOME/run/failpoints/.$1" "$WARREN_HOME/run/failpoints/$2"
}
meet() { # PROGRAM POINT ACTION
    local pid
    echo "$3 1 $1" >"$WARREN_HOME/run/failpoints/.$1"
    until_true 60 set_point "$1" "$2" || fail "somebody else's $2 stays"
    rm "$WARREN_HOME/run/failpoints/.$1"
    until_true 30 was_hit "$@" || fail "$1 never came by $2 to $3"
    pid=$(hits | awk -v line="$2 $3 $1" 'index($0, line " ") == 1 {print $4}')
    case $3 in
    kill)
        until_true 10 is_gone "$pid" || fail "$1 survives $2"
        until_true 30 is_ready "$1" || fail "$1 does not come back after $2"
        ;;
    pause)
        until_true 10 is_stopped "$pid" || fail "$1 does not stop at $2"
        sleep 0.2 # others go on meanwhile
        kill -CONT "$pid"
        ;;
    error)
        until_true 30 is_ready "$1" || fail "$1 is not ready again after $2"
        ! is_gone "$pid" || fail "$1 dies of an error at $2"
        ;;
    esac
}
lane() { # PROGRAM
    local program=$1 point action
    while read -r _ point _; do
        for action in kill pause error; do meet "$program" "$point" "$action"; done
    done < <(awk -v program="$program" '$1 == program' <<<"$plan")
}

lanes=()
for program in order-service payment-service notification-service edge-service; do
    lane "$program" &
    lanes+=($!)
done
for pid in "${lanes[@]}"; do wait "$pid" || failed=1; done
crowd_end
[[ -z ${failed-} ]] || fail "a lane ended early"
[[ $(hits | sort -u | wc -l) == $((3 * $(awk 'NF {n++} END {print n}' <<<"$plan"))) ]] ||
    fail "not every point three times: $(hits)"
expect 0 warren audit --settle 60 --history "$TMPDIR/history"
echo "$said"
echo "$(hits | wc -l) hits at $(wc -l <<<"$in_plan") points"
