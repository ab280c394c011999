/*
 * Blobs that are sealed under a passphrase: every way in which libcrypto asks for one, on the way out
 * and on the way in, and the format, opened and sealed here independently of the provider.
 */
/* PBKDF2 is computed here block by block: with a sanitizer, libcrypto's takes a second each time. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "fixture.h"
#include "sample.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#define PHRASE         "correct horse battery staple"
#define ITERATIONS     600000
#define MIN_ITERATIONS 10000
#define MAX_ITERATIONS 5000000
#define MAX_PHRASE     1024

/* Places in the header of a blob without audience: blob/opaque.h */
#define AT_FLAGS      10
#define AT_KEY_ID     32
#define AT_BLOB_ID    40
#define AT_AUDIENCE   56
#define AT_ITERATIONS 57
#define AT_SEALED     63
#define COMMITMENT    32
#define TAG           16

struct phrase {
    const char *text;
    size_t size;
};

static const struct phrase usual = { PHRASE, sizeof(PHRASE) - 1 };

#define NOT_SANITIZED __attribute__((no_sanitize("address"), no_sanitize("undefined")))

/* What the callbacks of this test answer, and how often they were asked. */
static struct {
    struct phrase phrase;
    int fails;
    unsigned asked;
} answer;

static void answer_with(struct phrase phrase)
{
    answer.phrase = phrase;
    answer.fails = 0;
    answer.asked = 0;
}

static int answer_parameters(char *text, size_t room, size_t *size, const OSSL_PARAM params[],
                             void *argument)
{
    (void)params;
    (void)argument;
    answer.asked++;
    if (answer.fails || answer.phrase.size > room)
        return 0;
    memcpy(text, answer.phrase.text, answer.phrase.size);
    *size = answer.phrase.size;
    return 1;
}

static int answer_pem(char *text, int room, int is_writing, void *argument)
{
    (void)is_writing;
    (void)argument;
    answer.asked++;
    if (answer.fails || answer.phrase.size > (size_t)room)
        return -1;
    memcpy(text, answer.phrase.text, answer.phrase.size);
    return (int)answer.phrase.size;
}

static int answer_ui(UI *ui, UI_STRING *string)
{
    enum UI_string_types type = UI_get_string_type(string);

    if (type != UIT_PROMPT && type != UIT_VERIFY)
        return 1;
    answer.asked += type == UIT_PROMPT;
    return !answer.fails && UI_set_result(ui, string, answer.phrase.text) == 0;
}

static UI_METHOD *new_ui(void)
{
    UI_METHOD *method = UI_create_method("test");

    assert_non_null(method);
    assert_int_equal(UI_method_set_reader(method, answer_ui), 0);
    return method;
}

/* ---- the format, without the provider ---- */

static void run_kdf(const char *name, OSSL_PARAM params[], uint8_t *out, size_t size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, name, "provider!=schannel");
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    assert_int_equal(EVP_KDF_derive(context, out, size, params), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static unsigned get_iterations(const uint8_t *blob)
{
    const uint8_t *at = blob + AT_ITERATIONS;

    return (unsigned)at[0] << 24 | (unsigned)at[1] << 16 | (unsigned)at[2] << 8 | at[3];
}

static void set_iterations(uint8_t *blob, unsigned iterations)
{
    for (size_t n = 0; n < 4; n++)
        blob[AT_ITERATIONS + n] = (uint8_t)(iterations >> (24 - 8 * n));
}

/* The chaining value behind key XOR pad. */
static void hmac_midstate(const uint8_t key[64], uint8_t pad, SHA256_CTX *state)
{
    uint8_t block[64];

    for (size_t n = 0; n < sizeof(block); n++)
        block[n] = key[n] ^ pad;
    SHA256_Init(state);
    SHA256_Transform(state, block);
}

/* |start| behind one more block: 32 bytes, and what SHA-256 adds to a message of 96. */
NOT_SANITIZED static void hash_once(const SHA256_CTX *start, uint8_t block[64])
{
    SHA256_CTX state = *start;

    block[32] = 0x80;
    memset(block + 33, 0, 29);
    block[62] = 3; /* 768 bits */
    block[63] = 0;
    SHA256_Transform(&state, block);
    for (size_t n = 0; n < 32; n++)
        block[n] = (uint8_t)(state.h[n / 4] >> (24 - 8 * (n % 4)));
}

/* RFC 8018: U1 = HMAC(P, salt || 1), Un = HMAC(P, Un-1); their sum is the first 32 bytes. */
static void pbkdf2(struct phrase phrase, const uint8_t salt[16], unsigned iterations,
                   uint8_t out[32])
{
    uint8_t key[64] = { 0 }, block[64];
    const uint8_t one[4] = { 0, 0, 0, 1 };
    SHA256_CTX inner, outer, first;

    if (phrase.size > sizeof(key))
        SHA256((const uint8_t *)phrase.text, phrase.size, key);
    else
        memcpy(key, phrase.text, phrase.size);
    hmac_midstate(key, 0x36, &inner);
    hmac_midstate(key, 0x5c, &outer);
    SHA256_Init(&first);
    hmac_midstate(key, 0x36, &first);
    first.Nl = 512;
    SHA256_Update(&first, salt, 16);
    SHA256_Update(&first, one, sizeof(one));
    SHA256_Final(block, &first);
    hash_once(&outer, block);
    memcpy(out, block, 32);
    for (unsigned n = 1; n < iterations; n++) {
        hash_once(&inner, block);
        hash_once(&outer, block);
        for (size_t m = 0; m < 32; m++)
            out[m] ^= block[m];
    }
}

/* AES-256-GCM key, nonce and commitment of the blob whose header this is. */
static void derive_keys(const uint8_t *blob, struct phrase phrase, uint8_t keys[32 + 12 + 32])
{
    static const char info[] = "schannel opaque key blob seal 1";
    uint8_t sealing_key[32] = { 0 };
    OSSL_PARAM params[] = { octets_param("key", sealing_key, sizeof(sealing_key)),
                            octets_param("salt", blob + AT_BLOB_ID, 16),
                            octets_param("info", info, sizeof(info) - 1),
                            text_param("digest", "SHA256"), OSSL_PARAM_construct_end() };

    pbkdf2(phrase, blob + AT_BLOB_ID, get_iterations(blob), sealing_key);
    run_kdf("HKDF", params, keys, 76);
}

static int run_gcm(const uint8_t *keys, int encrypt, const uint8_t *header, const uint8_t *in,
                   size_t size, uint8_t *out, uint8_t tag[TAG])
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "AES-256-GCM", "provider!=schannel");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int length = 0, ok;

    assert_int_equal(EVP_CipherInit_ex2(context, cipher, keys, keys + 32, encrypt, NULL), 1);
    assert_int_equal(EVP_CipherUpdate(context, NULL, &length, header, AT_SEALED), 1);
    assert_int_equal(EVP_CipherUpdate(context, out, &length, in, (int)size), 1);
    if (!encrypt)
        assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG, tag), 1);
    ok = EVP_CipherFinal_ex(context, out + size, &length);
    if (encrypt)
        assert_int_equal(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, tag), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

