/*
 * Session keys of the four protocols, made by EVP_PKEY_generate from a master: those of the KDF of
 * the same protocol, with their IVs; clear keys and certificates; a generation context as the
 * master hash; reconnects.
 */
#include "protocols.h"

#include <openssl/kdf.h>

#define MAX_BYTES 64
#define TLS1_1    770

static const char *const usages[] = { "client-write-key", "server-write-key", "client-write-mac",
                                      "server-write-mac" };

/* How many of them there are: SSL 2.0 has no MAC keys. */
static size_t usages_of(const struct protocol *protocol)
{
    return protocol->has_mac_keys ? 4 : 2;
}

/* ---- against the KDF ---- */

/* The size, or 0 when the KDF refuses; its reason is dropped. */
static size_t ask_kdf(const struct protocol *protocol, const struct list *list, uint8_t *out)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, protocol->kdf, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    size_t size = 0;

    if (EVP_KDF_CTX_set_params(context, list->params) == 1)
        size = EVP_KDF_CTX_get_kdf_size(context);
    assert_in_range(size, 0, MAX_BYTES);
    if (size != 0 && EVP_KDF_derive(context, out, size, NULL) != 1)
        size = 0;
    ERR_clear_error();
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return size;
}

static void assert_iv(EVP_PKEY *key, const uint8_t *expected)
{
    uint8_t iv[16] = { 0 };
    OSSL_PARAM params[] = { octets_param("iv", iv, sizeof(iv)), OSSL_PARAM_construct_end() };

    if (EVP_PKEY_get_params(key, params) != 1)
        ERR_clear_error(); /* RC4 */
    else
        assert_memory_equal(iv, expected, params[0].return_size);
}

/* One derivation: key and KDF agree, or both refuse.  1 when there is such a key. */
static int agree(const struct protocol *protocol, EVP_PKEY *master, struct list *list,
                 const char *usage)
{
    uint8_t bytes[MAX_BYTES], iv[MAX_BYTES] = { 0 };
    size_t size, iv_size;
    EVP_PKEY *key;

    add_text(list, "usage", usage);
    size = ask_kdf(protocol, list, bytes);
    drop(list, "usage");
    add_text(list, "usage",
             strncmp(usage, "client", 6) == 0 ? "client-write-iv" : "server-write-iv");
    iv_size = ask_kdf(protocol, list, iv);
    if (iv_size == 0)
        memset(iv, 0, sizeof(iv));
    drop(list, "usage");
    add_text(list, "usage", usage);
    drop(list, "secret");
    key = generate_from(master, list);
    assert_int_equal(key != NULL, size != 0);
    if (key == NULL) {
        assert_reason(NULL, "");
        return 0;
    }
    assert_no_errors();
    assert_made_of(key, bytes, size);
    assert_text_of(key, "usage", usage);
    assert_int_equal(number_of(key, "exportable"), 0);
    if (strstr(usage, "mac") == NULL)
        assert_iv(key, iv);
    else
        assert_true(number_of(key, "sequence") == 0);
    EVP_PKEY_free(key);
    return 1;
}

static void every_key_is_that_of_the_kdf(void **state)
{
    static const char *const ciphers[] = { "RC4",         "RC2-CBC",      "DES-CBC",
                                           "DES-EDE-CBC", "DES-EDE3-CBC", "AES-128-CBC",
                                           "AES-192-CBC", "AES-256-CBC" };
    static const unsigned bits[] = { 0, 40, 56, 64, 112, 128, 168, 192 };
    static const char *const digests[] = { "MD5", "SHA1" };
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t p = 0; p < PROTOCOLS; p++) {
        EVP_PKEY *master =
            make_key(protocols[p].master, NULL, material.secret, protocols[p].secret);
        size_t made = 0, refused = 0;

        for (size_t n = 0; n < COUNT(ciphers) * COUNT(bits) * 2 * 3; n++) {
            const size_t how = n / COUNT(ciphers) / COUNT(bits) / 2; /* plain, export, TLS 1.1 */

            for (size_t usage = 0; usage < 4; usage++) {
                struct list list;

                if (how == 2 && p != TLS1)
                    continue;
                list_start(&list);
                add_octets(&list, "secret", material.secret, protocols[p].secret);
                add_randoms(&list, &material);
                add_text(&list, "cipher", ciphers[n % COUNT(ciphers)]);
                if (bits[n / COUNT(ciphers) % COUNT(bits)] != 0)
                    add_number(&list, "cipher-bits", bits[n / COUNT(ciphers) % COUNT(bits)]);
                add_text(&list, "digest", digests[n / COUNT(ciphers) / COUNT(bits) % 2]);
                if (p == PCT1) {
                    add_octets(&list, "clear-key", material.clear, 10);
                    add_octets(&list, "certificate", material.certificate, CERT_SIZE);
                }
                if (how == 1)
                    add_number(&list, "export", 1);
                if (how == 2)
                    add_number(&list, "record-version", TLS1_1);
                if (agree(&protocols[p], master, &list, usages[usage]))
                    made++;
                else
                    refused++;
            }
        }
        print_message("%s: %zu keys, %zu refused by both\n", protocols[p].name, made, refused);
        assert_true(made > 90);
        EVP_PKEY_free(master);
    }
}

