/* What a load run found out: the generator fills it, the writers only read it.
 *
 * Units: microseconds (`_us`), milliseconds since the epoch (`_ms`), bytes, counts; CPU in
 * thousandths of one core; rates a second. LOAD_UNKNOWN says that something could not be read or
 * was not measured; it is never written as 0.
 *
 * Text is UTF-8 and copied in (load_text cuts what does not fit); nothing here borrows. The struct
 * is large: load_report_new, never the stack. */
#ifndef WARREN_LOAD_REPORT_H
#define WARREN_LOAD_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "load/histogram.h"

enum {
    LOAD_UNKNOWN = -1,
    LOAD_TEXT_MAX = 128,
    LOAD_COMMAND_MAX = 4096,
    LOAD_LABEL_MAX = 64,
    LOAD_TALLIES_MAX = 24,
    LOAD_PHASES_MAX = 64,
    LOAD_QUEUES_MAX = 16,
    LOAD_SERVICES_MAX = 16,
    LOAD_PROCESSES_MAX = 24,
    LOAD_FINDINGS_MAX = 20,
};

/* Counts by a label; what has no place any more counts under "other". */
struct load_tally {
    char label[LOAD_LABEL_MAX];
    int64_t count;
};

struct load_tallies {
    struct load_tally items[LOAD_TALLIES_MAX];
    size_t count;
};

/* --- who, when, where --------------------------------------------------------------------------- */

struct load_identity {
    char title[LOAD_TEXT_MAX];      /* "steady", or what --title said */
    char command[LOAD_COMMAND_MAX]; /* to repeat the run; no secrets */
    char version[LOAD_TEXT_MAX];    /* of warren */
    int64_t started_ms;
    int64_t begun_ns; /* the schedule's zero by the monotonic clock, to compare other logs with */
    int64_t duration_us; /* from the first intended arrival to the end of the schedule */
    bool interrupted;    /* ended by a signal: everything here is true, but shorter than planned */
};

struct load_machine {
    char cpu_model[LOAD_TEXT_MAX];
    char kernel[LOAD_TEXT_MAX];
    char broker[LOAD_TEXT_MAX]; /* "RabbitMQ 3.10.8" */
    int64_t cores;
    int64_t memory_bytes;
};

/* --- the load ------------------------------------------------------------------------------------ */

enum load_mode {
    LOAD_OPEN_EVEN,    /* arrivals at equal distances, whatever the suite does */
    LOAD_OPEN_POISSON, /* at random distances around the same rate */
    LOAD_CLOSED,       /* users who wait for the answer, then think */
};

/* A stretch of one rate, and what became of the orders that were intended within it. A run of one
 * rate has one phase. */
struct load_phase {
    double rate;         /* intended a second; closed loop: 0 */
    int64_t duration_us; /* intended */
    int64_t offered, sent, accepted, errors;
    int64_t accept_p99_us, settle_p50_us, settle_p99_us, settle_max_us;
    bool held; /* settle_p99_us within load_limit.bound_us; false without a bound */
};

struct load_plan {
    enum load_mode mode;
    int64_t users, think_us;             /* closed loop */
    int64_t connections;                 /* the most at once; LOAD_UNKNOWN: no limit */
    int64_t query_rate, cancel_permille; /* a second; of a thousand orders; 0 without */
    struct load_phase phases[LOAD_PHASES_MAX];
    size_t phase_count;
};

/* `ramp`: the search for the highest rate that still keeps a bound. bound_us 0: not searched. */
struct load_limit {
    int64_t bound_us; /* on p99 from intended arrival to settled */
    double best_rate; /* the highest rate that kept it; 0: none did */
    double first_bad; /* the lowest that did not; 0: none was found */
};

struct load_totals {
    int64_t offered;  /* arrivals that the schedule held until its end */
    int64_t sent;     /* of these: sent, in time or late */
    int64_t late;     /* of those sent: by more than the generator's tolerance */
    int64_t not_sent; /* offered - sent: there was no connection or no time left for them */
    int64_t accepted; /* 202 */
    int64_t refused;  /* 4xx, 503: nothing was accepted */
    int64_t unknown;  /* 504, a broken connection, no answer: it may have been accepted */
    int64_t settled, notified; /* of those sent, seen in the log of facts */
    int64_t queries, queries_failed;
    int64_t cancels, cancels_failed;
    struct load_tallies errors;   /* refused and unknown by kind: "503", "timeout" */
    struct load_tallies outcomes; /* settled by kind: "confirmed", "rejected: out-of-stock" */
};

/* Each from the intended time of arrival, but lateness: how long after that the request left. */
enum load_latency {
    LOAD_ACCEPT, /* to the 202 */
    LOAD_SETTLE, /* to the fact that settles the order, as it arrived from the log */
    LOAD_NOTIFY, /* to the first notification.sent about the order */
    LOAD_LATENESS,
    LOAD_QUERY, /* to the answer */
    LOAD_LATENCIES,
};

/* --- second by second ---------------------------------------------------------------------------- */

/* Of the values that became known in this second. */
struct load_moment {
    int64_t count, p50_us, p99_us, max_us; /* all 0 when nothing became known */
};

