/*
 * EVP_KDF "TLS1-KDF": the derivations of TLS 1.0 and 1.1 without key objects.
 *
 * The formulas are protocol/tls1; this file collects parameters, checks that they fit together and
 * picks the formula that "usage" names.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include <strings.h>
#include "dispatch.h"
#include "key/derivation.h"
#include "params.h"
#include "protocol/tls1.h"
#include "provctx.h"
#include "schannel/names.h"

#define MAX_INPUT_SIZE 65535 /* secret, label and seed; the handshake may have any length */

static OSSL_FUNC_kdf_newctx_fn kdf_new;
static OSSL_FUNC_kdf_freectx_fn kdf_free;
static OSSL_FUNC_kdf_reset_fn kdf_reset;
static OSSL_FUNC_kdf_dupctx_fn kdf_dup;
static OSSL_FUNC_kdf_derive_fn kdf_derive;
static OSSL_FUNC_kdf_set_ctx_params_fn kdf_set_ctx_params;
static OSSL_FUNC_kdf_settable_ctx_params_fn kdf_settable_ctx_params;
static OSSL_FUNC_kdf_get_ctx_params_fn kdf_get_ctx_params;
static OSSL_FUNC_kdf_gettable_ctx_params_fn kdf_gettable_ctx_params;

/* An owned copy of a parameter; |data| NULL: not set. */
struct input {
    uint8_t *data;
    size_t size;
};

struct kdf;

/* One value of "usage". */
struct kdf_usage {
    const char *name;
    int (*derive)(const struct kdf *, const struct kdf_usage *, uint8_t *out, size_t size);
    /* The only size the output can have, 0 when that cannot be told yet; NULL: any size. */
    size_t (*size)(const struct kdf *);
    enum tls1_side side;
};

struct kdf {
    struct provctx *provctx;
    const struct kdf_usage *usage;
    struct derivation derivation;
    struct input secret, premaster, label, seed;
    uint8_t has_handshake_hash;
    uint8_t handshake_hash[TLS1_HANDSHAKE_HASH_SIZE];
};

/* ---- inputs ---- */

static void input_clear(struct input *input)
{
    OPENSSL_clear_free(input->data, input->size);
    input->data = NULL;
    input->size = 0;
}

static int input_set(struct input *input, struct octets value)
{
    /* One byte more, so that an empty input is not the same as none. */
    uint8_t *copy = OPENSSL_malloc(value.size + 1);

    if (copy == NULL)
        return 0;
    if (value.size != 0)
        memcpy(copy, value.data, value.size);
    input_clear(input);
    input->data = copy;
    input->size = value.size;
    return 1;
}

static int input_copy(struct input *to, const struct input *from)
{
    to->data = NULL;
    return from->data == NULL || input_set(to, (struct octets){ from->data, from->size });
}

static struct octets input_octets(const struct input *input)
{
    return (struct octets){ input->data, input->size };
}

/* ---- the usages ---- */

static int check_master_size(const struct kdf *kdf)
{
    if (kdf->secret.data == NULL)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "secret: neither the master secret nor a premaster is set");
    if (kdf->secret.size != TLS1_MASTER_SECRET_SIZE)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "secret: expected the %d bytes of a master secret, got %zu",
                     TLS1_MASTER_SECRET_SIZE, kdf->secret.size);
    return 1;
}

/* The master secret, given or made from the premaster secret.  The caller cleanses it. */
static int get_master(const struct kdf *kdf, uint8_t master[TLS1_MASTER_SECRET_SIZE])
{
    const struct derivation *derivation = &kdf->derivation;

    if (kdf->premaster.data == NULL) {
        if (!check_master_size(kdf))
            return 0;
        memcpy(master, kdf->secret.data, TLS1_MASTER_SECRET_SIZE);
        return 1;
    }
    if (kdf->secret.data != NULL)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "premaster: excludes secret, which is the master secret");
    if (!derivation_check_randoms(kdf->provctx, derivation))
        return 0;
    tls1_master_secret(input_octets(&kdf->premaster),
                       derivation_random_octets(&derivation->client_random),
                       derivation_random_octets(&derivation->server_random), master);
    return 1;
}

static int derive_key_block(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                            size_t size)
{
    uint8_t master[TLS1_MASTER_SECRET_SIZE];

    (void)usage;
    if (!derivation_check_randoms(kdf->provctx, &kdf->derivation) || !get_master(kdf, master))
        return 0;
    tls1_key_block(master, derivation_random_octets(&kdf->derivation.client_random),
                   derivation_random_octets(&kdf->derivation.server_random), out, size);
    OPENSSL_cleanse(master, sizeof(master));
    return 1;
}

static int derive_master_secret(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                                size_t size)
{
    (void)usage;
    (void)size;
    if (kdf->premaster.data == NULL)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "premaster: is not set, and the master secret is made from it");
    return get_master(kdf, out);
}

