#include "cli/identity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/stream_ends.h"
#include "common/base/digest.h"
#include "common/messaging/amqp_ask.h"
#include "common/messaging/bus.h"

#define ID_FILE "store/suite-id"
#define PENDING " pending" /* behind an id that has not been seen at a broker yet */
#define PAGE "docs/operations.md, \"Stores and broker do not belong together\""

enum { NAME_SIZE = sizeof IDENTITY_EXCHANGE + IDENTITY_SIZE };

enum identity_verdict identity_decide(enum identity_stores stores, enum identity_broker broker,
                                      enum identity_log log)
{
    switch (broker) {
    case BROKER_OURS:
        return IDENTITY_FITS;
    case BROKER_OTHERS:
        return IDENTITY_OTHERS;
    case BROKER_NOBODYS:
        break;
    }
    return log == LOG_HOLDS_FACTS && stores != STORES_OLD ? IDENTITY_STRAY : IDENTITY_CLAIM;
}

/* --- beside the stores ---------------------------------------------------------------------------- */

struct stores {
    enum identity_stores state;
    char id[IDENTITY_SIZE];
};

static bool are_there(const struct suite *suite)
{
    bool there = access(suite_path(suite, "store/accounts.db").text, F_OK) == 0;
    for (size_t i = 0; i < suite_store_count; i++)
        there = there || access(suite_path(suite, "%s", suite_stores[i].file).text, F_OK) == 0;
    return there;
}

static enum result read_stores(const struct suite *suite, struct stores *ret_stores,
                               struct err *err)
{
    char text[64];
    struct stores stores = {.state = are_there(suite) ? STORES_OLD : STORES_NEW};
    enum result result = file_read(suite_path(suite, ID_FILE).text, text, sizeof text, err);
    if (result == OK && text[0]) { /* an empty one is all that a loss of power has left */
        size_t size = strspn(text, "0123456789abcdef");
        bool held = text[size] == '\0';
        if (size != IDENTITY_SIZE - 1 || (!held && strcmp(text + size, PENDING) != 0))
            return err_set(err, INVALID, "%s/" ID_FILE " holds no id", suite->home);
        memcpy(stores.id, text, size);
        if (held)
            stores.state = STORES_HELD;
    } else if (result != OK && result != NOT_FOUND) {
        return result;
    }
    *ret_stores = stores;
    return OK;
}

static enum result write_id(const struct suite *suite, const char *id, const char *state,
                            struct err *err)
{
    char text[64];
    int size = snprintf(text, sizeof text, "%s%s", id, state);
    struct suite_path path = suite_path(suite, ID_FILE);
    enum result result = file_write(path.text, text, (size_t)size, err);
    return result == OK ? file_sync(path.text, err) : result;
}

/* Written before the broker hears of it, so that a crash between the two leaves an id to be recognised by. */
static enum result give_id(const struct suite *suite, const struct clock *clock,
                           struct stores *stores, struct err *err)
{
    if (stores->id[0])
        return OK;
    uint64_t number = clock_random64(clock);
    hex_encode(&number, sizeof number, stores->id);
    enum result result = directory_make(suite_path(suite, "store").text, err);
    return result == OK ? write_id(suite, stores->id, PENDING, err) : result;
}

/* --- at the broker -------------------------------------------------------------------------------- */

static void name_of(const char *id, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, IDENTITY_EXCHANGE ".%s", id);
}

/* Nobody can publish to an internal exchange, so that where its messages would go is only a word. It is the
 * one argument that a broker compares when an exchange is declared again: another id is a 406, and one of two
 * who claim at once is second. */
static enum result declare_first(struct amqp_link *link, const char *id, int *ret_code,
                                 struct err *err)
{
    char name[NAME_SIZE];
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("alternate-exchange")};
    amqp_table_t arguments = {1, &entry};
    name_of(id, name);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(name);
    amqp_exchange_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(IDENTITY_EXCHANGE),
                          amqp_cstring_bytes("fanout"), 0, 1, 0, 1, arguments);
    return amqp_link_settle(link, IDENTITY_EXCHANGE, ret_code, err);
}

