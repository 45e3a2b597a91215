/* The table of heads against the whole edge: as the first request, behind another, behind one that
 * waits for its confirm, and split at every byte. Each has one answer, the same each time; what is
 * refused does nothing and ends its connection. And none of it, nor what a random hand makes of it,
 * keeps the edge busy once it has been read. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "edge-service/head.h"
#include "tests/unit/edge_front.h"
#include "tests/unit/heads.h"
#include "tests/unit/unit.h"

#define LAST "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#define QUICK "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
#define ORDER                                                                                      \
    "{\"lines\":[{\"sku\":\"MUG-1\",\"quantity\":1}],\"payment\":{\"token\":\"tok_visa\"}}"
#define SLOW                                                                                       \
    "POST /v1/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer @\r\n"                           \
    "Content-Type: application/json\r\nContent-Length: 71\r\n\r\n" ORDER

enum { BYTES_MAX = 2 * HEAD_CASE_MAX, ROUNDS_BOUND = 40, CROWD = 200 };

static struct front front;
static struct answered got;
static char bytes[BYTES_MAX];
static size_t orders; /* so far */

struct before {
    const char *bytes;
    int status; /* 0: there is nothing before */
};
static const struct before nothing = {"", 0}, quick = {QUICK, 200}, slow = {SLOW, 202};

/* What is taken is followed by a last request, so that each connection ends. */
static size_t write_all(const struct before *before, const struct head_case *one)
{
    const struct head_case first = {.bytes = before->bytes, .size = strlen(before->bytes)};
    size_t size = head_case_write(&first, front.bearer[WHO_A], bytes);
    size += head_case_write(one, front.bearer[WHO_A], bytes + size);
    memcpy(bytes + size, LAST, sizeof LAST - 1);
    return size + sizeof LAST - 1;
}

static void check(const struct before *before, const struct head_case *one, size_t at)
{
    int statuses[3] = {0};
    int first = before->status != 0;
    int answers = front_answers(&got, "GET", statuses, 3);
    orders += before->status == 202 ? 1 : 0;
    orders += one->status == 202 ? 1 : 0;
    bool fine = got.closed && answers == first + (one->refused ? 1 : 2) &&
                (!first || statuses[0] == before->status) && statuses[first] == one->status &&
                (one->refused || statuses[first + 1] == 200) &&
                memory_broker_depth(front.bottle.broker, COMMANDS) == orders &&
                !strstr(got.text, "wt_") && !strstr(got.text, "microhttpd");
    if (one->refused)
        fine = fine && strstr(got.text, "application/problem+json");
    if (!fine)
        printf("%s, at %zu: %d answers, %s: %.600s\n", one->what, at, answers,
               got.closed ? "closed" : "open", got.text);
    CU_ASSERT(fine);
    orders = memory_broker_depth(front.bottle.broker, COMMANDS);
}

/* In pieces of `step` bytes, the first of `at`. */
static void try_split(const struct before *before, const struct head_case *one, size_t at,
                      size_t step)
{
    size_t size = write_all(before, one);
    int fd = front_connect(&front);
    for (size_t from = 0, piece = at; from < size; from += piece, piece = step) {
        if (piece > size - from)
            piece = size - from;
        if (!front_write(&front, fd, bytes + from, piece))
            break;
    }
    front_read(&front, fd, &got);
    close(fd);
    check(before, one, at);
}

static void open_front(void)
{
    front_open(&front, NULL);
    orders = 0;
}

static void each_has_one_answer(void)
{
    open_front();
    for (size_t i = 0; i < head_case_count; i++)
        try_split(&nothing, &head_cases[i], BYTES_MAX, BYTES_MAX);
    front_close(&front);
}

static void behind_another_it_has_the_same(void)
{
    open_front();
    for (size_t i = 0; i < head_case_count; i++) {
        try_split(&quick, &head_cases[i], BYTES_MAX, BYTES_MAX);
        try_split(&slow, &head_cases[i], BYTES_MAX, BYTES_MAX);
    }
    front_close(&front);
}

/* The library reads ahead: that must not take the memory that a good head needs. */
static void a_crowd_behind_it_is_answered(void)
{
    open_front();
    for (size_t i = 0; i < head_case_count; i++) {
        const struct head_case *one = &head_cases[i];
        if (one->refused)
            continue;
        size_t size = head_case_write(one, front.bearer[WHO_A], bytes);
        for (int n = 0; n < CROWD; n++, size += sizeof QUICK - 1)
            memcpy(bytes + size, QUICK, sizeof QUICK - 1);
        memcpy(bytes + size, LAST, sizeof LAST - 1);
        int status = 0;
        int fd = front_connect(&front);
        CU_ASSERT(front_write(&front, fd, bytes, size + sizeof LAST - 1));
        front_read(&front, fd, &got);
        int answers = front_answers(&got, "GET", &status, 1);
        if (answers != CROWD + 2 || status != one->status || !got.closed)
            printf("%s: %d answers\n", one->what, answers);
        CU_ASSERT(answers == CROWD + 2 && status == one->status && got.closed);
        close(fd);
    }
    front_close(&front);
}

static void append_times(struct buf *out, const char *text, int times)
{
    for (; times > 0; times--)
        buf_text(out, text);
}

/* So many parts, a value of so many bytes, and a crowd behind. */
static void write_large(struct buf *out, const char *kind, int parts, int filler)
{
    bool fields = strcmp(kind, "fields") == 0;
    bool parameters = strcmp(kind, "parameters") == 0;
    buf_text(out, "GET /livez?");
    append_times(out, "a&", parameters ? parts : 0);
    buf_text(out, " HTTP/1.1\r\nHost: x\r\n");
    append_times(out, "A:\r\n", fields ? parts : 0);
    buf_text(out, fields || parameters ? "F: " : "Cookie: ");
    append_times(out, "a=b;", fields || parameters ? 0 : parts);
    append_times(out, "0", filler);
    buf_text(out, "\r\n\r\n");
    append_times(out, QUICK, CROWD);
    buf_text(out, LAST);
}

