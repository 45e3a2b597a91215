/* The texts of a report, each into a buffer; report_write puts them into files. */
#ifndef WARREN_LOAD_WRITERS_H
#define WARREN_LOAD_WRITERS_H

#include "common/base/buf.h"
#include "load/report/report.h"

/* One JSON object, printed for people, too. */
void report_json(const struct load_report *report, struct buf *out);
/* One row a second. */
void report_series_csv(const struct load_report *report, struct buf *out);
/* Twenty points for each factor of ten in 1/(1-p), from 0 to 99.9999 %, then 100 %. */
void report_latency_csv(const struct load_report *report, struct buf *out);

#endif
