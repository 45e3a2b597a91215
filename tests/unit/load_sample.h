/* A report as a run could have left it, from a seed: ramps, a pause of two seconds in the middle, a
 * backlog that drains. For the tests of the writers, and to look at. */
#ifndef WARREN_TESTS_LOAD_SAMPLE_H
#define WARREN_TESTS_LOAD_SAMPLE_H

#include "load/report/report.h"

struct load_report *load_sample_new(void);

#endif
