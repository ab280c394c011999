/* What a golden master derives: see golden_derived.h. */
#include "golden_derived.h"

#include "golden_formula.h"

/* |missing|: what the master itself lacks. */
static EVP_PKEY *derive(EVP_PKEY *master, const char *usage, const OSSL_PARAM missing[])
{
    OSSL_PARAM params[] = { text_param("usage", usage), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    if (missing != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_params(context, missing), 1);
    if (EVP_PKEY_generate(context, &key) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The first ciphertext under a derived key, against OpenSSL's under the key that it has to be. */
static void check_derived_cipher(EVP_PKEY *key, const char *alg, const struct golden_keys *keys,
                                 size_t side)
{
    struct golden_cipher_key expected_key = { .size = keys->key_size };
    uint8_t text[48], expected[64], actual[64];
    EVP_CIPHER_CTX *context;
    int size = 0;

    pattern(text, sizeof(text), 5);
    expected_key.effective_bits = strcmp(alg, "RC2-CBC") == 0 ? 128 : 0;
    memcpy(expected_key.data, keys->key[side], keys->key_size);
    golden_encrypt(alg, &expected_key, keys->iv[side], text, sizeof(text), expected);
    context = golden_bind_cipher(key, alg, 1);
    assert_non_null(context);
    assert_int_equal(EVP_EncryptUpdate(context, actual, &size, text, sizeof(text)), 1);
    assert_int_equal(size, sizeof(text));
    assert_memory_equal(actual, expected, sizeof(text));
    EVP_CIPHER_CTX_free(context);
}

/* 1 when the MAC is that under |secret|. */
static int is_derived_mac(EVP_PKEY *key, unsigned protocol, unsigned digest, const uint8_t *secret,
                          size_t secret_size)
{
    uint8_t text[48], expected[20], actual[20];
    EVP_MAC_CTX *context = golden_bind_mac(key, protocol);
    size_t size = 0;

    pattern(text, sizeof(text), 6);
    assert_non_null(context);
    assert_int_equal(EVP_MAC_update(context, text, sizeof(text)), 1);
    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(
        size, golden_raw_mac(protocol, digest, secret, secret_size, text, sizeof(text), expected));
    EVP_MAC_CTX_free(context);
    return memcmp(actual, expected, size) == 0;
}

/* What a bare master lacks; the cipher is one that every protocol has, or AES of the later two. */
static void complete(const struct golden_case *golden, struct golden_case *completed)
{
    *completed = *golden;
    completed->client_random = completed->server_random = 32;
    completed->cipher = golden_protocol(golden) >= GOLDEN_SSL3 ? 6 : 1;
    completed->digest = GOLDEN_SHA1;
}

void golden_derive_all(const struct golden_case *golden, EVP_PKEY *master)
{
    static const char *const ciphers[] = { "",
                                           "RC4",
                                           "RC2-CBC",
                                           "DES-CBC",
                                           "DES-EDE-CBC",
                                           "DES-EDE3-CBC",
                                           "AES-128-CBC",
                                           "AES-192-CBC",
                                           "AES-256-CBC" };
    const unsigned protocol = golden_protocol(golden);
    struct golden_case completed = *golden;
    uint8_t random[2][32] = { { 0 } };
    const int is_bare = golden->cipher == 0;
    struct golden_keys keys;
    OSSL_PARAM missing[5];

    if (is_bare)
        complete(golden, &completed);
    golden_fill(golden, "client_random", random[0], 32);
    golden_fill(golden, "server_random", random[1], 32);
    missing[0] = octets_param("client-random", random[0], sizeof(random[0]));
    missing[1] = octets_param("server-random", random[1], sizeof(random[1]));
    missing[2] = text_param("cipher", ciphers[completed.cipher]);
    missing[3] = text_param("digest", "SHA1");
    missing[4] = OSSL_PARAM_construct_end();
    golden_derive(&completed, &keys);
    for (size_t usage = GOLDEN_CLIENT_KEY; usage <= GOLDEN_SERVER_MAC; usage++) {
        EVP_PKEY *key = derive(master, golden_usage_names[usage], is_bare ? missing : NULL);
        size_t side = (usage - 1) % 2;

        if (protocol == GOLDEN_SSL2 && usage > GOLDEN_SERVER_KEY) {
            assert_null(key);
            assert_reason("unknown usage", "SSL 2.0");
            continue;
        }
        if (key == NULL)
            fail_msg("%s has no %s", golden->name, golden_usage_names[usage]);
        if (usage > GOLDEN_SERVER_KEY)
            assert_true(
                is_derived_mac(key, protocol, completed.digest, keys.mac[side], keys.mac_size));
        else
            check_derived_cipher(key, ciphers[completed.cipher], &keys, side);
        if (protocol == GOLDEN_SSL2)
            assert_true(is_derived_mac(key, protocol, GOLDEN_MD5, keys.key[side], keys.key_size));
        EVP_PKEY_free(key);
    }
}

int golden_derives_its_mac(const struct golden_case *golden, EVP_PKEY *master)
{
    EVP_PKEY *key = derive(master, golden_usage_names[GOLDEN_CLIENT_MAC], NULL);
    struct golden_keys keys;
    int result;

    assert_non_null(key);
    golden_derive(golden, &keys);
    result =
        is_derived_mac(key, golden_protocol(golden), golden->digest, keys.mac[0], keys.mac_size);
    EVP_PKEY_free(key);
    return result;
}
