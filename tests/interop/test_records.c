/*
 * The record layer of records.c: what it writes is what stock OpenSSL makes of the same keys, what it
 * reads is what was written, and what was altered it refuses.
 */
#include "fixture.h"
#include "reference.h"

#define MOST_SMALL   300
#define LONG_MESSAGE 40000
#define MAX_PIECE    97

/* What a protocol with types is used for, and what the others say instead. */
static enum record_type data_type(const struct reference_suite *suite)
{
    return suite->protocol == RECORD_PCT1 || suite->protocol == RECORD_SSL2
               ? RECORD_NO_TYPE
               : RECORD_APPLICATION_DATA;
}

static int is_old(const struct reference_suite *suite)
{
    return data_type(suite) == RECORD_NO_TYPE;
}

static int has_blocks(const struct reference_suite *suite)
{
    return strcmp(suite->cipher, "RC4") != 0;
}

/* Keys of one suite, with both sides bound to them. */
struct pair {
    struct session_keys client_keys, server_keys;
    struct session_records client, server;
};

static void bind_pair(const struct reference_suite *suite, struct pair *pair)
{
    reference_keys(suite, &pair->client_keys);
    reference_keys(suite, &pair->server_keys);
    assert_true(
        session_bind(libctx, suite->protocol, &pair->client_keys, SESSION_CLIENT, &pair->client));
    assert_true(
        session_bind(libctx, suite->protocol, &pair->server_keys, SESSION_SERVER, &pair->server));
}

static void release_pair(struct pair *pair)
{
    session_release(&pair->client);
    session_release(&pair->server);
    session_free_keys(&pair->client_keys);
    session_free_keys(&pair->server_keys);
}

/* The key that counts the records of |writer|. */
static EVP_PKEY *counting_key(const struct session_keys *keys, enum session_side writer)
{
    return keys->write_mac[writer] != NULL ? keys->write_mac[writer] : keys->write_key[writer];
}

static uint64_t sequence_of(const struct session_keys *keys, enum session_side writer)
{
    uint64_t sequence = 0;

    assert_true(record_get_sequence(counting_key(keys, writer), &sequence));
    return sequence;
}

static size_t largest_that_fits(const struct record_direction *direction)
{
    size_t size = RECORD_MAX_SIZE;

    while (!record_fits(direction, size))
        size--;
    return size;
}

static void assert_opens(struct record_direction *reader, uint8_t *record, size_t record_size,
                         enum record_type type, const uint8_t *data, size_t size)
{
    struct record_content content;

    assert_int_equal(record_whole_size(reader->protocol, record, RECORD_MAX_HEADER), record_size);
    assert_int_equal(record_open(reader, record, record_size, &content), RECORD_OK);
    assert_int_equal(content.type, type);
    assert_int_equal(content.size, size);
    if (size > 0)
        assert_memory_equal(content.data, data, size);
}

/* ---- good records ---- */

/* Writes |size| bytes, compares with the reference's record, and reads them on the other side. */
static void exchange(const struct reference_suite *suite, struct record_direction *writer,
                     struct record_direction *reader, struct reference_writer *reference,
                     size_t size)
{
    static uint8_t data[RECORD_MAX_SIZE], record[RECORD_MAX_SIZE], expected[RECORD_MAX_SIZE];
    size_t record_size = 0, expected_size;

    pattern(data, size, (unsigned)size);
    assert_int_equal(record_seal(writer, data_type(suite), data, size, record, &record_size), 1);
    expected_size = reference_seal(reference, data_type(suite), data, size, expected);
    assert_int_equal(record_size, expected_size);
    assert_memory_equal(record, expected, record_size);
    assert_opens(reader, record, record_size, data_type(suite), data, size);
}

static void exchange_all_sizes(const struct reference_suite *suite, struct record_direction *writer,
                               struct record_direction *reader, enum session_side side)
{
    struct reference_writer reference;
    uint8_t nothing[1] = { 0 };
    size_t unused = 0, size;
    const size_t largest = largest_that_fits(writer);

