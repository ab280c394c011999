/*
 * EVP_KDF "PCT1-KDF", "SSL2-KDF", "SSL3-KDF" and "TLS1-KDF": the derivations of the four protocols
 * without key objects.
 *
 * This file collects the parameters and checks sizes; what "usage" names is kdf/usages.
 * Referenced by algorithms.c.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <stddef.h>
#include <string.h>
#include "dispatch.h"
#include "kdf/from_master.h"
#include "kdf/kdf.h"
#include "kdf/session_key.h"
#include "params.h"
#include "schannel/names.h"
#include "skey_dispatch.h"
#include "trace.h"

#define MAX_INPUT_SIZE 65535 /* secret, label and seed; the handshake may have any length */

static OSSL_FUNC_kdf_reset_fn kdf_reset;
static OSSL_FUNC_kdf_settable_ctx_params_fn kdf_settable_ctx_params;
static OSSL_FUNC_kdf_get_ctx_params_fn kdf_get_ctx_params;
static OSSL_FUNC_kdf_gettable_ctx_params_fn kdf_gettable_ctx_params;

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
    input->data = copy;
    input->size = value.size;
    return 1;
}

static int input_copy(struct input *to, const struct input *from)
{
    to->data = NULL;
    return from->data == NULL || input_set(to, (struct octets){ from->data, from->size });
}

/* ---- the context ---- */

struct kdf *kdf_new(struct provctx *provctx, enum key_protocol protocol)
{
    struct kdf *kdf = OPENSSL_zalloc(sizeof(*kdf));

    if (kdf == NULL) {
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a KDF context");
        return NULL;
    }
    kdf->provctx = provctx;
    kdf->protocol = protocol;
    kdf->usage = kdf_default_usage();
    return kdf;
}

void kdf_forget_master(struct kdf *kdf)
{
    key_free(kdf->master);
    kdf->master = NULL;
}

static void kdf_reset(void *vkdf)
{
    struct kdf *kdf = vkdf;
    struct provctx *provctx = kdf->provctx;
    enum key_protocol protocol = kdf->protocol;

    kdf_forget_master(kdf);
    derivation_clear(&kdf->derivation);
    input_clear(&kdf->secret);
    input_clear(&kdf->premaster);
    input_clear(&kdf->label);
    input_clear(&kdf->seed);
    OPENSSL_cleanse(kdf, sizeof(*kdf));
    kdf->provctx = provctx;
    kdf->protocol = protocol;
    kdf->usage = kdf_default_usage();
}

void kdf_free(void *vkdf)
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

void *kdf_dup(void *vkdf)
{
    const struct kdf *kdf = vkdf;
    struct kdf *copy = kdf_new(kdf->provctx, kdf->protocol);

    if (copy == NULL)
        return NULL;
    *copy = *kdf;
    if (copy->master != NULL)
        key_up_ref(copy->master);
    derivation_copy(&copy->derivation, &kdf->derivation);
    if (copy_inputs(copy, kdf))
        return copy;
    kdf_free(copy);
    RAISE(kdf->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a KDF context");
    return NULL;
}

/* A parameter that is missing or wrong is told by the derivation itself, which says it better. */
static int check_size(const struct kdf *kdf, size_t size)
{
    size_t expected, most;

    if (size == 0)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "keylen: nothing was asked for");
    if (kdf->usage->size != NULL) {
        if (!kdf->usage->size(kdf->provctx->errors, kdf, &expected))
            return 0;
        return size == expected ||
               RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                     "keylen: usage %s gives %zu bytes with these parameters, not %zu",
                     kdf->usage->name, expected, size);
    }
    most = kdf->usage->most(kdf);
    return size <= most || RAISE(kdf->provctx->errors, SCHANNEL_R_INVALID_LENGTH,
                                 "keylen: usage %s of %s gives at most %zu bytes, not %zu",
                                 kdf->usage->name, key_protocol_name(kdf->protocol), most, size);
}

