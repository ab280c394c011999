/*
 * Masters of the four protocols: random and known ones, premaster secrets and their conversion,
 * rollback, clear keys, certificates; every parameter read and set; export, copies and blobs.
 */
#include "protocols.h"

#define PREMASTER_MOST 4096
#define VERSION_TLS1_1 0x0302
#define BIG_BLOB       65536

static const struct protocol *const with_premaster[] = { &protocols[SSL3], &protocols[TLS1] };

/* An exportable master of a premaster secret, without randoms. */
static EVP_PKEY *new_unconverted(const struct protocol *protocol, const uint8_t *premaster,
                                 size_t size, unsigned highest_version)
{
    struct list list;
    EVP_PKEY *key;

    list_start(&list);
    add_text(&list, "alg", protocol->master);
    add_octets(&list, "premaster", premaster, size);
    add_number(&list, "exportable", 1);
    if (highest_version != 0)
        add_number(&list, "highest-version", highest_version);
    key = from_data(list.params);
    assert_non_null(key);
    return key;
}

/* A key of |master|, with randoms and the rest on the generation context.  NULL when refused. */
static EVP_PKEY *derive_with(EVP_PKEY *master, const struct material *material, const char *usage)
{
    struct list list;

    list_start(&list);
    add_randoms(&list, material);
    add_text(&list, "cipher", "RC4");
    add_text(&list, "digest", "MD5");
    add_text(&list, "usage", usage);
    return generate_from(master, &list);
}

/* What the KDF makes of |secret| (or premaster) with these randoms. */
static void kdf_bytes(const struct protocol *protocol, const struct material *material,
                      const char *kind, const uint8_t *secret, size_t size, const char *usage,
                      uint8_t *out, size_t out_size)
{
    struct list list;

    list_start(&list);
    add_octets(&list, kind, secret, size);
    add_randoms(&list, material);
    if (strcmp(usage, "master-secret") != 0) {
        add_text(&list, "cipher", "RC4");
        add_text(&list, "digest", "MD5");
    }
    add_text(&list, "usage", usage);
    derive_bytes(protocol->kdf, &list, out, out_size);
}

static void assert_holds(EVP_PKEY *master, const char *kind, const uint8_t *bytes, size_t size)
{
    struct exported exported;

    export_raw(master, &exported);
    assert_int_equal(exported.is_premaster, strcmp(kind, "premaster") == 0);
    assert_int_equal(exported.size, size);
    assert_memory_equal(exported.secret, bytes, size);
}

/* ---- random masters ---- */

static EVP_PKEY *random_master(const struct protocol *protocol, unsigned bits, unsigned version)
{
    struct list list;

    list_start(&list);
    add_text(&list, "alg", protocol->master);
    add_number(&list, "exportable", 1);
    if (bits != 0)
        add_number(&list, "bits", bits);
    if (version != 0)
        add_number(&list, "highest-version", version);
    return generate_from(NULL, &list);
}

static void random_masters_have_the_sizes_of_their_protocol(void **state)
{
    (void)state;
    for (size_t n = 0; n < PROTOCOLS; n++) {
        const unsigned full = n == SSL2 ? 128 : 8u * (unsigned)protocols[n].secret;

        for (unsigned bits = 0; bits <= 400; bits += bits < 48 ? 1 : 4) {
            const int fits = bits == 0 || bits == full ||
                             (n == SSL2 && bits >= 40 && bits <= 192 && bits % 8 == 0);
            EVP_PKEY *one, *other;
            struct exported a, b;

            one = random_master(&protocols[n], bits, 0);
            assert_int_equal(one != NULL, fits);
            if (!fits) {
                assert_reason("invalid parameter", "bits: ");
                continue;
            }
            other = random_master(&protocols[n], bits, 0);
            export_raw(one, &a);
            export_raw(other, &b);
            assert_int_equal(a.size, (bits != 0 ? bits : full) / 8);
            assert_int_equal(a.is_premaster, protocols[n].has_premaster);
            assert_int_equal(number_of(one, "bits"), 8 * a.size);
            assert_memory_not_equal(a.secret, b.secret, a.size);
            assert_int_equal(EVP_PKEY_eq(one, other), 0);
            EVP_PKEY_free(one);
            EVP_PKEY_free(other);
        }
    }
}

