/* What a run says on the terminal: a line a second while it lasts, a table at its end. */
#ifndef WARREN_LOAD_SUMMARY_H
#define WARREN_LOAD_SUMMARY_H

#include "load/report/report.h"

/* On stderr, over the line before. */
void summary_progress(const struct load_report *report, const struct load_sample *sample);
/* On stdout. `out`: where the report is; NULL: nowhere. */
void summary_print(const struct load_report *report, const char *out);
/* One line on stdout: what a crowd got. */
void summary_crowd(const struct load_report *report);

#endif
