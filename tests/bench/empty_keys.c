/*
 * The least that a derivation into key objects can cost: OpenSSL's own work for an EVP_PKEY, with a
 * built-in provider whose keys are empty.  See derivations.h.
 */
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include "derivations.h"
#include "material.h"

/* ---- the provider ---- */

static const char the_key, the_generation; /* nobody looks into them */

static void *new_key(void *provctx)
{
    (void)provctx;
    return (void *)&the_key;
}

static void free_key(void *key)
{
    (void)key;
}

static int has(const void *key, int selection)
{
    (void)key;
    (void)selection;
    return 1;
}

static void *begin(void *provctx, int selection, const OSSL_PARAM params[])
{
    (void)provctx;
    (void)selection;
    (void)params;
    return (void *)&the_generation;
}

static void *generate(void *generation, OSSL_CALLBACK *callback, void *argument)
{
    (void)generation;
    (void)callback;
    (void)argument;
    return (void *)&the_key;
}

static const OSSL_DISPATCH key_functions[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))new_key },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))free_key },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))has },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))begin },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))generate },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))free_key },
    { 0, NULL },
};

static const OSSL_ALGORITHM *query(void *provctx, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM keys[] = { { "EMPTY", "provider=empty", key_functions, "" },
                                           { NULL, NULL, NULL, NULL } };

    (void)provctx;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT ? keys : NULL;
}

static int provide(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                   const OSSL_DISPATCH **out, void **provctx)
{
    static const OSSL_DISPATCH functions[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
        { 0, NULL },
    };

    (void)in;
    *out = functions;
    *provctx = (void *)handle;
    return 1;
}

OSSL_PROVIDER *load_empty_keys(void)
{
    return OSSL_PROVIDER_add_builtin(NULL, "empty", provide) ? OSSL_PROVIDER_load(NULL, "empty")
                                                             : NULL;
}

/* ---- the job ---- */

struct empty_keys {
    void *kdf; /* of tls1_kdf_104 */
    EVP_PKEY_CTX *generation;
};

static void *open_keys(const struct job *job)
{
    struct empty_keys *keys = OPENSSL_zalloc(sizeof(*keys));

    if (keys == NULL ||
        (keys->generation = EVP_PKEY_CTX_new_from_name(NULL, "EMPTY", NULL)) == NULL ||
        EVP_PKEY_keygen_init(keys->generation) <= 0)
        die(job->name);
    keys->kdf = tls1_kdf_104.open(&tls1_kdf_104);
    return keys;
}

static void run_keys(void *state, size_t count)
{
    struct empty_keys *keys = state;

    for (; count != 0; count--) {
        tls1_kdf_104.work(keys->kdf, 1);
        for (size_t n = 0; n < KEY_COUNT; n++) {
            EVP_PKEY *key = NULL;

            if (EVP_PKEY_generate(keys->generation, &key) <= 0)
                die("an empty key");
            EVP_PKEY_free(key);
        }
    }
}

static void close_keys(void *state)
{
    struct empty_keys *keys = state;

    tls1_kdf_104.close(keys->kdf);
    EVP_PKEY_CTX_free(keys->generation);
    OPENSSL_free(keys);
}

const struct job empty_keys = {
    "empty EVP_PKEYs", open_keys, run_keys, close_keys, NULL, NULL, 0, 0
};
