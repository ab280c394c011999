/*
 * protocol/ssl2: the computed vectors of tests/vectors/ref-ssl2.txt and spec/key-derivation.md 3.7,
 * the sessions of real peers in peer-ssl2.txt down to each record, and the wrong readings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "protocol/ssl2.h"
#include "stanza.h"

#define MD5_SIZE 16

static struct bytes spec_challenge, spec_connection_id;

static int setup(void **state)
{
    spec_challenge = counting(0x10, 16);
    spec_connection_id = counting(0x30, 16);
    return stanza_setup(state);
}

/* spec/key-derivation.md 3.7 */
static struct connection spec_connection(enum bulk_cipher_id cipher)
{
    return (struct connection){
        .client_random = octets_of(&spec_challenge),
        .server_random = octets_of(&spec_connection_id),
        .cipher = bulk_cipher_by_id(cipher),
        .ssl2_des_digit = 1,
    };
}

static void expect_write_key(struct octets master, const struct connection *connection,
                             enum connection_side side, const char *hex)
{
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE];

    ssl2_write_key(master, connection, side, key);
    expect_hex((struct octets){ key, ssl2_key_size(connection) }, hex);
}

/* ---- spec/key-derivation.md 3.7 ---- */

static void the_computed_key_material_comes_out(void **unused)
{
    const struct bytes master = counting(0x00, 16);
    struct connection connection = spec_connection(BULK_CIPHER_RC4);
    uint8_t material[SSL2_KEY_MATERIAL];

    (void)unused;
    assert_int_equal(ssl2_key_material_size(&connection), sizeof(material));
    ssl2_key_material(octets_of(&master), &connection, material, sizeof(material));
    expect_hex((struct octets){ material, sizeof(material) },
               "70e16c433ad6bb6d0dc8c61cb0735d61 5ee3a45d1cd691391d2573f5d18dd286"
               "d8f31030c9c048f7f99fd4822d6b835a");
    for (size_t size = 0; size <= sizeof(material); size++) {
        uint8_t part[SSL2_KEY_MATERIAL + 1];

        memset(part, 0xa5, sizeof(part));
        ssl2_key_material(octets_of(&master), &connection, part, size);
        assert_memory_equal(part, material, size);
        assert_int_equal(part[size], 0xa5);
    }
    /* the server's write key, which is CLIENT-READ-KEY, comes first */
    for (unsigned bits = 0; bits <= 128; bits += bits == 0 ? 40 : 88) {
        connection.cipher_bits = bits;
        expect_write_key(octets_of(&master), &connection, SIDE_SERVER,
                         "70e16c433ad6bb6d0dc8c61cb0735d61");
        expect_write_key(octets_of(&master), &connection, SIDE_CLIENT,
                         "5ee3a45d1cd691391d2573f5d18dd286");
    }
}

static void the_computed_des_keys_come_out_with_and_without_the_digit(void **unused)
{
    const struct bytes master = counting(0x00, 8);
    struct connection connection = spec_connection(BULK_CIPHER_DES);
    uint8_t material[SSL2_DES_KEY_MATERIAL];

    (void)unused;
    expect_write_key(octets_of(&master), &connection, SIDE_SERVER, "0f453b39b89dc271");
    expect_write_key(octets_of(&master), &connection, SIDE_CLIENT, "0a1138e48249374c");
    connection.ssl2_des_digit = 0;
    expect_write_key(octets_of(&master), &connection, SIDE_SERVER, "6e78c2879456180f");
    expect_write_key(octets_of(&master), &connection, SIDE_CLIENT, "8b95ec7462fcdfce");
    assert_int_equal(ssl2_key_material_size(&connection), sizeof(material));
    ssl2_key_material(octets_of(&master), &connection, material, sizeof(material));
    expect_hex((struct octets){ material, sizeof(material) }, "6e78c2879456180f8b95ec7462fcdfce");
}

