/*
 * SIGNATURE "SCHANNEL": record MACs through EVP_DigestSign and EVP_DigestVerify, for dgst -sign.
 *
 * Unlike an EVP_MAC context, which continues what the key has absorbed, a signature context starts
 * from an empty message and absorbs in itself.  A duplicate shares the key: libcrypto finishes on a
 * duplicate behind the caller's back.  In record mode the data waits until the end, since the header
 * that is authenticated first holds the sequence number that the key has at that moment; the key's
 * sequence number then advances.  Referenced by algorithms.c.
 */
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <string.h>
#include "dispatch.h"
#include "key/key.h"
#include "key/mac_record.h"
#include "params.h"
#include "schannel/names.h"

static OSSL_FUNC_signature_newctx_fn signature_new;
static OSSL_FUNC_signature_freectx_fn signature_free;
static OSSL_FUNC_signature_dupctx_fn signature_dup;
static OSSL_FUNC_signature_digest_sign_init_fn signature_init;
static OSSL_FUNC_signature_digest_sign_update_fn signature_update;
static OSSL_FUNC_signature_digest_sign_final_fn sign_final;
static OSSL_FUNC_signature_digest_verify_final_fn verify_final;
static OSSL_FUNC_signature_set_ctx_params_fn signature_set_ctx_params;
static OSSL_FUNC_signature_settable_ctx_params_fn signature_settable_ctx_params;

struct signature_context {
    struct provctx *provctx;
    struct key *key; /* a MAC key, with a reference; NULL before the initialisation */
    struct mac_record record;
    uint8_t started; /* raw mode: |message| has begun */
    struct key_message message;
    uint8_t *data; /* record mode: what has come so far; owned, MAC_RECORD_MAX_SIZE bytes */
    size_t data_size;
};

static void *signature_new(void *vprovctx, const char *property_query)
{
    struct provctx *provctx = vprovctx;
    struct signature_context *context = OPENSSL_zalloc(sizeof(*context));

    (void)property_query;
    if (context == NULL)
        RAISE(provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a signature context");
    else
        context->provctx = provctx;
    return context;
}

/* Forgets the message; key and record parameters stay. */
static void drop_message(struct signature_context *context)
{
    if (context->started) {
        /* retired or not: a message that is over already ends once more */
        key_enter(context->key);
        key_message_end(&context->message);
        key_unlock(context->key);
    }
    context->started = 0;
    OPENSSL_clear_free(context->data, MAC_RECORD_MAX_SIZE);
    context->data = NULL;
    context->data_size = 0;
}

static void signature_free(void *vcontext)
{
    struct signature_context *context = vcontext;

    if (context == NULL)
        return;
    drop_message(context);
    key_free(context->key);
    OPENSSL_clear_free(context, sizeof(*context));
}

/*
 * A message that has begun goes on in the copy, unless the key was retired: then it has ended, and
 * whoever uses the copy is told.  A copy that fails would be told twice: libcrypto 3.5 and later go
 * on without it.
 */
static void copy_message(struct signature_context *copy, const struct signature_context *context)
{
    memset(&copy->message, 0, sizeof(copy->message));
    copy->started = 0;
    if (!context->started || !key_enter_inherited(context->key))
        return;
    if (!context->key->retired) {
        key_message_begin(context->key, &copy->message);
        copy->message.running = context->message.running;
        copy->started = 1;
    }
    key_unlock(context->key);
}

static void *signature_dup(void *vcontext)
{
    const struct signature_context *context = vcontext;
    struct signature_context *copy = OPENSSL_memdup(context, sizeof(*context));

    if (copy != NULL && context->data != NULL &&
        (copy->data = OPENSSL_memdup(context->data, MAC_RECORD_MAX_SIZE)) == NULL) {
        OPENSSL_clear_free(copy, sizeof(*copy));
        copy = NULL;
    }
    if (copy == NULL) {
        RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY,
              "no memory for a signature context");
        return NULL;
    }
    if (context->key != NULL) {
        copy->key = key_up_ref(context->key);
        copy_message(copy, context);
    }
    return copy;
}

