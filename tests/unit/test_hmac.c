/* primitive/hmac: RFC 2202, OpenSSL's HMAC, and messages that are interrupted and moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "primitive/hmac.h"
#include "vectors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const enum digest_id both[] = { DIGEST_MD5, DIGEST_SHA1 };

static void hmac_whole(const struct hmac_key *key, const void *data, size_t size, uint8_t *out)
{
    struct digest_state state;

    hmac_start(key, &state);
    digest_update(&state, data, size);
    hmac_finish(key, &state, out);
}

/* OpenSSL's HMAC() is the second implementation. */
static void openssl_hmac(enum digest_id id, const uint8_t *secret, size_t secret_size,
                         const uint8_t *data, size_t size, uint8_t *out)
{
    const EVP_MD *md = id == DIGEST_MD5 ? EVP_md5() : EVP_sha1();

    assert_non_null(HMAC(md, secret, (int)secret_size, data, size, out, NULL));
}

static void fill(uint8_t *bytes, size_t size, uint8_t step)
{
    for (size_t n = 0; n < size; n++)
        bytes[n] = (uint8_t)(n * step + 3);
}

struct published {
    enum digest_id id;
    const char *key; /* hexadecimal; with |key_repeat| a pattern of that many copies */
    unsigned key_repeat;
    const char *data; /* text */
    uint8_t byte;     /* instead of text: fifty copies of this byte */
    const char *mac;
};

#define FIFTY_BYTES NULL

/* RFC 2202 sections 2 and 3, test cases 1 to 7. */
static const struct published published[] = {
    { DIGEST_MD5, "0b", 16, "Hi There", 0, "9294727a3638bb1c13f48ef8158bfc9d" },
    { DIGEST_MD5, "4a656665", 1, "what do ya want for nothing?", 0,
      "750c783e6ab0b503eaa86e310a5db738" },
    { DIGEST_MD5, "aa", 16, FIFTY_BYTES, 0xdd, "56be34521d144c88dbb8c733f0e8b3f6" },
    { DIGEST_MD5, "0102030405060708090a0b0c0d0e0f10111213141516171819", 1, FIFTY_BYTES, 0xcd,
      "697eaf0aca3a3aea3a75164746ffaa79" },
    { DIGEST_MD5, "0c", 16, "Test With Truncation", 0, "56461ef2342edc00f9bab995690efd4c" },
    { DIGEST_MD5, "aa", 80, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
      "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd" },
    { DIGEST_MD5, "aa", 80,
      "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", 0,
      "6f630fad67cda0ee1fb1f562db3aa53e" },
    { DIGEST_SHA1, "0b", 20, "Hi There", 0, "b617318655057264e28bc0b6fb378c8ef146be00" },
    { DIGEST_SHA1, "4a656665", 1, "what do ya want for nothing?", 0,
      "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
    { DIGEST_SHA1, "aa", 20, FIFTY_BYTES, 0xdd, "125d7342b9ac11cd91a39af48aa17b4f63f175d3" },
    { DIGEST_SHA1, "0102030405060708090a0b0c0d0e0f10111213141516171819", 1, FIFTY_BYTES, 0xcd,
      "4c9007f4026250c6bc8414f9bf50c86c2d7235da" },
    { DIGEST_SHA1, "0c", 20, "Test With Truncation", 0,
      "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04" },
    { DIGEST_SHA1, "aa", 80, "Test Using Larger Than Block-Size Key - Hash Key First", 0,
      "aa4ae5e15272d00e95705637ce8a3b55ed402112" },
    { DIGEST_SHA1, "aa", 80,
      "Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", 0,
      "e8e99d0f45237d786d6bbaa7965c7808bbff1a91" },
};

static void the_test_cases_of_rfc_2202_give_the_published_macs(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < COUNT(published); n++) {
        const struct published *test = &published[n];
        uint8_t secret[80], fifty[50], mac[DIGEST_MAX_SIZE];
        size_t secret_size = 0;
        struct hmac_key key;

        for (unsigned times = 0; times < test->key_repeat; times++)
            secret_size +=
                hex_decode(test->key, secret + secret_size, sizeof(secret) - secret_size);
        memset(fifty, test->byte, sizeof(fifty));
        hmac_key_init(&key, test->id, secret, secret_size);
        if (test->data == FIFTY_BYTES)
            hmac_whole(&key, fifty, sizeof(fifty), mac);
        else
            hmac_whole(&key, test->data, strlen(test->data), mac);
        expect_hex((struct octets){ mac, digest_size(test->id) }, test->mac);
    }
}

static void every_key_length_agrees_with_openssl(void **unused)
{
    uint8_t secret[150], message[90], ours[DIGEST_MAX_SIZE], theirs[EVP_MAX_MD_SIZE];

    (void)unused;
    fill(secret, sizeof(secret), 29);
    fill(message, sizeof(message), 53);
    for (size_t d = 0; d < COUNT(both); d++) {
        for (size_t size = 0; size <= sizeof(secret); size++) {
            struct hmac_key key;

            hmac_key_init(&key, both[d], secret, size);
            hmac_whole(&key, message, sizeof(message), ours);
            openssl_hmac(both[d], secret, size, message, sizeof(message), theirs);
            assert_memory_equal(ours, theirs, digest_size(both[d]));
        }
    }
}

