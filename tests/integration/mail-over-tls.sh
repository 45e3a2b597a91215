#!/bin/bash
# STARTTLS where it is required: with a trusted certificate the mail arrives encrypted; with one that
# nobody vouches for, or from a server without TLS, nothing is sent at all.
set -euo pipefail
# shellcheck source=tests/lib/smtp.sh
. "$WARREN_SOURCE/tests/lib/smtp.sh"
probe=$WARREN_BUILD/tests/integration/mail_probe
dir=$(mktemp -d)
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout "$dir/key" -out "$dir/certificate" 2>/dev/null
export PROBE_TLS=required
smtp_start accept "$dir/certificate" "$dir/key"
answers=$("$probe" "smtp://127.0.0.1:$SMTP_PORT" alice@example.org mail:1)
expect "outcome with a stranger's certificate" "retry" "$(awk '{ print $2 }' <<<"$answers")"
expect "mails" 0 "$(smtp_mails)"
answers=$(PROBE_CA=$dir/certificate "$probe" "smtp://127.0.0.1:$SMTP_PORT" alice@example.org mail:1)
expect "outcome" "ok" "$(awk '{ print $2 }' <<<"$answers")"
expect "encrypted" "True" "$(smtp_field 'mails[0]["tls"]')"
smtp_stop
smtp_start accept
answers=$(PROBE_CA=$dir/certificate "$probe" "smtp://127.0.0.1:$SMTP_PORT" alice@example.org mail:1)
expect "outcome without TLS" "retry" "$(awk '{ print $2 }' <<<"$answers")"
expect "mails in the clear" 0 "$(smtp_mails)"
rm -rf "$dir"