static int signature_set_ctx_params(void *vcontext, const OSSL_PARAM params[])
{
    struct signature_context *context = vcontext;

    if (params == NULL || params->key == NULL)
        return 1;
    if (context->key == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "signature: no key is set");
    return mac_record_set(context->provctx, context->key->protocol, &context->record, params, NULL);
}

static const OSSL_PARAM *signature_settable_ctx_params(void *context, void *provctx)
{
    static const OSSL_PARAM settable[] = { MAC_RECORD_SETTABLE, OSSL_PARAM_END };

    (void)context;
    (void)provctx;
    return settable;
}

/* A digest name given must be the key's own. */
static int check_key(const struct signature_context *context, struct key *key, const char *digest)
{
    const char *own;
    int ok;

    if (!key_lock_mac(key, KEY_LOOK, "signature"))
        return 0;
    own = digest_name(key_mac(key)->digest);
    ok = digest == NULL || digest[0] == '\0' || digest_from_name(digest) == key_mac(key)->digest;
    key_unlock(key);
    return ok || RAISE(context->provctx->errors, SCHANNEL_R_CONFLICTING_PARAMETERS,
                       "digest: the key's own is %s, not %s", own, digest);
}

/* For signing and verifying alike.  |key| NULL keeps the key of the last initialisation. */
static int signature_init(void *vcontext, const char *digest, void *key, const OSSL_PARAM params[])
{
    struct signature_context *context = vcontext;
    struct key *wanted = key != NULL ? key : context->key;
    struct mac_record record = context->record;

    if (wanted == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "signature: no key is set");
    /* libcrypto has finished on a duplicate: the length of the last record is still here. */
    record.has_length = 0;
    if (!check_key(context, wanted, digest) ||
        !mac_record_set(context->provctx, wanted->protocol, &record, params, NULL))
        return 0;
    context->record = record;
    key_up_ref(wanted);
    drop_message(context);
    key_free(context->key);
    context->key = wanted;
    return 1;
}

/* ---- absorbing ---- */

/* Under the key's lock, which fails when the key was retired. */
static int absorb_raw(struct signature_context *context, const unsigned char *data, size_t size)
{
    if (!key_lock_mac(context->key, KEY_USE, "signature"))
        return 0;
    if (!context->started)
        key_message_begin(context->key, &context->message);
    context->started = 1;
    digest_update(&context->message.running, data, size);
    key_unlock(context->key);
    return 1;
}

static int absorb_record(struct signature_context *context, const unsigned char *data, size_t size)
{
    if (context->data == NULL && (context->data = OPENSSL_malloc(MAC_RECORD_MAX_SIZE)) == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_OUT_OF_MEMORY, "no memory for a record");
    if (size > MAC_RECORD_MAX_SIZE - context->data_size)
        return RAISE(context->provctx->errors, SCHANNEL_R_RECORD_LENGTH_MISMATCH,
                     "a record has at most %d bytes", MAC_RECORD_MAX_SIZE);
    if (size != 0)
        memcpy(context->data + context->data_size, data, size);
    context->data_size += size;
    return 1;
}

static int signature_update(void *vcontext, const unsigned char *data, size_t size)
{
    struct signature_context *context = vcontext;

    if (context->key == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "signature: no key is set");
    return context->record.enabled && !context->started ? absorb_record(context, data, size)
                                                        : absorb_raw(context, data, size);
}

/* ---- finishing ---- */

static int finish_raw(struct signature_context *context, uint8_t *mac)
{
    if (!absorb_raw(context, NULL, 0) || !key_lock_mac(context->key, KEY_USE, "signature"))
        return 0;
    mac_value_finish(key_mac(context->key), &context->message.running, mac);
    key_unlock(context->key);
    return 1;
}

