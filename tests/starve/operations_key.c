/* Rows of the room keymgmt: keys are imported, generated, derived, duplicated, read and set. */
#include "operation.h"

#include <dlfcn.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <unistd.h>

static int act_import(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    int ok =
        context != NULL && EVP_PKEY_fromdata_init(context) > 0 &&
        EVP_PKEY_fromdata(context, &scene->made, EVP_PKEY_KEYPAIR, scene->spec.list.params) > 0;

    (void)operation;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static int act_generate(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = scene->key != NULL
                                ? EVP_PKEY_CTX_new_from_pkey(libctx, scene->key, NULL)
                                : EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    int ok = context != NULL && EVP_PKEY_keygen_init(context) > 0 &&
             EVP_PKEY_CTX_set_params(context, scene->spec.list.params) > 0 &&
             EVP_PKEY_generate(context, &scene->made) > 0;

    (void)operation;
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* The same, when the context has the parameters |before| already. */
static int act_generate_in_two(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    struct spec first;
    int ok;

    spec_read(&first, operation->before);
    ok = context != NULL && EVP_PKEY_keygen_init(context) > 0 &&
         EVP_PKEY_CTX_set_params(context, first.list.params) > 0 &&
         EVP_PKEY_CTX_set_params(context, scene->spec.list.params) > 0 &&
         EVP_PKEY_generate(context, &scene->made) > 0;
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* A second key of the generation context in |operation|. */
static void prepare_generation(struct scene *scene, const struct operation *operation)
{
    struct spec first;
    EVP_PKEY *key;

    spec_read(&first, operation->before);
    scene->operation = new_generation(scene->key, &first.list);
    assert_non_null(key = generate_next(scene->operation));
    EVP_PKEY_free(key);
}

static int act_generate_again(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return EVP_PKEY_CTX_set_params(scene->operation, scene->spec.list.params) > 0 &&
           EVP_PKEY_generate(scene->operation, &scene->made) > 0;
}

/* The key that is derived from the row's takes its place. */
static void prepare_derived(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY *derived;

    prepare_generation(scene, operation);
    assert_non_null(derived = generate_next(scene->operation));
    EVP_PKEY_free(scene->key);
    scene->key = derived;
}

int act_duplicate(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return (scene->made = EVP_PKEY_dup(scene->key)) != NULL;
}

int act_export(struct scene *scene, const struct operation *operation)
{
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;
    int ok = EVP_PKEY_todata(scene->key, EVP_PKEY_KEYPAIR, &params) > 0;

    (void)operation;
    if (ok && ((secret = OSSL_PARAM_locate_const(params, "secret")) != NULL ||
               (secret = OSSL_PARAM_locate_const(params, "premaster")) != NULL))
        give(scene, secret->data, secret->data_size);
    OSSL_PARAM_free(params);
    return ok;
}

/* Another key of the same bytes goes to |made|. */
static void prepare_equal(struct scene *scene, const struct operation *operation)
{
    struct spec spec;

    spec_read(&spec, operation->key);
    assert_non_null(scene->made = from_data(spec.list.params));
}

static int act_compare(struct scene *scene, const struct operation *operation)
{
    const int result = EVP_PKEY_eq(scene->key, scene->made);

    (void)operation;
    give_number(scene, result == 1);
    return result == 1;
}

static int act_set(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return EVP_PKEY_set_params(scene->key, scene->spec.list.params) > 0;
}

/* The parameter |detail|; its value may be another one each time, its size is not. */
static int act_get_octets(struct scene *scene, const struct operation *operation)
{
    uint8_t octets[MAX_BLOB];
    size_t size = 0;
    int ok = EVP_PKEY_get_octet_string_param(scene->key, operation->detail, octets, sizeof(octets),
                                             &size);

    if (ok)
        give_number(scene, size);
    return ok;
}

static int act_get_text(struct scene *scene, const struct operation *operation)
{
    char text[100];
    size_t size = 0;
    int ok =
        EVP_PKEY_get_utf8_string_param(scene->key, operation->detail, text, sizeof(text), &size);

    if (ok)
        give_number(scene, size);
    return ok;
}

/* ---- the provider itself, which these are keys of ---- */

static void prepare_context(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    assert_non_null(scene->context = OSSL_LIB_CTX_new());
    assert_int_equal(OSSL_PROVIDER_add_builtin(scene->context, "schannel", OSSL_provider_init), 1);
}

/* The module, whose configuration is in a file, takes the place of these objects: for allocations. */
static void prepare_configured(struct scene *scene, const struct operation *operation)
{
    char path[200];
    FILE *file;

    (void)operation;
    /* It stays: the names of its files are told when it is unloaded. */
    assert_non_null(dlopen(MODULE, RTLD_NOW | RTLD_NODELETE));
    spec_expand(path, sizeof(path), "@/configuration");
    assert_non_null(file = fopen(path, "w"));
    fprintf(file,
            "openssl_conf = all\n[all]\nproviders = providers\n[providers]\nschannel = schannel\n"
            "[schannel]\nmodule = %s\nseal-key = file:%s/a\nclaim-dir = %s/claims\n"
            "trace = /dev/null\n",
            MODULE, directory, directory);
    fclose(file);
    assert_non_null(scene->context = OSSL_LIB_CTX_new());
    assert_int_equal(OSSL_LIB_CTX_load_config(scene->context, path), 1);
    assert_int_equal(unlink(path), 0);
}

static int act_load(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return (scene->provider = OSSL_PROVIDER_load(scene->context, "schannel")) != NULL;
}

static void release_context(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    OSSL_PROVIDER_unload(scene->provider);
    OSSL_LIB_CTX_free(scene->context);
    CONF_modules_finish(); /* libcrypto remembers each load of a configuration */
}

#define RANDOMS     " client-random=*32 server-random=*32"
#define TLS1_MASTER "alg=TLS1-MASTER secret=*48 exportable=#1" RANDOMS
#define TLS1_FRESH  "alg=TLS1-MASTER premaster=*48 exportable=#1" RANDOMS
#define SSL3_MASTER "alg=SSL3-MASTER premaster=*48 exportable=#1" RANDOMS
#define SSL2_MASTER "alg=SSL2-MASTER secret=*16 clear-key=*11" RANDOMS
#define PCT1_MASTER "alg=PCT1-MASTER secret=*16 certificate=*100" RANDOMS
#define AES_KEY     "alg=AES-128-CBC secret=*16 iv=*16 exportable=#1"
#define RSA_OPTIONS "exchange-key=@/rsa.pub.pem pad-mode=oaep"

static const struct operation rows[] = {
    { .name = "load",
      .prepare = prepare_context,
      .act = act_load,
      .release = release_context,
      .flags = IS_LOAD },

    { .name = "load with a configuration",
      .prepare = prepare_configured,
      .act = act_load,
      .release = release_context,
      .flags = IS_LOAD | IS_A_MODULE },

    { "import AES", .act = act_import, .spec = AES_KEY },
    { "import RC4 with salt", .act = act_import, .spec = "alg=RC4 secret=*5 salt=*11" },
    { "import RC2", .act = act_import, .spec = "alg=RC2-CBC secret=*16 effective-bits=#64" },
    { "import TLS1-MAC", .act = act_import, .spec = "alg=TLS1-MAC secret=*20 digest=SHA1" },
    { "import a master secret", .act = act_import, .spec = TLS1_MASTER },
    { "import a premaster secret", .act = act_import,
      .spec = TLS1_FRESH " highest-version=#0x301" },
    { "import SSL2-MASTER", .act = act_import, .spec = SSL2_MASTER },
    { "import PCT1-MASTER", .act = act_import, .spec = PCT1_MASTER },
    { "import with options", .act = act_import,
      .spec = AES_KEY " seal-key=file:@/a claim-dir=@/claims audience=us blob=signedblob "
                      "signature-key=@/ed25519.pem exchange-key=@/rsa.pub.pem purpose=test "
                      "inner=simpleblob serial=*8 message-hash=*32" },
    { "import with a public key", .act = act_import, .spec = AES_KEY " exchange-key=*294" },

    { "generate AES", .act = act_generate, .spec = "alg=AES-256-CBC", .flags = IS_RANDOM },
    { "generate RC4 with a salt", .act = act_generate, .spec = "alg=RC4 bits=#40 salt-mode=create",
      .flags = IS_RANDOM },
    { "generate 3DES", .act = act_generate, .spec = "alg=DES-EDE3-CBC", .flags = IS_RANDOM },
    { "generate a MAC key", .act = act_generate, .spec = "alg=SSL3-MAC digest=MD5",
      .flags = IS_RANDOM },
    { "generate a premaster", .act = act_generate, .spec = "alg=TLS1-MASTER", .flags = IS_RANDOM },
    { "generate SSL2-MASTER", .act = act_generate, .spec = "alg=SSL2-MASTER", .flags = IS_RANDOM },
    { "generate from bytes", .act = act_generate, .spec = "alg=RC4 secret=*16" },
    { "generate from parameters in two calls", .act = act_generate_in_two,
      .before = "alg=RC4 secret=*16", .spec = "exportable=#1" },
    { "generate from a premaster in two calls", .act = act_generate_in_two,
      .before = "alg=TLS1-MASTER premaster=*48", .spec = "exportable=#1" },
    { "generate from a password in two calls", .act = act_generate_in_two,
      .before = "alg=RC4 pass=secret digest=MD5", .spec = "exportable=#1" },
    { "generate with options in two calls", .act = act_generate_in_two,
      .before = "alg=RC4 " RSA_OPTIONS, .spec = "exportable=#1", .flags = IS_RANDOM },
    { "generate from a password", .act = act_generate,
      .spec = "alg=RC4 bits=#40 pass=secret digest=MD5 salt-mode=zero" },
    { "generate from a hash", .act = act_generate, .spec = "alg=AES-256-CBC hash=*20 digest=SHA1" },
    { "generate from MD4", .act = act_generate, .spec = "alg=RC4 pass=secret digest=MD4" },
    { "generate with options", .act = act_generate, .flags = IS_RANDOM,
      .spec = "alg=AES-128-CBC blob=simpleblob seal-key=file:@/a " RSA_OPTIONS },

    { "derive of TLS1", TLS1_MASTER, .act = act_generate,
      .spec = "usage=server-write-key cipher=AES-128-CBC digest=SHA1" },
    { "derive of a TLS1 premaster", TLS1_FRESH, .act = act_generate,
      .spec = "usage=client-write-key cipher=RC2-CBC digest=MD5 cipher-bits=#40 export=#1" },
    { "derive of SSL3", SSL3_MASTER, .act = act_generate,
      .spec = "usage=client-write-mac cipher=DES-CBC digest=MD5" },
    { "derive of SSL2", SSL2_MASTER, .act = act_generate,
      .spec = "usage=client-write-key cipher=RC4 cipher-bits=#40" },
    { "derive of PCT1", PCT1_MASTER, .act = act_generate,
      .spec = "usage=client-write-key cipher=RC4 digest=MD5" },
    { "derive a second key", TLS1_FRESH, prepare_generation, act_generate_again,
      .before = "usage=server-write-key cipher=AES-128-CBC digest=SHA1",
      .spec = "usage=client-write-mac" },
    { "copy by generation", AES_KEY, .act = act_generate, .spec = RSA_OPTIONS },
    { "copy a master", TLS1_FRESH, .act = act_generate, .spec = "blob=simpleblob " RSA_OPTIONS },

    { "duplicate AES", AES_KEY, .act = act_duplicate },
    { "duplicate a MAC key", "alg=TLS1-MAC secret=*20 digest=SHA1", .act = act_duplicate },
    { "duplicate a premaster", TLS1_FRESH, .act = act_duplicate },
    { "duplicate a master", SSL2_MASTER, .act = act_duplicate },
    { "duplicate a key with its MAC", SSL2_MASTER, prepare_derived, act_duplicate,
      .before = "usage=client-write-key cipher=RC4" },
    { "duplicate with options", AES_KEY " seal-key=file:@/a claim-dir=@/claims " RSA_OPTIONS,
      .act = act_duplicate },
    { "export AES", AES_KEY, .act = act_export },
    { "export a premaster", TLS1_FRESH, .act = act_export },
    { "compare", AES_KEY, prepare_equal, act_compare },

    { "set iv", AES_KEY, .act = act_set, .spec = "iv=*16" },
    { "set randoms", TLS1_FRESH, .act = act_set, .spec = &RANDOMS[1] },
    { "set a certificate", PCT1_MASTER, .act = act_set, .spec = "certificate=*500" },
    { "set options", AES_KEY, .act = act_set,
      .spec = "seal-key=file:@/a audience=them " RSA_OPTIONS },
    { "set a public key", AES_KEY, .act = act_set, .spec = "exchange-key=*294" },
    { "retire", TLS1_MASTER, .act = act_set, .spec = "retire=#1" },
    { "read the handle", AES_KEY, .act = act_get_octets, "key-handle" },
    { "read the iv", AES_KEY, .act = act_get_octets, "iv" },
    { "read the sealed blob", AES_KEY " seal-key=file:@/a", .act = act_get_octets, "opaque-blob" },
    { "read the id", AES_KEY, .act = act_get_text, "key-id" },
    { "read the certificate", PCT1_MASTER, .act = act_get_octets, "certificate" },
};

struct operations key_operations(void)
{
    return (struct operations){ rows, COUNT(rows) };
}
