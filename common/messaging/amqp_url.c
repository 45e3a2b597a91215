/* AMQP URLs as the AMQP URI specification (https://www.rabbitmq.com/docs/uri-spec) and RFC 3986 have
 * them, and two of RabbitMQ's query parameters (https://www.rabbitmq.com/docs/uri-query-parameters). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/messaging/amqp_link.h"

enum { PORT_PLAIN = 5672, PORT_TLS = 5671 };

/* A piece of the URL. */
struct span {
    const char *at;
    size_t size;
};

static struct span cut(struct span *rest, const char *at)
{
    struct span head = {rest->at, (size_t)(at - rest->at)};
    rest->size -= head.size + 1;
    rest->at = at + 1;
    return head;
}

static const char *find(struct span text, char c)
{
    return text.size > 0 ? memchr(text.at, c, text.size) : NULL;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of the text, with its escape undone; -1: an escape that is none, or one for a NUL. */
static int next_byte(const struct span *text, size_t *at)
{
    const char *c = text->at + *at;
    if (*c != '%') {
        *at += 1;
        return (unsigned char)*c;
    }
    int high = text->size - *at >= 3 ? digit_of(c[1]) : -1;
    int low = high >= 0 ? digit_of(c[2]) : -1;
    *at += 3;
    return low < 0 || (high == 0 && low == 0) ? -1 : high * 16 + low;
}

/* What is wrong is told by name and never by its text, which may be a password. */
static enum result unescape(struct span text, char out[AMQP_NAME_SIZE], const char *what,
                            struct err *err)
{
    size_t size = 0;
    for (size_t at = 0; at < text.size;) {
        int byte = next_byte(&text, &at);
        if (byte < 0)
            return err_set(err, INVALID,
                           "broker URL: %s: '%%' begins an escape of two digits, not 00", what);
        if (size == AMQP_NAME_SIZE - 1)
            return err_set(err, INVALID, "broker URL: %s is too long", what);
        out[size++] = (char)byte;
    }
    out[size] = '\0';
    return OK;
}

/* Digits alone; -1: not a number, or more than `max`. */
static long number_of(struct span text, long max)
{
    long number = text.size > 0 ? 0 : -1;
    for (size_t i = 0; i < text.size && number >= 0; i++) {
        bool digit = text.at[i] >= '0' && text.at[i] <= '9';
        number = digit ? number * 10 + (text.at[i] - '0') : -1;
        if (number > max)
            number = -1;
    }
    return number;
}

static enum result read_port(struct span text, struct amqp_target *target, struct err *err)
{
    long port = text.size > 0 ? number_of(text, 65535) : target->port;
    if (port < 1)
        return err_set(
            err, INVALID,
            "broker URL: the port must be a number between 1 and 65535 (a ':', '/', '?' "
            "or '@' in a name or password is written as an escape: %%3a %%2f %%3f %%40)");
    target->port = (int)port;
    return OK;
}

static enum result read_host(struct span text, struct amqp_target *target, struct err *err)
{
    bool bracketed = text.size > 0 && *text.at == '[';
    const char *end = bracketed ? find(text, ']') : find(text, ':');
    struct span host = text;
    struct span port = {"", 0};
    if (bracketed && !end)
        return err_set(err, INVALID, "broker URL: an IPv6 address ends with ']'");
    if (end)
        host = cut(&text, end);
    if (bracketed) {
        host = (struct span){host.at + 1, host.size - 1};
        if (text.size > 0 && *text.at != ':')
            return err_set(err, INVALID, "broker URL: behind the ']' comes ':' and the port");
        port = text.size > 0 ? (struct span){text.at + 1, text.size - 1} : port;
    } else if (end) {
        port = text;
    }
    if (find(port, ':'))
        return err_set(err, INVALID, "broker URL: an IPv6 address is written in brackets: [::1]");
    if (host.size == 0)
        host = (struct span){"localhost", strlen("localhost")};
    enum result result = unescape(host, target->host, "host", err);
    if (result == OK && strpbrk(target->host, " \t\r\n/?#@,"))
        result = err_set(err, INVALID, "broker URL: the host has a character that no name has");
    return result == OK ? read_port(port, target, err) : result;
}

/* Who it names. Nobody: as `user` with `password`. A name that is `user`'s without a password of its
 * own has `password`; no other name is ever given it. */
static enum result read_user(const struct span *info, const char *user, const char *password,
                             struct amqp_target *target, struct err *err)
{
    enum result result = OK;
    struct span secret = {"", 0};
    const char *colon = info ? find(*info, ':') : NULL;
    if (info) {
        struct span rest = *info;
        struct span name = colon ? cut(&rest, colon) : rest;
        secret = colon ? rest : secret;
        result = unescape(name, target->user, "user", err);
    } else if (user) {
        if ((size_t)snprintf(target->user, sizeof target->user, "%s", user) >= sizeof target->user)
            result = err_set(err, INVALID, "broker URL: user is too long");
    }
    if (result == OK && colon)
        return unescape(secret, target->password, "password", err);
    bool same = !info || (user && strcmp(user, target->user) == 0);
    if (result == OK && same && password &&
        (size_t)snprintf(target->password, sizeof target->password, "%s", password) >=
            sizeof target->password)
        result = err_set(err, INVALID, "broker URL: password is too long");
    return result;
}

/* Absent is "/", empty is the virtual host of no name. */
static enum result read_vhost(const struct span *path, struct amqp_target *target, struct err *err)
{
    if (!path) {
        memcpy(target->vhost, "/", sizeof "/");
        return OK;
    }
    if (find(*path, '/'))
        return err_set(err, INVALID, "broker URL: a '/' in a virtual host's name is written %%2f");
    return unescape(*path, target->vhost, "virtual host", err);
}

static const struct parameter {
    const char *name;
    long min, max;
    enum { HEARTBEAT_S, TIMEOUT_MS } which;
} parameters[] = {
    {"heartbeat", 1, 3600, HEARTBEAT_S},
    {"connection_timeout", 100, 600000, TIMEOUT_MS},
};
enum { PARAMETER_COUNT = sizeof parameters / sizeof parameters[0] };

static bool is_name(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.at[i] != '_' && (text.at[i] < 'a' || text.at[i] > 'z'))
            return false;
    return text.size > 0 && text.size <= 40;
}

