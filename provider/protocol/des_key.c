/* DES keys out of bit strings: see des_key.h. */
#include "protocol/des_key.h"

void des_key_set_parity(uint8_t *key, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        unsigned bits = key[n] >> 1;

        bits ^= bits >> 4;
        bits ^= bits >> 2;
        bits ^= bits >> 1;
        key[n] = (uint8_t)((key[n] & 0xfe) | (~bits & 1));
    }
}

/* Seven bytes are eight groups of seven bits. */
void des_key_from_bits(const uint8_t *bits, uint8_t *key, size_t size)
{
    for (size_t group = 0; group < size; group++) {
        const uint8_t *from = bits + group / 8 * 7;
        unsigned at = (unsigned)(group % 8); /* the group starts at bit 7 * at: in byte at - 1 */
        unsigned high = at == 0 ? 0 : (unsigned)from[at - 1] << (8 - at);
        unsigned low = at == 7 ? 0 : (unsigned)from[at] >> at;

        key[group] = (uint8_t)((high | low) & 0xfe);
    }
    des_key_set_parity(key, size);
}
