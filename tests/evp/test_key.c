/*
 * Key objects through EVP_PKEY: making them, their parameters, duplicates, retirement, derivation
 * from a master, handles; and what is refused: with one reason each, and the key as it was.
 */
#include "fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>
#include <openssl/encoder.h>
#include <openssl/kdf.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MASTER_SIZE  48
#define RANDOM_SIZE  32
#define SALT_SIZE    11
#define MAX_SECRET   64
#define MAX_PARAMS   20
#define TEXT_SIZE    96
#define PRINT_SIZE   160

static int yes = 1, no = 0;

/* Each algorithm and each size that a key of it can have. */
struct row {
    const char *alg, *kind, *digest;
    size_t size, iv;
    unsigned bits, other_bits; /* as reported; another way to ask for it, 0: none */
};

static const struct row rows[] = {
    { "TLS1-MASTER", "master", NULL, 48, 0, 384, 0 },
    { "RC4", "cipher", NULL, 5, 0, 40, 0 },
    { "RC4", "cipher", NULL, 6, 0, 48, 0 },
    { "RC4", "cipher", NULL, 7, 0, 56, 0 },
    { "RC4", "cipher", NULL, 8, 0, 64, 0 },
    { "RC4", "cipher", NULL, 9, 0, 72, 0 },
    { "RC4", "cipher", NULL, 10, 0, 80, 0 },
    { "RC4", "cipher", NULL, 11, 0, 88, 0 },
    { "RC4", "cipher", NULL, 12, 0, 96, 0 },
    { "RC4", "cipher", NULL, 13, 0, 104, 0 },
    { "RC4", "cipher", NULL, 14, 0, 112, 0 },
    { "RC4", "cipher", NULL, 15, 0, 120, 0 },
    { "RC4", "cipher", NULL, 16, 0, 128, 0 },
    { "DES-EDE3-CBC", "cipher", NULL, 24, 8, 192, 168 },
    { "AES-128-CBC", "cipher", NULL, 16, 16, 128, 0 },
    { "AES-256-CBC", "cipher", NULL, 32, 16, 256, 0 },
    { "TLS1-MAC", "mac", "MD5", 16, 0, 128, 0 },
    { "TLS1-MAC", "mac", "SHA1", 20, 0, 160, 0 },
};

enum {
    MASTER = 0,
    RC4_40 = 1,
    RC4_128 = 12,
    DES3 = 13,
    AES128 = 14,
    AES256 = 15,
    MD5_MAC = 16,
    SHA1_MAC = 17
};

static int is_kind(const struct row *row, const char *kind)
{
    return strcmp(row->kind, kind) == 0;
}

/* ---- parameters and keys ---- */

struct list {
    OSSL_PARAM params[MAX_PARAMS];
    size_t count;
};

static void list_add(struct list *list, OSSL_PARAM param)
{
    assert_in_range(list->count, 0, MAX_PARAMS - 2);
    list->params[list->count++] = param;
    list->params[list->count] = OSSL_PARAM_construct_end();
}

static void list_drop(struct list *list, const char *name)
{
    size_t kept = 0;

    for (size_t n = 0; n < list->count; n++) {
        if (strcmp(list->params[n].key, name) != 0)
            list->params[kept++] = list->params[n];
    }
    list->count = kept;
    list->params[kept] = OSSL_PARAM_construct_end();
}

static OSSL_PARAM flag_param(const char *name, int value)
{
    return OSSL_PARAM_construct_int(name, value ? &yes : &no);
}

static OSSL_PARAM number_param(const char *name, const unsigned *number)
{
    return OSSL_PARAM_construct_uint(name, (unsigned *)(uintptr_t)number);
}

static uint8_t odd_parity(uint8_t byte)
{
    unsigned ones = 0;

    for (unsigned bit = 1; bit < 8; bit++)
        ones += (unsigned)byte >> bit & 1u;
    return (uint8_t)((byte & 0xfe) | (ones % 2 == 0));
}

static void make_secret(uint8_t *secret, const struct row *row, unsigned seed)
{
    pattern(secret, row->size, seed);
    for (size_t n = 0; n < row->size && strcmp(row->alg, "DES-EDE3-CBC") == 0; n++)
        secret[n] = odd_parity(secret[n]);
}

/* alg, digest and exportable; borrows from |row|. */
static struct list describe(const struct row *row, int exportable)
{
    struct list list = { .count = 0 };

    list_add(&list, text_param("alg", row->alg));
    if (row->digest != NULL)
        list_add(&list, text_param("digest", row->digest));
    list_add(&list, flag_param("exportable", exportable));
    return list;
}

/* A key of known bytes. */
static EVP_PKEY *import(const struct row *row, unsigned seed, int exportable)
{
    struct list list = describe(row, exportable);
    uint8_t secret[MAX_SECRET];
    EVP_PKEY *key;

    make_secret(secret, row, seed);
    list_add(&list, octets_param("secret", secret, row->size));
    key = from_data(list.params);
    assert_non_null(key);
    return key;
}

static EVP_PKEY_CTX *new_generation(EVP_PKEY *from, const OSSL_PARAM params[])
{
    EVP_PKEY_CTX *context = from != NULL
                                ? EVP_PKEY_CTX_new_from_pkey(libctx, from, NULL)
                                : EVP_PKEY_CTX_new_from_name(libctx, SCHANNEL_KEY_TYPE, NULL);

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    if (params != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    return context;
}

static EVP_PKEY *generate_once(EVP_PKEY_CTX *context)
{
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_generate(context, &key) <= 0) {
        assert_null(key);
        return NULL;
    }
    return key;
}

/* |from| NULL: a random key.  NULL when the provider refuses. */
static EVP_PKEY *generate(EVP_PKEY *from, const OSSL_PARAM params[])
{
    EVP_PKEY_CTX *context = new_generation(from, params);
    EVP_PKEY *key = generate_once(context);

    EVP_PKEY_CTX_free(context);
    return key;
}

static int set_one(EVP_PKEY *key, OSSL_PARAM param)
{
    OSSL_PARAM params[] = { param, OSSL_PARAM_construct_end() };

    return EVP_PKEY_set_params(key, params);
}

static size_t get_octets(EVP_PKEY *key, const char *name, uint8_t *out, size_t room)
{
    size_t size = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, name, out, room, &size), 1);
    return size;
}

static void assert_text(EVP_PKEY *key, const char *name, const char *expected)
{
    char text[64] = "?";

    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, name, text, sizeof(text), NULL), 1);
    assert_string_equal(text, expected);
}

static void assert_octets(EVP_PKEY *key, const char *name, const uint8_t *expected, size_t size)
{
    uint8_t out[MAX_SECRET];

    assert_int_equal(get_octets(key, name, out, sizeof(out)), size);
    assert_memory_equal(out, expected, size);
}

static uint64_t get_number(EVP_PKEY *key, const char *name)
{
    uint64_t number = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(name, &number),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_get_params(key, params), 1);
    return number;
}

/* The bytes of an exportable key; |name| is "secret" or "premaster". */
static size_t key_bytes(EVP_PKEY *key, const char *name, uint8_t *out, size_t room)
{
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *param;
    void *data = out;
    size_t size = 0;

    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    param = OSSL_PARAM_locate_const(params, name);
    assert_non_null(param);
    assert_int_equal(OSSL_PARAM_get_octet_string(param, &data, room, &size), 1);
    OSSL_PARAM_free(params);
    return size;
}

static void assert_bytes(EVP_PKEY *key, const uint8_t *expected, size_t size)
{
    uint8_t bytes[MAX_SECRET];

    assert_int_equal(key_bytes(key, "secret", bytes, sizeof(bytes)), size);
    assert_memory_equal(bytes, expected, size);
}

/* ---- using keys ---- */

static EVP_CIPHER_CTX *bind_cipher(EVP_PKEY *key, const char *alg)
{
    char name[64];
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher;

    snprintf(name, sizeof(name), "SCHANNEL-%s", alg);
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_non_null(cipher);
    get_handle(key, handle);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind), 1);
    EVP_CIPHER_free(cipher);
    return context;
}

static EVP_MAC_CTX *bind_mac(EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(libctx, SCHANNEL_MAC_TLS1, NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    assert_non_null(context);
    get_handle(key, handle);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, bind), 1);
    EVP_MAC_free(mac);
    return context;
}

/* Encrypts |size| bytes of zeros, which moves the key on. */
static void encrypt_zeros(EVP_PKEY *key, const char *alg, uint8_t *out, size_t size)
{
    uint8_t zeros[TEXT_SIZE] = { 0 };
    EVP_CIPHER_CTX *context = bind_cipher(key, alg);
    int written = 0;

    assert_int_equal(EVP_EncryptUpdate(context, out, &written, zeros, (int)size), 1);
    assert_int_equal(written, size);
    EVP_CIPHER_CTX_free(context);
}

/* The same with OpenSSL's own cipher; |iv| NULL: zeros. */
static void openssl_encrypt_zeros(const char *alg, const uint8_t *secret, size_t secret_size,
                                  const uint8_t *iv, uint8_t *out, size_t size)
{
    static const uint8_t zeros[TEXT_SIZE];
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, alg, "provider!=schannel");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;

    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)secret_size), 1);
    assert_int_equal(EVP_EncryptInit_ex2(context, NULL, secret, iv != NULL ? iv : zeros, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, zeros, (int)size), 1);
    assert_int_equal(written, size);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

static void get_if_there(EVP_PKEY *key, const char *name, uint8_t *out, size_t room)
{
    size_t size;

    ERR_set_mark();
    if (!EVP_PKEY_get_octet_string_param(key, name, out, room, &size))
        memset(out, 0xee, room);
    ERR_pop_to_mark();
}

/*
 * What can be seen of a key and what it would do next: two prints are equal when nothing changed.
 * Taken from a duplicate, so that it changes nothing itself.
 */
static void print_key(const struct row *row, EVP_PKEY *key, uint8_t print[PRINT_SIZE])
{
    static const uint8_t random[RANDOM_SIZE] = "of the print";
    EVP_PKEY *copy = EVP_PKEY_dup(key), *derived;
    struct list list = { .count = 0 };
    EVP_MAC_CTX *mac;
    uint64_t sequence;
    size_t size;

    assert_non_null(copy);
    memset(print, 0, PRINT_SIZE);
    print[0] = (uint8_t)get_number(key, "exportable");
    if (is_kind(row, "cipher")) {
        get_if_there(key, "iv", print + 1, 16);
        get_if_there(key, "salt", print + 17, SALT_SIZE);
        encrypt_zeros(copy, row->alg, print + 40, 64);
    } else if (is_kind(row, "mac")) {
        sequence = get_number(key, "sequence");
        memcpy(print + 1, &sequence, sizeof(sequence));
        mac = bind_mac(copy);
        assert_int_equal(EVP_MAC_final(mac, print + 40, &size, 20), 1);
        EVP_MAC_CTX_free(mac);
    } else {
        get_if_there(key, "client-random", print + 1, 64);
        get_if_there(key, "server-random", print + 65, 64);
        list_add(&list, text_param("usage", "server-write-mac"));
        list_add(&list, text_param("digest", "SHA1"));
        list_add(&list, octets_param("client-random", random, sizeof(random)));
        list_add(&list, octets_param("server-random", random, sizeof(random)));
        list_add(&list, flag_param("exportable", 1));
        derived = generate(copy, list.params);
        assert_non_null(derived);
        assert_int_equal(key_bytes(derived, "secret", print + 129, PRINT_SIZE - 129), 20);
        EVP_PKEY_free(derived);
    }
    EVP_PKEY_free(copy);
    assert_no_errors();
}

static void assert_prints_equal(const struct row *row, EVP_PKEY *key, const uint8_t *expected)
{
    uint8_t print[PRINT_SIZE];

    print_key(row, key, print);
    assert_memory_equal(print, expected, PRINT_SIZE);
}

/* ---- keys of known bytes ---- */

static void check_imported(const struct row *row, EVP_PKEY *key, const uint8_t *secret)
{
    static const uint8_t zeros[16];

    assert_non_null(key);
    assert_int_equal(EVP_PKEY_is_a(key, SCHANNEL_KEY_TYPE), 1);
    assert_text(key, "alg", row->alg);
    assert_text(key, "kind", row->kind);
    assert_text(key, "usage", "");
    assert_int_equal(get_number(key, "bits"), row->bits);
    assert_int_equal(EVP_PKEY_get_bits(key), row->bits);
    assert_true(EVP_PKEY_get_security_bits(key) > 0);
    assert_true(EVP_PKEY_get_size(key) > 0);
    assert_int_equal(get_number(key, "exportable"), 1);
    assert_bytes(key, secret, row->size);
    if (row->iv != 0)
        assert_octets(key, "iv", zeros, row->iv);
    if (is_kind(row, "cipher"))
        assert_octets(key, "salt", zeros, 0);
    if (is_kind(row, "mac")) {
        assert_int_equal(get_number(key, "sequence"), 0);
        assert_text(key, "digest", row->digest);
        assert_text(key, "default-digest", row->digest);
    }
    assert_no_errors();
}

static void known_bytes_make_a_key_of_every_algorithm_and_size(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        const unsigned asked[] = { 0, rows[n].bits, rows[n].other_bits };

        for (size_t i = 0; i < COUNT(asked); i++) {
            struct list list = describe(&rows[n], 1);
            uint8_t secret[MAX_SECRET];
            EVP_PKEY *key;

            make_secret(secret, &rows[n], 5);
            list_add(&list, octets_param("secret", secret, rows[n].size));
            if (asked[i] != 0)
                list_add(&list, number_param("bits", &asked[i]));
            key = from_data(list.params);
            check_imported(&rows[n], key, secret);
            EVP_PKEY_free(key);
            /* and the same by generation, which is what genpkey does */
            key = generate(NULL, list.params);
            check_imported(&rows[n], key, secret);
            EVP_PKEY_free(key);
        }
    }
}

static void an_imported_key_runs_like_openssls_own(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t secret[MAX_SECRET], actual[TEXT_SIZE], expected[TEXT_SIZE];
        EVP_PKEY *key;

        if (!is_kind(&rows[n], "cipher"))
            continue;
        make_secret(secret, &rows[n], 6);
        key = import(&rows[n], 6, 0);
        openssl_encrypt_zeros(rows[n].alg, secret, rows[n].size, NULL, expected, TEXT_SIZE);
        encrypt_zeros(key, rows[n].alg, actual, TEXT_SIZE);
        assert_memory_equal(actual, expected, TEXT_SIZE);
        EVP_PKEY_free(key);
    }
}

