/*
 * TLS1-MAC through EVP_MAC: HMAC over the bytes given or over a record with its sequence number and
 * header, with key bytes of the context's own or bound to a key that owns the state.
 */
#include "fixture.h"

#include <pthread.h>

#define MAX_RECORD 512
#define MAX_MAC    20
#define DATA_TYPE  23
#define TLS1       0x301

struct row {
    const char *digest, *other_digest;
    size_t size;
};

static const struct row rows[] = { { "MD5", "SHA1", 16 }, { "SHA1", "MD5", 20 } };

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static EVP_MAC *mac;

static int setup(void **state)
{
    fixture_setup(state);
    mac = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);
    assert_non_null(mac);
    return 0;
}

static int teardown(void **state)
{
    EVP_MAC_free(mac);
    return fixture_teardown(state);
}

static int starts_with_a_clean_queue(void **state)
{
    (void)state;
    ERR_clear_error();
    return 0;
}

/* xorshift64: the same numbers in every run. */
static uint64_t random_state = 0x9e3779b97f4a7c15u;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % limit;
}

/* ---- what has to come out ---- */

static void hmac(const struct row *row, const uint8_t *key, size_t key_size, const uint8_t *data,
                 size_t size, uint8_t *out)
{
    size_t written = 0;

    assert_non_null(EVP_Q_mac(libctx, "HMAC", "provider!=schannel", row->digest, NULL, key,
                              key_size, data, size, out, MAX_MAC, &written));
    assert_int_equal(written, row->size);
}

/* RFC 2246 section 6.2.3.1: the MAC of a record. */
static void record_hmac(const struct row *row, const uint8_t *key, size_t key_size,
                        uint64_t sequence, unsigned type, unsigned version, const uint8_t *data,
                        size_t size, uint8_t *out)
{
    uint8_t whole[13 + MAX_RECORD];

    for (size_t n = 0; n < 8; n++)
        whole[n] = (uint8_t)(sequence >> (56 - 8 * n));
    whole[8] = (uint8_t)type;
    whole[9] = (uint8_t)(version >> 8);
    whole[10] = (uint8_t)version;
    whole[11] = (uint8_t)(size >> 8);
    whole[12] = (uint8_t)size;
    memcpy(whole + 13, data, size);
    hmac(row, key, key_size, whole, 13 + size, out);
}

/* The secret of every key object here and of new_plain's contexts. */
static void fixed_secret(uint8_t secret[MAX_MAC])
{
    pattern(secret, MAX_MAC, 11);
}

static void fixed_hmac(const struct row *row, const uint8_t *data, size_t size, uint8_t *out)
{
    uint8_t secret[MAX_MAC] = { 0 };

    fixed_secret(secret);
    hmac(row, secret, row->size, data, size, out);
}

/* An application data record of TLS 1.0. */
static void fixed_record_hmac(const struct row *row, uint64_t sequence, const uint8_t *data,
                              size_t size, uint8_t *out)
{
    uint8_t secret[MAX_MAC] = { 0 };

    fixed_secret(secret);
    record_hmac(row, secret, row->size, sequence, DATA_TYPE, TLS1, data, size, out);
}

/* ---- contexts and keys ---- */

static EVP_MAC_CTX *new_context(void)
{
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    assert_non_null(context);
    return context;
}

static int set_text(EVP_MAC_CTX *context, const char *name, const char *value)
{
    OSSL_PARAM params[] = { text_param(name, value), OSSL_PARAM_construct_end() };

    return EVP_MAC_CTX_set_params(context, params);
}

static int set_number(EVP_MAC_CTX *context, const char *name, uint64_t value)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(name, &value), OSSL_PARAM_construct_end() };

    return EVP_MAC_CTX_set_params(context, params);
}

static uint64_t get_sequence(EVP_MAC_CTX *context)
{
    uint64_t value = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &value),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_MAC_CTX_get_params(context, params), 1);
    return value;
}

static int set_key_number(EVP_PKEY *key, const char *name, uint64_t value)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(name, &value), OSSL_PARAM_construct_end() };

    return EVP_PKEY_set_params(key, params);
}

static uint64_t get_key_sequence(EVP_PKEY *key)
{
    uint64_t value = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &value),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_get_params(key, params), 1);
    return value;
}

/* A context with key bytes of its own. */
static EVP_MAC_CTX *new_plain(const struct row *row)
{
    uint8_t secret[MAX_MAC] = { 0 };
    OSSL_PARAM params[] = { text_param("digest", row->digest), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_context();

    fixed_secret(secret);
    assert_int_equal(EVP_MAC_init(context, secret, row->size, params), 1);
    return context;
}

static EVP_PKEY *make_key(const struct row *row)
{
    uint8_t secret[MAX_MAC] = { 0 };
    OSSL_PARAM params[] = { text_param("alg", "TLS1-MAC"), text_param("digest", row->digest),
                            octets_param("secret", secret, row->size), OSSL_PARAM_construct_end() };
    EVP_PKEY *key;

    fixed_secret(secret);
    key = from_data(params);
    assert_non_null(key);
    return key;
}

static int bind_to(EVP_MAC_CTX *context, EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };

    get_handle(key, handle);
    return EVP_MAC_init(context, NULL, 0, params);
}

static EVP_MAC_CTX *new_bound(EVP_PKEY *key)
{
    EVP_MAC_CTX *context = new_context();

    assert_int_equal(bind_to(context, key), 1);
    return context;
}

static void record_mode(EVP_MAC_CTX *context)
{
    assert_int_equal(set_number(context, "record-type", DATA_TYPE), 1);
    assert_int_equal(set_number(context, "record-version", TLS1), 1);
}

