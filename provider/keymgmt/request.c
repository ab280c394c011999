/* Collecting what a generation or an import asks for: see request.h. */
#include "keymgmt/request.h"

#include <string.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "blob/opaque.h"
#include "params.h"
#include "schannel/names.h"
#include "skey_dispatch.h"

#define MAX_BITS 4096

static int set_algorithm(const struct provctx *provctx, struct request *request,
                         const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];
    const struct key_algorithm *algorithm;

    if (!params_get_name(provctx->errors, param, name, sizeof(name)))
        return 0;
    if ((algorithm = key_algorithm_by_name(name)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_ALGORITHM,
                     "alg: expected " KEY_ALGORITHM_NAMES ", got \"%s\"", name);
    request->algorithm = algorithm;
    return 1;
}

static int set_bits(const struct provctx *provctx, struct request *request, const OSSL_PARAM *param)
{
    uint64_t number;

    if (!params_get_number(provctx->errors, param, 1, MAX_BITS, &number))
        return 0;
    request->bits = (unsigned)number;
    return 1;
}

static int set_effective_bits(const struct provctx *provctx, struct request *request,
                              const OSSL_PARAM *param)
{
    uint64_t number;

    if (!params_get_number(provctx->errors, param, 1, CIPHER_VALUE_MAX_EFFECTIVE_BITS, &number))
        return 0;
    request->effective_bits = (unsigned)number;
    return 1;
}

static int set_highest_version(const struct provctx *provctx, struct request *request,
                               const OSSL_PARAM *param)
{
    return params_get_version(provctx->errors, param, &request->highest_version);
}

static int set_usage(const struct provctx *provctx, struct request *request,
                     const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];
    enum key_usage usage;

    if (!params_get_name(provctx->errors, param, name, sizeof(name)))
        return 0;
    if ((usage = key_usage_by_name(name)) == KEY_USAGE_NONE)
        return RAISE(provctx->errors, SCHANNEL_R_UNKNOWN_USAGE,
                     "usage: expected client-write-key, server-write-key, client-write-mac or "
                     "server-write-mac, got \"%s\"",
                     name);
    request->usage = usage;
    return 1;
}

static int set_salt_mode(const struct provctx *provctx, struct request *request,
                         const OSSL_PARAM *param)
{
    return salt_mode_from_param(provctx, param, 1, &request->salt_mode);
}

