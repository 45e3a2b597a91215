#include "common/telemetry/log.h"

#include <inttypes.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return names[level];
}

void log_event(const struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, int count)
{
    if (!log || level < log->level)
        return;
    char time[TIME_TEXT_SIZE];
    time_format(clock_wall_ms(log->clock), time);
    struct buf line = {0};
    buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\",\"service\":\"%s\",\"instance\":%d,", time,
               level_name(level), log->service, log->instance);
    buf_printf(&line, "\"event\":\"%s\"", event);
    for (int i = 0; i < count; i++) {
        buf_printf(&line, ",\"%s\":", fields[i].name);
        if (fields[i].text)
            json_write_text(&line, fields[i].text);
        else
            buf_printf(&line, "%" PRId64, fields[i].number);
    }
    buf_text(&line, "}\n");
    /* One write a line, so that lines of several processes do not mix. A full log disk must not stop
     * the service: what cannot be written is lost. */
    (void)!write(log->fd, line.data, line.size);
    buf_release(&line);
}
