/*
 * EVP_PKEY_derive on a master: PRF, Finished values and key block are those of the KDF of the same
 * protocol; what would give a connection's own secrets away needs an exportable master.
 */
#include "protocols.h"

#include <pthread.h>

#define MAX_OUTPUT 512
#define THREADS    8

static const struct protocol *const both[] = { &protocols[SSL3], &protocols[TLS1] };

/* ---- contexts ---- */

static EVP_PKEY_CTX *new_exchange(EVP_PKEY *master, const struct list *list)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_derive_init_ex(context, list != NULL ? list->params : NULL), 1);
    return context;
}

static int set_on(EVP_PKEY_CTX *context, const struct list *list)
{
    return EVP_PKEY_CTX_set_params(context, list->params);
}

static int set_number_on(EVP_PKEY_CTX *context, const char *name, uint64_t number)
{
    struct list list;

    list_start(&list);
    add_number(&list, name, number);
    return set_on(context, &list);
}

static int set_octets_on(EVP_PKEY_CTX *context, const char *name, const void *data, size_t size)
{
    struct list list;

    list_start(&list);
    add_octets(&list, name, data, size);
    return set_on(context, &list);
}

static int set_usage_on(EVP_PKEY_CTX *context, const char *usage)
{
    struct list list;

    list_start(&list);
    add_text(&list, "usage", usage);
    return set_on(context, &list);
}

static size_t size_of(EVP_PKEY_CTX *context)
{
    size_t size = 0;

    assert_int_equal(EVP_PKEY_derive(context, NULL, &size), 1);
    return size;
}

/* Asks for the size, then for the bytes, which have to be these. */
static void assert_derives(EVP_PKEY_CTX *context, const uint8_t *expected, size_t expected_size)
{
    uint8_t actual[MAX_OUTPUT];
    size_t size = sizeof(actual);

    assert_int_equal(size_of(context), expected_size);
    assert_int_equal(EVP_PKEY_derive(context, actual, &size), 1);
    assert_int_equal(size, expected_size);
    assert_memory_equal(actual, expected, size);
    assert_no_errors();
}

static void assert_refused(EVP_PKEY_CTX *context, const char *reason, const char *detail)
{
    uint8_t out[MAX_OUTPUT];
    size_t size = sizeof(out);

    memset(out, 0xee, sizeof(out));
    assert_true(EVP_PKEY_derive(context, out, &size) <= 0);
    for (size_t n = 0; n < sizeof(out); n++)
        assert_int_equal(out[n], 0xee);
    assert_reason(reason, detail);
}

/* An exportable master with randoms, or one that is not. */
static EVP_PKEY *master_of(const struct protocol *protocol, int exportable)
{
    struct material material;
    EVP_PKEY *master;

    make_material(&material, 0);
    master = new_master(protocol, &material);
    if (!exportable)
        assert_int_equal(set_number(master, "exportable", 0), 1);
    return master;
}

/* usage, with what it needs; |list| serves the exchange and, with a secret, the KDF. */
static void describe_usage(struct list *list, const struct protocol *protocol, const char *usage)
{
    list_start(list);
    add_text(list, "usage", usage);
    if (strcmp(usage, "prf") == 0) {
        if (protocol == &protocols[TLS1])
            add_octets(list, "label", "a label", 7);
        add_octets(list, "seed", "a seed", 6);
    } else if (strcmp(usage, "key-block") != 0) {
        add_octets(list, "handshake", "every message of the handshake", 30);
    }
}

static const char *const usages[] = { "prf", "finished-client", "finished-server", "key-block" };

static void kdf_gives(const struct protocol *protocol, struct list *list, uint8_t *out, size_t size)
{
    struct material material;

    make_material(&material, 0);
    add_octets(list, "secret", material.secret, protocol->secret);
    add_randoms(list, &material);
    derive_bytes(protocol->kdf, list, out, size);
    drop(list, "secret");
    drop(list, "client-random");
    drop(list, "server-random");
}

/* ---- what comes out ---- */

