/*
 * DECODERs: DER from pem and from each blob type, SCHANNEL from der and from each blob type.
 *
 * "DER" is libcrypto's word for the binary form: here it is the blob itself.  The former make the
 * file store and the PEM readers find our blobs; the latter make key objects.
 *
 * Two rules of the core shape this file.  It keeps only the errors of the first decoder in a chain,
 * so each of ours checks an input that carries our header or label in full, seal included, raises
 * the reason and returns 0.  And whatever is not ours must stay loadable by others: then a decoder
 * returns 1 with nothing queued.  So does one that is entered while the provider itself opens an
 * exchange or signature key.
 *
 * Reading is read_blob; here is what libcrypto sees.  Referenced by algorithms.c.
 */
#include <openssl/bio.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <string.h>
#include "blob/blob.h"
#include "blob/key_argument.h"
#include "decoder/read_blob.h"
#include "dispatch.h"
#include "key/options.h"
#include "schannel/names.h"

static OSSL_FUNC_decoder_newctx_fn decoder_new;
static OSSL_FUNC_decoder_newctx_fn opaque_decoder_new;
static OSSL_FUNC_decoder_newctx_fn simple_decoder_new;
static OSSL_FUNC_decoder_newctx_fn plaintext_decoder_new;
static OSSL_FUNC_decoder_newctx_fn signed_decoder_new;
static OSSL_FUNC_decoder_freectx_fn decoder_free;
static OSSL_FUNC_decoder_set_ctx_params_fn decoder_set_ctx_params;
static OSSL_FUNC_decoder_settable_ctx_params_fn decoder_settable_ctx_params;
static OSSL_FUNC_decoder_does_selection_fn decoder_does_selection;
static OSSL_FUNC_decoder_decode_fn decode_pem;
static OSSL_FUNC_decoder_decode_fn decode_blob;
static OSSL_FUNC_decoder_decode_fn decode_key;

struct decoder_context {
    struct provctx *provctx;
    enum blob_type type; /* what it takes; BLOB_TYPE_DEFAULT: any */
    struct blob_options options;
};

static void *new_context(struct provctx *provctx, enum blob_type type)
{
    struct decoder_context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL)
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a decoder context");
    if (context != NULL) {
        context->provctx = provctx;
        context->type = type;
    }
    return context;
}

static void *decoder_new(void *provctx)
{
    return new_context(provctx, BLOB_TYPE_DEFAULT);
}

static void *opaque_decoder_new(void *provctx)
{
    return new_context(provctx, BLOB_TYPE_OPAQUE);
}

static void *simple_decoder_new(void *provctx)
{
    return new_context(provctx, BLOB_TYPE_SIMPLE);
}

static void *plaintext_decoder_new(void *provctx)
{
    return new_context(provctx, BLOB_TYPE_PLAINTEXT);
}

static void *signed_decoder_new(void *provctx)
{
    return new_context(provctx, BLOB_TYPE_SIGNED);
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
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, key, sizeof(void *)),
        OSSL_PARAM_construct_end(),
    };

    return callback(params, arg);
}

/* What one call of a decoder gets. */
struct decoding {
    const struct decoder_context *context;
    OSSL_CORE_BIO *in;
    OSSL_CALLBACK *callback;
    void *arg;
    struct passphrase_source passphrase;
};

/* Reads with |read|, opens the blob, and passes on the key or, when |as_blob|, the blob. */
static int decode(const struct decoding *decoding, read_blob_fn *read, int as_blob)
{
    const struct decoder_context *context = decoding->context;
    struct provctx *provctx = context->provctx;
    uint8_t *blob = NULL;
    size_t size = 0;
    struct key *key = NULL;
    enum found found;
    BIO *in;
    int ok;

    if (inner_open_is_active(provctx))
        return 1;
    if ((in = BIO_new_from_core_bio(provctx->libctx, decoding->in)) == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "the input cannot be read");
    found = read(provctx, context->type, in, &blob, &size);
    BIO_free(in);
    if (found != OURS)
        return found == NOT_OURS;
    key = blob_import(provctx, (struct octets){ blob, size }, &context->options,
                      &decoding->passphrase);
    ok = key != NULL && (as_blob ? pass_blob(blob, size, decoding->callback, decoding->arg)
                                 : pass_key(&key, decoding->callback, decoding->arg));
    key_free(key);
    OPENSSL_clear_free(blob, size);
    return ok;
}

static int decode_pem(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                      void *arg, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct decoding decoding = { context, in, callback, arg, { ask, ask_arg } };

    (void)selection;
    return decode(&decoding, read_blob_pem, 1);
}

static int decode_blob(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                       void *arg, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct decoding decoding = { context, in, callback, arg, { ask, ask_arg } };

    (void)selection;
    return decode(&decoding, read_blob_binary, 1);
}

static int decode_key(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *callback,
                      void *arg, OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    const struct decoding decoding = { context, in, callback, arg, { ask, ask_arg } };

    (void)selection;
    return decode(&decoding, read_blob_binary, 0);
}

const OSSL_DISPATCH schannel_pem_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_pem },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_opaque_blob_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))opaque_decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_blob },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_simple_blob_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))simple_decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_blob },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_plaintext_blob_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))plaintext_decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_blob },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_signed_blob_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))signed_decoder_new },
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

const OSSL_DISPATCH schannel_opaque_key_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))opaque_decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DOES_SELECTION, (void (*)(void))decoder_does_selection },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_key },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_simple_key_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))simple_decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DOES_SELECTION, (void (*)(void))decoder_does_selection },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_key },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_plaintext_key_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))plaintext_decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DOES_SELECTION, (void (*)(void))decoder_does_selection },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_key },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_signed_key_decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))signed_decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))decoder_free },
    { OSSL_FUNC_DECODER_SET_CTX_PARAMS, (void (*)(void))decoder_set_ctx_params },
    { OSSL_FUNC_DECODER_SETTABLE_CTX_PARAMS, (void (*)(void))decoder_settable_ctx_params },
    { OSSL_FUNC_DECODER_DOES_SELECTION, (void (*)(void))decoder_does_selection },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decode_key },
    { 0, NULL },
};
