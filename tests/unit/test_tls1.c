/*
 * protocol/tls1: the published and recorded vectors, OpenSSL's TLS1-PRF, and what must hold between
 * the secrets of one connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include "primitive/hmac.h"
#include "protocol/key_block.h"
#include "protocol/tls1.h"
#include "vectors.h"

#define COUNT(table)   (sizeof(table) / sizeof((table)[0]))
#define MAX_PRF_SIZE   512
#define MAX_FIELD_NAME 64

static struct octets text(const char *string)
{
    return (struct octets){ (const uint8_t *)string, strlen(string) };
}

/* A counted run of bytes made from a test's hexadecimal text. */
struct bytes {
    uint8_t data[256];
    size_t size;
};

static struct bytes from_hex(const char *hex)
{
    struct bytes bytes = { { 0 }, 0 };

    bytes.size = hex_decode(hex, bytes.data, sizeof(bytes.data));
    return bytes;
}

static struct bytes counting(uint8_t first, size_t size)
{
    struct bytes bytes = { { 0 }, size };

    for (size_t n = 0; n < size; n++)
        bytes.data[n] = (uint8_t)(first + n);
    return bytes;
}

static struct octets octets_of(const struct bytes *bytes)
{
    return (struct octets){ bytes->data, bytes->size };
}

/* ---- Published and computed vectors ---- */

/* NIST's TLS 1.0/1.1 KDF vectors as in OpenSSL's evpkdf_tls1_prf: spec/key-derivation.md 5.1. */
static void the_nist_vector_gives_its_master_secret_and_key_block(void **unused)
{
    const struct bytes premaster = from_hex("bded7fa5c1699c010be23dd06ada3a48349f21e5f86263d5"
                                            "12c0c5cc379f0e780ec55d9844b2f1db02a96453513568d0");
    const struct bytes client_random =
        from_hex("e5acaf549cd25c22d964c0d930fa4b5261d2507fad84c33715b7b9a864020693");
    const struct bytes server_random =
        from_hex("135e4d557fdf3aa6406d82975d5c606a9734c9334b42136e96990fbd5358cdb2");
    const struct bytes next_client_random =
        from_hex("d58a7b1cd4fedaa232159df652ce188f9d997e061b9bf48e83b62990440931f6");
    const struct bytes next_server_random =
        from_hex("67267e650eb32444119d222a368c191af3082888dc35afe8368e638c828874be");
    uint8_t master[TLS1_MASTER_SECRET_SIZE], block[104];

    (void)unused;
    tls1_master_secret(octets_of(&premaster), octets_of(&client_random), octets_of(&server_random),
                       master);
    expect_hex((struct octets){ master, sizeof(master) },
               "2f6962dfbc744c4b2138bb6b3d33054c5ecc14f24851d989"
               "6395a44ab3964efc2090c5bf51a0891209f46c1e1e998f62");
    tls1_key_block(master, octets_of(&next_client_random), octets_of(&next_server_random), block,
                   sizeof(block));
    expect_hex((struct octets){ block, sizeof(block) },
               "3088825988e77fce68d19f756e18e43eb7fe672433504feaf99b3c503d9091b164f166db"
               "301d70c9fc0870b4a94563907bee1a61fb786cb717576890bcc51cb9ead97e01d0a2fea9"
               "9c953377b195205ff07b369589178796edc963fd80fdbe518a2fc1c35c18ae8d");
}

static void expect_secrets(const uint8_t *master, const struct connection *connection,
                           enum connection_side side, const char *mac, const char *key,
                           const char *iv)
{
    uint8_t mac_bytes[DIGEST_MAX_SIZE], key_bytes[BULK_CIPHER_MAX_KEY_SIZE];
    uint8_t iv_bytes[BULK_CIPHER_MAX_BLOCK_SIZE];
    struct bulk_cipher_sizes sizes;

    assert_int_equal(bulk_cipher_key_block_sizes(connection->cipher, connection->cipher_bits,
                                                 connection->is_export, &sizes),
                     1);
    tls1_mac_secret(master, connection, side, mac_bytes);
    assert_int_equal(tls1_write_key(master, connection, side, key_bytes, iv_bytes), 1);
    expect_hex((struct octets){ mac_bytes, connection->mac_bits / 8 }, mac);
    expect_hex((struct octets){ key_bytes, sizes.key }, key);
    expect_hex((struct octets){ iv_bytes, sizes.iv }, iv);
}

