/* SHA-256, by OpenSSL's libcrypto. */
#ifndef WARREN_BASE_DIGEST_H
#define WARREN_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_HEX_SIZE 65

void sha256(const void *data, size_t size, uint8_t digest[SHA256_SIZE]);
/* In lower-case hexadecimal, with the closing NUL. */
void sha256_hex(const void *data, size_t size, char hex[SHA256_HEX_SIZE]);
/* `hex` holds 2 * size + 1 bytes afterwards. */
void hex_encode(const void *data, size_t size, char *hex);

#endif
