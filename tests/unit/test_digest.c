/* SHA-256 against FIPS 180-4's examples, and hexadecimal. */
#include "common/base/digest.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void known_digests(void)
{
    static const struct {
        const char *text, *hex;
    } table[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char hex[SHA256_HEX_SIZE];
        sha256_hex(table[i].text, strlen(table[i].text), hex);
        CU_ASSERT_STRING_EQUAL(hex, table[i].hex);
    }
}

static void a_million_letters(void)
{
    enum { MILLION = 1000000 };
    char hex[SHA256_HEX_SIZE];
    char *text = malloc(MILLION);
    memset(text, 'a', MILLION);
    sha256_hex(text, MILLION, hex);
    CU_ASSERT_STRING_EQUAL(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(text);
}

static void hexadecimal(void)
{
    char hex[9];
    hex_encode("\x00\x0f\xf0\xff", 4, hex);
    CU_ASSERT_STRING_EQUAL(hex, "000ff0ff");
    hex_encode("", 0, hex);
    CU_ASSERT_STRING_EQUAL(hex, "");
}

static void *hash_once(void *context)
{
    sha256_hex("abc", 3, context);
    return NULL;
}

/* What they leave behind, the leak checker finds at the end of this program. */
static void threads_come_and_go(void)
{
    enum { THREADS = 4 };
    for (int i = 0; i < THREADS; i++) {
        char hex[SHA256_HEX_SIZE] = "";
        pthread_t thread;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, hash_once, hex), 0);
        CU_ASSERT_EQUAL_FATAL(pthread_join(thread, NULL), 0);
        CU_ASSERT_STRING_EQUAL(hex,
                               "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

static const struct unit_case cases[] = {
    {"known digests", known_digests},
    {"a million letters", a_million_letters},
    {"hexadecimal", hexadecimal},
    {"threads come and go", threads_come_and_go},
};
UNIT_MAIN("digest", cases)
