/* What became of a command: as the read model has it, else as this edge has sent it. Of order.place only
 * a refusal is told; that it was done, the order shows. */
#include <string.h>

#include "common/base/text.h"
#include "common/telemetry/log.h"
#include "edge-service/edge_private.h"

static void fill(struct edge_fate *fate, const char *command_id, const char *type,
                 const char *about, const char *status)
{
    *fate = (struct edge_fate){.reason = ""};
    text_copy(fate->command_id, sizeof fate->command_id, command_id);
    text_copy(fate->type, sizeof fate->type, type);
    text_copy(fate->about, sizeof fate->about, about);
    text_copy(fate->status, sizeof fate->status, status);
}

/* Whether this edge has had it confirmed, for this owner. */
static bool find_sent(const struct edge *edge, const char *owner, const char *command_id,
                      struct edge_fate *ret_fate)
{
    const struct sent_command *command = sent_find(&edge->sent, command_id);
    if (!command || !command->attempts.confirmed || strcmp(command->owner, owner) != 0)
        return false;
    fill(ret_fate, command_id, command->type, command->about, "accepted");
    return true;
}

static bool find_accepted(const struct edge *edge, const char *customer, const char *command_id,
                          struct edge_fate *ret_fate)
{
    const struct accepted_order *order = accepted_find_command(&edge->accepted, command_id);
    if (!order || !order->attempts.confirmed || strcmp(order->customer, customer) != 0)
        return false;
    fill(ret_fate, command_id, ORDER_PLACE, order->node.id, "accepted");
    return true;
}

/* The id of a command that places an order follows from the order, so it is kept nowhere. */
struct placed_search {
    const char *command_id;
    char order_id[UUID_SIZE];
};

static void try_order(void *context, const char *order_id, const char *request_hash)
{
    struct placed_search *search = context;
    if (!search->order_id[0] &&
        strcmp(edge_place_id(order_id, request_hash).text, search->command_id) == 0)
        text_copy(search->order_id, sizeof search->order_id, order_id);
}

static enum result find_placed(struct edge *edge, const char *customer, const char *command_id,
                               struct edge_fate *ret_fate, struct err *err)
{
    struct placed_search search = {.command_id = command_id};
    enum result result =
        read_model_recent(edge->parts.store, customer, EDGE_PLACES_TRIED, try_order, &search, err);
    if (result != OK)
        return result;
    if (search.order_id[0])
        fill(ret_fate, command_id, ORDER_PLACE, search.order_id, "done");
    else if (!find_accepted(edge, customer, command_id, ret_fate))
        return err_set(err, NOT_FOUND, "there is no such command of yours");
    return OK;
}

/* The read model counts first: what this edge remembers may be a repeat of what has long been done. */
enum result edge_get_command(struct edge *edge, const char *owner, const char *command_id,
                             struct edge_fate *ret_fate, struct err *err)
{
    if (store_in_transaction(edge->parts.store))
        return err_set(err, RETRY, "the read model is being written");
    enum result result = read_model_fate(edge->parts.store, owner, command_id, ret_fate, err);
    if (result != NOT_FOUND || find_sent(edge, owner, command_id, ret_fate))
        return result == NOT_FOUND ? OK : result;
    if (!owner[0])
        return err_set(err, NOT_FOUND, "there is no such command");
    return find_placed(edge, owner, command_id, ret_fate, err);
}

enum result edge_wait_command(struct edge *edge, const char *owner, const char *command_id,
                              int64_t until_mono_ms, edge_settled_fn *settled, void *context,
                              struct err *err)
{
    struct edge_fate fate;
    enum result result = edge_get_command(edge, owner, command_id, &fate, err);
    if (result == OK && strcmp(fate.status, "accepted") != 0) {
        settled(context);
        return OK;
    }
    if (result != OK && result != NOT_FOUND)
        return result;
    if (waiters_add(&edge->waiters, command_id, until_mono_ms, settled, context) != OK)
        return err_set(err, RETRY, "too many wait");
    return OK;
}

/* Counted and logged where it was sent: a read model that is built anew hears of all there ever were. */
static void note_own(struct edge *edge, const char *owner, const char *command_id)
{
    struct edge_fate fate;
    if (read_model_fate(edge->parts.store, owner, command_id, &fate, NULL) != OK)
        return;
    if (strcmp(fate.status, "done") == 0) {
        edge->counters.commands_done++;
        return;
    }
    edge->counters.commands_refused++;
    LOG_EVENT(edge->parts.log, LOG_INFO, "command-refused", LOG_TEXT("command_id", command_id),
              LOG_TEXT("type", fate.type), LOG_TEXT("about", fate.about),
              LOG_TEXT("reason", fate.reason));
}

void edge_fate_heard(struct edge *edge, const char *command_id)
{
    const struct sent_command *command = sent_find(&edge->sent, command_id);
    const struct accepted_order *order = accepted_find_command(&edge->accepted, command_id);
    if (command)
        note_own(edge, command->owner, command_id);
    else if (order)
        note_own(edge, order->customer, command_id);
    waiters_settled(&edge->waiters, command_id);
}
