/*
 * SIMPLEBLOBs that a CryptoAPI provider recorded, in both directions: rsaenh-simple.txt and
 * rsaenh-quirks-simple.txt; and the published ones of wine-simpleblob.txt.  What is recorded is
 * imported; what the provider exports is opened by libcrypto's RSA.
 */
#include "exchange.h"

#define FLAG_FALLBACK 0x02 /* CRYPT_SSL2_FALLBACK */
#define FLAG_DESTROY  0x04 /* CRYPT_DESTROYKEY */
#define FLAG_OAEP     0x40 /* CRYPT_OAEP */
#define MARK_SIZE     8

static const char *const known_fields[] = {
    "Test",
    "Name",
    "Provider",
    "RsaKey",
    "KeyAlg",
    "Key",
    "Flags",
    "ImportResult",
    "Result",
    "SimpleBlob",
    "ReimportFlags",
    "Reimport",
    "ReimportKeyBlob",
    "ReimportKey",
    "ReimportKeyLen",
    "ReimportEffectiveKeyLen",
    "ReimportBlockLen",
    "ReimportMode",
    "ReimportSalt",
    "ReimportIV",
    "ReimportPlaintext",
    "ReimportCiphertext",
    "PayloadOrder",
    "EncryptionBlock",
    "DestroyAfterExport",
    "Quirk",
};

static void set_pad_mode(struct list *list, unsigned flags)
{
    if ((flags & FLAG_OAEP) != 0)
        add_text(list, "pad-mode", "oaep");
    if ((flags & FLAG_FALLBACK) != 0)
        add_number(list, "ssl2-fallback", 1);
}

static void set_import(struct list *list, const struct rsa_key *rsa, unsigned flags)
{
    list_start(list);
    add_text(list, "exchange-key", rsa->private_file);
    set_pad_mode(list, flags);
}

/* ---- import ---- */

static void expect_text(struct vectors *vectors, const char *field, const char *text)
{
    if (strcmp(vectors_string(vectors, field), text) != 0)
        vectors_fail(vectors, "%s is not %s", field, text);
}

/* A marked blob opens as long as nobody looks for the mark; an unmarked one always does. */
static void check_fallback(const struct rsa_key *rsa, struct octets blob, int is_marked)
{
    struct list list;
    EVP_PKEY *key;

    set_import(&list, rsa, FLAG_FALLBACK);
    key = decode_blob(blob, &list);
    assert_int_equal(key == NULL, is_marked);
    if (is_marked)
        assert_reason("blob does not open", "finds no SSL2-MASTER key");
    EVP_PKEY_free(key);
}

static void check_import(struct vectors *vectors, const struct rsa_key *rsa)
{
    const struct octets blob = vectors_hex(vectors, "SimpleBlob");
    const unsigned flags = vectors_integer(vectors, "Flags");
    const char *alg = alg_of(vectors);
    struct list list;
    EVP_PKEY *key;

    expect_text(vectors, "Reimport", "OK");
    expect_text(vectors, "PayloadOrder", "as-is");
    set_import(&list, rsa, flags & FLAG_OAEP);
    key = decode_blob(blob, &list);
    assert_non_null(key);
    assert_int_equal(raw_export_is_refused(key), 1);
    EVP_PKEY_free(key);
    add_number(&list, "exportable", 1);
    key = decode_blob(blob, &list);
    assert_non_null(key);
    assert_text_of(key, "alg", alg);
    expect_recorded_key(vectors, "Reimport", key);
    EVP_PKEY_free(key);
    if (strcmp(alg, "SSL2-MASTER") == 0 && (flags & FLAG_OAEP) == 0)
        check_fallback(rsa, blob, (flags & FLAG_FALLBACK) != 0);
    if (vectors_has(vectors, "EncryptionBlock")) {
        uint8_t block[MAX_EXCHANGED];

        rsa_raw_block(rsa, blob, block);
        vectors_expect(vectors, "EncryptionBlock", (struct octets){ block, rsa->size });
    }
}

/* ---- export ---- */

static size_t export_simple(EVP_PKEY *key, const struct rsa_key *rsa, unsigned flags, uint8_t *out)
{
    struct list list;

    list_start(&list);
    add_text(&list, "exchange-key", rsa->public_file);
    set_pad_mode(&list, flags);
    return encode_blob(key, "simpleblob", &list, out, MAX_EXCHANGED);
}

static void check_mark(const struct rsa_key *rsa, struct octets blob, size_t key_size)
{
    static const uint8_t mark[MARK_SIZE] = { 3, 3, 3, 3, 3, 3, 3, 3 };
    uint8_t block[MAX_EXCHANGED];

    rsa_raw_block(rsa, blob, block);
    assert_memory_equal(block + rsa->size - key_size - 1 - MARK_SIZE, mark, MARK_SIZE);
}

/* Header and size as recorded, and inside the same bytes; twice, since the padding is random. */
static void check_export(struct vectors *vectors, const struct rsa_key *rsa, EVP_PKEY *key)
{
    const struct octets recorded = vectors_hex(vectors, "SimpleBlob");
    const unsigned flags = vectors_integer(vectors, "Flags");
    uint8_t blob[2][MAX_EXCHANGED], inside[MAX_EXCHANGED];

    for (size_t n = 0; n < 2; n++) {
        const struct octets exported = { blob[n], export_simple(key, rsa, flags, blob[n]) };
        size_t size;

        assert_int_equal(exported.size, recorded.size);
        assert_memory_equal(exported.data, recorded.data, SIMPLE_HEADER_SIZE);
        size = ((flags & FLAG_OAEP) != 0 ? rsa_open_oaep : rsa_open_pkcs1)(rsa, exported, inside);
        vectors_expect(vectors, "Key", (struct octets){ inside, size });
        if ((flags & FLAG_FALLBACK) != 0)
            check_mark(rsa, exported, size);
    }
    assert_memory_not_equal(blob[0], blob[1], recorded.size);
}

