#!/bin/bash
# Two thousand seeds, as fast as it goes: green, with everything reached, within a minute.
# tests/run: alone
set -euo pipefail
seconds=$SECONDS
"$WARREN_PLAIN/tests/simulation/simulate" --seeds "${WARREN_SEEDS:-2000}" --jobs 2
if [[ -z ${WARREN_SEEDS:-} ]] && ((SECONDS - seconds > 60)); then
    echo "2000 seeds took $((SECONDS - seconds)) s, 60 at most" >&2
    exit 1
fi
