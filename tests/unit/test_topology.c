/* Topic patterns as the broker reads them. */
#include "common/messaging/topology.h"
#include "tests/unit/unit.h"

static const struct {
    const char *pattern, *key;
    int matches;
} table[] = {
    {"order.placed", "order.placed", 1},
    {"order.placed", "order.place", 0},
    {"order.place", "order.placed", 0},
    {"order.*", "order.place", 1},
    {"order.*", "order", 0},
    {"order.*", "order.", 1},
    {"order.*", "order.place.again", 0},
    {"order.#", "order", 1},
    {"order.#", "order.place.again", 1},
    {"order.#", "orders", 0},
    {"#", "", 1},
    {"#", "a.b.c", 1},
    {"*", "", 0},
    {"*", "a", 1},
    {"*.*", "a", 0},
    {"#.b", "b", 1},
    {"#.b", "a.a.b", 1},
    {"#.b", "a.b.c", 0},
    {"#.#", "a", 1},
    {"a.#.d", "a.d", 1},
    {"a.#.d", "a.b.c.d", 1},
    {"a.#.d", "a.b.c", 0},
    {"*.#", "", 0},
    {"", "", 1},
    {"", "a", 0},
    {"a", "", 0},
    {"o*", "order", 0},
    {"stock.*", "stock.adjust", 1},
};

static void patterns(void)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (topic_matches(table[i].pattern, table[i].key) != table[i].matches) {
            fprintf(stderr, "'%s' against '%s'\n", table[i].pattern, table[i].key);
            CU_FAIL("topic_matches");
        }
}

static const struct unit_case cases[] = {{"patterns", patterns}};
UNIT_MAIN("topology", cases)
