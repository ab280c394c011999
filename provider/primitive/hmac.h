/*
 * HMAC (RFC 2104) over a resumable digest.  The key is kept as the two chaining values after the
 * padded key block, so a message costs no compression for the key.
 * Plain values without allocation; cleanse to destroy.  Used by protocol/tls1 and key/.
 */
#ifndef SCHANNEL_PRIMITIVE_HMAC_H
#define SCHANNEL_PRIMITIVE_HMAC_H

#include "primitive/digest.h"
#include "primitive/digest_text.h"

struct hmac_key {
    enum digest_id id;
    struct digest_midstate inner, outer;
};

/* Any key length, 0 included; longer than a block is hashed first as RFC 2104 says. */
void hmac_key_init(struct hmac_key *key, enum digest_id id, const uint8_t *secret, size_t size);

/* Starts a message: |state| absorbs it with digest_update. */
void hmac_start(const struct hmac_key *key, struct digest_state *state);
/* Ends the message: writes digest_size bytes, cleanses |state|. */
void hmac_finish(const struct hmac_key *key, struct digest_state *state, uint8_t *out);

/* What HMAC of short messages works on: overwritten by each; the caller cleanses it when he is done. */
struct hmac_scratch {
    struct digest_state state;
    uint8_t outer[DIGEST_BLOCK_SIZE]; /* the block that the outer digest compresses last */
};

/* HMAC of a message that is laid out behind one block: digest_size bytes to |out|, which may be in
 * |message|. */
void hmac_text(const struct hmac_key *key, const struct digest_text *message,
               struct hmac_scratch *scratch, uint8_t *out);

#endif
