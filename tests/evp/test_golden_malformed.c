/*
 * Authentic blobs with impossible contents: sealed properly, under the right key, but no release of
 * the provider wrote them.  All are refused, with one reason, and nothing of them is kept.
 */
#include "golden_refusal.h"

#define MALFORMED "malformed blob"
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static struct golden_header header;
static struct golden_bytes payload;

static void start(const struct golden_case *golden)
{
    golden_header(golden, &header);
    golden_payload(golden, &payload);
}

static int is_object(const struct golden_case *golden)
{
    return !golden->is_for_context;
}

static int is_master(const struct golden_case *golden)
{
    return golden_alg_of(golden)->kind == GOLDEN_MASTER;
}

static int has_premaster(const struct golden_case *golden)
{
    return golden->alg == SSL3_MASTER || golden->alg == TLS1_MASTER;
}

/* ---- the control ---- */

static void sealed_again_without_a_change_they_open(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        static struct golden_bytes blob;

        golden_blob(&golden_cases[n], &blob);
        assert_int_equal(golden_opens(&golden_cases[n], blob.data, blob.size), 1);
    }
    golden_forget_claims();
}

/* ---- sizes of the payload ---- */

static void a_payload_cut_short_or_extended_is_refused(void **state)
{
    static struct golden_bytes changed;

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);

        if (golden == NULL)
            continue;
        start(golden);
        for (size_t size = 0; size < payload.size; size++) {
            changed = payload;
            changed.size = size;
            golden_refuse_sealed(golden, &header, &changed, MALFORMED, "payload size", size);
        }
        for (unsigned extra = 1; extra <= 16; extra++) {
            static const uint8_t zeros[16];

            changed = payload;
            golden_append(&changed, zeros, extra);
            golden_refuse_sealed(golden, &header, &changed, MALFORMED, "trailing zeros", extra);
        }
    }
    golden_refused_all();
}

/* ---- single numbers ---- */

/* Values of |field| that cannot be, in every payload that has it and whose alg is from..to. */
static const struct {
    const char *field;
    enum golden_alg_index from, to;
    uint64_t value;
} impossible_numbers[] = {
    { "fork", PCT1_MASTER, TLS1_MAC, 2 },
    { "fork", PCT1_MASTER, TLS1_MAC, 255 },
    { "converted", PCT1_MASTER, SSL2_MASTER, 0 },
    { "converted", PCT1_MASTER, TLS1_MASTER, 2 },
    { "converted", PCT1_MASTER, TLS1_MASTER, 255 },
    { "cipher", PCT1_MASTER, TLS1_MASTER, 9 },
    { "cipher", PCT1_MASTER, TLS1_MASTER, 17 },
    { "cipher", PCT1_MASTER, TLS1_MASTER, 255 },
    { "cipher_bits", PCT1_MASTER, TLS1_MASTER, 4097 },
    { "cipher_bits", PCT1_MASTER, TLS1_MASTER, 65535 },
    { "digest", PCT1_MASTER, TLS1_MASTER, 3 },
    { "digest", PCT1_MASTER, TLS1_MASTER, 255 },
    { "mac_bits", PCT1_MASTER, TLS1_MASTER, 4097 },
    { "mac_bits", PCT1_MASTER, TLS1_MASTER, 65535 },
    { "highest_version", PCT1_MASTER, SSL2_MASTER, 1 },
    { "highest_version", PCT1_MASTER, SSL2_MASTER, 0x0300 },
    { "highest_version", PCT1_MASTER, SSL2_MASTER, 0x0301 },
    { "highest_version", PCT1_MASTER, SSL2_MASTER, 0xffff },
    { "highest_version", SSL3_MASTER, TLS1_MASTER, 1 },
    { "highest_version", SSL3_MASTER, TLS1_MASTER, 0x02ff },
    { "highest_version", SSL3_MASTER, TLS1_MASTER, 0x0400 },
    { "highest_version", SSL3_MASTER, TLS1_MASTER, 0xffff },
    { "effective_bits", RC2, RC2, 0 },
    { "effective_bits", RC2, RC2, 1025 },
    { "effective_bits", RC2, RC2, 2048 },
    { "effective_bits", RC2, RC2, 65535 },
    { "direction", RC2, AES_256, 3 },
    { "direction", RC2, AES_256, 4 },
    { "direction", RC2, AES_256, 255 },
    { "sequence", RC4, AES_256, UINT64_C(0x100000000) },
    { "sequence", RC4, AES_256, UINT64_C(0x100000001) },
    { "sequence", RC4, AES_256, UINT64_MAX },
    { "sequence", PCT1_MAC, PCT1_MAC, UINT64_C(0x100000001) }, /* one below: none is left */
    { "sequence", SSL2_MAC, SSL2_MAC, UINT64_C(0x100000000) }, /* begins again before it */
    { "digest", PCT1_MAC, TLS1_MAC, 0 },
    { "digest", PCT1_MAC, TLS1_MAC, 3 },
    { "digest", PCT1_MAC, TLS1_MAC, 255 },
    { "digest", SSL2_MAC, SSL2_MAC, GOLDEN_SHA1 }, /* it hashes with MD5 */
    { "started", RC4, TLS1_MAC, 2 },
    { "started", RC4, TLS1_MAC, 255 },
    { "in_record", RC4, TLS1_MAC, 2 },
    { "in_record", RC4, TLS1_MAC, 255 },
};

