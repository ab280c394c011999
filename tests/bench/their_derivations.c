/* What the derivations of this provider are compared with: see derivations.h. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <string.h>
#include "derivations.h"
#include "material.h"

#define MD5_SIZE   16
#define SHA1_SIZE  20
#define MAX_OUTPUT 144 /* whole steps of 16 bytes */

/* ---- TLS1-PRF ---- */

struct prf {
    EVP_KDF_CTX *context;
    size_t size;
    unsigned char random[RANDOM_SIZE];
};

static void *open_prf(const struct job *job)
{
    EVP_KDF *fetched = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    struct prf *prf = OPENSSL_zalloc(sizeof(*prf));

    if (fetched == NULL || prf == NULL || (prf->context = EVP_KDF_CTX_new(fetched)) == NULL)
        die("TLS1-PRF");
    EVP_KDF_free(fetched);
    prf->size = job->size;
    return prf;
}

/* Seeds given are appended to those that the context has, so it has to be reset each time. */
static void run_prf(void *state, size_t count)
{
    struct prf *prf = state;
    unsigned char out[MAX_OUTPUT];
    OSSL_PARAM params[] = { text(OSSL_KDF_PARAM_DIGEST, "MD5-SHA1"),
                            octets(OSSL_KDF_PARAM_SECRET, known_master, MASTER_SIZE),
                            octets(OSSL_KDF_PARAM_SEED, "key expansion", 13),
                            octets(OSSL_KDF_PARAM_SEED, known_random, RANDOM_SIZE),
                            octets(OSSL_KDF_PARAM_SEED, prf->random, RANDOM_SIZE),
                            OSSL_PARAM_construct_end() };

    for (; count != 0; count--) {
        prf->random[0]++;
        EVP_KDF_CTX_reset(prf->context);
        if (EVP_KDF_derive(prf->context, out, prf->size, params) <= 0)
            die("TLS1-PRF");
    }
}

static void close_prf(void *state)
{
    struct prf *prf = state;

    EVP_KDF_CTX_free(prf->context);
    OPENSSL_free(prf);
}

const struct job tls1_prf_104 = { "TLS1-PRF", open_prf, run_prf, close_prf, NULL, NULL, 104, 0 };
const struct job tls1_prf_136 = { "TLS1-PRF", open_prf, run_prf, close_prf, NULL, NULL, 136, 0 };

/* ---- the formula of SSL 3.0 ---- */

struct formula {
    EVP_MD *md5, *sha1;
    EVP_MD_CTX *md5_context, *sha1_context;
    size_t size;
    unsigned char random[RANDOM_SIZE];
};

static void *open_formula(const struct job *job)
{
    struct formula *formula = OPENSSL_zalloc(sizeof(*formula));

    if (formula == NULL || (formula->md5 = EVP_MD_fetch(NULL, "MD5", NULL)) == NULL ||
        (formula->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL)) == NULL ||
        (formula->md5_context = EVP_MD_CTX_new()) == NULL ||
        (formula->sha1_context = EVP_MD_CTX_new()) == NULL)
        die("MD5 and SHA-1");
    formula->size = job->size;
    return formula;
}

/* Step n: MD5(master || SHA-1(n + 1 times the letter 'A' + n || master || randoms)) */
static void run_step(struct formula *formula, size_t n, unsigned char out[MD5_SIZE])
{
    unsigned char inner[SHA1_SIZE];
    char letters[26];

    memset(letters, (int)('A' + n), n + 1);
    if (!EVP_DigestInit_ex2(formula->sha1_context, formula->sha1, NULL) ||
        !EVP_DigestUpdate(formula->sha1_context, letters, n + 1) ||
        !EVP_DigestUpdate(formula->sha1_context, known_master, MASTER_SIZE) ||
        !EVP_DigestUpdate(formula->sha1_context, known_random, RANDOM_SIZE) ||
        !EVP_DigestUpdate(formula->sha1_context, formula->random, RANDOM_SIZE) ||
        !EVP_DigestFinal_ex(formula->sha1_context, inner, NULL) ||
        !EVP_DigestInit_ex2(formula->md5_context, formula->md5, NULL) ||
        !EVP_DigestUpdate(formula->md5_context, known_master, MASTER_SIZE) ||
        !EVP_DigestUpdate(formula->md5_context, inner, sizeof(inner)) ||
        !EVP_DigestFinal_ex(formula->md5_context, out, NULL))
        die("the formula");
}

static void run_formula(void *state, size_t count)
{
    struct formula *formula = state;
    unsigned char out[MAX_OUTPUT];

    for (; count != 0; count--) {
        formula->random[0]++;
        for (size_t n = 0; MD5_SIZE * n < formula->size; n++)
            run_step(formula, n, out + MD5_SIZE * n);
    }
}

static void close_formula(void *state)
{
    struct formula *formula = state;

    EVP_MD_CTX_free(formula->md5_context);
    EVP_MD_CTX_free(formula->sha1_context);
    EVP_MD_free(formula->md5);
    EVP_MD_free(formula->sha1);
    OPENSSL_free(formula);
}

const struct job ssl3_formula_104 = { "with EVP_MD", open_formula, run_formula, close_formula,
                                      NULL,          NULL,         104,         0 };

/* ---- key objects alone ---- */

static void *open_hmac_keys(const struct job *job)
{
    (void)job;
    return NULL;
}

static void run_hmac_keys(void *state, size_t count)
{
    (void)state;
    for (; count != 0; count--) {
        for (size_t n = 0; n < KEY_COUNT; n++) {
            EVP_PKEY *key =
                EVP_PKEY_new_raw_private_key_ex(NULL, "HMAC", NULL, known_master, SHA1_SIZE);

            if (key == NULL)
                die("an HMAC key");
            EVP_PKEY_free(key);
        }
    }
}

static void close_hmac_keys(void *state)
{
    (void)state;
}

const struct job hmac_keys = {
    "HMAC", open_hmac_keys, run_hmac_keys, close_hmac_keys, NULL, NULL, 0, 0
};
