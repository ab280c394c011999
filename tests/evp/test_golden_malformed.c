/*
 * Authentic blobs with impossible contents: sealed properly, under the right key, but no release of
 * the provider wrote them.  All are refused, with one reason, and nothing of them is kept.
 */
#include "golden_refusal.h"

#define MALFORMED   "malformed blob"
#define UNKNOWN     "unknown algorithm"
#define UNSUPPORTED "not supported by this release"
#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))

/* In all cases but those that cost 10,000 iterations each time. */
static const struct golden_case *nth(size_t n)
{
    return golden_cases[n].has_passphrase ? NULL : &golden_cases[n];
}

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
        const struct golden_case *golden = nth(n);

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
    { "fork", TLS1_MASTER, TLS1_MAC, 2 },
    { "fork", TLS1_MASTER, TLS1_MAC, 255 },
    { "converted", TLS1_MASTER, TLS1_MASTER, 2 },
    { "converted", TLS1_MASTER, TLS1_MASTER, 255 },
    { "cipher", TLS1_MASTER, TLS1_MASTER, 9 },
    { "cipher", TLS1_MASTER, TLS1_MASTER, 255 },
    { "digest", TLS1_MASTER, TLS1_MASTER, 3 },
    { "digest", TLS1_MASTER, TLS1_MASTER, 255 },
    { "highest_version", TLS1_MASTER, TLS1_MASTER, 1 },
    { "highest_version", TLS1_MASTER, TLS1_MASTER, 0x0300 },
    { "highest_version", TLS1_MASTER, TLS1_MASTER, 0x0301 },
    { "highest_version", TLS1_MASTER, TLS1_MASTER, 0xffff },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0010 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0020 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0030 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0040 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x00c0 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0100 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0200 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0400 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0800 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x1000 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x8000 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0002 }, /* a value that is not given */
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x0008 },
    { "choices", TLS1_MASTER, TLS1_MASTER, 0x000e },
    { "direction", DES_EDE3, AES_256, 3 },
    { "direction", DES_EDE3, AES_256, 4 },
    { "direction", DES_EDE3, AES_256, 255 },
    { "digest", TLS1_MAC, TLS1_MAC, 0 },
    { "digest", TLS1_MAC, TLS1_MAC, 3 },
    { "digest", TLS1_MAC, TLS1_MAC, 255 },
    { "started", TLS1_MAC, TLS1_MAC, 2 },
    { "started", TLS1_MAC, TLS1_MAC, 255 },
    { "in_record", TLS1_MAC, TLS1_MAC, 2 },
    { "in_record", TLS1_MAC, TLS1_MAC, 255 },
};

static void a_number_that_cannot_be_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = nth(n);

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
    if (golden->has_salt)
        return size == 5;
    if (golden->alg == RC4)
        return is_object(golden) ? size >= 5 && size <= 16 : size <= 32;
    return size == golden_alg_of(golden)->key_size;
}

static int is_salt(const struct golden_case *golden, size_t size)
{
    return size == 0 || (size == 11 && golden->alg == RC4 && golden_key_size(golden) == 5);
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
    return is_object(golden) ? size == golden_key_size(golden) : size <= 64;
}

static int is_digest_state(const struct golden_case *golden, size_t size)
{
    const struct golden_field *field = golden_find(&payload, "digest_state");

    (void)golden;
    return size == payload.data[field->offset];
}

static int is_random(const struct golden_case *golden, size_t size)
{
    (void)golden;
    return size <= 64;
}

static int is_empty(const struct golden_case *golden, size_t size)
{
    (void)golden;
    return size == 0;
}

static int is_master_secret(const struct golden_case *golden, size_t size)
{
    return golden->has_master_secret ? size == 48 : size != 0;
}

