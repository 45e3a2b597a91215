/* notification-service notices that nothing has been heard of a settled order, and asks for it. */
#include <stdlib.h>
#include <string.h>

#include "notification-service/heard.h"
#include "notification-service/notification_service.h"
#include "tests/unit/loop.h"
#include "tests/unit/unit.h"

#define EVENTS "notification.events"

enum { LOOK_MS = 10000, LOOKS_OF_TEN_MINUTES = 60 };

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "%s: %s\n", result_name(result), err_text(err));
    abort();
}

/* --- what has been heard, as ranges --------------------------------------------------- */

enum { NUMBERS = 60 };

static enum result check_range(void *context, const struct store_row *row, struct err *err)
{
    int64_t *next = context; /* the lowest number at which a range may begin */
    (void)err;
    CU_ASSERT(store_row_int(row, 0) >= *next);
    *next = store_row_int(row, 1) + 2; /* neighbours would be one range */
    return OK;
}

/* Against a list of booleans. */
static void check_heard(struct store *store, const bool *is_heard)
{
    struct err err;
    int64_t next = 1, count = 0, heard = 0, highest = 0, found = 0;
    struct missing missing;
    for (int64_t number = 1; number <= NUMBERS; number++) {
        count += is_heard[number];
        highest = is_heard[number] ? number : highest;
    }
    must(store_query(store, "SELECT first, last FROM heard ORDER BY first", STORE_NO_ARGS,
                     check_range, &next, &err),
         &err);
    must(store_query_int(store, "SELECT sum(last - first + 1) FROM heard", STORE_NO_ARGS, &heard,
                         &err),
         &err);
    CU_ASSERT_EQUAL(heard, count);
    must(heard_highest(store, &found, &err), &err);
    CU_ASSERT_EQUAL(found, highest);
    must(heard_missing(store, 0, highest, &missing, &err), &err);
    CU_ASSERT_EQUAL(missing.count, highest - count);
    for (size_t i = 0; i < missing.range_count; i++)
        for (int64_t number = missing.ranges[i].first; number <= missing.ranges[i].last; number++) {
            CU_ASSERT_FALSE(is_heard[number]);
            missing.count--;
        }
    CU_ASSERT_EQUAL(missing.count, 0);
}

static struct store *heard_store(void)
{
    struct err err;
    struct store *store = NULL;
    must(store_open_sqlite("memdb:/heard", STORE_DURABLE, &store, &err), &err);
    must(store_migrate(store, "notification", notification_migrations, notification_migration_count,
                       &err),
         &err);
    return store;
}

/* In any order, in batches of any size, some twice. */
static void any_order_is_folded(void)
{
    struct manual_clock clock;
    manual_clock_init(&clock, 1, 7);
    for (int run = 0; run < 60; run++) {
        struct err err;
        struct heard heard = {0};
        bool is_heard[NUMBERS + 2] = {false};
        struct store *store = heard_store();
        for (int batch = 0; batch < 12; batch++) {
            must(store_begin(store, &err), &err);
            for (uint64_t left = clock_random64(&clock.clock) % 9; left > 0; left--) {
                int64_t number = 1 + (int64_t)(clock_random64(&clock.clock) % NUMBERS);
                is_heard[number] = true;
                heard_note(&heard, number);
            }
            must(heard_fold(&heard, store, &err), &err);
            must(store_commit(store, &err), &err);
            check_heard(store, is_heard);
        }
        heard_release(&heard);
        store_free(store);
    }
}

static void what_is_rolled_back_is_not_heard(void)
{
    struct err err;
    struct heard heard = {0};
    bool is_heard[NUMBERS + 2] = {false};
    struct store *store = heard_store();
    must(store_begin(store, &err), &err);
    heard_note(&heard, 1);
    store_rollback(store);
    heard_forget(&heard);
    must(store_begin(store, &err), &err);
    heard_note(&heard, 3);
    must(heard_fold(&heard, store, &err), &err);
    must(store_commit(store, &err), &err);
    is_heard[3] = true;
    check_heard(store, is_heard);
    heard_release(&heard);
    store_free(store);
}

