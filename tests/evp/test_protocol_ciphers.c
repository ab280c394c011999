/*
 * SCHANNEL-RC2-CBC, -DES-CBC, -DES-EDE-CBC and -AES-192-CBC: libcrypto's cipher of the same name
 * beside them, with key bytes and bound to a key; effective bits and salt of RC2; suspended and
 * resumed at every byte; where the legacy provider comes from.
 */
#include "material.h"

#include <openssl/crypto.h>

#define MAX_IV   16
#define MAX_KEY  128
#define MAX_TEXT 100
#define MAX_OUT  (MAX_TEXT + 2 * MAX_IV)
#define SALT     11

struct row {
    const char *alg;
    size_t key_size, block;
    unsigned bits, other_bits; /* as reported, without parity */
};

static const struct row rows[] = {
    { "RC2-CBC", 16, 8, 128, 0 },
    { "DES-CBC", 8, 8, 64, 56 },
    { "DES-EDE-CBC", 16, 8, 128, 112 },
    { "AES-192-CBC", 24, 16, 192, 0 },
};

enum { RC2 = 0, DES = 1, DES_EDE = 2, AES_192 = 3 };

#define ROWS COUNT(rows)

static EVP_CIPHER *ours[ROWS], *theirs[ROWS];

static EVP_CIPHER *fetch_ours(OSSL_LIB_CTX *from, const char *alg)
{
    char name[64];

    snprintf(name, sizeof(name), "SCHANNEL-%s", alg);
    return EVP_CIPHER_fetch(from, name, NULL);
}

static int setup(void **state)
{
    fixture_setup(state);
    for (size_t n = 0; n < ROWS; n++) {
        ours[n] = fetch_ours(libctx, rows[n].alg);
        theirs[n] = EVP_CIPHER_fetch(libctx, rows[n].alg, "provider!=schannel");
        assert_non_null(ours[n]);
        assert_non_null(theirs[n]);
    }
    return 0;
}

static int teardown(void **state)
{
    for (size_t n = 0; n < ROWS; n++) {
        EVP_CIPHER_free(ours[n]);
        EVP_CIPHER_free(theirs[n]);
    }
    return fixture_teardown(state);
}

/* ---- contexts ---- */

/* What a context is to run with. */
struct setting {
    size_t row;
    size_t key_size;
    unsigned effective; /* of RC2; 0: the default */
    uint8_t key[MAX_KEY], iv[MAX_IV];
};

static struct setting fixed_setting(size_t row)
{
    struct setting setting = { .row = row, .key_size = rows[row].key_size };

    pattern(setting.key, sizeof(setting.key), 17 + (unsigned)row);
    pattern(setting.iv, sizeof(setting.iv), 99);
    return setting;
}

/* libcrypto's when |cipher| is theirs. */
static EVP_CIPHER_CTX *new_context(const EVP_CIPHER *cipher, const struct setting *setting,
                                   int encrypt, int padding)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    size_t bits = setting->effective;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("keybits", &bits),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, NULL), 1);
    if (setting->key_size != rows[setting->row].key_size)
        assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)setting->key_size), 1);
    if (setting->effective != 0)
        assert_int_equal(EVP_CIPHER_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_CipherInit_ex2(context, NULL, setting->key, setting->iv, encrypt, NULL),
                     1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, padding), 1);
    return context;
}

static size_t update(EVP_CIPHER_CTX *context, uint8_t *out, const uint8_t *in, size_t size)
{
    int written = 0;

    assert_int_equal(EVP_CipherUpdate(context, out, &written, in, (int)size), 1);
    return (size_t)written;
}

static size_t finish(EVP_CIPHER_CTX *context, uint8_t *out)
{
    int written = 0;

    assert_int_equal(EVP_CipherFinal_ex(context, out, &written), 1);
    return (size_t)written;
}

/* libcrypto, in one piece. */
static size_t reference(const struct setting *setting, int encrypt, int padding, const uint8_t *in,
                        size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = new_context(theirs[setting->row], setting, encrypt, padding);
    size_t written = update(context, out, in, size);

    written += finish(context, out + written);
    EVP_CIPHER_CTX_free(context);
    return written;
}

static EVP_CIPHER_CTX *bind(size_t row, EVP_PKEY *key, int encrypt, int padding)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    get_handle(key, handle);
    assert_int_equal(EVP_CipherInit_ex2(context, ours[row], NULL, NULL, encrypt, params), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, padding), 1);
    return context;
}

static EVP_PKEY *key_of(const struct setting *setting)
{
    EVP_PKEY *key = make_key(rows[setting->row].alg, NULL, setting->key, setting->key_size);

    assert_int_equal(set_octets(key, "iv", setting->iv, rows[setting->row].block), 1);
    if (setting->effective != 0)
        assert_int_equal(set_number(key, "effective-bits", setting->effective), 1);
    return key;
}

