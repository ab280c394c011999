/*
 * Running states computed by other means than the provider's: textbook RC4, MD5 and SHA-1 whose
 * insides can be read, CBC chaining values out of libcrypto's ciphers.  Nothing of provider/ here.
 */
#ifndef SCHANNEL_TESTS_EVP_GOLDEN_STATE_H
#define SCHANNEL_TESTS_EVP_GOLDEN_STATE_H

#include <stddef.h>
#include <stdint.h>

#define GOLDEN_HASH_BLOCK     64
#define GOLDEN_HASH_MAX_SAVED (20 + 8 + GOLDEN_HASH_BLOCK - 1)

struct golden_rc4 {
    uint8_t s[256], i, j;
};

void golden_rc4_start(struct golden_rc4 *state, const uint8_t *key, size_t size);
/* Produces |size| bytes of keystream and forgets them. */
void golden_rc4_skip(struct golden_rc4 *state, size_t size);

/* RFC 1321 (|is_sha1| 0) or FIPS 180-4. */
struct golden_hash {
    int is_sha1;
    uint32_t word[5];
    uint64_t count;
    uint8_t block[GOLDEN_HASH_BLOCK];
};

void golden_hash_start(struct golden_hash *hash, int is_sha1);
void golden_hash_update(struct golden_hash *hash, const uint8_t *data, size_t size);
/* Chaining value, uint64 count, what waits for a whole block; returns the size. */
size_t golden_hash_save(const struct golden_hash *hash, uint8_t out[GOLDEN_HASH_MAX_SAVED]);

/* What a cipher runs with. */
struct golden_cipher_key {
    size_t size;
    unsigned effective_bits; /* of RC2, else 0 */
    uint8_t data[256 + 11];
};

/*
 * |data| through libcrypto's cipher |name|, uncut, block ciphers with PKCS #7 padding: all of the
 * ciphertext to |out|, which has a block more room than |data|.  Returns its size.
 */
size_t golden_encrypt(const char *name, const struct golden_cipher_key *key, const uint8_t *iv,
                      const uint8_t *data, size_t size, uint8_t *out);

#endif
