/*
 * The vector files of tests/vectors through key objects: a master key, the four keys that it
 * derives, what they say of themselves, a message under each; PRF, key blocks and handshake hashes by
 * EVP_PKEY_derive.  Prints how many values each file has and how many came out.
 *
 * Recorded answers of a CryptoAPI provider come with what that provider sets on keys of less than
 * 128 bits outside export suites: a salt, and effective bits of RC2.  Here they are set on the key.
 */
#include "protocols.h"
#include "vectors.h"

#define KEY_BLOCK_SIZE 136
#define MAX_TEXT       512

static const char *const sides[] = { "Client", "Server" };

static unsigned values, stanzas; /* of the file that is being read */

/* ---- reading ---- */

/* The name of a field, put together; good in the expression it is made in, or as a copy. */
struct name {
    char text[64];
};

static struct name named(const char *first, const char *second, const char *third)
{
    struct name name;
    const int size = snprintf(name.text, sizeof(name.text), "%s%s%s", first, second, third);

    assert_in_range(size, 1, sizeof(name.text) - 1);
    return name;
}

/* EncAlg of the files. */
static const char *cipher_of(const struct vectors *vectors, const char *field)
{
    static const struct {
        const char *given, *name;
    } names[] = {
        { "RC4", "RC4" },
        { "RC2", "RC2-CBC" },
        { "DES", "DES-CBC" },
        { "3DES-112", "DES-EDE-CBC" },
        { "3DES", "DES-EDE3-CBC" },
        { "AES-128", "AES-128-CBC" },
        { "AES-192", "AES-192-CBC" },
        { "AES-256", "AES-256-CBC" },
    };
    const char *given = vectors_string(vectors, field);

    for (size_t n = 0; n < COUNT(names); n++) {
        if (strcmp(names[n].given, given) == 0)
            return names[n].name;
    }
    vectors_fail(vectors, "unknown cipher %s", given);
}

static void add_field(struct list *list, const char *name, struct vectors *vectors,
                      const char *field)
{
    const struct octets value = vectors_hex(vectors, field);

    add_octets(list, name, value.data, value.size);
}

static void compare(struct vectors *vectors, const char *field, const uint8_t *data, size_t size)
{
    vectors_expect(vectors, field, (struct octets){ data, size });
    values++;
}

static int next_stanza(struct vectors *vectors)
{
    if (!vectors_next(vectors))
        return 0;
    stanzas++;
    return 1;
}

static struct vectors *start(const char *file)
{
    values = stanzas = 0;
    return vectors_open(file);
}

static void finish(struct vectors *vectors, const char *file, unsigned expected)
{
    vectors_close(vectors);
    print_message("    %s: %u values of %u stanzas\n", file, values, stanzas);
    assert_int_equal(values, expected);
}

/* ---- using keys ---- */

/* CryptEncrypt, Final TRUE. */
static void compare_message(struct vectors *vectors, EVP_PKEY *key, const char *plain,
                            const char *sent)
{
    const struct octets text = vectors_hex(vectors, plain);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    uint8_t out[MAX_TEXT];
    size_t size = sizeof(out);

    assert_int_equal(EVP_PKEY_encrypt_init(context), 1);
    assert_int_equal(EVP_PKEY_encrypt(context, out, &size, text.data, text.size), 1);
    compare(vectors, sent, out, size);
    EVP_PKEY_CTX_free(context);
}

static void compare_mac(struct vectors *vectors, EVP_PKEY *key, const char *field)
{
    const struct octets text = vectors_hex(vectors, "MacData");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t mac[20];
    size_t size = sizeof(mac);

    assert_int_equal(EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(context, mac, &size, text.data, text.size), 1);
    compare(vectors, field, mac, size);
    EVP_MD_CTX_free(context);
}

static void compare_secret(struct vectors *vectors, EVP_PKEY *key, const char *field)
{
    struct exported exported;

    export_raw(key, &exported);
    assert_int_equal(exported.is_premaster, 0);
    compare(vectors, field, exported.secret, exported.size);
}