    reference_start(&reference, suite, side);
    for (size = 0; size <= MOST_SMALL; size++)
        exchange(suite, writer, reader, &reference, size);
    exchange(suite, writer, reader, &reference, largest);
    for (size = largest; size > largest - 20; size--)
        if (record_fits(writer, size))
            exchange(suite, writer, reader, &reference, size);
    reference_stop(&reference);
    /* one more is refused before anything is touched, and the direction goes on */
    assert_int_equal(record_seal(writer, data_type(suite), nothing, largest + 1, nothing, &unused),
                     0);
    assert_false(writer->has_failed);
}

static void records_are_those_of_stock_openssl(void **state)
{
    (void)state;
    for (size_t n = 0; n < reference_suite_count(); n++) {
        const struct reference_suite suite = reference_suite_at(n);
        struct pair pair;

        bind_pair(&suite, &pair);
        exchange_all_sizes(&suite, &pair.client.writer, &pair.server.reader, SESSION_CLIENT);
        exchange_all_sizes(&suite, &pair.server.writer, &pair.client.reader, SESSION_SERVER);
        assert_true(sequence_of(&pair.client_keys, SESSION_CLIENT) > MOST_SMALL);
        assert_int_equal(sequence_of(&pair.client_keys, SESSION_CLIENT),
                         sequence_of(&pair.server_keys, SESSION_CLIENT));
        release_pair(&pair);
        print_message("           %s\n", reference_suite_name(&suite));
    }
    assert_no_errors();
}

/* The largest records are what the protocols say. */
static void largest_records(void **state)
{
    static const struct {
        struct reference_suite suite;
        size_t largest;         /* data that fit */
        size_t largest_of_long; /* the same when they need padding; 0: no difference */
    } rows[] = {
        { { RECORD_PCT1, "RC4", 128, "MD5", 0 }, 32767 - 16, 0 },
        { { RECORD_PCT1, "DES-CBC", 64, "SHA1", 0 }, 32744, 16360 - 1 },
        { { RECORD_SSL2, "RC4", 128, "MD5", 0 }, 32767 - 16, 0 },
        { { RECORD_SSL2, "DES-CBC", 64, "MD5", 0 }, 32760 - 16, 16376 - 16 - 1 },
        { { RECORD_SSL3, "AES-128-CBC", 128, "SHA1", 0 }, 16384, 0 },
        { { RECORD_TLS1, "RC4", 128, "SHA1", 0 }, 16384, 0 },
    };

    (void)state;
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        struct pair pair;

        bind_pair(&rows[n].suite, &pair);
        assert_int_equal(largest_that_fits(&pair.client.writer), rows[n].largest);
        if (rows[n].largest_of_long != 0) {
            assert_true(record_fits(&pair.client.writer, rows[n].largest_of_long));
            assert_false(record_fits(&pair.client.writer, rows[n].largest_of_long + 2));
        }
        release_pair(&pair);
    }
}

/* ---- in pieces ---- */

static size_t next_piece(size_t left)
{
    static size_t last;

    last = (last * 5 + 3) % MAX_PIECE; /* 3, 18, 93, ...: none twice in a row */
    return last < left ? last : left;
}

/* The MAC by many small updates; the contexts are those of a direction. */
static size_t mac_in_pieces(struct record_direction *direction, unsigned type, const uint8_t *data,
                            size_t size, uint8_t *mac)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint("record-type", &type),
        OSSL_PARAM_construct_size_t("record-length", &size),
        OSSL_PARAM_construct_end(),
    };
    size_t done = 0, piece, written = 0;

    if (type != RECORD_NO_TYPE)
        assert_int_equal(EVP_MAC_CTX_set_params(direction->mac, params), 1);
    for (; done < size; done += piece) {
        piece = next_piece(size - done);
        assert_int_equal(EVP_MAC_update(direction->mac, data + done, piece), 1);
    }
    assert_int_equal(EVP_MAC_final(direction->mac, mac, &written, RECORD_MAX_MAC), 1);
    return written;
}