/* The odd-parity form in the spec is the cipher's affair: keys come out as they were hashed. */
static void the_computed_triple_des_keys_come_out_without_parity(void **unused)
{
    const struct bytes master = counting(0x00, 24);
    const struct connection connection = spec_connection(BULK_CIPHER_DES_EDE3);

    (void)unused;
    expect_write_key(octets_of(&master), &connection, SIDE_SERVER,
                     "b2052ffcc5583fe56990784c79b856d58c9dee5ca7f0bf60");
    expect_write_key(octets_of(&master), &connection, SIDE_CLIENT,
                     "0b4bb3d4d6f9b04ee6f79cd9995d37818a5c42fd9e6e9ffb");
}

/* spec/record-protection.md 8 */
static void the_computed_record_mac_comes_out(void **unused)
{
    const struct bytes secret = from_hex("5ee3a45d1cd691391d2573f5d18dd286");
    uint8_t mac[DIGEST_MAX_SIZE];

    (void)unused;
    record_mac(KEY_PROTOCOL_SSL2, DIGEST_MD5, octets_of(&secret), 3, 0, 0, text("hello"), mac);
    expect_hex((struct octets){ mac, MD5_SIZE }, "ec7906755c8d3e5fd819512ee5e1fccd");
}

/* ---- the formula a second time ---- */

/* KM_n of libcrypto. */
static void fixed_material(struct octets master, struct octets digit, struct octets first,
                           struct octets second, uint8_t *out)
{
    const struct octets pieces[] = { master, digit, first, second, PIECES_END };

    hash_pieces(DIGEST_MD5, pieces, out);
}

static void masters_and_randoms_of_every_length_agree_with_the_formula(void **unused)
{
    static const char *const digits[] = { "0", "1", "2" };
    unsigned keys = 0;

    (void)unused;
    for (size_t size = SSL2_MIN_MASTER_SIZE; size <= SSL2_MAX_MASTER_SIZE; size++) {
        for (size_t random = 1; random <= 64; random++, keys++) {
            const struct bytes master = counting((uint8_t)size, size);
            const struct bytes challenge = counting((uint8_t)(random + 9), random);
            const struct bytes id = counting((uint8_t)(random + 77), 65 - random);
            struct connection connection = spec_connection(BULK_CIPHER_DES_EDE3);
            uint8_t expected[SSL2_KEY_MATERIAL], key[24];

            connection.client_random = octets_of(&challenge);
            connection.server_random = octets_of(&id);
            for (int n = 0; n < 3; n++)
                fixed_material(octets_of(&master), text(digits[n]), octets_of(&challenge),
                               octets_of(&id), expected + MD5_SIZE * n);
            ssl2_write_key(octets_of(&master), &connection, SIDE_SERVER, key);
            assert_memory_equal(key, expected, sizeof(key));
            ssl2_write_key(octets_of(&master), &connection, SIDE_CLIENT, key);
            assert_memory_equal(key, expected + sizeof(key), sizeof(key));
        }
    }
    print_message("%u pairs of keys\n", keys);
}

/* Spec 3.2 and 6.2: the digit is ASCII, and the challenge comes before the connection id. */
static void the_wrong_readings_give_other_keys(void **unused)
{
    const struct bytes master = counting(0x00, 16);
    const struct connection connection = spec_connection(BULK_CIPHER_RC4);
    const uint8_t binary = 0;
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], other[MD5_SIZE];

    (void)unused;
    ssl2_write_key(octets_of(&master), &connection, SIDE_SERVER, key);
    fixed_material(octets_of(&master), text("0"), connection.client_random,
                   connection.server_random, other);
    assert_memory_equal(key, other, MD5_SIZE);
    fixed_material(octets_of(&master), text("0"), connection.server_random,
                   connection.client_random, other);
    assert_memory_not_equal(key, other, MD5_SIZE);
    fixed_material(octets_of(&master), (struct octets){ &binary, 1 }, connection.client_random,
                   connection.server_random, other);
    assert_memory_not_equal(key, other, MD5_SIZE);
    fixed_material(octets_of(&master), text(""), connection.client_random, connection.server_random,
                   other);
    assert_memory_not_equal(key, other, MD5_SIZE);
}

