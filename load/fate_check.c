#include "load/fate_check.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "load/due.h"
#include "load/fate_list.h"
#include "load/wire.h"

enum {
    AT_ONCE = 64,
    AGAIN_MS = 200,
    UNKNOWN_MS = 3000, /* how long one that may not exist is looked for */
    MS = 1000000,
};

struct asking {
    const struct fate_check *check;
    struct wire *wire;
    struct due_queue due; /* fates */
    int64_t begun_ns;
    uint32_t asked[AT_ONCE]; /* by token */
    uint32_t free[AT_ONCE];
    size_t free_count;
    int64_t unnamed; /* unknown ones whose id nobody knows */
};

static void find(const struct asking *asking, enum load_finding_kind kind, const struct fate *fate)
{
    char id[ID_TEXT_SIZE] = "";
    char key[DRIVE_KEY_SIZE];
    if (fate->named)
        order_key_write(&fate->order, id);
    drive_key(asking->check->run->run, fate->ordinal, key);
    load_fate_add(&asking->check->run->report->fate, kind, id, key);
}

static struct load_fate *said(const struct asking *asking)
{
    return &asking->check->run->report->fate;
}

/* --- what is known already ------------------------------------------------------------------------ */

/* An order without an answer has an id all the same: the edge derives it from customer and key. */
static void name_it(const struct asking *asking, uint32_t index)
{
    const struct fate_check *check = asking->check;
    const struct fate *fate = fates_at(check->run->fates, index);
    char key[DRIVE_KEY_SIZE];
    struct order_key order;
    if (fate->named || !check->customers)
        return;
    drive_key(check->run->run, fate->ordinal, key);
    struct id id =
        ID_DERIVE("order", check->customers[fate->ordinal % check->run->customers].text, key);
    if (order_key_read(id.text, &order) == OK && fates_name(check->run->fates, index, &order) != OK)
        find(asking, LOAD_DOUBLED, fate); /* another key of ours has been told the same id */
}

static void ask_for(struct asking *asking, uint32_t index)
{
    due_push(&asking->due, &(struct due){.at_ns = asking->begun_ns, .what = index});
}

static bool seen(const struct fate *fate)
{
    return fate->placed || fate->end != FACT_OTHER;
}

static void sort_one(struct asking *asking, uint32_t index)
{
    struct load_fate *report = said(asking);
    if (fates_at(asking->check->run->fates, index)->answer != ANSWER_ACCEPTED)
        name_it(asking, index);
    const struct fate *fate = fates_at(asking->check->run->fates, index);
    switch (fate->answer) {
    case ANSWER_ACCEPTED:
        report->checked++;
        if (fate->end == FACT_OTHER)
            ask_for(asking, index);
        break;
    case ANSWER_REFUSED:
        if (seen(fate))
            find(asking, LOAD_UNREFUSED, fate);
        break;
    default: /* unknown, or still on its way when the run was cut short */
        report->checked++;
        find(asking, LOAD_UNANSWERED, fate);
        if (fate->end != FACT_OTHER)
            report->unknown_existing++;
        else if (fate->named)
            ask_for(asking, index);
        else
            asking->unnamed++;
    }
}

/* --- asking --------------------------------------------------------------------------------------- */

