/* The scanner reads every fact that our encoder can write as a parser does, and leaves to the parser
 * whatever looks otherwise. The facts are the examples of the contracts. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "cli/files.h"
#include "common/messaging/envelope.h"
#include "contracts/messages.h"
#include "load/fact.h"
#include "tests/unit/unit.h"

#define ORDER "0190b0c0-0000-8000-8000-0000000000a1"

static void same(const struct fact *a, const struct fact *b)
{
    CU_ASSERT_EQUAL(a->kind, b->kind);
    CU_ASSERT_EQUAL(memcmp(&a->order, &b->order, sizeof a->order), 0);
    CU_ASSERT_EQUAL(a->sequence, b->sequence);
    CU_ASSERT_STRING_EQUAL(a->customer, b->customer);
    CU_ASSERT_STRING_EQUAL(a->reason, b->reason);
}

/* Both ways over one body; *ret_fact is what they agree on. */
static void both_ways(const struct buf *body, struct fact *ret_fact)
{
    struct fact scanned, parsed;
    CU_ASSERT_EQUAL_FATAL(fact_parse(body->data, body->size, &parsed), OK);
    CU_ASSERT_EQUAL_FATAL(fact_scan(body->data, body->size, &scanned), OK);
    same(&scanned, &parsed);
    *ret_fact = parsed;
}

static void encode(const char *type, const char *traceparent, int64_t sequence, const void *payload,
                   struct buf *out)
{
    struct envelope envelope = {.id = {"0190b0c0-0000-7000-8000-00000000a11c"},
                                .source = "/order-service",
                                .subject = ORDER,
                                .time_ms = 1700000000123,
                                .sequence = sequence};
    snprintf(envelope.type, sizeof envelope.type, "%s", type);
    snprintf(envelope.traceparent, sizeof envelope.traceparent, "%s", traceparent);
    buf_clear(out);
    envelope_encode(&envelope, contract_find(type)->payload, payload, out);
}

/* With and without what an envelope may leave out. */
static int try_example(const char *type, const char *path)
{
    struct buf text = {0}, body = {0};
    struct fact fact = {.kind = FACT_OTHER};
    static _Alignas(16) char payload[PAYLOAD_SIZE_MAX];
    CU_ASSERT_EQUAL_FATAL(file_load(path, &text, NULL), OK);
    cJSON *json = cJSON_Parse(text.data);
    memset(payload, 0, sizeof payload);
    enum result result = bind_decode(contract_find(type)->payload, json, BIND_OPEN, payload, NULL);
    CU_ASSERT_EQUAL(result, OK);
    for (int i = 0; i < 4 && result == OK; i++) {
        encode(type, i & 1 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : "",
               i & 2 ? 7 : 0, payload, &body);
        both_ways(&body, &fact);
        CU_ASSERT_EQUAL(fact.sequence, fact.kind != FACT_OTHER && i & 2 ? 7 : 0);
    }
    cJSON_Delete(json);
    buf_release(&text);
    buf_release(&body);
    return fact.kind != FACT_OTHER;
}

static void every_example(void)
{
    const char *source = getenv("WARREN_SOURCE");
    char folder[512], path[1024];
    int told = 0, all = 0;
    for (const struct contract *contract = contracts; contract->type; contract++) {
        snprintf(folder, sizeof folder, "%s/contracts/examples/%s/valid", source ? source : ".",
                 contract->type);
        DIR *dir = opendir(folder);
        CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
        for (const struct dirent *entry; (entry = readdir(dir));) {
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            told += try_example(contract->type, path);
            all++;
        }
        closedir(dir);
    }
    CU_ASSERT(told >= 7);
    CU_ASSERT(all > told);
}

