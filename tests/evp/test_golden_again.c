/*
 * What the provider writes again from a golden blob: opened with the second implementation, it has
 * the same payload and the header that was asked for.
 */
#include "golden_vectors.h"

#include <time.h>
#include <openssl/encoder.h>

#define LIFETIME 600u

/* Mode, audience and whether the passphrase is used, of one more blob of the same key. */
struct disposition {
    const char *mode, *audience;
    int has_passphrase;
};

static const struct disposition dispositions[] = {
    { "snapshot", NULL, 0 },
    { "transfer", NULL, 0 },
    { "transfer", "somebody else", 0 },
};

static size_t rewritten;

/* The payload without the deadline of a transfer; |skipped| bytes at its start are left out. */
static size_t core_of(const struct golden_bytes *payload, int is_transfer, size_t skipped,
                      uint8_t *out)
{
    const size_t deadline = is_transfer ? 8 + 4 : 0, size = payload->size;

    memcpy(out, payload->data + skipped, 9 - skipped);
    memcpy(out + 9 - skipped, payload->data + 9 + deadline, size - 9 - deadline);
    return size - deadline - skipped;
}

/* The provider's own clock: time() may be a tick behind it. */
static uint64_t wall_clock(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    return (uint64_t)now.tv_sec;
}

/* Opens what the provider wrote with the second implementation and compares. */
static void check_rewritten(const struct golden_case *golden, const uint8_t *blob, size_t size,
                            const struct disposition *as, int by_context)
{
    static struct golden_bytes before, after;
    static uint8_t core_before[GOLDEN_MAX_SIZE], core_after[GOLDEN_MAX_SIZE];
    const int is_transfer = as->mode[0] == 't';
    const size_t skipped = by_context ? 9 : 0; /* key id and fork are a key object's */
    const uint64_t now = wall_clock();
    uint8_t secret[GOLDEN_SECRET_SIZE], audience[GOLDEN_AUDIENCE_SIZE];
    struct golden_header expected, header;
    size_t header_size = golden_read_header(blob, size, &header), core_size;

    golden_header(golden, &expected);
    expected.mode = is_transfer ? GOLDEN_TRANSFER : GOLDEN_SNAPSHOT;
    expected.flags = (uint8_t)((golden->exportable && !by_context ? GOLDEN_EXPORTABLE : 0) |
                               (as->has_passphrase ? GOLDEN_PASSPHRASE : 0));
    if (by_context && golden_alg_of(golden)->kind != GOLDEN_MAC)
        expected.protocol = 0;
    if (by_context)
        expected.usage = 0;
    assert_in_range(header.created, now - 60, now);
    expected.created = header.created;
    expected.not_after = is_transfer ? header.created + LIFETIME : 0;
    assert_memory_not_equal(header.blob_id, expected.blob_id, sizeof(header.blob_id));
    memcpy(expected.blob_id, header.blob_id, sizeof(header.blob_id));
    memset(expected.audience, 0, sizeof(expected.audience));
    expected.audience_size = 0;
    if (as->audience != NULL) {
        golden_audience(header.blob_id, as->audience, audience);
        expected.audience_size = sizeof(audience);
        memcpy(expected.audience, audience, sizeof(audience));
    }
    golden_sealing_key(secret);
    golden_sealing_key_id(secret, expected.sealing_key_id);
    expected.iterations = 0;
    if (as->has_passphrase) {
        expected.iterations = 600000;
        memset(expected.sealing_key_id, 0, sizeof(expected.sealing_key_id));
        golden_passphrase_secret("another one", header.blob_id, header.iterations, secret);
    }
    assert_memory_equal(&header, &expected, sizeof(header));
    assert_int_equal(header_size, 57 + header.audience_size + (as->has_passphrase ? 4u : 0) + 2);

    golden_open(blob, size, header_size, &header, secret, &after);
    golden_payload(golden, &before);
    core_size = core_of(&before, golden->mode == GOLDEN_TRANSFER, skipped, core_before);
    assert_int_equal(core_of(&after, is_transfer, skipped, core_after), core_size);
    assert_memory_equal(core_after, core_before, core_size);
    rewritten++;
}

