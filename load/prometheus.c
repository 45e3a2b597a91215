#include "load/prometheus.h"

#include <stdlib.h>
#include <string.h>

static bool line_has(const char *line, const char *end, const char *label)
{
    const char *found = strstr(line, label);
    return found && found < end;
}

bool prometheus_sum(const char *text, const char *name, const char *label, double *ret_sum)
{
    size_t size = strlen(name);
    double sum = 0;
    bool any = false;
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, size) != 0 || (line[size] != ' ' && line[size] != '{'))
            continue;
        const char *end = line + strcspn(line, "\n");
        const char *value = line + size;
        if (*value == '{') {
            value = strchr(value, '}');
            if (!value || value > end)
                continue;
            value++;
        }
        if (label && !line_has(line, value, label))
            continue;
        sum += strtod(value, NULL);
        any = true;
    }
    if (any)
        *ret_sum = sum;
    return any;
}
