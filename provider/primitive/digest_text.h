/*
 * Short messages of one length, laid out once with their padding (RFC 1321 sections 3.1 and 3.2,
 * FIPS 180-4 section 5.1.1): hashing one costs its compressions and nothing else.  Key derivation
 * hashes many messages that differ in a few bytes only.
 * Plain values without allocation; cleanse to destroy.  Used by protocol/ssl3 and protocol/tls1.
 */
#ifndef SCHANNEL_PRIMITIVE_DIGEST_TEXT_H
#define SCHANNEL_PRIMITIVE_DIGEST_TEXT_H

#include "primitive/digest.h"
#include "primitive/octets.h"

#define DIGEST_TEXT_BLOCKS 3

struct digest_text {
    enum digest_id id;
    unsigned blocks;
    /* The message from the first byte on, which may be changed in place; then its padding. */
    uint8_t bytes[DIGEST_TEXT_BLOCKS * DIGEST_BLOCK_SIZE];
};

/*
 * Lays out |parts|, joined, as a message behind |before| bytes, a whole number of blocks, that are
 * compressed already.  1, or 0 when it does not fit.
 */
int digest_text_init(struct digest_text *text, enum digest_id id, size_t before,
                     const struct octets parts[], size_t count);

/*
 * The digest: digest_size bytes to |out|, which may be in |text|.  |from| is the chaining value
 * behind the bytes before.  |scratch| is overwritten; the caller cleanses it when he is done.
 */
void digest_text_hash(const struct digest_text *text, const struct digest_midstate *from,
                      struct digest_state *scratch, uint8_t *out);

#endif