/* |key| encrypts from here on what libcrypto does with |setting|, from its IV. */
static void assert_encrypts(EVP_PKEY *key, const struct setting *setting)
{
    uint8_t text[MAX_TEXT], expected[MAX_OUT], actual[MAX_OUT];
    EVP_CIPHER_CTX *context = bind(setting->row, key, 1, 1);
    size_t size = reference(setting, 1, 1, memset(text, 0x5a, sizeof(text)), 37, expected);
    size_t written = update(context, actual, text, 20);

    written += update(context, actual + written, text + 20, 17);
    written += finish(context, actual + written);
    assert_int_equal(written, size);
    assert_memory_equal(actual, expected, size);
    EVP_CIPHER_CTX_free(context);
}

/* ---- key bytes: as libcrypto's cipher ---- */

static void assert_same_ivs(EVP_CIPHER_CTX *mine, EVP_CIPHER_CTX *other, size_t size)
{
    uint8_t a[MAX_IV] = { 0 }, b[MAX_IV] = { 0 };

    assert_int_equal(EVP_CIPHER_CTX_get_updated_iv(mine, a, sizeof(a)), 1);
    assert_int_equal(EVP_CIPHER_CTX_get_updated_iv(other, b, sizeof(b)), 1);
    assert_memory_equal(a, b, size);
    assert_int_equal(EVP_CIPHER_CTX_get_original_iv(mine, a, sizeof(a)), 1);
    assert_int_equal(EVP_CIPHER_CTX_get_original_iv(other, b, sizeof(b)), 1);
    assert_memory_equal(a, b, size);
}

/* One message in random chunks through both contexts; a bad padding fails in both. */
static void same_message(size_t row, EVP_CIPHER_CTX *mine, EVP_CIPHER_CTX *other)
{
    for (size_t count = random_below(8); count-- > 0;) {
        uint8_t in[MAX_TEXT], a[MAX_OUT], b[MAX_OUT];
        size_t size = random_below(MAX_TEXT), written;

        random_bytes(in, size);
        written = update(mine, a, in, size);
        assert_int_equal(written, update(other, b, in, size));
        assert_memory_equal(a, b, written);
        assert_same_ivs(mine, other, rows[row].block);
    }
    {
        uint8_t a[MAX_IV], b[MAX_IV];
        int mine_size = 0, other_size = 0;
        int ok = EVP_CipherFinal_ex(mine, a, &mine_size);

        assert_int_equal(EVP_CipherFinal_ex(other, b, &other_size), ok);
        ERR_clear_error();
        if (ok) {
            assert_int_equal(mine_size, other_size);
            assert_memory_equal(a, b, (size_t)mine_size);
        }
    }
}

static void key_bytes_give_what_libcrypto_gives(void **state)
{
    (void)state;
    for (size_t row = 0; row < ROWS; row++) {
        assert_int_equal(EVP_CIPHER_get_mode(ours[row]), EVP_CIPHER_get_mode(theirs[row]));
        assert_int_equal(EVP_CIPHER_get_block_size(ours[row]),
                         EVP_CIPHER_get_block_size(theirs[row]));
        assert_int_equal(EVP_CIPHER_get_iv_length(ours[row]),
                         EVP_CIPHER_get_iv_length(theirs[row]));
        assert_int_equal(EVP_CIPHER_get_key_length(ours[row]),
                         EVP_CIPHER_get_key_length(theirs[row]));
        for (int round = 0; round < 200; round++) {
            struct setting setting = fixed_setting(row);
            const int encrypt = (int)random_below(2), padding = (int)random_below(2);
            /* libcrypto's AES needs the key again to turn round */
            const int again = row == AES_192 ? encrypt : !encrypt;
            EVP_CIPHER_CTX *mine, *other;

            random_bytes(setting.key, setting.key_size);
            random_bytes(setting.iv, sizeof(setting.iv));
            mine = new_context(ours[row], &setting, encrypt, padding);
            other = new_context(theirs[row], &setting, encrypt, padding);
            same_message(row, mine, other);
            /* the same key again, with the original IV */
            assert_int_equal(EVP_CipherInit_ex2(mine, NULL, NULL, NULL, again, NULL), 1);
            assert_int_equal(EVP_CipherInit_ex2(other, NULL, NULL, NULL, again, NULL), 1);
            same_message(row, mine, other);
            /* and with another one */
            random_bytes(setting.iv, sizeof(setting.iv));
            assert_int_equal(EVP_CipherInit_ex2(mine, NULL, NULL, setting.iv, encrypt, NULL), 1);
            assert_int_equal(EVP_CipherInit_ex2(other, NULL, NULL, setting.iv, encrypt, NULL), 1);
            same_message(row, mine, other);
            EVP_CIPHER_CTX_free(mine);
            EVP_CIPHER_CTX_free(other);
        }
    }
}

