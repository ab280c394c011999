/*
 * TLS1-KDF through EVP_KDF, against RFC 2246 written a second time on top of OpenSSL's own
 * TLS1-PRF; and what it refuses: with one reason each, and nothing changed.
 */
#include "fixture.h"

#include <pthread.h>
#include <openssl/kdf.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MASTER_SIZE  48
#define RANDOM_SIZE  32
#define MAX_RANDOM   64
#define MAX_OUTPUT   600
#define MAX_PARAMS   24
#define HASH_SIZE    36

/* ---- the second implementation ---- */

/* Sizes in bytes: taken from the key block, of the final key, of the IV (RFC 2246 appendix C). */
struct row {
    const char *cipher;
    unsigned bits; /* 0: not given */
    int is_export;
    size_t material, key, iv;
};

static const struct row rows[] = {
    { "RC4", 0, 0, 16, 16, 0 },
    { "RC4", 40, 0, 5, 5, 0 },
    { "RC4", 48, 0, 6, 6, 0 },
    { "RC4", 56, 0, 7, 7, 0 },
    { "RC4", 64, 0, 8, 8, 0 },
    { "RC4", 72, 0, 9, 9, 0 },
    { "RC4", 80, 0, 10, 10, 0 },
    { "RC4", 88, 0, 11, 11, 0 },
    { "RC4", 96, 0, 12, 12, 0 },
    { "RC4", 104, 0, 13, 13, 0 },
    { "RC4", 112, 0, 14, 14, 0 },
    { "RC4", 120, 0, 15, 15, 0 },
    { "RC4", 128, 0, 16, 16, 0 },
    { "RC4", 40, 1, 5, 16, 0 },
    { "RC4", 56, 1, 7, 16, 0 },
    { "RC2-CBC", 0, 0, 16, 16, 8 },
    { "RC2-CBC", 40, 0, 5, 5, 8 },
    { "RC2-CBC", 128, 0, 16, 16, 8 },
    { "RC2-CBC", 40, 1, 5, 16, 8 },
    { "RC2-CBC", 56, 1, 7, 16, 8 },
    { "DES-CBC", 0, 0, 8, 8, 8 },
    { "DES-CBC", 56, 0, 8, 8, 8 },
    { "DES-CBC", 64, 0, 8, 8, 8 },
    { "DES-CBC", 40, 1, 5, 8, 8 },
    { "DES-EDE-CBC", 0, 0, 16, 16, 8 },
    { "DES-EDE-CBC", 112, 0, 16, 16, 8 },
    { "DES-EDE-CBC", 128, 0, 16, 16, 8 },
    { "DES-EDE3-CBC", 0, 0, 24, 24, 8 },
    { "DES-EDE3-CBC", 168, 0, 24, 24, 8 },
    { "DES-EDE3-CBC", 192, 0, 24, 24, 8 },
    { "AES-128-CBC", 0, 0, 16, 16, 16 },
    { "AES-128-CBC", 128, 0, 16, 16, 16 },
    { "AES-192-CBC", 0, 0, 24, 24, 16 },
    { "AES-256-CBC", 0, 0, 32, 32, 16 },
    { "AES-256-CBC", 256, 0, 32, 32, 16 },
};

static const char *const digests[] = { "MD5", "SHA1" };

/* What a derivation hangs on; pattern() makes it. */
struct connection {
    const struct row *row;
    const char *digest;
    uint8_t master[MASTER_SIZE], premaster[MASTER_SIZE];
    uint8_t client[MAX_RANDOM], server[MAX_RANDOM];
    size_t client_size, server_size;
    uint8_t handshake[300];
    uint8_t handshake_hash[HASH_SIZE];
    uint8_t seed[77];
};

