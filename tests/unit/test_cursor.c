/* blob/cursor: values against literal bytes, and bounds at every size.  Buffers are allocated at
 * their exact size, so that a sanitizer sees every byte too far. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "blob/cursor.h"
#include "vectors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define UNTOUCHED    0xa5

/* Bytes that tell their place. */
static const uint8_t counted[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

/* A copy that ends where its allocation ends; |size| 0 is an allocation of nothing. */
static uint8_t *exact_copy(const void *data, size_t size)
{
    uint8_t *copy = malloc(size);

    assert_true(copy != NULL || size == 0);
    if (size != 0)
        memcpy(copy, data, size);
    return copy;
}

static uint8_t *exact_buffer(size_t size)
{
    uint8_t *buffer = malloc(size);

    assert_true(buffer != NULL || size == 0);
    if (size != 0)
        memset(buffer, UNTOUCHED, size);
    return buffer;
}

static void assert_all_bytes(const uint8_t *data, size_t size, uint8_t value)
{
    for (size_t n = 0; n < size; n++)
        assert_int_equal(data[n], value);
}

/* ---- integers ---- */

enum integer { U8, U16, U32, U64, U16_LE, U32_LE, INTEGERS };

static const size_t widths[INTEGERS] = { 1, 2, 4, 8, 2, 4 };

static uint64_t read_integer(struct reader *reader, enum integer which)
{
    switch (which) {
    case U8:
        return reader_u8(reader);
    case U16:
        return reader_u16(reader);
    case U32:
        return reader_u32(reader);
    case U64:
        return reader_u64(reader);
    case U16_LE:
        return reader_u16_le(reader);
    default:
        return reader_u32_le(reader);
    }
}

static void write_integer(struct writer *writer, enum integer which, uint64_t value)
{
    switch (which) {
    case U8:
        writer_u8(writer, (uint8_t)value);
        break;
    case U16:
        writer_u16(writer, (uint16_t)value);
        break;
    case U32:
        writer_u32(writer, (uint32_t)value);
        break;
    case U64:
        writer_u64(writer, value);
        break;
    case U16_LE:
        writer_u16_le(writer, (uint16_t)value);
        break;
    default:
        writer_u32_le(writer, (uint32_t)value);
        break;
    }
}

static const struct {
    enum integer which;
    uint64_t value;
    const char *bytes;
} integers[] = {
    { U8, 0x00, "00" },
    { U8, 0x7f, "7f" },
    { U8, 0xff, "ff" },
    { U16, 0x0001, "0001" },
    { U16, 0x0123, "0123" },
    { U16, 0xff00, "ff00" },
    { U16, 0xffff, "ffff" },
    { U32, 0x00000001, "00000001" },
    { U32, 0x01234567, "01234567" },
    { U32, 0x80000000, "80000000" },
    { U32, 0xffffffff, "ffffffff" },
    { U64, UINT64_C(0x0000000000000001), "0000000000000001" },
    { U64, UINT64_C(0x0123456789abcdef), "0123456789abcdef" },
    { U64, UINT64_C(0x8000000000000000), "8000000000000000" },
    { U64, UINT64_C(0xffffffffffffffff), "ffffffffffffffff" },
    { U16_LE, 0x0001, "0100" },
    { U16_LE, 0x0123, "2301" },
    { U16_LE, 0xff00, "00ff" },
    { U16_LE, 0xffff, "ffff" },
    { U32_LE, 0x00000001, "01000000" },
    { U32_LE, 0x01234567, "67452301" },
    { U32_LE, 0x80000000, "00000080" },
    { U32_LE, 0xffffffff, "ffffffff" },
};

static void integers_are_read_from_their_literal_bytes(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < COUNT(integers); n++) {
        uint8_t bytes[8], *data;
        size_t size = hex_decode(integers[n].bytes, bytes, sizeof(bytes));
        struct reader reader;

        data = exact_copy(bytes, size);
        reader_init(&reader, data, size);
        assert_int_equal(read_integer(&reader, integers[n].which), integers[n].value);
        assert_int_equal(reader.failed, 0);
        assert_int_equal(reader_is_finished(&reader), 1);
        free(data);
    }
}

