/*
 * Defects that were found once, through EVP: each test failed before its defect was mended.
 */
#include "fixture.h"

#include <openssl/kdf.h>

static int yes = 1;

static EVP_PKEY *derive(EVP_PKEY_CTX *context, OSSL_PARAM params[])
{
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    if (EVP_PKEY_generate(context, &key) <= 0)
        key = NULL;
    return key;
}

static EVP_PKEY_CTX *derivation_from(EVP_PKEY *master)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    return context;
}

/* The key bytes of an exportable key. */
static size_t secret_of(EVP_PKEY *key, uint8_t *out, size_t room)
{
    OSSL_PARAM *data = NULL;
    void *target = out;
    size_t size = 0;

    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &data), 1);
    assert_int_equal(
        OSSL_PARAM_get_octet_string(OSSL_PARAM_locate(data, "secret"), &target, room, &size), 1);
    OSSL_PARAM_free(data);
    return size;
}

/* ---- derivations that were refused ---- */

static void a_refused_derivation_does_not_convert_the_premaster(void **state)
{
    uint8_t premaster[48], wrong[32], right[32], expected[20], actual[20];
    OSSL_PARAM known[] = { text_param("alg", "TLS1-MASTER"),
                           octets_param("premaster", premaster, 48), OSSL_PARAM_construct_end() };
    OSSL_PARAM refused[] = { octets_param("client-random", wrong, 32), /* no usage */
                             octets_param("server-random", wrong, 32), text_param("digest", "SHA1"),
                             OSSL_PARAM_construct_end() };
    OSSL_PARAM good[] = { octets_param("client-random", right, 32),
                          octets_param("server-random", right, 32),
                          text_param("digest", "SHA1"),
                          text_param("usage", "server-write-mac"),
                          OSSL_PARAM_construct_int("exportable", &yes),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM kdf_params[] = { octets_param("premaster", premaster, 48),
                                good[0],
                                good[1],
                                good[2],
                                good[3],
                                OSSL_PARAM_construct_end() };
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-KDF", NULL);
    EVP_KDF_CTX *derivation = EVP_KDF_CTX_new(kdf);
    EVP_PKEY_CTX *context;
    EVP_PKEY *master, *key;

    (void)state;
    pattern(premaster, 48, 1);
    pattern(wrong, 32, 2);
    pattern(right, 32, 3);
    assert_int_equal(EVP_KDF_derive(derivation, expected, 20, kdf_params), 1);
    master = from_data(known);
    context = derivation_from(master);
    assert_null(derive(context, refused));
    assert_reason("missing parameter", "usage");
    /* the same context goes on as well */
    key = derive(context, good);
    assert_non_null(key);
    assert_int_equal(secret_of(key, actual, sizeof(actual)), 20);
    assert_memory_equal(actual, expected, 20);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
    EVP_KDF_CTX_free(derivation);
    EVP_KDF_free(kdf);
}

static void a_first_derivation_that_was_refused_did_not_copy_the_master(void **state)
{
    uint8_t bytes[48];
    OSSL_PARAM known[] = { text_param("alg", "TLS1-MASTER"), octets_param("secret", bytes, 48),
                           octets_param("client-random", bytes, 32), text_param("digest", "MD5"),
                           OSSL_PARAM_construct_end() };
    OSSL_PARAM missing[] = { octets_param("server-random", bytes, 32), OSSL_PARAM_construct_end() };
    OSSL_PARAM usage[] = { text_param("usage", "client-write-mac"), OSSL_PARAM_construct_end() };
    EVP_PKEY *master, *key;
    EVP_PKEY_CTX *context;

    (void)state;
    pattern(bytes, 48, 1);
    master = from_data(known);
    context = derivation_from(master);
    assert_null(derive(context, usage));
    assert_reason("missing parameter", "server-random");
    assert_int_equal(EVP_PKEY_set_params(master, missing), 1);
    key = derive(context, usage);
    assert_non_null(key);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

static void parameters_without_effect_are_refused(void **state)
{
    uint8_t secret[48] = { 0 };
    OSSL_PARAM usage[] = { text_param("alg", "AES-128-CBC"), octets_param("secret", secret, 16),
                           text_param("usage", "client-write-key"), OSSL_PARAM_construct_end() };
    static const char *const beside[] = { "cipher", "digest", "salt-mode" };
    static const char *const values[] = { "RC4", "MD5", "create" };
    EVP_PKEY *key;
    uint8_t blob[MAX_BLOB];
    size_t size;

    (void)state;
    assert_null(from_data(usage));
    assert_reason("conflicting parameters", "usage");
    usage[2] = text_param("seal-key", seal_key_a);
    key = from_data(usage);
    size = export_blob(key, blob);
    EVP_PKEY_free(key);
    for (size_t n = 0; n < 3; n++) {
        OSSL_PARAM params[] = { octets_param("opaque-blob", blob, size),
                                text_param("seal-key", seal_key_a),
                                text_param(beside[n], values[n]), OSSL_PARAM_construct_end() };

        assert_null(from_data(params));
        assert_reason("conflicting parameters", beside[n]);
    }
}

/* ---- raw exports ---- */

static EVP_PKEY *exportable_key(const char *alg, size_t size, const char *salt_mode)
{
    uint8_t secret[32];
    OSSL_PARAM params[] = { text_param("alg", alg), octets_param("secret", secret, size),
                            OSSL_PARAM_construct_int("exportable", &yes),
                            text_param("salt-mode", salt_mode), OSSL_PARAM_construct_end() };
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 5);
    key = from_data(params);
    assert_non_null(key);
    return key;
}

static void encrypt(EVP_PKEY *key, const char *cipher_name, size_t size)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 }, data[64] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, cipher_name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;

    get_handle(key, handle);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind), 1);
    assert_int_equal(EVP_EncryptUpdate(context, data, &written, data, (int)size), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

/* A keystream that starts again is a keystream used twice. */
static void a_key_with_a_running_state_is_not_exported_raw(void **state)
{
    EVP_PKEY *keys[] = { exportable_key("RC4", 16, "none"),
                         exportable_key("AES-128-CBC", 16, "none") };
    static const char *const ciphers[] = { "SCHANNEL-RC4", "SCHANNEL-AES-128-CBC" };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        OSSL_PARAM *data = NULL;

        assert_int_equal(EVP_PKEY_todata(keys[n], EVP_PKEY_KEYPAIR, &data), 1);
        OSSL_PARAM_free(data);
        encrypt(keys[n], ciphers[n], 5);
        assert_int_equal(EVP_PKEY_todata(keys[n], EVP_PKEY_KEYPAIR, &data), 0);
        assert_reason("key is not exportable", "in the middle of");
        EVP_PKEY_free(keys[n]);
    }
}