static void prf(const void *secret, size_t secret_size, const char *label, const uint8_t *seed1,
                size_t seed1_size, const uint8_t *seed2, size_t seed2_size, uint8_t *out,
                size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-PRF", "provider=default");
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[] = {
        text_param(OSSL_KDF_PARAM_DIGEST, "MD5-SHA1"),
        octets_param(OSSL_KDF_PARAM_SECRET, secret, secret_size),
        octets_param(OSSL_KDF_PARAM_SEED, label, strlen(label)),
        octets_param(OSSL_KDF_PARAM_SEED, seed1, seed1_size),
        octets_param(OSSL_KDF_PARAM_SEED, seed2, seed2_size),
        OSSL_PARAM_construct_end(),
    };

    assert_non_null(context);
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static size_t mac_size(const struct connection *c)
{
    return strcmp(c->digest, "MD5") == 0 ? 16 : 20;
}

static void key_block(const struct connection *c, uint8_t *out, size_t size)
{
    prf(c->master, MASTER_SIZE, "key expansion", c->server, c->server_size, c->client,
        c->client_size, out, size);
}

/* One slice of the key block; a kind of secret starts at |start|, the server's comes second. */
static size_t slice(const struct connection *c, size_t start, size_t size, int server, uint8_t *out)
{
    uint8_t block[160];

    key_block(c, block, sizeof(block));
    memcpy(out, block + start + (server ? size : 0), size);
    return size;
}

static size_t mac_secret(const struct connection *c, int server, uint8_t *out)
{
    return slice(c, 0, mac_size(c), server, out);
}

static size_t write_key(const struct connection *c, int server, uint8_t *out)
{
    uint8_t material[32];

    slice(c, 2 * mac_size(c), c->row->material, server, material);
    if (c->row->is_export)
        prf(material, c->row->material, server ? "server write key" : "client write key", c->client,
            c->client_size, c->server, c->server_size, out, c->row->key);
    else
        memcpy(out, material, c->row->key);
    return c->row->key;
}

static size_t write_iv(const struct connection *c, int server, uint8_t *out)
{
    uint8_t block[32];

    if (!c->row->is_export)
        return slice(c, 2 * (mac_size(c) + c->row->material), c->row->iv, server, out);
    prf("", 0, "IV block", c->client, c->client_size, c->server, c->server_size, block,
        2 * c->row->iv);
    memcpy(out, block + (server ? c->row->iv : 0), c->row->iv);
    return c->row->iv;
}

static size_t finished(const struct connection *c, int server, uint8_t *out)
{
    prf(c->master, MASTER_SIZE, server ? "server finished" : "client finished", c->handshake_hash,
        HASH_SIZE, NULL, 0, out, 12);
    return 12;
}

static size_t whole_key_block(const struct connection *c, int server, uint8_t *out)
{
    (void)server;
    key_block(c, out, 104);
    return 104;
}

static size_t labelled_prf(const struct connection *c, int server, uint8_t *out)
{
    (void)server;
    prf(c->master, MASTER_SIZE, "a label", c->seed, sizeof(c->seed), NULL, 0, out, 48);
    return 48;
}

static size_t master_secret(const struct connection *c, int server, uint8_t *out)
{
    (void)server;
    prf(c->premaster, MASTER_SIZE, "master secret", c->client, c->client_size, c->server,
        c->server_size, out, MASTER_SIZE);
    return MASTER_SIZE;
}

static const struct usage {
    const char *name;
    int server, has_one_size;
    size_t (*answer)(const struct connection *, int server, uint8_t *out);
} usages[] = {
    { "client-write-key", 0, 1, write_key },
    { "server-write-key", 1, 1, write_key },
    { "client-write-mac", 0, 1, mac_secret },
    { "server-write-mac", 1, 1, mac_secret },
    { "client-write-iv", 0, 1, write_iv },
    { "server-write-iv", 1, 1, write_iv },
    { "master-secret", 0, 1, master_secret },
    { "key-block", 0, 0, whole_key_block },
    { "prf", 0, 0, labelled_prf },
    { "finished-client", 0, 0, finished },
    { "finished-server", 1, 0, finished },
};

static int is_usage(const struct usage *usage, const char *name)
{
    return strcmp(usage->name, name) == 0;
}

static int has_answer(const struct connection *c, const struct usage *usage)
{
    return usage->answer != write_iv || c->row->iv != 0;
}

static void hash_handshake(const uint8_t *data, size_t size, uint8_t hash[HASH_SIZE])
{
    assert_int_equal(EVP_Q_digest(libctx, "MD5", NULL, data, size, hash, NULL), 1);
    assert_int_equal(EVP_Q_digest(libctx, "SHA1", NULL, data, size, hash + 16, NULL), 1);
}

static void make_connection(struct connection *c, const struct row *row, const char *digest,
                            unsigned seed)
{
    memset(c, 0, sizeof(*c));
    c->row = row;
    c->digest = digest;
    pattern(c->master, sizeof(c->master), seed);
    pattern(c->premaster, sizeof(c->premaster), seed + 50);
    pattern(c->client, sizeof(c->client), seed + 100);
    pattern(c->server, sizeof(c->server), seed + 150);
    pattern(c->handshake, sizeof(c->handshake), seed + 200);
    pattern(c->seed, sizeof(c->seed), seed + 7);
    c->client_size = c->server_size = RANDOM_SIZE;
    hash_handshake(c->handshake, sizeof(c->handshake), c->handshake_hash);
}

/* ---- contexts and parameters ---- */

struct list {
    OSSL_PARAM params[MAX_PARAMS];
    size_t count;
};

static OSSL_PARAM *list_end(struct list *list)
{
    assert_in_range(list->count, 0, MAX_PARAMS - 1);
    list->params[list->count] = OSSL_PARAM_construct_end();
    return list->params;
}

static void list_add(struct list *list, OSSL_PARAM param)
{
    list->params[list->count++] = param;
    list_end(list);
}

/* The parameters of a connection for one usage; they borrow from |c|. */
static void list_connection(struct list *list, const struct connection *c,
                            const struct usage *usage)
{
    list->count = 0;
    list_add(list, text_param("usage", usage->name));
    list_add(list, octets_param("client-random", c->client, c->client_size));
    list_add(list, octets_param("server-random", c->server, c->server_size));
    if (is_usage(usage, "master-secret"))
        list_add(list, octets_param("premaster", c->premaster, MASTER_SIZE));
    else
        list_add(list, octets_param("secret", c->master, MASTER_SIZE));
    list_add(list, text_param("cipher", c->row->cipher));
    if (c->row->bits != 0)
        list_add(list,
                 OSSL_PARAM_construct_uint("cipher-bits", (unsigned *)(uintptr_t)&c->row->bits));
    list_add(list, OSSL_PARAM_construct_int("export", (int *)(uintptr_t)&c->row->is_export));
    list_add(list, text_param("digest", c->digest));
    list_add(list, octets_param("label", "a label", 7));
    list_add(list, octets_param("seed", c->seed, sizeof(c->seed)));
    list_add(list, octets_param("handshake", c->handshake, sizeof(c->handshake)));
}

static void list_drop(struct list *list, const char *name)
{
    size_t kept = 0;

    for (size_t n = 0; n < list->count; n++) {
        if (strcmp(list->params[n].key, name) != 0)
            list->params[kept++] = list->params[n];
    }
    list->count = kept;
    list_end(list);
}

static EVP_KDF_CTX *new_context(void)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, SCHANNEL_KDF_TLS1, SCHANNEL_PROPERTIES);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    assert_non_null(context);
    EVP_KDF_free(kdf);
    return context;
}

static void assert_derives(EVP_KDF_CTX *context, const OSSL_PARAM params[], const uint8_t *expected,
                           size_t size)
{
    uint8_t out[MAX_OUTPUT + 1];

    memset(out, 0xa5, sizeof(out));
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    assert_memory_equal(out, expected, size);
    assert_int_equal(out[size], 0xa5);
    assert_no_errors();
}

static void assert_refuses(EVP_KDF_CTX *context, const OSSL_PARAM params[], size_t size,
                           const char *reason, const char *detail)
{
    uint8_t out[MAX_OUTPUT], untouched[MAX_OUTPUT];

    memset(out, 0xa5, sizeof(out));
    memset(untouched, 0xa5, sizeof(untouched));
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 0);
    assert_reason(reason, detail);
    assert_memory_equal(out, untouched, sizeof(out));
}

static void assert_set(EVP_KDF_CTX *context, const OSSL_PARAM params[])
{
    assert_int_equal(EVP_KDF_CTX_set_params(context, params), 1);
}

static void set_one(EVP_KDF_CTX *context, OSSL_PARAM param)
{
    OSSL_PARAM params[] = { param, OSSL_PARAM_construct_end() };

    assert_set(context, params);
}

/* ---- right answers ---- */

static void for_each_derivation(void (*check)(const struct connection *, const struct usage *))
{
    struct connection c;
    size_t count = 0;

    for (size_t r = 0; r < COUNT(rows); r++) {
        for (size_t d = 0; d < COUNT(digests); d++) {
            make_connection(&c, &rows[r], digests[d], (unsigned)(17 * r + d));
            for (size_t u = 0; u < COUNT(usages); u++) {
                if (!has_answer(&c, &usages[u]))
                    continue;
                check(&c, &usages[u]);
                count++;
            }
        }
    }
    print_message("%zu derivations\n", count);
}

static void check_answer(const struct connection *c, const struct usage *usage)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    size_t size = usage->answer(c, usage->server, expected);
    struct list list;

    list_connection(&list, c, usage);
    assert_set(context, list.params);
    assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), usage->has_one_size ? size : SIZE_MAX);
    assert_derives(context, NULL, expected, size);
    assert_derives(context, NULL, expected, size);
    EVP_KDF_CTX_free(context);
}

static void every_usage_of_every_cipher_and_digest_agrees_with_the_second_implementation(
    void **state)
{
    (void)state;
    for_each_derivation(check_answer);
}

static void check_answer_at_derive_time(const struct connection *c, const struct usage *usage)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    size_t size = usage->answer(c, usage->server, expected);
    struct list list;

    list_connection(&list, c, usage);
    assert_derives(context, list.params, expected, size);
    EVP_KDF_CTX_free(context);

    /* and one call for each, last first, as the command line might */
    context = new_context();
    for (size_t n = list.count; n-- > 0;)
        set_one(context, list.params[n]);
    assert_derives(context, NULL, expected, size);
    EVP_KDF_CTX_free(context);
}

static void parameters_may_come_at_derive_time_or_one_by_one_in_any_order(void **state)
{
    (void)state;
    for_each_derivation(check_answer_at_derive_time);
}

