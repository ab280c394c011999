/*
 * A master is written into a blob of its own: with "blob" and without usage a generation from it is a
 * duplicate, premaster secret and all, which converts nothing and is in no derivation's way.
 */
#include "fixture.h"

#include <openssl/encoder.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static unsigned char *receiver; /* SubjectPublicKeyInfo */
static int receiver_size;

static int setup(void **state)
{
    EVP_PKEY *key;

    assert_int_equal(fixture_setup(state), 0);
    key = EVP_PKEY_Q_keygen(libctx, NULL, "RSA", (size_t)1024);
    assert_non_null(key);
    receiver_size = i2d_PUBKEY(key, &receiver);
    assert_true(receiver_size > 0);
    EVP_PKEY_free(key);
    return 0;
}

static int teardown(void **state)
{
    OPENSSL_free(receiver);
    return fixture_teardown(state);
}

static EVP_PKEY *new_master(void)
{
    static int yes = 1;
    uint8_t premaster[48], random[32];
    OSSL_PARAM known[] = { text_param("alg", "TLS1-MASTER"),
                           octets_param("premaster", premaster, sizeof(premaster)),
                           octets_param("client-random", random, sizeof(random)),
                           octets_param("server-random", random, sizeof(random)),
                           OSSL_PARAM_construct_int("exportable", &yes),
                           OSSL_PARAM_construct_end() };
    EVP_PKEY *master;

    pattern(premaster, sizeof(premaster), 3);
    pattern(random, sizeof(random), 50);
    master = from_data(known);
    assert_non_null(master);
    return master;
}

static EVP_PKEY_CTX *generation_from(EVP_PKEY *master)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    return context;
}

static EVP_PKEY *generate(EVP_PKEY_CTX *context, const char *name, const char *value)
{
    OSSL_PARAM params[] = { text_param(name, value), OSSL_PARAM_construct_end() };
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    return EVP_PKEY_generate(context, &key) > 0 ? key : NULL;
}

/* Only a premaster secret can be written so. */
static int is_premaster(EVP_PKEY *master)
{
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(master, EVP_PKEY_KEYPAIR, "simpleblob", NULL, NULL);
    OSSL_PARAM params[] = { octets_param("exchange-key", receiver, (size_t)receiver_size),
                            OSSL_PARAM_construct_end() };
    unsigned char *blob = NULL;
    size_t size = 0;
    int written;

    assert_int_equal(OSSL_ENCODER_CTX_set_params(encoder, params), 1);
    written = OSSL_ENCODER_to_data(encoder, &blob, &size);
    assert_true(!written || size == 12 + 128);
    OPENSSL_free(blob);
    OSSL_ENCODER_CTX_free(encoder);
    return written;
}

static void a_duplicate_of_a_master_converts_nothing(void **state)
{
    EVP_PKEY *master = new_master(), *copy, *again;
    EVP_PKEY_CTX *context = generation_from(master);

    (void)state;
    copy = generate(context, "blob", "simpleblob");
    again = generate(context, "blob", "opaqueblob");
    assert_non_null(copy);
    assert_non_null(again);
    assert_int_equal(EVP_PKEY_eq(copy, master), 1);
    assert_int_equal(EVP_PKEY_eq(again, master), 1);
    assert_true(is_premaster(copy));
    assert_true(is_premaster(master));
    assert_no_errors();
    EVP_PKEY_free(again);
    EVP_PKEY_free(copy);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

static void the_same_context_can_derive_afterwards(void **state)
{
    EVP_PKEY *master = new_master(), *copy, *key, *expected;
    EVP_PKEY_CTX *context = generation_from(master), *other = generation_from(master);
    OSSL_PARAM algorithms[] = { text_param("cipher", "AES-128-CBC"), text_param("digest", "SHA1"),
                                OSSL_PARAM_construct_end() };

    (void)state;
    copy = generate(context, "blob", "simpleblob");
    assert_non_null(copy);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, algorithms), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(other, algorithms), 1);
    key = generate(context, "usage", "client-write-key");
    expected = generate(other, "usage", "client-write-key");
    assert_non_null(key);
    assert_non_null(expected);
    assert_int_equal(EVP_PKEY_eq(key, expected), 1);
    assert_no_errors();

    /* the derivation has converted the master, and the copy that was made before has its own */
    assert_true(is_premaster(copy));
    assert_false(is_premaster(master));
    assert_reason("wrong kind of key", "master secret");
    EVP_PKEY_free(expected);
    EVP_PKEY_free(key);
    EVP_PKEY_free(copy);
    EVP_PKEY_CTX_free(other);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

static void with_anything_of_a_derivation_the_usage_is_missed(void **state)
{
    EVP_PKEY *master = new_master();
    EVP_PKEY_CTX *context = generation_from(master);
    OSSL_PARAM params[] = { text_param("cipher", "RC4"), OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_null(generate(context, "blob", "simpleblob"));
    assert_reason("missing parameter", "usage: ");
    assert_true(is_premaster(master));
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duplicate_of_a_master_converts_nothing),
        cmocka_unit_test(the_same_context_can_derive_afterwards),
        cmocka_unit_test(with_anything_of_a_derivation_the_usage_is_missed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