/* The payload of |blob|: its size, 0 when it does not open. */
static size_t open_independently(const uint8_t *blob, size_t size, struct phrase phrase,
                                 uint8_t payload[MAX_BLOB])
{
    size_t payload_size = size - AT_SEALED - COMMITMENT - TAG;
    const uint8_t *sealed = blob + AT_SEALED;
    uint8_t keys[76], tag[TAG];

    derive_keys(blob, phrase, keys);
    memcpy(tag, blob + size - TAG, TAG);
    if (memcmp(keys + 44, sealed, COMMITMENT) != 0 ||
        !run_gcm(keys, 0, blob, sealed + COMMITMENT, payload_size, payload, tag))
        return 0;
    return payload_size;
}

/* Seals the payload again, with the header as it is now. */
static void seal_independently(uint8_t *blob, size_t size, struct phrase phrase,
                               const uint8_t *payload)
{
    uint8_t keys[76];

    derive_keys(blob, phrase, keys);
    memcpy(blob + AT_SEALED, keys + 44, COMMITMENT);
    run_gcm(keys, 1, blob, payload, size - AT_SEALED - COMMITMENT - TAG,
            blob + AT_SEALED + COMMITMENT, blob + size - TAG);
}

/* ---- keys and blobs ---- */

static uint8_t secret[48];

static EVP_PKEY *make_key(const char *alg, const char *digest, size_t size, const char *seal_key)
{
    OSSL_PARAM params[6], *p = params;
    EVP_PKEY *key;

    *p++ = text_param("alg", alg);
    *p++ = octets_param("secret", secret, size);
    if (digest != NULL)
        *p++ = text_param("digest", digest);
    if (seal_key != NULL)
        *p++ = text_param("seal-key", seal_key);
    *p = OSSL_PARAM_construct_end();
    key = from_data(params);
    assert_non_null(key);
    return key;
}

static EVP_PKEY *usual_key(void)
{
    return make_key("AES-256-CBC", NULL, 32, NULL);
}

/* |phrase| NULL: by callback.  0 when the encoding fails.  The caller frees *data. */
static size_t encode(EVP_PKEY *key, const char *type, const char *cipher,
                     const struct phrase *phrase, const OSSL_PARAM *params, unsigned char **data)
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, NULL, NULL);
    size_t size = 0;

    *data = NULL;
    if (cipher != NULL)
        assert_int_equal(OSSL_ENCODER_CTX_set_cipher(context, cipher, NULL), 1);
    if (phrase != NULL)
        assert_int_equal(OSSL_ENCODER_CTX_set_passphrase(
                             context, (const unsigned char *)phrase->text, phrase->size),
                         1);
    else
        assert_int_equal(OSSL_ENCODER_CTX_set_passphrase_cb(context, answer_parameters, NULL), 1);
    if (params != NULL)
        assert_int_equal(OSSL_ENCODER_CTX_set_params(context, params), 1);
    if (!OSSL_ENCODER_to_data(context, data, &size))
        size = 0;
    OSSL_ENCODER_CTX_free(context);
    return size;
}

/* The same blob with the fewest iterations that are read: most tests need not wait for more. */
static size_t cheap_blob(struct phrase phrase, uint8_t blob[MAX_BLOB])
{
    static uint8_t first[MAX_BLOB], payload[MAX_BLOB];
    static size_t size;

    if (size == 0) {
        EVP_PKEY *key = usual_key();
        unsigned char *data;

        size = encode(key, "DER", "AES-256-CBC", &usual, NULL, &data);
        assert_in_range(size, AT_SEALED + COMMITMENT + TAG, MAX_BLOB);
        memcpy(first, data, size);
        OPENSSL_free(data);
        EVP_PKEY_free(key);
        assert_in_range(open_independently(first, size, usual, payload), 1, size);
        assert_non_null(memchr(payload, secret[0], size));
        set_iterations(first, MIN_ITERATIONS);
    }
    memcpy(blob, first, size);
    seal_independently(blob, size, phrase, payload);
    return size;
}

