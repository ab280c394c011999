/*
 * protocol/pct1: the computed vectors of tests/vectors/ref-pct1.txt and spec/key-derivation.md
 * 2.10, the formulas a second time over libcrypto's digests, and the wrong readings of the draft.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "protocol/des_key.h"
#include "protocol/pct1.h"
#include "stanza.h"

#define MAX_PIECES 32

/* The inputs of spec/key-derivation.md 2.10. */
static struct bytes spec_master, spec_challenge, spec_connection_id, spec_clear_key;

static int setup(void **state)
{
    spec_master = counting(0x00, PCT1_MASTER_SIZE);
    spec_challenge = counting(0x20, PCT1_RANDOM_SIZE);
    spec_connection_id = counting(0x60, PCT1_RANDOM_SIZE);
    spec_clear_key = counting(0xa0, 11);
    return stanza_setup(state);
}

static struct connection spec_connection(enum bulk_cipher_id cipher, unsigned bits,
                                         enum digest_id digest)
{
    return (struct connection){
        .client_random = octets_of(&spec_challenge),
        .server_random = octets_of(&spec_connection_id),
        .certificate = text("PCT server certificate"),
        .clear_key = octets_of(&spec_clear_key),
        .cipher = bulk_cipher_by_id(cipher),
        .cipher_bits = bits,
        .digest = digest,
        .mac_bits = 160,
    };
}

/* ---- the formulas a second time ---- */

/* How the draft's text can be read; all zero: as this provider does. */
struct reading {
    int leading_tag_repeated; /* "cw"^i in front as well */
    int no_leading_tag;
    int first_step; /* 0 means 1, -1 means 0 */
    int certificate_everywhere;
    int challenge_first;
};

static void repeat(struct octets *pieces, size_t *count, const char *tag, unsigned times)
{
    while (times-- != 0)
        pieces[(*count)++] = text(tag);
}

/* Section 5.3.1 of the draft, |bytes| of it. */
static void fixed_derive(const struct connection *connection, const char *tag, int is_write_key,
                         int has_certificate, struct reading reading, uint8_t *out, size_t bytes)
{
    const size_t hash_size = connection->digest == DIGEST_MD5 ? 16 : 20;
    const struct octets first =
        reading.challenge_first ? connection->client_random : connection->server_random;
    const struct octets last =
        reading.challenge_first ? connection->server_random : connection->client_random;

    for (size_t done = 0, step = 1; done < bytes; done += hash_size, step++) {
        const uint8_t i = (uint8_t)((int)step + reading.first_step);
        struct octets pieces[MAX_PIECES];
        uint8_t hash[DIGEST_MAX_SIZE];
        size_t count = 0;

        pieces[count++] = (struct octets){ &i, 1 };
        if (is_write_key && !reading.no_leading_tag)
            repeat(pieces, &count, tag, reading.leading_tag_repeated ? i : 1);
        pieces[count++] = octets_of(&spec_master);
        repeat(pieces, &count, tag, i);
        pieces[count++] = first;
        repeat(pieces, &count, tag, i);
        if (has_certificate || reading.certificate_everywhere) {
            pieces[count++] = connection->certificate;
            repeat(pieces, &count, tag, i);
        }
        pieces[count++] = last;
        repeat(pieces, &count, tag, i);
        pieces[count] = PIECES_END;
        hash_pieces(connection->digest, pieces, hash);
        memcpy(out + done, hash, bytes - done < hash_size ? bytes - done : hash_size);
    }
}

static void fixed_write_key(const struct connection *connection, enum connection_side side,
                            struct reading reading, uint8_t *out, size_t bytes)
{
    fixed_derive(connection, side == SIDE_CLIENT ? "cw" : "svw", 1, side == SIDE_CLIENT, reading,
                 out, bytes);
}

