#include "load/drive.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "load/drive_private.h"

enum {
    SENDS_AT_ONCE = 64,
    NO_ATTEMPT = UINT32_MAX,
    HEADERS_SIZE = 512,
    PATH_SIZE = 128,
    MS = 1000000
};

void drive_key(const char *run, uint32_t ordinal, char key[DRIVE_KEY_SIZE])
{
    snprintf(key, DRIVE_KEY_SIZE, "%.40s-%" PRIu32, run, ordinal);
}

/* --- making one ---------------------------------------------------------------------------------- */

static void make_attempts(struct drive *drive, size_t count)
{
    drive->attempts = calloc(count, sizeof *drive->attempts);
    if (!drive->attempts)
        abort();
    drive->attempt_count = (uint32_t)count;
    for (uint32_t i = 0; i < drive->attempt_count; i++)
        drive->attempts[i].next_free = i + 1 < drive->attempt_count ? i + 1 : NO_ATTEMPT;
}

enum result drive_new(const struct drive_options *options, struct drive **ret_drive,
                      struct err *err)
{
    const struct settings *settings = options->settings;
    int64_t connections = settings->connections;
    if (settings->closed && connections < settings->users)
        connections = settings->users; /* a user without a connection would be no user */
    struct drive *drive = calloc(1, sizeof *drive);
    if (!drive)
        abort();
    drive->options = *options;
    const struct wire_options wire = {.url = options->url,
                                      .connections = (size_t)connections,
                                      .timeout_ms = settings->timeout_ms,
                                      .connecting_ms = settings->timeout_ms,
                                      .listener = drive_answered,
                                      .context = drive};
    enum result result = wire_new(&wire, &drive->wire, err);
    if (result != OK) {
        drive_free(drive);
        return result;
    }
    make_attempts(drive, (size_t)connections);
    drive->query_plan = (struct schedule_plan){
        .kind = SCHEDULE_EVEN,
        .phases = {{(double)settings->query_rate, (double)settings->query_rate,
                    schedule_duration_ns(&settings->plan)}},
        .count = 1};
    *ret_drive = drive;
    return OK;
}

void drive_free(struct drive *drive)
{
    if (!drive)
        return;
    wire_free(drive->wire);
    due_release(&drive->users);
    due_release(&drive->again);
    due_release(&drive->cancels);
    buf_release(&drive->body);
    free(drive->attempts);
    free(drive);
}

void drive_begin(struct drive *drive, int64_t now_ns)
{
    const struct settings *settings = drive->options.settings;
    drive->begun_ns = now_ns;
    drive->end_ns = now_ns + schedule_duration_ns(&settings->plan);
    schedule_begin(&settings->plan, &drive->due);
    drive->sending = drive->due;
    schedule_begin(&drive->query_plan, &drive->queries);
    for (int64_t i = 0; i < settings->users && settings->closed; i++)
        due_push(&drive->users, &(struct due){.at_ns = now_ns, .what = (uint32_t)i});
}

/* --- one request --------------------------------------------------------------------------------- */

static int64_t wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* RETRY: every connection is in use. */
static enum result send_attempt(struct drive *drive, const struct attempt *attempt,
                                const struct wire_request *request)
{
    uint32_t at = drive->free_attempt;
    if (at == NO_ATTEMPT)
        return RETRY;
    enum result result = wire_send(drive->wire, request, at);
    if (result != OK)
        return result;
    drive->free_attempt = drive->attempts[at].next_free;
    drive->attempts[at] = *attempt;
    drive->attempts[at].invoked_wall_ns = drive->options.history ? wall_ns() : 0;
    int64_t in_flight = (int64_t)wire_in_flight(drive->wire);
    if (in_flight > drive->options.report->generator.max_in_flight)
        drive->options.report->generator.max_in_flight = in_flight;
    return OK;
}

static const char *bearer_of(const struct drive *drive, uint32_t ordinal)
{
    return drive->options.bearers[ordinal % drive->options.customers];
}

static enum result send_order(struct drive *drive, uint32_t ordinal, const struct attempt *attempt)
{
    char headers[HEADERS_SIZE];
    char key[DRIVE_KEY_SIZE];
    drive_key(drive->options.run, ordinal, key);
    snprintf(headers, sizeof headers,
             "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
             "Idempotency-Key: %s\r\n",
             bearer_of(drive, ordinal), key);
    mix_order(&drive->options.settings->mix, ordinal, &drive->body);
    const struct wire_request request = {.method = "POST",
                                         .path = "/v1/orders",
                                         .headers = headers,
                                         .body = drive->body.data,
                                         .size = drive->body.size};
    return send_attempt(drive, attempt, &request);
}

static bool has_room(const struct drive *drive)
{
    return drive->free_attempt != NO_ATTEMPT && wire_in_flight(drive->wire) < drive->attempt_count;
}

