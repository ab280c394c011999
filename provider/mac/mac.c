/*
 * EVP_MAC "TLS1-MAC": the record MAC of TLS 1.0 and 1.1, HMAC over the bytes given (raw mode) or
 * over a record with its sequence number and header (record mode).
 *
 * A context either has key bytes of its own or is bound to a live MAC key by "key-handle": then the
 * key owns sequence number and half-absorbed message, and every call advances it under its lock.
 * Either kind can be suspended and resumed by "opaque-blob"; a resumed context has the key bytes and
 * the state of its own.
 * The work is key/mac_value.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include "blob/opaque.h"
#include "dispatch.h"
#include "key/key.h"
#include "key/mac_record.h"
#include "key/options.h"
#include "params.h"
#include "schannel/names.h"

#define MAX_KEY_SIZE 65535 /* HMAC takes any; a bound for the parameter */

static OSSL_FUNC_mac_freectx_fn mac_free;
static OSSL_FUNC_mac_dupctx_fn mac_dup;
static OSSL_FUNC_mac_init_fn mac_init;
static OSSL_FUNC_mac_update_fn mac_update;
static OSSL_FUNC_mac_final_fn mac_final;
static OSSL_FUNC_mac_get_ctx_params_fn mac_get_ctx_params;
static OSSL_FUNC_mac_set_ctx_params_fn mac_set_ctx_params;

struct mac_context {
    struct provctx *provctx;
    enum key_protocol protocol;
    struct key *key;      /* bound: holds a reference; else NULL */
    struct mac_value own; /* unbound: key bytes of our own, when |has_key| */
    uint8_t has_key;
    enum digest_id digest; /* of |own|; DIGEST_NONE: not set */
    /* Key bytes may come before the digest: kept until both are there. */
    uint8_t *pending_key;
    size_t pending_key_size;
    uint8_t has_pending_sequence;
    uint64_t pending_sequence;
    struct mac_record record;
    struct blob_options options; /* of the blobs that are read from it */
};

/* What a call asks for, collected before anything changes. */
struct mac_request {
    struct key *key;    /* found by key-handle, with a reference; NULL: not asked for */
    struct key *opened; /* made from opaque-blob, ours; NULL: not asked for */
    struct octets key_bytes;
    uint8_t has_key_bytes, has_sequence, has_options;
    uint64_t sequence;
    enum digest_id digest;
    struct mac_record record;
    struct blob_options options; /* ours when |has_options| */
};

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
        return key_lock_kind(context->key, KEY_KIND_MAC, purpose, "TLS1-MAC")
                   ? &context->key->value.mac
                   : NULL;
    if (context->has_key)
        return &context->own;
    if (context->pending_key != NULL)
        RAISE(context->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
              "digest: is not set, and TLS 1.0 has a choice: MD5 or SHA1");
    else
        RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY,
              "TLS1-MAC: the context has neither key bytes nor a key-handle");
    return NULL;
}

static void value_release(struct mac_context *context)
{
    if (context->key != NULL)
        key_unlock(context->key);
}

/* ---- parameters: collecting ---- */

/* |key| has to be a MAC key of this protocol; |name| is the parameter that names it. */
static int check_mac_key(const struct mac_context *context, struct key *key,
                         enum key_purpose purpose, const char *name)
{
    int ok;

    if (!key_lock_kind(key, KEY_KIND_MAC, purpose, name))
        return 0;
    ok = key->value.mac.protocol == context->protocol ||
         RAISE(context->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
               "%s: expected a TLS1-MAC key, got a %s key", name, key->algorithm->name);
    key_unlock(key);
    return ok;
}

static int collect_handle(const struct mac_context *context, const OSSL_PARAM *param,
                          struct mac_request *request)
{
    struct octets handle;

    if (!params_get_octets(context->provctx->errors, param, KEY_HANDLE_SIZE, KEY_HANDLE_SIZE,
                           &handle))
        return 0;
    key_free(request->key);
    request->key = key_by_handle(context->provctx, handle);
    return request->key != NULL && check_mac_key(context, request->key, KEY_LOOK, param->key);
}

/* The state of another context; resuming it is a use, which claims a transfer. */
static int open_blob(const struct mac_context *context, const OSSL_PARAM *param,
                     struct mac_request *request)
{
    struct octets blob;

    if (!params_get_octets(context->provctx->errors, param, 1, OPAQUE_BLOB_MAX_SIZE, &blob))
        return 0;
    request->opened = opaque_blob_import(
        context->provctx, blob, request->has_options ? &request->options : &context->options, NULL,
        OPAQUE_FOR_CONTEXT);
    return request->opened != NULL &&
           check_mac_key(context, request->opened, KEY_LOOK, param->key) &&
           check_mac_key(context, request->opened, KEY_USE, param->key);
}

static int collect_key(const struct mac_context *context, const OSSL_PARAM *param,
                       struct mac_request *request)
{
    request->has_key_bytes = 1;
    return params_get_octets(context->provctx->errors, param, 0, MAX_KEY_SIZE, &request->key_bytes);
}

