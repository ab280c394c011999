/* The encryption block of PKCS#1 v1.5: see encryption_block.h. */
#include "blob/encryption_block.h"

#include <string.h>
#include "primitive/constant_time.h"

#define MARK_SIZE        8
#define MARK_BYTE        3
#define MIN_PADDING_SIZE 8

size_t encryption_block_read(struct octets block, size_t least, size_t most, uint8_t *data,
                             size_t *size, size_t *is_marked)
{
    const uint8_t *bytes = block.data;
    const size_t copied = most < block.size ? most : block.size;
    size_t good = ct_is_zero(bytes[0]) & ct_equal(bytes[1], 2);
    size_t found = 0, separator = 0, marks = 0, data_size;

    for (size_t n = 2; n < block.size; n++) {
        size_t is_zero = ct_is_zero(bytes[n]), is_mark = ct_equal(bytes[n], MARK_BYTE);

        separator = ct_select(is_zero & ~found, n, separator);
        found |= is_zero;
        marks = ct_select(found, marks, ct_select(is_mark, marks + 1, 0));
    }
    data_size = block.size - 1 - separator;
    good &= found & ~ct_less(separator, 2 + MIN_PADDING_SIZE) & ~ct_less(data_size, least) &
            ~ct_less(most, data_size);
    memset(data, 0, most - copied);
    memcpy(data + most - copied, bytes + block.size - copied, copied);
    *size = data_size;
    *is_marked = ~ct_less(marks, MARK_SIZE);
    return good;
}

void encryption_block_write_marked(uint8_t *block, size_t block_size, const uint8_t *padding,
                                   struct octets data)
{
    const size_t padding_size = block_size - 3 - data.size;

    block[0] = 0;
    block[1] = 2;
    memcpy(block + 2, padding, padding_size);
    memset(block + 2 + padding_size - MARK_SIZE, MARK_BYTE, MARK_SIZE);
    block[2 + padding_size] = 0;
    memcpy(block + 3 + padding_size, data.data, data.size);
}
