#include "common/base/clock.h"

#include <ctype.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock_ms(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        abort(); /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall_ms(void *self)
{
    (void)self;
    return read_clock_ms(CLOCK_REALTIME);
}

static int64_t system_mono_ms(void *self)
{
    (void)self;
    return read_clock_ms(CLOCK_MONOTONIC);
}

static int64_t system_mono_us(void *self)
{
    struct timespec now;
    (void)self;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        abort();
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Every message needs some, a call of the system each time would show. A child of fork() must not
 * draw the same: it begins with none. */
enum { RANDOM_AT_ONCE = 32 }; /* 256 bytes: never short once the pool is ready */
static _Thread_local struct {
    uint64_t words[RANDOM_AT_ONCE];
    size_t left;
} random_pool;

static void random_pool_empty(void)
{
    random_pool.left = 0;
}

static void random_pool_watch_forks(void)
{
    if (pthread_atfork(NULL, NULL, random_pool_empty) != 0)
        abort();
}

static void random_pool_fill(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, random_pool_watch_forks);
    if (getrandom(random_pool.words, sizeof random_pool.words, 0) !=
        (ssize_t)sizeof random_pool.words)
        abort();
    random_pool.left = RANDOM_AT_ONCE;
}

static uint64_t system_random64(void *self)
{
    (void)self;
    if (random_pool.left == 0)
        random_pool_fill();
    return random_pool.words[--random_pool.left];
}

static const struct clock_ops system_ops = {system_wall_ms, system_mono_ms, system_random64,
                                            system_mono_us};
static const struct clock system_clock = {&system_ops, NULL};

const struct clock *clock_system(void)
{
    return &system_clock;
}

static int64_t manual_wall_ms(void *self)
{
    return ((struct manual_clock *)self)->wall_ms;
}

static int64_t manual_mono_ms(void *self)
{
    return ((struct manual_clock *)self)->mono_ms;
}

/* splitmix64, Steele, Lea and Flood 2014. */
static uint64_t manual_random64(void *self)
{
    struct manual_clock *manual = self;
    uint64_t z = (manual->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static const struct clock_ops manual_ops = {manual_wall_ms, manual_mono_ms, manual_random64, NULL};

void manual_clock_init(struct manual_clock *manual, int64_t wall_ms, uint64_t seed)
{
    *manual = (struct manual_clock){
        .clock = {&manual_ops, manual},
        .wall_ms = wall_ms,
        .mono_ms = 1000,
        .state = seed,
    };
}

void manual_clock_advance(struct manual_clock *manual, int64_t ms)
{
    manual->wall_ms += ms;
    manual->mono_ms += ms;
}

static char *put_digits(char *at, int value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + digits;
}

/* Written digit by digit: every message has one of these, and printf costs ten times as much. */
void time_format(int64_t wall_ms, char text[TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    int millis = (int)(wall_ms % 1000);
    if (millis < 0) {
        millis += 1000;
        seconds -= 1;
    }
    struct tm parts;
    gmtime_r(&seconds, &parts);
    const struct {
        int value, digits;
        char after;
    } fields[] = {{parts.tm_year + 1900, 4, '-'},
                  {parts.tm_mon + 1, 2, '-'},
                  {parts.tm_mday, 2, 'T'},
                  {parts.tm_hour, 2, ':'},
                  {parts.tm_min, 2, ':'},
                  {parts.tm_sec, 2, '.'},
                  {millis, 3, 'Z'}};
    char *at = text;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        at = put_digits(at, fields[i].value, fields[i].digits);
        *at++ = fields[i].after;
    }
    *at = '\0';
}

/* Reads exactly `digits` digits. -1 when there are fewer. */
static int read_digits(const char **at, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return -1;
        value = value * 10 + (**at - '0');
    }
    return value;
}

static int read_separator(const char **at, char wanted)
{
    if (**at != wanted)
        return -1;
    (*at)++;
    return 0;
}

static int read_fraction_ms(const char **at)
{
    int millis = 0;
    int scale = 100;
    if (**at != '.')
        return 0;
    (*at)++;
    if (!isdigit((unsigned char)**at))
        return -1;
    for (; isdigit((unsigned char)**at); (*at)++, scale /= 10)
        millis += (**at - '0') * scale;
    return millis;
}

static bool in_calendar(const int field[6])
{
    static const int days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = field[0], month = field[1], day = field[2];
    if (month < 1 || month > 12)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int last = days[month - 1] + (month == 2 && leap ? 1 : 0);
    return day >= 1 && day <= last && field[3] <= 23 && field[4] <= 59 && field[5] <= 60;
}

/* "Z" or how far the place is ahead of UTC, and nothing behind it. */
static int read_offset(const char *at, int *ret_minutes)
{
    *ret_minutes = 0;
    if (*at == 'Z' || *at == 'z')
        return at[1] == '\0' ? 0 : -1;
    if (*at != '+' && *at != '-')
        return -1;
    int sign = *at++ == '-' ? -1 : 1;
    int hours = read_digits(&at, 2);
    if (hours < 0 || hours > 23 || read_separator(&at, ':') != 0)
        return -1;
    int minutes = read_digits(&at, 2);
    if (minutes < 0 || minutes > 59 || *at != '\0')
        return -1;
    *ret_minutes = sign * (60 * hours + minutes);
    return 0;
}

/* Can be written again: by its offset, or as a leap second, a time may be of the year before 0 or
 * of the year 10000. */
static bool has_four_digits(int64_t ms)
{
    return ms >= INT64_C(-62167219200000) && ms <= INT64_C(253402300799999);
}

int time_parse(const char *text, int64_t *ret_ms)
{
    static const struct {
        int digits;
        char after;
    } layout[6] = {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, '\0'}};
    int field[6];
    int ahead;
    const char *at = text;
    for (int i = 0; i < 6; i++) {
        field[i] = read_digits(&at, layout[i].digits);
        if (field[i] < 0)
            return -1;
        if (layout[i].after == 'T' && *at == 't')
            at++;
        else if (layout[i].after && read_separator(&at, layout[i].after) != 0)
            return -1;
    }
    int millis = read_fraction_ms(&at);
    if (millis < 0 || read_offset(at, &ahead) != 0 || !in_calendar(field))
        return -1;
    struct tm parts = {.tm_year = field[0] - 1900,
                       .tm_mon = field[1] - 1,
                       .tm_mday = field[2],
                       .tm_hour = field[3],
                       .tm_min = field[4],
                       .tm_sec = field[5]};
    int64_t ms = ((int64_t)timegm(&parts) - 60 * (int64_t)ahead) * 1000 + millis;
    if (!has_four_digits(ms))
        return -1;
    *ret_ms = ms;
    return 0;
}
