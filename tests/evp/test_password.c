/*
 * Keys from passwords: the parameters of CRYPTDERIVEKEY and of the generation of keys, what is
 * refused, and where the hash functions come from.  Values are those of libcrypto's digests;
 * recorded answers are in test_password_vectors.c.
 */
#include "fixture.h"

#include <pthread.h>
#include <openssl/kdf.h>
#include "md2_provider.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define MAX_HASH     64
#define MAX_OUT      64
#define MAX_PARAMS   12
#define SALT_SIZE    11
#define MAX_PASS     65535
#define THREADS      8

#define HASHES       "digest: expected MD2, MD4, MD5, SHA1, SHA2-256, SHA2-384 or SHA2-512, got "

static const char password[] = "correct horse";

static int starts_with_a_clean_queue(void **state)
{
    (void)state;
    ERR_clear_error();
    return 0;
}

/* ---- parameters in words: "name=text", "name:number", "name#size" for so many bytes ---- */

struct list {
    OSSL_PARAM params[MAX_PARAMS];
    size_t count;
    unsigned numbers[MAX_PARAMS];
    char text[256];
};

static uint8_t bytes[MAX_PASS + 1];

/* Words are separated by blanks. */
static OSSL_PARAM *list_words(struct list *list, const char *words)
{
    char *rest = list->text, *name;

    assert_true(strlen(words) < sizeof(list->text));
    strcpy(list->text, words);
    list->count = 0;
    while ((name = strtok_r(rest, " ", &rest)) != NULL) {
        const size_t length = strcspn(name, "=:#"), n = list->count++;
        const char kind = name[length];
        char *value = name + length + 1;

        assert_true(kind != '\0' && n + 1 < MAX_PARAMS);
        name[length] = '\0';
        list->numbers[n] = (unsigned)strtoul(value, NULL, 10);
        if (kind == '=')
            list->params[n] = text_param(name, value);
        else if (kind == ':')
            list->params[n] = OSSL_PARAM_construct_uint(name, &list->numbers[n]);
        else
            list->params[n] = octets_param(name, bytes, list->numbers[n]);
    }
    list->params[list->count] = OSSL_PARAM_construct_end();
    return list->params;
}

/* ---- helpers ---- */

static EVP_KDF_CTX *new_kdf_in(OSSL_LIB_CTX *where)
{
    EVP_KDF *kdf = EVP_KDF_fetch(where, "CRYPTDERIVEKEY", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    assert_non_null(context);
    EVP_KDF_free(kdf);
    return context;
}

static void set_words(EVP_KDF_CTX *context, const char *words)
{
    struct list list;

    assert_int_equal(EVP_KDF_CTX_set_params(context, list_words(&list, words)), 1);
}

static EVP_KDF_CTX *new_kdf(const char *words)
{
    EVP_KDF_CTX *context = new_kdf_in(libctx);

    set_words(context, words);
    return context;
}

static void assert_derives(EVP_KDF_CTX *context, const uint8_t *expected, size_t size)
{
    uint8_t out[MAX_OUT];

    assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), size);
    assert_int_equal(EVP_KDF_derive(context, out, size, NULL), 1);
    assert_no_errors();
    assert_memory_equal(out, expected, size);
}

static size_t get_salt(EVP_KDF_CTX *context, uint8_t salt[16])
{
    OSSL_PARAM wanted[] = { octets_param("salt", salt, 16), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_KDF_CTX_get_params(context, wanted), 1);
    return wanted[0].return_size;
}

static size_t hash(const char *digest, const void *data, size_t size, uint8_t out[MAX_HASH])
{
    EVP_MD *md = EVP_MD_fetch(libctx, digest, "provider!=schannel");
    unsigned written = 0;

    assert_non_null(md);
    assert_int_equal(EVP_Digest(data, size, out, &written, md, NULL), 1);
    EVP_MD_free(md);
    return written;
}

