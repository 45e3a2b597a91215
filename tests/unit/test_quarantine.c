/* What an operator does with what has been put aside, on a database in memory. */
#include <string.h>

#include "common/messaging/quarantine.h"
#include "common/messaging/service.h"
#include "tests/unit/unit.h"

static struct store *store;
static struct err err;

static void put(const char *sql)
{
    CU_ASSERT_EQUAL_FATAL(store_begin(store, &err), OK);
    CU_ASSERT_EQUAL_FATAL(store_exec(store, sql, STORE_NO_ARGS, NULL, &err), OK);
    CU_ASSERT_EQUAL_FATAL(store_commit(store, &err), OK);
}

#define PUT(id, body)                                                                              \
    put("INSERT INTO quarantine(message_id, queue, body, reason, attempts, at_ms) "                \
        "VALUES ('" id "', 'a.queue', " body ", 'no good', 6, 1234)")

static void opened(void)
{
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite("memdb:/quarantine", STORE_DURABLE, &store, &err), OK);
    CU_ASSERT_EQUAL_FATAL(
        store_migrate(store, "service", service_migrations, service_migration_count, &err), OK);
    PUT("one", "x'7b00ff'");
    PUT("two", "x''");
    PUT("three", "x'33'");
}

static int64_t number(const char *sql)
{
    int64_t answer = -1;
    CU_ASSERT_EQUAL(store_query_int(store, sql, STORE_NO_ARGS, &answer, &err), OK);
    return answer;
}
#define ROWS(table) number("SELECT count(*) FROM " table)

static enum result tell(void *context, const struct quarantined *message, struct err *ret_err)
{
    struct buf *out = context;
    (void)ret_err;
    buf_printf(out, "%d %s %s %s %d %d ", (int)message->number, message->message_id, message->queue,
               message->reason, (int)message->attempts, (int)message->at_ms);
    quarantine_print_bytes(out, message->body, message->size, 100);
    buf_text(out, "\n");
    return OK;
}

static void reads_one_and_all(void)
{
    struct buf out = {0};
    opened();
    CU_ASSERT_EQUAL(quarantine_read(store, QUARANTINE_ALL, tell, &out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out.data, "1 one a.queue no good 6 1234 {\\x00\\xff\n"
                                     "2 two a.queue no good 6 1234 \n"
                                     "3 three a.queue no good 6 1234 3\n");
    buf_clear(&out);
    CU_ASSERT_EQUAL(quarantine_read(store, 3, tell, &out, &err), OK);
    CU_ASSERT_STRING_EQUAL(out.data, "3 three a.queue no good 6 1234 3\n");
    CU_ASSERT_EQUAL(quarantine_read(store, 4, tell, &out, &err), NOT_FOUND);
    buf_release(&out);
    store_free(store);
}

static void redrives_one_and_all(void)
{
    int64_t moved = -1;
    opened();
    CU_ASSERT_EQUAL(quarantine_redrive(store, 4, 99, &moved, &err), OK);
    CU_ASSERT_EQUAL(moved, 0);
    CU_ASSERT_EQUAL(quarantine_redrive(store, 1, 99, &moved, &err), OK);
    CU_ASSERT_EQUAL(moved, 1);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 2);
    CU_ASSERT_EQUAL(
        number("SELECT count(*) FROM deferred WHERE message_id = 'one' AND attempts = 0 "
               "AND due_ms = 99 AND body = x'7b00ff' AND queue = 'a.queue'"),
        1);
    CU_ASSERT_EQUAL(quarantine_redrive(store, QUARANTINE_ALL, 99, &moved, &err), OK);
    CU_ASSERT_EQUAL(moved, 2);
    CU_ASSERT_EQUAL(ROWS("quarantine"), 0);
    CU_ASSERT_EQUAL(ROWS("deferred"), 3);
    store_free(store);
}

/* One message, two rows: the inbox off, or redriven and back. None gets lost. */
static void the_same_message_twice(void)
{
    int64_t moved = -1;
    opened();
    PUT("one", "x'31'");
    CU_ASSERT_EQUAL(quarantine_redrive(store, QUARANTINE_ALL, 99, &moved, &err), OK);
    CU_ASSERT_EQUAL(moved, 3);
    CU_ASSERT_EQUAL(number("SELECT number FROM quarantine"), 4);
    CU_ASSERT_EQUAL(quarantine_redrive(store, 4, 99, &moved, &err), OK);
    CU_ASSERT_EQUAL(moved, 0);
    CU_ASSERT_EQUAL(number("SELECT attempts FROM quarantine"), 6);
    put("DELETE FROM deferred");
    CU_ASSERT_EQUAL(quarantine_redrive(store, 4, 99, &moved, &err), OK);
    CU_ASSERT_EQUAL(moved, 1);
    store_free(store);
}

static void drops_one_and_all(void)
{
    int64_t dropped = -1;
    opened();
    CU_ASSERT_EQUAL(quarantine_drop(store, 2, &dropped, &err), OK);
    CU_ASSERT_EQUAL(dropped, 1);
    CU_ASSERT_EQUAL(number("SELECT sum(number) FROM quarantine"), 4);
    CU_ASSERT_EQUAL(quarantine_drop(store, 2, &dropped, &err), OK);
    CU_ASSERT_EQUAL(dropped, 0);
    CU_ASSERT_EQUAL(quarantine_drop(store, QUARANTINE_ALL, &dropped, &err), OK);
    CU_ASSERT_EQUAL(dropped, 2);
    CU_ASSERT_EQUAL(ROWS("deferred"), 0);
    store_free(store);
}

static void waits_for_its_turn(void)
{
    int64_t moved = -1;
    struct store *other = NULL;
    opened();
    CU_ASSERT_EQUAL_FATAL(store_open_sqlite("memdb:/quarantine", STORE_DURABLE, &other, &err), OK);
    CU_ASSERT_EQUAL(store_begin(other, &err), OK);
    CU_ASSERT_EQUAL(quarantine_redrive(store, 1, 99, &moved, &err), RETRY);
    CU_ASSERT_EQUAL(quarantine_drop(store, 1, &moved, &err), RETRY);
    CU_ASSERT_EQUAL(moved, -1);
    store_rollback(other);
    store_free(other);
    store_free(store);
}

static void prints_nothing_that_steers(void)
{
    struct buf out = {0};
    quarantine_print_bytes(&out, "\033[2J\n\\\303\244~", 9, 100);
    CU_ASSERT_STRING_EQUAL(out.data, "\\x1b[2J\\x0a\\\\\\xc3\\xa4~");
    buf_clear(&out);
    quarantine_print_bytes(&out, "abcdef", 6, 3);
    CU_ASSERT_STRING_EQUAL(out.data, "abc");
    buf_release(&out);
}

static const struct unit_case cases[] = {
    {"reads one and all", reads_one_and_all},
    {"redrives one and all", redrives_one_and_all},
    {"the same message twice", the_same_message_twice},
    {"drops one and all", drops_one_and_all},
    {"waits for its turn", waits_for_its_turn},
    {"prints nothing that steers", prints_nothing_that_steers},
};
UNIT_MAIN("quarantine", cases)
