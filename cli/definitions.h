/* The broker's definitions: the JSON that RabbitMQ loads at its start and that rabbitmqctl imports.
 * Users by their hash, what they may do, policies. The document is the caller's: cJSON_Delete. */
#ifndef WARREN_CLI_DEFINITIONS_H
#define WARREN_CLI_DEFINITIONS_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/err.h"

/* With an empty list of each kind. */
cJSON *definitions_new(void);
void definitions_vhost(cJSON *document, const char *vhost);
/* A durable topic exchange without arguments. */
void definitions_exchange(cJSON *document, const char *vhost, const char *name);
/* `tag` "": none. The clock is asked for the salt. */
void definitions_user(cJSON *document, const struct clock *clock, const char *user,
                      const char *password, const char *tag);

/* What a user may configure, write and read in a virtual host: regular expressions over names. */
struct definitions_rights {
    const char *configure, *write, *read;
};
void definitions_permission(cJSON *document, const char *vhost, const char *user,
                            const struct definitions_rights *rights);
/* At a topic exchange: under which keys it may publish (`write`) and bind (`read`). */
void definitions_topic(cJSON *document, const char *vhost, const char *user, const char *exchange,
                       const struct definitions_rights *rights);
/* For queues whose name meets `pattern`. The limits are the caller's to fill in: an object. */
cJSON *definitions_policy(cJSON *document, const char *vhost, const char *name, const char *pattern,
                          int priority);
/* Mode 0600. */
enum result definitions_write(const cJSON *document, const char *path, struct err *err) WARN_UNUSED;

#endif