static void random_premasters_begin_with_the_version(void **state)
{
    static const unsigned own[] = { 0x0300, 0x0301 };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        for (unsigned version = 0x0300; version <= 0x0303; version++) {
            EVP_PKEY *key = random_master(with_premaster[n], 0, version == 0x0303 ? 0 : version);
            const unsigned expected = version == 0x0303 ? own[n] : version;
            struct exported exported;
            struct material material;
            uint8_t bytes[16];
            EVP_PKEY *derived;

            export_raw(key, &exported);
            assert_int_equal(exported.size, 48);
            assert_int_equal(exported.secret[0], expected >> 8);
            assert_int_equal(exported.secret[1], expected & 0xff);
            make_material(&material, 0);
            kdf_bytes(with_premaster[n], &material, "premaster", exported.secret, 48,
                      "client-write-key", bytes, sizeof(bytes));
            derived = derive_with(key, &material, "client-write-key");
            assert_made_of(derived, bytes, sizeof(bytes)); /* its own version is no rollback */
            EVP_PKEY_free(derived);
            EVP_PKEY_free(key);
        }
    }
}

static void known_masters_have_the_sizes_of_their_protocol(void **state)
{
    uint8_t secret[64];

    (void)state;
    pattern(secret, sizeof(secret), 1);
    for (size_t n = 0; n < PROTOCOLS; n++) {
        for (size_t size = 1; size <= sizeof(secret); size++) {
            const int fits = n == SSL2 ? size >= 5 && size <= 32 : size == protocols[n].secret;
            struct list list;
            EVP_PKEY *key;

            list_start(&list);
            add_text(&list, "alg", protocols[n].master);
            add_octets(&list, "secret", secret, size);
            key = from_data(list.params);
            assert_int_equal(key != NULL, fits);
            if (fits)
                assert_int_equal(number_of(key, "bits"), 8 * size);
            else
                assert_reason("invalid length", "secret: ");
            EVP_PKEY_free(key);
        }
    }
}

/* ---- premaster secrets ---- */

static void a_premaster_is_converted_once_by_the_first_derivation(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        const struct protocol *protocol = with_premaster[n];
        struct material first, second;
        uint8_t premaster[48], master_secret[48], bytes[16];
        EVP_PKEY *master, *copy, *key;

        make_material(&first, 0);
        make_material(&second, 50);
        pattern(premaster, sizeof(premaster), 3);
        master = new_unconverted(protocol, premaster, 48, 0);
        copy = EVP_PKEY_dup(master);
        key = derive_with(master, &first, "client-write-key");
        kdf_bytes(protocol, &first, "premaster", premaster, 48, "client-write-key", bytes, 16);
        assert_made_of(key, bytes, 16);
        kdf_bytes(protocol, &first, "premaster", premaster, 48, "master-secret", master_secret, 48);
        assert_holds(master, "secret", master_secret, 48);
        assert_int_equal(EVP_PKEY_eq(master, copy), 0);
        EVP_PKEY_free(key);
        /* a reconnect: other randoms, the same master secret */
        key = derive_with(master, &second, "server-write-mac");
        kdf_bytes(protocol, &second, "secret", master_secret, 48, "server-write-mac", bytes, 16);
        assert_made_of(key, bytes, 16);
        assert_holds(master, "secret", master_secret, 48);
        EVP_PKEY_free(key);
        /* a copy made before converts for itself */
        assert_holds(copy, "premaster", premaster, 48);
        key = derive_with(copy, &second, "client-write-key");
        kdf_bytes(protocol, &second, "premaster", premaster, 48, "client-write-key", bytes, 16);
        assert_made_of(key, bytes, 16);
        EVP_PKEY_free(key);
        EVP_PKEY_free(copy);
        EVP_PKEY_free(master);
    }
}

/* Another context that was made before takes the converted master as well. */
static void contexts_made_before_the_conversion_take_its_result(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct material first, second;
        uint8_t premaster[48], master_secret[48], bytes[16];
        EVP_PKEY_CTX *one, *other;
        EVP_PKEY *master, *key;
        struct list list;

        make_material(&first, 0);
        make_material(&second, 50);
        pattern(premaster, sizeof(premaster), 3);
        master = new_unconverted(with_premaster[n], premaster, 48, 0);
        list_start(&list);
        add_text(&list, "cipher", "RC4");
        add_text(&list, "digest", "MD5");
        add_text(&list, "usage", "client-write-key");
        one = new_generation(master, &list);
        other = new_generation(master, &list);
        list_start(&list);
        add_randoms(&list, &first);
        assert_int_equal(EVP_PKEY_CTX_set_params(one, list.params), 1);
        list_start(&list);
        add_randoms(&list, &second);
        assert_int_equal(EVP_PKEY_CTX_set_params(other, list.params), 1);
        EVP_PKEY_free(generate_next(one));
        key = generate_next(other);
        kdf_bytes(with_premaster[n], &first, "premaster", premaster, 48, "master-secret",
                  master_secret, 48);
        kdf_bytes(with_premaster[n], &second, "secret", master_secret, 48, "client-write-key",
                  bytes, 16);
        assert_made_of(key, bytes, 16);
        EVP_PKEY_free(key);
        EVP_PKEY_CTX_free(one);
        EVP_PKEY_CTX_free(other);
        EVP_PKEY_free(master);
    }
}