static int collect_digest(const struct mac_context *context, const OSSL_PARAM *param,
                          struct mac_request *request)
{
    return params_get_digest(context->provctx->errors, param, &request->digest);
}

static int collect_sequence(const struct mac_context *context, const OSSL_PARAM *param,
                            struct mac_request *request)
{
    request->has_sequence = 1;
    return params_get_number(context->provctx->errors, param, 0, UINT64_MAX, &request->sequence);
}

static const struct {
    const char *name;
    int (*collect)(const struct mac_context *, const OSSL_PARAM *, struct mac_request *);
} collectors[] = {
    { SCHANNEL_PARAM_KEY_HANDLE, collect_handle },
    { OSSL_MAC_PARAM_KEY, collect_key },
    { SCHANNEL_PARAM_DIGEST, collect_digest },
    { SCHANNEL_PARAM_SEQUENCE, collect_sequence },
};

/* A digest given beside a handle has to be the key's own. */
static int check_bound_digest(const struct mac_context *context, struct key *key,
                              enum digest_id digest)
{
    enum digest_id own;

    if (key == NULL || digest == DIGEST_NONE)
        return 1;
    if (!key_lock_kind(key, KEY_KIND_MAC, KEY_LOOK, "TLS1-MAC"))
        return 0;
    own = key->value.mac.digest;
    key_unlock(key);
    return own == digest ||
           RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "digest: the key's own is %s, not %s", digest_name(own), digest_name(digest));
}

static int check_message_idle(const struct mac_context *context, struct key *key)
{
    const struct mac_value *value = context->has_key ? &context->own : NULL;
    int started;

    if (key != NULL) {
        if (!key_lock_kind(key, KEY_KIND_MAC, KEY_LOOK, "TLS1-MAC"))
            return 0;
        started = key->value.mac.started;
        key_unlock(key);
    } else {
        started = value != NULL && value->started;
    }
    return !started || RAISE(context->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                             "sequence: cannot change while a message is being absorbed");
}

static void request_clear(struct mac_request *request)
{
    key_free(request->key);
    key_free(request->opened);
    if (request->has_options)
        blob_options_clear(&request->options);
}

static int collect_options(const struct mac_context *context, const OSSL_PARAM params[],
                           struct mac_request *request)
{
    if (!blob_options_given(params))
        return 1;
    if (!blob_options_copy(&request->options, &context->options))
        return RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                     "no memory for the parameters");
    request->has_options = 1;
    return blob_options_set(context->provctx, &request->options, params);
}

/* Of a handle, a blob and key bytes at most one can be meant. */
static int check_one_key(const struct mac_context *context, const struct mac_request *request,
                         int has_blob)
{
    if (request->key != NULL && (request->has_key_bytes || has_blob))
        return RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "key-handle: excludes %s", has_blob ? "opaque-blob" : "key bytes");
    return !has_blob || !request->has_key_bytes ||
           RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "opaque-blob: excludes key bytes");
}

static int collect_all(const struct mac_context *context, const OSSL_PARAM params[],
                       struct mac_request *request)
{
    const OSSL_PARAM *blob = NULL;
    struct key *bound;

    if (!mac_record_set(context->provctx, &request->record, params) ||
        !collect_options(context, params, request))
        return 0;
    for (; params != NULL && params->key != NULL; params++) {
        if (strcmp(params->key, SCHANNEL_PARAM_OPAQUE_BLOB) == 0)
            blob = params;
        for (size_t n = 0; n < sizeof(collectors) / sizeof(collectors[0]); n++) {
            if (strcmp(params->key, collectors[n].name) == 0 &&
                !collectors[n].collect(context, params, request))
                return 0;
        }
    }
    if (!check_one_key(context, request, blob != NULL) ||
        (blob != NULL && !open_blob(context, blob, request)))
        return 0;
    bound = request->key != NULL ? request->key : request->opened;
    if (bound == NULL && !request->has_key_bytes)
        bound = context->key;
    return check_bound_digest(context, bound, request->digest) &&
           (!request->has_sequence || request->has_key_bytes || check_message_idle(context, bound));
}

/* Collects everything from |params|; on failure there is nothing to clear. */
static int collect(const struct mac_context *context, const OSSL_PARAM params[],
                   struct mac_request *request)
{
    memset(request, 0, sizeof(*request));
    request->record = context->record;
    if (collect_all(context, params, request))
        return 1;
    request_clear(request);
    return 0;
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
    key_free(context->key);
    context->key = request->key;
    request->key = NULL;
    mac_value_clear(&context->own);
    context->has_key = 0;
    if (!request->has_key_bytes)
        drop_pending_key(context);
    if (request->opened != NULL) {
        /* nobody else has this key: no lock */
        context->own = request->opened->value.mac;
        context->digest = context->own.digest;
        context->has_key = 1;
    }
}

