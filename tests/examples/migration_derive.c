/*
 * Masters, KP_SCHANNEL_ALG and its companions, CryptCreateHash(CALG_SCHANNEL_MASTER_HASH),
 * CryptDeriveKey of the keys of a connection: see schannel-migration(7), "Masters and their keys".
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

/* CryptGenKey(hProv, CALG_TLS1_MASTER, CRYPT_EXPORTABLE, &hMaster): 48 bytes behind the version */
static EVP_PKEY *new_master(void)
{
    EVP_PKEY_CTX *generation = EVP_PKEY_CTX_new_from_name(NULL, SCHANNEL_KEY_TYPE, NULL);
    unsigned version = 0x0301;
    int exportable = 1;
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_ALG, SCHANNEL_ALG_TLS1_MASTER, 0),
        /* KP_HIGHEST_VERSION: what the ClientHello offered */
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_HIGHEST_VERSION, &version),
        OSSL_PARAM_construct_int(SCHANNEL_PARAM_EXPORTABLE, &exportable),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *master = NULL;

    must(EVP_PKEY_keygen_init(generation) > 0 && EVP_PKEY_CTX_set_params(generation, wanted) > 0 &&
             EVP_PKEY_generate(generation, &master) > 0,
         "generate a premaster secret");
    EVP_PKEY_CTX_free(generation);
    return master;
}

/* CryptSetKeyParam(hMaster, ...), each by itself or all together */
static void specify(EVP_PKEY *master)
{
    unsigned char client_random[32] = "the client's random", server_random[32] = "the server's";
    unsigned cipher_bits = 128;
    OSSL_PARAM params[] = {
        /* KP_SCHANNEL_ALG, dwUse SCHANNEL_ENC_KEY: CALG_AES_128, 128 bits */
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_CIPHER, SCHANNEL_ALG_AES_128_CBC, 0),
        OSSL_PARAM_construct_uint(SCHANNEL_PARAM_CIPHER_BITS, &cipher_bits),
        /* KP_SCHANNEL_ALG, dwUse SCHANNEL_MAC_KEY: CALG_SHA */
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_DIGEST, "SHA1", 0),
        /* KP_CLIENT_RANDOM, KP_SERVER_RANDOM */
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_CLIENT_RANDOM, client_random, 32),
        OSSL_PARAM_construct_octet_string(SCHANNEL_PARAM_SERVER_RANDOM, server_random, 32),
        OSSL_PARAM_construct_end(),
    };

    must(EVP_PKEY_set_params(master, params), "specify the algorithms and the randoms");
}

/* CryptDeriveKey(hProv, CALG_SCHANNEL_ENC_KEY or _MAC_KEY, hMasterHash, with or without CRYPT_SERVER) */
static EVP_PKEY *derive(EVP_PKEY_CTX *master_hash, char *usage)
{
    OSSL_PARAM wanted[] = {
        OSSL_PARAM_construct_utf8_string(SCHANNEL_PARAM_USAGE, usage, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *key = NULL;

    must(EVP_PKEY_CTX_set_params(master_hash, wanted) > 0 &&
             EVP_PKEY_generate(master_hash, &key) > 0,
         usage);
    return key;
}

int main(void)
{
    static char *usages[] = { SCHANNEL_USAGE_CLIENT_WRITE_KEY, SCHANNEL_USAGE_SERVER_WRITE_KEY,
                              SCHANNEL_USAGE_CLIENT_WRITE_MAC, SCHANNEL_USAGE_SERVER_WRITE_MAC };
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(NULL, SCHANNEL_PROVIDER_NAME);
    EVP_PKEY *master, *keys[4], *again;
    EVP_PKEY_CTX *master_hash;
    char kind[16];

    must(base != NULL && schannel != NULL, "load the providers");
    master = new_master();
    specify(master);

    /* CryptCreateHash(hProv, CALG_SCHANNEL_MASTER_HASH, hMaster, 0, &hMasterHash) */
    master_hash = EVP_PKEY_CTX_new_from_pkey(NULL, master, NULL);
    must(EVP_PKEY_keygen_init(master_hash) > 0, "create the master hash");
    for (int n = 0; n < 4; n++)
        keys[n] = derive(master_hash, usages[n]);

    /* A bulk key has its IV, a MAC key its record number; what it is stands in "kind". */
    must(EVP_PKEY_get_utf8_string_param(keys[0], SCHANNEL_PARAM_KIND, kind, sizeof(kind), NULL) &&
             strcmp(kind, "cipher") == 0,
         "the first is a cipher key");
    must(EVP_PKEY_get_utf8_string_param(keys[2], SCHANNEL_PARAM_KIND, kind, sizeof(kind), NULL) &&
             strcmp(kind, "mac") == 0,
         "the third is a MAC key");

    /* The master hash has a copy: CryptDestroyKey(hMaster) does not stop it. */
    must(EVP_PKEY_set_int_param(master, SCHANNEL_PARAM_RETIRE, 1), "destroy the master");
    again = derive(master_hash, SCHANNEL_USAGE_CLIENT_WRITE_KEY);
    must(EVP_PKEY_eq(again, keys[0]) == 1, "the same key again");
    must(EVP_PKEY_eq(keys[0], keys[1]) != 1, "which is not that of the other direction");
    EVP_PKEY_CTX_free(master_hash); /* CryptDestroyHash */

    EVP_PKEY_free(again);
    for (int n = 0; n < 4; n++)
        EVP_PKEY_free(keys[n]);
    EVP_PKEY_free(master);
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(base);
    return 0;
}