/* Without the digit there is one hash output for DES; other ciphers do not know the choice. */
static void only_des_knows_the_choice_of_the_digit(void **unused)
{
    static const enum bulk_cipher_id ciphers[] = { BULK_CIPHER_RC4, BULK_CIPHER_RC2,
                                                   BULK_CIPHER_DES_EDE3 };
    const struct bytes master = counting(0x00, 24);

    (void)unused;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        struct connection connection = spec_connection(ciphers[n]);
        uint8_t with[BULK_CIPHER_MAX_KEY_SIZE], without[BULK_CIPHER_MAX_KEY_SIZE];

        ssl2_write_key(octets_of(&master), &connection, SIDE_CLIENT, with);
        connection.ssl2_des_digit = 0;
        ssl2_write_key(octets_of(&master), &connection, SIDE_CLIENT, without);
        assert_memory_equal(with, without, ssl2_key_size(&connection));
        assert_int_equal(ssl2_key_material_size(&connection), SSL2_KEY_MATERIAL);
    }
}

static void sizes_that_do_not_exist_are_refused(void **unused)
{
    static const struct {
        enum bulk_cipher_id id;
        unsigned bits[3];
        size_t size;
    } rows[] = {
        { BULK_CIPHER_RC4, { 40, 128, 128 }, 16 },     { BULK_CIPHER_RC2, { 40, 128, 128 }, 16 },
        { BULK_CIPHER_DES, { 56, 64, 64 }, 8 },        { BULK_CIPHER_DES_EDE, { 0, 0, 0 }, 0 },
        { BULK_CIPHER_DES_EDE3, { 168, 192, 0 }, 24 }, { BULK_CIPHER_AES_128, { 0, 0, 0 }, 0 },
        { BULK_CIPHER_AES_192, { 0, 0, 0 }, 0 },       { BULK_CIPHER_AES_256, { 0, 0, 0 }, 0 },
    };

    (void)unused;
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct connection connection = spec_connection(rows[n].id);

        assert_int_equal(ssl2_key_size(&connection), rows[n].size);
        for (unsigned bits = 1; bits <= 300; bits++) {
            const int exists = bits == rows[n].bits[0] || bits == rows[n].bits[1];

            connection.cipher_bits = bits;
            assert_int_equal(ssl2_key_size(&connection), exists ? rows[n].size : 0);
        }
    }
}

/* ---- clear keys: spec/key-derivation.md 3.3 ---- */

static void the_clear_part_comes_first_and_replaces_that_of_a_full_master(void **unused)
{
    unsigned joins = 0;

    (void)unused;
    for (size_t secret_size = 1; secret_size <= SSL2_MAX_MASTER_SIZE; secret_size++) {
        for (size_t clear_size = 0; clear_size <= 40; clear_size++, joins++) {
            const struct bytes secret = counting(0x80, secret_size);
            const struct bytes clear = counting(0x10, clear_size);
            const int replaces = secret_size == 16 && clear_size <= 11;
            const size_t kept = replaces ? 16 - clear_size : secret_size;
            uint8_t out[SSL2_MAX_MASTER_SIZE + 1];

            memset(out, 0xa5, sizeof(out));
            if (clear_size + kept > SSL2_MAX_MASTER_SIZE) {
                assert_int_equal(ssl2_join_master(octets_of(&clear), octets_of(&secret), out), 0);
                continue;
            }
            assert_int_equal(ssl2_join_master(octets_of(&clear), octets_of(&secret), out),
                             clear_size + kept);
            assert_memory_equal(out, clear.data, clear_size);
            assert_memory_equal(out + clear_size, secret.data + secret_size - kept, kept);
            assert_int_equal(out[clear_size + kept], 0xa5);
        }
    }
    print_message("%u joins\n", joins);
}

