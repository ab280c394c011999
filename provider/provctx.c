/* The provider context: see provctx.h. */
#include "provctx.h"

#include <string.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include "blob/claim_journal.h"
#include "blob/key_argument.h"
#include "blob/seal.h"
#include "blob/sealing_key.h"
#include "fork_guard.h"
#include "inner_ciphers.h"
#include "key/handle_table.h"
#include "legacy_provider.h"
#include "trace.h"

/* 1 when the core is the libcrypto that this module is linked with, or does not say. */
static int core_is_own_libcrypto(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in)
{
    OSSL_FUNC_core_get_params_fn *get_params = NULL;
    char *version = NULL;
    OSSL_PARAM request[] = {
        OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_CORE_VERSION, &version, 0),
        OSSL_PARAM_END,
    };

    for (; in->function_id != 0; in++) {
        if (in->function_id == OSSL_FUNC_CORE_GET_PARAMS)
            get_params = OSSL_FUNC_core_get_params(in);
    }
    return get_params == NULL || !get_params(core, request) || version == NULL ||
           strcmp(version, OpenSSL_version(OPENSSL_VERSION_STRING)) == 0;
}

/* The decoders and stores of another libcrypto would take our BIOs for their own: then keys are read by
 * the default provider of the one that this module is linked with. */
static int open_keys_libctx(struct provctx *provctx, int is_own_libcrypto)
{
    if (is_own_libcrypto) {
        provctx->keys_libctx = provctx->libctx;
        return 1;
    }
    return (provctx->keys_libctx = OSSL_LIB_CTX_new()) != NULL &&
           (provctx->keys_provider = OSSL_PROVIDER_load(provctx->keys_libctx, "default")) != NULL;
}

static void close_keys_libctx(struct provctx *provctx)
{
    if (provctx->keys_provider != NULL)
        OSSL_PROVIDER_unload(provctx->keys_provider);
    if (provctx->keys_libctx != provctx->libctx)
        OSSL_LIB_CTX_free(provctx->keys_libctx);
}

struct provctx *provctx_new(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in)
{
    struct provctx *provctx = OPENSSL_zalloc(sizeof(*provctx));
    const int is_own_libcrypto = core_is_own_libcrypto(core, in);

    if (provctx == NULL)
        return NULL;
    provctx->core = core;
    /* A libcrypto beside the core's, as that of 3.0 in a process of 4.0, would be cleaned up when the
     * process ends and before the core takes leave of its providers, who still need it then. */
    if (!is_own_libcrypto)
        OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    if ((provctx->errors = errors_new(core, in)) == NULL ||
        (provctx->libctx = OSSL_LIB_CTX_new_child(core, in)) == NULL ||
        !open_keys_libctx(provctx, is_own_libcrypto) || !config_read(&provctx->config, core, in) ||
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
    /* It is no reason to fail that there are no diagnostics. */
    provctx->trace = trace_open(provctx->config.trace);
    errors_set_trace(provctx->errors, provctx->trace);
    trace_write(provctx->trace,
                "schannel " SCHANNEL_VERSION " loaded, with %s: seal-key %s, claim-dir %s",
                OpenSSL_version(OPENSSL_VERSION),
                provctx->config.seal_key != NULL ? "configured" : "by default",
                provctx->config.claim_dir != NULL ? provctx->config.claim_dir : "by default");
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
    close_keys_libctx(provctx);
    OSSL_LIB_CTX_free(provctx->libctx);
    trace_write(provctx->trace, "schannel unloaded");
    trace_close(provctx->trace); /* errors write to it */
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

    errors_mark(provctx->errors);
    md = EVP_MD_fetch(provctx->libctx, name, PROVCTX_INNER_PROPERTIES);
    if (md == NULL && (legacy = legacy_provider_libctx(provctx->legacy)) != NULL)
        md = EVP_MD_fetch(legacy, name, NULL);
    errors_unmark(provctx->errors, 0);
    return md;
}
