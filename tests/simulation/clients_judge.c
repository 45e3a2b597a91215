/* At rest: what was answered, against what is in the stores and read models. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/simulation/clients.h"
#include "tests/simulation/clients_private.h"
#include "tests/simulation/world.h"

struct last_fact {
    char status[WORD_SIZE];
    int64_t version;
};

static enum result take_last(void *context, const struct store_row *row, struct err *err)
{
    struct last_fact *last = context;
    (void)err;
    store_row_copy(row, 0, last->status, sizeof last->status);
    last->version = store_row_int(row, 1);
    return OK;
}

struct timeline {
    int64_t facts; /* of the order itself; payments and notifications stand among them */
    bool in_order;
};

static void on_fact(void *context, const char *cloudevent, size_t size)
{
    struct timeline *timeline = context;
    char wanted[48];
    (void)size;
    if (!strstr(cloudevent, "\"source\":\"/order-service\""))
        return;
    snprintf(wanted, sizeof wanted, "\"sequence\":\"%" PRId64 "\"", ++timeline->facts);
    timeline->in_order = timeline->in_order && strstr(cloudevent, wanted) != NULL;
}

static void judge_timeline(struct world *world, const struct op *op, int edge,
                           struct process *process, int64_t versions)
{
    struct err err = {{0}};
    struct timeline timeline = {.in_order = true};
    enum result result = edge_timeline(process->edge, world->clients->customers[op->customer],
                                       op->order_id, on_fact, &timeline, &err);
    if (result != OK || timeline.facts != versions || !timeline.in_order)
        world_violated(world, 5, "edge-%d tells %" PRId64 " of %" PRId64 " facts of order %s%s",
                       edge + 1, timeline.facts, versions, op->order_id,
                       timeline.in_order ? "" : ", and not in order");
}

static void judge_views(struct world *world, struct op *op)
{
    struct err err = {{0}};
    struct last_fact last = {.version = 0};
    enum result stored =
        store_query_one(world->stores[DB_ORDER],
                        "SELECT substr(type, 7), version FROM order_event WHERE order_id = $1 "
                        "ORDER BY version DESC LIMIT 1",
                        STORE_ARGS(store_text(op->order_id)), take_last, &last, &err);
    for (int i = 0; i < INSTANCES; i++) {
        struct process *process = world_edge(world, i);
        struct look look = {.op = op, .edge = i};
        if (!process || stored != OK)
            continue;
        if (look_at(world, process, &look) != OK || look.version != last.version ||
            strcmp(look.status, last.status) != 0)
            world_violated(
                world, 5, "edge-%d shows order %s as %s %" PRId64 ", its store as %s %" PRId64,
                i + 1, op->order_id, look.status, look.version, last.status, last.version);
        else
            judge_timeline(world, op, i, process, last.version);
    }
}

struct shelf {
    struct world *world;
    int edge;
};

static void on_product(void *context, const struct edge_product *product)
{
    struct shelf *shelf = context;
    struct err err = {{0}};
    int64_t available = -1, unit_price = -1;
    if (store_query_int(shelf->world->stores[DB_ORDER],
                        "SELECT available FROM product WHERE sku = $1",
                        STORE_ARGS(store_text(product->sku)), &available, &err) != OK ||
        available != product->available)
        world_violated(shelf->world, 5, "edge-%d shows %" PRId64 " of %s, the store %" PRId64,
                       shelf->edge + 1, product->available, product->sku, available);
    if (store_query_int(shelf->world->stores[DB_ORDER],
                        "SELECT unit_price FROM product WHERE sku = $1",
                        STORE_ARGS(store_text(product->sku)), &unit_price, &err) != OK ||
        unit_price != product->unit_price)
        world_violated(shelf->world, 5, "edge-%d asks %" PRId64 " for %s, the store %" PRId64,
                       shelf->edge + 1, product->unit_price, product->sku, unit_price);
}