/* A new order of the run, due at `intended_ns`. Its record is made only when it can be sent. */
static enum result send_new(struct drive *drive, uint32_t ordinal, size_t phase,
                            int64_t intended_ns)
{
    uint32_t index = 0;
    if (!has_room(drive))
        return RETRY;
    struct fate *fate = fates_add(drive->options.fates, &index);
    fate->intended_ns = intended_ns;
    fate->ordinal = ordinal;
    fate->phase = (uint8_t)phase;
    struct attempt attempt = {.operation = OP_PLACE, .fate = index, .intended_ns = intended_ns};
    int64_t now_ns = wire_now_ns();
    attempt.since_ns = now_ns;
    measure_sent(drive->options.measure, fate, now_ns, drive->starved_ns < intended_ns);
    /* The machine gives no socket: soon again, it is late already. */
    if (send_order(drive, ordinal, &attempt) != OK)
        due_push(&drive->again,
                 &(struct due){.at_ns = now_ns + 10 * MS, .since_ns = now_ns, .what = index});
    return OK;
}

/* --- what is due --------------------------------------------------------------------------------- */

/* Of so many orders, --orders says that it is enough. */
static bool enough(const struct drive *drive, uint64_t count)
{
    int64_t most = drive->options.settings->orders;
    return most > 0 && count >= (uint64_t)most;
}

/* The schedule wants no more. */
static bool all_due(const struct drive *drive)
{
    return drive->due.next_ns == INT64_MAX || enough(drive, drive->due.ordinal);
}

static void count_due(struct drive *drive, int64_t now_ns)
{
    while (!drive->stopped && !all_due(drive) && drive->begun_ns + drive->due.next_ns <= now_ns) {
        measure_offered(drive->options.measure, drive->due.phase);
        schedule_step(&drive->due);
    }
}

/* Sends what is due, late or not; what is later than a request may take is given up. */
static size_t send_due(struct drive *drive, int64_t now_ns, size_t room)
{
    int64_t give_up_ns = drive->options.settings->timeout_ms * MS;
    size_t sent = 0;
    while (drive->sending.ordinal < drive->due.ordinal && sent < room) {
        int64_t intended_ns = drive->begun_ns + drive->sending.next_ns;
        bool hopeless = drive->stopped || now_ns - intended_ns > give_up_ns;
        if (!hopeless && send_new(drive, (uint32_t)drive->sending.ordinal, drive->sending.phase,
                                  intended_ns) != OK) {
            drive->starved_ns = now_ns;
            break;
        }
        sent += !hopeless;
        schedule_step(&drive->sending);
    }
    return sent;
}

static bool is_over(const struct drive *drive, int64_t now_ns)
{
    return drive->stopped || now_ns >= drive->end_ns || enough(drive, drive->next_ordinal);
}

static size_t send_users(struct drive *drive, int64_t now_ns, size_t room)
{
    size_t sent = 0;
    while (sent < room && due_now(&drive->users, now_ns) && !is_over(drive, now_ns)) {
        int64_t intended_ns = due_first(&drive->users)->at_ns;
        if (!has_room(drive)) {
            drive->starved_ns = now_ns;
            break;
        }
        measure_offered(drive->options.measure, 0);
        if (send_new(drive, drive->next_ordinal, 0, intended_ns) != OK)
            break;
        drive->next_ordinal++;
        due_pop(&drive->users);
        sent++;
    }
    return sent;
}

static size_t send_again(struct drive *drive, int64_t now_ns, size_t room)
{
    size_t sent = 0;
    while (sent < room && due_now(&drive->again, now_ns)) {
        const struct due *due = due_first(&drive->again);
        const struct fate *fate = fates_at(drive->options.fates, due->what);
        const struct attempt attempt = {.operation = OP_PLACE,
                                        .fate = due->what,
                                        .intended_ns = fate->intended_ns,
                                        .since_ns = due->since_ns};
        if (send_order(drive, fate->ordinal, &attempt) != OK)
            break;
        due_pop(&drive->again);
        sent++;
    }
    return sent;
}

static size_t send_cancels(struct drive *drive, int64_t now_ns, size_t room)
{
    char path[PATH_SIZE], headers[HEADERS_SIZE], id[ID_TEXT_SIZE];
    size_t sent = 0;
    while (sent < room && due_now(&drive->cancels, now_ns)) {
        const struct due *due = due_first(&drive->cancels);
        const struct fate *fate = fates_at(drive->options.fates, due->what);
        const struct attempt attempt = {
            .operation = OP_CANCEL, .fate = due->what, .intended_ns = due->at_ns};
        order_key_write(&fate->order, id);
        snprintf(path, sizeof path, "/v1/orders/%s/cancel", id);
        snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n",
                 bearer_of(drive, fate->ordinal));
        const struct wire_request request = {.method = "POST", .path = path, .headers = headers};
        if (send_attempt(drive, &attempt, &request) != OK)
            break;
        due_pop(&drive->cancels);
        sent++;
    }
    return sent;
}