/* One context for everything: nothing of an earlier derivation may stick. */
static void a_context_reused_for_every_derivation_gives_the_answers_of_fresh_ones(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    for (unsigned n = 0; n < 2000; n++) {
        const struct usage *usage = &usages[n % COUNT(usages)];

        make_connection(&c, &rows[n % COUNT(rows)], digests[n % 2], n);
        /* these two exclude each other, and bits belong to the cipher before */
        if (is_usage(usage, "master-secret") || c.row->bits == 0 || !has_answer(&c, usage))
            continue;
        list_connection(&list, &c, usage);
        assert_derives(context, list.params, expected, usage->answer(&c, usage->server, expected));
    }
    EVP_KDF_CTX_free(context);
}

static void new_randoms_alone_give_the_keys_of_a_resumed_session(void **state)
{
    const struct usage *usage = &usages[1];
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;
    size_t size;

    (void)state;
    make_connection(&c, &rows[0], "SHA1", 3);
    list_connection(&list, &c, usage);
    assert_set(context, list.params);
    for (unsigned n = 0; n < 10; n++) {
        pattern(n % 2 == 0 ? c.client : c.server, RANDOM_SIZE, 90 + n);
        set_one(context, octets_param("client-random", c.client, RANDOM_SIZE));
        set_one(context, octets_param("server-random", c.server, RANDOM_SIZE));
        size = usage->answer(&c, usage->server, expected);
        assert_derives(context, NULL, expected, size);
    }
    EVP_KDF_CTX_free(context);
}

static void the_usages_without_a_size_of_their_own_give_any_length(void **state)
{
    static const char *const labels[] = {
        [7] = "key expansion", [8] = "a label", [9] = "client finished", [10] = "server finished"
    };
    static const size_t sizes[] = { 1,  2,   11,  12,  13,  15,  16,  17,  19,  20,  21,  31,
                                    32, 36,  47,  48,  49,  59,  60,  61,  64,  79,  80,  81,
                                    99, 100, 104, 128, 136, 137, 160, 255, 256, 257, 416, 600 };
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[0], "MD5", 5);
    for (size_t u = 7; u < COUNT(usages); u++) {
        EVP_KDF_CTX *context = new_context();

        list_connection(&list, &c, &usages[u]);
        assert_set(context, list.params);
        for (size_t n = 0; n < COUNT(sizes); n++) {
            uint8_t expected[MAX_OUTPUT];

            if (u == 7)
                key_block(&c, expected, sizes[n]);
            else if (u == 8)
                prf(c.master, MASTER_SIZE, labels[u], c.seed, sizeof(c.seed), NULL, 0, expected,
                    sizes[n]);
            else
                prf(c.master, MASTER_SIZE, labels[u], c.handshake_hash, HASH_SIZE, NULL, 0,
                    expected, sizes[n]);
            assert_derives(context, NULL, expected, sizes[n]);
        }
        assert_true(EVP_KDF_CTX_get_kdf_size(context) == SIZE_MAX);
        EVP_KDF_CTX_free(context);
    }
}

static void the_default_usage_is_the_key_block(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[0], "MD5", 6);
    list_connection(&list, &c, &usages[0]);
    list_drop(&list, "usage");
    key_block(&c, expected, 77);
    assert_derives(context, list.params, expected, 77);
    EVP_KDF_CTX_free(context);
}

/* Empty ones too, only not label and seed both, which OpenSSL refuses. */
static void the_prf_takes_secrets_labels_and_seeds_of_any_length(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t secret[200], seed[200], expected[MAX_OUTPUT];
    char label[61];

    (void)state;
    pattern(secret, sizeof(secret), 1);
    pattern(seed, sizeof(seed), 2);
    memset(label, 'l', sizeof(label));
    for (size_t size = 0; size <= sizeof(secret); size++) {
        OSSL_PARAM params[] = {
            text_param("usage", "prf"),
            octets_param("secret", secret, size),
            octets_param("label", label, size % 60),
            octets_param("seed", seed, sizeof(seed) - size),
            OSSL_PARAM_construct_end(),
        };

        label[size % 60] = '\0';
        prf(secret, size, label, seed, sizeof(seed) - size, NULL, 0, expected, 61);
        label[size % 60] = 'l';
        assert_derives(context, params, expected, 61);
    }
    EVP_KDF_CTX_free(context);
}

static void the_prf_without_a_label_is_that_with_an_empty_one(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    OSSL_PARAM params[] = { text_param("usage", "prf"), octets_param("secret", "0123456789", 10),
                            octets_param("seed", "a seed", 6), OSSL_PARAM_construct_end() };

    (void)state;
    prf("0123456789", 10, "", (const uint8_t *)"a seed", 6, NULL, 0, expected, 50);
    assert_derives(context, params, expected, 50);
    EVP_KDF_CTX_free(context);
}

/* A premaster of any length in place of the master secret, for every usage. */
static void a_premaster_gives_what_its_master_secret_gives(void **state)
{
    static const size_t sizes[] = { 1, 2, 47, 48, 49, 64, 128, 129, 256 };
    uint8_t premaster[256], expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    pattern(premaster, sizeof(premaster), 99);
    for (size_t n = 0; n < COUNT(sizes); n++) {
        for (size_t u = 0; u < COUNT(usages); u++) {
            const struct usage *usage = &usages[u];
            EVP_KDF_CTX *context = new_context();
            size_t size;

            make_connection(&c, &rows[18], "SHA1", 40);
            prf(premaster, sizes[n], "master secret", c.client, RANDOM_SIZE, c.server, RANDOM_SIZE,
                c.master, MASTER_SIZE);
            list_connection(&list, &c, usage);
            list_drop(&list, "secret");
            list_drop(&list, "premaster");
            list_add(&list, octets_param("premaster", premaster, sizes[n]));
            size = usage->answer(&c, usage->server, expected);
            if (is_usage(usage, "master-secret"))
                memcpy(expected, c.master, MASTER_SIZE);
            assert_derives(context, list.params, expected, size);
            EVP_KDF_CTX_free(context);
        }
    }
}

static void the_handshake_may_come_hashed_and_have_any_length(void **state)
{
    static const size_t sizes[] = { 0, 1, 55, 56, 63, 64, 65, 1000, 65536, 200000 };
    static uint8_t handshake[200000];
    uint8_t expected[12];
    struct connection c;
    struct list list;

    (void)state;
    pattern(handshake, sizeof(handshake), 8);
    for (size_t n = 0; n < COUNT(sizes); n++) {
        for (size_t u = 9; u <= 10; u++) {
            EVP_KDF_CTX *context = new_context();

            make_connection(&c, &rows[0], "SHA1", 41);
            hash_handshake(handshake, sizes[n], c.handshake_hash);
            list_connection(&list, &c, &usages[u]);
            list_drop(&list, "handshake");
            list_add(&list, octets_param("handshake", handshake, sizes[n]));
            finished(&c, usages[u].server, expected);
            assert_derives(context, list.params, expected, sizeof(expected));
            EVP_KDF_CTX_free(context);

            context = new_context();
            list_drop(&list, "handshake");
            list_add(&list, octets_param("handshake-hash", c.handshake_hash, HASH_SIZE));
            assert_derives(context, list.params, expected, sizeof(expected));
            EVP_KDF_CTX_free(context);
        }
    }
}