static void assert_same_text(const struct setting *setting)
{
    uint8_t text[41], mine[MAX_OUT], other[MAX_OUT];
    EVP_CIPHER_CTX *context = new_context(ours[setting->row], setting, 1, 1);
    size_t size, expected;

    pattern(text, sizeof(text), 5);
    size = update(context, mine, text, sizeof(text));
    size += finish(context, mine + size);
    expected = reference(setting, 1, 1, text, sizeof(text), other);
    assert_int_equal(size, expected);
    assert_memory_equal(mine, other, size);
    EVP_CIPHER_CTX_free(context);
}

static void rc2_takes_keys_of_1_to_128_bytes_and_1_to_1024_effective_bits(void **state)
{
    struct setting setting = fixed_setting(RC2);
    EVP_CIPHER_CTX *context;
    size_t bits = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("keybits", &bits),
                            OSSL_PARAM_construct_end() };

    (void)state;
    for (setting.key_size = 1; setting.key_size <= 128; setting.key_size++) {
        setting.effective = 0; /* 128, as libcrypto's */
        assert_same_text(&setting);
        for (int round = 0; round < 8; round++) {
            setting.effective = 1 + (unsigned)random_below(1024);
            assert_same_text(&setting);
        }
        setting.effective = 8 * (unsigned)setting.key_size;
        assert_same_text(&setting);
    }
    setting.key_size = 16;
    for (setting.effective = 1; setting.effective <= 1024; setting.effective++)
        assert_same_text(&setting);
    setting.effective = 0;
    context = new_context(ours[RC2], &setting, 1, 1);
    assert_int_equal(EVP_CIPHER_CTX_get_params(context, params), 1);
    assert_int_equal(bits, 128);
    for (size_t wrong = 0; wrong <= 1025; wrong += 1025) {
        bits = wrong;
        assert_int_equal(EVP_CIPHER_CTX_set_params(context, params), 0);
        assert_reason("invalid parameter", "keybits: ");
    }
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, 129), 0);
    assert_reason("invalid parameter", "keylen: ");
    assert_int_equal(EVP_CIPHER_CTX_get_params(context, params), 1);
    assert_int_equal(bits, 128);
    bits = 40;
    assert_int_equal(EVP_CIPHER_CTX_set_params(context, params), 1);
    bits = 0;
    assert_int_equal(EVP_CIPHER_CTX_get_params(context, params), 1);
    assert_int_equal(bits, 40);
    EVP_CIPHER_CTX_free(context);
}

/* ---- keys ---- */

static void a_key_gives_what_its_bytes_give(void **state)
{
    (void)state;
    for (size_t row = 0; row < ROWS; row++) {
        struct setting setting = fixed_setting(row);
        EVP_PKEY *key = key_of(&setting);

        assert_encrypts(key, &setting);
        assert_text_of(key, "alg", rows[row].alg);
        assert_text_of(key, "kind", "cipher");
        assert_int_equal(number_of(key, "bits"), rows[row].bits);
        EVP_PKEY_free(key);
    }
}

/* The chaining value goes on; two contexts share it. */
static void contexts_continue_the_chain_of_their_key(void **state)
{
    (void)state;
    for (size_t row = 0; row < ROWS; row++) {
        struct setting setting = fixed_setting(row);
        uint8_t text[MAX_TEXT], expected[MAX_OUT], actual[MAX_OUT], chain[MAX_IV];
        EVP_PKEY *key = key_of(&setting);
        EVP_CIPHER_CTX *one = bind(row, key, 1, 0), *other = bind(row, key, 1, 0);
        const size_t block = rows[row].block;
        size_t done = 0;

        pattern(text, sizeof(text), 1);
        reference(&setting, 1, 0, text, 96, expected);
        while (done + block <= 96) {
            EVP_CIPHER_CTX *next = done / block % 2 == 0 ? one : other;

            assert_int_equal(update(next, actual + done, text + done, block), block);
            done += block;
            assert_int_equal(octets_of(key, "iv", chain, sizeof(chain)), block);
            assert_memory_equal(chain, expected + done - block, block);
        }
        assert_memory_equal(actual, expected, 96);
        EVP_CIPHER_CTX_free(one);
        EVP_CIPHER_CTX_free(other);
        EVP_PKEY_free(key);
    }
}

