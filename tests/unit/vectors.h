/*
 * Reads the files of tests/vectors: stanzas of "Field = value" lines, separated by blank lines,
 * with
 * '#' comments.  Used by the unit tests; every mistake of a file or of a test (no such file, a
 * missing or doubled field, bad hex) fails the running CMocka test and names file, line and stanza.
 *
 *     struct vectors *vectors = vectors_open("ref-tls1.txt");
 *
 *     while (vectors_next(vectors))
 *         check(vectors_hex(vectors, "PreMaster"), vectors_integer(vectors, "EncBits"));
 *     vectors_close(vectors);
 */
#ifndef SCHANNEL_TESTS_VECTORS_H
#define SCHANNEL_TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include "primitive/octets.h"

struct vectors;

/* |file| is a name inside VECTORS_DIR. */
struct vectors *vectors_open(const char *file);
void vectors_close(struct vectors *vectors);

/* Steps to the next stanza: 0 at the end of the file.  What the last stanza gave is gone then. */
int vectors_next(struct vectors *vectors);

/* The name of the nth field of this stanza, NULL past the last: for tests that refuse new fields. */
const char *vectors_field_name(const struct vectors *vectors, size_t n);
int vectors_has(const struct vectors *vectors, const char *field);
/* Whether the field is there with a byte string, which may be empty: an error code is none. */
int vectors_has_hex(const struct vectors *vectors, const char *field);

/* Required fields: without them the test fails. */
const char *vectors_string(const struct vectors *vectors, const char *field);
struct octets vectors_hex(struct vectors *vectors, const char *field);
/* Decimal, or hexadecimal with 0x. */
uint32_t vectors_integer(const struct vectors *vectors, const char *field);

/* Optional fields: |otherwise| when there is no such field. */
const char *vectors_string_or(const struct vectors *vectors, const char *field,
                              const char *otherwise);
struct octets vectors_hex_or(struct vectors *vectors, const char *field, struct octets otherwise);
uint32_t vectors_integer_or(const struct vectors *vectors, const char *field, uint32_t otherwise);

/* Fails the test unless the field holds these bytes; says where and what differs. */
void vectors_expect(struct vectors *vectors, const char *field, struct octets actual);
/* Fails the test with a sentence of the caller's (printf), in front of which the place is named. */
_Noreturn void vectors_fail(const struct vectors *vectors, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Hexadecimal text, blanks allowed, into |out|; the size in bytes.  Bad text fails the test. */
size_t hex_decode(const char *hex, uint8_t *out, size_t room);
/* Fails the test unless |actual| is what |hex| spells. */
void expect_hex(struct octets actual, const char *hex);

#endif
