/* The parts of the bench that compute or copy: a wrong one would flatter or slander the suite. */
#include <stdio.h>
#include <string.h>

#include "common/messaging/envelope.h"
#include "contracts/messages.h"
#include "tests/bench/figures.h"
#include "tests/bench/stencil.h"
#include "tests/unit/unit.h"

static void a_percentile_is_a_value_that_was_measured(void)
{
    int64_t values[100];
    for (int i = 0; i < 100; i++)
        values[i] = (99 - i) * 1000 + 1000;
    figures_sort(values, 100);
    CU_ASSERT_DOUBLE_EQUAL(figures_percentile_ms(values, 100, 50), 50, 0);
    CU_ASSERT_DOUBLE_EQUAL(figures_percentile_ms(values, 100, 99), 99, 0);
    CU_ASSERT_DOUBLE_EQUAL(figures_percentile_ms(values, 100, 100), 100, 0);
    CU_ASSERT_DOUBLE_EQUAL(figures_percentile_ms(values, 3, 50), 2, 0);
    CU_ASSERT_DOUBLE_EQUAL(figures_percentile_ms(values, 1, 99), 1, 0);
    CU_ASSERT_DOUBLE_EQUAL(figures_percentile_ms(values, 0, 50), 0, 0);
}

static void an_id_carries_its_order(void)
{
    const uint64_t orders[] = {0, 1, 15, 16, 4194304, UINT64_C(0xffffffffffff)};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        for (enum limit_kind kind = 0; kind < LIMIT_KINDS; kind++) {
            char id[ID_TEXT_SIZE];
            limit_id_write(kind, orders[i], id);
            CU_ASSERT_TRUE(id_valid(id));
            CU_ASSERT_EQUAL(id[0] - '0', (int)kind);
            CU_ASSERT_TRUE(limit_id_order(id, strlen(id)) == orders[i]);
        }
    CU_ASSERT_TRUE(limit_id_order("", 0) == UINT64_MAX);
    CU_ASSERT_TRUE(limit_id_order("00000000-0000-7000-8000-00000000000g", 36) == UINT64_MAX);
}

static void a_type_names_its_kind(void)
{
    for (enum limit_kind kind = 0; kind < LIMIT_KINDS; kind++)
        CU_ASSERT_EQUAL(limit_kind_of(limit_kind_name(kind), strlen(limit_kind_name(kind))), kind);
    CU_ASSERT_EQUAL(limit_kind_of("order.place", 10), LIMIT_KINDS);
    CU_ASSERT_EQUAL(limit_kind_of("order.closing", 13), LIMIT_KINDS);
}

/* Decodes the message as the suite's consumers do. */
static void check_message(const struct buf *body, const char *type, const char *subject)
{
    struct envelope envelope;
    struct err err = {""};
    cJSON *document = NULL;
    const cJSON *data = NULL;
    if (envelope_decode(body->data, body->size, &envelope, &document, &data, &err) != OK) {
        CU_FAIL("not an event");
        return;
    }
    CU_ASSERT_STRING_EQUAL(envelope.type, type);
    if (subject)
        CU_ASSERT_STRING_EQUAL(envelope.subject, subject);
    static char payload[PAYLOAD_SIZE_MAX] __attribute__((aligned));
    const struct contract *contract = contract_find(type);
    CU_ASSERT_PTR_NOT_NULL_FATAL(contract);
    CU_ASSERT_EQUAL(bind_decode(contract->payload, data, BIND_CLOSED, payload, &err), OK);
    cJSON_Delete(document);
}

static void the_messages_are_the_suites(void)
{
    struct limit_message messages[LIMIT_KINDS];
    limit_messages_make(messages);
    for (enum limit_kind kind = 0; kind < LIMIT_KINDS; kind++)
        check_message(&messages[kind].body, limit_kind_name(kind), NULL);
    limit_messages_release(messages);
}

static void a_cut_is_about_another_order(void)
{
    char order[ID_TEXT_SIZE];
    char customer[ID_TEXT_SIZE];
    char id[ID_TEXT_SIZE];
    const char *const ids[STENCIL_IDS] = {order, customer, id, customer};
    struct stencil stencil;
    stencil_scattered_id(7, order);
    stencil_scattered_id(8, customer);
    stencil_ascending_id(9, 1795761086252, id);
    stencil_make(LIMIT_PLACED, STENCIL_EVENT, &stencil);
    const struct buf *body = stencil_cut(&stencil, ids);
    check_message(body, ORDER_PLACED, order);
    CU_ASSERT_PTR_NOT_NULL(strstr(body->data, id));
    CU_ASSERT_PTR_NULL(strstr(body->data, LIMIT_ORDER));
    CU_ASSERT_PTR_NULL(strstr(body->data, LIMIT_ID));
    stencil_release(&stencil);

    struct order_placed placed;
    struct err err = {""};
    stencil_make(LIMIT_PLACED, STENCIL_DATA, &stencil);
    cJSON *data = cJSON_Parse(stencil_cut(&stencil, ids)->data);
    CU_ASSERT_EQUAL(bind_decode(&order_placed_type, data, BIND_CLOSED, &placed, &err), OK);
    CU_ASSERT_STRING_EQUAL(placed.order_id, order);
    CU_ASSERT_STRING_EQUAL(placed.customer, customer);
    cJSON_Delete(data);
    stencil_release(&stencil);
}

static void made_up_ids_look_like_ids(void)
{
    char last[ID_TEXT_SIZE] = "";
    for (uint64_t i = 0; i < 1000; i++) {
        char ascending[ID_TEXT_SIZE];
        char scattered[ID_TEXT_SIZE];
        stencil_ascending_id(i, 1795761086252 + (int64_t)i, ascending);
        stencil_scattered_id(i, scattered);
        CU_ASSERT_TRUE(id_valid(ascending) && id_valid(scattered));
        CU_ASSERT_TRUE(strcmp(last, ascending) < 0);
        memcpy(last, ascending, sizeof last);
    }
}

static const struct unit_case cases[] = {
    {"a percentile is a value that was measured", a_percentile_is_a_value_that_was_measured},
    {"an id carries its order", an_id_carries_its_order},
    {"a type names its kind", a_type_names_its_kind},
    {"the messages are the suite's", the_messages_are_the_suites},
    {"a cut is about another order", a_cut_is_about_another_order},
    {"made-up ids look like ids", made_up_ids_look_like_ids},
};
UNIT_MAIN("bench", cases)
