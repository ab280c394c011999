/* The seal of opaque blobs: see seal.h. */
#include "blob/seal.h"

#include <limits.h>
#include <stdatomic.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include "primitive/hkdf.h"

#define AEAD_KEY_SIZE   32
#define AEAD_NONCE_SIZE 12

struct sealer {
    OSSL_LIB_CTX *libctx;
    const char *property_query;
    const struct errors *errors;
    /* Fetched on first use, written once, read without a lock. */
    EVP_CIPHER *_Atomic aead;
};

/* What one blob is sealed with. */
struct blob_keys {
    uint8_t key[AEAD_KEY_SIZE];
    uint8_t nonce[AEAD_NONCE_SIZE];
    uint8_t commitment[SEAL_COMMITMENT_SIZE];
};

struct sealer *sealer_new(OSSL_LIB_CTX *libctx, const char *property_query,
                          const struct errors *errors)
{
    struct sealer *sealer = OPENSSL_zalloc(sizeof(*sealer));

    if (sealer == NULL)
        return NULL;
    sealer->libctx = libctx;
    sealer->property_query = property_query;
    sealer->errors = errors;
    return sealer;
}

void sealer_free(struct sealer *sealer)
{
    if (sealer == NULL)
        return;
    EVP_CIPHER_free(atomic_load(&sealer->aead));
    OPENSSL_free(sealer);
}

/* When another thread is faster, its object stays and ours goes. */
static EVP_CIPHER *get_aead(struct sealer *sealer)
{
    EVP_CIPHER *found = atomic_load_explicit(&sealer->aead, memory_order_acquire);
    EVP_CIPHER *expected = NULL;

    if (found != NULL)
        return found;
    errors_mark(sealer->errors);
    found = EVP_CIPHER_fetch(sealer->libctx, "AES-256-GCM", sealer->property_query);
    errors_unmark(sealer->errors, 0);
    if (found == NULL) {
        errors_raise_unavailable(sealer->errors, sealer->libctx, "AES-256-GCM");
    } else if (!atomic_compare_exchange_strong(&sealer->aead, &expected, found)) {
        EVP_CIPHER_free(found);
        found = expected;
    }
    return found;
}

static void hkdf(const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
                 const char *info, uint8_t *out, size_t size)
{
    hkdf_sha256((struct octets){ key->secret, sizeof(key->secret) },
                (struct octets){ salt, SEAL_SALT_SIZE },
                (struct octets){ (const uint8_t *)info, strlen(info) }, out, size);
}

/* The caller cleanses |keys|. */
static void derive_keys(const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
                        struct blob_keys *keys)
{
    _Static_assert(sizeof(*keys) == AEAD_KEY_SIZE + AEAD_NONCE_SIZE + SEAL_COMMITMENT_SIZE,
                   "one output, cut into three");
    hkdf(key, salt, "schannel opaque key blob seal 1", (uint8_t *)keys, sizeof(*keys));
}

void seal_claim(const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
                uint8_t claim[SEAL_CLAIM_SIZE])
{
    hkdf(key, salt, "schannel opaque key blob claim 1", claim, SEAL_CLAIM_SIZE);
}

/* One run of AES-256-GCM over header and text.  Sizes are below INT_MAX. */
static int run_aead(const EVP_CIPHER *aead, const struct blob_keys *keys, int encrypt,
                    struct octets header, struct octets in, uint8_t *out, uint8_t *tag)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int length = 0, ok;

    ok = context != NULL &&
         EVP_CipherInit_ex2(context, aead, keys->key, keys->nonce, encrypt, NULL) &&
         EVP_CipherUpdate(context, NULL, &length, header.data, (int)header.size) &&
         (in.size == 0 || EVP_CipherUpdate(context, out, &length, in.data, (int)in.size)) &&
         (encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_SIZE, tag) > 0) &&
         EVP_CipherFinal_ex(context, out + in.size, &length) &&
         (!encrypt || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_SIZE, tag) > 0);
    EVP_CIPHER_CTX_free(context);
    return ok;
}

static int fits(const struct sealer *sealer, struct octets header, size_t size)
{
    return (header.size <= INT_MAX && size <= INT_MAX) ||
           RAISE(sealer->errors, SCHANNEL_R_INVALID_LENGTH, "too much to seal at once");
}

int seal(struct sealer *sealer, const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
         struct octets header, struct octets plaintext, uint8_t *out)
{
    uint8_t *ciphertext = out + SEAL_COMMITMENT_SIZE;
    EVP_CIPHER *aead = get_aead(sealer);
    struct blob_keys keys;
    int ok;

    if (aead == NULL || !fits(sealer, header, plaintext.size)) {
        OPENSSL_cleanse(out, plaintext.size + SEAL_OVERHEAD);
        return 0;
    }
    derive_keys(key, salt, &keys);
    memcpy(out, keys.commitment, SEAL_COMMITMENT_SIZE);
    errors_mark(sealer->errors);
    ok = run_aead(aead, &keys, 1, header, plaintext, ciphertext, ciphertext + plaintext.size);
    errors_unmark(sealer->errors, 0);
    OPENSSL_cleanse(&keys, sizeof(keys));
    if (ok)
        return 1;
    OPENSSL_cleanse(out, plaintext.size + SEAL_OVERHEAD);
    return RAISE(sealer->errors, SCHANNEL_R_LIBCRYPTO_FAILURE, "AES-256-GCM failed");
}

int unseal(struct sealer *sealer, const struct sealing_key *key, const uint8_t salt[SEAL_SALT_SIZE],
           struct octets header, struct octets sealed, uint8_t *out)
{
    EVP_CIPHER *aead;
    struct octets ciphertext;
    uint8_t tag[SEAL_TAG_SIZE];
    struct blob_keys keys;
    int ok;

    if (sealed.size < SEAL_OVERHEAD)
        return RAISE(
            sealer->errors, SCHANNEL_R_SEAL_DOES_NOT_VERIFY,
            "opaque blob: was altered, cut short, or sealed under another key or passphrase");
    ciphertext.data = sealed.data + SEAL_COMMITMENT_SIZE;
    ciphertext.size = sealed.size - SEAL_OVERHEAD;
    if ((aead = get_aead(sealer)) == NULL || !fits(sealer, header, ciphertext.size)) {
        OPENSSL_cleanse(out, ciphertext.size);
        return 0;
    }
    derive_keys(key, salt, &keys);
    memcpy(tag, ciphertext.data + ciphertext.size, sizeof(tag));
    errors_mark(sealer->errors);
    ok = CRYPTO_memcmp(sealed.data, keys.commitment, SEAL_COMMITMENT_SIZE) == 0 &&
         run_aead(aead, &keys, 0, header, ciphertext, out, tag);
    errors_unmark(sealer->errors, 0);
    OPENSSL_cleanse(&keys, sizeof(keys));
    if (ok)
        return 1;
    OPENSSL_cleanse(out, ciphertext.size);
    return RAISE(sealer->errors, SCHANNEL_R_SEAL_DOES_NOT_VERIFY,
                 "opaque blob: was altered, cut short, or sealed under another key or passphrase");
}