/* Replaces an owned copy of bytes. */
static int set_bytes(const struct provctx *provctx, const OSSL_PARAM *param, size_t most,
                     uint8_t **data, size_t *size)
{
    struct octets value;
    uint8_t *copy;

    if (!params_get_octets(provctx->errors, param, 1, most, &value))
        return 0;
    if ((copy = OPENSSL_memdup(value.data, value.size)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory for it", param->key);
    OPENSSL_clear_free(*data, *size);
    *data = copy;
    *size = value.size;
    return 1;
}

static int set_secret(const struct provctx *provctx, struct request *request,
                      const OSSL_PARAM *param)
{
    return set_bytes(provctx, param, MASTER_VALUE_MAX_PREMASTER_SIZE, &request->secret,
                     &request->secret_size);
}

static int set_premaster(const struct provctx *provctx, struct request *request,
                         const OSSL_PARAM *param)
{
    return set_bytes(provctx, param, MASTER_VALUE_MAX_PREMASTER_SIZE, &request->premaster,
                     &request->premaster_size);
}

static int set_opaque_blob(const struct provctx *provctx, struct request *request,
                           const OSSL_PARAM *param)
{
    return set_bytes(provctx, param, OPAQUE_BLOB_MAX_SIZE, &request->opaque_blob,
                     &request->opaque_blob_size);
}

static int set_iv(const struct provctx *provctx, struct request *request, const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(provctx->errors, param, 1, sizeof(request->iv), &value))
        return 0;
    memcpy(request->iv, value.data, value.size);
    request->iv_size = (uint8_t)value.size;
    return 1;
}

static int set_salt(const struct provctx *provctx, struct request *request, const OSSL_PARAM *param)
{
    struct octets value;

    if (!params_get_octets(provctx->errors, param, sizeof(request->salt), sizeof(request->salt),
                           &value))
        return 0;
    memcpy(request->salt, value.data, value.size);
    request->salt_size = (uint8_t)value.size;
    return 1;
}

static int set_password(const struct provctx *provctx, struct request *request,
                        const OSSL_PARAM *param)
{
    return password_set(provctx, &request->password, param);
}

/* Passwords have more digests than MAC keys and derivations. */
static int set_digest(const struct provctx *provctx, struct request *request,
                      const OSSL_PARAM *param)
{
    if (!password_set(provctx, &request->password, param))
        return 0;
    request->derivation.digest = digest_from_name(request->password.digest);
    return 1;
}

static int set_sequence(const struct provctx *provctx, struct request *request,
                        const OSSL_PARAM *param)
{
    if (!params_get_number(provctx->errors, param, 0, UINT64_MAX, &request->sequence))
        return 0;
    request->has_sequence = 1;
    return 1;
}

static int set_exportable(const struct provctx *provctx, struct request *request,
                          const OSSL_PARAM *param)
{
    int flag;

    if (!params_get_flag(provctx->errors, param, &flag))
        return 0;
    request->has_exportable = 1;
    request->exportable = (uint8_t)flag;
    return 1;
}

static int set_fork(const struct provctx *provctx, struct request *request, const OSSL_PARAM *param)
{
    int allowed;

    if (!params_get_fork(provctx->errors, param, &allowed))
        return 0;
    request->has_fork = 1;
    request->fork_allowed = (uint8_t)allowed;
    return 1;
}

static const struct {
    const char *name;
    int (*set)(const struct provctx *, struct request *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_ALG, set_algorithm },
    { SCHANNEL_PARAM_BITS, set_bits },
    { SCHANNEL_PARAM_EFFECTIVE_BITS, set_effective_bits },
    { SCHANNEL_PARAM_HIGHEST_VERSION, set_highest_version },
    { SCHANNEL_PARAM_USAGE, set_usage },
    { SCHANNEL_PARAM_SALT_MODE, set_salt_mode },
    { SCHANNEL_PARAM_SECRET, set_secret },
    { SCHANNEL_PARAM_PREMASTER, set_premaster },
    { SCHANNEL_PARAM_OPAQUE_BLOB, set_opaque_blob },
    { SCHANNEL_PARAM_IV, set_iv },
    { SCHANNEL_PARAM_SALT, set_salt },
    { SCHANNEL_PARAM_PASS, set_password },
    { SCHANNEL_PARAM_HASH, set_password },
    { SCHANNEL_PARAM_DIGEST, set_digest },
    { SCHANNEL_PARAM_SEQUENCE, set_sequence },
    { SCHANNEL_PARAM_EXPORTABLE, set_exportable },
    { SCHANNEL_PARAM_FORK, set_fork },
};

static int copy_bytes(uint8_t **to, const uint8_t *from, size_t size)
{
    *to = from == NULL ? NULL : OPENSSL_memdup(from, size);
    return from == NULL || *to != NULL;
}

/* A deep copy, so that a refused parameter leaves the request as it was. */
static int copy_request(struct request *to, const struct request *from)
{
    *to = *from;
    to->secret = to->premaster = to->opaque_blob = NULL;
    memset(&to->password, 0, sizeof(to->password));
    memset(&to->options, 0, sizeof(to->options));
    derivation_copy(&to->derivation, &from->derivation);
    if (copy_bytes(&to->secret, from->secret, from->secret_size) &&
        copy_bytes(&to->premaster, from->premaster, from->premaster_size) &&
        copy_bytes(&to->opaque_blob, from->opaque_blob, from->opaque_blob_size) &&
        password_copy(&to->password, &from->password) &&
        blob_options_copy(&to->options, &from->options))
        return 1;
    request_clear(to);
    return 0;
}

/* A parameter of the request's own, or one of a derivation; others are left alone. */
static int set_one(const struct provctx *provctx, struct request *request, const OSSL_PARAM *param)
{
    const OSSL_PARAM alone[] = { *param, OSSL_PARAM_END };

    for (size_t n = 0; n < sizeof(setters) / sizeof(setters[0]); n++) {
        if (strcmp(param->key, setters[n].name) == 0)
            return setters[n].set(provctx, request, param);
    }
    return derivation_set(provctx, KEY_PROTOCOL_NONE, &request->derivation, alone);
}

int request_set(const struct provctx *provctx, struct request *request, const OSSL_PARAM params[])
{
    struct request changed;
    int ok;

    if (params == NULL || params->key == NULL)
        return 1;
    if (!copy_request(&changed, request))
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for the parameters");
    ok = blob_options_set(provctx, &changed.options, OPTIONS_EXPORT, params);
    for (const OSSL_PARAM *param = params; ok && param->key != NULL; param++)
        ok = set_one(provctx, &changed, param);
    if (!ok) {
        request_clear(&changed);
        return 0;
    }
    request_clear(request);
    *request = changed;
    /* the copy has the hash of a password */
    OPENSSL_cleanse(&changed, sizeof(changed));
    return 1;
}

void request_clear(struct request *request)
{
    OPENSSL_clear_free(request->secret, request->secret_size);
    OPENSSL_clear_free(request->premaster, request->premaster_size);
    OPENSSL_free(request->opaque_blob);
    password_clear(&request->password);
    blob_options_clear(&request->options);
    derivation_clear(&request->derivation);
    memset(request, 0, sizeof(*request));
}

#define KEY_TYPES                                                                                  \
    OSSL_PARAM_utf8_string(SCHANNEL_PARAM_ALG, NULL, 0),                                           \
        OSSL_PARAM_uint(SCHANNEL_PARAM_BITS, NULL),                                                \
        OSSL_PARAM_uint(SCHANNEL_PARAM_EFFECTIVE_BITS, NULL),                                      \
        OSSL_PARAM_uint(SCHANNEL_PARAM_HIGHEST_VERSION, NULL),                                     \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SECRET, NULL, 0),                                   \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_PREMASTER, NULL, 0),                                \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_IV, NULL, 0),                                       \
        OSSL_PARAM_octet_string(SCHANNEL_PARAM_SALT, NULL, 0),                                     \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_SALT_MODE, NULL, 0),                                 \
        OSSL_PARAM_uint64(SCHANNEL_PARAM_SEQUENCE, NULL),                                          \
        OSSL_PARAM_uint(SCHANNEL_PARAM_EXPORTABLE, NULL),                                          \
        OSSL_PARAM_utf8_string(SCHANNEL_PARAM_FORK, NULL, 0), BLOB_OPTIONS_EXPORT,                 \
        DERIVATION_SETTABLE

#define SKEY_TYPES                                                                                 \
    KEY_TYPES, OSSL_PARAM_octet_string(SKEY_PARAM_RAW_BYTES, NULL, 0),                             \
        OSSL_PARAM_size_t(SKEY_PARAM_KEY_LENGTH, NULL)

const OSSL_PARAM request_import_types[] = {
    KEY_TYPES, OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0), OSSL_PARAM_END
};

const OSSL_PARAM request_generation_types[] = {
    KEY_TYPES, OSSL_PARAM_utf8_string(SCHANNEL_PARAM_USAGE, NULL, 0), PASSWORD_SETTABLE,
    OSSL_PARAM_END
};

const OSSL_PARAM request_skey_import_types[] = {
    SKEY_TYPES, OSSL_PARAM_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0),
    OSSL_PARAM_octet_string(SCHANNEL_PARAM_KEY_HANDLE, NULL, 0), OSSL_PARAM_END
};

const OSSL_PARAM request_skey_generation_types[] = { SKEY_TYPES, OSSL_PARAM_END };