static void fixed_mac_key(const struct connection *connection, enum connection_side side,
                          uint8_t *out, size_t bytes)
{
    fixed_derive(connection, side == SIDE_CLIENT ? "cmac" : "svmac", 0, side == SIDE_CLIENT,
                 (struct reading){ 0 }, out, bytes);
}

/* Section 5.3.2 of the draft. */
static void fixed_expand(const struct connection *connection, const uint8_t *key, size_t key_size,
                         size_t parts, uint8_t *out, size_t bytes)
{
    const size_t hash_size = connection->digest == DIGEST_MD5 ? 16 : 20;
    const size_t part = connection->clear_key.size / parts;

    for (size_t done = 0, step = 1; done < bytes; done += hash_size, step++) {
        const uint8_t i = (uint8_t)step;
        struct octets pieces[MAX_PIECES];
        uint8_t hash[DIGEST_MAX_SIZE];
        size_t count = 0;

        pieces[count++] = (struct octets){ &i, 1 };
        repeat(pieces, &count, "sl", i);
        pieces[count++] = (struct octets){ key, key_size };
        repeat(pieces, &count, "sl", i);
        pieces[count++] = (struct octets){ connection->clear_key.data + (step - 1) * part, part };
        pieces[count] = PIECES_END;
        hash_pieces(connection->digest, pieces, hash);
        memcpy(out + done, hash, bytes - done < hash_size ? bytes - done : hash_size);
    }
}

static size_t write_key(const struct connection *connection, enum connection_side side,
                        uint8_t key[BULK_CIPHER_MAX_KEY_SIZE])
{
    struct pct1_sizes sizes;

    assert_int_equal(pct1_key_sizes(connection, &sizes), 1);
    pct1_write_key(spec_master.data, connection, side, key);
    return sizes.key;
}

static void expect_write_key(const struct connection *connection, enum connection_side side,
                             const char *hex)
{
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE];

    expect_hex((struct octets){ key, write_key(connection, side, key) }, hex);
}

static void expect_mac_key(const struct connection *connection, enum connection_side side,
                           const char *hex)
{
    uint8_t key[PCT1_MAX_MAC_SIZE];

    pct1_mac_key(spec_master.data, connection, side, key);
    expect_hex((struct octets){ key, (connection->mac_bits + 7) / 8 }, hex);
}

/* ---- spec/key-derivation.md 2.10 ---- */

static void the_computed_write_keys_of_128_bits_come_out(void **unused)
{
    struct connection connection = spec_connection(BULK_CIPHER_RC4, 0, DIGEST_MD5);

    (void)unused;
    expect_write_key(&connection, SIDE_CLIENT, "0df1588924a512237a356e88d7a6358b");
    expect_write_key(&connection, SIDE_SERVER, "95b70f1df51290991fa1a8a8ecb7794f");
    connection.cipher = bulk_cipher_by_id(BULK_CIPHER_RC2);
    connection.cipher_bits = 128;
    expect_write_key(&connection, SIDE_CLIENT, "0df1588924a512237a356e88d7a6358b");
}

/* 168 bits are visible as three DES keys only: what the bits spread to, and the bits themselves. */
static void expect_168_bits(enum digest_id digest, enum connection_side side, const char *hex)
{
    const struct connection connection = spec_connection(BULK_CIPHER_DES_EDE3, 168, digest);
    const struct bytes bits = from_hex(hex);
    uint8_t spread[24], key[BULK_CIPHER_MAX_KEY_SIZE], fixed[21];

    fixed_write_key(&connection, side, (struct reading){ 0 }, fixed, sizeof(fixed));
    assert_memory_equal(fixed, bits.data, sizeof(fixed));
    des_key_from_bits(bits.data, spread, sizeof(spread));
    assert_int_equal(write_key(&connection, side, key), sizeof(spread));
    assert_memory_equal(key, spread, sizeof(spread));
}

