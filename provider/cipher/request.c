/* What a call on a cipher context asks for: see context.h. */
#include <openssl/core_names.h>
#include <openssl/params.h>
#include "blob/opaque.h"
#include "cipher/context.h"
#include "params.h"
#include "schannel/names.h"

#define RC4_MAX_KEY_SIZE 256

/* |key| has to be of this context's cipher; |name| is the parameter that names it,
 * and its sizes are those that the context reports. */
static int check_cipher(const struct cipher_context *context, struct key *key,
                        enum key_purpose purpose, const char *name, struct cipher_request *request)
{
    int ok;

    if (!key_lock_kind(key, KEY_KIND_CIPHER, purpose, name))
        return 0;
    ok = key->value.cipher.cipher == context->cipher ||
         RAISE(context->provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
               "%s: expected a key of %s, got one of %s", name, context->cipher->name,
               key->algorithm->name);
    if (ok && key->value.cipher.key_size != 0)
        request->key_size = key->value.cipher.key_size;
    if (ok && key->value.cipher.effective_bits != 0)
        request->effective_bits = key->value.cipher.effective_bits;
    key_unlock(key);
    return ok;
}

/* The key of an EVP_SKEY, which is what a handle names too. */
static int take_skey(const struct cipher_context *context, struct key *skey,
                     struct cipher_request *request)
{
    if (!check_cipher(context, skey, KEY_LOOK, "EVP_SKEY", request))
        return 0;
    request->key = key_up_ref(skey);
    return 1;
}

/* A key that |context| can be bound to, with a reference. */
static int find_key(const struct cipher_context *context, const OSSL_PARAM *param,
                    struct cipher_request *request)
{
    struct octets handle;
    struct key *key;

    if (!params_get_octets(context->provctx->errors, param, KEY_HANDLE_SIZE, KEY_HANDLE_SIZE,
                           &handle) ||
        (key = key_by_handle(context->provctx, handle)) == NULL)
        return 0;
    if (!check_cipher(context, key, KEY_LOOK, param->key, request)) {
        key_free(key);
        return 0;
    }
    request->key = key;
    return 1;
}

/* The state of another context.  A transfer is claimed later, when nothing else is wrong. */
static int open_blob(const struct cipher_context *context, const OSSL_PARAM *param,
                     struct cipher_request *request)
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
           check_cipher(context, request->opened, KEY_LOOK, param->key, request);
}

static int collect_padding(const struct cipher_context *context, const OSSL_PARAM *param,
                           enum padding_choice *padding)
{
    uint64_t number;

    /* EVP_CIPHER_CTX_set_padding takes any non-zero value for "on". */
    if (!params_get_number(context->provctx->errors, param, 0, UINT64_MAX, &number))
        return 0;
    *padding = number != 0 ? PADDING_ON : PADDING_OFF;
    return 1;
}

static int collect_key_size(const struct cipher_context *context, const OSSL_PARAM *param,
                            size_t *size)
{
    uint64_t least = context->cipher->default_bits / 8, most = least, number;

    if (context->cipher->id == BULK_CIPHER_RC4 || context->cipher->id == BULK_CIPHER_RC2) {
        least = 1;
        most =
            context->cipher->id == BULK_CIPHER_RC4 ? RC4_MAX_KEY_SIZE : CIPHER_VALUE_MAX_RC2_SIZE;
    }
    if (!params_get_number(context->provctx->errors, param, least, most, &number))
        return 0;
    *size = (size_t)number;
    return 1;
}

static int collect_effective_bits(const struct cipher_context *context, const OSSL_PARAM *param,
                                  unsigned *bits)
{
    uint64_t number;

    if (context->cipher->id != BULK_CIPHER_RC2)
        return 1; /* libcrypto's other ciphers overlook it as well */
    if (!params_get_number(context->provctx->errors, param, 1, CIPHER_VALUE_MAX_EFFECTIVE_BITS,
                           &number))
        return 0;
    *bits = (unsigned)number;
    return 1;
}

void cipher_request_clear(struct cipher_request *request)
{
    key_free(request->key);
    key_free(request->opened);
    if (request->has_options)
        blob_options_clear(&request->options);
}

static int collect_options(const struct cipher_context *context, const OSSL_PARAM params[],
                           struct cipher_request *request)
{
    if (!blob_options_given(OPTIONS_CONTEXT, params))
        return 1;
    if (!blob_options_copy(&request->options, &context->options))
        return RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                     "no memory for the parameters");
    request->has_options = 1;
    return blob_options_set(context->provctx, &request->options, OPTIONS_CONTEXT, params);
}

static int collect_all(const struct cipher_context *context, struct key *skey,
                       const OSSL_PARAM params[], struct cipher_request *request)
{
    const OSSL_PARAM *handle = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_KEY_HANDLE);
    const OSSL_PARAM *blob = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_OPAQUE_BLOB);
    const OSSL_PARAM *param;

    if ((param = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_PADDING)) != NULL &&
        !collect_padding(context, param, &request->padding))
        return 0;
    if ((param = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_KEYLEN)) != NULL &&
        !collect_key_size(context, param, &request->key_size))
        return 0;
    if ((param = OSSL_PARAM_locate_const(params, OSSL_CIPHER_PARAM_RC2_KEYBITS)) != NULL &&
        !collect_effective_bits(context, param, &request->effective_bits))
        return 0;
    if (handle != NULL && blob != NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "key-handle: excludes opaque-blob");
    if (skey != NULL && (handle != NULL || blob != NULL))
        return RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: excluded by the EVP_SKEY, which is the key",
                     handle != NULL ? handle->key : blob->key);
    return collect_options(context, params, request) &&
           (skey == NULL || take_skey(context, skey, request)) &&
           (handle == NULL || find_key(context, handle, request)) &&
           (blob == NULL || open_blob(context, blob, request));
}

int cipher_request_collect(const struct cipher_context *context, struct key *skey,
                           const OSSL_PARAM params[], struct cipher_request *request)
{
    request->key = request->opened = NULL;
    request->has_options = 0;
    request->padding = context->padding;
    request->key_size = context->key_size;
    request->effective_bits = context->effective_bits;
    if ((params == NULL && skey == NULL) || collect_all(context, skey, params, request))
        return 1;
    cipher_request_clear(request);
    return 0;
}
