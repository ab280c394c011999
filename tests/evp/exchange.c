/* CryptoAPI's blobs through the provider: see exchange.h. */
#include "exchange.h"

#include "sample.h"

#include <unistd.h>
#include <openssl/bn.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/store.h>

#define MAX_KEYS     16
#define INNER        "provider!=schannel"
#define RSA_KEYX     0x0000a400
#define MIN_OVERHEAD 11
#define MAX_URI      2048

static struct rsa_key *keys[MAX_KEYS];
static size_t key_count;

/* ---- RSA keys ---- */

static void write_file(const char *path, struct octets data)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data.data, 1, data.size, file), data.size);
    fclose(file);
}

static EVP_PKEY *from_integers(struct vectors *vectors)
{
    static const struct {
        const char *field, *param;
    } numbers[] = {
        { "Modulus", "n" },
        { "PrivateExponent", "d" },
        { "Prime1", "rsa-factor1" },
        { "Prime2", "rsa-factor2" },
        { "Exponent1", "rsa-exponent1" },
        { "Exponent2", "rsa-exponent2" },
        { "Coefficient", "rsa-coefficient1" },
    };
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "RSA", INNER);
    BIGNUM *values[COUNT(numbers)];
    OSSL_PARAM *params;
    EVP_PKEY *key = NULL;

    assert_int_equal(
        OSSL_PARAM_BLD_push_uint(builder, "e", vectors_integer(vectors, "PublicExponent")), 1);
    for (size_t n = 0; n < COUNT(numbers); n++) {
        const struct octets value = vectors_hex(vectors, numbers[n].field);

        values[n] = BN_bin2bn(value.data, (int)value.size, NULL);
        assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, numbers[n].param, values[n]), 1);
    }
    params = OSSL_PARAM_BLD_to_param(builder);
    assert_non_null(params);
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params), 1);
    for (size_t n = 0; n < COUNT(numbers); n++)
        BN_free(values[n]);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(context);
    return key;
}

struct rsa_key *rsa_key_new(struct vectors *vectors)
{
    struct rsa_key *key = calloc(1, sizeof(*key));
    const char *name = vectors_string(vectors, "RsaKey"), *alg = vectors_string(vectors, "KeyAlg");

    assert_non_null(key);
    snprintf(key->name, sizeof(key->name), "%s", name);
    snprintf(key->alg, sizeof(key->alg), "%s", alg);
    snprintf(key->private_file, sizeof(key->private_file), "%s/%s-%s", directory, name, alg);
    snprintf(key->public_file, sizeof(key->public_file), "%s/%s-%s-public", directory, name, alg);
    write_file(key->private_file, vectors_hex(vectors, "PrivateKeyBlob"));
    write_file(key->public_file, vectors_hex(vectors, "PublicKeyBlob"));
    key->pkey = from_integers(vectors);
    key->size = (size_t)EVP_PKEY_get_size(key->pkey);
    return key;
}

void rsa_key_free(struct rsa_key *key)
{
    unlink(key->private_file);
    unlink(key->public_file);
    EVP_PKEY_free(key->pkey);
    free(key);
}

void exchange_keys_setup(void)
{
    struct vectors *vectors = vectors_open("rsaenh-rsablob.txt");

    while (vectors_next(vectors)) {
        assert_in_range(key_count, 0, MAX_KEYS - 1);
        keys[key_count++] = rsa_key_new(vectors);
    }
    vectors_close(vectors);
}

void exchange_keys_teardown(void)
{
    while (key_count > 0)
        rsa_key_free(keys[--key_count]);
}

int exchange_setup(void **state)
{
    int result = fixture_setup(state);

    exchange_keys_setup();
    return result;
}

int exchange_teardown(void **state)
{
    exchange_keys_teardown();
    return fixture_teardown(state);
}

static const struct rsa_key *find_key(const char *name, const char *alg)
{
    for (size_t n = 0; n < key_count; n++) {
        if (strcmp(keys[n]->name, name) == 0 && strcmp(keys[n]->alg, alg) == 0)
            return keys[n];
    }
    fail_msg("no key %s of %s", name, alg);
    return NULL;
}

const struct rsa_key *rsa_key_named(const char *name)
{
    return find_key(name, "RSA-KEYX");
}

const struct rsa_key *rsa_key_of(const struct vectors *vectors)
{
    return find_key(vectors_string(vectors, "RsaKey"),
                    vectors_string_or(vectors, "RsaKeyAlg", "RSA-KEYX"));
}

/* ---- RSA without the provider ---- */

