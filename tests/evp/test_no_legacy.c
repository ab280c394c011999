/*
 * An OpenSSL without the legacy provider: RC2 and DES say what is missing, everything else works.
 *
 * The provider looks for it through OPENSSL_MODULES and then in OpenSSL's own directory, which
 * OPENSSL_info names: this program has an OPENSSL_info of its own, which the module finds first.
 */
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <sys/stat.h>
#include <unistd.h>
#include "material.h"

#define BLOCKS 64

static OSSL_PROVIDER *standard, *schannel;
static char seal_key[64];

/* The empty directory of this test. */
__attribute__((visibility("default"))) const char *OPENSSL_info(int type)
{
    return type == OPENSSL_INFO_MODULES_DIR ? directory : NULL;
}

static int setup(void **state)
{
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(seal_key, sizeof(seal_key), "file:%s/key", directory);
    umask(077);
    assert_non_null(file = fopen(seal_key + 5, "wb"));
    assert_int_equal(fwrite("0123456789abcdef0123456789abcdef", 1, 32, file), 32);
    fclose(file);
    assert_int_equal(setenv("OPENSSL_MODULES", directory, 1), 0);
    assert_non_null(libctx = OSSL_LIB_CTX_new());
    assert_non_null(standard = OSSL_PROVIDER_load(libctx, "default"));
    assert_null(OSSL_PROVIDER_load(libctx, "legacy"));
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(libctx, MODULE_DIR), 1);
    assert_non_null(schannel = OSSL_PROVIDER_load(libctx, "schannel"));
    ERR_clear_error();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    OSSL_PROVIDER_unload(schannel);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(libctx);
    unlink(seal_key + 5);
    return rmdir(directory);
}

/* Without padding; 0 when it is refused. */
static int encrypt(const char *name, const uint8_t *key, const uint8_t *iv, const uint8_t *in,
                   int size, uint8_t *out)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0, ok;

    assert_non_null(cipher);
    ok = EVP_EncryptInit_ex2(context, cipher, key, iv, NULL) &&
         EVP_CIPHER_CTX_set_padding(context, 0) &&
         EVP_EncryptUpdate(context, out, &written, in, size) && written == size;
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

static void rc2_and_des_say_what_is_missing(void **state)
{
    static const struct {
        const char *cipher, *alg;
        size_t size;
    } rows[] = { { "SCHANNEL-RC2-CBC", "RC2-CBC", 16 }, { "SCHANNEL-DES-CBC", "DES-CBC", 8 } };
    uint8_t key[16], iv[16] = { 0 }, text[BLOCKS] = { 0 }, out[BLOCKS];

    (void)state;
    pattern(key, sizeof(key), 3);
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *pkey = make_key(rows[n].alg, NULL, key, rows[n].size);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, pkey, NULL);
        size_t size = sizeof(out);

        assert_int_equal(encrypt(rows[n].cipher, key, iv, text, BLOCKS, out), 0);
        assert_reason("algorithm is not available", "OpenSSL's legacy provider has it");
        assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
        assert_int_not_equal(EVP_PKEY_encrypt(context, out, &size, text, 16), 1);
        assert_reason("algorithm is not available", directory);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(pkey);
    }
}

static void md4_says_what_is_missing(void **state)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "CRYPTDERIVEKEY", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    const OSSL_PARAM digest[] = { text_param("digest", "MD4"), OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(EVP_KDF_CTX_set_params(context, digest), 0);
    assert_reason("algorithm is not available", "MD4: OpenSSL's legacy provider has it");
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

/* A key of theirs can still be made, sealed and opened: that needs no block cipher of its own. */
static void their_keys_still_move(void **state)
{
    static const char *const algs[] = { "RC2-CBC", "DES-CBC" };
    uint8_t key[8], blob[MAX_BLOB];

    (void)state;
    pattern(key, sizeof(key), 3);
    for (size_t n = 0; n < COUNT(algs); n++) {
        EVP_PKEY *pkey = make_key(algs[n], NULL, key, sizeof(key)), *again;

        assert_int_equal(set_text(pkey, "seal-key", seal_key), 1);
        again = import_blob(blob, export_blob(pkey, blob), seal_key);
        assert_non_null(again);
        assert_int_equal(EVP_PKEY_eq(pkey, again), 1);
        EVP_PKEY_free(again);
        EVP_PKEY_free(pkey);
    }
    assert_no_errors();
}

static void the_other_ciphers_work(void **state)
{
    static const char *const names[] = { "DES-EDE-CBC", "DES-EDE3-CBC", "AES-128-CBC",
                                         "AES-192-CBC", "AES-256-CBC" };
    uint8_t key[32], iv[16], text[BLOCKS], expected[BLOCKS], actual[BLOCKS];
    /* the first of the widely published test vectors of RC4 */
    static const uint8_t rc4[] = { 0xbb, 0xf3, 0x16, 0xe8, 0xd9, 0x40, 0xaf, 0x0a, 0xd3 };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "SCHANNEL-RC4", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written;

    (void)state;
    pattern(key, sizeof(key), 3);
    pattern(iv, sizeof(iv), 5);
    pattern(text, sizeof(text), 7);
    for (size_t n = 0; n < COUNT(names); n++) {
        char ours[64];

        snprintf(ours, sizeof(ours), "SCHANNEL-%s", names[n]);
        assert_int_equal(encrypt(names[n], key, iv, text, BLOCKS, expected), 1);
        assert_int_equal(encrypt(ours, key, iv, text, BLOCKS, actual), 1);
        assert_memory_equal(actual, expected, BLOCKS);
    }
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, 3), 1);
    assert_int_equal(EVP_EncryptInit_ex2(context, NULL, (const uint8_t *)"Key", NULL, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, actual, &written, (const uint8_t *)"Plaintext", 9),
                     1);
    assert_memory_equal(actual, rc4, sizeof(rc4));
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    assert_no_errors();
}

static void derivations_and_macs_work(void **state)
{
    uint8_t secret[48], randoms[64], expected[104], actual[104], mac[20];
    size_t size;
    struct list list;

    (void)state;
    pattern(secret, sizeof(secret), 3);
    pattern(randoms, sizeof(randoms), 5);
    list_start(&list);
    add_text(&list, "digest", "MD5-SHA1");
    add_octets(&list, "secret", secret, sizeof(secret));
    add_octets(&list, "seed", "key expansion", 13);
    add_octets(&list, "seed", randoms, sizeof(randoms));
    derive_bytes("TLS1-PRF", &list, expected, sizeof(expected));
    list_start(&list);
    add_octets(&list, "secret", secret, sizeof(secret));
    add_octets(&list, "server-random", randoms, 32);
    add_octets(&list, "client-random", randoms + 32, 32);
    derive_bytes("TLS1-KDF", &list, actual, sizeof(actual));
    assert_memory_equal(actual, expected, sizeof(expected));
    assert_non_null(EVP_Q_mac(libctx, "TLS1-MAC", NULL, "SHA1", NULL, secret, 20, randoms, 64, mac,
                              sizeof(mac), &size));
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, "SHA1", NULL, secret, 20, randoms, 64, expected,
                              sizeof(expected), NULL));
    assert_int_equal(size, 20);
    assert_memory_equal(mac, expected, size);
    assert_no_errors();
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rc2_and_des_say_what_is_missing), TEST(md4_says_what_is_missing),
        TEST(their_keys_still_move),           TEST(the_other_ciphers_work),
        TEST(derivations_and_macs_work),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
