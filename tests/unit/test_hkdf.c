/* primitive/hkdf: the test cases of RFC 5869 and libcrypto's HKDF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include "primitive/hkdf.h"
#include "vectors.h"

static void the_test_cases_of_rfc_5869_give_the_published_keys(void **unused)
{
    /* appendix A.1 and A.3; A.2 has a salt longer than a block */
    static const struct {
        const char *salt, *info, *key;
    } cases[] = {
        { "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
          "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
        { "", "",
          "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
    };
    uint8_t secret[22], salt[64], info[64], out[42];

    (void)unused;
    memset(secret, 0x0b, sizeof(secret));
    for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
        const struct octets salt_octets = { salt, hex_decode(cases[n].salt, salt, sizeof(salt)) };
        const struct octets info_octets = { info, hex_decode(cases[n].info, info, sizeof(info)) };

        hkdf_sha256((struct octets){ secret, sizeof(secret) }, salt_octets, info_octets, out,
                    sizeof(out));
        expect_hex((struct octets){ out, sizeof(out) }, cases[n].key);
    }
}

static void evp_hkdf(struct octets secret, struct octets salt, struct octets info, uint8_t *out,
                     size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret.data,
                                          secret.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt.data,
                                          salt.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info.data,
                                          info.size),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void every_length_agrees_with_libcrypto_and_stays_in_bounds(void **unused)
{
    static uint8_t ours[HKDF_MAX_SIZE + 1], theirs[HKDF_MAX_SIZE];
    uint8_t bytes[300];

    (void)unused;
    for (size_t n = 0; n < sizeof(bytes); n++)
        bytes[n] = (uint8_t)(n * 37 + 11);
    for (size_t n = 1; n <= 200; n++) {
        const struct octets secret = { bytes, n }, info = { bytes + 99, 200 - n };
        const struct octets salt = { bytes + 7, 1 + n % HKDF_MAX_SALT_SIZE };
        const size_t size = n == 200 ? HKDF_MAX_SIZE : n;

        memset(ours, 0xa5, sizeof(ours));
        hkdf_sha256(secret, salt, info, ours, size);
        evp_hkdf(secret, salt, info, theirs, size);
        assert_memory_equal(ours, theirs, size);
        assert_int_equal(ours[size], 0xa5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_cases_of_rfc_5869_give_the_published_keys),
        cmocka_unit_test(every_length_agrees_with_libcrypto_and_stays_in_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
