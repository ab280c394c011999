/*
 * What the tests of the derivations share: a stanza of tests/vectors step by step, with a count of
 * the values compared, and libcrypto's ciphers for the ciphertexts and recorded records in it.
 *
 * A field that a test does not list fails the test, as does a listed one that is not there.
 */
#ifndef SCHANNEL_TESTS_STANZA_H
#define SCHANNEL_TESTS_STANZA_H

#include <stddef.h>
#include <stdint.h>
#include "key/algorithm.h"
#include "primitive/octets.h"
#include "protocol/connection.h"
#include "vectors.h"

#define COUNT(table)    (sizeof(table) / sizeof((table)[0]))
#define STANZA_MAX_DATA 1024

/* Group functions of the tests that need ciphers: the legacy provider has most of them. */
int stanza_setup(void **state);
int stanza_teardown(void **state);

struct tally {
    const char *file;
    unsigned stanzas, values;
};

/* Steps to the next stanza and counts it; 0 at the end. */
int stanza_next(struct vectors *vectors, struct tally *tally);
/* Fails on a field that none of the |count| names is. */
void stanza_allow(const struct vectors *vectors, const char *const *names, size_t count);
/* Fails unless the field has this text. */
void stanza_require(const struct vectors *vectors, const char *field, const char *text);
/* The field holds these bytes; counts one value. */
void stanza_compare(struct vectors *vectors, struct tally *tally, const char *field,
                    struct octets actual);
/* "FILE: N values of M stanzas"; fails when they are not as many as the file had when it came. */
void stanza_report(const struct tally *tally, unsigned values, unsigned stanzas);

/* first || second || third, valid until the eighth call after this one. */
const char *joined(const char *first, const char *second, const char *third);
/* EncAlg and Cipher of the files. */
const struct bulk_cipher *stanza_cipher(const struct vectors *vectors, const char *field);
enum digest_id stanza_digest(const struct vectors *vectors, const char *field);

/* A cipher of libcrypto's that goes on from call to call, as an HCRYPTKEY does. */
struct stream;
struct stream *stream_new(const struct bulk_cipher *cipher, unsigned effective_bits,
                          struct octets key, struct octets iv, int encrypt);
void stream_free(struct stream *stream);
/* Whole blocks: Final = FALSE. */
void stream_update(struct stream *stream, struct octets in, uint8_t *out);
/* One message with PKCS #5 padding, nothing for RC4: Final = TRUE; the size of |out|. */
size_t encrypt_message(const struct bulk_cipher *cipher, unsigned effective_bits, struct octets key,
                       struct octets iv, struct octets plain, uint8_t out[STANZA_MAX_DATA]);

/* A record MAC of the provider's own, in record mode; type and version where the protocol has them.
 * digest_size bytes to |out|. */
void record_mac(enum key_protocol protocol, enum digest_id digest, struct octets key,
                uint64_t sequence, unsigned type, unsigned version, struct octets data,
                uint8_t *out);

/* libcrypto's digest of pieces, PIECES_END behind the last: digest_size bytes to |out|. */
#define PIECES_END ((struct octets){ NULL, SIZE_MAX })
void hash_pieces(enum digest_id digest, const struct octets *pieces, uint8_t *out);

/* A counted run of bytes of a test's own. */
struct bytes {
    uint8_t data[256];
    size_t size;
};

struct bytes from_hex(const char *hex);
struct bytes counting(uint8_t first, size_t size);
struct octets octets_of(const struct bytes *bytes);
struct octets text(const char *string);

#endif
