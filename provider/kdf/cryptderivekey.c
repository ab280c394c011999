/*
 * EVP_KDF "CRYPTDERIVEKEY": CryptDeriveKey on the hash of a password, without key objects.
 *
 * This file collects the parameters and checks sizes; the password is key/password, the formula
 * protocol/cryptderivekey.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include <strings.h>
#include "dispatch.h"
#include "key/algorithm.h"
#include "key/cipher_value.h"
#include "key/derivation.h"
#include "key/options.h"
#include "key/password.h"
#include "params.h"
#include "schannel/names.h"
#include "trace.h"

static OSSL_FUNC_kdf_newctx_fn context_new;
static OSSL_FUNC_kdf_freectx_fn context_free;
static OSSL_FUNC_kdf_reset_fn context_reset;
static OSSL_FUNC_kdf_dupctx_fn context_dup;
static OSSL_FUNC_kdf_derive_fn derive;
static OSSL_FUNC_kdf_set_ctx_params_fn set_ctx_params;
static OSSL_FUNC_kdf_settable_ctx_params_fn settable_ctx_params;
static OSSL_FUNC_kdf_get_ctx_params_fn get_ctx_params;
static OSSL_FUNC_kdf_gettable_ctx_params_fn gettable_ctx_params;

struct context {
    struct provctx *provctx;
    struct password password;
    const struct bulk_cipher *cipher; /* NULL: not set */
    unsigned bits;                    /* 0: not set, the cipher's full size */
    enum salt_mode salt_mode;
    int with_salt; /* usage: key || salt */
};

/* ---- the context ---- */

static void *context_new(void *vprovctx)
{
    struct provctx *provctx = vprovctx;
    struct context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL)
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a KDF context");
    else
        context->provctx = provctx;
    return context;
}

static void context_reset(void *vcontext)
{
    struct context *context = vcontext;
    struct provctx *provctx = context->provctx;

    password_clear(&context->password);
    memset(context, 0, sizeof(*context));
    context->provctx = provctx;
}

static void context_free(void *vcontext)
{
    if (vcontext == NULL)
        return;
    context_reset(vcontext);
    OPENSSL_free(vcontext);
}

