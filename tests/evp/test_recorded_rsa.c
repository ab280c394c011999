/*
 * RSA key pairs in CryptoAPI's PRIVATEKEYBLOB and PUBLICKEYBLOB, which are libcrypto's own MSBLOB:
 * rsaenh-rsablob.txt.  With this provider beside it they are read and written as recorded, and
 * serve as exchange keys, private, public, in a certificate or as SubjectPublicKeyInfo.
 */
#include "exchange.h"

#include <unistd.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define MAX_RSA_BLOB 4096
#define AT_ALG_ID    4

static EVP_PKEY *read_rsa(struct octets blob, int selection)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, selection, libctx, NULL);
    const unsigned char *data = blob.data;
    size_t size = blob.size;

    assert_int_equal(OSSL_DECODER_from_data(context, &data, &size), 1);
    assert_int_equal(EVP_PKEY_is_a(key, "RSA"), 1);
    assert_int_equal(size, 0);
    OSSL_DECODER_CTX_free(context);
    return key;
}

/* libcrypto writes CALG_RSA_KEYX; a signature key has CALG_RSA_SIGN there. */
static void check_written(struct vectors *vectors, EVP_PKEY *key, int selection, const char *field)
{
    OSSL_ENCODER_CTX *context = OSSL_ENCODER_CTX_new_for_pkey(key, selection, "MSBLOB", NULL, NULL);
    const struct octets recorded = vectors_hex(vectors, field);
    uint8_t expected[MAX_RSA_BLOB];
    unsigned char *data = NULL;
    size_t size = 0;

    assert_int_equal(OSSL_ENCODER_to_data(context, &data, &size), 1);
    assert_in_range(recorded.size, 1, sizeof(expected));
    memcpy(expected, recorded.data, recorded.size);
    expected[AT_ALG_ID + 1] = 0xa4;
    assert_int_equal(size, recorded.size);
    assert_memory_equal(data, expected, size);
    OPENSSL_free(data);
    OSSL_ENCODER_CTX_free(context);
}

static void check_exchange(EVP_PKEY *key, const struct list *to, const char *private_file)
{
    uint8_t blob[MAX_EXCHANGED];
    const size_t size = encode_blob(key, "simpleblob", to, blob, sizeof(blob));
    struct list from;
    EVP_PKEY *moved;

    assert_int_not_equal(size, 0);
    list_start(&from);
    add_text(&from, "exchange-key", private_file);
    moved = decode_blob((struct octets){ blob, size }, &from);
    assert_non_null(moved);
    assert_int_equal(EVP_PKEY_eq(key, moved), 1);
    EVP_PKEY_free(moved);
}

static void write_certificate(const char *path, EVP_PKEY *key)
{
    X509 *certificate = X509_new_ex(libctx, NULL);
    X509_NAME *name = X509_NAME_new();
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bob", -1, -1, 0);
    X509_set_subject_name(certificate, name);
    X509_set_issuer_name(certificate, name);
    X509_NAME_free(name);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    assert_int_equal(X509_set_pubkey(certificate, key), 1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    fclose(file);
    X509_free(certificate);
}

/* The receiver's half as private blob, public blob, certificate and SubjectPublicKeyInfo. */
static void check_exchange_keys(const struct rsa_key *rsa)
{
    static const uint8_t secret[16] = "sixteen bytes ..";
    EVP_PKEY *key = make_exportable("AES-128-CBC", (struct octets){ secret, sizeof(secret) });
    unsigned char *spki = NULL;
    const int spki_size = i2d_PUBKEY(rsa->pkey, &spki);
    char certificate[96];
    struct list to;

    assert_true(spki_size > 0);
    list_start(&to);
    add_text(&to, "exchange-key", rsa->private_file);
    check_exchange(key, &to, rsa->private_file);
    list_start(&to);
    add_text(&to, "exchange-key", rsa->public_file);
    check_exchange(key, &to, rsa->private_file);
    list_start(&to);
    add_octets(&to, "exchange-key", spki, (size_t)spki_size);
    check_exchange(key, &to, rsa->private_file);
    snprintf(certificate, sizeof(certificate), "%s/certificate", directory);
    write_certificate(certificate, rsa->pkey);
    list_start(&to);
    add_text(&to, "exchange-key", certificate);
    check_exchange(key, &to, rsa->private_file);
    unlink(certificate);
    OPENSSL_free(spki);
    EVP_PKEY_free(key);
}

static void check_stanza(struct vectors *vectors)
{
    struct rsa_key *rsa = rsa_key_new(vectors);
    EVP_PKEY *private, *public;

    assert_string_equal(vectors_string(vectors, "Result"), "OK");
    assert_int_equal(EVP_PKEY_get_bits(rsa->pkey), vectors_integer(vectors, "Bits"));
    private = read_rsa(vectors_hex(vectors, "PrivateKeyBlob"), EVP_PKEY_KEYPAIR);
    public = read_rsa(vectors_hex(vectors, "PublicKeyBlob"), EVP_PKEY_PUBLIC_KEY);
    assert_int_equal(EVP_PKEY_eq(private, rsa->pkey), 1);
    assert_int_equal(EVP_PKEY_eq(public, rsa->pkey), 1);
    check_written(vectors, rsa->pkey, EVP_PKEY_KEYPAIR, "PrivateKeyBlob");
    check_written(vectors, rsa->pkey, EVP_PKEY_PUBLIC_KEY, "PublicKeyBlob");
    check_exchange_keys(rsa);
    EVP_PKEY_free(private);
    EVP_PKEY_free(public);
    rsa_key_free(rsa);
    assert_no_errors();
}

static void rsa_blobs_are_libcryptos_and_serve_as_exchange_keys(void **state)
{
    struct verdicts verdicts = { .file = "rsaenh-rsablob.txt" };
    struct vectors *vectors = vectors_open(verdicts.file);

    (void)state;
    for (; vectors_next(vectors); verdicts.passed++)
        check_stanza(vectors);
    vectors_close(vectors);
    verdicts_report(&verdicts, 16, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rsa_blobs_are_libcryptos_and_serve_as_exchange_keys,
                               starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
