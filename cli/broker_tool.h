/* RabbitMQ's own tool at a suite's own node: for what only an administrator may do, since the suite has
 * none (its user `deploy` declares and looks). It is a node itself and takes seconds. */
#ifndef WARREN_CLI_BROKER_TOOL_H
#define WARREN_CLI_BROKER_TOOL_H

#include "cli/suite.h"
#include "common/base/err.h"

/* Runs `rabbitmqctl WORD...`; the words end in NULL, and no secret is among them. RETRY: it failed, and
 * err has the beginning of what it said, in one line. Blocks. */
enum result broker_tool(const struct suite *suite, const char *const *words,
                        struct err *err) WARN_UNUSED;

#endif
