/* What the benchmark works on: see material.h. */
#include "material.h"

#include <stdint.h>
#include <openssl/crypto.h>
#include "timing.h"

const unsigned char known_master[MASTER_SIZE] = "forty-eight bytes that are a master secret ....";
const unsigned char known_random[RANDOM_SIZE] = "thirty-two bytes of a hello ...";

OSSL_PARAM octets(const char *name, const void *value, size_t size)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)value, size);
}

OSSL_PARAM text(const char *name, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(name, (char *)(uintptr_t)value, 0);
}

static EVP_PKEY *import(OSSL_PARAM params[], const char *what)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        die(what);
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *make_key(const char *algorithm, const char *digest, size_t size)
{
    OSSL_PARAM params[] = { text(SCHANNEL_PARAM_ALG, algorithm),
                            octets(SCHANNEL_PARAM_SECRET, known_master, size),
                            OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

    if (digest != NULL)
        params[2] = text(SCHANNEL_PARAM_DIGEST, digest);
    return import(params, algorithm);
}

EVP_PKEY *make_master(void)
{
    OSSL_PARAM params[] = { text(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_TLS1_MASTER),
                            octets(SCHANNEL_PARAM_SECRET, known_master, MASTER_SIZE),
                            octets(SCHANNEL_PARAM_CLIENT_RANDOM, known_random, RANDOM_SIZE),
                            octets(SCHANNEL_PARAM_SERVER_RANDOM, known_random, RANDOM_SIZE),
                            text(SCHANNEL_PARAM_CIPHER, SCHANNEL_ALG_AES_128_CBC),
                            text(SCHANNEL_PARAM_DIGEST, "SHA1"),
                            OSSL_PARAM_construct_end() };

    return import(params, SCHANNEL_ALG_TLS1_MASTER);
}

void make_connection(EVP_PKEY *keys[KEY_COUNT])
{
    OSSL_PARAM params[] = { text(SCHANNEL_PARAM_SEAL_KEY, "runtime"), OSSL_PARAM_construct_end() };

    for (size_t n = 0; n < KEY_COUNT; n++) {
        keys[n] = n < 2 ? make_key(SCHANNEL_ALG_AES_128_CBC, NULL, 16)
                        : make_key(SCHANNEL_ALG_TLS1_MAC, "SHA1", 20);
        if (!EVP_PKEY_set_params(keys[n], params))
            die("seal-key");
    }
}

void free_connection(EVP_PKEY *keys[KEY_COUNT])
{
    for (size_t n = 0; n < KEY_COUNT; n++)
        EVP_PKEY_free(keys[n]);
}

void get_handle(EVP_PKEY *key, unsigned char handle[HANDLE_SIZE])
{
    size_t size;

    if (!EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle, HANDLE_SIZE,
                                         &size))
        die("key-handle");
}

unsigned char *make_data(void)
{
    unsigned char *data = OPENSSL_zalloc(MAX_DATA);

    if (data == NULL)
        die("memory");
    return data;
}