static void integers_are_written_as_their_literal_bytes(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < COUNT(integers); n++) {
        const size_t size = widths[integers[n].which];
        uint8_t *out = exact_buffer(size);
        struct writer writer;

        writer_init(&writer, out, size);
        write_integer(&writer, integers[n].which, integers[n].value);
        assert_int_equal(writer.failed, 0);
        expect_hex((struct octets){ out, writer.position }, integers[n].bytes);
        free(out);
    }
}

static void integers_are_read_only_when_they_are_there_whole(void **unused)
{
    (void)unused;
    for (enum integer which = U8; which < INTEGERS; which++) {
        for (size_t size = 0; size <= sizeof(counted); size++) {
            uint8_t *data = exact_copy(counted, size);
            struct reader reader;
            uint64_t value;

            reader_init(&reader, data, size);
            value = read_integer(&reader, which);
            assert_int_equal(reader.failed, size < widths[which]);
            if (reader.failed) {
                assert_int_equal(value, 0);
                assert_int_equal(reader_left(&reader), 0);
                assert_int_equal(reader_is_finished(&reader), 0);
            } else {
                assert_int_not_equal(value, 0);
                assert_int_equal(reader_left(&reader), size - widths[which]);
                assert_int_equal(reader_is_finished(&reader), size == widths[which]);
            }
            free(data);
        }
    }
}

static void integers_are_written_only_where_they_fit_whole(void **unused)
{
    (void)unused;
    for (enum integer which = U8; which < INTEGERS; which++) {
        for (size_t size = 0; size <= 9; size++) {
            uint8_t *out = exact_buffer(size);
            struct writer writer;

            writer_init(&writer, out, size);
            write_integer(&writer, which, UINT64_MAX);
            assert_int_equal(writer.failed, size < widths[which]);
            assert_int_equal(writer.position, writer.failed ? 0 : widths[which]);
            assert_all_bytes(out, writer.position, 0xff);
            assert_all_bytes(out + writer.position, size - writer.position, UNTOUCHED);
            free(out);
        }
    }
}

