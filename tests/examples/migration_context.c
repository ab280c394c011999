/*
 * CryptAcquireContext, CryptGetProvParam, CryptGenRandom, CryptReleaseContext: see
 * schannel-migration(7), "Contexts".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <schannel/names.h>

static void must(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "failed: %s\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* What an algorithm is found by, and how often it is ours. */
struct census {
    int ciphers, macs, kdfs;
};

static int is_ours(const OSSL_PROVIDER *provider)
{
    return strcmp(OSSL_PROVIDER_get0_name(provider), SCHANNEL_PROVIDER_NAME) == 0;
}

/* One row of PP_ENUMALGS: the name, and the key size in bits. */
static void count_cipher(EVP_CIPHER *cipher, void *vcensus)
{
    struct census *census = vcensus;

    if (!is_ours(EVP_CIPHER_get0_provider(cipher)))
        return;
    printf("%s, %d bits\n", EVP_CIPHER_get0_name(cipher), 8 * EVP_CIPHER_get_key_length(cipher));
    census->ciphers++;
}

static void count_mac(EVP_MAC *mac, void *vcensus)
{
    struct census *census = vcensus;

    if (!is_ours(EVP_MAC_get0_provider(mac)))
        return;
    printf("%s\n", EVP_MAC_get0_name(mac));
    census->macs++;
}

static void count_kdf(EVP_KDF *kdf, void *vcensus)
{
    struct census *census = vcensus;

    if (!is_ours(EVP_KDF_get0_provider(kdf)))
        return;
    printf("%s\n", EVP_KDF_get0_name(kdf));
    census->kdfs++;
}

int main(void)
{
    struct census census = { 0, 0, 0 };
    char *name = NULL, *version = NULL;
    OSSL_PARAM about[] = {
        OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_NAME, &name, 0),
        OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, &version, 0),
        OSSL_PARAM_construct_end(),
    };
    unsigned char random[32];
    EVP_CIPHER *standard;

    /* CryptAcquireContext(&hProv, NULL, NULL, PROV_RSA_SCHANNEL, CRYPT_VERIFYCONTEXT): a library
     * context of one's own, or NULL, the default one.  What an application fetched before is
     * unchanged by it: all names of this provider are its own. */
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *base = OSSL_PROVIDER_load(context, "default");
    OSSL_PROVIDER *schannel = OSSL_PROVIDER_load(context, SCHANNEL_PROVIDER_NAME);

    must(base != NULL && schannel != NULL, "load the providers");

    /* CryptGetProvParam(hProv, PP_NAME, ...) and PP_VERSION */
    must(OSSL_PROVIDER_get_params(schannel, about), "ask the provider for its name");
    must(name != NULL && version != NULL, "a name and a version");
    printf("%s %s\n", name, version);

    /* CryptGetProvParam(hProv, PP_ENUMALGS, ..., CRYPT_FIRST and CRYPT_NEXT) */
    EVP_CIPHER_do_all_provided(context, count_cipher, &census);
    EVP_MAC_do_all_provided(context, count_mac, &census);
    EVP_KDF_do_all_provided(context, count_kdf, &census);
    must(census.ciphers >= 8 && census.macs >= 4 && census.kdfs >= 4, "find all algorithms");

    /* Nothing standard is shadowed. */
    standard = EVP_CIPHER_fetch(context, "AES-128-CBC", NULL);
    must(standard != NULL && !is_ours(EVP_CIPHER_get0_provider(standard)),
         "fetch OpenSSL's own AES");
    EVP_CIPHER_free(standard);

    /* CryptGenRandom(hProv, sizeof(random), random) */
    must(RAND_bytes_ex(context, random, sizeof(random), 0) == 1, "random bytes");

    /* CryptReleaseContext(hProv, 0) */
    must(OSSL_PROVIDER_unload(schannel) && OSSL_PROVIDER_unload(base), "unload the providers");
    OSSL_LIB_CTX_free(context);
    return 0;
}
