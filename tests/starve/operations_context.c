/* Rows of the rooms cipher and mac: contexts with key bytes, and bound to keys by their handle. */
#include "operation.h"

static const uint8_t bytes[32] = { 1, 2, 3 }, text[40] = { 4, 5, 6 };

static OSSL_PARAM handle_param(EVP_PKEY *key, uint8_t handle[KEY_HANDLE_SIZE])
{
    get_handle(key, handle);
    return octets_param("key-handle", handle, KEY_HANDLE_SIZE);
}

/* ---- ciphers ---- */

/* With |key|, or with what |params| say alone. */
static EVP_CIPHER_CTX *new_cipher(const char *name, const uint8_t *key, const OSSL_PARAM params[])
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    EVP_CIPHER_CTX *context = cipher == NULL ? NULL : EVP_CIPHER_CTX_new();

    if (context != NULL && !EVP_EncryptInit_ex2(context, cipher, key, NULL, params)) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    EVP_CIPHER_free(cipher);
    return context;
}

static int update(struct scene *scene, EVP_CIPHER_CTX *context)
{
    uint8_t out[sizeof(text) + 32];
    int size = 0;

    if (!EVP_EncryptUpdate(context, out, &size, text, sizeof(text)))
        return 0;
    give(scene, out, (size_t)size);
    return 1;
}

static int finish(struct scene *scene, EVP_CIPHER_CTX *context)
{
    uint8_t out[32];
    int size = 0;

    if (!EVP_EncryptFinal_ex(context, out, &size))
        return 0;
    give(scene, out, (size_t)size);
    return 1;
}

static int act_cipher(struct scene *scene, const struct operation *operation)
{
    EVP_CIPHER_CTX *context = new_cipher(operation->detail, bytes, scene->spec.list.params);
    int ok = context != NULL && update(scene, context) && finish(scene, context);

    EVP_CIPHER_CTX_free(context);
    return ok;
}

/* The state is the key's: the update is the last that may fail. */
static int act_cipher_bound(struct scene *scene, const struct operation *operation)
{
    EVP_CIPHER_CTX *context = new_cipher(operation->detail, NULL, scene->spec.list.params);
    int ok = context != NULL && update(scene, context);

    EVP_CIPHER_CTX_free(context);
    return ok;
}

static void prepare_handle(struct scene *scene, const struct operation *operation)
{
    struct spec *spec = &scene->spec;

    (void)operation;
    get_handle(scene->key, spec->octets);
    add_octets(&spec->list, "key-handle", spec->octets, KEY_HANDLE_SIZE);
}

/* A context in the middle of a block. */
static void prepare_cipher(struct scene *scene, const struct operation *operation)
{
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM bind[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

    if (scene->key != NULL)
        bind[0] = handle_param(scene->key, handle);
    scene->cipher = new_cipher(operation->detail, scene->key == NULL ? bytes : NULL, bind);
    assert_non_null(scene->cipher);
    assert_int_equal(update(scene, scene->cipher), 1);
}

static int act_cipher_copy(struct scene *scene, const struct operation *operation)
{
    EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_new();
    int ok = copy != NULL && EVP_CIPHER_CTX_copy(copy, scene->cipher) && update(scene, copy);

    (void)operation;
    EVP_CIPHER_CTX_free(copy);
    return ok;
}

static int act_cipher_continue(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return update(scene, scene->cipher);
}

static int act_cipher_restart(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return EVP_EncryptInit_ex2(scene->cipher, NULL, bytes, bytes, scene->spec.list.params) &&
           update(scene, scene->cipher);
}

static int act_cipher_suspend(struct scene *scene, const struct operation *operation)
{
    uint8_t blob[MAX_BLOB];
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string("opaque-blob", blob, sizeof(blob)),
                            OSSL_PARAM_construct_end() };

    (void)operation;
    if (!EVP_CIPHER_CTX_set_params(scene->cipher, scene->spec.list.params) ||
        !EVP_CIPHER_CTX_get_params(scene->cipher, params))
        return 0;
    give_number(scene, params[0].return_size);
    return 1;
}

static void prepare_suspended_cipher(struct scene *scene, const struct operation *operation)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string("opaque-blob", scene->in, MAX_IN),
                            OSSL_PARAM_construct_end() };

    prepare_cipher(scene, operation);
    assert_int_equal(EVP_CIPHER_CTX_set_params(scene->cipher, scene->spec.list.params), 1);
    assert_int_equal(EVP_CIPHER_CTX_get_params(scene->cipher, params), 1);
    add_octets(&scene->spec.list, "opaque-blob", scene->in, params[0].return_size);
}

