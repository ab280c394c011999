/*
 * The calls that every application of the schannel provider writes, as short inline functions:
 * import, derive, bind a cipher or MAC to a key, export, hand over, retire.  Header only: include it
 * and link with libcrypto alone.  Works in C11 and C++11.
 *
 * Everything here is plain EVP; read a function to see how a thing is done, and leave this header
 * out if you would rather write it yourself.  Parameters that are not covered are in names.h.
 *
 * Common to all functions:
 *   |libctx|   the library context that the provider is loaded in; NULL: the default one
 *   returns    functions that return int: 1, or 0 with the reason on OpenSSL's error queue;
 *              functions that return EVP_PKEY *: a key that the caller frees with EVP_PKEY_free, or
 *              NULL with the reason on the queue
 *   threads    safe from any thread as far as the objects given are
 *
 * Copyright 2026 The schannel authors.  Licensed under the Apache License 2.0.
 */
#ifndef SCHANNEL_SCHANNEL_H
#define SCHANNEL_SCHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <schannel/names.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCHANNEL_KEY_HANDLE_SIZE 16   /* bytes of a key-handle */
#define SCHANNEL_BLOB_ROOM       1024 /* bytes that the opaque blob of any session key fits into */

/* OSSL_PARAM has no const, yet nothing is written through the parameters made here.  |value| is
 * borrowed for as long as the parameter is used. */
static inline OSSL_PARAM schannel_text(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

static inline OSSL_PARAM schannel_octets(const char *name, const void *data, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)data, size);
}

/*
 * A key out of parameters: "alg" with "secret" or "premaster" and whatever belongs to it, or
 * "opaque-blob" with its options.  CryptImportKey.
 */
static inline EVP_PKEY *schannel_key_from(OSSL_LIB_CTX *libctx, OSSL_PARAM params[])
{
    EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_name(libctx, SCHANNEL_KEY_TYPE, SCHANNEL_PROPERTIES);
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/*
 * One session key of |master|, which has its randoms and algorithms: |usage| is one of
 * SCHANNEL_USAGE_CLIENT_WRITE_KEY, SERVER_WRITE_KEY, CLIENT_WRITE_MAC, SERVER_WRITE_MAC.
 * CryptCreateHash(CALG_SCHANNEL_MASTER_HASH) and CryptDeriveKey.
 */
static inline EVP_PKEY *schannel_derive_key(OSSL_LIB_CTX *libctx, EVP_PKEY *master,
                                            const char *usage)
{
    OSSL_PARAM params[2];
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, SCHANNEL_PROPERTIES);
    EVP_PKEY *key = NULL;

    params[0] = schannel_text(SCHANNEL_PARAM_USAGE, usage);
    params[1] = OSSL_PARAM_construct_end();
    if (context == NULL || EVP_PKEY_keygen_init(context) <= 0 ||
        EVP_PKEY_CTX_set_params(context, params) <= 0 || EVP_PKEY_generate(context, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The token by which EVP_CIPHER and EVP_MAC reach |key|: SCHANNEL_KEY_HANDLE_SIZE bytes at |handle|,
 * good in this process and library context while the key lives. */
static inline int schannel_key_handle(EVP_PKEY *key, unsigned char *handle)
{
    size_t size = 0;

    return EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle,
                                           SCHANNEL_KEY_HANDLE_SIZE, &size) &&
           size == SCHANNEL_KEY_HANDLE_SIZE;
}

/*
 * Binds |context| to |key|: EVP_CipherUpdate goes on from the key's state and advances it.
 * |algorithm| is one of SCHANNEL_CIPHER_...; |encrypt| 1 or 0.  The key outlives the context or not:
 * a bound context holds it.
 */
static inline int schannel_bind_cipher(OSSL_LIB_CTX *libctx, EVP_CIPHER_CTX *context,
                                       const char *algorithm, EVP_PKEY *key, int encrypt)
{
    unsigned char handle[SCHANNEL_KEY_HANDLE_SIZE];
    OSSL_PARAM params[2];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, algorithm, SCHANNEL_PROPERTIES);
    int ok = cipher != NULL && schannel_key_handle(key, handle);

    params[0] = schannel_octets(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle));
    params[1] = OSSL_PARAM_construct_end();
    ok = ok && EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, params);
    EVP_CIPHER_free(cipher);
    return ok;
}

/*
 * A context of the record MAC |algorithm|, one of SCHANNEL_MAC_..., bound to |key|: each message
 * that EVP_MAC_final ends takes the next number.  |record_type| 0 or more: record mode with this
 * content type and, for TLS, |version|; negative: raw mode.  The caller frees it with
 * EVP_MAC_CTX_free; NULL with the reason on the queue.
 */
