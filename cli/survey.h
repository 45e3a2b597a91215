/* Everything that can be seen of a suite from outside, gathered in one go. */
#ifndef WARREN_CLI_SURVEY_H
#define WARREN_CLI_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/http.h"
#include "cli/node_state.h"
#include "cli/stream_ends.h"
#include "cli/suite.h"

enum {
    SURVEY_PROCESSES_MAX = 64,
    SURVEY_QUEUES_MAX = 64,
    SURVEY_FINDINGS_MAX = 16,
    SURVEY_STORES_MAX = 8,
};

struct survey_process {
    char name[64];
    int instance;
    int pid; /* 0: not running */
    int port;
    bool ready;
    char reason[160]; /* why not */
    int64_t rss_bytes;
    int restarts;
    int64_t started_ms; /* epoch */
};

struct survey_queue {
    char name[128];
    char type[16];
    char state[16];                    /* "running"; all else is trouble */
    int64_t ready, unacked, consumers; /* -1: not known */
};

struct survey_quarantine {
    const char *service;
    int64_t count; /* -1: it could not be looked at */
};

/* Nothing that could not be looked at is called right: it is a finding. */
struct survey {
    bool ready;                              /* every part can work */
    char findings[SURVEY_FINDINGS_MAX][200]; /* what somebody has to look at, ready or not */
    size_t finding_count;
    char broker_version[32];
    int broker_port, broker_pid;
    bool external, broker_ready;
    int64_t dead_letters; /* in the safety net, where none should be; -1: not known */
    char log_queue[64];
    int log_generation;
    struct stream_ends log_ends;
    bool log_readable; /* else the suite runs without its log */
    char log_reason[160];
    struct node_restarts node_restarts;
    struct survey_process processes[SURVEY_PROCESSES_MAX];
    size_t process_count;
    struct survey_queue queues[SURVEY_QUEUES_MAX];
    size_t queue_count;
    struct survey_quarantine quarantines[SURVEY_STORES_MAX];
    size_t quarantine_count;
};

/* One more, for what a caller has looked at besides. */
void survey_find(struct survey *survey, const char *format, ...) PRINTF_LIKE(2, 3);

/* NOT_FOUND: nothing of the suite runs; the survey is then empty but valid. */
enum result survey_suite(struct http *http, const struct suite *suite, struct survey *ret_survey);

#endif
