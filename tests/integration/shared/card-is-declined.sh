#!/bin/bash
# Other ends than confirmed: exit 3, the reason, nothing charged, the stock back on the shelf.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

rejected() { # REASON ARGUMENTS...
    local reason=$1
    shift
    expect 3 warren order --customer grace --json "$@"
    [[ $(field "$said" .status) == rejected ]] || fail "not rejected: $said"
    [[ $(field "$said" .reason) == "$reason" ]] || fail "another reason than $reason: $said"
    [[ $(field "$said" '[.events[] | select(.type == "payment.captured")] | length') == 0 ]] || fail "charged: $said"
}
rejected payment-declined --line MUFFLER=1 --card tok_declined
rejected insufficient-funds --line MUFFLER=1 --card tok_insufficient_funds
rejected unknown-product --line SQUARE-WHEEL=1
rejected out-of-stock --line GOLDEN-CARROT=4

echo "what was turned down took nothing from the shelf"
expect 0 warren order --customer grace --line GOLDEN-CARROT=3
rejected out-of-stock --line GOLDEN-CARROT=1
