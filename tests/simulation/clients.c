#include "tests/simulation/clients.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/accounts/accounts.h"
#include "common/base/digest.h"
#include "tests/simulation/clients_private.h"
#include "tests/simulation/world.h"

const char *const client_skus[SKUS] = {"TEA", "COFFEE", "MUG", "LAMP", "BOOK", "VASE"};
const int64_t client_stock[SKUS] = {200, 200, 200, 200, 200, 3}; /* the last one is scarce */

static struct op *op_new(struct clients *clients, enum op_kind kind, int64_t at_ms)
{
    if (clients->count == OPS_MAX)
        return NULL;
    struct op *op = &clients->ops[clients->count++];
    *op = (struct op){.clients = clients, .kind = kind, .at_ms = at_ms};
    if (at_ms < clients->next_ms)
        clients->next_ms = at_ms;
    return op;
}

/* Plans. */

static void choose_card(struct chance *chance, struct place_request *request)
{
    static const char *const cards[] = {
        "tok_visa",    "tok_visa",  "tok_visa", "tok_visa",     "tok_visa",
        "tok_timeout", "tok_flaky", "tok_slow", "tok_declined", "tok_insufficient_funds",
    };
    const char *card = cards[chance_below(chance, sizeof cards / sizeof cards[0])];
    snprintf(request->payment.token, sizeof request->payment.token, "%s", card);
}

static void add_line(struct place_request *request, const char *sku, int64_t quantity)
{
    for (size_t i = 0; i < request->line_count; i++)
        if (strcmp(request->lines[i].sku, sku) == 0)
            return;
    struct order_line *line = &request->lines[request->line_count++];
    snprintf(line->sku, sizeof line->sku, "%s", sku);
    line->quantity = quantity;
}

