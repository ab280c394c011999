/*
 * Ciphers through EVP: with key bytes of its own a context is libcrypto's cipher of the same name,
 * call for call; bound by key-handle it continues a key that owns the state.
 */
#include "fixture.h"

#include <pthread.h>

#define MAX_TEXT  512
#define MAX_OUT   (MAX_TEXT + 2 * EVP_MAX_BLOCK_LENGTH)
#define TEXT_SIZE 192

struct row {
    const char *alg, *other_alg; /* |other_alg|: a key that this cipher does not take */
    size_t key_size, iv_size, block_size;
};

static const struct row rows[] = {
    { "RC4", "AES-128-CBC", 16, 0, 1 },
    { "DES-EDE3-CBC", "RC4", 24, 8, 8 },
    { "AES-128-CBC", "AES-256-CBC", 16, 16, 16 },
    { "AES-256-CBC", "AES-128-CBC", 32, 16, 16 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Row by row: the provider's cipher and libcrypto's own. */
static EVP_CIPHER *ours[ROWS], *theirs[ROWS];

static int setup(void **state)
{
    fixture_setup(state);
    for (size_t n = 0; n < ROWS; n++) {
        char name[64];

        snprintf(name, sizeof(name), "SCHANNEL-%s", rows[n].alg);
        ours[n] = EVP_CIPHER_fetch(libctx, name, NULL);
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

static int starts_with_a_clean_queue(void **state)
{
    (void)state;
    ERR_clear_error();
    return 0;
}

/* xorshift64: the same numbers in every run. */
static uint64_t random_state = 0x9e3779b97f4a7c15u;

static size_t random_below(size_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % limit;
}

static void random_bytes(uint8_t *out, size_t size)
{
    for (size_t n = 0; n < size; n++)
        out[n] = (uint8_t)random_below(256);
}

/* ---- plain key bytes: libcrypto's cipher beside ours ---- */

/* Both get every call; the answers have to be the same. */
struct pair {
    const struct row *row;
    EVP_CIPHER_CTX *mine, *reference;
};

static void init_pair(struct pair *pair, const uint8_t *key, const uint8_t *iv, int encrypt)
{
    assert_int_equal(EVP_CipherInit_ex2(pair->mine, NULL, key, iv, encrypt, NULL), 1);
    assert_int_equal(EVP_CipherInit_ex2(pair->reference, NULL, key, iv, encrypt, NULL), 1);
}

static void set_padding(struct pair *pair, int padding)
{
    assert_int_equal(EVP_CIPHER_CTX_set_padding(pair->mine, padding), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(pair->reference, padding), 1);
}

/* Contexts that know their cipher and their direction, but no key yet. */
static struct pair new_pair(size_t row, int encrypt)
{
    struct pair pair = { &rows[row], EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new() };

    assert_int_equal(EVP_CipherInit_ex2(pair.mine, ours[row], NULL, NULL, encrypt, NULL), 1);
    assert_int_equal(EVP_CipherInit_ex2(pair.reference, theirs[row], NULL, NULL, encrypt, NULL), 1);
    return pair;
}

static void free_pair(struct pair *pair)
{
    EVP_CIPHER_CTX_free(pair->mine);
    EVP_CIPHER_CTX_free(pair->reference);
}

static void assert_same_ivs(const struct pair *pair)
{
    uint8_t mine[16] = { 0 }, reference[16] = { 0 };

    if (pair->row->iv_size == 0)
        return;
    assert_int_equal(EVP_CIPHER_CTX_get_updated_iv(pair->mine, mine, sizeof(mine)), 1);
    /* libcrypto's own ciphers give it and, from 3.5 on, leave an error on the queue as well */
    ERR_set_mark();
    assert_int_equal(EVP_CIPHER_CTX_get_updated_iv(pair->reference, reference, sizeof(reference)),
                     1);
    ERR_pop_to_mark();
    assert_memory_equal(mine, reference, pair->row->iv_size);
    assert_int_equal(EVP_CIPHER_CTX_get_original_iv(pair->mine, mine, sizeof(mine)), 1);
    ERR_set_mark();
    assert_int_equal(EVP_CIPHER_CTX_get_original_iv(pair->reference, reference, sizeof(reference)),
                     1);
    ERR_pop_to_mark();
    assert_memory_equal(mine, reference, pair->row->iv_size);
}

/* Gives the number of bytes that came out. */
static size_t update_pair(struct pair *pair, const uint8_t *in, size_t size, uint8_t *out)
{
    uint8_t expected[MAX_OUT];
    int written = -1, expected_size = -1;

    assert_int_equal(EVP_CipherUpdate(pair->mine, out, &written, in, (int)size), 1);
    assert_int_equal(EVP_CipherUpdate(pair->reference, expected, &expected_size, in, (int)size), 1);
    assert_int_equal(written, expected_size);
    assert_memory_equal(out, expected, (size_t)written);
    assert_same_ivs(pair);
    return (size_t)written;
}

/* Gives the number of bytes that came out, or -1 when both refuse. */
static int final_pair(struct pair *pair, uint8_t *out)
{
    uint8_t expected[EVP_MAX_BLOCK_LENGTH];
    int written = -1, expected_size = -1;
    int ok = EVP_CipherFinal_ex(pair->mine, out, &written);

    assert_int_equal(EVP_CipherFinal_ex(pair->reference, expected, &expected_size), ok);
    if (!ok) {
        assert_reason(NULL, pair->row->alg);
        return -1;
    }
    assert_no_errors();
    assert_int_equal(written, expected_size);
    assert_memory_equal(out, expected, (size_t)written);
    return written;
}

static size_t update_pair_in_random_chunks(struct pair *pair, const uint8_t *in, size_t size,
                                           uint8_t *out)
{
    size_t total = 0;

    while (size != 0) {
        size_t chunk = random_below(3 * 16 + 2);

        if (chunk > size)
            chunk = size;
        total += update_pair(pair, in, chunk, out + total);
        in += chunk;
        size -= chunk;
    }
    return total;
}

static void random_chunks_come_out_as_from_libcrypto_in_both_directions(void **state)
{
    size_t refusals = 0, messages = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t round = 0; round < 200; round++, messages++) {
            uint8_t key[32], iv[16], in[MAX_TEXT], sealed[MAX_OUT], opened[MAX_OUT];
            size_t size = random_below(MAX_TEXT - 32), total;
            int padding = (int)random_below(2), last;
            struct pair pair = new_pair(n, 1);

            random_bytes(key, sizeof(key));
            random_bytes(iv, sizeof(iv));
            random_bytes(in, sizeof(in));
            set_padding(&pair, padding);
            init_pair(&pair, key, iv, 1);
            total = update_pair_in_random_chunks(&pair, in, size, sealed);
            last = final_pair(&pair, sealed + total);
            refusals += last < 0;
            total += last < 0 ? 0 : (size_t)last;

            /* A third of the ciphertexts is cut or damaged; then both refuse, or neither does. */
            if (total != 0 && random_below(3) == 0)
                total -= random_below(2);
            if (total != 0 && random_below(3) == 0)
                sealed[total - 1 - random_below(total)] ^= 0x40;
            init_pair(&pair, key, iv, 0);
            size = update_pair_in_random_chunks(&pair, sealed, total, opened);
            last = final_pair(&pair, opened + size);
            refusals += last < 0;
            free_pair(&pair);
        }
    }
    print_message("%zu messages, %zu refusals\n", messages, refusals);
    assert_in_range(refusals, 100, messages);
}

static void data_in_place_come_out_as_from_libcrypto(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int encrypt = 0; encrypt <= 1; encrypt++) {
            uint8_t key[32], iv[16], mine[MAX_TEXT], reference[MAX_TEXT];
            struct pair pair = new_pair(n, encrypt);

            pattern(key, sizeof(key), 5);
            pattern(iv, sizeof(iv), 6);
            pattern(mine, sizeof(mine), 7);
            memcpy(reference, mine, sizeof(mine));
            set_padding(&pair, 0);
            init_pair(&pair, key, iv, encrypt);
            for (size_t at = 0, chunk; at < sizeof(mine); at += chunk) {
                int written = 0, expected = 0;

                chunk = (1 + random_below(4)) * 16;
                if (chunk > sizeof(mine) - at)
                    chunk = sizeof(mine) - at;
                assert_int_equal(
                    EVP_CipherUpdate(pair.mine, mine + at, &written, mine + at, (int)chunk), 1);
                assert_int_equal(EVP_CipherUpdate(pair.reference, reference + at, &expected,
                                                  reference + at, (int)chunk),
                                 1);
                assert_int_equal(written, expected);
            }
            assert_memory_equal(mine, reference, sizeof(mine));
            free_pair(&pair);
        }
    }
}