static size_t rsa(const struct rsa_key *key, int decrypt, int padding, struct octets in,
                  uint8_t *out)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key->pkey, INNER);
    size_t size = key->size;

    assert_non_null(context);
    assert_int_equal((decrypt ? EVP_PKEY_decrypt_init : EVP_PKEY_encrypt_init)(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, padding), 1);
    assert_int_equal(
        (decrypt ? EVP_PKEY_decrypt : EVP_PKEY_encrypt)(context, out, &size, in.data, in.size), 1);
    EVP_PKEY_CTX_free(context);
    return size;
}

static void reverse(uint8_t *to, const uint8_t *from, size_t size)
{
    for (size_t n = 0; n < size; n++)
        to[n] = from[size - 1 - n];
}

static size_t rsa_open(const struct rsa_key *key, int padding, struct octets blob, uint8_t *out)
{
    uint8_t ciphertext[MAX_EXCHANGED], plain[MAX_EXCHANGED];
    size_t size;

    assert_int_equal(blob.size, SIMPLE_HEADER_SIZE + key->size);
    reverse(ciphertext, blob.data + SIMPLE_HEADER_SIZE, key->size);
    size = rsa(key, 1, padding, (struct octets){ ciphertext, key->size }, plain);
    memcpy(out, plain, size);
    return size;
}

void rsa_raw_block(const struct rsa_key *key, struct octets blob, uint8_t *block)
{
    assert_int_equal(rsa_open(key, RSA_NO_PADDING, blob, block), key->size);
}

size_t rsa_open_oaep(const struct rsa_key *key, struct octets blob, uint8_t *out)
{
    return rsa_open(key, RSA_PKCS1_OAEP_PADDING, blob, out);
}

/* Looked at byte by byte: libcrypto's own reader may give random bytes for a wrong padding. */
size_t rsa_open_pkcs1(const struct rsa_key *key, struct octets blob, uint8_t *out)
{
    uint8_t block[MAX_EXCHANGED];
    size_t n = 2;

    rsa_raw_block(key, blob, block);
    assert_int_equal(block[0], 0);
    assert_int_equal(block[1], 2);
    while (n < key->size && block[n] != 0)
        n++;
    assert_in_range(n, 2 + 8, key->size - 1);
    memcpy(out, block + n + 1, key->size - n - 1);
    return key->size - n - 1;
}

size_t rsa_seal_block(const struct rsa_key *key, uint32_t alg_id, const uint8_t *block,
                      uint8_t *blob)
{
    const uint8_t header[SIMPLE_HEADER_SIZE] = {
        1, 2, 0, 0, (uint8_t)alg_id, (uint8_t)(alg_id >> 8), 0, 0, 0, RSA_KEYX >> 8, 0, 0
    };
    uint8_t ciphertext[MAX_EXCHANGED];
    const size_t size =
        rsa(key, 0, RSA_NO_PADDING, (struct octets){ block, key->size }, ciphertext);

    assert_int_equal(size, key->size);
    memcpy(blob, header, sizeof(header));
    reverse(blob + sizeof(header), ciphertext, size);
    return sizeof(header) + size;
}

size_t rsa_seal(const struct rsa_key *key, uint32_t alg_id, struct octets data, uint8_t *blob)
{
    uint8_t block[MAX_EXCHANGED];

    assert_in_range(data.size + MIN_OVERHEAD, MIN_OVERHEAD, key->size);
    memset(block, 0xaa, key->size);
    block[0] = 0;
    block[1] = 2;
    block[key->size - data.size - 1] = 0;
    memcpy(block + key->size - data.size, data.data, data.size);
    return rsa_seal_block(key, alg_id, block, blob);
}

/* ---- algorithms ---- */

static const struct {
    const char *recorded, *alg; /* KeyAlg of the vectors */
    uint32_t alg_id;
} algs[] = {
    { "RC4", "RC4", 0x6801 },
    { "RC2", "RC2-CBC", 0x6602 },
    { "DES", "DES-CBC", 0x6601 },
    { "3DES-112", "DES-EDE-CBC", 0x6609 },
    { "3DES", "DES-EDE3-CBC", 0x6603 },
    { "AES-128", "AES-128-CBC", 0x660e },
    { "AES-192", "AES-192-CBC", 0x660f },
    { "AES-256", "AES-256-CBC", 0x6610 },
    { "PCT1-MASTER", "PCT1-MASTER", 0x4c04 },
    { "SSL2-MASTER", "SSL2-MASTER", 0x4c05 },
    { "SSL3-MASTER", "SSL3-MASTER", 0x4c01 },
    { "TLS1-MASTER", "TLS1-MASTER", 0x4c06 },
};

const char *alg_of(const struct vectors *vectors)
{
    const char *recorded = vectors_string(vectors, "KeyAlg");

    for (size_t n = 0; n < COUNT(algs); n++) {
        if (strcmp(algs[n].recorded, recorded) == 0)
            return algs[n].alg;
    }
    vectors_fail(vectors, "unknown KeyAlg %s", recorded);
}

