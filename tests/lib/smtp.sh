# shellcheck shell=bash
# A real SMTP server for a test. Source it, then:
#   smtp_start MODE [CERTIFICATE KEY]   sets SMTP_DIR, SMTP_PORT, SMTP_PID; see smtp_server.py
#   smtp_stop
#   smtp_mails      how many it has accepted
#   smtp_field EXPR prints EXPR, Python on the list `mails`
# It is stopped, by its pid, when the script ends.

smtp_python=/usr/bin/python3

smtp_start() {
    SMTP_DIR=$(mktemp -d)
    "$smtp_python" "$WARREN_SOURCE/tests/lib/smtp_server.py" "$SMTP_DIR" "$@" &
    SMTP_PID=$!
    trap smtp_stop EXIT
    local i
    for ((i = 0; i < 200; i++)); do
        [[ -e $SMTP_DIR/port ]] && break
        kill -0 "$SMTP_PID" || { echo "the SMTP server has not started" >&2; return 1; }
        sleep 0.05
    done
    # shellcheck disable=SC2034 # for whoever sources this
    SMTP_PORT=$(cat "$SMTP_DIR/port")
}

smtp_stop() {
    [[ -n ${SMTP_PID-} ]] || return 0
    kill "$SMTP_PID" 2>/dev/null
    wait "$SMTP_PID" 2>/dev/null
    SMTP_PID=
    rm -rf "$SMTP_DIR"
}

smtp_mails() {
    if [[ -e $SMTP_DIR/mails ]]; then wc -l <"$SMTP_DIR/mails"; else echo 0; fi
}

smtp_field() {
    "$smtp_python" -c 'import json, sys
mails = [json.loads(line) for line in open(sys.argv[1])]
print(eval(sys.argv[2]))' "$SMTP_DIR/mails" "$1"
}

# expect WHAT EXPECTED FOUND
expect() {
    if [[ $2 != "$3" ]]; then
        echo "$1: expected '$2', found '$3'" >&2
        exit 1
    fi
}