static void compare_derived(struct vectors *vectors, EVP_PKEY *master, const struct list *list,
                            const char *field, size_t size)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);
    uint8_t out[MAX_TEXT];
    size_t written = sizeof(out);

    assert_in_range(size, 1, sizeof(out));
    assert_int_equal(EVP_PKEY_derive_init_ex(context, list->params), 1);
    assert_int_equal(EVP_PKEY_derive(context, out, &written), 1);
    assert_int_equal(written, size);
    compare(vectors, field, out, written);
    EVP_PKEY_CTX_free(context);
}

/* An exportable key of |usage|, with everything else as the master has it. */
static EVP_PKEY *derive(EVP_PKEY_CTX *context, const char *side, const char *kind)
{
    char usage[32];
    struct list list;
    EVP_PKEY *key;

    snprintf(usage, sizeof(usage), "%s-write-%s", strcmp(side, "Client") == 0 ? "client" : "server",
             kind);
    list_start(&list);
    add_text(&list, "usage", usage);
    add_number(&list, "exportable", 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 1);
    key = generate_next(context);
    assert_non_null(key);
    return key;
}

static EVP_PKEY *new_master_of(const char *algorithm, struct vectors *vectors, const char *kind,
                               const char *field)
{
    struct list list;
    EVP_PKEY *master;

    list_start(&list);
    add_text(&list, "alg", algorithm);
    add_field(&list, kind, vectors, field);
    add_number(&list, "exportable", 1);
    master = from_data(list.params);
    assert_non_null(master);
    return master;
}

/* ---- SSL 3.0 and TLS 1.0 ---- */

/* KP_CLIENT_RANDOM, KP_SERVER_RANDOM and both KP_SCHANNEL_ALG. */
static void describe_connection(struct vectors *vectors, EVP_PKEY *master, const char *prefix)
{
    struct list list;

    list_start(&list);
    add_field(&list, "client-random", vectors, named(prefix, "ClientRandom", "").text);
    add_field(&list, "server-random", vectors, named(prefix, "ServerRandom", "").text);
    add_text(&list, "cipher", cipher_of(vectors, named(prefix, "EncAlg", "").text));
    add_number(&list, "cipher-bits", vectors_integer(vectors, named(prefix, "EncBits", "").text));
    add_number(&list, "export",
               vectors_integer_or(vectors, named(prefix, "EncFlags", "").text, 0) & 1);
    add_text(&list, "digest", vectors_string(vectors, named(prefix, "MacAlg", "").text));
    if (vectors_has(vectors, named(prefix, "MacBits", "").text))
        add_number(&list, "mac-bits", vectors_integer(vectors, named(prefix, "MacBits", "").text));
    assert_int_equal(EVP_PKEY_set_params(master, list.params), 1);
}

/* The key with the salt behind it, where that is no salt of a key of 40 bits. */
static EVP_PKEY *longer_key(EVP_PKEY *key, struct octets salt)
{
    struct exported exported;
    char algorithm[32];
    EVP_PKEY *longer;

    export_raw(key, &exported);
    memcpy(exported.secret + exported.size, salt.data, salt.size);
    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "alg", algorithm, sizeof(algorithm), NULL),
                     1);
    longer = make_key(algorithm, NULL, exported.secret, exported.size + salt.size);
    if (strcmp(algorithm, "RC2-CBC") == 0) {
        uint8_t iv[16];
        const size_t size = octets_of(key, "iv", iv, sizeof(iv));

        assert_int_equal(set_octets(longer, "iv", iv, size), 1);
    }
    EVP_PKEY_free(key);
    return longer;
}

