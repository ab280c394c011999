/*
 * What RSA gives for a wrong SIMPLEBLOB must not be told: masters of SSL 3.0, TLS 1.0 and PCT 1.0
 * become random ones, another each time (RFC 5246 section 7.4.7.1); all other keys are refused with
 * one and the same reason and sentence, whatever was wrong inside.
 */
#include "exchange.h"

#define MAX_SENTENCE 512
#define RSA_NAME     "rsa1024a"

static const struct alg {
    const char *name;
    size_t size;         /* of a key that fits */
    size_t below, above; /* sizes that do not, on both sides */
    int becomes_random;
} algs[] = {
    { "RC4", 16, 4, 17, 0 },           { "RC2-CBC", 5, 4, 17, 0 },
    { "DES-CBC", 8, 7, 9, 0 },         { "DES-EDE-CBC", 16, 15, 17, 0 },
    { "DES-EDE3-CBC", 24, 23, 25, 0 }, { "AES-128-CBC", 16, 15, 17, 0 },
    { "AES-192-CBC", 24, 23, 25, 0 },  { "AES-256-CBC", 32, 31, 33, 0 },
    { "SSL2-MASTER", 16, 4, 25, 0 },   { "PCT1-MASTER", 16, 15, 17, 1 },
    { "SSL3-MASTER", 48, 47, 49, 1 },  { "TLS1-MASTER", 48, 47, 49, 1 },
};

/* ---- blocks that are wrong in every way there is ---- */

enum wrong {
    FIRST_BYTE,    /* 01 02 ... */
    BLOCK_TYPE_1,  /* 00 01 ... */
    BLOCK_TYPE_0,  /* 00 00 ... */
    BLOCK_TYPE_3,  /* 00 03 ... */
    NO_SEPARATOR,  /* no 00 at all */
    SHORT_PADDING, /* seven bytes of it, a key of a wrong length behind it */
    EMPTY,         /* the separator is the last byte */
    TOO_SHORT,
    TOO_LONG,
    WHOLE_BLOCK,   /* as much as fits */
    ABOVE_MODULUS, /* ff ff ...: RSA itself refuses */
    CIPHERTEXT_ZERO,
    CIPHERTEXT_ONE,
    WRONGS
};

static size_t put_block(const struct rsa_key *rsa, const struct alg *alg, size_t data_size,
                        uint8_t *block)
{
    memset(block, 0xaa, rsa->size);
    block[0] = 0;
    block[1] = 2;
    block[rsa->size - data_size - 1] = 0;
    pattern(block + rsa->size - data_size, data_size, (unsigned)alg->size);
    return rsa->size - data_size - 1;
}

static size_t data_size_of(const struct rsa_key *rsa, const struct alg *alg, enum wrong wrong)
{
    switch (wrong) {
    case SHORT_PADDING:
        return rsa->size - 3 - 7;
    case EMPTY:
        return 0;
    case TOO_SHORT:
        return alg->below;
    case TOO_LONG:
        return alg->above;
    case WHOLE_BLOCK:
        return rsa->size - 11;
    default:
        return alg->size;
    }
}

static size_t wrong_blob(const struct rsa_key *rsa, const struct alg *alg, enum wrong wrong,
                         uint8_t *blob)
{
    uint8_t block[MAX_EXCHANGED];
    const size_t separator = put_block(rsa, alg, data_size_of(rsa, alg, wrong), block);
    size_t size;

    if (wrong == FIRST_BYTE)
        block[0] = 1;
    if (wrong >= BLOCK_TYPE_1 && wrong <= BLOCK_TYPE_3)
        block[1] = wrong == BLOCK_TYPE_1 ? 1 : wrong == BLOCK_TYPE_0 ? 0 : 3;
    if (wrong == NO_SEPARATOR) {
        for (size_t n = separator; n < rsa->size; n++)
            block[n] |= 1;
    }
    size = rsa_seal_block(rsa, alg_id_of(alg->name), block, blob);
    if (wrong == ABOVE_MODULUS)
        memset(blob + SIMPLE_HEADER_SIZE, 0xff, rsa->size);
    if (wrong == CIPHERTEXT_ZERO || wrong == CIPHERTEXT_ONE)
        memset(blob + SIMPLE_HEADER_SIZE, 0, rsa->size);
    if (wrong == CIPHERTEXT_ONE)
        blob[SIMPLE_HEADER_SIZE] = 1; /* little-endian */
    return size;
}