static EVP_PKEY *generate_in(OSSL_LIB_CTX *where, OSSL_PARAM params[])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(where, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    if (EVP_PKEY_CTX_set_params(context, params) != 1 || EVP_PKEY_generate(context, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* One parameter at a time, as -pkeyopt gives them, from |template| (NULL: none).  NULL when one of
 * them or the generation is refused. */
static EVP_PKEY *generate_from(EVP_PKEY *template, const char *words)
{
    EVP_PKEY_CTX *context = template != NULL ? EVP_PKEY_CTX_new_from_pkey(libctx, template, NULL)
                                             : EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    EVP_PKEY *key = NULL;
    struct list list;
    int ok = 1;

    list_words(&list, words);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    for (size_t n = 0; ok && n < list.count; n++) {
        const OSSL_PARAM one[] = { list.params[n], OSSL_PARAM_construct_end() };

        ok = EVP_PKEY_CTX_set_params(context, one) == 1;
    }
    if (!ok || EVP_PKEY_generate(context, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *generate(const char *words)
{
    return generate_from(NULL, words);
}

/* The bytes of an exportable key. */
static size_t secret_of(EVP_PKEY *key, uint8_t out[MAX_OUT])
{
    OSSL_PARAM *params = NULL;
    const OSSL_PARAM *secret;
    size_t size;

    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 1);
    secret = OSSL_PARAM_locate_const(params, "secret");
    size = secret->data_size;
    memcpy(out, secret->data, size);
    OSSL_PARAM_free(params);
    return size;
}

static void assert_octets(EVP_PKEY *key, const char *name, const void *expected, size_t size)
{
    uint8_t value[MAX_OUT];
    size_t got = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, name, value, sizeof(value), &got), 1);
    assert_int_equal(got, size);
    if (size != 0)
        assert_memory_equal(value, expected, size);
}

static unsigned number_of(EVP_PKEY *key, const char *name)
{
    unsigned number = 0;
    OSSL_PARAM wanted[] = { OSSL_PARAM_construct_uint(name, &number), OSSL_PARAM_construct_end() };

    assert_int_equal(EVP_PKEY_get_params(key, wanted), 1);
    return number;
}

/* ---- the hash functions ---- */

static const struct {
    const char *name, *alias;
} digests[] = {
    { "MD4", "md4" },
    { "MD5", "md5" },
    { "MD5", "SSL3-MD5" },
    { "SHA1", "SHA-1" },
    { "SHA1", "1.3.14.3.2.26" },
    { "SHA256", "SHA2-256" },
    { "SHA256", "sha-256" },
    { "SHA384", "SHA2-384" },
    { "SHA384", "SHA-384" },
    { "SHA512", "SHA2-512" },
    { "SHA512", "2.16.840.1.101.3.4.2.3" },
};

/* RC4 is never expanded: 16 bytes of the hash.  |source| is the password or its hash. */
static void assert_hashed(const char *digest, OSSL_PARAM source, const uint8_t *value)
{
    int yes = 1;
    OSSL_PARAM of_kdf[] = { text_param("cipher", "RC4"), text_param("digest", digest), source,
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM of_key[] = { text_param("alg", "RC4"), text_param("digest", digest), source,
                            OSSL_PARAM_construct_int("exportable", &yes),
                            OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *context = new_kdf_in(libctx);
    EVP_PKEY *key = generate_in(libctx, of_key);
    uint8_t made[MAX_OUT];

    assert_int_equal(EVP_KDF_CTX_set_params(context, of_kdf), 1);
    assert_derives(context, value, 16);
    assert_non_null(key);
    assert_int_equal(secret_of(key, made), 16);
    assert_memory_equal(made, value, 16);
    assert_no_errors();
    EVP_PKEY_free(key);
    EVP_KDF_CTX_free(context);
}

static void every_digest_is_known_by_the_names_that_evp_has(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(digests); n++) {
        uint8_t value[MAX_HASH];
        const size_t size = hash(digests[n].name, password, strlen(password), value);

        assert_hashed(digests[n].name, octets_param("pass", password, strlen(password)), value);
        assert_hashed(digests[n].alias, octets_param("pass", password, strlen(password)), value);
        assert_hashed(digests[n].name, octets_param("hash", value, size), value);
        assert_hashed(digests[n].alias, octets_param("hash", value, size), value);
    }
}

static void other_digests_are_refused(void **state)
{
    static const char *const others[] = { "SHA224",     "SHA3-256",   "RIPEMD160", "MD5-SHA1",
                                          "SHA512-256", "BLAKE2b512", "nonsense",  "" };

    (void)state;
    for (size_t n = 0; n < COUNT(others); n++) {
        char detail[128];
        OSSL_PARAM params[] = { text_param("digest", others[n]), OSSL_PARAM_construct_end() };
        EVP_KDF_CTX *context = new_kdf("");

        snprintf(detail, sizeof(detail), HASHES "\"%s\"", others[n]);
        assert_int_equal(EVP_KDF_CTX_set_params(context, params), 0);
        assert_reason("unknown algorithm", detail);
        EVP_KDF_CTX_free(context);
        assert_null(generate_in(libctx, params));
        assert_reason("unknown algorithm", detail);
    }
}

/* ---- where the hash functions come from ---- */

struct context {
    OSSL_LIB_CTX *libctx;
    OSSL_PROVIDER *standard, *schannel;
};

/* Without the legacy provider, and without the default one unless |standard|. */
static struct context new_context(int standard)
{
    struct context context = { .libctx = OSSL_LIB_CTX_new() };

    assert_int_equal(OSSL_PROVIDER_set_default_search_path(context.libctx, MODULE_DIR), 1);
    if (standard)
        assert_non_null(context.standard = OSSL_PROVIDER_load(context.libctx, "default"));
    assert_non_null(context.schannel = OSSL_PROVIDER_load(context.libctx, "schannel"));
    return context;
}

static void free_context(struct context *context)
{
    OSSL_PROVIDER_unload(context->schannel);
    if (context->standard != NULL)
        OSSL_PROVIDER_unload(context->standard);
    OSSL_LIB_CTX_free(context->libctx);
}

/* The KDF with |digest|; 1 with 16 bytes, 0 when it is refused. */
static int derive_in(OSSL_LIB_CTX *where, const char *digest, uint8_t out[16])
{
    OSSL_PARAM params[] = { text_param("cipher", "RC4"), text_param("digest", digest),
                            octets_param("pass", password, strlen(password)),
                            OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *context = new_kdf_in(where);
    int ok = EVP_KDF_derive(context, out, 16, params);

    EVP_KDF_CTX_free(context);
    return ok == 1;
}

static EVP_PKEY *key_in(OSSL_LIB_CTX *where, const char *digest)
{
    OSSL_PARAM params[] = { text_param("alg", "RC4"), text_param("digest", digest),
                            octets_param("pass", password, strlen(password)),
                            OSSL_PARAM_construct_end() };

    return generate_in(where, params);
}

static void md4_needs_no_legacy_provider_of_the_application(void **state)
{
    struct context context = new_context(1);
    uint8_t value[MAX_HASH], out[16];
    EVP_PKEY *key;

    (void)state;
    hash("MD4", password, strlen(password), value);
    assert_null(EVP_MD_fetch(context.libctx, "MD4", NULL));
    ERR_clear_error();
    assert_int_equal(derive_in(context.libctx, "MD4", out), 1);
    assert_memory_equal(out, value, 16);
    assert_non_null(key = key_in(context.libctx, "MD4"));
    EVP_PKEY_free(key);
    assert_no_errors();
    assert_null(EVP_MD_fetch(context.libctx, "MD4", NULL));
    free_context(&context);
}

static void without_the_default_provider_there_is_no_sha(void **state)
{
    static const char *const names[] = { "MD5", "SHA1", "SHA256", "SHA2-512" };
    struct context context = new_context(0);
    uint8_t out[16];

    (void)state;
    for (size_t n = 0; n < COUNT(names); n++) {
        assert_int_equal(derive_in(context.libctx, names[n], out), 0);
        assert_reason("algorithm is not available", "load the default provider");
        assert_null(key_in(context.libctx, names[n]));
        assert_reason("algorithm is not available", names[n]);
    }
    free_context(&context);
}

/* A default property of fips=yes reaches the provider's own fetches too. */
static void fips_properties_leave_no_hash(void **state)
{
    struct context context = new_context(1);
    OSSL_PARAM params[] = { text_param("cipher", "RC4"), text_param("digest", "SHA256"),
                            octets_param("pass", password, strlen(password)),
                            OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *kdf = new_kdf_in(context.libctx);

    (void)state;
    assert_int_equal(EVP_default_properties_enable_fips(context.libctx, 1), 1);
    assert_int_equal(EVP_KDF_CTX_set_params(kdf, params), 0);
    assert_reason("algorithm is not available", "fips=yes");
    EVP_KDF_CTX_free(kdf);
    free_context(&context);
}

/* MD2 of RFC 1319: "abc". */
static void md2_is_there_when_a_provider_has_it_and_else_a_clear_error(void **state)
{
    static const uint8_t abc[] = { 0xda, 0x85, 0x3b, 0x0d, 0x3f, 0x88, 0xd9, 0x9b,
                                   0x30, 0x28, 0x3a, 0x69, 0xe6, 0xde, 0xd6, 0xbb };
    struct context context = new_context(1);
    OSSL_PARAM digest[] = { text_param("digest", "MD2"), OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *kdf = new_kdf_in(context.libctx);
    OSSL_PROVIDER *md2 = NULL;
    EVP_MD *platform = EVP_MD_fetch(libctx, "MD2", NULL);

    (void)state;
    ERR_clear_error();
    if (platform != NULL) {
        print_message("this platform's legacy provider has MD2\n");
    } else {
        print_message("this platform has no MD2\n");
        assert_int_equal(EVP_KDF_CTX_set_params(kdf, digest), 0);
        assert_reason("algorithm is not available", "digest: MD2 is offered by no provider");
        assert_null(key_in(context.libctx, "MD2"));
        assert_reason("algorithm is not available", "digest: MD2 is offered by no provider");
        assert_non_null(md2 = md2_provider_load(context.libctx));
    }
    assert_int_equal(EVP_KDF_CTX_set_params(kdf, digest), 1);
    set_words(kdf, "cipher=RC4 pass=abc");
    assert_derives(kdf, abc, sizeof(abc));
    EVP_KDF_CTX_free(kdf);
    EVP_MD_free(platform);
    if (md2 != NULL)
        OSSL_PROVIDER_unload(md2);
    free_context(&context);
}

static void *derive_md4(void *where)
{
    uint8_t value[MAX_HASH], out[16];
    EVP_MD *md = EVP_MD_fetch(libctx, "MD4", NULL);

    if (EVP_Digest(password, strlen(password), value, NULL, md, NULL) != 1)
        return "no MD4 to compare with";
    EVP_MD_free(md);
    for (int round = 0; round < 50; round++) {
        if (!derive_in(where, "MD4", out) || memcmp(out, value, sizeof(out)) != 0)
            return "a derivation failed";
    }
    return NULL;
}

/* The legacy provider is loaded by whoever needs it first. */
static void many_threads_derive_at_once(void **state)
{
    struct context context = new_context(1);
    pthread_t threads[THREADS];

    (void)state;
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, derive_md4, context.libctx), 0);
    for (size_t n = 0; n < THREADS; n++) {
        void *complaint = NULL;

        assert_int_equal(pthread_join(threads[n], &complaint), 0);
        if (complaint != NULL)
            fail_msg("%s", (const char *)complaint);
    }
    free_context(&context);
}

/* ---- the password ---- */

static void a_password_may_come_as_octets_or_as_a_text(void **state)
{
    char text[64] = "correct horse", *text_ptr = text;
    void *octets_ptr = text;
    const OSSL_PARAM ways[] = {
        octets_param("pass", password, strlen(password)),
        text_param("pass", password),
        OSSL_PARAM_construct_utf8_string("pass", text, sizeof(text)),
        OSSL_PARAM_construct_octet_ptr("pass", &octets_ptr, strlen(password)),
        OSSL_PARAM_construct_utf8_ptr("pass", &text_ptr, 0),
    };
    uint8_t value[MAX_HASH];

    (void)state;
    hash("SHA256", password, strlen(password), value);
    for (size_t n = 0; n < COUNT(ways); n++)
        assert_hashed("SHA256", ways[n], value);
}

static void a_password_without_data_or_too_long_is_refused(void **state)
{
    static char longest[65536 + 1];
    OSSL_PARAM none[] = { { "pass", OSSL_PARAM_UTF8_STRING, NULL, 3, 0 },
                          OSSL_PARAM_construct_end() };
    OSSL_PARAM octets[] = { { "pass", OSSL_PARAM_OCTET_STRING, NULL, 3, 0 },
                            OSSL_PARAM_construct_end() };
    OSSL_PARAM text[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *kdf = new_kdf("digest=MD5 cipher=RC4 cipher-bits:40");
    uint8_t value[MAX_HASH];

    (void)state;
    assert_int_equal(EVP_KDF_CTX_set_params(kdf, none), 0);
    assert_reason("invalid parameter", "pass: expected bytes or a text");
    assert_int_equal(EVP_KDF_CTX_set_params(kdf, octets), 0);
    assert_reason("invalid parameter", "pass: expected an octet string");
    memset(longest, 'a', sizeof(longest) - 1);
    text[0] = text_param("pass", longest);
    assert_int_equal(EVP_KDF_CTX_set_params(kdf, text), 0);
    assert_reason("invalid length", "pass: expected 0 to 65535 bytes, got 65536");
    longest[sizeof(longest) - 2] = '\0';
    text[0] = text_param("pass", longest);
    assert_int_equal(EVP_KDF_CTX_set_params(kdf, text), 1);
    hash("MD5", longest, 65535, value);
    assert_derives(kdf, value, 5);
    EVP_KDF_CTX_free(kdf);
}

static void a_password_of_any_length_is_hashed_as_it_is(void **state)
{
    static const size_t lengths[] = { 0, 1, 15, 64, 1000, MAX_PASS };

    (void)state;
    for (size_t n = 0; n < COUNT(lengths); n++) {
        uint8_t value[MAX_HASH];

        hash("MD5", bytes, lengths[n], value);
        assert_hashed("MD5", octets_param("pass", bytes, lengths[n]), value);
    }
}

/* ---- sizes and salts of the KDF ---- */

static const struct {
    const char *words;
    size_t key, whole;
} sizes[] = {
    { "cipher=RC4", 16, 16 },
    { "cipher=RC4 cipher-bits:40", 5, 16 },
    { "cipher=RC4 cipher-bits:40 salt-mode=zero", 5, 16 },
    { "cipher=RC4 cipher-bits:40 salt-mode=create", 5, 16 },
    { "cipher=RC4 cipher-bits:40 salt-mode=none", 5, 5 },
    { "cipher=RC2-CBC cipher-bits:56", 7, 7 },
    { "cipher=RC2-CBC cipher-bits:56 salt-mode=none", 7, 7 },
    { "cipher=RC2-CBC cipher-bits:56 salt-mode=create", 7, 16 },
    { "cipher=RC2-CBC cipher-bits:120 salt-mode=create", 15, 16 },
    { "cipher=RC2-CBC salt-mode=create", 16, 16 },
    { "cipher=DES-CBC", 8, 8 },
    { "cipher=DES-CBC cipher-bits:56 salt-mode=none", 8, 8 },
    { "cipher=DES-CBC cipher-bits:64", 8, 8 },
    { "cipher=DES-EDE-CBC cipher-bits:112", 16, 16 },
    { "cipher=DES-EDE3-CBC cipher-bits:168", 24, 24 },
    { "cipher=AES-128-CBC", 16, 16 },
    { "cipher=AES-192-CBC cipher-bits:192", 24, 24 },
    { "cipher=AES-256-CBC", 32, 32 },
};

static void a_derivation_gives_the_whole_key_and_nothing_else(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(sizes); n++) {
        for (int whole = 0; whole < 2; whole++) {
            EVP_KDF_CTX *context = new_kdf(sizes[n].words);
            const size_t size = whole ? sizes[n].whole : sizes[n].key;
            uint8_t out[MAX_OUT];
            char detail[64];

            /* the size hangs on cipher, bits and salt-mode alone */
            if (whole)
                set_words(context, "usage=cipher-key");
            assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), size);
            set_words(context, "digest=SHA1 pass=x");
            snprintf(detail, sizeof(detail), "keylen: usage %s gives %zu bytes",
                     whole ? "cipher-key" : "key", size);
            for (size_t wrong = 1; wrong < MAX_OUT; wrong++) {
                if (wrong == size)
                    continue;
                assert_int_equal(EVP_KDF_derive(context, out, wrong, NULL), 0);
                assert_reason("invalid length", detail);
            }
            assert_int_equal(EVP_KDF_derive(context, out, size, NULL), 1);
            EVP_KDF_CTX_free(context);
        }
    }
}

static void the_salt_can_be_read(void **state)
{
    static const uint8_t zeros[SALT_SIZE];
    uint8_t value[MAX_HASH], salt[16];

    (void)state;
    hash("SHA1", "x", 1, value);
    for (size_t n = 0; n < COUNT(sizes); n++) {
        EVP_KDF_CTX *context = new_kdf(sizes[n].words);
        const size_t size = sizes[n].whole - sizes[n].key;
        const int is_created = strstr(sizes[n].words, "create") != NULL;

        set_words(context, "digest=SHA1 pass=x");
        assert_int_equal(get_salt(context, salt), size);
        assert_memory_equal(salt, is_created ? value + sizes[n].key : zeros, size);
        assert_no_errors();
        EVP_KDF_CTX_free(context);
    }
}

static void a_salt_is_not_told_before_it_is_known(void **state)
{
    static const struct {
        const char *words, *reason, *detail;
    } rows[] = {
        { "", "missing parameter", "cipher: " },
        { "cipher=RC4 cipher-bits:40 salt-mode=create", "missing parameter", "pass: " },
        { "cipher=RC4 cipher-bits:40 salt-mode=create pass=x", "missing parameter", "digest: " },
        { "cipher=AES-128-CBC salt-mode=create", "invalid parameter", "salt-mode: " },
    };
    uint8_t salt[16] = { 0 };
    OSSL_PARAM wanted[] = { octets_param("salt", salt, sizeof(salt)), OSSL_PARAM_construct_end() };
    OSSL_PARAM small[] = { octets_param("salt", salt, SALT_SIZE - 1), OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *context;

    (void)state;
    for (size_t n = 0; n < COUNT(rows); n++) {
        context = new_kdf(rows[n].words);
        assert_int_equal(EVP_KDF_CTX_get_params(context, wanted), 0);
        assert_reason(rows[n].reason, rows[n].detail);
        EVP_KDF_CTX_free(context);
    }
    /* zeros are known without a password */
    context = new_kdf("cipher=RC4 cipher-bits:40");
    assert_int_equal(get_salt(context, salt), SALT_SIZE);
    assert_int_equal(EVP_KDF_CTX_get_params(context, small), 0);
    assert_reason("output buffer too small", "salt: needs 11 bytes");
    EVP_KDF_CTX_free(context);
}

/* ---- the life of a KDF context ---- */

static void a_size_is_a_number_and_not_told_before_the_cipher(void **state)
{
    EVP_KDF_CTX *context = new_kdf("");
    uint8_t octets[8];
    OSSL_PARAM wrong[] = { octets_param("size", octets, sizeof(octets)),
                           OSSL_PARAM_construct_end() };

    (void)state;
    assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), 0);
    assert_reason("missing parameter", "cipher: is not set");
    set_words(context, "cipher=RC4");
    assert_int_equal(EVP_KDF_CTX_get_params(context, wrong), 0);
    assert_reason(NULL, "size: ");
    assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), 16);
    assert_no_errors();
    EVP_KDF_CTX_free(context);
}

