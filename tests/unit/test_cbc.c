/*
 * Unit tests of primitive/cbc: any cut of a stream, saved and resumed at any byte, gives what
 * libcrypto's own CBC gives in one go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include "primitive/cbc.h"

#define TEXT_SIZE 67 /* four AES blocks and a bit, eight DES blocks and a bit */

struct row {
    const char *name;
    size_t key_size, block_size;
};

static const struct row rows[] = {
    { "AES-128-CBC", 16, 16 },
    { "AES-256-CBC", 32, 16 },
    { "DES-EDE3-CBC", 24, 8 },
};

static void pattern(uint8_t *out, size_t size, unsigned seed)
{
    for (size_t n = 0; n < size; n++)
        out[n] = (uint8_t)(seed + n * 29 + (n >> 3));
}

/* The whole text through libcrypto at once. */
static size_t reference(const EVP_CIPHER *cipher, const uint8_t *key, const uint8_t *iv,
                        int encrypt, int padding, const uint8_t *in, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int first = 0, last = 0;

    assert_non_null(context);
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, padding);
    assert_int_equal(EVP_CipherUpdate(context, out, &first, in, (int)size), 1);
    assert_int_equal(EVP_CipherFinal_ex(context, out + first, &last), 1);
    EVP_CIPHER_CTX_free(context);
    return (size_t)(first + last);
}

/* One stream in two parts; between them the state is copied and the first one destroyed. */
static size_t in_two_parts(const struct cbc_job *job, const struct row *row, const uint8_t *iv,
                           const uint8_t *in, size_t size, size_t cut, uint8_t *out)
{
    struct cbc_state first, second;
    size_t total = 0, written = 0;

    cbc_init(&first, row->block_size);
    cbc_set_iv(&first, iv);
    assert_int_equal(cbc_update_size(&first, job, cut) <= cut + row->block_size, 1);
    assert_int_equal(cbc_update(&first, job, in, cut, out, TEXT_SIZE + 32, &written), CBC_OK);
    total += written;
    cbc_copy(&second, &first);
    cbc_clear(&first);
    assert_int_equal(cbc_update(&second, job, in + cut, size - cut, out + total,
                                TEXT_SIZE + 32 - total, &written),
                     CBC_OK);
    total += written;
    assert_int_equal(cbc_final(&second, job, out + total, TEXT_SIZE + 32 - total, &written),
                     CBC_OK);
    total += written;
    cbc_clear(&second);
    return total;
}

/* Every length, every cut, both directions, with and without padding. */
static void a_stream_cut_and_moved_at_any_byte_equals_an_uncut_one(void **state)
{
    uint8_t key[32], iv[16], text[TEXT_SIZE], expected[TEXT_SIZE + 32], cipher_text[TEXT_SIZE + 32];
    uint8_t actual[TEXT_SIZE + 32];
    size_t cuts = 0;

    (void)state;
    pattern(key, sizeof(key), 3);
    pattern(iv, sizeof(iv), 91);
    pattern(text, sizeof(text), 17);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, rows[n].name, NULL);

        assert_non_null(cipher);
        for (int padding = 0; padding <= 1; padding++) {
            for (size_t size = 0; size <= sizeof(text); size++) {
                struct cbc_job job = {
                    .cipher = cipher, .key = key, .direction = CBC_ENCRYPT, .padding = padding
                };
                size_t sealed;

                if (!padding && size % rows[n].block_size != 0)
                    continue;
                sealed = reference(cipher, key, iv, 1, padding, text, size, expected);
                memcpy(cipher_text, expected, sealed);
                for (size_t cut = 0; cut <= size; cut++, cuts++) {
                    job.direction = CBC_ENCRYPT;
                    assert_int_equal(in_two_parts(&job, &rows[n], iv, text, size, cut, actual),
                                     sealed);
                    assert_memory_equal(actual, expected, sealed);
                }
                for (size_t cut = 0; cut <= sealed; cut++, cuts++) {
                    job.direction = CBC_DECRYPT;
                    assert_int_equal(
                        in_two_parts(&job, &rows[n], iv, cipher_text, sealed, cut, actual), size);
                    assert_memory_equal(actual, text, size);
                }
            }
        }
        EVP_CIPHER_free(cipher);
    }
    print_message("%zu cut positions\n", cuts);
}

