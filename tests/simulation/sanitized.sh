#!/bin/bash
# Some seeds with the sanitizers on: other seeds than seeds.sh runs.
# tests/run: about 40
set -euo pipefail
"$WARREN_BUILD/tests/simulation/simulate" --seeds 150 --from 500000 --jobs 1 >"$TMPDIR/out" || {
    tail -n 30 "$TMPDIR/out"
    exit 1
}
tail -n 1 "$TMPDIR/out"