static int derive_mac(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                      size_t size)
{
    struct tls1_connection connection;
    struct bulk_cipher_sizes sizes;
    uint8_t master[TLS1_MASTER_SECRET_SIZE];
    int ok;

    (void)size;
    if (!derivation_tls1_connection(kdf->provctx, &kdf->derivation, 1, &connection, &sizes) ||
        !get_master(kdf, master))
        return 0;
    ok = tls1_mac_secret(master, &connection, usage->side, out);
    OPENSSL_cleanse(master, sizeof(master));
    return ok;
}

/* Key or IV of one side: |want_iv| says which. */
static int derive_write(const struct kdf *kdf, enum tls1_side side, int want_iv, uint8_t *out)
{
    struct tls1_connection connection;
    struct bulk_cipher_sizes sizes;
    uint8_t master[TLS1_MASTER_SECRET_SIZE];
    int ok;

    if (!derivation_tls1_connection(kdf->provctx, &kdf->derivation, 0, &connection, &sizes))
        return 0;
    if (want_iv && sizes.iv == 0)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_UNKNOWN_USAGE, "usage: %s has no IV",
                     kdf->derivation.cipher->name);
    if (!get_master(kdf, master))
        return 0;
    ok = tls1_write_key(master, &connection, side, want_iv ? NULL : out, want_iv ? out : NULL);
    OPENSSL_cleanse(master, sizeof(master));
    return ok || RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                       "cipher-bits: %s has no such key", kdf->derivation.cipher->name);
}

static int derive_key(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                      size_t size)
{
    (void)size;
    return derive_write(kdf, usage->side, 0, out);
}

static int derive_iv(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                     size_t size)
{
    (void)size;
    return derive_write(kdf, usage->side, 1, out);
}

static int derive_prf(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                      size_t size)
{
    uint8_t master[TLS1_MASTER_SECRET_SIZE];
    struct octets secret = input_octets(&kdf->secret);

    (void)usage;
    if (kdf->seed.data == NULL)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "seed: is not set, but the PRF needs it");
    if (kdf->premaster.data != NULL) {
        if (!get_master(kdf, master))
            return 0;
        secret = (struct octets){ master, sizeof(master) };
    } else if (kdf->secret.data == NULL) {
        return RAISE(kdf->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "secret: is not set, but the PRF needs it");
    }
    tls1_prf(secret, input_octets(&kdf->label), input_octets(&kdf->seed),
             (struct octets){ NULL, 0 }, out, size);
    OPENSSL_cleanse(master, sizeof(master));
    return 1;
}

static int derive_finished(const struct kdf *kdf, const struct kdf_usage *usage, uint8_t *out,
                           size_t size)
{
    uint8_t master[TLS1_MASTER_SECRET_SIZE];

    if (!kdf->has_handshake_hash)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "handshake: neither the handshake messages nor handshake-hash is set");
    if (!get_master(kdf, master))
        return 0;
    tls1_finished(master, usage->side, kdf->handshake_hash, out, size);
    OPENSSL_cleanse(master, sizeof(master));
    return 1;
}

static size_t master_size(const struct kdf *kdf)
{
    (void)kdf;
    return TLS1_MASTER_SECRET_SIZE;
}

static size_t mac_size(const struct kdf *kdf)
{
    return digest_size(kdf->derivation.digest);
}

static int write_sizes(const struct kdf *kdf, struct bulk_cipher_sizes *sizes)
{
    const struct derivation *derivation = &kdf->derivation;

    return derivation->cipher != NULL &&
           bulk_cipher_key_block_sizes(derivation->cipher, derivation->cipher_bits,
                                       derivation->is_export, sizes);
}

static size_t key_size(const struct kdf *kdf)
{
    struct bulk_cipher_sizes sizes;

    return write_sizes(kdf, &sizes) ? sizes.key : 0;
}

static size_t iv_size(const struct kdf *kdf)
{
    struct bulk_cipher_sizes sizes;

    return write_sizes(kdf, &sizes) ? sizes.iv : 0;
}

static const struct kdf_usage usages[] = {
    { SCHANNEL_USAGE_KEY_BLOCK, derive_key_block, NULL, TLS1_CLIENT }, /* the default */
    { SCHANNEL_USAGE_CLIENT_WRITE_KEY, derive_key, key_size, TLS1_CLIENT },
    { SCHANNEL_USAGE_SERVER_WRITE_KEY, derive_key, key_size, TLS1_SERVER },
    { SCHANNEL_USAGE_CLIENT_WRITE_MAC, derive_mac, mac_size, TLS1_CLIENT },
    { SCHANNEL_USAGE_SERVER_WRITE_MAC, derive_mac, mac_size, TLS1_SERVER },
    { SCHANNEL_USAGE_CLIENT_WRITE_IV, derive_iv, iv_size, TLS1_CLIENT },
    { SCHANNEL_USAGE_SERVER_WRITE_IV, derive_iv, iv_size, TLS1_SERVER },
    { SCHANNEL_USAGE_MASTER_SECRET, derive_master_secret, master_size, TLS1_CLIENT },
    { SCHANNEL_USAGE_PRF, derive_prf, NULL, TLS1_CLIENT },
    { SCHANNEL_USAGE_CLIENT_FINISHED, derive_finished, NULL, TLS1_CLIENT },
    { SCHANNEL_USAGE_SERVER_FINISHED, derive_finished, NULL, TLS1_SERVER },
};

