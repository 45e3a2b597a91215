/* What a broker that is not the suite's own must grant, and have, as a page: docs/rights.md is what this
 * prints, and a lint holds it to that. */
#ifndef WARREN_CLI_RIGHTS_PAGE_H
#define WARREN_CLI_RIGHTS_PAGE_H

#include "common/base/buf.h"

/* In Markdown, from the topology tables alone; appends. */
void rights_page(struct buf *out);

#endif
