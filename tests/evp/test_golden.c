/*
 * Golden blobs: format version 1 is frozen.  A second implementation writes exactly the committed
 * bytes, the provider reads them for ever, and every key goes on as if it had never been cut.
 *
 * Called with the word "write" this prints the file of golden blobs.
 */
#include "golden_opening.h"

#include <time.h>
#include <unistd.h>
#include <openssl/encoder.h>
#include <openssl/kdf.h>
#include "vectors.h"

#define VECTOR_FILE   "golden-opaque-v1.txt"
#define LIFETIME      600u
#define KEY_BLOCK_MAX 136

/* ---- parameters that can be read from a key ---- */

enum value_type { TEXT, NUMBER, OCTETS };

static const struct {
    const char *name;
    enum value_type type;
} gettable[] = {
    { "alg", TEXT },
    { "kind", TEXT },
    { "bits", NUMBER },
    { "security-bits", NUMBER },
    { "max-size", NUMBER },
    { "usage", TEXT },
    { "iv", OCTETS },
    { "salt", OCTETS },
    { "sequence", NUMBER },
    { "digest", TEXT },
    { "client-random", OCTETS },
    { "server-random", OCTETS },
    { "exportable", NUMBER },
    { "fork", TEXT },
    { "key-id", TEXT },
};

#define GETTABLE (sizeof(gettable) / sizeof(gettable[0]))

static const char *const usage_names[] = { "", "client-write-key", "server-write-key",
                                           "client-write-mac", "server-write-mac" };
static const char *const digest_names[] = { NULL, "MD5", "SHA1" };

/* ---- writing the file ---- */

static void print_hex(const char *name, const uint8_t *data, size_t size)
{
    printf("%s =%s", name, size != 0 ? " " : "");
    for (size_t n = 0; n < size; n++)
        printf("%02x", data[n]);
    printf("\n");
}

static void print_filled(const struct golden_case *golden, const char *name, const char *label,
                         size_t size)
{
    uint8_t data[64];

    golden_fill(golden, label, data, size);
    print_hex(name, data, size);
}

/* What the key object will answer; a parameter that is not there is one that such a key lacks. */
static void print_parameters(const struct golden_case *golden, const struct golden_bytes *payload)
{
    static const char *const kinds[] = { NULL, "master", "cipher", "mac" };
    const struct golden_alg *alg = golden_alg_of(golden);
    const int is_cipher = alg->kind == GOLDEN_CIPHER;
    size_t bits = alg->kind == GOLDEN_MASTER ? 384 : 8 * golden_key_size(golden), most = 136;

    if (is_cipher)
        most = alg->block_size != 0 ? alg->block_size : 1;
    else if (alg->kind == GOLDEN_MAC)
        most = golden->digest == GOLDEN_MD5 ? 16 : 20;
    printf("alg = %s\nkind = %s\nbits = %zu\n", alg->name, kinds[alg->kind], bits);
    printf("security-bits = %zu\nmax-size = %zu\n", golden->alg == DES_EDE3 ? 112 : bits, most);
    printf("usage = %s\n", usage_names[golden->usage]);
    if (alg->block_size != 0)
        print_hex("iv", payload->data + golden_find(payload, "chain")->offset, alg->block_size);
    if (is_cipher)
        print_filled(golden, "salt", "salt", golden->has_salt ? 11 : 0);
    if (alg->kind == GOLDEN_MAC)
        printf("sequence = %llu\n", (unsigned long long)golden->sequence);
    if (golden->digest != 0)
        printf("digest = %s\n", digest_names[golden->digest]);
    if (alg->kind == GOLDEN_MASTER) {
        print_filled(golden, "client-random", "client_random", golden->client_random);
        print_filled(golden, "server-random", "server_random", golden->server_random);
    }
    printf("exportable = %u\nfork = %s\n", golden->exportable, golden->fork ? "allow" : "refuse");
    print_filled(golden, "key-id", "key id", 8);
}

static void print_stanza(const struct golden_case *golden)
{
    static struct golden_bytes blob, payload;
    uint8_t secret[GOLDEN_SECRET_SIZE];

    golden_blob(golden, &blob);
    golden_payload(golden, &payload);
    printf("\nName = %s\n", golden->name);
    golden_sealing_key(secret);
    if (golden->has_passphrase)
        printf("Passphrase = %s\n", GOLDEN_PASSWORD);
    else
        print_hex("SealingKey", secret, sizeof(secret));
    if (golden->audience != NULL)
        printf("Audience = %s\n", golden->audience);
    printf("OpensAs = %s\n", golden->is_for_context ? "context" : "key");
    print_parameters(golden, &payload);
    print_hex("Blob", blob.data, blob.size);
}

