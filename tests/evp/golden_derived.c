/* What a golden master derives: see golden_derived.h. */
#include "golden_derived.h"

#include <openssl/kdf.h>

#define KEY_BLOCK_MAX 136

/* What a master derives, computed with OpenSSL's TLS1-PRF. */
struct expected_keys {
    uint8_t mac[2][20], key[2][32], iv[2][16];
    size_t mac_size, key_size, iv_size;
};

static void prf(const uint8_t *secret, size_t secret_size, const char *label, const uint8_t *first,
                size_t first_size, const uint8_t *second, size_t second_size, uint8_t *out,
                size_t size)
{
    static char digest[] = "MD5-SHA1";
    uint8_t seed[32 + 2 * 64];
    size_t length = strlen(label);
    OSSL_PARAM params[] = { text_param(OSSL_KDF_PARAM_DIGEST, digest),
                            octets_param(OSSL_KDF_PARAM_SECRET, secret, secret_size),
                            octets_param(OSSL_KDF_PARAM_SEED, seed,
                                         length + first_size + second_size),
                            OSSL_PARAM_construct_end() };
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    memcpy(seed, label, length);
    memcpy(seed + length, first, first_size);
    memcpy(seed + length + first_size, second, second_size);
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void expect_keys(const struct golden_case *golden, struct expected_keys *keys)
{
    const int is_export = (golden->choices & 3) == 3;
    size_t client_size = golden->client_random, server_size = golden->server_random, at = 0;
    size_t material, secret_size = golden_key_size(golden);
    uint8_t secret[64], master[48], client[64], server[64], block[KEY_BLOCK_MAX];

    golden_fill(golden, "secret", secret, secret_size);
    golden_fill(golden, "client_random", client, client_size);
    golden_fill(golden, "server_random", server, server_size);
    if (golden->has_master_secret)
        memcpy(master, secret, sizeof(master));
    else
        prf(secret, secret_size, "master secret", client, client_size, server, server_size, master,
            sizeof(master));
    prf(master, sizeof(master), "key expansion", server, server_size, client, client_size, block,
        sizeof(block));
    keys->mac_size = golden->digest == GOLDEN_MD5 ? 16 : 20;
    keys->key_size = golden->cipher == 8 ? 32 : golden->cipher == 5 ? 24 : 16;
    keys->iv_size = golden->cipher == 1 ? 0 : golden->cipher == 5 ? 8 : 16;
    material = is_export ? golden->cipher_bits / 8 : keys->key_size;
    for (size_t n = 0; n < 2; n++, at += keys->mac_size)
        memcpy(keys->mac[n], block + at, keys->mac_size);
    for (size_t n = 0; n < 2; n++, at += material) {
        memcpy(keys->key[n], block + at, material);
        if (is_export)
            prf(block + at, material, n == 0 ? "client write key" : "server write key", client,
                client_size, server, server_size, keys->key[n], keys->key_size);
    }
    for (size_t n = 0; n < 2; n++, at += keys->iv_size)
        memcpy(keys->iv[n], block + at, keys->iv_size);
}

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
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The first ciphertext under a derived key, against OpenSSL's under the key that it has to be. */
static void check_derived_cipher(EVP_PKEY *key, const char *alg, const struct expected_keys *keys,
                                 size_t side)
{
    uint8_t text[48], expected[64], actual[64];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, alg, NULL);
    int size = 0;

    pattern(text, sizeof(text), 5);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, keys->key[side], keys->iv[side], NULL),
                     1);
    assert_int_equal(EVP_EncryptUpdate(context, expected, &size, text, sizeof(text)), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    context = golden_bind_cipher(key, alg, 1);
    assert_non_null(context);
    assert_int_equal(EVP_EncryptUpdate(context, actual, &size, text, sizeof(text)), 1);
    assert_int_equal(size, sizeof(text));
    assert_memory_equal(actual, expected, sizeof(text));
    EVP_CIPHER_CTX_free(context);
}

static void check_derived_mac(EVP_PKEY *key, const char *digest, const struct expected_keys *keys,
                              size_t side)
{
    uint8_t text[48], expected[20], actual[20];
    EVP_MAC_CTX *context = golden_bind_mac(key);
    size_t size = 0;

    pattern(text, sizeof(text), 6);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, digest, NULL, keys->mac[side], keys->mac_size,
                              text, sizeof(text), expected, sizeof(expected), NULL));
    assert_non_null(context);
    assert_int_equal(EVP_MAC_update(context, text, sizeof(text)), 1);
    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(size, keys->mac_size);
    assert_memory_equal(actual, expected, size);
    EVP_MAC_CTX_free(context);
}

void golden_derive_all(const struct golden_case *golden, EVP_PKEY *master)
{
    static const char *const ciphers[] = {
        [1] = "RC4", [5] = "DES-EDE3-CBC", [6] = "AES-128-CBC", [8] = "AES-256-CBC"
    };
    struct golden_case completed = *golden;
    uint8_t random[2][32] = { { 0 } };
    OSSL_PARAM missing[] = {
        octets_param("client-random", random[0], sizeof(random[0])),
        octets_param("server-random", random[1], sizeof(random[1])),
        text_param("cipher", "AES-128-CBC"),
        text_param("digest", "SHA1"),
        OSSL_PARAM_construct_end(),
    };
    const int is_bare = golden->cipher == 0;
    struct expected_keys keys;

    if (is_bare) {
        completed.client_random = completed.server_random = 32;
        completed.cipher = 6;
        completed.digest = GOLDEN_SHA1;
    }
    golden_fill(golden, "client_random", random[0], 32);
    golden_fill(golden, "server_random", random[1], 32);
    expect_keys(&completed, &keys);
    for (size_t usage = GOLDEN_CLIENT_KEY; usage <= GOLDEN_SERVER_MAC; usage++) {
        EVP_PKEY *key = derive(master, golden_usage_names[usage], is_bare ? missing : NULL);
        size_t side = (usage - 1) % 2;

        if (usage <= GOLDEN_SERVER_KEY)
            check_derived_cipher(key, ciphers[completed.cipher], &keys, side);
        else
            check_derived_mac(key, golden_digest_names[completed.digest], &keys, side);
        EVP_PKEY_free(key);
    }
}
