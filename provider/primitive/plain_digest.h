/*
 * MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) in plain C, for a libcrypto that was built without
 * its low-level functions (no-deprecated, no-md5).  The states of the first two have the members of
 * libcrypto's MD5_CTX and SHA_CTX and all functions its results, so that there can be either.
 *
 * A build can choose these with SCHANNEL_PLAIN_DIGESTS, as the tests of them do.
 * Plain values, no allocation, no failure.  Included by primitive/low_level.h.
 */
#ifndef SCHANNEL_PRIMITIVE_PLAIN_DIGEST_H
#define SCHANNEL_PRIMITIVE_PLAIN_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct plain_md5 {
    uint32_t A, B, C, D;
    uint32_t Nl, Nh; /* length in bits, low and high word */
    uint8_t data[64];
    unsigned num; /* bytes in |data| that wait for a whole block */
};

struct plain_sha1 {
    uint32_t h0, h1, h2, h3, h4;
    uint32_t Nl, Nh;
    uint8_t data[64];
    unsigned num;
};

struct plain_sha256 {
    uint32_t h[8];
    uint64_t bits; /* length so far */
    uint8_t data[64];
    unsigned num;
};

/* All but the transforms, which take one block of 64 bytes, return 1, as libcrypto's do. */
int plain_md5_init(struct plain_md5 *state);
int plain_md5_update(struct plain_md5 *state, const void *data, size_t size);
int plain_md5_final(uint8_t *out, struct plain_md5 *state);
void plain_md5_transform(struct plain_md5 *state, const uint8_t *block);

int plain_sha1_init(struct plain_sha1 *state);
int plain_sha1_update(struct plain_sha1 *state, const void *data, size_t size);
int plain_sha1_final(uint8_t *out, struct plain_sha1 *state);
void plain_sha1_transform(struct plain_sha1 *state, const uint8_t *block);

int plain_sha256_init(struct plain_sha256 *state);
int plain_sha256_update(struct plain_sha256 *state, const void *data, size_t size);
int plain_sha256_final(uint8_t *out, struct plain_sha256 *state);

#endif
