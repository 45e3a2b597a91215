/* The guests of a suite's bus: what is kept of each below HOME/guests/NAME, and what it is at the broker.
 *
 *     rights     "hear order.*" and "say neighbour.*", a line each
 *     hear.url   the URL of the user that hears, with its password; mode 0600
 *     say.url    of the user that says
 *
 * They are two users, so that nobody both makes exchanges or queues and may publish to warren.events:
 * through a dead-letter or alternate exchange of its own such a one could say anything (docs/adr/0023). */
#ifndef WARREN_CLI_GUESTS_H
#define WARREN_CLI_GUESTS_H

#include <cjson/cJSON.h>

#include "cli/guest_rights.h"
#include "cli/suite.h"
#include "common/base/clock.h"

/* All queues of one guest together are not bounded, but each is: it drops its oldest. */
enum { GUEST_QUEUE_BYTES = 100 * 1000 * 1000, GUEST_QUEUE_IDLE_DAYS = 7 };

enum guest_side { GUEST_HEARS, GUEST_SAYS };

/* Whether a guest has that side at all. */
bool guest_is(const struct guest *guest, enum guest_side side);
/* The broker's name for it. */
void guest_user(const char *name, enum guest_side side, struct buf *out);
struct suite_path guest_url_file(const struct suite *suite, const char *name, enum guest_side side);

/* NOT_FOUND: there is no such guest. */
enum result guest_load(const struct suite *suite, const char *name, struct guest *ret_guest,
                       struct err *err) WARN_UNUSED;
/* Writes all of it. A password that is there stays. */
enum result guest_save(const struct suite *suite, const struct clock *clock,
                       const struct guest *guest, struct err *err) WARN_UNUSED;
/* OK also when there was none. */
enum result guest_forget(const struct suite *suite, const char *name, struct err *err) WARN_UNUSED;

typedef enum result guest_fn(void *context, const struct guest *guest, struct err *err);
/* In the order of their names; stops at what is not OK. */
enum result guests_each(const struct suite *suite, guest_fn *each, void *context,
                        struct err *err) WARN_UNUSED;

/* Adds the policies that bound the queues of all guests; this guest; both for all guests that there are.
 * The URLs are written anew, for the suite's port may be another since. */
void guests_policies(cJSON *document);
enum result guest_define(const struct suite *suite, const struct clock *clock,
                         const struct guest *guest, cJSON *document, struct err *err) WARN_UNUSED;
enum result guests_define(const struct suite *suite, const struct clock *clock, cJSON *document,
                          struct err *err) WARN_UNUSED;

#endif