static void a_refused_derivation_converts_nothing(void **state)
{
    static const char *const missing[] = { "client-random", "server-random", "cipher", "digest",
                                           "usage" };

    (void)state;
    for (size_t n = 0; n < 2; n++) {
        struct material material;
        uint8_t premaster[48];
        EVP_PKEY *master;
        struct list list;

        make_material(&material, 0);
        pattern(premaster, sizeof(premaster), 3);
        master = new_unconverted(with_premaster[n], premaster, 48, 0);
        for (size_t m = 0; m < COUNT(missing); m++) {
            list_start(&list);
            add_randoms(&list, &material);
            add_text(&list, "cipher", "RC4");
            add_text(&list, "digest", "MD5");
            add_text(&list, "usage", "client-write-key");
            drop(&list, missing[m]);
            assert_null(generate_from(master, &list));
            assert_reason("missing parameter", missing[m]);
            assert_holds(master, "premaster", premaster, 48);
        }
        add_text(&list, "usage", "client-write-key");
        add_number(&list, "cipher-bits", 41);
        assert_null(generate_from(master, &list));
        assert_reason("invalid parameter", "cipher-bits: ");
        drop(&list, "cipher-bits");
        drop(&list, "client-random");
        add_octets(&list, "client-random", material.client, 31);
        assert_null(generate_from(master, &list));
        assert_reason("invalid length", "client-random: ");
        assert_holds(master, "premaster", premaster, 48);
        EVP_PKEY_free(master);
    }
}

static void premasters_of_a_key_agreement_have_1_to_4096_bytes(void **state)
{
    static uint8_t premaster[PREMASTER_MOST + 1];
    struct material material;

    (void)state;
    make_material(&material, 0);
    pattern(premaster, sizeof(premaster), 3);
    for (size_t n = 0; n < 2; n++) {
        struct list list;

        for (size_t size = 1; size <= PREMASTER_MOST; size += size < 140 ? 1 : 293) {
            EVP_PKEY *master = new_unconverted(with_premaster[n], premaster, size, 0), *key;
            uint8_t bytes[16];

            assert_int_equal(number_of(master, "bits"), 384);
            assert_holds(master, "premaster", premaster, size);
            key = derive_with(master, &material, "server-write-key");
            kdf_bytes(with_premaster[n], &material, "premaster", premaster, size,
                      "server-write-key", bytes, 16);
            assert_made_of(key, bytes, 16);
            EVP_PKEY_free(key);
            EVP_PKEY_free(master);
        }
        for (size_t size = 0; size <= PREMASTER_MOST + 1; size += PREMASTER_MOST + 1) {
            list_start(&list);
            add_text(&list, "alg", with_premaster[n]->master);
            add_octets(&list, "premaster", premaster, size);
            assert_null(from_data(list.params));
            assert_reason("invalid length", "premaster: ");
        }
    }
}

/* ---- KP_HIGHEST_VERSION ---- */

/* The RC4 key that comes out, by its keystream. */
static void keystream(EVP_PKEY *key, uint8_t out[16])
{
    static const uint8_t zeros[16];
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "SCHANNEL-RC4", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int size = 0;

    assert_non_null(key);
    get_handle(key, handle);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, params), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &size, zeros, 16), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

/* Derives and gives the keystream. */
static void derive_stream(EVP_PKEY *master, const struct material *material, uint8_t out[16])
{
    EVP_PKEY *key = derive_with(master, material, "client-write-key");

    keystream(key, out);
    EVP_PKEY_free(key);
}

static void a_version_that_fits_gives_the_right_keys(void **state)
{
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t n = 0; n < 2; n++) {
        for (unsigned version = 0x0300; version <= 0x03ff; version++) {
            uint8_t premaster[48], bytes[16];
            EVP_PKEY *master, *key;

            pattern(premaster, sizeof(premaster), 3);
            premaster[0] = (uint8_t)(version >> 8);
            premaster[1] = (uint8_t)version;
            master = new_unconverted(with_premaster[n], premaster, 48, 0);
            assert_int_equal(set_number(master, "highest-version", version), 1);
            assert_int_equal(number_of(master, "highest-version"), version);
            key = derive_with(master, &material, "client-write-key");
            kdf_bytes(with_premaster[n], &material, "premaster", premaster, 48, "client-write-key",
                      bytes, 16);
            assert_made_of(key, bytes, 16);
            EVP_PKEY_free(key);
            EVP_PKEY_free(master);
        }
    }
}

