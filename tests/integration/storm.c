/* A crowd of customers that does not give up: orders placed over HTTP by CONCURRENCY of them at
 * once, each repeated with its key until it is known to be accepted, and a record of every attempt
 * for `warren audit --history`.
 *
 *     storm URL TOKEN-FILE HISTORY CONCURRENCY MOST
 *
 * Places at most MOST orders; told to end by SIGTERM, it begins no new one and brings those it has
 * begun to their answer. Exits 0 when every order was accepted, 1 when one was not within 3 minutes.
 * The last line of its output counts orders, attempts and those that were refused or unknown. */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/id.h"

enum { PAUSE_MS = 100, AGAIN_MS = 100, PATIENCE_MS = 180000, CROWD_MAX = 256, CANCEL_EVERY = 10 };

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

struct storm {
    const char *url;
    char token[128];
    FILE *history;
    CURLM *multi;
    struct customer crowd[CROWD_MAX];
    size_t crowd_size;
    long most, begun, accepted, attempts, refused, unknown, given_up;
    char run[ID_TEXT_SIZE];
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

/* --- one request -------------------------------------------------------------------- */

static void begin_order(struct storm *storm, struct customer *customer, int64_t now_ms)
{
    static const char *const skus[] = {"CARROT-1KG", "LETTUCE", "SPADE", "BOOTS", "UMBRELLA"};
    static const char *const cards[] = {"tok_visa", "tok_visa",  "tok_visa", "tok_declined",
                                        "tok_visa", "tok_flaky", "tok_visa"};
    long n = storm->begun++;
    customer->act = ACT_PLACE;
    customer->number = n;
    customer->began_ms = now_ms;
    snprintf(customer->key, sizeof customer->key, "storm-%.8s-%ld", storm->run + 28, n);
    snprintf(customer->url, sizeof customer->url, "%s/v1/orders", storm->url);
    snprintf(customer->body, sizeof customer->body,
             "{\"lines\":[{\"sku\":\"%s\",\"quantity\":%ld}],\"payment\":{\"token\":\"%s\"}}",
             skus[n % 5], 1 + n % 3, cards[n % 7]);
}

static void begin_cancel(const struct storm *storm, struct customer *customer)
{
    customer->act = ACT_CANCEL;
    snprintf(customer->url, sizeof customer->url, "%s/v1/orders/%s/cancel", storm->url,
             customer->order_id);
    customer->body[0] = '\0';
}

static void send_request(struct storm *storm, struct customer *customer)
{
    char line[200];
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    snprintf(line, sizeof line, "Authorization: Bearer %s", storm->token);
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
    storm->attempts++;
    curl_multi_add_handle(storm->multi, customer->easy);
}

/* --- its answer --------------------------------------------------------------------- */

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
    const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "order_id"));
    if (id)
        snprintf(customer->order_id, sizeof customer->order_id, "%s", id);
    cJSON_Delete(json);
}

static void record(struct storm *storm, const struct customer *customer, const char *result,
                   long status)
{
    fprintf(storm->history,
            "{\"op\":\"%s\",\"key\":\"%s\",\"order_id\":\"%s\",\"invoked_ns\":%" PRId64
            ",\"completed_ns\":%" PRId64 ",\"result\":\"%s\",\"http\":%ld}\n",
            customer->act == ACT_PLACE ? "place" : "cancel", customer->key, customer->order_id,
            customer->invoked_ns, now_ns(), result, status);
}

