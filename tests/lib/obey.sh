# shellcheck shell=bash
# Runs a test program that asks for trouble: it writes a word a line on descriptor 3 and reads the
# answer on descriptor 4. Source it after broker.sh:
#   obey PROGRAM ARGUMENT...    returns the program's exit status

obey_word() {
    case $1 in
    kill) broker_kill ;;
    stop) broker_end ;;
    revive) broker_start_again ;;
    freeze) kill -STOP "$BROKER_PID" ;;
    thaw) kill -CONT "$BROKER_PID" ;;
    close) broker_ctl close_all_connections -p warren trouble ;;
    block) broker_ctl set_vm_memory_high_watermark 0 ;;
    unblock) broker_ctl set_vm_memory_high_watermark 0.4 ;;
    *) echo "obey: what is '$1'?" >&2 ;;
    esac
}

obey() {
    local ask answer program part word=
    mkfifo "$TMPDIR/ask" "$TMPDIR/answer"
    exec {ask}<>"$TMPDIR/ask" {answer}<>"$TMPDIR/answer"
    "$@" 3>"$TMPDIR/ask" 4<"$TMPDIR/answer" {ask}>&- {answer}>&- &
    program=$!
    while kill -0 "$program" 2>/dev/null; do
        # A busy machine may let the time run out in the middle of a word.
        if ! read -r -t 0.2 -u "$ask" part; then
            word+=$part
            continue
        fi
        obey_word "$word$part"
        word=
        echo "done" >&"$answer"
    done
    wait "$program"
}
