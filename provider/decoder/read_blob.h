/*
 * Finding a blob in an input: its binary form, or PEM under one of our labels.
 * Called by decoder/decoder and store/.
 */
#ifndef SCHANNEL_DECODER_READ_BLOB_H
#define SCHANNEL_DECODER_READ_BLOB_H

#include <openssl/bio.h>
#include "blob/blob.h"
#include "provctx.h"

enum found { NOT_OURS, OURS, FAILED };

/*
 * Reads the whole of |in| when it starts like a blob of |type| (BLOB_TYPE_DEFAULT: any).  OURS with
 * *blob, which the caller frees with OPENSSL_clear_free; FAILED with a reason raised; NOT_OURS with
 * nothing raised.
 */
typedef enum found read_blob_fn(const struct provctx *provctx, enum blob_type type, BIO *in,
                                uint8_t **blob, size_t *size);

read_blob_fn read_blob_binary;
/* The contents of the first PEM block, when it is under one of our labels. */
read_blob_fn read_blob_pem;

#endif
