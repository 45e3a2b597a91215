#include "tests/bench/figures.h"

#include <stdlib.h>

#include "common/base/clock.h"

int64_t figures_now_us(void)
{
    return clock_mono_us(clock_system());
}

static int by_size(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void figures_sort(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
}

double figures_percentile_ms(const int64_t *sorted_us, size_t count, unsigned percent)
{
    if (count == 0)
        return 0;
    size_t rank = (count * percent + 99) / 100; /* from 1 */
    return (double)sorted_us[rank > 0 ? rank - 1 : 0] / 1000;
}

int64_t figures_cpu_us(const struct rusage *usage)
{
    return (int64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000 +
           usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}
