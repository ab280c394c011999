/*
 * The cipher context that all ciphers of the provider share: see cipher.h.
 *
 * A context either has key bytes of its own and behaves like libcrypto's cipher of the same name,
 * or it is bound to a live key by "key-handle": then the key owns the state, every call advances
 * it under the key's lock, and padding is off unless the application turns it on.
 * Either kind can be suspended and resumed by "opaque-blob"; a resumed context has the key bytes and
 * the state of its own.
 * The work is key/cipher_value.
 */
#include "cipher/cipher.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include "blob/opaque.h"
#include "cipher/context.h"
#include "params.h"
#include "schannel/names.h"

#define DEFAULT_EFFECTIVE_BITS 128 /* of RC2, as libcrypto's */

/* ---- contexts ---- */

void *cipher_new(struct provctx *provctx, enum bulk_cipher_id id)
{
    struct cipher_context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a cipher context");
        return NULL;
    }
    context->provctx = provctx;
    context->cipher = bulk_cipher_by_id(id);
    context->key_size = context->cipher->default_bits / 8;
    if (id == BULK_CIPHER_RC2)
        context->effective_bits = DEFAULT_EFFECTIVE_BITS;
    context->own.cipher = context->cipher;
    if (!cipher_value_is_stream(&context->own))
        cbc_init(&context->own.u.cbc, context->cipher->block_size);
    return context;
}

void cipher_free(void *vcontext)
{
    struct cipher_context *context = vcontext;

    if (context == NULL)
        return;
    key_free(context->key);
    blob_options_clear(&context->options);
    cipher_value_clear(&context->own);
    OPENSSL_clear_free(context, sizeof(*context));
}

/* A copy of a bound context is bound to a copy of the key: CryptDuplicateKey. */
void *cipher_dup(void *vcontext)
{
    const struct cipher_context *context = vcontext;
    struct cipher_context *copy = OPENSSL_malloc(sizeof(*copy));

    int ok;

    if (copy == NULL) {
        RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a cipher context");
        return NULL;
    }
    *copy = *context;
    copy->key = NULL;
    cipher_value_copy(&copy->own, &context->own);
    ok =
        blob_options_copy(&copy->options, &context->options) ||
        RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a cipher context");
    ok = ok && (context->key == NULL || (copy->key = key_duplicate(context->key)) != NULL);
    if (ok)
        return copy;
    cipher_free(copy);
    return NULL;
}

/* The state that the context works on, locked when it is a key's.  NULL with a reason raised. */
static struct cipher_value *value_acquire(struct cipher_context *context)
{
    if (context->key != NULL)
        return key_lock_kind(context->key, KEY_KIND_CIPHER, KEY_ADVANCE, context->cipher->name)
                   ? &context->key->value.cipher
                   : NULL;
    if (context->has_key)
        return &context->own;
    RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY,
          "SCHANNEL-%s: the context has neither key bytes nor a key-handle", context->cipher->name);
    return NULL;
}

static void value_release(struct cipher_context *context)
{
    if (context->key != NULL)
        key_unlock(context->key);
}

static struct cipher_use use_of(const struct cipher_context *context)
{
    struct cipher_use use = { .encrypt = context->encrypt };

    if (context->padding == PADDING_DEFAULT)
        use.padding = context->key == NULL;
    else
        use.padding = context->padding == PADDING_ON;
    return use;
}

/* ---- parameters ---- */

/* Key bytes of our own go: the context is bound, or about to have others. */
static void drop_own_key(struct cipher_context *context)
{
    cipher_value_clear(&context->own);
    context->own.cipher = context->cipher;
    if (!cipher_value_is_stream(&context->own))
        cbc_init(&context->own.u.cbc, context->cipher->block_size);
    context->has_key = 0;
}

