#include "tests/contracts/corpus.h"

#include <stdio.h>
#include <string.h>

int corpus_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rbe");
    if (!file) {
        perror(path);
        return -1;
    }
    char chunk[4096];
    size_t size;
    buf_clear(out);
    do {
        size = fread(chunk, 1, sizeof chunk, file);
        buf_append(out, chunk, size);
    } while (size == sizeof chunk);
    int failed = ferror(file);
    if (fclose(file) != 0 || failed) {
        perror(path);
        return -1;
    }
    return 0;
}

int corpus_type(const char *path, char type[CORPUS_TYPE_SIZE])
{
    const char *ends[3] = {NULL, NULL, NULL}; /* the last slashes, the last one first */
    for (const char *at = path; *at; at++) {
        if (*at != '/')
            continue;
        ends[2] = ends[1];
        ends[1] = ends[0];
        ends[0] = at;
    }
    const char *start = ends[2] ? ends[2] + 1 : path;
    size_t size = ends[1] ? (size_t)(ends[1] - start) : 0;
    if (size == 0 || size >= CORPUS_TYPE_SIZE) {
        fprintf(stderr, "%s: not TYPE/FOLDER/FILE\n", path);
        return -1;
    }
    memcpy(type, start, size);
    type[size] = '\0';
    return 0;
}