/* What is taken is never too much for the library: no answer but the edge's own. */
static void up_to_its_limits_it_is_answered(void)
{
    static const char *const kinds[] = {"fields", "parameters", "cookies"};
    struct buf large = {0};
    open_front();
    for (int i = 0; i < 3 * 12 * 37; i++) {
        const char *kind = kinds[i % 3];
        int parts = i / 3 % 12 * 4;
        int filler = 1 + i / 3 / 12 * 467;
        struct head_reader reader = {0};
        int status = 0;
        buf_clear(&large);
        write_large(&large, kind, parts, filler);
        int fd = front_connect(&front);
        (void)front_write(&front, fd, large.data, large.size);
        (void)head_read(&reader, large.data, &large.size);
        int expected = reader.refusal ? (int)reader.refusal->status : 200;
        front_read(&front, fd, &got);
        int answers = front_answers(&got, "GET", &status, 1);
        bool fine = answers == (expected == 200 ? CROWD + 2 : 1) && status == expected;
        if (!fine)
            printf("%d %s and %d bytes: %d, %d answers\n", parts, kind, filler, status, answers);
        CU_ASSERT(fine);
        close(fd);
    }
    buf_release(&large);
    front_close(&front);
}

static void byte_by_byte_it_has_the_same(void)
{
    open_front();
    for (size_t i = 0; i < head_case_count; i++)
        if (head_cases[i].size < 1000)
            try_split(i % 2 ? &quick : &slow, &head_cases[i], 1, 1);
    front_close(&front);
}

static void split_at_every_byte_it_has_the_same(void)
{
    open_front();
    for (size_t i = 0; i < head_case_count; i++)
        for (size_t at = 1; at < head_cases[i].size; at += head_cases[i].size < 1000 ? 1 : 500)
            try_split(&nothing, &head_cases[i], at, BYTES_MAX);
    front_close(&front);
}

/* White space is no part of a key: one order. */
static void a_key_is_trimmed(void)
{
    static const char *const keys[] = {"one", " one", "one ", "\t one \t "};
    char text[1024];
    int status = 0;
    open_front();
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        int size = snprintf(text, sizeof text,
                            "POST /v1/orders HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            "Authorization: Bearer %s\r\nContent-Type: application/json\r\n"
                            "Idempotency-Key:%s\r\nContent-Length: 71\r\n\r\n" ORDER,
                            front.bearer[WHO_A], keys[i]);
        front_exchange(&front, text, (size_t)size, &got);
        CU_ASSERT(front_answers(&got, "POST", &status, 1) == 1 && status == 202);
        CU_ASSERT_PTR_NOT_NULL(strstr(got.text, "\r\nIdempotency-Key: one\r\n"));
        CU_ASSERT_EQUAL(memory_broker_depth(front.bottle.broker, COMMANDS), 1);
    }
    front_close(&front);
}

/* Rounds of the library until the edge has nothing to do any more. */
static uint64_t rounds_of(size_t size)
{
    uint64_t begin = http_rounds(front.http);
    int fd = front_connect(&front);
    (void)front_write(&front, fd, bytes, size);
    front_settle(&front);
    front_settle(&front);
    CU_ASSERT(http_deadline_ms(front.http) > 0);
    close(fd);
    front_settle(&front);
    CU_ASSERT(http_deadline_ms(front.http) > 0);
    return http_rounds(front.http) - begin;
}

static void check_rounds(const char *what, size_t size)
{
    uint64_t rounds = rounds_of(size);
    if (rounds > ROUNDS_BOUND)
        printf("%s: %" PRIu64 " rounds\n", what, rounds);
    CU_ASSERT(rounds <= ROUNDS_BOUND);
}

static uint64_t random_state = 1;

static size_t random_below(size_t limit) /* splitmix64 */
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return limit ? (size_t)((z ^ (z >> 31)) % limit) : 0;
}

/* Whole, cut off, and changed. */
static void nothing_keeps_the_edge_busy(void)
{
    static const char odd[] = "\0\r\n\t :;,0aA/%?&\x7f\xff";
    open_front();
    for (size_t i = 0; i < head_case_count; i++)
        check_rounds(head_cases[i].what, write_all(&nothing, &head_cases[i]));
    for (int n = 0; n < 1500; n++) {
        const struct head_case *one = &head_cases[random_below(head_case_count)];
        size_t size = head_case_write(one, front.bearer[WHO_A], bytes);
        for (size_t changes = random_below(4); changes > 0; changes--)
            bytes[random_below(size)] = odd[random_below(sizeof odd - 1)];
        check_rounds(one->what, n % 2 ? size : 1 + random_below(size));
    }
    front_close(&front);
}

static const struct unit_case cases[] = {
    {"each has one answer", each_has_one_answer},
    {"behind another it has the same", behind_another_it_has_the_same},
    {"a crowd behind it is answered", a_crowd_behind_it_is_answered},
    {"up to its limits it is answered", up_to_its_limits_it_is_answered},
    {"byte by byte it has the same", byte_by_byte_it_has_the_same},
    {"split at every byte it has the same", split_at_every_byte_it_has_the_same},
    {"a key is trimmed", a_key_is_trimmed},
    {"nothing keeps the edge busy", nothing_keeps_the_edge_busy},
};
UNIT_MAIN("edge heads", cases)