static void initialising_again_without_key_or_iv_does_what_libcrypto_does(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t key[2][32], iv[2][16], in[MAX_TEXT], out[MAX_OUT];
        struct pair pair = new_pair(n, 1);

        for (size_t i = 0; i < 2; i++) {
            random_bytes(key[i], sizeof(key[i]));
            random_bytes(iv[i], sizeof(iv[i]));
        }
        random_bytes(in, sizeof(in));
        /* an IV before the key, then the key alone */
        init_pair(&pair, NULL, iv[0], 1);
        init_pair(&pair, key[0], NULL, 1);
        update_pair(&pair, in, 37, out);
        /* everything again, with a partial block behind it */
        init_pair(&pair, NULL, NULL, 1);
        update_pair(&pair, in, 50, out);
        init_pair(&pair, NULL, iv[1], 1);
        update_pair(&pair, in, 70, out);
        /* libcrypto's AES would keep the key schedule of the other direction without the key */
        init_pair(&pair, key[0], NULL, 0);
        update_pair(&pair, in, 80, out);
        init_pair(&pair, key[1], NULL, 1);
        update_pair(&pair, in, 33, out);
        init_pair(&pair, key[0], iv[0], 1);
        update_pair(&pair, in, 33, out);
        assert_int_not_equal(final_pair(&pair, out), -1);
        free_pair(&pair);
    }
}

static void a_copy_in_mid_stream_goes_its_own_way(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t cut = 0; cut <= 40; cut++) {
            for (int encrypt = 0; encrypt <= 1; encrypt++) {
                uint8_t key[32], iv[16], in[MAX_TEXT], other[MAX_TEXT], out[MAX_OUT];
                struct pair pair = new_pair(n, encrypt);
                struct pair copy = { &rows[n], EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_new() };

                random_bytes(key, sizeof(key));
                random_bytes(iv, sizeof(iv));
                random_bytes(in, sizeof(in));
                random_bytes(other, sizeof(other));
                init_pair(&pair, key, iv, encrypt);
                update_pair(&pair, in, cut, out);
                assert_int_equal(EVP_CIPHER_CTX_copy(copy.mine, pair.mine), 1);
                assert_int_equal(EVP_CIPHER_CTX_copy(copy.reference, pair.reference), 1);
                update_pair(&copy, other, 77, out);
                update_pair(&pair, in + cut, 100, out);
                update_pair(&copy, other, 35, out);
                final_pair(&pair, out);
                final_pair(&copy, out);
                free_pair(&pair);
                free_pair(&copy);
            }
        }
    }
}

static void rc4_takes_keys_of_1_to_256_bytes(void **state)
{
    uint8_t key[256], in[100], out[100];
    struct pair pair = new_pair(0, 1);

    (void)state;
    random_bytes(key, sizeof(key));
    random_bytes(in, sizeof(in));
    for (int size = 1; size <= 256; size++) {
        assert_int_equal(EVP_CIPHER_CTX_set_key_length(pair.mine, size), 1);
        assert_int_equal(EVP_CIPHER_CTX_set_key_length(pair.reference, size), 1);
        assert_int_equal(EVP_CIPHER_CTX_get_key_length(pair.mine), size);
        init_pair(&pair, key, NULL, 1);
        update_pair_in_random_chunks(&pair, in, sizeof(in), out);
    }
    free_pair(&pair);
}

