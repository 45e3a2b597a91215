-- For wrk: places orders, each under a key of its own. BENCH_TOKEN is the bearer token; with
-- BENCH_WAIT=N each request is answered when its order has settled, N seconds later at most.
-- Ends with one line of JSON.
local token = os.getenv("BENCH_TOKEN")
local wait = os.getenv("BENCH_WAIT")
local skus = { "CARROT-1KG", "LETTUCE", "SPADE", "BOOTS", "UMBRELLA" }
local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
local count = 0
local run

function init()
  local random = assert(io.open("/dev/urandom", "rb"))
  run = "bench-" .. random:read(8):gsub(".", function(c) return string.format("%02x", c:byte()) end) .. "-"
  random:close()
  if wait and wait ~= "" then headers["Prefer"] = "wait=" .. wait end
end

function request()
  count = count + 1
  headers["Idempotency-Key"] = run .. count
  local body = string.format('{"lines":[{"sku":"%s","quantity":%d}],"payment":{"token":"tok_visa"}}',
    skus[count % #skus + 1], count % 3 + 1)
  return wrk.format("POST", "/v1/orders", headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.3f,"per_s":%.1f,"p50_ms":%.3f,"p99_ms":%.3f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
