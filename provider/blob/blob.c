/* All types of blobs: see blob.h. */
#include "blob/blob.h"

#include <string.h>
#include <openssl/crypto.h>
#include "blob/opaque.h"
#include "blob/plaintext.h"
#include "blob/simple.h"
#include "schannel/names.h"
#include "trace.h"

static const struct {
    const char *title, *label;
    size_t max_size;
} types[] = {
    [BLOB_TYPE_OPAQUE] = { "opaque blob", SCHANNEL_PEM_LABEL_OPAQUE, OPAQUE_BLOB_MAX_SIZE },
    [BLOB_TYPE_SIMPLE] = { "simple blob", SCHANNEL_PEM_LABEL_SIMPLE, SIMPLE_BLOB_MAX_SIZE },
    [BLOB_TYPE_PLAINTEXT] = { "plaintext blob", SCHANNEL_PEM_LABEL_PLAINTEXT,
                              PLAINTEXT_BLOB_MAX_SIZE },
    [BLOB_TYPE_SIGNED] = { "signed blob", SCHANNEL_PEM_LABEL_SIGNED, SIGNED_BLOB_MAX_SIZE },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

enum blob_type blob_recognise(const uint8_t *data, size_t size)
{
    if (signed_blob_is_ours(data, size))
        return BLOB_TYPE_SIGNED;
    if (!blob_header_is_ours(data, size))
        return BLOB_TYPE_DEFAULT;
    switch (data[0]) {
    case BTYPE_OPAQUE:
        return BLOB_TYPE_OPAQUE;
    case BTYPE_PLAINTEXT:
        return BLOB_TYPE_PLAINTEXT;
    default:
        return BLOB_TYPE_SIMPLE; /* or a damaged type, which its reader tells */
    }
}

size_t blob_max_size(enum blob_type type)
{
    return types[type].max_size;
}

const char *blob_type_title(enum blob_type type)
{
    return types[type].title;
}

const char *blob_pem_label(enum blob_type type)
{
    return types[type].label;
}

enum blob_type blob_type_by_label(const char *label)
{
    for (size_t n = BLOB_TYPE_OPAQUE; n < TYPES; n++) {
        if (strcmp(label, types[n].label) == 0)
            return (enum blob_type)n;
    }
    return BLOB_TYPE_DEFAULT;
}

/* ---- options that a type has no use for: whoever gives them expects something else ---- */

static int is_given(const struct key_argument *argument)
{
    return argument->text != NULL || argument->spki != NULL;
}

static const char *opaque_option(const struct blob_options *options)
{
    if (options->has_mode && options->mode == BLOB_MODE_TRANSFER)
        return SCHANNEL_PARAM_BLOB_MODE " transfer";
    if (options->lifetime != 0)
        return SCHANNEL_PARAM_LIFETIME;
    return options->audience != NULL ? SCHANNEL_PARAM_AUDIENCE : NULL;
}

static const char *simple_option(const struct blob_options *options)
{
    if (is_given(&options->exchange_key))
        return SCHANNEL_PARAM_EXCHANGE_KEY;
    if (options->pad_mode != PAD_MODE_DEFAULT)
        return SCHANNEL_PARAM_PAD_MODE;
    return options->ssl2_fallback.value ? SCHANNEL_PARAM_SSL2_FALLBACK : NULL;
}

static const char *signed_option(const struct blob_options *options)
{
    if (is_given(&options->signature_key))
        return SCHANNEL_PARAM_SIGNATURE_KEY;
    if (options->inner != BLOB_TYPE_DEFAULT)
        return SCHANNEL_PARAM_INNER;
    if (options->purpose != NULL)
        return SCHANNEL_PARAM_PURPOSE;
    if (options->max_age != 0)
        return SCHANNEL_PARAM_MAX_AGE;
    if (options->serial != NULL)
        return SCHANNEL_PARAM_SERIAL;
    return options->message_hash != NULL ? SCHANNEL_PARAM_MESSAGE_HASH : NULL;
}

/* What a blob of |type| is made of in the end. */
static enum blob_type kind_of(const struct blob_options *options, enum blob_type type)
{
    if (type != BLOB_TYPE_SIGNED)
        return type;
    return options->inner != BLOB_TYPE_DEFAULT ? options->inner : BLOB_TYPE_OPAQUE;
}

static int check_export(const struct provctx *provctx, const struct blob_options *options,
                        enum blob_type kind, enum blob_type type)
{
    const char *option = NULL, *owner = "signedblob";

    if (options->type != BLOB_TYPE_DEFAULT && options->type != type)
        return RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "blob: asks for one type, %s, and the encoder's name for another, %s",
                     types[options->type].title, types[type].title);
    if (type != BLOB_TYPE_SIGNED)
        option = signed_option(options);
    if (option == NULL && kind != BLOB_TYPE_SIMPLE) {
        option = simple_option(options);
        owner = "simpleblob";
    }
    if (option == NULL && kind != BLOB_TYPE_OPAQUE) {
        option = opaque_option(options);
        owner = "opaqueblob";
    }
    return option == NULL || RAISE(provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                                   "%s: belongs to %s, this is %s %s", option, owner,
                                   kind == BLOB_TYPE_OPAQUE ? "an" : "a", types[kind].title);
}

/* ---- writing ---- */

/* The options of this export: a copy, since those of the key can change.  The caller clears it. */
static int collect_options(struct key *key, const struct blob_options *given,
                           struct blob_options *options)
{
    struct blob_options merged;
    int ok;