static void a_copy_of_a_context_has_a_state_of_its_own(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * ROWS; n++) {
        const size_t row = n / 2;
        struct setting setting = fixed_setting(row);
        uint8_t text[MAX_TEXT], expected[MAX_OUT], actual[MAX_OUT];
        EVP_PKEY *key = key_of(&setting);
        EVP_CIPHER_CTX *context =
            n % 2 == 0 ? new_context(ours[row], &setting, 1, 1) : bind(row, key, 1, 1);
        EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_new();
        size_t size, start, expected_size;

        pattern(text, sizeof(text), 1);
        start = update(context, actual, text, 21);
        assert_int_equal(EVP_CIPHER_CTX_copy(copy, context), 1);
        for (int which = 0; which < 2; which++) {
            EVP_CIPHER_CTX *one = which == 0 ? context : copy;

            expected_size = reference(&setting, 1, 1, text, sizeof(text), expected);
            size = start + update(one, actual + start, text + 21, sizeof(text) - 21);
            size += finish(one, actual + size);
            assert_int_equal(size, expected_size);
            assert_memory_equal(actual, expected, size);
            memset(text + 30, which + 1, 20);
        }
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_CTX_free(copy);
        EVP_PKEY_free(key);
    }
}

static int find_secret(const OSSL_PARAM params[], void *arg)
{
    const OSSL_PARAM *secret = OSSL_PARAM_locate_const(params, "secret");
    struct setting *setting = arg;

    assert_non_null(secret);
    memcpy(setting->key, secret->data, secret->data_size);
    setting->key_size = secret->data_size;
    return 1;
}

/* A random key, and its bytes. */
static EVP_PKEY *random_key(size_t row, unsigned bits, struct setting *setting)
{
    struct list list;
    EVP_PKEY *key;

    *setting = fixed_setting(row);
    list_start(&list);
    add_text(&list, "alg", rows[row].alg);
    add_number(&list, "exportable", 1);
    if (bits != 0)
        add_number(&list, "bits", bits);
    add_octets(&list, "iv", setting->iv, rows[row].block);
    key = generate_from(NULL, &list);
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_export(key, EVP_PKEY_KEYPAIR, find_secret, setting), 1);
    assert_int_equal(8 * setting->key_size, number_of(key, "bits"));
    return key;
}

static void des_keys_have_odd_parity_and_sizes_with_or_without(void **state)
{
    (void)state;
    for (size_t row = DES; row <= DES_EDE; row++) {
        const unsigned sizes[] = { 0, rows[row].bits, rows[row].other_bits };
        struct setting setting = fixed_setting(row);
        struct list list;
        EVP_PKEY *key;

        for (size_t n = 0; n < 30; n++) {
            key = random_key(row, sizes[n % 3], &setting);
            assert_int_equal(number_of(key, "bits"), rows[row].bits);
            for (size_t byte = 0; byte < setting.key_size; byte++) {
                unsigned ones = 0;

                for (unsigned bit = 0; bit < 8; bit++)
                    ones += (unsigned)setting.key[byte] >> bit & 1u;
                assert_int_equal(ones % 2, 1);
            }
            assert_encrypts(key, &setting);
            EVP_PKEY_free(key);
        }
        memset(setting.key, 0x10, sizeof(setting.key)); /* even: known bytes stay as they are */
        for (size_t n = 0; n < 5; n++) {
            const unsigned wrong[] = { 40, 48, rows[row].bits - 24, rows[row].bits + 8, 1024 };

            list_start(&list);
            add_text(&list, "alg", rows[row].alg);
            add_number(&list, "bits", wrong[n]);
            assert_null(generate_from(NULL, &list));
            assert_reason("invalid parameter", "bits: ");
            if (n >= 3)
                continue;
            drop(&list, "bits");
            add_octets(&list, "secret", setting.key, rows[row].key_size);
            if (n != 0)
                add_number(&list, "bits", sizes[n]);
            key = from_data(list.params);
            assert_non_null(key);
            assert_int_equal(set_octets(key, "iv", setting.iv, 8), 1);
            assert_encrypts(key, &setting);
            EVP_PKEY_free(key);
        }
    }
}

static void known_keys_of_another_size_are_refused(void **state)
{
    uint8_t secret[64];

    (void)state;
    pattern(secret, sizeof(secret), 1);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t size = 1; size <= sizeof(secret); size++) {
            const int fits = row == RC2 ? size >= 5 && size <= 16 : size == rows[row].key_size;
            struct list list;
            EVP_PKEY *key;

            list_start(&list);
            add_text(&list, "alg", rows[row].alg);
            add_octets(&list, "secret", secret, size);
            key = from_data(list.params);
            assert_int_equal(key != NULL, fits);
            if (!fits)
                assert_reason("invalid length", "secret: ");
            EVP_PKEY_free(key);
        }
    }
}

/* ---- effective bits and salt ---- */

