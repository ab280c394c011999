/*
 * What exchange-key and signature-key may name: keys in files and URIs, one or several, encrypted
 * ones, octets; and everything else that a name can lead to, which is refused at once and without
 * going round in circles.
 */
#include "blob_calls.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/bn.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define UNREADABLE "exchange or signature key cannot be read"
#define LIMIT      120 /* seconds: a name that leads nowhere ends the test with a signal */

static char private_path[96], public_path[96], comma_private[96], comma_public[96];
static struct exported simple; /* of a key of AES, for private_path */

static int setup(void **state)
{
    OSSL_PARAM params[] = { text_param("exchange-key", public_path), OSSL_PARAM_construct_end() };
    EVP_PKEY *key;

    if (fixture_setup(state) != 0)
        return -1;
    snprintf(private_path, sizeof(private_path), "%s/rsa.pem", directory);
    snprintf(public_path, sizeof(public_path), "%s/rsa.pub.pem", directory);
    snprintf(comma_private, sizeof(comma_private), "%s/of Bob, at home.pem", directory);
    snprintf(comma_public, sizeof(comma_public), "%s/of Bob, in public.pem", directory);
    write_rsa_key(private_path, public_path, 2048);
    write_rsa_key(comma_private, comma_public, 2048);
    params[0] = text_param("exchange-key", public_path);
    key = secret_key(libctx, "AES-128-CBC", 16);
    assert_int_equal(export_as(key, "simpleblob", params, &simple), 1);
    EVP_PKEY_free(key);
    return 0;
}

static int teardown(void **state)
{
    unlink(private_path);
    unlink(public_path);
    unlink(comma_private);
    unlink(comma_public);
    return fixture_teardown(state);
}

static EVP_PKEY *open_with(const char *exchange_key)
{
    OSSL_PARAM params[] = { text_param("exchange-key", exchange_key), OSSL_PARAM_construct_end() };

    return import_from(libctx, &simple, params);
}

static void refuses(const char *exchange_key, const char *says)
{
    assert_null(open_with(exchange_key));
    assert_reason(UNREADABLE, says);
}

/* ---- names that lead nowhere ---- */

static void names_that_are_no_key_are_refused_at_once(void **state)
{
    char path[160], target[160], uri[200];
    int file;

    (void)state;
    alarm(LIMIT);
    refuses("/dev/zero", "expected a regular file");
    refuses("file:/dev/zero", "expected a regular file");
    refuses("file:///dev/zero", "expected a regular file");
    refuses("file://localhost/dev/zero", "expected a regular file");
    refuses("/dev/null", "expected a regular file");
    refuses(directory, "expected a regular file");
    snprintf(path, sizeof(path), "%s/name", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    refuses(path, "expected a regular file"); /* nobody ever writes to it */
    unlink(path);

    /* A file with nothing in it, at first as long as can be and then longer. */
    file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(ftruncate(file, 1048576), 0);
    refuses(path, "no private key is found");
    assert_int_equal(ftruncate(file, 1048577), 0);
    refuses(path, "at most 1048576 bytes");
    assert_int_equal(ftruncate(file, (off_t)1 << 40), 0);
    refuses(path, "at most 1048576 bytes");
    close(file);
    unlink(path);

    /* Symbolic links in a circle. */
    snprintf(target, sizeof(target), "%s/other", directory);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(symlink(path, target), 0);
    refuses(path, path);
    unlink(target);
    unlink(path);

    refuses("schannel:nothing", "no private key is found in \"schannel:nothing\"");
    snprintf(uri, sizeof(uri), "schannel:%s", directory);
    refuses(uri, "no private key is found");
    refuses("unknown-scheme:key", "no private key is found in \"unknown-scheme:key\"");
    alarm(0);
}

/* A blob of ours that says that its exchange key is itself, in each of its forms. */
static void a_blob_is_no_key_for_itself(void **state)
{
    char binary[160], pem[160], uri[600], inner[200];
    EVP_PKEY *key = secret_key(libctx, "AES-128-CBC", 16);
    OSSL_PARAM params[] = { text_param("exchange-key", public_path),
                            text_param("blob", "simpleblob"), OSSL_PARAM_construct_end() };
    static struct exported blob;

    (void)state;
    alarm(LIMIT);
    snprintf(binary, sizeof(binary), "%s/blob", directory);
    snprintf(pem, sizeof(pem), "%s/blob.pem", directory);
    write_file(binary, simple.data, simple.size);
    assert_int_equal(export_as(key, "pem", params, &blob), 1);
    write_file(pem, blob.data, blob.size);
    refuses(binary, "no private key is found");
    refuses(pem, "no private key is found");
    snprintf(inner, sizeof(inner), "schannel:%s", binary);
    refuses(inner, "no private key is found");
    for (int n = 0; n < 3; n++) {
        const char *const self[] = { binary, pem, inner };

        snprintf(uri, sizeof(uri), "schannel:%s?exchange-key=%s", n == 1 ? pem : binary, self[n]);
        assert_null(import_uri(libctx, uri));
        assert_reason(UNREADABLE, "no private key is found");
    }
    unlink(binary);
    unlink(pem);
    EVP_PKEY_free(key);
    alarm(0);
}

/* A list of blobs is made without asking anybody. */
static void a_list_says_that_an_exchange_key_is_encrypted(void **state)
{
    char encrypted[160], place[160], file[200], uri[600];
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
    BIO *out;
    OSSL_STORE_CTX *store;
    OSSL_STORE_INFO *info;

    (void)state;
    snprintf(encrypted, sizeof(encrypted), "%s/encrypted.pem", directory);
    snprintf(place, sizeof(place), "%s/blobs", directory);
    snprintf(file, sizeof(file), "%s/simple", place);
    assert_int_equal(mkdir(place, 0700), 0);
    write_file(file, simple.data, simple.size);
    assert_non_null(out = BIO_new_file(encrypted, "w"));
    assert_int_equal(PEM_write_bio_PrivateKey(out, rsa, EVP_aes_128_cbc(),
                                              (const unsigned char *)"secret", 6, NULL, NULL),
                     1);
    BIO_free(out);
    snprintf(uri, sizeof(uri), "schannel:%s?exchange-key=%s", place, encrypted);
    assert_non_null(store = OSSL_STORE_open_ex(uri, libctx, NULL, NULL, NULL, NULL, NULL, NULL));
    assert_non_null(info = OSSL_STORE_load(store));
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_NAME);
    assert_non_null(strstr(OSSL_STORE_INFO_get0_NAME_description(info),
                           "encrypted.pem\" is encrypted, and its passphrase is not given"));
    OSSL_STORE_INFO_free(info);
    OSSL_STORE_close(store);
    ERR_clear_error();
    EVP_PKEY_free(rsa);
    unlink(encrypted);
    unlink(file);
    assert_int_equal(rmdir(place), 0);
}