/* PCT 1.0 negotiates the size of a MAC key. */
static void pct1_mac_keys_have_64_to_319_bits(void **state)
{
    struct material material;
    EVP_PKEY *master;
    struct list list;

    (void)state;
    make_material(&material, 0);
    master = make_key("PCT1-MASTER", NULL, material.secret, 16);
    for (unsigned bits = 60; bits <= 324; bits++) {
        for (size_t usage = 2; usage < 4; usage++) {
            list_start(&list);
            add_octets(&list, "secret", material.secret, 16);
            add_randoms(&list, &material);
            add_text(&list, "digest", bits % 2 == 0 ? "MD5" : "SHA1");
            add_number(&list, "mac-bits", bits);
            assert_int_equal(agree(&protocols[PCT1], master, &list, usages[usage]),
                             bits >= 64 && bits <= 319);
        }
    }
    EVP_PKEY_free(master);
}

static void a_digest_has_mac_keys_of_its_own_size_elsewhere(void **state)
{
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t p = SSL3; p <= TLS1; p++) {
        EVP_PKEY *master = new_master(&protocols[p], &material);

        for (unsigned bits = 120; bits <= 168; bits += 8) {
            struct list list;

            list_start(&list);
            add_octets(&list, "secret", material.secret, 48);
            add_randoms(&list, &material);
            add_text(&list, "digest", "SHA1");
            add_number(&list, "mac-bits", bits);
            assert_int_equal(agree(&protocols[p], master, &list, "client-write-mac"), bits == 160);
        }
        EVP_PKEY_free(master);
    }
}

/* ---- one derivation ---- */

static void no_two_keys_of_a_derivation_are_equal(void **state)
{
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t p = 0; p < PROTOCOLS; p++) {
        uint8_t bytes[4][16];
        EVP_PKEY *keys[4], *master = new_master(&protocols[p], &material);
        const size_t count = usages_of(&protocols[p]);

        for (size_t n = 0; n < count; n++) {
            struct list list;

            list_start(&list);
            add_text(&list, "usage", usages[n]);
            add_number(&list, "exportable", 1);
            keys[n] = generate_from(master, &list);
            assert_non_null(keys[n]);
            describe_derivation(&list, &protocols[p], &material);
            add_text(&list, "usage", usages[n]);
            derive_bytes(protocols[p].kdf, &list, bytes[n], sizeof(bytes[n]));
            for (size_t before = 0; before < n; before++) {
                assert_int_equal(EVP_PKEY_eq(keys[n], keys[before]), 0);
                assert_memory_not_equal(bytes[n], bytes[before], sizeof(bytes[n]));
            }
        }
        for (size_t n = 0; n < count; n++)
            EVP_PKEY_free(keys[n]);
        if (count == 2) {
            struct list list;

            for (size_t n = 2; n < 4; n++) {
                list_start(&list);
                add_text(&list, "usage", usages[n]);
                assert_null(generate_from(master, &list));
                assert_reason("unknown usage", "the write key is the MAC secret");
            }
        }
        EVP_PKEY_free(master);
    }
}