static void a_raw_export_keeps_the_salt_and_the_salt_counts_in_comparisons(void **state)
{
    EVP_PKEY *key = exportable_key("RC4", 5, "zero"), *plain = exportable_key("RC4", 5, "none"),
             *back;
    OSSL_PARAM *data = NULL;

    (void)state;
    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &data), 1);
    back = from_data(data);
    assert_non_null(back);
    assert_int_equal(EVP_PKEY_eq(key, back), 1);
    assert_int_not_equal(EVP_PKEY_eq(key, plain), 1);
    OSSL_PARAM_free(data);
    EVP_PKEY_free(back);
    EVP_PKEY_free(plain);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

/* ---- ciphers and MACs ---- */

static void a_block_held_back_is_released_when_padding_is_turned_off(void **state)
{
    static const char *const names[] = { "AES-128-CBC", "SCHANNEL-AES-128-CBC" };
    uint8_t key[16], data[48], out[2][64];
    int sizes[2] = { 0, 0 };

    (void)state;
    pattern(key, sizeof(key), 1);
    pattern(data, sizeof(data), 2);
    for (size_t n = 0; n < 2; n++) {
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, names[n], NULL);
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        int last = 0;

        assert_int_equal(EVP_DecryptInit_ex2(context, cipher, key, key, NULL), 1);
        assert_int_equal(EVP_DecryptUpdate(context, out[n], &sizes[n], data, sizeof(data)), 1);
        assert_int_equal(sizes[n], 32);
        EVP_CIPHER_CTX_set_padding(context, 0);
        assert_int_equal(EVP_DecryptFinal_ex(context, out[n] + sizes[n], &last), 1);
        sizes[n] += last;
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_free(cipher);
    }
    assert_int_equal(sizes[0], 48);
    assert_int_equal(sizes[1], 48);
    assert_memory_equal(out[0], out[1], 48);
}

