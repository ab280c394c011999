/*
 * All types of blobs: which one it is, writing it and reading it, with the options given.
 * Called by encoder/, decoder/ and store/.
 */
#ifndef SCHANNEL_BLOB_BLOB_H
#define SCHANNEL_BLOB_BLOB_H

#include "blob/blob_header.h"
#include "blob/passphrase.h"
#include "blob/signed.h"
#include "key/key.h"
#include "key/options.h"

#define BLOB_MAX_SIZE SIGNED_BLOB_MAX_SIZE

/* The type of what starts with |data|, BLOB_HEADER_SIZE bytes or, if there are no more, less;
 * BLOB_TYPE_DEFAULT when it is none of ours.  A header that is damaged has the type that it most
 * likely had. */
enum blob_type blob_recognise(const uint8_t *data, size_t size);

/* The longest blob of |type|; readers stop there. */
size_t blob_max_size(enum blob_type type);
/* "opaque blob", ... for errors. */
const char *blob_type_title(enum blob_type type);
/* "SCHANNEL OPAQUE KEY BLOB", ... */
const char *blob_pem_label(enum blob_type type);
/* The type of a PEM label; BLOB_TYPE_DEFAULT when it is none of ours. */
enum blob_type blob_type_by_label(const char *label);

/*
 * Writes |key|.  |type| BLOB_TYPE_DEFAULT: the one that |given| or, after them, the options of the
 * key name.  |seal_passphrase|: NULL, or where the passphrase comes from that an opaque blob is to be
 * sealed under; |passphrase|: the one of encrypted key files.  *blob is freed by the caller with
 * OPENSSL_clear_free, *written is its type.  A use of the key.  1, or 0 with a reason raised.
 */
int blob_export(struct key *key, enum blob_type type, const struct blob_options *given,
                const struct passphrase_source *seal_passphrase,
                const struct passphrase_source *passphrase, uint8_t **blob, size_t *size,
                enum blob_type *written);

/* A new key out of |blob|, or NULL with a reason raised. */
struct key *blob_import(struct provctx *provctx, struct octets blob,
                        const struct blob_options *options,
                        const struct passphrase_source *passphrase);

#endif