static int write_file(void)
{
    printf(
        "# Golden opaque blobs of format version 1, which is frozen: every release reads them.\n"
        "# Written by tests/evp/golden_writer.c, which is not the provider's own code, from the\n"
        "# description in provider/blob/opaque.h: evp_golden write.  Parameters in lower case are\n"
        "# what the key answers; one that is missing is one that such a key lacks.  Keys of\n"
        "# \"OpensAs = context\" have sizes that no key object can have.\n");
    for (size_t n = 0; n < golden_case_count; n++)
        print_stanza(&golden_cases[n]);
    return 0;
}

/* ---- reading the file ---- */

static const struct golden_case *case_of(const struct vectors *vectors)
{
    const char *name = vectors_string(vectors, "Name");

    for (size_t n = 0; n < golden_case_count; n++) {
        if (strcmp(golden_cases[n].name, name) == 0)
            return &golden_cases[n];
    }
    vectors_fail(vectors, "no such case");
}

/* Calls |check| with each stanza and its case. */
static void for_each(void (*check)(struct vectors *, const struct golden_case *, struct octets))
{
    struct vectors *vectors = vectors_open(VECTOR_FILE);
    size_t count = 0;

    ERR_clear_error();
    while (vectors_next(vectors)) {
        golden_forget_claims();
        check(vectors, case_of(vectors), vectors_hex(vectors, "Blob"));
        count++;
    }
    vectors_close(vectors);
    assert_int_equal(count, golden_case_count);
}

/* ---- (a) the second implementation ---- */

static void check_written(struct vectors *vectors, const struct golden_case *golden,
                          struct octets blob)
{
    static struct golden_bytes written;
    uint8_t secret[GOLDEN_SECRET_SIZE];

    golden_blob(golden, &written);
    vectors_expect(vectors, "Blob", (struct octets){ written.data, written.size });
    golden_secret(golden, secret);
    if (golden->has_passphrase)
        assert_string_equal(vectors_string(vectors, "Passphrase"), GOLDEN_PASSWORD);
    else
        vectors_expect(vectors, "SealingKey", (struct octets){ secret, sizeof(secret) });
    assert_in_range(blob.size, 1, 600);
}

static void a_second_implementation_writes_exactly_the_committed_bytes(void **state)
{
    (void)state;
    for_each(check_written);
    print_message("%zu golden blobs\n", golden_case_count);
}

/* ---- (b) every parameter ---- */

static EVP_PKEY *open_key(const struct golden_case *golden, struct octets blob, int by_decoder)
{
    EVP_PKEY *key;

    if (by_decoder || golden->has_passphrase)
        key = golden_decode(blob.data, blob.size, golden->audience,
                            golden->has_passphrase ? GOLDEN_PASSWORD : NULL);
    else
        key = golden_import(blob.data, blob.size, golden->audience);
    if (key == NULL)
        fail_msg("%s does not open", golden->name);
    return key;
}

/* 1 with |value| printed as in the file; 0: the key lacks the parameter. */
static int get_parameter(EVP_PKEY *key, const char *name, enum value_type type, char *value,
                         size_t room)
{
    uint8_t octets[64];
    uint64_t number = 0;
    size_t size = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64(name, &number),
                            OSSL_PARAM_construct_end() };

    value[0] = '\0';
    if (type == TEXT)
        return EVP_PKEY_get_utf8_string_param(key, name, value, room, NULL);
    if (type == NUMBER) {
        snprintf(value, room, "%s", "");
        if (!EVP_PKEY_get_params(key, params))
            return 0;
        snprintf(value, room, "%llu", (unsigned long long)number);
        return 1;
    }
    if (!EVP_PKEY_get_octet_string_param(key, name, octets, sizeof(octets), &size))
        return 0;
    for (size_t n = 0; n < size; n++)
        snprintf(value + 2 * n, room - 2 * n, "%02x", octets[n]);
    return 1;
}

static size_t parameters_read;

static void check_parameters(struct vectors *vectors, EVP_PKEY *key)
{
    for (size_t n = 0; n < GETTABLE; n++, parameters_read++) {
        const char *name = gettable[n].name;
        char value[160];
        int has = get_parameter(key, name, gettable[n].type, value, sizeof(value));

        if (!vectors_has(vectors, name)) {
            assert_int_equal(has, 0);
            assert_reason("wrong kind of key", name);
        } else if (!has || strcmp(value, vectors_string(vectors, name)) != 0) {
            vectors_fail(vectors, "%s is \"%s\"", name, has ? value : "(lacking)");
        }
    }
    if (vectors_string(vectors, "kind")[0] == 'm' && vectors_has(vectors, "sequence")) {
        char digest[16];

        assert_int_equal(EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)), 1);
        assert_string_equal(digest, vectors_string(vectors, "digest"));
    }
}

static void check_read(struct vectors *vectors, const struct golden_case *golden,
                       struct octets blob)
{
    char claim[128];

