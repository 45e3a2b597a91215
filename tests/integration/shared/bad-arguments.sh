#!/bin/bash
# What cannot be right is said at once, with exit 2; what the shop refuses is exit 7.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

expect 2 warren
expect 2 warren nonsense
expect 2 warren ../warren
expect 2 warren order
expect 2 warren order --customer grace
expect 2 warren order --customer grace --line SPADE
expect 2 warren order --customer grace --line SPADE=one
expect 2 warren order --customer grace --line SPADE=1 --key $'a\nb'
expect 2 warren order --customer 'no body' --line SPADE=1
expect 2 warren token
expect 2 warren token --customer grace --admin
expect 2 warren token --customer grace --email nonsense
expect 2 warren cancel --customer grace not-an-id
expect 7 warren order --customer grace --line SPADE=0
expect 7 warren order --customer grace --line SPADE=1 --line SPADE=2
expect 2 warren quarantine
expect 2 warren quarantine list order-service/1
expect 2 warren quarantine drop
expect 2 warren quarantine drop --all order-service/1
expect 2 warren quarantine drop order-service
expect 2 warren quarantine drop order-service/0
expect 2 warren quarantine show edge-service/1
expect 2 warren quarantine list --service edge-service
expect 1 warren quarantine drop order-service/999
expect 2 warren retell
expect 2 warren retell --order not-an-id
expect 2 warren retell --all-unsettled 00000000-0000-8000-8000-000000000000
expect 2 warren retell --all-unsettled --order 00000000-0000-8000-8000-000000000000
for command in up down status token order cancel demo quarantine retell; do
    expect 0 warren "$command" --help
    grep -q -- --base-port <<<"$said" || fail "$command --help: $said"
    expect 0 warren "$command" --version
done
expect 0 warren token --customer grace
[[ $said =~ ^wt_[0-9a-f]{64}$ ]] || fail "not a token alone: $said"
