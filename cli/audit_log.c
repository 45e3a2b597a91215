#include "cli/audit_log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "cli/broker.h"
#include "cli/stream_ends.h"
#include "common/base/text.h"
#include "common/messaging/bus.h"

enum { PREFETCH = 2000, PATIENCE_MS = 10000, KEY_SIZE = 64 };

/* One message that has arrived and has not been asked for yet. */
struct page {
    STAILQ_ENTRY(page) link;
    uint64_t tag;
    int64_t offset;
    char key[KEY_SIZE]; /* a longer one is cut, and no type of ours either way */
    size_t size;
    char body[];
};
STAILQ_HEAD(pages, page);

struct audit_reader {
    struct audit_log log;
    const struct clock *clock;
    struct bus *bus;
    struct stream_ends ends;
    struct pages pages;
    struct page *current; /* lent out */
    int64_t read;         /* the last offset handed out; -1: none */
    char reason[160];     /* why the bus is down */
};

static void on_bus_event(void *context, const struct bus_event *event)
{
    struct audit_reader *reader = context;
    if (event->kind == BUS_DOWN)
        snprintf(reader->reason, sizeof reader->reason, "%s", event->reason ? event->reason : "");
    if (event->kind != BUS_DELIVERY)
        return;
    const struct bus_delivery *delivery = event->delivery;
    struct page *page = malloc(sizeof *page + delivery->size + 1);
    if (!page)
        abort();
    page->tag = delivery->tag;
    page->offset = delivery->offset;
    text_copy(page->key, sizeof page->key, delivery->key);
    page->size = delivery->size;
    memcpy(page->body, delivery->body, delivery->size);
    page->body[delivery->size] = '\0';
    STAILQ_INSERT_TAIL(&reader->pages, page, link);
}

static void wait_for_bus(struct audit_reader *reader)
{
    int64_t now_ms = clock_mono_ms(reader->clock);
    int64_t left_ms = bus_deadline_ms(reader->bus) - now_ms;
    struct pollfd fd = {.fd = bus_fd(reader->bus), .events = POLLIN};
    if (left_ms > 0)
        poll(&fd, 1, left_ms < 200 ? (int)left_ms : 200);
    bus_pump(reader->bus);
}

/* After a reconnect the log may be read again from somewhere before: what has been handed out is
 * not handed out twice. */
static struct page *take_page(struct audit_reader *reader)
{
    struct page *page;
    while ((page = STAILQ_FIRST(&reader->pages))) {
        STAILQ_REMOVE_HEAD(&reader->pages, link);
        if (page->offset > reader->read)
            return page;
        (void)bus_ack(reader->bus, page->tag);
        free(page);
    }
    return NULL;
}

static enum result next_message(void *context, struct audit_message *ret_message, struct err *err)
{
    struct audit_reader *reader = context;
    if (reader->current) {
        (void)bus_ack(reader->bus, reader->current->tag);
        free(reader->current);
        reader->current = NULL;
    }
    if (reader->read >= reader->ends.last)
        return NOT_FOUND;
    int64_t until_ms = clock_mono_ms(reader->clock) + PATIENCE_MS;
    while (!(reader->current = take_page(reader))) {
        if (clock_mono_ms(reader->clock) > until_ms)
            return err_set(err, RETRY, "nothing has come for %d s, %lld of %lld read%s%s",
                           PATIENCE_MS / 1000, (long long)reader->read,
                           (long long)reader->ends.last, reader->reason[0] ? ": " : "",
                           reader->reason);
        wait_for_bus(reader);
    }
    reader->read = reader->current->offset;
    *ret_message = (struct audit_message){reader->current->offset, reader->current->key,
                                          reader->current->body, reader->current->size};
    return OK;
}

/* A log that is not there holds nothing, and that is judged; one that cannot be read now (541, no answer)
 * is not. */
static bool is_lost(enum result result, const struct err *err)
{
    return result == REFUSED && strstr(err_text(err), " 404 ");
}

enum result audit_reader_open(const struct suite *suite, const struct clock *clock,
                              struct audit_reader **ret_reader, struct err *err)
{
    struct audit_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        abort();
    reader->log = (struct audit_log){next_message, reader};
    reader->clock = clock;
    reader->read = -1;
    STAILQ_INIT(&reader->pages);
    const struct bus_subscription subscription = {
        .queue = STREAM_LOG, .prefetch = PREFETCH, .stream = true, .from_offset = OFFSET_FIRST};
    enum result result = stream_ends(suite, STREAM_LOG, &reader->ends, err);
    if (is_lost(result, err)) {
        fprintf(stderr, "warren audit: the log is lost, no fact is in it: %s\n", err_text(err));
        reader->ends = (struct stream_ends){-1, -1};
        *ret_reader = reader;
        return OK;
    }
    if (result == OK)
        result = broker_bus(suite, clock, "warren-audit", &reader->bus, err);
    if (result == OK) {
        bus_listen(reader->bus, on_bus_event, reader);
        result = bus_subscribe(reader->bus, &subscription, err);
    }
    if (result != OK) {
        audit_reader_free(reader);
        return result;
    }
    *ret_reader = reader;
    return OK;
}

void audit_reader_free(struct audit_reader *reader)
{
    struct page *page;
    if (!reader)
        return;
    while ((page = STAILQ_FIRST(&reader->pages))) {
        STAILQ_REMOVE_HEAD(&reader->pages, link);
        free(page);
    }
    free(reader->current);
    bus_free(reader->bus);
    free(reader);
}

int64_t audit_reader_messages(const struct audit_reader *reader)
{
    return reader->ends.first < 0 ? 0 : reader->ends.last - reader->ends.first + 1;
}

const struct audit_log *audit_reader_log(const struct audit_reader *reader)
{
    return &reader->log;
}
