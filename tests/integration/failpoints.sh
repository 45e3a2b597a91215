#!/bin/bash
# Every failpoint (common/base/failpoint.h) is hit: with kill, and with pause and error where that
# means something. Orders flow all the while; each victim comes back, every order settles, and the
# audit finds every promise kept. A point that nobody passes fails the test, and so does one in the
# sources that is missing here.
# tests/run: timeout 300
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

# PROGRAM POINT ACTION...: what each program meets, one after the other.
plan='
order-service        begin-before             kill pause error
order-service        begin-after              kill
order-service        commit-before            kill pause error
order-service        commit-after             kill pause
order-service        ack-before               kill
order-service        publish-after            kill pause
order-service        confirm-after            kill pause error
notification-service delivered                kill pause
notification-service ack-after                kill pause
notification-service publish-before           kill error
notification-service mark-before              kill error
payment-service      call-before              kill error
payment-service      call-after               kill pause
payment-service      ledger-before            kill error
payment-service      ledger-after             kill pause
payment-service      answer-before            kill error
payment-service      settle-before            kill error
edge-service         edge-publish-before      kill error
edge-service         edge-publish-after       kill pause
edge-service         edge-confirm-after       kill pause error
edge-service         projection-commit-before kill error
edge-service         projection-commit-after  kill pause
'
in_sources=$(cd "$source" && grep -rhoE 'FAILPOINT\("[a-z-]+"\)' --include='*.c' common ./*-service |
    cut -d'"' -f2 | sort -u)
in_plan=$(awk 'NF {print $2}' <<<"$plan" | sort -u)
[[ $in_sources == "$in_plan" ]] || fail "not the same: $(diff <(echo "$in_sources") <(echo "$in_plan"))"

suite_start
mkdir -m 0700 "$WARREN_HOME/run/failpoints"
crowd_begin 4

hits() {
    cat "$WARREN_HOME/run/failpoints.log" 2>/dev/null || true
}
was_hit() { # POINT ACTION
    hits | grep -q "^$1 $2 "
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
meet() { # PROGRAM POINT ACTION
    local pid
    echo "$3 1 $1" >"$WARREN_HOME/run/failpoints/.$2"
    mv "$WARREN_HOME/run/failpoints/.$2" "$WARREN_HOME/run/failpoints/$2"
    until_true 30 was_hit "$2" "$3" || fail "$1 never came by $2 to $3"
    pid=$(hits | awk -v point="$2" -v action="$3" '$1 == point && $2 == action {print $4}')
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
    esac
}
lane() { # PROGRAM
    local program=$1 point action actions
    while read -r _ point actions; do
        for action in $actions; do meet "$program" "$point" "$action"; done
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
[[ $(hits | wc -l) == $(awk '{n += NF > 2 ? NF - 2 : 0} END {print n}' <<<"$plan") ]] ||
    fail "not every point once: $(hits)"
expect 0 warren audit --settle 60 --history "$TMPDIR/history"
echo "$said"
echo "$(hits | wc -l) hits at $(wc -l <<<"$in_plan") points"
