/* What the targets share. A target takes any bytes, reads them as the suite would and says what then must hold; what
 * does not hold ends the process, as a fault that the sanitizers see does, and libFuzzer keeps the bytes. The bytes it
 * hands in end where their allocation ends. */
#ifndef WARREN_TESTS_FUZZ_FUZZ_H
#define WARREN_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer calls it for each input. 0: keep it if it has shown something new; -1: do not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline _Noreturn void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}
#define FUZZ_HOLDS(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

/* A copy with a NUL behind it, for readers of C strings; the caller's to free(). */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

#endif
