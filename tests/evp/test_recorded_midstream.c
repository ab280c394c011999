/*
 * Keys exported in the middle of a message, as a CryptoAPI provider recorded it:
 * rsaenh-midstream.txt.  SIMPLEBLOB and PLAINTEXTKEYBLOB have the key alone, so that a copy starts
 * at the beginning; a duplicate, and here the opaque blob, which that provider did not have, go on.
 *
 * Keys here run in CBC mode, or RC4: of the stanzas in other modes the blobs and their copies are
 * compared, which start in CBC mode there as well.  KP_IV is the chaining value here and stays the
 * IV that was set there.
 */
#include "exchange.h"

#define MAX_PART 128

static const char *const known_fields[] = {
    "Test",
    "Name",
    "Provider",
    "KeyAlg",
    "Key",
    "Result",
    "Mode",
    "IV",
    "Part1",
    "Part2",
    "PlainBlobBefore",
    "Out1",
    "PlainBlobMid",
    "KpIvMid",
    "RsaFlags",
    "RsaKey",
    "SimpleBlobMid",
    "OpaqueBlobMid",
    "DuplicateMid",
    "OrigOut2",
    "DupOut2",
    "DupOut2Again",
    "PlainCopyMode",
    "PlainCopyIV",
    "PlainCopyOut2",
    "SimpleCopyOut2",
    "OrigFinal",
    "OrigAfterFinal",
    "OrigAfterSetIv",
};

/* |part| through |key| is |field|. */
static void expect_encrypted(struct vectors *vectors, EVP_PKEY *key, int is_final, const char *part,
                             const char *field)
{
    uint8_t out[MAX_PART];
    const size_t size = crypt_encrypt(key, is_final, vectors_hex(vectors, part), out, sizeof(out));

    vectors_expect(vectors, field, (struct octets){ out, size });
}

static EVP_PKEY *import(struct octets blob, const struct rsa_key *rsa)
{
    struct list list;
    EVP_PKEY *key;

    list_start(&list);
    add_number(&list, "exportable", 1);
    add_text(&list, "seal-key", seal_key_a);
    if (rsa != NULL)
        add_text(&list, "exchange-key", rsa->private_file);
    key = decode_blob(blob, &list);
    assert_non_null(key);
    return key;
}

static void expect_plain_blob(struct vectors *vectors, EVP_PKEY *key, const char *field)
{
    uint8_t out[MAX_EXCHANGED];
    struct list list;
    size_t size;

    list_start(&list);
    add_number(&list, "allow-plaintext", 1);
    size = encode_blob(key, "plaintextblob", &list, out, sizeof(out));
    vectors_expect(vectors, field, (struct octets){ out, size });
}

/* A copy out of |blob| has no state: zeros are its IV. */
static void check_copy(struct vectors *vectors, struct octets blob, const struct rsa_key *rsa,
                       const char *out_field)
{
    EVP_PKEY *copy = import(blob, rsa);
    uint8_t iv[16];

    assert_text_of(copy, "alg", alg_of(vectors));
    if (vectors_has(vectors, "PlainCopyIV")) {
        const size_t size = octets_of(copy, "iv", iv, sizeof(iv));

        vectors_expect(vectors, "PlainCopyIV", (struct octets){ iv, size });
        assert_int_equal(vectors_integer(vectors, "PlainCopyMode"), 1);
    }
    expect_plain_blob(vectors, copy, "PlainBlobBefore");
    expect_encrypted(vectors, copy, 0, "Part2", out_field);
    EVP_PKEY_free(copy);
}

/* What our own simple blob of |key| gives libcrypto, and our import. */
static void check_exported_simple(struct vectors *vectors, EVP_PKEY *key, const struct rsa_key *rsa)
{
    uint8_t out[MAX_EXCHANGED], inside[MAX_EXCHANGED];
    struct octets blob = { out, 0 };
    struct list list;
    size_t size;

    list_start(&list);
    add_text(&list, "exchange-key", rsa->public_file);
    blob.size = encode_blob(key, "simpleblob", &list, out, sizeof(out));
    assert_int_equal(blob.size, vectors_hex(vectors, "SimpleBlobMid").size);
    size = rsa_open_pkcs1(rsa, blob, inside);
    vectors_expect(vectors, "Key", (struct octets){ inside, size });
    check_copy(vectors, blob, rsa, "SimpleCopyOut2");
}