    if (golden->is_for_context)
        return;
    for (int by_decoder = 0; by_decoder < 2; by_decoder++) {
        EVP_PKEY *key = open_key(golden, blob, by_decoder);

        check_parameters(vectors, key);
        EVP_PKEY_free(key);
    }
    golden_claim_name(0, claim); /* looking is no use */
    assert_no_errors();
}

static void every_parameter_of_an_opened_key_is_as_described(void **state)
{
    (void)state;
    parameters_read = 0;
    for_each(check_read);
    print_message("%zu parameters\n", parameters_read);
}

static void check_refused_as_key(struct vectors *vectors, const struct golden_case *golden,
                                 struct octets blob)
{
    (void)vectors;
    if (golden->has_passphrase) {
        assert_null(golden_import(blob.data, blob.size, golden->audience));
        assert_reason("no passphrase", "");
        assert_null(golden_decode(blob.data, blob.size, golden->audience, "wrong"));
        assert_reason("seal does not verify", "");
    }
    if (!golden->is_for_context)
        return;
    assert_null(golden_import(blob.data, blob.size, golden->audience));
    assert_reason("wrong kind of key", "no key object can have");
    assert_null(golden_decode(blob.data, blob.size, golden->audience, NULL));
    assert_reason("wrong kind of key", "no key object can have");
}

static void context_states_make_no_keys_and_passphrases_are_needed(void **state)
{
    (void)state;
    for_each(check_refused_as_key);
}

/* ---- (b) going on ---- */

/* The same text uncut, with the implementation of OpenSSL: what is still to come goes to |rest|. */
static size_t uncut_cipher(const struct golden_case *golden, const uint8_t **input,
                           size_t *input_size, const uint8_t **rest)
{
    static uint8_t text[GOLDEN_TEXT_SIZE], output[GOLDEN_TEXT_SIZE + 16];
    const size_t block = golden_alg_of(golden)->block_size;
    uint8_t key[GOLDEN_MAX_KEY + 11], iv[16];
    size_t size = golden_key_size(golden), total = GOLDEN_TEXT_SIZE, done = golden->position;
    int written = 0;

    golden_text(golden, text);
    golden_fill(golden, "key", key, size);
    *input = text + golden->position;
    *input_size = GOLDEN_TEXT_SIZE - golden->position;
    if (block != 0) {
        golden_fill(golden, "iv", iv, block);
        total = golden_cbc(golden_alg_of(golden)->name, key, iv, text, sizeof(text), output);
        done = done / block * block;
        if (golden->padding && done == golden->position && done != 0)
            done -= block;
        if (golden->direction == GOLDEN_DECRYPT) {
            *input = output + golden->position;
            *input_size = total - golden->position;
            *rest = text + done;
            return GOLDEN_TEXT_SIZE - done;
        }
    } else {
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "RC4", "provider=legacy");

        if (golden->has_salt) {
            golden_fill(golden, "salt", key + size, 11);
            size += 11;
        }
        assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL), 1);
        assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)size), 1);
        assert_int_equal(EVP_EncryptInit_ex2(context, NULL, key, NULL, NULL), 1);
        assert_int_equal(EVP_EncryptUpdate(context, output, &written, text, sizeof(text)), 1);
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_free(cipher);
    }
    *rest = output + done;
    return total - done;
}

/* Lets |context| take the rest of the text and finish it; frees the context. */
static void finish_cipher(const struct golden_case *golden, EVP_CIPHER_CTX *context)
{
    const uint8_t *input, *expected;
    uint8_t output[GOLDEN_TEXT_SIZE + 32];
    size_t input_size, size = uncut_cipher(golden, &input, &input_size, &expected);
    int written = 0, last = 0;

    assert_non_null(context);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 1), 1);
    assert_int_equal(EVP_CipherUpdate(context, output, &written, input, (int)input_size), 1);
    assert_int_equal(EVP_CipherFinal_ex(context, output + written, &last), 1);
    assert_int_equal(written + last, size);
    assert_memory_equal(output, expected, size);
    EVP_CIPHER_CTX_free(context);
}

static uint64_t sequence_of(EVP_MAC_CTX *context)
{
    uint64_t sequence = 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                            OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_MAC_CTX_get_params(context, params), 1);
    return sequence;
}

/* The MAC of the whole message by OpenSSL; the rest of it is absorbed by |context|, freed here. */
static void finish_mac(const struct golden_case *golden, EVP_MAC_CTX *context)
{
    uint8_t key[64], whole[13 + GOLDEN_TEXT_SIZE], expected[20], actual[20];
    const int is_record = golden->message == RECORD;
    size_t size = 0, expected_size = 0;

    assert_non_null(context);
    golden_fill(golden, "key", key, golden_key_size(golden));
    golden_record_header(golden, whole);
    golden_text(golden, whole + 13);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, digest_names[golden->digest], NULL, key,
                              golden_key_size(golden), is_record ? whole : whole + 13,
                              sizeof(whole) - (is_record ? 0 : 13), expected, sizeof(expected),
                              &expected_size));
    assert_int_equal(sequence_of(context), golden->sequence);
    assert_int_equal(
        EVP_MAC_update(context, whole + 13 + golden->position, GOLDEN_TEXT_SIZE - golden->position),
        1);
    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(size, expected_size);
    assert_memory_equal(actual, expected, size);
    assert_true(sequence_of(context) == golden->sequence + (is_record ? 1 : 0));
    EVP_MAC_CTX_free(context);
}

