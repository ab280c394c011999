/*
 * Signed blobs with every single bit changed, cut short and extended, by every way in; and
 * authentic ones with impossible contents, which the second implementation signs properly.  What is
 * expected of a changed blob is what the second implementation says of it.
 *
 * PEM_read_bio_PrivateKey and d2i_AutoPrivateKey carry no signature key: they tell what the format
 * shows, and else that it is missing.
 */
#include "routes.h"
#include "sample.h"
#include "signed_cases.h"

#include <time.h>
#include <openssl/rsa.h>

#define LABEL "SCHANNEL SIGNED KEY BLOB"

static int setup(void **state)
{
    int result = golden_setup(state);

    exchange_keys_setup();
    signers_setup();
    witness_setup();
    return result;
}

static int teardown(void **state)
{
    witness_teardown();
    signers_teardown();
    exchange_keys_teardown();
    return golden_teardown(state);
}

static struct octets spki_of(const struct signer *signer)
{
    return (struct octets){ signer->spki, signer->spki_size };
}

/* What opens the case's blob, with nothing asked but the signer; purpose "storage". */
static void start_options(const struct signed_case *golden, struct list *list)
{
    list_start(list);
    add_text(list, "signature-key", signer_named(golden->signer)->public_file);
    add_text(list, "seal-key", golden_seal_key);
    if (golden->recipients[0] != NULL)
        add_text(list, "exchange-key", rsa_key_named(golden->recipients[0])->private_file);
}

/* ---- changed blobs ---- */

static const char *expected_reason(enum route route, struct octets blob,
                                   const struct signer *signer)
{
    struct signed_format format;

    switch (format_verify(blob, signer->pkey, spki_of(signer), &format)) {
    case FORMAT_NO_MAGIC:
        return route_is_pem(route) || route == BY_STORE ? "malformed blob" : NULL;
    case FORMAT_OTHER_VERSION:
        return "unsupported blob version";
    case FORMAT_MALFORMED:
        return "malformed blob";
    case FORMAT_UNKNOWN_ALGORITHM:
        return "unknown algorithm";
    case FORMAT_OTHER_SIGNER:
        return route_has_options(route) ? "blob was signed by another key" : "missing parameter";
    case FORMAT_FORGED:
        return route_has_options(route) ? "signature does not verify" : "missing parameter";
    case FORMAT_SOUND:
        break;
    }
    fail_msg("a changed blob is sound");
    return NULL;
}

static void refuse(enum route route, struct octets blob, const struct signed_case *golden,
                   const struct list *options, const char *what, size_t at)
{
    const char *reason;

    if (!is_sampled_of_thousands())
        return;
    reason = expected_reason(route, blob, signer_named(golden->signer));
    refuse_by(route, LABEL, blob, options, reason, "%s: %s %zu", golden->name, what, at);
}

