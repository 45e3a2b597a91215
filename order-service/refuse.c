#include <stdio.h>

#include "order-service/state.h"

enum result command_refuse(struct uow *uow, const struct envelope *command, const char *about,
                           const char *reason, struct err *err)
{
    struct command_refused fact = {0};
    snprintf(fact.command_id, sizeof fact.command_id, "%s", command->id.text);
    snprintf(fact.command_type, sizeof fact.command_type, "%s", command->type);
    snprintf(fact.about, sizeof fact.about, "%s", about);
    snprintf(fact.reason, sizeof fact.reason, "%s", reason);
    return uow_publish(uow,
                       &(struct outgoing){
                           .exchange = EVENTS_EXCHANGE,
                           .type = COMMAND_REFUSED,
                           .subject = fact.command_id,
                           .sequence = 1,
                           .payload_type = &command_refused_type,
                           .payload = &fact,
                       },
                       NULL, err);
}
