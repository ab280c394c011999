/*
 * The protected records of whole sessions between peers of old: opened with keys that were generated
 * from the master, every MAC verified, and written again bit for bit
 * (not with a block cipher of SSL 3.0, whose padding bytes are anybody's choice).
 *
 * peer-ssl2.txt and peer-export.txt: OpenSSL 1.0.1 on both ends; scapy-sslv2.txt: older OpenSSL, as
 * the scapy project publishes them.
 */
#include "fixture.h"
#include "session.h"
#include "vectors.h"

#define MAX_FIELD 64

struct names {
    enum session_side side;
    const char *prefix, *write_key;
};

static const struct names both_sides[] = { { SESSION_CLIENT, "Client", "ClientWriteKey" },
                                           { SESSION_SERVER, "Server", "ServerWriteKey" } };

static const struct {
    const char *name, *master;
    enum record_protocol protocol;
} protocols[] = {
    { "SSL2", SCHANNEL_ALG_SSL2_MASTER, RECORD_SSL2 },
    { "SSL3", SCHANNEL_ALG_SSL3_MASTER, RECORD_SSL3 },
    { "TLS1", SCHANNEL_ALG_TLS1_MASTER, RECORD_TLS1 },
};

static size_t protocol_of(const struct vectors *vectors)
{
    for (size_t n = 0; n < sizeof(protocols) / sizeof(protocols[0]); n++)
        if (strcmp(vectors_string(vectors, "Alg"), protocols[n].name) == 0)
            return n;
    vectors_fail(vectors, "Alg is unknown");
}

/* "ClientRecord3" */
static const char *field(const char *prefix, const char *what, size_t n)
{
    static char name[MAX_FIELD];

    snprintf(name, sizeof(name), "%s%s%zu", prefix, what, n);
    return name;
}

static OSSL_PARAM hex_param(struct vectors *vectors, const char *name, const char *from)
{
    const struct octets value = vectors_hex(vectors, from);

    return octets_param(name, value.data, value.size);
}

static EVP_PKEY *import_master(struct vectors *vectors, size_t protocol)
{
    const int is_ssl2 = protocols[protocol].protocol == RECORD_SSL2;
    unsigned bits = vectors_integer_or(vectors, "CipherBits", 0);
    unsigned is_export = vectors_integer_or(vectors, "Export", 0);
    OSSL_PARAM params[] = {
        text_param("alg", protocols[protocol].master),
        hex_param(vectors, "secret", "Secret"),
        hex_param(vectors, "client-random", "ClientRandom"),
        hex_param(vectors, "server-random", "ServerRandom"),
        text_param("cipher", vectors_string(vectors, "Cipher")),
        is_ssl2 ? hex_param(vectors, "clear-key", "ClearKey")
                : text_param("digest", vectors_string(vectors, "Digest")),
        is_ssl2 ? OSSL_PARAM_construct_end() : OSSL_PARAM_construct_uint("cipher-bits", &bits),
        OSSL_PARAM_construct_uint("export", &is_export),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *master = session_import(libctx, params);

    assert_non_null(master);
    return master;
}

/* The record as it was on the wire: the files leave the header away. */
static size_t whole_record(struct vectors *vectors, enum record_protocol protocol,
                           const char *prefix, size_t n, uint8_t *record)
{
    const struct octets body = vectors_hex(vectors, field(prefix, "Record", n));
    size_t header = RECORD_MAX_HEADER;

    if (protocol == RECORD_SSL2) {
        const unsigned padding = vectors_integer(vectors, field(prefix, "Padding", n));

        header = padding == 0 ? 2 : 3;
        record[0] = (uint8_t)(body.size >> 8 | (padding == 0 ? 0x80 : 0));
        record[1] = (uint8_t)body.size;
        record[2] = (uint8_t)padding;
    } else {
        const struct octets version = vectors_hex(vectors, field(prefix, "Version", n));

        record[0] = (uint8_t)vectors_integer(vectors, field(prefix, "Type", n));
        memcpy(record + 1, version.data, 2);
        record[3] = (uint8_t)(body.size >> 8);
        record[4] = (uint8_t)body.size;
    }
    memcpy(record + header, body.data, body.size);
    return header + body.size;
}

/* Reads one record and writes it again; both directions are those of its writer's keys. */
static void replay_record(struct vectors *vectors, const char *prefix, size_t n,
                          struct record_direction *reader, struct record_direction *writer)
{
    static uint8_t record[RECORD_MAX_SIZE], again[RECORD_MAX_SIZE];
    const struct octets plain = vectors_hex(vectors, field(prefix, "Plaintext", n));
    const size_t padding = vectors_integer_or(vectors, field(prefix, "Padding", n), 0);
    struct record_content content;
    size_t size = whole_record(vectors, reader->protocol, prefix, n, record), again_size = 0;

    if (record_open(reader, record, size, &content) != RECORD_OK)
        vectors_fail(vectors, "%s is refused", field(prefix, "Record", n));
    assert_int_equal(content.size, plain.size - padding);
    assert_memory_equal(content.data, plain.data, content.size);
    if (writer->protocol == RECORD_SSL3 && writer->block_size > 1)
        return; /* the peer's padding is whatever lay in its memory */
    assert_int_equal(
        record_seal(writer, content.type, content.data, content.size, again, &again_size), 1);
    size = whole_record(vectors, reader->protocol, prefix, n, record);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, record, size);
}

