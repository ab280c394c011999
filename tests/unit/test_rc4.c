/* primitive/rc4: RFC 6229, the legacy provider's RC4, and streams that are cut and moved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include "primitive/rc4.h"
#include "vectors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* The second implementation: RC4 of OpenSSL's legacy provider. */
struct legacy {
    OSSL_LIB_CTX *libctx;
    OSSL_PROVIDER *provider;
    EVP_CIPHER *rc4;
};

static int load_legacy(void **state)
{
    static struct legacy legacy;

    if ((legacy.libctx = OSSL_LIB_CTX_new()) == NULL)
        return -1;
    legacy.provider = OSSL_PROVIDER_load(legacy.libctx, "legacy");
    legacy.rc4 = EVP_CIPHER_fetch(legacy.libctx, "RC4", NULL);
    *state = &legacy;
    return legacy.provider != NULL && legacy.rc4 != NULL ? 0 : -1;
}

static int unload_legacy(void **state)
{
    struct legacy *legacy = *state;

    EVP_CIPHER_free(legacy->rc4);
    OSSL_PROVIDER_unload(legacy->provider);
    OSSL_LIB_CTX_free(legacy->libctx);
    return 0;
}

static void legacy_rc4(const struct legacy *legacy, struct octets key, const uint8_t *in,
                       uint8_t *out, size_t size)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int written = 0;

    assert_non_null(ctx);
    assert_int_equal(EVP_EncryptInit_ex2(ctx, legacy->rc4, NULL, NULL, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(ctx, (int)key.size), 1);
    assert_int_equal(EVP_EncryptInit_ex2(ctx, NULL, key.data, NULL, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, out, &written, in, (int)size), 1);
    assert_int_equal(written, (int)size);
    EVP_CIPHER_CTX_free(ctx);
}

static void fill(uint8_t *bytes, size_t size)
{
    for (size_t n = 0; n < size; n++)
        bytes[n] = (uint8_t)(n * 41 + 13);
}

/* RFC 6229 section 2: the keystream at the start and behind byte 4096. */
static const struct {
    const char *key, *at_0, *at_16, *at_240, *at_4096;
} published[] = {
    { "0102030405", "b2396305f03dc027ccc3524a0a1118a8", "6982944f18fc82d589c403a47a0d0919",
      "28cb1132c96ce286421dcaadb8b69eae", "ff25b58995996707e51fbdf08b34d875" },
    { "01020304050607", "293f02d47f37c9b633f2af5285feb46b", "e620f1390d19bd84e2e0fd752031afc1",
      "914f02531c9218810df60f67e338154c", "e74b0b9731227fd37c0ec08a47ddd8b8" },
    { "0102030405060708090a0b0c0d0e0f10", "9ac7cc9a609d1ef7b2932899cde41b97",
      "5248c4959014126a6e8a84f11d1a9e1c", "065902e4b620f6cc36c8589f66432f2b",
      "a36a4c301ae8ac13610ccbc12256cacc" },
    { "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
      "eaa6bd25880bf93d3f5d1e4ca2611d91", "cfa45c9f7e714b54bdfa80027cb14380",
      "114ae344ded71b35f2e60febad727fd8", "f3e4c0a2e02d1d01f7f0a74618af2b48" },
    { "833222772a", "80ad97bdc973df8a2e879e92a497efda", "20f060c2f2e5126501d3d4fea10d5fc0",
      "faa148e99046181fec6b2085f3b20ed9", "bf42c3018c2f7c66bfde524975768115" },
    { "ebb46227c6cc8b37641910833222772a", "720c94b63edf44e131d950ca211a5a30",
      "c366fdeacf9ca80436be7c358424d20b", "b3394a40aabf75cba42282ef25a0059f",
      "5bbeb4787d59e5373fdbea6c6f75c29b" },
};

static void the_keys_of_rfc_6229_give_the_published_keystream(void **unused)
{
    static const uint8_t zeros[4112];
    uint8_t key[32], stream[sizeof(zeros)];

    (void)unused;
    for (size_t n = 0; n < COUNT(published); n++) {
        struct rc4_state state;

        rc4_init(&state, key, hex_decode(published[n].key, key, sizeof(key)));
        rc4_apply(&state, zeros, stream, sizeof(stream));
        expect_hex((struct octets){ stream, 16 }, published[n].at_0);
        expect_hex((struct octets){ stream + 16, 16 }, published[n].at_16);
        expect_hex((struct octets){ stream + 240, 16 }, published[n].at_240);
        expect_hex((struct octets){ stream + 4096, 16 }, published[n].at_4096);
    }
}

