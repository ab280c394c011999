/*
 * Symmetric key objects (EVP_SKEY) in <openssl/core_dispatch.h>: SKEYMGMT, ciphers and MACs since
 * OpenSSL 3.5, KDFs and key exchange since 3.6.
 *
 * The numbers are part of libcrypto's interface with providers and never change, and a libcrypto
 * that does not know them overlooks them.  Older headers lack them: with these a module built
 * against OpenSSL 3.0 serves EVP_SKEY in a process that has it.
 * Included by the rooms that take or make such keys, in the place of <openssl/core_dispatch.h>.
 */
#ifndef SCHANNEL_PROVIDER_SKEY_DISPATCH_H
#define SCHANNEL_PROVIDER_SKEY_DISPATCH_H

#include <openssl/core_dispatch.h>

#ifndef OSSL_OP_SKEYMGMT
#define OSSL_OP_SKEYMGMT                       15

#define OSSL_FUNC_CIPHER_ENCRYPT_SKEY_INIT     19
#define OSSL_FUNC_CIPHER_DECRYPT_SKEY_INIT     20
#define OSSL_FUNC_MAC_INIT_SKEY                13

#define OSSL_FUNC_SKEYMGMT_FREE                1
#define OSSL_FUNC_SKEYMGMT_IMPORT              2
#define OSSL_FUNC_SKEYMGMT_EXPORT              3
#define OSSL_FUNC_SKEYMGMT_GENERATE            4
#define OSSL_FUNC_SKEYMGMT_GET_KEY_ID          5
#define OSSL_FUNC_SKEYMGMT_IMP_SETTABLE_PARAMS 6
#define OSSL_FUNC_SKEYMGMT_GEN_SETTABLE_PARAMS 7

#define OSSL_SKEYMGMT_SELECT_SECRET_KEY        0x02

typedef int(OSSL_FUNC_cipher_encrypt_skey_init_fn)(void *context, void *key,
                                                   const unsigned char *iv, size_t iv_size,
                                                   const OSSL_PARAM params[]);
typedef OSSL_FUNC_cipher_encrypt_skey_init_fn OSSL_FUNC_cipher_decrypt_skey_init_fn;
typedef int(OSSL_FUNC_mac_init_skey_fn)(void *context, void *key, const OSSL_PARAM params[]);
typedef void(OSSL_FUNC_skeymgmt_free_fn)(void *key);
typedef const OSSL_PARAM *(OSSL_FUNC_skeymgmt_imp_settable_params_fn)(void *provctx);
typedef void *(OSSL_FUNC_skeymgmt_import_fn)(void *provctx, int selection,
                                             const OSSL_PARAM params[]);
typedef int(OSSL_FUNC_skeymgmt_export_fn)(void *key, int selection, OSSL_CALLBACK *callback,
                                          void *arg);
typedef const OSSL_PARAM *(OSSL_FUNC_skeymgmt_gen_settable_params_fn)(void *provctx);
typedef void *(OSSL_FUNC_skeymgmt_generate_fn)(void *provctx, const OSSL_PARAM params[]);
typedef const char *(OSSL_FUNC_skeymgmt_get_key_id_fn)(void *key);
#endif

#ifndef OSSL_FUNC_KDF_SET_SKEY
#define OSSL_FUNC_KDF_SET_SKEY        12
#define OSSL_FUNC_KDF_DERIVE_SKEY     13
#define OSSL_FUNC_KEYEXCH_DERIVE_SKEY 11

typedef int(OSSL_FUNC_kdf_set_skey_fn)(void *context, void *key, const char *name);
typedef void *(OSSL_FUNC_kdf_derive_skey_fn)(void *context, const char *key_type, void *provctx,
                                             OSSL_FUNC_skeymgmt_import_fn *import, size_t size,
                                             const OSSL_PARAM params[]);
typedef OSSL_FUNC_kdf_derive_skey_fn OSSL_FUNC_keyexch_derive_skey_fn;
#endif

/* Newer headers say the same. */
_Static_assert(OSSL_OP_SKEYMGMT == 15 && OSSL_FUNC_CIPHER_ENCRYPT_SKEY_INIT == 19 &&
                   OSSL_FUNC_CIPHER_DECRYPT_SKEY_INIT == 20 && OSSL_FUNC_MAC_INIT_SKEY == 13,
               "operation, cipher and MAC numbers");
_Static_assert(OSSL_FUNC_SKEYMGMT_FREE == 1 && OSSL_FUNC_SKEYMGMT_IMPORT == 2 &&
                   OSSL_FUNC_SKEYMGMT_EXPORT == 3 && OSSL_FUNC_SKEYMGMT_GENERATE == 4 &&
                   OSSL_FUNC_SKEYMGMT_GET_KEY_ID == 5 &&
                   OSSL_FUNC_SKEYMGMT_IMP_SETTABLE_PARAMS == 6 &&
                   OSSL_FUNC_SKEYMGMT_GEN_SETTABLE_PARAMS == 7,
               "SKEYMGMT numbers");
_Static_assert(OSSL_SKEYMGMT_SELECT_SECRET_KEY == 2, "selection of a secret key");
_Static_assert(OSSL_FUNC_KDF_SET_SKEY == 12 && OSSL_FUNC_KDF_DERIVE_SKEY == 13 &&
                   OSSL_FUNC_KEYEXCH_DERIVE_SKEY == 11,
               "KDF and key exchange numbers");

/* Names of parameters of the same age. */
#define SKEY_PARAM_RAW_BYTES  "raw-bytes"
#define SKEY_PARAM_KEY_LENGTH "key-length" /* bytes */

#endif
