/* payment-service: what it is made of. Its provider is the sandbox, with a ledger of its own. */
#include "common/runtime/service_main.h"
#include "payment-service/payment_service.h"
#include "payment-service/provider.h"

static enum result create(const struct runtime *runtime, const void *context,
                          struct service_made *made, struct err *err)
{
    (void)context;
    made->limits.calls_max = 256; /* as many as a batch: then both cost one fsync each */
    enum result result =
        runtime_store(runtime, "provider/ledger.db", STORE_DURABLE, "ledger", ledger_migrations,
                      ledger_migration_count, &made->extra, err);
    const struct provider_sandbox_options options = {.log = &runtime->log};
    if (result == OK)
        result = provider_sandbox_new(runtime->clock, made->extra, &options, &made->effect, err);
    return result;
}

int main(int argc, char **argv)
{
    const struct service_program program = {
        .runtime = {"payment-service", "Decides about money.", 30, NULL, 0},
        .spec = &payment_service_spec,
        .store = "payment",
        .migrations = payment_migrations,
        .migration_count = payment_migration_count,
        .create = create,
    };
    return service_main(&program, argc, argv);
}
