#!/bin/bash
# The trace of a request is found in every fact about its order, up to the notification, each with a
# span of its own; what is no trace context begins a new one.
set -euo pipefail
# shellcheck source=tests/lib/suite.sh
. "$(dirname "$0")/../../lib/suite.sh"
url=$(warren status --json | jq -r .url)
token=$(warren token --customer ivan)

# place HEADER: an order, settled; its facts, when the notification is there.
place() {
    local id
    said=$(curl -s "${url%/}/v1/orders" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' \
        -H 'Prefer: wait=10' -H "$1" \
        -d '{"lines":[{"sku":"LETTUCE","quantity":1}],"payment":{"token":"tok_visa"}}')
    id=$(field "$said" .order_id)
    told() {
        facts=$(curl -s "${url%/}/v1/orders/$id/events" -H "Authorization: Bearer $token")
        [[ $facts == *notification.sent* ]]
    }
    until_true 10 told || fail "no notification: $said"
    facts=$(curl -s "${url%/}/v1/orders/$id/events" -H "Authorization: Bearer $token")
}
traces() { field "$facts" '[.events[].traceparent | split("-")[1]] | unique | join(" ")'; }

trace=4bf92f3577b34da6a3ce929d0e0e4736
place "traceparent: 00-$trace-00f067aa0ba902b7-00"
[[ $(field "$facts" '[.events[].type] | sort | join(" ")') == "notification.sent order.confirmed order.placed payment.captured" ]] ||
    fail "other facts: $facts"
[[ $(traces) == "$trace" ]] || fail "other traces: $facts"
[[ $(field "$facts" '[.events[].traceparent] | unique | length') == 4 ]] || fail "spans are shared: $facts"
[[ $facts != *00f067aa0ba902b7* ]] || fail "the caller's span is used again: $facts"
[[ $(field "$facts" '[.events[].traceparent | split("-")[3]] | unique | join(" ")') == 00 ]] ||
    fail "the flag is lost: $facts"

for header in "traceparent: 00-$trace-00f067aa0ba902b7-0" "traceparent: ff-$trace-00f067aa0ba902b7-01" "X-None: 1"; do
    place "$header"
    [[ $(traces) =~ ^[0-9a-f]{32}$ && $(traces) != "$trace" ]] || fail "after '$header': $facts"
done
said=$(curl -s "${url%/}/livez" -H "traceparent: 00-$trace-00f067aa0ba902b7-01" -H "traceparent: 00-$trace-00f067aa0ba902b8-01")
[[ $(field "$said" .type) == urn:warren:problem:doubled-field ]] || fail "of two headers one is taken: $said"