/* ---- ref-ssl2.txt ---- */

static void compare_side(struct vectors *vectors, struct tally *tally, struct octets master,
                         const struct connection *connection, enum connection_side side,
                         const char *prefix)
{
    const struct octets iv =
        connection->cipher->iv_size == 0 ? (struct octets){ NULL, 0 } : vectors_hex(vectors, "IV");
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], sent[STANZA_MAX_DATA];
    size_t size = ssl2_key_size(connection);

    ssl2_write_key(master, connection, side, key);
    stanza_compare(vectors, tally, joined(prefix, "Key", ""), (struct octets){ key, size });
    size = encrypt_message(connection->cipher, 128, (struct octets){ key, size }, iv,
                           vectors_hex(vectors, "Plaintext"), sent);
    stanza_compare(vectors, tally, joined(prefix, "Ciphertext", ""), (struct octets){ sent, size });
}

/* DES in the draft's own form is the stanza's, the digit has fields of its own. */
static void compare_digit(struct vectors *vectors, struct tally *tally, struct octets master,
                          struct connection *connection)
{
    uint8_t key[8];

    connection->ssl2_des_digit = 1;
    ssl2_write_key(master, connection, SIDE_SERVER, key);
    stanza_compare(vectors, tally, "DigitClientReadKey", (struct octets){ key, 8 });
    ssl2_write_key(master, connection, SIDE_CLIENT, key);
    stanza_compare(vectors, tally, "DigitClientWriteKey", (struct octets){ key, 8 });
}

static void the_computed_connections_are_derived_alike(void **unused)
{
    static const char *const fields[] = {
        "Test",
        "Name",
        "Protocol",
        "EncAlg",
        "EncBits",
        "ClearKey",
        "SecretKey",
        "MasterKey",
        "Challenge",
        "ConnectionId",
        "ClientReadKey",
        "ClientWriteKey",
        "Plaintext",
        "IV",
        "ClientReadCiphertext",
        "Checked",
        "DigitClientReadKey",
        "DigitClientWriteKey",
        "ClientWriteCiphertext",
        "EffectiveKeyLen",
    };
    struct vectors *vectors = vectors_open("ref-ssl2.txt");
    struct tally tally = { "ref-ssl2.txt", 0, 0 };

    (void)unused;
    while (stanza_next(vectors, &tally)) {
        struct connection connection = {
            .client_random = vectors_hex(vectors, "Challenge"),
            .server_random = vectors_hex(vectors, "ConnectionId"),
            .cipher = stanza_cipher(vectors, "EncAlg"),
            .cipher_bits = vectors_integer(vectors, "EncBits"),
        };
        const int is_des = connection.cipher->id == BULK_CIPHER_DES;
        uint8_t joined_master[SSL2_MAX_MASTER_SIZE];
        struct octets master = { joined_master, 0 };

        stanza_allow(vectors, fields, COUNT(fields));
        stanza_require(vectors, "Test", "Ssl2Keys");
        stanza_require(vectors, "Protocol", "SSL2");
        stanza_require(vectors, "Checked", "specification scapy");
        if (connection.cipher->id == BULK_CIPHER_RC2)
            stanza_require(vectors, "EffectiveKeyLen", "128");
        else if (vectors_has(vectors, "EffectiveKeyLen"))
            vectors_fail(vectors, "effective bits of a cipher that has none");
        if (ssl2_key_size(&connection) == 0 || vectors_has(vectors, "DigitClientReadKey") != is_des)
            vectors_fail(vectors, "no keys of this size, or a digit too many");
        if (vectors_has(vectors, "IV") != (connection.cipher->iv_size != 0))
            vectors_fail(vectors, "an IV too many or none");
        master.size = ssl2_join_master(vectors_hex(vectors, "ClearKey"),
                                       vectors_hex(vectors, "SecretKey"), joined_master);
        stanza_compare(vectors, &tally, "MasterKey", master);
        compare_side(vectors, &tally, master, &connection, SIDE_SERVER, "ClientRead");
        compare_side(vectors, &tally, master, &connection, SIDE_CLIENT, "ClientWrite");
        if (is_des)
            compare_digit(vectors, &tally, master, &connection);
    }
    vectors_close(vectors);
    stanza_report(&tally, 72 * 5 + 12 * 2, 72);
}