static void key_lengths_that_a_cipher_does_not_take_are_refused(void **state)
{
    static const size_t wrong[ROWS][2] = { { 0, 257 }, { 16, 25 }, { 15, 32 }, { 16, 33 } };

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t key[32], iv[16], in[64], out[MAX_OUT];
        struct pair pair = new_pair(n, 1);

        pattern(key, sizeof(key), 1);
        pattern(iv, sizeof(iv), 2);
        pattern(in, sizeof(in), 3);
        init_pair(&pair, key, iv, 1);
        update_pair(&pair, in, 21, out);
        for (size_t i = 0; i < 2; i++) {
            size_t size = wrong[n][i];
            OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("keylen", &size),
                                    OSSL_PARAM_construct_end() };

            assert_int_equal(EVP_CIPHER_CTX_set_params(pair.mine, params), 0);
            assert_reason("invalid parameter", "keylen: expected ");
            assert_int_equal(EVP_CipherInit_ex2(pair.mine, NULL, key, iv, 1, params), 0);
            assert_reason("invalid parameter", "keylen: expected ");
            assert_int_equal(EVP_CIPHER_CTX_set_key_length(pair.mine, (int)size), 0);
            ERR_clear_error(); /* the core refuses most of them by itself */
        }
        assert_int_equal(EVP_CIPHER_CTX_get_key_length(pair.mine), rows[n].key_size);
        update_pair(&pair, in + 21, 43, out);
        free_pair(&pair);
    }
}

static void evp_cipher_works_on_whole_blocks(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int encrypt = 0; encrypt <= 1; encrypt++) {
            uint8_t key[32], iv[16], in[96], mine[MAX_OUT], reference[MAX_OUT];
            struct pair pair = new_pair(n, encrypt);

            pattern(key, sizeof(key), 1);
            pattern(iv, sizeof(iv), 2);
            pattern(in, sizeof(in), 3);
            init_pair(&pair, key, iv, encrypt);
            for (unsigned size = 16; size <= 96; size += 16) {
                if (rows[n].block_size > 1) {
                    assert_int_equal(EVP_Cipher(pair.mine, mine, in, size - 1), -1);
                    assert_reason("partial block", "whole blocks");
                }
                assert_int_equal(EVP_Cipher(pair.mine, mine, in, size), size);
                assert_int_equal(EVP_Cipher(pair.reference, reference, in, size), size);
                assert_memory_equal(mine, reference, size);
                assert_same_ivs(&pair);
            }
            /* with a partial block from an update before it */
            if (rows[n].block_size > 1) {
                update_pair(&pair, in, 5, mine);
                assert_int_equal(EVP_Cipher(pair.mine, mine, in, 16), -1);
                assert_reason("partial block", "whole blocks");
                update_pair(&pair, in + 5, 91, mine);
            }
            free_pair(&pair);
        }
    }
}

static void every_padding_is_judged_as_libcrypto_judges_it(void **state)
{
    size_t good = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        size_t block = rows[n].block_size;

        for (unsigned last = 0; block > 1 && last < 256; last++) {
            /* |wrong|: the byte of the block, from its end, that does not fit; 0 for none */
            for (size_t wrong = 0; wrong < block; wrong++) {
                uint8_t key[32], iv[16], in[32], sealed[MAX_OUT], out[MAX_OUT];
                struct pair pair = new_pair(n, 1);
                size_t size;
                int written;

                pattern(key, sizeof(key), last);
                pattern(iv, sizeof(iv), 2);
                memset(in, (int)last, sizeof(in));
                if (wrong != 0)
                    in[2 * block - 1 - wrong] ^= 0x80;
                set_padding(&pair, 0);
                init_pair(&pair, key, iv, 1);
                update_pair(&pair, in, 2 * block, sealed);
                set_padding(&pair, 1);
                init_pair(&pair, key, NULL, 0);
                size = update_pair(&pair, sealed, 2 * block, out);
                assert_int_equal(size, block);
                written = final_pair(&pair, out + size);
                if (last < 1 || last > block || (wrong != 0 && wrong < last))
                    assert_int_equal(written, -1);
                else
                    assert_int_equal(written, block - last);
                good += written >= 0;
                free_pair(&pair);
            }
        }
    }
    print_message("%zu good paddings\n", good);
}

static void a_refused_final_leaves_a_plain_context_where_it_was(void **state)
{
    (void)state;
    for (size_t n = 1; n < ROWS; n++) {
        for (int encrypt = 0; encrypt <= 1; encrypt++) {
            size_t block = rows[n].block_size, size;
            uint8_t key[32], iv[16], in[64], out[MAX_OUT], rest[32];
            struct pair pair = new_pair(n, encrypt);
            int written = 0;

            pattern(key, sizeof(key), 1);
            pattern(iv, sizeof(iv), 2);
            pattern(in, sizeof(in), 3);
            set_padding(&pair, 0);
            init_pair(&pair, key, iv, encrypt);
            size = update_pair(&pair, in, block + 3, out);
            assert_int_equal(EVP_CipherFinal_ex(pair.mine, out, &written), 0);
            assert_reason("partial block", "3 bytes");
            size += update_pair(&pair, in + block + 3, 64 - block - 3, out);
            assert_int_equal(size, 64);
            assert_int_equal(final_pair(&pair, out), 0);

            if (!encrypt) { /* bad padding, then the block that was held back comes out whole */
                set_padding(&pair, 1);
                init_pair(&pair, key, NULL, 0);
                assert_int_equal(update_pair(&pair, in, 2 * block, out), block);
                assert_int_equal(EVP_CipherFinal_ex(pair.mine, rest, &written), 0);
                assert_reason("bad decrypt", "padding");
                assert_int_equal(update_pair(&pair, in, 1, out), block);
            }
            free_pair(&pair);
        }
    }
}

