/*
 * Keys from passwords against answers that others made: every stanza of rsaenh-derive.txt, the
 * table of Wine's rsaenh tests, Microsoft's "Key Derivation Sample", a key of .NET on Windows.
 *
 * Each answer is reached twice: by the KDF with libcrypto's own cipher, and by a generated key with
 * EVP_PKEY_encrypt, EVP_PKEY_decrypt and a context bound to it.
 */
#include "fixture.h"

#include <openssl/kdf.h>
#include "md2_provider.h"
#include "vectors.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MAX_KEY      32
#define MAX_TEXT     64
#define MAX_PARAMS   12
#define SALT_SIZE    11

enum { CREATE_SALT = 4, NO_SALT = 0x10 };

/* What the files call it, what we do; sizes in bits as CryptDeriveKey takes them. */
struct cipher {
    const char *recorded, *alg;
    unsigned full, without_parity, least; /* least: RC2 and RC4 have sizes in steps of 8 */
    size_t block;
};

static const struct cipher ciphers[] = {
    { "RC2", "RC2-CBC", 128, 128, 40, 8 },
    { "RC4", "RC4", 128, 128, 40, 1 },
    { "DES", "DES-CBC", 64, 56, 0, 8 },
    { "3DES-112", "DES-EDE-CBC", 128, 112, 0, 8 },
    { "3DES", "DES-EDE3-CBC", 192, 168, 0, 8 },
    { "AES-128", "AES-128-CBC", 128, 128, 0, 16 },
    { "AES-192", "AES-192-CBC", 192, 192, 0, 16 },
    { "AES-256", "AES-256-CBC", 256, 256, 0, 16 },
    { "AES", "AES", 0, 0, 0, 0 }, /* CALG_AES: no size is meant, and nobody has it */
};

/* A call of CryptDeriveKey. */
struct call {
    const struct cipher *cipher;
    unsigned bits; /* 0: not given */
    const char *digest, *salt_mode;
    struct octets pass, hash;
};

struct list {
    OSSL_PARAM params[MAX_PARAMS];
    size_t count;
    unsigned bits;
    int exportable;
};

static OSSL_PROVIDER *md2;

static int setup(void **state)
{
    EVP_MD *platform;

    if (fixture_setup(state) != 0)
        return -1;
    platform = EVP_MD_fetch(libctx, "MD2", NULL);
    ERR_clear_error();
    print_message(platform != NULL ? "MD2: the platform's own\n"
                                   : "MD2: the platform has none, a provider of the test's has\n");
    if (platform == NULL)
        assert_non_null(md2 = md2_provider_load(libctx));
    EVP_MD_free(platform);
    return 0;
}

static int teardown(void **state)
{
    if (md2 != NULL)
        assert_int_equal(OSSL_PROVIDER_unload(md2), 1);
    return fixture_teardown(state);
}

static int starts_with_a_clean_queue(void **state)
{
    (void)state;
    ERR_clear_error();
    return 0;
}

static const struct cipher *cipher_of(const char *recorded)
{
    for (size_t n = 0; n < COUNT(ciphers); n++) {
        if (strcmp(ciphers[n].recorded, recorded) == 0)
            return &ciphers[n];
    }
    fail_msg("unknown cipher %s", recorded);
    return NULL;
}

static int is_des(const struct cipher *cipher)
{
    return strncmp(cipher->alg, "DES", 3) == 0;
}

static int has_salt(const struct cipher *cipher)
{
    return cipher->least != 0;
}

static int has_size(const struct cipher *cipher, unsigned bits)
{
    return bits == 0 || bits == cipher->full || bits == cipher->without_parity ||
           (cipher->least != 0 && bits >= cipher->least && bits <= cipher->full && bits % 8 == 0);
}

/* The recorded keys are as the hash gave them; ours have odd parity in the lowest bits. */
static void assert_key(const struct cipher *cipher, const uint8_t *key, struct octets expected)
{
    for (size_t n = 0; n < expected.size; n++) {
        const uint8_t mask = is_des(cipher) ? 0xfe : 0xff;

        assert_int_equal(key[n] & mask, expected.data[n] & mask);
        if (is_des(cipher))
            assert_int_equal(__builtin_parity(key[n]), 1);
    }
}

