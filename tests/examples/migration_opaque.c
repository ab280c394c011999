/*
 * CryptExportKey(OPAQUEKEYBLOB, CRYPT_DESTROYKEY) and CryptImportKey: a key goes to another process in
 * the state that it has, here in the middle of a stream.  See schannel-migration(7), "Blobs".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <schannel/names.h>

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static EVP_PKEY *known_key(void)
{
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    unsigned char bytes[16] = "sixteen bytes..";
    OSSL_PARAM known[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_RC4, 0),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_SECRET, bytes, sizeof(bytes)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_fromdata_init(import) > 0 &&
             EVP_PKEY_fromdata(import, &key, EVP_PKEY_KEYPAIR, known) > 0,
         "import known bytes");
    EVP_PKEY_CTX_free(import);
    return key;
}

/* CryptEncrypt(hKey, 0, FALSE, 0, data, &size, size) */
static void encrypt(EVP_PKEY *key, unsigned char *data, int size)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, SCHANNEL_CIPHER_RC4, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned char handle[16];
    OSSL_PARAM binding[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle)),
        OSSL_PARAM_construct_end(),
    };
    int written = 0;

    must(EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_KEY_HANDLE, handle, sizeof(handle),
                                         NULL) &&
             EVP_EncryptInit_ex2(context, cipher, NULL, NULL, binding) &&
             EVP_EncryptUpdate(context, data, &written, data, size) && written == size,
         "encrypt");
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

/*
 * CryptExportKey(hKey, 0, OPAQUEKEYBLOB, CRYPT_DESTROYKEY, blob, &size).  The first call of CryptoAPI,
 * for the size, has its like here: it makes no blob.
 */
static unsigned char *hand_over(EVP_PKEY *key, size_t *size)
{
    char mode[] = SCHANNEL_BLOB_MODE_TRANSFER; /* opens once, within a minute */
    OSSL_PARAM options[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_BLOB_MODE, mode, 0),
        OSSL_PARAM_construct_end(),
    };
    unsigned char *blob;

    must(EVP_PKEY_set_params(key, options), "set the options of the export");
    must(EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_OPAQUE_BLOB, NULL, 0, size),
         "ask for the size");
    must((blob = OPENSSL_malloc(*size)) != NULL, "memory");
    must(EVP_PKEY_get_octet_string_param(key, SCHANNEL_PARAM_OPAQUE_BLOB, blob, *size, size),
         "export");
    must(EVP_PKEY_set_int_param(key, SCHANNEL_PARAM_RETIRE, 1), "destroy the original");
    return blob;
}

/* CryptImportKey(hProv, blob, size, 0, 0, &hKey), in the other process */
static EVP_PKEY *take_over(unsigned char *blob, size_t size)
{
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    OSSL_PARAM sealed[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_OPAQUE_BLOB, blob, size),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_fromdata_init(import) > 0 &&
             EVP_PKEY_fromdata(import, &key, EVP_PKEY_KEYPAIR, sealed) > 0,
         "import an opaque blob");
    EVP_PKEY_CTX_free(import);
    return key;
}

int main(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    unsigned char whole[40] = { 0 }, parts[40] = { 0 };
    EVP_PKEY *reference, *key, *moved;
    unsigned char *blob;
    size_t size = 0;

    must(base != NULL && schannel != NULL, "load the providers");
    reference = known_key();
    encrypt(reference, whole, sizeof(whole));

    key = known_key();
    encrypt(key, parts, 17);
    blob = hand_over(key, &size);
    must(EVP_PKEY_dup(key) == NULL, "the original is gone");
    ERR_clear_error();
    moved = take_over(blob, size);
    encrypt(moved, parts + 17, sizeof(parts) - 17);
    must(memcmp(whole, parts, sizeof(whole)) == 0, "exactly the state that the key had");

    OPENSSL_free(blob);
    EVP_PKEY_free(moved);
    EVP_PKEY_free(key);
    EVP_PKEY_free(reference);
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(base);
    return 0;
}
