/*
 * PCT1-MAC, SSL2-MAC and SSL3-MAC: the formulas, computed here with libcrypto's digests, over plain
 * bytes and over records; with key bytes, bound to a key, through EVP_DigestSign, suspended and
 * resumed.  A write key of SSL 2.0 is its own MAC secret: two states in one key.
 */
#include "record_mac.h"

#define FIXED_SEED 11

static void fixed_secret(const struct row *row, uint8_t secret[MAX_KEY])
{
    pattern(secret, row->key_size, FIXED_SEED);
}

static void fixed_raw(const struct row *row, const uint8_t *data, size_t size, uint8_t *out)
{
    uint8_t secret[MAX_KEY];

    fixed_secret(row, secret);
    raw_mac(row, secret, row->key_size, data, size, out);
}

static void fixed_record(const struct row *row, uint64_t sequence, const uint8_t *data, size_t size,
                         uint8_t *out)
{
    uint8_t secret[MAX_KEY];

    fixed_secret(row, secret);
    record_mac(row, secret, row->key_size, sequence, DATA_TYPE, data, size, out);
}

/* ---- contexts and keys ---- */

static EVP_MAC_CTX *new_context(const struct row *row)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, row->mac, NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    assert_non_null(context);
    EVP_MAC_free(mac);
    return context;
}

static int set(EVP_MAC_CTX *context, const char *name, uint64_t value)
{
    struct list list;

    list_start(&list);
    add_number(&list, name, value);
    return EVP_MAC_CTX_set_params(context, list.params);
}

static uint64_t sequence_of(EVP_MAC_CTX *context)
{
    struct list list;

    list_start(&list);
    add_number(&list, "sequence", 77);
    assert_int_equal(EVP_MAC_CTX_get_params(context, list.params), 1);
    return list.numbers[0];
}

static EVP_MAC_CTX *new_plain(const struct row *row)
{
    uint8_t secret[MAX_KEY];
    OSSL_PARAM params[] = { text_param("digest", row->digest), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_context(row);

    fixed_secret(row, secret);
    assert_int_equal(EVP_MAC_init(context, secret, row->key_size, params), 1);
    return context;
}

static EVP_PKEY *fixed_key(const struct row *row)
{
    uint8_t secret[MAX_KEY];

    fixed_secret(row, secret);
    return make_key(row->mac, row->digest, secret, row->key_size);
}

static int bind_to(EVP_MAC_CTX *context, EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };

    get_handle(key, handle);
    return EVP_MAC_init(context, NULL, 0, params);
}

static EVP_MAC_CTX *new_bound(const struct row *row, EVP_PKEY *key)
{
    EVP_MAC_CTX *context = new_context(row);

    assert_int_equal(bind_to(context, key), 1);
    return context;
}

/* Record mode, as the protocol asks for it. */
static void record_mode(const struct row *row, EVP_MAC_CTX *context)
{
    if (row->protocol == SSL3)
        assert_int_equal(set(context, "record-type", DATA_TYPE), 1);
    else
        assert_int_equal(set(context, "record-mode", 1), 1);
}

static void tell_length(const struct row *row, EVP_MAC_CTX *context, size_t size)
{
    if (row->protocol == SSL3)
        assert_int_equal(set(context, "record-length", size), 1);
}

static void absorb(EVP_MAC_CTX *context, const uint8_t *data, size_t size)
{
    assert_int_equal(EVP_MAC_update(context, data, size), 1);
}