static void a_length_that_cannot_be_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = nth(n);

        if (golden == NULL)
            continue;
        switch (golden_alg_of(golden)->kind) {
        case GOLDEN_MASTER:
            refuse_lengths(golden, "secret", 100, is_master_secret);
            refuse_lengths(golden, "client_random", 255, is_random);
            refuse_lengths(golden, "server_random", 255, is_random);
            refuse_lengths(golden, "clear_key", 255, is_empty);
            refuse_lengths(golden, "certificate", 100, is_empty);
            break;
        case GOLDEN_CIPHER:
            refuse_lengths(golden, "key", 255, is_cipher_key);
            refuse_lengths(golden, "salt", 255, is_salt);
            refuse_lengths(golden, "buffered", 255, is_buffered);
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
    static const size_t certificates[] = { 1, 255, 256, 16383, 16384, 16385, 32000 };
    static const size_t secrets[] = { 4097, 8192, 32000 };
    const struct golden_case *golden = golden_case_named("master-bare-premaster-of-61-bytes");
    static struct golden_bytes blob;
    uint8_t secret[GOLDEN_SECRET_SIZE];

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(certificates); n++) {
        start(golden);
        golden_resize(&payload, "certificate", certificates[n]);
        golden_refuse_sealed(golden, &header, &payload, MALFORMED, "certificate", certificates[n]);
    }
    for (size_t n = 0; n < COUNT(secrets); n++) {
        start(golden);
        golden_resize(&payload, "secret", secrets[n]);
        golden_refuse_sealed(golden, &header, &payload, MALFORMED, "secret", secrets[n]);
    }
    golden_refused_all();
    start(golden);
    golden_resize(&payload, "secret", 4096); /* the longest there is */
    golden_secret(golden, secret);
    golden_seal(&header, secret, &payload, &blob);
    assert_int_equal(golden_opens(golden, blob.data, blob.size), 1);
}

/* ---- states ---- */

static void a_permutation_that_is_none_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = nth(n);
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

/* A digest's count and its buffered bytes belong together; nothing counts 2^61 bytes. */
static void a_digest_state_that_cannot_be_is_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = nth(n);
        const struct golden_field *field;
        uint8_t *count;
        uint8_t low;

        if (golden == NULL || golden->alg != TLS1_MAC || golden->message == IDLE)
            continue;
        for (unsigned add = 1; add < 64; add++) {
            start(golden);
            field = golden_find(&payload, "digest_state");
            count = payload.data + field->offset + 1 + (golden->digest == GOLDEN_MD5 ? 16 : 20);
            count[7] = (uint8_t)((count[7] & 0xc0) | ((count[7] + add) & 0x3f));
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "count of a digest", add);
        }
        for (unsigned high = 0x20; high < 256; high += 0x11) {
            start(golden);
            field = golden_find(&payload, "digest_state");
            count = payload.data + field->offset + 1 + (golden->digest == GOLDEN_MD5 ? 16 : 20);
            low = count[7];
            memset(count, (int)high, 7);
            count[7] = low;
            golden_refuse_sealed(golden, &header, &payload, MALFORMED, "huge count", high);
        }
        /* the state of one digest under the name of the other */
        start(golden);
        golden_set_number(&payload, "digest", 3u - golden->digest);
        golden_refuse_sealed(golden, &header, &payload, NULL, "digest", 3u - golden->digest);
    }
    golden_refused_all();
}

static void a_direction_without_input_and_input_without_direction_are_refused(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = nth(n);
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

/* ---- headers ---- */

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
        return value == GOLDEN_TLS1 || (value == 0 && kind == GOLDEN_CIPHER);
    if (strcmp(field, "usage") == 0)
        return value == 0 || (kind == GOLDEN_CIPHER && value <= GOLDEN_SERVER_KEY) ||
               (kind == GOLDEN_MAC && value > GOLDEN_SERVER_KEY && value <= GOLDEN_SERVER_MAC);
    if (strcmp(field, "kind") == 0)
        return value == kind;
    if (strcmp(field, "algorithm") == 0)
        return value == golden_alg_of(golden)->id;
    if (strcmp(field, "flags") == 0)
        return value < 4; /* with bit 1 a passphrase is asked for */
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
            golden_cases[before].mode == golden_cases[n].mode)
            return 0;
    }
    return 1;
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
        const struct golden_case *golden = is_first_of_its_kind(n) ? nth(n) : NULL;

        for (size_t f = 0; golden != NULL && f < COUNT(fields); f++) {
            for (unsigned value = 0; value < 256; value++) {
                if (is_good_header(golden, fields[f].field, value))
                    continue;
                start(golden);
                set_number(&header, fields[f].field, value);
                golden_refuse_sealed(golden, &header, &payload, fields[f].reason, fields[f].field,
                                     value);
            }
        }
    }
    golden_refused_all();
}

