/*
 * What libcrypto does on its own on the way to the provider, and PBKDF2: see points.h.  Wrapped like
 * the calls into the C library.
 */
#include "points.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/store.h>
#include <openssl/x509.h>

/* ---- stores, which fail for what happens inside of them ---- */

OSSL_STORE_CTX *__real_OSSL_STORE_open_ex(const char *uri, OSSL_LIB_CTX *libctx, const char *propq,
                                          const UI_METHOD *method, void *ui_data,
                                          const OSSL_PARAM params[],
                                          OSSL_STORE_post_process_info_fn post_process,
                                          void *post_process_data);
OSSL_STORE_CTX *__wrap_OSSL_STORE_open_ex(const char *uri, OSSL_LIB_CTX *libctx, const char *propq,
                                          const UI_METHOD *method, void *ui_data,
                                          const OSSL_PARAM params[],
                                          OSSL_STORE_post_process_info_fn post_process,
                                          void *post_process_data);
OSSL_STORE_INFO *__real_OSSL_STORE_load(OSSL_STORE_CTX *store);
OSSL_STORE_INFO *__wrap_OSSL_STORE_load(OSSL_STORE_CTX *store);

OSSL_STORE_CTX *__wrap_OSSL_STORE_open_ex(const char *uri, OSSL_LIB_CTX *libctx, const char *propq,
                                          const UI_METHOD *method, void *ui_data,
                                          const OSSL_PARAM params[],
                                          OSSL_STORE_post_process_info_fn post_process,
                                          void *post_process_data)
{
    OSSL_STORE_CTX *store;

    points_count_detours(DETOUR_STORE, 1);
    store = __real_OSSL_STORE_open_ex(uri, libctx, propq, method, ui_data, params, post_process,
                                      post_process_data);
    points_count_detours(DETOUR_STORE, -1);
    return store;
}

OSSL_STORE_INFO *__wrap_OSSL_STORE_load(OSSL_STORE_CTX *store)
{
    OSSL_STORE_INFO *info;

    points_count_detours(DETOUR_STORE, 1);
    info = __real_OSSL_STORE_load(store);
    points_count_detours(DETOUR_STORE, -1);
    return info;
}

EVP_PKEY *__real_d2i_PUBKEY_ex(EVP_PKEY **key, const unsigned char **in, long size,
                               OSSL_LIB_CTX *libctx, const char *properties);
EVP_PKEY *__wrap_d2i_PUBKEY_ex(EVP_PKEY **key, const unsigned char **in, long size,
                               OSSL_LIB_CTX *libctx, const char *properties);

EVP_PKEY *__wrap_d2i_PUBKEY_ex(EVP_PKEY **key, const unsigned char **in, long size,
                               OSSL_LIB_CTX *libctx, const char *properties)
{
    EVP_PKEY *made;

    points_count_detours(DETOUR_STORE, 1);
    made = __real_d2i_PUBKEY_ex(key, in, size, libctx, properties);
    points_count_detours(DETOUR_STORE, -1);
    return made;
}

/* ---- encoders and decoders, the same ---- */

OSSL_ENCODER_CTX *__real_OSSL_ENCODER_CTX_new_for_pkey(const EVP_PKEY *key, int selection,
                                                       const char *type, const char *structure,
                                                       const char *properties);
OSSL_ENCODER_CTX *__wrap_OSSL_ENCODER_CTX_new_for_pkey(const EVP_PKEY *key, int selection,
                                                       const char *type, const char *structure,
                                                       const char *properties);
OSSL_DECODER_CTX *__real_OSSL_DECODER_CTX_new_for_pkey(EVP_PKEY **key, const char *type,
                                                       const char *structure, const char *key_type,
                                                       int selection, OSSL_LIB_CTX *libctx,
                                                       const char *properties);
OSSL_DECODER_CTX *__wrap_OSSL_DECODER_CTX_new_for_pkey(EVP_PKEY **key, const char *type,
                                                       const char *structure, const char *key_type,
                                                       int selection, OSSL_LIB_CTX *libctx,
                                                       const char *properties);

OSSL_ENCODER_CTX *__wrap_OSSL_ENCODER_CTX_new_for_pkey(const EVP_PKEY *key, int selection,
                                                       const char *type, const char *structure,
                                                       const char *properties)
{
    OSSL_ENCODER_CTX *context;

    points_count_detours(DETOUR_CODERS, 1);
    context = __real_OSSL_ENCODER_CTX_new_for_pkey(key, selection, type, structure, properties);
    points_count_detours(DETOUR_CODERS, -1);
    return context;
}

OSSL_DECODER_CTX *__wrap_OSSL_DECODER_CTX_new_for_pkey(EVP_PKEY **key, const char *type,
                                                       const char *structure, const char *key_type,
                                                       int selection, OSSL_LIB_CTX *libctx,
                                                       const char *properties)
{
    OSSL_DECODER_CTX *context;

    points_count_detours(DETOUR_CODERS, 1);
    context = __real_OSSL_DECODER_CTX_new_for_pkey(key, type, structure, key_type, selection,
                                                   libctx, properties);
    points_count_detours(DETOUR_CODERS, -1);
    return context;
}

/* ---- PBKDF2, which nobody waits for here ---- */

#define MAX_KDF_PARAMS 16

int __real_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *key, size_t size,
                          const OSSL_PARAM params[]);
int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *key, size_t size,
                          const OSSL_PARAM params[]);

int __wrap_EVP_KDF_derive(EVP_KDF_CTX *context, unsigned char *key, size_t size,
                          const OSSL_PARAM params[])
{
    unsigned iterations = 1000;
    OSSL_PARAM copy[MAX_KDF_PARAMS];
    size_t count = 0;

    if (params == NULL || OSSL_PARAM_locate_const(params, OSSL_KDF_PARAM_ITER) == NULL)
        return __real_EVP_KDF_derive(context, key, size, params);
    for (; params->key != NULL && count + 1 < MAX_KDF_PARAMS; params++)
        copy[count++] = *params;
    copy[count] = OSSL_PARAM_construct_end();
    *OSSL_PARAM_locate(copy, OSSL_KDF_PARAM_ITER) =
        OSSL_PARAM_construct_uint(OSSL_KDF_PARAM_ITER, &iterations);
    return __real_EVP_KDF_derive(context, key, size, copy);
}