static void integers_follow_one_another(void **unused)
{
    static const char whole[] = "01 0203 04050607 08090a0b0c0d0e0f 1110 15141312";
    uint8_t bytes[32], *out;
    const size_t size = hex_decode(whole, bytes, sizeof(bytes));
    struct writer writer;
    struct reader reader;

    (void)unused;
    out = exact_buffer(size);
    writer_init(&writer, out, size);
    writer_u8(&writer, 0x01);
    writer_u16(&writer, 0x0203);
    writer_u32(&writer, 0x04050607);
    writer_u64(&writer, UINT64_C(0x08090a0b0c0d0e0f));
    writer_u16_le(&writer, 0x1011);
    writer_u32_le(&writer, 0x12131415);
    assert_int_equal(writer.failed, 0);
    expect_hex((struct octets){ out, writer.position }, whole);

    reader_init(&reader, out, size);
    assert_int_equal(reader_u8(&reader), 0x01);
    assert_int_equal(reader_u16(&reader), 0x0203);
    assert_int_equal(reader_left(&reader), size - 3);
    assert_int_equal(reader_u32(&reader), 0x04050607);
    assert_int_equal(reader_u64(&reader), UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(reader_u16_le(&reader), 0x1011);
    assert_int_equal(reader_is_finished(&reader), 0);
    assert_int_equal(reader_u32_le(&reader), 0x12131415);
    assert_int_equal(reader_is_finished(&reader), 1);
    free(out);
}

/* ---- runs of bytes ---- */

static void taking_borrows_the_input_itself(void **unused)
{
    uint8_t *data = exact_copy(counted, sizeof(counted));

    (void)unused;
    for (size_t first = 0; first <= sizeof(counted); first++) {
        for (size_t second = 0; second <= sizeof(counted) + 1; second++) {
            struct reader reader;
            struct octets taken;

            reader_init(&reader, data, sizeof(counted));
            taken = reader_take(&reader, first);
            assert_ptr_equal(taken.data, data);
            assert_int_equal(taken.size, first);
            taken = reader_take(&reader, second);
            assert_int_equal(reader.failed, first + second > sizeof(counted));
            assert_ptr_equal(taken.data, reader.failed ? NULL : data + first);
            assert_int_equal(taken.size, reader.failed ? 0 : second);
        }
    }
    free(data);
}

static void sizes_near_the_end_of_the_address_space_are_too_much(void **unused)
{
    uint8_t *data = exact_copy(counted, sizeof(counted));

    (void)unused;
    for (size_t below = 0; below <= 2 * sizeof(counted); below++) {
        struct reader reader;
        struct writer writer;

        reader_init(&reader, data, sizeof(counted));
        reader_u32(&reader);
        assert_null(reader_take(&reader, SIZE_MAX - below).data);
        assert_int_equal(reader.failed, 1);
        writer_init(&writer, data, sizeof(counted));
        writer_u32(&writer, 0x01234567);
        writer_copy(&writer, counted, SIZE_MAX - below);
        assert_int_equal(writer.failed, 1);
        assert_int_equal(writer.position, 4);
        assert_memory_equal(data, counted, sizeof(counted));
    }
    free(data);
}

static void copying_gives_all_the_bytes_or_zeros(void **unused)
{
    (void)unused;
    for (size_t there = 0; there <= sizeof(counted); there++) {
        for (size_t wanted = 0; wanted <= sizeof(counted) + 1; wanted++) {
            uint8_t *data = exact_copy(counted, there), *out = exact_buffer(wanted);
            struct reader reader;

            reader_init(&reader, data, there);
            reader_copy(&reader, out, wanted);
            assert_int_equal(reader.failed, wanted > there);
            if (reader.failed)
                assert_all_bytes(out, wanted, 0);
            else if (wanted != 0)
                assert_memory_equal(out, counted, wanted);
            free(out);
            free(data);
        }
    }
}

static void copying_from_a_failed_reader_gives_zeros(void **unused)
{
    uint8_t *data = exact_copy(counted, sizeof(counted)), *out = exact_buffer(4);
    struct reader reader;

    (void)unused;
    reader_init(&reader, data, sizeof(counted));
    reader_take(&reader, sizeof(counted) + 1);
    reader_copy(&reader, out, 4);
    assert_all_bytes(out, 4, 0);
    reader_copy(&reader, NULL, 0);
    free(out);
    free(data);
}

static void writing_bytes_fills_exactly_what_fits(void **unused)
{
    (void)unused;
    for (size_t room = 0; room <= sizeof(counted) + 1; room++) {
        for (size_t size = 0; size <= sizeof(counted); size++) {
            uint8_t *data = exact_copy(counted, size), *out = exact_buffer(room);
            struct writer writer;

            writer_init(&writer, out, room);
            writer_copy(&writer, data, size);
            assert_int_equal(writer.failed, size > room);
            assert_int_equal(writer.position, writer.failed ? 0 : size);
            if (writer.position != 0)
                assert_memory_equal(out, counted, size);
            assert_all_bytes(out + writer.position, room - writer.position, UNTOUCHED);
            free(out);
            free(data);
        }
    }
}

static void nothing_can_be_read_from_and_written_to_nothing(void **unused)
{
    struct reader reader;
    struct writer writer;

    (void)unused;
    reader_init(&reader, NULL, 0);
    assert_int_equal(reader_is_finished(&reader), 1);
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_take(&reader, 0).size, 0);
    reader_copy(&reader, NULL, 0);
    assert_int_equal(reader_is_finished(&reader), 1);
    writer_init(&writer, NULL, 0);
    writer_copy(&writer, NULL, 0);
    assert_int_equal(writer.failed, 0);
    writer_u8(&writer, 1);
    assert_int_equal(writer.failed, 1);
}

/* ---- vectors ---- */

static void vectors_are_read_by_their_length(void **unused)
{
    uint8_t bytes[16], *data;
    const size_t size = hex_decode("00 03aabbcc 0000 0004 01020304", bytes, sizeof(bytes));
    struct reader reader;
    struct octets vector;

    (void)unused;
    data = exact_copy(bytes, size);
    reader_init(&reader, data, size);
    assert_int_equal(reader_vector8(&reader, 0).size, 0);
    assert_int_equal(reader.failed, 0);
    vector = reader_vector8(&reader, 3);
    expect_hex(vector, "aabbcc");
    assert_ptr_equal(vector.data, data + 2);
    assert_int_equal(reader_vector16(&reader, 0).size, 0);
    assert_int_equal(reader.failed, 0);
    vector = reader_vector16(&reader, 4);
    expect_hex(vector, "01020304");
    assert_ptr_equal(vector.data, data + size - 4);
    assert_int_equal(reader_is_finished(&reader), 1);
    free(data);
}