/* Takes over what was collected, and clears the request. */
static int apply(struct mac_context *context, struct mac_request *request)
{
    if (request->has_key_bytes && !keep_key(context, request->key_bytes)) {
        request_clear(request);
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
    if (request->digest != DIGEST_NONE && context->key == NULL) {
        if (context->has_key && context->digest != request->digest)
            context->has_key = 0; /* the same key bytes under another digest */
        context->digest = request->digest;
    }
    if (context->key == NULL && !context->has_key && context->pending_key != NULL &&
        context->digest != DIGEST_NONE)
        make_own_key(context);
    request_clear(request);
    return !request->has_sequence || apply_sequence(context, request->sequence);
}

static int mac_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct mac_context *context = vcontext;
    struct mac_request request;

    return collect(context, params, &request) && apply(context, &request);
}

/*
 * With a handle, a blob or key bytes the context takes that key; the first two continue what the key
 * has absorbed.  With none, the message being absorbed is dropped and the next one begins.
 */
static int mac_init(void *vcontext, const unsigned char *key, size_t key_size,
                    const OSSL_PARAM params[])
{
    struct mac_context *context = vcontext;
    struct mac_request request;
    struct mac_value *value;
    int continues;

    if (!collect(context, params, &request))
        return 0;
    continues = request.key != NULL || request.opened != NULL;
    if (key != NULL) {
        if (continues) {
            RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                  "%s: excludes key bytes", request.key != NULL ? "key-handle" : "opaque-blob");
            request_clear(&request);
            return 0;
        }
        request.has_key_bytes = 1;
        request.key_bytes = (struct octets){ key, key_size };
    }
    if (!apply(context, &request))
        return 0;
    if ((value = value_acquire(context, KEY_ADVANCE)) == NULL)
        return 0;
    if (!continues)
        mac_value_drop(value);
    value_release(context);
    return 1;
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
                   "TLS1-MAC: needs %zu bytes, the buffer has %zu", size, out_size);
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
    key->algorithm = key_algorithm_by_id(KEY_TLS1_MAC);
    key->protocol = context->protocol;
    key->value.mac = context->own;
    ok = opaque_blob_get_param(key, &context->options, param);
    key_free(key);
    return ok;
}

/* Size 0 for a context that has no key and no digest yet. */
static int mac_get_ctx_params(void *vcontext, OSSL_PARAM params[])
{
    struct mac_context *context = vcontext;
    OSSL_PARAM *size = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_SIZE);
    OSSL_PARAM *block = OSSL_PARAM_locate(params, OSSL_MAC_PARAM_BLOCK_SIZE);
    OSSL_PARAM *sequence = OSSL_PARAM_locate(params, SCHANNEL_PARAM_SEQUENCE);
    OSSL_PARAM *blob = OSSL_PARAM_locate(params, SCHANNEL_PARAM_OPAQUE_BLOB);
    enum digest_id digest = context->digest;
    uint64_t number = context->pending_sequence;

    if (context->key != NULL || context->has_key) {
        struct mac_value *value = value_acquire(context, KEY_LOOK);

        if (value == NULL)
            return 0;
        digest = value->digest;
        number = value->sequence;
        value_release(context);
    }
    return (blob == NULL || get_blob(context, blob)) &&
           (size == NULL || OSSL_PARAM_set_size_t(size, digest_size(digest))) &&
           (block == NULL || OSSL_PARAM_set_size_t(block, DIGEST_BLOCK_SIZE)) &&
           (sequence == NULL || OSSL_PARAM_set_uint64(sequence, number));
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
        BLOB_OPTIONS_EXPORT,
        MAC_RECORD_SETTABLE,
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return settable;
}

static void *tls1_mac_new(void *provctx)
{
    return mac_new(provctx, KEY_PROTOCOL_TLS1);
}

const OSSL_DISPATCH schannel_tls1_mac_functions[] = {
    { OSSL_FUNC_MAC_NEWCTX, (void (*)(void))tls1_mac_new },
    { OSSL_FUNC_MAC_FREECTX, (void (*)(void))mac_free },
    { OSSL_FUNC_MAC_DUPCTX, (void (*)(void))mac_dup },
    { OSSL_FUNC_MAC_INIT, (void (*)(void))mac_init },
    { OSSL_FUNC_MAC_UPDATE, (void (*)(void))mac_update },
    { OSSL_FUNC_MAC_FINAL, (void (*)(void))mac_final },
    { OSSL_FUNC_MAC_GET_CTX_PARAMS, (void (*)(void))mac_get_ctx_params },
    { OSSL_FUNC_MAC_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_ctx_params },
    { OSSL_FUNC_MAC_SET_CTX_PARAMS, (void (*)(void))mac_set_ctx_params },
    { OSSL_FUNC_MAC_SETTABLE_CTX_PARAMS, (void (*)(void))settable_ctx_params },
    { 0, NULL },
};