/* RFC 4346: each record has an IV of its own; PCT 1.0 and SSL 2.0 send one. */
static void an_iv_that_is_not_derived_is_zeros_and_can_be_set(void **state)
{
    static const uint8_t zeros[16];
    struct material material;
    uint8_t iv[16], read[16];

    (void)state;
    make_material(&material, 0);
    pattern(iv, sizeof(iv), 8);
    for (size_t n = 0; n < 5; n++) {
        const struct protocol *protocol = &protocols[n < 4 ? n : TLS1];
        const int is_derived = n == SSL3 || n == TLS1;
        struct list list;
        EVP_PKEY *master, *key;

        master = new_master(protocol, &material);
        assert_int_equal(set_text(master, "cipher", "DES-CBC"), 1);
        if (n == 4)
            assert_int_equal(set_number(master, "record-version", TLS1_1), 1);
        list_start(&list);
        add_text(&list, "usage", "server-write-key");
        key = generate_from(master, &list);
        assert_non_null(key);
        assert_int_equal(octets_of(key, "iv", read, sizeof(read)), 8);
        assert_int_equal(memcmp(read, zeros, 8) == 0, !is_derived);
        assert_int_equal(set_octets(key, "iv", iv, 8), 1);
        assert_int_equal(octets_of(key, "iv", read, sizeof(read)), 8);
        assert_memory_equal(read, iv, 8);
        EVP_PKEY_free(key);
        add_octets(&list, "iv", iv + 1, 8);
        key = generate_from(master, &list);
        assert_int_equal(octets_of(key, "iv", read, sizeof(read)), 8);
        assert_memory_equal(read, iv + 1, 8);
        EVP_PKEY_free(key);
        drop(&list, "iv");
        add_octets(&list, "iv", iv, 16);
        assert_null(generate_from(master, &list));
        assert_reason("invalid length", "iv: ");
        EVP_PKEY_free(master);
    }
}

static void tls_1_1_has_no_export_ciphers_and_a_version_is_one_of_two(void **state)
{
    struct material material;
    EVP_PKEY *master;
    struct list list;

    (void)state;
    make_material(&material, 0);
    master = new_master(&protocols[TLS1], &material);
    list_start(&list);
    add_text(&list, "usage", "server-write-key");
    add_number(&list, "record-version", TLS1_1);
    add_number(&list, "export", 1);
    assert_null(generate_from(master, &list));
    assert_reason("conflicting parameters", "export: ");
    for (unsigned version = 768; version <= 771; version++) {
        assert_int_equal(set_number(master, "record-version", version),
                         version == 769 || version == 770);
        if (version != 769 && version != 770)
            assert_reason("invalid parameter", "record-version: ");
    }
    EVP_PKEY_free(master);
}

static void what_a_derivation_needs_is_missed_by_name(void **state)
{
    static const char *const needed[] = { "client-random", "server-random", "cipher", "digest" };
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t n = 0; n < PROTOCOLS * COUNT(needed); n++) {
        const struct protocol *protocol = &protocols[n / COUNT(needed)];
        const char *name = needed[n % COUNT(needed)];
        struct list list;
        EVP_PKEY *master, *key;

        describe_derivation(&list, protocol, &material);
        add_text(&list, "alg", protocol->master);
        drop(&list, name);
        master = from_data(list.params);
        assert_non_null(master);
        list_start(&list);
        add_text(&list, "usage", "client-write-key");
        key = generate_from(master, &list);
        if (protocol == &protocols[SSL2] && strcmp(name, "digest") == 0)
            assert_non_null(key);
        else
            assert_null(key);
        if (key == NULL)
            assert_reason("missing parameter", name);
        EVP_PKEY_free(key);
        assert_null(generate_from(master, NULL) /* and the usage */);
        assert_reason("missing parameter", "usage: ");
        EVP_PKEY_free(master);
    }
}

/* ---- randoms ---- */

/* A random of |size| bytes for a master: at its import and afterwards. */
static void master_takes_random(const struct protocol *protocol, const struct material *material,
                                int server, const uint8_t *random, size_t size, int fits)
{
    const char *name = server ? "server-random" : "client-random";
    char detail[32];

    snprintf(detail, sizeof(detail), "%s: ", name);
    for (int relaxed = 0; relaxed < 2; relaxed++) {
        struct list list;
        EVP_PKEY *key;

        list_start(&list);
        add_text(&list, "alg", protocol->master);
        add_octets(&list, "secret", material->secret, protocol->secret);
        add_octets(&list, name, random, size);
        if (relaxed)
            add_number(&list, "relaxed-randoms", 1);
        key = from_data(list.params);
        assert_int_equal(key != NULL, fits || relaxed);
        if (key == NULL)
            assert_reason("invalid length", detail);
        EVP_PKEY_free(key);

        drop(&list, name);
        key = from_data(list.params);
        assert_non_null(key);
        assert_int_equal(set_octets(key, name, random, size), fits || relaxed);
        if (!fits && !relaxed) {
            assert_reason("invalid length", detail);
            assert_int_equal(octets_of(key, name, NULL, 0), 0);
        }
        EVP_PKEY_free(key);
    }
}