static void with_relaxed_randoms_each_may_have_1_to_64_bytes(void **state)
{
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;
    unsigned yes = 1;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 42);
    for (size_t length = 1; length <= MAX_RANDOM; length++) {
        for (size_t u = 0; u < COUNT(usages); u++) {
            const struct usage *usage = &usages[u];
            EVP_KDF_CTX *context = new_context();

            c.client_size = length;
            c.server_size = MAX_RANDOM + 1 - length;
            list_connection(&list, &c, usage);
            list_add(&list, OSSL_PARAM_construct_uint("relaxed-randoms", &yes));
            assert_derives(context, list.params, expected,
                           usage->answer(&c, usage->server, expected));
            EVP_KDF_CTX_free(context);
        }
    }
}

static void names_are_taken_in_any_case(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[30], "SHA1", 43);
    list_connection(&list, &c, &usages[0]);
    list_drop(&list, "cipher");
    list_drop(&list, "digest");
    list_add(&list, text_param("cipher", "aes-128-cbc"));
    list_add(&list, text_param("digest", "sha1"));
    assert_derives(context, list.params, expected, write_key(&c, 0, expected));
    EVP_KDF_CTX_free(context);
}

/* An integer of |width| bytes in native order. */
static OSSL_PARAM integer_param(const char *name, uint8_t data[16], size_t width, unsigned type,
                                uint8_t value)
{
    static const uint16_t one = 1;
    int is_little = *(const uint8_t *)&one == 1;

    memset(data, 0, 16);
    data[is_little ? 0 : width - 1] = value;
    return (OSSL_PARAM){ name, type, data, width, OSSL_PARAM_UNMODIFIED };
}

static void integers_are_taken_in_every_type(void **state)
{
    static const struct {
        unsigned type;
        size_t width;
    } types[] = {
        { OSSL_PARAM_INTEGER, 1 },          { OSSL_PARAM_INTEGER, 2 },
        { OSSL_PARAM_INTEGER, 4 },          { OSSL_PARAM_INTEGER, 8 },
        { OSSL_PARAM_INTEGER, 16 },         { OSSL_PARAM_UNSIGNED_INTEGER, 1 },
        { OSSL_PARAM_UNSIGNED_INTEGER, 2 }, { OSSL_PARAM_UNSIGNED_INTEGER, 4 },
        { OSSL_PARAM_UNSIGNED_INTEGER, 8 }, { OSSL_PARAM_UNSIGNED_INTEGER, 16 },
    };
    uint8_t expected[MAX_OUTPUT], bits[16], is_export[16], mac_bits[16], relaxed[16];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[13], "MD5", 44);
    c.client_size = 28;
    for (size_t n = 0; n < COUNT(types); n++) {
        EVP_KDF_CTX *context = new_context();

        list_connection(&list, &c, &usages[1]);
        list_drop(&list, "cipher-bits");
        list_drop(&list, "export");
        list_add(&list, integer_param("cipher-bits", bits, types[n].width, types[n].type, 40));
        list_add(&list, integer_param("export", is_export, types[n].width, types[n].type, 1));
        list_add(&list,
                 integer_param("relaxed-randoms", relaxed, types[n].width, types[n].type, 1));
        if (types[n].type != OSSL_PARAM_INTEGER || types[n].width != 1)
            list_add(&list,
                     integer_param("mac-bits", mac_bits, types[n].width, types[n].type, 128));
        assert_derives(context, list.params, expected, write_key(&c, 1, expected));
        EVP_KDF_CTX_free(context);
    }
}

static void mac_bits_that_are_those_of_the_digest_are_accepted(void **state)
{
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    for (size_t d = 0; d < COUNT(digests); d++) {
        EVP_KDF_CTX *context = new_context();
        unsigned bits = d == 0 ? 128 : 160;

        make_connection(&c, &rows[0], digests[d], 45);
        list_connection(&list, &c, &usages[2]);
        list_add(&list, OSSL_PARAM_construct_uint("mac-bits", &bits));
        assert_derives(context, list.params, expected, mac_secret(&c, 0, expected));
        EVP_KDF_CTX_free(context);
    }
}

/* The MAC secrets come first in the key block and need no cipher; the others no digest either. */
static void a_usage_asks_for_no_more_than_it_needs(void **state)
{
    static const struct {
        size_t usage;
        const char *unneeded[7];
    } needs[] = {
        { 0, { "label", "seed", "handshake" } },
        { 2, { "label", "seed", "handshake", "cipher", "cipher-bits", "export" } },
        { 4, { "label", "seed", "handshake" } },
        { 6, { "label", "seed", "handshake", "cipher", "cipher-bits", "export", "digest" } },
        { 7, { "label", "seed", "handshake", "cipher", "cipher-bits", "export", "digest" } },
        { 8,
          { "client-random", "server-random", "handshake", "cipher", "cipher-bits", "export",
            "digest" } },
        { 9,
          { "client-random", "server-random", "label", "seed", "cipher", "cipher-bits",
            "export" } },
    };
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 46);
    for (size_t n = 0; n < COUNT(needs); n++) {
        const struct usage *usage = &usages[needs[n].usage];
        EVP_KDF_CTX *context = new_context();

        list_connection(&list, &c, usage);
        for (size_t i = 0; i < 7 && needs[n].unneeded[i] != NULL; i++)
            list_drop(&list, needs[n].unneeded[i]);
        assert_derives(context, list.params, expected, usage->answer(&c, usage->server, expected));
        EVP_KDF_CTX_free(context);
    }
}

/* ---- the life of a context ---- */

static void a_reset_context_has_forgotten_everything(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;
    size_t size;

    (void)state;
    make_connection(&c, &rows[0], "SHA1", 47);
    for (size_t u = 0; u < COUNT(usages); u++) {
        const struct usage *usage = &usages[u];

        if (!has_answer(&c, usage))
            continue;
        list_connection(&list, &c, usage);
        size = usage->answer(&c, usage->server, expected);
        assert_derives(context, list.params, expected, size);
        EVP_KDF_CTX_reset(context);
        assert_true(EVP_KDF_CTX_get_kdf_size(context) == SIZE_MAX);
        assert_refuses(context, NULL, 48, "missing parameter", "-random");
        set_one(context, text_param("usage", usage->name));
        assert_refuses(context, NULL, size, "missing parameter", "");
        assert_derives(context, list.params, expected, size);
        EVP_KDF_CTX_reset(context);
    }
    EVP_KDF_CTX_free(context);
}

static void reset_takes_back_every_parameter_one_by_one(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;
    unsigned yes = 1;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 48); /* RC2, 40 bits for export */
    c.client_size = 20;
    list_connection(&list, &c, &usages[0]);
    list_add(&list, OSSL_PARAM_construct_uint("relaxed-randoms", &yes));
    assert_derives(context, list.params, expected, write_key(&c, 0, expected));
    EVP_KDF_CTX_reset(context);
    /* neither export nor 40 bits any more */
    c.row = &rows[15];
    c.client_size = RANDOM_SIZE;
    list_connection(&list, &c, &usages[0]);
    list_drop(&list, "export");
    assert_derives(context, list.params, expected, write_key(&c, 0, expected));
    /* nor relaxed */
    set_one(context, octets_param("client-random", c.client, 20));
    assert_refuses(context, NULL, 16, "invalid length", "client-random");
    EVP_KDF_CTX_free(context);
}