int kdf_check_one_secret(const struct kdf *kdf)
{
    return kdf->master == NULL || (kdf->secret.data == NULL && kdf->premaster.data == NULL) ||
           RAISE(kdf->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                 "%s: excluded by the EVP_SKEY, which is the master key",
                 kdf->secret.data != NULL ? SCHANNEL_PARAM_SECRET : SCHANNEL_PARAM_PREMASTER);
}

int kdf_derive(void *vkdf, unsigned char *key, size_t size, const OSSL_PARAM params[])
{
    struct kdf *kdf = vkdf;

    if (!kdf_set_ctx_params(kdf, params) || !kdf_usage_check(kdf, kdf->usage) ||
        !kdf_check_one_secret(kdf) || !check_size(kdf, size))
        return 0;
    trace_write(kdf->provctx->trace, "%s-KDF: %s, %zu bytes", protocol_rules(kdf->protocol)->prefix,
                kdf->usage->name, size);
    return kdf->master != NULL ? kdf_from_master(kdf, kdf->master, key, size)
                               : kdf->usage->derive(kdf, kdf->usage, key, size);
}

/* ---- parameters ---- */

/* Replaces an input; what was there before this call is kept, in case that it fails. */
static int set_input(struct kdf *kdf, size_t offset, size_t least, const OSSL_PARAM *param)
{
    struct input *input = (struct input *)((char *)kdf + offset);
    const struct input *before = (const struct input *)((const char *)kdf->before + offset);
    struct input made;
    struct octets value;

    if (!params_get_octets(kdf->provctx->errors, param, least, MAX_INPUT_SIZE, &value))
        return 0;
    if (!input_set(&made, value))
        return RAISE(kdf->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory for it",
                     param->key);
    if (input->data != before->data)
        input_clear(input);
    *input = made;
    return 1;
}

static void prepare_secret(struct kdf *kdf)
{
    if (kdf->protocol == KEY_PROTOCOL_TLS1)
        tls1_secret_init(&kdf->tls1_secret, (struct octets){ kdf->secret.data, kdf->secret.size });
}

int kdf_set_secret(struct kdf *kdf, struct octets secret)
{
    input_clear(&kdf->secret);
    if (!input_set(&kdf->secret, secret))
        return RAISE(kdf->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "secret: no memory for it");
    prepare_secret(kdf);
    return 1;
}

static int set_secret(struct kdf *kdf, const OSSL_PARAM *param)
{
    if (!set_input(kdf, offsetof(struct kdf, secret), 0, param))
        return 0;
    prepare_secret(kdf);
    return 1;
}

static int set_premaster(struct kdf *kdf, const OSSL_PARAM *param)
{
    return set_input(kdf, offsetof(struct kdf, premaster), 1, param);
}

static int set_label(struct kdf *kdf, const OSSL_PARAM *param)
{
    return set_input(kdf, offsetof(struct kdf, label), 0, param);
}

static int set_seed(struct kdf *kdf, const OSSL_PARAM *param)
{
    return set_input(kdf, offsetof(struct kdf, seed), 0, param);
}

static int set_usage(struct kdf *kdf, const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];
    const struct kdf_usage *usage;

    if (!params_get_name(kdf->provctx->errors, param, name, sizeof(name)))
        return 0;
    if ((usage = kdf_usage_by_name(name)) == NULL)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_UNKNOWN_USAGE,
                     "usage: expected client-write-key, server-write-key, client-write-mac, "
                     "server-write-mac, client-write-iv, server-write-iv, key-block, "
                     "master-secret, prf, finished-client, finished-server or certificate-verify, "
                     "got \"%s\"",
                     name);
    if (!kdf_usage_check(kdf, usage))
        return 0;
    kdf->usage = usage;
    return 1;
}

