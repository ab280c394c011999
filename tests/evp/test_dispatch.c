/*
 * The dispatch tables without libcrypto in between: calls that it does not make, or only newer
 * versions of it do, are answered all the same, as provider-keymgmt(7) and its like describe them.
 *
 * OSSL_PROVIDER_query_operation gives the tables; keys here are the provider's own objects.
 */
#include <openssl/core_dispatch.h>
#include "protocols.h"
#include "skey_dispatch.h"

typedef void function(void);

static OSSL_PROVIDER *provider;
static void *provctx;

static int setup(void **state)
{
    int result = fixture_setup(state);

    provider = OSSL_PROVIDER_load(libctx, "schannel");
    assert_non_null(provider);
    provctx = OSSL_PROVIDER_get0_provider_ctx(provider);
    return result;
}

static int teardown(void **state)
{
    OSSL_PROVIDER_unload(provider);
    return fixture_teardown(state);
}

/* The function |id| of a table; NULL: it has none. */
static function *function_of(const OSSL_ALGORITHM *algorithm, int id)
{
    const OSSL_DISPATCH *entry = algorithm->implementation;

    while (entry->function_id != 0 && entry->function_id != id)
        entry++;
    return entry->function;
}

/* |what|: the algorithm's name, or a part of its properties. */
static function *find(int operation, const char *what, int id)
{
    int no_cache;
    const OSSL_ALGORITHM *row = OSSL_PROVIDER_query_operation(provider, operation, &no_cache);

    while (strcmp(row->algorithm_names, what) != 0 &&
           strstr(row->property_definition, what) == NULL) {
        row++;
        assert_non_null(row->algorithm_names);
    }
    assert_non_null(function_of(row, id));
    return function_of(row, id);
}

#define FIND(name, operation, what, id)                                                            \
    OSSL_FUNC_##name##_fn *name = (OSSL_FUNC_##name##_fn *)find(operation, what, id)
#define KEYMGMT(name, id) FIND(name, OSSL_OP_KEYMGMT, "SCHANNEL", OSSL_FUNC_KEYMGMT_##id)

/* ---- keys as the provider has them ---- */

static void *import(const OSSL_PARAM params[])
{
    KEYMGMT(keymgmt_new, NEW);
    KEYMGMT(keymgmt_import, IMPORT);
    void *key = keymgmt_new(provctx);

    assert_non_null(key);
    assert_int_equal(keymgmt_import(key, EVP_PKEY_KEYPAIR, params), 1);
    return key;
}

static void *new_key(const char *alg, const char *digest, int exportable)
{
    static const uint8_t secret[48] = { 1, 2, 3 };
    const int is_master = strstr(alg, "MASTER") != NULL;
    struct list list;

    list_start(&list);
    add_text(&list, "alg", alg);
    add_octets(&list, is_master ? "premaster" : "secret", secret, is_master ? 48 : 16);
    if (digest != NULL)
        add_text(&list, "digest", digest);
    if (exportable)
        add_number(&list, "exportable", 1);
    list.params[list.count] = OSSL_PARAM_construct_end();
    return import(list.params);
}

static void free_key(void *key)
{
    KEYMGMT(keymgmt_free, FREE);

    keymgmt_free(key);
}

static int set_one(void *key, OSSL_PARAM param)
{
    KEYMGMT(keymgmt_set_params, SET_PARAMS);
    const OSSL_PARAM params[] = { param, OSSL_PARAM_construct_end() };

    return keymgmt_set_params(key, params);
}

static void retire(void *key)
{
    int yes = 1;

    assert_int_equal(set_one(key, OSSL_PARAM_construct_int("retire", &yes)), 1);
}

/* ---- tests ---- */

