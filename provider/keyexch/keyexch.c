/*
 * KEYEXCH "SCHANNEL": EVP_PKEY_derive on a master key, for what a handshake needs beside session
 * keys: Finished values and the PRF (CryptHashSessionKey, CALG_TLS1PRF); and, with OpenSSL 3.6 and
 * later, EVP_PKEY_derive_SKEY for the session keys.
 *
 * There is no peer.  OpenSSL 3.5 and later want one for pkeyutl: any SCHANNEL key is taken for it
 * and means nothing.  The work is kdf/from_master and kdf/session_key.
 * Referenced by algorithms.c.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include "dispatch.h"
#include "kdf/from_master.h"
#include "kdf/kdf.h"
#include "kdf/session_key.h"
#include "key/key.h"
#include "params.h"
#include "schannel/names.h"
#include "skey_dispatch.h"

#define DEFAULT_PRF_SIZE      48
#define DEFAULT_TLS1_FINISHED 12
#define DEFAULT_SSL3_FINISHED 36
#define MAX_SIZE              65535 /* a bound for keylen */

static OSSL_FUNC_keyexch_newctx_fn keyexch_new;
static OSSL_FUNC_keyexch_freectx_fn keyexch_free;
static OSSL_FUNC_keyexch_dupctx_fn keyexch_dup;
static OSSL_FUNC_keyexch_init_fn keyexch_init;
static OSSL_FUNC_keyexch_set_peer_fn keyexch_set_peer;
static OSSL_FUNC_keyexch_derive_fn keyexch_derive;
static OSSL_FUNC_keyexch_derive_skey_fn keyexch_derive_skey;
static OSSL_FUNC_keyexch_set_ctx_params_fn keyexch_set_ctx_params;
static OSSL_FUNC_keyexch_settable_ctx_params_fn keyexch_settable_ctx_params;

struct keyexch_context {
    struct provctx *provctx;
    struct key *key; /* a master, with a reference; NULL before the initialisation */
    struct kdf *kdf; /* ours: usage, label, seed, handshake; NULL before the initialisation */
    size_t size;     /* keylen; 0: the default of the usage */
    uint8_t has_usage;
};

static void *keyexch_new(void *vprovctx)
{
    struct provctx *provctx = vprovctx;
    struct keyexch_context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL)
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key exchange context");
    else
        context->provctx = provctx;
    return context;
}

static void keyexch_free(void *vcontext)
{
    struct keyexch_context *context = vcontext;

    if (context == NULL)
        return;
    kdf_free(context->kdf);
    key_free(context->key);
    OPENSSL_free(context);
}

/* Both contexts use the same master. */
static void *keyexch_dup(void *vcontext)
{
    const struct keyexch_context *context = vcontext;
    struct keyexch_context *copy = keyexch_new(context->provctx);

    if (copy == NULL)
        return NULL;
    copy->size = context->size;
    copy->has_usage = context->has_usage;
    if (context->kdf != NULL && (copy->kdf = kdf_dup(context->kdf)) == NULL) {
        keyexch_free(copy);
        return NULL;
    }
    if (context->key != NULL)
        copy->key = key_up_ref(context->key);
    return copy;
}

/* ---- parameters ---- */

static int wrong_usage(const struct keyexch_context *context, const char *name)
{
    return RAISE(context->provctx->errors, SCHANNEL_R_UNKNOWN_USAGE,
                 "usage: expected prf, finished-client, finished-server, certificate-verify or "
                 "key-block (session keys are generated from the master as template, or derived "
                 "as EVP_SKEY), got \"%s\"",
                 name);
}

/* What a master may be asked for; session keys as EVP_SKEY only, or with EVP_PKEY_generate. */
static int check_usage(const struct keyexch_context *context, const OSSL_PARAM *param)
{
    static const char *const names[] = { SCHANNEL_USAGE_PRF, SCHANNEL_USAGE_CLIENT_FINISHED,
                                         SCHANNEL_USAGE_SERVER_FINISHED,
                                         SCHANNEL_USAGE_CERTIFICATE_VERIFY,
                                         SCHANNEL_USAGE_KEY_BLOCK };
    char name[PARAMS_NAME_SIZE];

    if (!params_get_name(context->provctx->errors, param, name, sizeof(name)))
        return 0;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        if (OPENSSL_strcasecmp(name, names[n]) == 0)
            return 1;
    }
    return key_usage_by_name(name) != KEY_USAGE_NONE || wrong_usage(context, name);
}

/* The master has these; they cannot come from elsewhere. */
static int check_no_secret(const struct keyexch_context *context, const OSSL_PARAM params[])
{
    static const char *const names[] = { SCHANNEL_PARAM_SECRET, SCHANNEL_PARAM_PREMASTER };

    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        if (OSSL_PARAM_locate_const(params, names[n]) != NULL)
            return RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                         "%s: excluded by the master key that is derived from", names[n]);
    }
    return 1;
}

static int keyexch_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct keyexch_context *context = vcontext;
    const OSSL_PARAM *usage, *keylen;
    uint64_t size = context->size;

    if (params == NULL || params->key == NULL)
        return 1;
    if (context->kdf == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "usage: no master key is set");
    usage = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_USAGE);
    keylen = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_KEYLEN);
    if ((usage != NULL && !check_usage(context, usage)) || !check_no_secret(context, params) ||
        (keylen != NULL &&
         !params_get_number(context->provctx->errors, keylen, 1, MAX_SIZE, &size)) ||
        !kdf_set_ctx_params(context->kdf, params))
        return 0;
    context->size = (size_t)size;
    context->has_usage |= usage != NULL;
    return 1;
}

