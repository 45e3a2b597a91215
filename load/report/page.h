/* report.html: one file that needs nothing else, read by a person without help. */
#ifndef WARREN_LOAD_PAGE_H
#define WARREN_LOAD_PAGE_H

#include "common/base/buf.h"
#include "load/report/report.h"

void page_write(const struct load_report *report, struct buf *out);

/* Its parts, a section or several each. */
void page_latency(const struct load_report *report, struct buf *out);
void page_rates(const struct load_report *report, struct buf *out);
void page_backlog(const struct load_report *report, struct buf *out);
void page_processes(const struct load_report *report, struct buf *out);
void page_steps(const struct load_report *report, struct buf *out); /* nothing for one phase */
void page_answers(const struct load_report *report, struct buf *out);
void page_fate(const struct load_report *report, struct buf *out);
void page_inside(const struct load_report *report, struct buf *out);
void page_run(const struct load_report *report, struct buf *out);
/* Tables within them. */
void page_percentiles(const struct load_report *report, struct buf *out);
void page_queue_table(const struct load_report *report, struct buf *out);
void page_process_table(const struct load_report *report, struct buf *out);

/* page.css and page.js, built in. */
extern const char page_css[];
extern const char page_js[];

#endif