/* Key bytes unbind, whatever the size and the state of the key that was bound. */
static void key_bytes_unbind_a_context_from_a_short_and_from_a_retired_key(void **state)
{
    EVP_PKEY *key = exportable_key("RC4", 5, "none");
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 }, bytes[16] = { 1 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM retire[] = { OSSL_PARAM_construct_int("retire", &yes), OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "SCHANNEL-RC4", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    (void)state;
    get_handle(key, handle);
    for (int n = 0; n < 2; n++) {
        assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind), 1);
        assert_int_equal(EVP_CIPHER_CTX_get_key_length(context), 5);
        if (n == 1)
            assert_int_equal(EVP_PKEY_set_params(key, retire), 1);
        assert_int_equal(EVP_EncryptInit_ex2(context, NULL, bytes, NULL, NULL), 1);
    }
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    EVP_PKEY_free(key);
}

static EVP_MAC_CTX *mac_context(void)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    assert_non_null(context);
    EVP_MAC_free(mac);
    return context;
}

static EVP_PKEY *mac_key(void)
{
    uint8_t secret[16] = { 1 };
    OSSL_PARAM params[] = { text_param("alg", "TLS1-MAC"), text_param("digest", "MD5"),
                            octets_param("secret", secret, 16), OSSL_PARAM_construct_end() };
    EVP_PKEY *key = from_data(params);

    assert_non_null(key);
    return key;
}

static void an_initialisation_of_a_mac_judges_the_key_that_it_brings(void **state)
{
    EVP_PKEY *key = mac_key();
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 }, bytes[20] = { 2 };
    uint64_t sequence = 7, read = 0;
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM sha1[] = { text_param("digest", "SHA1"),
                          OSSL_PARAM_construct_uint64("sequence", &sequence),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM get[] = { OSSL_PARAM_construct_uint64("sequence", &read),
                         OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = mac_context();

    (void)state;
    get_handle(key, handle);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, bind), 1);
    assert_int_equal(EVP_MAC_update(context, bytes, 20), 1);
    /* refused, and still bound in the middle of its message */
    assert_int_equal(EVP_MAC_init(context, bytes, 20, NULL), 0);
    assert_reason("missing parameter", "digest");
    assert_int_equal(EVP_MAC_CTX_get_mac_size(context), 16);
    assert_int_equal(EVP_MAC_update(context, bytes, 20), 1);
    assert_int_equal(EVP_MAC_init(context, bytes, 20, sha1), 1);
    assert_int_equal(EVP_MAC_update(context, bytes, 20), 1);
    /* the message goes, so its number may be set again */
    assert_int_equal(EVP_MAC_init(context, NULL, 0, sha1 + 1), 1);
    assert_int_equal(EVP_MAC_CTX_get_params(context, get), 1);
    assert_int_equal(read, 7);
    EVP_MAC_CTX_free(context);
    EVP_PKEY_free(key);
}

