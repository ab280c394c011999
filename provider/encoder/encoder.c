/*
 * ENCODER "SCHANNEL" to pem and der, the two dresses that the openssl program knows (-outform PEM,
 * -outform DER), of the blob type that the option "blob" names; and to each type under its own name.
 *
 * An encoder has no side effects: libcrypto may call it twice, once for the size.  Text output is
 * encoder/text.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <string.h>
#include "blob/blob.h"
#include "dispatch.h"
#include "key/options.h"
#include "schannel/names.h"

static OSSL_FUNC_encoder_newctx_fn encoder_new;
static OSSL_FUNC_encoder_freectx_fn encoder_free;
static OSSL_FUNC_encoder_set_ctx_params_fn encoder_set_ctx_params;
static OSSL_FUNC_encoder_settable_ctx_params_fn encoder_settable_ctx_params;
static OSSL_FUNC_encoder_does_selection_fn secret_does_selection;
static OSSL_FUNC_encoder_does_selection_fn public_does_selection;
static OSSL_FUNC_encoder_encode_fn encode_pem;
static OSSL_FUNC_encoder_encode_fn encode_der;
static OSSL_FUNC_encoder_encode_fn encode_opaque;
static OSSL_FUNC_encoder_encode_fn encode_simple;
static OSSL_FUNC_encoder_encode_fn encode_plaintext;
static OSSL_FUNC_encoder_encode_fn encode_signed;
static OSSL_FUNC_encoder_encode_fn encode_public;

struct encoder_context {
    struct provctx *provctx;
    struct blob_options options;
    int wants_passphrase; /* the application named a cipher, which one does not matter */
};

static void *encoder_new(void *vprovctx)
{
    struct provctx *provctx = vprovctx;
    struct encoder_context *context = OPENSSL_zalloc(sizeof(*context));

    if (context == NULL)
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for an encoder context");
    else
        context->provctx = provctx;
    return context;
}

static void encoder_free(void *vcontext)
{
    struct encoder_context *context = vcontext;

    if (context == NULL)
        return;
    blob_options_clear(&context->options);
    OPENSSL_free(context);
}

static int encoder_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct encoder_context *context = vcontext;
    const OSSL_PARAM *param;
    const char *cipher = NULL;

    if (params == NULL)
        return 1;
    if (!blob_options_set(context->provctx, &context->options, OPTIONS_EXPORT, params))
        return 0;
    if ((param = OSSL_PARAM_locate_const(params, OSSL_ENCODER_PARAM_CIPHER)) == NULL)
        return 1;
    /* NULL is what libcrypto gives for no cipher. */
    if (!OSSL_PARAM_get_utf8_string_ptr(param, &cipher))
        return RAISE(context->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "%s: expected a UTF-8 string", param->key);
    context->wants_passphrase = cipher != NULL;
    return 1;
}

