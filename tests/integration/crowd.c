/* The customers of `warren chaos` without its faults: orders by the clock, whatever the answers.
 *
 *     crowd URL TOKEN-FILE HISTORY RATE
 *
 * RATE orders a second until SIGTERM; then those it has begun are brought to their answer, which may
 * take 3 minutes. Exits 0 when every order was accepted. Its output counts them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/chaos_crowd.h"
#include "common/base/clock.h"
#include "common/base/id.h"

static bool read_token(const char *path, char token[BEARER_SIZE])
{
    FILE *file = fopen(path, "re");
    if (!file || !fgets(token, BEARER_SIZE, file))
        return false;
    token[strcspn(token, "\n")] = '\0';
    return fclose(file) == 0;
}

int main(int argc, char **argv)
{
    struct id run = id_new(clock_system());
    struct crowd_options options = {.run = run.text, .patience_ms = 180000};
    struct crowd_counts counts = {0};
    if (argc != 5 || !read_token(argv[2], options.bearer)) {
        fprintf(stderr, "usage: crowd URL TOKEN-FILE HISTORY RATE\n");
        return 2;
    }
    options.url = argv[1];
    options.history = fopen(argv[3], "we");
    options.rate = strtol(argv[4], NULL, 10);
    if (!options.history || options.rate < 1)
        return 2;
    crowd_run(&options, &counts);
    bool written = fclose(options.history) == 0;
    printf("customers: %ld orders, %ld accepted, %ld attempts, %ld refused, %ld unknown, %ld held "
           "back, %ld given up\n",
           counts.orders, counts.accepted, counts.attempts, counts.refused, counts.unknown,
           counts.held_back, counts.given_up);
    return written && counts.accepted == counts.orders && counts.held_back == 0 ? 0 : 1;
}
