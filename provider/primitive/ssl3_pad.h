/*
 * The padding of SSL 3.0's keyed hashes (RFC 6101 section 5.2.3.1): 48 bytes with MD5, 40 with SHA-1.
 * Used by protocol/ssl3 and key/mac_value.
 */
#ifndef SCHANNEL_PRIMITIVE_SSL3_PAD_H
#define SCHANNEL_PRIMITIVE_SSL3_PAD_H

#include <string.h>
#include "primitive/digest.h"

enum ssl3_pad { SSL3_PAD1 = 0x36, SSL3_PAD2 = 0x5c };

static inline void ssl3_pad_update(struct digest_state *state, enum ssl3_pad pad)
{
    uint8_t bytes[48];

    memset(bytes, (int)pad, sizeof(bytes));
    digest_update(state, bytes, state->id == DIGEST_MD5 ? 48 : 40);
}

#endif
