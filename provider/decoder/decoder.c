/*
 * DECODERs: DER from pem, DER from opaqueblob, SCHANNEL from der, SCHANNEL from opaqueblob.
 *
 * "DER" is libcrypto's word for the binary form: here it is the blob itself.  The first two make
 * the file store and the PEM readers find our blobs; the last two make key objects.
 *
 * Two rules of the core shape this file.  It keeps only the errors of the first decoder in a chain,
 * so each of ours checks an input that carries our header or label in full, seal included, raises
 * the reason and returns 0.  And whatever is not ours must stay loadable by others: then a decoder
 * returns 1 with nothing queued.
 * Referenced by algorithms.c.
 */
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <string.h>
#include "blob/opaque.h"
#include "dispatch.h"
#include "key/options.h"
#include "schannel/names.h"

#define MAX_PEM_LINES 1024        /* how far a broken PEM file is searched for our label */
#define MAX_DRAINED   (16u << 20) /* how far the rest of an input that is too long is passed over */

static OSSL_FUNC_decoder_newctx_fn decoder_new;
static OSSL_FUNC_decoder_freectx_fn decoder_free;
static OSSL_FUNC_decoder_set_ctx_params_fn decoder_set_ctx_params;
static OSSL_FUNC_decoder_settable_ctx_params_fn decoder_settable_ctx_params;
static OSSL_FUNC_decoder_does_selection_fn decoder_does_selection;
static OSSL_FUNC_decoder_decode_fn decode_pem;
static OSSL_FUNC_decoder_decode_fn decode_blob;
static OSSL_FUNC_decoder_decode_fn decode_key;

struct decoder_context {
    struct provctx *provctx;
    struct blob_options options;
};

static void *decoder_new(void *vprovctx)
{
    struct provctx *provctx = vprovctx;
    struct decoder_context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL)
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a decoder context");
    else
        context->provctx = provctx;
    return context;
}

static void decoder_free(void *vcontext)
{
    struct decoder_context *context = vcontext;

    if (context == NULL)
        return;
    blob_options_clear(&context->options);
    OPENSSL_free(context);
}

static int decoder_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct decoder_context *context = vcontext;

    return blob_options_set(context->provctx, &context->options, OPTIONS_IMPORT, params);
}

static const OSSL_PARAM *decoder_settable_ctx_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        BLOB_OPTIONS_IMPORT,
        OSSL_PARAM_END,
    };

    (void)provctx;
    return settable;
}

/* Everything but a public key alone.  genpkey -paramfile asks for parameters: a key answers. */
static int decoder_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ||
           (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0;
}

/* ---- reading ---- */

enum found { NOT_OURS, OURS, FAILED };

/* Fills |buffer| as far as the input goes. */
static size_t read_up_to(BIO *in, uint8_t *buffer, size_t size)
{
    size_t filled = 0, got = 0;

    while (filled < size && BIO_read_ex(in, buffer + filled, size - filled, &got) && got != 0)
        filled += got;
    return filled;
}

/*
 * Passes over what is left.  The file store goes on behind the place where a decoder stopped and
 * would bury the reason under its own errors about the rest.
 */
static void drain(BIO *in, uint8_t *buffer, size_t size)
{
    for (size_t drained = 0, got = size; got == size && drained < MAX_DRAINED; drained += got)
        got = read_up_to(in, buffer, size);
}

