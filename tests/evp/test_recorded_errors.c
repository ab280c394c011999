/*
 * Sound and damaged blobs with the answers of a CryptoAPI provider: rsaenh-errors.txt and
 * rsaenh-quirks-errors.txt.  What is refused there is refused here, for a reason of our own; where
 * this provider decides otherwise on purpose, a row of |rulings| says why and what happens.
 *
 * PUBLICKEYBLOB and PRIVATEKEYBLOB are libcrypto's: its answer must be the same with and without
 * this provider.
 */
#include "exchange.h"

#include <openssl/decoder.h>

#define FLAG_NO_SALT 0x10
#define FLAG_OAEP    0x40
#define HEADER_SIZE  12

static const char *const known_fields[] = {
    "Test",      "Name",       "Case",   "Provider", "Blob",  "Flags",  "RsaKey",
    "RsaKeyAlg", "RsaKeyPart", "Result", "KeyBlob",  "Key",   "KeyLen", "EffectiveKeyLen",
    "BlockLen",  "Mode",       "Salt",   "IV",       "Quirk",
};

enum outcome {
    OPENS,    /* with the bytes that are inside */
    REFUSED,  /* for a reason */
    RANDOM,   /* a master with random bytes, silently */
    NOT_OURS, /* libcrypto says that it knows no such format */
    NO_OPTION /* what the flag asks for is no option; without it the blob opens */
};