/* The same for a blob that is there, sealed under the usual passphrase. */
static void make_cheap(uint8_t *blob, size_t size)
{
    uint8_t payload[MAX_BLOB];

    assert_in_range(size, AT_SEALED + COMMITMENT + TAG, MAX_BLOB);
    assert_int_equal(get_iterations(blob), ITERATIONS);
    assert_in_range(open_independently(blob, size, usual, payload), 1, size);
    set_iterations(blob, MIN_ITERATIONS);
    seal_independently(blob, size, usual, payload);
}

static EVP_PKEY *decode(const uint8_t *data, size_t size, const struct phrase *phrase,
                        const OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR, libctx, NULL);

    if (phrase != NULL)
        assert_int_equal(OSSL_DECODER_CTX_set_passphrase(
                             context, (const unsigned char *)phrase->text, phrase->size),
                         1);
    else
        assert_int_equal(OSSL_DECODER_CTX_set_passphrase_cb(context, answer_parameters, NULL), 1);
    if (params != NULL)
        assert_int_equal(OSSL_DECODER_CTX_set_params(context, params), 1);
    if (!OSSL_DECODER_from_data(context, &data, &size))
        key = NULL;
    OSSL_DECODER_CTX_free(context);
    return key;
}

static void assert_opens(const uint8_t *data, size_t size, struct phrase phrase)
{
    EVP_PKEY *expected = usual_key(), *key = decode(data, size, &phrase, NULL);

    assert_non_null(key);
    assert_int_equal(EVP_PKEY_eq(expected, key), 1);
    EVP_PKEY_free(expected);
    EVP_PKEY_free(key);
    assert_no_errors();
}

static void assert_refused(const uint8_t *data, size_t size, struct phrase phrase,
                           const char *reason)
{
    assert_null(decode(data, size, &phrase, NULL));
    assert_reason(reason, "");
}

/* ---- writing ---- */

static void any_cipher_name_means_the_one_seal_which_is_never_the_same(void **state)
{
    static const char *const names[] = { "AES-256-CBC", "AES-128-CBC", "DES-EDE3-CBC",
                                         "CAMELLIA-256-CBC", "no such cipher" };
    static const uint8_t zeros[8];
    EVP_PKEY *key = usual_key();
    uint8_t before[MAX_BLOB] = { 0 };
    const size_t count = sampled_rounds(sizeof(names) / sizeof(names[0]), 1);
    size_t size = 0;

    (void)state;
    for (size_t n = 0; n < count; n++) {
        uint8_t payload[MAX_BLOB];
        unsigned char *blob;
        size_t this_size = encode(key, "DER", names[n], &usual, NULL, &blob);

        assert_in_range(this_size, AT_SEALED + COMMITMENT + TAG, MAX_BLOB);
        assert_true(n == 0 || this_size == size);
        size = this_size;
        assert_int_equal(blob[AT_FLAGS], 2);
        assert_memory_equal(blob + AT_KEY_ID, zeros, sizeof(zeros));
        assert_int_equal(blob[AT_AUDIENCE], 0);
        assert_int_equal(get_iterations(blob), ITERATIONS);
        assert_in_range(open_independently(blob, size, usual, payload), 1, size);
        /* nothing in common with the one before */
        assert_memory_not_equal(blob + AT_BLOB_ID, before + AT_BLOB_ID, 16);
        for (size_t at = AT_SEALED; at + 16 <= size; at += 16)
            assert_memory_not_equal(blob + at, before + at, 16);
        memcpy(before, blob, size);
        OPENSSL_free(blob);
    }
    EVP_PKEY_free(key);
    assert_no_errors();
}

static void without_a_cipher_name_nobody_is_asked(void **state)
{
    EVP_PKEY *key = make_key("AES-256-CBC", NULL, 32, seal_key_a);
    unsigned char *blob;
    size_t size;

    (void)state;
    answer_with(usual);
    size = encode(key, "DER", NULL, NULL, NULL, &blob);
    assert_true(size > AT_SEALED);
    assert_int_equal(answer.asked, 0);
    assert_int_equal(blob[AT_FLAGS], 0);
    OPENSSL_free(blob);
    EVP_PKEY_free(key);
}

static void a_cipher_name_can_be_taken_back(void **state)
{
    EVP_PKEY *key = make_key("AES-256-CBC", NULL, 32, seal_key_a);
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", NULL, NULL);
    unsigned char *blob = NULL;
    size_t size = 0;

    (void)state;
    answer_with(usual);
    assert_int_equal(OSSL_ENCODER_CTX_set_passphrase_cb(context, answer_parameters, NULL), 1);
    assert_int_equal(OSSL_ENCODER_CTX_set_cipher(context, "AES-256-CBC", NULL), 1);
    assert_int_equal(OSSL_ENCODER_CTX_set_cipher(context, NULL, NULL), 1);
    assert_int_equal(OSSL_ENCODER_to_data(context, &blob, &size), 1);
    assert_int_equal(answer.asked, 0);
    assert_int_equal(blob[AT_FLAGS], 0);
    OPENSSL_free(blob);
    OSSL_ENCODER_CTX_free(context);
    EVP_PKEY_free(key);
    assert_no_errors();
}

/* Else the key would be written without its passphrase. */
static void a_cipher_name_is_a_text(void **state)
{
    EVP_PKEY *key = make_key("AES-256-CBC", NULL, 32, seal_key_a);
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", NULL, NULL);
    const OSSL_PARAM cipher[] = { octets_param("cipher", "AES-256-CBC", 11),
                                  OSSL_PARAM_construct_end() };
    const char *sentence = NULL;

    (void)state;
    assert_int_equal(OSSL_ENCODER_CTX_set_params(context, cipher), 0);
    /* once for each encoder that libcrypto has collected */
    assert_string_equal(ERR_reason_error_string(ERR_peek_last_error_data(&sentence, NULL)),
                        "invalid parameter");
    assert_string_equal(sentence, "cipher: expected a UTF-8 string");
    ERR_clear_error();
    OSSL_ENCODER_CTX_free(context);
    EVP_PKEY_free(key);
}

