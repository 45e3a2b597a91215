#include "tests/simulation/chance.h"

#include <string.h>

static bool cut_log;

enum result chance_add(const char *name, struct err *err)
{
    if (strcmp(name, "cut-log") != 0)
        return err_set(err, INVALID, "there is no fault '%s'; there is cut-log", name);
    cut_log = true;
    return OK;
}

/* splitmix64, Steele, Lea and Flood 2014. */
uint64_t chance_next(struct chance *chance)
{
    uint64_t z = (chance->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t chance_below(struct chance *chance, uint64_t of)
{
    return of ? chance_next(chance) % of : 0;
}

int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
    return low + (int64_t)chance_below(chance, (uint64_t)(high - low + 1));
}

bool chance_hits(struct chance *chance, uint32_t rate, uint32_t of)
{
    return !chance->calm && rate > 0 && chance_below(chance, of) < rate;
}

uint64_t chance_choose(void *context, enum memory_fault fault, uint64_t of)
{
    struct chance *chance = context;
    if (chance->calm)
        return 0;
    switch (fault) {
    case MEMORY_CUT: /* asked only when a connection has broken */
    case MEMORY_FIRST_QUEUE:
        return chance_below(chance, of);
    case MEMORY_NACK_KEPT:
        return chance_below(chance, 2);
    default:
        break;
    }
    if (!chance_hits(chance, chance->bus[fault], 10000))
        return 0;
    return 1 + chance_below(chance, of - 1);
}

/* Half of the moods do without this fault; the others have it more or less often. */
static uint32_t rate(struct chance *chance, uint32_t most)
{
    static const uint32_t part[] = {0, 0, 0, 10, 30, 100};
    return most * part[chance_below(chance, sizeof part / sizeof part[0])] / 100;
}

void chance_init(struct chance *chance, uint64_t seed)
{
    static const uint32_t most[MEMORY_FAULT_COUNT] = {
        [MEMORY_DROP] = 150,          [MEMORY_STAY_DOWN] = 5000,   [MEMORY_NACK] = 800,
        [MEMORY_DUPLICATE] = 1500,    [MEMORY_HOLD_FRAMES] = 3000, [MEMORY_HOLD_CONFIRM] = 5000,
        [MEMORY_SWAP_CONFIRM] = 5000, [MEMORY_HOLD_QUEUE] = 7000,  [MEMORY_HOLD_MESSAGE] = 5000,
        [MEMORY_NO_ROOM] = 2000,      [MEMORY_SKIP_OFFSET] = 1000, [MEMORY_VANISH] = 1500,
    };
    *chance = (struct chance){.state = seed * 0x2545f4914f6cdd1du + 1};
    for (int i = 0; i < MEMORY_FAULT_COUNT; i++)
        chance->bus[i] = rate(chance, most[i]);
    chance->death = rate(chance, 120);
    chance->unbind = rate(chance, 40);
    chance->block = rate(chance, 40);
    chance->jump = rate(chance, 60);
    chance->back = rate(chance, 30);
    chance->drop_all = rate(chance, 30);
    chance->provider_fail = rate(chance, 4000);
    chance->provider_stall = rate(chance, 4000);
    chance->provider_lose = rate(chance, 4000);
    chance->provider_twice = rate(chance, 4000);
    chance->provider_late = rate(chance, 5000);
    chance->store_busy = rate(chance, 3000);
    chance->store_statement = rate(chance, 80);
    chance->store_commit = rate(chance, 800);
    chance->store_answer = rate(chance, 800);
    chance->never_back = rate(chance, 60);
    chance->skew = rate(chance, 30);
    chance->cut = cut_log ? 20 : 0;
}
