/*
 * Exchange and signature keys that live in another provider, which refuses every export (vault.h):
 * simple blobs are opened and signed blobs made with them where they are.  Everything is done in a
 * library context where the vault was loaded last, and again where it was loaded first: libcrypto
 * then takes its RSA for any key, if it is not told otherwise.
 */
#include "blob_calls.h"
#include "sample.h"
#include "vault.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

static char private_path[96], public_path[96], other_path[96], other_public[96];

/* The context that a test is run in. */
static OSSL_LIB_CTX *context;
static OSSL_PROVIDER *vault;

/* ---- contexts ---- */

static OSSL_PROVIDER *first_providers[4];

static int load_all(OSSL_LIB_CTX *into, OSSL_PROVIDER *loaded[4])
{
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(into, VAULT_DIR), 1);
    loaded[0] = OSSL_PROVIDER_load(into, VAULT_NAME);
    loaded[1] = OSSL_PROVIDER_load(into, "default");
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(into, MODULE_DIR), 1);
    loaded[2] = OSSL_PROVIDER_load(into, "schannel");
    return loaded[0] != NULL && loaded[1] != NULL && loaded[2] != NULL;
}

static void make_files(void)
{
    snprintf(private_path, sizeof(private_path), "%s/rsa.pem", directory);
    snprintf(public_path, sizeof(public_path), "%s/rsa.pub.pem", directory);
    snprintf(other_path, sizeof(other_path), "%s/other.pem", directory);
    snprintf(other_public, sizeof(other_public), "%s/other.pub.pem", directory);
    write_rsa_key(private_path, public_path, 2048);
    write_rsa_key(other_path, other_public, 2048);
}

static int setup_last(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    make_files();
    context = libctx;
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(libctx, VAULT_DIR), 1);
    vault = OSSL_PROVIDER_load(libctx, VAULT_NAME);
    return vault != NULL ? 0 : -1;
}

static int setup_first(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    make_files();
    context = OSSL_LIB_CTX_new();
    if (context == NULL || !load_all(context, first_providers))
        return -1;
    vault = first_providers[0];
    return 0;
}

static int teardown(void **state)
{
    unlink(private_path);
    unlink(public_path);
    unlink(other_path);
    unlink(other_public);
    if (context == libctx) {
        OSSL_PROVIDER_unload(vault);
    } else {
        for (size_t n = 3; n-- > 0;)
            OSSL_PROVIDER_unload(first_providers[n]);
        OSSL_LIB_CTX_free(context);
    }
    return fixture_teardown(state);
}

/* ---- what the vault counted ---- */

static int counted(const char *name)
{
    int value = -1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int(name, &value), OSSL_PARAM_construct_end() };

    assert_int_equal(OSSL_PROVIDER_get_params(vault, params), 1);
    return value;
}

/* After every test: nothing was asked for, nothing destroyed, nothing left open. */
static int nothing_left_the_vault(void **state)
{
    (void)state;
    assert_int_equal(counted(VAULT_EXPORTS), 0);
    assert_int_equal(counted(VAULT_IMPORTS), 0);
    assert_int_equal(counted(VAULT_DESTROYED), 0);
    assert_int_equal(counted(VAULT_HANDLES), 0);
    assert_no_errors();
    return 0;
}

/* ---- helpers ---- */

static const char *vault_uri(const char *ability)
{
    static char uri[160];

    snprintf(uri, sizeof(uri), "vault:%s:%s", ability, private_path);
    return uri;
}

static int export_simple(EVP_PKEY *key, const char *receiver, const char *pad_mode,
                         struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("exchange-key", receiver), text_param("pad-mode", pad_mode),
                            OSSL_PARAM_construct_end() };

    return export_as(key, "simpleblob", params, blob);
}

static EVP_PKEY *import_simple(const struct exported *blob, const char *exchange_key,
                               const char *pad_mode)
{
    OSSL_PARAM params[] = { text_param("exchange-key", exchange_key),
                            text_param("pad-mode", pad_mode), OSSL_PARAM_construct_end() };

    return import_from(context, blob, params);
}

/* ---- simple blobs ---- */