/* Partial blocks wait in the key. */
static void encrypt_in_pieces(struct record_direction *direction, const uint8_t *in, size_t size,
                              uint8_t *out)
{
    size_t done = 0, piece, produced = 0;
    int written;

    for (; done < size; done += piece) {
        piece = next_piece(size - done);
        written = 0;
        assert_int_equal(
            EVP_CipherUpdate(direction->cipher, out + produced, &written, in + done, (int)piece),
            1);
        produced += (size_t)written;
    }
    assert_int_equal(produced, size);
}

/* A TLS 1.0 or SSL 3.0 record as records.c makes it, but by calls of 0 to 96 bytes. */
static size_t seal_in_pieces(struct record_direction *direction, unsigned type, const uint8_t *data,
                             size_t size, uint8_t *record)
{
    static uint8_t plain[RECORD_MAX_SIZE];
    size_t whole = size, padding = 0;

    memcpy(plain, data, size);
    whole += mac_in_pieces(direction, type, data, size, plain + size);
    if (direction->block_size > 1)
        padding = direction->block_size - whole % direction->block_size;
    memset(plain + whole, (int)padding - 1, padding);
    whole += padding;
    record[0] = (uint8_t)type;
    record[1] = 3;
    record[2] = direction->protocol == RECORD_TLS1;
    record[3] = (uint8_t)(whole >> 8);
    record[4] = (uint8_t)whole;
    encrypt_in_pieces(direction, plain, whole, record + 5);
    return 5 + whole;
}

static void records_may_be_made_in_pieces(void **state)
{
    static uint8_t data[RECORD_MAX_SIZE], record[RECORD_MAX_SIZE], other[RECORD_MAX_SIZE];

    (void)state;
    for (size_t n = 0; n < reference_suite_count(); n++) {
        const struct reference_suite suite = reference_suite_at(n);
        struct pair pair;
        size_t record_size = 0;

        if (is_old(&suite))
            continue;
        bind_pair(&suite, &pair);
        for (size_t size = 1; size <= RECORD_MAX_FRAGMENT; size = size * 3 + 1) {
            pattern(data, size, (unsigned)size);
            assert_int_equal(seal_in_pieces(&pair.client.writer, RECORD_ALERT, data, size, other),
                             5 + size + pair.client.writer.mac_size +
                                 (has_blocks(&suite) ? pair.client.writer.block_size -
                                                           (size + pair.client.writer.mac_size) %
                                                               pair.client.writer.block_size
                                                     : 0));
            record_size = record_whole_size(suite.protocol, other, 5);
            memcpy(record, other, record_size);
            assert_opens(&pair.server.reader, record, record_size, RECORD_ALERT, data, size);
        }
        release_pair(&pair);
    }
    assert_no_errors();
}

/* A message of many records of changing size, empty ones between them, in both directions at once. */
static void long_messages_take_many_records(void **state)
{
    static uint8_t data[LONG_MESSAGE], received[2][LONG_MESSAGE], record[RECORD_MAX_SIZE];
    static const size_t sizes[] = { 1, 0, 16383, 7, 8, 9, 4096, 0, 16384, 15, 16, 17 };

    (void)state;
    pattern(data, sizeof(data), 5);
    for (size_t n = 0; n < reference_suite_count(); n++) {
        const struct reference_suite suite = reference_suite_at(n);
        struct pair pair;
        size_t done = 0, step, piece, record_size = 0;

        bind_pair(&suite, &pair);
        for (step = 0; done < sizeof(data); step++, done += piece) {
            struct record_direction *writers[] = { &pair.client.writer, &pair.server.writer };
            struct record_direction *readers[] = { &pair.server.reader, &pair.client.reader };

            piece = sizes[step % (sizeof(sizes) / sizeof(sizes[0]))];
            piece = piece < sizeof(data) - done ? piece : sizeof(data) - done;
            if (!record_fits(writers[0], piece))
                piece /= 2;
            for (size_t way = 0; way < 2; way++) {
                struct record_content content;

                assert_int_equal(record_seal(writers[way], data_type(&suite), data + done, piece,
                                             record, &record_size),
                                 1);
                assert_int_equal(record_open(readers[way], record, record_size, &content),
                                 RECORD_OK);
                assert_int_equal(content.size, piece);
                memcpy(received[way] + done, content.data, content.size);
            }
        }
        release_pair(&pair);
        assert_memory_equal(received[0], data, sizeof(data));
        assert_memory_equal(received[1], data, sizeof(data));
    }
    assert_no_errors();
}

