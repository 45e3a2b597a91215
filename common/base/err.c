#include "common/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *result_name(enum result result)
{
    switch (result) {
    case OK:
        return "ok";
    case DUPLICATE:
        return "duplicate";
    case NOT_FOUND:
        return "not found";
    case DEFER:
        return "deferred";
    case CONFLICT:
        return "conflict";
    case RETRY:
        return "retry";
    case INVALID:
        return "invalid";
    case REFUSED:
        return "refused";
    case UNKNOWN:
        return "unknown";
    case FATAL:
        return "fatal";
    }
    return "?";
}

void err_write(struct err *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
}

void err_prefix(struct err *err, const char *format, ...)
{
    if (!err)
        return;
    char context[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);

    char below[ERR_TEXT_MAX];
    memcpy(below, err->text, sizeof below);
    /* Cutting the end of a long chain is fine: the outermost context is what a reader needs first.
     */
    size_t used = strlen(context);
    memcpy(err->text, context, used + 1);
    if (used + 2 < sizeof err->text) {
        size_t room = sizeof err->text - used - 3;
        size_t take = strnlen(below, room);
        memcpy(err->text + used, ": ", 2);
        memcpy(err->text + used + 2, below, take);
        err->text[used + 2 + take] = '\0';
    }
}

const char *err_text(const struct err *err)
{
    return err ? err->text : "";
}