/* Wine's rsaenh tests, "schannel provider", recorded on Windows: spec/key-derivation.md 5.2. */
static void the_wine_vector_gives_every_secret_of_its_connection(void **unused)
{
    const struct bytes premaster = from_hex("030118d154c323693a3eb86534985ecf4e10c43f3be6fa4f"
                                            "aa09b588f86e587e446d393965f9215a8bf5e81ee3fa19cd");
    /* The recorded randoms have 33 bytes: the NUL is hashed too. */
    const struct connection connection = {
        .client_random = { (const uint8_t *)"Super Secret Client Secret 12345", 33 },
        .server_random = { (const uint8_t *)"Super Secret Server Secret 12345", 33 },
        .cipher = bulk_cipher_by_id(BULK_CIPHER_DES),
        .cipher_bits = 64,
        .mac_bits = 128,
    };
    uint8_t master[TLS1_MASTER_SECRET_SIZE], output[16], mac_secret[16], mac[16];
    struct digest_state state;
    struct hmac_key key;

    (void)unused;
    tls1_master_secret(octets_of(&premaster), connection.client_random, connection.server_random,
                       master);
    expect_hex((struct octets){ master, sizeof(master) },
               "68862830e89878f96000c93a347336eb1a945e447355392e"
               "f63da803c3a42fe2d8b9943b228b779db15d285bbd09a3bf");
    expect_secrets(master, &connection, SIDE_CLIENT, "5161f54c15b17144d9e0bc46615e71d6",
                   "345445ece519fc58", "fc9fa7e481290cfa");
    expect_secrets(master, &connection, SIDE_SERVER, "f7828609cc943747762370e929c42177",
                   "3b4dfd71471b9e51", "7f45363d8af89e71");
    tls1_prf((struct octets){ master, sizeof(master) }, text("client finished"),
             text("123456789012345678901234567890123456"), (struct octets){ NULL, 0 }, output,
             sizeof(output));
    expect_hex((struct octets){ output, sizeof(output) }, "a8b2a6ef834e74b1f3b1515a1a2b1131");

    tls1_mac_secret(master, &connection, SIDE_SERVER, mac_secret);
    hmac_key_init(&key, DIGEST_MD5, mac_secret, sizeof(mac_secret));
    hmac_start(&key, &state);
    digest_update(&state, output, sizeof(output));
    hmac_finish(&key, &state, mac);
    expect_hex((struct octets){ mac, sizeof(mac) }, "e1653fdbbb3d993c3dca6a6ffa154eaa");
}

/* Computed from RFC 2246 section 6.3.1: spec/key-derivation.md 5.3. */
static void the_export_vector_gives_final_keys_and_the_iv_block(void **unused)
{
    const struct bytes master = counting(0x00, TLS1_MASTER_SECRET_SIZE);
    const struct bytes client_random = counting(0x40, TLS1_RANDOM_SIZE);
    const struct bytes server_random = counting(0x80, TLS1_RANDOM_SIZE);
    struct connection connection = {
        .client_random = octets_of(&client_random),
        .server_random = octets_of(&server_random),
        .cipher = bulk_cipher_by_id(BULK_CIPHER_RC2),
        .cipher_bits = 40,
        .is_export = 1,
        .mac_bits = 160,
    };
    uint8_t block[50];

    (void)unused;
    tls1_key_block(master.data, connection.client_random, connection.server_random, block,
                   sizeof(block));
    expect_hex((struct octets){ block, sizeof(block) },
               "c8d7f2a96d11fcf322bc8642653ee7863891bcae449ecdbf5e"
               "ad09a4be5a290dff561d90f5daa6329466babd7999acac5a33");
    expect_secrets(master.data, &connection, SIDE_CLIENT,
                   "c8d7f2a96d11fcf322bc8642653ee7863891bcae", "7b951fee17f39477f67298fec48af103",
                   "a1954aa00f605f6c");
    expect_secrets(master.data, &connection, SIDE_SERVER,
                   "449ecdbf5ead09a4be5a290dff561d90f5daa632", "7b42d600ccc222bb40dce9574152d38a",
                   "b14dbdf693dd0bd8");
    connection.cipher = bulk_cipher_by_id(BULK_CIPHER_DES);
    expect_secrets(master.data, &connection, SIDE_CLIENT,
                   "c8d7f2a96d11fcf322bc8642653ee7863891bcae", "7b951fee17f39477",
                   "a1954aa00f605f6c");
    expect_secrets(master.data, &connection, SIDE_SERVER,
                   "449ecdbf5ead09a4be5a290dff561d90f5daa632", "7b42d600ccc222bb",
                   "b14dbdf693dd0bd8");
}

static void the_finished_vector_gives_both_verify_data(void **unused)
{
    const struct bytes master = counting(0x00, TLS1_MASTER_SECRET_SIZE);
    uint8_t hash[TLS1_HANDSHAKE_HASH_SIZE], verify_data[TLS1_VERIFY_DATA_SIZE];
    const struct octets verify = { verify_data, sizeof(verify_data) };

    (void)unused;
    tls1_handshake_hash(text("handshake"), hash);
    tls1_finished(master.data, SIDE_CLIENT, hash, verify_data, sizeof(verify_data));
    expect_hex(verify, "54a203053070e439e5482ba6");
    tls1_finished(master.data, SIDE_SERVER, hash, verify_data, sizeof(verify_data));
    expect_hex(verify, "b15d7865b01f0dcfd72cd6e7");
}

/* RFC 1321 A.5 and RFC 3174 TEST1 side by side. */
static void the_handshake_hash_is_md5_and_then_sha1(void **unused)
{
    uint8_t hash[TLS1_HANDSHAKE_HASH_SIZE];

    (void)unused;
    tls1_handshake_hash(text("abc"), hash);
    expect_hex((struct octets){ hash, sizeof(hash) },
               "900150983cd24fb0d6963f7d28e17f72 a9993e364706816aba3e25717850c26c9cd0d89d");
}