/* ---- altered records ---- */

/* A fresh reader of the client's records, in the state before the first. */
struct victim {
    struct session_keys keys;
    struct session_records records;
};

static void new_victim(const struct reference_suite *suite, const struct session_keys *fresh,
                       struct victim *victim)
{
    memset(&victim->keys, 0, sizeof(victim->keys));
    for (int side = 0; side < SESSION_SIDES; side++) {
        victim->keys.write_key[side] = EVP_PKEY_dup(fresh->write_key[side]);
        if (fresh->write_mac[side] != NULL)
            victim->keys.write_mac[side] = EVP_PKEY_dup(fresh->write_mac[side]);
    }
    assert_true(
        session_bind(libctx, suite->protocol, &victim->keys, SESSION_SERVER, &victim->records));
}

static void free_victim(struct victim *victim)
{
    session_release(&victim->records);
    session_free_keys(&victim->keys);
}

/* The padding length in the header of the older protocols, which no MAC covers. */
static int is_padding_length(const struct reference_suite *suite, const uint8_t *record, size_t at)
{
    return is_old(suite) && (record[0] & 0x80) == 0 && at == 2;
}

/* Is |record| refused before the keys were used?  Known from what is public alone. */
static int is_malformed(const struct reference_suite *suite, const uint8_t *record, size_t size)
{
    if (record_whole_size(suite->protocol, record, RECORD_MAX_HEADER) != size)
        return 1;
    if (is_old(suite))
        return (record[0] & 0xc0) == 0x40;
    return record[1] != 3 || record[2] != (suite->protocol == RECORD_TLS1 ? 1 : 0);
}

/* Byte |at| changed: refused, and the state is what records.h says. */
static void assert_refused(const struct reference_suite *suite, const struct session_keys *fresh,
                           const uint8_t *original, size_t size, size_t at, uint8_t change)
{
    uint8_t record[MOST_SMALL] = { 0 }, copy[MOST_SMALL];
    struct record_content content;
    struct victim victim;
    int malformed;

    memcpy(record, original, size);
    record[at] ^= change;
    malformed = is_malformed(suite, record, size);
    new_victim(suite, fresh, &victim);
    if (record_open(&victim.records.reader, record, size, &content) != RECORD_BAD)
        fail_msg("%s: byte %zu of %zu changed by %#x is not refused", reference_suite_name(suite),
                 at, size, change);
    assert_null(content.data);
    for (size_t n = 0; n < size; n++)
        assert_int_equal(record[n], 0);
    assert_int_equal(sequence_of(&victim.keys, SESSION_CLIENT), malformed ? 0 : 1);
    /* and the genuine record comes too late */
    memcpy(copy, original, size);
    assert_int_equal(record_open(&victim.records.reader, copy, size, &content), RECORD_BAD);
    assert_int_equal(sequence_of(&victim.keys, SESSION_CLIENT), malformed ? 0 : 1);
    free_victim(&victim);
}

static void altered_records_are_refused(void **state)
{
    static const uint8_t changes[] = { 0x01, 0x40, 0x80 }; /* of byte 0: escape, short header */
    uint8_t data[43], record[RECORD_MAX_SIZE];
    size_t size = 0, refused = 0;

    (void)state;
    pattern(data, sizeof(data), 99);
    for (size_t n = 0; n < reference_suite_count(); n++) {
        const struct reference_suite suite = reference_suite_at(n);
        struct pair pair;

        bind_pair(&suite, &pair);
        assert_int_equal(
            record_seal(&pair.client.writer, data_type(&suite), data, sizeof(data), record, &size),
            1);
        for (size_t at = 0; at < size; at++)
            for (size_t change = 0; change < sizeof(changes); change++)
                if (!is_padding_length(&suite, record, at)) {
                    assert_refused(&suite, &pair.server_keys, record, size, at, changes[change]);
                    refused++;
                }
        release_pair(&pair);
    }
    print_message("           %zu altered records\n", refused);
    assert_no_errors();
}