/* What the recorded provider says of its key: KP_KEYLEN, and what it sets by itself. */
static EVP_PKEY *take_properties(struct vectors *vectors, EVP_PKEY *key, const char *name,
                                 const char *cipher)
{
    const struct octets none = { NULL, 0 };
    const struct octets salt = vectors_hex_or(vectors, named(name, "Salt", "").text, none);
    const uint32_t all = vectors_integer_or(vectors, "EffectiveKeyLen", 128);
    const uint32_t bits = vectors_integer_or(vectors, named(name, "EffectiveKeyLen", "").text, all);

    if (vectors_has(vectors, named(name, "KeyLen", "").text)) {
        assert_int_equal(number_of(key, "bits"),
                         vectors_integer(vectors, named(name, "KeyLen", "").text));
        values++;
    }
    if (salt.size == 11)
        assert_int_equal(set_octets(key, "salt", salt.data, salt.size), 1);
    else if (salt.size != 0)
        key = longer_key(key, salt);
    if (strcmp(cipher, "RC2-CBC") == 0)
        assert_int_equal(set_number(key, "effective-bits", bits), 1);
    return key;
}

/* |secrets| is "Rfc" where the recorded keys are odd: their messages are left alone. */
static void compare_cipher_key(struct vectors *vectors, EVP_PKEY_CTX *context, const char *prefix,
                               const char *secrets, const char *side)
{
    const char *cipher = cipher_of(vectors, named(prefix, "EncAlg", "").text);
    const struct name name = named(prefix, side, ""), secret = named(prefix, secrets, side);
    const struct name own = named(name.text, "Plaintext", "");
    const char *plain = vectors_has(vectors, own.text) ? own.text : "Plaintext";
    EVP_PKEY *key = derive(context, side, "key");
    uint8_t iv[16];

    compare_secret(vectors, key, named(secret.text, "Key", "").text);
    if (strcmp(cipher, "RC4") != 0)
        compare(vectors, named(secret.text, "IV", "").text, iv,
                octets_of(key, "iv", iv, sizeof(iv)));
    if (*secrets == '\0') {
        key = take_properties(vectors, key, name.text, cipher);
        if (vectors_has(vectors, plain))
            compare_message(vectors, key, plain, named(name.text, "Ciphertext", "").text);
    }
    EVP_PKEY_free(key);
}

static void compare_connection(struct vectors *vectors, EVP_PKEY *master, const char *prefix,
                               const char *secrets)
{
    EVP_PKEY_CTX *context;
    struct list list;

    describe_connection(vectors, master, prefix);
    context = new_generation(master, NULL);
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *key;

        compare_cipher_key(vectors, context, prefix, secrets, sides[n]);
        key = derive(context, sides[n], "mac");
        compare_secret(vectors, key,
                       named(named(prefix, secrets, sides[n]).text, "MacKey", "").text);
        if (vectors_has(vectors, "MacData"))
            compare_mac(vectors, key, named(prefix, sides[n], "Mac").text);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_CTX_free(context);
    compare_secret(vectors, master, named(prefix, "MasterSecret", "").text); /* converted by now */
    if (vectors_has(vectors, named(prefix, "KeyBlock", "").text)) {
        list_start(&list);
        add_text(&list, "usage", "key-block");
        add_number(&list, "keylen", KEY_BLOCK_SIZE);
        compare_derived(vectors, master, &list, named(prefix, "KeyBlock", "").text, KEY_BLOCK_SIZE);
    }
}

/* SchannelKeys and SchannelResume: three connections of one master key object, one after another. */
static void compare_keys(struct vectors *vectors)
{
    const struct name algorithm = named(vectors_string(vectors, "Protocol"), "-MASTER", "");
    const int is_resumed = strcmp(vectors_string(vectors, "Test"), "SchannelResume") == 0;
    const char *secrets = vectors_has(vectors, "Quirk") ? "Rfc" : "";
    EVP_PKEY *master;

    if (*secrets != '\0' && !vectors_has(vectors, "RfcClientKey"))
        return; /* the RFC has no answer either */
    master = new_master_of(algorithm.text, vectors, "premaster", "PreMaster");
    if (is_resumed) {
        compare_connection(vectors, master, "Conn1", secrets);
        compare_connection(vectors, master, "Conn2", secrets);
        compare_connection(vectors, master, "Conn3", secrets);
    } else {
        compare_connection(vectors, master, "", secrets);
    }
    EVP_PKEY_free(master);
}

