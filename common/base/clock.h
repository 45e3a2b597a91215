/* Time and randomness, injected: no other module asks the system for either, so that a test can
 * turn the clock by hand and a simulation runs from one seed. A clock is borrowed by everything
 * that holds it and outlives it. */
#ifndef WARREN_BASE_CLOCK_H
#define WARREN_BASE_CLOCK_H

#include <stdint.h>

struct clock_ops {
    int64_t (*wall_ms)(void *self);   /* milliseconds since the epoch, UTC; may jump */
    int64_t (*mono_ms)(void *self);   /* milliseconds since some start; never goes back */
    uint64_t (*random64)(void *self); /* 64 unpredictable bits */
    int64_t (*mono_us)(void *self);   /* as mono_ms, finer; NULL: made from it */
};

struct clock {
    const struct clock_ops *ops;
    void *self;
};

/* The machine's own clock and getrandom(2). Lives forever. */
const struct clock *clock_system(void);

static inline int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->ops->wall_ms(clock->self);
}

static inline int64_t clock_mono_ms(const struct clock *clock)
{
    return clock->ops->mono_ms(clock->self);
}

/* For measuring how long something took. */
static inline int64_t clock_mono_us(const struct clock *clock)
{
    return clock->ops->mono_us ? clock->ops->mono_us(clock->self) : 1000 * clock_mono_ms(clock);
}

static inline uint64_t clock_random64(const struct clock *clock)
{
    return clock->ops->random64(clock->self);
}

/* A clock turned by hand with its own seeded generator (splitmix64), for tests and simulation.
 * `clock` is what to hand out; it points back into the struct, which must not move. */
struct manual_clock {
    struct clock clock;
    int64_t wall_ms;
    int64_t mono_ms;
    uint64_t state;
};

void manual_clock_init(struct manual_clock *manual, int64_t wall_ms, uint64_t seed);
void manual_clock_advance(struct manual_clock *manual, int64_t ms);

/* RFC 3339 in UTC with milliseconds, "2026-11-23T21:04:18.123Z". */
#define TIME_TEXT_SIZE 25
void time_format(int64_t wall_ms, char text[TIME_TEXT_SIZE]);
/* 0 and *ret_ms, or -1 when the text is no time of RFC 3339, or in UTC of no year of four digits. Any
 * offset from UTC, any number of digits behind the point (all but three are cut off), and "t" and
 * "z" in either case. */
int time_parse(const char *text, int64_t *ret_ms);

#endif
