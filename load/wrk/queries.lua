-- wrk: a customer's list of orders, from the read model. (The catalogue is open to everybody and so
-- counted by address, whatever the token: start the suite with --rate-per-address 0 to load it.)
--   export WARREN_TOKEN=$(build/warren token --customer wrk --scope load)
--   wrk -t2 -c64 -d30s --latency -s load/wrk/queries.lua http://127.0.0.1:8080
local token = os.getenv("WARREN_TOKEN")
if not token then
    io.stderr:write("set WARREN_TOKEN: warren token --customer wrk --scope load\n")
    os.exit(2)
end

wrk.method = "GET"
wrk.path = "/v1/orders"
wrk.headers["Authorization"] = "Bearer " .. token
