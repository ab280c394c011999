/* The signature of a signed blob: see signature.h. */
#include "blob/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include "blob/key_argument.h"

static const struct {
    enum signature_algorithm algorithm;
    const char *key_type; /* as EVP_PKEY_is_a knows it */
    const char *digest;   /* NULL: the algorithm has its own */
    const char *name;
} rows[] = {
    { SIGNATURE_RSA_PSS_SHA256, "RSA", "SHA256", "RSA-PSS with SHA-256" },
    { SIGNATURE_RSA_PSS_SHA256, "RSA-PSS", "SHA256", "RSA-PSS with SHA-256" },
    { SIGNATURE_ECDSA_SHA256, "EC", "SHA256", "ECDSA with SHA-256" },
    { SIGNATURE_ED25519, "ED25519", NULL, "Ed25519" },
    { SIGNATURE_ED448, "ED448", NULL, "Ed448" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static size_t row_of(const EVP_PKEY *key)
{
    size_t n = 0;

    while (n < ROWS && !EVP_PKEY_is_a(key, rows[n].key_type))
        n++;
    return n;
}

const char *signature_algorithm_name(unsigned algorithm)
{
    for (size_t n = 0; n < ROWS; n++) {
        if (algorithm == (unsigned)rows[n].algorithm)
            return rows[n].name;
    }
    return NULL;
}

enum signature_algorithm signature_algorithm_of(const struct provctx *provctx, const EVP_PKEY *key)
{
    const size_t n = row_of(key);
    const char *type = EVP_PKEY_get0_type_name(key);

    if (n < ROWS)
        return rows[n].algorithm;
    RAISE(provctx->errors, SCHANNEL_R_WRONG_KIND_OF_KEY,
          "signature-key: expected an RSA, EC, Ed25519 or Ed448 key, got %s",
          type != NULL ? type : "another one");
    return SIGNATURE_NONE;
}

int signature_signer_id(const struct provctx *provctx, EVP_PKEY *key, uint8_t id[SIGNER_ID_SIZE])
{
    unsigned char *der = NULL;
    EVP_MD *sha256;
    int size, ok;

    errors_mark(provctx->errors);
    sha256 = EVP_MD_fetch(provctx->libctx, "SHA256", PROVCTX_INNER_PROPERTIES);
    size = i2d_PUBKEY(key, &der);
    ok = sha256 != NULL && size > 0 && EVP_Digest(der, (size_t)size, id, NULL, sha256, NULL);
    OPENSSL_free(der);
    EVP_MD_free(sha256);
    errors_unmark(provctx->errors, 0);
    if (sha256 == NULL)
        return errors_raise_unavailable(provctx->errors, provctx->libctx, "SHA256");
    return ok || RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE,
                       "signature-key: its public part cannot be told");
}

/* What EVP_DigestSignInit_ex and EVP_DigestVerifyInit_ex are. */
typedef int init_fn(EVP_MD_CTX *, EVP_PKEY_CTX **, const char *, OSSL_LIB_CTX *, const char *,
                    EVP_PKEY *, const OSSL_PARAM[]);

/* |salt_size|: of PSS. */
static int begin(const struct provctx *provctx, EVP_MD_CTX *context, EVP_PKEY *key, init_fn *init,
                 int salt_size)
{
    const size_t n = row_of(key);
    char properties[KEY_ARGUMENT_PROPERTIES_SIZE];
    EVP_PKEY_CTX *operation = NULL;

    key_argument_properties(key, properties);
    return context != NULL && n < ROWS &&
           init(context, &operation, rows[n].digest, provctx->keys_libctx, properties, key, NULL) >
               0 &&
           key_argument_stays(key, operation) &&
           (rows[n].algorithm != SIGNATURE_RSA_PSS_SHA256 ||
            (EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PSS_PADDING) > 0 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(operation, salt_size) > 0));
}

int signature_make(const struct provctx *provctx, EVP_PKEY *key, struct octets data,
                   uint8_t *signature, size_t *size)
{
    EVP_MD_CTX *context;
    int ok;

    errors_mark(provctx->errors);
    context = EVP_MD_CTX_new();
    *size = SIGNATURE_MAX_SIZE;
    ok = begin(provctx, context, key, EVP_DigestSignInit_ex, RSA_PSS_SALTLEN_DIGEST) &&
         EVP_DigestSign(context, signature, size, data.data, data.size) > 0;
    EVP_MD_CTX_free(context);
    errors_unmark(provctx->errors, 0);
    return ok || RAISE(provctx->errors, SCHANNEL_R_LIBCRYPTO_FAILURE,
                       "signature-key: signing failed: is it the private key?");
}

int signature_verify(const struct provctx *provctx, EVP_PKEY *key, struct octets data,
                     struct octets signature)
{
    EVP_MD_CTX *context;
    int ok;

    errors_mark(provctx->errors);
    context = EVP_MD_CTX_new();
    /* A TPM takes the longest salt that fits, whatever it is told. */
    ok = begin(provctx, context, key, EVP_DigestVerifyInit_ex, RSA_PSS_SALTLEN_AUTO) &&
         EVP_DigestVerify(context, signature.data, signature.size, data.data, data.size) == 1;
    EVP_MD_CTX_free(context);
    errors_unmark(provctx->errors, 0);
    return ok || RAISE(provctx->errors, SCHANNEL_R_SIGNATURE_DOES_NOT_VERIFY,
                       "signed blob: the signature does not verify: the blob was altered");
}
