/*
 * protocol/cryptderivekey: the recorded keys of tests/vectors/rsaenh-derive.txt, Microsoft's
 * published answers, and the rule a second time, for every hash and cipher.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include "md2_provider.h"
#include "protocol/cryptderivekey.h"
#include "stanza.h"

#define PROVIDERS 3

static const char *const hash_names[] = { "MD2",      "MD4",      "MD5",     "SHA1",
                                          "SHA2-256", "SHA2-384", "SHA2-512" };

static OSSL_LIB_CTX *libctx;
static OSSL_PROVIDER *providers[PROVIDERS];

static int setup(void **state)
{
    (void)state;
    libctx = OSSL_LIB_CTX_new();
    providers[0] = OSSL_PROVIDER_load(libctx, "default");
    providers[1] = OSSL_PROVIDER_load(libctx, "legacy");
    providers[2] = md2_provider_load(libctx);
    return providers[0] == NULL || providers[1] == NULL || providers[2] == NULL;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t n = PROVIDERS; n-- > 0;)
        OSSL_PROVIDER_unload(providers[n]);
    OSSL_LIB_CTX_free(libctx);
    return 0;
}

static EVP_MD *fetch(const char *name)
{
    EVP_MD *md = EVP_MD_fetch(libctx, name, NULL);

    assert_non_null(md);
    return md;
}

static void hash_of(const EVP_MD *md, struct octets data, uint8_t *value)
{
    assert_int_equal(EVP_Digest(data.data, data.size, value, NULL, md, NULL), 1);
}

static int is_des(const struct bulk_cipher *cipher)
{
    return cipher->id == BULK_CIPHER_DES || cipher->id == BULK_CIPHER_DES_EDE ||
           cipher->id == BULK_CIPHER_DES_EDE3;
}

/* ---- hash functions ---- */

static void the_hashes_are_known_by_every_name_that_evp_has(void **state)
{
    static const struct {
        const char *name;
        size_t size;
    } known[] = {
        { "MD2", 16 },     { "md2", 16 },      { "MD4", 16 },      { "MD5", 16 },
        { "md5", 16 },     { "SHA1", 20 },     { "SHA-1", 20 },    { "sha1", 20 },
        { "SHA256", 32 },  { "SHA-256", 32 },  { "SHA2-256", 32 }, { "sha384", 48 },
        { "SHA-384", 48 }, { "SHA2-384", 48 }, { "SHA512", 64 },   { "SHA2-512", 64 },
    };
    static const char *const unknown[] = { "",          "MD",         "MD5-SHA1",
                                           "SHA",       "SHA224",     "SHA3-256",
                                           "RIPEMD160", "SHA512-256", "SHA2-512/256" };

    (void)state;
    for (size_t n = 0; n < COUNT(known); n++) {
        const struct cryptderivekey_hash *hash = cryptderivekey_hash_by_name(known[n].name);
        EVP_MD *md = fetch(known[n].name);

        assert_non_null(hash);
        assert_int_equal(hash->size, known[n].size);
        assert_int_equal(EVP_MD_get_size(md), known[n].size);
        assert_ptr_equal(cryptderivekey_hash_of(md), hash);
        EVP_MD_free(md);
    }
    for (size_t n = 0; n < COUNT(unknown); n++)
        assert_null(cryptderivekey_hash_by_name(unknown[n]));
}

static void other_digests_are_none_of_cryptderivekey(void **state)
{
    static const char *const others[] = { "SHA2-224", "SHA3-256",     "MD5-SHA1",
                                          "SM3",      "SHA2-512/256", "WHIRLPOOL" };

    (void)state;
    for (size_t n = 0; n < COUNT(others); n++) {
        EVP_MD *md = fetch(others[n]);

        assert_null(cryptderivekey_hash_of(md));
        EVP_MD_free(md);
    }
}

/* RFC 1319 section A.5: what the recorded MD2 keys stand on. */
static void the_md2_of_these_tests_is_md2(void **state)
{
    static const struct {
        const char *text, *hash;
    } published[] = {
        { "", "8350e5a3e24c153df2275c9f80692773" },
        { "abc", "da853b0d3f88d99b30283a69e6ded6bb" },
        { "abcdefghijklmnopqrstuvwxyz", "4e8ddff3650292ab5a4108c3aa47940b" },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
          "d5976f79d83d3a0dc9806c3c66f3efd8" },
    };
    EVP_MD *md = fetch("MD2");
    uint8_t value[16];

    (void)state;
    for (size_t n = 0; n < COUNT(published); n++) {
        hash_of(md, text(published[n].text), value);
        expect_hex((struct octets){ value, sizeof(value) }, published[n].hash);
    }
    EVP_MD_free(md);
}

