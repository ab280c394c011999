/*
 * Handshake messages are built in a growing buffer and read with a bounded reader.
 * Called by engine.c, key_phase.c and the tests beside them.
 */
#ifndef INTEROP_BYTES_H
#define INTEROP_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Zeros are an empty one.  After an allocation that failed it takes nothing more and |failed| is 1. */
struct buffer {
    uint8_t *data;
    size_t size, room;
    int failed;
};

void buffer_add(struct buffer *buffer, const void *data, size_t size);
/* Big-endian, the low |size| bytes. */
void buffer_add_number(struct buffer *buffer, uint64_t number, size_t size);
/* Takes the first |size| bytes away. */
void buffer_drop(struct buffer *buffer, size_t size);
/* Cleanses and frees. */
void buffer_free(struct buffer *buffer);

/* A run of bytes to read from.  After a read beyond the end it gives zeros and |failed| is 1. */
struct reader {
    const uint8_t *data;
    size_t size;
    int failed;
};

uint32_t reader_number(struct reader *reader, size_t size);
/* The next |size| bytes, in place; NULL when there are fewer. */
const uint8_t *reader_bytes(struct reader *reader, size_t size);
/* The same as a reader of their own, which has failed when there are fewer. */
struct reader reader_part(struct reader *reader, size_t size);
/* The bytes behind a length of |length_size| bytes, as a reader of their own. */
struct reader reader_vector(struct reader *reader, size_t length_size);
/* Everything was read, and no more. */
int reader_is_done(const struct reader *reader);

#endif
