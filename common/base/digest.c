#include "common/base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

/* Finding the method and making a context cost twice as much as hashing what we hash: once a thread.
 * Only out of memory, or with a library without SHA-256, is there none. */
struct hasher {
    EVP_MD *method;
    EVP_MD_CTX *context;
};

static struct hasher *hasher(void)
{
    static _Thread_local struct hasher own;
    if (own.context)
        return &own;
    own.method = EVP_MD_fetch(NULL, "SHA256", NULL);
    own.context = EVP_MD_CTX_new();
    if (!own.method || !own.context)
        abort();
    return &own;
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