/* So many that they do not fit into one list: it goes on behind the last one listed. */
static void a_long_list_is_in_parts(void)
{
    struct err err;
    struct heard heard = {0};
    struct missing missing;
    struct store *store = heard_store();
    must(store_begin(store, &err), &err);
    for (int64_t number = 1; number <= 2 * MISSING_LISTED_MAX + 1; number++)
        heard_note(&heard, 2 * number);
    heard_note(&heard, 10000);
    must(heard_fold(&heard, store, &err), &err);
    must(store_commit(store, &err), &err);
    int64_t total = 0, cursor = 0;
    int parts = 0;
    do {
        must(heard_missing(store, cursor, 10000, &missing, &err), &err);
        for (size_t i = 0; i < missing.range_count; i++) {
            CU_ASSERT(missing.ranges[i].first > cursor);
            cursor = missing.ranges[i].last;
            total += missing.ranges[i].last - missing.ranges[i].first + 1;
        }
        CU_ASSERT(missing.range_count <= MISSING_LISTED_MAX);
        CU_ASSERT(missing.listed == 0 || missing.listed == cursor);
        parts++;
    } while (missing.listed > 0 && parts < 100);
    CU_ASSERT_EQUAL(total, missing.count);
    CU_ASSERT(parts >= 2 + (int)(missing.count / MISSING_MAX) && parts < 100);
    heard_release(&heard);
    store_free(store);
}

/* --- the service ------------------------------------------------------------------------- */

static struct loop loop;
static struct notification_service *selves[LOOP_INSTANCES];

static void start(size_t instance)
{
    struct err err;
    notification_service_free(selves[instance]);
    must(notification_service_new(NULL, &selves[instance], &err), &err);
    loop_start(&loop, instance, NULL, selves[instance]);
}

static void set_up(void)
{
    loop_open(&loop, &notification_service_spec, notification_migrations,
              notification_migration_count);
    start(0);
    loop_run(&loop, 0, 5);
}

static void tear_down(void)
{
    loop_close(&loop);
    for (size_t i = 0; i < LOOP_INSTANCES; i++) {
        notification_service_free(selves[i]);
        selves[i] = NULL;
    }
}

/* The order of this number is confirmed. */
static void hear(unsigned number)
{
    struct order_ended ended = {
        .version = 2, .currency = "EUR", .total = 1000, .settlement = number};
    snprintf(ended.order_id, sizeof ended.order_id, "%s", loop_order_id(number));
    snprintf(ended.customer, sizeof ended.customer, "%s", CUSTOMER);
    loop_send(&loop, EVENTS, ORDER_CONFIRMED, ended.order_id, &ended, NULL);
}

static void hear_all(unsigned first, unsigned last)
{
    for (unsigned number = first; number <= last; number++)
        hear(number);
    loop_run(&loop, 0, 20);
}

static size_t asks(void)
{
    return loop_count(&loop, ORDER_RETELL_SETTLED, NULL);
}

/* Waits for so many looks of one instance. */
static void look(int times)
{
    for (; times > 0; times--) {
        manual_clock_advance(&loop.clock, LOOK_MS);
        for (int i = 0; i < 3; i++) {
            loop_run(&loop, 0, 1);
            manual_clock_advance(&loop.clock, 100);
        }
    }
}

static struct retell_settled last_ask(void)
{
    struct retell_settled ask = {0};
    CU_ASSERT(loop_last(&loop, ORDER_RETELL_SETTLED, "settled", &ask, NULL));
    return ask;
}

static void assert_range(const struct retell_settled *ask, size_t i, int64_t first, int64_t last)
{
    CU_ASSERT_FATAL(i < ask->missing_count);
    CU_ASSERT_EQUAL(ask->missing[i].first, first);
    CU_ASSERT_EQUAL(ask->missing[i].last, last);
}

static void a_hole_is_asked_for(void)
{
    set_up();
    hear_all(1, 3);
    hear_all(5, 9);
    hear_all(12, 12);
    look(1);
    size_t before = asks();
    hear_all(13, 13); /* the shop is busy */
    look(1);
    CU_ASSERT_EQUAL(asks(), before + 1);
    struct retell_settled ask = last_ask();
    CU_ASSERT_EQUAL(ask.missing_count, 2);
    assert_range(&ask, 0, 4, 4);
    assert_range(&ask, 1, 10, 11);
    hear_all(10, 11);
    hear_all(14, 14);
    look(1);
    ask = last_ask(); /* progress: at once again */
    CU_ASSERT_EQUAL(ask.missing_count, 1);
    assert_range(&ask, 0, 4, 4);
    hear_all(4, 4);
    hear_all(15, 15);
    before = asks();
    look(1);
    CU_ASSERT_EQUAL(asks(), before);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM heard"), 1);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT last FROM heard WHERE first = 1"), 15);
    tear_down();
}