static EVP_PKEY *open_with(const char *exchange_key, const char *pad_mode, struct octets blob)
{
    struct list list;

    list_start(&list);
    add_text(&list, "exchange-key", exchange_key);
    add_number(&list, "exportable", 1);
    if (pad_mode != NULL)
        add_text(&list, "pad-mode", pad_mode);
    return decode_blob(blob, &list);
}

/* ---- refusals ---- */

static void take_sentence(char sentence[MAX_SENTENCE])
{
    const char *data;
    unsigned long error;
    int flags;
    unsigned ours = 0;

    while ((error = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *library = ERR_lib_error_string(error);

        if (library == NULL || strcmp(library, "schannel") != 0)
            continue;
        ours++;
        assert_string_equal(ERR_reason_error_string(error), "blob does not open");
        snprintf(sentence, MAX_SENTENCE, "%s", data);
    }
    assert_int_equal(ours, 1);
}

static void refuse_alike(const struct rsa_key *rsa, const struct alg *alg, const char *pad_mode,
                         struct octets blob, char first[MAX_SENTENCE])
{
    char sentence[MAX_SENTENCE] = "";

    assert_null(open_with(rsa->private_file, pad_mode, blob));
    take_sentence(sentence);
    if (first[0] == '\0')
        snprintf(first, MAX_SENTENCE, "%s", sentence);
    assert_string_equal(sentence, first);
    assert_non_null(strstr(sentence, alg->name));
}

static void whatever_is_wrong_inside_the_sentence_is_the_same(void **state)
{
    const struct rsa_key *rsa = rsa_key_named(RSA_NAME);
    unsigned refused = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(algs); n++) {
        char first[MAX_SENTENCE] = "";
        uint8_t blob[MAX_EXCHANGED];

        for (enum wrong wrong = 0; !algs[n].becomes_random && wrong < WRONGS;
             wrong++, refused += 2) {
            const size_t size = wrong_blob(rsa, &algs[n], wrong, blob);

            refuse_alike(rsa, &algs[n], NULL, (struct octets){ blob, size }, first);
            /* what is no OAEP padding at all, and a good key padded otherwise */
            refuse_alike(rsa, &algs[n], "oaep", (struct octets){ blob, size }, first);
        }
    }
    print_message("%u refused\n", refused);
}

/* The mark of a rollback is no other failure either. */
static void a_rollback_is_refused_like_wrong_padding(void **state)
{
    const struct rsa_key *rsa = rsa_key_named(RSA_NAME);
    char sentences[WRONGS + 1][MAX_SENTENCE] = { "" };
    uint8_t block[MAX_EXCHANGED], blob[MAX_EXCHANGED];
    const struct alg ssl2 = { "SSL2-MASTER", 16, 4, 25, 0 };
    struct list list;
    size_t size, separator = put_block(rsa, &ssl2, 16, block);

    (void)state;
    memset(block + separator - 8, 3, 8);
    size = rsa_seal_block(rsa, 0x4c05, block, blob);
    list_start(&list);
    add_text(&list, "exchange-key", rsa->private_file);
    add_number(&list, "ssl2-fallback", 1);
    assert_null(decode_blob((struct octets){ blob, size }, &list));
    take_sentence(sentences[WRONGS]);
    for (enum wrong wrong = 0; wrong < WRONGS; wrong++) {
        size = wrong_blob(rsa, &ssl2, wrong, blob);
        assert_null(decode_blob((struct octets){ blob, size }, &list));
        take_sentence(sentences[wrong]);
        assert_string_equal(sentences[wrong], sentences[WRONGS]);
    }
    /* and with seven bytes of the mark it opens */
    put_block(rsa, &ssl2, 16, block);
    memset(block + separator - 7, 3, 7);
    size = rsa_seal_block(rsa, 0x4c05, block, blob);
    EVP_PKEY_free(decode_blob((struct octets){ blob, size }, &list));
    assert_no_errors();
}

/* ---- random masters ---- */