static void an_unknown_parameter_is_left_alone(void **state)
{
    EVP_KDF_CTX *context = new_kdf("cipher=RC4 colour=green digest=MD5 pass=secret");
    uint8_t value[MAX_HASH];

    (void)state;
    hash("MD5", "secret", 6, value);
    assert_derives(context, value, 16);
    EVP_KDF_CTX_free(context);
}

static void a_context_keeps_copies_of_its_own(void **state)
{
    char pass[] = "correct horse", digest[] = "SHA256", cipher[] = "AES-256-CBC";
    OSSL_PARAM params[] = { octets_param("pass", pass, strlen(pass)), text_param("digest", digest),
                            text_param("cipher", cipher), OSSL_PARAM_construct_end() };
    EVP_KDF_CTX *context = new_kdf("");
    uint8_t value[MAX_HASH];

    (void)state;
    hash("SHA256", pass, strlen(pass), value);
    assert_int_equal(EVP_KDF_CTX_set_params(context, params), 1);
    memset(pass, 'x', sizeof(pass));
    memset(digest, 'x', sizeof(digest));
    memset(cipher, 'x', sizeof(cipher));
    assert_derives(context, value, 32);
    assert_derives(context, value, 32);
    EVP_KDF_CTX_free(context);
}

static void a_reset_context_is_as_new(void **state)
{
    EVP_KDF_CTX *context =
        new_kdf("pass=x digest=MD5 cipher=RC4 cipher-bits:40 salt-mode=create usage=cipher-key");
    uint8_t value[MAX_HASH], out[MAX_OUT];

    (void)state;
    EVP_KDF_CTX_reset(context);
    assert_int_equal(EVP_KDF_CTX_get_kdf_size(context), 0);
    assert_reason("missing parameter", "cipher: ");
    set_words(context, "cipher=RC4");
    assert_int_equal(EVP_KDF_derive(context, out, 16, NULL), 0);
    assert_reason("missing parameter", "pass: ");
    set_words(context, "pass=x");
    assert_int_equal(EVP_KDF_derive(context, out, 16, NULL), 0);
    assert_reason("missing parameter", "digest: ");
    set_words(context, "digest=SHA1");
    hash("SHA1", "x", 1, value);
    assert_derives(context, value, 16);
    EVP_KDF_CTX_free(context);
}

