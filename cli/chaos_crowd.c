#include "cli/chaos_crowd.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/shop.h"
#include "common/base/clock.h"
#include "common/base/id.h"

enum { AGAIN_MS = 200, PATIENCE_MS = 60000, CROWD_MAX = 256, CANCEL_EVERY = 8 };

enum act { ACT_NONE, ACT_PLACE, ACT_CANCEL };

struct customer {
    CURL *easy;
    struct curl_slist *headers;
    enum act act;
    bool busy; /* a request is on its way */
    int64_t due_ms, began_ms, invoked_ns;
    long number; /* of the order */
    char key[64], order_id[64], url[256], body[256];
    char answer[2048];
    size_t answer_size;
};

struct crowd {
    const struct crowd_options *options;
    CURLM *multi;
    struct customer customers[CROWD_MAX];
    struct crowd_counts counts;
    int64_t began_ms, next_ms; /* when the next order is due */
    int64_t due;               /* orders that were due so far, begun or held back */
};

static volatile sig_atomic_t ending;

static void on_term(int number)
{
    (void)number;
    ending = 1;
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static size_t take(char *data, size_t one, size_t size, void *context)
{
    struct customer *customer = context;
    size_t room = sizeof customer->answer - 1 - customer->answer_size;
    size_t fits = size * one < room ? size * one : room;
    memcpy(customer->answer + customer->answer_size, data, fits);
    customer->answer_size += fits;
    customer->answer[customer->answer_size] = '\0';
    return size * one;
}

static void begin_order(struct crowd *crowd, struct customer *customer)
{
    static const char *const skus[] = {"CARROT-1KG", "LETTUCE", "SPADE", "BOOTS", "UMBRELLA"};
    static const char *const cards[] = {
        "tok_visa", "tok_visa", "tok_declined", "tok_visa", "tok_flaky",  "tok_insufficient_funds",
        "tok_visa", "tok_slow", "tok_visa",     "tok_visa", "tok_timeout"};
    enum { SKUS = sizeof skus / sizeof skus[0], CARDS = sizeof cards / sizeof cards[0] };
    long n = crowd->counts.orders++;
    customer->act = ACT_PLACE;
    customer->number = n;
    customer->began_ms = now_ms();
    customer->due_ms = 0;
    snprintf(customer->key, sizeof customer->key, "%.40s-%ld", crowd->options->run, n);
    snprintf(customer->url, sizeof customer->url, "%s/v1/orders", crowd->options->url);
    snprintf(customer->body, sizeof customer->body,
             "{\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld}],\"payment\":{\"token\":\"%s\"}}",
             skus[n % SKUS], 1 + n % 3, cards[n % CARDS]);
}

static void begin_cancel(const struct crowd *crowd, struct customer *customer)
{
    customer->act = ACT_CANCEL;
    snprintf(customer->url, sizeof customer->url, "%s/v1/orders/%s/cancel", crowd->options->url,
             customer->order_id);
    customer->body[0] = '\0';
}

static void send_request(struct crowd *crowd, struct customer *customer)
{
    char line[200];
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    snprintf(line, sizeof line, "Authorization: Bearer %s", crowd->options->bearer);
    headers = curl_slist_append(headers, line);
    if (customer->act == ACT_PLACE) {
        snprintf(line, sizeof line, "Idempotency-Key: %s", customer->key);
        headers = curl_slist_append(headers, line);
        headers = curl_slist_append(headers, "Content-Type: application/json");
    }
    curl_slist_free_all(customer->headers);
    customer->headers = headers;
    customer->answer_size = 0;
    customer->answer[0] = '\0';
    curl_easy_setopt(customer->easy, CURLOPT_URL, customer->url);
    curl_easy_setopt(customer->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(customer->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(customer->body));
    curl_easy_setopt(customer->easy, CURLOPT_POSTFIELDS, customer->body);
    customer->invoked_ns = now_ns();
    customer->busy = true;
    crowd->counts.attempts++;
    curl_multi_add_handle(crowd->multi, customer->easy);
}

/* "unknown" whenever the edge may have heard it. */
static const char *verdict(CURLcode code, long status)
{
    if (code == CURLE_COULDNT_CONNECT)
        return "refused"; /* nothing was sent */
    if (code != CURLE_OK || status == 504 || (status >= 500 && status != 503))
        return "unknown";
    return status < 300 ? "ok" : "refused";
}

static void note_order_id(struct customer *customer)
{
    cJSON *json = cJSON_Parse(customer->answer);
    snprintf(customer->order_id, sizeof customer->order_id, "%s", json_text(json, "order_id"));
    cJSON_Delete(json);
}

static void record(struct crowd *crowd, const struct customer *customer, const char *result,
                   long status)
{
    fprintf(crowd->options->history,
            "{\"op\":\"%s\",\"key\":\"%s\",\"order_id\":\"%s\",\"invoked_ns\":%" PRId64
            ",\"completed_ns\":%" PRId64 ",\"result\":\"%s\",\"http\":%ld}\n",
            customer->act == ACT_PLACE ? "place" : "cancel", customer->key, customer->order_id,
            customer->invoked_ns, now_ns(), result, status);
}

static void next_act(struct crowd *crowd, struct customer *customer, bool ok)
{
    if (customer->act == ACT_PLACE && !ok && now_ms() - customer->began_ms < PATIENCE_MS) {
        customer->due_ms = now_ms() + AGAIN_MS; /* the same again */
        return;
    }
    crowd->counts.given_up += customer->act == ACT_PLACE && !ok;
    crowd->counts.accepted += customer->act == ACT_PLACE && ok;
    if (customer->act == ACT_PLACE && ok && customer->number % CANCEL_EVERY == 0)
        begin_cancel(crowd, customer);
    else
        customer->act = ACT_NONE;
}

static void finish(struct crowd *crowd, struct customer *customer, CURLcode code)
{
    long status = 0;
    curl_easy_getinfo(customer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(crowd->multi, customer->easy);
    customer->busy = false;
    const char *result = verdict(code, status);
    if (customer->act == ACT_PLACE)
        note_order_id(customer);
    record(crowd, customer, result, status);
    crowd->counts.refused += strcmp(result, "refused") == 0;
    crowd->counts.unknown += strcmp(result, "unknown") == 0;
    next_act(crowd, customer, strcmp(result, "ok") == 0);
}

/* The next order, by the clock and not by the answers: one that finds nobody free is held back. */
static void begin_due(struct crowd *crowd)
{
    for (int64_t now = now_ms(); !ending && crowd->next_ms <= now;
         crowd->next_ms = crowd->began_ms + ++crowd->due * 1000 / crowd->options->rate) {
        size_t i = 0;
        while (i < CROWD_MAX && crowd->customers[i].act != ACT_NONE)
            i++;
        if (i < CROWD_MAX)
            begin_order(crowd, &crowd->customers[i]);
        else
            crowd->counts.held_back++;
    }
}

/* Whether anything is still to be done. */
static bool push(struct crowd *crowd)
{
    bool more = !ending;
    begin_due(crowd);
    for (size_t i = 0; i < CROWD_MAX; i++) {
        struct customer *customer = &crowd->customers[i];
        more = more || customer->act != ACT_NONE;
        if (customer->act != ACT_NONE && !customer->busy && customer->due_ms <= now_ms())
            send_request(crowd, customer);
    }
    return more;
}

static void take_answers(struct crowd *crowd)
{
    int running = 0;
    int left = 0;
    CURLMsg *message;
    curl_multi_perform(crowd->multi, &running);
    while ((message = curl_multi_info_read(crowd->multi, &left))) {
        char *context = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
        finish(crowd, (struct customer *)(void *)context, code);
    }
}

static void customer_init(struct customer *customer)
{
    customer->easy = curl_easy_init();
    if (!customer->easy)
        abort();
    curl_easy_setopt(customer->easy, CURLOPT_PRIVATE, (char *)customer);
    curl_easy_setopt(customer->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(customer->easy, CURLOPT_WRITEDATA, customer);
    curl_easy_setopt(customer->easy, CURLOPT_TIMEOUT_MS, 10000L);
    curl_easy_setopt(customer->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(customer->easy, CURLOPT_NOSIGNAL, 1L);
}

void crowd_run(const struct crowd_options *options, struct crowd_counts *ret_counts)
{
    static struct crowd crowd;
    signal(SIGTERM, on_term);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    crowd.options = options;
    crowd.began_ms = crowd.next_ms = now_ms();
    crowd.multi = curl_multi_init();
    for (size_t i = 0; i < CROWD_MAX; i++)
        customer_init(&crowd.customers[i]);
    while (push(&crowd)) {
        take_answers(&crowd);
        curl_multi_poll(crowd.multi, NULL, 0, 10, NULL);
    }
    for (size_t i = 0; i < CROWD_MAX; i++) {
        curl_easy_cleanup(crowd.customers[i].easy);
        curl_slist_free_all(crowd.customers[i].headers);
    }
    curl_multi_cleanup(crowd.multi);
    curl_global_cleanup();
    *ret_counts = crowd.counts;
}
