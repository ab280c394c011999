/* Options of blobs: see options.h. */
#include "key/options.h"

#include <limits.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include "blob/sealing_key.h"
#include "params.h"
#include "schannel/names.h"

#define MAX_TEXT_SIZE (PATH_MAX + 8) /* "file:" and a path */

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

static int set_blob(const struct provctx *provctx, struct blob_options *options,
                    const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];

    (void)options;
    if (!params_get_name(provctx->errors, param, name, sizeof(name)))
        return 0;
    return strcmp(name, SCHANNEL_BLOB_OPAQUE) == 0 ||
           RAISE(provctx->errors, SCHANNEL_R_NOT_SUPPORTED,
                 "blob: this release writes \"" SCHANNEL_BLOB_OPAQUE "\" only, got \"%s\"", name);
}

static int set_mode(const struct provctx *provctx, struct blob_options *options,
                    const OSSL_PARAM *param)
{
    char name[PARAMS_NAME_SIZE];

    if (!params_get_name(provctx->errors, param, name, sizeof(name)))
        return 0;
    if (strcmp(name, SCHANNEL_BLOB_MODE_SNAPSHOT) == 0)
        options->mode = BLOB_MODE_SNAPSHOT;
    else if (strcmp(name, SCHANNEL_BLOB_MODE_TRANSFER) == 0)
        options->mode = BLOB_MODE_TRANSFER;
    else
        return RAISE(provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "blob-mode: expected snapshot or transfer, got \"%s\"", name);
    options->has_mode = 1;
    return 1;
}

static int set_lifetime(const struct provctx *provctx, struct blob_options *options,
                        const OSSL_PARAM *param)
{
    uint64_t seconds;

    if (!params_get_number(provctx->errors, param, 1, OPTIONS_MAX_LIFETIME, &seconds))
        return 0;
    options->lifetime = (uint32_t)seconds;
    return 1;
}

static const struct {
    const char *name;
    int (*set)(const struct provctx *, struct blob_options *, const OSSL_PARAM *);
} setters[] = {
    { SCHANNEL_PARAM_SEAL_KEY, set_seal_key },   { SCHANNEL_PARAM_AUDIENCE, set_audience },
    { SCHANNEL_PARAM_CLAIM_DIR, set_claim_dir }, { SCHANNEL_PARAM_BLOB, set_blob },
    { SCHANNEL_PARAM_BLOB_MODE, set_mode },      { SCHANNEL_PARAM_LIFETIME, set_lifetime },
};

#define SETTERS (sizeof(setters) / sizeof(setters[0]))

/* The setter of |param|, SETTERS when it is not ours. */
static size_t setter_of(const OSSL_PARAM *param)
{
    size_t n = 0;

    while (n < SETTERS && !params_is(param, setters[n].name))
        n++;
    return n;
}

int blob_options_given(const OSSL_PARAM params[])
{
    for (; params != NULL && params->key != NULL; params++) {
        if (setter_of(params) < SETTERS)
            return 1;
    }
    return 0;
}

int blob_options_set(const struct provctx *provctx, struct blob_options *options,
                     const OSSL_PARAM params[])
{
    struct blob_options changed;
    int ok = 1;

    if (!blob_options_given(params))
        return 1;
    if (!blob_options_copy(&changed, options))
        return RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for the parameters");
    for (; ok && params->key != NULL; params++) {
        size_t n = setter_of(params);

        ok = n == SETTERS || setters[n].set(provctx, &changed, params);
    }
    if (!ok) {
        blob_options_clear(&changed);
        return 0;
    }
    blob_options_clear(options);
    *options = changed;
    return 1;
}

void blob_options_clear(struct blob_options *options)
{
    OPENSSL_free(options->seal_key);
    OPENSSL_free(options->audience);
    OPENSSL_free(options->claim_dir);
    memset(options, 0, sizeof(*options));
}

void blob_options_forget_audience(struct blob_options *options)
{
    OPENSSL_free(options->audience);
    options->audience = NULL;
}

static int copy_text(char **to, const char *from)
{
    *to = from == NULL ? NULL : OPENSSL_strdup(from);
    return from == NULL || *to != NULL;
}

int blob_options_copy(struct blob_options *to, const struct blob_options *from)
{
    *to = *from;
    to->seal_key = to->audience = to->claim_dir = NULL;
    if (copy_text(&to->seal_key, from->seal_key) && copy_text(&to->audience, from->audience) &&
        copy_text(&to->claim_dir, from->claim_dir))
        return 1;
    blob_options_clear(to);
    return 0;
}

struct blob_options blob_options_merge(const struct blob_options *first,
                                       const struct blob_options *second)
{
    struct blob_options merged = *first;

    if (second == NULL)
        return merged;
    if (merged.seal_key == NULL)
        merged.seal_key = second->seal_key;
    if (merged.claim_dir == NULL)
        merged.claim_dir = second->claim_dir;
    if (merged.has_mode && second->has_mode && merged.mode != second->mode)
        return merged;
    if (!merged.has_mode) {
        merged.has_mode = second->has_mode;
        merged.mode = second->mode;
    }
    if (merged.audience == NULL)
        merged.audience = second->audience;
    if (merged.lifetime == 0)
        merged.lifetime = second->lifetime;
    return merged;
}

int blob_options_are_empty(const struct blob_options *options)
{
    return options->seal_key == NULL && options->audience == NULL && options->claim_dir == NULL &&
           options->lifetime == 0 && !options->has_mode;
}
