#include "tests/simulation/faulty.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* A call or an answer that is on its way. */
struct parcel {
    TAILQ_ENTRY(parcel) link;
    int64_t due_ms;
    enum result outcome;
    char *job_id, *kind, *key, *text;
};
TAILQ_HEAD(parcels, parcel);

struct faulty {
    struct effect effect; /* first */
    struct effect *inner;
    const struct clock *clock;
    struct chance *chance;
    struct coverage *coverage;
    struct parcels calls, answers;
    bool orphan;
    effect_done *done; /* during a pump */
    void *done_context;
};

static struct faulty *of(struct effect *effect)
{
    return (struct faulty *)effect;
}

static char *copy(const char *text)
{
    char *made = strdup(text ? text : "");
    if (!made)
        abort();
    return made;
}

static struct parcel *parcel_new(struct faulty *f, struct parcels *list, int64_t delay_ms)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);
    if (!parcel)
        abort();
    parcel->due_ms = clock_mono_ms(f->clock) + delay_ms;
    TAILQ_INSERT_TAIL(list, parcel, link);
    return parcel;
}

static void parcel_free(struct parcels *list, struct parcel *parcel)
{
    TAILQ_REMOVE(list, parcel, link);
    free(parcel->job_id);
    free(parcel->kind);
    free(parcel->key);
    free(parcel->text);
    free(parcel);
}

static void answer_later(struct faulty *f, const char *job_id, enum result outcome,
                         const char *text, int64_t delay_ms)
{
    struct parcel *parcel = parcel_new(f, &f->answers, delay_ms);
    parcel->outcome = outcome;
    parcel->job_id = copy(job_id);
    parcel->text = copy(text);
}

static enum result faulty_start(struct effect *effect, const struct effect_call *call)
{
    struct faulty *f = of(effect);
    if (chance_hits(f->chance, f->chance->provider_fail, 10000)) {
        f->coverage->items[COVER_PROVIDER_FAILED]++;
        answer_later(f, call->job_id, RETRY, "{}", chance_between(f->chance, 0, 500));
        return OK;
    }
    if (!chance_hits(f->chance, f->chance->provider_stall, 10000))
        return f->inner->ops->start(f->inner, call);
    f->coverage->items[COVER_PROVIDER_STALLED]++;
    struct parcel *parcel = parcel_new(f, &f->calls, chance_between(f->chance, 10, 9000));
    parcel->job_id = copy(call->job_id);
    parcel->kind = copy(call->kind);
    parcel->key = copy(call->key);
    parcel->text = copy(call->request);
    return OK;
}

/* The provider has acted; what of it arrives? */
static void on_answer(void *context, const char *job_id, enum result outcome, const char *response)
{
    struct faulty *f = context;
    if (f->orphan) {
        f->coverage->items[COVER_PROVIDER_ORPHAN]++;
        return;
    }
    if (chance_hits(f->chance, f->chance->provider_lose, 10000)) {
        f->coverage->items[COVER_PROVIDER_LOST]++;
        return;
    }
    if (chance_hits(f->chance, f->chance->provider_twice, 10000)) {
        f->coverage->items[COVER_PROVIDER_TWICE]++;
        answer_later(f, job_id, outcome, response, chance_between(f->chance, 0, 5000));
    }
    if (chance_hits(f->chance, f->chance->provider_late, 10000)) {
        f->coverage->items[COVER_PROVIDER_LATE]++;
        answer_later(f, job_id, outcome, response, chance_between(f->chance, 1, 6000));
        return;
    }
    f->done(f->done_context, job_id, outcome, response);
}

static void start_due(struct faulty *f, int64_t now_ms)
{
    struct parcel *parcel = TAILQ_FIRST(&f->calls);
    while (parcel) {
        struct parcel *after = TAILQ_NEXT(parcel, link);
        struct effect_call call = {parcel->job_id, parcel->kind, parcel->key, parcel->text};
        if ((f->chance->calm || parcel->due_ms <= now_ms) &&
            f->inner->ops->start(f->inner, &call) == OK)
            parcel_free(&f->calls, parcel);
        parcel = after;
    }
}

static void hand_over_due(struct faulty *f, int64_t now_ms)
{
    struct parcel *parcel = TAILQ_FIRST(&f->answers);
    while (parcel) {
        struct parcel *after = TAILQ_NEXT(parcel, link);
        if (f->chance->calm || parcel->due_ms <= now_ms) {
            if (!f->orphan)
                f->done(f->done_context, parcel->job_id, parcel->outcome, parcel->text);
            parcel_free(&f->answers, parcel);
        }
        parcel = after;
    }
}

static void faulty_pump(struct effect *effect, effect_done *done, void *context)
{
    struct faulty *f = of(effect);
    int64_t now_ms = clock_mono_ms(f->clock);
    f->done = done;
    f->done_context = context;
    start_due(f, now_ms);
    f->inner->ops->pump(f->inner, on_answer, f);
    hand_over_due(f, now_ms);
}

static int faulty_fd(struct effect *effect)
{
    (void)effect;
    return -1;
}

static int64_t earliest_due(const struct parcels *list, int64_t deadline_ms)
{
    const struct parcel *parcel;
    TAILQ_FOREACH(parcel, list, link)
    {
        if (parcel->due_ms < deadline_ms)
            deadline_ms = parcel->due_ms;
    }
    return deadline_ms;
}

static int64_t faulty_deadline_ms(struct effect *effect)
{
    struct faulty *f = of(effect);
    int64_t deadline_ms = f->inner->ops->deadline_ms(f->inner);
    return earliest_due(&f->calls, earliest_due(&f->answers, deadline_ms));
}

static void faulty_release(struct effect *effect)
{
    (void)effect; /* the world owns it */
}

static const struct effect_ops faulty_ops = {faulty_start, faulty_fd, faulty_deadline_ms,
                                             faulty_pump, faulty_release};

struct faulty *faulty_new(struct effect *take_inner, const struct clock *clock,
                          struct chance *chance, struct coverage *coverage)
{
    struct faulty *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->effect.ops = &faulty_ops;
    f->inner = take_inner;
    f->clock = clock;
    f->chance = chance;
    f->coverage = coverage;
    TAILQ_INIT(&f->calls);
    TAILQ_INIT(&f->answers);
    return f;
}

struct effect *faulty_effect(struct faulty *faulty)
{
    return &faulty->effect;
}

void faulty_free(struct faulty *f)
{
    if (!f)
        return;
    while (!TAILQ_EMPTY(&f->calls))
        parcel_free(&f->calls, TAILQ_FIRST(&f->calls));
    while (!TAILQ_EMPTY(&f->answers))
        parcel_free(&f->answers, TAILQ_FIRST(&f->answers));
    f->inner->ops->release(f->inner);
    free(f);
}

void faulty_orphan(struct faulty *faulty)
{
    faulty->orphan = true;
}

bool faulty_orphan_pump(struct faulty *f)
{
    if (TAILQ_EMPTY(&f->calls) && f->inner->ops->deadline_ms(f->inner) == INT64_MAX)
        return false;
    faulty_pump(&f->effect, NULL, NULL);
    return true;
}