static void absorb_in_chunks(EVP_MAC_CTX *context, const uint8_t *data, size_t size)
{
    while (size != 0) {
        size_t chunk = random_below(90);

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

/* The next message is one in raw mode, of |size| bytes. */
static void check_raw(const struct row *row, EVP_MAC_CTX *context, const uint8_t *data, size_t size)
{
    uint8_t expected[MAX_MAC];

    fixed_raw(row, data, size, expected);
    absorb_in_chunks(context, data, size);
    assert_final(row, context, expected);
}

/* The next message is record |sequence|. */
static void check_record(const struct row *row, EVP_MAC_CTX *context, uint64_t sequence,
                         const uint8_t *data, size_t size)
{
    uint8_t expected[MAX_MAC];

    assert_true(sequence_of(context) == sequence);
    fixed_record(row, sequence, data, size, expected);
    tell_length(row, context, size);
    absorb_in_chunks(context, data, size);
    assert_final(row, context, expected);
}

/* ---- formulas ---- */

struct vector {
    size_t row;
    const char *key, *data, *mac; /* in hex */
    uint64_t sequence;
    unsigned type;
};

static const struct vector vectors[] = {
    { 2, "5ee3a45d1cd691391d2573f5d18dd286", "68656c6c6f", "ec7906755c8d3e5fd819512ee5e1fccd", 3,
      0 },
    { 0, "f830e44160f64543e7ff6cac72c05403", "68656c6c6f", "8da3828c94d677e1a3debb0b68e9c803", 2,
      0 },
    { 0, "f830e44160f64543e7ff6cac72c05403", "68656c6c6f000000", "c65848b339d702e2453044d7fd5a03e4",
      2, 0 },
    { 3, "182a7551f89f5cf95c900d0d762f1e9e",
      "14000024f240103f7463eae87a2723565f5907d2a3795db78b94dbcffaf51822157bf24a96529a0e",
      "d309de2884a7075c7c0c08856b4f6304", 0, 22 },
    { 4, "000102030405060708090a0b0c0d0e0f10111213", "68656c6c6f",
      "2cbf31c4ffd93a78a9d6ee328a975d0393213d30", 0, 0x17 },
};

static size_t unhex(const char *text, uint8_t *out, size_t room)
{
    size_t size = 0;

    assert_int_equal(OPENSSL_hexstr2buf_ex(out, room, &size, text, '\0'), 1);
    return size;
}

static void the_vectors_of_the_specification_come_out(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(vectors); n++) {
        const struct vector *vector = &vectors[n];
        const struct row *row = &rows[vector->row];
        uint8_t key[MAX_KEY], data[MAX_TEXT], expected[MAX_MAC], computed[MAX_MAC];
        size_t key_size = unhex(vector->key, key, sizeof(key));
        size_t size = unhex(vector->data, data, sizeof(data));
        EVP_MAC_CTX *context = new_context(row);
        struct list list;

        assert_int_equal(unhex(vector->mac, expected, sizeof(expected)), row->size);
        record_mac(row, key, key_size, vector->sequence, vector->type, data, size, computed);
        assert_memory_equal(computed, expected, row->size); /* the formulas of this test */
        list_start(&list);
        add_text(&list, "digest", row->digest);
        add_number(&list, "sequence", vector->sequence);
        if (row->protocol == SSL3) {
            add_number(&list, "record-type", vector->type);
            add_number(&list, "record-length", size);
        } else {
            add_number(&list, "record-mode", 1);
        }
        assert_int_equal(EVP_MAC_init(context, key, key_size, list.params), 1);
        absorb(context, data, size);
        assert_final(row, context, expected);
        assert_int_equal(sequence_of(context), vector->sequence + 1);
        EVP_MAC_CTX_free(context);
    }
}

static void plain_keys_of_every_size_give_the_formulas(void **state)
{
    uint8_t data[MAX_TEXT], key[MAX_KEY + 1];

    (void)state;
    pattern(data, sizeof(data), 3);
    pattern(key, sizeof(key), 5);
    for (size_t n = 0; n < ROWS; n++) {
        const struct row *row = &rows[n];
        OSSL_PARAM params[] = { text_param("digest", row->digest), OSSL_PARAM_construct_end() };
        EVP_MAC_CTX *context = new_context(row);

        for (size_t key_size = 0; key_size <= MAX_KEY; key_size++) {
            uint8_t expected[MAX_MAC];
            size_t size = random_below(MAX_TEXT);

            assert_int_equal(EVP_MAC_init(context, key, key_size, params), 1);
            assert_int_equal(EVP_MAC_CTX_get_mac_size(context), row->size);
            raw_mac(row, key, key_size, data, size, expected);
            absorb_in_chunks(context, data, size);
            assert_final(row, context, expected);
            record_mode(row, context);
            record_mac(row, key, key_size, 0, DATA_TYPE, data, size, expected);
            tell_length(row, context, size);
            absorb_in_chunks(context, data, size);
            assert_final(row, context, expected);
            assert_int_equal(set(context, "record-mode", 0), 1);
        }
        assert_int_equal(EVP_MAC_init(context, key, MAX_KEY + 1, params), 0);
        assert_reason("invalid length", "at most 64 bytes");
        EVP_MAC_CTX_free(context);
    }
}

static void every_length_and_cut_gives_the_formulas(void **state)
{
    uint8_t data[200], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < ROWS; n++) {
        EVP_MAC_CTX *context = new_plain(&rows[n]);

        for (size_t size = 0; size <= sizeof(data); size++) {
            fixed_raw(&rows[n], data, size, expected);
            for (size_t cut = 0; cut <= size; cut += 1 + size / 5) {
                absorb(context, data, cut);
                absorb(context, data + cut, size - cut);
                assert_final(&rows[n], context, expected);
            }
        }
        assert_int_equal(sequence_of(context), 0); /* raw mode leaves it */
        record_mode(&rows[n], context);
        for (size_t size = 0; size <= sizeof(data); size++)
            check_record(&rows[n], context, size, data, size);
        EVP_MAC_CTX_free(context);
    }
}

