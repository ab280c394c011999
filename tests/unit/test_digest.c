/* primitive/digest: published digests, and that a digest saved anywhere goes on as if never moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "primitive/digest.h"
#include "vectors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const enum digest_id both[] = { DIGEST_MD5, DIGEST_SHA1 };

static void digest_whole(enum digest_id id, const void *data, size_t size, uint8_t *out)
{
    struct digest_state state;

    digest_init(&state, id);
    digest_update(&state, data, size);
    digest_final(&state, out);
}

/* OpenSSL's own EVP digest is the second implementation. */
static void evp_digest(enum digest_id id, const void *data, size_t size, uint8_t *out)
{
    const EVP_MD *md = id == DIGEST_MD5 ? EVP_md5() : EVP_sha1();

    assert_int_equal(EVP_Digest(data, size, out, NULL, md, NULL), 1);
}

static void fill(uint8_t *message, size_t size)
{
    for (size_t n = 0; n < size; n++)
        message[n] = (uint8_t)(n * 151 + 7);
}

struct published {
    enum digest_id id;
    const char *message;
    unsigned repeat;
    const char *digest;
};

/* RFC 1321 appendix A.5; FIPS 180-1 appendices A to C and RFC 3174 section 7.3 TEST1 to TEST4. */
static const struct published published[] = {
    { DIGEST_MD5, "", 1, "d41d8cd98f00b204e9800998ecf8427e" },
    { DIGEST_MD5, "a", 1, "0cc175b9c0f1b6a831c399e269772661" },
    { DIGEST_MD5, "abc", 1, "900150983cd24fb0d6963f7d28e17f72" },
    { DIGEST_MD5, "message digest", 1, "f96b697d7cb7938d525a2f31aaf161d0" },
    { DIGEST_MD5, "abcdefghijklmnopqrstuvwxyz", 1, "c3fcd3d76192e4007dfb496cca67e13b" },
    { DIGEST_MD5, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 1,
      "d174ab98d277d9f5a5611c2c9f419d9f" },
    { DIGEST_MD5, "1234567890", 8, "57edf4a22be3c955ac49da2e2107b67a" },
    { DIGEST_SHA1, "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { DIGEST_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
    { DIGEST_SHA1, "a", 1000000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f" },
    { DIGEST_SHA1, "0123456701234567012345670123456701234567012345670123456701234567", 10,
      "dea356a2cddd90c7a7ecedc5ebb563934f460452" },
};

static void the_messages_of_the_standards_give_the_published_digests(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < COUNT(published); n++) {
        struct digest_state state;
        uint8_t digest[DIGEST_MAX_SIZE];

        digest_init(&state, published[n].id);
        for (unsigned times = 0; times < published[n].repeat; times++)
            digest_update(&state, published[n].message, strlen(published[n].message));
        digest_final(&state, digest);
        expect_hex((struct octets){ digest, digest_size(published[n].id) }, published[n].digest);
    }
}

static void every_length_of_a_few_blocks_agrees_with_evp(void **unused)
{
    uint8_t message[4 * DIGEST_BLOCK_SIZE], ours[DIGEST_MAX_SIZE], theirs[EVP_MAX_MD_SIZE];

    (void)unused;
    fill(message, sizeof(message));
    for (size_t d = 0; d < COUNT(both); d++) {
        for (size_t size = 0; size <= sizeof(message); size++) {
            digest_whole(both[d], message, size, ours);
            evp_digest(both[d], message, size, theirs);
            assert_memory_equal(ours, theirs, digest_size(both[d]));
        }
    }
}

static void a_digest_saved_and_restored_at_every_byte_goes_on_unchanged(void **unused)
{
    uint8_t message[3 * DIGEST_BLOCK_SIZE + 5];

    (void)unused;
    fill(message, sizeof(message));
    for (size_t d = 0; d < COUNT(both); d++) {
        uint8_t expected[EVP_MAX_MD_SIZE];

        evp_digest(both[d], message, sizeof(message), expected);
        for (size_t cut = 0; cut <= sizeof(message); cut++) {
            struct digest_state before, after;
            uint8_t image[DIGEST_MAX_SAVED], again[DIGEST_MAX_SAVED], digest[DIGEST_MAX_SIZE];
            size_t size;

            digest_init(&before, both[d]);
            digest_update(&before, message, cut);
            size = digest_saved_size(&before);
            assert_int_equal(size, digest_size(both[d]) + 8 + cut % DIGEST_BLOCK_SIZE);
            assert_int_equal(digest_save(&before, image), size);
            memset(&after, 0xa5, sizeof(after));
            assert_int_equal(digest_restore(&after, both[d], image, size), 1);
            assert_int_equal(digest_save(&after, again), size);
            assert_memory_equal(again, image, size);
            digest_update(&after, message + cut, sizeof(message) - cut);
            digest_final(&after, digest);
            assert_memory_equal(digest, expected, digest_size(both[d]));
        }
    }
}

/*
 * The chaining values after bytes 00..3f were computed with a separate implementation of
 * RFC 1321 and FIPS 180 in Python; bytes 40 41 42 wait for a whole block.
 */
static void the_saved_image_has_the_documented_bytes(void **unused)
{
    static const struct {
        enum digest_id id;
        size_t size;
        const char *image;
    } images[] = {
        { DIGEST_MD5, 0, "0123456789abcdeffedcba9876543210 0000000000000000" },
        { DIGEST_SHA1, 0, "67452301efcdab8998badcfe10325476c3d2e1f0 0000000000000000" },
        { DIGEST_MD5, 67, "cad94491c9e401d9385bfc721ef55f62 0000000000000043 404142" },
        { DIGEST_SHA1, 67, "b9ac757bbc2979252e22727406872f94cbea56a1 0000000000000043 404142" },
    };
    uint8_t message[67], image[DIGEST_MAX_SAVED];

    (void)unused;
    for (size_t n = 0; n < sizeof(message); n++)
        message[n] = (uint8_t)n;
    for (size_t n = 0; n < COUNT(images); n++) {
        struct digest_state state;

        digest_init(&state, images[n].id);
        digest_update(&state, message, images[n].size);
        expect_hex((struct octets){ image, digest_save(&state, image) }, images[n].image);
    }
}

static void an_image_whose_size_does_not_fit_its_length_is_refused(void **unused)
{
    uint8_t message[DIGEST_BLOCK_SIZE + 9], image[DIGEST_MAX_SAVED + 1] = { 0 };

    (void)unused;
    fill(message, sizeof(message));
    for (size_t d = 0; d < COUNT(both); d++) {
        struct digest_state state, untouched;
        size_t good;

        digest_init(&state, both[d]);
        digest_update(&state, message, sizeof(message));
        good = digest_save(&state, image);
        memset(&state, 0x5a, sizeof(state));
        memcpy(&untouched, &state, sizeof(state));
        for (size_t size = 0; size <= sizeof(image); size++) {
            if (size != good)
                assert_int_equal(digest_restore(&state, both[d], image, size), 0);
        }
        assert_int_equal(digest_restore(&state, DIGEST_NONE, image, good), 0);
        image[digest_size(both[d])] = 0x20; /* 2^61 bytes and more */
        assert_int_equal(digest_restore(&state, both[d], image, good), 0);
        assert_memory_equal(&state, &untouched, sizeof(state));
    }
}

static void a_length_beyond_32_bits_of_bits_survives_saving(void **unused)
{
    (void)unused;
    for (size_t d = 0; d < COUNT(both); d++) {
        struct digest_midstate midstate = { { 1, 2, 3, 4, 5 } };
        struct digest_state state;
        uint8_t image[DIGEST_MAX_SAVED];

        digest_from_midstate(&state, both[d], &midstate, UINT64_C(0x0123456789abcd));
        digest_update(&state, "xyz", 3);
        assert_int_equal(digest_save(&state, image), digest_size(both[d]) + 8 + 3);
        expect_hex((struct octets){ image + digest_size(both[d]), 11 }, "0048d159e26af343 78797a");
        assert_int_equal(digest_restore(&state, both[d], image, digest_saved_size(&state)), 1);
        digest_update(&state, "!", 1);
        digest_save(&state, image);
        expect_hex((struct octets){ image + digest_size(both[d]), 12 },
                   "0048d159e26af344 78797a21");
    }
}

static void a_digest_continued_from_a_midstate_equals_the_whole(void **unused)
{
    uint8_t message[4 * DIGEST_BLOCK_SIZE + 11];

    (void)unused;
    fill(message, sizeof(message));
    for (size_t d = 0; d < COUNT(both); d++) {
        uint8_t expected[EVP_MAX_MD_SIZE], digest[DIGEST_MAX_SIZE];

        evp_digest(both[d], message, sizeof(message), expected);
        for (size_t blocks = 0; blocks <= 4; blocks++) {
            const size_t done = blocks * DIGEST_BLOCK_SIZE;
            struct digest_midstate midstate;
            struct digest_state state;

            digest_init(&state, both[d]);
            digest_update(&state, message, done);
            digest_get_midstate(&state, &midstate);
            digest_from_midstate(&state, both[d], &midstate, blocks);
            digest_update(&state, message + done, sizeof(message) - done);
            digest_final(&state, digest);
            assert_memory_equal(digest, expected, digest_size(both[d]));
        }
    }
}

static void a_copied_state_goes_its_own_way(void **unused)
{
    struct digest_state one, other;
    uint8_t digest[DIGEST_MAX_SIZE];

    (void)unused;
    digest_init(&one, DIGEST_MD5);
    digest_update(&one, "a", 1);
    other = one;
    digest_update(&other, "bc", 2);
    digest_final(&one, digest);
    expect_hex((struct octets){ digest, 16 }, "0cc175b9c0f1b6a831c399e269772661");
    digest_final(&other, digest);
    expect_hex((struct octets){ digest, 16 }, "900150983cd24fb0d6963f7d28e17f72");
}

static void final_leaves_nothing_of_the_message_behind(void **unused)
{
    static const struct digest_state cleansed;

    (void)unused;
    for (size_t d = 0; d < COUNT(both); d++) {
        struct digest_state state;
        uint8_t digest[DIGEST_MAX_SIZE];

        digest_init(&state, both[d]);
        digest_update(&state, "secret", 6);
        digest_final(&state, digest);
        assert_memory_equal(&state, &cleansed, sizeof(state));
    }
}

static void digests_are_known_by_their_names_in_any_case(void **unused)
{
    (void)unused;
    assert_int_equal(digest_from_name("MD5"), DIGEST_MD5);
    assert_int_equal(digest_from_name("md5"), DIGEST_MD5);
    assert_int_equal(digest_from_name("SHA1"), DIGEST_SHA1);
    assert_int_equal(digest_from_name("Sha-1"), DIGEST_SHA1);
    assert_int_equal(digest_from_name("sha"), DIGEST_SHA1);
    assert_int_equal(digest_from_name("SHA256"), DIGEST_NONE);
    assert_int_equal(digest_from_name(""), DIGEST_NONE);
    assert_int_equal(digest_from_name(NULL), DIGEST_NONE);
    assert_string_equal(digest_name(DIGEST_MD5), "MD5");
    assert_string_equal(digest_name(DIGEST_SHA1), "SHA1");
    assert_int_equal(digest_size(DIGEST_MD5), 16);
    assert_int_equal(digest_size(DIGEST_SHA1), 20);
    assert_int_equal(digest_size(DIGEST_NONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_messages_of_the_standards_give_the_published_digests),
        cmocka_unit_test(every_length_of_a_few_blocks_agrees_with_evp),
        cmocka_unit_test(a_digest_saved_and_restored_at_every_byte_goes_on_unchanged),
        cmocka_unit_test(the_saved_image_has_the_documented_bytes),
        cmocka_unit_test(an_image_whose_size_does_not_fit_its_length_is_refused),
        cmocka_unit_test(a_length_beyond_32_bits_of_bits_survives_saving),
        cmocka_unit_test(a_digest_continued_from_a_midstate_equals_the_whole),
        cmocka_unit_test(a_copied_state_goes_its_own_way),
        cmocka_unit_test(final_leaves_nothing_of_the_message_behind),
        cmocka_unit_test(digests_are_known_by_their_names_in_any_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
