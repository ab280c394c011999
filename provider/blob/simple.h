/*
 * SIMPLEBLOB: a session key or master under the receiver's RSA key.
 *
 *   BLOBHEADER   bType 1, bVersion 2, reserved 0, aiKeyAlg of the session key
 *   uint32       0x0000a400, CALG_RSA_KEYX, little-endian
 *   opaque       the RSA ciphertext, as long as the modulus, its bytes in reverse order
 *
 * What is encrypted are the key bytes in their natural order, with RSAES-PKCS1-v1_5 or, by
 * pad-mode oaep, RSAES-OAEP with SHA-1.  Source: Microsoft, "Simple BLOBs".
 * Called by blob/blob and blob/signed.
 */
#ifndef SCHANNEL_BLOB_SIMPLE_H
#define SCHANNEL_BLOB_SIMPLE_H

#include "blob/passphrase.h"
#include "key/key.h"
#include "key/options.h"

/* With an RSA key of 16384 bits, the most that libcrypto takes. */
#define SIMPLE_BLOB_MAX_SIZE (12 + 2048)

struct simple_blob {
    size_t size;
    uint8_t data[SIMPLE_BLOB_MAX_SIZE];
};

/*
 * Writes one blob for each key of exchange-key, at most |most|, to |blobs|.  A use of the key.
 * 1 with *count, or 0 with a reason raised.
 */
int simple_blob_export(struct key *key, const struct blob_options *options,
                       const struct passphrase_source *passphrase, size_t most,
                       struct simple_blob *blobs, size_t *count);

/*
 * Opens the first of the |count| |blobs|, which are of one algorithm, that a key of exchange-key
 * opens.  Wrong padding, a wrong mark and a wrong length are one outcome: for a premaster secret,
 * and for the master key of PCT 1.0, a random one, silently and in the same time (RFC 5246 section
 * 7.4.7.1); for other keys one and the same reason.  A new key, or NULL with a reason raised.
 */
struct key *simple_blob_import(struct provctx *provctx, const struct octets *blobs, size_t count,
                               const struct blob_options *options,
                               const struct passphrase_source *passphrase);

#endif