/* An opaque blob is inside of a signed one unless something else is asked for. */
static void a_signed_blob_is_sealed_under_a_passphrase_inside(void **state)
{
    static const struct phrase wrong = { "wrong", 5 };
    char path[96];
    OSSL_PARAM params[] = { text_param("blob", "signedblob"), OSSL_PARAM_construct_end(),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *signer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    EVP_PKEY *key = usual_key(), *copy;
    unsigned char *blob;
    size_t size;
    BIO *out;

    (void)state;
    snprintf(path, sizeof(path), "%s/signer.pem", directory);
    params[1] = text_param("signature-key", path);
    assert_non_null(out = BIO_new_file(path, "w"));
    assert_int_equal(PEM_write_bio_PrivateKey(out, signer, NULL, NULL, 0, NULL, NULL), 1);
    BIO_free(out);
    size = encode(key, "DER", "AES-256-CBC", &usual, params, &blob);
    assert_true(size > AT_SEALED);
    assert_null(decode(blob, size, &wrong, params + 1));
    assert_reason("seal does not verify", "passphrase");
    assert_non_null(copy = decode(blob, size, &usual, params + 1));
    assert_int_equal(EVP_PKEY_eq(key, copy), 1);
    EVP_PKEY_free(copy);
    OPENSSL_free(blob);
    EVP_PKEY_free(key);
    EVP_PKEY_free(signer);
    unlink(path);
    assert_no_errors();
}

/* The provider's own fetches follow the default properties too. */
static void fips_properties_leave_no_pbkdf2(void **state)
{
    uint8_t blob[MAX_BLOB];
    const size_t size = cheap_blob(usual, blob);
    const unsigned char *at = blob;
    size_t left = size;
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR, libctx, NULL);

    (void)state;
    assert_int_equal(
        OSSL_DECODER_CTX_set_passphrase(context, (const unsigned char *)usual.text, usual.size), 1);
    assert_int_equal(EVP_default_properties_enable_fips(libctx, 1), 1);
    assert_int_equal(OSSL_DECODER_from_data(context, &at, &left), 0);
    assert_int_equal(EVP_default_properties_enable_fips(libctx, 0), 1);
    assert_reason("algorithm is not available", "PBKDF2: no provider with fips=yes");
    assert_null(key);
    OSSL_DECODER_CTX_free(context);
    assert_opens(blob, size, usual);
}

static void every_kind_of_key_comes_back(void **state)
{
    static const struct {
        const char *alg, *digest;
        size_t size;
    } all[] = { { "RC4", NULL, 5 },
                { "DES-EDE3-CBC", NULL, 24 },
                { "TLS1-MAC", "SHA1", 20 },
                { "TLS1-MASTER", NULL, 48 } };
    const size_t count = sampled_rounds(sizeof(all) / sizeof(all[0]), 1);

    (void)state;
    for (size_t n = 0; n < count; n++) {
        EVP_PKEY *key = make_key(all[n].alg, all[n].digest, all[n].size, NULL), *copy;
        unsigned char *blob;
        size_t size = encode(key, "DER", "AES-256-CBC", &usual, NULL, &blob);
        char before[32], after[32];

        make_cheap(blob, size);
        copy = decode(blob, size, &usual, NULL);
        assert_non_null(copy);
        assert_int_equal(EVP_PKEY_eq(key, copy), 1);
        get_id(key, before);
        get_id(copy, after);
        assert_string_equal(before, after);
        OPENSSL_free(blob);
        EVP_PKEY_free(copy);
        EVP_PKEY_free(key);
    }
    assert_no_errors();
}

/* What the writers of libcrypto other than an encoder context make of it. */
static int write_pem_string(BIO *out, EVP_PKEY *key)
{
    return PEM_write_bio_PrivateKey(out, key, EVP_aes_256_cbc(), (const unsigned char *)PHRASE,
                                    sizeof(PHRASE) - 1, NULL, NULL);
}

static int write_pem_callback(BIO *out, EVP_PKEY *key)
{
    return PEM_write_bio_PrivateKey(out, key, EVP_aes_128_cbc(), NULL, 0, answer_pem, NULL);
}

static int write_pem_argument(BIO *out, EVP_PKEY *key)
{
    static char phrase[] = PHRASE;

    return PEM_write_bio_PrivateKey(out, key, EVP_des_ede3_cbc(), NULL, 0, NULL, phrase);
}

static int write_pem_pkcs8(BIO *out, EVP_PKEY *key)
{
    return PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_256_cbc(), PHRASE, sizeof(PHRASE) - 1,
                                         NULL, NULL);
}

static int write_der_pkcs8(BIO *out, EVP_PKEY *key)
{
    return i2d_PKCS8PrivateKey_bio(out, key, EVP_aes_256_cbc(), NULL, 0, answer_pem, NULL);
}

static int write_encoder_pem_callback(BIO *out, EVP_PKEY *key)
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "PEM", NULL, NULL);
    int ok = OSSL_ENCODER_CTX_set_cipher(context, "AES-256-CBC", NULL) &&
             OSSL_ENCODER_CTX_set_pem_password_cb(context, answer_pem, NULL) &&
             OSSL_ENCODER_to_bio(context, out);

    OSSL_ENCODER_CTX_free(context);
    return ok;
}