static EVP_PKEY *move_opaque(EVP_PKEY *key)
{
    uint8_t blob[MAX_BLOB];
    struct list list;
    size_t size;

    list_start(&list);
    add_text(&list, "seal-key", seal_key_a);
    size = encode_blob(key, "opaqueblob", &list, blob, sizeof(blob));
    assert_int_not_equal(size, 0);
    return import((struct octets){ blob, size }, NULL);
}

/* The chaining value is the end of what came out. */
static void check_chaining_value(struct vectors *vectors, EVP_PKEY *key)
{
    const struct octets out = vectors_hex(vectors, "Out1");
    uint8_t iv[16];
    const size_t size = octets_of(key, "iv", iv, sizeof(iv));

    assert_int_equal(size, vectors_hex(vectors, "KpIvMid").size);
    assert_memory_equal(iv, out.data + out.size - size, size);
}

/* The original, a duplicate and the opaque copy: each goes on where Part1 ended. */
static void check_continued(struct vectors *vectors, EVP_PKEY *key, EVP_PKEY *duplicate,
                            EVP_PKEY *opaque)
{
    expect_encrypted(vectors, key, 0, "Part2", "OrigOut2");
    expect_encrypted(vectors, duplicate, 0, "Part2", "DupOut2");
    expect_encrypted(vectors, duplicate, 0, "Part2", "DupOut2Again");
    expect_encrypted(vectors, opaque, 0, "Part2", "DupOut2");
    expect_encrypted(vectors, opaque, 0, "Part2", "DupOut2Again");
}

static void check_running_key(struct vectors *vectors, const struct rsa_key *rsa)
{
    EVP_PKEY *key = import(vectors_hex(vectors, "PlainBlobBefore"), NULL), *duplicate, *opaque;
    const struct octets iv = vectors_hex_or(vectors, "IV", (struct octets){ NULL, 0 });

    if (iv.size != 0)
        assert_int_equal(set_octets(key, "iv", iv.data, iv.size), 1);
    expect_encrypted(vectors, key, 0, "Part1", "Out1");
    if (iv.size != 0)
        check_chaining_value(vectors, key);
    expect_plain_blob(vectors, key, "PlainBlobMid");
    check_exported_simple(vectors, key, rsa);
    duplicate = EVP_PKEY_dup(key);
    assert_non_null(duplicate);
    opaque = move_opaque(key);
    check_continued(vectors, key, duplicate, opaque);
    expect_encrypted(vectors, key, 1, "Part1", "OrigFinal");
    expect_encrypted(vectors, key, 0, "Part1", "OrigAfterFinal");
    if (iv.size != 0) {
        assert_int_equal(set_octets(key, "iv", iv.data, iv.size), 1);
        expect_encrypted(vectors, key, 0, "Part1", "OrigAfterSetIv");
    }
    EVP_PKEY_free(key);
    EVP_PKEY_free(duplicate);
    EVP_PKEY_free(opaque);
}

static void check_stanza(struct vectors *vectors, struct verdicts *verdicts)
{
    const struct rsa_key *rsa = rsa_key_of(vectors);
    const char *mode = vectors_string_or(vectors, "Mode", "CBC");

    allow_fields(vectors, known_fields, COUNT(known_fields));
    assert_string_equal(vectors_string(vectors, "Result"), "OK");
    assert_string_equal(vectors_string(vectors, "DuplicateMid"), "OK");
    check_copy(vectors, vectors_hex(vectors, "PlainBlobMid"), NULL, "PlainCopyOut2");
    check_copy(vectors, vectors_hex(vectors, "SimpleBlobMid"), rsa, "SimpleCopyOut2");
    if (strcmp(mode, "CBC") == 0) {
        check_running_key(vectors, rsa);
        verdicts->passed++;
    } else if (strcmp(mode, "ECB") == 0 || strcmp(mode, "CFB") == 0) {
        verdicts->decided++;
    } else {
        vectors_fail(vectors, "unknown Mode");
    }
    assert_no_errors();
}

static void a_copy_starts_and_a_duplicate_goes_on(void **state)
{
    struct verdicts verdicts = { .file = "rsaenh-midstream.txt" };
    struct vectors *vectors = vectors_open(verdicts.file);

    (void)state;
    while (vectors_next(vectors)) {
        if (verdicts_want(&verdicts))
            check_stanza(vectors, &verdicts);
    }
    vectors_close(vectors);
    verdicts_report(&verdicts, 62, 98);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_copy_starts_and_a_duplicate_goes_on, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, exchange_setup, exchange_teardown);
}
