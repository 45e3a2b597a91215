/* What is JSON and what is not, document by document; and that nothing read out of bounds. */
#include "common/base/json.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/buf.h"
#include "tests/unit/unit.h"

static const struct json_limits limits = {64 * 1024, 16};
static const struct json_limits roomy = {64 * 1024 * 1024, 900};

/* Parses a copy that ends where its allocation ends, so that the sanitizer sees every byte read
 * behind it. */
static enum result parse(const char *text, size_t size, const struct json_limits *bounds,
                         struct err *err)
{
    char *copy = malloc(size > 0 ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, text, size);
    cJSON *json = NULL;
    enum result result = json_parse(copy, size, bounds, &json, err);
    cJSON_Delete(json);
    free(copy);
    return result;
}

#define TEXT(literal) literal, sizeof(literal) - 1

struct document {
    const char *text;
    size_t size;
};

static const struct document good[] = {
    {TEXT("{}")},
    {TEXT("[]")},
    {TEXT(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n")},
    {TEXT("0")},
    {TEXT("-0")},
    {TEXT("-1.5e-3")},
    {TEXT("1E+2")},
    {TEXT("0.5")},
    {TEXT("1e308")},
    {TEXT("0e999")},
    {TEXT("9007199254740993")},
    {TEXT("123456789012345678901234567890123456789012345678901234567890123")},
    {TEXT("true")},
    {TEXT("[false,null]")},
    {TEXT("\"\"")},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0020\\uABcd\"")},
    {TEXT("\"\\ud83d\\ude00\"")},
    {TEXT("\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf\"")},
    {TEXT("\"\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf \x7f\"")},
    {TEXT("\"\xef\xbb\xbf\"")},
    {TEXT("{\"a\":1,\"A\":1,\"b\":{\"a\":1},\"c\":[{\"a\":1},{\"a\":1}]}")},
    {TEXT("{\"\":1,\"a\\u0020\":2,\"a\":3}")},
    {TEXT("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]")}, /* 16 levels */
    {TEXT("[[],[],[],[],[],[],[],[],[],[],{},{},{},{},{},{},{},{},{},{}]")},
};

static const struct document bad[] = {
    {TEXT("")},
    {TEXT(" \n")},
    {TEXT("{")},
    {TEXT("}")},
    {TEXT("[1,]")},
    {TEXT("[,1]")},
    {TEXT("[1 2]")},
    {TEXT("[1}")},
    {TEXT("{\"a\"}")},
    {TEXT("{\"a\":}")},
    {TEXT("{\"a\":1,}")},
    {TEXT("{\"a\" 1}")},
    {TEXT("{a:1}")},
    {TEXT("{1:1}")},
    {TEXT("{'a':1}")},
    {TEXT("{\"a\":1")},
    {TEXT("{\"1\":1,")},
    {TEXT("[1")},
    {TEXT("/* */ 1")},
    {TEXT("\v1")},
    {TEXT("\xc2\xa0"
          "1")},
    /* behind the document */
    {TEXT("{}x")},
    {TEXT("{} {}")},
    {TEXT("{}\0")},
    {TEXT("1 2")},
    {TEXT("{}]")},
    {TEXT("null,")},
    /* byte order marks */
    {TEXT("\xef\xbb\xbf{}")},
    {TEXT("\xfe\xff\0{\0}")},
    {TEXT("{\0}\0")},
    /* numbers */
    {TEXT("01")},
    {TEXT("-01")},
    {TEXT("00")},
    {TEXT("1.")},
    {TEXT(".5")},
    {TEXT("-")},
    {TEXT("-.5")},
    {TEXT("+1")},
    {TEXT("1e")},
    {TEXT("1e+")},
    {TEXT("1.e1")},
    {TEXT("0x10")},
    {TEXT("1e400")},
    {TEXT("-1e400")},
    {TEXT("1_000")},
    {TEXT("--1")},
    {TEXT("NaN")},
    {TEXT("Infinity")},
    {TEXT("-Infinity")},
    {TEXT("nan")},
    {TEXT("1234567890123456789012345678901234567890123456789012345678901234")},
    {TEXT("0.99999999999999999999")},
    {TEXT("1.00000000000000000001")},
    {TEXT("100000000000000000000001e-20")},
    {TEXT("1e-400")},
    {TEXT("1e-99999999999999999999")},
    /* words */
    {TEXT("True")},
    {TEXT("tru")},
    {TEXT("nulll")},
    {TEXT("undefined")},
    /* strings */
    {TEXT("\"")},
    {TEXT("\"a")},
    {TEXT("\"\\")},
    {TEXT("\"\\\"")},
    {TEXT("\"\\x41\"")},
    {TEXT("\"\\\0\"")},
    {TEXT("\"\\u\"")},
    {TEXT("\"\\u12\"")},
    {TEXT("\"\\u12g4\"")},
    {TEXT("\"\\U0041\"")},
    {TEXT("\"\\u0000\"")},
    {TEXT("\"a\\u0000b\"")},
    {TEXT("\"\\ud800\"")},
    {TEXT("\"\\udc00\"")},
    {TEXT("\"\\ud800x\"")},
    {TEXT("\"\\ud800\\n\"")},
    {TEXT("\"\\ud800\\ud800\"")},
    {TEXT("\"\\ud800\\u0041\"")},
    {TEXT("\"\\ud800\\ud")},
    {TEXT("\"\0\"")},
    {TEXT("\"\x1f\"")},
    {TEXT("\"\n\"")},
    {TEXT("\"\t\"")},
    /* UTF-8 */
    {TEXT("\"\x80\"")},
    {TEXT("\"\xbf\"")},
    {TEXT("\"\xc0\x80\"")},
    {TEXT("\"\xc1\xbf\"")},
    {TEXT("\"\xc2\"")},
    {TEXT("\"\xc2")},
    {TEXT("\"\xe0\x9f\xbf\"")},
    {TEXT("\"\xe2\x82\"")},
    {TEXT("\"\xe2\x82")},
    {TEXT("\"\xed\xa0\x80\"")},
    {TEXT("\"\xed\xbf\xbf\"")},
    {TEXT("\"\xf0\x8f\xbf\xbf\"")},
    {TEXT("\"\xf0\x9f\x98\"")},
    {TEXT("\"\xf4\x90\x80\x80\"")},
    {TEXT("\"\xf5\x80\x80\x80\"")},
    {TEXT("\"\xfe\"")},
    {TEXT("\"\xff\"")},
    {TEXT("{\"\xff\":1}")},
    /* members of one name */
    {TEXT("{\"a\":1,\"a\":1}")},
    {TEXT("{\"\":1,\"\":2}")},
    {TEXT("{\"a\":1,\"\\u0061\":2}")},
    {TEXT("{\"\\u00e9\":1,\"\xc3\xa9\":2}")},
    {TEXT("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}")},
    {TEXT("{\"\\n\":1,\"\\u000A\":2}")},
    {TEXT("{\"/\":1,\"\\/\":2}")},
    {TEXT("[{\"b\":{\"a\":[],\"c\":{},\"a\":0}}]")},
    {TEXT("{\"a\":{\"b\":1},\"c\":{\"b\":1},\"a\":1}")},
    /* too deep */
    {TEXT("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]")},
    {TEXT("{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}")},
};

