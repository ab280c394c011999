/*
 * Golden blobs that were touched: any bit changed, cut short, extended, or sealed under another key.
 * The provider refuses every one with the reason that tells what is wrong.  Under a passphrase each
 * look costs 10,000 iterations of PBKDF2, or millions when the number of iterations was changed:
 * most of the time is spent there.
 */
#include "golden_refusal.h"

#define MALFORMED "malformed blob"

static const char unsealed[] = "seal does not verify";

static struct golden_bytes blobs[160];

static int touched_setup(void **state)
{
    assert_in_range(golden_case_count, 1, sizeof(blobs) / sizeof(blobs[0]));
    for (size_t n = 0; n < golden_case_count; n++)
        golden_blob(&golden_cases[n], &blobs[n]);
    return golden_setup(state);
}

/* The header's field at |offset|, or NULL inside a vector's data and in what is sealed. */
static const char *field_at(const struct golden_bytes *blob, size_t offset)
{
    for (size_t n = 0; n < blob->field_count; n++) {
        const struct golden_field *field = &blob->fields[n];

        if (offset >= field->offset && offset < field->offset + field->size)
            return field->name;
    }
    return NULL;
}

/* What the provider has to say when this bit of |field| changes; NULL: more than one is right. */
static const char *reason_of_flip(const struct golden_case *golden, const char *field, unsigned bit)
{
    const unsigned id = golden_alg_of(golden)->id ^ 1u << bit;

    static const struct {
        const char *field, *reason;
    } rows[] = {
        { "type", MALFORMED },
        { "version", MALFORMED },
        { "reserved", MALFORMED },
        { "ai_key_alg", "unknown algorithm" },
        { "format_version", "unsupported blob version" },
        { "mode", MALFORMED },
        { "kind", MALFORMED },
        { "algorithm", "unknown algorithm" },
        { "protocol", NULL },
        { "usage", NULL },
        { "reserved_after_usage", MALFORMED },
        { "audience_hash", MALFORMED },
        { "iterations", NULL },
        { "sealed", MALFORMED },
    };

    if (field == NULL)
        return unsealed;
    /* the MACs have one ALG_ID: the protocol tells them apart */
    if (strcmp(field, "algorithm") == 0 && golden_alg_of(golden)->kind == GOLDEN_MAC &&
        id >= golden_algs[PCT1_MAC].id && id <= golden_algs[TLS1_MAC].id)
        return MALFORMED;
    if (strcmp(field, "flags") == 0)
        return bit == 0 ? unsealed : MALFORMED;
    if (strcmp(field, "not_after") == 0)
        return golden->mode == GOLDEN_TRANSFER ? unsealed : MALFORMED;
    if (strcmp(field, "sealing_key_id") == 0)
        return golden->has_passphrase ? MALFORMED : "sealed with another key";
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        if (strcmp(rows[n].field, field) == 0)
            return rows[n].reason;
    }
    return unsealed;
}

/* Without the first four bytes a decoder takes nothing for a blob: only the parameter looks then. */
static const struct golden_case *by_parameter(const struct golden_case *golden)
{
    static struct golden_case plain;

    plain = *golden;
    plain.has_passphrase = 0;
    return &plain;
}

static void flip_bits(const struct golden_case *golden, const struct golden_bytes *blob)
{
    static struct golden_bytes changed;

    changed = *blob;
    for (size_t byte = 0; byte < blob->size; byte++) {
        const char *field = field_at(blob, byte);

        for (unsigned bit = 0; bit < 8; bit++) {
            changed.data[byte] ^= (uint8_t)(1u << bit);
            golden_refuse(byte < 4 ? by_parameter(golden) : golden, changed.data, changed.size,
                          reason_of_flip(golden, field, bit), "bit %u of byte %zu (%s) changed",
                          bit, byte, field != NULL ? field : "data");
            changed.data[byte] ^= (uint8_t)(1u << bit);
        }
    }
    assert_int_equal(golden_opens(golden, changed.data, changed.size), 1);
    golden_forget_claims();
}

static void any_changed_bit_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++)
        flip_bits(&golden_cases[n], &blobs[n]);
    golden_refused_all();
}

static void any_shorter_or_longer_blob_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = &golden_cases[n];
        static struct golden_bytes longer;

        golden_refuse(by_parameter(golden), blobs[n].data, 0, "invalid length", "no bytes");
        for (size_t size = 1; size < blobs[n].size; size++)
            golden_refuse(size < 4 ? by_parameter(golden) : golden, blobs[n].data, size, MALFORMED,
                          "%zu bytes only", size);
        longer = blobs[n];
        golden_append(&longer, "", 1);
        for (unsigned byte = 0; byte < 256; byte++) {
            longer.data[longer.size - 1] = (uint8_t)byte;
            golden_refuse(golden, longer.data, longer.size, MALFORMED, "byte %u behind it", byte);
        }
    }
    golden_refused_all();
}

static void a_blob_sealed_under_another_key_is_refused(void **state)
{
    uint8_t secret[GOLDEN_SECRET_SIZE];

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        static struct golden_bytes payload, blob;
        struct golden_header header;

        golden_header(&golden_cases[n], &header);
        golden_payload(&golden_cases[n], &payload);
        golden_fill(&golden_cases[n], "another sealing key", secret, sizeof(secret));
        golden_seal(&header, secret, &payload, &blob);
        golden_refuse(&golden_cases[n], blob.data, blob.size, unsealed, "another sealing key");
        if (golden_cases[n].has_passphrase)
            continue;
        golden_sealing_key_id(secret, header.sealing_key_id);
        golden_seal(&header, secret, &payload, &blob);
        golden_refuse(&golden_cases[n], blob.data, blob.size, "sealed with another key",
                      "another sealing key and its id");
    }
    golden_refused_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_changed_bit_is_refused),
        cmocka_unit_test(any_shorter_or_longer_blob_is_refused),
        cmocka_unit_test(a_blob_sealed_under_another_key_is_refused),
    };

    return cmocka_run_group_tests(tests, touched_setup, golden_teardown);
}