/* What was overtaken a moment ago may still come. */
static void a_young_hole_is_given_time(void)
{
    set_up();
    hear_all(1, 1);
    look(1);
    hear_all(3, 3);
    size_t before = asks();
    look(1);
    hear_all(2, 2);
    hear_all(4, 4);
    look(1);
    CU_ASSERT_EQUAL(asks(), before);
    tear_down();
}

static void a_lost_end_is_asked_for(void)
{
    set_up();
    hear_all(1, 3);
    look(1);
    size_t before = asks();
    look(1); /* nothing has come since the last look */
    CU_ASSERT_EQUAL(asks(), before + 1);
    struct retell_settled ask = last_ask();
    CU_ASSERT_EQUAL(ask.missing_count, 1);
    assert_range(&ask, 0, 4, 0);
    look(60);
    CU_ASSERT(asks() >= before + 1 + 18 && asks() <= before + 1 + 22); /* every third look */
    hear_all(4, 4);
    before = asks();
    look(1);
    CU_ASSERT_EQUAL(asks(), before); /* busy again */
    look(1);
    CU_ASSERT_EQUAL(asks(), before + 1);
    tear_down();
}

static void a_shop_that_never_sold_asks_from_the_beginning(void)
{
    set_up();
    struct retell_settled ask = last_ask();
    CU_ASSERT_EQUAL(ask.missing_count, 1);
    assert_range(&ask, 0, 1, 0);
    tear_down();
}

/* Its fact is in quarantine: hearing it again is no news. */
static void what_stays_missing_is_asked_for_less_and_less(void)
{
    set_up();
    hear_all(1, 3);
    hear_all(5, 6);
    look(1);
    size_t before = asks();
    unsigned number = 7;
    for (int i = 0; i < 10 * LOOKS_OF_TEN_MINUTES; i++) {
        hear_all(number, number);
        number++;
        look(1);
    }
    CU_ASSERT(asks() >= before + 12 && asks() <= before + 17); /* 6 to get there, then one in 60 */
    hear_all(number + 1, number + 1);                          /* another hole */
    look(1);
    hear_all(number + 2, number + 2);
    before = asks();
    look(1);
    CU_ASSERT_EQUAL(asks(), before + 1); /* is not kept waiting by the first */
    struct retell_settled ask = last_ask();
    CU_ASSERT_EQUAL(ask.missing_count, 2);
    assert_range(&ask, 1, number, number);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM heard"), 3);
    tear_down();
}

static void what_was_told_before_counts_as_heard(void)
{
    set_up();
    hear_all(1, 1);
    hear_all(3, 3);
    hear(2);
    hear(2); /* the same under another id */
    loop_run(&loop, 0, 20);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM heard"), 1);
    struct order_ended old = {.version = 2, .currency = "EUR", .total = 1000};
    snprintf(old.order_id, sizeof old.order_id, "%s", loop_order_id(4));
    snprintf(old.customer, sizeof old.customer, "%s", CUSTOMER);
    loop_send(&loop, EVENTS, ORDER_CONFIRMED, old.order_id, &old, NULL); /* without a number */
    loop_run(&loop, 0, 20);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT last FROM heard"), 3);
    hear_all(4, 4);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT last FROM heard"), 4);
    CU_ASSERT_EQUAL(loop_count(&loop, NOTIFICATION_SENT, NULL), 4);
    tear_down();
}

static void two_instances_hear_and_ask_as_one(void)
{
    set_up();
    start(1);
    for (unsigned number = 1; number <= 40; number++) {
        hear(number);
        if (number % 3 == 0)
            loop_run(&loop, number % 2, 2);
    }
    for (int i = 0; i < 40; i++)
        loop_run(&loop, (size_t)i % 2, 1);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM heard"), 1);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT last FROM heard"), 40);
    look(1);
    size_t before = asks();
    manual_clock_advance(&loop.clock, LOOK_MS);
    loop_run_to(&loop, 0, PHASE_BEGIN); /* both see that it is time; one has the lock */
    loop_run_to(&loop, 1, PHASE_BEGIN);
    for (int i = 0; i < 40; i++)
        loop_run(&loop, (size_t)i % 2, 1);
    CU_ASSERT_EQUAL(asks(), before + 1);
    tear_down();
}

