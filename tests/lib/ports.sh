# shellcheck shell=bash
# Free ports for tests. Source it, then:
#   ports_take          sets BASE_PORT to a multiple of 100 whose whole block
#                       [BASE_PORT, BASE_PORT+99] nobody listens on and nobody
#                       else has taken; fails when there is none
#   ports_free          gives the last block back; the end of the process does too
# A block is held by a lock on an open file, which what the test starts inherits:
# it stays taken as long as anything of the test is alive. The search begins at
# WARREN_TEST_PORTS_FROM (20000) and goes round once through 20000..32500.

PORTS_LOCKS=/tmp/warren-ports

# Prints the ports that something listens on or is connected from.
ports_in_use() {
    local hex
    # shellcheck disable=SC2034
    while read -r _ hex _; do
        [[ $hex == *:* && $hex != local* ]] && echo $((16#${hex##*:}))
    done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    return 0
}

ports_take() {
    local from=${WARREN_TEST_PORTS_FROM:-20000} i base used
    ((from >= 20000 && from <= 32500)) || from=20000
    mkdir -p "$PORTS_LOCKS" && chmod 1777 "$PORTS_LOCKS" 2>/dev/null || true
    used=" $(ports_in_use | awk '{ print int($1 / 100) }' | sort -u | tr '\n' ' ') "
    for ((i = 0; i < 126; i++)); do
        base=$(((from / 100 - 200 + i) % 126 * 100 + 20000))
        [[ $used == *" $((base / 100)) "* ]] && continue
        { exec {PORTS_FD}>>"$PORTS_LOCKS/$base"; } 2>/dev/null || continue
        if flock -n "$PORTS_FD"; then
            chmod 666 "$PORTS_LOCKS/$base" 2>/dev/null || true
            # shellcheck disable=SC2034
            BASE_PORT=$base
            return 0
        fi
        exec {PORTS_FD}>&-
    done
    echo "no free block of 100 ports in 20000..32599" >&2
    return 1
}

ports_free() {
    [[ -n ${PORTS_FD-} ]] || return 0
    exec {PORTS_FD}>&-
    PORTS_FD=
}
