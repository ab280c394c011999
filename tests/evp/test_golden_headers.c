/*
 * Authentic blobs with headers that cannot be, sealed with them: what the key is, when and for whom,
 * how it is sealed.
 */
#include "golden_refusal.h"

#define MALFORMED "malformed blob"
#define UNKNOWN   "unknown algorithm"
#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))

static struct golden_header header;
static struct golden_bytes payload;

static void start(const struct golden_case *golden)
{
    golden_header(golden, &header);
    golden_payload(golden, &payload);
}

static void set_number(struct golden_header *to, const char *field, uint64_t value)
{
    if (strcmp(field, "type") == 0)
        to->type = (uint8_t)value;
    else if (strcmp(field, "version") == 0)
        to->version = (uint8_t)value;
    else if (strcmp(field, "reserved") == 0)
        to->reserved = (uint16_t)value;
    else if (strcmp(field, "alg_id") == 0)
        to->alg_id = (uint32_t)value;
    else if (strcmp(field, "format_version") == 0)
        to->format_version = (uint8_t)value;
    else if (strcmp(field, "mode") == 0)
        to->mode = (uint8_t)value;
    else if (strcmp(field, "flags") == 0)
        to->flags = (uint8_t)value;
    else if (strcmp(field, "kind") == 0)
        to->kind = (uint8_t)value;
    else if (strcmp(field, "algorithm") == 0)
        to->algorithm = (uint8_t)value;
    else if (strcmp(field, "protocol") == 0)
        to->protocol = (uint8_t)value;
    else if (strcmp(field, "usage") == 0)
        to->usage = (uint8_t)value;
    else if (strcmp(field, "reserved_after_usage") == 0)
        to->reserved_after_usage = (uint8_t)value;
    else if (strcmp(field, "audience_size") == 0)
        to->audience_size = (uint8_t)value;
    else if (strcmp(field, "iterations") == 0)
        to->iterations = (uint32_t)value;
    else
        fail_msg("no field %s", field);
}

static int is_good_header(const struct golden_case *golden, const char *field, unsigned value)
{
    const unsigned kind = golden_alg_of(golden)->kind;

    if (strcmp(field, "protocol") == 0)
        return kind != GOLDEN_CIPHER || golden_is_ssl2_cipher(golden)
                   ? value == golden_protocol(golden)
                   : value <= GOLDEN_TLS1 && value != GOLDEN_SSL2;
    if (strcmp(field, "usage") == 0)
        return value == 0 || (kind == GOLDEN_CIPHER && value <= GOLDEN_SERVER_KEY) ||
               (kind == GOLDEN_MAC && value > GOLDEN_SERVER_KEY && value <= GOLDEN_SERVER_MAC);
    if (strcmp(field, "kind") == 0)
        return value == kind;
    if (strcmp(field, "algorithm") == 0)
        return value == golden_alg_of(golden)->id;
    if (strcmp(field, "flags") == 0)
        return value < 2; /* with bit 1 there is no sealing key */
    if (strcmp(field, "audience_size") == 0)
        return value == (golden->audience != NULL ? 32 : 0) ||
               (value == 0 && golden->audience != NULL) ||
               (value == 32 && golden->mode == GOLDEN_TRANSFER);
    if (strcmp(field, "mode") == 0)
        return value == golden->mode;
    if (strcmp(field, "type") == 0)
        return value == 9;
    if (strcmp(field, "version") == 0)
        return value == 2;
    if (strcmp(field, "format_version") == 0)
        return value == 1;
    return value == 0; /* reserved ones */
}

/* 1 when no case before this one has its alg and its mode: the header's checks know no more. */
static int is_first_of_its_kind(size_t n)
{
    for (size_t before = 0; before < n; before++) {
        if (golden_cases[before].alg == golden_cases[n].alg &&
            golden_cases[before].mode == golden_cases[n].mode &&
            golden_is_ssl2_cipher(&golden_cases[before]) == golden_is_ssl2_cipher(&golden_cases[n]))
            return 0;
    }
    return 1;
}

/* The MACs have one ALG_ID: the protocol tells them apart. */
static const char *reason_of(const struct golden_case *golden, const char *field, unsigned value,
                             const char *reason)
{
    if (strcmp(field, "algorithm") == 0 && golden_alg_of(golden)->kind == GOLDEN_MAC &&
        value >= golden_algs[PCT1_MAC].id && value <= golden_algs[TLS1_MAC].id)
        return MALFORMED;
    return reason;
}

