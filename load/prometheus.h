/* Numbers out of Prometheus text. Pure. */
#ifndef WARREN_LOAD_PROMETHEUS_H
#define WARREN_LOAD_PROMETHEUS_H

#include <stdbool.h>

/* The sum of all samples of that name whose labels contain `label` ("outcome=\"duplicate\"", NULL:
 * any). False: there is none. */
bool prometheus_sum(const char *text, const char *name, const char *label, double *ret_sum);

#endif
