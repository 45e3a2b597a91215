#!/bin/bash
# Every user of the broker may do what its service does and nothing else, and no secret is to be
# seen: not in a log, not on a command line, not in a file that others may read.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"

# shellcheck disable=SC2154
expect 0 "$build/tests/integration/rights" "$WARREN_HOME" "$WARREN_BASE_PORT"
echo "$said"

management=http://127.0.0.1:$((WARREN_BASE_PORT + 14))/api
login() { # USER PASSWORD PATH; on no command line
    printf 'user = "%s:%s"\n' "$1" "$2" | curl -s -o /dev/null -w '%{http_code}' -K - "$management/$3"
}
[[ $(login deploy "$(<"$WARREN_HOME/secrets/deploy")" overview) == 200 ]] || fail 'deploy reads no management'
[[ $(login guest guest overview) == 401 ]] || fail 'guest reads management'
users=0
for secret in "$WARREN_HOME"/secrets/*; do
    user=${secret##*/}
    [[ $user == deploy || $user == amqp-url ]] && continue
    users=$((users + 1))
    for path in overview queues/warren definitions users whoami; do
        status=$(login "$user" "$(<"$secret")" "$path")
        [[ $status == 401 ]] || fail "$user gets $status from management/$path"
    done
done
((users == 5)) || fail "$users users"
# deploy watches, and is no administrator
[[ $(login deploy "$(<"$WARREN_HOME/secrets/deploy")" users) == 401 ]] || fail 'deploy administers users'

said=$(find "$WARREN_HOME" -not -type l -perm /077 -not -type s \( -path '*/secrets*' -o -path '*/run*' \
    -o -name '*.db*' -o -path '*/broker/definitions/*' -o -name .erlang.cookie \))
[[ -z $said ]] || fail "others may read: $said"
for secret in "$WARREN_HOME"/secrets/* "$WARREN_HOME/broker/home/.erlang.cookie"; do
    cat "$secret"
    echo
done >"$TMPDIR/patterns"
(($(wc -l <"$TMPDIR/patterns") >= 7)) || fail 'too few secrets to look for'
seen() { grep -lraF -f "$TMPDIR/patterns" "$@" 2>/dev/null | grep -v "/$$/" || true; }
found=$(seen "$WARREN_HOME/log" "$WARREN_HOME/run" "$WARREN_HOME/broker/definitions" \
    "$WARREN_HOME/broker/rabbitmq.conf" /proc/[0-9]*/cmdline)
[[ -z $found ]] || fail "a secret is to be seen in $found"
[[ -n $(seen "$WARREN_HOME/secrets") ]] || fail 'the search finds nothing at all'