static void compare_prf(struct vectors *vectors)
{
    EVP_PKEY *master = new_master_of("TLS1-MASTER", vectors, "secret", "Secret");
    const uint32_t size = vectors_integer(vectors, "OutLen");
    struct list list;

    list_start(&list);
    add_text(&list, "usage", "prf");
    add_field(&list, "label", vectors, "Label");
    add_field(&list, "seed", vectors, "Seed");
    add_number(&list, "keylen", size);
    compare_derived(vectors, master, &list, "Output", size);
    EVP_PKEY_free(master);
}

static void compare_handshake_hash(struct vectors *vectors)
{
    static const struct {
        const char *kind, *usage;
    } usages[] = { { "client finished", "finished-client" },
                   { "server finished", "finished-server" },
                   { "certificate verify", "certificate-verify" } };
    EVP_PKEY *master = new_master_of("SSL3-MASTER", vectors, "secret", "MasterSecret");
    struct list list;
    size_t n = 0;

    while (n < COUNT(usages) && strcmp(usages[n].kind, vectors_string(vectors, "Kind")) != 0)
        n++;
    if (n == COUNT(usages))
        vectors_fail(vectors, "unknown kind %s", vectors_string(vectors, "Kind"));
    list_start(&list);
    add_text(&list, "usage", usages[n].usage);
    add_field(&list, "handshake", vectors, "Messages");
    compare_derived(vectors, master, &list, "Output", 36);
    EVP_PKEY_free(master);
}

static void compare_file(const char *file, unsigned expected)
{
    struct vectors *vectors = start(file);

    while (next_stanza(vectors)) {
        const char *test = vectors_string(vectors, "Test");

        if (strcmp(test, "TLS1PRF") == 0)
            compare_prf(vectors);
        else if (strcmp(test, "Ssl3Finished") == 0)
            compare_handshake_hash(vectors);
        else if (strcmp(test, "SchannelKeys") == 0 || strcmp(test, "SchannelResume") == 0)
            compare_keys(vectors);
        else
            vectors_fail(vectors, "unknown test %s", test);
    }
    finish(vectors, file, expected);
}

static void computed_connections_of_ssl3_come_out(void **state)
{
    (void)state;
    /* each connection master, two keys, MAC keys, messages and, 96 of them, IVs; resumed ones none of
     * the messages */
    compare_file("ref-ssl3.txt", 132 * 7 + 96 * 2 + 6 * 3 * 5 + 2 * (4 + 4 + 3) + 54);
}

static void computed_connections_of_tls1_come_out(void **state)
{
    (void)state;
    compare_file("ref-tls1.txt", 108 * 7 + 84 * 2);
}

static void recorded_connections_of_tls1_come_out(void **state)
{
    (void)state;
    /* the same, a key block, and two MACs and key sizes */
    compare_file("rsaenh-tls1.txt", 167 * 12 + 117 * 2);
}

static void recorded_reconnections_come_out(void **state)
{
    (void)state;
    compare_file("rsaenh-resume.txt", 30 * 3 * 12 + 2 * (18 + 23 + 26));
}

static void recorded_outputs_of_the_prf_come_out(void **state)
{
    (void)state;
    compare_file("rsaenh-prf.txt", 112);
}

static void where_recorded_keys_are_odd_those_of_the_rfc_come_out(void **state)
{
    (void)state;
    compare_file("rsaenh-quirks-tls1.txt", 103 * 8 + 90 * 2);
}

/* ---- SSL 2.0 ---- */

static void compare_ssl2_keys(struct vectors *vectors, EVP_PKEY *master, const char *prefix,
                              int has_message)
{
    static const char *const names[] = { "ClientWrite", "ClientRead" };
    EVP_PKEY_CTX *context = new_generation(master, NULL);

    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *key = derive(context, sides[n], "key");
        struct octets bytes;

        if (vectors_has(vectors, "IV")) {
            const struct octets iv = vectors_hex(vectors, "IV");

            assert_int_equal(set_octets(key, "iv", iv.data, iv.size), 1);
        }
        bytes = vectors_hex(vectors, named(prefix, names[n], "Key").text);
        assert_made_of(key, bytes.data, bytes.size); /* a MAC secret: not exported raw */
        values++;
        if (has_message)
            compare_message(vectors, key, "Plaintext", named(names[n], "Ciphertext", "").text);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_CTX_free(context);
}

