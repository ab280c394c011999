/*
 * EVP_SKEY: symmetric key objects of OpenSSL 3.5 and later, in ciphers and MACs, and out of KDFs and
 * key exchanges (3.6 and later).
 *
 * Built where the headers have them; on older ones tests/check --versions runs it.
 */
#include <openssl/kdf.h>
#include <sys/stat.h>
#include "protocols.h"

#define BLOCKS   64
#define RAW_SIZE 16

static const struct row {
    const char *alg, *cipher, *plain;
    size_t key, iv;
} rows[] = {
    { "RC4", "SCHANNEL-RC4", "RC4", 16, 0 },
    { "RC2-CBC", "SCHANNEL-RC2-CBC", "RC2-CBC", 16, 8 },
    { "DES-CBC", "SCHANNEL-DES-CBC", "DES-CBC", 8, 8 },
    { "DES-EDE-CBC", "SCHANNEL-DES-EDE-CBC", "DES-EDE-CBC", 16, 8 },
    { "DES-EDE3-CBC", "SCHANNEL-DES-EDE3-CBC", "DES-EDE3-CBC", 24, 8 },
    { "AES-128-CBC", "SCHANNEL-AES-128-CBC", "AES-128-CBC", 16, 16 },
    { "AES-192-CBC", "SCHANNEL-AES-192-CBC", "AES-192-CBC", 24, 16 },
    { "AES-256-CBC", "SCHANNEL-AES-256-CBC", "AES-256-CBC", 32, 16 },
};

static EVP_SKEY *import_list(struct list *list)
{
    list->params[list->count] = OSSL_PARAM_construct_end();
    return EVP_SKEY_import(libctx, "SCHANNEL", NULL, OSSL_SKEYMGMT_SELECT_SECRET_KEY, list->params);
}

static EVP_SKEY *import_raw(const char *alg, const uint8_t *bytes, size_t size)
{
    struct list list;

    list_start(&list);
    add_text(&list, "alg", alg);
    add_octets(&list, "raw-bytes", bytes, size);
    return import_list(&list);
}

/* The same live key as |key|. */
static EVP_SKEY *import_handle(EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE];
    struct list list;
    EVP_SKEY *skey;

    get_handle(key, handle);
    list_start(&list);
    add_octets(&list, "key-handle", handle, sizeof(handle));
    skey = import_list(&list);
    assert_non_null(skey);
    return skey;
}

static EVP_CIPHER_CTX *bind_cipher(const char *name, EVP_SKEY *skey, const uint8_t *iv,
                                   size_t iv_size, int encrypt)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, name, NULL);

    assert_non_null(context);
    assert_non_null(cipher);
    if (!EVP_CipherInit_SKEY(context, cipher, skey, iv, iv_size, encrypt, NULL)) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    EVP_CIPHER_free(cipher);
    return context;
}

static void advance(EVP_CIPHER_CTX *context, const uint8_t *in, int size, uint8_t *out)
{
    int written = 0;

    assert_non_null(context);
    assert_int_equal(EVP_CipherUpdate(context, out, &written, in, size), 1);
    assert_int_equal(written, size);
}

static void encrypt_once(const char *cipher, EVP_SKEY *skey, const uint8_t *in, int size,
                         uint8_t *out)
{
    EVP_CIPHER_CTX *context = bind_cipher(cipher, skey, NULL, 0, 1);

    advance(context, in, size, out);
    EVP_CIPHER_CTX_free(context);
}

/* What libcrypto's own cipher makes of it, without padding. */
static void encrypt_plainly(const struct row *row, const uint8_t *key, const uint8_t *iv,
                            const uint8_t *in, int size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, row->plain, NULL);
    int written = 0;

    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, key, iv, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, in, size), 1);
    assert_int_equal(written, size);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

