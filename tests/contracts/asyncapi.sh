#!/bin/bash
# contracts/asyncapi.yaml is sound, and says what the schemas, the catalogue in C
# and the services' tables say.
set -euo pipefail
here=$(dirname "$0")
"$here/install"
node "$here/asyncapi.mjs"