static void iv_and_sequence_can_be_given_at_import(void **state)
{
    uint8_t iv[16], secret[MAX_SECRET], actual[TEXT_SIZE], expected[TEXT_SIZE];
    uint64_t sequence = UINT64_C(0xfedcba9876543210);

    (void)state;
    pattern(iv, sizeof(iv), 66);
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct list list = describe(&rows[n], 0);
        EVP_PKEY *key;

        make_secret(secret, &rows[n], 7);
        list_add(&list, octets_param("secret", secret, rows[n].size));
        if (rows[n].iv != 0)
            list_add(&list, octets_param("iv", iv, rows[n].iv));
        if (is_kind(&rows[n], "mac"))
            list_add(&list, OSSL_PARAM_construct_uint64("sequence", &sequence));
        key = from_data(list.params);
        assert_non_null(key);
        if (rows[n].iv != 0) {
            assert_octets(key, "iv", iv, rows[n].iv);
            openssl_encrypt_zeros(rows[n].alg, secret, rows[n].size, iv, expected, TEXT_SIZE);
            encrypt_zeros(key, rows[n].alg, actual, TEXT_SIZE);
            assert_memory_equal(actual, expected, TEXT_SIZE);
            /* the chaining value now */
            assert_octets(key, "iv", expected + TEXT_SIZE - rows[n].iv, rows[n].iv);
        }
        if (is_kind(&rows[n], "mac"))
            assert_int_equal(get_number(key, "sequence"), sequence);
        EVP_PKEY_free(key);
    }
}

/* The cipher runs with key || salt. */
static void assert_runs_with_its_salt(EVP_PKEY *key, const uint8_t *secret, size_t salt_size)
{
    uint8_t whole[5 + SALT_SIZE], actual[TEXT_SIZE], expected[TEXT_SIZE];

    memcpy(whole, secret, 5);
    assert_int_equal(get_octets(key, "salt", whole + 5, SALT_SIZE), salt_size);
    openssl_encrypt_zeros("RC4", whole, 5 + salt_size, NULL, expected, TEXT_SIZE);
    encrypt_zeros(key, "RC4", actual, TEXT_SIZE);
    assert_memory_equal(actual, expected, TEXT_SIZE);
}

static void the_salt_of_a_40_bit_key_is_none_zero_or_random(void **state)
{
    static const uint8_t zeros[SALT_SIZE];
    static const char *const modes[] = { NULL, "none", "zero", "create" };
    uint8_t secret[5], first[SALT_SIZE], second[SALT_SIZE];

    (void)state;
    for (size_t n = 0; n < COUNT(modes); n++) {
        for (int known = 0; known <= 1; known++) {
            struct list list = describe(&rows[RC4_40], 1);
            unsigned bits = 40;
            size_t size = n == 1 || (n == 0 && known) ? 0 : SALT_SIZE;
            EVP_PKEY *key, *other;

            make_secret(secret, &rows[RC4_40], 8);
            list_add(&list, number_param("bits", &bits));
            if (known)
                list_add(&list, octets_param("secret", secret, 5));
            if (modes[n] != NULL)
                list_add(&list, text_param("salt-mode", modes[n]));
            key = known ? from_data(list.params) : generate(NULL, list.params);
            other = known ? from_data(list.params) : generate(NULL, list.params);
            assert_non_null(key);
            assert_non_null(other);
            assert_int_equal(get_octets(key, "salt", first, SALT_SIZE), size);
            assert_int_equal(get_octets(other, "salt", second, SALT_SIZE), size);
            if (n == 3)
                assert_memory_not_equal(first, second, SALT_SIZE);
            else if (size != 0)
                assert_memory_equal(first, zeros, SALT_SIZE);
            key_bytes(key, "secret", secret, sizeof(secret));
            assert_runs_with_its_salt(key, secret, size);
            EVP_PKEY_free(key);
            EVP_PKEY_free(other);
        }
    }
}

/* ---- random keys ---- */

static void random_keys_of_every_size_differ(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        const unsigned asked[] = { rows[n].bits, rows[n].other_bits };

        for (size_t i = 0; i < COUNT(asked) && asked[i] != 0; i++) {
            const char *name = is_kind(&rows[n], "master") ? "premaster" : "secret";
            struct list list = describe(&rows[n], 1);
            uint8_t first[MAX_SECRET], second[MAX_SECRET];
            EVP_PKEY *key, *other;

            list_add(&list, number_param("bits", &asked[i]));
            key = generate(NULL, list.params);
            other = generate(NULL, list.params);
            assert_non_null(key);
            assert_non_null(other);
            assert_text(key, "alg", rows[n].alg);
            assert_int_equal(get_number(key, "bits"), rows[n].bits);
            assert_int_equal(key_bytes(key, name, first, sizeof(first)), rows[n].size);
            assert_int_equal(key_bytes(other, name, second, sizeof(second)), rows[n].size);
            assert_memory_not_equal(first, second, rows[n].size);
            assert_int_equal(EVP_PKEY_eq(key, other), 0);
            EVP_PKEY_free(key);
            EVP_PKEY_free(other);
        }
    }
    assert_no_errors();
}

static void without_bits_a_random_key_has_its_full_size(void **state)
{
    static const size_t full[] = { MASTER, RC4_128, DES3, AES128, AES256, MD5_MAC, SHA1_MAC };

    (void)state;
    for (size_t n = 0; n < COUNT(full); n++) {
        struct list list = describe(&rows[full[n]], 0);
        EVP_PKEY *key = generate(NULL, list.params);

        assert_non_null(key);
        assert_int_equal(get_number(key, "bits"), rows[full[n]].bits);
        assert_int_equal(get_number(key, "exportable"), 0);
        EVP_PKEY_free(key);
    }
}

static void random_des_keys_have_odd_parity(void **state)
{
    (void)state;
    for (size_t n = 0; n < 100; n++) {
        struct list list = describe(&rows[DES3], 1);
        EVP_PKEY *key = generate(NULL, list.params);
        uint8_t secret[MAX_SECRET];

        assert_non_null(key);
        assert_int_equal(key_bytes(key, "secret", secret, sizeof(secret)), 24);
        for (size_t i = 0; i < 24; i++)
            assert_int_equal(secret[i], odd_parity(secret[i]));
        EVP_PKEY_free(key);
    }
}

static void one_context_makes_many_random_keys(void **state)
{
    struct list list = describe(&rows[AES128], 1);
    EVP_PKEY_CTX *context = new_generation(NULL, list.params);
    uint8_t secret[8][MAX_SECRET];

    (void)state;
    for (size_t n = 0; n < 8; n++) {
        EVP_PKEY *key = generate_once(context);

        assert_non_null(key);
        key_bytes(key, "secret", secret[n], sizeof(secret[n]));
        for (size_t i = 0; i < n; i++)
            assert_memory_not_equal(secret[n], secret[i], 16);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_CTX_free(context);
}

/* ---- what cannot be made ---- */

enum type { NONE, OCTETS, TEXT, NUMBER, NEGATIVE };

struct value {
    const char *name;
    enum type type;
    const char *text;
    unsigned number; /* OCTETS: the size */
};

/*
 * |secret_size| 0: none.  An import wants one, a generation makes random bytes without: |how| says
 * where the refusal is.
 */
enum { EITHER_WAY = 0, IMPORT_ONLY = 1, GENERATION_ONLY = 2 };

static const struct {
    size_t row, secret_size;
    struct value value;
    const char *reason, *detail;
    int how;
} bad_keys[] = {
    /* sizes */
    { AES128, 15, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES128, 17, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES128, 24, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES128, 32, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES256, 16, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES256, 31, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES256, 33, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES256, 48, { 0 }, "invalid length", "secret", EITHER_WAY },
    { DES3, 16, { 0 }, "invalid length", "secret", EITHER_WAY },
    { DES3, 21, { 0 }, "invalid length", "secret", EITHER_WAY },
    { DES3, 25, { 0 }, "invalid length", "secret", EITHER_WAY },
    { RC4_128, 1, { 0 }, "invalid length", "secret", EITHER_WAY },
    { RC4_128, 4, { 0 }, "invalid length", "secret", EITHER_WAY },
    { RC4_128, 17, { 0 }, "invalid length", "secret", EITHER_WAY },
    { RC4_128, 32, { 0 }, "invalid length", "secret", EITHER_WAY },
    { MASTER, 47, { 0 }, "invalid length", "secret", EITHER_WAY },
    { MASTER, 49, { 0 }, "invalid length", "secret", EITHER_WAY },
    { MASTER, 1, { 0 }, "invalid length", "secret", EITHER_WAY },
    { MD5_MAC, 15, { 0 }, "invalid length", "secret", EITHER_WAY },
    { MD5_MAC, 20, { 0 }, "invalid length", "secret", EITHER_WAY },
    { SHA1_MAC, 16, { 0 }, "invalid length", "secret", EITHER_WAY },
    { SHA1_MAC, 21, { 0 }, "invalid length", "secret", EITHER_WAY },
    { AES128, 0, { 0 }, "missing parameter", "secret", IMPORT_ONLY },
    { MASTER, 0, { 0 }, "missing parameter", "secret", IMPORT_ONLY },
    { SHA1_MAC, 0, { 0 }, "missing parameter", "secret", IMPORT_ONLY },
    { AES128, 0, { "secret", OCTETS, NULL, 0 }, "invalid length", "secret", EITHER_WAY },
    { MASTER, 0, { "premaster", OCTETS, NULL, 0 }, "invalid length", "premaster", EITHER_WAY },
    /* bits */
    { AES128, 16, { "bits", NUMBER, NULL, 192 }, "invalid parameter", "bits", EITHER_WAY },
    { AES128, 16, { "bits", NUMBER, NULL, 256 }, "invalid parameter", "bits", EITHER_WAY },
    { AES128, 16, { "bits", NUMBER, NULL, 127 }, "invalid parameter", "bits", EITHER_WAY },
    { AES128, 16, { "bits", NUMBER, NULL, 0 }, "invalid parameter", "bits", EITHER_WAY },
    { AES128, 16, { "bits", NEGATIVE, NULL, 128 }, "invalid parameter", "bits", EITHER_WAY },
    { AES128, 0, { "bits", NUMBER, NULL, 256 }, "invalid parameter", "bits", GENERATION_ONLY },
    { DES3, 24, { "bits", NUMBER, NULL, 128 }, "invalid parameter", "bits", EITHER_WAY },
    { DES3, 0, { "bits", NUMBER, NULL, 112 }, "invalid parameter", "bits", GENERATION_ONLY },
    { RC4_128, 0, { "bits", NUMBER, NULL, 32 }, "invalid parameter", "bits", GENERATION_ONLY },
    { RC4_128, 0, { "bits", NUMBER, NULL, 39 }, "invalid parameter", "bits", GENERATION_ONLY },
    { RC4_128, 0, { "bits", NUMBER, NULL, 41 }, "invalid parameter", "bits", GENERATION_ONLY },
    { RC4_128, 0, { "bits", NUMBER, NULL, 136 }, "invalid parameter", "bits", GENERATION_ONLY },
    { RC4_128, 0, { "bits", NUMBER, NULL, 2048 }, "invalid parameter", "bits", GENERATION_ONLY },
    { RC4_128, 16, { "bits", NUMBER, NULL, 40 }, "invalid length", "secret", EITHER_WAY },
    { RC4_40, 5, { "bits", NUMBER, NULL, 128 }, "invalid length", "secret", EITHER_WAY },
    { MASTER, 48, { "bits", NUMBER, NULL, 128 }, "invalid parameter", "bits", EITHER_WAY },
    { MASTER, 47, { "bits", NUMBER, NULL, 384 }, "invalid length", "secret", EITHER_WAY },
    { SHA1_MAC, 20, { "bits", NUMBER, NULL, 128 }, "invalid parameter", "bits", EITHER_WAY },
    { SHA1_MAC, 20, { "bits", NUMBER, NULL, 161 }, "invalid parameter", "bits", EITHER_WAY },
    { MD5_MAC, 0, { "bits", NUMBER, NULL, 160 }, "invalid parameter", "bits", GENERATION_ONLY },
    { AES128, 16, { "bits", TEXT, "128", 0 }, "invalid parameter", "bits", EITHER_WAY },
    /* iv, sequence, salt */
    { AES128, 16, { "iv", OCTETS, NULL, 15 }, "invalid length", "iv", EITHER_WAY },
    { AES128, 16, { "iv", OCTETS, NULL, 8 }, "invalid length", "iv", EITHER_WAY },
    { AES128, 16, { "iv", OCTETS, NULL, 17 }, "invalid length", "iv", EITHER_WAY },
    { AES128, 16, { "iv", OCTETS, NULL, 0 }, "invalid length", "iv", EITHER_WAY },
    { DES3, 24, { "iv", OCTETS, NULL, 16 }, "invalid length", "iv", EITHER_WAY },
    { RC4_128, 16, { "iv", OCTETS, NULL, 8 }, "conflicting parameters", "iv", EITHER_WAY },
    { SHA1_MAC, 20, { "iv", OCTETS, NULL, 8 }, "conflicting parameters", "iv", EITHER_WAY },
    { MASTER, 48, { "iv", OCTETS, NULL, 8 }, "conflicting parameters", "iv", EITHER_WAY },
    { AES128,
      16,
      { "sequence", NUMBER, NULL, 1 },
      "conflicting parameters",
      "sequence",
      EITHER_WAY },
    { RC4_128,
      16,
      { "sequence", NUMBER, NULL, 1 },
      "conflicting parameters",
      "sequence",
      EITHER_WAY },
    { MASTER,
      48,
      { "sequence", NUMBER, NULL, 1 },
      "conflicting parameters",
      "sequence",
      EITHER_WAY },
    { SHA1_MAC,
      20,
      { "sequence", NEGATIVE, NULL, 1 },
      "invalid parameter",
      "sequence",
      EITHER_WAY },
    { RC4_128, 16, { "salt-mode", TEXT, "zero", 0 }, "invalid parameter", "salt-mode", EITHER_WAY },
    { AES128,
      16,
      { "salt-mode", TEXT, "create", 0 },
      "invalid parameter",
      "salt-mode",
      EITHER_WAY },
    { RC4_40, 5, { "salt-mode", TEXT, "random", 0 }, "invalid parameter", "salt-mode", EITHER_WAY },
    { MASTER,
      48,
      { "salt-mode", TEXT, "zero", 0 },
      "conflicting parameters",
      "salt-mode",
      EITHER_WAY },
    { SHA1_MAC,
      20,
      { "salt-mode", TEXT, "zero", 0 },
      "conflicting parameters",
      "salt-mode",
      EITHER_WAY },
    /* what belongs to another kind of key */
    { AES128,
      0,
      { "premaster", OCTETS, NULL, 48 },
      "conflicting parameters",
      "premaster",
      EITHER_WAY },
    { SHA1_MAC,
      0,
      { "premaster", OCTETS, NULL, 20 },
      "conflicting parameters",
      "premaster",
      EITHER_WAY },
    { MASTER,
      48,
      { "premaster", OCTETS, NULL, 48 },
      "conflicting parameters",
      "premaster",
      EITHER_WAY },
    { AES128, 16, { "digest", TEXT, "SHA1", 0 }, "conflicting parameters", "digest", EITHER_WAY },
    { AES128, 16, { "cipher", TEXT, "RC4", 0 }, "conflicting parameters", "cipher", EITHER_WAY },
    { AES128,
      16,
      { "client-random", OCTETS, NULL, 32 },
      "conflicting parameters",
      "client-r",
      EITHER_WAY },
    { SHA1_MAC,
      20,
      { "server-random", OCTETS, NULL, 32 },
      "conflicting parameters",
      "server-r",
      0 },
    { SHA1_MAC,
      20,
      { "cipher-bits", NUMBER, NULL, 128 },
      "conflicting parameters",
      "cipher-b",
      EITHER_WAY },
    { RC4_40, 5, { "export", NUMBER, NULL, 1 }, "conflicting parameters", "export", EITHER_WAY },
    /* values and types */
    { AES128, 16, { "alg", TEXT, "AES-128-GCM", 0 }, "unknown algorithm", "alg", EITHER_WAY },
    { AES128, 16, { "alg", TEXT, "", 0 }, "unknown algorithm", "alg", EITHER_WAY },
    { AES128, 16, { "alg", NUMBER, NULL, 1 }, "invalid parameter", "alg", EITHER_WAY },
    { SHA1_MAC, 20, { "digest", TEXT, "SHA256", 0 }, "unknown algorithm", "digest", EITHER_WAY },
    { MASTER, 48, { "digest", TEXT, "SHA224", 0 }, "unknown algorithm", "digest", EITHER_WAY },
    { MASTER, 48, { "cipher", TEXT, "IDEA", 0 }, "unknown algorithm", "cipher", EITHER_WAY },
    { MASTER,
      48,
      { "client-random", OCTETS, NULL, 65 },
      "invalid length",
      "client-random",
      EITHER_WAY },
    { MASTER,
      48,
      { "server-random", OCTETS, NULL, 0 },
      "invalid length",
      "server-random",
      EITHER_WAY },
    { MASTER,
      48,
      { "client-random", TEXT, "x", 0 },
      "invalid parameter",
      "client-random",
      EITHER_WAY },
    { MASTER,
      48,
      { "cipher-bits", NUMBER, NULL, 0 },
      "invalid parameter",
      "cipher-bits",
      EITHER_WAY },
    { MASTER, 48, { "export", NUMBER, NULL, 2 }, "invalid parameter", "export", EITHER_WAY },
    { AES128,
      0,
      { "secret", TEXT, "0123456789abcdef", 0 },
      "invalid parameter",
      "secret",
      EITHER_WAY },
    { AES128, 0, { "secret", NUMBER, NULL, 16 }, "invalid parameter", "secret", EITHER_WAY },
    { AES128,
      16,
      { "exportable", NUMBER, NULL, 2 },
      "invalid parameter",
      "exportable",
      EITHER_WAY },
    { AES128,
      16,
      { "exportable", NEGATIVE, NULL, 1 },
      "invalid parameter",
      "exportable",
      EITHER_WAY },
    { AES128, 16, { "exportable", TEXT, "1", 0 }, "invalid parameter", "exportable", EITHER_WAY },
};

/* |value| borrows from |number|, |negative| and static bytes. */
static OSSL_PARAM value_param(const struct value *value, unsigned *number, int *negative)
{
    static const uint8_t bytes[128];

    *number = value->number;
    *negative = -(int)value->number;
    switch (value->type) {
    case OCTETS:
        return octets_param(value->name, bytes, value->number);
    case TEXT:
        return text_param(value->name, value->text);
    case NUMBER:
        return OSSL_PARAM_construct_uint(value->name, number);
    case NEGATIVE:
        return OSSL_PARAM_construct_int(value->name, negative);
    case NONE:
        break;
    }
    return OSSL_PARAM_construct_end();
}

static void a_key_that_cannot_be_is_refused_with_one_reason(void **state)
{
    uint8_t secret[MAX_SECRET];

    (void)state;
    pattern(secret, sizeof(secret), 9);
    for (size_t n = 0; n < COUNT(bad_keys); n++) {
        struct list list = describe(&rows[bad_keys[n].row], 0);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, SCHANNEL_KEY_TYPE, NULL);
        EVP_PKEY *key = NULL;
        unsigned number;
        int negative;

        if (bad_keys[n].secret_size != 0)
            list_add(&list, octets_param("secret", secret, bad_keys[n].secret_size));
        if (bad_keys[n].value.type != NONE)
            list_add(&list, value_param(&bad_keys[n].value, &number, &negative));
        if (bad_keys[n].how != GENERATION_ONLY) {
            assert_null(from_data(list.params));
            assert_reason(bad_keys[n].reason, bad_keys[n].detail);
        }
        /* a generation says the same, when the value is set or when the key is made */
        assert_int_equal(EVP_PKEY_keygen_init(context), 1);
        if (bad_keys[n].how != IMPORT_ONLY) {
            assert_false(EVP_PKEY_CTX_set_params(context, list.params) > 0 &&
                         EVP_PKEY_generate(context, &key) > 0);
            assert_null(key);
            assert_reason(bad_keys[n].reason, bad_keys[n].detail);
        }
        EVP_PKEY_CTX_free(context);
    }
    print_message("%zu keys that cannot be\n", COUNT(bad_keys));
}

