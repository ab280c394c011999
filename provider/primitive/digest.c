/*
 * MD5 and SHA-1 with a state that can be read: see digest.h.
 *
 * libcrypto does the hashing; this file knows its two public state structures, which are the
 * chaining words, the length in bits as two words, the bytes not yet compressed and their number.
 * Called by primitive/hmac, protocol/ and key/; nothing here fails or allocates.
 */
/* MD5_CTX and SHA_CTX are deprecated in favour of EVP, which cannot save a running digest. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "primitive/digest.h"

#include <string.h>
#include <strings.h>
#include <openssl/crypto.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The length field of both digests counts bits modulo 2^64. */
#define BYTE_COUNT_LIMIT (UINT64_C(1) << 61)

static const struct {
    const char *name;
    size_t size;
    int is_little_endian; /* byte order of the chaining words: RFC 1321 section 2, FIPS 180-4 3.1 */
} digests[] = {
    [DIGEST_NONE] = { NULL, 0, 0 },
    [DIGEST_MD5] = { "MD5", MD5_DIGEST_LENGTH, 1 },
    [DIGEST_SHA1] = { "SHA1", SHA_DIGEST_LENGTH, 0 },
};

static const struct {
    const char *name;
    enum digest_id id;
} names[] = {
    { "MD5", DIGEST_MD5 },
    { "SHA1", DIGEST_SHA1 },
    { "SHA-1", DIGEST_SHA1 },
    { "SHA", DIGEST_SHA1 },
};

size_t digest_size(enum digest_id id)
{
    return digests[id].size;
}

const char *digest_name(enum digest_id id)
{
    return digests[id].name;
}

enum digest_id digest_from_name(const char *name)
{
    for (size_t n = 0; name != NULL && n < COUNT(names); n++) {
        if (strcasecmp(names[n].name, name) == 0)
            return names[n].id;
    }
    return DIGEST_NONE;
}

void digest_init(struct digest_state *state, enum digest_id id)
{
    state->id = id;
    switch (id) {
    case DIGEST_MD5:
        MD5_Init(&state->u.md5);
        break;
    case DIGEST_SHA1:
        SHA1_Init(&state->u.sha1);
        break;
    case DIGEST_NONE:
        break;
    }
}

void digest_update(struct digest_state *state, const void *data, size_t size)
{
    switch (state->id) {
    case DIGEST_MD5:
        MD5_Update(&state->u.md5, data, size);
        break;
    case DIGEST_SHA1:
        SHA1_Update(&state->u.sha1, data, size);
        break;
    case DIGEST_NONE:
        break;
    }
}

void digest_final(struct digest_state *state, uint8_t *out)
{
    switch (state->id) {
    case DIGEST_MD5:
        MD5_Final(out, &state->u.md5);
        break;
    case DIGEST_SHA1:
        SHA1_Final(out, &state->u.sha1);
        break;
    case DIGEST_NONE:
        break;
    }
    OPENSSL_cleanse(state, sizeof(*state));
}

void digest_get_midstate(const struct digest_state *state, struct digest_midstate *midstate)
{
    const MD5_CTX *md5 = &state->u.md5;
    const SHA_CTX *sha1 = &state->u.sha1;

    switch (state->id) {
    case DIGEST_MD5:
        *midstate = (struct digest_midstate){ { md5->A, md5->B, md5->C, md5->D } };
        break;
    case DIGEST_SHA1:
        *midstate =
            (struct digest_midstate){ { sha1->h0, sha1->h1, sha1->h2, sha1->h3, sha1->h4 } };
        break;
    case DIGEST_NONE:
        *midstate = (struct digest_midstate){ { 0 } };
        break;
    }
}

void digest_first_midstate(enum digest_id id, struct digest_midstate *midstate)
{
    struct digest_state state;

    digest_init(&state, id);
    digest_get_midstate(&state, midstate);
}

/* Puts the chaining words where libcrypto has them. */
static void set_words(struct digest_state *state, const struct digest_midstate *midstate)
{
    const uint32_t *word = midstate->word;
    MD5_CTX *md5 = &state->u.md5;
    SHA_CTX *sha1 = &state->u.sha1;

    switch (state->id) {
    case DIGEST_MD5:
        md5->A = word[0];
        md5->B = word[1];
        md5->C = word[2];
        md5->D = word[3];
        break;
    case DIGEST_SHA1:
        sha1->h0 = word[0];
        sha1->h1 = word[1];
        sha1->h2 = word[2];
        sha1->h3 = word[3];
        sha1->h4 = word[4];
        break;
    case DIGEST_NONE:
        break;
    }
}

/* How many bytes were absorbed, as libcrypto counts: bits in two words, and what waits in the buffer. */
static void set_count(struct digest_state *state, uint64_t bytes)
{
    const uint32_t low_bits = (uint32_t)(bytes << 3);
    const uint32_t high_bits = (uint32_t)(bytes >> 29);
    const unsigned waiting = (unsigned)(bytes % DIGEST_BLOCK_SIZE);
    MD5_CTX *md5 = &state->u.md5;
    SHA_CTX *sha1 = &state->u.sha1;

    switch (state->id) {
    case DIGEST_MD5:
        md5->Nl = low_bits;
        md5->Nh = high_bits;
        md5->num = waiting;
        break;
    case DIGEST_SHA1:
        sha1->Nl = low_bits;
        sha1->Nh = high_bits;
        sha1->num = waiting;
        break;
    case DIGEST_NONE:
        break;
    }
}