static void absorb(EVP_MAC_CTX *context, const uint8_t *data, size_t size)
{
    assert_int_equal(EVP_MAC_update(context, data, size), 1);
}

static void absorb_in_random_chunks(EVP_MAC_CTX *context, const uint8_t *data, size_t size)
{
    while (size != 0) {
        size_t chunk = random_below(80);

        if (chunk > size)
            chunk = size;
        absorb(context, data, chunk);
        data += chunk;
        size -= chunk;
    }
}

static void assert_final(const struct row *row, EVP_MAC_CTX *context, const uint8_t *expected)
{
    uint8_t actual[MAX_MAC];
    size_t size = 0;

    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(size, row->size);
    assert_memory_equal(actual, expected, size);
    assert_no_errors();
}

static void assert_final_refused(EVP_MAC_CTX *context, const char *reason, const char *detail)
{
    uint8_t out[MAX_MAC];
    size_t size = 0;

    assert_int_equal(EVP_MAC_final(context, out, &size, sizeof(out)), 0);
    assert_reason(reason, detail);
}

static void assert_update_refused(EVP_MAC_CTX *context, const char *reason, const char *detail)
{
    assert_int_equal(EVP_MAC_update(context, (const uint8_t *)"x", 1), 0);
    assert_reason(reason, detail);
}

/* One record of |size| bytes, told and absorbed. */
static void check_record(const struct row *row, EVP_MAC_CTX *context, uint64_t sequence,
                         const uint8_t *data, size_t size)
{
    uint8_t expected[MAX_MAC];

    fixed_record_hmac(row, sequence, data, size, expected);
    assert_int_equal(set_number(context, "record-length", size), 1);
    absorb_in_random_chunks(context, data, size);
    assert_final(row, context, expected);
}

/* ---- raw mode ---- */

static void raw_mode_is_hmac_for_every_key_size(void **state)
{
    size_t messages = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        OSSL_PARAM params[] = { text_param("digest", rows[n].digest), OSSL_PARAM_construct_end() };

        for (size_t key_size = 0; key_size <= 200; key_size++) {
            uint8_t key[200], data[MAX_RECORD], expected[MAX_MAC];
            EVP_MAC_CTX *context = new_context();

            pattern(key, sizeof(key), (unsigned)key_size);
            pattern(data, sizeof(data), 3);
            assert_int_equal(EVP_MAC_init(context, key, key_size, params), 1);
            for (size_t round = 0; round < 4; round++, messages++) {
                size_t size = round == 0 ? 0 : random_below(MAX_RECORD);

                hmac(&rows[n], key, key_size, data, size, expected);
                absorb_in_random_chunks(context, data, size);
                assert_final(&rows[n], context, expected);
                assert_int_equal(EVP_MAC_init(context, NULL, 0, NULL), 1);
            }
            EVP_MAC_CTX_free(context);
        }
    }
    print_message("%zu messages\n", messages);
}

static void raw_mode_is_hmac_for_every_length_and_any_two_chunks(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t size = 0; size <= 200; size++) {
            uint8_t data[200], expected[MAX_MAC];
            EVP_MAC_CTX *context = new_plain(&rows[n]);

            pattern(data, sizeof(data), 3);
            fixed_hmac(&rows[n], data, size, expected);
            for (size_t cut = 0; cut <= size; cut += 1 + size / 7) {
                absorb(context, data, cut);
                absorb(context, data + cut, size - cut);
                assert_final(&rows[n], context, expected);
            }
            assert_int_equal(get_sequence(context), 0);
            EVP_MAC_CTX_free(context);
        }
    }
}

static void key_and_digest_may_come_in_any_order(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t secret[MAX_MAC] = { 0 }, expected[MAX_MAC];
        OSSL_PARAM digest = text_param("digest", rows[n].digest);
        OSSL_PARAM key = octets_param("key", secret, rows[n].size),
                   end = OSSL_PARAM_construct_end();
        OSSL_PARAM digest_only[] = { digest, end }, key_only[] = { key, end };
        OSSL_PARAM digest_first[] = { digest, key, end }, key_first[] = { key, digest, end };

        fixed_secret(secret);
        fixed_hmac(&rows[n], (const uint8_t *)"message", 7, expected);
        for (int order = 0; order < 6; order++) {
            EVP_MAC_CTX *context = new_context();

            switch (order) {
            case 0:
                assert_int_equal(EVP_MAC_CTX_set_params(context, digest_only), 1);
                assert_int_equal(EVP_MAC_init(context, secret, rows[n].size, NULL), 1);
                break;
            case 1:
                assert_int_equal(EVP_MAC_CTX_set_params(context, key_only), 1);
                assert_int_equal(EVP_MAC_CTX_set_params(context, digest_only), 1);
                break;
            case 2:
                assert_int_equal(EVP_MAC_CTX_set_params(context, key_only), 1);
                assert_int_equal(EVP_MAC_init(context, NULL, 0, digest_only), 1);
                break;
            case 3:
                assert_int_equal(EVP_MAC_init(context, NULL, 0, digest_first), 1);
                break;
            case 4:
                assert_int_equal(EVP_MAC_CTX_set_params(context, key_first), 1);
                break;
            default:
                assert_int_equal(EVP_MAC_init(context, secret, rows[n].size, digest_only), 1);
            }
            absorb(context, (const uint8_t *)"message", 7);
            assert_final(&rows[n], context, expected);
            EVP_MAC_CTX_free(context);
        }
    }
}

