/*
 * RC4 whose position can be saved and resumed: the state is the permutation and both indices,
 * 258 bytes, the same on every machine.
 * Plain value without allocation; cleanse to destroy.  Used by key/ and cipher/.
 */
#ifndef SCHANNEL_PRIMITIVE_RC4_H
#define SCHANNEL_PRIMITIVE_RC4_H

#include <stddef.h>
#include <stdint.h>

struct rc4_state {
    uint8_t s[256];
    uint8_t i, j; /* the indices after the last byte produced; both 0 at the start */
};

/* |size| is 1 to 256 bytes. */
void rc4_init(struct rc4_state *state, const uint8_t *key, size_t size);
/* |out| may equal |in|; any |size|, 0 included. */
void rc4_apply(struct rc4_state *state, const uint8_t *in, uint8_t *out, size_t size);
/* 1 when |s| is a permutation of 0..255, which every honest state is. */
int rc4_state_is_valid(const struct rc4_state *state);

#endif