/* ---- the two ways ---- */

static void add(struct list *list, OSSL_PARAM param)
{
    assert_true(list->count + 1 < MAX_PARAMS);
    list->params[list->count++] = param;
    list->params[list->count] = OSSL_PARAM_construct_end();
}

/* The parameters of |call| for the KDF ("cipher", "cipher-bits") or a key ("alg", "bits"). */
static void list_call(struct list *list, const struct call *call, int is_key)
{
    list->count = 0;
    list->bits = call->bits;
    list->exportable = 1;
    add(list, text_param(is_key ? "alg" : "cipher", call->cipher->alg));
    if (call->bits != 0)
        add(list, OSSL_PARAM_construct_uint(is_key ? "bits" : "cipher-bits", &list->bits));
    if (call->pass.data != NULL)
        add(list, octets_param("pass", call->pass.data, call->pass.size));
    if (call->hash.data != NULL)
        add(list, octets_param("hash", call->hash.data, call->hash.size));
    if (call->digest != NULL)
        add(list, text_param("digest", call->digest));
    if (call->salt_mode != NULL)
        add(list, text_param("salt-mode", call->salt_mode));
    if (is_key)
        add(list, OSSL_PARAM_construct_int("exportable", &list->exportable));
}

static EVP_KDF_CTX *new_kdf(void)
{
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "CRYPTDERIVEKEY", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    assert_non_null(context);
    EVP_KDF_free(kdf);
    return context;
}

/* The size of what |usage| gives, at |out|; 0 when it is refused. */
static size_t kdf(const struct call *call, const char *usage, uint8_t *out)
{
    EVP_KDF_CTX *context = new_kdf();
    struct list list;
    size_t size = 0;

    list_call(&list, call, 0);
    add(&list, text_param("usage", usage));
    if (EVP_KDF_CTX_set_params(context, list.params) == 1 &&
        (size = EVP_KDF_CTX_get_kdf_size(context)) != 0)
        assert_int_equal(EVP_KDF_derive(context, out, size, NULL), 1);
    EVP_KDF_CTX_free(context);
    return size;
}

static size_t kdf_salt(const struct call *call, uint8_t salt[MAX_KEY])
{
    OSSL_PARAM wanted[] = { octets_param("salt", salt, MAX_KEY), OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *context = new_kdf();
    struct list list;

    list_call(&list, call, 0);
    assert_int_equal(EVP_KDF_CTX_set_params(context, list.params), 1);
    assert_int_equal(EVP_KDF_CTX_get_params(context, wanted), 1);
    EVP_KDF_CTX_free(context);
    return wanted[0].return_size;
}

/* NULL when it is refused. */
static EVP_PKEY *generate(const struct call *call)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;
    struct list list;

    list_call(&list, call, 1);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    if (EVP_PKEY_CTX_set_params(context, list.params) != 1 || EVP_PKEY_generate(context, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static void assert_secret(const struct cipher *cipher, EVP_PKEY *key, struct octets expected)
{
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;

    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    secret = OSSL_PARAM_locate_const(params, "secret");
    assert_non_null(secret);
    assert_int_equal(secret->data_size, expected.size);
    assert_key(cipher, secret->data, expected);
    OSSL_PARAM_free(params);
}

static unsigned number_of(EVP_PKEY *key, const char *name)
{
    unsigned number = 0;
    OSSL_PARAM wanted[] = { OSSL_PARAM_construct_uint(name, &number), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_get_params(key, wanted), 1);
    return number;
}

static void assert_octets(EVP_PKEY *key, const char *name, struct octets expected)
{
    uint8_t value[MAX_KEY];
    size_t size = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, name, value, sizeof(value), &size), 1);
    assert_int_equal(size, expected.size);
    if (size != 0)
        assert_memory_equal(value, expected.data, size);
}

/* ---- messages ---- */

/* CryptEncrypt with Final by libcrypto's own cipher: an IV of zeros, padding. */
static size_t encrypt_elsewhere(const struct cipher *cipher, const uint8_t *key, size_t key_size,
                                unsigned effective_bits, struct octets plain, uint8_t *out)
{
    static const uint8_t zeros[16];
    EVP_CIPHER *fetched = EVP_CIPHER_fetch(libctx, cipher->alg, "provider!=schannel");
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    OSSL_PARAM sizes[] = { OSSL_PARAM_construct_size_t("keylen", &key_size),
                           OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    int written = 0, last = 0;

    assert_non_null(fetched);
    if (strcmp(cipher->alg, "RC2-CBC") == 0)
        sizes[1] = OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_RC2_KEYBITS, &effective_bits);
    assert_int_equal(EVP_EncryptInit_ex2(context, fetched, NULL, NULL, NULL), 1);
    if (has_salt(cipher))
        assert_int_equal(EVP_CIPHER_CTX_set_params(context, sizes), 1);
    assert_int_equal(EVP_EncryptInit_ex2(context, NULL, key, zeros, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, plain.data, (int)plain.size), 1);
    assert_int_equal(EVP_EncryptFinal_ex(context, out + written, &last), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(fetched);
    return (size_t)(written + last);
}

static void assert_message(EVP_PKEY *key, int encrypt, struct octets in, struct octets expected)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key); /* RC4 would go on behind the message before */
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, copy, NULL);
    uint8_t out[MAX_TEXT];
    size_t size = sizeof(out);

    assert_int_equal((encrypt ? EVP_PKEY_encrypt_init : EVP_PKEY_decrypt_init)(context), 1);
    assert_int_equal(
        (encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt)(context, out, &size, in.data, in.size), 1);
    assert_int_equal(size, expected.size);
    assert_memory_equal(out, expected.data, size);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(copy);
}

