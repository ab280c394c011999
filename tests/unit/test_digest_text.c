/* primitive/digest_text: messages laid out once, compared with digests that absorb. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "primitive/digest_text.h"

#define CAPACITY (DIGEST_TEXT_BLOCKS * DIGEST_BLOCK_SIZE)
#define LONGEST  (CAPACITY - 9) /* a byte and a length of padding */

static const enum digest_id both[] = { DIGEST_MD5, DIGEST_SHA1 };

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++)
        bytes[n] = (uint8_t)(n * 89 + 5);
}

/* libcrypto's EVP is the second implementation. */
static void evp_digest(enum digest_id id, const uint8_t *data, size_t size, uint8_t *out)
{
    assert_int_equal(
        EVP_Digest(data, size, out, NULL, id == DIGEST_MD5 ? EVP_md5() : EVP_sha1(), NULL), 1);
}

static void every_length_that_fits_gives_the_digest(void **unused)
{
    uint8_t message[CAPACITY], ours[DIGEST_MAX_SIZE], theirs[EVP_MAX_MD_SIZE];

    (void)unused;
    fill(message, sizeof(message));
    for (size_t d = 0; d < 2; d++) {
        struct digest_midstate start;

        digest_first_midstate(both[d], &start);
        for (size_t size = 0; size <= LONGEST; size++) {
            const struct octets part = { message, size };
            struct digest_state scratch;
            struct digest_text text;

            memset(&text, 0xa5, sizeof(text));
            assert_int_equal(digest_text_init(&text, both[d], 0, &part, 1), 1);
            assert_int_equal(text.blocks, (size + 9 + 63) / 64);
            digest_text_hash(&text, &start, &scratch, ours);
            evp_digest(both[d], message, size, theirs);
            assert_memory_equal(ours, theirs, digest_size(both[d]));
        }
    }
}

static void a_longer_message_is_refused(void **unused)
{
    uint8_t message[2 * CAPACITY];
    struct digest_text text;

    (void)unused;
    fill(message, sizeof(message));
    for (size_t size = LONGEST + 1; size <= sizeof(message); size++) {
        const struct octets parts[] = { { message, size / 2 }, { message, size - size / 2 } };

        assert_int_equal(digest_text_init(&text, DIGEST_SHA1, 0, parts, 2), 0);
    }
    /* whatever the sizes add up to */
    {
        const struct octets parts[] = { { message, 1 }, { message, SIZE_MAX } };

        assert_int_equal(digest_text_init(&text, DIGEST_MD5, 0, parts, 2), 0);
    }
}

static void it_may_be_the_end_of_a_message_in_parts(void **unused)
{
    uint8_t message[3 * DIGEST_BLOCK_SIZE + LONGEST], ours[DIGEST_MAX_SIZE];
    uint8_t theirs[EVP_MAX_MD_SIZE];

    (void)unused;
    fill(message, sizeof(message));
    for (size_t d = 0; d < 2; d++) {
        for (size_t n = 0; n < 4 * LONGEST; n++) {
            const size_t before = n % 4 * DIGEST_BLOCK_SIZE, size = n / 4;
            const struct octets parts[] = { { message + before, size / 3 },
                                            { NULL, 0 },
                                            { message + before + size / 3, size - size / 3 } };
            struct digest_midstate midstate;
            struct digest_state state;
            struct digest_text text;

            digest_init(&state, both[d]);
            digest_update(&state, message, before);
            digest_get_midstate(&state, &midstate);
            assert_int_equal(digest_text_init(&text, both[d], before, parts, 3), 1);
            digest_text_hash(&text, &midstate, &state, ours);
            evp_digest(both[d], message, before + size, theirs);
            assert_memory_equal(ours, theirs, digest_size(both[d]));
        }
    }
}

static void its_bytes_may_change_and_its_digest_take_their_place(void **unused)
{
    uint8_t message[LONGEST], theirs[EVP_MAX_MD_SIZE];

    (void)unused;
    fill(message, sizeof(message));
    for (size_t d = 0; d < 2; d++) {
        const struct octets part = { message, sizeof(message) };
        struct digest_midstate start;
        struct digest_state scratch;
        struct digest_text text;

        digest_first_midstate(both[d], &start);
        assert_int_equal(digest_text_init(&text, both[d], 0, &part, 1), 1);
        for (unsigned round = 0; round < 5; round++) {
            text.bytes[40 + round] ^= 0x80;
            memcpy(message, text.bytes, sizeof(message));
            evp_digest(both[d], message, sizeof(message), theirs);
            digest_text_hash(&text, &start, &scratch, text.bytes);
            assert_memory_equal(text.bytes, theirs, digest_size(both[d]));
            memcpy(message, theirs, digest_size(both[d]));
            assert_memory_equal(text.bytes, message, sizeof(message));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length_that_fits_gives_the_digest),
        cmocka_unit_test(a_longer_message_is_refused),
        cmocka_unit_test(it_may_be_the_end_of_a_message_in_parts),
        cmocka_unit_test(its_bytes_may_change_and_its_digest_take_their_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