static int context_copy(struct context *to, const struct context *from)
{
    *to = *from;
    return password_copy(&to->password, &from->password) ||
           RAISE(from->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a KDF context");
}

static void *context_dup(void *vcontext)
{
    const struct context *context = vcontext;
    struct context *copy = context_new(context->provctx);

    if (copy != NULL && !context_copy(copy, context)) {
        context_free(copy);
        copy = NULL;
    }
    return copy;
}

/* ---- sizes ---- */

static const struct errors *errors_of(const struct context *context)
{
    return context->provctx->errors;
}

static int get_key_size(const struct context *context, size_t *size)
{
    if (context->cipher == NULL)
        return RAISE(errors_of(context), SCHANNEL_R_MISSING_PARAMETER,
                     "cipher: is not set: expected " BULK_CIPHER_NAMES);
    *size = key_size_for_bits(context->cipher, context->bits);
    return *size != 0 ||
           RAISE(errors_of(context), SCHANNEL_R_INVALID_PARAMETER,
                 "cipher-bits: expected %s%u for %s, got %u",
                 key_size_varies(context->cipher) ? "a multiple of 8 from 40 to " : "",
                 (unsigned)context->cipher->default_bits, context->cipher->name, context->bits);
}

/*
 * The salt that belongs to a key of |key_size| bytes.  Zeros, the default, are for keys of exactly
 * 40 bits; CRYPT_CREATE_SALT leaves RC2 and RC4 keys of any size what the hash has left.
 */
static int get_salt_size(const struct context *context, size_t key_size, size_t *size)
{
    const struct bulk_cipher *cipher = context->cipher;
    const int can_have = cipher_value_salt_is_valid(cipher, key_size, CIPHER_VALUE_SALT_SIZE);

    *size = can_have ? CIPHER_VALUE_SALT_SIZE : 0;
    switch (context->salt_mode) {
    case SALT_MODE_DEFAULT:
        return 1;
    case SALT_MODE_NONE:
        *size = 0;
        return 1;
    case SALT_MODE_ZERO:
        return can_have ||
               RAISE(errors_of(context), SCHANNEL_R_INVALID_PARAMETER,
                     "salt-mode: only RC2 and RC4 keys of exactly 40 bits have a salt of zeros, "
                     "this is %s with %zu",
                     cipher->name, 8 * key_size);
    case SALT_MODE_CREATE:
        *size = cryptderivekey_salt_size(cipher, key_size);
        return cipher->id == BULK_CIPHER_RC2 || cipher->id == BULK_CIPHER_RC4 ||
               RAISE(errors_of(context), SCHANNEL_R_INVALID_PARAMETER,
                     "salt-mode: only RC2 and RC4 keys have a salt, this is %s", cipher->name);
    }
    return 0;
}

/* The one size that the output can have. */
static int get_sizes(const struct context *context, size_t *key_size, size_t *salt_size)
{
    return get_key_size(context, key_size) && get_salt_size(context, *key_size, salt_size);
}

/* ---- derivation ---- */

/* Key and salt, which the caller cleanses; without |key| the salt alone. */
static int make(const struct context *context, size_t key_size, size_t salt_size, uint8_t *key,
                uint8_t *salt)
{
    const int is_created = context->salt_mode == SALT_MODE_CREATE;

    if (!is_created)
        memset(salt, 0, salt_size);
    return (key == NULL && !is_created) ||
           password_derive(context->provctx, &context->password, context->cipher, key_size, key,
                           is_created ? salt : NULL);
}

static int derive(void *vcontext, unsigned char *out, size_t size, const OSSL_PARAM params[])
{
    struct context *context = vcontext;
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], salt[CRYPTDERIVEKEY_SALTED_SIZE];
    size_t key_size, salt_size, expected;
    int ok;

    if (!set_ctx_params(context, params) || !get_sizes(context, &key_size, &salt_size))
        return 0;
    expected = key_size + (context->with_salt ? salt_size : 0);
    if (size != expected)
        return RAISE(errors_of(context), SCHANNEL_R_INVALID_LENGTH,
                     "keylen: usage %s gives %zu bytes with these parameters, not %zu",
                     context->with_salt ? SCHANNEL_USAGE_CIPHER_KEY : SCHANNEL_USAGE_KEY, expected,
                     size);
    trace_write(context->provctx->trace, "CRYPTDERIVEKEY: %zu bytes", size);
    ok = make(context, key_size, salt_size, key, salt);
    if (ok) {
        memcpy(out, key, key_size);
        memcpy(out + key_size, salt, size - key_size);
    }
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(salt, sizeof(salt));
    return ok;
}

/* ---- parameters ---- */

static int set_password(struct context *context, const OSSL_PARAM *param)
{
    return password_set(context->provctx, &context->password, param);
}

static int set_cipher(struct context *context, const OSSL_PARAM *param)
{
    return params_get_cipher(errors_of(context), param, &context->cipher);
}

static int set_bits(struct context *context, const OSSL_PARAM *param)
{
    uint64_t number;

    if (!params_get_number(errors_of(context), param, 1, DERIVATION_MAX_BITS, &number))
        return 0;
    context->bits = (unsigned)number;
    return 1;
}

static int set_salt_mode(struct context *context, const OSSL_PARAM *param)
{
    return salt_mode_from_param(context->provctx, param, 1, &context->salt_mode);
}

static int set_usage(struct context *context, const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];

    if (!params_get_name(errors_of(context), param, name, sizeof(name)))
        return 0;
    if (strcasecmp(name, SCHANNEL_USAGE_KEY) == 0)
        context->with_salt = 0;
    else if (strcasecmp(name, SCHANNEL_USAGE_CIPHER_KEY) == 0)
        context->with_salt = 1;
    else
        return RAISE(errors_of(context), SCHANNEL_R_UNKNOWN_USAGE,
                     "usage: expected key or cipher-key, got \"%s\"", name);
    return 1;
}

/* Other KDFs take a salt, and a key without the salt that was meant would be a wrong one. */
static int set_salt(struct context *context, const OSSL_PARAM *param)
{
    return RAISE(
        errors_of(context), SCHANNEL_R_CONFLICTING_PARAMETERS,
        "%s: is no input of CryptDeriveKey, it follows from salt-mode and can only be read",
        param->key);
}

