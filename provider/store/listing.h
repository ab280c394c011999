/*
 * The files of a directory, as the store lists them: a name and a line about what is in it.
 * Called by store/store.
 */
#ifndef SCHANNEL_STORE_LISTING_H
#define SCHANNEL_STORE_LISTING_H

#include <openssl/bio.h>
#include "blob/blob.h"
#include "provctx.h"

#define LISTING_LINE_SIZE     400

#define LISTING_MAX_FILE_SIZE (4u << 20) /* what is longer is no file of blobs */

/*
 * What is in a regular file, for reading, in memory that is cleansed when it is freed; NULL with
 * errno set, EFBIG for one that is too long.  Never waits, as for a FIFO.
 */
BIO *listing_open_file(const char *path);

/* The first blob in |file|, binary or PEM: OURS with *blob, which the caller frees with
 * OPENSSL_clear_free; FAILED with a reason raised; NOT_OURS. */
enum listing_found { LISTING_NOT_OURS, LISTING_OURS, LISTING_FAILED };
enum listing_found listing_read(const struct provctx *provctx, BIO *file, uint8_t **blob,
                                size_t *size, int *is_pem);

/*
 * What |blob| is, in |line|: algorithm, key id and state of the key, blob type and signer, and why
 * it does not open if it does not.  Nothing secret.  Looking is no use of a key; no passphrase is
 * asked for.  Raises nothing.
 */
void listing_describe(struct provctx *provctx, struct octets blob,
                      const struct blob_options *options, char line[LISTING_LINE_SIZE]);

#endif
