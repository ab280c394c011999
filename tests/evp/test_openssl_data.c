/*
 * What OpenSSL's own evp_test checks, through the names of this provider: the figures are in
 * tests/vectors/openssl-evp.txt.  Ciphers both ways, in contexts with key bytes and, where a key
 * object can have that size, in contexts bound to one.
 */
#include <openssl/kdf.h>
#include "material.h"
#include "vectors.h"

#define MAX_DATA 2048
#define STANZAS  36

/* One stanza. */
struct vector {
    const char *alg;
    char cipher[64];
    struct octets key, iv, plain, coded, next_iv;
    unsigned effective_bits; /* 0: the file says nothing */
};

static struct octets optional(struct vectors *vectors, const char *field)
{
    return vectors_hex_or(vectors, field, (struct octets){ NULL, 0 });
}

static void read_vector(struct vectors *vectors, struct vector *vector)
{
    vector->alg = vectors_string(vectors, "Cipher");
    snprintf(vector->cipher, sizeof(vector->cipher), "SCHANNEL-%s", vector->alg);
    vector->key = vectors_hex(vectors, "Key");
    vector->iv = optional(vectors, "IV");
    vector->effective_bits = vectors_integer_or(vectors, "EffectiveBits", 0);
    vector->plain = vectors_hex(vectors, "Plaintext");
    vector->coded = vectors_hex(vectors, "Ciphertext");
    vector->next_iv = optional(vectors, "NextIV");
}

/* Everything goes through; the context is freed. */
static void run(struct vectors *vectors, const struct vector *vector, EVP_CIPHER_CTX *context,
                int encrypt)
{
    const struct octets in = encrypt ? vector->plain : vector->coded;
    uint8_t out[MAX_DATA], chain[16];
    int written = 0;

    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_CipherUpdate(context, out, &written, in.data, (int)in.size), 1);
    vectors_expect(vectors, encrypt ? "Ciphertext" : "Plaintext",
                   (struct octets){ out, (size_t)written });
    if (vector->next_iv.size != 0) {
        assert_int_equal(EVP_CIPHER_CTX_get_updated_iv(context, chain, vector->iv.size), 1);
        vectors_expect(vectors, "NextIV", (struct octets){ chain, vector->iv.size });
    }
    EVP_CIPHER_CTX_free(context);
}

static void check_key_bytes(struct vectors *vectors, const struct vector *vector, int encrypt)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, vector->cipher, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    unsigned bits = vector->effective_bits;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_RC2_KEYBITS, &bits),
                            OSSL_PARAM_construct_end() };

    assert_non_null(cipher);
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)vector->key.size), 1);
    if (bits != 0)
        assert_int_equal(EVP_CIPHER_CTX_set_params(context, params), 1);
    assert_int_equal(
        EVP_CipherInit_ex2(context, NULL, vector->key.data, vector->iv.data, encrypt, NULL), 1);
    run(vectors, vector, context, encrypt);
    EVP_CIPHER_free(cipher);
}

static void check_key_object(struct vectors *vectors, const struct vector *vector, int encrypt)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, vector->cipher, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_PKEY *key = make_key(vector->alg, NULL, vector->key.data, vector->key.size);
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };

    if (strcmp(vector->alg, "RC2-CBC") == 0)
        assert_int_equal(set_number(key, "effective-bits",
                                    vector->effective_bits != 0 ? vector->effective_bits : 128),
                         1);
    get_handle(key, handle);
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, NULL, vector->iv.data, encrypt, bind), 1);
    run(vectors, vector, context, encrypt);
    EVP_PKEY_free(key);
    EVP_CIPHER_free(cipher);
}

static void check_cipher(struct vectors *vectors)
{
    struct vector vector;

    read_vector(vectors, &vector);
    for (int encrypt = 0; encrypt <= 1; encrypt++) {
        check_key_bytes(vectors, &vector, encrypt);
        if (vector.key.size <= 16 || strcmp(vector.alg, "RC4") != 0)
            check_key_object(vectors, &vector, encrypt);
    }
}

static void check_prf(struct vectors *vectors)
{
    const struct octets secret = optional(vectors, "Secret"), label = optional(vectors, "Label");
    const struct octets seed = vectors_hex(vectors, "Seed");
    const struct octets output = optional(vectors, "Output");
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-KDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    uint8_t out[MAX_DATA];
    struct list list;

    list_start(&list);
    add_text(&list, "usage", "prf");
    if (secret.data != NULL)
        add_octets(&list, "secret", secret.data, secret.size);
    if (label.data != NULL)
        add_octets(&list, "label", label.data, label.size);
    add_octets(&list, "seed", seed.data, seed.size);
    list.params[list.count] = OSSL_PARAM_construct_end();
    if (output.size == 0) {
        assert_int_equal(EVP_KDF_derive(context, out, 1, list.params), 0);
        assert_reason(vectors_string(vectors, "Result"), "secret: ");
    } else {
        assert_int_equal(EVP_KDF_derive(context, out, output.size, list.params), 1);
        vectors_expect(vectors, "Output", (struct octets){ out, output.size });
    }
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void figures_of_openssl_come_out(void **state)
{
    struct vectors *vectors = vectors_open("openssl-evp.txt");
    size_t stanzas = 0;

    (void)state;
    for (; vectors_next(vectors); stanzas++) {
        if (strcmp(vectors_string(vectors, "Op"), "cipher") == 0)
            check_cipher(vectors);
        else
            check_prf(vectors);
    }
    vectors_close(vectors);
    assert_int_equal(stanzas, STANZAS);
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(figures_of_openssl_come_out, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
