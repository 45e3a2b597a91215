/* Binding JSON objects to C structs by tables: one table says what a message holds, and from it
 * come its decoder, its encoder and, checked by the contract corpus, its JSON Schema. Handlers see
 * typed structs only; cJSON stays in here.
 *
 *     static const struct bind_field fields[] = {
 *         BIND_TEXT_FIELD(struct money, currency, BIND_CURRENCY),
 *         BIND_INT_FIELD(struct money, amount, 0, AMOUNT_MAX),
 *     };
 *     const struct bind_type money_type = BIND_TYPE("money", struct money, fields);
 */
#ifndef WARREN_BASE_BIND_H
#define WARREN_BASE_BIND_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/err.h"

enum bind_kind {
    BIND_KIND_TEXT,   /* char[size], NUL at the end */
    BIND_KIND_INT,    /* int64_t within [min, max] */
    BIND_KIND_OBJECT, /* a struct of `type`, inline */
    BIND_KIND_ARRAY,  /* an inline array of structs of `type`; a size_t at count_offset; min..max
                         elements */
};

/* What a text must look like; the sizes are those of messages.h. */
enum bind_format {
    BIND_FREE,      /* min .. max code points, whatever they are */
    BIND_UUID,      /* lower case */
    BIND_SKU,       /* ^[A-Z0-9][A-Z0-9-]{0,31}$ */
    BIND_TOKEN,     /* ^tok_[a-z0-9_]{1,40}$ */
    BIND_CURRENCY,  /* ^[A-Z]{3}$ */
    BIND_WORD,      /* ^[a-z][a-z0-9-]{0,63}$ */
    BIND_TYPE_NAME, /* ^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$ , at most 47 */
    BIND_SUBJECT,   /* ^[A-Za-z0-9][A-Za-z0-9-]{0,62}$ : an id or a SKU */
    BIND_HEX64,
    BIND_CHOICE, /* one of `choices`, NULL-terminated */
};

enum bind_need { BIND_REQUIRED, BIND_OPTIONAL }; /* an absent optional text is "", an int 0 */

struct bind_type;

struct bind_field {
    const char *name;
    enum bind_kind kind;
    enum bind_need need;
    size_t offset;
    size_t size;                  /* TEXT: bytes with the NUL */
    enum bind_format format;      /* TEXT */
    const char *const *choices;   /* TEXT with BIND_CHOICE */
    int64_t min, max;             /* INT: value; ARRAY: elements; FREE text: code points */
    int not_zero;                 /* INT: 1 when 0 is not allowed within [min, max] */
    const struct bind_type *type; /* OBJECT, ARRAY */
    size_t count_offset;          /* ARRAY */
    size_t unique_offset; /* ARRAY: offset in the element of a text that must be distinct... */
    int unique;           /* ... when this is 1 */
};

struct bind_type {
    const char *name;
    size_t size; /* of the struct, and the stride in arrays */
    const struct bind_field *fields;
    size_t field_count;
};

enum bind_mode {
    BIND_OPEN,   /* unknown members are ignored: messages */
    BIND_CLOSED, /* unknown members are INVALID: what a client sends over HTTP */
};

/* Fills `out` (type->size bytes; zeroed first, arrays only as far as used). INVALID names the
 * member: "lines[3].quantity: must be between 1 and 1000". Members may come in any order. */
enum result bind_decode(const struct bind_type *type, const cJSON *json, enum bind_mode mode,
                        void *out, struct err *err) WARN_UNUSED;

/* Appends the object as JSON text. The struct is trusted: it came from a decoder or from our own
 * code. An optional empty text or zero int is left out. */
void bind_encode(const struct bind_type *type, const void *value, struct buf *out);

/* clang-format off */
#define BIND_TEXT_FIELD(owner, member, fmt)                                                        \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_TEXT, .offset = offsetof(owner, member),                \
        .size = sizeof(((owner *)0)->member), .format = (fmt)                                      \
    }
#define BIND_OPTIONAL_INT_FIELD(owner, member, lo, hi)                                             \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_INT, .need = BIND_OPTIONAL,                             \
        .offset = offsetof(owner, member), .min = (lo), .max = (hi)                                \
    }
#define BIND_OPTIONAL_TEXT_FIELD(owner, member, fmt)                                               \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_TEXT, .need = BIND_OPTIONAL,                            \
        .offset = offsetof(owner, member), .size = sizeof(((owner *)0)->member), .format = (fmt)   \
    }
#define BIND_FREE_FIELD(owner, member, lo, hi)                                                     \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_TEXT, .offset = offsetof(owner, member),                \
        .size = sizeof(((owner *)0)->member), .format = BIND_FREE, .min = (lo), .max = (hi)        \
    }
#define BIND_CHOICE_FIELD(owner, member, list)                                                     \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_TEXT, .offset = offsetof(owner, member),                \
        .size = sizeof(((owner *)0)->member), .format = BIND_CHOICE, .choices = (list)             \
    }
#define BIND_INT_FIELD(owner, member, lo, hi)                                                      \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_INT, .offset = offsetof(owner, member), .min = (lo),    \
        .max = (hi)                                                                                \
    }
#define BIND_OPTIONAL_INT_FIELD(owner, member, lo, hi)                                             \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_INT, .need = BIND_OPTIONAL,                             \
        .offset = offsetof(owner, member), .min = (lo), .max = (hi)                                \
    }
#define BIND_NONZERO_FIELD(owner, member, lo, hi)                                                  \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_INT, .offset = offsetof(owner, member), .min = (lo),    \
        .max = (hi), .not_zero = 1                                                                 \
    }
#define BIND_OBJECT_FIELD(owner, member, bound)                                                    \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_OBJECT, .offset = offsetof(owner, member),              \
        .type = (bound)                                                                            \
    }
#define BIND_ARRAY_FIELD(owner, member, count, lo, hi, bound, element, key)                        \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_ARRAY, .offset = offsetof(owner, member), .min = (lo),  \
        .max = (hi), .type = (bound), .count_offset = offsetof(owner, count), .unique = 1,         \
        .unique_offset = offsetof(element, key)                                                    \
    }
#define BIND_LIST_FIELD(owner, member, count, lo, hi, bound)                                       \
    {                                                                                              \
        .name = #member, .kind = BIND_KIND_ARRAY, .offset = offsetof(owner, member), .min = (lo),  \
        .max = (hi), .type = (bound), .count_offset = offsetof(owner, count)                       \
    }
#define BIND_TYPE(text, owner, list)                                                               \
    {                                                                                              \
        .name = (text), .size = sizeof(owner), .fields = (list),                                   \
        .field_count = sizeof(list) / sizeof((list)[0])                                            \
    }
/* clang-format on */

#endif
