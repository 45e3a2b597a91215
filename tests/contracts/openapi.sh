#!/bin/bash
# contracts/openapi.yaml is a sound OpenAPI 3.1 description, and the judge of
# exchanges accepts what it describes and refuses what it does not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/install"
tools=${WARREN_BUILD:-$here/../../build/check}/contract-tools
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
    "$tools/node_modules/.bin/redocly" lint --max-problems 100 --config "$here/redocly.yaml" \
    "$here/../../contracts/openapi.yaml" 2>&1
node "$here/openapi-selftest.mjs"
