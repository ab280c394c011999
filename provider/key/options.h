/*
 * Options of the export and import of blobs: which sealing key, which disposition, for whom.
 *
 * One struct serves the places that take them: encoder and decoder contexts, key objects (kept for
 * later exports, never written into a blob), cipher and MAC contexts.  Each value is checked when
 * it is set; whether they fit together, when they are used.
 */
#ifndef SCHANNEL_KEY_OPTIONS_H
#define SCHANNEL_KEY_OPTIONS_H

#include <openssl/core.h>
#include <stdint.h>
#include "provctx.h"

#define OPTIONS_DEFAULT_LIFETIME 60 /* seconds, of a transfer */
#define OPTIONS_MAX_LIFETIME     86400
#define OPTIONS_MAX_AUDIENCE     255 /* bytes */

/* The numbers are written into blobs: never renumber. */
enum blob_mode { BLOB_MODE_SNAPSHOT = 0, BLOB_MODE_TRANSFER = 1 };

enum salt_mode { SALT_MODE_DEFAULT = 0, SALT_MODE_NONE, SALT_MODE_ZERO, SALT_MODE_CREATE };

/* Strings are owned; NULL and 0: not given. */
struct blob_options {
    char *seal_key;
    char *audience;
    char *claim_dir;
    uint32_t lifetime;
    uint8_t has_mode;
    enum blob_mode mode;
};

/*
 * Takes seal-key, blob, blob-mode, lifetime, audience and claim-dir out of |params|; others are left
 * alone.  All or nothing: 1, or 0 with a reason raised and |options| untouched.
 */
int blob_options_set(const struct provctx *provctx, struct blob_options *options,
                     const OSSL_PARAM params[]);
/* 1 when |params| (or NULL) hold any of these. */
int blob_options_given(const OSSL_PARAM params[]);
/* Frees the strings; the options are empty afterwards. */
void blob_options_clear(struct blob_options *options);
void blob_options_forget_audience(struct blob_options *options);
/* 0 when memory is out; |to| is empty then. */
int blob_options_copy(struct blob_options *to, const struct blob_options *from);
/*
 * What |first| does not say, |second| (NULL: nothing) does; lifetime and audience not when the
 * two name different modes.  Borrows from both.
 */
struct blob_options blob_options_merge(const struct blob_options *first,
                                       const struct blob_options *second);
/* 1 when nothing is given. */
int blob_options_are_empty(const struct blob_options *options);

/* "none", "zero" or "create"; 1, or 0 with a reason raised.  |may_create| 0: on import. */
int salt_mode_from_param(const struct provctx *provctx, const OSSL_PARAM *param, int may_create,
                         enum salt_mode *mode);

/* Descriptors for the settable tables: of an import, and of an export. */
#define BLOB_OPTIONS_IMPORT                                                                        \
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_SEAL_KEY, NULL, 0),                                      \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_AUDIENCE, NULL, 0),                                  \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_CLAIM_DIR, NULL, 0)
#define BLOB_OPTIONS_EXPORT                                                                        \
    BLOB_OPTIONS_IMPORT, OSSL_PARAM_utf8_string(SCHANNEL_PARAM_BLOB, NULL, 0),                     \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_BLOB_MODE, NULL, 0),                                 \
        OSSL_PARAM_uint(SCHANNEL_PARAM_LIFETIME, NULL)

#endif