static void rc2_keys_have_effective_bits(void **state)
{
    (void)state;
    for (size_t size = 5; size <= 16; size++) {
        struct setting setting = fixed_setting(RC2);
        EVP_PKEY *key, *made;
        struct list list;

        setting.key_size = size;
        key = key_of(&setting);
        assert_int_equal(number_of(key, "effective-bits"), 8 * size);
        setting.effective = 8 * (unsigned)size;
        assert_encrypts(key, &setting);
        for (int round = 0; round < 10; round++) {
            setting.effective = 1 + (unsigned)random_below(1024);
            assert_int_equal(set_number(key, "effective-bits", setting.effective), 1);
            assert_int_equal(number_of(key, "effective-bits"), setting.effective);
            assert_int_equal(set_octets(key, "iv", setting.iv, 8), 1);
            assert_encrypts(key, &setting);
        }
        list_start(&list);
        add_text(&list, "alg", "RC2-CBC");
        add_octets(&list, "secret", setting.key, size);
        add_octets(&list, "iv", setting.iv, 8);
        add_number(&list, "effective-bits", setting.effective);
        made = from_data(list.params);
        assert_non_null(made);
        assert_encrypts(made, &setting);
        EVP_PKEY_free(made);
        drop(&list, "effective-bits");
        add_number(&list, "effective-bits", 1025);
        assert_null(from_data(list.params));
        assert_reason("invalid parameter", "effective-bits: ");
        for (unsigned wrong = 0; wrong <= 1025; wrong += 1025) {
            assert_int_equal(set_number(key, "effective-bits", wrong), 0);
            assert_reason("invalid parameter", "effective-bits: ");
        }
        assert_int_equal(number_of(key, "effective-bits"), setting.effective);
        EVP_PKEY_free(key);
    }
}

/* KP_EFFECTIVE_KEYLEN in the middle of a chain: the next block runs with it. */
static void effective_bits_change_between_blocks(void **state)
{
    struct setting setting = fixed_setting(RC2);
    EVP_PKEY *key = key_of(&setting);
    EVP_CIPHER_CTX *context = bind(RC2, key, 1, 0);
    uint8_t text[8], expected[MAX_OUT], actual[MAX_OUT];

    (void)state;
    for (setting.effective = 1; setting.effective <= 1024; setting.effective += 31) {
        pattern(text, sizeof(text), setting.effective);
        reference(&setting, 1, 0, text, sizeof(text), expected);
        assert_int_equal(update(context, actual, text, 3), 0);
        assert_int_equal(set_number(key, "effective-bits", setting.effective), 1);
        assert_int_equal(update(context, actual, text + 3, 5), 8);
        assert_memory_equal(actual, expected, 8);
        memcpy(setting.iv, actual, 8);
    }
    EVP_CIPHER_CTX_free(context);
    EVP_PKEY_free(key);
}

static void other_keys_have_no_effective_bits(void **state)
{
    (void)state;
    for (size_t row = 1; row < ROWS; row++) {
        struct setting setting = fixed_setting(row);
        EVP_PKEY *key = key_of(&setting);
        struct list list;

        list_start(&list);
        add_number(&list, "effective-bits", 40);
        assert_int_equal(EVP_PKEY_get_params(key, list.params), 0);
        assert_reason("wrong kind of key", "effective-bits: ");
        assert_int_equal(EVP_PKEY_set_params(key, list.params), 0);
        assert_reason("wrong kind of key", "effective-bits: ");
        add_text(&list, "alg", rows[row].alg);
        assert_null(generate_from(NULL, &list));
        assert_reason("conflicting parameters", "effective-bits: ");
        assert_encrypts(key, &setting);
        EVP_PKEY_free(key);
    }
}

/* As libcrypto's own do. */
static void contexts_of_other_ciphers_overlook_effective_bits(void **state)
{
    (void)state;
    for (size_t row = 1; row < ROWS; row++) {
        struct setting setting = fixed_setting(row);
        EVP_CIPHER_CTX *mine = new_context(ours[row], &setting, 1, 1);
        EVP_CIPHER_CTX *other = new_context(theirs[row], &setting, 1, 1);
        size_t bits = 40;
        OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("keybits", &bits),
                                OSSL_PARAM_construct_end() };

        assert_int_equal(EVP_CIPHER_CTX_set_params(mine, params), 1);
        bits = 7;
        assert_int_equal(EVP_CIPHER_CTX_get_params(mine, params), 1);
        assert_int_equal(bits, 7);
        same_message(row, mine, other);
        EVP_CIPHER_CTX_free(mine);
        EVP_CIPHER_CTX_free(other);
    }
    assert_no_errors();
}

static void effective_bits_are_a_number(void **state)
{
    struct setting setting = fixed_setting(RC2);
    EVP_CIPHER_CTX *context;
    char text[16] = "";
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("keybits", text, sizeof(text)),
                            OSSL_PARAM_construct_end() };

    (void)state;
    setting.effective = 64;
    context = new_context(ours[RC2], &setting, 1, 1);
    assert_int_equal(EVP_CIPHER_CTX_get_params(context, params), 0);
    assert_reason("output buffer too small", "keybits: is an integer");
    EVP_CIPHER_CTX_free(context);
}

