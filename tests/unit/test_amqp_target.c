/* Broker URLs: whose name counts, and that no secret gets into an error. */
#include <string.h>

#include "common/messaging/amqp_link.h"
#include "tests/unit/unit.h"

static const struct {
    const char *url, *user, *password, *vhost; /* given */
    const char *host;                          /* NULL: refused */
    int port;
    bool tls;
    const char *is_user, *is_password, *is_vhost;
} table[] = {
    {"amqp://h", "u", "p", "w", "h", 5672, false, "u", "p", "w"},
    {"amqp://h:1234/", "u", "p", NULL, "h", 1234, false, "u", "p", "/"},
    {"amqp://a:b@h:1/x", "u", "p", "w", "h", 1, false, "a", "b", "x"},
    {"amqp://a:b%40c@h/%2f", NULL, NULL, "w", "h", 5672, false, "a", "b@c", "/"},
    {"amqps://h", "u", "p", "w", "h", 5671, true, "u", "p", "w"},
    {"amqp://[::1]:5/w", "u", "p", NULL, "::1", 5, false, "u", "p", "w"},
    {"http://secret@h", NULL, NULL, NULL, NULL, 0, false, NULL, NULL, NULL},
    {"amqp://a:secret@h:port", NULL, NULL, NULL, NULL, 0, false, NULL, NULL, NULL},
    {"amqp://a:secret@h:0", NULL, NULL, NULL, NULL, 0, false, NULL, NULL, NULL},
    {"amqp://a:secret@h:65536", NULL, NULL, NULL, NULL, 0, false, NULL, NULL, NULL},
    {"secret", NULL, NULL, NULL, NULL, 0, false, NULL, NULL, NULL},
    {"", NULL, NULL, NULL, NULL, 0, false, NULL, NULL, NULL},
};

static void urls(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct amqp_target target = {.port = -1};
        struct err err = {""};
        enum result result = amqp_target_parse(table[i].url, table[i].user, table[i].password,
                                               table[i].vhost, &target, &err);
        if (!table[i].host) {
            CU_ASSERT_EQUAL(result, INVALID);
            CU_ASSERT_PTR_NULL(strstr(err.text, "secret"));
            CU_ASSERT_EQUAL(target.port, -1);
            continue;
        }
        CU_ASSERT_EQUAL(result, OK);
        CU_ASSERT_STRING_EQUAL(target.host, table[i].host);
        CU_ASSERT_EQUAL(target.port, table[i].port);
        CU_ASSERT_EQUAL(target.tls, table[i].tls);
        CU_ASSERT_STRING_EQUAL(target.user, table[i].is_user);
        CU_ASSERT_STRING_EQUAL(target.password, table[i].is_password);
        CU_ASSERT_STRING_EQUAL(target.vhost, table[i].is_vhost);
    }
}

/* What RabbitMQ 3.10.8 says of a stream on a disk that was full, and of what is just not there. */
static void words_of_loss(void)
{
    static const struct {
        const char *words;
        bool loss;
    } said[] = {
        {"events.log.1: the broker says 541 INTERNAL_ERROR", true},
        {"log: the broker says 404 NOT_FOUND - home node 'warren@localhost' of durable queue "
         "'events.log.1' in vhost 'warren' is down or inaccessible",
         true},
        {"the broker says 404 NOT_FOUND - failed to perform operation on queue 'events.log.1' in "
         "vhost 'warren': its master replica <0.893.0> may be stopping or being demoted",
         true},
        {"the broker says 404 NOT_FOUND - no queue 'events.log.1' in vhost 'warren'", false},
        {"the broker says 403 ACCESS_REFUSED", false},
        {"a socket error occurred", false},
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        CU_ASSERT_EQUAL(amqp_words_of_loss(said[i].words), said[i].loss);
}

static const struct unit_case cases[] = {{"urls", urls}, {"words of loss", words_of_loss}};
UNIT_MAIN("amqp target", cases)
