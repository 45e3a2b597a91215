-- For wrk: places orders, each under a key of its own. BENCH_TOKEN is the bearer token; with
-- BENCH_WAIT=N each request is answered when its order has settled, N seconds later at most.
-- Ends with one line of JSON.
local token = os.getenv("BENCH_TOKEN")
local wait = os.getenv("BENCH_WAIT")
local skus = { "CARROT-1KG", "LETTUCE", "SPADE", "BOOTS", "UMBRELLA" }
local count = 0
local before, behind = {}, {} -- what comes before and behind the key, for each basket

-- The requests are made once, all but their keys: on two cores the client's time is the suite's.
function init()
  local random = assert(io.open("/dev/urandom", "rb"))
  local run = "bench-" .. random:read(8):gsub(".", function(c) return string.format("%02x", c:byte()) end) .. "-"
  random:close()
  local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = run .. "KEY" }
  if wait and wait ~= "" then headers["Prefer"] = "wait=" .. wait end
  for i = 1, #skus * 3 do
    local body = string.format('{"lines":[{"sku":"%s","quantity":%d}],"payment":{"token":"tok_visa"}}',
      skus[i % #skus + 1], i % 3 + 1)
    before[i], behind[i] = wrk.format("POST", "/v1/orders", headers, body):match("^(.*%-)KEY(.*)$")
  end
end

function request()
  count = count + 1
  local i = count % #before + 1
  return before[i] .. count .. behind[i]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.3f,"per_s":%.1f,"p50_ms":%.3f,"p99_ms":%.3f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