/*
 * Under the key's lock: a message of our own with the key's sequence number, which then advances.
 * A record that another context is absorbing already has that number: it cannot be used twice.
 */
static int finish_locked(struct signature_context *context, struct mac_value *key, uint8_t *mac)
{
    struct mac_record record = context->record;
    struct mac_value message;
    int ok;

    if (key->started && key->in_record)
        return RAISE(context->provctx->errors, SCHANNEL_R_INVALID_PARAMETER,
                     "sequence: the key is absorbing a record, which has its number already");
    message = *key;
    mac_value_drop(&message);
    if (!record.has_length) {
        record.has_length = 1;
        record.length = (uint16_t)context->data_size;
    }
    ok = mac_value_update(context->provctx, &message, &record, context->data, context->data_size) &&
         mac_value_final(context->provctx, &message, &record, mac);
    if (ok)
        key->sequence = message.sequence;
    mac_value_clear(&message);
    return ok;
}

static int finish_record(struct signature_context *context, uint8_t *mac)
{
    int ok;

    if (!key_lock_mac(context->key, KEY_ADVANCE, "signature"))
        return 0;
    ok = finish_locked(context, key_mac(context->key), mac);
    key_unlock(context->key);
    if (ok)
        context->record.has_length = 0;
    return ok;
}

/* Ends the message: the MAC, and its size. */
static int finish(struct signature_context *context, uint8_t mac[DIGEST_MAX_SIZE])
{
    int ok = context->record.enabled && !context->started ? finish_record(context, mac)
                                                          : finish_raw(context, mac);

    if (ok)
        drop_message(context);
    return ok;
}

static int get_size(struct signature_context *context, size_t *size)
{
    if (context->key == NULL)
        return RAISE(context->provctx->errors, SCHANNEL_R_NO_KEY, "signature: no key is set");
    if (!key_lock_mac(context->key, KEY_LOOK, "signature"))
        return 0;
    *size = digest_size(key_mac(context->key)->digest);
    key_unlock(context->key);
    return 1;
}

/* A size query (|signature| NULL) changes nothing. */
static int sign_final(void *vcontext, unsigned char *signature, size_t *size, size_t room)
{
    struct signature_context *context = vcontext;

    if (!get_size(context, size))
        return 0;
    if (signature == NULL)
        return 1;
    if (room < *size)
        return RAISE(context->provctx->errors, SCHANNEL_R_OUTPUT_TOO_SMALL,
                     "signature: needs %zu bytes, the buffer has %zu", *size, room);
    return finish(context, signature);
}

/* Compared in constant time; a wrong MAC is an answer, not an error. */
static int verify_final(void *vcontext, const unsigned char *signature, size_t size)
{
    struct signature_context *context = vcontext;
    uint8_t expected[DIGEST_MAX_SIZE];
    size_t expected_size;
    int ok;

    if (!get_size(context, &expected_size) || !finish(context, expected))
        return 0;
    ok = size == expected_size && CRYPTO_memcmp(signature, expected, size) == 0;
    OPENSSL_cleanse(expected, sizeof(expected));
    return ok;
}

const OSSL_DISPATCH schannel_signature_functions[] = {
    { OSSL_FUNC_SIGNATURE_NEWCTX, (void (*)(void))signature_new },
    { OSSL_FUNC_SIGNATURE_FREECTX, (void (*)(void))signature_free },
    { OSSL_FUNC_SIGNATURE_DUPCTX, (void (*)(void))signature_dup },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, (void (*)(void))signature_init },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, (void (*)(void))signature_update },
    { OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, (void (*)(void))sign_final },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, (void (*)(void))signature_init },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, (void (*)(void))signature_update },
    { OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, (void (*)(void))verify_final },
    { OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, (void (*)(void))signature_set_ctx_params },
    { OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, (void (*)(void))signature_settable_ctx_params },
    { 0, NULL },
};