/* ---- masters ---- */

/* What a master derives, computed with OpenSSL's TLS1-PRF. */
struct expected_keys {
    uint8_t mac[2][20], key[2][32], iv[2][16];
    size_t mac_size, key_size, iv_size;
};

static void prf(const uint8_t *secret, size_t secret_size, const char *label, const uint8_t *first,
                size_t first_size, const uint8_t *second, size_t second_size, uint8_t *out,
                size_t size)
{
    static char digest[] = "MD5-SHA1";
    uint8_t seed[32 + 2 * 64];
    size_t length = strlen(label);
    OSSL_PARAM params[] = { text_param(OSSL_KDF_PARAM_DIGEST, digest),
                            octets_param(OSSL_KDF_PARAM_SECRET, secret, secret_size),
                            octets_param(OSSL_KDF_PARAM_SEED, seed,
                                         length + first_size + second_size),
                            OSSL_PARAM_construct_end() };
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "TLS1-PRF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    memcpy(seed, label, length);
    memcpy(seed + length, first, first_size);
    memcpy(seed + length + first_size, second, second_size);
    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void expect_keys(const struct golden_case *golden, struct expected_keys *keys)
{
    const int is_export = (golden->choices & 3) == 3;
    size_t client_size = golden->client_random, server_size = golden->server_random, at = 0;
    size_t material, secret_size = golden_key_size(golden);
    uint8_t secret[64], master[48], client[64], server[64], block[KEY_BLOCK_MAX];

    golden_fill(golden, "secret", secret, secret_size);
    golden_fill(golden, "client_random", client, client_size);
    golden_fill(golden, "server_random", server, server_size);
    if (golden->has_master_secret)
        memcpy(master, secret, sizeof(master));
    else
        prf(secret, secret_size, "master secret", client, client_size, server, server_size, master,
            sizeof(master));
    prf(master, sizeof(master), "key expansion", server, server_size, client, client_size, block,
        sizeof(block));
    keys->mac_size = golden->digest == GOLDEN_MD5 ? 16 : 20;
    keys->key_size = golden->cipher == 8 ? 32 : golden->cipher == 5 ? 24 : 16;
    keys->iv_size = golden->cipher == 1 ? 0 : golden->cipher == 5 ? 8 : 16;
    material = is_export ? golden->cipher_bits / 8 : keys->key_size;
    for (size_t n = 0; n < 2; n++, at += keys->mac_size)
        memcpy(keys->mac[n], block + at, keys->mac_size);
    for (size_t n = 0; n < 2; n++, at += material) {
        memcpy(keys->key[n], block + at, material);
        if (is_export)
            prf(block + at, material, n == 0 ? "client write key" : "server write key", client,
                client_size, server, server_size, keys->key[n], keys->key_size);
    }
    for (size_t n = 0; n < 2; n++, at += keys->iv_size)
        memcpy(keys->iv[n], block + at, keys->iv_size);
}

/* |missing|: what the master itself lacks. */
static EVP_PKEY *derive(EVP_PKEY *master, const char *usage, const OSSL_PARAM missing[])
{
    OSSL_PARAM params[] = { text_param("usage", usage), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, master, NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    if (missing != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_params(context, missing), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

/* The first ciphertext under a derived key, against OpenSSL's under the key that it has to be. */
static void check_derived_cipher(EVP_PKEY *key, const char *alg, const struct expected_keys *keys,
                                 size_t side)
{
    uint8_t text[48], expected[64], actual[64];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, alg, NULL);
    int size = 0;

    pattern(text, sizeof(text), 5);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, keys->key[side], keys->iv[side], NULL),
                     1);
    assert_int_equal(EVP_EncryptUpdate(context, expected, &size, text, sizeof(text)), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    context = golden_bind_cipher(key, alg, 1);
    assert_non_null(context);
    assert_int_equal(EVP_EncryptUpdate(context, actual, &size, text, sizeof(text)), 1);
    assert_int_equal(size, sizeof(text));
    assert_memory_equal(actual, expected, sizeof(text));
    EVP_CIPHER_CTX_free(context);
}

static void check_derived_mac(EVP_PKEY *key, const char *digest, const struct expected_keys *keys,
                              size_t side)
{
    uint8_t text[48], expected[20], actual[20];
    EVP_MAC_CTX *context = golden_bind_mac(key);
    size_t size = 0;

    pattern(text, sizeof(text), 6);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, digest, NULL, keys->mac[side], keys->mac_size,
                              text, sizeof(text), expected, sizeof(expected), NULL));
    assert_non_null(context);
    assert_int_equal(EVP_MAC_update(context, text, sizeof(text)), 1);
    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(size, keys->mac_size);
    assert_memory_equal(actual, expected, size);
    EVP_MAC_CTX_free(context);
}

