#!/bin/bash
# Every program answers --help, in rows that say each default once, and never one that it would refuse.
# tests/run: quick
set -euo pipefail
build=${WARREN_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build/check}
status=0
complain() {
    echo "$*"
    status=1
}
commands=$("$build/warren" --help | sed -n 's/^  \([a-z]\{2,\}\) .*/\1/p')
[[ $(wc -w <<<"$commands") -ge 10 ]] || complain "which commands are there? $commands"
look() { # NAME COMMAND...
    local help row name=$1
    help=$("${@:2}" --help) || complain "$name --help exits $?"
    [[ $help == "Usage: "* ]] || complain "$name: $help"
    while IFS= read -r row; do
        [[ $row != *'(default'*'(default'* ]] || complain "$name: twice: $row"
        [[ ! $row =~ \(([^\)]*)\)\ \(default:?\ (.*)\) ]] || complain "$name: twice: $row"
        [[ $row != *--base-port*'default 0'* && $row != *' )'* ]] || complain "$name: not true: $row"
    done < <(grep -E '^  --' <<<"$help")
}
for command in $commands; do look "warren $command" "$build/warren" "$command"; done
for service in order payment notification edge; do
    look "$service-service" "$build/$service-service/$service-service"
done
exit $status
