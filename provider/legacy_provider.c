/* OpenSSL's legacy provider, loaded on first need: see legacy_provider.h. */
#include "legacy_provider.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>

struct legacy_provider {
    CRYPTO_RWLOCK *lock;  /* of what follows */
    OSSL_LIB_CTX *libctx; /* NULL until it is needed */
    OSSL_PROVIDER *loaded;
};

struct legacy_provider *legacy_provider_new(void)
{
    struct legacy_provider *legacy = OPENSSL_zalloc(sizeof(*legacy));

    if (legacy == NULL || (legacy->lock = CRYPTO_THREAD_lock_new()) == NULL) {
        OPENSSL_free(legacy);
        return NULL;
    }
    return legacy;
}

void legacy_provider_free(struct legacy_provider *legacy)
{
    if (legacy == NULL)
        return;
    if (legacy->loaded != NULL)
        OSSL_PROVIDER_unload(legacy->loaded);
    OSSL_LIB_CTX_free(legacy->libctx);
    CRYPTO_THREAD_lock_free(legacy->lock);
    OPENSSL_free(legacy);
}

/* From where libcrypto looks, or, when OPENSSL_MODULES points elsewhere, from OpenSSL's own modules
 * directory. */
static OSSL_PROVIDER *load(OSSL_LIB_CTX *libctx)
{
    OSSL_PROVIDER *loaded = OSSL_PROVIDER_load(libctx, "legacy");
    const char *directory = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);

    if (loaded == NULL && directory != NULL &&
        OSSL_PROVIDER_set_default_search_path(libctx, directory))
        loaded = OSSL_PROVIDER_load(libctx, "legacy");
    return loaded;
}

/* The lock is held. */
static OSSL_LIB_CTX *libctx_of(struct legacy_provider *legacy)
{
    OSSL_LIB_CTX *libctx;

    if (legacy->libctx != NULL)
        return legacy->libctx;
    if ((libctx = OSSL_LIB_CTX_new()) == NULL)
        return NULL;
    legacy->loaded = load(libctx);
    if (legacy->loaded == NULL) {
        OSSL_LIB_CTX_free(libctx);
        return NULL;
    }
    legacy->libctx = libctx;
    return libctx;
}

OSSL_LIB_CTX *legacy_provider_libctx(struct legacy_provider *legacy)
{
    OSSL_LIB_CTX *libctx;

    if (!CRYPTO_THREAD_write_lock(legacy->lock))
        return NULL;
    libctx = libctx_of(legacy);
    CRYPTO_THREAD_unlock(legacy->lock);
    return libctx;
}

int legacy_provider_raise_missing(const struct errors *errors, const char *name)
{
    return RAISE(errors, SCHANNEL_R_ALGORITHM_UNAVAILABLE,
                 "%s: OpenSSL's legacy provider has it, and that was found neither through "
                 "OPENSSL_MODULES nor in %s",
                 name, OPENSSL_info(OPENSSL_INFO_MODULES_DIR));
}
