/* The inside of the HTTP layer: http.c (connections), routes.c (who may do what), orders_http.c,
 * catalogue_http.c, commands_http.c and ops_http.c (handlers), request.c (reading), answer.c (writing). */
#ifndef WARREN_EDGE_SERVICE_HTTP_PRIVATE_H
#define WARREN_EDGE_SERVICE_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <sys/queue.h>

#include "common/accounts/accounts.h"
#include "common/base/bind.h"
#include "common/base/buf.h"
#include "common/telemetry/histogram.h"
#include "common/telemetry/trace.h"
#include "edge-service/buckets.h"
#include "edge-service/connections.h"
#include "edge-service/http.h"
#include "edge-service/lingering.h"
#include "edge-service/token_cache.h"

enum {
    BODY_MAX = 65536,
    BUCKETS = 16384,
    BODY_DEPTH_MAX = 16,
    WAIT_MAX_S = 30,
    PATH_PARAMETER_MAX = 64,
    HEADERS_MAX = 4,
    HTTP_ROUTES_MAX = 32,
    HTTP_STATUSES = 21,
};

struct route;

/* What will be sent. `body` is owned until it is. */
struct answer {
    unsigned status; /* 0: not known yet */
    const char *content_type;
    struct buf body;
    const char *shared_body; /* instead of body: never freed */
    struct {
        const char *name;
        char value[KEY_SIZE];
    } headers[HEADERS_MAX];
    size_t header_count;
};

enum request_stage { STAGE_READING, STAGE_WORKING, STAGE_SUSPENDED, STAGE_RESUMED, STAGE_SENT };

struct request {
    TAILQ_ENTRY(request) ready;
    struct http *http;
    struct MHD_Connection *connection;
    uint64_t number; /* of its connection's, from 1 */
    enum request_stage stage;
    int64_t begun_us;                   /* monotonic */
    char traceparent[TRACEPARENT_SIZE]; /* this request's span, when spans are wanted */
    const struct route *route;
    struct account account;
    char parameter[PATH_PARAMETER_MAX + 1]; /* what stands in the path for {} */
    struct buf body;
    size_t body_seen;
    struct answer answer;
    int wait_s;               /* of Prefer: wait=N, WAIT_MAX_S at most */
    char order_id[UUID_SIZE]; /* of the order that is waited for */
    char command_id[UUID_SIZE];
    char key[KEY_SIZE];
};
TAILQ_HEAD(request_queue, request);

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    int port;
    int fd;
    int quiesced_fd;            /* the listener once quiesced; -1 */
    struct request_queue ready; /* suspended, and answered meanwhile */
    struct request_queue spare; /* over, for the next ones */
    size_t spare_count;
    size_t active;
    struct token_cache tokens;
    struct connections connections;
    struct lingering lingering;
    struct buckets *callers, *addresses, *probes;         /* NULL: no rate */
    uint64_t answers[HTTP_ROUTES_MAX + 1][HTTP_STATUSES]; /* the last row: no route */
    struct histogram accepted;                            /* us: from an order to its 202 */
};

/* http.c. `unread`: of its request there is more to come, which nobody will read. */
void http_answer_begins(struct http *http, struct MHD_Connection *connection, bool unread);
/* Whether it is answered before all of it has been read: refused on its way, or answered to its head. */
bool request_is_unread(const struct request *request);

/* answer.c: each sets the answer of a request, which then goes out by itself. */
void answer_json(struct request *request, unsigned status, struct buf *take_body);
void answer_text(struct request *request, unsigned status, const char *type, struct buf *take_body);
/* `name` becomes "urn:warren:problem:NAME". */
void answer_problem(struct request *request, unsigned status, const char *name, const char *detail,
                    ...) PRINTF_LIKE(4, 5);
void answer_header(struct request *request, const char *name, const char *value);
/* What the edge said about a command, unless it was accepted. */
void answer_verdict(struct request *request, const struct edge_reply *reply);
/* For a query that did not answer OK. */
void answer_query_failed(struct request *request, enum result result);
void write_order(struct buf *out, const struct edge_order *order);
void write_fate(struct buf *out, const struct edge_fate *fate);
/* To whoever waited for a command that was refused. */
void answer_refusal(struct request *request, const struct edge_fate *fate);
/* Preference-Applied, if there was a wait. */
void answer_applied(struct request *request);
enum MHD_Result answer_send(struct request *request);

/* request.c: false when a problem has been answered. */
bool read_key(struct request *request, char key[KEY_SIZE], bool *ret_given);
bool read_wait(struct request *request);
bool check_key_and_wait(struct request *request);
bool read_body(struct request *request, const struct bind_type *type, void *out);
bool read_no_body(struct request *request);
bool read_limit(struct request *request, int *ret_limit);
bool read_cursor(struct request *request, struct edge_position *ret_position);
void write_cursor(struct buf *out, const struct edge_position *position);
/* There is one at most, without white space around it (head.h). NULL: none. */
const char *read_header(struct request *request, const char *name);
/* Content-Encoding, of which there may be several. */
bool read_coding_is_identity(struct request *request);
/* What a command's message is caused by: the header, or this request's own span when spans are
 * wanted. NULL: no header. Whether it is valid is for the edge to say. */
const char *read_traceparent(struct request *request);
/* Tells the collector of it. */
void tell_request_span(struct request *request);

/* routes.c */
enum route_body { BODY_NONE, BODY_JSON };
enum route_access { FOR_ANYBODY, FOR_CUSTOMERS, FOR_ADMINS, FOR_BOTH };
struct route {
    const char *method;
    const char *pattern; /* {} stands for one segment */
    enum route_access access;
    enum route_body body;
    void (*handle)(struct request *request);
    bool (*check_head)(struct request *request); /* what is certain before the body; or NULL */
};
/* NULL: there are no more. */
const struct route *route_at(size_t index);
size_t route_index(const struct route *route);
/* Finds the route and whether the caller may take it; false when that has been answered. */
bool route_admit(struct request *request, const char *method, const char *path);

/* http_metrics.c */
void http_count_answer(struct request *request);
void http_write_metrics(const struct http *http, struct buf *out);

/* Handlers */
void handle_place(struct request *request);
void handle_list(struct request *request);
void handle_get(struct request *request);
void handle_timeline(struct request *request);
void handle_cancel(struct request *request);
void handle_products(struct request *request);
void handle_set_product(struct request *request);
void handle_stock(struct request *request);
void handle_command(struct request *request);
/* commands_http.c: answers the request (its context) that has sent a command about the catalogue, at
 * once or when its wait is over. */
void command_has_verdict(void *context, const struct edge_reply *reply);
void handle_root(struct request *request);
void handle_livez(struct request *request);
void handle_readyz(struct request *request);
void handle_metrics(struct request *request);
void handle_openapi(struct request *request);

#endif
