/*
 * Blobs that open once, through EVP: which operations are a use and claim the key, which only look at
 * it, and everything that keeps such a blob from opening.
 *
 * Whether a blob was claimed is always asked with another import of the same bytes: one of the two
 * can be used, the other is refused.  How two processes race for it: test_transfer_race.
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "fixture.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/decoder.h>
#include <openssl/encoder.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "fake_clock.h"

#define COUNT(table)  (sizeof(table) / sizeof((table)[0]))

#define OPENED_BEFORE "blob was opened before"
#define EXPIRED       "blob has expired"
#define NOT_FOR_YOU   "blob is for another audience"
#define NOT_RECORDED  "claim cannot be recorded"
#define CONFLICT      "conflicting parameters"

/* A blob on its way. */
struct offer {
    size_t size;
    unsigned char blob[MAX_BLOB];
};

/* Options of an export, and of an import; NULL and 0: not said. */
struct terms {
    const char *mode, *seal_key, *claim_dir, *audience;
    unsigned lifetime;
};

static char claims[128], runtime_directory[128];
static const struct terms transfer = { "transfer", seal_key_a, claims, NULL, 0 };

/* ---- keys ---- */

static EVP_PKEY *make_key(const char *alg)
{
    uint8_t bytes[48], random[32];
    int yes = 1;
    OSSL_PARAM params[10], *p = params;
    EVP_PKEY *key;

    pattern(bytes, sizeof(bytes), 11);
    pattern(random, sizeof(random), 5);
    *p++ = text_param("alg", alg);
    *p++ = OSSL_PARAM_construct_int("exportable", &yes);
    if (strcmp(alg, "TLS1-MASTER") == 0 || strcmp(alg, "SSL3-MASTER") == 0) {
        *p++ = octets_param(strcmp(alg, "TLS1-MASTER") == 0 ? "premaster" : "secret", bytes, 48);
        *p++ = octets_param("client-random", random, sizeof(random));
        *p++ = octets_param("server-random", random, sizeof(random));
        *p++ = text_param("cipher", "AES-256-CBC");
        *p++ = text_param("digest", "SHA1");
    } else {
        *p++ = octets_param("secret", bytes, strcmp(alg, "TLS1-MAC") == 0 ? 20 : 16);
        if (strcmp(alg, "TLS1-MAC") == 0)
            *p++ = text_param("digest", "SHA1");
    }
    *p = OSSL_PARAM_construct_end();
    key = from_data(params);
    assert_non_null(key);
    return key;
}

/* As many of these as are said; |params| has room for six. */
static void params_of(const struct terms *terms, OSSL_PARAM *params)
{
    if (terms->mode != NULL)
        *params++ = text_param("blob-mode", terms->mode);
    if (terms->seal_key != NULL)
        *params++ = text_param("seal-key", terms->seal_key);
    if (terms->claim_dir != NULL)
        *params++ = text_param("claim-dir", terms->claim_dir);
    if (terms->audience != NULL)
        *params++ = text_param("audience", terms->audience);
    if (terms->lifetime != 0)
        *params++ = OSSL_PARAM_construct_uint("lifetime", (unsigned *)(uintptr_t)&terms->lifetime);
    *params = OSSL_PARAM_construct_end();
}

/* An export whose options are nowhere kept. */
static int try_offer(EVP_PKEY *key, const struct terms *terms, struct offer *offer)
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "opaqueblob", NULL, NULL);
    unsigned char *data = NULL;
    OSSL_PARAM params[6];
    int ok;

    offer->size = 0;
    params_of(terms, params);
    ok = OSSL_ENCODER_CTX_set_params(context, params) &&
         OSSL_ENCODER_to_data(context, &data, &offer->size);
    if (ok) {
        assert_in_range(offer->size, 1, MAX_BLOB);
        memcpy(offer->blob, data, offer->size);
    }
    OPENSSL_free(data);
    OSSL_ENCODER_CTX_free(context);
    return ok;
}

static void offer_key(EVP_PKEY *key, const struct terms *terms, struct offer *offer)
{
    assert_int_equal(try_offer(key, terms, offer), 1);
    assert_no_errors();
}

/* A new key, offered on |terms|. */
static void make_offer(const char *alg, const struct terms *terms, struct offer *offer)
{
    EVP_PKEY *key = make_key(alg);

    offer_key(key, terms, offer);
    EVP_PKEY_free(key);
}

/* Neither mode nor lifetime is said by who imports. */
static EVP_PKEY *try_take(const struct offer *offer, const struct terms *terms)
{
    struct terms said = { NULL, terms->seal_key, terms->claim_dir, terms->audience, 0 };
    OSSL_PARAM params[7];

    params_of(&said, params + 1);
    params[0] = octets_param("opaque-blob", offer->blob, offer->size);
    return from_data(params);
}

static EVP_PKEY *take(const struct offer *offer, const struct terms *terms)
{
    EVP_PKEY *key = try_take(offer, terms);

    assert_no_errors();
    assert_non_null(key);
    return key;
}

static int use(EVP_PKEY *key)
{
    EVP_PKEY *copy = EVP_PKEY_dup(key);

    EVP_PKEY_free(copy);
    return copy != NULL;
}

static void assert_usable(EVP_PKEY *key)
{
    assert_int_equal(use(key), 1);
    assert_no_errors();
}

static void assert_refused(EVP_PKEY *key, const char *reason, const char *detail)
{
    assert_int_equal(use(key), 0);
    assert_reason(reason, detail);
}

/* By another import on these terms, whose use claims it. */
static void assert_opens(const struct offer *offer, const struct terms *terms)
{
    EVP_PKEY *key = take(offer, terms);

    assert_usable(key);
    EVP_PKEY_free(key);
}

static void assert_opens_not(const struct offer *offer, const struct terms *terms,
                             const char *reason, const char *detail)
{
    EVP_PKEY *key = take(offer, terms);

    assert_refused(key, reason, detail);
    EVP_PKEY_free(key);
}

/* What -text says; the caller frees. */
static char *text_of(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *data, *text;
    long size;

    assert_int_equal(EVP_PKEY_print_private(out, key, 0, NULL), 1);
    size = BIO_get_mem_data(out, &data);
    text = OPENSSL_strndup(data, (size_t)size);
    BIO_free(out);
    assert_non_null(text);
    return text;
}

static void assert_text(EVP_PKEY *key, const char *part, int expected)
{
    char *text = text_of(key);

    if ((strstr(text, part) != NULL) != expected)
        fail_msg("\"%s\" says \"%s\": expected %s", text, part, expected ? "yes" : "no");
    OPENSSL_free(text);
}

/* ---- uses ---- */

static EVP_CIPHER *cipher_of(EVP_PKEY *key)
{
    char alg[32], name[64];
    EVP_CIPHER *cipher;

    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "alg", alg, sizeof(alg), NULL), 1);
    snprintf(name, sizeof(name), "SCHANNEL-%s", alg);
    cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    assert_non_null(cipher);
    return cipher;
}