static void what_is_not_there_can_be_freed(void **state)
{
    static const struct {
        int operation, id;
    } rows[] = {
        { OSSL_OP_KEYMGMT, OSSL_FUNC_KEYMGMT_FREE },
        { OSSL_OP_KEYMGMT, OSSL_FUNC_KEYMGMT_GEN_CLEANUP },
        { OSSL_OP_SKEYMGMT, OSSL_FUNC_SKEYMGMT_FREE },
        { OSSL_OP_KDF, OSSL_FUNC_KDF_FREECTX },
        { OSSL_OP_CIPHER, OSSL_FUNC_CIPHER_FREECTX },
        { OSSL_OP_MAC, OSSL_FUNC_MAC_FREECTX },
        { OSSL_OP_KEYEXCH, OSSL_FUNC_KEYEXCH_FREECTX },
        { OSSL_OP_ASYM_CIPHER, OSSL_FUNC_ASYM_CIPHER_FREECTX },
        { OSSL_OP_SIGNATURE, OSSL_FUNC_SIGNATURE_FREECTX },
        { OSSL_OP_ENCODER, OSSL_FUNC_ENCODER_FREECTX },
        { OSSL_OP_DECODER, OSSL_FUNC_DECODER_FREECTX },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        int no_cache;
        const OSSL_ALGORITHM *row =
            OSSL_PROVIDER_query_operation(provider, rows[n].operation, &no_cache);

        assert_non_null(row);
        for (; row->algorithm_names != NULL; row++) {
            void (*free_nothing)(void *) = (void (*)(void *))function_of(row, rows[n].id);

            assert_non_null(free_nothing);
            free_nothing(NULL);
        }
    }
    assert_no_errors();
}

static void a_key_object_without_a_key_says_so(void **state)
{
    KEYMGMT(keymgmt_new, NEW);
    KEYMGMT(keymgmt_has, HAS);
    KEYMGMT(keymgmt_match, MATCH);
    KEYMGMT(keymgmt_dup, DUP);
    KEYMGMT(keymgmt_get_params, GET_PARAMS);
    KEYMGMT(keymgmt_export, EXPORT);
    KEYMGMT(keymgmt_set_params, SET_PARAMS);
    void *key = keymgmt_new(provctx), *other = keymgmt_new(provctx);
    unsigned bits = 7;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("bits", &bits), OSSL_PARAM_construct_end() };
    char name[16] = "none";
    OSSL_PARAM digest[] = { OSSL_PARAM_construct_utf8_string("default-digest", name, sizeof(name)),
                            OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(keymgmt_has(NULL, EVP_PKEY_KEYPAIR), 0);
    assert_int_equal(keymgmt_has(key, OSSL_KEYMGMT_SELECT_PRIVATE_KEY), 0);
    assert_int_equal(keymgmt_match(key, other, OSSL_KEYMGMT_SELECT_KEYPAIR), 0);
    assert_int_equal(keymgmt_match(key, other, OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS), 0);
    ERR_clear_error();
    assert_null(keymgmt_dup(key, OSSL_KEYMGMT_SELECT_ALL));
    assert_reason("no key", "");
    assert_int_equal(keymgmt_get_params(key, params), 0);
    assert_reason("no key", "");
    assert_int_equal(bits, 7);
    assert_int_equal(keymgmt_export(key, OSSL_KEYMGMT_SELECT_PRIVATE_KEY, NULL, NULL), 0);
    assert_reason("no key", "");
    assert_int_equal(keymgmt_set_params(key, NULL), 1);
    /* whoever signs with it is told then */
    assert_int_equal(keymgmt_get_params(key, digest), 1);
    assert_false(OSSL_PARAM_modified(digest));
    assert_string_equal(name, "none");
    free_key(key);
    free_key(other);
    assert_no_errors();
}

static void a_key_manager_answers_every_selection(void **state)
{
    KEYMGMT(keymgmt_load, LOAD);
    KEYMGMT(keymgmt_import_types, IMPORT_TYPES);
    KEYMGMT(keymgmt_export_types, EXPORT_TYPES);
    KEYMGMT(keymgmt_gen_init, GEN_INIT);
    KEYMGMT(keymgmt_match, MATCH);
    const OSSL_PARAM wrong[] = { text_param("alg", "RC5"), OSSL_PARAM_construct_end() };
    void *key = new_key("RC4", NULL, 0);

    (void)state;
    assert_null(keymgmt_load(NULL, 0));
    assert_null(keymgmt_load(&key, sizeof(key) - 1));
    assert_null(keymgmt_import_types(OSSL_KEYMGMT_SELECT_PUBLIC_KEY));
    assert_null(keymgmt_export_types(OSSL_KEYMGMT_SELECT_PUBLIC_KEY));
    assert_non_null(keymgmt_import_types(OSSL_KEYMGMT_SELECT_PRIVATE_KEY));
    assert_int_equal(keymgmt_match(key, key, OSSL_KEYMGMT_SELECT_KEYPAIR), 1);
    assert_null(keymgmt_gen_init(provctx, OSSL_KEYMGMT_SELECT_KEYPAIR, wrong));
    assert_reason(NULL, "RC5");
    free_key(key);
    assert_no_errors();
}