static void bits_that_are_those_of_the_secret_are_accepted(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct list list = describe(&rows[n], 0);
        uint8_t secret[MAX_SECRET];
        EVP_PKEY *key, *same = import(&rows[n], 10, 0);

        make_secret(secret, &rows[n], 10);
        list_add(&list, octets_param("secret", secret, rows[n].size));
        list_add(&list, number_param("bits", &rows[n].bits));
        assert_non_null(key = from_data(list.params));
        assert_int_equal(EVP_PKEY_eq(key, same), 1);
        EVP_PKEY_free(key);
        EVP_PKEY_free(same);
    }
    assert_no_errors();
}

static void a_key_without_algorithm_or_digest_is_refused(void **state)
{
    uint8_t secret[20] = { 0 };
    OSSL_PARAM no_algorithm[] = { octets_param("secret", secret, 16), OSSL_PARAM_construct_end() };
    OSSL_PARAM no_digest[] = { text_param("alg", "TLS1-MAC"), octets_param("secret", secret, 20),
                               OSSL_PARAM_construct_end() };
    OSSL_PARAM nothing[] = { OSSL_PARAM_construct_end() };

    (void)state;
    assert_null(from_data(no_algorithm));
    assert_reason("missing parameter", "alg");
    assert_null(from_data(nothing));
    assert_reason("missing parameter", "alg");
    assert_null(from_data(no_digest));
    assert_reason("missing parameter", "digest");
    assert_null(generate(NULL, NULL));
    assert_reason("missing parameter", "alg");
    no_digest[1] = OSSL_PARAM_construct_end();
    assert_null(generate(NULL, no_digest));
    assert_reason("missing parameter", "digest");
}

static void a_public_part_cannot_be_imported_or_exported(void **state)
{
    struct list list = describe(&rows[AES128], 1);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, SCHANNEL_KEY_TYPE, NULL);
    EVP_PKEY *key = NULL, *exportable = import(&rows[AES128], 1, 1);
    OSSL_PARAM *params = NULL;
    uint8_t secret[16] = { 0 };

    (void)state;
    list_add(&list, octets_param("secret", secret, 16));
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_not_equal(
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY & ~EVP_PKEY_KEYPAIR, list.params), 1);
    assert_null(key);
    assert_reason("key has no public part", "");
    assert_int_not_equal(EVP_PKEY_todata(exportable, EVP_PKEY_PUBLIC_KEY, &params), 1);
    assert_null(params);
    assert_reason("key has no public part", "");
    EVP_PKEY_free(exportable);
    EVP_PKEY_CTX_free(context);
}

static void a_refused_generation_parameter_changes_nothing(void **state)
{
    struct list list = describe(&rows[AES128], 1);
    uint8_t secret[16], zeros[16] = { 0 };
    unsigned number = 2;
    EVP_PKEY_CTX *context;
    EVP_PKEY *key;

    (void)state;
    make_secret(secret, &rows[AES128], 10);
    list_add(&list, octets_param("secret", secret, 16));
    context = new_generation(NULL, list.params);
    /* good ones before and behind the bad one */
    list.count = 0;
    list_add(&list, octets_param("secret", zeros, 16));
    list_add(&list, text_param("alg", "RC4"));
    list_add(&list, OSSL_PARAM_construct_uint("exportable", &number));
    list_add(&list, text_param("digest", "MD5"));
    assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 0);
    assert_reason("invalid parameter", "exportable");
    key = generate_once(context);
    check_imported(&rows[AES128], key, secret);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
}

/* ---- reading parameters ---- */

static void sizes_can_be_asked_for_and_small_buffers_are_refused(void **state)
{
    static const char *const names[] = {
        "alg",  "kind",          "digest",        "default-digest", "key-id",     "iv",
        "salt", "client-random", "server-random", "key-handle",     "opaque-blob"
    };
    size_t count = 0;

    (void)state;
    for (size_t r = 0; r < COUNT(rows); r++) {
        EVP_PKEY *key = import(&rows[r], 11, 0);
        uint8_t before[PRINT_SIZE];

        print_key(&rows[r], key, before);
        for (size_t n = 0; n < COUNT(names); n++) {
            unsigned type = n < 5 ? OSSL_PARAM_UTF8_STRING : OSSL_PARAM_OCTET_STRING;
            uint8_t buffer[MAX_BLOB + 1];
            OSSL_PARAM params[] = { { names[n], type, NULL, 0, OSSL_PARAM_UNMODIFIED },
                                    OSSL_PARAM_construct_end() };
            size_t size;

            if (EVP_PKEY_get_params(key, params) != 1) {
                assert_reason("wrong kind of key", names[n]);
                continue;
            }
            size = params[0].return_size;
            if (size == 0 || size == OSSL_PARAM_UNMODIFIED) /* masters without randoms, no salt */
                continue;
            memset(buffer, 0xa5, sizeof(buffer));
            for (size_t room = n == 10 ? size - 1 : 1; room < size; room++) {
                params[0].data = buffer;
                params[0].data_size = room;
                params[0].return_size = OSSL_PARAM_UNMODIFIED;
                assert_int_equal(EVP_PKEY_get_params(key, params), 0);
                assert_reason("output buffer too small", names[n]);
                count++;
            }
            for (size_t i = 0; i < sizeof(buffer); i++)
                assert_int_equal(buffer[i], 0xa5);
            params[0].data_size = size;
            assert_int_equal(EVP_PKEY_get_params(key, params), 1);
            assert_int_equal(params[0].return_size, size);
            assert_int_equal(buffer[size], 0xa5);
        }
        assert_prints_equal(&rows[r], key, before);
        EVP_PKEY_free(key);
    }
    assert_in_range(count, 500, 100000);
    print_message("%zu small buffers\n", count);
}

static void numbers_are_given_in_every_type_that_they_fit(void **state)
{
    static const char *const names[] = { "bits", "sequence", "exportable", "security-bits",
                                         "max-size" };
    static const uint64_t numbers[] = { 160, 300, 1, 160, 20 };
    static const size_t widths[] = { 1, 2, 4, 8, 16 };
    EVP_PKEY *key = import(&rows[SHA1_MAC], 12, 1);
    uint64_t sequence = 300;

    (void)state;
    assert_int_equal(set_one(key, OSSL_PARAM_construct_uint64("sequence", &sequence)), 1);
    for (size_t n = 0; n < COUNT(names); n++) {
        for (size_t w = 0; w < COUNT(widths); w++) {
            for (int is_signed = 0; is_signed <= 1; is_signed++) {
                unsigned type = is_signed ? OSSL_PARAM_INTEGER : OSSL_PARAM_UNSIGNED_INTEGER;
                uint8_t buffer[16] = { 0 };
                OSSL_PARAM params[] = { { names[n], type, buffer, widths[w], 0 },
                                        OSSL_PARAM_construct_end() };
                uint64_t value = 0;
                int fits = widths[w] > 1 || numbers[n] < (is_signed ? 128 : 256);

                assert_int_equal(EVP_PKEY_get_params(key, params), fits);
                if (!fits) {
                    assert_reason("output buffer too small", names[n]);
                    continue;
                }
                assert_int_equal(OSSL_PARAM_get_uint64(params, &value), 1);
                assert_int_equal(value, numbers[n]);
            }
        }
    }
    assert_no_errors();
    EVP_PKEY_free(key);
}

static void octets_are_not_given_as_text(void **state)
{
    uint8_t bytes[16] = { 0 };
    char text[64];
    OSSL_PARAM known[] = { text_param("alg", "AES-128-CBC"), octets_param("secret", bytes, 16),
                           octets_param("iv", bytes, 16), OSSL_PARAM_construct_end() };
    OSSL_PARAM wanted[] = { OSSL_PARAM_construct_utf8_string("iv", text, sizeof(text)),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *key = from_data(known);

    (void)state;
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_get_params(key, wanted), 0);
    assert_reason("invalid parameter", "iv: is an octet string");
    EVP_PKEY_free(key);
}