static void raw_bytes_encrypt_as_libcrypto_does_in_both_directions(void **state)
{
    uint8_t key[32], iv[16], text[BLOCKS], expected[BLOCKS], actual[BLOCKS];

    (void)state;
    pattern(key, sizeof(key), 3);
    pattern(iv, sizeof(iv), 5);
    pattern(text, sizeof(text), 7);
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_SKEY *skey = import_raw(rows[n].alg, key, rows[n].key);
        EVP_CIPHER_CTX *context;

        assert_non_null(skey);
        assert_int_equal(EVP_SKEY_is_a(skey, "SCHANNEL"), 1);
        context = bind_cipher(rows[n].cipher, skey, iv, rows[n].iv, 1);
        encrypt_plainly(&rows[n], key, iv, text, BLOCKS, expected);
        advance(context, text, BLOCKS, actual);
        assert_memory_equal(actual, expected, BLOCKS);
        EVP_CIPHER_CTX_free(context);
        if (rows[n].iv != 0) {
            context = bind_cipher(rows[n].cipher, skey, iv, rows[n].iv, 0);
            advance(context, expected, BLOCKS, actual);
            assert_memory_equal(actual, text, BLOCKS);
            EVP_CIPHER_CTX_free(context);
        }
        EVP_SKEY_free(skey);
        assert_no_errors();
    }
}

/* One stream, through a context bound by handle, one by EVP_SKEY and a key from a blob. */
static void state_is_shared_with_the_pkey_and_travels_in_the_blob(void **state)
{
    uint8_t key[32], iv[16] = { 0 }, text[BLOCKS], expected[BLOCKS], actual[BLOCKS];

    (void)state;
    pattern(key, sizeof(key), 3);
    pattern(text, sizeof(text), 7);
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *pkey = make_key(rows[n].alg, NULL, key, rows[n].key);
        EVP_SKEY *skey = import_handle(pkey), *other = import_handle(pkey), *moved;
        uint8_t blob[MAX_BLOB];
        struct list list;
        char id[32];

        encrypt_plainly(&rows[n], key, iv, text, BLOCKS, expected);
        encrypt_once(rows[n].cipher, skey, text, 16, actual);
        encrypt_once(rows[n].cipher, other, text + 16, 16, actual + 16);
        list_start(&list);
        add_octets(&list, "opaque-blob", blob, export_blob(pkey, blob));
        assert_non_null(moved = import_list(&list));
        encrypt_once(rows[n].cipher, moved, text + 32, 32, actual + 32);
        assert_memory_equal(actual, expected, BLOCKS);
        encrypt_once(rows[n].cipher, skey, text + 32, 32, actual + 32);
        assert_memory_equal(actual, expected, BLOCKS);

        get_id(pkey, id);
        assert_string_equal(EVP_SKEY_get0_key_id(skey), id);
        assert_string_equal(EVP_SKEY_get0_key_id(other), id);
        EVP_SKEY_free(skey);
        EVP_SKEY_free(moved);
        assert_int_equal(set_number(pkey, "retire", 1), 1);
        assert_null(bind_cipher(rows[n].cipher, other, NULL, 0, 1));
        assert_reason("key has been retired", rows[n].alg);
        EVP_PKEY_free(pkey);
        EVP_SKEY_free(other);
    }
}

static int never_called(const OSSL_PARAM params[], void *arg)
{
    (void)params;
    *(int *)arg = 1;
    return 1;
}

