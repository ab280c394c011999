/* Options of blobs: see options.h.  Their parameters are read in options_set.c. */
#include "key/options.h"

#include <string.h>
#include <openssl/crypto.h>

static void clear_argument(struct key_argument *argument)
{
    OPENSSL_free(argument->text);
    shared_octets_free(argument->spki);
}

void blob_options_clear(struct blob_options *options)
{
    OPENSSL_free(options->seal_key);
    OPENSSL_free(options->audience);
    OPENSSL_free(options->claim_dir);
    OPENSSL_free(options->purpose);
    clear_argument(&options->exchange_key);
    clear_argument(&options->signature_key);
    shared_octets_free(options->serial);
    shared_octets_free(options->message_hash);
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

static int copy_argument(struct key_argument *to, const struct key_argument *from)
{
    to->spki = shared_octets_up_ref(from->spki);
    return copy_text(&to->text, from->text);
}

int blob_options_copy(struct blob_options *to, const struct blob_options *from)
{
    *to = *from;
    to->seal_key = to->audience = to->claim_dir = to->purpose = NULL;
    to->exchange_key.text = to->signature_key.text = NULL;
    to->exchange_key.spki = to->signature_key.spki = NULL;
    to->serial = shared_octets_up_ref(from->serial);
    to->message_hash = shared_octets_up_ref(from->message_hash);
    if (copy_text(&to->seal_key, from->seal_key) && copy_text(&to->audience, from->audience) &&
        copy_text(&to->claim_dir, from->claim_dir) && copy_text(&to->purpose, from->purpose) &&
        copy_argument(&to->exchange_key, &from->exchange_key) &&
        copy_argument(&to->signature_key, &from->signature_key))
        return 1;
    blob_options_clear(to);
    return 0;
}

static int argument_is_given(const struct key_argument *argument)
{
    return argument->text != NULL || argument->spki != NULL;
}

/* What belongs to an opaque blob's disposition goes together. */
static void merge_mode(struct blob_options *merged, const struct blob_options *second)
{
    if (merged->has_mode && second->has_mode && merged->mode != second->mode)
        return;
    if (!merged->has_mode) {
        merged->has_mode = second->has_mode;
        merged->mode = second->mode;
    }
    if (merged->audience == NULL)
        merged->audience = second->audience;
    if (merged->lifetime == 0)
        merged->lifetime = second->lifetime;
}

static void merge_flag(struct option_flag *merged, const struct option_flag *second)
{
    if (!merged->is_given)
        *merged = *second;
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
    if (merged.purpose == NULL)
        merged.purpose = second->purpose;
    if (!argument_is_given(&merged.exchange_key))
        merged.exchange_key = second->exchange_key;
    if (!argument_is_given(&merged.signature_key))
        merged.signature_key = second->signature_key;
    if (merged.serial == NULL)
        merged.serial = second->serial;
    if (merged.message_hash == NULL)
        merged.message_hash = second->message_hash;
    if (merged.max_age == 0)
        merged.max_age = second->max_age;
    if (merged.type == BLOB_TYPE_DEFAULT)
        merged.type = second->type;
    if (merged.inner == BLOB_TYPE_DEFAULT)
        merged.inner = second->inner;
    if (merged.pad_mode == PAD_MODE_DEFAULT)
        merged.pad_mode = second->pad_mode;
    if (merged.salt_mode == SALT_MODE_DEFAULT)
        merged.salt_mode = second->salt_mode;
    merge_flag(&merged.ssl2_fallback, &second->ssl2_fallback);
    merge_flag(&merged.allow_plaintext, &second->allow_plaintext);
    merge_flag(&merged.exportable, &second->exportable);
    merge_mode(&merged, second);
    return merged;
}

int blob_options_are_empty(const struct blob_options *options)
{
    return options->seal_key == NULL && options->audience == NULL && options->claim_dir == NULL &&
           options->purpose == NULL && !argument_is_given(&options->exchange_key) &&
           !argument_is_given(&options->signature_key) && options->serial == NULL &&
           options->message_hash == NULL && options->lifetime == 0 && options->max_age == 0 &&
           !options->has_mode && options->type == BLOB_TYPE_DEFAULT &&
           options->inner == BLOB_TYPE_DEFAULT && options->pad_mode == PAD_MODE_DEFAULT &&
           options->salt_mode == SALT_MODE_DEFAULT && !options->ssl2_fallback.is_given &&
           !options->allow_plaintext.is_given && !options->exportable.is_given;
}