/* ---- record mode ---- */

static void the_type_of_an_ssl3_record_is_authenticated(void **state)
{
    uint8_t data[64], secret[MAX_KEY], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 3; n < ROWS; n++) {
        EVP_MAC_CTX *context = new_plain(&rows[n]);

        fixed_secret(&rows[n], secret);
        for (unsigned type = 0; type < 256; type++) {
            assert_int_equal(set(context, "record-type", type), 1);
            for (unsigned record = 2 * type; record < 2 * type + 2; record++) {
                record_mac(&rows[n], secret, rows[n].key_size, record, type, data, 9, expected);
                tell_length(&rows[n], context, 9); /* the type persists, the length does not */
                absorb(context, data, 9);
                assert_final(&rows[n], context, expected);
            }
        }
        EVP_MAC_CTX_free(context);
    }
}

static void an_ssl3_record_needs_type_and_length_and_keeps_to_the_length(void **state)
{
    uint8_t data[64], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 3; n < ROWS; n++) {
        EVP_MAC_CTX *context = new_plain(&rows[n]);

        assert_int_equal(set(context, "record-mode", 1), 1);
        assert_int_equal(EVP_MAC_update(context, data, 1), 0);
        assert_reason("missing parameter", "record-type: ");
        assert_final_refused(context, "missing parameter", "record-type: ");
        record_mode(&rows[n], context);
        assert_int_equal(EVP_MAC_update(context, data, 1), 0);
        assert_reason("missing parameter", "record-length: ");
        assert_final_refused(context, "missing parameter", "record-length: ");
        tell_length(&rows[n], context, 10);
        absorb(context, data, 9);
        assert_final_refused(context, "record length mismatch", "said 10 bytes, the data had 9");
        absorb(context, data + 9, 1);
        fixed_record(&rows[n], 0, data, 10, expected);
        assert_final(&rows[n], context, expected);
        tell_length(&rows[n], context, 3);
        absorb(context, data, 4);
        assert_final_refused(context, "record length mismatch", "said 3 bytes, the data had 4");
        assert_int_equal(EVP_MAC_init(context, NULL, 0, NULL), 1); /* drops it */
        check_record(&rows[n], context, 1, data, 4);
        EVP_MAC_CTX_free(context);
    }
}

static void record_mode_can_be_turned_on_and_off_between_messages(void **state)
{
    uint8_t data[MAX_TEXT];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < ROWS; n++) {
        EVP_MAC_CTX *context = new_plain(&rows[n]);

        record_mode(&rows[n], context);
        check_record(&rows[n], context, 0, data, 100);
        assert_int_equal(set(context, "record-mode", 0), 1);
        check_raw(&rows[n], context, data, 100);
        assert_int_equal(sequence_of(context), 1);
        assert_int_equal(set(context, "record-mode", 1), 1); /* the type is still there */
        check_record(&rows[n], context, 1, data, 0);
        assert_int_equal(set(context, "record-mode", 2), 0);
        assert_reason("invalid parameter", "record-mode: ");
        check_record(&rows[n], context, 2, data, 7);
        EVP_MAC_CTX_free(context);
    }
}