/* The options of an export; lifetime belongs to transfers only. */
static void fill_options(OSSL_PARAM *p, const struct disposition *as)
{
    static unsigned lifetime = LIFETIME;

    *p++ = text_param("seal-key", golden_seal_key);
    *p++ = text_param("claim-dir", golden_claims);
    *p++ = text_param("blob-mode", as->mode);
    if (as->mode[0] == 't')
        *p++ = OSSL_PARAM_construct_uint("lifetime", &lifetime);
    if (as->audience != NULL)
        *p++ = text_param("audience", as->audience);
    *p = OSSL_PARAM_construct_end();
}

static void write_key_again(const struct golden_case *golden, struct octets blob,
                            const struct disposition *as)
{
    uint8_t again[MAX_BLOB];
    OSSL_PARAM options[6];
    EVP_PKEY *key = golden_open_key(golden, blob.data, blob.size, 0);

    fill_options(options, as);
    assert_int_equal(EVP_PKEY_set_params(key, options), 1);
    check_rewritten(golden, again, export_blob(key, again), as, 0);
    EVP_PKEY_free(key);
    golden_forget_claims();
}

/* Reads "opaque-blob" of either kind of context, which is freed. */
static void write_context_again(const struct golden_case *golden, struct octets blob,
                                const struct disposition *as)
{
    uint8_t again[MAX_BLOB];
    OSSL_PARAM options[6],
        get[] = { OSSL_PARAM_construct_octet_string("opaque-blob", again, sizeof(again)),
                  OSSL_PARAM_construct_end() };

    fill_options(options, as);
    if (golden_alg_of(golden)->kind == GOLDEN_MAC) {
        EVP_MAC_CTX *context = golden_resume_mac(golden, blob.data, blob.size);

        assert_int_equal(EVP_MAC_CTX_set_params(context, options), 1);
        assert_int_equal(EVP_MAC_CTX_get_params(context, get), 1);
        EVP_MAC_CTX_free(context);
    } else {
        EVP_CIPHER_CTX *context = golden_resume_cipher(golden, blob.data, blob.size);

        assert_int_equal(EVP_CIPHER_CTX_set_params(context, options), 1);
        assert_int_equal(EVP_CIPHER_CTX_get_params(context, get), 1);
        EVP_CIPHER_CTX_free(context);
    }
    check_rewritten(golden, again, get[0].return_size, as, 1);
    golden_forget_claims();
}

static void check_writes_again(struct vectors *vectors, const struct golden_case *golden,
                               struct octets blob)
{
    (void)vectors;
    for (size_t n = 0; n < sizeof(dispositions) / sizeof(dispositions[0]); n++) {
        const struct disposition *as = &dispositions[n];

        if (golden->is_expired)
            continue;
        if (!golden->is_for_context)
            write_key_again(golden, blob, as);
        /* an audience named at the import stays with the context: not asked to write snapshots */
        if (golden_alg_of(golden)->kind != GOLDEN_MASTER && !golden_is_ssl2_cipher(golden) &&
            !golden->has_passphrase && golden->audience == NULL)
            write_context_again(golden, blob, as);
    }
    assert_no_errors();
}

static void what_the_provider_writes_again_holds_the_same_payload(void **state)
{
    (void)state;
    rewritten = 0;
    golden_for_each(check_writes_again);
    print_message("%zu blobs written again\n", rewritten);
}

static void the_same_holds_under_a_passphrase(void **state)
{
    static const struct disposition as[] = { { "snapshot", NULL, 1 },
                                             { "transfer", "somebody else", 1 } };
    static const char password[] = "another one";
    const struct golden_case *golden = golden_case_named("aes-128-passphrase");
    static struct golden_bytes blob;

    (void)state;
    ERR_clear_error();
    golden_blob(golden, &blob);
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *key = golden_open_key(golden, blob.data, blob.size, 0);
        OSSL_ENCODER_CTX *context =
            OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "opaqueblob", NULL, NULL);
        OSSL_PARAM options[6];
        unsigned char *data = NULL;
        size_t size = 0;

        fill_options(options, &as[n]);
        assert_int_equal(OSSL_ENCODER_CTX_set_params(context, options + 1), 1); /* no seal-key */
        assert_int_equal(OSSL_ENCODER_CTX_set_cipher(context, "AES-256-CBC", NULL), 1);
        assert_int_equal(OSSL_ENCODER_CTX_set_passphrase(context, (const unsigned char *)password,
                                                         strlen(password)),
                         1);
        assert_int_equal(OSSL_ENCODER_to_data(context, &data, &size), 1);
        check_rewritten(golden, data, size, &as[n], 0);
        OPENSSL_free(data);
        OSSL_ENCODER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* ---- byte order ---- */

