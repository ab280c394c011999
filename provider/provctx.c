/* The provider context: see provctx.h. */
#include "provctx.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include "blob/claim_journal.h"
#include "blob/key_argument.h"
#include "blob/seal.h"
#include "blob/sealing_key.h"
#include "fork_guard.h"
#include "inner_ciphers.h"
#include "key/handle_table.h"
#include "legacy_provider.h"

struct provctx *provctx_new(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in)
{
    struct provctx *provctx = OPENSSL_zalloc(sizeof(*provctx));

    if (provctx == NULL)
        return NULL;
    provctx->core = core;
    if ((provctx->errors = errors_new(core, in)) == NULL ||
        (provctx->libctx = OSSL_LIB_CTX_new_child(core, in)) == NULL ||
        !config_read(&provctx->config, core, in) ||
        (provctx->fork_guard = fork_guard_new()) == NULL ||
        (provctx->handles = handle_table_new(provctx->fork_guard)) == NULL ||
        (provctx->legacy = legacy_provider_new()) == NULL ||
        (provctx->ciphers = inner_ciphers_new(provctx->libctx, PROVCTX_INNER_PROPERTIES,
                                              provctx->legacy, provctx->errors)) == NULL ||
        (provctx->sealer =
             sealer_new(provctx->libctx, PROVCTX_INNER_PROPERTIES, provctx->errors)) == NULL ||
        (provctx->keyring =
             sealing_keyring_new(provctx->libctx, provctx->fork_guard, provctx->errors)) == NULL ||
        (provctx->claims = claim_journal_new(provctx->fork_guard, provctx->errors)) == NULL ||
        (provctx->inner_opens = inner_opens_new()) == NULL) {
        provctx_free(provctx);
        return NULL;
    }
    return provctx;
}

void provctx_free(struct provctx *provctx)
{
    if (provctx == NULL)
        return;
    inner_opens_free(provctx->inner_opens);
    claim_journal_free(provctx->claims);
    sealing_keyring_free(provctx->keyring);
    sealer_free(provctx->sealer);
    inner_ciphers_free(provctx->ciphers);
    legacy_provider_free(provctx->legacy);
    handle_table_free(provctx->handles);
    fork_guard_free(provctx->fork_guard);
    config_clear(&provctx->config);
    OSSL_LIB_CTX_free(provctx->libctx);
    errors_free(provctx->errors);
    OPENSSL_free(provctx);
}

const EVP_CIPHER *provctx_inner_cipher(struct provctx *provctx, const struct bulk_cipher *cipher)
{
    return inner_ciphers_get(provctx->ciphers, cipher);
}

EVP_MD *provctx_fetch_digest(const struct provctx *provctx, const char *name)
{
    OSSL_LIB_CTX *legacy;
    EVP_MD *md;

    ERR_set_mark();
    md = EVP_MD_fetch(provctx->libctx, name, PROVCTX_INNER_PROPERTIES);
    if (md == NULL && (legacy = legacy_provider_libctx(provctx->legacy)) != NULL)
        md = EVP_MD_fetch(legacy, name, NULL);
    ERR_pop_to_mark();
    return md;
}
