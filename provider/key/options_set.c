/* Options of blobs, out of parameters: see options.h. */
#include "key/options.h"

#include <limits.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "blob/sealing_key.h"
#include "params.h"
#include "schannel/names.h"

#define MAX_TEXT_SIZE (PATH_MAX + 8) /* "file:" and a path */
#define MAX_SPKI_SIZE 16384

/* Replaces an owned string by a text of at most |most| bytes, none of which may be missing. */
static int set_text(const struct provctx *provctx, const OSSL_PARAM *param, size_t most, char **to)
{
    char text[MAX_TEXT_SIZE], *copy;

    if (!params_get_name(provctx->errors, param, text, most + 1))
        return 0;
    if (text[0] == '\0')
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_LENGTH, "%s: is empty", param->key);
    if ((copy = OPENSSL_strdup(text)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory for it", param->key);
    OPENSSL_free(*to);
    *to = copy;
    return 1;
}

static int set_octets(const struct provctx *provctx, const OSSL_PARAM *param, size_t most,
                      struct shared_octets **to)
{
    struct octets value;
    struct shared_octets *copy;

    if (!params_get_octets(provctx->errors, param, 1, most, &value))
        return 0;
    if ((copy = shared_octets_new(value)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "%s: no memory for it", param->key);
    shared_octets_free(*to);
    *to = copy;
    return 1;
}

static int set_flag(const struct provctx *provctx, const OSSL_PARAM *param,
                    struct option_flag *flag)
{
    int value;

    if (!params_get_flag(provctx->errors, param, &value))
        return 0;
    flag->is_given = 1;
    flag->value = (uint8_t)value;
    return 1;
}

/* One of |names|, whose index is the value; the first is the one that is not given. */
static int set_choice(const struct provctx *provctx, const OSSL_PARAM *param,
                      const char *const names[], size_t count, const char *expected,
                      unsigned *value)
{
    char name[PARAMS_NAME_SIZE];

    if (!params_get_name(provctx->errors, param, name, sizeof(name)))
        return 0;
    for (size_t n = 1; n < count; n++) {
        if (strcmp(name, names[n]) == 0) {
            *value = (unsigned)n;
            return 1;
        }
    }
    return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER, "%s: expected %s, got \"%s\"",
                 param->key, expected, name);
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const blob_names[] = { NULL, SCHANNEL_BLOB_OPAQUE, SCHANNEL_BLOB_SIMPLE,
                                          SCHANNEL_BLOB_PLAINTEXT, SCHANNEL_BLOB_SIGNED };

static int set_seal_key(const struct provctx *provctx, struct blob_options *options,
                        const OSSL_PARAM *param)
{
    return set_text(provctx, param, MAX_TEXT_SIZE - 1, &options->seal_key) &&
           sealing_key_source_is_valid(provctx->errors, options->seal_key);
}

static int set_audience(const struct provctx *provctx, struct blob_options *options,
                        const OSSL_PARAM *param)
{
    return set_text(provctx, param, OPTIONS_MAX_AUDIENCE, &options->audience);
}

static int set_claim_dir(const struct provctx *provctx, struct blob_options *options,
                         const OSSL_PARAM *param)
{
    /* A relative one would be another directory for each process. */
    return set_text(provctx, param, PATH_MAX - 1, &options->claim_dir) &&
           (options->claim_dir[0] == '/' ||
            RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                  "claim-dir: expected an absolute path, got \"%s\"", options->claim_dir));
}

/* The state of a context has one type; the name is accepted so that one list serves keys too. */
static int set_context_blob(const struct provctx *provctx, struct blob_options *options,
                            const OSSL_PARAM *param)
{
    unsigned type;

    (void)options;
    return set_choice(provctx, param, blob_names, BLOB_TYPE_OPAQUE + 1,
                      "\"" SCHANNEL_BLOB_OPAQUE "\", the state of a context is nothing else",
                      &type);
}

static int set_blob(const struct provctx *provctx, struct blob_options *options,
                    const OSSL_PARAM *param)
{
    unsigned type;

    if (!set_choice(provctx, param, blob_names, COUNT(blob_names),
                    "opaqueblob, simpleblob, plaintextblob or signedblob", &type))
        return 0;
    options->type = (enum blob_type)type;
    return 1;
}

static int set_inner(const struct provctx *provctx, struct blob_options *options,
                     const OSSL_PARAM *param)
{
    unsigned type;

    if (!set_choice(provctx, param, blob_names, BLOB_TYPE_SIGNED,
                    "opaqueblob, simpleblob or plaintextblob", &type))
        return 0;
    options->inner = (enum blob_type)type;
    return 1;
}

static int set_mode(const struct provctx *provctx, struct blob_options *options,
                    const OSSL_PARAM *param)
{
    static const char *const names[] = { NULL, SCHANNEL_BLOB_MODE_SNAPSHOT,
                                         SCHANNEL_BLOB_MODE_TRANSFER };
    unsigned mode;

    if (!set_choice(provctx, param, names, COUNT(names), "snapshot or transfer", &mode))
        return 0;
    options->mode = mode == 1 ? BLOB_MODE_SNAPSHOT : BLOB_MODE_TRANSFER;
    options->has_mode = 1;
    return 1;
}

static int set_seconds(const struct provctx *provctx, const OSSL_PARAM *param, uint32_t most,
                       uint32_t *to)
{
    uint64_t seconds;

    if (!params_get_number(provctx->errors, param, 1, most, &seconds))
        return 0;
    *to = (uint32_t)seconds;
    return 1;
}

static int set_lifetime(const struct provctx *provctx, struct blob_options *options,
                        const OSSL_PARAM *param)
{
    return set_seconds(provctx, param, OPTIONS_MAX_LIFETIME, &options->lifetime);
}

static int set_max_age(const struct provctx *provctx, struct blob_options *options,
                       const OSSL_PARAM *param)
{
    return set_seconds(provctx, param, UINT32_MAX, &options->max_age);
}

/* A text replaces octets and the other way round. */
static int set_key_argument(const struct provctx *provctx, struct key_argument *argument,
                            const OSSL_PARAM *param)
{
    if (param->data_type == OSSL_PARAM_OCTET_STRING) {
        if (!set_octets(provctx, param, MAX_SPKI_SIZE, &argument->spki))
            return 0;
        OPENSSL_free(argument->text);
        argument->text = NULL;
        return 1;
    }
    if (!set_text(provctx, param, MAX_TEXT_SIZE - 1, &argument->text))
        return 0;
    shared_octets_free(argument->spki);
    argument->spki = NULL;
    return 1;
}

static int set_exchange_key(const struct provctx *provctx, struct blob_options *options,
                            const OSSL_PARAM *param)
{
    return set_key_argument(provctx, &options->exchange_key, param);
}

static int set_signature_key(const struct provctx *provctx, struct blob_options *options,
                             const OSSL_PARAM *param)
{
    return set_key_argument(provctx, &options->signature_key, param);
}

static int set_pad_mode(const struct provctx *provctx, struct blob_options *options,
                        const OSSL_PARAM *param)
{
    static const char *const names[] = { NULL, SCHANNEL_PAD_MODE_PKCS1, SCHANNEL_PAD_MODE_OAEP };
    unsigned mode;

    if (!set_choice(provctx, param, names, COUNT(names), "pkcs1 or oaep", &mode))
        return 0;
    options->pad_mode = (enum pad_mode)mode;
    return 1;
}

static int set_ssl2_fallback(const struct provctx *provctx, struct blob_options *options,
                             const OSSL_PARAM *param)
{
    return set_flag(provctx, param, &options->ssl2_fallback);
}

static int set_allow_plaintext(const struct provctx *provctx, struct blob_options *options,
                               const OSSL_PARAM *param)
{
    return set_flag(provctx, param, &options->allow_plaintext);
}

static int set_exportable(const struct provctx *provctx, struct blob_options *options,
                          const OSSL_PARAM *param)
{
    return set_flag(provctx, param, &options->exportable);
}

int salt_mode_from_param(const struct provctx *provctx, const OSSL_PARAM *param, int may_create,
                         enum salt_mode *mode)
{
    static const char *const names[] = { NULL, SCHANNEL_SALT_MODE_NONE, SCHANNEL_SALT_MODE_ZERO,
                                         SCHANNEL_SALT_MODE_CREATE };
    unsigned value;

    if (!set_choice(provctx, param, names, may_create ? SALT_MODE_CREATE + 1 : SALT_MODE_CREATE,
                    may_create ? "none, zero or create" : "none or zero, since no blob has a salt",
                    &value))
        return 0;
    *mode = (enum salt_mode)value;
    return 1;
}

static int set_salt_mode(const struct provctx *provctx, struct blob_options *options,
                         const OSSL_PARAM *param)
{
    return salt_mode_from_param(provctx, param, 0, &options->salt_mode);
}

static int set_purpose(const struct provctx *provctx, struct blob_options *options,
                       const OSSL_PARAM *param)
{
    return set_text(provctx, param, OPTIONS_MAX_PURPOSE, &options->purpose);
}

static int set_serial(const struct provctx *provctx, struct blob_options *options,
                      const OSSL_PARAM *param)
{
    return set_octets(provctx, param, OPTIONS_MAX_SERIAL, &options->serial);
}

static int set_message_hash(const struct provctx *provctx, struct blob_options *options,
                            const OSSL_PARAM *param)
{
    return set_octets(provctx, param, OPTIONS_MAX_MESSAGE_HASH, &options->message_hash);
}

#define EVERYWHERE (OPTIONS_CONTEXT | OPTIONS_EXPORT | OPTIONS_IMPORT)

static const struct {
    const char *name;
    unsigned scopes;
    int (*set)(const struct provctx *, struct blob_options *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_SEAL_KEY, EVERYWHERE, set_seal_key },
    { SCHANNEL_PARAM_AUDIENCE, EVERYWHERE, set_audience },
    { SCHANNEL_PARAM_CLAIM_DIR, EVERYWHERE, set_claim_dir },
    { SCHANNEL_PARAM_BLOB, OPTIONS_CONTEXT, set_context_blob },
    { SCHANNEL_PARAM_BLOB, OPTIONS_EXPORT, set_blob },
    { SCHANNEL_PARAM_BLOB_MODE, OPTIONS_CONTEXT | OPTIONS_EXPORT, set_mode },
    { SCHANNEL_PARAM_LIFETIME, OPTIONS_CONTEXT | OPTIONS_EXPORT, set_lifetime },
    { SCHANNEL_PARAM_EXCHANGE_KEY, OPTIONS_EXPORT | OPTIONS_IMPORT, set_exchange_key },
    { SCHANNEL_PARAM_PAD_MODE, OPTIONS_EXPORT | OPTIONS_IMPORT, set_pad_mode },
    { SCHANNEL_PARAM_SSL2_FALLBACK, OPTIONS_EXPORT | OPTIONS_IMPORT, set_ssl2_fallback },
    { SCHANNEL_PARAM_SIGNATURE_KEY, OPTIONS_EXPORT | OPTIONS_IMPORT, set_signature_key },
    { SCHANNEL_PARAM_PURPOSE, OPTIONS_EXPORT | OPTIONS_IMPORT, set_purpose },
    { SCHANNEL_PARAM_MESSAGE_HASH, OPTIONS_EXPORT | OPTIONS_IMPORT, set_message_hash },
    { SCHANNEL_PARAM_INNER, OPTIONS_EXPORT, set_inner },
    { SCHANNEL_PARAM_ALLOW_PLAINTEXT, OPTIONS_EXPORT, set_allow_plaintext },
    { SCHANNEL_PARAM_SERIAL, OPTIONS_EXPORT, set_serial },
    { SCHANNEL_PARAM_EXPECT_SERIAL, OPTIONS_IMPORT, set_serial },
    { SCHANNEL_PARAM_MAX_AGE, OPTIONS_IMPORT, set_max_age },
    { SCHANNEL_PARAM_SALT_MODE, OPTIONS_IMPORT, set_salt_mode },
    { SCHANNEL_PARAM_EXPORTABLE, OPTIONS_IMPORT, set_exportable },
};

/* The setter of |param| in |scope|, COUNT(setters) when it is not ours. */
static size_t setter_of(const OSSL_PARAM *param, enum options_scope scope)
{
    size_t n = 0;

    while (n < COUNT(setters) &&
           ((setters[n].scopes & scope) == 0 || !params_is(param, setters[n].name)))
        n++;
    return n;
}

int blob_options_given(enum options_scope scope, const OSSL_PARAM params[])
{
    for (; params != NULL && params->key != NULL; params++) {
        if (setter_of(params, scope) < COUNT(setters))
            return 1;
    }
    return 0;
}

int blob_options_set(const struct provctx *provctx, struct blob_options *options,
                     enum options_scope scope, const OSSL_PARAM params[])
{
    struct blob_options changed;
    int ok = 1;

    if (!blob_options_given(scope, params))
        return 1;
    if (!blob_options_copy(&changed, options))
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for the parameters");
    for (; ok && params->key != NULL; params++) {
        size_t n = setter_of(params, scope);

        ok = n == COUNT(setters) || setters[n].set(provctx, &changed, params);
    }
    if (!ok) {
        blob_options_clear(&changed);
        return 0;
    }
    blob_options_clear(options);
    *options = changed;
    return 1;
}