static void a_value_without_data_is_refused(void **state)
{
    static const OSSL_PARAM empty[] = {
        { "alg", OSSL_PARAM_UTF8_STRING, NULL, 0, 0 },
        { "secret", OSSL_PARAM_OCTET_STRING, NULL, 16, 0 },
        { "exportable", OSSL_PARAM_INTEGER, NULL, sizeof(int), 0 },
    };
    uint8_t bytes[16] = { 0 };

    (void)state;
    for (size_t n = 0; n < COUNT(empty); n++) {
        OSSL_PARAM params[] = { text_param("alg", "RC4"), octets_param("secret", bytes, 16),
                                OSSL_PARAM_construct_int("exportable", &yes),
                                OSSL_PARAM_construct_end() };

        params[n] = empty[n];
        assert_null(from_data(params));
        assert_reason("invalid parameter", empty[n].key);
    }
}

static void what_a_key_lacks_is_said(void **state)
{
    static const struct {
        size_t row;
        const char *lacking[5];
    } lacks[] = {
        { MASTER, { "iv", "salt", "sequence", "digest" } },
        { RC4_128, { "iv", "sequence", "digest", "client-random", "server-random" } },
        { AES128, { "sequence", "digest", "client-random", "server-random" } },
        { SHA1_MAC, { "iv", "salt", "client-random", "server-random" } },
    };

    (void)state;
    for (size_t n = 0; n < COUNT(lacks); n++) {
        EVP_PKEY *key = import(&rows[lacks[n].row], 13, 0);

        for (size_t i = 0; i < 5 && lacks[n].lacking[i] != NULL; i++) {
            const char *name = lacks[n].lacking[i];
            uint8_t buffer[64];
            size_t size;

            if (strcmp(name, "digest") == 0)
                assert_int_equal(
                    EVP_PKEY_get_utf8_string_param(key, name, (char *)buffer, 64, &size), 0);
            else
                assert_int_equal(EVP_PKEY_get_octet_string_param(key, name, buffer, 64, &size), 0);
            assert_reason("wrong kind of key", name);
        }
        EVP_PKEY_free(key);
    }
}

static void a_master_tells_its_randoms_and_digest(void **state)
{
    struct list list = { .count = 0 };
    EVP_PKEY *key = import(&rows[MASTER], 14, 0);
    uint8_t client[RANDOM_SIZE], server[RANDOM_SIZE];

    (void)state;
    pattern(client, sizeof(client), 1);
    pattern(server, sizeof(server), 2);
    list_add(&list, octets_param("client-random", client, sizeof(client)));
    list_add(&list, octets_param("server-random", server, sizeof(server)));
    list_add(&list, text_param("digest", "MD5"));
    assert_int_equal(EVP_PKEY_set_params(key, list.params), 1);
    assert_octets(key, "client-random", client, sizeof(client));
    assert_octets(key, "server-random", server, sizeof(server));
    assert_text(key, "digest", "MD5");
    EVP_PKEY_free(key);
}

static void the_identifier_stays_and_tells_keys_apart(void **state)
{
    char ids[COUNT(rows)][32], again[32];

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 15, 0);
        uint8_t blob[MAX_BLOB];

        get_id(key, ids[n]);
        assert_true(strlen(ids[n]) > 0);
        export_blob(key, blob);
        if (is_kind(&rows[n], "mac"))
            set_one(key, OSSL_PARAM_construct_int("sequence", &yes));
        else if (rows[n].iv != 0)
            encrypt_zeros(key, rows[n].alg, blob, 32);
        get_id(key, again);
        assert_string_equal(again, ids[n]);
        for (size_t i = 0; i < n; i++)
            assert_string_not_equal(ids[i], ids[n]);
        EVP_PKEY_free(key);
    }
}

/* ---- setting parameters ---- */

static void an_iv_that_is_set_starts_a_new_chain(void **state)
{
    uint8_t iv[16], secret[MAX_SECRET], actual[TEXT_SIZE], expected[TEXT_SIZE];

    (void)state;
    pattern(iv, sizeof(iv), 71);
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key;
        EVP_CIPHER_CTX *context;
        int written = 0;

        if (rows[n].iv == 0)
            continue;
        key = import(&rows[n], 16, 0);
        make_secret(secret, &rows[n], 16);
        encrypt_zeros(key, rows[n].alg, actual, 48);
        /* a partial block is dropped with it */
        context = bind_cipher(key, rows[n].alg);
        assert_int_equal(EVP_EncryptUpdate(context, actual, &written, iv, 3), 1);
        assert_int_equal(written, 0);
        assert_int_equal(set_one(key, octets_param("iv", iv, rows[n].iv)), 1);
        assert_octets(key, "iv", iv, rows[n].iv);
        openssl_encrypt_zeros(rows[n].alg, secret, rows[n].size, iv, expected, TEXT_SIZE);
        encrypt_zeros(key, rows[n].alg, actual, TEXT_SIZE);
        assert_memory_equal(actual, expected, TEXT_SIZE);
        EVP_CIPHER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void a_salt_that_is_set_starts_the_stream_again(void **state)
{
    EVP_PKEY *key = import(&rows[RC4_40], 17, 0);
    uint8_t salt[SALT_SIZE], secret[5], out[TEXT_SIZE];

    (void)state;
    make_secret(secret, &rows[RC4_40], 17);
    pattern(salt, sizeof(salt), 72);
    encrypt_zeros(key, "RC4", out, 20);
    assert_int_equal(set_one(key, octets_param("salt", salt, sizeof(salt))), 1);
    assert_octets(key, "salt", salt, sizeof(salt));
    assert_runs_with_its_salt(key, secret, SALT_SIZE);
    EVP_PKEY_free(key);
}

static void a_sequence_of_64_bits_can_be_set_in_every_type(void **state)
{
    static const uint64_t numbers[] = { 0,          1,
                                        0x7fffffff, 0x80000000,
                                        UINT32_MAX, 0x100000000,
                                        INT64_MAX,  (uint64_t)INT64_MAX + 1,
                                        UINT64_MAX };
    EVP_PKEY *key = import(&rows[MD5_MAC], 18, 0);
    int8_t tiny = 17;
    uint16_t small = 0xfffe;

    (void)state;
    for (size_t n = 0; n < COUNT(numbers); n++) {
        uint64_t number = numbers[n];
        int64_t with_sign = (int64_t)number;

        assert_int_equal(set_one(key, OSSL_PARAM_construct_uint64("sequence", &number)), 1);
        assert_true(get_number(key, "sequence") == number);
        if (with_sign >= 0) {
            assert_int_equal(set_one(key, flag_param("sequence", 0)), 1);
            assert_int_equal(set_one(key, OSSL_PARAM_construct_int64("sequence", &with_sign)), 1);
            assert_true(get_number(key, "sequence") == number);
        }
    }
    assert_int_equal(
        set_one(key, (OSSL_PARAM){ "sequence", OSSL_PARAM_INTEGER, &tiny, sizeof(tiny), 0 }), 1);
    assert_int_equal(get_number(key, "sequence"), 17);
    assert_int_equal(set_one(key, (OSSL_PARAM){ "sequence", OSSL_PARAM_UNSIGNED_INTEGER, &small,
                                                sizeof(small), 0 }),
                     1);
    assert_int_equal(get_number(key, "sequence"), 0xfffe);
    EVP_PKEY_free(key);
}

static void exportable_is_off_can_be_cleared_and_never_set_again(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 19, 1), *copy;
        OSSL_PARAM *params = NULL;
        uint8_t secret[MAX_SECRET];

        make_secret(secret, &rows[n], 19);
        assert_int_equal(set_one(key, flag_param("exportable", 1)), 1);
        assert_bytes(key, secret, rows[n].size);
        assert_int_equal(set_one(key, flag_param("exportable", 0)), 1);
        assert_int_equal(get_number(key, "exportable"), 0);
        assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 0);
        assert_reason("key is not exportable", rows[n].alg);
        assert_null(params);
        assert_int_equal(set_one(key, flag_param("exportable", 1)), 0);
        assert_reason("key is not exportable", "exportable");
        assert_int_equal(set_one(key, flag_param("exportable", 0)), 1);
        /* nor by a duplicate */
        copy = EVP_PKEY_dup(key);
        assert_int_equal(set_one(copy, flag_param("exportable", 1)), 0);
        assert_reason("key is not exportable", "exportable");
        EVP_PKEY_free(copy);
        EVP_PKEY_free(key);
        key = from_data((OSSL_PARAM[]){ text_param("alg", "AES-128-CBC"),
                                        octets_param("secret", secret, 16),
                                        OSSL_PARAM_construct_end() });
        assert_int_equal(get_number(key, "exportable"), 0);
        EVP_PKEY_free(key);
    }
}

static void todata_and_fromdata_give_the_key_back(void **state)
{
    uint8_t iv[16];

    (void)state;
    pattern(iv, sizeof(iv), 73);
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 20, 1), *back;
        OSSL_PARAM *params = NULL;
        uint64_t sequence = 77;

        if (rows[n].iv != 0)
            assert_int_equal(set_one(key, octets_param("iv", iv, rows[n].iv)), 1);
        if (is_kind(&rows[n], "mac"))
            assert_int_equal(set_one(key, OSSL_PARAM_construct_uint64("sequence", &sequence)), 1);
        assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
        back = from_data(params);
        assert_non_null(back);
        assert_int_equal(EVP_PKEY_eq(key, back), 1);
        assert_text(back, "alg", rows[n].alg);
        if (rows[n].iv != 0)
            assert_octets(back, "iv", iv, rows[n].iv);
        if (is_kind(&rows[n], "mac"))
            assert_int_equal(get_number(back, "sequence"), sequence);
        assert_int_equal(get_number(back, "exportable"), 0);
        OSSL_PARAM_free(params);
        EVP_PKEY_free(back);
        EVP_PKEY_free(key);
    }
}

static const struct {
    size_t row;
    struct value value;
    const char *reason;
} bad_settings[] = {
    { AES128, { "iv", OCTETS, NULL, 15 }, "invalid length" },
    { AES128, { "iv", OCTETS, NULL, 17 }, "invalid length" },
    { AES128, { "iv", OCTETS, NULL, 0 }, "invalid length" },
    { AES128, { "iv", TEXT, "0123456789abcdef", 0 }, "invalid parameter" },
    { DES3, { "iv", OCTETS, NULL, 7 }, "invalid length" },
    { DES3, { "iv", OCTETS, NULL, 16 }, "invalid length" },
    { RC4_128, { "iv", OCTETS, NULL, 8 }, "wrong kind of key" },
    { SHA1_MAC, { "iv", OCTETS, NULL, 8 }, "wrong kind of key" },
    { MASTER, { "iv", OCTETS, NULL, 8 }, "wrong kind of key" },
    { RC4_40, { "salt", OCTETS, NULL, 10 }, "invalid length" },
    { RC4_40, { "salt", OCTETS, NULL, 12 }, "invalid length" },
    { RC4_40, { "salt", OCTETS, NULL, 0 }, "invalid length" },
    { RC4_40, { "salt", TEXT, "01234567890", 0 }, "invalid parameter" },
    { RC4_128, { "salt", OCTETS, NULL, 11 }, "wrong kind of key" },
    { AES128, { "salt", OCTETS, NULL, 11 }, "wrong kind of key" },
    { SHA1_MAC, { "salt", OCTETS, NULL, 11 }, "wrong kind of key" },
    { MASTER, { "salt", OCTETS, NULL, 11 }, "wrong kind of key" },
    { SHA1_MAC, { "sequence", NEGATIVE, NULL, 1 }, "invalid parameter" },
    { SHA1_MAC, { "sequence", TEXT, "1", 0 }, "invalid parameter" },
    { SHA1_MAC, { "sequence", OCTETS, NULL, 8 }, "invalid parameter" },
    { AES128, { "sequence", NUMBER, NULL, 1 }, "wrong kind of key" },
    { RC4_40, { "sequence", NUMBER, NULL, 1 }, "wrong kind of key" },
    { MASTER, { "sequence", NUMBER, NULL, 1 }, "wrong kind of key" },
    { AES128, { "highest-version", NUMBER, NULL, 0x301 }, "wrong kind of key" },
    { SHA1_MAC, { "highest-version", NUMBER, NULL, 0x301 }, "wrong kind of key" },
    { AES128, { "exportable", NUMBER, NULL, 2 }, "invalid parameter" },
    { SHA1_MAC, { "exportable", TEXT, "0", 0 }, "invalid parameter" },
    { AES128, { "retire", NUMBER, NULL, 2 }, "invalid parameter" },
    { MASTER, { "retire", TEXT, "1", 0 }, "invalid parameter" },
    { AES128, { "client-random", OCTETS, NULL, 32 }, "wrong kind of key" },
    { RC4_40, { "cipher", TEXT, "RC4", 0 }, "wrong kind of key" },
    { SHA1_MAC, { "digest", TEXT, "MD5", 0 }, "wrong kind of key" },
    { SHA1_MAC, { "mac-bits", NUMBER, NULL, 160 }, "wrong kind of key" },
    { MASTER, { "client-random", OCTETS, NULL, 0 }, "invalid length" },
    { MASTER, { "server-random", OCTETS, NULL, 65 }, "invalid length" },
    { MASTER, { "server-random", TEXT, "x", 0 }, "invalid parameter" },
    { MASTER, { "cipher", TEXT, "IDEA", 0 }, "unknown algorithm" },
    { MASTER, { "digest", TEXT, "SHA256", 0 }, "unknown algorithm" },
    { MASTER, { "cipher-bits", NUMBER, NULL, 0 }, "invalid parameter" },
    { MASTER, { "mac-bits", TEXT, "160", 0 }, "invalid parameter" },
    { MASTER, { "export", NUMBER, NULL, 2 }, "invalid parameter" },
    { MASTER, { "relaxed-randoms", NEGATIVE, NULL, 1 }, "invalid parameter" },
    { MASTER, { "seal-key", TEXT, "nowhere", 0 }, "invalid parameter" },
};

/* What could be set with it, and must not be. */
static void list_good_settings(struct list *list, const struct row *row)
{
    static const uint8_t bytes[32] = "good, but in bad company";

    if (row->iv != 0)
        list_add(list, octets_param("iv", bytes, row->iv));
    if (strcmp(row->alg, "RC4") == 0 && row->size == 5)
        list_add(list, octets_param("salt", bytes, SALT_SIZE));
    if (is_kind(row, "mac"))
        list_add(list, OSSL_PARAM_construct_int("sequence", &yes));
    if (is_kind(row, "master"))
        list_add(list, octets_param("client-random", bytes, sizeof(bytes)));
    list_add(list, flag_param("exportable", 0));
    list_add(list, flag_param("retire", 1));
}