static void another_digest_keeps_the_sequence_and_waits_for_the_message(void **state)
{
    uint8_t bytes[20] = { 2 };
    uint64_t sequence = 9, read = 0;
    OSSL_PARAM sha1[] = { text_param("digest", "SHA1"),
                          OSSL_PARAM_construct_uint64("sequence", &sequence),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM md5[] = { text_param("digest", "MD5"), OSSL_PARAM_construct_end() };
    OSSL_PARAM get[] = { OSSL_PARAM_construct_uint64("sequence", &read),
                         OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = mac_context();

    (void)state;
    assert_int_equal(EVP_MAC_init(context, bytes, 20, sha1), 1);
    assert_int_equal(EVP_MAC_update(context, bytes, 5), 1);
    assert_int_equal(EVP_MAC_CTX_set_params(context, md5), 0);
    assert_reason("invalid parameter", "digest");
    assert_int_equal(EVP_MAC_init(context, NULL, 0, md5), 1);
    assert_int_equal(EVP_MAC_CTX_get_params(context, get), 1);
    assert_int_equal(read, 9);
    assert_int_equal(EVP_MAC_CTX_get_mac_size(context), 16);
    EVP_MAC_CTX_free(context);
}

static void a_sequence_set_before_the_handle_is_for_the_key_that_comes(void **state)
{
    EVP_PKEY *key = mac_key();
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    uint64_t sequence = 11, read = 0;
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM set[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                         OSSL_PARAM_construct_end() };
    OSSL_PARAM get[] = { OSSL_PARAM_construct_uint64("sequence", &read),
                         OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = mac_context();

    (void)state;
    get_handle(key, handle);
    assert_int_equal(EVP_MAC_CTX_set_params(context, set), 1);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, bind), 1);
    assert_int_equal(EVP_PKEY_get_params(key, get), 1);
    assert_int_equal(read, 11);
    EVP_MAC_CTX_free(context);
    EVP_PKEY_free(key);
}

static void a_mac_context_with_an_empty_key_can_be_copied(void **state)
{
    OSSL_PARAM sha1[] = { text_param("digest", "SHA1"), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = mac_context(), *copy;

    (void)state;
    assert_int_equal(EVP_MAC_init(context, (const uint8_t *)"", 0, sha1), 1);
    copy = EVP_MAC_CTX_dup(context);
    assert_non_null(copy);
    EVP_MAC_CTX_free(copy);
    EVP_MAC_CTX_free(context);
}

/* record-length is said once per record: what libcrypto finishes on a duplicate counts too. */
static void a_record_length_does_not_outlive_its_record(void **state)
{
    EVP_PKEY *key = mac_key();
    unsigned type = 23, version = 0x301, length = 5;
    OSSL_PARAM record[] = { OSSL_PARAM_construct_uint("record-type", &type),
                            OSSL_PARAM_construct_uint("record-version", &version),
                            OSSL_PARAM_construct_uint("record-length", &length),
                            OSSL_PARAM_construct_end() };
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *params = NULL;
    uint8_t mac[20];
    size_t size = sizeof(mac);

    (void)state;
    assert_int_equal(EVP_DigestSignInit_ex(context, &params, NULL, libctx, NULL, key, NULL), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(params, record), 1);
    assert_int_equal(EVP_DigestSign(context, mac, &size, mac, 5), 1);
    assert_int_equal(EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, NULL, NULL), 1);
    size = sizeof(mac);
    assert_int_equal(EVP_DigestSign(context, mac, &size, mac, 7), 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

/* ---- answers and sentences ---- */

static void an_answer_that_does_not_fit_is_refused_with_a_reason(void **state)
{
    char text[16];
    OSSL_PARAM size[] = { OSSL_PARAM_construct_utf8_string("size", text, sizeof(text)),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM keylen[] = { OSSL_PARAM_construct_utf8_string("keylen", text, sizeof(text)),
                            OSSL_PARAM_construct_end() };
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-KDF", NULL);
    EVP_KDF_CTX *derivation = EVP_KDF_CTX_new(kdf);
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "SCHANNEL-RC4", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_MAC_CTX *mac = mac_context();

    (void)state;
    assert_int_equal(EVP_KDF_CTX_get_params(derivation, size), 0);
    assert_reason(NULL, "size");
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, NULL, NULL, 1, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_get_params(context, keylen), 0);
    assert_reason(NULL, "keylen");
    assert_int_equal(EVP_MAC_CTX_get_params(mac, size), 0);
    assert_reason(NULL, "size");
    EVP_MAC_CTX_free(mac);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    EVP_KDF_CTX_free(derivation);
    EVP_KDF_free(kdf);
}

static void text_that_cannot_be_written_is_an_error(void **state)
{
    EVP_PKEY *key = mac_key();
    FILE *file = fopen("/dev/full", "w");
    BIO *full;

    (void)state;
    assert_non_null(file);
    setbuf(file, NULL);
    full = BIO_new_fp(file, BIO_CLOSE);
    assert_non_null(full);
    assert_int_not_equal(EVP_PKEY_print_private(full, key, 0, NULL), 1);
    assert_reason("libcrypto failed", "text");
    BIO_free(full);
    EVP_PKEY_free(key);
}

/* libcrypto drops sentences of more than about a thousand characters. */
static void a_sentence_about_a_long_path_keeps_its_ends(void **state)
{
    char source[3000] = "file:/";
    OSSL_PARAM params[] = { text_param("alg", "RC4"), octets_param("secret", source, 16),
                            OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    uint8_t blob[MAX_BLOB];
    size_t size = 0;
    EVP_PKEY *key;

    (void)state;
    memset(source + 6, 'a', 200);
    for (size_t n = 206; n + 1 < sizeof(source); n += 2)
        memcpy(source + n, "/a", 2);
    source[2998] = '\0';
    params[2] = text_param("seal-key", source);
    key = from_data(params);
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "opaque-blob", blob, MAX_BLOB, &size), 0);
    assert_reason("sealing key cannot be read", "cannot be opened: ");
    EVP_PKEY_free(key);
}

/* A default property of fips=yes reaches the provider's own fetches too. */
static void a_fetch_that_fips_properties_empty_says_so(void **state)
{
    OSSL_LIB_CTX *other = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(other, "default"), *ours;
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t key[16] = { 0 }, out[32];
    int written;

    (void)state;
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(other, MODULE_DIR), 1);
    ours = OSSL_PROVIDER_load(other, "schannel");
    assert_non_null(ours);
    assert_int_equal(EVP_default_properties_enable_fips(other, 1), 1);
    cipher = EVP_CIPHER_fetch(other, "SCHANNEL-AES-128-CBC", "-fips");
    assert_non_null(cipher);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, key, key, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, key, 16), 0);
    assert_reason("algorithm is not available", "fips=yes");
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    OSSL_PROVIDER_unload(ours);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(other);
}

