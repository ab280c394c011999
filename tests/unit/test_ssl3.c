/*
 * protocol/ssl3: the published trace of spec/key-derivation.md 4.5, the computed vectors of
 * tests/vectors/ref-ssl3.txt, the sessions of real peers in peer-export.txt (one of them TLS 1.0)
 * down to each record, and the wrong readings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "protocol/ssl3.h"
#include "protocol/tls1.h"
#include "stanza.h"

#define MASTER_SIZE SSL3_MASTER_SECRET_SIZE

static const struct octets nothing = { NULL, 0 };

static const char *const side_names[] = { [SIDE_CLIENT] = "Client", [SIDE_SERVER] = "Server" };

/* ---- the formulas a second time, over libcrypto's digests ---- */

static void fixed_prf(struct octets secret, struct octets seed1, struct octets seed2, uint8_t *out,
                      size_t size)
{
    for (size_t done = 0, step = 1; done < size; done += 16, step++) {
        uint8_t letters[26], inner[20], hash[16];
        const struct octets first[] = { { letters, step }, secret, seed1, seed2, PIECES_END };
        const struct octets second[] = { secret, { inner, sizeof(inner) }, PIECES_END };

        memset(letters, (int)('A' + step - 1), step);
        hash_pieces(DIGEST_SHA1, first, inner);
        hash_pieces(DIGEST_MD5, second, hash);
        memcpy(out + done, hash, size - done < 16 ? size - done : 16);
    }
}

static void fixed_hash(struct octets first, struct octets second, struct octets third, uint8_t *out)
{
    const struct octets pieces[] = { first, second, third, PIECES_END };

    hash_pieces(DIGEST_MD5, pieces, out);
}

static void the_function_gives_every_size_that_the_formula_gives(void **unused)
{
    const struct bytes secret = counting(3, 48), seed1 = counting(60, 32), seed2 = counting(99, 32);
    uint8_t expected[SSL3_MAX_PRF_SIZE], out[SSL3_MAX_PRF_SIZE + 1];

    (void)unused;
    fixed_prf(octets_of(&secret), octets_of(&seed1), octets_of(&seed2), expected, sizeof(expected));
    for (size_t size = 0; size <= SSL3_MAX_PRF_SIZE; size++) {
        memset(out, 0xa5, sizeof(out));
        ssl3_prf(octets_of(&secret), octets_of(&seed1), octets_of(&seed2), out, size);
        assert_memory_equal(out, expected, size);
        assert_int_equal(out[size], 0xa5);
    }
}

static void secrets_and_seeds_may_have_any_length(void **unused)
{
    const struct bytes seed = counting(99, 100);
    uint8_t expected[64], out[64];

    (void)unused;
    for (size_t size = 0; size <= 200; size++) {
        const struct bytes secret = counting((uint8_t)size, size);

        fixed_prf(octets_of(&secret), octets_of(&seed), nothing, expected, sizeof(expected));
        ssl3_prf(octets_of(&secret), (struct octets){ seed.data, size / 2 },
                 (struct octets){ seed.data + size / 2, seed.size - size / 2 }, out, sizeof(out));
        assert_memory_equal(out, expected, sizeof(out));
    }
    fixed_prf(nothing, nothing, nothing, expected, sizeof(expected));
    ssl3_prf(nothing, nothing, nothing, out, sizeof(out));
    assert_memory_equal(out, expected, sizeof(out));
}

/* ---- the published trace: spec/key-derivation.md 4.5, RSA_EXPORT_WITH_RC4_40_MD5 ---- */

struct trace {
    struct bytes premaster, client_random, server_random, master;
    struct connection connection;
};

static void read_trace(struct trace *trace)
{
    trace->premaster = from_hex("030043c00615e40ae7fab08f6c95d76ba677309ab80d0254b984"
                                "21330b9d4621ecc79bd0d76ce3b53ff9641be0fe5b83");
    trace->client_random = from_hex("00000000000000000000000000000000"
                                    "9006466920816408bab43f9f81fa5b20");
    trace->server_random = from_hex("340287248eeabdf7c28cfcfe395490bb"
                                    "06fe48b4a207fc9d2ad2d92c848258be");
    trace->master = from_hex("f66398c5c484e0c4c1e74b2def629cf9fd493007ce6cb700"
                             "ad0023a50d2e40b288074f19ac52b6436177d787bb179cc4");
    trace->connection = (struct connection){
        .client_random = octets_of(&trace->client_random),
        .server_random = octets_of(&trace->server_random),
        .cipher = bulk_cipher_by_id(BULK_CIPHER_RC4),
        .cipher_bits = 40,
        .is_export = 1,
        .digest = DIGEST_MD5,
        .mac_bits = 128,
    };
}

