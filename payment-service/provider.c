#include "payment-service/provider.h"

#include <string.h>

#include "common/base/json.h"

static const struct bind_field request_fields[] = {
    BIND_TEXT_FIELD(struct provider_request, order_id, BIND_UUID),
    {.name = "amount",
     .kind = BIND_KIND_INT,
     .need = BIND_OPTIONAL,
     .offset = offsetof(struct provider_request, amount),
     .min = 0,
     .max = AMOUNT_MAX},
    BIND_OPTIONAL_TEXT_FIELD(struct provider_request, currency, BIND_CURRENCY),
    BIND_OPTIONAL_TEXT_FIELD(struct provider_request, token, BIND_TOKEN),
};
const struct bind_type provider_request_type =
    BIND_TYPE("provider-request", struct provider_request, request_fields);

static const struct bind_field answer_fields[] = {
    BIND_TEXT_FIELD(struct provider_answer, result, BIND_WORD),
    {.name = "reference",
     .kind = BIND_KIND_TEXT,
     .need = BIND_OPTIONAL,
     .offset = offsetof(struct provider_answer, reference),
     .size = REFERENCE_SIZE,
     .format = BIND_FREE,
     .min = 1,
     .max = 64},
    BIND_OPTIONAL_TEXT_FIELD(struct provider_answer, reason, BIND_WORD),
};
const struct bind_type provider_answer_type =
    BIND_TYPE("provider-answer", struct provider_answer, answer_fields);

static enum result read_object(const struct bind_type *type, const char *text, void *out,
                               struct err *err)
{
    static const struct json_limits limits = {.max_size = 4096, .max_depth = 4};
    cJSON *json;
    enum result result = json_parse(text, strlen(text), &limits, &json, err);
    if (result != OK)
        return err_context(err, result, "%s", type->name);
    result = bind_decode(type, json, BIND_OPEN, out, err);
    cJSON_Delete(json);
    return result == OK ? OK : err_context(err, result, "%s", type->name);
}

enum result provider_request_read(const char *text, struct provider_request *ret_request,
                                  struct err *err)
{
    return read_object(&provider_request_type, text, ret_request, err);
}

enum result provider_answer_read(const char *text, struct provider_answer *ret_answer,
                                 struct err *err)
{
    return read_object(&provider_answer_type, text, ret_answer, err);
}
