/* Whether the parts of a suite are ready, asked of themselves. */
#ifndef WARREN_CLI_READY_H
#define WARREN_CLI_READY_H

#include <stddef.h>

#include "cli/http.h"
#include "cli/suite.h"

/* GET /readyz?verbose on that port. OK: 200. RETRY: not (yet); err has the first reason. */
enum result ready_service(struct http *http, int port, struct err *err) WARN_UNUSED;

/* In a suite's home: where the management interface of a broker that is not its own answers, as `warren up
 * --management-url` was told. */
#define MANAGEMENT_URL_FILE "secrets/management-url"

/* The broker's management interface: a GET of api/PATH as the deploy user, or as MANAGEMENT_URL_FILE says;
 * "{vhost}" in the path stands for the suite's virtual host. The answer is the caller's (cJSON_Delete).
 * NOT_FOUND: where it is is not known. RETRY and the like: it does not answer, or with a no. */
enum result ready_management(struct http *http, const struct suite *suite, const char *path,
                             cJSON **ret_json, struct err *err) WARN_UNUSED;

#endif
