/* Running states by other means: see golden_state.h. */
#include "golden_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

/* ---- RC4 ---- */

static void swap(uint8_t *a, uint8_t *b)
{
    uint8_t kept = *a;

    *a = *b;
    *b = kept;
}

void golden_rc4_start(struct golden_rc4 *state, const uint8_t *key, size_t size)
{
    unsigned j = 0;

    for (unsigned i = 0; i < 256; i++)
        state->s[i] = (uint8_t)i;
    for (unsigned i = 0; i < 256; i++) {
        j = (j + state->s[i] + key[i % size]) % 256;
        swap(&state->s[i], &state->s[j]);
    }
    state->i = state->j = 0;
}

void golden_rc4_skip(struct golden_rc4 *state, size_t size)
{
    while (size-- > 0) {
        state->i = (uint8_t)(state->i + 1);
        state->j = (uint8_t)(state->j + state->s[state->i]);
        swap(&state->s[state->i], &state->s[state->j]);
    }
}

/* ---- MD5 and SHA-1 ---- */

static const uint32_t start_words[] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                        0xc3d2e1f0 };

/* RFC 1321 section 3.4: the integer part of 4294967296 times abs(sin(n + 1)) */
static const uint32_t md5_sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static uint32_t rotate(uint32_t word, unsigned by)
{
    return word << by | word >> (32 - by);
}

static void md5_block(uint32_t state[5], const uint8_t *block)
{
    static const unsigned shifts[4][4] = {
        { 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 }
    };
    uint32_t x[16], a = state[0], b = state[1], c = state[2], d = state[3];

    for (unsigned n = 0; n < 16; n++)
        x[n] = (uint32_t)block[4 * n] | (uint32_t)block[4 * n + 1] << 8 |
               (uint32_t)block[4 * n + 2] << 16 | (uint32_t)block[4 * n + 3] << 24;
    for (unsigned n = 0; n < 64; n++) {
        static const unsigned steps[4] = { 1, 5, 3, 7 }, firsts[4] = { 0, 1, 5, 0 };
        unsigned round = n / 16;
        uint32_t f, kept = d;

        switch (round) {
        case 0:
            f = (b & c) | (~b & d);
            break;
        case 1:
            f = (b & d) | (c & ~d);
            break;
        case 2:
            f = b ^ c ^ d;
            break;
        default:
            f = c ^ (b | ~d);
            break;
        }
        f += a + md5_sines[n] + x[(firsts[round] + steps[round] * n) % 16];
        d = c;
        c = b;
        b += rotate(f, shifts[round][n % 4]);
        a = kept;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

static void sha1_block(uint32_t state[5], const uint8_t *block)
{
    static const uint32_t constants[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

    for (unsigned n = 0; n < 16; n++)
        w[n] = (uint32_t)block[4 * n] << 24 | (uint32_t)block[4 * n + 1] << 16 |
               (uint32_t)block[4 * n + 2] << 8 | (uint32_t)block[4 * n + 3];
    for (unsigned n = 16; n < 80; n++)
        w[n] = rotate(w[n - 3] ^ w[n - 8] ^ w[n - 14] ^ w[n - 16], 1);
    for (unsigned n = 0; n < 80; n++) {
        uint32_t f, next;

        if (n < 20)
            f = (b & c) | (~b & d);
        else if (n >= 40 && n < 60)
            f = (b & c) | (b & d) | (c & d);
        else
            f = b ^ c ^ d;
        next = rotate(a, 5) + f + e + constants[n / 20] + w[n];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void golden_hash_start(struct golden_hash *hash, int is_sha1)
{
    memset(hash, 0, sizeof(*hash));
    hash->is_sha1 = is_sha1;
    memcpy(hash->word, start_words, sizeof(start_words));
}

void golden_hash_update(struct golden_hash *hash, const uint8_t *data, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        hash->block[hash->count++ % GOLDEN_HASH_BLOCK] = data[n];
        if (hash->count % GOLDEN_HASH_BLOCK != 0)
            continue;
        if (hash->is_sha1)
            sha1_block(hash->word, hash->block);
        else
            md5_block(hash->word, hash->block);
    }
}

size_t golden_hash_save(const struct golden_hash *hash, uint8_t out[GOLDEN_HASH_MAX_SAVED])
{
    size_t words = hash->is_sha1 ? 5 : 4, at = 0, buffered = hash->count % GOLDEN_HASH_BLOCK;

    for (size_t n = 0; n < words; n++) {
        for (unsigned byte = 0; byte < 4; byte++)
            out[at++] = (uint8_t)(hash->word[n] >> (hash->is_sha1 ? 24 - 8 * byte : 8 * byte));
    }
    for (unsigned byte = 0; byte < 8; byte++)
        out[at++] = (uint8_t)(hash->count >> (56 - 8 * byte));
    memcpy(out + at, hash->block, buffered);
    return at + buffered;
}

/* ---- libcrypto's ciphers ---- */

/* RC2, RC4 and single DES are in the legacy provider. */
static OSSL_LIB_CTX *own;
static OSSL_PROVIDER *own_providers[2];

static void free_own(void)
{
    for (size_t n = 0; n < 2; n++)
        OSSL_PROVIDER_unload(own_providers[n]);
    OSSL_LIB_CTX_free(own);
}

static EVP_CIPHER *fetch(const char *name)
{
    EVP_CIPHER *cipher;

    if (own == NULL) {
        own = OSSL_LIB_CTX_new();
        own_providers[0] = OSSL_PROVIDER_load(own, "default");
        own_providers[1] = OSSL_PROVIDER_load(own, "legacy");
        assert_non_null(own_providers[0]);
        assert_non_null(own_providers[1]);
        atexit(free_own);
    }
    cipher = EVP_CIPHER_fetch(own, name, NULL);
    assert_non_null(cipher);
    return cipher;
}

size_t golden_encrypt(const char *name, const struct golden_cipher_key *key, const uint8_t *iv,
                      const uint8_t *data, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = fetch(name);
    size_t effective_bits = key->effective_bits;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_RC2_KEYBITS,
                                                        &effective_bits),
                            OSSL_PARAM_construct_end() };
    int written = 0, last = 0;

    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL), 1);
    if (EVP_CIPHER_CTX_get_key_length(context) != (int)key->size)
        assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)key->size), 1);
    if (effective_bits != 0)
        assert_int_equal(EVP_CIPHER_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_EncryptInit_ex2(context, NULL, key->data, iv, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, data, (int)size), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, out + written, &last), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return (size_t)(written + last);
}
