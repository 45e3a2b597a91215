#!/bin/bash
# The commands that README.md says to type do what they say: every line of a block marked
# "run by tests/integration/readme.sh" ends with exit 0, and the links lead somewhere.
# tests/run: timeout 120
# tests/run: about 20
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"
cd "$source"

# The marked blocks, a command a line.
commands() {
    awk '/run by tests\/integration\/readme.sh/ { marked = 1; next }
         marked && /^```sh/ { inside = 1; next }
         inside && /^```/ { inside = 0; marked = 0; next }
         inside && NF { print }' README.md
}

grep -oE '\]\([^)#]+' README.md | sed 's/^](//' | while read -r link; do
    [[ $link == http* || -e $link ]] || fail "README.md links to $link, which is not there"
done
for script in scripts/demo scripts/check; do
    grep -q "^$script" README.md || fail "README.md does not name $script"
    [[ -x $script ]] || fail "$script cannot be run"
done

suite_start >"$TMPDIR/up.out"
count=0
while IFS= read -r line; do
    count=$((count + 1))
    echo "\$ $line"
    bash -c "${line//build\/warren/$build/warren}" >"$TMPDIR/said" 2>&1 </dev/null || {
        cat "$TMPDIR/said"
        fail "$line: exit $?"
    }
done < <(commands)
((count >= 5)) || fail "only $count commands found in README.md"
[[ -z $(suite_left) ]] || fail "after 'down' something is left: $(suite_left)"