static void finish(struct storm *storm, struct customer *customer, CURLcode code)
{
    long status = 0;
    int64_t now_ms = clock_mono_ms(clock_system());
    curl_easy_getinfo(customer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(storm->multi, customer->easy);
    customer->busy = false;
    const char *result = verdict(code, status);
    bool ok = strcmp(result, "ok") == 0;
    if (customer->act == ACT_PLACE) {
        customer->order_id[0] = '\0';
        note_order_id(customer);
    }
    record(storm, customer, result, status);
    storm->refused += strcmp(result, "refused") == 0;
    storm->unknown += strcmp(result, "unknown") == 0;
    customer->due_ms = now_ms + (ok ? PAUSE_MS : AGAIN_MS);
    if (customer->act == ACT_PLACE && !ok && now_ms - customer->began_ms < PATIENCE_MS)
        return; /* the same again */
    storm->given_up += customer->act == ACT_PLACE && !ok;
    storm->accepted += customer->act == ACT_PLACE && ok;
    if (customer->act == ACT_PLACE && ok && customer->number % CANCEL_EVERY == 0)
        begin_cancel(storm, customer);
    else
        customer->act = ACT_NONE;
}

/* --- all of it ---------------------------------------------------------------------- */

/* Whether anything is still to be done. */
static bool push(struct storm *storm)
{
    int64_t now_ms = clock_mono_ms(clock_system());
    bool more = false;
    for (size_t i = 0; i < storm->crowd_size; i++) {
        struct customer *customer = &storm->crowd[i];
        bool may_begin = !ending && storm->begun < storm->most;
        more = more || customer->busy || customer->act != ACT_NONE || may_begin;
        if (customer->busy || customer->due_ms > now_ms)
            continue;
        if (customer->act == ACT_NONE && may_begin)
            begin_order(storm, customer, now_ms);
        if (customer->act != ACT_NONE)
            send_request(storm, customer);
    }
    return more;
}

static void rage(struct storm *storm)
{
    int running = 0;
    int left = 0;
    CURLMsg *message;
    while (push(storm)) {
        curl_multi_perform(storm->multi, &running);
        while ((message = curl_multi_info_read(storm->multi, &left))) {
            char *context = NULL;
            if (message->msg != CURLMSG_DONE)
                continue;
            CURLcode code = message->data.result;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &context);
            finish(storm, (struct customer *)(void *)context, code);
        }
        curl_multi_poll(storm->multi, NULL, 0, 10, NULL);
    }
}

static void crowd_make(struct storm *storm)
{
    for (size_t i = 0; i < storm->crowd_size; i++) {
        struct customer *customer = &storm->crowd[i];
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
}

static void crowd_free(struct storm *storm)
{
    for (size_t i = 0; i < storm->crowd_size; i++) {
        curl_easy_cleanup(storm->crowd[i].easy);
        curl_slist_free_all(storm->crowd[i].headers);
    }
}

static bool open_files(struct storm *storm, const char *token, const char *history)
{
    FILE *file = fopen(token, "re");
    bool got = file && fgets(storm->token, sizeof storm->token, file);
    if (file)
        fclose(file);
    storm->token[strcspn(storm->token, "\n")] = '\0';
    storm->history = got ? fopen(history, "we") : NULL;
    if (storm->history)
        setvbuf(storm->history, NULL, _IOLBF, 0); /* the test reads along */
    return storm->history != NULL;
}

int main(int argc, char **argv)
{
    static struct storm storm;
    if (argc != 6) {
        fprintf(stderr, "usage: storm URL TOKEN-FILE HISTORY CONCURRENCY MOST\n");
        return 2;
    }
    struct id run = id_new(clock_system());
    memcpy(storm.run, run.text, sizeof storm.run);
    storm.url = argv[1];
    storm.crowd_size = (size_t)strtol(argv[4], NULL, 10);
    storm.most = strtol(argv[5], NULL, 10);
    if (storm.crowd_size < 1 || storm.crowd_size > CROWD_MAX ||
        !open_files(&storm, argv[2], argv[3])) {
        fprintf(stderr, "storm: %s, %s or the concurrency is no good\n", argv[2], argv[3]);
        return 2;
    }
    signal(SIGTERM, on_term);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    storm.multi = curl_multi_init();
    crowd_make(&storm);
    rage(&storm);
    crowd_free(&storm);
    curl_multi_cleanup(storm.multi);
    curl_global_cleanup();
    if (fclose(storm.history) != 0)
        return 2;
    printf("%ld orders, %ld attempts, %ld refused, %ld unknown, %ld given up\n", storm.accepted,
           storm.attempts, storm.refused, storm.unknown, storm.given_up);
    return storm.given_up == 0 && storm.accepted > 0 ? 0 : 1;
}
