#include "common/base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <threads.h>

/* Finding the method and making a context cost twice as much as hashing what we hash: once a thread,
 * and released with it. Only out of memory, or with a library without SHA-256, is there none. */
struct hasher {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

static once_flag release_is_known = ONCE_FLAG_INIT;
static tss_t release; /* holds a thread's hasher, for its destructor's sake only */

static void hasher_free(void *data)
{
    struct hasher *own = data;
    EVP_MD_CTX_free(own->context);
    EVP_MD_free(own->method);
    free(own);
}

static void make_release(void)
{
    if (tss_create(&release, hasher_free) != thrd_success)
        abort();
}

static struct hasher *hasher(void)
{
    static _Thread_local struct hasher *own;
    if (own)
        return own;
    call_once(&release_is_known, make_release);
    struct hasher *made = calloc(1, sizeof *made);
    if (!made)
        abort();
    made->method = EVP_MD_fetch(NULL, "SHA256", NULL);
    made->context = EVP_MD_CTX_new();
    if (!made->method || !made->context || tss_set(release, made) != thrd_success)
        abort();
    own = made;
    return own;
}

void sha256(const void *data, size_t size, uint8_t digest[SHA256_SIZE])
{
    struct hasher *own = hasher();
    unsigned int written = 0;
    if (EVP_DigestInit_ex2(own->context, own->method, NULL) != 1 ||
        EVP_DigestUpdate(own->context, data, size) != 1 ||
        EVP_DigestFinal_ex(own->context, digest, &written) != 1 || written != SHA256_SIZE)
        abort();
}

void hex_encode(const void *data, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = data;
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * size] = '\0';
}

void sha256_hex(const void *data, size_t size, char hex[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    sha256(data, size, digest);
    hex_encode(digest, sizeof digest, hex);
}
