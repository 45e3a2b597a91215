/* warren order: places an order and tells what happens to it, as it happens. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/exit_codes.h"
#include "cli/follow.h"
#include "common/base/options.h"

static struct {
    struct suite_options where;
    const char *customer;
    const char *email;
    struct option_list lines;
    const char *card;
    const char *key;
    int64_t timeout_s;
    bool json;
} arguments = {.card = "tok_visa", .timeout_s = 60};

static const struct option table[] = {
    SUITE_OPTION_ROWS(&arguments.where),
    {.name = "customer",
     .kind = OPTION_TEXT,
     .value = &arguments.customer,
     .metavar = "NAME",
     .help = "who orders; made when not known yet"},
    {.name = "email",
     .kind = OPTION_TEXT,
     .value = &arguments.email,
     .metavar = "ADDR",
     .help = "the customer's mail address"},
    {.name = "line",
     .kind = OPTION_REPEAT,
     .value = &arguments.lines,
     .metavar = "SKU=QTY",
     .help = "what and how many; several times for several"},
    {.name = "card",
     .kind = OPTION_TEXT,
     .value = &arguments.card,
     .metavar = "TOKEN",
     .help = "tok_visa, tok_declined, tok_insufficient_funds, tok_flaky, tok_timeout, tok_slow"},
    {.name = "key",
     .kind = OPTION_TEXT,
     .value = &arguments.key,
     .metavar = "K",
     .help = "the idempotency key: the same again is the same order"},
    {.name = "timeout",
     .kind = OPTION_INT,
     .value = &arguments.timeout_s,
     .metavar = "SECONDS",
     .help = "how long to wait for the end",
     .min = 1,
     .max = 3600},
    {.name = "json",
     .kind = OPTION_FLAG,
     .value = &arguments.json,
     .help = "print one JSON object at the end instead"},
};

static const struct options options = {
    .program = "warren order",
    .synopsis = "--customer NAME --line SKU=QTY [--line ...] [--card TOKEN]",
    .about = "Places an order over HTTP and follows it until it is settled and the customer told. "
             "Exits 0 confirmed, 3 settled otherwise, 4 not known in time, 5 nobody there, 7 "
             "refused.",
    .table = table,
    .count = sizeof table / sizeof table[0],
};

static void usage(const char *text, const char *which)
{
    fprintf(stderr, "warren order: %s%s\nTry 'warren order --help'.\n", text, which);
    exit(CLI_USAGE);
}

static bool plain_word(const char *text, size_t size)
{
    return size > 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789_-") >= size;
}

/* Only what cannot be sent at all is refused here: the shop has its own opinion on the rest. */
static void read_basket(struct shop_basket *basket)
{
    basket->card = arguments.card;
    if (!plain_word(arguments.card, strlen(arguments.card)))
        usage("--card is no card: ", arguments.card);
    if (arguments.lines.count == 0)
        usage("say what to order: --line SKU=QTY", "");
    if (arguments.lines.count > SHOP_LINES_MAX)
        usage("too many lines", "");
    for (size_t i = 0; i < arguments.lines.count; i++) {
        const char *text = arguments.lines.items[i];
        struct shop_line *line = &basket->lines[i];
        size_t size = strcspn(text, "=");
        char *end = NULL;
        errno = 0;
        line->quantity = text[size] == '=' ? strtoll(text + size + 1, &end, 10) : 0;
        if (!plain_word(text, size) || size >= sizeof line->sku || !end || *end != '\0' ||
            end == text + size + 1 || errno != 0)
            usage("--line is not SKU=QTY: ", text);
        memcpy(line->sku, text, size);
        line->sku[size] = '\0';
    }
    basket->count = arguments.lines.count;
}

static enum cli_exit exit_of(enum result result)
{
    switch (result) {
    case OK:
        return CLI_DONE;
    case REFUSED:
        return CLI_REFUSED;
    case UNKNOWN:
        return CLI_UNKNOWN;
    case INVALID:
        return CLI_USAGE;
    default:
        return CLI_UNREACHABLE;
    }
}

static void print_json(const struct follow *follow, const char *key)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "order_id", follow->order.text);
    cJSON_AddStringToObject(json, "idempotency_key", key);
    cJSON_AddStringToObject(json, "status", follow->status[0] ? follow->status : "accepted");
    cJSON_AddStringToObject(json, "reason", follow->reason);
    cJSON_AddNumberToObject(json, "version", (double)follow->version);
    cJSON_AddNumberToObject(json, "total", (double)follow->total);
    cJSON_AddStringToObject(json, "currency", follow->currency);
    cJSON_AddNumberToObject(json, "settled_ms", (double)follow->settled_ms);
    cJSON_AddItemToObject(
        json, "events", follow->events ? cJSON_Duplicate(follow->events, 1) : cJSON_CreateArray());
    char *text = cJSON_Print(json);
    puts(text);
    free(text);
    cJSON_Delete(json);
}

static enum cli_exit follow_it(struct shop *shop, const struct id *order, const char *key,
                               int64_t began_ms, struct err *err)
{
    struct follow follow;
    follow_begin(&follow, shop, order, began_ms, arguments.json ? NULL : stdout);
    if (!arguments.json)
        printf("order %s\n", order->text);
    follow_tell(follow.out, clock_wall_ms(clock_system()) - began_ms, "accepted",
                "202: the broker has it, it cannot get lost");
    enum result result = follow_until(&follow, FOLLOW_NOTIFIED, arguments.timeout_s * 1000, err);
    enum cli_exit status = exit_of(result);
    if (follow_settled(&follow) && result == UNKNOWN) {
        fprintf(stderr, "warren order: settled, but the notification was not seen in time\n");
        err->text[0] = '\0';
    }
    if (follow_settled(&follow))
        status = strcmp(follow.status, "confirmed") == 0 ? CLI_DONE : CLI_OTHERWISE;
    if (arguments.json)
        print_json(&follow, key);
    else if (follow_settled(&follow))
        printf("%s%s%s\n", follow.status, follow.reason[0] ? ": " : "", follow.reason);
    follow_release(&follow);
    return status;
}

static enum cli_exit run(const struct suite *suite, struct http *http, struct err *err)
{
    struct shop shop;
    struct shop_basket basket = {.count = 0};
    struct id order;
    struct id own_key = id_new(clock_system());
    const char *key = arguments.key ? arguments.key : own_key.text;
    read_basket(&basket);
    enum result result = shop_open(&shop, http, suite, arguments.customer, arguments.email, err);
    if (result != OK)
        return result == INVALID ? CLI_USAGE : result == NOT_FOUND ? CLI_UNREACHABLE : CLI_MACHINE;
    int64_t began_ms = clock_wall_ms(clock_system());
    result = shop_place(&shop, &basket, key, &order, err);
    enum cli_exit status =
        result == OK ? follow_it(&shop, &order, key, began_ms, err) : exit_of(result);
    if (result == UNKNOWN)
        fprintf(stderr, "warren order: perhaps it was accepted; ask again with --key %s\n", key);
    shop_close(&shop);
    return status;
}

int main(int argc, char **argv)
{
    struct err err = {""};
    if (options_parse(&options, argc, argv) != argc)
        usage("unexpected argument", "");
    if (!arguments.customer)
        usage("say who orders: --customer NAME", "");
    struct suite suite = suite_resolve_or_exit(options.program, &arguments.where);
    struct http *http = http_new();
    enum cli_exit status = run(&suite, http, &err);
    if (status != CLI_DONE && status != CLI_OTHERWISE && err.text[0])
        fprintf(stderr, "warren order: %s\n", err.text);
    http_free(http);
    return (int)status;
}
