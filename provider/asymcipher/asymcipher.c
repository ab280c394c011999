/*
 * ASYM_CIPHER "SCHANNEL": CryptEncrypt and CryptDecrypt of whole messages through EVP_PKEY_encrypt
 * and EVP_PKEY_decrypt, for pkeyutl.
 *
 * Final=TRUE, the default: block ciphers pad as CryptEncrypt does (PKCS #7) and return to the
 * original IV.  RC4 stays where it is, since CryptoAPI would start the same keystream again;
 * "final-reset" asks for that.  Final=FALSE ("final" 0): whole blocks, the chain goes on.
 * The state is the key's own and advances under its lock.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "dispatch.h"
#include "key/key.h"
#include "params.h"
#include "schannel/names.h"

static OSSL_FUNC_asym_cipher_newctx_fn asymcipher_new;
static OSSL_FUNC_asym_cipher_freectx_fn asymcipher_free;
static OSSL_FUNC_asym_cipher_dupctx_fn asymcipher_dup;
static OSSL_FUNC_asym_cipher_encrypt_init_fn asymcipher_init;
static OSSL_FUNC_asym_cipher_encrypt_fn asymcipher_encrypt;
static OSSL_FUNC_asym_cipher_decrypt_fn asymcipher_decrypt;
static OSSL_FUNC_asym_cipher_set_ctx_params_fn asymcipher_set_ctx_params;
static OSSL_FUNC_asym_cipher_settable_ctx_params_fn asymcipher_settable_ctx_params;

struct asymcipher_context {
    struct provctx *provctx;
    struct key *key; /* a cipher key, with a reference; NULL before the initialisation */
    int final, final_reset;
};

static void *asymcipher_new(void *vprovctx)
{
    struct provctx *provctx = vprovctx;
    struct asymcipher_context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a message context");
        return NULL;
    }
    context->provctx = provctx;
    context->final = 1;
    return context;
}

static void asymcipher_free(void *vcontext)
{
    struct asymcipher_context *context = vcontext;

    if (context == NULL)
        return;
    key_free(context->key);
    OPENSSL_free(context);
}

/* Both contexts use the same key: the state of a message context is all in the key. */
static void *asymcipher_dup(void *vcontext)
{
    const struct asymcipher_context *context = vcontext;
    struct asymcipher_context *copy = OPENSSL_memdup(context, sizeof(*context));

    if (copy == NULL)
        RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
              "no memory for a message context");
    else if (copy->key != NULL)
        key_up_ref(copy->key);
    return copy;
}

static int asymcipher_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct asymcipher_context *context = vcontext;
    int final = context->final, final_reset = context->final_reset;
    const OSSL_PARAM *param;

    if (params == NULL)
        return 1;
    if ((param = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_FINAL)) != NULL &&
        !params_get_flag(context->provctx->errors, param, &final))
        return 0;
    if ((param = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_FINAL_RESET)) != NULL &&
        !params_get_flag(context->provctx->errors, param, &final_reset))
        return 0;
    context->final = final;
    context->final_reset = final_reset;
    return 1;
}

static const OSSL_PARAM *asymcipher_settable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_int(SCHANNEL_PARAM_FINAL, NULL),
        OSSL_PARAM_int(SCHANNEL_PARAM_FINAL_RESET, NULL),
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return settable;
}

/* For encryption and decryption alike.  |key| NULL keeps the key of the last initialisation. */
static int asymcipher_init(void *vcontext, void *key, const OSSL_PARAM params[])
{
    struct asymcipher_context *context = vcontext;
    struct key *wanted = key != NULL ? key : context->key;

    if (wanted == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "message: no key is set");
    if (!key_lock_kind(wanted, KEY_KIND_CIPHER, KEY_LOOK, "message"))
        return 0;
    key_unlock(wanted);
    /* A transfer is claimed when nothing else is wrong. */
    if (!asymcipher_set_ctx_params(context, params) ||
        !key_lock_kind(wanted, KEY_KIND_CIPHER, KEY_ADVANCE, "message"))
        return 0;
    key_unlock(wanted);
    key_up_ref(wanted);
    key_free(context->key);
    context->key = wanted;
    return 1;
}

/* ---- a message ---- */

/* The most bytes that come out; a decryption may give less. */
static size_t largest_output(const struct asymcipher_context *context,
                             const struct cipher_value *value, int encrypt, size_t size)
{
    size_t block = value->cipher->block_size;

    if (encrypt && context->final && !cipher_value_is_stream(value))
        return (size / block + 1) * block;
    return size;
}

