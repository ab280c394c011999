/*
 * KEYMGMT "SCHANNEL": the key type as libcrypto sees it.  Glue only: keys are key/, parameters are
 * key_params, making keys is request and generate.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "dispatch.h"
#include "key/key.h"
#include "keymgmt/generate.h"
#include "keymgmt/key_params.h"
#include "keymgmt/raw_export.h"
#include "keymgmt/request.h"
#include "schannel/names.h"

static OSSL_FUNC_keymgmt_new_fn keymgmt_new;
static OSSL_FUNC_keymgmt_free_fn keymgmt_free;
static OSSL_FUNC_keymgmt_load_fn keymgmt_load;
static OSSL_FUNC_keymgmt_has_fn keymgmt_has;
static OSSL_FUNC_keymgmt_match_fn keymgmt_match;
static OSSL_FUNC_keymgmt_dup_fn keymgmt_dup;
static OSSL_FUNC_keymgmt_get_params_fn keymgmt_get_params;
static OSSL_FUNC_keymgmt_gettable_params_fn keymgmt_gettable_params;
static OSSL_FUNC_keymgmt_set_params_fn keymgmt_set_params;
static OSSL_FUNC_keymgmt_settable_params_fn keymgmt_settable_params;
static OSSL_FUNC_keymgmt_import_fn keymgmt_import;
static OSSL_FUNC_keymgmt_import_types_fn keymgmt_import_types;
static OSSL_FUNC_keymgmt_export_types_fn keymgmt_export_types;

static void *keymgmt_new(void *provctx)
{
    return key_new(provctx);
}

static void keymgmt_free(void *keydata)
{
    key_free(keydata);
}

/* |reference| holds a pointer to a key, as our decoders pass it: the reference moves to the caller. */
static void *keymgmt_load(const void *reference, size_t size)
{
    struct key **slot = (struct key **)(uintptr_t)reference;
    struct key *key;

    if (reference == NULL || size != sizeof(void *))
        return NULL;
    key = *slot;
    *slot = NULL;
    return key;
}

/* Everything but a public part. */
static int keymgmt_has(const void *keydata, int selection)
{
    const struct key *key = keydata;

    return key != NULL && key->algorithm != NULL &&
           (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0;
}

/* Algorithm and secret; libcrypto asks for parameters alone as well, which are the algorithm. */
static int keymgmt_match(const void *keydata1, const void *keydata2, int selection)
{
    struct key *a = (struct key *)(uintptr_t)keydata1, *b = (struct key *)(uintptr_t)keydata2;

    if ((selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0)
        return key_equal(a, b);
    return a->algorithm != NULL && a->algorithm == b->algorithm;
}

static void *keymgmt_dup(const void *keydata, int selection)
{
    (void)selection;
    return key_duplicate((struct key *)(uintptr_t)keydata);
}

static int keymgmt_get_params(void *keydata, OSSL_PARAM params[])
{
    return key_params_get(keydata, params);
}

static const OSSL_PARAM *keymgmt_gettable_params(void *provctx)
{
    (void)provctx;
    return key_params_gettable;
}

static int keymgmt_set_params(void *keydata, const OSSL_PARAM params[])
{
    return key_params_set(keydata, params);
}

static const OSSL_PARAM *keymgmt_settable_params(void *provctx)
{
    (void)provctx;
    return key_params_settable;
}

static int keymgmt_import(void *keydata, int selection, const OSSL_PARAM params[])
{
    struct key *key = keydata;
    struct request request = { 0 };
    int ok;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0)
        return RAISE(key->provctx->errors, SCHANNEL_R_NO_PUBLIC_PART,
                     "a SCHANNEL key is secret as a whole: import it with EVP_PKEY_KEYPAIR");
    ok = request_set(key->provctx, &request, params) && request_make_key(key, &request, 0);
    request_clear(&request);
    return ok;
}

static const OSSL_PARAM *keymgmt_import_types(int selection)
{
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? request_import_types : NULL;
}

static const OSSL_PARAM *keymgmt_export_types(int selection)
{
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? raw_export_types : NULL;
}

const OSSL_DISPATCH schannel_keymgmt_functions[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))keymgmt_new },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))keymgmt_free },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))keymgmt_load },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))keymgmt_match },
    { OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))keymgmt_dup },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))keymgmt_gettable_params },
    { OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))keymgmt_set_params },
    { OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))keymgmt_settable_params },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))keymgmt_import_types },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))raw_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))keymgmt_export_types },
    { OSSL_FUNC_KEYMGMT_GEN_INIT, (void (*)(void))generate_init },
    { OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, (void (*)(void))generate_set_template },
    { OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, (void (*)(void))generate_set_params },
    { OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))generate_settable_params },
    { OSSL_FUNC_KEYMGMT_GEN, (void (*)(void))generate },
    { OSSL_FUNC_KEYMGMT_GEN_CLEANUP, (void (*)(void))generate_cleanup },
    { 0, NULL },
};