static void derived_rc2_keys_have_128_effective_bits(void **state)
{
    static const char *const protocols[] = { "PCT1", "SSL2", "SSL3", "TLS1" };
    static const size_t sizes[] = { 16, 16, 48, 48 };
    uint8_t secret[48], randoms[64], clear[11];

    (void)state;
    pattern(secret, sizeof(secret), 1);
    pattern(randoms, sizeof(randoms), 2);
    pattern(clear, sizeof(clear), 3);
    for (size_t n = 0; n < 12; n++) {
        const size_t p = n % 4;
        const int is_short = n >= 4, is_export = n >= 8;
        struct setting setting = fixed_setting(RC2);
        char alg[32], kdf[32];
        struct list list;
        EVP_PKEY *master, *key;

        snprintf(alg, sizeof(alg), "%s-MASTER", protocols[p]);
        snprintf(kdf, sizeof(kdf), "%s-KDF", protocols[p]);
        list_start(&list);
        add_octets(&list, "secret", secret, sizes[p]);
        add_octets(&list, "client-random", randoms, 32);
        add_octets(&list, "server-random", randoms + 32, 32);
        add_text(&list, "cipher", "RC2-CBC");
        add_number(&list, "cipher-bits", is_short ? 40 : 128);
        add_number(&list, "export", (uint64_t)is_export);
        if (p != 1)
            add_text(&list, "digest", "MD5");
        if (p < 2 && is_short)
            add_octets(&list, "clear-key", clear, sizeof(clear));
        add_text(&list, "usage", "server-write-key");
        setting.key_size = p >= 2 && is_short && !is_export ? 5 : 16;
        derive_bytes(kdf, &list, setting.key, setting.key_size);
        drop(&list, "usage");
        add_text(&list, "alg", alg);
        master = from_data(list.params);
        assert_non_null(master);
        list_start(&list);
        add_text(&list, "usage", "server-write-key");
        add_octets(&list, "iv", setting.iv, 8);
        key = generate_from(master, &list);
        assert_non_null(key);
        assert_int_equal(number_of(key, "effective-bits"), 128);
        assert_int_equal(octets_of(key, "salt", secret + 48, 0), 0);
        setting.effective = 128;
        assert_encrypts(key, &setting);
        EVP_PKEY_free(key);
        EVP_PKEY_free(master);
    }
}

/* The cipher runs with key || salt, 40 bits of it effective. */
static void rc2_keys_of_40_bits_have_a_salt(void **state)
{
    uint8_t zeros[SALT] = { 0 }, salt[SALT + 1], read[SALT + 1];
    struct setting setting;
    EVP_PKEY *key;

    (void)state;
    for (int round = 0; round < 20; round++) {
        key = random_key(RC2, 40, &setting);
        assert_int_equal(setting.key_size, 5);
        assert_int_equal(octets_of(key, "salt", read, sizeof(read)), SALT);
        assert_memory_equal(read, zeros, SALT);
        assert_int_equal(number_of(key, "effective-bits"), 40);
        setting.key_size = 16;
        setting.effective = 40;
        memset(setting.key + 5, 0, SALT);
        assert_encrypts(key, &setting);
        random_bytes(salt, sizeof(salt));
        assert_int_equal(set_octets(key, "salt", salt, SALT + 1), 0);
        assert_reason("invalid length", "salt: ");
        assert_int_equal(set_octets(key, "salt", salt, SALT), 1);
        assert_int_equal(octets_of(key, "salt", read, sizeof(read)), SALT);
        assert_memory_equal(read, salt, SALT);
        memcpy(setting.key + 5, salt, SALT);
        assert_encrypts(key, &setting); /* from the IV: a new salt is a new stream */
        EVP_PKEY_free(key);
    }
    key = random_key(RC2, 48, &setting);
    assert_int_equal(octets_of(key, "salt", read, sizeof(read)), 0);
    assert_int_equal(set_octets(key, "salt", salt, SALT), 0);
    assert_reason("wrong kind of key", "salt: ");
    setting.effective = 48;
    assert_encrypts(key, &setting);
    EVP_PKEY_free(key);
    setting = fixed_setting(RC2); /* known bytes: none unless it is given */
    setting.key_size = 5;
    key = key_of(&setting);
    assert_int_equal(octets_of(key, "salt", read, sizeof(read)), 0);
    EVP_PKEY_free(key);
}

/* ---- suspending and resuming ---- */

enum how { CONTEXT, BOUND_CONTEXT, KEY, HOWS };