static void sizes_and_modes_are_those_of_libcrypto(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        struct pair pair = new_pair(n, 1);

        assert_int_equal(EVP_CIPHER_get_key_length(ours[n]), EVP_CIPHER_get_key_length(theirs[n]));
        assert_int_equal(EVP_CIPHER_get_iv_length(ours[n]), EVP_CIPHER_get_iv_length(theirs[n]));
        assert_int_equal(EVP_CIPHER_get_block_size(ours[n]), EVP_CIPHER_get_block_size(theirs[n]));
        assert_int_equal(EVP_CIPHER_get_mode(ours[n]), EVP_CIPHER_get_mode(theirs[n]));
        assert_int_equal(EVP_CIPHER_CTX_get_key_length(pair.mine), rows[n].key_size);
        assert_int_equal(EVP_CIPHER_CTX_get_iv_length(pair.mine), rows[n].iv_size);
        assert_int_equal(EVP_CIPHER_CTX_get_block_size(pair.mine), rows[n].block_size);
        assert_string_equal(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(ours[n])), "schannel");
        free_pair(&pair);
    }
}

static void a_context_with_neither_key_nor_handle_refuses_data(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t iv[16] = { 0 }, out[32];
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        int written = 0;

        assert_int_equal(EVP_EncryptInit_ex2(context, ours[n], NULL, iv, NULL), 1);
        assert_int_equal(EVP_EncryptUpdate(context, out, &written, iv, 16), 0);
        assert_reason("no key", rows[n].alg);
        assert_int_equal(EVP_EncryptFinal_ex(context, out, &written), 0);
        assert_reason("no key", rows[n].alg);
        assert_int_equal(EVP_Cipher(context, out, iv, 16), -1);
        assert_reason("no key", rows[n].alg);
        EVP_CIPHER_CTX_free(context);
    }
}

/* ---- bound by key-handle ---- */

static EVP_PKEY *make_key(const struct row *row)
{
    uint8_t secret[32], iv[16];
    OSSL_PARAM params[5], *p = params;
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 11);
    pattern(iv, sizeof(iv), 77);
    *p++ = text_param("alg", row->alg);
    *p++ = octets_param("secret", secret, row->key_size);
    *p++ = text_param("seal-key", seal_key_a);
    if (row->iv_size != 0)
        *p++ = octets_param("iv", iv, row->iv_size);
    *p = OSSL_PARAM_construct_end();
    key = from_data(params);
    assert_non_null(key);
    return key;
}

static EVP_PKEY *make_key_of(const char *alg)
{
    for (size_t n = 0; n < ROWS; n++) {
        if (strcmp(rows[n].alg, alg) == 0)
            return make_key(&rows[n]);
    }
    return NULL;
}

static EVP_PKEY *make_mac_key(void)
{
    uint8_t secret[20] = { 1 };
    OSSL_PARAM params[] = { text_param("alg", "TLS1-MAC"), text_param("digest", "SHA1"),
                            octets_param("secret", secret, sizeof(secret)),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *key = from_data(params);

    assert_non_null(key);
    return key;
}

static void retire(EVP_PKEY *key)
{
    int yes = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int("retire", &yes), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_set_params(key, params), 1);
}

/* A context of libcrypto's with make_key's key bytes and IV, unpadded. */
static EVP_CIPHER_CTX *new_reference(size_t row, int encrypt)
{
    uint8_t secret[32], iv[16];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    pattern(secret, sizeof(secret), 11);
    pattern(iv, sizeof(iv), 77);
    assert_int_equal(EVP_CipherInit_ex2(context, theirs[row], secret, iv, encrypt, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    return context;
}

/* The whole text in one go: what all the pieces together have to give. */
static void uncut(size_t row, int encrypt, const uint8_t *in, size_t size, uint8_t *out)
{
    EVP_CIPHER_CTX *context = new_reference(row, encrypt);
    int written = 0;

    assert_int_equal(EVP_CipherUpdate(context, out, &written, in, (int)size), 1);
    assert_int_equal(written, size);
    EVP_CIPHER_CTX_free(context);
}

static int bind_to(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, EVP_PKEY *key, int encrypt)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM params[] = { octets_param("key-handle", handle, sizeof(handle)),
                            OSSL_PARAM_construct_end() };

    get_handle(key, handle);
    return EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, params);
}

static EVP_CIPHER_CTX *bound(size_t row, EVP_PKEY *key, int encrypt)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    assert_int_equal(bind_to(context, ours[row], key, encrypt), 1);
    return context;
}

static size_t update(EVP_CIPHER_CTX *context, const uint8_t *in, size_t size, uint8_t *out)
{
    int written = -1;

    assert_int_equal(EVP_CipherUpdate(context, out, &written, in, (int)size), 1);
    return (size_t)written;
}

static size_t final(EVP_CIPHER_CTX *context, uint8_t *out)
{
    int written = -1;

    assert_int_equal(EVP_CipherFinal_ex(context, out, &written), 1);
    return (size_t)written;
}

static void assert_chaining_value(const struct row *row, EVP_PKEY *key, const uint8_t *expected)
{
    uint8_t iv[16];
    size_t size = 0;

    if (row->iv_size == 0)
        return;
    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "iv", iv, sizeof(iv), &size), 1);
    assert_int_equal(size, row->iv_size);
    assert_memory_equal(iv, expected, size);
}

