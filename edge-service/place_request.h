/* What a request to place an order comes down to: its hash tells whether two are the same. */
#ifndef WARREN_EDGE_SERVICE_PLACE_REQUEST_H
#define WARREN_EDGE_SERVICE_PLACE_REQUEST_H

#include "edge-service/edge.h"

/* SHA-256 over the lines sorted by SKU, one `sku=quantity\n` each, then `payment=token\n`: the
 * order of the lines and the spelling of the JSON do not count. */
void place_request_hash(const struct place_request *request, char hex[HASH_SIZE]);

#endif