static void query_path(struct drive *drive, char path[PATH_SIZE], uint32_t *ret_ordinal)
{
    char id[ID_TEXT_SIZE];
    *ret_ordinal = 0;
    switch (drive->query_number++ % 3) {
    case 0:
        if (drive->has_recent) {
            const struct fate *fate = fates_at(drive->options.fates, drive->recent);
            order_key_write(&fate->order, id);
            *ret_ordinal = fate->ordinal;
            snprintf(path, PATH_SIZE, "/v1/orders/%s", id);
            return;
        }
        /* fall through */
    case 1:
        snprintf(path, PATH_SIZE, "/v1/orders?limit=20");
        return;
    default:
        snprintf(path, PATH_SIZE, "/v1/products");
    }
}

static size_t send_queries(struct drive *drive, int64_t now_ns, size_t room)
{
    char path[PATH_SIZE], headers[HEADERS_SIZE];
    size_t sent = 0;
    while (sent < room && !drive->stopped && drive->queries.next_ns != INT64_MAX &&
           drive->begun_ns + drive->queries.next_ns <= now_ns && has_room(drive)) {
        uint32_t ordinal;
        const struct attempt attempt = {.operation = OP_QUERY,
                                        .intended_ns = drive->begun_ns + drive->queries.next_ns};
        query_path(drive, path, &ordinal);
        snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n",
                 bearer_of(drive, ordinal));
        const struct wire_request request = {.method = "GET", .path = path, .headers = headers};
        if (send_attempt(drive, &attempt, &request) != OK)
            break;
        schedule_step(&drive->queries);
        drive->recent = drive->newest;
        drive->has_recent = drive->has_newest;
        sent++;
    }
    return sent;
}

void drive_run(struct drive *drive)
{
    wire_run(drive->wire);
    int64_t now_ns = wire_now_ns();
    size_t room = SENDS_AT_ONCE;
    count_due(drive, now_ns);
    room -= send_again(drive, now_ns, room);
    room -= send_cancels(drive, now_ns, room);
    room -= send_queries(drive, now_ns, room);
    if (drive->options.settings->closed)
        send_users(drive, now_ns, room);
    else
        send_due(drive, now_ns, room);
}

/* --- when ---------------------------------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t first_due_ns(const struct due_queue *queue)
{
    const struct due *due = due_first(queue);
    return due ? due->at_ns : INT64_MAX;
}

/* The next arrival, or the end of the schedule. */
static int64_t next_arrival_ns(const struct drive *drive)
{
    if (is_over(drive, wire_now_ns()))
        return INT64_MAX;
    int64_t next = earlier(drive->end_ns, first_due_ns(&drive->users));
    if (!all_due(drive) && !drive->options.settings->closed)
        next = earlier(next, drive->begun_ns + drive->due.next_ns);
    if (drive->queries.next_ns != INT64_MAX)
        next = earlier(next, drive->begun_ns + drive->queries.next_ns);
    return next;
}

/* Without a free connection only an answer, or a deadline of the wire, changes anything. */
int64_t drive_deadline_ns(const struct drive *drive)
{
    int64_t deadline = wire_deadline_ns(drive->wire);
    if (!has_room(drive))
        return deadline;
    if (drive->sending.ordinal < drive->due.ordinal)
        return 0;
    deadline = earlier(deadline, next_arrival_ns(drive));
    deadline = earlier(deadline, first_due_ns(&drive->again));
    return earlier(deadline, first_due_ns(&drive->cancels));
}

int drive_fd(const struct drive *drive)
{
    return wire_fd(drive->wire);
}

void drive_stop(struct drive *drive)
{
    drive->stopped = true;
    while (drive->sending.ordinal < drive->due.ordinal)
        schedule_step(&drive->sending);
}

bool drive_schedule_over(const struct drive *drive)
{
    if (drive->options.settings->closed)
        return is_over(drive, wire_now_ns());
    return drive->stopped ||
           (all_due(drive) && drive->sending.ordinal == drive->due.ordinal &&
            (wire_now_ns() >= drive->end_ns || enough(drive, drive->due.ordinal)));
}

bool drive_idle(const struct drive *drive)
{
    return drive_schedule_over(drive) && wire_in_flight(drive->wire) == 0 &&
           drive->again.count == 0 && drive->cancels.count == 0;
}

size_t drive_in_flight(const struct drive *drive)
{
    return wire_in_flight(drive->wire);
}

size_t drive_phase(const struct drive *drive)
{
    return drive->due.phase;
}