static bool has_settled(const char *body)
{
    static const char *const words[] = {"\"confirmed\"", "\"rejected\"", "\"cancelled\"",
                                        "\"expired\""};
    const char *at = strstr(body, "\"status\"");
    if (!at)
        return false;
    at += strlen("\"status\"");
    at += strspn(at, " \t\r\n:");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static bool is_absent(const struct wire_answer *answer)
{
    return answer->outcome == WIRE_ANSWERED && answer->status == 404;
}

static bool patient(const struct asking *asking, const struct fate *fate,
                    const struct wire_answer *answer)
{
    int64_t deadline_ns = asking->check->deadline_ns;
    int64_t short_ns = asking->begun_ns + (int64_t)UNKNOWN_MS * MS;
    if (fate->answer != ANSWER_ACCEPTED && is_absent(answer) && short_ns < deadline_ns)
        deadline_ns = short_ns;
    return answer->finished_ns < deadline_ns && !*asking->check->hurry;
}

/* The last word on an order that was asked for, when there is no patience left. */
static void conclude(struct asking *asking, const struct fate *fate,
                     const struct wire_answer *answer)
{
    bool there = answer->outcome == WIRE_ANSWERED && answer->status == 200;
    bool absent = is_absent(answer);
    said(asking)->unknown_existing += there && fate->answer != ANSWER_ACCEPTED;
    if (!there && !absent)
        snprintf(said(asking)->trouble, sizeof said(asking)->trouble,
                 "the fate of an order could not be asked for: HTTP %d", answer->status);
    else if (fate->answer != ANSWER_ACCEPTED && absent)
        said(asking)->unknown_absent++;
    else if (absent)
        find(asking, LOAD_LOST, fate);
    else
        find(asking, LOAD_UNSETTLED, fate);
}

static void answered(void *context, uint64_t token, const struct wire_answer *answer)
{
    struct asking *asking = context;
    uint32_t index = asking->asked[token];
    const struct fate *fate = fates_at(asking->check->run->fates, index);
    asking->free[asking->free_count++] = (uint32_t)token;
    if (answer->outcome == WIRE_ANSWERED && answer->status == 200 && has_settled(answer->body)) {
        said(asking)->unknown_existing += fate->answer != ANSWER_ACCEPTED;
        return;
    }
    if (patient(asking, fate, answer))
        due_push(&asking->due, &(struct due){.at_ns = answer->finished_ns + AGAIN_MS * (int64_t)MS,
                                             .what = index});
    else
        conclude(asking, fate, answer);
}

static void ask(struct asking *asking, int64_t now_ns)
{
    char path[64], headers[256], id[ID_TEXT_SIZE];
    while (asking->free_count > 0 && due_now(&asking->due, now_ns)) {
        uint32_t index = due_first(&asking->due)->what;
        const struct drive_options *run = asking->check->run;
        const struct fate *fate = fates_at(run->fates, index);
        uint32_t token = asking->free[asking->free_count - 1];
        order_key_write(&fate->order, id);
        snprintf(path, sizeof path, "/v1/orders/%s", id);
        snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n",
                 run->bearers[fate->ordinal % run->customers]);
        const struct wire_request request = {.method = "GET", .path = path, .headers = headers};
        if (wire_send(asking->wire, &request, token) != OK)
            return;
        asking->asked[token] = index;
        asking->free_count--;
        due_pop(&asking->due);
    }
}

static void ask_all(struct asking *asking)
{
    while (asking->due.count > 0 || wire_in_flight(asking->wire) > 0) {
        struct pollfd fd = {.fd = wire_fd(asking->wire), .events = POLLIN};
        ask(asking, wire_now_ns());
        poll(&fd, 1, 5);
        wire_run(asking->wire);
    }
}

void fate_check(const struct fate_check *check)
{
    struct err err = {""};
    struct asking asking = {.check = check, .begun_ns = wire_now_ns(), .free_count = AT_ONCE};
    const struct wire_options options = {.url = check->run->url,
                                         .connections = AT_ONCE,
                                         .timeout_ms = 5000,
                                         .connecting_ms = 5000,
                                         .listener = answered,
                                         .context = &asking};
    for (uint32_t i = 0; i < AT_ONCE; i++)
        asking.free[i] = i;
    if (wire_new(&options, &asking.wire, &err) != OK) {
        load_text(said(&asking)->trouble, sizeof said(&asking)->trouble, err.text);
        return;
    }
    for (uint32_t i = 0; i < fates_count(check->run->fates); i++)
        sort_one(&asking, i);
    ask_all(&asking);
    if (check->newest)
        fate_list_check(check->run, check->newest, asking.unnamed);
    else
        fate_strangers_check(check->run);
    wire_free(asking.wire);
    due_release(&asking.due);
}
