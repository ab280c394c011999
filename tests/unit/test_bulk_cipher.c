/* protocol/bulk_cipher: the table against wincrypt.h and libcrypto, the sizes against the RFCs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include "protocol/bulk_cipher.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

#define REFUSED      0, 0, 0

static void every_row_is_found_by_its_number_and_its_name(void **unused)
{
    size_t n = 0;

    (void)unused;
    for (const struct bulk_cipher *row; (row = bulk_cipher_at(n)) != NULL; n++) {
        assert_ptr_equal(bulk_cipher_by_id((unsigned)row->id), row);
        assert_ptr_equal(bulk_cipher_by_name(row->name), row);
    }
    assert_int_equal(n, BULK_CIPHER_AES_256);
    assert_ptr_equal(bulk_cipher_by_name("aes-128-cbc"), bulk_cipher_by_id(BULK_CIPHER_AES_128));
    assert_ptr_equal(bulk_cipher_by_name("Rc4"), bulk_cipher_by_id(BULK_CIPHER_RC4));
}

static void what_is_not_in_the_table_is_not_found(void **unused)
{
    (void)unused;
    assert_null(bulk_cipher_by_name("AES-128-GCM"));
    assert_null(bulk_cipher_by_name(""));
    assert_null(bulk_cipher_by_name(NULL));
    assert_null(bulk_cipher_by_id(BULK_CIPHER_NONE));
    assert_null(bulk_cipher_by_id(BULK_CIPHER_AES_256 + 1));
    assert_null(bulk_cipher_at(BULK_CIPHER_AES_256));
}

/* The numbers of wincrypt.h as in spec/key-derivation.md section 1.1. */
static void the_rows_have_the_alg_ids_of_wincrypt(void **unused)
{
    static const struct {
        enum bulk_cipher_id id;
        const char *name;
        uint32_t alg_id;
    } expected[] = {
        { BULK_CIPHER_RC4, "RC4", 0x6801 },
        { BULK_CIPHER_RC2, "RC2-CBC", 0x6602 },
        { BULK_CIPHER_DES, "DES-CBC", 0x6601 },
        { BULK_CIPHER_DES_EDE, "DES-EDE-CBC", 0x6609 },
        { BULK_CIPHER_DES_EDE3, "DES-EDE3-CBC", 0x6603 },
        { BULK_CIPHER_AES_128, "AES-128-CBC", 0x660e },
        { BULK_CIPHER_AES_192, "AES-192-CBC", 0x660f },
        { BULK_CIPHER_AES_256, "AES-256-CBC", 0x6610 },
    };

    (void)unused;
    for (size_t n = 0; n < COUNT(expected); n++) {
        const struct bulk_cipher *row = bulk_cipher_by_id((unsigned)expected[n].id);

        assert_non_null(row);
        assert_string_equal(row->name, expected[n].name);
        assert_int_equal(row->alg_id, expected[n].alg_id);
    }
}

static void libcrypto_has_every_cipher_with_the_sizes_of_the_table(void **unused)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(libctx, "default");
    OSSL_PROVIDER *legacy = OSSL_PROVIDER_load(libctx, "legacy");

    (void)unused;
    assert_non_null(standard);
    assert_non_null(legacy);
    for (size_t n = 0; bulk_cipher_at(n) != NULL; n++) {
        const struct bulk_cipher *row = bulk_cipher_at(n);
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, row->fetch_name, NULL);

        assert_non_null(cipher);
        assert_int_equal(EVP_CIPHER_get_key_length(cipher), row->default_bits / 8);
        assert_int_equal(EVP_CIPHER_get_block_size(cipher), row->block_size);
        assert_int_equal(EVP_CIPHER_get_iv_length(cipher), row->iv_size);
        assert_true(row->default_bits / 8 <= BULK_CIPHER_MAX_KEY_SIZE);
        assert_true(row->block_size <= BULK_CIPHER_MAX_BLOCK_SIZE);
        EVP_CIPHER_free(cipher);
    }
    OSSL_PROVIDER_unload(legacy);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(libctx);
}

struct expected_sizes {
    enum bulk_cipher_id id;
    unsigned bits;
    int is_export;
    size_t material, key, iv;
};

/*
 * RFC 6101 appendix A.6 and RFC 2246 appendix C (the 40-bit suites and the full sizes),
 * draft-ietf-tls-56-bit-ciphersuites-01 (56-bit RC4, RC2 and DES), RFC 3268 (AES); short keys
 * without the export flag as in rsaenh-tls1.txt.
 */
