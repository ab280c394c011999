/*
 * 64 threads, each with a library context of its own that loads and unloads the provider again and
 * again; and keys that come and go in one library context while others look them up by handle.
 */
#include "crew.h"
#include "protocols.h"

#define LOADS   3
#define ROUNDS  20
#define HANDLES 8

/* ---- library contexts that come and go ---- */

/* Something of each room: a master from bytes, a key derived from it, and that key at work. */
static int use_provider(OSSL_LIB_CTX *own, const struct material *material, uint8_t out[16])
{
    static const uint8_t zeros[16];
    OSSL_PARAM master[] = { text_param("alg", "TLS1-MASTER"),
                            octets_param("secret", material->secret, MAX_SECRET),
                            octets_param("client-random", material->client, RANDOM_SIZE),
                            octets_param("server-random", material->server, RANDOM_SIZE),
                            text_param("cipher", "AES-128-CBC"),
                            text_param("digest", "SHA1"),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM usage[] = { text_param("usage", "server-write-key"), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *import = EVP_PKEY_CTX_new_from_name(own, "SCHANNEL", NULL), *generate = NULL,
                 *encrypt = NULL;
    EVP_PKEY *key = NULL, *derived = NULL;
    uint8_t padded[32];
    size_t size = sizeof(padded);
    int ok = EVP_PKEY_fromdata_init(import) > 0 &&
             EVP_PKEY_fromdata(import, &key, EVP_PKEY_KEYPAIR, master) > 0 &&
             (generate = EVP_PKEY_CTX_new_from_pkey(own, key, NULL)) != NULL &&
             EVP_PKEY_keygen_init(generate) > 0 && EVP_PKEY_CTX_set_params(generate, usage) > 0 &&
             EVP_PKEY_generate(generate, &derived) > 0 &&
             (encrypt = EVP_PKEY_CTX_new_from_pkey(own, derived, NULL)) != NULL &&
             EVP_PKEY_encrypt_init(encrypt) > 0 &&
             EVP_PKEY_encrypt(encrypt, padded, &size, zeros, sizeof(zeros)) > 0 && size == 32;

    memcpy(out, padded, ok ? 16 : 0);
    EVP_PKEY_CTX_free(encrypt);
    EVP_PKEY_CTX_free(generate);
    EVP_PKEY_CTX_free(import);
    EVP_PKEY_free(derived);
    EVP_PKEY_free(key);
    return ok;
}

static uint8_t expected[16];

static void load_and_unload(size_t thread)
{
    struct material material;

    (void)thread;
    make_material(&material, 0);
    for (size_t n = 0; n < LOADS; n++) {
        OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
        OSSL_PROVIDER *standard = OSSL_PROVIDER_load(own, "default"), *schannel = NULL;
        uint8_t out[16] = { 0 };

        CHECK(standard != NULL && OSSL_PROVIDER_set_default_search_path(own, MODULE_DIR));
        CHECK((schannel = OSSL_PROVIDER_load(own, "schannel")) != NULL);
        CHECK(use_provider(own, &material, out));
        CHECK(memcmp(out, expected, sizeof(out)) == 0);
        /* 0 would be: not unloaded; a NULL has been counted above */
        CHECK(schannel == NULL || OSSL_PROVIDER_unload(schannel));
        CHECK(standard == NULL || OSSL_PROVIDER_unload(standard));
        OPENSSL_thread_stop_ex(own);
        OSSL_LIB_CTX_free(own);
    }
}

static void the_provider_comes_and_goes_in_a_context_of_each_thread(void **state)
{
    struct material material;

    (void)state;
    make_material(&material, 0);
    assert_true(use_provider(libctx, &material, expected));
    crew_run(load_and_unload);
    assert_no_errors();
}

/* ---- handles that come and go ---- */

static struct {
    atomic_uchar bytes[KEY_HANDLE_SIZE];
} posted[HANDLES];

static EVP_CIPHER *rc4;

/* A handle that may be gone, or half of another one: it names a live key or none. */
static void look_up(size_t place)
{
    static const uint8_t zeros[16];
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 }, out[16];
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size = 0;

    for (size_t n = 0; n < KEY_HANDLE_SIZE; n++)
        handle[n] = posted[place].bytes[n];
    if (EVP_EncryptInit_ex2(context, rc4, NULL, NULL, params))
        CHECK(EVP_EncryptUpdate(context, out, &size, zeros, sizeof(zeros)) && size == 16);
    else
        CHECK(ERR_peek_error() != 0);
    ERR_clear_error();
    EVP_CIPHER_CTX_free(context);
}

static void come_and_go(size_t thread)
{
    const size_t place = thread % HANDLES;

    for (size_t n = 0; n < ROUNDS; n++) {
        uint8_t secret[16], handle[KEY_HANDLE_SIZE] = { 0 };
        OSSL_PARAM params[] = { text_param("alg", "RC4"),
                                octets_param("secret", secret, sizeof(secret)),
                                OSSL_PARAM_construct_end() };
        EVP_PKEY_CTX *context;
        EVP_PKEY *key = NULL;
        size_t size;

        if (thread % 2 == 0) {
            look_up(place + 1 < HANDLES ? place + 1 : 0);
            continue;
        }
        pattern(secret, sizeof(secret), (unsigned)thread);
        context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
        CHECK(EVP_PKEY_fromdata_init(context) > 0 &&
              EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) > 0);
        CHECK(EVP_PKEY_get_octet_string_param(key, "key-handle", handle, sizeof(handle), &size));
        for (size_t b = 0; b < KEY_HANDLE_SIZE; b++)
            posted[place].bytes[b] = handle[b];
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void a_handle_names_a_live_key_or_none(void **state)
{
    (void)state;
    rc4 = EVP_CIPHER_fetch(libctx, "SCHANNEL-RC4", NULL);
    assert_non_null(rc4);
    crew_run(come_and_go);
    EVP_CIPHER_free(rc4);
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_provider_comes_and_goes_in_a_context_of_each_thread),
        cmocka_unit_test(a_handle_names_a_live_key_or_none),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
