// The judge of exchanges is itself judged: what it must accept, and each fault that it must find.
import { Api } from "./openapi.mjs";
import { Complaints } from "./tools.mjs";

const api = new Api();
const complaints = new Complaints();
const id = "5f1c9f2e-7a41-8c3d-9b52-0d6a4e8f1b73";
const json = { "Content-Type": "application/json" };
const problem = { "content-type": "application/problem+json" };
const accepted = { ...json, Location: `/v1/orders/${id}`, "Idempotency-Key": "k-1" };
const line = { sku: "A", name: "a", quantity: 1, unit_price: 5, amount: 5 };
const time = "2026-11-23T21:04:18.123Z";
const order = {
  order_id: id, status: "confirmed", version: 2, currency: "EUR", lines: [line], total: 5,
  reason: null, placed_at: time, updated_at: time,
};
const fresh = { ...order, status: "accepted", version: 0, currency: null, lines: [], total: null };
const trouble = (status, more) => ({
  type: "urn:warren:problem:some-name", title: "t", status, detail: "d", ...more,
});
const exchange = (method, path, status, headers, body, request) => ({
  method, path, status, headers, request_body: request && JSON.stringify(request),
  body: typeof body === "string" ? body : JSON.stringify(body),
});
const wish = { lines: [{ sku: "A", quantity: 1 }], payment: { token: "tok_visa" } };
const place = (status, headers, body) => exchange("POST", "/v1/orders", status, headers, body, wish);

const known = { order_id: id, status: "accepted", command_id: id };
const fate = { command_id: id, type: "stock.adjust", about: "A", status: "done", reason: null };

const good = [
  place(202, accepted, known),
  place(200, { ...accepted, "preference-applied": "wait=5" }, order),
  place(400, problem, trouble(400)),
  place(504, { ...problem, "Retry-After": "1" }, trouble(504, { order_id: id, idempotency_key: "k" })),
  place(422, problem, trouble(422, { order_id: id })),
  exchange("GET", `/v1/orders/${id}`, 200, { "Content-Type": "application/json; charset=utf-8" }, order),
  exchange("GET", `/v1/orders/${id}`, 200, json, fresh),
  exchange("GET", "/v1/orders?limit=1&cursor=x", 200, json, { orders: [order], next_cursor: null }),
  exchange("GET", "/v1/products", 200, json, { products: [] }),
  exchange("HEAD", "/v1/products", 200, json, ""),
  exchange("GET", `/v1/commands/${id}`, 200, json, fate),
  exchange("GET", `/v1/commands/${id}`, 200, json, { ...fate, status: "refused", reason: "unknown-product" }),
  exchange("GET", `/v1/commands/${id}`, 404, { ...problem, "Retry-After": "1" }, trouble(404)),
  exchange("POST", "/v1/products/A/stock", 409, problem, trouble(409, { command_id: id }), { delta: -1 }),
  exchange("OPTIONS", "/v1/products", 204, { Allow: "GET" }, ""),
  exchange("DELETE", "/v1/orders", 405, { ...problem, Allow: "GET, POST" }, trouble(405)),
  exchange("GET", "/v2", 404, problem, trouble(404)),
  exchange("GET", "/livez", 200, { "Content-Type": "text/plain; charset=utf-8" }, "alive\n"),
];

const bad = {
  "a status that is not declared": place(500, problem, trouble(500)),
  "a path that is not described": exchange("GET", "/v1/secrets", 200, json, {}),
  "a method that is not described": exchange("DELETE", "/v1/orders", 200, json, {}),
  "405 without Allow": exchange("DELETE", "/v1/orders", 405, problem, trouble(405)),
  "no Location": place(202, { ...json, "Idempotency-Key": "k" }, known),
  "Location of something else": place(202, { ...accepted, Location: "/v1/carts/1" }, known),
  "no Retry-After": place(503, problem, trouble(503)),
  "401 without a challenge": place(401, problem, trouble(401)),
  "another content type": place(202, { ...accepted, "Content-Type": "text/html" }, "<p>"),
  "a problem as plain JSON": place(400, json, trouble(400)),
  "a problem with another status": place(400, problem, trouble(401)),
  "a problem without a type": place(400, problem, { ...trouble(400), type: undefined }),
  "a member that is not described": place(202, accepted, { ...known, secret: 1 }),
  "a missing member": place(202, accepted, { order_id: id }),
  "a body that is not JSON": place(202, accepted, "{"),
  "504 without the key": place(504, { ...problem, "Retry-After": "1" }, trouble(504, { order_id: id })),
  "an amount with cents": exchange("GET", `/v1/orders/${id}`, 200, json, { ...order, total: 5.5 }),
  "a confirmed order of version 0": exchange("GET", `/v1/orders/${id}`, 200, json, { ...order, version: 0 }),
  "an unheard-of status": exchange("GET", `/v1/orders/${id}`, 200, json, { ...order, status: "lost" }),
  "an accepted request with an unknown member": exchange("POST", "/v1/orders", 202, accepted, known, { ...wish, gift: 1 }),
  "an accepted request with a SKU twice": exchange("POST", "/v1/orders", 202, accepted, known, { ...wish, lines: [wish.lines[0], wish.lines[0]] }),
  "a refused command without a reason": exchange("GET", `/v1/commands/${id}`, 200, json, { ...fate, status: "refused" }),
  "a refusal without its command": exchange("POST", "/v1/products/A/stock", 409, problem, trouble(409), { delta: -1 }),
  "HEAD with a body": exchange("HEAD", "/v1/products", 200, json, "{}"),
};

for (const one of good)
  for (const complaint of api.judge(one)) complaints.add(`${one.method} ${one.path} ${one.status}: ${complaint}`);
for (const [name, one] of Object.entries(bad)) if (api.judge(one).length === 0) complaints.add(`not found: ${name}`);
complaints.sum(`${good.length} good exchanges accepted, ${Object.keys(bad).length} bad ones refused`);