static void check_dup(const struct connection *c, const struct usage *usage)
{
    EVP_KDF_CTX *context = new_context(), *copy;
    uint8_t expected[MAX_OUTPUT], other_expected[MAX_OUTPUT];
    size_t size = usage->answer(c, usage->server, expected), other_size;
    struct connection other;
    struct list list;

    make_connection(&other, c->row, c->digest, 199);
    other_size = usage->answer(&other, usage->server, other_expected);
    list_connection(&list, c, usage);
    assert_set(context, list.params);
    copy = EVP_KDF_CTX_dup(context);
    assert_non_null(copy);
    list_connection(&list, &other, usage);
    assert_derives(copy, list.params, other_expected, other_size);
    assert_derives(context, NULL, expected, size);
    EVP_KDF_CTX_free(context);
    assert_derives(copy, NULL, other_expected, other_size);
    context = EVP_KDF_CTX_dup(copy);
    EVP_KDF_CTX_reset(copy);
    EVP_KDF_CTX_free(copy);
    assert_derives(context, NULL, other_expected, other_size);
    EVP_KDF_CTX_free(context);
}

static void a_duplicate_and_its_original_do_not_know_of_each_other(void **state)
{
    (void)state;
    for_each_derivation(check_dup);
}

static void an_empty_context_can_be_duplicated(void **state)
{
    EVP_KDF_CTX *context = new_context(), *copy = EVP_KDF_CTX_dup(context);

    (void)state;
    assert_non_null(copy);
    EVP_KDF_CTX_free(context);
    assert_refuses(copy, NULL, 48, "missing parameter", "client-random");
    EVP_KDF_CTX_free(copy);
}

/* The caller's buffers are its own again after the call. */
static void a_context_keeps_copies_of_what_it_was_given(void **state)
{
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    for (size_t u = 0; u < COUNT(usages); u++) {
        const struct usage *usage = &usages[u];
        EVP_KDF_CTX *context = new_context();
        size_t size;

        make_connection(&c, &rows[30], "MD5", 49);
        size = usage->answer(&c, usage->server, expected);
        list_connection(&list, &c, usage);
        assert_set(context, list.params);
        memset(&c, 0, sizeof(c));
        assert_derives(context, NULL, expected, size);
        EVP_KDF_CTX_free(context);
    }
}

static void the_size_of_a_key_is_not_known_before_cipher_and_digest(void **state)
{
    EVP_KDF_CTX *context = new_context();

    (void)state;
    for (size_t u = 0; u < COUNT(usages); u++) {
        set_one(context, text_param("usage", usages[u].name));
        if (usages[u].has_one_size && !is_usage(&usages[u], "master-secret")) {
            assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), 0);
            assert_reason("missing parameter", "digest");
        } else {
            assert_int_equal(EVP_KDF_CTX_get_kdf_size(context),
                             usages[u].has_one_size ? MASTER_SIZE : SIZE_MAX);
            assert_no_errors();
        }
    }
    EVP_KDF_CTX_free(context);
}

/* ---- what is refused ---- */

enum type { OCTETS, TEXT, UNSIGNED, SIGNED, REAL };

/* Refused by the setting already. */
static const struct {
    const char *name;
    enum type type;
    const char *text; /* TEXT */
    long number;      /* UNSIGNED and SIGNED: the value; OCTETS: the size */
    const char *reason;
} bad_values[] = {
    { "client-random", OCTETS, NULL, 0, "invalid length" },
    { "client-random", OCTETS, NULL, 65, "invalid length" },
    { "client-random", OCTETS, NULL, 1000, "invalid length" },
    { "server-random", OCTETS, NULL, 0, "invalid length" },
    { "server-random", OCTETS, NULL, 65, "invalid length" },
    { "premaster", OCTETS, NULL, 0, "invalid length" },
    { "premaster", OCTETS, NULL, 65536, "invalid length" },
    { "secret", OCTETS, NULL, 65536, "invalid length" },
    { "label", OCTETS, NULL, 65536, "invalid length" },
    { "seed", OCTETS, NULL, 65536, "invalid length" },
    { "handshake-hash", OCTETS, NULL, 0, "invalid length" },
    { "handshake-hash", OCTETS, NULL, 35, "invalid length" },
    { "handshake-hash", OCTETS, NULL, 37, "invalid length" },
    { "handshake-hash", OCTETS, NULL, 16, "invalid length" },
    { "usage", TEXT, "nonsense", 0, "unknown usage" },
    { "usage", TEXT, "client-write", 0, "unknown usage" },
    { "usage", TEXT, "client-write-keys", 0, "unknown usage" },
    { "usage", TEXT, "", 0, "unknown usage" },
    { "cipher", TEXT, "IDEA", 0, "unknown algorithm" },
    { "cipher", TEXT, "AES-128", 0, "unknown algorithm" },
    { "cipher", TEXT, "AES-128-GCM", 0, "unknown algorithm" },
    { "cipher", TEXT, "", 0, "unknown algorithm" },
    { "digest", TEXT, "SHA256", 0, "unknown algorithm" },
    { "digest", TEXT, "MD5-SHA1", 0, "unknown algorithm" },
    { "digest", TEXT, "", 0, "unknown algorithm" },
    { "cipher-bits", UNSIGNED, NULL, 0, "invalid parameter" },
    { "cipher-bits", UNSIGNED, NULL, 65536 + 128, "invalid parameter" },
    { "cipher-bits", SIGNED, NULL, -128, "invalid parameter" },
    { "mac-bits", UNSIGNED, NULL, 0, "invalid parameter" },
    { "mac-bits", SIGNED, NULL, -160, "invalid parameter" },
    { "export", UNSIGNED, NULL, 2, "invalid parameter" },
    { "export", SIGNED, NULL, -1, "invalid parameter" },
    { "relaxed-randoms", UNSIGNED, NULL, 2, "invalid parameter" },
    { "relaxed-randoms", SIGNED, NULL, -1, "invalid parameter" },
    /* of a wrong type */
    { "secret", TEXT, "0123456789abcdef0123456789abcdef0123456789abcdef", 0, "invalid parameter" },
    { "secret", UNSIGNED, NULL, 48, "invalid parameter" },
    { "premaster", TEXT, "0123456789abcdef", 0, "invalid parameter" },
    { "client-random", TEXT, "0123456789abcdef0123456789abcdef", 0, "invalid parameter" },
    { "server-random", UNSIGNED, NULL, 32, "invalid parameter" },
    { "label", TEXT, "key expansion", 0, "invalid parameter" },
    { "seed", TEXT, "a seed", 0, "invalid parameter" },
    { "handshake", TEXT, "hello", 0, "invalid parameter" },
    { "handshake-hash", TEXT, "0123456789abcdef0123456789abcdef0123", 0, "invalid parameter" },
    { "usage", OCTETS, NULL, 9, "invalid parameter" },
    { "usage", UNSIGNED, NULL, 1, "invalid parameter" },
    { "cipher", OCTETS, NULL, 3, "invalid parameter" },
    { "cipher", UNSIGNED, NULL, 1, "invalid parameter" },
    { "digest", OCTETS, NULL, 3, "invalid parameter" },
    { "cipher-bits", TEXT, "128", 0, "invalid parameter" },
    { "cipher-bits", OCTETS, NULL, 4, "invalid parameter" },
    { "cipher-bits", REAL, NULL, 128, "invalid parameter" },
    { "mac-bits", TEXT, "160", 0, "invalid parameter" },
    { "export", TEXT, "1", 0, "invalid parameter" },
    { "relaxed-randoms", OCTETS, NULL, 1, "invalid parameter" },
};