/* ---- the context ---- */

static void *kdf_new(void *vprovctx)
{
    struct provctx *provctx = vprovctx;
    struct kdf *kdf = OPENSSL_zalloc(sizeof(*kdf));

    if (kdf == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a TLS1-KDF context");
        return NULL;
    }
    kdf->provctx = provctx;
    kdf->usage = &usages[0];
    return kdf;
}

static void kdf_reset(void *vkdf)
{
    struct kdf *kdf = vkdf;
    struct provctx *provctx = kdf->provctx;

    input_clear(&kdf->secret);
    input_clear(&kdf->premaster);
    input_clear(&kdf->label);
    input_clear(&kdf->seed);
    OPENSSL_cleanse(kdf, sizeof(*kdf));
    kdf->provctx = provctx;
    kdf->usage = &usages[0];
}

static void kdf_free(void *vkdf)
{
    if (vkdf == NULL)
        return;
    kdf_reset(vkdf);
    OPENSSL_free(vkdf);
}

static int copy_inputs(struct kdf *to, const struct kdf *from)
{
    to->secret.data = to->premaster.data = to->label.data = to->seed.data = NULL;
    return input_copy(&to->secret, &from->secret) && input_copy(&to->premaster, &from->premaster) &&
           input_copy(&to->label, &from->label) && input_copy(&to->seed, &from->seed);
}

static void *kdf_dup(void *vkdf)
{
    const struct kdf *kdf = vkdf;
    struct kdf *copy = kdf_new(kdf->provctx);

    if (copy == NULL)
        return NULL;
    *copy = *kdf;
    if (copy_inputs(copy, kdf))
        return copy;
    kdf_free(copy);
    RAISE(kdf->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a TLS1-KDF context");
    return NULL;
}

static int check_size(const struct kdf *kdf, size_t size)
{
    size_t expected;

    if (size == 0)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "keylen: nothing was asked for");
    if (kdf->usage->size == NULL || (expected = kdf->usage->size(kdf)) == 0 || expected == size)
        return 1; /* 0: a parameter is missing or wrong, which the derivation says better */
    return RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                 "keylen: usage %s gives %zu bytes with these parameters, not %zu",
                 kdf->usage->name, expected, size);
}

static int kdf_derive(void *vkdf, unsigned char *key, size_t size, const OSSL_PARAM params[])
{
    struct kdf *kdf = vkdf;

    return kdf_set_ctx_params(kdf, params) && check_size(kdf, size) &&
           kdf->usage->derive(kdf, kdf->usage, key, size);
}

/* ---- parameters ---- */

static int set_input(const struct kdf *kdf, struct input *input, size_t least,
                     const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(kdf->provctx->errors, param, least, MAX_INPUT_SIZE, &value))
        return 0;
    return input_set(input, value) || RAISE(kdf->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                                            "%s: no memory for it", param->key);
}

static int set_secret(struct kdf *kdf, const OSSL_PARAM *param)
{
    return set_input(kdf, &kdf->secret, 0, param);
}

static int set_premaster(struct kdf *kdf, const OSSL_PARAM *param)
{
    return set_input(kdf, &kdf->premaster, 1, param);
}

static int set_label(struct kdf *kdf, const OSSL_PARAM *param)
{
    return set_input(kdf, &kdf->label, 0, param);
}

static int set_seed(struct kdf *kdf, const OSSL_PARAM *param)
{
    return set_input(kdf, &kdf->seed, 0, param);
}

static int set_usage(struct kdf *kdf, const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];

    if (!params_get_name(kdf->provctx->errors, param, name, sizeof(name)))
        return 0;
    for (size_t n = 0; n < sizeof(usages) / sizeof(usages[0]); n++) {
        if (strcasecmp(name, usages[n].name) == 0) {
            kdf->usage = &usages[n];
            return 1;
        }
    }
    return RAISE(kdf->provctx->errors, SCHANNEL_R_UNKNOWN_USAGE,
                 "usage: TLS1-KDF has client-write-key, server-write-key, client-write-mac, "
                 "server-write-mac, client-write-iv, server-write-iv, key-block, master-secret, "
                 "prf, finished-client and finished-server, got \"%s\"",
                 name);
}