static void change_every_bit(const struct signed_case *golden, uint8_t *blob, size_t size)
{
    struct list options;

    start_options(golden, &options);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refuse((enum route)(bit % ROUTES), (struct octets){ blob, size }, golden, &options, "bit",
               bit);
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void cut_and_extend(const struct signed_case *golden, uint8_t *blob, size_t size)
{
    struct list options;

    start_options(golden, &options);
    for (size_t shorter = 0; shorter < size; shorter++)
        refuse((enum route)(shorter % ROUTES), (struct octets){ blob, shorter }, golden, &options,
               "size", shorter);
    memset(blob + size, 0, 16);
    for (size_t extra = 1; extra <= 16; extra++) {
        for (enum route route = 0; route < ROUTES; route++)
            refuse(route, (struct octets){ blob, size + extra }, golden, &options, "trailing",
                   extra);
    }
}

static size_t write_case(const struct signed_case *golden, uint8_t *blob)
{
    struct signed_format format;

    signed_case_format(golden, &format);
    return format_write(&format, signer_named(golden->signer)->pkey, blob);
}

static void nothing_has_changed(const struct signed_case *golden, struct octets blob)
{
    struct list options;

    start_options(golden, &options);
    for (enum route route = 0; route < ROUTES; route++) {
        if (route_has_options(route))
            EVP_PKEY_free(open_by(route, LABEL, blob, &options));
    }
    witness_goes_on();
}

static void every_bit_and_every_size_matters(void **state)
{
    static const char *const names[] = { "rsa-opaque", "ed25519-plaintext", "two-receivers",
                                         "ed448-opaque" };
    static uint8_t blob[FORMAT_MAX_SIZE];

    (void)state;
    for (size_t n = 0; n < COUNT(names); n++) {
        const struct signed_case *golden = signed_case_named(names[n]);
        const size_t size = write_case(golden, blob);

        change_every_bit(golden, blob, size);
        cut_and_extend(golden, blob, size);
        nothing_has_changed(golden, (struct octets){ blob, size });
        refused_all(golden->name);
    }
}

static void too_long_a_blob_is_refused(void **state)
{
    static uint8_t blob[200000];
    const struct signed_case *golden = signed_case_named("ed25519-plaintext");
    const size_t size = write_case(golden, blob);
    struct list options;

    (void)state;
    memset(blob + size, 0, sizeof(blob) - size);
    start_options(golden, &options);
    for (enum route route = 0; route < ROUTES; route++)
        refuse_by(route, LABEL, (struct octets){ blob, sizeof(blob) }, &options, "malformed blob",
                  "%zu bytes", sizeof(blob));
}

/* ---- authentic blobs with impossible contents ---- */

static uint8_t blob[FORMAT_MAX_SIZE];

/* Signs |format| as the case's signer and has it refused: by every way that carries options or,
 * where there are hundreds of values, by one of them. */
static void refuse_authentic(const struct signed_case *golden, const struct signed_format *format,
                             const char *reason, const char *what, unsigned value)
{
    const size_t size = format_write(format, signer_named(golden->signer)->pkey, blob);
    struct list options;

    start_options(golden, &options);
    for (enum route route = 0; route < BY_PEM_READER; route++) {
        if ((value < 20 || value % BY_PEM_READER == (unsigned)route) && is_sampled_of_thousands())
            refuse_by(route, LABEL, (struct octets){ blob, size }, &options, reason, "%s %u", what,
                      value);
    }
}

static void numbers_and_lengths_that_cannot_be_are_refused(void **state)
{
    static const uint8_t bytes[256] = { 's' };
    const struct signed_case *golden = signed_case_named("ed25519-plaintext");
    struct signed_format format;

    (void)state;
    for (unsigned version = 0; version < 256; version += version < 4 ? 1 : 21) {
        signed_case_format(golden, &format);
        format.version = (uint8_t)version;
        if (version != 1)
            refuse_authentic(golden, &format, "unsupported blob version", "version", version);
    }
    for (unsigned algorithm = 0; algorithm < 256; algorithm++) {
        signed_case_format(golden, &format);
        format.algorithm = (uint8_t)algorithm;
        if (algorithm != FORMAT_ED25519)
            refuse_authentic(golden, &format,
                             algorithm >= 1 && algorithm <= 4 ? "signature does not verify"
                                                              : "unknown algorithm",
                             "algorithm", algorithm);
    }
    for (unsigned size = 0; size < 256; size++) {
        signed_case_format(golden, &format);
        format.purpose = (struct octets){ bytes, size };
        refuse_authentic(golden, &format,
                         size == 0 || size > 64 ? "malformed blob"
                                                : "blob was signed for another purpose",
                         "purpose of", size);
        signed_case_format(golden, &format);
        format.serial = (struct octets){ bytes, size };
        if (size > 32)
            refuse_authentic(golden, &format, "malformed blob", "serial of", size);
        signed_case_format(golden, &format);
        format.message_hash = (struct octets){ bytes, size };
        if (size > 64)
            refuse_authentic(golden, &format, "malformed blob", "message hash of", size);
        signed_case_format(golden, &format);
        format.count = (uint8_t)size;
        if (size != 1)
            refuse_authentic(golden, &format, "malformed blob", "count", size);
    }
    refused_all("numbers and lengths");
}

/* |count| blobs of |inner|, and perhaps |last| behind them. */
static void refuse_inner(const struct signed_case *golden, struct octets inner, size_t count,
                         const struct octets *last, const char *reason, const char *what)
{
    struct signed_format format;

    signed_case_format(golden, &format);
    format.inner_count = 0;
    while (format.inner_count < count)
        format.inner[format.inner_count++] = inner;
    if (last != NULL)
        format.inner[format.inner_count++] = *last;
    format.count = (uint8_t)format.inner_count;
    refuse_authentic(golden, &format, reason, what, (unsigned)count);
}

static struct octets inner_of(const char *name, uint8_t *out)
{
    struct signed_format format;

    signed_case_format(signed_case_named(name), &format);
    memcpy(out, format.inner[0].data, format.inner[0].size);
    return (struct octets){ out, format.inner[0].size };
}

static void blobs_inside_that_cannot_be_are_refused(void **state)
{
    static uint8_t opaque[1024], plain[128], simple[MAX_EXCHANGED], other[MAX_EXCHANGED];
    static uint8_t whole[FORMAT_MAX_SIZE];
    const struct signed_case *golden = signed_case_named("two-receivers");
    const struct octets opaques = inner_of("rsa-opaque", opaque);
    const struct octets plains = inner_of("ed25519-plaintext", plain);
    const struct octets simples = inner_of("two-receivers", simple);
    const struct octets others = inner_of("rsa-simple", other);
    const struct octets empty = { NULL, 0 };
    const struct octets wholes = { whole, write_case(golden, whole) };
    struct octets longer = simples;

    (void)state;
    refuse_inner(golden, empty, 1, NULL, "malformed blob", "an empty blob");
    refuse_inner(golden, simples, 1, &empty, "malformed blob", "an empty second blob");
    refuse_inner(golden, simples, 17, NULL, "malformed blob", "17 receivers");
    refuse_inner(golden, opaques, 2, NULL, "malformed blob", "two opaque blobs");
    refuse_inner(golden, plains, 2, NULL, "malformed blob", "two plaintext blobs");
    refuse_inner(golden, opaques, 1, &simples, "malformed blob", "opaque and simple");
    refuse_inner(golden, simples, 1, &opaques, "unknown blob type", "simple and opaque");
    refuse_inner(golden, simples, 1, &plains, "unknown blob type", "simple and plaintext");
    refuse_inner(golden, simples, 1, &others, "malformed blob", "keys of two algorithms");
    refuse_inner(golden, wholes, 1, NULL, "unknown blob type", "a signed blob");
    longer.size++;
    simple[simples.size] = 0;
    refuse_inner(golden, longer, 1, NULL, "malformed blob", "a simple blob and a byte");
    longer = plains;
    plain[plains.size] = 0;
    longer.size++;
    refuse_inner(golden, longer, 1, NULL, "malformed blob", "a plaintext blob and a byte");
    opaque[opaques.size - 1] ^= 1;
    refuse_inner(golden, opaques, 1, NULL, "seal does not verify", "a damaged seal");
    simple[1] = 3;
    refuse_inner(golden, simples, 1, NULL, "unsupported blob version", "version 3");
    simple[1] = 2;
    simple[SIMPLE_HEADER_SIZE] ^= 1;
    refuse_inner(golden, simples, 1, NULL, "blob does not open", "a damaged ciphertext");
    simple[SIMPLE_HEADER_SIZE] ^= 1;
    for (unsigned type = 0; type < 256; type++) {
        simple[0] = (uint8_t)type;
        if (type != 1 && type != 8 && type != 9)
            refuse_inner(golden, simples, 1, NULL, "unknown blob type", "another type");
    }
    refused_all("blobs inside");
}

/* ---- signatures that are right in another way ---- */

/* |content_size| bytes at |blob| signed otherwise than version 1 says. */
static size_t sign_otherwise(EVP_PKEY *key, const char *digest, int padding, int salt_size,
                             size_t content_size)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *operation = NULL;
    size_t size = 2048;

    assert_int_equal(
        EVP_DigestSignInit_ex(context, &operation, digest, libctx, "provider!=schannel", key, NULL),
        1);
    if (padding != 0)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(operation, padding), 1);
    if (padding == RSA_PKCS1_PSS_PADDING)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(operation, salt_size), 1);
    assert_int_equal(EVP_DigestSign(context, blob + content_size + 2, &size, blob, content_size),
                     1);
    blob[content_size] = (uint8_t)(size >> 8);
    blob[content_size + 1] = (uint8_t)size;
    EVP_MD_CTX_free(context);
    return content_size + 2 + size;
}

