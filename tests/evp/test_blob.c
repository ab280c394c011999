/*
 * Opaque blobs through EVP, encoders and decoders: a key that went through a blob continues exactly
 * where it stopped, and a blob that was touched does not open.
 */
#include "fixture.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define TEXT_SIZE 200

struct row {
    const char *alg, *digest, *cipher; /* |cipher| without the prefix, NULL for a MAC */
    size_t key_size, iv_size, largest_blob;
};

static const struct row rows[] = {
    { "RC4", NULL, "RC4", 16, 0, 480 },
    { "RC4", NULL, "RC4", 5, 0, 480 },
    { "DES-EDE3-CBC", NULL, "DES-EDE3-CBC", 24, 8, 224 },
    { "AES-128-CBC", NULL, "AES-128-CBC", 16, 16, 224 },
    { "AES-256-CBC", NULL, "AES-256-CBC", 32, 16, 224 },
    { "TLS1-MAC", "MD5", NULL, 16, 0, 300 },
    { "TLS1-MAC", "SHA1", NULL, 20, 0, 300 },
    { "TLS1-MASTER", NULL, NULL, 48, 0, 400 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static EVP_PKEY *make_key(const struct row *row, const char *seal_key, int exportable)
{
    uint8_t secret[64], iv[16];
    OSSL_PARAM params[8], *p = params;
    EVP_PKEY *key;

    pattern(secret, sizeof(secret), 11);
    pattern(iv, sizeof(iv), 77);
    *p++ = text_param("alg", row->alg);
    *p++ = OSSL_PARAM_construct_octet_string("secret", secret, row->key_size);
    *p++ = text_param("seal-key", seal_key);
    *p++ = OSSL_PARAM_construct_int("exportable", &exportable);
    if (row->digest != NULL)
        *p++ = text_param("digest", row->digest);
    if (row->iv_size != 0)
        *p++ = OSSL_PARAM_construct_octet_string("iv", iv, row->iv_size);
    *p = OSSL_PARAM_construct_end();
    key = from_data(params);
    assert_non_null(key);
    return key;
}

/* ---- continuing where a key stopped ---- */

/* Encrypts with a context bound to |key|; what is ready comes out. */
static size_t advance_cipher(const struct row *row, EVP_PKEY *key, const uint8_t *in, size_t size,
                             uint8_t *out)
{
    char name[64];
    uint8_t handle[16];
    OSSL_PARAM bind[] = { OSSL_PARAM_construct_octet_string("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher;
    int written = 0;

    snprintf(name, sizeof(name), "SCHANNEL-%s", row->cipher);
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_non_null(cipher);
    get_handle(key, handle);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, bind), 1);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, in, (int)size), 1);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return (size_t)written;
}

/* The same text through OpenSSL's own cipher, uncut and unpadded. */
static void uncut_cipher(const struct row *row, const uint8_t *in, size_t size, uint8_t *out)
{
    uint8_t secret[64], iv[16];
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, row->cipher, NULL);
    int written = 0;

    assert_non_null(cipher);
    pattern(secret, sizeof(secret), 11);
    pattern(iv, sizeof(iv), 77);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_key_length(context, (int)row->key_size), 1);
    assert_int_equal(EVP_EncryptInit_ex2(context, NULL, secret, iv, NULL), 1);
    EVP_CIPHER_CTX_set_padding(context, 0);
    assert_int_equal(EVP_EncryptUpdate(context, out, &written, in, (int)size), 1);
    assert_int_equal(written, size);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
}

