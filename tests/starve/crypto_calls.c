/*
 * The calls of the provider into libcrypto that fail when they are told to, and some into the C
 * library that have nothing to do with files: see points.h.  What such a call may leave behind on its
 * own failures is libcrypto's; here it does nothing and says no.
 */
#include "points.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/x509.h>

/* The function |name| of libcrypto's, which then has |failure| for an answer. */
#define WRAP(type, name, failure, parameters, arguments)                                           \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return points_meet_call(#name) ? (failure) : __real_##name arguments;                      \
    }

WRAP(int, EVP_CipherInit_ex2, 0,
     (EVP_CIPHER_CTX * context, const EVP_CIPHER *cipher, const unsigned char *key,
      const unsigned char *iv, int encrypt, const OSSL_PARAM params[]),
     (context, cipher, key, iv, encrypt, params))
WRAP(int, EVP_CIPHER_CTX_set_key_length, 0, (EVP_CIPHER_CTX * context, int size), (context, size))
WRAP(int, EVP_CIPHER_CTX_set_params, 0, (EVP_CIPHER_CTX * context, const OSSL_PARAM params[]),
     (context, params))
WRAP(int, EVP_CIPHER_CTX_ctrl, 0, (EVP_CIPHER_CTX * context, int type, int number, void *data),
     (context, type, number, data))
WRAP(int, EVP_CipherUpdate, 0,
     (EVP_CIPHER_CTX * context, unsigned char *out, int *written, const unsigned char *in,
      int size),
     (context, out, written, in, size))
WRAP(int, EVP_CipherFinal_ex, 0, (EVP_CIPHER_CTX * context, unsigned char *out, int *written),
     (context, out, written))
WRAP(int, EVP_Digest, 0,
     (const void *data, size_t size, unsigned char *out, unsigned *written, const EVP_MD *digest,
      ENGINE *engine),
     (data, size, out, written, digest, engine))
WRAP(int, EVP_Q_digest, 0,
     (OSSL_LIB_CTX * libctx, const char *name, const char *properties, const void *data,
      size_t size, unsigned char *out, size_t *written),
     (libctx, name, properties, data, size, out, written))
WRAP(int, EVP_DigestSignInit_ex, 0,
     (EVP_MD_CTX * context, EVP_PKEY_CTX **operation, const char *digest, OSSL_LIB_CTX *libctx,
      const char *properties, EVP_PKEY *key, const OSSL_PARAM params[]),
     (context, operation, digest, libctx, properties, key, params))
WRAP(int, EVP_DigestSign, 0,
     (EVP_MD_CTX * context, unsigned char *out, size_t *written, const unsigned char *data,
      size_t size),
     (context, out, written, data, size))
WRAP(int, EVP_DigestVerifyInit_ex, 0,
     (EVP_MD_CTX * context, EVP_PKEY_CTX **operation, const char *digest, OSSL_LIB_CTX *libctx,
      const char *properties, EVP_PKEY *key, const OSSL_PARAM params[]),
     (context, operation, digest, libctx, properties, key, params))
WRAP(int, EVP_DigestVerify, 0,
     (EVP_MD_CTX * context, const unsigned char *signature, size_t signature_size,
      const unsigned char *data, size_t size),
     (context, signature, signature_size, data, size))
WRAP(int, EVP_PKEY_encrypt_init, 0, (EVP_PKEY_CTX * operation), (operation))
WRAP(int, EVP_PKEY_encrypt, 0,
     (EVP_PKEY_CTX * operation, unsigned char *out, size_t *written, const unsigned char *in,
      size_t size),
     (operation, out, written, in, size))
WRAP(int, EVP_PKEY_decrypt_init, 0, (EVP_PKEY_CTX * operation), (operation))
WRAP(int, EVP_PKEY_CTX_set_rsa_padding, 0, (EVP_PKEY_CTX * operation, int padding),
     (operation, padding))
WRAP(int, EVP_PKEY_CTX_set_rsa_pss_saltlen, 0, (EVP_PKEY_CTX * operation, int size),
     (operation, size))
WRAP(int, BIO_write_ex, 0, (BIO * bio, const void *data, size_t size, size_t *written),
     (bio, data, size, written))
WRAP(int, BIO_write, 0, (BIO * bio, const void *data, int size), (bio, data, size))
WRAP(int, PEM_write_bio, 0,
     (BIO * bio, const char *name, const char *header, const unsigned char *data, long size),
     (bio, name, header, data, size))
WRAP(int, i2d_PUBKEY, 0, (const EVP_PKEY *key, unsigned char **out), (key, out))
WRAP(int, OSSL_STORE_expect, 0, (OSSL_STORE_CTX * store, int type), (store, type))
WRAP(BIO *, BIO_new_from_core_bio, NULL, (OSSL_LIB_CTX * libctx, OSSL_CORE_BIO *bio), (libctx, bio))
WRAP(struct tm *, gmtime_r, NULL, (const time_t *time, struct tm *out), (time, out))
WRAP(int, clock_gettime, -1, (clockid_t clock, struct timespec *now), (clock, now))
WRAP(int, pthread_key_create, EAGAIN, (pthread_key_t * key, void (*destroy)(void *)),
     (key, destroy))

/* The C library takes memory for the first value of a thread; to take one back it needs none. */
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    if (value != NULL && points_meet_call("pthread_setspecific"))
        return ENOMEM;
    return __real_pthread_setspecific(key, value);
}