/* All 256 values of every byte that says what the blob is, sealed with that. */
static void every_header_byte_that_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *field, *reason;
    } fields[] = {
        { "type", MALFORMED },
        { "version", MALFORMED },
        { "reserved", MALFORMED },
        { "format_version", "unsupported blob version" },
        { "mode", MALFORMED },
        { "flags", MALFORMED },
        { "kind", MALFORMED },
        { "algorithm", UNKNOWN },
        { "protocol", NULL },
        { "usage", MALFORMED },
        { "reserved_after_usage", MALFORMED },
        { "audience_size", MALFORMED },
    };

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = is_first_of_its_kind(n) ? golden_nth(n) : NULL;

        for (size_t f = 0; golden != NULL && f < COUNT(fields); f++) {
            for (unsigned value = 0; value < 256; value++) {
                if (is_good_header(golden, fields[f].field, value))
                    continue;
                start(golden);
                set_number(&header, fields[f].field, value);
                golden_refuse_sealed(golden, &header, &payload,
                                     reason_of(golden, fields[f].field, value, fields[f].reason),
                                     fields[f].field, value);
            }
        }
    }
    golden_refused_all();
}

/* ---- one key under the name of another ---- */

static int is_master_of(const struct golden_case *golden, enum golden_alg_index alg)
{
    const int has_premaster = alg == SSL3_MASTER || alg == TLS1_MASTER;
    const size_t size = golden_key_size(golden);

    if (golden->has_master_secret ? has_premaster && size != 48 : !has_premaster)
        return 0;
    if ((alg == PCT1_MASTER && size != 16) || (alg == SSL2_MASTER && (size < 5 || size > 32)))
        return 0;
    return (golden->clear_key == 0 || !has_premaster) &&
           (golden->certificate == 0 || alg == PCT1_MASTER) &&
           (golden->highest_version == 0 || has_premaster) &&
           ((golden->choices & 0x030) == 0 || alg == SSL2_MASTER) &&
           ((golden->choices & 0x0c0) == 0 || alg == PCT1_MASTER) &&
           ((golden->choices & 0x300) == 0 || alg == TLS1_MASTER);
}

/* What the digest counts that is not data. */
static size_t prefix_size(const struct golden_case *golden, enum golden_alg_index alg)
{
    const size_t key = golden_key_size(golden), pads = golden->digest == GOLDEN_MD5 ? 48 : 40;
    const int is_record = golden->message == RECORD;

    switch (alg) {
    case SSL2_MAC:
        return key;
    case SSL3_MAC:
        return key + pads + (is_record ? 11 : 0);
    case TLS1_MAC:
        return 64 + (is_record ? 13u : 0);
    default:
        return 0;
    }
}

static int is_mac_of(const struct golden_case *golden, enum golden_alg_index alg)
{
    const size_t size = golden_key_size(golden), digest = golden->digest == GOLDEN_MD5 ? 16 : 20;

    if (alg == SSL2_MAC && golden->digest != GOLDEN_MD5)
        return 0;
    if (golden->message != IDLE && prefix_size(golden, alg) != prefix_size(golden, golden->alg))
        return 0;
    if (golden->is_for_context)
        return 1;
    if (alg == PCT1_MAC)
        return size >= 8 && size <= 40;
    return alg == SSL2_MAC ? size >= 5 && size <= 32 : size == digest;
}

/* 1 when the payload can be that of a key of another alg as well: nothing in it tells. */
static int can_be(const struct golden_case *golden, enum golden_alg_index alg)
{
    const unsigned kind = golden_alg_of(golden)->kind;

    if (kind != golden_algs[alg].kind || kind == GOLDEN_CIPHER)
        return 0;
    return kind == GOLDEN_MASTER ? is_master_of(golden, alg) : is_mac_of(golden, alg);
}

/* A payload of this alg under the name of each other one of its kind and of the others. */
static void refuse_other_names(const struct golden_case *golden)
{
    for (int alg = PCT1_MASTER; alg < GOLDEN_ALG_COUNT; alg++) {
        if (alg == (int)golden->alg || can_be(golden, (enum golden_alg_index)alg))
            continue;
        start(golden);
        header.alg_id = golden_algs[alg].alg_id;
        header.kind = golden_algs[alg].kind;
        header.algorithm = golden_algs[alg].id;
        header.protocol = golden_algs[alg].protocol;
        header.usage = 0;
        golden_refuse_sealed(golden, &header, &payload, NULL, golden_algs[alg].name, 0);
    }
}