static void a_context_needs_a_key_and_a_digest(void **state)
{
    uint8_t secret[MAX_MAC] = { 0 }, expected[MAX_MAC];
    OSSL_PARAM key_only[] = { octets_param("key", secret, 16), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_context();

    (void)state;
    fixed_secret(secret);
    assert_update_refused(context, "no key", "neither key bytes nor a key-handle");
    assert_final_refused(context, "no key", "neither key bytes nor a key-handle");
    assert_int_equal(EVP_MAC_init(context, NULL, 0, NULL), 0);
    assert_reason("no key", "neither key bytes nor a key-handle");
    assert_int_equal(EVP_MAC_CTX_set_params(context, key_only), 1);
    assert_update_refused(context, "missing parameter", "digest");
    assert_final_refused(context, "missing parameter", "digest");
    assert_int_equal(EVP_MAC_init(context, secret, 16, NULL), 0);
    assert_reason("missing parameter", "digest");
    assert_int_equal(set_text(context, "digest", "MD5"), 1);
    absorb(context, secret, 5);
    fixed_hmac(&rows[0], secret, 5, expected);
    assert_final(&rows[0], context, expected);
    EVP_MAC_CTX_free(context);
}

/* ---- record mode ---- */

/* A stream of records on |context|, whose sequence number is |first|. */
static void check_records(const struct row *row, EVP_MAC_CTX *context, uint64_t first)
{
    uint8_t data[MAX_RECORD];

    record_mode(context);
    for (uint64_t n = 0; n < 40; n++) {
        pattern(data, sizeof(data), (unsigned)n);
        check_record(row, context, first + n, data, n == 7 ? 0 : random_below(MAX_RECORD));
        assert_int_equal(get_sequence(context), first + n + 1);
    }
}

static void consecutive_records_advance_the_sequence_number(void **state)
{
    static const uint64_t firsts[] = { 0, 0xf0, 0xfffffff0, 0xfffffffffffff0 };

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
            EVP_MAC_CTX *context = new_plain(&rows[n]);
            EVP_PKEY *key = make_key(&rows[n]);

            assert_int_equal(set_number(context, "sequence", firsts[i]), 1);
            check_records(&rows[n], context, firsts[i]);
            EVP_MAC_CTX_free(context);

            assert_int_equal(set_key_number(key, "sequence", firsts[i]), 1);
            context = new_bound(key);
            check_records(&rows[n], context, firsts[i]);
            assert_int_equal(get_key_sequence(key), firsts[i] + 40);
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

static void type_and_version_stand_in_the_header_and_persist(void **state)
{
    static const unsigned types[] = { 0, 20, 21, 22, 255 }, versions[] = { 0, 0x302, 0xffff };
    uint8_t secret[MAX_MAC] = { 0 }, expected[MAX_MAC];
    EVP_MAC_CTX *context = new_plain(&rows[1]);
    uint64_t sequence = 0;

    (void)state;
    fixed_secret(secret);
    for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
        assert_int_equal(set_number(context, "record-type", types[t]), 1);
        for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
            assert_int_equal(set_number(context, "record-version", versions[v]), 1);
            for (size_t round = 0; round < 3; round++) {
                record_hmac(&rows[1], secret, rows[1].size, sequence++, types[t], versions[v],
                            secret, 9, expected);
                assert_int_equal(set_number(context, "record-length", 9), 1);
                absorb(context, secret, 9);
                assert_final(&rows[1], context, expected);
            }
        }
    }
    EVP_MAC_CTX_free(context);
}

static void a_header_is_not_made_up(void **state)
{
    uint8_t data[9] = { 1, 2, 3 };

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        EVP_MAC_CTX *context = new_plain(&rows[n]);

        assert_int_equal(set_number(context, "record-type", DATA_TYPE), 1);
        assert_update_refused(context, "missing parameter", "record-version");
        assert_final_refused(context, "missing parameter", "record-version");
        assert_int_equal(set_number(context, "record-version", TLS1), 1);
        assert_update_refused(context, "missing parameter", "record-length");
        assert_final_refused(context, "missing parameter", "record-length");
        check_record(&rows[n], context, 0, data, sizeof(data));
        /* the length was for that record only */
        assert_update_refused(context, "missing parameter", "record-length");
        assert_final_refused(context, "missing parameter", "record-length");
        assert_int_equal(get_sequence(context), 1);
        check_record(&rows[n], context, 1, data, 0);
        assert_final_refused(context, "missing parameter", "record-length");
        check_record(&rows[n], context, 2, data, sizeof(data));
        EVP_MAC_CTX_free(context);
    }
}