static void a_refused_value_changes_nothing_and_nothing_given_with_it(void **state)
{
    static uint8_t bytes[65536];
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c, other;
    struct list list, mixed;
    size_t size;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 50);
    make_connection(&other, &rows[34], "MD5", 60);
    list_connection(&list, &c, &usages[1]);
    assert_set(context, list.params);
    size = write_key(&c, 1, expected);
    for (size_t n = 0; n < COUNT(bad_values); n++) {
        unsigned long number = (unsigned long)bad_values[n].number;
        long negative = bad_values[n].number;
        double real = (double)bad_values[n].number;
        OSSL_PARAM bad[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
        char detail[64];

        snprintf(detail, sizeof(detail), "%s: expected", bad_values[n].name);
        if (strcmp(bad_values[n].name, "usage") == 0)
            snprintf(detail, sizeof(detail), "usage: ");
        switch (bad_values[n].type) {
        case OCTETS:
            bad[0] = octets_param(bad_values[n].name, bytes, (size_t)bad_values[n].number);
            break;
        case TEXT:
            bad[0] = text_param(bad_values[n].name, bad_values[n].text);
            break;
        case UNSIGNED:
            bad[0] = OSSL_PARAM_construct_ulong(bad_values[n].name, &number);
            break;
        case SIGNED:
            bad[0] = OSSL_PARAM_construct_long(bad_values[n].name, &negative);
            break;
        case REAL:
            bad[0] = OSSL_PARAM_construct_double(bad_values[n].name, &real);
            break;
        }
        assert_int_equal(EVP_KDF_CTX_set_params(context, bad), 0);
        assert_reason(bad_values[n].reason, detail);
        assert_refuses(context, bad, size, bad_values[n].reason, detail);
        /* good parameters of another connection before and behind it */
        list_connection(&mixed, &other, &usages[0]);
        list_add(&mixed, bad[0]);
        list_add(&mixed, octets_param("seed", "another", 7));
        assert_int_equal(EVP_KDF_CTX_set_params(context, mixed.params), 0);
        assert_reason(bad_values[n].reason, detail);
        assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), size);
        assert_derives(context, NULL, expected, size);
    }
    EVP_KDF_CTX_free(context);
    print_message("%zu bad values\n", COUNT(bad_values));
}

static void an_endless_name_is_refused(void **state)
{
    static const char *const names[] = { "usage", "cipher", "digest" };
    EVP_KDF_CTX *context = new_context();
    char name[2000];

    (void)state;
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    for (size_t n = 0; n < COUNT(names); n++) {
        OSSL_PARAM bad[] = { text_param(names[n], name), OSSL_PARAM_construct_end() };

        assert_int_equal(EVP_KDF_CTX_set_params(context, bad), 0);
        assert_reason("invalid length", names[n]);
    }
    EVP_KDF_CTX_free(context);
}

static void an_unknown_parameter_is_left_alone(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[0], "SHA1", 51);
    list_connection(&list, &c, &usages[0]);
    list_add(&list, text_param("colour", "green"));
    assert_derives(context, list.params, expected, write_key(&c, 0, expected));
    EVP_KDF_CTX_free(context);
}

static void of_a_parameter_given_twice_the_last_one_counts(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT], other[MASTER_SIZE];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[0], "SHA1", 52);
    pattern(other, sizeof(other), 53);
    list_connection(&list, &c, &usages[0]);
    list_drop(&list, "secret");
    list_add(&list, octets_param("secret", other, sizeof(other)));
    list_add(&list, octets_param("secret", c.master, sizeof(c.master)));
    assert_derives(context, list.params, expected, write_key(&c, 0, expected));
    EVP_KDF_CTX_free(context);
}

static void an_empty_list_changes_nothing(void **state)
{
    const OSSL_PARAM nothing[] = { OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[0], "SHA1", 54);
    list_connection(&list, &c, &usages[0]);
    assert_set(context, list.params);
    assert_set(context, nothing);
    assert_derives(context, nothing, expected, write_key(&c, 0, expected));
    EVP_KDF_CTX_free(context);
}

/* Which parameters a usage needs, and what it says without each. */
static const struct {
    size_t usage;
    const char *missing, *detail;
} missing[] = {
    { 0, "client-random", "client-random" },
    { 0, "server-random", "server-random" },
    { 0, "secret", "secret" },
    { 0, "cipher", "cipher" },
    { 0, "digest", "digest" },
    { 1, "client-random", "client-random" },
    { 1, "server-random", "server-random" },
    { 1, "secret", "secret" },
    { 1, "cipher", "cipher" },
    { 1, "digest", "digest" },
    { 2, "client-random", "client-random" },
    { 2, "server-random", "server-random" },
    { 2, "secret", "secret" },
    { 2, "digest", "digest" },
    { 3, "client-random", "client-random" },
    { 3, "secret", "secret" },
    { 3, "digest", "digest" },
    { 4, "client-random", "client-random" },
    { 4, "cipher", "cipher" },
    { 4, "digest", "digest" },
    { 5, "server-random", "server-random" },
    { 5, "cipher", "cipher" },
    { 6, "client-random", "client-random" },
    { 6, "server-random", "server-random" },
    { 6, "premaster", "premaster" },
    { 7, "client-random", "client-random" },
    { 7, "server-random", "server-random" },
    { 7, "secret", "secret" },
    { 8, "secret", "secret" },
    { 8, "seed", "seed" },
    { 9, "handshake", "handshake" },
    { 9, "secret", "secret" },
    { 10, "handshake", "handshake" },
    { 10, "secret", "secret" },
};

static void a_missing_parameter_is_named_and_can_be_given_later(void **state)
{
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 52);
    for (size_t n = 0; n < COUNT(missing); n++) {
        const struct usage *usage = &usages[missing[n].usage];
        EVP_KDF_CTX *context = new_context();
        size_t size = usage->answer(&c, usage->server, expected);
        OSSL_PARAM last[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };

        list_connection(&list, &c, usage);
        last[0] = *OSSL_PARAM_locate(list.params, missing[n].missing);
        list_drop(&list, missing[n].missing);
        assert_set(context, list.params);
        assert_refuses(context, NULL, size, "missing parameter", missing[n].detail);
        assert_derives(context, last, expected, size);
        EVP_KDF_CTX_free(context);
    }
    print_message("%zu missing parameters\n", COUNT(missing));
}