static const char trace_block[] =
    "182a7551f89f5cf95c900d0d762f1e9e 33705828f90503855b9dac3963c9e69c d64f8ae7c9 66ea2d48c0"
    "80a54d4af2df94d55ab3a6bcd37a00222f638eca51c6649b859b3216005cf291b24020fc613b590e9393146ac279ff"
    "41eb07c048972c7935a564eb42fa12d18115e010cfa093";

static void the_trace_gives_its_master_secret_and_key_block(void **unused)
{
    uint8_t master[MASTER_SIZE], block[112];
    struct trace trace;

    (void)unused;
    read_trace(&trace);
    ssl3_master_secret(octets_of(&trace.premaster), trace.connection.client_random,
                       trace.connection.server_random, master);
    assert_memory_equal(master, trace.master.data, sizeof(master));
    ssl3_key_block(master, trace.connection.client_random, trace.connection.server_random, block,
                   sizeof(block));
    expect_hex((struct octets){ block, sizeof(block) }, trace_block);
}

static void expect_secrets(const struct trace *trace, enum connection_side side, const char *mac,
                           const char *key, const char *iv)
{
    uint8_t mac_bytes[DIGEST_MAX_SIZE], key_bytes[BULK_CIPHER_MAX_KEY_SIZE];
    uint8_t iv_bytes[BULK_CIPHER_MAX_BLOCK_SIZE];
    struct bulk_cipher_sizes sizes;

    assert_int_equal(bulk_cipher_key_block_sizes(trace->connection.cipher,
                                                 trace->connection.cipher_bits,
                                                 trace->connection.is_export, &sizes),
                     1);
    ssl3_mac_secret(trace->master.data, &trace->connection, side, mac_bytes);
    assert_int_equal(
        ssl3_write_key(trace->master.data, &trace->connection, side, key_bytes, iv_bytes), 1);
    expect_hex((struct octets){ mac_bytes, trace->connection.mac_bits / 8 }, mac);
    expect_hex((struct octets){ key_bytes, sizes.key }, key);
    expect_hex((struct octets){ iv_bytes, sizes.iv }, iv);
}

/* The IVs in the spec are whole MD5 outputs: RC2 takes the first eight bytes, RC4 none. */
static void the_trace_gives_its_final_keys_and_ivs(void **unused)
{
    struct trace trace;

    (void)unused;
    read_trace(&trace);
    expect_secrets(&trace, SIDE_CLIENT, "182a7551f89f5cf95c900d0d762f1e9e",
                   "3210cde1d6dc0783f3754c322e599661", "");
    expect_secrets(&trace, SIDE_SERVER, "33705828f90503855b9dac3963c9e69c",
                   "ed0e56c8951237b621171c727991121e", "");
    trace.connection.cipher = bulk_cipher_by_id(BULK_CIPHER_RC2);
    expect_secrets(&trace, SIDE_CLIENT, "182a7551f89f5cf95c900d0d762f1e9e",
                   "3210cde1d6dc0783f3754c322e599661", "f1b82d2e5dfb76eb");
    expect_secrets(&trace, SIDE_SERVER, "33705828f90503855b9dac3963c9e69c",
                   "ed0e56c8951237b621171c727991121e", "5cd80b03e85cd0d9");
}

/* Without the flag the five bytes of material are the key: spec 4.3. */
static void a_short_key_without_the_export_flag_is_used_as_it_comes(void **unused)
{
    struct trace trace;

    (void)unused;
    read_trace(&trace);
    trace.connection.is_export = 0;
    expect_secrets(&trace, SIDE_CLIENT, "182a7551f89f5cf95c900d0d762f1e9e", "d64f8ae7c9", "");
    expect_secrets(&trace, SIDE_SERVER, "33705828f90503855b9dac3963c9e69c", "66ea2d48c0", "");
    trace.connection.cipher = bulk_cipher_by_id(BULK_CIPHER_RC2);
    expect_secrets(&trace, SIDE_CLIENT, "182a7551f89f5cf95c900d0d762f1e9e", "d64f8ae7c9",
                   "80a54d4af2df94d5");
    expect_secrets(&trace, SIDE_SERVER, "33705828f90503855b9dac3963c9e69c", "66ea2d48c0",
                   "5ab3a6bcd37a0022");
}