static void a_refused_setting_changes_nothing_and_nothing_set_with_it(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(bad_settings); n++) {
        const struct row *row = &rows[bad_settings[n].row];
        const char *name = bad_settings[n].value.name;
        EVP_PKEY *key = import(row, 21, 1);
        uint8_t before[PRINT_SIZE], out[TEXT_SIZE];

        if (is_kind(row, "cipher"))
            encrypt_zeros(key, row->alg, out, 32);
        print_key(row, key, before);
        for (int order = 0; order < 3; order++) {
            struct list list = { .count = 0 };
            unsigned number;
            int negative;

            if (order == 1)
                list_good_settings(&list, row);
            list_add(&list, value_param(&bad_settings[n].value, &number, &negative));
            if (order == 2)
                list_good_settings(&list, row);
            assert_int_equal(EVP_PKEY_set_params(key, list.params), 0);
            assert_reason(bad_settings[n].reason, name);
            assert_prints_equal(row, key, before);
        }
        EVP_PKEY_free(key);
    }
    print_message("%zu bad settings\n", COUNT(bad_settings));
}

static void nothing_asked_and_nothing_set_is_no_error(void **state)
{
    const OSSL_PARAM nothing[] = { OSSL_PARAM_construct_end() };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 21, 1);
        uint8_t before[PRINT_SIZE];

        print_key(&rows[n], key, before);
        assert_int_equal(EVP_PKEY_set_params(key, (OSSL_PARAM *)(uintptr_t)nothing), 1);
        assert_int_equal(EVP_PKEY_get_params(key, NULL), 1);
        assert_prints_equal(&rows[n], key, before);
        EVP_PKEY_free(key);
    }
    assert_no_errors();
}

static void a_sequence_cannot_change_inside_a_message(void **state)
{
    EVP_PKEY *key = import(&rows[SHA1_MAC], 22, 0);
    EVP_MAC_CTX *mac = bind_mac(key);
    const OSSL_PARAM one[] = { flag_param("sequence", 1), OSSL_PARAM_construct_end() };
    uint8_t out[20];
    size_t size;

    (void)state;
    assert_int_equal(EVP_MAC_update(mac, (const uint8_t *)"half", 4), 1);
    assert_int_equal(set_one(key, flag_param("sequence", 1)), 0);
    assert_reason("invalid parameter", "sequence");
    assert_null(generate(key, one)); /* nor that of a copy */
    assert_reason("invalid parameter", "sequence");
    assert_int_equal(EVP_MAC_final(mac, out, &size, sizeof(out)), 1);
    assert_int_equal(get_number(key, "sequence"), 0);
    assert_int_equal(set_one(key, flag_param("sequence", 1)), 1);
    EVP_MAC_CTX_free(mac);
    EVP_PKEY_free(key);
}

/* ---- duplicates and comparison ---- */

static void a_duplicate_goes_on_independently(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 23, 1), *copy;
        uint8_t before[PRINT_SIZE], first[TEXT_SIZE], second[TEXT_SIZE];
        EVP_MAC_CTX *mac = NULL;

        if (is_kind(&rows[n], "cipher"))
            encrypt_zeros(key, rows[n].alg, first, 48);
        if (is_kind(&rows[n], "mac")) {
            mac = bind_mac(key);
            assert_int_equal(EVP_MAC_update(mac, (const uint8_t *)"half", 4), 1);
        }
        print_key(&rows[n], key, before);
        copy = EVP_PKEY_dup(key);
        assert_non_null(copy);
        assert_prints_equal(&rows[n], copy, before);
        /* the original moves on */
        if (mac != NULL)
            assert_int_equal(EVP_MAC_update(mac, (const uint8_t *)"more", 4), 1);
        else if (is_kind(&rows[n], "cipher"))
            encrypt_zeros(key, rows[n].alg, first, 64);
        assert_int_equal(set_one(key, flag_param("exportable", 0)), 1);
        assert_prints_equal(&rows[n], copy, before);
        EVP_MAC_CTX_free(mac);
        assert_int_equal(set_one(key, flag_param("retire", 1)), 1);
        EVP_PKEY_free(key);
        if (is_kind(&rows[n], "cipher")) {
            encrypt_zeros(copy, rows[n].alg, second, 64);
            assert_memory_equal(first, second, 64);
        } else {
            assert_prints_equal(&rows[n], copy, before);
        }
        EVP_PKEY_free(copy);
    }
}

static void keys_are_equal_by_algorithm_and_secret_alone(void **state)
{
    EVP_PKEY *keys[2 * COUNT(rows)];

    (void)state;
    for (size_t n = 0; n < COUNT(keys); n++)
        keys[n] = import(&rows[n % COUNT(rows)], n < COUNT(rows) ? 24 : 25, 0);
    for (size_t n = 0; n < COUNT(keys); n++) {
        for (size_t i = 0; i < COUNT(keys); i++)
            assert_int_equal(EVP_PKEY_eq(keys[n], keys[i]) == 1, n == i);
    }
    for (size_t n = 0; n < COUNT(keys); n++) {
        const struct row *row = &rows[n % COUNT(rows)];
        EVP_PKEY *same = import(row, n < COUNT(rows) ? 24 : 25, 1);
        uint8_t out[TEXT_SIZE];

        assert_int_equal(EVP_PKEY_eq(keys[n], same), 1);
        if (is_kind(row, "cipher"))
            encrypt_zeros(same, row->alg, out, 32);
        if (is_kind(row, "mac"))
            assert_int_equal(set_one(same, flag_param("sequence", 1)), 1);
        assert_int_equal(EVP_PKEY_eq(keys[n], same), 1);
        assert_int_equal(EVP_PKEY_eq(same, keys[n]), 1);
        EVP_PKEY_free(same);
    }
    for (size_t n = 0; n < COUNT(keys); n++)
        EVP_PKEY_free(keys[n]);
    ERR_clear_error();
}

static void parameters_are_equal_by_algorithm_alone(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            EVP_PKEY *one = import(&rows[n], 24, 0), *other = import(&rows[i], 25, 0);

            assert_int_equal(EVP_PKEY_parameters_eq(one, other) == 1,
                             strcmp(rows[n].alg, rows[i].alg) == 0);
            EVP_PKEY_free(one);
            EVP_PKEY_free(other);
        }
    }
    ERR_clear_error();
}

static void a_key_that_differs_in_one_bit_is_not_equal(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 26, 0);
        uint8_t secret[MAX_SECRET];

        make_secret(secret, &rows[n], 26);
        for (size_t byte = 0; byte < rows[n].size; byte++) {
            struct list list = describe(&rows[n], 0);
            EVP_PKEY *other;

            secret[byte] ^= 0x10;
            list_add(&list, octets_param("secret", secret, rows[n].size));
            other = from_data(list.params);
            assert_non_null(other);
            assert_int_equal(EVP_PKEY_eq(key, other), 0);
            EVP_PKEY_free(other);
            secret[byte] ^= 0x10;
        }
        EVP_PKEY_free(key);
    }
    ERR_clear_error();
}

static void a_premaster_is_not_the_master_secret_of_the_same_bytes(void **state)
{
    uint8_t secret[MASTER_SIZE];
    EVP_PKEY *master = import(&rows[MASTER], 27, 0), *premaster;

    (void)state;
    make_secret(secret, &rows[MASTER], 27);
    premaster = from_data((OSSL_PARAM[]){ text_param("alg", "TLS1-MASTER"),
                                          octets_param("premaster", secret, sizeof(secret)),
                                          OSSL_PARAM_construct_end() });
    assert_non_null(premaster);
    assert_int_equal(EVP_PKEY_eq(master, premaster), 0);
    EVP_PKEY_free(master);
    EVP_PKEY_free(premaster);
    ERR_clear_error();
}

/* ---- retirement ---- */

static int has_line(const char *path, const char *part)
{
    FILE *file = fopen(path, "r");
    char line[1024];
    int found = 0;

    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL)
        found |= strstr(line, part) != NULL;
    fclose(file);
    return found;
}

/* In a library context whose provider writes diagnostics, at first without random numbers. */
static void diagnostics_tell_where_a_mac_key_stands_until_it_is_retired(void **state)
{
    OSSL_LIB_CTX *others = libctx;
    OSSL_PROVIDER *provider, *standard;
    EVP_MAC_CTX *mac;
    EVP_PKEY *key;
    char path[96], text[200], id[32];

    (void)state;
    snprintf(path, sizeof(path), "%s/trace.log", directory);
    assert_int_equal(setenv("SCHANNEL_TRACE", path, 1), 0);
    assert_non_null(libctx = OSSL_LIB_CTX_new());
    assert_int_equal(OSSL_PROVIDER_set_default_search_path(libctx, MODULE_DIR), 1);
    assert_non_null(provider = OSSL_PROVIDER_load(libctx, "schannel"));
    assert_int_equal(unsetenv("SCHANNEL_TRACE"), 0);
    EVP_PKEY_free(import(&rows[SHA1_MAC], 26, 0));
    assert_non_null(standard = OSSL_PROVIDER_load(libctx, "default"));
    key = import(&rows[SHA1_MAC], 26, 0);
    get_id(key, id);
    mac = bind_mac(key);
    assert_int_equal(EVP_MAC_update(mac, (const uint8_t *)"half", 4), 1);
    assert_int_equal(set_one(key, flag_param("retire", 1)), 1);
    EVP_MAC_CTX_free(mac);
    EVP_PKEY_free(key);
    OSSL_PROVIDER_unload(provider);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(libctx);
    libctx = others;
    ERR_clear_error();
    assert_true(has_line(path, "key without id TLS1-MAC, sequence 0, 0 bytes absorbed: made: "));
    snprintf(text, sizeof(text), "key %s TLS1-MAC, sequence 0, 4 bytes absorbed: retired", id);
    assert_true(has_line(path, text));
    snprintf(text, sizeof(text), "key %s TLS1-MAC: freed", id);
    assert_true(has_line(path, text));
    unlink(path);
}

static void assert_retired(int refused)
{
    assert_true(refused);
    assert_reason("key has been retired", "");
}

static void check_parameters_retired(EVP_PKEY *key)
{
    static const char *const names[] = {
        "alg",        "kind",        "bits",          "usage",         "iv",         "salt",
        "sequence",   "digest",      "client-random", "server-random", "exportable", "key-id",
        "key-handle", "opaque-blob", "security-bits", "max-size"
    };
    static const char *const settings[] = { "iv",         "salt",   "sequence",
                                            "exportable", "digest", "client-random" };
    uint8_t buffer[MAX_BLOB];

    for (size_t n = 0; n < COUNT(names); n++) {
        for (unsigned type = OSSL_PARAM_INTEGER; type <= OSSL_PARAM_OCTET_STRING; type++) {
            OSSL_PARAM params[] = { { names[n], type, buffer, type < 3 ? 8 : sizeof(buffer), 0 },
                                    OSSL_PARAM_construct_end() };

            if (type != OSSL_PARAM_REAL)
                assert_retired(EVP_PKEY_get_params(key, params) == 0);
        }
    }
    for (size_t n = 0; n < COUNT(settings); n++)
        assert_retired(set_one(key, octets_param(settings[n], buffer, 16)) == 0);
}

static void check_operations_retired(EVP_PKEY *key, const struct row *row)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    EVP_PKEY *made = NULL, *twin = import(row, 28, 1);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    OSSL_ENCODER_CTX *encoder;
    OSSL_PARAM *params = NULL;
    unsigned char *data = NULL;
    size_t size = 0;

    assert_retired(EVP_PKEY_dup(key) == NULL);
    assert_retired(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params) == 0);
    assert_int_not_equal(EVP_PKEY_eq(key, twin), 1);
    ERR_clear_error();
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_retired(EVP_PKEY_generate(context, &made) <= 0);
    if (is_kind(row, "cipher")) {
        assert_retired(EVP_PKEY_encrypt_init(context) <= 0);
        assert_retired(EVP_PKEY_decrypt_init(context) <= 0);
    }
    if (is_kind(row, "mac")) {
        assert_retired(EVP_DigestSignInit_ex(md, NULL, row->digest, libctx, NULL, key, NULL) <= 0);
        /* libcrypto asks the key for a digest first, which is no second reason */
        assert_retired(EVP_DigestSignInit_ex(md, NULL, NULL, libctx, NULL, key, NULL) <= 0);
    }
    encoder = OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "PEM", NULL, NULL);
    assert_non_null(encoder);
    assert_retired(OSSL_ENCODER_to_data(encoder, &data, &size) == 0);
    OSSL_ENCODER_CTX_free(encoder);
    encoder = OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "TEXT", NULL, NULL);
    assert_non_null(encoder);
    assert_retired(OSSL_ENCODER_to_data(encoder, &data, &size) == 0);
    OSSL_ENCODER_CTX_free(encoder);
    EVP_MD_CTX_free(md);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(twin);
}

static void a_retired_key_refuses_everything_to_every_holder(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 28, 1), *copy = EVP_PKEY_dup(key);
        uint8_t print[PRINT_SIZE];

        print_key(&rows[n], copy, print);
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
        assert_int_equal(set_one(key, flag_param("retire", 0)), 1);
        assert_int_equal(get_number(key, "exportable"), 1);
        assert_int_equal(set_one(key, flag_param("retire", 1)), 1);
        assert_no_errors();
        check_parameters_retired(key);
        check_operations_retired(key, &rows[n]);
        /* once more: it is destroyed, or it says that it was */
        if (set_one(key, flag_param("retire", 1)) != 1)
            assert_reason("key has been retired", "");
        assert_no_errors();
        EVP_PKEY_free(key);
        check_parameters_retired(key);
        EVP_PKEY_free(key);
        assert_prints_equal(&rows[n], copy, print);
        EVP_PKEY_free(copy);
    }
}

