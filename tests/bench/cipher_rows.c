/* Rows: bulk encryption on contexts that are bound by key-handle. */
#include <openssl/crypto.h>
#include <stdio.h>
#include "material.h"
#include "rows.h"
#include "timing.h"

struct bulk {
    EVP_PKEY *key; /* of a bound context */
    EVP_CIPHER_CTX *context;
    unsigned char *data;
    size_t size;
};

static struct bulk *new_bulk(const struct job *job, const char *name, const char *properties,
                             EVP_CIPHER **cipher)
{
    struct bulk *bulk = OPENSSL_zalloc(sizeof(*bulk));

    *cipher = EVP_CIPHER_fetch(NULL, name, properties);
    if (bulk == NULL || *cipher == NULL || (bulk->context = EVP_CIPHER_CTX_new()) == NULL)
        die(name);
    bulk->data = make_data();
    bulk->size = job->size;
    return bulk;
}

static void *open_bound(const struct job *job)
{
    unsigned char handle[HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher;
    struct bulk *bulk;
    char name[40];

    snprintf(name, sizeof(name), "SCHANNEL-%s", job->algorithm);
    bulk = new_bulk(job, name, NULL, &cipher);
    bulk->key = make_key(job->algorithm, NULL, job->key_size);
    get_handle(bulk->key, handle);
    if (!EVP_EncryptInit_ex2(bulk->context, cipher, NULL, NULL, bind))
        die(name);
    EVP_CIPHER_free(cipher);
    return bulk;
}

static void *open_theirs(const struct job *job)
{
    EVP_CIPHER *cipher;
    struct bulk *bulk = new_bulk(job, job->algorithm, "provider!=schannel", &cipher);

    if (!EVP_EncryptInit_ex2(bulk->context, cipher, known_master, known_random, NULL) ||
        !EVP_CIPHER_CTX_set_padding(bulk->context, 0))
        die(job->algorithm);
    EVP_CIPHER_free(cipher);
    return bulk;
}

static void run_bulk(void *state, size_t count)
{
    struct bulk *bulk = state;
    int written;

    for (; count != 0; count--) {
        if (!EVP_EncryptUpdate(bulk->context, bulk->data, &written, bulk->data, (int)bulk->size))
            die("EVP_EncryptUpdate");
    }
}

static void close_bulk(void *state)
{
    struct bulk *bulk = state;

    EVP_CIPHER_CTX_free(bulk->context);
    EVP_PKEY_free(bulk->key);
    OPENSSL_free(bulk->data);
    OPENSSL_free(bulk);
}

static const size_t sizes[] = { 64, 1024, 16384 };

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static const struct {
    const char *algorithm;
    size_t key_size;
    double to_reach[SIZES];
} ciphers[] = {
    { SCHANNEL_ALG_AES_128_CBC, 16, { 0.60, 0.95, 0.99 } },
    { SCHANNEL_ALG_AES_256_CBC, 32, { 0.60, 0.95, 0.99 } },
    { SCHANNEL_ALG_DES_EDE3_CBC, 24, { 0.60, 0.95, 0.99 } },
    { SCHANNEL_ALG_RC2_CBC, 16, { 0.60, 0.95, 0.99 } },
    { SCHANNEL_ALG_RC4, 16, { 0.90, 0.95, 0.97 } },
};

void cipher_rows(void)
{
    for (size_t c = 0; c < sizeof(ciphers) / sizeof(ciphers[0]); c++) {
        for (size_t n = 0; n < SIZES; n++) {
            const char *algorithm = ciphers[c].algorithm;
            const size_t key_size = ciphers[c].key_size;
            char what[40];
            const struct row row = {
                what,
                { "bound", open_bound, run_bulk, close_bulk, algorithm, NULL, sizes[n], key_size },
                { "OpenSSL", open_theirs, run_bulk, close_bulk, algorithm, NULL, sizes[n], 0 },
                TIMES_AS_MANY,
                ciphers[c].to_reach[n],
            };

            snprintf(what, sizeof(what), "%s, %zu bytes", algorithm, sizes[n]);
            compare(&row);
        }
    }
}
