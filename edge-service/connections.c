#include "edge-service/connections.h"

#include <sys/socket.h>

void connections_init(struct connections *connections, int64_t step_ms)
{
    *connections = (struct connections){.step_ms = step_ms};
    TAILQ_INIT(&connections->timed);
}

void connection_pause(struct connections *connections, struct connection *connection)
{
    if (connection->deadline_mono_ms == 0)
        return;
    TAILQ_REMOVE(&connections->timed, connection, link);
    connection->deadline_mono_ms = 0;
}

void connection_begin(struct connections *connections, struct connection *connection,
                      int64_t now_mono_ms)
{
    connection_pause(connections, connection);
    connection->deadline_mono_ms = now_mono_ms + connections->step_ms;
    TAILQ_INSERT_TAIL(&connections->timed, connection, link);
}

void connections_cut(struct connections *connections, int64_t now_mono_ms)
{
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&connections->timed)) &&
           connection->deadline_mono_ms <= now_mono_ms) {
        connection_pause(connections, connection);
        connections->cut++;
        (void)shutdown(connection->fd, SHUT_RDWR);
    }
}

int64_t connections_deadline_ms(const struct connections *connections)
{
    const struct connection *first = TAILQ_FIRST(&connections->timed);
    return first ? first->deadline_mono_ms : INT64_MAX;
}