static void a_duplicate_goes_its_own_way(void **state)
{
    EVP_KDF_CTX *context = new_kdf("pass=x digest=MD5 cipher=RC4"), *copy;
    uint8_t of_x[MAX_HASH], of_y[MAX_HASH];

    (void)state;
    hash("MD5", "x", 1, of_x);
    hash("MD5", "y", 1, of_y);
    copy = EVP_KDF_CTX_dup(context);
    assert_non_null(copy);
    set_words(copy, "pass=y cipher-bits:40");
    assert_derives(context, of_x, 16);
    assert_derives(copy, of_y, 5);
    EVP_KDF_CTX_free(context);
    assert_derives(copy, of_y, 5);
    EVP_KDF_CTX_free(copy);
}

static void the_tables_list_what_can_be_set_and_read(void **state)
{
    static const char *const settable[] = { "pass",        "hash",      "digest", "cipher",
                                            "cipher-bits", "salt-mode", "usage" };
    EVP_KDF *kdf = EVP_KDF_fetch(libctx, "CRYPTDERIVEKEY", NULL);
    const OSSL_PARAM *set = EVP_KDF_settable_ctx_params(kdf);
    const OSSL_PARAM *get = EVP_KDF_gettable_ctx_params(kdf);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    const OSSL_PARAM *generation;
    size_t count = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(settable); n++)
        assert_non_null(OSSL_PARAM_locate_const(set, settable[n]));
    for (; set->key != NULL; set++)
        count++;
    assert_int_equal(count, COUNT(settable));
    assert_non_null(OSSL_PARAM_locate_const(get, "size"));
    assert_non_null(OSSL_PARAM_locate_const(get, "salt"));
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    generation = EVP_PKEY_CTX_settable_params(context);
    assert_non_null(OSSL_PARAM_locate_const(generation, "pass"));
    assert_non_null(OSSL_PARAM_locate_const(generation, "hash"));
    EVP_PKEY_CTX_free(context);
    EVP_KDF_free(kdf);
}