static void the_computed_write_keys_of_168_bits_come_out(void **unused)
{
    (void)unused;
    expect_168_bits(DIGEST_MD5, SIDE_CLIENT, "0df1588924a512237a356e88d7a6358b8a5230c67a");
    expect_168_bits(DIGEST_MD5, SIDE_SERVER, "95b70f1df51290991fa1a8a8ecb7794fe42b7346af");
    expect_168_bits(DIGEST_SHA1, SIDE_CLIENT, "98e16cda120408e6fd672f083920623422ed6a7bad");
    expect_168_bits(DIGEST_SHA1, SIDE_SERVER, "840b74b2e6df188fbf5a86ba83786be4aecbcb9a3a");
}

static void the_computed_mac_keys_come_out(void **unused)
{
    struct connection connection = spec_connection(BULK_CIPHER_RC4, 0, DIGEST_MD5);

    (void)unused;
    expect_mac_key(&connection, SIDE_CLIENT, "f830e44160f64543e7ff6cac72c05403 bdf9d36c");
    expect_mac_key(&connection, SIDE_SERVER, "bb47ad2fd0d9735857d72564797cc46a 3f96f5c5");
    connection.mac_bits = 128;
    expect_mac_key(&connection, SIDE_CLIENT, "f830e44160f64543e7ff6cac72c05403");
    expect_mac_key(&connection, SIDE_SERVER, "bb47ad2fd0d9735857d72564797cc46a");
    connection = spec_connection(BULK_CIPHER_RC4, 0, DIGEST_SHA1);
    expect_mac_key(&connection, SIDE_CLIENT, "99a3d3d68ae31bed88f8e9cd34b047a769ad0d28");
    expect_mac_key(&connection, SIDE_SERVER, "af6097e87ed76d0fefb5182c61f80e973d115ca6");
}

static void the_computed_short_keys_are_expanded_by_the_clear_key(void **unused)
{
    const struct connection connection = spec_connection(BULK_CIPHER_RC4, 40, DIGEST_MD5);

    (void)unused;
    expect_write_key(&connection, SIDE_CLIENT, "c24f210877b30b983faadfdea6111ddc");
    expect_write_key(&connection, SIDE_SERVER, "b81664e684bd6283b4a439ddacaa64f4");
}

static void the_computed_des_keys_have_their_parity(void **unused)
{
    struct connection connection = spec_connection(BULK_CIPHER_DES, 56, DIGEST_MD5);

    (void)unused;
    expect_write_key(&connection, SIDE_CLIENT, "0df8571092259425");
    connection.cipher_bits = 64;
    expect_write_key(&connection, SIDE_CLIENT, "0df8571092259425");
    connection.cipher_bits = 0;
    expect_write_key(&connection, SIDE_CLIENT, "0df8571092259425");
    connection = spec_connection(BULK_CIPHER_DES_EDE3, 168, DIGEST_MD5);
    expect_write_key(&connection, SIDE_CLIENT, "0df857109225942523bc8cade9465e4c34c4e34a238619f4");
}

/* spec/record-protection.md 8: the same with three zero bytes of padding, which count as data. */
static void the_computed_record_macs_come_out(void **unused)
{
    static const uint8_t padded[] = { 'h', 'e', 'l', 'l', 'o', 0, 0, 0 };
    const struct bytes key = from_hex("f830e44160f64543e7ff6cac72c05403");
    uint8_t mac[DIGEST_MAX_SIZE];

    (void)unused;
    record_mac(KEY_PROTOCOL_PCT1, DIGEST_MD5, octets_of(&key), 2, 0, 0, text("hello"), mac);
    expect_hex((struct octets){ mac, 16 }, "8da3828c94d677e1a3debb0b68e9c803");
    record_mac(KEY_PROTOCOL_PCT1, DIGEST_MD5, octets_of(&key), 2, 0, 0,
               (struct octets){ padded, sizeof(padded) }, mac);
    expect_hex((struct octets){ mac, 16 }, "c65848b339d702e2453044d7fd5a03e4");
}

/* ---- wrong readings ---- */