/* ---- The second implementation: OpenSSL's TLS1-PRF ---- */

static void openssl_prf(struct octets secret, struct octets label, struct octets seed, uint8_t *out,
                        size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    char digest[] = "MD5-SHA1";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)(uintptr_t)secret.data,
                                          secret.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)(uintptr_t)label.data,
                                          label.size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)(uintptr_t)seed.data,
                                          seed.size),
        OSSL_PARAM_construct_end(),
    };

    assert_non_null(ctx);
    assert_int_equal(EVP_KDF_derive(ctx, out, size, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void secrets_of_every_length_agree_with_openssl(void **unused)
{
    const struct bytes seed = counting(0x33, 64);
    uint8_t ours[100], theirs[sizeof(ours)];

    (void)unused;
    for (size_t size = 0; size <= 200; size++) {
        const struct bytes secret = counting((uint8_t)(size * 3), size);

        tls1_prf(octets_of(&secret), text("test label"), octets_of(&seed),
                 (struct octets){ NULL, 0 }, ours, sizeof(ours));
        openssl_prf(octets_of(&secret), text("test label"), octets_of(&seed), theirs,
                    sizeof(theirs));
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
}

static void outputs_of_every_length_agree_with_openssl_and_stay_in_bounds(void **unused)
{
    const struct bytes secret = counting(0x11, 48), seed = counting(0x77, 64);
    uint8_t ours[301], theirs[sizeof(ours)];

    (void)unused;
    for (size_t size = 1; size < sizeof(ours); size++) {
        memset(ours, 0xa5, sizeof(ours));
        tls1_prf(octets_of(&secret), text("key expansion"), octets_of(&seed),
                 (struct octets){ NULL, 0 }, ours, size);
        openssl_prf(octets_of(&secret), text("key expansion"), octets_of(&seed), theirs, size);
        assert_memory_equal(ours, theirs, size);
        assert_int_equal(ours[size], 0xa5);
    }
}

static void the_seed_may_be_cut_between_its_two_parts_anywhere(void **unused)
{
    const struct bytes secret = counting(0x11, 48), seed = counting(0x77, 64);
    uint8_t ours[48], theirs[sizeof(ours)];

    (void)unused;
    openssl_prf(octets_of(&secret), text("x"), octets_of(&seed), theirs, sizeof(theirs));
    for (size_t cut = 0; cut <= seed.size; cut++) {
        tls1_prf(octets_of(&secret), text("x"), (struct octets){ seed.data, cut },
                 (struct octets){ seed.data + cut, seed.size - cut }, ours, sizeof(ours));
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
}

/* Short seeds are laid out, long ones absorbed: both sides of the border, and a secret kept. */
static void seeds_of_every_length_agree_with_openssl(void **unused)
{
    const struct bytes secret = counting(0x11, 47);
    uint8_t ours[60], theirs[sizeof(ours)];
    struct tls1_secret kept;

    (void)unused;
    tls1_secret_init(&kept, octets_of(&secret));
    for (size_t size = 0; size <= 200; size++) {
        const struct bytes seed = counting((uint8_t)(size * 5), size);

        openssl_prf(octets_of(&secret), text("a label"), octets_of(&seed), theirs, sizeof(theirs));
        tls1_prf(octets_of(&secret), text("a label"), (struct octets){ seed.data, size / 2 },
                 (struct octets){ seed.data + size / 2, size - size / 2 }, ours, sizeof(ours));
        assert_memory_equal(ours, theirs, sizeof(ours));
        memset(ours, 0, sizeof(ours));
        tls1_secret_prf(&kept, text("a label"), octets_of(&seed), text(""), ours, sizeof(ours));
        assert_memory_equal(ours, theirs, sizeof(ours));
    }
}

static void an_empty_secret_needs_no_address(void **unused)
{
    const struct octets nothing = { NULL, 0 };
    uint8_t ours[48], theirs[sizeof(ours)];

    (void)unused;
    tls1_prf(nothing, text("IV block"), text("client"), text("server"), ours, sizeof(ours));
    openssl_prf(text(""), text("IV block"), text("clientserver"), theirs, sizeof(theirs));
    assert_memory_equal(ours, theirs, sizeof(ours));
}

static void an_output_of_no_bytes_writes_nothing(void **unused)
{
    (void)unused;
    tls1_prf(text("secret"), text("label"), text("seed"), text(""), NULL, 0);
}

/* ---- The files of tests/vectors ---- */

struct tally {
    const char *file;
    unsigned stanzas, values;
};

static void compare_value(struct vectors *vectors, struct tally *tally, const char *field,
                          struct octets actual)
{
    vectors_expect(vectors, field, actual);
    tally->values++;
}

/* Fails when they are not as many as the file had when it came. */
static void report(const struct tally *tally, unsigned values, unsigned stanzas)
{
    print_message("%s: %u values of %u stanzas\n", tally->file, tally->values, tally->stanzas);
    assert_int_equal(tally->stanzas, stanzas);
    assert_int_equal(tally->values, values);
}

/* What the fields of one connection are called: prefix || side || what. */
struct naming {
    const char *connection; /* "Conn1", "Conn2", "Conn3" or nothing */
    const char *secrets;    /* "Rfc" where the recorded answer is not the standard's */
};

struct field_name {
    char text[MAX_FIELD_NAME];
};

static struct field_name join(const char *first, const char *second, const char *third)
{
    struct field_name name;
    const int size = snprintf(name.text, sizeof(name.text), "%s%s%s", first, second, third);

    assert_true(size > 0 && (size_t)size < sizeof(name.text));
    return name;
}

static const char *const side_names[] = { [SIDE_CLIENT] = "Client", [SIDE_SERVER] = "Server" };

/* The ciphers of EncAlg. */
static const struct {
    const char *name;
    enum bulk_cipher_id id;
} cipher_names[] = {
    { "RC4", BULK_CIPHER_RC4 },         { "RC2", BULK_CIPHER_RC2 },
    { "DES", BULK_CIPHER_DES },         { "3DES-112", BULK_CIPHER_DES_EDE },
    { "3DES", BULK_CIPHER_DES_EDE3 },   { "AES-128", BULK_CIPHER_AES_128 },
    { "AES-192", BULK_CIPHER_AES_192 }, { "AES-256", BULK_CIPHER_AES_256 },
};

static const struct bulk_cipher *read_cipher(const struct vectors *vectors, const char *field)
{
    const char *name = vectors_string(vectors, field);

    for (size_t n = 0; n < COUNT(cipher_names); n++) {
        if (strcmp(cipher_names[n].name, name) == 0)
            return bulk_cipher_by_id((unsigned)cipher_names[n].id);
    }
    vectors_fail(vectors, "%s: unknown cipher %s", field, name);
}

static enum digest_id read_digest(const struct vectors *vectors, const char *connection)
{
    const char *name = vectors_string(vectors, join(connection, "MacAlg", "").text);
    const enum digest_id id = digest_from_name(name);
    const uint32_t bits = (uint32_t)(8 * digest_size(id));

    if (id == DIGEST_NONE)
        vectors_fail(vectors, "unknown digest %s", name);
    if (vectors_integer_or(vectors, join(connection, "MacBits", "").text, bits) != bits)
        vectors_fail(vectors, "MacBits is not the size of %s", name);
    return id;
}

static struct connection read_connection(struct vectors *vectors, const char *prefix)
{
    return (struct connection){
        .client_random = vectors_hex(vectors, join(prefix, "ClientRandom", "").text),
        .server_random = vectors_hex(vectors, join(prefix, "ServerRandom", "").text),
        .cipher = read_cipher(vectors, join(prefix, "EncAlg", "").text),
        .cipher_bits = vectors_integer(vectors, join(prefix, "EncBits", "").text),
        .is_export = vectors_integer_or(vectors, join(prefix, "EncFlags", "").text, 0) & 1,
        .mac_bits = 8 * digest_size(read_digest(vectors, prefix)),
    };
}

/* Recorded from a CryptoAPI provider: HMAC of MacData under the derived key. */
static void compare_mac(struct vectors *vectors, struct tally *tally, const struct naming *naming,
                        enum connection_side side, const uint8_t *secret)
{
    const enum digest_id id = read_digest(vectors, naming->connection);
    const struct octets data = vectors_hex(vectors, "MacData");
    struct digest_state state;
    struct hmac_key key;
    uint8_t mac[DIGEST_MAX_SIZE];

    hmac_key_init(&key, id, secret, digest_size(id));
    hmac_start(&key, &state);
    digest_update(&state, data.data, data.size);
    hmac_finish(&key, &state, mac);
    compare_value(vectors, tally, join(naming->connection, side_names[side], "Mac").text,
                  (struct octets){ mac, digest_size(id) });
}

static void compare_side(struct vectors *vectors, struct tally *tally, const struct naming *naming,
                         const struct connection *connection, enum connection_side side,
                         const uint8_t *master)
{
    const struct field_name prefix = join(naming->connection, naming->secrets, side_names[side]);
    uint8_t mac_secret[DIGEST_MAX_SIZE], key[BULK_CIPHER_MAX_KEY_SIZE];
    uint8_t iv[BULK_CIPHER_MAX_BLOCK_SIZE];
    struct bulk_cipher_sizes sizes;

    if (!bulk_cipher_key_block_sizes(connection->cipher, connection->cipher_bits,
                                     connection->is_export, &sizes) ||
        !tls1_write_key(master, connection, side, key, iv))
        vectors_fail(vectors, "no keys of this size");
    tls1_mac_secret(master, connection, side, mac_secret);
    compare_value(vectors, tally, join(prefix.text, "MacKey", "").text,
                  (struct octets){ mac_secret, connection->mac_bits / 8 });
    compare_value(vectors, tally, join(prefix.text, "Key", "").text,
                  (struct octets){ key, sizes.key });
    if (sizes.iv > 0)
        compare_value(vectors, tally, join(prefix.text, "IV", "").text,
                      (struct octets){ iv, sizes.iv });
    if (vectors_has(vectors, "MacData"))
        compare_mac(vectors, tally, naming, side, mac_secret);
}

/* Everything that one connection derives from |master|. */
static void compare_connection(struct vectors *vectors, struct tally *tally,
                               const struct naming *naming,
                               const uint8_t master[TLS1_MASTER_SECRET_SIZE])
{
    const struct connection connection = read_connection(vectors, naming->connection);
    const struct field_name key_block = join(naming->connection, "KeyBlock", "");
    const struct field_name result = join(naming->connection, "Result", "");
    uint8_t block[KEY_BLOCK_MAX_SIZE];

    compare_value(vectors, tally, join(naming->connection, "MasterSecret", "").text,
                  (struct octets){ master, TLS1_MASTER_SECRET_SIZE });
    /* The computed files have no key block; the recorded ones, which have Result, must. */
    if (vectors_has(vectors, result.text)) {
        if (strcmp(vectors_string(vectors, result.text), "OK") != 0)
            vectors_fail(vectors, "unexpected %s", result.text);
        tls1_key_block(master, connection.client_random, connection.server_random, block,
                       sizeof(block));
        compare_value(vectors, tally, key_block.text, (struct octets){ block, sizeof(block) });
    }
    compare_side(vectors, tally, naming, &connection, SIDE_CLIENT, master);
    compare_side(vectors, tally, naming, &connection, SIDE_SERVER, master);
}

static void read_master(struct vectors *vectors, const char *prefix, uint8_t *master)
{
    const struct connection connection = read_connection(vectors, prefix);

    tls1_master_secret(vectors_hex(vectors, "PreMaster"), connection.client_random,
                       connection.server_random, master);
}

/* The fields a stanza may have: a new one must be looked at before it is passed over. */
static const char *const common_fields[] = {
    "Test",       "Name",  "Protocol", "PreMaster", "MacData",     "ImportVia",      "RsaKey",
    "MasterBlob", "Quirk", "Checked",  "Plaintext", "DeriveFlags", "EffectiveKeyLen"
};
static const char *const connection_fields[] = { "ClientRandom", "ServerRandom", "EncAlg",
                                                 "EncBits",      "EncFlags",     "MacAlg",
                                                 "MacBits",      "MasterSecret", "KeyBlock",
                                                 "Result" };
/* Compared here: Key, MacKey, IV, Mac.  The others describe the key object or use the cipher. */
static const char *const side_fields[] = { "Key",        "MacKey", "IV",       "Mac",
                                           "KeyBlob",    "KeyLen", "Salt",     "EffectiveKeyLen",
                                           "MacKeyBlob", "Mode",   "BlockLen", "Plaintext",
                                           "Ciphertext" };

static int is_listed(const char *name, const char *const *list, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        if (strcmp(name, list[n]) == 0)
            return 1;
    }
    return 0;
}

static const char *without_prefix(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0 ? name + strlen(prefix) : name;
}

static int is_known_field(const char *name)
{
    static const char *const prefixes[] = { "Conn1", "Conn2", "Conn3", "Rfc" };

    if (is_listed(name, common_fields, COUNT(common_fields)))
        return 1;
    for (size_t n = 0; n < COUNT(prefixes); n++)
        name = without_prefix(name, prefixes[n]);
    return is_listed(name, connection_fields, COUNT(connection_fields)) ||
           is_listed(without_prefix(without_prefix(name, "Client"), "Server"), side_fields,
                     COUNT(side_fields));
}

static int is_known_prf_field(const char *name)
{
    static const char *const fields[] = { "Test", "Name",   "Secret", "LabelText", "Label",
                                          "Seed", "OutLen", "Result", "Output" };

    return is_listed(name, fields, COUNT(fields));
}

/* Steps to the next stanza, which must be a |test| of TLS 1.0 that succeeded. */
static int next_stanza(struct vectors *vectors, struct tally *tally, const char *test,
                       int (*is_known)(const char *name))
{
    const char *field;

    if (!vectors_next(vectors))
        return 0;
    if (strcmp(vectors_string(vectors, "Test"), test) != 0)
        vectors_fail(vectors, "unknown test %s", vectors_string(vectors, "Test"));
    if (strcmp(vectors_string_or(vectors, "Protocol", "TLS1"), "TLS1") != 0)
        vectors_fail(vectors, "unknown protocol %s", vectors_string(vectors, "Protocol"));
    if (strcmp(vectors_string_or(vectors, "Result", "OK"), "OK") != 0)
        vectors_fail(vectors, "unexpected result %s", vectors_string(vectors, "Result"));
    for (size_t n = 0; (field = vectors_field_name(vectors, n)) != NULL; n++) {
        if (!is_known(field))
            vectors_fail(vectors, "unknown field %s", field);
    }
    tally->stanzas++;
    return 1;
}

static void compare_keys_of_file(const char *file, unsigned values, unsigned stanzas)
{
    static const struct naming naming = { "", "" };
    struct vectors *vectors = vectors_open(file);
    struct tally tally = { file, 0, 0 };
    uint8_t master[TLS1_MASTER_SECRET_SIZE];

    while (next_stanza(vectors, &tally, "SchannelKeys", is_known_field)) {
        read_master(vectors, "", master);
        compare_connection(vectors, &tally, &naming, master);
    }
    vectors_close(vectors);
    report(&tally, values, stanzas);
}

static void the_recorded_connections_are_derived_alike(void **unused)
{
    (void)unused;
    compare_keys_of_file("rsaenh-tls1.txt", 167 * 8 + 117 * 2, 167);
}

static void the_computed_export_and_aes_connections_are_derived_alike(void **unused)
{
    (void)unused;
    compare_keys_of_file("ref-tls1.txt", 108 * 5 + 84 * 2, 108);
}

static void a_resumed_session_derives_new_keys_from_the_old_master_secret(void **unused)
{
    static const struct naming connections[] = { { "Conn1", "" },
                                                 { "Conn2", "" },
                                                 { "Conn3", "" } };
    struct vectors *vectors = vectors_open("rsaenh-resume.txt");
    struct tally tally = { "rsaenh-resume.txt", 0, 0 };
    uint8_t master[TLS1_MASTER_SECRET_SIZE];

    (void)unused;
    while (next_stanza(vectors, &tally, "SchannelResume", is_known_field)) {
        read_master(vectors, "Conn1", master);
        for (size_t n = 0; n < COUNT(connections); n++)
            compare_connection(vectors, &tally, &connections[n], master);
    }
    vectors_close(vectors);
    report(&tally, 30 * 3 * 8 + 2 * (18 + 23 + 26), 30);
}

static void the_recorded_prf_outputs_are_computed_alike(void **unused)
{
    struct vectors *vectors = vectors_open("rsaenh-prf.txt");
    struct tally tally = { "rsaenh-prf.txt", 0, 0 };
    uint8_t output[MAX_PRF_SIZE];

    (void)unused;
    while (next_stanza(vectors, &tally, "TLS1PRF", is_known_prf_field)) {
        const size_t size = vectors_integer(vectors, "OutLen");

        assert_true(size <= sizeof(output));
        tls1_prf(vectors_hex(vectors, "Secret"), vectors_hex(vectors, "Label"),
                 vectors_hex(vectors, "Seed"), (struct octets){ NULL, 0 }, output, size);
        compare_value(vectors, &tally, "Output", (struct octets){ output, size });
    }
    vectors_close(vectors);
    report(&tally, 112, 112);
}

/* The quirks of tests/vectors/README.md that concern the keys of a connection. */
struct quirk {
    const char *name;
    unsigned stanzas, not_applicable;
};

static void count_quirks(struct vectors *vectors, struct quirk *quirks, size_t count,
                         int is_applicable)
{
    const char *rest = vectors_string(vectors, "Quirk");

    while (*rest != '\0') {
        const size_t size = strcspn(rest, " ");
        size_t n = 0;

        while (n < count &&
               (strlen(quirks[n].name) != size || strncmp(quirks[n].name, rest, size) != 0))
            n++;
        if (n == count)
            vectors_fail(vectors, "unknown quirk %s", rest);
        quirks[n].stanzas++;
        quirks[n].not_applicable += !is_applicable;
        rest += size + strspn(rest + size, " ");
    }
}

static void where_a_recorded_answer_is_odd_the_answer_of_the_rfc_is_given(void **unused)
{
    static const struct naming naming = { "", "Rfc" };
    struct quirk quirks[] = {
        { "export-flag-ignored", 0, 0 },
        { "des-bits-without-parity-shift-key-block", 0, 0 },
        { "cipher-not-supported-for-schannel-keys", 0, 0 },
    };
    struct vectors *vectors = vectors_open("rsaenh-quirks-tls1.txt");
    struct tally tally = { "rsaenh-quirks-tls1.txt", 0, 0 };
    uint8_t master[TLS1_MASTER_SECRET_SIZE];

    (void)unused;
    while (next_stanza(vectors, &tally, "SchannelKeys", is_known_field)) {
        const int is_applicable = vectors_has(vectors, "RfcClientKey");

        count_quirks(vectors, quirks, COUNT(quirks), is_applicable);
        if (!is_applicable)
            continue;
        read_master(vectors, "", master);
        compare_connection(vectors, &tally, &naming, master);
    }
    vectors_close(vectors);
    report(&tally, 103 * 8 + 90 * 2, 103);
    for (size_t n = 0; n < COUNT(quirks); n++) {
        print_message("    %s: %u stanzas, %u not applicable\n", quirks[n].name, quirks[n].stanzas,
                      quirks[n].not_applicable);
        assert_int_not_equal(quirks[n].stanzas, quirks[n].not_applicable);
    }
}

/* ---- What must hold between the secrets of one connection ---- */

/* A connection of each row of the table, without and, where there is one, in its export form. */
static void for_each_connection(void (*check)(const uint8_t *master,
                                              const struct connection *connection,
                                              const struct bulk_cipher_sizes *sizes))
{
    const struct bytes master = counting(0x21, TLS1_MASTER_SECRET_SIZE);
    const struct bytes client_random = counting(0x55, TLS1_RANDOM_SIZE);
    const struct bytes server_random = counting(0xaa, TLS1_RANDOM_SIZE);
    unsigned checked = 0;

    for (size_t n = 0; bulk_cipher_at(n) != NULL; n++) {
        for (int is_export = 0; is_export <= 1; is_export++) {
            const struct connection connection = {
                .client_random = octets_of(&client_random),
                .server_random = octets_of(&server_random),
                .cipher = bulk_cipher_at(n),
                .cipher_bits = is_export ? 40 : 0,
                .is_export = is_export,
                .mac_bits = 160,
            };
            struct bulk_cipher_sizes sizes;

            if (!bulk_cipher_key_block_sizes(connection.cipher, connection.cipher_bits, is_export,
                                             &sizes))
                continue;
            check(master.data, &connection, &sizes);
            checked++;
        }
    }
    /* Eight ciphers, and RC4, RC2 and DES of 40 bits for export. */
    assert_int_equal(checked, 8 + 3);
}

static void check_sides_differ(const uint8_t *master, const struct connection *connection,
                               const struct bulk_cipher_sizes *sizes)
{
    uint8_t key[2][BULK_CIPHER_MAX_KEY_SIZE], iv[2][BULK_CIPHER_MAX_BLOCK_SIZE];
    uint8_t mac[2][DIGEST_MAX_SIZE];

    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        assert_int_equal(
            tls1_write_key(master, connection, (enum connection_side)side, key[side], iv[side]), 1);
        tls1_mac_secret(master, connection, (enum connection_side)side, mac[side]);
    }
    assert_memory_not_equal(key[0], key[1], sizes->key);
    assert_memory_not_equal(mac[0], mac[1], connection->mac_bits / 8);
    if (sizes->iv > 0)
        assert_memory_not_equal(iv[0], iv[1], sizes->iv);
}

static void client_and_server_never_share_a_secret(void **unused)
{
    (void)unused;
    for_each_connection(check_sides_differ);
}

static void check_outputs_are_whole_and_bounded(const uint8_t *master,
                                                const struct connection *connection,
                                                const struct bulk_cipher_sizes *sizes)
{
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE + 1], iv[BULK_CIPHER_MAX_BLOCK_SIZE + 1];
    uint8_t alone[BULK_CIPHER_MAX_KEY_SIZE];

    memset(key, 0xa5, sizeof(key));
    memset(iv, 0xa5, sizeof(iv));
    assert_int_equal(tls1_write_key(master, connection, SIDE_SERVER, key, iv), 1);
    assert_int_equal(key[sizes->key], 0xa5);
    assert_int_equal(iv[sizes->iv], 0xa5);
    assert_int_equal(tls1_write_key(master, connection, SIDE_SERVER, alone, NULL), 1);
    assert_memory_equal(alone, key, sizes->key);
    assert_int_equal(tls1_write_key(master, connection, SIDE_SERVER, NULL, alone), 1);
    if (sizes->iv > 0)
        assert_memory_equal(alone, iv, sizes->iv);
    assert_int_equal(tls1_write_key(master, connection, SIDE_SERVER, NULL, NULL), 1);
}

static void key_and_iv_are_the_same_together_and_alone_and_stay_in_bounds(void **unused)
{
    (void)unused;
    for_each_connection(check_outputs_are_whole_and_bounded);
}

static void check_slices_tile_the_key_block(const uint8_t *master,
                                            const struct connection *connection,
                                            const struct bulk_cipher_sizes *sizes)
{
    uint8_t block[KEY_BLOCK_MAX_SIZE], slices[KEY_BLOCK_MAX_SIZE];
    uint8_t *key = slices + 2 * connection->mac_bits / 8;
    uint8_t *iv = key + 2 * sizes->key;
    const size_t size = 2 * (connection->mac_bits / 8 + sizes->key + sizes->iv);

    if (connection->is_export)
        return;
    for (unsigned side = SIDE_CLIENT; side <= SIDE_SERVER; side++) {
        tls1_mac_secret(master, connection, (enum connection_side)side,
                        slices + side * connection->mac_bits / 8);
        assert_int_equal(tls1_write_key(master, connection, (enum connection_side)side,
                                        key + side * sizes->key, iv + side * sizes->iv),
                         1);
    }
    tls1_key_block(master, connection->client_random, connection->server_random, block, size);
    assert_memory_equal(slices, block, size);
}

static void without_export_the_secrets_in_order_are_the_key_block(void **unused)
{
    (void)unused;
    for_each_connection(check_slices_tile_the_key_block);
}

static void check_randoms_are_not_interchangeable(const uint8_t *master,
                                                  const struct connection *connection,
                                                  const struct bulk_cipher_sizes *sizes)
{
    struct connection swapped = *connection;
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], other[BULK_CIPHER_MAX_KEY_SIZE];

    swapped.client_random = connection->server_random;
    swapped.server_random = connection->client_random;
    assert_int_equal(tls1_write_key(master, connection, SIDE_CLIENT, key, NULL), 1);
    assert_int_equal(tls1_write_key(master, &swapped, SIDE_CLIENT, other, NULL), 1);
    assert_memory_not_equal(key, other, sizes->key);
}