static void derive_all(const struct golden_case *golden, EVP_PKEY *master)
{
    static const char *const ciphers[] = {
        [1] = "RC4", [5] = "DES-EDE3-CBC", [6] = "AES-128-CBC", [8] = "AES-256-CBC"
    };
    struct golden_case completed = *golden;
    uint8_t random[2][32] = { { 0 } };
    OSSL_PARAM missing[] = {
        octets_param("client-random", random[0], sizeof(random[0])),
        octets_param("server-random", random[1], sizeof(random[1])),
        text_param("cipher", "AES-128-CBC"),
        text_param("digest", "SHA1"),
        OSSL_PARAM_construct_end(),
    };
    const int is_bare = golden->cipher == 0;
    struct expected_keys keys;

    if (is_bare) {
        completed.client_random = completed.server_random = 32;
        completed.cipher = 6;
        completed.digest = GOLDEN_SHA1;
    }
    golden_fill(golden, "client_random", random[0], 32);
    golden_fill(golden, "server_random", random[1], 32);
    expect_keys(&completed, &keys);
    for (size_t usage = GOLDEN_CLIENT_KEY; usage <= GOLDEN_SERVER_MAC; usage++) {
        EVP_PKEY *key = derive(master, usage_names[usage], is_bare ? missing : NULL);
        size_t side = (usage - 1) % 2;

        if (usage <= GOLDEN_SERVER_KEY)
            check_derived_cipher(key, ciphers[completed.cipher], &keys, side);
        else
            check_derived_mac(key, digest_names[completed.digest], &keys, side);
        EVP_PKEY_free(key);
    }
}

/* ---- going on, by every way in ---- */

static size_t runs;

static void check_claimed(const struct golden_case *golden)
{
    uint8_t secret[GOLDEN_SECRET_SIZE], blob_id[GOLDEN_BLOB_ID_SIZE], claim[GOLDEN_CLAIM_SIZE];
    uint8_t boot_id[8];
    char expected[128], name[128];
    int length;

    if (golden->mode != GOLDEN_TRANSFER) {
        golden_claim_name(0, name);
        return;
    }
    golden_secret(golden, secret);
    golden_fill(golden, "blob id", blob_id, sizeof(blob_id));
    golden_fill(golden, "boot id", boot_id, sizeof(boot_id));
    golden_claim(secret, blob_id, claim);
    length = snprintf(expected, sizeof(expected), "%016llx-", (unsigned long long)GOLDEN_FAR);
    for (size_t n = 0; n < sizeof(boot_id); n++)
        length += snprintf(expected + length, 3, "%02x", boot_id[n]);
    length += snprintf(expected + length, 11, "-00abcdef-");
    for (size_t n = 0; n < sizeof(claim); n++)
        length += snprintf(expected + length, 3, "%02x", claim[n]);
    golden_claim_name(1, name);
    assert_string_equal(name, expected);
    golden_forget_claims();
}

static void go_on_as_key(const struct golden_case *golden, struct octets blob, int by_decoder)
{
    EVP_PKEY *key = open_key(golden, blob, by_decoder);

    switch (golden_alg_of(golden)->kind) {
    case GOLDEN_MASTER:
        derive_all(golden, key);
        break;
    case GOLDEN_CIPHER:
        finish_cipher(golden, golden_bind_cipher(key, golden_alg_of(golden)->name,
                                                 golden->direction != GOLDEN_DECRYPT));
        break;
    default:
        finish_mac(golden, golden_bind_mac(key));
        break;
    }
    EVP_PKEY_free(key);
    check_claimed(golden);
    runs++;
}

static void check_goes_on(struct vectors *vectors, const struct golden_case *golden,
                          struct octets blob)
{
    (void)vectors;
    if (golden->is_expired)
        return;
    for (int by_decoder = 0; by_decoder < 2 && !golden->is_for_context; by_decoder++)
        go_on_as_key(golden, blob, by_decoder);
    /* a context cannot ask for a passphrase */
    if (golden->alg == TLS1_MASTER || golden->has_passphrase)
        return;
    if (golden->alg == TLS1_MAC)
        finish_mac(golden, golden_resume_mac(golden, blob.data, blob.size));
    else
        finish_cipher(golden, golden_resume_cipher(golden, blob.data, blob.size));
    check_claimed(golden);
    runs++;
    assert_no_errors();
}

static void every_key_goes_on_as_if_it_had_not_been_cut(void **state)
{
    (void)state;
    runs = 0;
    for_each(check_goes_on);
    print_message("%zu runs against OpenSSL's own\n", runs);
}

