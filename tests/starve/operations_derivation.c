/* Rows of the rooms kdf and keyexch. */
#include "operation.h"

#include <openssl/kdf.h>

/* The length is the last digit group of |before|. */
static size_t wanted(const struct operation *operation)
{
    return strtoul(operation->before, NULL, 10);
}

static EVP_KDF_CTX *new_kdf(const char *name)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, name, NULL);
    EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);

    EVP_KDF_free(kdf);
    return context;
}

static int derive_to(struct scene *scene, EVP_KDF_CTX *context, size_t size)
{
    uint8_t out[MAX_OUT];
    int ok = EVP_KDF_derive(context, out, size, NULL) > 0;

    if (ok)
        give(scene, out, size);
    return ok;
}

static int act_kdf(struct scene *scene, const struct operation *operation)
{
    EVP_KDF_CTX *context = new_kdf(operation->detail);
    int ok = context != NULL && EVP_KDF_CTX_set_params(context, scene->spec.list.params) > 0 &&
             derive_to(scene, context, wanted(operation));

    EVP_KDF_CTX_free(context);
    return ok;
}

static void prepare_kdf(struct scene *scene, const struct operation *operation)
{
    assert_non_null(scene->kdf = new_kdf(operation->detail));
    assert_int_equal(EVP_KDF_CTX_set_params(scene->kdf, scene->spec.list.params), 1);
}

static int act_kdf_duplicate(struct scene *scene, const struct operation *operation)
{
    EVP_KDF_CTX *copy = EVP_KDF_CTX_dup(scene->kdf);
    int ok = copy != NULL && derive_to(scene, copy, wanted(operation));

    EVP_KDF_CTX_free(copy);
    return ok;
}

/* What a context had before is there when it cannot take over something new. */
static int act_kdf_set(struct scene *scene, const struct operation *operation)
{
    return EVP_KDF_CTX_set_params(scene->kdf, scene->spec.list.params) > 0 &&
           derive_to(scene, scene->kdf, wanted(operation));
}

/* ---- EVP_PKEY_derive ---- */

static int exchange_to(struct scene *scene, EVP_PKEY_CTX *context)
{
    uint8_t out[MAX_OUT];
    size_t size = sizeof(out);
    int ok = EVP_PKEY_derive(context, out, &size) > 0;

    if (ok)
        give(scene, out, size);
    return ok;
}

static int act_exchange(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, scene->key, NULL);
    int ok = context != NULL && EVP_PKEY_derive_init_ex(context, scene->spec.list.params) > 0 &&
             exchange_to(scene, context);

    (void)operation;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static void prepare_exchange(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    assert_non_null(scene->operation = EVP_PKEY_CTX_new_from_pkey(libctx, scene->key, NULL));
    assert_int_equal(EVP_PKEY_derive_init_ex(scene->operation, scene->spec.list.params), 1);
}

static int act_exchange_duplicate(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *copy = EVP_PKEY_CTX_dup(scene->operation);
    int ok = copy != NULL && exchange_to(scene, copy);

    (void)operation;
    EVP_PKEY_CTX_free(copy);
    return ok;
}

static int act_exchange_set(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    return EVP_PKEY_CTX_set_params(scene->operation, scene->spec.list.params) > 0 &&
           exchange_to(scene, scene->operation);
}

#define RANDOMS "client-random=*32 server-random=*32"
#define SUITE   " cipher=AES-128-CBC digest=SHA1 "
#define PRF     "usage=prf label=*12 seed=*40"

