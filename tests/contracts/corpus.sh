#!/bin/bash
# Every example and every mutant of one gets the same verdict from JSON Schema and
# from the C decoders.
set -euo pipefail
here=$(dirname "$0")
"$here/install"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node "$here/corpus.mjs" "$dir"