/* Adjustments of this product that were refused; a fact may be on the stream twice. */
static int64_t refused_adjustments(struct world *world, const char *sku)
{
    static const char marker[] = "\"command_id\":\"";
    char about[64], ids[16][UUID_SIZE];
    int64_t offset;
    size_t size, count = 0;
    const char *body;
    snprintf(about, sizeof about, "\"about\":\"%s\"", sku);
    for (size_t i = 0;
         (body = memory_broker_stream_at(world->broker, STREAM_LOG, i, &size, &offset)); i++) {
        const char *id = strstr(body, marker);
        if (!id || !strstr(body, "\"command.refused\"") || !strstr(body, "\"stock.adjust\"") ||
            !strstr(body, about) || count == 16)
            continue;
        snprintf(ids[count], sizeof ids[0], "%.36s", id + sizeof marker - 1);
        size_t known = 0;
        while (strcmp(ids[known], ids[count]) != 0)
            known++;
        count += known == count;
    }
    return (int64_t)count;
}

/* Every adjustment of one product is of the same size: so it is enough to count. */
static void judge_stock(struct world *world, size_t sku)
{
    struct err err = {{0}};
    struct clients *clients = world->clients;
    int64_t made = 0, adjusted = 0;
    for (size_t i = 0; i < clients->count; i++)
        made += clients->ops[i].kind == OP_STOCK && clients->ops[i].sku == sku;
    int64_t refused = refused_adjustments(world, client_skus[sku]);
    enum result result =
        store_query_int(world->stores[DB_ORDER], "SELECT adjusted FROM product WHERE sku = $1",
                        STORE_ARGS(store_text(client_skus[sku])), &adjusted, &err);
    if (result == OK && refused <= made && adjusted != (made - refused) * client_stock[sku])
        world_violated(world, 3,
                       "%s: %" PRId64 " adjustments of %" PRId64 " (%" PRId64
                       " refused) make %" PRId64,
                       client_skus[sku], made, client_stock[sku], refused, adjusted);
}

/* Whether the catalogue has ever said so. */
static bool was_listed(struct world *world, const struct op *op)
{
    char sku[48], price[48];
    int64_t offset;
    size_t size;
    const char *body;
    snprintf(sku, sizeof sku, "\"sku\":\"%s\"", client_skus[op->sku]);
    snprintf(price, sizeof price, "\"unit_price\":%" PRId64 ",", op->price);
    for (size_t i = 0;
         (body = memory_broker_stream_at(world->broker, STREAM_LOG, i, &size, &offset)); i++)
        if (strstr(body, "\"product.listed\"") && strstr(body, sku) && strstr(body, price))
            return true;
    return false;
}

static int64_t product_number(struct world *world, const struct op *op, const char *sql)
{
    struct err err = {{0}};
    int64_t number = -1;
    if (store_query_int(world->stores[DB_ORDER], sql, STORE_ARGS(store_text(client_skus[op->sku])),
                        &number, &err) != OK)
        world_violated(world, 0, "unreadable: %s", err.text);
    return number;
}

/* Done is what the catalogue shows, unless a later one won; refused was never in it. Only a change that
 * gives its revision can be overtaken. */
static void judge_listing(struct world *world, const struct op *op, const struct edge_fate *fate)
{
    bool done = strcmp(fate->status, "done") == 0;
    int64_t revision = product_number(world, op, "SELECT revision FROM product WHERE sku = $1");
    int64_t price = product_number(world, op, "SELECT unit_price FROM product WHERE sku = $1");
    if (done != was_listed(world, op))
        world_violated(world, 5, "%s at %" PRId64 ": %s %s, but %s", client_skus[op->sku],
                       op->price, fate->status, fate->reason, done ? "not listed" : "listed");
    if (op->revision == 0 && !done)
        world_violated(world, 1, "%s at %" PRId64 " was refused: %s", client_skus[op->sku],
                       op->price, fate->reason);
    if (op->revision > 0 && (done ? revision < op->revision : revision <= op->revision))
        world_violated(world, 5, "%s: revision %" PRId64 " is %s, and the catalogue has %" PRId64,
                       client_skus[op->sku], op->revision, fate->status, revision);
    if (op->revision > 0 && revision == op->revision && price != op->price)
        world_violated(world, 5, "%s at revision %" PRId64 " costs %" PRId64 ", not %" PRId64,
                       client_skus[op->sku], revision, price, op->price);
}