/* ---- recorded keys ---- */

/* The lowest bits of DES key bytes: the recorded ones are as they came, ours are odd parity. */
static void check_parity(uint8_t *ours, const uint8_t *recorded, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        unsigned ones = 0;

        for (unsigned bit = 0; bit < 8; bit++)
            ones += (unsigned)ours[n] >> bit & 1u;
        assert_int_equal(ones % 2, 1);
        ours[n] = (uint8_t)((ours[n] & 0xfe) | (recorded[n] & 1));
    }
}

static int has_created_salt(const struct vectors *vectors)
{
    return (vectors_integer(vectors, "Flags") & 4) != 0 && vectors_has(vectors, "Salt");
}

/* A recorded enhanced provider forgets the salt that was asked for when the key has 40 bits. */
static int is_salt_forgotten(const struct vectors *vectors, size_t key_size)
{
    return key_size == 5 && strcmp(vectors_string(vectors, "Provider"), "enhanced") == 0;
}

static void every_recorded_key_and_created_salt(void **state)
{
    struct vectors *vectors = vectors_open("rsaenh-derive.txt");
    struct tally tally = { "rsaenh-derive.txt", 0, 0 };
    unsigned keys = 0, salts = 0, forgotten = 0;

    (void)state;
    while (stanza_next(vectors, &tally)) {
        uint8_t value[CRYPTDERIVEKEY_MAX_HASH_SIZE], key[BULK_CIPHER_MAX_KEY_SIZE], salt[16];
        const struct bulk_cipher *cipher;
        struct octets recorded;
        EVP_MD *md;

        if (strcmp(vectors_string(vectors, "Result"), "OK") != 0)
            continue;
        cipher = stanza_cipher(vectors, "KeyAlg");
        recorded = vectors_hex(vectors, "Key");
        md = fetch(vectors_string(vectors, "Hash"));
        hash_of(md, vectors_hex(vectors, "Password"), value);
        assert_int_equal(
            cryptderivekey_key(md, cryptderivekey_hash_of(md), value, cipher, key, recorded.size),
            1);
        if (is_des(cipher))
            check_parity(key, recorded.data, recorded.size);
        stanza_compare(vectors, &tally, "Key", (struct octets){ key, recorded.size });
        keys++;
        if (has_created_salt(vectors) && is_salt_forgotten(vectors, recorded.size)) {
            stanza_require(vectors, "Salt", "");
            forgotten++;
        } else if (has_created_salt(vectors)) {
            cryptderivekey_salt(value, cipher, recorded.size, salt);
            stanza_compare(
                vectors, &tally, "Salt",
                (struct octets){ salt, cryptderivekey_salt_size(cipher, recorded.size) });
            salts++;
        }
        EVP_MD_free(md);
    }
    vectors_close(vectors);
    print_message("rsaenh-derive.txt: %u keys, %u created salts, %u salts left out by the enhanced "
                  "provider\n",
                  keys, salts, forgotten);
    stanza_report(&tally, 377 + 57, 619);
    assert_int_equal(forgotten, 2);
}

/* ---- published answers ---- */

static void check_published(const char *password, const char *hash_name, enum bulk_cipher_id cipher,
                            size_t size, const char *expected)
{
    uint8_t value[CRYPTDERIVEKEY_MAX_HASH_SIZE], key[BULK_CIPHER_MAX_KEY_SIZE];
    EVP_MD *md = fetch(hash_name);

    hash_of(md, text(password), value);
    assert_int_equal(cryptderivekey_key(md, cryptderivekey_hash_of(md), value,
                                        bulk_cipher_by_id(cipher), key, size),
                     1);
    expect_hex((struct octets){ key, size }, expected);
    EVP_MD_free(md);
}

/* Microsoft's "Key Derivation Sample", and .NET's PasswordDeriveBytes.CryptDeriveKey on Windows. */
static void the_published_answers(void **state)
{
    (void)state;
    check_published("1134-kelp", "MD5", BULK_CIPHER_RC4, 5, "7340e6e274");
    check_published("PasswordGoesHere", "SHA1", BULK_CIPHER_DES, 8, "b0685d8c98f4854a");
}

static void the_published_salt(void **state)
{
    uint8_t value[16], salt[16];
    EVP_MD *md = fetch("MD5");

    (void)state;
    hash_of(md, text("1134-kelp"), value);
    assert_int_equal(cryptderivekey_salt_size(bulk_cipher_by_id(BULK_CIPHER_RC4), 5), 11);
    cryptderivekey_salt(value, bulk_cipher_by_id(BULK_CIPHER_RC4), 5, salt);
    expect_hex((struct octets){ salt, 11 }, "b8ea399395aa29d638b52a");
    EVP_MD_free(md);
}