static int init_cipher(EVP_PKEY *key, const char *name, int encrypt)
{
    EVP_CIPHER *cipher = name == NULL ? cipher_of(key) : EVP_CIPHER_fetch(libctx, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    int ok;

    get_handle(key, handle);
    ok = EVP_CipherInit_ex2(context, cipher, NULL, NULL, encrypt, bind);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

static int encrypt_with(EVP_PKEY *key)
{
    return init_cipher(key, NULL, 1);
}

static int decrypt_with(EVP_PKEY *key)
{
    return init_cipher(key, NULL, 0);
}

/* Bound by a parameter, which only looks; then |step| is the first that needs the secret. */
static int late_bound(EVP_PKEY *key, int (*step)(EVP_CIPHER_CTX *))
{
    EVP_CIPHER *cipher = cipher_of(key);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    int ok;

    get_handle(key, handle);
    assert_int_equal(EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_set_params(context, bind), 1);
    ok = step(context);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

static int update_step(EVP_CIPHER_CTX *context)
{
    uint8_t in[16] = { 0 }, out[48];
    int size;

    return EVP_EncryptUpdate(context, out, &size, in, sizeof(in));
}

static int copy_step(EVP_CIPHER_CTX *context)
{
    EVP_CIPHER_CTX *copy = EVP_CIPHER_CTX_new();
    int ok = EVP_CIPHER_CTX_copy(copy, context);

    EVP_CIPHER_CTX_free(copy);
    return ok;
}

static int suspend_step(EVP_CIPHER_CTX *context)
{
    uint8_t blob[MAX_BLOB] = { 0 };
    OSSL_PARAM get[] = { octets_param("opaque-blob", blob, sizeof(blob)),
                         OSSL_PARAM_construct_end() };

    return EVP_CIPHER_CTX_get_params(context, get);
}

static int encrypt_late(EVP_PKEY *key)
{
    return late_bound(key, update_step);
}

static int copy_context(EVP_PKEY *key)
{
    return late_bound(key, copy_step);
}

static int suspend_context(EVP_PKEY *key)
{
    return late_bound(key, suspend_step);
}

static int message(EVP_PKEY *key, int encrypt)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    uint8_t in[16] = { 0 }, out[64];
    size_t size = sizeof(out);
    int ok, last = 0;
    OSSL_PARAM whole[] = { OSSL_PARAM_construct_int("final", &last), OSSL_PARAM_construct_end() };

    assert_non_null(context);
    if (encrypt)
        ok = EVP_PKEY_encrypt_init_ex(context, whole) == 1 &&
             EVP_PKEY_encrypt(context, out, &size, in, sizeof(in)) == 1;
    else
        ok = EVP_PKEY_decrypt_init_ex(context, whole) == 1 &&
             EVP_PKEY_decrypt(context, out, &size, in, sizeof(in)) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static int encrypt_message(EVP_PKEY *key)
{
    return message(key, 1);
}

static int decrypt_message(EVP_PKEY *key)
{
    return message(key, 0);
}

/* By the initialisation or by a parameter before the data come. */
static int mac_with(EVP_PKEY *key, int late)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    uint8_t handle[KEY_HANDLE_SIZE];
    OSSL_PARAM bind[] = { octets_param("key-handle", handle, sizeof(handle)),
                          OSSL_PARAM_construct_end() };
    int ok;

    get_handle(key, handle);
    if (late)
        ok = EVP_MAC_CTX_set_params(context, bind) && EVP_MAC_update(context, handle, 1);
    else
        ok = EVP_MAC_init(context, NULL, 0, bind);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return ok;
}

static int init_mac(EVP_PKEY *key)
{
    return mac_with(key, 0);
}

static int update_mac(EVP_PKEY *key)
{
    return mac_with(key, 1);
}

static int digest_sign(EVP_PKEY *key)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t mac[20];
    size_t size = sizeof(mac);
    int ok = EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, key, NULL) == 1 &&
             EVP_DigestSign(context, mac, &size, mac, 1) == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

static int digest_sign_nothing(EVP_PKEY *key)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t out[20];
    size_t size = sizeof(out);
    int ok;

    assert_int_equal(EVP_DigestSignInit_ex(context, NULL, NULL, libctx, NULL, key, NULL), 1);
    ok = EVP_DigestSignFinal(context, out, &size) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static int digest_verify(EVP_PKEY *key)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t mac[20] = { 0 };
    int ok = EVP_DigestVerifyInit_ex(context, NULL, NULL, libctx, NULL, key, NULL) == 1 &&
             EVP_DigestVerifyUpdate(context, mac, 1) == 1;

    EVP_MD_CTX_free(context);
    return ok;
}

static int generate_with(EVP_PKEY *key, const OSSL_PARAM *params)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    EVP_PKEY *made = NULL;
    int ok;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    if (params != NULL)
        assert_int_equal(EVP_PKEY_CTX_set_params(context, params), 1);
    ok = EVP_PKEY_generate(context, &made) == 1;
    EVP_PKEY_free(made);
    EVP_PKEY_CTX_free(context);
    return ok;
}

static int generate_from_master(EVP_PKEY *key)
{
    OSSL_PARAM usage[] = { text_param("usage", "client-write-mac"), OSSL_PARAM_construct_end() };

    return generate_with(key, usage);
}

static int derive_bytes(EVP_PKEY *key)
{
    const OSSL_PARAM usage[] = { text_param("usage", "finished-client"),
                                 octets_param("handshake", "hello", 5),
                                 OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);
    uint8_t out[64];
    size_t size = sizeof(out);
    int ok;

    assert_int_equal(EVP_PKEY_derive_init_ex(context, usage), 1);
    ok = EVP_PKEY_derive(context, out, &size) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static int generate_copy(EVP_PKEY *key)
{
    return generate_with(key, NULL);
}

static int read_blob(EVP_PKEY *key)
{
    uint8_t blob[MAX_BLOB];
    size_t size;

    return EVP_PKEY_get_octet_string_param(key, "opaque-blob", blob, sizeof(blob), &size);
}

static int encode_as(EVP_PKEY *key, const char *type, int selection)
{
    OSSL_ENCODER_CTX *context = OSSL_ENCODER_CTX_new_for_pkey(key, selection, type, NULL, NULL);
    unsigned char *data = NULL;
    size_t size = 0;
    int ok = OSSL_ENCODER_to_data(context, &data, &size);

    OPENSSL_free(data);
    OSSL_ENCODER_CTX_free(context);
    return ok;
}

static int encode_pem(EVP_PKEY *key)
{
    return encode_as(key, "PEM", EVP_PKEY_KEYPAIR);
}

static int encode_der(EVP_PKEY *key)
{
    return encode_as(key, "DER", EVP_PKEY_KEYPAIR);
}

static int encode_blob(EVP_PKEY *key)
{
    return encode_as(key, "opaqueblob", EVP_PKEY_KEYPAIR);
}

static int write_pem(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());
    int ok = PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);

    BIO_free(out);
    return ok;
}

static int export_bytes(EVP_PKEY *key)
{
    OSSL_PARAM *params = NULL;
    int ok = EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params);

    OSSL_PARAM_free(params);
    return ok;
}