static void a_number_that_cannot_be_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);

        for (size_t row = 0; golden != NULL && row < COUNT(impossible_numbers); row++) {
            const char *field = impossible_numbers[row].field;

            start(golden);
            if (golden->alg < impossible_numbers[row].from ||
                golden->alg > impossible_numbers[row].to || !golden_has(&payload, field))
                continue;
            golden_set_number(&payload, field, impossible_numbers[row].value);
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, field,
                                 impossible_numbers[row].value);
        }
    }
    golden_refused_all();
}

/* Pairs of bits in "choices", from the lowest: who has a use for them? */
static const uint8_t pair_of_protocols[] = {
    1 << GOLDEN_PCT1 | 1 << GOLDEN_SSL2 | 1 << GOLDEN_SSL3 | 1 << GOLDEN_TLS1, /* export */
    1 << GOLDEN_PCT1 | 1 << GOLDEN_SSL2 | 1 << GOLDEN_SSL3 | 1 << GOLDEN_TLS1, /* relaxed-randoms */
    1 << GOLDEN_SSL2,                                                          /* ssl2-des-digit */
    1 << GOLDEN_PCT1,                                                          /* pct-raw-des */
    1 << GOLDEN_TLS1,                                                          /* record-version */
};

/* A pair is not given, no or yes, never a value that is not given; and nobody has a sixth. */
static int are_choices(unsigned protocol, unsigned choices)
{
    for (unsigned pair = 0; pair < 8; pair++) {
        unsigned bits = choices >> 2 * pair & 3;

        if (bits == 2 || (bits != 0 && (pair >= COUNT(pair_of_protocols) ||
                                        (pair_of_protocols[pair] >> protocol & 1) == 0)))
            return 0;
    }
    return 1;
}

static void choices_that_cannot_be_are_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = &golden_cases[n];

        for (unsigned choices = 0; is_master(golden) && choices < 0x10000;
             choices += choices < 0x400 ? 1 : 0x400) {
            if (are_choices(golden_protocol(golden), choices))
                continue;
            /* all of them for one master of each protocol, each pair alone for the others */
            if (n > 0 && golden_cases[n - 1].alg == golden->alg && (choices & (choices - 1)) != 0)
                continue;
            start(golden);
            golden_set_number(&payload, "choices", choices);
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "choices", choices);
        }
    }
    golden_refused_all();
}