static void check_cipher_cut(const struct row *row, size_t cut)
{
    uint8_t in[TEXT_SIZE], expected[TEXT_SIZE], actual[TEXT_SIZE + 32], blob[MAX_BLOB];
    EVP_PKEY *key = make_key(row, seal_key_a, 0), *moved;
    size_t size = 192, total;

    pattern(in, sizeof(in), 3);
    uncut_cipher(row, in, size, expected);
    total = advance_cipher(row, key, in, cut, actual);
    moved = import_blob(blob, export_blob(key, blob), seal_key_a);
    assert_non_null(moved);
    total += advance_cipher(row, moved, in + cut, size - cut, actual + total);
    assert_int_equal(total, size);
    assert_memory_equal(actual, expected, size);
    EVP_PKEY_free(moved);
    /* the exported key was not advanced by that */
    total = advance_cipher(row, key, in + cut, size - cut, actual);
    assert_memory_equal(actual, expected + (size - total), total);
    EVP_PKEY_free(key);
}

static void a_cipher_key_moved_at_any_byte_continues_as_if_it_had_not_moved(void **state)
{
    size_t cuts = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t cut = 0; rows[n].cipher != NULL && cut <= 66; cut++, cuts++)
            check_cipher_cut(&rows[n], cut);
    }
    print_message("%zu cut positions\n", cuts);
}