static void exchanged_randoms_give_other_keys(void **unused)
{
    (void)unused;
    for_each_connection(check_randoms_are_not_interchangeable);
}

/* Section 6.3.1: the IVs of export ciphers come from the randoms alone, final keys do not. */
static void an_export_iv_hangs_on_no_secret_but_the_key_does(void **unused)
{
    const struct bytes one = counting(1, TLS1_MASTER_SECRET_SIZE);
    const struct bytes other = counting(2, TLS1_MASTER_SECRET_SIZE);
    const struct bytes client_random = counting(0x55, TLS1_RANDOM_SIZE);
    const struct bytes server_random = counting(0xaa, TLS1_RANDOM_SIZE);
    const struct connection connection = {
        .client_random = octets_of(&client_random),
        .server_random = octets_of(&server_random),
        .cipher = bulk_cipher_by_id(BULK_CIPHER_RC2),
        .cipher_bits = 40,
        .is_export = 1,
        .mac_bits = 128,
    };
    uint8_t key[2][16], iv[2][8];

    (void)unused;
    assert_int_equal(tls1_write_key(one.data, &connection, SIDE_CLIENT, key[0], iv[0]), 1);
    assert_int_equal(tls1_write_key(other.data, &connection, SIDE_CLIENT, key[1], iv[1]), 1);
    assert_memory_equal(iv[0], iv[1], 8);
    assert_memory_not_equal(key[0], key[1], 16);
}