static void refuse_other_protocols(const struct golden_case *golden)
{
    for (unsigned protocol = 0; protocol <= GOLDEN_TLS1; protocol++) {
        if (is_good_header(golden, "protocol", protocol))
            continue;
        start(golden);
        header.protocol = (uint8_t)protocol;
        golden_refuse_sealed(golden, &header, &payload, MALFORMED, "protocol", protocol);
    }
}

/* Algorithms and ALG_IDs of nobody, or of somebody else. */
static void refuse_other_ids(const struct golden_case *golden)
{
    static const struct {
        uint32_t alg_id;
        uint8_t kind, algorithm, protocol;
    } others[] = {
        { 0, 0, 0, 0 },       { 0x4c01, 1, 4, 4 },  { 0x4c06, 1, 3, 3 },  { 0x4c04, 1, 2, 2 },
        { 0x4c06, 1, 5, 4 },  { 0x4c02, 1, 4, 4 },  { 0x4c07, 2, 17, 0 }, { 0x6801, 2, 16, 0 },
        { 0x6801, 2, 25, 0 }, { 0x6603, 2, 20, 0 }, { 0x6609, 2, 21, 0 }, { 0x660f, 2, 22, 0 },
        { 0x4c03, 3, 32, 0 }, { 0x4c03, 3, 37, 4 }, { 0x4c07, 3, 36, 4 }, { 0x8009, 3, 36, 4 },
    };
    const uint32_t id = golden_alg_of(golden)->alg_id;

    for (size_t other = 0; other < COUNT(others); other++) {
        start(golden);
        header.alg_id = others[other].alg_id;
        header.kind = others[other].kind;
        header.algorithm = others[other].algorithm;
        header.protocol = others[other].protocol;
        header.usage = 0;
        golden_refuse_sealed(golden, &header, &payload, UNKNOWN, "other alg", other);
    }
    /* one bit of the ALG_ID, and the same bytes the other way round */
    for (unsigned bit = 0; bit <= 32; bit++) {
        start(golden);
        header.alg_id = bit < 32 ? id ^ UINT32_C(1) << bit : (id & 0xff) << 24 | (id & 0xff00) << 8;
        golden_refuse_sealed(golden, &header, &payload, UNKNOWN, "ALG_ID", header.alg_id);
    }
}

static void another_protocol_or_algorithm_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);

        if (golden == NULL)
            continue;
        refuse_other_names(golden);
        refuse_other_protocols(golden);
        refuse_other_ids(golden);
    }
    golden_refused_all();
}

static void times_and_audiences_that_do_not_fit_the_mode_are_refused(void **state)
{
    static const uint64_t times[] = { 1, GOLDEN_CREATED, GOLDEN_FAR, UINT64_MAX };
    static const uint8_t sizes[] = { 1, 16, 31, 32, 33, 64, 255 };

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = golden_nth(n);

        if (golden == NULL)
            continue;
        start(golden);
        header.not_after = 0;
        if (golden->mode == GOLDEN_TRANSFER)
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "no not_after", 0);
        for (size_t t = 0; golden->mode == GOLDEN_SNAPSHOT && t < COUNT(times); t++) {
            header.not_after = times[t];
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "not_after", times[t]);
        }
        start(golden);
        for (size_t s = 0; s < COUNT(sizes); s++) {
            header.audience_size = sizes[s];
            if (golden->mode == GOLDEN_SNAPSHOT || sizes[s] != 32)
                golden_refuse_sealed(golden, &header, &payload, MALFORMED, "audience", sizes[s]);
        }
        /* mode and times agree, but the payload is that of the other one */
        start(golden);
        header.mode = !golden->mode;
        header.not_after = golden->mode == GOLDEN_TRANSFER ? 0 : GOLDEN_FAR;
        header.audience_size = 0;
        if (golden->audience == NULL)
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "the other mode", 0);
    }
    golden_refused_all();
}