static void generated_keys_differ_and_do_not_come_out(void **state)
{
    uint8_t text[BLOCKS] = { 0 }, out[2][BLOCKS];
    const uint8_t *raw;
    size_t size;
    int called = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct list list;
        EVP_SKEY *skey[2];

        list_start(&list);
        add_text(&list, "alg", rows[n].alg);
        add_number(&list, n % 2 ? "bits" : "key-length", rows[n].key * (n % 2 ? 8 : 1));
        list.params[list.count] = OSSL_PARAM_construct_end();
        for (int k = 0; k < 2; k++) {
            skey[k] = EVP_SKEY_generate(libctx, "SCHANNEL", NULL, list.params);
            assert_non_null(skey[k]);
            encrypt_once(rows[n].cipher, skey[k], text, BLOCKS, out[k]);
        }
        assert_memory_not_equal(out[0], out[1], BLOCKS);
        assert_string_not_equal(EVP_SKEY_get0_key_id(skey[0]), EVP_SKEY_get0_key_id(skey[1]));
        assert_int_equal(EVP_SKEY_get0_raw_key(skey[0], &raw, &size), 0);
        assert_reason("key is not exportable", rows[n].alg);
        assert_int_equal(EVP_SKEY_export(skey[0], OSSL_SKEYMGMT_SELECT_ALL, never_called, &called),
                         0);
        assert_reason("key is not exportable", rows[n].alg);
        EVP_SKEY_free(skey[0]);
        EVP_SKEY_free(skey[1]);
    }
    assert_int_equal(called, 0);
}

static void an_exportable_key_shows_its_bytes_as_long_as_it_lives(void **state)
{
    static const uint8_t zeros[RAW_SIZE];
    uint8_t key[RAW_SIZE], handle[KEY_HANDLE_SIZE];
    const uint8_t *raw, *again;
    struct list list;
    size_t size;
    EVP_PKEY *pkey;
    EVP_SKEY *skey;

    (void)state;
    pattern(key, sizeof(key), 3);
    list_start(&list);
    add_text(&list, "alg", "AES-128-CBC");
    add_octets(&list, "secret", key, sizeof(key));
    add_number(&list, "exportable", 1);
    list.params[list.count] = OSSL_PARAM_construct_end();
    pkey = from_data(list.params);
    get_handle(pkey, handle);
    skey = import_handle(pkey);
    assert_int_equal(EVP_SKEY_get0_raw_key(skey, &raw, &size), 1);
    assert_int_equal(size, sizeof(key));
    assert_memory_equal(raw, key, size);
    assert_int_equal(EVP_SKEY_get0_raw_key(skey, &again, &size), 1);
    assert_ptr_equal(again, raw);
    assert_int_equal(set_number(pkey, "retire", 1), 1);
    EVP_PKEY_free(pkey);
    assert_memory_equal(raw, zeros, size);
    assert_int_equal(EVP_SKEY_get0_raw_key(skey, &again, &size), 0);
    assert_reason("key has been retired", "AES-128-CBC");
    EVP_SKEY_free(skey);
}

static void mac_of(EVP_SKEY *skey, const char *name, const OSSL_PARAM params[], const uint8_t *data,
                   size_t size, uint8_t out[20])
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, name, NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    size_t written;

    assert_int_equal(EVP_MAC_init_SKEY(context, skey, params), 1);
    assert_int_equal(EVP_MAC_update(context, data, size), 1);
    assert_int_equal(EVP_MAC_final(context, out, &written, 20), 1);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
}

static void macs_take_keys_and_share_the_record_number(void **state)
{
    uint8_t key[20], data[40], expected[20], actual[20];
    unsigned type = 23, version = 0x0301, length = sizeof(data);
    OSSL_PARAM record[] = {
        OSSL_PARAM_construct_uint("record-type", &type),
        OSSL_PARAM_construct_uint("record-version", &version),
        OSSL_PARAM_construct_uint("record-length", &length),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *pkey;
    EVP_SKEY *skey;

    (void)state;
    pattern(key, sizeof(key), 3);
    pattern(data, sizeof(data), 7);
    pkey = make_key("TLS1-MAC", "SHA1", key, sizeof(key));
    skey = import_handle(pkey);
    mac_of(skey, "TLS1-MAC", NULL, data, sizeof(data), actual);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, "SHA1", NULL, key, sizeof(key), data,
                              sizeof(data), expected, sizeof(expected), NULL));
    assert_memory_equal(actual, expected, sizeof(expected));
    assert_int_equal(number_of(pkey, "sequence"), 0);
    for (uint64_t n = 0; n < 3; n++) {
        uint8_t covered[13 + sizeof(data)] = { 0, 0, 0, 0, 0, 0, 0, (uint8_t)n, 23, 3, 1, 0, 40 };

        memcpy(covered + 13, data, sizeof(data));
        assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, "SHA1", NULL, key, sizeof(key), covered,
                                  sizeof(covered), expected, sizeof(expected), NULL));
        mac_of(skey, "TLS1-MAC", record, data, sizeof(data), actual);
        assert_memory_equal(actual, expected, sizeof(expected));
        assert_int_equal(number_of(pkey, "sequence"), n + 1);
    }
    EVP_SKEY_free(skey);
    EVP_PKEY_free(pkey);
}

