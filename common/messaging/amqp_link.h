/* One AMQP connection with one channel, blocking, made ready for use; and every librabbitmq error
 * style folded into struct err. For the AMQP bus (on its helper thread) and for deploy. */
#ifndef WARREN_MESSAGING_AMQP_LINK_H
#define WARREN_MESSAGING_AMQP_LINK_H

#ifdef HAVE_RABBITMQ_C_AMQP_H
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif
#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "common/messaging/bus.h"

enum { AMQP_CHANNEL = 1, AMQP_NAME_SIZE = 256, AMQP_HEARTBEAT_S = 15, AMQP_TIMEOUT_MS = 5000 };

/* Where to, and as whom. A plain value: a helper thread keeps a copy of its own. */
struct amqp_target {
    char host[AMQP_NAME_SIZE];
    int port;
    bool tls;
    char ca_file[512];
    char user[AMQP_NAME_SIZE];
    char password[AMQP_NAME_SIZE];
    char vhost[AMQP_NAME_SIZE];
    char name[AMQP_NAME_SIZE];
    int heartbeat_s;
    int timeout_ms; /* for connecting, the login and each call */
};

/* Reads an AMQP URL: amqp[s]://[USER[:PASSWORD]@][HOST][:PORT][/VHOST][?PARAMETERS]. `user` and
 * `password` count where it names nobody, `password` also where it names `user` without one. No VHOST is
 * "/"; an empty one ("amqp://HOST/") is the virtual host of no name. Parameters: `heartbeat` in seconds,
 * `connection_timeout` in milliseconds. INVALID says what is wrong, and never holds the URL: it may hold
 * a password. (docs/adr/0032) */
enum result amqp_target_parse(const char *url, const char *user, const char *password,
                              struct amqp_target *ret_target, struct err *err) WARN_UNUSED;

struct amqp_link {
    amqp_connection_state_t connection; /* NULL: none */
    int fd;
    bool tls;
};

/* Connected, logged in, channel open. `role` is told to the broker after the target's name. RETRY:
 * not reachable; REFUSED: the broker does not want us. */
enum result amqp_link_open(const struct amqp_target *target, const char *role,
                           struct amqp_link *ret_link, struct err *err) WARN_UNUSED;
/* Says goodbye when there is room for it, and waits 100 ms at most for the answer: a polite close
 * hangs. With the answer the broker has read all that was written. */
void amqp_link_farewell(struct amqp_link *link);
/* Drops the connection. Takes an empty link. */
void amqp_link_drop(struct amqp_link *link);
/* Whether a write would find room now, or does within `wait_ms`. */
bool amqp_link_writable(const struct amqp_link *link, int wait_ms);

/* Whether the last call (amqp_queue_declare and the like) went well; else why not. */
enum result amqp_link_check(const struct amqp_link *link, const char *what,
                            struct err *err) WARN_UNUSED;
enum result amqp_reply_check(amqp_rpc_reply_t reply, struct err *err) WARN_UNUSED;
/* Whether these words of the broker's (in an err of REFUSED) are about a queue that it has on record
 * and cannot serve: 541, or 404 for a home node, itself, that is down. Not: a queue that is not there. */
bool amqp_words_of_loss(const char *words);
/* The reply code in such words; 0: they are not the broker's. */
int amqp_words_code(const char *words);
/* A library status (negative). Call it before anything else that may set errno. RETRY, or REFUSED when
 * asking again cannot help: the peer is not whom we believe, or no such broker. */
enum result amqp_status_fail(int status, const char *what, struct err *err);
/* The library's words for a status, and the system's for the call that failed, by errno. */
struct amqp_words {
    char text[160];
};
struct amqp_words amqp_status_words(int status);
/* The reason in a connection.close or channel.close. */
enum result amqp_close_fail(const amqp_method_t *method, struct err *err);

#endif