/* Too short, too long, cut off: refused without a use of the keys. */
static void records_of_other_lengths_are_refused(void **state)
{
    uint8_t data[40], original[RECORD_MAX_SIZE], record[RECORD_MAX_SIZE];
    struct record_content content;
    size_t size = 0;

    (void)state;
    pattern(data, sizeof(data), 9);
    for (size_t n = 0; n < reference_suite_count(); n++) {
        const struct reference_suite suite = reference_suite_at(n);
        struct pair pair;

        bind_pair(&suite, &pair);
        assert_int_equal(record_seal(&pair.client.writer, data_type(&suite), data, sizeof(data),
                                     original, &size),
                         1);
        for (size_t length = 0; length <= size + 1; length++) {
            struct victim victim;

            if (length == size)
                continue;
            new_victim(&suite, &pair.server_keys, &victim);
            memset(record, 0, sizeof(record));
            memcpy(record, original, size);
            assert_int_equal(record_open(&victim.records.reader, record, length, &content),
                             RECORD_BAD);
            assert_int_equal(sequence_of(&victim.keys, SESSION_CLIENT), 0);
            free_victim(&victim);
        }
        release_pair(&pair);
    }
    assert_no_errors();
}

/* Both protocols have it outside the MAC; records.h says so.  Data change their length by it. */
static void padding_length_of_old_protocols_is_not_authenticated(void **state)
{
    static const struct reference_suite suites[] = {
        { RECORD_PCT1, "DES-CBC", 64, "MD5", 0 },
        { RECORD_SSL2, "DES-CBC", 64, "MD5", 0 },
    };
    uint8_t data[5], record[RECORD_MAX_SIZE];
    struct record_content content;
    size_t size = 0;

    (void)state;
    pattern(data, sizeof(data), 1);
    for (size_t n = 0; n < 2; n++)
        for (unsigned padding = 0; padding < 256; padding++) {
            struct pair pair;

            bind_pair(&suites[n], &pair);
            assert_int_equal(
                record_seal(&pair.client.writer, RECORD_NO_TYPE, data, sizeof(data), record, &size),
                1);
            assert_int_equal(record[2], 3);
            record[2] = (uint8_t)padding;
            assert_int_equal(record_open(&pair.server.reader, record, size, &content),
                             padding < 8 ? RECORD_OK : RECORD_BAD);
            if (padding < 8)
                assert_int_equal(content.size, 8 - padding);
            release_pair(&pair);
        }
}

/* ---- padding ---- */

/* A record of the reference's with this padding: is it taken? */
static int takes_padding(const struct reference_suite *suite, const uint8_t *data, size_t size,
                         const uint8_t *padding, size_t padding_size)
{
    static uint8_t record[RECORD_MAX_SIZE];
    struct reference_writer reference;
    struct record_content content;
    enum record_result result;
    struct pair pair;
    size_t record_size;

    bind_pair(suite, &pair);
    reference_start(&reference, suite, SESSION_CLIENT);
    record_size = reference_seal_padded(&reference, data_type(suite), data, size, padding,
                                        padding_size, record);
    result = record_open(&pair.server.reader, record, record_size, &content);
    if (result == RECORD_OK) {
        assert_int_equal(content.size, size);
        assert_memory_equal(content.data, data, size);
    }
    reference_stop(&reference);
    release_pair(&pair);
    assert_no_errors();
    return result == RECORD_OK;
}

/* TLS 1.0: any whole number of blocks, every byte the length; nothing else. */
static void padding_of_tls1(void **state)
{
    static const struct reference_suite suites[] = {
        { RECORD_TLS1, "DES-EDE3-CBC", 192, "SHA1", 0 },
        { RECORD_TLS1, "AES-256-CBC", 256, "SHA1", 0 },
        { RECORD_TLS1, "DES-CBC", 64, "MD5", 0 },
    };
    uint8_t data[300], padding[257];

    (void)state;
    pattern(data, sizeof(data), 4);
    for (size_t n = 0; n < 3; n++) {
        const size_t block = n == 1 ? 16 : 8, mac = n == 2 ? 16 : 20;

        for (size_t length = 1; length <= 256; length++) {
            /* data that make it whole blocks */
            const size_t size = 16 + (2 * block - (mac + length) % block) % block;

            memset(padding, (int)length - 1, length);
            assert_true(takes_padding(&suites[n], data, size, padding, length));
            for (size_t wrong = 0; wrong + 1 < length; wrong += 1 + length / 5) {
                padding[wrong] ^= 0x10;
                assert_false(takes_padding(&suites[n], data, size, padding, length));
                padding[wrong] ^= 0x10;
            }
        }
    }
}

