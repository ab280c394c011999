/*
 * Keys of other types in every format that libcrypto has, by every reader: with this provider
 * active, which tries each of them first or last, they load as they do without it, and what does
 * not load leaves none of our reasons.
 */
#include "exchange.h"
#include "sample.h"
#include "signers.h"

#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <openssl/x509.h>

#define PHRASE   "correct horse"
#define MAX_FILE 16384

static OSSL_LIB_CTX *plain_context;
static OSSL_PROVIDER *plain_providers[2];
static EVP_PKEY *dsa;

static EVP_PKEY *make_dsa(void)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "DSA", NULL);
    size_t bits = 1024, qbits = 160; /* what MSBLOB and PVK have */
    OSSL_PARAM params[] = { OSSL_PARAM_construct_size_t("pbits", &bits),
                            OSSL_PARAM_construct_size_t("qbits", &qbits),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *parameters = NULL, *key = NULL;

    assert_int_equal(EVP_PKEY_paramgen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    assert_int_equal(EVP_PKEY_paramgen(context, &parameters), 1);
    EVP_PKEY_CTX_free(context);
    context = EVP_PKEY_CTX_new_from_pkey(libctx, parameters, NULL);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_generate(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(parameters);
    return key;
}

static int setup(void **state)
{
    int result = exchange_setup(state);

    signers_setup();
    dsa = make_dsa();
    plain_context = OSSL_LIB_CTX_new();
    plain_providers[0] = OSSL_PROVIDER_load(plain_context, "default");
    plain_providers[1] = OSSL_PROVIDER_load(plain_context, "legacy");
    assert_non_null(plain_providers[1]);
    return result;
}

static int teardown(void **state)
{
    OSSL_PROVIDER_unload(plain_providers[1]);
    OSSL_PROVIDER_unload(plain_providers[0]);
    OSSL_LIB_CTX_free(plain_context);
    EVP_PKEY_free(dsa);
    signers_teardown();
    return exchange_teardown(state);
}

/* ---- readers ---- */

static int answer(char *text, int room, int is_writing, void *phrase)
{
    (void)is_writing;
    assert_true(room >= (int)strlen(phrase));
    memcpy(text, phrase, strlen(phrase));
    return (int)strlen(phrase);
}

static EVP_PKEY *by_decoder(OSSL_LIB_CTX *context, struct octets file, char *phrase)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, EVP_PKEY_KEYPAIR, context, NULL);
    const unsigned char *data = file.data;
    size_t size = file.size;

    OSSL_DECODER_CTX_set_pem_password_cb(decoder, answer, phrase);
    (void)OSSL_DECODER_from_data(decoder, &data, &size);
    OSSL_DECODER_CTX_free(decoder);
    return key;
}

static EVP_PKEY *by_pem_reader(OSSL_LIB_CTX *context, struct octets file, char *phrase)
{
    BIO *bio = BIO_new_mem_buf(file.data, (int)file.size);
    EVP_PKEY *key = PEM_read_bio_PrivateKey_ex(bio, NULL, answer, phrase, context, NULL);

    BIO_free(bio);
    return key;
}

static EVP_PKEY *by_d2i(OSSL_LIB_CTX *context, struct octets file, char *phrase)
{
    const unsigned char *at = file.data;

    (void)phrase;
    return d2i_AutoPrivateKey_ex(NULL, &at, (long)file.size, context, NULL);
}