static void a_final_with_a_partial_block_and_no_padding_changes_nothing(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    uint8_t key[16], iv[16], text[32], expected[48], actual[48];
    struct cbc_job job = { .cipher = cipher, .key = key, .direction = CBC_ENCRYPT, .padding = 0 };
    struct cbc_state cbc;
    size_t written, total;

    (void)state;
    pattern(key, sizeof(key), 1);
    pattern(iv, sizeof(iv), 2);
    pattern(text, sizeof(text), 3);
    reference(cipher, key, iv, 1, 0, text, sizeof(text), expected);
    cbc_init(&cbc, 16);
    cbc_set_iv(&cbc, iv);
    assert_int_equal(cbc_update(&cbc, &job, text, 21, actual, sizeof(actual), &written), CBC_OK);
    assert_int_equal(written, 16);
    total = written;
    assert_int_equal(cbc_final(&cbc, &job, actual + total, 32, &written), CBC_PARTIAL_BLOCK);
    assert_int_equal(cbc_update(&cbc, &job, text + 21, 11, actual + total, 32, &written), CBC_OK);
    total += written;
    assert_int_equal(cbc_final(&cbc, &job, actual + total, 16, &written), CBC_OK);
    assert_int_equal(total + written, sizeof(text));
    assert_memory_equal(actual, expected, sizeof(text));
    cbc_clear(&cbc);
    EVP_CIPHER_free(cipher);
}

/* All 256 values of the last byte over otherwise fixed blocks: libcrypto and we agree on each. */
static void padding_is_accepted_and_refused_exactly_as_libcrypto_does(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    uint8_t key[16], iv[16] = { 0 }, text[16], sealed[32], actual[16], plain[32];
    size_t accepted = 0;

    (void)state;
    pattern(key, sizeof(key), 7);
    for (unsigned fill = 0; fill <= 17; fill++) {
        for (unsigned last = 0; last < 256; last++) {
            struct cbc_job job = {
                .cipher = cipher, .key = key, .direction = CBC_DECRYPT, .padding = 1
            };
            EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
            struct cbc_state cbc;
            size_t written = 0, again = 0;
            int first = 0, rest = 0, good;

            memset(text, (int)fill, sizeof(text));
            text[15] = (uint8_t)last;
            reference(cipher, key, iv, 1, 0, text, sizeof(text), sealed);
            EVP_DecryptInit_ex2(context, cipher, key, iv, NULL);
            EVP_DecryptUpdate(context, plain, &first, sealed, 16);
            good = EVP_DecryptFinal_ex(context, plain + first, &rest);
            EVP_CIPHER_CTX_free(context);

            cbc_init(&cbc, 16);
            cbc_set_iv(&cbc, iv);
            assert_int_equal(cbc_update(&cbc, &job, sealed, 16, actual, 16, &written), CBC_OK);
            assert_int_equal(written, 0);
            assert_int_equal(cbc_final(&cbc, &job, actual, 16, &written),
                             good ? CBC_OK : CBC_BAD_PADDING);
            if (good) {
                assert_int_equal(written, first + rest);
                accepted++;
            } else {
                /* nothing was changed: without padding the block comes out after all */
                job.padding = 0;
                assert_int_equal(cbc_update(&cbc, &job, NULL, 0, actual, 16, &again), CBC_OK);
                assert_int_equal(again, 16);
                assert_memory_equal(actual, text, 16);
            }
            cbc_clear(&cbc);
        }
    }
    assert_int_equal(accepted > 16, 1);
    EVP_CIPHER_free(cipher);
}

static void too_small_an_output_changes_nothing(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    uint8_t key[16], iv[16] = { 0 }, text[48], expected[64], actual[64];
    struct cbc_job job = { .cipher = cipher, .key = key, .direction = CBC_ENCRYPT, .padding = 1 };
    struct cbc_state cbc;
    size_t written;

    (void)state;
    pattern(key, sizeof(key), 7);
    pattern(text, sizeof(text), 9);
    reference(cipher, key, iv, 1, 1, text, sizeof(text), expected);
    cbc_init(&cbc, 16);
    cbc_set_iv(&cbc, iv);
    assert_int_equal(cbc_update(&cbc, &job, text, 48, actual, 47, &written), CBC_OUTPUT_TOO_SMALL);
    assert_int_equal(cbc_update(&cbc, &job, text, 48, actual, 48, &written), CBC_OK);
    assert_int_equal(cbc_final(&cbc, &job, actual + 48, 15, &written), CBC_OUTPUT_TOO_SMALL);
    assert_int_equal(cbc_final(&cbc, &job, actual + 48, 16, &written), CBC_OK);
    assert_memory_equal(actual, expected, 64);
    cbc_clear(&cbc);
    EVP_CIPHER_free(cipher);
}