/* ---- what the KDF refuses ---- */

static const struct refusal {
    const char *words, *reason, *detail;
} bad_values[] = {
    { "pass#65536", "invalid length", "pass: expected 0 to 65535 bytes, got 65536" },
    { "pass:1", "invalid parameter", "pass: expected" },
    { "hash#15", "invalid length", "hash: expected 16 to 64 bytes, got 15" },
    { "hash#65", "invalid length", "hash: expected 16 to 64 bytes, got 65" },
    { "hash#0", "invalid length", "hash: expected 16 to 64 bytes, got 0" },
    { "hash=0123456789abcdef", "invalid parameter", "hash: expected an octet string" },
    { "digest=SHA224", "unknown algorithm", HASHES "\"SHA224\"" },
    { "digest:1", "invalid parameter", "digest: expected a UTF-8 string" },
    { "cipher=AES", "unknown algorithm", "cipher: expected RC4" },
    { "cipher:1", "invalid parameter", "cipher: expected" },
    { "cipher-bits:0", "invalid parameter", "cipher-bits: expected 1 to 4096" },
    { "cipher-bits:4097", "invalid parameter", "cipher-bits: expected 1 to 4096" },
    { "cipher-bits=40", "invalid parameter", "cipher-bits: expected an integer" },
    { "salt-mode=random", "invalid parameter",
      "salt-mode: expected none, zero or create, got \"random\"" },
    { "usage=client-write-key", "unknown usage", "usage: expected key or cipher-key" },
    { "usage=key-block", "unknown usage", "usage: expected key or cipher-key" },
    { "usage:1", "invalid parameter", "usage: expected" },
    { "salt#11", "conflicting parameters", "salt: is no input" },
};

