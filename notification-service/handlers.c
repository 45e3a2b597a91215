#include "notification-service/handlers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/accounts/accounts.h"
#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "contracts/messages.h"
#include "notification-service/heard.h"
#include "notification-service/letter.h"
#include "notification-service/mailer.h"
#include "notification-service/notification_service.h"
#include "notification-service/notification_store.h"

struct notification_service {
    struct store *accounts;
    struct heard heard;
};

enum result notification_service_new(const struct notification_service_options *options,
                                     struct notification_service **ret_service, struct err *err)
{
    struct notification_service *service = calloc(1, sizeof *service);
    if (!service)
        return err_set(err, RETRY, "notification: out of memory");
    if (options)
        service->accounts = options->accounts;
    *ret_service = service;
    return OK;
}

void notification_service_free(struct notification_service *service)
{
    if (!service)
        return;
    heard_release(&service->heard);
    free(service);
}

enum result notification_before_commit(void *self, struct uow *uow, struct err *err)
{
    struct notification_service *service = self;
    return heard_fold(&service->heard, uow_store(uow), err);
}

void notification_forget(void *self)
{
    struct notification_service *service = self;
    heard_forget(&service->heard);
}

/* --- telling ------------------------------------------------------------------ */

/* The fact of a notification that is now sent, the `sequence`th about its order. It is kept, to be said
 * again if need be; the notification notes its id and where. */
static enum result say_sent(struct uow *uow, struct notification *notification, int64_t sequence,
                            struct err *err)
{
    struct notification_sent sent = {.order_version = notification->order_version};
    text_copy(sent.order_id, sizeof sent.order_id, notification->order_id);
    text_copy(sent.customer, sizeof sent.customer, notification->customer);
    text_copy(sent.kind, sizeof sent.kind, notification->kind);
    text_copy(sent.channel, sizeof sent.channel, notification->channel);
    struct outgoing message = {
        .exchange = EXCHANGE_EVENTS,
        .type = NOTIFICATION_SENT,
        .subject = notification->order_id,
        .sequence = sequence,
        .payload_type = &notification_sent_type,
        .payload = &sent,
    };
    struct said said;
    enum result result = uow_publish(uow, &message, &said, err);
    if (result != OK)
        return result;
    text_copy(notification->fact_id, sizeof notification->fact_id, said.id);
    notification->fact_position = said.position;
    return uow_keep(uow, &said, err);
}

static enum result say_again(void *context, const struct store_row *row, struct err *err)
{
    return uow_publish_kept(context, store_row_int(row, 0), err);
}

enum result notification_on_retell(void *self, struct uow *uow, const struct envelope *envelope,
                                   const void *payload, struct err *err)
{
    const struct retell *retell = payload;
    (void)self, (void)envelope;
    return notification_kept(uow_store(uow), retell->order_id, say_again, uow, err);
}

/* --- by mail -------------------------------------------------------------------- */

/* A mailer's request that also says what it is about. */
struct mail_job {
    char order_id[UUID_SIZE];
    int64_t order_version;
    struct mail mail;
};

static const struct bind_field mail_job_fields[] = {
    BIND_TEXT_FIELD(struct mail_job, order_id, BIND_UUID),
    BIND_INT_FIELD(struct mail_job, order_version, 1, COUNT_MAX),
};
static const struct bind_type mail_job_type =
    BIND_TYPE("mail-job", struct mail_job, mail_job_fields);

static void write_job(const struct ending *ending, const struct mail *mail, struct buf *out)
{
    buf_printf(out, "{\"order_id\":\"%s\",\"order_version\":%" PRId64 ",\"to\":", ending->order_id,
               ending->version);
    json_write_text(out, mail->to);
    buf_text(out, ",\"subject\":");
    json_write_text(out, mail->subject);
    buf_text(out, ",\"text\":");
    json_write_text(out, mail->text);
    buf_text(out, "}");
}