/* A context bound to the key, padding on, opens the message too. */
static void assert_bound(const struct cipher *cipher, EVP_PKEY *key, struct octets in,
                         struct octets expected)
{
    uint8_t handle[KEY_HANDLE_SIZE] = { 0 }, out[MAX_TEXT + 16];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *fetched;
    char name[32];
    int written = 0, last = 0;

    get_handle(key, handle);
    snprintf(name, sizeof(name), "SCHANNEL-%s", cipher->alg);
    fetched = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_int_equal(EVP_DecryptInit_ex2(context, fetched, NULL, NULL, bind), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(context, 1), 1);
    assert_int_equal(EVP_DecryptUpdate(context, out, &written, in.data, (int)in.size), 1);
    assert_int_equal(EVP_DecryptFinal_ex(context, out + written, &last), 1);
    assert_int_equal(written + last, expected.size);
    assert_memory_equal(out, expected.data, expected.size);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(fetched);
}

static void assert_messages(const struct cipher *cipher, EVP_PKEY *key, struct octets plain,
                            struct octets sealed)
{
    assert_message(key, 1, plain, sealed);
    assert_message(key, 0, sealed, plain);
    assert_bound(cipher, key, sealed, plain);
}

/* ---- rsaenh-derive.txt ---- */

struct counts {
    unsigned keys, salts, messages, refused, newer, no_salt;
};

/* The call that a stanza recorded.  The base provider's own default is 40 bits; an enhanced one
 * forgets the salt that it was asked to create for 40 bits. */
static struct call recorded_call(struct vectors *vectors)
{
    const uint32_t flags = vectors_integer(vectors, "Flags");
    const char *provider = vectors_string(vectors, "Provider");
    struct call call = {
        .cipher = cipher_of(vectors_string(vectors, "KeyAlg")),
        .bits = vectors_integer(vectors, "KeyBits"),
        .digest = vectors_string(vectors, "Hash"),
        .pass = vectors_hex(vectors, "Password"),
    };

    if (call.bits == 0 && has_salt(call.cipher) && strcmp(provider, "base") == 0)
        call.bits = 40;
    if ((flags & NO_SALT) != 0 ||
        ((flags & CREATE_SALT) != 0 && call.bits == 40 && strcmp(provider, "enhanced") == 0))
        call.salt_mode = "none";
    else if ((flags & CREATE_SALT) != 0)
        call.salt_mode = "create";
    return call;
}

