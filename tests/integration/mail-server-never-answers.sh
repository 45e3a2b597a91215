#!/bin/bash
# A server that accepts the connection and says nothing: try again, after the timeout and no later;
# ending is not held up by it either.
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
smtp_start silent
from=$(date +%s%N)
answers=$(PROBE_TIMEOUT_MS=500 "$WARREN_BUILD/tests/integration/mail_probe" \
    "smtp://127.0.0.1:$SMTP_PORT" alice@example.org mail:1 mail:2 mail:2)
ms=$((($(date +%s%N) - from) / 1000000))
expect "outcomes" "retry retry retry" "$(awk '{ print $2 }' <<<"$answers" | xargs)"
((ms >= 1000 && ms < 5000)) || { echo "took $ms ms" >&2; exit 1; }