static void only_the_signature_of_the_format_is_taken(void **state)
{
    static const struct {
        const char *golden, *digest;
        int padding, salt_size, is_right;
    } rows[] = {
        { "rsa-plaintext", "SHA256", RSA_PKCS1_PSS_PADDING, 32, 1 },
        /* A salt of any length: a TPM takes the longest. */
        { "rsa-plaintext", "SHA256", RSA_PKCS1_PSS_PADDING, 0, 1 },
        { "rsa-plaintext", "SHA256", RSA_PKCS1_PSS_PADDING, 20, 1 },
        { "rsa-plaintext", "SHA256", RSA_PKCS1_PSS_PADDING, 222, 1 },
        { "rsa-plaintext", "SHA256", RSA_PKCS1_PADDING, 0, 0 },
        { "rsa-plaintext", "SHA512", RSA_PKCS1_PSS_PADDING, 64, 0 },
        { "rsa-plaintext", "SHA1", RSA_PKCS1_PSS_PADDING, 20, 0 },
        { "ec-plaintext", "SHA256", 0, 0, 1 },
        { "ec-plaintext", "SHA384", 0, 0, 0 },
        { "ec-plaintext", "SHA1", 0, 0, 0 },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct signed_case *golden = signed_case_named(rows[n].golden);
        struct signed_format format;
        struct octets written = { blob, 0 };
        struct list options;

        signed_case_format(golden, &format);
        format.purpose = (struct octets){ (const uint8_t *)"storage", 7 };
        written.size =
            sign_otherwise(signer_named(golden->signer)->pkey, rows[n].digest, rows[n].padding,
                           rows[n].salt_size, format_write_content(&format, blob));
        start_options(golden, &options);
        for (enum route route = 0; route < BY_PEM_READER; route++) {
            if (rows[n].is_right)
                EVP_PKEY_free(open_by(route, LABEL, written, &options));
            else
                refuse_by(route, LABEL, written, &options, "signature does not verify", "row %zu",
                          n);
        }
    }
    refused_all("other signatures");
}

