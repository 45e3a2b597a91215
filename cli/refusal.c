#include "cli/refusal.h"

#include <string.h>

#include "common/messaging/amqp_link.h"

/* In the words of RabbitMQ 3.10 and 4.0; the first row that fits counts. */
static const struct row {
    int code;         /* 0: not from the broker */
    const char *text; /* a piece of it; "": any */
    bool passes;      /* by itself, perhaps */
    const char *advice;
} rows[] = {
    {530, "limit", true, "the broker's owner has set a limit that is reached"},
    {530, "is down", true, "the virtual host is there and does not run"},
    {530, "vhost  not found", false,
     "the URL ends in a '/', which is the virtual host without a name: leave the '/' out for the "
     "one "
     "that is called '/', or write the name behind it"},
    {530, "not found", false,
     "there is no such virtual host: make it (rabbitmqctl add_vhost NAME), or name another at the "
     "end "
     "of the URL; a URL without one means '/'"},
    {530, "", false,
     "the user may not use this virtual host (rabbitmqctl set_permissions -p VHOST USER ...)"},
    {403, "Login", false, "the user's name or password is wrong"},
    {403, "", false,
     "the user lacks a right there (rabbitmqctl set_permissions -p VHOST USER ...)"},
    {406, "", false,
     "what is there was declared otherwise: a suite needs it as its tables say. Give it a virtual "
     "host "
     "of its own, or delete what is there, if nothing in it matters"},
    {402, "", false, "the URL's virtual host is none"},
    {0, "verif", false,
     "the certificate is not one to believe: does --amqp-ca name its authority, and does it name "
     "this "
     "host?"},
    {0, "certificate", false, "the file of --amqp-ca cannot be used"},
    {0, "AMQP version", false, "what listens there speaks another protocol"},
    {0, "SASL", false, "the broker takes no passwords (PLAIN)"},
};

static const struct row *find(const char *words)
{
    int code = amqp_words_code(words);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code && strstr(words, rows[i].text))
            return &rows[i];
    return NULL;
}

bool refusal_is_final(enum result result, const char *words)
{
    const struct row *row = result == REFUSED ? find(words) : NULL;
    return result == INVALID || (row && !row->passes);
}

const char *refusal_advice(const char *words)
{
    const struct row *row = find(words);
    return row ? row->advice : "";
}
