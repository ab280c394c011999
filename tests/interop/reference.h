/*
 * Records of all four protocols made by stock OpenSSL: what records.c has to write and to read.  Key
 * bytes come from EVP_KDF; ciphers, hashes and HMAC from OpenSSL's own providers.  Also the suites
 * that the tests run through, and a master with fixed values for each.
 *
 * Called by the tests of this directory; fails the running CMocka test when anything goes wrong.
 */
#ifndef INTEROP_REFERENCE_H
#define INTEROP_REFERENCE_H

#include "records.h"
#include "session.h"

/* What a master derives for.  0 and NULL: the protocol has no such thing, or its default. */
struct reference_suite {
    enum record_protocol protocol;
    const char *cipher;
    unsigned cipher_bits;
    const char *digest; /* of the MAC */
    int is_export;
};

/* Every suite of every protocol: a cipher in each of its forms with each digest. */
size_t reference_suite_count(void);
struct reference_suite reference_suite_at(size_t n);
/* For messages: "TLS 1.0 RC4 40 export MD5". */
const char *reference_suite_name(const struct reference_suite *suite);

/* A master with fixed secret and randoms, ready for session_derive; the caller frees. */
EVP_PKEY *reference_master(const struct reference_suite *suite);
/* The session keys of reference_master, with KEY-ARG set where the IV is not derived. */
void reference_keys(const struct reference_suite *suite, struct session_keys *keys);
/* The same keys' bytes, from EVP_KDF: |size| bytes of |usage|, such as "client-write-key". */
size_t reference_bytes(const struct reference_suite *suite, const char *usage, uint8_t *out,
                       size_t room);

#define REFERENCE_MAX_KEY 32

/* One direction, written by stock OpenSSL. */
struct reference_writer {
    struct reference_suite suite;
    EVP_CIPHER_CTX *cipher;
    size_t block_size, mac_size;
    uint8_t mac_key[REFERENCE_MAX_KEY];
    size_t mac_key_size;
    uint64_t sequence;
};

void reference_start(struct reference_writer *writer, const struct reference_suite *suite,
                     enum session_side side);
void reference_stop(struct reference_writer *writer);

/* The next record, with the padding that records.c writes; its size. */
size_t reference_seal(struct reference_writer *writer, enum record_type type, const uint8_t *data,
                      size_t size, uint8_t *record);
/* The same with these bytes of padding, which for SSL 3.0 and TLS 1.0 end with the length byte. */
size_t reference_seal_padded(struct reference_writer *writer, enum record_type type,
                             const uint8_t *data, size_t size, const uint8_t *padding,
                             size_t padding_size, uint8_t *record);

#endif