/* Takes over what was collected, and clears the request. */
static void apply(struct cipher_context *context, struct cipher_request *request)
{
    context->padding = request->padding;
    context->key_size = request->key_size;
    context->effective_bits = request->effective_bits;
    if (request->has_options) {
        blob_options_clear(&context->options);
        context->options = request->options;
        request->has_options = 0;
    }
    if (request->key != NULL || request->opened != NULL) {
        key_free(context->key);
        context->key = request->key;
        request->key = NULL;
        drop_own_key(context);
    }
    if (request->opened != NULL) {
        /* nobody else has this key: no lock */
        cipher_value_copy(&context->own, &request->opened->value.cipher);
        context->has_key = 1;
        /* That was who opens the blob, and not for whom the next one is. */
        blob_options_forget_audience(&context->options);
    }
    cipher_request_clear(request);
}

int cipher_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct cipher_context *context = vcontext;
    struct cipher_request request;

    if (!cipher_request_collect(context, NULL, params, &request))
        return 0;
    if (request.opened != NULL && !key_claim(request.opened)) {
        cipher_request_clear(&request);
        return 0;
    }
    apply(context, &request);
    return 1;
}

/* A copy of the IV that stays where it is as long as the context lives. */
static int get_iv(OSSL_PARAM *param, uint8_t *view, const uint8_t *iv, size_t size)
{
    memcpy(view, iv, size);
    return param->data_type == OSSL_PARAM_OCTET_PTR
               ? OSSL_PARAM_set_octet_ptr(param, view, size)
               : OSSL_PARAM_set_octet_string(param, view, size);
}

/* Original and current IV, of the bound key or of our own. */
static int get_ivs(struct cipher_context *context, OSSL_PARAM *original, OSSL_PARAM *updated)
{
    size_t size = context->cipher->iv_size;
    const struct cbc_state *cbc = &context->own.u.cbc;
    int ok = 1;

    if ((original == NULL && updated == NULL) || size == 0)
        return 1;
    if (context->key != NULL) {
        if (!key_lock_kind(context->key, KEY_KIND_CIPHER, KEY_LOOK, context->cipher->name))
            return 0;
        cbc = &context->key->value.cipher.u.cbc;
    }
    if (original != NULL)
        ok = get_iv(original, context->iv_view, cbc->iv, size);
    if (ok && updated != NULL)
        ok = get_iv(updated, context->updated_iv_view, cbc->chain, size);
    if (context->key != NULL)
        key_unlock(context->key);
    return ok || RAISE(context->provctx->errors, SCHANNEL_R_OUTPUT_TOO_SMALL, "iv: needs %zu bytes",
                       size);
}

/* Suspends the context: the blob of the bound key, or of a key made of our own state. */
static int get_blob(struct cipher_context *context, OSSL_PARAM *param)
{
    struct key *key;
    int ok;

    if (context->key != NULL)
        return opaque_blob_get_param(context->key, &context->options, param);
    if (value_acquire(context) == NULL || (key = key_new(context->provctx)) == NULL)
        return 0;
    key->algorithm = key_algorithm_by_cipher(context->cipher);
    cipher_value_copy(&key->value.cipher, &context->own);
    ok = opaque_blob_get_param(key, &context->options, param);
    key_free(key);
    return ok;
}

int cipher_get_ctx_params(void *vcontext, OSSL_PARAM params[])
{
    struct cipher_context *context = vcontext;
    struct cipher_use use = use_of(context);
    const struct {
        const char *name;
        size_t value;
    } answers[] = {
        { OSSL_CIPHER_PARAM_KEYLEN, context->key_size },
        { OSSL_CIPHER_PARAM_IVLEN, context->cipher->iv_size },
        { OSSL_CIPHER_PARAM_PADDING, (size_t)use.padding },
        { OSSL_CIPHER_PARAM_NUM, 0 },
    };
    OSSL_PARAM *param = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_RC2_KEYBITS);

    if (param != NULL && context->effective_bits != 0 &&
        !params_set_number(context->provctx->errors, param, context->effective_bits))
        return 0;
    for (size_t n = 0; n < sizeof(answers) / sizeof(answers[0]); n++) {
        param = OSSL_PARAM_locate(params, answers[n].name);
        if (param != NULL && !params_set_number(context->provctx->errors, param, answers[n].value))
            return 0;
    }
    if ((param = OSSL_PARAM_locate(params, SCHANNEL_PARAM_OPAQUE_BLOB)) != NULL &&
        !get_blob(context, param))
        return 0;
    return get_ivs(context, OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_IV),
                   OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_UPDATED_IV));
}