/* One vector of |length| bytes in an input of |size| bytes, with a limit. */
static void check_reading_vector(int wide, size_t length, size_t size, size_t max)
{
    const size_t field = wide ? 2 : 1;
    uint8_t *data = exact_buffer(size);
    struct reader reader;
    struct octets vector;
    int good = size >= field && length <= size - field && length <= max;

    if (size > field - 1)
        data[field - 1] = (uint8_t)length;
    if (wide && size > 0)
        data[0] = (uint8_t)(length >> 8);
    reader_init(&reader, data, size);
    vector = wide ? reader_vector16(&reader, max) : reader_vector8(&reader, max);
    /* A cut length field reads as zero and has failed all the same. */
    assert_int_equal(reader.failed, !good);
    assert_int_equal(vector.size, good ? length : 0);
    assert_ptr_equal(vector.data, good ? data + field : NULL);
    free(data);
}

static void vectors_longer_than_the_input_or_the_limit_fail(void **unused)
{
    static const size_t lengths[] = { 0, 1, 2, 127, 128, 254, 255 };
    static const size_t wide_lengths[] = { 0, 1, 255, 256, 257, 32768, 65534, 65535 };

    (void)unused;
    for (size_t n = 0; n < COUNT(lengths); n++) {
        for (size_t size = 0; size <= 258; size++) {
            check_reading_vector(0, lengths[n], size, 255);
            check_reading_vector(0, lengths[n], size, SIZE_MAX);
            check_reading_vector(0, lengths[n], size, lengths[n]);
            if (lengths[n] != 0)
                check_reading_vector(0, lengths[n], size, lengths[n] - 1);
        }
    }
    for (size_t n = 0; n < COUNT(wide_lengths); n++) {
        const size_t whole = wide_lengths[n] + 2;

        for (size_t size = whole < 3 ? 0 : whole - 3; size <= whole + 2; size++) {
            check_reading_vector(1, wide_lengths[n], size, 65535);
            check_reading_vector(1, wide_lengths[n], size, SIZE_MAX);
            check_reading_vector(1, wide_lengths[n], size, wide_lengths[n]);
            if (wide_lengths[n] != 0)
                check_reading_vector(1, wide_lengths[n], size, wide_lengths[n] - 1);
        }
        check_reading_vector(1, wide_lengths[n], 0, 65535);
        check_reading_vector(1, wide_lengths[n], 1, 65535);
    }
}

/* Where |length| bytes fit the length field, the vector is written when all of it has room. */
static void check_writing_vector(int wide, size_t length, size_t room)
{
    const size_t field = wide ? 2 : 1;
    uint8_t *value = malloc(length), *out = exact_buffer(room);
    struct writer writer;
    int good = length <= (wide ? (size_t)65535 : 255) && field + length <= room;

    assert_true(value != NULL || length == 0);
    for (size_t n = 0; n < length; n++)
        value[n] = (uint8_t)(n * 31 + 1);
    writer_init(&writer, out, room);
    if (wide)
        writer_vector16(&writer, (struct octets){ value, length });
    else
        writer_vector8(&writer, (struct octets){ value, length });
    assert_int_equal(writer.failed, !good);
    assert_true(writer.position <= room);
    if (good) {
        assert_int_equal(writer.position, field + length);
        assert_int_equal(out[field - 1], length & 0xff);
        if (wide)
            assert_int_equal(out[0], length >> 8);
        if (length != 0)
            assert_memory_equal(out + field, value, length);
    }
    assert_all_bytes(out + writer.position, room - writer.position, UNTOUCHED);
    free(out);
    free(value);
}