static enum result read_job(const char *request, struct mail_job *job, struct err *err)
{
    static const struct json_limits limits = {.max_size = 16384, .max_depth = 4};
    cJSON *json;
    enum result result = json_parse(request, strlen(request), &limits, &json, err);
    if (result != OK)
        return result;
    result = bind_decode(&mail_job_type, json, BIND_OPEN, job, err);
    cJSON_Delete(json);
    return result;
}

static enum result ask_for_mail(struct uow *uow, const struct ending *ending, struct mail *mail,
                                struct err *err)
{
    letter_write(ending, mail);
    char key[80];
    snprintf(key, sizeof key, "mail:%s:%" PRId64, ending->order_id, ending->version);
    struct buf request = {0};
    write_job(ending, mail, &request);
    enum result result = uow_call(uow, MAILER_MAIL, key, request.data, err);
    buf_release(&request);
    return result;
}

/* The customer's address, "" without one, or without a mailer. */
static enum result find_address(const struct notification_service *service, const char *customer,
                                struct mail *mail, struct err *err)
{
    mail->to[0] = '\0';
    if (!service->accounts)
        return OK;
    enum result result =
        accounts_email(service->accounts, customer, mail->to, sizeof mail->to, err);
    if (result == NOT_FOUND)
        return OK;
    if (result != OK) /* another store than ours: it says nothing about this message */
        return err_context(err, RETRY, "accounts");
    if (mail_check_address(mail->to, NULL) != OK)
        mail->to[0] = '\0';
    return OK;
}

/* --- how an order ended ----------------------------------------------------------- */

static struct notification notification_of(const struct ending *ending, const char *channel)
{
    struct notification notification = {.order_version = ending->version};
    text_copy(notification.order_id, sizeof notification.order_id, ending->order_id);
    text_copy(notification.customer, sizeof notification.customer, ending->customer);
    text_copy(notification.kind, sizeof notification.kind, ending->kind);
    text_copy(notification.channel, sizeof notification.channel, channel);
    return notification;
}

static enum result notify(struct notification_service *service, struct uow *uow,
                          const struct ending *ending, struct err *err)
{
    struct mail mail;
    int64_t sent = 0;
    enum result result = find_address(service, ending->customer, &mail, err);
    if (result == OK)
        result = notification_look(uow_store(uow), ending->order_id, ending->version, &sent, err);
    if (result != OK)
        return result;
    bool by_mail = mail.to[0] != '\0';
    struct notification notification =
        notification_of(ending, by_mail ? CHANNEL_EMAIL : CHANNEL_IN_APP);
    if (!by_mail)
        result = say_sent(uow, &notification, sent + 1, err);
    if (result == OK)
        result = notification_insert(uow_store(uow), &notification, uow_now_ms(uow), err);
    return result == OK && by_mail ? ask_for_mail(uow, ending, &mail, err) : result;
}

/* What was told before has been heard too, under whatever id it comes again. */
static enum result hear(struct notification_service *service, struct uow *uow,
                        const struct ending *ending, int64_t settlement, struct err *err)
{
    enum result result = notify(service, uow, ending, err);
    if (result == OK || result == DUPLICATE)
        heard_note(&service->heard, settlement);
    return result;
}

static enum result raise_alert(struct uow *uow, const struct window_alert *alert, struct err *err)
{
    struct id id = uow_new_id(uow);
    int64_t number = 0;
    enum result result = alert_insert(uow_store(uow), alert, id.text, &number, err);
    if (result != OK)
        return result;
    struct alert_raised raised = {
        .alert = "failed-orders", .count = alert->count, .window_ms = WINDOW_MS};
    struct outgoing message = {
        .exchange = EXCHANGE_EVENTS,
        .type = ALERT_RAISED,
        .subject = raised.alert,
        .sequence = number,
        .id = id.text,
        .payload_type = &alert_raised_type,
        .payload = &raised,
    };
    return uow_publish(uow, &message, NULL, err);
}

