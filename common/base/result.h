/* The outcomes of every function that can fail, named by what the caller does next.
 *
 * OK         go on
 * DUPLICATE  done before: go on, change nothing
 * NOT_FOUND  there is no such thing
 * DEFER      this one message failed for a reason of its own that may pass: later again, counted
 * CONFLICT   somebody else was faster (optimistic concurrency): at once again, on fresh state
 * RETRY      the environment is busy, full or away: back off; nobody is to blame
 * INVALID    the input can never be right: refuse it, or put it into quarantine
 * REFUSED    understood and turned down
 * UNKNOWN    it may have happened or not: ask again with the same key
 * FATAL      a broken environment or a defect: give up this attempt, say so
 */
#ifndef WARREN_BASE_RESULT_H
#define WARREN_BASE_RESULT_H

enum result {
    OK = 0,
    DUPLICATE,
    NOT_FOUND,
    DEFER,
    CONFLICT,
    RETRY,
    INVALID,
    REFUSED,
    UNKNOWN,
    FATAL,
};

#define WARN_UNUSED __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* The outcome's name in lower case, for logs and traces. */
const char *result_name(enum result result);

#endif
