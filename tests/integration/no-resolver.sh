#!/bin/bash
# A suite where there is neither a resolver nor /etc/hosts, as in what debootstrap leaves: it starts,
# takes an order, passes its audit, and ends.
# tests/run: timeout 400
# tests/run: about 20
set -euo pipefail
if [[ ${1-} != --inside ]]; then
    user=()
    [[ $(id -u) == 0 ]] || user=(--map-root-user)
    empty=$(mktemp)
    trap 'rm -f "$empty"' EXIT
    unshare "${user[@]}" --mount "$0" --inside "$empty"
    exit 0
fi
for file in /etc/hosts /etc/resolv.conf; do
    [[ ! -e $file ]] || mount --bind "$2" "$file"
done
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
if python3 -c 'import socket; socket.gethostbyname("localhost")' 2>/dev/null; then fail "localhost is known: this proves nothing"; fi
suite_start
expect 0 warren order --customer ada --line SPADE=1
expect 0 warren audit --settle 10
broker_tool list_queues -p warren name >"$TMPDIR/queues" || fail "its tools: $(<"$TMPDIR/queues")"
grep -q order.commands "$TMPDIR/queues" || fail "its tools: $(<"$TMPDIR/queues")"
expect 0 warren down
