#!/bin/bash
# The server takes the mail and hangs up without saying so: unknown, not failed. Sent again it is
# recognised by its Message-ID: at least once, and honest about it.
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
smtp_start forgetful
answers=$("$WARREN_BUILD/tests/integration/mail_probe" "smtp://127.0.0.1:$SMTP_PORT" \
    alice@example.org mail:1 mail:1)
expect "outcomes" "unknown ok" "$(awk '{ print $2 }' <<<"$answers" | xargs)"
expect "mails" 2 "$(smtp_mails)"
expect "Message-IDs" 1 "$(smtp_field 'len({m["content"].split("Message-ID: ")[1].split()[0] for m in mails})')"