/* Only a secret of 48 bytes can be a master secret. */
static void a_premaster_secret_that_cannot_be_converted_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = &golden_cases[n];

        if (!has_premaster(golden) || golden_key_size(golden) == 48)
            continue;
        start(golden);
        golden_set_number(&payload, "converted", 1);
        golden_refuse_sealed(golden, &header, &payload, MALFORMED, "converted", 1);
    }
    golden_refused_all();
}

/* ---- lengths ---- */

/* Every length of a vector but |good| ones, with as many bytes: 0 to |most|. */
static void refuse_lengths(const struct golden_case *golden, const char *field, size_t most,
                           int (*is_good)(const struct golden_case *, size_t))
{
    for (size_t size = 0; size <= most; size++) {
        start(golden);
        if (!golden_has(&payload, field))
            return;
        if (is_good(golden, size))
            continue;
        golden_resize(&payload, field, size);
        golden_refuse_sealed(golden, &header, &payload, NULL, field, size);
    }
}

static int is_cipher_key(const struct golden_case *golden, size_t size)
{
    const struct golden_field *field = golden_find(&payload, "key");

    if (golden->message != IDLE) /* its bytes are counted in the message */
        return size == payload.data[field->offset];
    if (golden->has_salt)
        return size == 5;
    if (golden->alg == RC4)
        return is_object(golden) ? size >= 5 && size <= 16 : size <= 32;
    if (golden->alg == RC2)
        return is_object(golden) ? size >= 5 && size <= 16 : size >= 1 && size <= 128;
    return size == golden_alg_of(golden)->key_size;
}

static int is_salt(const struct golden_case *golden, size_t size)
{
    return size == 0 || (size == 11 && (golden->alg == RC4 || golden->alg == RC2) &&
                         golden_key_size(golden) == 5);
}

static int is_buffered(const struct golden_case *golden, size_t size)
{
    const size_t block = golden_alg_of(golden)->block_size;
    const int direction = payload.data[golden_find(&payload, "direction")->offset];

    if (direction == GOLDEN_NONE)
        return size == 0;
    return size != 0 && size < block + (direction == GOLDEN_DECRYPT ? 1u : 0);
}

static int is_mac_key(const struct golden_case *golden, size_t size)
{
    if (golden->message != IDLE && (golden->alg == SSL2_MAC || golden->alg == SSL3_MAC))
        return size == golden_key_size(golden);
    if (!is_object(golden))
        return size <= 64;
    if (golden->alg == PCT1_MAC)
        return size >= 8 && size <= 40;
    if (golden->alg == SSL2_MAC)
        return size >= 5 && size <= 32;
    return size == golden_key_size(golden);
}

static int is_digest_state(const struct golden_case *golden, size_t size)
{
    const struct golden_field *field = golden_find(&payload, "digest_state");

    (void)golden;
    return size == payload.data[field->offset];
}

/* None, or one that the protocol has; relaxed-randoms = 1 takes all. */
static int is_random(const struct golden_case *golden, size_t size)
{
    const int is_relaxed = (golden->choices & 0x08) != 0;

    if (is_relaxed || size == 0)
        return size <= 64;
    return size == 32 || (golden->alg == SSL2_MASTER && size >= 16 && size < 32);
}

static int is_clear_key(const struct golden_case *golden, size_t size)
{
    return size == 0 || golden->alg == PCT1_MASTER || golden->alg == SSL2_MASTER;
}

static int is_certificate(const struct golden_case *golden, size_t size)
{
    return size == 0 || golden->alg == PCT1_MASTER;
}

static int is_master_secret(const struct golden_case *golden, size_t size)
{
    if (golden->alg == PCT1_MASTER)
        return size == 16;
    if (golden->alg == SSL2_MASTER)
        return size >= 5 && size <= 32;
    return golden->has_master_secret ? size == 48 : size != 0;
}

