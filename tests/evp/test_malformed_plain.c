/*
 * PLAINTEXTKEYBLOBs cut short, extended and changed in every byte of their header, by every way in:
 * each gives one reason, the one that an independent reading of the layout expects, or is nobody's
 * of ours; and nothing else changes.
 */
#include "routes.h"
#include "sample.h"

#define LABEL       "SCHANNEL PLAINTEXT KEY BLOB"
#define HEADER_SIZE 12
#define MAX_KEY     48 /* bytes of the longest key that such a blob can hold */

/* What may be in a blob, by the specification of the blobs: sizes in bytes. */
static const struct {
    uint32_t alg_id;
    size_t least, most;
} algs[] = {
    { 0x6801, 5, 16 },  { 0x6602, 5, 16 },  { 0x6601, 8, 8 },   { 0x6609, 16, 16 },
    { 0x6603, 24, 24 }, { 0x660e, 16, 16 }, { 0x660f, 24, 24 }, { 0x6610, 32, 32 },
    { 0x4c04, 16, 16 }, { 0x4c05, 5, 24 },  { 0x4c01, 48, 48 }, { 0x4c06, 48, 48 },
};

static uint32_t number_at(const uint8_t *at)
{
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

static size_t alg_at(const uint8_t *blob)
{
    size_t n = 0;

    while (n < COUNT(algs) && algs[n].alg_id != number_at(blob + 4))
        n++;
    return n;
}

static int is_ours(struct octets blob)
{
    const uint8_t *header = blob.data;
    int type, version, reserved;

    if (blob.size < 4)
        return 0;
    type = header[0] == 1 || header[0] == 8 || header[0] == 9;
    version = header[1] == 2;
    reserved = header[2] == 0 && header[3] == 0;
    if (type && version && reserved)
        return 1;
    return blob.size >= 8 && alg_at(header) < COUNT(algs) && type + version + reserved >= 2;
}

static const char opens[] = "opens";

/* The reason that a blob of a plaintext key has to give, NULL when it is not ours, or |opens|. */
static const char *expected_reason(enum route route, struct octets blob)
{
    const uint8_t *header = blob.data;
    size_t alg;

    if (!is_ours(blob))
        return route_is_pem(route) || route == BY_STORE ? "malformed blob" : NULL;
    if (route_is_pem(route) && (header[0] == 1 || header[0] == 9))
        return "malformed blob"; /* another type than the label says */
    if (blob.size < 8)
        return "malformed blob";
    if (route_is_pem(route) && header[0] != 8)
        return "malformed blob";
    if (blob.size > HEADER_SIZE + MAX_KEY && header[0] == 8)
        return "malformed blob";
    if (header[0] == 9)
        return "unsupported blob version"; /* format version 16 */
    if (header[0] != 8 && header[0] != 1)
        return "unknown blob type";
    if (header[1] != 2)
        return "unsupported blob version";
    if (header[2] != 0 || header[3] != 0)
        return "malformed blob";
    if ((alg = alg_at(header)) == COUNT(algs))
        return "unknown algorithm";
    if (header[0] == 1)
        return blob.size < HEADER_SIZE ? "malformed blob" : "unknown algorithm";
    if (blob.size < HEADER_SIZE || number_at(header + 8) != blob.size - HEADER_SIZE)
        return "malformed blob";
    if (blob.size - HEADER_SIZE < algs[alg].least || blob.size - HEADER_SIZE > algs[alg].most)
        return "invalid length";
    return opens;
}

static void check_by(enum route route, struct octets blob, const char *what, size_t at,
                     unsigned value)
{
    const char *reason;

    if (!is_sampled_of_thousands())
        return;
    reason = expected_reason(route, blob);
    if (reason == opens)
        EVP_PKEY_free(open_by(route, LABEL, blob, NULL));
    else
        refuse_by(route, LABEL, blob, NULL, reason, "%s %zu: %u", what, at, value);
}

static void check(struct octets blob, const char *what, size_t at, unsigned value)
{
    for (enum route route = 0; route < ROUTES; route++)
        check_by(route, blob, what, at, value);
}

/* By one way, the next one each time: where there are thousands. */
static void check_once(struct octets blob, const char *what, size_t at, unsigned value)
{
    static unsigned turn;

    check_by(turn++ % ROUTES, blob, what, at, value);
}

/* AES-128 in every test that does not say otherwise. */
static struct octets sound_blob(uint8_t out[MAX_EXCHANGED])
{
    static const uint8_t header[HEADER_SIZE] = { 8, 2, 0, 0, 0x0e, 0x66, 0, 0, 16, 0, 0, 0 };

    memcpy(out, header, sizeof(header));
    pattern(out + sizeof(header), MAX_EXCHANGED - sizeof(header), 5);
    return (struct octets){ out, sizeof(header) + 16 };
}

/* ---- nothing else changes ---- */

/* A key made before goes on, and a sound blob still opens by every way. */
static void nothing_has_changed(void)
{
    uint8_t blob[MAX_EXCHANGED];

    witness_goes_on();
    check(sound_blob(blob), "sound", 0, 0);
}

/* ---- the generator ---- */

static void every_truncation_is_refused(void **state)
{
    uint8_t blob[MAX_EXCHANGED];
    const struct octets sound = sound_blob(blob);

    (void)state;
    for (size_t size = 0; size < sound.size; size++)
        check((struct octets){ blob, size }, "size", size, 0);
    nothing_has_changed();
    refused_all("cut short");
}

static void trailing_bytes_are_refused(void **state)
{
    static uint8_t blob[MAX_EXCHANGED + 70000];
    const struct octets sound = sound_blob(blob);

    (void)state;
    for (size_t extra = 1; extra <= 40; extra++)
        check((struct octets){ blob, sound.size + extra }, "trailing", extra, 0);
    check((struct octets){ blob, 500 }, "trailing", 500, 0);
    check((struct octets){ blob, sizeof(blob) }, "trailing", sizeof(blob), 0);
    nothing_has_changed();
    refused_all("trailing bytes");
}

static void every_value_of_every_header_byte_is_judged(void **state)
{
    uint8_t blob[MAX_EXCHANGED];
    const struct octets sound = sound_blob(blob);

    (void)state;
    for (size_t at = 0; at < HEADER_SIZE; at++) {
        const uint8_t before = blob[at];

        for (unsigned value = 0; value < 256; value++) {
            blob[at] = (uint8_t)value;
            /* every type and version, and every single bit changed, by every way */
            if (at < 2 || ((value ^ before) & ((value ^ before) - 1)) == 0)
                check(sound, "byte", at, value);
            else
                check_once(sound, "byte", at, value);
        }
        blob[at] = before;
        nothing_has_changed();
    }
    refused_all("header bytes");
}

static void every_size_of_every_algorithm_is_judged(void **state)
{
    uint8_t blob[MAX_EXCHANGED];

    (void)state;
    (void)sound_blob(blob);
    for (size_t alg = 0; alg < COUNT(algs); alg++) {
        blob[4] = (uint8_t)algs[alg].alg_id;
        blob[5] = (uint8_t)(algs[alg].alg_id >> 8);
        for (size_t size = 0; size <= MAX_KEY + 2; size++) {
            blob[8] = (uint8_t)size;
            check_once((struct octets){ blob, HEADER_SIZE + size }, "key size", size,
                       algs[alg].alg_id);
        }
    }
    nothing_has_changed();
    refused_all("sizes");
}

static void algorithm_ids_of_every_class_are_judged(void **state)
{
    uint8_t blob[MAX_EXCHANGED];
    const struct octets sound = sound_blob(blob);

    (void)state;
    for (unsigned high = 0; high < 256; high++) {
        static const uint8_t classes[] = { 0x66, 0x68, 0x4c, 0x80, 0xa4, 0x24 };

        for (size_t n = 0; n < COUNT(classes); n++) {
            blob[4] = (uint8_t)high;
            blob[5] = classes[n];
            check_once(sound, "ALG_ID", high, classes[n]);
        }
    }
    nothing_has_changed();
    refused_all("algorithms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_truncation_is_refused, starts_with_a_clean_queue),
        cmocka_unit_test_setup(trailing_bytes_are_refused, starts_with_a_clean_queue),
        cmocka_unit_test_setup(every_value_of_every_header_byte_is_judged,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(every_size_of_every_algorithm_is_judged, starts_with_a_clean_queue),
        cmocka_unit_test_setup(algorithm_ids_of_every_class_are_judged, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, routes_setup, routes_teardown);
}