/* One second. Counts are of this second; levels are as last read before its end. */
struct load_sample {
    int64_t at_us; /* its end, from the start of the run */
    int64_t offered, sent, accepted, errors, settled, notified;
    int64_t in_flight;                           /* sent and not yet answered */
    int64_t unsettled;                           /* accepted and not yet settled */
    struct load_moment latency[LOAD_NOTIFY + 1]; /* accept, settle, notify */
    int64_t queue_ready[LOAD_QUEUES_MAX];
    int64_t queue_unacked[LOAD_QUEUES_MAX];
    int64_t outbox[LOAD_SERVICES_MAX];     /* rows not yet sent */
    int64_t projection_lag;                /* facts that the edge has not read yet */
    int64_t cpu_milli[LOAD_PROCESSES_MAX]; /* of one core: 1000 is a whole one */
    int64_t rss_bytes[LOAD_PROCESSES_MAX];
};

struct load_names {
    char items[LOAD_PROCESSES_MAX][LOAD_LABEL_MAX];
    size_t count;
};

struct load_series {
    struct load_names queues, services, processes; /* which index means what in a sample */
    struct load_sample *samples;
    size_t count, capacity;
};

/* --- afterwards ----------------------------------------------------------------------------------- */

enum load_finding_kind {
    LOAD_LOST,       /* answered 202, and there is no such order */
    LOAD_DOUBLED,    /* more than one order, charge or settling fact for one key */
    LOAD_UNSETTLED,  /* there, but not settled when the patience ended */
    LOAD_UNANSWERED, /* the last attempt got no answer in time, or 504: nobody knows */
    LOAD_UNREFUSED   /* every attempt was refused, and the order is there all the same */
};

struct load_finding {
    enum load_finding_kind kind;
    char order_id[LOAD_LABEL_MAX];
    char key[LOAD_TEXT_MAX];
};

/* The fate of every order that was sent, asked for at the end. */
struct load_fate {
    int64_t checked; /* 0: the check did not run, so nothing is proved */
    int64_t lost, doubled, unsettled, unanswered, unrefused;
    bool may_be_unanswered; /* it was said beforehand that this is no failure */
    int64_t unknown_existing,
        unknown_absent; /* what became of the unknown answers: both are right */
    struct load_finding findings[LOAD_FINDINGS_MAX]; /* the first ones */
    size_t finding_count;
    char trouble[LOAD_TEXT_MAX]; /* why the check could not be made, or "" */
};

struct load_after {
    int64_t backlog_at_end; /* accepted and not settled when the schedule ended */
    int64_t drain_us;       /* from then until the last one settled; LOAD_UNKNOWN: never */
    int64_t redeliveries, duplicates, deferred, quarantined; /* what the services counted */
};

/* Whether the figures are the suite's or the generator's own. */
struct load_generator {
    bool saturated;
    char reason[LOAD_TEXT_MAX]; /* "CPU at 97 % of one core", or "" */
    int64_t cpu_milli;          /* over the whole run */
    int64_t max_in_flight;
};

struct load_report {
    struct load_identity identity;
    struct load_machine machine;
    struct load_plan plan;
    struct load_limit limit;
    struct load_totals totals;
    struct load_histogram latency[LOAD_LATENCIES];
    struct load_series series;
    struct load_after after;
    struct load_fate fate;
    struct load_generator generator;
};

/* Empty, with LOAD_UNKNOWN where nothing has been measured yet. Out of memory aborts. */
struct load_report *load_report_new(void);
void load_report_free(struct load_report *report);

void load_text(char *field, size_t size, const char *text);
/* Adds `count` under `label`. */
void load_tally_add(struct load_tallies *tallies, const char *label, int64_t count);
/* The index of `name`, added when it is new; `max` (LOAD_QUEUES_MAX ...) when there is no room. */
size_t load_name_index(struct load_names *names, size_t max, const char *name);
/* The next second: counts 0, levels LOAD_UNKNOWN. Valid until the next call. */
struct load_sample *load_series_add(struct load_series *series);
/* What a histogram that was filled in one second says. */
struct load_moment load_moment_of(const struct load_histogram *histogram);
/* Counts the finding; keeps it as long as there is room. */
void load_fate_add(struct load_fate *fate, enum load_finding_kind kind, const char *order_id,
                   const char *key);

/* Whether the run lasted to (nearly) the end of this phase. */
bool load_phase_complete(const struct load_report *report, size_t phase);
/* Fills in best_rate and first_bad from the complete phases: the highest rate that held below the
 * lowest that did not. A phase that was cut short proves neither, and its `held` becomes false. */
void load_limit_find(struct load_report *report);

/* "lost", "doubled", "unsettled", "unanswered", "refused, and exists". */
const char *load_finding_name(enum load_finding_kind kind);
/* How many of these make the run a failed one. */
int64_t load_fate_wrong(const struct load_fate *fate);

/* No order was lost, doubled, left unsettled or, unless that is allowed, unanswered; nothing that was
 * refused exists; and that was really looked at. */
bool load_report_clean(const struct load_report *report);

/* Writes report.html, summary.json, series.csv and latency.csv into `dir`, which is made when it is
 * not there. FATAL: a file could not be written. */
enum result report_write(const struct load_report *report, const char *dir,
                         struct err *err) WARN_UNUSED;

#endif