static void check_random_pair(const struct rsa_key *rsa, const struct alg *alg,
                              const char *pad_mode, struct octets blob)
{
    EVP_PKEY *keys[2];
    uint8_t bytes[2][MAX_KEY_BYTES], expected[MAX_KEY_BYTES];

    pattern(expected, alg->size, (unsigned)alg->size);
    for (size_t n = 0; n < 2; n++) {
        keys[n] = open_with(rsa->private_file, pad_mode, blob);
        assert_non_null(keys[n]);
        assert_text_of(keys[n], "alg", alg->name);
        assert_int_equal(key_bytes_of(keys[n], bytes[n]), alg->size);
        assert_memory_not_equal(bytes[n], expected, alg->size);
        EVP_PKEY_free(keys[n]);
    }
    assert_memory_not_equal(bytes[0], bytes[1], alg->size);
    assert_no_errors();
}

static void a_wrong_premaster_secret_becomes_a_random_one_each_time(void **state)
{
    const struct rsa_key *rsa = rsa_key_named(RSA_NAME);
    unsigned imported = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(algs); n++) {
        uint8_t blob[MAX_EXCHANGED];

        for (enum wrong wrong = 0; algs[n].becomes_random && wrong < WRONGS; wrong++) {
            const size_t size = wrong_blob(rsa, &algs[n], wrong, blob);

            check_random_pair(rsa, &algs[n], NULL, (struct octets){ blob, size });
            check_random_pair(rsa, &algs[n], "oaep", (struct octets){ blob, size });
            imported += 4;
        }
    }
    print_message("%u imported\n", imported);
}

static void many_imports_give_many_secrets(void **state)
{
    enum { MANY = 64 };
    const struct rsa_key *rsa = rsa_key_named(RSA_NAME);
    const struct alg *tls1 = &algs[COUNT(algs) - 1];
    static uint8_t bytes[MANY][MAX_KEY_BYTES];
    uint8_t blob[MAX_EXCHANGED];
    const size_t size = wrong_blob(rsa, tls1, TOO_SHORT, blob);

    (void)state;
    for (size_t n = 0; n < MANY; n++) {
        EVP_PKEY *key = open_with(rsa->private_file, NULL, (struct octets){ blob, size });

        assert_non_null(key);
        key_bytes_of(key, bytes[n]);
        EVP_PKEY_free(key);
        for (size_t other = 0; other < n; other++)
            assert_memory_not_equal(bytes[n], bytes[other], 16);
    }
}

/* It is a master like any other: keys derive from it, with the randoms of a connection. */
static void a_random_master_derives_keys(void **state)
{
    const struct rsa_key *rsa = rsa_key_named(RSA_NAME);
    const struct alg *tls1 = &algs[COUNT(algs) - 1];
    uint8_t blob[MAX_EXCHANGED], random[32];
    const size_t size = wrong_blob(rsa, tls1, BLOCK_TYPE_1, blob);
    EVP_PKEY *keys[2];

    (void)state;
    pattern(random, sizeof(random), 3);
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *master = open_with(rsa->private_file, NULL, (struct octets){ blob, size });
        struct list list;

        assert_non_null(master);
        list_start(&list);
        add_octets(&list, "client-random", random, sizeof(random));
        add_octets(&list, "server-random", random, sizeof(random));
        add_text(&list, "cipher", "AES-128-CBC");
        add_text(&list, "digest", "SHA1");
        add_text(&list, "usage", "client-write-key");
        keys[n] = generate_from(master, &list);
        assert_non_null(keys[n]);
        EVP_PKEY_free(master);
    }
    assert_int_not_equal(EVP_PKEY_eq(keys[0], keys[1]), 1);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
    assert_no_errors();
}

/* ---- controls, and several keys ---- */

