/* What customers do with their orders. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "edge-service/http_private.h"

static void write_location(char out[64], const char *order_id)
{
    snprintf(out, 64, "/v1/orders/%s", order_id);
}

static void answer_accepted(struct request *request, const struct edge_reply *reply)
{
    char location[64];
    struct buf body = {0};
    write_location(location, reply->order_id);
    buf_printf(&body, "{\"order_id\":\"%s\",\"status\":\"accepted\",\"command_id\":\"%s\"}",
               reply->order_id, reply->command_id);
    answer_header(request, "Location", location);
    if (reply->key[0])
        answer_header(request, "Idempotency-Key", reply->key);
    answer_applied(request);
    answer_json(request, 202, &body);
}

static void answer_not_settled(struct request *request)
{
    const struct edge_reply reply = {
        .order_id = request->order_id, .command_id = request->command_id, .key = request->key};
    answer_accepted(request, &reply);
}

struct looked {
    struct buf body;
    bool settled;
};

static void look(void *context, const struct edge_order *order)
{
    struct looked *looked = context;
    buf_clear(&looked->body);
    write_order(&looked->body, order);
    looked->settled = edge_order_settled(order);
}

/* Settled, or the time is up. */
static void wait_is_over(void *context)
{
    struct request *request = context;
    struct looked looked = {.settled = false};
    enum result result = edge_get_order(request->http->options.edge, request->account.customer.text,
                                        request->order_id, look, &looked, NULL);
    if (result != OK || !looked.settled) {
        buf_release(&looked.body);
        answer_not_settled(request);
        return;
    }
    char text[64];
    answer_applied(request);
    answer_header(request, "Idempotency-Key", request->key);
    write_location(text, request->order_id);
    answer_header(request, "Location", text);
    answer_json(request, 200, &looked.body);
}

static void place_has_fate(void *context, const struct edge_reply *reply)
{
    struct request *request = context;
    if (reply->verdict != EDGE_ACCEPTED) {
        answer_verdict(request, reply);
        return;
    }
    if (request->wait_s == 0) {
        answer_accepted(request, reply);
        return;
    }
    const struct http_options *options = &request->http->options;
    snprintf(request->order_id, sizeof request->order_id, "%s", reply->order_id);
    snprintf(request->command_id, sizeof request->command_id, "%s", reply->command_id);
    snprintf(request->key, sizeof request->key, "%s", reply->key);
    int64_t until = clock_mono_ms(options->clock) + (int64_t)request->wait_s * 1000;
    if (edge_wait(options->edge, request->account.customer.text, reply->order_id, until,
                  wait_is_over, request, NULL) != OK)
        answer_not_settled(request);
}

void handle_place(struct request *request)
{
    struct place_request place;
    char key[KEY_SIZE];
    bool given;
    if (!read_key(request, key, &given) || !read_wait(request) ||
        !read_body(request, &place_request_type, &place))
        return;
    edge_place(request->http->options.edge, request->account.customer.text, given ? key : NULL,
               &place, (struct edge_caller){place_has_fate, request, read_traceparent(request)});
}

static void cancel_has_fate(void *context, const struct edge_reply *reply)
{
    struct request *request = context;
    if (reply->verdict == EDGE_ACCEPTED)
        answer_accepted(request, reply);
    else
        answer_verdict(request, reply);
}

static bool read_order_id(struct request *request)
{
    if (id_valid(request->parameter))
        return true;
    answer_query_failed(request, NOT_FOUND);
    return false;
}

void handle_cancel(struct request *request)
{
    if (read_order_id(request) && read_no_body(request))
        edge_cancel(request->http->options.edge, request->account.customer.text, request->parameter,
                    (struct edge_caller){cancel_has_fate, request, read_traceparent(request)});
}

void handle_get(struct request *request)
{
    struct looked looked = {.settled = false};
    if (!read_order_id(request))
        return;
    enum result result = edge_get_order(request->http->options.edge, request->account.customer.text,
                                        request->parameter, look, &looked, NULL);
    if (result == OK)
        answer_json(request, 200, &looked.body);
    else
        answer_query_failed(request, result);
}

struct page {
    struct buf body;
    int wanted, count;
    struct edge_position last;
};

/* One more than wanted is asked for: its being there tells that there is a next page. */
static void add_to_page(void *context, const struct edge_order *order)
{
    struct page *page = context;
    if (++page->count > page->wanted)
        return;
    if (page->count > 1)
        buf_text(&page->body, ",");
    write_order(&page->body, order);
    page->last.placed_ms = order->placed_ms;
    memcpy(page->last.order_id, order->order_id, sizeof page->last.order_id);
}

void handle_list(struct request *request)
{
    struct page page = {.count = 0};
    struct edge_position behind;
    if (!read_limit(request, &page.wanted) || !read_cursor(request, &behind))
        return;
    buf_text(&page.body, "{\"orders\":[");
    enum result result =
        edge_list_orders(request->http->options.edge, request->account.customer.text,
                         page.wanted + 1, &behind, add_to_page, &page, NULL);
    if (result != OK) {
        buf_release(&page.body);
        answer_query_failed(request, result);
        return;
    }
    buf_text(&page.body, "],\"next_cursor\":");
    if (page.count > page.wanted) {
        buf_text(&page.body, "\"");
        write_cursor(&page.body, &page.last);
        buf_text(&page.body, "\"}");
    } else {
        buf_text(&page.body, "null}");
    }
    answer_json(request, 200, &page.body);
}

struct timeline {
    struct buf body;
    int count;
};

static void add_fact(void *context, const char *cloudevent, size_t size)
{
    struct timeline *timeline = context;
    if (timeline->count++)
        buf_text(&timeline->body, ",");
    buf_append(&timeline->body, cloudevent, size);
}

void handle_timeline(struct request *request)
{
    struct timeline timeline = {.count = 0};
    if (!read_order_id(request))
        return;
    buf_text(&timeline.body, "{\"events\":[");
    enum result result = edge_timeline(request->http->options.edge, request->account.customer.text,
                                       request->parameter, add_fact, &timeline, NULL);
    if (result != OK) {
        buf_release(&timeline.body);
        answer_query_failed(request, result);
        return;
    }
    buf_text(&timeline.body, "]}");
    answer_json(request, 200, &timeline.body);
}
