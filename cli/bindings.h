/* Whether the suite's broker has the exchanges, queues and bindings of the tables, and whether
 * policies or arguments make the queues something else, asked of its management interface
 * (docs/adr/0021, 0029). What was seen is written down for the services, which may not look
 * themselves. */
#ifndef WARREN_CLI_BINDINGS_H
#define WARREN_CLI_BINDINGS_H

#include "cli/http.h"
#include "cli/suite.h"
#include "common/messaging/topology_compare.h"
#include "common/telemetry/log.h"

/* Never fails: what cannot be looked at is a verdict as well. A broker tells what policies do to a queue up to
 * 5 s after its declaration, and as much behind every change. */
void bindings_look(struct http *http, const struct suite *suite,
                   struct topology_verdict *ret_verdict);

/* Whether the suite knows where to ask: of a broker that is not its own, only with `up --management-url`. */
bool bindings_known(const struct suite *suite);

/* HOME/run/bindings. */
enum result bindings_record(const struct suite *suite, const struct topology_verdict *verdict,
                            struct err *err) WARN_UNUSED;

/* {"verdict":"as declared|wrong|not checked","reason","untold","findings":[{"fault","queue","text"}]}; the
 * caller's. Warnings alone are as declared. */
cJSON *bindings_json(const struct topology_verdict *verdict);

/* Looks and records. */
void bindings_refresh(struct http *http, const struct suite *suite);

/* The same for whoever does it all the time: logs what is new since `last`, which it replaces. */
void bindings_watch(struct http *http, const struct suite *suite, const struct log *log,
                    struct topology_verdict *last);

#endif
