/* Guests at a suite's running broker of its own: making them there, and taking from them what is not
 * theirs any more. Blocks, for seconds. */
#ifndef WARREN_CLI_GUEST_BROKER_H
#define WARREN_CLI_GUEST_BROKER_H

#include "cli/guest_rights.h"
#include "cli/http.h"
#include "cli/suite.h"
#include "common/base/clock.h"

/* Makes the users that the guest needs, or gives them these rights. */
enum result guest_admit(const struct suite *suite, const struct clock *clock,
                        const struct guest *guest, struct err *err) WARN_UNUSED;
/* Takes the guest's users away, which ends their connections; both where `known` does not tell which there
 * are (NULL). OK also when they are not there. */
enum result guest_dismiss(const struct suite *suite, const char *name, const struct guest *known,
                          struct err *err) WARN_UNUSED;
/* Deletes the guest's queues and exchanges that hear of what these keys do not cover. */
enum result guest_clear(struct http *http, const struct suite *suite, const struct guest *guest,
                        struct err *err) WARN_UNUSED;
/* All of them. */
enum result guest_clear_all(struct http *http, const struct suite *suite, const char *name,
                            struct err *err) WARN_UNUSED;

#endif
