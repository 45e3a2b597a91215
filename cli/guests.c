#include "cli/guests.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/definitions.h"
#include "cli/files.h"
#include "common/base/digest.h"
#include "common/base/text.h"
#include "common/messaging/amqp_link.h"

enum { URL_SIZE = 256 };

bool guest_is(const struct guest *guest, enum guest_side side)
{
    return (side == GUEST_HEARS ? guest->hear.count : guest->say.count) > 0;
}

void guest_user(const char *name, enum guest_side side, struct buf *out)
{
    buf_printf(out, "guest.%s%s", name, side == GUEST_SAYS ? ".say" : "");
}

struct suite_path guest_url_file(const struct suite *suite, const char *name, enum guest_side side)
{
    return suite_path(suite, "guests/%s/%s.url", name, side == GUEST_SAYS ? "say" : "hear");
}

static struct suite_path rights_file(const struct suite *suite, const char *name)
{
    return suite_path(suite, "guests/%s/rights", name);
}

/* --- what is kept --------------------------------------------------------------------------------- */

static enum result read_right(struct guest *guest, const char *line, struct err *err)
{
    if (strncmp(line, "hear ", 5) == 0)
        return guest_hear(guest, line + 5, err);
    if (strncmp(line, "say ", 4) == 0)
        return guest_say(guest, line + 4, err);
    return err_set(err, INVALID, "'%.64s' is no right", line);
}

enum result guest_load(const struct suite *suite, const char *name, struct guest *ret_guest,
                       struct err *err)
{
    struct buf text = {0};
    struct guest guest = {.name = ""};
    char *rest = NULL;
    enum result result = file_load(rights_file(suite, name).text, &text, err);
    text_copy(guest.name, sizeof guest.name, name);
    if (result == OK && text.size > 0)
        for (char *line = strtok_r(text.data, "\n", &rest); line && result == OK;
             line = strtok_r(NULL, "\n", &rest))
            result = read_right(&guest, line, err);
    buf_release(&text);
    if (result != OK)
        return err_context(err, result, "guest %s", name);
    *ret_guest = guest;
    return OK;
}

static void write_keys(const char *verb, const struct guest_keys *keys, struct buf *out)
{
    for (size_t i = 0; i < keys->count; i++)
        buf_printf(out, "%s %s\n", verb, keys->keys[i]);
}

/* The one that is there, or a new one. */
static enum result password_of(const struct suite *suite, const struct clock *clock,
                               const char *name, enum guest_side side,
                               char password[BROKER_SECRET_SIZE], struct err *err)
{
    enum { WORDS = 4 };
    char url[URL_SIZE];
    struct amqp_target target;
    enum result result = file_read(guest_url_file(suite, name, side).text, url, sizeof url, err);
    if (result == OK)
        result = amqp_target_parse(url, "", "", &target, err);
    if (result == OK)
        text_copy(password, BROKER_SECRET_SIZE, target.password);
    if (result != NOT_FOUND)
        return result;
    for (size_t i = 0; i < WORDS; i++) {
        uint64_t word = clock_random64(clock);
        hex_encode(&word, sizeof word, password + i * 2 * sizeof word);
    }
    return OK;
}

static enum result write_url(const struct suite *suite, const char *name, enum guest_side side,
                             const char *password, struct err *err)
{
    struct buf url = {0};
    buf_text(&url, "amqp://");
    guest_user(name, side, &url);
    buf_printf(&url, ":%s@127.0.0.1:%d/" BROKER_VHOST "\n", password, suite->base_port + PORT_AMQP);
    enum result result =
        file_write(guest_url_file(suite, name, side).text, url.data, url.size, err);
    explicit_bzero(url.data, url.size);
    buf_release(&url);
    return result;
}

static enum result save_side(const struct suite *suite, const struct clock *clock,
                             const struct guest *guest, enum guest_side side, struct err *err)
{
    char password[BROKER_SECRET_SIZE];
    if (!guest_is(guest, side)) {
        unlink(guest_url_file(suite, guest->name, side).text);
        return OK;
    }
    enum result result = password_of(suite, clock, guest->name, side, password, err);
    return result == OK ? write_url(suite, guest->name, side, password, err) : result;
}

enum result guest_save(const struct suite *suite, const struct clock *clock,
                       const struct guest *guest, struct err *err)
{
    struct buf rights = {0};
    enum result result = directory_make(suite_path(suite, "guests").text, err);
    if (result == OK)
        result = directory_make(suite_path(suite, "guests/%s", guest->name).text, err);
    for (int side = GUEST_HEARS; side <= GUEST_SAYS && result == OK; side++)
        result = save_side(suite, clock, guest, (enum guest_side)side, err);
    write_keys("hear", &guest->hear, &rights);
    write_keys("say", &guest->say, &rights);
    if (result == OK)
        result = file_write(rights_file(suite, guest->name).text, rights.data, rights.size, err);
    buf_release(&rights);
    return result == OK ? OK : err_context(err, result, "guest %s", guest->name);
}

