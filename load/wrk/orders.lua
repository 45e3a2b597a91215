-- wrk: places orders, each under a key of its own. wrk is a closed loop: it tells the
-- capacity, not the latency that customers see when the suite is slow.
--   export WARREN_TOKEN=$(build/warren token --customer wrk --scope load)
--   wrk -t2 -c64 -d30s --latency -s load/wrk/orders.lua http://127.0.0.1:8080
local token = os.getenv("WARREN_TOKEN")
if not token then
    io.stderr:write("set WARREN_TOKEN: warren token --customer wrk --scope load\n")
    os.exit(2)
end

local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

-- Of each thread. os.time makes another run use other keys; so does the address of
-- a table, for two runs within a second.
function init()
    run = ("%d-%s-%d"):format(os.time(), tostring({}):match("0x(%x+)"), number)
    count = 0
end

local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
local body = '{"lines":[{"sku":"CARROT-1KG","quantity":1}],"payment":{"token":"tok_visa"}}'

function request()
    count = count + 1
    headers["Idempotency-Key"] = ("wrk-%s-%d"):format(run, count)
    return wrk.format("POST", "/v1/orders", headers, body)
end