static void a_record_that_is_shorter_than_told_can_be_completed(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            uint8_t data[100], expected[MAX_MAC];
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_MAC_CTX *context = is_bound ? new_bound(key) : new_plain(&rows[n]);

            pattern(data, sizeof(data), 3);
            record_mode(context);
            assert_int_equal(set_number(context, "record-length", 100), 1);
            assert_final_refused(context, "record length mismatch", "said 100 bytes");
            absorb(context, data, 60);
            assert_final_refused(context, "record length mismatch", "60");
            absorb(context, data + 60, 39);
            assert_final_refused(context, "record length mismatch", "99");
            assert_int_equal(get_sequence(context), 0);
            absorb(context, data + 99, 1);
            fixed_record_hmac(&rows[n], 0, data, 100, expected);
            assert_final(&rows[n], context, expected);
            check_record(&rows[n], context, 1, data, 50);
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

static void a_record_that_is_longer_than_told_is_refused_until_it_is_dropped(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            uint8_t data[100];
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_MAC_CTX *context = is_bound ? new_bound(key) : new_plain(&rows[n]);

            pattern(data, sizeof(data), 3);
            record_mode(context);
            assert_int_equal(set_number(context, "record-length", 10), 1);
            absorb(context, data, 11);
            assert_final_refused(context, "record length mismatch", "said 10 bytes");
            assert_final_refused(context, "record length mismatch", "11");
            assert_int_equal(get_sequence(context), 0);
            assert_int_equal(EVP_MAC_init(context, NULL, 0, NULL), 1);
            check_record(&rows[n], context, 0, data, 11);
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

/* ---- sequence numbers ---- */

static void a_sequence_number_is_read_and_set_in_any_integer_type(void **state)
{
    uint8_t data[9] = { 1 }, secret[MAX_MAC] = { 0 };
    uint32_t four = 44;
    int32_t signed_four = 55, negative = -1;
    OSSL_PARAM digest[] = { text_param("digest", "MD5"), OSSL_PARAM_construct_end() };
    OSSL_PARAM set_four[] = { OSSL_PARAM_construct_uint32("sequence", &four),
                              OSSL_PARAM_construct_end() };
    OSSL_PARAM set_signed[] = { OSSL_PARAM_construct_int32("sequence", &signed_four),
                                OSSL_PARAM_construct_end() };
    OSSL_PARAM set_negative[] = { OSSL_PARAM_construct_int32("sequence", &negative),
                                  OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_context();

    (void)state;
    fixed_secret(secret);
    /* before there is a key */
    assert_int_equal(set_number(context, "sequence", 33), 1);
    assert_int_equal(get_sequence(context), 33);
    assert_int_equal(EVP_MAC_init(context, secret, rows[0].size, digest), 1);
    record_mode(context);
    check_record(&rows[0], context, 33, data, sizeof(data));
    assert_int_equal(EVP_MAC_CTX_set_params(context, set_four), 1);
    check_record(&rows[0], context, 44, data, sizeof(data));
    assert_int_equal(EVP_MAC_CTX_set_params(context, set_signed), 1);
    check_record(&rows[0], context, 55, data, sizeof(data));
    assert_int_equal(EVP_MAC_CTX_set_params(context, set_negative), 0);
    assert_reason("invalid parameter", "sequence");
    assert_int_equal(set_text(context, "sequence", "66"), 0);
    assert_reason("invalid parameter", "sequence: expected an integer");
    check_record(&rows[0], context, 56, data, sizeof(data));
    EVP_MAC_CTX_free(context);
}

static void a_sequence_number_stays_while_a_message_is_absorbed(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            for (int in_record = 0; in_record <= 1; in_record++) {
                uint8_t data[80], expected[MAX_MAC];
                EVP_PKEY *key = make_key(&rows[n]);
                EVP_MAC_CTX *context = is_bound ? new_bound(key) : new_plain(&rows[n]);

                pattern(data, sizeof(data), 3);
                assert_int_equal(set_number(context, "sequence", 8), 1);
                if (in_record) {
                    record_mode(context);
                    assert_int_equal(set_number(context, "record-length", sizeof(data)), 1);
                    fixed_record_hmac(&rows[n], 8, data, sizeof(data), expected);
                } else {
                    fixed_hmac(&rows[n], data, sizeof(data), expected);
                }
                absorb(context, data, 33);
                assert_int_equal(set_number(context, "sequence", 9), 0);
                assert_reason("invalid parameter", "sequence: cannot change");
                if (is_bound) {
                    assert_int_equal(set_key_number(key, "sequence", 9), 0);
                    assert_reason("invalid parameter", "sequence: cannot change");
                }
                assert_int_equal(get_sequence(context), 8);
                absorb(context, data + 33, sizeof(data) - 33);
                assert_final(&rows[n], context, expected);
                assert_int_equal(get_sequence(context), in_record ? 9 : 8);
                assert_int_equal(set_number(context, "sequence", 100), 1);
                assert_int_equal(get_sequence(context), 100);
                EVP_MAC_CTX_free(context);
                EVP_PKEY_free(key);
            }
        }
    }
}

static void the_last_sequence_number_is_never_passed(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            uint8_t data[9] = { 1 };
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_MAC_CTX *context = is_bound ? new_bound(key) : new_plain(&rows[n]);

            record_mode(context);
            assert_int_equal(set_number(context, "sequence", UINT64_MAX - 1), 1);
            check_record(&rows[n], context, UINT64_MAX - 1, data, sizeof(data));
            assert_int_equal(get_sequence(context), UINT64_MAX);
            assert_int_equal(set_number(context, "record-length", 1), 1);
            assert_update_refused(context, "sequence numbers exhausted", "wrap");
            assert_int_equal(set_number(context, "record-length", 0), 1);
            assert_final_refused(context, "sequence numbers exhausted", "wrap");
            assert_int_equal(get_sequence(context), UINT64_MAX);
            assert_int_equal(set_number(context, "sequence", 3), 1);
            check_record(&rows[n], context, 3, data, sizeof(data));
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

/* ---- copies ---- */

static void a_copy_absorbs_for_itself(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            for (int in_record = 0; in_record <= 1; in_record++) {
                uint8_t data[2][100], expected[2][MAX_MAC];
                EVP_PKEY *key = make_key(&rows[n]);
                EVP_MAC_CTX *context = is_bound ? new_bound(key) : new_plain(&rows[n]), *copy;

                pattern(data[0], 100, 3);
                pattern(data[1], 100, 3);
                data[1][70] ^= 1;
                if (in_record) {
                    record_mode(context);
                    assert_int_equal(set_number(context, "record-length", 100), 1);
                }
                for (size_t i = 0; i < 2; i++) {
                    if (in_record)
                        fixed_record_hmac(&rows[n], 0, data[i], 100, expected[i]);
                    else
                        fixed_hmac(&rows[n], data[i], 100, expected[i]);
                }
                absorb(context, data[0], 70);
                copy = EVP_MAC_CTX_dup(context);
                assert_non_null(copy);
                absorb(copy, data[1] + 70, 30);
                absorb(context, data[0] + 70, 30);
                assert_final(&rows[n], context, expected[0]);
                if (is_bound)
                    set_key_number(key, "retire", 1);
                EVP_MAC_CTX_free(context);
                EVP_PKEY_free(key);
                assert_final(&rows[n], copy, expected[1]);
                assert_int_equal(get_sequence(copy), in_record);
                if (in_record) /* type and version went along, the length is spent */
                    assert_update_refused(copy, "missing parameter", "record-length");
                EVP_MAC_CTX_free(copy);
            }
        }
    }
}