/* The whole input, when it starts like one of our blobs.  *blob is owned by the caller. */
static enum found read_blob(const struct decoder_context *context, BIO *in, uint8_t **blob,
                            size_t *size)
{
    const struct errors *errors = context->provctx->errors;
    uint8_t header[BLOB_HEADER_SIZE];
    size_t filled = read_up_to(in, header, sizeof(header));

    if (!opaque_blob_is_ours(header, filled))
        return NOT_OURS;
    if ((*blob = OPENSSL_malloc(OPAQUE_BLOB_MAX_SIZE + 1)) == NULL) {
        RAISE(errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory to read an opaque blob");
        return FAILED;
    }
    memcpy(*blob, header, filled);
    *size = filled + read_up_to(in, *blob + filled, OPAQUE_BLOB_MAX_SIZE + 1 - filled);
    if (*size <= OPAQUE_BLOB_MAX_SIZE)
        return OURS;
    drain(in, *blob, OPAQUE_BLOB_MAX_SIZE);
    OPENSSL_free(*blob);
    *blob = NULL;
    RAISE(errors, SCHANNEL_R_MALFORMED_BLOB, "opaque blob: longer than %d bytes",
          OPAQUE_BLOB_MAX_SIZE);
    return FAILED;
}

/* Is the first BEGIN line of the text ours?  Only asked when the PEM reader gave up. */
static int has_our_label(BIO *in)
{
    static const char begin[] = "-----BEGIN ", ours[] = SCHANNEL_PEM_LABEL_OPAQUE "-----";
    char line[256];

    for (int n = 0; n < MAX_PEM_LINES && BIO_gets(in, line, sizeof(line)) > 0; n++) {
        if (strncmp(line, begin, sizeof(begin) - 1) == 0)
            return strncmp(line + sizeof(begin) - 1, ours, sizeof(ours) - 1) == 0;
    }
    return 0;
}

/* The contents of a PEM block under our label. */
static enum found read_pem(const struct decoder_context *context, BIO *in, uint8_t **blob,
                           size_t *size)
{
    const struct errors *errors = context->provctx->errors;
    char *name = NULL, *header = NULL;
    long length = 0;
    int start = BIO_tell(in);
    enum found found = NOT_OURS;

    ERR_set_mark();
    if (PEM_read_bio(in, &name, &header, blob, &length) <= 0) {
        if (start >= 0 && BIO_seek(in, start) >= 0 && has_our_label(in))
            found = FAILED;
        ERR_pop_to_mark();
        if (found == FAILED)
            RAISE(errors, SCHANNEL_R_MALFORMED_BLOB,
                  "PEM: the base64 text or the END line of a " SCHANNEL_PEM_LABEL_OPAQUE
                  " is damaged");
        return found;
    }
    ERR_pop_to_mark();
    if (strcmp(name, SCHANNEL_PEM_LABEL_OPAQUE) == 0) {
        found = OURS;
        *size = (size_t)length;
        if (header[0] != '\0') {
            found = FAILED;
            RAISE(errors, SCHANNEL_R_MALFORMED_BLOB,
                  "PEM: a " SCHANNEL_PEM_LABEL_OPAQUE " has no header lines");
        }
    }
    if (found != OURS) {
        OPENSSL_clear_free(*blob, (size_t)length); /* perhaps somebody's private key */
        *blob = NULL;
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    return found;
}

/* ---- passing on ---- */

/* To the next decoder, or to the store: the blob as it is, known to open. */
static int pass_blob(uint8_t *blob, size_t size, OSSL_CALLBACK *callback, void *arg)
{
    int type = OSSL_OBJECT_PKEY;
    char key_type[] = SCHANNEL_KEY_TYPE;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, key_type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_DATA, blob, size),
        OSSL_PARAM_construct_end(),
    };

    return callback(params, arg);
}

/* To the key management: a reference, which keymgmt_load takes out of |key|. */
static int pass_key(struct key **key, OSSL_CALLBACK *callback, void *arg)
{
    int type = OSSL_OBJECT_PKEY;
    char key_type[] = SCHANNEL_KEY_TYPE;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, key_type, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, key, sizeof(*key)),
        OSSL_PARAM_construct_end(),
    };

    return callback(params, arg);
}

/*
 * Reads with |read|, opens the blob, and passes on the key or, when |as_blob|, the blob.
 */
static int decode(const struct decoder_context *context, OSSL_CORE_BIO *core_in,
                  enum found (*read)(const struct decoder_context *, BIO *, uint8_t **, size_t *),
                  int as_blob, OSSL_CALLBACK *callback, void *arg,
                  const struct passphrase_source *passphrase)
{
    struct provctx *provctx = context->provctx;
    BIO *in = BIO_new_from_core_bio(provctx->libctx, core_in);
    uint8_t *blob = NULL;
    size_t size = 0;
    struct key *key = NULL;
    enum found found;
    int ok;

    if (in == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "the input cannot be read");
    found = read(context, in, &blob, &size);
    BIO_free(in);
    if (found != OURS)
        return found == NOT_OURS;
    key = opaque_blob_import(provctx, (struct octets){ blob, size }, &context->options, passphrase,
                             OPAQUE_FOR_KEY);
    ok = key != NULL &&
         (as_blob ? pass_blob(blob, size, callback, arg) : pass_key(&key, callback, arg));
    key_free(key);
    OPENSSL_free(blob);
    return ok;
}

static int decode_pem(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                      void *arg, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct passphrase_source passphrase = { ask, ask_arg };

    (void)selection;
    return decode(context, in, read_pem, 1, callback, arg, &passphrase);
}

static int decode_blob(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                       void *arg, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct passphrase_source passphrase = { ask, ask_arg };

    (void)selection;
    return decode(context, in, read_blob, 1, callback, arg, &passphrase);
}

static int decode_key(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                      void *arg, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct passphrase_source passphrase = { ask, ask_arg };

    (void)selection;
    return decode(context, in, read_blob, 0, callback, arg, &passphrase);
}

const OSSL_DISPATCH schannel_pem_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_pem },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_blob_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_blob },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_key_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DOES_SELECTION, (void (*)(void))decoder_does_selection },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_key },
    { 0, NULL },
};