static int set_handshake(struct kdf *kdf, const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(kdf->provctx->errors, param, 0, SIZE_MAX, &value))
        return 0;
    tls1_handshake_hash(value, kdf->handshake_hash);
    kdf->has_handshake_hash = 1;
    return 1;
}

static int set_handshake_hash(struct kdf *kdf, const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(kdf->provctx->errors, param, TLS1_HANDSHAKE_HASH_SIZE,
                           TLS1_HANDSHAKE_HASH_SIZE, &value))
        return 0;
    memcpy(kdf->handshake_hash, value.data, value.size);
    kdf->has_handshake_hash = 1;
    return 1;
}

static const struct {
    const char *name;
    int (*set)(struct kdf *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_SECRET, set_secret },
    { SCHANNEL_PARAM_PREMASTER, set_premaster },
    { SCHANNEL_PARAM_USAGE, set_usage },
    { SCHANNEL_PARAM_LABEL, set_label },
    { SCHANNEL_PARAM_SEED, set_seed },
    { SCHANNEL_PARAM_HANDSHAKE, set_handshake },
    { SCHANNEL_PARAM_HANDSHAKE_HASH, set_handshake_hash },
};

static int set_all(struct kdf *kdf, const OSSL_PARAM params[])
{
    if (!derivation_set(kdf->provctx, &kdf->derivation, params))
        return 0;
    for (; params->key != NULL; params++) {
        for (size_t n = 0; n < sizeof(setters) / sizeof(setters[0]); n++) {
            if (strcmp(params->key, setters[n].name) == 0 && !setters[n].set(kdf, params))
                return 0;
        }
    }
    return 1;
}

/* All or nothing: a refused parameter leaves the context as it was. */
static int kdf_set_ctx_params(void *vkdf, const OSSL_PARAM params[])
{
    struct kdf *kdf = vkdf, *changed, swap;
    int ok;

    if (params == NULL || params->key == NULL)
        return 1;
    if ((changed = kdf_dup(kdf)) == NULL)
        return 0;
    if ((ok = set_all(changed, params))) {
        swap = *kdf;
        *kdf = *changed;
        *changed = swap;
        OPENSSL_cleanse(&swap, sizeof(swap));
    }
    kdf_free(changed);
    return ok;
}

static const OSSL_PARAM *kdf_settable_ctx_params(void *vkdf, void *provctx)
{
    static const OSSL_PARAM settable[] = {
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SECRET, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_PREMASTER, NULL, 0),
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_USAGE, NULL, 0),
        DERIVATION_SETTABLE,
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_LABEL, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SEED, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_HANDSHAKE, NULL, 0),
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_HANDSHAKE_HASH, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)vkdf;
    (void)provctx;
    return settable;
}

/* The one size that the output can have, SIZE_MAX when any will do. */
static int kdf_get_ctx_params(void *vkdf, OSSL_PARAM params[])
{
    const struct kdf *kdf = vkdf;
    OSSL_PARAM *param = OSSL_PARAM_locate(params, OSSL_KDF_PARAM_SIZE);
    size_t size;

    if (param == NULL)
        return 1;
    size = kdf->usage->size == NULL ? SIZE_MAX : kdf->usage->size(kdf);
    if (size == 0 && kdf->derivation.cipher == NULL)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_MISSING_PARAMETER,
                     "size: usage %s has no size before cipher or digest is set", kdf->usage->name);
    if (size == 0)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "size: usage %s gives nothing for cipher %s with these parameters",
                     kdf->usage->name, kdf->derivation.cipher->name);
    return params_set_number(kdf->provctx->errors, param, size);
}

static const OSSL_PARAM *kdf_gettable_ctx_params(void *vkdf, void *provctx)
{
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_size_t(OSSL_KDF_PARAM_SIZE, NULL),
        OSSL_PARAM_END,
    };

    (void)vkdf;
    (void)provctx;
    return gettable;
}

const OSSL_DISPATCH schannel_tls1_kdf_functions[] = {
    { OSSL_FUNC_KDF_NEWCTX, (void (*)(void))kdf_new },
    { OSSL_FUNC_KDF_FREECTX, (void (*)(void))kdf_free },
    { OSSL_FUNC_KDF_RESET, (void (*)(void))kdf_reset },
    { OSSL_FUNC_KDF_DUPCTX, (void (*)(void))kdf_dup },
    { OSSL_FUNC_KDF_DERIVE, (void (*)(void))kdf_derive },
    { OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))kdf_set_ctx_params },
    { OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (void (*)(void))kdf_settable_ctx_params },
    { OSSL_FUNC_KDF_GET_CTX_PARAMS, (void (*)(void))kdf_get_ctx_params },
    { OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, (void (*)(void))kdf_gettable_ctx_params },
    { 0, NULL },
};