static void every_usage_and_length_gives_what_the_kdf_gives(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * COUNT(usages); n++) {
        const struct protocol *protocol = both[n % 2];
        const char *usage = usages[n / 2];
        const int is_finished = strncmp(usage, "finished", 8) == 0;
        const size_t most = n % 2 == 0 ? (is_finished ? 36 : 416) : MAX_OUTPUT;
        EVP_PKEY *master = master_of(protocol, 1);
        uint8_t expected[MAX_OUTPUT];
        EVP_PKEY_CTX *context;
        struct list list;

        describe_usage(&list, protocol, usage);
        context = new_exchange(master, &list);
        for (size_t size = 1; size <= most; size += size < 70 || size > most - 3 ? 1 : 17) {
            kdf_gives(protocol, &list, expected, size);
            assert_int_equal(set_number_on(context, "keylen", size), 1);
            assert_derives(context, expected, size);
        }
        if (n % 2 == 0) { /* SSL 3.0 has an end */
            assert_int_equal(set_number_on(context, "keylen", most + 1), 1);
            assert_refused(context, "invalid length", "keylen: ");
        }
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

static void each_usage_has_a_length_of_its_own(void **state)
{
    static const size_t sizes[2][3] = { { 48, 36, 36 }, { 48, 12, 12 } };

    (void)state;
    for (size_t n = 0; n < 2 * 3; n++) {
        const struct protocol *protocol = both[n % 2];
        EVP_PKEY *master = master_of(protocol, 1);
        const size_t size = sizes[n % 2][n / 2];
        uint8_t expected[MAX_OUTPUT];
        EVP_PKEY_CTX *context;
        struct list list;

        describe_usage(&list, protocol, usages[n / 2]);
        context = new_exchange(master, &list);
        kdf_gives(protocol, &list, expected, size);
        assert_derives(context, expected, size);
        assert_int_equal(set_number_on(context, "keylen", 7), 1);
        assert_int_equal(size_of(context), 7);
        assert_int_equal(EVP_PKEY_derive_init_ex(context, list.params), 1); /* starts anew */
        assert_int_equal(size_of(context), size);
        assert_int_equal(set_usage_on(context, "key-block"), 1);
        assert_refused(context, "missing parameter", "keylen: ");
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

static void the_keylen_has_a_range(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = master_of(both[n], 1);
        uint8_t expected[MAX_OUTPUT], out[MAX_OUTPUT];
        EVP_PKEY_CTX *context;
        struct list list;
        size_t size = 9;

        describe_usage(&list, both[n], "prf");
        context = new_exchange(master, &list);
        assert_int_equal(set_number_on(context, "keylen", 10), 1);
        for (uint64_t wrong = 0; wrong <= 65536; wrong += 65536) {
            assert_int_equal(set_number_on(context, "keylen", wrong), 0);
            assert_reason("invalid parameter", "keylen: ");
        }
        assert_true(EVP_PKEY_derive(context, out, &size) <= 0);
        assert_reason("output buffer too small", "needs 10 bytes, the buffer has 9");
        kdf_gives(both[n], &list, expected, 10);
        assert_derives(context, expected, 10);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

static void finished_takes_the_handshake_or_in_tls_1_0_its_hashes(void **state)
{
    static uint8_t handshake[70000];

    (void)state;
    pattern(handshake, sizeof(handshake), 3);
    for (size_t size = 0; size <= sizeof(handshake); size = size * 3 + 1) {
        uint8_t hashes[37], expected[12];
        EVP_PKEY *master = master_of(&protocols[TLS1], 0);
        EVP_PKEY_CTX *context = new_exchange(master, NULL);
        struct list list;

        hash("MD5", handshake, size, hashes);
        hash("SHA1", handshake, size, hashes + 16);
        list_start(&list);
        add_text(&list, "usage", "finished-server");
        add_octets(&list, "handshake", handshake, size);
        assert_int_equal(set_on(context, &list), 1);
        kdf_gives(&protocols[TLS1], &list, expected, 12);
        assert_derives(context, expected, 12);
        drop(&list, "handshake");
        add_octets(&list, "handshake-hash", hashes, 36);
        assert_int_equal(EVP_PKEY_derive_init_ex(context, list.params), 1);
        assert_derives(context, expected, 12);
        for (size_t wrong = 35; wrong <= 37; wrong += 2) {
            assert_int_equal(set_octets_on(context, "handshake-hash", hashes, wrong), 0);
            assert_reason("invalid length", "handshake-hash: ");
        }
        assert_derives(context, expected, 12);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
    {
        EVP_PKEY *master = master_of(&protocols[SSL3], 0);
        EVP_PKEY_CTX *context = new_exchange(master, NULL);

        assert_int_equal(set_octets_on(context, "handshake-hash", handshake, 36), 0);
        assert_reason("conflicting parameters", "handshake-hash: ");
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

/* What the client of SSL 3.0 signs needs the master secret, but not to be exportable. */
static void a_client_of_ssl3_signs_what_the_kdf_gives(void **state)
{
    (void)state;
    for (size_t n = 0; n < PROTOCOLS; n++) {
        EVP_PKEY *master = master_of(&protocols[n], 0);
        EVP_PKEY_CTX *context = new_exchange(master, NULL);
        uint8_t expected[36], finished[36];
        struct list list;

        if (n == SSL3) {
            describe_usage(&list, &protocols[n], "finished-client");
            kdf_gives(&protocols[n], &list, finished, 36);
            describe_usage(&list, &protocols[n], "certificate-verify");
            assert_int_equal(set_on(context, &list), 1);
            kdf_gives(&protocols[n], &list, expected, 36);
            assert_memory_not_equal(expected, finished, 36);
            assert_derives(context, expected, 36);
        } else {
            assert_int_equal(set_usage_on(context, "certificate-verify"), 0);
            assert_reason("unknown usage", "has no certificate-verify: ");
        }
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

/* ---- premaster secrets ---- */

static void a_premaster_is_converted_by_the_first_derivation(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * COUNT(usages); n++) {
        const struct protocol *protocol = both[n % 2];
        struct material material;
        struct exported exported;
        uint8_t premaster[48], master_secret[48], expected[36];
        EVP_PKEY_CTX *context;
        EVP_PKEY *master;
        struct list list, full;

        make_material(&material, 0);
        pattern(premaster, sizeof(premaster), 3);
        list_start(&list);
        add_text(&list, "alg", protocol->master);
        add_octets(&list, "premaster", premaster, 48);
        add_number(&list, "exportable", 1);
        master = from_data(list.params);
        describe_usage(&list, protocol, usages[n / 2]);
        add_number(&list, "keylen", 36);
        context = new_exchange(master, &list);
        assert_refused(context, "missing parameter", "client-random: ");
        export_raw(master, &exported);
        assert_true(exported.is_premaster);
        /* the randoms of the exchange count */
        list_start(&full);
        add_randoms(&full, &material);
        assert_int_equal(set_on(context, &full), 1);
        describe_usage(&full, protocol, usages[n / 2]);
        add_octets(&full, "premaster", premaster, 48);
        add_randoms(&full, &material);
        derive_bytes(protocol->kdf, &full, expected, 36);
        assert_derives(context, expected, 36);
        list_start(&full);
        add_octets(&full, "premaster", premaster, 48);
        add_randoms(&full, &material);
        add_text(&full, "usage", "master-secret");
        derive_bytes(protocol->kdf, &full, master_secret, 48);
        export_raw(master, &exported);
        assert_false(exported.is_premaster);
        assert_int_equal(exported.size, 48);
        assert_memory_equal(exported.secret, master_secret, 48);
        assert_derives(context, expected, 36);
        /* once: other randoms come too late, and count in the key block only */
        assert_int_equal(set_octets_on(context, "server-random", premaster, RANDOM_SIZE), 1);
        memcpy(material.server, premaster, RANDOM_SIZE);
        describe_usage(&full, protocol, usages[n / 2]);
        add_octets(&full, "secret", master_secret, 48);
        add_randoms(&full, &material);
        derive_bytes(protocol->kdf, &full, expected, 36);
        assert_derives(context, expected, 36);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

/* A refusal comes before the conversion. */
static void a_refusal_for_a_key_that_is_not_exportable_converts_nothing(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct material material;
        uint8_t premaster[48];
        EVP_PKEY_CTX *context;
        EVP_PKEY *master, *other;
        struct list list;

        make_material(&material, 0);
        pattern(premaster, sizeof(premaster), 3);
        list_start(&list);
        add_text(&list, "alg", both[n]->master);
        add_octets(&list, "premaster", premaster, 48);
        add_randoms(&list, &material);
        master = from_data(list.params);
        other = from_data(list.params);
        describe_usage(&list, both[n], "key-block");
        add_number(&list, "keylen", 16);
        context = new_exchange(master, &list);
        assert_refused(context, "key is not exportable", "key-block");
        assert_int_equal(EVP_PKEY_eq(master, other), 1); /* a converted one is another */
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
        EVP_PKEY_free(other);
    }
}

struct worker {
    EVP_PKEY *master;
    uint8_t out[12];
    int ok;
};

static void *derive_in_thread(void *argument)
{
    struct worker *worker = argument;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, worker->master, NULL);
    size_t size = sizeof(worker->out);
    struct list list;

    /* CMocka's assertions belong to the main thread. */
    list.count = 0;
    list.params[0] = text_param("usage", "finished-client");
    list.params[1] = octets_param("handshake", "messages", 8);
    list.params[2] = OSSL_PARAM_construct_end();
    worker->ok = EVP_PKEY_derive_init_ex(context, list.params) == 1 &&
                 EVP_PKEY_derive(context, worker->out, &size) == 1 && size == 12;
    EVP_PKEY_CTX_free(context);
    return NULL;
}

static void threads_that_convert_at_once_agree(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct worker workers[THREADS];
        struct material material;
        pthread_t threads[THREADS];
        uint8_t premaster[48], expected[12];
        EVP_PKEY *master;
        struct list list;

        make_material(&material, (unsigned)round);
        pattern(premaster, sizeof(premaster), 3);
        list_start(&list);
        add_text(&list, "alg", "TLS1-MASTER");
        add_octets(&list, "premaster", premaster, 48);
        add_randoms(&list, &material);
        master = from_data(list.params);
        drop(&list, "alg");
        add_text(&list, "usage", "finished-client");
        add_octets(&list, "handshake", "messages", 8);
        derive_bytes("TLS1-KDF", &list, expected, 12);
        for (size_t n = 0; n < THREADS; n++) {
            workers[n].master = master;
            assert_int_equal(pthread_create(&threads[n], NULL, derive_in_thread, &workers[n]), 0);
        }
        for (size_t n = 0; n < THREADS; n++) {
            pthread_join(threads[n], NULL);
            assert_true(workers[n].ok);
            assert_memory_equal(workers[n].out, expected, 12);
        }
        EVP_PKEY_free(master);
    }
}

/* ---- what an application may not have ---- */

static const char *const labels[] = { "master secret", "key expansion", "client write key",
                                      "server write key", "IV block" };

/* label || seed is what counts, wherever one ends. */
static void labels_of_the_connections_secrets_need_an_exportable_master(void **state)
{
    EVP_PKEY *closed = master_of(&protocols[TLS1], 0), *open = master_of(&protocols[TLS1], 1);
    EVP_PKEY_CTX *refusing = new_exchange(closed, NULL), *giving = new_exchange(open, NULL);

    (void)state;
    for (size_t n = 0; n < COUNT(labels); n++) {
        for (size_t cut = 0; cut <= strlen(labels[n]); cut++) {
            for (size_t more = 0; more < 3; more++) {
                uint8_t text[64], expected[48];
                const size_t size = strlen(labels[n]) + 16 * more;
                struct list list;

                memset(text, 0x77, sizeof(text));
                memcpy(text, labels[n], strlen(labels[n]));
                list_start(&list);
                add_text(&list, "usage", "prf");
                add_octets(&list, "label", text, cut);
                add_octets(&list, "seed", text + cut, size - cut);
                assert_int_equal(set_on(refusing, &list), 1);
                assert_refused(refusing, "key is not exportable", "label or seed");
                assert_int_equal(set_on(giving, &list), 1);
                kdf_gives(&protocols[TLS1], &list, expected, 48);
                assert_derives(giving, expected, 48);
            }
        }
    }
    /* a label that goes on after its end */
    {
        struct list list;

        list_start(&list);
        add_text(&list, "usage", "prf");
        add_octets(&list, "label", "key expansion and more", 22);
        add_octets(&list, "seed", "seed", 4);
        assert_int_equal(set_on(refusing, &list), 1);
        assert_refused(refusing, "key is not exportable", "label or seed");
    }
    assert_int_equal(set_number(open, "exportable", 0), 1); /* from now on */
    assert_refused(giving, "key is not exportable", "label or seed");
    EVP_PKEY_CTX_free(refusing);
    EVP_PKEY_CTX_free(giving);
    EVP_PKEY_free(closed);
    EVP_PKEY_free(open);
}

static void other_labels_do_not(void **state)
{
    static const char *const free_ones[] = { "client finished",   "server finished",
                                             "master secre",      "Master secret",
                                             "a master secret",   "key expansioN",
                                             "client write kez",  "IV bloc",
                                             "EXPORTER-anything", "" };
    EVP_PKEY *master = master_of(&protocols[TLS1], 0);
    EVP_PKEY_CTX *context = new_exchange(master, NULL);

    (void)state;
    for (size_t n = 0; n < COUNT(free_ones); n++) {
        uint8_t expected[48];
        struct list list;

        list_start(&list);
        add_text(&list, "usage", "prf");
        add_octets(&list, "label", free_ones[n], strlen(free_ones[n]));
        add_octets(&list, "seed", "0123456789abcdef", 16);
        assert_int_equal(set_on(context, &list), 1);
        kdf_gives(&protocols[TLS1], &list, expected, 48);
        assert_derives(context, expected, 48);
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

/* SSL 3.0's function has no label: every seed could be that of the key block. */
static void key_blocks_and_the_function_of_ssl3_need_an_exportable_master(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        for (int is_prf = 0; is_prf < 2; is_prf++) {
            EVP_PKEY *closed = master_of(both[n], 0), *open = master_of(both[n], 1);
            EVP_PKEY_CTX *context, *giving;
            uint8_t expected[36];
            struct list list;

            describe_usage(&list, both[n], is_prf ? "prf" : "key-block");
            add_number(&list, "keylen", 36);
            context = new_exchange(closed, &list);
            giving = new_exchange(open, &list);
            drop(&list, "keylen");
            kdf_gives(both[n], &list, expected, 36);
            if (n == 1 && is_prf)
                assert_derives(context, expected, 36);
            else
                assert_refused(context, "key is not exportable", is_prf ? "prf" : "key-block");
            assert_derives(giving, expected, 36);
            /* Finished values are for everybody */
            describe_usage(&list, both[n], "finished-client");
            assert_int_equal(set_on(context, &list), 1);
            assert_int_equal(set_number_on(context, "keylen", 12), 1);
            kdf_gives(both[n], &list, expected, 12);
            assert_derives(context, expected, 12);
            EVP_PKEY_CTX_free(context);
            EVP_PKEY_CTX_free(giving);
            EVP_PKEY_free(closed);
            EVP_PKEY_free(open);
        }
    }
}

/* ---- keys ---- */

static void any_schannel_key_is_a_peer_and_means_nothing(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        uint8_t secret[48], expected[36];
        EVP_PKEY *master = master_of(both[n], 0);
        EVP_PKEY *peers[3];
        EVP_PKEY_CTX *context;
        struct list list;
        const size_t size = n == 0 ? 36 : 12;

        pattern(secret, sizeof(secret), 9);
        peers[0] = EVP_PKEY_dup(master);
        peers[1] = make_key("AES-128-CBC", NULL, secret, 16);
        peers[2] = make_key("PCT1-MAC", "SHA1", secret, 20);
        describe_usage(&list, both[n], "finished-client");
        context = new_exchange(master, &list);
        kdf_gives(both[n], &list, expected, size);
        assert_derives(context, expected, size);
        for (size_t m = 0; m < COUNT(peers); m++) {
            assert_int_equal(EVP_PKEY_derive_set_peer(context, peers[m]), 1);
            assert_derives(context, expected, size);
            EVP_PKEY_free(peers[m]);
        }
        assert_derives(context, expected, size);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

static void only_a_master_derives(void **state)
{
    static const struct {
        const char *alg, *digest;
        size_t size;
    } others[] = {
        { "RC4", NULL, 16 },       { "RC2-CBC", NULL, 16 },     { "AES-192-CBC", NULL, 24 },
        { "PCT1-MAC", "MD5", 16 }, { "SSL2-MAC", "MD5", 16 },   { "SSL3-MAC", "SHA1", 20 },
        { "TLS1-MAC", "MD5", 16 }, { "DES-EDE-CBC", NULL, 16 },
    };
    uint8_t secret[24];

    (void)state;
    pattern(secret, sizeof(secret), 9);
    for (size_t n = 0; n < COUNT(others); n++) {
        EVP_PKEY *key = make_key(others[n].alg, others[n].digest, secret, others[n].size);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

        assert_true(EVP_PKEY_derive_init(context) <= 0);
        assert_reason("wrong kind of key", "expected a master key, got a ");
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void pct1_and_ssl2_have_no_prf_and_no_finished_values(void **state)
{
    (void)state;
    for (size_t n = 0; n <= SSL2; n++) {
        for (size_t m = 0; m < COUNT(usages); m++) {
            EVP_PKEY *master = master_of(&protocols[n], 0);
            EVP_PKEY_CTX *context = new_exchange(master, NULL);

            if (n == SSL2 && strcmp(usages[m], "key-block") == 0) {
                assert_int_equal(set_usage_on(context, usages[m]), 1);
                assert_int_equal(set_number_on(context, "keylen", 16), 1);
                assert_refused(context, "key is not exportable", "key-block");
            } else {
                assert_int_equal(set_usage_on(context, usages[m]), 0);
                assert_reason("unknown usage", usages[m]);
                assert_refused(context, "missing parameter", "usage: ");
            }
            assert_int_equal(set_octets_on(context, "seed", "seed", 4), 0);
            assert_reason("conflicting parameters", "seed: ");
            EVP_PKEY_CTX_free(context);
            EVP_PKEY_free(master);
        }
    }
}

static void a_retired_master_derives_nothing(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = master_of(both[n], 0);
        EVP_PKEY_CTX *context;
        struct list list;

        describe_usage(&list, both[n], "finished-client");
        context = new_exchange(master, &list);
        assert_int_equal(set_number(master, "retire", 1), 1);
        assert_refused(context, "key has been retired", both[n]->master);
        assert_true(EVP_PKEY_derive_init(context) <= 0);
        assert_reason("key has been retired", both[n]->master);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

/* ---- contexts and parameters ---- */

static void a_copy_of_a_context_has_parameters_of_its_own(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = master_of(both[n], 0);
        uint8_t client[20], server[20];
        EVP_PKEY_CTX *context, *copy;
        struct list list;

        describe_usage(&list, both[n], "finished-server");
        kdf_gives(both[n], &list, server, 20);
        describe_usage(&list, both[n], "finished-client");
        kdf_gives(both[n], &list, client, 20);
        add_number(&list, "keylen", 20);
        context = new_exchange(master, &list);
        copy = EVP_PKEY_CTX_dup(context);
        assert_non_null(copy);
        assert_derives(copy, client, 20);
        assert_int_equal(set_usage_on(copy, "finished-server"), 1);
        assert_int_equal(set_number_on(context, "keylen", 8), 1);
        assert_derives(copy, server, 20);
        assert_derives(context, client, 8);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master); /* the copy holds it */
        assert_derives(copy, server, 20);
        EVP_PKEY_CTX_free(copy);
    }
}

/* A context before its initialisation can be copied, and derives nothing. */
static void what_is_missing_is_said(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = master_of(both[n], 1);
        EVP_PKEY_CTX *context = new_exchange(master, NULL);
        struct list list;
        size_t size = 1;

        assert_true(EVP_PKEY_derive(context, NULL, &size) <= 0);
        assert_reason("missing parameter", "usage: ");
        assert_refused(context, "missing parameter", "usage: ");
        assert_int_equal(set_number_on(context, "keylen", 16), 1); /* is no usage */
        assert_refused(context, "missing parameter", "usage: ");
        assert_int_equal(EVP_PKEY_derive_init(context), 1);
        for (size_t m = 0; m < 3; m++) {
            assert_int_equal(set_usage_on(context, usages[m]), 1);
            assert_refused(context, "missing parameter", m == 0 ? "seed: " : "handshake: ");
        }
        describe_usage(&list, both[n], "finished-client");
        assert_int_equal(set_on(context, &list), 1);
        assert_int_equal(size_of(context), n == 0 ? 36 : 12);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

/* EVP_PKEY_derive_SKEY gives them, as key objects. */
static void session_keys_do_not_come_out_as_bytes(void **state)
{
    static const char *const keys[] = { "client-write-key", "server-write-key", "client-write-mac",
                                        "server-write-mac" };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        for (int exportable = 0; exportable <= 1; exportable++) {
            EVP_PKEY *master = master_of(both[n], exportable);
            EVP_PKEY_CTX *context = new_exchange(master, NULL);

            for (size_t m = 0; m < COUNT(keys); m++) {
                size_t size = 0;

                assert_int_equal(set_usage_on(context, keys[m]), 1);
                assert_refused(context, "unknown usage", keys[m]);
                assert_true(EVP_PKEY_derive(context, NULL, &size) <= 0);
                assert_reason("unknown usage", keys[m]);
            }
            EVP_PKEY_CTX_free(context);
            EVP_PKEY_free(master);
        }
    }
}

static void bad_parameters_are_refused_and_change_nothing(void **state)
{
    static const char *const not_here[] = { "client-write-iv", "master-secret", "nonsense", "" };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = master_of(both[n], 0);
        uint8_t expected[36], bytes[48];
        const size_t size = n == 0 ? 36 : 12;
        EVP_PKEY_CTX *context;
        struct list list;

        pattern(bytes, sizeof(bytes), 1);
        describe_usage(&list, both[n], "finished-client");
        context = new_exchange(master, &list);
        kdf_gives(both[n], &list, expected, size);
        for (size_t m = 0; m < COUNT(not_here); m++) {
            list_start(&list);
            add_octets(&list, "handshake", "others", 6);
            add_number(&list, "keylen", 5);
            add_text(&list, "usage", not_here[m]);
            assert_int_equal(set_on(context, &list), 0);
            assert_reason("unknown usage", "usage: ");
            assert_true(EVP_PKEY_derive_init_ex(context, list.params) <= 0);
            assert_reason("unknown usage", "usage: ");
            describe_usage(&list, both[n], "finished-client");
            assert_int_equal(EVP_PKEY_derive_init_ex(context, list.params), 1);
        }
        for (size_t m = 0; m < 2; m++) {
            list_start(&list);
            add_octets(&list, "handshake", "others", 6);
            add_number(&list, "keylen", 5);
            add_octets(&list, m == 0 ? "secret" : "premaster", bytes, 48);
            assert_int_equal(set_on(context, &list), 0);
            assert_reason("conflicting parameters", m == 0 ? "secret: " : "premaster: ");
            assert_derives(context, expected, size);
            list_start(&list);
            add_octets(&list, "handshake", "others", 6);
            add_number(&list, "keylen", 5);
            add_octets(&list, m == 0 ? "clear-key" : "certificate", bytes, 11);
            assert_int_equal(set_on(context, &list), 0);
            assert_reason("conflicting parameters", m == 0 ? "clear-key: " : "certificate: ");
            assert_derives(context, expected, size);
        }
        if (n == 0) {
            describe_usage(&list, both[n], "prf");
            add_octets(&list, "label", "label", 5);
            assert_int_equal(set_number(master, "exportable", 0), 1);
            assert_int_equal(set_on(context, &list), 1);
            assert_refused(context, "key is not exportable", "prf");
        }
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(master);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_usage_and_length_gives_what_the_kdf_gives),
        TEST(each_usage_has_a_length_of_its_own),
        TEST(the_keylen_has_a_range),
        TEST(finished_takes_the_handshake_or_in_tls_1_0_its_hashes),
        TEST(a_client_of_ssl3_signs_what_the_kdf_gives),
        TEST(a_premaster_is_converted_by_the_first_derivation),
        TEST(a_refusal_for_a_key_that_is_not_exportable_converts_nothing),
        TEST(threads_that_convert_at_once_agree),
        TEST(labels_of_the_connections_secrets_need_an_exportable_master),
        TEST(other_labels_do_not),
        TEST(key_blocks_and_the_function_of_ssl3_need_an_exportable_master),
        TEST(any_schannel_key_is_a_peer_and_means_nothing),
        TEST(only_a_master_derives),
        TEST(pct1_and_ssl2_have_no_prf_and_no_finished_values),
        TEST(a_retired_master_derives_nothing),
        TEST(a_copy_of_a_context_has_parameters_of_its_own),
        TEST(what_is_missing_is_said),
        TEST(session_keys_do_not_come_out_as_bytes),
        TEST(bad_parameters_are_refused_and_change_nothing),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