static void every_key_length_agrees_with_the_legacy_provider(void **state)
{
    uint8_t key[256], in[300], ours[sizeof(in)], theirs[sizeof(in)];

    fill(key, sizeof(key));
    fill(in, sizeof(in));
    for (size_t size = 1; size <= sizeof(key); size++) {
        struct rc4_state rc4;

        rc4_init(&rc4, key, size);
        rc4_apply(&rc4, in, ours, sizeof(in));
        legacy_rc4(*state, (struct octets){ key, size }, in, theirs, sizeof(in));
        assert_memory_equal(ours, theirs, sizeof(in));
    }
}

static void a_stream_cut_and_moved_at_every_byte_goes_on_unchanged(void **state)
{
    uint8_t key[16], in[3 * 256 + 17], expected[sizeof(in)], out[sizeof(in)];

    fill(key, sizeof(key));
    fill(in, sizeof(in));
    legacy_rc4(*state, (struct octets){ key, sizeof(key) }, in, expected, sizeof(in));
    for (size_t cut = 0; cut <= sizeof(in); cut++) {
        struct rc4_state before, after;

        rc4_init(&before, key, sizeof(key));
        rc4_apply(&before, in, out, cut);
        memcpy(after.s, before.s, sizeof(after.s));
        after.i = before.i;
        after.j = before.j;
        assert_int_equal(rc4_state_is_valid(&after), 1);
        rc4_apply(&after, in + cut, out + cut, sizeof(in) - cut);
        assert_memory_equal(out, expected, sizeof(in));
    }
}

static void a_stream_taken_byte_by_byte_is_the_same_stream(void **state)
{
    uint8_t key[5], in[600], expected[sizeof(in)], out[sizeof(in)];
    struct rc4_state rc4;

    fill(key, sizeof(key));
    fill(in, sizeof(in));
    legacy_rc4(*state, (struct octets){ key, sizeof(key) }, in, expected, sizeof(in));
    rc4_init(&rc4, key, sizeof(key));
    for (size_t n = 0; n < sizeof(in); n++) {
        rc4_apply(&rc4, in + n, out + n, 1);
        assert_int_equal(rc4.i, (uint8_t)(n + 1));
    }
    assert_memory_equal(out, expected, sizeof(in));
}

static void input_and_output_may_be_the_same_place(void **state)
{
    uint8_t key[7], in[333], expected[sizeof(in)];
    struct rc4_state rc4;

    fill(key, sizeof(key));
    fill(in, sizeof(in));
    legacy_rc4(*state, (struct octets){ key, sizeof(key) }, in, expected, sizeof(in));
    rc4_init(&rc4, key, sizeof(key));
    rc4_apply(&rc4, in, in, sizeof(in));
    assert_memory_equal(in, expected, sizeof(in));
}

static void no_bytes_change_nothing(void **unused)
{
    struct rc4_state rc4, before;

    (void)unused;
    rc4_init(&rc4, (const uint8_t *)"key", 3);
    before = rc4;
    rc4_apply(&rc4, NULL, NULL, 0);
    assert_memory_equal(&rc4, &before, sizeof(rc4));
}

static void a_state_that_is_no_permutation_is_not_valid(void **unused)
{
    struct rc4_state rc4;

    (void)unused;
    rc4_init(&rc4, (const uint8_t *)"key", 3);
    assert_int_equal(rc4_state_is_valid(&rc4), 1);
    rc4.s[0] = rc4.s[255];
    assert_int_equal(rc4_state_is_valid(&rc4), 0);
    memset(rc4.s, 0, sizeof(rc4.s));
    assert_int_equal(rc4_state_is_valid(&rc4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_keys_of_rfc_6229_give_the_published_keystream),
        cmocka_unit_test(every_key_length_agrees_with_the_legacy_provider),
        cmocka_unit_test(a_stream_cut_and_moved_at_every_byte_goes_on_unchanged),
        cmocka_unit_test(a_stream_taken_byte_by_byte_is_the_same_stream),
        cmocka_unit_test(input_and_output_may_be_the_same_place),
        cmocka_unit_test(no_bytes_change_nothing),
        cmocka_unit_test(a_state_that_is_no_permutation_is_not_valid),
    };

    return cmocka_run_group_tests(tests, load_legacy, unload_legacy);
}