static const struct {
    const char *name;
    int (*set)(struct context *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_PASS, set_password },    { SCHANNEL_PARAM_HASH, set_password },
    { SCHANNEL_PARAM_DIGEST, set_password },  { SCHANNEL_PARAM_CIPHER, set_cipher },
    { SCHANNEL_PARAM_CIPHER_BITS, set_bits }, { SCHANNEL_PARAM_SALT_MODE, set_salt_mode },
    { SCHANNEL_PARAM_USAGE, set_usage },      { SCHANNEL_PARAM_SALT, set_salt },
};

static int set_one(struct context *context, const OSSL_PARAM *param)
{
    for (size_t n = 0; n < sizeof(setters) / sizeof(setters[0]); n++) {
        if (strcmp(param->key, setters[n].name) == 0)
            return setters[n].set(context, param);
    }
    return 1;
}

/* All or nothing: a refused parameter leaves the context as it was. */
static int set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct context *context = vcontext;
    struct context changed;
    int ok = 1;

    if (params == NULL || params->key == NULL)
        return 1;
    if (!context_copy(&changed, context))
        return 0;
    for (; ok && params->key != NULL; params++)
        ok = set_one(&changed, params);
    if (!ok) {
        context_reset(&changed);
        return 0;
    }
    context_reset(context);
    *context = changed;
    /* the copy has the hash of a password */
    OPENSSL_cleanse(&changed, sizeof(changed));
    return 1;
}

static const OSSL_PARAM *settable_ctx_params(void *vcontext, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        PASSWORD_SETTABLE,
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_DIGEST, NULL, 0),
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_CIPHER, NULL, 0),
        OSSL_PARAM_uint(SCHANNEL_PARAM_CIPHER_BITS, NULL),
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_SALT_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_USAGE, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vcontext;
    (void)provctx;
    return settable;
}

static int get_salt(const struct context *context, OSSL_PARAM *param)
{
    uint8_t salt[CRYPTDERIVEKEY_SALTED_SIZE];
    size_t key_size, salt_size;
    int ok = get_sizes(context, &key_size, &salt_size) &&
             make(context, key_size, salt_size, NULL, salt) &&
             params_set_octets(errors_of(context), param, (struct octets){ salt, salt_size });

    OPENSSL_cleanse(salt, sizeof(salt));
    return ok;
}

static int get_ctx_params(void *vcontext, OSSL_PARAM params[])
{
    const struct context *context = vcontext;
    OSSL_PARAM *param;
    size_t key_size, salt_size;

    if ((param = OSSL_PARAM_locate(params, OSSL_KDF_PARAM_SIZE)) != NULL &&
        !(get_sizes(context, &key_size, &salt_size) &&
          params_set_number(errors_of(context), param,
                            key_size + (context->with_salt ? salt_size : 0))))
        return 0;
    param = OSSL_PARAM_locate(params, SCHANNEL_PARAM_SALT);
    return param == NULL || get_salt(context, param);
}

static const OSSL_PARAM *gettable_ctx_params(void *vcontext, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_size_t(OSSL_KDF_PARAM_SIZE, NULL),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SALT, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vcontext;
    (void)provctx;
    return gettable;
}

const OSSL_DISPATCH schannel_cryptderivekey_functions[] = {
    { OSSL_FUNC_KDF_NEWCTX, (void (*)(void))context_new },
    { OSSL_FUNC_KDF_FREECTX, (void (*)(void))context_free },
    { OSSL_FUNC_KDF_RESET, (void (*)(void))context_reset },
    { OSSL_FUNC_KDF_DUPCTX, (void (*)(void))context_dup },
    { OSSL_FUNC_KDF_DERIVE, (void (*)(void))derive },
    { OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))set_ctx_params },
    { OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (void (*)(void))settable_ctx_params },
    { OSSL_FUNC_KDF_GET_CTX_PARAMS, (void (*)(void))get_ctx_params },
    { OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_ctx_params },
    { 0, NULL },
};
