/* The scenes of `warren demo`: each does something as a customer and says what it saw. */
#ifndef WARREN_CLI_DEMO_SCENES_H
#define WARREN_CLI_DEMO_SCENES_H

#include "cli/follow.h"
#include "cli/shop.h"

enum { SCENES_MAX = 16, SCENE_TEXT_SIZE = 96 };

struct scene {
    const char *title;
    const char *expected;
    char seen[SCENE_TEXT_SIZE];
    int64_t ms; /* from the order to its last settled fact */
};

struct day {
    const struct suite *suite;
    struct http *http;
    struct shop shop; /* of the day's customer */
    struct scene scenes[SCENES_MAX];
    size_t count;
    int64_t began_ms; /* wall clock */
};

enum result day_open(struct day *day, struct err *err) WARN_UNUSED;
/* Plays all scenes. A scene that ends otherwise than expected is no failure here; a shop that is
 * gone is. */
enum result day_play(struct day *day, struct err *err) WARN_UNUSED;
/* Whether so many orders failed in a minute that notification-service has raised the alarm. */
bool day_alarm(const struct day *day);
void day_close(struct day *day);

#endif