/* Spec 2.9: "cw"^i in front gives 27b8a3312b behind the first hash output. */
static void a_repeated_leading_tag_would_give_other_long_keys(void **unused)
{
    const struct connection connection = spec_connection(BULK_CIPHER_DES_EDE3, 168, DIGEST_MD5);
    uint8_t bits[21], spread[24], key[BULK_CIPHER_MAX_KEY_SIZE];

    (void)unused;
    fixed_write_key(&connection, SIDE_CLIENT, (struct reading){ .leading_tag_repeated = 1 }, bits,
                    sizeof(bits));
    expect_hex((struct octets){ bits, sizeof(bits) }, "0df1588924a512237a356e88d7a6358b27b8a3312b");
    des_key_from_bits(bits, spread, sizeof(spread));
    write_key(&connection, SIDE_CLIENT, key);
    assert_memory_not_equal(key, spread, sizeof(spread));
    /* the two readings part where the second hash output begins: at bit 128, in byte 18 */
    assert_memory_equal(key, spread, 18);
}

static void every_other_reading_gives_other_keys(void **unused)
{
    static const struct {
        struct reading reading;
        int is_same_for_client;
    } readings[] = {
        { { .no_leading_tag = 1 }, 0 },
        { { .first_step = -1 }, 0 },
        { { .challenge_first = 1 }, 0 },
        { { .certificate_everywhere = 1 }, 1 },
    };
    const struct connection connection = spec_connection(BULK_CIPHER_RC4, 0, DIGEST_SHA1);
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], other[16];

    (void)unused;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        write_key(&connection, (enum connection_side)side, key);
        fixed_write_key(&connection, (enum connection_side)side, (struct reading){ 0 }, other, 16);
        assert_memory_equal(key, other, 16);
        for (size_t n = 0; n < COUNT(readings); n++) {
            fixed_write_key(&connection, (enum connection_side)side, readings[n].reading, other,
                            16);
            if (readings[n].is_same_for_client && side == SIDE_CLIENT)
                assert_memory_equal(key, other, 16);
            else
                assert_memory_not_equal(key, other, 16);
        }
    }
}

static void raw_des_keys_are_the_hash_itself(void **unused)
{
    static const enum bulk_cipher_id ciphers[] = { BULK_CIPHER_DES, BULK_CIPHER_DES_EDE,
                                                   BULK_CIPHER_DES_EDE3 };

    (void)unused;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        struct connection connection = spec_connection(ciphers[n], 0, DIGEST_MD5);
        uint8_t raw[BULK_CIPHER_MAX_KEY_SIZE], spread[BULK_CIPHER_MAX_KEY_SIZE], fixed[24];
        const size_t size = write_key(&connection, SIDE_SERVER, spread);

        connection.pct_raw_des = 1;
        assert_int_equal(write_key(&connection, SIDE_SERVER, raw), size);
        fixed_write_key(&connection, SIDE_SERVER, (struct reading){ 0 }, fixed, size);
        assert_memory_equal(raw, fixed, size);
        assert_memory_not_equal(raw, spread, size);
        /* both ways to say the full size mean it */
        for (unsigned parity = 0; parity <= 1; parity++) {
            connection.cipher_bits =
                parity ? connection.cipher->default_bits : connection.cipher->strength_bits;
            assert_int_equal(write_key(&connection, SIDE_SERVER, raw), size);
            assert_memory_equal(raw, fixed, size);
        }
    }
}

/* ---- every size ---- */

/* What a cipher runs with, in bits, and how many bytes that are with parity. */
static const struct {
    enum bulk_cipher_id id;
    unsigned standard, with_parity;
} standards[] = {
    { BULK_CIPHER_RC4, 128, 128 },      { BULK_CIPHER_RC2, 128, 128 },
    { BULK_CIPHER_DES, 56, 64 },        { BULK_CIPHER_DES_EDE, 112, 128 },
    { BULK_CIPHER_DES_EDE3, 168, 192 },
};

