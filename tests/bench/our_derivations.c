/* The derivations of this provider: see derivations.h. */
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <string.h>
#include "derivations.h"
#include "material.h"

#define MAX_OUTPUT 136

/* ---- EVP_KDF ---- */

struct kdf {
    EVP_KDF_CTX *context;
    size_t size;
    unsigned char random[RANDOM_SIZE];
};

static void *open_kdf(const struct job *job)
{
    EVP_KDF *fetched = EVP_KDF_fetch(NULL, job->algorithm, NULL);
    struct kdf *kdf = OPENSSL_zalloc(sizeof(*kdf));
    OSSL_PARAM params[] = { octets(SCHANNEL_PARAM_SECRET, known_master, job->key_size),
                            OSSL_PARAM_construct_end() };
    /* PCT 1.0 hashes the certificate too, and each key by itself. */
    OSSL_PARAM pct1[] = { text(SCHANNEL_PARAM_USAGE, SCHANNEL_USAGE_SERVER_WRITE_KEY),
                          text(SCHANNEL_PARAM_CIPHER, SCHANNEL_ALG_RC4),
                          text(SCHANNEL_PARAM_DIGEST, "MD5"),
                          octets(SCHANNEL_PARAM_CERTIFICATE, known_random, RANDOM_SIZE),
                          OSSL_PARAM_construct_end() };

    if (fetched == NULL || kdf == NULL || (kdf->context = EVP_KDF_CTX_new(fetched)) == NULL ||
        EVP_KDF_CTX_set_params(kdf->context, params) <= 0 ||
        (strcmp(job->algorithm, SCHANNEL_KDF_PCT1) == 0 &&
         EVP_KDF_CTX_set_params(kdf->context, pct1) <= 0))
        die(job->algorithm);
    EVP_KDF_free(fetched);
    kdf->size = job->size;
    return kdf;
}

static void run_kdf(void *state, size_t count)
{
    struct kdf *kdf = state;
    unsigned char out[MAX_OUTPUT];
    OSSL_PARAM params[] = { octets(SCHANNEL_PARAM_CLIENT_RANDOM, kdf->random, RANDOM_SIZE),
                            octets(SCHANNEL_PARAM_SERVER_RANDOM, known_random, RANDOM_SIZE),
                            OSSL_PARAM_construct_end() };

    for (; count != 0; count--) {
        kdf->random[0]++;
        if (EVP_KDF_derive(kdf->context, out, kdf->size, params) <= 0)
            die("our KDF");
    }
}

static void close_kdf(void *state)
{
    struct kdf *kdf = state;

    EVP_KDF_CTX_free(kdf->context);
    OPENSSL_free(kdf);
}

#define KDF_JOB(algorithm, size, key_size)                                                         \
    {                                                                                              \
        algorithm, open_kdf, run_kdf, close_kdf, algorithm, NULL, size, key_size                   \
    }

const struct job tls1_kdf_104 = KDF_JOB(SCHANNEL_KDF_TLS1, 104, MASTER_SIZE);
const struct job tls1_kdf_136 = KDF_JOB(SCHANNEL_KDF_TLS1, 136, MASTER_SIZE);
const struct job ssl3_kdf_104 = KDF_JOB(SCHANNEL_KDF_SSL3, 104, MASTER_SIZE);
const struct job ssl2_kdf_48 = KDF_JOB(SCHANNEL_KDF_SSL2, 48, 16);
const struct job pct1_kdf_16 = KDF_JOB(SCHANNEL_KDF_PCT1, 16, 16);

/* ---- from a key object ---- */

struct reconnect {
    EVP_PKEY *master;
    EVP_PKEY_CTX *derivation;
    unsigned char random[RANDOM_SIZE];
};

static void *open_master(const struct job *job)
{
    struct reconnect *reconnect = OPENSSL_zalloc(sizeof(*reconnect));

    if (reconnect == NULL)
        die(job->name);
    reconnect->master = make_master();
    reconnect->derivation = EVP_PKEY_CTX_new_from_pkey(NULL, reconnect->master, NULL);
    if (reconnect->derivation == NULL || EVP_PKEY_keygen_init(reconnect->derivation) <= 0)
        die(job->name);
    return reconnect;
}

/* The randoms come with the first key of a connection and hold for the others. */
static void run_master(void *state, size_t count)
{
    static const char *const usages[KEY_COUNT] = { SCHANNEL_USAGE_CLIENT_WRITE_KEY,
                                                   SCHANNEL_USAGE_SERVER_WRITE_KEY,
                                                   SCHANNEL_USAGE_CLIENT_WRITE_MAC,
                                                   SCHANNEL_USAGE_SERVER_WRITE_MAC };
    struct reconnect *reconnect = state;

    for (; count != 0; count--) {
        reconnect->random[0]++;
        for (size_t n = 0; n < KEY_COUNT; n++) {
            EVP_PKEY *key = NULL;
            OSSL_PARAM params[] = { text(SCHANNEL_PARAM_USAGE, usages[n]),
                                    n != 0 ? OSSL_PARAM_construct_end()
                                           : octets(SCHANNEL_PARAM_CLIENT_RANDOM, reconnect->random,
                                                    RANDOM_SIZE),
                                    octets(SCHANNEL_PARAM_SERVER_RANDOM, known_random, RANDOM_SIZE),
                                    OSSL_PARAM_construct_end() };

            if (EVP_PKEY_CTX_set_params(reconnect->derivation, params) <= 0 ||
                EVP_PKEY_generate(reconnect->derivation, &key) <= 0)
                die("a session key");
            EVP_PKEY_free(key);
        }
    }
}

static void close_master(void *state)
{
    struct reconnect *reconnect = state;

    EVP_PKEY_CTX_free(reconnect->derivation);
    EVP_PKEY_free(reconnect->master);
    OPENSSL_free(reconnect);
}

const struct job tls1_master_keys = { "TLS1-MASTER", open_master, run_master, close_master,
                                      NULL,          NULL,        0,          0 };