static void contexts_bound_to_a_retired_cipher_key_refuse(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key;
        EVP_CIPHER_CTX *context, *other;
        uint8_t handle[KEY_HANDLE_SIZE], out[64] = { 0 }, text[32] = { 0 };
        OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                              OSSL_PARAM_construct_end() };
        int written = 0;

        if (!is_kind(&rows[n], "cipher"))
            continue;
        key = import(&rows[n], 29, 0);
        get_handle(key, handle);
        context = bind_cipher(key, rows[n].alg);
        assert_int_equal(EVP_EncryptUpdate(context, out, &written, text, 32), 1);
        assert_int_equal(set_one(key, flag_param("retire", 1)), 1);
        memset(out, 0xa5, sizeof(out));
        assert_retired(EVP_EncryptUpdate(context, out, &written, text, 32) == 0);
        for (size_t i = 0; i < sizeof(out); i++)
            assert_int_equal(out[i], 0xa5);
        assert_retired(EVP_EncryptFinal_ex(context, out, &written) == 0);
        other = EVP_CIPHER_CTX_new();
        assert_retired(EVP_CIPHER_CTX_copy(other, context) == 0);
        EVP_CIPHER_CTX_free(other);
        /* the handle still names it, for as long as it is held */
        other = EVP_CIPHER_CTX_new();
        assert_retired(
            EVP_EncryptInit_ex2(other, EVP_CIPHER_CTX_get0_cipher(context), NULL, NULL, bind) == 0);
        EVP_CIPHER_CTX_free(other);
        EVP_CIPHER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* libcrypto's EVP_MAC_final asks for the size before it finishes: both calls are refused. */
static void assert_only_retired(void)
{
    unsigned long error = ERR_peek_error();

    assert_int_not_equal(error, 0);
    while ((error = ERR_get_error()) != 0)
        assert_string_equal(ERR_reason_error_string(error), "key has been retired");
}

static void contexts_bound_to_a_retired_mac_key_refuse(void **state)
{
    (void)state;
    for (size_t n = MD5_MAC; n <= SHA1_MAC; n++) {
        EVP_PKEY *key = import(&rows[n], 30, 0);
        EVP_MAC_CTX *mac = bind_mac(key);
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        uint8_t out[20];
        size_t size = sizeof(out);

        assert_int_equal(EVP_DigestSignInit_ex(md, NULL, rows[n].digest, libctx, NULL, key, NULL),
                         1);
        assert_int_equal(EVP_DigestSignUpdate(md, "text", 4), 1);
        assert_int_equal(EVP_MAC_update(mac, (const uint8_t *)"text", 4), 1);
        assert_int_equal(set_one(key, flag_param("retire", 1)), 1);
        assert_retired(EVP_MAC_update(mac, (const uint8_t *)"text", 4) == 0);
        assert_int_equal(EVP_MAC_final(mac, out, &size, sizeof(out)), 0);
        assert_only_retired();
        assert_retired(EVP_MAC_CTX_dup(mac) == NULL);
        size = sizeof(out);
        assert_retired(EVP_DigestSignFinal(md, out, &size) == 0);
        EVP_MD_CTX_free(md);
        EVP_MAC_CTX_free(mac);
        EVP_PKEY_free(key);
    }
}

/* ---- derivation from a master ---- */

/* Ciphers that have key objects; the size is that of the final key. */
static const struct suite {
    const char *cipher;
    unsigned bits;
    int is_export;
    size_t size, iv;
} suites[] = {
    { "RC4", 0, 0, 16, 0 },          { "RC4", 40, 0, 5, 0 },
    { "RC4", 56, 0, 7, 0 },          { "RC4", 128, 0, 16, 0 },
    { "RC4", 40, 1, 16, 0 },         { "RC4", 56, 1, 16, 0 },
    { "DES-EDE3-CBC", 0, 0, 24, 8 }, { "DES-EDE3-CBC", 168, 0, 24, 8 },
    { "AES-128-CBC", 0, 0, 16, 16 }, { "AES-256-CBC", 0, 0, 32, 16 },
};

static const char *const digests[] = { "MD5", "SHA1" };
static const char *const usages[] = { "client-write-key", "server-write-key", "client-write-mac",
                                      "server-write-mac" };

/* Everything that a connection's keys hang on. */
struct connection {
    const struct suite *suite;
    const char *digest;
    uint8_t master[MASTER_SIZE], client[RANDOM_SIZE], server[RANDOM_SIZE];
};

static void make_connection(struct connection *c, size_t suite, size_t digest, unsigned seed)
{
    c->suite = &suites[suite];
    c->digest = digests[digest];
    pattern(c->master, sizeof(c->master), seed);
    pattern(c->client, sizeof(c->client), seed + 80);
    pattern(c->server, sizeof(c->server), seed + 160);
}

/* Randoms and algorithms, as a master or a derivation takes them; borrows from |c|. */
static void list_connection(struct list *list, const struct connection *c)
{
    list_add(list, octets_param("client-random", c->client, RANDOM_SIZE));
    list_add(list, octets_param("server-random", c->server, RANDOM_SIZE));
    list_add(list, text_param("cipher", c->suite->cipher));
    if (c->suite->bits != 0)
        list_add(list, number_param("cipher-bits", &c->suite->bits));
    list_add(list, flag_param("export", c->suite->is_export));
    list_add(list, text_param("digest", c->digest));
}

static struct list derivation(const char *usage)
{
    struct list list = { .count = 0 };

    list_add(&list, text_param("usage", usage));
    list_add(&list, flag_param("exportable", 1));
    return list;
}

static EVP_PKEY *import_master(const struct connection *c, const char *secret_name)
{
    struct list list = { .count = 0 };
    EVP_PKEY *key;

    list_add(&list, text_param("alg", SCHANNEL_ALG_TLS1_MASTER));
    list_add(&list, octets_param(secret_name, c->master, MASTER_SIZE));
    list_connection(&list, c);
    key = from_data(list.params);
    assert_non_null(key);
    return key;
}