/* The key is the one that the file has. */
static void check_key(struct vectors *vectors, EVP_PKEY *key, const char *name)
{
    OSSL_PARAM params[] = { text_param("alg", vectors_string(vectors, "Cipher")),
                            hex_param(vectors, "secret", name), OSSL_PARAM_construct_end() };
    EVP_PKEY *other = session_import(libctx, params);

    assert_non_null(other);
    if (EVP_PKEY_eq(key, other) != 1)
        vectors_fail(vectors, "%s is another key", name);
    EVP_PKEY_free(other);
}

/* SSL 2.0 counts every record: the number that the next one has. */
static void check_sequence(struct vectors *vectors, EVP_PKEY *key, const char *name)
{
    uint64_t number = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &number),
                            OSSL_PARAM_construct_end() };

    if (!vectors_has(vectors, name))
        return;
    assert_int_equal(EVP_PKEY_get_params(key, params), 1);
    assert_int_equal(number, vectors_integer(vectors, name));
}

static void set_up_ssl2(struct vectors *vectors, const struct session_keys *keys)
{
    const struct octets iv = vectors_hex(vectors, "IV");

    if (iv.size > 0)
        assert_true(session_set_iv(keys, iv.data, iv.size));
    for (size_t n = 0; n < 2; n++) {
        const char *first = field(both_sides[n].prefix, "Sequence", 1);

        if (vectors_has(vectors, first))
            assert_true(
                session_set_sequence(keys, both_sides[n].side, vectors_integer(vectors, first)));
    }
}

/* Both directions, each in the order of its records; the number of records. */
static size_t replay_session(struct vectors *vectors)
{
    const size_t protocol = protocol_of(vectors);
    const enum record_protocol id = protocols[protocol].protocol;
    EVP_PKEY *master = import_master(vectors, protocol);
    struct session_keys read_keys, write_keys;
    size_t records = 0;

    assert_true(session_derive(libctx, id, master, &read_keys));
    assert_true(session_derive(libctx, id, master, &write_keys));
    EVP_PKEY_free(master);
    if (id == RECORD_SSL2) {
        set_up_ssl2(vectors, &read_keys);
        set_up_ssl2(vectors, &write_keys);
    }
    for (size_t s = 0; s < 2; s++) {
        const enum session_side side = both_sides[s].side;
        const char *prefix = both_sides[s].prefix;
        struct record_direction reader, writer;

        check_key(vectors, read_keys.write_key[side], both_sides[s].write_key);
        assert_true(record_bind(&reader, libctx, id, read_keys.write_key[side],
                                read_keys.write_mac[side], 0));
        assert_true(record_bind(&writer, libctx, id, write_keys.write_key[side],
                                write_keys.write_mac[side], 1));
        for (size_t n = 1; vectors_has(vectors, field(prefix, "Record", n)); n++, records++) {
            check_sequence(vectors, read_keys.write_key[side], field(prefix, "Sequence", n));
            replay_record(vectors, prefix, n, &reader, &writer);
        }
        record_release(&reader);
        record_release(&writer);
    }
    session_free_keys(&read_keys);
    session_free_keys(&write_keys);
    return records;
}

static void replay_file(const char *file, size_t expected_sessions, size_t expected_records)
{
    struct vectors *vectors = vectors_open(file);
    size_t sessions = 0, records = 0;

    for (; vectors_next(vectors); sessions++) {
        const size_t count = replay_session(vectors);

        print_message("           %s: %zu records\n", vectors_string(vectors, "Test"), count);
        records += count;
    }
    vectors_close(vectors);
    print_message("           %s: %zu records of %zu sessions\n", file, records, sessions);
    assert_int_equal(sessions, expected_sessions);
    assert_int_equal(records, expected_records);
    assert_no_errors();
}

static void ssl2_of_openssl_1_0_1(void **state)
{
    (void)state;
    replay_file("peer-ssl2.txt", 3, 9);
}

static void export_suites_of_openssl_1_0_1(void **state)
{
    (void)state;
    replay_file("peer-export.txt", 3, 9);
}

static void ssl2_as_scapy_publishes_it(void **state)
{
    (void)state;
    replay_file("scapy-sslv2.txt", 2, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssl2_of_openssl_1_0_1),
        cmocka_unit_test(export_suites_of_openssl_1_0_1),
        cmocka_unit_test(ssl2_as_scapy_publishes_it),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
