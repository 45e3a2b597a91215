/* Small arithmetic of measurements. */
#ifndef WARREN_TESTS_BENCH_FIGURES_H
#define WARREN_TESTS_BENCH_FIGURES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

int64_t figures_now_us(void);
void figures_sort(int64_t *values, size_t count);
/* The smallest value that so many percent of the sorted values do not exceed, in thousandths;
 * 0 without values. */
double figures_percentile_ms(const int64_t *sorted_us, size_t count, unsigned percent);
int64_t figures_cpu_us(const struct rusage *usage);

#endif