/* ---- refusals ---- */

static void a_key_of_another_kind_is_refused(void **state)
{
    uint8_t key[20];
    EVP_SKEY *aes, *mac;
    EVP_MAC *method = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(method);
    struct list list;

    (void)state;
    pattern(key, sizeof(key), 3);
    aes = import_raw("AES-128-CBC", key, 16);
    list_start(&list);
    add_text(&list, "alg", "TLS1-MAC");
    add_text(&list, "digest", "SHA1");
    add_octets(&list, "raw-bytes", key, 20);
    assert_non_null(mac = import_list(&list));
    assert_null(bind_cipher("SCHANNEL-RC4", aes, NULL, 0, 1));
    assert_reason("wrong kind of key", "EVP_SKEY: expected a key of RC4");
    assert_null(bind_cipher("SCHANNEL-RC4", mac, NULL, 0, 1));
    assert_reason("wrong kind of key", "EVP_SKEY: expected a cipher key");
    assert_int_equal(EVP_MAC_init_SKEY(context, aes, NULL), 0);
    assert_reason("wrong kind of key", "EVP_SKEY: expected a mac key");
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(method);
    EVP_SKEY_free(aes);
    EVP_SKEY_free(mac);
}

static void an_import_says_what_it_lacks_or_has_twice(void **state)
{
    static const struct {
        const char *names[3]; /* of parameters of 16 octets, or "alg" */
        const char *reason, *detail;
    } cases[] = {
        { { "raw-bytes" }, "missing parameter", "alg: " },
        { { "alg" }, "missing parameter", "secret: " },
        { { "alg", "raw-bytes", "secret" },
          "conflicting parameters",
          "raw-bytes: excludes secret" },
        { { "key-handle" }, "unknown key handle", "" },
        { { "key-handle", "alg" }, "conflicting parameters", "key-handle: excludes alg" },
        { { "key-handle", "raw-bytes" }, "conflicting parameters", "excludes raw-bytes" },
        { { "opaque-blob" }, "malformed blob", "" },
        { { "alg", "opaque-blob" }, "conflicting parameters", "opaque-blob: " },
    };
    uint8_t bytes[16];
    OSSL_PARAM none[] = { OSSL_PARAM_construct_end() };

    (void)state;
    pattern(bytes, sizeof(bytes), 3);
    for (size_t n = 0; n < COUNT(cases); n++) {
        struct list list;

        list_start(&list);
        for (size_t k = 0; k < 3 && cases[n].names[k] != NULL; k++) {
            if (strcmp(cases[n].names[k], "alg") == 0)
                add_text(&list, "alg", "AES-128-CBC");
            else
                add_octets(&list, cases[n].names[k], bytes, sizeof(bytes));
        }
        assert_null(import_list(&list));
        assert_reason(cases[n].reason, cases[n].detail);
    }
    assert_null(EVP_SKEY_import(libctx, "SCHANNEL", NULL, OSSL_SKEYMGMT_SELECT_PARAMETERS, none));
    assert_reason("key has no public part", "");
    assert_null(EVP_SKEY_import_raw_key(libctx, "SCHANNEL", bytes, sizeof(bytes), NULL));
    assert_reason("missing parameter", "alg: ");
    assert_null(import_raw("IDEA-CBC", bytes, sizeof(bytes)));
    assert_reason("unknown algorithm", "alg: ");
}