/* A refused parameter changes nothing, in the middle of a message. */
static void parameters_that_a_record_does_not_have_are_refused(void **state)
{
    static const char *const names[] = { "record-type", "record-length", "record-version" };
    uint8_t data[64], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < ROWS; n++) {
        const struct row *row = &rows[n];
        EVP_MAC_CTX *context = new_plain(row);
        struct list list;

        record_mode(row, context);
        tell_length(row, context, 64);
        absorb(context, data, 30);
        for (size_t name = row->protocol == SSL3 ? 2 : 0; name < COUNT(names); name++) {
            list_start(&list);
            add_number(&list, "record-mode", 0);
            add_number(&list, names[name], 1);
            assert_int_equal(EVP_MAC_CTX_set_params(context, list.params), 0);
            assert_reason("conflicting parameters", names[name]);
            assert_int_equal(EVP_MAC_init(context, NULL, 0, list.params), 0);
            assert_reason("conflicting parameters", names[name]);
        }
        absorb(context, data + 30, 34);
        fixed_record(row, 0, data, 64, expected);
        assert_final(row, context, expected);
        EVP_MAC_CTX_free(context);
    }
}

/* ---- record numbers ---- */

static void check_the_last_numbers(const struct row *row, EVP_MAC_CTX *context)
{
    uint8_t data[32];

    pattern(data, sizeof(data), 3);
    record_mode(row, context);
    assert_int_equal(set(context, "sequence", row->last - 1), 1);
    check_record(row, context, row->last - 1, data, 5);
    check_record(row, context, row->last, data, 6);
    if (row->protocol == SSL2) {
        check_record(row, context, 0, data, 7);
        check_record(row, context, 1, data, 8);
        return;
    }
    for (int twice = 0; twice < 2; twice++) {
        assert_true(sequence_of(context) == row->last + 1);
        tell_length(row, context, 3);
        assert_int_equal(EVP_MAC_update(context, data, 3), 0);
        assert_reason("sequence numbers exhausted", "must not wrap");
        tell_length(row, context, 0);
        assert_final_refused(context, "sequence numbers exhausted", "must not wrap");
    }
    assert_int_equal(set(context, "record-mode", 0), 1);
    check_raw(row, context, data, sizeof(data)); /* which needs no number */
    assert_int_equal(set(context, "sequence", 9), 1);
    record_mode(row, context);
    check_record(row, context, 9, data, 5);
}

static void numbers_end_or_wrap_as_the_protocol_says(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        EVP_MAC_CTX *plain = new_plain(&rows[n]);
        EVP_PKEY *key = fixed_key(&rows[n]);
        EVP_MAC_CTX *bound = new_bound(&rows[n], key);

        check_the_last_numbers(&rows[n], plain);
        check_the_last_numbers(&rows[n], bound);
        EVP_MAC_CTX_free(plain);
        EVP_MAC_CTX_free(bound);
        EVP_PKEY_free(key);
    }
}

static void numbers_have_32_or_64_bits(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        const int is_short = rows[n].protocol != SSL3;
        EVP_MAC_CTX *context = new_plain(&rows[n]);
        EVP_PKEY *key = fixed_key(&rows[n]), *made;
        uint8_t secret[MAX_KEY];
        struct list list;

        fixed_secret(&rows[n], secret);
        list_start(&list);
        add_text(&list, "alg", rows[n].mac);
        add_text(&list, "digest", rows[n].digest);
        add_octets(&list, "secret", secret, rows[n].key_size);
        add_number(&list, "sequence", LAST_32 + (uint64_t)1);
        made = from_data(list.params);
        assert_int_equal(made == NULL, is_short);
        if (is_short)
            assert_reason("invalid parameter", "sequence: ");
        EVP_PKEY_free(made);
        assert_int_equal(set_number(key, "sequence", 41), 1);
        assert_int_equal(set(context, "sequence", 41), 1);
        assert_int_equal(set_number(key, "sequence", LAST_32 + (uint64_t)1), !is_short);
        if (is_short)
            assert_reason("invalid parameter", "sequence: ");
        assert_int_equal(set(context, "sequence", LAST_32 + (uint64_t)1), !is_short);
        if (is_short)
            assert_reason("invalid parameter", "sequence: ");
        assert_true(number_of(key, "sequence") == (is_short ? 41 : LAST_32 + (uint64_t)1));
        assert_true(sequence_of(context) == number_of(key, "sequence"));
        assert_int_equal(set_number(key, "sequence", LAST_32), 1);
        assert_true(number_of(key, "sequence") == LAST_32);
        EVP_MAC_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* ---- digests and sizes ---- */

static void only_ssl2_has_a_digest_of_its_own(void **state)
{
    uint8_t secret[MAX_KEY], data[64];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < ROWS; n++) {
        const struct row *row = &rows[n];
        OSSL_PARAM sha256[] = { text_param("digest", "SHA256"), OSSL_PARAM_construct_end() };
        OSSL_PARAM sha1[] = { text_param("digest", "SHA1"), OSSL_PARAM_construct_end() };
        EVP_MAC_CTX *context = new_context(row);
        struct list list;
        EVP_PKEY *key;

        fixed_secret(row, secret);
        list_start(&list);
        add_text(&list, "alg", row->mac);
        add_octets(&list, "secret", secret, row->key_size);
        key = from_data(list.params);
        if (row->protocol == SSL2) {
            assert_non_null(key);
            assert_text_of(key, "digest", "MD5");
            assert_text_of(key, "default-digest", "MD5");
            assert_int_equal(EVP_MAC_init(context, secret, row->key_size, NULL), 1);
            check_raw(row, context, data, 50);
            assert_int_equal(EVP_MAC_init(context, secret, row->key_size, sha1), 0);
            assert_reason("conflicting parameters", "hashes with MD5, not SHA1");
            assert_int_equal(EVP_MAC_CTX_set_params(context, sha1), 0);
            assert_reason("conflicting parameters", "hashes with MD5, not SHA1");
            check_raw(row, context, data, 51);
            add_text(&list, "digest", "SHA1");
            assert_null(from_data(list.params));
            assert_reason("conflicting parameters", "hashes with MD5, not SHA1");
        } else {
            assert_null(key);
            assert_reason("missing parameter", "digest: ");
            assert_int_equal(EVP_MAC_init(context, secret, row->key_size, NULL), 0);
            assert_reason("missing parameter", "digest: ");
        }
        assert_int_equal(EVP_MAC_init(context, secret, row->key_size, sha256), 0);
        assert_reason("unknown algorithm", "digest: ");
        drop(&list, "digest");
        add_text(&list, "digest", "SHA256");
        assert_null(from_data(list.params));
        assert_reason("unknown algorithm", "digest: ");
        EVP_PKEY_free(key);
        EVP_MAC_CTX_free(context);
    }
}