/* ---- peer-ssl2.txt ---- */

/* One direction of a session: a key that decrypts and authenticates record after record. */
struct direction {
    const char *name;
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE];
    size_t key_size;
    struct stream *stream;
};

static void compare_record(struct vectors *vectors, struct tally *tally,
                           struct direction *direction, const char *number)
{
    const struct octets record = vectors_hex(vectors, joined(direction->name, "Record", number));
    const uint32_t padding = vectors_integer(vectors, joined(direction->name, "Padding", number));
    uint8_t plain[STANZA_MAX_DATA], mac[DIGEST_MAX_SIZE];
    struct octets data = { plain + MD5_SIZE, record.size - MD5_SIZE };

    if (record.size < MD5_SIZE + padding || record.size > sizeof(plain))
        vectors_fail(vectors, "record %s of the %s has a wrong size", number, direction->name);
    stream_update(direction->stream, record, plain);
    stanza_compare(vectors, tally, joined(direction->name, "Plaintext", number), data);
    stanza_compare(vectors, tally, joined(direction->name, "Mac", number),
                   (struct octets){ plain, MD5_SIZE });
    record_mac(
        KEY_PROTOCOL_SSL2, DIGEST_MD5, (struct octets){ direction->key, direction->key_size },
        vectors_integer(vectors, joined(direction->name, "Sequence", number)), 0, 0, data, mac);
    stanza_compare(vectors, tally, joined(direction->name, "Mac", number),
                   (struct octets){ mac, MD5_SIZE });
}

/* SERVER-VERIFY (5) holds the challenge, CLIENT-FINISHED (3) the connection id: spec 3.6. */
static void check_proof(struct vectors *vectors, const char *record, uint8_t type,
                        struct octets proven)
{
    const struct octets plain = vectors_hex(vectors, record);

    if (plain.size < 1 + proven.size || plain.data[0] != type ||
        memcmp(plain.data + 1, proven.data, proven.size) != 0)
        vectors_fail(vectors, "%s does not prove the keys", record);
}

static void compare_direction(struct vectors *vectors, struct tally *tally, struct octets master,
                              const struct connection *connection, enum connection_side side)
{
    struct direction direction = {
        .name = side == SIDE_CLIENT ? "Client" : "Server",
        .key_size = ssl2_key_size(connection),
    };

    ssl2_write_key(master, connection, side, direction.key);
    stanza_compare(vectors, tally, joined(direction.name, "WriteKey", ""),
                   (struct octets){ direction.key, direction.key_size });
    direction.stream =
        stream_new(connection->cipher, 128, (struct octets){ direction.key, direction.key_size },
                   vectors_hex(vectors, "IV"), 0);
    compare_record(vectors, tally, &direction, "1");
    if (side == SIDE_SERVER)
        compare_record(vectors, tally, &direction, "2");
    stream_free(direction.stream);
}

static const char *const session_fields[] = {
    "Test",
    "Source",
    "Op",
    "Alg",
    "Cipher",
    "Secret",
    "ClearKey",
    "ClientRandom",
    "ServerRandom",
    "IV",
    "ServerWriteKey",
    "ClientWriteKey",
    "ServerRecord1",
    "ServerSequence1",
    "ServerPadding1",
    "ServerPlaintext1",
    "ServerMac1",
    "ServerRecord2",
    "ServerSequence2",
    "ServerPadding2",
    "ServerPlaintext2",
    "ServerMac2",
    "ClientRecord1",
    "ClientSequence1",
    "ClientPadding1",
    "ClientPlaintext1",
    "ClientMac1",
    "Verified",
};