static const struct expected_sizes expected_sizes[] = {
    { BULK_CIPHER_RC4, 0, 0, 16, 16, 0 },        { BULK_CIPHER_RC4, 128, 0, 16, 16, 0 },
    { BULK_CIPHER_RC4, 56, 0, 7, 7, 0 },         { BULK_CIPHER_RC4, 40, 0, 5, 5, 0 },
    { BULK_CIPHER_RC4, 40, 1, 5, 16, 0 },        { BULK_CIPHER_RC4, 56, 1, 7, 16, 0 },
    { BULK_CIPHER_RC4, 128, 1, 16, 16, 0 },      { BULK_CIPHER_RC4, 0, 1, 16, 16, 0 },
    { BULK_CIPHER_RC4, 32, 0, REFUSED },         { BULK_CIPHER_RC4, 136, 0, REFUSED },
    { BULK_CIPHER_RC4, 41, 0, REFUSED },         { BULK_CIPHER_RC4, 41, 1, REFUSED },
    { BULK_CIPHER_RC4, 32, 1, REFUSED },         { BULK_CIPHER_RC4, 136, 1, REFUSED },
    { BULK_CIPHER_RC2, 0, 0, 16, 16, 8 },        { BULK_CIPHER_RC2, 40, 0, 5, 5, 8 },
    { BULK_CIPHER_RC2, 40, 1, 5, 16, 8 },        { BULK_CIPHER_RC2, 56, 1, 7, 16, 8 },
    { BULK_CIPHER_DES, 0, 0, 8, 8, 8 },          { BULK_CIPHER_DES, 56, 0, 8, 8, 8 },
    { BULK_CIPHER_DES, 64, 0, 8, 8, 8 },         { BULK_CIPHER_DES, 40, 0, REFUSED },
    { BULK_CIPHER_DES, 40, 1, 5, 8, 8 },         { BULK_CIPHER_DES, 56, 1, 8, 8, 8 },
    { BULK_CIPHER_DES, 64, 1, 8, 8, 8 },         { BULK_CIPHER_DES, 0, 1, 8, 8, 8 },
    { BULK_CIPHER_DES, 48, 1, REFUSED },         { BULK_CIPHER_DES, 128, 0, REFUSED },
    { BULK_CIPHER_DES_EDE, 0, 0, 16, 16, 8 },    { BULK_CIPHER_DES_EDE, 112, 0, 16, 16, 8 },
    { BULK_CIPHER_DES_EDE, 128, 0, 16, 16, 8 },  { BULK_CIPHER_DES_EDE, 168, 0, REFUSED },
    { BULK_CIPHER_DES_EDE, 112, 1, REFUSED },    { BULK_CIPHER_DES_EDE3, 0, 0, 24, 24, 8 },
    { BULK_CIPHER_DES_EDE3, 168, 0, 24, 24, 8 }, { BULK_CIPHER_DES_EDE3, 192, 0, 24, 24, 8 },
    { BULK_CIPHER_DES_EDE3, 112, 0, REFUSED },   { BULK_CIPHER_DES_EDE3, 0, 1, REFUSED },
    { BULK_CIPHER_AES_128, 0, 0, 16, 16, 16 },   { BULK_CIPHER_AES_128, 128, 0, 16, 16, 16 },
    { BULK_CIPHER_AES_128, 256, 0, REFUSED },    { BULK_CIPHER_AES_192, 0, 0, 24, 24, 16 },
    { BULK_CIPHER_AES_192, 192, 0, 24, 24, 16 }, { BULK_CIPHER_AES_256, 0, 0, 32, 32, 16 },
    { BULK_CIPHER_AES_256, 256, 0, 32, 32, 16 }, { BULK_CIPHER_AES_256, 128, 0, REFUSED },
    { BULK_CIPHER_AES_256, 256, 1, REFUSED },
};

static void the_key_block_sizes_are_those_of_the_standards(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < COUNT(expected_sizes); n++) {
        const struct expected_sizes *row = &expected_sizes[n];
        struct bulk_cipher_sizes sizes = { 0, 0, 0 };
        const int fits = bulk_cipher_key_block_sizes(bulk_cipher_by_id((unsigned)row->id),
                                                     row->bits, row->is_export, &sizes);

        if (fits != (row->key != 0) || sizes.material != row->material || sizes.key != row->key ||
            sizes.iv != row->iv)
            fail_msg("%s, %u bits%s: got %d, material %zu, key %zu, IV %zu",
                     bulk_cipher_by_id((unsigned)row->id)->name, row->bits,
                     row->is_export ? ", export" : "", fits, sizes.material, sizes.key, sizes.iv);
    }
}

static void any_nonzero_flag_means_export(void **unused)
{
    struct bulk_cipher_sizes sizes;

    (void)unused;
    assert_int_equal(bulk_cipher_key_block_sizes(bulk_cipher_by_id(BULK_CIPHER_DES), 40, 2, &sizes),
                     1);
    assert_int_equal(sizes.material, 5);
    assert_int_equal(sizes.key, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_found_by_its_number_and_its_name),
        cmocka_unit_test(what_is_not_in_the_table_is_not_found),
        cmocka_unit_test(the_rows_have_the_alg_ids_of_wincrypt),
        cmocka_unit_test(libcrypto_has_every_cipher_with_the_sizes_of_the_table),
        cmocka_unit_test(the_key_block_sizes_are_those_of_the_standards),
        cmocka_unit_test(any_nonzero_flag_means_export),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
