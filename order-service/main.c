/* order-service: what it is made of. */
#include "common/runtime/service_main.h"
#include "order-service/order_service.h"

static enum result create(const struct runtime *runtime, const void *context,
                          struct service_made *made, struct err *err)
{
    const struct order_service_options options = {
        .payment_deadline_ms = *(const int64_t *)context * 1000,
        .log = &runtime->log,
    };
    struct order_service *service = NULL;
    enum result result = order_service_new(&options, &service, err);
    made->self = service;
    return result;
}

static void destroy(void *self)
{
    order_service_free(self);
}

static void metrics(void *self, struct buf *out)
{
    order_service_metrics(self, out);
}

int main(int argc, char **argv)
{
    int64_t deadline_s = 30;
    const struct option table[] = {
        {"payment-deadline", "WARREN_PAYMENT_DEADLINE", OPTION_INT, &deadline_s, "SECONDS",
         "an order without a payment's outcome expires after so long", 1, 86400},
    };
    const struct service_program program = {
        .runtime = {"order-service", "Owns orders, catalogue and stock.", 20, table, 1},
        .spec = &order_service_spec,
        .store = "order",
        .migrations = order_migrations,
        .migration_count = order_migration_count,
        .create = create,
        .context = &deadline_s,
        .destroy = destroy,
        .metrics = metrics,
    };
    return service_main(&program, argc, argv);
}