static enum result read_parameter(struct span value, struct amqp_target *target, struct err *err)
{
    const char *equals = find(value, '=');
    struct span name = equals ? cut(&value, equals) : value;
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        const struct parameter *parameter = &parameters[i];
        if (name.size != strlen(parameter->name) ||
            memcmp(name.at, parameter->name, name.size) != 0)
            continue;
        long number = equals ? number_of(value, parameter->max) : -1;
        if (number < parameter->min)
            return err_set(err, INVALID, "broker URL: %s must be between %ld and %ld",
                           parameter->name, parameter->min, parameter->max);
        *(parameter->which == HEARTBEAT_S ? &target->heartbeat_s : &target->timeout_ms) =
            (int)number;
        return OK;
    }
    bool plain = is_name(name);
    return err_set(err, INVALID,
                   "broker URL: %.*s: not a parameter that is known: heartbeat (seconds), "
                   "connection_timeout (milliseconds)",
                   plain ? (int)name.size : 1, plain ? name.at : "?");
}

static enum result read_query(struct span query, struct amqp_target *target, struct err *err)
{
    enum result result = OK;
    if (find(query, '@')) /* then it is a piece of a password, and is not to be shown */
        return err_set(err, INVALID, "broker URL: a '?' in a name or password is written %%3f");
    while (result == OK && query.size > 0) {
        const char *end = find(query, '&');
        struct span one = query;
        if (end)
            one = cut(&query, end);
        else
            query.size = 0;
        if (one.size > 0)
            result = read_parameter(one, target, err);
    }
    return result;
}

static enum result read_scheme(struct span *rest, struct amqp_target *target, struct err *err)
{
    static const char *const schemes[] = {"amqp://", "amqps://"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t size = strlen(schemes[i]);
        if (rest->size < size || strncasecmp(rest->at, schemes[i], size) != 0)
            continue;
        target->tls = i == 1;
        target->port = target->tls ? PORT_TLS : PORT_PLAIN;
        *rest = (struct span){rest->at + size, rest->size - size};
        return OK;
    }
    return err_set(
        err, INVALID,
        "broker URL: must be amqp[s]://[USER[:PASSWORD]@]HOST[:PORT][/VHOST][?PARAMETERS]");
}

static enum result read_url(struct span rest, const char *user, const char *password,
                            struct amqp_target *target, struct err *err)
{
    enum result result = read_scheme(&rest, target, err);
    if (result != OK)
        return result;
    if (find(rest, '#'))
        return err_set(err, INVALID, "broker URL: a '#' is written %%23");
    struct span query = {"", 0};
    struct span path, info;
    const char *mark = find(rest, '?');
    if (mark) {
        struct span before = cut(&rest, mark);
        query = rest;
        rest = before;
    }
    const char *slash = find(rest, '/');
    if (slash) {
        struct span before = cut(&rest, slash);
        path = rest;
        rest = before;
    }
    const char *at = find(rest, '@');
    if (at)
        info = cut(&rest, at);
    if (find(rest, '@') || (slash && find(path, '@')))
        return err_set(err, INVALID,
                       "broker URL: in a name or password '@' is written %%40, and '/' %%2f");
    result = read_user(at ? &info : NULL, user, password, target, err);
    if (result == OK)
        result = read_host(rest, target, err);
    if (result == OK)
        result = read_vhost(slash ? &path : NULL, target, err);
    return result == OK ? read_query(query, target, err) : result;
}

enum result amqp_target_parse(const char *url, const char *user, const char *password,
                              struct amqp_target *ret_target, struct err *err)
{
    struct amqp_target target = {.heartbeat_s = AMQP_HEARTBEAT_S, .timeout_ms = AMQP_TIMEOUT_MS};
    struct span text = {url, strlen(url)};
    enum result result = read_url(text, user, password, &target, err);
    if (result == OK)
        *ret_target = target;
    explicit_bzero(&target, sizeof target);
    return result;
}