static void each_context_continues_where_the_one_before_it_stopped(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int encrypt = 0; encrypt <= 1; encrypt++) {
            for (size_t round = 0; round < 50; round++) {
                uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT];
                EVP_PKEY *key = make_key(&rows[n]);
                size_t total = 0, block = rows[n].block_size;

                random_bytes(in, sizeof(in));
                uncut(n, encrypt, in, sizeof(in), expected);
                for (size_t at = 0, chunk; at < sizeof(in); at += chunk) {
                    EVP_CIPHER_CTX *context = bound(n, key, encrypt);

                    chunk = random_below(40);
                    if (chunk > sizeof(in) - at)
                        chunk = sizeof(in) - at;
                    total += update(context, in + at, chunk, out + total);
                    assert_int_equal(total, (at + chunk) / block * block);
                    if (total != 0)
                        assert_chaining_value(&rows[n], key,
                                              (encrypt ? out : in) + total - rows[n].iv_size);
                    EVP_CIPHER_CTX_free(context);
                }
                assert_int_equal(total, sizeof(in));
                assert_memory_equal(out, expected, total);
                EVP_PKEY_free(key);
            }
        }
    }
}

static void a_bound_context_pads_only_when_told_to(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t in[TEXT_SIZE], expected[MAX_OUT], out[MAX_OUT];
        size_t block = rows[n].block_size, size = 5 * block + block / 2, total, whole;
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_CIPHER_CTX *context = bound(n, key, 1), *reference = new_reference(n, 1);
        int written = -1;

        pattern(in, sizeof(in), 3);
        EVP_CIPHER_CTX_set_padding(reference, 1);
        whole = update(reference, in, size, expected);
        whole += final(reference, expected + whole);

        total = update(context, in, 5 * block, out);
        assert_int_equal(final(context, out + total), 0);
        total += update(context, in + total, size - total, out + total);
        if (block > 1) {
            assert_int_equal(EVP_CipherFinal_ex(context, out + total, &written), 0);
            assert_reason("partial block", rows[n].alg);
        }
        assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 1), 1);
        total += final(context, out + total);
        assert_int_equal(total, whole);
        assert_memory_equal(out, expected, total);
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_CTX_free(reference);
        EVP_PKEY_free(key);
    }
}

static void two_contexts_on_one_key_advance_one_state(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int encrypt = 0; encrypt <= 1; encrypt++) {
            uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT], iv[16];
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_CIPHER_CTX *context[2] = { bound(n, key, encrypt), bound(n, key, encrypt) };
            size_t total = 0;

            random_bytes(in, sizeof(in));
            uncut(n, encrypt, in, sizeof(in), expected);
            for (size_t at = 0, chunk; at < sizeof(in); at += chunk) {
                size_t which = random_below(2), size = rows[n].iv_size;

                chunk = random_below(40);
                if (chunk > sizeof(in) - at)
                    chunk = sizeof(in) - at;
                total += update(context[which], in + at, chunk, out + total);
                /* either of them tells the chaining value that the key has */
                assert_int_equal(EVP_CIPHER_CTX_get_updated_iv(context[!which], iv, sizeof(iv)), 1);
                if (total != 0 && size != 0)
                    assert_memory_equal(iv, (encrypt ? out : in) + total - size, size);
            }
            assert_int_equal(total, sizeof(in));
            assert_memory_equal(out, expected, total);
            EVP_CIPHER_CTX_free(context[0]);
            EVP_CIPHER_CTX_free(context[1]);
            EVP_PKEY_free(key);
        }
    }
}

/* Ends the padded decryption of |sealed| that |key| holds the last block of. */
static void check_held_back_block(size_t row, EVP_PKEY *key, const uint8_t *plain, size_t size)
{
    EVP_CIPHER_CTX *context = bound(row, key, 0);
    uint8_t out[32];

    EVP_CIPHER_CTX_set_padding(context, 1);
    assert_int_equal(final(context, out), size);
    assert_memory_equal(out, plain, size);
    EVP_CIPHER_CTX_free(context);
}

static void the_block_that_a_padded_decryption_holds_back_is_kept_in_the_key(void **state)
{
    (void)state;
    for (size_t n = 1; n < ROWS; n++) {
        uint8_t in[TEXT_SIZE], sealed[MAX_OUT], out[MAX_OUT], blob[MAX_BLOB];
        size_t block = rows[n].block_size, size = 3 * block + 5, total;
        EVP_PKEY *key = make_key(&rows[n]), *moved;
        EVP_CIPHER_CTX *context = new_reference(n, 1);

        pattern(in, sizeof(in), 3);
        EVP_CIPHER_CTX_set_padding(context, 1);
        total = update(context, in, size, sealed);
        total += final(context, sealed + total);
        assert_int_equal(total, 4 * block);
        EVP_CIPHER_CTX_free(context);

        context = bound(n, key, 0);
        EVP_CIPHER_CTX_set_padding(context, 1);
        assert_int_equal(update(context, sealed, total, out), 3 * block);
        assert_memory_equal(out, in, 3 * block);
        EVP_CIPHER_CTX_free(context);
        moved = import_blob(blob, export_blob(key, blob), seal_key_a);
        assert_non_null(moved);
        check_held_back_block(n, moved, in + 3 * block, 5);
        check_held_back_block(n, key, in + 3 * block, 5);
        EVP_PKEY_free(moved);
        EVP_PKEY_free(key);
    }
}

static void initialising_a_bound_context_without_a_key_keeps_binding_and_state(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT];
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_CIPHER_CTX *context = bound(n, key, 1);
        size_t total;

        pattern(in, sizeof(in), 3);
        uncut(n, 1, in, sizeof(in), expected);
        total = update(context, in, 37, out);
        assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, NULL, 1, NULL), 1);
        total += update(context, in + 37, sizeof(in) - 37, out + total);
        assert_int_equal(total, sizeof(in));
        assert_memory_equal(out, expected, total);
        EVP_CIPHER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void an_iv_given_to_a_bound_context_is_set_on_the_key(void **state)
{
    (void)state;
    for (size_t n = 1; n < ROWS; n++) {
        for (int how = 0; how < 2; how++) { /* beside the handle, or later without one */
            uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT], iv[16];
            uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
            OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                                  OSSL_PARAM_construct_end() };
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_CIPHER_CTX *context = bound(n, key, 1), *reference = new_reference(n, 1);

            get_handle(key, handle);
            pattern(in, sizeof(in), 3);
            pattern(iv, sizeof(iv), 200);
            update(context, in, 21, out); /* a partial block, which goes */
            assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, iv, 1, how == 0 ? bind : NULL),
                             1);
            assert_chaining_value(&rows[n], key, iv);
            assert_int_equal(EVP_CIPHER_CTX_get_original_iv(context, out, sizeof(out)), 1);
            assert_memory_equal(out, iv, rows[n].iv_size);
            assert_int_equal(EVP_CipherInit_ex2(reference, NULL, NULL, iv, 1, NULL), 1);
            update(reference, in, sizeof(in), expected);
            assert_int_equal(update(context, in, sizeof(in), out), sizeof(in));
            assert_memory_equal(out, expected, sizeof(in));
            EVP_CIPHER_CTX_free(context);
            EVP_CIPHER_CTX_free(reference);
            EVP_PKEY_free(key);
        }
    }
}

