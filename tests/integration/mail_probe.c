/* Sends mails through the SMTP mailer, as the loop does, and prints what becomes of each attempt:
 *     mail_probe URL TO KEY [KEY...]
 * One line per answer: "KEY OUTCOME RESPONSE". From the environment: PROBE_TIMEOUT_MS, PROBE_TLS
 * (required, never), PROBE_CA, PROBE_TEXT. Keys start together as far as there is room; a key given
 * twice is tried again after its first answer. */
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "notification-service/mailer.h"

static int open_calls;

static void print_answer(void *context, const char *job_id, enum result outcome,
                         const char *response)
{
    (void)context;
    printf("%s %s %s\n", job_id, result_name(outcome), response);
    fflush(stdout);
    open_calls--;
}

static void wait_and_pump(struct effect *mailer)
{
    int64_t now_ms = clock_mono_ms(clock_system());
    int64_t deadline_ms = mailer->ops->deadline_ms(mailer);
    int64_t wait_ms = deadline_ms < now_ms ? 0 : deadline_ms - now_ms;
    struct pollfd fd = {.fd = mailer->ops->fd(mailer), .events = POLLIN};
    poll(&fd, 1, wait_ms > 1000 ? 1000 : (int)wait_ms);
    mailer->ops->pump(mailer, print_answer, NULL);
}

static void send_mail(struct effect *mailer, const char *to, const char *key)
{
    struct mail mail = {.subject = "Your order is confirmed"};
    const char *text = getenv("PROBE_TEXT");
    snprintf(mail.to, sizeof mail.to, "%s", to);
    snprintf(mail.text, sizeof mail.text, "%s", text ? text : "Thank you.\n");
    struct buf request = {0};
    bind_encode(&mail_type, &mail, &request);
    const struct effect_call call = {key, MAILER_MAIL, key, request.data};
    while (mailer->ops->start(mailer, &call) != OK)
        wait_and_pump(mailer);
    open_calls++;
    buf_release(&request);
}

static struct effect *mailer_opened(const char *url)
{
    const char *timeout = getenv("PROBE_TIMEOUT_MS"), *tls = getenv("PROBE_TLS");
    struct mailer_smtp_options options = {
        .url = url,
        .from = "shop@warren.example",
        .timeout_ms = timeout ? strtoll(timeout, NULL, 10) : 5000,
        .ca_file = getenv("PROBE_CA"),
        .in_flight_max = 4,
    };
    if (tls)
        options.tls = strcmp(tls, "required") == 0 ? MAILER_TLS_REQUIRED : MAILER_TLS_NEVER;
    struct effect *mailer = NULL;
    struct err err;
    if (mailer_smtp_new(clock_system(), &options, &mailer, &err) == OK)
        return mailer;
    fprintf(stderr, "%s\n", err_text(&err));
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    struct effect *mailer = mailer_opened(argv[1]);
    for (int i = 3; i < argc; i++) {
        while (open_calls > 0 && strcmp(argv[i], argv[i - 1]) == 0)
            wait_and_pump(mailer);
        send_mail(mailer, argv[2], argv[i]);
    }
    while (open_calls > 0)
        wait_and_pump(mailer);
    effect_free(mailer);
    return 0;
}