static void randoms_have_the_length_of_their_protocol(void **state)
{
    uint8_t random[65];
    struct material material;

    (void)state;
    make_material(&material, 0);
    pattern(random, sizeof(random), 6);
    for (size_t p = 0; p < PROTOCOLS; p++) {
        EVP_PKEY *master = new_master(&protocols[p], &material);

        for (size_t size = 1; size <= 64; size++) {
            const int fits = size == 32 || (p == SSL2 && size >= 16 && size < 32);

            for (int server = 0; server < 2; server++) {
                struct list list;
                EVP_PKEY *key;

                list_start(&list);
                add_text(&list, "usage", "client-write-key");
                add_octets(&list, server ? "server-random" : "client-random", random, size);
                key = generate_from(master, &list);
                assert_int_equal(key != NULL, fits);
                if (!fits)
                    assert_reason("invalid length", server ? "server-random: " : "client-random: ");
                EVP_PKEY_free(key);
                add_number(&list, "relaxed-randoms", 1);
                key = generate_from(master, &list);
                assert_non_null(key);
                EVP_PKEY_free(key);
                master_takes_random(&protocols[p], &material, server, random, size, fits);
            }
        }
        assert_int_equal(set_octets(master, "client-random", random, 65), 0);
        assert_reason("invalid length", "client-random: ");
        EVP_PKEY_free(master);
    }
}

/* Reconnects: the same master, other randoms; the last ones count. */
static void parameters_set_repeatedly_count_as_last_set(void **state)
{
    (void)state;
    for (size_t p = 0; p < PROTOCOLS; p++) {
        struct material material;
        EVP_PKEY *master;

        make_material(&material, 0);
        master = new_master(&protocols[p], &material);
        for (unsigned round = 1; round < 8; round++) {
            struct list list;

            make_material(&material, 1000 + round); /* to be overwritten */
            list_start(&list);
            add_randoms(&list, &material);
            add_text(&list, "cipher", "DES-EDE3-CBC");
            assert_int_equal(EVP_PKEY_set_params(master, list.params), 1);
            make_material(&material, round);
            material.clear[0] = material.certificate[0] = (uint8_t)round;
            describe_derivation(&list, &protocols[p], &material);
            drop(&list, "secret");
            drop(&list, "digest");
            add_text(&list, "digest", round % 2 == 0 ? "MD5" : "SHA1");
            assert_int_equal(EVP_PKEY_set_params(master, list.params), 1);
            for (size_t usage = 0; usage < usages_of(&protocols[p]); usage++) {
                uint8_t bytes[MAX_BYTES];
                EVP_PKEY *key;
                size_t size;

                describe_derivation(&list, &protocols[p], &material);
                drop(&list, "digest");
                add_text(&list, "digest", round % 2 == 0 ? "MD5" : "SHA1");
                add_text(&list, "usage", usages[usage]);
                size = ask_kdf(&protocols[p], &list, bytes);
                list_start(&list);
                add_text(&list, "usage", usages[usage]);
                key = generate_from(master, &list);
                assert_made_of(key, bytes, size);
                EVP_PKEY_free(key);
            }
        }
        EVP_PKEY_free(master);
    }
}

/* ---- a generation context is the master hash ---- */

/* The next key of |context| is that of |material|. */
static void assert_next(const struct protocol *protocol, EVP_PKEY_CTX *context, const char *usage,
                        const struct material *material)
{
    uint8_t bytes[MAX_BYTES];
    struct list list;
    EVP_PKEY *key;
    size_t size;

    describe_derivation(&list, protocol, material);
    drop(&list, "cipher");
    add_text(&list, "cipher", "RC2-CBC");
    add_number(&list, "cipher-bits", 40);
    add_text(&list, "usage", usage);
    size = ask_kdf(protocol, &list, bytes);
    assert_int_not_equal(size, 0);
    list_start(&list);
    add_text(&list, "usage", usage);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 1);
    key = generate_next(context);
    assert_non_null(key);
    assert_made_of(key, bytes, size);
    EVP_PKEY_free(key);
}

