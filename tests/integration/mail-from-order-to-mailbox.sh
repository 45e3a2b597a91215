#!/bin/bash
# A whole suite with a mail server that is away at first: the order is confirmed nevertheless, and
# the mail arrives, once, when the server is there. Who has no address is told in the app.
# tests/run: timeout 180
# tests/run: about 20
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
# shellcheck source=tests/lib/ports.sh
. "$WARREN_SOURCE/tests/lib/ports.sh"
ports_take
home=$TMPDIR/home
export WARREN_HOME=$home WARREN_BASE_PORT=$BASE_PORT
warren=$WARREN_BUILD/warren
end() {
    "$warren" down >/dev/null 2>&1 || true
    smtp_stop
}
channel_of() { sed -n 's/.*the customer was told: .*(\(.*\))$/\1/p'; }

# Its port of the suite's block, where nobody listens yet.
export SMTP_PORT_WANTED=$((BASE_PORT + 17))
"$warren" up --smtp-url "smtp://127.0.0.1:$SMTP_PORT_WANTED" --smtp-from shop@warren.example >/dev/null
trap end EXIT
"$warren" order --customer ada --email ada@example.org --line ALMANAC=1 >"$TMPDIR/order" &
order=$!
expect "channel without an address" in-app \
    "$("$warren" order --customer bob --line ALMANAC=1 | channel_of)"
sleep 1
smtp_start accept
trap end EXIT
wait "$order"
expect "channel" email "$(channel_of <"$TMPDIR/order")"
expect "mails" 1 "$(smtp_mails)"
expect "to whom" "['ada@example.org'] from shop@warren.example" \
    "$(smtp_field '"{} from {}".format(mails[0]["to"], mails[0]["from"])')"