static const struct {
    const char *name, *alg;
    int (*use)(EVP_PKEY *);
} uses[] = {
    { "a cipher context is initialised with it, RC4", "RC4", encrypt_with },
    { "a cipher context is initialised with it, AES", "AES-128-CBC", encrypt_with },
    { "the same for decryption", "AES-128-CBC", decrypt_with },
    { "a context that is bound by a parameter encrypts", "RC4", encrypt_late },
    { "a context that is bound by a parameter is copied", "AES-128-CBC", copy_context },
    { "a context that is bound by a parameter is suspended", "RC4", suspend_context },
    { "EVP_PKEY_encrypt", "RC4", encrypt_message },
    { "EVP_PKEY_encrypt, AES", "AES-128-CBC", encrypt_message },
    { "EVP_PKEY_decrypt", "AES-128-CBC", decrypt_message },
    { "a MAC context is initialised with it", "TLS1-MAC", init_mac },
    { "a MAC context that is bound by a parameter absorbs", "TLS1-MAC", update_mac },
    { "EVP_DigestSign", "TLS1-MAC", digest_sign },
    { "EVP_DigestSignFinal with nothing absorbed", "TLS1-MAC", digest_sign_nothing },
    { "EVP_DigestVerify", "TLS1-MAC", digest_verify },
    { "a session key is derived", "TLS1-MASTER", generate_from_master },
    { "bytes are derived, of a premaster secret", "TLS1-MASTER", derive_bytes },
    { "bytes are derived, of a master secret", "SSL3-MASTER", derive_bytes },
    { "a copy is generated", "RC4", generate_copy },
    { "EVP_PKEY_dup, cipher key", "AES-128-CBC", use },
    { "EVP_PKEY_dup, MAC key", "TLS1-MAC", use },
    { "EVP_PKEY_dup, master", "TLS1-MASTER", use },
    { "opaque-blob is read", "RC4", read_blob },
    { "opaque-blob of a master is read", "TLS1-MASTER", read_blob },
    { "an encoder writes PEM", "AES-128-CBC", encode_pem },
    { "an encoder writes DER", "TLS1-MAC", encode_der },
    { "an encoder writes opaqueblob", "RC4", encode_blob },
    { "PEM_write_bio_PrivateKey", "TLS1-MASTER", write_pem },
    { "EVP_PKEY_todata", "RC4", export_bytes },
    { "EVP_PKEY_todata of a master", "TLS1-MASTER", export_bytes },
};

static void every_use_claims_the_key(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(uses); n++) {
        struct offer offer;
        EVP_PKEY *first, *second;

        make_offer(uses[n].alg, &transfer, &offer);
        first = take(&offer, &transfer);
        second = take(&offer, &transfer);
        assert_text(first, "Transfer: opens once, not claimed here", 1);
        if (uses[n].use(first) != 1)
            fail_msg("%s: refused", uses[n].name);
        assert_text(first, "Transfer", 0);
        if (uses[n].use(second) != 0)
            fail_msg("%s: works with both", uses[n].name);
        assert_reason(OPENED_BEFORE, claims);
        /* now an ordinary live key; the other one stays what it is */
        assert_int_equal(uses[n].use(first), 1);
        assert_usable(first);
        assert_refused(second, OPENED_BEFORE, "opened before");
        assert_text(second, "Transfer: opens once, not claimed here", 1);
        EVP_PKEY_free(second);
        EVP_PKEY_free(first);
        assert_no_errors();
    }
    print_message("%zu uses\n", COUNT(uses));
}

/* ---- the state of a context ---- */

static int resume_cipher(const struct offer *offer, const char *name, const struct terms *terms,
                         int by_init)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(libctx, name, NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    struct terms said = { NULL, terms->seal_key, terms->claim_dir, terms->audience, 0 };
    OSSL_PARAM params[7];
    int ok;

    params_of(&said, params + 1);
    params[0] = octets_param("opaque-blob", offer->blob, offer->size);
    if (by_init)
        ok = EVP_EncryptInit_ex2(context, cipher, NULL, NULL, params);
    else
        ok = EVP_EncryptInit_ex2(context, cipher, NULL, NULL, NULL) &&
             EVP_CIPHER_CTX_set_params(context, params);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return ok;
}

static int resume_mac(const struct offer *offer, const struct terms *terms, int by_init)
{
    EVP_MAC *mac = EVP_MAC_fetch(libctx, "TLS1-MAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);
    struct terms said = { NULL, terms->seal_key, terms->claim_dir, terms->audience, 0 };
    OSSL_PARAM params[7];
    int ok;

    params_of(&said, params + 1);
    params[0] = octets_param("opaque-blob", offer->blob, offer->size);
    ok = by_init ? EVP_MAC_init(context, NULL, 0, params) : EVP_MAC_CTX_set_params(context, params);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    return ok;
}

static void a_context_that_resumes_from_a_blob_claims_it(void **state)
{
    (void)state;
    ERR_clear_error();
    for (int by_init = 0; by_init <= 1; by_init++) {
        struct offer offer;
        EVP_PKEY *key;

        make_offer("AES-128-CBC", &transfer, &offer);
        key = take(&offer, &transfer);
        assert_int_equal(resume_cipher(&offer, "SCHANNEL-AES-128-CBC", &transfer, by_init), 1);
        assert_int_equal(resume_cipher(&offer, "SCHANNEL-AES-128-CBC", &transfer, by_init), 0);
        assert_reason(OPENED_BEFORE, claims);
        assert_refused(key, OPENED_BEFORE, claims);
        EVP_PKEY_free(key);

        make_offer("TLS1-MAC", &transfer, &offer);
        assert_int_equal(resume_mac(&offer, &transfer, by_init), 1);
        assert_int_equal(resume_mac(&offer, &transfer, by_init), 0);
        assert_reason(OPENED_BEFORE, claims);
    }
    assert_no_errors();
}

/* A context has nothing to look at: what cannot be used is not resumed. */
static void a_context_resumes_only_from_a_blob_that_is_for_it(void **state)
{
    struct terms bob = transfer, nowhere = transfer;
    struct offer offer;

    (void)state;
    ERR_clear_error();
    bob.audience = "bob";
    nowhere.claim_dir = NULL;
    make_offer("RC4", &bob, &offer);
    assert_int_equal(resume_cipher(&offer, "SCHANNEL-RC4", &transfer, 1), 0);
    assert_reason(NOT_FOR_YOU, "named none");
    assert_int_equal(resume_cipher(&offer, "SCHANNEL-AES-128-CBC", &bob, 1), 0);
    assert_reason("wrong kind of key", "expected a key of AES-128-CBC");
    assert_int_equal(resume_mac(&offer, &bob, 1), 0);
    assert_reason("wrong kind of key", "expected a mac key");
    assert_int_equal(resume_cipher(&offer, "SCHANNEL-RC4", &bob, 1), 1);
    make_offer("TLS1-MAC", &transfer, &offer);
    assert_int_equal(resume_mac(&offer, &nowhere, 1), 0);
    assert_reason(NOT_RECORDED, "claim-dir: is not set");
    assert_int_equal(resume_cipher(&offer, "SCHANNEL-RC4", &transfer, 1), 0);
    assert_reason("wrong kind of key", "TLS1-MAC");
    assert_int_equal(resume_mac(&offer, &transfer, 1), 1);
    assert_no_errors();
}

/* ---- looks ---- */

static EVP_PKEY *original;            /* of the key that is looked at */
static const struct offer *looked_at; /* the blob that it came in */

static void look_at_text(EVP_PKEY *key)
{
    assert_text(key, "SCHANNEL Key: ", 1);
    assert_text(key, "Transfer: opens once, not claimed here\n", 1);
    assert_text(key, "    Not after: ", 1);
}

/* All there are but opaque-blob, which is an export. */
static void look_at_parameters(EVP_PKEY *key)
{
    const OSSL_PARAM *gettable = EVP_PKEY_gettable_params(key);
    size_t count = 0;

    for (; gettable->key != NULL; gettable++) {
        uint8_t data[512];
        OSSL_PARAM get[] = { *gettable, OSSL_PARAM_construct_end() };

        if (strcmp(gettable->key, "opaque-blob") == 0)
            continue;
        get[0].data = data;
        get[0].data_size = gettable->data_type == OSSL_PARAM_UNSIGNED_INTEGER ? 8 : sizeof(data);
        if (EVP_PKEY_get_params(key, get))
            count++;
        else
            assert_reason("wrong kind of key", gettable->key);
    }
    assert_in_range(count, 10, 100);
    assert_in_range(EVP_PKEY_get_bits(key), 128, 384);
    assert_in_range(EVP_PKEY_get_security_bits(key), 100, 384);
    assert_int_not_equal(EVP_PKEY_get_size(key), 0);
}

static void look_at_identifier(EVP_PKEY *key)
{
    char id[32], other[32];

    get_id(key, id);
    get_id(original, other);
    assert_string_equal(id, other);
}

static void look_at_handle(EVP_PKEY *key)
{
    uint8_t handle[KEY_HANDLE_SIZE];

    get_handle(key, handle);
}

/* With the original and with another import: none of them is claimed, in whatever order. */
static void compare(EVP_PKEY *key)
{
    EVP_PKEY *twin = take(looked_at, &transfer);

    assert_int_equal(EVP_PKEY_eq(key, original), 1);
    assert_int_equal(EVP_PKEY_eq(original, key), 1);
    assert_int_equal(EVP_PKEY_eq(twin, key), 1);
    assert_int_equal(EVP_PKEY_eq(key, twin), 1);
    assert_int_equal(EVP_PKEY_parameters_eq(key, original), 1);
    EVP_PKEY_free(twin);
}

static void ask_for_sizes(EVP_PKEY *key)
{
    size_t size = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, "opaque-blob", NULL, 0, &size), 1);
    assert_in_range(size, 100, MAX_BLOB);
}

