#!/bin/bash
# A service that dies at once: `up` says which, shows the end of its log, exits 5 and leaves nothing
# running.
# tests/run: timeout 120
# tests/run: about 40
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

mkdir "$TMPDIR/programs"
printf '#!/bin/sh\necho "no payment today"\nexit 3\n' >"$TMPDIR/programs/payment-service"
chmod +x "$TMPDIR/programs/payment-service"
suite_place
WARREN_EXEC_PATH=$TMPDIR/programs expect 5 warren up
grep -q '^warren up: payment-service-1 does not stay up' <<<"$complained" || fail "which? $complained"
grep -q '^no payment today' <<<"$complained" || fail "why? $complained"
[[ -z $(suite_left) ]] || fail "left: $(suite_left)"

echo "and then it can be started"
expect 0 warren up