static EVP_MAC_CTX *bind_mac(EVP_PKEY *key)
{
    uint8_t handle[16];
    OSSL_PARAM bind[] = { OSSL_PARAM_construct_octet_string("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    assert_non_null(context);
    get_handle(key, handle);
    assert_int_equal(EVP_MAC_init(context, NULL, 0, bind), 1);
    EVP_MAC_free(mac);
    return context;
}

static void check_mac_cut(const struct row *row, size_t cut, int in_record)
{
    uint8_t in[TEXT_SIZE], secret[64], blob[MAX_BLOB], expected[20], actual[20];
    uint8_t header[13] = { 0, 0, 0, 0, 0, 0, 1, 4, 23, 3, 1, 0, 150 };
    uint64_t sequence = 0x104, after = 0;
    unsigned type = 23, version = 0x301, length = 150;
    OSSL_PARAM set[] = { OSSL_PARAM_construct_uint64("sequence", &sequence),
                         OSSL_PARAM_construct_end() };
    OSSL_PARAM record[] = { OSSL_PARAM_construct_uint("record-type", &type),
                            OSSL_PARAM_construct_uint("record-version", &version),
                            OSSL_PARAM_construct_uint("record-length", &length),
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM get[] = { OSSL_PARAM_construct_uint64("sequence", &after),
                         OSSL_PARAM_construct_end() };
    EVP_PKEY *key = make_key(row, seal_key_a, 0), *moved;
    EVP_MAC_CTX *context = bind_mac(key);
    uint8_t whole[sizeof(header) + 150];
    size_t size = 0;

    pattern(in, sizeof(in), 3);
    pattern(secret, sizeof(secret), 11);
    memcpy(whole, header, sizeof(header));
    memcpy(whole + sizeof(header), in, 150);
    assert_non_null(EVP_Q_mac(libctx, "HMAC", NULL, row->digest, NULL, secret, row->key_size,
                              in_record ? whole : in, in_record ? sizeof(whole) : 150, expected,
                              sizeof(expected), NULL));
    assert_int_equal(EVP_PKEY_set_params(key, set), 1);
    if (in_record)
        assert_int_equal(EVP_MAC_CTX_set_params(context, record), 1);
    assert_int_equal(EVP_MAC_update(context, in, cut), 1);
    moved = import_blob(blob, export_blob(key, blob), seal_key_a);
    assert_non_null(moved);
    EVP_MAC_CTX_free(context);
    EVP_PKEY_free(key);

    context = bind_mac(moved);
    assert_int_equal(EVP_MAC_update(context, in + cut, 150 - cut), 1);
    assert_int_equal(EVP_MAC_final(context, actual, &size, sizeof(actual)), 1);
    assert_int_equal(size, row->key_size);
    assert_memory_equal(actual, expected, size);
    assert_int_equal(EVP_PKEY_get_params(moved, get), 1);
    assert_int_equal(after, in_record ? 0x105 : 0x104);
    EVP_MAC_CTX_free(context);
    EVP_PKEY_free(moved);
}

static void a_half_absorbed_mac_moved_at_any_byte_continues(void **state)
{
    size_t cuts = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        for (size_t cut = 0; rows[n].digest != NULL && cut <= 150; cut++, cuts += 2) {
            check_mac_cut(&rows[n], cut, 0);
            check_mac_cut(&rows[n], cut, 1);
        }
    }
    print_message("%zu cut positions\n", cuts);
}

static void a_moved_master_derives_the_same_keys(void **state)
{
    uint8_t random[32], blob[MAX_BLOB], premaster[48];
    int yes = 1;
    OSSL_PARAM params[] = {
        text_param("alg", "TLS1-MASTER"),
        OSSL_PARAM_construct_octet_string("premaster", premaster, sizeof(premaster)),
        OSSL_PARAM_construct_octet_string("client-random", random, sizeof(random)),
        OSSL_PARAM_construct_octet_string("server-random", random, sizeof(random)),
        text_param("cipher", "AES-256-CBC"),
        text_param("digest", "SHA1"),
        text_param("seal-key", seal_key_a),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM usage[] = { text_param("usage", "client-write-key"),
                           OSSL_PARAM_construct_int("exportable", &yes),
                           OSSL_PARAM_construct_end() };
    EVP_PKEY *masters[2], *keys[2] = { NULL, NULL };

    (void)state;
    pattern(random, sizeof(random), 1);
    pattern(premaster, sizeof(premaster), 2);
    masters[0] = from_data(params);
    assert_non_null(masters[0]);
    masters[1] = import_blob(blob, export_blob(masters[0], blob), seal_key_a);
    for (size_t n = 0; n < 2; n++) {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, masters[n], NULL);

        assert_int_equal(EVP_PKEY_keygen_init(context), 1);
        assert_int_equal(EVP_PKEY_CTX_set_params(context, usage), 1);
        assert_int_equal(EVP_PKEY_generate(context, &keys[n]), 1);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(masters[n]);
    }
    assert_int_equal(EVP_PKEY_eq(keys[0], keys[1]), 1);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

/* ---- sizes and formats ---- */

static void blobs_keep_to_the_sizes_promised(void **state)
{
    uint8_t blob[MAX_BLOB];

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        EVP_PKEY *key = make_key(&rows[n], seal_key_a, 0);
        size_t size;

        if (rows[n].iv_size != 0)
            advance_cipher(&rows[n], key, (const uint8_t *)"15 bytes of it.", 15, blob);
        size = export_blob(key, blob);
        print_message("%s, %zu bytes: %zu\n", rows[n].alg, rows[n].key_size, size);
        assert_in_range(size, 1, rows[n].largest_blob);
        EVP_PKEY_free(key);
    }
}

static size_t encode(EVP_PKEY *key, const char *type, const char *structure, unsigned char **out)
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, type, structure, NULL);
    size_t size = 0;

    *out = NULL;
    assert_int_equal(OSSL_ENCODER_to_data(context, out, &size), 1);
    OSSL_ENCODER_CTX_free(context);
    return size;
}

static EVP_PKEY *decode(const unsigned char *data, size_t size, const char *type,
                        const char *key_type, const char *seal_key)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, type, NULL, key_type, EVP_PKEY_KEYPAIR, libctx, NULL);
    OSSL_PARAM params[] = { text_param("seal-key", seal_key), OSSL_PARAM_construct_end() };

    assert_int_equal(OSSL_DECODER_CTX_set_params(context, params), 1);
    if (!OSSL_DECODER_from_data(context, &data, &size))
        key = NULL;
    OSSL_DECODER_CTX_free(context);
    return key;
}