static void key_bytes_unbind_a_context_and_leave_its_key_alone(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t in[TEXT_SIZE], expected[MAX_OUT], out[MAX_OUT], secret[32], iv[16];
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_CIPHER_CTX *context = bound(n, key, 1), *reference = new_reference(n, 1);
        size_t total;

        pattern(in, sizeof(in), 3);
        pattern(secret, sizeof(secret), 201);
        pattern(iv, sizeof(iv), 202);
        total = update(context, in, 37, out);
        assert_int_equal(EVP_CipherInit_ex2(context, NULL, secret, iv, 1, NULL), 1);
        assert_int_equal(EVP_CipherInit_ex2(reference, NULL, secret, iv, 1, NULL), 1);
        EVP_CIPHER_CTX_set_padding(reference, 1); /* it behaves like any context again */
        assert_int_equal(update(context, in, 100, out + total),
                         update(reference, in, 100, expected));
        assert_memory_equal(out + total, expected, 96);
        assert_int_equal(final(context, out + total), final(reference, expected));
        assert_memory_equal(out + total, expected, rows[n].block_size > 1 ? 8 : 0);
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_CTX_free(reference);

        uncut(n, 1, in, sizeof(in), expected);
        context = bound(n, key, 1);
        total += update(context, in + 37, sizeof(in) - 37, out + total);
        assert_int_equal(total, sizeof(in));
        assert_memory_equal(out, expected, total);
        EVP_CIPHER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void a_handle_binds_a_context_that_had_key_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t in[TEXT_SIZE], expected[MAX_OUT], out[MAX_OUT], secret[32], iv[16];
        uint8_t handle[KEY_HANDLE_SIZE] = { 0 };
        OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                              OSSL_PARAM_construct_end() };
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

        get_handle(key, handle);
        pattern(in, sizeof(in), 3);
        pattern(secret, sizeof(secret), 201);
        pattern(iv, sizeof(iv), 202);
        assert_int_equal(EVP_EncryptInit_ex2(context, ours[n], secret, iv, NULL), 1);
        update(context, in, 21, out);
        assert_int_equal(EVP_CIPHER_CTX_set_params(context, bind), 1);
        uncut(n, 1, in, sizeof(in), expected);
        assert_int_equal(update(context, in, sizeof(in), out), sizeof(in));
        assert_memory_equal(out, expected, sizeof(in));
        EVP_CIPHER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

static void a_key_cannot_turn_round_inside_a_block(void **state)
{
    (void)state;
    for (size_t n = 1; n < ROWS; n++) {
        for (int encrypt = 0; encrypt <= 1; encrypt++) {
            uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT], iv[16];
            size_t block = rows[n].block_size, total;
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_CIPHER_CTX *other = bound(n, key, !encrypt), *fresh = EVP_CIPHER_CTX_new();
            EVP_CIPHER_CTX *context = bound(n, key, encrypt);
            int written = -1;

            pattern(in, sizeof(in), 3);
            pattern(iv, sizeof(iv), 77);
            uncut(n, encrypt, in, sizeof(in), expected);
            total = update(context, in, block + 3, out);
            assert_int_equal(bind_to(fresh, ours[n], key, !encrypt), 0);
            assert_reason("partial block", "3 bytes of a block");
            /* a context that was bound the other way before */
            assert_int_equal(EVP_CipherUpdate(other, out + total, &written, in, 16), 0);
            assert_reason("partial block", "3 bytes of a block");
            assert_int_equal(EVP_CipherInit_ex2(other, NULL, NULL, NULL, !encrypt, NULL), 0);
            assert_reason("partial block", "3 bytes of a block");
            total += update(context, in + block + 3, 2 * block - 3, out + total);
            assert_int_equal(total, 3 * block);
            assert_memory_equal(out, expected, total);
            /* between two blocks it can, and with a new IV anywhere */
            assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, NULL, !encrypt, NULL), 1);
            assert_int_equal(update(context, in, 3, out), 0);
            assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, iv, encrypt, NULL), 1);
            assert_int_equal(update(context, in, sizeof(in), out), sizeof(in));
            assert_memory_equal(out, expected, sizeof(in));
            EVP_CIPHER_CTX_free(context);
            EVP_CIPHER_CTX_free(other);
            EVP_CIPHER_CTX_free(fresh);
            EVP_PKEY_free(key);
        }
    }
}

static void a_copy_of_a_bound_context_has_a_key_of_its_own(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT], first[MAX_OUT];
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_CIPHER_CTX *context = bound(n, key, 1), *copy = EVP_CIPHER_CTX_new();
        size_t total, start;

        pattern(in, sizeof(in), 3);
        uncut(n, 1, in, sizeof(in), expected);
        start = update(context, in, 37, first);
        assert_int_equal(EVP_CIPHER_CTX_copy(copy, context), 1);
        /* the copy, then the key itself, and the copy again when the key is gone */
        memcpy(out, first, start);
        total = start + update(copy, in + 37, 60, out + start);
        start += update(context, in + 37, sizeof(in) - 37, first + start);
        assert_int_equal(start, sizeof(in));
        assert_memory_equal(first, expected, start);
        retire(key);
        EVP_CIPHER_CTX_free(context);
        EVP_PKEY_free(key);
        total += update(copy, in + 97, sizeof(in) - 97, out + total);
        assert_int_equal(total, sizeof(in));
        assert_memory_equal(out, expected, total);
        EVP_CIPHER_CTX_free(copy);
    }
}

