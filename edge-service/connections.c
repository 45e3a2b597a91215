#include "edge-service/connections.h"

#include <string.h>
#include <sys/socket.h>

void connections_init(struct connections *connections, int64_t step_ms, int64_t rest_ms,
                      size_t count_max)
{
    *connections =
        (struct connections){.step_ms = step_ms, .rest_ms = rest_ms, .count_max = count_max};
    TAILQ_INIT(&connections->timed);
    TAILQ_INIT(&connections->resting);
    TAILQ_INIT(&connections->leaving);
    TAILQ_INIT(&connections->idle);
    gates_init(&connections->gates);
}

void connections_release(struct connections *connections)
{
    gates_release(&connections->gates);
}

static void put_into(struct connection_list *list, struct connection *connection,
                     int64_t deadline_mono_ms)
{
    connection->list = list;
    connection->deadline_mono_ms = deadline_mono_ms;
    TAILQ_INSERT_TAIL(list, connection, link);
}

void connection_pause(struct connections *connections, struct connection *connection)
{
    gate_pause(&connections->gates, &connection->gate);
    gate_wake(&connections->gates, &connection->gate);
    if (!connection->list)
        return;
    TAILQ_REMOVE(connection->list, connection, link);
    connection->list = NULL;
}

static bool is_over(const struct connection *connection)
{
    return connection->cut || connection->leaves;
}

void connection_begin(struct connections *connections, struct connection *connection,
                      int64_t now_mono_ms)
{
    if (is_over(connection))
        return;
    connection_pause(connections, connection);
    put_into(&connections->timed, connection, now_mono_ms + connections->step_ms);
}

void connection_take(struct connections *connections, struct connection *connection)
{
    if (connection->idle)
        TAILQ_REMOVE(&connections->idle, connection, idle_link);
    connection->idle = false;
}

static void wait_for_a_request(struct connections *connections, struct connection *connection)
{
    connection_take(connections, connection);
    TAILQ_INSERT_TAIL(&connections->idle, connection, idle_link);
    connection->idle = true;
}

void connection_rest(struct connections *connections, struct connection *connection,
                     int64_t now_mono_ms)
{
    if (is_over(connection))
        return;
    wait_for_a_request(connections, connection);
    connection_pause(connections, connection);
    if (gate_rest(&connections->gates, &connection->gate))
        put_into(&connections->resting, connection, now_mono_ms + connections->rest_ms);
    else
        put_into(&connections->timed, connection, now_mono_ms + connections->step_ms);
}

static void cut(struct connections *connections, struct connection *connection)
{
    connection_pause(connections, connection);
    connection_take(connections, connection);
    connection->cut = true;
    connections->count--;
    (void)shutdown(connection->gate.fd, SHUT_RDWR);
}

/* Between two requests nobody else writes there. Clients know an answer that they have not asked for yet, and
 * a request that crosses it has its own. */
static void say_goodbye(const struct connection *connection)
{
    static const char text[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                               "Content-Length: 0\r\n\r\n";
    (void)!send(connection->gate.fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(connection->gate.fd, SHUT_WR);
}

static void leave(struct connections *connections, struct connection *connection,
                  int64_t now_mono_ms)
{
    connection_pause(connections, connection);
    connection_take(connections, connection);
    gate_leave(&connections->gates, &connection->gate);
    connection->leaves = true;
    say_goodbye(connection);
    put_into(&connections->leaving, connection, now_mono_ms + CONNECTION_FAREWELL_MS);
}

/* One that leaves goes before one that only waits. */
static void make_room(struct connections *connections)
{
    struct connection *one = TAILQ_FIRST(&connections->leaving);
    if (!one) {
        one = TAILQ_FIRST(&connections->idle);
        connections->cut[CUT_FULL] += one != NULL;
    }
    if (!one)
        return;
    if (!one->leaves)
        say_goodbye(one);
    cut(connections, one);
}

void connection_open(struct connections *connections, struct connection *connection, int fd,
                     int64_t now_mono_ms)
{
    gates_add(&connections->gates, &connection->gate, fd);
    if (connections->count_max > 0 && connections->count >= connections->count_max)
        make_room(connections);
    connections->count++;
    wait_for_a_request(connections, connection);
    connection_begin(connections, connection, now_mono_ms);
}

void connection_close(struct connections *connections, struct connection *connection)
{
    connection_pause(connections, connection);
    connection_take(connections, connection);
    connections->count -= !connection->cut;
    gates_remove(&connections->gates, &connection->gate);
}

/* Bytes that nobody has read yet. */
static bool something_came(const struct connection *connection)
{
    char byte;
    return recvfrom(connection->gate.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT, NULL, NULL) > 0;
}

static struct connection *due(const struct connection_list *list, int64_t now_mono_ms)
{
    struct connection *first = TAILQ_FIRST(list);
    return first && first->deadline_mono_ms <= now_mono_ms ? first : NULL;
}

static void end_late(struct connections *connections, struct connection *connection,
                     int64_t now_mono_ms)
{
    connections->cut[CUT_LATE]++;
    if (connection->idle)
        leave(connections, connection, now_mono_ms);
    else
        cut(connections, connection);
}

void connections_cut(struct connections *connections, int64_t now_mono_ms)
{
    struct connection *connection;
    while ((connection = due(&connections->timed, now_mono_ms)))
        end_late(connections, connection, now_mono_ms);
    while ((connection = due(&connections->resting, now_mono_ms)))
        if (something_came(connection)) /* in time, only not read yet */
            connection_begin(connections, connection, now_mono_ms);
        else
            end_late(connections, connection, now_mono_ms);
    while ((connection = due(&connections->leaving, now_mono_ms)))
        cut(connections, connection);
    /* Its gate is the first thing in it. */
    while ((connection = (struct connection *)gates_stuck(&connections->gates))) {
        connections->cut[CUT_STUCK]++;
        cut(connections, connection);
    }
}

void connections_wake(struct connections *connections, int64_t now_mono_ms)
{
    struct connection *connection;
    while ((connection = (struct connection *)TAILQ_FIRST(&connections->gates.woken))) {
        gate_wake(&connections->gates, &connection->gate);
        if (connection->list == &connections->resting)
            connection_begin(connections, connection, now_mono_ms);
    }
}

void connections_dismiss(struct connections *connections, int64_t now_mono_ms)
{
    struct connection *next;
    for (struct connection *one = TAILQ_FIRST(&connections->resting); one; one = next) {
        next = TAILQ_NEXT(one, link);
        if (!something_came(one))
            leave(connections, one, now_mono_ms);
    }
}

int64_t connections_deadline_ms(const struct connections *connections)
{
    const struct connection_list *const lists[] = {&connections->timed, &connections->resting,
                                                   &connections->leaving};
    int64_t deadline = INT64_MAX;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct connection *first = TAILQ_FIRST(lists[i]);
        if (first && first->deadline_mono_ms < deadline)
            deadline = first->deadline_mono_ms;
    }
    return deadline;
}