static void operations_without_a_key_say_so(void **state)
{
    FIND(keyexch_newctx, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_NEWCTX);
    FIND(keyexch_freectx, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_FREECTX);
    FIND(keyexch_dupctx, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_DUPCTX);
    FIND(keyexch_init, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_INIT);
    FIND(keyexch_set_peer, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_SET_PEER);
    FIND(keyexch_derive, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_DERIVE);
    FIND(keyexch_set_ctx_params, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_SET_CTX_PARAMS);
    const OSSL_PARAM usage[] = { text_param("usage", "prf"), OSSL_PARAM_construct_end() };
    const OSSL_PARAM none[] = { OSSL_PARAM_construct_end() };
    void *context = keyexch_newctx(provctx), *copy = keyexch_dupctx(context);
    uint8_t out[48];
    size_t size;

    (void)state;
    assert_non_null(copy);
    assert_int_equal(keyexch_set_ctx_params(copy, NULL), 1);
    assert_int_equal(keyexch_set_ctx_params(copy, none), 1);
    assert_no_errors();
    assert_int_equal(keyexch_set_ctx_params(copy, usage), 0);
    assert_reason("no key", "usage: ");
    assert_int_equal(keyexch_init(context, NULL, usage), 0);
    assert_reason("no key", "usage: ");
    assert_int_equal(keyexch_derive(context, out, &size, sizeof(out)), 0);
    assert_reason("no key", "usage: ");
    assert_int_equal(keyexch_set_peer(context, NULL), 0);
    assert_reason("no key", "peer: ");
    keyexch_freectx(context);
    keyexch_freectx(copy);
}

