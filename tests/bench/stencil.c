#include "tests/bench/stencil.h"

#include <string.h>

/* splitmix64 (Steele, Lea, Flood, 2014). */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static void write_id(uint64_t high, uint64_t low, char version, char id[ID_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (unsigned i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            id[at++] = '-';
        uint64_t half = i < 16 ? high : low;
        id[at++] = digits[(half >> (60 - 4 * (i % 16))) & 15];
    }
    id[at] = '\0';
    id[14] = version;
    id[19] = digits[8 + (low >> 60) % 4];
}

void stencil_scattered_id(uint64_t seed, char id[ID_TEXT_SIZE])
{
    write_id(mix(seed), mix(~seed), '8', id);
}

void stencil_ascending_id(uint64_t seed, int64_t at_ms, char id[ID_TEXT_SIZE])
{
    write_id((uint64_t)at_ms << 16 | (mix(seed) & 0xfff), mix(~seed), '7', id);
}

static void cut_out_data(struct buf *body)
{
    static const char mark[] = "\"data\":";
    const char *data = strstr(body->data, mark) + sizeof mark - 1;
    struct buf rest = {0};
    buf_append(&rest, data, strlen(data) - 1);
    buf_release(body);
    *body = rest;
}

static void find_places(struct stencil *stencil, enum stencil_id id, const char *text)
{
    const char *at = stencil->body.data;
    for (; stencil->count < STENCIL_PLACES_MAX && (at = strstr(at, text)); at++) {
        stencil->places[stencil->count].offset = (size_t)(at - stencil->body.data);
        stencil->places[stencil->count++].id = id;
    }
}

void stencil_make(enum limit_kind kind, enum stencil_part part, struct stencil *stencil)
{
    struct limit_message messages[LIMIT_KINDS];
    limit_messages_make(messages);
    *stencil = (struct stencil){.body = messages[kind].body};
    messages[kind].body = (struct buf){0};
    limit_messages_release(messages);
    if (part == STENCIL_DATA)
        cut_out_data(&stencil->body);
    find_places(stencil, STENCIL_ORDER, LIMIT_ORDER);
    find_places(stencil, STENCIL_CUSTOMER, LIMIT_CUSTOMER);
    find_places(stencil, STENCIL_FACT, LIMIT_ID);
    find_places(stencil, STENCIL_REFERENCE, LIMIT_REFERENCE);
}

void stencil_release(struct stencil *stencil)
{
    buf_release(&stencil->body);
}

const struct buf *stencil_cut(struct stencil *stencil, const char *const ids[STENCIL_IDS])
{
    for (size_t i = 0; i < stencil->count; i++)
        memcpy(stencil->body.data + stencil->places[i].offset, ids[stencil->places[i].id],
               ID_TEXT_SIZE - 1);
    return &stencil->body;
}