static struct connection read_session(struct vectors *vectors)
{
    stanza_allow(vectors, session_fields, COUNT(session_fields));
    stanza_require(vectors, "Op", "session");
    stanza_require(vectors, "Alg", "SSL2");
    stanza_require(vectors, "Verified", "yes");
    return (struct connection){
        .client_random = vectors_hex(vectors, "ClientRandom"),
        .server_random = vectors_hex(vectors, "ServerRandom"),
        .cipher = stanza_cipher(vectors, "Cipher"),
        .ssl2_des_digit = 1,
    };
}

static void every_record_of_the_recorded_sessions_decrypts_and_verifies(void **unused)
{
    struct vectors *vectors = vectors_open("peer-ssl2.txt");
    struct tally tally = { "peer-ssl2.txt", 0, 0 };

    (void)unused;
    while (stanza_next(vectors, &tally)) {
        const struct connection connection = read_session(vectors);
        uint8_t room[SSL2_MAX_MASTER_SIZE];
        struct octets master = { room, 0 };

        master.size = ssl2_join_master(vectors_hex(vectors, "ClearKey"),
                                       vectors_hex(vectors, "Secret"), room);
        compare_direction(vectors, &tally, master, &connection, SIDE_SERVER);
        compare_direction(vectors, &tally, master, &connection, SIDE_CLIENT);
        check_proof(vectors, "ServerPlaintext1", 5, connection.client_random);
        check_proof(vectors, "ClientPlaintext1", 3, connection.server_random);
    }
    vectors_close(vectors);
    stanza_report(&tally, 3 * (2 + 3 * 3), 3);
}

/* What the DES session settles: without the digit nothing of it can be read. */
static void the_recorded_des_session_cannot_be_read_without_the_digit(void **unused)
{
    struct vectors *vectors = vectors_open("peer-ssl2.txt");
    unsigned sessions = 0;

    (void)unused;
    while (vectors_next(vectors)) {
        struct connection connection = read_session(vectors);
        const struct octets record = vectors_hex(vectors, "ServerRecord1");
        const struct octets expected = vectors_hex(vectors, "ServerPlaintext1");
        uint8_t key[8], plain[STANZA_MAX_DATA];
        struct stream *stream;

        if (connection.cipher->id != BULK_CIPHER_DES)
            continue;
        connection.ssl2_des_digit = 0;
        ssl2_write_key(vectors_hex(vectors, "Secret"), &connection, SIDE_SERVER, key);
        stream = stream_new(connection.cipher, 0, (struct octets){ key, sizeof(key) },
                            vectors_hex(vectors, "IV"), 0);
        stream_update(stream, record, plain);
        stream_free(stream);
        assert_memory_not_equal(plain + MD5_SIZE, expected.data, expected.size);
        sessions++;
    }
    vectors_close(vectors);
    assert_int_equal(sessions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_computed_key_material_comes_out),
        cmocka_unit_test(the_computed_des_keys_come_out_with_and_without_the_digit),
        cmocka_unit_test(the_computed_triple_des_keys_come_out_without_parity),
        cmocka_unit_test(the_computed_record_mac_comes_out),
        cmocka_unit_test(masters_and_randoms_of_every_length_agree_with_the_formula),
        cmocka_unit_test(the_wrong_readings_give_other_keys),
        cmocka_unit_test(only_des_knows_the_choice_of_the_digit),
        cmocka_unit_test(sizes_that_do_not_exist_are_refused),
        cmocka_unit_test(the_clear_part_comes_first_and_replaces_that_of_a_full_master),
        cmocka_unit_test(the_computed_connections_are_derived_alike),
        cmocka_unit_test(every_record_of_the_recorded_sessions_decrypts_and_verifies),
        cmocka_unit_test(the_recorded_des_session_cannot_be_read_without_the_digit),
    };

    return cmocka_run_group_tests(tests, setup, stanza_teardown);
}
