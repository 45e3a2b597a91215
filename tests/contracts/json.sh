#!/bin/bash
# json_parse takes nothing that another JSON reader refuses, and is stricter only
# where it says so. Seeded; WARREN_SEED replays.
set -euo pipefail
here=$(dirname "$0")
"$here/install"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node "$here/json.mjs" "$dir"