static int write_encoder_ui(BIO *out, EVP_PKEY *key)
{
    UI_METHOD *method = new_ui();
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", NULL, NULL);
    int ok = OSSL_ENCODER_CTX_set_cipher(context, "AES-256-CBC", NULL) &&
             OSSL_ENCODER_CTX_set_passphrase_ui(context, method, NULL) &&
             OSSL_ENCODER_to_bio(context, out);

    OSSL_ENCODER_CTX_free(context);
    UI_destroy_method(method);
    return ok;
}

static int write_encoder_callback(BIO *out, EVP_PKEY *key)
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "DER", NULL, NULL);
    int ok = OSSL_ENCODER_CTX_set_cipher(context, "AES-256-CBC", NULL) &&
             OSSL_ENCODER_CTX_set_passphrase_cb(context, answer_parameters, NULL) &&
             OSSL_ENCODER_to_bio(context, out);

    OSSL_ENCODER_CTX_free(context);
    return ok;
}

static const struct {
    const char *name;
    int (*write)(BIO *out, EVP_PKEY *key);
    unsigned asked;
} writers[] = {
    { "PEM_write_bio_PrivateKey, string", write_pem_string, 0 },
    { "PEM_write_bio_PrivateKey, callback", write_pem_callback, 1 },
    { "PEM_write_bio_PrivateKey, argument", write_pem_argument, 0 },
    { "PEM_write_bio_PKCS8PrivateKey, string", write_pem_pkcs8, 0 },
    { "i2d_PKCS8PrivateKey_bio, callback", write_der_pkcs8, 1 },
    { "encoder, pem_password_cb", write_encoder_pem_callback, 1 },
    { "encoder, UI", write_encoder_ui, 1 },
    { "encoder, callback", write_encoder_callback, 1 },
};

#define WRITERS (sizeof(writers) / sizeof(writers[0]))

/* A blob in either dress, under the usual passphrase. */
static void assert_blob(const char *data, long size)
{
    BIO *in = BIO_new_mem_buf(data, (int)size);
    char *name = NULL, *header = NULL;
    unsigned char *blob = NULL;

    if (data[0] == '-') {
        assert_true(PEM_read_bio(in, &name, &header, &blob, &size) > 0);
        assert_string_equal(name, SCHANNEL_PEM_LABEL_OPAQUE);
    } else {
        blob = OPENSSL_memdup(data, (size_t)size);
    }
    make_cheap(blob, (size_t)size);
    assert_opens(blob, (size_t)size, usual);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(blob);
    BIO_free(in);
}

static void every_writer_takes_a_passphrase_and_asks_once(void **state)
{
    const size_t count = sampled_rounds(WRITERS, 1);
    EVP_PKEY *key = usual_key();

    (void)state;
    for (size_t n = 0; n < count; n++) {
        BIO *out = BIO_new(BIO_s_mem());
        char *data;
        long size;

        answer_with(usual);
        if (!writers[n].write(out, key)) {
            ERR_print_errors_fp(stderr);
            fail_msg("%s fails", writers[n].name);
        }
        size = BIO_get_mem_data(out, &data);
        print_message("%s: asked %u times\n", writers[n].name, answer.asked);
        assert_int_equal(answer.asked, writers[n].asked);
        assert_blob(data, size);
        BIO_free(out);
    }
    EVP_PKEY_free(key);
}

static void a_writer_that_gets_no_passphrase_writes_nothing(void **state)
{
    EVP_PKEY *key = usual_key();

    (void)state;
    for (size_t n = 0; n < WRITERS; n++) {
        BIO *out = BIO_new(BIO_s_mem());
        char *data;

        if (writers[n].asked == 0) {
            BIO_free(out);
            continue;
        }
        answer_with(usual);
        answer.fails = 1;
        assert_int_equal(writers[n].write(out, key), 0);
        assert_int_equal(BIO_get_mem_data(out, &data), 0);
        assert_reason("no passphrase", "the application gave none");
        BIO_free(out);
    }
    EVP_PKEY_free(key);
}

static void a_seal_key_beside_the_cipher_wins(void **state)
{
    OSSL_PARAM params[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    EVP_PKEY *plain = usual_key(), *kept = make_key("AES-256-CBC", NULL, 32, seal_key_a), *copy;
    unsigned char *blob;
    size_t size;

    (void)state;
    answer_with(usual);
    for (int by_key = 0; by_key < 2; by_key++) {
        size = encode(by_key ? kept : plain, "DER", "AES-256-CBC", NULL, by_key ? NULL : params,
                      &blob);
        assert_true(size > AT_SEALED);
        assert_int_equal(blob[AT_FLAGS], 0);
        copy = import_blob(blob, size, seal_key_a);
        assert_non_null(copy);
        EVP_PKEY_free(copy);
        OPENSSL_free(blob);
    }
    assert_int_equal(answer.asked, 0);
    EVP_PKEY_free(plain);
    EVP_PKEY_free(kept);
    assert_no_errors();
}

/* ---- reading ---- */

static EVP_PKEY *read_decoder_string(BIO *in)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, libctx, NULL);
    int ok = OSSL_DECODER_CTX_set_passphrase(context, (const unsigned char *)answer.phrase.text,
                                             answer.fails ? 0 : answer.phrase.size) &&
             OSSL_DECODER_from_bio(context, in);

    OSSL_DECODER_CTX_free(context);
    return ok ? key : NULL;
}

static EVP_PKEY *read_decoder_callback(BIO *in)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, libctx, NULL);
    int ok = OSSL_DECODER_CTX_set_passphrase_cb(context, answer_parameters, NULL) &&
             OSSL_DECODER_from_bio(context, in);

    OSSL_DECODER_CTX_free(context);
    return ok ? key : NULL;
}

