/* MD5 and SHA-1 in plain C: see plain_digest.h. */
#include "primitive/plain_digest.h"

#include <string.h>
#include <openssl/crypto.h>

#define BLOCK  64
#define LENGTH 8 /* bytes of the length at the end of the padding */

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t read_little(const uint8_t *in)
{
    return in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static uint32_t read_big(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void write_little(uint8_t *out, uint32_t word)
{
    for (unsigned n = 0; n < 4; n++)
        out[n] = (uint8_t)(word >> 8 * n);
}

static void write_big(uint8_t *out, uint32_t word)
{
    for (unsigned n = 0; n < 4; n++)
        out[n] = (uint8_t)(word >> (24 - 8 * n));
}

/* Adds |size| bytes to the length in bits, which counts modulo 2^64. */
static void count(uint32_t *low, uint32_t *high, size_t size)
{
    uint64_t bits = ((uint64_t)*high << 32 | *low) + ((uint64_t)size << 3);

    *low = (uint32_t)bits;
    *high = (uint32_t)(bits >> 32);
}

/* ---- MD5 ---- */

/* RFC 1321 section 3.4: 4294967296 times abs(sin(n + 1)). */
static const uint32_t md5_sine[BLOCK] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const uint8_t md5_shift[4][4] = {
    { 7, 12, 17, 22 },
    { 5, 9, 14, 20 },
    { 4, 11, 16, 23 },
    { 6, 10, 15, 21 },
};

/* The function of the round, and which word of the block the step takes. */
static uint32_t md5_mix(size_t step, uint32_t b, uint32_t c, uint32_t d, size_t *word)
{
    switch (step / 16) {
    case 0:
        *word = step;
        return (b & c) | (~b & d);
    case 1:
        *word = (5 * step + 1) % 16;
        return (b & d) | (c & ~d);
    case 2:
        *word = (3 * step + 5) % 16;
        return b ^ c ^ d;
    default:
        *word = 7 * step % 16;
        return c ^ (b | ~d);
    }
}

void plain_md5_transform(struct plain_md5 *state, const uint8_t *block)
{
    uint32_t a = state->A, b = state->B, c = state->C, d = state->D;

    for (size_t step = 0; step < BLOCK; step++) {
        size_t word;
        uint32_t sum = a + md5_mix(step, b, c, d, &word) + md5_sine[step];

        sum += read_little(block + 4 * word);
        a = d;
        d = c;
        c = b;
        b += rotate(sum, md5_shift[step / 16][step % 4]);
    }
    state->A += a;
    state->B += b;
    state->C += c;
    state->D += d;
}

int plain_md5_init(struct plain_md5 *state)
{
    *state =
        (struct plain_md5){ .A = 0x67452301, .B = 0xefcdab89, .C = 0x98badcfe, .D = 0x10325476 };
    return 1;
}

int plain_md5_update(struct plain_md5 *state, const void *data, size_t size)
{
    const uint8_t *in = data;

    count(&state->Nl, &state->Nh, size);
    while (size > 0) {
        const size_t room = BLOCK - state->num, taken = size < room ? size : room;

        memcpy(state->data + state->num, in, taken);
        state->num += (unsigned)taken;
        in += taken;
        size -= taken;
        if (state->num == BLOCK) {
            plain_md5_transform(state, state->data);
            state->num = 0;
        }
    }
    return 1;
}

int plain_md5_final(uint8_t *out, struct plain_md5 *state)
{
    static const uint8_t padding[BLOCK] = { 0x80 };
    uint8_t length[LENGTH];

    write_little(length, state->Nl);
    write_little(length + 4, state->Nh);
    plain_md5_update(state, padding, 1 + (2 * BLOCK - LENGTH - 1 - state->num) % BLOCK);
    plain_md5_update(state, length, sizeof(length));
    write_little(out, state->A);
    write_little(out + 4, state->B);
    write_little(out + 8, state->C);
    write_little(out + 12, state->D);
    OPENSSL_cleanse(state, sizeof(*state));
    return 1;
}

/* ---- SHA-1 ---- */

/* FIPS 180-4 sections 4.1.1 and 4.2.1. */
static uint32_t sha1_mix(size_t step, uint32_t b, uint32_t c, uint32_t d)
{
    switch (step / 20) {
    case 0:
        return ((b & c) | (~b & d)) + 0x5a827999;
    case 1:
        return (b ^ c ^ d) + 0x6ed9eba1;
    case 2:
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    default:
        return (b ^ c ^ d) + 0xca62c1d6;
    }
}

void plain_sha1_transform(struct plain_sha1 *state, const uint8_t *block)
{
    uint32_t a = state->h0, b = state->h1, c = state->h2, d = state->h3, e = state->h4;
    uint32_t word[80];

    for (size_t n = 0; n < 16; n++)
        word[n] = read_big(block + 4 * n);
    for (size_t n = 16; n < 80; n++)
        word[n] = rotate(word[n - 3] ^ word[n - 8] ^ word[n - 14] ^ word[n - 16], 1);
    for (size_t step = 0; step < 80; step++) {
        uint32_t sum = rotate(a, 5) + sha1_mix(step, b, c, d) + e + word[step];

        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = sum;
    }
    state->h0 += a;
    state->h1 += b;
    state->h2 += c;
    state->h3 += d;
    state->h4 += e;
    OPENSSL_cleanse(word, sizeof(word)); /* the block may be a key */
}

int plain_sha1_init(struct plain_sha1 *state)
{
    *state = (struct plain_sha1){
        .h0 = 0x67452301, .h1 = 0xefcdab89, .h2 = 0x98badcfe, .h3 = 0x10325476, .h4 = 0xc3d2e1f0
    };
    return 1;
}

int plain_sha1_update(struct plain_sha1 *state, const void *data, size_t size)
{
    const uint8_t *in = data;

    count(&state->Nl, &state->Nh, size);
    while (size > 0) {
        const size_t room = BLOCK - state->num, taken = size < room ? size : room;

        memcpy(state->data + state->num, in, taken);
        state->num += (unsigned)taken;
        in += taken;
        size -= taken;
        if (state->num == BLOCK) {
            plain_sha1_transform(state, state->data);
            state->num = 0;
        }
    }
    return 1;
}

int plain_sha1_final(uint8_t *out, struct plain_sha1 *state)
{
    static const uint8_t padding[BLOCK] = { 0x80 };
    uint8_t length[LENGTH];

    write_big(length, state->Nh);
    write_big(length + 4, state->Nl);
    plain_sha1_update(state, padding, 1 + (2 * BLOCK - LENGTH - 1 - state->num) % BLOCK);
    plain_sha1_update(state, length, sizeof(length));
    write_big(out, state->h0);
    write_big(out + 4, state->h1);
    write_big(out + 8, state->h2);
    write_big(out + 12, state->h3);
    write_big(out + 16, state->h4);
    OPENSSL_cleanse(state, sizeof(*state));
    return 1;
}