void digest_from_midstate(struct digest_state *state, enum digest_id id,
                          const struct digest_midstate *midstate, uint64_t blocks)
{
    digest_load(state, id, midstate);
    set_count(state, blocks * DIGEST_BLOCK_SIZE);
}

/* ---- whole blocks ---- */

void digest_load(struct digest_state *state, enum digest_id id,
                 const struct digest_midstate *midstate)
{
    state->id = id;
    set_words(state, midstate);
}

void digest_compress(struct digest_state *state, const uint8_t *data, size_t blocks)
{
    for (; blocks > 0; blocks--, data += DIGEST_BLOCK_SIZE) {
        if (state->id == DIGEST_MD5)
            MD5_Transform(&state->u.md5, data);
        else
            SHA1_Transform(&state->u.sha1, data);
    }
}

static void put_little_endian(uint8_t *out, uint32_t word)
{
    out[0] = (uint8_t)word;
    out[1] = (uint8_t)(word >> 8);
    out[2] = (uint8_t)(word >> 16);
    out[3] = (uint8_t)(word >> 24);
}

static void put_big_endian(uint8_t *out, uint32_t word)
{
    out[0] = (uint8_t)(word >> 24);
    out[1] = (uint8_t)(word >> 16);
    out[2] = (uint8_t)(word >> 8);
    out[3] = (uint8_t)word;
}

void digest_chaining_value(const struct digest_state *state, uint8_t *out)
{
    const MD5_CTX *md5 = &state->u.md5;
    const SHA_CTX *sha1 = &state->u.sha1;

    switch (state->id) {
    case DIGEST_MD5:
        put_little_endian(out, md5->A);
        put_little_endian(out + 4, md5->B);
        put_little_endian(out + 8, md5->C);
        put_little_endian(out + 12, md5->D);
        break;
    case DIGEST_SHA1:
        put_big_endian(out, sha1->h0);
        put_big_endian(out + 4, sha1->h1);
        put_big_endian(out + 8, sha1->h2);
        put_big_endian(out + 12, sha1->h3);
        put_big_endian(out + 16, sha1->h4);
        break;
    case DIGEST_NONE:
        break;
    }
}

void digest_unload(struct digest_state *state)
{
    _Static_assert(offsetof(MD5_CTX, A) == 0 && offsetof(SHA_CTX, h0) == 0, "the words come first");
    OPENSSL_cleanse(&state->u, DIGEST_MAX_SIZE);
}

/* ---- saving ---- */

uint64_t digest_absorbed(const struct digest_state *state)
{
    uint64_t high = 0, low = 0;

    switch (state->id) {
    case DIGEST_MD5:
        high = state->u.md5.Nh;
        low = state->u.md5.Nl;
        break;
    case DIGEST_SHA1:
        high = state->u.sha1.Nh;
        low = state->u.sha1.Nl;
        break;
    case DIGEST_NONE:
        break;
    }
    return (high << 32 | low) >> 3;
}

/* libcrypto keeps the bytes that wait for a whole block as they came, whatever the word type. */
static const uint8_t *buffered_bytes(const struct digest_state *state)
{
    return (const uint8_t *)(state->id == DIGEST_MD5 ? state->u.md5.data : state->u.sha1.data);
}

/* Where the nth byte of a chaining word stands in it, counted in bits from its low end. */
static unsigned byte_shift(enum digest_id id, size_t n)
{
    return (unsigned)(8 * (digests[id].is_little_endian ? n : 3 - n));
}

size_t digest_saved_size(const struct digest_state *state)
{
    return digests[state->id].size + sizeof(uint64_t) +
           (size_t)(digest_absorbed(state) % DIGEST_BLOCK_SIZE);
}

size_t digest_save(const struct digest_state *state, uint8_t *out)
{
    const uint64_t bytes = digest_absorbed(state);
    const size_t size = digests[state->id].size;
    const size_t buffered = (size_t)(bytes % DIGEST_BLOCK_SIZE);

    digest_chaining_value(state, out);
    for (size_t n = 0; n < sizeof(bytes); n++)
        out[size + n] = (uint8_t)(bytes >> (56 - 8 * n));
    memcpy(out + size + sizeof(bytes), buffered_bytes(state), buffered);
    return size + sizeof(bytes) + buffered;
}

int digest_restore(struct digest_state *state, enum digest_id id, const uint8_t *in, size_t size)
{
    const size_t chaining_size = digests[id].size;
    const size_t fixed_size = chaining_size + sizeof(uint64_t);
    struct digest_midstate midstate = { { 0 } };
    uint64_t bytes = 0;

    if (chaining_size == 0 || size < fixed_size)
        return 0;
    for (size_t n = chaining_size; n < fixed_size; n++)
        bytes = bytes << 8 | in[n];
    if (bytes >= BYTE_COUNT_LIMIT || size - fixed_size != bytes % DIGEST_BLOCK_SIZE)
        return 0;
    for (size_t n = 0; n < chaining_size; n++)
        midstate.word[n / 4] |= (uint32_t)in[n] << byte_shift(id, n % 4);
    memset(state, 0, sizeof(*state));
    digest_load(state, id, &midstate);
    set_count(state, bytes);
    memcpy((uint8_t *)(uintptr_t)buffered_bytes(state), in + fixed_size, size - fixed_size);
    OPENSSL_cleanse(&midstate, sizeof(midstate));
    return 1;
}