/* ---- lists ---- */

static void several_names_stand_between_commas(void **state)
{
    char list[400];
    EVP_PKEY *key;

    (void)state;
    snprintf(list, sizeof(list), "%s,%s", private_path, private_path);
    assert_non_null(key = open_with(list));
    EVP_PKEY_free(key);
    snprintf(list, sizeof(list), "%s,", private_path);
    refuses(list, "exchange-key: \"\": ");
    snprintf(list, sizeof(list), "%s, %s", private_path, private_path);
    refuses(list, "exchange-key: \" /");
    strcpy(list, private_path);
    for (int n = 0; n < 2; n++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), ",%s", private_path);
    assert_non_null(key = open_with(list));
    EVP_PKEY_free(key);
}

static void more_keys_than_recipients_are_refused(void **state)
{
    char list[17 * 96] = "";
    OSSL_PARAM params[] = { text_param("exchange-key", list), OSSL_PARAM_construct_end() };

    (void)state;
    for (int n = 0; n < 17; n++)
        snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", n == 0 ? "" : ",",
                 private_path);
    params[0] = text_param("exchange-key", list);
    assert_null(import_from(libctx, &simple, params));
    assert_reason("invalid parameter", "expected at most 16 keys");
    *strrchr(list, ',') = '\0';
    params[0] = text_param("exchange-key", list);
    EVP_PKEY_free(import_from(libctx, &simple, params));
    assert_no_errors();
}