/* The file's DES keys are those of the draft; those of deployed peers stand beside them. */
static void computed_connections_of_ssl2_come_out(void **state)
{
    struct vectors *vectors = start("ref-ssl2.txt");

    (void)state;
    while (next_stanza(vectors)) {
        EVP_PKEY *master = new_master_of("SSL2-MASTER", vectors, "secret", "SecretKey");
        EVP_PKEY *whole = new_master_of("SSL2-MASTER", vectors, "secret", "MasterKey");
        EVP_PKEY *const masters[] = { master, whole };

        for (size_t n = 0; n < 2; n++) {
            struct list list;

            list_start(&list);
            add_field(&list, "client-random", vectors, "Challenge");
            add_field(&list, "server-random", vectors, "ConnectionId");
            add_text(&list, "cipher", cipher_of(vectors, "EncAlg"));
            add_number(&list, "cipher-bits", vectors_integer(vectors, "EncBits"));
            if (n == 0) /* KP_CLEAR_KEY */
                add_field(&list, "clear-key", vectors, "ClearKey");
            assert_int_equal(EVP_PKEY_set_params(masters[n], list.params), 1);
            if (vectors_has(vectors, "DigitClientWriteKey")) {
                compare_ssl2_keys(vectors, masters[n], "Digit", 0);
                assert_int_equal(set_number(masters[n], "ssl2-des-digit", 0), 1);
            }
            compare_ssl2_keys(vectors, masters[n], "", 1);
        }
        EVP_PKEY_free(master);
        EVP_PKEY_free(whole);
    }
    finish(vectors, "ref-ssl2.txt", 2 * (72 * 4 + 12 * 2));
}

/* ---- PCT 1.0 ---- */

static void compare_pct1_side(struct vectors *vectors, EVP_PKEY *master, const char *side)
{
    EVP_PKEY_CTX *context = new_generation(master, NULL);
    EVP_PKEY *key = derive(context, side, "key"), *mac = derive(context, side, "mac");
    struct exported whole;
    struct list list;

    compare_secret(vectors, key, named(side, "Key", "").text);
    compare_secret(vectors, mac, named(side, "MacKey", "").text);
    EVP_PKEY_free(key);
    EVP_PKEY_free(mac);
    /* what a short key is before its expansion: the beginning of one that is not short */
    list_start(&list);
    add_number(&list, "cipher-bits", 128);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 1);
    key = derive(context, side, "key");
    export_raw(key, &whole);
    compare(vectors, named(side, "WriteKey", "").text, whole.secret,
            vectors_integer(vectors, "KeyBits") / 8);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
}

static void computed_connections_of_pct1_come_out(void **state)
{
    struct vectors *vectors = start("ref-pct1.txt");

    (void)state;
    while (next_stanza(vectors)) {
        EVP_PKEY *master = new_master_of("PCT1-MASTER", vectors, "secret", "MasterKey");
        struct list list;

        list_start(&list);
        add_field(&list, "client-random", vectors, "Challenge");
        add_field(&list, "server-random", vectors, "ConnectionId");
        add_field(&list, "certificate", vectors, "Certificate");
        add_field(&list, "clear-key", vectors, "ClearKey");
        add_text(&list, "cipher", cipher_of(vectors, "EncAlg"));
        add_number(&list, "cipher-bits", vectors_integer(vectors, "KeyBits"));
        add_text(&list, "digest", vectors_string(vectors, "Hash"));
        add_number(&list, "mac-bits", vectors_integer(vectors, "MacBits"));
        assert_int_equal(EVP_PKEY_set_params(master, list.params), 1);
        compare_pct1_side(vectors, master, "Client");
        compare_pct1_side(vectors, master, "Server");
        EVP_PKEY_free(master);
    }
    finish(vectors, "ref-pct1.txt", 120 * 6);
}

/* ---- the chain of calls that Wine's tests of its "schannel provider" recorded on Windows ---- */