static void a_refused_value_changes_nothing_and_nothing_given_with_it(void **state)
{
    uint8_t value[MAX_HASH];

    (void)state;
    hash("MD5", "x", 1, value);
    for (size_t n = 0; n < COUNT(bad_values); n++) {
        EVP_KDF_CTX *context = new_kdf("pass=x digest=MD5 cipher=RC4 cipher-bits:40");
        char words[256];
        struct list list;

        snprintf(words, sizeof(words), "pass=other digest=SHA1 cipher=AES-128-CBC %s",
                 bad_values[n].words);
        assert_int_equal(EVP_KDF_CTX_set_params(context, list_words(&list, words)), 0);
        assert_reason(bad_values[n].reason, bad_values[n].detail);
        assert_derives(context, value, 5);
        EVP_KDF_CTX_free(context);
    }
}

/* Refused by the derivation: what does not fit together, or is not there. */
static const struct refusal bad_combinations[] = {
    { "", "missing parameter", "cipher: " },
    { "pass=x digest=MD5", "missing parameter", "cipher: " },
    { "cipher=RC4", "missing parameter", "pass: neither the password nor its hash" },
    { "cipher=RC4 digest=MD5", "missing parameter", "pass: neither the password nor its hash" },
    { "cipher=RC4 pass=x", "missing parameter", "digest: is not set" },
    { "cipher=RC4 hash#16", "missing parameter", "digest: is not set" },
    { "cipher=RC4 digest=MD5 pass=x hash#16", "conflicting parameters", "hash: excludes pass" },
    { "cipher=RC4 digest=MD5 hash#20", "invalid length",
      "hash: expected the 16 bytes of MD5, got 20" },
    { "cipher=RC4 digest=SHA1 hash#16", "invalid length",
      "hash: expected the 20 bytes of SHA1, got 16" },
    { "cipher=RC4 digest=SHA256 hash#64", "invalid length",
      "hash: expected the 32 bytes of SHA2-256, got 64" },
    { "cipher=RC4 digest=MD5 pass=x cipher-bits:32", "invalid parameter",
      "from 40 to 128 for RC4, got 32" },
    { "cipher=RC4 digest=MD5 pass=x cipher-bits:41", "invalid parameter", "cipher-bits: " },
    { "cipher=RC2-CBC digest=MD5 pass=x cipher-bits:136", "invalid parameter", "cipher-bits: " },
    { "cipher=DES-CBC digest=MD5 pass=x cipher-bits:40", "invalid parameter", "cipher-bits: " },
    { "cipher=DES-EDE3-CBC digest=MD5 pass=x cipher-bits:128", "invalid parameter",
      "cipher-bits: " },
    { "cipher=AES-128-CBC digest=MD5 pass=x cipher-bits:256", "invalid parameter",
      "cipher-bits: " },
    { "cipher=RC4 digest=MD5 pass=x salt-mode=zero", "invalid parameter",
      "salt-mode: only RC2 and RC4 keys of exactly 40 bits" },
    { "cipher=DES-CBC digest=MD5 pass=x salt-mode=zero", "invalid parameter", "salt-mode: " },
    { "cipher=AES-128-CBC digest=MD5 pass=x salt-mode=create", "invalid parameter",
      "salt-mode: only RC2 and RC4 keys have a salt" },
};

static void a_derivation_says_what_is_missing_or_does_not_fit(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(bad_combinations); n++) {
        EVP_KDF_CTX *context = new_kdf(bad_combinations[n].words);
        uint8_t out[MAX_OUT], before[MAX_OUT];

        memset(out, 0xa5, sizeof(out));
        memset(before, 0xa5, sizeof(before));
        assert_int_equal(EVP_KDF_derive(context, out, 16, NULL), 0);
        assert_reason(bad_combinations[n].reason, bad_combinations[n].detail);
        assert_memory_equal(out, before, sizeof(out));
        EVP_KDF_CTX_free(context);
    }
}

/* ---- generation ---- */

static void a_key_from_a_password_is_an_ordinary_key(void **state)
{
    static const uint8_t zeros[16];
    EVP_PKEY *key = generate("alg=AES-256-CBC pass=x digest=SHA1"), *copy;
    EVP_PKEY *opened;
    OSSL_PARAM *params = NULL;
    uint8_t blob[MAX_BLOB];
    size_t size;

    (void)state;
    assert_non_null(key);
    assert_int_equal(number_of(key, "bits"), 256);
    assert_int_equal(number_of(key, "exportable"), 0);
    assert_octets(key, "iv", zeros, 16);
    assert_octets(key, "salt", zeros, 0);
    assert_int_equal(EVP_PKEY_todata(key, EVP_PKEY_KEYPAIR, &params), 0);
    assert_reason("key is not exportable", "");
    assert_non_null(copy = EVP_PKEY_dup(key));
    size = export_blob(key, blob);
    assert_non_null(opened = import_blob(blob, size, "user"));
    assert_int_equal(EVP_PKEY_eq(key, copy), 1);
    assert_int_equal(EVP_PKEY_eq(key, opened), 1);
    assert_no_errors();
    EVP_PKEY_free(opened);
    EVP_PKEY_free(copy);
    EVP_PKEY_free(key);
}

