#include "cli/guest_broker.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/broker.h"
#include "cli/broker_tool.h"
#include "cli/definitions.h"
#include "cli/guests.h"
#include "cli/ready.h"
#include "cli/shop.h"
#include "common/messaging/amqp_link.h"

#define IMPORT "run/guest.json"

enum result guest_admit(const struct suite *suite, const struct clock *clock,
                        const struct guest *guest, struct err *err)
{
    struct suite_path path = suite_path(suite, IMPORT);
    const char *const words[] = {"import_definitions", path.text, NULL};
    cJSON *document = definitions_new();
    guests_policies(document);
    enum result result = guest_define(suite, clock, guest, document, err);
    if (result == OK)
        result = definitions_write(document, path.text, err);
    if (result == OK)
        result = broker_tool(suite, words, err);
    unlink(path.text);
    cJSON_Delete(document);
    return result;
}

static enum result dismiss_side(const struct suite *suite, const char *name, enum guest_side side,
                                struct err *err)
{
    struct buf user = {0};
    guest_user(name, side, &user);
    const char *const words[] = {"delete_user", user.data, NULL};
    enum result result = broker_tool(suite, words, err);
    if (result == RETRY && strstr(err_text(err), "does not exist"))
        result = OK;
    buf_release(&user);
    return result;
}

enum result guest_dismiss(const struct suite *suite, const char *name, const struct guest *known,
                          struct err *err)
{
    enum result result = OK;
    for (int side = GUEST_HEARS; side <= GUEST_SAYS && result == OK; side++)
        if (!known || guest_is(known, (enum guest_side)side))
            result = dismiss_side(suite, name, (enum guest_side)side, err);
    return result;
}

/* --- what it has made ------------------------------------------------------------------------------- */

struct clearing {
    const char *prefix;
    struct amqp_link link;
};

static enum result clearing_open(const struct suite *suite, struct clearing *clearing,
                                 struct err *err)
{
    struct amqp_target target;
    enum result result = broker_target(suite, &target, err);
    if (result == OK)
        result = amqp_link_open(&target, "guest", &clearing->link, err);
    explicit_bzero(&target, sizeof target);
    return result;
}

static bool is_its_own(const struct clearing *clearing, const char *name)
{
    return strncmp(name, clearing->prefix, strlen(clearing->prefix)) == 0;
}

static enum result delete_thing(const struct clearing *clearing, const char *kind, const char *name,
                                struct err *err)
{
    amqp_bytes_t bytes = amqp_cstring_bytes(name);
    if (strcmp(kind, "queue") == 0)
        amqp_queue_delete(clearing->link.connection, AMQP_CHANNEL, bytes, 0, 0);
    else
        amqp_exchange_delete(clearing->link.connection, AMQP_CHANNEL, bytes, 0);
    return amqp_link_check(&clearing->link, name, err);
}

static enum result clear_bound(const struct clearing *clearing, const struct guest *guest,
                               const cJSON *bindings, struct err *err)
{
    const cJSON *item;
    enum result result = OK;
    cJSON_ArrayForEach(item, bindings)
    {
        const char *name = json_text(item, "destination");
        if (result == OK && is_its_own(clearing, name) &&
            strcmp(json_text(item, "source"), EXCHANGE_EVENTS) == 0 &&
            !guest_may_bind(&guest->hear, json_text(item, "routing_key")))
            result = delete_thing(clearing, json_text(item, "destination_type"), name, err);
    }
    return result;
}

static enum result clear_list(const struct clearing *clearing, const char *kind, const cJSON *list,
                              struct err *err)
{
    const cJSON *item;
    enum result result = OK;
    cJSON_ArrayForEach(item, list)
    {
        const char *name = json_text(item, "name");
        if (result == OK && is_its_own(clearing, name))
            result = delete_thing(clearing, kind, name, err);
    }
    return result;
}

enum result guest_clear(struct http *http, const struct suite *suite, const struct guest *guest,
                        struct err *err)
{
    struct buf prefix = {0};
    struct clearing clearing;
    cJSON *bindings = NULL;
    guest_prefix(guest->name, &prefix);
    clearing.prefix = prefix.data;
    enum result result = ready_management(http, suite, "bindings/" BROKER_VHOST, &bindings, err);
    if (result == OK)
        result = clearing_open(suite, &clearing, err);
    if (result == OK) {
        result = clear_bound(&clearing, guest, bindings, err);
        amqp_link_farewell(&clearing.link);
    }
    cJSON_Delete(bindings);
    buf_release(&prefix);
    return result;
}

enum result guest_clear_all(struct http *http, const struct suite *suite, const char *name,
                            struct err *err)
{
    struct buf prefix = {0};
    struct clearing clearing;
    cJSON *queues = NULL, *exchanges = NULL;
    guest_prefix(name, &prefix);
    clearing.prefix = prefix.data;
    enum result result = ready_management(http, suite, "queues/" BROKER_VHOST, &queues, err);
    if (result == OK)
        result = ready_management(http, suite, "exchanges/" BROKER_VHOST, &exchanges, err);
    if (result == OK)
        result = clearing_open(suite, &clearing, err);
    if (result == OK) {
        result = clear_list(&clearing, "queue", queues, err);
        if (result == OK)
            result = clear_list(&clearing, "exchange", exchanges, err);
        amqp_link_farewell(&clearing.link);
    }
    cJSON_Delete(queues);
    cJSON_Delete(exchanges);
    buf_release(&prefix);
    return result;
}
