/* What a call on a MAC context asks for: see context.h. */
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <string.h>
#include "blob/opaque.h"
#include "mac/context.h"
#include "params.h"
#include "schannel/names.h"

#define MAX_KEY_SIZE 65535 /* HMAC takes any; a bound for the parameter */

/* ---- one parameter each ---- */

enum digest_id mac_context_only_digest(const struct mac_context *context)
{
    return context->protocol == KEY_PROTOCOL_SSL2 ? DIGEST_MD5 : DIGEST_NONE;
}

/* |key| has to be a MAC key of this protocol; |name| is the parameter that names it. */
static int check_mac_key(const struct mac_context *context, struct key *key,
                         enum key_purpose purpose, const char *name, struct mac_request *request)
{
    int ok;

    if (!key_lock_mac(key, purpose, name))
        return 0;
    ok =
        key_mac(key)->protocol == context->protocol ||
        RAISE(context->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
              "%s: expected a key of %s, got one of %s", name, context->name, key->algorithm->name);
    if (ok)
        request->key_digest = key_mac(key)->digest;
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
    return request->key != NULL &&
           check_mac_key(context, request->key, KEY_LOOK, param->key, request);
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
    const enum digest_id only = mac_context_only_digest(context);

    if (!params_get_digest(context->provctx->errors, param, &request->digest))
        return 0;
    return only == DIGEST_NONE || request->digest == only ||
           RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "digest: %s hashes with %s, not %s", context->name, digest_name(only),
                 digest_name(request->digest));
}

static int collect_sequence(const struct mac_context *context, const OSSL_PARAM *param,
                            struct mac_request *request)
{
    const uint64_t last = protocol_rules(context->protocol)->last_sequence;

    request->has_sequence = 1;
    return params_get_number(context->provctx->errors, param, 0,
                             last > UINT32_MAX ? UINT64_MAX : last, &request->sequence);
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

static int collect_options(const struct mac_context *context, const OSSL_PARAM params[],
                           struct mac_request *request)
{
    if (!blob_options_given(OPTIONS_CONTEXT, params))
        return 1;
    if (!blob_options_copy(&request->options, &context->options))
        return RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                     "no memory for the parameters");
    request->has_options = 1;
    return blob_options_set(context->provctx, &request->options, OPTIONS_CONTEXT, params);
}

/* The state of another context.  A transfer is claimed later, when nothing else is wrong. */
static int open_blob(const struct mac_context *context, const OSSL_PARAM *param,
                     struct mac_request *request)
{
    struct octets blob;

    if (!params_get_octets(context->provctx->errors, param, 1, OPAQUE_BLOB_MAX_SIZE, &blob))
        return 0;
    request->opened = opaque_blob_import(
        context->provctx, blob, request->has_options ? &request->options : &context->options, NULL,
        OPAQUE_FOR_CONTEXT);
    if (request->opened != NULL && request->opened->ssl2_mac != NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
                     "opaque-blob: is a key of SSL 2.0, cipher and MAC in one: import it as a key "
                     "and bind the context by key-handle");
    return request->opened != NULL &&
           check_mac_key(context, request->opened, KEY_LOOK, param->key, request);
}

/* ---- together ---- */

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

static int replaces_key(const struct mac_request *request)
{
    return request->key != NULL || request->opened != NULL || request->has_key_bytes;
}

/* Is a message being absorbed by |key|, or, for NULL, by the context's own key?  0 with *started. */
static int is_absorbing(const struct mac_context *context, struct key *key, int *started)
{
    *started = context->has_key && context->own.started;
    if (key == NULL)
        return 1;
    if (!key_lock_mac(key, KEY_LOOK, context->name))
        return 0;
    *started = key_mac(key)->started;
    key_unlock(key);
    return 1;
}

static int is_absorbing_error(const struct mac_context *context, const char *name)
{
    return RAISE(context->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                 "%s: cannot change while a message is being absorbed", name);
}

/* A bound or resumed key has a digest of its own; that of key bytes can change between messages. */
static int check_digest(const struct mac_context *context, const struct mac_request *request,
                        int keeps_message)
{
    enum digest_id own = request->key_digest;

    if (request->digest == DIGEST_NONE || request->has_key_bytes)
        return 1;
    if (!replaces_key(request)) {
        if (context->key == NULL && (!context->has_key || context->digest == request->digest))
            return 1;
        if (context->key == NULL && context->pending_key != NULL)
            return !keeps_message || !context->own.started || is_absorbing_error(context, "digest");
        own = context->digest;
    }
    return own == request->digest ||
           RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "digest: the key's own is %s, not %s", digest_name(own),
                 digest_name(request->digest));
}