/* The first row whose texts are all found in Case and Result rules. */
static const struct ruling {
    const char *kind, *about, *result;
    enum outcome outcome;
    const char *reason;
    const char *why; /* NULL: as recorded */
} rulings[] = {
    /* ---- otherwise than recorded ---- */
    { "simple", "truncated to 0", "ERROR_INVALID_PARAMETER", NOT_OURS, NULL,
      "nothing at all is no blob of anybody's" },
    { "simple", "retyped to 7", "NTE_BAD_DATA", REFUSED, "unknown blob type",
      "the ALG_ID is no RSA key's: no PRIVATEKEYBLOB either" },
    { "simple", "retyped to 9", "NTE_BAD_TYPE", REFUSED, "unsupported blob version",
      "opaque blobs exist here" },
    { "simple", "relabelled RSA-", "NTE_BAD_DATA", REFUSED, "unknown algorithm",
      "the ALG_ID is looked at first" },
    { "16-byte", "relabelled AES-128", "NTE_BAD_ALGID", OPENS, NULL,
      "the limits of the recorded provider's type" },
    { "16-byte", "relabelled SSL2-MASTER", "NTE_BAD_ALGID", OPENS, NULL,
      "the limits of the recorded provider's type" },
    { "simple", "relabelled TLS1-MASTER", "NTE_BAD_ALGID", RANDOM, NULL,
      "the limits of the recorded provider's type; of a wrong size" },
    { "plain", "relabelled TLS1-MASTER", "NTE_BAD_ALGID", REFUSED, "invalid length",
      "the limits of the recorded provider's type; of a wrong size" },
    { "simple", "RSA key RSA_SIGN", "NTE_BAD_PUBLIC_KEY", OPENS, NULL,
      "libcrypto's RSA keys have no key specification" },
    { "simple", "PCT1-MASTER payload", "NTE_BAD_DATA", RANDOM, NULL, "implicit rejection" },
    { "simple", "SSL3-MASTER payload", "NTE_BAD_DATA", RANDOM, NULL, "implicit rejection" },
    { "simple", "TLS1-MASTER payload", "NTE_BAD_DATA", RANDOM, NULL, "implicit rejection" },
    { "simple", "SSL3-MASTER payload 0", "OK", RANDOM, NULL, "implicit rejection" },
    { "simple", "TLS1-MASTER payload 0", "OK", RANDOM, NULL, "implicit rejection" },
    { "simple", "RC2 payload 17", "OK", REFUSED, "blob does not open", "40 to 128 bits" },
    { "simple", "RC2 payload 21", "OK", REFUSED, "blob does not open", "40 to 128 bits" },
    { "simple", "RC2 payload 25", "OK", REFUSED, "blob does not open", "40 to 128 bits" },
    { "simple", "RC2 payload 32", "OK", REFUSED, "blob does not open", "40 to 128 bits" },
    { "simple", "RC2 payload 47", "OK", REFUSED, "blob does not open", "40 to 128 bits" },
    { "simple", "RC2 payload 64", "OK", REFUSED, "blob does not open", "40 to 128 bits" },
    { "plain", "relabelled SCHANNEL-MAC-KEY", "OK", REFUSED, "unknown algorithm",
      "the blob does not say whose MAC it is" },
    /* of the quirks */
    { "simple", "oversize", "OK", REFUSED, "malformed blob", "trailing bytes" },
    { "plain", "oversize", "OK", REFUSED, "malformed blob", "trailing bytes" },
    { "plain", "length field", "OK", REFUSED, "malformed blob", "trailing bytes" },
    { "16-byte", "relabelled MD5", "OK", REFUSED, "unknown algorithm", "a hash is no key" },
    { "16-byte", "relabelled HMAC", "OK", REFUSED, "unknown algorithm", "a hash is no key" },
    { "16-byte", "relabelled SCHANNEL-MASTER-HASH", "OK", REFUSED, "unknown algorithm",
      "a hash is no key" },
    { "16-byte", "relabelled SCHANNEL-ENC-KEY", "OK", REFUSED, "unknown algorithm",
      "names no cipher" },
    { "simple", "encryption alg", "OK", REFUSED, "unknown algorithm", "not CALG_RSA_KEYX" },
    { "simple", "unknown flag", "OK", NO_OPTION, NULL, "what is not known is refused" },
    { "simple", "OAEP and EXPORTABLE", "NTE_BAD_DATA", OPENS, NULL, "two flags are two options" },
    { "simple", "payload 0", "OK", REFUSED, "blob does not open", "no key has no bytes" },
    { "simple", "DES payload 7", "OK", REFUSED, "blob does not open", "DES has eight bytes" },
    { "plain", " 0 bytes", "OK", REFUSED, "invalid length", "no key has no bytes" },
    { "plain", "DES 7 bytes", "OK", REFUSED, "invalid length", "DES has eight bytes" },
    { "plain", "3DES 21 bytes", "OK", REFUSED, "invalid length", "triple DES has 24 bytes" },
    /* ---- as recorded: the error codes of CryptoAPI and our reasons ---- */
    { "", "version", "NTE_BAD_DATA", REFUSED, "unsupported blob version", NULL },
    { "", "truncated", "NTE_BAD_DATA", REFUSED, "malformed blob", NULL },
    { "", "reserved", "NTE_BAD_DATA", REFUSED, "malformed blob", NULL },
    { "", "length field", "NTE_BAD_DATA", REFUSED, "malformed blob", NULL },
    { "", "RSA key smaller", "NTE_BAD_DATA", REFUSED, "malformed blob", NULL },
    /* longer than the longest such blob */
    { "plain", " 49 bytes", "NTE_BAD_", REFUSED, "malformed blob", NULL },
    { "plain", " 63 bytes", "NTE_BAD_", REFUSED, "malformed blob", NULL },
    { "plain", " 64 bytes", "NTE_BAD_", REFUSED, "malformed blob", NULL },
    { "simple", "", "NTE_BAD_DATA", REFUSED, "blob does not open", NULL },
    { "plain", "", "NTE_BAD_DATA", REFUSED, "invalid length", NULL },
    { "", "", "NTE_BAD_TYPE", REFUSED, "unknown blob type", NULL },
    { "", "", "NTE_BAD_ALGID", REFUSED, "unknown algorithm", NULL },
    { "", "IPSEC_HMAC flag", "NTE_BAD_FLAGS", NO_OPTION, NULL, NULL },
    /* that provider's answer to the size of a DES key */
    { "simple", "DES", "NTE_BAD_FLAGS", REFUSED, "blob does not open", NULL },
    { "plain", "DES", "NTE_BAD_FLAGS", REFUSED, "invalid length", NULL },
    { "", "", "OK", OPENS, NULL, NULL },
};

static const struct ruling *ruling_of(const struct vectors *vectors)
{
    const char *about = vectors_string(vectors, "Case"),
               *result = vectors_string(vectors, "Result");

    for (size_t n = 0; n < COUNT(rulings); n++) {
        if (strstr(about, rulings[n].kind) != NULL && strstr(about, rulings[n].about) != NULL &&
            strncmp(result, rulings[n].result, strlen(rulings[n].result)) == 0)
            return &rulings[n];
    }
    vectors_fail(vectors, "nothing is said about \"%s\", %s", about, result);
}

