/*
 * Bounded reading and writing: every byte that enters or leaves a blob goes through a cursor.
 *
 * A cursor that was asked for more than there is becomes |failed| and stays so; reads then give
 * zeros and writes do nothing, so a parser may read a whole structure and check once at the end.
 * Integers of our own formats are big-endian (TLS presentation language); those of CryptoAPI blob
 * headers are little-endian, and say so in the function's name.
 */
#ifndef SCHANNEL_BLOB_CURSOR_H
#define SCHANNEL_BLOB_CURSOR_H

#include "primitive/octets.h"

struct reader {
    const uint8_t *data;
    size_t size, position;
    int failed;
};

void reader_init(struct reader *reader, const uint8_t *data, size_t size);
size_t reader_left(const struct reader *reader);
/* 1 when nothing failed and nothing is left. */
int reader_is_finished(const struct reader *reader);
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
uint16_t reader_u16_le(struct reader *reader);
uint32_t reader_u32_le(struct reader *reader);
/* Copies |size| bytes; zeros when they are not there. */
void reader_copy(struct reader *reader, uint8_t *out, size_t size);
/* Borrows |size| bytes of the input; { NULL, 0 } when they are not there. */
struct octets reader_take(struct reader *reader, size_t size);
/* A vector <0..2^8-1> or <0..2^16-1>: its length, then its bytes, borrowed.  One longer than |max|
 * fails. */
struct octets reader_vector8(struct reader *reader, size_t max);
struct octets reader_vector16(struct reader *reader, size_t max);

/* With |data| NULL nothing is stored and |position| counts: the way to ask for a size. */
struct writer {
    uint8_t *data;
    size_t size, position;
    int failed;
};

void writer_init(struct writer *writer, uint8_t *data, size_t size);
void writer_init_counting(struct writer *writer);
void writer_u8(struct writer *writer, uint8_t value);
void writer_u16(struct writer *writer, uint16_t value);
void writer_u32(struct writer *writer, uint32_t value);
void writer_u64(struct writer *writer, uint64_t value);
void writer_u16_le(struct writer *writer, uint16_t value);
void writer_u32_le(struct writer *writer, uint32_t value);
void writer_copy(struct writer *writer, const void *data, size_t size);
/* Length and bytes; a size that does not fit the length field fails. */
void writer_vector8(struct writer *writer, struct octets value);
void writer_vector16(struct writer *writer, struct octets value);

#endif
