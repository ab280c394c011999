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

void hmac_finish(const struct hmac_key *key, struct digest_state *state, uint8_t *out)
{
    uint8_t inner[DIGEST_MAX_SIZE];

    digest_final(state, inner);
    digest_from_midstate(state, key->id, &key->outer, 1);
    digest_update(state, inner, digest_size(key->id));
    digest_final(state, out);
    OPENSSL_cleanse(inner, sizeof(inner));
}

void hmac_outer_init(struct digest_text *outer, enum digest_id id)
{
    static const uint8_t inner[DIGEST_MAX_SIZE];
    const struct octets part = { inner, digest_size(id) };

    (void)digest_text_init(outer, id, DIGEST_BLOCK_SIZE, &part, 1);
}

void hmac_text(const struct hmac_key *key, const struct digest_text *message,
               struct digest_text *outer, struct digest_state *scratch, uint8_t *out)
{
    digest_text_hash(message, &key->inner, scratch, outer->bytes);
    digest_text_hash(outer, &key->outer, scratch, out);
}