/* A whole padded message on a copy, so that a failure leaves the key where it was. */
static int run_padded(struct provctx *provctx, struct cipher_value *value, int encrypt,
                      const uint8_t *in, size_t size, uint8_t *out, size_t out_size,
                      size_t *written)
{
    struct cipher_use use = { .encrypt = encrypt, .padding = 1 };
    struct cipher_value message;
    size_t first = 0, last = 0;
    int ok;

    cipher_value_copy(&message, value);
    ok = cipher_value_update(provctx, &message, &use, in, size, out, out_size, &first) &&
         cipher_value_final(provctx, &message, &use, out + first, out_size - first, &last);
    if (ok) {
        *written = first + last;
        value->position = message.position;
        cipher_value_restart(value);
    } else {
        OPENSSL_cleanse(out, first);
    }
    cipher_value_clear(&message);
    return ok;
}

/* Whole blocks, or RC4: the key goes on. */
static int run_unpadded(struct provctx *provctx, struct cipher_value *value, int encrypt,
                        const uint8_t *in, size_t size, uint8_t *out, size_t out_size,
                        size_t *written)
{
    struct cipher_use use = { .encrypt = encrypt, .padding = 0 };

    if (size % value->cipher->block_size != 0)
        return RAISE(provctx->errors, SCHANNEL_R_PARTIAL_BLOCK,
                     "final 0: expected whole blocks of %zu bytes, got %zu bytes",
                     value->cipher->block_size, size);
    return cipher_value_update(provctx, value, &use, in, size, out, out_size, written);
}

/* The key's lock is held. */
static int run(struct asymcipher_context *context, struct cipher_value *value, int encrypt,
               const uint8_t *in, size_t size, uint8_t *out, size_t out_size, size_t *written)
{
    int padded = context->final && !cipher_value_is_stream(value), ok;

    if (!cipher_value_is_stream(value) && value->u.cbc.buffered != 0)
        return RAISE(context->provctx->errors, SCHANNEL_R_PARTIAL_BLOCK,
                     "message: the key holds %u bytes of a block that a record began",
                     (unsigned)value->u.cbc.buffered);
    ok = padded ? run_padded(context->provctx, value, encrypt, in, size, out, out_size, written)
                : run_unpadded(context->provctx, value, encrypt, in, size, out, out_size, written);
    if (ok && context->final && context->final_reset)
        cipher_value_reset(value);
    return ok;
}

static int process(struct asymcipher_context *context, int encrypt, unsigned char *out,
                   size_t *written, size_t out_size, const unsigned char *in, size_t size)
{
    struct cipher_value *value;
    int ok = 1;

    if (context->key == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "message: no key is set");
    if (!key_lock_kind(context->key, KEY_KIND_CIPHER, out == NULL ? KEY_LOOK : KEY_ADVANCE,
                       "message"))
        return 0;
    value = &context->key->value.cipher;
    if (out == NULL)
        *written = largest_output(context, value, encrypt, size);
    else
        ok = run(context, value, encrypt, in, size, out, out_size, written);
    key_unlock(context->key);
    return ok;
}

static int asymcipher_encrypt(void *context, unsigned char *out, size_t *written, size_t out_size,
                              const unsigned char *in, size_t size)
{
    return process(context, 1, out, written, out_size, in, size);
}

static int asymcipher_decrypt(void *context, unsigned char *out, size_t *written, size_t out_size,
                              const unsigned char *in, size_t size)
{
    return process(context, 0, out, written, out_size, in, size);
}

const OSSL_DISPATCH schannel_asymcipher_functions[] = {
    { OSSL_FUNC_ASYM_CIPHER_NEWCTX, (void (*)(void))asymcipher_new },
    { OSSL_FUNC_ASYM_CIPHER_FREECTX, (void (*)(void))asymcipher_free },
    { OSSL_FUNC_ASYM_CIPHER_DUPCTX, (void (*)(void))asymcipher_dup },
    { OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, (void (*)(void))asymcipher_init },
    { OSSL_FUNC_ASYM_CIPHER_ENCRYPT, (void (*)(void))asymcipher_encrypt },
    { OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, (void (*)(void))asymcipher_init },
    { OSSL_FUNC_ASYM_CIPHER_DECRYPT, (void (*)(void))asymcipher_decrypt },
    { OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, (void (*)(void))asymcipher_set_ctx_params },
    { OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, (void (*)(void))asymcipher_settable_ctx_params },
    { 0, NULL },
};