static void killed_after_any_phase_it_has_heard_what_it_told(void)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        set_up();
        hear(1);
        hear(3);
        loop_run_to(&loop, 0, (enum phase)phase);
        loop_kill(&loop, 0);
        CU_ASSERT_EQUAL(loop_number(&loop, "SELECT coalesce(sum(last - first + 1), 0) FROM heard"),
                        loop_number(&loop, "SELECT count(*) FROM notification"));
        start(0);
        hear_all(2, 2);
        loop_run_ms(&loop, 0, 1000);
        CU_ASSERT_EQUAL(loop_number(&loop, "SELECT last FROM heard WHERE first = 1"), 3);
        tear_down();
    }
}

static void a_clock_put_back_does_not_keep_it_from_looking(void)
{
    set_up();
    hear_all(1, 1);
    look(1);
    size_t before = asks();
    loop.clock.wall_ms -= INT64_C(30) * 86400000;
    loop_run(&loop, 0, 5);
    look(2);
    CU_ASSERT(asks() > before);
    tear_down();
}

static void switched_off_it_asks_for_nothing(void)
{
    loop_open(&loop, &notification_service_spec, notification_migrations,
              notification_migration_count);
    loop.switches.reconcile = false;
    start(0);
    hear_all(2, 2);
    look(5);
    CU_ASSERT_EQUAL(asks(), 0);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM heard"), 1);
    tear_down();
}

/* --- an operator asks ---------------------------------------------------------------------- */

static void what_was_told_is_told_again(void)
{
    struct envelope first, second;
    struct notification_sent sent;
    set_up();
    hear_all(1, 2);
    CU_ASSERT(loop_last(&loop, NOTIFICATION_SENT, loop_order_id(1), &sent, &first));
    struct retell retell;
    for (unsigned order = 1; order <= 3; order += 2) { /* of the third nothing is known */
        snprintf(retell.order_id, sizeof retell.order_id, "%s", loop_order_id(order));
        loop_send(&loop, "notification.commands", NOTIFICATION_RETELL, retell.order_id, &retell,
                  NULL);
        loop_run(&loop, 0, 20);
    }
    CU_ASSERT_EQUAL(loop_count(&loop, NOTIFICATION_SENT, NULL), 3);
    CU_ASSERT(loop_last(&loop, NOTIFICATION_SENT, loop_order_id(1), &sent, &second));
    CU_ASSERT_EQUAL(memcmp(&first.id, &second.id, sizeof first.id), 0);
    CU_ASSERT_STRING_EQUAL(first.traceparent, second.traceparent);
    CU_ASSERT_EQUAL(first.time_ms, second.time_ms);
    CU_ASSERT_EQUAL(second.sequence, 1);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM notification"), 2);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM quarantine"), 0);
    tear_down();
}

static const struct unit_case cases[] = {
    {"any order is folded", any_order_is_folded},
    {"what is rolled back is not heard", what_is_rolled_back_is_not_heard},
    {"a long list is in parts", a_long_list_is_in_parts},
    {"a hole is asked for", a_hole_is_asked_for},
    {"a young hole is given time", a_young_hole_is_given_time},
    {"a lost end is asked for", a_lost_end_is_asked_for},
    {"a shop that never sold asks from the beginning",
     a_shop_that_never_sold_asks_from_the_beginning},
    {"what stays missing is asked for less and less",
     what_stays_missing_is_asked_for_less_and_less},
    {"what was told before counts as heard", what_was_told_before_counts_as_heard},
    {"two instances hear and ask as one", two_instances_hear_and_ask_as_one},
    {"killed after any phase it has heard what it told",
     killed_after_any_phase_it_has_heard_what_it_told},
    {"a clock put back does not keep it from looking",
     a_clock_put_back_does_not_keep_it_from_looking},
    {"switched off it asks for nothing", switched_off_it_asks_for_nothing},
    {"what was told is told again", what_was_told_is_told_again},
};
UNIT_MAIN("reconcile", cases)