static void choose_request(struct chance *chance, struct place_request *request)
{
    *request = (struct place_request){0};
    choose_card(chance, request);
    size_t lines = 1 + (size_t)chance_below(chance, 3);
    for (size_t i = 0; i < lines; i++)
        add_line(request, client_skus[chance_below(chance, SKUS - 1)],
                 chance_between(chance, 1, 3));
    if (chance_below(chance, 4) == 0)
        add_line(request, client_skus[SKUS - 1], 1);
    if (chance_below(chance, 15) == 0)
        add_line(request, "GHOST", 1);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The canonical body, written down here a second time. */
static void hash_request(const struct place_request *request, char hash[SHA256_HEX_SIZE])
{
    char lines[8][64];
    const char *sorted[8];
    struct buf text = {0};
    for (size_t i = 0; i < request->line_count; i++) {
        snprintf(lines[i], sizeof lines[i], "%s=%" PRId64 "\n", request->lines[i].sku,
                 request->lines[i].quantity);
        sorted[i] = lines[i];
    }
    qsort(sorted, request->line_count, sizeof sorted[0], compare_lines);
    for (size_t i = 0; i < request->line_count; i++)
        buf_text(&text, sorted[i]);
    buf_printf(&text, "payment=%s\n", request->payment.token);
    sha256_hex(text.data, text.size, hash);
    buf_release(&text);
}

static void plan_order(struct clients *clients, int number)
{
    struct chance *chance = &clients->world->chance;
    struct op *op = op_new(clients, OP_PLACE, chance_between(chance, 3600, 16000));
    if (!op)
        return;
    op->customer = (int)chance_below(chance, CUSTOMERS);
    snprintf(op->key, sizeof op->key, "order-%d", number);
    choose_request(chance, &op->request);
    hash_request(&op->request, op->hash);
    struct id id = ID_DERIVE("order", clients->customers[op->customer], op->key);
    memcpy(op->order_id, id.text, sizeof op->order_id);
}

/* Under a key, so that a repeat is the same command. `revision` 0: whichever order-service hears of last
 * is what counts. */
static struct op *plan_product(struct clients *clients, size_t sku, int64_t revision, int64_t at_ms)
{
    struct op *op = op_new(clients, OP_PRODUCT, at_ms);
    if (op) {
        op->sku = sku;
        op->revision = revision;
        op->price = 100 + 10 * (int64_t)sku + revision;
        snprintf(op->key, sizeof op->key, "listing-%zu", clients->count);
    }
    return op;
}

static void plan_relisting(struct clients *clients, size_t sku, int64_t price, int64_t at_ms)
{
    struct op *op = plan_product(clients, sku, 0, at_ms);
    if (op)
        op->price = price;
}

static struct op *plan_stock(struct clients *clients, size_t sku, int64_t at_ms)
{
    struct op *op = op_new(clients, OP_STOCK, at_ms);
    if (op) {
        op->sku = sku;
        snprintf(op->key, sizeof op->key, "stock-%zu", clients->count);
    }
    return op;
}

/* Half of them have a mail address. */
static void make_customers(struct clients *clients)
{
    struct world *world = clients->world;
    struct store *accounts = world->stores[DB_ACCOUNTS];
    for (int i = 0; i < CUSTOMERS; i++) {
        char name[24], address[48];
        struct id id = {""};
        struct err err = {{0}};
        snprintf(name, sizeof name, "customer-%d", i);
        snprintf(address, sizeof address, "%s@example.com", name);
        if (accounts_customer(accounts, &world->clock.clock, name, &id, &err) != OK ||
            (i % 2 == 0 && accounts_set_email(accounts, &id, address, &err) != OK))
            world_violated(world, 0, "accounts: %s", err.text);
        memcpy(clients->customers[i], id.text, UUID_SIZE);
    }
}

struct clients *clients_new(struct world *world)
{
    struct chance *chance = &world->chance;
    struct clients *clients = calloc(1, sizeof *clients);
    if (!clients)
        abort();
    clients->world = world;
    clients->next_ms = INT64_MAX;
    make_customers(clients);
    for (size_t sku = 0; sku < SKUS; sku++)
        (void)plan_product(clients, sku, 1, 1000);
    clients->unlisted = SKUS;
    (void)plan_product(clients, 0, 3, chance_between(chance, 3000, 12000));
    (void)plan_product(clients, 0, 2, chance_between(chance, 3000, 12000));
    plan_relisting(clients, 1, 115, chance_between(chance, 3000, 12000));
    plan_relisting(clients, 1, 116, chance_between(chance, 3000, 12000));
    plan_stock(clients, 1, chance_between(chance, 3000, 12000));
    plan_stock(clients, SKUS - 1, chance_between(chance, 3000, 12000));
    int orders = ORDERS_LEAST + (int)chance_below(chance, 5);
    for (int i = 0; i < orders; i++)
        plan_order(clients, i);
    return clients;
}

void clients_free(struct clients *clients)
{
    if (!clients)
        return;
    buf_release(&clients->history);
    free(clients);
}

/* Answers. */

static const char *kind_name(enum op_kind kind)
{
    static const char *const names[] = {"place", "cancel", "set-product", "adjust-stock"};
    return names[kind];
}

static void write_history(const struct op *op, const char *told)
{
    struct clients *clients = op->clients;
    buf_printf(&clients->history,
               "{\"op\":\"%s\",\"key\":\"%s\",\"customer\":\"%s\",\"order_id\":\"%s\","
               "\"invoked_ns\":%" PRId64 "000000,\"completed_ns\":%" PRId64 "000000,"
               "\"result\":\"%s\"%s%s%s}\n",
               kind_name(op->kind), op->key, clients->customers[op->customer], op->order_id,
               op->invoked_ms, clients->world->clock.mono_ms, told,
               op->kind == OP_PLACE ? ",\"request_hash\":\"" : "",
               op->kind == OP_PLACE ? op->hash : "", op->kind == OP_PLACE ? "\"" : "");
}

static size_t first_of(const struct clients *clients, const char *order_id)
{
    for (size_t i = 0; i < clients->count; i++)
        if (clients->ops[i].kind == OP_PLACE && strcmp(clients->ops[i].order_id, order_id) == 0)
            return i;
    return OPS_MAX;
}

/* --- refused is not unknown: of the key, over all its attempts ------------------------------------- */

static uint64_t life_of(const struct op *op)
{
    return op->clients->world->processes[KIND_EDGE * INSTANCES + op->edge].lives;
}

/* NULL: there is no key. */
static struct view *view_of_key(struct op *op)
{
    struct clients *clients = op->clients;
    if (op->kind == OP_CANCEL)
        return NULL;
    size_t first =
        op->kind == OP_PLACE ? first_of(clients, op->order_id) : (size_t)(op - clients->ops);
    return &clients->views[first][op->edge];
}

/* One attempt under this key may have been accepted, or has been. */
static void note_told(struct op *op)
{
    struct view *view = view_of_key(op);
    if (!view)
        return;
    view->told_life = life_of(op);
    view->told_ms = op->clients->world->clock.mono_ms;
}

/* What an edge has forgotten at its death, or never saw, it cannot be held to. */
static void judge_refusal(struct op *op)
{
    struct world *world = op->clients->world;
    const struct view *view = view_of_key(op);
    if (!view || view->told_life == 0 || view->told_life != life_of(op) ||
        world->clock.mono_ms - view->told_ms >= REMEMBERED_MS)
        return;
    world_violated(world, 2, "edge-%d refused %s %s, of which it had said that it may be accepted",
                   op->edge + 1, kind_name(op->kind), op->key);
}

static void again(struct op *op)
{
    struct clients *clients = op->clients;
    struct world *world = clients->world;
    op->state = OP_WAITING;
    op->at_ms = world->clock.mono_ms + chance_between(&world->chance, 50, 2500);
    if (op->at_ms < clients->next_ms)
        clients->next_ms = op->at_ms;
}

static void plan_repeat(const struct op *op, bool other_body)
{
    struct world *world = op->clients->world;
    struct op *repeat = op_new(op->clients, OP_PLACE,
                               world->clock.mono_ms + chance_between(&world->chance, 0, 5000));
    if (!repeat)
        return;
    int64_t at_ms = repeat->at_ms;
    *repeat = *op;
    repeat->at_ms = at_ms;
    repeat->state = OP_WAITING;
    repeat->attempts = 0;
    repeat->repeat = true;
    repeat->other_body = other_body;
    if (other_body) {
        repeat->request.lines[0].quantity += 1;
        hash_request(&repeat->request, repeat->hash);
    }
}

static void plan_cancel(const struct op *op)
{
    struct world *world = op->clients->world;
    struct op *cancel = op_new(op->clients, OP_CANCEL,
                               world->clock.mono_ms + chance_between(&world->chance, 0, 9000));
    if (!cancel)
        return;
    cancel->customer = op->customer;
    memcpy(cancel->key, op->key, sizeof cancel->key);
    memcpy(cancel->order_id, op->order_id, sizeof cancel->order_id);
}

static void place_accepted(struct op *op)
{
    struct clients *clients = op->clients;
    struct world *world = clients->world;
    struct chance *chance = &world->chance;
    size_t first = first_of(clients, op->order_id);
    clients->views[first][op->edge].accepted_life = life_of(op);
    if (op->repeat)
        return;
    if (chance_below(chance, 4) == 0)
        plan_repeat(op, false);
    if (chance_below(chance, 12) == 0)
        plan_repeat(op, true);
    if (chance_below(chance, 5) < 2)
        plan_cancel(op);
    if (chance_below(chance, 16) == 0)
        plan_cancel(op);
}

/* Stock follows the listing, not to be refused because it overtook it (which it may still do). */
static void listed(struct op *op)
{
    struct clients *clients = op->clients;
    struct op *stock = plan_stock(clients, op->sku, clients->world->clock.mono_ms + 100);
    clients->unlisted--;
    if (!stock)
        return;
    stock->first = true;
    clients->unstocked++;
}

static void accepted(struct op *op, const struct edge_reply *reply)
{
    struct world *world = op->clients->world;
    op->state = OP_DONE;
    world->coverage.items[COVER_CLIENT_OK]++;
    note_told(op);
    memcpy(op->command_id, reply->command_id, UUID_SIZE);
    write_history(op, "ok");
    if (op->kind == OP_PRODUCT && op->revision == 1)
        listed(op);
    if (op->kind == OP_STOCK && op->first)
        op->clients->unstocked--;
    if (op->kind != OP_PLACE)
        return;
    if (strcmp(reply->order_id, op->order_id) != 0)
        world_violated(world, 2, "key %s of customer %d was answered with order %s, not %s",
                       op->key, op->customer, reply->order_id, op->order_id);
    place_accepted(op);
}

/* Three of four keep at it until the shop takes their order, or a bad day would leave none to judge. */
static bool is_patient(const struct op *op)
{
    return op->kind == OP_PLACE && !op->repeat && (op - op->clients->ops) % 4 != 3;
}

static bool gives_up(const struct op *op, enum edge_verdict verdict)
{
    struct chance *chance = &op->clients->world->chance;
    if (is_patient(op))
        return false;
    if (op->kind == OP_PRODUCT || op->kind == OP_STOCK)
        return false;
    if (verdict == EDGE_UNKNOWN && op->kind == OP_PLACE)
        return false; /* as the 504 says: repeat with the same key */
    if (verdict == EDGE_NO_ORDER && op->attempts < 3)
        return false;
    return chance_below(chance, 3) == 0 || op->attempts > 20;
}

/* Whoever has sent two bodies under one key, through two edges, may be told so about either. */
static bool key_has_two_bodies(const struct op *op)
{
    const struct clients *clients = op->clients;
    for (size_t i = 0; i < clients->count; i++)
        if (clients->ops[i].kind == OP_PLACE &&
            strcmp(clients->ops[i].order_id, op->order_id) == 0 &&
            strcmp(clients->ops[i].hash, op->hash) != 0)
            return true;
    return false;
}

static void on_reply(void *context, const struct edge_reply *reply)
{
    struct op *op = context;
    struct world *world = op->clients->world;
    world_note(world, "client         %-15s %-21s %.8s  edge-%d: %s %s", kind_name(op->kind),
               op->key, op->order_id, op->edge + 1, edge_verdict_name(reply->verdict),
               reply->reason);
    if (op->state != OP_FLYING) {
        world_violated(world, 2, "%s %s was answered twice", kind_name(op->kind), op->key);
        return;
    }
    switch (reply->verdict) {
    case EDGE_ACCEPTED:
        accepted(op, reply);
        return;
    case EDGE_UNKNOWN:
        world->coverage.items[COVER_CLIENT_UNKNOWN]++;
        note_told(op);
        write_history(op, "unknown");
        break;
    case EDGE_KEY_REUSED:
        op->state = OP_DONE;
        if (!key_has_two_bodies(op))
            world_violated(world, 2, "key %s: the same body again was called another one", op->key);
        return;
    case EDGE_REFUSED:
        world->coverage.items[COVER_CLIENT_REFUSED]++;
        judge_refusal(op);
        write_history(op, "refused");
        break;
    case EDGE_FORBIDDEN:
        op->state = OP_DONE;
        return;
    case EDGE_TOO_FAR_AHEAD:
        op->state = OP_DONE;
        world_violated(world, 2, "revision %" PRId64 " was called too far ahead", op->revision);
        return;
    case EDGE_NO_ORDER:
        break;
    }
    if (gives_up(op, reply->verdict))
        op->state = OP_DONE;
    else
        again(op);
}

void clients_edge_died(struct world *world, int instance)
{
    struct clients *clients = world->clients;
    for (size_t i = 0; i < clients->count; i++) {
        struct op *op = &clients->ops[i];
        if (op->state == OP_FLYING && op->edge == instance)
            on_reply(op, &(struct edge_reply){.verdict = EDGE_UNKNOWN,
                                              .order_id = op->order_id,
                                              .key = op->key,
                                              .reason = "connection reset"});
    }
}

/* Acts. */

static void send_product(struct edge *edge, struct op *op, struct edge_caller caller)
{
    struct set_product product = {
        .unit_price = op->price, .currency = "EUR", .revision = op->revision};
    snprintf(product.sku, sizeof product.sku, "%s", client_skus[op->sku]);
    snprintf(product.name, sizeof product.name, "Product %s", client_skus[op->sku]);
    edge_set_product(edge, &product, op->key, caller);
}

static void send_stock(struct edge *edge, struct op *op, struct edge_caller caller)
{
    struct stock_adjust adjustment = {.delta = client_stock[op->sku]};
    snprintf(adjustment.sku, sizeof adjustment.sku, "%s", client_skus[op->sku]);
    edge_adjust_stock(edge, &adjustment, op->key, caller);
}

static void send(struct world *world, struct op *op)
{
    struct clients *clients = world->clients;
    const char *customer = clients->customers[op->customer];
    struct edge_caller caller = {on_reply, op, NULL};
    op->edge = (int)chance_below(&world->chance, INSTANCES);
    if (!world_edge(world, op->edge))
        op->edge = 1 - op->edge;
    struct process *process = world_edge(world, op->edge);
    if (!process) {
        again(op);
        return;
    }
    process->wake_ms = 0; /* something has come in by its other door */
    op->state = OP_FLYING;
    op->invoked_ms = world->clock.mono_ms;
    world->coverage.items[COVER_CLIENT_REPEATED] += op->repeat || op->attempts > 0;
    op->attempts++;
    switch (op->kind) {
    case OP_PLACE:
        edge_place(process->edge, customer, op->key, &op->request, caller);
        break;
    case OP_CANCEL:
        edge_cancel(process->edge, customer, op->order_id, caller);
        break;
    case OP_PRODUCT:
        send_product(process->edge, op, caller);
        break;
    case OP_STOCK:
        send_stock(process->edge, op, caller);
        break;
    }
}

/* Looks. */

static void on_order(void *context, const struct edge_order *order)
{
    struct look *look = context;
    look->found = true;
    snprintf(look->status, sizeof look->status, "%s", order->status);
    look->version = order->version;
    look->total = order->total;
}

enum result look_at(struct world *world, struct process *process, struct look *look)
{
    struct err err = {{0}};
    return edge_get_order(process->edge, world->clients->customers[look->op->customer],
                          look->op->order_id, on_order, look, &err);
}

static void read_one(struct world *world)
{
    struct clients *clients = world->clients;
    size_t at = (size_t)chance_below(&world->chance, clients->count);
    if (clients->ops[at].kind != OP_PLACE)
        return;
    struct look look = {.op = &clients->ops[at],
                        .edge = (int)chance_below(&world->chance, INSTANCES)};
    struct process *process = world_edge(world, look.edge);
    if (!process)
        return;
    look.view = &clients->views[first_of(clients, look.op->order_id)][look.edge];
    enum result result = look_at(world, process, &look);
    if (result == NOT_FOUND && look.view->accepted_life == process->lives)
        world_violated(world, 1, "edge-%d answered 202 for order %s and now says 404",
                       look.edge + 1, look.op->order_id);
    if (result != OK || !look.found)
        return;
    if (look.version < look.view->version)
        world_violated(world, 5, "edge-%d showed version %" PRId64 " of order %s after %" PRId64,
                       look.edge + 1, look.version, look.op->order_id, look.view->version);
    look.view->version = look.version;
}

void clients_act(struct world *world)
{
    struct clients *clients = world->clients;
    int64_t now_ms = world->clock.mono_ms;
    if (++clients->turn % TURN_READ == 0)
        read_one(world);
    if (clients->next_ms > now_ms)
        return;
    for (size_t i = 0; i < clients->count; i++)
        if (clients->ops[i].state == OP_WAITING && clients->ops[i].at_ms <= now_ms)
            send(world, &clients->ops[i]);
    clients->next_ms = INT64_MAX;
    for (size_t i = 0; i < clients->count; i++)
        if (clients->ops[i].state == OP_WAITING && clients->ops[i].at_ms < clients->next_ms)
            clients->next_ms = clients->ops[i].at_ms;
}

int64_t clients_deadline_ms(struct world *world)
{
    return world->clients->next_ms;
}

bool clients_stocked(struct world *world)
{
    return world->clients->unlisted == 0 && world->clients->unstocked == 0;
}

bool clients_done(struct world *world)
{
    const struct clients *clients = world->clients;
    for (size_t i = 0; i < clients->count; i++)
        if (clients->ops[i].state != OP_DONE)
            return false;
    return true;
}

FILE *clients_history(struct world *world)
{
    struct buf *history = &world->clients->history;
    return history->size ? fmemopen(history->data, history->size, "r") : NULL;
}
