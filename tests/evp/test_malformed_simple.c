/*
 * SIMPLEBLOBs cut short, extended, changed in every byte of their header and every bit of what is
 * encrypted, and opened with the wrong key, by every way in.  PEM_read_bio_PrivateKey and
 * d2i_AutoPrivateKey carry no exchange key: they tell what the header shows, and else that it is
 * missing.
 */
#include "routes.h"
#include "sample.h"

#include <unistd.h>

#define LABEL     "SCHANNEL SIMPLE KEY BLOB"
#define MAX_SIZE  (SIMPLE_HEADER_SIZE + 2048) /* RSA of 16384 bits */
#define MODULUS   64
#define BLOB_SIZE (SIMPLE_HEADER_SIZE + MODULUS)

static const char opens[] = "opens";

/* AES-128 for RSA-512, always the same padding. */
static struct octets sound_blob(uint8_t *out)
{
    uint8_t bytes[16];

    pattern(bytes, sizeof(bytes), 5);
    assert_int_equal(
        rsa_seal(rsa_key_named("rsa512"), 0x660e, (struct octets){ bytes, sizeof(bytes) }, out),
        BLOB_SIZE);
    return (struct octets){ out, BLOB_SIZE };
}

static const struct list *options_for(const struct rsa_key *rsa)
{
    static struct list list;

    list_start(&list);
    add_text(&list, "exchange-key", rsa->private_file);
    return &list;
}

static int is_alg(const uint8_t *blob)
{
    static const uint16_t ids[] = { 0x6801, 0x6602, 0x6601, 0x6609, 0x6603, 0x660e,
                                    0x660f, 0x6610, 0x4c04, 0x4c05, 0x4c01, 0x4c06 };

    for (size_t n = 0; n < COUNT(ids); n++)
        if ((blob[4] | blob[5] << 8) == ids[n] && blob[6] == 0 && blob[7] == 0)
            return 1;
    return 0;
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
    return (type && version && reserved) ||
           (blob.size >= 8 && is_alg(header) && type + version + reserved >= 2);
}

/* A key of 16 bytes, which is what is inside, can be one of these too. */
static int takes_16_bytes(const uint8_t *blob)
{
    return blob[4] == 0x0e || blob[4] == 0x09 || blob[4] == 0x02;
}

/* What the header and the size show; NULL: not ours; |opens|: that is as it should be. */
static const char *reason_outside(enum route route, struct octets blob)
{
    const uint8_t *header = blob.data;

    if (!is_ours(blob))
        return route_is_pem(route) || route == BY_STORE ? "malformed blob" : NULL;
    if (route_is_pem(route) && (header[0] == 8 || header[0] == 9))
        return "malformed blob"; /* another type than the label says */
    if (blob.size < 8 || blob.size > MAX_SIZE || header[0] == 8)
        return "malformed blob"; /* as a plaintext blob it states another size */
    if (header[0] == 9)
        return "unsupported blob version"; /* of an opaque blob */
    if (header[0] != 1)
        return "unknown blob type";
    if (header[1] != 2)
        return "unsupported blob version";
    if (header[2] != 0 || header[3] != 0)
        return "malformed blob";
    if (!is_alg(header))
        return "unknown algorithm";
    if (blob.size < SIMPLE_HEADER_SIZE)
        return "malformed blob";
    if (header[8] != 0 || header[9] != 0xa4 || header[10] != 0 || header[11] != 0)
        return "unknown algorithm";
    return blob.size == SIMPLE_HEADER_SIZE ? "malformed blob" : opens;
}

static const char *expected_reason(enum route route, struct octets blob)
{
    const char *reason = reason_outside(route, blob);

    if (reason != opens)
        return reason;
    if (!route_has_options(route))
        return "missing parameter";
    if (blob.size != BLOB_SIZE)
        return "malformed blob";
    return takes_16_bytes(blob.data) ? opens : "blob does not open";
}