/* TLS 1.0: a padding length that leaves no room for the MAC. */
static void padding_of_tls1_beyond_the_record(void **state)
{
    static const struct reference_suite suite = { RECORD_TLS1, "AES-128-CBC", 128, "SHA1", 0 };
    uint8_t data[11], padding[1];

    (void)state;
    pattern(data, sizeof(data), 4);
    for (int length = 0; length < 256; length++) {
        padding[0] = (uint8_t)length; /* 11 + 20 + 1 bytes in all */
        assert_int_equal(takes_padding(&suite, data, sizeof(data), padding, 1), length == 0);
    }
}

/* SSL 3.0: less than a block, whatever it says. */
static void padding_of_ssl3(void **state)
{
    static const struct reference_suite suites[] = {
        { RECORD_SSL3, "DES-EDE3-CBC", 192, "SHA1", 0 },
        { RECORD_SSL3, "AES-128-CBC", 128, "SHA1", 0 },
        { RECORD_SSL3, "RC2-CBC", 40, "MD5", 1 },
    };
    uint8_t data[64], padding[64];

    (void)state;
    pattern(data, sizeof(data), 4);
    for (size_t n = 0; n < 3; n++) {
        const size_t block = n == 1 ? 16 : 8, mac = n == 2 ? 16 : 20;

        for (size_t length = 1; length <= 2 * block; length++) {
            const size_t size = 16 + (2 * block - (mac + length) % block) % block;

            pattern(padding, sizeof(padding), (unsigned)length);
            padding[length - 1] = (uint8_t)(length - 1);
            assert_int_equal(takes_padding(&suites[n], data, size, padding, length),
                             length <= block);
        }
    }
}

/* PCT 1.0 and SSL 2.0: less than a block, whatever it says; none with RC4. */
static void padding_of_old_protocols(void **state)
{
    static const struct {
        struct reference_suite suite;
        size_t block;
    } rows[] = {
        { { RECORD_PCT1, "DES-EDE3-CBC", 192, "SHA1", 0 }, 8 },
        { { RECORD_PCT1, "RC4", 128, "MD5", 0 }, 1 },
        { { RECORD_SSL2, "RC2-CBC", 128, "MD5", 0 }, 8 },
        { { RECORD_SSL2, "RC4", 128, "MD5", 0 }, 1 },
    };
    uint8_t data[64], padding[64];

    (void)state;
    pattern(data, sizeof(data), 4);
    for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
        const size_t block = rows[n].block;

        for (size_t length = 0; length <= 2 * block; length++) {
            const size_t size = 16 + (2 * block - length % block) % block;

            pattern(padding, sizeof(padding), (unsigned)length);
            assert_int_equal(takes_padding(&rows[n].suite, data, size, padding, length),
                             length < block);
        }
    }
}

/* A fragment of one byte too many, in a record that is not: refused although its MAC is right. */
static void fragments_have_a_limit(void **state)
{
    static const struct reference_suite suites[] = {
        { RECORD_SSL3, "RC4", 128, "MD5", 0 },
        { RECORD_SSL3, "DES-CBC", 64, "SHA1", 0 },
        { RECORD_TLS1, "RC4", 128, "SHA1", 0 },
        { RECORD_TLS1, "AES-128-CBC", 128, "SHA1", 0 },
    };
    static uint8_t data[RECORD_MAX_FRAGMENT + 1], record[RECORD_MAX_SIZE];

    (void)state;
    pattern(data, sizeof(data), 6);
    for (size_t n = 0; n < 4; n++) {
        struct reference_writer reference;
        struct record_content content;
        struct pair pair;
        size_t size;

        bind_pair(&suites[n], &pair);
        reference_start(&reference, &suites[n], SESSION_CLIENT);
        size =
            reference_seal(&reference, RECORD_APPLICATION_DATA, data, RECORD_MAX_FRAGMENT, record);
        assert_int_equal(record_open(&pair.server.reader, record, size, &content), RECORD_OK);
        size = reference_seal(&reference, RECORD_APPLICATION_DATA, data, RECORD_MAX_FRAGMENT + 1,
                              record);
        assert_int_equal(record_open(&pair.server.reader, record, size, &content), RECORD_BAD);
        reference_stop(&reference);
        release_pair(&pair);
    }
    assert_no_errors();
}

