/* Bytes from strangers, through the JSON scanner, the envelope and every decoder. Nothing may be
 * read or written out of bounds (the sanitizers watch), and what is accepted must be a document:
 * written again it is accepted again, and means the same. WARREN_SEED replays, WARREN_FUZZ_ROUNDS
 * goes on for longer. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/messaging/envelope.h"
#include "contracts/messages.h"
#include "tests/unit/unit.h"

enum { DOCUMENT_MAX = 4096 };

struct document {
    size_t size;
    char bytes[DOCUMENT_MAX];
};

static uint64_t random_state;

static uint64_t next_random(void) /* splitmix64 */
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t random_below(size_t limit)
{
    return (size_t)(next_random() % limit);
}

static unsigned long seeded(void)
{
    const char *seed = getenv("WARREN_SEED"), *rounds = getenv("WARREN_FUZZ_ROUNDS");
    random_state = seed ? strtoull(seed, NULL, 10) : 1;
    fprintf(stderr, "WARREN_SEED=%" PRIu64 " ", random_state);
    return rounds ? strtoul(rounds, NULL, 10) : 20000;
}

/* --- making documents ------------------------------------------------------------------------ */

#define ID "5f1c9f2e-7a41-8c3d-9b52-0d6a4e8f1b73"
#define HASH "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define LINE                                                                                       \
    "{\"sku\":\"MUG\",\"name\":\"M\xc3\xbcg\",\"quantity\":2,\"unit_price\":5,\"amount\":10}"
#define ORDER "\"order_id\":\"" ID "\",\"customer\":\"" ID "\""

static const char *const seeds[] = {
    "{" ORDER ",\"lines\":[{\"sku\":\"MUG\",\"quantity\":2},{\"sku\":\"TEA\",\"quantity\":1}],"
    "\"payment\":{\"token\":\"tok_visa\"},\"request_hash\":\"" HASH "\"}",
    "{" ORDER ",\"version\":1,\"currency\":\"EUR\",\"lines\":[" LINE "],\"total\":10,"
    "\"payment\":{\"token\":\"tok_visa\"},\"request_hash\":\"" HASH "\",\"deadline_ms\":1}",
    "{\"specversion\":\"1.0\",\"id\":\"" ID "\",\"source\":\"/order-service\","
    "\"type\":\"order.confirmed\",\"subject\":\"" ID "\",\"time\":\"2026-11-23T21:04:18.123Z\","
    "\"sequence\":\"2\",\"datacontenttype\":\"application/json\",\"data\":{" ORDER
    ",\"version\":2,\"currency\":\"EUR\",\"total\":10}}",
    "{\"sku\":\"MUG\",\"name\":\"\\u00fc\\ud83d\\ude00\\n\\\\\\\"\",\"unit_price\":1.0,"
    "\"currency\":"
    "\"EUR\","
    "\"revision\":1e2}",
    "{\"sku\":\"MUG\",\"delta\":-5,\"available\":1,\"reserved\":0,\"sold\":15e1,\"x\":[[[]]]}",
    "[0,-0,1.5,-1e-7,1e308,true,false,null,\"\",{},[],{\"a\":1,\"A\":2}]",
};

/* What is likely to hurt, in the wrong place. */
static const char *const tokens[] = {
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u",
    "\\u0000",
    "\\ud800",
    "\\udc00",
    "\\u0061",
    "0",
    "-",
    ".",
    "e",
    "1e400",
    "1e-400",
    "9007199254740993",
    "\xef\xbb\xbf",
    "\xc0\x80",
    "\xed\xa0\x80",
    "\xf4\x90\x80\x80",
    "\xf0\x9f",
    "\xff",
    "\n",
    "\t",
    " ",
    "null",
    "\"a\":1,",
    "\"a\":1,\"a\":2",
    "[[[[[[[[[[[[[[[[",
    "\"order_id\":7,",
    "0.99999999999999999999",
    "\x7f",
    "//",
    "NaN",
};

static void document_set(struct document *out, const char *text)
{
    out->size = strlen(text);
    memcpy(out->bytes, text, out->size);
}

/* Replaces `length` bytes at `at` by `size` others, as far as there is room. */
static void splice(struct document *out, size_t at, size_t length, const char *bytes, size_t size)
{
    size_t rest = out->size - at - length;
    if (at + size + rest > DOCUMENT_MAX)
        return;
    memmove(out->bytes + at + size, out->bytes + at + length, rest);
    memcpy(out->bytes + at, bytes, size);
    out->size = at + size + rest;
}

static void mutate(struct document *out)
{
    char piece[256];
    size_t at = random_below(out->size + 1);
    size_t length = random_below(out->size - at + 1);
    const char *token = tokens[random_below(sizeof tokens / sizeof tokens[0])];
    switch (random_below(7)) {
    case 0:
        if (at < out->size)
            out->bytes[at] = (char)(out->bytes[at] ^ (1 << random_below(8)));
        break;
    case 1:
        if (at < out->size)
            out->bytes[at] = (char)next_random();
        break;
    case 2:
        splice(out, at, 0, token, strlen(token));
        break;
    case 3:
        splice(out, at, length < 8 ? length : 8, token, strlen(token));
        break;
    case 4: /* a piece of itself, elsewhere */
        length = length < sizeof piece ? length : sizeof piece;
        memcpy(piece, out->bytes + at, length);
        splice(out, random_below(out->size + 1), 0, piece, length);
        break;
    case 5:
        splice(out, at, length < 16 ? length : 16, "", 0);
        break;
    default:
        if (random_below(4) == 0)
            out->size = at;
        break;
    }
}