/* ---- (b) transfers ---- */

/* A use; 0 when the provider refuses. */
static int use(EVP_PKEY *key)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key);

    EVP_PKEY_free(copy);
    return copy != NULL;
}

static void check_transfer(struct vectors *vectors, const struct golden_case *golden,
                           struct octets blob)
{
    struct golden_case other = *golden;
    EVP_PKEY *first, *second;

    (void)vectors;
    if (golden->mode != GOLDEN_TRANSFER || golden->is_for_context)
        return;
    first = open_key(golden, blob, 0);
    second = open_key(golden, blob, 0);
    assert_int_equal(use(first), !golden->is_expired);
    if (golden->is_expired)
        assert_reason("blob has expired", "seconds ago");
    assert_int_equal(use(second), 0);
    assert_reason(golden->is_expired ? "blob has expired" : "blob was opened before", "");
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);

    golden_forget_claims();
    for (int is_named = 0; is_named < 2; is_named++) {
        other.audience = is_named ? "somebody else" : NULL;
        if (golden->is_expired || (!is_named && golden->audience == NULL))
            continue;
        first = open_key(&other, blob, 0);
        assert_int_equal(use(first), 0);
        assert_reason("blob is for another audience", "");
        EVP_PKEY_free(first);
    }
}

static void transfers_open_once_in_time_and_for_their_audience(void **state)
{
    (void)state;
    for_each(check_transfer);
}

/* ---- (c) what the provider writes again ---- */

/* Mode, audience and whether the passphrase is used, of one more blob of the same key. */
struct disposition {
    const char *mode, *audience;
    int has_passphrase;
};

static const struct disposition dispositions[] = {
    { "snapshot", NULL, 0 },
    { "transfer", NULL, 0 },
    { "transfer", "somebody else", 0 },
};

static size_t rewritten;

/* The payload without the deadline of a transfer; |skipped| bytes at its start are left out. */
static size_t core_of(const struct golden_bytes *payload, int is_transfer, size_t skipped,
                      uint8_t *out)
{
    const size_t deadline = is_transfer ? 8 + 4 : 0, size = payload->size;

    memcpy(out, payload->data + skipped, 9 - skipped);
    memcpy(out + 9 - skipped, payload->data + 9 + deadline, size - 9 - deadline);
    return size - deadline - skipped;
}

/* The provider's own clock: time() may be a tick behind it. */
static uint64_t wall_clock(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
    return (uint64_t)now.tv_sec;
}

/* Opens what the provider wrote with the second implementation and compares. */
static void check_rewritten(const struct golden_case *golden, const uint8_t *blob, size_t size,
                            const struct disposition *as, int by_context)
{
    static struct golden_bytes before, after;
    static uint8_t core_before[GOLDEN_MAX_SIZE], core_after[GOLDEN_MAX_SIZE];
    const int is_transfer = as->mode[0] == 't';
    const size_t skipped = by_context ? 9 : 0; /* key id and fork are a key object's */
    const uint64_t now = wall_clock();
    uint8_t secret[GOLDEN_SECRET_SIZE], audience[GOLDEN_AUDIENCE_SIZE];
    struct golden_header expected, header;
    size_t header_size = golden_read_header(blob, size, &header), core_size;

    golden_header(golden, &expected);
    expected.mode = is_transfer ? GOLDEN_TRANSFER : GOLDEN_SNAPSHOT;
    expected.flags = (uint8_t)((golden->exportable && !by_context ? GOLDEN_EXPORTABLE : 0) |
                               (as->has_passphrase ? GOLDEN_PASSPHRASE : 0));
    if (by_context && golden->alg != TLS1_MAC)
        expected.protocol = 0;
    if (by_context)
        expected.usage = 0;
    assert_in_range(header.created, now - 60, now);
    expected.created = header.created;
    expected.not_after = is_transfer ? header.created + LIFETIME : 0;
    assert_memory_not_equal(header.blob_id, expected.blob_id, sizeof(header.blob_id));
    memcpy(expected.blob_id, header.blob_id, sizeof(header.blob_id));
    memset(expected.audience, 0, sizeof(expected.audience));
    expected.audience_size = 0;
    if (as->audience != NULL) {
        golden_audience(header.blob_id, as->audience, audience);
        expected.audience_size = sizeof(audience);
        memcpy(expected.audience, audience, sizeof(audience));
    }
    golden_sealing_key(secret);
    golden_sealing_key_id(secret, expected.sealing_key_id);
    expected.iterations = 0;
    if (as->has_passphrase) {
        expected.iterations = 600000;
        memset(expected.sealing_key_id, 0, sizeof(expected.sealing_key_id));
        golden_passphrase_secret("another one", header.blob_id, header.iterations, secret);
    }
    assert_memory_equal(&header, &expected, sizeof(header));
    assert_int_equal(header_size, 57 + header.audience_size + (as->has_passphrase ? 4u : 0) + 2);

    golden_open(blob, size, header_size, &header, secret, &after);
    golden_payload(golden, &before);
    core_size = core_of(&before, golden->mode == GOLDEN_TRANSFER, skipped, core_before);
    assert_int_equal(core_of(&after, is_transfer, skipped, core_after), core_size);
    assert_memory_equal(core_after, core_before, core_size);
    rewritten++;
}