uint32_t alg_id_of(const char *alg)
{
    for (size_t n = 0; n < COUNT(algs); n++) {
        if (strcmp(algs[n].alg, alg) == 0)
            return algs[n].alg_id;
    }
    fail_msg("unknown alg %s", alg);
    return 0;
}

int is_master(const char *alg)
{
    return strstr(alg, "MASTER") != NULL;
}

int has_premaster(const char *alg)
{
    return strcmp(alg, "SSL3-MASTER") == 0 || strcmp(alg, "TLS1-MASTER") == 0;
}

/* ---- blobs in and out ---- */

EVP_PKEY *decode_blob(struct octets blob, const struct list *options)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, libctx, NULL);
    const unsigned char *data = blob.data;
    size_t size = blob.size;

    assert_non_null(context);
    if (options != NULL)
        assert_int_equal(OSSL_DECODER_CTX_set_params(context, options->params), 1);
    if (!OSSL_DECODER_from_data(context, &data, &size)) {
        assert_null(key);
        key = NULL;
    }
    OSSL_DECODER_CTX_free(context);
    return key;
}

/* The value of a parameter as a URI has it; octets under a name with "hex" before it. */
static size_t print_option(const OSSL_PARAM *param, char *out, size_t room)
{
    uint64_t number = 0;
    size_t used = 0;

    if (param->data_type == OSSL_PARAM_UTF8_STRING)
        used = (size_t)snprintf(out, room, "%s=%s", param->key, (const char *)param->data);
    else if (param->data_type == OSSL_PARAM_OCTET_STRING) {
        used = (size_t)snprintf(out, room, "hex%s=", param->key);
        for (size_t n = 0; n < param->data_size && used < room; n++)
            used += (size_t)snprintf(out + used, room - used, "%02x",
                                     ((const uint8_t *)param->data)[n]);
    } else {
        assert_int_equal(OSSL_PARAM_get_uint64(param, &number), 1);
        used = (size_t)snprintf(out, room, "%s=%llu", param->key, (unsigned long long)number);
    }
    assert_in_range(used, 1, room - 1);
    return used;
}

EVP_PKEY *store_blob(struct octets blob, const struct list *options)
{
    char uri[MAX_URI], path[96];
    EVP_PKEY *key = NULL;
    OSSL_STORE_CTX *store;
    size_t used;

    snprintf(path, sizeof(path), "%s/stored.blob", directory);
    write_file(path, blob);
    used = (size_t)snprintf(uri, sizeof(uri), "schannel:%s", path);
    for (size_t n = 0; options != NULL && n < options->count; n++) {
        uri[used++] = n == 0 ? '?' : '&';
        used += print_option(&options->params[n], uri + used, sizeof(uri) - used);
    }
    store = OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL);
    if (store != NULL) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
        OSSL_STORE_close(store);
    }
    unlink(path);
    return key;
}

size_t encode_blob(EVP_PKEY *key, const char *type, const struct list *options, uint8_t *out,
                   size_t room)
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, NULL, NULL);
    unsigned char *data = NULL;
    size_t size = 0;

    assert_non_null(context);
    assert_int_not_equal(OSSL_ENCODER_CTX_get_num_encoders(context), 0);
    if (options != NULL)
        assert_int_equal(OSSL_ENCODER_CTX_set_params(context, options->params), 1);
    if (OSSL_ENCODER_to_data(context, &data, &size)) {
        assert_in_range(size, 1, room);
        memcpy(out, data, size);
    } else {
        assert_null(data);
        size = 0;
    }
    OPENSSL_free(data);
    OSSL_ENCODER_CTX_free(context);
    return size;
}

/* ---- keys ---- */

EVP_PKEY *make_exportable(const char *alg, struct octets bytes)
{
    struct list list;
    EVP_PKEY *key;

    list_start(&list);
    add_text(&list, "alg", alg);
    add_octets(&list, has_premaster(alg) ? "premaster" : "secret", bytes.data, bytes.size);
    add_number(&list, "exportable", 1);
    key = from_data(list.params);
    assert_non_null(key);
    return key;
}

size_t key_bytes_of(EVP_PKEY *key, uint8_t out[MAX_KEY_BYTES])
{
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *param;
    void *data = out;
    size_t size = 0;

    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    param = OSSL_PARAM_locate_const(params, "secret");
    if (param == NULL)
        param = OSSL_PARAM_locate_const(params, "premaster");
    assert_non_null(param);
    assert_int_equal(OSSL_PARAM_get_octet_string(param, &data, MAX_KEY_BYTES, &size), 1);
    OSSL_PARAM_free(params);
    return size;
}

int raw_export_is_refused(EVP_PKEY *key)
{
    OSSL_PARAM *params = NULL;
    int ok = EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params);

    OSSL_PARAM_free(params);
    if (ok == 1)
        return 0;
    assert_reason("key is not exportable", "");
    return 1;
}