static void an_empty_key_needs_no_address(void **unused)
{
    struct hmac_key key;
    uint8_t mac[DIGEST_MAX_SIZE], theirs[EVP_MAX_MD_SIZE];

    (void)unused;
    hmac_key_init(&key, DIGEST_SHA1, NULL, 0);
    hmac_whole(&key, NULL, 0, mac);
    openssl_hmac(DIGEST_SHA1, (const uint8_t *)"", 0, (const uint8_t *)"", 0, theirs);
    assert_memory_equal(mac, theirs, 20);
}

static void one_key_authenticates_message_after_message(void **unused)
{
    uint8_t secret[20], message[200], ours[DIGEST_MAX_SIZE], theirs[EVP_MAX_MD_SIZE];
    struct hmac_key key;

    (void)unused;
    fill(secret, sizeof(secret), 11);
    fill(message, sizeof(message), 17);
    hmac_key_init(&key, DIGEST_SHA1, secret, sizeof(secret));
    for (size_t size = 0; size <= sizeof(message); size++) {
        hmac_whole(&key, message, size, ours);
        openssl_hmac(DIGEST_SHA1, secret, sizeof(secret), message, size, theirs);
        assert_memory_equal(ours, theirs, 20);
    }
}

static void a_message_saved_and_restored_at_every_byte_keeps_its_mac(void **unused)
{
    uint8_t secret[16], message[2 * DIGEST_BLOCK_SIZE + 3];

    (void)unused;
    fill(secret, sizeof(secret), 11);
    fill(message, sizeof(message), 17);
    for (size_t d = 0; d < COUNT(both); d++) {
        uint8_t expected[EVP_MAX_MD_SIZE], mac[DIGEST_MAX_SIZE], image[DIGEST_MAX_SAVED];
        struct hmac_key key;

        hmac_key_init(&key, both[d], secret, sizeof(secret));
        openssl_hmac(both[d], secret, sizeof(secret), message, sizeof(message), expected);
        for (size_t cut = 0; cut <= sizeof(message); cut++) {
            struct digest_state before, after;
            size_t size;

            hmac_start(&key, &before);
            digest_update(&before, message, cut);
            size = digest_save(&before, image);
            assert_int_equal(digest_restore(&after, both[d], image, size), 1);
            digest_update(&after, message + cut, sizeof(message) - cut);
            hmac_finish(&key, &after, mac);
            assert_memory_equal(mac, expected, digest_size(both[d]));
        }
    }
}

/* What key derivation uses, at every length that fits; the MAC may take the message's place. */
static void a_message_laid_out_has_the_same_mac(void **unused)
{
    uint8_t secret[24], message[180], theirs[EVP_MAX_MD_SIZE];

    (void)unused;
    fill(secret, sizeof(secret), 11);
    fill(message, sizeof(message), 17);
    for (size_t d = 0; d < COUNT(both); d++) {
        struct hmac_key key;

        hmac_key_init(&key, both[d], secret, sizeof(secret));
        for (size_t size = 20; size <= sizeof(message); size++) {
            const struct octets part = { message, size };
            struct hmac_scratch scratch;
            struct digest_text text;

            openssl_hmac(both[d], secret, sizeof(secret), message, size, theirs);
            assert_int_equal(digest_text_init(&text, both[d], DIGEST_BLOCK_SIZE, &part, 1), 1);
            hmac_text(&key, &text, &scratch, text.bytes);
            assert_memory_equal(text.bytes, theirs, digest_size(both[d]));
        }
    }
}

static void different_keys_and_different_messages_have_different_macs(void **unused)
{
    uint8_t secret[16] = { 0 }, message[4] = { 0 }, one[DIGEST_MAX_SIZE], other[DIGEST_MAX_SIZE];
    struct hmac_key key;

    (void)unused;
    hmac_key_init(&key, DIGEST_MD5, secret, sizeof(secret));
    hmac_whole(&key, message, sizeof(message), one);
    message[3] = 1;
    hmac_whole(&key, message, sizeof(message), other);
    assert_memory_not_equal(one, other, 16);
    secret[15] = 1;
    message[3] = 0;
    hmac_key_init(&key, DIGEST_MD5, secret, sizeof(secret));
    hmac_whole(&key, message, sizeof(message), other);
    assert_memory_not_equal(one, other, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_test_cases_of_rfc_2202_give_the_published_macs),
        cmocka_unit_test(every_key_length_agrees_with_openssl),
        cmocka_unit_test(an_empty_key_needs_no_address),
        cmocka_unit_test(one_key_authenticates_message_after_message),
        cmocka_unit_test(a_message_saved_and_restored_at_every_byte_keeps_its_mac),
        cmocka_unit_test(a_message_laid_out_has_the_same_mac),
        cmocka_unit_test(different_keys_and_different_messages_have_different_macs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