static void random_document(struct document *out)
{
    if (random_below(8) == 0) {
        out->size = random_below(64);
        for (size_t i = 0; i < out->size; i++)
            out->bytes[i] = (char)next_random();
        return;
    }
    document_set(out, seeds[random_below(sizeof seeds / sizeof seeds[0])]);
    for (size_t left = random_below(6); left > 0; left--)
        mutate(out);
}

/* --- judging them ---------------------------------------------------------------------------- */

static const struct json_limits limits = {DOCUMENT_MAX, 16};

struct tally {
    unsigned long parsed, bound, enveloped;
};

static void print_document(const struct document *document)
{
    fprintf(stderr, "\n%.*s\n", (int)document->size, document->bytes);
}

/* What decodes is encoded, and decodes to the same again. */
static void check_bound(const struct bind_type *type, const void *value, void *again,
                        const struct document *document)
{
    struct buf first = {0}, second = {0};
    cJSON *json = NULL;
    struct json_limits roomy = {1 << 20, 16};
    bind_encode(type, value, &first);
    enum result result = json_parse(first.data, first.size, &roomy, &json, NULL);
    if (result == OK)
        result = bind_decode(type, json, BIND_CLOSED, again, NULL);
    if (result == OK)
        bind_encode(type, again, &second);
    CU_ASSERT_EQUAL(result, OK);
    if (result != OK || strcmp(first.data, second.data) != 0) {
        CU_FAIL("decoded, encoded, and not the same");
        print_document(document);
    }
    cJSON_Delete(json);
    buf_release(&first);
    buf_release(&second);
}

static void check_parsed(cJSON *json, const struct document *document, void *value, void *again,
                         struct tally *tally)
{
    /* cJSON writes invalid UTF-8 or a cut number only if we let one in. */
    char *text = cJSON_PrintUnformatted(json);
    cJSON *reread = NULL;
    struct json_limits roomy = {1 << 20, 16};
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    if (json_parse(text, strlen(text), &roomy, &reread, NULL) != OK ||
        !cJSON_Compare(json, reread, 1)) {
        CU_FAIL("parsed, printed, and not the same");
        print_document(document);
    }
    cJSON_Delete(reread);
    cJSON_free(text);
    for (const struct contract *contract = contracts; contract->type; contract++) {
        struct err err = {""};
        if (bind_decode(contract->payload, json, BIND_OPEN, value, &err) == OK) {
            tally->bound++;
            check_bound(contract->payload, value, again, document);
        } else {
            CU_ASSERT_NOT_EQUAL(err.text[0], '\0');
        }
    }
}

static void check_document(const struct document *document, void *value, void *again,
                           struct tally *tally)
{
    /* A copy that ends where its allocation ends. */
    char *copy = malloc(document->size > 0 ? document->size : 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, document->bytes, document->size);
    cJSON *json = NULL;
    if (json_parse(copy, document->size, &limits, &json, NULL) == OK) {
        tally->parsed++;
        check_parsed(json, document, value, again, tally);
        cJSON_Delete(json);
    }
    struct envelope envelope;
    cJSON *whole = NULL;
    const cJSON *data = NULL;
    if (envelope_decode(copy, document->size, &envelope, &whole, &data, NULL) == OK) {
        tally->enveloped++;
        CU_ASSERT(cJSON_IsObject(data));
        CU_ASSERT(id_valid(envelope.id.text));
        cJSON_Delete(whole);
    }
    free(copy);
}

static void survives(void)
{
    unsigned long rounds = seeded();
    struct tally tally = {0, 0, 0};
    struct document document;
    void *value = malloc(PAYLOAD_SIZE_MAX), *again = malloc(PAYLOAD_SIZE_MAX);
    CU_ASSERT_FATAL(value && again);
    for (unsigned long i = 0; i < rounds; i++) {
        random_document(&document);
        check_document(&document, value, again, &tally);
    }
    free(value);
    free(again);
    fprintf(stderr, "%lu documents: %lu parsed, %lu bound, %lu enveloped ", rounds, tally.parsed,
            tally.bound, tally.enveloped);
    /* All paths were walked, or this has proved nothing. */
    CU_ASSERT(tally.parsed > rounds / 10);
    CU_ASSERT(tally.parsed < rounds / 10 * 9);
    CU_ASSERT(tally.bound > rounds / 20);
    CU_ASSERT(tally.enveloped > rounds / 100);
}

static const struct unit_case cases[] = {
    {"survives whatever comes", survives},
};

UNIT_MAIN("fuzz", cases)
