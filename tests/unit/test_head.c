/* The reader of heads alone: the table, split in two at every byte, byte by byte, and behind another
 * request; and bytes that a random hand has changed. */
#include <stdlib.h>
#include <string.h>

#include "edge-service/head.h"
#include "tests/unit/heads.h"
#include "tests/unit/unit.h"

#define TOKEN "wt_1"
#define BEFORE "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

/* As its users do: what is not whole stays, and more comes behind it. */
struct feed {
    struct head_reader reader;
    char held[2 * HEAD_CASE_MAX];
    size_t size;
    char out[2 * HEAD_CASE_MAX]; /* what was whole, with the ending of a refusal */
    size_t out_size;
};

static void feed(struct feed *feed, const char *bytes, size_t size)
{
    if (feed->reader.refusal)
        return;
    memcpy(feed->held + feed->size, bytes, size);
    feed->size += size;
    size_t whole = head_read(&feed->reader, feed->held, &feed->size);
    CU_ASSERT_FATAL(whole <= feed->size);
    memcpy(feed->out + feed->out_size, feed->held, whole);
    feed->out_size += whole;
    if (whole > 0)
        memmove(feed->held, feed->held + whole, feed->size - whole);
    feed->size -= whole;
    if (feed->reader.refusal) {
        const char *ending = head_ending(&feed->reader);
        memcpy(feed->out + feed->out_size, ending, strlen(ending));
        feed->out_size += strlen(ending);
    }
}

static struct feed one, other, again;

static void begin(struct feed *feed)
{
    memset(&feed->reader, 0, sizeof feed->reader);
    feed->size = feed->out_size = 0;
}

static bool same(const struct feed *a, const struct feed *b)
{
    return a->reader.refusal == b->reader.refusal && a->reader.heads == b->reader.heads &&
           a->out_size == b->out_size && memcmp(a->out, b->out, a->out_size) == 0;
}

/* What comes out is read in the same way again, and leaves nothing open behind a refusal. */
static bool sound(const struct feed *feed_)
{
    begin(&again);
    feed(&again, feed_->out, feed_->out_size);
    bool ended = !feed_->reader.refusal || (again.reader.part == HEAD_LINES && again.size == 0 &&
                                            again.reader.heads == head_refused(&feed_->reader));
    return !again.reader.refusal && ended && again.out_size == feed_->out_size &&
           memcmp(again.out, feed_->out, again.out_size) == 0;
}

static void check(const struct head_case *what, const struct feed *result, uint64_t before)
{
    int refused = result->reader.refusal ? (int)result->reader.refusal->status : 0;
    bool fine = refused == what->refused && sound(result) &&
                (refused ? head_refused(&result->reader) == before + 1
                         : result->reader.heads == before + 1 && result->size == 0);
    if (!fine)
        printf("%s: %d, %llu heads\n", what->what, refused,
               (unsigned long long)result->reader.heads);
    CU_ASSERT(fine);
}

static void each_has_its_verdict(void)
{
    static char bytes[HEAD_CASE_MAX];
    for (size_t i = 0; i < head_case_count; i++) {
        size_t size = head_case_write(&head_cases[i], TOKEN, bytes);
        begin(&one);
        feed(&one, bytes, size);
        check(&head_cases[i], &one, 0);
    }
}

static void behind_another_it_has_the_same(void)
{
    static char bytes[HEAD_CASE_MAX + sizeof BEFORE];
    memcpy(bytes, BEFORE, sizeof BEFORE - 1);
    for (size_t i = 0; i < head_case_count; i++) {
        size_t size = head_case_write(&head_cases[i], TOKEN, bytes + sizeof BEFORE - 1);
        begin(&one);
        feed(&one, bytes, sizeof BEFORE - 1 + size);
        check(&head_cases[i], &one, 1);
    }
}

static void split_anywhere_it_has_the_same(void)
{
    static char bytes[HEAD_CASE_MAX];
    for (size_t i = 0; i < head_case_count; i++) {
        size_t size = head_case_write(&head_cases[i], TOKEN, bytes);
        begin(&one);
        feed(&one, bytes, size);
        bool fine = true;
        for (size_t at = 1; at < size; at += size < 2000 ? 1 : 1 + size / 500) {
            begin(&other);
            feed(&other, bytes, at);
            feed(&other, bytes + at, size - at);
            fine = fine && same(&one, &other);
        }
        begin(&other);
        for (size_t at = 0; at < size; at++)
            feed(&other, bytes + at, 1);
        fine = fine && same(&one, &other);
        if (!fine)
            printf("%s: another verdict when split\n", head_cases[i].what);
        CU_ASSERT(fine);
    }
}

/* Never more is held than what a piece may be, whatever comes. */
static void what_is_held_is_bounded(void)
{
    static const char *const endless[] = {
        "GET /",
        "",
        "GET /livez HTTP/1.1\r\nHost: x\r\nA: ",
        "GET /livez HTTP/1.1\r\nHost: x\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: "};
    static const char *const pieces[] = {"a", "0", "a: b\r\n", "\r\n", "&", "a=b&", " "};
    for (size_t i = 0; i < sizeof endless / sizeof endless[0]; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            begin(&one);
            feed(&one, endless[i], strlen(endless[i]));
            for (int n = 0; n < 40000 && !one.reader.refusal; n++) {
                feed(&one, pieces[k], strlen(pieces[k]));
                CU_ASSERT_FATAL(one.size <= HEAD_SIZE_MAX + 8);
                one.out_size = 0;
            }
            CU_ASSERT_PTR_NOT_NULL(one.reader.refusal);
        }
}

static uint64_t random_state = 1;

static size_t random_below(size_t limit) /* splitmix64 */
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ (z >> 31)) % limit);
}

static void changed_at_random_it_is_sound(void)
{
    static const char odd[] = "\0\r\n\t :;,0aA/%?&\x7f\xff";
    static char bytes[HEAD_CASE_MAX];
    for (int n = 0; n < 20000; n++) {
        size_t size = head_case_write(&head_cases[random_below(head_case_count)], TOKEN, bytes);
        for (size_t changes = 1 + random_below(3); changes > 0; changes--)
            bytes[random_below(size)] = odd[random_below(sizeof odd - 1)];
        begin(&one);
        feed(&one, bytes, size);
        begin(&other);
        for (size_t at = 0, step; at < size; at += step) {
            step = 1 + random_below(size - at);
            feed(&other, bytes + at, step);
        }
        CU_ASSERT(same(&one, &other));
        CU_ASSERT(sound(&one));
    }
}

static const struct unit_case cases[] = {
    {"each has its verdict", each_has_its_verdict},
    {"behind another it has the same", behind_another_it_has_the_same},
    {"split anywhere it has the same", split_anywhere_it_has_the_same},
    {"what is held is bounded", what_is_held_is_bounded},
    {"changed at random it is sound", changed_at_random_it_is_sound},
};
UNIT_MAIN("head", cases)