/* ---- key exchange ---- */

static void a_refused_exchange_does_not_convert_the_premaster(void **state)
{
    uint8_t premaster[48], random[32], out[64];
    OSSL_PARAM known[] = { text_param("alg", "TLS1-MASTER"),
                           octets_param("premaster", premaster, 48),
                           octets_param("client-random", random, 32),
                           octets_param("server-random", random, 32),
                           OSSL_PARAM_construct_int("exportable", &yes),
                           OSSL_PARAM_construct_end() };
    OSSL_PARAM usage[] = { text_param("usage", "finished-client"), OSSL_PARAM_construct_end() };
    OSSL_PARAM *data = NULL;
    EVP_PKEY *master;
    EVP_PKEY_CTX *context;
    size_t size = sizeof(out);

    (void)state;
    pattern(premaster, 48, 1);
    pattern(random, 32, 2);
    master = from_data(known);
    context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);
    assert_int_equal(EVP_PKEY_derive_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, usage), 1);
    assert_int_equal(EVP_PKEY_derive(context, out, &size), 0); /* no handshake */
    assert_reason("missing parameter", "handshake");
    assert_int_equal(EVP_PKEY_todata(master, EVP_PKEY_KEYPAIR, &data), 1);
    assert_non_null(OSSL_PARAM_locate(data, "premaster"));
    assert_null(OSSL_PARAM_locate(data, "secret"));
    OSSL_PARAM_free(data);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