static void the_trace_gives_its_mac_and_its_encrypted_record(void **unused)
{
    const struct bytes finished = from_hex("14000024f240103f7463eae87a2723565f5907d2a3795db7"
                                           "8b94dbcffaf51822157bf24a96529a0e");
    uint8_t secret[16], key[BULK_CIPHER_MAX_KEY_SIZE], mac[DIGEST_MAX_SIZE];
    uint8_t plain[64], sent[64];
    struct stream *stream;
    struct trace trace;

    (void)unused;
    read_trace(&trace);
    ssl3_mac_secret(trace.master.data, &trace.connection, SIDE_CLIENT, secret);
    record_mac(KEY_PROTOCOL_SSL3, DIGEST_MD5, (struct octets){ secret, 16 }, 0, 22, 0,
               octets_of(&finished), mac);
    expect_hex((struct octets){ mac, 16 }, "d309de2884a7075c7c0c08856b4f6304");
    memcpy(plain, finished.data, finished.size);
    memcpy(plain + finished.size, mac, 16);
    assert_int_equal(ssl3_write_key(trace.master.data, &trace.connection, SIDE_CLIENT, key, NULL),
                     1);
    stream = stream_new(trace.connection.cipher, 0, (struct octets){ key, 16 }, nothing, 1);
    stream_update(stream, (struct octets){ plain, finished.size + 16 }, sent);
    stream_free(stream);
    expect_hex((struct octets){ sent, finished.size + 16 },
               "ed377f16d311e8a3e12a20b788f611f3a67d37f717ac6720b80e88d1a0c683e4"
               "80e8c7e30b91293029e42847b740a4d13cda82b7b39f6710");
}

/* spec/record-protection.md 8 */
static void the_computed_record_macs_come_out(void **unused)
{
    const struct bytes sha1 = counting(0x00, 20), md5 = counting(0x00, 16);
    uint8_t mac[DIGEST_MAX_SIZE];

    (void)unused;
    record_mac(KEY_PROTOCOL_SSL3, DIGEST_SHA1, octets_of(&sha1), 0, 0x17, 0, text("hello"), mac);
    expect_hex((struct octets){ mac, 20 }, "2cbf31c4ffd93a78a9d6ee328a975d0393213d30");
    record_mac(KEY_PROTOCOL_TLS1, DIGEST_SHA1, octets_of(&sha1), 0, 0x17, 0x0301, text("hello"),
               mac);
    expect_hex((struct octets){ mac, 20 }, "b93da3fdf9dd3bb5ad401cc1e6ec33858a033768");
    record_mac(KEY_PROTOCOL_TLS1, DIGEST_MD5, octets_of(&md5), 0, 0x17, 0x0301, text("hello"), mac);
    expect_hex((struct octets){ mac, 16 }, "95a4549583f41e0de8de87d93ec5731e");
}

/* ---- wrong readings ---- */

/* Spec 4.2: the randoms change places between master secret and key block. */
static void randoms_in_the_other_order_give_other_secrets(void **unused)
{
    uint8_t master[MASTER_SIZE], block[42], other[MASTER_SIZE];
    struct trace trace;

    (void)unused;
    read_trace(&trace);
    ssl3_master_secret(octets_of(&trace.premaster), trace.connection.server_random,
                       trace.connection.client_random, other);
    assert_memory_not_equal(other, trace.master.data, MASTER_SIZE);
    ssl3_key_block(trace.master.data, trace.connection.client_random,
                   trace.connection.server_random, block, sizeof(block));
    fixed_prf(octets_of(&trace.master), trace.connection.server_random,
              trace.connection.client_random, other, sizeof(block));
    assert_memory_equal(block, other, sizeof(block));
    fixed_prf(octets_of(&trace.master), trace.connection.client_random,
              trace.connection.server_random, other, sizeof(block));
    assert_memory_not_equal(block, other, sizeof(block));
    ssl3_master_secret(octets_of(&trace.premaster), trace.connection.client_random,
                       trace.connection.server_random, master);
    assert_memory_equal(master, trace.master.data, sizeof(master));
}

/* Spec 4.3 against section 5: SSL 3.0 turns the randoms for the server, TLS 1.0 does not. */
static void the_server_hashes_its_own_random_first_for_export(void **unused)
{
    const struct bytes client_material = from_hex("d64f8ae7c9"),
                       server_material = from_hex("66ea2d48c0");
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], iv[8], hash[16];
    struct trace trace;

    (void)unused;
    read_trace(&trace);
    trace.connection.cipher = bulk_cipher_by_id(BULK_CIPHER_RC2);
    assert_int_equal(ssl3_write_key(trace.master.data, &trace.connection, SIDE_SERVER, key, iv), 1);
    fixed_hash(octets_of(&server_material), trace.connection.server_random,
               trace.connection.client_random, hash);
    assert_memory_equal(key, hash, 16);
    fixed_hash(octets_of(&server_material), trace.connection.client_random,
               trace.connection.server_random, hash);
    assert_memory_not_equal(key, hash, 16);
    fixed_hash(nothing, trace.connection.server_random, trace.connection.client_random, hash);
    assert_memory_equal(iv, hash, 8);
    fixed_hash(nothing, trace.connection.client_random, trace.connection.server_random, hash);
    assert_memory_not_equal(iv, hash, 8);
    assert_int_equal(ssl3_write_key(trace.master.data, &trace.connection, SIDE_CLIENT, key, iv), 1);
    assert_memory_equal(iv, hash, 8);
    fixed_hash(octets_of(&client_material), trace.connection.client_random,
               trace.connection.server_random, hash);
    assert_memory_equal(key, hash, 16);
}

