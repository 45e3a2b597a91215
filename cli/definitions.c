#include "cli/definitions.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/files.h"
#include "common/base/buf.h"
#include "common/base/digest.h"

cJSON *definitions_new(void)
{
    static const char *const lists[] = {"vhosts",    "users",   "permissions", "topic_permissions",
                                        "exchanges", "policies"};
    cJSON *document = cJSON_CreateObject();
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        if (!cJSON_AddArrayToObject(document, lists[i]))
            abort();
    return document;
}

static cJSON *object_in(cJSON *document, const char *list)
{
    cJSON *object = cJSON_CreateObject();
    if (!object || !cJSON_AddItemToArray(cJSON_GetObjectItem(document, list), object))
        abort();
    return object;
}

void definitions_vhost(cJSON *document, const char *vhost)
{
    cJSON_AddStringToObject(object_in(document, "vhosts"), "name", vhost);
}

enum { SALT = 4, HASH_TEXT = (SALT + SHA256_SIZE + 2) / 3 * 4 + 1 };

/* What RabbitMQ calls rabbit_password_hashing_sha256: base64(salt, sha256(salt, password)). */
static void password_hash(const struct clock *clock, const char *password, char text[HASH_TEXT])
{
    struct buf salted = {0};
    uint8_t hash[SALT + SHA256_SIZE];
    uint64_t salt = clock_random64(clock);
    memcpy(hash, &salt, SALT);
    buf_append(&salted, &salt, SALT);
    buf_text(&salted, password);
    sha256(salted.data, salted.size, hash + SALT);
    explicit_bzero(salted.data, salted.size);
    buf_release(&salted);
    EVP_EncodeBlock((unsigned char *)text, hash, sizeof hash);
}

void definitions_user(cJSON *document, const struct clock *clock, const char *user,
                      const char *password, const char *tag)
{
    char hash[HASH_TEXT];
    password_hash(clock, password, hash);
    cJSON *entry = object_in(document, "users");
    cJSON_AddStringToObject(entry, "name", user);
    cJSON_AddStringToObject(entry, "password_hash", hash);
    cJSON_AddStringToObject(entry, "hashing_algorithm", "rabbit_password_hashing_sha256");
    cJSON_AddStringToObject(entry, "tags", tag);
}

void definitions_exchange(cJSON *document, const char *vhost, const char *name)
{
    cJSON *entry = object_in(document, "exchanges");
    cJSON_AddStringToObject(entry, "name", name);
    cJSON_AddStringToObject(entry, "vhost", vhost);
    cJSON_AddStringToObject(entry, "type", "topic");
    cJSON_AddBoolToObject(entry, "durable", true);
    cJSON_AddBoolToObject(entry, "auto_delete", false);
    cJSON_AddBoolToObject(entry, "internal", false);
    cJSON_AddItemToObject(entry, "arguments", cJSON_CreateObject());
}

void definitions_permission(cJSON *document, const char *vhost, const char *user,
                            const struct definitions_rights *rights)
{
    cJSON *entry = object_in(document, "permissions");
    cJSON_AddStringToObject(entry, "user", user);
    cJSON_AddStringToObject(entry, "vhost", vhost);
    cJSON_AddStringToObject(entry, "configure", rights->configure);
    cJSON_AddStringToObject(entry, "write", rights->write);
    cJSON_AddStringToObject(entry, "read", rights->read);
}

void definitions_topic(cJSON *document, const char *vhost, const char *user, const char *exchange,
                       const struct definitions_rights *rights)
{
    cJSON *entry = object_in(document, "topic_permissions");
    cJSON_AddStringToObject(entry, "user", user);
    cJSON_AddStringToObject(entry, "vhost", vhost);
    cJSON_AddStringToObject(entry, "exchange", exchange);
    cJSON_AddStringToObject(entry, "write", rights->write);
    cJSON_AddStringToObject(entry, "read", rights->read);
}

cJSON *definitions_policy(cJSON *document, const char *vhost, const char *name, const char *pattern,
                          int priority)
{
    cJSON *entry = object_in(document, "policies");
    cJSON_AddStringToObject(entry, "vhost", vhost);
    cJSON_AddStringToObject(entry, "name", name);
    cJSON_AddStringToObject(entry, "pattern", pattern);
    cJSON_AddStringToObject(entry, "apply-to", "queues");
    cJSON_AddNumberToObject(entry, "priority", priority);
    cJSON *definition = cJSON_AddObjectToObject(entry, "definition");
    if (!definition)
        abort();
    return definition;
}

enum result definitions_write(const cJSON *document, const char *path, struct err *err)
{
    char *text = cJSON_Print(document);
    if (!text)
        abort();
    enum result result = file_write(path, text, strlen(text), err);
    cJSON_free(text);
    return result;
}