static void check_size(const struct row *row, size_t size, const uint8_t *data)
{
    const int fits = size >= row->least && size <= row->most;
    uint8_t secret[MAX_KEY + 1], expected[MAX_MAC];
    EVP_PKEY *known, *random;
    struct list list;

    pattern(secret, sizeof(secret), (unsigned)size);
    list_start(&list);
    add_text(&list, "alg", row->mac);
    add_text(&list, "digest", row->digest);
    add_number(&list, "bits", 8 * size);
    random = generate_from(NULL, &list);
    assert_int_equal(random != NULL, fits);
    if (!fits)
        assert_reason("invalid parameter", "bits: ");
    drop(&list, "bits");
    add_octets(&list, "secret", secret, size);
    known = from_data(list.params);
    assert_int_equal(known != NULL, fits);
    if (fits) {
        EVP_MAC_CTX *context = new_bound(row, known);

        assert_int_equal(number_of(known, "bits"), 8 * size);
        assert_int_equal(number_of(random, "bits"), 8 * size);
        assert_text_of(known, "alg", row->mac);
        assert_text_of(known, "kind", "mac");
        assert_int_equal(EVP_PKEY_get_size(known), row->size);
        assert_int_equal(EVP_PKEY_eq(known, random), 0);
        raw_mac(row, secret, size, data, 100, expected);
        absorb_in_chunks(context, data, 100);
        assert_final(row, context, expected);
        EVP_MAC_CTX_free(context);
    } else {
        assert_reason("invalid length", "secret: ");
    }
    EVP_PKEY_free(known);
    EVP_PKEY_free(random);
}

static void key_objects_have_the_sizes_of_their_protocol(void **state)
{
    uint8_t data[100];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < ROWS; n++) {
        struct list list;
        EVP_PKEY *key;

        for (size_t size = 1; size <= MAX_KEY + 1; size++)
            check_size(&rows[n], size, data);
        list_start(&list);
        add_text(&list, "alg", rows[n].mac);
        add_text(&list, "digest", rows[n].digest);
        key = generate_from(NULL, &list);
        assert_non_null(key);
        assert_int_equal(number_of(key, "bits"), 8 * rows[n].size);
        EVP_PKEY_free(key);
    }
}

/* ---- bound contexts and copies ---- */

