/*
 * EVP_MAC "PCT1-MAC", "SSL2-MAC", "SSL3-MAC" and "TLS1-MAC": the record MACs of the four protocols,
 * over the bytes given (raw mode) or over a record with its sequence number and header (record mode).
 *
 * A context either has key bytes of its own or is bound to a live MAC key by "key-handle": then the
 * key owns sequence number and half-absorbed message, and every call advances it under its lock.
 * Either kind can be suspended and resumed by "opaque-blob"; a resumed context has the key bytes and
 * the state of its own.
 * The work is key/mac_value.  Referenced by algorithms.c.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include "blob/opaque.h"
#include "dispatch.h"
#include "mac/context.h"
#include "params.h"
#include "schannel/names.h"
#include "skey_dispatch.h"

static OSSL_FUNC_mac_freectx_fn mac_free;
static OSSL_FUNC_mac_dupctx_fn mac_dup;
static OSSL_FUNC_mac_init_fn mac_init;
static OSSL_FUNC_mac_init_skey_fn mac_init_skey;
static OSSL_FUNC_mac_update_fn mac_update;
static OSSL_FUNC_mac_final_fn mac_final;
static OSSL_FUNC_mac_get_ctx_params_fn mac_get_ctx_params;
static OSSL_FUNC_mac_set_ctx_params_fn mac_set_ctx_params;

/* ---- contexts ---- */

static void *mac_new(struct provctx *provctx, enum key_protocol protocol)
{
    struct mac_context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a MAC context");
        return NULL;
    }
    context->provctx = provctx;
    context->protocol = protocol;
    context->name = key_algorithm_by_id(KEY_MAC_OF(protocol))->name;
    context->digest = mac_context_only_digest(context);
    return context;
}

static void drop_pending_key(struct mac_context *context)
{
    OPENSSL_clear_free(context->pending_key, context->pending_key_size);
    context->pending_key = NULL;
    context->pending_key_size = 0;
}

static void mac_free(void *vcontext)
{
    struct mac_context *context = vcontext;

    if (context == NULL)
        return;
    key_free(context->key);
    drop_pending_key(context);
    blob_options_clear(&context->options);
    OPENSSL_clear_free(context, sizeof(*context));
}

/* A copy of a bound context is bound to a copy of the key: CryptDuplicateKey. */
static void *mac_dup(void *vcontext)
{
    const struct mac_context *context = vcontext;
    struct mac_context *copy = OPENSSL_memdup(context, sizeof(*context));
    int ok;

    if (copy == NULL) {
        RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a MAC context");
        return NULL;
    }
    copy->key = NULL;
    copy->pending_key = NULL;
    ok = blob_options_copy(&copy->options, &context->options) &&
         (context->pending_key == NULL ||
          (copy->pending_key =
               OPENSSL_memdup(context->pending_key, context->pending_key_size + 1)) != NULL);
    if (!ok)
        RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a MAC context");
    ok = ok && (context->key == NULL || (copy->key = key_duplicate(context->key)) != NULL);
    if (ok)
        return copy;
    mac_free(copy);
    return NULL;
}

/* The state that the context works on, locked when it is a key's.  NULL with a reason raised. */
static struct mac_value *value_acquire(struct mac_context *context, enum key_purpose purpose)
{
    if (context->key != NULL)
        return key_lock_mac(context->key, purpose, context->name) ? key_mac(context->key) : NULL;
    if (context->has_key)
        return &context->own;
    mac_context_has_no_key(context);
    return NULL;
}

static void value_release(struct mac_context *context)
{
    if (context->key != NULL)
        key_unlock(context->key);
}

/* ---- parameters: taking over ---- */