static void every_format_is_read_back_by_every_reader(void **state)
{
    static const struct {
        const char *output, *structure, *inputs[3];
    } formats[] = {
        { "PEM", NULL, { "PEM", NULL, NULL } },
        { "PEM", "PrivateKeyInfo", { "PEM", NULL, NULL } },
        { "DER", NULL, { "DER", "opaqueblob", NULL } },
        { "DER", "type-specific", { "DER", "opaqueblob", NULL } },
        { "opaqueblob", NULL, { "opaqueblob", "DER", NULL } },
    };
    size_t count = 0;

    (void)state;
    for (size_t n = 0; n < ROWS; n++) {
        EVP_PKEY *key = make_key(&rows[n], seal_key_a, 0);
        char id[32], other[32];

        get_id(key, id);
        for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
            unsigned char *data;
            size_t size = encode(key, formats[f].output, formats[f].structure, &data);

            /* the last entry is NULL: the readers find out by themselves */
            for (size_t i = 0; i < 3; i++) {
                for (int named = 0; named < 2; named++, count++) {
                    EVP_PKEY *read = decode(data, size, formats[f].inputs[i],
                                            named ? "SCHANNEL" : NULL, seal_key_a);

                    assert_non_null(read);
                    assert_int_equal(EVP_PKEY_eq(read, key), 1);
                    get_id(read, other);
                    assert_string_equal(other, id);
                    EVP_PKEY_free(read);
                }
            }
            OPENSSL_free(data);
        }
        EVP_PKEY_free(key);
    }
    print_message("%zu combinations\n", count);
    assert_int_equal(ERR_peek_error(), 0);
}

static void the_plain_readers_of_libcrypto_work_with_the_default_sealing_key(void **state)
{
    EVP_PKEY *key = make_key(&rows[3], "user", 0), *read;
    unsigned char *data;
    const unsigned char *p;
    size_t size = encode(key, "PEM", NULL, &data);
    BIO *bio = BIO_new_mem_buf(data, (int)size);

    (void)state;
    read = PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, libctx, NULL);
    assert_non_null(read);
    assert_int_equal(EVP_PKEY_eq(read, key), 1);
    EVP_PKEY_free(read);
    BIO_free(bio);
    OPENSSL_free(data);

    size = encode(key, "DER", NULL, &data);
    p = data;
    read = d2i_AutoPrivateKey_ex(NULL, &p, (long)size, libctx, NULL);
    assert_non_null(read);
    assert_int_equal(EVP_PKEY_eq(read, key), 1);
    EVP_PKEY_free(read);
    OPENSSL_free(data);
    EVP_PKEY_free(key);
}

/* ---- blobs that were touched ---- */

static void a_blob_with_any_bit_changed_cut_short_or_extended_is_refused(void **state)
{
    size_t refused = 0;

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < ROWS; n++) {
        EVP_PKEY *key = make_key(&rows[n], seal_key_a, 0);
        uint8_t blob[MAX_BLOB + 1] = { 0 };
        size_t size = export_blob(key, blob);

        for (size_t bit = 0; bit < 8 * size; bit++, refused++) {
            blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_null(import_blob(blob, size, seal_key_a));
            assert_reason(NULL, "");
            blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t shorter = 1; shorter < size; shorter++, refused++) {
            assert_null(import_blob(blob, shorter, seal_key_a));
            assert_reason(NULL, "");
        }
        assert_null(import_blob(blob, size + 1, seal_key_a));
        assert_reason("malformed blob", "bytes are sealed");
        key = (EVP_PKEY_free(key), import_blob(blob, size, seal_key_a));
        assert_non_null(key);
        EVP_PKEY_free(key);
    }
    print_message("%zu changed blobs refused\n", refused);
}

static void another_sealing_key_is_told_with_both_identifiers(void **state)
{
    EVP_PKEY *key = make_key(&rows[0], seal_key_a, 0);
    uint8_t blob[MAX_BLOB];
    size_t size = export_blob(key, blob);

    (void)state;
    ERR_clear_error();
    assert_null(import_blob(blob, size, seal_key_b));
    assert_reason("sealed with another key", "sealed with key ");
    assert_null(import_blob(blob, size, seal_key_b));
    assert_reason("sealed with another key", seal_key_b);
    EVP_PKEY_free(key);
}

