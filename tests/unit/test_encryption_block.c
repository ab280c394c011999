/*
 * blob/encryption_block against a reader that branches as it likes: every short block over a few
 * telling bytes, every first pair of bytes, every length of padding, data and mark.  And the
 * helpers of primitive/constant_time.  Buffers end where their allocation ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "blob/encryption_block.h"
#include "primitive/constant_time.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define YES          (~(size_t)0)
#define MAX_BLOCK    512
#define MAX_DATA     64
#define UNTOUCHED    0xa5

/* ---- what must come out ---- */

struct answer {
    int good, is_marked;
    size_t size; /* of D */
};

static struct answer read_plainly(const uint8_t *block, size_t size, size_t least, size_t most)
{
    struct answer answer = { 0, 0, 0 };
    size_t separator = 2, marks = 0;

    while (separator < size && block[separator] != 0)
        separator++;
    if (block[0] != 0 || block[1] != 2 || separator == size || separator < 2 + 8)
        return answer;
    while (marks < separator - 2 && block[separator - 1 - marks] == 3)
        marks++;
    answer.size = size - separator - 1;
    answer.is_marked = marks >= 8;
    answer.good = answer.size >= least && answer.size <= most;
    return answer;
}

/* |data| has room for |most| bytes and no more. */
static void check_with(const uint8_t *block, size_t size, size_t least, size_t most, uint8_t *data)
{
    const struct answer expected = read_plainly(block, size, least, most);
    size_t data_size = 12345, is_marked = 12345;
    const size_t good = encryption_block_read((struct octets){ block, size }, least, most, data,
                                              &data_size, &is_marked);

    if (good != (expected.good ? YES : 0))
        fail_msg("a block of %zu bytes, %zu to %zu of them data, is %sgood", size, least, most,
                 expected.good ? "" : "not ");
    if (!expected.good)
        return;
    if (data_size != expected.size || is_marked != (expected.is_marked ? YES : 0) ||
        memcmp(data + most - data_size, block + size - data_size, data_size) != 0)
        fail_msg("a block of %zu bytes with %zu of data: another size, mark or other bytes", size,
                 expected.size);
}

static void check(const uint8_t *block, size_t size, size_t least, size_t most)
{
    uint8_t *data = malloc(most), *exact = malloc(size);

    assert_true(data != NULL && exact != NULL);
    memcpy(exact, block, size);
    check_with(exact, size, least, most, data);
    free(data);
    free(exact);
}

/* 00 02, |padding| bytes aa, 00, |data_size| bytes that tell their place. */
static size_t make_block(uint8_t *block, size_t padding, size_t data_size)
{
    block[0] = 0;
    block[1] = 2;
    memset(block + 2, 0xaa, padding);
    block[2 + padding] = 0;
    for (size_t n = 0; n < data_size; n++)
        block[3 + padding + n] = (uint8_t)(n + 1);
    return 3 + padding + data_size;
}

/* ---- reading ---- */

static void every_short_block_over_a_few_bytes_is_read_right(void **state)
{
    static const uint8_t alphabet[] = { 0, 2, 3 };
    static const struct {
        size_t least, most;
    } sizes[] = { { 1, 2 }, { 2, 2 }, { 1, 1 }, { 1, 48 } };
    size_t blocks = 0;

    (void)state;
    for (size_t size = ENCRYPTION_BLOCK_OVERHEAD; size <= 13; size++) {
        uint8_t *block = malloc(size), *data = malloc(MAX_DATA);
        size_t digits[13] = { 0 }, at = 0;

        assert_true(block != NULL && data != NULL);
        while (at < size) {
            for (size_t n = 0; n < size; n++)
                block[n] = alphabet[digits[n]];
            for (size_t n = 0; n < COUNT(sizes); n++)
                check_with(block, size, sizes[n].least, sizes[n].most, data);
            blocks++;
            for (at = 0; at < size && ++digits[at] == COUNT(alphabet); at++)
                digits[at] = 0;
        }
        free(block);
        free(data);
    }
    print_message("%zu blocks\n", blocks);
}

