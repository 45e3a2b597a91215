/* Whether the parts of a suite are ready, asked of themselves. */
#ifndef WARREN_CLI_READY_H
#define WARREN_CLI_READY_H

#include <stddef.h>

#include "cli/http.h"
#include "cli/suite.h"

/* GET /readyz?verbose on that port. OK: 200. RETRY: not (yet); err has the first reason. */
enum result ready_service(struct http *http, int port, struct err *err) WARN_UNUSED;

/* The broker's management interface: a GET as the deploy user; the caller's with cJSON_Delete. */
enum result ready_management(struct http *http, const struct suite *suite, const char *path,
                             cJSON **ret_json, struct err *err) WARN_UNUSED;

#endif
