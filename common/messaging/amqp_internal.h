/* Inside the AMQP bus only: its parts, one file each.
 *
 *   bus_amqp.c      the bus: states, back-off, the fd
 *   amqp_connect.c  one attempt to connect, on a helper thread
 *   amqp_frames.c   what arrives, frame by frame
 *   amqp_publish.c  the ring of unconfirmed publishes
 *   amqp_burst.h    their frames, until they leave
 *   amqp_consume.c  deliveries and acknowledgements
 *   amqp_link.h     one connection, blocking; errors
 */
#ifndef WARREN_MESSAGING_AMQP_INTERNAL_H
#define WARREN_MESSAGING_AMQP_INTERNAL_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/messaging/amqp_burst.h"
#include "common/messaging/amqp_link.h"
#include "common/messaging/bus_amqp.h"

enum {
    AMQP_CONSUMERS_MAX = 8,
    AMQP_MESSAGE_ID_SIZE = 64,
    AMQP_KEY_SIZE = 256,         /* a short string of AMQP, whole */
    AMQP_FRAMES_PER_PUMP = 2048, /* of each connection */
    AMQP_PROBE_EVERY_MS = 10 * 1000,
    AMQP_PROBE_PATIENCE_MS = 30 * 1000,
};

struct amqp_consumer {
    char queue[AMQP_NAME_SIZE];
    int prefetch;
    bool stream;
    int64_t from_offset;
};

/* What an attempt needs: plain values, since it may outlive the bus. */
struct amqp_plan {
    struct amqp_target target;
    struct amqp_consumer consumers[AMQP_CONSUMERS_MAX];
    size_t consumer_count;
    char log[AMQP_NAME_SIZE]; /* "": none */
    bool without_log;         /* it has been waited for long enough */
    bool consume_only;
    bool confirms;
    bool quiet; /* no consumers any more */
};

struct amqp_attempt;
/* Begins to connect; adds 1 to the eventfd when it is done. NULL: no thread to be had. */
struct amqp_attempt *amqp_attempt_start(const struct amqp_plan *plan, int event_fd,
                                        struct err *err);
/* What an attempt has made: `publish` is empty with consume_only, `consume` without consumers. */
struct amqp_made {
    struct amqp_link publish;
    struct amqp_link consume;
    bool log_refused; /* it failed for this alone: the broker says that the log is not there */
};
/* RETRY: still at it. Otherwise the attempt is over and freed: OK, and the links are the caller's, or
 * it failed. */
enum result amqp_attempt_take(struct amqp_attempt *attempt, struct amqp_made *ret_made,
                              bool *ret_done, struct err *err) WARN_UNUSED;
/* Lets it end by itself. Takes NULL. */
void amqp_attempt_abandon(struct amqp_attempt *attempt);

/* A content (return or delivery) being put together from its frames. */
struct amqp_content {
    bool open;
    bool headed;
    uint64_t body_left;
    struct buf body;
    char message_id[AMQP_MESSAGE_ID_SIZE];
    char key[AMQP_KEY_SIZE];
    int64_t offset;
    uint64_t tag;
    int consumer;
    bool redelivered;
};

enum amqp_slot_state { AMQP_SLOT_FREE, AMQP_SLOT_WAITING, AMQP_SLOT_RETURNED };

struct amqp_slot {
    uint64_t token;
    enum amqp_slot_state state;
    char message_id[AMQP_MESSAGE_ID_SIZE];
};

/* Publishes [head, next) by sequence number, the broker's delivery tag of confirms. */
struct amqp_ring {
    struct amqp_slot *slots;
    size_t window;
    uint64_t head;
    uint64_t next;
    struct amqp_burst burst; /* published, and not given to the socket yet */
    bool stalled;            /* the socket had no room */
};

enum amqp_state { AMQP_STATE_WAITING, AMQP_STATE_CONNECTING, AMQP_STATE_UP };

struct bus_amqp {
    struct bus bus;
    struct amqp_plan plan;
    char app_id[AMQP_NAME_SIZE];
    struct switches switches;
    const struct clock *clock;
    int64_t backoff_min_ms, backoff_max_ms, backoff_ms;

    int epoll_fd;
    int event_fd;
    enum amqp_state state;
    struct amqp_attempt *attempt;
    int64_t wake_ms; /* of the state: next attempt, next look */
    int64_t up_since_ms;
    int64_t log_patience_ms;
    int64_t log_missed_ms; /* since when attempts have failed for the log alone; 0: they have not */
    char log_reason[ERR_TEXT_MAX]; /* up without the log: what the broker says of it */
    bool blocked;
    bool broken; /* `reason` says why; the next pump tears it down */
    char reason[ERR_TEXT_MAX];
    char told[ERR_TEXT_MAX]; /* the reason last told while down */
    int64_t told_ms;
    int64_t probe_ms; /* consume_only: when the stream is next asked whether it can be read */
    bool probe_open;  /* asked since probe_ms, and no answer */
    bool cancels_sent;
    size_t cancels_left; /* without an answer */

    struct amqp_link publish;
    struct amqp_link consume;
    struct amqp_ring ring;
    struct amqp_content returning;
    struct amqp_content arriving;
    uint64_t tag_base;   /* bus tag = base + delivery tag of this connection */
    uint64_t last_tag;   /* the newest handed out */
    uint64_t acked;      /* sent to the broker */
    uint64_t ack_wanted; /* asked for; sent as soon as there is room */
};

/* bus_amqp.c */
void bus_amqp_break(struct bus_amqp *amqp, const char *format, ...) PRINTF_LIKE(2, 3);
void bus_amqp_emit(struct bus_amqp *amqp, const struct bus_event *event);

/* amqp_frames.c */
void amqp_frames_drain(struct bus_amqp *amqp, struct amqp_link *link);
bool amqp_link_has_work(const struct amqp_link *link);
void amqp_content_reset(struct amqp_content *content);

/* amqp_publish.c */
void amqp_ring_reset(struct amqp_ring *ring);
enum result amqp_publish(struct bus_amqp *amqp, const struct bus_message *message, uint64_t token);
void amqp_publish_flush(struct bus_amqp *amqp);
void amqp_publish_confirmed(struct bus_amqp *amqp, uint64_t sequence, bool multiple, bool nacked);
void amqp_publish_returned(struct bus_amqp *amqp, const char *message_id);
/* With `confirms` off: whatever was written counts as confirmed. */
void amqp_publish_assume(struct bus_amqp *amqp);

/* amqp_consume.c */
void amqp_consume_begin(struct bus_amqp *amqp, const amqp_basic_deliver_t *deliver);
bool amqp_consume_is_probe(amqp_bytes_t tag);
void amqp_consume_header(struct amqp_content *content, const amqp_basic_properties_t *properties);
void amqp_consume_complete(struct bus_amqp *amqp);
enum result amqp_consume_ack(struct bus_amqp *amqp, uint64_t tag);
void amqp_consume_flush(struct bus_amqp *amqp);
/* Asks now and then whether the stream can still be read. One whose writer is dead sends nothing and
 * says nothing, and looks to its consumer as if nothing happened: only a new consumer is told. */
void amqp_consume_probe(struct bus_amqp *amqp);
/* A consumer's beginning, or end, that the broker has confirmed. */
void amqp_consume_begun(struct bus_amqp *amqp, amqp_bytes_t tag);
void amqp_consume_ended(struct bus_amqp *amqp, amqp_bytes_t tag);
/* Ends every consumer; each answer is counted off in `cancels_left`. */
void amqp_consume_cancel(struct bus_amqp *amqp);

#endif