/* ---- every cipher ---- */

/* Sizes of spec/key-derivation.md 4.2, taken from the key block, of the final key, of the IV. */
static const struct row {
    enum bulk_cipher_id id;
    unsigned bits;
    int is_export;
    size_t material, key, iv;
} rows[] = {
    { BULK_CIPHER_RC4, 128, 0, 16, 16, 0 },      { BULK_CIPHER_RC4, 40, 1, 5, 16, 0 },
    { BULK_CIPHER_RC4, 56, 1, 7, 16, 0 },        { BULK_CIPHER_RC4, 128, 1, 16, 16, 0 },
    { BULK_CIPHER_RC2, 40, 1, 5, 16, 8 },        { BULK_CIPHER_RC2, 56, 1, 7, 16, 8 },
    { BULK_CIPHER_RC2, 128, 0, 16, 16, 8 },      { BULK_CIPHER_RC2, 40, 0, 5, 5, 8 },
    { BULK_CIPHER_DES, 40, 1, 5, 8, 8 },         { BULK_CIPHER_DES, 64, 0, 8, 8, 8 },
    { BULK_CIPHER_DES, 56, 1, 8, 8, 8 },         { BULK_CIPHER_DES, 64, 1, 8, 8, 8 },
    { BULK_CIPHER_DES_EDE, 112, 0, 16, 16, 8 },  { BULK_CIPHER_DES_EDE3, 168, 0, 24, 24, 8 },
    { BULK_CIPHER_AES_128, 128, 0, 16, 16, 16 }, { BULK_CIPHER_AES_192, 192, 0, 24, 24, 16 },
    { BULK_CIPHER_AES_256, 256, 0, 32, 32, 16 },
};

static void check_row(const struct row *row, const struct connection *connection,
                      enum connection_side side)
{
    const struct bytes master = counting(0x21, MASTER_SIZE);
    const size_t mac_size = connection->mac_bits / 8;
    const struct octets own =
        side == SIDE_CLIENT ? connection->client_random : connection->server_random;
    const struct octets others =
        side == SIDE_CLIENT ? connection->server_random : connection->client_random;
    uint8_t block[136], hash[16], key[BULK_CIPHER_MAX_KEY_SIZE + 1], mac[DIGEST_MAX_SIZE + 1];
    uint8_t iv[BULK_CIPHER_MAX_BLOCK_SIZE + 1];
    const uint8_t *material = block + 2 * mac_size + side * row->material;

    fixed_prf(octets_of(&master), connection->server_random, connection->client_random, block,
              sizeof(block));
    memset(key, 0xa5, sizeof(key));
    memset(iv, 0xa5, sizeof(iv));
    memset(mac, 0xa5, sizeof(mac));
    ssl3_mac_secret(master.data, connection, side, mac);
    assert_memory_equal(mac, block + side * mac_size, mac_size);
    assert_int_equal(mac[mac_size], 0xa5);
    assert_int_equal(ssl3_write_key(master.data, connection, side, key, iv), 1);
    assert_int_equal(key[row->key], 0xa5);
    assert_int_equal(iv[row->iv], 0xa5);
    if (row->is_export) {
        fixed_hash((struct octets){ material, row->material }, own, others, hash);
        assert_memory_equal(key, hash, row->key);
        fixed_hash(nothing, own, others, hash);
        assert_memory_equal(iv, hash, row->iv);
    } else {
        assert_memory_equal(key, material, row->key);
        assert_memory_equal(iv, block + 2 * (mac_size + row->material) + side * row->iv, row->iv);
    }
    /* either output may be left out */
    memset(hash, 0, sizeof(hash));
    assert_int_equal(ssl3_write_key(master.data, connection, side, NULL, hash), 1);
    assert_memory_equal(hash, iv, row->iv);
    assert_int_equal(ssl3_write_key(master.data, connection, side, block, NULL), 1);
    assert_memory_equal(block, key, row->key);
    assert_int_equal(ssl3_write_key(master.data, connection, side, NULL, NULL), 1);
}

static void every_cipher_gets_its_slices_in_the_order_of_the_spec(void **unused)
{
    const struct bytes client_random = counting(0x55, 32), server_random = counting(0xaa, 32);

    (void)unused;
    for (size_t n = 0; n < COUNT(rows); n++) {
        for (size_t mac_bits = 128; mac_bits <= 160; mac_bits += 32) {
            const struct connection connection = {
                .client_random = octets_of(&client_random),
                .server_random = octets_of(&server_random),
                .cipher = bulk_cipher_by_id((unsigned)rows[n].id),
                .cipher_bits = rows[n].bits,
                .is_export = rows[n].is_export,
                .mac_bits = mac_bits,
            };

            check_row(&rows[n], &connection, SIDE_CLIENT);
            check_row(&rows[n], &connection, SIDE_SERVER);
        }
    }
}