static EVP_PKEY *by_store(OSSL_LIB_CTX *context, struct octets file, char *phrase)
{
    UI_METHOD *method = UI_UTIL_wrap_read_pem_callback(answer, 0);
    BIO *bio = BIO_new_mem_buf(file.data, (int)file.size);
    OSSL_STORE_CTX *store =
        OSSL_STORE_attach(bio, "file", context, NULL, method, phrase, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;

    while (store != NULL && key == NULL && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);

        if (info != NULL)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    OSSL_STORE_close(store);
    BIO_free(bio);
    UI_destroy_method(method);
    return key;
}

static const struct {
    const char *name;
    EVP_PKEY *(*read)(OSSL_LIB_CTX *context, struct octets file, char *phrase);
} readers[] = {
    { "OSSL_DECODER", by_decoder },
    { "PEM_read_bio_PrivateKey", by_pem_reader },
    { "d2i_AutoPrivateKey", by_d2i },
    { "file store", by_store },
};

/* ---- files ---- */

static const struct format {
    const char *output, *structure, *cipher;
    int only_rsa_and_dsa;
} formats[] = {
    { "PEM", "PrivateKeyInfo", NULL, 0 },
    { "PEM", "type-specific", NULL, 0 },
    { "PEM", "PrivateKeyInfo", "AES-128-CBC", 0 },
    { "PEM", "type-specific", "AES-128-CBC", 0 },
    { "DER", "PrivateKeyInfo", NULL, 0 },
    { "DER", "type-specific", NULL, 0 },
    { "DER", "PrivateKeyInfo", "AES-128-CBC", 0 },
    { "MSBLOB", NULL, NULL, 1 },
    { "PVK", NULL, NULL, 1 },
    { "PVK", NULL, "RC4", 1 },
};

/* 0 when libcrypto does not write such a key so. */
static size_t write_key(EVP_PKEY *key, const struct format *format, uint8_t out[MAX_FILE])
{
    OSSL_ENCODER_CTX *context = OSSL_ENCODER_CTX_new_for_pkey(
        key, EVP_PKEY_KEYPAIR, format->output, format->structure, "provider!=schannel");
    int level = format->cipher != NULL ? 2 : 0;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_int("encrypt-level", &level),
                            OSSL_PARAM_construct_end() };
    unsigned char *data = NULL;
    size_t size = 0;

    if (strcmp(format->output, "PVK") == 0)
        assert_int_equal(OSSL_ENCODER_CTX_set_params(context, params), 1);
    else if (format->cipher != NULL)
        assert_int_equal(OSSL_ENCODER_CTX_set_cipher(context, format->cipher, NULL), 1);
    OSSL_ENCODER_CTX_set_passphrase(context, (const unsigned char *)PHRASE, strlen(PHRASE));
    if (OSSL_ENCODER_to_data(context, &data, &size)) {
        assert_in_range(size, 1, MAX_FILE);
        memcpy(out, data, size);
    } else {
        size = 0;
    }
    OPENSSL_free(data);
    OSSL_ENCODER_CTX_free(context);
    ERR_clear_error();
    return size;
}

static size_t write_pkcs12(EVP_PKEY *key, uint8_t out[MAX_FILE])
{
    PKCS12 *file = PKCS12_create_ex(PHRASE, "name", key, NULL, NULL, 0, 0, 0, 0, 0, libctx, NULL);
    unsigned char *data = NULL;
    const int size = i2d_PKCS12(file, &data);

    assert_in_range(size, 1, MAX_FILE);
    memcpy(out, data, (size_t)size);
    OPENSSL_free(data);
    PKCS12_free(file);
    return (size_t)size;
}

/* ---- reading them with and without this provider ---- */

static unsigned loaded, refused;

static void check_file(EVP_PKEY *key, struct octets file, const char *what)
{
    static char right[] = PHRASE, wrong[] = "another one";

    for (size_t n = 0; n < COUNT(readers); n++) {
        for (size_t is_wrong = 0; is_wrong < 2; is_wrong++) {
            char *phrase = is_wrong ? wrong : right;
            EVP_PKEY *before, *with;

            if (!is_sampled_of_thousands())
                continue;
            before = readers[n].read(plain_context, file, phrase);
            ERR_clear_error();
            with = readers[n].read(libctx, file, phrase);
            assert_no_reason();
            if ((before == NULL) != (with == NULL))
                fail_msg("%s of %s by %s: with this provider it is %s", what,
                         EVP_PKEY_get0_type_name(key), readers[n].name,
                         with == NULL ? "refused" : "read");
            if (with != NULL && EVP_PKEY_eq(with, key) != 1)
                fail_msg("%s by %s is another key", what, readers[n].name);
            loaded += with != NULL;
            refused += with == NULL;
            EVP_PKEY_free(before);
            EVP_PKEY_free(with);
        }
    }
}

static void check_key(EVP_PKEY *key, int is_rsa_or_dsa)
{
    static uint8_t file[MAX_FILE];
    size_t size;

    for (size_t n = 0; n < COUNT(formats); n++) {
        size = write_key(key, &formats[n], file);
        if (size == 0 && !formats[n].only_rsa_and_dsa && formats[n].structure[0] == 'P')
            fail_msg("%s is not written", formats[n].output);
        if (size == 0 && formats[n].only_rsa_and_dsa && is_rsa_or_dsa)
            fail_msg("%s is not written", formats[n].output);
        if (size == 0)
            continue;
        check_file(key, (struct octets){ file, size }, formats[n].output);
        for (size_t cut = 1; cut < size; cut += 1 + size / 7) /* and files that are cut short */
            check_file(key, (struct octets){ file, cut }, formats[n].output);
    }
    size = write_pkcs12(key, file);
    check_file(key, (struct octets){ file, size }, "PKCS #12");
}

static void keys_of_other_types_load_as_without_us(void **state)
{
    (void)state;
    check_key(rsa_key_named("rsa1024a")->pkey, 1);
    check_key(dsa, 1);
    check_key(signer_named("ec")->pkey, 0);
    check_key(signer_named("ed25519")->pkey, 0);
    print_message("%u keys loaded, %u refused, with and without this provider\n", loaded, refused);
    if (!is_sample())
        assert_true(loaded > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keys_of_other_types_load_as_without_us, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