static void the_wrong_keylen_is_refused_and_the_right_one_works_afterwards(void **state)
{
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    for (size_t r = 0; r < COUNT(rows); r++) {
        for (size_t u = 0; u < COUNT(usages); u++) {
            const struct usage *usage = &usages[u];
            EVP_KDF_CTX *context = new_context();
            size_t size;

            make_connection(&c, &rows[r], "MD5", 53);
            if (!has_answer(&c, usage)) {
                EVP_KDF_CTX_free(context);
                continue;
            }
            size = usage->answer(&c, usage->server, expected);
            list_connection(&list, &c, usage);
            assert_set(context, list.params);
            assert_refuses(context, NULL, 0, "invalid length", "keylen");
            for (size_t wrong = 1; usage->has_one_size && wrong <= 70; wrong++) {
                if (wrong != size)
                    assert_refuses(context, NULL, wrong, "invalid length", "keylen");
            }
            assert_derives(context, NULL, expected, size);
            EVP_KDF_CTX_free(context);
        }
    }
}

/* |bad| is taken by the setting but refused by the derivation; |good| makes up for it. */
static void check_refused_by_derivation(const struct connection *c, const struct usage *usage,
                                        OSSL_PARAM bad, OSSL_PARAM good, const char *reason)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    size_t size = usage->answer(c, usage->server, expected);
    struct list list;

    list_connection(&list, c, usage);
    assert_set(context, list.params);
    set_one(context, bad);
    assert_refuses(context, NULL, size, reason, bad.key);
    assert_refuses(context, NULL, size, reason, bad.key);
    set_one(context, good);
    assert_derives(context, NULL, expected, size);
    EVP_KDF_CTX_free(context);
}

static void a_secret_that_is_no_master_secret_is_refused(void **state)
{
    static const size_t sizes[] = { 0, 1, 20, 46, 47, 49, 96, 65535 };
    static uint8_t bytes[65535];
    struct connection c;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 54);
    for (size_t u = 0; u < COUNT(usages); u++) {
        if (is_usage(&usages[u], "prf") || is_usage(&usages[u], "master-secret"))
            continue;
        for (size_t n = 0; n < COUNT(sizes); n++)
            check_refused_by_derivation(&c, &usages[u], octets_param("secret", bytes, sizes[n]),
                                        octets_param("secret", c.master, MASTER_SIZE),
                                        "invalid length");
    }
}

static void strict_randoms_of_any_length_but_32_are_refused(void **state)
{
    static const char *const names[] = { "client-random", "server-random" };
    uint8_t bytes[MAX_RANDOM];
    struct connection c;

    (void)state;
    pattern(bytes, sizeof(bytes), 9);
    make_connection(&c, &rows[18], "SHA1", 55);
    for (size_t u = 0; u <= 7; u++) {
        for (size_t length = 1; length <= MAX_RANDOM; length++) {
            for (size_t side = 0; side < 2 && length != RANDOM_SIZE; side++)
                check_refused_by_derivation(
                    &c, &usages[u], octets_param(names[side], bytes, length),
                    octets_param(names[side], side == 0 ? c.client : c.server, RANDOM_SIZE),
                    "invalid length");
        }
    }
}

static void key_sizes_that_a_cipher_does_not_have_are_refused(void **state)
{
    static const struct {
        size_t row, usage;
        unsigned bits, right;
    } wrong[] = {
        { 12, 0, 39, 128 },  { 12, 0, 41, 128 },  { 12, 0, 32, 128 },   { 12, 0, 136, 128 },
        { 12, 1, 256, 128 }, { 12, 1, 1, 128 },   { 12, 1, 4096, 128 }, { 18, 0, 41, 40 },
        { 18, 1, 136, 40 },  { 22, 0, 40, 64 },   { 22, 4, 63, 64 },    { 22, 4, 72, 64 },
        { 26, 0, 64, 128 },  { 26, 1, 192, 128 }, { 29, 0, 56, 192 },   { 29, 5, 128, 192 },
        { 31, 0, 56, 128 },  { 31, 0, 256, 128 }, { 34, 0, 128, 256 },  { 34, 1, 192, 256 },
        { 23, 0, 48, 40 },   { 23, 1, 128, 40 },
    };
    struct connection c;

    (void)state;
    for (size_t n = 0; n < COUNT(wrong); n++) {
        unsigned bits = wrong[n].bits, right = wrong[n].right;

        make_connection(&c, &rows[wrong[n].row], "MD5", 56);
        check_refused_by_derivation(
            &c, &usages[wrong[n].usage], OSSL_PARAM_construct_uint("cipher-bits", &bits),
            OSSL_PARAM_construct_uint("cipher-bits", &right), "invalid parameter");
    }
}

static void ciphers_without_an_export_form_are_refused_for_export(void **state)
{
    static const char *const ciphers[] = { "DES-EDE-CBC", "DES-EDE3-CBC", "AES-128-CBC",
                                           "AES-192-CBC", "AES-256-CBC" };
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;
    int yes = 1, no = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        size_t row = 0;

        while (strcmp(rows[row].cipher, ciphers[n]) != 0)
            row++;
        make_connection(&c, &rows[row], "SHA1", 57);
        for (size_t u = 0; u < COUNT(usages); u++) {
            const struct usage *usage = &usages[u];
            EVP_KDF_CTX *context = new_context();
            size_t size = usage->answer(&c, usage->server, expected);

            list_connection(&list, &c, usage);
            assert_set(context, list.params);
            set_one(context, OSSL_PARAM_construct_int("export", &yes));
            if (usage->answer == write_key || usage->answer == write_iv)
                assert_refuses(context, NULL, size, "invalid parameter", "for export");
            set_one(context, OSSL_PARAM_construct_int("export", &no));
            assert_derives(context, NULL, expected, size);
            EVP_KDF_CTX_free(context);
        }
    }
}

static void mac_bits_that_are_not_those_of_the_digest_are_refused(void **state)
{
    static const unsigned wrong[] = { 1, 40, 64, 127, 129, 159, 161, 256, 4096 };
    struct connection c;

    (void)state;
    for (size_t d = 0; d < COUNT(digests); d++) {
        unsigned right = d == 0 ? 128 : 160, others = d == 0 ? 160 : 128;

        make_connection(&c, &rows[30], digests[d], 58);
        for (size_t u = 0; u <= 5; u++) {
            for (size_t n = 0; n <= COUNT(wrong); n++) {
                unsigned bits = n == COUNT(wrong) ? others : wrong[n];

                check_refused_by_derivation(
                    &c, &usages[u], OSSL_PARAM_construct_uint("mac-bits", &bits),
                    OSSL_PARAM_construct_uint("mac-bits", &right), "invalid parameter");
            }
        }
    }
}

