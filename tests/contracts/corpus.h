/* What the programs of the contract corpus share: whole files, and which contract a file is about. */
#ifndef WARREN_TESTS_CONTRACTS_CORPUS_H
#define WARREN_TESTS_CONTRACTS_CORPUS_H

#include "common/base/buf.h"

#define CORPUS_TYPE_SIZE 64
#define CORPUS_ENVELOPE "envelope"
#define CORPUS_JSON "json"

/* Reads all of a file into `out`, which is cleared first. 0, or -1 after a word on stderr. */
int corpus_read(const char *path, struct buf *out);

/* The folder above the folder of the file: ".../order.place/valid/plain.json" is about
 * "order.place". 0, or -1 after a word on stderr. */
int corpus_type(const char *path, char type[CORPUS_TYPE_SIZE]);

#endif
