/* The CloudEvents envelope: what goes out comes back, and what is not right is refused by name. */
#include <string.h>

#include "common/messaging/envelope.h"
#include "tests/unit/unit.h"

struct note {
    char text[32];
};
static const struct bind_field note_fields[] = {BIND_FREE_FIELD(struct note, text, 1, 30)};
static const struct bind_type note_type = BIND_TYPE("note", struct note, note_fields);

static const struct envelope sample = {
    .id = {"018bcfe5-6800-7000-8000-000000000001"},
    .type = "test.note",
    .source = "/test",
    .subject = "WIDGET-1",
    .time_ms = INT64_C(1700000000123),
    .sequence = INT64_C(123456789012345678),
    .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
};

static void there_and_back(void)
{
    struct buf body = {0};
    struct err err = {{0}};
    struct envelope read;
    struct note note;
    cJSON *document = NULL;
    const cJSON *data = NULL;
    envelope_encode(&sample, &note_type, &(struct note){"say \"hi\"\n"}, &body);
    CU_ASSERT_EQUAL_FATAL(envelope_decode(body.data, body.size, &read, &document, &data, &err), OK);
    CU_ASSERT_STRING_EQUAL(read.id.text, sample.id.text);
    CU_ASSERT_STRING_EQUAL(read.type, sample.type);
    CU_ASSERT_STRING_EQUAL(read.source, sample.source);
    CU_ASSERT_STRING_EQUAL(read.subject, sample.subject);
    CU_ASSERT_STRING_EQUAL(read.traceparent, sample.traceparent);
    CU_ASSERT_EQUAL(read.time_ms, sample.time_ms);
    CU_ASSERT_EQUAL(read.sequence, sample.sequence); /* beyond 2^53: a string on the wire */
    CU_ASSERT_EQUAL(bind_decode(&note_type, data, BIND_CLOSED, &note, &err), OK);
    CU_ASSERT_STRING_EQUAL(note.text, "say \"hi\"\n");
    cJSON_Delete(document);
    buf_release(&body);
}

#define HEAD "{\"specversion\":\"1.0\","
#define ID "\"id\":\"018bcfe5-6800-7000-8000-000000000001\","
#define NAMES "\"type\":\"a.b\",\"source\":\"/s\",\"subject\":\"x\","
#define TIME "\"time\":\"2026-11-23T21:04:18.123Z\","
#define DATA "\"data\":{}}"

static const struct {
    const char *body;
    const char *complaint; /* NULL: fine */
} table[] = {
    {HEAD ID NAMES TIME DATA, NULL},
    {HEAD ID NAMES TIME "\"unknown\":[1,2]," DATA, NULL},
    {HEAD ID NAMES TIME "\"sequence\":\"7\"," DATA, NULL},
    {HEAD ID NAMES TIME "\"sequence\":7," DATA, "sequence"},
    {HEAD ID NAMES TIME "\"sequence\":\"07\"," DATA, "sequence"},
    {HEAD ID NAMES TIME "\"sequence\":\"0\"," DATA, "sequence"},
    {HEAD ID NAMES TIME "\"sequence\":\"-1\"," DATA, "sequence"},
    {HEAD ID NAMES TIME "\"sequence\":\"1234567890123456789\"," DATA, "sequence"},
    {"{\"specversion\":\"0.3\"," ID NAMES TIME DATA, "specversion"},
    {"{" ID NAMES TIME DATA, "specversion"},
    {HEAD NAMES TIME DATA, "id"},
    {HEAD "\"id\":\"42\"," NAMES TIME DATA, "id"},
    {HEAD ID "\"type\":\"a.b\",\"source\":\"/s\"," TIME DATA, "subject"},
    {HEAD ID "\"type\":\"\",\"source\":\"/s\",\"subject\":\"x\"," TIME DATA, "type"},
    {HEAD ID NAMES "\"time\":\"yesterday\"," DATA, "time"},
    {HEAD ID NAMES "\"time\":\"2026-13-23T21:04:18Z\"," DATA, "time"},
    {HEAD ID NAMES "\"time\":\"2026-11-23T21:04:18.123456+00:00\"," DATA, NULL}, /* Python's */
    {HEAD ID NAMES "\"time\":\"2026-11-23t22:04:18+01:00\"," DATA, NULL},
    {HEAD ID NAMES "\"time\":\"2026-11-23T21:04:18z\"," DATA, NULL},
    {HEAD ID NAMES "\"time\":\"2026-11-23T21:04:18+0100\"," DATA, "time"},
    {HEAD ID NAMES "\"time\":null," DATA, "time"},
    {HEAD ID NAMES DATA, "time"},
    {HEAD ID "\"type\":\"a.b\",\"source\":\"/s s\",\"subject\":\"x\"," TIME DATA, "source"},
    {HEAD ID "\"type\":\"a.b\",\"source\":\"/s\",\"subject\":\"\\u00e9\"," TIME DATA, "subject"},
    {HEAD ID NAMES TIME "\"datacontenttype\":\"application/json\"," DATA, NULL},
    {HEAD ID NAMES TIME "\"datacontenttype\":7," DATA, "datacontenttype"},
    {HEAD ID NAMES TIME "\"sequence\":null,\"traceparent\":null,\"datacontenttype\":null," DATA,
     NULL}, /* as good as unset */
    {HEAD ID NAMES TIME "\"data\":null}", "data"},
    {HEAD ID NAMES TIME "\"traceparent\":\"\"," DATA, "traceparent"},
    {HEAD ID NAMES TIME "\"data\":7}", "data"},
    {HEAD ID NAMES TIME "\"x\":1}", "data"},
    {"[]", "object"},
    {"", "envelope"},
    {HEAD ID NAMES TIME DATA " x", "envelope"},
};

