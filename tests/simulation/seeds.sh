#!/bin/bash
# Two thousand seeds (in a quick run 500): green, with everything reached, within a minute on two
# cores. Measured as time on the processors, so that other work on the machine does not count.
# tests/run: alone
# tests/run: quick
# tests/run: timeout 600
set -euo pipefail
seeds=${WARREN_SEEDS:-${WARREN_QUICK:+500}}
seeds=${seeds:-2000}
TIMEFORMAT='%U %S'
exec 3>&1
used=$({ time "$WARREN_PLAIN/tests/simulation/simulate" --seeds "$seeds" --jobs 2 >&3 2>&1; } 2>&1) || exit 1
read -r user system <<<"$used"
ms=$(awk -v user="$user" -v kernel="$system" 'BEGIN { printf "%d", 1000 * (user + kernel) }')
echo "$seeds seeds used $ms ms of two processors"
if ((ms > seeds * 60)); then
    echo "that is more than 60 ms a seed: 2000 would not be through in a minute" >&2
    exit 1
fi
