/*
 * RC4 from a state that can be saved: see rc4.h.
 *
 * A plain implementation, since libcrypto's RC4() is not faster and its RC4_KEY is no state to keep:
 * it has four times the size and a layout that depends on the processor.  Eight bytes of keystream
 * are gathered before they meet the data, so that writing the output does not hold up the next
 * lookups.  As every RC4 with tables does, it reads memory at places that depend on the key.
 * Called by key/ and cipher/.
 */
#include "primitive/rc4.h"

#include <string.h>
#include <openssl/crypto.h>

#define ENTRIES  256
#define GATHERED 8 /* bytes of keystream */

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

/* The next byte of the keystream; the indices stay below 256. */
static inline uint64_t next_byte(uint8_t s[ENTRIES], unsigned *i, unsigned *j)
{
    unsigned a, b;

    *i = (*i + 1) & 0xff;
    a = s[*i];
    *j = (*j + a) & 0xff;
    b = s[*j];
    s[*i] = (uint8_t)b;
    s[*j] = (uint8_t)a;
    return s[(a + b) & 0xff];
}

/* |value| with its lowest byte first in memory, whatever the machine: nothing to do on most. */
static inline uint64_t lowest_first(uint64_t value)
{
    const uint8_t bytes[GATHERED] = {
        (uint8_t)value,         (uint8_t)(value >> 8),  (uint8_t)(value >> 16),
        (uint8_t)(value >> 24), (uint8_t)(value >> 32), (uint8_t)(value >> 40),
        (uint8_t)(value >> 48), (uint8_t)(value >> 56),
    };

    memcpy(&value, bytes, sizeof(value));
    return value;
}

void rc4_apply(struct rc4_state *state, const uint8_t *in, uint8_t *out, size_t size)
{
    uint8_t *const s = state->s;
    unsigned i = state->i, j = state->j;

    for (; size >= GATHERED; size -= GATHERED, in += GATHERED, out += GATHERED) {
        uint64_t keystream = next_byte(s, &i, &j), data;

        keystream |= next_byte(s, &i, &j) << 8;
        keystream |= next_byte(s, &i, &j) << 16;
        keystream |= next_byte(s, &i, &j) << 24;
        keystream |= next_byte(s, &i, &j) << 32;
        keystream |= next_byte(s, &i, &j) << 40;
        keystream |= next_byte(s, &i, &j) << 48;
        keystream |= next_byte(s, &i, &j) << 56;
        memcpy(&data, in, sizeof(data));
        data ^= lowest_first(keystream);
        memcpy(out, &data, sizeof(data));
    }
    for (; size > 0; size--)
        *out++ = *in++ ^ (uint8_t)next_byte(s, &i, &j);
    state->i = (uint8_t)i;
    state->j = (uint8_t)j;
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
