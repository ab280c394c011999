/*
 * What a generation or an import asks for, collected before anything is made.
 *
 * Generation parameters arrive in any order and one at a time (each -pkeyopt is a call of its own),
 * so a request only checks each value by itself; whether they fit together is checked when the key
 * is made.  Called by keymgmt/keymgmt (import), keymgmt/generate and skeymgmt/.
 */
#ifndef SCHANNEL_KEYMGMT_REQUEST_H
#define SCHANNEL_KEYMGMT_REQUEST_H

#include <openssl/core.h>
#include "key/derivation.h"
#include "key/key.h"
#include "key/options.h"
#include "key/password.h"

struct request {
    const struct key_algorithm *algorithm; /* NULL: not given */
    unsigned bits;                         /* 0: not given */
    unsigned effective_bits;               /* of RC2; 0: not given */
    uint16_t highest_version;              /* 0: not given */
    enum key_usage usage;
    enum salt_mode salt_mode;
    uint8_t *secret, *premaster; /* owned; NULL: not given */
    size_t secret_size, premaster_size;
    uint8_t iv[CBC_MAX_BLOCK_SIZE];
    uint8_t iv_size; /* 0: not given */
    uint8_t salt[CIPHER_VALUE_SALT_SIZE];
    uint8_t salt_size; /* 0: not given */
    uint8_t has_sequence, has_exportable, exportable, has_fork, fork_allowed;
    uint64_t sequence;
    struct derivation derivation;
    struct password password; /* with every digest; the derivation has MD5 and SHA-1 only */
    struct blob_options options;
    uint8_t *opaque_blob; /* owned; NULL: not given; import only */
    size_t opaque_blob_size;
};

/*
 * Takes what |params| hold; a parameter that this provider does not know is left alone.  All or
 * nothing: 1, or 0 with a reason raised and |request| untouched.
 */
int request_set(const struct provctx *provctx, struct request *request, const OSSL_PARAM params[]);
/* Cleanses and frees what the request owns; it is empty afterwards. */
void request_clear(struct request *request);

/*
 * Fills the empty object |key| with known bytes (|secret|, |premaster| or |opaque_blob|), or, when
 * |may_generate| is 1, with those of a password or, when none is given, with random ones.  1, or 0
 * with a reason raised and |key| still empty.
 */
int request_make_key(struct key *key, const struct request *request, int may_generate);

/*
 * Parameters that would have no effect on such a key are a misunderstanding, and so are two that say
 * the same: 1, or 0 with a reason raised.  For a key of |algorithm|; beside an opaque blob; and, for
 * keys without a password, whether the digest is one that only passwords have.
 */
int request_check(const struct provctx *provctx, const struct request *request);
int request_check_opaque(const struct provctx *provctx, const struct request *request);
int request_check_digest(const struct provctx *provctx, const struct request *request);

/* Puts |exportable|, |fork|, |options|, |iv| and |sequence| on a key just made or duplicated. */
int request_apply_to(struct key *key, const struct request *request);

/* Descriptors for the settable tables of import and generation. */
extern const OSSL_PARAM request_import_types[];
extern const OSSL_PARAM request_generation_types[];
/* The same for EVP_SKEY. */
extern const OSSL_PARAM request_skey_import_types[];
extern const OSSL_PARAM request_skey_generation_types[];

#endif
