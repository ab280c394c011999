/* Rows of the rooms asymcipher and signature: whole messages under a key object. */
#include "operation.h"

#include <openssl/core_names.h>

static const uint8_t text[40] = { 4, 5, 6 };

/* ---- EVP_PKEY_encrypt and EVP_PKEY_decrypt ---- */

static int encrypt_to(EVP_PKEY_CTX *context, uint8_t *out, size_t *size)
{
    return EVP_PKEY_encrypt(context, out, size, text, sizeof(text)) > 0;
}

static int act_encrypt(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, scene->key, NULL);
    uint8_t out[sizeof(text) + 32];
    size_t size = sizeof(out);
    int ok = context != NULL && EVP_PKEY_encrypt_init_ex(context, scene->spec.list.params) > 0 &&
             encrypt_to(context, out, &size);

    (void)operation;
    if (ok)
        give(scene, out, size);
    EVP_PKEY_CTX_free(context);
    return ok;
}

/* A ciphertext in |in|, a context in |operation| that has encrypted. */
static void prepare_message(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY *copy = EVP_PKEY_dup(scene->key);

    (void)operation;
    assert_non_null(scene->operation = EVP_PKEY_CTX_new_from_pkey(libctx, copy, NULL));
    assert_int_equal(EVP_PKEY_encrypt_init_ex(scene->operation, scene->spec.list.params), 1);
    scene->in_size = MAX_IN;
    assert_int_equal(encrypt_to(scene->operation, scene->in, &scene->in_size), 1);
    EVP_PKEY_free(copy);
}

static int act_decrypt(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, scene->key, NULL);
    uint8_t out[sizeof(text) + 32];
    size_t size = sizeof(out);
    int ok = context != NULL && EVP_PKEY_decrypt_init_ex(context, scene->spec.list.params) > 0 &&
             EVP_PKEY_decrypt(context, out, &size, scene->in, scene->in_size) > 0;

    (void)operation;
    if (ok)
        give(scene, out, size);
    EVP_PKEY_CTX_free(context);
    return ok;
}

static int act_copy_message(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY_CTX *copy = EVP_PKEY_CTX_dup(scene->operation);
    uint8_t out[sizeof(text) + 32];
    size_t size = sizeof(out);
    int ok = copy != NULL && encrypt_to(copy, out, &size);

    (void)operation;
    if (ok)
        give(scene, out, size);
    EVP_PKEY_CTX_free(copy);
    return ok;
}

/* ---- EVP_DigestSign and EVP_DigestVerify ---- */

static int sign_to(struct scene *scene, EVP_MD_CTX *context)
{
    uint8_t out[64];
    size_t size = sizeof(out);

    if (EVP_DigestSignFinal(context, out, &size) <= 0)
        return 0;
    give(scene, out, size);
    return 1;
}

static int act_sign(struct scene *scene, const struct operation *operation)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL &&
             EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, scene->key,
                                   scene->spec.list.params) > 0 &&
             EVP_DigestSignUpdate(context, text, sizeof(text)) > 0 && sign_to(scene, context);

    (void)operation;
    EVP_MD_CTX_free(context);
    return ok;
}

/* The signature in |in|. */
static void prepare_verify(struct scene *scene, const struct operation *operation)
{
    EVP_PKEY *key = scene->key;

    assert_non_null(scene->key = EVP_PKEY_dup(key));
    assert_int_equal(act_sign(scene, operation), 1);
    EVP_PKEY_free(scene->key);
    scene->key = key;
    memcpy(scene->in, scene->out, scene->in_size = scene->out_size);
}

static int act_verify(struct scene *scene, const struct operation *operation)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int ok = context != NULL &&
             EVP_DigestVerifyInit_ex(context, NULL, NULL, libctx, NULL, scene->key,
                                     scene->spec.list.params) > 0 &&
             EVP_DigestVerify(context, scene->in, scene->in_size, text, sizeof(text)) == 1;

    (void)operation;
    EVP_MD_CTX_free(context);
    return ok;
}

static void prepare_sign(struct scene *scene, const struct operation *operation)
{
    (void)operation;
    assert_non_null(scene->digest = EVP_MD_CTX_new());
    assert_int_equal(EVP_DigestSignInit_ex(scene->digest, NULL, NULL, libctx, NULL, scene->key,
                                           scene->spec.list.params),
                     1);
    assert_int_equal(EVP_DigestSignUpdate(scene->digest, text, sizeof(text)), 1);
}

static int act_copy_signature(struct scene *scene, const struct operation *operation)
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    int ok = copy != NULL && EVP_MD_CTX_copy_ex(copy, scene->digest) && sign_to(scene, copy);

    (void)operation;
    EVP_MD_CTX_free(copy);
    return ok;
}

#define AES_KEY "alg=AES-128-CBC secret=*16 iv=*16"
#define MAC_KEY "alg=TLS1-MAC secret=*20 digest=SHA1 sequence=#7"
#define RECORD  "record-type=#23 record-version=#769 record-length=#40"

static const struct operation rows[] = {
    { "encrypt with AES", AES_KEY, .act = act_encrypt },
    { "encrypt with RC4", "alg=RC4 secret=*16", .act = act_encrypt, .spec = "final-reset=#1" },
    { "encrypt with RC2", "alg=RC2-CBC secret=*5", .act = act_encrypt },
    { "encrypt part with 3DES", "alg=DES-EDE-CBC secret=*16", .act = act_encrypt,
      .spec = "final=#1" },
    { "decrypt with AES", AES_KEY, prepare_message, act_decrypt },
    { "copy an encryption", AES_KEY, prepare_message, act_copy_message },

    { "sign", MAC_KEY, .act = act_sign },
    { "sign a record", MAC_KEY, .act = act_sign, .spec = RECORD },
    { "sign with SSL2", "alg=SSL2-MAC secret=*16", .act = act_sign },
    { "verify", MAC_KEY, prepare_verify, act_verify },
    { "verify a record", MAC_KEY, prepare_verify, act_verify, .spec = RECORD },
    { "copy a signature", MAC_KEY, prepare_sign, act_copy_signature },
    { "copy a record's signature", MAC_KEY, prepare_sign, act_copy_signature, .spec = RECORD },
};

struct operations message_operations(void)
{
    return (struct operations){ rows, COUNT(rows) };
}