static void a_copy_of_a_context_that_waits_for_its_digest_waits_too(void **state)
{
    uint8_t secret[MAX_MAC] = { 0 }, expected[MAX_MAC];
    OSSL_PARAM key[] = { octets_param("key", secret, 20), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_context(), *copy;

    (void)state;
    fixed_secret(secret);
    assert_int_equal(EVP_MAC_CTX_set_params(context, key), 1);
    copy = EVP_MAC_CTX_dup(context);
    assert_non_null(copy);
    EVP_MAC_CTX_free(context);
    assert_int_equal(set_text(copy, "digest", "SHA1"), 1);
    absorb(copy, secret, 20);
    fixed_hmac(&rows[1], secret, 20, expected);
    assert_final(&rows[1], copy, expected);
    EVP_MAC_CTX_free(copy);
}

/* ---- bound by key-handle ---- */

static void a_context_continues_the_message_that_the_key_has_absorbed(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int in_record = 0; in_record <= 1; in_record++) {
            for (size_t cut = 0; cut <= 100; cut++) {
                uint8_t data[100], expected[MAX_MAC];
                EVP_PKEY *key = make_key(&rows[n]);
                EVP_MAC_CTX *context = new_bound(key);

                pattern(data, sizeof(data), 3);
                if (in_record) {
                    record_mode(context);
                    assert_int_equal(set_number(context, "record-length", 100), 1);
                    fixed_record_hmac(&rows[n], 0, data, 100, expected);
                } else {
                    fixed_hmac(&rows[n], data, 100, expected);
                }
                absorb(context, data, cut);
                EVP_MAC_CTX_free(context);
                context = new_bound(key);
                absorb(context, data + cut, 100 - cut);
                EVP_MAC_CTX_free(context);
                context = new_bound(key);
                assert_final(&rows[n], context, expected);
                assert_int_equal(get_key_sequence(key), in_record);
                EVP_MAC_CTX_free(context);
                EVP_PKEY_free(key);
            }
        }
    }
}