static int is_simple(const struct vectors *vectors)
{
    return strncmp(vectors_string(vectors, "Case"), "simple", 6) == 0;
}

static void set_options(const struct vectors *vectors, struct list *list)
{
    const unsigned flags = vectors_integer(vectors, "Flags");

    list_start(list);
    add_number(list, "exportable", 1);
    if (vectors_has(vectors, "RsaKey"))
        add_text(list, "exchange-key", rsa_key_of(vectors)->private_file);
    if ((flags & FLAG_OAEP) != 0)
        add_text(list, "pad-mode", "oaep");
    if ((flags & FLAG_NO_SALT) != 0)
        add_text(list, "salt-mode", "none");
}

/* What libcrypto finds inside, or what stands there. */
static struct octets inside_of(struct vectors *vectors, uint8_t out[MAX_EXCHANGED])
{
    const struct octets blob = vectors_hex(vectors, "Blob");
    const int oaep = (vectors_integer(vectors, "Flags") & FLAG_OAEP) != 0;

    if (!is_simple(vectors))
        return (struct octets){ blob.data + HEADER_SIZE, blob.size - HEADER_SIZE };
    return (struct octets){ out, (oaep ? rsa_open_oaep : rsa_open_pkcs1)(rsa_key_of(vectors), blob,
                                                                         out) };
}

static void check_opened(struct vectors *vectors, EVP_PKEY *key)
{
    uint8_t bytes[MAX_KEY_BYTES], out[MAX_EXCHANGED];
    struct octets inside;

    if (key == NULL)
        vectors_fail(vectors, "%s is refused", vectors_string(vectors, "Case"));
    if (vectors_has(vectors, "Key"))
        expect_recorded_key(vectors, "", key);
    inside = inside_of(vectors, out);
    assert_int_equal(key_bytes_of(key, bytes), inside.size);
    assert_memory_equal(bytes, inside.data, inside.size);
}

/* Decoded twice and stored once, it has three different keys of the right size. */
static void check_random(struct vectors *vectors, EVP_PKEY *stored, const struct list *options)
{
    const struct octets blob = vectors_hex(vectors, "Blob");
    const size_t size = strstr(vectors_string(vectors, "Case"), "PCT1") != NULL ? 16 : 48;
    EVP_PKEY *keys[] = { decode_blob(blob, options), decode_blob(blob, options), stored };
    uint8_t bytes[COUNT(keys)][MAX_KEY_BYTES], out[MAX_EXCHANGED];
    const struct octets inside = inside_of(vectors, out);

    for (size_t n = 0; n < COUNT(keys); n++) {
        if (keys[n] == NULL)
            vectors_fail(vectors, "%s is refused", vectors_string(vectors, "Case"));
        assert_int_equal(key_bytes_of(keys[n], bytes[n]), size);
        assert_int_not_equal(inside.size, size);
        if (inside.size > 1)
            assert_memory_not_equal(bytes[n], inside.data, inside.size < size ? inside.size : size);
    }
    assert_memory_not_equal(bytes[0], bytes[1], size);
    assert_memory_not_equal(bytes[0], bytes[2], size);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static void check_no_option(struct vectors *vectors, const struct list *options)
{
    struct list more;

    list_start(&more);
    for (size_t n = 0; n < options->count; n++)
        if (options->params[n].data_type == OSSL_PARAM_UTF8_STRING)
            add_text(&more, options->params[n].key, options->params[n].data);
    add_number(&more, "some-flag", 1);
    assert_null(store_blob(vectors_hex(vectors, "Blob"), &more));
    assert_reason("invalid parameter", ", got \"some-flag\"");
}

static void check_refused(struct vectors *vectors, EVP_PKEY *key, const char *reason)
{
    if (key != NULL)
        vectors_fail(vectors, "%s opens", vectors_string(vectors, "Case"));
    assert_reason(reason, "");
}

static void check_stanza(struct vectors *vectors, struct verdicts *verdicts)
{
    const struct ruling *ruling = ruling_of(vectors);
    const struct octets blob = vectors_hex(vectors, "Blob");
    struct list options;
    EVP_PKEY *decoded, *stored;

    allow_fields(vectors, known_fields, COUNT(known_fields));
    set_options(vectors, &options);
    decoded = decode_blob(blob, &options);
    switch (ruling->outcome) {
    case REFUSED:
        check_refused(vectors, decoded, ruling->reason);
        break;
    case NOT_OURS:
        assert_null(decoded);
        assert_no_reason();
        break;
    default:
        assert_no_errors();
    }
    stored = store_blob(blob, &options);
    switch (ruling->outcome) {
    case NO_OPTION:
        check_no_option(vectors, &options);
        /* fall through */
    case OPENS:
        check_opened(vectors, decoded);
        check_opened(vectors, stored);
        break;
    case RANDOM:
        check_random(vectors, stored, &options);
        break;
    case REFUSED:
        check_refused(vectors, stored, ruling->reason);
        break;
    case NOT_OURS:
        check_refused(vectors, stored, "malformed blob");
        break;
    }
    EVP_PKEY_free(decoded);
    EVP_PKEY_free(stored);
    assert_no_errors();
    verdicts->passed += ruling->why == NULL;
    verdicts->decided += ruling->why != NULL;
}

/* ---- RSA key pairs and public keys: libcrypto's ---- */

static int libcrypto_reads(struct octets blob, OSSL_LIB_CTX *context, int selection)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, selection, context, NULL);
    const unsigned char *data = blob.data;
    size_t size = blob.size;
    int ok = OSSL_DECODER_from_data(decoder, &data, &size);

    OSSL_DECODER_CTX_free(decoder);
    assert_int_equal(ok, key != NULL);
    EVP_PKEY_free(key);
    return ok;
}