/* In a library context that has no random numbers until the default provider is loaded. */
static void an_identifier_is_random(void **state)
{
    OSSL_LIB_CTX *others = libctx;
    OSSL_PROVIDER *provider, *standard;
    uint8_t key[16];
    EVP_SKEY *skey;

    (void)state;
    pattern(key, sizeof(key), 3);
    assert_non_null(libctx = OSSL_LIB_CTX_new());
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(libctx, MODULE_DIR), 1);
    assert_non_null(provider = OSSL_PROVIDER_load(libctx, "schannel"));
    assert_non_null(skey = import_raw("RC4", key, sizeof(key)));
    assert_null(EVP_SKEY_get0_key_id(skey));
    assert_reason(NULL, "no random bytes for a key identifier");
    assert_non_null(standard = OSSL_PROVIDER_load(libctx, "default"));
    assert_int_equal(strlen(EVP_SKEY_get0_key_id(skey)), 16);
    assert_no_errors();
    EVP_SKEY_free(skey);
    OSSL_PROVIDER_unload(standard);
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(libctx);
    libctx = others;
}

static void a_key_length_is_one_byte_at_least(void **state)
{
    struct list list;

    (void)state;
    list_start(&list);
    add_text(&list, "alg", "RC4");
    add_number(&list, "key-length", 0);
    list.params[list.count] = OSSL_PARAM_construct_end();
    assert_null(EVP_SKEY_generate(libctx, "SCHANNEL", NULL, list.params));
    assert_reason("invalid parameter", "key-length: ");
}

static void a_handle_may_have_an_unknown_parameter_beside_it(void **state)
{
    uint8_t key[16], handle[KEY_HANDLE_SIZE];
    EVP_PKEY *pkey;
    EVP_SKEY *skey;
    struct list list;
    char id[32];

    (void)state;
    pattern(key, sizeof(key), 3);
    pkey = make_key("RC4", NULL, key, sizeof(key));
    get_handle(pkey, handle);
    get_id(pkey, id);
    list_start(&list);
    add_text(&list, "colour", "green");
    add_octets(&list, "key-handle", handle, sizeof(handle));
    assert_non_null(skey = import_list(&list));
    assert_string_equal(EVP_SKEY_get0_key_id(skey), id);
    EVP_SKEY_free(skey);
    EVP_PKEY_free(pkey);
    assert_no_errors();
}

/* ---- derivation ---- */

#if OPENSSL_VERSION_PREREQ(3, 6)

static const char *const usages[] = { "client-write-key", "server-write-key", "client-write-mac",
                                      "server-write-mac" };

/* The derived |skey| works as the |size| key bytes that the KDF gives for the same parameters. */
static void assert_works_as(EVP_SKEY *skey, int is_mac, const struct protocol *protocol,
                            const uint8_t *bytes, size_t size)
{
    uint8_t text[BLOCKS], expected[BLOCKS], actual[BLOCKS];
    struct list list;
    EVP_SKEY *known;

    assert_non_null(skey);
    pattern(text, sizeof(text), 7);
    list_start(&list);
    add_text(&list, "alg", is_mac ? protocol->mac : "RC4");
    add_octets(&list, "raw-bytes", bytes, size);
    if (is_mac)
        add_text(&list, "digest", "MD5");
    assert_non_null(known = import_list(&list));
    if (is_mac) {
        mac_of(known, protocol->mac, NULL, text, sizeof(text), expected);
        mac_of(skey, protocol->mac, NULL, text, sizeof(text), actual);
        assert_memory_equal(actual, expected, 16);
    } else {
        encrypt_once("SCHANNEL-RC4", known, text, BLOCKS, expected);
        encrypt_once("SCHANNEL-RC4", skey, text, BLOCKS, actual);
        assert_memory_equal(actual, expected, BLOCKS);
    }
    EVP_SKEY_free(known);
}