static void sizes_that_do_not_exist_are_refused(void **unused)
{
    static const struct {
        enum bulk_cipher_id id;
        unsigned bits;
        int is_export;
    } refused[] = {
        { BULK_CIPHER_RC4, 32, 0 },      { BULK_CIPHER_RC4, 41, 1 },
        { BULK_CIPHER_DES, 40, 0 },      { BULK_CIPHER_DES, 48, 1 },
        { BULK_CIPHER_DES_EDE3, 0, 1 },  { BULK_CIPHER_AES_128, 128, 1 },
        { BULK_CIPHER_AES_256, 128, 0 },
    };
    const struct bytes random = counting(0x55, 32), master = counting(1, MASTER_SIZE);
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE];

    (void)unused;
    for (size_t n = 0; n < COUNT(refused); n++) {
        const struct connection connection = {
            .client_random = octets_of(&random),
            .server_random = octets_of(&random),
            .cipher = bulk_cipher_by_id((unsigned)refused[n].id),
            .cipher_bits = refused[n].bits,
            .is_export = refused[n].is_export,
            .mac_bits = 160,
        };

        assert_int_equal(ssl3_write_key(master.data, &connection, SIDE_CLIENT, key, NULL), 0);
    }
}

/* ---- ref-ssl3.txt ---- */

static struct connection read_connection(struct vectors *vectors, const char *prefix)
{
    const enum digest_id digest = stanza_digest(vectors, joined(prefix, "MacAlg", ""));
    const uint32_t bits = (uint32_t)(8 * digest_size(digest));
    const uint32_t flags = vectors_integer(vectors, joined(prefix, "EncFlags", ""));

    if (vectors_integer_or(vectors, joined(prefix, "MacBits", ""), bits) != bits || flags > 1)
        vectors_fail(vectors, "unknown flags, or MacBits is not the digest's size");
    return (struct connection){
        .client_random = vectors_hex(vectors, joined(prefix, "ClientRandom", "")),
        .server_random = vectors_hex(vectors, joined(prefix, "ServerRandom", "")),
        .cipher = stanza_cipher(vectors, joined(prefix, "EncAlg", "")),
        .cipher_bits = vectors_integer(vectors, joined(prefix, "EncBits", "")),
        .is_export = (int)flags,
        .digest = digest,
        .mac_bits = bits,
    };
}

/* RC2 runs with all the bits of its final key: those of an export key are 128. */
static unsigned effective_bits(const struct connection *connection)
{
    return connection->is_export ? 128 : connection->cipher_bits;
}

static void compare_side(struct vectors *vectors, struct tally *tally, const char *prefix,
                         const struct connection *connection, enum connection_side side,
                         const uint8_t *master)
{
    const char *name = joined(prefix, side_names[side], "");
    uint8_t mac[DIGEST_MAX_SIZE], key[BULK_CIPHER_MAX_KEY_SIZE], iv[BULK_CIPHER_MAX_BLOCK_SIZE];
    uint8_t sent[STANZA_MAX_DATA];
    struct bulk_cipher_sizes sizes;
    size_t size;

    if (!bulk_cipher_key_block_sizes(connection->cipher, connection->cipher_bits,
                                     connection->is_export, &sizes) ||
        !ssl3_write_key(master, connection, side, key, iv))
        vectors_fail(vectors, "no keys of this size");
    ssl3_mac_secret(master, connection, side, mac);
    stanza_compare(vectors, tally, joined(name, "MacKey", ""),
                   (struct octets){ mac, connection->mac_bits / 8 });
    stanza_compare(vectors, tally, joined(name, "Key", ""), (struct octets){ key, sizes.key });
    if (vectors_has(vectors, joined(name, "IV", "")) != (sizes.iv != 0))
        vectors_fail(vectors, "an IV too many or none");
    if (sizes.iv != 0)
        stanza_compare(vectors, tally, joined(name, "IV", ""), (struct octets){ iv, sizes.iv });
    if (*prefix != '\0') /* resumed sessions have no ciphertexts */
        return;
    size = encrypt_message(connection->cipher, effective_bits(connection),
                           (struct octets){ key, sizes.key }, (struct octets){ iv, sizes.iv },
                           vectors_hex(vectors, "Plaintext"), sent);
    stanza_compare(vectors, tally, joined(name, "Ciphertext", ""), (struct octets){ sent, size });
}

static void compare_connection(struct vectors *vectors, struct tally *tally, const char *prefix,
                               const uint8_t *master)
{
    const struct connection connection = read_connection(vectors, prefix);

    stanza_compare(vectors, tally, joined(prefix, "MasterSecret", ""),
                   (struct octets){ master, MASTER_SIZE });
    compare_side(vectors, tally, prefix, &connection, SIDE_CLIENT, master);
    compare_side(vectors, tally, prefix, &connection, SIDE_SERVER, master);
    if (*prefix != '\0' || connection.cipher->id != BULK_CIPHER_RC2)
        return;
    if (vectors_integer(vectors, "EffectiveKeyLen") != effective_bits(&connection))
        vectors_fail(vectors, "unexpected effective bits");
}

