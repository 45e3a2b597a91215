# The figures of a run (jq -s): from the records of tests/bench/run one object, build/bench.json.
# A figure that was not measured is null.

def median: sort | if length == 0 then null
    elif length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;
def rounded($places): if . == null then null else . * $places | round / $places end;
def ratio($a; $b): if $a == null or $b == null or $b == 0 then null else $a / $b | rounded(1000) end;
def of($name): map(select(.of == $name));
def middle(f): map(f | select(. != null)) | median | rounded(10);

# The machine's speed changes within minutes: each run of a side is held against the run of the other side
# next to it, and the median is that of these ratios.
def paired($upper; $lower; f): [(of($upper) | map(f)), (of($lower) | map(f))] | transpose
    | map(ratio(.[0]; .[1]) | select(. != null)) | median | rounded(1000);

# All CPU for an order in units of the broker's, which does the same for it on both sides: it tells how fast the
# machine was in those very seconds.
def by_broker: .cpu_us_per_order | add / .broker;

# Both sides of one thing, and how they compare.
def against: {limit_per_s: (of("limit") | middle(.per_s)), suite_per_s: (of("suite") | middle(.per_s)),
    ratio: paired("suite"; "limit"; .per_s)};

# {"NAME": median} of objects with the same members.
def middles: map(to_entries) | add // [] | group_by(.key)
    | map({(.[0].key): (map(.value) | median | rounded(10))}) | add;

def phase($name): map(select(.phase == $name));

. as $all
| {
    machine: ($all | phase("machine") | first),
    end_to_end: ($all | phase("end-to-end") | if length == 0 then null else
        against + {
            outstanding: (of("suite") | .[0].outstanding),
            limit_p50_ms: (of("limit") | middle(.p50_ms)), suite_p50_ms: (of("suite") | middle(.p50_ms)),
            limit_p99_ms: (of("limit") | middle(.p99_ms)), suite_p99_ms: (of("suite") | middle(.p99_ms)),
            facts_per_order: (of("suite") | middle(.facts_per_order)),
            limit_cpu_us_per_order: (of("limit") | map(.cpu_us_per_order) | middles),
            suite_cpu_us_per_order: (of("suite") | map(.cpu_us_per_order) | middles),
            limit_cpu_us: (of("limit") | middle(.cpu_us_per_order | add)),
            suite_cpu_us: (of("suite") | middle(.cpu_us_per_order | add)),
            limit_runs: (of("limit") | map(.per_s | rounded(1))), suite_runs: (of("suite") | map(.per_s | rounded(1))),
            cpu_ratio: paired("limit"; "suite"; .cpu_us_per_order | add),
            by_broker_ratio: paired("limit"; "suite"; by_broker),
            memory_mib: (of("suite") | last | .memory_mib)
        } end),
    intake: ($all | phase("intake") | group_by(.outstanding) | map(against + {
        outstanding: .[0].outstanding,
        limit_p99_ms: (of("limit") | middle(.p99_ms)), suite_p99_ms: (of("suite") | middle(.p99_ms))})),
    half: ($all | phase("half") | last),
    alone: ($all | phase("alone") | if length == 0 then null else
        {limit: (of("limit") | last), suite: (of("suite") | last)} end),
    agreement: ($all | phase("agreement") | if length == 0 then null else
        {wrk_per_s: (of("wrk") | middle(.per_s)), crowd_per_s: (of("crowd") | middle(.per_s)),
         load_per_s: (of("load") | middle(.per_s)),
         ratio: paired("crowd"; "wrk"; .per_s), ratio_following: paired("load"; "wrk"; .per_s)} end),
    backlog: ($all | phase("backlog") | if length == 0 then null else
        {filling: (of("filling") | last), draining: (of("suite") | last)} end),
    growth: ($all | phase("growth") | group_by(.stored) | map({
        stored: .[0].stored,
        small_per_s: (of("small") | middle(.per_s)), suite_per_s: (of("suite") | middle(.per_s)),
        ratio: paired("suite"; "small"; .per_s), cpu_ratio: paired("small"; "suite"; .cpu_us_per_order | add),
        by_broker_ratio: paired("small"; "suite"; by_broker),
        memory_mib: (of("suite") | last | .memory_mib)})),
    failed: ($all | map(.failed // 0) | add),
    lost: ($all | map((.lost // 0) + (.doubled // 0)) | add)
}
| .ratios = {
    intake: ([.intake[] | select(.outstanding == 128) | .ratio] | first),
    end_to_end: (.end_to_end.ratio? // null)
}
