#!/bin/bash
# Twenty mails over at most four connections arrive whole, each once, each with its own Message-ID.
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
smtp_start accept
mapfile -t keys < <(seq -f 'mail:%g' 20)
export PROBE_TEXT=$'First line\n.\n..two dots\nLast line\n'
answers=$("$WARREN_BUILD/tests/integration/mail_probe" "smtp://127.0.0.1:$SMTP_PORT" \
    alice@example.org "${keys[@]}")
expect "answers that are ok" 20 "$(grep -c ' ok ' <<<"$answers")"
expect "mails" 20 "$(smtp_mails)"
expect "Message-IDs" 20 "$(smtp_field 'len({m["content"].split("Message-ID: ")[1].split()[0] for m in mails})')"
expect "sender and recipient" "shop@warren.example ['alice@example.org']" \
    "$(smtp_field 'mails[0]["from"] + " " + str(mails[0]["to"])')"
expect "header" 1 "$(smtp_field 'mails[0]["content"].count("To: <alice@example.org>\r\n")')"
expect "text" "True" \
    "$(smtp_field 'mails[0]["content"].endswith("\r\n\r\nFirst line\r\n.\r\n..two dots\r\nLast line\r\n")')"