static EVP_PKEY *read_decoder_pem_callback(BIO *in)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, libctx, NULL);
    int ok = OSSL_DECODER_CTX_set_pem_password_cb(context, answer_pem, NULL) &&
             OSSL_DECODER_from_bio(context, in);

    OSSL_DECODER_CTX_free(context);
    return ok ? key : NULL;
}

static EVP_PKEY *read_decoder_ui(BIO *in)
{
    UI_METHOD *method = new_ui();
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, libctx, NULL);
    int ok = OSSL_DECODER_CTX_set_passphrase_ui(context, method, NULL) &&
             OSSL_DECODER_from_bio(context, in);

    OSSL_DECODER_CTX_free(context);
    UI_destroy_method(method);
    return ok ? key : NULL;
}

static EVP_PKEY *read_pem_callback(BIO *in)
{
    return PEM_read_bio_PrivateKey_ex(in, NULL, answer_pem, NULL, libctx, NULL);
}

/* The first key of |store|, which is closed. */
static EVP_PKEY *load_key(OSSL_STORE_CTX *store)
{
    EVP_PKEY *key = NULL;

    assert_non_null(store);
    while (key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        if (info == NULL && OSSL_STORE_error(store))
            break;
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    return key;
}

static EVP_PKEY *read_attached_store(BIO *in)
{
    UI_METHOD *method = new_ui();
    EVP_PKEY *key =
        load_key(OSSL_STORE_attach(in, "file", libctx, NULL, method, NULL, NULL, NULL, NULL));

    UI_destroy_method(method);
    return key;
}

static EVP_PKEY *read_store(BIO *in)
{
    UI_METHOD *method = new_ui();
    char path[96] = "", *data;
    long size = BIO_get_mem_data(in, &data);
    FILE *file;
    EVP_PKEY *key;

    snprintf(path, sizeof(path), "%s/blob", directory);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    key = load_key(OSSL_STORE_open_ex(path, libctx, NULL, method, NULL, NULL, NULL, NULL));
    unlink(path);
    UI_destroy_method(method);
    return key;
}

static const struct {
    const char *name;
    EVP_PKEY *(*read)(BIO *in);
    unsigned most_asked;
    int only_pem;
} readers[] = {
    { "decoder, string", read_decoder_string, 0, 0 },
    { "decoder, callback", read_decoder_callback, 1, 0 },
    { "decoder, pem_password_cb", read_decoder_pem_callback, 1, 0 },
    { "decoder, UI", read_decoder_ui, 1, 0 },
    { "PEM_read_bio_PrivateKey_ex", read_pem_callback, 1, 1 },
    { "OSSL_STORE_open_ex", read_store, 1, 0 },
    /* here libcrypto does not keep the answer between the file's decoders and its own */
    { "OSSL_STORE_attach", read_attached_store, 2, 0 },
};

#define READERS (sizeof(readers) / sizeof(readers[0]))

/* The blob in the dress |pem| says; the caller frees. */
static BIO *dress(const uint8_t *blob, size_t size, int pem)
{
    BIO *out = BIO_new(BIO_s_mem());

    if (pem)
        assert_true(PEM_write_bio(out, SCHANNEL_PEM_LABEL_OPAQUE, "", blob, (long)size) > 0);
    else
        assert_int_equal(BIO_write(out, blob, (int)size), (int)size);
    BIO_set_mem_eof_return(out, 0);
    return out;
}

static void every_reader_takes_a_passphrase(void **state)
{
    uint8_t blob[MAX_BLOB];
    size_t size = cheap_blob(usual, blob);
    EVP_PKEY *expected = usual_key();

    (void)state;
    for (size_t n = 0; n < 2 * READERS; n++) {
        int pem = n % 2 == 0;
        BIO *in = dress(blob, size, pem);
        EVP_PKEY *key;

        if (!pem && readers[n / 2].only_pem) {
            BIO_free(in);
            continue;
        }
        answer_with(usual);
        key = readers[n / 2].read(in);
        if (key == NULL) {
            ERR_print_errors_fp(stderr);
            fail_msg("%s, %s, fails", readers[n / 2].name, pem ? "PEM" : "binary");
        }
        assert_int_equal(EVP_PKEY_eq(expected, key), 1);
        print_message("%s, %s: asked %u times\n", readers[n / 2].name, pem ? "PEM" : "binary",
                      answer.asked);
        /* libcrypto keeps the answer while it tries its decoders */
        assert_in_range(answer.asked, readers[n / 2].most_asked != 0, readers[n / 2].most_asked);
        EVP_PKEY_free(key);
        BIO_free(in);
        ERR_clear_error();
    }
    EVP_PKEY_free(expected);
}

static void every_reader_says_why_it_got_no_key(void **state)
{
    static const struct phrase wrong = { "Correct horse battery staple", 28 };
    uint8_t blob[MAX_BLOB];
    size_t size = cheap_blob(usual, blob);

    (void)state;
    for (size_t n = 0; n < 4 * READERS; n++) {
        int pem = n % 2 == 0, fails = n / 2 % 2 == 0;
        BIO *in = dress(blob, size, pem);

        if ((pem || !readers[n / 4].only_pem) && (!fails || readers[n / 4].most_asked != 0)) {
            answer_with(wrong);
            answer.fails = fails;
            assert_null(readers[n / 4].read(in));
            print_message("%s, %s, %s: asked %u times\n", readers[n / 4].name,
                          pem ? "PEM" : "binary", fails ? "no answer" : "wrong", answer.asked);
            if (fails)
                assert_reason("no passphrase", "the application gave none");
            else
                assert_reason("seal does not verify", "");
        }
        BIO_free(in);
        ERR_clear_error();
    }
}

/* d2i_AutoPrivateKey_ex tries its decoders for one structure after the other, and keeps the errors of
 * each attempt: one reason, several times. */
static void assert_no_passphrase_at_each_attempt(void)
{
    unsigned long error;
    unsigned ours = 0;

    while ((error = ERR_get_error()) != 0) {
        const char *library = ERR_lib_error_string(error);

        if (library == NULL || strcmp(library, "schannel") != 0)
            continue;
        assert_string_equal(ERR_reason_error_string(error), "no passphrase");
        ours++;
    }
    print_message("d2i_AutoPrivateKey_ex: the reason %u times\n", ours);
    assert_in_range(ours, 1, 3);
}

static void a_reader_that_cannot_ask_says_so(void **state)
{
    uint8_t blob[MAX_BLOB];
    size_t size = cheap_blob(usual, blob);
    const unsigned char *position = blob;
    OSSL_PARAM seal[] = { text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    OSSL_PARAM params[] = { octets_param("opaque-blob", blob, size), OSSL_PARAM_construct_end() };
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, "SCHANNEL-AES-256-CBC", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    (void)state;
    assert_null(d2i_AutoPrivateKey_ex(NULL, &position, (long)size, libctx, NULL));
    assert_no_passphrase_at_each_attempt();
    assert_null(from_data(params));
    assert_reason("no passphrase", "the application gave none");
    assert_null(import_blob(blob, size, seal_key_a));
    assert_reason("no passphrase", "the application gave none");
    assert_int_equal(EVP_CipherInit_ex2(context, cipher, NULL, NULL, 1, params), 0);
    assert_reason("no passphrase", "the application gave none");
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    /* a seal-key is no passphrase, and no obstacle to one */
    answer_with(usual);
    answer.fails = 1;
    assert_null(decode(blob, size, NULL, seal));
    assert_reason("no passphrase", "the application gave none");
    EVP_PKEY_free(decode(blob, size, &usual, seal));
    assert_no_errors();
}

/* ---- passphrases ---- */

static void any_bytes_are_a_passphrase(void **state)
{
    static char longest[MAX_PHRASE];
    const struct phrase phrases[] = {
        { "", 0 },
        { "x", 1 },
        { "gr\xc3\xbc\xc3\x9f Gott \xe2\x82\xac \xf0\x9f\x94\x91", 20 },
        { "with\0zero", 9 },
        { "\xff\xfe\x80", 3 },
        { " space and newline \n", 20 },
        { longest, sizeof(longest) },
        { longest, sizeof(longest) - 1 },
    };
    uint8_t blob[MAX_BLOB];

    (void)state;
    memset(longest, 'l', sizeof(longest));
    for (size_t n = 0; n < sizeof(phrases) / sizeof(phrases[0]); n++) {
        size_t size = cheap_blob(phrases[n], blob);

        assert_opens(blob, size, phrases[n]);
        for (size_t m = 0; m < sizeof(phrases) / sizeof(phrases[0]); m++) {
            if (m != n && is_sampled_of_hundreds())
                assert_refused(blob, size, phrases[m], "seal does not verify");
        }
    }
}

/* The provider's own way out, for those that are special. */
static void special_passphrases_go_out_as_they_are(void **state)
{
    static char longest[MAX_PHRASE + 1];
    const struct phrase phrases[] = { { "", 0 }, { longest, MAX_PHRASE } };
    const size_t count = sampled_rounds(sizeof(phrases) / sizeof(phrases[0]), 1);
    EVP_PKEY *key = usual_key();

    (void)state;
    memset(longest, 'l', sizeof(longest));
    for (size_t n = 0; n < count; n++) {
        uint8_t payload[MAX_BLOB];
        unsigned char *blob;
        size_t size = encode(key, "DER", "AES-256-CBC", &phrases[n], NULL, &blob);

        assert_true(size > AT_SEALED);
        assert_in_range(open_independently(blob, size, phrases[n], payload), 1, size);
        OPENSSL_free(blob);
    }
    EVP_PKEY_free(key);
}

/* libcrypto gives the first 1,024 bytes of a longer one, as it does for its own formats. */
static void of_a_longer_passphrase_libcrypto_gives_the_beginning(void **state)
{
    static char longest[MAX_PHRASE + 300];
    const struct phrase whole = { longest, sizeof(longest) }, start = { longest, MAX_PHRASE };
    uint8_t blob[MAX_BLOB];
    size_t size;

    (void)state;
    memset(longest, 'l', sizeof(longest));
    longest[MAX_PHRASE] = 'm';
    size = cheap_blob(start, blob);
    assert_opens(blob, size, whole);
    /* a callback that says it has more than there is room for has failed */
    answer_with(whole);
    assert_null(decode(blob, size, NULL, NULL));
    assert_reason("no passphrase", "the application gave none");
}

static void a_callback_may_answer_with_nothing(void **state)
{
    static const struct phrase empty = { "", 0 };
    uint8_t blob[MAX_BLOB];
    size_t size = cheap_blob(empty, blob);
    BIO *in = dress(blob, size, 1);
    EVP_PKEY *key;

    (void)state;
    answer_with(empty);
    key = decode(blob, size, NULL, NULL);
    assert_non_null(key);
    EVP_PKEY_free(key);
    key = read_decoder_pem_callback(in);
    print_message("a pem_password_cb that returns 0: %s\n", key != NULL ? "empty" : "no answer");
    EVP_PKEY_free(key);
    BIO_free(in);
    ERR_clear_error();
}

/* ---- what was tampered with ---- */

static void the_number_of_iterations_is_bounded_and_authenticated(void **state)
{
    static const unsigned refused[] = { 0, 1, MIN_ITERATIONS - 1, MAX_ITERATIONS + 1, UINT32_MAX };
    uint8_t blob[MAX_BLOB], payload[MAX_BLOB];
    size_t size = cheap_blob(usual, blob);

    (void)state;
    assert_opens(blob, size, usual);
    for (size_t n = 0; n < sizeof(refused) / sizeof(refused[0]); n++) {
        set_iterations(blob, refused[n]);
        answer_with(usual);
        assert_null(decode(blob, size, NULL, NULL));
        assert_reason("malformed blob", "iterations");
        assert_int_equal(answer.asked, 0);
    }
    set_iterations(blob, MIN_ITERATIONS + 1);
    assert_refused(blob, size, usual, "seal does not verify");
    /* sealed so from the beginning it opens */
    set_iterations(blob, MIN_ITERATIONS);
    assert_in_range(open_independently(blob, size, usual, payload), 1, size);
    set_iterations(blob, MIN_ITERATIONS + 1);
    seal_independently(blob, size, usual, payload);
    assert_opens(blob, size, usual);
}

static void a_changed_byte_does_not_open(void **state)
{
    uint8_t blob[MAX_BLOB];
    size_t size = cheap_blob(usual, blob);

    (void)state;
    for (size_t at = 0; at < size; at += at < AT_SEALED ? 1 : 13) {
        if (!is_sampled_of_hundreds())
            continue;
        blob[at] ^= 0x40;
        answer_with(usual);
        /* without its first bytes it is not a blob, and nobody is asked */
        if (at < 4) {
            EVP_PKEY *key = decode(blob, size, NULL, NULL);

            assert_null(key);
            assert_int_equal(answer.asked, 0);
            ERR_clear_error();
        } else {
            assert_null(decode(blob, size, NULL, NULL));
            assert_reason(NULL, "");
        }
        blob[at] ^= 0x40;
    }
    assert_opens(blob, size, usual);
    /* the flag alone decides who is asked */
    blob[AT_FLAGS] ^= 2;
    answer_with(usual);
    assert_null(decode(blob, size, NULL, NULL));
    assert_int_equal(answer.asked, 0);
    assert_reason("malformed blob", "");
}

static int remove_claims(const char *claims)
{
    DIR *opened = opendir(claims);
    const struct dirent *entry;

    if (opened == NULL)
        return -1;
    while ((entry = readdir(opened)) != NULL)
        unlinkat(dirfd(opened), entry->d_name, 0);
    closedir(opened);
    return rmdir(claims);
}

static void a_transfer_under_a_passphrase_opens_once(void **state)
{
    char claims[96] = "";
    unsigned lifetime = 3600; /* a passphrase takes its time under valgrind */
    OSSL_PARAM mode[] = { text_param("blob-mode", "transfer"), text_param("claim-dir", claims),
                          OSSL_PARAM_construct_uint("lifetime", &lifetime),
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM claim[] = { text_param("claim-dir", claims), OSSL_PARAM_construct_end() };
    EVP_PKEY *key = usual_key(), *first, *second, *copy;
    unsigned char *blob;
    size_t size;

    (void)state;
    snprintf(claims, sizeof(claims), "%s/claims", directory);
    assert_int_equal(mkdir(claims, 0700), 0);
    mode[1] = claim[0] = text_param("claim-dir", claims);
    size = encode(key, "DER", "AES-256-CBC", &usual, mode, &blob);
    assert_true(size > AT_SEALED);
    assert_int_equal(blob[AT_FLAGS - 1], 1);
    assert_int_equal(blob[AT_FLAGS], 2);
    make_cheap(blob, size);
    first = decode(blob, size, &usual, claim);
    second = decode(blob, size, &usual, claim);
    copy = EVP_PKEY_dup(first);
    assert_non_null(copy);
    assert_null(EVP_PKEY_dup(second));
    assert_reason("blob was opened before", "");
    EVP_PKEY_free(copy);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    EVP_PKEY_free(key);
    OPENSSL_free(blob);
    assert_int_equal(remove_claims(claims), 0);
}

static int setup(void **state)
{
    pattern(secret, sizeof(secret), 11);
    return fixture_setup(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cipher_name_means_the_one_seal_which_is_never_the_same),
        cmocka_unit_test(without_a_cipher_name_nobody_is_asked),
        cmocka_unit_test(a_cipher_name_can_be_taken_back),
        cmocka_unit_test(a_cipher_name_is_a_text),
        cmocka_unit_test(a_signed_blob_is_sealed_under_a_passphrase_inside),
        cmocka_unit_test(fips_properties_leave_no_pbkdf2),
        cmocka_unit_test(every_kind_of_key_comes_back),
        cmocka_unit_test(every_writer_takes_a_passphrase_and_asks_once),
        cmocka_unit_test(a_writer_that_gets_no_passphrase_writes_nothing),
        cmocka_unit_test(a_seal_key_beside_the_cipher_wins),
        cmocka_unit_test(every_reader_takes_a_passphrase),
        cmocka_unit_test(every_reader_says_why_it_got_no_key),
        cmocka_unit_test(a_reader_that_cannot_ask_says_so),
        cmocka_unit_test(any_bytes_are_a_passphrase),
        cmocka_unit_test(special_passphrases_go_out_as_they_are),
        cmocka_unit_test(of_a_longer_passphrase_libcrypto_gives_the_beginning),
        cmocka_unit_test(a_callback_may_answer_with_nothing),
        cmocka_unit_test(the_number_of_iterations_is_bounded_and_authenticated),
        cmocka_unit_test(a_changed_byte_does_not_open),
        cmocka_unit_test(a_transfer_under_a_passphrase_opens_once),
    };

    return cmocka_run_group_tests(tests, setup, fixture_teardown);
}
