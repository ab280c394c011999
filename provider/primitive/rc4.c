/*
 * RC4 from a canonical state: see rc4.h.
 *
 * libcrypto's RC4_KEY cannot be the state itself: RC4_set_key chooses between two layouts by the
 * processor it runs on, so its bytes mean nothing on another machine.  Each call therefore expands
 * the 258 bytes into an RC4_KEY of the plain layout (x, y, one element per entry) and takes them
 * out again.  Every implementation in libcrypto accepts that layout: the x86 ones take the
 * structure for their byte layout only when data[64] is -1, which no entry of a permutation of
 * 0..255 is.  The schedule is computed here because RC4_set_key might write the other layout.
 * Called by key/ and cipher/.
 */
/* RC4() is deprecated in favour of EVP, which cannot save a stream's position. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "primitive/rc4.h"

#include <openssl/crypto.h>
#include <openssl/rc4.h>

#define ENTRIES 256

static void swap(uint8_t *a, uint8_t *b)
{
    const uint8_t kept = *a;

    *a = *b;
    *b = kept;
}

void rc4_init(struct rc4_state *state, const uint8_t *key, size_t size)
{
    uint8_t j = 0;

    for (size_t n = 0; n < ENTRIES; n++)
        state->s[n] = (uint8_t)n;
    for (size_t n = 0; n < ENTRIES; n++) {
        j = (uint8_t)(j + state->s[n] + key[n % size]);
        swap(&state->s[n], &state->s[j]);
    }
    state->i = 0;
    state->j = 0;
}

void rc4_apply(struct rc4_state *state, const uint8_t *in, uint8_t *out, size_t size)
{
    RC4_KEY expanded;

    if (size == 0)
        return;
    expanded.x = state->i;
    expanded.y = state->j;
    for (size_t n = 0; n < ENTRIES; n++)
        expanded.data[n] = state->s[n];
    RC4(&expanded, size, in, out);
    for (size_t n = 0; n < ENTRIES; n++)
        state->s[n] = (uint8_t)expanded.data[n];
    state->i = (uint8_t)expanded.x;
    state->j = (uint8_t)expanded.y;
    OPENSSL_cleanse(&expanded, sizeof(expanded));
}

int rc4_state_is_valid(const struct rc4_state *state)
{
    uint8_t seen[ENTRIES] = { 0 };
    size_t distinct = 0;

    for (size_t n = 0; n < ENTRIES; n++) {
        distinct += seen[state->s[n]] == 0;
        seen[state->s[n]] = 1;
    }
    OPENSSL_cleanse(seen, sizeof(seen));
    return distinct == ENTRIES;
}
