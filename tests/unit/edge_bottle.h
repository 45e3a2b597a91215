/* An edge in a bottle: broker and database in memory, a clock turned by hand. Facts are put on the
 * stream directly. Aborts when it cannot be. */
#ifndef WARREN_TESTS_UNIT_EDGE_BOTTLE_H
#define WARREN_TESTS_UNIT_EDGE_BOTTLE_H

#include "common/messaging/memory_bus.h"
#include "edge-service/edge.h"

#define ALICE "0190b0c0-0000-7000-8000-00000000a11c"
#define BOB "0190b0c0-0000-7000-8000-000000000b0b"
#define COMMANDS "order.commands"

struct bottle {
    struct manual_clock clock;
    struct memory_broker *broker;
    const struct topology *tables[2];
    char database[64];
    struct store *keeper; /* keeps the database alive, and looks into it */
    struct store *store;
    struct bus *bus, *log_bus;
    struct edge *edge;
    struct edge_limits limits;
    uint64_t chances[MEMORY_FAULT_COUNT]; /* what the broker's questions are answered, % of */
};

void bottle_open(struct bottle *bottle);
void bottle_close(struct bottle *bottle);
void bottle_start(struct bottle *bottle);
/* As a crash does. */
void bottle_kill(struct bottle *bottle);
/* So many rounds of 5 ms each. */
void bottle_run(struct bottle *bottle, int rounds);
/* Up to the end of the next `phase`. */
void bottle_run_to(struct bottle *bottle, enum edge_phase phase);

/* Facts of the suite, as they would arrive. */
void bottle_fact(struct bottle *bottle, const char *source, const char *type, const char *subject,
                 int64_t sequence, const struct bind_type *payload_type, const void *payload);
void bottle_placed(struct bottle *bottle, const char *order_id, const char *customer,
                   const char *request_hash);
void bottle_confirmed(struct bottle *bottle, const char *order_id, const char *customer,
                      int64_t version);
void bottle_captured(struct bottle *bottle, const char *order_id);

/* A command and what came of it. */
struct outcome {
    int calls;
    enum edge_verdict verdict;
    char order_id[UUID_SIZE];
    char key[KEY_SIZE];
};
struct place_request place_of(const char *sku, int64_t quantity);
/* The outcome must live as long as the edge. */
void place(struct bottle *bottle, const char *customer, const char *key, int64_t quantity,
           struct outcome *outcome);
void cancel(struct bottle *bottle, const char *customer, const char *order_id,
            struct outcome *outcome);
struct edge_caller outcome_of(struct outcome *outcome);

/* The status of an order, "" when there is none of this customer. */
struct seen {
    enum result result;
    struct edge_order order;
    char lines[512];
};
struct seen see(struct bottle *bottle, const char *customer, const char *order_id);
/* The timeline's types, joined by a blank. */
void timeline(struct bottle *bottle, const char *customer, const char *order_id, char *out,
              size_t size);
void model_hash(struct bottle *bottle, char hex[65]);

#endif