static void refused_by_name(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct err err = {{0}};
        struct envelope read;
        cJSON *document = NULL;
        const cJSON *data;
        enum result result =
            envelope_decode(table[i].body, strlen(table[i].body), &read, &document, &data, &err);
        if (result == OK)
            cJSON_Delete(document);
        if ((result == OK) != (table[i].complaint == NULL) ||
            (table[i].complaint && !strstr(err.text, table[i].complaint))) {
            fprintf(stderr, "%s: %s: %s\n", table[i].body, result_name(result), err.text);
            CU_FAIL("envelope_decode");
        }
    }
}

static const struct {
    const char *type;
    enum result taken;
} media[] = {
    {"application/json", OK},
    {"Application/JSON", OK},
    {"application/json; charset=utf-8", OK},
    {"application/json;charset=UTF-8", OK},
    {"application/json ; charset=\\\"utf-8\\\"; q=1 ;", OK},
    {"application/json;x=\\\"a;\\\\\\\"b\\\"", OK}, /* "a;\"b" */
    {"text/json", OK},
    {"application/vnd.neighbour.parcel+json", OK},
    {"application/vnd.a+b+JSON;v=2", OK},
    {"", INVALID},
    {"json", INVALID},
    {"/json", INVALID},
    {"application/", INVALID},
    {"application/xjson", INVALID},
    {"application/json5", INVALID},
    {"application/json+xml", INVALID},
    {"text/xml", INVALID},
    {"application/json charset=utf-8", INVALID},
    {"application/json; charset", INVALID},
    {"application/json; charset=", INVALID},
    {"application/json; charset= utf-8", INVALID},
    {"application/json; charset=\\\"utf-8", INVALID},
    {"application/json; charset=\\\"utf-8\\\\", INVALID},
    {"application/json; =utf-8", INVALID},
    {" application/json", INVALID},
    {"application /json", INVALID},
    {"application/json\\n", INVALID},
    {"application/j\u00e4son", INVALID},
};

static void what_stands_for_json(void)
{
    for (size_t i = 0; i < sizeof media / sizeof media[0]; i++) {
        struct buf body = {0};
        struct envelope read;
        cJSON *document = NULL;
        const cJSON *data;
        buf_printf(&body, HEAD ID NAMES TIME "\"datacontenttype\":\"%s\"," DATA, media[i].type);
        enum result result = envelope_decode(body.data, body.size, &read, &document, &data, NULL);
        if (result == OK)
            cJSON_Delete(document);
        if (result != media[i].taken) {
            fprintf(stderr, "%s: %s\n", media[i].type, result_name(result));
            CU_FAIL("datacontenttype");
        }
        buf_release(&body);
    }
}

static const struct unit_case cases[] = {
    {"there and back", there_and_back},
    {"what stands for JSON", what_stands_for_json},
    {"refused by name", refused_by_name},
};
UNIT_MAIN("envelope", cases)