static void a_version_rolled_back_gives_other_keys_and_tells_nobody(void **state)
{
    /* of 48 bytes with a wrong byte, then of other lengths with the right ones */
    static const size_t sizes[] = { 48, 48, 48, 48, 1, 2, 47, 49, 128, 4096 };
    static uint8_t premaster[PREMASTER_MOST];
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t n = 0; n < 2; n++) {
        for (size_t m = 0; m < COUNT(sizes); m++) {
            uint8_t right[16], seen[4][16], again[16];
            EVP_PKEY *master, *copy;

            pattern(premaster, sizeof(premaster), 3);
            premaster[0] = m == 1 || m == 3 ? 0x02 : 0x03;
            premaster[1] = m == 0 ? 0x00 : m == 2 ? 0x03 : 0x02;
            for (size_t round = 0; round < 3; round++) {
                master = new_unconverted(with_premaster[n], premaster, sizes[m], 0);
                if (round == 0)
                    derive_stream(master, &material, right); /* unchecked */
                EVP_PKEY_free(master);
                master = new_unconverted(with_premaster[n], premaster, sizes[m], VERSION_TLS1_1);
                copy = EVP_PKEY_dup(master);
                derive_stream(master, &material, seen[round]);
                assert_memory_not_equal(seen[round], right, 16);
                derive_stream(master, &material, again); /* both sides' keys belong together */
                assert_memory_equal(again, seen[round], 16);
                derive_stream(copy, &material, seen[3]);
                assert_memory_not_equal(seen[3], seen[round], 16);
                assert_memory_not_equal(seen[3], right, 16);
                if (round > 0)
                    assert_memory_not_equal(seen[round], seen[round - 1], 16);
                assert_int_equal(number_of(master, "bits"), 384);
                EVP_PKEY_free(copy);
                EVP_PKEY_free(master);
            }
            assert_no_errors();
        }
    }
}

/* The beginning of a random is another random. */
static void a_generation_context_keeps_randoms_of_different_lengths_apart(void **state)
{
    struct material material;
    struct list list, relaxed;

    (void)state;
    make_material(&material, 0);
    list_start(&list);
    add_randoms(&list, &material);
    add_text(&list, "cipher", "RC4");
    add_text(&list, "digest", "MD5");
    add_text(&list, "usage", "client-write-key");
    add_number(&list, "exportable", 1);
    list_start(&relaxed);
    add_octets(&relaxed, "client-random", material.client, RANDOM_SIZE / 2);
    add_number(&relaxed, "relaxed-randoms", 1);
    relaxed.params[relaxed.count] = OSSL_PARAM_construct_end();
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = new_master(with_premaster[n], &material), *first, *second, *alone;
        EVP_PKEY_CTX *context = new_generation(master, &list), *fresh;

        assert_non_null(first = generate_next(context));
        assert_int_equal(EVP_PKEY_CTX_set_params(context, relaxed.params), 1);
        assert_non_null(second = generate_next(context));
        fresh = new_generation(master, &list);
        assert_int_equal(EVP_PKEY_CTX_set_params(fresh, relaxed.params), 1);
        assert_non_null(alone = generate_next(fresh));
        assert_int_equal(EVP_PKEY_eq(second, alone), 1);
        assert_int_not_equal(EVP_PKEY_eq(second, first), 1);
        EVP_PKEY_CTX_free(fresh);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(alone);
        EVP_PKEY_free(second);
        EVP_PKEY_free(first);
        EVP_PKEY_free(master);
    }
    ERR_clear_error();
}

static int derive_finished(EVP_PKEY *master, uint8_t out[12])
{
    const OSSL_PARAM usage[] = { text_param("usage", "finished-client"),
                                 octets_param("handshake", "hello", 5),
                                 OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);
    size_t size = 12;
    int ok =
        EVP_PKEY_derive_init_ex(context, usage) == 1 && EVP_PKEY_derive(context, out, &size) == 1;

    EVP_PKEY_CTX_free(context);
    return ok;
}

