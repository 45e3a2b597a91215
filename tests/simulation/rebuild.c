/* Promise 7 in small: a read model built anew from the log equals the one that lived through it. */
#include <string.h>

#include "tests/simulation/world.h"

enum { ROUNDS_MAX = 5000 };

static void read_all(struct world *world, struct edge *edge)
{
    size_t size;
    int64_t last = -1;
    struct edge_state state;
    size_t depth = memory_broker_depth(world->broker, STREAM_LOG);
    if (depth > 0)
        memory_broker_stream_at(world->broker, STREAM_LOG, depth - 1, &size, &last);
    for (int i = 0; i < ROUNDS_MAX; i++) {
        edge_round(edge);
        edge_state(edge, &state);
        if (state.next_offset > last && state.backlog == 0)
            return;
    }
    world_violated(world, 5, "a new edge never comes to the end of the log");
}

void rebuild_judge(struct world *world)
{
    struct err err = {{0}};
    char live[65] = "", rebuilt[65] = "";
    struct store *store = NULL;
    struct edge *edge = NULL;
    struct bus *bus = memory_bus_new(world->broker, &world->switches);
    struct bus *log_bus = memory_bus_new(world->broker, &world->switches);
    enum result result = store_open_sqlite("memdb:/sim-rebuilt", STORE_DISPOSABLE, &store, &err);
    if (result == OK)
        result = store_migrate(store, "edge", edge_migrations, edge_migration_count, &err);
    const struct edge_parts parts = {.clock = &world->clock.clock,
                                     .store = store,
                                     .bus = bus,
                                     .log_bus = log_bus,
                                     .switches = world->switches};
    if (result == OK)
        result = edge_new(&parts, NULL, &edge, &err);
    if (result == OK) {
        read_all(world, edge);
        result = edge_read_model_hash(store, rebuilt, &err);
    }
    if (result == OK)
        result = edge_read_model_hash(world->stores[DB_EDGE_1], live, &err);
    if (result != OK)
        world_violated(world, 5, "a read model cannot be rebuilt: %s", err.text);
    else if (strcmp(live, rebuilt) != 0)
        world_violated(world, 5, "a rebuilt read model differs from the living one");
    edge_free(edge);
    bus_free(bus);
    bus_free(log_bus);
    store_free(store);
}
