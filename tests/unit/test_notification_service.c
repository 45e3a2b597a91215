/* notification-service on the real loop: each ending is told once, by the right channel, and the
 * alert is raised by whichever instance sees the fifth failure. */
#include <stdlib.h>
#include <string.h>

#include "common/accounts/accounts.h"
#include "notification-service/mailer.h"
#include "notification-service/notification_service.h"
#include "tests/unit/loop.h"
#include "tests/unit/unit.h"

#define EVENTS "notification.events"

static void must(enum result result, const struct err *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "%s: %s\n", result_name(result), err_text(err));
    abort();
}

/* --- a mailer that does as it is told ------------------------------------------------- */

struct mailbox {
    struct effect effect;
    char job_id[128];
    bool pending;
};

static struct {
    enum result outcomes[8]; /* of the calls to come; then OK */
    size_t started;
    char keys[8][128];
    char last_request[1024];
} post;

static enum result mailbox_start(struct effect *effect, const struct effect_call *call)
{
    struct mailbox *self = (struct mailbox *)effect;
    if (self->pending)
        return RETRY;
    self->pending = true;
    snprintf(self->job_id, sizeof self->job_id, "%s", call->job_id);
    snprintf(post.keys[post.started % 8], sizeof post.keys[0], "%s", call->key);
    snprintf(post.last_request, sizeof post.last_request, "%s", call->request);
    post.started++;
    return OK;
}

static int mailbox_fd(struct effect *effect)
{
    (void)effect;
    return -1;
}

static int64_t mailbox_deadline_ms(struct effect *effect)
{
    return ((struct mailbox *)effect)->pending ? 0 : INT64_MAX;
}

static void mailbox_pump(struct effect *effect, effect_done *done, void *context)
{
    struct mailbox *self = (struct mailbox *)effect;
    if (!self->pending)
        return;
    self->pending = false;
    done(context, self->job_id, post.started <= 8 ? post.outcomes[post.started - 1] : OK, "{}");
}

static void mailbox_release(struct effect *effect)
{
    free(effect);
}

static const struct effect_ops mailbox_ops = {mailbox_start, mailbox_fd, mailbox_deadline_ms,
                                              mailbox_pump, mailbox_release};

/* --- the bottle ----------------------------------------------------------------------- */

static struct loop loop;
static struct store *accounts;
static struct id customer;
static struct notification_service *selves[LOOP_INSTANCES];

static void start(size_t instance, bool by_mail)
{
    struct err err;
    struct notification_service_options options = {.accounts = by_mail ? accounts : NULL};
    struct mailbox *mailbox = NULL;
    if (by_mail) {
        mailbox = calloc(1, sizeof *mailbox);
        if (!mailbox)
            abort();
        mailbox->effect.ops = &mailbox_ops;
    }
    notification_service_free(selves[instance]);
    must(notification_service_new(&options, &selves[instance], &err), &err);
    loop_start(&loop, instance, mailbox ? &mailbox->effect : NULL, selves[instance]);
}

static void set_up(bool by_mail)
{
    static unsigned number;
    char path[64];
    struct err err;
    memset(&post, 0, sizeof post);
    loop_open(&loop, &notification_service_spec, notification_migrations,
              notification_migration_count);
    snprintf(path, sizeof path, "memdb:/accounts-%u", ++number);
    must(store_open_sqlite(path, STORE_DURABLE, &accounts, &err), &err);
    must(store_migrate(accounts, "accounts", accounts_migrations, accounts_migration_count, &err),
         &err);
    must(accounts_customer(accounts, &loop.clock.clock, "alice", &customer, &err), &err);
    must(accounts_set_email(accounts, &customer, "alice@example.org", &err), &err);
    start(0, by_mail);
    loop_run(&loop, 0, 5);
}

static void tear_down(void)
{
    loop_close(&loop);
    store_free(accounts);
    for (size_t i = 0; i < LOOP_INSTANCES; i++) {
        notification_service_free(selves[i]);
        selves[i] = NULL;
    }
}

static void end_order_of(const char *whose, const char *type, unsigned order, int64_t version)
{
    struct order_ended ended = {.version = version, .currency = "EUR", .total = 1000};
    snprintf(ended.order_id, sizeof ended.order_id, "%s", loop_order_id(order));
    snprintf(ended.customer, sizeof ended.customer, "%s", whose);
    if (strcmp(type, ORDER_CONFIRMED) != 0)
        snprintf(ended.reason, sizeof ended.reason, "%s", type + strlen("order."));
    loop_send(&loop, EVENTS, type, ended.order_id, &ended, NULL);
}

static void end_order(const char *type, unsigned order, int64_t version)
{
    end_order_of(customer.text, type, order, version);
}

