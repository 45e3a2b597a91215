#!/bin/bash
# Two minutes of seeded chaos on private suites, in which every kind of fault is planned, reached and
# survived: one minute of the sanitized build, one of the plain one, whose clocks can be set wrong.
# The small disks need root or user namespaces: without, disk-full is left out. broker-disk-full has to be named.
# Longer: scripts/chaos
# tests/run: about 260
# tests/run: timeout 900
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../lib/suite.sh"

expect 5 warren chaos --home "$TMPDIR/nothing" --duration 1
expect 2 warren chaos --home "$TMPDIR/nothing" --faults kill,boredom
expect 0 warren chaos --home "$TMPDIR/nothing" --plan --faults all --seed 7 --duration 600
first=$said
expect 0 warren chaos --home "$TMPDIR/nothing" --plan --faults all --seed 7 --duration 600
[[ $first == "$said" ]] || fail "the same seed, another plan"
expect 0 warren chaos --home "$TMPDIR/nothing" --plan --faults all --seed 8 --duration 600
[[ $first != "$said" ]] || fail "another seed, the same plan"

# What a suite cannot have is left out and said, or refused where it was named.
expect 0 warren chaos --home "$TMPDIR/nothing" --plan
grep -q '^left out, clock: ' <<<"$said" || fail "nobody says that clock is left out"
grep -q '^left out, disk-full: ' <<<"$said" || fail "nobody says that disk-full is left out"
grep -q '^left out, broker-disk-full: ' <<<"$said" || fail "nobody says that broker-disk-full is left out"
expect 2 warren chaos --home "$TMPDIR/nothing" --faults all --duration 1
expect 2 warren chaos --home "$TMPDIR/nothing" --faults kill,clock --duration 1
mkdir -p "$TMPDIR/same/store" "$TMPDIR/same/provider"
expect 2 warren chaos --home "$TMPDIR/same" --faults disk-full --duration 1
[[ $complained == *"is not a file system of its own"* ]] || fail "it says: $complained"
mkdir "$TMPDIR/same/broker"
expect 2 warren chaos --home "$TMPDIR/same" --faults broker-disk-full --duration 1
[[ $complained == *"broker-disk-full: "*"is not a file system of its own"* ]] || fail "it says: $complained"

suite_place
if grep -q libasan < <(ldd "$build/order-service/order-service"); then
    expect 6 warren up --faketime
    [[ $complained == *AddressSanitizer* ]] || fail "it says: $complained"
fi

small=("$source/scripts/small-store" "$TMPDIR/home" --size 128)
disk="disk-full"
if ! "${small[@]}" true; then
    small=(env) disk=
    echo "no small disks on this machine: disk-full is left out"
fi

# In one go, for nobody outside sees the small disks.
# shellcheck disable=SC2016
inside='warren=$0 clock=$1; shift
"$warren" up $clock || exit
"$warren" chaos "$@" || exit
"$warren" down'
chaos() { # BUILD SEED CLOCK KIND...
    local build=$1 seed=$2 clock=$3 kind
    shift 3
    rm -rf "$WARREN_HOME"
    "${small[@]}" sh -c "$inside" "$build/warren" "$clock" --seed "$seed" --duration 75 \
        --history "$TMPDIR/history" | tee "$TMPDIR/chaos.out"
    for kind in kill stop broker-kill broker-stop alarm reset unbind delete-queue purge "$@"; do
        grep -qE "^$kind +[1-9]" "$TMPDIR/chaos.out" || fail "no $kind was planned"
    done
}
# shellcheck disable=SC2086
chaos "$build" "${CHAOS_SEED:-1}" "" $disk
# shellcheck disable=SC2086
chaos "$WARREN_PLAIN" "$((${CHAOS_SEED:-1} + 1))" --faketime clock $disk
