-- wrk: a customer's list of orders and the catalogue, in turns.
--   export WARREN_TOKEN=$(build/warren token --customer wrk --scope load)
--   wrk -t2 -c64 -d30s --latency -s load/wrk/queries.lua http://127.0.0.1:8080
local token = os.getenv("WARREN_TOKEN")
assert(token, "set WARREN_TOKEN: warren token --customer wrk --scope load")

local headers = { ["Authorization"] = "Bearer " .. token }
local requests = {}

function init()
    requests = {
        wrk.format("GET", "/v1/orders", headers),
        wrk.format("GET", "/v1/products", headers),
    }
end

local count = 0
function request()
    count = count + 1
    return requests[1 + count % #requests]
end