/* The recorded key as our export gives it to our import. */
static void check_round_trip(EVP_PKEY *key, const struct rsa_key *rsa, unsigned flags)
{
    uint8_t blob[MAX_EXCHANGED];
    const size_t size = export_simple(key, rsa, flags, blob);
    struct list list;
    EVP_PKEY *moved;

    set_import(&list, rsa, flags & FLAG_OAEP);
    add_text(&list, "salt-mode", "none"); /* as |key| */
    moved = decode_blob((struct octets){ blob, size }, &list);
    assert_non_null(moved);
    assert_int_equal(EVP_PKEY_eq(key, moved), 1);
    EVP_PKEY_free(moved);
}

static void check_refused_export(struct vectors *vectors, const struct rsa_key *rsa, EVP_PKEY *key)
{
    uint8_t blob[MAX_EXCHANGED];

    assert_int_equal(export_simple(key, rsa, vectors_integer(vectors, "Flags"), blob), 0);
    if (strncmp(vectors_string(vectors, "Result"), "NTE_BAD_KEY ", 12) == 0)
        assert_reason("wrong kind of key", "ssl2-fallback: marks the master key of SSL 2.0");
    else if (strncmp(vectors_string(vectors, "Result"), "NTE_BAD_LEN ", 12) == 0)
        assert_reason("invalid length", "do not fit into RSA of 512 bits");
    else
        vectors_fail(vectors, "unknown Result");
}

/* CRYPT_DESTROYKEY: an encoder has no side effects, destroying is a call of its own. */
static void check_destroyed(EVP_PKEY *key, const struct rsa_key *rsa)
{
    uint8_t blob[MAX_EXCHANGED];

    assert_int_not_equal(export_simple(key, rsa, 0, blob), 0);
    assert_int_equal(set_number(key, "retire", 1), 1);
    assert_int_equal(export_simple(key, rsa, 0, blob), 0);
    assert_reason("key has been retired", "");
}

static void check_stanza(struct vectors *vectors, struct verdicts *verdicts)
{
    const struct rsa_key *rsa = rsa_key_of(vectors);
    const unsigned flags = vectors_integer(vectors, "Flags");
    EVP_PKEY *key;

    allow_fields(vectors, known_fields, COUNT(known_fields));
    expect_text(vectors, "ImportResult", "OK");
    key = make_exportable(alg_of(vectors), vectors_hex(vectors, "Key"));
    if (vectors_has(vectors, "SimpleBlob")) {
        check_import(vectors, rsa);
        check_export(vectors, rsa, key);
        check_round_trip(key, rsa, flags);
    } else {
        check_refused_export(vectors, rsa, key);
    }
    if ((flags & FLAG_DESTROY) != 0) {
        check_destroyed(key, rsa);
        verdicts->decided++;
    } else {
        verdicts->passed++;
    }
    EVP_PKEY_free(key);
    assert_no_errors();
}

static void run_file(struct verdicts *verdicts, unsigned passed, unsigned decided)
{
    struct vectors *vectors = vectors_open(verdicts->file);

    while (vectors_next(vectors)) {
        if (verdicts_want(verdicts))
            check_stanza(vectors, verdicts);
    }
    vectors_close(vectors);
    verdicts_report(verdicts, passed, decided);
}

static void recorded_blobs_are_imported_and_exported_alike(void **state)
{
    struct verdicts verdicts = { .file = "rsaenh-simple.txt" };

    (void)state;
    run_file(&verdicts, 226, 0);
}

static void a_key_survives_its_export_until_it_is_retired(void **state)
{
    struct verdicts verdicts = { .file = "rsaenh-quirks-simple.txt" };

    (void)state;
    run_file(&verdicts, 0, 21);
}

/* ---- the published ones ---- */

static void published_blobs_open(void **state)
{
    struct vectors *vectors = vectors_open("wine-simpleblob.txt");
    struct rsa_key *rsa = NULL;
    unsigned opened = 0;

    (void)state;
    while (vectors_next(vectors)) {
        uint8_t out[MAX_EXCHANGED];
        struct list list;
        EVP_PKEY *key;
        size_t size;

        if (vectors_has(vectors, "PrivateKeyBlob")) {
            assert_null(rsa);
            rsa = rsa_key_new(vectors);
            continue;
        }
        assert_non_null(rsa);
        set_import(&list, rsa, 0);
        add_number(&list, "exportable", 1);
        key = decode_blob(vectors_hex(vectors, "SimpleBlob"), &list);
        assert_non_null(key);
        assert_text_of(key, "alg", alg_of(vectors));
        size = key_bytes_of(key, out);
        vectors_expect(vectors, "Key", (struct octets){ out, size });
        if (vectors_has(vectors, "Plaintext")) {
            size = crypt_encrypt(key, 1, vectors_hex(vectors, "Plaintext"), out, sizeof(out));
            vectors_expect(vectors, "Ciphertext", (struct octets){ out, size });
        }
        EVP_PKEY_free(key);
        opened++;
    }
    vectors_close(vectors);
    rsa_key_free(rsa);
    print_message("wine-simpleblob.txt: %u passed\n", opened);
    assert_int_equal(opened, 2);
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(recorded_blobs_are_imported_and_exported_alike,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_key_survives_its_export_until_it_is_retired,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(published_blobs_open, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, exchange_setup, exchange_teardown);
}