/* ---- MACs ---- */

static EVP_MAC_CTX *new_mac(const char *name, const uint8_t *key, const OSSL_PARAM params[])
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, name, NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

    if (context != NULL && !EVP_MAC_init(context, key, key != NULL ? 16 : 0, params)) {
        EVP_MAC_CTX_free(context);
        context = NULL;
    }
    EVP_MAC_free(mac);
    return context;
}

static int absorb(EVP_MAC_CTX *context)
{
    return EVP_MAC_update(context, text, sizeof(text));
}

static int finish_mac(struct scene *scene, EVP_MAC_CTX *context)
{
    uint8_t out[64];
    size_t size = 0;

    if (!EVP_MAC_final(context, out, &size, sizeof(out)))
        return 0;
    give(scene, out, size);
    return 1;
}

static int act_mac(struct scene *scene, const struct operation *operation)
{
    EVP_MAC_CTX *context =
        new_mac(operation->detail, scene->key == NULL ? bytes : NULL, scene->spec.list.params);
    int ok = context != NULL && absorb(context) && finish_mac(scene, context);

    EVP_MAC_CTX_free(context);
    return ok;
}

static void prepare_mac(struct scene *scene, const struct operation *operation)
{
    struct spec spec;

    if (scene->key != NULL) {
        spec_read(&spec, NULL);
        get_handle(scene->key, spec.octets);
        add_octets(&spec.list, "key-handle", spec.octets, KEY_HANDLE_SIZE);
    } else {
        spec_read(&spec, operation->before);
    }
    scene->mac = new_mac(operation->detail, scene->key == NULL ? bytes : NULL, spec.list.params);
    assert_non_null(scene->mac);
    assert_int_equal(absorb(scene->mac), 1);
}

/* Key bytes, and no digest yet: they are kept. */
static void prepare_mac_waiting(struct scene *scene, const struct operation *operation)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, operation->detail, NULL);
    OSSL_PARAM params[] = { octets_param("key", bytes, 16), OSSL_PARAM_construct_end() };

    assert_non_null(scene->mac = EVP_MAC_CTX_new(mac));
    EVP_MAC_free(mac);
    assert_int_equal(EVP_MAC_CTX_set_params(scene->mac, params), 1);
}

static int act_mac_copy(struct scene *scene, const struct operation *operation)
{
    EVP_MAC_CTX *copy = EVP_MAC_CTX_dup(scene->mac);
    int ok = copy != NULL && EVP_MAC_CTX_set_params(copy, scene->spec.list.params) &&
             finish_mac(scene, copy);

    (void)operation;
    EVP_MAC_CTX_free(copy);
    return ok;
}

static int act_mac_restart(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return EVP_MAC_init(scene->mac, bytes, 16, scene->spec.list.params) && absorb(scene->mac) &&
           finish_mac(scene, scene->mac);
}

static int act_mac_suspend(struct scene *scene, const struct operation *operation)
{
    uint8_t blob[MAX_BLOB];
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string("opaque-blob", blob, sizeof(blob)),
                            OSSL_PARAM_construct_end() };

    (void)operation;
    if (!EVP_MAC_CTX_set_params(scene->mac, scene->spec.list.params) ||
        !EVP_MAC_CTX_get_params(scene->mac, params))
        return 0;
    give_number(scene, params[0].return_size);
    return 1;
}

static void prepare_suspended_mac(struct scene *scene, const struct operation *operation)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string("opaque-blob", scene->in, MAX_IN),
                            OSSL_PARAM_construct_end() };

    prepare_mac(scene, operation);
    assert_int_equal(EVP_MAC_CTX_set_params(scene->mac, scene->spec.list.params), 1);
    assert_int_equal(EVP_MAC_CTX_get_params(scene->mac, params), 1);
    add_octets(&scene->spec.list, "opaque-blob", scene->in, params[0].return_size);
}

static int act_mac_resume(struct scene *scene, const struct operation *operation)
{
    EVP_MAC_CTX *context = new_mac(operation->detail, NULL, scene->spec.list.params);
    int ok = context != NULL && absorb(context) && finish_mac(scene, context);

    EVP_MAC_CTX_free(context);
    return ok;
}