/* In a library context that has none until the default provider is loaded. */
static void the_check_of_a_version_needs_random_numbers_and_converts_nothing_without(void **state)
{
    OSSL_LIB_CTX *others = libctx;
    OSSL_PROVIDER *provider, *standard;
    struct material material;
    struct list list;
    uint8_t premaster[48], out[12], expected[12];
    EVP_PKEY *checked, *unchecked;

    (void)state;
    make_material(&material, 0);
    pattern(premaster, sizeof(premaster), 3);
    premaster[0] = VERSION_TLS1_1 >> 8;
    premaster[1] = VERSION_TLS1_1 & 0xff;
    assert_non_null(libctx = OSSL_LIB_CTX_new());
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(libctx, MODULE_DIR), 1);
    assert_non_null(provider = OSSL_PROVIDER_load(libctx, "schannel"));
    checked = new_unconverted(&protocols[TLS1], premaster, 48, VERSION_TLS1_1);
    unchecked = new_unconverted(&protocols[TLS1], premaster, 48, 0);
    list_start(&list);
    add_randoms(&list, &material);
    list.params[list.count] = OSSL_PARAM_construct_end();
    assert_int_equal(EVP_PKEY_set_params(checked, list.params), 1);
    assert_int_equal(EVP_PKEY_set_params(unchecked, list.params), 1);
    assert_int_equal(derive_finished(unchecked, expected), 1);
    assert_int_equal(derive_finished(checked, out), 0);
    assert_reason(NULL, "no random bytes for a premaster secret");
    assert_null(derive_with(checked, &material, "client-write-key"));
    assert_reason(NULL, "no random bytes for a premaster secret");
    assert_non_null(standard = OSSL_PROVIDER_load(libctx, "default"));
    assert_holds(checked, "premaster", premaster, sizeof(premaster));
    assert_int_equal(derive_finished(checked, out), 1);
    assert_memory_equal(out, expected, sizeof(expected));
    EVP_PKEY_free(checked);
    EVP_PKEY_free(unchecked);
    OSSL_PROVIDER_unload(standard);
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(libctx);
    libctx = others;
}

static void a_version_outside_3_is_refused(void **state)
{
    static const unsigned wrong[] = { 0, 2, 0x02ff, 0x0400, 0x10301 };
    uint8_t premaster[48];

    (void)state;
    pattern(premaster, sizeof(premaster), 3);
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = new_unconverted(with_premaster[n], premaster, 48, 0x0301);
        struct list list;

        for (size_t m = 0; m < COUNT(wrong); m++) {
            assert_int_equal(set_number(master, "highest-version", wrong[m]), 0);
            assert_reason("invalid parameter", "highest-version: ");
            list_start(&list);
            add_text(&list, "alg", with_premaster[n]->master);
            add_octets(&list, "premaster", premaster, 48);
            add_number(&list, "highest-version", wrong[m]);
            assert_null(from_data(list.params));
            assert_reason("invalid parameter", "highest-version: ");
        }
        assert_int_equal(number_of(master, "highest-version"), 0x0301);
        EVP_PKEY_free(master);
    }
}

/* ---- parameters ---- */

static const struct {
    const char *name;
    unsigned lacking; /* bit n: protocols[n] has none */
    uint64_t number;  /* 0: octets */
} foreign[] = {
    { "clear-key", 1u << SSL3 | 1u << TLS1, 0 },
    { "certificate", 1u << SSL2 | 1u << SSL3 | 1u << TLS1, 0 },
    { "record-version", 1u << PCT1 | 1u << SSL2 | 1u << SSL3, 0x0301 },
    { "ssl2-des-digit", 1u << PCT1 | 1u << SSL3 | 1u << TLS1, 1 },
    { "pct-raw-des", 1u << SSL2 | 1u << SSL3 | 1u << TLS1, 1 },
    { "highest-version", 1u << PCT1 | 1u << SSL2, 0x0301 },
    { "premaster", 1u << PCT1 | 1u << SSL2, 0 },
};

static void add_foreign(struct list *list, size_t n, const struct material *material)
{
    if (foreign[n].number != 0)
        add_number(list, foreign[n].name, foreign[n].number);
    else
        add_octets(list, foreign[n].name, material->clear, CLEAR_SIZE);
}

static void parameters_that_a_protocol_lacks_are_refused_everywhere(void **state)
{
    struct material material, other;

    (void)state;
    make_material(&material, 0);
    make_material(&other, 9);
    for (size_t n = 0; n < PROTOCOLS * COUNT(foreign); n++) {
        const struct protocol *protocol = &protocols[n % PROTOCOLS];
        const size_t f = n / PROTOCOLS;
        const int is_version = strcmp(foreign[f].name, "highest-version") == 0;
        const int is_premaster = strcmp(foreign[f].name, "premaster") == 0;
        EVP_PKEY *master;
        struct list list;
        uint8_t random[RANDOM_SIZE];

        if ((foreign[f].lacking >> n % PROTOCOLS & 1) == 0)
            continue;
        /* in an import, a random generation, a derivation */
        describe_derivation(&list, protocol, &material);
        add_text(&list, "alg", protocol->master);
        if (is_premaster)
            drop(&list, "secret");
        add_foreign(&list, f, &material);
        assert_null(from_data(list.params));
        assert_reason("conflicting parameters", foreign[f].name);
        drop(&list, "secret");
        assert_null(generate_from(NULL, &list));
        assert_reason("conflicting parameters", foreign[f].name);
        master = new_master(protocol, &material);
        list_start(&list);
        add_text(&list, "usage", "client-write-key");
        add_foreign(&list, f, &material);
        assert_null(generate_from(master, &list));
        assert_reason("conflicting parameters", foreign[f].name);
        /* on the key: all or nothing */
        list_start(&list);
        add_randoms(&list, &other);
        add_foreign(&list, f, &material);
        if (!is_premaster) {
            assert_int_equal(EVP_PKEY_set_params(master, list.params), 0);
            assert_reason(is_version ? "wrong kind of key" : "conflicting parameters",
                          foreign[f].name);
            assert_int_equal(octets_of(master, "client-random", random, sizeof(random)),
                             RANDOM_SIZE);
            assert_memory_equal(random, material.client, RANDOM_SIZE);
        }
        EVP_PKEY_free(master);
    }
}

