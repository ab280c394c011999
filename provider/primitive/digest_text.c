/* Short messages laid out with their padding: see digest_text.h. */
#include "primitive/digest_text.h"

#include <string.h>

#define LENGTH_SIZE 8

/* The length in bits, in the digest's own byte order. */
static void put_length(enum digest_id id, uint64_t bits, uint8_t out[LENGTH_SIZE])
{
    for (size_t n = 0; n < LENGTH_SIZE; n++)
        out[n] = (uint8_t)(bits >> 8 * (id == DIGEST_MD5 ? n : LENGTH_SIZE - 1 - n));
}

int digest_text_init(struct digest_text *text, enum digest_id id, size_t before,
                     const struct octets parts[], size_t count)
{
    size_t size = 0, padded;

    for (size_t n = 0; n < count; n++) {
        if (parts[n].size > sizeof(text->bytes) - size)
            return 0;
        if (parts[n].size != 0)
            memcpy(text->bytes + size, parts[n].data, parts[n].size);
        size += parts[n].size;
    }
    text->id = id;
    text->blocks = (unsigned)((size + 1 + LENGTH_SIZE + DIGEST_BLOCK_SIZE - 1) / DIGEST_BLOCK_SIZE);
    if (text->blocks > DIGEST_TEXT_BLOCKS)
        return 0;
    padded = text->blocks * DIGEST_BLOCK_SIZE;
    memset(text->bytes + size, 0, padded - size);
    text->bytes[size] = 0x80;
    put_length(id, 8 * ((uint64_t)before + size), text->bytes + padded - LENGTH_SIZE);
    return 1;
}

void digest_text_hash(const struct digest_text *text, const struct digest_midstate *from,
                      struct digest_state *scratch, uint8_t *out)
{
    digest_load(scratch, text->id, from);
    digest_compress(scratch, text->bytes, text->blocks);
    digest_chaining_value(scratch, out);
}