enum result guest_forget(const struct suite *suite, const char *name, struct err *err)
{
    struct suite_path directory = suite_path(suite, "guests/%s", name);
    unlink(rights_file(suite, name).text);
    unlink(guest_url_file(suite, name, GUEST_HEARS).text);
    unlink(guest_url_file(suite, name, GUEST_SAYS).text);
    if (rmdir(directory.text) != 0 && errno != ENOENT)
        return err_set(err, FATAL, "%s: %s", directory.text, strerror(errno));
    return OK;
}

static int is_guest(const struct dirent *entry)
{
    return guest_name_valid(entry->d_name);
}

/* One whose making was cut short is none yet: the rights are written last. */
static enum result visit(const struct suite *suite, const char *name, guest_fn *each, void *context,
                         struct err *err)
{
    struct guest guest;
    enum result result = guest_load(suite, name, &guest, err);
    if (result == NOT_FOUND)
        return OK;
    return result == OK ? each(context, &guest, err) : result;
}

enum result guests_each(const struct suite *suite, guest_fn *each, void *context, struct err *err)
{
    struct dirent **names = NULL;
    enum result result = OK;
    int count = scandir(suite_path(suite, "guests").text, &names, is_guest, alphasort);
    for (int i = 0; i < count; i++) {
        if (result == OK)
            result = visit(suite, names[i]->d_name, each, context, err);
        free(names[i]);
    }
    free(names);
    return result;
}

/* --- at the broker ---------------------------------------------------------------------------------- */

static void define_rights(const struct guest *guest, enum guest_side side, const char *user,
                          cJSON *document)
{
    struct buf own = {0}, read = {0}, keys = {0};
    guest_names_regex(guest->name, &own);
    buf_printf(&read, "%s|^warren\\.events$", own.data);
    guest_keys_regex(side == GUEST_HEARS ? &guest->hear : &guest->say, &keys);
    const struct definitions_rights names[] = {
        [GUEST_HEARS] = {own.data, own.data, read.data},
        [GUEST_SAYS] = {"^$", "^warren\\.events$", "^$"},
    };
    const struct definitions_rights topics[] = {
        [GUEST_HEARS] = {.write = "^$", .read = keys.data},
        [GUEST_SAYS] = {.write = keys.data, .read = "^$"},
    };
    definitions_permission(document, BROKER_VHOST, user, &names[side]);
    definitions_topic(document, BROKER_VHOST, user, EXCHANGE_EVENTS, &topics[side]);
    buf_release(&own);
    buf_release(&read);
    buf_release(&keys);
}

static enum result define_side(const struct suite *suite, const struct clock *clock,
                               const struct guest *guest, enum guest_side side, cJSON *document,
                               struct err *err)
{
    char password[BROKER_SECRET_SIZE];
    struct buf user = {0};
    enum result result = password_of(suite, clock, guest->name, side, password, err);
    if (result == OK)
        result = write_url(suite, guest->name, side, password, err);
    if (result == OK) {
        guest_user(guest->name, side, &user);
        definitions_user(document, clock, user.data, password, "");
        define_rights(guest, side, user.data, document);
    }
    explicit_bzero(password, sizeof password);
    buf_release(&user);
    return result;
}

enum result guest_define(const struct suite *suite, const struct clock *clock,
                         const struct guest *guest, cJSON *document, struct err *err)
{
    enum result result = OK;
    for (int side = GUEST_HEARS; side <= GUEST_SAYS && result == OK; side++)
        if (guest_is(guest, (enum guest_side)side))
            result = define_side(suite, clock, guest, (enum guest_side)side, document, err);
    return result == OK ? OK : err_context(err, result, "guest %s", guest->name);
}

/* A guest that is away must not fill the disk of the shop. A policy counts only where all of it does: the
 * second one is for streams, which know neither an overflow nor an end. */
void guests_policies(cJSON *document)
{
    static const char pattern[] = "^guest\\.";
    cJSON *queues = definitions_policy(document, BROKER_VHOST, "guests", pattern, 1);
    cJSON_AddNumberToObject(queues, "max-length-bytes", GUEST_QUEUE_BYTES);
    cJSON_AddStringToObject(queues, "overflow", "drop-head");
    cJSON_AddNumberToObject(queues, "expires", GUEST_QUEUE_IDLE_DAYS * 86400000.0);
    cJSON *streams = definitions_policy(document, BROKER_VHOST, "guests-streams", pattern, 0);
    cJSON_AddNumberToObject(streams, "max-length-bytes", GUEST_QUEUE_BYTES);
}

struct defining {
    const struct suite *suite;
    const struct clock *clock;
    cJSON *document;
};

static enum result define_each(void *context, const struct guest *guest, struct err *err)
{
    const struct defining *defining = context;
    return guest_define(defining->suite, defining->clock, guest, defining->document, err);
}

enum result guests_define(const struct suite *suite, const struct clock *clock, cJSON *document,
                          struct err *err)
{
    struct defining defining = {suite, clock, document};
    guests_policies(document);
    return guests_each(suite, define_each, &defining, err);
}