static void assert_lacks(EVP_PKEY *key, const char *name)
{
    uint8_t out[64] = { 0 };
    const int is_text = strcmp(name, "digest") == 0;
    const int is_number = strcmp(name, "sequence") == 0 || strcmp(name, "effective-bits") == 0 ||
                          strcmp(name, "highest-version") == 0;
    OSSL_PARAM params[] = { is_text     ? OSSL_PARAM_construct_utf8_string(name, (char *)out, 64)
                            : is_number ? OSSL_PARAM_construct_uint64(name, (uint64_t *)(void *)out)
                                        : octets_param(name, out, sizeof(out)),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_get_params(key, params), 0);
    assert_reason("wrong kind of key", name);
}

static void every_parameter_of_a_master_can_be_read(void **state)
{
    static const char *const never[] = { "iv", "salt", "sequence", "effective-bits" };
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t n = 0; n < PROTOCOLS; n++) {
        const struct protocol *protocol = &protocols[n];
        EVP_PKEY *bare = make_key(protocol->master, NULL, material.secret, protocol->secret);
        EVP_PKEY *full = new_master(protocol, &material);
        uint8_t out[64];
        char id[32];

        for (int which = 0; which < 2; which++) {
            EVP_PKEY *key = which == 0 ? bare : full;
            const size_t size = which == 0 ? 0 : RANDOM_SIZE;

            assert_text_of(key, "alg", protocol->master);
            assert_text_of(key, "kind", "master");
            assert_text_of(key, "usage", "");
            assert_text_of(key, "fork", "refuse");
            assert_int_equal(number_of(key, "exportable"), (uint64_t)which);
            assert_int_equal(number_of(key, "bits"), 8 * protocol->secret);
            assert_int_equal(EVP_PKEY_get_bits(key), 8 * protocol->secret);
            assert_int_equal(EVP_PKEY_get_security_bits(key), 8 * protocol->secret);
            assert_int_equal(octets_of(key, "client-random", out, sizeof(out)), size);
            assert_memory_equal(out, material.client, size);
            assert_int_equal(octets_of(key, "server-random", out, sizeof(out)), size);
            assert_memory_equal(out, material.server, size);
            for (size_t m = 0; m < COUNT(never); m++)
                assert_lacks(key, never[m]);
            if (protocol->has_clear_key) {
                assert_int_equal(octets_of(key, "clear-key", out, sizeof(out)), which * CLEAR_SIZE);
                assert_memory_equal(out, material.clear, (size_t)which * CLEAR_SIZE);
            } else {
                assert_lacks(key, "clear-key");
            }
            if (protocol->has_certificate) {
                assert_int_equal(octets_of(key, "certificate", out, sizeof(out)),
                                 which * CERT_SIZE);
                assert_memory_equal(out, material.certificate, (size_t)which * CERT_SIZE);
            } else {
                assert_lacks(key, "certificate");
            }
            if (protocol->has_premaster)
                assert_int_equal(number_of(key, "highest-version"), 0);
            else
                assert_lacks(key, "highest-version");
            get_id(key, id);
            assert_int_equal(strlen(id), 16);
        }
        assert_lacks(bare, "digest");
        assert_text_of(full, "digest", "MD5");
        assert_int_equal(EVP_PKEY_eq(bare, full), 1);
        EVP_PKEY_free(bare);
        EVP_PKEY_free(full);
    }
}

/* ---- export, copies, retirement ---- */

