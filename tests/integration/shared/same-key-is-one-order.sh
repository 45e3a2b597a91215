#!/bin/bash
# The same key again is the same order, charged once; another basket under it is refused.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

key=key-$RANDOM-$RANDOM
for attempt in 1 2 3; do
    expect 0 warren order --customer grace --line BOOTS=1 --key "$key" --json
    ids+=("$(field "$said" .order_id)")
    echo "attempt $attempt: ${ids[-1]}"
done
[[ ${ids[0]} == "${ids[1]}" && ${ids[1]} == "${ids[2]}" ]] || fail "more than one order"
[[ $(field "$said" '[.events[] | select(.type == "payment.captured")] | length') == 1 ]] || fail "not charged once: $said"
expect 7 warren order --customer grace --line BOOTS=2 --key "$key"
grep -q 422 <<<"$complained" || fail "it does not say why: $complained"
expect 0 warren order --customer another --line BOOTS=2 --key "$key" --json
[[ $(field "$said" .order_id) != "${ids[0]}" ]] || fail "two customers, one order"