/* Not exportable, unlike new_master's. */
static EVP_SKEY *import_master(const struct protocol *protocol, const struct material *material)
{
    struct list list;

    describe_derivation(&list, protocol, material);
    add_text(&list, "alg", protocol->master);
    return import_list(&list);
}

static EVP_SKEY *derive_with_kdf(EVP_KDF_CTX *context, const char *usage, size_t size)
{
    OSSL_PARAM params[] = { text_param("usage", usage), OSSL_PARAM_construct_end() };

    return EVP_KDF_derive_SKEY(context, NULL, "SCHANNEL", NULL, size, params);
}

static void a_master_gives_all_session_keys_without_a_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n < PROTOCOLS; n++) {
        const struct protocol *protocol = &protocols[n];
        struct material material;
        EVP_SKEY *master;
        EVP_KDF *kdf = EVP_KDF_fetch(libctx, protocol->kdf, NULL);
        EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf), *plain = EVP_KDF_CTX_new(kdf);
        EVP_PKEY *pkey;
        struct list list;

        make_material(&material, 9);
        describe_derivation(&list, protocol, &material);
        assert_int_equal(EVP_KDF_CTX_set_params(plain, list.params), 1);
        assert_non_null(master = import_master(protocol, &material));
        assert_int_equal(EVP_KDF_CTX_set_SKEY(context, master, n % 2 ? NULL : "secret"), 1);
        pkey = new_master(protocol, &material);
        for (size_t k = 0; k < COUNT(usages); k++) {
            OSSL_PARAM usage[] = { text_param("usage", usages[k]), OSSL_PARAM_construct_end() };
            const int is_mac = k >= 2;
            EVP_PKEY_CTX *exchange = EVP_PKEY_CTX_new_from_pkey(libctx, pkey, NULL);
            uint8_t bytes[MAX_KEY_BYTES];
            size_t size;
            EVP_SKEY *skey;

            assert_int_equal(EVP_PKEY_derive_init(exchange), 1);
            if (is_mac && !protocol->has_mac_keys) {
                assert_null(derive_with_kdf(context, usages[k], 0));
                assert_reason("unknown usage", "write key is the MAC secret");
                EVP_PKEY_CTX_free(exchange);
                continue;
            }
            assert_int_equal(EVP_KDF_CTX_set_params(plain, usage), 1);
            size = EVP_KDF_CTX_get_kdf_size(plain);
            assert_int_equal(EVP_KDF_derive(plain, bytes, size, NULL), 1);

            skey = derive_with_kdf(context, usages[k], size);
            assert_works_as(skey, is_mac, protocol, bytes, size);
            EVP_SKEY_free(skey);
            skey = derive_with_kdf(context, usages[k], 0);
            assert_works_as(skey, is_mac, protocol, bytes, size);
            EVP_SKEY_free(skey);
            skey = derive_with_kdf(plain, usages[k], size);
            assert_works_as(skey, is_mac, protocol, bytes, size);
            EVP_SKEY_free(skey);
            skey = EVP_PKEY_derive_SKEY(exchange, NULL, "SCHANNEL", NULL, size, usage);
            assert_works_as(skey, is_mac, protocol, bytes, size);
            EVP_SKEY_free(skey);
            assert_null(derive_with_kdf(context, usages[k], size + 1));
            assert_reason("invalid length", "keylen: ");
            EVP_PKEY_CTX_free(exchange);
        }
        assert_no_errors();
        EVP_PKEY_free(pkey);
        EVP_KDF_CTX_free(context);
        EVP_KDF_CTX_free(plain);
        EVP_KDF_free(kdf);
        EVP_SKEY_free(master);
    }
}

static int derive_raw(EVP_KDF_CTX *context, const char *usage, const char *label, uint8_t *out,
                      size_t size)
{
    OSSL_PARAM params[] = {
        text_param("usage", usage),      octets_param("label", label, strlen(label)),
        octets_param("seed", "seed", 4), octets_param("handshake", "messages", 8),
        OSSL_PARAM_construct_end(),
    };

    return EVP_KDF_derive(context, out, size, params);
}

