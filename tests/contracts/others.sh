#!/bin/bash
# The contracts as strangers' tools take them: they compile in ajv as it comes, large integers
# say so, and whatever becomes a class has a name.
set -euo pipefail
here=$(dirname "$0")
"$here/install"
node "$here/others.mjs"
