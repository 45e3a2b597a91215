#!/bin/bash
# What the bench makes of its records: medians, ratios, the table and its last line.
set -euo pipefail
export LC_ALL=C.UTF-8
source=${WARREN_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
bench=$source/tests/bench

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

cat >"$TMPDIR/records" <<'JSON'
{"phase":"machine","cores":2}
{"phase":"end-to-end","of":"limit","outstanding":512,"per_s":4000,"p50_ms":100,"p99_ms":200,"lost":0,"doubled":0,"cpu_us_per_order":{"broker":400,"edge-service":10}}
{"phase":"end-to-end","of":"suite","outstanding":512,"per_s":2000,"p50_ms":150,"p99_ms":300,"failed":0,"facts_per_order":4.2,"cpu_us_per_order":{"broker":600,"edge-service":100},"memory_mib":{"edge-service":{"now":10,"peak":20}}}
{"phase":"end-to-end","of":"limit","outstanding":512,"per_s":1000,"p50_ms":100,"p99_ms":200,"lost":0,"doubled":0,"cpu_us_per_order":{"broker":400,"edge-service":10}}
{"phase":"end-to-end","of":"suite","outstanding":512,"per_s":2500,"p50_ms":150,"p99_ms":300,"failed":0,"facts_per_order":4.2,"cpu_us_per_order":{"broker":640,"edge-service":120},"memory_mib":{"edge-service":{"now":10,"peak":21.5}}}
{"phase":"end-to-end","of":"limit","outstanding":512,"per_s":4100,"p50_ms":100,"p99_ms":200,"lost":0,"doubled":0,"cpu_us_per_order":{"broker":400,"edge-service":10}}
{"phase":"end-to-end","of":"suite","outstanding":512,"per_s":2600,"p50_ms":150,"p99_ms":300,"failed":0,"facts_per_order":4.2,"cpu_us_per_order":{"broker":650,"edge-service":140},"memory_mib":{"edge-service":{"now":10,"peak":22}}}
{"phase":"intake","of":"suite","outstanding":128,"per_s":9000,"failed":0}
{"phase":"intake","of":"limit","outstanding":128,"per_s":12000}
{"phase":"intake","of":"suite","outstanding":1,"per_s":500,"failed":0}
{"phase":"intake","of":"limit","outstanding":1,"per_s":1000}
{"phase":"agreement","of":"wrk","per_s":3000}
{"phase":"agreement","of":"crowd","per_s":3060}
{"phase":"agreement","of":"load","per_s":2850,"failed":0,"lost":0,"doubled":0}
{"phase":"growth","of":"suite","stored":1000,"per_s":2000,"cpu_us_per_order":{"broker":500}}
{"phase":"growth","of":"small","stored":1000,"per_s":2000,"cpu_us_per_order":{"broker":500}}
{"phase":"growth","of":"suite","stored":1000000,"per_s":900,"cpu_us_per_order":{"broker":500,"edge-service":300}}
{"phase":"growth","of":"small","stored":1000000,"per_s":1000,"cpu_us_per_order":{"broker":400,"edge-service":80}}
JSON

# expect FILTER VALUE
expect() {
    local found
    found=$(jq -c "$1" "$TMPDIR/bench.json")
    [[ $found == "$2" ]] || fail "$1 is $found, not $2"
}

jq -s -f "$bench/summary.jq" "$TMPDIR/records" >"$TMPDIR/bench.json"
expect .end_to_end.limit_per_s 4000
expect .end_to_end.suite_per_s 2500
# 2000/4000, 2500/1000 and 2600/4100, each beside its neighbour.
expect .ratios.end_to_end 0.634
expect .ratios.intake 0.75
expect '.intake | map([.outstanding, .ratio])' '[[1,0.5],[128,0.75]]'
expect .end_to_end.suite_cpu_us_per_order '{"broker":640,"edge-service":120}'
expect '[.end_to_end.limit_cpu_us, .end_to_end.suite_cpu_us, .end_to_end.cpu_ratio]' '[410,760,0.539]'
# (410/400) / (760/640)
expect .end_to_end.by_broker_ratio 0.863
expect .agreement.ratio 1.02
expect .agreement.ratio_following 0.95
# A machine that has become half as fast is not the suite's fault.
expect '.growth | map([.stored, .ratio, .cpu_ratio, .by_broker_ratio])' '[[1000,1,1,1],[1000000,0.9,0.6,0.75]]'
expect '[.failed, .lost]' '[0,0]'
last=$(jq -r -f "$bench/table.jq" "$TMPDIR/bench.json" | tail -n 1)
[[ $last == "bench: intake 0.75 end-to-end 0.63" ]] || fail "the last line is: $last"

# What was not measured is no figure, and no 0 either.
head -n 1 "$TMPDIR/records" | jq -s -f "$bench/summary.jq" >"$TMPDIR/bench.json"
expect .ratios '{"intake":null,"end_to_end":null}'
last=$(jq -r -f "$bench/table.jq" "$TMPDIR/bench.json" | tail -n 1)
[[ $last == "bench: intake - end-to-end -" ]] || fail "the last line is: $last"

echo '{"phase":"half","of":"suite","failed":2,"lost":1,"doubled":1}' |
    jq -s -f "$bench/summary.jq" >"$TMPDIR/bench.json"
expect '[.failed, .lost]' '[2,2]'
