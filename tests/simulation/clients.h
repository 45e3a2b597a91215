/* The people of one seed: customers who order, repeat, cancel and look, and an admin. They keep the
 * history that the audit reads, and watch what a single reader may rely on. */
#ifndef WARREN_SIMULATION_CLIENTS_H
#define WARREN_SIMULATION_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct world;
struct clients;

/* Decides at once what everybody wants to do, and when. */
struct clients *clients_new(struct world *world);
void clients_free(struct clients *clients);
/* Whatever is due now. */
void clients_act(struct world *world);
/* When somebody wants something again; monotonic. */
int64_t clients_deadline_ms(struct world *world);
/* Every product has been listed and has got its first stock. */
bool clients_stocked(struct world *world);
/* Everybody has an answer. */
bool clients_done(struct world *world);
/* Connections to this edge are reset. */
void clients_edge_died(struct world *world, int instance);
/* For the audit; the caller closes it. NULL when nothing was asked. */
FILE *clients_history(struct world *world);
/* What was answered against what is in the stores and read models, once all is quiet. */
void clients_judge(struct world *world);

#endif