static void check_size(size_t row, unsigned bits, enum digest_id digest, enum connection_side side)
{
    struct connection connection = spec_connection(standards[row].id, bits, digest);
    const unsigned hash_bits = digest == DIGEST_MD5 ? 128 : 160;
    const size_t size = standards[row].with_parity / 8, bytes = (bits + 7) / 8;
    const size_t standard_bytes = standards[row].standard / 8;
    const size_t parts = (standards[row].standard + hash_bits - 1) / hash_bits;
    const struct bytes clear_key = counting(0xb0, 10 * parts);
    uint8_t write[24], standard[24], expected[24], key[BULK_CIPHER_MAX_KEY_SIZE + 1];

    connection.clear_key = octets_of(&clear_key);
    fixed_write_key(&connection, side, (struct reading){ 0 }, write, bytes);
    if (bits % 8 != 0)
        write[bytes - 1] &= (uint8_t)(0xffu << (8 - bits % 8));
    memcpy(standard, write, bytes);
    if (bits < standards[row].standard)
        fixed_expand(&connection, write, bytes, parts, standard, standard_bytes);
    memcpy(expected, standard, standard_bytes);
    if (standards[row].with_parity != standards[row].standard)
        des_key_from_bits(standard, expected, size);
    memset(key, 0xa5, sizeof(key));
    assert_int_equal(write_key(&connection, side, key), size);
    assert_memory_equal(key, expected, size);
    assert_int_equal(key[size], 0xa5);
}

static void write_keys_of_every_size_agree_with_the_second_implementation(void **unused)
{
    unsigned keys = 0;

    (void)unused;
    for (size_t row = 0; row < COUNT(standards); row++) {
        for (unsigned bits = 40; bits <= standards[row].standard; bits++) {
            for (unsigned n = 0; n < 4; n++, keys++)
                check_size(row, bits, n % 2 == 0 ? DIGEST_MD5 : DIGEST_SHA1,
                           n / 2 == 0 ? SIDE_CLIENT : SIDE_SERVER);
        }
    }
    print_message("%u keys\n", keys);
}

static void mac_keys_of_every_size_agree_with_the_second_implementation(void **unused)
{
    unsigned keys = 0;

    (void)unused;
    for (unsigned bits = PCT1_MIN_MAC_BITS; bits <= PCT1_MAX_MAC_BITS; bits++) {
        for (unsigned n = 0; n < 4; n++, keys++) {
            struct connection connection =
                spec_connection(BULK_CIPHER_RC4, 0, n % 2 == 0 ? DIGEST_MD5 : DIGEST_SHA1);
            const enum connection_side side = n / 2 == 0 ? SIDE_CLIENT : SIDE_SERVER;
            const size_t bytes = (bits + 7) / 8;
            uint8_t key[PCT1_MAX_MAC_SIZE + 1], expected[PCT1_MAX_MAC_SIZE];

            connection.mac_bits = bits;
            memset(key, 0xa5, sizeof(key));
            pct1_mac_key(spec_master.data, &connection, side, key);
            fixed_mac_key(&connection, side, expected, bytes);
            if (bits % 8 != 0)
                expected[bytes - 1] &= (uint8_t)(0xffu << (8 - bits % 8));
            assert_memory_equal(key, expected, bytes);
            assert_int_equal(key[bytes], 0xa5);
        }
    }
    print_message("%u keys\n", keys);
}

static void sizes_that_do_not_exist_are_refused(void **unused)
{
    struct pct1_sizes sizes;

    (void)unused;
    for (size_t row = 0; row < COUNT(standards); row++) {
        for (unsigned bits = 1; bits <= 300; bits++) {
            const struct connection connection =
                spec_connection(standards[row].id, bits, DIGEST_MD5);
            const int exists = (bits >= 40 && bits <= standards[row].standard) ||
                               bits == standards[row].with_parity;

            assert_int_equal(pct1_key_sizes(&connection, &sizes), exists);
        }
    }
    for (unsigned id = BULK_CIPHER_AES_128; id <= BULK_CIPHER_AES_256; id++) {
        const struct connection connection =
            spec_connection((enum bulk_cipher_id)id, 0, DIGEST_MD5);

        assert_int_equal(pct1_key_sizes(&connection, &sizes), 0);
    }
}