static void read_master(struct vectors *vectors, const char *prefix, uint8_t *master)
{
    ssl3_master_secret(vectors_hex(vectors, "PreMaster"),
                       vectors_hex(vectors, joined(prefix, "ClientRandom", "")),
                       vectors_hex(vectors, joined(prefix, "ServerRandom", "")), master);
}

/* |side| -1: certificate verify. */
static void finished(struct vectors *vectors, int side, uint8_t out[SSL3_FINISHED_SIZE])
{
    const struct octets messages = vectors_hex(vectors, "Messages");
    const uint8_t *master = vectors_hex(vectors, "MasterSecret").data;
    struct digest_state md5, sha1, before;

    memset(&md5, 0, sizeof(md5)); /* all of it is compared, not only what MD5 uses */
    digest_init(&md5, DIGEST_MD5);
    digest_update(&md5, messages.data, messages.size);
    digest_init(&sha1, DIGEST_SHA1);
    digest_update(&sha1, messages.data, messages.size);
    before = md5;
    if (side < 0)
        ssl3_certificate_verify(master, &md5, &sha1, out);
    else
        ssl3_finished(master, (enum connection_side)side, &md5, &sha1, out);
    assert_memory_equal(&md5, &before, sizeof(md5)); /* the caller's hash goes on */
}

static void compare_finished(struct vectors *vectors, struct tally *tally)
{
    static const char *const fields[] = { "Test",   "Name", "Kind", "MasterSecret", "Messages",
                                          "Sender", "MD5",  "SHA1", "Output",       "Checked" };
    static const struct {
        const char *kind, *sender;
        int side;
    } kinds[] = {
        { "client finished", "434c4e54", SIDE_CLIENT },
        { "server finished", "53525652", SIDE_SERVER },
        { "certificate verify", "", -1 },
    };
    uint8_t out[SSL3_FINISHED_SIZE];
    size_t n = 0;

    stanza_allow(vectors, fields, COUNT(fields));
    while (n < COUNT(kinds) && strcmp(kinds[n].kind, vectors_string(vectors, "Kind")) != 0)
        n++;
    if (n == COUNT(kinds))
        vectors_fail(vectors, "unknown kind %s", vectors_string(vectors, "Kind"));
    stanza_require(vectors, "Sender", kinds[n].sender);
    if (vectors_hex(vectors, "MasterSecret").size != MASTER_SIZE)
        vectors_fail(vectors, "no master secret");
    finished(vectors, kinds[n].side, out);
    stanza_compare(vectors, tally, "MD5", (struct octets){ out, 16 });
    stanza_compare(vectors, tally, "SHA1", (struct octets){ out + 16, 20 });
    stanza_compare(vectors, tally, "Output", (struct octets){ out, sizeof(out) });
}

static void compare_keys(struct vectors *vectors, struct tally *tally)
{
    static const char *const fields[] = {
        "Test",
        "Name",
        "Protocol",
        "PreMaster",
        "ClientRandom",
        "ServerRandom",
        "EncAlg",
        "EncBits",
        "EncFlags",
        "MacAlg",
        "MacBits",
        "MasterSecret",
        "ClientKey",
        "ClientMacKey",
        "ClientIV",
        "ServerKey",
        "ServerMacKey",
        "ServerIV",
        "Plaintext",
        "ClientCiphertext",
        "Checked",
        "ServerCiphertext",
        "EffectiveKeyLen",
    };
    uint8_t master[MASTER_SIZE];

    stanza_allow(vectors, fields, COUNT(fields));
    stanza_require(vectors, "Protocol", "SSL3");
    read_master(vectors, "", master);
    compare_connection(vectors, tally, "", master);
}

static void compare_resumed(struct vectors *vectors, struct tally *tally)
{
    static const char *const connections[] = { "Conn1", "Conn2", "Conn3" };
    static const char *const of_a_connection[] = {
        "ClientRandom", "ServerRandom", "EncAlg",       "EncBits",      "EncFlags",
        "MacAlg",       "MasterSecret", "ClientMacKey", "ServerMacKey", "ClientKey",
        "ServerKey",    "ClientIV",     "ServerIV",
    };
    char names[5 + COUNT(connections) * COUNT(of_a_connection)][32] = { "Test", "Name", "Protocol",
                                                                        "PreMaster", "Checked" };
    const char *fields[COUNT(names)];
    uint8_t master[MASTER_SIZE];
    size_t count = 5;

    for (size_t c = 0; c < COUNT(connections); c++) {
        for (size_t n = 0; n < COUNT(of_a_connection); n++)
            snprintf(names[count++], sizeof(names[0]), "%s%s", connections[c], of_a_connection[n]);
    }
    for (size_t n = 0; n < COUNT(names); n++)
        fields[n] = names[n];
    stanza_allow(vectors, fields, COUNT(fields));
    stanza_require(vectors, "Protocol", "SSL3");
    read_master(vectors, "Conn1", master);
    for (size_t c = 0; c < COUNT(connections); c++)
        compare_connection(vectors, tally, connections[c], master);
}