static void two_blobs_of_one_key_differ_and_a_blob_differs_after_one_byte(void **state)
{
    EVP_PKEY *key = make_key(&rows[0], seal_key_a, 0);
    uint8_t first[MAX_BLOB], second[MAX_BLOB], byte;
    size_t size = export_blob(key, first);

    (void)state;
    assert_int_equal(export_blob(key, second), size);
    assert_memory_not_equal(first + 58, second + 58, size - 58);
    advance_cipher(&rows[0], key, (const uint8_t *)"x", 1, &byte);
    assert_int_equal(export_blob(key, second), size);
    assert_memory_not_equal(first + 58, second + 58, size - 58);
    EVP_PKEY_free(key);
}

/* Half of a blob is none. */
static void an_output_that_takes_a_part_only_is_an_error(void **state)
{
    static const struct {
        const char *type, *says;
    } outputs[] = { { "DER", "the blob could not be written" },
                    { "TEXT", "the text cannot be written" } };
    EVP_PKEY *key = make_key(&rows[0], seal_key_a, 0);

    (void)state;
    for (size_t n = 0; n < sizeof(outputs) / sizeof(outputs[0]); n++) {
        OSSL_ENCODER_CTX *encoder =
            OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, outputs[n].type, NULL, NULL);
        BIO *in, *out;

        assert_non_null(encoder);
        assert_int_equal(BIO_new_bio_pair(&in, 16, &out, 16), 1);
        assert_int_equal(OSSL_ENCODER_to_bio(encoder, in), 0);
        assert_reason("libcrypto failed", outputs[n].says);
        BIO_free(in);
        BIO_free(out);
        OSSL_ENCODER_CTX_free(encoder);
    }
    EVP_PKEY_free(key);
}

static void of_parameters_alone_there_is_nothing_to_write(void **state)
{
    static const char *const types[] = { "DER", "PEM" };
    EVP_PKEY *key = make_key(&rows[0], seal_key_a, 0);

    (void)state;
    for (size_t n = 0; n < sizeof(types) / sizeof(types[0]); n++) {
        OSSL_ENCODER_CTX *encoder =
            OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEY_PARAMETERS, types[n], NULL, NULL);
        unsigned char *data = NULL;
        size_t size = 0;

        assert_non_null(encoder);
        assert_int_equal(OSSL_ENCODER_to_data(encoder, &data, &size), 0);
        assert_null(data);
        assert_no_reason();
        OSSL_ENCODER_CTX_free(encoder);
    }
    EVP_PKEY_free(key);
}

static void unsupported_options_are_said_to_be_so(void **state)
{
    EVP_PKEY *key = make_key(&rows[0], seal_key_a, 0);
    OSSL_PARAM mode[] = { text_param("blob-mode", "loan"), OSSL_PARAM_construct_end() };
    OSSL_PARAM blob[] = { text_param("blob", "publickeyblob"), OSSL_PARAM_construct_end() };
    OSSL_PARAM wrong[] = { text_param("seal-key", "somewhere"), OSSL_PARAM_construct_end() };

    (void)state;
    ERR_clear_error();
    assert_int_equal(EVP_PKEY_set_params(key, mode), 0);
    assert_reason("invalid parameter", "snapshot or transfer");
    assert_int_equal(EVP_PKEY_set_params(key, blob), 0);
    assert_reason("invalid parameter", "opaqueblob, simpleblob, plaintextblob or signedblob");
    assert_int_equal(EVP_PKEY_set_params(key, wrong), 0);
    assert_reason("invalid parameter", "file:PATH");
    EVP_PKEY_free(key);
}

