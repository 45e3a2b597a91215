#include "edge-service/gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HELD_ROOM = 1024, GATES_ROOM = 256, FORGET_STEP = 4096 };

/* NULL: nobody's. */
static _Thread_local struct gates *watched;

enum gate_verdict gate_verdict(const struct gate *gate, uint64_t number)
{
    uint64_t refused = head_refused(&gate->reader);
    if (number == refused)
        return GATE_REFUSED;
    return number <= gate->reader.heads ? GATE_GOOD : GATE_NEVER_SEEN;
}

void gates_init(struct gates *gates)
{
    *gates = (struct gates){.round = 1};
    TAILQ_INIT(&gates->filled);
    TAILQ_INIT(&gates->woken);
}

void gates_release(struct gates *gates)
{
    free(gates->of);
    gates->of = NULL;
    gates->size = 0;
}

static void make_room(struct gates *gates, size_t index)
{
    size_t size = gates->size ? gates->size : GATES_ROOM;
    while (size <= index)
        size *= 2;
    gates->of = realloc(gates->of, size * sizeof(struct gate *));
    if (!gates->of)
        abort();
    memset(gates->of + gates->size, 0, (size - gates->size) * sizeof(struct gate *));
    gates->size = size;
}

void gates_add(struct gates *gates, struct gate *gate, int fd)
{
    if ((size_t)fd >= gates->size)
        make_room(gates, (size_t)fd);
    gates->of[fd] = gate;
    gate->fd = fd;
}

void gates_remove(struct gates *gates, struct gate *gate)
{
    gate_pause(gates, gate);
    gate_wake(gates, gate);
    gates->of[gate->fd] = NULL;
    free(gate->held);
    gate->held = NULL;
}

void gates_begin(struct gates *gates)
{
    gates->round++;
    watched = gates;
}

void gates_end(void)
{
    watched = NULL;
}

void gate_pause(struct gates *gates, struct gate *gate)
{
    if (gate->filled_in == 0)
        return;
    TAILQ_REMOVE(&gates->filled, gate, link);
    gate->filled_in = 0;
}

bool gate_rest(struct gates *gates, struct gate *gate)
{
    gate_wake(gates, gate);
    gate->rests = gate->held_size == 0;
    return gate->rests;
}

void gate_wake(struct gates *gates, struct gate *gate)
{
    gate->rests = false;
    if (!gate->woken)
        return;
    gate->woken = false;
    TAILQ_REMOVE(&gates->woken, gate, wake_link);
}

void gate_leave(struct gates *gates, struct gate *gate)
{
    gate_wake(gates, gate);
    gate->leaves = true;
}

static void note_woken(struct gates *gates, struct gate *gate)
{
    if (!gate->rests)
        return;
    gate->rests = false;
    gate->woken = true;
    TAILQ_INSERT_TAIL(&gates->woken, gate, wake_link);
}

static void note_filled(struct gates *gates, struct gate *gate)
{
    gate_pause(gates, gate);
    gate->filled_in = gates->round;
    TAILQ_INSERT_TAIL(&gates->filled, gate, link);
}

struct gate *gates_stuck(struct gates *gates)
{
    struct gate *gate = TAILQ_FIRST(&gates->filled);
    return gate && gates->round - gate->filled_in > GATE_ROUNDS_MAX ? gate : NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

static void hold(struct gate *gate, const char *bytes, size_t size)
{
    size_t needed = gate->held_size + size;
    if (needed > gate->held_room) {
        gate->held_room = needed > HELD_ROOM ? 2 * needed : HELD_ROOM;
        gate->held = realloc(gate->held, gate->held_room);
        if (!gate->held)
            abort();
    }
    memcpy(gate->held + gate->held_size, bytes, size);
    gate->held_size = needed;
}

/* What comes behind a bad head is nobody's any more. */
static void end_in_order(struct gate *gate)
{
    const char *ending = head_ending(&gate->reader);
    gate->held_size = gate->whole;
    hold(gate, ending, strlen(ending));
    gate->whole = gate->held_size;
    gate->ended = true;
}

static size_t give_held(struct gate *gate, char *bytes, size_t size)
{
    size_t given = gate->whole < size ? gate->whole : size;
    if (given == 0)
        return 0;
    memcpy(bytes, gate->held, given);
    gate->whole -= given;
    gate->held_size -= given;
    memmove(gate->held, gate->held + given, gate->held_size);
    if (gate->held_size == 0) {
        free(gate->held);
        gate->held = NULL;
        gate->held_room = 0;
    }
    return given;
}

/* In the library's own memory: what is not whole is held. Returns what is. */
static size_t look_at(struct gate *gate, char *bytes, size_t size)
{
    size_t whole = head_read(&gate->reader, bytes, &size);
    if (!gate->reader.refusal && whole < size)
        hold(gate, bytes + whole, size - whole);
    return whole;
}

/* Behind what is held. */
static void look_behind(struct gate *gate, const char *bytes, size_t size)
{
    hold(gate, bytes, size);
    gate->whole = head_read(&gate->reader, gate->held, &gate->held_size);
}

/* `came` bytes, with room for `size`. Returns how many there are for the library. */
static size_t take_in(struct gate *gate, char *bytes, size_t came, size_t size)
{
    size_t given = 0;
    if (gate->held_size > 0)
        look_behind(gate, bytes, came);
    else
        given = look_at(gate, bytes, came);
    if (gate->reader.refusal)
        end_in_order(gate);
    return given + give_held(gate, bytes + given, size - given);
}

/* Nobody answers any more: a request that was on its way when the connection was about to end has been
 * refused already (connections.h). Too much of it is the end. */
static ssize_t forget(struct gate *gate)
{
    char bytes[FORGET_STEP];
    ssize_t came;
    while ((came = recvfrom(gate->fd, bytes, sizeof bytes, 0, NULL, NULL)) > 0) {
        gate->forgotten += (size_t)came;
        if (gate->forgotten > HEAD_BODY_MAX)
            return 0;
    }
    return came;
}

/* The library takes a socket for drained when it gets less than it asked for, and then waits to be
 * told of more: so it gets less only when the socket is, and nothing whole is held any more. */
static ssize_t gate_recv(struct gates *gates, struct gate *gate, char *bytes, size_t size)
{
    if (gate->leaves)
        return forget(gate);
    size_t given = give_held(gate, bytes, size);
    ssize_t came = 1;
    bool drained = false;
    while (given < size && !gate->ended && !(drained && given > 0)) {
        size_t room = size - given;
        came = recvfrom(gate->fd, bytes + given, room, 0, NULL, NULL);
        drained = came < (ssize_t)room;
        if (came <= 0)
            break;
        note_woken(gates, gate);
        given += take_in(gate, bytes + given, (size_t)came, room);
    }
    if (given == size)
        note_filled(gates, gate);
    else
        gate_pause(gates, gate);
    if (given > 0)
        return (ssize_t)given;
    if (came > 0)
        errno = EAGAIN;
    return came > 0 ? -1 : came;
}

/* The C library's own is this very call without an address. */
ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    struct gates *gates = watched;
    struct gate *gate = gates && (size_t)fd < gates->size ? gates->of[fd] : NULL;
    if (!gate || flags != 0)
        return recvfrom(fd, bytes, size, flags, NULL, NULL);
    return gate_recv(gates, gate, bytes, size);
}
