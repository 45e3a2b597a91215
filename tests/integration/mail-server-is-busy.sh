#!/bin/bash
# A server that says 451 at first: try again, and then it is accepted, once.
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
smtp_start busy
answers=$("$WARREN_BUILD/tests/integration/mail_probe" "smtp://127.0.0.1:$SMTP_PORT" \
    alice@example.org mail:1 mail:1)
expect "outcomes" "retry ok" "$(awk '{ print $2 }' <<<"$answers" | xargs)"
expect "the reply is told" 1 "$(head -1 <<<"$answers" | grep -c '"reply":451')"
expect "mails" 1 "$(smtp_mails)"