static void two_contexts_on_one_key_absorb_one_record(void **state)
{
    uint8_t data[MAX_TEXT], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < ROWS; n++) {
        EVP_PKEY *key = fixed_key(&rows[n]);
        EVP_MAC_CTX *one = new_bound(&rows[n], key), *other = new_bound(&rows[n], key);

        record_mode(&rows[n], one);
        tell_length(&rows[n], one, 300);
        absorb(one, data, 100);
        absorb(other, data + 100, 200);
        fixed_record(&rows[n], 0, data, 300, expected);
        assert_final(&rows[n], other, expected);
        assert_int_equal(number_of(key, "sequence"), 1);
        check_raw(&rows[n], other, data, 10);
        check_record(&rows[n], one, 1, data, 10);
        assert_int_equal(set_number(key, "retire", 1), 1);
        assert_int_equal(EVP_MAC_update(one, data, 1), 0);
        assert_reason("key has been retired", rows[n].mac);
        EVP_MAC_CTX_free(one);
        EVP_MAC_CTX_free(other);
        EVP_PKEY_free(key);
    }
}

static void a_copy_of_a_context_absorbs_for_itself(void **state)
{
    uint8_t data[MAX_TEXT], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < 2 * ROWS; n++) {
        const struct row *row = &rows[n / 2];
        EVP_PKEY *key = fixed_key(row);
        EVP_MAC_CTX *context = n % 2 == 0 ? new_plain(row) : new_bound(row, key), *copy;

        record_mode(row, context);
        tell_length(row, context, 200);
        absorb(context, data, 77);
        copy = EVP_MAC_CTX_dup(context);
        assert_non_null(copy);
        absorb(context, data + 77, 123);
        fixed_record(row, 0, data, 200, expected);
        assert_final(row, context, expected);
        assert_int_equal(sequence_of(copy), 0);
        absorb(copy, data + 177, 123);
        memmove(data + 77, data + 177, 123);
        fixed_record(row, 0, data, 200, expected);
        assert_final(row, copy, expected);
        check_record(row, copy, 1, data, 3);
        check_record(row, copy, 2, data, 3);
        assert_int_equal(sequence_of(context), 1);
        assert_int_equal(number_of(key, "sequence"), n % 2);
        pattern(data, sizeof(data), 3);
        EVP_MAC_CTX_free(context);
        EVP_MAC_CTX_free(copy);
        EVP_PKEY_free(key);
    }
}

/* Everything that is no MAC key of the protocol. */
static void keys_of_others_are_refused_and_leave_the_context_as_it_was(void **state)
{
    uint8_t secret[MAX_KEY], data[64], expected[MAX_MAC];
    EVP_PKEY *others[ROWS + 4];
    const char *names[] = { "TLS1-MAC", "RC4", "SSL2-MASTER", "DES-CBC" };
    const size_t sizes[] = { 20, 16, 16, 8 };

    (void)state;
    pattern(secret, sizeof(secret), 1);
    pattern(data, sizeof(data), 3);
    for (size_t n = 0; n < ROWS; n++)
        others[n] = fixed_key(&rows[n]);
    for (size_t n = 0; n < 4; n++)
        others[ROWS + n] = make_key(names[n], n == 0 ? "SHA1" : NULL, secret, sizes[n]);
    for (size_t n = 0; n < ROWS; n++) {
        EVP_MAC_CTX *context = new_plain(&rows[n]);

        absorb(context, data, 10);
        for (size_t other = 0; other < ROWS + 4; other++) {
            if (other < ROWS && rows[other].protocol == rows[n].protocol)
                continue;
            assert_int_equal(bind_to(context, others[other]), 0);
            assert_reason("wrong kind of key", "key-handle: expected ");
        }
        absorb(context, data + 10, 10);
        fixed_raw(&rows[n], data, 20, expected);
        assert_final(&rows[n], context, expected);
        EVP_MAC_CTX_free(context);
    }
    for (size_t n = 0; n < ROWS + 4; n++)
        EVP_PKEY_free(others[n]);
}

/* ---- suspending and resuming ---- */

static size_t suspend(EVP_MAC_CTX *context, uint8_t blob[MAX_BLOB])
{
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, MAX_BLOB),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_MAC_CTX_get_params(context, params), 1);
    return params[0].return_size;
}

static EVP_MAC_CTX *resume(const struct row *row, const uint8_t *blob, size_t size)
{
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, size), OSSL_PARAM_construct_end() };
    EVP_MAC_CTX *context = new_context(row);

    assert_int_equal(EVP_MAC_init(context, NULL, 0, params), 1);
    return context;
}

