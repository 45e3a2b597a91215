/* The log of all facts as the audit reads it: from its first message to where it ended when the
 * reading began. */
#ifndef WARREN_CLI_AUDIT_LOG_H
#define WARREN_CLI_AUDIT_LOG_H

#include "cli/suite.h"
#include "common/audit/audit.h"
#include "common/base/clock.h"

struct audit_reader;

/* Asks where the log ends (stream_ends) and connects; blocks until the broker has answered or ten
 * seconds are over. RETRY: it has not. The result is the caller's: audit_reader_free. */
enum result audit_reader_open(const struct suite *suite, const struct clock *clock,
                              struct audit_reader **ret_reader, struct err *err) WARN_UNUSED;
/* Takes NULL. */
void audit_reader_free(struct audit_reader *reader);
/* How many messages the log had when the reading began. */
int64_t audit_reader_messages(const struct audit_reader *reader);
/* For audit_run; borrowed from the reader. */
const struct audit_log *audit_reader_log(const struct audit_reader *reader);

#endif
