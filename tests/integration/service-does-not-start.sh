#!/bin/bash
# A service that dies at once: `up` says which, shows the end of its log, exits 5 and leaves nothing
# running.
# tests/run: timeout 300
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

echo "a store that was there is gone, and nobody makes another"
warren down >/dev/null
mv "$WARREN_HOME/store/order.db" "$TMPDIR/kept.db"
expect 6 warren up
grep -q 'store/order.db was there once and is gone' <<<"$complained" || fail "up says: $complained"
[[ ! -e $WARREN_HOME/store/order.db && -z $(suite_left) ]] || fail "something was made or left: $(suite_left)"
mv "$TMPDIR/kept.db" "$WARREN_HOME/store/order.db"

mv "$WARREN_HOME/store/accounts.db" "$TMPDIR/kept.db"
expect 6 warren token --customer alice
[[ $complained == *"store/accounts.db was there once and is gone"* ]] || fail "token says: $complained"
mv "$TMPDIR/kept.db" "$WARREN_HOME/store/accounts.db"

echo "one is damaged, and nobody begins anew"
cp "$WARREN_HOME/provider/ledger.db" "$TMPDIR/kept.db"
head -c 8192 /dev/urandom >"$WARREN_HOME/provider/ledger.db"
rm -f "$WARREN_HOME"/provider/ledger.db-*
expect 5 warren up
grep -q 'ledger.db is damaged and holds what nobody else knows' <<<"$complained" || fail "up says: $complained"
cp "$TMPDIR/kept.db" "$WARREN_HOME/provider/ledger.db"
expect 0 warren up