/* Of another type, or where there is no room for it: refused, and no use. */
static void ask_in_vain(EVP_PKEY *key)
{
    char blob[MAX_BLOB];
    OSSL_PARAM of_another_type[] = {
        OSSL_PARAM_construct_utf8_string("opaque-blob", blob, sizeof(blob)),
        OSSL_PARAM_construct_end(),
    };
    OSSL_PARAM too_small[] = { OSSL_PARAM_construct_octet_string("opaque-blob", blob, 50),
                               OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_get_params(key, of_another_type), 0);
    assert_reason("invalid parameter", "opaque-blob: is an octet string");
    of_another_type[0].data = NULL;
    assert_int_equal(EVP_PKEY_get_params(key, of_another_type), 0);
    assert_reason("invalid parameter", "opaque-blob: is an octet string");
    assert_int_equal(EVP_PKEY_get_params(key, too_small), 0);
    assert_reason("output buffer too small", "the buffer has 50");
}

static void check(EVP_PKEY *key)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

    assert_int_equal(EVP_PKEY_check(context), 1);
    assert_int_equal(EVP_PKEY_private_check(context), 1);
    assert_int_equal(EVP_PKEY_pairwise_check(context), 1);
    EVP_PKEY_CTX_free(context);
}

static void set_parameters(EVP_PKEY *key)
{
    int no = 0;
    unsigned lifetime = 77;
    OSSL_PARAM set[] = {
        OSSL_PARAM_construct_int("exportable", &no),
        text_param("fork", "allow"),
        text_param("blob-mode", "transfer"),
        OSSL_PARAM_construct_uint("lifetime", &lifetime),
        text_param("audience", "carol"),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_PKEY_set_params(key, set), 1);
}

/* Preparing is no use yet. */
static void prepare_a_generation(EVP_PKEY *key)
{
    OSSL_PARAM fork[] = { text_param("fork", "allow"), OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(libctx, key, NULL);

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, fork), 1);
    EVP_PKEY_CTX_free(context);
}

static int no_step(EVP_CIPHER_CTX *context)
{
    (void)context;
    return 1;
}

static void bind_a_context_by_parameter(EVP_PKEY *key)
{
    char kind[16];

    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "kind", kind, sizeof(kind), NULL), 1);
    if (strcmp(kind, "cipher") == 0)
        assert_int_equal(late_bound(key, no_step), 1);
}

static void take_it_again(EVP_PKEY *key)
{
    (void)key;
    /* the import that every row of the table has once more */
}

static void use_it_for_another_purpose(EVP_PKEY *key)
{
    char kind[16];
    int is_mac, is_cipher;

    assert_int_equal(EVP_PKEY_get_utf8_string_param(key, "kind", kind, sizeof(kind), NULL), 1);
    is_mac = strcmp(kind, "mac") == 0;
    is_cipher = strcmp(kind, "cipher") == 0;
    if (!is_cipher) {
        assert_int_equal(init_cipher(key, "SCHANNEL-RC4", 1), 0);
        assert_reason("wrong kind of key", "key-handle");
        assert_int_equal(encrypt_message(key), 0);
        assert_reason("wrong kind of key", "message");
    }
    assert_int_equal(init_cipher(key, "SCHANNEL-DES-EDE3-CBC", 1), 0);
    assert_reason("wrong kind of key", "key-handle");
    if (!is_mac) {
        assert_int_equal(init_mac(key), 0);
        assert_reason("wrong kind of key", "key-handle");
        assert_int_equal(update_mac(key), 0);
        assert_reason("wrong kind of key", "key-handle");
        assert_int_equal(digest_sign(key), 0);
        assert_reason("wrong kind of key", "signature");
    }
}

static void ask_for_what_it_has_not(EVP_PKEY *key)
{
    OSSL_PARAM alg[] = { text_param("alg", "RC4"), OSSL_PARAM_construct_end() };
    int no = 0;
    OSSL_PARAM set[] = { OSSL_PARAM_construct_int("exportable", &no), OSSL_PARAM_construct_end() };

    assert_int_equal(encode_as(key, "PEM", EVP_PKEY_PUBLIC_KEY), 0);
    assert_reason("key has no public part", "public");
    assert_int_equal(generate_with(key, alg), 0);
    assert_reason(CONFLICT, "alg");
    assert_int_equal(EVP_PKEY_set_params(key, set), 1);
    assert_int_equal(export_bytes(key), 0);
    assert_reason("key is not exportable", "sealed opaque blob");
}

/* Whether an export is possible at all is asked first. */
static void export_what_cannot_be(EVP_PKEY *key)
{
    struct offer offer;
    struct terms loan = { "snapshot", seal_key_a, NULL, "alice", 0 };
    struct terms lost = { "snapshot", "file:/nonexistent/key", NULL, NULL, 0 };

    assert_int_equal(try_offer(key, &loan, &offer), 0);
    assert_reason(CONFLICT, "audience");
    assert_int_equal(try_offer(key, &lost, &offer), 0);
    assert_reason("sealing key cannot be read", "/nonexistent/key");
}

static const struct {
    const char *name;
    void (*look)(EVP_PKEY *);
} looks[] = {
    { "importing", take_it_again },
    { "text", look_at_text },
    { "parameters", look_at_parameters },
    { "key-id", look_at_identifier },
    { "key-handle", look_at_handle },
    { "comparing", compare },
    { "sizes", ask_for_sizes },
    { "a blob, in vain", ask_in_vain },
    { "checking", check },
    { "setting parameters", set_parameters },
    { "preparing a generation", prepare_a_generation },
    { "binding by a parameter", bind_a_context_by_parameter },
    { "the wrong kind of use", use_it_for_another_purpose },
    { "what it has not", ask_for_what_it_has_not },
    { "an export that cannot be", export_what_cannot_be },
};

static void no_look_claims_the_key(void **state)
{
    static const char *const algs[] = { "RC4", "AES-128-CBC", "TLS1-MAC", "TLS1-MASTER" };

    (void)state;
    ERR_clear_error();
    for (size_t a = 0; a < COUNT(algs); a++) {
        for (size_t n = 0; n < COUNT(looks); n++) {
            struct offer offer;
            EVP_PKEY *key;

            original = make_key(algs[a]);
            offer_key(original, &transfer, &offer);
            looked_at = &offer;
            key = take(&offer, &transfer);
            looks[n].look(key);
            looks[n].look(key);
            assert_no_errors();
            assert_opens(&offer, &transfer);
            /* and when it is too late it can still be looked at */
            assert_refused(key, OPENED_BEFORE, "opened before");
            looks[n].look(key);
            assert_no_errors();
            EVP_PKEY_free(key);
            EVP_PKEY_free(original);
        }
    }
    print_message("%zu looks at %zu kinds of keys\n", COUNT(looks), COUNT(algs));
}

