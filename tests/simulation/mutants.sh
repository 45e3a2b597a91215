#!/bin/bash
# Each guarantee turned off in turn: the simulation must notice every one.
set -euo pipefail
"$WARREN_PLAIN/tests/simulation/simulate" --mutants --jobs 2
# One seed is the same story every time.
story() { "$WARREN_PLAIN/tests/simulation/simulate" --seeds 1 --from 7 --trace | sha256sum; }
[[ $(story) == "$(story)" ]] || {
    echo "seed 7 does not replay" >&2
    exit 1
}