static const OSSL_PARAM *encoder_settable_ctx_params(void *provctx)
{
    static const OSSL_PARAM settable[] = {
        BLOB_OPTIONS_EXPORT,
        OSSL_PARAM_utf8_string(OSSL_ENCODER_PARAM_CIPHER, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provctx;
    return settable;
}

static int secret_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return selection == 0 || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0;
}

static int public_does_selection(void *provctx, int selection)
{
    (void)provctx;
    return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 &&
           (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;
}

/* What one call of an encoder gets. */
struct encoding {
    const struct encoder_context *context;
    OSSL_CORE_BIO *out;
    const void *object;
    const OSSL_PARAM *abstract;
    struct passphrase_source passphrase;
};

static int write_binary(BIO *out, enum blob_type type, const uint8_t *blob, size_t size)
{
    size_t written = 0;

    (void)type;
    return BIO_write_ex(out, blob, size, &written) && written == size;
}

static int write_pem(BIO *out, enum blob_type type, const uint8_t *blob, size_t size)
{
    return PEM_write_bio(out, blob_pem_label(type), "", blob, (long)size) > 0;
}

/* Makes a blob of the object and hands it to |write|. */
static int encode(const struct encoding *encoding, enum blob_type type,
                  int (*write)(BIO *out, enum blob_type type, const uint8_t *blob, size_t size))
{
    const struct encoder_context *context = encoding->context;
    struct provctx *provctx = context->provctx;
    struct key *key = (struct key *)(uintptr_t)encoding->object;
    uint8_t *blob = NULL;
    size_t size = 0;
    BIO *out;
    int ok;

    if (encoding->abstract != NULL || key == NULL)
        return RAISE(provctx->errors, SCHANNEL_R_NO_KEY, "only a SCHANNEL key can be encoded");
    if (!blob_export(key, type, &context->options,
                     context->wants_passphrase ? &encoding->passphrase : NULL,
                     &encoding->passphrase, &blob, &size, &type))
        return 0;
    out = BIO_new_from_core_bio(provctx->libctx, encoding->out);
    ok = out != NULL && write(out, type, blob, size);
    if (!ok)
        RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "the blob could not be written");
    BIO_free(out);
    OPENSSL_clear_free(blob, size);
    return ok;
}

static int encode_pem(void *context, OSSL_CORE_BIO *out, const void *object,
                      const OSSL_PARAM abstract[], int selection,
                      OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    const struct encoding encoding = { context, out, object, abstract, { callback, arg } };

    (void)selection;
    return encode(&encoding, BLOB_TYPE_DEFAULT, write_pem);
}

static int encode_der(void *context, OSSL_CORE_BIO *out, const void *object,
                      const OSSL_PARAM abstract[], int selection,
                      OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    const struct encoding encoding = { context, out, object, abstract, { callback, arg } };

    (void)selection;
    return encode(&encoding, BLOB_TYPE_DEFAULT, write_binary);
}

static int encode_opaque(void *context, OSSL_CORE_BIO *out, const void *object,
                         const OSSL_PARAM abstract[], int selection,
                         OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    const struct encoding encoding = { context, out, object, abstract, { callback, arg } };

    (void)selection;
    return encode(&encoding, BLOB_TYPE_OPAQUE, write_binary);
}

static int encode_simple(void *context, OSSL_CORE_BIO *out, const void *object,
                         const OSSL_PARAM abstract[], int selection,
                         OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    const struct encoding encoding = { context, out, object, abstract, { callback, arg } };

    (void)selection;
    return encode(&encoding, BLOB_TYPE_SIMPLE, write_binary);
}

static int encode_plaintext(void *context, OSSL_CORE_BIO *out, const void *object,
                            const OSSL_PARAM abstract[], int selection,
                            OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    const struct encoding encoding = { context, out, object, abstract, { callback, arg } };

    (void)selection;
    return encode(&encoding, BLOB_TYPE_PLAINTEXT, write_binary);
}

static int encode_signed(void *context, OSSL_CORE_BIO *out, const void *object,
                         const OSSL_PARAM abstract[], int selection,
                         OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    const struct encoding encoding = { context, out, object, abstract, { callback, arg } };

    (void)selection;
    return encode(&encoding, BLOB_TYPE_SIGNED, write_binary);
}

/* -pubout and friends: better our own word than libcrypto's "unsupported". */
static int encode_public(void *vcontext, OSSL_CORE_BIO *out, const void *object,
                         const OSSL_PARAM abstract[], int selection,
                         OSSL_PASSPHRASE_CALLBACK *callback, void *arg)
{
    struct encoder_context *context = vcontext;

    (void)out;
    (void)object;
    (void)abstract;
    (void)selection;
    (void)callback;
    (void)arg;
    return RAISE(context->provctx->errors, SCHANNEL_R_NO_PUBLIC_PART,
                 "a SCHANNEL key is secret as a whole: there is no public key to write");
}

const OSSL_DISPATCH schannel_pem_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))encoder_set_ctx_params },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))encoder_settable_ctx_params },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))secret_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encode_pem },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_der_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))encoder_set_ctx_params },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))encoder_settable_ctx_params },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))secret_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encode_der },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_opaque_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))encoder_set_ctx_params },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))encoder_settable_ctx_params },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))secret_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encode_opaque },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_simple_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))encoder_set_ctx_params },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))encoder_settable_ctx_params },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))secret_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encode_simple },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_plaintext_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))encoder_set_ctx_params },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))encoder_settable_ctx_params },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))secret_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encode_plaintext },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_signed_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_SET_CTX_PARAMS, (void (*)(void))encoder_set_ctx_params },
    { OSSL_FUNC_ENCODER_SETTABLE_CTX_PARAMS, (void (*)(void))encoder_settable_ctx_params },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))secret_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encode_signed },
    { 0, NULL },
};

const OSSL_DISPATCH schannel_public_encoder_functions[] = {
    { OSSL_FUNC_ENCODER_NEWCTX, (void (*)(void))encoder_new },
    { OSSL_FUNC_ENCODER_FREECTX, (void (*)(void))encoder_free },
    { OSSL_FUNC_ENCODER_DOES_SELECTION, (void (*)(void))public_does_selection },
    { OSSL_FUNC_ENCODER_ENCODE, (void (*)(void))encode_public },
    { 0, NULL },
};