/* Both give the same keys, with all that they hold. */
static void assert_twins(const struct protocol *protocol, EVP_PKEY *one, EVP_PKEY *other)
{
    static const char *const usages[] = { "client-write-key", "server-write-key",
                                          "client-write-mac", "server-write-mac" };

    for (size_t n = 0; n < (protocol->has_mac_keys ? 4u : 2u); n++) {
        struct list list;
        EVP_PKEY *a, *b;

        list_start(&list);
        add_text(&list, "usage", usages[n]);
        a = generate_from(one, &list);
        b = generate_from(other, &list);
        assert_non_null(a);
        assert_non_null(b);
        assert_int_equal(EVP_PKEY_eq(a, b), 1);
        EVP_PKEY_free(a);
        EVP_PKEY_free(b);
    }
}

static void todata_and_fromdata_keep_a_master(void **state)
{
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t n = 0; n < PROTOCOLS + 2; n++) {
        const size_t p = n < PROTOCOLS ? n : n - 2;
        EVP_PKEY *master, *again;
        OSSL_PARAM *params = NULL;
        struct list list;

        describe_derivation(&list, &protocols[p], &material);
        add_text(&list, "alg", protocols[p].master);
        add_number(&list, "exportable", 1);
        drop(&list, "cipher");
        add_text(&list, "cipher", "DES-CBC");
        if (p != SSL2)
            add_number(&list, "cipher-bits", 40);
        if (p >= SSL3)
            add_number(&list, "export", 1);
        if (p == SSL2)
            add_number(&list, "ssl2-des-digit", 0);
        if (p == PCT1) {
            add_number(&list, "pct-raw-des", 1);
            add_number(&list, "mac-bits", 144);
        }
        if (n >= PROTOCOLS) { /* unconverted */
            drop(&list, "secret");
            add_octets(&list, "premaster", material.secret, 31);
        } else if (p >= SSL3) {
            add_number(&list, "highest-version", 0x0302);
        }
        master = from_data(list.params);
        assert_non_null(master);
        assert_int_equal(EVP_PKEY_todata(master, EVP_PKEY_KEYPAIR, &params), 1);
        again = from_data(params);
        OSSL_PARAM_free(params);
        assert_non_null(again);
        assert_int_equal(EVP_PKEY_eq(master, again), 1);
        assert_int_equal(number_of(again, "exportable"), 0); /* not part of the bytes */
        if (p >= SSL3)
            assert_int_equal(number_of(again, "highest-version"), n < PROTOCOLS ? 0x0302 : 0);
        assert_twins(&protocols[p], master, again);
        assert_int_equal(EVP_PKEY_todata(again, EVP_PKEY_KEYPAIR, &params), 0);
        assert_reason("key is not exportable", protocols[p].master);
        EVP_PKEY_free(again);
        EVP_PKEY_free(master);
    }
}

static void a_copy_of_a_master_goes_its_own_way(void **state)
{
    struct material material, other;

    (void)state;
    make_material(&material, 0);
    make_material(&other, 9);
    for (size_t n = 0; n < PROTOCOLS; n++) {
        EVP_PKEY *master = new_master(&protocols[n], &material), *copy = EVP_PKEY_dup(master);
        EVP_PKEY *different;
        uint8_t random[RANDOM_SIZE];
        struct list list;

        assert_non_null(copy);
        assert_int_equal(EVP_PKEY_eq(master, copy), 1);
        assert_twins(&protocols[n], master, copy);
        list_start(&list);
        add_randoms(&list, &other);
        if (protocols[n].has_clear_key)
            add_octets(&list, "clear-key", NULL, 0);
        assert_int_equal(EVP_PKEY_set_params(copy, list.params), 1);
        assert_int_equal(octets_of(master, "client-random", random, sizeof(random)), RANDOM_SIZE);
        assert_memory_equal(random, material.client, RANDOM_SIZE);
        if (protocols[n].has_clear_key)
            assert_int_equal(octets_of(master, "clear-key", random, sizeof(random)), CLEAR_SIZE);
        assert_int_equal(EVP_PKEY_eq(master, copy), 1); /* the secret is compared */
        material.secret[0] ^= 1;
        different = new_master(&protocols[n], &material);
        material.secret[0] ^= 1;
        assert_int_equal(EVP_PKEY_eq(master, different), 0);
        assert_int_equal(set_number(master, "retire", 1), 1);
        list_start(&list);
        add_text(&list, "usage", "client-write-key");
        assert_null(generate_from(master, &list));
        assert_reason("key has been retired", protocols[n].master);
        assert_int_equal(set_octets(master, "client-random", other.client, RANDOM_SIZE), 0);
        assert_reason("key has been retired", protocols[n].master);
        EVP_PKEY_free(generate_from(copy, &list));
        assert_no_errors();
        EVP_PKEY_free(different);
        EVP_PKEY_free(copy);
        EVP_PKEY_free(master);
    }
}

/* ---- blobs ---- */

