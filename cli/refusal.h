/* What a broker's "no" means for whoever starts a suite: whether waiting can help, and what to do. */
#ifndef WARREN_CLI_REFUSAL_H
#define WARREN_CLI_REFUSAL_H

#include <stdbool.h>

#include "common/base/err.h"

#define REFUSAL_PAGE "docs/operations.md, \"A broker of your own\""

/* Whether a call that ended so ends so every time, until somebody changes something. `words` is the err's
 * text: the broker's own (403, 406, 530 ...), or what is wrong with its certificate. */
bool refusal_is_final(enum result result, const char *words);
/* What is missing, as a sentence; "" when nothing is known about such words. Static. */
const char *refusal_advice(const char *words);

#endif