static void only_00_02_begins_a_block(void **state)
{
    uint8_t block[64];
    const size_t size = make_block(block, 45, 16);

    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            block[0] = (uint8_t)first;
            block[1] = (uint8_t)second;
            check(block, size, 16, 16);
        }
    }
}

static void every_byte_value_of_padding_but_0_is_padding(void **state)
{
    uint8_t block[64];
    const size_t size = make_block(block, 45, 16);

    (void)state;
    for (size_t at = 2; at < 48; at++) {
        for (unsigned value = 0; value < 256; value++) {
            const uint8_t before = block[at];

            block[at] = (uint8_t)value;
            check(block, size, 16, 16);
            check(block, size, 5, 48);
            block[at] = before;
        }
    }
}

/* The sizes of all kinds of keys, and those beside them, in blocks of RSA's usual sizes and
 * others. */
static void every_length_of_padding_and_data_is_told(void **state)
{
    static const size_t sizes[] = { 11, 12, 27, 32, 64, 96, 128, 255, 256, 512 };
    static const struct {
        size_t least, most;
    } keys[] = { { 5, 16 },  { 5, 24 },  { 8, 8 }, { 16, 16 }, { 24, 24 },
                 { 32, 32 }, { 48, 48 }, { 1, 1 }, { 1, 64 } };
    uint8_t block[MAX_BLOCK];

    (void)state;
    for (size_t n = 0; n < COUNT(sizes); n++) {
        for (size_t padding = 0; padding + 3 <= sizes[n]; padding++) {
            for (size_t k = 0; k < COUNT(keys); k++) {
                make_block(block, padding, sizes[n] - padding - 3);
                check(block, sizes[n], keys[k].least, keys[k].most);
            }
        }
        memset(block + 2, 0xaa, sizes[n] - 2); /* no separator */
        for (size_t k = 0; k < COUNT(keys); k++)
            check(block, sizes[n], keys[k].least, keys[k].most);
    }
}

static void zeros_inside_the_data_are_data(void **state)
{
    uint8_t block[128];
    const size_t size = make_block(block, 109, 16);

    (void)state;
    for (unsigned zeros = 0; zeros < 0x10000; zeros++) {
        for (size_t n = 0; n < 16; n++)
            block[112 + n] = (zeros >> n & 1) != 0 ? 0 : (uint8_t)(n + 1);
        check(block, size, 16, 16);
    }
}

/* ---- the mark ---- */

static void eight_bytes_03_before_the_separator_are_the_mark(void **state)
{
    uint8_t block[64];

    (void)state;
    for (size_t count = 0; count <= 16; count++) {
        for (size_t hole = 0; hole <= 16; hole++) {
            size_t size = make_block(block, 45, 16), found, is_marked;
            uint8_t data[16];

            memset(block + 47 - count, 3, count);
            if (hole != 0)
                block[47 - hole] = 4;
            check(block, size, 16, 16);
            assert_int_equal(encryption_block_read((struct octets){ block, size }, 16, 16, data,
                                                   &found, &is_marked),
                             YES);
            assert_int_equal(is_marked, count >= 8 && (hole == 0 || hole > 8) ? YES : 0);
        }
    }
}

static void bytes_03_elsewhere_are_no_mark(void **state)
{
    uint8_t block[64], data[16];
    size_t size = make_block(block, 45, 16), found, is_marked;

    (void)state;
    memset(block + 2, 3, 44); /* up to the last byte of the padding */
    memset(block + 48, 3, 16);
    assert_int_equal(
        encryption_block_read((struct octets){ block, size }, 16, 16, data, &found, &is_marked),
        YES);
    assert_int_equal(is_marked, 0);
}