static void a_key_exchange_starts_again_with_the_key_that_it_has(void **state)
{
    FIND(keyexch_newctx, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_NEWCTX);
    FIND(keyexch_freectx, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_FREECTX);
    FIND(keyexch_init, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_INIT);
    FIND(keyexch_derive, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_DERIVE);
    FIND(keyexch_derive_skey, OSSL_OP_KEYEXCH, "SCHANNEL", OSSL_FUNC_KEYEXCH_DERIVE_SKEY);
    static const uint8_t random[32] = { 7 };
    uint8_t out[2][48];
    size_t size = 0;
    unsigned wrong = 1;
    void *master = new_key("TLS1-MASTER", NULL, 0), *context = keyexch_newctx(provctx);
    const OSSL_PARAM prf[] = {
        text_param("usage", "prf"),
        octets_param("label", "exporter", 8),
        octets_param("seed", random, sizeof(random)),
        octets_param("client-random", random, sizeof(random)),
        octets_param("server-random", random, sizeof(random)),
        OSSL_PARAM_construct_end(),
    };
    const OSSL_PARAM no_text[] = { OSSL_PARAM_construct_uint("usage", &wrong),
                                   OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(keyexch_init(context, master, NULL), 1);
    assert_null(keyexch_derive_skey(context, "SCHANNEL", provctx, NULL, 16, NULL));
    assert_reason("missing parameter", "usage: ");
    assert_null(keyexch_derive_skey(context, "SCHANNEL", provctx, NULL, 16, no_text));
    assert_reason(NULL, "usage: ");
    for (int n = 0; n < 2; n++) {
        assert_int_equal(keyexch_init(context, n == 0 ? master : NULL, prf), 1);
        assert_int_equal(keyexch_derive(context, out[n], &size, sizeof(out[n])), 1);
        assert_int_equal(size, sizeof(out[n]));
    }
    assert_memory_equal(out[0], out[1], size);
    retire(master);
    assert_int_equal(keyexch_init(context, NULL, prf), 0);
    assert_reason("key has been retired", "");
    keyexch_freectx(context);
    free_key(master);
}

static void messages_and_signatures_without_a_key_say_so(void **state)
{
    FIND(asym_cipher_newctx, OSSL_OP_ASYM_CIPHER, "SCHANNEL", OSSL_FUNC_ASYM_CIPHER_NEWCTX);
    FIND(asym_cipher_freectx, OSSL_OP_ASYM_CIPHER, "SCHANNEL", OSSL_FUNC_ASYM_CIPHER_FREECTX);
    FIND(asym_cipher_dupctx, OSSL_OP_ASYM_CIPHER, "SCHANNEL", OSSL_FUNC_ASYM_CIPHER_DUPCTX);
    FIND(asym_cipher_encrypt_init, OSSL_OP_ASYM_CIPHER, "SCHANNEL",
         OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT);
    FIND(asym_cipher_encrypt, OSSL_OP_ASYM_CIPHER, "SCHANNEL", OSSL_FUNC_ASYM_CIPHER_ENCRYPT);
    FIND(signature_newctx, OSSL_OP_SIGNATURE, "SCHANNEL", OSSL_FUNC_SIGNATURE_NEWCTX);
    FIND(signature_freectx, OSSL_OP_SIGNATURE, "SCHANNEL", OSSL_FUNC_SIGNATURE_FREECTX);
    FIND(signature_dupctx, OSSL_OP_SIGNATURE, "SCHANNEL", OSSL_FUNC_SIGNATURE_DUPCTX);
    FIND(signature_digest_sign_init, OSSL_OP_SIGNATURE, "SCHANNEL",
         OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT);
    FIND(signature_digest_sign_update, OSSL_OP_SIGNATURE, "SCHANNEL",
         OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE);
    FIND(signature_digest_sign_final, OSSL_OP_SIGNATURE, "SCHANNEL",
         OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL);
    FIND(signature_set_ctx_params, OSSL_OP_SIGNATURE, "SCHANNEL",
         OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS);
    unsigned type = 23;
    const OSSL_PARAM record[] = { OSSL_PARAM_construct_uint("record-type", &type),
                                  OSSL_PARAM_construct_end() };
    const OSSL_PARAM none[] = { OSSL_PARAM_construct_end() };
    void *context = asym_cipher_newctx(provctx), *copy = asym_cipher_dupctx(context);
    uint8_t out[64];
    size_t size = 0;

    (void)state;
    assert_non_null(copy);
    assert_int_equal(asym_cipher_encrypt_init(context, NULL, NULL), 0);
    assert_reason("no key", "message: ");
    assert_int_equal(asym_cipher_encrypt(copy, out, &size, sizeof(out), out, 3), 0);
    assert_reason("no key", "message: ");
    asym_cipher_freectx(context);
    asym_cipher_freectx(copy);

    context = signature_newctx(provctx, NULL);
    assert_non_null(copy = signature_dupctx(context));
    assert_int_equal(signature_set_ctx_params(context, NULL), 1);
    assert_int_equal(signature_set_ctx_params(context, none), 1);
    assert_no_errors();
    assert_int_equal(signature_set_ctx_params(context, record), 0);
    assert_reason("no key", "signature: ");
    assert_int_equal(signature_digest_sign_init(context, NULL, NULL, NULL), 0);
    assert_reason("no key", "signature: ");
    assert_int_equal(signature_digest_sign_update(copy, out, 3), 0);
    assert_reason("no key", "signature: ");
    assert_int_equal(signature_digest_sign_final(copy, out, &size, sizeof(out)), 0);
    assert_reason("no key", "signature: ");
    signature_freectx(context);
    signature_freectx(copy);
}

static void a_signature_without_a_digest_is_of_the_keys_own(void **state)
{
    FIND(signature_newctx, OSSL_OP_SIGNATURE, "SCHANNEL", OSSL_FUNC_SIGNATURE_NEWCTX);
    FIND(signature_freectx, OSSL_OP_SIGNATURE, "SCHANNEL", OSSL_FUNC_SIGNATURE_FREECTX);
    FIND(signature_digest_sign_init, OSSL_OP_SIGNATURE, "SCHANNEL",
         OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT);
    FIND(signature_digest_sign_update, OSSL_OP_SIGNATURE, "SCHANNEL",
         OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE);
    FIND(signature_digest_sign_final, OSSL_OP_SIGNATURE, "SCHANNEL",
         OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL);
    static const char *const names[] = { "MD5", "", NULL };
    void *key = new_key("TLS1-MAC", "MD5", 0), *context = signature_newctx(provctx, NULL);
    uint8_t expected[16], out[16];

    (void)state;
    for (size_t n = 0; n < COUNT(names); n++) {
        size_t size = 0;

        assert_int_equal(signature_digest_sign_init(context, names[n], key, NULL), 1);
        assert_int_equal(signature_digest_sign_update(context, (const uint8_t *)"text", 4), 1);
        assert_int_equal(signature_digest_sign_final(context, out, &size, sizeof(out)), 1);
        assert_int_equal(size, sizeof(out));
        if (n == 0)
            memcpy(expected, out, sizeof(out));
        assert_memory_equal(out, expected, sizeof(out));
    }
    assert_int_equal(signature_digest_sign_init(context, "SHA1", key, NULL), 0);
    assert_reason("conflicting parameters", "digest: the key's own is MD5");
    signature_freectx(context);
    free_key(key);
    assert_no_errors();
}

static void only_a_schannel_key_is_encoded(void **state)
{
    static const char *const outputs[] = { "output=text", "output=opaqueblob",
                                           "output=simpleblob" };
    const OSSL_PARAM abstract[] = { OSSL_PARAM_construct_end() };

    (void)state;
    for (size_t n = 0; n < COUNT(outputs); n++) {
        FIND(encoder_newctx, OSSL_OP_ENCODER, outputs[n], OSSL_FUNC_ENCODER_NEWCTX);
        FIND(encoder_freectx, OSSL_OP_ENCODER, outputs[n], OSSL_FUNC_ENCODER_FREECTX);
        FIND(encoder_encode, OSSL_OP_ENCODER, outputs[n], OSSL_FUNC_ENCODER_ENCODE);
        void *context = encoder_newctx(provctx), *key = new_key("RC4", NULL, 0);

        assert_int_equal(encoder_encode(context, NULL, NULL, NULL, 0, NULL, NULL), 0);
        assert_reason("no key", "only a SCHANNEL key");
        assert_int_equal(encoder_encode(context, NULL, key, abstract, 0, NULL, NULL), 0);
        assert_reason("no key", "only a SCHANNEL key");
        free_key(key);
        encoder_freectx(context);
    }
    {
        FIND(encoder_newctx, OSSL_OP_ENCODER, "output=opaqueblob", OSSL_FUNC_ENCODER_NEWCTX);
        FIND(encoder_freectx, OSSL_OP_ENCODER, "output=opaqueblob", OSSL_FUNC_ENCODER_FREECTX);
        FIND(encoder_set_ctx_params, OSSL_OP_ENCODER, "output=opaqueblob",
             OSSL_FUNC_ENCODER_SET_CTX_PARAMS);
        FIND(encoder_does_selection, OSSL_OP_ENCODER, "output=opaqueblob",
             OSSL_FUNC_ENCODER_DOES_SELECTION);
        void *context = encoder_newctx(provctx);

        assert_int_equal(encoder_set_ctx_params(context, NULL), 1);
        assert_int_equal(encoder_does_selection(provctx, 0), 1);
        assert_int_equal(encoder_does_selection(provctx, OSSL_KEYMGMT_SELECT_PUBLIC_KEY), 0);
        encoder_freectx(context);
    }
}

static void a_cipher_is_told_the_sizes_that_it_gets(void **state)
{
    FIND(cipher_newctx, OSSL_OP_CIPHER, "SCHANNEL-AES-128-CBC", OSSL_FUNC_CIPHER_NEWCTX);
    FIND(cipher_freectx, OSSL_OP_CIPHER, "SCHANNEL-AES-128-CBC", OSSL_FUNC_CIPHER_FREECTX);
    FIND(cipher_encrypt_init, OSSL_OP_CIPHER, "SCHANNEL-AES-128-CBC",
         OSSL_FUNC_CIPHER_ENCRYPT_INIT);
    FIND(cipher_encrypt_skey_init, OSSL_OP_CIPHER, "SCHANNEL-AES-128-CBC",
         OSSL_FUNC_CIPHER_ENCRYPT_SKEY_INIT);
    FIND(cipher_get_params, OSSL_OP_CIPHER, "SCHANNEL-AES-128-CBC", OSSL_FUNC_CIPHER_GET_PARAMS);
    FIND(cipher_get_ctx_params, OSSL_OP_CIPHER, "SCHANNEL-AES-128-CBC",
         OSSL_FUNC_CIPHER_GET_CTX_PARAMS);
    static const uint8_t bytes[17] = { 5 };
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 }, small[8];
    char text[8];
    void *pointer = NULL;
    OSSL_PARAM shared[] = { OSSL_PARAM_construct_octet_string("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM answer[] = { OSSL_PARAM_construct_octet_ptr("iv", &pointer, 0),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM wrong[] = { OSSL_PARAM_construct_utf8_string("keylen", text, sizeof(text)),
                           OSSL_PARAM_construct_end() };
    void *context = cipher_newctx(provctx), *key = new_key("AES-128-CBC", NULL, 0);

    (void)state;
    assert_int_equal(cipher_encrypt_init(context, bytes, 17, bytes, 16, NULL), 0);
    assert_reason("invalid length", "key: expected 16 bytes");
    assert_int_equal(cipher_encrypt_init(context, bytes, 16, bytes, 17, NULL), 0);
    assert_reason("invalid length", "iv: expected 16 bytes");
    assert_int_equal(cipher_encrypt_skey_init(context, key, bytes, 17, NULL), 0);
    assert_reason("invalid length", "iv: expected 16 bytes");
    assert_int_equal(cipher_encrypt_skey_init(context, key, NULL, 0, shared), 0);
    assert_reason("conflicting parameters", "key-handle: excluded by the EVP_SKEY");
    shared[0].key = "opaque-blob";
    assert_int_equal(cipher_encrypt_skey_init(context, key, NULL, 0, shared), 0);
    assert_reason("conflicting parameters", "opaque-blob: excluded by the EVP_SKEY");
    assert_int_equal(cipher_get_params(wrong), 0);
    ERR_clear_error();

    assert_int_equal(cipher_encrypt_skey_init(context, key, bytes, 16, NULL), 1);
    assert_int_equal(cipher_get_ctx_params(context, answer), 1);
    assert_memory_equal(pointer, bytes, 16);
    answer[0] = OSSL_PARAM_construct_octet_string("iv", small, sizeof(small));
    assert_int_equal(cipher_get_ctx_params(context, answer), 0);
    assert_reason("output buffer too small", "iv: needs 16 bytes");
    retire(key);
    assert_int_equal(cipher_get_ctx_params(context, answer), 0);
    assert_reason("key has been retired", "");
    cipher_freectx(context);
    free_key(key);
}

static void a_mac_is_told_the_room_that_it_has(void **state)
{
    FIND(mac_newctx, OSSL_OP_MAC, "TLS1-MAC", OSSL_FUNC_MAC_NEWCTX);
    FIND(mac_freectx, OSSL_OP_MAC, "TLS1-MAC", OSSL_FUNC_MAC_FREECTX);
    FIND(mac_init_skey, OSSL_OP_MAC, "TLS1-MAC", OSSL_FUNC_MAC_INIT_SKEY);
    FIND(mac_update, OSSL_OP_MAC, "TLS1-MAC", OSSL_FUNC_MAC_UPDATE);
    FIND(mac_final, OSSL_OP_MAC, "TLS1-MAC", OSSL_FUNC_MAC_FINAL);
    FIND(mac_get_ctx_params, OSSL_OP_MAC, "TLS1-MAC", OSSL_FUNC_MAC_GET_CTX_PARAMS);
    FIND(mac_set_ctx_params, OSSL_OP_MAC, "TLS1-MAC", OSSL_FUNC_MAC_SET_CTX_PARAMS);
    KEYMGMT(keymgmt_get_params, GET_PARAMS);
    void *context = mac_newctx(provctx), *key = new_key("TLS1-MAC", "MD5", 0);
    uint8_t handle[KEY_HANDLE_SIZE], out[16], expected[16];
    static const uint8_t secret[16] = { 1, 2, 3 };
    uint64_t number = 0;
    size_t size = 0;
    OSSL_PARAM shared[] = { OSSL_PARAM_construct_octet_string("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM sequence[] = { OSSL_PARAM_construct_uint64("sequence", &number),
                              OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(keymgmt_get_params(key, shared), 1);
    assert_int_equal(mac_init_skey(context, key, shared), 0);
    assert_reason("conflicting parameters", "key-handle: excluded by the EVP_SKEY");
    assert_int_equal(mac_init_skey(context, key, NULL), 1);
    assert_int_equal(mac_update(context, (const uint8_t *)"abc", 3), 1);
    assert_int_equal(mac_final(context, out, &size, 15), 0);
    assert_reason("output buffer too small", "needs 16 bytes");
    assert_int_equal(mac_final(context, out, &size, 16), 1);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, "MD5", NULL, secret, sizeof(secret),
                              (const uint8_t *)"abc", 3, expected, sizeof(expected), NULL));
    assert_memory_equal(out, expected, 16);
    assert_int_equal(mac_set_ctx_params(context, NULL), 1);
    retire(key);
    assert_int_equal(mac_get_ctx_params(context, sequence), 0);
    assert_reason("key has been retired", "");
    assert_int_equal(mac_set_ctx_params(context, sequence), 0);
    assert_reason("key has been retired", "");
    mac_freectx(context);
    free_key(key);
}

static int count_raw_bytes(const OSSL_PARAM params[], void *arg)
{
    const OSSL_PARAM *raw = OSSL_PARAM_locate_const(params, "raw-bytes");

    *(size_t *)arg = raw != NULL ? raw->data_size : 0;
    return 1;
}

static void symmetric_key_objects_are_made_and_shown(void **state)
{
    FIND(skeymgmt_import, OSSL_OP_SKEYMGMT, "SCHANNEL", OSSL_FUNC_SKEYMGMT_IMPORT);
    FIND(skeymgmt_export, OSSL_OP_SKEYMGMT, "SCHANNEL", OSSL_FUNC_SKEYMGMT_EXPORT);
    FIND(skeymgmt_generate, OSSL_OP_SKEYMGMT, "SCHANNEL", OSSL_FUNC_SKEYMGMT_GENERATE);
    FIND(skeymgmt_get_key_id, OSSL_OP_SKEYMGMT, "SCHANNEL", OSSL_FUNC_SKEYMGMT_GET_KEY_ID);
    FIND(skeymgmt_free, OSSL_OP_SKEYMGMT, "SCHANNEL", OSSL_FUNC_SKEYMGMT_FREE);
    static const uint8_t bytes[16] = { 9 };
    const OSSL_PARAM rc4[] = { text_param("alg", "RC4"), octets_param("raw-bytes", bytes, 16),
                               OSSL_PARAM_construct_end() };
    const OSSL_PARAM handle[] = { octets_param("key-handle", bytes, 15),
                                  OSSL_PARAM_construct_end() };
    void *key, *master = new_key("TLS1-MASTER", NULL, 1), *own = new_key("RC4", NULL, 1);
    size_t size = 77;
    char id[40];

    (void)state;
    assert_null(skeymgmt_import(provctx, OSSL_SKEYMGMT_SELECT_SECRET_KEY, NULL));
    assert_reason("missing parameter", "alg: ");
    assert_null(skeymgmt_generate(provctx, NULL));
    assert_reason("missing parameter", "alg: ");
    assert_null(skeymgmt_import(provctx, OSSL_SKEYMGMT_SELECT_SECRET_KEY, handle));
    assert_reason("invalid length", "key-handle: ");
    assert_non_null(key = skeymgmt_import(provctx, OSSL_SKEYMGMT_SELECT_SECRET_KEY, rc4));
    assert_int_equal(skeymgmt_export(key, 1, count_raw_bytes, &size), 0);
    assert_reason("key has no public part", "");
    assert_int_equal(skeymgmt_export(key, OSSL_SKEYMGMT_SELECT_SECRET_KEY, count_raw_bytes, &size),
                     0);
    assert_reason("key is not exportable", "RC4");
    assert_int_equal(size, 77);
    snprintf(id, sizeof(id), "%s", skeymgmt_get_key_id(key));
    assert_int_equal(strlen(id), 16);
    assert_string_equal(skeymgmt_get_key_id(key), id);
    retire(key);
    assert_null(skeymgmt_get_key_id(key));
    assert_reason("key has been retired", "");
    skeymgmt_free(key);

    assert_int_equal(skeymgmt_export(own, OSSL_SKEYMGMT_SELECT_SECRET_KEY, count_raw_bytes, &size),
                     1);
    assert_int_equal(size, 16);
    /* a premaster secret is no key yet, so it is not called one */
    assert_int_equal(
        skeymgmt_export(master, OSSL_SKEYMGMT_SELECT_SECRET_KEY, count_raw_bytes, &size), 1);
    assert_int_equal(size, 0);
    free_key(own);
    free_key(master);
    assert_no_errors();
}

static void a_key_derivation_asks_its_master_each_time(void **state)
{
    FIND(kdf_newctx, OSSL_OP_KDF, "TLS1-KDF", OSSL_FUNC_KDF_NEWCTX);
    FIND(kdf_freectx, OSSL_OP_KDF, "TLS1-KDF", OSSL_FUNC_KDF_FREECTX);
    FIND(kdf_set_skey, OSSL_OP_KDF, "TLS1-KDF", OSSL_FUNC_KDF_SET_SKEY);
    FIND(kdf_derive_skey, OSSL_OP_KDF, "TLS1-KDF", OSSL_FUNC_KDF_DERIVE_SKEY);
    FIND(kdf_set_ctx_params, OSSL_OP_KDF, "TLS1-KDF", OSSL_FUNC_KDF_SET_CTX_PARAMS);
    FIND(kdf_get_ctx_params, OSSL_OP_KDF, "TLS1-KDF", OSSL_FUNC_KDF_GET_CTX_PARAMS);
    static const uint8_t random[32] = { 7 };
    const OSSL_PARAM params[] = {
        text_param("usage", "client-write-key"),
        text_param("cipher", "RC4"),
        text_param("digest", "MD5"),
        octets_param("client-random", random, sizeof(random)),
        octets_param("server-random", random, sizeof(random)),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM none[] = { OSSL_PARAM_construct_end() };
    void *context = kdf_newctx(provctx), *master = new_key("TLS1-MASTER", NULL, 0), *key;

    (void)state;
    assert_int_equal(kdf_set_ctx_params(context, NULL), 1);
    assert_int_equal(kdf_get_ctx_params(context, none), 1);
    assert_null(kdf_derive_skey(context, "SCHANNEL", provctx, NULL, 16, params));
    assert_reason("missing parameter", "");
    assert_int_equal(kdf_set_skey(context, master, "key"), 1);
    assert_non_null(key = kdf_derive_skey(context, "SCHANNEL", provctx, NULL, 16, params));
    free_key(key);
    retire(master);
    assert_null(kdf_derive_skey(context, "SCHANNEL", provctx, NULL, 16, params));
    assert_reason("key has been retired", "");
    assert_null(kdf_derive_skey(context, "SCHANNEL", provctx, NULL, 0, params));
    assert_reason("key has been retired", "");
    kdf_freectx(context);
    free_key(master);
}

static void the_provider_answers_questions_of_the_right_type_only(void **state)
{
    static const char *const names[] = { OSSL_PROV_PARAM_NAME, OSSL_PROV_PARAM_VERSION,
                                         OSSL_PROV_PARAM_BUILDINFO, OSSL_PROV_PARAM_STATUS };
    char text[4];
    unsigned number;

    (void)state;
    for (size_t n = 0; n < COUNT(names); n++) {
        const int is_number = strcmp(names[n], OSSL_PROV_PARAM_STATUS) == 0;
        OSSL_PARAM params[] = { is_number
                                    ? OSSL_PARAM_construct_utf8_string(names[n], text, sizeof(text))
                                    : OSSL_PARAM_construct_uint(names[n], &number),
                                OSSL_PARAM_construct_end() };

        assert_int_equal(OSSL_PROVIDER_get_params(provider, params), 0);
        ERR_clear_error();
    }
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_there_can_be_freed),
        TEST(a_key_object_without_a_key_says_so),
        TEST(a_key_manager_answers_every_selection),
        TEST(operations_without_a_key_say_so),
        TEST(a_key_exchange_starts_again_with_the_key_that_it_has),
        TEST(messages_and_signatures_without_a_key_say_so),
        TEST(a_signature_without_a_digest_is_of_the_keys_own),
        TEST(only_a_schannel_key_is_encoded),
        TEST(a_cipher_is_told_the_sizes_that_it_gets),
        TEST(a_mac_is_told_the_room_that_it_has),
        TEST(symmetric_key_objects_are_made_and_shown),
        TEST(a_key_derivation_asks_its_master_each_time),
        TEST(the_provider_answers_questions_of_the_right_type_only),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
