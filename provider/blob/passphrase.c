/* Sealing keys made from a passphrase: see passphrase.h. */
#include "blob/passphrase.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define MAX_SIZE 1024 /* PEM_BUFSIZE of libcrypto */

/* OSSL_PASSPHRASE_CALLBACK: the prompt says what the passphrase is for. */
static int ask(const struct provctx *provctx, const struct passphrase_source *source, char *text,
               size_t *size)
{
    static char info[] = "SCHANNEL opaque key blob";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PASSPHRASE_PARAM_INFO, info, 0),
                            OSSL_PARAM_construct_end() };
    int ok;

    errors_mark(provctx->errors);
    ok = source->callback != NULL && source->callback(text, MAX_SIZE, size, params, source->arg);
    errors_unmark(provctx->errors, 0);
    return ok && *size <= MAX_SIZE;
}

static int pbkdf2(const struct provctx *provctx, const char *text, size_t size, const uint8_t *salt,
                  uint32_t iterations, uint8_t secret[SEALING_KEY_SIZE])
{
    static char digest[] = "SHA256", properties[] = PROVCTX_INNER_PROPERTIES;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)text, size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt,
                                          SEAL_SALT_SIZE),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &iterations),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_PROPERTIES, properties, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf;
    EVP_KDF_CTX *context;
    int ok;

    errors_mark(provctx->errors);
    kdf = EVP_KDF_fetch(provctx->libctx, "PBKDF2", PROVCTX_INNER_PROPERTIES);
    context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    ok = context != NULL && EVP_KDF_derive(context, secret, SEALING_KEY_SIZE, params) > 0;
    errors_unmark(provctx->errors, 0);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return ok || errors_raise_unavailable(provctx->errors, provctx->libctx, "PBKDF2");
}

int passphrase_sealing_key(const struct provctx *provctx, const struct passphrase_source *source,
                           const uint8_t salt[SEAL_SALT_SIZE], uint32_t iterations,
                           struct sealing_key *key)
{
    char text[MAX_SIZE];
    size_t size = 0;
    int ok;

    memset(key, 0, sizeof(*key));
    ok = ask(provctx, source, text, &size)
             ? pbkdf2(provctx, text, size, salt, iterations, key->secret)
             : RAISE(provctx->errors, SCHANNEL_R_NO_PASSPHRASE,
                     "opaque blob: is sealed under a passphrase, and the application gave none");
    OPENSSL_cleanse(text, sizeof(text));
    return ok;
}