/* A message of 150 bytes, cut after |cut|; |how|: 0 a context's blob, 1 that of a bound one, 2 a
 * key's. */
static size_t cross(const struct row *row, int is_record, size_t cut, int how)
{
    uint8_t data[150], blob[MAX_BLOB], expected[MAX_MAC];
    EVP_PKEY *key = fixed_key(row), *moved = NULL;
    EVP_MAC_CTX *context = how == 0 ? new_plain(row) : new_bound(row, key), *there;
    const uint64_t number = row->last - 1 - cut;
    size_t size;

    pattern(data, sizeof(data), 9);
    assert_int_equal(set(context, "sequence", number), 1);
    if (is_record) {
        record_mode(row, context);
        tell_length(row, context, sizeof(data));
        fixed_record(row, number, data, sizeof(data), expected);
    } else {
        fixed_raw(row, data, sizeof(data), expected);
    }
    absorb(context, data, cut);
    size = how == 2 ? export_blob(key, blob) : suspend(context, blob);
    if (how == 2) {
        moved = import_blob(blob, size, "user");
        assert_non_null(moved);
        assert_int_equal(EVP_PKEY_eq(key, moved), 1);
        there = new_bound(row, moved);
    } else {
        there = resume(row, blob, size);
    }
    assert_true(sequence_of(there) == number);
    absorb(there, data + cut, sizeof(data) - cut);
    assert_final(row, there, expected);
    record_mode(row, there);
    check_record(row, there, number + (is_record ? 1 : 0), data, 8);
    assert_true(sequence_of(context) == number);
    EVP_MAC_CTX_free(context);
    EVP_MAC_CTX_free(there);
    EVP_PKEY_free(key);
    EVP_PKEY_free(moved);
    return size;
}

static void a_message_crosses_in_a_blob_at_every_byte(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        size_t size = 0, most = 0;

        for (size_t cut = 0; cut <= 150; cut++) {
            for (int how = 0; how < 6; how++) {
                size = cross(&rows[n], how / 3, cut, how % 3);
                if (size > most)
                    most = size;
            }
        }
        print_message("%s with %s, key of %zu bytes: blobs of at most %zu bytes\n", rows[n].mac,
                      rows[n].digest, rows[n].key_size, most);
    }
}

static void plain_keys_of_every_size_cross_in_a_blob(void **state)
{
    uint8_t data[100], key[MAX_KEY], blob[MAX_BLOB], expected[MAX_MAC];

    (void)state;
    pattern(data, sizeof(data), 3);
    pattern(key, sizeof(key), 5);
    for (size_t n = 0; n < ROWS; n++) {
        OSSL_PARAM params[] = { text_param("digest", rows[n].digest), OSSL_PARAM_construct_end() };

        for (size_t size = 0; size <= MAX_KEY; size++) {
            EVP_MAC_CTX *context = new_context(&rows[n]), *there;

            assert_int_equal(EVP_MAC_init(context, key, size, params), 1);
            absorb(context, data, size);
            there = resume(&rows[n], blob, suspend(context, blob));
            absorb(there, data + size, sizeof(data) - size);
            raw_mac(&rows[n], key, size, data, sizeof(data), expected);
            assert_final(&rows[n], there, expected);
            EVP_MAC_CTX_free(context);
            EVP_MAC_CTX_free(there);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_vectors_of_the_specification_come_out),
        TEST(plain_keys_of_every_size_give_the_formulas),
        TEST(every_length_and_cut_gives_the_formulas),
        TEST(the_type_of_an_ssl3_record_is_authenticated),
        TEST(an_ssl3_record_needs_type_and_length_and_keeps_to_the_length),
        TEST(record_mode_can_be_turned_on_and_off_between_messages),
        TEST(parameters_that_a_record_does_not_have_are_refused),
        TEST(numbers_end_or_wrap_as_the_protocol_says),
        TEST(numbers_have_32_or_64_bits),
        TEST(only_ssl2_has_a_digest_of_its_own),
        TEST(key_objects_have_the_sizes_of_their_protocol),
        TEST(two_contexts_on_one_key_absorb_one_record),
        TEST(a_copy_of_a_context_absorbs_for_itself),
        TEST(keys_of_others_are_refused_and_leave_the_context_as_it_was),
        TEST(a_message_crosses_in_a_blob_at_every_byte),
        TEST(plain_keys_of_every_size_cross_in_a_blob),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
