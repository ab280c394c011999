/* What keys of the vault do: ASYM_CIPHER and SIGNATURE.  See vault.h. */
#include "vault.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

struct operation {
    struct vault *vault;
    struct vault_key *key; /* borrowed */
    int padding;
    EVP_MD_CTX *digest; /* of a signature */
};

static void *operation_new(void *vault)
{
    struct operation *operation = OPENSSL_zalloc(sizeof(*operation));

    if (operation != NULL) {
        operation->vault = vault;
        operation->padding = RSA_PKCS1_PADDING;
    }
    return operation;
}

static void operation_free(void *voperation)
{
    struct operation *operation = voperation;

    EVP_MD_CTX_free(operation->digest);
    OPENSSL_free(operation);
}

static int padding_of(const OSSL_PARAM *param, int *padding)
{
    static const struct {
        const char *name;
        int padding;
    } rows[] = {
        { OSSL_PKEY_RSA_PAD_MODE_NONE, RSA_NO_PADDING },
        { OSSL_PKEY_RSA_PAD_MODE_PKCSV15, RSA_PKCS1_PADDING },
        { OSSL_PKEY_RSA_PAD_MODE_OAEP, RSA_PKCS1_OAEP_PADDING },
        { OSSL_PKEY_RSA_PAD_MODE_PSS, RSA_PKCS1_PSS_PADDING },
    };
    const char *name = NULL;

    if (OSSL_PARAM_get_int(param, padding))
        return 1;
    if (!OSSL_PARAM_get_utf8_string_ptr(param, &name))
        return 0;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        if (strcmp(name, rows[n].name) == 0) {
            *padding = rows[n].padding;
            return 1;
        }
    }
    return 0;
}

/* ---- ASYM_CIPHER ---- */

static int knows(enum ability ability, int padding)
{
    switch (ability) {
    case ABILITY_BARE:
        return padding == RSA_NO_PADDING;
    case ABILITY_PKCS1:
    case ABILITY_LATE:
    case ABILITY_MUTE:
        return padding == RSA_PKCS1_PADDING;
    case ABILITY_OAEP:
        return padding == RSA_PKCS1_OAEP_PADDING;
    default:
        return 0;
    }
}

static int cipher_set_ctx_params(void *voperation, const OSSL_PARAM params[])
{
    struct operation *operation = voperation;
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_ASYM_CIPHER_PARAM_PAD_MODE);

    return param == NULL || (padding_of(param, &operation->padding) &&
                             (operation->key->ability == ABILITY_LATE ||
                              knows(operation->key->ability, operation->padding)));
}

static const OSSL_PARAM *cipher_settable_ctx_params(void *operation, void *vault)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)operation;
    (void)vault;
    return settable;
}

static int decrypt_init(void *voperation, void *key, const OSSL_PARAM params[])
{
    struct operation *operation = voperation;

    operation->key = key;
    return operation->key->ability != ABILITY_SIGN && cipher_set_ctx_params(operation, params);
}

static int decrypt(void *voperation, unsigned char *out, size_t *out_size, size_t room,
                   const unsigned char *in, size_t in_size)
{
    struct operation *operation = voperation;
    const struct vault_key *key = operation->key;
    EVP_PKEY_CTX *software;
    int ok;

    vault_count(&operation->vault->counters.decryptions, 1);
    if (!knows(key->ability, operation->padding))
        return 0;
    *out_size = room;
    software = EVP_PKEY_CTX_new_from_pkey(operation->vault->libctx, key->key, NULL);
    ok = software != NULL && EVP_PKEY_decrypt_init(software) > 0 &&
         EVP_PKEY_CTX_set_rsa_padding(software, operation->padding) > 0 &&
         EVP_PKEY_decrypt(software, out, out_size, in, in_size) > 0;
    EVP_PKEY_CTX_free(software);
    return ok;
}

const OSSL_DISPATCH vault_cipher_functions[] = {
    { OSSL_FUNC_ASYM_CIPHER_NEWCTX, (void (*)(void))operation_new },
    { OSSL_FUNC_ASYM_CIPHER_FREECTX, (void (*)(void))operation_free },
    { OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, (void (*)(void))decrypt_init },
    { OSSL_FUNC_ASYM_CIPHER_DECRYPT, (void (*)(void))decrypt },
    { OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, (void (*)(void))cipher_set_ctx_params },
    { OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, (void (*)(void))cipher_settable_ctx_params },
    { 0, NULL },
};

/* ---- SIGNATURE ---- */

static void *signature_new(void *vault, const char *properties)
{
    (void)properties;
    return operation_new(vault);
}

static int signature_set_ctx_params(void *voperation, const OSSL_PARAM params[])
{
    struct operation *operation = voperation;
    const OSSL_PARAM *param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE);

    /* A salt length is read and forgotten. */
    return param == NULL || padding_of(param, &operation->padding);
}

static const OSSL_PARAM *signature_settable_ctx_params(void *operation, void *vault)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)operation;
    (void)vault;
    return settable;
}

static int sign_init(void *voperation, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct operation *operation = voperation;

    operation->key = key;
    return digest != NULL && strcmp(digest, "SHA256") == 0 &&
           signature_set_ctx_params(operation, params);
}

static int sign(void *voperation, unsigned char *signature, size_t *size, size_t room,
                const unsigned char *data, size_t data_size)
{
    struct operation *operation = voperation;
    EVP_PKEY_CTX *software = NULL;

    vault_count(&operation->vault->counters.signatures, signature != NULL);
    EVP_MD_CTX_free(operation->digest);
    operation->digest = EVP_MD_CTX_new();
    *size = room;
    return operation->digest != NULL &&
           EVP_DigestSignInit_ex(operation->digest, &software, "SHA256", operation->vault->libctx,
                                 NULL, operation->key->key, NULL) > 0 &&
           EVP_PKEY_CTX_set_rsa_padding(software, operation->padding) > 0 &&
           (operation->padding != RSA_PKCS1_PSS_PADDING ||
            EVP_PKEY_CTX_set_rsa_pss_saltlen(software, RSA_PSS_SALTLEN_MAX) > 0) &&
           EVP_DigestSign(operation->digest, signature, size, data, data_size) > 0;
}

const OSSL_DISPATCH vault_signature_functions[] = {
    { OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))signature_new },
    { OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))operation_free },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))sign_init },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN, (void (*)(void))sign },
    { OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))signature_set_ctx_params },
    { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))signature_settable_ctx_params },
    { 0, NULL },
};
