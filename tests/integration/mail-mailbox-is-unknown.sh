#!/bin/bash
# The server knows no such mailbox (550): turned down for good. An address that could end a header
# or a command is not even tried.
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
smtp_start unknown
probe=$WARREN_BUILD/tests/integration/mail_probe
answers=$("$probe" "smtp://127.0.0.1:$SMTP_PORT" alice@example.org mail:1)
expect "outcome" "invalid" "$(awk '{ print $2 }' <<<"$answers")"
expect "the reply is told" 1 "$(grep -c '"reply":550' <<<"$answers")"
smtp_stop
smtp_start accept
answers=$("$probe" "smtp://127.0.0.1:$SMTP_PORT" $'a@b.c>\r\nRCPT TO:<eve@example.org' mail:2)
expect "outcome of an injection" "invalid" "$(awk '{ print $2 }' <<<"$answers")"
expect "mails" 0 "$(smtp_mails)"