static void vectors_are_written_only_when_length_field_and_room_hold_them(void **unused)
{
    (void)unused;
    for (size_t length = 0; length <= 10; length++) {
        for (size_t room = 0; room <= 14; room++) {
            check_writing_vector(0, length, room);
            check_writing_vector(1, length, room);
        }
    }
    for (size_t length = 250; length <= 260; length++) {
        check_writing_vector(0, length, length);
        check_writing_vector(0, length, length + 1);
        check_writing_vector(0, length, length + 4);
        check_writing_vector(1, length, length + 1);
        check_writing_vector(1, length, length + 2);
    }
    for (size_t length = 65530; length <= 65540; length++) {
        check_writing_vector(0, length, length + 4);
        check_writing_vector(1, length, length + 1);
        check_writing_vector(1, length, length + 2);
        check_writing_vector(1, length, length + 4);
    }
}

static void an_empty_vector_needs_no_bytes(void **unused)
{
    uint8_t *out = exact_buffer(3);
    struct writer writer;

    (void)unused;
    writer_init(&writer, out, 3);
    writer_vector8(&writer, (struct octets){ NULL, 0 });
    writer_vector16(&writer, (struct octets){ NULL, 0 });
    assert_int_equal(writer.failed, 0);
    expect_hex((struct octets){ out, writer.position }, "00 0000");
    free(out);
}

/* ---- failure stays ---- */

static void a_failed_reader_gives_nothing_any_more(void **unused)
{
    uint8_t *data = exact_copy(counted, sizeof(counted)), copied = UNTOUCHED;
    struct reader reader;

    (void)unused;
    reader_init(&reader, data, sizeof(counted));
    assert_int_equal(reader_u16(&reader), 0x0123);
    reader_take(&reader, 7); /* six are left */
    assert_int_equal(reader.failed, 1);
    for (enum integer which = U8; which < INTEGERS; which++)
        assert_int_equal(read_integer(&reader, which), 0);
    reader_copy(&reader, &copied, 1);
    assert_int_equal(copied, 0);
    assert_null(reader_take(&reader, 0).data);
    assert_null(reader_take(&reader, 1).data);
    assert_null(reader_vector8(&reader, SIZE_MAX).data);
    assert_null(reader_vector16(&reader, SIZE_MAX).data);
    assert_int_equal(reader.failed, 1);
    assert_int_equal(reader_left(&reader), 0);
    assert_int_equal(reader_is_finished(&reader), 0);
    free(data);
}

/* Also when it fails with nothing left: all was read, and one more was asked for. */
static void a_reader_that_failed_at_the_end_is_not_finished(void **unused)
{
    uint8_t *data = exact_copy(counted, sizeof(counted));
    struct reader reader;

    (void)unused;
    reader_init(&reader, data, sizeof(counted));
    reader_u64(&reader);
    assert_int_equal(reader_is_finished(&reader), 1);
    reader_u8(&reader);
    assert_int_equal(reader_is_finished(&reader), 0);
    free(data);
}

static void a_failed_writer_writes_nothing_any_more(void **unused)
{
    static const uint8_t five[5] = { 1, 2, 3, 4, 5 };
    uint8_t *out = exact_buffer(6);
    struct writer writer;

    (void)unused;
    writer_init(&writer, out, 6);
    writer_u16(&writer, 0xbeef);
    writer_copy(&writer, five, sizeof(five)); /* room for four */
    assert_int_equal(writer.failed, 1);
    for (enum integer which = U8; which < INTEGERS; which++)
        write_integer(&writer, which, 0);
    writer_copy(&writer, five, 0);
    writer_copy(&writer, five, 1);
    writer_vector8(&writer, (struct octets){ five, 1 });
    writer_vector16(&writer, (struct octets){ five, 1 });
    assert_int_equal(writer.failed, 1);
    assert_int_equal(writer.position, 2);
    expect_hex((struct octets){ out, 6 }, "beef a5a5a5a5");
    free(out);
}

static void initialising_forgets_a_failure(void **unused)
{
    uint8_t data[1] = { 7 };
    struct reader reader;
    struct writer writer;

    (void)unused;
    memset(&reader, 0xff, sizeof(reader));
    reader_init(&reader, data, 1);
    assert_int_equal(reader_u8(&reader), 7);
    memset(&writer, 0xff, sizeof(writer));
    writer_init(&writer, data, 1);
    writer_u8(&writer, 8);
    assert_int_equal(writer.failed, 0);
    assert_int_equal(data[0], 8);
    memset(&writer, 0xff, sizeof(writer));
    writer_init_counting(&writer);
    writer_u8(&writer, 8);
    assert_int_equal(writer.failed, 0);
    assert_int_equal(writer.position, 1);
}