static int set_handshake(struct kdf *kdf, const OSSL_PARAM *param)
{
    struct octets value;
    struct digest_state state;

    if (!params_get_octets(kdf->provctx->errors, param, 0, SIZE_MAX, &value))
        return 0;
    digest_init(&kdf->handshake_md5, DIGEST_MD5);
    digest_update(&kdf->handshake_md5, value.data, value.size);
    digest_init(&kdf->handshake_sha1, DIGEST_SHA1);
    digest_update(&kdf->handshake_sha1, value.data, value.size);
    kdf->has_handshake = 1;
    state = kdf->handshake_md5;
    digest_final(&state, kdf->handshake_hash);
    state = kdf->handshake_sha1;
    digest_final(&state, kdf->handshake_hash + digest_size(DIGEST_MD5));
    kdf->has_handshake_hash = 1;
    return 1;
}

static int set_handshake_hash(struct kdf *kdf, const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(kdf->provctx->errors, param, sizeof(kdf->handshake_hash),
                           sizeof(kdf->handshake_hash), &value))
        return 0;
    memcpy(kdf->handshake_hash, value.data, value.size);
    kdf->has_handshake_hash = 1;
    return 1;
}

#define PREMASTER_PROTOCOLS (1u << KEY_PROTOCOL_SSL3 | 1u << KEY_PROTOCOL_TLS1)
#define TLS1_ONLY           (1u << KEY_PROTOCOL_TLS1)
#define ALL_PROTOCOLS       (~0u)

/* Each parameter, and the protocols that have a use for it. */
static const struct {
    const char *name;
    unsigned protocols;
    int (*set)(struct kdf *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_SECRET, ALL_PROTOCOLS, set_secret },
    { SCHANNEL_PARAM_PREMASTER, PREMASTER_PROTOCOLS, set_premaster },
    { SCHANNEL_PARAM_USAGE, ALL_PROTOCOLS, set_usage },
    { SCHANNEL_PARAM_LABEL, PREMASTER_PROTOCOLS, set_label },
    { SCHANNEL_PARAM_SEED, PREMASTER_PROTOCOLS, set_seed },
    { SCHANNEL_PARAM_HANDSHAKE, PREMASTER_PROTOCOLS, set_handshake },
    { SCHANNEL_PARAM_HANDSHAKE_HASH, TLS1_ONLY, set_handshake_hash },
};

#define SETTERS (sizeof(setters) / sizeof(setters[0]))

/* The setter of |param|, SETTERS when it has none here. */
static size_t setter_of(const OSSL_PARAM *param)
{
    size_t n = 0;

    while (n < SETTERS && !params_is(param, setters[n].name))
        n++;
    return n;
}

static int set_one(struct kdf *kdf, const OSSL_PARAM *param)
{
    const size_t n = setter_of(param);

    if (n == SETTERS)
        return 1;
    if ((setters[n].protocols >> kdf->protocol & 1) == 0)
        return RAISE(kdf->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "%s: %s has none, leave it out", param->key, key_protocol_name(kdf->protocol));
    return setters[n].set(kdf, param);
}

/* Do |params| belong to the derivation alone?  Those of a new connection under one secret do. */
static int is_derivation_only(const OSSL_PARAM params[])
{
    for (; params->key != NULL; params++) {
        if (setter_of(params) != SETTERS)
            return 0;
    }
    return 1;
}

static int set_all(struct kdf *kdf, const OSSL_PARAM params[])
{
    if (!derivation_set(kdf->provctx, kdf->protocol, &kdf->derivation, params))
        return 0;
    for (; params->key != NULL; params++) {
        if (!set_one(kdf, params))
            return 0;
    }
    return 1;
}

/* Frees what |kdf| owns and |other| does not. */
static void free_difference(struct kdf *kdf, const struct kdf *other)
{
    struct input *const own[] = { &kdf->secret, &kdf->premaster, &kdf->label, &kdf->seed };
    const struct input *const others[] = { &other->secret, &other->premaster, &other->label,
                                           &other->seed };

    for (size_t n = 0; n < sizeof(own) / sizeof(own[0]); n++) {
        if (own[n]->data != others[n]->data)
            input_clear(own[n]);
    }
}

/* All or nothing: a refused parameter leaves the context as it was.  What is replaced is kept until
 * everything is known to be good. */