size_t crypt_encrypt(EVP_PKEY *key, int is_final, struct octets in, uint8_t *out, size_t room)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    int yes = 1;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int("final", &is_final),
                            OSSL_PARAM_construct_int("final-reset", &yes),
                            OSSL_PARAM_construct_end() };
    size_t size = room;

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_encrypt_init_ex(context, NULL), 1);
    if (!is_final)
        params[1] = OSSL_PARAM_construct_end();
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_encrypt(context, out, &size, in.data, in.size), 1);
    EVP_PKEY_CTX_free(context);
    return size;
}

/* ---- stanzas ---- */

void allow_fields(const struct vectors *vectors, const char *const *names, size_t count)
{
    const char *field;

    for (size_t n = 0; (field = vectors_field_name(vectors, n)) != NULL; n++) {
        size_t known = 0;

        while (known < count && strcmp(names[known], field) != 0)
            known++;
        if (known == count)
            vectors_fail(vectors, "unknown field %s", field);
    }
}

/* |prefix| || |field|, until the next call. */
static const char *prefixed(const char *prefix, const char *field)
{
    static char name[64];

    snprintf(name, sizeof(name), "%s%s", prefix, field);
    return name;
}

static void expect_cipher_key(struct vectors *vectors, const char *prefix, EVP_PKEY *key)
{
    const uint32_t block_bits = vectors_integer(vectors, prefixed(prefix, "BlockLen"));
    uint8_t out[MAX_KEY_BYTES];
    size_t size;

    assert_int_equal(EVP_PKEY_get_size(key), block_bits == 0 ? 1 : block_bits / 8);
    /* CRYPT_MODE_CBC */
    assert_int_equal(vectors_integer(vectors, prefixed(prefix, "Mode")), block_bits == 0 ? 0 : 1);
    if (block_bits != 0) {
        size = octets_of(key, "iv", out, sizeof(out));
        vectors_expect(vectors, prefixed(prefix, "IV"), (struct octets){ out, size });
    }
    size = octets_of(key, "salt", out, sizeof(out));
    if (vectors_has(vectors, prefixed(prefix, "Salt")))
        vectors_expect(vectors, prefixed(prefix, "Salt"), (struct octets){ out, size });
    else
        assert_int_equal(size, 0);
    if (vectors_has(vectors, prefixed(prefix, "Ciphertext"))) {
        const struct octets plain = vectors_hex(vectors, prefixed(prefix, "Plaintext"));

        size = crypt_encrypt(key, 1, plain, out, sizeof(out));
        vectors_expect(vectors, prefixed(prefix, "Ciphertext"), (struct octets){ out, size });
    }
}

void expect_recorded_key(struct vectors *vectors, const char *prefix, EVP_PKEY *key)
{
    const uint32_t bits = vectors_integer(vectors, prefixed(prefix, "KeyLen"));
    const uint32_t effective = vectors_integer(vectors, prefixed(prefix, "EffectiveKeyLen"));
    char alg[16] = "", kind[16] = "";
    uint8_t out[MAX_EXCHANGED];
    struct list list;
    size_t size;

    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "alg", alg, sizeof(alg), NULL), 1);
    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "kind", kind, sizeof(kind), NULL), 1);
    assert_int_equal(number_of(key, "bits"), bits);
    /* KP_EFFECTIVE_KEYLEN is a parameter of RC2 keys; others have the bits of the key. */
    assert_int_equal(strcmp(alg, "RC2-CBC") == 0 ? number_of(key, "effective-bits") : bits,
                     effective);
    size = key_bytes_of(key, out);
    vectors_expect(vectors, prefixed(prefix, "Key"), (struct octets){ out, size });
    list_start(&list);
    add_number(&list, "allow-plaintext", 1);
    size = encode_blob(key, "plaintextblob", &list, out, sizeof(out));
    vectors_expect(vectors, prefixed(prefix, "KeyBlob"), (struct octets){ out, size });
    if (strcmp(kind, "master") != 0)
        expect_cipher_key(vectors, prefix, key);
}

int verdicts_want(struct verdicts *verdicts)
{
    if (is_sampled_of_hundreds())
        return 1;
    verdicts->left_out++;
    return 0;
}

void verdicts_report(const struct verdicts *verdicts, unsigned passed, unsigned decided)
{
    print_message("%s: %u passed, %u decided otherwise\n", verdicts->file, verdicts->passed,
                  verdicts->decided);
    if (is_sample()) {
        assert_int_equal(verdicts->passed + verdicts->decided + verdicts->left_out,
                         passed + decided);
        return;
    }
    assert_int_equal(verdicts->passed, passed);
    assert_int_equal(verdicts->decided, decided);
}