static void a_stream_cipher_has_no_iv(void **state)
{
    static const size_t stream_rows[] = { 0, 1, 13 };
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    for (size_t n = 0; n < COUNT(stream_rows); n++) {
        for (size_t u = 4; u <= 5; u++) {
            EVP_KDF_CTX *context = new_context();

            make_connection(&c, &rows[stream_rows[n]], "SHA1", 59);
            list_connection(&list, &c, &usages[u]);
            assert_set(context, list.params);
            assert_refuses(context, NULL, 8, "unknown usage", "RC4 has no IV");
            assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), 0);
            assert_reason(NULL, usages[u].name);
            set_one(context, text_param("usage", "server-write-key"));
            assert_derives(context, NULL, expected, write_key(&c, 1, expected));
            EVP_KDF_CTX_free(context);
        }
    }
}

static void secret_and_premaster_exclude_each_other(void **state)
{
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 61);
    for (size_t u = 0; u < COUNT(usages); u++) {
        const struct usage *usage = &usages[u];
        EVP_KDF_CTX *context = new_context();
        size_t size = usage->answer(&c, usage->server, expected);

        list_connection(&list, &c, usage);
        list_drop(&list, "secret");
        list_drop(&list, "premaster");
        list_add(&list, octets_param("premaster", c.premaster, MASTER_SIZE));
        list_add(&list, octets_param("secret", c.master, MASTER_SIZE));
        assert_set(context, list.params);
        assert_refuses(context, NULL, size, "conflicting parameters", "premaster");
        EVP_KDF_CTX_reset(context);
        list_connection(&list, &c, usage);
        assert_derives(context, list.params, expected, size);
        EVP_KDF_CTX_free(context);
    }
}

static void a_master_secret_given_does_not_stand_in_for_the_premaster(void **state)
{
    EVP_KDF_CTX *context = new_context();
    uint8_t expected[MAX_OUTPUT];
    struct connection c;
    struct list list;

    (void)state;
    make_connection(&c, &rows[18], "SHA1", 62);
    list_connection(&list, &c, &usages[1]);
    assert_set(context, list.params);
    set_one(context, text_param("usage", "master-secret"));
    assert_refuses(context, NULL, MASTER_SIZE, "missing parameter", "premaster");
    set_one(context, text_param("usage", "server-write-key"));
    assert_derives(context, NULL, expected, write_key(&c, 1, expected));
    EVP_KDF_CTX_free(context);
}

/* ---- threads ---- */

#define THREADS 16
#define ROUNDS  20

struct answer {
    struct list list;
    struct connection connection;
    uint8_t expected[MAX_OUTPUT];
    size_t size;
};

static struct answer answers[COUNT(rows) * COUNT(usages)];
static size_t answer_count;

/* CMocka's assertions belong to the main thread: this one counts. */
static void *derive_all(void *mismatches)
{
    size_t wrong = 0;

    for (size_t round = 0; round < ROUNDS; round++) {
        EVP_KDF *kdf = EVP_KDF_fetch(libctx, SCHANNEL_KDF_TLS1, NULL);

        for (size_t n = 0; n < answer_count; n++) {
            EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
            uint8_t out[MAX_OUTPUT];

            if (context == NULL ||
                !EVP_KDF_derive(context, out, answers[n].size, answers[n].list.params) ||
                memcmp(out, answers[n].expected, answers[n].size) != 0)
                wrong++;
            EVP_KDF_CTX_free(context);
        }
        EVP_KDF_free(kdf);
    }
    *(size_t *)mismatches = wrong;
    return NULL;
}

static void contexts_in_16_threads_do_not_disturb_each_other(void **state)
{
    pthread_t threads[THREADS];
    size_t mismatches[THREADS];

    (void)state;
    answer_count = 0;
    for (size_t r = 0; r < COUNT(rows); r++) {
        for (size_t u = 0; u < COUNT(usages); u++) {
            struct answer *answer = &answers[answer_count];

            make_connection(&answer->connection, &rows[r], digests[r % 2], (unsigned)(r + u));
            if (!has_answer(&answer->connection, &usages[u]))
                continue;
            list_connection(&answer->list, &answer->connection, &usages[u]);
            answer->size =
                usages[u].answer(&answer->connection, usages[u].server, answer->expected);
            answer_count++;
        }
    }
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, derive_all, &mismatches[n]), 0);
    for (size_t n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(mismatches[n], 0);
    print_message("%zu derivations\n", THREADS * ROUNDS * answer_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            every_usage_of_every_cipher_and_digest_agrees_with_the_second_implementation),
        cmocka_unit_test(parameters_may_come_at_derive_time_or_one_by_one_in_any_order),
        cmocka_unit_test(a_context_reused_for_every_derivation_gives_the_answers_of_fresh_ones),
        cmocka_unit_test(new_randoms_alone_give_the_keys_of_a_resumed_session),
        cmocka_unit_test(the_usages_without_a_size_of_their_own_give_any_length),
        cmocka_unit_test(the_default_usage_is_the_key_block),
        cmocka_unit_test(the_prf_takes_secrets_labels_and_seeds_of_any_length),
        cmocka_unit_test(the_prf_without_a_label_is_that_with_an_empty_one),
        cmocka_unit_test(a_premaster_gives_what_its_master_secret_gives),
        cmocka_unit_test(the_handshake_may_come_hashed_and_have_any_length),
        cmocka_unit_test(with_relaxed_randoms_each_may_have_1_to_64_bytes),
        cmocka_unit_test(names_are_taken_in_any_case),
        cmocka_unit_test(integers_are_taken_in_every_type),
        cmocka_unit_test(mac_bits_that_are_those_of_the_digest_are_accepted),
        cmocka_unit_test(a_usage_asks_for_no_more_than_it_needs),
        cmocka_unit_test(a_reset_context_has_forgotten_everything),
        cmocka_unit_test(reset_takes_back_every_parameter_one_by_one),
        cmocka_unit_test(a_duplicate_and_its_original_do_not_know_of_each_other),
        cmocka_unit_test(an_empty_context_can_be_duplicated),
        cmocka_unit_test(a_context_keeps_copies_of_what_it_was_given),
        cmocka_unit_test(the_size_of_a_key_is_not_known_before_cipher_and_digest),
        cmocka_unit_test(a_refused_value_changes_nothing_and_nothing_given_with_it),
        cmocka_unit_test(an_endless_name_is_refused),
        cmocka_unit_test(an_unknown_parameter_is_left_alone),
        cmocka_unit_test(of_a_parameter_given_twice_the_last_one_counts),
        cmocka_unit_test(an_empty_list_changes_nothing),
        cmocka_unit_test(a_missing_parameter_is_named_and_can_be_given_later),
        cmocka_unit_test(the_wrong_keylen_is_refused_and_the_right_one_works_afterwards),
        cmocka_unit_test(a_secret_that_is_no_master_secret_is_refused),
        cmocka_unit_test(strict_randoms_of_any_length_but_32_are_refused),
        cmocka_unit_test(key_sizes_that_a_cipher_does_not_have_are_refused),
        cmocka_unit_test(ciphers_without_an_export_form_are_refused_for_export),
        cmocka_unit_test(mac_bits_that_are_not_those_of_the_digest_are_refused),
        cmocka_unit_test(a_stream_cipher_has_no_iv),
        cmocka_unit_test(secret_and_premaster_exclude_each_other),
        cmocka_unit_test(a_master_secret_given_does_not_stand_in_for_the_premaster),
        cmocka_unit_test(contexts_in_16_threads_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
