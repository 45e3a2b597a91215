#include "cli/chaos_watch.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/clock.h"

int64_t watch_now_ms(void)
{
    return clock_mono_ms(clock_system());
}

void watch_pause_ms(int64_t ms)
{
    poll(NULL, 0, (int)ms);
}

bool watch_until(bool (*look)(const void *context), const void *context, int64_t patience_ms)
{
    int64_t end = watch_now_ms() + patience_ms;
    while (!look(context)) {
        if (watch_now_ms() >= end)
            return false;
        watch_pause_ms(WATCH_LOOK_MS);
    }
    return true;
}

struct log_mark watch_mark_log(const struct suite *suite, const char *program, const char *text)
{
    struct stat info;
    struct log_mark mark = {.text = text, .path = suite_path(suite, "log/%s.log", program)};
    mark.from = stat(mark.path.text, &info) == 0 ? info.st_size : 0;
    return mark;
}

bool watch_log_says(const void *context)
{
    const struct log_mark *mark = context;
    struct stat info;
    char line[4096];
    bool found = false;
    FILE *file = fopen(mark->path.text, "re");
    if (!file)
        return false;
    if (fstat(fileno(file), &info) == 0 && info.st_size >= mark->from)
        (void)fseeko(file, mark->from, SEEK_SET);
    while (!found && fgets(line, sizeof line, file))
        found = strstr(line, mark->text) != NULL;
    fclose(file);
    return found;
}