/* The same derivation by TLS1-KDF, which evp/kdf compares with OpenSSL's TLS1-PRF. */
static void kdf_by(const char *secret_name, const struct connection *c, const char *usage,
                   uint8_t *out, size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, SCHANNEL_KDF_TLS1, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    struct list list = { .count = 0 };

    list_connection(&list, c);
    list_add(&list, text_param("usage", usage));
    list_add(&list, octets_param(secret_name, c->master, MASTER_SIZE));
    assert_int_equal(EVP_KDF_derive(context, out, size, list.params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static size_t expected_key(const struct connection *c, const char *usage, uint8_t *out)
{
    size_t size = c->suite->size;

    if (strstr(usage, "mac") != NULL)
        size = strcmp(c->digest, "MD5") == 0 ? 16 : 20;
    kdf_by("secret", c, usage, out, size);
    return size;
}

/* |key| is what |c| gives for |usage|, and says so. */
static void check_derived(const struct connection *c, const char *usage, EVP_PKEY *key)
{
    uint8_t expected[MAX_SECRET], iv[16];
    size_t size = expected_key(c, usage, expected);

    assert_non_null(key);
    assert_bytes(key, expected, size);
    assert_text(key, "usage", usage);
    assert_int_equal(get_number(key, "bits"), 8 * size);
    if (strstr(usage, "mac") != NULL) {
        assert_text(key, "alg", "TLS1-MAC");
        assert_text(key, "kind", "mac");
        assert_text(key, "digest", c->digest);
        assert_int_equal(get_number(key, "sequence"), 0);
    } else {
        assert_text(key, "alg", c->suite->cipher);
        assert_text(key, "kind", "cipher");
        assert_int_equal(get_octets(key, "salt", iv, sizeof(iv)), 0);
    }
    if (strstr(usage, "mac") == NULL && c->suite->iv != 0) {
        kdf_by("secret", c, usage[0] == 'c' ? "client-write-iv" : "server-write-iv", iv,
               c->suite->iv);
        assert_octets(key, "iv", iv, c->suite->iv);
    }
    assert_no_errors();
}

static void for_each_derivation(void (*check)(const struct connection *, const char *usage))
{
    struct connection c;
    size_t count = 0;

    for (size_t s = 0; s < COUNT(suites); s++) {
        for (size_t d = 0; d < COUNT(digests); d++) {
            make_connection(&c, s, d, (unsigned)(3 * s + d));
            for (size_t u = 0; u < COUNT(usages); u++, count++)
                check(&c, usages[u]);
        }
    }
    print_message("%zu derivations\n", count);
}

static void check_derivation_from_master(const struct connection *c, const char *usage)
{
    EVP_PKEY *master = import_master(c, "secret"), *key;
    struct list list = derivation(usage);

    key = generate(master, list.params);
    check_derived(c, usage, key);
    EVP_PKEY_free(key);
    /* not exportable unless asked for */
    list.params[1] = OSSL_PARAM_construct_end();
    key = generate(master, list.params);
    assert_non_null(key);
    assert_int_equal(get_number(key, "exportable"), 0);
    EVP_PKEY_free(key);
    EVP_PKEY_free(master);
}

static void every_key_derived_from_a_master_is_that_of_the_kdf(void **state)
{
    (void)state;
    for_each_derivation(check_derivation_from_master);
}

/* The master has other randoms and algorithms; this derivation's own win, and the master stays. */
static void check_overriding(const struct connection *c, const char *usage)
{
    struct connection own;
    EVP_PKEY *master, *key;
    struct list list = derivation(usage);
    uint8_t before[PRINT_SIZE];

    make_connection(&own, 8, strcmp(c->digest, "MD5") == 0 ? 1 : 0, 33);
    memcpy(own.master, c->master, MASTER_SIZE);
    master = import_master(&own, "secret");
    print_key(&rows[MASTER], master, before);
    list_connection(&list, c);
    key = generate(master, list.params);
    check_derived(c, usage, key);
    EVP_PKEY_free(key);
    assert_prints_equal(&rows[MASTER], master, before);
    list = derivation(usage);
    key = generate(master, list.params);
    check_derived(&own, usage, key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(master);
}

static void what_a_derivation_says_overrides_the_master_and_leaves_it_alone(void **state)
{
    (void)state;
    for_each_derivation(check_overriding);
}

static void check_set_on_master(const struct connection *c, const char *usage)
{
    EVP_PKEY *master, *key;
    struct list list = { .count = 0 };

    master = from_data((OSSL_PARAM[]){ text_param("alg", SCHANNEL_ALG_TLS1_MASTER),
                                       octets_param("secret", c->master, MASTER_SIZE),
                                       OSSL_PARAM_construct_end() });
    list_connection(&list, c);
    assert_int_equal(EVP_PKEY_set_params(master, list.params), 1);
    list = derivation(usage);
    key = generate(master, list.params);
    check_derived(c, usage, key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(master);
}

static void randoms_and_algorithms_can_be_set_on_the_master_afterwards(void **state)
{
    (void)state;
    for_each_derivation(check_set_on_master);
}

/* Twice with the randoms of the master, then twice with those of a resumed session. */
static void one_context_derives_all_keys_of_a_connection(void **state)
{
    struct connection c, resumed;
    EVP_PKEY *master, *key;
    EVP_PKEY_CTX *context;
    struct list list;

    (void)state;
    make_connection(&c, 9, 1, 34);
    make_connection(&resumed, 9, 1, 35);
    memcpy(resumed.master, c.master, MASTER_SIZE);
    master = import_master(&c, "secret");
    context = new_generation(master, NULL);
    for (size_t n = 0; n < 4 * COUNT(usages); n++) {
        const struct connection *now = n < 8 ? &c : &resumed;

        list = derivation(usages[n % COUNT(usages)]);
        if (n == 8)
            list_connection(&list, &resumed);
        assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 1);
        key = generate_once(context);
        check_derived(now, usages[n % COUNT(usages)], key);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

/* The first generation takes the copy: before it the master still counts, after it no more. */
static void the_first_generation_takes_the_copy_of_the_master(void **state)
{
    struct connection c, changed;
    EVP_PKEY *master, *key;
    EVP_PKEY_CTX *early, *late;
    struct list list = derivation("server-write-key"), set = { .count = 0 };

    (void)state;
    make_connection(&c, 8, 1, 36);
    make_connection(&changed, 9, 0, 37);
    memcpy(changed.master, c.master, MASTER_SIZE);
    master = import_master(&c, "secret");
    early = new_generation(master, list.params);
    late = new_generation(master, list.params);
    key = generate_once(early);
    check_derived(&c, "server-write-key", key);
    EVP_PKEY_free(key);

    list_connection(&set, &changed);
    assert_int_equal(EVP_PKEY_set_params(master, set.params), 1);
    key = generate_once(late);
    check_derived(&changed, "server-write-key", key);
    EVP_PKEY_free(key);
    key = generate_once(early);
    check_derived(&c, "server-write-key", key);
    EVP_PKEY_free(key);

    assert_int_equal(set_one(master, flag_param("retire", 1)), 1);
    EVP_PKEY_free(master);
    key = generate_once(late);
    check_derived(&changed, "server-write-key", key);
    EVP_PKEY_free(key);
    key = generate_once(early);
    check_derived(&c, "server-write-key", key);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(early);
    EVP_PKEY_CTX_free(late);
}

static void a_retired_master_derives_nothing_in_a_context_that_has_no_copy(void **state)
{
    struct connection c;
    struct list list = derivation("server-write-key");
    EVP_PKEY *master;
    EVP_PKEY_CTX *context;

    (void)state;
    make_connection(&c, 8, 1, 38);
    master = import_master(&c, "secret");
    context = new_generation(master, list.params);
    assert_int_equal(set_one(master, flag_param("retire", 1)), 1);
    assert_null(generate_once(context));
    assert_reason("key has been retired", "");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

static void a_premaster_is_converted_once_with_the_first_derivations_randoms(void **state)
{
    struct connection c, later;
    EVP_PKEY *master, *key;
    struct list list;
    uint8_t bytes[MAX_SECRET];

    (void)state;
    make_connection(&c, 9, 1, 39);
    master = import_master(&c, "premaster");
    assert_int_equal(set_one(master, flag_param("exportable", 0)), 1);
    /* from now on |c.master| is the master secret */
    kdf_by("premaster", &c, "master-secret", bytes, MASTER_SIZE);
    memcpy(c.master, bytes, MASTER_SIZE);
    for (size_t n = 0; n < COUNT(usages); n++) {
        list = derivation(usages[n]);
        key = generate(master, list.params);
        check_derived(&c, usages[n], key);
        EVP_PKEY_free(key);
    }
    /* other randoms make other keys of the same master secret */
    make_connection(&later, 8, 0, 40);
    memcpy(later.master, c.master, MASTER_SIZE);
    for (size_t n = 0; n < COUNT(usages); n++) {
        list = derivation(usages[n]);
        list_connection(&list, &later);
        key = generate(master, list.params);
        check_derived(&later, usages[n], key);
        EVP_PKEY_free(key);
    }
    EVP_PKEY_free(master);
}

/* Not those of the master, when the first derivation has its own. */
static void the_randoms_of_a_conversion_are_those_given_to_the_derivation(void **state)
{
    struct connection c, first;
    EVP_PKEY *master, *key;
    struct list list;
    uint8_t bytes[MAX_SECRET];

    (void)state;
    make_connection(&c, 9, 1, 41);
    make_connection(&first, 8, 0, 42);
    memcpy(first.master, c.master, MASTER_SIZE);
    master = import_master(&c, "premaster");
    kdf_by("premaster", &first, "master-secret", bytes, MASTER_SIZE);
    memcpy(first.master, bytes, MASTER_SIZE);
    memcpy(c.master, bytes, MASTER_SIZE);
    list = derivation("client-write-key");
    list_connection(&list, &first);
    key = generate(master, list.params);
    check_derived(&first, "client-write-key", key);
    EVP_PKEY_free(key);
    list = derivation("client-write-key");
    key = generate(master, list.params);
    check_derived(&c, "client-write-key", key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(master);
}

static void a_premaster_may_have_any_length(void **state)
{
    static const size_t sizes[] = { 1, 2, 20, 47, 48, 49, 64, 128, 129, 256, 1024 };
    uint8_t premaster[1024];

    (void)state;
    pattern(premaster, sizeof(premaster), 79);
    for (size_t n = 0; n < COUNT(sizes); n++) {
        struct list list = { .count = 0 }, wanted = derivation("server-write-key");
        uint8_t expected[MAX_SECRET];
        struct connection c;
        EVP_PKEY *master, *key;
        EVP_KDF *kdf = EVP_KDF_fetch(libctx, SCHANNEL_KDF_TLS1, NULL);
        EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

        make_connection(&c, 9, 1, 59);
        list_connection(&list, &c);
        list_add(&list, octets_param("premaster", premaster, sizes[n]));
        list_add(&list, text_param("usage", "server-write-key"));
        assert_int_equal(EVP_KDF_derive(context, expected, c.suite->size, list.params), 1);
        list_drop(&list, "usage");
        list_add(&list, text_param("alg", SCHANNEL_ALG_TLS1_MASTER));
        master = from_data(list.params);
        key = generate(master, wanted.params);
        assert_non_null(key);
        assert_bytes(key, expected, c.suite->size);
        EVP_PKEY_free(key);
        EVP_PKEY_free(master);
        EVP_KDF_CTX_free(context);
        EVP_KDF_free(kdf);
    }
}

static void a_random_master_derives_the_same_for_all_contexts(void **state)
{
    struct connection c;
    struct list list = describe(&rows[MASTER], 1);
    EVP_PKEY *master, *key;

    (void)state;
    make_connection(&c, 9, 1, 43);
    list_connection(&list, &c);
    master = generate(NULL, list.params);
    assert_int_equal(key_bytes(master, "premaster", c.master, MASTER_SIZE), MASTER_SIZE);
    kdf_by("premaster", &c, "master-secret", c.master, MASTER_SIZE);
    for (size_t n = 0; n < COUNT(usages); n++) {
        list = derivation(usages[n]);
        key = generate(master, list.params);
        check_derived(&c, usages[n], key);
        EVP_PKEY_free(key);
    }
    assert_bytes(master, c.master, MASTER_SIZE);
    EVP_PKEY_free(master);
}

static void iv_and_sequence_can_be_given_to_a_derivation(void **state)
{
    struct connection c;
    struct list list = derivation("server-write-key");
    uint8_t iv[16];
    uint64_t sequence = 0x123456789a;
    EVP_PKEY *master, *key;

    (void)state;
    pattern(iv, sizeof(iv), 78);
    make_connection(&c, 9, 1, 44);
    master = import_master(&c, "secret");
    list_add(&list, octets_param("iv", iv, sizeof(iv)));
    key = generate(master, list.params);
    assert_octets(key, "iv", iv, sizeof(iv));
    EVP_PKEY_free(key);
    list = derivation("server-write-mac");
    list_add(&list, OSSL_PARAM_construct_uint64("sequence", &sequence));
    key = generate(master, list.params);
    assert_int_equal(get_number(key, "sequence"), sequence);
    EVP_PKEY_free(key);
    EVP_PKEY_free(master);
}

static const struct {
    const char *usage, *missing, *reason, *detail;
    struct value value;
} bad_derivations[] = {
    { NULL, NULL, "missing parameter", "usage", { 0 } },
    { "server-write-key", "client-random", "missing parameter", "client-random", { 0 } },
    { "server-write-key", "server-random", "missing parameter", "server-random", { 0 } },
    { "server-write-key", "cipher", "missing parameter", "cipher", { 0 } },
    { "server-write-key", "digest", "missing parameter", "digest", { 0 } },
    { "server-write-mac", "client-random", "missing parameter", "client-random", { 0 } },
    { "client-write-mac", "digest", "missing parameter", "digest", { 0 } },
    { "server-write-key", NULL, "conflicting parameters", "alg", { "alg", TEXT, "RC4", 0 } },
    { "server-write-key", NULL, "conflicting parameters", "bits", { "bits", NUMBER, NULL, 128 } },
    { "server-write-key",
      NULL,
      "conflicting parameters",
      "secret",
      { "secret", OCTETS, NULL, 16 } },
    { "server-write-mac",
      NULL,
      "conflicting parameters",
      "premaster",
      { "premaster", OCTETS, NULL, 48 } },
    { "server-write-key",
      NULL,
      "conflicting parameters",
      "salt-mode",
      { "salt-mode", TEXT, "zero", 0 } },
    { "server-write-mac", NULL, "conflicting parameters", "iv", { "iv", OCTETS, NULL, 16 } },
    { "server-write-key",
      NULL,
      "conflicting parameters",
      "sequence",
      { "sequence", NUMBER, NULL, 1 } },
    { "server-write-key", NULL, "invalid length", "iv", { "iv", OCTETS, NULL, 8 } },
    { "server-write-key",
      NULL,
      "invalid length",
      "client-random",
      { "client-random", OCTETS, NULL, 31 } },
    { "server-write-key",
      NULL,
      "invalid length",
      "server-random",
      { "server-random", OCTETS, NULL, 33 } },
    { "server-write-key",
      NULL,
      "invalid parameter",
      "cipher-bits",
      { "cipher-bits", NUMBER, NULL, 40 } },
    { "server-write-key", NULL, "invalid parameter", "for export", { "export", NUMBER, NULL, 1 } },
    { "server-write-mac",
      NULL,
      "invalid parameter",
      "mac-bits",
      { "mac-bits", NUMBER, NULL, 128 } },
    { "client-write-key", NULL, "invalid parameter", "mac-bits", { "mac-bits", NUMBER, NULL, 64 } },
};

static void a_derivation_that_cannot_be_is_refused_and_the_master_stays(void **state)
{
    struct connection c;

    (void)state;
    make_connection(&c, 9, 1, 45);
    for (size_t n = 0; n < COUNT(bad_derivations); n++) {
        struct list list = { .count = 0 }, good = derivation("server-write-key");
        uint8_t before[PRINT_SIZE];
        EVP_PKEY *master, *key;
        EVP_PKEY_CTX *context;
        unsigned number;
        int negative;

        list_add(&list, text_param("alg", SCHANNEL_ALG_TLS1_MASTER));
        list_add(&list, octets_param("secret", c.master, MASTER_SIZE));
        list_connection(&list, &c);
        if (bad_derivations[n].missing != NULL)
            list_drop(&list, bad_derivations[n].missing);
        master = from_data(list.params);
        assert_non_null(master);
        print_key(&rows[MASTER], master, before);

        list.count = 0;
        if (bad_derivations[n].usage != NULL)
            list_add(&list, text_param("usage", bad_derivations[n].usage));
        if (bad_derivations[n].value.type != NONE)
            list_add(&list, value_param(&bad_derivations[n].value, &number, &negative));
        context = new_generation(master, list.count != 0 ? list.params : NULL);
        for (int again = 0; again <= 1; again++) {
            assert_null(generate_once(context));
            assert_reason(bad_derivations[n].reason, bad_derivations[n].detail);
        }
        EVP_PKEY_CTX_free(context);
        assert_prints_equal(&rows[MASTER], master, before);
        list_connection(&good, &c);
        key = generate(master, good.params);
        check_derived(&c, "server-write-key", key);
        EVP_PKEY_free(key);
        EVP_PKEY_free(master);
    }
    print_message("%zu bad derivations\n", COUNT(bad_derivations));
}

static void a_usage_that_only_the_kdf_has_is_refused(void **state)
{
    static const char *const wrong[] = { "client-write-iv", "key-block", "master-secret", "prf",
                                         "finished-client", "",          "nonsense" };
    struct connection c;
    struct list list = derivation("client-write-key");
    EVP_PKEY *master, *key;
    EVP_PKEY_CTX *context;

    (void)state;
    make_connection(&c, 9, 1, 46);
    master = import_master(&c, "secret");
    context = new_generation(master, list.params);
    for (size_t n = 0; n < COUNT(wrong); n++) {
        OSSL_PARAM params[] = { text_param("usage", wrong[n]), OSSL_PARAM_construct_end() };

        assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 0);
        assert_reason("unknown usage", "usage");
    }
    key = generate_once(context);
    check_derived(&c, "client-write-key", key);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(master);
}

static void usage_without_a_master_is_refused(void **state)
{
    struct list list = describe(&rows[AES128], 0);

    (void)state;
    list_add(&list, text_param("usage", "client-write-key"));
    assert_null(generate(NULL, list.params));
    assert_reason("conflicting parameters", "usage");
}

static void a_session_key_as_template_gives_duplicates(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key, *copy;
        EVP_PKEY_CTX *context;
        uint8_t before[PRINT_SIZE], out[TEXT_SIZE];
        struct list list = { .count = 0 };

        if (is_kind(&rows[n], "master"))
            continue;
        key = import(&rows[n], 47, 1);
        if (is_kind(&rows[n], "cipher"))
            encrypt_zeros(key, rows[n].alg, out, 32);
        print_key(&rows[n], key, before);
        context = new_generation(key, NULL);
        for (int i = 0; i < 2; i++) {
            copy = generate_once(context);
            assert_non_null(copy);
            assert_int_equal(EVP_PKEY_eq(copy, key), 1);
            assert_prints_equal(&rows[n], copy, before);
            if (is_kind(&rows[n], "cipher"))
                encrypt_zeros(copy, rows[n].alg, out, 32);
            EVP_PKEY_free(copy);
        }
        /* what belongs to a derivation is refused, of the context's copy */
        list_add(&list, text_param("usage", "client-write-key"));
        assert_int_equal(EVP_PKEY_CTX_set_params(context, list.params), 1);
        assert_null(generate_once(context));
        assert_reason("wrong kind of key", "usage");
        list.count = 0;
        EVP_PKEY_CTX_free(context);
        assert_prints_equal(&rows[n], key, before);
        /* and of the key */
        list_add(&list, text_param("usage", "client-write-key"));
        assert_null(generate(key, list.params));
        assert_reason("wrong kind of key", "usage");
        list.count = 0;
        list_add(&list, text_param("cipher", "RC4"));
        assert_null(generate(key, list.params));
        assert_reason("wrong kind of key", "cipher");
        list.count = 0;
        list_add(&list, text_param("alg", "RC4"));
        assert_null(generate(key, list.params));
        assert_reason("conflicting parameters", "alg");
        EVP_PKEY_free(key);
        /* and so is to make a duplicate exportable that the original is not */
        key = import(&rows[n], 47, 0);
        list.count = 0;
        list_add(&list, flag_param("exportable", 1));
        assert_null(generate(key, list.params));
        assert_reason("key is not exportable", "exportable");
        EVP_PKEY_free(key);
    }
}

/* ---- handles ---- */

static void a_handle_is_unique_and_stays(void **state)
{
    uint8_t handles[3 * COUNT(rows)][KEY_HANDLE_SIZE], again[KEY_HANDLE_SIZE];
    EVP_PKEY *keys[3 * COUNT(rows)];

    (void)state;
    for (size_t n = 0; n < COUNT(keys); n++) {
        /* the same bytes again, and duplicates: handles of their own */
        keys[n] = n % 3 == 2 ? EVP_PKEY_dup(keys[n - 1]) : import(&rows[n / 3], 48, 0);
        get_handle(keys[n], handles[n]);
        for (size_t i = 0; i < n; i++)
            assert_memory_not_equal(handles[n], handles[i], KEY_HANDLE_SIZE);
    }
    for (size_t n = 0; n < COUNT(keys); n++) {
        get_handle(keys[n], again);
        assert_memory_equal(again, handles[n], KEY_HANDLE_SIZE);
        EVP_PKEY_free(keys[n]);
    }
}

static int bind_to(const char *alg, const uint8_t *handle, size_t size)
{
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, size), OSSL_PARAM_construct_end() };
    char name[64];
    int ok;

    if (strcmp(alg, "TLS1-MAC") == 0) {
        EVP_MAC *mac = EVP_MAC_fetch(libctx, alg, NULL);
        EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

        ok = EVP_MAC_init(context, NULL, 0, bind);
        EVP_MAC_CTX_free(context);
        EVP_MAC_free(mac);
    } else {
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        EVP_CIPHER *cipher;

        snprintf(name, sizeof(name), "SCHANNEL-%s", alg);
        cipher = EVP_CIPHER_fetch(libctx, name, NULL);
        assert_non_null(cipher);
        ok = EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind);
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_free(cipher);
    }
    return ok;
}

static void a_handle_dies_with_its_key_and_is_never_guessed(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        uint8_t handle[KEY_HANDLE_SIZE + 1] = { 0 };
        EVP_PKEY *key, *second;

        if (is_kind(&rows[n], "master"))
            continue;
        key = import(&rows[n], 49, 0);
        second = key;
        assert_int_equal(EVP_PKEY_up_ref(key), 1);
        get_handle(key, handle);
        assert_int_equal(bind_to(rows[n].alg, handle, KEY_HANDLE_SIZE), 1);
        for (size_t byte = 0; byte < KEY_HANDLE_SIZE; byte++) {
            handle[byte] ^= 1;
            assert_int_equal(bind_to(rows[n].alg, handle, KEY_HANDLE_SIZE), 0);
            assert_reason("unknown key handle", "key-handle");
            handle[byte] ^= 1;
        }
        for (size_t size = 0; size <= KEY_HANDLE_SIZE + 1; size++) {
            if (size == KEY_HANDLE_SIZE)
                continue;
            assert_int_equal(bind_to(rows[n].alg, handle, size), 0);
            assert_reason("invalid length", "key-handle");
        }
        EVP_PKEY_free(key);
        assert_int_equal(bind_to(rows[n].alg, handle, KEY_HANDLE_SIZE), 1);
        EVP_PKEY_free(second);
        assert_int_equal(bind_to(rows[n].alg, handle, KEY_HANDLE_SIZE), 0);
        assert_reason("unknown key handle", "key-handle");
    }
}

static void a_handle_of_another_kind_of_key_is_refused(void **state)
{
    static const char *const algs[] = { "RC4", "DES-EDE3-CBC", "AES-128-CBC", "AES-256-CBC",
                                        "TLS1-MAC" };

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        EVP_PKEY *key = import(&rows[n], 50, 0);
        uint8_t handle[KEY_HANDLE_SIZE], before[PRINT_SIZE];

        print_key(&rows[n], key, before);
        get_handle(key, handle);
        for (size_t i = 0; i < COUNT(algs); i++) {
            int fits = strcmp(algs[i], rows[n].alg) == 0;

            assert_int_equal(bind_to(algs[i], handle, sizeof(handle)), fits);
            if (!fits)
                assert_reason("wrong kind of key", "");
        }
        assert_prints_equal(&rows[n], key, before);
        EVP_PKEY_free(key);
    }
}

/* A context holds the key that it is bound to: the application may let go of its own. */
static void a_bound_context_keeps_the_key_alive(void **state)
{
    uint8_t secret[MAX_SECRET], expected[TEXT_SIZE], actual[TEXT_SIZE], zeros[TEXT_SIZE] = { 0 };
    EVP_PKEY *key = import(&rows[AES128], 51, 0);
    EVP_CIPHER_CTX *context = bind_cipher(key, "AES-128-CBC");
    int written = 0;

    (void)state;
    make_secret(secret, &rows[AES128], 51);
    EVP_PKEY_free(key);
    openssl_encrypt_zeros("AES-128-CBC", secret, 16, NULL, expected, TEXT_SIZE);
    assert_int_equal(EVP_EncryptUpdate(context, actual, &written, zeros, TEXT_SIZE), 1);
    assert_memory_equal(actual, expected, TEXT_SIZE);
    EVP_CIPHER_CTX_free(context);
}

/* ---- threads ---- */

#define THREADS 32
#define ROUNDS  50

/* What a thread sees; CMocka's assertions belong to the main thread, so that this one counts. */
struct worker {
    pthread_t thread;
    EVP_PKEY *master;
    uint8_t client[RANDOM_SIZE], server[RANDOM_SIZE];
    int own_randoms;
    uint8_t first[4][MAX_SECRET];
    size_t failures;
};

static int derive_bytes(EVP_PKEY_CTX *context, uint8_t out[MAX_SECRET])
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;
    void *data = out;
    int ok = EVP_PKEY_generate(context, &key) > 0 &&
             EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params) &&
             (secret = OSSL_PARAM_locate_const(params, "secret")) != NULL &&
             OSSL_PARAM_get_octet_string(secret, &data, MAX_SECRET, NULL);

    OSSL_PARAM_free(params);
    EVP_PKEY_free(key);
    return ok;
}