static void a_generation_context_copies_the_master_at_its_first_generation(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * PROTOCOLS; n++) {
        const struct protocol *protocol = &protocols[n / 2];
        struct material old, new;
        EVP_PKEY_CTX *context, *late;
        EVP_PKEY *master;
        struct list list;

        make_material(&old, 0);
        make_material(&new, 77);
        memset(new.clear, 0xcc, sizeof(new.clear));
        memset(new.certificate, 0xce, sizeof(new.certificate));
        master = new_master(protocol, &old);
        list_start(&list);
        add_text(&list, "cipher", "RC2-CBC");
        add_number(&list, "cipher-bits", 40);
        assert_int_equal(EVP_PKEY_set_params(master, list.params), 1);
        context = new_generation(master, NULL);
        late = new_generation(master, NULL);
        assert_next(protocol, context, "client-write-key", &old);
        /* the master changes */
        describe_derivation(&list, protocol, &new);
        drop(&list, "secret");
        drop(&list, "cipher");
        assert_int_equal(EVP_PKEY_set_params(master, list.params), 1);
        for (size_t usage = 0; usage < usages_of(protocol); usage++)
            assert_next(protocol, context, usages[usage], &old);
        assert_next(protocol, late, "client-write-key", &new); /* its first generation */
        /* and goes */
        if (n % 2 == 0)
            assert_int_equal(set_number(master, "retire", 1), 1);
        EVP_PKEY_free(master);
        for (size_t usage = 0; usage < usages_of(protocol); usage++) {
            assert_next(protocol, context, usages[usage], &old);
            assert_next(protocol, late, usages[usage], &new);
        }
        /* what is set on the context itself counts from then on */
        list_start(&list);
        add_octets(&list, "client-random", new.client, RANDOM_SIZE);
        if (protocol->has_clear_key)
            add_octets(&list, "clear-key", new.clear, CLEAR_SIZE);
        assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 1);
        memcpy(old.client, new.client, RANDOM_SIZE);
        memcpy(old.clear, new.clear, CLEAR_SIZE);
        assert_next(protocol, context, "server-write-key", &old);
        assert_no_errors();
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_CTX_free(late);
    }
}

