/*
 * What the MACs of PCT 1.0, SSL 2.0 and SSL 3.0 have to be: record-protection section 1, computed
 * with libcrypto's digests.
 */
#ifndef SCHANNEL_TESTS_EVP_RECORD_MAC_H
#define SCHANNEL_TESTS_EVP_RECORD_MAC_H

#include "material.h"

#define MAX_MAC   20
#define MAX_TEXT  512
#define MAX_KEY   64
#define DATA_TYPE 23
#define LAST_32   0xffffffffu
#define ROWS      5

enum protocol { PCT1, SSL2, SSL3 };

struct row {
    const char *mac, *digest;
    enum protocol protocol;
    size_t size, pad;   /* of the MAC; of SSL 3.0's pads */
    size_t least, most; /* sizes of a key object */
    size_t key_size;    /* of the keys made here */
    uint64_t last;      /* record number */
};

extern const struct row rows[ROWS];

void raw_mac(const struct row *row, const uint8_t *key, size_t key_size, const uint8_t *data,
             size_t size, uint8_t *out);
/* |type| is of SSL 3.0 only. */
void record_mac(const struct row *row, const uint8_t *key, size_t key_size, uint64_t sequence,
                unsigned type, const uint8_t *data, size_t size, uint8_t *out);

#endif
