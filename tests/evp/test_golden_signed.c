/*
 * Golden signed blobs of format version 1: every release opens them.  And what the provider writes
 * today is read by the second implementation, which verifies it with libcrypto alone.
 *
 * evp_golden_signed write prints the file tests/vectors/golden-signed-v1.txt; RSA-PSS and ECDSA
 * give another signature each time.
 */
#include "signed_cases.h"

#include <time.h>

#define VECTOR_FILE "golden-signed-v1.txt"
#define LATE        2 /* seconds that the clock may go on between two looks at it */

static int setup(void **state)
{
    int result = golden_setup(state);

    exchange_keys_setup();
    signers_setup();
    return result;
}

static int teardown(void **state)
{
    signers_teardown();
    exchange_keys_teardown();
    return golden_teardown(state);
}

static struct octets spki_of(const struct signer *signer)
{
    return (struct octets){ signer->spki, signer->spki_size };
}

/* ---- writing the file ---- */

static void print_hex(const char *name, struct octets value)
{
    printf("%s =%s", name, value.size != 0 ? " " : "");
    for (size_t n = 0; n < value.size; n++)
        printf("%02x", value.data[n]);
    printf("\n");
}

static void write_stanza(const struct signed_case *golden)
{
    static uint8_t blob[FORMAT_MAX_SIZE];
    struct signed_format format;
    uint8_t key[MAX_KEY_BYTES];
    const size_t size = (signed_case_format(golden, &format),
                         format_write(&format, signer_named(golden->signer)->pkey, blob));

    printf("\nName = %s\nSigner = %s\nPurpose = %.*s\n", golden->name, golden->signer,
           (int)format.purpose.size, (const char *)format.purpose.data);
    printf("Created = %u\n", SIGNED_CREATED);
    print_hex("Serial", format.serial);
    print_hex("MessageHash", format.message_hash);
    printf("Receivers =");
    for (size_t n = 0; golden->recipients[n] != NULL; n++)
        printf(" %s", golden->recipients[n]);
    printf("\nAlg = %s\n", golden->alg);
    signed_case_key(golden, key);
    if (golden->inner != INNER_OPAQUE)
        print_hex("Key", (struct octets){ key, golden->key_size });
    print_hex("Blob", (struct octets){ blob, size });
}

static int write_file(void)
{
    void *state = NULL;

    setup(&state);
    printf(
        "# Golden signed blobs of format version 1, which is frozen: every release reads them.\n"
        "# Written by tests/evp/signed_format.c, which is not the provider's own code, from the\n"
        "# description in provider/blob/signed.h: evp_golden_signed write.  Signers are those of\n"
        "# signers.txt, receivers those of rsaenh-rsablob.txt; a blob without Key holds the "
        "opaque\n"
        "# blob aes-128-mid-chain of golden-opaque-v1.txt.\n");
    for (size_t n = 0; n < signed_case_count; n++)
        write_stanza(&signed_cases[n]);
    return teardown(&state);
}

/* ---- reading it ---- */

/* Everything that the case asks of an import: who signed it, what for, and the keys inside. */
static void start_import(const struct signed_case *golden, struct list *list, const char *receiver)
{
    static char purpose[65];
    static uint8_t serial[64], message_hash[64];

    list_start(list);
    add_text(list, "signature-key", signer_named(golden->signer)->public_file);
    add_text(list, "seal-key", golden_seal_key);
    if (receiver != NULL)
        add_text(list, "exchange-key", rsa_key_named(receiver)->private_file);
    signed_case_purpose(golden, purpose);
    if (golden->purpose_size != 0)
        add_text(list, "purpose", purpose);
    signed_case_octets(golden, "serial", golden->serial_size, serial);
    signed_case_octets(golden, "message", golden->message_hash_size, message_hash);
    if (golden->serial_size != 0)
        add_octets(list, "expect-serial", serial, golden->serial_size);
    if (golden->message_hash_size != 0)
        add_octets(list, "message-hash", message_hash, golden->message_hash_size);
    if (golden->inner != INNER_OPAQUE)
        add_number(list, "exportable", 1);
}

