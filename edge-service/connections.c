#include "edge-service/connections.h"

#include <sys/socket.h>

void connections_init(struct connections *connections, int64_t step_ms, size_t count_max)
{
    *connections = (struct connections){.step_ms = step_ms, .count_max = count_max};
    TAILQ_INIT(&connections->timed);
    TAILQ_INIT(&connections->idle);
    gates_init(&connections->gates);
}

void connections_release(struct connections *connections)
{
    gates_release(&connections->gates);
}

void connection_pause(struct connections *connections, struct connection *connection)
{
    gate_pause(&connections->gates, &connection->gate);
    if (connection->deadline_mono_ms == 0)
        return;
    TAILQ_REMOVE(&connections->timed, connection, link);
    connection->deadline_mono_ms = 0;
}

void connection_begin(struct connections *connections, struct connection *connection,
                      int64_t now_mono_ms)
{
    connection_pause(connections, connection);
    if (connection->cut)
        return;
    connection->deadline_mono_ms = now_mono_ms + connections->step_ms;
    TAILQ_INSERT_TAIL(&connections->timed, connection, link);
}

void connection_take(struct connections *connections, struct connection *connection)
{
    if (connection->idle)
        TAILQ_REMOVE(&connections->idle, connection, idle_link);
    connection->idle = false;
}

void connection_rest(struct connections *connections, struct connection *connection)
{
    connection_take(connections, connection);
    if (connection->cut)
        return;
    TAILQ_INSERT_TAIL(&connections->idle, connection, idle_link);
    connection->idle = true;
}

static void cut(struct connections *connections, struct connection *connection, enum cut reason)
{
    connection_pause(connections, connection);
    connection_take(connections, connection);
    connection->cut = true;
    connections->count--;
    connections->cut[reason]++;
    (void)shutdown(connection->gate.fd, SHUT_RDWR);
}

void connection_open(struct connections *connections, struct connection *connection, int fd,
                     int64_t now_mono_ms)
{
    gates_add(&connections->gates, &connection->gate, fd);
    struct connection *longest = TAILQ_FIRST(&connections->idle);
    if (connections->count_max > 0 && connections->count >= connections->count_max && longest)
        cut(connections, longest, CUT_FULL);
    connections->count++;
    connection_rest(connections, connection);
    connection_begin(connections, connection, now_mono_ms);
}

void connection_close(struct connections *connections, struct connection *connection)
{
    connection_pause(connections, connection);
    connection_take(connections, connection);
    connections->count -= !connection->cut;
    gates_remove(&connections->gates, &connection->gate);
}

void connections_cut(struct connections *connections, int64_t now_mono_ms)
{
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&connections->timed)) &&
           connection->deadline_mono_ms <= now_mono_ms)
        cut(connections, connection, CUT_LATE);
    /* Its gate is the first thing in it. */
    while ((connection = (struct connection *)gates_stuck(&connections->gates)))
        cut(connections, connection, CUT_STUCK);
}

int64_t connections_deadline_ms(const struct connections *connections)
{
    const struct connection *first = TAILQ_FIRST(&connections->timed);
    return first ? first->deadline_mono_ms : INT64_MAX;
}