static const struct operation rows[] = {
    { "TLS1-KDF key block", .act = act_kdf, .detail = "TLS1-KDF", .before = "104",
      .spec = "secret=*48 " RANDOMS },
    { "TLS1-KDF of a premaster", .act = act_kdf, .detail = "TLS1-KDF", .before = "16",
      .spec = "premaster=*48 usage=server-write-key" SUITE RANDOMS },
    { "TLS1-KDF PRF", .act = act_kdf, .detail = "TLS1-KDF", .before = "60",
      .spec = "secret=*48 " PRF },
    { "TLS1-KDF Finished", .act = act_kdf, .detail = "TLS1-KDF", .before = "12",
      .spec = "secret=*48 usage=finished-client handshake=*200" },
    { "TLS1-KDF IV", .act = act_kdf, .detail = "TLS1-KDF", .before = "16",
      .spec = "secret=*48 usage=client-write-iv" SUITE RANDOMS },
    { "SSL3-KDF key block", .act = act_kdf, .detail = "SSL3-KDF", .before = "104",
      .spec = "secret=*48 " RANDOMS },
    { "SSL3-KDF master secret", .act = act_kdf, .detail = "SSL3-KDF", .before = "48",
      .spec = "premaster=*48 usage=master-secret " RANDOMS },
    { "SSL3-KDF PRF", .act = act_kdf, .detail = "SSL3-KDF", .before = "48",
      .spec = "secret=*48 usage=prf seed=*40" },
    { "SSL2-KDF", .act = act_kdf, .detail = "SSL2-KDF", .before = "32",
      .spec = "secret=*16 clear-key=*11 " RANDOMS },
    { "PCT1-KDF", .act = act_kdf, .detail = "PCT1-KDF", .before = "16",
      .spec = "secret=*16 usage=client-write-key cipher=RC4 digest=MD5 certificate=*300 " RANDOMS },
    { "CRYPTDERIVEKEY", .act = act_kdf, .detail = "CRYPTDERIVEKEY", .before = "32",
      .spec = "pass=secret digest=SHA1 cipher=AES-256-CBC" },
    { "CRYPTDERIVEKEY of a hash", .act = act_kdf, .detail = "CRYPTDERIVEKEY", .before = "16",
      .spec = "hash=*20 digest=SHA1 cipher=RC4 cipher-bits=#40 salt-mode=zero usage=cipher-key" },
    { "CRYPTDERIVEKEY with MD4", .act = act_kdf, .detail = "CRYPTDERIVEKEY", .before = "16",
      .spec = "pass=secret digest=MD4 cipher=RC4" },

    { "duplicate TLS1-KDF", .prepare = prepare_kdf, .act = act_kdf_duplicate, .detail = "TLS1-KDF",
      .before = "60", .spec = "secret=*48 " PRF },
    { "duplicate TLS1-KDF with a premaster", .prepare = prepare_kdf, .act = act_kdf_duplicate,
      .detail = "TLS1-KDF", .before = "104", .spec = "premaster=*48 " RANDOMS },
    { "duplicate PCT1-KDF", .prepare = prepare_kdf, .act = act_kdf_duplicate, .detail = "PCT1-KDF",
      .before = "16",
      .spec = "secret=*16 usage=client-write-key cipher=RC4 digest=MD5 certificate=*300 " RANDOMS },
    { "duplicate CRYPTDERIVEKEY", .prepare = prepare_kdf, .act = act_kdf_duplicate,
      .detail = "CRYPTDERIVEKEY", .before = "32",
      .spec = "pass=secret digest=SHA1 cipher=AES-256-CBC" },
    { "set parameters of TLS1-KDF", .prepare = prepare_kdf, .act = act_kdf_set,
      .detail = "TLS1-KDF", .before = "60", .spec = "secret=*48 " PRF },
    { "set parameters of CRYPTDERIVEKEY", .prepare = prepare_kdf, .act = act_kdf_set,
      .detail = "CRYPTDERIVEKEY", .before = "32",
      .spec = "pass=secret digest=SHA1 cipher=AES-256-CBC" },

    { "derive PRF", "alg=TLS1-MASTER secret=*48 exportable=#1 " RANDOMS, .act = act_exchange,
      .spec = PRF },
    { "derive Finished of a premaster", "alg=TLS1-MASTER premaster=*48 " RANDOMS,
      .act = act_exchange, .spec = "usage=finished-server handshake=*99" },
    { "derive a key block", "alg=SSL3-MASTER premaster=*48 exportable=#1 " RANDOMS,
      .act = act_exchange, .spec = "usage=key-block keylen=#104" },
    { "duplicate a derivation", "alg=TLS1-MASTER premaster=*48 " RANDOMS, prepare_exchange,
      act_exchange_duplicate, .spec = PRF },
    { "set parameters of a derivation", "alg=TLS1-MASTER premaster=*48 " RANDOMS, prepare_exchange,
      act_exchange_set, .spec = PRF },
};

struct operations derivation_operations(void)
{
    return (struct operations){ rows, COUNT(rows) };
}
