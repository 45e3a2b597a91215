/* Broker URLs, and the words for what goes wrong with a broker: no secret gets into them. */
#include <errno.h>
#include <string.h>

#include "cli/refusal.h"
#include "common/messaging/amqp_link.h"
#include "tests/unit/unit.h"

#define LONG_255                                                                                   \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"             \
    "0123456789abcde"

/* Read as user "u" with password "p". */
static const struct {
    const char *url;
    const char *host;
    int port;
    bool tls;
    const char *user, *password, *vhost;
} table[] = {
    {"amqp://h", "h", 5672, false, "u", "p", "/"},
    {"amqp://h:1234", "h", 1234, false, "u", "p", "/"},
    {"amqp://h:", "h", 5672, false, "u", "p", "/"},
    {"amqp://h/", "h", 5672, false, "u", "p", ""},
    {"amqp://h:1234/", "h", 1234, false, "u", "p", ""},
    {"amqp://h/%2f", "h", 5672, false, "u", "p", "/"},
    {"amqp://h/%2Fa%2fb", "h", 5672, false, "u", "p", "/a/b"},
    {"amqp://h/l%C3%A4den", "h", 5672, false, "u", "p",
     "l\xc3\xa4"
     "den"},
    {"amqp://h/%ff", "h", 5672, false, "u", "p", "\xff"},
    {"amqp://h/v:1", "h", 5672, false, "u", "p", "v:1"},
    {"amqp://a:b@h:1/x", "h", 1, false, "a", "b", "x"},
    {"amqp://guest:guest@localhost", "localhost", 5672, false, "guest", "guest", "/"},
    {"amqp://a:b%40c%3a%2F%3F%25@h", "h", 5672, false, "a", "b@c:/?%", "/"},
    {"amqp://a:b:c@h", "h", 5672, false, "a", "b:c", "/"},
    {"amqp://%c3%bc:%C3%9F@h", "h", 5672, false, "\xc3\xbc", "\xc3\x9f", "/"},
    {"amqp://a@h", "h", 5672, false, "a", "", "/"},
    {"amqp://a:@h", "h", 5672, false, "a", "", "/"},
    {"amqp://u@h", "h", 5672, false, "u", "p", "/"},
    {"amqp://u:@h", "h", 5672, false, "u", "", "/"},
    {"amqp://@h", "h", 5672, false, "", "", "/"},
    {"amqp://:@h", "h", 5672, false, "", "", "/"},
    {"amqps://h", "h", 5671, true, "u", "p", "/"},
    {"AMQPS://H:7", "H", 7, true, "u", "p", "/"},
    {"amqp://", "localhost", 5672, false, "u", "p", "/"},
    {"amqp:///v", "localhost", 5672, false, "u", "p", "v"},
    {"amqp://:7", "localhost", 7, false, "u", "p", "/"},
    {"amqp://[::1]", "::1", 5672, false, "u", "p", "/"},
    {"amqp://[::1]:5/w", "::1", 5, false, "u", "p", "w"},
    {"amqps://a:b@[2001:db8::7]:5/w", "2001:db8::7", 5, true, "a", "b", "w"},
    {"amqp://h%2dost", "h-ost", 5672, false, "u", "p", "/"},
    {"amqp://h?", "h", 5672, false, "u", "p", "/"},
    {"amqp://h/v?&", "h", 5672, false, "u", "p", "v"},
    {"amqp://h/" LONG_255, "h", 5672, false, "u", "p", LONG_255},
};

static void urls(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct amqp_target target = {.port = -1};
        struct err err = {""};
        if (amqp_target_parse(table[i].url, "u", "p", &target, &err) != OK) {
            fprintf(stderr, "%s: %s\n", table[i].url, err.text);
            CU_FAIL("refused");
            continue;
        }
        CU_ASSERT_STRING_EQUAL(target.host, table[i].host);
        CU_ASSERT_EQUAL(target.port, table[i].port);
        CU_ASSERT_EQUAL(target.tls, table[i].tls);
        CU_ASSERT_STRING_EQUAL(target.user, table[i].user);
        CU_ASSERT_STRING_EQUAL(target.password, table[i].password);
        CU_ASSERT_STRING_EQUAL(target.vhost, table[i].vhost);
        CU_ASSERT_EQUAL(target.heartbeat_s, AMQP_HEARTBEAT_S);
        CU_ASSERT_EQUAL(target.timeout_ms, AMQP_TIMEOUT_MS);
    }
}

