/*
 * Sealing keys made from a passphrase: PBKDF2-HMAC-SHA256 (RFC 8018) with the blob id as salt.
 * The passphrase comes from the application's callback: -passin and -passout, the callbacks of the
 * PEM functions, OSSL_ENCODER_CTX_set_passphrase and so on.  Called by blob/opaque.
 */
#ifndef SCHANNEL_BLOB_PASSPHRASE_H
#define SCHANNEL_BLOB_PASSPHRASE_H

#include <openssl/core.h>
#include "blob/seal.h"
#include "provctx.h"

/* What is written: OWASP's advice of 2023 for this function. */
#define PASSPHRASE_ITERATIONS 600000
/* What is read: below, the header was not written by us; above, it would block the reader. */
#define PASSPHRASE_MIN_ITERATIONS 10000
#define PASSPHRASE_MAX_ITERATIONS 5000000

/* Where a passphrase comes from; |callback| NULL: there is none. */
struct passphrase_source {
    OSSL_PASSPHRASE_CALLBACK *callback;
    void *arg;
};

/*
 * Asks for the passphrase, once, and makes the sealing key of one blob from it, with an id of
 * zeros.  1 with *key filled (the caller cleanses it), or 0 with a reason raised.
 */
int passphrase_sealing_key(const struct provctx *provctx, const struct passphrase_source *source,
                           const uint8_t salt[SEAL_SALT_SIZE], uint32_t iterations,
                           struct sealing_key *key);

#endif
