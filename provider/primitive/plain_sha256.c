/* SHA-256 in plain C: see plain_digest.h. */
#include <string.h>
#include <openssl/crypto.h>
#include "primitive/plain_digest.h"

#define BLOCK  64
#define LENGTH 8 /* bytes of the length at the end of the padding */

/* FIPS 180-4 section 4.2.2: of the cube roots of the first 64 primes. */
static const uint32_t constants[BLOCK] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word >> bits | word << (32 - bits);
}

static uint32_t read_big(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void write_big(uint8_t *out, uint32_t word)
{
    for (unsigned n = 0; n < 4; n++)
        out[n] = (uint8_t)(word >> (24 - 8 * n));
}

/* Section 6.2.2, step 1. */
static void expand(uint32_t word[BLOCK], const uint8_t *block)
{
    for (size_t n = 0; n < 16; n++)
        word[n] = read_big(block + 4 * n);
    for (size_t n = 16; n < BLOCK; n++) {
        const uint32_t early = word[n - 15], late = word[n - 2];

        word[n] = word[n - 16] + (rotate(early, 7) ^ rotate(early, 18) ^ early >> 3) + word[n - 7] +
                  (rotate(late, 17) ^ rotate(late, 19) ^ late >> 10);
    }
}

static void transform(struct plain_sha256 *state, const uint8_t *block)
{
    uint32_t word[BLOCK], v[8]; /* a to h of the standard */

    expand(word, block);
    memcpy(v, state->h, sizeof(v));
    for (size_t n = 0; n < BLOCK; n++) {
        const uint32_t a = v[0], e = v[4];
        const uint32_t first = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                               ((e & v[5]) ^ (~e & v[6])) + constants[n] + word[n];
        const uint32_t second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                                ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));

        memmove(v + 1, v, sizeof(v) - sizeof(v[0]));
        v[0] = first + second;
        v[4] += first;
    }
    for (size_t n = 0; n < 8; n++)
        state->h[n] += v[n];
    OPENSSL_cleanse(word, sizeof(word)); /* the block may be a key */
    OPENSSL_cleanse(v, sizeof(v));
}

int plain_sha256_init(struct plain_sha256 *state)
{
    *state = (struct plain_sha256){ .h = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                           0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
    return 1;
}

int plain_sha256_update(struct plain_sha256 *state, const void *data, size_t size)
{
    const uint8_t *in = data;

    state->bits += (uint64_t)size << 3;
    while (size > 0) {
        const size_t room = BLOCK - state->num, taken = size < room ? size : room;

        memcpy(state->data + state->num, in, taken);
        state->num += (unsigned)taken;
        in += taken;
        size -= taken;
        if (state->num == BLOCK) {
            transform(state, state->data);
            state->num = 0;
        }
    }
    return 1;
}

int plain_sha256_final(uint8_t *out, struct plain_sha256 *state)
{
    static const uint8_t padding[BLOCK] = { 0x80 };
    uint8_t length[LENGTH];

    write_big(length, (uint32_t)(state->bits >> 32));
    write_big(length + 4, (uint32_t)state->bits);
    plain_sha256_update(state, padding, 1 + (2 * BLOCK - LENGTH - 1 - state->num) % BLOCK);
    plain_sha256_update(state, length, sizeof(length));
    for (size_t n = 0; n < 8; n++)
        write_big(out + 4 * n, state->h[n]);
    OPENSSL_cleanse(state, sizeof(*state));
    return 1;
}
