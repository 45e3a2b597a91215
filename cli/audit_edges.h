/* The read models of a suite as the audit sees them: a snapshot of each, taken before the log's end is
 * asked for, and beside them one that the log alone makes, in a file that goes when it is done. */
#ifndef WARREN_CLI_AUDIT_EDGES_H
#define WARREN_CLI_AUDIT_EDGES_H

#include "cli/suite.h"
#include "common/audit/audit.h"

/* One look at all of them. */
struct audit_edges {
    struct audit_edge list[SUITE_INSTANCES_MAX];
    char names[SUITE_INSTANCES_MAX][16];
    size_t count;
};

/* Every read model that is there. RETRY: one that should be there is not, or cannot be opened. */
enum result audit_edges_open(const struct suite *suite, struct audit_edges *ret_edges,
                             struct err *err) WARN_UNUSED;
void audit_edges_close(struct audit_edges *edges);

/* Folds the log into a read model of its own while the audit reads it. */
struct audit_rebuild;
/* Hashes the read models of this snapshot. `messages`: how many the log has. Never fails: what cannot be
 * compared says why. Borrows edges and log; the result is the caller's: audit_rebuild_free. */
struct audit_rebuild *audit_rebuild_new(const struct suite *suite, const struct audit_edges *edges,
                                        const struct audit_log *log, int64_t messages);
/* The log as the audit has to read it; borrowed from the rebuild. */
const struct audit_log *audit_rebuild_log(const struct audit_rebuild *rebuild);
/* Once the log has been read: nothing that was borrowed is needed any more. */
void audit_rebuild_finish(struct audit_rebuild *rebuild);
/* What came of it, for audit_judge_rebuilt. */
void audit_rebuild_judge(const struct audit_rebuild *rebuild, struct audit_report *report);
/* Takes NULL. */
void audit_rebuild_free(struct audit_rebuild *rebuild);

#endif