static void a_key_that_was_looked_at_can_be_used(void **state)
{
    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(looks); n++) {
        struct offer offer;
        EVP_PKEY *key;

        original = make_key("AES-128-CBC");
        offer_key(original, &transfer, &offer);
        looked_at = &offer;
        key = take(&offer, &transfer);
        looks[n].look(key);
        assert_usable(key);
        EVP_PKEY_free(key);
        EVP_PKEY_free(original);
    }
}

/* ---- for whom ---- */

static void the_audience_has_to_be_the_one_that_was_named(void **state)
{
    static char longest[256];
    static const struct {
        const char *named, *said, *detail; /* NULL: it opens */
    } rows[] = {
        { NULL, NULL, NULL },
        { "alice", "alice", NULL },
        { "alice", NULL, "the import named none" },
        { "alice", "bob", "for another one" },
        { "alice", "Alice", "for another one" },
        { "alice", "alic", "for another one" },
        { "alice", "alice ", "for another one" },
        { NULL, "alice", "for nobody in particular" },
        { "\xc3\xa4 b", "\xc3\xa4 b", NULL },
        { longest, longest, NULL },
        { longest, longest + 1, "for another one" },
    };

    (void)state;
    ERR_clear_error();
    memset(longest, 'x', 255);
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct terms given = transfer, said = transfer;
        struct offer offer;
        EVP_PKEY *key;

        given.audience = rows[n].named;
        said.audience = rows[n].said;
        make_offer("RC4", &given, &offer);
        key = take(&offer, &said); /* looking is allowed to everybody who can open it */
        assert_text(key, ", for another audience", rows[n].detail != NULL);
        if (rows[n].detail != NULL) {
            assert_refused(key, NOT_FOR_YOU, rows[n].detail);
            assert_refused(key, NOT_FOR_YOU, rows[n].detail);
        } else {
            assert_usable(key);
        }
        EVP_PKEY_free(key);
        /* the wrong one has not used it up for the right one */
        if (rows[n].detail != NULL)
            assert_opens(&offer, &given);
        assert_opens_not(&offer, &given, OPENED_BEFORE, "");
    }
}

/* One audience, two blobs: who sees both cannot tell that they are for the same. */
/* Nor is its key written where no audience is named. */
static void a_transfer_for_somebody_else_is_not_written_for_another_provider(void **state)
{
    static const char *const types[] = { "plaintextblob", "simpleblob" };
    struct terms loan = { "transfer", seal_key_a, claims, "alice", 0 };
    struct terms unnamed = { NULL, seal_key_a, claims, NULL, 0 };
    EVP_PKEY *rsa = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024), *key;
    unsigned char *spki = NULL;
    const size_t spki_size = (size_t)i2d_PUBKEY(rsa, &spki);
    int yes = 1;
    OSSL_PARAM options[][2] = {
        { OSSL_PARAM_construct_int("allow-plaintext", &yes), OSSL_PARAM_construct_end() },
        { octets_param("exchange-key", spki, spki_size), OSSL_PARAM_construct_end() },
    };
    struct offer offer;

    (void)state;
    make_offer("RC4", &loan, &offer);
    for (size_t n = 0; n < 2; n++) {
        OSSL_ENCODER_CTX *context;
        unsigned char *data = NULL;
        size_t size = 0;

        key = take(&offer, &unnamed);
        context = OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, types[n], NULL, NULL);
        assert_int_equal(OSSL_ENCODER_CTX_set_params(context, options[n]), 1);
        assert_int_equal(OSSL_ENCODER_to_data(context, &data, &size), 0);
        assert_reason("blob is for another audience", "audience: ");
        assert_null(data);
        OSSL_ENCODER_CTX_free(context);
        EVP_PKEY_free(key);
    }
    /* who is meant still gets it */
    assert_opens(&offer, &loan);
    OPENSSL_free(spki);
    EVP_PKEY_free(rsa);
}

static void the_audience_is_not_in_the_blob(void **state)
{
    struct terms alice = transfer;
    struct offer offers[2], plain;
    EVP_PKEY *key = make_key("RC4");

    (void)state;
    alice.audience = "alice";
    offer_key(key, &transfer, &plain);
    for (size_t n = 0; n < 2; n++) {
        offer_key(key, &alice, &offers[n]);
        assert_int_equal(offers[n].size, plain.size + 32);
        for (size_t at = 0; at + 5 <= offers[n].size; at++)
            assert_memory_not_equal(offers[n].blob + at, "alice", 5);
    }
    assert_int_equal(offers[0].blob[56], 32); /* the length of the hash, and the hash */
    assert_memory_not_equal(offers[0].blob + 57, offers[1].blob + 57, 32);
    EVP_PKEY_free(key);
}

static int set_audience(EVP_PKEY *key, const char *audience)
{
    OSSL_PARAM set[] = { text_param("audience", audience), OSSL_PARAM_construct_end() };

    return EVP_PKEY_set_params(key, set);
}

static void an_audience_that_cannot_be_is_refused(void **state)
{
    char text[257] = "";
    EVP_PKEY *key = make_key("RC4");

    (void)state;
    ERR_clear_error();
    memset(text, 'x', 256);
    assert_int_equal(set_audience(key, text), 0);
    assert_reason(NULL, "audience: ");
    assert_int_equal(set_audience(key, ""), 0);
    assert_reason("invalid length", "audience: is empty");
    assert_int_equal(set_audience(key, text + 1), 1);
    assert_no_errors();
    EVP_PKEY_free(key);
}

static void lifetime_and_audience_belong_to_transfers(void **state)
{
    struct terms rows[] = {
        { NULL, seal_key_a, claims, "alice", 0 },       { NULL, seal_key_a, claims, NULL, 60 },
        { "snapshot", seal_key_a, claims, "alice", 0 }, { "snapshot", seal_key_a, claims, NULL, 1 },
        { "snapshot", seal_key_a, NULL, "alice", 60 },
    };
    struct terms snapshot = { NULL, seal_key_a, NULL, NULL, 0 }, alice = snapshot;
    struct offer offer;
    EVP_PKEY *key = make_key("RC4");

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(rows); n++) {
        assert_int_equal(try_offer(key, &rows[n], &offer), 0);
        assert_reason(CONFLICT, rows[n].lifetime != 0 ? "lifetime: " : "audience: ");
    }
    offer_key(key, &snapshot, &offer);
    alice.audience = "alice";
    assert_null(try_take(&offer, &alice));
    assert_reason(NOT_FOR_YOU, "a snapshot is for whoever can open it");
    EVP_PKEY_free(key);
}

/* ---- how long ---- */

static int set_lifetime(EVP_PKEY *key, unsigned seconds)
{
    OSSL_PARAM set[] = { OSSL_PARAM_construct_uint("lifetime", &seconds),
                         OSSL_PARAM_construct_end() };

    return EVP_PKEY_set_params(key, set);
}

static void a_lifetime_is_one_second_to_one_day(void **state)
{
    static const unsigned good[] = { 1, 2, 60, 3600, 86399, 86400 };
    static const unsigned bad[] = { 0, 86401, 100000, 0xffffffff };
    EVP_PKEY *key = make_key("RC4");

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(good); n++) {
        assert_int_equal(set_lifetime(key, good[n]), 1);
        assert_no_errors();
    }
    for (size_t n = 0; n < COUNT(bad); n++) {
        assert_int_equal(set_lifetime(key, bad[n]), 0);
        assert_reason("invalid parameter", "lifetime: ");
    }
    EVP_PKEY_free(key);
}