/* Spec 2.3: d is 1 but for a key longer than the hash. */
static void the_clear_key_has_as_many_parts_as_the_expansion_has_steps(void **unused)
{
    static const struct {
        enum bulk_cipher_id id;
        unsigned bits;
        enum digest_id digest;
        size_t parts;
    } expected[] = {
        { BULK_CIPHER_RC4, 128, DIGEST_MD5, 0 },      { BULK_CIPHER_RC4, 40, DIGEST_MD5, 1 },
        { BULK_CIPHER_RC2, 40, DIGEST_SHA1, 1 },      { BULK_CIPHER_DES, 40, DIGEST_MD5, 1 },
        { BULK_CIPHER_DES_EDE, 40, DIGEST_MD5, 1 },   { BULK_CIPHER_DES_EDE3, 40, DIGEST_MD5, 2 },
        { BULK_CIPHER_DES_EDE3, 40, DIGEST_SHA1, 2 }, { BULK_CIPHER_DES_EDE3, 168, DIGEST_MD5, 0 },
    };

    (void)unused;
    for (size_t n = 0; n < COUNT(expected); n++) {
        const struct connection connection =
            spec_connection(expected[n].id, expected[n].bits, expected[n].digest);
        struct pct1_sizes sizes;

        assert_int_equal(pct1_key_sizes(&connection, &sizes), 1);
        assert_int_equal(sizes.parts, expected[n].parts);
    }
}

/* Spec 2.2: the certificate goes into the client's keys only; 4.3: the flag changes nothing. */
static void the_certificate_counts_for_the_client_and_export_for_nobody(void **unused)
{
    struct connection connection = spec_connection(BULK_CIPHER_RC4, 40, DIGEST_MD5);
    uint8_t key[2][BULK_CIPHER_MAX_KEY_SIZE], other[BULK_CIPHER_MAX_KEY_SIZE];
    uint8_t mac[2][PCT1_MAX_MAC_SIZE], other_mac[PCT1_MAX_MAC_SIZE];

    (void)unused;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        write_key(&connection, (enum connection_side)side, key[side]);
        pct1_mac_key(spec_master.data, &connection, (enum connection_side)side, mac[side]);
    }
    connection.is_export = 1;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        write_key(&connection, (enum connection_side)side, other);
        assert_memory_equal(other, key[side], 16);
    }
    connection.certificate = (struct octets){ NULL, 0 };
    write_key(&connection, SIDE_SERVER, other);
    assert_memory_equal(other, key[SIDE_SERVER], 16);
    pct1_mac_key(spec_master.data, &connection, SIDE_SERVER, other_mac);
    assert_memory_equal(other_mac, mac[SIDE_SERVER], 20);
    write_key(&connection, SIDE_CLIENT, other);
    assert_memory_not_equal(other, key[SIDE_CLIENT], 16);
    pct1_mac_key(spec_master.data, &connection, SIDE_CLIENT, other_mac);
    assert_memory_not_equal(other_mac, mac[SIDE_CLIENT], 20);
}

/* ---- ref-pct1.txt ---- */

static const char *const side_names[] = { [SIDE_CLIENT] = "Client", [SIDE_SERVER] = "Server" };