static void the_computed_connections_are_derived_alike(void **unused)
{
    static const char *const checkers[] = { "specification", "specification scapy",
                                            "specification nss scapy" };
    struct vectors *vectors = vectors_open("ref-ssl3.txt");
    struct tally tally = { "ref-ssl3.txt", 0, 0 };
    unsigned kinds[3] = { 0, 0, 0 };

    (void)unused;
    while (stanza_next(vectors, &tally)) {
        const char *test = vectors_string(vectors, "Test");
        size_t n = 0;

        while (n < COUNT(checkers) && strcmp(checkers[n], vectors_string(vectors, "Checked")) != 0)
            n++;
        if (n == COUNT(checkers))
            vectors_fail(vectors, "unknown checkers %s", vectors_string(vectors, "Checked"));
        if (strcmp(test, "SchannelKeys") == 0) {
            compare_keys(vectors, &tally);
            kinds[0]++;
        } else if (strcmp(test, "SchannelResume") == 0) {
            compare_resumed(vectors, &tally);
            kinds[1]++;
        } else if (strcmp(test, "Ssl3Finished") == 0) {
            compare_finished(vectors, &tally);
            kinds[2]++;
        } else {
            vectors_fail(vectors, "unknown test %s", test);
        }
    }
    vectors_close(vectors);
    print_message("    %u connections, %u sessions resumed twice, %u handshake hashes\n", kinds[0],
                  kinds[1], kinds[2]);
    /* each connection master, two keys, MAC keys, ciphertexts and, 96 of them, IVs */
    stanza_report(&tally, 132 * 7 + 96 * 2 + 6 * 3 * 5 + 2 * (4 + 4 + 3) + 54 * 3, 192);
}

/* ---- peer-export.txt ---- */

struct session {
    enum key_protocol protocol;
    struct connection connection;
    const uint8_t *master;
};

struct direction {
    const char *name;
    uint8_t mac_key[DIGEST_MAX_SIZE];
    struct stream *stream;
};

/* SSL 3.0 and TLS 1.0: data, MAC, padding and its length. */
static void compare_record(struct vectors *vectors, struct tally *tally,
                           const struct session *session, const struct direction *direction,
                           unsigned number)
{
    const char digit[] = { (char)('1' + number), '\0' };
    const struct octets record = vectors_hex(vectors, joined(direction->name, "Record", digit));
    const struct octets version = vectors_hex(vectors, joined(direction->name, "Version", digit));
    const uint32_t type = vectors_integer(vectors, joined(direction->name, "Type", digit));
    const size_t mac_size = digest_size(session->connection.digest);
    uint8_t plain[STANZA_MAX_DATA], mac[DIGEST_MAX_SIZE];
    struct octets data = { plain, 0 };

    if (record.size > sizeof(plain) || version.size != 2)
        vectors_fail(vectors, "record %s is too long or has no version", digit);
    stream_update(direction->stream, record, plain);
    if (record.size < plain[record.size - 1] + 1u + mac_size)
        vectors_fail(vectors, "record %s has no right padding", digit);
    data.size = record.size - plain[record.size - 1] - 1 - mac_size;
    stanza_compare(vectors, tally, joined(direction->name, "Plaintext", digit), data);
    stanza_compare(vectors, tally, joined(direction->name, "Mac", digit),
                   (struct octets){ plain + data.size, mac_size });
    record_mac(session->protocol, session->connection.digest,
               (struct octets){ direction->mac_key, mac_size }, number, type,
               (unsigned)(version.data[0] << 8 | version.data[1]), data, mac);
    stanza_compare(vectors, tally, joined(direction->name, "Mac", digit),
                   (struct octets){ mac, mac_size });
}