static void blobs_are_opened_in_the_vault(void **state)
{
    static const struct {
        const char *ability, *pad_mode;
    } rows[] = {
        { "bare", "pkcs1" }, { "pkcs1", "pkcs1" }, { "late", "pkcs1" },
        { "mute", "pkcs1" }, { "oaep", "oaep" },
    };
    static const struct {
        const char *alg;
        size_t size;
    } keys[] = { { "RC4", 7 },          { "RC4", 16 },         { "DES-EDE3-CBC", 24 },
                 { "AES-256-CBC", 32 }, { "TLS1-MASTER", 48 }, { "PCT1-MASTER", 16 },
                 { "SSL2-MASTER", 24 } };
    static struct exported blob;

    (void)state;
    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        EVP_PKEY *key = secret_key(context, keys[k].alg, keys[k].size);

        for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
            const int before = counted(VAULT_DECRYPTIONS);
            EVP_PKEY *again;

            assert_int_equal(export_simple(key, public_path, rows[n].pad_mode, &blob), 1);
            again = import_simple(&blob, vault_uri(rows[n].ability), rows[n].pad_mode);
            assert_non_null(again);
            assert_int_equal(EVP_PKEY_eq(key, again), 1);
            assert_true(counted(VAULT_DECRYPTIONS) > before);
            EVP_PKEY_free(again);
        }
        EVP_PKEY_free(key);
    }
}

/* The public half of a key in the vault serves for exports, in software. */
static void blobs_are_written_to_a_key_in_the_vault(void **state)
{
    EVP_PKEY *key = secret_key(context, "RC4", 16), *again;
    static struct exported blob;

    (void)state;
    assert_int_equal(export_simple(key, vault_uri("pkcs1"), "oaep", &blob), 1);
    again = import_simple(&blob, private_path, "oaep");
    assert_non_null(again);
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    EVP_PKEY_free(again);
    EVP_PKEY_free(key);
    assert_int_equal(counted(VAULT_HANDLES), 0);
}

/* OpenSSL 3.2 and later give random bytes of a random length for a padding that is wrong, which is that
 * of the key once in a hundred times: then it is another key, and another damage is tried. */
static EVP_PKEY *import_damaged(struct exported *blob, const char *ability, EVP_PKEY *key)
{
    EVP_PKEY *again = NULL;

    for (int tries = strcmp(ability, "bare") == 0 ? 1 : 5; tries > 0; tries--) {
        blob->data[12 + 100]++;
        again = import_simple(blob, vault_uri(ability), "pkcs1");
        if (again == NULL || tries == 1)
            break;
        assert_int_equal(EVP_PKEY_eq(key, again), 0);
        EVP_PKEY_free(again);
    }
    return again;
}

/* What a wrong ciphertext comes to is the same wherever the key lives. */
static void damage_is_one_outcome(void **state)
{
    static const char *const abilities[] = { "bare", "pkcs1", "late" };
    static const char *const algs[] = { "RC4", "TLS1-MASTER" };
    static struct exported blob;

    (void)state;
    for (size_t a = 0; a < 2; a++) {
        EVP_PKEY *key = secret_key(context, algs[a], a == 0 ? 16 : 48);

        assert_int_equal(export_simple(key, public_path, "pkcs1", &blob), 1);
        for (size_t n = 0; n < sizeof(abilities) / sizeof(abilities[0]); n++) {
            EVP_PKEY *again = import_damaged(&blob, abilities[n], key);

            if (a == 0) {
                assert_null(again);
                assert_reason("blob does not open", "finds no RC4 key inside");
            } else {
                assert_non_null(again);
                assert_int_equal(EVP_PKEY_eq(key, again), 0);
            }
            EVP_PKEY_free(again);
        }
        EVP_PKEY_free(key);
    }
}

/* A number that is not less than the modulus is no RSA ciphertext, which providers say in ways of
 * their own. */
