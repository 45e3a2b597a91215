#!/bin/bash
# Every profile of load/profiles is one that 'warren load' understands, is told of in load/README.md
# and is installed; a profile that holds something else is refused. No suite is started.
set -euo pipefail
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${WARREN_BUILD:-$source/build/check}
export TMPDIR=${TMPDIR:-$(mktemp -d)} WARREN_BUILD=$build
count=0 failed=0

complain() {
    echo "FAILED: $*"
    failed=1
}

# With no suite there the program says 5; 2 would be an option that it does not know.
for file in "$source"/load/profiles/*; do
    name=$(basename "$file")
    count=$((count + 1))
    command=$("$source/load/run" "$name" --print --out "$TMPDIR/out")
    status=0
    eval "\"$build/\"$command --home \"$TMPDIR/nowhere\" --base-port 32000" >"$TMPDIR/said" 2>&1 || status=$?
    [[ $status == 5 ]] || complain "$name: exit $status instead of 5: $(<"$TMPDIR/said")"
    grep -q "^| \`$name\` |" "$source/load/README.md" || complain "$name is not in load/README.md"
    grep -q "/profiles/$name\b" "$source/load/module.am" || complain "$name is not in load/module.am"
done
[[ $count -ge 8 ]] || complain "only $count profiles"

# Options after the profile's own win; what is neither option nor directive is refused.
printf -- '# a comment\n\n--rate 5\n@at 3 stop nobody\n' >"$TMPDIR/mine"
said=$("$source/load/run" "$TMPDIR/mine" --print --out /o --rate 7 --title 'a b')
[[ $said == 'warren load --rate 5 --rate 7 --title a\ b --out /o' ]] || complain "printed: $said"
for line in 'rate 5' '@nothing 3'; do
    printf '%s\n' "$line" >"$TMPDIR/bad"
    status=0
    "$source/load/run" "$TMPDIR/bad" --print >/dev/null 2>&1 || status=$?
    [[ $status == 2 ]] || complain "'$line' in a profile: exit $status instead of 2"
done
status=0
"$source/load/run" no-such-profile --print >/dev/null 2>&1 || status=$?
[[ $status == 2 ]] || complain "a profile that is not there: exit $status instead of 2"
exit $failed
