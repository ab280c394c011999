/* HKDF with SHA-256: see hkdf.h. */
/* SHA256_CTX is deprecated in favour of EVP, which has a fetch and allocations for each message. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "primitive/hkdf.h"

#include <string.h>
#include <openssl/crypto.h>
#include "primitive/low_level.h"

#define BLOCK_SIZE SHA256_CBLOCK
#define HASH_SIZE  SHA256_DIGEST_LENGTH

/* RFC 2104 section 2 */
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* An HMAC key (RFC 2104): both digests behind their key block. */
struct hmac {
    SHA256_CTX inner, outer;
};

static void absorb_key(SHA256_CTX *context, struct octets key, uint8_t pad)
{
    uint8_t block[BLOCK_SIZE];

    memset(block, pad, sizeof(block));
    for (size_t n = 0; n < key.size; n++)
        block[n] ^= key.data[n];
    SHA256_Init(context);
    SHA256_Update(context, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
}

/* |key| has at most a block. */
static void hmac_init(struct hmac *hmac, struct octets key)
{
    absorb_key(&hmac->inner, key, INNER_PAD);
    absorb_key(&hmac->outer, key, OUTER_PAD);
}

/* HMAC of |parts| joined; |out| may be one of them. */
static void hmac_joined(const struct hmac *hmac, const struct octets parts[], size_t count,
                        uint8_t out[HASH_SIZE])
{
    SHA256_CTX context = hmac->inner;
    uint8_t inner[HASH_SIZE];

    for (size_t n = 0; n < count; n++)
        SHA256_Update(&context, parts[n].data, parts[n].size);
    SHA256_Final(inner, &context);
    context = hmac->outer;
    SHA256_Update(&context, inner, sizeof(inner));
    SHA256_Final(out, &context);
    OPENSSL_cleanse(&context, sizeof(context));
    OPENSSL_cleanse(inner, sizeof(inner));
}

/* Section 2.2: PRK = HMAC(salt, secret).  Section 2.3: T(n) = HMAC(PRK, T(n - 1) || info || n). */
void hkdf_sha256(struct octets secret, struct octets salt, struct octets info, uint8_t *out,
                 size_t size)
{
    uint8_t block[HASH_SIZE], number = 0;
    struct octets parts[] = { { block, 0 }, info, { &number, 1 } };
    struct hmac hmac;

    hmac_init(&hmac, salt);
    hmac_joined(&hmac, &secret, 1, block);
    hmac_init(&hmac, (struct octets){ block, sizeof(block) });
    while (size != 0) {
        const size_t part = size < sizeof(block) ? size : sizeof(block);

        number++; /* up to 255 */
        hmac_joined(&hmac, parts, sizeof(parts) / sizeof(parts[0]), block);
        memcpy(out, block, part);
        out += part;
        size -= part;
        parts[0].size = sizeof(block);
    }
    OPENSSL_cleanse(&hmac, sizeof(hmac));
    OPENSSL_cleanse(block, sizeof(block));
}
