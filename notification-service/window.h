/* When many orders fail within a minute: the alert's arithmetic. Pure: the caller brings the few
 * failures around the new one, in the facts' own time, and gets the alerts that it causes.
 *
 * A failure is *hot* when with it at least WINDOW_FAILURES failures lie within the WINDOW_MS that
 * end at it. An episode is an unbroken run of hot failures; it raises one alert, at its first, and
 * is over with the first failure that is not hot. So four failures raise nothing, the fifth raises
 * the alert, the sixth does not, and after a quiet while it takes five again.
 *
 * A late failure (several instances, redelivery) may heat those after it: then the alert is raised
 * late, at the one that is now the first of its run. It may join two episodes that have both been
 * told; it never leaves one untold. */
#ifndef WARREN_NOTIFICATION_SERVICE_WINDOW_H
#define WARREN_NOTIFICATION_SERVICE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum { WINDOW_FAILURES = 5, WINDOW_MS = 60000, WINDOW_REACH = WINDOW_FAILURES };

struct window {
    int64_t before[WINDOW_REACH]; /* the last failures not after the new one, latest first */
    size_t before_count;
    int64_t at;                  /* the new one, epoch ms */
    int64_t after[WINDOW_REACH]; /* the next ones after it, earliest first */
    size_t after_count;
};

struct window_alert {
    int64_t at_ms; /* the failure that opens the episode */
    int64_t count; /* failures within the WINDOW_MS that end at it, as far as brought */
};

/* How many alerts (0, nearly always at most 1). */
size_t window_alerts(const struct window *window, struct window_alert ret_alerts[WINDOW_FAILURES]);

#endif