static void expect_at(const uint8_t *data, size_t offset, const char *hex)
{
    expect_hex((struct octets){ data + offset, strlen(hex) / 2 }, hex);
}

/* Literal offsets and bytes, against what the provider itself wrote. */
static void integers_are_big_endian_but_in_the_blobheader(void **state)
{
    const struct golden_case *golden = golden_case_named("mac-md5-in-record");
    static struct golden_bytes source, payload;
    struct golden_header header;
    uint8_t blob[MAX_BLOB], secret[GOLDEN_SECRET_SIZE], number[8];
    OSSL_PARAM options[6];
    EVP_PKEY *key;
    size_t size, header_size;

    (void)state;
    golden_blob(golden, &source);
    key = golden_open_key(golden, source.data, source.size, 0);
    fill_options(options, &dispositions[2]);
    assert_int_equal(EVP_PKEY_set_params(key, options), 1);
    size = export_blob(key, blob);
    EVP_PKEY_free(key);

    /* BLOBHEADER: type, version, reserved, CALG_SCHANNEL_MAC_KEY 0x00004c03, little-endian */
    expect_at(blob, 0, "09020000034c0000");
    /* version 1, transfer, not exportable, MAC, TLS1-MAC 36, TLS 1.0, server-write-mac, reserved */
    expect_at(blob, 8, "0101000324040400");
    header_size = golden_read_header(blob, size, &header);
    for (unsigned n = 0; n < 8; n++)
        number[n] = (uint8_t)(header.created >> (56 - 8 * n));
    assert_memory_equal(blob + 16, number, 8);
    for (unsigned n = 0; n < 8; n++)
        number[n] = (uint8_t)((header.created + LIFETIME) >> (56 - 8 * n));
    assert_memory_equal(blob + 24, number, 8);
    expect_at(blob, 16, "00000000"); /* until the year 2106 */
    expect_at(blob, 56, "20");       /* the audience's hash has 32 bytes */
    assert_int_equal(header_size, 91);
    assert_int_equal(blob[89] << 8 | blob[90], size - 91);

    golden_sealing_key(secret);
    golden_open(blob, size, header_size, &header, secret, &payload);
    expect_at(payload.data, 8, "00");                /* fork */
    expect_at(payload.data, 21, "0110");             /* MD5, a key of 16 bytes */
    expect_at(payload.data, 39, "0102030405060708"); /* sequence */
    expect_at(payload.data, 47, "0101");             /* started, in a record */
    expect_at(payload.data, 49, "00bb");             /* record_length 187 */
    expect_at(payload.data, 51, "000000000000004d"); /* absorbed 77 */
    expect_at(payload.data, 59, "32");               /* 16 + 8 + 26 bytes of MD5 state */
    expect_at(payload.data, 76, "000000000000009a"); /* 64 + 13 + 77 bytes hashed */
    assert_int_equal(payload.size, 84 + 26);

    /* and the file of golden blobs, which nobody writes any more */
    golden_blob(golden_case_named("aes-128-passphrase"), &source);
    expect_at(source.data, 0, "090200000e6600000100030216000000");
    expect_at(source.data, 16, "000000006553f1000000000000000000"); /* created; no expiry */
    expect_at(source.data, 32, "0000000000000000");                 /* no sealing key */
    expect_at(source.data, 56, "0000002710"); /* no audience, 10000 iterations */
    golden_blob(golden_case_named("aes-256-transfer"), &source);
    expect_at(source.data, 0, "09020000106600000101000218040100");
    expect_at(source.data, 16, "000000006553f10000000001b09e1900");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_provider_writes_again_holds_the_same_payload),
        cmocka_unit_test(the_same_holds_under_a_passphrase),
        cmocka_unit_test(integers_are_big_endian_but_in_the_blobheader),
    };

    return cmocka_run_group_tests(tests, golden_setup, golden_teardown);
}
