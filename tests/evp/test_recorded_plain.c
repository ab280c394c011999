/*
 * PLAINTEXTKEYBLOBs that CryptoAPI providers recorded, in both directions: rsaenh-plain.txt and
 * rsaenh-quirks-plain.txt.
 *
 * This provider is none of the five that they come from: it knows the algorithms of all of them, so
 * what one of those refused because it is the Base or the AES provider opens here; CRYPT_NO_SALT,
 * which they overlooked, is salt-mode none; and without CRYPT_EXPORTABLE nothing comes out again.
 */
#include "exchange.h"

#define FLAG_EXPORTABLE 0x01 /* CRYPT_EXPORTABLE */
#define FLAG_ARCHIVABLE 0x04 /* CRYPT_ARCHIVABLE: nothing for a key that has no container */
#define FLAG_NO_SALT    0x10 /* CRYPT_NO_SALT */
#define SALT_SIZE       11
#define HEADER_SIZE     12

static const char *const known_fields[] = {
    "Test",    "Name",      "Provider",   "KeyAlg",          "Blob",     "Flags", "Result",
    "KeyBlob", "Key",       "KeyLen",     "EffectiveKeyLen", "BlockLen", "Mode",  "Salt",
    "IV",      "Plaintext", "Ciphertext", "Quirk",
};

static void check_fields(const struct vectors *vectors)
{
    const uint32_t known_flags = FLAG_EXPORTABLE | FLAG_ARCHIVABLE | FLAG_NO_SALT;

    allow_fields(vectors, known_fields, COUNT(known_fields));
    if ((vectors_integer(vectors, "Flags") & ~known_flags) != 0)
        vectors_fail(vectors, "unknown flag");
}

static size_t export_plaintext(EVP_PKEY *key, int allowed, uint8_t *out)
{
    struct list list;

    list_start(&list);
    add_number(&list, "allow-plaintext", (uint64_t)allowed);
    return encode_blob(key, "plaintextblob", &list, out, MAX_EXCHANGED);
}

static EVP_PKEY *import(struct vectors *vectors, int exportable, const char *salt_mode)
{
    struct list list;
    EVP_PKEY *key;

    list_start(&list);
    if (exportable)
        add_number(&list, "exportable", 1);
    if (salt_mode != NULL)
        add_text(&list, "salt-mode", salt_mode);
    key = decode_blob(vectors_hex(vectors, "Blob"), &list);
    if (key == NULL)
        vectors_fail(vectors, "is refused");
    assert_text_of(key, "alg", alg_of(vectors));
    return key;
}

/* As recorded, with the key allowed to leave. */
static void check_recorded(struct vectors *vectors)
{
    const char *alg = alg_of(vectors);
    EVP_PKEY *key = import(vectors, 1, NULL), *made;
    uint8_t out[MAX_EXCHANGED];
    size_t size;

    expect_recorded_key(vectors, "", key);
    assert_int_equal(export_plaintext(key, 0, out), 0);
    assert_reason("key bytes in the clear are not allowed", "allow-plaintext");
    EVP_PKEY_free(key);
    made = make_exportable(alg, vectors_hex(vectors, "Key"));
    size = export_plaintext(made, 1, out);
    vectors_expect(vectors, "KeyBlob", (struct octets){ out, size });
    EVP_PKEY_free(made);
}

/* 1 when the salt is another one than recorded. */
static int check_without_salt(struct vectors *vectors)
{
    EVP_PKEY *key = import(vectors, 1, "none");
    uint8_t out[MAX_KEY_BYTES];
    const int has_salt =
        vectors_has(vectors, "Salt") && vectors_hex(vectors, "Salt").size == SALT_SIZE;

    if (has_salt) {
        const struct octets recorded = vectors_hex(vectors, "Ciphertext");
        size_t size = octets_of(key, "salt", out, sizeof(out));

        assert_int_equal(size, 0);
        size = crypt_encrypt(key, 1, vectors_hex(vectors, "Plaintext"), out, sizeof(out));
        assert_int_equal(size, recorded.size);
        assert_memory_not_equal(out, recorded.data, size);
    }
    EVP_PKEY_free(key);
    return has_salt;
}