/* The bytes of a simple or plaintext blob; the state of an opaque one. */
static void check_key(const struct signed_case *golden, EVP_PKEY *key)
{
    uint8_t bytes[MAX_KEY_BYTES], expected[MAX_KEY_BYTES];

    assert_text_of(key, "alg", golden->alg);
    if (golden->inner == INNER_OPAQUE) {
        static struct golden_bytes opaque;
        EVP_PKEY *other;

        golden_blob(golden_case_named("aes-128-mid-chain"), &opaque);
        other = golden_import(opaque.data, opaque.size, NULL);
        assert_non_null(other);
        assert_int_equal(EVP_PKEY_eq(key, other), 1);
        EVP_PKEY_free(other);
        return;
    }
    signed_case_key(golden, expected);
    assert_int_equal(key_bytes_of(key, bytes), golden->key_size);
    assert_memory_equal(bytes, expected, golden->key_size);
}

static void check_opens(const struct signed_case *golden, struct octets blob)
{
    size_t n = 0;

    do {
        struct list list;
        EVP_PKEY *decoded, *stored;

        start_import(golden, &list, golden->recipients[n]);
        decoded = decode_blob(blob, &list);
        stored = store_blob(blob, &list);
        if (decoded == NULL || stored == NULL)
            fail_msg("%s does not open", golden->name);
        check_key(golden, decoded);
        check_key(golden, stored);
        EVP_PKEY_free(decoded);
        EVP_PKEY_free(stored);
    } while (golden->recipients[n] != NULL && golden->recipients[++n] != NULL);
}

/* The second implementation finds it sound and, but for the signature, writes the same again. */
static void check_format(const struct signed_case *golden, struct octets blob)
{
    static uint8_t again[FORMAT_MAX_SIZE];
    const struct signer *signer = signer_named(golden->signer);
    struct signed_format format, expected;

    assert_int_equal(format_verify(blob, signer->pkey, spki_of(signer), &format), FORMAT_SOUND);
    signed_case_format(golden, &expected);
    if (golden->inner == INNER_SIMPLE) /* RSA without padding gives the same each time, too */
        assert_int_equal(format.inner[0].size, expected.inner[0].size);
    assert_int_equal(format_write_content(&expected, again), format.signed_size);
    assert_memory_equal(again, blob.data, format.signed_size);
}

static void golden_blobs_open(void **state)
{
    struct vectors *vectors = vectors_open(VECTOR_FILE);
    size_t count = 0;

    (void)state;
    while (vectors_next(vectors)) {
        const struct signed_case *golden = signed_case_named(vectors_string(vectors, "Name"));
        const struct octets blob = vectors_hex(vectors, "Blob");

        check_format(golden, blob);
        check_opens(golden, blob);
        count++;
    }
    vectors_close(vectors);
    print_message("%s: %zu passed\n", VECTOR_FILE, count);
    assert_int_equal(count, signed_case_count);
    assert_no_errors();
}

/* ---- what the provider writes ---- */

static EVP_PKEY *key_of_case(const struct signed_case *golden)
{
    static struct golden_bytes opaque;
    uint8_t bytes[MAX_KEY_BYTES];

    if (golden->inner != INNER_OPAQUE) {
        signed_case_key(golden, bytes);
        return make_exportable(golden->alg, (struct octets){ bytes, golden->key_size });
    }
    golden_blob(golden_case_named("aes-128-mid-chain"), &opaque);
    return golden_import(opaque.data, opaque.size, NULL);
}