static int is_ok(const struct vectors *vectors)
{
    return strcmp(vectors_string(vectors, "Result"), "OK") == 0;
}

/* The flag has no effect on ciphers without a salt, and is a mistake here. */
static void without_useless_salt(struct call *call, struct counts *counts)
{
    uint8_t out[MAX_KEY];

    if (call->salt_mode == NULL || strcmp(call->salt_mode, "create") != 0 || has_salt(call->cipher))
        return;
    assert_int_equal(kdf(call, "key", out), 0);
    assert_reason("invalid parameter", "salt-mode: ");
    assert_null(generate(call));
    assert_reason("invalid parameter", "salt-mode: ");
    call->salt_mode = NULL;
    counts->no_salt++;
}

static void check_kdf(struct vectors *vectors, const struct call *call, struct counts *counts)
{
    static const struct octets none = { NULL, 0 };
    const struct octets key = vectors_hex(vectors, "Key");
    const struct octets salt = vectors_hex_or(vectors, "Salt", none);
    const struct octets sealed = vectors_hex(vectors, "Ciphertext");
    uint8_t out[MAX_KEY], made_salt[MAX_KEY], message[MAX_TEXT];
    size_t size;

    assert_int_equal(kdf(call, "key", out), key.size);
    assert_key(call->cipher, out, key);
    counts->keys++;
    size = kdf(call, "cipher-key", out);
    assert_int_equal(size, key.size + salt.size);
    assert_key(call->cipher, out, key);
    assert_int_equal(kdf_salt(call, made_salt), salt.size);
    if (salt.size != 0) {
        assert_memory_equal(out + key.size, salt.data, salt.size);
        assert_memory_equal(made_salt, salt.data, salt.size);
        counts->salts++;
    }
    assert_int_equal(encrypt_elsewhere(call->cipher, out, size,
                                       vectors_integer(vectors, "EffectiveKeyLen"),
                                       vectors_hex(vectors, "Plaintext"), message),
                     sealed.size);
    assert_memory_equal(message, sealed.data, sealed.size);
    counts->messages++;
}

