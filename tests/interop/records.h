/*
 * Record protection of PCT 1.0, SSL 2.0, SSL 3.0 and TLS 1.0 on keys of the schannel provider,
 * through EVP and nothing else.  The keys own the state: chaining value or keystream position and
 * record number live in them and advance with each record, so that whoever imports a key goes on
 * with the right record.
 *
 * Called by engine.c and key_phase.c, and by the tests beside them.  Written to be copied: it needs
 * records.[ch], libcrypto and <schannel/names.h>.
 */
#ifndef INTEROP_RECORDS_H
#define INTEROP_RECORDS_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

enum record_protocol {
    RECORD_PCT1, /* draft-benaloh-pct-00 */
    RECORD_SSL2, /* draft-hickman-netscape-ssl-00 */
    RECORD_SSL3, /* RFC 6101 */
    RECORD_TLS1, /* RFC 2246 */
    RECORD_PROTOCOL_COUNT
};

/* Content types of SSL 3.0 and TLS 1.0.  Records of the older two have none. */
enum record_type {
    RECORD_NO_TYPE = 0,
    RECORD_CHANGE_CIPHER_SPEC = 20,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    RECORD_APPLICATION_DATA = 23
};

#define RECORD_MAX_FRAGMENT 16384 /* SSL 3.0 and TLS 1.0: data in one record */
#define RECORD_MAX_HEADER   5
#define RECORD_MAX_SIZE     (2 + 32767) /* a whole record of any protocol, header included */

#define RECORD_MAX_MAC      20
#define RECORD_MAX_BLOCK    16

/* One direction of a connection: contexts that are bound to the keys of its writer. */
struct record_direction {
    enum record_protocol protocol;
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    EVP_MD *digest;    /* of the MAC; to even out its time */
    size_t block_size; /* 1 with a stream cipher */
    size_t mac_size;
    int has_failed; /* a record was refused: no other passes */
};

enum record_result {
    RECORD_OK,
    RECORD_BAD,   /* answer as the protocol does to a bad MAC, and with nothing more telling */
    RECORD_FAILED /* the reason is on OpenSSL's error queue */
};

/* What a record held; |data| points into it. */
struct record_content {
    enum record_type type;
    uint8_t *data;
    size_t size;
};

/*
 * Binds to the cipher key and the MAC key of one writer, |encrypt| 1 to write and 0 to read.  SSL 2.0
 * has no MAC keys: |mac_key| is NULL there, and the cipher key is the MAC's secret and has the record
 * number.  The keys have to outlive the direction.  1, or 0 with the reason on the error queue and
 * nothing to release.
 */
int record_bind(struct record_direction *direction, OSSL_LIB_CTX *libctx,
                enum record_protocol protocol, EVP_PKEY *cipher_key, EVP_PKEY *mac_key,
                int encrypt);
/* Frees the contexts, not the keys.  A direction of zeros is allowed. */
void record_release(struct record_direction *direction);

/*
 * The number that the next record of |key| is authenticated with; |key| is a MAC key, or a cipher key
 * of SSL 2.0.  PCT 1.0 and SSL 2.0 count the unprotected records before, SSL 3.0 and TLS 1.0 begin
 * with 0.  1, or 0 with the reason on the error queue.
 */
int record_get_sequence(EVP_PKEY *key, uint64_t *sequence);
int record_set_sequence(EVP_PKEY *key, uint64_t sequence);

/*
 * The size of the record that begins with |start|, its header included: how much has to be read
 * before record_open.  0 when |size| bytes are too few to tell (5 are enough for every protocol).
 */
size_t record_whole_size(enum record_protocol protocol, const uint8_t *start, size_t size);

/*
 * Opens, in place, a record of |size| bytes with its header.
 *
 * RECORD_BAD, when nothing but the header and public lengths had to be read to refuse it: the keys
 * are where they were.  RECORD_BAD because of padding or MAC, which are not told apart: the keys have
 * advanced over the record, as over a good one.  In both cases, and after RECORD_FAILED, the direction
 * refuses every record to come, the plaintext is gone, and the connection has to end.
 *
 * Records with the escape bit of PCT 1.0 and SSL 2.0 are refused.  The padding length of these two
 * protocols stands in the header, where their MAC does not cover it: a length that is wrong but
 * possible is not noticed.
 */
enum record_result record_open(struct record_direction *direction, uint8_t *record, size_t size,
                               struct record_content *content);

/*
 * Writes |data| as one record.  |record| has room for RECORD_MAX_SIZE bytes and does not overlap
 * |data|; |type| is RECORD_NO_TYPE for PCT 1.0 and SSL 2.0.  1 with |*record_size| set; 0 when the data
 * do not fit (see record_fits) or with the reason on the error queue, and then the direction refuses
 * every record to come.
 */
int record_seal(struct record_direction *direction, enum record_type type, const void *data,
                size_t size, uint8_t *record, size_t *record_size);

/*
 * Do |size| bytes fit into one record?  In PCT 1.0 and SSL 2.0 a record that needs padding holds half
 * as much as one that needs none, so that a larger size may fit where a smaller one does not.
 */
int record_fits(const struct record_direction *direction, size_t size);

#endif
