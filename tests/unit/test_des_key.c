/* protocol/des_key: libcrypto's parity, the seven-bit groups of PCT 1.0, its computed vectors. */
#define OPENSSL_SUPPRESS_DEPRECATED /* DES_set_odd_parity has no successor */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/des.h>
#include "protocol/des_key.h"
#include "stanza.h"

static void libcrypto_parity(uint8_t *key, size_t size)
{
    for (size_t n = 0; n < size; n += sizeof(DES_cblock)) {
        DES_cblock block;

        memcpy(block, key + n, sizeof(block));
        DES_set_odd_parity(&block);
        memcpy(key + n, block, sizeof(block));
    }
}

static void every_byte_gets_the_parity_that_libcrypto_gives_it(void **unused)
{
    uint8_t ours[256], theirs[256];

    (void)unused;
    for (size_t n = 0; n < sizeof(ours); n++)
        ours[n] = theirs[n] = (uint8_t)n;
    des_key_set_parity(ours, sizeof(ours));
    libcrypto_parity(theirs, sizeof(theirs));
    assert_memory_equal(ours, theirs, sizeof(ours));
    for (size_t n = 0; n < sizeof(ours); n++) {
        unsigned ones = 0;

        for (unsigned bit = 0; bit < 8; bit++)
            ones += (unsigned)ours[n] >> bit & 1u;
        assert_int_equal(ones % 2, 1);
        assert_int_equal(ours[n] >> 1, n >> 1);
    }
}

static void parity_is_set_in_the_bytes_given_and_no_others(void **unused)
{
    (void)unused;
    for (size_t size = 0; size <= 24; size++) {
        uint8_t key[25] = { 0 };

        des_key_set_parity(key, size);
        for (size_t n = 0; n < sizeof(key); n++)
            assert_int_equal(key[n], n < size ? 1 : 0);
    }
}

static void parity_set_twice_is_parity_set_once(void **unused)
{
    struct bytes key = counting(0x61, 24);
    uint8_t once[24];

    (void)unused;
    des_key_set_parity(key.data, key.size);
    memcpy(once, key.data, sizeof(once));
    des_key_set_parity(key.data, key.size);
    assert_memory_equal(key.data, once, sizeof(once));
}

static unsigned bit_at(const uint8_t *bits, size_t n)
{
    return (unsigned)bits[n / 8] >> (7 - n % 8) & 1u;
}

/* Bit by bit, as the draft's text has it: b0 is the highest bit of the first byte. */
static void spread(const uint8_t *bits, uint8_t *key, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        unsigned byte = 0;

        for (size_t bit = 0; bit < 7; bit++)
            byte = byte << 1 | bit_at(bits, 7 * n + bit);
        key[n] = (uint8_t)(byte << 1);
    }
    libcrypto_parity(key, size);
}

static void every_bit_string_is_spread_as_the_draft_says(void **unused)
{
    uint32_t state = 1;
    unsigned strings = 0;

    (void)unused;
    for (size_t size = 8; size <= 24; size += 8) {
        for (unsigned round = 0; round < 5000; round++, strings++) {
            uint8_t bits[21], ours[25], theirs[24];

            for (size_t n = 0; n < sizeof(bits); n++) {
                state = state * 1664525 + 1013904223;
                bits[n] = (uint8_t)(state >> 24);
            }
            memset(ours, 0xa5, sizeof(ours));
            des_key_from_bits(bits, ours, size);
            spread(bits, theirs, size);
            assert_memory_equal(ours, theirs, size);
            assert_int_equal(ours[size], 0xa5);
        }
    }
    print_message("%u bit strings\n", strings);
}

/* Each bit by itself comes out once, at its place, and changes the parity of its byte. */
static void each_bit_has_a_place_of_its_own(void **unused)
{
    (void)unused;
    for (size_t n = 0; n < 168; n++) {
        uint8_t bits[21] = { 0 }, key[24];

        bits[n / 8] = (uint8_t)(0x80u >> n % 8);
        des_key_from_bits(bits, key, sizeof(key));
        for (size_t byte = 0; byte < sizeof(key); byte++)
            assert_int_equal(key[byte], byte == n / 7 ? 0x80u >> n % 7 : 1);
    }
}

/* spec/key-derivation.md 2.10, the last two rows. */
static void the_computed_vectors_are_spread_alike(void **unused)
{
    static const struct {
        const char *bits, *key;
    } vectors[] = {
        { "0df1588924a512", "0df8571092259425" },
        { "0df1588924a512237a356e88d7a6358b8a5230c67a",
          "0df857109225942523bc8cade9465e4c34c4e34a238619f4" },
        { "00000000000000", "0101010101010101" },
        { "ffffffffffffff", "fefefefefefefefe" },
    };

    (void)unused;
    for (size_t n = 0; n < COUNT(vectors); n++) {
        const struct bytes bits = from_hex(vectors[n].bits);
        const size_t size = bits.size / 7 * 8;
        uint8_t key[24];

        des_key_from_bits(bits.data, key, size);
        expect_hex((struct octets){ key, size }, vectors[n].key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_gets_the_parity_that_libcrypto_gives_it),
        cmocka_unit_test(parity_is_set_in_the_bytes_given_and_no_others),
        cmocka_unit_test(parity_set_twice_is_parity_set_once),
        cmocka_unit_test(every_bit_string_is_spread_as_the_draft_says),
        cmocka_unit_test(each_bit_has_a_place_of_its_own),
        cmocka_unit_test(the_computed_vectors_are_spread_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
