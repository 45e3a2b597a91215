/* What the bytes of a connection are, before anything acts on them: heads, bodies, chunks, by the
 * letter of RFC 9112, with no second way to read any of it. A head is taken or refused as a whole.
 *
 * Pure: no input or output, no allocation, and the same verdict however the bytes are split. Knows
 * nothing of libmicrohttpd, but what is taken here leaves it nothing to doubt: each limit is one
 * that its memory holds (docs/adr/0015-the-edge-reads-heads-first.md). */
#ifndef WARREN_EDGE_SERVICE_HEAD_H
#define WARREN_EDGE_SERVICE_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEAD_MEMORY = 8192, /* that the library has for a request, its answer's head and what it reads
                           ahead, which is half of it at most */
    HEAD_ANSWER = 1536, /* of that */
    HEAD_SIZE_MAX = 16384,                     /* a head, as it comes */
    HEAD_COST_MAX = HEAD_MEMORY - HEAD_ANSWER, /* what is left of it, and what its parts cost */
    HEAD_PARTS_MAX = HEAD_MEMORY / 2 - HEAD_ANSWER, /* of that: fields and parameters */
    HEAD_PART_COST = 64,
    HEAD_BODY_MAX = 1024 * 1024, /* a body that says, or turns out, to be longer is refused */
    HEAD_CHUNK_LINE_MAX = 256,   /* a chunk's size and its extensions */
    HEAD_TRAILERS_MAX = 1024,    /* likewise counted with what they cost */
};

/* What a refused request is answered. */
struct head_refusal {
    unsigned status;
    const char *name; /* of the problem */
    const char *detail;
};

enum head_part {
    HEAD_LINES,
    HEAD_BODY,
    HEAD_CHUNK_LINE,
    HEAD_CHUNK_DATA,
    HEAD_CHUNK_END,
    HEAD_TRAILERS,
};

/* The reader of one connection. Zeroed it stands before the first head. */
struct head_reader {
    const struct head_refusal *refusal; /* NULL: all is well so far */
    uint64_t heads;                     /* taken */
    enum head_part part;                /* of what comes next */
    bool begun;                         /* the first line of this head has been read */
    bool blank;                         /* an empty line has been passed over before it */
    bool version_1_0, is_head, chunked;
    unsigned fields; /* seen in this head, of those that must not come twice */
    size_t line;     /* where the line begins that is being read */
    size_t seen;     /* up to where it has been */
    size_t raw;      /* bytes of this head so far */
    size_t cost, parts;
    uint64_t left; /* of the body, or of its chunk */
    uint64_t body; /* of all its chunks */
};

/* Reads on. Returns how many of `*size` bytes are whole: heads, lines of chunks, pieces of a body. The
 * rest is the beginning of something, and begins the next call's bytes again, with more behind it. What
 * stands before the place of a refusal is whole; from there nothing is read any more.
 *
 * What nobody behind needs, or would read otherwise, is changed where it stands: fields that nobody reads
 * are taken out (cookies, for one: of other programs on this host), and so is what stands before the path in a
 * target; then *size is less. White space behind a value goes before it, and the extensions of a chunk
 * become zeros before its size. */
size_t head_read(struct head_reader *reader, char *bytes, size_t *size);

/* After a refusal: what makes of all that was whole the end of a request, which is then the one to
 * be refused: a small request when none had begun, otherwise the end of its body. */
const char *head_ending(const struct head_reader *reader);
/* The number of the request that was refused, from 1; 0: none. */
uint64_t head_refused(const struct head_reader *reader);

#endif
