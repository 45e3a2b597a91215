#include "common/base/id.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/digest.h"

static struct id id_from_bytes(uint8_t bytes[16], uint8_t version)
{
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | (version << 4));
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    char hex[33];
    hex_encode(bytes, 16, hex);
    struct id id;
    char *out = id.text;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            *out++ = '-';
        *out++ = hex[i];
    }
    *out = '\0';
    return id;
}

struct id id_new(const struct clock *clock)
{
    uint64_t ms = (uint64_t)clock_wall_ms(clock);
    uint64_t random[2] = {clock_random64(clock), clock_random64(clock)};
    uint8_t bytes[16];
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    memcpy(bytes + 6, random, 10);
    return id_from_bytes(bytes, 7);
}

struct id id_derive(const char *const *parts, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += strlen(parts[i]) + 1;
    char *joined = malloc(size + 1);
    if (!joined)
        abort();
    char *at = joined;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(parts[i]) + 1; /* with its NUL, the separator */
        memcpy(at, parts[i], length);
        at += length;
    }
    uint8_t digest[SHA256_SIZE];
    sha256(joined, size, digest);
    free(joined);
    return id_from_bytes(digest, 8);
}

bool id_valid(const char *text)
{
    if (!text || strnlen(text, ID_TEXT_SIZE) != ID_TEXT_SIZE - 1)
        return false;
    for (int i = 0; i < ID_TEXT_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = text[i];
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}