/* ---- statements that are not the expected ones ---- */

static void a_sound_blob_has_to_be_the_expected_one(void **state)
{
    static const uint8_t serial[8] = "01234567", other[8] = "01234568", shorter[7] = "0123456";
    const struct signed_case *golden = signed_case_named("two-receivers");
    struct signed_format format;
    struct list options;
    struct octets written = { blob, 0 };

    (void)state;
    signed_case_format(golden, &format);
    format.serial = (struct octets){ serial, sizeof(serial) };
    format.message_hash = (struct octets){ other, sizeof(other) };
    written.size = format_write(&format, signer_named(golden->signer)->pkey, blob);
    for (enum route route = 0; route < ROUTES; route++) {
        const int has_options = route_has_options(route);

        start_options(golden, &options);
        drop(&options, "signature-key");
        refuse_by(route, LABEL, written, &options, "missing parameter", "no signer");
        if (!has_options)
            continue;
        start_options(golden, &options);
        add_octets(&options, "expect-serial", serial, sizeof(serial));
        add_octets(&options, "message-hash", other, sizeof(other));
        add_text(&options, "purpose", "storage");
        EVP_PKEY_free(open_by(route, LABEL, written, &options));
        drop(&options, "purpose");
        add_text(&options, "purpose", "exchange");
        refuse_by(route, LABEL, written, &options, "blob was signed for another purpose",
                  "another purpose");
        start_options(golden, &options);
        add_octets(&options, "expect-serial", other, sizeof(other));
        refuse_by(route, LABEL, written, &options, "blob has another serial", "another serial");
        start_options(golden, &options);
        add_octets(&options, "expect-serial", shorter, sizeof(shorter));
        refuse_by(route, LABEL, written, &options, "blob has another serial", "a shorter serial");
        start_options(golden, &options);
        add_octets(&options, "message-hash", serial, sizeof(serial));
        refuse_by(route, LABEL, written, &options, "blob belongs to another message",
                  "another message");
        start_options(golden, &options);
        add_number(&options, "max-age", 3600);
        refuse_by(route, LABEL, written, &options, "signature is too old", "of 2023");
        start_options(golden, &options);
        drop(&options, "signature-key");
        add_text(&options, "signature-key", signer_named("ed448")->public_file);
        refuse_by(route, LABEL, written, &options, "blob was signed by another key", "ed448");
        drop(&options, "exchange-key");
        drop(&options, "signature-key");
        add_text(&options, "signature-key", signer_named("ed25519")->public_file);
        refuse_by(route, LABEL, written, &options, "missing parameter", "no exchange key");
    }
    refused_all("statements");
}

