/*
 * HMAC (RFC 2104) from two chaining values: see hmac.h.
 * Called by protocol/tls1 for the PRF and by key/ for record MACs; nothing here fails or allocates.
 */
#include "primitive/hmac.h"

#include <string.h>
#include <openssl/crypto.h>

/* RFC 2104 section 2: what the two key blocks are mixed with. */
#define INNER_PAD 0x36
#define OUTER_PAD 0x5c

/* The chaining value after the one block |key_block| XOR |pad|. */
static void absorb_key_block(struct digest_midstate *midstate, enum digest_id id,
                             const uint8_t key_block[DIGEST_BLOCK_SIZE], uint8_t pad)
{
    struct digest_state state;
    uint8_t padded[DIGEST_BLOCK_SIZE];

    for (size_t n = 0; n < sizeof(padded); n++)
        padded[n] = key_block[n] ^ pad;
    digest_init(&state, id);
    digest_compress(&state, padded, 1);
    digest_get_midstate(&state, midstate);
    OPENSSL_cleanse(&state, sizeof(state));
    OPENSSL_cleanse(padded, sizeof(padded));
}

void hmac_key_init(struct hmac_key *key, enum digest_id id, const uint8_t *secret, size_t size)
{
    uint8_t key_block[DIGEST_BLOCK_SIZE] = { 0 };
    struct digest_state state;

    if (size > sizeof(key_block)) {
        digest_init(&state, id);
        digest_update(&state, secret, size);
        digest_final(&state, key_block);
    } else if (size > 0) {
        memcpy(key_block, secret, size);
    }
    key->id = id;
    absorb_key_block(&key->inner, id, key_block, INNER_PAD);
    absorb_key_block(&key->outer, id, key_block, OUTER_PAD);
    OPENSSL_cleanse(key_block, sizeof(key_block));
}

void hmac_start(const struct hmac_key *key, struct digest_state *state)
{
    digest_from_midstate(state, key->id, &key->inner, 1);
}

/* The outer digest behind its key block: the inner one in the first bytes of |block|, then padding
 * for as many bytes as a block and a digest have. */
static const uint8_t outer_blocks[][DIGEST_BLOCK_SIZE] = {
    [DIGEST_MD5] = { [16] = 0x80, [56] = (8 * 80) & 0xff, [57] = 8 * 80 >> 8 },
    [DIGEST_SHA1] = { [20] = 0x80, [62] = 8 * 84 >> 8, [63] = (8 * 84) & 0xff },
};

static void hash_outer(const struct hmac_key *key, struct digest_state *state,
                       const uint8_t block[DIGEST_BLOCK_SIZE], uint8_t *out)
{
    digest_load(state, key->id, &key->outer);
    digest_compress(state, block, 1);
    digest_chaining_value(state, out);
}

void hmac_finish(const struct hmac_key *key, struct digest_state *state, uint8_t *out)
{
    uint8_t block[DIGEST_BLOCK_SIZE];

    memcpy(block, outer_blocks[key->id], sizeof(block));
    digest_final(state, block);
    hash_outer(key, state, block, out);
    digest_unload(state);
    OPENSSL_cleanse(block, DIGEST_MAX_SIZE);
}

void hmac_text(const struct hmac_key *key, const struct digest_text *message,
               struct hmac_scratch *scratch, uint8_t *out)
{
    memcpy(scratch->outer, outer_blocks[key->id], sizeof(scratch->outer));
    digest_text_hash(message, &key->inner, &scratch->state, scratch->outer);
    hash_outer(key, &scratch->state, scratch->outer, out);
}
