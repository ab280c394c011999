/*
 * Golden blobs put together from parts of two.  The provider refuses every one with the reason that
 * tells what is wrong.
 */
#include "golden_refusal.h"

#define MALFORMED "malformed blob"

static const char unsealed[] = "seal does not verify";

static struct golden_bytes blobs[160];

static int spliced_setup(void **state)
{
    assert_in_range(golden_case_count, 1, sizeof(blobs) / sizeof(blobs[0]));
    for (size_t n = 0; n < golden_case_count; n++)
        golden_blob(&golden_cases[n], &blobs[n]);
    return golden_setup(state);
}

/* ---- header and sealed part ---- */

static void header_of_one_and_what_another_sealed_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t a = 0; a < golden_case_count; a++) {
        for (size_t b = 0; b < golden_case_count; b++) {
            static struct golden_bytes spliced;
            struct golden_header header, other;
            size_t own = golden_read_header(blobs[a].data, blobs[a].size, &header);
            size_t at = golden_read_header(blobs[b].data, blobs[b].size, &other);
            size_t sealed = blobs[b].size - at;
            int same_size = blobs[a].size - own == sealed;

            if (a == b)
                continue;
            for (int with_length = 0; with_length < 2; with_length++) {
                golden_write_header(&spliced, &header, with_length ? sealed : blobs[a].size - own);
                golden_append(&spliced, blobs[b].data + at, sealed);
                golden_refuse(&golden_cases[a], spliced.data, spliced.size,
                              with_length || same_size ? unsealed : MALFORMED, "sealed part of %s",
                              golden_cases[b].name);
            }
        }
    }
    golden_refused_all();
}

/* ---- parts of the header ---- */

static void take_blob_id(struct golden_header *to, const struct golden_header *from)
{
    memcpy(to->blob_id, from->blob_id, sizeof(to->blob_id));
}

static void take_sealing_key_id(struct golden_header *to, const struct golden_header *from)
{
    memcpy(to->sealing_key_id, from->sealing_key_id, sizeof(to->sealing_key_id));
}

static void take_audience(struct golden_header *to, const struct golden_header *from)
{
    memcpy(to->audience, from->audience, sizeof(to->audience));
    to->audience_size = from->audience_size;
}

static void take_mode(struct golden_header *to, const struct golden_header *from)
{
    to->mode = from->mode;
}

static void take_flags(struct golden_header *to, const struct golden_header *from)
{
    to->flags = from->flags;
}

static void take_not_after(struct golden_header *to, const struct golden_header *from)
{
    to->not_after = from->not_after;
}

static void take_disposition(struct golden_header *to, const struct golden_header *from)
{
    take_mode(to, from);
    take_not_after(to, from);
    take_audience(to, from);
}

static void take_alg_id(struct golden_header *to, const struct golden_header *from)
{
    to->alg_id = from->alg_id;
}

static void take_alg(struct golden_header *to, const struct golden_header *from)
{
    take_alg_id(to, from);
    to->kind = from->kind;
    to->algorithm = from->algorithm;
}

static void take_derivation(struct golden_header *to, const struct golden_header *from)
{
    to->protocol = from->protocol;
    to->usage = from->usage;
}

static void take_what_it_is(struct golden_header *to, const struct golden_header *from)
{
    take_alg(to, from);
    take_derivation(to, from);
}

static const struct {
    const char *name;
    void (*take)(struct golden_header *to, const struct golden_header *from);
} parts[] = {
    { "blob_id", take_blob_id },
    { "sealing_key_id", take_sealing_key_id },
    { "audience_hash", take_audience },
    { "mode", take_mode },
    { "flags", take_flags },
    { "not_after", take_not_after },
    { "mode, not_after and audience_hash", take_disposition },
    { "ai_key_alg", take_alg_id },
    { "ai_key_alg, kind and algorithm", take_alg },
    { "protocol and usage", take_derivation },
    { "all that says what it is", take_what_it_is },
};

static void a_header_with_parts_of_another_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t a = 0; a < golden_case_count; a++) {
        for (size_t b = 0; b < golden_case_count; b++) {
            struct golden_header own, other, changed;
            size_t at = golden_read_header(blobs[a].data, blobs[a].size, &own);

            if (a == b)
                continue;
            golden_read_header(blobs[b].data, blobs[b].size, &other);
            for (size_t n = 0; n < sizeof(parts) / sizeof(parts[0]); n++) {
                static struct golden_bytes spliced;

                changed = own;
                parts[n].take(&changed, &other);
                if (memcmp(&changed, &own, sizeof(own)) == 0)
                    continue;
                golden_write_header(&spliced, &changed, blobs[a].size - at);
                golden_append(&spliced, blobs[a].data + at, blobs[a].size - at);
                golden_refuse(&golden_cases[a], spliced.data, spliced.size, NULL, "%s of %s",
                              parts[n].name, golden_cases[b].name);
            }
        }
    }
    golden_refused_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_of_one_and_what_another_sealed_is_refused),
        cmocka_unit_test(a_header_with_parts_of_another_is_refused),
    };

    return cmocka_run_group_tests(tests, spliced_setup, golden_teardown);
}
