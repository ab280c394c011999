/* Exports and imports of blobs: see blob_calls.h. */
#include "blob_calls.h"

#include <openssl/pem.h>

static EVP_PKEY *from_params(OSSL_LIB_CTX *context, OSSL_PARAM params[])
{
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(context, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;

    assert_non_null(import);
    assert_int_equal(EVP_PKEY_fromdata_init(import), 1);
    assert_int_equal(EVP_PKEY_fromdata(import, &key, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_CTX_free(import);
    return key;
}

EVP_PKEY *secret_key(OSSL_LIB_CTX *context, const char *alg, size_t size)
{
    const int has_premaster = strcmp(alg, "TLS1-MASTER") == 0 || strcmp(alg, "SSL3-MASTER") == 0;
    uint8_t secret[48];
    int yes = 1;
    OSSL_PARAM params[] = {
        text_param("alg", alg),
        octets_param(has_premaster ? "premaster" : "secret", secret, size),
        OSSL_PARAM_construct_int("exportable", &yes),
        OSSL_PARAM_construct_end(),
    };

    pattern(secret, size, 77);
    return from_params(context, params);
}

void write_rsa_key(const char *private_path, const char *public_path, size_t bits)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
    FILE *file;

    assert_non_null(key);
    assert_non_null(file = fopen(private_path, "w"));
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    assert_non_null(file = fopen(public_path, "w"));
    assert_int_equal(PEM_write_PUBKEY(file, key), 1);
    fclose(file);
    EVP_PKEY_free(key);
}

/* From OpenSSL 3.5 on default properties choose coders too: what they do to the work of this
 * provider is seen only when its coders are found all the same. */
#define ANY_FIPS "-fips"

int export_as(EVP_PKEY *key, const char *type, const OSSL_PARAM params[], struct exported *blob)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, NULL, ANY_FIPS);
    unsigned char *at = blob->data;
    size_t room = sizeof(blob->data);
    int ok;

    assert_non_null(encoder);
    assert_true(OSSL_ENCODER_CTX_get_num_encoders(encoder) > 0);
    assert_no_errors();
    ok = (params == NULL || OSSL_ENCODER_CTX_set_params(encoder, params)) &&
         OSSL_ENCODER_to_data(encoder, &at, &room);
    OSSL_ENCODER_CTX_free(encoder);
    blob->size = ok ? sizeof(blob->data) - room : 0;
    if (ok)
        assert_no_errors();
    return ok;
}

OSSL_DECODER_CTX *decoder_for(EVP_PKEY **key, OSSL_LIB_CTX *context)
{
    OSSL_DECODER_CTX *decoder;

    *key = NULL;
    ERR_set_mark(); /* what libcrypto leaves while it collects decoders is its own */
    decoder = OSSL_DECODER_CTX_new_for_pkey(key, NULL, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR, context,
                                            ANY_FIPS);
    ERR_pop_to_mark();
    assert_non_null(decoder);
    return decoder;
}

EVP_PKEY *import_from(OSSL_LIB_CTX *context, const struct exported *blob, const OSSL_PARAM params[])
{
    EVP_PKEY *key;
    OSSL_DECODER_CTX *decoder = decoder_for(&key, context);
    const unsigned char *at = blob->data;
    size_t left = blob->size;
    int ok = (params == NULL || OSSL_DECODER_CTX_set_params(decoder, params)) &&
             OSSL_DECODER_from_data(decoder, &at, &left);

    OSSL_DECODER_CTX_free(decoder);
    if (ok)
        assert_no_errors();
    assert_int_equal(ok, key != NULL);
    return key;
}

EVP_PKEY *import_uri(OSSL_LIB_CTX *context, const char *uri)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open_ex(uri, context, NULL, NULL, NULL, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    while (store != NULL && key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    if (key != NULL)
        assert_no_errors();
    return key;
}

void write_file(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}
