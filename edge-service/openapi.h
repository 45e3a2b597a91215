/* contracts/openapi.yaml, embedded at build time (see module.am). */
#ifndef WARREN_EDGE_SERVICE_OPENAPI_H
#define WARREN_EDGE_SERVICE_OPENAPI_H

extern const char openapi_yaml[];

#endif