/* Where one key is meant, its file may have any name. */
static void the_signer_may_have_commas_and_spaces(void **state)
{
    EVP_PKEY *key = secret_key(libctx, "AES-128-CBC", 16), *again;
    OSSL_PARAM sign[] = { text_param("signature-key", comma_private),
                          text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    OSSL_PARAM verify[] = { text_param("signature-key", comma_public),
                            text_param("seal-key", seal_key_a), OSSL_PARAM_construct_end() };
    static struct exported blob;
    char path[160], uri[600];

    (void)state;
    assert_int_equal(export_as(key, "signedblob", sign, &blob), 1);
    assert_non_null(again = import_from(libctx, &blob, verify));
    assert_int_equal(EVP_PKEY_eq(key, again), 1);
    EVP_PKEY_free(again);
    snprintf(path, sizeof(path), "%s/a blob & more?", directory);
    write_file(path, blob.data, blob.size);
    snprintf(uri, sizeof(uri),
             "schannel://%s/a%%20blob%%20%%26%%20more%%3f?seal-key=%s&"
             "signature-key=%s/of%%20Bob%%2C%%20in%%20public.pem",
             directory, seal_key_a, directory);
    assert_non_null(again = import_uri(libctx, uri));
    EVP_PKEY_free(again);
    unlink(path);
    EVP_PKEY_free(key);
}

/* ---- octets ---- */

static void octets_are_a_public_key_and_nothing_else(void **state)
{
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), *key;
    EVP_PKEY *ec = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    unsigned char *spki = NULL, *ec_spki = NULL;
    const size_t size = (size_t)i2d_PUBKEY(rsa, &spki), ec_size = (size_t)i2d_PUBKEY(ec, &ec_spki);
    static struct exported blob;
    uint8_t longer[1024];
    OSSL_PARAM params[] = { octets_param("exchange-key", spki, size), OSSL_PARAM_construct_end() };

    (void)state;
    key = secret_key(libctx, "RC4", 16);
    assert_int_equal(export_as(key, "simpleblob", params, &blob), 1);
    assert_int_equal(blob.size, 12 + 128);
    params[0] = octets_param("exchange-key", spki, size - 1);
    assert_int_equal(export_as(key, "simpleblob", params, &blob), 0);
    assert_reason(UNREADABLE, "SubjectPublicKeyInfo");
    memcpy(longer, spki, size);
    longer[size] = 0;
    params[0] = octets_param("exchange-key", longer, size + 1);
    assert_int_equal(export_as(key, "simpleblob", params, &blob), 0);
    assert_reason(UNREADABLE, "SubjectPublicKeyInfo");
    params[0] = octets_param("exchange-key", ec_spki, ec_size);
    assert_int_equal(export_as(key, "simpleblob", params, &blob), 0);
    assert_reason("wrong kind of key", "expected an RSA key, got EC");
    params[0] = octets_param("exchange-key", spki, size);
    assert_null(import_from(libctx, &simple, params));
    assert_reason("invalid parameter", "octets are a public key, this needs the private one");
    OPENSSL_free(spki);
    OPENSSL_free(ec_spki);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(key);
}

/* The SubjectPublicKeyInfo of an RSA key with a modulus of |bits|; nobody has its private half. */
static size_t rsa_spki(int bits, unsigned char **spki)
{
    BIGNUM *modulus = BN_new(), *exponent = BN_new();
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    OSSL_PARAM *params;
    EVP_PKEY *key = NULL;
    int size;

    assert_int_equal(BN_set_bit(modulus, bits - 1) && BN_add_word(modulus, 1), 1);
    assert_int_equal(BN_set_word(exponent, 65537), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, "n", modulus), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, "e", exponent), 1);
    assert_non_null(params = OSSL_PARAM_BLD_to_param(builder));
    assert_int_equal(EVP_PKEY_fromdata_init(context), 1);
    assert_int_equal(EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    *spki = NULL;
    size = i2d_PUBKEY(key, spki);
    assert_in_range(size, 1, MAX_EXPORT);
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(exponent);
    BN_free(modulus);
    return (size_t)size;
}

static void an_rsa_key_of_a_size_that_cannot_be_is_refused(void **state)
{
    static const int wrong[] = { 88, 16392 };
    EVP_PKEY *key = secret_key(libctx, "RC4", 16);
    static struct exported blob;

    (void)state;
    for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
        unsigned char *spki;
        const size_t size = rsa_spki(wrong[n], &spki);
        OSSL_PARAM params[] = { octets_param("exchange-key", spki, size),
                                OSSL_PARAM_construct_end() };
        char says[80];

        snprintf(says, sizeof(says), "at most 16384 bits, got %d bits", wrong[n]);
        assert_int_equal(export_as(key, "simpleblob", params, &blob), 0);
        assert_reason("invalid length", says);
        OPENSSL_free(spki);
    }
    EVP_PKEY_free(key);
}

/* ---- errors of before ---- */

static void errors_of_before_stay_on_the_queue(void **state)
{
    OSSL_PARAM params[] = { text_param("exchange-key", private_path), OSSL_PARAM_construct_end() };
    OSSL_DECODER_CTX *decoder;
    const unsigned char *at = simple.data;
    size_t left = simple.size;
    EVP_PKEY *key;

    (void)state;
    ERR_raise(ERR_LIB_USER, 77);
    decoder = decoder_for(&key, libctx);
    assert_int_equal(OSSL_DECODER_CTX_set_params(decoder, params), 1);
    assert_int_equal(OSSL_DECODER_from_data(decoder, &at, &left), 1);
    OSSL_DECODER_CTX_free(decoder);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 77);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 77);
    assert_no_errors();
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_no_key_are_refused_at_once),
        cmocka_unit_test(a_blob_is_no_key_for_itself),
        cmocka_unit_test(a_list_says_that_an_exchange_key_is_encrypted),
        cmocka_unit_test(several_names_stand_between_commas),
        cmocka_unit_test(more_keys_than_recipients_are_refused),
        cmocka_unit_test(the_signer_may_have_commas_and_spaces),
        cmocka_unit_test(octets_are_a_public_key_and_nothing_else),
        cmocka_unit_test(an_rsa_key_of_a_size_that_cannot_be_is_refused),
        cmocka_unit_test(errors_of_before_stay_on_the_queue),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
