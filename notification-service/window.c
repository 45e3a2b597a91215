#include "notification-service/window.h"

#include <stdbool.h>

enum { LINE_MAX = 2 * WINDOW_REACH + 1 };

/* Failures in the order of their time, ties in the order of arrival. */
struct line {
    int64_t at[LINE_MAX];
    size_t count;
};

static bool is_hot(const struct line *line, size_t i)
{
    return i + 1 >= WINDOW_FAILURES && i < line->count &&
           line->at[i] - line->at[i + 1 - WINDOW_FAILURES] < WINDOW_MS;
}

static struct line line_with(const struct window *window)
{
    struct line line = {.count = 0};
    for (size_t i = window->before_count; i > 0; i--)
        line.at[line.count++] = window->before[i - 1];
    line.at[line.count++] = window->at;
    for (size_t i = 0; i < window->after_count; i++)
        line.at[line.count++] = window->after[i];
    return line;
}

static struct line line_without(const struct line *with, size_t added)
{
    struct line line = {.count = 0};
    for (size_t i = 0; i < with->count; i++) {
        if (i != added)
            line.at[line.count++] = with->at[i];
    }
    return line;
}

/* Whether the i-th of the new line was hot before the new one came. */
static bool was_hot(const struct line *without, size_t added, size_t i)
{
    return i != added && is_hot(without, i < added ? i : i - 1);
}

static int64_t count_window(const struct line *line, size_t i)
{
    int64_t count = 0;
    for (size_t j = 0; j <= i; j++)
        count += line->at[i] - line->at[j] < WINDOW_MS;
    return count;
}

size_t window_alerts(const struct window *window, struct window_alert ret_alerts[WINDOW_FAILURES])
{
    struct line with = line_with(window);
    size_t added = window->before_count;
    struct line without = line_without(&with, added);
    size_t alerts = 0;
    for (size_t first = added; first < added + WINDOW_FAILURES;) {
        size_t end = first; /* of the run that begins here and is hot only now */
        while (end < added + WINDOW_FAILURES && is_hot(&with, end) &&
               !was_hot(&without, added, end))
            end++;
        bool told = (first > 0 && was_hot(&without, added, first - 1)) ||
                    (end < with.count && was_hot(&without, added, end));
        if (end > first && !told)
            ret_alerts[alerts++] =
                (struct window_alert){with.at[first], count_window(&with, first)};
        first = end + 1;
    }
    return alerts;
}
