/*
 * The sealed opaque blob: any key with all its state, encrypted and authenticated.
 * The layout stands in opaque.c.  Called by keymgmt/, encoder/ and decoder/.
 */
#ifndef SCHANNEL_BLOB_OPAQUE_H
#define SCHANNEL_BLOB_OPAQUE_H

#include "key/key.h"
#include "primitive/octets.h"
#include "provctx.h"

/* The largest blob that an import looks at: a master with the largest premaster secret is well
 * below it.  Readers stop there. */
#define OPAQUE_BLOB_MAX_SIZE 16384
/* The fewest bytes that tell what a blob is: BLOBHEADER of CryptoAPI. */
#define BLOB_HEADER_SIZE 8

/* 1 when |data| starts with the BLOBHEADER of an opaque blob: type 9, version 2, reserved 0. */
int opaque_blob_is_ours(const uint8_t *data, size_t size);

/* The size that opaque_blob_export would write now; 0 with a reason raised.  Makes no blob. */
size_t opaque_blob_size(struct key *key);

/*
 * Seals the present state of |key|.  |seal_key| (NULL: the key's own option, then the
 * configuration, then "user") names the sealing key.  *blob is OPENSSL_malloc'ed and nothing
 * secret. 1, or 0 with a reason raised.  The key is not changed.
 */
int opaque_blob_export(struct key *key, const char *seal_key, uint8_t **blob, size_t *size);

/*
 * Opens |blob|, which has to end where its header says.  A new key with one reference, or NULL with
 * a reason raised.  Nothing secret is parsed before the seal has verified.
 */
struct key *opaque_blob_import(struct provctx *provctx, struct octets blob, const char *seal_key);

/* Fills an empty key object in the same way. */
int opaque_blob_import_into(struct key *key, struct octets blob, const char *seal_key);

#endif
