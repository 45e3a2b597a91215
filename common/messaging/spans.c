/* What the loop tells a collector: a span for each message handled, one for each confirmed. */
#include "common/messaging/spans.h"

#include <stdio.h>
#include <string.h>

#include "common/messaging/service_private.h"
#include "common/telemetry/otlp.h"

static const char *exchange_of(const struct service *service, const char *queue, const char *type)
{
    const struct topology *topology = service->spec->topology;
    for (size_t i = 0; i < topology->binding_count; i++) {
        const struct binding_spec *binding = &topology->bindings[i];
        if (strcmp(binding->queue, queue) == 0 && topic_matches(binding->pattern, type))
            return binding->exchange;
    }
    return "";
}

int64_t spans_begin(const struct service *service, const char *cause, char own[TRACEPARENT_SIZE])
{
    if (!service->parts.otlp) {
        memcpy(own, cause, TRACEPARENT_SIZE);
        return 0;
    }
    trace_child(service->parts.clock, cause, own);
    return service_mono_us(service);
}

void spans_processed(const struct service *service, const struct arrival *arrival,
                     const struct envelope *envelope, const char *own, int64_t begun_us,
                     enum result outcome)
{
    if (!service->parts.otlp)
        return;
    char name[160];
    char destination[128];
    snprintf(destination, sizeof destination, "%s:%s:%s",
             exchange_of(service, arrival->queue, envelope->type), envelope->type, arrival->queue);
    snprintf(name, sizeof name, "process %s", destination);
    const struct span_attribute attributes[] = {
        {"messaging.system", "rabbitmq", 0},
        {"messaging.operation.type", "process", 0},
        {"messaging.operation.name", "process", 0},
        {"messaging.destination.name", destination, 0},
        {"messaging.rabbitmq.destination.routing_key", envelope->type, 0},
        {"messaging.message.id", envelope->id.text, 0},
        {"messaging.message.body.size", NULL, (int64_t)arrival->size},
        {"warren.outcome", result_name(outcome), 0},
    };
    otlp_record(service->parts.otlp,
                &(struct span){.traceparent = own,
                               .parent = envelope->traceparent,
                               .kind = SPAN_CONSUMER,
                               .name = name,
                               .duration_us = service_mono_us(service) - begun_us,
                               .failed = outcome != OK && outcome != DUPLICATE,
                               .attributes = attributes,
                               .attribute_count = sizeof attributes / sizeof attributes[0]});
}

void spans_sent(const struct otlp_send *send)
{
    if (!send->otlp)
        return;
    char name[128];
    char destination[96];
    snprintf(destination, sizeof destination, "%s:%s", send->exchange, send->type);
    snprintf(name, sizeof name, "send %s", destination);
    const struct span_attribute attributes[] = {
        {"messaging.system", "rabbitmq", 0},
        {"messaging.operation.type", "send", 0},
        {"messaging.operation.name", "publish", 0},
        {"messaging.destination.name", destination, 0},
        {"messaging.rabbitmq.destination.routing_key", send->type, 0},
        {"messaging.message.id", send->message_id, 0},
        {"messaging.message.body.size", NULL, (int64_t)send->size},
    };
    otlp_record(send->otlp,
                &(struct span){.traceparent = send->traceparent,
                               .parent = send->parent,
                               .kind = SPAN_PRODUCER,
                               .name = name,
                               .duration_us = send->duration_us,
                               .failed = send->failed,
                               .attributes = attributes,
                               .attribute_count = sizeof attributes / sizeof attributes[0]});
}