/* How data under a key with a salt of another size is read: the whole key of the KDF, imported. */
static void check_whole_key(struct vectors *vectors, const struct call *call)
{
    unsigned effective_bits = vectors_integer(vectors, "EffectiveKeyLen");
    uint8_t whole[MAX_KEY];
    const size_t size = kdf(call, "cipher-key", whole);
    OSSL_PARAM params[] = { text_param("alg", call->cipher->alg),
                            octets_param("secret", whole, size),
                            OSSL_PARAM_construct_uint("effective-bits", &effective_bits),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *key;

    if (strcmp(call->cipher->alg, "RC2-CBC") != 0)
        params[2] = OSSL_PARAM_construct_end();
    assert_non_null(key = from_data(params));
    assert_messages(call->cipher, key, vectors_hex(vectors, "Plaintext"),
                    vectors_hex(vectors, "Ciphertext"));
    EVP_PKEY_free(key);
}

static void check_key(struct vectors *vectors, struct call call, struct counts *counts)
{
    static const struct octets none = { NULL, 0 };
    const struct octets secret = vectors_hex(vectors, "Key");
    const struct octets salt = vectors_hex_or(vectors, "Salt", none);
    /* key objects have a salt with exactly 40 bits only */
    const int is_made_without =
        call.salt_mode != NULL && strcmp(call.salt_mode, "create") == 0 && secret.size != 5;
    EVP_PKEY *key;

    if (is_made_without) {
        assert_null(generate(&call));
        assert_reason("invalid parameter", "salt-mode: only RC2 and RC4 keys of exactly 40 bits");
        check_whole_key(vectors, &call);
        call.salt_mode = NULL;
    }
    assert_non_null(key = generate(&call));
    assert_secret(call.cipher, key, secret);
    counts->keys++;
    assert_int_equal(number_of(key, "bits"), vectors_integer(vectors, "KeyLen"));
    if (strcmp(call.cipher->alg, "RC2-CBC") == 0)
        assert_int_equal(number_of(key, "effective-bits"),
                         vectors_integer(vectors, "EffectiveKeyLen"));
    if (call.cipher->block > 1)
        assert_octets(key, "iv", vectors_hex(vectors, "IV"));
    if (is_made_without && salt.size != 0) {
        assert_octets(key, "salt", none);
        counts->no_salt++;
    } else {
        assert_octets(key, "salt", salt);
        counts->salts += salt.size != 0;
        assert_messages(call.cipher, key, vectors_hex(vectors, "Plaintext"),
                        vectors_hex(vectors, "Ciphertext"));
        counts->messages++;
    }
    EVP_PKEY_free(key);
}

/* What the recorded providers refused: sizes that no provider has we refuse too; the rest they did
 * not know yet. */
static void check_refusal(const struct call *call, struct counts *counts)
{
    uint8_t out[MAX_KEY];
    EVP_PKEY *key;

    if (call->cipher->block == 0) {
        assert_int_equal(kdf(call, "key", out), 0);
        assert_reason("unknown algorithm", "cipher: expected");
        assert_null(generate(call));
        assert_reason("unknown algorithm", "alg: expected");
        counts->refused++;
    } else if (!has_size(call->cipher, call->bits)) {
        assert_int_equal(kdf(call, "key", out), 0);
        assert_reason("invalid parameter", "cipher-bits: ");
        assert_null(generate(call));
        assert_reason("invalid parameter", "bits: ");
        counts->refused++;
    } else {
        const struct call without_salt = { call->cipher, call->bits, call->digest,
                                           NULL,         call->pass, call->hash };
        size_t size = kdf(&without_salt, "key", out);

        assert_int_not_equal(size, 0);
        assert_non_null(key = generate(&without_salt));
        assert_secret(call->cipher, key, (struct octets){ out, size });
        EVP_PKEY_free(key);
        counts->newer++;
    }
}

static void every_recorded_stanza(void **state)
{
    struct vectors *vectors = vectors_open("rsaenh-derive.txt");
    struct counts by_kdf = { 0 }, by_key = { 0 }, refusals = { 0 };
    unsigned stanzas = 0;

    (void)state;
    for (; vectors_next(vectors); stanzas++) {
        struct call call = recorded_call(vectors);

        if (!is_ok(vectors)) {
            check_refusal(&call, &refusals);
            continue;
        }
        without_useless_salt(&call, &refusals);
        check_kdf(vectors, &call, &by_kdf);
        check_key(vectors, call, &by_key);
        assert_no_errors();
    }
    vectors_close(vectors);
    print_message("rsaenh-derive.txt: %u stanzas; KDF: %u keys, %u salts, %u messages; generation: "
                  "%u keys, %u salts, %u messages, and %u with the whole key of the KDF imported\n",
                  stanzas, by_kdf.keys, by_kdf.salts, by_kdf.messages, by_key.keys, by_key.salts,
                  by_key.messages, by_key.no_salt);
    print_message("rsaenh-derive.txt: %u refusals, %u here too, %u of what those providers lacked; "
                  "%u useless salts refused here\n",
                  refusals.refused + refusals.newer, refusals.refused, refusals.newer,
                  refusals.no_salt);
    assert_int_equal(stanzas, 619);
    assert_int_equal(by_kdf.keys, 377);
    assert_int_equal(by_kdf.messages, 377);
    assert_int_equal(by_key.keys, 377);
    assert_int_equal(by_key.messages + by_key.no_salt, 377);
    assert_int_equal(by_kdf.salts, 56);
    assert_int_equal(by_key.salts + by_key.no_salt, 56);
    assert_int_equal(refusals.refused + refusals.newer, 242);
}

/* ---- the table of Wine's rsaenh tests ---- */

/* Base data d[j] = j + i; the message is its first 4 bytes. */
struct published {
    const char *cipher, *digest;
    unsigned i;
    const char *hash; /* of the base data; NULL: not published */
    const char *sealed;
};

static const struct published wine[] = {
    { "DES", "MD2", 0, "babf93aebc7745aa7e4569e590e6047f", "5dda25a6b5c443fb" },
    { "3DES-112", "MD2", 1, "da4a9f5d2e7a3a4bbfde475b068448a7", "6b183ba18927bfd4" },
    { "3DES", "MD2", 2, "38e52e95a4a37388f81f87b774b1a156", "91ab17e5da27117d" },
    { "RC2", "MD2", 3, "7da4b110432676b10db6e69ca58bcbe6", "7d453d5600d7d154" },
    { "RC4", "MD2", 4, "ff32f16962deeb538cffa69258a822ea", "a98373a9" },
    { "AES-128", "MD2", 9, "d237e249eb9923da3e88557e045e155d", "a1643ffe997f24130ca903ef9bc81f2a" },
    { "DES", "MD4", 12, "e82f96c46cc191b4784056d8a025f571", "215abd26b43e8604" },
    { "3DES", "MD4", 14, "e47248c66e382f00c92d0112b78b6409", "7d5eaaea10a4a444" },
    { "RC4", "MD4", 16, "9b746d2211160550a3756bb2388c2bc6", "5c7e9984" },
    { "AES-128", "MD4", 21, "ffe969ffc1db08d45bc8517138ef8a5b",
      "8a24d07a03e7a702f2174c01d50e7f12" },
    { "DES", "MD5", 24, NULL, "f375cc7c6c0bcf93" },
    { "3DES-112", "MD5", 25, NULL, "5170e0b7000d3e21" },
    { "3DES", "MD5", 26, NULL, "582375253f8825eb" },
    { "RC2", "MD5", 27, NULL, "901c774587dd1c2e" },
    { "RC4", "MD5", 28, NULL, "c44cd2f1" },
    { "AES-128", "MD5", 33, NULL, "976692026dec33f84e821120c7e2e6e8" },
    { "AES-192", "MD5", 34, NULL, "9bda73f4f3069307c932f1d8d496d17d" },
    { "AES-256", "MD5", 35, NULL, "2a0fe9a96f537c9e07e6c3c915997ca8" },
    { "DES", "SHA1", 36, NULL, "d4d8aa44ac5e0b8d" },
    { "3DES-112", "SHA1", 37, NULL, "d81cbc6c92d309bf" },
    { "3DES", "SHA1", 38, NULL, "bd585a8898f8699a" },
    { "RC2", "SHA1", 39, NULL, "ccfb1a4d29ad3e65" },
    { "RC4", "SHA1", 40, NULL, "7a343d3c" },
    { "AES-128", "SHA1", 45, NULL, "39cbafd78b754a3bd20e0db164578858" },
    { "AES-192", "SHA1", 46, NULL, "a91383ca21a2f0be13bc55043808a9c4" },
    { "AES-256", "SHA1", 47, NULL, "e16ca8540e24676dcaa2fe84f09b7866" },
    { "DES", "SHA256", 48, NULL, "860d8cf4c0224add" },
    { "3DES-112", "SHA256", 49, NULL, "2de763f6584d9aa6" },
    { "3DES", "SHA256", 50, NULL, "20aa66d0ac839d99" },
    { "RC2", "SHA256", 51, NULL, "8c0119477ed2102c" },
    { "RC4", "SHA256", 52, NULL, "fa54139c" },
    { "AES-128", "SHA256", 57, NULL, "f875c6718bb654d3dcff0e848a3f1946" },
    { "AES-192", "SHA256", 58, NULL, "35f220c76cb28e513ec76b3e64a505df" },
    { "AES-256", "SHA256", 59, NULL, "8ceb1fd37877f5bf7ade8d2ca516cce9" },
};

/* The key of |call| encrypts |plain| to |sealed| and back, both ways. */
static void assert_published(const struct call *call, unsigned effective_bits, struct octets plain,
                             const char *sealed_hex)
{
    uint8_t sealed[MAX_TEXT], key_bytes[MAX_KEY], message[MAX_TEXT];
    const size_t sealed_size = hex_decode(sealed_hex, sealed, sizeof(sealed));
    const size_t size = kdf(call, "cipher-key", key_bytes);
    EVP_PKEY *key = generate(call);

    assert_non_null(key);
    assert_int_equal(
        encrypt_elsewhere(call->cipher, key_bytes, size, effective_bits, plain, message),
        sealed_size);
    assert_memory_equal(message, sealed, sealed_size);
    assert_messages(call->cipher, key, plain, (struct octets){ sealed, sealed_size });
    assert_no_errors();
    EVP_PKEY_free(key);
}

static void the_table_of_wine(void **state)
{
    uint8_t data[512], hash[64];

    (void)state;
    for (size_t n = 0; n < COUNT(wine); n++) {
        struct call call = { .cipher = cipher_of(wine[n].cipher), .digest = wine[n].digest };
        const struct octets plain = { data, 4 };

        for (size_t j = 0; j < sizeof(data); j++)
            data[j] = (uint8_t)(j + wine[n].i);
        call.pass = (struct octets){ data, sizeof(data) };
        assert_published(&call, 128, plain, wine[n].sealed);
        if (wine[n].hash == NULL)
            continue;
        call.pass = (struct octets){ NULL, 0 };
        call.hash = (struct octets){ hash, hex_decode(wine[n].hash, hash, sizeof(hash)) };
        assert_published(&call, 128, plain, wine[n].sealed);
    }
    print_message("Wine's table: %zu messages\n", COUNT(wine));
}

/* ---- Microsoft's own ---- */

static void the_key_derivation_sample(void **state)
{
    static const struct {
        const char *salt_mode, *sealed;
    } answers[] = {
        { NULL, "2659de2444fa369c110cbb9db6a2bd24042ee3ba7276f3278dd5b42f56cff8c9" },
        { "zero", "2659de2444fa369c110cbb9db6a2bd24042ee3ba7276f3278dd5b42f56cff8c9" },
        { "create", "47f45de2cc3b871b95bcfc39fb86d305daa291fb80f12a22c3b9ec91dd9faf50" },
        { "none", "e21578e95ab37636d3601237f08c7e6fece0aca5e970e5909dad37e3b0686920" },
    };
    static const uint8_t password[] = { '1', '1', '3', '4', '-', 'k', 'e', 'l', 'p' };
    uint8_t plain[32], key[MAX_KEY];

    (void)state;
    for (size_t n = 0; n < sizeof(plain); n++)
        plain[n] = (uint8_t)n;
    for (size_t n = 0; n < COUNT(answers); n++) {
        const struct call call = {
            .cipher = cipher_of("RC4"),
            .bits = 40,
            .digest = "MD5",
            .salt_mode = answers[n].salt_mode,
            .pass = { password, sizeof(password) },
        };

        assert_int_equal(kdf(&call, "key", key), 5);
        expect_hex((struct octets){ key, 5 }, "7340e6e274");
        assert_published(&call, 0, (struct octets){ plain, sizeof(plain) }, answers[n].sealed);
    }
}

/* .NET's PasswordDeriveBytes.CryptDeriveKey, recorded on Windows: DES keys have odd parity. */
static void the_des_key_of_windows(void **state)
{
    static const char password[] = "PasswordGoesHere";
    const struct call call = {
        .cipher = cipher_of("DES"),
        .digest = "SHA1",
        .pass = { (const uint8_t *)password, strlen(password) },
    };
    uint8_t out[MAX_KEY];
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;
    EVP_PKEY *key = generate(&call);

    (void)state;
    assert_int_equal(kdf(&call, "key", out), 8);
    expect_hex((struct octets){ out, 8 }, "b0685d8c98f4854a");
    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    secret = OSSL_PARAM_locate_const(params, "secret");
    expect_hex((struct octets){ secret->data, secret->data_size }, "b0685d8c98f4854a");
    OSSL_PARAM_free(params);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_recorded_stanza, starts_with_a_clean_queue),
        cmocka_unit_test_setup(the_table_of_wine, starts_with_a_clean_queue),
        cmocka_unit_test_setup(the_key_derivation_sample, starts_with_a_clean_queue),
        cmocka_unit_test_setup(the_des_key_of_windows, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
