/* Guests of the bus: which keys there are, what the broker is told of them, what is kept. In a directory
 * of its own. */
#include <ftw.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/definitions.h"
#include "cli/files.h"
#include "cli/guests.h"
#include "common/messaging/topology.h"
#include "tests/unit/unit.h"

static char place[256]; /* removed at the end */

static void names(void)
{
    static const char *const good[] = {"a", "parcel", "p-1", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const bad[] = {
        "",   "1a", "-a",  "A",   "a.b",      "a/b",
        "..", "a ", "a\n", "a_b", "\xc3\xa4", "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT_TRUE(guest_name_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_FALSE(guest_name_valid(bad[i]));
}

static void keys(void)
{
    static const char *const good[] = {"#", "*", "order.*", "order.#", "order.placed", "*.*.x-1"};
    static const char *const bad[] = {
        "",        ".",   "order.", ".order",     "a..b",  "#.order", "a.#.b",   "##",        "a*",
        "Order.*", "a b", "a.b\n",  "a.\xc3\xa4", "(a|b)", "a.[b]",   "order.+", "{username}"};
    struct guest guest = {.name = "x"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        for (int twice = 0; twice < 2; twice++)
            CU_ASSERT_EQUAL(guest_hear(&guest, good[i], NULL), OK);
    CU_ASSERT_EQUAL(guest.hear.count, sizeof good / sizeof good[0]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {""};
        if (guest_hear(&guest, bad[i], &err) != INVALID || !err.text[0])
            CU_FAIL(bad[i]);
    }
    CU_ASSERT_EQUAL(guest.hear.count, sizeof good / sizeof good[0]);
    for (int i = 0; guest.hear.count < GUEST_KEYS_MAX; i++) {
        char key[8];
        snprintf(key, sizeof key, "k%d", i);
        CU_ASSERT_EQUAL_FATAL(guest_hear(&guest, key, NULL), OK);
    }
    CU_ASSERT_EQUAL(guest_hear(&guest, "one-more", NULL), INVALID);
}

static void only_neighbours_speak(void)
{
    static const char *const good[] = {"neighbour.*", "neighbour.#", "neighbour.a.b"};
    static const char *const bad[] = {"neighbour", "neighbours.a", "neighbour.",  "#",
                                      "*.a",       "order.placed", "xneighbour.a"};
    struct guest guest = {.name = "x"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CU_ASSERT_EQUAL(guest_say(&guest, good[i], NULL), OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(guest_say(&guest, bad[i], NULL), INVALID);
}

/* Every short key of a few words, as the key of a binding: it is within the keys exactly if every message
 * that it meets they meet too. */
#define WORDS 5
static const char *const words[WORDS] = {"a", "b", "ab", "*", "#"};
static const char *const plain[3] = {"a", "b", "ab"};

static void key_of(const char *const *from, size_t of, size_t number, char key[32])
{
    key[0] = '\0';
    for (size_t length = 0; number > 0; number = (number - 1) / of, length = strlen(key))
        snprintf(key + length, 32 - length, "%s%s", length ? "." : "", from[(number - 1) % of]);
}

static bool is_within(const char *binding, const char *hear)
{
    char message[32];
    for (size_t i = 1; i <= 3 + 9 + 27 + 81; i++) {
        key_of(plain, 3, i, message);
        if (topic_matches(binding, message) && !topic_matches(hear, message))
            return false;
    }
    return true;
}

/* Whether it may be bound; a # that is there for nothing may be refused. */
static bool check_binding(const struct guest_keys *keys, const char *binding)
{
    bool may = guest_may_bind(keys, binding);
    bool within = is_within(binding, keys->keys[0]);
    if (may ? within : !within || strchr(binding, '#'))
        return may;
    fprintf(stderr, "%s may%s bind %s\n", keys->keys[0], may ? "" : " not", binding);
    CU_FAIL("too much or too little");
    return may;
}

static void a_binding_hears_no_more_than_it_may(void)
{
    static const char *const hears[] = {"#", "*", "a", "a.*", "a.#", "*.b", "*.*", "a.*.#", "b.ab"};
    size_t allowed = 0, tried = 0;
    for (size_t h = 0; h < sizeof hears / sizeof hears[0]; h++) {
        struct guest guest = {.name = "x"};
        CU_ASSERT_EQUAL_FATAL(guest_hear(&guest, hears[h], NULL), OK);
        for (size_t i = 1; i <= WORDS + WORDS * WORDS + WORDS * WORDS * WORDS; i++, tried++) {
            char binding[32];
            key_of(words, WORDS, i, binding);
            allowed += check_binding(&guest.hear, binding);
        }
    }
    CU_ASSERT_TRUE(allowed > 100 && allowed < tried / 2);
}

static void several_keys(void)
{
    struct guest guest = {.name = "x"};
    struct buf regex = {0};
    guest_keys_regex(&guest.hear, &regex);
    CU_ASSERT_STRING_EQUAL(regex.data, "^$");
    CU_ASSERT_FALSE(guest_may_bind(&guest.hear, "a"));
    CU_ASSERT_EQUAL(guest_hear(&guest, "order.*", NULL), OK);
    CU_ASSERT_EQUAL(guest_hear(&guest, "payment.captured", NULL), OK);
    buf_clear(&regex);
    guest_keys_regex(&guest.hear, &regex);
    CU_ASSERT_STRING_EQUAL(regex.data, "^(order\\.[^.#]*|payment\\.captured)$");
    CU_ASSERT_TRUE(guest_may_bind(&guest.hear, "payment.captured"));
    CU_ASSERT_FALSE(guest_may_bind(&guest.hear, "payment.captured.x"));
    CU_ASSERT_FALSE(guest_may_bind(&guest.hear, "xorder.placed"));
    buf_release(&regex);
}

static struct suite suite_here(const char *name)
{
    struct suite suite = {.base_port = 20000};
    snprintf(suite.home, sizeof suite.home, "%.200s/%.60s", place, name);
    CU_ASSERT_EQUAL_FATAL(directory_make_all(suite.home, NULL), OK);
    return suite;
}

static void read_url(const struct suite *suite, enum guest_side side, char url[256])
{
    struct stat there;
    struct suite_path path = guest_url_file(suite, "parcel", side);
    CU_ASSERT_EQUAL_FATAL(file_read(path.text, url, 256, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(stat(path.text, &there), 0);
    CU_ASSERT_EQUAL(there.st_mode & 07777, 0600);
}

static void it_is_kept(void)
{
    struct suite suite = suite_here("kept");
    struct manual_clock clock;
    struct guest guest = {.name = "parcel"}, read;
    char hear[256], say[256], again[256];
    manual_clock_init(&clock, 0, 1);
    CU_ASSERT_EQUAL(guest_load(&suite, "parcel", &read, NULL), NOT_FOUND);
    CU_ASSERT_EQUAL(guest_hear(&guest, "order.*", NULL), OK);
    CU_ASSERT_EQUAL(guest_say(&guest, "neighbour.*", NULL), OK);
    CU_ASSERT_EQUAL_FATAL(guest_save(&suite, &clock.clock, &guest, NULL), OK);
    CU_ASSERT_EQUAL_FATAL(guest_load(&suite, "parcel", &read, NULL), OK);
    CU_ASSERT_TRUE(guest_same_rights(&guest, &read));
    read_url(&suite, GUEST_HEARS, hear);
    read_url(&suite, GUEST_SAYS, say);
    CU_ASSERT_EQUAL(strncmp(hear, "amqp://guest.parcel:", 20), 0);
    CU_ASSERT_EQUAL(strncmp(say, "amqp://guest.parcel.say:", 24), 0);
    CU_ASSERT_STRING_EQUAL(hear + strlen(hear) - 23, "@127.0.0.1:20010/warren");
    CU_ASSERT_NOT_EQUAL(strncmp(hear + 20, say + 24, 64), 0);
    guest.say.count = 0;
    CU_ASSERT_EQUAL_FATAL(guest_save(&suite, &clock.clock, &guest, NULL), OK);
    read_url(&suite, GUEST_HEARS, again);
    CU_ASSERT_STRING_EQUAL(again, hear);
    CU_ASSERT_EQUAL(file_read(guest_url_file(&suite, "parcel", GUEST_SAYS).text, again, 256, NULL),
                    NOT_FOUND);
    for (int twice = 0; twice < 2; twice++)
        CU_ASSERT_EQUAL(guest_forget(&suite, "parcel", NULL), OK);
    CU_ASSERT_EQUAL(guest_load(&suite, "parcel", &read, NULL), NOT_FOUND);
}

static const char *member(const cJSON *list, int i, const char *name)
{
    return cJSON_GetStringValue(cJSON_GetObjectItem(cJSON_GetArrayItem(list, i), name));
}

static void check_rights(const cJSON *document)
{
    const cJSON *permissions = cJSON_GetObjectItem(document, "permissions");
    const cJSON *topics = cJSON_GetObjectItem(document, "topic_permissions");
    CU_ASSERT_EQUAL_FATAL(cJSON_GetArraySize(permissions), 2);
    CU_ASSERT_EQUAL_FATAL(cJSON_GetArraySize(topics), 2);
    CU_ASSERT_STRING_EQUAL(member(permissions, 0, "user"), "guest.parcel");
    CU_ASSERT_STRING_EQUAL(member(permissions, 0, "configure"), "^guest\\.parcel\\..+$");
    CU_ASSERT_STRING_EQUAL(member(permissions, 0, "write"), "^guest\\.parcel\\..+$");
    CU_ASSERT_STRING_EQUAL(member(permissions, 0, "read"),
                           "^guest\\.parcel\\..+$|^warren\\.events$");
    CU_ASSERT_STRING_EQUAL(member(topics, 0, "write"), "^$");
    CU_ASSERT_STRING_EQUAL(member(topics, 0, "read"), "^(order\\.[^.#]*)$");
    CU_ASSERT_STRING_EQUAL(member(permissions, 1, "user"), "guest.parcel.say");
    CU_ASSERT_STRING_EQUAL(member(permissions, 1, "configure"), "^$");
    CU_ASSERT_STRING_EQUAL(member(permissions, 1, "write"), "^warren\\.events$");
    CU_ASSERT_STRING_EQUAL(member(permissions, 1, "read"), "^$");
    CU_ASSERT_STRING_EQUAL(member(topics, 1, "write"), "^(neighbour(\\..*)?)$");
    CU_ASSERT_STRING_EQUAL(member(topics, 1, "read"), "^$");
}

/* The broker's file names all guests, no password, and the URLs the port of today. One whose making was
 * cut short is none. */
static void the_broker_is_told(void)
{
    struct suite suite = suite_here("told");
    struct manual_clock clock;
    struct guest guest = {.name = "parcel"};
    char url[256];
    manual_clock_init(&clock, 0, 1);
    CU_ASSERT_EQUAL(guest_hear(&guest, "order.*", NULL), OK);
    CU_ASSERT_EQUAL(guest_say(&guest, "neighbour.#", NULL), OK);
    CU_ASSERT_EQUAL_FATAL(guest_save(&suite, &clock.clock, &guest, NULL), OK);
    CU_ASSERT_EQUAL(directory_make(suite_path(&suite, "guests/half").text, NULL), OK);
    suite.base_port = 30000;
    cJSON *document = definitions_new();
    CU_ASSERT_EQUAL_FATAL(guests_define(&suite, &clock.clock, document, NULL), OK);
    check_rights(document);
    read_url(&suite, GUEST_HEARS, url);
    CU_ASSERT_STRING_EQUAL(url + strlen(url) - 23, "@127.0.0.1:30010/warren");
    char *text = cJSON_Print(document);
    url[20 + 64] = '\0';
    CU_ASSERT_PTR_NULL(strstr(text, url + 20));
    cJSON_free(text);
    cJSON_Delete(document);
}

static void what_is_kept_is_checked(void)
{
    static const char *const bad[] = {"hear order.#.x\n", "say order.placed\n", "may all\n",
                                      "hear \n"};
    struct suite suite = suite_here("checked");
    struct guest guest;
    CU_ASSERT_EQUAL(directory_make_all(suite_path(&suite, "guests/x").text, NULL), OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct suite_path path = suite_path(&suite, "guests/x/rights");
        CU_ASSERT_EQUAL(file_write(path.text, bad[i], strlen(bad[i]), NULL), OK);
        CU_ASSERT_EQUAL(guest_load(&suite, "x", &guest, NULL), INVALID);
    }
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about, (void)type, (void)walk;
    return remove(path);
}

static void leave(void)
{
    nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void in_a_place_of_its_own(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(place, sizeof place, "%.200s/guest-XXXXXX", parent ? parent : "/tmp");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(place));
    atexit(leave);
}

static const struct unit_case cases[] = {
    {"in a place of its own", in_a_place_of_its_own},
    {"names", names},
    {"keys", keys},
    {"only neighbours speak", only_neighbours_speak},
    {"a binding hears no more than it may", a_binding_hears_no_more_than_it_may},
    {"several keys", several_keys},
    {"it is kept", it_is_kept},
    {"the broker is told", the_broker_is_told},
    {"what is kept is checked", what_is_kept_is_checked},
};
UNIT_MAIN("guest", cases)