#define AES_KEY "alg=AES-128-CBC secret=*16 iv=*16"
#define RC4_KEY "alg=RC4 secret=*16"
#define MAC_KEY "alg=TLS1-MAC secret=*20 digest=SHA1"
#define SEAL    "seal-key=file:@/a"
#define RECORD  "digest=SHA1 record-type=#23 record-version=#769 record-length=#40 sequence=#7"

static const struct operation rows[] = {
    { "AES with bytes", .act = act_cipher, .detail = "SCHANNEL-AES-128-CBC" },
    { "RC4 with bytes", .act = act_cipher, .detail = "SCHANNEL-RC4" },
    { "RC2 with bytes", .act = act_cipher, .detail = "SCHANNEL-RC2-CBC",
      .spec = "effective-bits=#40" },
    { "DES with bytes", .act = act_cipher, .detail = "SCHANNEL-DES-CBC" },
    { "3DES with bytes", .act = act_cipher, .detail = "SCHANNEL-DES-EDE3-CBC" },
    { "AES by handle", AES_KEY, prepare_handle, act_cipher_bound, "SCHANNEL-AES-128-CBC" },
    { "RC4 by handle", RC4_KEY, prepare_handle, act_cipher_bound, "SCHANNEL-RC4" },
    { "AES goes on", AES_KEY, prepare_cipher, act_cipher_continue, "SCHANNEL-AES-128-CBC" },
    { "AES starts again", AES_KEY, prepare_cipher, act_cipher_restart, "SCHANNEL-AES-128-CBC",
      "padding=#0 " SEAL },
    { "copy AES with bytes", NULL, prepare_cipher, act_cipher_copy, "SCHANNEL-AES-128-CBC" },
    { "copy AES by handle", AES_KEY, prepare_cipher, act_cipher_copy, "SCHANNEL-AES-128-CBC" },
    { "suspend AES with bytes", NULL, prepare_cipher, act_cipher_suspend, "SCHANNEL-AES-128-CBC",
      SEAL },
    { "suspend AES by handle", AES_KEY, prepare_cipher, act_cipher_suspend, "SCHANNEL-AES-128-CBC",
      SEAL },
    { "resume AES", NULL, prepare_suspended_cipher, act_cipher_bound, "SCHANNEL-AES-128-CBC",
      SEAL },
    { "resume RC4", NULL, prepare_suspended_cipher, act_cipher_bound, "SCHANNEL-RC4", SEAL },

    { "TLS1-MAC", .act = act_mac, .detail = "TLS1-MAC", .spec = "digest=MD5" },
    { "SSL3-MAC of a record", .act = act_mac, .detail = "SSL3-MAC",
      .spec = "digest=MD5 record-type=#22 record-length=#40" },
    { "TLS1-MAC of a record", .act = act_mac, .detail = "TLS1-MAC", .spec = RECORD },
    { "SSL2-MAC", .act = act_mac, .detail = "SSL2-MAC" },
    { "PCT1-MAC", .act = act_mac, .detail = "PCT1-MAC", .spec = "digest=SHA1" },
    { "TLS1-MAC by handle", MAC_KEY, prepare_handle, act_mac, "TLS1-MAC" },
    { "TLS1-MAC starts again", NULL, prepare_mac, act_mac_restart, "TLS1-MAC", RECORD,
      "digest=SHA1" },
    { "TLS1-MAC leaves its key", MAC_KEY, prepare_mac, act_mac_restart, "TLS1-MAC",
      "digest=MD5 " SEAL },
    { "copy TLS1-MAC with bytes", NULL, prepare_mac, act_mac_copy, "TLS1-MAC", .before = RECORD },
    { "copy TLS1-MAC by handle", MAC_KEY, prepare_mac, act_mac_copy, "TLS1-MAC" },
    { "copy TLS1-MAC that waits", NULL, prepare_mac_waiting, act_mac_copy, "TLS1-MAC",
      "digest=SHA1" },
    { "suspend TLS1-MAC with bytes", NULL, prepare_mac, act_mac_suspend, "TLS1-MAC", SEAL, RECORD },
    { "suspend TLS1-MAC by handle", MAC_KEY, prepare_mac, act_mac_suspend, "TLS1-MAC", SEAL },
    { "resume TLS1-MAC", NULL, prepare_suspended_mac, act_mac_resume, "TLS1-MAC", SEAL,
      "digest=SHA1" },
};

struct operations context_operations(void)
{
    return (struct operations){ rows, COUNT(rows) };
}
