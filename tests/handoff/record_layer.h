/*
 * Record protection of TLS 1.0 with a CBC cipher and HMAC (RFC 2246, section 6.2.3.2), on keys of
 * the schannel provider.  The keys own the state: chaining value and record number live in them and
 * advance with each record, so that whoever imports a key goes on with the right record.
 *
 * Called by connection.c for application data and by handshake.c for the Finished records.
 */
#ifndef HANDOFF_RECORD_LAYER_H
#define HANDOFF_RECORD_LAYER_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>

#define TLS_RECORD_VERSION     0x0301 /* TLS 1.0 */
#define TLS_RECORD_HEADER_SIZE 5      /* type, version, length */
#define TLS_MAX_FRAGMENT       16384
#define TLS_MAX_CIPHERTEXT     (TLS_MAX_FRAGMENT + 2048)
#define TLS_MAX_RECORD         (TLS_RECORD_HEADER_SIZE + TLS_MAX_CIPHERTEXT)

enum tls_content_type {
    TLS_CHANGE_CIPHER_SPEC = 20,
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    TLS_APPLICATION_DATA = 23
};

/* One direction of a connection: contexts that are bound to the keys of its writer. */
struct record_direction {
    EVP_CIPHER_CTX *cipher;
    EVP_MAC_CTX *mac;
    size_t block_size, mac_size;
};

enum record_result {
    RECORD_OK,
    RECORD_BAD,   /* answer with the alert bad_record_mac, and with nothing more telling */
    RECORD_FAILED /* the reason is on OpenSSL's error queue */
};

/*
 * Binds to a cipher key and a MAC key of one writer, |encrypt| 1 to write and 0 to read.  The keys
 * have to outlive the direction.  1, or 0 with the reason on the error queue and nothing to
 * release.
 */
int record_bind(struct record_direction *direction, EVP_PKEY *cipher_key, EVP_PKEY *mac_key,
                int encrypt);
/* Frees the contexts, not the keys.  A direction of zeros is allowed. */
void record_release(struct record_direction *direction);

/*
 * Opens, in place, a record of |size| bytes with its header: the fragment is then |*length| bytes
 * behind the header.  After any other result than RECORD_OK the plaintext is gone, and the
 * connection has to end: both keys have advanced.
 */
enum record_result record_open(struct record_direction *direction, uint8_t *record, size_t size,
                               size_t *length);

/*
 * Writes |fragment|, of at most TLS_MAX_FRAGMENT bytes, as one record.  |record| has room for
 * TLS_MAX_RECORD bytes.  1 with |*record_size| set, or 0 with the reason on the error queue.
 */
int record_seal(struct record_direction *direction, enum tls_content_type type,
                const void *fragment, size_t size, uint8_t *record, size_t *record_size);

#endif