static void accepts(void)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct err err = {""};
        enum result result = parse(good[i].text, good[i].size, &limits, &err);
        if (result != OK)
            fprintf(stderr, "refused: %s: %s\n", good[i].text, err.text);
        CU_ASSERT_EQUAL(result, OK);
    }
}

static void refuses(void)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {""};
        enum result result = parse(bad[i].text, bad[i].size, &limits, &err);
        if (result != INVALID || !err.text[0])
            fprintf(stderr, "accepted: %s\n", bad[i].text);
        CU_ASSERT_EQUAL(result, INVALID);
        CU_ASSERT_NOT_EQUAL(err.text[0], '\0');
        /* Our reason, and not that cJSON could not read it after all. */
        CU_ASSERT_STRING_NOT_EQUAL(err.text, "cannot be read");
    }
}

/* A document that was cut off anywhere is none; whoever does not want the reason passes NULL. */
static void refuses_every_prefix(void)
{
    static const char whole[] =
        "{\"a\\n\":[1.5e1,true,null,\"\\ud83d\\ude00\xe2\x82\xac\"],\"b\":{}}";
    CU_ASSERT_EQUAL(parse(whole, sizeof whole - 1, &limits, NULL), OK);
    for (size_t size = 0; size < sizeof whole - 1; size++)
        CU_ASSERT_EQUAL(parse(whole, size, &limits, NULL), INVALID);
}

static void bounds_size_and_depth(void)
{
    struct json_limits exact = {4, 1};
    CU_ASSERT_EQUAL(parse(TEXT("[12]"), &exact, NULL), OK);
    CU_ASSERT_EQUAL(parse(TEXT("[123]"), &exact, NULL), INVALID);
    CU_ASSERT_EQUAL(parse(TEXT("[[]]"), &exact, NULL), INVALID);
    CU_ASSERT_EQUAL(parse(TEXT("[]  "), &exact, NULL), OK);
    CU_ASSERT_EQUAL(parse(TEXT("[]   "), &exact, NULL), INVALID);
    exact.max_depth = 0;
    CU_ASSERT_EQUAL(parse(TEXT("12"), &exact, NULL), OK);
    CU_ASSERT_EQUAL(parse(TEXT("[]"), &exact, NULL), INVALID);

    static char deep[100000];
    memset(deep, '[', sizeof deep);
    CU_ASSERT_EQUAL(parse(deep, sizeof deep, &roomy, NULL), INVALID);
    for (size_t i = 0; i + 5 <= sizeof deep; i += 5)
        memcpy(deep + i, "{\"a\":", 5);
    CU_ASSERT_EQUAL(parse(deep, sizeof deep, &roomy, NULL), INVALID);
}

