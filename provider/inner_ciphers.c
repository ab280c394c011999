/* libcrypto's own ciphers: see inner_ciphers.h. */
#include "inner_ciphers.h"

#include <stdatomic.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "legacy_provider.h"

#define COUNT (BULK_CIPHER_AES_256 + 1)

struct inner_ciphers {
    OSSL_LIB_CTX *libctx;
    const char *property_query;
    const struct errors *errors;
    EVP_CIPHER
    *_Atomic slot[COUNT]; /* one for each bulk cipher: written once, read without a lock */
    struct legacy_provider *legacy;
};

struct inner_ciphers *inner_ciphers_new(OSSL_LIB_CTX *libctx, const char *property_query,
                                        struct legacy_provider *legacy, const struct errors *errors)
{
    struct inner_ciphers *ciphers = OPENSSL_zalloc(sizeof(*ciphers));

    if (ciphers == NULL)
        return NULL;
    ciphers->libctx = libctx;
    ciphers->property_query = property_query;
    ciphers->legacy = legacy;
    ciphers->errors = errors;
    return ciphers;
}

void inner_ciphers_free(struct inner_ciphers *ciphers)
{
    if (ciphers == NULL)
        return;
    for (size_t n = 0; n < COUNT; n++)
        EVP_CIPHER_free(atomic_load(&ciphers->slot[n]));
    OPENSSL_free(ciphers);
}

static EVP_CIPHER *fetch_legacy(struct inner_ciphers *ciphers, const char *name)
{
    OSSL_LIB_CTX *libctx = legacy_provider_libctx(ciphers->legacy);

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
    return legacy_provider_raise_missing(ciphers->errors, cipher->fetch_name);
}

const EVP_CIPHER *inner_ciphers_get(struct inner_ciphers *ciphers, const struct bulk_cipher *cipher)
{
    EVP_CIPHER *_Atomic *slot = &ciphers->slot[cipher->id];
    EVP_CIPHER *found = atomic_load_explicit(slot, memory_order_acquire);
    EVP_CIPHER *expected = NULL;

    if (found != NULL)
        return found;
    errors_mark(ciphers->errors);
    found = EVP_CIPHER_fetch(ciphers->libctx, cipher->fetch_name, ciphers->property_query);
    if (found == NULL && is_legacy(cipher))
        found = fetch_legacy(ciphers, cipher->fetch_name);
    errors_unmark(ciphers->errors, 0);
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