static EVP_PKEY *cross(EVP_PKEY *key, size_t *size)
{
    static uint8_t blob[BIG_BLOB];

    *size = octets_of(key, "opaque-blob", blob, sizeof(blob));
    return import_blob(blob, *size, "user");
}

static void masters_cross_in_a_blob_with_all_that_they_hold(void **state)
{
    struct material material;

    (void)state;
    make_material(&material, 0);
    for (size_t n = 0; n < PROTOCOLS; n++) {
        EVP_PKEY *bare = make_key(protocols[n].master, NULL, material.secret, protocols[n].secret);
        EVP_PKEY *full = new_master(&protocols[n], &material), *moved;
        size_t bare_size, full_size;
        uint8_t out[64];

        moved = cross(bare, &bare_size);
        assert_non_null(moved);
        assert_int_equal(EVP_PKEY_eq(bare, moved), 1);
        EVP_PKEY_free(moved);
        moved = cross(full, &full_size);
        assert_non_null(moved);
        assert_int_equal(EVP_PKEY_eq(full, moved), 1);
        assert_int_equal(number_of(moved, "exportable"), 1);
        assert_int_equal(octets_of(moved, "server-random", out, sizeof(out)), RANDOM_SIZE);
        assert_memory_equal(out, material.server, RANDOM_SIZE);
        assert_twins(&protocols[n], full, moved);
        print_message("%s: blobs of %zu bytes, %zu with all parameters\n", protocols[n].master,
                      bare_size, full_size);
        EVP_PKEY_free(moved);
        EVP_PKEY_free(full);
        EVP_PKEY_free(bare);
    }
}

static void premasters_and_the_rollback_check_cross_in_a_blob(void **state)
{
    static const size_t sizes[] = { 1, 48, 128, 4096 };
    static uint8_t premaster[PREMASTER_MOST];
    struct material material;

    (void)state;
    make_material(&material, 0);
    pattern(premaster, sizeof(premaster), 3);
    premaster[0] = premaster[1] = 3;
    for (size_t n = 0; n < 2 * COUNT(sizes); n++) {
        const struct protocol *protocol = with_premaster[n % 2];
        uint8_t right[16], seen[16], other[16];
        size_t size;
        EVP_PKEY *master = new_unconverted(protocol, premaster, sizes[n / 2], 0);
        EVP_PKEY *moved = cross(master, &size), *checked, *one, *two;

        assert_holds(moved, "premaster", premaster, sizes[n / 2]);
        derive_stream(moved, &material, right);
        derive_stream(master, &material, seen);
        assert_memory_equal(seen, right, 16);
        EVP_PKEY_free(moved);
        moved = cross(master, &size); /* converted by now */
        derive_stream(moved, &material, seen);
        assert_memory_equal(seen, right, 16);
        checked = new_unconverted(protocol, premaster, sizes[n / 2], 0x0302);
        one = cross(checked, &size);
        two = cross(checked, &size);
        assert_int_equal(number_of(one, "highest-version"), 0x0302);
        derive_stream(one, &material, seen);
        assert_memory_not_equal(seen, right, 16);
        derive_stream(two, &material, other);
        assert_memory_not_equal(other, right, 16);
        assert_memory_not_equal(other, seen, 16);
        print_message("%s, premaster of %zu bytes: a blob of %zu bytes\n", protocol->master,
                      sizes[n / 2], size);
        EVP_PKEY_free(one);
        EVP_PKEY_free(two);
        EVP_PKEY_free(checked);
        EVP_PKEY_free(moved);
        EVP_PKEY_free(master);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(random_masters_have_the_sizes_of_their_protocol),
        TEST(random_premasters_begin_with_the_version),
        TEST(known_masters_have_the_sizes_of_their_protocol),
        TEST(a_premaster_is_converted_once_by_the_first_derivation),
        TEST(contexts_made_before_the_conversion_take_its_result),
        TEST(a_refused_derivation_converts_nothing),
        TEST(premasters_of_a_key_agreement_have_1_to_4096_bytes),
        TEST(a_version_that_fits_gives_the_right_keys),
        TEST(a_version_rolled_back_gives_other_keys_and_tells_nobody),
        TEST(a_generation_context_keeps_randoms_of_different_lengths_apart),
        TEST(the_check_of_a_version_needs_random_numbers_and_converts_nothing_without),
        TEST(a_version_outside_3_is_refused),
        TEST(parameters_that_a_protocol_lacks_are_refused_everywhere),
        TEST(every_parameter_of_a_master_can_be_read),
        TEST(todata_and_fromdata_keep_a_master),
        TEST(a_copy_of_a_master_goes_its_own_way),
        TEST(masters_cross_in_a_blob_with_all_that_they_hold),
        TEST(premasters_and_the_rollback_check_cross_in_a_blob),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