/* An object of `count` members; the last bears the name of member `twin` (count: a new one),
 * escaped. */
static void write_members(struct buf *out, int count, int twin)
{
    buf_text(out, "{");
    for (int i = 0; i < count; i++)
        buf_printf(out, "\"k%06d\":%d,", i, i);
    buf_printf(out, "\"\\u006b%06d\":0}", twin);
}

static void finds_twins_among_many(void)
{
    enum { MANY = 100000 };
    struct buf text = {0};
    for (int count = 1; count < 60; count++) {
        for (int twin = 0; twin <= count; twin++) {
            buf_clear(&text);
            write_members(&text, count, twin);
            CU_ASSERT_EQUAL(parse(text.data, text.size, &roomy, NULL),
                            twin == count ? OK : INVALID);
        }
    }
    clock_t start = clock();
    buf_clear(&text);
    write_members(&text, MANY, MANY);
    CU_ASSERT_EQUAL(parse(text.data, text.size, &roomy, NULL), OK);
    buf_clear(&text);
    write_members(&text, MANY, MANY / 2);
    CU_ASSERT_EQUAL(parse(text.data, text.size, &roomy, NULL), INVALID);
    /* Each with each would be 10^10 comparisons: far more than a minute. */
    CU_ASSERT((clock() - start) / CLOCKS_PER_SEC < 10);
    buf_release(&text);
}

static const struct {
    const char *text;
    enum result result;
    int64_t value;
} integers[] = {
    {"0", OK, 0},
    {"-0", OK, 0},
    {"-0.0", OK, 0},
    {"17", OK, 17},
    {"-17", OK, -17},
    {"1.0", OK, 1},
    {"1e2", OK, 100},
    {"1.5e1", OK, 15},
    {"150E-1", OK, 15},
    {"1200e-2", OK, 12},
    {"0.00000000000000000000000000001e29", OK, 1},
    {"4294967296", OK, 4294967296},
    {"9007199254740991", OK, 9007199254740991},
    {"-9007199254740991", OK, -9007199254740991},
    {"9007199254740992", INVALID, 0},
    {"-9007199254740992", INVALID, 0},
    {"9007199254740993", INVALID, 0},
    {"9223372036854775807", INVALID, 0},
    {"9223372036854775808", INVALID, 0},
    {"1e19", INVALID, 0},
    {"1e308", INVALID, 0},
    {"0.5", INVALID, 0},
    {"-1.5", INVALID, 0},
    {"15e-1", INVALID, 0},
    {"\"1\"", INVALID, 0},
    {"true", INVALID, 0},
    {"null", INVALID, 0},
    {"[1]", INVALID, 0},
    {"{}", INVALID, 0},
};

static void reads_integers_exactly(void)
{
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        cJSON *json = NULL;
        struct err err = {""};
        CU_ASSERT_EQUAL_FATAL(
            json_parse(integers[i].text, strlen(integers[i].text), &limits, &json, &err), OK);
        int64_t value = -4711;
        enum result result = json_integer(json, &value, &err);
        if (result != integers[i].result)
            fprintf(stderr, "%s: %s\n", integers[i].text, err.text);
        CU_ASSERT_EQUAL(result, integers[i].result);
        CU_ASSERT_EQUAL(value, result == OK ? integers[i].value : -4711);
        cJSON_Delete(json);
    }
    int64_t value;
    CU_ASSERT_EQUAL(json_integer(NULL, &value, NULL), INVALID);
}

static const struct {
    const char *text, *json;
} texts[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
    {"\"\"", "\"\\\"\\\"\""},
    {"\x01\n\x1f\x7f", "\"\\u0001\\u000a\\u001f\x7f\""},
    {"\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xe2\x82\xac\xf0\x9f\x98\x80\""},
};

static void writes_text_that_reads_the_same(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf out = {0};
        json_write_text(&out, texts[i].text);
        CU_ASSERT_STRING_EQUAL(out.data, texts[i].json);
        cJSON *json = NULL;
        CU_ASSERT_EQUAL_FATAL(json_parse(out.data, out.size, &limits, &json, NULL), OK);
        CU_ASSERT_STRING_EQUAL(json->valuestring, texts[i].text);
        cJSON_Delete(json);
        buf_release(&out);
    }
}

static void says_where(void)
{
    struct err err = {""};
    CU_ASSERT_EQUAL(parse(TEXT("{\"a\": 01}"), &limits, &err), INVALID);
    CU_ASSERT_STRING_EQUAL(err.text, "byte 8: a number with a leading 0");
}

static const struct unit_case cases[] = {
    {"accepts what is JSON", accepts},
    {"refuses what is not", refuses},
    {"refuses every prefix", refuses_every_prefix},
    {"bounds size and depth", bounds_size_and_depth},
    {"finds members of one name among many", finds_twins_among_many},
    {"reads integers exactly", reads_integers_exactly},
    {"writes text that reads the same", writes_text_that_reads_the_same},
    {"says where", says_where},
};

UNIT_MAIN("json", cases)