/* Only behind the other: whose id lost the race is never to be found. */
static enum result declare_both(struct amqp_link *link, const char *id, int *ret_code,
                                struct err *err)
{
    char name[NAME_SIZE];
    enum result result = declare_first(link, id, ret_code, err);
    if (result != OK)
        return result;
    name_of(id, name);
    amqp_exchange_declare(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(name),
                          amqp_cstring_bytes("fanout"), 0, 1, 0, 1, amqp_empty_table);
    return amqp_link_settle(link, name, ret_code, err);
}

/* From "... but current is 'warren.suite.ID'", the broker's words; "": not in them. */
static void other_id(const char *words, char id[IDENTITY_SIZE])
{
    static const char name[] = IDENTITY_EXCHANGE ".";
    const char *current = strstr(words, "current is ");
    const char *at = current ? strstr(current, name) : NULL;
    id[0] = '\0';
    if (at && strspn(at + sizeof name - 1, "0123456789abcdef") == IDENTITY_SIZE - 1)
        snprintf(id, IDENTITY_SIZE, "%s", at + sizeof name - 1);
}

struct there {
    enum identity_broker state;
    char id[IDENTITY_SIZE]; /* of BROKER_OTHERS; "": not known */
};

/* Asks only, as anybody may. */
static enum result ask(struct amqp_link *link, const char *id, struct there *ret_there,
                       struct err *err)
{
    char name[NAME_SIZE];
    struct there there = {.state = BROKER_OURS};
    name_of(id, name);
    enum result result = amqp_ask_exchange(link, name, err);
    if (result == NOT_FOUND) {
        result = amqp_ask_exchange(link, IDENTITY_EXCHANGE, err);
        there.state = result == NOT_FOUND ? BROKER_NOBODYS : BROKER_OTHERS;
    }
    if (result != OK && result != NOT_FOUND)
        return result;
    *ret_there = there;
    return OK;
}

/* Somebody died between the two declarations: the first tells who, to whom may declare. */
static enum result ask_closer(struct amqp_link *link, const char *id, struct there *there,
                              struct err *err)
{
    int code = 0;
    enum result result = declare_both(link, id, &code, err);
    if (result == OK)
        there->state = BROKER_OURS;
    else if (code == AMQP_PRECONDITION_FAILED)
        other_id(err_text(err), there->id);
    else if (code != AMQP_ACCESS_REFUSED)
        return result;
    return OK;
}

/* Whether there are facts in it. One that cannot be read now is waited for. */
static enum result look_at_log(const struct suite *suite, struct amqp_link *link,
                               enum identity_log *ret_log, struct err *err)
{
    struct amqp_queue_seen seen;
    struct stream_ends ends = {-1, -1};
    enum result result = amqp_ask_queue(link, STREAM_LOG, &seen, err);
    if (result == NOT_FOUND) {
        *ret_log = LOG_NONE;
        return OK;
    }
    if (result == OK)
        result = stream_ends(suite, STREAM_LOG, &ends, err);
    if (result == OK)
        *ret_log = ends.first < 0 ? LOG_NONE : LOG_HOLDS_FACTS;
    return result == OK ? OK : RETRY;
}

/* --- both ------------------------------------------------------------------------------------------ */

static enum result is_others(const struct suite *suite, const struct stores *stores,
                             const struct there *there, struct err *err)
{
    return err_set(err, CONFLICT,
                   "the broker is another suite's%s%s, not that of the stores in %s/store (%s%s): "
                   "what its log tells would not fit them. Start it with its own stores (--home), "
                   "or give this suite a virtual host of its own; " PAGE ", tells more",
                   there->id[0] ? ", " : "", there->id, suite->home,
                   stores->state == STORES_HELD ? "suite " : "new, suite ", stores->id);
}

static enum result is_stray(const struct suite *suite, const struct stores *stores, struct err *err)
{
    return err_set(
        err, CONFLICT,
        "the broker has a log with facts in it and does not say whose, and the stores in "
        "%s/store are %s: they may not fit. Start it with its own stores (--home), or "
        "give this suite a virtual host of its own, or say --adopt-broker if they "
        "belong together; " PAGE ", tells more",
        suite->home, stores->state == STORES_NEW ? "new" : "of a suite that it forgot");
}

