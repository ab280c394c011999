/* libcrypto's own ciphers: see inner_ciphers.h. */
#include "inner_ciphers.h"

#include <stdatomic.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#define COUNT (BULK_CIPHER_AES_256 + 1)

struct inner_ciphers {
    OSSL_LIB_CTX *libctx;
    const char *property_query;
    const struct errors *errors;
    EVP_CIPHER
    *_Atomic slot[COUNT];        /* one for each bulk cipher: written once, read without a lock */
    CRYPTO_RWLOCK *lock;         /* of what follows */
    OSSL_LIB_CTX *legacy_libctx; /* NULL until it is needed */
    OSSL_PROVIDER *legacy;
};

struct inner_ciphers *inner_ciphers_new(OSSL_LIB_CTX *libctx, const char *property_query,
                                        const struct errors *errors)
{
    struct inner_ciphers *ciphers = OPENSSL_zalloc(sizeof(*ciphers));

    if (ciphers == NULL || (ciphers->lock = CRYPTO_THREAD_lock_new()) == NULL) {
        OPENSSL_free(ciphers);
        return NULL;
    }
    ciphers->libctx = libctx;
    ciphers->property_query = property_query;
    ciphers->errors = errors;
    return ciphers;
}

void inner_ciphers_free(struct inner_ciphers *ciphers)
{
    if (ciphers == NULL)
        return;
    for (size_t n = 0; n < COUNT; n++)
        EVP_CIPHER_free(atomic_load(&ciphers->slot[n]));
    if (ciphers->legacy != NULL)
        OSSL_PROVIDER_unload(ciphers->legacy);
    OSSL_LIB_CTX_free(ciphers->legacy_libctx);
    CRYPTO_THREAD_lock_free(ciphers->lock);
    OPENSSL_free(ciphers);
}

/* Loads the legacy provider from where libcrypto looks, or, when OPENSSL_MODULES points elsewhere,
 * from OpenSSL's own modules directory. */
static OSSL_PROVIDER *load_legacy(OSSL_LIB_CTX *libctx)
{
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(libctx, "legacy");
    const char *directory = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);

    if (legacy == NULL && directory != NULL &&
        OSSL_PROVIDER_set_default_search_path(libctx, directory))
        legacy = OSSL_PROVIDER_load(libctx, "legacy");
    return legacy;
}

/* The lock is held. */
static OSSL_LIB_CTX *legacy_libctx(struct inner_ciphers *ciphers)
{
    OSSL_LIB_CTX *libctx;

    if (ciphers->legacy_libctx != NULL)
        return ciphers->legacy_libctx;
    if ((libctx = OSSL_LIB_CTX_new()) == NULL)
        return NULL;
    ciphers->legacy = load_legacy(libctx);
    if (ciphers->legacy == NULL) {
        OSSL_LIB_CTX_free(libctx);
        return NULL;
    }
    ciphers->legacy_libctx = libctx;
    return libctx;
}

static EVP_CIPHER *fetch_legacy(struct inner_ciphers *ciphers, const char *name)
{
    OSSL_LIB_CTX *libctx = NULL;

    if (!CRYPTO_THREAD_write_lock(ciphers->lock))
        return NULL;
    libctx = legacy_libctx(ciphers);
    CRYPTO_THREAD_unlock(ciphers->lock);
    return libctx == NULL ? NULL : EVP_CIPHER_fetch(libctx, name, NULL);
}

/* RC2 and single DES; libcrypto's default provider has the others. */
static int is_legacy(const struct bulk_cipher *cipher)
{
    return cipher->id == BULK_CIPHER_RC2 || cipher->id == BULK_CIPHER_DES;
}

static int unavailable(const struct inner_ciphers *ciphers, const struct bulk_cipher *cipher)
{
    if (!is_legacy(cipher))
        return errors_raise_unavailable(ciphers->errors, ciphers->libctx, cipher->fetch_name);
    return RAISE(ciphers->errors, SCHANNEL_R_ALGORITHM_UNAVAILABLE,
                 "%s: OpenSSL's legacy provider has it, and that was found neither through "
                 "OPENSSL_MODULES nor in %s",
                 cipher->fetch_name, OPENSSL_info(OPENSSL_INFO_MODULES_DIR));
}

const EVP_CIPHER *inner_ciphers_get(struct inner_ciphers *ciphers, const struct bulk_cipher *cipher)
{
    EVP_CIPHER *_Atomic *slot = &ciphers->slot[cipher->id];
    EVP_CIPHER *found = atomic_load_explicit(slot, memory_order_acquire);
    EVP_CIPHER *expected = NULL;

    if (found != NULL)
        return found;
    ERR_set_mark();
    found = EVP_CIPHER_fetch(ciphers->libctx, cipher->fetch_name, ciphers->property_query);
    if (found == NULL && is_legacy(cipher))
        found = fetch_legacy(ciphers, cipher->fetch_name);
    ERR_pop_to_mark();
    if (found == NULL) {
        unavailable(ciphers, cipher);
        return NULL;
    }
    /* Another thread may have been faster: then its object stays and ours goes. */
    if (!atomic_compare_exchange_strong(slot, &expected, found)) {
        EVP_CIPHER_free(found);
        found = expected;
    }
    return found;
}