static enum result count_failure(struct uow *uow, const char *order_id, int64_t at_ms,
                                 struct err *err)
{
    struct window window;
    enum result result = failure_insert(uow_store(uow), order_id, at_ms, &window, err);
    if (result != OK)
        return result == DUPLICATE ? OK : result;
    struct window_alert alerts[WINDOW_FAILURES];
    size_t count = window_alerts(&window, alerts);
    for (size_t i = 0; i < count && result == OK; i++)
        result = raise_alert(uow, &alerts[i], err);
    return result;
}

static enum result on_ended(struct notification_service *service, struct uow *uow, const char *kind,
                            const struct order_ended *ended, struct err *err)
{
    struct ending ending = {
        .kind = kind,
        .order_id = ended->order_id,
        .customer = ended->customer,
        .version = ended->version,
        .reason = ended->reason,
        .currency = ended->currency,
        .total = ended->total,
    };
    return hear(service, uow, &ending, ended->settlement, err);
}

enum result notification_on_confirmed(void *self, struct uow *uow, const struct envelope *envelope,
                                      const void *payload, struct err *err)
{
    (void)envelope;
    return on_ended(self, uow, "confirmed", payload, err);
}

enum result notification_on_cancelled(void *self, struct uow *uow, const struct envelope *envelope,
                                      const void *payload, struct err *err)
{
    (void)envelope;
    return on_ended(self, uow, "cancelled", payload, err);
}

enum result notification_on_expired(void *self, struct uow *uow, const struct envelope *envelope,
                                    const void *payload, struct err *err)
{
    const struct order_ended *ended = payload;
    enum result result = on_ended(self, uow, "expired", payload, err);
    return result == OK ? count_failure(uow, ended->order_id, envelope->time_ms, err) : result;
}

enum result notification_on_rejected(void *self, struct uow *uow, const struct envelope *envelope,
                                     const void *payload, struct err *err)
{
    const struct order_rejected *rejected = payload;
    struct ending ending = {
        .kind = "rejected",
        .order_id = rejected->order_id,
        .customer = rejected->customer,
        .version = rejected->version,
        .reason = rejected->reason,
        .currency = rejected->currency,
        .total = rejected->total,
    };
    enum result result = hear(self, uow, &ending, rejected->settlement, err);
    return result == OK ? count_failure(uow, ending.order_id, envelope->time_ms, err) : result;
}

/* --- the mailer's answer ------------------------------------------------------------- */

static enum result settle(struct uow *uow, struct notification *notification, const char *channel,
                          struct err *err)
{
    int64_t sent = 0;
    text_copy(notification->channel, sizeof notification->channel, channel);
    enum result result =
        notification_count_sent(uow_store(uow), notification->order_id, &sent, err);
    if (result == OK)
        result = say_sent(uow, notification, sent + 1, err);
    return result == OK ? notification_mark_sent(uow_store(uow), notification, uow_now_ms(uow), err)
                        : result;
}

enum result notification_on_mailed(void *self, struct uow *uow, const char *kind, const char *key,
                                   const char *request, enum result outcome, const char *response,
                                   struct err *err)
{
    (void)self, (void)kind;
    struct mail_job job;
    if (outcome != OK && outcome != INVALID)
        return err_set(err, DEFER, "%s: %s", key, response);
    if (read_job(request, &job, err) != OK)
        return DEFER; /* our own words, unreadable: somebody has to look */
    struct notification notification;
    enum result result =
        notification_load(uow_store(uow), job.order_id, job.order_version, &notification, err);
    if (result == NOT_FOUND || (result == OK && notification.fact_id[0]))
        return OK;
    if (result != OK)
        return result;
    /* A mail that no server will ever take: it is in the store, where the customer can see it. */
    return settle(uow, &notification, outcome == OK ? CHANNEL_EMAIL : CHANNEL_IN_APP, err);
}