/* Keeps key bytes until the digest is known. */
static int keep_key(struct mac_context *context, struct octets bytes)
{
    uint8_t *copy = OPENSSL_malloc(bytes.size + 1);

    if (copy == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a key");
    if (bytes.size != 0)
        memcpy(copy, bytes.data, bytes.size);
    drop_pending_key(context);
    context->pending_key = copy;
    context->pending_key_size = bytes.size;
    return 1;
}

/* Key bytes and digest are both there: the context has a key of its own. */
static void make_own_key(struct mac_context *context)
{
    mac_value_init(&context->own, context->protocol, context->digest,
                   (struct octets){ context->pending_key, context->pending_key_size });
    context->has_key = 1;
    if (context->has_pending_sequence)
        context->own.sequence = context->pending_sequence;
    context->has_pending_sequence = 0;
}

static int apply_sequence(struct mac_context *context, uint64_t sequence)
{
    struct mac_value *value;

    if (context->key == NULL && !context->has_key) {
        context->has_pending_sequence = 1;
        context->pending_sequence = sequence;
        return 1;
    }
    if ((value = value_acquire(context, KEY_LOOK)) == NULL)
        return 0;
    value->sequence = sequence;
    value_release(context);
    return 1;
}

/* Puts the key that was asked for in the place of the one that the context has. */
static void apply_key(struct mac_context *context, struct mac_request *request)
{
    if (context->key != NULL)
        context->digest = mac_context_only_digest(context); /* it was the key's */
    key_free(context->key);
    context->key = request->key;
    request->key = NULL;
    mac_value_clear(&context->own);
    context->has_key = 0;
    if (request->has_key_bytes)
        return;
    drop_pending_key(context);
    context->has_pending_sequence = 0;
    context->digest = request->key_digest;
    if (request->opened != NULL) {
        /* nobody else has this key: no lock */
        context->own = *key_mac(request->opened);
        context->has_key = 1;
        /* That was who opens the blob, and not for whom the next one is. */
        blob_options_forget_audience(&context->options);
    }
}

/* The same key bytes go on under another digest. */
static void change_digest(struct mac_context *context, enum digest_id digest)
{
    if (context->has_key && context->digest != digest) {
        context->has_pending_sequence = 1;
        context->pending_sequence = context->own.sequence;
        context->has_key = 0;
    }
    context->digest = digest;
}

/* Takes over what was collected, and clears the request. */
static int apply(struct mac_context *context, struct mac_request *request)
{
    if (request->has_key_bytes && !keep_key(context, request->key_bytes)) {
        mac_request_clear(request);
        return 0;
    }
    context->record = request->record;
    if (request->has_options) {
        blob_options_clear(&context->options);
        context->options = request->options;
        request->has_options = 0;
    }
    if (request->key != NULL || request->opened != NULL || request->has_key_bytes)
        apply_key(context, request);
    if (request->digest != DIGEST_NONE && context->key == NULL)
        change_digest(context, request->digest);
    if (context->key == NULL && !context->has_key && context->pending_key != NULL &&
        context->digest != DIGEST_NONE)
        make_own_key(context);
    mac_request_clear(request);
    return !request->has_sequence || apply_sequence(context, request->sequence);
}

static int mac_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct mac_context *context = vcontext;
    const struct mac_record before = context->record;
    struct mac_request request;
    int has_others;

    if (!mac_record_set(context->provctx, context->protocol, &context->record, params, &has_others))
        return 0;
    /* What the next record needs touches nothing else. */
    if (!has_others ||
        (mac_request_collect(context, 0, NULL, NULL, params, &request) && apply(context, &request)))
        return 1;
    context->record = before;
    return 0;
}

/*
 * With a handle, a blob or key bytes the context takes that key; the first two continue what the key
 * has absorbed.  With none, the message being absorbed is dropped and the next one begins.
 */
static int initialise(struct mac_context *context, const struct octets *key, struct key *skey,
                      const OSSL_PARAM params[])
{
    struct mac_request request;
    struct mac_value *value;
    int continues;

    if (!mac_request_collect(context, 1, key, skey, params, &request))
        return 0;
    continues = request.key != NULL || request.opened != NULL;
    if (!apply(context, &request))
        return 0;
    if (continues)
        return 1;
    if ((value = value_acquire(context, KEY_ADVANCE)) == NULL)
        return 0;
    mac_value_drop(value);
    value_release(context);
    return 1;
}

static int mac_init(void *context, const unsigned char *key, size_t key_size,
                    const OSSL_PARAM params[])
{
    const struct octets key_bytes = { key, key_size };

    return initialise(context, key != NULL ? &key_bytes : NULL, NULL, params);
}

static int mac_init_skey(void *context, void *skey, const OSSL_PARAM params[])
{
    return initialise(context, NULL, skey, params);
}

/* ---- data ---- */

static int mac_update(void *vcontext, const unsigned char *data, size_t size)
{
    struct mac_context *context = vcontext;
    struct mac_value *value = value_acquire(context, KEY_ADVANCE);
    int ok;

    if (value == NULL)
        return 0;
    ok = mac_value_update(context->provctx, value, &context->record, data, size);
    value_release(context);
    return ok;
}

static int mac_final(void *vcontext, unsigned char *out, size_t *written, size_t out_size)
{
    struct mac_context *context = vcontext;
    struct mac_value *value = value_acquire(context, KEY_ADVANCE);
    size_t size;
    int ok;

    if (value == NULL)
        return 0;
    size = digest_size(value->digest);
    if (out_size < size)
        ok = RAISE(context->provctx->errors, SCHANNEL_R_OUTPUT_TOO_SMALL,
                   "%s: needs %zu bytes, the buffer has %zu", context->name, size, out_size);
    else
        ok = mac_value_final(context->provctx, value, &context->record, out);
    value_release(context);
    if (ok)
        *written = size;
    return ok;
}

/* ---- parameters: reading ---- */