static void one_context_makes_one_key_from_a_password_again_and_again(void **state)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    EVP_PKEY *first = NULL, *second = NULL, *other = NULL;
    struct list list;

    (void)state;
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set_params(context, list_words(&list, "pass=x digest=MD5 alg=RC4")), 1);
    assert_int_equal(EVP_PKEY_generate(context, &first), 1);
    assert_int_equal(EVP_PKEY_generate(context, &second), 1);
    assert_int_equal(EVP_PKEY_eq(first, second), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(context, list_words(&list, "digest=SHA256")), 1);
    assert_int_equal(EVP_PKEY_generate(context, &other), 1);
    assert_int_equal(EVP_PKEY_eq(first, other), 0);
    assert_no_errors();
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    EVP_PKEY_free(other);
    EVP_PKEY_CTX_free(context);
}

/* KP_SALT, KP_IV and KP_EFFECTIVE_KEYLEN, and the salt rules of keys with exactly 40 bits. */
static void a_key_from_a_password_takes_salt_iv_and_effective_bits(void **state)
{
    static const uint8_t zeros[16];
    static const struct {
        const char *words;
        size_t salt;
        int is_created;
    } rows[] = {
        { "alg=RC4 bits:40", SALT_SIZE, 0 },
        { "alg=RC2-CBC bits:40", SALT_SIZE, 0 },
        { "alg=RC2-CBC bits:40 salt-mode=zero", SALT_SIZE, 0 },
        { "alg=RC2-CBC bits:40 salt-mode=create", SALT_SIZE, 1 },
        { "alg=RC4 bits:40 salt-mode=create", SALT_SIZE, 1 },
        { "alg=RC4 bits:40 salt-mode=none", 0, 0 },
        { "alg=RC4 bits:48", 0, 0 },
        { "alg=RC2-CBC", 0, 0 },
        { "alg=DES-CBC salt-mode=none", 0, 0 },
    };
    uint8_t value[MAX_HASH];
    EVP_PKEY *key;

    (void)state;
    hash("SHA1", "x", 1, value);
    for (size_t n = 0; n < COUNT(rows); n++) {
        char words[128];

        snprintf(words, sizeof(words), "pass=x digest=SHA1 %s", rows[n].words);
        assert_non_null(key = generate(words));
        assert_octets(key, "salt", rows[n].is_created ? value + 5 : zeros, rows[n].salt);
        EVP_PKEY_free(key);
    }
    pattern(bytes, 16, 9);
    assert_non_null(
        key = generate("alg=RC2-CBC bits:40 pass=x digest=SHA1 salt#11 iv#8 effective-bits:63"));
    assert_octets(key, "salt", bytes, SALT_SIZE);
    assert_octets(key, "iv", bytes, 8);
    assert_int_equal(number_of(key, "effective-bits"), 63);
    EVP_PKEY_free(key);
    assert_no_errors();
}

static const struct refusal bad_generations[] = {
    { "alg=RC4 pass=x", "missing parameter", "digest: is not set" },
    { "alg=RC4 hash#16", "missing parameter", "digest: is not set" },
    { "pass=x digest=MD5", "missing parameter", "alg: is not set" },
    { "alg=RC4 digest=MD5 pass=x hash#16", "conflicting parameters", "hash: excludes pass" },
    { "alg=RC4 digest=MD5 hash#20", "invalid length", "hash: expected the 16 bytes of MD5" },
    { "alg=RC4 digest=SHA512 hash#16", "invalid length", "hash: expected the 64 bytes" },
    { "alg=RC4 digest=MD5 pass=x secret#16", "conflicting parameters", "pass: excludes secret" },
    { "alg=RC4 digest=MD5 hash#16 secret#16", "conflicting parameters", "hash: excludes secret" },
    { "alg=RC4 digest=MD5 pass=x premaster#48", "conflicting parameters", "premaster: " },
    { "alg=RC4 digest=MD5 pass=x usage=client-write-key", "conflicting parameters", "usage: " },
    { "alg=RC4 digest=MD5 pass=x mac-bits:128", "conflicting parameters", "mac-bits: " },
    { "alg=RC4 digest=MD5 pass=x client-random#32", "conflicting parameters", "client-random: " },
    { "alg=TLS1-MASTER digest=MD5 pass=x", "conflicting parameters",
      "pass: keys of ciphers are made from passwords, but not TLS1-MASTER keys" },
    { "alg=SSL2-MASTER digest=SHA256 hash#32", "conflicting parameters", "hash: keys of ciphers" },
    { "alg=TLS1-MAC digest=MD5 pass=x", "conflicting parameters", "pass: keys of ciphers" },
    { "alg=TLS1-MASTER digest=SHA256", "unknown algorithm",
      "digest: expected MD5 or SHA1, got \"SHA256\"" },
    { "alg=TLS1-MAC digest=MD4", "unknown algorithm", "digest: expected MD5 or SHA1, got \"MD4\"" },
    { "alg=RC4 digest=SHA256", "conflicting parameters", "digest: belongs to a password" },
    { "alg=RC4 digest=MD5", "conflicting parameters", "digest: belongs to a password" },
    { "alg=RC4 digest=MD5 pass=x bits:136", "invalid parameter",
      "from 40 to 128 for RC4, got 136" },
    { "alg=DES-CBC digest=MD5 pass=x bits:40", "invalid parameter", "bits: " },
    { "alg=RC4 digest=MD5 pass=x salt-mode=create", "invalid parameter",
      "salt-mode: only RC2 and RC4 keys of exactly 40 bits" },
    { "alg=RC4 digest=MD5 pass=x bits:40 salt-mode=create salt#11", "conflicting parameters",
      "salt-mode: excludes salt" },
    { "alg=AES-128-CBC digest=MD5 pass=x iv#8", "invalid length", "iv: expected 16 bytes" },
    { "alg=AES-128-CBC digest=MD5 pass=x effective-bits:64", "conflicting parameters",
      "effective-bits: " },
    { "alg=RC4 digest=SHA224 pass=x", "unknown algorithm", HASHES "\"SHA224\"" },
    { "alg=RC4 digest=MD5 pass#65536", "invalid length", "pass: expected 0 to 65535 bytes" },
    { "alg=RC4 digest=MD5 hash=text", "invalid parameter", "hash: expected an octet string" },
};