static void a_length_that_cannot_be_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);

        if (golden == NULL)
            continue;
        switch (golden_alg_of(golden)->kind) {
        case GOLDEN_MASTER:
            refuse_lengths(golden, "secret", 100, is_master_secret);
            refuse_lengths(golden, "client_random", 255, is_random);
            refuse_lengths(golden, "server_random", 255, is_random);
            refuse_lengths(golden, "clear_key", 255, is_clear_key);
            refuse_lengths(golden, "certificate", 100, is_certificate);
            break;
        case GOLDEN_CIPHER:
            refuse_lengths(golden, "key", 255, is_cipher_key);
            refuse_lengths(golden, "salt", 255, is_salt);
            refuse_lengths(golden, "buffered", 255, is_buffered);
            refuse_lengths(golden, "digest_state", 255, is_digest_state);
            break;
        default:
            refuse_lengths(golden, "key", 255, is_mac_key);
            refuse_lengths(golden, "digest_state", 255, is_digest_state);
            break;
        }
    }
    golden_refused_all();
}

static void long_vectors_end_where_the_format_says(void **state)
{
    static const struct {
        const char *golden, *field;
        size_t size;
        int is_good;
    } rows[] = {
        { "master-bare-premaster-of-61-bytes", "secret", 4096, 1 },
        { "master-bare-premaster-of-61-bytes", "secret", 4097, 0 },
        { "master-bare-premaster-of-61-bytes", "secret", 32000, 0 },
        { "ssl3-master-bare-premaster-of-130-bytes", "secret", 4096, 1 },
        { "ssl3-master-bare-premaster-of-130-bytes", "secret", 4097, 0 },
        { "master-bare-premaster-of-61-bytes", "certificate", 1, 0 },
        { "master-bare-premaster-of-61-bytes", "certificate", 256, 0 },
        { "master-bare-premaster-of-61-bytes", "certificate", 32767, 0 },
        { "master-bare-premaster-of-61-bytes", "clear_key", 8192, 0 },
        { "ssl3-master-bare-premaster-of-130-bytes", "certificate", 1, 0 },
        { "ssl3-master-bare-premaster-of-130-bytes", "clear_key", 256, 0 },
        { "ssl2-master-bare-of-32-bytes", "certificate", 32767, 0 },
        { "ssl2-master-bare-of-32-bytes", "certificate", 256, 0 },
        { "ssl2-master-bare-of-32-bytes", "clear_key", 8192, 1 },
        { "ssl2-master-bare-of-32-bytes", "clear_key", 8193, 0 },
        { "pct1-master-bare", "clear_key", 256, 1 },
        { "pct1-master-bare", "clear_key", 8192, 1 },
        { "pct1-master-bare", "clear_key", 8193, 0 },
        { "pct1-master-bare", "clear_key", 65000, 0 },
        { "pct1-master-bare", "certificate", 256, 1 },
        { "pct1-master-bare", "certificate", 32767, 1 },
        { "pct1-master-bare", "certificate", 32768, 0 },
        { "pct1-master-bare", "certificate", 65000, 0 },
    };

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(rows); n++) {
        const struct golden_case *golden = golden_case_named(rows[n].golden);
        static struct golden_bytes blob;
        uint8_t secret[GOLDEN_SECRET_SIZE];

        start(golden);
        golden_resize(&payload, rows[n].field, rows[n].size);
        if (!rows[n].is_good) {
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, rows[n].field, rows[n].size);
            continue;
        }
        golden_secret(golden, secret);
        golden_seal(&header, secret, &payload, &blob);
        if (!golden_opens(golden, blob.data, blob.size))
            fail_msg("%s with %zu bytes of %s does not open", golden->name, rows[n].size,
                     rows[n].field);
    }
    golden_refused_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_again_without_a_change_they_open),
        cmocka_unit_test(a_payload_cut_short_or_extended_is_refused),
        cmocka_unit_test(a_number_that_cannot_be_is_refused),
        cmocka_unit_test(choices_that_cannot_be_are_refused),
        cmocka_unit_test(a_premaster_secret_that_cannot_be_converted_is_refused),
        cmocka_unit_test(a_length_that_cannot_be_is_refused),
        cmocka_unit_test(long_vectors_end_where_the_format_says),
    };

    return cmocka_run_group_tests(tests, golden_setup, golden_teardown);
}