/* 1 when libcrypto's answer is the one recorded. */
static int check_rsa_stanza(struct vectors *vectors, OSSL_LIB_CTX *without_us)
{
    const struct octets blob = vectors_hex(vectors, "Blob");
    const int is_public = strncmp(vectors_string(vectors, "Case"), "public", 6) == 0;
    const int selection = is_public ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    int ok;

    allow_fields(vectors, known_fields, COUNT(known_fields));
    ok = libcrypto_reads(blob, libctx, selection);
    assert_no_reason();
    if (ok != libcrypto_reads(blob, without_us, selection))
        vectors_fail(vectors, "is read differently with this provider");
    ERR_clear_error();
    return ok == (strcmp(vectors_string(vectors, "Result"), "OK") == 0);
}

static void run_file(struct verdicts *verdicts, unsigned passed, unsigned decided, unsigned rsa)
{
    struct vectors *vectors = vectors_open(verdicts->file);
    OSSL_LIB_CTX *without_us = OSSL_LIB_CTX_new();
    unsigned as_recorded = 0, others = 0;

    while (vectors_next(vectors)) {
        if (is_simple(vectors) || strncmp(vectors_string(vectors, "Case"), "plain", 5) == 0) {
            if (verdicts_want(verdicts))
                check_stanza(vectors, verdicts);
        } else if (check_rsa_stanza(vectors, without_us)) {
            as_recorded++;
        } else {
            others++;
        }
    }
    vectors_close(vectors);
    OSSL_LIB_CTX_free(without_us);
    print_message("%s: %u RSA blobs are libcrypto's: %u read as recorded, %u otherwise\n",
                  verdicts->file, as_recorded + others, as_recorded, others);
    assert_int_equal(as_recorded + others, rsa);
    verdicts_report(verdicts, passed, decided);
}

static void recorded_errors_have_reasons_of_ours(void **state)
{
    struct verdicts verdicts = { .file = "rsaenh-errors.txt" };

    (void)state;
    run_file(&verdicts, 272, 56, 33);
}

static void what_was_overlooked_is_refused(void **state)
{
    struct verdicts verdicts = { .file = "rsaenh-quirks-errors.txt" };

    (void)state;
    run_file(&verdicts, 0, 31, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(recorded_errors_have_reasons_of_ours, starts_with_a_clean_queue),
        cmocka_unit_test_setup(what_was_overlooked_is_refused, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, exchange_setup, exchange_teardown);
}