static void a_generation_says_what_is_missing_or_does_not_fit(void **state)
{
    (void)state;
    for (size_t n = 0; n < COUNT(bad_generations); n++) {
        assert_null(generate(bad_generations[n].words));
        assert_reason(bad_generations[n].reason, bad_generations[n].detail);
    }
}

/* A refused parameter leaves a generation context as it was. */
static void a_refused_parameter_leaves_the_generation_as_it_was(void **state)
{
    static const char *const bad[] = { "pass=y digest=SHA224", "pass=y hash#15",
                                       "digest=SHA1 pass#65536", "pass=y salt-mode=random" };
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(libctx, "SCHANNEL", NULL);
    EVP_PKEY *expected = generate("alg=RC4 pass=x digest=MD5"), *key = NULL;
    struct list list;

    (void)state;
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(
        EVP_PKEY_CTX_set_params(context, list_words(&list, "alg=RC4 pass=x digest=MD5")), 1);
    for (size_t n = 0; n < COUNT(bad); n++) {
        assert_int_equal(EVP_PKEY_CTX_set_params(context, list_words(&list, bad[n])), 0);
        ERR_clear_error();
        assert_int_equal(EVP_PKEY_generate(context, &key), 1);
        assert_int_equal(EVP_PKEY_eq(key, expected), 1);
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_free(expected);
    EVP_PKEY_CTX_free(context);
}

/* What is derived or copied from another key has no password; nor has an import. */
static void a_template_or_an_import_has_no_password(void **state)
{
    struct list list;
    EVP_PKEY *master = from_data(list_words(&list, "alg=TLS1-MASTER secret#48 client-random#32 "
                                                   "server-random#32 cipher=RC4 digest=MD5"));
    EVP_PKEY *aes = from_data(list_words(&list, "alg=AES-128-CBC secret#16"));

    (void)state;
    assert_non_null(master);
    assert_non_null(aes);
    assert_null(generate_from(master, "usage=client-write-key pass=x"));
    assert_reason("conflicting parameters", "pass: excluded by the key");
    assert_null(generate_from(master, "usage=client-write-key hash#16"));
    assert_reason("conflicting parameters", "hash: excluded by the key");
    assert_null(generate_from(master, "usage=client-write-key digest=SHA256"));
    assert_reason("unknown algorithm", "digest: expected MD5 or SHA1, got \"SHA256\"");
    assert_null(generate_from(aes, "pass=x digest=MD5"));
    assert_reason("conflicting parameters", "pass: excluded by the key");
    assert_null(from_data(list_words(&list, "alg=RC4 pass=x digest=MD5")));
    assert_reason("conflicting parameters", "pass: keys are generated from passwords");
    assert_null(from_data(list_words(&list, "alg=RC4 secret#16 hash#16")));
    assert_reason("conflicting parameters", "hash: keys are generated from passwords");
    assert_null(from_data(list_words(&list, "opaque-blob#100 digest=SHA256")));
    assert_reason("conflicting parameters", "opaque-blob: holds the whole key, digest");
    EVP_PKEY_free(aes);
    EVP_PKEY_free(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_digest_is_known_by_the_names_that_evp_has,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(other_digests_are_refused, starts_with_a_clean_queue),
        cmocka_unit_test_setup(md4_needs_no_legacy_provider_of_the_application,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(without_the_default_provider_there_is_no_sha,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(fips_properties_leave_no_hash, starts_with_a_clean_queue),
        cmocka_unit_test_setup(md2_is_there_when_a_provider_has_it_and_else_a_clear_error,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(many_threads_derive_at_once, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_password_may_come_as_octets_or_as_a_text,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_password_without_data_or_too_long_is_refused,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_password_of_any_length_is_hashed_as_it_is,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_derivation_gives_the_whole_key_and_nothing_else,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(the_salt_can_be_read, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_salt_is_not_told_before_it_is_known, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_size_is_a_number_and_not_told_before_the_cipher,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(an_unknown_parameter_is_left_alone, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_context_keeps_copies_of_its_own, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_reset_context_is_as_new, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_duplicate_goes_its_own_way, starts_with_a_clean_queue),
        cmocka_unit_test_setup(the_tables_list_what_can_be_set_and_read, starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_refused_value_changes_nothing_and_nothing_given_with_it,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_derivation_says_what_is_missing_or_does_not_fit,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_key_from_a_password_is_an_ordinary_key, starts_with_a_clean_queue),
        cmocka_unit_test_setup(one_context_makes_one_key_from_a_password_again_and_again,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_key_from_a_password_takes_salt_iv_and_effective_bits,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_generation_says_what_is_missing_or_does_not_fit,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_refused_parameter_leaves_the_generation_as_it_was,
                               starts_with_a_clean_queue),
        cmocka_unit_test_setup(a_template_or_an_import_has_no_password, starts_with_a_clean_queue),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
