/* Bounded reading and writing: see cursor.h. */
#include "blob/cursor.h"

#include <string.h>

void reader_init(struct reader *reader, const uint8_t *data, size_t size)
{
    *reader = (struct reader){ .data = data, .size = size };
}

size_t reader_left(const struct reader *reader)
{
    return reader->failed ? 0 : reader->size - reader->position;
}

int reader_is_finished(const struct reader *reader)
{
    return !reader->failed && reader->position == reader->size;
}

struct octets reader_take(struct reader *reader, size_t size)
{
    struct octets taken = { NULL, 0 };

    if (reader->failed || size > reader->size - reader->position) {
        reader->failed = 1;
        return taken;
    }
    /* NULL + 0 is undefined */
    taken.data = reader->position == 0 ? reader->data : reader->data + reader->position;
    taken.size = size;
    reader->position += size;
    return taken;
}

/* An integer of |size| bytes, most significant first. */
static uint64_t read_big_endian(struct reader *reader, size_t size)
{
    struct octets bytes = reader_take(reader, size);
    uint64_t value = 0;

    for (size_t n = 0; n < bytes.size; n++)
        value = value << 8 | bytes.data[n];
    return value;
}

static uint32_t read_little_endian(struct reader *reader, size_t size)
{
    struct octets bytes = reader_take(reader, size);
    uint32_t value = 0;

    for (size_t n = bytes.size; n > 0; n--)
        value = value << 8 | bytes.data[n - 1];
    return value;
}

uint8_t reader_u8(struct reader *reader)
{
    return (uint8_t)read_big_endian(reader, 1);
}

uint16_t reader_u16(struct reader *reader)
{
    return (uint16_t)read_big_endian(reader, 2);
}

uint32_t reader_u32(struct reader *reader)
{
    return (uint32_t)read_big_endian(reader, 4);
}

uint64_t reader_u64(struct reader *reader)
{
    return read_big_endian(reader, 8);
}

uint16_t reader_u16_le(struct reader *reader)
{
    return (uint16_t)read_little_endian(reader, 2);
}

uint32_t reader_u32_le(struct reader *reader)
{
    return read_little_endian(reader, 4);
}

void reader_copy(struct reader *reader, uint8_t *out, size_t size)
{
    struct octets bytes = reader_take(reader, size);

    if (bytes.size != 0)
        memcpy(out, bytes.data, size);
    else if (size != 0)
        memset(out, 0, size);
}

static struct octets read_vector(struct reader *reader, size_t size, size_t max)
{
    if (size > max)
        reader->failed = 1;
    return reader_take(reader, size);
}

struct octets reader_vector8(struct reader *reader, size_t max)
{
    return read_vector(reader, reader_u8(reader), max);
}

struct octets reader_vector16(struct reader *reader, size_t max)
{
    return read_vector(reader, reader_u16(reader), max);
}

void writer_init(struct writer *writer, uint8_t *data, size_t size)
{
    *writer = (struct writer){ .data = data, .size = size };
}

void writer_init_counting(struct writer *writer)
{
    *writer = (struct writer){ .data = NULL, .size = SIZE_MAX };
}

void writer_copy(struct writer *writer, const void *data, size_t size)
{
    if (writer->failed || size > writer->size - writer->position) {
        writer->failed = 1;
        return;
    }
    if (writer->data != NULL && size != 0)
        memcpy(writer->data + writer->position, data, size);
    writer->position += size;
}

static void write_big_endian(struct writer *writer, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    for (size_t n = size; n > 0; n--, value >>= 8)
        bytes[n - 1] = (uint8_t)value;
    writer_copy(writer, bytes, size);
}

static void write_little_endian(struct writer *writer, uint32_t value, size_t size)
{
    uint8_t bytes[4];

    for (size_t n = 0; n < size; n++, value >>= 8)
        bytes[n] = (uint8_t)value;
    writer_copy(writer, bytes, size);
}

void writer_u8(struct writer *writer, uint8_t value)
{
    write_big_endian(writer, value, 1);
}

void writer_u16(struct writer *writer, uint16_t value)
{
    write_big_endian(writer, value, 2);
}

void writer_u32(struct writer *writer, uint32_t value)
{
    write_big_endian(writer, value, 4);
}

void writer_u64(struct writer *writer, uint64_t value)
{
    write_big_endian(writer, value, 8);
}

void writer_u16_le(struct writer *writer, uint16_t value)
{
    write_little_endian(writer, value, 2);
}

void writer_u32_le(struct writer *writer, uint32_t value)
{
    write_little_endian(writer, value, 4);
}

void writer_vector8(struct writer *writer, struct octets value)
{
    if (value.size > UINT8_MAX)
        writer->failed = 1;
    writer_u8(writer, (uint8_t)value.size);
    writer_copy(writer, value.data, value.size);
}

void writer_vector16(struct writer *writer, struct octets value)
{
    if (value.size > UINT16_MAX)
        writer->failed = 1;
    writer_u16(writer, (uint16_t)value.size);
    writer_copy(writer, value.data, value.size);
}