/* The deadline is the last second in which it opens, by either clock; 0 says nothing: a minute. */
static void a_transfer_opens_until_its_lifetime_is_over(void **state)
{
    static const unsigned lifetimes[] = { 0, 1, 60, 86400 };

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(lifetimes); n++) {
        struct terms terms = transfer;
        unsigned seconds = lifetimes[n] != 0 ? lifetimes[n] : 60;
        struct offer offer;
        EVP_PKEY *key;

        terms.lifetime = lifetimes[n];
        fake_clock_stop();
        make_offer("RC4", &terms, &offer);
        assert_int_not_equal(fake_clock_reads(), 0);
        key = take(&offer, &terms);
        fake_clock_set(seconds + 1, seconds + 1);
        assert_text(key, "Transfer: opens once, has expired", 1);
        assert_refused(key, EXPIRED, "expired 1 seconds ago");
        assert_opens_not(&offer, &terms, EXPIRED, "expired 1 seconds ago");
        fake_clock_set(seconds + 500, seconds + 500);
        assert_refused(key, EXPIRED, "expired 500 seconds ago");
        /* a clock that is right again: being late once was no claim, and nothing was latched */
        fake_clock_set(seconds, seconds);
        assert_text(key, "not claimed here", 1);
        assert_usable(key);
        /* a claimed key does not expire */
        fake_clock_set(seconds + 1, seconds + 1);
        assert_usable(key);
        assert_text(key, "Transfer", 0);
        EVP_PKEY_free(key);
        fake_clock_release();
    }
}

/* Not after is what the header says: created and lifetime by the wall clock. */
static void the_deadline_is_shown(void **state)
{
    struct terms terms = transfer;
    struct offer offer;
    uint64_t created = 0, not_after = 0;
    char line[80];
    EVP_PKEY *key;

    (void)state;
    terms.lifetime = 4711;
    fake_clock_stop();
    make_offer("RC4", &terms, &offer);
    for (size_t n = 0; n < 8; n++) {
        created = created << 8 | offer.blob[16 + n];
        not_after = not_after << 8 | offer.blob[24 + n];
    }
    assert_int_equal(not_after, created + 4711);
    key = take(&offer, &terms);
    snprintf(line, sizeof(line), " UTC (%llu)\n", (unsigned long long)not_after);
    assert_text(key, line, 1);
    EVP_PKEY_free(key);
    fake_clock_release();
}

/*
 * What changed clocks do.  The wall clock is what two machines share, so it decides alone when the
 * machine was booted in between.  On one boot the boot clock, which cannot be set, decides as well:
 *
 *   wall clock set forward    the blob expires early, and its claim is kept for long enough
 *   wall clock set back       the blob expires in time by the boot clock, all the same
 *   wall clock set back within the lifetime, even before the blob was made
 *                             it still opens, once
 */
static void a_changed_wall_clock_never_makes_a_transfer_live_longer(void **state)
{
    static const struct {
        int64_t wall, boot;
        const char *detail; /* NULL: it opens */
    } rows[] = {
        { 0, 0, NULL },
        { 60, 60, NULL },
        { 61, 1, "expired 1 seconds ago" },              /* set forward */
        { 100061, 1, "expired 100001 seconds ago" },     /* set forward a lot */
        { 60, 61, "expired 1 seconds ago by the boot" }, /* back by a second */
        { -3600, 61, "by the boot clock; the wall clock was set back" },
        { -3600, 100060, "expired 100000 seconds ago by the boot clock" },
        { -3600, 60, NULL }, /* before it was made, but within the lifetime */
        { -100000, 0, NULL },
        { 30, 10, NULL },
    };

    (void)state;
    ERR_clear_error();
    for (size_t n = 0; n < COUNT(rows); n++) {
        struct offer offer;
        EVP_PKEY *key;

        fake_clock_stop();
        make_offer("RC4", &transfer, &offer);
        fake_clock_set(rows[n].wall, rows[n].boot);
        key = take(&offer, &transfer);
        assert_text(key, "has expired", rows[n].detail != NULL);
        if (rows[n].detail != NULL) {
            assert_refused(key, EXPIRED, rows[n].detail);
        } else {
            assert_usable(key);
            assert_opens_not(&offer, &transfer, OPENED_BEFORE, "");
        }
        EVP_PKEY_free(key);
        fake_clock_release();
    }
}

/* Somebody who may set the wall clock has claims forgotten only when the boot clock agrees. */
static void a_wall_clock_set_forward_and_back_does_not_open_a_transfer_twice(void **state)
{
    struct terms long_lived = transfer;
    struct offer first, second;

    (void)state;
    ERR_clear_error();
    long_lived.lifetime = 86400;
    fake_clock_stop();
    make_offer("RC4", &transfer, &first);
    assert_opens(&first, &transfer);
    fake_clock_set(80000, 2);
    make_offer("RC4", &long_lived, &second);
    assert_opens(&second, &long_lived); /* which cleans the journal */
    fake_clock_set(0, 3);
    assert_opens_not(&first, &transfer, OPENED_BEFORE, "");
    fake_clock_release();
}

/* The claim could be made, but when that was done it was too late: nobody gets the key. */
static void a_claim_that_took_too_long_is_none(void **state)
{
    struct offer offer;
    EVP_PKEY *key;

    (void)state;
    ERR_clear_error();
    fake_clock_stop();
    make_offer("RC4", &transfer, &offer);
    key = take(&offer, &transfer);
    fake_clock_jump_after(1, 61);
    assert_refused(key, EXPIRED, "expired 1 seconds ago");
    fake_clock_set(0, 0);
    assert_refused(key, OPENED_BEFORE, "");
    EVP_PKEY_free(key);
    fake_clock_release();
}

/* With the clocks that the machine has. */
static void a_transfer_expires(void **state)
{
    struct terms second = transfer;
    struct offer offer;
    EVP_PKEY *key;

    (void)state;
    ERR_clear_error();
    fake_clock_release(); /* whatever the test before this one left behind */
    second.lifetime = 1;
    make_offer("RC4", &second, &offer);
    key = take(&offer, &second);
    sleep(3);
    assert_refused(key, EXPIRED, "seconds ago");
    assert_text(key, "has expired", 1);
    assert_opens_not(&offer, &second, EXPIRED, "seconds ago");
    EVP_PKEY_free(key);
}

/* ---- where ---- */

static void without_a_claim_directory_only_runtime_offers(void **state)
{
    struct terms nowhere = { "transfer", seal_key_a, NULL, NULL, 0 };
    struct terms runtime = { "transfer", "runtime", NULL, NULL, 0 };
    struct terms silent = { "transfer", NULL, NULL, NULL, 0 };
    char path[200];
    struct stat status;
    struct offer offer;
    EVP_PKEY *key = make_key("RC4");

    (void)state;
    ERR_clear_error();
    assert_int_equal(try_offer(key, &nowhere, &offer), 0);
    assert_reason(NOT_RECORDED, "claim-dir: is not set");
    nowhere.seal_key = "user";
    assert_int_equal(try_offer(key, &nowhere, &offer), 0);
    assert_reason(NOT_RECORDED, "claim-dir: is not set");
    offer_key(key, &runtime, &offer);
    assert_opens(&offer, &runtime);
    assert_opens_not(&offer, &runtime, OPENED_BEFORE, runtime_directory);
    /* which is also what is meant when nothing is said */
    offer_key(key, &silent, &offer);
    assert_opens(&offer, &silent);
    assert_opens_not(&offer, &runtime, OPENED_BEFORE, runtime_directory);
    snprintf(path, sizeof(path), "%s/schannel/claims", runtime_directory);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    EVP_PKEY_free(key);
}

