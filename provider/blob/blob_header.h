/*
 * BLOBHEADER (PUBLICKEYSTRUC) of CryptoAPI, with which every blob but the signed one starts:
 *
 *   uint8 bType; uint8 bVersion; uint16 reserved; uint32 aiKeyAlg       little-endian, 8 bytes
 *
 * Source: Microsoft, PUBLICKEYSTRUC structure.  Called by blob/.
 */
#ifndef SCHANNEL_BLOB_BLOB_HEADER_H
#define SCHANNEL_BLOB_BLOB_HEADER_H

#include "blob/cursor.h"
#include "key/algorithm.h"
#include "provctx.h"

/* The fewest bytes that tell what a blob is. */
#define BLOB_HEADER_SIZE    8
#define BLOB_HEADER_VERSION 2 /* CUR_BLOB_VERSION */

#define BTYPE_SIMPLE        1 /* SIMPLEBLOB */
#define BTYPE_PLAINTEXT     8 /* PLAINTEXTKEYBLOB */
#define BTYPE_OPAQUE        9 /* OPAQUEKEYBLOB */

/*
 * 1 when |data| starts like a blob of a symmetric or master key, sound or damaged: a type that we
 * have with version and reserved field as they must be; or the ALG_ID of such a key, and two of the
 * three others right.  RSA blobs (PUBLICKEYBLOB, PRIVATEKEYBLOB) are not ours but OpenSSL's.
 */
int blob_header_is_ours(const uint8_t *data, size_t size);

void blob_header_write(struct writer *writer, uint8_t type, const struct key_algorithm *algorithm);

/*
 * Reads and checks the header of a blob of |type|, which |name| calls in errors ("simple blob").
 * 1 with *algorithm, or 0 with a reason raised.
 */
int blob_header_read(const struct provctx *provctx, struct reader *reader, uint8_t type,
                     const char *name, const struct key_algorithm **algorithm);

#endif