static void a_bound_context_keeps_its_key_alive(void **state)
{
    uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT];
    EVP_PKEY *key = make_key(&rows[2]);
    EVP_CIPHER_CTX *context = bound(2, key, 1);

    (void)state;
    EVP_PKEY_free(key);
    pattern(in, sizeof(in), 3);
    uncut(2, 1, in, sizeof(in), expected);
    assert_int_equal(update(context, in, sizeof(in), out), sizeof(in));
    assert_memory_equal(out, expected, sizeof(in));
    EVP_CIPHER_CTX_free(context);
}

/* ---- what is no key for a context ---- */

static void a_retired_key_refuses_those_who_are_bound_to_it(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t block[16] = { 0 }, out[32];
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_CIPHER_CTX *context = bound(n, key, 1), *copy = EVP_CIPHER_CTX_new();
        int written = 0;

        retire(key);
        assert_int_equal(EVP_EncryptUpdate(context, out, &written, block, 16), 0);
        assert_reason("key has been retired", rows[n].alg);
        assert_int_equal(EVP_EncryptFinal_ex(context, out, &written), 0);
        assert_reason("key has been retired", rows[n].alg);
        assert_int_equal(EVP_Cipher(context, out, block, 16), -1);
        assert_reason("key has been retired", rows[n].alg);
        assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, NULL, 1, NULL), 0);
        assert_reason("key has been retired", rows[n].alg);
        assert_int_equal(EVP_CIPHER_CTX_copy(copy, context), 0);
        assert_reason("key has been retired", rows[n].alg);
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_CTX_free(copy);
        EVP_PKEY_free(key);
    }
}

/* |context| refuses |param| whichever way it comes. */
static void check_refused(EVP_CIPHER_CTX *context, OSSL_PARAM param, const char *reason,
                          const char *detail)
{
    OSSL_PARAM params[] = { param, OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, NULL, 1, params), 0);
    assert_reason(reason, detail);
    assert_int_equal(EVP_CIPHER_CTX_set_params(context, params), 0);
    assert_reason(reason, detail);
}

static void check_key_refused(EVP_CIPHER_CTX *context, EVP_PKEY *key, const char *reason,
                              const char *detail)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 };

    get_handle(key, handle);
    check_refused(context, octets_param("key-handle", handle, sizeof(handle)), reason, detail);
    EVP_PKEY_free(key);
}

static void refuse_every_bad_handle(size_t row, EVP_CIPHER_CTX *context)
{
    uint8_t handle[KEY_HANDLE_SIZE + 1] = { 0 }, secret[32] = { 0 };
    OSSL_PARAM both[] = { octets_param("key-handle", handle, KEY_HANDLE_SIZE),
                          OSSL_PARAM_construct_end() };
    unsigned yes = 1;
    OSSL_PARAM padded[] = { OSSL_PARAM_construct_uint("padding", &yes),
                            octets_param("key-handle", handle, KEY_HANDLE_SIZE),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *key = make_key(&rows[row]), *retired;

    get_handle(key, handle);
    check_refused(context, octets_param("key-handle", handle, 15), "invalid length",
                  "key-handle: expected 16 bytes, got 15");
    check_refused(context, octets_param("key-handle", handle, 17), "invalid length",
                  "key-handle: expected 16 bytes, got 17");
    check_refused(context, text_param("key-handle", "0123456789abcdef"), "invalid parameter",
                  "key-handle: expected an octet string");
    check_refused(context, text_param("padding", "yes"), "invalid parameter",
                  "padding: expected an integer");
    /* a good handle, but key bytes as well */
    assert_int_equal(EVP_CipherInit_ex2(context, NULL, secret, NULL, 1, both), 0);
    assert_reason("conflicting parameters", "key-handle");
    handle[5] ^= 1;
    /* padding beside a bad handle is not taken over either */
    assert_int_equal(EVP_CipherInit_ex2(context, NULL, NULL, NULL, 1, padded), 0);
    assert_reason("unknown key handle", "names no live key");
    check_refused(context, octets_param("key-handle", handle, KEY_HANDLE_SIZE),
                  "unknown key handle", "names no live key");
    handle[5] ^= 1;
    EVP_PKEY_free(key);
    check_refused(context, octets_param("key-handle", handle, KEY_HANDLE_SIZE),
                  "unknown key handle", "names no live key");

    check_key_refused(context, make_mac_key(), "wrong kind of key", "expected a cipher key");
    check_key_refused(context, make_key_of(rows[row].other_alg), "wrong kind of key",
                      rows[row].other_alg);
    retired = make_key(&rows[row]);
    get_handle(retired, handle);
    retire(retired);
    check_refused(context, octets_param("key-handle", handle, KEY_HANDLE_SIZE),
                  "key has been retired", rows[row].alg);
    EVP_PKEY_free(retired);
}

static void bad_handles_are_refused_and_leave_a_context_as_it_was(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (int is_bound = 0; is_bound <= 1; is_bound++) {
            uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT], secret[32], iv[16];
            EVP_PKEY *key = make_key(&rows[n]);
            EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
            size_t total;

            pattern(in, sizeof(in), 3);
            pattern(secret, sizeof(secret), 11);
            pattern(iv, sizeof(iv), 77);
            uncut(n, 1, in, sizeof(in), expected);
            if (is_bound) {
                assert_int_equal(bind_to(context, ours[n], key, 1), 1);
            } else {
                assert_int_equal(EVP_EncryptInit_ex2(context, ours[n], secret, iv, NULL), 1);
                EVP_CIPHER_CTX_set_padding(context, 0);
            }
            total = update(context, in, 37, out);
            refuse_every_bad_handle(n, context);
            total += update(context, in + 37, sizeof(in) - 37, out + total);
            assert_int_equal(final(context, out), 0);
            assert_int_equal(total, sizeof(in));
            assert_memory_equal(out, expected, total);
            EVP_CIPHER_CTX_free(context);
            EVP_PKEY_free(key);
        }
    }
}