static void an_import_without_claim_directory_can_only_look(void **state)
{
    struct terms nowhere = { NULL, seal_key_a, NULL, NULL, 0 };
    struct offer offer;
    EVP_PKEY *key;

    (void)state;
    ERR_clear_error();
    make_offer("AES-128-CBC", &transfer, &offer);
    key = take(&offer, &nowhere);
    for (int n = 0; n < 2; n++) {
        assert_refused(key, NOT_RECORDED, "claim-dir: is not set");
        assert_text(key, "not claimed here", 1);
    }
    assert_int_equal(encrypt_with(key), 0);
    assert_reason(NOT_RECORDED, "claim-dir");
    assert_opens(&offer, &transfer);
    assert_refused(key, NOT_RECORDED, "claim-dir");
    EVP_PKEY_free(key);
}

/* The key waits: when the claim can be recorded, it opens. */
static void a_claim_that_cannot_be_recorded_leaves_the_key_as_it_is(void **state)
{
    static const char *const details[] = { "cannot be opened", "can be written by everybody" };
    char late[200];
    struct terms terms = transfer;
    struct offer offer;
    EVP_PKEY *key;

    (void)state;
    ERR_clear_error();
    snprintf(late, sizeof(late), "%s/late", claims);
    terms.claim_dir = late;
    for (size_t n = 0; n < 2; n++) {
        original = make_key("AES-128-CBC");
        offer_key(original, &terms, &offer);
        looked_at = &offer;
        key = take(&offer, &terms);
        if (n == 1)
            assert_int_equal(chmod(late, 0777), 0);
        for (size_t u = 0; u < COUNT(uses); u++) {
            if (strcmp(uses[u].alg, "AES-128-CBC") != 0)
                continue;
            assert_int_equal(uses[u].use(key), 0);
            assert_reason(NOT_RECORDED, details[n]);
        }
        for (size_t l = 0; l < COUNT(looks); l++)
            looks[l].look(key);
        if (n == 0)
            assert_int_equal(mkdir(late, 0700), 0);
        else
            assert_int_equal(chmod(late, 0700), 0);
        assert_usable(key);
        assert_opens_not(&offer, &terms, OPENED_BEFORE, late);
        EVP_PKEY_free(key);
        EVP_PKEY_free(original);
    }
}

/* Blobs of one sealing key and of another, in one directory and in two. */
static void a_claim_is_of_one_blob(void **state)
{
    struct terms other = transfer;
    struct offer offers[3];
    EVP_PKEY *key = make_key("RC4");

    (void)state;
    ERR_clear_error();
    other.seal_key = seal_key_b;
    offer_key(key, &transfer, &offers[0]);
    offer_key(key, &transfer, &offers[1]);
    offer_key(key, &other, &offers[2]);
    assert_opens(&offers[0], &transfer);
    assert_opens(&offers[1], &transfer);
    assert_opens(&offers[2], &other);
    for (size_t n = 0; n < 3; n++)
        assert_opens_not(&offers[n], n == 2 ? &other : &transfer, OPENED_BEFORE, "");
    EVP_PKEY_free(key);
}

/* ---- afterwards ---- */

static void a_claimed_key_goes_on_as_a_snapshot_or_as_another_transfer(void **state)
{
    struct terms snapshot = { "snapshot", seal_key_b, NULL, NULL, 0 };
    struct terms alice = transfer;
    struct offer first, second, third;
    EVP_PKEY *key, *moved;

    (void)state;
    ERR_clear_error();
    alice.audience = "alice";
    make_offer("RC4", &alice, &first);
    key = take(&first, &alice);
    assert_usable(key);
    offer_key(key, &snapshot, &second);
    for (int n = 0; n < 3; n++)
        assert_opens(&second, &snapshot);
    moved = take(&second, &snapshot);
    assert_int_equal(EVP_PKEY_eq(moved, key), 1);
    assert_text(moved, "Transfer", 0);
    EVP_PKEY_free(moved);
    offer_key(key, &transfer, &third);
    assert_opens(&third, &transfer);
    assert_opens_not(&third, &transfer, OPENED_BEFORE, "");
    assert_opens_not(&first, &alice, OPENED_BEFORE, "");
    EVP_PKEY_free(key);
}

/* A transfer that was not claimed cannot be passed on by two. */
static void passing_on_claims(void **state)
{
    struct offer first, second, third;
    EVP_PKEY *one, *two;

    (void)state;
    ERR_clear_error();
    make_offer("RC4", &transfer, &first);
    one = take(&first, &transfer);
    two = take(&first, &transfer);
    offer_key(one, &transfer, &second);
    assert_int_equal(try_offer(two, &transfer, &third), 0);
    assert_reason(OPENED_BEFORE, "");
    assert_opens(&second, &transfer);
    EVP_PKEY_free(one);
    EVP_PKEY_free(two);
}

static void options_kept_with_the_key_are_used_by_every_later_export(void **state)
{
    struct terms kept = { "transfer", seal_key_a, claims, "bob", 86000 };
    struct terms bob = transfer, shorter = { NULL, NULL, NULL, NULL, 10 };
    struct terms snapshot = { "snapshot", NULL, NULL, NULL, 0 };
    struct offer offer;
    OSSL_PARAM params[6];
    EVP_PKEY *key = make_key("RC4"), *copy;

    (void)state;
    ERR_clear_error();
    bob.audience = "bob";
    params_of(&kept, params);
    assert_int_equal(EVP_PKEY_set_params(key, params), 1);
    copy = EVP_PKEY_dup(key);
    fake_clock_stop();
    for (int n = 0; n < 3; n++) {
        EVP_PKEY *from = n == 2 ? copy : key;

        fake_clock_set(0, 0);
        if (n == 0)
            offer.size = export_blob(from, offer.blob);
        else
            offer_key(from, &(struct terms){ 0 }, &offer);
        fake_clock_set(86001, 86001);
        assert_opens_not(&offer, &bob, EXPIRED, "expired 1 seconds ago");
        fake_clock_set(86000, 86000);
        assert_opens_not(&offer, &transfer, NOT_FOR_YOU, "named none");
        assert_opens(&offer, &bob);
        assert_opens_not(&offer, &bob, OPENED_BEFORE, "");
    }
    /* those of the export come first */
    fake_clock_set(0, 0);
    offer_key(key, &shorter, &offer);
    fake_clock_set(11, 11);
    assert_opens_not(&offer, &bob, EXPIRED, "expired 1 seconds ago");
    fake_clock_release();
    /* and lifetime and audience of a transfer are nothing to a snapshot */
    offer_key(key, &snapshot, &offer);
    assert_opens(&offer, &(struct terms){ NULL, seal_key_a, NULL, NULL, 0 });
    EVP_PKEY_free(copy);
    EVP_PKEY_free(key);
}

/* Who opened a blob as "alice" does not write for "alice" because of that. */
static void the_audience_of_an_import_is_not_kept(void **state)
{
    struct terms alice = transfer, silent = { 0 };
    struct offer first, second;
    EVP_PKEY *key;

    (void)state;
    ERR_clear_error();
    alice.audience = "alice";
    make_offer("RC4", &alice, &first);
    key = take(&first, &alice);
    offer_key(key, &silent, &second); /* a snapshot; sealing key and claim-dir are kept */
    assert_opens(&second, &(struct terms){ NULL, seal_key_a, NULL, NULL, 0 });
    offer_key(key, &(struct terms){ .mode = "transfer" }, &second);
    assert_opens(&second, &transfer);
    EVP_PKEY_free(key);
}