static void compare_side(struct vectors *vectors, struct tally *tally,
                         const struct connection *connection, enum connection_side side)
{
    const struct octets master = vectors_hex(vectors, "MasterKey");
    struct connection whole = *connection;
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], mac[PCT1_MAX_MAC_SIZE];

    /* The short key by itself is what the key of full size begins with. */
    whole.cipher_bits = 0;
    pct1_write_key(master.data, &whole, side, key);
    stanza_compare(vectors, tally, joined(side_names[side], "WriteKey", ""),
                   (struct octets){ key, connection->cipher_bits / 8 });
    pct1_write_key(master.data, connection, side, key);
    stanza_compare(vectors, tally, joined(side_names[side], "Key", ""), (struct octets){ key, 16 });
    pct1_mac_key(master.data, connection, side, mac);
    stanza_compare(vectors, tally, joined(side_names[side], "MacKey", ""),
                   (struct octets){ mac, connection->mac_bits / 8 });
}

static void the_computed_connections_are_derived_alike(void **unused)
{
    static const char *const fields[] = {
        "Test",           "Name",         "Protocol",     "Hash",      "EncAlg",
        "KeyBits",        "MacBits",      "MasterKey",    "ClearKey",  "Challenge",
        "ConnectionId",   "Certificate",  "ClientKey",    "ServerKey", "ClientWriteKey",
        "ServerWriteKey", "ClientMacKey", "ServerMacKey", "Checked",
    };
    struct vectors *vectors = vectors_open("ref-pct1.txt");
    struct tally tally = { "ref-pct1.txt", 0, 0 };

    (void)unused;
    while (stanza_next(vectors, &tally)) {
        const struct connection connection = {
            .client_random = vectors_hex(vectors, "Challenge"),
            .server_random = vectors_hex(vectors, "ConnectionId"),
            .certificate = vectors_hex(vectors, "Certificate"),
            .clear_key = vectors_hex(vectors, "ClearKey"),
            .cipher = stanza_cipher(vectors, "EncAlg"),
            .cipher_bits = vectors_integer(vectors, "KeyBits"),
            .digest = stanza_digest(vectors, "Hash"),
            .mac_bits = vectors_integer(vectors, "MacBits"),
        };
        struct pct1_sizes sizes;

        stanza_allow(vectors, fields, COUNT(fields));
        stanza_require(vectors, "Test", "Pct1Keys");
        stanza_require(vectors, "Protocol", "PCT1");
        stanza_require(vectors, "Checked", "specification");
        if (vectors_hex(vectors, "MasterKey").size != PCT1_MASTER_SIZE ||
            !pct1_key_sizes(&connection, &sizes) || sizes.key != 16)
            vectors_fail(vectors, "no keys of this size");
        if ((sizes.parts != 0) != (connection.clear_key.size != 0))
            vectors_fail(vectors, "a clear key that is not needed, or none that is");
        compare_side(vectors, &tally, &connection, SIDE_CLIENT);
        compare_side(vectors, &tally, &connection, SIDE_SERVER);
    }
    vectors_close(vectors);
    stanza_report(&tally, 720, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_computed_write_keys_of_128_bits_come_out),
        cmocka_unit_test(the_computed_write_keys_of_168_bits_come_out),
        cmocka_unit_test(the_computed_mac_keys_come_out),
        cmocka_unit_test(the_computed_short_keys_are_expanded_by_the_clear_key),
        cmocka_unit_test(the_computed_des_keys_have_their_parity),
        cmocka_unit_test(the_computed_record_macs_come_out),
        cmocka_unit_test(a_repeated_leading_tag_would_give_other_long_keys),
        cmocka_unit_test(every_other_reading_gives_other_keys),
        cmocka_unit_test(raw_des_keys_are_the_hash_itself),
        cmocka_unit_test(write_keys_of_every_size_agree_with_the_second_implementation),
        cmocka_unit_test(mac_keys_of_every_size_agree_with_the_second_implementation),
        cmocka_unit_test(sizes_that_do_not_exist_are_refused),
        cmocka_unit_test(the_clear_key_has_as_many_parts_as_the_expansion_has_steps),
        cmocka_unit_test(the_certificate_counts_for_the_client_and_export_for_nobody),
        cmocka_unit_test(the_computed_connections_are_derived_alike),
    };

    return cmocka_run_group_tests(tests, setup, stanza_teardown);
}
