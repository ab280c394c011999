/* A growing buffer and a bounded reader, see bytes.h. */
#include "bytes.h"

#include <string.h>
#include <openssl/crypto.h>

#define FIRST_ROOM 1024

static int make_room(struct buffer *buffer, size_t size)
{
    size_t room = buffer->room == 0 ? FIRST_ROOM : buffer->room;
    uint8_t *data;

    while (room - buffer->size < size)
        room *= 2;
    if (room == buffer->room)
        return 1;
    data = OPENSSL_clear_realloc(buffer->data, buffer->room, room);
    if (data == NULL)
        return 0;
    buffer->data = data;
    buffer->room = room;
    return 1;
}

void buffer_add(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0 || buffer->failed)
        return;
    buffer->failed = !make_room(buffer, size);
    if (buffer->failed)
        return;
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void buffer_add_number(struct buffer *buffer, uint64_t number, size_t size)
{
    while (size-- > 0) {
        const uint8_t byte = (uint8_t)(number >> 8 * size);

        buffer_add(buffer, &byte, 1);
    }
}

void buffer_drop(struct buffer *buffer, size_t size)
{
    if (size == 0)
        return;
    memmove(buffer->data, buffer->data + size, buffer->size - size);
    buffer->size -= size;
}

void buffer_free(struct buffer *buffer)
{
    OPENSSL_clear_free(buffer->data, buffer->room);
    memset(buffer, 0, sizeof(*buffer));
}

const uint8_t *reader_bytes(struct reader *reader, size_t size)
{
    const uint8_t *found = reader->data;

    if (reader->failed || size > reader->size) {
        reader->failed = 1;
        return NULL;
    }
    reader->data += size;
    reader->size -= size;
    return found;
}

uint32_t reader_number(struct reader *reader, size_t size)
{
    const uint8_t *bytes = reader_bytes(reader, size);
    uint32_t number = 0;
    size_t n;

    for (n = 0; bytes != NULL && n < size; n++)
        number = number << 8 | bytes[n];
    return number;
}

struct reader reader_part(struct reader *reader, size_t size)
{
    const uint8_t *data = reader_bytes(reader, size);
    struct reader part = { data, reader->failed ? 0 : size, reader->failed };

    return part;
}

struct reader reader_vector(struct reader *reader, size_t length_size)
{
    return reader_part(reader, reader_number(reader, length_size));
}

int reader_is_done(const struct reader *reader)
{
    return !reader->failed && reader->size == 0;
}
