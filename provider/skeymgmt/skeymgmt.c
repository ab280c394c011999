/*
 * SKEYMGMT "SCHANNEL": EVP_SKEY, the symmetric key objects of OpenSSL 3.5 and later, which carry a
 * key to a cipher, MAC or KDF without its bytes.
 *
 * An EVP_SKEY is the same live key as an EVP_PKEY: one that is imported by "key-handle" shares its
 * state.  Making keys is keymgmt/request, their bytes are keymgmt/raw_export; an older libcrypto
 * never asks for this operation.  Referenced by algorithms.c.
 */
#include <openssl/params.h>
#include <string.h>
#include "dispatch.h"
#include "key/key.h"
#include "keymgmt/raw_export.h"
#include "keymgmt/request.h"
#include "params.h"
#include "schannel/names.h"
#include "skey_dispatch.h"

static OSSL_FUNC_skeymgmt_free_fn skeymgmt_free;
static OSSL_FUNC_skeymgmt_import_fn skeymgmt_import;
static OSSL_FUNC_skeymgmt_imp_settable_params_fn skeymgmt_import_types;
static OSSL_FUNC_skeymgmt_generate_fn skeymgmt_generate;
static OSSL_FUNC_skeymgmt_gen_settable_params_fn skeymgmt_generation_types;
static OSSL_FUNC_skeymgmt_get_key_id_fn skeymgmt_key_id;

static void skeymgmt_free(void *key)
{
    key_free(key);
}

/* libcrypto's names for what has another one here; |given| is the own name beside it. */
static int check_alias(const struct provctx *provctx, const OSSL_PARAM *alias, const char *own,
                       int is_given)
{
    return !is_given || RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                              "%s: excludes %s, which is the same", alias->key, own);
}

static int set_raw_bytes(const struct provctx *provctx, struct request *request,
                         const OSSL_PARAM *bytes)
{
    OSSL_PARAM secret[] = { OSSL_PARAM_END, OSSL_PARAM_END };

    if (bytes == NULL)
        return 1;
    if (!check_alias(provctx, bytes, SCHANNEL_PARAM_SECRET, request->secret != NULL))
        return 0;
    secret[0] = *bytes;
    secret[0].key = SCHANNEL_PARAM_SECRET;
    return request_set(provctx, request, secret);
}

static int set_key_length(const struct provctx *provctx, struct request *request,
                          const OSSL_PARAM *length)
{
    OSSL_PARAM bits[] = { OSSL_PARAM_END, OSSL_PARAM_END };
    uint64_t bytes;

    if (length == NULL)
        return 1;
    if (!check_alias(provctx, length, SCHANNEL_PARAM_BITS, request->bits != 0) ||
        !params_get_number(provctx->errors, length, 1, MASTER_VALUE_MAX_SECRET_SIZE, &bytes))
        return 0;
    bytes *= 8;
    bits[0] = OSSL_PARAM_construct_uint64(SCHANNEL_PARAM_BITS, &bytes);
    return request_set(provctx, request, bits);
}

static struct key *make_key(struct provctx *provctx, const OSSL_PARAM params[], int may_generate)
{
    struct request request = { 0 };
    struct key *key = key_new(provctx);
    const OSSL_PARAM *bytes = NULL, *length = NULL;
    int ok;

    if (key == NULL)
        return NULL;
    if (params != NULL) {
        bytes = OSSL_PARAM_locate_const(params, SKEY_PARAM_RAW_BYTES);
        length = OSSL_PARAM_locate_const(params, SKEY_PARAM_KEY_LENGTH);
    }
    ok = request_set(provctx, &request, params) && set_raw_bytes(provctx, &request, bytes) &&
         set_key_length(provctx, &request, length) && request_make_key(key, &request, may_generate);
    request_clear(&request);
    if (ok)
        return key;
    key_free(key);
    return NULL;
}

/* A handle names a whole key: whatever else is known cannot be meant. */
static struct key *find_key(struct provctx *provctx, const OSSL_PARAM *handle,
                            const OSSL_PARAM params[])
{
    struct octets value;

    for (; params->key != NULL; params++) {
        if (params != handle && OSSL_PARAM_locate_const(request_skey_import_types, params->key)) {
            RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS, "key-handle: excludes %s",
                  params->key);
            return NULL;
        }
    }
    if (!params_get_octets(provctx->errors, handle, KEY_HANDLE_SIZE, KEY_HANDLE_SIZE, &value))
        return NULL;
    return key_by_handle(provctx, value);
}

static void *skeymgmt_import(void *vprovctx, int selection, const OSSL_PARAM params[])
{
    struct provctx *provctx = vprovctx;
    const OSSL_PARAM *handle = NULL;

    if ((selection & OSSL_SKEYMGMT_SELECT_SECRET_KEY) == 0) {
        RAISE(provctx->errors, SCHANNEL_R_NO_PUBLIC_PART,
              "a SCHANNEL key is secret as a whole: there are no parameters to import alone");
        return NULL;
    }
    if (params != NULL)
        handle = OSSL_PARAM_locate_const(params, SCHANNEL_PARAM_KEY_HANDLE);
    return handle != NULL ? find_key(provctx, handle, params) : make_key(provctx, params, 0);
}

static const OSSL_PARAM *skeymgmt_import_types(void *provctx)
{
    (void)provctx;
    return request_skey_import_types;
}

static void *skeymgmt_generate(void *provctx, const OSSL_PARAM params[])
{
    return make_key(provctx, params, 1);
}

static const OSSL_PARAM *skeymgmt_generation_types(void *provctx)
{
    (void)provctx;
    return request_skey_generation_types;
}

static const char *skeymgmt_key_id(void *key)
{
    return key_id_string(key);
}

const OSSL_DISPATCH schannel_skeymgmt_functions[] = {
    { OSSL_FUNC_SKEYMGMT_FREE, (void (*)(void))skeymgmt_free },
    { OSSL_FUNC_SKEYMGMT_IMPORT, (void (*)(void))skeymgmt_import },
    { OSSL_FUNC_SKEYMGMT_IMP_SETTABLE_PARAMS, (void (*)(void))skeymgmt_import_types },
    { OSSL_FUNC_SKEYMGMT_EXPORT, (void (*)(void))raw_export_skey },
    { OSSL_FUNC_SKEYMGMT_GENERATE, (void (*)(void))skeymgmt_generate },
    { OSSL_FUNC_SKEYMGMT_GEN_SETTABLE_PARAMS, (void (*)(void))skeymgmt_generation_types },
    { OSSL_FUNC_SKEYMGMT_GET_KEY_ID, (void (*)(void))skeymgmt_key_id },
    { 0, NULL },
};