static enum result claim(const struct suite *suite, struct amqp_link *link,
                         const struct stores *stores, char note[160], struct err *err)
{
    int code = 0;
    enum result result = declare_both(link, stores->id, &code, err);
    if (result == OK)
        return stores->state == STORES_HELD ? OK : write_id(suite, stores->id, "", err);
    if (code == AMQP_ACCESS_REFUSED) { /* no reason not to work: whoever may declare will */
        snprintf(note, 160,
                 "the broker does not keep this suite's id: this user may not declare "
                 "exchanges " IDENTITY_EXCHANGE "*");
        return OK;
    }
    if (code != AMQP_PRECONDITION_FAILED)
        return result;
    struct there there = {.state = BROKER_OTHERS}; /* it was faster */
    other_id(err_text(err), there.id);
    return is_others(suite, stores, &there, err);
}

/* The other's second exchange goes as well: its stores shall not find themselves at home here. */
static enum result adopt(struct amqp_link *link, const struct there *there, struct err *err)
{
    char name[NAME_SIZE];
    int code = 0;
    amqp_exchange_delete(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(IDENTITY_EXCHANGE), 0);
    enum result result = amqp_link_settle(link, IDENTITY_EXCHANGE, &code, err);
    if (result != OK || !there->id[0])
        return result;
    name_of(there->id, name);
    amqp_exchange_delete(link->connection, AMQP_CHANNEL, amqp_cstring_bytes(name), 0);
    return amqp_link_settle(link, name, &code, err);
}

static enum result settle(const struct suite *suite, struct amqp_link *link,
                          const struct stores *stores, enum identity_force force, char note[160],
                          struct err *err)
{
    struct there there = {.state = BROKER_NOBODYS};
    enum identity_log log = LOG_NONE;
    enum result result = ask(link, stores->id, &there, err);
    if (result == OK && there.state == BROKER_OTHERS)
        result = ask_closer(link, stores->id, &there, err);
    if (result == OK && there.state == BROKER_NOBODYS && stores->state != STORES_OLD &&
        force == IDENTITY_ASK)
        result = look_at_log(suite, link, &log, err);
    if (result == OK && there.state == BROKER_OTHERS && force == IDENTITY_ADOPT) {
        result = adopt(link, &there, err);
        there.state = BROKER_NOBODYS;
    }
    if (result != OK)
        return result;
    switch (identity_decide(stores->state, there.state, log)) {
    case IDENTITY_FITS:
        return stores->state == STORES_HELD ? OK : write_id(suite, stores->id, "", err);
    case IDENTITY_CLAIM:
        return claim(suite, link, stores, note, err);
    case IDENTITY_OTHERS:
        return is_others(suite, stores, &there, err);
    case IDENTITY_STRAY:
        break;
    }
    return is_stray(suite, stores, err);
}

enum result identity_settle(const struct suite *suite, const struct clock *clock,
                            const struct amqp_target *target, enum identity_force force,
                            char note[160], struct err *err)
{
    struct stores stores;
    struct amqp_link link;
    note[0] = '\0';
    enum result result = read_stores(suite, &stores, err);
    if (result == OK)
        result = amqp_link_open(target, "identity", &link, err);
    if (result != OK)
        return result;
    result = give_id(suite, clock, &stores, err);
    if (result == OK)
        result = settle(suite, &link, &stores, force, note, err);
    amqp_link_farewell(&link);
    return result;
}

enum result identity_look(const struct suite *suite, struct amqp_link *link, struct err *err)
{
    struct stores stores;
    struct there there;
    enum result result = read_stores(suite, &stores, err);
    if (result != OK || stores.state != STORES_HELD)
        return result;
    result = ask(link, stores.id, &there, err);
    if (result != OK || there.state == BROKER_OURS)
        return result;
    if (there.state == BROKER_NOBODYS)
        return err_set(err, NOT_FOUND, "the broker does not know this suite any more; " PAGE);
    return is_others(suite, &stores, &there, err);
}