/* ---- initialisation ---- */

static int check_sizes(const struct cipher_context *context, const struct cipher_request *request,
                       const unsigned char *key, size_t key_size, const unsigned char *iv,
                       size_t iv_size)
{
    size_t expected = request->key_size;

    if (key != NULL && (request->key != NULL || request->opened != NULL))
        return RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: excludes key bytes", request->key != NULL ? "key-handle" : "opaque-blob");
    if (key != NULL && key_size != expected)
        return RAISE(context->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "key: expected %zu bytes for SCHANNEL-%s, got %zu", expected,
                     context->cipher->name, key_size);
    if (iv != NULL && iv_size != context->cipher->iv_size)
        return RAISE(context->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "iv: expected %zu bytes for SCHANNEL-%s, got %zu", context->cipher->iv_size,
                     context->cipher->name, iv_size);
    return 1;
}

/*
 * A key that keeps its state cannot turn round inside a block; an IV starts a new chain and so
 * lifts that.  Sets the IV while it holds the lock.
 */
static int continue_key(const struct cipher_context *context, struct key *key, int encrypt,
                        const unsigned char *iv)
{
    const struct cbc_state *cbc;
    int ok = 1;

    if (!key_lock_kind(key, KEY_KIND_CIPHER, KEY_LOOK, context->cipher->name))
        return 0;
    cbc = &key->value.cipher.u.cbc;
    if (iv == NULL && !cipher_value_is_stream(&key->value.cipher) && cbc->buffered != 0 &&
        cbc->direction != (encrypt ? CBC_ENCRYPT : CBC_DECRYPT))
        ok = RAISE(context->provctx->errors, SCHANNEL_R_PARTIAL_BLOCK,
                   "%s: the key holds %u bytes of a block, so its direction cannot change before "
                   "that block is complete or an IV is set",
                   context->cipher->name, (unsigned)cbc->buffered);
    key_unlock(key);
    /* A transfer is claimed when nothing else is wrong. */
    if (!ok || !key_lock_kind(key, KEY_KIND_CIPHER, KEY_ADVANCE, context->cipher->name))
        return 0;
    if (iv != NULL)
        cipher_value_set_iv(&key->value.cipher, iv);
    key_unlock(key);
    return 1;
}

/* Key bytes and IV of a context of its own, as libcrypto's CBC and RC4 treat them. */
static void start_own(struct cipher_context *context, const unsigned char *key, size_t key_size,
                      const unsigned char *iv)
{
    uint8_t original_iv[CBC_MAX_BLOCK_SIZE];

    if (key != NULL) {
        int is_block = !cipher_value_is_stream(&context->own);

        /* An IV may have been given before the key. */
        if (is_block)
            memcpy(original_iv, context->own.u.cbc.iv, sizeof(original_iv));
        cipher_value_clear(&context->own);
        cipher_value_init(&context->own, context->cipher, (struct octets){ key, key_size },
                          (struct octets){ NULL, 0 });
        if (is_block)
            cipher_value_set_iv(&context->own, original_iv);
        if (context->effective_bits != 0)
            cipher_value_set_effective_bits(&context->own, context->effective_bits);
        context->has_key = 1;
        key_free(context->key);
        context->key = NULL;
    }
    if (iv != NULL)
        cipher_value_set_iv(&context->own, iv);
    else
        cipher_value_restart(&context->own);
}