static int derive_for(const struct worker *worker, const char *usage, uint8_t out[MAX_SECRET])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, worker->master, NULL);
    OSSL_PARAM params[] = {
        text_param("usage", usage),
        OSSL_PARAM_construct_int("exportable", &yes),
        worker->own_randoms ? octets_param("client-random", worker->client, RANDOM_SIZE)
                            : OSSL_PARAM_construct_end(),
        octets_param("server-random", worker->server, RANDOM_SIZE),
        OSSL_PARAM_construct_end(),
    };
    int ok = context != NULL && EVP_PKEY_keygen_init(context) > 0 &&
             EVP_PKEY_CTX_set_params(context, params) > 0 && derive_bytes(context, out);

    EVP_PKEY_CTX_free(context);
    return ok;
}

static void *derive_many(void *argument)
{
    struct worker *worker = argument;

    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t n = 0; n < COUNT(usages); n++) {
            uint8_t out[MAX_SECRET] = { 0 };

            if (!derive_for(worker, usages[n], out))
                worker->failures++;
            if (round == 0)
                memcpy(worker->first[n], out, sizeof(out));
            else if (memcmp(worker->first[n], out, sizeof(out)) != 0)
                worker->failures++;
        }
    }
    return NULL;
}

static void run_workers(struct worker workers[THREADS], EVP_PKEY *master, int own_randoms)
{
    memset(workers, 0, THREADS * sizeof(*workers));
    for (unsigned n = 0; n < THREADS; n++) {
        workers[n].master = master;
        workers[n].own_randoms = own_randoms;
        pattern(workers[n].client, RANDOM_SIZE, n);
        pattern(workers[n].server, RANDOM_SIZE, n + 100);
    }
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&workers[n].thread, NULL, derive_many, &workers[n]), 0);
    for (size_t n = 0; n < THREADS; n++)
        pthread_join(workers[n].thread, NULL);
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(workers[n].failures, 0);
}

static void assert_worker(const struct worker *worker, const struct connection *c)
{
    for (size_t n = 0; n < COUNT(usages); n++) {
        uint8_t expected[MAX_SECRET];
        size_t size = expected_key(c, usages[n], expected);

        assert_memory_equal(worker->first[n], expected, size);
    }
}

static void threads_that_derive_from_one_master_agree_with_the_serial_answer(void **state)
{
    static struct worker workers[THREADS];

    (void)state;
    for (int own_randoms = 0; own_randoms <= 1; own_randoms++) {
        struct connection c;
        EVP_PKEY *master;

        make_connection(&c, 9, 1, 52);
        master = import_master(&c, "secret");
        run_workers(workers, master, own_randoms);
        for (size_t n = 0; n < THREADS; n++) {
            if (own_randoms) {
                memcpy(c.client, workers[n].client, RANDOM_SIZE);
                memcpy(c.server, workers[n].server, RANDOM_SIZE);
            }
            assert_worker(&workers[n], &c);
        }
        EVP_PKEY_free(master);
    }
}

/* Each thread has randoms of its own: whoever comes first makes the master secret, for all. */
static void threads_that_race_for_a_premaster_agree_on_one_master_secret(void **state)
{
    static struct worker workers[THREADS];

    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        uint8_t premaster[MASTER_SIZE], mac[MAX_SECRET];
        struct connection c;
        EVP_PKEY *master;
        size_t winners = 0;

        make_connection(&c, 9, 1, 53 + round);
        memcpy(premaster, c.master, MASTER_SIZE);
        master = import_master(&c, "premaster");
        run_workers(workers, master, 1);
        for (size_t n = 0; n < THREADS; n++) {
            struct connection winner = c, first = c;

            memcpy(winner.client, workers[n].client, RANDOM_SIZE);
            memcpy(winner.server, workers[n].server, RANDOM_SIZE);
            memcpy(winner.master, premaster, MASTER_SIZE);
            kdf_by("premaster", &winner, "master-secret", first.master, MASTER_SIZE);
            memcpy(first.client, workers[0].client, RANDOM_SIZE);
            memcpy(first.server, workers[0].server, RANDOM_SIZE);
            expected_key(&first, usages[2], mac);
            if (memcmp(mac, workers[0].first[2], 20) == 0) {
                winners++;
                memcpy(c.master, first.master, MASTER_SIZE);
            }
        }
        assert_int_equal(winners, 1);
        for (size_t n = 0; n < THREADS; n++) {
            memcpy(c.client, workers[n].client, RANDOM_SIZE);
            memcpy(c.server, workers[n].server, RANDOM_SIZE);
            assert_worker(&workers[n], &c);
        }
        EVP_PKEY_free(master);
    }
}

static atomic_int derived_before;

/* Derives until the master is gone: every key is right, and then there is one reason. */
static void *derive_until_retired(void *argument)
{
    struct worker *worker = argument;
    uint8_t out[MAX_SECRET] = { 0 };

    while (derive_for(worker, usages[3], out)) {
        atomic_fetch_add(&derived_before, 1);
        if (memcmp(out, worker->first[3], 20) != 0)
            worker->failures++;
    }
    if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_NONE ||
        strcmp(ERR_reason_error_string(ERR_peek_error()), "key has been retired") != 0)
        worker->failures++;
    ERR_clear_error();
    return NULL;
}

static void a_master_retired_while_threads_derive_gives_right_keys_or_none(void **state)
{
    static struct worker workers[THREADS];
    struct connection c;
    EVP_PKEY *master;

    (void)state;
    memset(workers, 0, sizeof(workers));
    atomic_store(&derived_before, 0);
    make_connection(&c, 9, 1, 58);
    master = import_master(&c, "secret");
    for (size_t n = 0; n < THREADS; n++) {
        workers[n].master = master;
        workers[n].own_randoms = 1;
        memcpy(workers[n].client, c.client, RANDOM_SIZE);
        memcpy(workers[n].server, c.server, RANDOM_SIZE);
        expected_key(&c, usages[3], workers[n].first[3]);
    }
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(
            pthread_create(&workers[n].thread, NULL, derive_until_retired, &workers[n]), 0);
    while (atomic_load(&derived_before) < 1000)
        sched_yield();
    assert_int_equal(set_one(master, flag_param("retire", 1)), 1);
    for (size_t n = 0; n < THREADS; n++)
        pthread_join(workers[n].thread, NULL);
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(workers[n].failures, 0);
    EVP_PKEY_free(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_bytes_make_a_key_of_every_algorithm_and_size),
        cmocka_unit_test(an_imported_key_runs_like_openssls_own),
        cmocka_unit_test(iv_and_sequence_can_be_given_at_import),
        cmocka_unit_test(the_salt_of_a_40_bit_key_is_none_zero_or_random),
        cmocka_unit_test(random_keys_of_every_size_differ),
        cmocka_unit_test(without_bits_a_random_key_has_its_full_size),
        cmocka_unit_test(random_des_keys_have_odd_parity),
        cmocka_unit_test(one_context_makes_many_random_keys),
        cmocka_unit_test(a_key_that_cannot_be_is_refused_with_one_reason),
        cmocka_unit_test(bits_that_are_those_of_the_secret_are_accepted),
        cmocka_unit_test(a_key_without_algorithm_or_digest_is_refused),
        cmocka_unit_test(a_public_part_cannot_be_imported_or_exported),
        cmocka_unit_test(a_refused_generation_parameter_changes_nothing),
        cmocka_unit_test(sizes_can_be_asked_for_and_small_buffers_are_refused),
        cmocka_unit_test(numbers_are_given_in_every_type_that_they_fit),
        cmocka_unit_test(octets_are_not_given_as_text),
        cmocka_unit_test(a_value_without_data_is_refused),
        cmocka_unit_test(what_a_key_lacks_is_said),
        cmocka_unit_test(a_master_tells_its_randoms_and_digest),
        cmocka_unit_test(the_identifier_stays_and_tells_keys_apart),
        cmocka_unit_test(an_iv_that_is_set_starts_a_new_chain),
        cmocka_unit_test(a_salt_that_is_set_starts_the_stream_again),
        cmocka_unit_test(a_sequence_of_64_bits_can_be_set_in_every_type),
        cmocka_unit_test(exportable_is_off_can_be_cleared_and_never_set_again),
        cmocka_unit_test(todata_and_fromdata_give_the_key_back),
        cmocka_unit_test(a_refused_setting_changes_nothing_and_nothing_set_with_it),
        cmocka_unit_test(nothing_asked_and_nothing_set_is_no_error),
        cmocka_unit_test(a_sequence_cannot_change_inside_a_message),
        cmocka_unit_test(a_duplicate_goes_on_independently),
        cmocka_unit_test(keys_are_equal_by_algorithm_and_secret_alone),
        cmocka_unit_test(parameters_are_equal_by_algorithm_alone),
        cmocka_unit_test(a_key_that_differs_in_one_bit_is_not_equal),
        cmocka_unit_test(a_premaster_is_not_the_master_secret_of_the_same_bytes),
        cmocka_unit_test(diagnostics_tell_where_a_mac_key_stands_until_it_is_retired),
        cmocka_unit_test(a_retired_key_refuses_everything_to_every_holder),
        cmocka_unit_test(contexts_bound_to_a_retired_cipher_key_refuse),
        cmocka_unit_test(contexts_bound_to_a_retired_mac_key_refuse),
        cmocka_unit_test(every_key_derived_from_a_master_is_that_of_the_kdf),
        cmocka_unit_test(what_a_derivation_says_overrides_the_master_and_leaves_it_alone),
        cmocka_unit_test(randoms_and_algorithms_can_be_set_on_the_master_afterwards),
        cmocka_unit_test(one_context_derives_all_keys_of_a_connection),
        cmocka_unit_test(the_first_generation_takes_the_copy_of_the_master),
        cmocka_unit_test(a_retired_master_derives_nothing_in_a_context_that_has_no_copy),
        cmocka_unit_test(a_premaster_is_converted_once_with_the_first_derivations_randoms),
        cmocka_unit_test(the_randoms_of_a_conversion_are_those_given_to_the_derivation),
        cmocka_unit_test(a_premaster_may_have_any_length),
        cmocka_unit_test(a_random_master_derives_the_same_for_all_contexts),
        cmocka_unit_test(iv_and_sequence_can_be_given_to_a_derivation),
        cmocka_unit_test(a_derivation_that_cannot_be_is_refused_and_the_master_stays),
        cmocka_unit_test(a_usage_that_only_the_kdf_has_is_refused),
        cmocka_unit_test(usage_without_a_master_is_refused),
        cmocka_unit_test(a_session_key_as_template_gives_duplicates),
        cmocka_unit_test(a_handle_is_unique_and_stays),
        cmocka_unit_test(a_handle_dies_with_its_key_and_is_never_guessed),
        cmocka_unit_test(a_handle_of_another_kind_of_key_is_refused),
        cmocka_unit_test(a_bound_context_keeps_the_key_alive),
        cmocka_unit_test(threads_that_derive_from_one_master_agree_with_the_serial_answer),
        cmocka_unit_test(threads_that_race_for_a_premaster_agree_on_one_master_secret),
        cmocka_unit_test(a_master_retired_while_threads_derive_gives_right_keys_or_none),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
