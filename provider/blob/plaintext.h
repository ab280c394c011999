/*
 * PLAINTEXTKEYBLOB: key bytes in the clear.
 *
 *   BLOBHEADER   bType 8, bVersion 2, reserved 0, aiKeyAlg
 *   uint32       size of the key in bytes, little-endian
 *   opaque       the key bytes, DES with parity, no salt
 *
 * Source: Microsoft, PLAINTEXTKEYBLOB structure.  Called by blob/blob and blob/signed.
 */
#ifndef SCHANNEL_BLOB_PLAINTEXT_H
#define SCHANNEL_BLOB_PLAINTEXT_H

#include "blob/blob_key.h"

#define PLAINTEXT_BLOB_MAX_SIZE (12 + BLOB_KEY_MAX_SIZE)

/*
 * Writes at most PLAINTEXT_BLOB_MAX_SIZE bytes of a key that is exportable, when |options| say
 * allow-plaintext; the caller cleanses them.  A use of the key.  1, or 0 with a reason raised.
 */
int plaintext_blob_export(struct key *key, const struct blob_options *options, uint8_t *blob,
                          size_t *size);

/* A new key, or NULL with a reason raised. */
struct key *plaintext_blob_import(struct provctx *provctx, struct octets blob,
                                  const struct blob_options *options);

#endif
