/* What the MACs of three protocols have to be: see record_mac.h. */
#include "record_mac.h"

#define MAX_WHOLE (64 + 48 + 16 + 2 * MAX_TEXT)

const struct row rows[ROWS] = {
    { "PCT1-MAC", "MD5", PCT1, 16, 0, 8, 40, 16, LAST_32 },
    { "PCT1-MAC", "SHA1", PCT1, 20, 0, 8, 40, 40, LAST_32 },
    { "SSL2-MAC", "MD5", SSL2, 16, 0, 5, 32, 24, LAST_32 },
    { "SSL3-MAC", "MD5", SSL3, 16, 48, 16, 16, 16, UINT64_MAX - 1 },
    { "SSL3-MAC", "SHA1", SSL3, 20, 40, 20, 20, 20, UINT64_MAX - 1 },
};

/* ---- what has to come out: record-protection, section 1 ---- */

static size_t append(uint8_t *out, size_t at, const void *data, size_t size)
{
    assert_in_range(at + size, 0, MAX_WHOLE);
    if (size != 0)
        memcpy(out + at, data, size);
    return at + size;
}

static size_t append_byte(uint8_t *out, size_t at, int byte, size_t count)
{
    assert_in_range(at + count, 0, MAX_WHOLE);
    memset(out + at, byte, count);
    return at + count;
}

static size_t append_number(uint8_t *out, size_t at, uint64_t number, size_t size)
{
    for (size_t n = 0; n < size; n++)
        at = append_byte(out, at, (int)(number >> 8 * (size - 1 - n) & 0xff), 1);
    return at;
}

void raw_mac(const struct row *row, const uint8_t *key, size_t key_size, const uint8_t *data,
             size_t size, uint8_t *out)
{
    uint8_t whole[MAX_WHOLE], inner[MAX_MAC];
    size_t at = append(whole, 0, key, key_size);

    if (row->protocol == PCT1) {
        at = append(whole, at, inner, hash(row->digest, data, size, inner));
    } else if (row->protocol == SSL2) {
        at = append(whole, at, data, size);
    } else {
        uint8_t first[MAX_WHOLE];
        size_t first_size = append(first, 0, key, key_size);

        first_size = append_byte(first, first_size, 0x36, row->pad);
        first_size = append(first, first_size, data, size);
        at = append_byte(whole, at, 0x5c, row->pad);
        at = append(whole, at, inner, hash(row->digest, first, first_size, inner));
    }
    assert_int_equal(hash(row->digest, whole, at, out), row->size);
}

void record_mac(const struct row *row, const uint8_t *key, size_t key_size, uint64_t sequence,
                unsigned type, const uint8_t *data, size_t size, uint8_t *out)
{
    uint8_t whole[MAX_WHOLE];
    size_t at = 0;

    if (row->protocol == SSL3) {
        at = append_number(whole, at, sequence, 8);
        at = append_number(whole, at, type, 1);
        at = append_number(whole, at, size, 2);
    }
    at = append(whole, at, data, size);
    if (row->protocol != SSL3)
        at = append_number(whole, at, sequence, 4);
    raw_mac(row, key, key_size, whole, at, out);
}
