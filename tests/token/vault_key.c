/* Keys of the vault: STORE, KEYMGMT and ENCODER.  See vault.h. */
#include "vault.h"

#include <stdio.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define MAX_SIZE 512 /* what EVP_PKEY_get_size says of every key */

static const char *const ability_names[ABILITIES] = {
    [ABILITY_BARE] = "bare", [ABILITY_PKCS1] = "pkcs1", [ABILITY_LATE] = "late",
    [ABILITY_OAEP] = "oaep", [ABILITY_SIGN] = "sign",   [ABILITY_MUTE] = "mute",
};

/* ---- opening and closing ---- */

static EVP_PKEY *read_file(struct vault *vault, const char *path)
{
    BIO *file = BIO_new_file(path, "rb");
    EVP_PKEY *key = NULL;

    if (file != NULL)
        key = PEM_read_bio_PrivateKey_ex(file, NULL, NULL, NULL, vault->libctx, NULL);
    BIO_free(file);
    return key;
}

static struct vault_key *new_key(struct vault *vault)
{
    struct vault_key *key = OPENSSL_zalloc(sizeof(*key));

    if (key != NULL) {
        key->vault = vault;
        vault_count(&vault->counters.handles, 1);
    }
    return key;
}

void vault_key_free(struct vault_key *key)
{
    if (key == NULL)
        return;
    vault_count(&key->vault->counters.handles, -1);
    EVP_PKEY_free(key->key);
    OPENSSL_free(key);
}

struct vault_key *vault_key_open(struct vault *vault, const char *uri)
{
    const char *name = uri + sizeof(VAULT_NAME);
    const char *colon =
        strncmp(uri, VAULT_NAME ":", sizeof(VAULT_NAME)) == 0 ? strchr(name, ':') : NULL;
    struct vault_key *key;
    size_t n = 0;

    if (colon == NULL)
        return NULL;
    while (n < ABILITIES && (strncmp(name, ability_names[n], (size_t)(colon - name)) != 0 ||
                             ability_names[n][colon - name] != '\0'))
        n++;
    if (n == ABILITIES || (key = new_key(vault)) == NULL)
        return NULL;
    key->ability = (enum ability)n;
    if ((key->key = read_file(vault, colon + 1)) == NULL) {
        vault_key_free(key);
        return NULL;
    }
    return key;
}

/* ---- STORE: one key, and no parameters ---- */

struct vault_store {
    struct vault_key *key; /* NULL when it has been given away */
};

static void *store_open(void *vault, const char *uri)
{
    struct vault_store *store = OPENSSL_zalloc(sizeof(*store));

    if (store != NULL && (store->key = vault_key_open(vault, uri)) == NULL) {
        OPENSSL_free(store);
        store = NULL;
    }
    return store;
}

static int store_load(void *vstore, OSSL_CALLBACK *callback, void *arg,
                      OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    struct vault_store *store = vstore;
    struct vault_key *key = store->key;
    int type = OSSL_OBJECT_PKEY, ok;
    char data_type[] = "RSA";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, data_type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &key, sizeof(key)),
        OSSL_PARAM_construct_end(),
    };

    (void)ask;
    (void)ask_arg;
    store->key = NULL;
    ok = key != NULL && callback(params, arg);
    vault_key_free(key); /* NULL when it was taken */
    return ok;
}

static int store_eof(void *vstore)
{
    const struct vault_store *store = vstore;

    return store->key == NULL;
}

static int store_close(void *vstore)
{
    struct vault_store *store = vstore;

    vault_key_free(store->key);
    OPENSSL_free(store);
    return 1;
}

const OSSL_DISPATCH vault_store_functions[] = {
    { OSSL_FUNC_STORE_OPEN, (void (*)(void))store_open },
    { OSSL_FUNC_STORE_LOAD, (void (*)(void))store_load },
    { OSSL_FUNC_STORE_EOF, (void (*)(void))store_eof },
    { OSSL_FUNC_STORE_CLOSE, (void (*)(void))store_close },
    { 0, NULL },
};

/* ---- KEYMGMT ---- */

static void *keymgmt_new(void *vault)
{
    return new_key(vault);
}

static void *keymgmt_load(const void *reference, size_t size)
{
    struct vault_key **taken = (struct vault_key **)(uintptr_t)reference, *key;

    if (size != sizeof(*taken))
        return NULL;
    key = *taken;
    *taken = NULL;
    return key;
}