/* Suspends the context: the blob of the bound key, or of a key made of our own state. */
static int get_blob(struct mac_context *context, OSSL_PARAM *param)
{
    struct key *key;
    int ok;

    if (context->key != NULL)
        return opaque_blob_get_param(context->key, &context->options, param);
    if (value_acquire(context, KEY_LOOK) == NULL || (key = key_new(context->provctx)) == NULL)
        return 0;
    key->algorithm = key_algorithm_by_id(KEY_MAC_OF(context->protocol));
    key->protocol = context->protocol;
    key->value.mac = context->own;
    ok = opaque_blob_get_param(key, &context->options, param);
    key_free(key);
    return ok;
}

static int get_sequence(struct mac_context *context, OSSL_PARAM *param)
{
    uint64_t number = context->pending_sequence;

    if (context->key != NULL || context->has_key) {
        struct mac_value *value = value_acquire(context, KEY_LOOK);

        if (value == NULL)
            return 0;
        number = value->sequence;
        value_release(context);
    }
    return params_set_number(context->provctx->errors, param, number);
}

/* Size 0 for a context that has no key and no digest yet. */
static int get_size(struct mac_context *context, OSSL_PARAM *param)
{
    return params_set_number(context->provctx->errors, param, digest_size(context->digest));
}

static int get_block_size(struct mac_context *context, OSSL_PARAM *param)
{
    return params_set_number(context->provctx->errors, param, DIGEST_BLOCK_SIZE);
}

static const struct {
    const char *name;
    int (*get)(struct mac_context *, OSSL_PARAM *);
} getters[] = {
    { OSSL_MAC_PARAM_SIZE, get_size }, /* libcrypto asks for it at the end of each message */
    { OSSL_MAC_PARAM_BLOCK_SIZE, get_block_size },
    { SCHANNEL_PARAM_SEQUENCE, get_sequence },
    { SCHANNEL_PARAM_OPAQUE_BLOB, get_blob },
};

static int mac_get_ctx_params(void *context, OSSL_PARAM params[])
{
    for (; params != NULL && params->key != NULL; params++) {
        for (size_t n = 0; n < sizeof(getters) / sizeof(getters[0]); n++) {
            if (!params_is(params, getters[n].name))
                continue;
            if (!getters[n].get(context, params))
                return 0;
            break;
        }
    }
    return 1;
}

static const OSSL_PARAM *gettable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_size_t(OSSL_MAC_PARAM_SIZE, NULL),
        OSSL_PARAM_size_t(OSSL_MAC_PARAM_BLOCK_SIZE, NULL),
        OSSL_PARAM_uint64(SCHANNEL_PARAM_SEQUENCE, NULL),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return gettable;
}

static const OSSL_PARAM *settable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_KEY_HANDLE, NULL, 0),
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_uint64(SCHANNEL_PARAM_SEQUENCE, NULL),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0),
        BLOB_OPTIONS_CONTEXT,
        MAC_RECORD_SETTABLE,
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return settable;
}

static void *pct1_mac_new(void *provctx)
{
    return mac_new(provctx, KEY_PROTOCOL_PCT1);
}

static void *ssl2_mac_new(void *provctx)
{
    return mac_new(provctx, KEY_PROTOCOL_SSL2);
}

static void *ssl3_mac_new(void *provctx)
{
    return mac_new(provctx, KEY_PROTOCOL_SSL3);
}

static void *tls1_mac_new(void *provctx)
{
    return mac_new(provctx, KEY_PROTOCOL_TLS1);
}

#define MAC_FUNCTIONS(new_function)                                                                \
    {                                                                                              \
        { OSSL_FUNC_MAC_NEWCTX, (void (*)(void))new_function },                                    \
            { OSSL_FUNC_MAC_FREECTX, (void (*)(void))mac_free },                                   \
            { OSSL_FUNC_MAC_DUPCTX, (void (*)(void))mac_dup },                                     \
            { OSSL_FUNC_MAC_INIT, (void (*)(void))mac_init },                                      \
            { OSSL_FUNC_MAC_INIT_SKEY, (void (*)(void))mac_init_skey },                            \
            { OSSL_FUNC_MAC_UPDATE, (void (*)(void))mac_update },                                  \
            { OSSL_FUNC_MAC_FINAL, (void (*)(void))mac_final },                                    \
            { OSSL_FUNC_MAC_GET_CTX_PARAMS, (void (*)(void))mac_get_ctx_params },                  \
            { OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_ctx_params },            \
            { OSSL_FUNC_MAC_SET_CTX_PARAMS, (void (*)(void))mac_set_ctx_params },                  \
            { OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, (void (*)(void))settable_ctx_params },            \
        {                                                                                          \
            0, NULL                                                                                \
        }                                                                                          \
    }

const OSSL_DISPATCH schannel_pct1_mac_functions[] = MAC_FUNCTIONS(pct1_mac_new);
const OSSL_DISPATCH schannel_ssl2_mac_functions[] = MAC_FUNCTIONS(ssl2_mac_new);
const OSSL_DISPATCH schannel_ssl3_mac_functions[] = MAC_FUNCTIONS(ssl3_mac_new);
const OSSL_DISPATCH schannel_tls1_mac_functions[] = MAC_FUNCTIONS(tls1_mac_new);