/* Bytes of a master that is not exportable: what a handshake shows and nothing else. */
static void raw_output_of_a_master_is_what_the_key_exchange_gives(void **state)
{
    struct material material;
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-KDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf), *plain = EVP_KDF_CTX_new(kdf), *copy;
    uint8_t out[48], expected[48];
    struct list list;
    EVP_SKEY *master;

    (void)state;
    make_material(&material, 9);
    describe_derivation(&list, &protocols[TLS1], &material);
    assert_int_equal(EVP_KDF_CTX_set_params(plain, list.params), 1);
    assert_non_null(master = import_master(&protocols[TLS1], &material));
    assert_int_equal(EVP_KDF_CTX_set_SKEY(context, master, NULL), 1);
    assert_non_null(copy = EVP_KDF_CTX_dup(context));
    assert_int_equal(derive_raw(plain, "finished-client", "", expected, 12), 1);
    assert_int_equal(derive_raw(context, "finished-client", "", out, 12), 1);
    assert_memory_equal(out, expected, 12);
    assert_int_equal(derive_raw(plain, "prf", "exporter", expected, 48), 1);
    assert_int_equal(derive_raw(copy, "prf", "exporter", out, 48), 1);
    assert_memory_equal(out, expected, 48);
    for (size_t k = 0; k < COUNT(usages); k++) {
        assert_int_equal(derive_raw(context, usages[k], "", out, 16), 0);
        assert_reason("key is not exportable", usages[k]);
    }
    assert_int_equal(derive_raw(context, "key-block", "", out, 48), 0);
    assert_reason("key is not exportable", "key-block");
    assert_int_equal(derive_raw(context, "prf", "key expansion", out, 48), 0);
    assert_reason("key is not exportable", "prf");
    assert_null(derive_with_kdf(context, "prf", 48));
    assert_reason("unknown usage", "for a key object");
    assert_null(derive_with_kdf(context, "key-block", 48));
    assert_reason("unknown usage", "for a key object");
    EVP_KDF_CTX_reset(copy);
    assert_int_equal(derive_raw(copy, "finished-client", "", out, 12), 0);
    assert_reason("missing parameter", "secret: ");
    EVP_KDF_CTX_free(copy);
    EVP_KDF_CTX_free(context);
    EVP_KDF_CTX_free(plain);
    EVP_KDF_free(kdf);
    EVP_SKEY_free(master);
}

static void only_the_protocols_own_master_can_be_set(void **state)
{
    struct material material;
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-KDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM secret[] = { octets_param("secret", material.secret, 48),
                            OSSL_PARAM_construct_end() };
    uint8_t out[12];
    EVP_SKEY *master, *other;

    (void)state;
    make_material(&material, 9);
    assert_non_null(master = import_master(&protocols[TLS1], &material));
    assert_non_null(other = import_master(&protocols[SSL3], &material));
    assert_int_equal(EVP_KDF_CTX_set_SKEY(context, other, NULL), 0);
    assert_reason("wrong kind of key", "key: expected a master key of TLS 1.0");
    assert_int_equal(EVP_KDF_CTX_set_SKEY(context, master, "seed"), 0);
    assert_reason("invalid parameter", "seed: ");
    EVP_SKEY_free(other);
    assert_non_null(other = import_raw("RC4", material.secret, 16));
    assert_int_equal(EVP_KDF_CTX_set_SKEY(context, other, "secret"), 0);
    assert_reason("wrong kind of key", "secret: expected a master key");
    assert_int_equal(EVP_KDF_CTX_set_SKEY(context, master, NULL), 1);
    assert_int_equal(EVP_KDF_CTX_set_params(context, secret), 1);
    assert_int_equal(derive_raw(context, "finished-client", "", out, 12), 0);
    assert_reason("conflicting parameters", "secret: excluded by the EVP_SKEY");
    assert_null(derive_with_kdf(context, "client-write-key", 0));
    assert_reason("conflicting parameters", "secret: excluded by the EVP_SKEY");
    EVP_KDF_CTX_reset(context);
    assert_int_equal(EVP_KDF_CTX_set_SKEY(context, master, NULL), 1);
    secret[0].key = "premaster";
    assert_int_equal(EVP_KDF_CTX_set_params(context, secret), 1);
    assert_int_equal(derive_raw(context, "finished-client", "", out, 12), 0);
    assert_reason("conflicting parameters", "premaster: excluded by the EVP_SKEY");
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    EVP_SKEY_free(master);
    EVP_SKEY_free(other);
}