static void a_marked_block_has_the_layout_of_the_specification(void **state)
{
    (void)state;
    for (size_t data_size = 5; data_size <= 24; data_size++) {
        for (size_t size = data_size + ENCRYPTION_BLOCK_OVERHEAD; size <= 128; size++) {
            const size_t padding_size = size - 3 - data_size;
            uint8_t *block = malloc(size), *padding = malloc(padding_size), *data = malloc(24);
            uint8_t expected[128];
            size_t found, is_marked;

            assert_true(block != NULL && padding != NULL && data != NULL);
            memset(block, UNTOUCHED, size);
            memset(padding, 0x77, padding_size);
            memset(data, 0x55, 24);
            encryption_block_write_marked(block, size, padding, (struct octets){ data, data_size });
            expected[0] = 0;
            expected[1] = 2;
            memset(expected + 2, 0x77, padding_size);
            memset(expected + 2 + padding_size - 8, 3, 8);
            expected[2 + padding_size] = 0;
            memset(expected + 3 + padding_size, 0x55, data_size);
            assert_memory_equal(block, expected, size);
            assert_int_equal(encryption_block_read((struct octets){ block, size }, 5, 24, data,
                                                   &found, &is_marked),
                             YES);
            assert_int_equal(found, data_size);
            assert_int_equal(is_marked, YES);
            free(block);
            free(padding);
            free(data);
        }
    }
}

/* ---- primitive/constant_time ---- */

static void masks_are_what_the_operators_say(void **state)
{
    static const size_t values[] = { 0,
                                     1,
                                     2,
                                     7,
                                     8,
                                     127,
                                     128,
                                     255,
                                     256,
                                     65535,
                                     SIZE_MAX,
                                     SIZE_MAX / 2,
                                     SIZE_MAX - 1,
                                     SIZE_MAX / 2 + 1,
                                     SIZE_MAX / 2 + 2 };

    (void)state;
    for (size_t a = 0; a < COUNT(values); a++) {
        assert_int_equal(ct_is_zero(values[a]), values[a] == 0 ? YES : 0);
        assert_int_equal(ct_msb(values[a]), values[a] > SIZE_MAX / 2 ? YES : 0);
        for (size_t b = 0; b < COUNT(values); b++) {
            assert_int_equal(ct_equal(values[a], values[b]), values[a] == values[b] ? YES : 0);
            assert_int_equal(ct_less(values[a], values[b]), values[a] < values[b] ? YES : 0);
            assert_int_equal(ct_select(YES, values[a], values[b]), values[a]);
            assert_int_equal(ct_select(0, values[a], values[b]), values[b]);
        }
    }
}

static void chosen_bytes_are_those_of_one_side(void **state)
{
    const uint8_t a[5] = { 1, 2, 3, 4, 5 }, b[5] = { 0xff, 0, 0xee, 0x80, 0x7f };
    uint8_t to[6] = { 0 };

    (void)state;
    to[5] = UNTOUCHED;
    ct_select_bytes(YES, to, a, b, 5);
    assert_memory_equal(to, a, 5);
    ct_select_bytes(0, to, a, b, 5);
    assert_memory_equal(to, b, 5);
    assert_int_equal(to[5], UNTOUCHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_block_over_a_few_bytes_is_read_right),
        cmocka_unit_test(only_00_02_begins_a_block),
        cmocka_unit_test(every_byte_value_of_padding_but_0_is_padding),
        cmocka_unit_test(every_length_of_padding_and_data_is_told),
        cmocka_unit_test(zeros_inside_the_data_are_data),
        cmocka_unit_test(eight_bytes_03_before_the_separator_are_the_mark),
        cmocka_unit_test(bytes_03_elsewhere_are_no_mark),
        cmocka_unit_test(a_marked_block_has_the_layout_of_the_specification),
        cmocka_unit_test(masks_are_what_the_operators_say),
        cmocka_unit_test(chosen_bytes_are_those_of_one_side),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
