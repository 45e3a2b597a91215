/* warren quarantine: what the services have put aside, and what becomes of it. Reads and writes
 * their databases; the services may run or not. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/exit_codes.h"
#include "cli/suite.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/options.h"
#include "common/messaging/quarantine.h"

enum { BYTES_SHOWN = 4096, BUSY_TRIES = 500, BUSY_WAIT_MS = 20 };

static struct {
    struct suite_options where;
    const char *service;
    bool all, json;
    int64_t bytes;
} arguments = {.bytes = BYTES_SHOWN};

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "service",
     .kind = OPTION_TEXT,
     .value = &arguments.service,
     .metavar = "NAME",
     .help = "of this service only"},
    {.name = "all", .kind = OPTION_FLAG, .value = &arguments.all, .help = "every message"},
    {.name = "bytes",
     .kind = OPTION_INT,
     .value = &arguments.bytes,
     .metavar = "N",
     .help = "show at most so many of a message",
     .max = 1 << 24},
    {.name = "json", .kind = OPTION_FLAG, .value = &arguments.json, .help = "as one JSON object"},
};

static const struct options options = {
    .program = "warren quarantine",
    .synopsis = "list | show | redrive | drop [OPTIONS] SERVICE/NUMBER... | --all",
    .about =
        "Messages that a service could not handle. 'redrive' has the service handle them once\n"
        "more, 'drop' deletes them for good. Exits 0 when done, 1 when there is no such "
        "message.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

/* What runs on the messages of one service. `out` collects what is printed. */
struct task {
    const char *service;
    bool bodies;
    int64_t count;
    struct buf *out;
};
typedef enum result verb_fn(struct task *task, struct store *store, int64_t number,
                            struct err *err);

static void print_json(const struct task *task, const struct quarantined *message)
{
    struct buf *out = task->out;
    char at[TIME_TEXT_SIZE];
    time_format(message->at_ms, at);
    buf_printf(out, "%s\n{\"id\":\"%s/%" PRId64 "\",\"service\":\"%s\",\"number\":%" PRId64,
               out->size > 0 ? "," : "", task->service, message->number, task->service,
               message->number);
    buf_text(out, ",\"queue\":");
    json_write_text(out, message->queue);
    buf_text(out, ",\"reason\":");
    json_write_text(out, message->reason);
    buf_printf(out, ",\"attempts\":%" PRId64 ",\"at\":\"%s\",\"message_id\":", message->attempts,
               at);
    json_write_text(out, message->message_id);
    buf_printf(out, ",\"size\":%zu", message->size);
    if (task->bodies) {
        struct buf bytes = {0};
        quarantine_print_bytes(&bytes, message->body, message->size, (size_t)arguments.bytes);
        buf_text(out, ",\"bytes\":");
        json_write_text(out, bytes.data ? bytes.data : "");
        buf_release(&bytes);
    }
    buf_text(out, "}");
}

/* A reason may quote the message: it is no more to be trusted than its bytes. */
static void print_line(const struct task *task, const struct quarantined *message)
{
    struct buf *out = task->out;
    char at[TIME_TEXT_SIZE];
    time_format(message->at_ms, at);
    buf_printf(out, "%s/%" PRId64 "  %s  %s  %s  attempts %" PRId64 "  %zu bytes\n    ",
               task->service, message->number, at, message->queue, message->message_id,
               message->attempts, message->size);
    quarantine_print_bytes(out, message->reason, strlen(message->reason), 512);
    buf_text(out, "\n");
    if (!task->bodies)
        return;
    buf_text(out, "    ");
    quarantine_print_bytes(out, message->body, message->size, (size_t)arguments.bytes);
    if (message->size > (size_t)arguments.bytes)
        buf_printf(out, "\n    ... %zu bytes more", message->size - (size_t)arguments.bytes);
    buf_text(out, "\n");
}

static enum result print_one(void *context, const struct quarantined *message, struct err *err)
{
    struct task *task = context;
    (void)err;
    task->count++;
    if (arguments.json)
        print_json(task, message);
    else
        print_line(task, message);
    return OK;
}

static enum result list(struct task *task, struct store *store, int64_t number, struct err *err)
{
    task->bodies = false;
    return quarantine_read(store, number, print_one, task, err);
}

static enum result show(struct task *task, struct store *store, int64_t number, struct err *err)
{
    task->bodies = true;
    return quarantine_read(store, number, print_one, task, err);
}

/* A number that is there may still not move: say so instead of nothing. */
static enum result moved(struct task *task, enum result result, int64_t number, int64_t count,
                         const char *why_not, struct err *err)
{
    task->count += count;
    if (result == OK && count == 0 && number != QUARANTINE_ALL)
        return err_set(err, NOT_FOUND, "number %" PRId64 " is not in quarantine%s", number,
                       why_not);
    return result;
}

static enum result redrive(struct task *task, struct store *store, int64_t number, struct err *err)
{
    int64_t count = 0;
    enum result result =
        quarantine_redrive(store, number, clock_wall_ms(clock_system()), &count, err);
    return moved(task, result, number, count, ", or due already", err);
}

static enum result drop(struct task *task, struct store *store, int64_t number, struct err *err)
{
    int64_t count = 0;
    enum result result = quarantine_drop(store, number, &count, err);
    return moved(task, result, number, count, "", err);
}

