/*
 * "Procedure for Storing a Session Key": CryptExportKey(SIMPLEBLOB) to one's own exchange key and to
 * the backup authority, CryptHashData and CryptSignHash over it; later CryptVerifySignature, then
 * CryptImportKey.  See schannel-migration(7), "Storing a session key".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <schannel/names.h>

#define OWN_KEY     "migration_signed-own.pem"
#define BACKUP_KEY  "migration_signed-backup.pem"
#define SIGNER_KEY  "migration_signed-signer.pem"
#define STORED_FILE "migration_signed.blob"

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* The user's key pairs, which exist for long. */
static void save(EVP_PKEY *key, const char *name)
{
    FILE *file = fopen(name, "w");

    must(key != NULL && file != NULL && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL),
         name);
    fclose(file);
    EVP_PKEY_free(key);
}

static EVP_PKEY *new_session_key(void)
{
    EVP_PKEY_CTX *generation = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    int exportable = 1;
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_AES_256_CBC, 0),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &exportable),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_keygen_init(generation) > 0 && EVP_PKEY_CTX_set_params(generation, wanted) > 0 &&
             EVP_PKEY_generate(generation, &key) > 0,
         "generate a session key");
    EVP_PKEY_CTX_free(generation);
    return key;
}

/* One SIMPLEBLOB for each receiver, and the signature over all, with what they are for. */
static void store(EVP_PKEY *key)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, SCHANNEL_BLOB_SIGNED, NULL, NULL);
    OSSL_PARAM options[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_INNER, SCHANNEL_BLOB_SIMPLE, 0),
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_EXCHANGE_KEY, OWN_KEY "," BACKUP_KEY, 0),
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_SIGNATURE_KEY, SIGNER_KEY, 0),
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_PURPOSE, "archive", 0),
        OSSL_PARAM_construct_end(),
    };
    FILE *file = fopen(STORED_FILE, "wb");

    must(file != NULL && OSSL_ENCODER_CTX_set_params(encoder, options) &&
             OSSL_ENCODER_to_fp(encoder, file),
         "store the key");
    must(fclose(file) == 0, "write it");
    OSSL_ENCODER_CTX_free(encoder);
}

/* The URI says whose signature is expected, for what, and which private key opens.  NULL: refused. */
static EVP_PKEY *retrieve(const char *uri)
{
    OSSL_STORE_CTX *context = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    OSSL_STORE_INFO *info = context != NULL ? OSSL_STORE_load(context) : NULL;
    EVP_PKEY *key = info != NULL ? OSSL_STORE_INFO_get1_PKEY(info) : NULL;

    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(context);
    return key;
}

int main(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    EVP_PKEY *session, *own, *backup;

    must(base != NULL && schannel != NULL, "load the providers");
    save(EVP_RSA_gen(2048), OWN_KEY);
    save(EVP_RSA_gen(2048), BACKUP_KEY);
    save(EVP_EC_gen("P-256"), SIGNER_KEY);
    session = new_session_key();
    store(session);

    own = retrieve("schannel:" STORED_FILE "?signature-key=" SIGNER_KEY "&purpose=archive"
                   "&exchange-key=" OWN_KEY);
    must(own != NULL && EVP_PKEY_eq(own, session) == 1, "the owner retrieves it");
    backup = retrieve("schannel:" STORED_FILE "?signature-key=" SIGNER_KEY "&purpose=archive"
                      "&exchange-key=" BACKUP_KEY);
    must(backup != NULL && EVP_PKEY_eq(backup, session) == 1, "the backup authority too");

    /* Everything else is refused before anything inside is touched. */
    must(retrieve("schannel:" STORED_FILE "?signature-key=" SIGNER_KEY "&exchange-key=" OWN_KEY) ==
             NULL,
         "another purpose is refused");
    must(retrieve("schannel:" STORED_FILE "?signature-key=" OWN_KEY "&purpose=archive"
                  "&exchange-key=" OWN_KEY) == NULL,
         "another signer is refused");
    ERR_clear_error();

    remove(OWN_KEY);
    remove(BACKUP_KEY);
    remove(SIGNER_KEY);
    remove(STORED_FILE);
    EVP_PKEY_free(backup);
    EVP_PKEY_free(own);
    EVP_PKEY_free(session);
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(base);
    return 0;
}