static void a_right_blob_gives_the_same_key_each_time(void **state)
{
    const struct rsa_key *rsa = rsa_key_named(RSA_NAME);

    (void)state;
    for (size_t n = 0; n < COUNT(algs); n++) {
        uint8_t blob[MAX_EXCHANGED], bytes[MAX_KEY_BYTES], expected[MAX_KEY_BYTES];
        size_t size;

        pattern(expected, algs[n].size, (unsigned)algs[n].size);
        size =
            rsa_seal(rsa, alg_id_of(algs[n].name), (struct octets){ expected, algs[n].size }, blob);
        for (size_t again = 0; again < 2; again++) {
            EVP_PKEY *key = open_with(rsa->private_file, NULL, (struct octets){ blob, size });

            assert_non_null(key);
            assert_int_equal(key_bytes_of(key, bytes), algs[n].size);
            assert_memory_equal(bytes, expected, algs[n].size);
            EVP_PKEY_free(key);
        }
    }
    assert_no_errors();
}

/* Of several exchange keys any one may open a blob; none of them: as with one. */
static void any_of_several_keys_opens_a_blob(void **state)
{
    static const char *const lists[][3] = { { "rsa1024a", "rsa1024b", "rsa512" },
                                            { "rsa1024b", "rsa1024a", "rsa4096" },
                                            { "rsa512", "rsa1024b", "rsa1024a" } };

    (void)state;
    for (size_t n = 0; n < COUNT(algs); n++) {
        uint8_t blob[MAX_EXCHANGED], bytes[MAX_KEY_BYTES], expected[MAX_KEY_BYTES];
        char none[512];
        size_t size;
        EVP_PKEY *key;

        pattern(expected, algs[n].size, (unsigned)algs[n].size);
        size = rsa_seal(rsa_key_named(RSA_NAME), alg_id_of(algs[n].name),
                        (struct octets){ expected, algs[n].size }, blob);
        for (size_t l = 0; l < COUNT(lists); l++) {
            char names[512];

            snprintf(names, sizeof(names), "%s,%s,%s", rsa_key_named(lists[l][0])->private_file,
                     rsa_key_named(lists[l][1])->private_file,
                     rsa_key_named(lists[l][2])->private_file);
            key = open_with(names, NULL, (struct octets){ blob, size });
            assert_non_null(key);
            assert_int_equal(key_bytes_of(key, bytes), algs[n].size);
            assert_memory_equal(bytes, expected, algs[n].size);
            EVP_PKEY_free(key);
        }
        snprintf(none, sizeof(none), "%s,%s", rsa_key_named("rsa1024b")->private_file,
                 rsa_key_named("rsa512")->private_file);
        key = open_with(none, NULL, (struct octets){ blob, size });
        assert_int_equal(key != NULL, algs[n].becomes_random);
        if (key == NULL)
            assert_reason("blob does not open", algs[n].name);
        else
            assert_int_equal(key_bytes_of(key, bytes), algs[n].size);
        if (key != NULL)
            assert_memory_not_equal(bytes, expected, algs[n].size);
        EVP_PKEY_free(key);
    }
    assert_no_errors();
}

/* What could not be imported is not exported. */
static void a_master_that_no_receiver_would_take_is_not_written(void **state)
{
    const struct rsa_key *rsa = rsa_key_named("rsa2048a");
    static const char *const types[] = { "simpleblob", "plaintextblob" };
    uint8_t blob[MAX_EXCHANGED], secret[48];

    (void)state;
    pattern(secret, sizeof(secret), 1);
    for (size_t size = 5; size <= 32; size++) {
        EVP_PKEY *key = make_exportable("SSL2-MASTER", (struct octets){ secret, size });

        for (size_t n = 0; n < COUNT(types); n++) {
            struct list list;
            size_t written;

            list_start(&list);
            if (n == 0)
                add_text(&list, "exchange-key", rsa->public_file);
            else
                add_number(&list, "allow-plaintext", 1);
            written = encode_blob(key, types[n], &list, blob, sizeof(blob));
            assert_int_equal(written != 0, size <= 24);
            if (written == 0)
                assert_reason("invalid length", "SSL2-MASTER");
        }
        EVP_PKEY_free(key);
    }
    assert_no_errors();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whatever_is_wrong_inside_the_sentence_is_the_same,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_rollback_is_refused_like_wrong_padding, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_wrong_premaster_secret_becomes_a_random_one_each_time,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(many_imports_give_many_secrets, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_random_master_derives_keys, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_right_blob_gives_the_same_key_each_time,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(any_of_several_keys_opens_a_blob, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_master_that_no_receiver_would_take_is_not_written,
                               starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, exchange_setup, exchange_teardown);
}