/* The options of an export; lifetime belongs to transfers only. */
static void fill_options(OSSL_PARAM *p, const struct disposition *as)
{
    static unsigned lifetime = LIFETIME;

    *p++ = text_param("seal-key", golden_seal_key);
    *p++ = text_param("claim-dir", golden_claims);
    *p++ = text_param("blob-mode", as->mode);
    if (as->mode[0] == 't')
        *p++ = OSSL_PARAM_construct_uint("lifetime", &lifetime);
    if (as->audience != NULL)
        *p++ = text_param("audience", as->audience);
    *p = OSSL_PARAM_construct_end();
}

static void write_key_again(const struct golden_case *golden, struct octets blob,
                            const struct disposition *as)
{
    uint8_t again[MAX_BLOB];
    OSSL_PARAM options[6];
    EVP_PKEY *key = open_key(golden, blob, 0);

    fill_options(options, as);
    assert_int_equal(EVP_PKEY_set_params(key, options), 1);
    check_rewritten(golden, again, export_blob(key, again), as, 0);
    EVP_PKEY_free(key);
    golden_forget_claims();
}

/* Reads "opaque-blob" of either kind of context, which is freed. */
static void write_context_again(const struct golden_case *golden, struct octets blob,
                                const struct disposition *as)
{
    uint8_t again[MAX_BLOB];
    OSSL_PARAM options[6],
        get[] = { OSSL_PARAM_construct_octet_string("opaque-blob", again, sizeof(again)),
                  OSSL_PARAM_construct_end() };

    fill_options(options, as);
    if (golden->alg == TLS1_MAC) {
        EVP_MAC_CTX *context = golden_resume_mac(golden, blob.data, blob.size);

        assert_int_equal(EVP_MAC_CTX_set_params(context, options), 1);
        assert_int_equal(EVP_MAC_CTX_get_params(context, get), 1);
        EVP_MAC_CTX_free(context);
    } else {
        EVP_CIPHER_CTX *context = golden_resume_cipher(golden, blob.data, blob.size);

        assert_int_equal(EVP_CIPHER_CTX_set_params(context, options), 1);
        assert_int_equal(EVP_CIPHER_CTX_get_params(context, get), 1);
        EVP_CIPHER_CTX_free(context);
    }
    check_rewritten(golden, again, get[0].return_size, as, 1);
    golden_forget_claims();
}

static void check_writes_again(struct vectors *vectors, const struct golden_case *golden,
                               struct octets blob)
{
    (void)vectors;
    for (size_t n = 0; n < sizeof(dispositions) / sizeof(dispositions[0]); n++) {
        const struct disposition *as = &dispositions[n];

        if (golden->is_expired)
            continue;
        if (!golden->is_for_context)
            write_key_again(golden, blob, as);
        /* an audience named at the import stays with the context: not asked to write snapshots */
        if (golden->alg != TLS1_MASTER && !golden->has_passphrase && golden->audience == NULL)
            write_context_again(golden, blob, as);
    }
    assert_no_errors();
}

static void what_the_provider_writes_again_holds_the_same_payload(void **state)
{
    (void)state;
    rewritten = 0;
    for_each(check_writes_again);
    print_message("%zu blobs written again\n", rewritten);
}

static const struct golden_case *case_named(const char *name)
{
    for (size_t n = 0; n < golden_case_count; n++) {
        if (strcmp(golden_cases[n].name, name) == 0)
            return &golden_cases[n];
    }
    fail_msg("no case %s", name);
    return NULL;
}

static void the_same_holds_under_a_passphrase(void **state)
{
    static const struct disposition as[] = { { "snapshot", NULL, 1 },
                                             { "transfer", "somebody else", 1 } };
    static const char password[] = "another one";
    const struct golden_case *golden = case_named("aes-128-passphrase");
    static struct golden_bytes blob;

    (void)state;
    ERR_clear_error();
    golden_blob(golden, &blob);
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY *key = open_key(golden, (struct octets){ blob.data, blob.size }, 0);
        OSSL_ENCODER_CTX *context =
            OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "opaqueblob", NULL, NULL);
        OSSL_PARAM options[6];
        unsigned char *data = NULL;
        size_t size = 0;

        fill_options(options, &as[n]);
        assert_int_equal(OSSL_ENCODER_CTX_set_params(context, options + 1), 1); /* no seal-key */
        assert_int_equal(OSSL_ENCODER_CTX_set_cipher(context, "AES-256-CBC", NULL), 1);
        assert_int_equal(OSSL_ENCODER_CTX_set_passphrase(context, (const unsigned char *)password,
                                                         strlen(password)),
                         1);
        assert_int_equal(OSSL_ENCODER_to_data(context, &data, &size), 1);
        check_rewritten(golden, data, size, &as[n], 0);
        OPENSSL_free(data);
        OSSL_ENCODER_CTX_free(context);
        EVP_PKEY_free(key);
    }
}