static void reject(unsigned order)
{
    struct order_rejected rejected = {.version = 2,
                                      .reason = "out-of-stock",
                                      .currency = "EUR",
                                      .line_count = 1,
                                      .lines = {{"SKU-1", "A thing", 1, 1000, 1000}},
                                      .total = 1000};
    snprintf(rejected.order_id, sizeof rejected.order_id, "%s", loop_order_id(order));
    snprintf(rejected.customer, sizeof rejected.customer, "%s", customer.text);
    memset(rejected.request_hash, 'a', sizeof rejected.request_hash - 1);
    loop_send(&loop, EVENTS, ORDER_REJECTED, rejected.order_id, &rejected, NULL);
}

static size_t sent(unsigned order)
{
    return loop_count(&loop, NOTIFICATION_SENT, loop_order_id(order));
}

/* --- in the app --------------------------------------------------------------------------- */

static void each_ending_is_told_once(void)
{
    struct notification_sent fact;
    struct envelope envelope;
    set_up(false);
    end_order(ORDER_CONFIRMED, 1, 2);
    end_order(ORDER_CONFIRMED, 1, 2); /* the same version under another message id */
    reject(2);
    end_order(ORDER_EXPIRED, 3, 3);
    loop_run(&loop, 0, 10);
    end_order(ORDER_CANCELLED, 1, 3);
    loop_run(&loop, 0, 10);
    CU_ASSERT_EQUAL(sent(1), 2);
    CU_ASSERT_EQUAL(sent(2), 1);
    CU_ASSERT_EQUAL(sent(3), 1);
    CU_ASSERT(loop_last(&loop, NOTIFICATION_SENT, loop_order_id(1), &fact, &envelope));
    CU_ASSERT_STRING_EQUAL(fact.kind, "cancelled");
    CU_ASSERT_STRING_EQUAL(fact.channel, "in-app");
    CU_ASSERT_STRING_EQUAL(fact.customer, customer.text);
    CU_ASSERT_EQUAL(fact.order_version, 3);
    CU_ASSERT_EQUAL(envelope.sequence, 2);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM notification WHERE state = 'sent' "
                                       "AND channel = 'in-app' AND fact_id IS NOT NULL"),
                    4);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM failure"), 2);
    tear_down();
}

static void killed_after_any_phase_it_is_told_once(void)
{
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        for (int mail = 0; mail < 2; mail++) {
            set_up(mail);
            end_order(ORDER_CONFIRMED, 1, 2);
            loop_run_to(&loop, 0, (enum phase)phase);
            loop_kill(&loop, 0);
            start(0, mail);
            loop_run_ms(&loop, 0, 1000);
            CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM notification "
                                               "WHERE state = 'sent'"),
                            1);
            CU_ASSERT(sent(1) >= 1); /* the relay may repeat itself */
            tear_down();
        }
}

/* --- by mail ----------------------------------------------------------------------------------- */

static void a_mail_counts_when_the_server_has_it(void)
{
    struct notification_sent fact;
    set_up(true);
    post.outcomes[0] = RETRY;
    post.outcomes[1] = UNKNOWN;
    end_order(ORDER_CONFIRMED, 1, 2);
    loop_run(&loop, 0, 5);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM notification WHERE state = 'queued' "
                                       "AND channel = 'email' AND fact_id IS NULL"),
                    1);
    CU_ASSERT_EQUAL(sent(1), 0);
    loop_run_ms(&loop, 0, 5000);
    CU_ASSERT_EQUAL(post.started, 3);
    CU_ASSERT_STRING_EQUAL(post.keys[0], post.keys[2]);
    CU_ASSERT_PTR_NOT_NULL(strstr(post.last_request, "alice@example.org"));
    CU_ASSERT_EQUAL(sent(1), 1);
    CU_ASSERT(loop_last(&loop, NOTIFICATION_SENT, NULL, &fact, NULL));
    CU_ASSERT_STRING_EQUAL(fact.channel, "email");
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM notification WHERE state = 'sent'"),
                    1);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM job"), 0);
    tear_down();
}

static void the_sequence_follows_the_sending(void)
{
    struct notification_sent fact;
    struct envelope envelope;
    set_up(true);
    post.outcomes[0] = RETRY; /* version 2 is overtaken by version 3 */
    end_order(ORDER_CONFIRMED, 1, 2);
    loop_run(&loop, 0, 3);
    end_order(ORDER_CANCELLED, 1, 3);
    loop_run(&loop, 0, 15);
    CU_ASSERT_EQUAL_FATAL(sent(1), 1);
    CU_ASSERT(loop_last(&loop, NOTIFICATION_SENT, NULL, &fact, &envelope));
    CU_ASSERT_EQUAL(fact.order_version, 3);
    CU_ASSERT_EQUAL(envelope.sequence, 1);
    loop_run_ms(&loop, 0, 3000);
    CU_ASSERT_EQUAL(sent(1), 2);
    CU_ASSERT(loop_last(&loop, NOTIFICATION_SENT, NULL, &fact, &envelope));
    CU_ASSERT_EQUAL(fact.order_version, 2);
    CU_ASSERT_EQUAL(envelope.sequence, 2);
    tear_down();
}