/* A sequence number set before there was a key is for the first one that comes. */
static int check_sequence(const struct mac_context *context, struct mac_request *request,
                          int keeps_message)
{
    struct key *key = request->key != NULL ? request->key : request->opened;
    int started;

    if (!request->has_sequence && context->has_pending_sequence && key != NULL) {
        request->has_sequence = 1;
        request->sequence = context->pending_sequence;
    }
    if (!request->has_sequence || request->has_key_bytes || (key == NULL && !keeps_message))
        return 1;
    if (key == NULL)
        key = context->key;
    if (!is_absorbing(context, key, &started))
        return 0;
    return !started || is_absorbing_error(context, SCHANNEL_PARAM_SEQUENCE);
}

int mac_context_has_no_key(const struct mac_context *context)
{
    if (context->pending_key != NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "digest: is not set, and %s has a choice: MD5 or SHA1",
                     key_protocol_name(context->protocol));
    return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY,
                 "%s: the context has neither key bytes nor a key-handle", context->name);
}

/* After an initialisation there is a key that can go on. */
static int check_ready(const struct mac_context *context, const struct mac_request *request)
{
    int has_digest =
        request->digest != DIGEST_NONE || (context->key == NULL && context->digest != DIGEST_NONE);
    struct key *bound = request->key;

    if (bound == NULL && !replaces_key(request))
        bound = context->key;
    if (bound != NULL) {
        if (!key_lock_mac(bound, KEY_ADVANCE, context->name))
            return 0;
        key_unlock(bound);
        return 1;
    }
    if (request->opened != NULL || (request->has_key_bytes && has_digest) ||
        (!request->has_key_bytes &&
         (context->has_key || (context->pending_key != NULL && has_digest))))
        return 1;
    return request->has_key_bytes ? RAISE(context->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                                          "digest: is not set, and %s has a choice: MD5 or SHA1",
                                          key_protocol_name(context->protocol))
                                  : mac_context_has_no_key(context);
}

/* The key of an EVP_SKEY, which is what a handle names too. */
static int take_skey(const struct mac_context *context, struct key *skey,
                     struct mac_request *request)
{
    if (request->key != NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "key-handle: excluded by the EVP_SKEY, which is the key");
    if (!check_mac_key(context, skey, KEY_LOOK, "EVP_SKEY", request))
        return 0;
    request->key = key_up_ref(skey);
    return 1;
}

static int collect_all(const struct mac_context *context, int is_init, const struct octets *key,
                       struct key *skey, const OSSL_PARAM params[], struct mac_request *request)
{
    const OSSL_PARAM *blob = NULL;

    if (!mac_record_set(context->provctx, context->protocol, &request->record, params, NULL) ||
        !collect_options(context, params, request))
        return 0;
    for (; params != NULL && params->key != NULL; params++) {
        if (params_is(params, SCHANNEL_PARAM_OPAQUE_BLOB))
            blob = params;
        for (size_t n = 0; n < sizeof(collectors) / sizeof(collectors[0]); n++) {
            if (params_is(params, collectors[n].name) &&
                !collectors[n].collect(context, params, request))
                return 0;
        }
    }
    if (skey != NULL && !take_skey(context, skey, request))
        return 0;
    if (key != NULL) {
        request->has_key_bytes = 1;
        request->key_bytes = *key;
    }
    if (request->has_key_bytes && context->protocol != KEY_PROTOCOL_TLS1 &&
        request->key_bytes.size > MAC_VALUE_MAX_KEY_SIZE)
        return RAISE(context->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "key: expected at most %d bytes for %s, got %zu", MAC_VALUE_MAX_KEY_SIZE,
                     context->name, request->key_bytes.size);
    return check_one_key(context, request, blob != NULL) &&
           (blob == NULL || open_blob(context, blob, request)) &&
           check_digest(context, request, !is_init) && check_sequence(context, request, !is_init) &&
           (!is_init || check_ready(context, request)) &&
           (request->opened == NULL || key_claim(request->opened));
}

int mac_request_collect(const struct mac_context *context, int is_init, const struct octets *key,
                        struct key *skey, const OSSL_PARAM params[], struct mac_request *request)
{
    memset(request, 0, sizeof(*request));
    request->record = context->record;
    if (collect_all(context, is_init, key, skey, params, request))
        return 1;
    mac_request_clear(request);
    return 0;
}

void mac_request_clear(struct mac_request *request)
{
    key_free(request->key);
    key_free(request->opened);
    if (request->has_options)
        blob_options_clear(&request->options);
}