static const struct verb {
    const char *name;
    verb_fn *run;
    enum store_mode mode;
    const char *done; /* what is said about the count; NULL: the messages were printed */
} verbs[] = {
    {"list", list, STORE_READ_ONLY, NULL},
    {"show", show, STORE_READ_ONLY, NULL},
    {"redrive", redrive, STORE_DURABLE, "redriven"},
    {"drop", drop, STORE_DURABLE, "dropped"},
};

/* The service at work holds the write lock for milliseconds at a time. */
static enum result run_patiently(const struct verb *verb, struct task *task, struct store *store,
                                 int64_t number, struct err *err)
{
    enum result result = verb->run(task, store, number, err);
    for (int i = 0; result == RETRY && i < BUSY_TRIES; i++) {
        poll(NULL, 0, BUSY_WAIT_MS);
        result = verb->run(task, store, number, err);
    }
    return result;
}

static enum result run_on(const struct suite *suite, const struct verb *verb, size_t service,
                          int64_t number, struct task *task, struct err *err)
{
    struct store *store = NULL;
    struct suite_path path = suite_path(suite, "%s", suite_stores[service].file);
    task->service = suite_stores[service].service;
    if (access(path.text, F_OK) != 0) /* opening it for writing would make it */
        return err_set(err, RETRY, "%s is not there: was the suite ever up?", path.text);
    enum result result = store_open_sqlite(path.text, verb->mode, &store, err);
    if (result == OK)
        result = run_patiently(verb, task, store, number, err);
    store_free(store);
    return result == OK ? OK : err_context(err, result, "%s", suite_stores[service].service);
}

static bool wanted(size_t service)
{
    return !arguments.service || strcmp(arguments.service, suite_stores[service].service) == 0;
}

static enum result run_on_all(const struct suite *suite, const struct verb *verb, struct task *task,
                              struct err *err)
{
    enum result result = OK;
    for (size_t i = 0; i < suite_store_count && result == OK; i++)
        if (wanted(i))
            result = run_on(suite, verb, i, QUARANTINE_ALL, task, err);
    return result;
}

/* "order-service/7". */
static enum result run_on_id(const struct suite *suite, const struct verb *verb, const char *id,
                             struct task *task, struct err *err)
{
    const char *slash = strchr(id, '/');
    char *end = NULL;
    long long number = slash ? strtoll(slash + 1, &end, 10) : 0;
    if (!slash || *end != '\0' || number < 1)
        return err_set(err, INVALID, "'%s' is no SERVICE/NUMBER", id);
    for (size_t i = 0; i < suite_store_count; i++)
        if (strncmp(id, suite_stores[i].service, (size_t)(slash - id)) == 0 &&
            suite_stores[i].service[slash - id] == '\0')
            return run_on(suite, verb, i, number, task, err);
    return err_set(err, INVALID, "%.*s has no quarantine", (int)(slash - id), id);
}

static void print_result(const struct verb *verb, const struct task *task)
{
    const char *text = task->out->data ? task->out->data : "";
    if (arguments.json && !verb->done)
        printf("{\"messages\":[%s]}\n", text);
    else if (arguments.json)
        printf("{\"%s\":%" PRId64 "}\n", verb->done, task->count);
    else if (verb->done)
        printf("%" PRId64 " %s\n", task->count, verb->done);
    else
        printf("%s%" PRId64 " in quarantine\n", text, task->count);
}

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return &verbs[i];
    return NULL;
}

static const char *wrong_with(const struct verb *verb, int ids)
{
    bool known = false;
    for (size_t i = 0; i < suite_store_count; i++)
        known = known || wanted(i);
    if (!verb)
        return "say list, show, redrive or drop";
    if (!known)
        return "--service: order-service, payment-service or notification-service";
    if (verb->run == list)
        return ids > 0 ? "list takes no message" : NULL;
    return (ids > 0) == arguments.all ? "say SERVICE/NUMBER or --all" : NULL;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    struct buf out = {0};
    struct task task = {.out = &out};
    enum result result = OK;
    int first = argc > 1 && argv[1][0] != '-' ? 2 : 1; /* of the options; the verb is before them */
    const struct verb *verb = first == 2 ? verb_find(argv[1]) : NULL;
    int operand = options_parse(&options, argc - first + 1, argv + first - 1) + first - 1;
    const char *wrong = wrong_with(verb, argc - operand);
    if (!verb || wrong) {
        fprintf(stderr, "warren quarantine: %s\nTry 'warren quarantine --help'.\n", wrong);
        return CLI_USAGE;
    }
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    if (arguments.all || verb->run == list)
        result = run_on_all(&suite, verb, &task, &err);
    for (int i = operand; i < argc && result == OK; i++)
        result = run_on_id(&suite, verb, argv[i], &task, &err);
    if (result == OK || task.count > 0)
        print_result(verb, &task);
    buf_release(&out);
    if (result == OK)
        return CLI_DONE;
    fprintf(stderr, "warren quarantine: %s\n", err.text);
    return result == INVALID ? CLI_USAGE : result == NOT_FOUND ? CLI_WRONG : CLI_UNREACHABLE;
}