/* ---- the rule a second time ---- */

/* The documentation's two buffers, byte by byte. */
static void expand_again(const EVP_MD *md, const uint8_t *value, uint8_t *out)
{
    const size_t size = (size_t)EVP_MD_get_size(md);
    uint8_t buffer[64];

    for (unsigned part = 0; part < 2; part++) {
        for (size_t n = 0; n < sizeof(buffer); n++)
            buffer[n] = (uint8_t)((part == 0 ? 0x36 : 0x5c) ^ (n < size ? value[n] : 0));
        hash_of(md, (struct octets){ buffer, sizeof(buffer) }, out + part * size);
    }
}

/* D: direct, E: expanded; MD2, MD4, MD5, SHA-1, SHA-256, SHA-384, SHA-512. */
static const struct {
    enum bulk_cipher_id cipher;
    size_t size;
    const char *rule;
} table[] = {
    { BULK_CIPHER_RC4, 5, "DDDDDDD" },       { BULK_CIPHER_RC4, 16, "DDDDDDD" },
    { BULK_CIPHER_RC2, 5, "DDDDDDD" },       { BULK_CIPHER_RC2, 16, "DDDDDDD" },
    { BULK_CIPHER_DES, 8, "DDDDDDD" },       { BULK_CIPHER_DES_EDE, 16, "DDDDDDD" },
    { BULK_CIPHER_DES_EDE3, 24, "EEEEDDD" }, { BULK_CIPHER_AES_128, 16, "EEEEDDD" },
    { BULK_CIPHER_AES_192, 24, "EEEEDDD" },  { BULK_CIPHER_AES_256, 32, "EEEEDDD" },
};

static void keys_are_expanded_where_cryptoapi_does_and_nowhere_else(void **state)
{
    (void)state;
    for (size_t row = 0; row < COUNT(table); row++) {
        const struct bulk_cipher *cipher = bulk_cipher_by_id((unsigned)table[row].cipher);
        const size_t size = table[row].size;

        for (size_t h = 0; h < COUNT(hash_names); h++) {
            uint8_t value[CRYPTDERIVEKEY_MAX_HASH_SIZE], expanded[2 * CRYPTDERIVEKEY_MAX_HASH_SIZE];
            uint8_t key[BULK_CIPHER_MAX_KEY_SIZE + 1], *expected;
            EVP_MD *md = fetch(hash_names[h]);

            hash_of(md, text("a password"), value);
            expand_again(md, value, expanded);
            expected = table[row].rule[h] == 'E' ? expanded : value;
            key[size] = 0xa5;
            assert_int_equal(
                cryptderivekey_key(md, cryptderivekey_hash_of(md), value, cipher, key, size), 1);
            if (is_des(cipher))
                check_parity(key, expected, size);
            assert_memory_equal(key, expected, size);
            assert_int_equal(key[size], 0xa5);
            EVP_MD_free(md);
        }
    }
}

static void a_created_salt_is_what_sixteen_bytes_of_the_hash_leave(void **state)
{
    const struct bytes value = counting(0x40, CRYPTDERIVEKEY_MAX_HASH_SIZE);

    (void)state;
    for (unsigned id = BULK_CIPHER_RC4; id <= BULK_CIPHER_AES_256; id++) {
        const struct bulk_cipher *cipher = bulk_cipher_by_id(id);
        const int has_salt = id == BULK_CIPHER_RC4 || id == BULK_CIPHER_RC2;

        for (size_t size = 5; size <= 32; size++) {
            const size_t expected = has_salt && size < 16 ? 16 - size : 0;
            uint8_t salt[17];

            memset(salt, 0xa5, sizeof(salt));
            assert_int_equal(cryptderivekey_salt_size(cipher, size), expected);
            cryptderivekey_salt(value.data, cipher, size, salt);
            assert_memory_equal(salt, value.data + size, expected);
            assert_int_equal(salt[expected], 0xa5);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hashes_are_known_by_every_name_that_evp_has),
        cmocka_unit_test(other_digests_are_none_of_cryptderivekey),
        cmocka_unit_test(the_md2_of_these_tests_is_md2),
        cmocka_unit_test(every_recorded_key_and_created_salt),
        cmocka_unit_test(the_published_answers),
        cmocka_unit_test(the_published_salt),
        cmocka_unit_test(keys_are_expanded_where_cryptoapi_does_and_nowhere_else),
        cmocka_unit_test(a_created_salt_is_what_sixteen_bytes_of_the_hash_leave),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
