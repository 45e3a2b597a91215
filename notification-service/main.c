/* notification-service: what it is made of. Mail goes out when there is a server to take it. */
#include <string.h>

#include "common/accounts/accounts.h"
#include "common/runtime/service_main.h"
#include "notification-service/mailer.h"
#include "notification-service/notification_service.h"

struct mail_settings {
    const char *url;
    const char *from;
    const char *tls;
    const char *ca_file;
};

static enum result read_tls(const char *text, enum mailer_tls *ret_tls, struct err *err)
{
    static const char *const names[] = {
        [MAILER_TLS_WHEN_OFFERED] = "offered",
        [MAILER_TLS_REQUIRED] = "required",
        [MAILER_TLS_NEVER] = "never",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], text) == 0) {
            *ret_tls = (enum mailer_tls)i;
            return OK;
        }
    }
    return err_set(err, INVALID, "--smtp-tls is offered, required or never");
}

static enum result mailer_create(const struct runtime *runtime, const struct mail_settings *mail,
                                 struct service_made *made, struct err *err)
{
    struct mailer_smtp_options smtp = {.url = mail->url,
                                       .from = mail->from,
                                       .ca_file = mail->ca_file,
                                       .timeout_ms = 10000,
                                       .in_flight_max = 8};
    made->limits.call_timeout_ms = 15000;
    enum result result = read_tls(mail->tls, &smtp.tls, err);
    if (result == OK)
        result = runtime_store(runtime, "store/accounts.db", STORE_DURABLE, "accounts",
                               accounts_migrations, accounts_migration_count, &made->extra, err);
    if (result == OK)
        result = mailer_smtp_new(runtime->clock, &smtp, &made->effect, err);
    return result;
}

static enum result create(const struct runtime *runtime, const void *context,
                          struct service_made *made, struct err *err)
{
    const struct mail_settings *mail = context;
    struct notification_service *service = NULL;
    enum result result = mail->url ? mailer_create(runtime, mail, made, err) : OK;
    const struct notification_service_options options = {.accounts = made->extra};
    if (result == OK)
        result = notification_service_new(&options, &service, err);
    made->self = service;
    return result;
}

static void destroy(void *self)
{
    notification_service_free(self);
}

int main(int argc, char **argv)
{
    struct mail_settings mail = {NULL, "shop@warren.invalid", "offered", NULL};
    const struct option table[] = {
        {"smtp-url", "WARREN_SMTP_URL", OPTION_TEXT, &mail.url, "URL",
         "smtp://HOST:PORT or smtps://; without it no mail is sent", 0, 0},
        {"smtp-from", "WARREN_SMTP_FROM", OPTION_TEXT, &mail.from, "ADDRESS", "who mail is from", 0,
         0},
        {"smtp-tls", "WARREN_SMTP_TLS", OPTION_TEXT, &mail.tls, "WHEN",
         "encrypt when offered (by STARTTLS), required, or never", 0, 0},
        {"smtp-ca", "WARREN_SMTP_CA", OPTION_TEXT, &mail.ca_file, "FILE",
         "whom to trust, PEM; without it whom the system trusts", 0, 0},
    };
    const struct service_program program = {
        .runtime = {"notification-service", "Tells customers; raises alerts.", 40, table, 4},
        .spec = &notification_service_spec,
        .store = "notification",
        .migrations = notification_migrations,
        .migration_count = notification_migration_count,
        .create = create,
        .context = &mail,
        .destroy = destroy,
    };
    return service_main(&program, argc, argv);
}