/* Two hold the blob of a master that opens once: the first one to derive from it has it. */
static void a_transferred_master_derives_for_one_of_two(void **state)
{
    char claims[128], command[160];

    (void)state;
    snprintf(claims, sizeof(claims), "%s/skey-claims", directory);
    snprintf(command, sizeof(command), "rm -rf '%s'", claims);
    assert_int_equal(mkdir(claims, 0700), 0);
    for (size_t n = 0; n < PROTOCOLS; n++) {
        EVP_KDF *kdf = EVP_KDF_fetch(libctx, protocols[n].kdf, NULL);
        EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
        struct material material;
        EVP_SKEY *masters[2], *key;
        EVP_PKEY *pkey;
        uint8_t blob[MAX_BLOB];
        struct list list;

        make_material(&material, 9);
        pkey = new_master(&protocols[n], &material);
        assert_int_equal(set_text(pkey, "claim-dir", claims), 1);
        assert_int_equal(set_text(pkey, "blob-mode", "transfer"), 1);
        list_start(&list);
        add_octets(&list, "opaque-blob", blob, export_blob(pkey, blob));
        add_text(&list, "claim-dir", claims);
        assert_non_null(masters[0] = import_list(&list));
        assert_non_null(masters[1] = import_list(&list));
        assert_int_equal(EVP_KDF_CTX_set_SKEY(context, masters[0], NULL), 1);
        assert_null(derive_with_kdf(context, "prf", 0)); /* which claims nothing */
        assert_reason("unknown usage", "usage: ");
        assert_int_equal(EVP_KDF_CTX_set_SKEY(context, masters[1], NULL), 1);
        assert_non_null(key = derive_with_kdf(context, "client-write-key", 0));
        EVP_SKEY_free(key);
        assert_int_equal(EVP_KDF_CTX_set_SKEY(context, masters[0], NULL), 1);
        assert_null(derive_with_kdf(context, "client-write-key", 0));
        assert_reason("blob was opened before", "");
        EVP_SKEY_free(masters[0]);
        EVP_SKEY_free(masters[1]);
        EVP_PKEY_free(pkey);
        EVP_KDF_CTX_free(context);
        EVP_KDF_free(kdf);
    }
    assert_int_equal(system(command), 0);
}

#endif

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(raw_bytes_encrypt_as_libcrypto_does_in_both_directions),
        TEST(state_is_shared_with_the_pkey_and_travels_in_the_blob),
        TEST(generated_keys_differ_and_do_not_come_out),
        TEST(an_exportable_key_shows_its_bytes_as_long_as_it_lives),
        TEST(macs_take_keys_and_share_the_record_number),
        TEST(a_key_of_another_kind_is_refused),
        TEST(an_import_says_what_it_lacks_or_has_twice),
        TEST(an_identifier_is_random),
        TEST(a_key_length_is_one_byte_at_least),
        TEST(a_handle_may_have_an_unknown_parameter_beside_it),
#if OPENSSL_VERSION_PREREQ(3, 6)
        TEST(a_master_gives_all_session_keys_without_a_byte),
        TEST(raw_output_of_a_master_is_what_the_key_exchange_gives),
        TEST(only_the_protocols_own_master_can_be_set),
        TEST(a_transferred_master_derives_for_one_of_two),
#endif
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