static void an_iv_of_the_wrong_length_is_refused_by_the_key(void **state)
{
    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], out[MAX_OUT], iv[32] = { 0 };
        EVP_PKEY *key = make_key(&rows[n]);
        EVP_CIPHER_CTX *context = bound(n, key, 1);
        OSSL_PARAM params[] = { octets_param("iv", iv, rows[n].iv_size + 1),
                                OSSL_PARAM_construct_end() };
        size_t total;

        pattern(in, sizeof(in), 3);
        uncut(n, 1, in, sizeof(in), expected);
        total = update(context, in, 37, out);
        assert_int_equal(EVP_PKEY_set_params(key, params), 0);
        if (rows[n].iv_size != 0)
            assert_reason("invalid length", "iv: expected ");
        else
            assert_reason("wrong kind of key", "iv: ");
        total += update(context, in + 37, sizeof(in) - 37, out + total);
        assert_memory_equal(out, expected, sizeof(in));
        EVP_CIPHER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* ---- threads ---- */

#define THREADS     16
#define RECORD_SIZE 64
#define RECORDS     500 /* of each thread */

struct worker {
    pthread_t thread;
    EVP_PKEY *key;
    unsigned seed;
    int failed;
    uint8_t (*stream)[RECORD_SIZE]; /* output XOR input, record by record */
};

static void *encrypt_records(void *argument)
{
    struct worker *worker = argument;
    uint8_t in[RECORD_SIZE], handle[KEY_HANDLE_SIZE] = { 0 };
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    size_t size = 0;

    worker->failed = !EVP_PKEY_get_octet_string_param(worker->key, "key-handle", handle,
                                                      sizeof(handle), &size) ||
                     !EVP_EncryptInit_ex2(context, ours[0], NULL, NULL, bind);
    for (size_t n = 0; n < RECORDS && !worker->failed; n++) {
        int written = 0;

        pattern(in, sizeof(in), worker->seed + (unsigned)n);
        worker->failed =
            !EVP_EncryptUpdate(context, worker->stream[n], &written, in, RECORD_SIZE) ||
            written != RECORD_SIZE;
        for (size_t i = 0; i < RECORD_SIZE; i++)
            worker->stream[n][i] ^= in[i];
    }
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

static int compare_records(const void *a, const void *b)
{
    return memcmp(a, b, RECORD_SIZE);
}

static void records_of_many_threads_are_the_records_of_one_keystream(void **state)
{
    static uint8_t expected[THREADS * RECORDS][RECORD_SIZE], actual[THREADS * RECORDS][RECORD_SIZE];
    static uint8_t zeros[sizeof(expected)];
    struct worker workers[THREADS];
    EVP_PKEY *key = make_key(&rows[0]);

    (void)state;
    uncut(0, 1, zeros, sizeof(zeros), expected[0]);
    for (size_t n = 0; n < THREADS; n++) {
        workers[n] = (struct worker){ .key = key, .seed = (unsigned)(7 * n + 1) };
        workers[n].stream = &actual[n * RECORDS];
        assert_int_equal(pthread_create(&workers[n].thread, NULL, encrypt_records, &workers[n]), 0);
    }
    for (size_t n = 0; n < THREADS; n++) {
        pthread_join(workers[n].thread, NULL);
        assert_int_equal(workers[n].failed, 0);
    }
    qsort(expected, THREADS * RECORDS, RECORD_SIZE, compare_records);
    qsort(actual, THREADS * RECORDS, RECORD_SIZE, compare_records);
    assert_memory_equal(actual, expected, sizeof(expected));
    EVP_PKEY_free(key);
}

#define TEST(name) cmocka_unit_test_setup(name, starts_with_a_clean_queue)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(random_chunks_come_out_as_from_libcrypto_in_both_directions),
        TEST(data_in_place_come_out_as_from_libcrypto),
        TEST(initialising_again_without_key_or_iv_does_what_libcrypto_does),
        TEST(a_copy_in_mid_stream_goes_its_own_way),
        TEST(rc4_takes_keys_of_1_to_256_bytes),
        TEST(key_lengths_that_a_cipher_does_not_take_are_refused),
        TEST(evp_cipher_works_on_whole_blocks),
        TEST(every_padding_is_judged_as_libcrypto_judges_it),
        TEST(a_refused_final_leaves_a_plain_context_where_it_was),
        TEST(sizes_and_modes_are_those_of_libcrypto),
        TEST(a_context_with_neither_key_nor_handle_refuses_data),
        TEST(each_context_continues_where_the_one_before_it_stopped),
        TEST(a_bound_context_pads_only_when_told_to),
        TEST(two_contexts_on_one_key_advance_one_state),
        TEST(the_block_that_a_padded_decryption_holds_back_is_kept_in_the_key),
        TEST(initialising_a_bound_context_without_a_key_keeps_binding_and_state),
        TEST(an_iv_given_to_a_bound_context_is_set_on_the_key),
        TEST(key_bytes_unbind_a_context_and_leave_its_key_alone),
        TEST(a_handle_binds_a_context_that_had_key_bytes),
        TEST(a_key_cannot_turn_round_inside_a_block),
        TEST(a_copy_of_a_bound_context_has_a_key_of_its_own),
        TEST(a_bound_context_keeps_its_key_alive),
        TEST(a_retired_key_refuses_those_who_are_bound_to_it),
        TEST(bad_handles_are_refused_and_leave_a_context_as_it_was),
        TEST(an_iv_of_the_wrong_length_is_refused_by_the_key),
        TEST(records_of_many_threads_are_the_records_of_one_keystream),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
