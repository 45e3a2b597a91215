/* What comes on a connection, to the reader of heads, which stands before all others. The first byte says in which
 * pieces the rest comes: whatever they are, the same is taken and the same refused. What is taken is taken again as it
 * is, and behind a refusal no beginning of a request is left open. */
#include "edge-service/head.h"
#include "common/base/buf.h"
#include "tests/fuzz/fuzz.h"

enum { PIECES = 61 };

/* As its users do: what is not whole stays, and more comes behind it. */
struct feed {
    struct head_reader reader;
    char *held; /* ends where its allocation ends */
    size_t size;
    struct buf out; /* what was whole, with the ending of a refusal */
};

static void feed(struct feed *feed, const char *bytes, size_t size)
{
    if (feed->reader.refusal)
        return;
    char *all = malloc(feed->size + size + 1);
    if (!all)
        abort();
    if (feed->size > 0)
        memcpy(all, feed->held, feed->size);
    memcpy(all + feed->size, bytes, size);
    free(feed->held);
    feed->held = all;
    feed->size += size;
    size_t whole = head_read(&feed->reader, feed->held, &feed->size);
    FUZZ_HOLDS(whole <= feed->size);
    buf_append(&feed->out, feed->held, whole);
    memmove(feed->held, feed->held + whole, feed->size - whole);
    feed->size -= whole;
    FUZZ_HOLDS(feed->reader.refusal || feed->size <= HEAD_SIZE_MAX + 8);
    if (feed->reader.refusal)
        buf_text(&feed->out, head_ending(&feed->reader));
}

static void feed_release(struct feed *feed)
{
    free(feed->held);
    buf_release(&feed->out);
}

static void check_same(const struct feed *a, const struct feed *b)
{
    FUZZ_HOLDS(a->reader.refusal == b->reader.refusal && a->reader.heads == b->reader.heads);
    FUZZ_HOLDS(head_refused(&a->reader) == head_refused(&b->reader));
    FUZZ_HOLDS(a->out.size == b->out.size);
    FUZZ_HOLDS(a->out.size == 0 || memcmp(a->out.data, b->out.data, a->out.size) == 0);
}

static void check_again(const struct feed *read)
{
    struct feed again = {.size = 0};
    if (read->out.size > 0)
        feed(&again, read->out.data, read->out.size);
    FUZZ_HOLDS(!again.reader.refusal);
    FUZZ_HOLDS(again.out.size == read->out.size);
    FUZZ_HOLDS(read->out.size == 0 || memcmp(again.out.data, read->out.data, read->out.size) == 0);
    if (read->reader.refusal) {
        FUZZ_HOLDS(again.reader.part == HEAD_LINES && again.size == 0);
        FUZZ_HOLDS(again.reader.heads == head_refused(&read->reader));
    }
    feed_release(&again);
}

static void check_refusal(const struct head_reader *reader)
{
    if (!reader->refusal)
        return;
    FUZZ_HOLDS(reader->refusal->status >= 400 && reader->refusal->status < 600);
    FUZZ_HOLDS(reader->refusal->name && reader->refusal->detail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed whole = {.size = 0}, pieces = {.size = 0};
    if (size < 2)
        return 0;
    unsigned step = *data;
    const char *bytes = (const char *)data + 1;
    size--;
    feed(&whole, bytes, size);
    check_refusal(&whole.reader);
    for (size_t at = 0, piece; at < size; at += piece) {
        piece = step == 0 ? 1 : 1 + step % PIECES;
        piece = piece < size - at ? piece : size - at;
        feed(&pieces, bytes + at, piece);
        step = step * 73 + 29 * (step != 0);
    }
    check_same(&whole, &pieces);
    check_again(&whole);
    feed_release(&whole);
    feed_release(&pieces);
    return 0;
}
