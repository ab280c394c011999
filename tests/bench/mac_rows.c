/* Rows: the MAC of a record of TLS 1.0, header included, on a context that is bound by key-handle. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include "material.h"
#include "rows.h"
#include "timing.h"

#define CONTENT_TYPE 23
#define VERSION      0x0301
#define HEADER_SIZE  13

struct record_mac {
    EVP_PKEY *key; /* of a bound context */
    EVP_MAC_CTX *context;
    unsigned char *data;
    size_t size;
    uint64_t sequence; /* where the application counts */
};

static struct record_mac *new_mac(const struct job *job, const char *name)
{
    struct record_mac *mac = OPENSSL_zalloc(sizeof(*mac));
    EVP_MAC *fetched = EVP_MAC_fetch(NULL, name, NULL);

    if (mac == NULL || fetched == NULL || (mac->context = EVP_MAC_CTX_new(fetched)) == NULL)
        die(name);
    EVP_MAC_free(fetched);
    mac->data = make_data();
    mac->size = job->size;
    return mac;
}

static void *open_bound(const struct job *job)
{
    struct record_mac *mac = new_mac(job, SCHANNEL_MAC_TLS1);
    unsigned char handle[HANDLE_SIZE] = { 0 };
    unsigned type = CONTENT_TYPE, version = VERSION;
    OSSL_PARAM bind[] = { octets(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
                          OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_TYPE, &type),
                          OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_VERSION, &version),
                          OSSL_PARAM_construct_end() };

    mac->key = make_key(SCHANNEL_ALG_TLS1_MAC, job->digest, job->key_size);
    get_handle(mac->key, handle);
    if (!EVP_MAC_init(mac->context, NULL, 0, bind))
        die(SCHANNEL_MAC_TLS1);
    return mac;
}

static void run_bound(void *state, size_t count)
{
    struct record_mac *mac = state;
    unsigned length = (unsigned)mac->size;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(SCHANNEL_PARAM_RECORD_LENGTH, &length),
                            OSSL_PARAM_construct_end() };
    unsigned char out[MAX_MAC_SIZE];
    size_t size;

    for (; count != 0; count--) {
        if (!EVP_MAC_CTX_set_params(mac->context, params) ||
            !EVP_MAC_update(mac->context, mac->data, mac->size) ||
            !EVP_MAC_final(mac->context, out, &size, sizeof(out)))
            die(SCHANNEL_MAC_TLS1);
    }
}

static void *open_hmac(const struct job *job)
{
    struct record_mac *mac = new_mac(job, "HMAC");
    OSSL_PARAM params[] = { text(OSSL_MAC_PARAM_DIGEST, job->digest), OSSL_PARAM_construct_end() };

    if (!EVP_MAC_init(mac->context, known_master, job->key_size, params))
        die("HMAC");
    return mac;
}

static void put_header(unsigned char header[HEADER_SIZE], uint64_t sequence, size_t size)
{
    for (size_t n = 0; n < 8; n++)
        header[n] = (unsigned char)(sequence >> (56 - 8 * n));
    header[8] = CONTENT_TYPE;
    header[9] = VERSION >> 8;
    header[10] = VERSION & 0xff;
    header[11] = (unsigned char)(size >> 8);
    header[12] = (unsigned char)size;
}

static void run_hmac(void *state, size_t count)
{
    struct record_mac *mac = state;
    unsigned char out[MAX_MAC_SIZE], header[HEADER_SIZE];
    size_t size;

    for (; count != 0; count--) {
        put_header(header, mac->sequence++, mac->size);
        if (!EVP_MAC_init(mac->context, NULL, 0, NULL) ||
            !EVP_MAC_update(mac->context, header, sizeof(header)) ||
            !EVP_MAC_update(mac->context, mac->data, mac->size) ||
            !EVP_MAC_final(mac->context, out, &size, sizeof(out)))
            die("HMAC");
    }
}

static void close_mac(void *state)
{
    struct record_mac *mac = state;

    EVP_MAC_CTX_free(mac->context);
    EVP_PKEY_free(mac->key);
    OPENSSL_free(mac->data);
    OPENSSL_free(mac);
}

void mac_rows(void)
{
    static const struct {
        const char *digest;
        size_t key_size;
    } digests[] = { { "SHA1", 20 }, { "MD5", 16 } };
    static const size_t sizes[] = { 64, 1024, 16384 };

    for (size_t d = 0; d < sizeof(digests) / sizeof(digests[0]); d++) {
        for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
            const char *digest = digests[d].digest;
            const size_t key_size = digests[d].key_size;
            char what[40];
            const struct row row = {
                what,
                { "TLS1-MAC", open_bound, run_bound, close_mac, NULL, digest, sizes[n], key_size },
                { "HMAC", open_hmac, run_hmac, close_mac, NULL, digest, sizes[n], key_size },
                TIMES_AS_MANY,
                1.0,
            };

            snprintf(what, sizeof(what), "record MAC %s, %zu bytes", digest, sizes[n]);
            compare(&row);
        }
    }
}