/* A padded decryption holds a block back: without padding its end has to give that. */
static void too_small_an_output_keeps_the_block_held_back(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    uint8_t key[16], iv[16] = { 0 }, text[32], sealed[32], actual[32];
    struct cbc_job job = { .cipher = cipher, .key = key, .direction = CBC_DECRYPT, .padding = 1 };
    struct cbc_state cbc;
    size_t written;

    (void)state;
    pattern(key, sizeof(key), 7);
    pattern(text, sizeof(text), 9);
    assert_int_equal(reference(cipher, key, iv, 1, 0, text, sizeof(text), sealed), 32);
    cbc_init(&cbc, 16);
    cbc_set_iv(&cbc, iv);
    assert_int_equal(cbc_update(&cbc, &job, sealed, 32, actual, 32, &written), CBC_OK);
    assert_int_equal(written, 16);
    job.padding = 0;
    assert_int_equal(cbc_final(&cbc, &job, actual + 16, 15, &written), CBC_OUTPUT_TOO_SMALL);
    assert_int_equal(cbc_final(&cbc, &job, actual + 16, 16, &written), CBC_OK);
    assert_int_equal(written, 16);
    assert_memory_equal(actual, text, 32);
    cbc_clear(&cbc);
    EVP_CIPHER_free(cipher);
}

/* Without a cipher libcrypto's engine fails: nothing is lost with it. */
static void the_block_held_back_outlives_a_failure_of_the_engine(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    uint8_t key[16], iv[16] = { 0 }, text[5], sealed[16], actual[16];
    struct cbc_state cbc;
    size_t written;

    (void)state;
    pattern(key, sizeof(key), 7);
    pattern(text, sizeof(text), 9);
    assert_int_equal(reference(cipher, key, iv, 1, 1, text, sizeof(text), sealed), 16);
    for (uint8_t padding = 0; padding <= 1; padding++) {
        struct cbc_job job = { .key = key, .direction = CBC_DECRYPT, .padding = 1 };

        cbc_init(&cbc, 16);
        cbc_set_iv(&cbc, iv);
        assert_int_equal(cbc_update(&cbc, &job, sealed, 16, actual, 16, &written), CBC_OK);
        assert_int_equal(written, 0);
        job.padding = padding;
        assert_int_equal(cbc_final(&cbc, &job, actual, 16, &written), CBC_ENGINE_FAILURE);
        job.cipher = cipher;
        assert_int_equal(cbc_final(&cbc, &job, actual, 16, &written), CBC_OK);
        assert_int_equal(written, padding ? sizeof(text) : 16);
        assert_memory_equal(actual, text, sizeof(text));
        cbc_clear(&cbc);
    }
    EVP_CIPHER_free(cipher);
}

static void one_state_can_turn_from_encryption_to_decryption_between_blocks(void **state)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "DES-EDE3-CBC", NULL);
    uint8_t key[24], iv[8], text[16], sealed[16], opened[16];
    struct cbc_job job = { .cipher = cipher, .key = key, .direction = CBC_ENCRYPT, .padding = 0 };
    struct cbc_state cbc;
    size_t written;

    (void)state;
    pattern(key, sizeof(key), 40);
    pattern(iv, sizeof(iv), 50);
    pattern(text, sizeof(text), 60);
    cbc_init(&cbc, 8);
    cbc_set_iv(&cbc, iv);
    assert_int_equal(cbc_update(&cbc, &job, text, 16, sealed, 16, &written), CBC_OK);
    cbc_restart(&cbc);
    job.direction = CBC_DECRYPT;
    assert_int_equal(cbc_update(&cbc, &job, sealed, 16, opened, 16, &written), CBC_OK);
    assert_memory_equal(opened, text, 16);
    assert_memory_equal(cbc.chain, sealed + 8, 8);
    cbc_clear(&cbc);
    EVP_CIPHER_free(cipher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_cut_and_moved_at_any_byte_equals_an_uncut_one),
        cmocka_unit_test(a_final_with_a_partial_block_and_no_padding_changes_nothing),
        cmocka_unit_test(padding_is_accepted_and_refused_exactly_as_libcrypto_does),
        cmocka_unit_test(too_small_an_output_changes_nothing),
        cmocka_unit_test(too_small_an_output_keeps_the_block_held_back),
        cmocka_unit_test(the_block_held_back_outlives_a_failure_of_the_engine),
        cmocka_unit_test(one_state_can_turn_from_encryption_to_decryption_between_blocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