/* ---- record numbers ---- */

/* Writer and reader go on together from |sequence|. */
static void set_both(struct pair *pair, uint64_t sequence)
{
    assert_true(session_set_sequence(&pair->client_keys, SESSION_CLIENT, sequence));
    assert_true(session_set_sequence(&pair->server_keys, SESSION_CLIENT, sequence));
}

static void numbers_of_ssl2_wrap(void **state)
{
    static const struct reference_suite suites[] = {
        { RECORD_SSL2, "RC4", 128, "MD5", 0 },
        { RECORD_SSL2, "DES-EDE3-CBC", 192, "MD5", 0 },
    };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct reference_writer reference;
        struct pair pair;

        bind_pair(&suites[n], &pair);
        reference_start(&reference, &suites[n], SESSION_CLIENT);
        set_both(&pair, 0xfffffffe);
        reference.sequence = 0xfffffffe; /* it takes the low 32 bits */
        for (size_t size = 0; size < 5; size++)
            exchange(&suites[n], &pair.client.writer, &pair.server.reader, &reference, size);
        assert_int_equal(sequence_of(&pair.client_keys, SESSION_CLIENT), 3);
        assert_int_equal(sequence_of(&pair.server_keys, SESSION_CLIENT), 3);
        reference_stop(&reference);
        release_pair(&pair);
    }
}

/* The last number of PCT 1.0 is used, and then neither side goes on. */
static void numbers_of_pct1_never_wrap(void **state)
{
    static const struct reference_suite suite = { RECORD_PCT1, "RC4", 128, "MD5", 0 };
    static uint8_t record[RECORD_MAX_SIZE];
    struct reference_writer reference;
    struct pair pair;
    size_t size = 0;

    (void)state;
    bind_pair(&suite, &pair);
    reference_start(&reference, &suite, SESSION_CLIENT);
    set_both(&pair, 0xffffffff);
    reference.sequence = 0xffffffff;
    exchange(&suite, &pair.client.writer, &pair.server.reader, &reference, 10);
    assert_no_errors();
    assert_int_equal(record_seal(&pair.client.writer, RECORD_NO_TYPE, "x", 1, record, &size), 0);
    assert_reason(NULL, "sequence");
    assert_true(pair.client.writer.has_failed);
    reference_stop(&reference);
    release_pair(&pair);
}

/* ---- moving ---- */

/* CryptExportKey and CryptImportKey of every key of one side, as another process would. */
static void move_keys(const struct session_keys *from, struct session_keys *to)
{
    OSSL_PARAM seal[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_END };
    EVP_PKEY *const *const keys[] = { from->write_key, from->write_mac };
    EVP_PKEY **const moved[] = { to->write_key, to->write_mac };
    uint8_t blob[MAX_BLOB];

    memset(to, 0, sizeof(*to));
    for (size_t kind = 0; kind < 2; kind++)
        for (int side = 0; side < SESSION_SIDES; side++) {
            size_t size;

            if (keys[kind][side] == NULL)
                continue;
            assert_int_equal(EVP_PKEY_set_params(keys[kind][side], seal), 1);
            size = export_blob(keys[kind][side], blob);
            moved[kind][side] = import_blob(blob, size, seal_key_a);
            assert_non_null(moved[kind][side]);
        }
}