static void a_number_above_the_modulus_is_a_wrong_ciphertext(void **state)
{
    static const char *const abilities[] = { "bare", "pkcs1", "late" };
    static struct exported blob;
    EVP_PKEY *keys[2] = { secret_key(context, "AES-128-CBC", 16),
                          secret_key(context, "TLS1-MASTER", 48) };

    (void)state;
    for (size_t n = 0; n < 2 * sizeof(abilities) / sizeof(abilities[0]); n++) {
        EVP_PKEY *again;

        assert_int_equal(export_simple(keys[n % 2], public_path, "pkcs1", &blob), 1);
        memset(blob.data + 12, 0xff, blob.size - 12);
        again = import_simple(&blob, vault_uri(abilities[n / 2]), "pkcs1");
        assert_int_equal(again != NULL, n % 2);
        if (again == NULL)
            assert_reason("blob does not open", "");
        EVP_PKEY_free(again);
    }
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static void a_padding_that_is_not_offered_is_a_clear_reason(void **state)
{
    static const struct {
        const char *ability, *pad_mode;
    } rows[] = { { "oaep", "pkcs1" },
                 { "bare", "oaep" },
                 { "pkcs1", "oaep" },
                 { "sign", "pkcs1" },
                 { "sign", "oaep" } };
    EVP_PKEY *keys[2] = { secret_key(context, "AES-128-CBC", 16),
                          secret_key(context, "TLS1-MASTER", 48) };
    static struct exported blob;

    (void)state;
    for (size_t n = 0; n < 2 * sizeof(rows) / sizeof(rows[0]); n++) {
        assert_int_equal(export_simple(keys[n % 2], public_path, rows[n / 2].pad_mode, &blob), 1);
        assert_null(import_simple(&blob, vault_uri(rows[n / 2].ability), rows[n / 2].pad_mode));
        assert_reason("wrong kind of key", "does not offer RSA decryption with this pad-mode");
    }
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static EVP_PKEY *import_fallback(const struct exported *blob, const char *exchange_key)
{
    unsigned yes = 1;
    OSSL_PARAM params[] = { text_param("exchange-key", exchange_key),
                            OSSL_PARAM_construct_uint("ssl2-fallback", &yes),
                            OSSL_PARAM_construct_end() };

    return import_from(context, blob, params);
}

static void the_mark_of_a_fallback_needs_the_padding(void **state)
{
    EVP_PKEY *key = secret_key(context, "SSL2-MASTER", 16), *again;
    static struct exported plain, marked;
    unsigned yes = 1;
    OSSL_PARAM params[] = { text_param("exchange-key", public_path),
                            OSSL_PARAM_construct_uint("ssl2-fallback", &yes),
                            OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(export_simple(key, public_path, "pkcs1", &plain), 1);
    assert_int_equal(export_as(key, "simpleblob", params, &marked), 1);
    assert_non_null(again = import_fallback(&plain, vault_uri("bare")));
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    EVP_PKEY_free(again);
    assert_null(import_fallback(&marked, vault_uri("bare")));
    assert_reason("blob does not open", "");
    memset(plain.data + 12, 0xff, plain.size - 12); /* larger than the modulus */
    assert_null(import_fallback(&plain, vault_uri("bare")));
    assert_reason("blob does not open", "");
    assert_null(import_fallback(&marked, vault_uri("pkcs1")));
    assert_reason("wrong kind of key", "does not show the padding");
    assert_null(import_fallback(&marked, vault_uri("late")));
    assert_reason("wrong kind of key", "does not show the padding");
    EVP_PKEY_free(key);
}

static void freeing_and_retiring_leave_the_key_in_the_vault(void **state)
{
    EVP_PKEY *key = secret_key(context, "RC4", 16);
    int yes = 1;
    OSSL_PARAM retire[] = { OSSL_PARAM_construct_int("retire", &yes), OSSL_PARAM_construct_end() };
    static struct exported blob;

    (void)state;
    assert_int_equal(export_simple(key, vault_uri("pkcs1"), "pkcs1", &blob), 1);
    EVP_PKEY_free(key);
    for (int n = 0; n < 3; n++) {
        assert_non_null(key = import_simple(&blob, vault_uri("pkcs1"), "pkcs1"));
        assert_int_equal(EVP_PKEY_set_params(key, retire), 1);
        EVP_PKEY_free(key);
        assert_int_equal(counted(VAULT_HANDLES), 0);
        assert_int_equal(access(private_path, R_OK), 0);
    }
}

/* ---- signed blobs ---- */

static int export_signed(EVP_PKEY *key, const char *signer, struct exported *blob)
{
    OSSL_PARAM params[] = { text_param("signature-key", signer), text_param("seal-key", seal_key_a),
                            OSSL_PARAM_construct_end() };

    return export_as(key, "signedblob", params, blob);
}

static EVP_PKEY *import_signed(const struct exported *blob, const char *signer)
{
    OSSL_PARAM params[] = { text_param("signature-key", signer), text_param("seal-key", seal_key_a),
                            OSSL_PARAM_construct_end() };

    return import_from(context, blob, params);
}

static void the_vault_signs(void **state)
{
    EVP_PKEY *key = secret_key(context, "AES-128-CBC", 16), *again;
    const int before = counted(VAULT_SIGNATURES);
    static struct exported blob;

    (void)state;
    assert_int_equal(export_signed(key, vault_uri("sign"), &blob), 1);
    assert_int_equal(counted(VAULT_SIGNATURES), before + 1);
    /* Verified with the public key in a file and in the vault, which does not verify. */
    assert_non_null(again = import_signed(&blob, public_path));
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    EVP_PKEY_free(again);
    assert_non_null(again = import_signed(&blob, vault_uri("sign")));
    EVP_PKEY_free(again);
    assert_null(import_signed(&blob, other_public));
    assert_reason("blob was signed by another key", "signature-key");
    blob.data[blob.size - 300] ^= 1;
    assert_null(import_signed(&blob, public_path));
    assert_reason("signature does not verify", "");
    EVP_PKEY_free(key);
}

static void a_signer_who_does_not_tell_the_public_part_is_refused(void **state)
{
    EVP_PKEY *key = secret_key(context, "AES-128-CBC", 16);
    const int before = counted(VAULT_SIGNATURES), exports = counted(VAULT_EXPORTS);
    static struct exported blob;

    (void)state;
    assert_int_equal(export_signed(key, vault_uri("mute"), &blob), 0);
    assert_reason("libcrypto failed", "public part cannot be told");
    assert_int_equal(counted(VAULT_SIGNATURES), before);
    assert_int_equal(counted(VAULT_EXPORTS), exports);
    EVP_PKEY_free(key);
}

/* Stored for oneself, in the vault, and for somebody else, in a file: either key alone opens it. */
static void several_recipients_one_of_them_in_the_vault(void **state)
{
    EVP_PKEY *key = secret_key(context, "TLS1-MASTER", 48);
    char receivers[300];
    const char *const openers[] = { other_path, "vault:bare:", "vault:late:" };
    static struct exported blob;

    (void)state;
    snprintf(receivers, sizeof(receivers), "%s,%s", other_public, vault_uri("pkcs1"));
    {
        OSSL_PARAM params[] = { text_param("signature-key", vault_uri("sign")),
                                text_param("inner", "simpleblob"),
                                text_param("exchange-key", receivers), OSSL_PARAM_construct_end() };

        assert_int_equal(export_as(key, "signedblob", params, &blob), 1);
    }
    for (size_t n = 0; n < sizeof(openers) / sizeof(openers[0]); n++) {
        char opener[200];
        EVP_PKEY *again;
        OSSL_PARAM params[] = { text_param("signature-key", public_path),
                                OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

        snprintf(opener, sizeof(opener), "%s%s", openers[n], n == 0 ? "" : private_path);
        params[1] = text_param("exchange-key", opener);
        params[1] = text_param("exchange-key", opener);
        assert_non_null(again = import_from(context, &blob, params));
        assert_int_equal(EVP_PKEY_eq(key, again), 1);
        EVP_PKEY_free(again);
    }
    EVP_PKEY_free(key);
}

/* ---- software keys beside the vault ---- */

static void keys_in_files_stay_out_of_the_vault(void **state)
{
    EVP_PKEY *key = secret_key(context, "TLS1-MASTER", 48), *again;
    static struct exported blob;

    (void)state;
    assert_int_equal(export_simple(key, public_path, "pkcs1", &blob), 1);
    assert_non_null(again = import_simple(&blob, private_path, "pkcs1"));
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    EVP_PKEY_free(again);
    assert_int_equal(export_signed(key, private_path, &blob), 1);
    assert_non_null(again = import_signed(&blob, public_path));
    EVP_PKEY_free(again);
    EVP_PKEY_free(key);
}

/* ---- threads ---- */

#define THREADS 32
#define ROUNDS  4

static EVP_PKEY *of_all;
static struct exported for_all;
static atomic_int failures;
static size_t rounds;

/* Without the assertions of CMocka, which leave the thread that runs the test. */
static int open_and_sign(const char *opener, const char *signer)
{
    OSSL_PARAM open[] = { text_param("exchange-key", opener), OSSL_PARAM_construct_end() };
    OSSL_PARAM sign[] = { text_param("signature-key", signer), text_param("seal-key", seal_key_a),
                          OSSL_PARAM_construct_end() };
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, "SCHANNEL",
                                                              EVP_PKEY_KEYPAIR, context, NULL);
    OSSL_ENCODER_CTX *encoder =
        OSSL_ENCODER_CTX_new_for_pkey(of_all, EVP_PKEY_KEYPAIR, "signedblob", NULL, NULL);
    const unsigned char *at = for_all.data;
    size_t left = for_all.size, size = 0;
    unsigned char *data = NULL;
    int ok = OSSL_DECODER_CTX_set_params(decoder, open) &&
             OSSL_DECODER_from_data(decoder, &at, &left) && EVP_PKEY_eq(key, of_all) == 1 &&
             OSSL_ENCODER_CTX_set_params(encoder, sign) &&
             OSSL_ENCODER_to_data(encoder, &data, &size);

    OSSL_DECODER_CTX_free(decoder);
    OSSL_ENCODER_CTX_free(encoder);
    OPENSSL_free(data);
    EVP_PKEY_free(key);
    return ok;
}

static void *work(void *opener)
{
    char signer[160];

    snprintf(signer, sizeof(signer), "vault:sign:%s", private_path);
    for (size_t n = 0; n < rounds; n++)
        atomic_fetch_add(&failures, !open_and_sign(opener, signer));
    OPENSSL_thread_stop_ex(context);
    return NULL;
}

static void many_threads_use_the_vault_at_once(void **state)
{
    pthread_t threads[THREADS];
    char openers[2][160];

    (void)state;
    snprintf(openers[0], sizeof(openers[0]), "vault:bare:%s", private_path);
    snprintf(openers[1], sizeof(openers[1]), "vault:late:%s", private_path);
    rounds = sampled_rounds(ROUNDS, 1);
    of_all = secret_key(context, "TLS1-MASTER", 48);
    assert_int_equal(export_simple(of_all, public_path, "pkcs1", &for_all), 1);
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, work, openers[n % 2]), 0);
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_join(threads[n], NULL), 0);
    assert_int_equal(atomic_load(&failures), 0);
    EVP_PKEY_free(of_all);
}

#define TEST(name) cmocka_unit_test_teardown(name, nothing_left_the_vault)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(blobs_are_opened_in_the_vault),
        TEST(blobs_are_written_to_a_key_in_the_vault),
        TEST(damage_is_one_outcome),
        TEST(a_number_above_the_modulus_is_a_wrong_ciphertext),
        TEST(a_padding_that_is_not_offered_is_a_clear_reason),
        TEST(the_mark_of_a_fallback_needs_the_padding),
        TEST(freeing_and_retiring_leave_the_key_in_the_vault),
        TEST(the_vault_signs),
        TEST(a_signer_who_does_not_tell_the_public_part_is_refused),
        TEST(several_recipients_one_of_them_in_the_vault),
        TEST(keys_in_files_stay_out_of_the_vault),
        TEST(many_threads_use_the_vault_at_once),
    };
    int failed = cmocka_run_group_tests_name("vault loaded last", tests, setup_last, teardown);

    strcpy(directory, "/tmp/schannel-evp.XXXXXX");
    return failed + cmocka_run_group_tests_name("vault loaded first", tests, setup_first, teardown);
}