/* label || seed is what is hashed: an empty seed, and one that finishes the label. */
static void a_label_split_between_label_and_seed_is_still_refused(void **state)
{
    static const char *const parts[][2] = { { "IV block", "" },
                                            { "IV", " block" },
                                            { "", "IV block" } };
    uint8_t secret[48] = { 1 }, random[32] = { 2 }, out[48];
    OSSL_PARAM known[] = { text_param("alg", "TLS1-MASTER"), octets_param("secret", secret, 48),
                           octets_param("client-random", random, 32),
                           octets_param("server-random", random, 32), OSSL_PARAM_construct_end() };
    EVP_PKEY *master = from_data(known);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);

    (void)state;
    for (size_t n = 0; n < 3; n++) {
        OSSL_PARAM params[] = { text_param("usage", "prf"),
                                octets_param("label", parts[n][0], strlen(parts[n][0])),
                                octets_param("seed", parts[n][1], strlen(parts[n][1])),
                                OSSL_PARAM_construct_end() };
        size_t size = sizeof(out);

        assert_int_equal(EVP_PKEY_derive_init(context), 1);
        assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
        assert_int_equal(EVP_PKEY_derive(context, out, &size), 0);
        assert_reason("key is not exportable", "prf");
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

/* ---- transfers ---- */

/* A transfer is claimed when nothing else is wrong. */
static void a_refused_initialisation_does_not_use_a_transfer_up(void **state)
{
    uint8_t secret[20] = { 3 }, blob[MAX_BLOB], bytes[16] = { 4 };
    OSSL_PARAM known[] = { text_param("alg", "TLS1-MAC"),       text_param("digest", "SHA1"),
                           octets_param("secret", secret, 20),  text_param("seal-key", seal_key_a),
                           text_param("blob-mode", "transfer"), text_param("claim-dir", directory),
                           text_param("audience", "alice"),     OSSL_PARAM_construct_end() };
    EVP_PKEY *key = from_data(known);
    size_t size = export_blob(key, blob);
    OSSL_PARAM wrong[] = { octets_param("opaque-blob", blob, size),
                           text_param("seal-key", seal_key_a),
                           text_param("claim-dir", directory),
                           text_param("audience", "alice"),
                           text_param("digest", "MD5"),
                           OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = mac_context();
    OSSL_PARAM read[] = { octets_param("opaque-blob", blob, sizeof(blob)),
                          OSSL_PARAM_construct_end() };
    char command[128];

    (void)state;
    assert_int_equal(EVP_MAC_init(context, NULL, 0, wrong), 0);
    assert_reason("conflicting parameters", "digest");
    assert_int_equal(EVP_MAC_init(context, bytes, sizeof(bytes), wrong), 0);
    assert_reason("conflicting parameters", "opaque-blob");
    wrong[4] = OSSL_PARAM_construct_end();
    assert_int_equal(EVP_MAC_init(context, NULL, 0, wrong), 1);
    /* and the audience was for the opening: the next blob is for nobody in particular */
    assert_int_equal(EVP_MAC_CTX_get_params(context, read), 1);
    EVP_MAC_CTX_free(context);
    EVP_PKEY_free(key);
    snprintf(command, sizeof(command), "rm -f '%s'/*-*-*-*", directory);
    assert_int_equal(system(command), 0);
}

/* A context of |mac| that is bound to |key|. */
static EVP_MAC_CTX *bind_mac(EVP_PKEY *key, const char *mac)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_MAC *method = EVP_MAC_fetch(libctx, mac, NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(method);

    EVP_MAC_free(method);
    get_handle(key, handle);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, bind), 1);
    return context;
}