static void exportable_travels_with_the_key_and_can_only_be_cleared(void **state)
{
    int yes = 1, no = 0;

    (void)state;
    ERR_clear_error();
    for (int exportable = 0; exportable <= 1; exportable++) {
        EVP_PKEY *key = make_key(&rows[3], seal_key_a, exportable), *moved;
        uint8_t blob[MAX_BLOB];
        size_t size = export_blob(key, blob);
        int value = -1;
        OSSL_PARAM set[] = {
            OSSL_PARAM_construct_octet_string("opaque-blob", blob, size),
            text_param("seal-key", seal_key_a),
            OSSL_PARAM_construct_int("exportable", &yes),
            OSSL_PARAM_construct_end(),
        };

        moved = from_data(set);
        if (!exportable) {
            assert_null(moved);
            assert_reason("key is not exportable", "never set");
            set[2] = OSSL_PARAM_construct_int("exportable", &no);
            moved = from_data(set);
        }
        assert_non_null(moved);
        assert_int_equal(EVP_PKEY_get_int_param(moved, "exportable", &value), 1);
        assert_int_equal(value, exportable);
        EVP_PKEY_free(moved);
        EVP_PKEY_free(key);
    }
}

/* ---- threads ---- */

#define RECORD  48
#define RECORDS 4000

static void *advance_records(void *key)
{
    uint8_t zeros[RECORD] = { 0 }, out[RECORD];

    for (size_t n = 0; n < RECORDS; n++)
        advance_cipher(&rows[0], key, zeros, RECORD, out);
    return NULL;
}

/* Records advance a key while another thread exports it: each blob is of a moment between two. */
static void an_export_beside_a_running_cipher_sees_one_consistent_state(void **state)
{
    static uint8_t stream[RECORD * (RECORDS + 1)], zeros[sizeof(stream)];
    EVP_PKEY *key = make_key(&rows[0], seal_key_a, 0);
    pthread_t thread;
    size_t at = 0, exports = 0;

    (void)state;
    uncut_cipher(&rows[0], zeros, sizeof(stream), stream);
    assert_int_equal(pthread_create(&thread, NULL, advance_records, key), 0);
    while (at < RECORDS * RECORD) {
        uint8_t blob[MAX_BLOB], out[RECORD];
        EVP_PKEY *moved = import_blob(blob, export_blob(key, blob), seal_key_a);

        assert_non_null(moved);
        advance_cipher(&rows[0], moved, zeros, RECORD, out);
        EVP_PKEY_free(moved);
        /* the next record boundary with this keystream; never behind the last one */
        while (at <= RECORDS * RECORD && memcmp(stream + at, out, RECORD) != 0)
            at += RECORD;
        assert_in_range(at, 0, RECORDS * RECORD);
        exports++;
    }
    pthread_join(thread, NULL);
    print_message("%zu exports\n", exports);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cipher_key_moved_at_any_byte_continues_as_if_it_had_not_moved),
        cmocka_unit_test(a_half_absorbed_mac_moved_at_any_byte_continues),
        cmocka_unit_test(a_moved_master_derives_the_same_keys),
        cmocka_unit_test(blobs_keep_to_the_sizes_promised),
        cmocka_unit_test(every_format_is_read_back_by_every_reader),
        cmocka_unit_test(the_plain_readers_of_libcrypto_work_with_the_default_sealing_key),
        cmocka_unit_test(a_blob_with_any_bit_changed_cut_short_or_extended_is_refused),
        cmocka_unit_test(another_sealing_key_is_told_with_both_identifiers),
        cmocka_unit_test(two_blobs_of_one_key_differ_and_a_blob_differs_after_one_byte),
        cmocka_unit_test(an_output_that_takes_a_part_only_is_an_error),
        cmocka_unit_test(of_parameters_alone_there_is_nothing_to_write),
        cmocka_unit_test(unsupported_options_are_said_to_be_so),
        cmocka_unit_test(exportable_travels_with_the_key_and_can_only_be_cleared),
        cmocka_unit_test(an_export_beside_a_running_cipher_sees_one_consistent_state),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
