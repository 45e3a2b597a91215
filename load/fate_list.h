/* Orders that exist though nobody was told of them: found in the log of facts or, without it, in
 * the customers' lists. */
#ifndef WARREN_LOAD_FATE_LIST_H
#define WARREN_LOAD_FATE_LIST_H

#include "load/drive.h"

/* What the log says of the run's customers and no key of ours explains: doubled. */
void fate_strangers_check(const struct drive_options *run);
/* Reads every customer's list from the newest back to the one that was the newest before the run.
 * `unnamed` of what is found may be the orders whose sender got no answer; more is doubled. */
void fate_list_check(const struct drive_options *run, const struct order_key *newest,
                     int64_t unnamed);

#endif
