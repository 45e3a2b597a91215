/* Copying text into a fixed array, for the paths that every message takes: what snprintf "%s" does,
 * at a tenth of its price. */
#ifndef WARREN_BASE_TEXT_H
#define WARREN_BASE_TEXT_H

#include <string.h>

/* As much of `text` as fits, and its end. `size` is not 0; the two do not overlap. */
static inline void text_copy(char *out, size_t size, const char *text)
{
    size_t length = strlen(text);
    if (length >= size)
        length = size - 1;
    memcpy(out, text, length);
    out[length] = '\0';
}

#endif
