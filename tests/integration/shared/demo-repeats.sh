#!/bin/bash
# The demo ends well, twice on the same suite.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

for _ in 1 2; do
    expect 0 warren demo
    tail -n 20 <<<"$said"
    grep -q '^what was done' <<<"$said" || fail "no table"
    if grep -q '<--' <<<"$said"; then fail "an outcome is marked as wrong"; fi
done
