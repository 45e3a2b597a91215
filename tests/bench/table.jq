# build/bench.json as a table to read (jq -r). The last line is for scripts.

def text: if . == null then "-" else tostring end;
def spaces($n): if $n > 0 then " " * $n else "" end;
def left($n): text | . + spaces($n - length);
def right($n): text | spaces($n - length) + .;
def whole: if . == null then null else round end;
def two: if . == null then null else (. * 100 | round) | "\(. / 100 | floor).\(. % 100 / 10 | floor)\(. % 10)" end;
def row($name; $limit; $suite; $ratio): "\($name | left(44))\($limit | right(12))\($suite | right(12))\($ratio | right(8))";
def peaks: if . == null then "-" else to_entries | map(select(.key != "broker") | "\(.key | sub("-service"; "")) \(.value.peak)")
    | join(", ") end;
def budget: if . == null then "-" else to_entries | map("\(.key | sub("-service"; "")) \(.value | whole)") | join(", ") end;

row(""; "limit"; "suite"; "ratio"),
(.end_to_end // empty | row("end to end, orders/s, \(.outstanding) on their way"; .limit_per_s | whole; .suite_per_s | whole; .ratio | two),
    row("  by CPU for an order, us"; .limit_cpu_us | whole; .suite_cpu_us | whole; .cpu_ratio | two),
    row("  in units of the broker's"; null; null; .by_broker_ratio | two),
    row("  settled, p50 ms"; .limit_p50_ms; .suite_p50_ms; null),
    row("  settled, p99 ms"; .limit_p99_ms; .suite_p99_ms; null)),
(.intake[] | row("intake, 202s/s, \(.outstanding) at once"; .limit_per_s | whole; .suite_per_s | whole; .ratio | two)),
(.half // empty | row("at half of saturation, \(.rate | whole)/s, settled p50 ms"; null; .p50_ms; null),
    row("  settled, p99 ms"; null; .p99_ms; null)),
(.alone // empty | row("one order alone, accepted p50 ms"; null; .suite.accept_p50_ms; null),
    row("  accepted, p99 ms"; null; .suite.accept_p99_ms; null),
    row("  settled, p50 ms (limit: notified)"; .limit.p50_ms; .suite.p50_ms; null),
    row("  settled, p99 ms"; .limit.p99_ms; .suite.p99_ms; null)),
(.agreement // empty | row("202s/s, 64 customers: wrk, warren load"; .wrk_per_s | whole; .crowd_per_s | whole; .ratio | two),
    row("  warren load that follows each order"; .wrk_per_s | whole; .load_per_s | whole; .ratio_following | two)),
(.backlog // empty | row("a backlog of \(.draining.orders) drains, orders/s"; null; .draining.per_s | whole; null)),
(.growth | first // empty | row("growth"; "\(.stored) stored"; "more"; "ratio")),
(.growth[] | row("\(.stored) orders stored, orders/s"; .small_per_s | whole; .suite_per_s | whole; .ratio | two),
    row("  by CPU for an order"; null; null; .cpu_ratio | two),
    row("  in units of the broker's"; null; null; .by_broker_ratio | two)),
"",
(.end_to_end // empty | "CPU, us an order, limit: \(.limit_cpu_us_per_order | budget)",
    "CPU, us an order, suite: \(.suite_cpu_us_per_order | budget)",
    "most resident, MiB: \(.memory_mib | peaks)"),
(.backlog // empty | "  after the backlog: \(.draining.memory_mib | peaks)"),
(.growth | last // empty | "  with \(.stored) orders: \(.memory_mib | peaks)"),
"bench: intake \(.ratios.intake | two | text) end-to-end \(.ratios.end_to_end | two | text)"