/* ---- counting ---- */

static void write_one_of_each(struct writer *writer)
{
    for (enum integer which = U8; which < INTEGERS; which++)
        write_integer(writer, which, UINT64_C(0x0102030405060708));
    writer_copy(writer, counted, 5);
    writer_vector8(writer, (struct octets){ counted, 7 });
    writer_vector16(writer, (struct octets){ counted, 8 });
}

static void the_counted_size_is_the_size_that_is_needed(void **unused)
{
    struct writer counting, writing;

    (void)unused;
    writer_init_counting(&counting);
    write_one_of_each(&counting);
    assert_int_equal(counting.failed, 0);
    assert_null(counting.data);
    assert_int_equal(counting.position, 1 + 2 + 4 + 8 + 2 + 4 + 5 + 1 + 7 + 2 + 8);
    for (size_t room = 0; room <= counting.position + 1; room++) {
        uint8_t *out = exact_buffer(room);

        writer_init(&writing, out, room);
        write_one_of_each(&writing);
        assert_int_equal(writing.failed, room < counting.position);
        if (!writing.failed)
            assert_int_equal(writing.position, counting.position);
        assert_all_bytes(out + writing.position, room - writing.position, UNTOUCHED);
        free(out);
    }
}

static void counting_fails_where_writing_would(void **unused)
{
    struct writer writer;

    (void)unused;
    /* Nothing is read either: there are no such bytes. */
    writer_init_counting(&writer);
    writer_vector8(&writer, (struct octets){ counted, 255 });
    writer_vector16(&writer, (struct octets){ counted, 65535 });
    assert_int_equal(writer.failed, 0);
    assert_int_equal(writer.position, 1 + 255 + 2 + 65535);
    writer_vector8(&writer, (struct octets){ counted, 256 });
    assert_int_equal(writer.failed, 1);
    writer_init_counting(&writer);
    writer_vector16(&writer, (struct octets){ counted, 65536 });
    assert_int_equal(writer.failed, 1);
    writer_init_counting(&writer);
    writer_copy(&writer, counted, SIZE_MAX);
    assert_int_equal(writer.failed, 0);
    assert_int_equal(writer.position, SIZE_MAX);
    writer_u8(&writer, 0);
    assert_int_equal(writer.failed, 1);
    assert_int_equal(writer.position, SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_read_from_their_literal_bytes),
        cmocka_unit_test(integers_are_written_as_their_literal_bytes),
        cmocka_unit_test(integers_are_read_only_when_they_are_there_whole),
        cmocka_unit_test(integers_are_written_only_where_they_fit_whole),
        cmocka_unit_test(integers_follow_one_another),
        cmocka_unit_test(taking_borrows_the_input_itself),
        cmocka_unit_test(sizes_near_the_end_of_the_address_space_are_too_much),
        cmocka_unit_test(copying_gives_all_the_bytes_or_zeros),
        cmocka_unit_test(copying_from_a_failed_reader_gives_zeros),
        cmocka_unit_test(writing_bytes_fills_exactly_what_fits),
        cmocka_unit_test(nothing_can_be_read_from_and_written_to_nothing),
        cmocka_unit_test(vectors_are_read_by_their_length),
        cmocka_unit_test(vectors_longer_than_the_input_or_the_limit_fail),
        cmocka_unit_test(vectors_are_written_only_when_length_field_and_room_hold_them),
        cmocka_unit_test(an_empty_vector_needs_no_bytes),
        cmocka_unit_test(a_failed_reader_gives_nothing_any_more),
        cmocka_unit_test(a_reader_that_failed_at_the_end_is_not_finished),
        cmocka_unit_test(a_failed_writer_writes_nothing_any_more),
        cmocka_unit_test(initialising_forgets_a_failure),
        cmocka_unit_test(the_counted_size_is_the_size_that_is_needed),
        cmocka_unit_test(counting_fails_where_writing_would),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