static void sizes_that_do_not_exist_are_refused(void **unused)
{
    const struct bytes master = counting(1, TLS1_MASTER_SECRET_SIZE);
    const struct bytes random = counting(3, TLS1_RANDOM_SIZE);
    struct connection connection = {
        .client_random = octets_of(&random),
        .server_random = octets_of(&random),
        .cipher = bulk_cipher_by_id(BULK_CIPHER_DES),
        .cipher_bits = 40,
        .mac_bits = 160,
    };
    uint8_t key[BULK_CIPHER_MAX_KEY_SIZE], iv[BULK_CIPHER_MAX_BLOCK_SIZE];

    (void)unused;
    assert_int_equal(tls1_write_key(master.data, &connection, SIDE_CLIENT, key, iv), 0);
    connection.cipher = bulk_cipher_by_id(BULK_CIPHER_AES_128);
    connection.cipher_bits = 0;
    assert_int_equal(tls1_write_key(master.data, &connection, SIDE_CLIENT, key, iv), 1);
}

static void the_largest_connection_fills_the_largest_key_block(void **unused)
{
    struct bulk_cipher_sizes sizes;

    (void)unused;
    assert_int_equal(
        bulk_cipher_key_block_sizes(bulk_cipher_by_id(BULK_CIPHER_AES_256), 0, 0, &sizes), 1);
    assert_int_equal(2 * (DIGEST_MAX_SIZE + sizes.material + sizes.iv), KEY_BLOCK_MAX_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nist_vector_gives_its_master_secret_and_key_block),
        cmocka_unit_test(the_wine_vector_gives_every_secret_of_its_connection),
        cmocka_unit_test(the_export_vector_gives_final_keys_and_the_iv_block),
        cmocka_unit_test(the_finished_vector_gives_both_verify_data),
        cmocka_unit_test(the_handshake_hash_is_md5_and_then_sha1),
        cmocka_unit_test(secrets_of_every_length_agree_with_openssl),
        cmocka_unit_test(outputs_of_every_length_agree_with_openssl_and_stay_in_bounds),
        cmocka_unit_test(the_seed_may_be_cut_between_its_two_parts_anywhere),
        cmocka_unit_test(seeds_of_every_length_agree_with_openssl),
        cmocka_unit_test(an_empty_secret_needs_no_address),
        cmocka_unit_test(an_output_of_no_bytes_writes_nothing),
        cmocka_unit_test(the_recorded_connections_are_derived_alike),
        cmocka_unit_test(the_recorded_prf_outputs_are_computed_alike),
        cmocka_unit_test(a_resumed_session_derives_new_keys_from_the_old_master_secret),
        cmocka_unit_test(the_computed_export_and_aes_connections_are_derived_alike),
        cmocka_unit_test(where_a_recorded_answer_is_odd_the_answer_of_the_rfc_is_given),
        cmocka_unit_test(client_and_server_never_share_a_secret),
        cmocka_unit_test(key_and_iv_are_the_same_together_and_alone_and_stay_in_bounds),
        cmocka_unit_test(without_export_the_secrets_in_order_are_the_key_block),
        cmocka_unit_test(exchanged_randoms_give_other_keys),
        cmocka_unit_test(an_export_iv_hangs_on_no_secret_but_the_key_does),
        cmocka_unit_test(sizes_that_do_not_exist_are_refused),
        cmocka_unit_test(the_largest_connection_fills_the_largest_key_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
