/*
 * EVP_CIPHER "SCHANNEL-RC4", "SCHANNEL-AES-128-CBC" and so on: what libcrypto asks about each
 * cipher, and a dispatch table each.  The contexts are cipher/cipher.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include "cipher/cipher.h"
#include "dispatch.h"
#include "key/options.h"
#include "schannel/names.h"

static const OSSL_PARAM *gettable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, NULL),
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_PADDING, NULL),
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_NUM, NULL),
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_RC2_KEYBITS, NULL),
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_IV, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_UPDATED_IV, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return gettable;
}

static const OSSL_PARAM *block_settable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_PADDING, NULL),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_KEY_HANDLE, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0),
        BLOB_OPTIONS_CONTEXT,
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return settable;
}

/* libcrypto takes a settable "keylen" for the sign of a cipher with keys of any length. */
static const OSSL_PARAM *variable_settable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_RC2_KEYBITS, NULL),
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_PADDING, NULL),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_KEY_HANDLE, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0),
        BLOB_OPTIONS_CONTEXT,
        OSSL_PARAM_END,
    };

    (void)context;
    (void)provctx;
    return settable;
}

static int get_params(OSSL_PARAM params[], enum bulk_cipher_id id)
{
    const struct bulk_cipher *cipher = bulk_cipher_by_id(id);
    const struct {
        const char *name;
        size_t value;
    } answers[] = {
        { OSSL_CIPHER_PARAM_MODE,
          cipher->iv_size != 0 ? EVP_CIPH_CBC_MODE : EVP_CIPH_STREAM_CIPHER },
        { OSSL_CIPHER_PARAM_KEYLEN, cipher->default_bits / 8 },
        { OSSL_CIPHER_PARAM_IVLEN, cipher->iv_size },
        { OSSL_CIPHER_PARAM_BLOCK_SIZE, cipher->block_size },
    };

    for (size_t n = 0; n < sizeof(answers) / sizeof(answers[0]); n++) {
        OSSL_PARAM *param = OSSL_PARAM_locate(params, answers[n].name);

        if (param != NULL && !OSSL_PARAM_set_size_t(param, answers[n].value))
            return 0;
    }
    return 1;
}

static const OSSL_PARAM *gettable_params(void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_uint(OSSL_CIPHER_PARAM_MODE, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, NULL),
        OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_BLOCK_SIZE, NULL),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return gettable;
}

/* The entries that every row shares; the three that differ come first in each table. */
#define COMMON_FUNCTIONS                                                                           \
    { OSSL_FUNC_CIPHER_FREECTX, (void (*)(void))cipher_free },                                     \
        { OSSL_FUNC_CIPHER_DUPCTX, (void (*)(void))cipher_dup },                                   \
        { OSSL_FUNC_CIPHER_ENCRYPT_INIT, (void (*)(void))cipher_encrypt_init },                    \
        { OSSL_FUNC_CIPHER_DECRYPT_INIT, (void (*)(void))cipher_decrypt_init },                    \
        { OSSL_FUNC_CIPHER_ENCRYPT_SKEY_INIT, (void (*)(void))cipher_encrypt_skey_init },          \
        { OSSL_FUNC_CIPHER_DECRYPT_SKEY_INIT, (void (*)(void))cipher_decrypt_skey_init },          \
        { OSSL_FUNC_CIPHER_UPDATE, (void (*)(void))cipher_update },                                \
        { OSSL_FUNC_CIPHER_FINAL, (void (*)(void))cipher_final },                                  \
        { OSSL_FUNC_CIPHER_CIPHER, (void (*)(void))cipher_once },                                  \
        { OSSL_FUNC_CIPHER_GETTABLE_PARAMS, (void (*)(void))gettable_params },                     \
        { OSSL_FUNC_CIPHER_GET_CTX_PARAMS, (void (*)(void))cipher_get_ctx_params },                \
        { OSSL_FUNC_CIPHER_GETTABLE_CTX_PARAMS, (void (*)(void))gettable_ctx_params },             \
        { OSSL_FUNC_CIPHER_SET_CTX_PARAMS, (void (*)(void))cipher_set_ctx_params },                \
    {                                                                                              \
        0, NULL                                                                                    \
    }

/* What differs from row to row: two functions that know which cipher it is, and the table. */
#define CIPHER_ROW(name, id, settable)                                                             \
    static void *name##_new(void *provctx)                                                         \
    {                                                                                              \
        return cipher_new(provctx, id);                                                            \
    }                                                                                              \
                                                                                                   \
    static int name##_get_params(OSSL_PARAM params[])                                              \
    {                                                                                              \
        return get_params(params, id);                                                             \
    }                                                                                              \
                                                                                                   \
    const OSSL_DISPATCH schannel_##name##_functions[] = {                                          \
        { OSSL_FUNC_CIPHER_NEWCTX, (void (*)(void))name##_new },                                   \
        { OSSL_FUNC_CIPHER_GET_PARAMS, (void (*)(void))name##_get_params },                        \
        { OSSL_FUNC_CIPHER_SETTABLE_CTX_PARAMS, (void (*)(void))settable },                        \
        COMMON_FUNCTIONS,                                                                          \
    }

CIPHER_ROW(rc4, BULK_CIPHER_RC4, variable_settable_ctx_params);
CIPHER_ROW(rc2_cbc, BULK_CIPHER_RC2, variable_settable_ctx_params);
CIPHER_ROW(des_cbc, BULK_CIPHER_DES, block_settable_ctx_params);
CIPHER_ROW(des_ede_cbc, BULK_CIPHER_DES_EDE, block_settable_ctx_params);
CIPHER_ROW(des_ede3_cbc, BULK_CIPHER_DES_EDE3, block_settable_ctx_params);
CIPHER_ROW(aes_128_cbc, BULK_CIPHER_AES_128, block_settable_ctx_params);
CIPHER_ROW(aes_192_cbc, BULK_CIPHER_AES_192, block_settable_ctx_params);
CIPHER_ROW(aes_256_cbc, BULK_CIPHER_AES_256, block_settable_ctx_params);
