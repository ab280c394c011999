/* Rows of EVP_SKEY: the room skeymgmt, and what takes its keys. */
#include "operation.h"

#include <openssl/core_names.h>
#include <openssl/opensslv.h>

#if OPENSSL_VERSION_PREREQ(3, 5)
static EVP_SKEY *import_skey(struct spec *spec)
{
    return EVP_SKEY_import(libctx, "SCHANNEL", NULL, OSSL_SKEYMGMT_SELECT_SECRET_KEY,
                           spec->list.params);
}

static int act_import(struct scene *scene, const struct operation *operation)
{
    EVP_SKEY *skey = import_skey(&scene->spec);

    (void)operation;
    EVP_SKEY_free(skey);
    return skey != NULL;
}

static int act_generate(struct scene *scene, const struct operation *operation)
{
    EVP_SKEY *skey = EVP_SKEY_generate(libctx, "SCHANNEL", NULL, scene->spec.list.params);

    (void)operation;
    EVP_SKEY_free(skey);
    return skey != NULL;
}

static void prepare_skey(struct scene *scene, const struct operation *operation)
{
    struct spec spec;

    spec_read(&spec, operation->before);
    assert_non_null(scene->skey = import_skey(&spec));
}

static void release_skey(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    EVP_SKEY_free(scene->skey);
    scene_free(scene);
}

static int act_read_bytes(struct scene *scene, const struct operation *operation)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    int ok = EVP_SKEY_get0_raw_key(scene->skey, &bytes, &size) > 0;

    (void)operation;
    if (ok)
        give(scene, bytes, size);
    return ok;
}

static int act_read_id(struct scene *scene, const struct operation *operation)
{
    const char *id = EVP_SKEY_get0_key_id(scene->skey);

    (void)operation;
    if (id != NULL)
        give_number(scene, strlen(id));
    return id != NULL;
}

static int act_cipher(struct scene *scene, const struct operation *operation)
{
    static const uint8_t text[32] = { 1, 2, 3 };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, operation->detail, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t out[64];
    int size = 0, ok;

    ok = cipher != NULL && context != NULL &&
         EVP_CipherInit_SKEY(context, cipher, scene->skey, NULL, 0, 1, NULL) > 0 &&
         EVP_CipherUpdate(context, out, &size, text, sizeof(text)) > 0;
    if (ok)
        give_number(scene, (uint64_t)size);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

static int act_mac(struct scene *scene, const struct operation *operation)
{
    static const uint8_t text[32] = { 1, 2, 3 };
    EVP_MAC *mac = EVP_MAC_fetch(libctx, operation->detail, NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    uint8_t out[64];
    size_t size = 0;
    int ok = context != NULL &&
             EVP_MAC_init_SKEY(context, scene->skey, scene->spec.list.params) > 0 &&
             EVP_MAC_update(context, text, sizeof(text)) > 0 &&
             EVP_MAC_final(context, out, &size, sizeof(out)) > 0;

    if (ok)
        give_number(scene, size);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return ok;
}

#define RANDOMS " client-random=*32 server-random=*32"
#define MASTER  "alg=TLS1-MASTER raw-bytes=*48" RANDOMS
#define USAGE   "usage=server-write-key cipher=AES-128-CBC digest=SHA1"

#if OPENSSL_VERSION_PREREQ(3, 6)
static int act_kdf(struct scene *scene, const struct operation *operation)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, operation->detail, NULL);
    EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    EVP_SKEY *made = NULL;

    if (context != NULL && EVP_KDF_CTX_set_SKEY(context, scene->skey, OSSL_KDF_PARAM_SECRET) > 0)
        made = EVP_KDF_derive_SKEY(context, NULL, "SCHANNEL", NULL, 16, scene->spec.list.params);
    EVP_SKEY_free(made);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return made != NULL;
}

static int act_exchange(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, scene->key, NULL);
    EVP_SKEY *made = NULL;

    (void)operation;
    if (context != NULL && EVP_PKEY_derive_init_ex(context, scene->spec.list.params) > 0)
        made = EVP_PKEY_derive_SKEY(context, NULL, "SCHANNEL", NULL, 16, NULL);
    EVP_SKEY_free(made);
    EVP_PKEY_CTX_free(context);
    return made != NULL;
}
#endif

static const struct operation rows[] = {
    { "import EVP_SKEY", .act = act_import, .spec = "alg=AES-128-CBC raw-bytes=*16" },
    { "import a MAC key as EVP_SKEY", .act = act_import,
      .spec = "alg=TLS1-MAC digest=SHA1 raw-bytes=*20" },
    { "import a master as EVP_SKEY", .act = act_import, .spec = MASTER },
    { "generate EVP_SKEY", .act = act_generate, .spec = "alg=RC4 bits=#128" },
    { "generate EVP_SKEY of a length", .act = act_generate, .spec = "alg=RC4 key-length=#16" },
    { "read the bytes of an EVP_SKEY", NULL, prepare_skey, act_read_bytes,
      .before = "alg=RC4 raw-bytes=*16 exportable=#1", .release = release_skey },
    { "read the id of an EVP_SKEY", NULL, prepare_skey, act_read_id,
      .before = "alg=RC4 raw-bytes=*16", .release = release_skey },
    { "encrypt with an EVP_SKEY", NULL, prepare_skey, act_cipher, "SCHANNEL-AES-128-CBC",
      .before = "alg=AES-128-CBC raw-bytes=*16", .release = release_skey },
    { "MAC with an EVP_SKEY", NULL, prepare_skey, act_mac, "TLS1-MAC",
      .spec = "record-type=#23 record-version=#769 record-length=#32",
      .before = "alg=TLS1-MAC digest=SHA1 raw-bytes=*20", .release = release_skey },
#if OPENSSL_VERSION_PREREQ(3, 6)
    { "EVP_SKEY out of a KDF", NULL, prepare_skey, act_kdf, "TLS1-KDF", .spec = USAGE,
      .before = MASTER, .release = release_skey },
    { "EVP_SKEY out of an exchange", "alg=TLS1-MASTER secret=*48" RANDOMS, .act = act_exchange,
      .spec = USAGE },
#endif
};

struct operations skey_operations(void)
{
    return (struct operations){ rows, COUNT(rows) };
}
#else
struct operations skey_operations(void)
{
    return (struct operations){ NULL, 0 };
}
#endif
