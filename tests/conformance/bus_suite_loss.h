/* The part of the suite in which the broker is in trouble. */
#ifndef WARREN_TESTS_CONFORMANCE_BUS_SUITE_LOSS_H
#define WARREN_TESTS_CONFORMANCE_BUS_SUITE_LOSS_H

void suite_alarm_blocks_publishers(void);
void suite_loss_voids_tags_and_tokens(void);
void suite_reconnect_on_demand(void);
void suite_stream_goes_on(void);

#endif