static inline EVP_MAC_CTX *schannel_bind_mac(OSSL_LIB_CTX *libctx, const char *algorithm,
                                             EVP_PKEY *key, int record_type, int version)
{
    unsigned char handle[SCHANNEL_KEY_HANDLE_SIZE];
    OSSL_PARAM params[4];
    size_t count = 0;
    EVP_MAC *mac = EVP_MAC_fetch(libctx, algorithm, SCHANNEL_PROPERTIES);
    EVP_MAC_CTX *context = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    int ok = context != NULL && schannel_key_handle(key, handle);

    params[count++] = schannel_octets(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle));
    if (record_type >= 0)
        params[count++] = OSSL_PARAM_construct_int(SCHANNEL_PARAM_RECORD_TYPE, &record_type);
    if (record_type >= 0 && version > 0)
        params[count++] = OSSL_PARAM_construct_int(SCHANNEL_PARAM_RECORD_VERSION, &version);
    params[count] = OSSL_PARAM_construct_end();
    if (!ok || !EVP_MAC_init(context, NULL, 0, params)) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    EVP_MAC_free(mac);
    return context;
}

/*
 * The opaque blob of |key| in its present state, under the configured sealing key: *size bytes of
 * room at |blob| (SCHANNEL_BLOB_ROOM is enough for a session key), of which *size are used.
 * CryptExportKey(OPAQUEKEYBLOB).
 */
static inline int schannel_export(EVP_PKEY *key, unsigned char *blob, size_t *size)
{
    return EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_OPAQUE_BLOB, blob, *size, size);
}

/*
 * The same as a transfer: opens once, within |lifetime| seconds, and for an importer that names
 * |audience| (NULL: anybody who has the sealing key).  |seal_key| and |claim_dir| as the parameters
 * of these names, NULL: the configured ones.  They stay options of the key, for later exports.
 */
static inline int schannel_export_transfer(EVP_PKEY *key, unsigned lifetime, const char *audience,
                                           const char *seal_key, const char *claim_dir,
                                           unsigned char *blob, size_t *size)
{
    OSSL_PARAM params[6];
    size_t count = 0;

    params[count++] = schannel_text(SCHANNEL_PARAM_BLOB_MODE, SCHANNEL_BLOB_MODE_TRANSFER);
    params[count++] = OSSL_PARAM_construct_uint(SCHANNEL_PARAM_LIFETIME, &lifetime);
    if (audience != NULL)
        params[count++] = schannel_text(SCHANNEL_PARAM_AUDIENCE, audience);
    if (seal_key != NULL)
        params[count++] = schannel_text(SCHANNEL_PARAM_SEAL_KEY, seal_key);
    if (claim_dir != NULL)
        params[count++] = schannel_text(SCHANNEL_PARAM_CLAIM_DIR, claim_dir);
    params[count] = OSSL_PARAM_construct_end();
    return EVP_PKEY_set_params(key, params) && schannel_export(key, blob, size);
}

/*
 * The key of an opaque blob, in the state that it was sealed in.  |audience|, |seal_key| and
 * |claim_dir| as above.  A transfer is claimed at the key's first use, not here.
 */
static inline EVP_PKEY *schannel_import(OSSL_LIB_CTX *libctx, const unsigned char *blob,
                                        size_t size, const char *audience, const char *seal_key,
                                        const char *claim_dir)
{
    OSSL_PARAM params[5];
    size_t count = 0;

    params[count++] = schannel_octets(SCHANNEL_PARAM_OPAQUE_BLOB, blob, size);
    if (audience != NULL)
        params[count++] = schannel_text(SCHANNEL_PARAM_AUDIENCE, audience);
    if (seal_key != NULL)
        params[count++] = schannel_text(SCHANNEL_PARAM_SEAL_KEY, seal_key);
    if (claim_dir != NULL)
        params[count++] = schannel_text(SCHANNEL_PARAM_CLAIM_DIR, claim_dir);
    params[count] = OSSL_PARAM_construct_end();
    return schannel_key_from(libctx, params);
}

/* Destroys the secret of |key| now, for every holder: CryptDestroyKey.  EVP_PKEY_free is still due. */
static inline int schannel_retire(EVP_PKEY *key)
{
    int yes = 1;
    OSSL_PARAM params[2];

    params[0] = OSSL_PARAM_construct_int(SCHANNEL_PARAM_RETIRE, &yes);
    params[1] = OSSL_PARAM_construct_end();
    return EVP_PKEY_set_params(key, params);
}

#ifdef __cplusplus
}
#endif

#endif