static void check_not_exportable(struct vectors *vectors)
{
    EVP_PKEY *key = import(vectors, 0, NULL);
    uint8_t out[MAX_EXCHANGED];

    assert_int_equal(raw_export_is_refused(key), 1);
    assert_int_equal(export_plaintext(key, 1, out), 0);
    assert_reason("key is not exportable", "plaintext blob");
    EVP_PKEY_free(key);
}

/* Another kind of provider refused what is a sound blob. */
static void check_sound_blob(struct vectors *vectors)
{
    const struct octets blob = vectors_hex(vectors, "Blob");
    EVP_PKEY *key = import(vectors, 1, NULL);
    uint8_t out[MAX_EXCHANGED];
    size_t size;

    assert_int_equal(number_of(key, "bits"), 8 * (blob.size - HEADER_SIZE));
    size = export_plaintext(key, 1, out);
    vectors_expect(vectors, "Blob", (struct octets){ out, size });
    EVP_PKEY_free(key);
}

static const char *result_of(const struct vectors *vectors)
{
    static const struct {
        const char *result, *providers;
    } limits[] = {
        { "NTE_BAD_ALGID 0x80090008", "base strong enhanced schannel aes" }, /* not its algorithm */
        { "NTE_BAD_DATA 0x80090005", "base" }, /* keys of at most 56 bits */
    };
    const char *result = vectors_string(vectors, "Result");

    for (size_t n = 0; n < COUNT(limits); n++) {
        if (strcmp(result, limits[n].result) == 0 &&
            strstr(limits[n].providers, vectors_string(vectors, "Provider")) != NULL)
            return NULL;
    }
    return result;
}

struct counts {
    struct verdicts verdicts;
    unsigned limited, without_salt, not_exportable;
};

static void check_stanza(struct vectors *vectors, struct counts *counts)
{
    const unsigned flags = vectors_integer(vectors, "Flags");
    const char *result = result_of(vectors);
    int decided = 0;

    check_fields(vectors);
    if (result == NULL) {
        check_sound_blob(vectors);
        counts->limited++;
        decided = 1;
    } else {
        if (strcmp(result, "OK") != 0)
            vectors_fail(vectors, "unknown Result");
        check_recorded(vectors);
    }
    if ((flags & FLAG_NO_SALT) != 0 && check_without_salt(vectors)) {
        counts->without_salt++;
        decided = 1;
    }
    if ((flags & FLAG_EXPORTABLE) == 0) {
        check_not_exportable(vectors);
        counts->not_exportable += result != NULL;
        decided = 1;
    }
    counts->verdicts.decided += (unsigned)decided;
    counts->verdicts.passed += (unsigned)!decided;
    assert_no_errors();
}

static void run_file(struct counts *counts, unsigned passed, unsigned decided)
{
    struct vectors *vectors = vectors_open(counts->verdicts.file);

    while (vectors_next(vectors))
        check_stanza(vectors, counts);
    vectors_close(vectors);
    print_message("%s: limits of a provider %u, salt-mode none %u, not exportable %u\n",
                  counts->verdicts.file, counts->limited, counts->without_salt,
                  counts->not_exportable);
    verdicts_report(&counts->verdicts, passed, decided);
}

static void recorded_blobs_are_imported_and_exported_alike(void **state)
{
    struct counts counts = { .verdicts = { .file = "rsaenh-plain.txt" } };

    (void)state;
    run_file(&counts, 93, 113);
}

static void a_key_that_is_not_exportable_stays(void **state)
{
    struct counts counts = { .verdicts = { .file = "rsaenh-quirks-plain.txt" } };

    (void)state;
    run_file(&counts, 0, 35);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(recorded_blobs_are_imported_and_exported_alike,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_key_that_is_not_exportable_stays, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
