/*
 * Verifies record MACs through EVP under valgrind's memcheck, which is told that message and MAC are
 * undefined: neither hashing nor comparing has a branch or an address that depends on them.  What
 * comes out of EVP_DigestVerify is the answer, which its caller may know.
 *
 * With the argument "branching" the MAC is compared by a loop that stops at the first difference:
 * memcheck must report that, or this test would see nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#define TEXT_SIZE 80
#define MAC_SIZE  20

static EVP_PKEY *new_key(const char *alg, const char *digest, size_t size)
{
    uint8_t secret[MAC_SIZE] = "twenty bytes of key";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string("alg", (char *)(uintptr_t)alg, 0),
        OSSL_PARAM_construct_utf8_string("digest", (char *)(uintptr_t)digest, 0),
        OSSL_PARAM_construct_octet_string("secret", secret, size),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static int compare_branching(const uint8_t *a, const uint8_t *b)
{
    int n = 0;

    while (n < MAC_SIZE && a[n] == b[n])
        n++;
    return n == MAC_SIZE;
}

/* 1 when a right MAC is right and a wrong one is not. */
static int verify(EVP_PKEY *key, size_t size, int branching)
{
    uint8_t text[TEXT_SIZE] = "a record", mac[MAC_SIZE] = { 0 };
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t written = sizeof(mac);
    int right, ok = EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) > 0 &&
                    EVP_DigestSign(context, mac, &written, text, sizeof(text)) > 0;

    for (int wrong = 0; ok && wrong <= 1; wrong++) {
        mac[size - 1] ^= (uint8_t)wrong;
        (void)VALGRIND_MAKE_MEM_UNDEFINED(text, sizeof(text));
        (void)VALGRIND_MAKE_MEM_UNDEFINED(mac, sizeof(mac));
        if (branching)
            right = compare_branching(mac, text);
        else
            right = EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) > 0
                        ? EVP_DigestVerify(context, mac, size, text, sizeof(text))
                        : -1;
        (void)VALGRIND_MAKE_MEM_DEFINED(&right, sizeof(right));
        (void)VALGRIND_MAKE_MEM_DEFINED(text, sizeof(text));
        (void)VALGRIND_MAKE_MEM_DEFINED(mac, sizeof(mac));
        ok = branching || right == !wrong;
    }
    EVP_MD_CTX_free(context);
    return ok;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *alg, *digest;
        size_t size;
    } macs[] = {
        { "TLS1-MAC", "SHA1", 20 }, { "TLS1-MAC", "MD5", 16 },  { "SSL3-MAC", "SHA1", 20 },
        { "SSL3-MAC", "MD5", 16 },  { "PCT1-MAC", "SHA1", 20 }, { "PCT1-MAC", "MD5", 16 }
    };
    const int branching = argc > 1 && strcmp(argv[1], "branching") == 0;
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(NULL, "default"), *schannel = NULL;
    int ok = RUNNING_ON_VALGRIND != 0 && standard != NULL &&
             OSSL_PROVIDER_set_default_search_path(NULL, MODULE_DIR) &&
             (schannel = OSSL_PROVIDER_load(NULL, "schannel")) != NULL;

    for (size_t n = 0; ok && n < sizeof(macs) / sizeof(macs[0]); n++) {
        EVP_PKEY *key = new_key(macs[n].alg, macs[n].digest, macs[n].size);

        ok = key != NULL && verify(key, macs[n].size, branching);
        if (!ok)
            fprintf(stderr, "%s with %s\n", macs[n].alg, macs[n].digest);
        EVP_PKEY_free(key);
    }
    if (schannel != NULL)
        OSSL_PROVIDER_unload(schannel);
    if (standard != NULL)
        OSSL_PROVIDER_unload(standard);
    return ok ? 0 : 1;
}