static void a_rejection(void)
{
    struct buf body = {0};
    struct fact fact;
    struct order_rejected rejected = {.order_id = ORDER,
                                      .customer = "0190b0c0-0000-7000-8000-00000000c001",
                                      .version = 2,
                                      .reason = "out-of-stock",
                                      .currency = "EUR"};
    char id[ID_TEXT_SIZE];
    encode(ORDER_REJECTED, "", 2, &rejected, &body);
    both_ways(&body, &fact);
    CU_ASSERT_EQUAL(fact.kind, FACT_REJECTED);
    CU_ASSERT_EQUAL(fact.sequence, 2);
    CU_ASSERT_STRING_EQUAL(fact.customer, rejected.customer);
    CU_ASSERT_STRING_EQUAL(fact.reason, "out-of-stock");
    order_key_write(&fact.order, id);
    CU_ASSERT_STRING_EQUAL(id, ORDER);
    buf_release(&body);
}

/* The same JSON with its members turned round or spaces between is for the parser. */
static void other_writers(void)
{
    static const char *const bodies[] = {
        "{\"type\":\"order.confirmed\",\"specversion\":\"1.0\",\"subject\":\"" ORDER
        "\",\"id\":\"0190b0c0-0000-7000-8000-00000000a11c\",\"source\":\"/x\","
        "\"time\":\"2026-01-01T00:00:00Z\",\"sequence\":\"3\",\"data\":{\"customer\":\"c\"}}",
        "{ \"specversion\" : \"1.0\", \"id\" : \"0190b0c0-0000-7000-8000-00000000a11c\","
        "\"source\":\"/x\",\"type\":\"order.confirmed\",\"subject\":\"" ORDER "\","
        "\"time\":\"2026-01-01T00:00:00Z\",\"sequence\":\"3\",\"data\":{\"customer\":\"c\"}}",
        "{\"specversion\":\"1.0\",\"id\":\"0190b0c0-0000-7000-8000-00000000a11c\","
        "\"source\":\"/x\",\"type\":\"order.confirmed\",\"subject\":\"" ORDER "\","
        "\"time\":\"2026-01-01T00:00:00Z\",\"sequence\":\"3\",\"data\":{\"customer\":\"c\"}}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct fact fact;
        CU_ASSERT_EQUAL(fact_scan(bodies[i], strlen(bodies[i]), &fact), NOT_FOUND);
        CU_ASSERT_EQUAL_FATAL(fact_read(bodies[i], strlen(bodies[i]), &fact), OK);
        CU_ASSERT_EQUAL(fact.kind, FACT_CONFIRMED);
        CU_ASSERT_EQUAL(fact.sequence, 3);
        CU_ASSERT_STRING_EQUAL(fact.customer, "c");
    }
}

/* A piece of a fact is read without a look behind its end. */
static void cut_short(void)
{
    struct buf body = {0};
    struct order_ended confirmed = {.order_id = ORDER,
                                    .customer = "0190b0c0-0000-7000-8000-00000000c001",
                                    .version = 2,
                                    .currency = "EUR"};
    encode(ORDER_CONFIRMED, "", 2, &confirmed, &body);
    for (size_t size = 0; size < body.size; size++) {
        struct fact fact;
        char *piece = calloc(1, size + 1);
        memcpy(piece, body.data, size);
        CU_ASSERT_EQUAL(fact_scan(piece, size, &fact), NOT_FOUND);
        CU_ASSERT_EQUAL(fact_parse(piece, size, &fact), INVALID);
        free(piece);
    }
    buf_release(&body);
}

static void ids(void)
{
    static const char *const bad[] = {"", "x", "0190b0c0-0000-8000-8000-0000000000A1",
                                      "0190b0c0-0000-8000-8000-0000000000a",
                                      "0190b0c00000-8000-8000-0000000000a1aa"};
    struct order_key key;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(order_key_read(bad[i], &key), INVALID);
}

static const struct unit_case cases[] = {
    {"every example", every_example},
    {"a rejection", a_rejection},
    {"other writers", other_writers},
    {"cut short", cut_short},
    {"ids", ids},
};

UNIT_MAIN("fact", cases)
