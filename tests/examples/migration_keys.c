/*
 * CryptGenKey, CryptImportKey of known bytes, CryptGetKeyParam, CryptSetKeyParam, CryptDuplicateKey,
 * CryptDestroyKey: see schannel-migration(7), "Keys" and "Key parameters".
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

/* CryptGenKey(hProv, CALG_RC4, 40 << 16 | CRYPT_EXPORTABLE, &hKey) */
static EVP_PKEY *generate(void)
{
    EVP_PKEY_CTX *generation = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    unsigned bits = 40;
    int exportable = 1;
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_RC4, 0),
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_BITS, &bits),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &exportable),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_keygen_init(generation) > 0 && EVP_PKEY_CTX_set_params(generation, wanted) > 0 &&
             EVP_PKEY_generate(generation, &key) > 0,
         "generate an RC4 key");
    EVP_PKEY_CTX_free(generation);
    return key;
}

/* CryptImportKey of a PLAINTEXTKEYBLOB that an application put together around its key bytes */
static EVP_PKEY *import(unsigned char bytes[16])
{
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    OSSL_PARAM known[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_RC2_CBC, 0),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_SECRET, bytes, 16),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_fromdata_init(import) > 0 &&
             EVP_PKEY_fromdata(import, &key, EVP_PKEY_KEYPAIR, known) > 0,
         "import an RC2 key");
    EVP_PKEY_CTX_free(import);
    return key;
}

int main(void)
{
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    unsigned char bytes[16] = "sixteen bytes..", iv[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    unsigned char salt[11], got[16];
    unsigned effective = 64;
    OSSL_PARAM changes[] = {
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_IV, iv, sizeof(iv)), /* KP_IV */
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_EFFECTIVE_BITS, &effective), /* ..._KEYLEN */
        OSSL_PARAM_construct_end(),
    };
    char name[32];
    size_t size = 0;
    int bits = 0, exportable = 0;
    EVP_PKEY *rc4, *rc2, *copy;

    must(base != NULL && schannel != NULL, "load the providers");
    rc4 = generate();
    rc2 = import(bytes);

    /* CryptGetKeyParam: KP_ALGID, KP_KEYLEN, KP_SALT, and CRYPT_EXPORT of KP_PERMISSIONS */
    must(EVP_PKEY_get_utf8_string_param(rc4, SCHANNEL_PARAM_ALG, name, sizeof(name), NULL) &&
             strcmp(name, SCHANNEL_ALG_RC4) == 0,
         "KP_ALGID");
    must(EVP_PKEY_get_int_param(rc4, SCHANNEL_PARAM_BITS, &bits) && bits == 40, "KP_KEYLEN");
    must(EVP_PKEY_get_octet_string_param(rc4, SCHANNEL_PARAM_SALT, salt, sizeof(salt), &size) &&
             size == 11,
         "KP_SALT: a generated key of 40 bits has eleven bytes of it");
    must(EVP_PKEY_get_int_param(rc4, SCHANNEL_PARAM_EXPORTABLE, &exportable) && exportable == 1,
         "CRYPT_EXPORT");

    /* CryptSetKeyParam: KP_IV, KP_EFFECTIVE_KEYLEN; all or nothing */
    must(EVP_PKEY_set_params(rc2, changes) > 0, "KP_IV and KP_EFFECTIVE_KEYLEN");
    must(EVP_PKEY_get_octet_string_param(rc2, SCHANNEL_PARAM_IV, got, sizeof(got), &size) &&
             size == 8 && memcmp(got, iv, size) == 0,
         "KP_IV");
    /* KP_SALT_EX, 11 bytes: a key of 128 bits has no salt, and a refusal changes nothing */
    must(EVP_PKEY_set_octet_string_param(rc2, SCHANNEL_PARAM_SALT, salt, sizeof(salt)) <= 0,
         "a salt for a key of 128 bits is refused");
    ERR_clear_error();

    /* CryptDuplicateKey: a key of its own, with the state that the first one has now */
    must((copy = EVP_PKEY_dup(rc2)) != NULL, "duplicate");

    /* CryptDestroyKey, for everybody who holds the object; the copy lives on */
    must(EVP_PKEY_set_int_param(rc2, SCHANNEL_PARAM_RETIRE, 1), "destroy");
    must(EVP_PKEY_dup(rc2) == NULL, "a destroyed key is of no use");
    ERR_clear_error();
    must(EVP_PKEY_get_octet_string_param(copy, SCHANNEL_PARAM_IV, got, sizeof(got), &size),
         "the copy has its IV");

    EVP_PKEY_free(copy);
    EVP_PKEY_free(rc2);
    EVP_PKEY_free(rc4); /* CryptDestroyKey of the last reference overwrites the key as well */
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(base);
    return 0;
}