/* What is wrong is named, and no piece of what may be a password is shown. */
static void refused_urls(void)
{
    static const struct {
        const char *url, *says;
    } refused[] = {
        {"", "must be amqp[s]://"},
        {"secret", "must be amqp[s]://"},
        {"http://secret@h", "must be amqp[s]://"},
        {"amqp:/h", "must be amqp[s]://"},
        {"amqp://a:secret@h:port", "port"},
        {"amqp://a:secret@h:0", "port"},
        {"amqp://a:secret@h:65536", "port"},
        {"amqp://a:secret@h:99999999999999999999", "port"},
        {"amqp://a:secret@h:-1", "port"},
        {"amqp://a:secret@h:1 ", "port"},
        {"amqp://a:sec/ret@h", "%2f"},
        {"amqp://a:sec@ret@h", "%40"},
        {"amqp://a:sec?ret@h", "%3f"},
        {"amqp://a:sec#ret@h", "%23"},
        {"amqp://a:secret%@h", "password: '%'"},
        {"amqp://a:secret%4@h", "password: '%'"},
        {"amqp://a:secret%zz@h", "password: '%'"},
        {"amqp://a%00:secret@h", "user: '%'"},
        {"amqp://h/a%00b", "virtual host: '%'"},
        {"amqp://h/a/b", "%2f"},
        {"amqp://h/" LONG_255 "x", "virtual host is too long"},
        {"amqp://" LONG_255 "x@h", "user is too long"},
        {"amqp://h%20", "host"},
        {"amqp://h,i", "host"},
        {"amqp://::1", "[::1]"},
        {"amqp://[::1", "']'"},
        {"amqp://[::1]5672", "']'"},
        {"amqp://h?heartbeat=0", "heartbeat must be between 1 and 3600"},
        {"amqp://h?heartbeat", "heartbeat must be between"},
        {"amqp://h?heartbeat=", "heartbeat must be between"},
        {"amqp://h?heartbeat=1s", "heartbeat must be between"},
        {"amqp://h?connection_timeout=99", "connection_timeout must be between 100 and 600000"},
        {"amqp://h?channel_max=7", "channel_max: not a parameter"},
        {"amqp://h?heartbeat=5&Secret=1", "not a parameter"},
        {"amqp://h?=secret", "not a parameter"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct amqp_target target = {.port = -1};
        struct err err = {""};
        CU_ASSERT_EQUAL(amqp_target_parse(refused[i].url, "u", "p", &target, &err), INVALID);
        if (!strstr(err.text, refused[i].says)) {
            fprintf(stderr, "%s: %s\n", refused[i].url, err.text);
            CU_FAIL("says something else");
        }
        CU_ASSERT_PTR_NULL(strcasestr(err.text, "secret"));
        CU_ASSERT_PTR_NULL(strstr(err.text, "ret@"));
        CU_ASSERT_EQUAL(target.port, -1);
    }
}

static void parameters(void)
{
    struct amqp_target target;
    CU_ASSERT_EQUAL(amqp_target_parse("amqp://h/v?heartbeat=7&connection_timeout=2500", NULL, NULL,
                                      &target, NULL),
                    OK);
    CU_ASSERT_EQUAL(target.heartbeat_s, 7);
    CU_ASSERT_EQUAL(target.timeout_ms, 2500);
    CU_ASSERT_STRING_EQUAL(target.vhost, "v");
    CU_ASSERT_STRING_EQUAL(target.user, "");
}

/* "Socket error" alone helps nobody; "again" would mislead. */
static void words_of_a_socket(void)
{
    errno = ECONNRESET;
    CU_ASSERT_PTR_NOT_NULL(
        strstr(amqp_status_words(AMQP_STATUS_SOCKET_ERROR).text, strerror(ECONNRESET)));
    CU_ASSERT_PTR_NULL(strstr(amqp_status_words(AMQP_STATUS_TIMEOUT).text, strerror(ECONNRESET)));
    errno = EAGAIN;
    CU_ASSERT_STRING_EQUAL(amqp_status_words(AMQP_STATUS_SOCKET_ERROR).text,
                           amqp_error_string2(AMQP_STATUS_SOCKET_ERROR));
}

static void finality(void)
{
    static const struct {
        enum result result;
        const char *words;
        bool final;
    } said[] = {
        {REFUSED, "login: the broker says 530 NOT_ALLOWED - vhost w not found", true},
        {REFUSED,
         "login: the broker says 530 NOT_ALLOWED - access to vhost 'w' refused for user 'u'", true},
        {REFUSED,
         "login: the broker says 530 NOT_ALLOWED - access to vhost 'w' refused for user 'u': "
         "connection limit (3) is reached",
         false},
        {REFUSED, "login: the broker says 530 NOT_ALLOWED - vhost 'w' is down", false},
        {REFUSED, "login: the broker says 403 ACCESS_REFUSED - Login was refused using", true},
        {REFUSED, "the broker says 406 PRECONDITION_FAILED - inequivalent arg 'x-max-length'",
         true},
        {REFUSED, "the broker says 541 INTERNAL_ERROR", false},
        {REFUSED, "the broker says 404 NOT_FOUND - home node 'a@b' of durable queue", false},
        {REFUSED, "connect: SSL peer verify failed", true},
        {RETRY, "connect: a socket error occurred: Connection refused", false},
        {RETRY, "the broker says 320 CONNECTION_FORCED - broker forced connection closure", false},
        {INVALID, "broker URL: anything", true},
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        CU_ASSERT_EQUAL(refusal_is_final(said[i].result, said[i].words), said[i].final);
        if (said[i].final && said[i].result == REFUSED)
            CU_ASSERT_NOT_EQUAL(refusal_advice(said[i].words)[0], '\0');
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

static const struct unit_case cases[] = {{"urls", urls},
                                         {"refused URLs", refused_urls},
                                         {"parameters", parameters},
                                         {"words of a socket", words_of_a_socket},
                                         {"words of loss", words_of_loss},
                                         {"what is final", finality}};
UNIT_MAIN("amqp target", cases)