    memset(options, 0, sizeof(*options));
    if (!key_lock(key))
        return 0;
    merged = blob_options_merge(given, key->options);
    ok = blob_options_copy(options, &merged);
    key_unlock(key);
    return ok || RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a blob");
}

static int export_simple(struct key *key, const struct blob_options *options,
                         const struct passphrase_source *passphrase, uint8_t **blob, size_t *size)
{
    struct simple_blob simple;
    size_t count;

    if (!simple_blob_export(key, options, passphrase, 1, &simple, &count))
        return 0;
    *blob = OPENSSL_memdup(simple.data, simple.size);
    *size = simple.size;
    return *blob != NULL ||
           RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a simple blob");
}

static int export_plaintext(struct key *key, const struct blob_options *options, uint8_t **blob,
                            size_t *size)
{
    uint8_t bytes[PLAINTEXT_BLOB_MAX_SIZE];
    int ok = plaintext_blob_export(key, options, bytes, size);

    if (ok) {
        *blob = OPENSSL_memdup(bytes, *size);
        ok = *blob != NULL || RAISE(key->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
                                    "no memory for a plaintext blob");
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return ok;
}

static int export_type(struct key *key, enum blob_type type, const struct blob_options *options,
                       const struct passphrase_source *seal_passphrase,
                       const struct passphrase_source *passphrase, uint8_t **blob, size_t *size)
{
    const enum blob_type kind = type != BLOB_TYPE_SIGNED ? type : options->inner;

    if (seal_passphrase != NULL && kind != BLOB_TYPE_OPAQUE && kind != BLOB_TYPE_DEFAULT)
        return RAISE(key->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                     "cipher: a passphrase seals an opaque blob, this is a %s", types[kind].title);
    switch (type) {
    case BLOB_TYPE_SIMPLE:
        return export_simple(key, options, passphrase, blob, size);
    case BLOB_TYPE_PLAINTEXT:
        return export_plaintext(key, options, blob, size);
    case BLOB_TYPE_SIGNED:
        return signed_blob_export(key, options, seal_passphrase, passphrase, blob, size);
    default:
        return opaque_blob_export(key, options, seal_passphrase, blob, size);
    }
}

int blob_export(struct key *key, enum blob_type type, const struct blob_options *given,
                const struct passphrase_source *seal_passphrase,
                const struct passphrase_source *passphrase, uint8_t **blob, size_t *size,
                enum blob_type *written)
{
    const int is_named = type != BLOB_TYPE_DEFAULT || given->type != BLOB_TYPE_DEFAULT;
    struct blob_options options;
    int ok;

    if (!collect_options(key, given, &options))
        return 0;
    *written = type != BLOB_TYPE_DEFAULT           ? type
               : options.type != BLOB_TYPE_DEFAULT ? options.type
                                                   : BLOB_TYPE_OPAQUE;
    /* Who names a type for this export means it, whatever else is kept with the key. */
    ok = check_export(key->provctx, is_named ? given : &options, kind_of(&options, *written),
                      *written) &&
         export_type(key, *written, &options, seal_passphrase, passphrase, blob, size);
    if (ok && *written != BLOB_TYPE_OPAQUE)
        trace_write(key->provctx->trace, "a %s key is written as %s of %zu bytes",
                    key->algorithm->name, types[*written].title, *size);
    blob_options_clear(&options);
    return ok;
}

/* ---- reading ---- */

/* A signature that was asked for and is not there must not be overlooked. */
static int check_import(const struct provctx *provctx, const struct blob_options *options,
                        enum blob_type type)
{
    const char *option = type == BLOB_TYPE_SIGNED ? NULL : signed_option(options);

    return option == NULL ||
           RAISE(provctx->errors, SCHANNEL_R_NOT_SIGNED,
                 "%s: expects a signed blob, this is %s %s without a signature", option,
                 type == BLOB_TYPE_OPAQUE ? "an" : "a", types[type].title);
}

static struct key *import_type(struct provctx *provctx, enum blob_type type, struct octets blob,
                               const struct blob_options *options,
                               const struct passphrase_source *passphrase)
{
    switch (type) {
    case BLOB_TYPE_SIMPLE:
        return simple_blob_import(provctx, &blob, 1, options, passphrase);
    case BLOB_TYPE_PLAINTEXT:
        return plaintext_blob_import(provctx, blob, options);
    case BLOB_TYPE_SIGNED:
        return signed_blob_import(provctx, blob, options, passphrase);
    default:
        return opaque_blob_import(provctx, blob, options, passphrase, OPAQUE_FOR_KEY);
    }
}

struct key *blob_import(struct provctx *provctx, struct octets blob,
                        const struct blob_options *options,
                        const struct passphrase_source *passphrase)
{
    const enum blob_type type = blob_recognise(blob.data, blob.size);
    struct key *key;

    if (type == BLOB_TYPE_DEFAULT) {
        RAISE(provctx->errors, SCHANNEL_R_MALFORMED_BLOB,
              "the first bytes are not those of a blob of this provider");
        return NULL;
    }
    if (!check_import(provctx, options, type) ||
        (key = import_type(provctx, type, blob, options, passphrase)) == NULL)
        return NULL;
    if (type != BLOB_TYPE_OPAQUE)
        trace_write(provctx->trace, "a %s key is opened from %s of %zu bytes", key->algorithm->name,
                    types[type].title, blob.size);
    /* Nobody else has the key yet. */
    if (options->exportable.is_given && !key_set_exportable(key, options->exportable.value)) {
        key_free(key);
        return NULL;
    }
    return key;
}