/* A wrong statement is told before anything inside is looked at, and a wrong signature before
 * that. */
static void what_is_inside_is_looked_at_last(void **state)
{
    static uint8_t plain[128];
    const struct signed_case *golden = signed_case_named("two-receivers");
    const struct octets inner = inner_of("ed25519-plaintext", plain);
    struct signed_format format;
    struct list options;
    size_t size;

    (void)state;
    plain[1] = 77;
    signed_case_format(golden, &format);
    format.inner[0] = inner;
    format.count = 1;
    format.inner_count = 1;
    format.purpose = (struct octets){ (const uint8_t *)"exchange", 8 };
    size = format_write(&format, signer_named(golden->signer)->pkey, blob);
    start_options(golden, &options);
    for (enum route route = 0; route < BY_PEM_READER; route++) {
        refuse_by(route, LABEL, (struct octets){ blob, size }, &options,
                  "blob was signed for another purpose", "both");
        blob[size - 1] ^= 1;
        refuse_by(route, LABEL, (struct octets){ blob, size }, &options,
                  "signature does not verify", "all three");
        blob[size - 1] ^= 1;
    }
    refused_all("order");
}

static void the_age_is_counted_in_seconds_by_the_wall_clock(void **state)
{
    const struct signed_case *golden = signed_case_named("ed25519-plaintext");
    const uint64_t now = (uint64_t)time(NULL);
    const struct {
        uint64_t created;
        uint32_t max_age;
        int opens;
    } rows[] = {
        { now, 1000, 1 },      { now - 900, 1000, 1 },         { now - 1100, 1000, 0 },
        { now + 30, 1000, 1 }, { now + 1000, 1000, 0 },        { UINT64_MAX, 1000, 0 },
        { 0, 1000, 0 },        { 0, UINT32_MAX, 1 },           { UINT64_MAX, 0, 1 },
        { 0, 0, 1 },           { now - 86400, 86400 + 60, 1 }, { UINT64_MAX, UINT32_MAX, 0 },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct signed_format format;
        struct octets written = { blob, 0 };
        struct list options;

        signed_case_format(golden, &format);
        format.created = rows[n].created;
        written.size = format_write(&format, signer_named(golden->signer)->pkey, blob);
        start_options(golden, &options);
        if (rows[n].max_age != 0)
            add_number(&options, "max-age", rows[n].max_age);
        if (rows[n].opens)
            EVP_PKEY_free(open_by(BY_DECODER, LABEL, written, &options));
        else
            refuse_by(BY_DECODER, LABEL, written, &options, "signature is too old", "row %zu", n);
    }
    refused_all("ages");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_bit_and_every_size_matters, starts_with_a_clean_queue),
        cmocka_unit_test_setup(too_long_a_blob_is_refused, starts_with_a_clean_queue),
        cmocka_unit_test_setup(numbers_and_lengths_that_cannot_be_are_refused,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(blobs_inside_that_cannot_be_are_refused, starts_with_a_clean_queue),
        cmocka_unit_test_setup(only_the_signature_of_the_format_is_taken,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_sound_blob_has_to_be_the_expected_one, starts_with_a_clean_queue),
        cmocka_unit_test_setup(what_is_inside_is_looked_at_last, starts_with_a_clean_queue),
        cmocka_unit_test_setup(the_age_is_counted_in_seconds_by_the_wall_clock,
                               starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
