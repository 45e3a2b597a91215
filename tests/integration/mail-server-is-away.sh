#!/bin/bash
# Nobody listens: try again, as often as asked.
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
smtp_start accept
port=$SMTP_PORT
smtp_stop
answers=$("$WARREN_BUILD/tests/integration/mail_probe" "smtp://127.0.0.1:$port" \
    alice@example.org mail:1 mail:1)
expect "outcomes" "retry retry" "$(awk '{ print $2 }' <<<"$answers" | xargs)"