/* Connection by connection, back and forth, with other ciphers, digests and usages in any order. */
static void one_generation_context_serves_any_connection(void **state)
{
    static const char *const ciphers[] = { "RC4", "DES-CBC", "AES-128-CBC", "AES-256-CBC" };
    struct material material[3];

    (void)state;
    for (size_t p = 0; p < PROTOCOLS; p++) {
        EVP_PKEY_CTX *context;
        EVP_PKEY *master;
        size_t made = 0;

        for (unsigned n = 0; n < 3; n++)
            make_material(&material[n], n == 0 ? 0 : 40 + n);
        master = make_key(protocols[p].master, NULL, material[0].secret, protocols[p].secret);
        context = new_generation(master, NULL);
        for (size_t n = 0; n < 600; n++) {
            struct material of = material[random_below(3)];
            const char *usage = usages[random_below(usages_of(&protocols[p]))];
            const char *cipher = ciphers[random_below(p == TLS1 ? 4 : 2)];
            uint8_t bytes[MAX_BYTES];
            struct list list;
            EVP_PKEY *key;
            size_t size;

            memcpy(of.secret, material[0].secret, sizeof(of.secret));
            /* the random of one side changes alone as well */
            if (random_below(2) == 1)
                memcpy(of.server, material[0].server, sizeof(of.server));
            describe_derivation(&list, &protocols[p], &of);
            drop(&list, "cipher");
            drop(&list, "digest");
            add_text(&list, "cipher", cipher);
            add_text(&list, "digest", random_below(2) == 1 ? "MD5" : "SHA1");
            add_text(&list, "usage", usage);
            if (p == SSL3 || p == TLS1)
                add_number(&list, "export", strcmp(cipher, "DES-CBC") == 0);
            size = ask_kdf(&protocols[p], &list, bytes);
            drop(&list, "secret");
            assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 1);
            key = generate_next(context);
            assert_int_equal(key != NULL, size != 0);
            ERR_clear_error();
            if (key == NULL)
                continue;
            assert_made_of(key, bytes, size);
            EVP_PKEY_free(key);
            made++;
        }
        assert_true(made > 250);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

/* ---- clear keys and certificates ---- */

/* MD5(master || digit || challenge || connection id), RC4's client write key being the second. */
static void ssl2_formula(const uint8_t *master, size_t size, const struct material *material,
                         int digit, uint8_t out[16])
{
    uint8_t whole[160];

    memcpy(whole, master, size);
    whole[size++] = (uint8_t)('0' + digit);
    memcpy(whole + size, material->client, RANDOM_SIZE);
    memcpy(whole + size + RANDOM_SIZE, material->server, RANDOM_SIZE);
    assert_int_equal(hash("MD5", whole, size + (size_t)2 * RANDOM_SIZE, out), 16);
}

static void an_ssl2_master_is_the_clear_key_and_the_secret(void **state)
{
    uint8_t secret[32], clear[40], master_bytes[72], expected[16];
    struct material material;

    (void)state;
    make_material(&material, 0);
    pattern(secret, sizeof(secret), 40);
    pattern(clear, sizeof(clear), 90);
    for (size_t size = 5; size <= 32; size++) {
        EVP_PKEY *master = make_key("SSL2-MASTER", NULL, secret, size);

        assert_int_equal(set_octets(master, "client-random", material.client, RANDOM_SIZE), 1);
        assert_int_equal(set_octets(master, "server-random", material.server, RANDOM_SIZE), 1);
        assert_int_equal(set_text(master, "cipher", "RC4"), 1);
        for (size_t more = 0; more <= sizeof(clear); more++) {
            /* a full master gives up its first bytes for a clear key of up to 11 */
            const size_t given_up = size == 16 && more <= 11 ? more : 0;
            const size_t whole = more + size - given_up;
            struct list list;
            EVP_PKEY *key;

            assert_int_equal(set_octets(master, "clear-key", clear, more), 1);
            memcpy(master_bytes, clear, more);
            memcpy(master_bytes + more, secret + given_up, size - given_up);
            for (size_t usage = 0; usage < 2; usage++) {
                list_start(&list);
                add_text(&list, "usage", usages[usage]);
                key = generate_from(master, &list);
                assert_int_equal(key != NULL, whole <= 32);
                if (key == NULL) {
                    assert_reason("invalid length", "clear-key: ");
                    continue;
                }
                ssl2_formula(master_bytes, whole, &material, usage == 0, expected);
                assert_made_of(key, expected, 16);
                EVP_PKEY_free(key);
            }
        }
        EVP_PKEY_free(master);
    }
}

/* Which of the four keys differ when |name| on the master does. */
static void assert_effect(const struct protocol *protocol, const char *name, const int effect[4])
{
    struct material material;
    EVP_PKEY *one, *other;

    make_material(&material, 0);
    one = new_master(protocol, &material);
    other = new_master(protocol, &material);
    assert_int_equal(set_number(one, "cipher-bits", 40), 1);
    assert_int_equal(set_number(other, "cipher-bits", 40), 1);
    assert_int_equal(set_octets(other, name, material.secret, CLEAR_SIZE), 1);
    for (size_t n = 0; n < usages_of(protocol); n++) {
        struct list list;
        EVP_PKEY *a, *b;

        list_start(&list);
        add_text(&list, "usage", usages[n]);
        a = generate_from(one, &list);
        b = generate_from(other, &list);
        assert_non_null(a);
        assert_non_null(b);
        assert_int_equal(EVP_PKEY_eq(a, b), !effect[n]);
        EVP_PKEY_free(a);
        EVP_PKEY_free(b);
    }
    EVP_PKEY_free(one);
    EVP_PKEY_free(other);
}

static void a_certificate_counts_in_the_client_keys_of_pct1_alone(void **state)
{
    static const int client_keys[4] = { 1, 0, 1, 0 }, write_keys[4] = { 1, 1, 0, 0 };

    (void)state;
    assert_effect(&protocols[PCT1], "certificate", client_keys);
    assert_effect(&protocols[PCT1], "clear-key", write_keys);
    assert_effect(&protocols[SSL2], "clear-key", write_keys);
}

static void certificates_and_clear_keys_have_a_limit(void **state)
{
    static uint8_t bytes[32768], read[32768];
    struct material material;
    EVP_PKEY *master;

    (void)state;
    make_material(&material, 0);
    master = new_master(&protocols[PCT1], &material);
    pattern(bytes, sizeof(bytes), 1);
    assert_int_equal(set_octets(master, "certificate", bytes, 32767), 1);
    assert_int_equal(set_octets(master, "clear-key", bytes, 8192), 1);
    assert_int_equal(set_octets(master, "certificate", bytes, 32768), 0);
    assert_reason("invalid length", "certificate: ");
    assert_int_equal(set_octets(master, "clear-key", bytes, 8193), 0);
    assert_reason("invalid length", "clear-key: ");
    assert_int_equal(octets_of(master, "certificate", read, sizeof(read)), 32767);
    assert_memory_equal(read, bytes, 32767);
    assert_int_equal(octets_of(master, "clear-key", read, sizeof(read)), 8192);
    {
        static uint8_t blob[65536];
        size_t size = octets_of(master, "opaque-blob", blob, sizeof(blob));
        EVP_PKEY *moved = import_blob(blob, size, "user");

        assert_non_null(moved);
        assert_int_equal(octets_of(moved, "certificate", read, sizeof(read)), 32767);
        assert_memory_equal(read, bytes, 32767);
        assert_int_equal(octets_of(moved, "clear-key", read, sizeof(read)), 8192);
        assert_memory_equal(read, bytes, 8192);
        print_message("PCT1-MASTER with the largest of both: a blob of %zu bytes\n", size);
        EVP_PKEY_free(moved);
    }
    assert_int_equal(set_octets(master, "certificate", NULL, 0), 1);
    assert_int_equal(octets_of(master, "certificate", read, sizeof(read)), 0);
    EVP_PKEY_free(master);
}

/* A short key of PCT 1.0 is expanded with it. */
static void a_short_pct1_key_needs_a_clear_key(void **state)
{
    struct material material;
    EVP_PKEY *master;
    struct list list;

    (void)state;
    make_material(&material, 0);
    master = new_master(&protocols[PCT1], &material);
    assert_int_equal(set_octets(master, "clear-key", NULL, 0), 1);
    list_start(&list);
    add_text(&list, "usage", "client-write-key");
    EVP_PKEY_free(generate_from(master, &list)); /* a full key needs none */
    assert_no_errors();
    add_number(&list, "cipher-bits", 40);
    assert_null(generate_from(master, &list));
    assert_reason("missing parameter", "clear-key: ");
    drop(&list, "cipher-bits");
    add_number(&list, "cipher-bits", 128);
    add_text(&list, "cipher", "DES-EDE3-CBC"); /* two outputs of MD5: two parts */
    drop(&list, "cipher-bits");
    add_number(&list, "cipher-bits", 136);
    add_octets(&list, "clear-key", material.clear, 11);
    assert_null(generate_from(master, &list));
    assert_reason("invalid length", "clear-key: ");
    drop(&list, "clear-key");
    add_octets(&list, "clear-key", material.clear, 10);
    EVP_PKEY_free(generate_from(master, &list));
    assert_no_errors();
    EVP_PKEY_free(master);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_key_is_that_of_the_kdf),
        TEST(pct1_mac_keys_have_64_to_319_bits),
        TEST(a_digest_has_mac_keys_of_its_own_size_elsewhere),
        TEST(no_two_keys_of_a_derivation_are_equal),
        TEST(an_iv_that_is_not_derived_is_zeros_and_can_be_set),
        TEST(tls_1_1_has_no_export_ciphers_and_a_version_is_one_of_two),
        TEST(what_a_derivation_needs_is_missed_by_name),
        TEST(randoms_have_the_length_of_their_protocol),
        TEST(parameters_set_repeatedly_count_as_last_set),
        TEST(a_generation_context_copies_the_master_at_its_first_generation),
        TEST(one_generation_context_serves_any_connection),
        TEST(an_ssl2_master_is_the_clear_key_and_the_secret),
        TEST(a_certificate_counts_in_the_client_keys_of_pct1_alone),
        TEST(certificates_and_clear_keys_have_a_limit),
        TEST(a_short_pct1_key_needs_a_clear_key),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
