#!/bin/bash
# Clients that are generated from the contracts, in TypeScript and in Python, read every message
# and write it again as it was: every valid example, or with an argument every line of that file.
#   generated.sh [EVENTS]      EVENTS: JSON lines
# tests/run: about 20
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/install"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node "$here/generate.mjs" "$dir"
if [[ $# -gt 0 ]]; then cp "$1" "$dir/events"; else node "$here/events.mjs" >"$dir/events"; fi
node "$here/decode.mjs" "$dir" "$dir/events"
python3 "$here/decode.py" "$dir" "$dir/events" "$here/../../contracts/schemas"