/* With key bytes, the key of an EVP_SKEY, or neither. */
static int initialise(struct cipher_context *context, const unsigned char *key, size_t key_size,
                      struct key *skey, const unsigned char *iv, size_t iv_size,
                      const OSSL_PARAM params[], int encrypt)
{
    struct cipher_request request;
    struct key *continued; /* whose state goes on: bound, or just opened */

    if (!cipher_request_collect(context, skey, params, &request))
        return 0;
    if (request.key != NULL || request.opened != NULL)
        continued = request.key != NULL ? request.key : request.opened;
    else
        continued = key == NULL ? context->key : NULL;
    if (!check_sizes(context, &request, key, key_size, iv, iv_size) ||
        (continued != NULL && !continue_key(context, continued, encrypt, iv))) {
        cipher_request_clear(&request);
        return 0;
    }
    apply(context, &request);
    context->encrypt = (uint8_t)encrypt;
    if (continued == NULL)
        start_own(context, key, key_size, iv);
    return 1;
}

int cipher_encrypt_init(void *context, const unsigned char *key, size_t key_size,
                        const unsigned char *iv, size_t iv_size, const OSSL_PARAM params[])
{
    return initialise(context, key, key_size, NULL, iv, iv_size, params, 1);
}

int cipher_decrypt_init(void *context, const unsigned char *key, size_t key_size,
                        const unsigned char *iv, size_t iv_size, const OSSL_PARAM params[])
{
    return initialise(context, key, key_size, NULL, iv, iv_size, params, 0);
}

int cipher_encrypt_skey_init(void *context, void *skey, const unsigned char *iv, size_t iv_size,
                             const OSSL_PARAM params[])
{
    return initialise(context, NULL, 0, skey, iv, iv_size, params, 1);
}

int cipher_decrypt_skey_init(void *context, void *skey, const unsigned char *iv, size_t iv_size,
                             const OSSL_PARAM params[])
{
    return initialise(context, NULL, 0, skey, iv, iv_size, params, 0);
}

/* ---- data ---- */

int cipher_update(void *vcontext, unsigned char *out, size_t *written, size_t out_size,
                  const unsigned char *in, size_t size)
{
    struct cipher_context *context = vcontext;
    struct cipher_use use = use_of(context);
    struct cipher_value *value = value_acquire(context);
    int ok;

    if (value == NULL)
        return 0;
    ok = cipher_value_update(context->provctx, value, &use, in, size, out, out_size, written);
    value_release(context);
    return ok;
}

int cipher_final(void *vcontext, unsigned char *out, size_t *written, size_t out_size)
{
    struct cipher_context *context = vcontext;
    struct cipher_use use = use_of(context);
    struct cipher_value *value = value_acquire(context);
    int ok;

    if (value == NULL)
        return 0;
    ok = cipher_value_final(context->provctx, value, &use, out, out_size, written);
    value_release(context);
    return ok;
}

/* EVP_Cipher: whole blocks, neither padding nor buffering. */
int cipher_once(void *vcontext, unsigned char *out, size_t *written, size_t out_size,
                const unsigned char *in, size_t size)
{
    struct cipher_context *context = vcontext;
    struct cipher_use use = { .encrypt = context->encrypt, .padding = 0 };
    struct cipher_value *value = value_acquire(context);
    int ok;

    if (value == NULL)
        return 0;
    if (size % context->cipher->block_size != 0 ||
        (!cipher_value_is_stream(value) && value->u.cbc.buffered != 0))
        ok = RAISE(context->provctx->errors, SCHANNEL_R_PARTIAL_BLOCK,
                   "SCHANNEL-%s: EVP_Cipher works on whole blocks of %zu bytes only",
                   context->cipher->name, context->cipher->block_size);
    else
        ok = cipher_value_update(context->provctx, value, &use, in, size, out, out_size, written);
    value_release(context);
    return ok;
}
