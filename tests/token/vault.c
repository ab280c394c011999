/* The provider "vault" itself: see vault.h. */
#include "vault.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>

OSSL_provider_init_fn OSSL_provider_init;

static OSSL_FUNC_provider_teardown_fn vault_teardown;
static OSSL_FUNC_provider_gettable_params_fn vault_gettable_params;
static OSSL_FUNC_provider_get_params_fn vault_get_params;
static OSSL_FUNC_provider_query_operation_fn vault_query;

void vault_count(int *counter, int change)
{
    __atomic_add_fetch(counter, change, __ATOMIC_RELAXED);
}

static const OSSL_ALGORITHM keymgmt[] = { { "RSA:rsaEncryption", VAULT_PROPERTIES,
                                            vault_keymgmt_functions, NULL },
                                          { NULL, NULL, NULL, NULL } };
static const OSSL_ALGORITHM stores[] = {
    { VAULT_NAME, VAULT_PROPERTIES, vault_store_functions, NULL }, { NULL, NULL, NULL, NULL }
};
static const OSSL_ALGORITHM ciphers[] = { { "RSA:rsaEncryption", VAULT_PROPERTIES,
                                            vault_cipher_functions, NULL },
                                          { NULL, NULL, NULL, NULL } };
static const OSSL_ALGORITHM signatures[] = { { "RSA:rsaEncryption", VAULT_PROPERTIES,
                                               vault_signature_functions, NULL },
                                             { NULL, NULL, NULL, NULL } };
static const OSSL_ALGORITHM encoders[] = {
    { "RSA", VAULT_PROPERTIES ",output=der,structure=SubjectPublicKeyInfo", vault_encoder_functions,
      NULL },
    { NULL, NULL, NULL, NULL }
};

static const OSSL_ALGORITHM *vault_query(void *vault, int operation, int *no_cache)
{
    (void)vault;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return keymgmt;
    case OSSL_OP_STORE:
        return stores;
    case OSSL_OP_ASYM_CIPHER:
        return ciphers;
    case OSSL_OP_SIGNATURE:
        return signatures;
    case OSSL_OP_ENCODER:
        return encoders;
    default:
        return NULL;
    }
}

static const OSSL_PARAM *vault_gettable_params(void *vault)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(VAULT_EXPORTS, NULL),
        OSSL_PARAM_int(VAULT_IMPORTS, NULL),
        OSSL_PARAM_int(VAULT_DECRYPTIONS, NULL),
        OSSL_PARAM_int(VAULT_SIGNATURES, NULL),
        OSSL_PARAM_int(VAULT_DESTROYED, NULL),
        OSSL_PARAM_int(VAULT_HANDLES, NULL),
        OSSL_PARAM_END,
    };

    (void)vault;
    return gettable;
}

static int vault_get_params(void *vvault, OSSL_PARAM params[])
{
    struct vault *vault = vvault;
    struct vault_counters *counters = &vault->counters;
    const struct {
        const char *name;
        int *value;
    } rows[] = {
        { VAULT_EXPORTS, &counters->exports },         { VAULT_IMPORTS, &counters->imports },
        { VAULT_DECRYPTIONS, &counters->decryptions }, { VAULT_SIGNATURES, &counters->signatures },
        { VAULT_DESTROYED, &counters->destroyed },     { VAULT_HANDLES, &counters->handles },
    };

    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        OSSL_PARAM *param = OSSL_PARAM_locate(params, rows[n].name);

        if (param != NULL &&
            !OSSL_PARAM_set_int(param, __atomic_load_n(rows[n].value, __ATOMIC_RELAXED)))
            return 0;
    }
    return 1;
}

static void vault_teardown(void *vvault)
{
    struct vault *vault = vvault;

    if (vault->software != NULL)
        OSSL_PROVIDER_unload(vault->software);
    OSSL_LIB_CTX_free(vault->libctx);
    OPENSSL_free(vault);
}

int OSSL_provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
                       const OSSL_DISPATCH **out, void **provctx)
{
    static const OSSL_DISPATCH functions[] = {
        { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))vault_teardown },
        { OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))vault_gettable_params },
        { OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))vault_get_params },
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))vault_query },
        { 0, NULL },
    };
    struct vault *vault = OPENSSL_zalloc(sizeof(*vault));

    if (vault == NULL)
        return 0;
    vault->core = core;
    for (; in->function_id != 0; in++) {
        if (in->function_id == OSSL_FUNC_BIO_WRITE_EX)
            vault->write = OSSL_FUNC_BIO_write_ex(in);
    }
    if ((vault->libctx = OSSL_LIB_CTX_new()) == NULL ||
        (vault->software = OSSL_PROVIDER_load(vault->libctx, "default")) == NULL) {
        vault_teardown(vault);
        return 0;
    }
    *out = functions;
    *provctx = vault;
    return 1;
}