static void initialising_with_nothing_drops_what_was_absorbed(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            uint8_t data[100], expected[MAX_MAC];
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_MAC_CTX *context = is_bound ? new_bound(key) : new_plain(&rows[n]);

            pattern(data, sizeof(data), 3);
            fixed_hmac(&rows[n], data, 100, expected);
            absorb(context, data, 77);
            assert_int_equal(EVP_MAC_init(context, NULL, 0, NULL), 1);
            absorb(context, data, 100);
            assert_final(&rows[n], context, expected);
            /* inside a record: its number is the next record's */
            record_mode(context);
            assert_int_equal(set_number(context, "record-length", 99), 1);
            absorb(context, data, 77);
            assert_int_equal(EVP_MAC_init(context, NULL, 0, NULL), 1);
            assert_int_equal(get_sequence(context), 0);
            check_record(&rows[n], context, 0, data, 100);
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

static void final_readies_the_key_for_the_next_message(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_MAC_CTX *context = new_bound(key);

        for (size_t size = 0; size < 100; size += 11) {
            uint8_t data[100], expected[MAX_MAC];

            pattern(data, sizeof(data), (unsigned)size);
            fixed_hmac(&rows[n], data, size, expected);
            absorb_in_random_chunks(context, data, size);
            assert_final(&rows[n], context, expected);
        }
        EVP_MAC_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void two_contexts_on_one_key_absorb_one_message(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t data[100], expected[MAX_MAC];
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_MAC_CTX *context[2] = { new_bound(key), new_bound(key) };

        pattern(data, sizeof(data), 3);
        fixed_hmac(&rows[n], data, 100, expected);
        for (size_t at = 0; at < 100; at += 10)
            absorb(context[random_below(2)], data + at, 10);
        assert_final(&rows[n], context[1], expected);
        /* records by turns: one sequence of numbers */
        record_mode(context[0]);
        record_mode(context[1]);
        for (uint64_t sequence = 0; sequence < 20; sequence++) {
            check_record(&rows[n], context[sequence % 3 % 2], sequence, data, 50);
            assert_int_equal(get_sequence(context[0]), sequence + 1);
            assert_int_equal(get_sequence(context[1]), sequence + 1);
        }
        EVP_MAC_CTX_free(context[0]);
        EVP_MAC_CTX_free(context[1]);
        EVP_PKEY_free(key);
    }
}

static void key_bytes_unbind_a_context_and_leave_its_key_alone(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t data[100], expected[MAX_MAC], other[MAX_MAC];
        OSSL_PARAM digest[] = { text_param("digest", rows[n].digest), OSSL_PARAM_construct_end() };
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_MAC_CTX *context = new_bound(key);

        pattern(data, sizeof(data), 3);
        pattern(other, sizeof(other), 99);
        absorb(context, data, 60);
        assert_int_equal(EVP_MAC_init(context, other, sizeof(other), digest), 1);
        absorb(context, data, 30);
        hmac(&rows[n], other, sizeof(other), data, 30, expected);
        assert_final(&rows[n], context, expected);
        /* and back: the key still has the first 60 bytes */
        assert_int_equal(bind_to(context, key), 1);
        absorb(context, data + 60, 40);
        fixed_hmac(&rows[n], data, 100, expected);
        assert_final(&rows[n], context, expected);
        EVP_MAC_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* ---- sizes ---- */

static void sizes_are_told_and_asking_changes_nothing(void **state)
{
    EVP_MAC_CTX *context = new_context();

    (void)state;
    assert_int_equal(EVP_MAC_CTX_get_mac_size(context), 0);
    EVP_MAC_CTX_free(context);
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            uint8_t data[60], expected[MAX_MAC], out[MAX_MAC] = { 0 }, zeros[MAX_MAC] = { 0 };
            EVP_PKEY *key = make_key(&rows[n]);
            size_t size = 0;

            context = is_bound ? new_bound(key) : new_plain(&rows[n]);
            pattern(data, sizeof(data), 3);
            record_mode(context);
            assert_int_equal(set_number(context, "record-length", 60), 1);
            fixed_record_hmac(&rows[n], 0, data, 60, expected);
            absorb(context, data, 60);
            assert_int_equal(EVP_MAC_CTX_get_mac_size(context), rows[n].size);
            assert_int_equal(EVP_MAC_CTX_get_block_size(context), 64);
            assert_int_equal(EVP_MAC_final(context, NULL, &size, 0), 1);
            assert_int_equal(size, rows[n].size);
            for (size_t room = 0; room < rows[n].size; room++) {
                assert_int_equal(EVP_MAC_final(context, out, &size, room), 0);
                ERR_clear_error(); /* the core finds out before the provider does */
                assert_memory_equal(out, zeros, sizeof(out));
            }
            assert_int_equal(get_sequence(context), 0);
            assert_final(&rows[n], context, expected);
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

/* ---- bad input ---- */

static void a_retired_key_refuses_those_who_are_bound_to_it(void **state)
{
    EVP_PKEY *key = make_key(&rows[0]);
    EVP_MAC_CTX *context = new_bound(key);

    (void)state;
    absorb(context, (const uint8_t *)"message", 7);
    assert_int_equal(set_key_number(key, "retire", 1), 1);
    assert_update_refused(context, "key has been retired", "TLS1-MAC");
    assert_int_equal(EVP_MAC_init(context, NULL, 0, NULL), 0);
    assert_reason("key has been retired", "TLS1-MAC");
    assert_null(EVP_MAC_CTX_dup(context));
    assert_reason("key has been retired", "TLS1-MAC");
    EVP_MAC_CTX_free(context);
    EVP_PKEY_free(key);
}

/* |context| refuses |param| whichever way it comes. */
static void check_refused(EVP_MAC_CTX *context, OSSL_PARAM param, const char *reason,
                          const char *detail)
{
    OSSL_PARAM params[] = { param, OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_MAC_init(context, NULL, 0, params), 0);
    assert_reason(reason, detail);
    assert_int_equal(EVP_MAC_CTX_set_params(context, params), 0);
    assert_reason(reason, detail);
}

static void check_number_refused(EVP_MAC_CTX *context, const char *name, uint64_t number)
{
    int negative = -1;

    check_refused(context, OSSL_PARAM_construct_uint64(name, &number), "invalid parameter", name);
    check_refused(context, OSSL_PARAM_construct_int(name, &negative), "invalid parameter", name);
    check_refused(context, text_param(name, "1"), "invalid parameter", name);
}

static void check_key_refused(EVP_MAC_CTX *context, OSSL_PARAM known[], const char *detail)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    EVP_PKEY *key = from_data(known);

    assert_non_null(key);
    get_handle(key, handle);
    check_refused(context, octets_param("key-handle", handle, sizeof(handle)), "wrong kind of key",
                  detail);
    EVP_PKEY_free(key);
}

static void refuse_every_other_key(EVP_MAC_CTX *context)
{
    uint8_t secret[48] = { 1 };
    OSSL_PARAM cipher[] = { text_param("alg", "AES-128-CBC"), octets_param("secret", secret, 16),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM master[] = { text_param("alg", "TLS1-MASTER"), octets_param("secret", secret, 48),
                            OSSL_PARAM_construct_end() };

    check_key_refused(context, cipher, "expected a mac key, got a cipher key");
    check_key_refused(context, master, "expected a mac key, got a master key");
}

static void refuse_every_bad_handle(const struct row *row, EVP_MAC_CTX *context)
{
    uint8_t handle[KEY_HANDLE_SIZE + 1] = { 0 };
    EVP_PKEY *key = make_key(row);
    OSSL_PARAM good = octets_param("key-handle", handle, KEY_HANDLE_SIZE);
    OSSL_PARAM end = OSSL_PARAM_construct_end(), handle_only[] = { good, end };
    OSSL_PARAM with_key[] = { good, octets_param("key", handle, 16), end };
    OSSL_PARAM with_digest[] = { good, text_param("digest", row->other_digest), end };

    get_handle(key, handle);
    check_refused(context, octets_param("key-handle", handle, 15), "invalid length",
                  "key-handle: expected 16 bytes, got 15");
    check_refused(context, octets_param("key-handle", handle, 17), "invalid length",
                  "key-handle: expected 16 bytes, got 17");
    check_refused(context, text_param("key-handle", "0123456789abcdef"), "invalid parameter",
                  "key-handle: expected an octet string");
    /* a good handle, but key bytes as well, or a digest that is not the key's */
    assert_int_equal(EVP_MAC_init(context, handle, 16, handle_only), 0);
    assert_reason("conflicting parameters", "key-handle");
    assert_int_equal(EVP_MAC_init(context, NULL, 0, with_key), 0);
    assert_reason("conflicting parameters", "key-handle");
    assert_int_equal(EVP_MAC_CTX_set_params(context, with_key), 0);
    assert_reason("conflicting parameters", "key-handle");
    assert_int_equal(EVP_MAC_init(context, NULL, 0, with_digest), 0);
    assert_reason("conflicting parameters", "digest");
    handle[5] ^= 1;
    check_refused(context, good, "unknown key handle", "names no live key");
    handle[5] ^= 1;
    EVP_PKEY_free(key);
    check_refused(context, good, "unknown key handle", "names no live key");

    refuse_every_other_key(context);
    key = make_key(row);
    get_handle(key, handle);
    assert_int_equal(set_key_number(key, "retire", 1), 1);
    check_refused(context, good, "key has been retired", "TLS1-MAC");
    EVP_PKEY_free(key);
}

/* Good parameters beside a bad one are not taken over either. */
static void check_nothing_taken_over(EVP_MAC_CTX *context)
{
    unsigned type = 1, version = 2, length = 3;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("record-type", &type),
                            OSSL_PARAM_construct_uint("record-version", &version),
                            OSSL_PARAM_construct_uint("record-length", &length),
                            text_param("digest", "SHA256"), OSSL_PARAM_construct_end() };
    OSSL_PARAM of_the_record[] = { params[0], params[1], text_param("record-length", "3"),
                                   OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_MAC_CTX_set_params(context, params), 0);
    assert_reason("unknown algorithm", "digest");
    assert_int_equal(EVP_MAC_init(context, NULL, 0, params), 0);
    assert_reason("unknown algorithm", "digest");
    assert_int_equal(EVP_MAC_CTX_set_params(context, of_the_record), 0);
    assert_reason("invalid parameter", "record-length");
    assert_int_equal(EVP_MAC_init(context, NULL, 0, of_the_record), 0);
    assert_reason("invalid parameter", "record-length");
}

static void bad_input_is_refused_and_leaves_a_context_as_it_was(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            uint8_t data[100], expected[MAX_MAC];
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_MAC_CTX *context = is_bound ? new_bound(key) : new_plain(&rows[n]);

            pattern(data, sizeof(data), 3);
            assert_int_equal(set_number(context, "sequence", 5), 1);
            record_mode(context);
            assert_int_equal(set_number(context, "record-length", 100), 1);
            fixed_record_hmac(&rows[n], 5, data, 100, expected);
            for (int started = 0; started <= 1; started++) {
                refuse_every_bad_handle(&rows[n], context);
                check_number_refused(context, "record-type", 256);
                check_number_refused(context, "record-version", 65536);
                check_number_refused(context, "record-length", 65536);
                check_refused(context, text_param("digest", "SHA256"), "unknown algorithm",
                              "digest: expected MD5 or SHA1, got \"SHA256\"");
                check_refused(context, octets_param("digest", "MD5", 3), "invalid parameter",
                              "digest");
                check_refused(context, text_param("key", "secret"), "invalid parameter", "key");
                check_nothing_taken_over(context);
                if (is_bound)
                    check_refused(context, text_param("digest", rows[n].other_digest),
                                  "conflicting parameters", "the key's own is");
                if (!started)
                    absorb(context, data, 40);
            }
            absorb(context, data + 40, 60);
            assert_final(&rows[n], context, expected);
            check_record(&rows[n], context, 6, data, 33);
            EVP_MAC_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

/* ---- threads ---- */

#define THREADS 16
#define RECORDS 500 /* of each thread */

struct worker {
    pthread_t thread;
    EVP_PKEY *key;
    int failed;
    uint8_t (*macs)[MAX_MAC];
};

/* Empty records, since a final alone is one operation; whole ones are in test_message. */
static void *authenticate_records(void *argument)
{
    struct worker *worker = argument;
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    size_t size = 0;

    worker->failed = !EVP_PKEY_get_octet_string_param(worker->key, "key-handle", handle,
                                                      sizeof(handle), &size) ||
                     !EVP_MAC_init(context, NULL, 0, bind) ||
                     !set_number(context, "record-type", DATA_TYPE) ||
                     !set_number(context, "record-version", TLS1);
    for (size_t n = 0; n < RECORDS && !worker->failed; n++)
        worker->failed = !set_number(context, "record-length", 0) ||
                         !EVP_MAC_final(context, worker->macs[n], &size, MAX_MAC) ||
                         size != MAX_MAC;
    EVP_MAC_CTX_free(context);
    return NULL;
}

static int compare_macs(const void *a, const void *b)
{
    return memcmp(a, b, MAX_MAC);
}

static void records_of_many_threads_have_the_numbers_of_one_sequence(void **state)
{
    static uint8_t expected[THREADS * RECORDS][MAX_MAC], actual[THREADS * RECORDS][MAX_MAC];
    struct worker workers[THREADS];
    EVP_PKEY *key = make_key(&rows[1]);

    (void)state;
    for (size_t n = 0; n < THREADS * RECORDS; n++)
        fixed_record_hmac(&rows[1], n, (const uint8_t *)"", 0, expected[n]);
    for (size_t n = 0; n < THREADS; n++) {
        workers[n] = (struct worker){ .key = key, .macs = &actual[n * RECORDS] };
        assert_int_equal(
            pthread_create(&workers[n].thread, NULL, authenticate_records, &workers[n]), 0);
    }
    for (size_t n = 0; n < THREADS; n++) {
        pthread_join(workers[n].thread, NULL);
        assert_int_equal(workers[n].failed, 0);
    }
    assert_int_equal(get_key_sequence(key), THREADS * RECORDS);
    qsort(expected, THREADS * RECORDS, MAX_MAC, compare_macs);
    qsort(actual, THREADS * RECORDS, MAX_MAC, compare_macs);
    assert_memory_equal(actual, expected, sizeof(expected));
    EVP_PKEY_free(key);
}

/* ---- digests after the key ---- */

static void a_bound_context_takes_no_digest_but_the_keys_own(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_MAC_CTX *context = new_bound(key);
        uint8_t expected[MAX_MAC];

        fixed_hmac(&rows[n], (const uint8_t *)"text", 4, expected);
        absorb(context, (const uint8_t *)"te", 2);
        assert_int_equal(set_text(context, "digest", rows[n].digest), 1);
        assert_no_errors();
        assert_int_equal(set_text(context, "digest", rows[n].other_digest), 0);
        assert_reason("conflicting parameters", "digest: the key's own is ");
        absorb(context, (const uint8_t *)"xt", 2);
        assert_final(&rows[n], context, expected);
        EVP_MAC_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void the_digest_of_key_bytes_can_change_before_the_first_byte_only(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        const struct row *other = &rows[1 - n];
        EVP_MAC_CTX *context = new_plain(&rows[n]);
        uint8_t secret[MAX_MAC], expected[MAX_MAC];

        fixed_secret(secret);
        hmac(other, secret, rows[n].size, (const uint8_t *)"text", 4, expected);
        assert_int_equal(set_text(context, "digest", other->digest), 1);
        absorb(context, (const uint8_t *)"text", 4);
        assert_int_equal(set_text(context, "digest", rows[n].digest), 0);
        assert_reason("invalid parameter", "digest: cannot change");
        assert_final(other, context, expected);
        EVP_MAC_CTX_free(context);
    }
}

static void a_resumed_context_has_the_digest_of_its_blob(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        EVP_MAC_CTX *context = new_plain(&rows[n]), *resumed = new_context();
        uint8_t blob[MAX_BLOB], expected[MAX_MAC];
        OSSL_PARAM out[] = { octets_param("opaque-blob", blob, sizeof(blob)),
                             OSSL_PARAM_construct_end() };
        OSSL_PARAM in[] = { OSSL_PARAM_construct_end(), text_param("seal-key", seal_key_a),
                            OSSL_PARAM_construct_end() };

        fixed_hmac(&rows[n], (const uint8_t *)"text", 4, expected);
        absorb(context, (const uint8_t *)"te", 2);
        assert_int_equal(set_text(context, "seal-key", seal_key_a), 1);
        assert_int_equal(EVP_MAC_CTX_get_params(context, out), 1);
        in[0] = octets_param("opaque-blob", blob, out[0].return_size);
        assert_int_equal(EVP_MAC_init(resumed, NULL, 0, in), 1);
        assert_int_equal(set_text(resumed, "digest", rows[n].other_digest), 0);
        assert_reason("conflicting parameters", "digest: the key's own is ");
        absorb(resumed, (const uint8_t *)"xt", 2);
        assert_final(&rows[n], resumed, expected);
        EVP_MAC_CTX_free(resumed);
        EVP_MAC_CTX_free(context);
    }
}

static void what_a_context_does_not_know_is_left_alone(void **state)
{
    EVP_MAC_CTX *context = new_plain(&rows[0]);
    unsigned colour = 77;
    size_t size = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint("colour", &colour),
                            OSSL_PARAM_construct_size_t("size", &size),
                            OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(EVP_MAC_CTX_get_params(context, params), 1);
    assert_int_equal(colour, 77);
    assert_false(OSSL_PARAM_modified(&params[0]));
    assert_int_equal(size, rows[0].size);
    assert_int_equal(EVP_MAC_CTX_get_params(context, NULL), 1);
    assert_no_errors();
    EVP_MAC_CTX_free(context);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(raw_mode_is_hmac_for_every_key_size),
        TEST(raw_mode_is_hmac_for_every_length_and_any_two_chunks),
        TEST(key_and_digest_may_come_in_any_order),
        TEST(a_context_needs_a_key_and_a_digest),
        TEST(consecutive_records_advance_the_sequence_number),
        TEST(type_and_version_stand_in_the_header_and_persist),
        TEST(a_header_is_not_made_up),
        TEST(a_record_that_is_shorter_than_told_can_be_completed),
        TEST(a_record_that_is_longer_than_told_is_refused_until_it_is_dropped),
        TEST(a_sequence_number_is_read_and_set_in_any_integer_type),
        TEST(a_sequence_number_stays_while_a_message_is_absorbed),
        TEST(the_last_sequence_number_is_never_passed),
        TEST(a_copy_absorbs_for_itself),
        TEST(a_copy_of_a_context_that_waits_for_its_digest_waits_too),
        TEST(a_context_continues_the_message_that_the_key_has_absorbed),
        TEST(initialising_with_nothing_drops_what_was_absorbed),
        TEST(final_readies_the_key_for_the_next_message),
        TEST(two_contexts_on_one_key_absorb_one_message),
        TEST(key_bytes_unbind_a_context_and_leave_its_key_alone),
        TEST(sizes_are_told_and_asking_changes_nothing),
        TEST(a_retired_key_refuses_those_who_are_bound_to_it),
        TEST(bad_input_is_refused_and_leaves_a_context_as_it_was),
        TEST(records_of_many_threads_have_the_numbers_of_one_sequence),
        TEST(a_bound_context_takes_no_digest_but_the_keys_own),
        TEST(the_digest_of_key_bytes_can_change_before_the_first_byte_only),
        TEST(a_resumed_context_has_the_digest_of_its_blob),
        TEST(what_a_context_does_not_know_is_left_alone),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