/* The server's side of a connection goes on with imported keys after every few records. */
static void connections_move_between_records(void **state)
{
    (void)state;
    for (size_t n = 0; n < reference_suite_count(); n++) {
        const struct reference_suite suite = reference_suite_at(n);
        struct reference_writer client, server;
        struct pair pair;

        bind_pair(&suite, &pair);
        reference_start(&client, &suite, SESSION_CLIENT);
        reference_start(&server, &suite, SESSION_SERVER);
        for (size_t round = 0; round < 4; round++) {
            struct session_keys moved;

            for (size_t size = 13 * round; size < 13 * round + 11; size++) {
                exchange(&suite, &pair.client.writer, &pair.server.reader, &client, size);
                exchange(&suite, &pair.server.writer, &pair.client.reader, &server, size);
            }
            move_keys(&pair.server_keys, &moved);
            session_release(&pair.server);
            session_free_keys(&pair.server_keys);
            pair.server_keys = moved;
            assert_true(session_bind(libctx, suite.protocol, &pair.server_keys, SESSION_SERVER,
                                     &pair.server));
        }
        reference_stop(&client);
        reference_stop(&server);
        release_pair(&pair);
    }
    assert_no_errors();
}

/* Retiring a key ends what is bound to it. */
static void retired_keys_open_nothing(void **state)
{
    static uint8_t record[RECORD_MAX_SIZE];

    (void)state;
    for (size_t n = 0; n < reference_suite_count(); n += 5) {
        const struct reference_suite suite = reference_suite_at(n);
        struct record_content content;
        struct pair pair;
        size_t size = 0;

        bind_pair(&suite, &pair);
        assert_int_equal(
            record_seal(&pair.client.writer, data_type(&suite), "gone", 4, record, &size), 1);
        assert_int_equal(
            EVP_PKEY_set_int_param(pair.server_keys.write_key[SESSION_CLIENT], "retire", 1), 1);
        assert_int_equal(record_open(&pair.server.reader, record, size, &content), RECORD_FAILED);
        assert_reason("key has been retired", "");
        assert_int_equal(record_open(&pair.server.reader, record, size, &content), RECORD_BAD);
        release_pair(&pair);
    }
    assert_no_errors();
}

/* ---- misuse ---- */

static void a_direction_needs_keys_of_its_protocol(void **state)
{
    static const struct reference_suite tls1 = { RECORD_TLS1, "AES-128-CBC", 128, "SHA1", 0 };
    struct record_direction direction;
    struct session_keys keys;

    (void)state;
    reference_keys(&tls1, &keys);
    /* an SSL 3.0 direction with the MAC key of TLS 1.0 */
    assert_false(
        record_bind(&direction, libctx, RECORD_SSL3, keys.write_key[0], keys.write_mac[0], 1));
    assert_reason(NULL, "SSL3-MAC");
    /* a cipher key that is no SSL 2.0 key has no record number */
    assert_false(record_bind(&direction, libctx, RECORD_SSL2, keys.write_key[0], NULL, 1));
    assert_reason(NULL, "");
    /* the two keys swapped */
    assert_false(
        record_bind(&direction, libctx, RECORD_TLS1, keys.write_mac[0], keys.write_key[0], 1));
    ERR_clear_error();
    assert_null(direction.cipher);
    record_release(&direction);
    session_free_keys(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_those_of_stock_openssl),
        cmocka_unit_test(largest_records),
        cmocka_unit_test(records_may_be_made_in_pieces),
        cmocka_unit_test(long_messages_take_many_records),
        cmocka_unit_test(altered_records_are_refused),
        cmocka_unit_test(records_of_other_lengths_are_refused),
        cmocka_unit_test(padding_length_of_old_protocols_is_not_authenticated),
        cmocka_unit_test(padding_of_tls1),
        cmocka_unit_test(padding_of_tls1_beyond_the_record),
        cmocka_unit_test(padding_of_ssl3),
        cmocka_unit_test(padding_of_old_protocols),
        cmocka_unit_test(fragments_have_a_limit),
        cmocka_unit_test(numbers_of_ssl2_wrap),
        cmocka_unit_test(numbers_of_pct1_never_wrap),
        cmocka_unit_test(connections_move_between_records),
        cmocka_unit_test(retired_keys_open_nothing),
        cmocka_unit_test(a_direction_needs_keys_of_its_protocol),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