static void impossible_iterations_are_refused_before_any_work(void **state)
{
    static const uint32_t iterations[] = { 0,       1,        9999,       5000001,
                                           6000000, 16777216, 0x80000000, UINT32_MAX };

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = &golden_cases[n];

        for (size_t i = 0; golden->has_passphrase && i < COUNT(iterations); i++) {
            start(golden);
            header.iterations = iterations[i];
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "iterations", iterations[i]);
        }
    }
    golden_refused_all();
}

/* The seal is good, but a passphrase and a sealing key at once is nonsense. */
static void a_sealing_key_beside_a_passphrase_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = &golden_cases[n];

        for (unsigned bit = 0; golden->has_passphrase && bit < 64; bit++) {
            start(golden);
            header.sealing_key_id[bit / 8] ^= (uint8_t)(1u << bit % 8);
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "sealing_key_id", bit);
        }
    }
    golden_refused_all();
}

/* A blob has up to 65,536 bytes; the longest header has 95 of them. */
#define MOST_SEALED (65536 - 95)

/* Too little to be sealed, and more than the provider looks at. */
static void impossible_sealed_sizes_are_refused(void **state)
{
    static const uint8_t zeros[GOLDEN_MAX_SIZE];
    const struct golden_case *golden = golden_case_named("aes-128-fresh");
    static struct golden_bytes blob;

    (void)state;
    ERR_clear_error();
    start(golden);
    for (size_t size = 0; size <= GOLDEN_SEAL_SIZE; size++) {
        golden_write_header(&blob, &header, size);
        golden_append(&blob, zeros, size);
        golden_refuse(golden, blob.data, blob.size,
                      size < GOLDEN_SEAL_SIZE ? MALFORMED : "seal does not verify",
                      "%zu sealed bytes", size);
    }
    for (size_t size = 32768; size <= MOST_SEALED; size += MOST_SEALED - 32768) {
        golden_write_header(&blob, &header, size);
        golden_append(&blob, zeros, size);
        golden_refuse(golden, blob.data, blob.size, "seal does not verify", "%zu bytes", blob.size);
    }
    golden_write_header(&blob, &header, MOST_SEALED + 1);
    golden_append(&blob, zeros, MOST_SEALED + 1);
    golden_refuse(golden, blob.data, blob.size, MALFORMED, "%zu bytes", blob.size);
    golden_write_header(&blob, &header, 0);
    golden_write_header(&blob, &header, 65536 - blob.size);
    golden_append(&blob, zeros, 65536 - blob.size);
    golden_refuse(golden, blob.data, blob.size, MALFORMED, "%zu bytes", blob.size);
    golden_append(&blob, zeros, 1);
    golden_refuse(golden, blob.data, blob.size, "invalid length", "%zu bytes", blob.size);
    golden_refused_all();
}

/* Of a time that no calendar reaches, the text has the seconds. */
static void a_time_beyond_every_calendar_is_told_in_seconds(void **state)
{
    const struct golden_case *golden = golden_case_named(golden_cases[0].name);
    static struct golden_bytes blob;
    uint8_t secret[GOLDEN_SECRET_SIZE];
    char text[4096] = "";
    BIO *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key;

    (void)state;
    start(golden);
    header.created = INT64_MAX;
    golden_secret(golden, secret);
    golden_seal(&header, secret, &payload, &blob);
    key = golden_open_key(golden, blob.data, blob.size, 0);
    assert_int_equal(EVP_PKEY_print_private(out, key, 0, NULL), 1);
    assert_in_range(BIO_read(out, text, sizeof(text) - 1), 1, sizeof(text) - 1);
    assert_non_null(strstr(text, "Sealed at: 9223372036854775807 seconds after 1970\n"));
    EVP_PKEY_free(key);
    BIO_free(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_header_byte_that_cannot_be_is_refused),
        cmocka_unit_test(another_protocol_or_algorithm_is_refused),
        cmocka_unit_test(times_and_audiences_that_do_not_fit_the_mode_are_refused),
        cmocka_unit_test(impossible_iterations_are_refused_before_any_work),
        cmocka_unit_test(a_sealing_key_beside_a_passphrase_is_refused),
        cmocka_unit_test(impossible_sealed_sizes_are_refused),
        cmocka_unit_test(a_time_beyond_every_calendar_is_told_in_seconds),
    };

    return cmocka_run_group_tests(tests, golden_setup, golden_teardown);
}
