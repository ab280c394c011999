/*
 * Authentic blobs with running states that cannot be: permutations, digests, buffered blocks, and
 * messages whose fields do not fit each other.
 */
#include "golden_refusal.h"

#define MALFORMED "malformed blob"

static struct golden_header header;
static struct golden_bytes payload;

static void start(const struct golden_case *golden)
{
    golden_header(golden, &header);
    golden_payload(golden, &payload);
}

static void a_permutation_that_is_none_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);
        uint8_t *permutation;

        if (golden == NULL || golden->alg != RC4)
            continue;
        for (size_t at = 0; at < 256; at++) {
            start(golden);
            permutation = payload.data + golden_find(&payload, "permutation")->offset;
            permutation[at] = permutation[(at + 1) % 256];
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "twice the entry at", at);
        }
        start(golden);
        memset(payload.data + golden_find(&payload, "permutation")->offset, 0, 256);
        golden_refuse_sealed(golden, &header, &payload, MALFORMED, "zeros as permutation", 0);
    }
    golden_refused_all();
}

/* ---- digests ---- */

/* The digest's count of bytes in the payload. */
static uint8_t *count_of(const struct golden_case *golden)
{
    return payload.data + golden_find(&payload, "digest_state")->offset + 1 +
           (golden->digest == GOLDEN_MD5 ? 16 : 20);
}

/* A digest's count and its buffered bytes belong together; nothing counts 2^61 bytes. */
static void a_digest_state_that_cannot_be_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);
        uint8_t *count, low;

        if (golden == NULL || golden->message == IDLE)
            continue;
        for (unsigned add = 1; add < 64; add++) {
            start(golden);
            count = count_of(golden);
            count[7] = (uint8_t)((count[7] & 0xc0) | ((count[7] + add) & 0x3f));
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "count of a digest", add);
        }
        for (unsigned high = 0x20; high < 256; high += 0x11) {
            start(golden);
            count = count_of(golden);
            low = count[7];
            memset(count, (int)high, 7);
            count[7] = low;
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "huge count", high);
        }
        /* whole blocks more or less: a digest's state, but not that of this message */
        for (unsigned bit = 6; bit < 61; bit++) {
            start(golden);
            count_of(golden)[7 - bit / 8] ^= (uint8_t)(1u << bit % 8);
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "bit of a count", bit);
        }
        /* the state of one digest under the name of the other */
        start(golden);
        if (!golden_has(&payload, "digest"))
            continue;
        golden_set_number(&payload, "digest", 3u - golden->digest);
        golden_refuse_sealed(golden, &header, &payload, NULL, "digest", 3u - golden->digest);
    }
    golden_refused_all();
}

/* ---- messages ---- */

static void refuse_number(const struct golden_case *golden, const char *field, uint64_t value)
{
    start(golden);
    golden_set_number(&payload, field, value);
    golden_refuse_sealed(golden, &header, &payload, MALFORMED, field, value);
}

static int has_header(const struct golden_case *golden)
{
    return golden->message == RECORD && golden_protocol(golden) >= GOLDEN_SSL3;
}

/* Numbers that do not fit what the digest counts, the record's length and each other. */
static void refuse_numbers(const struct golden_case *golden)
{
    const size_t absorbed = golden_absorbed(golden);

    for (unsigned bit = 0; bit < 64; bit++)
        refuse_number(golden, "absorbed", absorbed ^ UINT64_C(1) << bit);
    refuse_number(golden, "absorbed", absorbed + 64);
    refuse_number(golden, "absorbed", UINT64_MAX);
    if (golden_protocol(golden) >= GOLDEN_SSL3)
        refuse_number(golden, "in_record", golden->message != RECORD);
    for (unsigned length = 0; length < 65536; length = 2 * length + 1) {
        /* where nothing was said there is no length */
        if (!has_header(golden) && length != 0)
            refuse_number(golden, "record_length", length);
    }
}

/* No record has a number behind the protocol's last. */
static void refuse_sequences(const struct golden_case *golden)
{
    if (golden->message != RECORD)
        return;
    refuse_number(golden, "sequence", UINT64_MAX);
    if (golden_protocol(golden) >= GOLDEN_SSL3)
        return;
    for (unsigned bit = 32; bit < 64; bit++)
        refuse_number(golden, "sequence", golden->sequence | UINT64_C(1) << bit);
}

static void a_message_that_cannot_be_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);

        if (golden == NULL || !golden_has_message(golden))
            continue;
        refuse_number(golden, "started", golden->message == IDLE);
        if (golden->message == IDLE)
            continue;
        refuse_numbers(golden);
        refuse_sequences(golden);
    }
    golden_refused_all();
}

/* ---- blocks ---- */

static void a_direction_without_input_and_input_without_direction_are_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);
        uint8_t direction;

        if (golden == NULL || golden_alg_of(golden)->block_size == 0)
            continue;
        start(golden);
        direction = payload.data[golden_find(&payload, "direction")->offset];
        for (unsigned other = 0; other < 3; other++) {
            if (direction == other || (direction != 0 && other != 0 && !golden->padding))
                continue;
            start(golden);
            golden_set_number(&payload, "direction", other);
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "direction", other);
        }
    }
    golden_refused_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_permutation_that_is_none_is_refused),
        cmocka_unit_test(a_digest_state_that_cannot_be_is_refused),
        cmocka_unit_test(a_message_that_cannot_be_is_refused),
        cmocka_unit_test(a_direction_without_input_and_input_without_direction_are_refused),
    };

    return cmocka_run_group_tests(tests, golden_setup, golden_teardown);
}