static size_t suspend(EVP_CIPHER_CTX *context, uint8_t blob[MAX_BLOB])
{
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, MAX_BLOB),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_CIPHER_CTX_get_params(context, params), 1);
    return params[0].return_size;
}

static EVP_CIPHER_CTX *resume(size_t row, const uint8_t *blob, size_t size, int encrypt,
                              int padding)
{
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, size), OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    assert_int_equal(EVP_CipherInit_ex2(context, ours[row], NULL, NULL, encrypt, params), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, padding), 1);
    return context;
}

/* |size| bytes, cut after |cut|: both halves together are what libcrypto gives at once. */
static size_t cross(const struct setting *setting, enum how how, int encrypt, int padding,
                    const uint8_t *in, size_t size, size_t cut)
{
    const size_t row = setting->row;
    uint8_t expected[MAX_OUT], actual[MAX_OUT], blob[MAX_BLOB];
    EVP_PKEY *key = how == CONTEXT ? NULL : key_of(setting), *moved = NULL;
    EVP_CIPHER_CTX *context = how == CONTEXT ? new_context(ours[row], setting, encrypt, padding)
                                             : bind(row, key, encrypt, padding);
    size_t written = update(context, actual, in, cut), expected_size, blob_size;
    EVP_CIPHER_CTX *there;

    if (how == KEY) {
        blob_size = export_blob(key, blob);
        moved = import_blob(blob, blob_size, "user");
        assert_non_null(moved);
        there = bind(row, moved, encrypt, padding);
    } else {
        blob_size = suspend(context, blob);
        there = resume(row, blob, blob_size, encrypt, padding);
    }
    written += update(there, actual + written, in + cut, size - cut);
    written += finish(there, actual + written);
    expected_size = reference(setting, encrypt, padding, in, size, expected);
    assert_int_equal(written, expected_size);
    assert_memory_equal(actual, expected, written);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_CTX_free(there);
    EVP_PKEY_free(key);
    EVP_PKEY_free(moved);
    return blob_size;
}

static void a_stream_crosses_in_a_blob_at_every_byte(void **state)
{
    (void)state;
    for (size_t row = 0; row < ROWS; row++) {
        struct setting setting = fixed_setting(row);
        size_t most = 0;

        setting.effective = row == RC2 ? 77 : 0;
        for (int way = 0; way < 4; way++) {
            const int encrypt = way % 2, padding = way / 2;
            uint8_t text[MAX_TEXT], in[MAX_OUT];
            size_t size = 48;

            pattern(text, sizeof(text), 5);
            if (encrypt)
                memcpy(in, text, size -= padding ? 5 : 0);
            else
                size = reference(&setting, 1, padding, text, size - (padding ? 5 : 0), in);
            for (size_t cut = 0; cut <= size; cut++) {
                for (int how = 0; how < HOWS; how++) {
                    size_t blob = cross(&setting, (enum how)how, encrypt, padding, in, size, cut);

                    if (blob > most)
                        most = blob;
                }
            }
        }
        print_message("%s: blobs of at most %zu bytes\n", rows[row].alg, most);
        assert_in_range(most, 1, 224);
    }
}

static void rc2_contexts_of_every_key_size_cross_in_a_blob(void **state)
{
    uint8_t text[30], blob[MAX_BLOB];
    size_t most = 0;

    (void)state;
    pattern(text, sizeof(text), 5);
    for (size_t size = 1; size <= 128; size++) {
        struct setting setting = fixed_setting(RC2);

        setting.key_size = size;
        for (size_t round = 0; round < 6; round++) {
            const size_t cut = random_below(sizeof(text));
            size_t blob_size;

            setting.effective = round == 0 ? 0 : 1 + (unsigned)random_below(1024);
            blob_size = cross(&setting, CONTEXT, 1, 1, text, sizeof(text), cut);
            if (blob_size > most)
                most = blob_size;
        }
        if (size < 5 || size > 16) {
            EVP_CIPHER_CTX *context = new_context(ours[RC2], &setting, 1, 1);

            assert_null(import_blob(blob, suspend(context, blob), "user"));
            assert_reason("wrong kind of key", "opaque blob: ");
            EVP_CIPHER_CTX_free(context);
        }
    }
    print_message("RC2-CBC contexts with keys of 1 to 128 bytes: blobs of at most %zu bytes\n",
                  most);
}

