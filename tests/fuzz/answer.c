/* What a server answers to the load tool. The first byte says whether the connection has been closed behind the rest.
 * The verdict does not depend on the pieces in which an answer comes: once there is one, more bytes do not change it. */
#include "load/wire_answer.h"
#include "tests/fuzz/fuzz.h"

enum { EACH_UP_TO = 128, CUTS = 16 };

struct reading {
    enum result result;
    struct wire_message message;
    struct buf plain;
    const char *bytes;
};

/* `bytes` have a NUL at `size`, and outlive the reading. */
static void reading_init(struct reading *reading, const char *bytes, size_t size, enum wire_end end)
{
    *reading = (struct reading){.bytes = bytes};
    reading->result = wire_answer_read(bytes, size, end, &reading->plain, &reading->message);
}

static void check_bounds(const struct reading *reading, size_t size)
{
    const struct wire_message *message = &reading->message;
    const char *begin = reading->bytes;
    bool inside = message->body >= begin && message->body + message->size <= begin + size;
    bool plain = message->size == 0 ||
                 (message->body == reading->plain.data && message->size <= reading->plain.size);
    FUZZ_HOLDS(message->status >= 200 && message->status <= 999);
    FUZZ_HOLDS(message->taken <= size);
    FUZZ_HOLDS(message->size <= message->taken);
    FUZZ_HOLDS(inside || plain);
}

static void check_same(const struct reading *early, const struct reading *late)
{
    const struct wire_message *a = &early->message, *b = &late->message;
    FUZZ_HOLDS(early->result == late->result);
    if (early->result != OK)
        return;
    FUZZ_HOLDS(a->status == b->status && a->keep == b->keep && a->taken == b->taken);
    FUZZ_HOLDS(a->size == b->size && (a->size == 0 || memcmp(a->body, b->body, a->size) == 0));
}

/* `size` of the bytes have come, and more may. */
static void check_cut(const uint8_t *data, size_t size, const struct reading *whole)
{
    struct reading cut;
    char *bytes = fuzz_text(data, size);
    reading_init(&cut, bytes, size, WIRE_OPEN);
    FUZZ_HOLDS(cut.result == OK || cut.result == RETRY || cut.result == INVALID);
    if (cut.result == OK)
        check_bounds(&cut, size);
    if (cut.result != RETRY)
        check_same(&cut, whole);
    buf_release(&cut.plain);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct reading whole;
    enum wire_end end = *data & 1 ? WIRE_CLOSED : WIRE_OPEN;
    data++;
    size--;
    char *bytes = fuzz_text(data, size);
    reading_init(&whole, bytes, size, end);
    FUZZ_HOLDS(whole.result == OK || whole.result == RETRY || whole.result == INVALID);
    if (whole.result == OK)
        check_bounds(&whole, size);
    size_t step = size <= EACH_UP_TO ? 1 : size / CUTS;
    for (size_t cut = 0; cut <= size; cut += step)
        check_cut(data, cut, &whole);
    buf_release(&whole.plain);
    free(bytes);
    return 0;
}