/* What was answered 202 has been done or refused, as every edge tells its owner. */
static void judge_fate(struct world *world, const struct op *op, int edge)
{
    struct err err = {{0}};
    struct edge_fate fate = {.status = ""};
    struct process *process = world_edge(world, edge);
    bool customers = op->kind == OP_PLACE || op->kind == OP_CANCEL;
    const char *owner = customers ? world->clients->customers[op->customer] : "";
    if (!process)
        return;
    enum result result = edge_get_command(process->edge, owner, op->command_id, &fate, &err);
    bool done = strcmp(fate.status, "done") == 0;
    if (result != OK || (!done && strcmp(fate.status, "refused") != 0))
        world_violated(world, 1, "edge-%d knows no fate of command %s %s: %s", edge + 1,
                       op->command_id, op->key, fate.status);
    else if (op->kind == OP_PRODUCT)
        judge_listing(world, op, &fate);
}

static enum result judge_mail(void *context, const struct store_row *row, struct err *err)
{
    struct world *world = context;
    char key[MAIL_KEY_SIZE];
    (void)err;
    snprintf(key, sizeof key, "mail:%s:%" PRId64, store_row_text(row, 0), store_row_int(row, 1));
    if (!mailbox_has(world->mailbox, key))
        world_violated(world, 4, "order %s: its mail about version %" PRId64 " was never sent",
                       store_row_text(row, 0), store_row_int(row, 1));
    world->coverage.items[COVER_MAILED]++;
    return OK;
}

static void judge_mails(struct world *world)
{
    struct err err = {{0}};
    if (store_query(world->stores[DB_NOTIFICATION],
                    "SELECT order_id, order_version FROM notification WHERE channel = 'email'",
                    STORE_NO_ARGS, judge_mail, world, &err) != OK)
        world_violated(world, 0, "unreadable: %s", err.text);
}

static void judge_hashes(struct world *world)
{
    struct err err = {{0}};
    char one[65] = "", two[65] = "";
    if (edge_read_model_hash(world->stores[DB_EDGE_1], one, &err) != OK ||
        edge_read_model_hash(world->stores[DB_EDGE_2], two, &err) != OK)
        world_violated(world, 5, "a read model cannot be hashed: %s", err.text);
    else if (strcmp(one, two) != 0)
        world_violated(world, 5, "the read models of the two edges differ");
}

void clients_judge(struct world *world)
{
    struct clients *clients = world->clients;
    for (size_t i = 0; i < clients->count; i++)
        if (clients->ops[i].kind == OP_PLACE && !clients->ops[i].repeat)
            judge_views(world, &clients->ops[i]);
    for (size_t i = 0; i < clients->count; i++)
        for (int edge = 0; edge < INSTANCES && clients->ops[i].command_id[0]; edge++)
            judge_fate(world, &clients->ops[i], edge);
    for (size_t sku = 0; sku < SKUS; sku++)
        judge_stock(world, sku);
    for (int i = 0; i < INSTANCES; i++) {
        struct err err = {{0}};
        struct shelf shelf = {world, i};
        struct process *process = world_edge(world, i);
        if (process && edge_products(process->edge, on_product, &shelf, &err) != OK)
            world_violated(world, 5, "edge-%d cannot list its products: %s", i + 1, err.text);
    }
    judge_hashes(world);
    judge_mails(world);
}
