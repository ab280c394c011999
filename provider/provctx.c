/* The provider context: see provctx.h. */
#include "provctx.h"

#include <stdatomic.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include "blob/claim_journal.h"
#include "blob/seal.h"
#include "blob/sealing_key.h"
#include "fork_guard.h"
#include "key/handle_table.h"

#define INNER_CIPHER_COUNT (BULK_CIPHER_AES_256 + 1)

/* One slot per bulk cipher: written once, read without a lock. */
struct inner_ciphers {
    EVP_CIPHER *_Atomic slot[INNER_CIPHER_COUNT];
};

static void inner_ciphers_free(struct inner_ciphers *ciphers)
{
    if (ciphers == NULL)
        return;
    for (size_t n = 0; n < INNER_CIPHER_COUNT; n++)
        EVP_CIPHER_free(atomic_load(&ciphers->slot[n]));
    OPENSSL_free(ciphers);
}

struct provctx *provctx_new(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in)
{
    struct provctx *provctx = OPENSSL_zalloc(sizeof(*provctx));

    if (provctx == NULL)
        return NULL;
    provctx->core = core;
    if ((provctx->errors = errors_new(core, in)) == NULL ||
        (provctx->libctx = OSSL_LIB_CTX_new_child(core, in)) == NULL ||
        !config_read(&provctx->config, core, in) ||
        (provctx->handles = handle_table_new()) == NULL ||
        (provctx->ciphers = OPENSSL_zalloc(sizeof(*provctx->ciphers))) == NULL ||
        (provctx->sealer =
             sealer_new(provctx->libctx, PROVCTX_INNER_PROPERTIES, provctx->errors)) == NULL ||
        (provctx->keyring = sealing_keyring_new(provctx->libctx, provctx->errors)) == NULL ||
        (provctx->claims = claim_journal_new(provctx->errors)) == NULL ||
        (provctx->fork_guard = fork_guard_new()) == NULL) {
        provctx_free(provctx);
        return NULL;
    }
    return provctx;
}

void provctx_free(struct provctx *provctx)
{
    if (provctx == NULL)
        return;
    fork_guard_free(provctx->fork_guard);
    claim_journal_free(provctx->claims);
    sealing_keyring_free(provctx->keyring);
    sealer_free(provctx->sealer);
    inner_ciphers_free(provctx->ciphers);
    handle_table_free(provctx->handles);
    config_clear(&provctx->config);
    OSSL_LIB_CTX_free(provctx->libctx);
    errors_free(provctx->errors);
    OPENSSL_free(provctx);
}

const EVP_CIPHER *provctx_inner_cipher(struct provctx *provctx, const struct bulk_cipher *cipher)
{
    EVP_CIPHER *_Atomic *slot = &provctx->ciphers->slot[cipher->id];
    EVP_CIPHER *found = atomic_load_explicit(slot, memory_order_acquire);
    EVP_CIPHER *expected = NULL;

    if (found != NULL)
        return found;
    ERR_set_mark();
    found = EVP_CIPHER_fetch(provctx->libctx, cipher->fetch_name, PROVCTX_INNER_PROPERTIES);
    ERR_pop_to_mark();
    if (found == NULL) {
        errors_raise_unavailable(provctx->errors, provctx->libctx, cipher->fetch_name);
        return NULL;
    }
    /* Another thread may have been faster: then its object stays and ours goes. */
    if (!atomic_compare_exchange_strong(slot, &expected, found)) {
        EVP_CIPHER_free(found);
        found = expected;
    }
    return found;
}