/* ---- two processes with one object ---- */

/* What a forked child makes of |attempt| on its parent's key: 1 or 0. */
static int in_child(EVP_PKEY *key, int (*attempt)(EVP_PKEY *))
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        alarm(60);
        _exit(attempt(key) == 1 ? 1 : 0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A child that may not go on with its parent's key does not use it up either. */
static void of_parent_and_child_one_opens_what_both_hold(void **state)
{
    struct offer offer;
    EVP_PKEY *key;

    (void)state;
    ERR_clear_error();
    make_offer("RC4", &transfer, &offer);
    key = take(&offer, &transfer);
    assert_int_equal(in_child(key, encrypt_with), 0);
    assert_usable(key);
    EVP_PKEY_free(key);

    make_offer("RC4", &transfer, &offer);
    key = take(&offer, &transfer);
    assert_int_equal(in_child(key, read_blob), 1);
    assert_refused(key, OPENED_BEFORE, claims);
    EVP_PKEY_free(key);
}

/* ---- decoders and passphrases ---- */

/* |passphrase| NULL: there is none. */
static EVP_PKEY *decode(const struct offer *offer, const struct terms *terms,
                        const char *passphrase)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *context =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, "SCHANNEL", EVP_PKEY_KEYPAIR, libctx, NULL);
    struct terms said = { NULL, terms->seal_key, terms->claim_dir, terms->audience, 0 };
    const unsigned char *data = offer->blob;
    size_t size = offer->size;
    OSSL_PARAM params[6];

    params_of(&said, params);
    if (passphrase != NULL)
        assert_int_equal(OSSL_DECODER_CTX_set_passphrase(context, (const unsigned char *)passphrase,
                                                         strlen(passphrase)),
                         1);
    assert_int_equal(OSSL_DECODER_CTX_set_params(context, params), 1);
    assert_int_equal(OSSL_DECODER_from_data(context, &data, &size), 1);
    OSSL_DECODER_CTX_free(context);
    assert_non_null(key);
    return key;
}

static void a_decoded_transfer_opens_once(void **state)
{
    struct terms alice = transfer;
    struct offer offer;
    EVP_PKEY *keys[2], *wrong;

    (void)state;
    ERR_clear_error();
    alice.audience = "alice";
    make_offer("RC4", &alice, &offer);
    wrong = decode(&offer, &transfer, NULL);
    assert_refused(wrong, NOT_FOR_YOU, "named none");
    for (size_t n = 0; n < 2; n++)
        keys[n] = decode(&offer, &alice, NULL);
    assert_int_equal(EVP_PKEY_eq(keys[0], keys[1]), 1);
    assert_usable(keys[1]);
    assert_refused(keys[0], OPENED_BEFORE, claims);
    EVP_PKEY_free(wrong);
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
}

static int encode_with_passphrase(EVP_PKEY *key, const struct terms *terms, struct offer *offer)
{
    OSSL_ENCODER_CTX *context =
        OSSL_ENCODER_CTX_new_for_pkey(key, EVP_PKEY_KEYPAIR, "PEM", NULL, NULL);
    unsigned char *data = NULL;
    OSSL_PARAM params[6];
    int ok;

    params_of(terms, params);
    assert_int_equal(OSSL_ENCODER_CTX_set_params(context, params), 1);
    assert_int_equal(OSSL_ENCODER_CTX_set_cipher(context, "AES-256-CBC", NULL), 1);
    assert_int_equal(
        OSSL_ENCODER_CTX_set_passphrase(context, (const unsigned char *)"open sesame", 11), 1);
    ok = OSSL_ENCODER_to_data(context, &data, &offer->size);
    if (ok) {
        assert_in_range(offer->size, 1, MAX_BLOB);
        memcpy(offer->blob, data, offer->size);
    }
    OPENSSL_free(data);
    OSSL_ENCODER_CTX_free(context);
    return ok;
}

static void a_transfer_under_a_passphrase_opens_once(void **state)
{
    struct terms terms = { "transfer", NULL, claims, NULL, 0 }, nowhere = terms;
    struct offer offer = { 0 };
    EVP_PKEY *key = make_key("RC4"), *keys[2];

    (void)state;
    ERR_clear_error();
    nowhere.claim_dir = NULL;
    fake_clock_stop(); /* PBKDF2 takes as long as it takes */
    assert_int_equal(encode_with_passphrase(key, &nowhere, &offer), 0);
    assert_reason(NOT_RECORDED, "claim-dir: is not set");
    assert_int_equal(encode_with_passphrase(key, &terms, &offer), 1);
    for (size_t n = 0; n < 2; n++)
        keys[n] = decode(&offer, &terms, "open sesame");
    assert_usable(keys[0]);
    assert_refused(keys[1], OPENED_BEFORE, claims);
    fake_clock_release();
    EVP_PKEY_free(keys[0]);
    EVP_PKEY_free(keys[1]);
    EVP_PKEY_free(key);
}

/* ---- the group ---- */

static int set_up(void **state)
{
    int result = fixture_setup(state);

    snprintf(claims, sizeof(claims), "%s/claims", directory);
    snprintf(runtime_directory, sizeof(runtime_directory), "%s/runtime", directory);
    setenv("XDG_RUNTIME_DIR", runtime_directory, 1);
    return result == 0 && mkdir(claims, 0700) == 0 && mkdir(runtime_directory, 0700) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    return nftw(claims, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0 &&
                   nftw(runtime_directory, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0
               ? fixture_teardown(state)
               : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_use_claims_the_key),
        cmocka_unit_test(a_context_that_resumes_from_a_blob_claims_it),
        cmocka_unit_test(a_context_resumes_only_from_a_blob_that_is_for_it),
        cmocka_unit_test(no_look_claims_the_key),
        cmocka_unit_test(a_key_that_was_looked_at_can_be_used),
        cmocka_unit_test(the_audience_has_to_be_the_one_that_was_named),
        cmocka_unit_test(a_transfer_for_somebody_else_is_not_written_for_another_provider),
        cmocka_unit_test(the_audience_is_not_in_the_blob),
        cmocka_unit_test(an_audience_that_cannot_be_is_refused),
        cmocka_unit_test(lifetime_and_audience_belong_to_transfers),
        cmocka_unit_test(a_lifetime_is_one_second_to_one_day),
        cmocka_unit_test(a_transfer_opens_until_its_lifetime_is_over),
        cmocka_unit_test(the_deadline_is_shown),
        cmocka_unit_test(a_changed_wall_clock_never_makes_a_transfer_live_longer),
        cmocka_unit_test(a_wall_clock_set_forward_and_back_does_not_open_a_transfer_twice),
        cmocka_unit_test(a_claim_that_took_too_long_is_none),
        cmocka_unit_test(a_transfer_expires),
        cmocka_unit_test(without_a_claim_directory_only_runtime_offers),
        cmocka_unit_test(an_import_without_claim_directory_can_only_look),
        cmocka_unit_test(a_claim_that_cannot_be_recorded_leaves_the_key_as_it_is),
        cmocka_unit_test(a_claim_is_of_one_blob),
        cmocka_unit_test(a_claimed_key_goes_on_as_a_snapshot_or_as_another_transfer),
        cmocka_unit_test(passing_on_claims),
        cmocka_unit_test(options_kept_with_the_key_are_used_by_every_later_export),
        cmocka_unit_test(the_audience_of_an_import_is_not_kept),
        cmocka_unit_test(of_parent_and_child_one_opens_what_both_hold),
        cmocka_unit_test(a_decoded_transfer_opens_once),
        cmocka_unit_test(a_transfer_under_a_passphrase_opens_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