/* ---- (f) byte order ---- */

static void expect_at(const uint8_t *data, size_t offset, const char *hex)
{
    expect_hex((struct octets){ data + offset, strlen(hex) / 2 }, hex);
}

/* Literal offsets and bytes, against what the provider itself wrote. */
static void integers_are_big_endian_but_in_the_blobheader(void **state)
{
    const struct golden_case *golden = case_named("mac-md5-in-record");
    static struct golden_bytes source, payload;
    struct golden_header header;
    uint8_t blob[MAX_BLOB], secret[GOLDEN_SECRET_SIZE], number[8];
    OSSL_PARAM options[6];
    EVP_PKEY *key;
    size_t size, header_size;

    (void)state;
    golden_blob(golden, &source);
    key = open_key(golden, (struct octets){ source.data, source.size }, 0);
    fill_options(options, &dispositions[2]);
    assert_int_equal(EVP_PKEY_set_params(key, options), 1);
    size = export_blob(key, blob);
    EVP_PKEY_free(key);

    /* BLOBHEADER: type, version, reserved, CALG_SCHANNEL_MAC_KEY 0x00004c03, little-endian */
    expect_at(blob, 0, "09020000034c0000");
    /* version 1, transfer, not exportable, MAC, TLS1-MAC 36, TLS 1.0, server-write-mac, reserved */
    expect_at(blob, 8, "0101000324040400");
    header_size = golden_read_header(blob, size, &header);
    for (unsigned n = 0; n < 8; n++)
        number[n] = (uint8_t)(header.created >> (56 - 8 * n));
    assert_memory_equal(blob + 16, number, 8);
    for (unsigned n = 0; n < 8; n++)
        number[n] = (uint8_t)((header.created + LIFETIME) >> (56 - 8 * n));
    assert_memory_equal(blob + 24, number, 8);
    expect_at(blob, 16, "00000000"); /* until the year 2106 */
    expect_at(blob, 56, "20");       /* the audience's hash has 32 bytes */
    assert_int_equal(header_size, 91);
    assert_int_equal(blob[89] << 8 | blob[90], size - 91);

    golden_sealing_key(secret);
    golden_open(blob, size, header_size, &header, secret, &payload);
    expect_at(payload.data, 8, "00");                /* fork */
    expect_at(payload.data, 21, "0110");             /* MD5, a key of 16 bytes */
    expect_at(payload.data, 39, "0102030405060708"); /* sequence */
    expect_at(payload.data, 47, "0101");             /* started, in a record */
    expect_at(payload.data, 49, "00bb");             /* record_length 187 */
    expect_at(payload.data, 51, "000000000000004d"); /* absorbed 77 */
    expect_at(payload.data, 59, "32");               /* 16 + 8 + 26 bytes of MD5 state */
    expect_at(payload.data, 76, "000000000000009a"); /* 64 + 13 + 77 bytes hashed */
    assert_int_equal(payload.size, 84 + 26);

    /* and the file of golden blobs, which nobody writes any more */
    golden_blob(case_named("aes-128-passphrase"), &source);
    expect_at(source.data, 0, "090200000e6600000100030216000000");
    expect_at(source.data, 16, "000000006553f1000000000000000000"); /* created; no expiry */
    expect_at(source.data, 32, "0000000000000000");                 /* no sealing key */
    expect_at(source.data, 56, "0000002710"); /* no audience, 10000 iterations */
    golden_blob(case_named("aes-256-transfer"), &source);
    expect_at(source.data, 0, "09020000106600000101000218040100");
    expect_at(source.data, 16, "000000006553f10000000001b09e1900");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_implementation_writes_exactly_the_committed_bytes),
        cmocka_unit_test(every_parameter_of_an_opened_key_is_as_described),
        cmocka_unit_test(context_states_make_no_keys_and_passphrases_are_needed),
        cmocka_unit_test(every_key_goes_on_as_if_it_had_not_been_cut),
        cmocka_unit_test(transfers_open_once_in_time_and_for_their_audience),
        cmocka_unit_test(what_the_provider_writes_again_holds_the_same_payload),
        cmocka_unit_test(the_same_holds_under_a_passphrase),
        cmocka_unit_test(integers_are_big_endian_but_in_the_blobheader),
    };

    if (argc == 2 && strcmp(argv[1], "write") == 0)
        return write_file();
    return cmocka_run_group_tests(tests, golden_setup, golden_teardown);
}
