/*
 * CryptExportKey and CryptImportKey of SIMPLEBLOB and PLAINTEXTKEYBLOB, PUBLICKEYBLOB and
 * PRIVATEKEYBLOB as exchange keys: see schannel-migration(7), "Blobs".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <schannel/names.h>

#define PRIVATE_KEY_FILE "migration_exchange.key"

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* CryptExportKey(hKey, ..., type, flags, blob, &size): the options stand for handle and flags. */
static unsigned char *export(EVP_PKEY *key, const char *type, const OSSL_PARAM options[],
                             size_t *size)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, NULL, NULL);
    unsigned char *blob = NULL;

    must(OSSL_ENCODER_CTX_set_params(encoder, options) &&
             OSSL_ENCODER_to_data(encoder, &blob, size),
         type);
    OSSL_ENCODER_CTX_free(encoder);
    return blob;
}

/* CryptImportKey(hProv, blob, size, hPubKey, flags, &hKey): what the blob is stands in its header. */
static EVP_PKEY *import(const unsigned char *blob, size_t size, const OSSL_PARAM options[])
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, SCHANNEL_KEY_TYPE, 0, NULL, NULL);

    must(OSSL_DECODER_CTX_set_params(decoder, options) &&
             OSSL_DECODER_from_data(decoder, &blob, &size),
         "import a blob");
    OSSL_DECODER_CTX_free(decoder);
    return key;
}

/* CryptGenKey(hProv, AT_KEYEXCHANGE, ...): OpenSSL's own RSA key, in a file as PRIVATEKEYBLOB. */
static EVP_PKEY *new_exchange_key(void)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "MSBLOB", NULL, NULL);
    FILE *file = fopen(PRIVATE_KEY_FILE, "wb");

    must(file != NULL && OSSL_ENCODER_to_fp(encoder, file), "write a PRIVATEKEYBLOB");
    fclose(file);
    OSSL_ENCODER_CTX_free(encoder);
    return key;
}

int main(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    EVP_PKEY_CTX *generation = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    int yes = 1;
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_RC4, 0),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &yes),
        OSSL_PARAM_construct_end(),
    };
    unsigned char *public_key = NULL, *blob;
    size_t size = 0;
    EVP_PKEY *exchange, *session = NULL, *received, *copied;

    must(base != NULL && schannel != NULL, "load the providers");
    exchange = new_exchange_key();
    must(EVP_PKEY_keygen_init(generation) > 0 && EVP_PKEY_CTX_set_params(generation, wanted) > 0 &&
             EVP_PKEY_generate(generation, &session) > 0,
         "generate a session key");

    /* CryptExportKey(hKey, hExpKey, SIMPLEBLOB, CRYPT_OAEP, ...): hExpKey is a public key, as
     * SubjectPublicKeyInfo or, as text, the file or URI of a key or certificate */
    int public_size = i2d_PUBKEY(exchange, &public_key);
    OSSL_PARAM to[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_EXCHANGE_KEY, public_key,
                                          (size_t)public_size),
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_PAD_MODE, SCHANNEL_PAD_MODE_OAEP, 0),
        OSSL_PARAM_construct_end(),
    };
    blob = export(session, SCHANNEL_BLOB_SIMPLE, to, &size);
    must(size == 12 + 256 && blob[0] == 1 && blob[1] == 2, "a SIMPLEBLOB");

    /* CryptImportKey(hProv, blob, size, hPubKey, CRYPT_OAEP | CRYPT_EXPORTABLE, &hKey) */
    OSSL_PARAM with[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_EXCHANGE_KEY, PRIVATE_KEY_FILE, 0),
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_PAD_MODE, SCHANNEL_PAD_MODE_OAEP, 0),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &yes),
        OSSL_PARAM_construct_end(),
    };
    received = import(blob, size, with);
    must(EVP_PKEY_eq(received, session) == 1, "the same key");
    OPENSSL_free(blob);

    /* CryptExportKey(hKey, 0, PLAINTEXTKEYBLOB, 0, ...), which has to be meant, and its import */
    OSSL_PARAM clear[] = { OSSL_PARAM_construct_int(SCHANNEL_PARAM_ALLOW_PLAINTEXT, &yes),
                           OSSL_PARAM_construct_end() };
    OSSL_PARAM nothing[] = { OSSL_PARAM_construct_end() };
    blob = export(received, SCHANNEL_BLOB_PLAINTEXT, clear, &size);
    must(size == 12 + 16 && blob[0] == 8, "a PLAINTEXTKEYBLOB");
    copied = import(blob, size, nothing);
    must(EVP_PKEY_eq(copied, session) == 1, "the same key again");
    OPENSSL_clear_free(blob, size);

    remove(PRIVATE_KEY_FILE);
    OPENSSL_free(public_key);
    EVP_PKEY_CTX_free(generation);
    EVP_PKEY_free(copied);
    EVP_PKEY_free(received);
    EVP_PKEY_free(session);
    EVP_PKEY_free(exchange);
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(base);
    return 0;
}