static void compare_direction(struct vectors *vectors, struct tally *tally,
                              const struct session *session, enum connection_side side)
{
    const int is_ssl3 = session->protocol == KEY_PROTOCOL_SSL3;
    struct direction direction = { .name = side_names[side] };
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], iv[BULK_CIPHER_MAX_BLOCK_SIZE];
    struct bulk_cipher_sizes sizes;
    unsigned records = 0;

    assert_int_equal(bulk_cipher_key_block_sizes(session->connection.cipher,
                                                 session->connection.cipher_bits,
                                                 session->connection.is_export, &sizes),
                     1);
    (is_ssl3 ? ssl3_mac_secret : tls1_mac_secret)(session->master, &session->connection, side,
                                                  direction.mac_key);
    assert_int_equal((is_ssl3 ? ssl3_write_key : tls1_write_key)(
                         session->master, &session->connection, side, key, iv),
                     1);
    stanza_compare(vectors, tally, joined(direction.name, "WriteMac", ""),
                   (struct octets){ direction.mac_key, session->connection.mac_bits / 8 });
    stanza_compare(vectors, tally, joined(direction.name, "WriteKey", ""),
                   (struct octets){ key, sizes.key });
    stanza_compare(vectors, tally, joined(direction.name, "IV", ""),
                   (struct octets){ iv, sizes.iv });
    direction.stream =
        stream_new(session->connection.cipher, 128, (struct octets){ key, sizes.key },
                   vectors_hex(vectors, joined(direction.name, "IV", "")), 0);
    while (records < 2 &&
           vectors_has(vectors, joined(direction.name, "Record", records == 0 ? "1" : "2")))
        compare_record(vectors, tally, session, &direction, records++);
    stream_free(direction.stream);
    if (records == 0)
        vectors_fail(vectors, "no records of the %s", direction.name);
}

static void every_record_of_the_recorded_sessions_decrypts_and_verifies(void **unused)
{
    static const char *const fields[] = {
        "Test",
        "Source",
        "Op",
        "Alg",
        "Cipher",
        "CipherBits",
        "Export",
        "Digest",
        "Secret",
        "ClientRandom",
        "ServerRandom",
        "ClientWriteMac",
        "ServerWriteMac",
        "ClientWriteKey",
        "ServerWriteKey",
        "ClientIV",
        "ServerIV",
        "ClientRecord1",
        "ClientType1",
        "ClientVersion1",
        "ClientMac1",
        "ClientRecord2",
        "ClientPlaintext1",
        "ClientType2",
        "ClientVersion2",
        "ClientMac2",
        "ClientPlaintext2",
        "ServerRecord1",
        "ServerType1",
        "ServerVersion1",
        "ServerPlaintext1",
        "ServerMac1",
        "Verified",
    };
    struct vectors *vectors = vectors_open("peer-export.txt");
    struct tally tally = { "peer-export.txt", 0, 0 };

    (void)unused;
    while (stanza_next(vectors, &tally)) {
        const enum digest_id digest = stanza_digest(vectors, "Digest");
        const struct octets secret = vectors_hex(vectors, "Secret");
        const int is_ssl3 = strcmp(vectors_string(vectors, "Alg"), "SSL3") == 0;
        struct session session = {
            .protocol = is_ssl3 ? KEY_PROTOCOL_SSL3 : KEY_PROTOCOL_TLS1,
            .connection = {
                .client_random = vectors_hex(vectors, "ClientRandom"),
                .server_random = vectors_hex(vectors, "ServerRandom"),
                .cipher = stanza_cipher(vectors, "Cipher"),
                .cipher_bits = vectors_integer(vectors, "CipherBits"),
                .is_export = (int)vectors_integer(vectors, "Export"),
                .digest = digest,
                .mac_bits = 8 * digest_size(digest),
            },
            .master = secret.data,
        };

        stanza_allow(vectors, fields, COUNT(fields));
        stanza_require(vectors, "Op", "session");
        stanza_require(vectors, "Verified", "yes");
        if (!is_ssl3)
            stanza_require(vectors, "Alg", "TLS1");
        if (secret.size != MASTER_SIZE || session.connection.is_export > 1)
            vectors_fail(vectors, "no master secret, or an unknown flag");
        compare_direction(vectors, &tally, &session, SIDE_CLIENT);
        compare_direction(vectors, &tally, &session, SIDE_SERVER);
    }
    vectors_close(vectors);
    stanza_report(&tally, 3 * (6 + 3 * 3), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_gives_every_size_that_the_formula_gives),
        cmocka_unit_test(secrets_and_seeds_may_have_any_length),
        cmocka_unit_test(the_trace_gives_its_master_secret_and_key_block),
        cmocka_unit_test(the_trace_gives_its_final_keys_and_ivs),
        cmocka_unit_test(a_short_key_without_the_export_flag_is_used_as_it_comes),
        cmocka_unit_test(the_trace_gives_its_mac_and_its_encrypted_record),
        cmocka_unit_test(the_computed_record_macs_come_out),
        cmocka_unit_test(randoms_in_the_other_order_give_other_secrets),
        cmocka_unit_test(the_server_hashes_its_own_random_first_for_export),
        cmocka_unit_test(every_cipher_gets_its_slices_in_the_order_of_the_spec),
        cmocka_unit_test(sizes_that_do_not_exist_are_refused),
        cmocka_unit_test(the_computed_connections_are_derived_alike),
        cmocka_unit_test(every_record_of_the_recorded_sessions_decrypts_and_verifies),
    };

    return cmocka_run_group_tests(tests, stanza_setup, stanza_teardown);
}