static void check_by(enum route route, struct octets blob, const char *what, size_t at,
                     unsigned value)
{
    const struct list *options = options_for(rsa_key_named("rsa512"));
    const char *reason;

    if (!is_sampled_of_thousands())
        return;
    reason = expected_reason(route, blob);
    if (reason == opens)
        EVP_PKEY_free(open_by(route, LABEL, blob, options));
    else
        refuse_by(route, LABEL, blob, options, reason, "%s %zu: %u", what, at, value);
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

/* A key made before goes on, and a sound blob still opens by every way that has the key. */
static void nothing_has_changed(void)
{
    uint8_t blob[BLOB_SIZE];

    witness_goes_on();
    check(sound_blob(blob), "sound", 0, 0);
}

/* ---- the generator ---- */

static void every_truncation_is_refused(void **state)
{
    uint8_t blob[BLOB_SIZE];
    const struct octets sound = sound_blob(blob);

    (void)state;
    for (size_t size = 0; size < sound.size; size++)
        check((struct octets){ blob, size }, "size", size, 0);
    nothing_has_changed();
    refused_all("cut short");
}

static void trailing_bytes_are_refused(void **state)
{
    static uint8_t blob[70000];
    const struct octets sound = sound_blob(blob);

    (void)state;
    for (size_t extra = 1; extra <= 20; extra++)
        check((struct octets){ blob, sound.size + extra }, "trailing", extra, 0);
    for (size_t size = MAX_SIZE - 1; size <= MAX_SIZE + 1; size++)
        check((struct octets){ blob, size }, "all", size, 0);
    check((struct octets){ blob, sizeof(blob) }, "all", sizeof(blob), 0);
    nothing_has_changed();
    refused_all("trailing bytes");
}

static void every_value_of_every_header_byte_is_judged(void **state)
{
    uint8_t blob[BLOB_SIZE];
    const struct octets sound = sound_blob(blob);

    (void)state;
    for (size_t at = 0; at < SIMPLE_HEADER_SIZE; at++) {
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

static void every_bit_of_the_ciphertext_matters(void **state)
{
    uint8_t blob[BLOB_SIZE];
    const struct octets sound = sound_blob(blob);
    const struct list *options = options_for(rsa_key_named("rsa512"));

    (void)state;
    for (size_t bit = 8 * SIMPLE_HEADER_SIZE; bit < 8 * BLOB_SIZE; bit++) {
        const enum route route = bit % 3; /* those that carry the exchange key */

        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refuse_by(route, LABEL, sound, options, "blob does not open", "bit %zu", bit);
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    nothing_has_changed();
    refused_all("ciphertext bits");
}

static void another_key_does_not_open_a_blob(void **state)
{
    static const struct {
        const char *written, *read, *reason;
    } rows[] = {
        { "rsa1024a", "rsa1024b", "blob does not open" },
        { "rsa1024b", "rsa1024a", "blob does not open" },
        { "rsa2048a", "rsa2048b", "blob does not open" },
        { "rsa1024a", "rsa512", "malformed blob" }, /* of another size: tells no secret */
        { "rsa1024a", "rsa2048a", "malformed blob" },
        { "rsa512", "rsa768", "malformed blob" },
    };
    uint8_t blob[MAX_EXCHANGED], bytes[16];

    (void)state;
    pattern(bytes, sizeof(bytes), 5);
    for (size_t n = 0; n < COUNT(rows); n++) {
        const size_t size = rsa_seal(rsa_key_named(rows[n].written), 0x660e,
                                     (struct octets){ bytes, sizeof(bytes) }, blob);

        for (enum route route = 0; route < ROUTES; route++)
            refuse_by(route, LABEL, (struct octets){ blob, size },
                      options_for(rsa_key_named(rows[n].read)),
                      route_has_options(route) ? rows[n].reason : "missing parameter", "%s for %s",
                      rows[n].read, rows[n].written);
    }
    nothing_has_changed();
    refused_all("another key");
}

static void a_key_that_is_none_is_told(void **state)
{
    uint8_t blob[BLOB_SIZE];
    const struct octets sound = sound_blob(blob);
    const struct rsa_key *rsa = rsa_key_named("rsa512");
    struct list list;

    (void)state;
    for (enum route route = 0; route < BY_PEM_READER; route++) {
        list_start(&list);
        add_text(&list, "exchange-key", "/nonexistent/key");
        refuse_by(route, LABEL, sound, &list, "exchange or signature key cannot be read",
                  "no file");
        list_start(&list);
        add_text(&list, "exchange-key", rsa->public_file);
        refuse_by(route, LABEL, sound, &list, "exchange or signature key cannot be read",
                  "a public key");
        list_start(&list);
        add_text(&list, "exchange-key", rsa->private_file);
        add_text(&list, "signature-key", rsa->public_file);
        refuse_by(route, LABEL, sound, &list, "blob is not signed", "a signer expected");
        list_start(&list);
        add_text(&list, "exchange-key", rsa->private_file);
        add_text(&list, "pad-mode", "oaep");
        refuse_by(route, LABEL, sound, &list, "blob does not open", "the other padding");
        list_start(&list);
        add_text(&list, "exchange-key", rsa->private_file);
        add_number(&list, "ssl2-fallback", 1);
        refuse_by(route, LABEL, sound, &list, "wrong kind of key", "a mark");
        list_start(&list);
        add_text(&list, "exchange-key", rsa->private_file);
        add_text(&list, "salt-mode", "zero");
        refuse_by(route, LABEL, sound, &list, "invalid parameter", "a salt");
        list_start(&list);
        add_text(&list, "exchange-key", rsa->private_file);
        add_text(&list, "audience", "somebody");
        refuse_by(route, LABEL, sound, &list, "conflicting parameters", "an audience");
    }
    nothing_has_changed();
    refused_all("options");
}

/* Nobody goes in circles. */
static void a_blob_is_no_exchange_key_not_even_its_own(void **state)
{
    uint8_t blob[BLOB_SIZE];
    const struct octets sound = sound_blob(blob);
    char path[96], uri[128];
    struct list list;
    FILE *file;

    (void)state;
    snprintf(path, sizeof(path), "%s/own.blob", directory);
    snprintf(uri, sizeof(uri), "schannel:%s", path);
    file = fopen(path, "wb");
    assert_int_equal(fwrite(blob, 1, sizeof(blob), file), sizeof(blob));
    fclose(file);
    for (enum route route = 0; route < BY_PEM_READER; route++) {
        list_start(&list);
        add_text(&list, "exchange-key", path);
        refuse_by(route, LABEL, sound, &list, "exchange or signature key cannot be read", "itself");
        list_start(&list);
        add_text(&list, "exchange-key", uri);
        refuse_by(route, LABEL, sound, &list, "exchange or signature key cannot be read",
                  "its URI");
    }
    unlink(path);
    nothing_has_changed();
    refused_all("circles");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_truncation_is_refused, starts_with_a_clean_queue),
        cmocka_unit_test_setup(trailing_bytes_are_refused, starts_with_a_clean_queue),
        cmocka_unit_test_setup(every_value_of_every_header_byte_is_judged,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(every_bit_of_the_ciphertext_matters, starts_with_a_clean_queue),
        cmocka_unit_test_setup(another_key_does_not_open_a_blob, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_key_that_is_none_is_told, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_blob_is_no_exchange_key_not_even_its_own,
                               starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, routes_setup, routes_teardown);
}