/* Protocols, algorithms and ALG_IDs of other releases, and of nobody. */
static void another_protocol_or_algorithm_is_refused(void **state)
{
    static const struct {
        uint32_t alg_id;
        uint8_t kind, algorithm, protocol;
    } others[] = {
        { 0x4c01, 1, 3, 3 },  { 0x4c04, 1, 1, 1 },  { 0x4c05, 1, 2, 2 },  { 0x6602, 2, 18, 0 },
        { 0x6601, 2, 19, 0 }, { 0x6609, 2, 20, 0 }, { 0x660f, 2, 23, 0 }, { 0x4c03, 3, 33, 1 },
        { 0x4c03, 3, 34, 2 }, { 0x4c03, 3, 35, 3 }, { 0, 0, 0, 0 },       { 0x6801, 2, 25, 0 },
    };

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < golden_case_count; n++) {
        const struct golden_case *golden = nth(n);

        if (golden == NULL)
            continue;
        for (size_t other = 0; other < COUNT(others); other++) {
            start(golden);
            header.alg_id = others[other].alg_id;
            header.kind = others[other].kind;
            header.algorithm = others[other].algorithm;
            header.protocol = others[other].protocol;
            header.usage = 0;
            golden_refuse_sealed(golden, &header, &payload, UNKNOWN, "other alg", other);
        }
        for (unsigned protocol = 1; protocol < GOLDEN_TLS1; protocol++) {
            start(golden);
            header.protocol = (uint8_t)protocol;
            golden_refuse_sealed(golden, &header, &payload,
                                 golden_alg_of(golden)->kind == GOLDEN_CIPHER ? UNSUPPORTED
                                                                              : MALFORMED,
                                 "protocol", protocol);
        }
        /* one bit of the ALG_ID, and the same bytes the other way round */
        for (unsigned bit = 0; bit <= 32; bit++) {
            uint32_t id = golden_alg_of(golden)->alg_id;

            start(golden);
            header.alg_id =
                bit < 32 ? id ^ UINT32_C(1) << bit : (id & 0xff) << 24 | (id & 0xff00) << 8;
            golden_refuse_sealed(golden, &header, &payload, UNKNOWN, "ALG_ID", header.alg_id);
        }
        /* a payload of this alg under the name of each other one of its kind and of the others */
        for (size_t alg = TLS1_MASTER; alg <= TLS1_MAC; alg++) {
            if (alg == (size_t)golden->alg)
                continue;
            start(golden);
            header.alg_id = golden_algs[alg].alg_id;
            header.kind = golden_algs[alg].kind;
            header.algorithm = golden_algs[alg].id;
            header.protocol = golden_algs[alg].kind == GOLDEN_CIPHER ? 0 : GOLDEN_TLS1;
            header.usage = 0;
            golden_refuse_sealed(golden, &header, &payload, NULL, "payload of another alg", alg);
        }
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
        const struct golden_case *golden = nth(n);

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
    golden_write_header(&blob, &header, 32768 - blob.size);
    golden_append(&blob, zeros, 32768 - blob.size);
    golden_refuse(golden, blob.data, blob.size, MALFORMED, "%zu bytes", blob.size);
    golden_append(&blob, zeros, 1);
    golden_refuse(golden, blob.data, blob.size, "invalid length", "%zu bytes", blob.size);
    golden_refused_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sealed_again_without_a_change_they_open),
        cmocka_unit_test(a_payload_cut_short_or_extended_is_refused),
        cmocka_unit_test(a_number_that_cannot_be_is_refused),
        cmocka_unit_test(a_length_that_cannot_be_is_refused),
        cmocka_unit_test(long_vectors_end_where_the_format_says),
        cmocka_unit_test(a_permutation_that_is_none_is_refused),
        cmocka_unit_test(a_digest_state_that_cannot_be_is_refused),
        cmocka_unit_test(a_direction_without_input_and_input_without_direction_are_refused),
        cmocka_unit_test(every_header_byte_that_cannot_be_is_refused),
        cmocka_unit_test(another_protocol_or_algorithm_is_refused),
        cmocka_unit_test(times_and_audiences_that_do_not_fit_the_mode_are_refused),
        cmocka_unit_test(impossible_iterations_are_refused_before_any_work),
        cmocka_unit_test(impossible_sealed_sizes_are_refused),
    };

    return cmocka_run_group_tests(tests, golden_setup, golden_teardown);
}