int kdf_set_ctx_params(void *vkdf, const OSSL_PARAM params[])
{
    struct kdf *kdf = vkdf;
    struct kdf before;
    int ok;

    if (params == NULL || params->key == NULL)
        return 1;
    if (is_derivation_only(params))
        return derivation_set(kdf->provctx, kdf->protocol, &kdf->derivation, params);
    before = *kdf;
    kdf->before = &before;
    shared_octets_up_ref(before.derivation.clear_key);
    shared_octets_up_ref(before.derivation.certificate);
    if ((ok = set_all(kdf, params))) {
        free_difference(&before, kdf);
        derivation_clear(&before.derivation);
    } else {
        free_difference(kdf, &before);
        derivation_clear(&kdf->derivation);
        *kdf = before;
    }
    kdf->before = NULL;
    /* the copy has a running hash of the handshake */
    OPENSSL_cleanse(&before, sizeof(before));
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

/* The one size that the output can have, or the largest. */
static int kdf_get_ctx_params(void *vkdf, OSSL_PARAM params[])
{
    const struct kdf *kdf = vkdf;
    OSSL_PARAM *param = OSSL_PARAM_locate(params, OSSL_KDF_PARAM_SIZE);
    size_t size;

    if (param == NULL)
        return 1;
    if (!kdf_usage_check(kdf, kdf->usage))
        return 0;
    if (kdf->usage->size == NULL)
        size = kdf->usage->most(kdf);
    else if (!kdf->usage->size(kdf->provctx->errors, kdf, &size))
        return 0;
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

static void *pct1_kdf_new(void *provctx)
{
    return kdf_new(provctx, KEY_PROTOCOL_PCT1);
}

static void *ssl2_kdf_new(void *provctx)
{
    return kdf_new(provctx, KEY_PROTOCOL_SSL2);
}

static void *ssl3_kdf_new(void *provctx)
{
    return kdf_new(provctx, KEY_PROTOCOL_SSL3);
}

static void *tls1_kdf_new(void *provctx)
{
    return kdf_new(provctx, KEY_PROTOCOL_TLS1);
}

#define KDF_FUNCTIONS(new_function)                                                                \
    {                                                                                              \
        { OSSL_FUNC_KDF_NEWCTX, (void (*)(void))new_function },                                    \
            { OSSL_FUNC_KDF_FREECTX, (void (*)(void))kdf_free },                                   \
            { OSSL_FUNC_KDF_RESET, (void (*)(void))kdf_reset },                                    \
            { OSSL_FUNC_KDF_DUPCTX, (void (*)(void))kdf_dup },                                     \
            { OSSL_FUNC_KDF_DERIVE, (void (*)(void))kdf_derive },                                  \
            { OSSL_FUNC_KDF_SET_SKEY, (void (*)(void))kdf_set_skey },                              \
            { OSSL_FUNC_KDF_DERIVE_SKEY, (void (*)(void))kdf_derive_skey },                        \
            { OSSL_FUNC_KDF_SET_CTX_PARAMS, (void (*)(void))kdf_set_ctx_params },                  \
            { OSSL_FUNC_KDF_SETTABLE_CTX_PARAMS, (void (*)(void))kdf_settable_ctx_params },        \
            { OSSL_FUNC_KDF_GET_CTX_PARAMS, (void (*)(void))kdf_get_ctx_params },                  \
            { OSSL_FUNC_KDF_GETTABLE_CTX_PARAMS, (void (*)(void))kdf_gettable_ctx_params },        \
        {                                                                                          \
            0, NULL                                                                                \
        }                                                                                          \
    }

const OSSL_DISPATCH schannel_pct1_kdf_functions[] = KDF_FUNCTIONS(pct1_kdf_new);
const OSSL_DISPATCH schannel_ssl2_kdf_functions[] = KDF_FUNCTIONS(ssl2_kdf_new);
const OSSL_DISPATCH schannel_ssl3_kdf_functions[] = KDF_FUNCTIONS(ssl3_kdf_new);
const OSSL_DISPATCH schannel_tls1_kdf_functions[] = KDF_FUNCTIONS(tls1_kdf_new);
