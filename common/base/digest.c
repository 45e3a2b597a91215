#include "common/base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

void sha256(const void *data, size_t size, uint8_t digest[SHA256_SIZE])
{
    unsigned int written = 0;
    if (EVP_Digest(data, size, digest, &written, EVP_sha256(), NULL) != 1 || written != SHA256_SIZE)
        abort(); /* only out of memory, or a library without SHA-256 */
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
