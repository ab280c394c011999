/*
 * Key bytes of SIMPLEBLOB and PLAINTEXTKEYBLOB: which keys have them, and what becomes of them.
 * Neither has anything of a key but its algorithm and its bytes: no state, no salt, no parameters.
 * Called by blob/simple and blob/plaintext.
 */
#ifndef SCHANNEL_BLOB_BLOB_KEY_H
#define SCHANNEL_BLOB_BLOB_KEY_H

#include "key/key.h"
#include "key/options.h"

/* Room for the bytes of any such key. */
#define BLOB_KEY_MAX_SIZE 48

/* What sizes a key of |algorithm| has in such a blob, in bytes. */
struct blob_key_sizes {
    size_t least, most;
};

struct blob_key_sizes blob_key_sizes(const struct key_algorithm *algorithm);

/* 1 when |size| is one of them; else 0 with a reason raised. */
int blob_key_check_size(const struct provctx *provctx, const struct key_algorithm *algorithm,
                        size_t size, const char *name);

/*
 * Whether |key| can be put into a blob called |name| in errors, and what it is.  Refused: a key that
 * is not exportable, MAC keys, write keys of SSL 2.0, a master whose premaster secret is gone, and
 * sizes that CryptoAPI does not know.  No use of the key: whatever else can be wrong with an export
 * is looked at between this and blob_key_take.  1, or 0 with a reason raised.
 */
int blob_key_check(struct key *key, const char *name, const struct key_algorithm **algorithm,
                   size_t *size);

/*
 * The bytes of |key|: room for BLOB_KEY_MAX_SIZE at |bytes|, which the caller cleanses.  Checks as
 * above.  A use of the key.  1, or 0 with a reason raised.
 */
int blob_key_take(struct key *key, const char *name, uint8_t *bytes, size_t *size);

/*
 * A new key of |bytes|, of a size that is allowed, with salt-mode and exportable of |options|.
 * NULL with a reason raised.
 */
struct key *blob_key_make(struct provctx *provctx, const struct key_algorithm *algorithm,
                          struct octets bytes, const struct blob_options *options,
                          enum key_origin origin);

/* An option that such a key has no use for is a misunderstanding: 0 with a reason raised. */
int blob_key_check_options(const struct provctx *provctx, const struct key_algorithm *algorithm,
                           const struct blob_options *options, const char *name);

#endif