static EVP_PKEY *wine_master(void)
{
    static const char client[] = "Super Secret Client Secret 12345"; /* hashed with their NULs */
    static const char server[] = "Super Secret Server Secret 12345";
    uint8_t premaster[48];
    struct list list;
    EVP_PKEY *master;

    hex_decode("030118d154c323693a3eb86534985ecf4e10c43f3be6fa4faa09b588f86e587e446d393965f9215a"
               "8bf5e81ee3fa19cd",
               premaster, sizeof(premaster));
    list_start(&list);
    add_text(&list, "alg", "TLS1-MASTER");
    add_octets(&list, "premaster", premaster, sizeof(premaster));
    add_octets(&list, "client-random", client, sizeof(client));
    add_octets(&list, "server-random", server, sizeof(server));
    add_number(&list, "relaxed-randoms", 1);
    add_text(&list, "cipher", "DES-CBC");
    add_number(&list, "cipher-bits", 64);
    add_text(&list, "digest", "MD5");
    add_number(&list, "mac-bits", 128);
    master = from_data(list.params);
    assert_non_null(master);
    return master;
}

static void the_chain_that_wine_recorded_comes_out(void **state)
{
    static const char text[] = "Wine rocks!";
    EVP_PKEY *master = wine_master(), *key, *mac_key;
    EVP_PKEY_CTX *context = new_generation(master, NULL), *message, *exchange;
    EVP_MD_CTX *mac_context = EVP_MD_CTX_new();
    uint8_t out[32], iv[8], prf[16], mac[16];
    size_t size = sizeof(out);
    struct exported exported;
    struct list list;

    (void)state;
    key = derive(context, "Server", "key");
    export_raw(key, &exported);
    expect_hex((struct octets){ exported.secret, exported.size }, "3b4dfd71471b9e51");
    expect_hex((struct octets){ iv, octets_of(key, "iv", iv, sizeof(iv)) }, "7f45363d8af89e71");
    message = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    assert_int_equal(EVP_PKEY_encrypt_init(message), 1);
    assert_int_equal(EVP_PKEY_encrypt(message, out, &size, (const uint8_t *)text, sizeof(text)), 1);
    expect_hex((struct octets){ out, size }, "13d2ddeb6c3fbeb20486b5e508e5f30d");
    list_start(&list);
    add_text(&list, "usage", "prf");
    add_octets(&list, "label", "client finished", 15);
    add_octets(&list, "seed", "123456789012345678901234567890123456", 36);
    add_number(&list, "keylen", sizeof(prf));
    exchange = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);
    size = sizeof(prf);
    assert_int_equal(EVP_PKEY_derive_init_ex(exchange, list.params), 1);
    assert_int_equal(EVP_PKEY_derive(exchange, prf, &size), 1);
    expect_hex((struct octets){ prf, size }, "a8b2a6ef834e74b1f3b1515a1a2b1131");
    mac_key = derive(context, "Server", "mac");
    size = sizeof(mac);
    assert_int_equal(EVP_DigestSignInit_ex(mac_context, NULL, NULL, libctx, NULL, mac_key, NULL),
                     1);
    assert_int_equal(EVP_DigestSign(mac_context, mac, &size, prf, sizeof(prf)), 1);
    expect_hex((struct octets){ mac, size }, "e1653fdbbb3d993c3dca6a6ffa154eaa");
    EVP_MD_CTX_free(mac_context);
    EVP_PKEY_CTX_free(exchange);
    EVP_PKEY_CTX_free(message);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(mac_key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(master);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(computed_connections_of_pct1_come_out),
        TEST(computed_connections_of_ssl2_come_out),
        TEST(computed_connections_of_ssl3_come_out),
        TEST(computed_connections_of_tls1_come_out),
        TEST(recorded_connections_of_tls1_come_out),
        TEST(recorded_reconnections_come_out),
        TEST(recorded_outputs_of_the_prf_come_out),
        TEST(where_recorded_keys_are_odd_those_of_the_rfc_come_out),
        TEST(the_chain_that_wine_recorded_comes_out),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
