/*
 * Options of the export and import of blobs: which type, under which keys, for whom.
 *
 * One struct serves the places that take them: encoder, decoder and store contexts, key objects
 * (kept for later exports, never written into a blob), cipher and MAC contexts.  Each value is
 * checked when it is set; whether they fit together, when they are used.
 */
#ifndef SCHANNEL_KEY_OPTIONS_H
#define SCHANNEL_KEY_OPTIONS_H

#include <openssl/core.h>
#include <stdint.h>
#include "key/shared_octets.h"
#include "provctx.h"

#define OPTIONS_DEFAULT_LIFETIME 60 /* seconds, of a transfer */
#define OPTIONS_MAX_LIFETIME     86400
#define OPTIONS_MAX_AUDIENCE     255 /* bytes */
#define OPTIONS_MAX_PURPOSE      64
#define OPTIONS_MAX_SERIAL       32
#define OPTIONS_MAX_MESSAGE_HASH 64
#define OPTIONS_MAX_RECIPIENTS   16 /* keys in one exchange-key */

/* The numbers are written into blobs: never renumber. */
enum blob_mode { BLOB_MODE_SNAPSHOT = 0, BLOB_MODE_TRANSFER = 1 };

enum blob_type {
    BLOB_TYPE_DEFAULT = 0, /* not given: an opaque blob */
    BLOB_TYPE_OPAQUE,
    BLOB_TYPE_SIMPLE,
    BLOB_TYPE_PLAINTEXT,
    BLOB_TYPE_SIGNED
};

enum pad_mode { PAD_MODE_DEFAULT = 0, PAD_MODE_PKCS1, PAD_MODE_OAEP };
enum salt_mode { SALT_MODE_DEFAULT = 0, SALT_MODE_NONE, SALT_MODE_ZERO, SALT_MODE_CREATE };

/* A yes or no that may be left open. */
struct option_flag {
    uint8_t is_given, value;
};

/* A key of somebody else's: a text that names it, or its SubjectPublicKeyInfo; both NULL: none. */
struct key_argument {
    char *text; /* owned: file names or URIs, several with commas */
    struct shared_octets *spki;
};

/* Strings are owned, octets shared; NULL and 0: not given. */
struct blob_options {
    char *seal_key;
    char *audience;
    char *claim_dir;
    char *purpose;
    struct key_argument exchange_key, signature_key;
    struct shared_octets *serial; /* to be written, or expected on import */
    struct shared_octets *message_hash;
    uint32_t lifetime;
    uint32_t max_age;
    uint8_t has_mode;
    enum blob_mode mode;
    enum blob_type type, inner;
    enum pad_mode pad_mode;
    enum salt_mode salt_mode; /* of an import */
    struct option_flag ssl2_fallback, allow_plaintext, exportable;
};

/* Who takes the parameters: each place has its own set of them. */
enum options_scope {
    OPTIONS_CONTEXT = 1, /* cipher and MAC contexts, whose state is an opaque blob */
    OPTIONS_EXPORT = 2,  /* encoders, key objects */
    OPTIONS_IMPORT = 4   /* decoders, the store */
};

/*
 * Takes the options of |scope| out of |params|; others are left alone.  All or nothing: 1, or 0 with
 * a reason raised and |options| untouched.
 */
int blob_options_set(const struct provctx *provctx, struct blob_options *options,
                     enum options_scope scope, const OSSL_PARAM params[]);
/* 1 when |params| (or NULL) hold any of these. */
int blob_options_given(enum options_scope scope, const OSSL_PARAM params[]);
/* Frees what is owned; the options are empty afterwards. */
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

/* Descriptors for the settable tables of the three places. */
#define BLOB_OPTIONS_OPENING                                                                       \
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_SEAL_KEY, NULL, 0),                                      \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_AUDIENCE, NULL, 0),                                  \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_CLAIM_DIR, NULL, 0)
#define BLOB_OPTIONS_CONTEXT                                                                       \
    BLOB_OPTIONS_OPENING, OSSL_PARAM_utf8_string(SCHANNEL_PARAM_BLOB, NULL, 0),                    \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_BLOB_MODE, NULL, 0),                                 \
        OSSL_PARAM_uint(SCHANNEL_PARAM_LIFETIME, NULL)
#define BLOB_OPTIONS_OF_BOTH                                                                       \
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_EXCHANGE_KEY, NULL, 0),                                  \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_PAD_MODE, NULL, 0),                                  \
        OSSL_PARAM_uint(SCHANNEL_PARAM_SSL2_FALLBACK, NULL),                                       \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_SIGNATURE_KEY, NULL, 0),                             \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_PURPOSE, NULL, 0),                                   \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_MESSAGE_HASH, NULL, 0)
#define BLOB_OPTIONS_EXPORT                                                                        \
    BLOB_OPTIONS_CONTEXT, BLOB_OPTIONS_OF_BOTH,                                                    \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_INNER, NULL, 0),                                     \
        OSSL_PARAM_uint(SCHANNEL_PARAM_ALLOW_PLAINTEXT, NULL),                                     \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SERIAL, NULL, 0)
#define BLOB_OPTIONS_IMPORT                                                                        \
    BLOB_OPTIONS_OPENING, BLOB_OPTIONS_OF_BOTH,                                                    \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_SALT_MODE, NULL, 0),                                 \
        OSSL_PARAM_uint(SCHANNEL_PARAM_EXPORTABLE, NULL),                                          \
        OSSL_PARAM_uint(SCHANNEL_PARAM_MAX_AGE, NULL),                                             \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_EXPECT_SERIAL, NULL, 0)

#endif