static void salt_and_effective_bits_cross_in_a_blob(void **state)
{
    uint8_t salt[SALT], read[SALT], blob[MAX_BLOB];

    (void)state;
    for (unsigned bits = 1; bits <= 1024; bits += 93) {
        struct setting setting;
        EVP_PKEY *key = random_key(RC2, 40, &setting), *moved;
        size_t size;

        random_bytes(salt, sizeof(salt));
        assert_int_equal(set_octets(key, "salt", salt, SALT), 1);
        assert_int_equal(set_number(key, "effective-bits", bits), 1);
        size = export_blob(key, blob);
        assert_in_range(size, 1, 224);
        moved = import_blob(blob, size, "user");
        assert_non_null(moved);
        assert_int_equal(octets_of(moved, "salt", read, sizeof(read)), SALT);
        assert_memory_equal(read, salt, SALT);
        assert_int_equal(number_of(moved, "effective-bits"), bits);
        assert_int_equal(EVP_PKEY_eq(key, moved), 1);
        memcpy(setting.key + 5, salt, SALT);
        setting.key_size = 16;
        setting.effective = bits;
        assert_encrypts(moved, &setting);
        EVP_PKEY_free(moved);
        EVP_PKEY_free(key);
    }
}

/* ---- the legacy provider ---- */

/* How an application can have loaded the provider. */
enum loading { SEARCH_PATH, ABSOLUTE_PATH };

/* RC2 and DES in a library context without the legacy provider. */
static void check_without_legacy(enum loading loading)
{
    OSSL_LIB_CTX *own = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *standard = OSSL_PROVIDER_load(own, "default"), *mine;

    assert_non_null(standard);
    if (loading == SEARCH_PATH) {
        assert_int_equal(OSSL_PROVIDER_set_default_search_path(own, MODULE_DIR), 1);
        mine = OSSL_PROVIDER_load(own, "schannel");
    } else {
        mine = OSSL_PROVIDER_load(own, MODULE_DIR "/schannel.so");
    }
    assert_non_null(mine);
    for (size_t row = 0; row < ROWS; row++) {
        struct setting setting = fixed_setting(row);
        uint8_t text[MAX_TEXT], expected[MAX_OUT], actual[MAX_OUT];
        EVP_CIPHER *cipher = fetch_ours(own, rows[row].alg);
        EVP_CIPHER_CTX *context;
        size_t size;

        assert_non_null(cipher);
        pattern(text, sizeof(text), 1);
        context = new_context(cipher, &setting, 1, 1);
        size = update(context, actual, text, sizeof(text));
        size += finish(context, actual + size);
        assert_int_equal(size, reference(&setting, 1, 1, text, sizeof(text), expected));
        assert_memory_equal(actual, expected, size);
        assert_no_errors();
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_free(cipher);
    }
    assert_int_equal(OSSL_PROVIDER_available(own, "legacy"), 0);
    assert_null(EVP_CIPHER_fetch(own, "RC2-CBC", NULL)); /* nothing was added for others */
    ERR_clear_error();
    OSSL_PROVIDER_unload(mine);
    OSSL_PROVIDER_unload(standard);
    OSSL_LIB_CTX_free(own);
}

static void an_application_need_not_load_the_legacy_provider(void **state)
{
    (void)state;
    check_without_legacy(SEARCH_PATH);
    check_without_legacy(ABSOLUTE_PATH);
}

static void the_legacy_provider_is_found_although_openssl_modules_points_elsewhere(void **state)
{
    (void)state;
    assert_int_equal(setenv("OPENSSL_MODULES", directory, 1), 0);
    check_without_legacy(ABSOLUTE_PATH);
    check_without_legacy(SEARCH_PATH);
    assert_int_equal(setenv("OPENSSL_MODULES", MODULE_DIR, 1), 0);
    check_without_legacy(SEARCH_PATH);
    assert_int_equal(unsetenv("OPENSSL_MODULES"), 0);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(key_bytes_give_what_libcrypto_gives),
        TEST(rc2_takes_keys_of_1_to_128_bytes_and_1_to_1024_effective_bits),
        TEST(a_key_gives_what_its_bytes_give),
        TEST(contexts_continue_the_chain_of_their_key),
        TEST(a_copy_of_a_context_has_a_state_of_its_own),
        TEST(des_keys_have_odd_parity_and_sizes_with_or_without),
        TEST(known_keys_of_another_size_are_refused),
        TEST(rc2_keys_have_effective_bits),
        TEST(effective_bits_change_between_blocks),
        TEST(other_keys_have_no_effective_bits),
        TEST(contexts_of_other_ciphers_overlook_effective_bits),
        TEST(effective_bits_are_a_number),
        TEST(derived_rc2_keys_have_128_effective_bits),
        TEST(rc2_keys_of_40_bits_have_a_salt),
        TEST(a_stream_crosses_in_a_blob_at_every_byte),
        TEST(rc2_contexts_of_every_key_size_cross_in_a_blob),
        TEST(salt_and_effective_bits_cross_in_a_blob),
        TEST(an_application_need_not_load_the_legacy_provider),
        TEST(the_legacy_provider_is_found_although_openssl_modules_points_elsewhere),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