static size_t write_by_provider(const struct signed_case *golden, EVP_PKEY *key, uint8_t *out)
{
    static const char *const types[] = { "opaqueblob", "simpleblob", "plaintextblob" };
    static uint8_t serial[64], message_hash[64];
    char receivers[2048] = "", purpose[65];
    struct list list;
    size_t used = 0, size;

    list_start(&list);
    add_text(&list, "signature-key", signer_named(golden->signer)->private_file);
    add_text(&list, "inner", types[golden->inner]);
    add_text(&list, "seal-key", golden_seal_key);
    for (size_t n = 0; golden->recipients[n] != NULL; n++)
        used +=
            (size_t)snprintf(receivers + used, sizeof(receivers) - used, "%s%s", n == 0 ? "" : ",",
                             rsa_key_named(golden->recipients[n])->public_file);
    if (used != 0)
        add_text(&list, "exchange-key", receivers);
    if (golden->inner == INNER_PLAINTEXT)
        add_number(&list, "allow-plaintext", 1);
    signed_case_purpose(golden, purpose);
    if (golden->purpose_size != 0)
        add_text(&list, "purpose", purpose);
    signed_case_octets(golden, "serial", golden->serial_size, serial);
    signed_case_octets(golden, "message", golden->message_hash_size, message_hash);
    if (golden->serial_size != 0)
        add_octets(&list, "serial", serial, golden->serial_size);
    if (golden->message_hash_size != 0)
        add_octets(&list, "message-hash", message_hash, golden->message_hash_size);
    size = encode_blob(key, "signedblob", &list, out, FORMAT_MAX_SIZE);
    assert_int_not_equal(size, 0);
    return size;
}

/* Each blob inside, opened without the provider. */
static void check_inner(const struct signed_case *golden, const struct signed_format *format)
{
    struct signed_format expected;
    uint8_t key[MAX_KEY_BYTES], inside[MAX_EXCHANGED], secret[GOLDEN_SECRET_SIZE];

    signed_case_format(golden, &expected);
    signed_case_key(golden, key);
    assert_int_equal(format->count, expected.count);
    for (size_t n = 0; n < format->count; n++) {
        const struct octets inner = format->inner[n];

        if (golden->inner == INNER_OPAQUE) {
            static struct golden_bytes payload, original;
            struct golden_header header;
            const size_t header_size = golden_read_header(inner.data, inner.size, &header);

            golden_sealing_key(secret);
            golden_open(inner.data, inner.size, header_size, &header, secret, &payload);
            golden_payload(golden_case_named("aes-128-mid-chain"), &original);
            assert_int_equal(payload.size, original.size);
            assert_memory_equal(payload.data, original.data, payload.size);
            continue;
        }
        assert_int_equal(inner.size, expected.inner[n].size);
        assert_memory_equal(inner.data, expected.inner[n].data, SIMPLE_HEADER_SIZE);
        if (golden->inner == INNER_SIMPLE) {
            assert_int_equal(rsa_open_pkcs1(rsa_key_named(golden->recipients[n]), inner, inside),
                             golden->key_size);
            assert_memory_equal(inside, key, golden->key_size);
        } else {
            assert_memory_equal(inner.data, expected.inner[n].data, inner.size);
        }
    }
}

static void assert_same(struct octets a, struct octets b)
{
    assert_int_equal(a.size, b.size);
    if (a.size != 0)
        assert_memory_equal(a.data, b.data, a.size);
}

static void check_written(const struct signed_case *golden)
{
    static uint8_t blob[FORMAT_MAX_SIZE];
    const struct signer *signer = signer_named(golden->signer);
    const uint64_t before = (uint64_t)time(NULL);
    EVP_PKEY *key = key_of_case(golden);
    const struct octets written = { blob, write_by_provider(golden, key, blob) };
    struct signed_format format, expected;

    assert_int_equal(format_verify(written, signer->pkey, spki_of(signer), &format), FORMAT_SOUND);
    signed_case_format(golden, &expected);
    assert_same(format.purpose, expected.purpose);
    assert_same(format.serial, expected.serial);
    assert_same(format.message_hash, expected.message_hash);
    assert_in_range(format.created, before, (uint64_t)time(NULL) + LATE);
    check_inner(golden, &format);
    check_opens(golden, written);
    EVP_PKEY_free(key);
}

static void what_the_provider_writes_is_read_by_the_second_implementation(void **state)
{
    (void)state;
    for (size_t n = 0; n < signed_case_count; n++)
        check_written(&signed_cases[n]);
    print_message("%zu blobs written and read\n", signed_case_count);
    assert_no_errors();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(golden_blobs_open, starts_with_a_clean_queue),
        cmocka_unit_test_setup(what_the_provider_writes_is_read_by_the_second_implementation,
                               starts_with_a_clean_queue),
    };

    if (argc == 2 && strcmp(argv[1], "write") == 0)
        return write_file();
    return cmocka_run_group_tests(tests, setup, teardown);
}