static void a_mail_that_nobody_takes_is_in_the_app(void)
{
    struct notification_sent fact;
    set_up(true);
    post.outcomes[0] = INVALID;
    end_order(ORDER_CONFIRMED, 1, 2);
    loop_run(&loop, 0, 10);
    CU_ASSERT_EQUAL(sent(1), 1);
    CU_ASSERT(loop_last(&loop, NOTIFICATION_SENT, NULL, &fact, NULL));
    CU_ASSERT_STRING_EQUAL(fact.channel, "in-app");
    tear_down();
}

static void who_has_no_address_is_told_in_the_app(void)
{
    struct err err;
    set_up(true);
    end_order_of(CUSTOMER, ORDER_CONFIRMED, 1, 2); /* unknown to the accounts */
    loop_run(&loop, 0, 10);
    must(accounts_set_email(accounts, &customer, "alice@example.org\r\nBcc: eve@example.org", &err),
         &err);
    end_order(ORDER_CONFIRMED, 2, 2);
    loop_run(&loop, 0, 10);
    CU_ASSERT_EQUAL(post.started, 0);
    CU_ASSERT_EQUAL(sent(1) + sent(2), 2);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM notification WHERE state = 'sent' "
                                       "AND channel = 'in-app'"),
                    2);
    tear_down();
}

/* --- the alert -------------------------------------------------------------------------------------- */

static void the_fifth_failure_raises_one_alert(void)
{
    struct alert_raised alert;
    struct envelope envelope;
    set_up(false);
    for (unsigned order = 1; order <= 4; order++)
        reject(order);
    end_order(ORDER_CONFIRMED, 90, 2);
    end_order(ORDER_CANCELLED, 91, 3); /* neither is a failure */
    loop_run(&loop, 0, 10);
    CU_ASSERT_EQUAL(loop_count(&loop, ALERT_RAISED, NULL), 0);
    loop_kill(&loop, 0); /* nothing of it is in memory */
    start(1, false);
    end_order(ORDER_EXPIRED, 5, 3);
    reject(6);
    loop_run(&loop, 1, 10);
    CU_ASSERT_EQUAL(loop_count(&loop, ALERT_RAISED, NULL), 1);
    CU_ASSERT(loop_last(&loop, ALERT_RAISED, "failed-orders", &alert, &envelope));
    CU_ASSERT_EQUAL(alert.count, 5);
    CU_ASSERT_EQUAL(alert.window_ms, 60000);
    CU_ASSERT_EQUAL(envelope.sequence, 1);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM alert WHERE number = 1"), 1);
    manual_clock_advance(&loop.clock, 120000);
    for (unsigned order = 11; order <= 17; order++)
        reject(order);
    loop_run(&loop, 1, 10);
    CU_ASSERT_EQUAL(loop_count(&loop, ALERT_RAISED, NULL), 2);
    CU_ASSERT(loop_last(&loop, ALERT_RAISED, "failed-orders", &alert, &envelope));
    CU_ASSERT_EQUAL(envelope.sequence, 2);
    tear_down();
}

static void the_facts_own_time_counts(void)
{
    set_up(false);
    for (unsigned order = 1; order <= 10; order++) { /* heard together, but slowly happened */
        reject(order);
        manual_clock_advance(&loop.clock, 20000);
    }
    loop_run(&loop, 0, 10);
    CU_ASSERT_EQUAL(loop_number(&loop, "SELECT count(*) FROM failure"), 10);
    CU_ASSERT_EQUAL(loop_count(&loop, ALERT_RAISED, NULL), 0);
    tear_down();
}

static const struct unit_case cases[] = {
    {"each ending is told once", each_ending_is_told_once},
    {"killed after any phase it is told once", killed_after_any_phase_it_is_told_once},
    {"a mail counts when the server has it", a_mail_counts_when_the_server_has_it},
    {"the sequence follows the sending", the_sequence_follows_the_sending},
    {"a mail that nobody takes is in the app", a_mail_that_nobody_takes_is_in_the_app},
    {"who has no address is told in the app", who_has_no_address_is_told_in_the_app},
    {"the fifth failure raises one alert", the_fifth_failure_raises_one_alert},
    {"the facts' own time counts", the_facts_own_time_counts},
};
UNIT_MAIN("notification-service", cases)