static const OSSL_PARAM *keyexch_settable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_USAGE, NULL, 0),
        OSSL_PARAM_size_t(SCHANNEL_PARAM_KEYLEN, NULL),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_LABEL, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SEED, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_HANDSHAKE, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_HANDSHAKE_HASH, NULL, 0),
        DERIVATION_SETTABLE,
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return settable;
}

static int keyexch_init(void *vcontext, void *vkey, const OSSL_PARAM params[])
{
    struct keyexch_context *context = vcontext;
    struct key *key = vkey != NULL ? vkey : context->key;
    struct kdf *kdf;

    if (key == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "usage: no master key is set");
    if (!key_lock_kind(key, KEY_KIND_MASTER, KEY_LOOK, "derive"))
        return 0;
    kdf = kdf_new(context->provctx, key->protocol);
    key_unlock(key);
    if (kdf == NULL)
        return 0;
    key_up_ref(key);
    kdf_free(context->kdf);
    key_free(context->key);
    context->kdf = kdf;
    context->key = key;
    context->size = 0;
    context->has_usage = 0;
    return keyexch_set_ctx_params(context, params);
}

static int keyexch_set_peer(void *vcontext, void *peer)
{
    struct keyexch_context *context = vcontext;

    return peer != NULL ||
           RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "peer: expected a SCHANNEL key");
}

/* ---- deriving ---- */

static int is_usage(const struct kdf *kdf, const char *name)
{
    return strcmp(kdf->usage->name, name) == 0;
}

/* keylen, or what the usage is for. */
static size_t output_size(const struct keyexch_context *context)
{
    if (context->size != 0)
        return context->size;
    if (is_usage(context->kdf, SCHANNEL_USAGE_PRF))
        return DEFAULT_PRF_SIZE;
    if (is_usage(context->kdf, SCHANNEL_USAGE_KEY_BLOCK))
        return 0;
    return context->kdf->protocol == KEY_PROTOCOL_SSL3 ? DEFAULT_SSL3_FINISHED
                                                       : DEFAULT_TLS1_FINISHED;
}

static int check_usage_is_set(const struct keyexch_context *context)
{
    const struct errors *errors = context->provctx->errors;

    if (context->kdf == NULL)
        return RAISE(errors, SCHANNEL_R_NO_KEY, "usage: no master key is set");
    return context->has_usage || RAISE(errors, SCHANNEL_R_MISSING_PARAMETER,
                                       "usage: is not set: prf, finished-client, finished-server, "
                                       "certificate-verify or key-block?");
}

static int check(const struct keyexch_context *context, size_t *size)
{
    const struct errors *errors = context->provctx->errors;

    if (!check_usage_is_set(context))
        return 0;
    if (key_usage_by_name(context->kdf->usage->name) != KEY_USAGE_NONE)
        return wrong_usage(context, context->kdf->usage->name);
    *size = output_size(context);
    return *size != 0 || RAISE(errors, SCHANNEL_R_MISSING_PARAMETER,
                               "keylen: is not set, and a key block has no length of its own");
}

static int keyexch_derive(void *vcontext, unsigned char *secret, size_t *secret_size, size_t room)
{
    struct keyexch_context *context = vcontext;
    size_t size;

    if (!check(context, &size))
        return 0;
    if (secret == NULL) {
        *secret_size = size;
        return 1;
    }
    if (room < size)
        return RAISE(context->provctx->errors, SCHANNEL_R_OUTPUT_TOO_SMALL,
                     "secret: needs %zu bytes, the buffer has %zu", size, room);
    if (!kdf_from_master(context->kdf, context->key, secret, size))
        return 0;
    *secret_size = size;
    return 1;
}

static void *keyexch_derive_skey(void *vcontext, const char *key_type, void *provctx,
                                 OSSL_FUNC_skeymgmt_import_fn *import, size_t size,
                                 const OSSL_PARAM params[])
{
    struct keyexch_context *context = vcontext;

    (void)key_type; /* one key type, ours: libcrypto asks nobody else's provider */
    (void)provctx;
    (void)import;
    if (!keyexch_set_ctx_params(context, params) || !check_usage_is_set(context))
        return NULL;
    return kdf_session_key(context->kdf, context->key, size);
}

const OSSL_DISPATCH schannel_keyexch_functions[] = {
    { OSSL_FUNC_KEYEXCH_NEWCTX, (void (*)(void))keyexch_new },
    { OSSL_FUNC_KEYEXCH_FREECTX, (void (*)(void))keyexch_free },
    { OSSL_FUNC_KEYEXCH_DUPCTX, (void (*)(void))keyexch_dup },
    { OSSL_FUNC_KEYEXCH_INIT, (void (*)(void))keyexch_init },
    { OSSL_FUNC_KEYEXCH_SET_PEER, (void (*)(void))keyexch_set_peer },
    { OSSL_FUNC_KEYEXCH_DERIVE, (void (*)(void))keyexch_derive },
    { OSSL_FUNC_KEYEXCH_DERIVE_SKEY, (void (*)(void))keyexch_derive_skey },
    { OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS, (void (*)(void))keyexch_set_ctx_params },
    { OSSL_FUNC_KEYEXCH_SETTABLE_CTX_PARAMS, (void (*)(void))keyexch_settable_ctx_params },
    { 0, NULL },
};