/* A record that got more data than was said has a state that moves; its end is refused there. */
static void a_record_that_is_too_long_moves_and_is_refused_at_its_end(void **state)
{
    static const char *const macs[] = { "SSL3-MAC", "TLS1-MAC" };
    static const uint8_t secret[20] = { 1 };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        unsigned type = 23, version = 0x301, length = 10;
        OSSL_PARAM params[] = { text_param("alg", macs[n]), text_param("digest", "SHA1"),
                                octets_param("secret", secret, sizeof(secret)),
                                text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
        OSSL_PARAM record[] = { OSSL_PARAM_construct_uint("record-type", &type),
                                OSSL_PARAM_construct_uint("record-length", &length),
                                OSSL_PARAM_construct_uint("record-version", &version),
                                OSSL_PARAM_construct_end() };
        EVP_PKEY *key = from_data(params);
        uint8_t blob[MAX_BLOB], out[20];
        EVP_MAC_CTX *context;
        size_t size;

        if (n == 0)
            record[2] = OSSL_PARAM_construct_end();
        context = bind_mac(key, macs[n]);
        assert_int_equal(EVP_MAC_CTX_set_params(context, record), 1);
        assert_int_equal(EVP_MAC_update(context, secret, 11), 1);
        size = export_blob(key, blob);
        EVP_MAC_CTX_free(context);
        EVP_PKEY_free(key);
        key = import_blob(blob, size, seal_key_a);
        assert_non_null(key);
        context = bind_mac(key, macs[n]);
        assert_int_equal(EVP_MAC_final(context, out, &size, sizeof(out)), 0);
        assert_reason("record length mismatch", "said 10 bytes, the data had 11");
        EVP_MAC_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* The sealing key that was set beside a random of the wrong length. */
static void a_refused_setting_does_not_change_the_options_of_later_exports(void **state)
{
    static const uint8_t secret[48] = { 1 }, random[31] = { 2 };
    OSSL_PARAM params[] = { text_param("alg", "TLS1-MASTER"),
                            octets_param("secret", secret, sizeof(secret)),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    OSSL_PARAM wrong[] = { text_param("seal-key", seal_key_b),
                           octets_param("client-random", random, sizeof(random)),
                           OSSL_PARAM_construct_end() };
    uint8_t blob[MAX_BLOB];
    EVP_PKEY *key = from_data(params), *copy;

    (void)state;
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_set_params(key, wrong), 0);
    assert_reason("invalid length", "client-random: ");
    copy = import_blob(blob, export_blob(key, blob), seal_key_a);
    assert_non_null(copy);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_derivation_does_not_convert_the_premaster),
        cmocka_unit_test(a_first_derivation_that_was_refused_did_not_copy_the_master),
        cmocka_unit_test(parameters_without_effect_are_refused),
        cmocka_unit_test(a_key_with_a_running_state_is_not_exported_raw),
        cmocka_unit_test(a_raw_export_keeps_the_salt_and_the_salt_counts_in_comparisons),
        cmocka_unit_test(a_block_held_back_is_released_when_padding_is_turned_off),
        cmocka_unit_test(key_bytes_unbind_a_context_from_a_short_and_from_a_retired_key),
        cmocka_unit_test(an_initialisation_of_a_mac_judges_the_key_that_it_brings),
        cmocka_unit_test(another_digest_keeps_the_sequence_and_waits_for_the_message),
        cmocka_unit_test(a_sequence_set_before_the_handle_is_for_the_key_that_comes),
        cmocka_unit_test(a_mac_context_with_an_empty_key_can_be_copied),
        cmocka_unit_test(a_record_length_does_not_outlive_its_record),
        cmocka_unit_test(an_answer_that_does_not_fit_is_refused_with_a_reason),
        cmocka_unit_test(text_that_cannot_be_written_is_an_error),
        cmocka_unit_test(a_sentence_about_a_long_path_keeps_its_ends),
        cmocka_unit_test(a_fetch_that_fips_properties_empty_says_so),
        cmocka_unit_test(a_refused_exchange_does_not_convert_the_premaster),
        cmocka_unit_test(a_label_split_between_label_and_seed_is_still_refused),
        cmocka_unit_test(a_refused_initialisation_does_not_use_a_transfer_up),
        cmocka_unit_test(a_refused_setting_does_not_change_the_options_of_later_exports),
        cmocka_unit_test(a_record_that_is_too_long_moves_and_is_refused_at_its_end),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