static void keymgmt_free(void *key)
{
    vault_key_free(key);
}

static int keymgmt_has(const void *vkey, int selection)
{
    const struct vault_key *key = vkey;

    (void)selection;
    return key->key != NULL;
}

static int keymgmt_match(const void *va, const void *vb, int selection)
{
    const struct vault_key *a = va, *b = vb;

    (void)selection;
    return EVP_PKEY_eq(a->key, b->key) == 1;
}

static int keymgmt_get_params(void *vkey, OSSL_PARAM params[])
{
    const struct vault_key *key = vkey;
    OSSL_PARAM *param;

    param = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_BITS);
    if (param != NULL && !OSSL_PARAM_set_int(param, EVP_PKEY_get_bits(key->key)))
        return 0;
    param = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_SECURITY_BITS);
    if (param != NULL && !OSSL_PARAM_set_int(param, EVP_PKEY_get_security_bits(key->key)))
        return 0;
    param = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_MAX_SIZE);
    return param == NULL || OSSL_PARAM_set_int(param, MAX_SIZE);
}

static const OSSL_PARAM *keymgmt_gettable_params(void *vault)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
        OSSL_PARAM_END,
    };

    (void)vault;
    return gettable;
}

/* "retire" is what the SCHANNEL key knows, and must never come here. */
static int keymgmt_set_params(void *vkey, const OSSL_PARAM params[])
{
    struct vault_key *key = vkey;

    if (OSSL_PARAM_locate_const(params, "retire") != NULL)
        vault_count(&key->vault->counters.destroyed, 1);
    return 1;
}

static const OSSL_PARAM *keymgmt_settable_params(void *vault)
{
    static const OSSL_PARAM settable[] = { OSSL_PARAM_int("retire", NULL), OSSL_PARAM_END };

    (void)vault;
    return settable;
}

static const OSSL_PARAM *keymgmt_types(int selection)
{
    static const OSSL_PARAM types[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_D, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)selection;
    return types;
}

static int keymgmt_export(void *vkey, int selection, OSSL_CALLBACK *callback, void *arg)
{
    struct vault_key *key = vkey;

    (void)selection;
    (void)callback;
    (void)arg;
    vault_count(&key->vault->counters.exports, 1);
    return 0;
}

static int keymgmt_import(void *vkey, int selection, const OSSL_PARAM params[])
{
    struct vault_key *key = vkey;

    (void)selection;
    (void)params;
    vault_count(&key->vault->counters.imports, 1);
    return 0;
}

const OSSL_DISPATCH vault_keymgmt_functions[] = {
    { OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))keymgmt_new },
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))keymgmt_load },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))keymgmt_free },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))keymgmt_has },
    { OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))keymgmt_match },
    { OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))keymgmt_get_params },
    { OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))keymgmt_gettable_params },
    { OSSL_FUNC_KEYMGMT_SET_PARAMS, (void (*)(void))keymgmt_set_params },
    { OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, (void (*)(void))keymgmt_settable_params },
    { OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))keymgmt_export },
    { OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))keymgmt_types },
    { OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))keymgmt_import },
    { OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))keymgmt_types },
    { 0, NULL },
};

/* ---- ENCODER: the public key, to SubjectPublicKeyInfo ---- */

static void *encoder_new(void *vault)
{
    return vault;
}

static void encoder_free(void *context)
{
    (void)context;
}

static int encoder_does_selection(void *vault, int selection)
{
    (void)vault;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0;
}

static int encoder_encode(void *vvault, OSSL_CORE_BIO *out, const void *vkey,
                          const OSSL_PARAM abstract[], int selection, OSSL_PASSPHRASE_CALLBACK *ask,
                          void *ask_arg)
{
    struct vault *vault = vvault;
    const struct vault_key *key = vkey;
    unsigned char *der = NULL;
    size_t written = 0;
    int size, ok;

    (void)selection;
    (void)ask;
    (void)ask_arg;
    if (abstract != NULL || key->ability == ABILITY_MUTE)
        return 0;
    size = i2d_PUBKEY(key->key, &der);
    ok = size > 0 && vault->write(out, der, (size_t)size, &written);
    OPENSSL_free(der);
    return ok;
}

const OSSL_DISPATCH vault_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))encoder_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encoder_encode },
    { 0, NULL },
};
